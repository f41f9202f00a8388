"""Containers of all kinds: image, ports, environment, mounts, probes and hooks (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import FieldError
from . import words
from .environment import validate_env, validate_env_from
from .metadata import Errors, complain, repeated
from .paths import descending_path, no_backsteps
from .probes import validate_probes_and_hooks
from .resources import validate_requirements
from .security import validate_security_context

Object = Mapping[str, Any]

PROTOCOLS = ["SCTP", "TCP", "UDP"]
PULL_POLICIES = ["Always", "IfNotPresent", "Never"]
EPHEMERAL_BANNED = ("ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
                    "startupProbe", "lifecycle")  # in the order of the Go struct
MAX_RESTART_RULES, MAX_EXIT_CODES = 20, 255
RULES_NEED_POLICY = "must specify restartPolicy when restart rules are used"


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What a container's checks need to know of its Pod."""

    volumes: Mapping[str, Object]
    claims: tuple[str, ...]
    grace: int | None
    restart_policy: str
    host_users: bool


def validate_containers(containers: list[Object], facts: PodFacts, path: str, errors: Errors) -> None:
    if not containers:
        errors.append(FieldError.required(path))
        return
    names: set[str] = set()
    for i, container in enumerate(containers):
        here = f"{path}[{i}]"
        _validate_common(container, facts, here, errors)
        name = container.get("name", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        names.add(name)
        validate_probes_and_hooks(container, facts.grace, here, errors)
        if container.get("restartPolicy") is not None:
            _validate_restart_policy(container, here, errors)
        _validate_restart_rules(container, here, errors)
    _validate_host_ports(containers, path, errors)


def validate_init_containers(containers: list[Object], regular: list[Object], facts: PodFacts, path: str, errors: Errors) -> None:
    names = {container.get("name", "") for container in regular}
    for i, container in enumerate(containers):
        here = f"{path}[{i}]"
        _validate_common(container, facts, here, errors)
        if container.get("restartPolicy") is not None:
            _validate_restart_policy(container, here, errors)
            _validate_restart_rules(container, here, errors)
        elif container.get("restartPolicyRules"):
            errors.append(FieldError.required(f"{here}.restartPolicy", RULES_NEED_POLICY))
        name = container.get("name", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        elif name:
            names.add(name)
        _validate_host_ports([container], path, errors)
        if container.get("restartPolicy") == "Always":
            validate_probes_and_hooks(container, facts.grace, here, errors)
        else:
            for member in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if container.get(member) is not None:
                    errors.append(FieldError.forbidden(f"{here}.{member}",
                                                       "may not be set for init containers without restartPolicy=Always"))
            for j, rule in enumerate(container.get("resizePolicy") or ()):
                if rule.get("restartPolicy") == "RestartContainer":
                    errors.append(FieldError.invalid(f"{here}.resizePolicy[{j}].restartPolicy", "RestartContainer",
                                                     "must not be set to 'RestartContainer' for non-sidecar initContainers"))


def validate_ephemeral_containers(spec: Object, facts: PodFacts, path: str, errors: Errors) -> None:
    others = {container.get("name", "") for member in ("containers", "initContainers") for container in spec.get(member) or ()}
    names = set(others)
    for i, container in enumerate(spec.get("ephemeralContainers") or ()):
        here = f"{path}[{i}]"
        _validate_common(container, facts, here, errors)
        validate_image_spaces(container, here, errors)
        name = container.get("name", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            errors.append(FieldError.not_found(f"{here}.targetContainerName", target))
        for member in EPHEMERAL_BANNED:
            if container.get(member):
                errors.append(FieldError.forbidden(f"{here}.{member}", "cannot be set for an Ephemeral Container"))
        for j, mount in enumerate(container.get("volumeMounts") or ()):
            for member in ("subPath", "subPathExpr"):
                if mount.get(member):
                    errors.append(FieldError.forbidden(f"{here}.volumeMounts[{j}].{member}",
                                                       "cannot be set for an Ephemeral Container"))


def validate_image_spaces(container: Object, path: str, errors: Errors) -> None:
    """Only Pods refuse spaces around an image; templates take them (validateContainerOnlyForPod)."""
    image = container.get("image", "")
    if image != image.strip():
        errors.append(FieldError.invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))


def _validate_common(container: Object, facts: PodFacts, path: str, errors: Errors) -> None:
    name = container.get("name", "")
    if not name:
        errors.append(FieldError.required(f"{path}.name"))
    else:
        complain(errors, f"{path}.name", name, words.bad_label(name))
    if not container.get("image"):
        errors.append(FieldError.required(f"{path}.image"))
    policy = container.get("terminationMessagePolicy", "")
    if policy not in ("File", "FallbackToLogsOnError"):
        errors.append(FieldError.not_supported(f"{path}.terminationMessagePolicy", policy, ["File", "FallbackToLogsOnError"]))
    _validate_ports(container.get("ports") or [], f"{path}.ports", errors)
    validate_env(container.get("env") or [], f"{path}.env", errors)
    validate_env_from(container.get("envFrom") or [], f"{path}.envFrom", errors)
    _validate_mounts(container, facts, path, errors)
    if container.get("volumeDevices"):
        _validate_devices(container, facts, f"{path}.volumeDevices", errors)
    policy = container.get("imagePullPolicy", "")
    if policy not in PULL_POLICIES:
        errors.append(FieldError.not_supported(f"{path}.imagePullPolicy", policy, PULL_POLICIES))
    if resources := container.get("resources"):
        validate_requirements(resources, f"{path}.resources", errors, facts.claims)
    rules = container.get("resizePolicy") or ()
    for i, twice in enumerate(repeated(rule.get("resourceName") for rule in rules) if rules else ()):
        _validate_resize_rule(rules[i], i, twice, facts, f"{path}.resizePolicy", errors)
    if context := container.get("securityContext"):
        validate_security_context(context, f"{path}.securityContext", facts.host_users, errors)


def _validate_resize_rule(rule: Object, i: int, twice: bool, facts: PodFacts, path: str, errors: Errors) -> None:
    name, policy = rule.get("resourceName", ""), rule.get("restartPolicy", "")
    if twice:
        errors.append(FieldError.duplicate(f"{path}[{i}]", name))
    if not name:
        errors.append(FieldError.required(path))
    elif name not in ("cpu", "memory"):
        errors.append(FieldError.not_supported(path, name, ["cpu", "memory"]))
    if not policy:
        errors.append(FieldError.required(path))
    elif policy not in ("NotRequired", "RestartContainer"):
        errors.append(FieldError.not_supported(path, policy, ["NotRequired", "RestartContainer"]))
    if facts.restart_policy == "Never" and policy != "NotRequired":
        errors.append(FieldError.invalid(path, policy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))


def _validate_restart_policy(container: Object, path: str, errors: Errors) -> None:
    if container["restartPolicy"] not in ("Always", "Never", "OnFailure"):
        errors.append(FieldError.not_supported(f"{path}.restartPolicy", container["restartPolicy"],
                                               ["Always", "Never", "OnFailure"]))


def _validate_restart_rules(container: Object, path: str, errors: Errors) -> None:
    rules = container.get("restartPolicyRules") or ()
    if rules and container.get("restartPolicy") is None:
        errors.append(FieldError.required(f"{path}.restartPolicy", RULES_NEED_POLICY))
    if len(rules) > MAX_RESTART_RULES:
        errors.append(FieldError.too_many(f"{path}.restartPolicyRules", len(rules), MAX_RESTART_RULES))
    for i, rule in enumerate(rules):
        here = f"{path}.restartPolicyRules[{i}]"
        if rule.get("action") not in ("Restart", "RestartAllContainers"):
            errors.append(FieldError.not_supported(f"{here}.action", rule.get("action", ""), ["Restart", "RestartAllContainers"]))
        codes = rule.get("exitCodes")
        if codes is None:
            errors.append(FieldError.required(f"{here}.exitCodes", "must be specified"))
            continue
        if codes.get("operator") not in ("In", "NotIn"):
            errors.append(FieldError.not_supported(f"{here}.exitCodes.operator", codes.get("operator", ""), ["In", "NotIn"]))
        if len(codes.get("values") or ()) > MAX_EXIT_CODES:
            errors.append(FieldError.too_many(f"{here}.exitCodes.values", len(codes["values"]), MAX_EXIT_CODES))


# --- ports -----------------------------------------------------------------------------------------------------------


def _validate_ports(ports: list[Object], path: str, errors: Errors) -> None:
    names: set[str] = set()
    for i, port in enumerate(ports):
        here, name = f"{path}[{i}]", port.get("name", "")
        if name:
            complaints = words.bad_port_name(name)
            complain(errors, f"{here}.name", name, complaints)
            if not complaints and name in names:
                errors.append(FieldError.duplicate(f"{here}.name", name))
            names.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            errors.append(FieldError.required(f"{here}.containerPort"))
        else:
            complain(errors, f"{here}.containerPort", number, words.bad_port(number))
        if port.get("hostPort"):
            complain(errors, f"{here}.hostPort", port["hostPort"], words.bad_port(port["hostPort"]))
        if port.get("protocol") not in PROTOCOLS:
            errors.append(FieldError.not_supported(f"{here}.protocol", port.get("protocol", ""), PROTOCOLS))


def _validate_host_ports(containers: list[Object], path: str, errors: Errors) -> None:
    taken: set[str] = set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if key in taken:
                    errors.append(FieldError.duplicate(f"{path}[{i}].ports[{j}].hostPort", key))
                taken.add(key)


# --- mounts --------------------------------------------------------------------------------------------------------


def _validate_mounts(container: Object, facts: PodFacts, path: str, errors: Errors) -> None:
    devices = {device.get("name"): device.get("devicePath") for device in container.get("volumeDevices") or ()}
    points: set[str] = set()
    base = f"{path}.volumeMounts"
    for i, mount in enumerate(container.get("volumeMounts") or ()):
        here, name, point = f"{base}[{i}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        if name not in facts.volumes:
            errors.append(FieldError.not_found(f"{here}.name", name))
        if not point:
            errors.append(FieldError.required(f"{here}.mountPath"))
        if point in points:
            errors.append(FieldError.invalid(f"{here}.mountPath", point, "must be unique"))
        points.add(point)
        if name in devices:
            errors.append(FieldError.invalid(f"{here}.name", name, "must not already exist in volumeDevices"))
        if point in devices.values():
            errors.append(FieldError.invalid(f"{here}.mountPath", point, "must not already exist as a path in volumeDevices"))
        if mount.get("subPath"):
            descending_path(mount["subPath"], f"{base}.subPath", errors)
        if mount.get("subPathExpr"):
            if mount.get("subPath"):
                errors.append(FieldError.invalid(f"{here}.subPathExpr", mount["subPathExpr"],
                                                 "subPathExpr and subPath are mutually exclusive"))
            descending_path(mount["subPathExpr"], f"{base}.subPathExpr", errors)
        if mount.get("mountPropagation") is not None:
            _validate_propagation(mount, container, f"{base}.mountPropagation", errors)
        if mount.get("recursiveReadOnly") is not None:
            _validate_recursive(mount, f"{base}.recursiveReadOnly", errors)


def _validate_propagation(mount: Object, container: Object, path: str, errors: Errors) -> None:
    mode, modes = mount["mountPropagation"], ["Bidirectional", "HostToContainer", "None"]
    if mode not in modes:
        errors.append(FieldError.not_supported(path, mode, modes))
    if mode == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        errors.append(FieldError.forbidden(path, "Bidirectional mount propagation is available only to privileged containers"))


def _validate_recursive(mount: Object, path: str, errors: Errors) -> None:
    mode, modes = mount["recursiveReadOnly"], ["Disabled", "Enabled", "IfPossible"]
    if mode not in modes:
        errors.append(FieldError.not_supported(path, mode, modes))
    elif mode != "Disabled":
        if not mount.get("readOnly"):
            errors.append(FieldError.forbidden(path, "may only be specified when readOnly is true"))
        if mount.get("mountPropagation") not in (None, "None"):
            errors.append(FieldError.forbidden(path, "may only be specified when mountPropagation is None or not specified"))


def _validate_devices(container: Object, facts: PodFacts, path: str, errors: Errors) -> None:
    mounts = {mount.get("name"): mount.get("mountPath") for mount in container.get("volumeMounts") or ()}
    names: set[str] = set()
    paths: set[str] = set()
    for i, device in enumerate(container["volumeDevices"]):
        here, name, point = f"{path}[{i}]", device.get("name", ""), device.get("devicePath", "")
        volume = facts.volumes.get(name)
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        if name in names:
            errors.append(FieldError.invalid(f"{here}.name", name, "must be unique"))
        if volume is None:
            errors.append(FieldError.not_found(f"{here}.name", name))
        elif "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            errors.append(FieldError.invalid(f"{here}.name", name,
                                             "can only use volume source type of PersistentVolumeClaim or Ephemeral "
                                             "for block mode"))
        if not point:
            errors.append(FieldError.required(f"{here}.devicePath"))
        if point in paths:
            errors.append(FieldError.invalid(f"{here}.devicePath", point, "must be unique"))
        backsteps: Errors = []
        no_backsteps(point, path, backsteps)
        if backsteps:
            errors.append(FieldError.invalid(f"{here}.devicePath", point, "can not contain backsteps ('..')"))
        else:
            paths.add(point)
        if name in mounts:
            errors.append(FieldError.invalid(f"{here}.name", name, "must not already exist in volumeMounts"))
        if point in mounts.values():
            errors.append(FieldError.invalid(f"{here}.devicePath", point, "must not already exist as a path in volumeMounts"))
        if name:
            names.add(name)
