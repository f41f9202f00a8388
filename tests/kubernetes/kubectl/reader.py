"""A store of plain objects that reads as a client does: what descriptions need, and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from podlab.kubernetes import selectors
from podlab.kubernetes.apiserver.errors import not_found
from podlab.kubernetes.objects import Map, freeze
from podlab.kubernetes.resources import BY_PLURAL, by_api_kind


class Store:
    def __init__(self, objects: Iterable[dict[str, Any]] = ()) -> None:
        self.objects: defaultdict[str, dict[tuple[str, str], Map]] = defaultdict(dict)
        for obj in objects:
            resource = by_api_kind(obj["apiVersion"], obj["kind"])
            assert resource is not None, obj["kind"]
            self.put(resource.plural, obj)

    def put(self, plural: str, obj: dict[str, Any]) -> None:
        self.objects[plural][obj["metadata"].get("namespace", ""), obj["metadata"]["name"]] = freeze(obj)

    def drop(self, plural: str, obj: dict[str, Any]) -> None:
        self.objects[plural].pop((obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), None)

    def find(self, plural: str, name: str, namespace: str | None = None) -> Map | None:
        return self.objects[plural].get((namespace or "", name))

    def get(self, plural: str, name: str, namespace: str | None = None) -> Map:
        found = self.find(plural, name, namespace)
        if found is None:
            raise not_found(BY_PLURAL[plural].group, plural, name)
        return found

    def list(self, plural: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None) -> list[Map]:
        found = [obj for (held, _), obj in sorted(self.objects[plural].items()) if namespace in (None, held)]
        wanted = selectors.parse(labels or "")
        return [obj for obj in found if selectors.matches(wanted, obj["metadata"].get("labels") or {})]
