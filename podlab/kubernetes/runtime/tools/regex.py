"""POSIX regular expressions, basic and extended, as Python's."""

from __future__ import annotations

from functools import lru_cache

from ..shell.patterns import CLASSES


def _bracket(text: str, at: int) -> tuple[str, int]:
    """A bracket expression beginning after its [; gives Python's and where it ends."""
    end = at
    negate = text[end : end + 1] == "^"
    end += negate
    out: list[str] = []
    first = True
    while end < len(text) and (text[end] != "]" or first):
        first = False
        if text.startswith("[:", end) and ":]" in text[end:]:
            close = text.index(":]", end)
            out.append(CLASSES.get(text[end + 2 : close], ""))
            end = close + 2
        else:
            out.append("\\" + text[end] if text[end] in "\\[^&~|" else text[end])
            end += 1
    body = "".join(out).replace("]", "\\]")
    return f"[{'^' if negate else ''}{body}]", end + 1


@lru_cache(maxsize=1024)
def basic(text: str) -> str:
    """A basic regular expression: \\( \\) \\{ \\} \\| \\+ \\? are special, ( ) { } | + ? are not."""
    out: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        if char == "\\" and i + 1 < len(text):
            follow = text[i + 1]
            i += 2
            out.append({"<": r"\b(?=\w)", ">": r"\b(?<=\w)"}.get(follow) or (follow if follow in "(){}|+?" else "\\" + follow))
        elif char == "[":
            piece, i = _bracket(text, i + 1)
            out.append(piece)
        elif char == "*" and (not out or out[-1] in ("^", "(", "|")):
            out.append("\\*")
            i += 1
        elif char == "^" and out and out[-1] not in ("(", "|"):
            out.append("\\^")
            i += 1
        elif char == "$" and i + 1 < len(text) and not text.startswith(("\\)", "\\|"), i + 1):
            out.append("\\$")
            i += 1
        else:
            out.append("\\" + char if char in "(){}|+?" else char)
            i += 1
    return "".join(out)


@lru_cache(maxsize=1024)
def extended(text: str) -> str:
    """An extended regular expression."""
    out: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        if char == "\\" and i + 1 < len(text):
            follow = text[i + 1]
            out.append({"<": r"\b(?=\w)", ">": r"\b(?<=\w)"}.get(follow, "\\" + follow))
            i += 2
        elif char == "[":
            piece, i = _bracket(text, i + 1)
            out.append(piece)
        elif char == "{" and not (i + 1 < len(text) and text[i + 1].isdigit()):
            out.append("\\{")
            i += 1
        else:
            out.append(char)
            i += 1
    return "".join(out)
