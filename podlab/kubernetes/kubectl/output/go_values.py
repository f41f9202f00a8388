"""Values as Go's fmt and encoding/json print them: what templates and JSON output show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...objects import Map


def to_json(value: Any, *, indent: int | None = None) -> str:
    """encoding/json: keys sorted, <, > and & escaped (as kubectl's JSON is); compact without `indent`."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent, separators=(",", ": ") if indent else (",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def sprint(value: Any) -> str:
    """fmt's %v: `map[a:b c:d]`, `[x y]`, `<nil>`, `true`, `1e+06`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{sprint(item)}" for key, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(sprint(item) for item in value) + "]"
    return str(value)


def float_text(value: float) -> str:
    """strconv's shortest %g: the fewest digits that give the number back, with an exponent below 1e-04 and from 1e+06 on."""
    digits, _, _ = (shortest := repr(abs(value))).partition("e")
    power = int(f"{abs(value):.16e}".partition("e")[2])
    sign = "-" if value < 0 else ""
    if value == 0 or -4 <= power < 6:
        return sign + shortest.removesuffix(".0")
    mantissa = digits.replace(".", "").strip("0")
    return f"{sign}{mantissa[0]}{'.' + mantissa[1:] if len(mantissa) > 1 else ''}e{power:+03d}"


def go_syntax(value: Any) -> str:
    """fmt's %#v, which kubectl shows of an object that a template did not fit."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        items = [f"{quote(key)}:{go_syntax(item)}" for key, item in sorted(value.items())]
        return "map[string]interface {}{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(go_syntax(item) for item in value) + "}"
    return sprint(value)


def quote(text: str) -> str:
    """%q."""
    return json.dumps(text, ensure_ascii=False)


def type_name(value: Any) -> str:
    """The Go type of a decoded JSON value."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return {bool: "bool", int: "int64", float: "float64", str: "string"}.get(type(value), "<nil>")


def basic_kind(value: Any) -> str:
    """The sort of value that comparisons go by, "" for those that cannot be compared."""
    return {bool: "bool", int: "int", float: "float", str: "string"}.get(type(value), "")


def items_of(value: Any) -> list[Any]:
    """The elements of a list, or a map's values in the order of its keys."""
    if isinstance(value, Mapping):
        return [item for _, item in sorted(value.items())]
    return list(value) if isinstance(value, list) else []


def as_list(objects: list[Map]) -> dict[str, Any]:
    """Several objects as kubectl shows them: a v1 List."""
    return {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}
