"""The grammar of Go's text/template, as much of it as kubectl's users write: actions, pipelines, range, if, with, variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .jsonpath import unquote

NAME = "output"  # the name kubectl gives its template
TOKEN = re.compile(r"""\s+|(?P<field>\.[^\W\d]\w*)|(?P<dot>\.)|(?P<variable>\$\w*)
|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<raw>`[^`]*`)
|(?P<char>'(?:\\.|[^'\\\n])+')|(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?))|(?P<word>[^\W\d]\w*)
|(?P<sign>:=|=|\||,|\(|\))""", re.VERBOSE)
KEYWORDS = ("range", "if", "with", "else", "end")
UNSUPPORTED = ("define", "template", "block", "break", "continue")


class TemplateError(ValueError):
    """A template that does not parse or does not fit the object; the text is Go's."""

    printed = ""  # what came before it did not fit


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int
    spaced: bool  # a space, or the action's start, stands before it


@dataclass(frozen=True, slots=True)
class Operand:
    """`kind` is dot, fields, variable, constant, nil, function or pipeline; `fields` are looked up in it."""

    kind: str
    value: Any
    fields: tuple[str, ...]
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    variables: tuple[str, ...]
    declares: bool
    commands: tuple[tuple[Operand, ...], ...]


NO_PIPELINE = Pipeline((), False, ())


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is text, action, if, with or range."""

    kind: str
    text: str = ""
    piped: Pipeline = NO_PIPELINE
    body: tuple[Node, ...] = ()
    otherwise: tuple[Node, ...] = ()


def fail(text: str, at: int, source: str) -> TemplateError:
    return TemplateError(f"template: {NAME}:{source.count(chr(10), 0, at) + 1}: {text}")


class Parser:
    """`functions` are the names that may be called."""

    def __init__(self, source: str, functions: frozenset[str]) -> None:
        self.source, self.functions = source, functions
        self.items = self._lex()
        self.at = 0
        self.tokens: list[Token] = []
        self.scope = ["$"]

    def parse(self) -> tuple[Node, ...]:
        nodes, ended_by = self._nodes()
        if ended_by:
            raise fail("unexpected {{" + ended_by + "}}", 0, self.source)
        return nodes

    def _lex(self) -> list[tuple[str, int, bool]]:
        """Texts and actions (without their braces): (content, where it starts, whether an action)."""
        items: list[tuple[str, int, bool]] = []
        at, trim = 0, False
        while True:
            start = self.source.find("{{", at)
            text = self.source[at:] if start < 0 else self.source[at:start]
            text = text.lstrip() if trim else text
            if start < 0:
                return [*items, (text, at, False)]
            at = start + 2
            if self.source.startswith("-", at) and self.source[at + 1:at + 2].isspace():
                text, at = text.rstrip(), at + 2
            items.append((text, start, False))
            comment = re.compile(r"\s*/\*").match(self.source, at)
            end = self._end(at, comment is not None)
            content = self.source[at:end]
            trim = content.endswith("-") and content[-2:-1].isspace()
            if comment is None:
                items.append((content[:-1] if trim else content, at, True))
            at = end + 2

    def _end(self, at: int, comment: bool) -> int:
        if comment:
            closed = self.source.find("*/", at)
            if closed < 0:
                raise fail("unclosed comment", at, self.source)
            at = closed + 2
        while not self.source.startswith("}}", at):
            if at >= len(self.source):
                raise fail("unclosed action", at, self.source)
            quoted = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`').match(self.source, at)
            if quoted is None and self.source[at] == '"':
                raise fail("unterminated quoted string", at, self.source)
            if quoted is None and self.source[at] == "`":
                raise fail("unterminated raw quoted string", at, self.source)
            if quoted is None and self.source[at] in "{}":  # a name that ends there, or the sign alone
                after = re.compile(r"[\w.$]").match(self.source, at - 1)
                raise fail(f"{'bad character' if after else 'unexpected'} U+{ord(self.source[at]):04X} {self.source[at]!r}"
                           + ("" if after else " in command"), at, self.source)
            at = quoted.end() if quoted else at + 1
        return at

    def _nodes(self) -> tuple[tuple[Node, ...], str]:
        """Nodes up to an `end`, an `else` (whose tokens stay) or the end of the template."""
        nodes: list[Node] = []
        while self.at < len(self.items):
            content, start, action = self.items[self.at]
            self.at += 1
            if not action:
                if content:
                    nodes.append(Node("text", content))
                continue
            self.tokens = self._tokens(content, start)
            first = self.tokens[0] if self.tokens else None
            if first is None:
                raise fail("missing value for command", start, self.source)
            if first.kind == "word" and first.text in ("end", "else"):
                self.tokens.pop(0)
                return tuple(nodes), first.text
            if first.kind == "word" and first.text in UNSUPPORTED:
                raise fail("{{" + first.text + "}} is not supported by this kubectl", start, self.source)
            if first.kind == "word" and first.text in KEYWORDS:
                self.tokens.pop(0)
                nodes.append(self._control(first.text, start))
            else:
                nodes.append(Node("action", piped=self._pipeline("command")))
        return tuple(nodes), ""

    def _control(self, kind: str, start: int) -> Node:
        held = len(self.scope)
        pipeline = self._pipeline(kind)
        body, ended_by = self._nodes()
        otherwise: tuple[Node, ...] = ()
        if ended_by == "else":
            if self.tokens and self.tokens[0].text in ("if", "with") and kind == self.tokens[0].text:
                word = self.tokens.pop(0).text
                otherwise = (self._control(word, start),)
                ended_by = "end"
            else:
                otherwise, ended_by = self._nodes()
        if ended_by != "end":
            raise fail("unexpected EOF" if not ended_by else "expected end; found {{else}}", len(self.source), self.source)
        del self.scope[held:]
        return Node(kind, "", pipeline, body, otherwise)

    def _tokens(self, content: str, start: int) -> list[Token]:
        out, at, spaced = [], 0, True
        while at < len(content):
            found = TOKEN.match(content, at)
            if not found:
                raise fail(f"unexpected {content[at]!r} in command".replace("'", '"'), start, self.source)
            if found.lastgroup:
                out.append(Token(found.lastgroup, found.group(), start + at, spaced))
            spaced = not found.lastgroup
            at = found.end()
        return out

    def _pipeline(self, context: str) -> Pipeline:
        variables, declares = self._declaration(context)
        commands: list[tuple[Operand, ...]] = []
        while self.tokens and self.tokens[0].text != ")":
            operands = []
            while self.tokens and self.tokens[0].text not in ("|", ")"):
                operands.append(self._operand())
            if operands:
                commands.append(tuple(operands))
            if self.tokens and self.tokens[0].text == "|":
                self.tokens.pop(0)
        if not commands:
            raise fail(f"missing value for {context}", 0, self.source)
        if self.tokens and context != "parenthesized pipeline":
            raise fail("unexpected right paren", self.tokens[0].at, self.source)
        for name in variables:
            if declares:
                self.scope.append(name)
            elif name not in self.scope:
                raise fail(f'undefined variable "{name}"', 0, self.source)
        return Pipeline(tuple(variables), declares, tuple(commands))

    def _declaration(self, context: str) -> tuple[list[str], bool]:
        for i in (1, 3):
            ahead = [token.text for token in self.tokens[:i + 1]]
            if len(ahead) == i + 1 and ahead[i] in (":=", "=") and self.tokens[0].kind == "variable" and (
                    i == 1 or (ahead[1] == "," and context == "range" and self.tokens[2].kind == "variable")):
                del self.tokens[:i + 1]
                return ahead[:i:2], ahead[i] == ":="
        return [], False

    def _operand(self) -> Operand:
        token = self.tokens.pop(0)
        kind, fields = token.kind, list[str]()
        value: Any = None
        if kind == "sign" and token.text == "(":
            value, kind = self._pipeline("parenthesized pipeline"), "pipeline"
            if not self.tokens:
                raise fail("unclosed left paren", token.at, self.source)
            self.tokens.pop(0)
        elif kind == "sign":
            raise fail(f'unexpected "{token.text}" in command', token.at, self.source)
        elif kind == "field":
            fields.append(token.text[1:])
        elif kind == "variable":
            value = token.text
            if value not in self.scope:
                raise fail(f'undefined variable "{value}"', token.at, self.source)
        elif kind == "word" and token.text not in ("true", "false", "nil"):
            value, kind = token.text, "function"
            if value not in self.functions:
                raise fail(f'function "{value}" not defined', token.at, self.source)
        elif kind != "dot":
            kind, value = ("nil", None) if token.text == "nil" else ("constant", _constant(token))
        at = token.at
        while self.tokens and self.tokens[0].kind == "field" and not self.tokens[0].spaced and kind not in ("constant", "nil"):
            at = self.tokens[0].at if len(fields) + (kind != "field") == 1 else at
            fields.append(self.tokens.pop(0).text[1:])
        text = (token.text if kind != "pipeline" else "(...)") + "".join("." + name for name in fields[kind == "field":])
        return Operand(kind, value, tuple(fields), at, text)


def _constant(token: Token) -> Any:
    if token.kind == "raw":
        return token.text[1:-1]
    if token.kind == "string":
        return unquote(token.text[1:-1])
    if token.kind == "char":
        return ord(unquote(token.text[1:-1]))
    if token.kind == "word":
        return token.text == "true"
    plain = token.text.replace("_", "")
    return int(plain, 0) if re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|[1-9]\d*|0)", plain) else float(plain)
