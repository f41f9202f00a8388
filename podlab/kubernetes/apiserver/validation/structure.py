"""That the schema of a custom kind is structural, and its defaults fit it (apiextensions-apiserver, pkg/apiserver/schema/validation.go and
pkg/apiserver/schema/defaulting/validation.go). The messages are put in the order of their texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...runtime import linear
from ..customresources import structural, values
from ..customresources.structural import EMBEDDED, INT_OR_STRING, LIST_KEYS, LIST_TYPE, MAP_TYPE, PRESERVE, RULES
from ..errors import FieldError, FieldErrors
from .metadata import Errors

Object = Mapping[str, Any]
DEPTH_MAX = 60
MISSING_TYPE = {"root": "must not be empty at the root", "field": "must not be empty for specified object fields",
                "item": "must not be empty for specified array items"}
# What may not stand under allOf, anyOf, oneOf and not: ForbiddenGenerics and ForbiddenExtensions
NESTED = {"type": "must be empty to be structural", "default": "must be undefined to be structural", "title": "must be empty to be structural",
          "description": "must be empty to be structural", "nullable": "must be false to be structural",
          PRESERVE: "must be false to be structural", EMBEDDED: "must be false to be structural", INT_OR_STRING: "must be false to be structural",
          LIST_KEYS: "must be empty to be structural", LIST_TYPE: "must be undefined to be structural",
          MAP_TYPE: "must be undefined to be structural"}
EITHER = [{"type": "integer"}, {"type": "string"}]


def faults(schema: Object, path: str) -> Errors:
    """ValidateStructural, and where nothing is wrong ValidateDefaults."""
    found = FieldErrors()
    _structure(schema, path, "root", found, 0)
    found.sort(key=str)
    if not found:
        _defaults(schema, path, found)
    return found


def _structure(schema: Any, path: str, level: str, errors: Errors, depth: int) -> None:
    if not isinstance(schema, Mapping):
        return
    if depth > DEPTH_MAX:
        errors.append(FieldError.forbidden(path, "too deep"))
        return
    kind, properties, others, items = (schema.get(name) for name in ("type", "properties", "additionalProperties", "items"))
    if kind == "array" and not items:
        errors.append(FieldError.required(f"{path}.items", "must be specified"))
    if isinstance(others, Mapping):
        _structure(others, f"{path}.additionalProperties", "field", errors, depth + 1)
    for name, member in (properties or {}).items():
        _structure(member, f"{path}.properties[{name}]", "field", errors, depth + 1)
    _structure(items, f"{path}.items", "item", errors, depth + 1)
    if schema.get(INT_OR_STRING):
        for member in (PRESERVE, EMBEDDED):
            if schema.get(member):
                errors.append(FieldError.invalid(f"{path}.{member}", True, "must be false if x-kubernetes-int-or-string is true"))
        if kind:
            errors.append(FieldError.invalid(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true"))
    _logic(schema, schema, path, path, errors, skip=_both_types(schema))
    _pattern(schema, path, errors)
    if schema.get(EMBEDDED) and kind != "object":
        said = "must be object if x-kubernetes-embedded-resource is true"
        errors.append(FieldError.invalid(f"{path}.type", kind, said) if kind else FieldError.required(f"{path}.type", said))
    elif not kind and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        errors.append(FieldError.required(f"{path}.type", MISSING_TYPE[level]))
    if schema.get(EMBEDDED) and others is not None:
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set"))
    if level == "root" and kind and kind != "object":
        errors.append(FieldError.invalid(f"{path}.type", kind, "must be object at the root"))
    if level == "root" and others is not None:
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", "must not be used at the root"))
    if (level == "root" or schema.get(EMBEDDED)) and not _plain_metadata((properties or {}).get("metadata")):
        errors.append(FieldError.forbidden(f"{path}.properties[metadata]", "must not specify anything other than name and generateName, but "
                                           "metadata is implicitly specified"))
    if schema.get(EMBEDDED) and not schema.get(PRESERVE) and not properties:
        errors.append(FieldError.required(f"{path}.properties", "must not be empty if x-kubernetes-embedded-resource is true without "
                                                                "x-kubernetes-preserve-unknown-fields"))


def _plain_metadata(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return True
    rest = {name: value for name, value in schema.items() if name not in ("type", "default", "properties") and value}
    return not rest and all(name in ("name", "generateName") for name in schema.get("properties") or ())


def _both_types(schema: Object) -> str:
    """Where types may stand under a logical word: the way in which an int-or-string says what it is."""
    if not schema.get(INT_OR_STRING):
        return ""
    first = (schema.get("allOf") or [{}])[0]
    return "anyOf" if schema.get("anyOf") == EITHER else "allOf" if isinstance(first, Mapping) and first.get("anyOf") == EITHER else ""


def _logic(schema: Object, whole: Object, path: str, at: str, errors: Errors, skip: str = "", depth: int = 0) -> None:
    """validateValueValidation: what stands under the logical words bounds values only. `whole`: the schema that they are about, which is at `at`."""
    for word in ("anyOf", "allOf", "oneOf"):
        for i, one in enumerate((schema.get(word) or ()) if skip != word or word != "anyOf" else ()):
            _nested(one, whole, f"{path}.{word}[{i}]", at, errors, "anyOf" if skip == "allOf" == word and i == 0 else "", depth)
    if isinstance(schema.get("not"), Mapping):
        _nested(schema["not"], whole, f"{path}.not", at, errors, "", depth)


def _nested(one: Any, whole: Any, path: str, at: str, errors: Errors, skip: str, depth: int) -> None:
    if not isinstance(one, Mapping) or depth > DEPTH_MAX:
        return
    whole = whole if isinstance(whole, Mapping) else {}
    _logic(one, whole, path, at, errors, skip, depth + 1)
    _pattern(one, path, errors)
    if isinstance(one.get("items"), Mapping):
        if not whole.get("items"):
            errors.append(FieldError.required(f"{at}.items", f"because it is defined in {path}.items"))
        _nested(one["items"], whole.get("items"), f"{path}.items", f"{at}.items", errors, "", depth + 1)
    for name, member in (one.get("properties") or {}).items():
        inner = (whole.get("properties") or {}).get(name)
        if inner is None:
            errors.append(FieldError.required(f"{at}.properties[{name}]", f"because it is defined in {path}.properties[{name}]"))
        _nested(member, inner, f"{path}.properties[{name}]", f"{at}.properties[{name}]", errors, "", depth + 1)
    errors += (FieldError.forbidden(f"{path}.{member}", said) for member, said in NESTED.items()
               if one.get(member) or (member == "default" and member in one))
    if "metadata" in (one.get("properties") or {}):
        errors.append(FieldError.forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context"))


def _pattern(schema: Object, path: str, errors: Errors) -> None:
    text = str(schema.get("pattern") or "")
    try:
        linear.compiled(text.replace(r"\z", r"\Z"), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        errors.append(FieldError.invalid(f"{path}.pattern", text, f"must be a valid regular expression, but isn't: {_as_go(text, error)}"))


def _as_go(text: str, error: Exception) -> str:
    """Python's complaint about a regular expression in the words of Go's regexp/syntax."""
    said, at = str(error), getattr(error, "pos", None) or 0
    if "unterminated character set" in said:
        return f"error parsing regexp: missing closing ]: `{text[at:]}`"
    if "nothing to repeat" in said:
        return f"error parsing regexp: missing argument to repetition operator: `{text[at:at + 1]}`"
    if "multiple repeat" in said:
        return f"error parsing regexp: invalid nested repetition operator: `{text[at - 1:at + 1]}`"
    if "missing )" in said:
        return f"error parsing regexp: missing closing ): `{text}`"
    if "unbalanced parenthesis" in said:
        return f"error parsing regexp: unexpected ): `{text}`"
    if "bad character range" in said:
        return f"error parsing regexp: invalid character class range: `{said.partition('range ')[2].partition(' at ')[0]}`"
    if "(?" in text and "look" in said:
        return f"error parsing regexp: invalid or unsupported Perl syntax: `{text[at:at + 3]}`"
    return said


def _defaults(schema: Any, path: str, errors: Errors) -> None:
    """ValidateDefaults."""
    if not isinstance(schema, Mapping):
        return
    if "default" in schema:
        value = json.loads(json.dumps(schema["default"]))
        if structural.prune(dict(schema), value, root=False):
            errors.append(FieldError.invalid(f"{path}.default", schema["default"], "must not have unknown fields"))
        try:
            errors += values.validate({name: member for name, member in schema.items() if name != RULES}, value, f"{path}.default")
        except (TypeError, AttributeError, KeyError):
            return  # the schema itself is wrong, which was said
    for name in sorted(schema.get("properties") or ()):
        _defaults(schema["properties"][name], f"{path}.properties[{name}]", errors)
    _defaults(schema.get("additionalProperties"), f"{path}.additionalProperties", errors)
    _defaults(schema.get("items"), f"{path}.items", errors)
