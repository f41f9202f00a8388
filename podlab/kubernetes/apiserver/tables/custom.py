"""Tables of kinds that people defined: their additionalPrinterColumns (apiextensions-apiserver, registry/customresource/tableconvertor)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ...objects import dig
from .texts import Obj, age, since

Cells = Callable[[Obj, int], list[Any]]
NAME = {"name": "Name", "type": "string", "format": "name", "description": "Name must be unique within a namespace.", "priority": 0}
AGE = {"name": "Age", "type": "date", "format": "", "description": "CreationTimestamp is a timestamp representing the server time when this "
       "object was created.", "priority": 0}


def printer(served: Any) -> tuple[list[dict[str, Any]], Cells]:
    """(column definitions, what gives an object's cells) of one version of a definition."""
    if not served.columns:
        return [NAME, AGE], lambda obj, now: [obj["metadata"]["name"], age(obj, now)]
    columns = [NAME, *({"name": one["name"], "type": one["type"], "format": one.get("format", ""),
                        "description": one.get("description") or f"Custom resource definition column (in JSONPath format): {one['jsonPath']}",
                        "priority": one.get("priority", 0)} for one in served.columns)]
    return columns, lambda obj, now: [obj["metadata"]["name"], *(_cell(one, obj, now) for one in served.columns)]


def _cell(column: Mapping[str, Any], obj: Obj, now: int) -> Any:
    found = values(column["jsonPath"], obj)
    if not found:
        return None
    kind = column["type"]
    value = found[0]
    if kind == "string":
        texts = [one if isinstance(one, str) else json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in found]
        return ",".join(texts) if len(texts) > 1 else texts[0]
    if kind == "date":
        return since(value, now) if isinstance(value, str) and value else "<unknown>"
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@lru_cache(maxsize=256)
def _template(path: str) -> Any:
    from ...kubectl.output.jsonpath import JSONPath, JSONPathError
    try:
        return JSONPath("{" + path + "}")
    except JSONPathError:
        return None


def values(path: str, obj: Obj) -> list[Any]:
    """What a JSONPath finds; nothing where it does not fit."""
    if path.replace(".", "").isalnum():
        found = dig(obj, path.removeprefix("."))
        return [] if found is None else [found]
    template = _template(path)
    try:
        return [one for group in template.results(obj) for one in group if one is not None] if template is not None else []
    except ValueError:
        return []
