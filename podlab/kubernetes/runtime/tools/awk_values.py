"""awk's values (float numbers, str strings) and what a program keeps: variables, arrays, and the record with its fields."""

from __future__ import annotations

import math
import re
from typing import Any

from ..linear import compiled
from ..process import Data
from ..program import TEXT_MAX
from ..system import Sys
from .awk_syntax import parse
from .awk_tokens import AwkFault
from .regex import extended

ELEMENTS_MAX = 100_000
"""Elements of one array; a real awk is bounded by its memory."""


def fitting(text: str) -> str:
    """A string that awk has made. Raises AwkFault when it is too long to keep."""
    if len(text) > TEXT_MAX:
        raise AwkFault("out of memory")
    return text


def place(number: float) -> int:
    """The number of a field. Raises AwkFault for one that no record has room for."""
    if number < 0:
        raise AwkFault("Access to negative field")
    if number > ELEMENTS_MAX:
        raise AwkFault("out of memory")
    return as_int(number)


def number_text(value: float, form: str = "%.6g") -> str:
    """A number as awk makes it a string: integers whole."""
    if value == int(value) and abs(value) < 1e16 if not (math.isinf(value) or math.isnan(value)) else False:
        return str(int(value))
    return form % value


def to_number(value: Any) -> float:
    if isinstance(value, float):
        return value
    match = re.match(r"\s*+[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)", value)
    return float(match[0]) if match else 0.0


def as_int(value: float) -> int:
    """A number as C's (int) cuts it: what no int holds is the least or the greatest of them."""
    return 0 if math.isnan(value) else int(max(-2.0**31, min(2.0**31 - 1, value)))


def looks_numeric(text: str) -> bool:
    return re.fullmatch(r"\s*+[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)\s*", text) is not None


class Values:
    """What a program keeps, in `state`: `vars`, `arrays`, `fields`, `record`; and the calls of its own functions, in `frames`."""

    def __init__(self, sys: Sys, state: Data) -> None:
        self.sys, self.state = sys, state
        self.rules, self.functions = parse(state["source"])
        self.vars: Data = state["vars"]
        self.arrays: Data = state["arrays"]
        self.frames: list[dict[str, Any]] = []
        self.steps = 0
        self.out: list[str] = []

    def spend(self, letters: int, pieces: int = 0) -> None:
        """Work that takes long by the length of a text, or by what it is taken apart into: counted as steps, each about a microsecond."""
        self.steps += (letters >> 8) + (pieces >> 1)

    def text(self, value: Any) -> str:
        return value if isinstance(value, str) else number_text(value, str(self.vars.get("CONVFMT", "%.6g")))

    def get(self, name: str) -> Any:
        if self.frames and name in self.frames[-1]:
            return self.frames[-1][name]
        if name == "NF":
            return float(len(self.state["fields"]))
        return self.vars.get(name, "")

    def put(self, name: str, value: Any) -> None:
        if self.frames and name in self.frames[-1]:
            self.frames[-1][name] = value
        elif name == "NF":
            count = place(to_number(value))
            fields = self.state["fields"]
            self.state["fields"] = (fields + [""] * (count - len(fields)))[:count]
            self.rebuild()
        else:
            self.vars[name] = value

    def array(self, name: str) -> dict[str, Any]:
        if self.frames and name in self.frames[-1]:
            held = self.frames[-1][name]
            if not isinstance(held, dict):
                held = self.frames[-1][name] = {}
            return held
        found: dict[str, Any] = self.arrays.setdefault(name, {})
        return found

    def record(self, text: str) -> None:
        """A new $0."""
        self.state["record"] = text
        separator = self.text(self.get("FS"))
        if separator == " ":
            fields = text.split()
        elif not text:
            fields = []
        elif separator == "":
            fields = list(text)
        elif len(separator) == 1:  # as it is: a pattern has two characters at least
            fields = text.split(separator)
        else:
            fields = compiled(extended(separator)).split(text)
        self.spend(len(text), len(fields))
        self.state["fields"] = fields

    def rebuild(self) -> None:
        separator, fields = self.text(self.get("OFS")), self.state["fields"]
        self.spend(0, len(fields))
        if len(separator) * len(fields) > TEXT_MAX:
            raise AwkFault("out of memory")
        self.state["record"] = fitting(separator.join(fields))

    def field(self, index: int) -> str:
        if index == 0:
            return str(self.state["record"])
        fields = self.state["fields"]
        return str(fields[index - 1]) if 0 < index <= len(fields) else ""

    def set_field(self, index: int, text: str) -> None:
        if index == 0:
            self.record(text)
            return
        fields = self.state["fields"]
        fields += [""] * (index - len(fields))
        fields[index - 1] = text
        self.rebuild()
