"""RuntimeClass: the overhead and the nodes of a Pod's runtime (plugin/pkg/admission/runtimeclass/admission.go)."""

from __future__ import annotations

from typing import Any

from ...objects import thaw
from ..errors import forbidden, subject_of
from ..pipeline import Context

Object = dict[str, Any]


def admit(obj: Object, ctx: Context) -> None:
    """Raises ApiError 403 for an unknown class, or an overhead or node selector at odds with it."""
    spec, name = obj["spec"], subject_of(obj["metadata"])
    wanted = spec.get("runtimeClassName")
    if not wanted:
        if spec.get("overhead"):
            raise forbidden("", "pods", name,
                            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        return
    found = ctx.find("runtimeclasses", wanted)
    if found is None:
        raise forbidden("", "pods", name, f'pod rejected: RuntimeClass "{wanted}" not found')
    overhead = (found.get("overhead") or {}).get("podFixed")
    if spec.get("overhead") and spec["overhead"] != overhead:
        raise forbidden("", "pods", name, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    changed: Object = {"overhead": thaw(overhead)} if overhead else {}
    scheduling = found.get("scheduling") or {}
    if selector := scheduling.get("nodeSelector"):
        held = spec.get("nodeSelector") or {}
        for key, value in selector.items():
            if held.get(key, value) != value:
                raise forbidden("", "pods", name,
                                f"pod rejected: conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                                f"pod.spec.nodeSelector[{key}] = {held[key]}")
        changed["nodeSelector"] = {**held, **selector}
    if scheduling.get("tolerations"):
        held = list(spec.get("tolerations") or ())
        changed["tolerations"] = [*held, *(one for one in scheduling["tolerations"] if one not in held)]
    obj["spec"] = {**spec, **changed}
