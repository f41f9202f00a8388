"""The ClusterRoles and bindings that a new cluster has, those that people meet (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .objects import Map, freeze

RBAC = "rbac.authorization.k8s.io"
DEFAULTING = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AUTOUPDATE = {f"{RBAC}/autoupdate": "true"}
READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
ISSUER = ["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"]
DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"]

# (groups, what may be read, what may be written too)
NAMESPACED: tuple[tuple[str, str, str], ...] = (
    ("", "bindings events limitranges namespaces namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas "
         "resourcequotas/status persistentvolumeclaims/status services/status",
     "configmaps endpoints persistentvolumeclaims pods replicationcontrollers replicationcontrollers/scale serviceaccounts services"),
    ("apps", "controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status",
     "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale"),
    ("autoscaling", "horizontalpodautoscalers/status", "horizontalpodautoscalers"),
    ("batch", "cronjobs/status jobs/status", "cronjobs jobs"),
    ("discovery.k8s.io", "endpointslices", ""),
    ("networking.k8s.io", "ingresses/status", "ingresses networkpolicies"),
    ("policy", "poddisruptionbudgets/status", "poddisruptionbudgets"),
)
EDIT_ONLY = [  # what a reader may not see, for it would make him more than a reader
    {"apiGroups": [""], "resources": ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], "verbs": READ},
    {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]},
    {"apiGroups": [""], "resources": ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], "verbs": WRITE},
    {"apiGroups": [""], "resources": ["pods/eviction", "serviceaccounts/token"], "verbs": ["create"]},
    {"apiGroups": ["apps"], "resources": ["deployments/rollback"], "verbs": WRITE},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "delete", "deletecollection", "get", "list", "patch",
                                                                             "update", "watch"]},
]
ADMIN_ONLY = [
    {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]},
    {"apiGroups": [RBAC], "resources": ["rolebindings", "roles"], "verbs": ["create", "delete", "deletecollection", "get", "list", "patch",
                                                                            "update", "watch"]},
]


@lru_cache(maxsize=1)
def objects() -> tuple[tuple[str, Map], ...]:
    """(plural, object) in the order in which they are made; what is aggregated is there already. All clusters share the rules."""
    return tuple((plural, freeze(obj)) for plural, obj in _made())


def _made() -> list[tuple[str, dict[str, Any]]]:
    reading = [{"apiGroups": [group], "resources": sorted((read + " " + write).split()), "verbs": READ} for group, read, write in NAMESPACED]
    writing = [{"apiGroups": [group], "resources": sorted(write.split()), "verbs": WRITE} for group, _, write in NAMESPACED if write]
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    own = [{"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], "verbs": ["create"]},
           {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]}]
    metrics = [{"apiGroups": ["metrics.k8s.io"], "resources": ["nodes", "pods"], "verbs": READ}]  # as metrics-server's manifest adds
    labels = {name: {f"{RBAC}/aggregate-to-{name}": "true"} for name in ("admin", "edit", "view")}
    view = [*reading, *metrics]
    edit = [*EDIT_ONLY, *writing, *metrics, *reading]
    return [
        _role("cluster-admin", everything),
        _role("admin", [*edit, *ADMIN_ONLY], [labels["admin"]], labels["admin"]),
        _role("edit", edit, [labels["edit"]], labels["admin"]),
        _role("view", view, [labels["view"]], labels["edit"]),
        _role("system:aggregate-to-admin", ADMIN_ONLY, labels=labels["admin"]),
        _role("system:aggregate-to-edit", EDIT_ONLY + writing, labels=labels["edit"]),
        _role("system:aggregate-to-view", reading, labels=labels["view"]),
        _role("system:aggregated-metrics-reader", metrics, labels={**labels["view"], **labels["edit"], **labels["admin"]}),
        _role("system:basic-user", own),
        _role("system:discovery", [{"nonResourceURLs": DISCOVERY, "verbs": ["get"]}]),
        _role("system:service-account-issuer-discovery", [{"nonResourceURLs": ISSUER, "verbs": ["get"]}]),
        _role("system:public-info-viewer", [{"nonResourceURLs": HEALTH, "verbs": ["get"]}]),
        _binding("cluster-admin", "system:masters"),
        ("clusterrolebindings", {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "kubeadm:cluster-admins"},
                                 "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
                                 "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": "kubeadm:cluster-admins"}]}),
        _binding("system:basic-user", "system:authenticated"),
        _binding("system:discovery", "system:authenticated"),
        _binding("system:public-info-viewer", "system:authenticated", "system:unauthenticated"),
        _binding("system:service-account-issuer-discovery", "system:serviceaccounts"),
    ]


def _metadata(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "labels": {**DEFAULTING, **labels}, "annotations": dict(AUTOUPDATE)}


def _role(name: str, rules: list[dict[str, Any]], selectors: list[dict[str, str]] | None = None,
          labels: dict[str, str] | None = None) -> tuple[str, dict[str, Any]]:
    aggregation = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": one} for one in selectors]}} if selectors else {}
    return "clusterroles", {
        "apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": _metadata(name, labels or {}), **aggregation, "rules": rules}


def _binding(name: str, *groups: str) -> tuple[str, dict[str, Any]]:
    subjects = [{"apiGroup": RBAC, "kind": "Group", "name": group} for group in groups]
    return "clusterrolebindings", {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": _metadata(name, {}),
                                   "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}, "subjects": subjects}
