"""gzip, gunzip, zcat (RFC 1951, 1952). Packing is our own, in one block of fixed codes: the same bytes in every process for ever,
whatever zlib a machine has; unpacking has one answer only, so zlib may give it. What takes too many codes is stored as it is after them.
"""

from __future__ import annotations

import struct
import zlib

from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import begin, complain, everything, options
from .text import raw

WINDOW, LONGEST, LEAST = 32_768, 258, 3  # bytes back, bytes of one match
CODES_MAX, STORED_MAX = 30_000, 65_535  # of one file, each some microseconds, in which nobody else is served; bytes of one block of stored data
UNPACKED_MAX = 16 << 20  # bytes: more is refused, or a small file could fill the memory
LENGTHS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258)
LENGTH_BITS = (0,) * 8 + (1,) * 4 + (2,) * 4 + (3,) * 4 + (4,) * 4 + (5,) * 4 + (0,)
DISTANCES = (1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
             24577)
DISTANCE_BITS = (0, 0, *(bits for bits in range(14) for _ in (0, 1)))


def _reversed(code: int, bits: int) -> int:
    return int(format(code, f"0{bits}b")[::-1], 2)


def _symbol(value: int) -> tuple[int, int]:
    """(bits in the order in which they are written, how many) of a literal or length symbol, RFC 1951 3.2.6."""
    if value < 144:
        return _reversed(0x30 + value, 8), 8
    if value < 256:
        return _reversed(0x190 + value - 144, 9), 9
    return (_reversed(value - 256, 7), 7) if value < 280 else (_reversed(0xC0 + value - 280, 8), 8)


SYMBOLS = tuple(_symbol(value) for value in range(286))


class _Bits:
    """What is written bit by bit, the lowest first."""

    def __init__(self) -> None:
        self.out, self.held, self.count = bytearray(), 0, 0

    def put(self, bits: int, many: int) -> None:
        self.held |= bits << self.count
        self.count += many
        while self.count >= 8:
            self.out.append(self.held & 255)
            self.held >>= 8
            self.count -= 8

    def align(self) -> None:
        if self.count:
            self.put(0, 8 - self.count)


def deflate(data: bytes) -> bytes:
    """The data as one block of fixed Huffman codes; matches are looked for at the last place of the same three bytes. The rest of what takes more
    than CODES_MAX codes follows in stored blocks."""
    bits = _Bits()
    bits.put(3, 3)  # BFINAL 1, BTYPE 01
    at = _coded(bits, data)
    if at < len(data):
        bits.out[0] &= 0xFE  # not the last block
    while at < len(data):
        piece = data[at:at + STORED_MAX]
        at += len(piece)
        bits.put(int(at == len(data)), 3)  # BTYPE 00
        bits.align()
        bits.out += struct.pack("<HH", len(piece), len(piece) ^ 0xFFFF) + piece
    bits.align()
    return bytes(bits.out)


def _coded(bits: _Bits, data: bytes) -> int:
    """Writes codes and the end of their block; how many bytes of the data they say."""
    seen: dict[bytes, int] = {}
    at = codes = 0
    while at < len(data) and codes < CODES_MAX:
        codes += 1
        key = data[at:at + LEAST]
        before = seen.get(key, -1) if len(key) == LEAST else -1
        seen[key] = at
        if before < 0 or at - before > WINDOW:
            bits.put(*SYMBOLS[data[at]])
            at += 1
            continue
        size = LEAST
        while size < LONGEST and at + size < len(data) and data[before + size] == data[at + size]:
            size += 1
        number = max(i for i, least in enumerate(LENGTHS) if least <= size)
        bits.put(*SYMBOLS[257 + number])
        bits.put(size - LENGTHS[number], LENGTH_BITS[number])
        distance = at - before
        number = max(i for i, least in enumerate(DISTANCES) if least <= distance)
        bits.put(_reversed(number, 5), 5)
        bits.put(distance - DISTANCES[number], DISTANCE_BITS[number])
        at += size
    bits.put(*SYMBOLS[256])
    return at


def packed(data: bytes) -> bytes:
    """A gzip file without a name or a time."""
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + deflate(data) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def unpacked(data: bytes) -> bytes:
    """What a gzip file holds. Raises ValueError with gzip's complaint."""
    if data[:2] != b"\x1f\x8b":
        raise ValueError("invalid magic")
    try:
        machine = zlib.decompressobj(wbits=31)
        found = machine.decompress(data, UNPACKED_MAX)
    except zlib.error:
        raise ValueError("corrupted data") from None
    if machine.unconsumed_tail:
        raise ValueError("out of memory")
    if not machine.eof:
        raise ValueError("unexpected end of file")
    return found


@tool("gzip", "gunzip", "zcat")
def gzip(proc: Process, sys: Sys, event: Event) -> int:
    data, name = proc["data"], proc["argv"][0].rpartition("/")[2]
    if event is None:
        flags, names = options(proc, sys, "cdfkqtv123456789n", {"stdout": "c", "decompress": "d", "keep": "k", "force": "f", "test": "t"})
        data.update(names=names or ["-"], unpack=name in ("gunzip", "zcat") or "d" in flags or "t" in flags, test="t" in flags,
                    out=name == "zcat" or "c" in flags or not names, keep="k" in flags)
        begin(proc, names or ["-"])
    status = 0
    for file, text in everything(proc, sys, "{}: {}"):
        content = raw(text)
        sys.charge(len(content) // 20)  # tens of megabytes a second
        try:
            made = unpacked(content) if data["unpack"] else packed(content)
        except ValueError as error:
            complain(proc, sys, str(error))
            status = 1
            continue
        if not data["test"]:
            status = _deliver(proc, sys, file, made.decode("utf-8", "surrogateescape")) or status
    return status or int(data["in"]["status"])


def _deliver(proc: Process, sys: Sys, file: str, text: str) -> int:
    data = proc["data"]
    if data["out"] or file == "-":
        sys.out(text)
        return 0
    if data["unpack"] and not file.endswith((".gz", ".tgz")):
        complain(proc, sys, f"{file}: unknown suffix - ignored")
        return 1
    target = file + ".gz"
    if data["unpack"]:
        target = file.removesuffix(".gz") if file.endswith(".gz") else file.removesuffix(".tgz") + ".tar"
    try:
        sys.write_file(target, text)
        if not data["keep"]:
            sys.unlink(file)
    except Errno as error:
        complain(proc, sys, f"{target}: {error.text}")
        return 1
    return 0
