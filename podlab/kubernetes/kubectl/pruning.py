"""kubectl apply --prune: what an earlier apply made and the files no longer have is deleted (S/kubectl/pkg/cmd/apply/prune.go)."""

from __future__ import annotations

from typing import Any

from ..apiserver.errors import ApiError
from ..resources import BY_PLURAL, Resource, by_api_kind
from .builder import Info
from .terminal import KubectlError
from .verbs import Call

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# getRESTMappings' own list; in each namespace that the files name, then the kinds without one
DEFAULT = tuple(BY_PLURAL[plural] for plural in (
    "configmaps", "endpoints", "namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers", "secrets", "services",
    "jobs", "cronjobs", "ingresses", "daemonsets", "deployments", "replicasets", "statefulsets"))


def check(call: Call) -> None:
    """Raises KubectlError for flags that do not go together, before anything is applied (ApplyOptions.Validate)."""
    flags = call.flags
    if flags["all"] and flags["selector"]:
        raise KubectlError("error: cannot set --all and --selector at the same time\n")
    if flags["prune"] and not flags["all"] and not flags["selector"]:
        raise KubectlError("error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. "
                           "If you did not mean to prune all resources, specify a label selector\n")
    if flags["prune"] and flags["server-side"]:
        raise KubectlError("error: --prune is in alpha and doesn't currently work on objects created by server-side apply\n")
    if flags["prune"]:
        _kinds(call)


def _kinds(call: Call) -> tuple[Resource, ...]:
    """The kinds of --prune-allowlist. Raises KubectlError."""
    found = []
    for text in call.flags["prune-allowlist"]:
        parts = text.split("/")
        if len(parts) != 3:
            raise KubectlError(f"error: invalid GroupVersionKind format: {text}, please follow <group/version/kind>\n")
        version = parts[1] if parts[0] in ("core", "") else f"{parts[0]}/{parts[1]}"
        resource = by_api_kind(version, parts[2], call.customs)
        if resource is None:
            raise KubectlError(f'error: no matches for kind "{parts[2]}" in version "{version}"\n')
        found.append(resource)
    return tuple(found) or DEFAULT


def prune(call: Call, applied: list[tuple[Info, Any]], policy: str) -> None:
    """Delete what apply made before and none of `applied`, (a file's object, as the cluster has it), is."""
    kept = {obj["metadata"].get("uid") for _, obj in applied}
    namespaces = list(dict.fromkeys(info.namespace for info, _ in applied if info.resource.namespaced))
    kinds = _kinds(call)
    places = [(namespace, kind) for namespace in namespaces for kind in kinds if kind.namespaced]
    for namespace, kind in [*places, *(("", kind) for kind in kinds if not kind.namespaced)]:
        what = f"{'namespaced' if namespace else 'nonNamespaced'} object {kind.api_version}, Kind={kind.kind}"
        try:
            _prune(call, kind, namespace, kept, policy)
        except ApiError as error:
            raise KubectlError(f"error: error pruning {what}: {error.message}\n") from error


def _prune(call: Call, kind: Resource, namespace: str, kept: set[Any], policy: str) -> None:
    flags = call.flags
    labels = {"labelSelector": flags["selector"]} if flags["selector"] else {}
    for obj in call.request("list", kind, "", namespace, **labels)["items"]:
        metadata = obj["metadata"]
        if LAST_APPLIED not in (metadata.get("annotations") or {}) or metadata["uid"] in kept:
            continue
        if call.dry != "client":
            grace = {"gracePeriodSeconds": flags["grace-period"]} if flags["grace-period"] >= 0 else {}
            call.request("delete", kind, metadata["name"], namespace, propagationPolicy=policy, **grace)
        call.show(kind, obj, "pruned")
