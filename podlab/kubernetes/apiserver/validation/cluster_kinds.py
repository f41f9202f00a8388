"""Certificate requests, addresses and their ranges, and aggregated APIs.

Sources: pkg/apis/{certificates,networking}/validation and kube-aggregator's pkg/apis/apiregistration/validation.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any

from ...runtime import x509
from ..errors import FieldError
from . import words
from .expressions import one_of
from .metadata import Errors, NameCheck, complain, repeated

Object = Mapping[str, Any]

USAGES = sorted(("signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment", "cert sign",
                 "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing", "email protection", "s/mime",
                 "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing", "microsoft sgc", "netscape sgc"))
LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
LONGEST_SIGNER = 253 + 1 + 253 + 63 + 1  # maxSignerNameLength


# --- certificates --------------------------------------------------------------------------------------------------


def certificate_signing_request(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    usages = spec.get("usages") or []
    blocks = x509.blocks(base64.b64decode(spec.get("request") or "").decode("ascii", "replace"))
    if not blocks or blocks[0][0] != "CERTIFICATE REQUEST":
        errors.append(FieldError.invalid("spec.request", spec.get("request"), "PEM block type must be CERTIFICATE REQUEST"))
    if not usages:
        errors.append(FieldError.required("spec.usages"))
    for i, usage in enumerate(usages):
        one_of(usage, f"spec.usages[{i}]", USAGES, errors)
    errors += (FieldError.duplicate(f"spec.usages[{i}]", usages[i]) for i, twice in enumerate(repeated(usages)) if twice)
    if spec.get("signerName") == LEGACY_SIGNER:
        errors.append(FieldError.invalid("spec.signerName", LEGACY_SIGNER, "the legacy signerName is not allowed via this API version"))
    else:
        _signer_name(spec.get("signerName", ""), "spec.signerName", errors)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        errors.append(FieldError.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))


def _signer_name(name: str, path: str, errors: Errors) -> None:
    """ValidateSignerName (pkg/apis/core/validation/validation.go)."""
    domain, slash, rest = name.partition("/")
    if not name:
        errors.append(FieldError.required(path))
        return
    if not slash or "/" in rest:
        errors.append(FieldError.invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
        return
    if len(domain) > 253:
        errors.append(FieldError.too_long(path, 253))
    _labels(domain, path, words.bad_label, errors)
    if "." not in domain:
        errors.append(FieldError.invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    _labels(rest, path, words.bad_subdomain, errors)
    if len(name) > LONGEST_SIGNER:
        errors.append(FieldError.too_long(path, LONGEST_SIGNER))


def _labels(text: str, path: str, bad: NameCheck, errors: Errors) -> None:
    """The first label that is none is told of."""
    for label in text.split("."):
        if complaints := bad(label):
            complain(errors, path, text, [f'validating label "{label}": {complaint}' for complaint in complaints])
            return


# --- networking ----------------------------------------------------------------------------------------------------


def bad_address_name(name: str) -> words.Complaints:
    """ValidateIPAddressName: the address itself, as Go's net/netip reads and writes it."""
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return (f'ParseAddr("{name}"): {_not_parsed(name)}',)
    return () if str(found) == name else ("must be a canonical format IP address",)


def _not_parsed(text: str) -> str:
    """What netip.ParseAddr finds wrong with what is to be an IPv4 address."""
    parts = text.split(".")
    if ":" in text or len(parts) == 1:
        return "unable to parse IP" if ":" not in text else "each colon-separated field must have at least one digit"
    for part in parts:
        if not part.isdecimal():
            return "unexpected character" if part else "IPv4 field must have at least one digit"
        if len(part) > 1 and part.startswith("0"):
            return "IPv4 field has octet with leading zero"
        if int(part) > 255:
            return "IPv4 field has value >255"
    return "IPv4 address too short" if len(parts) < 4 else "IPv4 address too long"


def ip_address(obj: Object, errors: Errors, _: Any = None) -> None:
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        errors.append(FieldError.required("spec.parentRef"))
        return
    if group := parent.get("group"):
        complain(errors, "spec.parentRef.group", group, words.bad_subdomain(group))
    for member in ("resource", "name", "namespace"):
        if value := parent.get(member):
            complain(errors, f"spec.parentRef.{member}", value, words.bad_path_segment(value))
        elif member != "namespace":
            errors.append(FieldError.required(f"spec.parentRef.{member}"))


def ip_address_update(new: Object, old: Object, errors: Errors) -> None:
    before, after = ((obj.get("spec") or {}).get("parentRef") for obj in (old, new))
    if after != before:
        shown = after and {go: after.get(go.lower(), "") for go in ("Group", "Resource", "Namespace", "Name")}
        errors.append(FieldError.invalid("spec.parentRef", shown, words.IMMUTABLE))


def service_cidr(obj: Object, errors: Errors, _: Any = None) -> None:
    cidrs = (obj.get("spec") or {}).get("cidrs") or []
    families = {":" in text for text in cidrs if words.network(text)}
    if not cidrs:
        errors.append(FieldError.required("spec.cidrs", "at least one CIDR required"))
    elif len(cidrs) > 2:
        errors.append(FieldError.invalid("spec.cidrs", {"CIDRs": cidrs}, "may only hold up to 2 values"))
    elif len(cidrs) == 2 and len(families) != 2:
        errors.append(FieldError.invalid("spec.cidrs", {"CIDRs": cidrs},
                                         "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96"))
    else:
        for i, text in enumerate(cidrs):
            complain(errors, f"spec.cidrs[{i}]", text, words.bad_cidr(text))


def service_cidr_update(new: Object, old: Object, errors: Errors) -> None:
    """A second family may be added to one, but what is there stays (ValidateServiceCIDRUpdate)."""
    before, after = ((obj.get("spec") or {}).get("cidrs") or [] for obj in (old, new))
    if len(before) == len(after) or (len(before), len(after)) == (1, 2):
        errors += (FieldError.invalid(f"spec.cidrs[{i}]", after[i], words.IMMUTABLE) for i, cidr in enumerate(before) if after[i] != cidr)
    else:
        errors.append(FieldError.invalid("spec.cidrs", after, words.IMMUTABLE))


# --- the aggregator ------------------------------------------------------------------------------------------------


def api_service(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateAPIService; its name is its version and its group."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
    version, group, service = spec.get("version", ""), spec.get("group", ""), spec.get("service")
    if name and name != f"{version}.{group}" and not words.bad_path_segment(name):
        errors.append(FieldError.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{version}.{group}"'))
    if not group and version != "v1":
        errors.append(FieldError.required("spec.group", "only v1 may have an empty group and it better be legacy kube"))
    if group:
        complain(errors, "spec.group", group, words.bad_subdomain(group))
    complain(errors, "spec.version", version, words.bad_dns1035_label(version))
    for member, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if not 0 < spec.get(member, 0) <= most:
            errors.append(FieldError.invalid(f"spec.{member}", spec.get(member, 0), f"must be positive and less than {most}"))
    insecure, bundle = spec.get("insecureSkipTLSVerify"), base64.b64decode(spec.get("caBundle") or "")
    if service is None:
        if bundle:
            errors.append(FieldError.invalid("spec.caBundle", f"{len(bundle)} bytes", "local APIServices may not have a caBundle"))
        if insecure:
            errors.append(FieldError.invalid("spec.insecureSkipTLSVerify", True, "local APIServices may not have insecureSkipTLSVerify"))
        return
    for member in ("namespace", "name"):
        if not service.get(member):
            errors.append(FieldError.required(f"spec.service.{member}"))
    if complaints := words.bad_port(service.get("port", 443)):
        errors.append(FieldError.invalid("spec.service.port", service["port"], "port is not valid: " + ",".join(complaints)))
    if insecure and bundle:
        errors.append(FieldError.invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present"))
