"""Runs awk's expressions, statements and rules on the tree that awk_syntax.py makes of a program."""

from __future__ import annotations

import math
from typing import Any

from ..linear import Regex, compiled
from ..process import Data
from .awk_functions import builtin, formatted
from .awk_syntax import Node
from .awk_tokens import AwkFault
from .awk_values import ELEMENTS_MAX, Values, as_int, fitting, looks_numeric, number_text, place, to_number
from .common import ordered
from .regex import extended

MAX_STEPS = 200_000
FILE_STEPS = 40  # of a piece of text that goes to a file


class Next(Exception):
    pass


class Break(Exception):
    pass


class Continue(Exception):
    pass


class Exit(Exception):
    pass


class Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Endless(Exception):
    pass


class Awk(Values):
    """Runs a program; `state` holds vars, arrays, fields. Values: float numbers, str strings, ["n", text] input that looks
    like a number."""

    def key(self, args: list[Node]) -> str:
        return "\x1c".join(self.text(self.value(arg)) for arg in args)

    def truth(self, node: Node) -> bool:
        value = self.value(node)
        if isinstance(value, float):
            return value != 0
        if node[0] == "field" and looks_numeric(value):
            return to_number(value) != 0
        return bool(value != "")

    def number(self, node: Node) -> float:
        value = self.value(node)
        if isinstance(value, str):
            self.spend(len(value))
        return to_number(value)

    def regex(self, node: Node) -> Regex:
        return compiled(extended(node[1] if node[0] == "re" else self.text(self.value(node))))

    def value(self, node: Node) -> Any:
        """An expression's value: float or str."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Endless
        kind = node[0]
        if kind in ("num", "str"):
            return node[1]
        if kind == "var":
            return self.get(node[1])
        if kind == "field":
            return self.field(as_int(self.number(node[1])))
        if kind == "paren":
            return self.value(node[1])
        if kind == "index":
            return self.element(node).setdefault(self.key(node[2]), "")
        if kind == "re":
            return float(self.regex(node).search(self.field(0)) is not None)
        if kind == "assign":
            value = self.value(node[3]) if not node[2] else self.math(node[2], self.number(node[1]), self.number(node[3]))
            self.assign(node[1], value)
            return value
        if kind == "?":
            return self.value(node[2] if self.truth(node[1]) else node[3])
        if kind == "||":
            return float(self.truth(node[1]) or self.truth(node[2]))
        if kind == "&&":
            return float(self.truth(node[1]) and self.truth(node[2]))
        if kind == "in":
            key = self.key(node[1][1] if node[1][0] == "group" else [node[1]])
            return float(key in self.array(node[2]))
        if kind in ("~", "!~"):
            found = self.regex(node[2]).search(self.text(self.value(node[1]))) is not None
            return float(found == (kind == "~"))
        if kind == "compare":
            return float(self.compare(node[1], node[2], node[3]))
        if kind == "concat":
            both = fitting(self.text(self.value(node[1])) + self.text(self.value(node[2])))
            self.spend(len(both))
            return both
        if kind == "math":
            return self.math(node[1], self.number(node[2]), self.number(node[3]))
        if kind == "unary":
            if node[1] == "!":
                return float(not self.truth(node[2]))
            return -self.number(node[2]) if node[1] == "-" else self.number(node[2])
        if kind in ("pre", "post"):
            old = self.number(node[2])
            new = old + (1 if node[1] == "++" else -1)
            self.assign(node[2], new)
            return new if kind == "pre" else old
        if kind == "call":
            return self.call(node[1], node[2])
        return self.key(node[1])

    def compare(self, operator: str, left: Node, right: Node) -> bool:
        a, b = self.value(left), self.value(right)
        self.spend(sum(len(value) for value in (a, b) if isinstance(value, str)))
        inputs = ("field", "var", "index", "paren")
        numeric = all(
            isinstance(v, float) or (n[0] in inputs and looks_numeric(v)) or (v == "" and n[0] in ("var", "index"))
            for v, n in ((a, left), (b, right))
        )
        if numeric:
            return ordered(operator, to_number(a), to_number(b))
        return ordered(operator, self.text(a), self.text(b))

    def math(self, operator: str, a: float, b: float) -> float:
        if operator in ("/", "%") and b == 0:
            raise AwkFault("division by zero")
        if operator == "%":
            return math.nan if math.isinf(a) else math.fmod(a, b)
        if operator == "^":
            try:
                return math.pow(a, b)
            except OverflowError:
                return math.inf
            except ValueError:
                return math.nan
        return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else 0.0}[operator]

    def element(self, node: Node) -> Data:
        """The array that an element stands in, or is to."""
        array = self.array(node[1])
        if len(array) > ELEMENTS_MAX:
            raise AwkFault("out of memory")
        return array

    def assign(self, target: Node, value: Any) -> None:
        if target[0] == "var":
            self.put(target[1], value)
        elif target[0] == "field":
            self.set_field(place(self.number(target[1])), self.text(value))
        elif target[0] == "index":
            self.element(target)[self.key(target[2])] = value
        else:
            raise AwkFault("assignment to what is no variable")

    def call(self, name: str, args: list[Node]) -> Any:
        if name in self.functions:
            names, body = self.functions[name]
            frame: dict[str, Any] = {}
            for index, parameter in enumerate(names):
                if index >= len(args):
                    frame[parameter] = ""
                elif args[index][0] == "var" and (
                    args[index][1] in self.arrays or (self.frames and isinstance(self.frames[-1].get(args[index][1]), dict))
                ):
                    frame[parameter] = self.array(args[index][1])
                else:
                    frame[parameter] = self.value(args[index])
            if len(self.frames) > 100:
                raise AwkFault("function calls too deep")
            self.frames.append(frame)
            try:
                self.run(body)
            except Return as returned:
                return returned.value
            finally:
                self.frames.pop()
            return ""
        return builtin(self, name, args)

    def run(self, node: Node) -> None:
        """A statement."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Endless
        kind = node[0]
        if kind == "block":
            for item in node[1]:
                self.run(item)
        elif kind == "do_expression":
            self.value(node[1])
        elif kind in ("print", "printf"):
            args = node[1]
            if kind == "print":
                output = str(self.vars.get("OFMT", "%.6g"))
                parts = (
                    [v if isinstance(v := self.value(arg), str) else number_text(v, output) for arg in args]
                    if args
                    else [self.field(0)]
                )
                text = self.text(self.get("OFS")).join(parts) + self.text(self.get("ORS"))
            else:
                text = formatted(self, [self.value(arg) for arg in args])
            self.write(text, node[2])
        elif kind == "if":
            if self.truth(node[1]):
                self.run(node[2])
            elif node[3] is not None:
                self.run(node[3])
        elif kind in ("while", "do", "for"):
            self.loop(node)
        elif kind == "forin":
            keys = list(self.array(node[2]))
            self.spend(0, len(keys))
            for key in keys:
                self.put(node[1], key)
                try:
                    self.run(node[3])
                except Continue:
                    continue
                except Break:
                    break
        elif kind == "delete":
            if node[2] is None:
                self.array(node[1]).clear()
            else:
                self.array(node[1]).pop(self.key(node[2]), None)
        elif kind in ("next", "nextfile"):
            raise Next
        elif kind == "break":
            raise Break
        elif kind == "continue":
            raise Continue
        elif kind == "return":
            raise Return("" if node[1] is None else self.value(node[1]))
        elif kind == "exit":
            if node[1] is not None:
                self.state["code"] = as_int(self.number(node[1])) & 255
            raise Exit

    def loop(self, node: Node) -> None:
        kind = node[0]
        condition, body = (node[1], node[2]) if kind == "while" else (node[2], node[1]) if kind == "do" else (node[2], node[4])
        if kind == "for" and node[1] is not None:
            self.value(node[1])
        first = kind == "do"
        while first or condition is None or self.truth(condition):
            first = False
            try:
                self.run(body)
            except Continue:
                pass
            except Break:
                break
            if kind == "for" and node[3] is not None:
                self.value(node[3])

    def write(self, text: str, target: Any) -> None:
        self.steps += len(text) >> 5  # what one record prints is held until it ends: six million letters at most
        if target is None:
            self.out.append(text)
            return
        how, node = target
        path = self.text(self.value(node))
        opened = self.state["opened"]
        mode = "a" if how == ">>" or path in opened else "w"
        opened[path] = 1
        self.steps += FILE_STEPS
        self.sys.write_file(path, text, mode)

    def rule(self, kind: str) -> None:
        """All rules of a kind, for the present record."""
        for index, (which, pattern, action) in enumerate(self.rules):
            if which == "range" and kind == "each":
                active = self.state["ranges"]
                if str(index) not in active:
                    if not self.truth(pattern[0]):
                        continue
                    active[str(index)] = 1
                if self.truth(pattern[1]):
                    del active[str(index)]
            elif which != kind or (pattern is not None and not self.truth(pattern)):
                continue
            if action is None:
                self.write(self.field(0) + self.text(self.get("ORS")), None)
            else:
                self.run(action)
