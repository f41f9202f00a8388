"""Shell patterns: *, ?, [...] with backslash-quoted characters, as regular expressions."""

from __future__ import annotations

import re
from functools import lru_cache

from ..linear import compiled

CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s", "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e", "graph": r"\x21-\x7e",
}  # fmt: skip


@lru_cache(maxsize=4096)
def to_regex(pattern: str, shortest: bool = False) -> str:
    """A regular expression for a pattern in which quoted characters are preceded by a backslash."""
    out: list[str] = []
    i, size = 0, len(pattern)
    while i < size:
        char = pattern[i]
        i += 1
        if char == "*":
            out.append("(?s:.*?)" if shortest else "(?s:.*)")
        elif char == "?":
            out.append("(?s:.)")
        elif char == "\\" and i < size:
            out.append(re.escape(pattern[i]))
            i += 1
        elif char == "[":
            end = i
            if end < size and pattern[end] in "!^":
                end += 1
            if end < size and pattern[end] == "]":
                end += 1
            while end < size and pattern[end] != "]":
                if pattern.startswith("[:", end) and ":]" in pattern[end + 2 :]:
                    end = pattern.index(":]", end + 2) + 2
                else:
                    end += 2 if pattern[end] == "\\" else 1
            if end >= size:
                out.append(r"\[")
                continue
            out.append(_bracket(pattern[i:end]))
            i = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _bracket(inside: str) -> str:
    negate = inside[:1] in ("!", "^")
    if negate:
        inside = inside[1:]
    out: list[str] = []
    i = 0
    while i < len(inside):
        if inside.startswith("[:", i) and ":]" in inside[i + 2 :]:
            end = inside.index(":]", i + 2)
            out.append(CLASSES.get(inside[i + 2 : end], ""))
            i = end + 2
            continue
        char = inside[i]
        if char == "\\" and i + 1 < len(inside):
            i += 1
            out.append(re.escape(inside[i]))
        elif char == "-" and out and i + 1 < len(inside):
            out.append("-")
        else:
            out.append("\\" + char if char in "\\]^[-&~|" else char)
        i += 1
    return f"[{'^' if negate else ''}{''.join(out)}]"


def matches(pattern: str, text: str) -> bool:
    """Does the whole text match?"""
    try:
        return compiled(to_regex(pattern)).fullmatch(text) is not None
    except re.error:
        return False


def has_magic(pattern: str) -> bool:
    """Has it an unquoted *, ? or [ ?"""
    i = 0
    while i < len(pattern):
        if pattern[i] == "\\":
            i += 2
            continue
        if pattern[i] in "*?[":
            return True
        i += 1
    return False


def quote(text: str) -> str:
    """Text as a pattern that matches only itself."""
    if text.isalnum():
        return text
    return "".join("\\" + char if char in "*?[]\\-!^" else char for char in text)


def unquote(pattern: str) -> str:
    """The text that a pattern without magic stands for."""
    if "\\" not in pattern:
        return pattern
    out: list[str] = []
    i = 0
    while i < len(pattern):
        if pattern[i] == "\\" and i + 1 < len(pattern):
            i += 1
        out.append(pattern[i])
        i += 1
    return "".join(out)
