"""How psql shows a result: aligned, unaligned, or one column a line.

Source: postgresql.org/docs/17 (psql, \\pset), src/fe_utils/print.c.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from ..process import Data


def shown(data: Data, found: Data, *, expanded: bool) -> str:
    columns, rows = found.get("columns") or [], found.get("rows") or []
    quiet = data["options"].get("quiet")
    tag = found.get("tag", "")
    if not columns:
        return f"{tag}\n" if tag and not quiet else ""
    footer = "" if data["tuples"] else f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    if expanded:
        text = _expanded(data, columns, rows)
    else:
        text = framed(data, columns, rows, found["right"], footer)
    return text + (f"{tag}\n" if tag.startswith(("INSERT", "UPDATE", "DELETE")) and not quiet else "")


def _text(value: Any) -> str:
    return "" if value is None else "t" if value is True else "f" if value is False else str(value)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def framed(data: Data, columns: list[str], rows: list[list[Any]], right: list[bool], footer: str, title: str = "") -> str:
    if data["bare"]:
        mark = data["options"].get("field-separator", "|")
        lines = [] if data["tuples"] else [*([title] if title else []), mark.join(columns)]
        return "".join(f"{one}\n" for one in [*lines, *(mark.join(_text(cell) for cell in row) for row in rows),
                                              *([footer] if footer and not data["tuples"] else [])])  # fmt: skip
    return aligned(columns, rows, right, footer, title, tuples=data["tuples"])


def aligned(columns: list[str], rows: list[list[Any]], right: list[bool], footer: str, title: str = "", *, tuples: bool = False) -> str:
    """psql's table: titles in the middle, numbers at the right. Each of a cell's lines but the last has a + behind it."""
    cells = [[_text(one).split("\n") for one in row] for row in rows]
    widths = [max([0 if tuples else width(name), *(width(line) for row in cells for line in row[at])]) for at, name in enumerate(columns)]
    lines = []
    if not tuples:
        if title:
            lines.append(" " * max(0, (sum(widths) + 3 * len(widths) - 1 - width(title)) // 2) + title)
        lines.append("|".join(" " + " " * ((size - width(name)) // 2) + name + " " * (size - width(name) - (size - width(name)) // 2) + " "
                              for name, size in zip(columns, widths, strict=True)))  # fmt: skip
        lines.append("+".join("-" * (size + 2) for size in widths))
    for row in cells:
        for number in range(max(map(len, row), default=1)):
            parts = []
            for at, cell in enumerate(row):
                text = cell[number] if number < len(cell) else ""
                more = number < len(cell) - 1
                pad = " " * (widths[at] - width(text))
                last = at == len(row) - 1 and not more
                parts.append(" " + (pad + text if right[at] else text if last else text + pad) + ("+" if more else "" if last else " "))
            lines.append("|".join(parts))
    return "\n".join(lines) + ("\n" if lines else "") + (f"{footer}\n" if footer and not tuples else "") + "\n"


def _expanded(data: Data, columns: list[str], rows: list[list[Any]]) -> str:
    if not rows:
        return "" if data["tuples"] else "(0 rows)\n"
    if data["bare"]:
        mark = data["options"].get("field-separator", "|")
        return "\n".join("".join(f"{name}{mark}{_text(cell)}\n" for name, cell in zip(columns, row, strict=True)) for row in rows)
    wide = max(map(width, columns))
    longest = max(width(_text(cell)) for row in rows for cell in row)
    text = ""
    for number, row in enumerate(rows, 1):
        if not data["tuples"]:
            head = f"-[ RECORD {number} ]"
            head += "-" * (wide + 1 - len(head)) + ("+" if len(head) <= wide + 1 else "")
            text += head.ljust(wide + 3 + longest, "-") + "\n"
        text += "".join(f"{name}{' ' * (wide - width(name))} | {_text(cell)}\n" for name, cell in zip(columns, row, strict=True))
    return text + "\n"
