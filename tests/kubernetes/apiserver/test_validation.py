"""Refusals beyond the recorded ones: tables of manifests and the server's words, and what updates may not change."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from podlab.kubernetes.apiserver import validation
from podlab.kubernetes.objects import freeze, thaw
from podlab.kubernetes.resources import BY_KIND

from .broken import thing
from .given import admit, container, deployment, job, pod, refusal
from .test_refusals import FOLDER


def only(message: str) -> str:
    """A refusal without `Kind "name" is invalid: `."""
    return re.sub(r'^\S+ "[^"]*" is invalid: ', "", message)


PODS: list[tuple[str, dict[str, Any], str]] = [
    ("a probe without a handler", pod(containers=[container(livenessProbe={"periodSeconds": 5})]),
     "spec.containers[0].livenessProbe: Required value: must specify a handler type"),
    ("a liveness probe that wants two successes",
     pod(containers=[container(livenessProbe={"exec": {"command": ["true"]}, "successThreshold": 2})]),
     "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"),
    ("a probe of a port that is none", pod(containers=[container(readinessProbe={"httpGet": {"port": 0}})]),
     "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"),
    ("a mount of no volume", pod(containers=[container(volumeMounts=[{"name": "v", "mountPath": "/v"}])]),
     'spec.containers[0].volumeMounts[0].name: Not found: "v"'),
    ("a path out of its volume", pod(containers=[container(volumeMounts=[{"name": "v", "mountPath": "/v", "subPath": "../x"}])],
                                     volumes=[{"name": "v", "emptyDir": {}}]),
     "spec.containers[0].volumeMounts.subPath: Invalid value: \"../x\": must not contain '..'"),
    ("a volume of two kinds", pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/d"}}]),
     "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"),
    ("a ConfigMap volume without a name", pod(volumes=[{"name": "v", "configMap": {}}]),
     "spec.volumes[0].configMap.name: Required value"),
    ("two host ports alike",
     pod(containers=[container(ports=[{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}])]),
     'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'),
    ("two sources of a variable", pod(containers=[container(env=[{"name": "A", "valueFrom": {
        "fieldRef": {"fieldPath": "metadata.name"}, "secretKeyRef": {"name": "s", "key": "k"}}}])]),
     'spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'),
    ("an unknown operator of a node's label", pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Is", "values": ["b"]}]}]}}}),
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator"
     ': Invalid value: "Is": not a valid selector operator'),
    ("affinity without a topology", pod(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": ""}]}}),
     "[spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be "
     "empty, "
     "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name "
     "part must be "
     "non-empty, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "
     "\"\": name part "
     "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
     "'MyName',  or "
     "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')]"),
    ("a preference without weight", pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 0, "preference": {}}]}}),
     "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the "
     "range 1-100"),
    ("two gates alike", pod(schedulingGates=[{"name": "a"}, {"name": "a"}]), 'spec.schedulingGates[1]: Duplicate value: "a"'),
    ("a node for a gated Pod", pod(schedulingGates=[{"name": "a"}], nodeName="n"),
     "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"),
    ("an ephemeral container from the start", pod(ephemeralContainers=[container("e")]),
     "spec.ephemeralContainers: Forbidden: cannot be set on create"),
    ("hugepages alone", pod(containers=[container(resources={"limits": {"hugepages-2Mi": "4Mi"}})]),
     "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"),
    ("an extended resource in part", pod(containers=[container(resources={"limits": {"example.com/gpu": "500m"}})]),
     '[spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer, '
     'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer]'),
    ("a negative limit", pod(containers=[container(resources={"requests": {"cpu": "-1"}})]),
     'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
    ("an empty preStop hook", pod(containers=[container(lifecycle={"preStop": {}})]),
     "spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"),
    ("a sleep longer than the grace", pod(containers=[container(lifecycle={"preStop": {"sleep": {"seconds": 60}}})]),
     "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than "
     "terminationGracePeriodSeconds (30)"),
    ("a host alias that is no address", pod(hostAliases=[{"ip": "localhost", "hostnames": ["a"]}]),
     'spec.hostAliases[0].ip: Invalid value: "localhost": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
    ("a label that is too long", {**pod(), "metadata": {"name": "p", "labels": {"a": "b" * 64}}},
     f'metadata.labels: Invalid value: "{"b" * 64}": must be no more than 63 bytes'),
    ("annotations that are too much", {**pod(), "metadata": {"name": "p", "annotations": {"a": "b" * 262144}}},
     "metadata.annotations: Too long: may not be more than 262144 bytes"),
    ("two owners in control", {**pod(), "metadata": {"name": "p", "ownerReferences": [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": name, "controller": True} for name in ("a", "b")]}},
     "Only one reference can have Controller set to true."),
]

OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("two strategies in one", deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
     "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
    ("a percentage without its sign", deployment(strategy={"rollingUpdate": {"maxSurge": "25"}}),
     "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"25\": a valid percent string must be a numeric string followed by "
     "an ending '%' "
     "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
    ("a Job that starts over", job(backoffLimitPerIndex=1),
     "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
    ("an indexed Job without a count", job(completionMode="Indexed", parallelism=2),
     "spec.completions: Required value: when completion mode is Indexed"),
]

SCHEDULES = [
    ("", "spec.schedule: Required value"),
    ("* * * *", 'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'),
    ("60 * * * *", 'spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60'),
    ("* * 0 * *", 'spec.schedule: Invalid value: "* * 0 * *": beginning of range (0) below minimum (1): 0'),
    ("5-1 * * * *", 'spec.schedule: Invalid value: "5-1 * * * *": beginning of range (5) beyond end of range (1): 5-1'),
    ("*/0 * * * *", 'spec.schedule: Invalid value: "*/0 * * * *": step of range should be a positive number: */0'),
    ("x * * * *",
     'spec.schedule: Invalid value: "x * * * *": failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
    ("99999999999999999999 * * * *", 'spec.schedule: Invalid value: "99999999999999999999 * * * *": failed to parse int from 99999999999999999999: '
     'strconv.Atoi: parsing "99999999999999999999": value out of range'),
    ("1-2-3 * * * *", 'spec.schedule: Invalid value: "1-2-3 * * * *": too many hyphens: 1-2-3'),
    ("@sometimes", 'spec.schedule: Invalid value: "@sometimes": unrecognized descriptor: @sometimes'),
    ("*/5 8-18 * jan-mar mon,fri", ""), ("@every 1h30m", ""), ("@daily", ""), ("0 0 ? * sun", ""),
]


@pytest.mark.parametrize(("manifest", "words"), [case[1:] for case in PODS + OTHERS], ids=[case[0] for case in PODS + OTHERS])
def test_a_broken_manifest_is_refused_in_the_servers_words(manifest: dict[str, Any], words: str) -> None:
    said = only(refusal(manifest))
    assert said == words or (words.endswith(".") and words in said)


@pytest.mark.parametrize(("schedule", "words"), SCHEDULES)
def test_a_schedule_is_read_as_cron_reads_it(schedule: str, words: str) -> None:
    cronjob = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"},
               "spec": {"schedule": schedule, "jobTemplate": {"spec": job()["spec"]}}}
    assert only(refusal(cronjob)) == words


def test_a_cronjobs_name_leaves_room_for_its_jobs() -> None:
    cronjob = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x" * 53},
               "spec": {"schedule": "@daily", "jobTemplate": {"spec": job()["spec"]}}}
    assert only(refusal(cronjob)) == f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters'


def test_a_service_names_its_ports_and_repeats_none() -> None:
    def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [*ports], **spec}}
    assert only(refusal(service())) == "spec.ports: Required value"
    assert only(refusal(service({"name": "a", "port": 80},
                                {"name": "a", "port": 81}))) == 'spec.ports[1].name: Duplicate value: "a"'
    assert "Duplicate value" in refusal(service({"name": "a", "port": 80}, {"name": "b", "port": 80}))
    assert only(refusal(service({"port": 80}, type="Proxy"))) == (
        'spec.type: Unsupported value: "Proxy": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"')
    assert only(refusal(service({"port": 80}, type="NodePort", clusterIP="None"))) == (
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services")


# --- updates -------------------------------------------------------------------------------------------------------


def stored(manifest: dict[str, Any]) -> dict[str, Any]:
    obj = admit(manifest)
    obj["metadata"].setdefault("uid", "u")
    return obj


def change_refused(kind: str, manifest: dict[str, Any], subresource: str = "", **changes: Any) -> list[str]:
    old = stored(manifest)
    new = thaw(old)
    new["spec"].update(changes)
    return [str(error) for error in validation.validate_update(BY_KIND[kind], new, freeze(old), subresource)]


def test_a_pods_images_deadline_and_tolerations_may_change() -> None:
    assert change_refused("Pod", pod(), activeDeadlineSeconds=60) == []
    old = stored(pod())
    new = thaw(old)
    new["spec"]["containers"][0]["image"] = "nginx:2"
    new["spec"]["tolerations"].append({"key": "a", "operator": "Exists"})
    assert validation.validate_update(BY_KIND["Pod"], new, freeze(old), "") == []


def test_a_pods_tolerations_only_grow_and_its_containers_stay_as_many() -> None:
    assert change_refused("Pod", pod(), tolerations=[]) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]
    assert change_refused("Pod", pod(),
                          containers=[])[-1] == "spec.containers: Forbidden: pod updates may not add or remove containers"


def test_gates_are_only_taken_away() -> None:
    gated = pod(schedulingGates=[{"name": "a"}])
    assert change_refused("Pod", gated, schedulingGates=[]) == []
    assert change_refused("Pod", gated, schedulingGates=[{"name": "a"}, {"name": "b"}]) == [
        "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"]


def test_what_a_gated_pod_requires_of_its_node_may_only_be_narrowed() -> None:
    def asks(*rules: dict[str, Any]) -> dict[str, Any]:
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [*rules]}]}}}
    here, there = {"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}
    gated = pod(schedulingGates=[{"name": "a"}], affinity=asks(here))
    assert change_refused("Pod", gated, affinity=asks(here, there)) == []
    path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    assert change_refused("Pod", gated, affinity=asks(there)) == [
        path + '[0]: Invalid value: {"MatchExpressions":[{"Key":"b","Operator":"Exists","Values":null}],"MatchFields":null}: only additions are '
        "allowed (no mutations or deletions)"]
    assert change_refused("Pod", gated, affinity={}) == [
        path + ": Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are allowed"]


def test_an_annotation_that_the_node_has_read_stays() -> None:
    old = stored(pod())
    new = {**old, "metadata": {**old["metadata"], "annotations": {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}}}
    [error] = validation.validate_update(BY_KIND["Pod"], new, freeze(old), "")
    assert str(error) == "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: may not add AppArmor annotations"


def test_a_class_of_attributes_is_changed_and_not_taken_away() -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeAttributesClassName": "fast"}}
    old = stored(claim)
    old["status"] = {"phase": "Bound"}
    for name, said in ((None, "update from non-nil value to nil is forbidden"), ("", "update from non-nil value to an empty string is forbidden")):
        new = thaw(old)
        new["spec"]["volumeAttributesClassName"] = name
        assert str(validation.validate_update(BY_KIND["PersistentVolumeClaim"], new, freeze(old), "")[-1]) == (
            f"spec.volumeAttributesClassName: Forbidden: {said}")


def test_the_difference_of_an_immutable_pod_is_shown_as_the_real_server_showed_it() -> None:
    recording = json.loads((FOLDER / "recorded" / "immutable.json").read_text(encoding="utf-8"))
    old = next(w["object"] for w in reversed(recording["watch"]) if w["resource"] == "pods")
    changes = {'{"spec":{"nodeName":"other"}}': ("nodeName", "other"),
               '{"spec":{"restartPolicy":"Never"}}': ("restartPolicy", "Never")}
    compared = 0
    for step in recording["steps"]:
        for text, (member, value) in changes.items():
            if text in step["cmd"]:
                new = {**old, "spec": {**old["spec"], member: value}}
                [error] = validation.validate_update(BY_KIND["Pod"], new, freeze(old), "")
                assert f'The Pod "p" is invalid: {error}'.strip() == step["stderr"].strip()
                compared += 1
    assert compared == 2


def test_a_selector_and_a_statefulsets_claims_are_for_life() -> None:
    other = {"matchLabels": {"app": "b"}}
    template = {"metadata": {"labels": {"app": "b"}}, "spec": {"containers": [container()]}}
    assert change_refused("Deployment", deployment(), selector=other, template=admit(deployment(
        selector=other, template=template))["spec"]["template"]) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable']
    statefulset = {**deployment(), "kind": "StatefulSet"}
    assert change_refused("StatefulSet", statefulset, serviceName="other") == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', "
        "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"]


def test_a_jobs_work_is_fixed_but_not_its_pace() -> None:
    assert change_refused("Job", job(), parallelism=3) == []
    assert change_refused("Job", job(), completions=3) == ["spec.completions: Invalid value: 3: field is immutable"]
    template = stored(job())["spec"]["template"]
    template["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    assert change_refused("Job", {**job(), "spec": {**job()["spec"], "suspend": True}}, template=template) == []  # none of its Pods is left
    assert change_refused("Job", job(), template=template)[0].startswith("spec.template: Invalid value: {")


def test_what_devices_are_claimed_and_where_a_volume_is_attached_is_for_life() -> None:
    claim = thing("resource.k8s.io/v1", "ResourceClaim", spec={"devices": {"requests": [{"name": "a", "exactly": {"deviceClassName": "g"}}]}})
    assert change_refused("ResourceClaim", claim, devices={"requests": [{"name": "a", "exactly": {
        "deviceClassName": "h", "allocationMode": "ExactCount", "count": 1}}]}) == [
        'spec: Invalid value: {"Devices":{"Requests":[{"Name":"a","Exactly":{"DeviceClassName":"h","Selectors":null,"AllocationMode":"ExactCount",'
        '"Count":1,"AdminAccess":null,"Tolerations":null,"Capacity":null},"FirstAvailable":null}],"Constraints":null,"Config":null}}: field is '
        "immutable"]
    attachment = thing("storage.k8s.io/v1", "VolumeAttachment", spec={"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "p"}})
    assert change_refused("VolumeAttachment", attachment, nodeName="m") == [
        'spec: Invalid value: {"Attacher":"a","Source":{"PersistentVolumeName":"p","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable']


def test_where_a_volumes_data_lies_is_for_life_and_a_range_of_addresses_may_get_its_second_family() -> None:
    volume = thing("v1", "PersistentVolume", spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                                                   "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/a"}})
    assert change_refused("PersistentVolume", volume, hostPath={"path": "/b", "type": ""}) == [
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n@@ -2,7 +2,7 @@\n"
        '  "GCEPersistentDisk": null,\n  "AWSElasticBlockStore": null,\n  "HostPath": {\n-  "Path": "/a",\n+  "Path": "/b",\n'
        '   "Type": ""\n  },\n  "Glusterfs": null,\n']
    addresses = thing("networking.k8s.io/v1", "ServiceCIDR", spec={"cidrs": ["10.0.0.0/8"]})
    assert change_refused("ServiceCIDR", addresses, cidrs=["10.0.0.0/8", "fd00::/64"]) == []
    assert change_refused("ServiceCIDR", addresses, cidrs=["10.0.0.0/16"]) == [
        'spec.cidrs[0]: Invalid value: "10.0.0.0/16": field is immutable']
    assert change_refused("ServiceCIDR", addresses, cidrs=[]) == ["spec.cidrs: Invalid value: []: field is immutable"]


def test_an_ephemeral_container_is_added_and_never_taken_away() -> None:
    debugger = {"name": "debug", "image": "busybox", "imagePullPolicy": "Always", "terminationMessagePolicy": "File",
                "terminationMessagePath": "/dev/termination-log", "resources": {}, "targetContainerName": "c"}
    assert change_refused("Pod", pod(), "ephemeralcontainers", ephemeralContainers=[debugger]) == []
    assert change_refused("Pod", pod(), "ephemeralcontainers",
                          ephemeralContainers=[{**debugger, "ports": [{"containerPort": 1}]}])[-1] == (
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container")
    old = stored(pod())
    old["spec"]["ephemeralContainers"] = [debugger]
    new = thaw(old)
    del new["spec"]["ephemeralContainers"]
    assert [str(error) for error in validation.validate_update(BY_KIND["Pod"], new, freeze(old), "ephemeralcontainers")] == [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n']


def test_a_resize_keeps_the_quality_of_service() -> None:
    manifest = pod(containers=[container(resources={"requests": {"cpu": "1"}})])
    fresh = stored(manifest)["spec"]["containers"]
    fresh[0]["resources"] = {"requests": {"cpu": "2"}}
    assert change_refused("Pod", manifest, "resize", containers=fresh) == []
    fresh[0]["resources"] = {}
    assert change_refused("Pod", manifest, "resize", containers=fresh) == [
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
        "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"]


def test_a_resize_moves_cpu_and_memory_of_containers_and_of_the_pod_alone() -> None:
    manifest = pod(resources={"limits": {"cpu": "4"}}, initContainers=[container(name="i", resources={"requests": {"cpu": "1"}})],
                   containers=[container(resources={"requests": {"cpu": "1", "ephemeral-storage": "1Gi"}})])
    old = stored(manifest)

    def with_part(member: str, **part: Any) -> list[str]:
        [first] = thaw(old["spec"])[member]
        return change_refused("Pod", manifest, "resize", **{member: [{**first, **part}]})

    assert with_part("initContainers", resources={"requests": {"cpu": "500m"}}) == []
    assert with_part("containers", resources={"requests": {"cpu": "1", "ephemeral-storage": "2Gi"}}) == [
        "spec: Forbidden: only cpu and memory resources are mutable"]
    policy = [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]
    assert with_part("initContainers", resizePolicy=policy) == [
        "spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable"]
    assert with_part("containers", name="other") == ["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"]
    assert change_refused("Pod", manifest, "resize", resources={"limits": {"memory": "4Gi"}, "requests": {"cpu": "4"}}) == [
        "spec.resources.limits: Forbidden: pod-level resource limits cannot be removed"]


def test_a_status_names_conditions_and_nodes_as_it_must() -> None:
    old = stored(pod(nodeName="n", restartPolicy="Never", initContainers=[container(name="side", restartPolicy="Always")]))
    ended = {"state": {"terminated": {"exitCode": 1}}}
    old["status"] = {**old["status"], "containerStatuses": [{"name": "c", **ended}], "initContainerStatuses": [{"name": "side", **ended}]}
    running: dict[str, Any] = {"state": {"running": {}}}
    new = {**old, "status": {**old["status"], "nominatedNodeName": "A", "conditions": [{"type": "a b", "observedGeneration": -1}],
                             "containerStatuses": [{"name": "c", **running}], "initContainerStatuses": [{"name": "side", **running}]}}
    said = [str(error).partition(": ") for error in validation.validate_update(BY_KIND["Pod"], new, freeze(old), "status")]
    assert [path for path, _, _ in said] == [
        "status.conditions[0].observedGeneration", "status.conditions[0].Type", "status.nominatedNodeName", "status.nominatedNodeName",
        "status.containerStatuses[0].state"]
    assert said[3][2] == "Forbidden: may not be set on pods that are already bound to a node"


STATUSES = [
    ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}},
     {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
     ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"]),
    ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}},
     {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "1.2.3.4"}, {"hostname": "a.b", "ipMode": "VIP"}]}},
     ["status.loadBalancer.ingress[0].ipMode: Required value: must be specified when `ip` is set",
      'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      "status.loadBalancer.ingress[2].ipMode: Forbidden: may not be specified when `ip` is not set"]),
    ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}, {"phase": "Terminating"},
     ["status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"]),
    ({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {}}, {"used": {"pods": "-1"}},
     ['status.used[pods]: Invalid value: "-1": must be greater than or equal to 0']),
    ({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "r"}, "spec": {
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container()]}}}},
     {"replicas": 1, "readyReplicas": 2, "availableReplicas": -1},
     ["status.availableReplicas: Invalid value: -1: must be greater than or equal to 0",
      "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
    ({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}, "spec": {"selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container()]}}}},
     {"replicas": 1, "currentReplicas": -1, "updatedReplicas": 2, "availableReplicas": 1},
     ["status.currentReplicas: Invalid value: -1: must be greater than or equal to 0",
      "status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas",
      "status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"]),
]


@pytest.mark.parametrize(("manifest", "status", "said"), STATUSES)
def test_a_status_is_checked_too(manifest: dict[str, Any], status: dict[str, Any], said: list[str]) -> None:
    old = stored(manifest)
    errors = validation.validate_update(BY_KIND[manifest["kind"]], {**old, "status": status}, freeze(old), "status")
    assert [str(error) for error in errors] == said
