"""What the official Python client's own end-to-end suite asks (its e2e_test and dynamic folders), with the kubeconfig that the page hands out."""

import itertools
import select
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.informer import ADDED, MODIFIED, SharedInformer
from kubernetes.stream import portforward

from tests.browser.harness import HANG, Server
from tests.services.conftest import token_of
from tests.services.python_client import deployment, until

pytestmark = pytest.mark.services
SLEEPER = {"name": "main", "image": "busybox", "command": ["sh", "-c", "echo Hello Kubernetes! && sleep 3600"]}


@pytest.fixture(scope="module")
def api(server: Server, tmp_path_factory: pytest.TempPathFactory) -> client.ApiClient:
    """Configured as the suite is: from a kubeconfig in a file."""
    path: Path = tmp_path_factory.mktemp("kube") / "config"
    path.write_bytes(urllib.request.urlopen(f"{server.url}/k8s/{token_of(server)}/kubeconfig").read())
    found = client.Configuration()
    config.load_kube_config(str(path), client_configuration=found)
    return client.ApiClient(found)


@pytest.fixture(scope="module")
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture(scope="module")
def found(api: client.ApiClient) -> dynamic.DynamicClient:
    return dynamic.DynamicClient(api)


@pytest.fixture(autouse=True)
def default_configuration() -> Iterator[None]:
    yield
    client.Configuration.set_default(None)


def pod(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": {"containers": [SLEEPER]}}


def controller(name: str) -> dict[str, Any]:
    container = {"image": "k8s.gcr.io/pause:2.0", "name": "mock-container", "ports": [{"containerPort": 9949, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"replicas": 1, "selector": {"app": name},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}}}


def service(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"ports": [{"port": 99, "protocol": "TCP", "targetPort": 9949}], "selector": {"app": name}}}


def definition(plural: str, kind: str, scope: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.apps.example.com"},
            "spec": {"group": "apps.example.com", "scope": scope, "versions": [version],
                     "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}}}


# ---- kinds that people define


@pytest.mark.parametrize("plural, kind, scope, asynchronous", [
    ("clusterchangemes", "ClusterChangeMe", "Cluster", False),
    ("changemes", "ChangeMe", "Namespaced", False),
    ("changemes", "ChangeMe", "Namespaced", True)])
def test_a_custom_kind_comes_is_used_and_goes(found: dynamic.DynamicClient, plural: str, kind: str, scope: str, asynchronous: bool) -> None:
    with pytest.raises(ResourceNotFoundError):
        found.resources.get(api_version="apps.example.com/v1", kind=kind)
    how: dict[str, Any] = {"async_req": True} if asynchronous else {}
    place: dict[str, Any] = {"namespace": "default"} if scope == "Namespaced" else {}
    definitions = found.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    name = f"{plural}.apps.example.com"
    made = definitions.create(definition(plural, kind, scope), **how)
    assert made.metadata.name == name and made.status
    assert definitions.get(name=name, **how).status

    def discovered() -> Any:
        try:
            return found.resources.get(api_version="apps.example.com/v1", kind=kind)
        except ResourceNotFoundError:
            return None
    resources = until(discovered)
    assert resources.get(**how).items == []
    body: dict[str, Any] = {"apiVersion": "apps.example.com/v1", "kind": kind, "metadata": {"name": "one"}, "spec": {}}
    assert resources.create(body=body, **place, **how).metadata.name == "one"
    body["spec"]["size"] = 3
    assert resources.patch(body=body, content_type="application/merge-patch+json", **place, **how).spec.size == 3
    assert resources.get(name="one", **place, **how).spec.size == 3
    assert len(resources.get(**how).items) == 1
    resources.delete(name="one", **place, **how)
    assert resources.get(**place, **how).items == []
    definitions.delete(name=name, **how)

    def gone() -> bool:
        found.resources.invalidate_cache()
        return discovered() is None
    until(gone)


# ---- the dynamic client


def test_the_dynamic_client_uses_services_controllers_and_settings(found: dynamic.DynamicClient) -> None:
    services = found.resources.get(api_version="v1", kind="Service")
    body = service("frontend")
    body["metadata"]["resourceversion"] = "v1"
    body["spec"]["ports"][0]["name"] = "port"
    assert services.create(body=body, namespace="default").status
    body["spec"]["ports"] = [{"name": "new", "port": 8080, "protocol": "TCP", "targetPort": 8080}]
    assert len(services.patch(body=body, name="frontend", namespace="default").spec.ports) == 2
    services.delete(name="frontend", body={}, namespace="default")
    controllers = found.resources.get(api_version="v1", kind="ReplicationController")
    assert controllers.create(body=controller("frontend"), namespace="default").spec.replicas == 1
    controllers.delete(name="frontend", namespace="default", propagation_policy="Background")
    maps = found.resources.get(api_version="v1", kind="ConfigMap")
    labelled = {"name": "settings", "labels": {"e2e-test": "true"}}
    settings: dict[str, Any] = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": labelled, "data": {"a": "1"}}
    maps.create(body=settings, namespace="default")
    assert maps.get(name="settings", namespace="default", label_selector="e2e-test=true").metadata.name == "settings"
    assert next(found.watch(maps, timeout=HANG, namespace="default", name="settings"))["object"].metadata.name == "settings"
    settings["data"]["a"] = "{}"
    assert maps.patch(name="settings", namespace="default", body=settings).data.a == "{}"
    maps.delete(name="settings", body={}, namespace="default")
    assert maps.get(namespace="default", pretty=True, label_selector="e2e-test=true").items == []


def test_the_dynamic_client_asks_for_nodes_metadata_alone(found: dynamic.DynamicClient) -> None:
    nodes = found.resources.get(api_version="v1", kind="Node")
    for one in nodes.get().items:
        assert len(dict(nodes.get(name=one.metadata.name).metadata.labels)) > 0
    for header in ("Accept", "aCcePt"):
        partial = nodes.get(header_params={header: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"})
        assert (partial.kind, partial.apiVersion) == ("PartialObjectMetadataList", "meta.k8s.io/v1")


def test_a_server_side_apply_can_be_tried(found: dynamic.DynamicClient) -> None:
    pods = found.resources.get(api_version="v1", kind="Pod")
    tried = pods.server_side_apply(namespace="default", body=pod("tried"), field_manager="kubernetes-unittests", dry_run="All")
    assert tried.metadata.managedFields[0].manager == "kubernetes-unittests"


# ---- what is created from YAML


def test_an_api_service_is_registered_once(api: client.ApiClient) -> None:
    registration = client.ApiregistrationV1Api(api)
    body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1alpha1.wardle.k8s.io"}, "spec": {
        "insecureSkipTLSVerify": True, "group": "wardle.k8s.io", "groupPriorityMinimum": 1000, "versionPriority": 15,
        "service": {"name": "api", "namespace": "wardle"}, "version": "v1alpha1"}}
    utils.create_from_dict(api, body)
    made = registration.read_api_service("v1alpha1.wardle.k8s.io")
    assert (made.spec.group, made.spec.version) == ("wardle.k8s.io", "v1alpha1")
    with pytest.raises(utils.FailToCreateError) as refused:
        utils.create_from_dict(api, body)
    assert str(refused.value) == (
        'Error from server (Conflict): {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
        '"message":"apiservices.apiregistration.k8s.io \\"v1alpha1.wardle.k8s.io\\" already exists","reason":"AlreadyExists",'
        '"details":{"name":"v1alpha1.wardle.k8s.io","group":"apiregistration.k8s.io","kind":"apiservices"},"code":409}\n')
    registration.delete_api_service("v1alpha1.wardle.k8s.io", body={})


def test_lists_of_one_kind_name_it_once_and_a_twice_named_item_fails_alone(api: client.ApiClient, core: client.CoreV1Api) -> None:
    items = [{key: value for key, value in service(name).items() if key not in ("kind", "apiVersion")} for name in ("mock-3", "mock-3", "mock-4")]
    with pytest.raises(utils.FailToCreateError):
        utils.create_from_dict(api, {"kind": "ServiceList", "apiVersion": "v1", "items": items})
    for name in ("mock-3", "mock-4"):
        assert core.read_namespaced_service(name, "default").metadata.labels["app"] == name
        core.delete_namespaced_service(name, "default", body={})
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}} for name in ("mock-1", "mock-2")]
    utils.create_from_dict(api, {"kind": "NamespaceList", "apiVersion": "v1", "items": namespaces})
    for name in ("mock-1", "mock-2"):
        assert core.read_namespace(name).metadata.labels["name"] == name
        core.delete_namespace(name, body={})


def test_two_conflicts_are_both_told(api: client.ApiClient) -> None:
    told = ('Error from server (Conflict): {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
            '"message":"deployments.apps \\"triple-nginx\\" already exists","reason":"AlreadyExists",'
            '"details":{"name":"triple-nginx","group":"apps","kind":"deployments"},"code":409}\n')
    with pytest.raises(utils.FailToCreateError) as refused:
        utils.create_from_yaml(api, yaml_objects=[deployment("triple-nginx", 3)] * 3)
    assert str(refused.value) == told * 2
    client.AppsV1Api(api).delete_namespaced_deployment("triple-nginx", "default", body={})


def test_several_objects_go_into_a_namespace_of_their_own(api: client.ApiClient, core: client.CoreV1Api) -> None:
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="e2e-test-utils")))
    pods = {"apiVersion": "v1", "kind": "PodList", "items": [pod("mock-pod-0", app="mock-pod-0"), pod("mock-pod-1", app="mock-pod-1")]}
    utils.create_from_yaml(api, yaml_objects=[pods, deployment("mock", 3), service("mock"), controller("mock")], namespace="e2e-test-utils")
    assert core.read_namespaced_pod("mock-pod-1", "e2e-test-utils").spec.containers[0].image == "busybox"
    assert core.read_namespaced_replication_controller("mock", "e2e-test-utils").spec.template.spec.containers[0].image == "k8s.gcr.io/pause:2.0"
    until(lambda: core.read_namespaced_pod("mock-pod-0", "e2e-test-utils").status.phase == "Running")
    until(lambda: [one["metadata"]["name"] for one in utils.get_pods_metrics(api, "e2e-test-utils", "app=mock-pod-0")["items"]] == ["mock-pod-0"])
    both = utils.get_pods_metrics_in_all_namespaces(api, ["e2e-test-utils", "default"])
    assert "error" not in both["e2e-test-utils"]
    core.delete_namespaced_replication_controller("mock", "e2e-test-utils", propagation_policy="Background")
    core.delete_namespace("e2e-test-utils")


def test_a_daemon_set_and_a_deployment_go_with_empty_options(api: client.ApiClient) -> None:
    apps = client.AppsV1Api(api)
    container = {"name": "nginx-app", "image": "nginx:1.15.4"}
    template = {"metadata": {"labels": {"app": "nginx"}, "name": "nginx-app"}, "spec": {"containers": [container]}}
    apps.create_namespaced_daemon_set("default", {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"labels": {"app": "nginx"}, "name": "nginx-app"},
        "spec": {"selector": {"matchLabels": {"app": "nginx"}}, "template": template, "updateStrategy": {"type": "RollingUpdate"}}})
    made = apps.read_namespaced_daemon_set("nginx-app", "default")
    assert (made.spec.selector.match_labels["app"], made.spec.template.spec.containers[0].image) == ("nginx", "nginx:1.15.4")
    apps.delete_namespaced_daemon_set("nginx-app", "default", body=client.V1DeleteOptions())
    apps.create_namespaced_deployment("default", deployment("gone", 3))
    apps.delete_namespaced_deployment("gone", "default", body=client.V1DeleteOptions())


# ---- watching


def test_a_collection_that_is_deleted_is_seen_by_a_watch(core: client.CoreV1Api) -> None:
    def settings(name: str, value: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value, "config": "dummy"}}
    core.create_namespace({"metadata": {"name": "collected"}})
    until(lambda: core.list_namespaced_config_map("collected").items)  # kube-root-ca.crt, which its controller makes again
    core.create_namespaced_config_map("collected", settings("a", "a"))
    version = core.list_namespaced_config_map("collected").metadata.resource_version
    body = settings("b", "b")
    core.create_namespaced_config_map("collected", body)
    body["data"]["config"] = "{}"
    core.patch_namespaced_config_map("b", "collected", body)
    core.delete_collection_namespaced_config_map("collected")
    events = watch.Watch().stream(core.list_namespaced_config_map, namespace="collected", resource_version=version, timeout_seconds=HANG)
    told = ((event["type"], event["object"].metadata.name) for event in events)
    seen = list(itertools.islice((one for one in told if one[1] != "kube-root-ca.crt"), 4))
    assert seen == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "a"), ("DELETED", "b")]


def test_the_informer_resynchronises_and_its_version_advances(core: client.CoreV1Api) -> None:
    body: dict[str, Any] = {"metadata": {"name": "before", "labels": {"inf-e2e": "1"}}, "data": {"k": "v"}}
    core.create_namespaced_config_map("default", body)
    seen: list[tuple[str, str]] = []
    informer = SharedInformer(list_func=core.list_namespaced_config_map, namespace="default", label_selector="inf-e2e=1", resync_period=2)
    for kind in (ADDED, MODIFIED):
        informer.add_event_handler(kind, lambda obj, kind=kind: seen.append((kind, obj.metadata.name)))
    informer.start()
    try:
        until(lambda: informer.cache.get_by_key("default/before"))
        until(lambda: (MODIFIED, "before") in seen)
        version = int(informer._resource_version)
        core.create_namespaced_config_map("default", {**body, "metadata": {**body["metadata"], "name": "after"}})
        until(lambda: (ADDED, "after") in seen)
        assert int(informer._resource_version) > version
    finally:
        informer.stop()
    core.delete_collection_namespaced_config_map("default", label_selector="inf-e2e=1")


def test_a_leases_times_keep_their_microseconds(api: client.ApiClient) -> None:
    leases = client.CoordinationV1Api(api)
    leases.create_namespaced_lease("default", client.V1Lease(metadata={"name": "lock"}, spec=client.V1LeaseSpec(
        holder_identity="one", lease_duration_seconds=15, acquire_time="2026-01-02T03:04:05.678901Z")), pretty=True)
    held = leases.read_namespaced_lease("lock", "default")
    assert (held.spec.holder_identity, held.spec.acquire_time.microsecond) == ("one", 678901)
    held.spec.holder_identity = "two"
    assert leases.replace_namespaced_lease("lock", "default", held).spec.holder_identity == "two"


# ---- port-forward, to a Python program of the suite's kind: it echoes on two ports, the third is nobody's

ECHO = """
import select, socketserver, sys, threading, time
class Echo:
    def __init__(self, port):
        self.server = socketserver.ThreadingTCPServer(('0.0.0.0', port), self.handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, name='Port %s Server' % port)
        self.thread.daemon = True
        self.thread.start()
    def handler(self, request, address, server):
        held = b''
        while True:
            r, w, _ = select.select([request], [request] if held else [], [])
            if r:
                data = request.recv(1024)
                if not data:
                    break
                held += data
            if w:
                held = held[request.send(held):]
if __name__ == '__main__':
    servers = [Echo(int(port)) for port in sys.argv[1:]]
    time.sleep(10 * 60)
"""


def test_raw_ports_are_forwarded_to_a_python_program(core: client.CoreV1Api) -> None:
    core.create_namespaced_config_map("default", {"metadata": {"name": "portforward-raw"}, "data": {"port-server.py": ECHO}})
    container = {"name": "port-server", "image": "python", "command": ["python", "-u", "/opt/port-server.py", "1234", "1235"],
                 "volumeMounts": [{"name": "port-server", "mountPath": "/opt", "readOnly": True}],
                 "startupProbe": {"tcpSocket": {"port": 1235}, "periodSeconds": 1, "failureThreshold": 30}}
    volume = {"name": "port-server", "configMap": {"name": "portforward-raw"}}
    core.create_namespaced_pod("default", {"metadata": {"name": "portforward-raw"}, "spec": {
        "restartPolicy": "Never", "containers": [container], "volumes": [volume]}})
    until(lambda: [one for one in core.read_namespaced_pod("portforward-raw", "default").status.container_statuses or [] if one.ready])
    for number in range(3):
        forward = portforward(core.connect_get_namespaced_pod_portforward, "portforward-raw", "default", ports="1234,1235,1236")
        assert forward.connected
        sockets = {port: forward.socket(port) for port in (1234, 1235)}
        for word in ("Test", "Another test"):
            for port, sock in sockets.items():
                sock.setblocking(True)
                sent = f"{word} {number} port {port} forwarding".encode()
                sock.sendall(sent)
                reply = b""
                while reply != sent:
                    assert select.select([sock], [], [], 20)[0]
                    data = sock.recv(1024)
                    assert data
                    reply += data
        nobody = forward.socket(1236)
        nobody.setblocking(True)
        assert nobody.recv(1024) == b""
        assert forward.error(1236) is not None
        nobody.close()
        for sock in sockets.values():
            assert forward.connected
            sock.close()
        until(lambda forward=forward: not forward.connected)
        assert forward.error(1234) is None and forward.error(1235) is None
    core.delete_namespaced_pod("portforward-raw", "default")
    core.delete_namespaced_config_map("portforward-raw", "default")
