"""The JavaScript that people type into mongosh, as far as manifests carry it: statements, functions, arrays, objects, dates, try and catch.

A script is parsed once into a list of steps, jumps included; between two steps its whole state is plain data (a step's number and the
variables), so that a script which sleeps survives a checkpoint. Values: numbers, strings, true, false, None for null and undefined, lists,
dicts; a date is {"$date": ms}, a function {"$function": number}. Classes, regular expressions, promises and spreads are refused by name.

Source: ECMA-262; a name that is not known here is looked up by the machine that runs the script (mongosh.py).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

Node = tuple[Any, ...]
Step = tuple[Any, ...]

TEXT_MAX = 50_000  # characters of a script: reading so many takes some 300 ms


class Wrong(Exception):
    """A script that cannot be parsed: SyntaxError's text."""


class Unfinished(Wrong):
    """It may go on with the next line."""


class Function(NamedTuple):
    parameters: tuple[str, ...]
    steps: list[Step]


class Script(NamedTuple):
    """`steps`: ("value", expression, shown) | ("jump", to) | ("unless", expression, to) | ("each", slot, expression) | ("next", slot, name, to) |
    ("try", to, name) | ("tried",) | ("throw", expression) | ("return", expression)."""

    steps: list[Step]
    functions: list[Function]
    names: dict[str, int]  # of declared functions


TOKEN = re.compile(r"""
    (?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+) | (?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+) | (?P<name>[A-Za-z_$][\w$]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*') | (?P<template>`(?:[^`\\]|\\.)*`)
    | (?P<sign>===|!==|\*\*|=>|\+\+|--|&&|\|\||\?\?|\?\.|[<>=!+\-*/%]=|[-+*/%<>=!?:;,.(){}\[\]])
""", re.VERBOSE | re.DOTALL)  # fmt: skip
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "\n": ""}
LEVELS: tuple[tuple[str, ...], ...] = (("??",), ("||",), ("&&",), ("===", "!==", "==", "!="), ("<", ">", "<=", ">=", "in", "instanceof"), ("+", "-"),
                                       ("*", "/", "%"), ("**",))  # fmt: skip
ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=")
BEYOND = ("class", "async", "await", "yield", "switch", "import", "export", "with", "delete")
DEEP = 60  # nested parentheses, blocks and functions


def _text(quoted: str) -> str:
    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", lambda found: chr(int(found[1][1:], 16)) if len(found[1]) > 1
                  else ESCAPES.get(found[1], found[1]), quoted, flags=re.DOTALL)  # fmt: skip


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """(kind, text, whether a new line came before it)."""
    found: list[tuple[str, str, bool]] = []
    at, fresh = 0, True
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            if text[at] in "`'\"" or text.startswith("/*", at):
                raise Unfinished("Unterminated string constant")
            raise Wrong(f"Unexpected character '{text[at]}'")
        at = match.end()
        if match.lastgroup == "space":
            fresh = fresh or "\n" in match[0]
            continue
        found.append((str(match.lastgroup), match[0], fresh))
        fresh = False
    return [*found, ("end", "", True)]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens, self.at, self.deep, self.slots = _tokens(text), 0, 0, 0
        self.functions: list[Function] = []
        self.names: dict[str, int] = {}
        self.steps: list[Step] = []
        self.loops: list[tuple[list[int], list[int]]] = []  # jumps to mend: (break, continue)

    # ---- tokens

    def peek(self, *texts: str) -> bool:
        kind, text, _ = self.tokens[self.at]
        return kind in ("name", "sign") and text in texts

    def take(self, *texts: str) -> str:
        if self.peek(*texts):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def need(self, *texts: str) -> str:
        found = self.take(*texts)
        if not found:
            self.fail()
        return found

    def fail(self) -> None:
        kind, text, _ = self.tokens[self.at]
        raise Unfinished("Unexpected end of input") if kind == "end" else Wrong(f"Unexpected token '{text}'")

    def name(self) -> str:
        kind, text, _ = self.tokens[self.at]
        if kind != "name":
            self.fail()
        self.at += 1
        return text

    def end_of_statement(self) -> None:
        if not self.take(";") and not self.peek("}") and not self.tokens[self.at][2]:
            self.fail()

    # ---- statements

    def script(self) -> None:
        while self.tokens[self.at][0] != "end":
            self.statement()

    def block(self) -> None:
        self.need("{")
        while not self.take("}"):
            self.statement()

    def add(self, *step: Any) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def mend(self, at: int, to: int) -> None:
        self.steps[at] = tuple(to if part is None else part for part in self.steps[at])

    def statement(self) -> None:
        self.deep += 1
        if self.deep > DEEP:
            raise Wrong("podlab: nested too deeply")
        kind, text, _ = self.tokens[self.at]
        handler = getattr(self, f"_{text}", None) if kind == "name" and text in STATEMENTS else None
        if handler is not None:
            self.at += 1
            handler()
        elif self.peek("{"):
            self.block()
        elif kind == "name" and text in BEYOND:
            raise Wrong(f"podlab: `{text}` is not part of this shell")
        elif not self.take(";"):
            self.add("value", self.expression(), True)
            self.end_of_statement()
        self.deep -= 1

    def declare(self) -> None:
        while True:
            if self.peek("{", "["):
                raise Wrong("podlab: destructuring is not part of this shell")
            name = self.name()
            self.add("value", ("declare", name, self.assignment() if self.take("=") else ("constant", None)), False)
            if not self.take(","):
                break

    def _var(self) -> None:
        self.declare()
        self.end_of_statement()

    _let = _const = _var

    def _if(self) -> None:
        self.need("(")
        test = self.add("unless", self.expression(), None)
        self.need(")")
        self.statement()
        if self.take("else"):
            over = self.add("jump", None)
            self.mend(test, len(self.steps))
            self.statement()
            self.mend(over, len(self.steps))
        else:
            self.mend(test, len(self.steps))

    def loop(self, again: int | None, done: list[int], after: Any = None) -> None:
        """A loop's body; `again` is where `continue` goes (None: behind the body, where `after` adds its steps)."""
        self.loops.append(([], []))
        self.statement()
        breaks, continues = self.loops.pop()
        here = len(self.steps)
        for at in continues:
            self.mend(at, here if again is None else again)
        if after is not None:
            after()
        for at in (*breaks, *done):
            self.mend(at, len(self.steps))

    def _while(self) -> None:
        start = len(self.steps)
        self.need("(")
        test = self.add("unless", self.expression(), None)
        self.need(")")
        self.loop(start, [test], lambda: self.add("jump", start))

    def _do(self) -> None:
        start = len(self.steps)

        def after() -> None:
            self.need("while")
            self.need("(")
            self.add("unless", self.expression(), len(self.steps) + 2)
            self.need(")")
            self.take(";")
            self.add("jump", start)

        self.loop(None, [], after)

    def _for(self) -> None:
        self.need("(")
        mark = self.at
        declared = bool(self.take("var", "let", "const"))
        if self.tokens[self.at][0] == "name" and self.tokens[self.at + 1][1] in ("of", "in"):
            name, how = self.name(), self.need("of", "in")
            self.slots += 1
            slot = f"#{self.slots}"
            items = self.expression()
            self.add("each", slot, items if how == "of" else ("call", ("member", ("name", "Object"), "keys"), [items]))
            self.need(")")
            start = self.add("next", slot, name, None)
            self.loop(start, [start], lambda: self.add("jump", start))
            return
        self.at = mark
        if declared:
            self.at += 1
            self.declare()
        elif not self.peek(";"):
            self.add("value", self.expression(), False)
        self.need(";")
        start = len(self.steps)
        test = [self.add("unless", self.expression(), None)] if not self.peek(";") else []
        self.need(";")
        step = self.expression() if not self.peek(")") else ("constant", None)
        self.need(")")

        def after() -> None:
            self.add("value", step, False)
            self.add("jump", start)

        self.loop(None, test, after)

    def _break(self) -> None:
        if not self.loops:
            raise Wrong("Illegal break statement")
        self.loops[-1][0].append(self.add("jump", None))
        self.end_of_statement()

    def _continue(self) -> None:
        if not self.loops:
            raise Wrong("Illegal continue statement: no surrounding iteration statement")
        self.loops[-1][1].append(self.add("jump", None))
        self.end_of_statement()

    def _try(self) -> None:
        begin = len(self.steps)
        self.add("try", 0, "")
        self.block()
        self.add("tried")
        over = self.add("jump", None)
        name = ""
        self.steps[begin] = ("try", len(self.steps), name)
        if self.take("catch"):
            if self.take("("):
                self.steps[begin] = ("try", len(self.steps), self.name())
                self.need(")")
            self.block()
        self.mend(over, len(self.steps))
        if self.take("finally"):
            self.block()

    def _throw(self) -> None:
        self.add("throw", self.expression())
        self.end_of_statement()

    def _return(self) -> None:
        self.add("return", ("constant", None) if self.peek(";", "}") or self.tokens[self.at][2] else self.expression())
        self.take(";")

    def _function(self) -> None:
        name = self.name()
        self.names[name] = self.function_rest()

    def function_rest(self) -> int:
        self.need("(")
        return self.body(self.parameters())

    def parameters(self) -> tuple[str, ...]:
        names: list[str] = []
        while not self.take(")"):
            names.append(self.name())
            if not self.peek(")"):
                self.need(",")
        return tuple(names)

    def body(self, parameters: tuple[str, ...], arrow: bool = False) -> int:
        self.deep += 1
        if self.deep > DEEP:
            raise Wrong("podlab: nested too deeply")
        outer, self.steps, loops, self.loops = self.steps, [], self.loops, []
        if arrow and not self.peek("{"):
            self.add("return", self.assignment())
        else:
            self.block()
        mine, self.steps, self.loops = self.steps, outer, loops
        self.deep -= 1
        self.functions.append(Function(parameters, mine))
        return len(self.functions) - 1

    # ---- expressions

    def expression(self) -> Node:
        found = self.assignment()
        while self.take(","):
            found = ("comma", found, self.assignment())
        return found

    def assignment(self) -> Node:
        self.deep += 1
        if self.deep > DEEP:
            raise Wrong("podlab: nested too deeply")
        found = self.arrow() or self.choice()
        self.deep -= 1
        return found

    def choice(self) -> Node:
        left = self.binary(0)
        if self.take("?"):
            one = self.assignment()
            self.need(":")
            return ("choose", left, one, self.assignment())
        if self.peek(*ASSIGN):
            if left[0] not in ("name", "member", "index"):
                raise Wrong("Invalid left-hand side in assignment")
            sign = self.need(*ASSIGN)
            return ("assign", left, self.assignment() if sign == "=" else ("binary", sign[0], left, self.assignment()))
        return left

    def arrow(self) -> Node | None:
        mark = self.at
        if self.tokens[self.at][0] == "name" and self.tokens[self.at + 1][1] == "=>":
            parameters: tuple[str, ...] = (self.name(),)
        elif self.peek("("):
            self.at += 1
            names: list[str] = []
            while self.tokens[self.at][0] == "name" and self.tokens[self.at + 1][1] in (",", ")"):
                names.append(self.name())
                self.take(",")
            if not (self.take(")") and self.peek("=>")):
                self.at = mark
                return None
            parameters = tuple(names)
        else:
            return None
        self.need("=>")
        return ("function", self.body(parameters, True))

    def binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek(*LEVELS[level]):
            sign = self.need(*LEVELS[level])
            right = self.binary(level + 1)
            left = ("logic", sign, left, right) if level < 3 else ("binary", sign, left, right)
        return left

    def unary(self) -> Node:
        if sign := self.take("!", "-", "+", "typeof", "void"):
            return ("unary", sign, self.unary())
        if sign := self.take("++", "--"):
            target = self.unary()
            return ("assign", target, ("binary", sign[0], target, ("constant", 1)))
        found = self.postfix()
        if not self.tokens[self.at][2] and (sign := self.take("++", "--")):
            return ("after", found, ("assign", found, ("binary", sign[0], found, ("constant", 1))))
        return found

    def postfix(self) -> Node:
        found: Node = ("new", *self.created()) if self.take("new") else self.primary()
        while True:
            if self.take(".", "?."):
                found = ("member", found, self.name())
            elif self.take("["):
                found = ("index", found, self.expression())
                self.need("]")
            elif self.take("("):
                found = ("call", found, self.arguments())
            else:
                return found

    def created(self) -> tuple[str, list[Node]]:
        return self.name(), self.arguments() if self.take("(") else []

    def arguments(self) -> list[Node]:
        found: list[Node] = []
        while not self.take(")"):
            found.append(self.assignment())
            if not self.peek(")"):
                self.need(",")
        return found

    def primary(self) -> Node:
        kind, text, _ = self.tokens[self.at]
        if kind == "end":
            self.fail()
        self.at += 1
        if kind == "number":
            value = float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text)
            return ("constant", int(value) if value.is_integer() else value)
        if kind == "string":
            return ("constant", _text(text[1:-1]))
        if kind == "template":
            return self.template(text[1:-1])
        if kind == "name":
            if text in BEYOND:
                raise Wrong(f"podlab: `{text}` is not part of this shell")
            if text == "function":
                if self.tokens[self.at][0] == "name":
                    self.at += 1
                return ("function", self.function_rest())
            return ("constant", {"true": True, "false": False}.get(text)) if text in ("true", "false", "null", "undefined") else ("name", text)
        if text == "(":
            found = self.expression()
            self.need(")")
            return found
        if text == "[":
            items: list[Node] = []
            while not self.take("]"):
                items.append(self.assignment())
                if not self.peek("]"):
                    self.need(",")
            return ("list", items)
        if text == "{":
            return self.object()
        self.at -= 1
        self.fail()
        raise AssertionError

    def object(self) -> Node:
        pairs: list[tuple[str, Node]] = []
        while not self.take("}"):
            kind, text, _ = self.tokens[self.at]
            if kind not in ("name", "string", "number"):
                self.fail()
            self.at += 1
            key = _text(text[1:-1]) if kind == "string" else text
            pairs.append((key, self.assignment() if self.take(":") else ("name", key)))
            if not self.peek("}"):
                self.need(",")
        return ("object", pairs)

    def template(self, text: str) -> Node:
        found: Node = ("constant", "")
        while text:
            head, mark, text = text.partition("${")
            found = ("binary", "+", found, ("constant", _text(head)))
            if not mark:
                break
            depth, end = 1, 0
            while depth and end < len(text):
                depth += (text[end] == "{") - (text[end] == "}")
                end += 1
            if depth:
                raise Wrong("Unterminated template")
            inner = _Parser(text[: end - 1])
            inner.functions, inner.names, inner.deep = self.functions, self.names, self.deep
            found, text = ("binary", "+", found, inner.expression()), text[end:]
        return found


STATEMENTS = ("var", "let", "const", "if", "while", "do", "for", "break", "continue", "try", "throw", "return", "function")


@lru_cache(maxsize=64)
def parse(text: str) -> Script:
    """Raises Wrong, Unfinished."""
    if len(text) > TEXT_MAX:
        raise Wrong("podlab: the script is too long")
    try:
        parser = _Parser(text)
        parser.script()
    except (RecursionError, OverflowError, ValueError):
        raise Wrong("podlab: nested too deeply, or a number that is too long") from None
    return Script(parser.steps, parser.functions, parser.names)
