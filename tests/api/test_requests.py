"""Requests and answers: verbs, options, shapes, versions; and bad input, which is answered with a Status below 500."""

from typing import Any

import pytest

from podlab.api import wire
from podlab.kubernetes.apiserver import protobuf
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest.call import Call
from tests.api.client import Client, configmap

pytestmark = pytest.mark.django_db(transaction=True)
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
STRATEGIC, MERGE, JSON_PATCH = (f"application/{name}+json" for name in ("strategic-merge-patch", "merge-patch", "json-patch"))
APPLY = "application/apply-patch+yaml"


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


# ---- discovery


@pytest.mark.parametrize("path", ["/api", "/api/", "/apis", "/apis/", "/api/v1", "/api/v1/", "/apis/apps", "/apis/apps/v1", "/version",
                                  "/version/", "/openapi/v3", "/openapi/v3/api/v1", "/healthz", "/livez", "/readyz", "/"])
async def test_documents_are_there_with_and_without_a_trailing_slash(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 200


@pytest.mark.parametrize("path", ["/apis/none", "/apis/apps/v9", "/api/v2", "/nowhere", "/openapi/v3/apis/none/v1"])
async def test_what_is_not_served_is_not_found(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.headers["content-type"], answer.body) == (404, ["text/plain; charset=utf-8"], b"404 page not found\n")
    assert (await client.get("/api/v1/nowhere")).json["reason"] == "NotFound"


async def test_health_is_told_check_by_check(client: Client) -> None:
    lines = (await client.get("/readyz?verbose&exclude=etcd&exclude=none")).body.decode().splitlines()
    assert lines[:4] == ["[+]ping ok", "[+]log ok", "[+]etcd excluded: ok", "[+]etcd-readiness ok"]
    assert lines[-2:] == ['warn: some health checks cannot be excluded: no matches for "none"', "readyz check passed"]
    assert [(await client.get(path)).status for path in ("/livez/ping", "/livez/none")] == [200, 404]
    statuses = await client.get("/api/v1/componentstatuses")
    assert statuses.items == ["controller-manager", "etcd-0", "scheduler"]
    assert (await client.ask("DELETE", "/api/v1/namespaces")).json["message"] == "the server does not allow this method on the requested resource"


async def test_what_a_client_has_already_is_not_sent_again(client: Client) -> None:
    aggregated = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    for path, headers in (("/apis", aggregated), ("/openapi/v3/apis/apps/v1", {}), ("/openapi/v2", {})):
        first = await client.ask("GET", path, **headers)
        again = await client.ask("GET", path, **headers, if_none_match=first.headers["etag"][0])
        assert (first.status, again.status, again.body) == (200, 304, b"")
    moved = await client.get("/openapi/v3/apis/apps/v1?hash=OLD")
    assert moved.status == 301
    assert (await client.get(moved.headers["location"][0].removeprefix(f"/k8s/{client.token}"))).status == 200


async def test_aggregated_discovery_is_given_to_who_prefers_it(client: Client) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    answer = await client.get("/apis", accept=accept)
    assert answer.headers["content-type"] == ["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"]
    assert answer.json["kind"] == "APIGroupDiscoveryList"
    assert (await client.get("/apis")).json["kind"] == "APIGroupList"


async def test_openapi_leads_to_documents_under_the_clients_own_address(client: Client) -> None:
    paths = (await client.get("/openapi/v3")).json["paths"]
    address = paths["apis/apps/v1"]["serverRelativeURL"]
    assert address.startswith(f"/k8s/{client.token}/openapi/v3/apis/apps/v1?hash=")
    document = (await client.get(address.removeprefix(f"/k8s/{client.token}"))).json
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "fieldValidation" in [one["name"] for one in patch["parameters"]]
    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]


# ---- verbs


async def test_an_object_lives_through_every_verb(client: Client) -> None:
    made = await client.create(MAPS, configmap("it", a="1"))
    assert (made.status, made.json["metadata"]["name"]) == (201, "it")
    held = (await client.get(f"{MAPS}/it")).json
    held["data"] = {"a": "2"}
    assert (await client.ask("PUT", f"{MAPS}/it", held)).json["data"] == {"a": "2"}
    stale = await client.ask("PUT", f"{MAPS}/it", held)
    assert (stale.status, stale.json["reason"]) == (409, "Conflict")
    gone = (await client.ask("DELETE", f"{MAPS}/it")).json
    assert (gone["status"], gone["details"]["kind"], gone["details"]["uid"]) == ("Success", "configmaps", held["metadata"]["uid"])
    assert (await client.get(f"{MAPS}/it")).status == 404


@pytest.mark.parametrize(("kind", "body"), [(MERGE, {"spec": {"replicas": 3}}), (STRATEGIC, {"spec": {"replicas": 3}}),
                                            (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 3}])])
async def test_each_patch_changes_what_it_names(client: Client, kind: str, body: Any) -> None:
    await client.create(DEPLOYMENTS, deployment("web"))
    answer = await client.ask("PATCH", f"{DEPLOYMENTS}/web", body, content_type=kind)
    assert (answer.status, answer.json["spec"]["replicas"]) == (200, 3)


async def test_a_patch_that_makes_no_object_of_the_kind_is_shown_in_its_refusal(client: Client) -> None:
    await client.create(DEPLOYMENTS, deployment("web"))
    refused = await client.ask("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"replicas": "x"}}, content_type=STRATEGIC)
    assert (refused.status, refused.json["message"].partition("patch: ")[2]) == (
        422, 'Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32')


async def test_apply_creates_then_changes(client: Client) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: one}\n"
    address = f"{MAPS}/it?fieldManager=me"
    assert (await client.ask("PATCH", address, body, content_type=APPLY)).status == 201
    again = await client.ask("PATCH", address, body.replace(b"one", b"two"), content_type=APPLY)
    assert (again.status, again.json["data"]) == (200, {"a": "two"})
    assert (await client.ask("PATCH", f"{MAPS}/it", body, content_type=APPLY)).status == 422, "without a manager"


async def test_a_dry_run_answers_as_if_and_changes_nothing(client: Client) -> None:
    before = (await client.get(MAPS)).json["metadata"]["resourceVersion"]
    assert (await client.create(f"{MAPS}?dryRun=All", configmap("it"))).status == 201
    assert (await client.ask("DELETE", f"{MAPS}/kube-root-ca.crt?dryRun=All")).status == 200
    assert (await client.get(MAPS)).json["metadata"]["resourceVersion"] == before
    refused = await client.create(f"{MAPS}?dryRun=some&fieldValidation=No", configmap("it"))
    assert (refused.status, refused.json["message"]) == (422, 'CreateOptions.meta.k8s.io "" is invalid: [dryRun: Unsupported value: ["some"]: '
        'supported values: "All", fieldValidation: Unsupported value: "No": supported values: "", "Ignore", "Strict", "Warn"]')
    pod = {"metadata": {"name": "it"}, "spec": {"schedulerName": "mine", "containers": [{"name": "c", "image": "nginx"}]}}
    assert (await client.create(PODS, pod)).status == 201
    assert (await client.create(f"{PODS}/it/binding?dryRun=All", {"target": {"kind": "Node", "name": "n1"}})).status == 201
    assert "nodeName" not in (await client.get(f"{PODS}/it")).json["spec"]
    both = await client.ask("DELETE", f"{PODS}/it", {"orphanDependents": True, "propagationPolicy": "Orphan"})
    assert (both.status, both.json["details"]["kind"]) == (422, "DeleteOptions")


async def test_a_put_makes_what_some_kinds_have_not_yet(client: Client) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    assert (await client.ask("PUT", f"{leases}/it", {"metadata": {"name": "it"}})).status == 201
    assert (await client.ask("PUT", f"{MAPS}/it", configmap("it"))).status == 404
    blind = await client.ask("PUT", f"{leases}/it", {"metadata": {"name": "it"}})
    assert (blind.status, blind.json["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")


async def test_unknown_and_duplicate_fields_are_refused_warned_of_or_ignored(client: Client) -> None:
    body = b'{"metadata":{"name":"%s"},"data":{},"data":{},"dato":1}'
    strict = await client.create(f"{MAPS}?fieldValidation=Strict", body % b"strict")
    assert strict.status == 400
    assert 'strict decoding error: unknown field "dato", duplicate field "data"' in strict.json["message"]
    warned = await client.create(MAPS, body % b"warned")
    assert warned.status == 201
    assert warned.headers["warning"] == ['299 - "unknown field \\"dato\\""', '299 - "duplicate field \\"data\\""']
    assert "warning" not in (await client.create(f"{MAPS}?fieldValidation=Ignore", body % b"ignored")).headers
    wild = {"metadata": {"name": "wild"}, "x" * 1000: 1, **{f"unknown{number}": 1 for number in range(6000)}}
    told = (await client.create(f"{MAPS}?fieldValidation=Warn", wild)).headers["warning"]
    assert 100 < len(told) < 300  # no more than fit in 4,096 characters, each cut to 256
    assert max(map(len, told)) < 300


async def test_deletecollection_takes_the_selected(client: Client) -> None:
    for name in ("a", "b"):
        await client.create(MAPS, {**configmap(name), "metadata": {"name": name, "labels": {"name": name}}})
    assert (await client.ask("DELETE", f"{MAPS}?labelSelector=name=a")).status == 200
    assert (await client.get(MAPS)).items == ["b", "kube-root-ca.crt"]


async def test_preconditions_hold_a_delete_back(client: Client) -> None:
    await client.create(MAPS, configmap("it"))
    refused = await client.ask("DELETE", f"{MAPS}/it", {"preconditions": {"uid": "other"}})
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")


async def test_scale_is_read_and_written(client: Client) -> None:
    await client.create(DEPLOYMENTS, deployment("web", replicas=1))
    scale = (await client.get(f"{DEPLOYMENTS}/web/scale")).json
    scale["spec"]["replicas"] = 4
    assert (await client.ask("PUT", f"{DEPLOYMENTS}/web/scale", scale)).json["spec"]["replicas"] == 4
    assert (await client.get(f"{DEPLOYMENTS}/web")).json["spec"]["replicas"] == 4
    applied = await client.ask("PATCH", f"{DEPLOYMENTS}/web/scale?fieldManager=me&force=true", {"apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "web"}, "spec": {"replicas": 2}}, content_type=APPLY)
    assert (applied.status, applied.json["spec"]["replicas"]) == (200, 2)


async def test_a_pod_is_bound_by_either_address(client: Client) -> None:
    for name in ("a", "b"):
        await client.create(PODS, {"metadata": {"name": name}, "spec": {"schedulerName": "mine", "containers": [{"name": "c", "image": "nginx"}]}})
    target = {"target": {"kind": "Node", "name": "n1"}}
    assert (await client.create(f"{PODS}/a/binding", {"metadata": {"name": "a"}, **target})).status == 201
    assert (await client.create("/api/v1/namespaces/default/bindings", {"metadata": {"name": "b"}, **target})).status == 201
    assert [pod["spec"]["nodeName"] for pod in (await client.get(PODS)).json["items"]] == ["n1", "n1"]


async def test_an_autoscaler_of_the_older_version_is_served_in_it(client: Client) -> None:
    address = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}, "maxReplicas": 5}
    made = await client.create(address.format("v1"), {"metadata": {"name": "it"}, "spec": {**spec, "targetCPUUtilizationPercentage": 40}})
    assert (made.status, made.json["spec"]["targetCPUUtilizationPercentage"]) == (201, 40)
    await client.ask("PATCH", address.format("v1") + "/it", {"spec": {"targetCPUUtilizationPercentage": 70}}, content_type=MERGE)
    metrics = (await client.get(address.format("v2") + "/it")).json["spec"]["metrics"]
    assert metrics[0]["resource"]["target"]["averageUtilization"] == 70


# ---- lists and shapes


async def test_a_list_is_read_in_pieces_of_one_moment(client: Client) -> None:
    for name in "abcde":
        await client.create(MAPS, configmap(name))
    seen, address = [], f"{MAPS}?limit=2"
    first = (await client.get(address)).json
    await client.create(MAPS, configmap("bb"))
    page = first
    while True:
        seen += [item["metadata"]["name"] for item in page["items"]]
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        if not page["metadata"].get("continue"):
            break
        page = (await client.get(f"{address}&continue={page['metadata']['continue']}")).json
    assert seen == ["a", "b", "c", "d", "e", "kube-root-ca.crt"]
    assert first["metadata"]["remainingItemCount"] == 4
    then = f"{MAPS}?resourceVersionMatch=Exact&resourceVersion={first['metadata']['resourceVersion']}"
    await client.ask("DELETE", f"{MAPS}/c")
    assert (await client.get(then)).items == seen
    assert (await client.get(f"{then}&fieldSelector=metadata.name=c")).items == ["c"]


@pytest.mark.parametrize(("query", "status"), [("resourceVersion=x", 400), ("resourceVersion=99999999", 504), ("limit=-1", 400),
                                               ("limit=x", 400), ("continue=%21%21", 400), ("fieldSelector=spec.foo=1", 400),
                                               ("fieldSelector=x", 400), ("labelSelector=a%20in%20(", 400), ("watch=1&resourceVersion=-1", 400),
                                               ("resourceVersionMatch=No", 422), ("watch=1&sendInitialEvents=true", 422),
                                               ("resourceVersionMatch=Exact", 422), ("sendInitialEvents=true", 422), ("timeoutSeconds=x", 400),
                                               ("resourceVersionMatch=Exact&resourceVersion=0", 422), ("watch=1&resourceVersionMatch=Exact", 422)])
async def test_a_bad_query_is_refused(client: Client, query: str, status: int) -> None:
    answer = await client.get(f"{MAPS}?{query}")
    assert (answer.status, answer.json["kind"]) == (status, "Status")


async def test_tables_and_metadata_alone_are_given_by_the_accept_header(client: Client) -> None:
    table = (await client.get(MAPS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")).json
    assert (table["kind"], table["rows"][0]["cells"][0], table["rows"][0]["object"]["kind"]) == ("Table", "kube-root-ca.crt", "PartialObjectMetadata")
    partial = (await client.get(MAPS, accept="application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).json
    assert (partial["kind"], "data" in partial["items"][0]) == ("PartialObjectMetadataList", False)
    assert (await client.get(MAPS, accept="application/xml")).status == 406


async def test_ages_are_sensible_by_the_wall_clock(client: Client) -> None:
    import time

    from podlab.kubernetes.times import parse_rfc3339
    began = time.time()
    made = (await client.create(MAPS, configmap("now"))).json["metadata"]["creationTimestamp"]
    assert began - 3 < parse_rfc3339(made) / 1000 < time.time() + 3
    assert (await client.get(f"{MAPS}/now")).json["metadata"]["creationTimestamp"] == made


# ---- reviews


async def test_access_reviews_tell_the_truth(client: Client) -> None:
    address = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}}
    assert (await client.create(address, body)).json["status"]["allowed"] is True
    answer = await client.create(address, body, impersonate_user="system:serviceaccount:default:default")
    assert answer.json["status"]["allowed"] is False
    assert (await client.create(address, {"spec": {}})).status == 422


async def test_who_poses_as_another_may_do_what_that_one_may(client: Client) -> None:
    bob = {"impersonate_user": "bob"}
    refused = await client.get(MAPS, **bob)
    assert refused.status == 403
    assert 'User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"' in refused.json["message"]
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    await client.create(f"{rbac}/roles", {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]})
    await client.create(f"{rbac}/rolebindings", {"metadata": {"name": "b"}, "subjects": [{"kind": "User", "name": "bob"}],
                                                 "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}})
    assert (await client.get(MAPS, **bob)).status == 200
    assert (await client.create(MAPS, configmap("x"), **bob)).status == 403


# ---- bad input


YAML_BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]\n"
BODIES = {
    "nothing": b"", "bytes": bytes(range(256)), "not JSON": b"{", "a list": b"[]", "a number": b"1", "null": b"null", "text": b'"x"',
    "deep": b"[" * 50_000, "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "wrong types": b'{"metadata":[],"data":3}',
    "no name": b'{"metadata":{}}', "huge number": b'{"metadata":{"name":"x","generation":1e999}}', "long digits": b'{"a":' + b"9" * 5000 + b"}",
    "NaN": b'{"metadata":{"name":"x"},"data":NaN}', "lone surrogate": b'{"metadata":{"name":"\\ud800"}}', "NUL": b'{"metadata":{"name":"a\\u0000b"}}',
    "2 MB": b'{"metadata":{"name":"x"},"data":{"a":"' + b"y" * 2_000_000 + b'"}}', "4 MB": b" " * 4_000_000,
    "another kind": b'{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}', "another version": b'{"apiVersion":"v9","metadata":{"name":"x"}}',
    "YAML bomb": YAML_BOMB, "protobuf without an end": protobuf.MAGIC + b"\n\xff\xff\xff\xff\x0f", "protobuf of nothing": protobuf.MAGIC,
}
KINDS = ["application/json", "application/yaml", protobuf.MEDIA_TYPE, "text/plain", ""]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bad_body_is_refused_with_a_status(client: Client, kind: str) -> None:
    for name, body in BODIES.items():
        for method, path in (("POST", MAPS), ("PUT", f"{MAPS}/kube-root-ca.crt"), ("DELETE", f"{MAPS}/none")):
            answer = await client.ask(method, path, body, content_type=kind)
            assert 400 <= answer.status < 500 or (method == "PUT" and answer.status == 200), (name, method, answer.body[:200])
            assert answer.status == 200 or answer.json["kind"] == "Status", (name, method)


PATCHES = ['[{"op":"add"}]', '[{"op":"add","path":"/a/b/c","value":1}]', '[{"op":"remove","path":""}]', '[{"op":"replace","path":"","value":[]}]',
           '{"metadata":null}', '{"metadata":{"labels":[1]}}', '{"data":{"a":{}}}', '[{"op":"copy","from":"/metadata","path":"/data/x"}]', '[1]',
           '{"$patch":"x"}', '{"$setElementOrder/x":1}', '{"spec":{"template":{"spec":{"containers":[1]}}}}', '{"spec":null}', '{"spec":[]}',
           '{"spec":{"template":{"spec":{"containers":[{"$patch":"delete"}]}}}}', '{"spec":{"$retainKeys":5}}', '{"spec":{"replicas":"x"}}']


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC, JSON_PATCH, APPLY, "application/json", "x/y"])
async def test_a_bad_patch_is_refused_or_harmless(client: Client, kind: str) -> None:
    await client.create(DEPLOYMENTS, deployment("web"))
    for body in (*BODIES.values(), *(text.encode() for text in PATCHES)):
        for path in (f"{MAPS}/kube-root-ca.crt", f"{DEPLOYMENTS}/web", f"{DEPLOYMENTS}/web/scale", "/api/v1/nodes/n1/status", f"{MAPS}/none"):
            answer = await client.ask("PATCH", path + "?fieldManager=x", body, content_type=kind)
            assert answer.status < 500, (path, body[:80], answer.body[:300])


ODD = ["/api/v1/pods/x", "/api/v1/namespaces/default/nodes", "/api/v1/namespaces/default/pods/%00", "/api/v1/nodes/%2e%2e", "/api/v1/none",
       "/api/v1/namespaces/default/pods/x/log", "/api/v1/namespaces/default/pods/x/none", "/api/v1/namespaces/default/pods/x/proxy/a/b",
       "/api/v1/componentstatuses", "/api/v1/namespaces/%F0%9F%98%80/pods", "/apis/metrics.k8s.io/v1beta1/nodes/none", "/api/v1/watch/pods/x/y",
       "/api/v1/namespaces/default/pods/x/exec", "/api/v1/namespaces/default/pods/x/portforward", "/api/v1/namespaces/default/pods/x/eviction",
       "/api/v1/namespaces/default/services/a:b:c/proxy",
       "/api/v1/namespaces/default/services/kubernetes:nope/proxy/x"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"])
async def test_odd_addresses_are_answered_below_500(client: Client, method: str) -> None:
    kind = MERGE if method == "PATCH" else "application/json"
    for path in ODD:
        answer = await client.ask(method, path, {} if method != "GET" else None, content_type=kind)
        assert answer.status < 500 or (answer.status, "/proxy" in path) == (503, True), path
        if answer.status >= 400 and method != "HEAD":
            assert answer.json["kind"] == "Status", path


@pytest.mark.parametrize(("code", "details", "header"), [
    (429, None, [b"1"]),  # of the server itself (max in flight): to be asked again
    (429, {"causes": [{"reason": "DisruptionBudget"}]}, []),  # an eviction that a budget forbids: the client's own affair
    (429, {"retryAfterSeconds": 10}, [b"10"]), (504, {"retryAfterSeconds": 1}, [b"1"]), (404, {"name": "x"}, []),
])
async def test_a_refusal_says_when_to_come_again(code: int, details: dict[str, Any] | None, header: list[bytes]) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)
    await wire.refuse(send, Call("GET", ["api"], {}, {}), ApiError(code, "Reason", "message", details))
    assert [value for name, value in sent[0]["headers"] if name == b"retry-after"] == header
