"""What the server takes and warns of (pkg/api/pod/warnings.go, WarningsOnCreate of each strategy, pod-security-admission)."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.apiserver.warnings import within_bounds
from podlab.kubernetes.resources import BY_PLURAL
from tests.kubernetes.frozen import created
from tests.kubernetes.runtime.certificates import ORDERS_KEY, SHOP, SHOP_KEY

EPOCH_MS = 1_795_219_200_000
Object = dict[str, Any]
LABEL = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
         "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
NAMED = "which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"


class World:
    """A cluster without nodes."""

    def __init__(self) -> None:
        self.cluster = created(1, EPOCH_MS)
        self.cluster.run_for(1)

    def send(self, verb: str, plural: str, name: str, body: Object, namespace: str = "default", **options: Any) -> Any:
        return self.cluster.server.perform(Request(verb, plural, namespace if BY_PLURAL[plural].namespaced else "",
                                                   "" if verb == "create" else name, body=body, options=options))

    def make(self, plural: str, name: str, namespace: str = "default", **members: Any) -> Any:
        resource = BY_PLURAL[plural]
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name, **members.pop("metadata", {})}, **members}
        return self.send("create", plural, name, body, namespace)

    def patch(self, plural: str, name: str, body: Object, namespace: str = "default") -> Any:
        return self.send("patch", plural, name, body, namespace, patchType="application/merge-patch+json")

    @property
    def warned(self) -> list[str]:
        return list(self.cluster.server.warnings)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def container(**members: Any) -> Object:
    return {"name": "c", "image": "i", **members}


def ports(*given: Object) -> Object:
    return {"containers": [container(ports=[{"containerPort": 80, **port} for port in given])]}


def mapped(kind: str, *paths: str) -> Object:
    return {"volumes": [{"name": "v", kind: {"secretName" if kind == "secret" else "name": "s", "items": [
        {"key": f"k{i}", "path": path} for i, path in enumerate(paths)]}}]}


def near(**terms: Any) -> Object:
    return {"affinity": {"podAffinity": terms, "podAntiAffinity": terms}}


PODS: list[tuple[Object, list[str]]] = [
    ({}, []),
    ({"nodeSelector": {"beta.kubernetes.io/os": "linux"}},
     ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']),
    ({"nodeSelector": {"node-role.kubernetes.io/master": ""}},
     ['spec.nodeSelector[node-role.kubernetes.io/master]: use "node-role.kubernetes.io/control-plane" instead']),
    ({"volumes": [{"name": "g", "gitRepo": {"repository": "r"}}]},
     ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"]),
    ({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}, ['spec.imagePullSecrets[1].name: duplicate name "a"']),
    ({"containers": [container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])]},
     ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply']),
    ({"containers": [container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}])]}, []),
    ({"containers": [container(resources={"limits": {"memory": "1000001m"}, "requests": {"memory": "1k"}})]},
     ['spec.containers[0].resources.limits[memory]: fractional byte value "1000001m" is invalid, must be an integer']),
    (ports({"name": "a"}, {"name": "b"}), ["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"]),
    (ports({"hostPort": 80}, {}), ["spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]"]),
    (ports({"hostPort": 80}, {"hostPort": 80, "hostIP": "10.0.0.1"}),
     ["spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]"]),
    (ports({"hostPort": 80}, {"hostPort": 81}, {"protocol": "UDP"}), []),
    (ports({"hostIP": "10.0.0.1"}),
     ["spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"]),
    ({"initContainers": [container(name="s", restartPolicy="Always", ports=[{"containerPort": 81, "name": "web"}])],
      "containers": [container(ports=[{"containerPort": 80, "name": "web"}])]},
     ['spec.containers[0].ports[0]: duplicate port name "web" with spec.initContainers[0].ports[0], services and probes that select ports by '
      "name will use spec.initContainers[0].ports[0]"]),
    (mapped("configMap", "a", "b", "a/"), ['volume "v" (ConfigMap "s"): overlapping paths: "a" with "a"']),
    (mapped("secret", "a/b", "a", "ab"), ['volume "v" (Secret "s"): overlapping paths: "a" with "a/b"']),
    ({"volumes": [{"name": "v", "projected": {"sources": [
        {"configMap": {"name": "s", "items": [{"key": "k", "path": "token"}]}}, {"serviceAccountToken": {"path": "token"}}]}}]},
     ['volume "v" (Projected): overlapping paths: "token" (ServiceAccountToken) with "token" (ConfigMap "s")']),
    ({"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "200m"}}}}}}]},
     ['spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "200m" is invalid, must be an integer']),
    (near(**{REQUIRED: [{"topologyKey": "a"}], PREFERRED: [{"weight": 1, "podAffinityTerm": {"topologyKey": "a"}}]}),
     [f"spec.affinity.{kind}.{term}.labelSelector: a null labelSelector results in matching no pod" for kind in ("podAffinity", "podAntiAffinity")
      for term in (f"{REQUIRED}[0]", f"{PREFERRED}[0].podAffinityTerm")]),
    ({"affinity": {"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [
        {"key": "app.kubernetes.io/created-by", "operator": "In", "values": ["-1"]}]}}]}}},
     [f"spec.affinity.nodeAffinity.{PREFERRED}[0].preference.matchExpressions[0].key: app.kubernetes.io/created-by is deprecated since v1.9",
      f"spec.affinity.nodeAffinity.{PREFERRED}[0].preference.matchExpressions[0].values[0]: -1 is invalid, {LABEL}"]),
    ({"hostAliases": [{"ip": "2001:DB8::1", "hostnames": ["a"]}], "dnsConfig": {"nameservers": ["2001:db8:0::2"]}},
     ['spec.dnsConfig.nameservers[0]: IPv6 address "2001:db8:0::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.hostAliases[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']),
]  # fmt: skip


def test_what_is_deprecated_or_odd_in_a_pod_or_a_template_is_warned_of(world: World) -> None:
    for i, (spec, texts) in enumerate(PODS):
        body = {"containers": [container()], **spec}
        world.make("pods", f"p{i}", spec=body)
        assert world.warned == texts, spec
        labels = {"a": "b"}
        world.make("daemonsets", f"d{i}", spec={"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": body}})
        assert world.warned == [re.sub(r"(?<!\.)\bspec\.(?=[a-z])", "spec.template.spec.", text) for text in texts], spec


TEMPLATE: Object = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container()]}}
FINITE = {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
MAKERS: list[tuple[str, Object]] = [
    ("replicasets", {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}),
    ("deployments", {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}),
    ("replicationcontrollers", {"selector": {"a": "b"}, "template": TEMPLATE}),
    ("jobs", {"template": FINITE}), ("cronjobs", {"schedule": "1 * * * *", "jobTemplate": {"spec": {"template": FINITE}}}),
]  # fmt: skip


def test_a_name_that_is_no_label_is_warned_of_where_pods_get_it(world: World) -> None:
    for plural, spec in MAKERS:
        world.make(plural, "a.b", spec=spec)
        assert world.warned == [f"metadata.name: this is used in Pod names and hostnames, {NAMED}"], plural
        world.patch(plural, "a.b", {"metadata": {"labels": {"a": "b"}}})
        assert world.warned == [], plural
    world.make("pods", "a.b", spec={"containers": [container()]})
    assert world.warned == [f"metadata.name: this is used in the Pod's hostname, {NAMED}"]


def pem(*labels: str) -> str:
    """Blocks that hold no certificate and no key."""
    return "".join(f"-----BEGIN {label}-----\nTUlJQw==\n-----END {label}-----\n" for label in labels)


STATEFUL = {"serviceName": "s", "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}}
PV = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
USE_CLASS = f'metadata.annotations[{OLD_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead'
MANY = ("In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track "
        "completedIndexes when a big number of indexes fail")
KINDS: list[tuple[str, Object, list[str]]] = [
    ("services", {"spec": {"ports": [{"port": 80}], "clusterIP": "None", "sessionAffinity": "ClientIP", "externalIPs": ["192.0.2.1"]}},
     ["spec.externalIPs is ignored for headless services", "spec.SessionAffinity is ignored for headless services"]),
    ("services", {"spec": {"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}},
     ["spec.externalIPs is deprecated and may no longer be implemented in some clusters"]),
    ("services", {"spec": {"ports": [{"port": 80}], "externalName": "a.b", "trafficDistribution": "PreferClose"}},
     ['spec.externalName is ignored when spec.type is not "ExternalName"',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']),
    ("services", {"spec": {"ports": [{"port": 80}], "clusterIP": "None"}}, []),
    ("statefulsets", {"spec": {**STATEFUL, "revisionHistoryLimit": -1, "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": CLAIM}]}},
     ['spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
      "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]),
    ("persistentvolumeclaims", {"metadata": {"annotations": {OLD_CLASS: "x"}}, "spec": CLAIM},
     [USE_CLASS, 'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer']),
    ("persistentvolumes", {"metadata": {"annotations": {OLD_CLASS: "x"}}, "spec": {
        **PV, "persistentVolumeReclaimPolicy": "Recycle", "nfs": {"server": "a", "path": "/x"}}},
     [USE_CLASS, "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use "
      "dynamic provisioning."]),
    ("persistentvolumes", {"spec": {**PV, "cephfs": {"monitors": ["a"]}}}, ["spec.cephfs: deprecated in v1.28, non-functional in v1.31+"]),
    ("storageclasses", {"provisioner": "a", "allowedTopologies": [{"matchLabelExpressions": [{
        "key": "failure-domain.beta.kubernetes.io/zone", "values": ["a"]}]}]},
     ['allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead']),
    ("runtimeclasses", {"handler": "a", "scheduling": {"nodeSelector": {"beta.kubernetes.io/arch": "arm"}}},
     ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/arch" instead']),
    ("networkpolicies", {"spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "2001:db8:0::/48"}}]}]}},
     ['spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value "2001:db8:0::/48" should be in RFC 5952 canonical format ("2001:db8::/48")']),
    ("ingresses", {"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}, "spec": {
        "defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}},
     ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]),
    ("jobs", {"spec": {"completionMode": "Indexed", "completions": 100_001, "parallelism": 10_001, "template": FINITE, "suspend": True}},
     [f"spec: {MANY}"]),
    *(("secrets", {"type": "kubernetes.io/tls", "stringData": {"tls.crt": pem(*chain), "tls.key": pem(*key)}}, [text]) for chain, key, text in (
        ((), (), "tls: failed to find any PEM data in certificate input"),
        (("PRIVATE KEY",), (), "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have "
         "been switched"),
        (("A", "B C"), (), 'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: '
         "[A B C]"),
        (("CERTIFICATE",), (), "tls: failed to find any PEM data in key input"),
        (("CERTIFICATE",), ("CERTIFICATE",), "tls: found a certificate rather than a key in the PEM for the private key"),
        (("CERTIFICATE",), ("EC PARAMETERS",), 'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM '
         "blocks of the following types: [EC PARAMETERS]"),
        (("CERTIFICATE",), ("RSA PRIVATE KEY",), "x509: malformed certificate"))),
]  # fmt: skip


def test_what_is_odd_in_other_kinds_is_warned_of(world: World) -> None:
    for i, (plural, members, texts) in enumerate(KINDS):
        world.make(plural, f"k{i}", **members)
        assert world.warned == texts, plural


def test_a_key_that_is_of_another_certificate_is_warned_of(world: World) -> None:
    world.make("secrets", "s", type="kubernetes.io/tls", stringData={"tls.crt": SHOP, "tls.key": SHOP_KEY})
    assert world.warned == []
    world.patch("secrets", "s", {"stringData": {"tls.key": ORDERS_KEY}})
    assert world.warned == ["tls: private key does not match public key"]


def test_services_warn_at_every_write_pods_at_none_but_the_first_and_templates_where_the_spec_changes(world: World) -> None:
    odd = ports({"name": "a"}, {"name": "b"})
    said = "ports[1]: duplicate port definition with {}spec.containers[0].ports[0]"
    world.make("services", "s", spec={"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]})
    world.patch("services", "s", {"metadata": {"labels": {"a": "b"}}})
    assert world.warned == ["spec.externalIPs is deprecated and may no longer be implemented in some clusters"]
    world.make("pods", "odd", spec=odd)
    assert world.warned == ["spec.containers[0]." + said.format("")]
    world.patch("pods", "odd", {"spec": {"activeDeadlineSeconds": 5}})
    assert world.warned == []
    world.make("deployments", "odd", spec={"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": odd}})
    world.patch("deployments", "odd", {"metadata": {"labels": {"a": "b"}}})
    assert world.warned == []
    world.patch("deployments", "odd", {"spec": {"replicas": 2}})
    assert world.warned == ["spec.template.spec.containers[0]." + said.format("spec.template.")]


@pytest.mark.slow
def test_definitions_warn_of_formats_that_nobody_checks_and_people_s_objects_of_finalizers_without_a_domain(world: World) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "a": {"type": "string", "format": "date-time"}, "b": {"type": "array", "items": {"type": "string", "format": "mood"}},
        "c": {"type": "integer", "format": "int32"}}}}}
    world.make("customresourcedefinitions", "moods.a.example", spec={
        "group": "a.example", "scope": "Namespaced", "names": {"plural": "moods", "kind": "Mood"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]})
    assert world.warned == ['unrecognized format "mood"']
    world.cluster.run_for(5)
    body = {"apiVersion": "a.example/v1", "kind": "Mood", "metadata": {"name": "m", "finalizers": ["mine.example", "a.example/mine"]}}
    world.cluster.server.perform(Request("create", "moods.a.example", "default", body=body))
    assert world.warned == ['metadata.finalizers: "mine.example": prefer a domain-qualified finalizer name including a path (/) to avoid '
                            "accidental conflicts with other finalizer writers"]


def test_an_apparmor_annotation_becomes_the_field_with_a_warning() -> None:
    world = World()
    key = "container.apparmor.security.beta.kubernetes.io/c"
    body = {"containers": [{"name": "c", "image": "i"}]}
    made = world.make("pods", "p", metadata={"annotations": {key: "localhost/deny-write"}}, spec=body)
    assert made["spec"]["containers"][0]["securityContext"]["appArmorProfile"] == {"type": "Localhost", "localhostProfile": "deny-write"}
    assert world.warned == [f'metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead']


def test_a_namespace_warns_of_pods_and_templates_that_its_level_would_not_take() -> None:
    world = World()
    world.make("namespaces", "careful", "", metadata={"labels": {"pod-security.kubernetes.io/warn": "baseline"}})
    world.cluster.run_for(1)
    pod = {"hostPID": True, "containers": [{"name": "c", "image": "i"}]}
    world.make("pods", "p", "careful", spec=pod)
    said = 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    assert world.warned == [said]
    for spec, told in (({"activeDeadlineSeconds": 60}, []), ({"containers": [{"name": "c", "image": "j"}]}, [said])):
        world.send("patch", "pods", "p", {"spec": spec}, "careful", patchType="application/strategic-merge-patch+json")
        assert world.warned == told
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    world.make("replicationcontrollers", "rc", "careful", spec={"replicas": 0, "selector": {"a": "b"}, "template": template})
    assert world.warned == [said]


def test_a_namespace_that_comes_to_enforce_more_tells_of_the_pods_that_break_it_and_knows_its_levels() -> None:
    world = World()
    for name, spec in (("b", {"hostPID": True}), ("a", {"hostPID": True}), ("c", {"hostNetwork": True, "hostPID": True}), ("d", {}),
                       ("e", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]})):
        world.make("pods", name, spec={"containers": [{"name": "c", "image": "i"}], **spec})

    def enforce(level: str) -> list[str]:
        labels = {"pod-security.kubernetes.io/enforce": level}
        world.patch("namespaces", "default", {"metadata": {"labels": labels}}, "")
        return list(world.warned)
    assert enforce("privileged") == []
    assert enforce("baseline") == ['existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
                                   "a (and 2 other pods): host namespaces", "e: hostPath volumes"]
    assert enforce("baseline") == [] and len(enforce("restricted")) == 4 and enforce("baseline") == []
    with pytest.raises(ApiError) as caught:
        enforce("strict")
    assert caught.value.message == ('Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": '
                                    'must be one of privileged, baseline, restricted')


def test_secrets_without_a_name_are_told_of_as_any_that_stand_twice() -> None:
    world = World()
    world.make("pods", "p", spec={"containers": [{"name": "c", "image": "nginx"}], "imagePullSecrets": [{}, {}]})
    assert 'spec.imagePullSecrets[1].name: duplicate name ""' in world.warned


def test_of_thousands_that_are_odd_no_more_is_told_than_an_answer_holds(world: World) -> None:
    odd = {"ports": [{"containerPort": 80}] * 1_000, "env": [{"name": "A", "value": str(number)} for number in range(1_000)]}
    deep = {"name": "v", "configMap": {"name": "m", "items": [{"key": "k", "path": "/".join("a" * depth)} for depth in range(1, 300)]}}
    began = time.process_time()
    for name, spec in (("ports", {"containers": [container(**odd)]}), ("paths", {"containers": [container()], "volumes": [deep]})):
        world.make("pods", name, spec=spec)
        told = world.cluster.server.warnings
        assert 4_096 < sum(min(len(text), 256) for text in told) < 4_096 + 2 * 256
        shown = within_bounds(told)
        assert sum(map(len, shown)) < 4_096 + 256 and all(len(text) <= 256 for text in shown)
    assert time.process_time() - began < 1
