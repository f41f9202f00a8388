"""Numbers in what a person typed, read as the C library reads them: ASCII digits alone, 64 bits.

Python's own int() takes other scripts' digits, trips over superscripts that isdigit() lets through, and refuses more than 4,300 digits.
"""

from __future__ import annotations

from .process import Errno

LONG_MAX = (1 << 63) - 1
DIGITS = 19  # of LONG_MAX


def is_whole(text: str) -> bool:
    """Digits and nothing else, however many."""
    return text.isascii() and text.isdigit()


def whole(text: str) -> int:
    """What an option of a tool takes (busybox's xatoull): ends the tool with `invalid number '...'` for anything else, or too large a one."""
    if not is_whole(text) or saturated(text) >= LONG_MAX:
        raise Errno(f"invalid number '{text}'")
    return saturated(text)


def saturated(text: str) -> int:
    """The value of decimal digits with or without a sign, at the end of its range where it is too large (strtoll(3))."""
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(digits) if len(digits) <= DIGITS else LONG_MAX
    return -min(value, LONG_MAX + 1) if text.startswith("-") else min(value, LONG_MAX)
