"""Services (pkg/apis/core/validation)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .containers import PROTOCOLS
from .metadata import Errors, complain, repeated, validate_labels
from .probes import validate_port_number_or_name

Object = Mapping[str, Any]

TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"]
LINK_LOCAL_MULTICAST = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))
TOPOLOGY_MODE, TOPOLOGY_HINTS = "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
MAX_AFFINITY_SECONDS = 86400  # MaxClientIPServiceAffinitySeconds


def _headless(spec: Object) -> bool:
    return [*(spec.get("clusterIPs") or ())] == ["None"]


def service(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateService without its metadata."""
    spec = obj["spec"]
    kind, ports = spec.get("type", ""), spec.get("ports") or []
    annotations = obj["metadata"].get("annotations") or {}
    mode, hints = annotations.get(TOPOLOGY_MODE), annotations.get(TOPOLOGY_HINTS)
    if None not in (mode, hints) and mode != hints:
        errors.append(FieldError.invalid(f"metadata.annotations[{TOPOLOGY_MODE}]", mode,
                                         f"must match annotations[{TOPOLOGY_HINTS}] when both are specified"))
    if not ports and not _headless(spec) and kind != "ExternalName":
        errors.append(FieldError.required("spec.ports"))
    if kind in ("LoadBalancer", "NodePort") and _headless(spec):
        errors.append(FieldError.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        _external_name(spec, errors)
    names: set[str] = set()
    for i, port in enumerate(ports):
        _port(port, len(ports) > 1, names, f"spec.ports[{i}]", errors)
    validate_labels(spec.get("selector"), "spec.selector", errors)
    _affinity(spec, errors)
    if kind != "ExternalName":
        cluster_ips(spec, errors)
    for i, ip in enumerate(spec.get("externalIPs") or ()):
        complaints = words.bad_ip(ip)
        complain(errors, f"spec.externalIPs[{i}]", ip, complaints)
        if not complaints:
            not_special_ip(ip, f"spec.externalIPs[{i}]", errors)
    if not kind:
        errors.append(FieldError.required("spec.type"))
    elif kind not in TYPES:
        errors.append(FieldError.not_supported("spec.type", kind, TYPES))
    if kind == "ClusterIP":
        for i, port in enumerate(ports):
            if port.get("nodePort"):
                errors.append(FieldError.forbidden(f"spec.ports[{i}].nodePort", "may not be used when `type` is 'ClusterIP'"))
    _no_duplicates(ports, errors)
    _load_balancer(spec, kind, annotations, errors)
    _traffic(spec, kind, errors)


def _external_name(spec: Object, errors: Errors) -> None:
    for member in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(member):
            errors.append(FieldError.forbidden(f"spec.{member}", "may not be set for ExternalName services"))
    name = spec.get("externalName", "").removesuffix(".")
    if name:
        complain(errors, "spec.externalName", name, words.bad_subdomain(name))
    else:
        errors.append(FieldError.required("spec.externalName"))


def _port(port: Object, named: bool, names: set[str], path: str, errors: Errors) -> None:
    name = port.get("name", "")
    if named and not name:
        errors.append(FieldError.required(f"{path}.name"))
    elif name:
        complain(errors, f"{path}.name", name, words.bad_label(name))
        if name in names:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        names.add(name)
    complain(errors, f"{path}.port", port.get("port", 0), words.bad_port(port.get("port", 0)))
    validate_protocol(port.get("protocol", ""), path, errors)
    validate_port_number_or_name(port.get("targetPort", 0), f"{path}.targetPort", errors)
    if port.get("appProtocol") is not None:
        complain(errors, f"{path}.appProtocol", port["appProtocol"], words.bad_qualified_name(port["appProtocol"]))


def validate_protocol(protocol: str, path: str, errors: Errors) -> None:
    if not protocol:
        errors.append(FieldError.required(f"{path}.protocol"))
    elif protocol not in PROTOCOLS:
        errors.append(FieldError.not_supported(f"{path}.protocol", protocol, PROTOCOLS))


def _affinity(spec: Object, errors: Errors) -> None:
    affinity, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    if not affinity:
        errors.append(FieldError.required("spec.sessionAffinity"))
    elif affinity not in ("ClientIP", "None"):
        errors.append(FieldError.not_supported("spec.sessionAffinity", affinity, ["ClientIP", "None"]))
    if affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is not None and not 0 < seconds <= MAX_AFFINITY_SECONDS:
            errors.append(FieldError.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds,
                                             f"must be greater than 0 and less than {MAX_AFFINITY_SECONDS}"))
    elif affinity == "None" and config is not None:
        errors.append(FieldError.forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None"))


def cluster_ips(spec: Object, errors: Errors) -> None:
    """ValidateServiceClusterIPsRelatedFields."""
    one, ips = spec.get("clusterIP", ""), [*(spec.get("clusterIPs") or ())]
    if one and ips and ips[0] != one:
        errors.append(FieldError.invalid("spec.clusterIPs", ips, "first value must match `clusterIP`"))
    elif one and not ips:
        errors.append(FieldError.required("spec.clusterIPs"))
    elif ips and not one:
        errors.append(FieldError.invalid("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified"))
    families = [*(spec.get("ipFamilies") or ())]
    for i, (family, twice) in enumerate(zip(families, repeated(families), strict=True)):
        if family not in ("IPv4", "IPv6"):
            errors.append(FieldError.not_supported(f"spec.ipFamilies[{i}]", family, ["IPv4", "IPv6"]))
        if twice:
            errors.append(FieldError.duplicate(f"spec.ipFamilies[{i}]", family))
    policy = spec.get("ipFamilyPolicy")
    policies = ["PreferDualStack", "RequireDualStack", "SingleStack"]
    if policy is not None and policy not in policies:
        errors.append(FieldError.not_supported("spec.ipFamilyPolicy", policy, policies))
    broken = False
    for i, ip in enumerate(ips):
        if i == 0 and ip == "None":
            if len(ips) > 1:
                broken = True
                errors.append(FieldError.invalid("spec.clusterIPs", ips, "'None' must be the first and only value"))
            continue
        complaints = words.bad_ip(ip)
        broken = broken or bool(complaints)
        complain(errors, f"spec.clusterIPs[{i}]", ip, complaints)
    if len(ips) > 2:
        errors.append(FieldError.invalid("spec.clusterIPs", ips, "may only hold up to 2 values"))
    if broken:
        return
    if len(ips) > 1 and len({":" in ip for ip in ips}) == 1:
        errors.append(FieldError.invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"))
    if not _headless(spec):
        for i, (ip, family) in enumerate(zip(ips, families, strict=False)):
            if (family == "IPv6") != (":" in ip):
                errors.append(FieldError.invalid(f"spec.clusterIPs[{i}]", ip,
                                                 f"expected an {family} value as indicated by `ipFamilies[{i}]`"))


def _no_duplicates(ports: list[Object], errors: Errors) -> None:
    node_ports: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        if port.get("nodePort"):
            key = (port.get("protocol", ""), port["nodePort"])
            if key in node_ports:
                errors.append(FieldError.duplicate(f"spec.ports[{i}].nodePort", port["nodePort"]))
            node_ports.add(key)
    seen: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in seen:
            shown = {"Name": "", "Protocol": key[0], "AppProtocol": None, "Port": key[1], "TargetPort": 0, "NodePort": 0}
            errors.append(FieldError.duplicate(f"spec.ports[{i}]", shown))
        seen.add(key)


def _load_balancer(spec: Object, kind: str, annotations: Mapping[str, str], errors: Errors) -> None:
    only = "may only be used when `type` is 'LoadBalancer'"
    ranges = spec.get("loadBalancerSourceRanges") or ()
    if ranges and kind != "LoadBalancer":
        errors.append(FieldError.forbidden("spec.LoadBalancerSourceRanges", only))
    for i, value in enumerate(ranges):
        complain(errors, f"spec.LoadBalancerSourceRanges[{i}]", value.strip(), words.bad_cidr(value.strip()))
    if not ranges and (listed := annotations.get(SOURCE_RANGES)) is not None:
        path = f"metadata.annotations[{SOURCE_RANGES}]"
        if kind != "LoadBalancer":
            errors.append(FieldError.forbidden(path, only))
        for value in listed.split(",") if listed.strip() else ():
            complain(errors, path, value.strip(), words.bad_cidr(value.strip()))
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        errors.append(FieldError.forbidden("spec.allocateLoadBalancerNodePorts", only))
    if spec.get("loadBalancerClass") is not None:
        if kind != "LoadBalancer":
            errors.append(FieldError.forbidden("spec.loadBalancerClass", only))
        else:
            complain(errors, "spec.loadBalancerClass", spec["loadBalancerClass"],
                     words.bad_qualified_name(spec["loadBalancerClass"]))


def _traffic(spec: Object, kind: str, errors: Errors) -> None:
    outside = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    policy = spec.get("externalTrafficPolicy", "")
    if not outside:
        if policy:
            errors.append(FieldError.invalid("spec.externalTrafficPolicy", policy,
                                             "may only be set for externally-accessible services"))
    elif not policy:
        errors.append(FieldError.required("spec.externalTrafficPolicy"))
    elif policy not in ("Cluster", "Local"):
        errors.append(FieldError.not_supported("spec.externalTrafficPolicy", policy, ["Cluster", "Local"]))
    check = spec.get("healthCheckNodePort", 0)
    if not _is_checked(spec):
        if check:
            errors.append(FieldError.invalid("spec.healthCheckNodePort", check,
                                             "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
    elif not check:
        errors.append(FieldError.required("spec.healthCheckNodePort"))
    else:
        complain(errors, "spec.healthCheckNodePort", check, words.bad_port(check))
    inside = spec.get("internalTrafficPolicy")
    if inside is None and kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        errors.append(FieldError.required("spec.internalTrafficPolicy"))
    elif inside is not None and inside not in ("Cluster", "Local"):
        errors.append(FieldError.not_supported("spec.internalTrafficPolicy", inside, ["Cluster", "Local"]))
    if spec.get("trafficDistribution") not in (None, *DISTRIBUTIONS):
        errors.append(FieldError.not_supported("spec.trafficDistribution", spec["trafficDistribution"], DISTRIBUTIONS))


def service_update(new: Object, old: Object, errors: Errors) -> None:
    """ValidateServiceUpdate: a Service keeps its address for life."""
    spec, before = new["spec"], old["spec"]
    if "ExternalName" not in (spec.get("type"), before.get("type")) and not (_headless(spec) and _headless(before)):
        _kept_in_order(spec, before, "clusterIPs", "clusterIP", errors)
        if not _headless(spec) and not _headless(before):
            _kept_in_order(spec, before, "ipFamilies", "ipFamily", errors)
    same_kind = spec.get("type") == before.get("type") == "LoadBalancer"
    if same_kind and before.get("loadBalancerClass") != spec.get("loadBalancerClass"):
        errors.append(FieldError.invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), "may not change once set"))
    if _is_checked(spec) and _is_checked(before) and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
        errors.append(FieldError.forbidden("spec.healthCheckNodePort", words.IMMUTABLE))
    service(new, errors)


def service_status(new: Object, old: Object, errors: Errors) -> None:
    """ValidateLoadBalancerStatus."""
    path, points = "status.loadBalancer.ingress", ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if points and new["spec"].get("type") != "LoadBalancer":
        errors.append(FieldError.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"))
        return
    for i, point in enumerate(points):
        ip, mode, host = point.get("ip"), point.get("ipMode"), point.get("hostname")
        if ip:
            complain(errors, f"{path}[{i}].ip", ip, words.bad_ip(ip))
        if mode is None:
            if ip:
                errors.append(FieldError.required(f"{path}[{i}].ipMode", "must be specified when `ip` is set"))
        elif not ip:
            errors.append(FieldError.forbidden(f"{path}[{i}].ipMode", "may not be specified when `ip` is not set"))
        elif mode not in ("Proxy", "VIP"):
            errors.append(FieldError.not_supported(f"{path}[{i}].ipMode", mode, ["Proxy", "VIP"]))
        if host:
            complain(errors, f"{path}[{i}].hostname", host, words.bad_subdomain(host))
            if not words.bad_ip(host):
                errors.append(FieldError.invalid(f"{path}[{i}].hostname", host, "must be a DNS name, not an IP address"))


def _is_checked(spec: Object) -> bool:
    """NeedsHealthCheck."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _kept_in_order(spec: Object, before: Object, member: str, one: str, errors: Errors) -> None:
    """validateUpgradeDowngradeClusterIPs and ...IPFamilies: the first stays, a second comes and goes."""
    now, held = [*(spec.get(member) or ())], [*(before.get(member) or ())]
    shown = now if member == "clusterIPs" or len(now) == len(held) else spec.get("clusterIPs")  # so it is in the server, too
    if len(now) < len(held) and not spec.get("clusterIPs"):
        errors.append(FieldError.invalid(f"spec.{member}[0]", spec.get(member), f"primary {one} can not be unset"))
    for i, (fresh, had) in enumerate(zip(now, held, strict=False)):
        if fresh != had and (i == 0 or len(now) == len(held)):
            errors.append(FieldError.invalid(f"spec.{member}[{i if member == 'clusterIPs' else 0}]", shown, "may not change once set"))
    if len(held) > len(now) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        errors.append(FieldError.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"),
                                         f"must be set to 'SingleStack' when releasing the secondary {one}"))


def not_special_ip(ip: str, path: str, errors: Errors) -> None:
    """ValidateNonSpecialIP."""
    address = words.address(ip)
    if address is None:
        errors.append(FieldError.invalid(path, ip, "must be a valid IP address"))
        return
    for is_so, complaint in (
            (address.is_unspecified, f"may not be unspecified ({ip})"),
            (address.is_loopback, "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
            (address.is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
            (address in LINK_LOCAL_MULTICAST[address.version == 6], "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")):
        if is_so:
            errors.append(FieldError.invalid(path, ip, complaint))
