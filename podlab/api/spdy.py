"""SPDY/3.1 frames, the server's side (draft-mbelshe-httpbis-spdy-00; what Kubernetes' clients send: moby/spdystream).

Those clients know no windows: they neither send WINDOW_UPDATE nor wait for one, and what slows them down is the connection itself.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY, HEADERS = 1, 2, 3, 6, 7, 8
FIXED = {SYN_STREAM: 10, SYN_REPLY: 4, RST_STREAM: 8, PING: 4, GOAWAY: 8, HEADERS: 4}  # bytes before a header block, or all of them
KINDS = {SYN_STREAM: "open", RST_STREAM: "reset", PING: "ping", GOAWAY: "leave"}
PROTOCOL_ERROR, REFUSED = 1, 3  # why a stream is reset
FIN = 1
VERSION = 0x8003
PAYLOAD_MAX = 1 << 20  # bytes of one frame
HEADERS_MAX, HEADERS_MOST = 4_096, 32  # bytes of a header block once unpacked, and headers in it: three short ones are sent
PIECE = 4_096  # bytes that are read before others have their turn: hundreds of frames without data take 2 ms

# The dictionary of header blocks, section 2.6.10.1: words with their lengths before them, then plain text
_WORDS = ("options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization "
          "cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range "
          "content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since "
          "last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer "
          "transfer-encoding upgrade user-agent vary via warning www-authenticate method get status").split()
_MORE = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_TEXT = ("100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information"
         "204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error"
         "501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, "
         "Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
         "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.")
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in (*_WORDS, *_MORE)) + _TEXT.encode()


class SpdyError(ValueError):
    """Bytes that are no such frames."""


@dataclass
class Frame:
    """`kind` is "open" (with headers), "data", "reset", "ping", "leave" or "other"; `end` when the sender sends no more on the stream."""

    kind: str
    stream: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    end: bool = False


class Reader:
    """Bytes in, frames out; header blocks share one compression from the first to the last."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> list[Frame]:
        """Raises SpdyError."""
        self._buffer += data
        return list(self._frames(self._buffer))

    def _frames(self, data: bytearray) -> Iterator[Frame]:
        at = 0
        while len(data) - at >= 8:
            first, second = struct.unpack_from(">II", data, at)
            length, flags = second & 0xFFFFFF, second >> 24
            if length > PAYLOAD_MAX:
                raise SpdyError("a frame is too long")
            if len(data) - at < 8 + length:
                break
            yield self._frame(first, flags, bytes(data[at + 8:at + 8 + length]))
            at += 8 + length
        del data[:at]

    def _frame(self, first: int, flags: int, payload: bytes) -> Frame:
        end = bool(flags & FIN)
        if not first >> 31:
            return Frame("data", first, data=payload, end=end)
        if first >> 16 != VERSION:
            raise SpdyError("another version of SPDY")
        kind = first & 0xFFFF
        fixed = FIXED.get(kind)
        if fixed is None:
            return Frame("other")
        if len(payload) < fixed:
            raise SpdyError("a frame is too short")
        number = struct.unpack_from(">I", payload)[0]
        headers = self._headers(payload[fixed:]) if kind in (SYN_STREAM, SYN_REPLY, HEADERS) else {}
        return Frame(KINDS.get(kind, "other"), number, headers, end=end)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._unpack.decompress(block, HEADERS_MAX)
            if self._unpack.unconsumed_tail or self._unpack.eof:
                raise SpdyError("a header block is too long, or ends the compression")
            found, at = {}, 4
            many = struct.unpack_from(">I", text)[0]
            if many > HEADERS_MOST:
                raise SpdyError("too many headers")
            for _ in range(many):
                parts = []
                for _ in range(2):
                    size = struct.unpack_from(">I", text, at)[0]
                    if at + 4 + size > len(text):
                        raise SpdyError("a header reaches beyond its block")
                    parts.append(text[at + 4:at + 4 + size].decode("utf-8", "replace"))
                    at += 4 + size
                found[parts[0].lower()] = parts[1]
        except (zlib.error, struct.error) as error:
            raise SpdyError("a header block cannot be read") from error
        return found


def pieces(data: bytes) -> Iterator[bytes]:
    """What has come, as much as is read at once."""
    return (data[at:at + PIECE] for at in range(0, len(data), PIECE))


class Writer:
    """Frames out, as bytes."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream: int, headers: dict[str, str]) -> bytes:
        """SYN_STREAM: the client's side, for tests."""
        return _control(SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + self._block(headers))

    def reply(self, stream: int) -> bytes:
        """SYN_REPLY without headers."""
        return _control(SYN_REPLY, struct.pack(">I", stream) + self._block({}))

    def _block(self, headers: dict[str, str]) -> bytes:
        words = [word.encode() for pair in headers.items() for word in pair]
        text = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(word)) + word for word in words)
        return self._pack.compress(text) + self._pack.flush(zlib.Z_SYNC_FLUSH)

    @staticmethod
    def data(stream: int, data: bytes, *, end: bool = False) -> bytes:
        return struct.pack(">II", stream, (FIN if end else 0) << 24 | len(data)) + data

    @staticmethod
    def reset(stream: int, why: int) -> bytes:
        return _control(RST_STREAM, struct.pack(">II", stream, why))

    @staticmethod
    def ping(number: int) -> bytes:
        return _control(PING, struct.pack(">I", number))

    @staticmethod
    def leave(last: int) -> bytes:
        """GOAWAY in peace, with the last stream that was heard of."""
        return _control(GOAWAY, struct.pack(">II", last, 0))


def _control(kind: int, payload: bytes) -> bytes:
    return struct.pack(">II", VERSION << 16 | kind, len(payload)) + payload


class Numbers:
    """Which numbers of streams a client may still use: odd ones that rise (validateStreamId)."""

    def __init__(self) -> None:
        self.last = 0

    def take(self, number: int) -> bool:
        fine = number % 2 == 1 and self.last < number < 1 << 31
        if fine:
            self.last = number
        return fine
