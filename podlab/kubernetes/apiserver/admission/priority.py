"""Priority: the number behind a Pod's priority class (plugin/pkg/admission/priority/admission.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import forbidden, subject_of
from ..pipeline import Context

Object = dict[str, Any]


def admit(obj: Object, ctx: Context) -> None:
    """Raises ApiError 403 for an unknown class, or for a number that is not the class's."""
    spec, name = obj["spec"], subject_of(obj["metadata"])
    value, policy, chosen = 0, "PreemptLowerPriority", spec.get("priorityClassName")
    if chosen:
        found = ctx.find("priorityclasses", chosen)
        if found is None:
            raise forbidden("", "pods", name, f"no PriorityClass with name {chosen} was found")
        value, policy = found["value"], found.get("preemptionPolicy", policy)
    else:
        marked = [one for one in ctx.list("priorityclasses") if one.get("globalDefault")]
        if marked:
            least = min(marked, key=lambda one: (one["value"], one["metadata"]["name"]))
            value, policy, chosen = least["value"], least.get("preemptionPolicy", policy), least["metadata"]["name"]
    asked = spec.get("priority")
    if asked is not None and asked != value:
        raise forbidden("", "pods", name,
                        f"the integer value of priority ({asked}) must not be provided in pod spec; priority admission "
                        f"controller computed {value} from the given PriorityClass name")
    asked = spec.get("preemptionPolicy")
    if asked is not None and asked != policy:
        raise forbidden("", "pods", name,
                        f"the string value of PreemptionPolicy ({asked}) must not be provided in pod spec; priority "
                        f"admission controller computed {policy} from the given PriorityClass name")
    obj["spec"] = {**spec, **({"priorityClassName": chosen} if chosen else {}), "priority": value, "preemptionPolicy": policy}


def validate_class(obj: Mapping[str, Any], ctx: Context) -> None:
    """At most one class is the default."""
    if not obj.get("globalDefault"):
        return
    for one in ctx.list("priorityclasses"):
        if one.get("globalDefault") and one["metadata"]["name"] != obj["metadata"]["name"]:
            raise forbidden("scheduling.k8s.io", "priorityclasses", obj["metadata"]["name"],
                            f"PriorityClass {one['metadata']['name']} is already marked as default. Only one default can exist")
