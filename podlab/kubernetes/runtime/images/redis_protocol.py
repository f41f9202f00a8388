"""The Redis serialization protocol, version 2 (redis.io/docs/latest/develop/reference/protocol-spec)."""

from __future__ import annotations

import json
import re
from typing import Any

from .. import http
from ..numerals import saturated
from .redis_commands import RedisError, Reply, Status

NUMBER = re.compile(r"[-+]?[0-9]+")
DEPTH_MAX = 32  # of lists in lists


def encode(value: Reply) -> str:
    """A reply as RESP2."""
    if value is None:
        return "$-1\r\n"
    if isinstance(value, Status):
        return f"+{value}\r\n"
    if isinstance(value, int):
        return f":{value}\r\n"
    if isinstance(value, list):
        return f"*{len(value)}\r\n" + "".join(map(encode, value))
    return f"${http.size(value)}\r\n{value}\r\n"


def decode(text: str) -> tuple[Any, str] | None:
    """(value, rest) of the first whole reply; errors come as RedisError values. None while more must come."""
    if "\r\n" not in text:
        return None
    raw = text.encode("utf-8", "surrogateescape")
    found = _decoded(raw, 0)
    return None if found is None else (found[0], raw[found[1]:].decode("utf-8", "surrogateescape"))


def _decoded(raw: bytes, at: int, depth: int = 0) -> tuple[Any, int] | None:
    """(value, where the next one begins): every byte is looked at once, however long a list is."""
    end = raw.find(b"\r\n", at)
    if end < 0:
        return None
    kind, body, at = raw[at:at + 1], raw[at + 1:end].decode("utf-8", "surrogateescape"), end + 2
    if kind == b"+":
        return Status(body), at
    if kind == b"-":
        return RedisError(body), at
    if kind in (b":", b"$", b"*") and (depth > DEPTH_MAX or not NUMBER.fullmatch(body)):
        return RedisError(f"Protocol error: invalid {'multibulk' if kind == b'*' else 'bulk'} length"), len(raw)
    if kind == b":":
        return saturated(body), at
    if kind == b"$":
        if saturated(body) < 0:  # -1 is the absent value; any other would lead backwards
            return None, at
        end = at + saturated(body)
        return None if len(raw) < end + 2 else (raw[at:end].decode("utf-8", "surrogateescape"), end + 2)
    if kind == b"*":
        items: list[Any] = []
        for _ in range(max(0, saturated(body))):
            found = _decoded(raw, at, depth + 1)
            if found is None:
                return None
            items.append(found[0])
            at = found[1]
        return items, at
    return RedisError(f"Protocol error, got {json.dumps(kind.decode('utf-8', 'replace'))} as reply type byte"), len(raw)


def request_words(buffer: str) -> tuple[list[str], str] | None:
    """The first whole command of a client's stream, RESP or inline. Raises RedisError for what is none."""
    if buffer.startswith("*"):
        found = decode(buffer)
        return None if found is None else (_words(found[0]), found[1])
    line, end, rest = buffer.partition("\n")
    return (line.split(), rest) if end else None


def _words(value: Any) -> list[str]:
    if isinstance(value, RedisError):
        raise value
    for item in value:
        if isinstance(item, RedisError):
            raise item
        if isinstance(item, list):
            raise RedisError("Protocol error: expected '$', got '*'")
    return [str(item) for item in value]
