"""Objects out: as they are, as a Table, or as their metadata alone, by the Accept header (apiserver/pkg/endpoints/handlers/response.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...resources import BY_PLURAL, Resource
from .. import tables
from ..errors import ApiError
from . import clocks
from .call import Call

JSON = "application/json"
ANY = ("*/*", "application/*", JSON)
TABLE, PARTIAL, PARTIAL_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"


@dataclass(frozen=True, slots=True)
class Shape:
    """What the client wants: `kind` "" (the objects), Table or PartialObjectMetadata; `version` of meta.k8s.io."""

    kind: str = ""
    version: str = "v1"
    include: str = "Metadata"  # what a Table's rows carry: None, Metadata or Object


def accepted(header: str) -> list[tuple[str, dict[str, str]]]:
    """[(media type, parameters)] in the client's order of preference."""
    found = []
    for part in (header or "*/*").split(",")[:50]:
        kind, *rest = (piece.strip() for piece in part.split(";"))
        found.append((kind.lower(), {name: value for name, _, value in (piece.partition("=") for piece in rest)}))

    def quality(entry: tuple[str, dict[str, str]]) -> float:
        try:
            return -float(entry[1].get("q", "1"))
        except ValueError:
            return 0.0
    return sorted(found, key=quality)


def negotiate(call: Call, *, listing: bool) -> Shape:
    """Raises ApiError 406 where nothing acceptable can be made."""
    include = call.one("includeObject") or "Metadata"
    for kind, parameters in accepted(call.headers.get("accept", "")):
        if kind not in ANY:
            continue
        wanted = parameters.get("as", "")
        if not wanted:
            return Shape()
        if parameters.get("g") == "meta.k8s.io" and parameters.get("v") in ("v1", "v1beta1"):
            if wanted == TABLE:
                if include not in ("None", "Metadata", "Object"):
                    raise ApiError(400, "BadRequest", f'unrecognized includeObject value: "{include}"')
                return Shape(TABLE, parameters["v"], include)
            if wanted == (PARTIAL_LIST if listing else PARTIAL):
                return Shape(PARTIAL, parameters["v"])
    raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")


# ---- shapes


def one(resource: Resource, obj: Mapping[str, Any], shape: Shape, now: int, clock: clocks.Clock) -> Any:
    """The JSON of a single object. `clock` is the client's."""
    if shape.kind == TABLE:
        return table(resource, [obj], shape, now, clock, {"resourceVersion": obj["metadata"].get("resourceVersion", "")})
    shown = clocks.shown(resource, obj, clock)
    return partial(shown, shape) if shape.kind == PARTIAL else shown


def partial(obj: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    return {"kind": PARTIAL, "apiVersion": f"meta.k8s.io/{shape.version}", "metadata": obj["metadata"]}


def many(resource: Resource, objects: Sequence[Mapping[str, Any]], shape: Shape, now: int, clock: clocks.Clock, metadata: dict[str, Any]) -> Any:
    """The JSON of a list. `metadata` is its resourceVersion, continue and remainingItemCount."""
    if shape.kind == TABLE:
        return table(resource, objects, shape, now, clock, metadata)
    shown = [clocks.shown(resource, obj, clock) for obj in objects]
    if shape.kind == PARTIAL:
        return {"kind": PARTIAL_LIST, "apiVersion": f"meta.k8s.io/{shape.version}", "metadata": metadata,
                "items": [partial(obj, shape) for obj in shown]}
    if resource.custom is not None:
        return {"kind": resource.custom.list_kind, "apiVersion": resource.api_version, "metadata": metadata, "items": shown}
    # the items of a typed list do not repeat their kind
    items = [{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")} for obj in shown]
    return {"kind": resource.kind + "List", "apiVersion": resource.api_version, "metadata": metadata, "items": items}


def table(resource: Resource, objects: Sequence[Mapping[str, Any]], shape: Shape, now: int, clock: clocks.Clock, metadata: dict[str, Any], *,
          columns: bool = True) -> dict[str, Any]:
    made = tables.table(BY_PLURAL.get(resource.plural, resource), objects, now)
    for row, obj in zip(made["rows"], objects, strict=True):
        if shape.include == "None":
            row["object"] = None
        elif shape.include == "Object":
            row["object"] = clocks.shown(resource, obj, clock)
        else:
            row["object"] = {**partial(clocks.shown(resource, obj, clock), shape)}
    return {"kind": TABLE, "apiVersion": f"meta.k8s.io/{shape.version}", "metadata": metadata,
            "columnDefinitions": made["columnDefinitions"] if columns else None, "rows": made["rows"]}
