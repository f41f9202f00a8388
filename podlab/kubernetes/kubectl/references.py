"""Where in objects images and names of other objects stand (kustomize's built-in field specs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Member -> the kind whose name is in it: as `{"name": ...}` or, where the member ends in Name, as text
REFERENCES = {"configMap": "ConfigMap", "configMapRef": "ConfigMap", "configMapKeyRef": "ConfigMap", "secretRef": "Secret",
              "secretKeyRef": "Secret",
              "secret": "Secret", "serviceAccountName": "ServiceAccount", "claimName": "PersistentVolumeClaim",
              "secretName": "Secret",
              "scaleTargetRef": "", "service": "Service", "serviceName": "Service", "roleRef": "",
              "storageClassName": "StorageClass", "priorityClassName": "PriorityClass", "ingressClassName": "IngressClass"}
LISTED = {"subjects": "", "imagePullSecrets": "Secret"}  # members that are lists of such; "": of the kind that each says


def image_fields(value: Any) -> Iterator[dict[str, Any]]:
    """Every container that names an image."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("containers", "initContainers") and isinstance(item, list):
                yield from (one for one in item if isinstance(one, dict) and "image" in one)
            else:
                yield from image_fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from image_fields(item)


def name_references(value: Any, renamed: dict[tuple[str, str], str]) -> None:
    """Follow renamed objects in everything that refers to them."""
    if isinstance(value, dict):
        for key, item in value.items():
            kind = REFERENCES.get(key)
            if kind is not None and isinstance(item, dict) and "name" in item:
                item["name"] = renamed.get((kind or str(item.get("kind")), item["name"]), item["name"])
            elif key in LISTED and isinstance(item, list):
                for one in item:
                    if isinstance(one, dict) and isinstance(one.get("name"), str):
                        one["name"] = renamed.get((LISTED[key] or str(one.get("kind")), one["name"]), one["name"])
            elif kind and isinstance(item, str):
                value[key] = renamed.get((kind, item), item)
            name_references(value[key], renamed)
    elif isinstance(value, list):
        for item in value:
            name_references(item, renamed)
