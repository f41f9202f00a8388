"""How wide a text is drawn, without a browser: so that names are shortened before they would be cut.

The widths (em) are the larger of Inter's (Pretendard's Latin) and Noto Sans', so that a real text is a little
narrower than said here.
"""

from __future__ import annotations

from functools import lru_cache

HANGUL = 0.93  # Noto Sans KR draws a syllable 0.92 em wide, Pretendard 0.87
MONO = 0.605  # the usual advance of a code font; D2Coding and Noto Sans Mono are narrower
BOLD = 1.06

_WIDTHS: dict[str, float] = {}
for _chars, _width in (
    ("iljI|!'.,:;`", 0.29),
    ('ftr()[]{}/\\-" ', 0.385),
    ("abcdeghknopqsuvxyz_*~?", 0.6),
    ("0123456789$", 0.635),
    ("mw%@", 0.9),
    ("ABCDEFGHJKLNOPQRSTUVXYZ&=+<>#", 0.7),
    ("MW", 0.92),
    ("·", 0.33),
):
    for _char in _chars:
        _WIDTHS[_char] = _width


@lru_cache(maxsize=8192)
def em(text: str, mono: bool = False) -> float:
    """Width in em. Hangul, Hanja, kana and full-width forms are full width in the code font too."""
    narrow = _WIDTHS.get
    if mono:
        return sum(MONO if ord(c) < 0x1100 else 1.0 for c in text)
    return sum(narrow(c) or (HANGUL if ord(c) >= 0x2E80 else 0.75) for c in text)


def width(text: str, size: float, *, mono: bool = False, bold: bool = False) -> float:
    """Width in pixels at a font size in pixels."""
    return em(text, mono) * size * (BOLD if bold and not mono else 1.0)


@lru_cache(maxsize=8192)
def fit(text: str, room: float, size: float, mono: bool = False, bold: bool = False) -> str:
    """`text` cut in the middle until it fits `room` pixels: `web-7d8…x2k4p`. The end is kept longer: it tells Pods apart."""
    if width(text, size, mono=mono, bold=bold) <= room:
        return text
    for keep in range(min(len(text) - 1, 120), 1, -1):
        tail = (keep + 1) // 2
        short = text[: keep - tail] + "…" + text[-tail:]
        if width(short, size, mono=mono, bold=bold) <= room:
            return short
    return "…"
