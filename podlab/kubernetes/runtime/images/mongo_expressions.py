"""The expressions of a mongosh script, from a comma down to a name, with the functions that stand in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .mongo_tokens import DEEP, Function, Node, Tokens, Wrong, text_of

LEVELS: tuple[tuple[str, ...], ...] = (("??",), ("||",), ("&&",), ("===", "!==", "==", "!="), ("<", ">", "<=", ">=", "in", "instanceof"), ("+", "-"),
                                       ("*", "/", "%"), ("**",))  # fmt: skip
ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=")
BEYOND = ("class", "async", "await", "yield", "switch", "import", "export", "with", "delete")


class Expressions(Tokens, ABC):
    """Reads one expression into a node. The body of a function is the statements' (`block`, `add`)."""

    @abstractmethod
    def block(self) -> None:
        """Statements in braces."""

    @abstractmethod
    def add(self, *step: Any) -> int:
        """One more step; gives its place."""

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
            return ("constant", text_of(text[1:-1]))
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
            key = text_of(text[1:-1]) if kind == "string" else text
            pairs.append((key, self.assignment() if self.take(":") else ("name", key)))
            if not self.peek("}"):
                self.need(",")
        return ("object", pairs)

    def template(self, text: str) -> Node:
        found: Node = ("constant", "")
        while text:
            head, mark, text = text.partition("${")
            found = ("binary", "+", found, ("constant", text_of(head)))
            if not mark:
                break
            depth, end = 1, 0
            while depth and end < len(text):
                depth += (text[end] == "{") - (text[end] == "}")
                end += 1
            if depth:
                raise Wrong("Unterminated template")
            inner = type(self)(text[: end - 1])
            inner.functions, inner.names, inner.deep = self.functions, self.names, self.deep
            found, text = ("binary", "+", found, inner.expression()), text[end:]
        return found
