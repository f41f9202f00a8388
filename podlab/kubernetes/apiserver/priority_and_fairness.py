"""FlowSchemas and PriorityLevelConfigurations that every API server makes for itself (API priority and fairness). No request waits here.

They are the same in all clusters, so none is stored: they are made when they are read. One that somebody changes is stored from then on; one
that somebody deletes is there again at once, where the real server takes up to a minute. Whether a flow schema's priority level exists is
likewise seen when it is read.

Sources: apiserver/pkg/apis/flowcontrol/bootstrap/default.go (what there is), flowcontrol/v1/types.go, pkg/registry/flowcontrol/rest
(ensurer), apiserver/pkg/util/flowcontrol/apf_controller.go (syncFlowSchemaStatuses).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..objects import EMPTY, Map, freeze

if TYPE_CHECKING:
    from ..ground import Ground

SCHEMAS, LEVELS = "flowschemas", "prioritylevelconfigurations"
KINDS = {SCHEMAS: "FlowSchema", LEVELS: "PriorityLevelConfiguration"}
AUTO_UPDATE = {"apf.kubernetes.io/autoupdate-spec": "true"}

# name -> nominal concurrency shares, lendable percent, (queues, hand size, length of a queue); without queues what is too much is refused
LIMITED: dict[str, tuple[int, int, tuple[int, int, int] | None]] = {
    "catch-all": (5, 0, None), "global-default": (20, 50, (128, 6, 50)), "leader-election": (10, 0, (16, 4, 50)),
    "node-high": (40, 25, (64, 6, 50)), "system": (30, 33, (64, 6, 50)), "workload-high": (40, 50, (128, 6, 50)),
    "workload-low": (100, 90, (128, 6, 50))}

MANAGER, SCHEDULER = "User system:kube-controller-manager", "User system:kube-scheduler"
ANYBODY = ("Group system:unauthenticated", "Group system:authenticated")
OF_THE_SYSTEM = "ServiceAccount kube-system/*"
ALL, USE = ("*",), ("get", "create", "update")
EVERYTHING = ((ALL, ALL, ALL, True),)  # of resource rules: (verbs, groups, resources, whether cluster-wide kinds are meant too)
LOCKS = ((USE, ("",), ("endpoints", "configmaps"), False), (USE, ("coordination.k8s.io",), ("leases",), False))

# name -> priority level, precedence, by what flows are told apart, subjects, resource rules, (verbs, paths) of the non-resource rule
FLOWS: dict[str, tuple[str, int, str, tuple[str, ...], tuple[Any, ...], tuple[tuple[str, ...], tuple[str, ...]] | None]] = {
    "catch-all": ("catch-all", 10_000, "ByUser", ANYBODY, EVERYTHING, (ALL, ALL)),
    "endpoint-controller": ("workload-high", 150, "ByUser", (
        MANAGER, "ServiceAccount kube-system/endpoint-controller", "ServiceAccount kube-system/endpointslicemirroring-controller"),
        ((USE, ("",), ("endpoints",), False),), None),
    "exempt": ("exempt", 1, "", ("Group system:masters",), EVERYTHING, (ALL, ALL)),
    "global-default": ("global-default", 9_900, "ByUser", ANYBODY, EVERYTHING, (ALL, ALL)),
    "kube-controller-manager": ("workload-high", 800, "ByNamespace", (MANAGER,), EVERYTHING, (ALL, ALL)),
    "kube-scheduler": ("workload-high", 800, "ByNamespace", (SCHEDULER,), EVERYTHING, (ALL, ALL)),
    "kube-system-service-accounts": ("workload-high", 900, "ByNamespace", (OF_THE_SYSTEM,), EVERYTHING, (ALL, ALL)),
    "probes": ("exempt", 2, "", ANYBODY, (), (("get",), ("/healthz", "/readyz", "/livez"))),
    "service-accounts": ("workload-low", 9_000, "ByUser", ("Group system:serviceaccounts",), EVERYTHING, (ALL, ALL)),
    "system-leader-election": ("leader-election", 100, "ByUser", (MANAGER, SCHEDULER, OF_THE_SYSTEM), LOCKS[1:], None),
    "system-node-high": ("node-high", 400, "ByUser", ("Group system:nodes",), (
        (ALL, ("",), ("nodes", "nodes/status"), True), (ALL, ("coordination.k8s.io",), ("leases",), False)), None),
    "system-nodes": ("system", 500, "ByUser", ("Group system:nodes",), EVERYTHING, (ALL, ALL)),
    "workload-leader-election": ("leader-election", 200, "ByUser", (OF_THE_SYSTEM,), LOCKS, None),
}


def _level(shares: int, lendable: int, queues: tuple[int, int, int] | None) -> dict[str, Any]:
    response: dict[str, Any] = {"type": "Reject"}
    if queues is not None:
        response = {"type": "Queue", "queuing": {"queues": queues[0], "handSize": queues[1], "queueLengthLimit": queues[2]}}
    return {"type": "Limited", "limited": {"nominalConcurrencyShares": shares, "lendablePercent": lendable, "limitResponse": response}}


def _subject(text: str) -> dict[str, Any]:
    kind, _, name = text.partition(" ")
    if kind == "ServiceAccount":
        namespace, _, account = name.partition("/")
        return {"kind": kind, "serviceAccount": {"namespace": namespace, "name": account}}
    return {"kind": kind, kind.lower(): {"name": name}}


def _flow(name: str) -> dict[str, Any]:
    level, precedence, method, subjects, resources, paths = FLOWS[name]
    rule: dict[str, Any] = {"subjects": [_subject(text) for text in subjects]}
    if resources:
        rule["resourceRules"] = [{"verbs": list(verbs), "apiGroups": list(groups), "resources": list(kinds), "namespaces": ["*"],
                                  **({"clusterScope": True} if wide else {})} for verbs, groups, kinds, wide in resources]
    if paths is not None:
        rule["nonResourceRules"] = [{"verbs": list(paths[0]), "nonResourceURLs": list(paths[1])}]
    return {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence, "rules": [rule],
            **({"distinguisherMethod": {"type": method}} if method else {})}


@lru_cache(maxsize=1)
def _specs() -> dict[str, dict[str, Map]]:
    """plural -> name -> spec; all clusters share them."""
    levels = {name: _level(*numbers) for name, numbers in LIMITED.items()}
    levels["exempt"] = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}
    made: dict[str, dict[str, Map]] = {SCHEMAS: {name: freeze(_flow(name)) for name in FLOWS},
                                       LEVELS: {name: freeze(spec) for name, spec in levels.items()}}
    return made


def find(cluster: Ground, plural: str, name: str) -> Map | None:
    spec, born = _specs()[plural].get(name), cluster.etcd.get("namespaces", "default")
    if spec is None or born is None:
        return None
    metadata = {"name": name, "annotations": AUTO_UPDATE, "uid": cluster.random.uid(plural, name), "generation": 1,
                "creationTimestamp": born["metadata"]["creationTimestamp"], "resourceVersion": born["metadata"]["resourceVersion"]}
    made: Map = freeze({"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": KINDS[plural], "metadata": metadata, "spec": spec, "status": {}})
    return made


def all_of(cluster: Ground, plural: str) -> list[Map]:
    return [obj for name in _specs()[plural] if (obj := find(cluster, plural, name)) is not None]


def as_read(cluster: Ground, schema: Map) -> Map:
    """A flow schema with the condition that says whether its priority level is there: Dangling."""
    name = ((schema.get("spec") or EMPTY).get("priorityLevelConfiguration") or EMPTY).get("name", "")
    there = name in _specs()[LEVELS] or cluster.etcd.get(LEVELS, name) is not None
    said = f'This FlowSchema references the PriorityLevelConfiguration object named "{name}" '
    status = schema.get("status") or EMPTY
    held = [one for one in status.get("conditions") or () if one["type"] != "Dangling"]
    now = {"type": "Dangling", "status": "False" if there else "True", "lastTransitionTime": schema["metadata"]["creationTimestamp"],
           "reason": "Found" if there else "NotFound", "message": said + ("and it exists" if there else "but there is no such object")}
    found: Map = freeze({**schema, "status": {**status, "conditions": [*held, now]}})
    return found
