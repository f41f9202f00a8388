"""Where the Pod template is in a workload, and which of its containers are meant."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ENV_NAME = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
"""validation.IsEnvVarName, which kubectl asks before the server with its wider rule."""


def pod_spec(obj: Json) -> Json | None:
    """The PodSpec in an object, plain and changeable; None where it has none (UpdatePodSpecForObject)."""
    kind, spec = obj.get("kind"), obj.get("spec") or {}
    if kind == "Pod":
        return spec
    if kind == "CronJob":
        spec = ((spec.get("jobTemplate") or {}).get("spec")) or {}
    template = spec.get("template")
    return template.get("spec") if isinstance(template, dict) else None


def template_of(obj: Json) -> Json | None:
    """The Pod template of a workload."""
    spec = obj.get("spec") or {}
    if obj.get("kind") == "CronJob":
        spec = ((spec.get("jobTemplate") or {}).get("spec")) or {}
    template = spec.get("template")
    return template if isinstance(template, dict) else None


def containers_named(spec: Json, pattern: str) -> list[Json]:
    """Containers, and after them init containers, whose name matches `*`, `a*`, `*a`, `*a*` or is it (selectContainers)."""
    def fits(name: str) -> bool:
        if pattern == "*":
            return True
        start, end = pattern.startswith("*"), pattern.endswith("*")
        core = pattern.strip("*")
        if start and end:
            return core in name
        return name.endswith(core) if start else name.startswith(core) if end else name == pattern
    return [one for one in [*spec.get("containers", ()), *spec.get("initContainers", ())] if fits(one.get("name", ""))]
