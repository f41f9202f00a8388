"""The functions that awk brings: strings, numbers, time, and printf's formats."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ...times import stamp
from ..filesystem import text_bytes
from ..linear import compiled
from ..regex_match import Match
from ..shell.printing import printf_text
from .awk_syntax import Node
from .awk_tokens import AwkFault
from .awk_values import as_int, fitting, to_number
from .regex import extended

if TYPE_CHECKING:
    from .awk_machine import Awk


def builtin(awk: Awk, name: str, args: list[Node]) -> Any:
    """The value of a call: float or str. Raises AwkFault for a function that there is not."""
    if name == "length":
        if args and args[0][0] == "var" and args[0][1] in awk.arrays:
            return float(len(awk.arrays[args[0][1]]))
        measured = awk.text(awk.value(args[0])) if args else awk.field(0)
        awk.spend(len(measured))
        return float(text_bytes(measured))  # bytes, as strlen counts
    if name == "split":
        return _split(awk, args)
    if name in ("sub", "gsub"):
        return _substituted(awk, args, 0 if name == "gsub" else 1)
    if name == "match":
        match = awk.regex(args[1]).search(awk.text(awk.value(args[0])))
        awk.vars["RSTART"] = float(match.start() + 1 if match else 0)
        awk.vars["RLENGTH"] = float(match.end() - match.start() if match else -1)
        return awk.vars["RSTART"]
    if name in ("system", "close", "fflush"):
        if name == "system":
            raise AwkFault("system() is not supported by this awk")
        return 0.0
    values = [awk.value(arg) for arg in args]
    awk.spend(sum(len(value) for value in values if isinstance(value, str)))
    if name == "substr":
        text, start = awk.text(values[0]), _rounded(values[1])
        end = start + _rounded(values[2]) if len(values) > 2 else len(text) + 1
        return text[max(1, start) - 1 : max(0, end - 1)]
    if name == "index":
        return float(awk.text(values[0]).find(awk.text(values[1])) + 1)
    if name == "sprintf":
        return formatted(awk, values)
    if name in ("tolower", "toupper"):
        text = awk.text(values[0])
        return text.lower() if name == "tolower" else text.upper()
    if name == "systime":
        return float(awk.sys.now // 1000)
    if name == "strftime":
        seconds = to_number(values[1]) if len(values) > 1 else awk.sys.now // 1000
        try:
            return stamp(round(seconds * 1000), awk.text(values[0]) if values else "%a %b %e %H:%M:%S %Z %Y")
        except (ValueError, OverflowError, OSError):
            return ""
    if name == "rand":
        awk.state["random"] = (awk.state["random"] * 1103515245 + 12345) % (1 << 31)
        return awk.state["random"] / (1 << 31)
    if name == "srand":
        old, awk.state["random"] = awk.state["random"], as_int(to_number(values[0])) if values else awk.sys.now // 1000
        return float(old)
    if name in ("and", "or", "xor"):
        a, b = as_int(to_number(values[0])), as_int(to_number(values[1]))
        return float({"and": a & b, "or": a | b, "xor": a ^ b}[name])
    if name in ("int", "sin", "cos", "exp", "log", "sqrt", "atan2"):
        numbers = [to_number(v) for v in values]
        if name == "int" and math.isinf(numbers[0]):
            return numbers[0]
        try:
            return float(getattr(math, {"int": "trunc"}.get(name, name))(*numbers))
        except (ValueError, OverflowError):
            return math.nan
    raise AwkFault("cmd. line:1: Call to undefined function")


def _split(awk: Awk, args: list[Node]) -> float:
    """split(text, array[, separator or regex]): how many pieces the array holds now."""
    text, array = awk.text(awk.value(args[0])), awk.array(args[1][1])
    if len(args) < 3:
        separator = awk.text(awk.get("FS"))
    else:
        separator = args[2][1] if args[2][0] == "re" else awk.text(awk.value(args[2]))
    if separator == " ":
        parts = text.split()
    elif separator == "":
        parts = list(text)
    elif not text:
        parts = []
    else:
        parts = text.split(separator) if len(separator) == 1 else compiled(extended(separator)).split(text)
    awk.spend(len(text), len(parts))
    array.clear()
    array.update({str(i): part for i, part in enumerate(parts, 1)})
    return float(len(parts))


def _substituted(awk: Awk, args: list[Node], limit: int) -> float:
    """sub and gsub (`limit` 0: all): how many were replaced in the variable or field, $0 if none is named."""
    target = args[2] if len(args) > 2 else ("field", ("num", 0.0))
    template = awk.text(awk.value(args[1]))
    result, count = awk.regex(args[0]).sub(lambda m: replacement(template, m), awk.text(awk.value(target)), limit)
    if count:
        awk.assign(target, fitting(result))
    return float(count)


def _rounded(value: Any) -> int:
    number = to_number(value)
    return round(number) if abs(number) < 2**31 else as_int(number)


def formatted(awk: Awk, values: list[Any]) -> str:
    """What printf and sprintf make of a format and its arguments."""
    form = awk.text(values[0])
    kinds = re.findall(r"%[-+ #0]*(?:\*|[0-9]+)?(?:\.(?:\*|[0-9]+)?)?(.)", form.replace("%%", ""))
    args = []
    for index, value in enumerate(values[1:]):
        kind = kinds[index] if index < len(kinds) else "s"
        if kind in "dixXou":
            number = to_number(value)
            args.append(str(int(max(-2.0**63, min(2.0**63, number)))) if number == number else str(-(2**63)))  # as C's (long long) cuts it
        elif kind in "feEgG":
            args.append(repr(to_number(value)))
        elif kind == "c":
            args.append(chr(as_int(value) % 256) if isinstance(value, float) else value)
        else:
            args.append(awk.text(value))
    return printf_text(form, args[: max(1, len(kinds))] if args else [])[0]


def replacement(template: str, match: Match) -> str:
    return re.sub(r"\\\\|\\&|&", lambda m: {"\\\\": "\\", "\\&": "&", "&": match[0]}[m[0]], template)
