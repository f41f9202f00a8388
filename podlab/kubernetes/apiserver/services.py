"""What a Service is given: cluster addresses, IP families and node ports (pkg/registry/core/service/storage/alloc.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..objects import thaw
from .context import AllocationError
from .errors import ApiError, FieldError, invalid
from .validation.services import cluster_ips

if TYPE_CHECKING:
    from .pipeline import Context

Object = dict[str, Any]
NEED_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")


def prepare_service_for_create(obj: Object, ctx: Context) -> None:
    """Give a new Service its addresses and ports, in place. Raises ApiError 422. Broken requests are left for validation."""
    obj["spec"] = thaw(obj["spec"])
    obj["status"] = {"loadBalancer": {}}
    _drop_foreign(obj["spec"])
    _allocate(obj, ctx, held=set(), fresh=True)


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
    if spec.get("type") != "LoadBalancer":  # what a balancer had given is over with it
        if spec.get("loadBalancerClass") == before.get("loadBalancerClass"):
            spec.pop("loadBalancerClass", None)
        new["status"] = {**(new.get("status") or {}), "loadBalancer": {}}
    _drop_foreign(spec)
    held = {*(before.get("clusterIPs") or ()), *(port["nodePort"] for port in before.get("ports") or () if port.get("nodePort")),
            before.get("healthCheckNodePort")}
    if before.get("type") in NEED_ADDRESS:
        held |= {spec.get("clusterIP")}  # another address than before is refused, not given
    _allocate(new, ctx, held, fresh=False)


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


def _allocate(service: Object, ctx: Context, held: set[Any], fresh: bool) -> None:
    """Give out what the Service lacks; what is in `held` it has already. Raises ApiError 422, and 500 for a health check's port."""
    spec = service["spec"]
    if fresh and spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]  # normalizeClusterIPs, for every type
    if spec.get("type") == "ExternalName":
        return
    name = service["metadata"].get("name") or ""
    if wrong := _families(spec):
        raise invalid("", "Service", name, wrong)
    steps, path = _allocations(spec, ctx, held, fresh), ""
    try:
        while (step := next(steps, None)) is not None:
            path = step
    except AllocationError as error:
        if path == "spec.healthCheckNodePort":
            raise ApiError(500, "InternalError", "Internal error occurred: failed to allocate requested HealthCheck NodePort "
                                                 f"{spec[path.removeprefix('spec.')]}: {error.error.message.split(': ', 2)[-1]}") from None
        said = FieldError(error.error.kind, path, error.error.message)
        raise invalid("", "Service", name, [said]) from None


def _families(spec: Object) -> list[FieldError]:
    """Fill in the families and their policy (initIPFamilyFields on a cluster of IPv4 alone), or say what is wrong with them.

    A complaint here is all that is said: the rest of the Service is not looked at.
    """
    alone = spec.get("clusterIP") == "None" and not spec.get("selector")  # who runs its endpoints may want both families
    if spec.get("ipFamilyPolicy") is None:
        spec["ipFamilyPolicy"] = "RequireDualStack" if alone else "SingleStack"
    policy, errors = spec["ipFamilyPolicy"], list[FieldError]()
    cluster_ips(spec, errors)
    if errors:
        return errors
    families, addresses = [*(spec.get("ipFamilies") or ())], spec.get("clusterIPs") or ()
    for count, what in ((len(addresses), "cluster IPs"), (len(families), "IP families")):
        if policy == "SingleStack" and count == 2:
            errors.append(FieldError.invalid("spec.ipFamilyPolicy", policy,
                                             f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"))
    for i, address in enumerate(addresses):
        if address == "None":
            break
        if i >= len(families):
            if ":" in address:
                errors.append(FieldError.invalid(f"spec.clusterIPs[{i}]", [*addresses], "IPv6 is not configured on this cluster"))
            else:
                families.append("IPv4")
    if not errors and not alone:
        if policy == "RequireDualStack":
            errors.append(FieldError.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"))
        errors += [FieldError.invalid(f"spec.ipFamilies[{i}]", family, "not configured on this cluster")
                   for i, family in enumerate(families) if family == "IPv6"]
    families = families or ["IPv4"]
    if alone and len(families) == 1 and policy != "SingleStack":
        families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    spec["ipFamilies"] = families
    return errors


def _allocations(spec: Object, ctx: Context, held: set[Any], fresh: bool) -> Iterator[str]:
    """Each step's field, before the step is taken."""
    address = spec.get("clusterIP")
    if address != "None" and (not address or address not in held):
        yield "spec.clusterIPs"
        spec["clusterIP"] = ctx.allocate_cluster_ip(address or None)
        if not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        yield from _give_node_ports(spec, ctx, held, fresh)
    if spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
        wanted = spec.get("healthCheckNodePort")
        if not wanted or wanted not in held:
            yield "spec.healthCheckNodePort"
            spec["healthCheckNodePort"] = _claim(ctx, wanted, _node_ports(spec))


def _give_node_ports(spec: Object, ctx: Context, held: set[Any], fresh: bool) -> Iterator[str]:
    """initNodePorts; updateNodePorts where the Service is not `fresh`. Asked-for ports are respected whatever the type needs."""
    ports, claimed, shared = spec.get("ports") or (), list[int](), dict[int, int]()
    given = _node_ports(spec)
    asked: dict[int, int] = {}
    for port in ports:
        if port.get("nodePort"):
            asked.setdefault(port["port"], port["nodePort"])
    for i, port in enumerate(ports):
        wanted = port.get("nodePort")
        if not wanted and not _needs_node_ports(spec):
            continue
        yield f"spec.ports[{i}].nodePort"
        if fresh and port["port"] in shared:  # one port number of two protocols shares its node port
            if wanted and wanted != shared[port["port"]]:
                claimed.append(_claim(ctx, wanted, claimed))
            given += () if wanted else (shared[port["port"]],)
            port["nodePort"] = wanted or shared[port["port"]]
            continue
        if fresh and not wanted:
            wanted = asked.get(port["port"])
        if not wanted:
            wanted = _claim(ctx, None, [*claimed, *given])
            claimed.append(wanted)
        elif wanted not in held and (fresh or wanted not in claimed):
            claimed.append(_claim(ctx, wanted, claimed))
        given += () if port.get("nodePort") else (wanted,)
        port["nodePort"] = shared[port["port"]] = wanted


def _claim(ctx: Context, wanted: int | None, claimed: list[int]) -> int:
    if wanted is not None and wanted in claimed:
        raise AllocationError(FieldError.invalid("", wanted, "provided port is already allocated"))
    return ctx.allocate_node_port(wanted, claimed)


def _node_ports(spec: Object) -> list[int]:
    return [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
