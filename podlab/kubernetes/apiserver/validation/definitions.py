"""CustomResourceDefinitions: names, versions, columns, conversion (apiextensions-apiserver, pkg/apis/apiextensions/validation/validation.go).

Where all versions have the same schema, printer columns or subresources, messages name them as the server keeps them: hoisted, as
`spec.validation.openAPIV3Schema` (pkg/apis/apiextensions/v1/conversion.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FieldError, too_large_for_etcd
from . import words
from .client_config import validate_client_config
from .metadata import Errors, complain, repeated
from .schemas import reaches, validate_schema

Object = Mapping[str, Any]
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MOST_SELECTABLE = 8  # MaxSelectableFields
REVIEWS = ("v1", "v1beta1")  # versions of ConversionReview that are spoken
APPROVED = "api-approved.kubernetes.io"
WORK_MAX, COMPILING = 40_000, 10  # schemas of one definition, which take 25 us each to check; what is compiled (patterns, rules) as many times that


def create(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateCustomResourceDefinition."""
    spec = obj.get("spec") or {}
    _name(obj, spec, errors)
    _spec(spec, errors)
    _stored([version.get("name", "") for version in spec.get("versions") or () if version.get("storage")], spec.get("versions") or [], errors)
    _protected(spec.get("group", ""), obj["metadata"].get("annotations") or {}, errors)
    if spec.get("preserveUnknownFields"):
        errors.append(FieldError.invalid("spec.preserveUnknownFields", True, "cannot set to true, set x-kubernetes-preserve-unknown-fields to "
                                         "true in spec.versions[*].schema instead"))


def _name(obj: Object, spec: Object, errors: Errors) -> None:
    wanted = f"{(spec.get('names') or {}).get('plural', '')}.{spec.get('group', '')}"
    if obj["metadata"].get("name") and obj["metadata"]["name"] != wanted:
        errors.append(FieldError.invalid("metadata.name", obj["metadata"]["name"], 'must be spec.names.plural+"."+spec.group'))


def _stored(storage: list[str], versions: list[Object], errors: Errors) -> None:
    """ValidateCustomResourceDefinitionStoredVersions of a new definition, whose first storage version is the stored one."""
    if not storage:
        errors.append(FieldError.invalid("status.storedVersions", None, "must have at least one stored version"))
    for version in versions:
        if version.get("storage") and version.get("name", "") != storage[0]:
            errors.append(FieldError.invalid("status.storedVersions", _internal(version), f"must have the storage version {version.get('name', '')}"))


def _internal(version: Object) -> dict[str, Any]:
    """A version as the server's own struct; what all versions share is kept elsewhere."""
    return {"Name": version.get("name", ""), "Served": bool(version.get("served")), "Storage": bool(version.get("storage")),
            "Deprecated": bool(version.get("deprecated")), "DeprecationWarning": version.get("deprecationWarning"), "Schema": None,
            "Subresources": None, "AdditionalPrinterColumns": None, "SelectableFields": None}


def _one_of(value: str, path: str, allowed: list[str], errors: Errors) -> None:
    """validateEnumStrings."""
    if not value:
        errors.append(FieldError.required(path))
    elif value not in allowed:
        errors.append(FieldError.not_supported(path, value, allowed))


def _spec(spec: Object, errors: Errors) -> None:
    names, group, versions = spec.get("names") or {}, spec.get("group", ""), spec.get("versions") or []
    _affordable(versions)
    if not group:
        errors.append(FieldError.required("spec.group"))
    elif complaints := words.bad_subdomain(group):
        errors.append(FieldError.invalid("spec.group", group, ",".join(complaints)))
    elif "." not in group:
        errors.append(FieldError.invalid("spec.group", group, "should be a domain with at least one dot"))
    _one_of(spec.get("scope", ""), "spec.scope", ["Cluster", "Namespaced"], errors)
    if not _shared(versions, "schema") or not _schema_of(versions[0]):
        for i, version in enumerate(versions):
            if version.get("served") and not _schema_of(version):
                errors.append(FieldError.required(f"spec.versions[{i}].schema.openAPIV3Schema", "schemas are required"))
    apart = [member for member in SHARED if not _shared(versions, member)]
    for i, version in enumerate(versions):
        _version(version, apart, f"spec.versions[{i}]", errors)
    given = [version.get("name", "") for version in versions]
    if len({*given}) < len(given):
        errors.append(FieldError.invalid("spec.versions", [_internal(one) for one in versions], "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        errors.append(FieldError.invalid("spec.versions", [_internal(one) for one in versions] or None,
                                         "must have exactly one version marked as storage version"))
    if given and given[0] and (complaints := words.bad_dns1035_label(given[0])):  # the first is the server's spec.version, too
        errors.append(FieldError.invalid("spec.version", given[0], ",".join(complaints)))
    errors += (FieldError.required(f"spec.names.{member}") for member in ("plural", "singular", "kind", "listKind") if not names.get(member))
    _names(names, "spec.names", errors)
    if versions:
        _members(versions[0], [member for member in SHARED if member not in apart], "spec", errors)
    _conversion(spec.get("conversion") or {}, errors)


SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")


def _affordable(versions: list[Object]) -> None:
    """Raises ApiError for schemas that nobody could check in a second: several times what the largest known definition has."""
    todo: list[Any] = list(versions)
    work = 0
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            rules = one.get("x-kubernetes-validations")
            work += 1 + COMPILING * (len(rules) if isinstance(rules, list | tuple) else 0) + COMPILING * isinstance(one.get("pattern"), str)
            todo.extend(one.values())
        elif isinstance(one, list | tuple):
            todo.extend(one)
        if work > WORK_MAX:
            raise too_large_for_etcd()


def _shared(versions: list[Object], member: str) -> bool:
    return bool(versions) and all(version.get(member) == versions[0].get(member) for version in versions)


def _schema_of(version: Object) -> Any:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _version(version: Object, apart: list[str], path: str, errors: Errors) -> None:
    """`apart`: what the versions have each for itself."""
    name, warning = version.get("name", ""), version.get("deprecationWarning")
    if complaints := words.bad_dns1035_label(name):
        errors.append(FieldError.invalid(f"{path}.name", name, ",".join(complaints)))
    if warning is not None:
        said = ["can only be set for deprecated versions"] if not version.get("deprecated") else []
        said += ["must be <= 256 characters long"] if len(warning) > 256 else ["must not be an empty string"] if not warning else []
        at = next((i for i, letter in enumerate(warning) if not letter.isprintable()), None)
        said += [f"must only contain printable UTF-8 characters; non-printable character found at index {at}"] if at is not None else []
        complain(errors, f"{path}.deprecationWarning", warning, said)
    _members(version, apart, path, errors)


def _members(version: Object, members: list[str], path: str, errors: Errors) -> None:
    """What all versions share is told of once, as of `spec`."""
    if "schema" in members and (schema := _schema_of(version)):
        validate_schema(schema, f"{path}.{'validation' if path == 'spec' else 'schema'}.openAPIV3Schema", errors,
                        status=(version.get("subresources") or {}).get("status") is not None)
    if "subresources" in members:
        _scale((version.get("subresources") or {}).get("scale"), f"{path}.subresources.scale", errors)
    if "additionalPrinterColumns" in members:
        _columns(version.get("additionalPrinterColumns") or (), f"{path}.additionalPrinterColumns", errors)
    if "selectableFields" in members:
        _selectable(version, f"{path}.selectableFields", errors)


def _conversion(conversion: Object, errors: list[FieldError]) -> None:
    """Fields are named as the server keeps them: those of `webhook` beside the strategy (validateCustomResourceConversion)."""
    strategy, webhook = conversion.get("strategy", ""), conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    path, reviews = "spec.conversion.webhookClientConfig", "spec.conversion.conversionReviewVersions"
    _one_of(strategy, "spec.conversion.strategy", ["None", "Webhook"], errors)
    if strategy == "Webhook":
        if config is None:
            errors.append(FieldError.required(path, "required when strategy is set to Webhook"))
        else:
            validate_client_config(config, path, errors)
        if not versions:
            errors.append(FieldError.required(reviews))
            return
        for i, (version, twice) in enumerate(zip(versions, repeated(versions), strict=True)):
            if twice:
                errors.append(FieldError.invalid(f"{reviews}[{i}]", version, "duplicate version"))
            else:
                complain(errors, f"{reviews}[{i}]", version, words.bad_dns1035_label(version))
        if not any(one in REVIEWS for one in versions):
            errors.append(FieldError.invalid(reviews, versions, f"must include at least one of {', '.join(REVIEWS)}"))
    else:
        if config is not None:
            errors.append(FieldError.forbidden(path, "should not be set when strategy is not set to Webhook"))
        if versions:
            errors.append(FieldError.forbidden(reviews, "should not be set when strategy is not set to Webhook"))


def _protected(group: str, annotations: Object, errors: Errors) -> None:
    """The community's own groups need its approval (ValidateCustomResourceDefinition, validateAPIApproval)."""
    if not any(group == own or group.endswith("." + own) for own in ("k8s.io", "kubernetes.io")):
        return
    path, text = f"metadata.annotations[{APPROVED}]", annotations.get(APPROVED, "")
    words_of = f'protected groups must have approval annotation "{APPROVED}"'
    if not text:
        errors.append(FieldError.required(path, f"{words_of}, see https://github.com/kubernetes/enhancements/pull/1111"))
    elif not text.startswith(("unapproved", "http://", "https://")):
        errors.append(FieldError.invalid(path, text, f'{words_of} with either a URL or a reason starting with "unapproved", see '
                                         "https://github.com/kubernetes/enhancements/pull/1111"))


def update(new: Object, old: Object, errors: Errors) -> None:
    """ValidateUpdateCustomResourceDefinition."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    _spec(spec, errors)
    established = any(one["type"] == "Established" and one["status"] == "True" for one in (old.get("status") or {}).get("conditions") or ())
    for path in ("group", "names.plural", *(("scope", "names.kind") if established else ())):
        now, then = _dig(spec, path), _dig(before, path)
        if now != then:
            errors.append(FieldError.invalid(f"spec.{path}", now, words.IMMUTABLE))
    present = [version.get("name") for version in spec.get("versions") or ()]
    for at, name in enumerate((old.get("status") or {}).get("storedVersions") or ()):
        if name not in present:
            errors.append(FieldError.invalid(
                f"status.storedVersions[{at}]", name, f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from "
                "status.storedVersions"))


def _dig(spec: Object, path: str) -> Any:
    found: Any = spec
    for step in path.split("."):
        found = (found or {}).get(step)
    return found


def _names(names: Object, path: str, errors: Errors) -> None:
    """ValidateCustomResourceDefinitionNames."""
    def label(value: str, at: str, before: str = "") -> None:
        if value and (complaints := words.bad_dns1035_label(value.lower() if before else value)):
            errors.append(FieldError.invalid(at, value, before + ",".join(complaints)))

    for member in ("plural", "singular"):
        label(names.get(member, ""), f"{path}.{member}")
    for member in ("kind", "listKind"):
        label(names.get(member, ""), f"{path}.{member}", "may have mixed case, but should otherwise match: ")
    for i, short in enumerate(names.get("shortNames") or ()):
        label(short, f"{path}.shortNames[{i}]")
    if names.get("kind") and names["kind"] == names.get("listKind"):
        errors.append(FieldError.invalid(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same"))
    for i, category in enumerate(names.get("categories") or ()):
        label(category, f"{path}.categories[{i}]")


def _columns(columns: Any, path: str, errors: Errors) -> None:
    for i, column in enumerate(columns):
        here, kind, form = f"{path}[{i}]", column.get("type", ""), column.get("format")
        if not column.get("name"):
            errors.append(FieldError.required(f"{here}.name"))
        said = f"must be one of {','.join(COLUMN_TYPES)}"
        if not kind:
            errors.append(FieldError.required(f"{here}.type", said))
        elif kind not in COLUMN_TYPES:
            errors.append(FieldError.invalid(f"{here}.type", kind, said))
        if form and form not in COLUMN_FORMATS:
            errors.append(FieldError.invalid(f"{here}.format", form, f"must be one of {','.join(COLUMN_FORMATS)}"))
        if not column.get("jsonPath"):
            errors.append(FieldError.required(f"{here}.JSONPath"))
        else:
            _json_path(column["jsonPath"], f"{here}.JSONPath", errors)


def _json_path(text: str, path: str, errors: Errors) -> bool:
    """validateSimpleJSONPath; whether it is one."""
    if not text.startswith("."):
        errors.append(FieldError.invalid(path, text, "must be a simple json path starting with ."))
    return text.startswith(".")


def _scale(scale: Any, path: str, errors: Errors) -> None:
    if scale is None:
        return
    for member, under in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        text = scale.get(member) or ""
        if not text:
            errors.append(FieldError.required(f"{path}.{member}"))
        elif _json_path(text, f"{path}.{member}", errors) and not text.startswith(under + "."):
            errors.append(FieldError.invalid(f"{path}.{member}", text, f"should be a json path under {under}"))
    text = scale.get("labelSelectorPath")
    if text and _json_path(text, f"{path}.labelSelectorPath", errors) and not text.startswith((".spec.", ".status.")):
        errors.append(FieldError.invalid(f"{path}.labelSelectorPath", text, "should be a json path under either .spec or .status"))


def _selectable(version: Object, path: str, errors: Errors) -> None:
    """ValidateCustomResourceSelectableFields."""
    seen: set[str] = set()
    for i, field in enumerate(version.get("selectableFields") or ()):
        here, text = f"{path}[{i}].jsonPath", field.get("jsonPath", "")
        found = reaches(_schema_of(version), text) if text else None
        if not text:
            errors.append(FieldError.required(here))
        elif found is None:
            errors.append(FieldError.invalid(here, text, "is an invalid path: does not refer to a valid field"))
        else:
            if text.startswith(".metadata"):
                errors.append(FieldError.invalid(here, text, "must not point to fields in metadata"))
            if found.get("type") not in ("string", "boolean", "integer"):
                errors.append(FieldError.invalid(here, text, "must point to a field of type string, boolean or integer. Enum string fields and "
                                                             "strings with formats are allowed."))
            if text in seen:
                errors.append(FieldError.duplicate(here, text))
            else:
                seen.add(text)
    if len(seen) > MOST_SELECTABLE:
        errors.append(FieldError.too_many(path, len(seen), MOST_SELECTABLE))
