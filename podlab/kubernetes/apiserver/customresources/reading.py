"""Custom objects as they come out of the store: pruned and filled by the schema of today, which may be younger than they are.

Source: apiextensions-apiserver/pkg/apiserver/customresource_handler.go (unstructuredDefaulter, schemaCoercingDecoder of storage).
"""

from __future__ import annotations

from ...objects import Map, stored, thaw
from ...resources import Resource
from ..ownership import records
from . import structural


def as_read(resource: Resource, obj: Map) -> Map:
    """`obj` itself where it was written under the present schema, or has nothing to gain or lose."""
    if resource.custom.convert is not None and obj["apiVersion"] != resource.api_version:
        return obj  # another version, which has its own schema
    if int(obj["metadata"].get("resourceVersion") or 0) > resource.custom.since:
        return obj
    new, schema = thaw(obj), dict(resource.custom.schema)
    structural.prune(schema, new)
    structural.fill(schema, new)
    return obj if new == obj else stored(new, records.of(obj))
