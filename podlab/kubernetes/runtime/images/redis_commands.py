"""Redis's commands over plain data: `data["db"]` {key: [kind, value]}, `data["expires"]` {key: ms}.

Kinds: string (str), list (list), set and hash and zset (dict; a set's values are 1, a zset's scores).
The file is long because it is one table: a command is a few lines, beside its like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..process import Data

MANY = 1_000_000


class RedisError(Exception):
    """An error reply: "ERR ...", "WRONGTYPE ..."."""


class Status(str):
    """A status reply (+OK)."""


Reply = Any
"""None, int, str, Status, or a list of replies."""


@dataclass(frozen=True)
class Command:
    act: Callable[[Data, int, list[str]], Reply]
    least: int  # arguments
    most: int
    writes: bool


COMMANDS: dict[str, Command] = {}
OK = Status("OK")


def command(
    name: str, least: int = 0, most: int | None = None, writes: bool = False
) -> Callable[[Callable[[Data, int, list[str]], Reply]], Callable[[Data, int, list[str]], Reply]]:
    """Registers a command with so many arguments (`most` None: as many as `least`)."""

    def decorate(act: Callable[[Data, int, list[str]], Reply]) -> Callable[[Data, int, list[str]], Reply]:
        COMMANDS[name] = Command(act, least, least if most is None else most, writes)
        return act

    return decorate


def purge(data: Data, now: int) -> None:
    """Forgets what has expired."""
    if data["expires"]:
        for key in [key for key, at in data["expires"].items() if at <= now]:
            del data["expires"][key]
            data["db"].pop(key, None)


OVER = 1 << 63  # the first number that a long long cannot hold


def number(text: str) -> int:
    try:
        found = int(text)
    except ValueError:
        found = OVER
    if not -OVER <= found < OVER:
        raise RedisError("ERR value is not an integer or out of range")
    return found


def real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RedisError("ERR value is not a valid float") from None


def get(data: Data, key: str, kind: str) -> Any:
    """A key's value, or None. Raises RedisError when it is of another kind."""
    entry = data["db"].get(key)
    if entry is None:
        return None
    if entry[0] != kind:
        raise RedisError("WRONGTYPE Operation against a key holding the wrong kind of value")
    return entry[1]


def make(data: Data, key: str, kind: str) -> Any:
    """A key's collection, made when missing."""
    found = get(data, key, kind)
    if found is None:
        found = [] if kind == "list" else {}
        data["db"][key] = [kind, found]
    return found


def tidy(data: Data, key: str) -> None:
    """An empty collection is no key."""
    if key in data["db"] and not data["db"][key][1] and data["db"][key][0] != "string":
        drop(data, key)


def drop(data: Data, key: str) -> int:
    data["expires"].pop(key, None)
    return int(data["db"].pop(key, None) is not None)


def span(length: int, first: str, last: str) -> slice:
    """A range with Redis's negative indices, the last included."""
    start, stop = number(first), number(last)
    start = max(0, start + length if start < 0 else start)
    stop = stop + length if stop < 0 else stop
    return slice(start, max(start, stop + 1))


# ---- connection and server


@command("PING", 0, 1)
def ping(data: Data, now: int, words: list[str]) -> Reply:
    return words[0] if words else Status("PONG")


@command("ECHO", 1)
def echo(data: Data, now: int, words: list[str]) -> Reply:
    return words[0]


@command("QUIT", 0, MANY)
@command("SELECT", 1)
@command("CLIENT", 1, MANY)
def accepted(data: Data, now: int, words: list[str]) -> Reply:
    return OK


@command("COMMAND", 0, MANY)
def commands(data: Data, now: int, words: list[str]) -> Reply:
    return len(COMMANDS) if words[:1] == ["COUNT"] else []


@command("CONFIG", 1, MANY)
def config(data: Data, now: int, words: list[str]) -> Reply:
    verb = words[0].upper()
    if verb == "GET":
        return [
            piece
            for name, value in sorted(data["conf"].items())
            for pattern in words[1:]
            if fnmatchcase(name, pattern.lower())
            for piece in (name, value)
        ]
    if verb == "SET" and len(words) > 2:
        if words[1].lower() not in data["conf"]:
            raise RedisError(f"ERR Unknown option or number of arguments for CONFIG SET - '{words[1]}'")
        data["conf"][words[1].lower()] = words[2]
    return OK


@command("TIME")
def time(data: Data, now: int, words: list[str]) -> Reply:
    return [str(now // 1000), str(now % 1000 * 1000)]


@command("DBSIZE")
def dbsize(data: Data, now: int, words: list[str]) -> Reply:
    return len(data["db"])


@command("FLUSHALL", 0, 1, True)
@command("FLUSHDB", 0, 1, True)
def flush(data: Data, now: int, words: list[str]) -> Reply:
    data["db"].clear()
    data["expires"].clear()
    return OK


# ---- keys


@command("DEL", 1, MANY, True)
@command("UNLINK", 1, MANY, True)
def delete(data: Data, now: int, words: list[str]) -> Reply:
    return sum(drop(data, key) for key in words)


@command("EXISTS", 1, MANY)
def exists(data: Data, now: int, words: list[str]) -> Reply:
    return sum(key in data["db"] for key in words)


@command("TYPE", 1)
def type_(data: Data, now: int, words: list[str]) -> Reply:
    return Status(data["db"].get(words[0], ["none"])[0])


@command("KEYS", 1)
def keys(data: Data, now: int, words: list[str]) -> Reply:
    return [key for key in data["db"] if fnmatchcase(key, words[0])]


@command("SCAN", 1, MANY)
def scan(data: Data, now: int, words: list[str]) -> Reply:
    pattern = words[words.index("MATCH") + 1] if "MATCH" in words[:-1] else "*"
    return ["0", keys(data, now, [pattern])]


@command("RENAME", 2, 2, True)
def rename(data: Data, now: int, words: list[str]) -> Reply:
    if words[0] not in data["db"]:
        raise RedisError("ERR no such key")
    data["db"][words[1]] = data["db"].pop(words[0])
    return OK


def _expire(scale: int) -> Callable[[Data, int, list[str]], Reply]:
    def act(data: Data, now: int, words: list[str]) -> Reply:
        if words[0] not in data["db"]:
            return 0
        data["expires"][words[0]] = now + number(words[1]) * scale
        return 1

    return act


def _left(scale: int) -> Callable[[Data, int, list[str]], Reply]:
    def act(data: Data, now: int, words: list[str]) -> Reply:
        if words[0] not in data["db"]:
            return -2
        at = data["expires"].get(words[0])
        return -1 if at is None else (at - now + scale - 1) // scale

    return act


for _name, _scale in (("EXPIRE", 1000), ("PEXPIRE", 1)):
    COMMANDS[_name] = Command(_expire(_scale), 2, 3, True)
for _name, _scale in (("TTL", 1000), ("PTTL", 1)):
    COMMANDS[_name] = Command(_left(_scale), 1, 1, False)


@command("PERSIST", 1, 1, True)
def persist(data: Data, now: int, words: list[str]) -> Reply:
    return int(data["expires"].pop(words[0], None) is not None)


# ---- strings


@command("GET", 1)
def get_(data: Data, now: int, words: list[str]) -> Reply:
    return get(data, words[0], "string")


@command("SET", 2, 8, True)
def set_(data: Data, now: int, words: list[str]) -> Reply:
    key, value, options = words[0], words[1], [word.upper() for word in words[2:]]
    old = get(data, key, "string") if "GET" in options else None
    if ("NX" in options and key in data["db"]) or ("XX" in options and key not in data["db"]):
        return old
    data["db"][key] = ["string", value]
    if "KEEPTTL" not in options:
        data["expires"].pop(key, None)
    for word, scale in (("EX", 1000), ("PX", 1)):
        if word in options[:-1]:
            data["expires"][key] = now + number(options[options.index(word) + 1]) * scale
    return old if "GET" in options else OK


@command("SETNX", 2, 2, True)
def setnx(data: Data, now: int, words: list[str]) -> Reply:
    return int(set_(data, now, [*words, "NX"]) is not None)


@command("SETEX", 3, 3, True)
def setex(data: Data, now: int, words: list[str]) -> Reply:
    return set_(data, now, [words[0], words[2], "EX", words[1]])


@command("GETSET", 2, 2, True)
def getset(data: Data, now: int, words: list[str]) -> Reply:
    return set_(data, now, [*words, "GET"])


@command("MSET", 2, MANY, True)
def mset(data: Data, now: int, words: list[str]) -> Reply:
    if len(words) % 2:
        raise RedisError("ERR wrong number of arguments for 'mset' command")
    for key, value in zip(words[::2], words[1::2], strict=True):
        set_(data, now, [key, value])
    return OK


@command("MGET", 1, MANY)
def mget(data: Data, now: int, words: list[str]) -> Reply:
    return [data["db"][key][1] if data["db"].get(key, [""])[0] == "string" else None for key in words]


@command("APPEND", 2, 2, True)
def append(data: Data, now: int, words: list[str]) -> Reply:
    whole = (get(data, words[0], "string") or "") + words[1]
    data["db"][words[0]] = ["string", whole]
    return len(whole)


@command("STRLEN", 1)
def strlen(data: Data, now: int, words: list[str]) -> Reply:
    return len(get(data, words[0], "string") or "")


def _add(sign: int, by: bool) -> Callable[[Data, int, list[str]], Reply]:
    """INCR and DECR, or (`by`) INCRBY and DECRBY."""

    def act(data: Data, now: int, words: list[str]) -> Reply:
        amount = sign * (number(words[1]) if by else 1)
        value = number(get(data, words[0], "string") or "0") + amount
        if not -OVER <= value < OVER:
            raise RedisError("ERR increment or decrement would overflow")
        data["db"][words[0]] = ["string", str(value)]
        return value

    return act


for _name, _sign in (("INCR", 1), ("DECR", -1)):
    COMMANDS[_name] = Command(_add(_sign, False), 1, 1, True)
    COMMANDS[_name + "BY"] = Command(_add(_sign, True), 2, 2, True)


# ---- lists


def _push(left: bool) -> Callable[[Data, int, list[str]], Reply]:
    def act(data: Data, now: int, words: list[str]) -> Reply:
        items = make(data, words[0], "list")
        for word in words[1:]:
            items.insert(0, word) if left else items.append(word)
        return len(items)

    return act


def _pop(left: bool) -> Callable[[Data, int, list[str]], Reply]:
    def act(data: Data, now: int, words: list[str]) -> Reply:
        items = get(data, words[0], "list")
        if not items:
            return None
        count = number(words[1]) if len(words) > 1 else None
        taken = [items.pop(0 if left else -1) for _ in range(min(len(items), 1 if count is None else count))]
        tidy(data, words[0])
        return taken[0] if count is None else taken

    return act


for _name, _is_left in (("L", True), ("R", False)):
    COMMANDS[_name + "PUSH"] = Command(_push(_is_left), 2, MANY, True)
    COMMANDS[_name + "POP"] = Command(_pop(_is_left), 1, 2, True)


@command("LRANGE", 3)
def lrange(data: Data, now: int, words: list[str]) -> Reply:
    items = get(data, words[0], "list") or []
    return list(items[span(len(items), words[1], words[2])])


@command("LLEN", 1)
def llen(data: Data, now: int, words: list[str]) -> Reply:
    return len(get(data, words[0], "list") or [])


@command("LINDEX", 2)
def lindex(data: Data, now: int, words: list[str]) -> Reply:
    items, at = get(data, words[0], "list") or [], number(words[1])
    return items[at] if -len(items) <= at < len(items) else None


@command("LREM", 3, 3, True)
def lrem(data: Data, now: int, words: list[str]) -> Reply:
    items = get(data, words[0], "list") or []
    places = [at for at, item in enumerate(items) if item == words[2]]
    count = number(words[1])
    chosen = places if count == 0 else places[:count] if count > 0 else places[count:]
    for at in reversed(chosen):
        del items[at]
    tidy(data, words[0])
    return len(chosen)


@command("RPOPLPUSH", 2, 2, True)
def rpoplpush(data: Data, now: int, words: list[str]) -> Reply:
    item = COMMANDS["RPOP"].act(data, now, words[:1])
    if item is not None:
        make(data, words[1], "list").insert(0, item)
    return item


# ---- sets, hashes, sorted sets


@command("SADD", 2, MANY, True)
def sadd(data: Data, now: int, words: list[str]) -> Reply:
    held = make(data, words[0], "set")
    before = len(held)
    held.update(dict.fromkeys(words[1:], 1))
    return len(held) - before


@command("SMEMBERS", 1)
def smembers(data: Data, now: int, words: list[str]) -> Reply:
    return list(get(data, words[0], "set") or ())


@command("SISMEMBER", 2)
def sismember(data: Data, now: int, words: list[str]) -> Reply:
    return int(words[1] in (get(data, words[0], "set") or ()))


def _length(kind: str) -> Callable[[Data, int, list[str]], Reply]:
    return lambda data, now, words: len(get(data, words[0], kind) or ())


def _remove(kind: str) -> Callable[[Data, int, list[str]], Reply]:
    def act(data: Data, now: int, words: list[str]) -> Reply:
        held = get(data, words[0], kind) or {}
        gone = sum(held.pop(word, None) is not None for word in words[1:])
        tidy(data, words[0])
        return gone

    return act


for _name, _kind in (("S", "set"), ("H", "hash"), ("Z", "zset")):
    COMMANDS[{"S": "SCARD", "H": "HLEN", "Z": "ZCARD"}[_name]] = Command(_length(_kind), 1, 1, False)
    COMMANDS[{"S": "SREM", "H": "HDEL", "Z": "ZREM"}[_name]] = Command(_remove(_kind), 2, MANY, True)


@command("HSET", 3, MANY, True)
@command("HMSET", 3, MANY, True)
def hset(data: Data, now: int, words: list[str]) -> Reply:
    held = make(data, words[0], "hash")
    before = len(held)
    held.update(zip(words[1::2], words[2::2], strict=False))
    return len(held) - before


@command("HGET", 2)
def hget(data: Data, now: int, words: list[str]) -> Reply:
    return (get(data, words[0], "hash") or {}).get(words[1])


@command("HGETALL", 1)
def hgetall(data: Data, now: int, words: list[str]) -> Reply:
    return [piece for pair in (get(data, words[0], "hash") or {}).items() for piece in pair]


@command("HKEYS", 1)
def hkeys(data: Data, now: int, words: list[str]) -> Reply:
    return list(get(data, words[0], "hash") or ())


@command("HVALS", 1)
def hvals(data: Data, now: int, words: list[str]) -> Reply:
    return list((get(data, words[0], "hash") or {}).values())


@command("HEXISTS", 2)
def hexists(data: Data, now: int, words: list[str]) -> Reply:
    return int(words[1] in (get(data, words[0], "hash") or ()))


@command("HINCRBY", 3, 3, True)
def hincrby(data: Data, now: int, words: list[str]) -> Reply:
    held = make(data, words[0], "hash")
    value = number(held.get(words[1], "0")) + number(words[2])
    held[words[1]] = str(value)
    return value


def _score(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


@command("ZADD", 3, MANY, True)
def zadd(data: Data, now: int, words: list[str]) -> Reply:
    held = make(data, words[0], "zset")
    before = len(held)
    held.update({member: real(score) for score, member in zip(words[1::2], words[2::2], strict=False)})
    return len(held) - before


@command("ZINCRBY", 3, 3, True)
def zincrby(data: Data, now: int, words: list[str]) -> Reply:
    held = make(data, words[0], "zset")
    held[words[2]] = held.get(words[2], 0) + real(words[1])
    return _score(held[words[2]])


@command("ZSCORE", 2)
def zscore(data: Data, now: int, words: list[str]) -> Reply:
    found = (get(data, words[0], "zset") or {}).get(words[1])
    return None if found is None else _score(found)


def _zrange(backwards: bool) -> Callable[[Data, int, list[str]], Reply]:
    def act(data: Data, now: int, words: list[str]) -> Reply:
        rows = sorted((get(data, words[0], "zset") or {}).items(), key=lambda pair: (pair[1], pair[0]), reverse=backwards)[:]
        chosen = rows[span(len(rows), words[1], words[2])]
        scores = any(word.upper() == "WITHSCORES" for word in words[3:])
        return [piece for member, score in chosen for piece in ((member, _score(score)) if scores else (member,))]

    return act


COMMANDS["ZRANGE"] = Command(_zrange(False), 3, 4, False)
COMMANDS["ZREVRANGE"] = Command(_zrange(True), 3, 4, False)
