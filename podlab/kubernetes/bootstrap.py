"""What a new cluster holds before anybody touches it."""

from __future__ import annotations

from typing import Any

from . import bootstrap_rbac
from .addresses import node_ip, pod_cidr
from .apiserver.context import SERVICE_RANGE
from .apiserver.leases import lease_object
from .cause import Cause
from .controllers_common import own_service
from .controllers_common.root_ca import root_ca
from .controllers_common.volume_plugins import HOST_PATH
from .ground import Ground
from .objects import Map
from .times import rfc3339

DEFAULT_SPEC: dict[str, Any] = {"nodes": [
    {"name": "node-1", "cpu": "2", "memory": "4028120Ki"},
    {"name": "node-2", "cpu": "2", "memory": "4028120Ki"},
    {"name": "node-3", "cpu": "2", "memory": "4028120Ki"},
]}
BEGAN = Cause("bootstrap")
DECLARED = ("ExtendWebSocketsToKubelet", "InPlacePodLevelResourcesVerticalScaling", "InPlacePodVerticalScalingInitContainers",
            "RestartAllContainersOnContainerExits")  # what a kubelet of 1.36 declares of itself (NodeDeclaredFeatures)
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
# pkg/apis/scheduling/types.go: SystemCriticalPriority and SystemCriticalPriority + 1000
PRIORITY_CLASSES = (("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be "
                     "moved to another node if necessary."),
                    ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."))


def fill(cluster: Ground) -> None:
    """Namespaces, the API's own Service, priority and storage classes, nodes. Written straight: nobody is there yet to ask."""
    put = _Writer(cluster)
    for name in NAMESPACES:
        put("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
                           "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
        put("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}})
        put("configmaps", root_ca(name))
    for name, value, description in PRIORITY_CLASSES:
        put("priorityclasses", {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name, "generation": 1},
                                "value": value, "description": description, "preemptionPolicy": "PreemptLowerPriority"})
    put("storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
                           "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                           "provisioner": HOST_PATH, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})
    own = own_service.objects()
    put("services", own["services"])
    for index, node in enumerate(cluster.spec["nodes"]):
        made = put("nodes", node_object(cluster, index, node))
        put("leases", lease_object(node["name"], made["metadata"]["uid"]))
    for plural, obj in bootstrap_rbac.objects():
        put(plural, obj)
    put("endpoints", own["endpoints"])
    put("endpointslices", own["endpointslices"])
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(cluster.clock.now), "reason": "",
             "message": "Kubernetes default Service CIDR is ready"}  # controlplane/controller/defaultservicecidr
    put("servicecidrs", {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR",
                         "metadata": {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]},
                         "spec": {"cidrs": [str(SERVICE_RANGE)]}, "status": {"conditions": [ready]}})


class _Writer:
    def __init__(self, cluster: Ground) -> None:
        self._cluster = cluster

    def __call__(self, plural: str, obj: dict[str, Any]) -> Map:
        return self._cluster.server.store_new(plural, obj, BEGAN)


def node_object(cluster: Ground, index: int, spec: dict[str, Any]) -> dict[str, Any]:
    """A Node as its kubelet registers it and the node lifecycle controller finds it: Ready."""
    name, now = spec["name"], rfc3339(cluster.clock.now)
    resources = {"cpu": str(spec.get("cpu", "2")), "ephemeral-storage": spec.get("disk", "263163508Ki"), "hugepages-1Gi": "0",
                 "hugepages-2Mi": "0", "memory": spec.get("memory", "4028120Ki"), "pods": str(spec.get("pods", "110"))}
    labels = {"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
              "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **spec.get("labels", {})}
    conditions = [("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                  ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                  ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                  ("Ready", "True", "KubeletReady", "kubelet is posting ready status")]
    machine = cluster.random.hexadecimal(32, "machine", name)
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {
            "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
        "spec": {"podCIDR": pod_cidr(index), "podCIDRs": [pod_cidr(index)], **({"taints": spec["taints"]} if spec.get("taints") else {})},
        "status": {
            "capacity": {**resources, **spec.get("capacity", {})}, "allocatable": resources,
            "conditions": [{"type": kind, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": reason,
                            "message": message} for kind, status, reason, message in conditions],
            "addresses": [{"type": "InternalIP", "address": node_ip(index)}, {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {"machineID": machine, "systemUUID": machine, "bootID": cluster.random.uid("boot", name),
                         "kernelVersion": "6.18.44", "osImage": "Debian GNU/Linux 12 (bookworm)",
                         "containerRuntimeVersion": "containerd://2.3.4", "kubeletVersion": "v1.36.2", "kubeProxyVersion": "",
                         "operatingSystem": "linux", "architecture": "amd64"},
            "images": [],
            "runtimeHandlers": [{"name": "", "features": {"recursiveReadOnlyMounts": True, "userNamespaces": False}},
                                {"name": "runc", "features": {"recursiveReadOnlyMounts": True, "userNamespaces": False}}],
            "features": {"supplementalGroupsPolicy": True}, "declaredFeatures": DECLARED}}

