"""What the server serves, as discovery tells clients: /version, /api, /apis and the lists of each group and version.

The same for every cluster, but for the kinds that its people defined. kubectl keeps it on disk by the whole
address of the server, which names the cluster's token. Shapes: apimachinery/pkg/apis/meta/v1 (APIGroupList, APIResourceList) and
k8s.io/api/apidiscovery/v2 (the aggregated form).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..resources import RESOURCES, Resource
from ..version import KUBERNETES_VERSION
from .versions import ALSO_SERVED

GET_WRITE = ("get", "patch", "update")
CONNECT = ("create", "get")
PROXY = ("create", "delete", "get", "patch", "update")

# Kinds that are asked and not stored
VIRTUAL: tuple[Resource, ...] = (
    Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False, verbs=("create",)),
    Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False, verbs=("create",)),
    Resource("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=("create",)),
    Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False, verbs=("create",)),
    Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False, verbs=("create",)),
    Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False, verbs=("create",)),
    Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False, verbs=("get", "list")),
    Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=("get", "list")),
)
VERBS: dict[str, tuple[str, ...]] = {"bindings": ("create",), "componentstatuses": ("get", "list"),
                                     "namespaces": ("create", "delete", "get", "list", "patch", "update", "watch")}

# The order of groups in /apis: that of the API server's group priorities
GROUPS = ("", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
          "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
          "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io",
          "discovery.k8s.io", "flowcontrol.apiserver.k8s.io", "resource.k8s.io", "metrics.k8s.io")

# subresource -> (group, version, kind, verbs); group None: the parent's own group, version and kind
SUBRESOURCES: dict[str, tuple[str | None, str, str, tuple[str, ...]]] = {
    "approval": (None, "", "", GET_WRITE),
    "attach": ("", "v1", "PodAttachOptions", CONNECT),
    "binding": ("", "v1", "Binding", ("create",)),
    "ephemeralcontainers": (None, "", "", GET_WRITE),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "exec": ("", "v1", "PodExecOptions", CONNECT),
    "finalize": (None, "", "", ("update",)),
    "log": (None, "", "", ("get",)),
    "portforward": ("", "v1", "PodPortForwardOptions", CONNECT),
    "proxy": ("", "v1", "", PROXY),
    "resize": (None, "", "", GET_WRITE),
    "scale": ("autoscaling", "v1", "Scale", GET_WRITE),
    "status": (None, "", "", GET_WRITE),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
}
NOT_SERVED = (("nodes", "proxy"),)  # what nothing answers is not told of either


@lru_cache(maxsize=1)
def served() -> dict[tuple[str, str], tuple[Resource, ...]]:
    """(group, version) -> its resources by plural, in the order of /apis; the preferred version of a group first."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for group in GROUPS:
        for resource in (*RESOURCES, *ALSO_SERVED, *VIRTUAL):
            if resource.group == group:
                found.setdefault((group, resource.version), []).append(resource)
    return {key: tuple(sorted(resources, key=lambda one: one.plural)) for key, resources in found.items()}


def with_customs(customs: Sequence[Resource]) -> dict[tuple[str, str], tuple[Resource, ...]]:
    """Like `served`, with the kinds that the people of one cluster defined (customresources/definitions.py), whose groups come last."""
    if not customs:
        return served()
    found = dict(served())
    for one in customs:
        key = (one.group, one.version)
        found[key] = tuple(sorted((*found.get(key, ()), one), key=lambda resource: resource.name))
    return found


def groups(customs: Sequence[Resource]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*GROUPS, *(one.group for one in customs))))


def find(group: str, version: str, plural: str, customs: Sequence[Resource] = ()) -> Resource | None:
    """The resource behind an address."""
    found = _by_address().get((group, version, plural))
    return found or next((one for one in customs if (one.group, one.version, one.name) == (group, version, plural)), None)


@lru_cache(maxsize=1)
def _by_address() -> dict[tuple[str, str, str], Resource]:
    return {(group, version, one.plural): one for (group, version), resources in served().items() for one in resources}


def verbs_of(resource: Resource) -> tuple[str, ...]:
    return VERBS.get(resource.plural, resource.verbs) if resource not in VIRTUAL else resource.verbs


def subresources_of(resource: Resource) -> list[tuple[str, dict[str, str], tuple[str, ...]]]:
    """(name, {"group", "version", "kind"}, verbs) of each."""
    found = []
    for name in resource.subresources:
        if (resource.plural, name) in NOT_SERVED:
            continue
        group, version, kind, verbs = SUBRESOURCES[name]
        kind_of = {"group": resource.group, "version": resource.version, "kind": resource.kind} if group is None else \
            {"group": group, "version": version, "kind": kind or f"{resource.kind}ProxyOptions"}
        found.append((name, kind_of, verbs))
    return found


def version_info() -> dict[str, str]:
    """/version."""
    major, minor = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]
    return {"major": major, "minor": minor, "gitVersion": KUBERNETES_VERSION, "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2026-04-22T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64"}


# ---- the plain form


def api_versions() -> dict[str, Any]:
    """/api."""
    return {"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "kubernetes.default.svc"}]}


def group(name: str, customs: Sequence[Resource] = ()) -> dict[str, Any] | None:
    """/apis/<group>."""
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for group, version in with_customs(customs) if group == name]
    if not versions or not name:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": versions[0]}


def group_list(customs: Sequence[Resource] = ()) -> dict[str, Any]:
    """/apis."""
    found_groups = [found for name in groups(customs) if (found := group(name, customs))]
    return {"kind": "APIGroupList", "apiVersion": "v1",
            "groups": [{key: value for key, value in one.items() if key not in ("kind", "apiVersion")} for one in found_groups]}


def resource_list(group_name: str, version: str, customs: Sequence[Resource] = ()) -> dict[str, Any] | None:
    """/api/v1 and /apis/<group>/<version>."""
    resources = with_customs(customs).get((group_name, version))
    if resources is None:
        return None
    entries: list[dict[str, Any]] = []
    for one in resources:
        entry: dict[str, Any] = {"name": one.name, "singularName": one.one, "namespaced": one.namespaced, "kind": one.kind,
                                 "verbs": list(verbs_of(one))}
        if one.short_names:
            entry["shortNames"] = list(one.short_names)
        if one.categories:
            entry["categories"] = list(one.categories)
        entries.append(entry)
        for name, kind_of, verbs in subresources_of(one):
            other = {} if kind_of["group"] == group_name and kind_of["version"] == version else \
                {"group": kind_of["group"], "version": kind_of["version"]}
            entries.append({"name": f"{one.name}/{name}", "singularName": "", "namespaced": one.namespaced, **other,
                            "kind": kind_of["kind"], "verbs": list(verbs)})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group_name}/{version}" if group_name else version,
            "resources": entries}


# ---- the aggregated form


def aggregated(core: bool, version: str = "v2", customs: Sequence[Resource] = ()) -> dict[str, Any]:
    """The APIGroupDiscoveryList of /api (`core`) or /apis. `version` v2 or v2beta1, which have the same shape."""
    items: list[dict[str, Any]] = []
    for name in groups(customs):
        if (not name) == core:
            versions = [{"version": one, "resources": [_discovered(resource) for resource in resources], "freshness": "Current"}
                        for (group_name, one), resources in with_customs(customs).items() if group_name == name]
            items.append({"metadata": {"name": name} if name else {}, "versions": versions})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}", "metadata": {}, "items": items}


def _discovered(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": resource.name,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.one,
        "verbs": list(verbs_of(resource)),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if parts := subresources_of(resource):
        entry["subresources"] = [{"subresource": name, "responseKind": kind, "verbs": list(verbs)} for name, kind, verbs in parts]
    return entry
