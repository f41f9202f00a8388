"""PodResizeValidator: a resize that the Pod's node could never give is refused (1.36) (plugin/pkg/admission/podresize/admission.go)."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from ... import quantity
from ...objects import dig
from ..errors import ApiError, forbidden
from ..pipeline import Context
from .resource_quota import pod_usage

OS = "kubernetes.io/os"


def validate(new: Mapping[str, Any], old: Mapping[str, Any], ctx: Context) -> None:
    """`new`: a Pod as its resize subresource would leave it. Raises ApiError 403."""
    where = new["spec"].get("nodeName")
    if not where or new["spec"] == old["spec"]:
        return
    node = ctx.find("nodes", where)
    if node is None:
        raise _refused(new, f'node "{where}" not found')
    system = dig(node, "metadata.labels", {}).get(OS, "linux")
    if system != "linux":
        raise _refused(new, f'pod resize is only supported on linux nodes, node "{where}" is "{system}"', "UnsupportedPlatform")
    wanted, allocatable = pod_usage(new["spec"]), dig(node, "status.allocatable", {})
    said = []
    for name, units in (("cpu", 1000), ("memory", 1)):  # thousandths of a core, bytes
        asked, given = wanted.get(name, 0), quantity.parse(allocatable.get(name, "0"))
        if asked > given:
            said.append(f"{name}, requested: {ceil(asked * units)}, allocatable: {ceil(given * units)}")
    if said:
        raise _refused(new, f"node didn't have enough allocatable resources: {'; '.join(said)}", "NodeCapacity")


def _refused(pod: Mapping[str, Any], why: str, cause: str = "") -> ApiError:
    return forbidden("", "pods", pod["metadata"]["name"], why, [{"reason": cause}] if cause else None)
