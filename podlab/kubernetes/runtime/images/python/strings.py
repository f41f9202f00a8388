"""The methods of str and bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import operators
from .classes import problem
from .machine import Machine
from .natives import NATIVES, native
from .operators import LONG, WIDTHS
from .values import type_name

CODECS = ("utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "utf-16", "utf-32", "cp1252", "euc-kr", "cp949")


# ---- text and bytes: Python's own methods, where what they make is bounded

PLAIN = (
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind",
    "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "center",
    "ljust", "rjust", "zfill", "replace", "expandtabs",
)  # fmt: skip


def _text_method(kind: type, name: str) -> Callable[..., Any]:
    host = getattr(kind, name)

    def method(m: Machine, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        for one in (*args, *kwargs.values()):
            if type(one) not in (str, bytes, int, bool, type(None), tuple):
                raise problem("TypeError", f"a {kind.__name__}-like object is required, not '{type_name(one)}'" if kind is bytes else
                              f"{name}() argument must be str, not {type_name(one)}")  # fmt: skip
        if name in WIDTHS and args and type(args[0]) is int and args[0] > LONG:
            raise m.full()
        if name == "expandtabs" and value.count("\t" if kind is str else b"\t") * (args[0] if args else 8) > LONG:
            raise m.full()
        if name == "replace" and len(args) > 1 and len(value) + value.count(args[0]) * len(args[1]) > LONG:
            raise m.full()
        m.spend(1 + (len(value) >> 9))
        found = host(value, *args, **kwargs)
        m.made(len(found) * (50 if type(found) is list else 1) if type(found) in (str, bytes, list) else 8)
        return found

    return method


for _kind in (str, bytes):
    for _name in PLAIN:
        if hasattr(_kind, _name):
            NATIVES[f"{_kind.__name__}.{_name}"] = _text_method(_kind, _name)


@native("str.join", "bytes.join")
def _join(m: Machine, value: Any, parts: Any) -> Any:
    items = m.items(parts, "can only join an iterable")
    size = 0
    for index, one in enumerate(items):
        if type(one) is not type(value):
            raise problem("TypeError", f"sequence item {index}: expected {type_name(value)} instance, {type_name(one)} found")
        size += len(one) + len(value)
    if size > LONG:
        raise m.full()
    m.made(size)
    m.spend(size >> 9)
    return value.join(items)


@native("str.encode")
def _encode(m: Machine, value: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    m.made(len(value))
    return value.encode(_codec(encoding), errors)


@native("bytes.decode")
def _decode(m: Machine, value: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    m.made(len(value))
    return value.decode(_codec(encoding), errors)


def _codec(name: str) -> str:
    if name.lower().replace("_", "-") not in CODECS:
        raise problem("LookupError", f"unknown encoding: {name}")
    return name


@native("bytes.hex")
def _hex(m: Machine, value: bytes) -> str:
    return value.hex()


@native("class bytes.fromhex")
def _from_hex(m: Machine, text: str) -> bytes:
    return bytes.fromhex(text)


@native("str.format")
def _format(m: Machine, text: str, /, *args: Any, **kwargs: Any) -> str:
    out: list[str] = []
    count = numbered = 0

    def field(found: re.Match[str]) -> str:
        nonlocal count, numbered
        whole = found[0]
        if whole in ("{{", "}}"):
            return whole[0]
        name, _, spec = whole[1:-1].partition(":")
        name, _, conversion = name.partition("!")
        at = min((index for index, char in enumerate(name) if char in ".["), default=len(name))
        head, rest = name[:at], name[at:]
        if head == "" or head.isdigit():
            if numbered and numbered != (head != "") + 1:
                ways = ("automatic field numbering", "manual field specification")
                raise problem("ValueError", f"cannot switch from {ways[head == '']} to {ways[head != '']}")
            numbered = (head != "") + 1
        if head == "":
            head = str(count)
            count += 1
        if head.isdigit():
            if int(head) >= len(args):
                raise problem("IndexError", f"Replacement index {head} out of range for positional args tuple")
            value = args[int(head)]
        elif head in kwargs:
            value = kwargs[head]
        else:
            raise problem("KeyError", head)
        for step in re.findall(r"\.(\w+)|\[([^\]]*)\]", rest):
            value = m.attribute(value, step[0]) if step[0] else operators.item(m, value, int(step[1]) if step[1].isdigit() else step[1])
        if "{" in spec:
            spec = re.sub(r"\{[^{}]*\}", field, spec)
        value = m.repr(value) if conversion == "r" else m.str(value) if conversion == "s" else value
        return m.format(value, spec)

    size = 0
    at = 0
    for found in re.finditer(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}", text):
        piece = text[at : found.start()] + field(found)
        size += len(piece)
        if size > LONG:
            raise m.full()
        out.append(piece)
        at = found.end()
    m.made(size)
    return "".join(out) + text[at:]


@native("str.format_map")
def _format_map(m: Machine, text: str, values: Any) -> Any:
    return _format(m, text, **values)


@native("class str.maketrans")
def _maketrans(m: Machine, one: Any, two: Any = None, three: Any = None) -> Any:
    return str.maketrans(one) if two is None else str.maketrans(one, two) if three is None else str.maketrans(one, two, three)


@native("str.translate")
def _translate(m: Machine, value: str, table: Any) -> str:
    if type(table) is not dict or any(type(one) is str and len(one) > 10 for one in table.values()):
        raise m.full()
    return value.translate(table)
