"""The Redis serialization protocol, version 2 (redis.io/docs/latest/develop/reference/protocol-spec)."""

from __future__ import annotations

import json
from typing import Any

from .. import http
from .redis_commands import RedisError, Reply, Status


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
    line, end, rest = text.partition("\r\n")
    if not end:
        return None
    kind, body = line[:1], line[1:]
    if kind == "+":
        return Status(body), rest
    if kind == "-":
        return RedisError(body), rest
    if kind == ":":
        return int(body), rest
    if kind == "$":
        if body == "-1":
            return None, rest
        raw = rest.encode("utf-8", "surrogateescape")
        if len(raw) < int(body) + 2:
            return None
        return raw[: int(body)].decode("utf-8", "surrogateescape"), raw[int(body) + 2 :].decode("utf-8", "surrogateescape")
    if kind == "*":
        items: list[Any] = []
        for _ in range(max(0, int(body))):
            found = decode(rest)
            if found is None:
                return None
            items.append(found[0])
            rest = found[1]
        return items, rest
    return RedisError(f"Protocol error, got {json.dumps(kind)} as reply type byte"), ""


def request_words(buffer: str) -> tuple[list[str], str] | None:
    """The first whole command of a client's stream, RESP or inline."""
    if buffer.startswith("*"):
        found = decode(buffer)
        return None if found is None else ([str(item) for item in found[0]], found[1])
    line, end, rest = buffer.partition("\n")
    return (line.split(), rest) if end else None
