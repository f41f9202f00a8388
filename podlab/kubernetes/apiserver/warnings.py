"""What the server accepts and warns of: Warning headers, which kubectl prints.

Sources: WarningsOnCreate and WarningsOnUpdate of the strategies in pkg/registry/*/*/strategy.go, pkg/api/{job,service,storage,
persistentvolume,persistentvolumeclaim,node}, apiextensions-apiserver/pkg/registry, and staging/src/k8s.io/pod-security-admission/admission
(the `warn` label, for Pods and for the templates of what makes them). A strategy's warnings come before those of admission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ..objects import dig
from ..resources import Resource
from . import key_pairs, warnings_pods
from .admission import pod_security
from .context import WARNING_CUT, WARNINGS_MAX
from .errors import show
from .pipeline import Context
from .validation.networking import CLASS_ANNOTATION
from .validation.services import TOPOLOGY_HINTS, TOPOLOGY_MODE
from .validation.words import bad_label, bad_qualified_name
from .warnings_pods import LABELS

Object = Mapping[str, Any]

# Kinds that every answer warns of, a refusal by the registry too (APILifecycleDeprecated; the installer's handlers, S/apiserver/endpoints)
DEPRECATED = {"endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
              "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+"}

TEMPLATES = {"Deployment": "spec.template", "ReplicaSet": "spec.template", "StatefulSet": "spec.template", "DaemonSet": "spec.template",
             "Job": "spec.template", "ReplicationController": "spec.template", "CronJob": "spec.jobTemplate.spec.template",
             "PodTemplate": "template"}  # fmt: skip
NAMES_PODS = ("Deployment", "ReplicaSet", "ReplicationController", "Job", "CronJob")  # not StatefulSet, not DaemonSet
SPECS = {"Job": "spec", "CronJob": "spec.jobTemplate.spec"}
MANY_COMPLETIONS, MANY_AT_ONCE = 100_000, 10_000  # pkg/api/job/warnings.go, the soft limits
MANY = ("In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
        "Kubernetes might not be able to track completedIndexes when a big number of indexes fail")
ALL_REVISIONS = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
RECYCLE = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
BETA_CLASS, BETA_OPTIONS = "volume.beta.kubernetes.io/storage-class", "volume.beta.kubernetes.io/mount-options"
USE_CLASS = 'deprecated since v1.8; use "storageClassName" attribute instead'
USE_OPTIONS = 'deprecated since v1.31; use "mountOptions" attribute instead'
MANAGED_ENDPOINTS, MANAGED_SLICES = "endpoints.kubernetes.io/managed-by", "endpointslice.kubernetes.io/managed-by"
OWN = ("endpoint-controller", "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
# supportedVersionedFormats (apiextensions-apiserver/pkg/apiserver/validation/formats.go), without their hyphens
FORMATS = frozenset("""bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor
byte password date duration datetime k8sshortname k8slongname""".split())
SCHEMAS, SCHEMA_LISTS = ("items", "not", "additionalProperties", "additionalItems"), ("items", "allOf", "anyOf", "oneOf")
SCHEMA_MAPS = ("properties", "patternProperties", "definitions", "dependencies")


def warn_of_change(resource: Resource, new: Object, old: Object, ctx: Context) -> None:
    """Warn of an object that somebody changed, and of a namespace that now enforces more than its Pods keep."""
    kind = resource.kind
    texts: Iterable[str] = ()
    path = TEMPLATES.get(kind)
    if kind == "Namespace":
        texts = pod_security.warnings_of_namespace(new, old, ctx)
    elif kind == "Pod":  # people seldom write Pods, says its strategy, and warns of none
        if pod_security.is_significant(new["spec"], old["spec"]):
            texts = pod_security.warnings(new["spec"], new["metadata"]["namespace"], ctx)
    elif path:
        changed = new.get(path.partition(".")[0]) != old.get(path.partition(".")[0])
        texts = chain(_of_template(resource, new, path) if changed else _of_stateful_set(new) if kind == "StatefulSet" else (),
                      pod_security.warnings(dig(new, path)["spec"], new["metadata"]["namespace"], ctx))
    elif kind == "CustomResourceDefinition":
        texts = [text for text in _of_definition(new) if text not in _of_definition(old)]
    elif kind in OF_EVERY_WRITE:
        texts = OF_EVERY_WRITE[kind](new)
    _tell(texts, ctx)


def warn(resource: Resource, obj: Object, ctx: Context) -> None:
    """Warn of a new object."""
    kind = resource.kind
    path = TEMPLATES.get(kind)
    texts: Iterable[str] = ()
    if kind == "Pod":
        texts = chain(_of_name(obj, "the Pod's hostname"), warnings_pods.of_pod(obj, ""),
                      pod_security.warnings(obj["spec"], obj["metadata"]["namespace"], ctx))
    elif path:
        texts = chain(_of_name(obj, "Pod names and hostnames") if kind in NAMES_PODS else (), _of_template(resource, obj, path),
                      pod_security.warnings(dig(obj, path)["spec"], obj["metadata"]["namespace"], ctx))
    elif kind in OF_NEW or kind in OF_EVERY_WRITE:
        texts = chain(OF_NEW[kind](obj) if kind in OF_NEW else (), OF_EVERY_WRITE[kind](obj) if kind in OF_EVERY_WRITE else ())
    _tell(texts, ctx)


def _tell(texts: Iterable[str], ctx: Context) -> None:
    """Until the answer is full: pairs of a thousand ports would be half a million texts."""
    for text in texts:
        if not ctx.warn(text):
            return


def within_bounds(texts: list[str]) -> list[str]:
    """What of an answer's warnings is told. All together longer than 4,096 characters, each is cut to 256, and none follows where that many
    are reached (apiserver/pkg/endpoints/filters/warning.go)."""
    whole = list(dict.fromkeys(texts))
    if sum(map(len, whole)) <= WARNINGS_MAX:
        return whole
    found: list[str] = []
    length = 0
    for text in whole:
        if length >= WARNINGS_MAX:
            break
        found.append(text[:WARNING_CUT])
        length += len(found[-1])
    return found


def warn_of_finalizers(new: Object, old: Object, ctx: Context) -> None:
    """Of people's own objects, whose finalizers may have any name: of those that `old` has not (generateWarningsFromObj). Both are metadata."""
    _tell(_of_finalizers(new, old), ctx)


def _of_finalizers(new: Object, old: Object) -> Iterator[str]:
    for name in sorted({*(new.get("finalizers") or ())} - {*(old.get("finalizers") or ())}):
        for complaint in bad_qualified_name(name):
            yield f"metadata.finalizers: {show(name)}: {complaint}"
        if "/" not in name and name not in FINALIZERS:
            yield (f"metadata.finalizers: {show(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental "
                   "conflicts with other finalizer writers")


def _of_name(obj: Object, used: str) -> Iterator[str]:
    if complaints := bad_label(obj["metadata"]["name"]):
        yield (f"metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: "
               f"[{' '.join(complaints)}]")


def _of_template(resource: Resource, obj: Object, path: str) -> Iterator[str]:
    """What a kind that makes Pods says of them, and of its own spec."""
    if resource.kind in SPECS:
        spec = dig(obj, SPECS[resource.kind])
        if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > MANY_COMPLETIONS and (
                spec.get("parallelism") or 0) > MANY_AT_ONCE:
            yield f"{SPECS[resource.kind]}: {MANY}"
    yield from warnings_pods.of_pod(dig(obj, path), f"{path}.")
    if resource.kind == "StatefulSet":
        yield from _of_stateful_set(obj)


def _of_stateful_set(obj: Object) -> Iterator[str]:
    for i, claim in enumerate(obj["spec"].get("volumeClaimTemplates") or ()):
        yield from warnings_pods.of_claim(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{i}]")
    if (obj["spec"].get("revisionHistoryLimit") or 0) < 0:
        yield ALL_REVISIONS


def _of_service(service: Object) -> Iterator[str]:
    """GetWarningsForService."""
    spec, outside = service["spec"], service["spec"].get("type") == "ExternalName"
    if TOPOLOGY_HINTS in (service["metadata"].get("annotations") or {}):
        yield f"annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    if headless:
        ignored = {"loadBalancerIP": spec.get("loadBalancerIP"), "externalIPs": spec.get("externalIPs"),
                   "SessionAffinity": spec.get("sessionAffinity") != "None"}
        yield from (f"spec.{member} is ignored for headless services" for member, there in ignored.items() if there)
    else:
        for i, address in enumerate(spec.get("clusterIPs") or ()):
            yield from warnings_pods.addresses(f"spec.clusterIPs[{i}]", address)
    for i, address in enumerate(spec.get("externalIPs") or ()):
        yield from warnings_pods.addresses(f"spec.externalIPs[{i}]", address)
    if spec.get("externalIPs") and not headless and not outside:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    yield from warnings_pods.addresses("spec.loadBalancerIP", spec.get("loadBalancerIP") or "")
    for i, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from warnings_pods.ranges(f"spec.loadBalancerSourceRanges[{i}]", cidr)
    if outside and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not outside and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _of_volume(obj: Object) -> Iterator[str]:
    """GetWarningsForPersistentVolume."""
    spec, annotations = obj["spec"], obj["metadata"].get("annotations") or {}
    for name, text in ((BETA_CLASS, USE_CLASS), (BETA_OPTIONS, USE_OPTIONS)):
        if name in annotations:
            yield f"metadata.annotations[{name}]: {text}"
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield f"spec.persistentVolumeReclaimPolicy: {RECYCLE}"
    for i, term in enumerate(dig(spec, "nodeAffinity.required.nodeSelectorTerms") or ()):
        yield from warnings_pods.of_node_term(term, f"spec.nodeAffinity.required.nodeSelectorTerms[{i}]")
    for kind in ("cephfs", "photonPersistentDisk", "scaleIO", "storageos", "glusterfs", "rbd"):
        if spec.get(kind) is not None:
            yield f"spec.{': '.join(warnings_pods.VOLUMES[kind])}"


def _of_claim(obj: Object) -> Iterator[str]:
    if BETA_CLASS in (obj["metadata"].get("annotations") or {}):
        yield f"metadata.annotations[{BETA_CLASS}]: {USE_CLASS}"
    yield from warnings_pods.of_claim(obj["spec"], "spec")


def _of_storage_class(obj: Object) -> Iterator[str]:
    for i, topology in enumerate(obj.get("allowedTopologies") or ()):
        for j, one in enumerate(topology.get("matchLabelExpressions") or ()):
            if one.get("key") in LABELS:
                yield f"allowedTopologies[{i}].matchLabelExpressions[{j}].key: {LABELS[one['key']]}"


def _of_capacity(obj: Object) -> Iterator[str]:
    """GetWarningsForCSIStorageCapacity."""
    selector = obj.get("nodeTopology") or {}
    yield from warnings_pods.of_node_term(selector, "nodeTopology")
    yield from (f"nodeTopology.matchLabels.{label}: {LABELS[label]}" for label in selector.get("matchLabels") or () if label in LABELS)


def _of_runtime_class(obj: Object) -> Iterator[str]:
    yield from (f"scheduling.nodeSelector: {LABELS[label]}" for label in dig(obj, "scheduling.nodeSelector") or () if label in LABELS)


def _of_node(obj: Object) -> Iterator[str]:
    spec = obj.get("spec") or {}
    if spec.get("configSource") is not None:
        yield "spec.configSource: the feature is removed"
    if spec.get("externalID"):
        yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"


def _of_ingress(obj: Object) -> Iterator[str]:
    if CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {}) and not obj["spec"].get("ingressClassName"):
        yield f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"


def _of_network_policy(obj: Object) -> Iterator[str]:
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(obj["spec"].get(way) or ()):
            for j, peer in enumerate(rule.get(peers) or ()):
                block, here = peer.get("ipBlock") or {}, f"spec.{way}[{i}].{peers}[{j}].ipBlock"
                yield from warnings_pods.ranges(f"{here}.cidr", block.get("cidr") or "")
                for k, cidr in enumerate(block.get("except") or ()):
                    yield from warnings_pods.ranges(f"{here}.except[{k}]", cidr)


def _of_endpoints(obj: Object) -> Iterator[str]:
    if (obj["metadata"].get("labels") or {}).get(MANAGED_ENDPOINTS) in OWN:
        return
    for i, subset in enumerate(obj.get("subsets") or ()):
        for member in ("addresses", "notReadyAddresses"):
            for j, one in enumerate(subset.get(member) or ()):
                yield from warnings_pods.addresses(f"subsets[{i}].{member}[{j}].ip", one.get("ip") or "")


def _of_slice(obj: Object) -> Iterator[str]:
    if (obj["metadata"].get("labels") or {}).get(MANAGED_SLICES) in OWN or obj.get("addressType") == "FQDN":
        return
    for i, endpoint in enumerate(obj.get("endpoints") or ()):
        for j, address in enumerate(endpoint.get("addresses") or ()):
            yield from warnings_pods.addresses(f"endpoints[{i}].addresses[{j}]", address)


def _of_new_slice(obj: Object) -> Iterator[str]:
    if obj.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"


def _of_definition(obj: Object) -> list[str]:
    """Formats of texts that nobody checks."""
    found: set[str] = set()
    todo = [dig(version, "schema.openAPIV3Schema") for version in obj["spec"].get("versions") or ()]
    while todo:
        schema = todo.pop()
        if not isinstance(schema, Mapping):  # true, false or a list of names may stand where a schema may
            continue
        form = schema.get("format")
        if form and schema.get("type") == "string" and form.replace("-", "") not in FORMATS:
            found.add(form)
        todo += [schema.get(member) for member in SCHEMAS]
        for member in SCHEMA_LISTS:
            if isinstance(schema.get(member), (list, tuple)):
                todo += schema[member]
        for member in SCHEMA_MAPS:
            todo += (schema.get(member) or {}).values()
    return [f"unrecognized format {show(form)}" for form in sorted(found)]


def _of_secret(obj: Object) -> Iterator[str]:
    if obj.get("type") == "kubernetes.io/tls" and (wrong := key_pairs.complaint(obj.get("data") or {})):
        yield wrong


OF_NEW: dict[str, Callable[[Object], Any]] = {
    "Ingress": _of_ingress, "EndpointSlice": _of_new_slice, "CustomResourceDefinition": _of_definition,
}
OF_EVERY_WRITE: dict[str, Callable[[Object], Any]] = {
    "Service": _of_service, "PersistentVolume": _of_volume, "PersistentVolumeClaim": _of_claim, "StorageClass": _of_storage_class,
    "CSIStorageCapacity": _of_capacity, "RuntimeClass": _of_runtime_class, "Node": _of_node, "NetworkPolicy": _of_network_policy,
    "Endpoints": _of_endpoints, "EndpointSlice": _of_slice, "Secret": _of_secret,
}
