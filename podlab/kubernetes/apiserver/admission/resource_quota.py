"""ResourceQuota: what a namespace may hold in sum (apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1/evaluator).

Use is counted from the objects that exist, which is what the quota's status says once its controller has caught up.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ... import quantity
from ...objects import Map, dig
from ...resources import BY_PLURAL, Resource
from .. import pod_resources
from ..errors import forbidden
from ..pipeline import Context
from ..qos import qos_class

Usage = dict[str, Fraction]
ONE = Fraction(1)

# Counted kinds by their old names; count/PLURAL.GROUP counts any
OLD_NAMES = {"Pod": "pods", "Service": "services", "ReplicationController": "replicationcontrollers",
             "ResourceQuota": "resourcequotas",
             "Secret": "secrets", "ConfigMap": "configmaps", "PersistentVolumeClaim": "persistentvolumeclaims"}
# pkg/quota/v1/evaluator/core/pods.go, validationSet: a quota on these makes containers name them
MUST_NAME = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory")


def validate(resource: Resource, new: Mapping[str, Any], old: Mapping[str, Any] | None, ctx: Context) -> None:
    """Raises ApiError 403 where the object would break a quota of its namespace."""
    namespace = new["metadata"]["namespace"]
    quotas = ctx.list("resourcequotas", namespace)
    if not quotas or (old is not None and resource.kind not in ("Pod", "Service", "PersistentVolumeClaim")):
        return
    name = new["metadata"].get("name") or ""
    asked = usage(resource, new)
    before = usage(resource, old) if old is not None else {}
    delta = {key: amount - before.get(key, 0) for key, amount in asked.items()}
    for quota in quotas:
        if not _in_scope(resource, new, quota):
            continue
        hard = dig(quota, "status.hard") or quota["spec"].get("hard") or {}
        if resource.kind == "Pod" and old is None and (missing := _unnamed(new, hard)):
            raise forbidden(resource.group, resource.plural, name,
                            f"failed quota: {quota['metadata']['name']}: must specify {missing}")
        wanted = {key: amount for key, amount in delta.items() if key in hard and amount > 0}
        if not wanted:
            continue
        used = used_in(namespace, quota, sorted(wanted), ctx)
        over = [key for key in sorted(wanted) if used.get(key, Fraction(0)) + wanted[key] > quantity.parse(hard[key])]
        if over:
            said = [",".join(f"{key}={show(key, amounts.get(key, Fraction(0)))}" for key in over) for amounts in (wanted, used)]
            limited = ",".join(f"{key}={hard[key]}" for key in over)
            raise forbidden(resource.group, resource.plural, name,
                            f"exceeded quota: {quota['metadata']['name']}, requested: {said[0]}, "
                            f"used: {said[1]}, limited: {limited}")


def show(name: str, amount: Fraction) -> str:
    """An amount of a quota's resource as the server writes it."""
    family = name.removeprefix("requests.").removeprefix("limits.")
    return quantity.format_binary(amount) if family in ("memory", "storage",
                                                        "ephemeral-storage") else quantity.format_decimal(amount)


def used_in(namespace: str, quota: Mapping[str, Any], names: list[str], ctx: Context) -> Usage:
    """What a namespace's objects use of some resources under one quota."""
    total: Usage = {}
    for plural in dict.fromkeys(_counted(name) for name in names):
        resource = BY_PLURAL.get(plural)
        for obj in ctx.list(plural, namespace) if resource else ():
            if resource and _in_scope(resource, obj, quota):
                for key, amount in usage(resource, obj).items():
                    if key in names:
                        total[key] = total.get(key, Fraction(0)) + amount
    return total


def _counted(name: str) -> str:
    """The plural of the objects that use a quota's resource."""
    if name.startswith("count/"):
        return name.removeprefix("count/").partition(".")[0]
    if name in OLD_NAMES.values():
        return name
    if name.startswith("services."):
        return "services"
    if name == "requests.storage" or ".storageclass.storage.k8s.io/" in name:
        return "persistentvolumeclaims"
    return "pods"


def usage(resource: Resource, obj: Mapping[str, Any]) -> Usage:
    """What one object uses, by the resource names that a quota may limit."""
    found: Usage = {"count/" + resource.qualified: ONE}
    if resource.kind == "Pod":
        if dig(obj, "status.phase") in ("Succeeded", "Failed"):
            return found
        found |= pod_usage(obj["spec"])
    elif resource.kind == "PersistentVolumeClaim":
        amount = quantity.parse(dig(obj, "spec.resources.requests", {}).get("storage", "0"))
        found["requests.storage"] = amount
        if storage_class := obj["spec"].get("storageClassName"):
            found[f"{storage_class}.storageclass.storage.k8s.io/requests.storage"] = amount
            found[f"{storage_class}.storageclass.storage.k8s.io/persistentvolumeclaims"] = ONE
    elif resource.kind == "Service":
        kind, ports = obj["spec"].get("type"), len(obj["spec"].get("ports") or ())
        if kind == "LoadBalancer":
            found["services.loadbalancers"] = ONE
        if kind in ("NodePort", "LoadBalancer"):
            found["services.nodeports"] = Fraction(ports)
    if resource.kind in OLD_NAMES:
        found[OLD_NAMES[resource.kind]] = ONE
    return found


def pod_usage(spec: Mapping[str, Any]) -> Usage:
    """A Pod's effective requests and limits: the containers' sum, or the largest init container's, plus sidecars and overhead."""
    found: Usage = {}
    for kind in ("requests", "limits"):
        total = pod_resources.aggregated(spec, kind)
        if level := (spec.get("resources") or {}).get(kind):
            total.update({name: quantity.parse(amount) for name, amount in level.items()})
        pod_resources.add(total, spec.get("overhead") if kind == "requests" or total else None)
        for name, amount in total.items():
            found[f"{kind}.{name}"] = amount
            if kind == "requests":
                found[name] = amount
    return found


def _unnamed(pod: Mapping[str, Any], hard: Mapping[str, str]) -> str:
    """`limits.cpu for: c; requests.cpu for: c`: what containers must say because a quota counts it."""
    spec = pod["spec"]
    missing = []
    for name in sorted(name for name in hard if name in MUST_NAME):
        kind, _, plain = name.rpartition(".")
        if plain in ((spec.get("resources") or {}).get(kind or "requests") or {}):
            continue
        silent = [container.get("name", "") for container in (*(spec.get("containers") or ()),
                                                              *(spec.get("initContainers") or ()))
                  if plain not in ((container.get("resources") or {}).get(kind or "requests") or {})]
        if silent:
            missing.append(f"{name} for: {','.join(sorted(silent))}")
    return "; ".join(missing)


def _chosen(term: Mapping[str, Any], names: list[str]) -> bool:
    """Whether a scope's selector chooses an object by the classes that it names."""
    found = any(name in (term.get("values") or ()) for name in names)
    return {"In": found, "NotIn": not found, "Exists": bool(names), "DoesNotExist": not names}[term["operator"]]


def _attribute_classes(claim: Mapping[str, Any]) -> list[str]:
    """The wanted, the present and the coming class (pkg/quota/v1/evaluator/core/persistent_volume_claims.go)."""
    names = (dig(claim, "spec.volumeAttributesClassName"), dig(claim, "status.currentVolumeAttributesClassName"),
             dig(claim, "status.modifyVolumeStatus.targetVolumeAttributesClassName"))
    return [name for name in names if name]


def _in_scope(resource: Resource, obj: Mapping[str, Any], quota: Map | Mapping[str, Any]) -> bool:
    spec = quota["spec"]
    terms = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    terms += dig(spec, "scopeSelector.matchExpressions", ())
    if not terms:
        return True
    if resource.kind == "PersistentVolumeClaim":
        return all(term["scopeName"] == "VolumeAttributesClass" and _chosen(term, _attribute_classes(obj)) for term in terms)
    if resource.kind != "Pod":
        return False
    pod = obj["spec"]
    for term in terms:
        scope = term["scopeName"]
        if scope == "PriorityClass":
            if not _chosen(term, [pod["priorityClassName"]] if pod.get("priorityClassName") else []):
                return False
            continue
        terminating = pod.get("activeDeadlineSeconds") is not None
        best_effort = qos_class(pod) == "BestEffort"
        holds = {"Terminating": terminating, "NotTerminating": not terminating, "BestEffort": best_effort,
                 "NotBestEffort": not best_effort,
                 "VolumeAttributesClass": False,
                 "CrossNamespacePodAffinity": "namespaces" in str(pod.get("affinity") or "")}.get(scope, True)
        if not holds:
            return False
    return True
