"""jq's functions of one value and of plain arguments, and the formats of its strings (jqlang.org/manual, "Builtin operators and functions")."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..linear import TooComplex, compiled
from ..program import TEXT_MAX
from .jq_values import ITEMS_MAX, JqError, arithmetic, equal, indices, key, kind, number, short, spend, split, text, told

# ---- functions of the value alone


def _length(value: Any) -> Any:
    if isinstance(value, bool):
        raise JqError(f"{told(value)} has no length")
    return 0 if value is None else abs(value) if isinstance(value, int | float) else len(value)


def _keys(value: Any) -> Any:
    if isinstance(value, list):
        return list(range(len(value)))
    if not isinstance(value, dict):
        raise JqError(f"{told(value)} has no keys")
    return sorted(value)


def _sorted(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise JqError(f"{told(value)} cannot be sorted, as it is not an array")
    return sorted(value, key=key)


def _unique(value: Any) -> list[Any]:
    found: list[Any] = []
    for one in _sorted(value):
        if not found or not equal(found[-1], one):
            found.append(one)
    return found


def _to_number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise JqError(f"{told(value)} cannot be parsed as a number")
    if not re.fullmatch(r"\s*[-+]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][-+]?\d{1,4})?\s*", value, re.A):
        raise JqError(f"{told(value)} cannot be parsed as a number")
    return number(float(value))


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        raise JqError(f"{told(value)} only strings can be parsed")
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise JqError(f"{value[:30]} (while parsing '{value[:30]}')") from None


def _reversed(value: Any) -> Any:
    if value is None:
        return []
    if not isinstance(value, list | str):
        raise JqError(f"Cannot reverse {told(value)}")
    return value[::-1]


def _entries(value: Any) -> Any:
    if not isinstance(value, dict):
        raise JqError(f"{told(value)} has no keys")
    return [{"key": name, "value": held} for name, held in value.items()]


def each(value: Any) -> Any:
    """What .[] goes through."""
    if isinstance(value, dict):
        spend(len(value))
        return list(value.values())
    if not isinstance(value, list):
        raise JqError(f"Cannot iterate over {kind(value) if value is None else told(value)}")
    return value


def _added(value: Any) -> Any:
    total: Any = None
    for one in value.values() if isinstance(value, dict) else each(value):
        total = arithmetic("+", total, one)
    return total


def _transposed(value: Any) -> Any:
    width = max((len(row) for row in value), default=0)
    if width * len(value) > ITEMS_MAX:
        raise JqError("Array too long")
    return [[row[at] if at < len(row) else None for row in value] for at in range(width)]


def _round(do: Callable[[float], float]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise JqError(f"{told(value)} number required")
        try:
            return number(do(value)) if math.isfinite(value) else value
        except (ValueError, OverflowError):
            return math.nan
    return run


def _date(value: Any) -> Any:
    if not isinstance(value, str):
        raise JqError(f"strptime/1 requires string inputs and arguments, not {told(value)}")
    try:
        return int(datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise JqError(f'date "{value[:60]}" does not match format "%Y-%m-%dT%H:%M:%SZ"') from None


def _moment(value: Any) -> datetime:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise JqError("strftime/1 requires parsed datetime inputs")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise JqError("error converting number of seconds since epoch to datetime") from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise JqError(f"{told(value)} is not a string")
    return value


def _min_max(choose: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda value: choose(each(value), key=key) if each(value) else None


PLAIN: dict[str, Callable[[Any], Any]] = {
    "length": _length, "utf8bytelength": lambda v: len(_string(v).encode()), "not": lambda v: v is None or v is False, "keys": _keys,
    "keys_unsorted": lambda v: list(v) if isinstance(v, dict) else _keys(v), "type": kind, "sort": _sorted, "unique": _unique,
    "reverse": _reversed, "to_entries": _entries, "add": _added, "tostring": lambda v: v if isinstance(v, str) else text(v),
    "tonumber": _to_number, "tojson": text, "fromjson": _from_json, "min": _min_max(min), "max": _min_max(max), "transpose": _transposed,
    "floor": _round(math.floor), "ceil": _round(math.ceil), "round": _round(lambda v: math.floor(v + 0.5) if v >= 0 else math.ceil(v - 0.5)),
    "sqrt": _round(math.sqrt), "fabs": _round(abs), "abs": _round(abs), "trunc": _round(math.trunc), "log": _round(math.log),
    "log2": _round(math.log2), "log10": _round(math.log10), "exp": _round(math.exp),
    "ascii_downcase": lambda v: re.sub(r"[A-Z]+", lambda m: m[0].lower(), _string(v)),
    "ascii_upcase": lambda v: re.sub(r"[a-z]+", lambda m: m[0].upper(), _string(v)), "trim": lambda v: _string(v).strip(),
    "ltrim": lambda v: _string(v).lstrip(), "rtrim": lambda v: _string(v).rstrip(), "explode": lambda v: [ord(c) for c in _string(v)],
    "implode": lambda v: "".join(chr(c) if isinstance(c, int) and 0 <= c < 0x110000 else "\ufffd" for c in each(v)),
    "any": lambda v: any(one is not None and one is not False for one in each(v)),
    "all": lambda v: all(one is not None and one is not False for one in each(v)), "infinite": lambda v: math.inf, "nan": lambda v: math.nan,
    "isnan": lambda v: v != v, "isinfinite": lambda v: isinstance(v, float) and math.isinf(v), "fromdate": _date, "fromdateiso8601": _date,
    "todate": lambda v: _moment(v).strftime("%Y-%m-%dT%H:%M:%SZ"), "toarray": lambda v: v if isinstance(v, list) else [v],
}  # fmt: skip


# ---- functions of the value and plain arguments


def _has(value: Any, name: Any) -> bool:
    if isinstance(value, dict) and isinstance(name, str):
        return name in value
    if isinstance(value, list) and isinstance(name, int | float) and not isinstance(name, bool):
        return 0 <= name < len(value)
    raise JqError(f"Cannot check whether {kind(value)} has a {'string' if isinstance(name, str) else kind(name)} key")


def _contains(a: Any, b: Any) -> bool:
    spend(1)
    if isinstance(a, dict) and isinstance(b, dict):
        return all(name in a and _contains(a[name], held) for name, held in b.items())
    if isinstance(a, list) and isinstance(b, list):
        return all(any(kind(one) == kind(other) and _contains(one, other) for one in a) for other in b)
    if isinstance(a, str) and isinstance(b, str):
        return b in a
    if kind(a) == kind(b):
        return equal(a, b)
    raise JqError(f"{told(a)} and {told(b)} cannot have their containment checked")


def _flat(value: Any, depth: Any = 1_000) -> list[Any]:
    found: list[Any] = []
    spend(len(value) if isinstance(value, list | dict) else 0)
    for one in each(value):
        found += _flat(one, depth - 1) if isinstance(one, list) and depth > 0 else [one]
    return found


def _joined(value: Any, separator: Any) -> str:
    parts: list[str] = []
    for one in each(value):
        if isinstance(one, list | dict):
            raise JqError(f"string ({short(separator)}) and {told(one)} cannot be added")
        parts.append("" if one is None else one if isinstance(one, str) else text(one))
    joined = _string(separator).join(parts)
    if len(joined) > TEXT_MAX:
        raise JqError("String too long")
    return joined


def matches(value: Any, pattern: Any, flags: Any, *, every: bool = False) -> list[Any]:
    """What match, capture, scan and sub are made of."""
    if not isinstance(value, str) or not isinstance(pattern, str):
        wrong = value if not isinstance(value, str) else pattern
        raise JqError(f"{told(wrong)} cannot be matched, as it is not a string")
    asked = flags or ""
    named = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    try:
        regex = compiled(named, (re.I if "i" in asked else 0) | (re.X if "x" in asked else 0) | (re.S if "s" in asked or "p" in asked else 0))
        groups = {at: name for name, at in re.compile(named).groupindex.items()}
        found, at = [], 0
        while at <= len(value) and (hit := regex.search(value, at)) is not None:
            start, end = hit.start(), hit.end()
            captures = []
            for one in range(1, re.compile(named).groups + 1):
                held = None if hit.start(one) < 0 else value[hit.start(one) : hit.end(one)]
                captures.append({"offset": hit.start(one), "length": 0 if held is None else len(held), "string": held, "name": groups.get(one)})
            found.append({"offset": start, "length": end - start, "string": value[start:end], "captures": captures})
            at = end + (end == start)
            if not every and "g" not in asked:
                break
        return [one for one in found if "n" not in asked or one["length"]]
    except (TooComplex, re.error) as error:
        raise JqError(f"{pattern[:60]} (at offset 0) is not a valid regex: {error}") from None


GIVEN: dict[tuple[str, int], Callable[..., Any]] = {
    ("has", 1): _has, ("contains", 1): _contains, ("inside", 1): lambda v, other: _contains(other, v), ("flatten", 0): _flat, ("flatten", 1): _flat,
    ("join", 1): _joined, ("split", 1): lambda v, by: split(_string(v), _string(by)), ("indices", 1): indices, ("_indices", 1): indices,
    ("startswith", 1): lambda v, by: _string(v).startswith(_string(by)), ("endswith", 1): lambda v, by: _string(v).endswith(_string(by)),
    ("ltrimstr", 1): lambda v, by: v.removeprefix(by) if isinstance(v, str) and isinstance(by, str) else v,
    ("rtrimstr", 1): lambda v, by: v.removesuffix(by) if isinstance(v, str) and isinstance(by, str) and by else v,
    ("index", 1): lambda v, by: (indices(v, by) or [None])[0], ("rindex", 1): lambda v, by: (indices(v, by) or [None])[-1],
    ("pow", 2): lambda v, a, b: number(float(a) ** float(b)) if abs(b) < 300 and abs(a) < 10 and isinstance(a, int | float) else math.inf,
    ("strftime", 1): lambda v, form: _moment(v).strftime(_string(form)[:200]), ("in", 1): lambda v, held: _has(held, v),
}  # fmt: skip
HTML = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&quot;"}


def formatted(name: str, value: Any) -> str:
    """@name of a value. Raises JqError."""
    said = value if isinstance(value, str) else text(value)
    if name in ("@text", ""):
        return said
    if name == "@json":
        return text(value)
    if name == "@uri":
        return quote(said, safe="-_.~")
    if name == "@html":
        return "".join(HTML.get(letter, letter) for letter in said)
    if name == "@base64":
        return base64.b64encode(said.encode(errors="surrogateescape")).decode()
    if name == "@base64d":
        try:
            return base64.b64decode(said + "=" * (-len(said) % 4), validate=True).decode(errors="replace")
        except ValueError:
            raise JqError(f"{told(said)} is not valid base64 data") from None
    if name not in ("@csv", "@tsv", "@sh"):
        raise JqError(f"{name[1:]} is not a valid format")
    if name != "@sh" and not isinstance(value, list):
        raise JqError(f"{told(value)} cannot be {name[1:]}-formatted, only an array can be")
    parts = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, list | dict):
            raise JqError(f"{told(one)} can not be escaped for shell" if name == "@sh" else f"{told(one)} is not valid in a csv row")
        if isinstance(one, str) and name == "@csv":
            parts.append('"' + one.replace('"', '""') + '"')
        elif isinstance(one, str) and name == "@tsv":
            parts.append(one.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r"))
        elif isinstance(one, str):
            parts.append("'" + one.replace("'", "'\\''") + "'")
        else:
            parts.append("" if one is None and name != "@sh" else text(one))
    return {"@csv": ",", "@tsv": "\t", "@sh": " "}[name].join(parts)
