"""Volumes that the node makes: directories, API objects as files, the Pod's own claims, images (core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from .claims import validate_claim_spec
from .environment import VOLUME_FIELDS, validate_field_reference, validate_resource_reference
from .metadata import Errors, validate_annotations, validate_labels
from .paths import file_mode, no_backsteps, unreserved_path

Object = Mapping[str, Any]

NOT_OF_TEMPLATES = ("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
                    "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields")
HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]


def _empty_dir(source: Object, path: str, errors: Errors) -> None:
    if source.get("sizeLimit") and quantity.parse(source["sizeLimit"]) < 0:
        errors.append(FieldError.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity"))


def _host_path(source: Object, path: str, errors: Errors) -> None:
    if not source.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
        return
    no_backsteps(source["path"], f"{path}.path", errors)
    if source.get("type", "") not in HOST_PATH_TYPES:
        errors.append(FieldError.not_supported(f"{path}.type", source["type"], HOST_PATH_TYPES))


def _items(source: Object, path: str, errors: Errors) -> None:
    for i, item in enumerate(source.get("items") or ()):
        _item(item, f"{path}.items[{i}]", errors)


def _item(item: Object, path: str, errors: Errors) -> None:
    """validateKeyToPath."""
    for member in ("key", "path"):
        if not item.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
    unreserved_path(item.get("path", ""), f"{path}.path", errors)
    file_mode(item.get("mode"), f"{path}.mode", errors)


def _secret(source: Object, path: str, errors: Errors) -> None:
    if not source.get("secretName"):
        errors.append(FieldError.required(f"{path}.secretName"))
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    _items(source, path, errors)


def _config_map(source: Object, path: str, errors: Errors) -> None:
    if not source.get("name"):
        errors.append(FieldError.required(f"{path}.name"))
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    _items(source, path, errors)


def _downward_file(item: Object, path: str, errors: Errors) -> None:
    if not item.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    unreserved_path(item.get("path", ""), f"{path}.path", errors)
    if item.get("fieldRef") is not None:
        validate_field_reference(item["fieldRef"], VOLUME_FIELDS, f"{path}.fieldRef", errors)
        if item.get("resourceFieldRef") is not None:
            errors.append(FieldError.invalid(path, "resource",
                                             "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif item.get("resourceFieldRef") is not None:
        validate_resource_reference(item["resourceFieldRef"], f"{path}.resourceFieldRef", True, errors)
    else:
        errors.append(FieldError.required(path, "one of fieldRef and resourceFieldRef is required"))
    file_mode(item.get("mode"), f"{path}.mode", errors)


def _downward_api(source: Object, path: str, errors: Errors) -> None:
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    for item in source.get("items") or ():
        _downward_file(item, path, errors)


def _projected(source: Object, path: str, errors: Errors) -> None:
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    paths: set[str] = set()

    def once(target: str, name: str) -> None:
        if target and target in paths:
            errors.append(FieldError.invalid(path, name, "conflicting duplicate paths"))
        paths.add(target)

    for i, projection in enumerate(source.get("sources") or ()):
        here, count = f"{path}.sources[{i}]", 0
        for kind in ("secret", "configMap"):
            if (part := projection.get(kind)) is not None:
                count += 1
                if not part.get("name"):
                    errors.append(FieldError.required(f"{here}.{kind}.name"))
                for j, item in enumerate(part.get("items") or ()):
                    _item(item, f"{here}.{kind}.items[{j}]", errors)
                    once(item.get("path", ""), part.get("name", ""))
        if (part := projection.get("downwardAPI")) is not None:
            count += 1
            for item in part.get("items") or ():
                _downward_file(item, f"{here}.downwardAPI", errors)
                once(item.get("path", ""), item.get("path", ""))
        if (part := projection.get("serviceAccountToken")) is not None:
            count += 1
            seconds = part.get("expirationSeconds", 0)
            if seconds < 600:
                errors.append(FieldError.invalid(f"{here}.serviceAccountToken.expirationSeconds", seconds,
                                                 "may not specify a duration less than 10 minutes"))
            if seconds > 1 << 32:
                errors.append(FieldError.invalid(f"{here}.serviceAccountToken.expirationSeconds", seconds,
                                                 "may not specify a duration larger than 2^32 seconds"))
            if not part.get("path"):
                errors.append(FieldError.required(f"{path}.path"))
            else:
                unreserved_path(part["path"], f"{path}.path", errors)
        if count > 1:
            errors.append(FieldError.forbidden(here, "may not specify more than 1 volume type per source"))


def _ephemeral(source: Object, path: str, errors: Errors) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        errors.append(FieldError.required(f"{path}.volumeClaimTemplate"))
        return
    here = f"{path}.volumeClaimTemplate"
    metadata = template.get("metadata") or {}
    validate_annotations(metadata.get("annotations"), f"{here}.metadata.annotations", errors)
    validate_labels(metadata.get("labels"), f"{here}.metadata.labels", errors)
    for member in NOT_OF_TEMPLATES:
        if metadata.get(member):
            shown = "uID" if member == "uid" else member  # the Go name with its first letter made small
            errors.append(FieldError.forbidden(f"{here}.metadata.{shown}", "cannot be set"))
    validate_claim_spec(template.get("spec") or {}, f"{here}.spec", errors)


def _image(source: Object, path: str, errors: Errors) -> None:
    if not source.get("reference"):
        errors.append(FieldError.required(f"{path}.reference"))
    if source.get("pullPolicy") not in ("Always", "IfNotPresent", "Never"):
        errors.append(FieldError.not_supported(f"{path}.pullPolicy", source.get("pullPolicy", ""),
                                               ["Always", "IfNotPresent", "Never"]))


def _local(source: Object, path: str, errors: Errors) -> None:
    if not source.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    else:
        no_backsteps(source["path"], f"{path}.path", errors)


NODE_CHECKS: dict[str, Callable[[Object, str, Errors], None]] = {
    "emptyDir": _empty_dir, "hostPath": _host_path, "secret": _secret, "configMap": _config_map, "downwardAPI": _downward_api,
    "projected": _projected, "ephemeral": _ephemeral, "image": _image, "local": _local,
}
