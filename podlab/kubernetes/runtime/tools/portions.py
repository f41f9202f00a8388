"""fold, expand, split, shuf, strings, factor, cksum and install: parts of texts, numbers and files."""

from __future__ import annotations

import re
import zlib

from ..numerals import is_whole, saturated, whole
from ..process import Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .common import begin, complain, everything, lines, options, usage

FACTOR_MAX = 10**12
"""Numbers that are taken apart by trial division: a million steps."""
FILES_A_TURN = 300  # a fifth of a millisecond each
SUFFIXES = {"k": 1024, "K": 1024, "m": MEBIBYTE, "M": MEBIBYTE, "b": 512, "": 1}
TEXTS = re.compile(r"[\t\x20-\x7e]{4,}")


@tool("fold")
def fold(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "bsw:", {"width": "w", "spaces": "s", "bytes": "b"})
        data.update(width=whole(given.get("w") or "80") or 80, words="s" in given)
        begin(proc, names)

    def line(text: str, name: str) -> None:
        rest, end, width = text.rstrip("\n"), "\n" if text.endswith("\n") else "", data["width"]
        out: list[str] = []
        first = 0
        while len(rest) - first > width:
            at = rest.rfind(" ", first, first + width) + 1 if data["words"] else 0
            at = at or first + width
            out.append(rest[first:at])
            first = at
        sys.out("\n".join([*out, rest[first:]]) + end)

    return lines(proc, sys, line)


@tool("expand")
def expand(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "it:", {"tabs": "t", "initial": "i"})
        data["tab"] = whole(given.get("t") or "8") or 8
        begin(proc, names)

    def line(text: str, name: str) -> None:
        sys.out(text.expandtabs(min(data["tab"], 1_000)))

    return lines(proc, sys, line)


@tool("split")
def split(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "a:b:l:d", {"lines": "l", "bytes": "b", "suffix-length": "a", "numeric-suffixes": "d"})
        match = re.fullmatch(r"(\d+)([kKmMb]?)", given.get("b", "") or given.get("l", "") or "1000")
        if match is None or not saturated(match[1]):
            usage(proc, sys, "invalid number")
            return 1
        data.update(size=saturated(match[1]) * SUFFIXES[match[2]], bytes="b" in given, prefix=names[1] if len(names) > 1 else "x",
                    letters=whole(given.get("a") or "2"), digits="d" in given)  # fmt: skip
        begin(proc, names[:1])
    found = everything(proc, sys)
    while found:
        _, text = found[0]
        most = (10 if data["digits"] else 26) ** min(data["letters"], 9)
        units: list[str] = list(text) if data["bytes"] else text.splitlines(keepends=True)
        first, data["at"] = data.get("at", 0), data.get("at", 0) + FILES_A_TURN * data["size"]
        for at in range(first, min(len(units), data["at"]), data["size"]):
            try:
                if at // data["size"] >= most:
                    complain(proc, sys, "suffixes exhausted")
                    return 1
                sys.write_file(data["prefix"] + _suffix(at // data["size"], data["letters"], data["digits"]), "".join(units[at : at + data["size"]]))
            except Errno as error:
                complain(proc, sys, f"can't open '{data['prefix']}': {error.text}")
                return 1
        if data["at"] >= len(units):
            del found[0]
        sys.charge(30 * FILES_A_TURN)
        sys.breathe()
    return int(data["in"]["status"])


def _suffix(number: int, length: int, digits: bool) -> str:
    if digits:
        return f"{number:0{min(length, 255)}d}"
    out = ""
    for _ in range(min(length, 255)):
        number, letter = divmod(number, 26)
        out = chr(97 + letter) + out
    return out


@tool("shuf")
def shuf(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "ei:n:rz", {"echo": "e", "input-range": "i", "head-count": "n", "repeat": "r"})
        span = re.fullmatch(r"(\d{1,9})-(\d{1,9})", given.get("i", "0-0"))
        if span is None or int(span[2]) - int(span[1]) > 1_000_000:
            usage(proc, sys, f"invalid input range '{given.get('i', '')}'")
            return 1
        data.update(count=whole(given["n"]) if "n" in given else -1, range=[int(span[1]), int(span[2])] if "i" in given else None,
                    echo=names if "e" in given else None)  # fmt: skip
        begin(proc, names if "e" not in given else [])
    if data["range"] is not None:
        rows = [str(number) for number in range(data["range"][0], data["range"][1] + 1)]
    elif data["echo"] is not None:
        rows = list(data["echo"])
    else:
        rows = [line for _, text in everything(proc, sys) for line in text.splitlines()]
    count = len(rows) if data["count"] < 0 else min(data["count"], len(rows))
    for at in range(count):  # Fisher and Yates, as far as is asked for
        other = at + sys.random(len(rows) - at)
        rows[at], rows[other] = rows[other], rows[at]
    sys.charge(count)
    sys.out("".join(row + "\n" for row in rows[:count]))
    return 0


@tool("strings")
def strings(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        begin(proc, options(proc, sys, "afon:t:")[1])
    for _, text in everything(proc, sys):
        sys.out("".join(found + "\n" for found in TEXTS.findall(text)))
    return int(proc["data"]["in"]["status"])


@tool("factor")
def factor(proc: Process, sys: Sys, event: Event) -> int:
    for word in proc["argv"][1 + proc["data"].get("at", 0) :]:
        if not is_whole(word) or len(word) > 20 or int(word) > FACTOR_MAX:
            complain(proc, sys, f"'{word}' is not a valid positive integer")
            return 1
        proc["data"]["at"] = proc["data"].get("at", 0) + 1
        rest, found, by = int(word), [], 2
        while by * by <= rest:
            while rest % by == 0:
                found.append(by)
                rest //= by
            by += 1
        sys.charge(by >> 3)
        found += [rest] if rest > 1 else []
        sys.out(f"{word}: {' '.join(map(str, found))}".rstrip() + "\n")
        sys.breathe()
    return 0


@tool("cksum")
def cksum(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        data["names"] = options(proc, sys, "")[1]
        begin(proc, data["names"])
    for name, text in everything(proc, sys):
        raw = text.encode("utf-8", "surrogateescape")
        sys.out(f"{_crc(raw)} {len(raw)}{' ' + name if data['names'] else ''}\n")
        sys.charge(len(raw) >> 4)
    return int(data["in"]["status"])


TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _crc(raw: bytes) -> int:
    """POSIX cksum's checksum: the length is added to the text. Its polynomial is zlib's, taken from the other end of each byte, without its
    first and last complement."""
    size = len(raw)
    length = size.to_bytes((size.bit_length() + 7) // 8, "little")
    turned = zlib.crc32((raw + length).translate(TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return ~int(f"{turned:032b}"[::-1], 2) & 0xFFFFFFFF


@tool("install")
def install(proc: Process, sys: Sys, event: Event) -> int:
    given, names = options(proc, sys, "cdDpsvm:o:g:t:", {"directory": "d", "mode": "m", "owner": "o", "group": "g", "target-directory": "t"})
    mode = int(given["m"], 8) if re.fullmatch(r"[0-7]{1,4}", given.get("m", "")) else 0o755
    try:
        if "d" in given:
            for name in names:
                _directories(sys, name)
                sys.change(name, m=mode)
            return 0
        target = given.get("t") or (names.pop() if len(names) > 1 else "")
        if not target:
            usage(proc, sys, "")
        if "D" in given:
            _directories(sys, target.rpartition("/")[0])
        for name in names:
            found = sys.find(target)
            path = f"{target}/{name.rpartition('/')[2]}" if found is not None and found.is_dir else target
            sys.write_file(path, sys.read_file(name))
            sys.change(path, m=mode)
    except Errno as error:
        complain(proc, sys, f"{names[0] if names else ''}: {error.text}")
        return 1
    return 0


def _directories(sys: Sys, path: str) -> None:
    made = "/" if path.startswith("/") else ""
    for part in path.split("/"):
        made += part
        if part and sys.find(made) is None:
            sys.mkdir(made)
        made += "/"
