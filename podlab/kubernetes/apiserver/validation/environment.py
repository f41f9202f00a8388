"""A container's environment, and references to a Pod's own fields (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .metadata import Errors, complain
from .paths import no_backsteps

Object = Mapping[str, Any]

ENV_FIELDS = ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
              "status.hostIPs", "status.podIP", "status.podIPs"]
VOLUME_FIELDS = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"]
RESOURCE_FIELDS = ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
                   "requests.memory"]
# ConvertDownwardAPIFieldLabel: the paths that the server knows at all
DOWNWARD_FIELDS = frozenset({*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase",
                             "status.nominatedNodeName"})
SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")


def validate_env(variables: list[Object], path: str, errors: Errors) -> None:
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
        _validate_file_key(reference, f"{path}.fileKeyRef", errors)
    if not count:
        errors.append(FieldError.invalid(
            path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"))
    elif variable.get("value"):
        errors.append(FieldError.invalid(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        errors.append(FieldError.invalid(path, "", "may not have more than one field specified at a time"))


def _validate_file_key(reference: Object, path: str, errors: Errors) -> None:
    """validateFileKeySelector."""
    checks: tuple[tuple[str, Callable[[str], words.Complaints]], ...] = (("key", words.bad_env_name), ("volumeName", words.bad_label))
    for member, check in checks:
        if not reference.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
        else:
            complain(errors, f"{path}.{member}", reference[member], check(reference[member]))
    if not reference.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    else:
        no_backsteps(reference["path"], f"{path}.path", errors)


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
                                             f"error converting fieldPath: field label does not support subscript: {field}"))
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


def validate_env_from(sources: list[Object], path: str, errors: Errors) -> None:
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
