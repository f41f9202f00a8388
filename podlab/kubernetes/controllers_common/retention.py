"""Who owns a StatefulSet's claims (persistentVolumeClaimRetentionPolicy): nobody, the set, or a Pod that was scaled away.

Source: pkg/controller/statefulset/stateful_set_utils.go, stateful_pod_control.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..objects import EMPTY, Map
from .owners import controller_of, reference


def policy(owner: Map) -> tuple[bool, bool]:
    """(whether claims go when the set is scaled down, whether they go with the set)."""
    held = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or EMPTY
    return held.get("whenScaled") == "Delete", held.get("whenDeleted") == "Delete"


def _names(ref: Mapping[str, Any], obj: Mapping[str, Any]) -> bool:
    """matchesRef: version, kind and name, whatever the uid."""
    return (ref.get("apiVersion"), ref["kind"], ref["name"]) == (obj["apiVersion"], obj["kind"], obj["metadata"]["name"])


def is_stale(claim: Map, obj: Mapping[str, Any]) -> bool:
    """hasStaleOwnerRef: a claim of an object of this name that is not this one (or of a Pod that is still to be made)."""
    found = next((ref for ref in claim["metadata"].get("ownerReferences") or () if _names(ref, obj)), None)
    return found is not None and found["uid"] != obj["metadata"].get("uid", "")


def owners_of(claim: Map, owner: Map, pod: Map, condemned: bool) -> list[Any] | None:
    """isClaimOwnerUpToDate and updateClaimOwnerRefForSetAndPod: the references that a claim should have, or None when they are right."""
    if is_stale(claim, owner) or is_stale(claim, pod):
        return None  # a former set's or Pod's, which the garbage collector sees to
    held = claim["metadata"].get("ownerReferences") or ()
    rest = [ref for ref in held if not _names(ref, owner) and not _names(ref, pod)]
    scaled, deleted = policy(owner)
    wanted: list[Any] = []
    if conflicting(claim, owner, pod):
        pass  # somebody else's: the policy is not followed
    elif scaled and condemned:
        wanted = [reference(pod)]
    elif deleted:
        wanted = [reference(owner)]
    mine = [(ref["uid"], bool(ref.get("controller"))) for ref in held if _names(ref, owner) or _names(ref, pod)]
    if mine == [(ref["uid"], True) for ref in wanted]:
        return None
    return [*rest, *wanted]


def conflicting(claim: Map, owner: Map, pod: Mapping[str, Any]) -> bool:
    """hasUnexpectedController: another controller manages the claim, though the policy is not Retain."""
    other = controller_of(claim)
    return any(policy(owner)) and other is not None and not _names(other, owner) and not _names(other, pod)
