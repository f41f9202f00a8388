"""The kinds that the cluster serves: what `kubectl api-resources` lists, and what discovery tells clients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One served kind. `plural` is the key used throughout the engine (`"pods"`), unique in the cluster. A kind that people defined has its
    definition's name there (`"crontabs.stable.example.com"`) and in `custom` what that says (customresources/definitions.py, Served)."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = field(default=READ_WRITE)
    singular: str = ""
    custom: Any = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The plural as addresses and people have it: `pods`, `crontabs`."""
        return self.plural.removesuffix("." + self.group) if self.custom is not None else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, or `pods` in the core group."""
        return f"{self.name}.{self.group}" if self.group else self.plural

    @property
    def one(self) -> str:
        """The singular name, `pod`."""
        return self.singular or self.kind.lower()


def _core(plural: str, kind: str, short: str = "", *, namespaced: bool = True, sub: str = "", all_: bool = False) -> Resource:
    return _of("", "v1", plural, kind, short, namespaced=namespaced, sub=sub, all_=all_)


def _of(group: str, version: str, plural: str, kind: str, short: str = "", *, namespaced: bool = True, sub: str = "",
        all_: bool = False) -> Resource:
    return Resource(group, version, plural, kind, namespaced, tuple(short.split()), tuple(sub.split()), ("all",) if all_ else ())


RESOURCES: tuple[Resource, ...] = (
    _core("bindings", "Binding"),
    _core("componentstatuses", "ComponentStatus", "cs", namespaced=False),
    _core("configmaps", "ConfigMap", "cm"),
    _core("endpoints", "Endpoints", "ep"),
    _core("events", "Event", "ev"),
    _core("limitranges", "LimitRange", "limits"),
    _core("namespaces", "Namespace", "ns", namespaced=False, sub="finalize status"),
    _core("nodes", "Node", "no", namespaced=False, sub="proxy status"),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", sub="status"),
    _core("persistentvolumes", "PersistentVolume", "pv", namespaced=False, sub="status"),
    _core("pods", "Pod", "po", all_=True,
          sub="attach binding ephemeralcontainers eviction exec log portforward proxy resize status"),
    _core("podtemplates", "PodTemplate"),
    _core("replicationcontrollers", "ReplicationController", "rc", sub="scale status", all_=True),
    _core("resourcequotas", "ResourceQuota", "quota", sub="status"),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa", sub="token"),
    _core("services", "Service", "svc", sub="proxy status", all_=True),
    _of("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", namespaced=False),
    _of("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", namespaced=False),
    _of("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced=False),
    _of("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False, sub="status"),
    _of("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced=False),
    _of("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", namespaced=False),
    _of("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd crds", namespaced=False, sub="status"),
    _of("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False, sub="status"),
    _of("apps", "v1", "controllerrevisions", "ControllerRevision"),
    _of("apps", "v1", "daemonsets", "DaemonSet", "ds", sub="status", all_=True),
    _of("apps", "v1", "deployments", "Deployment", "deploy", sub="scale status", all_=True),
    _of("apps", "v1", "replicasets", "ReplicaSet", "rs", sub="scale status", all_=True),
    _of("apps", "v1", "statefulsets", "StatefulSet", "sts", sub="scale status", all_=True),
    _of("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", sub="status", all_=True),
    _of("batch", "v1", "cronjobs", "CronJob", "cj", sub="status", all_=True),
    _of("batch", "v1", "jobs", "Job", sub="status", all_=True),
    _of("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", "csr", namespaced=False,
        sub="approval status"),
    _of("coordination.k8s.io", "v1", "leases", "Lease"),
    _of("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    _of("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", namespaced=False, sub="status"),
    _of("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", namespaced=False, sub="status"),
    _of("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False),
    _of("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", sub="status"),
    _of("networking.k8s.io", "v1", "ipaddresses", "IPAddress", "ip", namespaced=False),
    _of("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol"),
    _of("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", namespaced=False, sub="status"),
    _of("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", namespaced=False),
    _of("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", sub="status"),
    _of("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _of("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    _of("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    _of("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    _of("resource.k8s.io", "v1", "deviceclasses", "DeviceClass", namespaced=False),
    _of("resource.k8s.io", "v1", "resourceclaims", "ResourceClaim", sub="status"),
    _of("resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate"),
    _of("resource.k8s.io", "v1", "resourceslices", "ResourceSlice", namespaced=False),
    _of("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc", namespaced=False),
    _of("storage.k8s.io", "v1", "csidrivers", "CSIDriver", namespaced=False),
    _of("storage.k8s.io", "v1", "csinodes", "CSINode", namespaced=False),
    _of("storage.k8s.io", "v1", "csistoragecapacities", "CSIStorageCapacity"),
    _of("storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", namespaced=False),
    _of("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", namespaced=False, sub="status"),
    _of("storage.k8s.io", "v1", "volumeattributesclasses", "VolumeAttributesClass", "vac", namespaced=False),
)

BY_PLURAL: dict[str, Resource] = {resource.plural: resource for resource in RESOURCES}
BY_KIND: dict[str, Resource] = {resource.kind: resource for resource in RESOURCES}


def by_api_kind(api_version: str, kind: str, customs: Iterable[Resource] = ()) -> Resource | None:
    """The served resource of a manifest's apiVersion and kind, or None ("no matches for kind"). `customs`: those that people defined."""
    resource = BY_KIND.get(kind)
    if resource is not None and resource.api_version == api_version:
        return resource
    return next((one for one in customs if one.kind == kind and one.api_version == api_version), None)


def _is_called(resource: Resource, word: str) -> bool:
    return word in (resource.name, resource.one, resource.kind.lower(), *resource.short_names)


@lru_cache(maxsize=256)
def _called(word: str) -> tuple[Resource, ...]:
    return tuple(resource for resource in RESOURCES if _is_called(resource, word))


def by_any_name(name: str, customs: Iterable[Resource] = ()) -> Resource | None:
    """The resource a person means by `po`, `pod`, `pods`, `Pod`, `deploy`, `deployments.apps` or `deployments.v1.apps`.

    Where no group is called so, the first whose name begins so: `ing.networking` (DefaultRESTMapper.ResourcesFor).
    """
    wanted, _, rest = name.lower().partition(".")
    called = [*_called(wanted), *(resource for resource in customs if _is_called(resource, wanted))]
    exact = (resource for resource in called if rest in ("", resource.group, f"{resource.version}.{resource.group}"))
    return next(exact, None) or next((resource for resource in called if rest and resource.group.startswith(rest)), None)
