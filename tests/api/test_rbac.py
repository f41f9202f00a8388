"""Who may do what: ServiceAccounts by their tokens, viewers by theirs, and the words of a refusal."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from podlab.api import tokens
from podlab.kubernetes.runtime import jwt
from podlab.labs.models import Cluster
from tests.api.client import Answer, Client, configmap

pytestmark = pytest.mark.django_db(transaction=True)
CORE, RBAC = "/api/v1/namespaces/default", "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"


class Bearer:
    """A client that bears a ServiceAccount's token."""

    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.client.ask(method, path, body, authorization=f"Bearer {self.token}", **headers)

    async def status(self, method: str, path: str, body: Any = None) -> int:
        return (await self.ask(method, path, body)).status


@pytest.fixture
async def account(client: Client) -> Bearer:
    """The ServiceAccount `ci`, which may do nothing yet."""
    await client.create(f"{CORE}/serviceaccounts", {"metadata": {"name": "ci"}})
    made = await client.create(f"{CORE}/serviceaccounts/ci/token", {"spec": {"expirationSeconds": 3600}})
    assert made.status == 201
    return Bearer(client, made.json["status"]["token"])


async def allow(client: Client, *rules: dict[str, Any], kind: str = "Role") -> None:
    """The rules for `ci`, in the namespace or (ClusterRole) in the whole cluster."""
    where = f"{RBAC}/namespaces/default" if kind == "Role" else RBAC
    plural = "roles" if kind == "Role" else "clusterroles"
    await client.create(f"{where}/{plural}", {"metadata": {"name": "may"}, "rules": list(rules)})
    bound = {"metadata": {"name": "may"}, "roleRef": {"apiGroup": GROUP, "kind": kind, "name": "may"},
             "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": "default"}]}
    assert (await client.create(f"{where}/{plural[:-1]}bindings", bound)).status == 201


async def test_an_account_may_do_what_its_role_says_and_is_refused_the_rest_in_the_servers_words(client: Client, account: Bearer) -> None:
    refused = await account.ask("GET", f"{CORE}/pods")
    assert (refused.status, refused.json["message"]) == (403, 'pods is forbidden: User "system:serviceaccount:default:ci" cannot list resource '
                                                              '"pods" in API group "" in the namespace "default"')
    await allow(client, {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]})
    assert await account.status("GET", f"{CORE}/pods") == 200
    refused = await account.ask("DELETE", f"{CORE}/pods/x")
    assert refused.json["message"] == ('pods "x" is forbidden: User "system:serviceaccount:default:ci" cannot delete resource "pods" in API group '
                                       '"" in the namespace "default"')
    assert refused.json["details"] == {"name": "x", "kind": "pods"}
    refused = await account.ask("GET", "/apis/apps/v1/deployments")
    assert refused.json["message"] == ('deployments.apps is forbidden: User "system:serviceaccount:default:ci" cannot list resource "deployments" '
                                       'in API group "apps" at the cluster scope')


async def test_names_subresources_and_wildcards_count(client: Client, account: Bearer) -> None:
    await allow(client, {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get", "update"]},
                {"apiGroups": ["apps"], "resources": ["*/scale"], "verbs": ["*"]}, {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]})
    for name in ("mine", "other"):
        await client.create(f"{CORE}/configmaps", configmap(name))
    assert [await account.status("GET", f"{CORE}/configmaps/{name}") for name in ("mine", "other")] == [200, 403]
    assert await account.status("GET", f"{CORE}/configmaps") == 403
    assert await account.status("GET", "/apis/apps/v1/namespaces/default/deployments/none/scale") == 404
    assert await account.status("GET", f"{CORE}/pods/none/log") == 404
    assert await account.status("GET", f"{CORE}/pods/none") == 403


async def test_exec_needs_the_right_to_create(client: Client, account: Bearer) -> None:
    await allow(client, {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]})
    refused = await account.ask("GET", f"{CORE}/pods/x/exec?command=ls&stdout=1")
    assert 'cannot create resource "pods/exec"' in refused.json["message"]


async def test_paths_are_open_by_discovery_and_by_rule(client: Client, account: Bearer) -> None:
    assert [await account.status("GET", path) for path in ("/api", "/apis", "/version", "/healthz", "/openapi/v3")] == [200] * 5
    refused = await account.ask("GET", "/metrics")
    assert (refused.status, refused.json["message"]) == (403, 'forbidden: User "system:serviceaccount:default:ci" cannot get path "/metrics"')
    await allow(client, {"nonResourceURLs": ["/metrics*"], "verbs": ["get"]}, kind="ClusterRole")
    assert await account.status("GET", "/metrics") == 404


async def test_an_account_bound_to_view_reads_but_no_secrets(client: Client, account: Bearer) -> None:
    await client.create(f"{RBAC}/namespaces/default/rolebindings", {
        "metadata": {"name": "view"}, "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": "default"}],
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"}})
    assert [await account.status("GET", f"{CORE}/{plural}") for plural in ("pods", "services", "secrets")] == [200, 200, 403]
    assert await account.status("POST", f"{CORE}/configmaps", configmap("x")) == 403


async def test_reviews_tell_the_truth_of_accounts_and_tokens(client: Client, account: Bearer) -> None:
    await allow(client, {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]})
    whoami = await account.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert whoami.json["status"]["userInfo"]["username"] == "system:serviceaccount:default:ci"
    asked = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}}
    mine = await account.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)
    reason = 'RBAC: allowed by RoleBinding "may/default" of Role "may" to ServiceAccount "ci/default"'
    assert mine.json["status"] == {"allowed": True, "reason": reason}
    theirs = {"spec": {**asked["spec"], "user": "system:serviceaccount:default:other"}}
    assert (await client.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", theirs)).json["status"] == {"allowed": False}
    rules = await account.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})
    assert {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]} in rules.json["status"]["resourceRules"]
    held = await client.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": account.token}})
    assert (held.json["status"]["authenticated"], held.json["status"]["user"]["groups"][1]) == (True, "system:serviceaccounts:default")
    forged = await client.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": account.token[:-3] + "abc"}})
    assert forged.json["status"] == {"user": {}, "error": "[invalid bearer token]"}


async def test_a_token_dies_with_its_account_and_works_in_the_address(client: Client, account: Bearer) -> None:
    inside = Client(f"{client.token}@{account.token}")
    assert (await inside.get(f"{CORE}/pods")).status == 403
    assert (await inside.get("/version")).status == 200
    await client.ask("DELETE", f"{CORE}/serviceaccounts/ci")
    assert [(await inside.get("/version")).status, await account.status("GET", f"{CORE}/pods")] == [401, 401]


async def test_a_viewer_is_refused_in_the_servers_words_and_poses_as_nobody(client: Client, cluster: Cluster) -> None:
    viewer = Client(await database_sync_to_async(tokens.issue)(cluster, "teacher:1", read_only=True))
    refused = await viewer.create(f"{CORE}/configmaps", configmap("x"))
    assert (refused.status, refused.json["message"]) == (403, 'configmaps is forbidden: User "podlab-viewer" cannot create resource "configmaps" in '
                                                              'API group "" in the namespace "default"')
    posed = await viewer.get(f"{CORE}/pods", impersonate_user="kubernetes-admin")
    assert posed.json["message"] == ('users "kubernetes-admin" is forbidden: User "podlab-viewer" cannot impersonate resource "users" in API group '
                                     '"" at the cluster scope')
    can = await viewer.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "delete",
                                                                                                                          "resource": "pods"}}})
    assert (can.status, can.json["status"]["allowed"]) == (201, False)


async def test_the_owner_poses_as_somebody_with_groups(client: Client) -> None:
    asked = {"impersonate_user": "jane", "impersonate_group": "dev,system:masters"}
    assert (await client.get(f"{CORE}/pods", **asked)).status == 200
    assert (await client.get(f"{CORE}/pods", impersonate_user="jane")).status == 403


async def test_nobody_gives_more_than_they_have(client: Client, account: Bearer) -> None:
    everything = {"apiGroups": [GROUP], "resources": ["roles", "rolebindings"], "verbs": ["get", "create", "patch"]}
    await allow(client, everything, {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})
    roles, bindings = f"{RBAC}/namespaces/default/roles", f"{RBAC}/namespaces/default/rolebindings"

    def role(name: str, *verbs: str) -> dict[str, Any]:
        return {"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}]}

    def binding(kind: str, name: str) -> dict[str, Any]:
        return {"metadata": {"name": f"to-{name}"}, "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name}}
    assert await account.status("POST", roles, role("same", "get")) == 201
    refused = await account.ask("POST", roles, role("more", "get", "delete"))
    assert (refused.status, refused.json["message"]) == (403, (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "system:serviceaccount:default:ci" (groups=["system:serviceaccounts" '
        '"system:serviceaccounts:default" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}'))
    wider = [{"op": "replace", "path": "/rules/0/verbs", "value": ["*"]}]
    assert (await account.ask("PATCH", f"{roles}/same", wider, **{"content-type": "application/json-patch+json"})).status == 403
    assert await account.status("POST", bindings, binding("Role", "same")) == 201
    assert await account.status("POST", bindings, binding("ClusterRole", "admin")) == 403
    assert (await client.ask("GET", f"{roles}/more")).status == 404
    freely = {"apiGroups": [GROUP], "resources": ["roles", "clusterroles"], "verbs": ["escalate", "bind"]}
    may = [{"op": "add", "path": "/rules/-", "value": freely}]
    assert (await client.ask("PATCH", f"{roles}/may", may, **{"content-type": "application/json-patch+json"})).status == 200
    assert await account.status("POST", roles, role("more", "get", "delete")) == 201
    assert await account.status("POST", bindings, binding("ClusterRole", "admin")) == 201


async def test_the_issuer_of_tokens_tells_accounts_and_the_owner_of_its_keys(client: Client, account: Bearer) -> None:
    for asked in (client.get, lambda path: account.ask("GET", path)):
        told = await asked("/.well-known/openid-configuration")
        assert told.status == 200 and told.json["jwks_uri"].endswith("/openid/v1/jwks")
        keys = await asked("/openid/v1/jwks")
        claims = jwt.verify(account.token, keys.json["keys"], issuer=told.json["issuer"], audiences=[told.json["issuer"]], now=0)
        assert claims["sub"] == "system:serviceaccount:default:ci"


async def test_people_s_clients_get_answers_to_look_at(client: Client) -> None:
    assert (await client.get("/version", user_agent="curl/8.14.1")).body.startswith(b'{\n  "major": "1"')
    assert b"\n  " not in (await client.get("/version", user_agent="kubectl/v1.36.2")).body
