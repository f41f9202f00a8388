"""VRL's grammar: a program's text to nested lists, and the errors of one that is refused (errors.vrl.dev)."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from ..linear import compiled
from .vrl_functions import FUNCTIONS, _python

TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|#[^\n]*)|(?P<newline>[\n;]+)|(?P<string>\"(?:[^\"\\]|\\.)*\"|s'(?:[^'\\]|\\.)*')|"
    r"(?P<regex>r'(?:[^'\\]|\\.)*')|(?P<time>t'[^']*')|"
    r"(?P<number>\d+(?:\.\d+)?)|(?P<path>[.%](?:[A-Za-z_@][\w@]*|\"[^\"]*\")?(?:\.(?:[A-Za-z_@][\w@]*|\"[^\"]*\")|\[-?\d+\])*)|"
    r"(?P<word>[A-Za-z_]\w*)|(?P<op>\?\?|\|\||&&|==|!=|<=|>=|\|=|[-+*/<>=!(){}\[\],:|])"
)

DEPTH_MAX, CHAIN_MAX = 30, 100

Node = list[Any]


class VrlError(Exception):
    """A program that is refused: error code, message, and the line and column of the fault."""

    def __init__(self, code: int, message: str, at: int, source: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.at, self.source, self.hint = code, message, at, source, hint

    def text(self) -> str:
        """As Vector prints it."""
        row = self.source.count("\n", 0, self.at)
        start = self.source.rfind("\n", 0, self.at) + 1
        line = self.source[start:].partition("\n")[0]
        column = self.at - start
        pad = " " * len(str(row + 1))
        hint = f"\n{pad} │ {' ' * column}{self.hint}" if self.hint else ""
        return (
            f"\nerror[E{self.code}]: {self.message}\n{pad} ┌─ :{row + 1}:{column + 1}\n{pad} │\n{row + 1} │ {line}\n{pad} │ "
            f"{' ' * column}^{hint}\n{pad} │\n"
            f"{pad} = learn more about error code {self.code} at https://errors.vrl.dev/{self.code}\n{pad} = see language documentation "
            f"at https://vrl.dev\n"
        )


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(source):
            found = TOKEN.match(source, at)
            if found is None:
                raise VrlError(202, f"syntax error: unexpected character {source[at]!r}", at, source)
            if found.lastgroup != "space":
                self.tokens.append((str(found.lastgroup), found[0], at))
            at = found.end()
        self.at = 0
        self.variables: list[str] = []

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def where(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.source)

    def fail(self, wanted: str = "") -> VrlError:
        text = "unexpected end of program" if self.at >= len(self.tokens) else f"unexpected syntax token: {json.dumps(self.peek())}"
        return VrlError(203, f"syntax error: {text}{', expected ' + wanted if wanted else ''}", self.where(), self.source)

    def take(self, text: str) -> None:
        if self.peek() != text:
            raise self.fail(json.dumps(text))
        self.at += 1

    def lines(self) -> None:
        while self.kind() == "newline":
            self.at += 1

    def block(self, depth: int, end: str = "") -> list[Node]:
        found: list[Node] = []
        self.lines()
        while self.at < len(self.tokens) and self.peek() != end:
            found.append(self.statement(depth))
            if self.at < len(self.tokens) and self.peek() != end and self.kind() != "newline":
                raise self.fail()
            self.lines()
        return found

    def statement(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise VrlError(203, "syntax error: nested too deeply", self.where(), self.source)
        start = self.at
        if self.kind() in ("path", "word"):
            target = self._target()
            if target is not None and self.peek() == ",":
                self.at += 1
                second = self._target()
                if second is not None and self.peek() == "=":
                    self.at += 1
                    self.lines()
                    value = self.expression(depth + 1)
                    for one in (target, second):
                        self._declare(one)
                    return ["try", target, second, value]
            elif target is not None and self.peek() in ("=", "|="):
                operator, at = self.peek(), self.tokens[start][2]
                self.at += 1
                self.lines()
                place = self.where()
                value = self.expression(depth + 1)
                if fallible(value):
                    text = self.source[place : self.where()].partition("\n")[0].rstrip()
                    raise VrlError(103, "unhandled fallible assignment", place, self.source,
                                   f"this expression is fallible: add a `!` to the function, e.g. `{text.replace('(', '!(', 1)}`, or handle it: "
                                   f"`{self.source[at:place].split('=')[0].strip().rstrip('|').strip()}, err = {text}`")  # fmt: skip
                self._declare(target)
                return ["set" if operator == "=" else "merge", target, value]
            self.at = start
        place = self.where()
        value = self.expression(depth)
        if fallible(value):
            raise VrlError(
                100, "unhandled error", place, self.source, "expression can result in runtime error: handle the error case to ensure runtime success"
            )
        return value

    def _target(self) -> Node | None:
        kind, text = self.kind(), self.peek()
        if kind == "path":
            self.at += 1
            return ["path", path_parts(text)]
        if kind == "word" and text not in ("if", "else", "true", "false", "null", "abort"):
            self.at += 1
            return ["variable", text]
        return None

    def _declare(self, target: Node) -> None:
        if target[0] == "variable" and target[1] not in self.variables:
            self.variables.append(target[1])

    LEVELS = (("??",), ("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"), ("|",))

    def expression(self, depth: int, level: int = 0) -> Node:
        if depth > DEPTH_MAX:
            raise VrlError(203, "syntax error: nested too deeply", self.where(), self.source)
        if level == len(self.LEVELS):
            return self.unary(depth + 1)
        found = self.expression(depth, level + 1)
        chain = 0
        while self.peek() in self.LEVELS[level] and self.kind() == "op":
            operator = self.peek()
            chain += 1
            if chain > CHAIN_MAX:
                raise VrlError(203, "syntax error: the expression is too long", self.where(), self.source)
            self.at += 1
            self.lines()
            found = ["binary", operator, found, self.expression(depth, level + 1)]
        return found

    def unary(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise VrlError(203, "syntax error: nested too deeply", self.where(), self.source)
        if self.peek() in ("!", "-") and self.kind() == "op":
            operator = self.peek()
            self.at += 1
            return [operator, self.unary(depth + 1)]
        return self.primary(depth)

    def primary(self, depth: int) -> Node:
        kind, text, at = self.kind(), self.peek(), self.where()
        self.at += 1
        if kind == "string":
            return ["value", unquote(text)]
        if kind == "regex":
            try:
                compiled(_python(text[2:-1]))
            except re.error as error:
                raise VrlError(202, f"invalid regular expression: {error}", at, self.source) from None
            return ["regex", text[2:-1]]
        if kind == "time":
            return ["value", text[2:-1]]
        if kind == "number":
            return ["value", float(text) if "." in text else int(text[:18])]
        if kind == "path":
            return ["path", path_parts(text)]
        if text == "(":
            self.lines()
            found = self.expression(depth + 1)
            self.lines()
            self.take(")")
            return found
        if text == "{":
            return self._object(depth)
        if text == "[":
            return ["array", self._list("]", depth)]
        if text == "if":
            return self._if(depth)
        if kind == "word":
            return self._word(text, at, depth)
        self.at -= 1
        raise self.fail()

    def _list(self, end: str, depth: int) -> list[Node]:
        found: list[Node] = []
        self.lines()
        while self.peek() != end:
            found.append(self.expression(depth + 1))
            self.lines()
            if self.peek() != end:
                self.take(",")
                self.lines()
        self.take(end)
        return found

    def _object(self, depth: int) -> Node:
        """`{` has been read: an object, or a block."""
        self.lines()
        if not (self.peek() == "}" or (self.kind() == "string" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][1] == ":")):
            found = self.block(depth + 1, "}")
            self.take("}")
            return ["block", found]
        rows: list[Any] = []
        while self.peek() != "}":
            if self.kind() != "string":
                raise self.fail("string literal")
            name = unquote(self.peek())
            self.at += 1
            self.take(":")
            self.lines()
            rows.append([name, self.expression(depth + 1)])
            self.lines()
            if self.peek() != "}":
                self.take(",")
                self.lines()
        self.take("}")
        return ["object", rows]

    def _if(self, depth: int) -> Node:
        place = self.where()
        test = self.expression(depth + 1)
        if fallible(test):
            raise VrlError(102, "non-boolean predicate", place, self.source, "handle the error of this predicate")
        self.lines()
        self.take("{")
        then = self.block(depth + 1, "}")
        self.take("}")
        back = self.at
        self.lines()
        other: list[Node] = []
        if self.peek() == "else":
            self.at += 1
            self.lines()
            if self.peek() == "if":
                self.at += 1
                other = [self._if(depth + 1)]
            else:
                self.take("{")
                other = self.block(depth + 1, "}")
                self.take("}")
        else:
            self.at = back
        return ["if", test, then, other]

    def _word(self, text: str, at: int, depth: int) -> Node:
        if text in ("true", "false", "null"):
            return ["value", {"true": True, "false": False, "null": None}[text]]
        if text == "abort":
            return ["abort"]
        bang = self.peek() == "!" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][1] == "("
        if bang:
            self.at += 1
        if self.peek() != "(":
            if text not in self.variables:
                raise VrlError(701, "call to undefined variable", at, self.source, "undefined variable")
            return ["variable", text]
        if text not in FUNCTIONS and text not in ("del", "exists"):
            raise VrlError(105, "call to undefined function", at, self.source, "undefined function")
        self.take("(")
        arguments: list[Node] = []
        self.lines()
        while self.peek() != ")":
            name = ""
            if self.kind() == "word" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][1] == ":":
                name = self.peek()
                self.at += 2
            arguments.append(["named", name, self.expression(depth + 1)] if name else self.expression(depth + 1))
            self.lines()
            if self.peek() != ")":
                self.take(",")
                self.lines()
        self.take(")")
        if text in ("del", "exists"):
            if len(arguments) != 1 or arguments[0][0] != "path":
                raise VrlError(107, "missing required argument" if not arguments else "invalid argument", at, self.source)
            return [text, arguments[0][1]]
        least, most, can_fail, _ = FUNCTIONS[text]
        if len(arguments) < least:
            raise VrlError(107, "missing required argument", at, self.source)
        if len(arguments) > most:
            raise VrlError(106, "wrong number of function arguments", at, self.source)
        if bang and not can_fail:
            raise VrlError(620, "can't abort infallible function", at, self.source, "remove this abort-instruction")
        return ["call", text, arguments, bool(bang), at]


def unquote(text: str) -> str:
    inside = text[2:-1] if text[0] == "s" else text[1:-1]
    if text[0] == "s":
        return inside
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(found[1], found[1]), inside)


def path_parts(text: str) -> list[Any]:
    """`.a."b c"[0]` -> ["a", "b c", 0]."""
    return [
        int(number[1:-1]) if number else quoted[1:-1] if quoted else plain
        for plain, quoted, number in re.findall(r"([A-Za-z_@][\w@]*)|(\"[^\"]*\")|(\[-?\d+\])", text)
    ]


def fallible(node: Node) -> bool:
    """Whether an expression may fail, and nothing in it handles that."""
    kind = node[0]
    if kind == "call":
        return (FUNCTIONS[node[1]][2] and not node[3]) or any(fallible(one) for one in node[2])
    if kind == "binary":
        return fallible(node[3]) if node[1] == "??" else fallible(node[2]) or fallible(node[3])
    if kind in ("!", "-"):
        return fallible(node[1])
    if kind == "named":
        return fallible(node[2])
    if kind == "array":
        return any(fallible(one) for one in node[1])
    return kind == "object" and any(fallible(one) for _, one in node[1])


@lru_cache(maxsize=256)
def parse(source: str) -> tuple[Node, ...]:
    """A program's statements. Raises VrlError."""
    parser = _Parser(source)
    found = parser.block(0)
    if parser.at < len(parser.tokens):
        raise parser.fail()
    return tuple(found)
