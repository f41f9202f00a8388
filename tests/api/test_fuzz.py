"""Bodies made at random from our own OpenAPI document: whatever they say, the answer is below 500 and the cluster goes on.

PODLAB_FUZZ=20000 asks for more of them; a failure names its seed.
"""

import json
import os
import random
from typing import Any

import pytest

from podlab.kubernetes.apiserver import discovery, openapi
from tests.api.client import Client

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = int(os.environ.get("PODLAB_FUZZ", "400"))
SEED = int(os.environ.get("PODLAB_FUZZ_SEED", "1"))
WORDS = ["", "a", "web", "default", "nginx", "n1", "0", "-1", "1Gi", "100m", "10%", "RollingUpdate", "Always", "Never", "TCP", "80", "http",
         "ClusterIP", "None", "10.96.0.10", "2026-11-21T00:00:00Z", "*/5 * * * *", "kubernetes.io/hostname", "In", "Exists", "x" * 300, "가",
         "a/b", "..", "\n", "Guaranteed"]
NUMBERS = [0, 1, -1, 2, 80, 65536, 2**31 - 1, -2**31, 2**63 - 1, 1.5]
KINDS = ["application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"]


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.schemas: dict[str, Any] = {}
        for name in openapi.names():
            self.schemas |= json.loads(openapi.document(name) or b"{}")["components"]["schemas"]

    def of(self, schema: dict[str, Any], depth: int = 0) -> Any:
        pick = self.random
        if pick.random() < 0.02:
            return pick.choice([None, [], {}, "", 0, True, [None], {"a": None}])
        if "allOf" in schema:
            return self.of(schema["allOf"][0], depth)
        if "oneOf" in schema:
            return self.of(pick.choice(schema["oneOf"]), depth)
        if "$ref" in schema:
            return self.of(self.schemas[schema["$ref"].rsplit("/", 1)[1]], depth + 1)
        kind = schema.get("type")
        if kind == "array":
            return [self.of(schema.get("items", {}), depth + 1) for _ in range(pick.choice([0, 1, 1, 2]))]
        if kind == "object" and "properties" in schema:
            wanted = schema.get("required", [])
            chance = 0.5 if depth < 3 else 0.25 if depth < 7 else 0.0
            return {name: self.of(field, depth) for name, field in schema["properties"].items()
                    if name not in ("apiVersion", "kind") and pick.random() < (0.95 if name in wanted else chance)}
        if kind == "object":
            inner = schema.get("additionalProperties", {"type": "string"})
            return {pick.choice(WORDS): self.of(inner, depth + 1) for _ in range(pick.choice([0, 1, 2]))}
        if kind in ("integer", "number"):
            return pick.choice(NUMBERS)
        return pick.random() < 0.5 if kind == "boolean" else pick.choice(schema.get("enum") or WORDS)


def unlimited(settings: Any) -> None:
    """As many requests as there are: not the limits are asked here."""
    for name in ("REQUESTS_PER_SECOND", "REQUESTS_BURST", "WRITES_PER_SECOND", "WRITES_BURST", "BYTES_PER_SECOND", "BYTES_BURST"):
        setattr(settings, f"API_{name}", 10**12)


async def test_random_objects_and_patches_are_answered_below_500(client: Client, settings: Any) -> None:
    unlimited(settings)
    maker = Maker(SEED)
    resources = [one for group in discovery.served().values() for one in group if set(discovery.verbs_of(one)) & {"create", "patch"}]
    made: list[str] = []
    for i in range(COUNT):
        resource = resources[i % len(resources)]
        root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
        collection = f"{root}/namespaces/default/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
        body = maker.of(maker.schemas[openapi._type(resource)])
        if isinstance(body, dict):
            odd = maker.of(maker.schemas[openapi.META + "ObjectMeta"]) if maker.random.random() < 0.3 else {}
            body["metadata"] = {"name": f"f{i}", **odd} if isinstance(odd, dict) else odd
        method, path, kind = "POST", collection, "application/json"
        if made and maker.random.random() < 0.5:
            method, path = maker.random.choice(["PUT", "PATCH", "PATCH", "DELETE", "GET"]), maker.random.choice(made)
            kind = maker.random.choice(KINDS) if method == "PATCH" else kind
        answer = await client.ask(method, path + "?fieldManager=fuzz", None if method == "GET" else body, content_type=kind)
        assert answer.status < 500 or "resourceVersion should not be set" in answer.body.decode(), \
            f"seed {SEED}, request {i}: {method} {path} {kind} {json.dumps(body)[:3000]} -> {answer.body[:500]!r}"
        if method == "POST" and answer.status == 201 and answer.json["metadata"].get("name"):
            made = [*made, f"{collection}/{answer.json['metadata']['name']}"][-60:]
    assert made, "some of it is sound"
    assert (await client.get("/api/v1/pods")).status == 200


TEXTS = [b"", b"\0", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":', b"k8s\0", b"k8s\0\x0a\xff\xff\xff\xff\x0f", b"- *a", b"a: &a [*a, *a]",
          b"{" * 5000, b"\r\n" * 40,
         b'{"metadata":{"name":"\\ud800"}}', b'{"a":1e999}', b"--- a\n--- b"]
TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/apply-patch+yaml", "text/plain", "*/*", "",
         "application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json", "\xe4/\xe4"]
PIECES = ["api", "apis", "v1", "apps", "batch", "namespaces", "default", "pods", "deployments", "configmaps", "x", "status", "scale",
          "log", "exec", "proxy",
          "..", "%00", "%ff", "가", "", "openapi", "v3", "version", "kubeconfig", "events.k8s.io", "*", "nodes", "n1", "token", "serviceaccounts"]
QUERIES = ["limit=2", "limit=-1", "limit=x", "continue=eyJ2Ijox", "continue=%00", "resourceVersion=0", "resourceVersion=99999999999",
          "resourceVersion=x",
           "labelSelector=a%20in%20(b", "labelSelector=a", "fieldSelector=spec.x=1", "fieldSelector=,", "dryRun=All", "dryRun=x", "fieldManager=%00",
           "fieldValidation=Strict", "fieldValidation=x", "force=true", "timeoutSeconds=1", "resourceVersionMatch=Exact", "pretty=true",
          "%ff=%fe", "follow=x",
           "command=ls&stdout=1", "container=none", "tailLines=-1", "gracePeriodSeconds=x", "propagationPolicy=x", "includeObject=x"]
ACCEPTED = ["application/json", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/vnd.kubernetes.protobuf", "*/*", ";;;", "a/b;q=x",
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"]


async def test_raw_bytes_on_any_path_are_answered_below_500(client: Client, settings: Any) -> None:
    unlimited(settings)
    pick = random.Random(SEED)
    for i in range(COUNT):
        if pick.random() < 0.5:
            root = pick.choice(["/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/events.k8s.io/v1", "/apis/authorization.k8s.io/v1"])
            path = f"{root}/namespaces/default/" + "/".join(pick.choices(PIECES, k=pick.choice([1, 2, 2, 3])))
        else:
            path = "/" + "/".join(pick.choices(PIECES, k=pick.randrange(8)))
        path += "?" + "&".join(pick.choices(QUERIES, k=pick.randrange(4)))
        body = pick.choice(TEXTS) if pick.random() < 0.6 else pick.randbytes(pick.choice([1, 10, 300]))
        method = pick.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "가".encode().decode("latin-1")])
        headers = {"content_type": pick.choice(TYPES), "accept": pick.choice(ACCEPTED)}
        if pick.random() < 0.1:
            headers["authorization"] = pick.choice(["Bearer x.y.z", "Bearer ", "Bearer \xff", "Basic eA==", "Bearer eyJ.e30.x"])
        if pick.random() < 0.1:
            headers["impersonate_user"] = pick.choice(["jane", "system:serviceaccount:a:b", "system:serviceaccount:", "\xff"])
        answer = await client.ask(method, path, body, **headers)
        # a resourceVersion of the future times out, and a real server says 504 too
        assert answer.status < 500 or answer.status == 504, f"seed {SEED}, request {i}: {method} {path} {headers} {body!r} -> {answer.body[:500]!r}"
    assert (await client.get("/api/v1/pods")).status == 200
