"""Who may come in: the token of the cluster, and nobody else for any reason that could be told."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import RequestFactory

from podlab.apart import of_api
from podlab.api import tokens
from podlab.api.models import Token
from podlab.labs.models import Cluster
from tests.api.client import Client, Rooted, configmap
from tests.api.conftest import new_cluster

pytestmark = pytest.mark.django_db(transaction=True)
PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


async def renewed(cluster: Cluster, **options: Any) -> str:
    return await database_sync_to_async(tokens.issue)(cluster, **options)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "../../etc/passwd", "%00", "A" * 5000])
async def test_a_wrong_token_is_unauthorized_without_a_reason(client: Client, token: str) -> None:
    answer = await Client(token).get(PODS)
    assert (answer.status, answer.json["reason"], answer.json["message"]) == (401, "Unauthorized", "Unauthorized")


async def test_the_old_token_stops_working_when_a_new_one_is_made(client: Client, cluster: Cluster) -> None:
    assert (await client.get(PODS)).status == 200
    new = Client(await renewed(cluster))
    assert (await client.get(PODS)).status == 401
    assert (await new.get(PODS)).status == 200


async def test_a_revoked_token_ends(client: Client, cluster: Cluster) -> None:
    assert (await client.get(PODS)).status == 200
    await database_sync_to_async(tokens.revoke)(cluster)
    assert (await client.get(PODS)).status == 401


async def test_another_clusters_token_opens_only_that_cluster(client: Client) -> None:
    other = Client(await renewed(await database_sync_to_async(new_cluster)()))
    await other.create(MAPS, configmap("theirs"))
    assert "theirs" not in (await client.get(MAPS)).items
    assert "theirs" in (await other.get(MAPS)).items


async def test_cookies_and_bearer_tokens_count_for_nothing(client: Client) -> None:
    for headers in ({"cookie": "podlab_session=anything"}, {"authorization": "Bearer " + client.token}):
        assert (await Client("a" * 43).get(PODS, **headers)).status == 401


async def test_only_the_hash_is_stored(client: Client) -> None:
    rows = await database_sync_to_async(lambda: list(Token.objects.values()))()
    assert client.token not in str(rows)


async def test_a_readers_token_reads_and_writes_nothing(client: Client, cluster: Cluster) -> None:
    await client.create(MAPS, configmap("there"))
    reader = Client(await renewed(cluster, holder="teacher:1", read_only=True))
    assert (await reader.get(f"{MAPS}/there")).status == 200
    for method, path, body in [("POST", MAPS, configmap("new")), ("DELETE", f"{MAPS}/there", None), ("DELETE", MAPS, None),
                               ("PUT", f"{MAPS}/there", configmap("there")), ("PATCH", f"{MAPS}/there", {}),
                               ("GET", f"{PODS}/x/proxy/", None),
                               ("GET", f"{PODS}/x/exec?command=ls&stdout=1", None), ("POST", f"{PODS}/x/exec?command=ls&stdout=1", None)]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        assert (await reader.ask(method, path, body, content_type=kind)).status == 403, (method, path)
    assert (await client.get(f"{MAPS}/there")).status == 200


async def test_a_readers_token_writes_nothing_whatever_the_cluster_allows_and_whoever_its_bearer_says_to_be(client: Client, cluster: Cluster) -> None:
    everybody = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "everybody"},
                 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                 "subjects": [{"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}]}
    assert (await client.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", everybody)).status == 201
    made = await client.create("/api/v1/namespaces/default/serviceaccounts/default/token", {"apiVersion": "authentication.k8s.io/v1",
                                                                                          "kind": "TokenRequest", "spec": {}})
    account = made.json["status"]["token"]
    token = await renewed(cluster, holder="teacher:1", read_only=True)
    ways: list[tuple[Client, dict[str, str]]] = [
        (Client(token), {}), (Client(f"{token}@{account}"), {}), (Client(token), {"authorization": f"Bearer {account}"}),
        (Client(token), {"impersonate_user": "kubernetes-admin", "impersonate_group": "system:masters"}),
        (Rooted(token), {"authorization": f"Bearer {token}"}), (Rooted(token), {"authorization": f"Bearer {token}@{account}"})]
    for reader, headers in ways:
        for method, path in [("POST", MAPS), ("POST", f"{MAPS}?dryRun=All"), ("PUT", f"{MAPS}/x"), ("PATCH", f"{MAPS}/x"), ("DELETE", MAPS),
                             ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token"), ("PUT", "/api/v1/namespaces/default/finalize"),
                             ("POST", f"{PODS}/x/binding"), ("POST", f"{PODS}/x/eviction"), ("PATCH", f"{PODS}/x/ephemeralcontainers"),
                             ("PATCH", f"{PODS}/x/resize"), ("PATCH", f"{PODS}/x/status"), ("GET", f"{PODS}/x/exec?command=ls&stdout=1"),
                             ("GET", f"{PODS}/x/attach?stdout=1"), ("GET", f"{PODS}/x/portforward?ports=80"), ("GET", f"{PODS}/x/proxy/")]:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            refused = await reader.ask(method, path, None if method == "GET" else configmap("x"), content_type=kind, **headers)
            assert refused.status == 403, (method, path, list(headers))
    assert (await Client(token).get(MAPS)).status == 200


async def test_the_learners_token_outlives_the_teachers(client: Client, cluster: Cluster) -> None:
    await renewed(cluster, holder="teacher:1", read_only=True)
    assert (await client.get(PODS)).status == 200


async def test_a_watch_ends_when_its_token_is_revoked(client: Client, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podlab.api.watch.LOOK_EVERY", 0.05)
    async with client.watch(f"{MAPS}?watch=1&resourceVersion=0&fieldSelector=metadata.name=none") as stream:
        while stream.sent.empty():
            await asyncio.sleep(0.01)
        await database_sync_to_async(tokens.revoke)(cluster)
        with pytest.raises(EOFError):
            await stream.next()


def test_the_kubeconfig_names_the_address_that_the_page_was_asked_at(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["podlab.example"]
    text = tokens.kubeconfig(RequestFactory().get("/", headers={"host": "podlab.example"}), "SECRET")
    assert "server: http://podlab.example/k8s/SECRET\n" in text and "user: {}\n" in text


def test_over_https_the_kubeconfig_has_a_bare_address_and_a_token(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["podlab.example"]
    text = tokens.kubeconfig(RequestFactory().get("/", headers={"host": "podlab.example"}, secure=True), "SECRET")
    assert "server: https://podlab.example\n" in text and 'user: {token: "SECRET"}\n' in text


@pytest.mark.parametrize(("path", "code"), [("/api/v1/namespaces/default/pods", 200), ("/api", 200), ("/apis/", 200), ("/version", 200),
                                            ("/livez", 200), ("/openapi/v3", 200), ("/.well-known/openid-configuration", 200),
                                            ("/apis/apps/v2", 404), ("/openid/v2", 404)])
async def test_at_the_root_of_the_site_the_token_is_a_header(client: Client, path: str, code: int) -> None:
    assert of_api(path)
    at_root = Rooted(client.token)
    assert (await at_root.get(path, authorization=f"Bearer {client.token}")).status == code
    for wrong in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {client.token}"}, {"cookie": f"token={client.token}"}):
        refused = await at_root.get(path, **wrong)
        assert (refused.status, refused.json["message"], refused.headers.get("set-cookie")) == (401, "Unauthorized", None)


async def test_a_service_accounts_token_follows_the_clusters_own_in_the_header(client: Client) -> None:
    made = await client.create("/api/v1/namespaces/default/serviceaccounts/default/token", {"apiVersion": "authentication.k8s.io/v1",
                                                                                          "kind": "TokenRequest", "spec": {}})
    both = f"Bearer {client.token}@{made.json['status']['token']}"
    assert (await Rooted(client.token).get(PODS, authorization=both)).status == 403
    assert (await Rooted(client.token).get("/version", authorization=both)).status == 200


def test_pages_of_the_site_are_not_taken_for_the_apis() -> None:
    assert not [path for path in ("/", "/apish/", "/lessons/api/", "/teacher/", "/versions", "/start/", "/.well-known/security.txt") if of_api(path)]
