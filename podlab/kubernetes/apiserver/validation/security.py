"""Security contexts of Pods and containers (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .internal import IN_CONTEXT, internal
from .metadata import Errors, complain
from .paths import descending_path
from .windows import containers_with_paths, validate_windows_options

Object = Mapping[str, Any]

PROFILES = ["Localhost", "RuntimeDefault", "Unconfined"]
SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL = rf"^({SYSCTL_SEGMENT}[\./])*{SYSCTL_SEGMENT}$"
NOT_FOR_WINDOWS = "cannot be set for a windows pod"
MAX_PROFILE = 4095  # maxLocalhostProfileLength, PATH_MAX less one
# What a Pod for Windows may not have, in the server's order; those of the spec it keeps in the security context
UNIX_ONLY = ("appArmorProfile", "seLinuxOptions", "hostUsers", "hostPID", "hostIPC", "seccompProfile", "fsGroup", "fsGroupChangePolicy",
             "sysctls", "shareProcessNamespace", "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
             "seLinuxChangePolicy")
UNIX_ONLY_CONTAINER = ("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
                       "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup")


def validate_security_context(context: Object, path: str, host_users: bool, errors: Errors) -> None:
    """ValidateSecurityContext, of a container."""
    for member in ("runAsUser", "runAsGroup"):
        if context.get(member) is not None:
            complain(errors, f"{path}.{member}", context[member], words.bad_id(context[member]))
    if (mount := context.get("procMount")) is not None:
        if mount not in ("Default", "Unmasked"):
            errors.append(FieldError.not_supported(f"{path}.procMount", mount, ["Default", "Unmasked"]))
        if host_users and mount == "Unmasked":
            errors.append(FieldError.invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile", errors)
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            errors.append(FieldError.invalid(path, _internal(context),
                                             "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            errors.append(FieldError.invalid(path, _internal(context),
                                             "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                                             "CAP_SYS_ADMIN"))
    validate_windows_options(context.get("windowsOptions"), f"{path}.windowsOptions", errors)
    _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile", errors)


def _internal(context: Object) -> Any:
    """The value as the server shows it: its own struct's fields, all of them."""
    return internal("SecurityContext", context)


def validate_pod_security_context(spec: Object, path: str, errors: Errors) -> None:
    """validatePodSpecSecurityContext. The server keeps the host* and share* fields of the spec in its security context."""
    context = spec.get("securityContext") or {}
    for member in ("fsGroup", "runAsUser", "runAsGroup"):
        if context.get(member) is not None:
            complain(errors, f"{path}.{member}", context[member], words.bad_id(context[member]))
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        complain(errors, f"{path}.supplementalGroups[{i}]", group, words.bad_id(group))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        errors.append(FieldError.invalid(f"{path}.shareProcessNamespace", True,
                                         "ShareProcessNamespace and HostPID cannot both be enabled"))
    names: set[str] = set()
    for i, sysctl in enumerate(context.get("sysctls") or ()):
        _sysctl(sysctl.get("name", ""), spec, names, f"{path}.sysctls[{i}].name", errors)
    if context.get("fsGroupChangePolicy") not in (None, "Always", "OnRootMismatch"):
        errors.append(FieldError.not_supported(f"{path}.fsGroupChangePolicy", context["fsGroupChangePolicy"],
                                               ["Always", "OnRootMismatch"]))
    _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile", errors)
    validate_windows_options(context.get("windowsOptions"), f"{path}.windowsOptions", errors)
    _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile", errors)
    if context.get("supplementalGroupsPolicy") not in (None, "Merge", "Strict"):
        errors.append(FieldError.not_supported(f"{path}.supplementalGroupsPolicy", context["supplementalGroupsPolicy"],
                                               ["Merge", "Strict"]))
    if context.get("seLinuxChangePolicy") not in (None, "MountOption", "Recursive"):
        errors.append(FieldError.not_supported(f"{path}.seLinuxChangePolicy", context["seLinuxChangePolicy"],
                                               ["MountOption", "Recursive"]))


def _sysctl(name: str, spec: Object, seen: set[str], path: str, errors: Errors) -> None:
    if not name:
        errors.append(FieldError.required(path))
    elif len(name) > 253 or not re.match(SYSCTL, name):
        errors.append(FieldError.invalid(path, name, f"must have at most 253 characters and match regex {SYSCTL}"))
    elif name in seen:
        errors.append(FieldError.duplicate(path, name))
    seen.add(name)
    dotted = name.replace("/", ".")
    if spec.get("hostNetwork") and dotted.startswith("net."):
        errors.append(FieldError.invalid(path, name, "may not be specified when 'hostNetwork' is true"))
    elif spec.get("hostIPC") and dotted.startswith(("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")):
        errors.append(FieldError.invalid(path, name, "may not be specified when 'hostIPC' is true"))


def _seccomp(profile: Object | None, path: str, errors: Errors) -> None:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        errors.append(FieldError.required(f"{path}.type", "type is required when seccompProfile is set"))
    elif kind not in PROFILES:
        errors.append(FieldError.not_supported(f"{path}.type", kind, PROFILES))
    if kind == "Localhost":
        if local is None:
            errors.append(FieldError.required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost"))
        else:
            descending_path(local, f"{path}.localhostProfile", errors)
    elif local is not None:
        errors.append(FieldError.invalid(f"{path}.localhostProfile", {"Type": kind, "LocalhostProfile": local},
                                         "can only be set when seccomp type is Localhost"))


def _app_armor(profile: Object | None, path: str, errors: Errors) -> None:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if kind == "Localhost":
        if local is not None and local != local.strip():
            errors.append(FieldError.invalid(f"{path}.localhostProfile", local, "must not be padded with whitespace"))
        elif not local:
            errors.append(FieldError.required(f"{path}.localhostProfile", "must be set when AppArmor type is Localhost"))
        if local and len(local.encode()) > MAX_PROFILE:
            errors.append(FieldError.too_long(f"{path}.localhostProfile", MAX_PROFILE))
    elif kind in PROFILES:
        if local is not None:
            errors.append(FieldError.invalid(f"{path}.localhostProfile", local,
                                             "can only be set when AppArmor type is Localhost"))
    elif not kind:
        errors.append(FieldError.required(f"{path}.type", "type is required when appArmorProfile is set"))
    else:
        errors.append(FieldError.not_supported(f"{path}.type", kind, PROFILES))


def validate_host_users(spec: Object, path: str, errors: Errors) -> None:
    if spec.get("hostUsers") is False:
        for member, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
            if spec.get(member):
                errors.append(FieldError.forbidden(f"{path}.{shown}", "when `hostUsers` is false"))
        for container, here in containers_with_paths(spec, path):
            if container.get("volumeDevices"):
                errors.append(FieldError.forbidden(f"{here}.volumeDevices", "when `hostUsers` is false"))


def validate_os(spec: Object, path: str, errors: Errors) -> None:
    """The fields that a Pod of one operating system may not have (validateOS, validateLinux, validateWindows)."""
    system = spec.get("os")
    if system is None:
        return
    name = system.get("name", "")
    if not name:
        errors.append(FieldError.required(f"{path}.os.name"))
    elif name not in ("linux", "windows"):
        errors.append(FieldError.not_supported(f"{path}.os", name, ["linux", "windows"]))
    elif name == "linux":
        _refuse(spec, path, ("windowsOptions",), ("windowsOptions",), "windows options cannot be set for a linux pod", errors)
    else:
        _refuse(spec, path, UNIX_ONLY, UNIX_ONLY_CONTAINER, NOT_FOR_WINDOWS, errors)


def _refuse(spec: Object, path: str, pod: tuple[str, ...], container: tuple[str, ...], why: str, errors: Errors) -> None:
    for member in pod:
        if member in IN_CONTEXT:
            if spec.get(member) is not None and (spec[member] or member not in ("hostPID", "hostIPC")):  # plain booleans: false is unset
                errors.append(FieldError.forbidden(f"{path}.{member}", why))
        elif (value := (spec.get("securityContext") or {}).get(member)) is not None and (value or member != "sysctls"):
            errors.append(FieldError.forbidden(f"{path}.securityContext.{member}", why))
    for one, here in containers_with_paths(spec, path):
        for member in container:
            if (one.get("securityContext") or {}).get(member) is not None:
                errors.append(FieldError.forbidden(f"{here}.securityContext.{member}", why))
