"""The kinds that a cluster's CustomResourceDefinitions serve just now, as Resources like any other (apiextensions-apiserver, crdHandler)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ...objects import Map, freeze, memo
from ...resources import READ_WRITE, Resource
from .. import aggregation
from ..ownership.types import Type
from . import conversion, structural

if TYPE_CHECKING:
    from ...ground import Ground

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class Served:
    """What one version of a definition says of its objects."""

    definition: str  # its name
    schema: Mapping[str, Any]
    ownership: Type
    columns: tuple[Mapping[str, Any], ...]
    status: bool
    scale: Mapping[str, Any] | None
    selectable: tuple[str, ...]  # without the leading dot
    storage: bool
    served: bool
    list_kind: str
    warning: str  # of a deprecated version
    since: int  # the revision from which on objects are written under this schema
    webhook: Mapping[str, Any] | None = None  # that converts between versions; None: only the apiVersion differs
    convert: Callable[[Resource, Mapping[str, Any]], Mapping[str, Any]] | None = field(default=None, compare=False)  # in the cluster that serves it


def resources_of(definition: Map) -> tuple[Resource, ...]:
    """One Resource for each served version, the stored one first. Memoised: compiling a schema takes time."""
    return memo(definition["spec"], "resources " + definition["metadata"]["name"], lambda spec: _resources(definition["metadata"], spec))


def _resources(metadata: Map, spec: Map) -> tuple[Resource, ...]:
    name, since = metadata["name"], int(metadata.get("resourceVersion") or 0)
    names, found = spec["names"], []
    way = spec.get("conversion") or {}
    webhook = way.get("webhook") if way.get("strategy") == "Webhook" else None
    for version in spec["versions"]:
        if not version.get("served") and not version.get("storage"):
            continue
        schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        parts = version.get("subresources") or {}
        warning = ""
        if version.get("deprecated"):
            warning = version.get("deprecationWarning") or f"{spec['group']}/{version['name']} {names['kind']} is deprecated"
        served = Served(name, schema, structural.ownership(schema), tuple(version.get("additionalPrinterColumns") or ()), "status" in parts,
                        parts.get("scale"), tuple(one["jsonPath"].removeprefix(".") for one in version.get("selectableFields") or ()),
                        bool(version.get("storage")), bool(version.get("served")), names.get("listKind") or names["kind"] + "List", warning, since,
                        webhook)
        made = Resource(spec["group"], version["name"], name, names["kind"], spec["scope"] == "Namespaced", tuple(names.get("shortNames") or ()),
                        tuple(part for part in ("scale", "status") if part in parts), tuple(names.get("categories") or ()), READ_WRITE,
                        names.get("singular") or names["kind"].lower(), served)
        found.append(made)
    return tuple(sorted(found, key=lambda one: not one.custom.storage))


def condition(definition: Mapping[str, Any], kind: str) -> bool:
    return any(one["type"] == kind and one["status"] == "True" for one in (definition.get("status") or {}).get("conditions") or ())


class Definitions:
    """The custom kinds of one cluster. Made from the store whenever it is asked after a change."""

    def __init__(self, cluster: Ground) -> None:
        self._cluster, self._etcd = cluster, cluster.etcd
        self._known: dict[str, tuple[Resource, ...]] | None = None
        self._lent: dict[str, list[dict[str, Any]]] = {}  # APIService -> the kinds that its own server has
        self._etcd.subscribe("customresourcedefinitions", self._forget)

    def _forget(self, _: Any) -> None:
        self._known = None

    def lend(self, api_service: str, kinds: list[dict[str, Any]] | None) -> None:
        """Serve the kinds of another server as long as it answers; None: no longer (controllers/apiservice_availability.py)."""
        if kinds is None:
            self._lent.pop(api_service, None)
        else:
            self._lent[api_service] = kinds
        self._known = None

    def lent(self, api_service: str) -> bool:
        return api_service in self._lent

    def _all(self) -> dict[str, tuple[Resource, ...]]:
        """name of the definition -> its resources, the stored version first."""
        if self._known is None:
            self._known = {one["metadata"]["name"]: self._bound(resources_of(one)) for one in self._etcd.list("customresourcedefinitions")
                           if condition(one, "Established")}
            for one in aggregation.together([kind for name in sorted(self._lent) for kind in self._lent[name]]):
                self._known.setdefault(one["metadata"]["name"], resources_of(freeze(one)))
        return self._known

    def _bound(self, found: tuple[Resource, ...]) -> tuple[Resource, ...]:
        """Kinds whose webhook can be asked in this cluster."""
        if found[0].custom.webhook is None:
            return found
        convert = partial(conversion.by_webhook, self._cluster)
        return tuple(replace(one, custom=replace(one.custom, convert=convert)) for one in found)

    def find(self, key: str, version: str = "") -> Resource | None:
        """The resource of a table's name (`crontabs.stable.example.com`), in a version or in the stored one."""
        for one in self._all().get(key, ()):
            if not version or one.version == version:
                return one
        return None

    def served(self) -> tuple[Resource, ...]:
        """Every served version of every kind, by group; a group's versions in the order of their priority."""
        return served_of(self._all())

    def stored(self) -> tuple[Resource, ...]:
        """One Resource a kind: the stored version."""
        return tuple(found[0] for found in self._all().values())

    def of_kind(self, group: str, kind: str) -> Resource | None:
        return next((found[0] for found in self._all().values() if found[0].group == group and found[0].kind == kind), None)

    def terminating(self, key: str) -> bool:
        definition = self._etcd.get("customresourcedefinitions", key)
        return definition is not None and bool(definition["metadata"].get("deletionTimestamp"))


def served_of(known: Mapping[str, tuple[Resource, ...]]) -> tuple[Resource, ...]:
    found = [one for resources in known.values() for one in resources if one.custom.served]
    return tuple(sorted(found, key=lambda one: (one.group, priority(one.version), one.plural)))


def priority(version: str) -> tuple[Any, ...]:
    """Sorts versions as the API does: v2, v1, v2beta1, v1beta1, v1alpha1, then others by name (util/version, CompareKubeAwareVersionStrings)."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if found is None:
        return 1, version
    stage = {None: 0, "beta": 1, "alpha": 2}[found.group(2)]
    return 0, stage, -int(found.group(1)), -int(found.group(3) or 0)
