"""Ingresses, ingress classes and network policies (pkg/apis/networking/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .containers import PROTOCOLS
from .metadata import Errors, complain, validate_label_selector
from .probes import validate_port_number_or_name

Object = Mapping[str, Any]

PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"]
NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def ingress(obj: Object, errors: Errors, is_new: bool | Any = True) -> None:
    spec = obj.get("spec") or {}
    annotation = (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        errors.append(FieldError.invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified"))
    if spec.get("defaultBackend") is not None:
        _backend(spec["defaultBackend"], "spec.defaultBackend", errors)
    for i, rule in enumerate(spec.get("rules") or ()):
        _rule(rule, f"spec.rules[{i}]", errors)
    for i, tls in enumerate(spec.get("tls") or ()):
        for j, host in enumerate(tls.get("hosts") or ()):
            complain(errors, f"spec.tls[{i}].hosts[{j}]", host,
                     words.bad_wildcard(host) if "*" in host else words.bad_subdomain(host))
        if name := tls.get("secretName"):
            complain(errors, f"spec.tls[{i}].secretName", name, words.bad_subdomain(name))
    if spec.get("ingressClassName") is not None:
        complain(errors, "spec.ingressClassName", spec["ingressClassName"], words.bad_subdomain(spec["ingressClassName"]))
        if annotation is not None and annotation != spec["ingressClassName"] and is_new is not False:
            errors.append(FieldError.invalid(f"annotations.{CLASS_ANNOTATION}", annotation,
                                             "must match `ingressClassName` when both are specified"))


def ingress_update(new: Object, old: Object, errors: Errors) -> None:
    ingress(new, errors, False)


def _rule(rule: Object, path: str, errors: Errors) -> None:
    if host := rule.get("host"):
        if words.address(host):
            errors.append(FieldError.invalid(f"{path}.host", host, "must be a DNS name, not an IP address"))
        complain(errors, f"{path}.host", host, words.bad_wildcard(host) if "*" in host else words.bad_subdomain(host))
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        errors.append(FieldError.required(f"{path}.http.paths"))
    for i, one in enumerate(http.get("paths") or ()):
        _path(one, f"{path}.http.paths[{i}]", errors)


def _path(one: Object, path: str, errors: Errors) -> None:
    kind, text = one.get("pathType"), one.get("path", "")
    if kind is None:
        errors.append(FieldError.required(f"{path}.pathType", "pathType must be specified"))
        return
    if kind in ("Exact", "Prefix"):
        if not text.startswith("/"):
            errors.append(FieldError.invalid(f"{path}.path", text, "must be an absolute path"))
        if text:
            for part in NOT_IN_PATHS:
                if part in text:
                    errors.append(FieldError.invalid(f"{path}.path", text, f"must not contain '{part}'"))
            for end in ("/..", "/."):
                if text.endswith(end):
                    errors.append(FieldError.invalid(f"{path}.path", text, f"cannot end with '{end}'"))
    elif kind == "ImplementationSpecific":
        if text and not text.startswith("/"):
            errors.append(FieldError.invalid(f"{path}.path", text, "must be an absolute path"))
    else:
        errors.append(FieldError.not_supported(f"{path}.pathType", kind, PATH_TYPES))
    _backend(one.get("backend") or {}, f"{path}.backend", errors)


def _backend(backend: Object, path: str, errors: Errors) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        errors.append(FieldError.invalid(path, "", "cannot set both resource and service backends"))
    elif resource is not None:
        _reference(resource, f"{path}.resource", errors)
    elif service is not None:
        name = service.get("name", "")
        if not name:
            errors.append(FieldError.required(f"{path}.service.name"))
        else:
            complain(errors, f"{path}.service.name", name, words.bad_label(name))
        port = service.get("port") or {}
        if port.get("name") and port.get("number"):
            errors.append(FieldError.invalid(path, "", "cannot set both port name & port number"))
        elif port.get("name"):
            complain(errors, f"{path}.service.port.name", port["name"], words.bad_port_name(port["name"]))
        elif port.get("number"):
            complain(errors, f"{path}.service.port.number", port["number"], words.bad_port(port["number"]))
        else:
            errors.append(FieldError.required(path, "port name or number is required"))
    else:
        errors.append(FieldError.invalid(path, "", "resource or service backend is required"))


def _reference(reference: Object, path: str, errors: Errors) -> None:
    """validateIngressTypedLocalObjectReference."""
    if reference.get("apiGroup") is not None:
        complain(errors, f"{path}.apiGroup", reference["apiGroup"], words.bad_subdomain(reference["apiGroup"]))
    for member in ("kind", "name"):
        if not reference.get(member):
            errors.append(FieldError.required(f"{path}.{member}", f"{member} is required"))
        else:
            complain(errors, f"{path}.{member}", reference[member], words.bad_path_segment(reference[member]))


def ingress_class(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    controller = spec.get("controller", "")
    if not controller:
        errors.append(FieldError.required("spec.controller"))
    else:
        if len(controller) > 250:
            errors.append(FieldError.too_long("spec.controller", 250))
        errors += (FieldError.invalid("spec.controller", *found) for found in words.bad_domain_prefixed_path(controller))
    if spec.get("parameters") is not None:
        _class_parameters(spec["parameters"], "spec.parameters", errors)


def _class_parameters(parameters: Object, path: str, errors: Errors) -> None:
    """validateIngressClassParametersReference."""
    _reference(parameters, path, errors)
    scope, namespace = parameters.get("scope", ""), parameters.get("namespace")
    if scope not in ("Cluster", "Namespace"):
        errors.append(FieldError.not_supported(f"{path}.scope", scope, ["Cluster", "Namespace"]))
    elif scope == "Cluster" and namespace is not None:
        errors.append(FieldError.forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'"))
    elif scope == "Namespace" and namespace is None:
        errors.append(FieldError.required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'"))
    elif scope == "Namespace":
        complain(errors, f"{path}.namespace", namespace, words.bad_label(str(namespace)))


def ingress_class_update(new: Object, old: Object, errors: Errors) -> None:
    ingress_class(new, errors)
    if new["spec"].get("controller") != old["spec"].get("controller"):
        errors.append(FieldError.invalid("spec.controller", new["spec"].get("controller"), words.IMMUTABLE))


def network_policy(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    validate_label_selector(spec.get("podSelector"), "spec.podSelector", errors)
    for member, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(member) or ()):
            path = f"spec.{member}[{i}]"
            for j, port in enumerate(rule.get("ports") or ()):
                _policy_port(port, f"{path}.ports[{j}]", errors)
            for j, peer in enumerate(rule.get(peers) or ()):
                _peer(peer, f"{path}.{peers}[{j}]", errors)
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        errors.append(FieldError.invalid("spec.policyTypes", types, "may not specify more than two policyTypes"))
        return
    for i, kind in enumerate(types):
        if kind not in ("Ingress", "Egress"):
            errors.append(FieldError.not_supported(f"spec.policyTypes[{i}]", kind, ["Ingress", "Egress"]))


def _policy_port(port: Object, path: str, errors: Errors) -> None:
    if port.get("protocol") not in (None, *PROTOCOLS):
        errors.append(FieldError.not_supported(f"{path}.protocol", port["protocol"], ["TCP", "UDP", "SCTP"]))
    number, end = port.get("port"), port.get("endPort")
    if number is not None:
        if end is not None and isinstance(number, str):
            errors.append(FieldError.invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric"))
        validate_port_number_or_name(number, f"{path}.port", errors)
        if end is not None and not isinstance(number, str):
            if end < number:
                errors.append(FieldError.invalid(f"{path}.endPort", end, "must be greater than or equal to `port`"))
            complain(errors, f"{path}.endPort", end, words.bad_port(end))
    elif end is not None:
        errors.append(FieldError.invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified"))


def _peer(peer: Object, path: str, errors: Errors) -> None:
    count = 0
    for member in ("podSelector", "namespaceSelector"):
        if peer.get(member) is not None:
            count += 1
            validate_label_selector(peer[member], f"{path}.{member}", errors)
    block = peer.get("ipBlock")
    if block is not None:
        _ip_block(block, f"{path}.ipBlock", errors)
        if count:
            errors.append(FieldError.forbidden(path, "may not specify both ipBlock and another peer"))
        count += 1
    if not count:
        errors.append(FieldError.required(path, "must specify a peer"))


def _ip_block(block: Object, path: str, errors: Errors) -> None:
    cidr = block.get("cidr", "")
    if not cidr:
        errors.append(FieldError.required(f"{path}.cidr"))
        return
    complaints = words.bad_cidr(cidr)
    complain(errors, f"{path}.cidr", cidr, complaints)
    whole = words.network(cidr)
    if whole is None:
        return
    for i, part in enumerate(block.get("except") or ()):
        complain(errors, f"{path}.except[{i}]", part, words.bad_cidr(part))
        inner = words.network(part)
        if inner is not None and (inner.network_address not in whole or whole.prefixlen >= inner.prefixlen):
            errors.append(FieldError.invalid(f"{path}.except[{i}]", part, "must be a strict subset of `cidr`"))
