"""Tools on bytes: checksums, base64, od, hexdump, xxd."""

from __future__ import annotations

import base64 as coding
import hashlib
import re

from ..numerals import whole
from ..process import Process
from ..program import Event, tool
from ..system import Sys
from .common import begin, by_slices, complain, everything, options
from .text import RAW, raw


@tool("md5sum", "sha1sum", "sha256sum", "sha512sum")
def checksum(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        given, names = options(proc, sys, "cs")
        proc["data"]["check"] = "c" in given
        begin(proc, names)
    kind = proc["argv"][0].rsplit("/", 1)[-1].removesuffix("sum")
    files = everything(proc, sys, "can't open '{}': {}")
    bad = 0
    for name, text in files:
        if proc["data"]["check"]:
            for row in text.splitlines():
                want, _, path = row.partition("  ")
                good = hashlib.new(kind, raw(sys.read_file(path)), usedforsecurity=False).hexdigest() == want
                bad += not good
                sys.out(f"{path}: {'OK' if good else 'FAILED'}\n")
        else:
            sys.out(f"{hashlib.new(kind, raw(text), usedforsecurity=False).hexdigest()}  {name}\n")
    if bad:
        complain(proc, sys, f"WARNING: {bad} of {sum(len(t.splitlines()) for _, t in files)} computed checksums did NOT match")
    return 1 if bad else int(proc["data"]["in"]["status"])


@tool("base64")
def base64(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "dw:", {"decode": "d", "wrap": "w"})
        data.update(decode="d" in given, width=whole(given.get("w", "76")))
        begin(proc, names)
    files = everything(proc, sys)
    text = "".join(text for _, text in files)
    if data["decode"]:
        try:
            sys.out(coding.b64decode(re.sub(r"\s", "", text), validate=True).decode("utf-8", RAW))
        except ValueError:
            complain(proc, sys, "truncated input")
            return 1
        return int(data["in"]["status"])
    code = coding.b64encode(raw(text)).decode()
    width = data["width"]
    sys.out("".join(code[i : i + width] + "\n" for i in range(0, len(code), width)) if width else code)
    return int(data["in"]["status"])


@tool("od", "hexdump", "xxd")
def dump(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "cCxbvA:t:N:n:s:p")
        data.update(
            flags="".join(given),
            kind=given.get("t", ""),
            limit=whole(given.get("N", given.get("n", "0")) or "0"),
            address=given.get("A", ""),
        )
        begin(proc, names)
    name = proc["argv"][0].rsplit("/", 1)[-1]
    content = b"".join(raw(text) for _, text in everything(proc, sys))
    content = content[: data["limit"]] if data["limit"] else content
    flags = data["flags"]
    if name == "xxd" and "p" in flags:
        sys.out(content.hex() + "\n")
        return 0

    def shown(at: int) -> str:
        row = content[at : at + 16]
        seen = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        words = [int.from_bytes(row[i : i + 2], "little") for i in range(0, len(row), 2)]
        if name == "xxd":
            return f"{at:08x}: " + " ".join(row[i : i + 2].hex() for i in range(0, 16, 2)).ljust(39) + f"  {seen}"
        if name == "hexdump" and "C" in flags:
            half = " ".join(f"{b:02x}" for b in row[:8]), " ".join(f"{b:02x}" for b in row[8:])
            return f"{at:08x}  {half[0]:<23}  {half[1]:<23}  |{seen}|"
        if name == "hexdump":
            return f"{at:07x} " + " ".join(f"{w:04x}" for w in words)
        prefix = "" if data["address"] == "n" else f"{at:07o}"
        if "c" in flags or data["kind"] == "c":
            signs = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
            return prefix + "".join(" " + (signs.get(b) or (chr(b) if 32 <= b < 127 else f"{b:03o}")).rjust(3) for b in row)
        if data["kind"].startswith("x1"):
            return prefix + "".join(f" {b:02x}" for b in row)
        if data["kind"].startswith("u1"):
            return prefix + "".join(f" {b:3d}" for b in row)
        if "x" in flags or data["kind"].startswith("x"):
            return prefix + "".join(f" {w:04x}" for w in words)
        return prefix + "".join(f" {w:06o}" for w in words)

    by_slices(proc, sys, (len(content) + 15) // 16, lambda first, last: "".join(shown(16 * i) + "\n" for i in range(first, last)), 10)
    if name == "od" and data["address"] != "n":
        sys.out(f"{len(content):07o}\n")
    elif name == "hexdump" and content:
        sys.out(f"{len(content):08x}\n" if "C" in flags else f"{len(content):07x}\n")
    return int(data["in"]["status"])
