"""What the API server says when it refuses: Status objects, in its own words.

Sources: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go and pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


class ApiError(Exception):
    """A refusal. `code` is the HTTP status, `reason` the metav1.StatusReason, `details` its StatusDetails or None."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details

    def status(self) -> dict[str, Any]:
        """The metav1.Status object that goes over the wire."""
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                                "message": self.message, **({"reason": self.reason} if self.reason else {})}
        if self.details is not None:
            body["details"] = self.details
        return {**body, "code": self.code}


class PageNotFound(ApiError):
    """404 of an address that nobody serves: no Status, but the plain text that Go's http.NotFound writes."""

    TEXT = "404 page not found"

    def __init__(self) -> None:
        super().__init__(404, "NotFound", "the server could not find the requested resource", {})


@dataclass(frozen=True, slots=True)
class FieldError:
    """One cause of an Invalid answer. `kind` is a field.ErrorType value such as `FieldValueRequired`."""

    kind: str
    field: str
    message: str  # without the field path: "Required value: name or generateName is required"

    @classmethod
    def required(cls, field: str, detail: str = "") -> FieldError:
        return cls("FieldValueRequired", field, "Required value" + (": " + detail if detail else ""))

    @classmethod
    def invalid(cls, field: str, value: Any, detail: str) -> FieldError:
        return cls("FieldValueInvalid", field, f"Invalid value: {show(value)}: {detail}")

    @classmethod
    def invalid_as_such(cls, field: str, detail: str) -> FieldError:
        """Invalid without its value (field.OmitValueType)."""
        return cls("FieldValueInvalid", field, f"Invalid value: {detail}")

    @classmethod
    def too_many(cls, field: str, count: int, limit: int) -> FieldError:
        return cls("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} items")

    @classmethod
    def not_supported(cls, field: str, value: Any, supported: list[str]) -> FieldError:
        return cls("FieldValueNotSupported", field, f"Unsupported value: {show(value)}: supported values: "
                   + ", ".join(json.dumps(s, ensure_ascii=False) for s in supported))

    @classmethod
    def forbidden(cls, field: str, detail: str) -> FieldError:
        return cls("FieldValueForbidden", field, f"Forbidden: {detail}")

    @classmethod
    def duplicate(cls, field: str, value: Any) -> FieldError:
        return cls("FieldValueDuplicate", field, f"Duplicate value: {show(value)}")

    @classmethod
    def not_found(cls, field: str, value: Any) -> FieldError:
        return cls("FieldValueNotFound", field, f"Not found: {show(value)}")

    @classmethod
    def too_long(cls, field: str, limit: int) -> FieldError:
        return cls("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


TOLD_MAX = 500_000  # characters: 100,000 wrong items, each told of with the whole list, would fill the memory


class Enough(Exception):
    """So much is wrong with an object that no more of it is told."""

    def __init__(self, complaints: list[FieldError]) -> None:
        self.complaints = complaints


class FieldErrors(list[FieldError]):
    """What is wrong with an object, in the order in which it is found. What adds to it raises Enough when it is too much to tell."""

    _told = 0

    def append(self, one: FieldError, /) -> None:
        list.append(self, one)
        self._told += len(one.field) + len(one.message)
        if self._told > TOLD_MAX:
            raise Enough(self)

    def extend(self, more: Iterable[FieldError], /) -> None:
        for one in more:
            self.append(one)

    def _plus(self, more: Iterable[FieldError], /) -> FieldErrors:
        self.extend(more)
        return self

    __iadd__ = _plus  # list's own would not ask `append`


def show(value: Any) -> str:
    """A value as Go's field errors print it: strings quoted, the rest as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, str):
        return text if value.isprintable() else f'"{"".join(_quoted(char) for char in value)}"'
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")  # json.Marshal, that it may stand in HTML


ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", '"': '\\"', "\\": "\\\\"}


def _quoted(char: str) -> str:
    """One character as strconv.Quote writes it."""
    if char in ESCAPES or char.isprintable():
        return ESCAPES.get(char, char)
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def qualified(kind: str, group: str) -> str:
    """`Deployment.apps`, or `Pod` for the core group. What has its group already (the key of a custom kind) stays."""
    return f"{kind}.{group}" if group and not kind.endswith("." + group) else kind


def invalid(group: str, kind: str, name: str, errors: list[FieldError]) -> ApiError:
    texts = list(dict.fromkeys(str(error) for error in errors))
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    causes = [{"reason": e.kind, "message": e.message, "field": e.field} for e in errors]
    return ApiError(422, "Invalid", f"{qualified(kind, group)} {show(name)} is invalid: {joined}",
                    {**details, **({"kind": kind} if kind else {}), "causes": causes})


def _details(group: str, plural: str, name: str) -> dict[str, Any]:
    return {**({"name": name} if name else {}), **({"group": group} if group else {}),
            "kind": plural.removesuffix("." + group) if group else plural}


def not_found(group: str, plural: str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{qualified(plural, group)} "{name}" not found', _details(group, plural, name))


def already_exists(group: str, plural: str, name: str, going: bool = False) -> ApiError:
    said = f'{qualified(plural, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", f"object is being deleted: {said}" if going else said, _details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> ApiError:
    return ApiError(409, "Conflict", f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}',
                    _details(group, plural, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


# Where etcd holds what is not under its plural (SpecialDefaultResourcePrefixes, pkg/kubeapiserver/default_storage_factory_builder.go), or not
# under it alone (the aggregator's and the extensions server's own)
HELD_AT = {"replicationcontrollers": "controllers", "endpoints": "services/endpoints", "services": "services/specs", "nodes": "minions",
           "ingresses": "ingress", "apiservices": "apiregistration.k8s.io/apiservices",
           "customresourcedefinitions": "apiextensions.k8s.io/customresourcedefinitions"}


def other_uid(group: str, plural: str, custom: bool, key: str, name: str, wanted: str, held: str) -> ApiError:
    """A write that names a uid which the stored object has not; `held` is "" where nothing is stored.

    Sources: apiserver/pkg/storage/interfaces.go (Preconditions.Check), errors.go (NewInvalidObjError, StorageError.Error).
    """
    at = HELD_AT.get(plural, f"{group}/{plural}" if custom else plural)
    return conflict(group, plural, name, f"StorageError: invalid object, Code: 4, Key: /registry/{at}/{key}, ResourceVersion: 0, "
                    f"AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {held}")


def forbidden(group: str, plural: str, name: str, why: str, causes: list[dict[str, Any]] | None = None) -> ApiError:
    details = _details(group, plural, name)
    if causes:
        details["causes"] = causes
    subject = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", details)


def subject_of(metadata: Mapping[str, Any]) -> str:
    """What admission calls an object that may not have its name yet (extractResourceName, S/apiserver/pkg/admission/errors.go)."""
    return str(metadata.get("name") or metadata.get("generateName") or "Unknown")


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def method_not_supported(plural: str, verb: str) -> ApiError:
    return ApiError(405, "MethodNotAllowed", f"{verb} is not supported on resources of kind \"{plural}\"",
                    {"kind": plural})


def method_not_allowed() -> ApiError:
    """Of a verb that has no address (go-restful's 405 as NewGenericServerResponse words it)."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def gone(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


ETCD_REQUEST_MAX: Final = 1_572_864  # bytes of a write: etcd's --max-request-bytes


def too_large_for_etcd() -> ApiError:
    """What a write over ETCD_REQUEST_MAX is told; and here also one that nobody could check in reasonable time, which no real one is."""
    return ApiError(500, "", "etcdserver: request is too large")


def too_many_requests(message: str) -> ApiError:
    return ApiError(429, "TooManyRequests", message)
