"""expr."""

from __future__ import annotations

import re

from ..linear import compiled
from ..numerals import saturated
from ..process import Process
from ..program import Event, tool
from ..shell.arithmetic import wrap
from ..system import Sys
from .common import complain, ordered, usage
from .regex import basic


@tool("expr")
def expr(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    if not words:
        usage(proc, sys, "")
    try:
        value, rest = _expr(words, 0)
        if rest:
            raise ValueError("syntax error")
    except ZeroDivisionError:
        complain(proc, sys, "division by zero")
        return 2
    except ValueError as error:
        complain(proc, sys, str(error) or "syntax error")
        return 2
    sys.out(value + "\n")
    return int(value in ("", "0"))


EXPR = (("|",), ("&",), ("=", "==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",))


def _expr(words: list[str], level: int) -> tuple[str, list[str]]:
    if level == len(EXPR):
        if not words:
            raise ValueError("syntax error")
        word, *rest = words
        if word == "(":
            value, rest = _expr(rest, 0)
            if not rest or rest[0] != ")":
                raise ValueError("syntax error")
            return value, rest[1:]
        if word == "length" and rest:
            return str(len(rest[0])), rest[1:]
        if word == "substr" and len(rest) >= 3:
            return _part(rest[0], rest[1], rest[2]), rest[3:]
        if word == "index" and len(rest) >= 2:
            return str(min((rest[0].find(c) + 1 for c in rest[1] if c in rest[0]), default=0)), rest[2:]
        if word == "match" and len(rest) >= 2:
            return _expr_match(rest[0], rest[1]), rest[2:]
        return word, rest
    left, words = _expr(words, level + 1)
    while words and words[0] in EXPR[level]:
        operator = words[0]
        right, words = _expr(words[1:], level + 1)
        left = _expr_apply(left, operator, right)
    return left, words


def _part(text: str, first: str, count: str) -> str:
    """busybox's substr: nothing where the numbers are none, or below one."""
    at, length = (saturated(word) if re.fullmatch("-?[0-9]+", word) else 0 for word in (first, count))
    return text[at - 1 : at - 1 + length] if at > 0 and length > 0 else ""


def _expr_match(text: str, pattern: str) -> str:
    match = compiled(basic(pattern)).match(text)
    if "\\(" in pattern:
        return match[1] or "" if match else ""
    return str(match.end()) if match else "0"


def _expr_apply(a: str, operator: str, b: str) -> str:
    if operator == "|":
        return a if a not in ("", "0") else b
    if operator == "&":
        return a if a not in ("", "0") and b not in ("", "0") else "0"
    if operator == ":":
        return _expr_match(a, b)
    numeric = re.fullmatch("-?[0-9]+", a) and re.fullmatch("-?[0-9]+", b)
    if operator in EXPR[2]:
        operator = "==" if operator == "=" else operator
        return str(int(ordered(operator, saturated(a), saturated(b)) if numeric else ordered(operator, a, b)))
    if not numeric:
        raise ValueError("non-numeric argument")
    m, n = saturated(a), saturated(b)
    if operator in "/%":
        quotient = abs(m) // abs(n) * (1 if (m < 0) == (n < 0) else -1)
        return str(quotient if operator == "/" else m - quotient * n)
    return str(wrap({"+": m + n, "-": m - n, "*": m * n}[operator]))
