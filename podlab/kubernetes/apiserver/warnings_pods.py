"""What the server warns of in a Pod, or in a template of Pods, that it takes.

Sources: pkg/api/pod/warnings.go (warningsForPodSpecAndMeta), pkg/api/node/util.go (labels), pkg/api/persistentvolumeclaim/util.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from .. import quantity
from ..objects import dig
from .errors import show
from .validation.words import bad_label_value

Object = Mapping[str, Any]

LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
VOLUMES = {  # field -> (how the warning calls it, what it says)
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
SECCOMP, SECCOMP_OF = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR_OF = "container.apparmor.security.beta.kubernetes.io/"
USE_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
USE_APPARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
NO_POD = "a null labelSelector results in matching no pod"
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"


def of_pod(pod: Object, at: str) -> Iterator[str]:
    """`at`: where the template is, with its dot; empty for a Pod itself."""
    spec, annotations = pod["spec"], (pod.get("metadata") or {}).get("annotations") or {}
    for label in spec.get("nodeSelector") or ():
        if label in LABELS:
            yield f"{at}spec.nodeSelector[{label}]: {LABELS[label]}"
    if spec.get("affinity"):
        yield from _of_node_affinity(spec["affinity"], at)
    for i, one in enumerate(spec.get("topologySpreadConstraints") or ()):
        here = f"{at}spec.topologySpreadConstraints[{i}]"
        if one.get("topologyKey") in LABELS:
            yield f"{here}.topologyKey: {one['topologyKey']} is {LABELS[one['topologyKey']]}"
        if one.get("labelSelector") is None:
            yield f"{here}.labelSelector: {NO_POD}"
    for name, text in ANNOTATIONS.items():
        if name in annotations:
            yield f"{at}metadata.annotations[{name}]: {text}"
    if spec.get("volumes"):
        yield from _of_volumes(spec["volumes"], at)
    yield from _twice(spec.get("hostAliases") or (), "ip", f"{at}spec.hostAliases")
    yield from _twice(spec.get("imagePullSecrets") or (), "name", f"{at}spec.imagePullSecrets")
    for i, one in enumerate(spec.get("imagePullSecrets") or ()):
        if not one.get("name"):
            yield f'{at}spec.imagePullSecrets[{i}].name: invalid empty name ""'
    yield from fractions(spec.get("overhead"), f"{at}spec.overhead")
    context = spec.get("securityContext") or {}
    if SECCOMP in annotations and not context.get("seccompProfile"):
        yield f"{at}metadata.annotations[{SECCOMP}]: {USE_SECCOMP}"
    containers = [(f"{at}spec.{member}[{i}]", one) for member in ("initContainers", "containers", "ephemeralContainers")
                  for i, one in enumerate(spec.get(member) or ())]
    for here, one in containers:
        yield from _of_container(one, context, annotations, at, here)
    yield from _of_ports([(f"{here}.ports[{i}]", port) for here, one in containers for i, port in enumerate(one.get("ports") or ())])
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{at}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
    if spec.get("affinity"):
        yield from _of_pod_affinity(spec["affinity"], at)
    for i, address in enumerate(dig(spec, "dnsConfig.nameservers") or ()):
        yield from addresses(f"{at}spec.dnsConfig.nameservers[{i}]", address)
    for i, one in enumerate(spec.get("hostAliases") or ()):
        yield from addresses(f"{at}spec.hostAliases[{i}].ip", one.get("ip") or "")


def of_node_term(term: Object, at: str, values_too: bool = False) -> Iterator[str]:
    """GetWarningsForNodeSelectorTerm."""
    for i, one in enumerate(term.get("matchExpressions") or ()):
        if one.get("key") in LABELS:
            yield f"{at}.matchExpressions[{i}].key: {one['key']} is {LABELS[one['key']]}"
        for j, value in enumerate(one.get("values") or ()) if values_too else ():
            for complaint in bad_label_value(value):
                yield f"{at}.matchExpressions[{i}].values[{j}]: {value} is invalid, {complaint}"


def fractions(amounts: Object | None, at: str, names: tuple[str, ...] = ("memory", "ephemeral-storage")) -> Iterator[str]:
    """Amounts of bytes that are no whole number of them."""
    for name in names:
        amount = (amounts or {}).get(name)
        if amount and quantity.parse(str(amount)).denominator != 1:
            yield f'{at}[{name}]: fractional byte value "{amount}" is invalid, must be an integer'


def of_claim(spec: Object, at: str) -> Iterator[str]:
    """GetWarningsForPersistentVolumeClaimSpec."""
    for which in ("requests", "limits"):
        yield from fractions(dig(spec, f"resources.{which}"), f"{at}.resources.{which}", ("storage",))


def addresses(at: str, value: str) -> Iterator[str]:
    """GetWarningsForIP, of addresses that strict validation takes: IPv6 in an unusual spelling."""
    if ":" in value and (usual := str(ipaddress.ip_address(value))) != value:
        yield f"{at}: IPv6 address {show(value)} should be in RFC 5952 canonical format ({show(usual)})"


def ranges(at: str, value: str) -> Iterator[str]:
    """GetWarningsForCIDR, as `addresses`."""
    if ":" in value and (usual := str(ipaddress.ip_network(value, strict=False))) != value:
        yield f"{at}: IPv6 CIDR value {show(value)} should be in RFC 5952 canonical format ({show(usual)})"


def _of_node_affinity(affinity: Object, at: str) -> Iterator[str]:
    node = affinity.get("nodeAffinity") or {}
    for i, term in enumerate(dig(node, f"{REQUIRED}.nodeSelectorTerms") or ()):
        yield from of_node_term(term, f"{at}spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[{i}]")
    for i, one in enumerate(node.get(PREFERRED) or ()):
        yield from of_node_term(one.get("preference") or {}, f"{at}spec.affinity.nodeAffinity.{PREFERRED}[{i}].preference", values_too=True)


def _of_pod_affinity(affinity: Object, at: str) -> Iterator[str]:
    for kind in ("podAffinity", "podAntiAffinity"):
        held = affinity.get(kind) or {}
        for i, term in enumerate(held.get(REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{at}spec.affinity.{kind}.{REQUIRED}[{i}].labelSelector: {NO_POD}"
        for i, one in enumerate(held.get(PREFERRED) or ()):
            if (one.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{at}spec.affinity.{kind}.{PREFERRED}[{i}].podAffinityTerm.labelSelector: {NO_POD}"


def _of_volumes(volumes: Any, at: str) -> Iterator[str]:
    for i, volume in enumerate(volumes):
        here = f"{at}spec.volumes[{i}]"
        for kind, (called, text) in VOLUMES.items():
            if volume.get(kind) is not None:
                yield f"{here}.{called}: {text}"
        if template := dig(volume, "ephemeral.volumeClaimTemplate"):
            yield from of_claim(template.get("spec") or {}, f"{here}.ephemeral.volumeClaimTemplate.spec")
    for volume in volumes:
        for kind, called in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
            if source := volume.get(kind):
                named = source.get("secretName" if kind == "secret" else "name") or ""
                what = called if kind == "downwardAPI" else f"{called} {show(named)}"
                for text in _overlaps([(one.get("path") or "", "") for one in source.get("items") or ()]):
                    yield f"volume {show(volume['name'])} ({what}): overlapping paths: {text}"
        if projected := volume.get("projected"):
            found: list[tuple[str, str]] = []
            for source in projected.get("sources") or ():
                if not source:
                    yield f"volume {show(volume['name'])} (Projected) has no sources provided"
                found += _projected_paths(source)
            for text in _overlaps(found):
                yield f"volume {show(volume['name'])} (Projected): overlapping paths: {text}"


def _projected_paths(source: Object) -> list[tuple[str, str]]:
    """(path, where it comes from) of one source of a projected volume."""
    for kind, called in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
        if held := source.get(kind):
            what = called if kind == "downwardAPI" else f"{called} {show(held.get('name') or '')}"
            return [(one.get("path") or "", what) for one in held.get("items") or ()]
    if held := source.get("serviceAccountToken"):
        return [(held.get("path") or "", "ServiceAccountToken")]
    if held := source.get("clusterTrustBundle"):
        return [(held.get("path") or "", f"ClusterTrustBundle {show(held.get('name') or held.get('signerName') or '')}")]
    held = source.get("podCertificate") or {}
    return [(held[member], f"PodCertificate {called}") for member, called in (
        ("certificateChainPath", "chain"), ("keyPath", "key"), ("credentialBundlePath", "credential bundle")) if held.get(member)]


OVERLAPS_MAX = 400  # 80,000 pairs take 30 ms


def _overlaps(paths: list[tuple[str, str]]) -> Iterator[str]:
    """Files that would be written twice, or into one another; each of the first is held against each."""
    before: list[tuple[str, str]] = []
    for path, source in paths[:OVERLAPS_MAX]:
        path = path.rstrip("/")
        for other, origin in before if path else ():
            if other and (f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")):
                yield f"{_file(path, source)} with {_file(other, origin)}"
        before.append((path, source))


def _file(path: str, source: str) -> str:
    return f"{show(path)} ({source})" if source else show(path)


def _of_container(one: Object, whole: Object, annotations: Object, at: str, here: str) -> Iterator[str]:
    if annotations:
        mine = one.get("securityContext") or {}
        if SECCOMP_OF + one["name"] in annotations and not mine.get("seccompProfile"):
            yield f"{at}metadata.annotations[{SECCOMP_OF}{one['name']}]: {USE_SECCOMP}"
        if at and APPARMOR_OF + one["name"] in annotations and not (mine.get("appArmorProfile") or whole.get("appArmorProfile")):
            yield f"{at}metadata.annotations[{APPARMOR_OF}{one['name']}]: {USE_APPARMOR}"
    resources = one.get("resources") or {}
    for name in ("memory", "ephemeral-storage"):
        for which in ("limits", "requests"):
            yield from fractions(resources.get(which), f"{here}.resources.{which}", (name,))
    seen: set[str] = set()
    for i, variable in enumerate(one.get("env") or ()):
        name, reference = variable["name"], f"$({variable['name']})"
        value = variable.get("value") or ""
        if name in seen and (variable.get("valueFrom") or value == reference or reference not in value):
            yield f'{here}.env[{i}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


PORTS_MAX = 100  # of one number: each later one is held against so many


def _of_ports(ports: list[tuple[str, Object]]) -> Iterator[str]:
    """Ports of all containers together: the same one twice, the same name twice."""
    known: dict[tuple[Any, Any], list[tuple[str, Any, Any]]] = {}
    for here, port in ports:
        host, number = port.get("hostIP") or "", port.get("hostPort") or 0
        if host and not number:
            yield (f"{here}: hostIP set without hostPort: {{Name:{port.get('name') or ''} HostPort:0 ContainerPort:{port['containerPort']} "
                   f"Protocol:{port.get('protocol')} HostIP:{host}}}")
        others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
        for there, other_host, other_number in others:
            if (host, number) == (other_host, other_number):
                yield f"{here}: duplicate port definition with {there}"
            elif not number or not other_number:
                yield f"{here}: overlapping port definition with {there}"
            elif number == other_number and (not host) != (not other_host):
                yield f"{here}: dangerously ambiguous port definition with {there}"
        if len(others) < PORTS_MAX:
            others.append((here, host, number))
    names: dict[str, str] = {}
    for here, port in ports:
        name = port.get("name")
        if name and (there := names.setdefault(name, here)) != here:
            yield f"{here}: duplicate port name {show(name)} with {there}, services and probes that select ports by name will use {there}"


def _twice(items: Any, member: str, where: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, one in enumerate(items):
        name = one.get(member) or ""
        if name in seen:
            yield f'{where}[{i}].{member}: duplicate {member} "{name}"'
        seen.add(name)
