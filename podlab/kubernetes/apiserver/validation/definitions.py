"""CustomResourceDefinitions: names, versions, and schemas that must be structural (apiextensions-apiserver, pkg/apis/apiextensions/validation
and pkg/apiserver/schema/validation.go).

Where all versions have the same schema, printer columns or subresources, messages name them as the server keeps them: hoisted, as
`spec.validation.openAPIV3Schema` (pkg/apis/apiextensions/v1/conversion.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...runtime import linear
from .. import cel
from ..customresources import structural, values
from ..customresources.structural import EMBEDDED, INT_OR_STRING, LIST_KEYS, LIST_TYPE, PRESERVE, RULES
from ..errors import FieldError
from . import words
from .metadata import Errors, complain

Object = Mapping[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
DEPTH_MAX = 60
REVIEWS = ("v1", "v1beta1")  # versions of ConversionReview that are spoken
APPROVED = "api-approved.kubernetes.io"


def create(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateCustomResourceDefinition."""
    spec = obj.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group", "")
    if obj["metadata"].get("name") != f"{names.get('plural', '')}.{group}":
        errors.append(FieldError.invalid("metadata.name", obj["metadata"].get("name", ""), 'must be spec.names.plural+"."+spec.group'))
    if not group:
        errors.append(FieldError.required("spec.group"))
    else:
        complain(errors, "spec.group", group, words.bad_subdomain(group))
        if "." not in group:
            errors.append(FieldError.invalid("spec.group", group, "should be a domain with at least one dot"))
        _protected(group, obj["metadata"].get("annotations") or {}, errors)
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        errors.append(FieldError.not_supported("spec.scope", spec.get("scope", ""), ["Cluster", "Namespaced"]))
    _versions(spec, errors)
    _names(names, errors)
    if spec.get("preserveUnknownFields"):
        errors.append(FieldError.invalid("spec.preserveUnknownFields", True, "cannot set to true, set x-kubernetes-preserve-unknown-fields to "
                                         "true in spec.versions[*].schema instead"))
    _conversion(spec.get("conversion") or {}, errors)
    for version, path in hoisted(spec, "schema", "spec.validation"):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if not schema:
            errors.append(FieldError.required(f"{path}.openAPIV3Schema", "schemas are required"))
        else:
            _root(schema, f"{path}.openAPIV3Schema", errors)
    for version, path in hoisted(spec, "additionalPrinterColumns", "spec.additionalPrinterColumns"):
        _columns(version.get("additionalPrinterColumns") or (), path, errors)
    for version, path in hoisted(spec, "subresources", "spec.subresources"):
        _scale((version.get("subresources") or {}).get("scale"), f"{path}.scale", errors)
    for version, path in hoisted(spec, "selectableFields", "spec.selectableFields"):
        _selectable(version, path, errors)


def _conversion(conversion: Object, errors: list[FieldError]) -> None:
    """Fields are named as the server keeps them: those of `webhook` beside the strategy (validateCustomResourceConversion)."""
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions")
    path = "spec.conversion.webhookClientConfig"
    if strategy not in ("None", "Webhook"):
        errors.append(FieldError.not_supported("spec.conversion.strategy", strategy or "", ["None", "Webhook"]))
    elif strategy == "Webhook":
        if config is None:
            errors.append(FieldError.required(path, "required when strategy is set to Webhook"))
        elif (config.get("url") is None) == (config.get("service") is None):
            errors.append(FieldError.required(path, "exactly one of url or service is required"))
        if not versions:
            errors.append(FieldError.required("spec.conversion.conversionReviewVersions", ""))
        elif not any(one in REVIEWS for one in versions):
            errors.append(FieldError.invalid("spec.conversion.conversionReviewVersions", versions,
                                             f"must include at least one of {', '.join(REVIEWS)}"))
    else:
        if config is not None:
            errors.append(FieldError.forbidden(path, "should not be set when strategy is not set to Webhook"))
        if versions:
            errors.append(FieldError.forbidden("spec.conversion.conversionReviewVersions", "should not be set when strategy is not set to Webhook"))


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
    create(new, errors)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
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


def hoisted(spec: Object, member: str, path: str) -> Iterator[tuple[Object, str]]:
    """(version, path of its member): one for all where all have the same."""
    versions = [version for version in spec.get("versions") or () if isinstance(version, dict)]
    if versions and all(version.get(member) == versions[0].get(member) for version in versions):
        if member != "schema" or versions[0].get(member):
            yield versions[0], path
        else:
            yield versions[0], "spec.versions[0].schema"
        return
    for at, version in enumerate(versions):
        yield version, f"spec.versions[{at}].{member}"


def _versions(spec: Object, errors: Errors) -> None:
    versions = spec.get("versions") or []
    if sum(bool(version.get("storage")) for version in versions) != 1:
        errors.append(FieldError.invalid("spec.versions", versions, "must have exactly one version marked as storage version")
                      if versions else FieldError.required("spec.versions", "must have exactly one version marked as storage version"))
    seen: dict[str, None] = {}
    for at, version in enumerate(versions):
        name = version.get("name", "")
        complain(errors, f"spec.versions[{at}].name", name, words.bad_dns1035_label(name))
        if name in seen:
            errors.append(FieldError.invalid("spec.versions", versions, "must contain unique version names"))
        seen[name] = None
        if version.get("deprecationWarning") and not version.get("deprecated"):
            errors.append(FieldError.invalid(f"spec.versions[{at}].deprecationWarning", version["deprecationWarning"],
                                             "can only be set for deprecated versions"))


def _names(names: Object, errors: Errors) -> None:
    for member in ("plural", "singular"):
        if names.get(member):
            complain(errors, f"spec.names.{member}", names[member], words.bad_dns1035_label(names[member]))
    for at, short in enumerate(names.get("shortNames") or ()):
        complain(errors, f"spec.names.shortNames[{at}]", short, words.bad_dns1035_label(short))
    for member in ("kind", "listKind"):
        if names.get(member):
            complain(errors, f"spec.names.{member}", names[member], words.bad_dns1035_label(names[member].lower()))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        errors.append(FieldError.invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"))
    for member in ("plural", "kind"):
        if not names.get(member):
            errors.append(FieldError.required(f"spec.names.{member}"))


def _columns(columns: Any, path: str, errors: Errors) -> None:
    for at, column in enumerate(columns):
        here = f"{path}[{at}]"
        if not column.get("name"):
            errors.append(FieldError.required(f"{here}.name"))
        if column.get("type") not in COLUMN_TYPES:
            errors.append(FieldError.invalid(f"{here}.type", column.get("type", ""), "must be one of boolean,date,integer,number,string"))
        if not column.get("jsonPath"):
            errors.append(FieldError.required(f"{here}.JSONPath"))
        elif not column["jsonPath"].startswith("."):
            errors.append(FieldError.invalid(f"{here}.JSONPath", column["jsonPath"], "must be a simple json path starting with ."))


def _scale(scale: Any, path: str, errors: Errors) -> None:
    if scale is None:
        return
    for member, under in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        text = scale.get(member) or ""
        if not text:
            errors.append(FieldError.required(f"{path}.{member}"))
        elif not text.startswith(under + ".") or "[" in text:
            errors.append(FieldError.invalid(f"{path}.{member}", text, f"should be a json path under {under}"))
    text = scale.get("labelSelectorPath")
    if text and not text.startswith((".spec.", ".status.")):
        errors.append(FieldError.invalid(f"{path}.labelSelectorPath", text, "should be a json path under either .spec or .status"))


def _selectable(version: Object, path: str, errors: Errors) -> None:
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    for at, field in enumerate(version.get("selectableFields") or ()):
        found: Any = schema
        for step in str(field.get("jsonPath", "")).removeprefix(".").split("."):
            found = ((found or {}).get("properties") or {}).get(step)
        if found is None:
            errors.append(FieldError.invalid(f"{path}[{at}].jsonPath", field.get("jsonPath", ""),
                                             "is an invalid path: does not refer to a valid field"))
        elif found.get("type") not in ("string", "boolean", "integer"):
            errors.append(FieldError.invalid(f"{path}[{at}].jsonPath", field["jsonPath"],
                                             "must point to a field of type string, boolean or integer"))


# ---- schemas


def _root(schema: Object, path: str, errors: Errors) -> None:
    if schema.get("nullable"):
        errors.append(FieldError.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    kind = schema.get("type")
    if kind and kind != "object":
        errors.append(FieldError.invalid(f"{path}.type", kind, "must be object at the root"))
    metadata = (schema.get("properties") or {}).get("metadata")
    if metadata and any(name not in ("name", "generateName") for name in metadata.get("properties") or ()):
        errors.append(FieldError.forbidden(f"{path}.properties[metadata]", "must not specify anything other than name and generateName, but "
                                           "metadata is implicitly specified"))
    _schema(schema, path, errors, "must not be empty at the root", 0)


def _schema(schema: Any, path: str, errors: Errors, empty: str, depth: int) -> None:
    if not isinstance(schema, dict):
        errors.append(FieldError.invalid(path, schema, "must be a schema"))
        return
    if depth > DEPTH_MAX:
        errors.append(FieldError.forbidden(path, "too deep"))
        return
    kind = schema.get("type")
    open_ = schema.get(PRESERVE) is True or schema.get(INT_OR_STRING) is True
    if not kind and not open_:
        errors.append(FieldError.required(f"{path}.type", empty))
    elif kind and kind not in TYPES:
        errors.append(FieldError.not_supported(f"{path}.type", kind, list(TYPES)))
    if schema.get(INT_OR_STRING) and kind:
        errors.append(FieldError.invalid(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true"))
    if schema.get(EMBEDDED) and kind != "object":
        errors.append(FieldError.invalid(f"{path}.type", kind or "", "must be object if x-kubernetes-embedded-resource is true"))
    if schema.get("$ref"):
        errors.append(FieldError.forbidden(f"{path}.$ref", "$ref is not supported"))
    if schema.get("uniqueItems"):
        errors.append(FieldError.forbidden(f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
    if schema.get(PRESERVE) is False:
        errors.append(FieldError.invalid(f"{path}.{PRESERVE}", False, "must be true or undefined"))
    properties, others, items = schema.get("properties"), schema.get("additionalProperties"), schema.get("items")
    if others is False:
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false"))
    if properties and others:
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"))
    if isinstance(items, list):
        errors.append(FieldError.forbidden(f"{path}.items", "items must be a schema object and not an array"))
    elif kind == "array" and not items:
        errors.append(FieldError.required(f"{path}.items", "must be specified"))
    if isinstance(properties, dict):
        for name in sorted(properties):
            _schema(properties[name], f"{path}.properties[{name}]", errors, "must not be empty for specified object fields", depth + 1)
    if isinstance(others, dict):
        _schema(others, f"{path}.additionalProperties", errors, "must not be empty for specified object fields", depth + 1)
    if isinstance(items, dict):
        _schema(items, f"{path}.items", errors, "must not be empty for specified array items", depth + 1)
    if not schema.get(INT_OR_STRING):
        _alternatives(schema, path, errors, depth)
    if "pattern" in schema:
        _pattern(schema["pattern"], f"{path}.pattern", errors)
    _list_type(schema, path, errors)
    _rules(schema, path, errors)
    if "default" in schema:
        _default(schema, path, errors)


def _alternatives(schema: Object, path: str, errors: Errors, depth: int) -> None:
    """Under the logical words stand bounds on values only, not types (ForbiddenGenerics)."""
    inner: list[tuple[str, Any]] = [(f"{path}.{word}[{at}]", one) for word in ("allOf", "anyOf", "oneOf")
                                    for at, one in enumerate(schema.get(word) or ())]
    if schema.get("not"):
        inner.append((f"{path}.not", schema["not"]))
    for here, one in inner:
        if not isinstance(one, dict) or depth > DEPTH_MAX:
            continue
        for member in ("type", "title", "description", "default"):
            if one.get(member):
                errors.append(FieldError.forbidden(f"{here}.{member}", "must be empty to be structural" if member != "default" else
                                                   "must be undefined to be structural"))
        if "pattern" in one:
            _pattern(one["pattern"], f"{here}.pattern", errors)
        for name, member_schema in (one.get("properties") or {}).items():
            if name not in (schema.get("properties") or {}):
                errors.append(FieldError.required(f"{path}.properties[{name}]", f"because it is defined in {here}.properties[{name}]"))
            elif isinstance(member_schema, dict) and member_schema.get("type"):
                errors.append(FieldError.forbidden(f"{here}.properties[{name}].type", "must be empty to be structural"))


def _pattern(text: Any, path: str, errors: Errors) -> None:
    try:
        linear.compiled(str(text).replace(r"\z", r"\Z"), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        errors.append(FieldError.invalid(path, text, f"must be a valid regular expression, but isn't: {error}"))


def _list_type(schema: Object, path: str, errors: Errors) -> None:
    relation, keys = schema.get(LIST_TYPE), schema.get(LIST_KEYS) or ()
    if relation is None and not keys:
        return
    if relation not in (None, "atomic", "set", "map"):
        errors.append(FieldError.not_supported(f"{path}.{LIST_TYPE}", relation, ["atomic", "map", "set"]))
    if relation is not None and schema.get("type") != "array":
        errors.append(FieldError.invalid(f"{path}.type", schema.get("type", ""), f"must be array if {LIST_TYPE} is specified"))
        return
    items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
    if relation == "map":
        if not keys:
            errors.append(FieldError.required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map"))
        if items and items.get("type") != "object":
            errors.append(FieldError.invalid(f"{path}.items.type", items.get("type", ""), f"must be object if parent array's {LIST_TYPE} is map"))
        for at, key in enumerate(keys):
            member = ((items or {}).get("properties") or {}).get(key)
            if member is None:
                errors.append(FieldError.invalid(f"{path}.{LIST_KEYS}[{at}]", key, "entries must all be names of item properties"))
            elif "default" not in member and key not in ((items or {}).get("required") or ()):
                errors.append(FieldError.required(f"{path}.items.properties[{key}].default", f"this property is in {LIST_KEYS}, so it must have a "
                                                  "default or be a required property"))
    elif keys:
        errors.append(FieldError.invalid(f"{path}.{LIST_TYPE}", relation or "", f"must be map if {LIST_KEYS} is non-empty"))


def _rules(schema: Object, path: str, errors: Errors) -> None:
    for at, rule in enumerate(schema.get(RULES) or ()):
        here = f"{path}.{RULES}[{at}]"
        if not isinstance(rule, dict) or not str(rule.get("rule") or "").strip():
            errors.append(FieldError.required(f"{here}.rule", "rule is not specified"))
            continue
        for member in ("rule", "messageExpression"):
            if rule.get(member):
                try:
                    cel.compiled(rule[member])
                except (cel.CelError, RecursionError) as error:
                    errors.append(FieldError.invalid(f"{here}.{member}", rule[member], f"compilation failed: ERROR: <input>: {error}"))


def _default(schema: Object, path: str, errors: Errors) -> None:
    value = json.loads(json.dumps(schema["default"]))
    if structural.prune(dict(schema), value, root=False):
        errors.append(FieldError.invalid(f"{path}.default", schema["default"], "must not have unknown fields"))
    try:
        found = values.validate({name: member for name, member in schema.items() if name != RULES}, value, f"{path}.default")
    except (TypeError, AttributeError, KeyError):
        return  # the schema itself is wrong, which was said
    errors += found
