"""jq's functions that take filters, paths or further inputs, on top of its filters."""

from __future__ import annotations

import json
from typing import Any

from .jq_filters import Env, Filters, Pair, Path, Stream
from .jq_functions import each, matches
from .jq_paths import put, without
from .jq_values import JqError, equal, field, number, spend, text
from .jq_values import key as sort_key


class Halt(Exception):
    """halt and halt_error: (code, what is said)."""


class Machine(Filters):
    """A program that can run."""

    def call_empty(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        return iter(())

    def call_error(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for held in self.values(given[0], env, value):
            raise JqError(held)
        yield from ()

    def call_path(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for way, _ in self.ev(given[0], env, value, ()):
            yield None, list(way or ())

    def call_range(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for choice in self.every([(str(at), one) for at, one in enumerate(given)], env, value):
            at, end, by = (*choice.values(), 1)[:3]
            if any(not isinstance(one, int | float) or isinstance(one, bool) for one in (at, end, by)):
                raise JqError("Range bounds must be numeric")
            while by and (at < end if by > 0 else at > end):
                spend(4)
                yield None, at
                at = number(at + by)

    def call_limit(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for count in self.values(given[0], env, value):
            left = count
            if left > 0:
                for pair in self.ev(given[1], env, value, path):
                    yield pair
                    left -= 1
                    if left <= 0:
                        break

    def call_first(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for pair in self.ev(given[0], env, value, path):
            yield pair
            return

    def call_isempty(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        yield None, next(self.ev(given[0], env, value, None), None) is None

    def call_last(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        yield from list(self.ev(given[0], env, value, path))[-1:]

    def call_nth(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for count in self.values(given[0], env, value):
            for at, pair in enumerate(self.ev(given[1], env, value, path)):
                if at == count:
                    yield pair
                    break

    def call_repeat(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        return self.call_recurse(given, env, value, path)

    def call_while(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        asked = ("if", given[0], ("id",), ("call", "empty", ()))
        return self.ev(("pipe", asked, ("call", "recurse", (("pipe", given[1], asked),))), env, value, path)

    def call_until(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        held: Pair | None = (path, value)
        while held is not None and next(self.values(given[0], env, held[1]), None) in (None, False):
            held = next(self.ev(given[1], env, held[1], held[0]), None)
        if held is not None:
            yield held

    def call_debug(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        self.notes.append(text(["DEBUG:", value]) + "\n")
        yield path, value

    def call_stderr(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        self.notes.append(text(value))
        yield path, value

    def call_input(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        if not self.waiting:
            raise JqError("No more inputs")
        yield None, self.waiting.pop(0)

    def call_getpath(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for way in self.values(given[0], env, value):
            held = value
            for name in each(way):
                held = None if held is None else field(held, name)
            yield None if path is None else (*path, *way), held

    def call_setpath(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for choice in self.every([("path", given[0]), ("value", given[1])], env, value):
            yield None, put(value, each(choice["path"]), choice["value"])

    def call_delpaths(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for ways in self.values(given[0], env, value):
            yield None, without(value, each(ways))

    def call_match(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for choice in self.every([("regex", given[0]), ("flags", given[1]), ("all", given[2])], env, value):
            regex, flags = choice["regex"], choice["flags"]
            if isinstance(regex, list):
                regex, flags = (*regex, None)[:2]
            spend(len(value) if isinstance(value, str) else 0)
            yield None, matches(value, regex, flags, every=choice["all"])

    def call_by(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        """[[[key, value] ...] ...]: values by their keys, in the order of the keys, equal ones together."""
        for keys in self.values(given[0], env, value):
            rows: list[list[Any]] = []
            for one in sorted(([name, held] for name, held in zip(keys, each(value), strict=True)), key=lambda row: sort_key(row[0])):
                if rows and equal(rows[-1][0][0], one[0]):
                    rows[-1].append(one)
                else:
                    rows.append([one])
            yield None, rows

    def call_halt(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        raise Halt(0, "")
        yield

    def call_halt_error(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        for code in self.values(given[0], env, value):
            raise Halt(int(code), value if isinstance(value, str) else text(value) + "\n")
        yield from ()

    def call_now(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        yield None, number(self.now / 1000)

    def call_input_line_number(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        yield None, 0

    def call_input_filename(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        yield None, None


def documents(text_: str, at: int) -> tuple[list[tuple[Any, int]], int, str]:
    """The JSON values of a text from a place: [(value, where it ends)], where the rest begins, and what is wrong there."""
    found: list[tuple[Any, int]] = []
    decode = json.JSONDecoder().raw_decode
    while True:
        while at < len(text_) and text_[at] in " \t\r\n\ufeff\x1e":
            at += 1
        if at == len(text_):
            return found, at, ""
        try:
            value, end = decode(text_, at)
        except ValueError as error:
            return found, at, str(error)
        except RecursionError:
            return found, at, "Exceeds depth limit for parsing"
        found.append((value, end))
        at = end
