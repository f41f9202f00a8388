"""What the API server fills in when a field is not given: the SetDefaults_* functions of every served kind.

Sources: pkg/apis/*/v1/defaults.go. A frozen `spec` is defaulted once for all its users (memoised on itself), so a
controller that makes a thousand Pods from one template pays for one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..objects import Map, dig, freeze, memo, thaw
from ..resources import Resource
from . import defaults_cluster
from . import defaults_pods as pods

Object = dict[str, Any]


def apply_defaults(resource: Resource, obj: Object) -> None:
    """Fill in a decoded object, in place. Frozen top-level members are replaced by their defaulted, frozen form."""
    if default := MEMBERS.get(resource.kind):
        member, fill = default
        value = obj.get(member)
        if type(value) is Map:
            obj[member] = memo(value, "defaults " + resource.kind, lambda frozen: _filled(frozen, fill))
        else:
            fill(obj.setdefault(member, {}))
    if whole := WHOLE.get(resource.kind):
        whole(obj)


def _filled(frozen: Map, fill: Callable[[Object], None]) -> Map:
    value = thaw(frozen)
    fill(value)
    return frozen if value == frozen else freeze(value)


# --- workloads -----------------------------------------------------------------------------------------------------


def template(value: Object | None) -> None:
    if value is not None:
        pods.default_pod_spec(value.setdefault("spec", {}))


def _deployment(spec: Object) -> None:
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    template(spec.setdefault("template", {}))


def _replicaset(spec: Object) -> None:
    spec.setdefault("replicas", 1)
    template(spec.setdefault("template", {"metadata": {}, "spec": {}}))


def _replication_controller(spec: Object) -> None:
    spec.setdefault("replicas", 1)
    if spec.get("template") is not None:
        template(spec["template"])
        labels = spec["template"].get("metadata", {}).get("labels")
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)


def _statefulset(spec: Object) -> None:
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    template(spec.setdefault("template", {}))
    for claim in spec.get("volumeClaimTemplates") or ():
        claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
        claim["spec"].setdefault("volumeMode", "Filesystem")
        claim.setdefault("status", {}).setdefault("phase", "Pending")


def _daemonset(spec: Object) -> None:
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    template(spec.setdefault("template", {}))


def _job(spec: Object) -> None:
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    if "backoffLimit" not in spec:
        spec["backoffLimit"] = 2**31 - 1 if "backoffLimitPerIndex" in spec else 6
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    _pod_failure_policy(spec)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    template(spec.setdefault("template", {}))


def _pod_failure_policy(spec: Object) -> None:
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            pattern["status"] = pattern.get("status") or "True"


def _cronjob(spec: Object) -> None:
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
    _pod_failure_policy(job)
    template(job.setdefault("template", {}))


def _labels_of_template(obj: Object) -> None:
    """An unlabelled ReplicationController or Job takes its template's labels."""
    labels = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _horizontal_pod_autoscaler(obj: Object) -> None:
    spec = obj["spec"] = thaw(obj["spec"])
    spec.setdefault("minReplicas", 1)
    if obj.get("apiVersion") == "autoscaling/v1":
        return
    if not spec.get("metrics"):
        spec["metrics"] = [{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]
    if "behavior" in spec:
        up = spec["behavior"].setdefault("scaleUp", {})
        up.setdefault("stabilizationWindowSeconds", 0)
        up.setdefault("selectPolicy", "Max")
        if not up.get("policies"):
            up["policies"] = [{"type": "Pods", "value": 4, "periodSeconds": 15},
                              {"type": "Percent", "value": 100, "periodSeconds": 15}]
        down = spec["behavior"].setdefault("scaleDown", {})
        down.setdefault("selectPolicy", "Max")
        if not down.get("policies"):
            down["policies"] = [{"type": "Percent", "value": 100, "periodSeconds": 15}]


# --- services and networks -----------------------------------------------------------------------------------------


def _service(spec: Object) -> None:
    affinity = spec.setdefault("sessionAffinity", "None")
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    if affinity == "ClientIP" and config.get("timeoutSeconds") is None:
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}  # DefaultClientIPServiceAffinitySeconds
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port["port"]
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _service_status(obj: Object) -> None:
    """An address of a load balancer is its own (VIP) unless the balancer says otherwise."""
    points = dig(obj, "status.loadBalancer.ingress") or ()
    if dig(obj, "spec.type") == "LoadBalancer" and any(point.get("ip") and point.get("ipMode") is None for point in points):
        filled = [{**point, "ipMode": "VIP"} if point.get("ip") and point.get("ipMode") is None else point for point in points]
        obj["status"] = {**obj["status"], "loadBalancer": {**obj["status"]["loadBalancer"], "ingress": filled}}


def _endpoints(obj: Object) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            port.setdefault("protocol", "TCP")


def _endpoint_slice(obj: Object) -> None:
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _network_policy(spec: Object) -> None:
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for rule in (*(spec.get("ingress") or ()), *(spec.get("egress") or ())):
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


def _ingress_class(spec: Object) -> None:
    if "parameters" in spec:
        spec["parameters"].setdefault("scope", "Cluster")


# --- storage, policy and the rest ----------------------------------------------------------------------------------


def _claim(spec: Object) -> None:
    spec.setdefault("volumeMode", "Filesystem")
    for name in ("limits", "requests"):
        if resources := (spec.get("resources") or {}).get(name):
            pods.default_resource_list(resources)


def _claim_status(obj: Object) -> None:
    obj["status"] = {**(obj.get("status") or {}), "phase": (obj.get("status") or {}).get("phase") or "Pending"}


def _volume(spec: Object) -> None:
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    pods.default_resource_list(spec.get("capacity") or {})
    pods.default_volume({"name": "", **{name: spec[name] for name in spec if isinstance(spec[name], dict) and name not in (
        "capacity", "claimRef", "nodeAffinity")}, "_": None})


def _storage_class(obj: Object) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _priority_class(obj: Object) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _limit_range(spec: Object) -> None:
    for item in spec.get("limits") or ():
        if item.get("type") == "Container":
            limits = {**(item.get("max") or {}), **(item.get("default") or {})}
            requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
            if limits:
                item["default"] = limits
            if requests:
                item["defaultRequest"] = requests


def _namespace(obj: Object) -> None:
    name = obj["metadata"].get("name")
    if name:
        obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": name}
    obj["status"] = {**(obj.get("status") or {}), "phase": (obj.get("status") or {}).get("phase") or "Active"}


def _node(obj: Object) -> None:
    status = obj.get("status") or {}
    if status.get("capacity") and "allocatable" not in status:
        obj["status"] = {**status, "allocatable": dict(status["capacity"])}


def _secret(obj: Object) -> None:
    obj.setdefault("type", "Opaque")


RBAC_GROUP = "rbac.authorization.k8s.io"


def _binding(obj: Object) -> None:
    if not obj["roleRef"].get("apiGroup"):
        obj["roleRef"] = {**obj["roleRef"], "apiGroup": RBAC_GROUP}
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group") and not subject.get("apiGroup"):
            subject["apiGroup"] = RBAC_GROUP


def _custom_resource_definition(spec: Object) -> None:
    names = spec.setdefault("names", {})
    if names.get("kind"):
        if not names.get("singular"):
            names["singular"] = names["kind"].lower()
        if not names.get("listKind"):
            names["listKind"] = names["kind"] + "List"
    service = dig(spec.setdefault("conversion", {"strategy": "None"}), "webhook.clientConfig.service")
    if service is not None:
        service.setdefault("port", 443)


# kind -> (member, how to fill it): members that may be frozen and are filled once
MEMBERS: dict[str, tuple[str, Callable[[Object], None]]] = {
    "Pod": ("spec", pods.default_pod), "PodTemplate": ("template", template),
    "Deployment": ("spec", _deployment), "ReplicaSet": ("spec", _replicaset), "StatefulSet": ("spec", _statefulset),
    "DaemonSet": ("spec", _daemonset), "ReplicationController": ("spec", _replication_controller), "Job": ("spec", _job),
    "CronJob": ("spec", _cronjob), "Service": ("spec", _service), "NetworkPolicy": ("spec", _network_policy),
    "IngressClass": ("spec", _ingress_class), "PersistentVolumeClaim": ("spec", _claim), "PersistentVolume": ("spec", _volume),
    "LimitRange": ("spec", _limit_range),
    "ValidatingAdmissionPolicy": ("spec", defaults_cluster.admission_policy),
    "MutatingAdmissionPolicy": ("spec", defaults_cluster.admission_policy),
    "ValidatingAdmissionPolicyBinding": ("spec", defaults_cluster.admission_policy_binding),
    "MutatingAdmissionPolicyBinding": ("spec", defaults_cluster.admission_policy_binding),
    "FlowSchema": ("spec", defaults_cluster.flow_schema), "PriorityLevelConfiguration": ("spec", defaults_cluster.priority_level),
    "ResourceClaim": ("spec", defaults_cluster.resource_claim),
    "ResourceClaimTemplate": ("spec", defaults_cluster.resource_claim_template), "CSIDriver": ("spec", defaults_cluster.csi_driver),
    "CustomResourceDefinition": ("spec", _custom_resource_definition),
}

# kind -> defaults that touch the object's other members
WHOLE: dict[str, Callable[[Object], None]] = {
    "ReplicationController": _labels_of_template, "Job": _labels_of_template,
    "HorizontalPodAutoscaler": _horizontal_pod_autoscaler,
    "Service": _service_status, "Endpoints": _endpoints, "EndpointSlice": _endpoint_slice, "PersistentVolumeClaim": _claim_status,
    "StorageClass": _storage_class, "PriorityClass": _priority_class, "Namespace": _namespace, "Node": _node, "Secret": _secret,
    "RoleBinding": _binding, "ClusterRoleBinding": _binding, "ValidatingWebhookConfiguration": defaults_cluster.webhooks,
    "MutatingWebhookConfiguration": defaults_cluster.mutating_webhooks, "APIService": defaults_cluster.api_service,
}
