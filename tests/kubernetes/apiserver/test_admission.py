"""What the cluster's own rules add to an object, and what they refuse."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from podlab.kubernetes.apiserver import admission
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.objects import freeze
from podlab.kubernetes.resources import BY_KIND

from .given import Ctx, admit, container, pod, refusal


def in_namespace(kind: str, name: str, **members: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "refusals"}, **members}


def limits(**item: Any) -> dict[str, Any]:
    return in_namespace("LimitRange", "bounds", spec={"limits": [item]})


def quota(**hard: str) -> dict[str, Any]:
    return in_namespace("ResourceQuota", "q", spec={"hard": {key.replace("_", "."): value for key, value in hard.items()}})


def small(cpu: str) -> dict[str, Any]:
    return container(resources={"requests": {"cpu": cpu}, "limits": {"cpu": cpu}})


def test_nothing_is_made_in_a_namespace_that_is_missing() -> None:
    with pytest.raises(ApiError) as caught:
        admit(pod(), namespace="ghost")
    assert (caught.value.code, caught.value.message) == (404, 'namespaces "ghost" not found')


@pytest.mark.parametrize(("spec", "why"), [
    ({"priorityClassName": "zz"}, "no PriorityClass with name zz was found"),
    ({"serviceAccountName": "zz"}, 'error looking up service account refusals/zz: serviceaccount "zz" not found'),
    ({"runtimeClassName": "zz"}, 'pod rejected: RuntimeClass "zz" not found'),
])
def test_what_has_no_name_yet_is_refused_by_the_one_its_name_will_begin_with(spec: dict[str, str], why: str) -> None:
    manifest = pod(**spec)
    manifest["metadata"] = {"generateName": "web-"}
    assert refusal(manifest) == f'pods "web-" is forbidden: {why}'  # extractResourceName


def test_nothing_is_made_in_a_namespace_that_ends() -> None:
    ctx = Ctx({"kind": "Namespace", "metadata": {"name": "refusals", "deletionTimestamp": "2026-11-21T00:00:00Z"}})
    with pytest.raises(ApiError) as caught:
        admit(pod(), ctx)
    assert caught.value.message == ('pods "p" is forbidden: unable to create new content in namespace refusals because it is '
                                    'being '
                                    "terminated")
    assert (caught.value.details or {})["causes"][0]["reason"] == "NamespaceTerminating"


def test_the_first_namespaces_cannot_be_deleted() -> None:
    with pytest.raises(ApiError, match='namespaces "default" is forbidden: this namespace may not be deleted'):
        admission.admit_delete(BY_KIND["Namespace"], {"metadata": {"name": "default"}}, Ctx())


def test_every_container_gets_the_token_unless_it_mounts_there_itself() -> None:
    own = [{"name": "own", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]
    stored = admit(pod(containers=[container(), container("d", volumeMounts=own)], initContainers=[container("i")],
                       volumes=[{"name": "own", "emptyDir": {}}]))
    assert [volume["name"] for volume in stored["spec"]["volumes"]] == ["own", "kube-api-access-bcdfg"]
    mounted = {one["name"]: [mount["name"] for mount in one["volumeMounts"]]
               for member in ("initContainers", "containers") for one in stored["spec"][member]}
    assert mounted == {"i": ["kube-api-access-bcdfg"], "c": ["kube-api-access-bcdfg"], "d": ["own"]}


def test_the_token_stays_away_where_pod_or_account_say_so_and_the_pod_has_the_last_word() -> None:
    shy = Ctx(in_namespace("ServiceAccount", "default", automountServiceAccountToken=False))
    assert "volumes" not in admit(pod(automountServiceAccountToken=False))["spec"]
    assert "volumes" not in admit(pod(), shy)["spec"]
    assert "volumes" in admit(pod(automountServiceAccountToken=True), shy)["spec"]


def test_an_accounts_pull_secrets_become_the_pods() -> None:
    ctx = Ctx(in_namespace("ServiceAccount", "default", imagePullSecrets=[{"name": "registry"}]))
    assert admit(pod(), ctx)["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_a_priority_class_gives_its_number_and_no_other_is_taken() -> None:
    assert admit(pod(priorityClassName="system-node-critical"))["spec"]["priority"] == 2000001000
    assert refusal(pod(priority=5)) == (
        'pods "p" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission '
        'controller '
        "computed 0 from the given PriorityClass name")


def test_the_default_priority_class_is_for_pods_that_name_none() -> None:
    ctx = Ctx()
    ctx.add("PriorityClass", "usual", value=7, globalDefault=True)
    spec = admit(pod(), ctx)["spec"]
    assert (spec["priority"], spec["priorityClassName"]) == (7, "usual")


def test_five_minutes_of_grace_are_added_only_where_the_pod_says_nothing() -> None:
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    tolerations = admit(pod(tolerations=[own]))["spec"]["tolerations"]
    assert [(one["key"], one["tolerationSeconds"]) for one in tolerations] == [
        ("node.kubernetes.io/not-ready", 5), ("node.kubernetes.io/unreachable", 300)]


def test_a_limit_range_fills_in_what_is_not_said_and_notes_it() -> None:
    ctx = Ctx(limits(type="Container", default={"cpu": "1"}, defaultRequest={"cpu": "500m", "memory": "64Mi"}))
    stored = admit(pod(), ctx)
    assert stored["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "500m", "memory": "64Mi"}, "limits": {"cpu": "1"}}
    assert stored["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for container c; cpu limit for container c"}
    assert stored["status"]["qosClass"] == "Burstable"


BOUNDS = [
    ("too little", limits(type="Container", min={"cpu": "200m"}), "100m",
     "minimum cpu usage per Container is 200m, but request is 100m"),
    ("too much", limits(type="Container", max={"cpu": "1"}), "2", "maximum cpu usage per Container is 1, but limit is 2"),
    ("too much for a Pod", limits(type="Pod", max={"cpu": "1"}), "2", "maximum cpu usage per Pod is 1, but limit is 2"),
    ("nothing said", limits(type="Container", max={"memory": "1Gi"}), "1",
     "maximum memory usage per Container is 1Gi.  No limit is specified"),
]


@pytest.mark.parametrize(("bounds", "cpu", "why"), [case[1:] for case in BOUNDS], ids=[case[0] for case in BOUNDS])
def test_a_limit_range_refuses_what_is_out_of_bounds(bounds: dict[str, Any], cpu: str, why: str) -> None:
    assert refusal(pod(containers=[small(cpu)]), Ctx(bounds)) == f'pods "p" is forbidden: {why}'


SHARED = limits(type="Pod", max={"cpu": "1"})
SUMS = [
    ("containers that say nothing count nothing", pod(containers=[small("800m"), container("quiet")]), ""),
    ("sidecars count beside the containers",
     pod(containers=[small("600m")], initContainers=[{**small("500m"), "name": "s", "restartPolicy": "Always"}]),
     "maximum cpu usage per Pod is 1, but limit is 1100m"),
    ("an init container counts beside the sidecars before it",
     pod(containers=[small("100m")], initContainers=[{**small("300m"), "name": "s", "restartPolicy": "Always"}, {**small("800m"), "name": "i"}]),
     "maximum cpu usage per Pod is 1, but limit is 1100m"),
    ("what the Pod says for itself stands", pod(containers=[container()], resources={"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}),
     "maximum cpu usage per Pod is 1, but limit is 2"),
]


@pytest.mark.parametrize(("asked", "why"), [case[1:] for case in SUMS], ids=[case[0] for case in SUMS])
def test_a_limit_range_for_pods_adds_up_their_containers(asked: dict[str, Any], why: str) -> None:
    assert refusal(asked, Ctx(SHARED)) == (f'pods "p" is forbidden: {why}' if why else "")


def test_a_limit_range_holds_for_resized_pods_and_claims() -> None:
    ctx, resource = Ctx(limits(type="Container", max={"cpu": "1"})), BY_KIND["Pod"]
    old = freeze(admit(pod(containers=[small("500m")])))
    new = {**old, "spec": {**old["spec"], "containers": [small("2")]}}
    with pytest.raises(ApiError, match="maximum cpu usage per Container is 1, but limit is 2"):
        admission.admit_update(resource, new, old, "resize", ctx)
    going = freeze({**old, "metadata": {**old["metadata"], "deletionTimestamp": "2026-11-21T00:00:00Z"}})
    admission.admit_update(resource, new, going, "resize", ctx)
    ctx = Ctx(limits(type="PersistentVolumeClaim", max={"storage": "1Gi"}))
    claim = {"metadata": {"name": "data", "namespace": "refusals"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    with pytest.raises(ApiError, match="maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"):
        admission.admit_update(BY_KIND["PersistentVolumeClaim"], claim, freeze(claim), "", ctx)


def test_a_quota_refuses_the_pod_too_many() -> None:
    ctx = Ctx(quota(pods="1"))
    ctx.put({**admit(pod("first")), "status": {"phase": "Running"}})
    assert refusal(pod("second"),
                   ctx) == 'pods "second" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'


def test_a_quota_counts_the_claims_of_its_volume_attributes_class() -> None:
    held = quota(persistentvolumeclaims="1")
    held["spec"]["scopeSelector"] = {"matchExpressions": [{"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}]}
    ctx = Ctx(held)

    def claim(name: str, attributes: str) -> dict[str, Any]:
        spec = {"accessModes": ["ReadWriteOnce"], "volumeAttributesClassName": attributes, "resources": {"requests": {"storage": "1Gi"}}}
        return {"apiVersion": "v1", **in_namespace("PersistentVolumeClaim", name, spec=spec)}

    ctx.put(claim("first", "gold"))
    assert refusal(claim("second", "silver"), ctx) == ""
    assert "exceeded quota: q, requested: persistentvolumeclaims=1" in refusal(claim("third", "gold"), ctx)


def test_a_finished_pod_uses_no_quota() -> None:
    ctx = Ctx(quota(requests_cpu="1"))
    ctx.put({**admit(pod("first", containers=[small("1")])), "status": {"phase": "Succeeded"}})
    assert refusal(pod("second", containers=[small("1")]), ctx) == ""


def test_a_quota_on_compute_makes_containers_name_it() -> None:
    ctx = Ctx(quota(requests_cpu="1", limits_cpu="2"))
    assert refusal(pod(), ctx) == (
        'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.cpu for: c')


def test_several_exceeded_resources_are_listed_together() -> None:
    ctx = Ctx(quota(requests_cpu="1", limits_cpu="1"))
    assert refusal(pod(containers=[small("2")]), ctx) == (
        'pods "p" is forbidden: exceeded quota: q, requested: limits.cpu=2,requests.cpu=2, used: limits.cpu=0,requests.cpu=0, '
        "limited: limits.cpu=1,requests.cpu=1")


def test_a_runtime_class_must_exist_and_brings_its_overhead() -> None:
    assert refusal(pod(runtimeClassName="ghost")) == 'pods "p" is forbidden: pod rejected: RuntimeClass "ghost" not found'
    ctx = Ctx()
    ctx.add("RuntimeClass", "kata", handler="kata", overhead={"podFixed": {"cpu": "250m"}})
    assert admit(pod(runtimeClassName="kata"), ctx)["spec"]["overhead"] == {"cpu": "250m"}


def test_a_claim_grows_only_where_its_class_allows() -> None:
    def claim(size: str) -> dict[str, Any]:
        return {"metadata": {"name": "data", "namespace": "refusals"}, "status": {"phase": "Bound"},
                "spec": {"storageClassName": "standard", "resources": {"requests": {"storage": size}}}}
    resource = BY_KIND["PersistentVolumeClaim"]
    with pytest.raises(ApiError, match="only dynamically provisioned pvc can be resized"):
        admission.admit_update(resource, claim("2Gi"), freeze(claim("1Gi")), "", Ctx())
    ctx = Ctx()
    ctx.add("StorageClass", "standard", allowVolumeExpansion=True)
    admission.admit_update(resource, claim("2Gi"), freeze(claim("1Gi")), "", ctx)


def test_a_new_node_takes_no_pods_until_it_is_ready() -> None:
    stored = admit({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
    assert stored["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


def secured(level: str) -> Ctx:
    return Ctx({"kind": "Namespace", "metadata": {"name": "refusals", "labels": {"pod-security.kubernetes.io/enforce": level}}})


def test_the_restricted_standard_lists_everything_that_a_plain_pod_lacks() -> None:
    assert refusal(pod(), secured("restricted")) == (
        'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must '
        'set '
        'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set '
        'securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set '
        'securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type '
        'to '
        '"RuntimeDefault" or "Localhost")')
    safe = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
    meek = pod(containers=[container(securityContext=safe)], securityContext={"seccompProfile": {"type": "RuntimeDefault"}})
    assert refusal(meek, secured("restricted")) == ""


def test_the_baseline_standard_keeps_pods_off_the_host() -> None:
    assert refusal(pod(), secured("baseline")) == ""
    bold = pod(containers=[container(securityContext={"privileged": True}),
                           container("d", ports=[{"containerPort": 1, "hostPort": 1}])],
               hostPID=True, volumes=[{"name": "v", "hostPath": {"path": "/"}}])
    assert refusal(bold, secured("baseline")) == (
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true), hostPath volumes (volume '
        '"v"), '
        'hostPort (container "d" uses hostPort 1), privileged (container "c" must not set securityContext.privileged=true)')
    assert refusal(bold, secured("privileged")) == ""


@pytest.mark.parametrize(("new", "subresource", "refused"), [
    pytest.param({"tolerations": [{"operator": "Exists"}]}, "", False, id="a toleration is added"),
    pytest.param({"containers": [container(image="nginx:2", securityContext={"privileged": True})]}, "", True, id="the image is another"),
    pytest.param({"ephemeralContainers": [container("dbg")]}, "ephemeralcontainers", True, id="an ephemeral container comes"),
])
def test_a_pod_from_before_the_level_is_looked_at_again_when_it_changes_what_runs(new: dict[str, Any], subresource: str, refused: bool) -> None:
    bold = pod(containers=[container(securityContext={"privileged": True})])
    bold["metadata"]["namespace"] = "refusals"
    ctx = secured("baseline")
    with pytest.raises(ApiError, match="violates PodSecurity") if refused else nullcontext():
        admission.admit_update(BY_KIND["Pod"], {**bold, "spec": {**bold["spec"], **new}}, freeze(bold), subresource, ctx)


def test_mutating_admission_speaks_before_validation_and_quota_after_it() -> None:
    broken = pod(restartPolicy="Sometimes", serviceAccountName="ghost")
    assert "error looking up service account" in refusal(broken)
    assert "spec.restartPolicy" in refusal(pod(restartPolicy="Sometimes"), Ctx(quota(pods="0")))
