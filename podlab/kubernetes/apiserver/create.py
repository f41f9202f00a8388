"""The way of a new object through the API server, up to the store: one function, in the real order.

decode, namespace, defaults, mutating admission, name, strategy, validation, validating admission
(apiserver/pkg/endpoints/handlers/create.go, registry/rest/create.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..objects import Map, dig
from ..resources import Resource, by_api_kind
from . import admission, decode, defaults, strategy, validation, versions
from .errors import ApiError, FieldError, bad_request, invalid, show
from .pipeline import Context

Seen = Callable[[dict[str, Any], Map | None], None]
NAME_ATTEMPTS = 8  # maxNameGenerationCreateAttempts
NAME_BASE = 58  # maxGeneratedNameLength: 63 less the five random characters

# Kinds of which a PUT makes what is not there (AllowCreateOnUpdate in pkg/registry/*/strategy.go)
MADE_BY_UPDATE = frozenset({"leases", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "endpoints", "limitranges", "runtimeclasses",
                            "services", "events"})


def admit(resource: Resource, body: object, namespace: str, ctx: Context, strict: bool = True,
          seen: Seen = lambda obj, spec: None) -> dict[str, Any]:
    """The object to be stored: complete but for creationTimestamp, resourceVersion and (Jobs have theirs) uid.

    `namespace` is the request's. `seen` gets the object as its author meant it, before admission adds to it, and a Pod's frozen spec where
    that holds all of it. Raises ApiError with what the server would answer.
    """
    if isinstance(body, dict):
        body = of_this_version(resource, body, strict)
        decode.check_type(resource, body)
    obj = decode.decode(resource, body, strict=strict)
    metadata = obj["metadata"] = dict(obj["metadata"])
    if metadata.get("resourceVersion"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
    if resource.namespaced:
        if metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata.pop("namespace", None)
    defaults.apply_defaults(resource, obj)
    trusted = _trusted_spec(resource, obj, ctx)
    seen(obj, trusted)
    if admission.admit_create(resource, obj, ctx):
        trusted = None  # a webhook may have made anything of it
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = _generate_name(resource, metadata, ctx)
        if resource.kind == "Namespace":
            defaults.apply_defaults(resource, obj)
    strategy.prepare_for_create(resource, obj, ctx)
    if errors := validation.validate_create(resource, obj, trusted):
        raise invalid(resource.group, resource.kind, metadata.get("name") or "", [_as_sent(error, body) for error in errors])
    admission.validate_create(resource, obj, ctx)
    return obj


def _as_sent(error: FieldError, body: object) -> FieldError:
    """An error of a map or list that was sent empty: Go's is empty then and not nil, which the store would not tell apart."""
    kind, nil, rest = error.message.partition(" value: null")
    if not nil:
        return error
    path = error.field.replace("[", ".").replace("]", "")
    sent = dig(body, path) if "." in path else None  # else it is of a whole spec, of which it shows a part
    return FieldError(error.kind, error.field, f"{kind} value: {show(sent)}{rest}") if sent in ({}, []) else error


def _trusted_spec(resource: Resource, obj: Mapping[str, Any], ctx: Context) -> Map | None:
    """A Pod's frozen spec, whose soundness is a fact about it that needs to be found once.

    What admission adds to it later is sound by construction, but for the amounts of a LimitRange.
    """
    spec = obj.get("spec")
    if resource.kind != "Pod" or type(spec) is not Map or ctx.list("limitranges", obj["metadata"]["namespace"]):
        return None
    return spec


def of_this_version(resource: Resource, body: dict[str, Any], strict: bool, *, new: bool = True) -> dict[str, Any]:
    """A body of another served version as the version that is stored."""
    other = versions.other_of(resource, body.get("apiVersion"))
    if other is None or other == resource:
        return body
    obj = decode.decode(other, body, strict=strict)
    if new:
        versions.check_new(other, obj)
    return versions.as_stored(resource, obj)


def _generate_name(resource: Resource, metadata: Mapping[str, Any], ctx: Context) -> str:
    base = metadata["generateName"][:NAME_BASE]
    for attempt in range(NAME_ATTEMPTS):
        name: str = base + ctx.random_name(5, "generateName", resource.plural, metadata.get("namespace") or "", base, attempt)
        if ctx.find(resource.plural, name, metadata.get("namespace")) is None:
            break
    return name


# --- kinds ---------------------------------------------------------------------------------------------------------

def resource_of(body: Mapping[str, Any]) -> Resource | None:
    """The served resource of a manifest, in the very version that it names; None where there is no such kind."""
    version, kind = str(body.get("apiVersion") or ""), str(body.get("kind") or "")
    found = by_api_kind(version, kind)
    return found or next((one for one in versions.ALSO_SERVED if (one.api_version, one.kind) == (version, kind)), None)


def no_match(api_version: str, kind: str) -> str:
    """What kubectl says of a kind that the server does not have (meta.NoKindMatchError)."""
    return f'no matches for kind "{kind}" in version "{api_version}"'
