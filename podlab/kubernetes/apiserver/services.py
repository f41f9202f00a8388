"""What a Service is given: cluster addresses, IP families and node ports (pkg/registry/core/service/storage/alloc.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..objects import thaw
from .context import AllocationError
from .errors import FieldError, invalid

if TYPE_CHECKING:
    from .pipeline import Context

Object = dict[str, Any]
NEED_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")


def prepare_service_for_create(obj: Object, ctx: Context) -> None:
    """Give a new Service its addresses and ports, in place. Raises ApiError 422. Broken requests are left for validation."""
    obj["spec"] = thaw(obj["spec"])
    obj["status"] = {"loadBalancer": {}}
    _drop_foreign(obj["spec"])
    _allocate(obj, ctx, held=set())


def prepare_service_for_update(new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    """Carry over what was given before and give out what a new type needs (patchAllocatedValues, dropTypeDependentFields).

    Raises ApiError 422 where a requested address or port cannot be had.
    """
    if subresource:
        return
    spec = new["spec"] = thaw(new["spec"])
    before = old["spec"]
    if spec.get("type") in NEED_ADDRESS and before.get("type") in NEED_ADDRESS:
        if not spec.get("clusterIP") and not spec.get("clusterIPs"):
            for member in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if member in before and not spec.get(member):
                    spec[member] = thaw(before[member])
        elif spec.get("clusterIP") == before.get("clusterIP"):
            spec.setdefault("clusterIPs", thaw(before["clusterIPs"]))
        elif spec.get("clusterIPs") == before.get("clusterIPs"):  # who changed only clusterIP means both (NormalizeClusterIPs)
            spec["clusterIPs"] = [spec["clusterIP"], *spec["clusterIPs"][1:]] if spec.get("clusterIP") else []
    given = {(port.get("protocol"), port["port"]): port.get("nodePort") for port in before.get("ports") or ()}
    if _needs_node_ports(spec) and before.get("type") in ("NodePort", "LoadBalancer"):
        for port in spec.get("ports") or ():
            if not port.get("nodePort") and given.get((port.get("protocol"), port["port"])):
                port["nodePort"] = given[port.get("protocol"), port["port"]]
    if not _needs_node_ports(spec) and _needs_node_ports(before):
        for port in spec.get("ports") or ():
            if port.get("nodePort") and port["nodePort"] == given.get((port.get("protocol"), port["port"])):
                del port["nodePort"]
    if spec.get("type") == "ExternalName" and before.get("type") != "ExternalName":
        for member in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(member) == before.get(member):
                spec.pop(member, None)
    for member in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"):
        if spec.get(member) == before.get(member):  # a field the old type needed and the new one may not have
            _drop_where_foreign(spec, member)
    _drop_foreign(spec)
    held = {*(before.get("clusterIPs") or ()), *(port["nodePort"] for port in before.get("ports") or () if port.get("nodePort"))}
    if before.get("type") in NEED_ADDRESS:
        held |= {spec.get("clusterIP")}  # another address than before is refused, not given
    _allocate(new, ctx, held)


def _needs_node_ports(spec: Mapping[str, Any]) -> bool:
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and bool(spec.get("allocateLoadBalancerNodePorts", True)))


def _drop_where_foreign(spec: Object, member: str) -> None:
    kind = spec.get("type")
    outside = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs"))
    fits = {"externalTrafficPolicy": outside, "allocateLoadBalancerNodePorts": kind == "LoadBalancer",
            "healthCheckNodePort": kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"}
    if not fits[member]:
        spec.pop(member, None)


def _drop_foreign(spec: Object) -> None:
    if spec.get("type") != "ExternalName" and not spec.get("externalName"):
        spec.pop("externalName", None)


def _allocate(service: Object, ctx: Context, held: set[Any]) -> None:
    """Give out what the Service lacks; what is in `held` it has already. Raises ApiError 422."""
    families = service["spec"].get("ipFamilies") or []
    if service["spec"].get("type") in NEED_ADDRESS and "IPv6" in families and not service["spec"].get("clusterIP") \
            and families in (["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"]):
        at = families.index("IPv6")
        raise invalid("", "Service", service["metadata"].get("name") or "",
                      [FieldError.invalid(f"spec.ipFamilies[{at}]", "IPv6", "not configured on this cluster")])
    steps, path = _allocations(service["spec"], ctx, held), ""
    try:
        while (step := next(steps, None)) is not None:
            path = step
    except AllocationError as error:
        said = FieldError(error.error.kind, path, error.error.message)
        raise invalid("", "Service", service["metadata"].get("name") or "", [said]) from None


def _allocations(spec: Object, ctx: Context, held: set[Any]) -> Iterator[str]:
    """Each step's field, before the step is taken."""
    if spec.get("type") not in NEED_ADDRESS:
        return
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    elif spec.get("clusterIPs") and not spec.get("clusterIP"):
        spec["clusterIP"] = spec["clusterIPs"][0]
    address = spec.get("clusterIP")
    if not spec.get("ipFamilies"):
        spec["ipFamilies"] = ["IPv6"] if address and ":" in address else ["IPv4"]
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if address != "None" and (not address or _looks_like_address(address)) and address not in held:
        yield "spec.clusterIPs"
        spec["clusterIP"] = ctx.allocate_cluster_ip(address or None)
        if not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
    if _needs_node_ports(spec) and address != "None":
        ports = spec.get("ports") or ()
        given = _node_ports(spec)
        shared = {port["port"]: port["nodePort"] for port in reversed(ports) if port.get("nodePort")}
        for i, port in enumerate(ports):
            wanted = port.get("nodePort")
            if wanted not in held or wanted is None:
                yield f"spec.ports[{i}].nodePort"
                # one port number of two protocols shares its node port (initNodePorts)
                same = None if wanted else shared.get(port["port"])
                port["nodePort"] = same or ctx.allocate_node_port(wanted or None, given)
                shared.setdefault(port["port"], port["nodePort"])
                if not wanted:
                    given.append(port["nodePort"])
    checked = spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    if checked and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = ctx.allocate_node_port(None, _node_ports(spec))


def _node_ports(spec: Object) -> list[int]:
    return [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]


def _looks_like_address(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
