"""Objects out: as they are, as a Table, or as their metadata alone, by the Accept header (apiserver/pkg/endpoints/handlers/response.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Many:
    """A list as JSON: the whole by calling it, or a member at a time. `metadata` is its resourceVersion, continue and remainingItemCount."""

    resource: Resource
    objects: Sequence[Mapping[str, Any]]
    shape: Shape
    now: int
    clock: clocks.Clock
    metadata: dict[str, Any]

    def __call__(self) -> Any:
        if self.shape.kind == TABLE:
            return table(self.resource, self.objects, self.shape, self.now, self.clock, self.metadata)
        return {**self.head(), "items": list(self.members())}

    @property
    def name(self) -> str:
        """Of the last member of the JSON, which holds the others."""
        return "rows" if self.shape.kind == TABLE else "items"

    def head(self) -> dict[str, Any]:
        """All but that one."""
        if self.shape.kind == TABLE:
            return {key: value for key, value in table(self.resource, (), self.shape, self.now, self.clock, self.metadata).items() if key != "rows"}
        custom = self.resource.custom
        kind = PARTIAL_LIST if self.shape.kind == PARTIAL else custom.list_kind if custom is not None else self.resource.kind + "List"
        version = f"meta.k8s.io/{self.shape.version}" if self.shape.kind == PARTIAL else self.resource.api_version
        return {"kind": kind, "apiVersion": version, "metadata": self.metadata}

    def members(self) -> Iterator[Any]:
        for obj in self.objects:
            if self.shape.kind == TABLE:
                yield table(self.resource, [obj], self.shape, self.now, self.clock, self.metadata)["rows"][0]
                continue
            shown = clocks.shown(self.resource, obj, self.clock)
            if self.shape.kind == PARTIAL:
                yield partial(shown, self.shape)
            elif self.resource.custom is not None:
                yield shown
            else:  # the items of a typed list do not repeat their kind
                yield {key: value for key, value in shown.items() if key not in ("apiVersion", "kind")}


def many(resource: Resource, objects: Sequence[Mapping[str, Any]], shape: Shape, now: int, clock: clocks.Clock, metadata: dict[str, Any]) -> Any:
    """The JSON of a list."""
    return Many(resource, objects, shape, now, clock, metadata)()


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
