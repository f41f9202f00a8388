"""A lab with Envoys and linkerd proxies: Pods as a mesh's manifests write them."""

from __future__ import annotations

from typing import Any

import yaml

from tests.kubernetes.runtime.lab import Lab

TYPES = "type.googleapis.com/envoy.extensions."
HCM = TYPES + "filters.network.http_connection_manager.v3.HttpConnectionManager"
LOG = {"name": "log", "typed_config": {"@type": TYPES + "access_loggers.stream.v3.StdoutAccessLog"}}
ROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": TYPES + "filters.http.router.v3.Router"}}
LABELS = {"linkerd.io/control-plane-ns": "linkerd"}
INIT_ARGS = ["--incoming-proxy-port", "4143", "--outgoing-proxy-port", "4140", "--proxy-uid", "2102", "--inbound-ports-to-ignore", "4190,4191"]
LINKERD_INIT = {
    "name": "linkerd-init",
    "image": "cr.l5d.io/linkerd/proxy-init:v2.4.2",
    "args": INIT_ARGS,
    "securityContext": {"runAsUser": 0, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
}


def address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def manager(routes: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """A connection manager with one virtual host for everybody; `host` is laid over that host, the rest over the manager."""
    host = {"name": "all", "domains": ["*"], "routes": routes, **options.pop("host", {})}
    config = {"@type": HCM, "stat_prefix": "in", "access_log": [LOG], "route_config": {"virtual_hosts": [host]}, "http_filters": [ROUTER], **options}
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def listener(port: int, network_filter: dict[str, Any], host: str = "0.0.0.0", **chain: Any) -> dict[str, Any]:  # noqa: S104
    return {"name": f"l{port}", "address": address(host, port), "filter_chains": [{"filters": [network_filter], **chain}]}


def cluster(name: str, host: str, port: int = 8080, kind: str = "STRICT_DNS", **options: Any) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": address(host, port)}}
    return {"name": name, "type": kind, "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}, **options}


def bootstrap(listeners: list[dict[str, Any]], clusters: list[dict[str, Any]]) -> str:
    found = {"admin": {"address": address("0.0.0.0", 9901)}, "static_resources": {"listeners": listeners, "clusters": clusters}}  # noqa: S104
    return yaml.safe_dump(found, sort_keys=False)


def simple(route: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **orders: Any) -> str:
    """Port 80 to the cluster `orders`, which is the headless Service order-pods."""
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "orders", **(route or {})}}]
    return bootstrap([listener(80, manager(routes, host=host or {}))], [cluster("orders", "order-pods", **orders)])


def envoy(lab: Lab, name: str, config: str, secret: str = "", **spec: Any) -> None:
    """A Pod that is an Envoy with a shell beside it."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"envoy.yaml": config}}
    lab.create("configmaps", body)
    volumes: list[dict[str, Any]] = [{"name": "config", "configMap": {"name": name}}]
    mounts = [{"name": "config", "mountPath": "/etc/envoy"}]
    if secret:
        volumes.append({"name": "certs", "secret": {"secretName": secret}})
        mounts.append({"name": "certs", "mountPath": "/etc/certs"})
    containers = [
        {"name": "envoy", "image": "envoyproxy/envoy:v1.33-latest", "volumeMounts": mounts},
        {"name": "app", "image": "nicolaka/netshoot", "command": ["sleep", "1000000"]},
    ]
    lab.pod(name, containers=containers, spec={"volumes": volumes, **spec})


def orders(lab: Lab, count: int = 2, **env: str) -> None:
    """Pods order-1 ... behind the Services order-service (80) and order-pods (headless)."""
    for number in range(1, count + 1):
        wanted = [{"name": key, "value": value} for key, value in env.items()]
        lab.pod(f"order-{number}", "podlab/order-service:1.0", node=f"node-{1 + number % 2}", labels={"app": "order"}, env=wanted)
    lab.service("order-service", "order", 80, 8080)
    lab.service("order-pods", "order", 8080, 8080, clusterIP="None")


def chaos(lab: Lab, pod: str, words: str) -> None:
    assert lab.run(pod, f"curl -s 'localhost:8080/chaos{words}'")[2] == 0


def secret(lab: Lab, name: str, **files: str) -> None:
    data = {key.replace("_", "."): value for key, value in files.items()}
    lab.create("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})


def linkerd_proxy(account: str = "default", **env: str) -> dict[str, Any]:
    name = f"{account}.default.serviceaccount.identity.linkerd.cluster.local"
    given = {"LINKERD2_PROXY_IDENTITY_LOCAL_NAME": name, **env}
    return {
        "name": "linkerd-proxy",
        "image": "cr.l5d.io/linkerd/proxy:edge-25.4.1",
        "env": [{"name": key, "value": value} for key, value in given.items()],
        "securityContext": {"runAsUser": 2102},
    }


def meshed(lab: Lab, name: str, app: dict[str, Any], account: str = "default", **env: str) -> None:
    """A Pod in linkerd's mesh."""
    spec = {"initContainers": [LINKERD_INIT], "serviceAccountName": account}
    lab.pod(name, containers=[{"name": "app", **app}, linkerd_proxy(account, **env)], labels={"app": name, **LABELS}, spec=spec)
