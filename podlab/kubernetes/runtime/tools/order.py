"""Tools on the order of lines: sort, uniq, tac."""

from __future__ import annotations

import re
from itertools import pairwise

from ..numerals import is_whole, saturated, whole
from ..process import Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .common import begin, by_slices, complain, everything, lines, options
from .text import raw

LINES_MAX = 25_000
"""Lines that sort orders: some 20 ms, 100 with -n, 160 with -k."""


@tool("sort", memory=MEBIBYTE)
def sort(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        argv = proc["argv"]
        keys = [
            argv[i + 1] if word == "-k" else word[2:]
            for i, word in enumerate(argv)
            if word.startswith("-k") and (len(word) > 2 or i + 1 < len(argv))
        ]
        given, names = options(proc, sys, "nruhfbVscMgdizt:k:o:T:")
        data.update(flags="".join(given), keys=keys, separator=given.get("t", ""), out=given.get("o", ""))
        begin(proc, names)
    files = everything(proc, sys, "{}: {}")
    rows = [line for _, text in files for line in text.removesuffix("\n").split("\n") if text]
    if len(rows) > LINES_MAX:
        complain(proc, sys, "out of memory")
        return 2
    flags = data["flags"]

    def key(row: str) -> list[tuple[object, ...]]:
        if not data["keys"]:
            return [_weight(row, flags)]
        fields = [_field(row, spec, data["separator"]) for spec in data["keys"]]
        return [_weight(text, how or flags) for text, how in fields]

    if "c" in flags:
        return int(any(key(a) > key(b) for a, b in pairwise(rows)))
    backwards = "r" in flags
    if data["keys"]:
        specs = [_field("", spec, data["separator"])[1] for spec in data["keys"]]
        if "s" not in flags:
            rows.sort(key=raw, reverse=backwards)
        for index in range(len(specs) - 1, -1, -1):
            rows.sort(key=lambda row: key(row)[index], reverse=("r" in specs[index]) if specs[index] else backwards)
    else:
        rows.sort(key=raw)
        if set(flags) - set("rus"):
            rows.sort(key=key)
        if backwards:
            rows.reverse()
    if "u" in flags:
        rows = [row for index, row in enumerate(rows) if not index or key(rows[index - 1]) != key(row)]
    text = "".join(row + "\n" for row in rows)
    sys.write_file(data["out"], text) if data["out"] else sys.out(text)
    return int(data["in"]["status"])


def _field(row: str, spec: str, separator: str) -> tuple[str, str]:
    """(the part of a line that -k names, the letters that say how it is compared)."""
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?", spec)
    if match is None:
        return row, ""
    parts = row.split(separator) if separator else re.findall(r"\s*\S+", row)
    start, end = saturated(match[1]) - 1, saturated(match[4]) if match[4] else len(parts)
    text = separator.join(parts[start:end])
    if match[2]:
        text = text[saturated(match[2]) - 1 :]
    return text, match[3] + (match[6] or "")


def _weight(text: str, how: str) -> tuple[object, ...]:
    """What a text is compared by: -n and -g its number, -h with its unit, -V piece by piece, else its bytes."""
    if "n" in how or "g" in how:
        found = re.match(r"\s*-?\d*\.?\d+", text)
        return (float(found[0]) if found else 0.0,)
    if "h" in how:
        found = re.match(r"\s*(-?[\d.]+)([KMGTP]?)", text)
        return (0.0,) if found is None or not found[1] else (float(found[1]) * 1024 ** " KMGTP".index(found[2] or " "),)
    if "V" in how:
        return tuple((0, len(p.lstrip("0")), p.lstrip("0")) if is_whole(p) else (1, 0, p) for p in re.findall(r"[0-9]+|[^0-9]+", text))
    text = text.lstrip() if "b" in how else text
    return (raw(text.lower() if "f" in how else text),)


@tool("uniq")
def uniq(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "cduif:s:w:")
        data.update(flags="".join(given), row=None, count=0, skip=whole(given.get("f", "0")), width=whole(given.get("w", "0")))
        begin(proc, names[:1])
    flags = data["flags"]

    def emit() -> None:
        if data["row"] is not None and not ("d" in flags and data["count"] < 2) and not ("u" in flags and data["count"] > 1):
            sys.out((f"{data['count']:7d} " if "c" in flags else "") + data["row"] + "\n")

    def same(a: str, b: str) -> bool:
        if data["skip"]:
            a, b = " ".join(a.split()[data["skip"] :]), " ".join(b.split()[data["skip"] :])
        if data["width"]:
            a, b = a[: data["width"]], b[: data["width"]]
        return a.lower() == b.lower() if "i" in flags else a == b

    def line(text: str, name: str) -> None:
        text = text.removesuffix("\n")
        if data["row"] is not None and same(text, data["row"]):
            data["count"] += 1
        else:
            emit()
            data.update(row=text, count=1)

    status = lines(proc, sys, line)
    emit()
    return status


@tool("tac", "rev", "nl")
def tac(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        _, names = options(proc, sys, "b:s:")
        begin(proc, names)
    name = proc["argv"][0].rsplit("/", 1)[-1]
    data = proc["data"]
    rows = [line for _, text in everything(proc, sys) for line in text.splitlines()]
    if name == "tac":
        rows.reverse()

    def numbered(row: str) -> str:
        data["number"] = number = data.get("number", 0) + bool(row)
        return f"{number:6d}\t{row}\n" if row else "       \n"

    shown = {"tac": lambda row: row + "\n", "rev": lambda row: row[::-1] + "\n"}.get(name, numbered)
    by_slices(proc, sys, len(rows), lambda first, last: "".join(map(shown, rows[first:last])))
    return int(data["in"]["status"])
