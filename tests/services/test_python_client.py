"""The official Python client against a learner's live cluster: what its users do, the way its own end-to-end tests do it."""

import gzip
import http.client
import itertools
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, dynamic, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.stream import portforward, stream
from kubernetes.stream.ws_client import ERROR_CHANNEL

from tests.browser.harness import HANG, Server
from tests.services.conftest import token_of
from tests.services.python_client import deployment, started, until

pytestmark = pytest.mark.services
ALREADY = ('{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"services \\"twice\\" already exists",'
           '"reason":"AlreadyExists","details":{"name":"twice","kind":"services"},"code":409}\n')


@pytest.fixture(scope="module")
def api(server: Server) -> client.ApiClient:
    """A new learner's cluster."""
    return client.ApiClient(client.Configuration(host=f"{server.url}/k8s/{token_of(server)}"))


@pytest.fixture(scope="module")
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture(scope="module")
def apps(api: client.ApiClient) -> client.AppsV1Api:
    return client.AppsV1Api(api)


@pytest.fixture(scope="module")
def shell(core: client.CoreV1Api) -> str:
    return started(core, "shell")


# ---- objects


def test_what_is_created_is_read_replaced_patched_and_deleted(core: client.CoreV1Api) -> None:
    held = core.create_namespaced_config_map("default", {"metadata": {"name": "kept", "labels": {"e2e": "1"}}, "data": {"a": "1", "b": "2"}})
    held.data["c"] = "3"
    held = core.replace_namespaced_config_map("kept", "default", held)
    assert held.data == {"a": "1", "b": "2", "c": "3"}
    changed = core.patch_namespaced_config_map("kept", "default", [{"op": "replace", "path": "/data", "value": {"new": "json"}}])
    assert changed.data == {"new": "json"}
    assert core.patch_namespaced_config_map("kept", "default", {"data": {"new": "merged"}}).data == {"new": "merged"}
    with pytest.raises(ApiException) as refused:
        core.replace_namespaced_config_map("kept", "default", held)
    assert (refused.value.status, json.loads(refused.value.body)["reason"]) == (409, "Conflict")
    core.delete_namespaced_config_map("kept", "default", body={})
    assert core.list_namespaced_config_map("default", label_selector="e2e=1").items == []


def test_every_list_of_the_client_can_be_read(core: client.CoreV1Api, apps: client.AppsV1Api, api: client.ApiClient) -> None:
    core.read_namespaced_service_account("default", "default")
    for owner in (core, apps, client.BatchV1Api(api), client.NetworkingV1Api(api), client.RbacAuthorizationV1Api(api), client.PolicyV1Api(api),
                  client.StorageV1Api(api), client.AutoscalingV2Api(api), client.AutoscalingV1Api(api), client.CoordinationV1Api(api),
                  client.DiscoveryV1Api(api), client.SchedulingV1Api(api), client.NodeV1Api(api)):
        for name in dir(owner):
            if name == "list_csi_node":  # the client cannot read a node without drivers, of a real cluster neither (kubernetes-client/python#1909)
                assert json.loads(owner.list_csi_node(_preload_content=False).data)["items"][0]["spec"] == {"drivers": None}
            elif name.startswith("list_") and not name.endswith("_with_http_info") and "namespaced" not in name:
                assert getattr(owner, name)().items is not None
    events = json.loads(client.EventsV1Api(api).list_event_for_all_namespaces(_preload_content=False).data)["items"]
    assert "note" in events[0] and "regarding" in events[0]
    assert core.list_node().items[0].metadata.labels["kubernetes.io/os"] == "linux"


def test_a_service_patched_with_another_port_has_both(core: client.CoreV1Api) -> None:
    ports = [{"name": "port", "port": 80, "protocol": "TCP", "targetPort": 80}]
    body: dict[str, Any] = {"metadata": {"name": "frontend"}, "spec": {"ports": ports, "selector": {"name": "frontend"}}}
    assert core.create_namespaced_service("default", body).status
    body["spec"]["ports"] = [{"name": "new", "port": 8080, "protocol": "TCP", "targetPort": 8080}]
    assert len(core.patch_namespaced_service("frontend", "default", body).spec.ports) == 2
    core.delete_namespaced_service("frontend", "default", body={})


def test_a_deployment_is_scaled_and_its_pods_follow(apps: client.AppsV1Api, core: client.CoreV1Api) -> None:
    apps.create_namespaced_deployment("default", deployment("scaled"))
    until(lambda: apps.read_namespaced_deployment_status("scaled", "default").status.ready_replicas == 2)
    assert apps.patch_namespaced_deployment_scale("scaled", "default", {"spec": {"replicas": 1}}).spec.replicas == 1
    until(lambda: len(core.list_namespaced_pod("default", label_selector="app=scaled").items) == 1)
    scale = apps.read_namespaced_deployment_scale("scaled", "default")
    scale.spec.replicas = 0
    assert apps.replace_namespaced_deployment_scale("scaled", "default", scale).spec.replicas == 0
    apps.delete_namespaced_deployment("scaled", "default", propagation_policy="Foreground")
    until(lambda: not apps.list_namespaced_deployment("default", field_selector="metadata.name=scaled").items)


def test_a_job_runs_to_its_end(api: client.ApiClient) -> None:
    batch = client.BatchV1Api(api)
    container = {"name": "once", "image": "busybox", "command": ["sh", "-c", "sleep 5"]}
    batch.create_namespaced_job("default", {"metadata": {"name": "once"}, "spec": {
        "template": {"spec": {"containers": [container], "restartPolicy": "Never"}}}})
    until(lambda: batch.read_namespaced_job_status("once", "default").status.succeeded == 1)
    batch.delete_namespaced_job("once", "default", body={})


def test_a_list_is_read_in_pieces(core: client.CoreV1Api) -> None:
    for i in range(7):
        core.create_namespaced_config_map("default", {"metadata": {"name": f"piece-{i}", "labels": {"pieces": "1"}}})
    names, token = [], None
    while token != "":
        page = core.list_namespaced_config_map("default", limit=3, label_selector="pieces=1", _continue=token)
        names += [one.metadata.name for one in page.items]
        token = page.metadata._continue or ""
    assert names == [f"piece-{i}" for i in range(7)]
    core.delete_collection_namespaced_config_map("default", label_selector="pieces=1")
    assert core.list_namespaced_config_map("default", label_selector="pieces=1").items == []


# ---- utilities


def test_create_from_yaml_makes_lists_refuses_twice_and_applies(api: client.ApiClient, core: client.CoreV1Api) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "twice"}, "spec": {"selector": {"app": "twice"}, "ports": [{"port": 99}]}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "pod-reader", "namespace": "default"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "watch", "list"]}]}
    listed = {"apiVersion": "v1", "kind": "List", "items": [service, role, deployment("listed", 1)]}
    made = utils.create_from_yaml(api, yaml_objects=[listed])
    assert [one.metadata.name for one in made[0]] == ["twice", "pod-reader", "listed"]
    with pytest.raises(utils.FailToCreateError) as refused:
        utils.create_from_dict(api, service)
    assert str(refused.value) == "Error from server (Conflict): " + ALREADY
    applied = utils.create_from_yaml(api, yaml_objects=[{**service, "metadata": {"name": "twice", "labels": {"by": "apply"}}}], apply=True)
    assert applied[0][0].metadata.labels.to_dict() == {"by": "apply"}
    core.delete_namespaced_service("twice", "default")


def test_metrics_are_told(api: client.ApiClient, shell: str) -> None:
    until(lambda: shell in [one["metadata"]["name"] for one in utils.get_pods_metrics(api, "default")["items"]])
    assert "usage" in utils.get_nodes_metrics(api)["items"][0]


def test_the_dynamic_client_finds_kinds_and_applies_with_owned_fields(api: client.ApiClient) -> None:
    found = dynamic.DynamicClient(api)
    maps = found.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned"}, "data": {"a": "1"}}
    assert maps.server_side_apply(body, namespace="default", field_manager="first").data.a == "1"
    with pytest.raises(ApiException) as refused:
        maps.server_side_apply({**body, "data": {"a": "2"}}, namespace="default", field_manager="second")
    assert refused.value.status == 409 and 'conflict with "first"' in json.loads(refused.value.body)["message"]
    forced = maps.server_side_apply({**body, "data": {"a": "2"}}, namespace="default", field_manager="second", force_conflicts=True)
    assert forced.data.a == "2"
    assert maps.patch(name="owned", namespace="default", body={"data": {"b": "3"}}, content_type="application/merge-patch+json").data.b == "3"
    assert [one.metadata.name for one in maps.get(namespace="default", field_selector="metadata.name=owned").items] == ["owned"]
    events = []
    for event in maps.watch(namespace="default", field_selector="metadata.name=owned", timeout=HANG):
        events.append((event["type"], event["object"].metadata.name))
        if len(events) == 1:
            maps.delete(name="owned", namespace="default")
        else:
            break
    assert events == [("ADDED", "owned"), ("DELETED", "owned")]


class Lock(ConfigMapLock):
    """A candidate's lock that its test can take away."""

    lost = False

    def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        return not self.lost and super().update(name, namespace, updated_record)


def test_one_of_two_candidates_leads_and_the_other_takes_over(api: client.ApiClient) -> None:
    client.Configuration.set_default(api.configuration)
    led: list[str] = []
    locks = {name: Lock("leader", "default", name) for name in ("one", "two")}
    threads = []
    for name, lock in locks.items():
        config = electionconfig.Config(lock, lease_duration=3, renew_deadline=2, retry_period=1,
                                       onstarted_leading=lambda name=name: led.append(name), onstopped_leading=lambda: None)
        threads.append(threading.Thread(target=leaderelection.LeaderElection(config).run, daemon=True))
    threads[0].start()
    until(lambda: led == ["one"])
    threads[1].start()
    locks["one"].lost = True
    until(lambda: led == ["one", "two"])
    record = client.CoreV1Api(api).read_namespaced_config_map("leader", "default").metadata.annotations
    assert json.loads(record["control-plane.alpha.kubernetes.io/leader"])["holderIdentity"] == "two"
    locks["two"].lost = True
    for thread in threads:
        thread.join(20)


# ---- watching


def test_a_watch_from_a_lists_version_sees_all_that_followed(core: client.CoreV1Api) -> None:
    core.create_namespace({"metadata": {"name": "watched"}})
    until(lambda: core.list_namespaced_config_map("watched").items)  # kube-root-ca.crt
    version = core.list_namespaced_config_map("watched").metadata.resource_version
    core.create_namespaced_config_map("watched", {"metadata": {"name": "b"}, "data": {"key": "b"}})
    core.patch_namespaced_config_map("b", "watched", {"data": {"key": "c"}})
    core.delete_namespaced_config_map("b", "watched")
    events = watch.Watch().stream(core.list_namespaced_config_map, namespace="watched", resource_version=version, timeout_seconds=HANG)
    seen = [(event["type"], event["object"].metadata.name) for event in itertools.islice(events, 3)]
    assert seen == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]


def test_the_informer_keeps_its_cache(core: client.CoreV1Api) -> None:
    seen: list[tuple[str, str]] = []
    informer = SharedInformer(list_func=core.list_namespaced_config_map, namespace="default", label_selector="informed=1")
    for kind in (ADDED, MODIFIED, DELETED):
        informer.add_event_handler(kind, lambda obj, kind=kind: seen.append((kind, obj.metadata.name)))
    informer.start()
    try:
        until(lambda: informer._resource_version is not None)
        core.create_namespaced_config_map("default", {"metadata": {"name": "told", "labels": {"informed": "1"}}, "data": {"k": "v"}})
        until(lambda: informer.cache.get_by_key("default/told"))
        core.patch_namespaced_config_map("told", "default", {"data": {"k": "updated"}})
        until(lambda: (MODIFIED, "told") in seen)
        assert informer.cache.get_by_key("default/told").data == {"k": "updated"}
        core.delete_namespaced_config_map("told", "default")
        until(lambda: (DELETED, "told") in seen)
        assert informer.cache.get_by_key("default/told") is None
    finally:
        informer.stop()


# ---- reaching into containers


def test_exec_gives_text_and_bytes(core: client.CoreV1Api, shell: str) -> None:
    options = {"stderr": False, "stdin": False, "stdout": True, "tty": False}

    def run(*command: str, **more: Any) -> Any:
        return stream(core.connect_get_namespaced_pod_exec, shell, "default", command=list(command), **options, **more)
    assert len(run("/bin/sh", "-c", "for i in $(seq 1 3); do date; done").splitlines()) == 3
    packed = run("/bin/sh", "-c", 'echo -n "This is a test string" | gzip', binary=True)
    assert gzip.decompress(packed) == b"This is a test string"
    assert len(stream(core.connect_post_namespaced_pod_exec, shell, "default", command=["uptime"], **options).splitlines()) == 1


@pytest.mark.parametrize("binary", [False, True])
def test_a_shell_is_spoken_with(core: client.CoreV1Api, shell: str, binary: bool) -> None:
    def typed(text: str) -> Any:
        return text.encode() if binary else text
    held = stream(core.connect_post_namespaced_pod_exec, shell, "default", command=["/bin/sh"], stderr=True, stdin=True, stdout=True, tty=False,
                  binary=binary, _preload_content=False)
    held.write_stdin(typed("echo test string 1\n"))
    assert held.readline_stdout(timeout=HANG) == typed("test string 1")
    assert not held.peek_stderr()
    held.write_stdin(typed("echo test string 2 >&2\n"))
    assert held.readline_stderr(timeout=HANG) == typed("test string 2")
    held.write_stdin(typed("exit\n"))
    held.run_forever(timeout=HANG)
    status = json.loads(held.read_channel(ERROR_CHANNEL))
    assert (status["status"], held.is_open()) == ("Success", False)


def test_input_that_is_closed_ends_cat(core: client.CoreV1Api, shell: str) -> None:
    held = stream(core.connect_post_namespaced_pod_exec, shell, "default", command=["/bin/sh", "-c", "cat"], stderr=True, stdin=True, stdout=True,
                  tty=False, _preload_content=False)
    assert held.subprotocol == "v5.channel.k8s.io"
    held.write_stdin("test-close\n")
    assert held.readline_stdout(timeout=HANG) == "test-close"
    held.close_channel(0)
    held.run_forever(timeout=HANG)
    assert (held.is_open(), held.returncode) == (False, 0)


@pytest.mark.parametrize("command, code", [(["false"], 1), (["/bin/sh", "-c", "sleep 1; exit 3"], 3), (["true"], 0), (["/bin/sh", "-c", "ls /"], 0)])
def test_exit_codes_come_back(core: client.CoreV1Api, shell: str, command: list[str], code: int) -> None:
    held = stream(core.connect_get_namespaced_pod_exec, shell, "default", command=command, stderr=True, stdin=False, stdout=True, tty=False,
                  _preload_content=False)
    assert held.returncode is None
    held.run_forever(timeout=HANG)
    assert held.returncode == code


def test_attach_reads_the_main_process(core: client.CoreV1Api) -> None:
    started(core, "talker", command="while true; do read line && echo heard $line; sleep 1; done", stdin=True)
    options = {"stdin": True, "stdout": True, "stderr": True, "tty": False}
    held = stream(core.connect_get_namespaced_pod_attach, "talker", "default", **options, _preload_content=False)
    held.write_stdin("안녕\n")
    assert held.readline_stdout(timeout=HANG) == "heard 안녕"
    held.close()


def test_logs_are_read_and_followed(core: client.CoreV1Api) -> None:
    started(core, "ticker", command="for i in 1 2 3 4 5; do echo tick $i; sleep 1; done; sleep 3600")
    lines = watch.Watch().stream(core.read_namespaced_pod_log, name="ticker", namespace="default")
    assert [next(lines) for _ in range(5)] == [f"tick {i}" for i in range(1, 6)]
    # this version of the client gives text answers undecoded
    assert core.read_namespaced_pod_log("ticker", "default", tail_lines=2, _preload_content=False).data == b"tick 4\ntick 5\n"
    assert core.read_namespaced_pod_log("ticker", "default", limit_bytes=6, _preload_content=False).data == b"tick 1"


# ---- ports


@pytest.fixture(scope="module")
def redis(core: client.CoreV1Api) -> str:
    return started(core, "redis", image="redis")


def answer(held: Any, wanted: bytes, seconds: float = HANG) -> bytes:
    """What comes until `wanted` has."""
    held.settimeout(seconds)
    found = b""
    while wanted not in found:
        piece = held.recv(4096)
        assert piece, f"closed after {found!r}"
        found += piece
    return found


def test_raw_bytes_go_through_a_forwarded_port(core: client.CoreV1Api, redis: str) -> None:
    held = portforward(core.connect_get_namespaced_pod_portforward, redis, "default", ports="6379,6380")
    assert held.connected
    line = held.socket(6379)
    line.setblocking(True)
    line.sendall(b"*1\r\n$4\r\nPING\r\n")
    assert answer(line, b"\r\n") == b"+PONG\r\n"
    line.sendall(b"SET k hello\r\nGET k\r\n")
    assert answer(line, b"hello\r\n") == b"+OK\r\n$5\r\nhello\r\n"
    closed = held.socket(6380)
    closed.setblocking(True)
    assert closed.recv(1024) == b""
    assert "connection refused" in held.error(6380)
    assert held.connected
    line.sendall(b"PING\r\n")
    assert answer(line, b"PONG\r\n").endswith(b"+PONG\r\n")
    line.close()
    closed.close()
    until(lambda: not held.connected)
    assert held.error(6379) is None


def test_http_is_asked_twice_on_one_forwarded_connection(core: client.CoreV1Api) -> None:
    started(core, "web", image="nginx")
    held = portforward(core.connect_get_namespaced_pod_portforward, "web", "default", ports="80")
    connection = http.client.HTTPConnection("web")
    connection.sock = held.socket(80)
    connection.sock.setblocking(True)
    for _ in range(2):
        connection.request("GET", "/")
        found = connection.getresponse()
        assert (found.status, b"<h1>Welcome to nginx!</h1>" in found.read()) == (200, True)
    held.close()


def test_what_nc_echoes_comes_back_byte_by_byte(core: client.CoreV1Api) -> None:
    started(core, "echo", command="nc -lk -p 1234 -e cat")
    sent = bytes(range(1, 256))
    for _ in range(3):
        held = portforward(core.connect_get_namespaced_pod_portforward, "echo", "default", ports="1234")
        line = held.socket(1234)
        line.setblocking(True)
        line.sendall(sent)
        assert answer(line, sent) == sent
        line.shutdown(socket.SHUT_RDWR)
        held.close()


@pytest.fixture(autouse=True)
def default_configuration() -> Iterator[None]:
    yield
    client.Configuration.set_default(None)
