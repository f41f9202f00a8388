"""What `kubectl debug --profile` grants a debugging container and takes from the Pod around it (S/kubectl/pkg/cmd/debug/profiles.go)."""

from __future__ import annotations

from typing import Any

from .flags import Flags

PROFILES = ("legacy", "general", "baseline", "netadmin", "restricted", "sysadmin")
PROBES = (("keep-liveness", "livenessProbe"), ("keep-readiness", "readinessProbe"), ("keep-startup", "startupProbe"))
ON_HOST = ("legacy", "general", "netadmin", "sysadmin")  # share a node's namespaces
WITH_ROOT = ("legacy", "general", "sysadmin")  # mount a node's files


def apply(flags: Flags, style: str, pod: dict[str, Any], container: dict[str, Any]) -> None:
    """Changes the Pod and its container. `style`: ephemeral, copy or node."""
    profile, spec = flags["profile"], pod["spec"]
    if profile in ("baseline", "restricted") or (profile == "general" and style == "node"):
        container.pop("securityContext", None)
    context: dict[str, Any] = {**(container.get("securityContext") or {})}
    if profile == "restricted":
        context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
                   "seccompProfile": {"type": "RuntimeDefault"}}
    elif profile == "sysadmin":
        context["privileged"] = True
    elif profile == "netadmin" or (profile == "general" and style != "node"):
        capabilities = context.get("capabilities") or {}
        more = ["NET_ADMIN", "NET_RAW"] if profile == "netadmin" else ["SYS_PTRACE"]
        context["capabilities"] = {**capabilities, "add": [*(capabilities.get("add") or ()), *more]}
    if context:
        container["securityContext"] = context
    if style == "node":
        if profile in ON_HOST:
            spec |= {"hostNetwork": True, "hostPID": True, "hostIPC": True}
        if profile in WITH_ROOT:
            spec["volumes"] = [{"name": "host-root", "hostPath": {"path": "/"}}]
            container["volumeMounts"] = [{"mountPath": "/host", "name": "host-root"}]
    elif style == "copy":
        _remove(flags, pod)
        if profile != "legacy":
            spec.setdefault("shareProcessNamespace", True)


def _remove(flags: Flags, pod: dict[str, Any]) -> None:
    """What a copy does without, unless --keep-... keeps it: whoever selects the Pod shall not find the copy, and no probe restart it."""
    for flag, member in (("keep-labels", "labels"), ("keep-annotations", "annotations")):
        if not flags[flag]:
            pod["metadata"].pop(member, None)
    for flag, probe in PROBES:
        if not flags[flag]:
            for one in pod["spec"]["containers"]:
                one.pop(probe, None)
    if not flags["keep-init-containers"]:
        pod["spec"].pop("initContainers", None)
