"""Aligned columns as Go's text/tabwriter makes them, which is what every table and description of kubectl goes through.

A cell ends at a tab; what follows a line's last tab is not a cell and never widens a column. A column is a run of
neighbouring lines that have a cell there, so two tables with a plain line between them are aligned independently.
"""

from __future__ import annotations

import re

BREAK = re.compile("[\n\f]")
TAB = re.compile("[\t\v]")


def escape(text: str) -> str:
    """Control characters made visible, as cli-runtime's WriteEscaped does (terminal.go)."""
    return text.replace("\x1b", "^[").replace("\r", "\\r")


def align(text: str, min_width: int, padding: int, remembered: list[int] | None = None) -> str:
    """`text` with its cells padded by spaces to columns. Widths count characters.

    `remembered` holds column widths of earlier calls (RememberWidths of kubectl's own tab writer) and is brought up to
    date: with it, rows that come later never get a narrower column than rows that came before.
    """
    if not text:
        return ""
    ends_line = text[-1] in "\n\f"
    lines = [TAB.split(line) for line in BREAK.split(text)]
    if ends_line:
        lines.pop()
    out: list[str] = []
    _block(lines, 0, len(lines), [], min_width, padding, remembered, out)
    return "\n".join(out) + ("\n" if ends_line else "")


def _block(lines: list[list[str]], start: int, end: int, widths: list[int], min_width: int, padding: int,
           remembered: list[int] | None, out: list[str]) -> None:
    """Lay out lines start..end, whose columns left of len(widths) are settled."""
    column = len(widths)
    at = start
    while at < end:
        if len(lines[at]) - 1 <= column:
            out.append(_line(lines[at], widths))
            at += 1
            continue
        first, width = at, min_width
        while at < end and len(lines[at]) - 1 > column:
            width = max(width, len(lines[at][column]) + padding)
            at += 1
        if remembered is not None:
            remembered.extend(widths[len(remembered):])
            if len(remembered) == column:
                remembered.append(width)
            width = remembered[column] = max(width, remembered[column])
        _block(lines, first, at, [*widths, width], min_width, padding, remembered, out)


def _line(cells: list[str], widths: list[int]) -> str:
    return "".join([cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]) + cells[-1]
