"""json, math, random, base64, hashlib, zlib, atexit and urllib.parse: what works on values alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus
from zlib import crc32

from .classes import problem
from .machine import Machine
from .natives import NATIVES, native
from .operators import BITS_MAX, LONG, binary, too_big
from .values import Instance, Raised, type_name

DEEP = 60

# ---- json


@native("json._loads")
def _loads(m: Machine, text: Any) -> Any:
    if type(text) is bytes:
        text = text.decode("utf-8")
    if type(text) is not str:
        raise problem("TypeError", f"the JSON object must be str, bytes or bytearray, not {type_name(text)}")
    m.made(4 * len(text))
    m.spend(len(text) >> 5)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        cls = m.modules["json"].vars["JSONDecodeError"]
        where = {"msg": error.msg, "pos": error.pos, "lineno": error.lineno, "colno": error.colno}
        raise Raised(Instance(cls, {"args": (str(error),), **where})) from None
    return found


@native("json._text")
def _text(m: Machine, value: Any, indent: Any, ascii_only: Any, sort: Any, default: Any, item: Any, colon: Any) -> str:
    """json.dumps. `default` turns what JSON has no word for into what it has."""
    step = indent if type(indent) is str else " " * min(indent, 100) if type(indent) is int else None
    room = [LONG]

    def name_of(key: Any) -> str:
        if type(key) is str:
            return key
        if key is None or type(key) in (bool, int, float):
            return str(json.dumps(key))
        raise problem("TypeError", f"keys must be str, int, float, bool or None, not {type_name(key)}")

    def write(value: Any, depth: int) -> str:
        m.spend(1)
        if depth > DEEP:
            raise problem("ValueError" if depth > 900 else "RecursionError", "maximum recursion depth exceeded while encoding a JSON object")
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            text = str(json.dumps(value, ensure_ascii=bool(ascii_only)))
            room[0] -= len(text) + 2
            if room[0] < 0:
                raise m.full()
            return text
        pad, end = ("\n" + step * (depth + 1), "\n" + step * depth) if step is not None else ("", "")
        if kind is dict:
            names = sorted(value, key=name_of) if sort else list(value)
            parts = [f"{json.dumps(name_of(name), ensure_ascii=bool(ascii_only))}{colon}{write(value[name], depth + 1)}" for name in names]
            return "{" + pad + (item + pad).join(parts) + end + "}" if parts else "{}"
        if kind in (list, tuple):
            rows = [write(one, depth + 1) for one in value]
            return "[" + pad + (item + pad).join(rows) + end + "]" if rows else "[]"
        if kind is Instance and m.has(value, "_json_value"):
            return write(m.call(m.attribute(value, "_json_value"), []), depth)
        if default is None:
            raise problem("TypeError", f"Object of type {type_name(value)} is not JSON serializable")
        return write(m.call(default, [value]), depth + 1)

    made = write(value, 0)
    m.made(len(made))
    return made


# ---- math


def _math(name: str) -> Callable[..., Any]:
    host = getattr(math, name)

    def function(m: Machine, *args: Any) -> Any:
        for one in args:
            if type(one) not in (int, float, bool):
                raise problem("TypeError", f"must be real number, not {type_name(one)}")
        if name in ("factorial", "comb", "perm") and any(one > 2000 for one in args):
            raise problem("OverflowError", f"podlab: {name} of so large a number")
        if name in ("gcd", "lcm", "isqrt"):
            bits = sum(int(one).bit_length() for one in args)
            if bits > BITS_MAX:  # a common multiple is as long as all of them together
                raise too_big()
            m.spend(bits >> 4)
        return host(*args)

    return function


FUNCTIONS = (
    "sqrt", "floor", "ceil", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "exp", "log", "log2", "log10", "pow", "fabs", "fmod", "hypot",
    "degrees", "radians", "trunc", "isnan", "isinf", "isfinite", "factorial", "gcd", "isqrt", "comb", "perm", "copysign", "lcm", "isclose",
)  # fmt: skip
for _name in FUNCTIONS:
    NATIVES[f"math.{_name}"] = _math(_name)


@native("math.prod")
def _prod(m: Machine, values: Any) -> Any:
    total: Any = 1
    for one in m.items(values):
        m.spend(1)
        total = binary(m, "Mult", total, one)
    return total


@native("math.fsum")
def _fsum(m: Machine, values: Any) -> float:
    return math.fsum(m.items(values))


# ---- random: one stream a process, from the cluster's seed, or from the program's own


@native("random._seed")
def _seed(m: Machine, value: Any) -> None:
    m.facts["seed"] = [m.repr(value), 0]


@native("random.random")
def _random(m: Machine) -> float:
    seed = m.facts.get("seed")
    if seed is None:
        return m.sys.random(1 << 53) / (1 << 53)
    seed[1] += 1
    found = hashlib.sha256(f"{seed[0]}/{seed[1]}".encode()).digest()
    return (int.from_bytes(found[:8], "big") >> 11) / (1 << 53)


# ---- base64, hashlib, zlib, uuid


@native("base64.b64encode")
def _b64encode(m: Machine, data: bytes) -> bytes:
    return base64.b64encode(data)


@native("base64.b64decode")
def _b64decode(m: Machine, data: Any) -> bytes:
    try:
        return base64.b64decode(data)
    except binascii.Error as error:
        raise problem("ValueError", str(error)) from None


@native("base64.urlsafe_b64encode")
def _url_encode(m: Machine, data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data)


@native("base64.urlsafe_b64decode")
def _url_decode(m: Machine, data: Any) -> bytes:
    return base64.urlsafe_b64decode(data)


@native("hashlib._digest")
def _digest(m: Machine, name: str, data: bytes) -> str:
    if name not in ("md5", "sha1", "sha256", "sha512", "sha224", "sha384"):
        raise problem("ValueError", f"unsupported hash type {name}")
    m.spend(len(data) >> 6)
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()


@native("zlib.crc32", "binascii.crc32")
def _crc32(m: Machine, data: bytes) -> int:
    return crc32(data)


@native("uuid._bits")
def _bits(m: Machine) -> str:
    return "".join(f"{m.sys.random(1 << 32):08x}" for _ in range(4))


@native("atexit.register")
def _register(m: Machine, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    m.facts.setdefault("atexit", []).append((function, list(args)))
    return function


# ---- urllib.parse


@native("urllib.parse.quote")
def _quote(m: Machine, text: Any, safe: str = "/") -> str:
    return quote(text, safe)


@native("urllib.parse.quote_plus")
def _quote_plus(m: Machine, text: Any, safe: str = "") -> str:
    return quote_plus(m.str(text), safe)


@native("urllib.parse.unquote")
def _unquote(m: Machine, text: str) -> str:
    return unquote(text)


@native("urllib.parse.unquote_plus")
def _unquote_plus(m: Machine, text: str) -> str:
    return unquote_plus(text)

