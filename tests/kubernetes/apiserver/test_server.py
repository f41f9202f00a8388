"""The API server's verbs: preconditions, conflicts, grace, finalizers, generation, subresources, dry runs."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, replace, thaw
from podlab.kubernetes.times import parse_rfc3339
from tests.kubernetes.worlds import deployment, fresh, pod


@pytest.fixture
def cluster() -> Cluster:
    return fresh()


def do(cluster: Cluster, verb: str, resource: str, name: str = "", body: Any = None, subresource: str = "", **options: Any) -> Any:
    """One request of a person."""
    request = Request(verb, resource, "default", name, subresource, body, options)
    return cluster.apply({"at": cluster.now, "do": "request", **request.to_json()})


def refused(cluster: Cluster, *arguments: Any, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        do(cluster, *arguments, **options)
    return caught.value


def running(cluster: Cluster, name: str = "p") -> Map:
    do(cluster, "create", "pods", body=pod(name, "sleep 3600"))
    cluster.run_for(10)
    found: Map = do(cluster, "get", "pods", name)
    assert found["status"]["phase"] == "Running"
    return found


def test_a_name_can_be_taken_once(cluster: Cluster) -> None:
    do(cluster, "create", "pods", body=pod("p", "sleep 1"))
    error = refused(cluster, "create", "pods", body=pod("p", "sleep 1"))
    assert (error.code, error.reason, error.message) == (409, "AlreadyExists", 'pods "p" already exists')
    cluster.run_for(10)
    do(cluster, "delete", "pods", "p")
    assert refused(cluster, "create", "pods", body=pod("p", "sleep 1")).message == 'object is being deleted: pods "p" already exists'


def test_a_generated_name_has_five_random_characters_and_differs_each_time(cluster: Cluster) -> None:
    body = pod("x", "sleep 1")
    body["metadata"] = {"generateName": "job-"}
    names = {do(cluster, "create", "pods", body=thaw(body))["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(len(name) == len("job-") + 5 for name in names)


def test_every_write_has_a_higher_resource_version_and_one_that_changes_nothing_is_not_written(cluster: Cluster) -> None:
    first = do(cluster, "create", "configmaps", body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}})
    same = do(cluster, "patch", "configmaps", "c", {"data": {"a": "1"}}, patchType="application/merge-patch+json")
    other = do(cluster, "patch", "configmaps", "c", {"data": {"a": "2"}}, patchType="application/merge-patch+json")
    assert same["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert int(other["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])


def test_an_update_of_an_old_version_is_a_conflict_in_the_servers_words(cluster: Cluster) -> None:
    old = do(cluster, "create", "configmaps", body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    do(cluster, "patch", "configmaps", "c", {"data": {"a": "2"}}, patchType="application/merge-patch+json")
    error = refused(cluster, "update", "configmaps", "c", thaw(replace(old, "data", {"a": "3"})))
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == ('Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to the '
                             "latest version and try again")


def test_spec_changes_raise_the_generation_and_status_writes_do_not(cluster: Cluster) -> None:
    do(cluster, "create", "deployments", body=deployment("d", 1, "nginx:1.14.2"))
    cluster.run_for(10)
    before = do(cluster, "get", "deployments", "d")
    assert before["metadata"]["generation"] == 1
    assert before["status"]["observedGeneration"] == 1
    after = do(cluster, "patch", "deployments", "d", {"spec": {"replicas": 2}}, patchType="application/merge-patch+json")
    assert after["metadata"]["generation"] == 2


def test_a_running_pod_is_deleted_in_its_grace_period_and_its_timestamp_lies_at_the_end_of_it(cluster: Cluster) -> None:
    running(cluster)
    marked = do(cluster, "delete", "pods", "p", gracePeriodSeconds=20)["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 20
    assert parse_rfc3339(marked["deletionTimestamp"]) - cluster.now // 1000 * 1000 == 20_000
    cluster.run_for(19)
    assert cluster.etcd.get("pods", "default/p") is not None  # sleep as process 1 ignores TERM
    cluster.run_for(5)
    assert cluster.etcd.get("pods", "default/p") is None


def test_a_grace_period_that_runs_can_only_become_shorter(cluster: Cluster) -> None:
    running(cluster)
    first = do(cluster, "delete", "pods", "p", gracePeriodSeconds=20)["metadata"]
    longer = do(cluster, "delete", "pods", "p", gracePeriodSeconds=60)["metadata"]
    assert longer["deletionTimestamp"] == first["deletionTimestamp"]
    shorter = do(cluster, "delete", "pods", "p", gracePeriodSeconds=5)["metadata"]
    assert parse_rfc3339(shorter["deletionTimestamp"]) == parse_rfc3339(first["deletionTimestamp"]) - 15_000


def test_a_pod_without_a_node_goes_at_once(cluster: Cluster) -> None:
    body = pod("p", "sleep 1")
    body["spec"]["schedulingGates"] = [{"name": "example.com/wait"}]
    do(cluster, "create", "pods", body=body)
    do(cluster, "delete", "pods", "p")
    assert cluster.etcd.get("pods", "default/p") is None


@pytest.mark.parametrize("preconditions", [{"uid": "other"}, {"resourceVersion": "1"}])
def test_a_delete_whose_precondition_fails_deletes_nothing(cluster: Cluster, preconditions: dict[str, str]) -> None:
    running(cluster)
    error = refused(cluster, "delete", "pods", "p", preconditions=preconditions)
    assert (error.code, error.reason) == (409, "Conflict")
    assert "Precondition failed" in error.message
    assert "deletionTimestamp" not in cluster.etcd.get("pods", "default/p")["metadata"]


@pytest.mark.slow
def test_node_ports_run_out_and_it_is_said(cluster: Cluster) -> None:
    def service(name: str, ports: int) -> Map:
        spec = {"type": "NodePort", "ports": [{"name": f"p{number}", "port": number} for number in range(1, ports + 1)]}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}

    given = {port["nodePort"] for port in do(cluster, "create", "services", body=service("a", 2_700))["spec"]["ports"]}
    assert len(given) == 2_700
    error = refused(cluster, "create", "services", body=service("b", 100))
    assert (error.code, error.message) == (500, "Internal error occurred: failed to allocate a nodePort: range is full")


def test_an_object_with_a_finalizer_stays_until_the_last_one_is_taken_off(cluster: Cluster) -> None:
    do(cluster, "create", "configmaps", body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "finalizers": ["example.com/keep"]}})
    do(cluster, "delete", "configmaps", "c")
    cluster.run_for(60)
    assert "deletionTimestamp" in do(cluster, "get", "configmaps", "c")["metadata"]
    seen: list[Any] = []
    cluster.etcd.subscribe("configmaps", seen.append)
    answer = do(cluster, "patch", "configmaps", "c", {"metadata": {"finalizers": None}}, patchType="application/merge-patch+json")
    assert cluster.etcd.get("configmaps", "default/c") is None
    assert "finalizers" not in answer["metadata"]  # who watches sees no update, and the last finalizer
    assert [(one.type, one.object["metadata"].get("finalizers")) for one in seen] == [("DELETED", ["example.com/keep"])]


@pytest.mark.parametrize(("policy", "sets", "pods"), [("Background", 0, 0), ("Foreground", 0, 0), ("Orphan", 1, 2)])
def test_what_becomes_of_the_dependents_is_the_deleters_choice(cluster: Cluster, policy: str, sets: int, pods: int) -> None:
    do(cluster, "create", "deployments", body=deployment("d", 2, "nginx:1.14.2"))
    cluster.run_for(15)
    do(cluster, "delete", "deployments", "d", propagationPolicy=policy)
    cluster.run_for(60)
    assert cluster.etcd.get("deployments", "default/d") is None
    assert (len(cluster.etcd.list("replicasets")), len(cluster.etcd.list("pods"))) == (sets, pods)


@pytest.mark.parametrize(("verb", "subresource"), [("update", ""), ("create", "binding")])
def test_a_write_that_names_another_uid_is_refused_in_the_words_of_the_storage(cluster: Cluster, verb: str, subresource: str) -> None:
    made = pod("p", "sleep 9")
    held = do(cluster, "create", "pods", body=made)["metadata"]["uid"]
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p", "uid": "u"}, "target": {"kind": "Node", "name": "node-2"}}
    words = ('Operation cannot be fulfilled on pods "p": StorageError: invalid object, Code: 4, Key: /registry/pods/default/p, '
             "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ")
    body = body if subresource else {**made, "metadata": {"name": "p", "namespace": "default", "uid": "u"}}
    error = refused(cluster, verb, "pods", "p", body, subresource)
    assert (error.code, error.reason, error.message) == (409, "Conflict", words + held)
    do(cluster, "delete", "pods", "p")
    if verb == "update":  # what is no more has no uid
        assert refused(cluster, verb, "pods", "p", body).message == words


def test_a_pod_is_bound_once(cluster: Cluster) -> None:
    running(cluster)
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": "node-2"}}
    error = refused(cluster, "create", "pods", "p", binding, "binding")
    assert error.code == 409
    assert "already assigned to node" in error.message
    bare = refused(cluster, "create", "pods", "p", {**binding, "target": {"kind": "Pod"}}, "binding")  # no status of the API's
    assert (bare.code, bare.reason, bare.message) == (
        400, "", '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]')


def test_a_pod_has_the_zone_and_the_region_of_its_node_and_what_its_binding_says(cluster: Cluster) -> None:
    place = {"topology.kubernetes.io/zone": "a", "topology.kubernetes.io/region": "r"}
    for node in cluster.etcd.list("nodes"):
        do(cluster, "patch", "nodes", node["metadata"]["name"], {"metadata": {"labels": place}}, patchType="application/merge-patch+json")
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    do(cluster, "create", "pods", body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "scheduled"}, "spec": spec})
    do(cluster, "create", "pods", body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "placed", "labels": {
        "app": "x", "topology.kubernetes.io/zone": "else"}}, "spec": {**spec, "nodeName": "node-1"}})
    do(cluster, "create", "pods", body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bound"}, "spec": {
        **spec, "schedulerName": "mine"}})
    do(cluster, "create", "pods", "bound", {"apiVersion": "v1", "kind": "Binding", "metadata": {
        "name": "bound", "labels": {"l": "1"}, "annotations": {"a": "2"}}, "target": {"kind": "Node", "name": "node-2"}}, "binding")
    cluster.run_for(10)
    told = {pod["metadata"]["name"]: pod["metadata"] for pod in cluster.etcd.list("pods")}
    assert told["scheduled"]["labels"] == place
    assert told["placed"]["labels"] == {"app": "x", **place}
    assert (told["bound"]["labels"], told["bound"]["annotations"]) == ({"l": "1", **place}, {"a": "2"})


def test_the_scale_of_a_deployment_is_its_replicas(cluster: Cluster) -> None:
    do(cluster, "create", "deployments", body=deployment("d", 2, "nginx:1.14.2"))
    assert do(cluster, "get", "deployments", "d", subresource="scale")["spec"] == {"replicas": 2}
    do(cluster, "patch", "deployments", "d", {"spec": {"replicas": 3}}, "scale", patchType="application/merge-patch+json")
    assert do(cluster, "get", "deployments", "d")["spec"]["replicas"] == 3


def test_a_scale_tells_the_whole_selector_as_text(cluster: Cluster) -> None:
    body = deployment("d", 2, "nginx:1.14.2")
    body["spec"]["selector"]["matchExpressions"] = [{"key": "app", "operator": "In", "values": ["e", "d"]}, {"key": "x", "operator": "DoesNotExist"}]
    do(cluster, "create", "deployments", body=body)
    assert do(cluster, "get", "deployments", "d", subresource="scale")["status"]["selector"] == "app=d,app in (d,e),!x"


def test_an_eviction_that_a_budget_forbids_is_refused_and_changes_nothing(cluster: Cluster) -> None:
    do(cluster, "create", "deployments", body=deployment("d", 1, "nginx:1.14.2"))
    do(cluster, "create", "poddisruptionbudgets", body={"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"},
                                                       "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "d"}}}})
    cluster.run_for(20)
    name = cluster.etcd.list("pods")[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    error = refused(cluster, "create", "pods", name, eviction, "eviction")
    assert (error.code, error.message) == (429, "Cannot evict pod as it would violate the pod's disruption budget.")
    do(cluster, "create", "poddisruptionbudgets", body={"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "c"},
                                                       "spec": {"minAvailable": 0, "selector": {"matchLabels": {"app": "d"}}}})
    two = refused(cluster, "create", "pods", name, eviction, "eviction").status()
    assert two["message"].startswith("This pod has more than one PodDisruptionBudget") and two["code"] == 500 and "reason" not in two
    assert "deletionTimestamp" not in cluster.etcd.list("pods")[0]["metadata"]


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_a_dry_run_stores_nothing(cluster: Cluster, verb: str) -> None:
    if verb == "delete":
        running(cluster)
    before = cluster.etcd.revision
    do(cluster, verb, "pods", *(["p"] if verb == "delete" else []), body=pod("p", "sleep 1") if verb == "create" else None, dryRun="All")
    assert cluster.etcd.revision == before


def test_lists_come_in_key_order_and_selectors_pick(cluster: Cluster) -> None:
    for name in ("b", "a", "c"):
        do(cluster, "create", "pods", body=pod(name, "sleep 1"))
    assert [p["metadata"]["name"] for p in do(cluster, "list", "pods")["items"]] == ["a", "b", "c"]
    assert [p["metadata"]["name"] for p in do(cluster, "list", "pods", labelSelector="app in (a,c)")["items"]] == ["a", "c"]
    assert [p["metadata"]["name"] for p in do(cluster, "list", "pods", fieldSelector="metadata.name=b")["items"]] == ["b"]


@pytest.mark.parametrize(("resource", "code"), [("widgets", 404), ("pods", 405)])
def test_what_is_not_served_is_said(cluster: Cluster, resource: str, code: int) -> None:
    assert refused(cluster, "frobnicate", resource).code == code


def test_a_namespace_that_is_deleted_takes_everything_with_it(cluster: Cluster) -> None:
    def in_shop(verb: str, resource: str, **rest: Any) -> Any:
        return cluster.apply({"at": cluster.now, "do": "request", **Request(verb, resource, "shop", **rest).to_json()})

    do(cluster, "create", "namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.run_for(2)
    in_shop("create", "deployments", body=deployment("d", 2, "nginx:1.14.2"))
    cluster.run_for(15)
    do(cluster, "delete", "namespaces", "shop")
    with pytest.raises(ApiError) as caught:
        in_shop("create", "pods", body=pod("late", "sleep 1"))
    assert caught.value.code == 403
    assert "because it is being terminated" in caught.value.message
    cluster.run_for(120)
    assert cluster.etcd.get("namespaces", "shop") is None
    assert cluster.etcd.list("pods", "shop") == cluster.etcd.list("deployments", "shop") == []


def test_watchers_see_a_pod_marked_before_it_goes(cluster: Cluster) -> None:
    """recorded/force-delete.json: MODIFIED with a grace of 0, then DELETED; so for every Pod, however it goes."""
    running(cluster)
    seen: list[tuple[str, int | None]] = []
    cluster.etcd.subscribe("pods", lambda change: seen.append((change.type, change.object["metadata"].get("deletionGracePeriodSeconds"))))
    do(cluster, "delete", "pods", "p", gracePeriodSeconds=0)
    assert seen == [("MODIFIED", 0), ("DELETED", 0)]
    running(cluster, "q")
    seen.clear()
    do(cluster, "delete", "pods", "q", gracePeriodSeconds=2)
    cluster.run_for(10)
    assert [seen[0], *seen[-2:]] == [("MODIFIED", 2), ("MODIFIED", 0), ("DELETED", 0)]


def test_a_second_deletion_without_a_shorter_grace_changes_nothing(cluster: Cluster) -> None:
    running(cluster)
    first = do(cluster, "delete", "pods", "p", gracePeriodSeconds=5)
    assert do(cluster, "delete", "pods", "p") is first
    assert do(cluster, "delete", "pods", "p", gracePeriodSeconds=9) is first
    assert do(cluster, "delete", "pods", "p", gracePeriodSeconds=3)["metadata"]["deletionGracePeriodSeconds"] == 3


def test_a_nodes_lease_tells_when_its_kubelet_was_last_heard(cluster: Cluster) -> None:
    def lease() -> Any:
        return cluster.client("kubernetes-admin").get("leases", "node-1", "kube-node-lease")["spec"]

    cluster.run_for(100)
    age = cluster.now - parse_rfc3339(lease()["renewTime"])
    assert (lease()["holderIdentity"], lease()["leaseDurationSeconds"], 0 <= age < 11_000) == ("node-1", 40, True)
    cluster.apply({"at": cluster.now, "do": "fault", "node": "node-1", "power": "off"})
    last = lease()["renewTime"]
    cluster.run_for(30)
    assert lease()["renewTime"] == last


def test_a_foreground_deletion_that_becomes_a_background_one_lets_go_of_its_finalizer_first(cluster: Cluster) -> None:
    do(cluster, "create", "deployments", body=deployment("a", 1, "nginx:1.14.2"))
    cluster.run_for(10)
    seen: list[tuple[str, Any]] = []
    cluster.etcd.subscribe("deployments", lambda change: seen.append((change.type, change.object["metadata"].get("finalizers"))))
    do(cluster, "delete", "deployments", "a", propagationPolicy="Foreground")
    do(cluster, "delete", "deployments", "a", propagationPolicy="Background")
    assert seen == [("MODIFIED", ["foregroundDeletion"]), ("MODIFIED", None), ("DELETED", None)]


def test_no_event_comes_into_a_namespace_that_ends(cluster: Cluster) -> None:
    request = Request("create", "namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    cluster.apply({"at": cluster.now, "do": "request", **request.to_json()})
    cluster.run_for(1)
    for name in ("p", "q"):
        request = Request("create", "pods", "team", body=pod(name, "sleep 3600"))
        cluster.apply({"at": cluster.now, "do": "request", **request.to_json()})
    cluster.run_for(5)
    cluster.apply({"at": cluster.now, "do": "request", **Request("delete", "namespaces", name="team").to_json()})
    cluster.run_for(120)
    assert cluster.etcd.get("namespaces", "team") is None and cluster.etcd.list("events", "team") == []


# ---- objects that every server makes for itself (apiserver/pkg/apis/flowcontrol/bootstrap/default.go)


FLOW_CONTROL = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1"}


def test_flow_schemas_and_priority_levels_are_there_from_the_start_and_come_back(cluster: Cluster) -> None:
    names = [obj["metadata"]["name"] for obj in do(cluster, "list", "flowschemas")["items"]]
    assert len(names) == 13 and names[0] == "catch-all" and "system-nodes" in names
    levels = {one["metadata"]["name"]: one["spec"].get("limited", {}) for one in do(cluster, "list", "prioritylevelconfigurations")["items"]}
    assert {name: spec.get("nominalConcurrencyShares") for name, spec in levels.items()} == {
        "catch-all": 5, "exempt": None, "global-default": 20, "leader-election": 10, "node-high": 40, "system": 30, "workload-high": 40,
        "workload-low": 100}
    do(cluster, "patch", "prioritylevelconfigurations", "system", {"spec": {"limited": {"lendablePercent": 1}}},
       patchType="application/merge-patch+json")
    assert do(cluster, "get", "prioritylevelconfigurations", "system")["spec"]["limited"]["lendablePercent"] == 1
    do(cluster, "delete", "prioritylevelconfigurations", "system")
    assert do(cluster, "get", "prioritylevelconfigurations", "system")["spec"]["limited"]["lendablePercent"] == 33
    assert refused(cluster, "create", "flowschemas", body={**FLOW_CONTROL, "kind": "FlowSchema", "metadata": {"name": "exempt"}, "spec": {
        "priorityLevelConfiguration": {"name": "exempt"}}}).reason == "AlreadyExists"


def test_a_flow_schema_says_whether_its_priority_level_exists(cluster: Cluster) -> None:
    do(cluster, "create", "flowschemas", body={**FLOW_CONTROL, "kind": "FlowSchema", "metadata": {"name": "mine"}, "spec": {
        "priorityLevelConfiguration": {"name": "ours"}}})
    assert do(cluster, "get", "flowschemas", "mine")["status"]["conditions"][0]["reason"] == "NotFound"
    do(cluster, "create", "prioritylevelconfigurations", body={
        **FLOW_CONTROL, "kind": "PriorityLevelConfiguration", "metadata": {"name": "ours"},
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}})
    held, = do(cluster, "get", "flowschemas", "mine")["status"]["conditions"]
    assert (held["type"], held["status"], held["reason"]) == ("Dangling", "False", "Found")
