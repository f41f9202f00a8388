"""Containers of all kinds: image, ports, environment, mounts, probes and hooks (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .metadata import Errors, complain, non_negative
from .resources import validate_requirements
from .security import validate_security_context
from .volumes import descending_path, no_backsteps

Object = Mapping[str, Any]

PROTOCOLS = ["SCTP", "TCP", "UDP"]
PULL_POLICIES = ["Always", "IfNotPresent", "Never"]
ENV_FIELDS = ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
              "status.hostIPs", "status.podIP", "status.podIPs"]
VOLUME_FIELDS = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"]
RESOURCE_FIELDS = ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
                   "requests.memory"]
# ConvertDownwardAPIFieldLabel: the paths that the server knows at all
DOWNWARD_FIELDS = frozenset({*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase",
                             "status.nominatedNodeName"})
SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
ONE_HANDLER = "may not specify more than 1 handler type"
EPHEMERAL_BANNED = ("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy",
                    "restartPolicy", "restartPolicyRules")


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What a container's checks need to know of its Pod."""

    volumes: Mapping[str, Object]
    claims: tuple[str, ...]
    grace: int | None
    restart_policy: str
    host_users: bool
    is_pod: bool  # a Pod, not a template


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
        _validate_probes_and_hooks(container, facts, here, errors)
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
        name = container.get("name", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        elif name:
            names.add(name)
        _validate_host_ports([container], path, errors)
        if container.get("restartPolicy") == "Always":
            _validate_probes_and_hooks(container, facts, here, errors)
        else:
            for member in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if container.get(member) is not None:
                    errors.append(FieldError.forbidden(f"{here}.{member}",
                                                       "may not be set for init containers without restartPolicy=Always"))


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
    _validate_env(container.get("env") or [], f"{path}.env", errors)
    _validate_env_from(container.get("envFrom") or [], f"{path}.envFrom", errors)
    _validate_mounts(container, facts, path, errors)
    if container.get("volumeDevices"):
        _validate_devices(container, facts, f"{path}.volumeDevices", errors)
    policy = container.get("imagePullPolicy", "")
    if policy not in PULL_POLICIES:
        errors.append(FieldError.not_supported(f"{path}.imagePullPolicy", policy, PULL_POLICIES))
    if resources := container.get("resources"):
        validate_requirements(resources, f"{path}.resources", errors, facts.claims)
    for i, rule in enumerate(container.get("resizePolicy") or ()):
        _validate_resize_rule(rule, i, container["resizePolicy"], facts, f"{path}.resizePolicy", errors)
    if context := container.get("securityContext"):
        validate_security_context(context, f"{path}.securityContext", facts.host_users, errors)


def _validate_resize_rule(rule: Object, i: int, rules: list[Object], facts: PodFacts, path: str, errors: Errors) -> None:
    name, policy = rule.get("resourceName", ""), rule.get("restartPolicy", "")
    if any(other.get("resourceName") == name for other in rules[:i]):
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
        errors.append(FieldError.invalid(path, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'"))


def _validate_restart_policy(container: Object, path: str, errors: Errors) -> None:
    if container["restartPolicy"] not in ("Always", "Never", "OnFailure"):
        errors.append(FieldError.not_supported(f"{path}.restartPolicy", container["restartPolicy"],
                                               ["Always", "Never", "OnFailure"]))


def _validate_restart_rules(container: Object, path: str, errors: Errors) -> None:
    rules = container.get("restartPolicyRules") or ()
    if rules and container.get("restartPolicy") is None:
        errors.append(FieldError.required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    for i, rule in enumerate(rules):
        here = f"{path}.restartPolicyRules[{i}]"
        if rule.get("action") not in ("Restart", "RestartAllContainers"):
            errors.append(FieldError.not_supported(f"{here}.action", rule.get("action", ""), ["Restart", "RestartAllContainers"]))
        codes = rule.get("exitCodes")
        if codes is None:
            errors.append(FieldError.required(f"{here}.exitCodes", "must be specified"))
        elif codes.get("operator") not in ("In", "NotIn"):
            errors.append(FieldError.not_supported(f"{here}.exitCodes.operator", codes.get("operator", ""), ["In", "NotIn"]))


# --- ports and environment -----------------------------------------------------------------------------------------


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


def _validate_env(variables: list[Object], path: str, errors: Errors) -> None:
    for i, variable in enumerate(variables):
        here, name = f"{path}[{i}]", variable.get("name", "")
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        else:
            complain(errors, f"{here}.name", name, words.bad_env_name(name))
        if variable.get("valueFrom") is not None:
            _validate_env_source(variable, f"{here}.valueFrom", errors)


def _validate_env_source(variable: Object, path: str, errors: Errors) -> None:
    source, count = variable["valueFrom"], 0
    if (reference := source.get("fieldRef")) is not None:
        count += 1
        validate_field_reference(reference, ENV_FIELDS, f"{path}.fieldRef", errors)
    if (reference := source.get("resourceFieldRef")) is not None:
        count += 1
        validate_resource_reference(reference, f"{path}.resourceFieldRef", False, errors)
    for member in ("configMapKeyRef", "secretKeyRef"):
        if (reference := source.get(member)) is not None:
            count += 1
            _validate_key_reference(reference, f"{path}.{member}", errors)
    if (reference := source.get("fileKeyRef")) is not None:
        count += 1
        for member in ("volumeName", "path", "key"):
            if not reference.get(member):
                errors.append(FieldError.required(f"{path}.fileKeyRef.{member}"))
    if not count:
        errors.append(FieldError.invalid(
            path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"))
    elif variable.get("value"):
        errors.append(FieldError.invalid(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        errors.append(FieldError.invalid(path, "", "may not have more than one field specified at a time"))


def validate_field_reference(reference: Object, allowed: list[str], path: str, errors: Errors) -> None:
    """validateObjectFieldSelector: downward API paths, such as metadata.labels['app']."""
    field = reference.get("fieldPath", "")
    if not reference.get("apiVersion"):
        errors.append(FieldError.required(f"{path}.apiVersion"))
        return
    if not field:
        errors.append(FieldError.required(f"{path}.fieldPath"))
        return
    base, bracket, rest = field.partition("['")
    subscripted = bool(bracket) and rest.endswith("']")
    if reference["apiVersion"] != "v1":
        errors.append(FieldError.invalid(f"{path}.fieldPath", field,
                                         f"error converting fieldPath: unsupported pod version: {reference['apiVersion']}"))
    elif subscripted:
        key = rest[:-2]
        if base in ("metadata.annotations", "metadata.labels"):
            complain(errors, path, key, words.bad_qualified_name(key.lower() if base.endswith("annotations") else key))
        else:
            errors.append(FieldError.invalid(f"{path}.fieldPath", field,
                                             "error converting fieldPath: field label does not support subscript"))
    elif field not in DOWNWARD_FIELDS:
        errors.append(FieldError.invalid(f"{path}.fieldPath", field,
                                         f"error converting fieldPath: field label not supported: {field}"))
    elif field not in allowed:
        errors.append(FieldError.not_supported(f"{path}.fieldPath", field, allowed))


def validate_resource_reference(reference: Object, path: str, in_volume: bool, errors: Errors) -> None:
    """validateContainerResourceFieldSelector."""
    name = reference.get("resource", "")
    huge = name.startswith(("requests.hugepages-", "limits.hugepages-"))
    if in_volume and not reference.get("containerName"):
        errors.append(FieldError.required(f"{path}.containerName"))
    elif not name:
        errors.append(FieldError.required(f"{path}.resource"))
    elif name not in RESOURCE_FIELDS and not huge:
        errors.append(FieldError.not_supported(f"{path}.resource", name, RESOURCE_FIELDS))
    divisor = reference.get("divisor") or "0"
    if not quantity.parse(divisor):
        return
    kind = name.partition(".")[2]
    if kind == "cpu":
        if divisor not in ("1m", "1"):
            errors.append(FieldError.invalid(f"{path}.divisor", name,
                                             "only divisor's values 1m and 1 are supported with the cpu resource"))
    elif divisor not in SIZES and (kind in ("memory", "ephemeral-storage") or huge):
        shown = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(kind, "hugepages")
        errors.append(FieldError.invalid(f"{path}.divisor", name,
                                         "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, "
                                         f"1Pi, 1Ei are supported with the {shown} resource"))


def _validate_key_reference(reference: Object, path: str, errors: Errors) -> None:
    name, key = reference.get("name", ""), reference.get("key", "")
    complain(errors, f"{path}.name", name, words.bad_subdomain(name))
    if not key:
        errors.append(FieldError.required(f"{path}.key"))
    else:
        complain(errors, f"{path}.key", key, words.bad_config_key(key))


def _validate_env_from(sources: list[Object], path: str, errors: Errors) -> None:
    for i, source in enumerate(sources):
        here = f"{path}[{i}]"
        if prefix := source.get("prefix"):
            complain(errors, f"{here}.prefix", prefix, words.bad_env_name(prefix))
        count = 0
        for member in ("configMapRef", "secretRef"):
            if (reference := source.get(member)) is not None:
                count += 1
                name = reference.get("name", "")
                if not name:
                    errors.append(FieldError.required(f"{here}.{member}.name"))
                else:
                    complain(errors, f"{here}.{member}.name", name, words.bad_subdomain(name))
        if not count:
            errors.append(FieldError.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif count > 1:
            errors.append(FieldError.invalid(path, "", "may not have more than one field specified at a time"))


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
        if name in mounts:
            errors.append(FieldError.invalid(f"{here}.name", name, "must not already exist in volumeMounts"))
        if point in mounts.values():
            errors.append(FieldError.invalid(f"{here}.devicePath", point, "must not already exist as a path in volumeMounts"))
        names.add(name)
        paths.add(point)


# --- probes and hooks ----------------------------------------------------------------------------------------------


def _validate_probes_and_hooks(container: Object, facts: PodFacts, path: str, errors: Errors) -> None:
    lifecycle = container.get("lifecycle") or {}
    for member in ("postStart", "preStop"):
        if lifecycle.get(member) is not None:
            _validate_handler(lifecycle[member], ("exec", "httpGet", "tcpSocket", "sleep"), facts.grace,
                              f"{path}.lifecycle.{member}", errors)
    for member in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := container.get(member)) is not None:
            _validate_probe(probe, member, f"{path}.{member}", errors)


def _validate_probe(probe: Object, kind: str, path: str, errors: Errors) -> None:
    _validate_handler(probe, ("exec", "httpGet", "tcpSocket", "grpc"), None, path, errors)
    for member in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        non_negative(errors, f"{path}.{member}", probe.get(member))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        errors.append(FieldError.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    if kind == "readinessProbe":
        if grace is not None:
            errors.append(FieldError.invalid(f"{path}.terminationGracePeriodSeconds", grace,
                                             "must not be set for readinessProbes"))
    elif probe.get("successThreshold", 1) != 1:
        errors.append(FieldError.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))


def _validate_handler(handler: Object, allowed: tuple[str, ...], grace: int | None, path: str, errors: Errors) -> None:
    found = 0
    for member in allowed:
        action = handler.get(member)
        if action is None:
            continue
        here = f"{path}.{member}"
        if found:
            errors.append(FieldError.forbidden(here, ONE_HANDLER))
            continue
        found += 1
        if member == "exec" and not action.get("command"):
            errors.append(FieldError.required(f"{here}.command"))
        elif member == "httpGet":
            if not action.get("path"):
                errors.append(FieldError.required(f"{here}.path"))
            validate_port_number_or_name(action.get("port", 0), f"{here}.port", errors)
            if action.get("scheme") not in ("HTTP", "HTTPS"):
                errors.append(FieldError.not_supported(f"{here}.scheme", action.get("scheme", ""), ["HTTP", "HTTPS"]))
            for header in action.get("httpHeaders") or ():
                complain(errors, f"{here}.httpHeaders", header.get("name", ""), words.bad_header(header.get("name", "")))
        elif member in ("tcpSocket", "grpc"):
            validate_port_number_or_name(action.get("port", 0), f"{here}.port", errors)
        elif member == "sleep" and grace is not None and not 0 <= action.get("seconds", 0) <= grace:
            errors.append(FieldError.invalid(here, action.get("seconds", 0),
                                             f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"))
    if not found:
        errors.append(FieldError.required(path, "must specify a handler type"))


def validate_port_number_or_name(port: int | str, path: str, errors: Errors) -> None:
    """ValidatePortNumOrName."""
    complain(errors, path, port, words.bad_port_name(port) if isinstance(port, str) else words.bad_port(port))
