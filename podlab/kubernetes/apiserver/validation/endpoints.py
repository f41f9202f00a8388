"""Endpoints and EndpointSlices (pkg/apis/core/validation, pkg/apis/discovery/validation)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain, validate_labels
from .services import not_special_ip, validate_protocol

Object = Mapping[str, Any]
MAX_SLICE_ENDPOINTS, MAX_ADDRESSES, MAX_SLICE_PORTS, MAX_TOPOLOGY, MAX_HINTS = 1000, 100, 20000, 16, 8  # discovery/validation


def endpoints(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateEndpoints without its metadata."""
    for i, subset in enumerate(obj.get("subsets") or ()):
        path = f"subsets[{i}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            errors.append(FieldError.required(path, "must specify `addresses` or `notReadyAddresses`"))
        for member in ("addresses", "notReadyAddresses"):
            for j, address in enumerate(subset.get(member) or ()):
                here, ip = f"{path}.{member}[{j}]", address.get("ip", "")
                complain(errors, f"{here}.ip", ip, words.bad_ip(ip))
                if address.get("hostname"):
                    complain(errors, f"{here}.hostname", address["hostname"], words.bad_label(address["hostname"]))
                if address.get("nodeName") is not None:
                    complain(errors, f"{here}.nodeName", address["nodeName"], words.bad_subdomain(address["nodeName"]))
                not_special_ip(ip, f"{here}.ip", errors)
        ports = subset.get("ports") or []
        for j, port in enumerate(ports):
            here, name = f"{path}.ports[{j}]", port.get("name", "")
            if len(ports) > 1 and not name:
                errors.append(FieldError.required(f"{here}.name"))
            elif name:
                complain(errors, f"{here}.name", name, words.bad_label(name))
            complain(errors, f"{here}.port", port.get("port", 0), words.bad_port(port.get("port", 0)))
            validate_protocol(port.get("protocol", ""), here, errors)
            if port.get("appProtocol") is not None:
                complain(errors, f"{here}.appProtocol", port["appProtocol"], words.bad_qualified_name(port["appProtocol"]))


def endpoint_slice(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateEndpointSlice without its metadata."""
    kind = obj.get("addressType", "")
    if not kind:
        errors.append(FieldError.required("addressType"))
    elif kind not in ("FQDN", "IPv4", "IPv6"):
        errors.append(FieldError.not_supported("addressType", kind, ["FQDN", "IPv4", "IPv6"]))
    endpoints, ports = obj.get("endpoints") or [], obj.get("ports") or []
    if len(endpoints) > MAX_SLICE_ENDPOINTS:
        errors.append(FieldError.too_many("endpoints", len(endpoints), MAX_SLICE_ENDPOINTS))
    for i, endpoint in enumerate(endpoints if len(endpoints) <= MAX_SLICE_ENDPOINTS else ()):
        path, addresses = f"endpoints[{i}]", endpoint.get("addresses") or []
        if not addresses:
            errors.append(FieldError.required(f"{path}.addresses", "must contain at least 1 address"))
        elif len(addresses) > MAX_ADDRESSES:
            errors.append(FieldError.too_many(f"{path}.addresses", len(addresses), MAX_ADDRESSES))
        for j, ip in enumerate(addresses):
            if kind in ("IPv4", "IPv6"):
                complain(errors, f"{path}.addresses[{j}]", ip, words.bad_ip(ip))
                not_special_ip(ip, f"{path}.addresses[{j}]", errors)
                if words.address(ip) and (":" in ip) != (kind == "IPv6"):
                    errors.append(FieldError.invalid(f"{path}.addresses[{j}]", ip, f"must be an {kind} address"))
            elif kind == "FQDN":
                _domain(ip.removesuffix("."), f"{path}.addresses[{j}]", errors)
        if (node := endpoint.get("nodeName")) is not None:
            complain(errors, f"{path}.nodeName", node, words.bad_subdomain(node))
        topology = endpoint.get("deprecatedTopology") or {}
        if len(topology) > MAX_TOPOLOGY:
            errors.append(FieldError.too_many(f"{path}.deprecatedTopology", len(topology), MAX_TOPOLOGY))
        validate_labels(topology, f"{path}.deprecatedTopology", errors)
        if endpoint.get("hostname") is not None:
            complain(errors, f"{path}.hostname", endpoint["hostname"], words.bad_label(endpoint["hostname"]))
        _hints(endpoint.get("hints") or {}, f"{path}.hints", errors)
    names: set[str] = set()
    if len(ports) > MAX_SLICE_PORTS:
        errors.append(FieldError.too_many("ports", len(ports), MAX_SLICE_PORTS))
    for i, port in enumerate(ports if len(ports) <= MAX_SLICE_PORTS else ()):
        path, name = f"ports[{i}]", port.get("name") or ""
        if name:
            complain(errors, f"{path}.name", name, words.bad_label(name))
        if name in names:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        names.add(name)
        validate_protocol(port.get("protocol") or "", path, errors)
        if port.get("appProtocol") is not None:
            complain(errors, f"{path}.appProtocol", port["appProtocol"], words.bad_qualified_name(port["appProtocol"]))


def _hints(hints: Object, path: str, errors: Errors) -> None:
    """validateHints."""
    checks: tuple[tuple[str, Callable[[str], words.Complaints]], ...] = (("forZones", words.bad_label_value), ("forNodes", words.bad_subdomain))
    for member, check in checks:
        names = [one.get("name", "") for one in hints.get(member) or ()]
        if len(names) > MAX_HINTS:
            errors.append(FieldError.too_many(f"{path}.{member}", len(names), MAX_HINTS))
            continue
        for i, name in enumerate(names):
            if name in names[:i]:
                errors.append(FieldError.duplicate(f"{path}.{member}[{i}].name", name))
            complain(errors, f"{path}.{member}[{i}].name", name, check(name))


def _domain(name: str, path: str, errors: Errors) -> None:
    """IsFullyQualifiedDomainName."""
    complaints = words.bad_subdomain(name)
    if not name:
        errors.append(FieldError.required(path))
    elif complaints:
        errors.append(FieldError.invalid(path, name, ",".join(complaints)))
    elif "." not in name:
        errors.append(FieldError.invalid(path, name, "should be a domain with at least two segments separated by dots"))


def endpoint_slice_update(new: Object, old: Object, errors: Errors) -> None:
    endpoint_slice(new, errors)
    if new.get("addressType") != old.get("addressType"):
        errors.append(FieldError.invalid("addressType", new.get("addressType"), words.IMMUTABLE))
