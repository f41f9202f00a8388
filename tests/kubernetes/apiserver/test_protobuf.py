"""Which bodies client-go's typed clients may send as protobuf: Kubernetes' own tests send nothing else."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from podlab.kubernetes.apiserver import discovery, openapi_v2_protobuf, protobuf, schema
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest import bodies

JSON_ONLY = ("NodeMetrics", "PodMetrics")  # never sent at all
# What is alpha in 1.36 and behind a gate that is off: a newer client's fields are dropped as the real server drops them
ALPHA = {"ContainerExtendedResourceRequest", "ImageVolumeStatus", "NodeAllocatableResourceClaimStatus", "NodeAllocatableResourceMapping",
         "PodCertificateProjection", "PodExtendedResourceClaimStatus", "PodSchedulingGroup", "VolumeStatus"}


def names(value: Any) -> Iterator[str]:
    """The types that a definition names."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/$defs/")
        for part in value.values():
            yield from names(part)
    elif isinstance(value, list):
        for part in value:
            yield from names(part)


def varint(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return protobuf.MAGIC + message(1, message(1, api_version.encode()) + message(2, kind.encode())) + message(2, raw)


@pytest.mark.parametrize("kind", sorted({(one.api_version, one.kind) for found in discovery.served().values() for one in found}))
def test_every_served_kind_can_be_read_with_all_that_stands_in_it(kind: tuple[str, str]) -> None:
    if kind[1] in JSON_ONLY:
        return
    assert protobuf.decode(body(*kind, b"")) == {"apiVersion": kind[0], "kind": kind[1]}
    todo, seen = [name for name in protobuf._numbers() if name.endswith("." + kind[1])], set()
    while todo:
        name = todo.pop()
        if name not in seen and schema.short(name) not in ALPHA:
            seen.add(name)
            definition = schema.definitions().get(name, {})
            assert name in protobuf._numbers() or not definition.get("properties"), name
            todo += names(definition.get("properties", {}))


def test_rules_of_webhooks_and_policies_stand_in_messages_of_their_own() -> None:
    rule = message(1, b"") + message(2, b"v1") + message(3, b"pods")
    hook = message(1, b"a.example.com") + message(3, message(1, b"CREATE") + message(2, rule))
    hooks = message(1, message(1, b"hooks")) + message(2, hook)
    found = protobuf.decode(body("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", hooks))
    assert found["metadata"] == {"name": "hooks"}
    assert found["webhooks"] == [{"name": "a.example.com", "rules": [
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]}]
    named = message(1, b"web") + message(2, message(1, b"*") + message(2, rule))
    policy = message(2, message(2, message(3, named)) + message(3, message(1, b"true")))
    found = protobuf.decode(body("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", policy))
    assert found["spec"] == {"validations": [{"expression": "true"}], "matchConstraints": {"resourceRules": [
        {"resourceNames": ["web"], "operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]}}


def test_an_address_names_whom_it_is_of() -> None:
    parent = b"".join(message(number, text) for number, text in enumerate((b"mygroup", b"myresources", b"foo", b"bar"), 1))
    found = protobuf.decode(body("networking.k8s.io/v1", "IPAddress", message(2, message(1, parent))))
    assert found["spec"] == {"parentRef": {"group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar"}}


def told(data: bytes, *path: int) -> list[bytes]:
    """The fields at a path of numbers."""
    found = [data]
    for number in path:
        found = [value for one in found for key, value in protobuf._fields(one) if key == number]
    return found


@pytest.mark.slow
def test_openapi_v2_has_every_type_for_clients_that_know_no_v3() -> None:
    """Document.definitions, NamedSchema.name and value, Schema.properties, $ref, type (openapiv2/OpenAPIv2.proto)."""
    document = openapi_v2_protobuf.document()
    types = {told(one, 1)[0].decode(): told(one, 2)[0] for one in told(document, 9, 1)}
    spec = {told(one, 1)[0]: told(one, 2)[0] for one in told(types["io.k8s.api.apps.v1.DeploymentSpec"], 25, 1)}
    assert told(spec[b"replicas"], 22, 1) == [b"integer"] and told(spec[b"template"], 1) == [b"#/definitions/io.k8s.api.core.v1.PodTemplateSpec"]
    assert sorted(told(types["io.k8s.api.apps.v1.DeploymentSpec"], 19)) == [b"selector", b"template"]
    assert told(types["io.k8s.apimachinery.pkg.api.resource.Quantity"], 22, 1) == [b"string"]
    assert json.loads(told(types["io.k8s.api.core.v1.Pod"], 31, 2, 2)[0]) == [{"group": "", "kind": "Pod", "version": "v1"}]
    assert set(told(document, 8, 2, 2, 8, 8, 1, 2, 3, 4)) == {b"dryRun", b"fieldValidation"}
    for schema_of in types.values():
        assert all(ref.decode().removeprefix("#/definitions/") in types for ref in told(schema_of, 25, 1, 2, 1))


def test_a_definition_of_custom_resources_has_its_schema_in_messages_too() -> None:
    name = message(5, b"string") + message(8, message(1, b'"x"')) + message(20, message(1, b'"x"'))
    ages = message(5, b"array") + message(24, message(1, message(5, b"number") + bytes([11 << 3 | 1]) + struct.pack("<d", 2.0)))
    more = message(29, message(1, b"open") + message(2, message(30, bytes([1 << 3, 1])))) + message(30, message(2, message(5, b"string")))
    ruled = message(44, message(1, b"self.size() > 0"))
    schema_ = message(5, b"object") + message(29, message(1, b"name") + message(2, name)) + message(29, message(1, b"ages") + message(2, ages))
    version = message(1, b"v1") + message(4, message(1, schema_ + more + ruled)) + message(5, message(1, b"")) + message(9, message(1, b".name"))
    found = protobuf.decode(body("apiextensions.k8s.io/v1", "CustomResourceDefinition", message(2, message(1, b"example.com") + message(7, version))))
    assert found["spec"] == {"group": "example.com", "versions": [{
        "name": "v1", "subresources": {"status": {}}, "selectableFields": [{"jsonPath": ".name"}], "schema": {"openAPIV3Schema": {
            "type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-validations": [{"rule": "self.size() > 0"}], "properties": {
                "name": {"type": "string", "default": "x", "enum": ["x"]}, "ages": {"type": "array", "items": {"type": "number", "minimum": 2}},
                "open": {"additionalProperties": True}}}}}]}


@pytest.mark.parametrize(("embedded", "refused"), [
    (b'{"a":NaN}', "a number is out of range"), (b'{"a":[1e999]}', "a number is out of range"), (b'{"a":' + b"9" * 30 + b"}", "out of range"),
    (b"[" * 300 + b"]" * 300, "nesting depth"), (b'{"a":' * 900 + b"1" + b"}" * 900, "nesting depth")])
def test_what_json_could_not_say_is_refused_where_a_message_embeds_it(embedded: bytes, refused: str) -> None:
    with pytest.raises(ApiError, match=refused) as fault:
        bodies.read(body("apps/v1", "ControllerRevision", message(1, message(1, b"r")) + message(2, message(1, embedded))), protobuf.MEDIA_TYPE)
    assert fault.value.code == 400


def test_half_a_letter_in_what_a_message_embeds_is_none() -> None:
    raw = message(2, message(1, b'{"a":"\\ud800"}'))
    assert bodies.read(body("apps/v1", "ControllerRevision", raw), protobuf.MEDIA_TYPE)[0]["data"] == {"a": "\ufffd"}


def test_a_message_of_countless_fields_is_read_no_further() -> None:
    with pytest.raises(protobuf.ProtobufError, match="too many fields"):
        protobuf.decode(body("v1", "ConfigMap", b"\x98\x06\x00" * protobuf.FIELDS_MAX))


def test_keys_that_come_twice_are_counted_once() -> None:
    two = b'{"a":1,"b":2,' + b",".join(b'"%d":0' % number for number in range(2000)) + b',"b":3}'
    assert bodies.read(b'{"x":' + two + b"}", "application/json")[1] == ['duplicate field "x.b"']
