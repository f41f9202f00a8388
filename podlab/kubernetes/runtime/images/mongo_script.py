"""The JavaScript that people type into mongosh, as far as manifests carry it: statements, functions, arrays, objects, dates, try and catch.

A script is parsed once into a list of steps, jumps included; between two steps its whole state is plain data (a step's number and the
variables), so that a script which sleeps survives a checkpoint. Values: numbers, strings, true, false, None for null and undefined, lists,
dicts; a date is {"$date": ms}, a function {"$function": number}. Classes, regular expressions, promises and spreads are refused by name.

Source: ECMA-262; a name that is not known here is looked up by the machine that runs the script (mongosh.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from .mongo_expressions import BEYOND, Expressions
from .mongo_tokens import DEEP, Function, Step, Wrong

TEXT_MAX = 50_000  # characters of a script: reading so many takes some 300 ms


class Script(NamedTuple):
    """`steps`: ("value", expression, shown) | ("jump", to) | ("unless", expression, to) | ("each", slot, expression) | ("next", slot, name, to) |
    ("try", to, name) | ("tried",) | ("throw", expression) | ("return", expression)."""

    steps: list[Step]
    functions: list[Function]
    names: dict[str, int]  # of declared functions


class Parser(Expressions):

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

    # ---- expressions


STATEMENTS = ("var", "let", "const", "if", "while", "do", "for", "break", "continue", "try", "throw", "return", "function")


@lru_cache(maxsize=64)
def parse(text: str) -> Script:
    """Raises Wrong, Unfinished."""
    if len(text) > TEXT_MAX:
        raise Wrong("podlab: the script is too long")
    try:
        parser = Parser(text)
        parser.script()
    except (RecursionError, OverflowError, ValueError):
        raise Wrong("podlab: nested too deeply, or a number that is too long") from None
    return Script(parser.steps, parser.functions, parser.names)
