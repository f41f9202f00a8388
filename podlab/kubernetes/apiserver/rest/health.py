"""/healthz, /livez and /readyz: "ok", one check, or the list of all (apiserver/pkg/server/healthz/healthz.go).

A cluster that answers at all is well: every check passes. Their names are those of kube-apiserver 1.36, in its order.
"""

from __future__ import annotations

from ..errors import PageNotFound
from .call import Answer, Call

ROOTS = ("healthz", "livez", "readyz")
TEXT = "text/plain; charset=utf-8"
FIRST = ("ping", "log", "etcd")
READY = ("etcd-readiness", "informer-sync")  # of /readyz alone, as "shutdown" is
HOOKS = ("start-apiserver-admission-initializer", "generic-apiserver-start-informers", "priority-and-fairness-config-consumer",
         "priority-and-fairness-filter", "storage-object-count-tracker-hook", "start-apiextensions-informers",
         "start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller",
         "start-cluster-authentication-info-controller", "start-kube-apiserver-identity-lease-controller",
         "start-kube-apiserver-identity-lease-garbage-collector", "start-legacy-token-tracking-controller",
         "start-service-ip-repair-controllers", "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes",
         "priority-and-fairness-config-producer", "bootstrap-controller", "start-kubernetes-service-cidr-controller",
         "aggregator-reload-proxy-client-cert", "start-kube-aggregator-informers", "apiservice-status-local-available-controller",
         "apiservice-status-remote-available-controller", "apiservice-registration-controller", "apiservice-discovery-controller",
         "kube-apiserver-autoregistration")
LAST = ("apiservice-openapi-controller", "apiservice-openapiv3-controller")


def checks(root: str) -> tuple[str, ...]:
    hooks = *(f"poststarthook/{name}" for name in HOOKS), "autoregister-completion", *(f"poststarthook/{name}" for name in LAST)
    return (*FIRST, *(READY if root == "readyz" else ()), *hooks, *(("shutdown",) if root == "readyz" else ()))


def answer(call: Call) -> Answer:
    """`call.path` begins with one of ROOTS. Raises PageNotFound for a check that there is not."""
    root, one = call.path[0], "/".join(call.path[1:])
    names = checks(root)
    if one:
        if one not in names:
            raise PageNotFound
        return Answer(200, b"ok", TEXT)
    if "verbose" not in call.query:
        return Answer(200, b"ok", TEXT)
    left_out = set(call.query.get("exclude", ()))
    lines = [f"[+]{name} excluded: ok" if name in left_out else f"[+]{name} ok" for name in names]
    if unknown := sorted(left_out - set(names)):
        quoted = ", ".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    return Answer(200, "".join(f"{line}\n" for line in [*lines, f"{root} check passed"]).encode(), TEXT)
