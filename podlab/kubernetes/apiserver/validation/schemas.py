"""Schemas of CustomResourceDefinitions: that they are structural, and what stands at each of their nodes.

What structure.py finds is told of first; then, node by node, the schema, and last the rules.
Source: apiextensions-apiserver, pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import cel
from ..cel import checking, estimates
from ..customresources.structural import EMBEDDED, INT_OR_STRING, LIST_KEYS, LIST_TYPE, MAP_TYPE, PRESERVE, RULES
from ..errors import FieldError, FieldErrors
from . import structure
from .expressions import not_compiled
from .metadata import Errors, repeated

Object = Mapping[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
DEPTH_MAX = 60
REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"]
UNSUPPORTED = {"id": "id", "additionalItems": "additionalItems", "patternProperties": "patternProperties", "definitions": "definitions",
               "dependencies": "dependencies", "$ref": "$ref"}
AT_ROOT = ("description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems "
           "uniqueItems multipleOf required items properties externalDocs example x-kubernetes-preserve-unknown-fields "
           "x-kubernetes-validations").split()  # allowedFieldsAtRootSchema


def validate_schema(schema: Object, path: str, errors: Errors, *, status: bool = False) -> None:
    """validateCustomResourceDefinitionValidation, of a whole schema of one version. `status`: which has the subresource."""
    if status:
        _at_root(schema, path, errors)
    if schema.get("nullable"):
        errors.append(FieldError.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    broken = structure.faults(schema, path)
    rules, at_nodes = _Rules(schema, path), FieldErrors()
    rules.walk(schema, path, at_nodes, typed=not broken)
    errors += [*broken, *at_nodes, *rules.wrong, *rules.too_dear()]


def _at_root(schema: Object, path: str, errors: Errors) -> None:
    """What a root may have whose status is looked at alone: properties["status"] must hold all that is said of it."""
    if schema.get("type") and schema["type"] != "object":
        errors.append(FieldError.invalid(f"{path}.type", schema["type"], 'only "object" is allowed as the type at the root of the schema if the '
                                                                         "status subresource is enabled"))
    elif any(value not in (None, False, "", [], {}) and member not in AT_ROOT for member, value in schema.items()):
        names = " ".join("X" + "".join(map(str.capitalize, name.split("-")[2:])) if "-" in name else name[0].upper() + name[1:] for name in AT_ROOT)
        errors.append(FieldError.invalid(path, schema, f"only [{names}] fields are allowed at the root of the schema if the status subresource is "
                                                       "enabled"))


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
        for key, twice in zip(keys, repeated(keys), strict=True):
            member = (items.get("properties") or {}).get(key)
            if member is None:
                errors.append(FieldError.invalid(f"{path}.{LIST_KEYS}", keys, "entries must all be names of item properties"))
            elif member.get("type") in ("array", "object"):
                errors.append(FieldError.invalid(f"{path}.items.properties[{key}].type", "object",
                                                 f"must be a scalar type if parent array's {LIST_TYPE} is map"))
            if twice:
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
        self.wrong = FieldErrors()
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
    """A schema as the checker's types; objects by the path at which they stand. A rule sees no field that is kept without being declared
    (SchemaDeclType in apiserver/pkg/cel/common/schemas.go)."""
    if not isinstance(schema, Mapping) or schema.get(INT_OR_STRING) or schema.get("format") in ("date", "date-time", "duration", "byte"):
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
        return "object", name
    return checking.WORDS.get(kind or "", checking.DYN)
