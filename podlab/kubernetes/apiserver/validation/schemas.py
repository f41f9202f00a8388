"""Schemas of CustomResourceDefinitions: that they are structural, and what stands at each of their nodes.

Sources: apiextensions-apiserver, pkg/apiserver/schema/validation.go (what is told of first, in the order of its texts) and
pkg/apis/apiextensions/validation/validation.go (then, node by node: first the schema, last the rules).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...runtime import linear
from .. import cel
from ..cel import checking, estimates
from ..customresources import structural, values
from ..customresources.structural import EMBEDDED, INT_OR_STRING, LIST_KEYS, LIST_TYPE, MAP_TYPE, PRESERVE, RULES
from ..errors import FieldError
from .expressions import not_compiled
from .metadata import Errors

Object = Mapping[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
DEPTH_MAX = 60
REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"]
MISSING_TYPE = {"root": "must not be empty at the root", "field": "must not be empty for specified object fields",
                "item": "must not be empty for specified array items"}
# What may not stand under allOf, anyOf, oneOf and not: ForbiddenGenerics and ForbiddenExtensions
NESTED = {"type": "must be empty to be structural", "default": "must be undefined to be structural", "title": "must be empty to be structural",
          "description": "must be empty to be structural", "nullable": "must be false to be structural",
          PRESERVE: "must be false to be structural", EMBEDDED: "must be false to be structural", INT_OR_STRING: "must be false to be structural",
          LIST_KEYS: "must be empty to be structural", LIST_TYPE: "must be undefined to be structural",
          MAP_TYPE: "must be undefined to be structural"}
EITHER = [{"type": "integer"}, {"type": "string"}]
UNSUPPORTED = {"id": "id", "additionalItems": "additionalItems", "patternProperties": "patternProperties", "definitions": "definitions",
               "dependencies": "dependencies", "$ref": "$ref"}
AT_ROOT = ("Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
           "UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations").split()


def validate_schema(schema: Object, path: str, errors: Errors) -> None:
    """validateCustomResourceDefinitionValidation, of a whole schema of one version."""
    if schema.get("nullable"):
        errors.append(FieldError.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    broken: Errors = []
    _structure(schema, path, "root", broken, 0)
    broken.sort(key=str)
    if not broken:
        _defaults(schema, path, broken)
    rules, at_nodes = _Rules(schema, path), Errors()
    rules.walk(schema, path, at_nodes, typed=not broken)
    errors += [*broken, *at_nodes, *rules.wrong, *rules.too_dear()]


# --- ValidateStructural ----------------------------------------------------------------------------------------------


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


# --- node by node ----------------------------------------------------------------------------------------------------


def _node(schema: Object, path: str, errors: Errors) -> None:
    kind = schema.get("type", "")
    if kind and kind not in TYPES:
        errors.append(FieldError.not_supported(f"{path}.type", kind, list(TYPES)))
    errors += (FieldError.forbidden(f"{path}.{member}", f"{name} is not supported") for member, name in UNSUPPORTED.items() if schema.get(member))
    if kind == "null":
        errors.append(FieldError.forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative"))
    if isinstance(schema.get("items"), list):
        errors.append(FieldError.forbidden(f"{path}.items", "items must be a schema object and not an array"))
    if schema.get("uniqueItems"):
        errors.append(FieldError.forbidden(f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
    if schema.get("additionalProperties") is False:
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false"))
    elif schema.get("additionalProperties") and schema.get("properties"):
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"))


def _extensions(schema: Object, path: str, errors: Errors) -> None:
    if schema.get(PRESERVE) is False:
        errors.append(FieldError.invalid(f"{path}.{PRESERVE}", False, "must be true or undefined"))
    relation, keys = schema.get(MAP_TYPE), schema.get(LIST_KEYS) or []
    if relation is not None:
        _needs_type(schema, "object", MAP_TYPE, path, errors)
        if relation not in ("atomic", "granular"):
            errors.append(FieldError.not_supported(f"{path}.{MAP_TYPE}", relation, ["atomic", "granular"]))
    relation = schema.get(LIST_TYPE)
    items = schema["items"] if isinstance(schema.get("items"), Mapping) else None
    if relation is not None and schema.get("type") != "array":
        _needs_type(schema, "array", LIST_TYPE, path, errors)
    elif relation == "set" and items is not None:
        said, inner = "must be atomic as item of a list with x-kubernetes-list-type=set", items.get("type")
        if inner == "array" and items.get(LIST_TYPE) not in (None, "atomic"):
            errors.append(FieldError.invalid(f"{path}.items.{LIST_TYPE}", items[LIST_TYPE], said))
        elif inner == "object" and items.get(MAP_TYPE) != "atomic":
            errors.append(FieldError.invalid(f"{path}.items.{MAP_TYPE}", items.get(LIST_TYPE), said))  # the server shows the other one
    if relation not in (None, "atomic", "set", "map"):
        errors.append(FieldError.not_supported(f"{path}.{LIST_TYPE}", relation, ["atomic", "set", "map"]))
    if keys and relation != "map":
        said = "must be map if x-kubernetes-list-map-keys is non-empty"
        errors.append(FieldError.required(f"{path}.{LIST_TYPE}", said) if relation is None else
                      FieldError.invalid(f"{path}.{LIST_TYPE}", relation, said))
    if relation == "map":
        _list_map(keys, items, path, errors)
    if relation in ("set", "map") and items is not None:
        _never_null(keys, items, relation, path, errors)


def _needs_type(schema: Object, wanted: str, member: str, path: str, errors: Errors) -> None:
    kind, said = schema.get("type"), f"must be {wanted} if {member} is specified"
    if not kind:
        errors.append(FieldError.required(f"{path}.type", said))
    elif kind != wanted:
        errors.append(FieldError.invalid(f"{path}.type", kind, said))


def _list_map(keys: list[str], items: Object | None, path: str, errors: Errors) -> None:
    if not keys:
        errors.append(FieldError.required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map"))
    if items is None:
        errors.append(FieldError.required(f"{path}.items", f"must have a schema if {LIST_TYPE} is map"))
    elif items.get("type") != "object":
        errors.append(FieldError.invalid(f"{path}.items.type", items.get("type", ""), f"must be object if parent array's {LIST_TYPE} is map"))
    else:
        for i, key in enumerate(keys):
            member = (items.get("properties") or {}).get(key)
            if member is None:
                errors.append(FieldError.invalid(f"{path}.{LIST_KEYS}", keys, "entries must all be names of item properties"))
            elif member.get("type") in ("array", "object"):
                errors.append(FieldError.invalid(f"{path}.items.properties[{key}].type", "object",
                                                 f"must be a scalar type if parent array's {LIST_TYPE} is map"))
            if key in keys[:i]:
                errors.append(FieldError.invalid(f"{path}.{LIST_KEYS}", keys, "must not contain duplicate entries"))


def _never_null(keys: list[str], items: Object, relation: str, path: str, errors: Errors) -> None:
    """validateMapListKeysMapSet."""
    if items.get("nullable"):
        errors.append(FieldError.forbidden(f"{path}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {relation}"))
    for key in keys if relation == "map" else ():
        member, here = (items.get("properties") or {}).get(key), f"{path}.items.properties[{key}]"
        if member is None:
            continue
        if key not in (items.get("required") or ()) and "default" not in member:
            errors.append(FieldError.required(f"{here}.default", f"this property is in {LIST_KEYS}, so it must have a default or be a required "
                                                                 "property"))
        if member.get("nullable"):
            errors.append(FieldError.forbidden(f"{here}.nullable", f"this property is in {LIST_KEYS}, so it cannot be nullable"))


# --- rules -----------------------------------------------------------------------------------------------------------


class _Rules:
    """The walk over all nodes, which counts what their rules may cost together (CELSchemaContext)."""

    def __init__(self, root: Object, path: str) -> None:
        self.root, self.path = root, path
        self.wrong: Errors = []
        self.total = 0
        self.dear: list[tuple[int, str]] = []

    def walk(self, schema: Any, path: str, errors: Errors, typed: bool, often: int | None = 1, depth: int = 0) -> None:
        """`often`: how many times a value of this schema may stand in an object, None where nothing bounds it."""
        if not isinstance(schema, Mapping) or depth > DEPTH_MAX:
            return
        before = len(errors)
        _node(schema, path, errors)
        for name in sorted(schema.get("properties") or ()):
            self.walk(schema["properties"][name], f"{path}.properties[{name}]", errors, typed, often, depth + 1)
        others, items = schema.get("additionalProperties"), schema.get("items")
        self.walk(others, f"{path}.additionalProperties", errors, typed, _bounded(often, schema.get("maxProperties")), depth + 1)
        for word in ("allOf", "oneOf", "anyOf"):
            for i, one in enumerate(schema.get(word) or ()):
                self.walk(one, f"{path}.{word}[{i}]", errors, False, often, depth + 1)
        self.walk(schema.get("not"), f"{path}.not", errors, False, often, depth + 1)
        self.walk(items, f"{path}.items", errors, typed, _bounded(often, schema.get("maxItems")), depth + 1)
        _extensions(schema, path, errors)
        rules = schema.get(RULES) or ()
        for i, rule in enumerate(rules):
            _rule(rule, schema, f"{path}.{RULES}[{i}]", errors)
        if typed and len(errors) == before:
            for i, rule in enumerate(rules):
                self.compile(rule, schema, f"{path}.{RULES}[{i}]", often)

    def compile(self, rule: Object, schema: Object, path: str, often: int | None) -> None:
        shown = {go: rule.get(go[0].lower() + go[1:], "") for go in ("Rule", "Message", "MessageExpression")}
        shown |= {"Reason": rule.get("reason"), "FieldPath": rule.get("fieldPath", ""), "OptionalOldSelf": rule.get("optionalOldSelf")}
        for member, what in (("rule", "estimated rule cost"), ("messageExpression", "estimated messageExpression cost")):
            text = rule.get(member)
            if not text:
                continue
            try:
                about_change = cel.compiled(text).about_change
                found, said = _checked(text, schema, schema is self.root)
            except (cel.CelError, RecursionError) as error:
                words = not_compiled(text, error) if isinstance(error, cel.CelError) else ""
                self.wrong.append(FieldError.invalid(f"{path}.{member}", shown, words or f"compilation failed: ERROR: <input>: {error}"))
                continue
            if said:
                self.wrong.append(FieldError.invalid(f"{path}.{member}", shown, "compilation failed: " + "\n".join(said)))
                continue
            if member == "rule" and found not in ("bool", checking.DYN):
                self.wrong.append(FieldError.invalid(f"{path}.{member}", shown, "cel expression must evaluate to a bool"))
                continue
            self.pay(text, schema, f"{path}.{member}", what, often if member == "rule" else 1)
            if member == "rule" and rule.get("optionalOldSelf") is not None and not about_change:
                self.wrong.append(FieldError.invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"],
                                                     "may not be set if oldSelf is not used in rule"))

    def pay(self, text: str, schema: Object, path: str, what: str, often: int | None) -> None:
        cost = min(estimates.cost(text, schema) * estimates.times_met(schema, often), estimates.MOST)
        if cost > estimates.RULE_LIMIT:
            self.wrong.append(FieldError.forbidden(path, estimates.exceeded(what, cost, estimates.RULE_LIMIT)))
        self.total = min(self.total + cost, estimates.MOST)
        if cost >= estimates.ALL_RULES_LIMIT // 100:
            self.dear = sorted([*self.dear, (cost, path)], key=lambda one: -one[0])[:4]

    def too_dear(self) -> Errors:
        """What all rules of the schema cost together."""
        if self.total <= estimates.ALL_RULES_LIMIT:
            return []
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        return [*(FieldError.forbidden(path, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema")
                  for _, path in self.dear), FieldError.forbidden(self.path, estimates.exceeded(what, self.total, estimates.ALL_RULES_LIMIT))]


def _bounded(often: int | None, most: Any) -> int | None:
    return None if often is None or most is None else often * int(most)


def _rule(rule: Object, schema: Object, path: str, errors: Errors) -> None:
    """What may be said of a rule before it is read."""
    text, message, expression, field = (rule.get(member) or "" for member in ("rule", "message", "messageExpression", "fieldPath"))
    if not text.strip():
        errors.append(FieldError.required(f"{path}.rule", "rule is not specified"))
    elif message and not message.strip():
        errors.append(FieldError.invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif re.search(r"[\n\r]", message.strip()):
        errors.append(FieldError.invalid(f"{path}.message", message, "message must not contain line breaks"))
    elif re.search(r"[\n\r]", text.strip()) and not message.strip():
        errors.append(FieldError.required(f"{path}.message", "message must be specified if rule contains line breaks"))
    if expression and not expression.strip():
        errors.append(FieldError.required(f"{path}.messageExpression", "messageExpression must be non-empty if specified"))
    if rule.get("reason") is not None and rule["reason"] not in REASONS:
        errors.append(FieldError.not_supported(f"{path}.reason", rule["reason"], REASONS))
    if field and not field.strip():
        errors.append(FieldError.invalid(f"{path}.fieldPath", field, "fieldPath must be non-empty if specified"))
    if re.search(r"[\n\r]", field):
        errors.append(FieldError.invalid(f"{path}.fieldPath", field, "fieldPath must not contain line breaks"))
    elif field.strip() and not reaches(schema, field):
        errors.append(FieldError.invalid(f"{path}.fieldPath", field, "fieldPath must be a valid path: does not refer to a valid field"))


def reaches(schema: Any, path: str) -> Object | None:
    """The schema of the field that a path like `.spec.parts['a.b'].name` means; None where there is none (cel.ValidFieldPath)."""
    steps = re.findall(r"\.([^.\[]+)|\['([^']*)'\]", path)
    if "".join(f".{plain}" if plain else f"['{quoted}']" for plain, quoted in steps) != path:
        return None
    for plain, quoted in steps:
        others = (schema or {}).get("additionalProperties")
        schema = ((schema or {}).get("properties") or {}).get(plain or quoted) or (others if isinstance(others, Mapping) else None)
    return schema if isinstance(schema, Mapping) else None


def _checked(text: str, schema: Object, root: bool) -> tuple[checking.Type, list[str]]:
    objects: dict[str, dict[str, checking.Type]] = {}
    own = _type(schema, "self", objects, root=root)
    return checking.check(text, {"self": own, "oldSelf": own}, own=objects)


def _type(schema: Any, name: str, objects: dict[str, dict[str, checking.Type]], *, root: bool = False) -> checking.Type:
    """A schema as the checker's types; objects by the path at which they stand."""
    if not isinstance(schema, Mapping) or schema.get(INT_OR_STRING) or schema.get(PRESERVE) or schema.get("format") in (
            "date", "date-time", "duration", "byte"):
        return checking.DYN
    kind, others = schema.get("type"), schema.get("additionalProperties")
    if kind == "array":
        return "list", _type(schema.get("items"), f"{name}.@items", objects)
    if kind == "object" and isinstance(others, Mapping):
        return "map", _type(others, f"{name}.@values", objects)
    if kind == "object":
        fields = {member: _type(one, f"{name}.{member}", objects) for member, one in (schema.get("properties") or {}).items()}
        if root or schema.get(EMBEDDED):
            fields |= {"apiVersion": "string", "kind": "string", "metadata": ("object", f"{name}.metadata")}
            objects[f"{name}.metadata"] = {"name": "string", "generateName": "string"}
        objects[name] = fields
        return ("object", name) if fields else checking.DYN
    return checking.WORDS.get(kind or "", checking.DYN)
