"""What the server accepts and warns of: Warning headers, which kubectl prints.

Sources: pkg/api/pod/warnings.go (warningsForPodSpecAndMeta), pkg/api/service/warnings.go, pkg/api/node/util.go (labels),
pkg/api/persistentvolume/util.go, the strategies of pkg/registry/networking/ingress and pkg/registry/discovery/endpointslice,
staging/src/k8s.io/pod-security-admission/admission (the `warn` label, for Pods and for the templates of what makes them).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import quantity
from ..objects import dig
from ..resources import Resource
from .admission import pod_security
from .pipeline import Context
from .validation.networking import CLASS_ANNOTATION
from .validation.services import TOPOLOGY_HINTS, TOPOLOGY_MODE

Object = Mapping[str, Any]

# Kinds that every answer warns of, a refusal by the registry too (APILifecycleDeprecated; the installer's handlers, S/apiserver/endpoints)
DEPRECATED = {"endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
              "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+"}

TEMPLATES = {"Deployment": "spec.template", "ReplicaSet": "spec.template", "StatefulSet": "spec.template", "DaemonSet": "spec.template",
             "Job": "spec.template", "ReplicationController": "spec.template", "CronJob": "spec.jobTemplate.spec.template"}  # fmt: skip
LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+", "gitRepo": "deprecated in v1.11",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+", "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+", "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+", "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}  # fmt: skip
SECCOMP, SECCOMP_OF = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR_OF = "container.apparmor.security.beta.kubernetes.io/"
USE_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
USE_APPARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
RECYCLE = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."


def warn_of_change(resource: Resource, new: Object, old: Object, ctx: Context) -> None:
    """Warn of an object whose spec somebody changed, and of a namespace that now enforces more than its Pods keep."""
    if resource.kind == "Namespace":
        for text in pod_security.warnings_of_namespace(new, old, ctx):
            ctx.warn(text)
    elif resource.kind == "Service":
        for text in _of_service(new):
            ctx.warn(text)
    elif new.get("spec") != old.get("spec") and resource.kind != "Ingress":
        warn(resource, new, ctx)


def warn(resource: Resource, obj: Object, ctx: Context) -> None:
    """Warn of a new object, or of one whose spec somebody changed."""
    path = "" if resource.kind == "Pod" else TEMPLATES.get(resource.kind)
    if path is not None:
        pod = dig(obj, path) if path else obj
        for text in (*pod_security.warnings(pod["spec"], obj["metadata"]["namespace"], ctx), *_of_pod(pod, f"{path}." if path else "")):
            ctx.warn(text)
    elif resource.kind == "PersistentVolume" and obj["spec"].get("persistentVolumeReclaimPolicy") == "Recycle":
        ctx.warn(f"spec.persistentVolumeReclaimPolicy: {RECYCLE}")
    elif resource.kind == "Service":
        for text in _of_service(obj):
            ctx.warn(text)
    elif resource.kind == "Ingress" and CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {}) and not obj["spec"].get("ingressClassName"):
        ctx.warn(f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead")
    elif resource.kind == "EndpointSlice" and obj.get("addressType") == "FQDN":
        ctx.warn("spec.addressType: FQDN endpoints are deprecated")


def _of_service(service: Object) -> Iterator[str]:
    """GetWarningsForService, of all but addresses in odd spellings; of every write, whatever it changes."""
    spec, outside = service["spec"], service["spec"].get("type") == "ExternalName"
    if TOPOLOGY_HINTS in (service["metadata"].get("annotations") or {}):
        yield f"annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    if headless:
        ignored = {"loadBalancerIP": spec.get("loadBalancerIP"), "externalIPs": spec.get("externalIPs"),
                   "SessionAffinity": spec.get("sessionAffinity") != "None"}
        yield from (f"spec.{member} is ignored for headless services" for member, there in ignored.items() if there)
    elif spec.get("externalIPs") and not outside:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if outside and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not outside and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _of_pod(pod: Object, at: str) -> Iterator[str]:
    spec, annotations = pod["spec"], (pod.get("metadata") or {}).get("annotations") or {}
    for label in spec.get("nodeSelector") or ():
        if label in LABELS:
            yield f"{at}spec.nodeSelector[{label}]: {LABELS[label]}"
    yield from _of_affinity(spec, at)
    for i, one in enumerate(spec.get("topologySpreadConstraints") or ()):
        here = f"{at}spec.topologySpreadConstraints[{i}]"
        if one.get("topologyKey") in LABELS:
            yield f"{here}.topologyKey: {one['topologyKey']} is {LABELS[one['topologyKey']]}"
        if one.get("labelSelector") is None:
            yield f"{here}.labelSelector: a null labelSelector results in matching no pod"
    for name, text in ANNOTATIONS.items():
        if name in annotations:
            yield f"{at}metadata.annotations[{name}]: {text}"
    for i, volume in enumerate(spec.get("volumes") or ()):
        for kind, text in VOLUMES.items():
            if volume.get(kind) is not None:
                yield f"{at}spec.volumes[{i}].{kind}: {text}"
    yield from _twice(spec.get("hostAliases") or (), "ip", f"{at}spec.hostAliases")
    yield from _twice(spec.get("imagePullSecrets") or (), "name", f"{at}spec.imagePullSecrets")
    for i, one in enumerate(spec.get("imagePullSecrets") or ()):
        if not one.get("name"):
            yield f'{at}spec.imagePullSecrets[{i}].name: invalid empty name ""'
    context = spec.get("securityContext") or {}
    if SECCOMP in annotations and not context.get("seccompProfile"):
        yield f"{at}metadata.annotations[{SECCOMP}]: {USE_SECCOMP}"
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for i, one in enumerate(spec.get(member) or ()):
            yield from _of_container(one, context, annotations, at, f"{at}spec.{member}[{i}]")


def _of_affinity(spec: Object, at: str) -> Iterator[str]:
    node = dig(spec, "affinity.nodeAffinity") or {}
    required, preferred = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
    terms = [(f"{required}.nodeSelectorTerms[{i}]", term) for i, term in enumerate((node.get(required) or {}).get("nodeSelectorTerms") or ())]
    terms += [(f"{preferred}[{i}].preference", one.get("preference") or {}) for i, one in enumerate(node.get(preferred) or ())]
    for where, term in terms:
        for i, one in enumerate(term.get("matchExpressions") or ()):
            if one.get("key") in LABELS:
                yield f"{at}spec.affinity.nodeAffinity.{where}.matchExpressions[{i}].key: {one['key']} is {LABELS[one['key']]}"


def _of_container(one: Object, whole: Object, annotations: Object, at: str, here: str) -> Iterator[str]:
    mine = one.get("securityContext") or {}
    if SECCOMP_OF + one["name"] in annotations and not mine.get("seccompProfile"):
        yield f"{at}metadata.annotations[{SECCOMP_OF}{one['name']}]: {USE_SECCOMP}"
    if at and APPARMOR_OF + one["name"] in annotations and not (mine.get("appArmorProfile") or whole.get("appArmorProfile")):
        yield f"{at}metadata.annotations[{APPARMOR_OF}{one['name']}]: {USE_APPARMOR}"
    for name in ("memory", "ephemeral-storage"):
        for which in ("limits", "requests"):
            amount = ((one.get("resources") or {}).get(which) or {}).get(name)
            if amount and quantity.parse(str(amount)).denominator != 1:
                yield f'{here}.resources.{which}[{name}]: fractional byte value "{amount}" is invalid, must be an integer'
    seen: set[str] = set()
    for i, variable in enumerate(one.get("env") or ()):
        name, reference = variable["name"], f"$({variable['name']})"
        value = variable.get("value") or ""
        if name in seen and (variable.get("valueFrom") or value == reference or reference not in value):
            yield f'{here}.env[{i}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _twice(items: Any, member: str, where: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, one in enumerate(items):
        if one.get(member) in seen:
            yield f'{where}[{i}].{member}: duplicate {member} "{one[member]}"'
        seen.add(one.get(member))
