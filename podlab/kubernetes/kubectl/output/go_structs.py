"""JSON of what kubectl holds as Go structs: objects that it makes from flags, and the answers of typed clients, keep the fields' own order.

encoding/json writes a struct's fields as they stand in its type. They stand as their protobuf numbers count (apiserver/protobuf_fields.txt), but
for those that were put beside an older field later: these are listed here. Maps are sorted, as everywhere.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ...apiserver import schema
from ...apiserver.protobuf import fields_of, type_named
from . import kyaml

CORE = "io.k8s.api.core.v1."
BATCH = "io.k8s.api.batch.v1."
# type -> (field, the field that it stands before)
MOVED = {
    CORE + "Container": (("envFrom", "env"), ("resizePolicy", "volumeMounts"), ("restartPolicy", "volumeMounts"), ("volumeDevices", "livenessProbe"),
                         ("startupProbe", "lifecycle"), ("terminationMessagePolicy", "imagePullPolicy")),
    CORE + "PodSpec": (("initContainers", "containers"), ("ephemeralContainers", "restartPolicy")),
    CORE + "PodStatus": (("observedGeneration", "phase"), ("nominatedNodeName", "hostIP"), ("hostIPs", "podIP"), ("podIPs", "startTime"),
                         ("initContainerStatuses", "containerStatuses")),
    CORE + "ServicePort": (("appProtocol", "port"),),
    CORE + "ServiceSpec": (("clusterIPs", "type"), ("ipFamilies", "ipFamilyPolicy")),
    "io.k8s.api.apps.v1.DeploymentCondition": (("lastUpdateTime", "reason"), ("lastTransitionTime", "reason")),
    "io.k8s.api.apps.v1.DeploymentStatus": (("readyReplicas", "availableReplicas"), ("terminatingReplicas", "collisionCount")),
    "io.k8s.api.networking.v1.HTTPIngressPath": (("pathType", "backend"),),
    BATCH + "JobSpec": (("podFailurePolicy", "selector"), ("successPolicy", "selector"), ("backoffLimit", "selector"),
                        ("backoffLimitPerIndex", "selector"), ("maxFailedIndexes", "selector")),
}


def struct_json(obj: Any, *, indent: int | None = None) -> str:
    """An object with its apiVersion and kind, as encoding/json writes its struct; sorted where its type is not known."""
    type_name = type_named(obj.get("apiVersion", ""), obj.get("kind", ""))
    head = {member: obj[member] for member in ("kind", "apiVersion") if member in obj}
    rest = {member: value for member, value in obj.items() if member not in head}
    if obj.get("kind", "").endswith("List") and "items" in obj:
        item = type_named(obj["apiVersion"], obj["kind"].removesuffix("List"))
        rest = {"metadata": obj["metadata"], "items": [_ordered(one, item) for one in obj["items"]]}
    else:
        rest = _ordered(rest, type_name)
    text = json.dumps({**head, **rest}, ensure_ascii=False, indent=indent, separators=(",", ": ") if indent else (",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def struct_text(obj: Any, form: str = "json") -> str:
    """What -o json or kyaml prints of such an object."""
    return kyaml.from_json(struct_json(obj)) if form == "kyaml" else struct_json(obj, indent=4) + "\n"


@lru_cache(maxsize=512)
def _order(type_name: str) -> tuple[str, ...]:
    names = [name for _, name in sorted(fields_of(type_name).items())]
    for name, before in MOVED.get(type_name, ()):
        if name in names and before in names:
            names.remove(name)
            names.insert(names.index(before), name)
    flat: list[str] = []
    for name in names:
        flat += _order("io.k8s." + name[1:]) if name.startswith("+") else (name,)
    return tuple(flat)


def _ordered(value: Any, type_name: str | None) -> Any:
    """A struct's fields in their order, and what is in them in theirs; "" for what no type is known of."""
    if isinstance(value, list):
        return [_ordered(one, type_name) for one in value]
    if not isinstance(value, dict):
        return value
    order = _order(type_name) if type_name else ()
    if not type_name or not order:
        return {name: _ordered(value[name], "") for name in sorted(value)}
    names = [name for name in ("kind", "apiVersion") if name in value and name not in order]  # a TypeMeta, which is no field of the message
    names += [name for name in order if name in value]
    names += sorted(set(value) - set(names))
    return {name: _held(value[name], type_name, name) for name in names}


def _held(value: Any, type_name: str, field: str) -> Any:
    facts = schema.field_facts(type_name, field)
    inner = facts.type if facts is not None else ""
    if isinstance(value, dict) and facts is not None and facts.kind == "map":
        return {name: _ordered(value[name], inner) for name in sorted(value)}
    return _ordered(value, inner)
