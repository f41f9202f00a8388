"""The few shapes that every picture is made of. Colours by class (board.css), all text escaped, no style attributes (CSP)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .measure import fit, width
from .words import tone

# Font sizes by class; board.css sets the same. (size, monospace, bold)
FONTS: dict[str, tuple[float, bool, bool]] = {
    "t": (13, False, True),
    "b": (12.5, False, True),
    "s": (11.5, False, False),
    "m": (11, True, False),
    "x": (10.5, False, False),
}

CORNER = 7  # px: the radius of a line's rounded corners
SNUG = 0.93  # measured widths are a little large, on purpose; this is nearer to what is drawn

# One shape for each look, about 11 px wide around 0,0: state is told by shape before colour.
ICONS: dict[str, str] = {
    "running": '<circle r="5" class="if"/>',
    "partial": '<circle r="4.5" class="io"/><path d="M0-4.5A4.5 4.5 0 0 0 0 4.5z" class="if"/>',
    "unready": '<circle r="4.5" class="io"/><circle r="1.6" class="if"/>',
    "starting": '<circle r="4.5" class="io da"/><circle r="1.6" class="if"/>',
    "pending": '<circle r="4.5" class="io da"/>',
    "creating": '<circle r="4.5" class="io da"/>',
    "queued": '<circle r="4.5" class="io da"/>',
    "missing": '<circle r="4.5" class="io da"/>',
    "pulling": '<path d="M0-5V2.5M-3.5-.8 0 2.7 3.5-.8M-4.5 5H4.5" class="io"/>',
    "backoff": '<path d="M4.4-2.2A5 5 0 1 0 5 1" class="io"/><path d="M5.6-5.4V-1.4H1.6z" class="if"/>',
    "pullfail": '<path d="M4.4-2.2A5 5 0 1 0 5 1" class="io"/><path d="M5.6-5.4V-1.4H1.6z" class="if"/>',
    "blocked": '<path d="M-4-4 4 4M4-4-4 4" class="io"/>',
    "failed": '<path d="M-4-4 4 4M4-4-4 4" class="io"/>',
    "done": '<path d="M-4.5 0-1.3 3.5 4.8-3.8" class="io"/>',
    "terminating": '<path d="M-3.8-5H3.8L-3.8 5H3.8z" class="io"/>',
    "unknown": '<path d="M-2.6-2.4C-2.6-6.2 3-6 2.8-2.6 2.7-.6 0-.6 0 1.6" class="io"/><circle cy="4.6" r="1" class="if"/>',
    "stopped": '<rect x="-4" y="-4" width="8" height="8" class="io"/>',
}


@lru_cache(maxsize=8192)
def esc(text: str) -> str:
    """Text for element content and double-quoted attributes; characters that XML forbids become U+FFFD."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "\ufffd" if c not in "\t\n\r" else " " for c in text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@lru_cache(maxsize=8192)
def n(value: float) -> str:
    """A coordinate: one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def icon(look: str, x: float, y: float) -> str:
    return f'<g class="ic k-{tone(look)}" transform="translate({n(x)},{n(y)})">{ICONS[look]}</g>'


def text(x: float, y: float, content: str, cls: str = "s", *, room: float | None = None, anchor: str = "", hue: str = "") -> str:
    """A line of text, cut in the middle to `room` pixels; what was cut is whole in its <title>."""
    size, mono, bold = FONTS[cls]
    shown, title = content, ""
    if room is not None:
        shown = fit(content, room, size, mono, bold)
        if shown != content:
            title = f"<title>{esc(content)}</title>"
    end = ' text-anchor="end"' if anchor == "end" else ' text-anchor="middle"' if anchor == "middle" else ""
    return f'<text x="{n(x)}" y="{n(y)}" class="{cls}{" k-" + hue if hue else ""}"{end}>{title}{esc(shown)}</text>'


def measure(content: str, cls: str) -> float:
    size, mono, bold = FONTS[cls]
    return width(content, size, mono=mono, bold=bold)


def countdown(until: int, now: int) -> str:
    """Seconds left, as a <tspan> that the page ticks between renders (data-until in ms of virtual time)."""
    return f'<tspan class="tick" data-until="{until}">{max(-(-(until - now) // 1000), 0)}</tspan>'


def rounded(points: Sequence[tuple[float, float]]) -> str:
    """A path through right-angled points with rounded corners."""
    kept = [points[0]]
    for point in points[1:]:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) > 0.5:
            kept.append(point)
    parts = [f"M{n(kept[0][0])} {n(kept[0][1])}"]
    for before, corner, after in zip(kept, kept[1:], kept[2:], strict=False):
        a = min(CORNER, _far(before, corner) / 2)
        b = min(CORNER, _far(corner, after) / 2)
        into, out = _toward(corner, before, a), _toward(corner, after, b)
        parts.append(f"L{n(into[0])} {n(into[1])}Q{n(corner[0])} {n(corner[1])} {n(out[0])} {n(out[1])}")
    return "".join(parts) + f"L{n(kept[-1][0])} {n(kept[-1][1])}"


def _far(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _toward(start: tuple[float, float], end: tuple[float, float], distance: float) -> tuple[float, float]:
    share = distance / (_far(start, end) or 1)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
