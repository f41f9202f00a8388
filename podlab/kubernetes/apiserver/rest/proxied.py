"""Where the proxy subresource of a Pod or a Service leads (pkg/registry/core/{pod,service}/strategy.go and storage: ResourceLocation)."""

from __future__ import annotations

from ...ground import Ground
from ...objects import Map, dig
from ...resources import Resource
from ..errors import ApiError, bad_request, not_found


def address_of(engine: Ground, resource: Resource, namespace: str, asked: str) -> tuple[str, str, str]:
    """(scheme, address, port) that `name`, `name:port` or `https:name:port` means. Raises ApiError."""
    parts = asked.split(":")
    name, port = (parts[1], parts[2]) if len(parts) == 3 else (parts[0], parts[1] if len(parts) == 2 else "")
    if len(parts) > 3 or (len(parts) == 3 and parts[0] not in ("http", "https", "")):
        raise bad_request(f'invalid {resource.one} request "{asked}"')
    obj = engine.etcd.get(resource.plural, f"{namespace}/{name}")
    if obj is None:
        raise not_found("", resource.plural, name)
    scheme = parts[0] if len(parts) == 3 and parts[0] else "http"
    return scheme, *(_pod(obj, port) if resource.plural == "pods" else _service(obj, name, port))


def _pod(pod: Map, port: str) -> tuple[str, str]:
    ip = dig(pod, "status.podIP", "")
    if not ip:
        raise bad_request("address not allowed")
    ports = [one for container in pod["spec"]["containers"] for one in container.get("ports") or ()]
    named = next((str(one["containerPort"]) for one in ports if one.get("name") == port), port)
    return ip, named or (str(ports[0]["containerPort"]) if ports else "80")


def _service(service: Map, name: str, port: str) -> tuple[str, str]:
    ports = service["spec"].get("ports") or ()
    for one in ports:
        if port in (one.get("name"), str(one["port"])) or (not port and len(ports) == 1):
            address = service["spec"].get("clusterIP")
            if address and address != "None":
                return address, str(one["port"])
    raise ApiError(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
