"""The API server as a process in a Pod meets it: the Service kubernetes, TLS, tokens, RBAC."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.apiserver import issuer
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.runtime import jwt
from podlab.projection.reasons import actor

from .lab import Lab

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TRUSTING = f"curl -s --cacert {ACCOUNT}/ca.crt"
ASK = f'{TRUSTING} -H "Authorization: Bearer $(cat {ACCOUNT}/token)"'
SERVER = "https://kubernetes.default.svc"
PODS = f"{SERVER}/api/v1/namespaces/default/pods"
MAPS = f"{SERVER}/api/v1/namespaces/default/configmaps"
RBAC = "rbac.authorization.k8s.io"


def allow(lab: Lab, name: str, account: str, *resources: str, verbs: tuple[str, ...] = ("get", "list", "watch")) -> None:
    """A Role over core resources, and its binding to a ServiceAccount of default."""
    lab.create("roles", {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": name},
                         "rules": [{"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}]})  # fmt: skip
    lab.create("rolebindings", {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": name},
                                "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
                                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}]})  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab(2)
    lab.client("client", "curlimages/curl:latest")
    lab.create("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "writer"}})
    lab.pod("writer", "curlimages/curl:latest", command=["sleep", "1000000"], spec={"serviceAccountName": "writer"})
    lab.pod("web", "nginx:1.27", labels={"app": "web"})
    allow(lab, "writer", "writer", "configmaps", "pods", "pods/log", "pods/exec", verbs=("*",))
    lab.settle(20)
    return lab


def asked(lab: Lab, command: str, pod: str = "client") -> Any:
    return json.loads(lab.out(pod, command))


def test_the_environment_and_the_name_lead_to_the_api_server(lab: Lab) -> None:
    assert asked(lab, f"{TRUSTING} {SERVER}/version")["gitVersion"] == "v1.36.2"
    assert asked(lab, f"CURL_CA_BUNDLE={ACCOUNT}/ca.crt curl -s {SERVER}/version")["minor"] == "36"
    assert asked(lab, f"{TRUSTING} https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version")["major"] == "1"
    assert lab.run("client", f"curl -s {SERVER}/version")[2] == 60


def test_strangers_see_health_and_version_and_nothing_else(lab: Lab) -> None:
    for path in ("healthz", "livez", "readyz"):
        assert lab.out("client", f"{TRUSTING} {SERVER}/{path}") == "ok"
    refused = asked(lab, f"{TRUSTING} {SERVER}/api")
    assert refused["code"] == 403 and refused["message"] == 'forbidden: User "system:anonymous" cannot get path "/api"'
    assert 'User "system:anonymous" cannot list resource "pods"' in asked(lab, f"{TRUSTING} {PODS}")["message"]
    assert asked(lab, f"{ASK} {SERVER}/api")["versions"] == ["v1"]


def test_a_token_that_is_none_is_unauthorized(lab: Lab) -> None:
    refused = asked(lab, f'{TRUSTING} -H "Authorization: Bearer nonsense" {PODS}')
    assert (refused["code"], refused["reason"], refused["message"]) == (401, "Unauthorized", "Unauthorized")


def test_an_account_without_a_role_is_forbidden_and_with_one_it_is_not() -> None:
    lab = Lab(1)
    lab.client("client", "curlimages/curl:latest", node="node-1")
    lab.settle(20)
    refused = asked(lab, f"{ASK} {PODS}")
    assert refused["code"] == 403 and refused["message"] == (
        'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"')
    allow(lab, "reader", "default", "pods")
    found = asked(lab, f"{ASK} {PODS}")
    assert found["kind"] == "PodList" and [one["metadata"]["name"] for one in found["items"]] == ["client"]


def test_what_a_pod_writes_stands_in_the_cluster_with_its_account_as_the_cause(lab: Lab) -> None:
    body = "-H 'Content-Type: application/json' -d '{\"metadata\":{\"name\":\"made\"},\"data\":{\"a\":\"b\"}}'"
    made = asked(lab, f"{ASK} -X POST {body} {MAPS}", "writer")
    assert list(made)[:3] == ["kind", "apiVersion", "metadata"] and made["metadata"]["managedFields"][0]["manager"] == "curl"
    patch = "-H 'Content-Type: application/merge-patch+json' -d '{\"data\":{\"c\":\"d\"}}'"
    assert asked(lab, f"{ASK} -X PATCH {patch} {MAPS}/made", "writer")["data"] == {"a": "b", "c": "d"}
    causes = lab.cluster.causes
    record = causes.record(causes.latest("configmaps/default/made")[0])
    assert record is not None and record["rule"] == "account-request" and actor(record) == "서비스어카운트 default/writer"
    assert asked(lab, f"{ASK} -X DELETE {MAPS}/made", "writer")["status"] == "Success"
    assert asked(lab, f"{ASK} {MAPS}/made", "writer")["message"] == 'configmaps "made" not found'


def said(lab: Lab, exec_id: str, pod: str = "writer") -> list[str]:
    """The lines that came since the last look, a second later."""
    lab.settle(1)
    return lab._held(pod)[0].read_exec(exec_id)[0].splitlines()


@pytest.mark.slow
def test_a_watch_tells_what_changes_until_its_time_is_over_on_a_restored_cluster_too() -> None:
    lab = Lab(1)
    lab.pod("writer", "curlimages/curl:latest", command=["sleep", "1000000"])
    allow(lab, "writer", "default", "configmaps", verbs=("*",))
    lab.settle(10)
    reading = lab.begin("writer", f"{ASK} '{MAPS}?watch=1&labelSelector=mine&timeoutSeconds=10'; echo over")
    assert said(lab, reading) == []
    for name, labels in (("a", {"mine": "1"}), ("b", {}), ("c", {"mine": "1"})):
        lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})
    names = [(event["type"], event["object"]["metadata"]["name"]) for event in map(json.loads, said(lab, reading))]
    assert names == [("ADDED", "a"), ("ADDED", "c")]
    twin = lab.restored()
    for one in (lab, twin):
        one.cluster.apply({"at": one.cluster.now, "do": "request", "verb": "delete", "resource": "configmaps", "namespace": "default", "name": "a"})
        assert [json.loads(line)["type"] for line in said(one, reading)] == ["DELETED"]
    lab.settle(8)
    assert said(lab, reading) == ["over"]


@pytest.mark.slow
def test_a_log_is_followed_line_by_line_until_its_container_ends(lab: Lab) -> None:
    lab.pod("counting", command=["sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 1; done"], spec={"restartPolicy": "Never"})
    lab.settle(3)
    reading = lab.begin("writer", f"{ASK} '{PODS}/counting/log?follow=1'; echo over")
    seconds = [said(lab, reading) for _ in range(10)]
    assert len(seconds[0]) < 6 and len([lines for lines in seconds if lines]) > 2
    assert [line for lines in seconds for line in lines] == ["1", "2", "3", "4", "5", "6", "over"]


def test_logs_and_selected_lists_are_read_and_a_watch_tells_what_there_is(lab: Lab) -> None:
    assert "ready for start up" in lab.out("writer", f"{ASK} {PODS}/web/log")
    assert [one["metadata"]["name"] for one in asked(lab, f"{ASK} '{PODS}?labelSelector=app%3Dweb'", "writer")["items"]] == ["web"]
    lines = [json.loads(line) for line in lab.out("writer", f"{ASK} -m 1 '{PODS}?watch=1'").splitlines()]
    assert {line["type"] for line in lines} == {"ADDED"} and "web" in [line["object"]["metadata"]["name"] for line in lines]
    assert "Upgrade request required" in asked(lab, f"{ASK} '{PODS}/web/exec?command=ls&stdout=1'", "writer")["message"]


def test_whoever_speaks_plain_http_is_told_so(lab: Lab) -> None:
    assert lab.out("client", "curl -s http://kubernetes.default.svc:443/") == "Client sent an HTTP request to an HTTPS server.\n"


def test_two_requests_may_share_a_connection_and_a_post_of_nonsense_is_a_bad_request(lab: Lab) -> None:
    assert lab.out("client", f"{TRUSTING} {SERVER}/livez {SERVER}/readyz") == "okok"
    assert asked(lab, f"{ASK} -X POST -H 'Content-Type: application/json' -d '{{' {MAPS}", "writer")["code"] == 400


def test_busybox_wget_speaks_tls_and_says_that_it_verifies_nothing(lab: Lab) -> None:
    out, err, code = lab.run("client", f"wget -qO- --header \"Authorization: Bearer $(cat {ACCOUNT}/token)\" {SERVER}/version")
    assert code == 0 and json.loads(out)["minor"] == "36" and err == "wget: note: TLS certificate validation not implemented\n"
    _, err, code = lab.run("client", f"wget -qO- https://{lab.ip('web')}:80/")
    assert code == 1 and "got bad TLS record" in err


@pytest.mark.slow
def test_answers_to_many_who_ask_at_once_come_one_after_another(lab: Lab) -> None:
    loop = f"for i in 1 2 3 4 5 6 7 8 9 10; do {ASK} {PODS} > /tmp/$i & done; wait; cat /tmp/10"
    began = lab.cluster.now
    assert asked(lab, loop, "writer")["kind"] == "PodList"
    assert lab.cluster.now - began >= 10 * 2


def test_a_policy_that_lets_nothing_out_keeps_the_api_server_away() -> None:
    lab = Lab(1)
    lab.client("client", "curlimages/curl:latest", node="node-1")
    lab.create("networkpolicies", {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "shut"},
                                   "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})  # fmt: skip
    lab.settle(20)
    assert lab.run("client", "curl -sk -m 5 https://10.96.0.1/version")[2] == 28


@pytest.mark.slow
def test_a_cluster_restored_in_the_middle_of_requests_goes_on_as_it_would_have() -> None:
    lab = Lab(1)
    lab.pod("asking", "curlimages/curl:latest", command=["sh", "-c", f"while sleep 0.05; do {ASK} {SERVER}/apis/apps; done"])
    lab.settle(20)
    lab.cluster.run_for(0.503)
    state = json.dumps(lab.cluster.checkpoint())
    other = Cluster.restore(json.loads(state), strict=True)
    for cluster in (lab.cluster, other):
        cluster.run_for(5)
    assert json.dumps(lab.cluster.checkpoint()) == json.dumps(other.checkpoint())
    assert len(lab.cluster.traffic(lab.cluster.now - 5000)) > 20


@pytest.mark.slow
def test_agnhost_polls_the_api_and_verifies_a_token_by_what_the_issuer_publishes() -> None:
    lab = Lab(1)
    agnhost = "registry.k8s.io/e2e-test-images/agnhost:2.57"
    volume = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token", "audience": "oidc-discovery-test"}}]}}
    mount = [{"name": "t", "mountPath": "/var/run/secrets/tokens"}]
    words = ["test-service-account-issuer-discovery", "--token-path", "/var/run/secrets/tokens/token", "--audience"]
    for name, audience in (("right", "oidc-discovery-test"), ("wrong", "another")):
        lab.pod(name, agnhost, args=[*words, audience], volumeMounts=mount, spec={"volumes": [volume], "restartPolicy": "Never"})
    lab.pod("polling", agnhost, args=["inclusterclient", "--poll-interval=5"])
    lab.settle(40)
    assert lab.status("right")["phase"] == "Succeeded" and "OK: Got valid claims from token!" in lab.logs("right")
    assert lab.status("wrong")["phase"] == "Failed" and "do not match any of allowed audiences" in lab.logs("wrong")
    assert lab.logs("polling").count("authz_header=") > 3 and "status=failed" not in lab.logs("polling")


def test_the_issuer_tells_accounts_of_its_keys_and_nobody_else(lab: Lab) -> None:
    told = asked(lab, f"{ASK} {SERVER}/.well-known/openid-configuration")
    assert told["issuer"] == "https://kubernetes.default.svc.cluster.local" and told["jwks_uri"].endswith(":6443/openid/v1/jwks")
    keys = asked(lab, f"{ASK} {SERVER}/openid/v1/jwks")["keys"]
    token = lab.out("client", f"cat {ACCOUNT}/token")
    claims = jwt.verify(token, keys, issuer=told["issuer"], audiences=[told["issuer"]], now=lab.cluster.now)
    assert claims["sub"] == "system:serviceaccount:default:default"
    assert asked(lab, f"{TRUSTING} {SERVER}/openid/v1/jwks")["code"] == 403


def test_whoever_knows_the_published_key_still_makes_no_token(lab: Lab) -> None:
    token = lab.out("client", f"cat {ACCOUNT}/token")
    head, body, _ = token.split(".")
    claims = {**json.loads(jwt.decode(body)), "sub": "system:serviceaccount:default:writer"}
    text = f"{head}.{jwt.encode(json.dumps(claims, separators=(',', ':')).encode())}"
    assert asked(lab, f"{TRUSTING} -H 'Authorization: Bearer {text}.{issuer.signature(text)}' {PODS}")["code"] == 401
    assert asked(lab, f"{TRUSTING} -H 'Authorization: Bearer {head}.{body}.{issuer.signature(text)}' {PODS}")["code"] == 401
