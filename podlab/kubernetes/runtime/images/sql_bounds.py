"""What of SQL grows faster than its text: views and common table expressions that name one another, functions that look for one text in another.

SQLite expands the former before it runs anything, and cannot be stopped meanwhile; the latter it does in one instruction, however long. So the
former are counted first, and the latter are done here, where the time they take is in proportion to what they are charged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

WORDS = 1_500  # words and signs of a statement: reading one takes 30 to 70 us, whoever reads
DEPTH = 100  # views of views
PATTERN = 100  # characters of a LIKE
LONGEST = 65_536  # characters of what replace() gives
TOKEN = re.compile(r"\"(?:[^\"]|\"\")*\"?|'(?:[^']|'')*'?|`[^`]*`?|\[[^\]]*\]|[\w$\x80-\U0010ffff]+|[^\s\w]")
DEFINED = re.compile(r"(?i)([\w$\x80-\U0010ffff]+|\"[^\"]*\")\s*(?:\([^()]*\)\s*)?\bas\s+(?:(?:not\s+)?materialized\s*)?\(|\bas\(")


class TooMuch(Exception):
    """A statement that works for too long or makes too much."""


class Long:
    """In place of a text that is longer than any value may be."""


def too_wordy(statement: str) -> bool:
    """Whether it has more WORDS than anybody reads in a turn."""
    if len(statement) <= WORDS:
        return False
    return any(count >= WORDS for count, _ in enumerate(TOKEN.finditer(statement)))


# ---- tables that a statement reads


def references(statement: str, views: Mapping[str, str]) -> int:
    """How many tables it reads at the most, those of views and WITH counted at each place where they are named. `views` {lower name: text}."""
    bodies: dict[str, list[str]] = {name: _names(text) for name, text in views.items()}
    if re.search(r"(?i)\bwith\b", statement):
        for name, body in _defined(statement):
            bodies.setdefault(name, []).extend(_names(body))
    if not bodies:
        return 1
    known: dict[str, int] = {}
    return _sum(_names(statement), bodies, known, 0)


def _sum(names: list[str], bodies: Mapping[str, list[str]], known: dict[str, int], depth: int) -> int:
    if depth > DEPTH:
        return 1 << 30
    total = 1
    for name in names:
        if name in bodies and name not in known:
            known[name] = 0  # where it names itself
            known[name] = _sum(bodies[name], bodies, known, depth + 1)
        total += known.get(name, 0)
    return total


def _names(text: str) -> list[str]:
    return [word.strip("\"'`[]").replace('""', '"').lower() for word in TOKEN.findall(text)]


def _defined(statement: str) -> list[tuple[str, str]]:
    """What stands in the brackets of each WITH name AS (...)."""
    found = []
    for one in DEFINED.finditer(statement):
        depth, end = 1, len(statement)
        for word in TOKEN.finditer(statement, one.end()):
            depth += {"(": 1, ")": -1}.get(word[0], 0)
            if not depth:
                end = word.start()
                break
        if one[1]:
            found.append((one[1].strip('"').lower(), statement[one.end():end]))
    return found


# ---- functions


def functions(exact: bool) -> dict[tuple[str, int], Callable[..., Any]]:
    """SQLite's functions that look for one text in another. `exact`: LIKE tells capitals from small letters."""

    def like(pattern: Any, text: Any, escape: Any = "") -> int | None:
        if pattern is None or text is None or escape is None:
            return None
        if len(str(pattern)) > PATTERN:
            raise TooMuch
        return int(_pattern(str(pattern), str(escape), exact).match(_text(text)) is not None)

    return {
        ("like", 2): like,
        ("like", 3): like,
        ("instr", 2): _looked(lambda text, part: text.find(part) + 1),
        ("replace", 3): _looked(_replaced),
        ("trim", 2): _looked(lambda text, letters: text.strip(letters)),
        ("ltrim", 2): _looked(lambda text, letters: text.lstrip(letters)),
        ("rtrim", 2): _looked(lambda text, letters: text.rstrip(letters)),
    }


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _looked(does: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: None if None in given else does(*(_text(one) for one in given))


def _replaced(text: str, old: str, new: str) -> str | Long:
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > LONGEST:
        return Long()
    return text.replace(old, new)


@lru_cache(256)
def _pattern(pattern: str, escape: str, exact: bool) -> re.Pattern[str]:
    """What stands between two % is looked for once, at the first place where it is: nothing is tried again."""
    parts, letters = [""], iter(pattern)
    for letter in letters:
        if escape and letter == escape:
            parts[-1] += re.escape(next(letters, ""))
        elif letter == "%":
            parts.append("")
        else:
            parts[-1] += "." if letter == "_" else re.escape(letter)
    first, *middle = parts
    last = middle.pop() if middle else None
    sought = first + "".join(f"(?>.*?{part})" for part in middle if part) + ("" if last is None else f".*{last}") + r"\Z"
    return re.compile(sought, re.DOTALL | (0 if exact else re.IGNORECASE))
