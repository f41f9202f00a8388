"""What only Windows Pods have: their security options, and host process containers (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain

Object = Mapping[str, Any]

MAX_CREDENTIAL_SPEC_KIB, MAX_DOMAIN, MAX_USER = 64, 256, 104  # maxGMSACredentialSpecLengthInKiB, maxRunAsUserNameDomainLength, ...UserLength
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NETBIOS = re.compile(r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}\Z")
DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
DNS = re.compile(rf"{DNS_LABEL}(?:\.{DNS_LABEL})*\Z")
DOTS_OR_SPACES = re.compile(r"[. ]+\Z")
NOT_IN_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def containers_with_paths(spec: Object, path: str) -> Iterator[tuple[Object, str]]:
    """Each container of a Pod spec with its path, in the order of VisitContainersWithPath."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for i, container in enumerate(spec.get(member) or ()):
            yield container, f"{path}.{member}[{i}]"


def validate_windows_options(options: Object | None, path: str, errors: Errors) -> None:
    """validateWindowsSecurityContextOptions."""
    if options is None:
        return
    if (name := options.get("gmsaCredentialSpecName")) is not None:
        complain(errors, f"{path}.gmsaCredentialSpecName", name, words.bad_subdomain(name))
    if (held := options.get("gmsaCredentialSpec")) is not None:
        if not held:
            errors.append(FieldError.invalid(f"{path}.gmsaCredentialSpec", held, "gmsaCredentialSpec cannot be an empty string"))
        elif len(held.encode()) > MAX_CREDENTIAL_SPEC_KIB * 1024:
            errors.append(FieldError.invalid(f"{path}.gmsaCredentialSpec", held,
                                             f"gmsaCredentialSpec size must be under {MAX_CREDENTIAL_SPEC_KIB} KiB"))
    if (user := options.get("runAsUserName")) is not None:
        complain(errors, f"{path}.runAsUserName", user, _bad_user(user))


def _bad_user(value: str) -> list[str]:
    """DOMAIN\\user, of which the domain may be left out."""
    parts = value.split("\\")
    if not value:
        return ["runAsUserName cannot be an empty string"]
    if CONTROL.search(value):
        return ["runAsUserName cannot contain control characters"]
    if len(parts) > 2:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, user = parts if len(parts) == 2 else (None, value)
    found: list[str] = []
    if domain is not None and len(domain) >= MAX_DOMAIN:
        found.append(f"runAsUserName's Domain length must be under {MAX_DOMAIN} characters")
    if domain is not None and not NETBIOS.match(domain) and not DNS.match(domain):
        found.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    if not user:
        found.append("runAsUserName's User cannot be empty")
    elif len(user) > MAX_USER:
        found.append(f"runAsUserName's User length must not be longer than {MAX_USER} characters")
    if DOTS_OR_SPACES.match(user):
        found.append("runAsUserName's User cannot contain only periods or spaces")
    if NOT_IN_USER.search(user):
        found.append('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
    return found


def validate_host_process(spec: Object, path: str, errors: Errors) -> None:
    """validateWindowsHostProcessPod: all containers or none, and only on the node's network."""
    pod = ((spec.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    count = chosen = 0
    for container, here in containers_with_paths(spec, path):
        count += 1
        own = ((container.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
        if pod is not None and own is not None and pod != own:
            errors.append(FieldError.invalid(f"{here}.securityContext.windowsOptions.hostProcess", own,
                                             f"pod hostProcess value must be identical if both are specified, was {str(pod).lower()}"))
        chosen += bool(pod if own is None else own)
    if chosen and chosen != count:
        errors.append(FieldError.invalid(path, "",
                                         "If pod contains any hostProcess containers then all containers must be HostProcess containers"))
    if chosen and not spec.get("hostNetwork"):
        errors.append(FieldError.invalid(f"{path}.hostNetwork", False,
                                         "hostNetwork must be true if pod contains any hostProcess containers"))
