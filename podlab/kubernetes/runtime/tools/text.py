"""Tools on text: cut, tr, wc, tee, paste, seq, yes."""

from __future__ import annotations

import re

from ..filesystem import text_bytes
from ..numerals import saturated
from ..process import Errno, Process
from ..program import Event, tool
from ..shell.patterns import CLASSES
from ..system import Sys
from .common import begin, by_slices, complain, everything, lines, options, pieces, usage

RAW = "surrogateescape"


def raw(text: str) -> bytes:
    """A content string's bytes."""
    return text.encode("utf-8", RAW)


def count_of(text: str) -> int:
    """`10`, `2k`, `1M` -> a number; ValueError."""
    match = re.fullmatch(r"([+-]?\d+)([bkKmMgG]?)B?", text)
    if match is None:
        raise ValueError(text)
    return saturated(match[1]) * {"": 1, "b": 512, "k": 1024, "m": 1 << 20, "g": 1 << 30}[match[2].lower()]


def ranges(text: str) -> list[tuple[int, int]]:
    """`1,3-5,7-` as pairs from 1; ValueError."""
    out = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        start = saturated(low) if low else 1
        out.append((start, start if not dash else saturated(high) if high else 1 << 30))
    return out


@tool("cut")
def cut(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "d:f:c:b:sn", {"fields": "f", "delimiter": "d", "characters": "c"})
        kind = next((k for k in "fcb" if k in given), "")
        if not kind:
            usage(proc, sys, "expected a list of bytes, characters, or fields")
        try:
            data.update(
                kind=kind,
                ranges=[list(r) for r in sorted(ranges(given[kind]))],
                delimiter=given.get("d", "\t")[:1] or "\t",
                only="s" in given,
            )
        except ValueError:
            usage(proc, sys, f"invalid range {given[kind]}")
        begin(proc, names)

    def picked(items: list[str]) -> list[str]:
        seen: dict[int, None] = {}
        for low, high in data["ranges"]:
            if high > len(seen):  # they stand in order: a later one within what is taken brings nothing
                seen.update(dict.fromkeys(range(low, min(high, len(items)) + 1)))
        return [items[i - 1] for i in seen]

    def line(text: str, name: str) -> None:
        text = text[:-1] if text.endswith("\n") else text
        if data["kind"] == "f":
            if data["delimiter"] not in text:
                if not data["only"]:
                    sys.out(text + "\n")
                return
            sys.out(data["delimiter"].join(picked(text.split(data["delimiter"]))) + "\n")
        else:
            sys.out("".join(picked(list(text))) + "\n")

    return lines(proc, sys, line)


def _tr_set(text: str) -> list[str]:
    out: list[str] = []
    i = 0
    from ..shell.escapes import backslashes

    while i < len(text):
        name = text[i + 2 :].partition(":]")[0] if text.startswith("[:", i) else ""
        if name in CLASSES:
            out += [chr(c) for c in range(128) if re.match(f"[{CLASSES[name]}]", chr(c))]
            i += len(name) + 4
            continue
        if text[i] == "\\" and i + 1 < len(text):
            width = 2
            while width < 4 and i + width < len(text) and text[i + 1] in "01234567" and text[i + width] in "01234567":
                width += 1
            char = backslashes(text[i : i + width])[0]
            i += width
        else:
            char = text[i]
            i += 1
        if i + 1 < len(text) and text[i] == "-":
            out += [chr(c) for c in range(ord(char), ord(text[i + 1]) + 1)]
            i += 2
        else:
            out.append(char)
    return out


@tool("tr")
def tr(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, sets = options(proc, sys, "+dscC")
        if not sets:
            usage(proc, sys, "")
        data.update(flags="".join(given), last="")
        data["sets"] = ["".join(_tr_set(text)) for text in sets]
        begin(proc, [])
    flags, sets = data["flags"], data["sets"]
    first = set(sets[0])
    complement = "c" in flags or "C" in flags
    second = sets[1] if len(sets) > 1 else ""
    table: dict[str, str] = {}
    if second and "d" not in flags and not complement:
        table = {char: second[min(i, len(second) - 1)] for i, char in enumerate(sets[0])}
    squeeze = set(second or sets[0]) if "s" in flags else set()

    def piece(text: str, name: str, end: bool) -> None:
        out: list[str] = []
        for char in text:
            inside = (char in first) != complement
            if "d" in flags and inside:
                continue
            if second and "d" not in flags and inside:
                char = second[-1] if complement else table[char]
            if squeeze and char == data["last"] and (char in squeeze or (complement and inside)):
                continue
            data["last"] = char
            out.append(char)
        sys.out("".join(out))

    return pieces(proc, sys, piece)


@tool("wc")
def wc(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "lwcmL", {"lines": "l", "words": "w", "bytes": "c"})
        data.update(
            flags="".join(k for k in "lwmcL" if k in given) or "lwc",
            names=names,
            totals=[0] * 5,
            counts=[0] * 5,
            column=0,
            inside=False,
        )
        begin(proc, names)
    width = 9 if len(data["flags"]) > 1 else 0

    def row(counts: list[int], name: str) -> str:
        picked = [counts["lwmcL".index(flag)] for flag in data["flags"]]
        text = " ".join(str(n).rjust(width) for n in picked) if len(picked) > 1 else str(picked[0])
        return text + (" " + name if name else "") + "\n"

    def piece(text: str, name: str, end: bool) -> None:
        counts = data["counts"]
        if end:
            data["totals"] = [a + b for a, b in zip(data["totals"], counts, strict=True)]
            sys.out(row(counts, "" if not data["names"] else name))
            data.update(counts=[0] * 5, column=0, inside=False)
            return
        counts[0] += text.count("\n")
        counts[1] += len(text.split()) - int(data["inside"] and not text[0].isspace())
        counts[2] += len(text)
        counts[3] += text_bytes(text)
        first, *rest = text.split("\n")
        counts[4] = (
            max(counts[4], data["column"] + len(first), *(len(part) for part in rest))
            if rest
            else max(counts[4], data["column"] + len(first))
        )
        data.update(inside=not text[-1].isspace(), column=len(rest[-1]) if rest else data["column"] + len(first))

    status = pieces(proc, sys, piece, "{}: {}")
    if len(data["names"]) > 1:
        sys.out(row(data["totals"], "total"))
    return status


@tool("tee")
def tee(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "ai")
        data.update(fds=[], status=0)
        for name in names:
            try:
                data["fds"].append(sys.open(name, "a" if "a" in given else "w"))
            except Errno as error:
                complain(proc, sys, f"{name}: {error.text}")
                data["status"] = 1
        begin(proc, [])

    def piece(text: str, name: str, end: bool) -> None:
        sys.out(text)
        for fd in data["fds"]:
            sys.write(fd, text)

    return pieces(proc, sys, piece) or int(data["status"])


@tool("paste")
def paste(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "sd:")
        data.update(serial="s" in given, delimiter=given.get("d", "\t"))
        begin(proc, names)
    files = [text.splitlines() for _, text in everything(proc, sys)]
    joint = data["delimiter"].replace("\\n", "\n").replace("\\t", "\t")
    if data["serial"]:
        sys.out("".join(joint.join(rows) + "\n" for rows in files))
    else:
        def rows_of(first: int, last: int) -> str:
            return "".join(joint.join(rows[i] if i < len(rows) else "" for rows in files) + "\n" for i in range(first, last))

        by_slices(proc, sys, max((len(rows) for rows in files), default=0), rows_of)
    return int(data["in"]["status"])


@tool("seq")
def seq(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        words = list(proc["argv"][1:])
        separator, wide = "\n", False
        while words and words[0].startswith("-") and not re.fullmatch(r"-[\d.]+", words[0]):
            option = words.pop(0)
            if option == "-w":
                wide = True
            elif option.startswith("-s") and (words or option[2:]):
                separator = option[2:] or words.pop(0)
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            complain(proc, sys, f"invalid number '{next(w for w in words if not re.fullmatch(r'-?[0-9.]+', w))}'")
            return 1
        if not 1 <= len(numbers) <= 3:
            usage(proc, sys, "")
        first, step, last = (
            (1.0, 1.0, numbers[0]) if len(numbers) == 1 else (numbers[0], 1.0, numbers[1]) if len(numbers) == 2 else numbers
        )
        digits = max((len(word.partition(".")[2]) for word in words), default=0)
        width = max(len(f"{first:.{digits}f}"), len(f"{last:.{digits}f}")) if wide else 0
        data.update(at=0, first=first, step=step, last=last, digits=digits, width=width, separator=separator)
        if step == 0:
            sys.pause()
    while True:
        rows: list[str] = []
        while len(rows) < 1000:
            value = data["first"] + data["at"] * data["step"]
            if (value > data["last"] + 1e-9) if data["step"] > 0 else (value < data["last"] - 1e-9):
                break
            rows.append((data["separator"] if data["at"] else "") + f"{value:0{data['width']}.{data['digits']}f}")
            data["at"] += 1
        sys.out("".join(rows))
        if len(rows) < 1000:
            sys.out("\n" if data["at"] else "")
            return 0
        sys.charge(2_000)
        sys.breathe()


@tool("yes")
def yes(proc: Process, sys: Sys, event: Event) -> int:
    text = (" ".join(proc["argv"][1:]) or "y") + "\n"
    while True:
        sys.out(text * max(1, 4096 // len(text)))
        sys.charge(500)
        sys.breathe()
