"""SPDY/3.1 frames, as kubectl's port-forward tunnels them through a websocket (draft-mbelshe-httpbis-spdy-00; moby/spdystream).

Only the server's side, only what that client uses: streams with headers, data, ping and reset. Windows are not enforced by it, nor here.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
VERSION = 0x8003
PAYLOAD_MAX = 1 << 20  # bytes of one frame
HEADERS_MAX = 16_384  # bytes of a header block once unpacked

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
    """`kind` is "open" (with headers), "data", "reset", "ping" or "other"; `end` when the sender sends no more on the stream."""

    kind: str
    stream: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    end: bool = False


class Reader:
    """Bytes in, frames out; header blocks share one compression from the first to the last."""

    def __init__(self) -> None:
        self._buffer = b""
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> list[Frame]:
        """Raises SpdyError."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= 8:
            first, second = struct.unpack(">II", self._buffer[:8])
            length, flags = second & 0xFFFFFF, second >> 24
            if length > PAYLOAD_MAX:
                raise SpdyError("a frame is too long")
            if len(self._buffer) < 8 + length:
                break
            payload, self._buffer = self._buffer[8:8 + length], self._buffer[8 + length:]
            frames.append(self._frame(first, flags, payload))
        return frames

    def _frame(self, first: int, flags: int, payload: bytes) -> Frame:
        end = bool(flags & FIN)
        if not first >> 31:
            return Frame("data", first, data=payload, end=end)
        if first >> 16 != VERSION:
            raise SpdyError("another version of SPDY")
        kind = first & 0xFFFF
        if kind in (PING, RST_STREAM, SYN_STREAM) and len(payload) < (10 if kind == SYN_STREAM else 4):
            raise SpdyError("a frame is too short")
        number = struct.unpack(">I", payload[:4])[0] if len(payload) >= 4 else 0
        if kind == SYN_STREAM:
            return Frame("open", number, self._headers(payload[10:]), end=end)
        if kind == PING:
            return Frame("ping", number)
        return Frame("reset" if kind == RST_STREAM else "other", number)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._unpack.decompress(block, HEADERS_MAX)
            found, at = {}, 4
            for _ in range(min(struct.unpack(">I", text[:4])[0], 64)):
                parts = []
                for _ in range(2):
                    size = struct.unpack(">I", text[at:at + 4])[0]
                    parts.append(text[at + 4:at + 4 + size].decode("utf-8", "replace"))
                    at += 4 + size
                found[parts[0].lower()] = parts[1]
        except (zlib.error, struct.error) as error:
            raise SpdyError("a header block cannot be read") from error
        return found


class Writer:
    """Frames out, as bytes."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(zdict=DICTIONARY)

    def reply(self, stream: int) -> bytes:
        """SYN_REPLY without headers."""
        block = self._pack.compress(struct.pack(">I", 0)) + self._pack.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, struct.pack(">I", stream) + block)

    @staticmethod
    def data(stream: int, data: bytes, *, end: bool = False) -> bytes:
        return struct.pack(">II", stream, (FIN if end else 0) << 24 | len(data)) + data

    @staticmethod
    def ping(number: int) -> bytes:
        return _control(PING, struct.pack(">I", number))


def _control(kind: int, payload: bytes) -> bytes:
    return struct.pack(">II", VERSION << 16 | kind, len(payload)) + payload
