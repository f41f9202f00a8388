"""Decoding: Go's words for wrong types, strict decoding, zeros, quantities, frozen members."""

from __future__ import annotations

import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver import decode
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.objects import freeze
from podlab.kubernetes.resources import BY_KIND, Resource

from .given import container, pod

POD, SERVICE, CONFIG_MAP = BY_KIND["Pod"], BY_KIND["Service"], BY_KIND["ConfigMap"]
CANNOT = 'Pod in version "v1" cannot be handled as a Pod: '


def words(body: object, strict: bool = True) -> str:
    with pytest.raises(ApiError) as caught:
        decode.decode(POD, body, strict=strict)
    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")
    return caught.value.message.removeprefix(CANNOT)


WRONG_TYPES = [
    ("text for a number", pod(containers=[container(ports=[{"containerPort": "80"}])]),
     "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"),
    ("a number for text", pod(containers=[container(command=[1])]),
     "json: cannot unmarshal number into Go struct field Container.spec.containers.command of type string"),
    ("text for a list", pod(containers=[container(args="sleep 1")]),
     "json: cannot unmarshal string into Go struct field Container.spec.containers.args of type []string"),
    ("a list for a struct", pod(securityContext=[]),
     "json: cannot unmarshal array into Go struct field PodSpec.spec.securityContext of type v1.PodSecurityContext"),
    ("a struct for a list", {**pod(), "spec": {"containers": {"name": "c"}}},
     "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"),
    ("text for yes or no", pod(hostNetwork="yes"),
     "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"),
    ("yes for a named string", pod(restartPolicy=True),
     "json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"),
    ("a number with a fraction", pod(terminationGracePeriodSeconds=1.5),
     "json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64"),
    ("a number too large", pod(containers=[container(ports=[{"containerPort": 2**31}])]),
     "json: cannot unmarshal number 2147483648 into Go struct field ContainerPort.spec.containers.ports.containerPort of type "
     "int32"),
    ("a number for a label", {**pod(), "metadata": {"name": "p", "labels": {"tier": 1}}},
     "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"),
    ("text for one of few words", pod(topologySpreadConstraints=[{"nodeTaintsPolicy": 1}]),
     "json: cannot unmarshal number into Go struct field TopologySpreadConstraint.spec.topologySpreadConstraints.nodeTaintsPolicy of type "
     "v1.NodeInclusionPolicy"),
    ("a day without its hour", {**pod(), "metadata": {"name": "p", "creationTimestamp": "2026-01-01"}},
     'parsing time "2026-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
    ("a day that no month has", {**pod(), "metadata": {"name": "p", "creationTimestamp": "2026-02-30T00:00:00Z"}},
     'parsing time "2026-02-30T00:00:00Z": day out of range'),
    ("a month that no year has", {**pod(), "metadata": {"name": "p", "creationTimestamp": "2026-13-01T00:00:00Z"}},
     'parsing time "2026-13-01T00:00:00Z": month out of range'),
    ("a quantity of no known unit", pod(containers=[container(resources={"limits": {"memory": "1K"}})]),
     "unable to parse quantity's suffix"),
    ("no quantity", pod(containers=[container(resources={"limits": {"memory": "64MB!"}})]),
     "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
]


@pytest.mark.parametrize(("body", "expected"), [case[1:] for case in WRONG_TYPES], ids=[case[0] for case in WRONG_TYPES])
def test_a_value_of_the_wrong_type_is_refused_in_go_words(body: dict[str, Any], expected: str) -> None:
    assert words(body) == expected


def test_strict_decoding_names_every_unknown_field_by_its_path() -> None:
    body = pod(containers=[container(imge="x"), container("d", env=[{"name": "A", "val": "1"}])], restartpolicy="Never")
    assert words(body) == ('strict decoding error: unknown field "spec.containers[0].imge", '
                           'unknown field "spec.containers[1].env[0].val", unknown field "spec.restartpolicy"')


def test_a_wrong_type_is_said_before_unknown_fields() -> None:
    assert words(pod(containers=[container(image=1)], foo=1)).startswith("json: cannot unmarshal number")


def test_without_strictness_unknown_fields_are_dropped_and_can_be_warned_of() -> None:
    body = pod(containers=[container(imge="x")])
    assert "imge" not in decode.decode(POD, body, strict=False)["spec"]["containers"][0]
    assert decode.decode_with_warnings(POD, body)[1] == ['unknown field "spec.containers[0].imge"']


# What Go's types of k8s.io/api 0.36 make of a body, as client-go reads and writes it.
MEANT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("io.k8s.api.resource.v1.DeviceAttribute", {"bool": False}, {"bool": False}),
    ("io.k8s.api.resource.v1.ResourceClaimSpec", {}, {"devices": {"requests": None}}),
    ("io.k8s.api.resource.v1.ResourceClaimTemplateSpec", {"spec": {"devices": {"requests": []}}},
     {"metadata": {}, "spec": {"devices": {"requests": None}}}),
    ("io.k8s.api.resource.v1.AllocatedDeviceStatus", {"driver": "a", "shareID": ""},
     {"driver": "a", "pool": "", "device": "", "shareID": "", "conditions": None}),
    ("io.k8s.api.core.v1.PersistentVolumeClaimTemplate", {"spec": {}}, {"metadata": {}, "spec": {"resources": {}}}),
    ("io.k8s.api.networking.v1.NetworkPolicySpec", {"egress": []}, {"podSelector": {}}),
    ("io.k8s.api.apps.v1.StatefulSetOrdinals", {}, {"start": 0}),
    ("io.k8s.api.storage.v1.CSINodeDriver", {"name": "a", "nodeID": "b"}, {"name": "a", "nodeID": "b", "topologyKeys": None}),
    ("io.k8s.api.core.v1.ProjectedVolumeSource", {"sources": []}, {"sources": None}),
    ("io.k8s.api.core.v1.ProjectedVolumeSource", {"sources": [None]}, {"sources": [{}]}),
    ("io.k8s.api.storage.v1.CSIDriverSpec", {"serviceAccountTokenInSecrets": False}, {"serviceAccountTokenInSecrets": False}),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation",
     {"openAPIV3Schema": {"type": "object", "nullable": False, "title": "", "required": [],
                          "x-kubernetes-preserve-unknown-fields": False, "maxLength": 0}},
     {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": False, "maxLength": 0}}),
]


@pytest.mark.parametrize(("kind", "body", "meant"), MEANT, ids=[kind.rpartition(".")[2] for kind, _, _ in MEANT])
def test_a_body_is_stored_with_the_zeros_that_its_go_type_writes(kind: str, body: dict[str, Any], meant: dict[str, Any]) -> None:
    assert decode.struct_decoder(kind)(body, []) == meant


def test_zeros_vanish_unless_their_field_is_a_pointer_or_required() -> None:
    body = pod(containers=[container(stdin=False, env=[{"name": "A", "value": ""}],
                                     ports=[{"containerPort": 80, "hostPort": 0}])],
               hostNetwork=False, enableServiceLinks=False, tolerations=[], volumes=[{"name": "v", "emptyDir": {}}])
    spec = decode.decode(POD, body, strict=True)["spec"]
    assert spec == {"containers": [{"name": "c", "image": "nginx:1.14.2", "env": [{"name": "A"}],
                                    "ports": [{"containerPort": 80}],
                                    "resources": {}}],
                    "enableServiceLinks": False, "volumes": [{"name": "v", "emptyDir": {}}]}


def test_null_is_as_if_it_were_not_there() -> None:
    decoded = decode.decode(POD, {**pod(nodeName=None), "metadata": {"name": "p", "labels": {"a": None}}}, strict=True)
    assert "nodeName" not in decoded["spec"]
    assert decoded["metadata"]["labels"] == {"a": ""}


def test_quantities_are_stored_in_canonical_form() -> None:
    body = pod(containers=[container(resources={"requests": {"cpu": 0.5, "memory": "1024Ki"}, "limits": {"cpu": "2000m"}})])
    assert decode.decode(POD, body, strict=True)["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "1Mi"}, "limits": {"cpu": "2"}}


def test_times_are_kept_in_utc_and_precise_ones_need_six_digits() -> None:
    def event(**members: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {}, **members}
    made = decode.decode(BY_KIND["Event"], event(firstTimestamp="2026-01-01T00:00:00.9+09:00", eventTime="2026-01-01T00:00:00.123456Z"), strict=True)
    assert (made["firstTimestamp"], made["eventTime"]) == ("2025-12-31T15:00:00Z", "2026-01-01T00:00:00.123456Z")
    with pytest.raises(ApiError, match=r'cannot parse "Z" as "\.000000"'):
        decode.decode(BY_KIND["Event"], event(eventTime="2026-01-01T00:00:00Z"), strict=True)


def test_a_target_port_may_be_a_number_or_a_name_but_nothing_else() -> None:
    def service(port: object) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
                "spec": {"ports": [{"port": 80, "targetPort": port}]}}
    assert decode.decode(SERVICE, service("http"), strict=True)["spec"]["ports"][0]["targetPort"] == "http"
    with pytest.raises(ApiError) as caught:
        decode.decode(SERVICE, service([]), strict=True)
    assert caught.value.message.endswith("json: cannot unmarshal array into Go struct field ServicePort.spec.ports.targetPort of "
                                         "type int32")


def test_binary_data_must_be_base64() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "binaryData": {"a": "AAA*"}}
    with pytest.raises(ApiError) as caught:
        decode.decode(CONFIG_MAP, body, strict=True)
    assert caught.value.message.endswith("illegal base64 data at input byte 3")


@pytest.mark.parametrize(("resource", "kind", "version", "said"), [
    (POD, "ConfigMap", "v1", 'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown conversion'),
    (POD, "Job", "batch/v1", 'Job in version "v1" cannot be handled as a Pod: converting (v1.Job) to (core.Pod): unknown conversion'),
    (POD, "PodList", "v1", 'PodList in version "v1" cannot be handled as a Pod: converting (v1.PodList) to (core.Pod): unknown conversion'),
    (POD, "EphemeralContainers", "v1", 'EphemeralContainers in version "v1" cannot be handled as a Pod: no kind "EphemeralContainers" is registered '
     'for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'),  # kubectl debug before 1.22
    (BY_KIND["CronJob"], "CronJob", "batch/v1beta1", 'CronJob in version "v1beta1" cannot be handled as a CronJob: no kind "CronJob" is registered '
     'for version "batch/v1beta1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'),
])
def test_a_body_of_another_type_than_its_address_is_no_such_object(resource: Resource, kind: str, version: str, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode.check_type(resource, {"apiVersion": version, "kind": kind})
    assert (caught.value.code, caught.value.message) == (400, said)
    decode.check_type(resource, {"kind": resource.kind})


def test_the_body_is_never_changed_and_the_result_shares_nothing_with_it() -> None:
    body = pod()
    decoded = decode.decode(POD, body, strict=True)
    decoded["spec"]["containers"][0]["image"] = "other"
    assert body == pod()


def test_a_frozen_spec_that_decoding_does_not_change_stays_the_same_object() -> None:
    spec = freeze(decode.decode(POD, pod(), strict=True)["spec"])
    assert decode.decode(POD, {**pod(), "spec": spec}, strict=True)["spec"] is spec


def test_decoding_a_pod_takes_well_under_a_millisecond() -> None:
    body = pod(containers=[container(ports=[{"containerPort": 80}], resources={"limits": {"cpu": "1"}})], restartPolicy="Always")
    decode.decode(POD, body, strict=True)
    best = min(_timed(body) for _ in range(20))
    assert best < 0.0005  # 40 us on the machine it was written on


def _timed(body: dict[str, Any]) -> float:
    start = time.perf_counter()
    decode.decode(POD, body, strict=True)
    return time.perf_counter() - start
