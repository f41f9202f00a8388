"""Labels and annotations that a kustomization gives to all its objects, and to what selects by them (kustomize's field specs)."""

from __future__ import annotations

from typing import Any

from .pod_specs import template_of

Json = dict[str, Any]


def mark(obj: Json, member: str, marks: dict[str, str], *, templates: bool, selectors: bool) -> None:
    def add(metadata: Json) -> None:
        metadata[member] = {**(metadata.get(member) or {}), **{key: str(value) for key, value in marks.items()}}
    add(obj["metadata"])
    template, spec = template_of(obj), obj.get("spec") or {}
    if template is not None and templates:
        add(template.setdefault("metadata", {}))
        if obj.get("kind") == "CronJob":
            add(spec["jobTemplate"].setdefault("metadata", {}))
        for claim in spec.get("volumeClaimTemplates") or () if member == "labels" else ():
            add(claim.setdefault("metadata", {}))
    if selectors:
        _select(obj, spec, marks)


def _select(obj: Json, spec: Json, marks: dict[str, str]) -> None:
    """Labels into what selects by them (commonLabels' field specs; made where they are not for Services and workloads)."""
    def match(held: Json) -> None:
        held["matchLabels"] = {**(held.get("matchLabels") or {}), **marks}
    kind = obj.get("kind")
    if kind in ("Service", "ReplicationController"):
        obj["spec"] = {**spec, "selector": {**(spec.get("selector") or {}), **marks}}
    elif kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        match(spec.setdefault("selector", {}))
    elif kind == "PodDisruptionBudget" and (spec.get("selector") or {}).get("matchLabels"):
        match(spec["selector"])
    elif kind == "NetworkPolicy":
        peers = [one for rule, side in (("ingress", "from"), ("egress", "to")) for each in spec.get(rule) or () for one in each.get(side) or ()]
        for one in (spec, *peers):
            if (one.get("podSelector") or {}).get("matchLabels"):
                match(one["podSelector"])
    pod = (template_of(obj) or {}).get("spec") or {}
    affinities = [(pod.get("affinity") or {}).get(which) or {} for which in ("podAffinity", "podAntiAffinity")]
    terms = [term.get("podAffinityTerm") or term for affinity in affinities for when in affinity.values() for term in when]
    for one in (*terms, *(pod.get("topologySpreadConstraints") or ())):
        if (one.get("labelSelector") or {}).get("matchLabels"):
            match(one["labelSelector"])
