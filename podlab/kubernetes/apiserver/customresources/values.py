"""A custom object against its schema, in the words of the server (kube-openapi/pkg/validation, apiextensions-apiserver/pkg/apiserver/validation)."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from ...runtime import linear
from .. import cel
from ..errors import ApiError, FieldError, FieldErrors, show
from .structural import INT_OR_STRING, LIST_KEYS, LIST_TYPE, RULES

Json = Any
Schema = Mapping[str, Any]
INT32, INT64 = 2**31, 2**63
WORK_MAX = 200_000  # values and schemas that are held against each other for one object, each about 1.5 us; an alternative that fails takes ten
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\Z")
DURATION = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w))*\Z|0\Z")
HOSTNAME = re.compile(r"([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*\Z")


def validate(schema: Schema, value: Json, path: str, old: Json = None) -> list[FieldError]:
    """Everything that is wrong with a value. `old` is what stood there before, for rules about change."""
    errors = _Found([0])
    _check(schema, value, path, errors)
    if not errors:
        _list_types(schema, value, path, errors)
    if not errors:
        try:
            _rules(schema, value, old, path, errors, cel.Cost())
        except cel.Spent as spent:
            errors.append(FieldError.invalid(path or "<nil>", _shown(value), str(spent)))
    return errors


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    return "number" if isinstance(value, float) else "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


class _Found(FieldErrors):
    """What is wrong, and what it took to find it: a list of many items, each held against many alternatives, is checked for ever."""

    def __init__(self, spent: list[int]) -> None:
        super().__init__()
        self.spent = spent

    def spend(self, steps: int) -> None:
        """Raises ApiError 504, as a real server does after a minute."""
        self.spent[0] += steps
        if self.spent[0] > WORK_MAX:
            raise ApiError(504, "Timeout", "Timeout: request did not complete within requested timeout - context deadline exceeded")


def _check(schema: Schema, value: Json, path: str, errors: _Found) -> None:
    errors.spend(1 + len(schema.get("enum") or ()) // 20)
    if value is None and schema.get("nullable"):
        return
    kind, wanted = _kind(value), schema.get("type")
    if schema.get(INT_OR_STRING):
        if kind not in ("integer", "string"):
            errors.append(_mismatch(path, "integer,string", kind))
            return
    elif wanted and not (wanted == kind or (wanted == "number" and kind == "integer")):
        errors.append(_mismatch(path, wanted, kind))
        return
    if "enum" in schema and not any(value == one and type(value) is type(one) for one in schema["enum"]):
        errors.append(FieldError("FieldValueNotSupported", path, f"Unsupported value: {show(value)}: supported values: "
                                 + ", ".join(json.dumps(one, ensure_ascii=False) for one in schema["enum"])))
    if isinstance(value, str):
        _check_text(schema, value, path, errors)
    elif kind in ("integer", "number"):
        _check_number(schema, value, path, errors)
    elif isinstance(value, list):
        _check_size(value, "Items", schema, path, errors)
        for at, item in enumerate(value):
            _check(schema.get("items") or {}, item, f"{path}[{at}]", errors)
    elif isinstance(value, dict):
        _check_members(schema, value, path, errors)
    _check_alternatives(schema, value, path, errors)


def _mismatch(path: str, wanted: str, kind: str) -> FieldError:
    return FieldError("FieldValueTypeInvalid", path, f'Invalid value: "{kind}": {path} in body must be of type {wanted}: "{kind}"')


def _wrong(path: str, value: Json, words: str) -> FieldError:
    return FieldError.invalid(path, value, f"{path} in body {words}")


def pattern(text: str) -> linear.Regex | None:
    """A Go expression as one that never hangs; None where it has no such form."""
    try:
        return linear.compiled(text.replace(r"\z", r"\Z"), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None


def matches(text: str, value: str) -> bool:
    """Whether a value has the pattern; one that would take too long to judge is let through."""
    found = pattern(text)
    try:
        return found is None or found.search(value) is not None
    except linear.TooComplex:
        return True


def _check_text(schema: Schema, value: str, path: str, errors: list[FieldError]) -> None:
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        errors.append(FieldError.too_long(path, schema["maxLength"]))
    if "minLength" in schema and len(value) < schema["minLength"]:
        errors.append(_wrong(path, value, f"should be at least {schema['minLength']} chars long"))
    if "pattern" in schema and not matches(schema["pattern"], value):
        errors.append(_wrong(path, value, f"should match '{schema['pattern']}'"))
    form = schema.get("format")
    if form and not fits_format(form, value):
        errors.append(FieldError("FieldValueTypeInvalid", path,
                                 f"Invalid value: {show(value)}: {path} in body must be of type {form}: {show(value)}"))


def fits_format(form: str, value: str) -> bool:
    """The formats that the server knows of; others fit always (supportedFormats)."""
    if form in ("date-time", "datetime"):
        return DATE_TIME.match(value) is not None
    if form == "date":
        return re.match(r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])\Z", value) is not None
    if form in ("email", "uuid", "uuid3", "uuid4", "uuid5", "duration", "hostname"):
        return {"email": EMAIL, "duration": DURATION, "hostname": HOSTNAME}.get(form, UUID).match(value) is not None
    try:
        if form == "ipv4":
            ipaddress.IPv4Address(value)
        elif form == "ipv6":
            ipaddress.IPv6Address(value)
        elif form == "cidr":
            ipaddress.ip_network(value, strict=False)
            return "/" in value
        elif form == "byte":
            base64.b64decode(value, validate=True)
        elif form == "mac":
            return re.match(r"(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}\Z", value) is not None
        elif form == "uri":
            return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S*\Z|/\S*\Z", value) is not None
    except ValueError:
        return False
    return True


def _check_number(schema: Schema, value: Json, path: str, errors: list[FieldError]) -> None:
    form = schema.get("format")
    bound = {"int32": INT32, "int64": INT64}.get(form or "")
    if bound is not None and not -bound <= value < bound:
        errors.append(_wrong(path, value, f"must be of type {form}: {show(value)}"))
    if "minimum" in schema:
        least, open_ = schema["minimum"], schema.get("exclusiveMinimum")
        if value < least or (open_ and value == least):
            errors.append(_wrong(path, value, f"should be greater than {'' if open_ else 'or equal to '}{show(least)}"))
    if "maximum" in schema:
        most, open_ = schema["maximum"], schema.get("exclusiveMaximum")
        if value > most or (open_ and value == most):
            errors.append(_wrong(path, value, f"should be less than {'' if open_ else 'or equal to '}{show(most)}"))
    if schema.get("multipleOf") and value % schema["multipleOf"]:
        errors.append(_wrong(path, value, f"should be a multiple of {show(schema['multipleOf'])}"))


def _check_size(value: Json, what: str, schema: Schema, path: str, errors: list[FieldError]) -> None:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if most is not None and len(value) > most:
        errors.append(FieldError("FieldValueTooMany", path, f"Too many: {len(value)}: must have at most {most} items"))
    if least is not None and len(value) < least:
        errors.append(_wrong(path, len(value), f"should have at least {least} {what.lower()}"))


def _check_members(schema: Schema, value: Mapping[str, Json], path: str, errors: _Found) -> None:
    _check_size(value, "Properties", schema, path, errors)
    known, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for name in schema.get("required") or ():
        if name not in value:
            errors.append(FieldError.required(_under(path, name)))
    for name, member in value.items():
        if name in known:
            _check(known[name], member, _under(path, name), errors)
        elif isinstance(others, dict):
            _check(others, member, _under(path, name), errors)


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_alternatives(schema: Schema, value: Json, path: str, errors: _Found) -> None:
    def fits(one: Schema) -> bool:
        errors.spend(9)
        found = _Found(errors.spent)
        _check(one, value, path, found)
        return not found
    name = f'"{path}"'
    for one in schema.get("allOf") or ():
        before = len(errors)
        _check(one, value, path, errors)
        if len(errors) > before:
            errors.append(FieldError.invalid(path, "", f"{name} must validate all the schemas (allOf)"))
    if schema.get("anyOf") and not schema.get(INT_OR_STRING) and not any(fits(one) for one in schema["anyOf"]):
        errors.append(FieldError.invalid(path, "", f"{name} must validate at least one schema (anyOf)"))
    if schema.get("oneOf"):
        count = sum(fits(one) for one in schema["oneOf"])
        if count != 1:
            what = "Found none valid" if not count else f"Found {count} valid alternatives"
            errors.append(FieldError.invalid(path, "", f"{name} must validate one and only one schema (oneOf). {what}"))
    if schema.get("not") and fits(schema["not"]):
        errors.append(FieldError.invalid(path, "", f"{name} must not validate the schema (not)"))


def _list_types(schema: Schema, value: Json, path: str, errors: list[FieldError]) -> None:
    """Items that a set or a keyed list holds twice (schema/listtype)."""
    if isinstance(value, list):
        relation, items = schema.get(LIST_TYPE), schema.get("items") or {}
        seen: set[str] = set()
        for at, item in enumerate(value):
            if relation in ("set", "map"):
                key = {name: item[name] for name in schema.get(LIST_KEYS) or () if name in item} if relation == "map" else item
                text = json.dumps(key, sort_keys=True)
                if text in seen:
                    errors.append(FieldError.duplicate(f"{path}[{at}]", key))
                seen.add(text)
            _list_types(items, item, f"{path}[{at}]", errors)
    elif isinstance(value, dict):
        known, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, member in value.items():
            inner = known.get(name) or (others if isinstance(others, dict) else None)
            if inner:
                _list_types(inner, member, _under(path, name), errors)


def _rules(schema: Schema, value: Json, old: Json, path: str, errors: list[FieldError], cost: cel.Cost) -> None:
    """x-kubernetes-validations, from the outside in (apiserver/schema/cel/validation.go)."""
    for rule in schema.get(RULES) or ():
        expression = cel.compiled(rule["rule"])
        if (expression.about_change and old is None and not rule.get("optionalOldSelf")) or value is None:
            continue
        try:
            held = expression.holds({"self": value, **({"oldSelf": old} if expression.about_change else {})}, cost)
        except cel.Spent:
            raise
        except cel.CelError as error:
            errors.append(FieldError.invalid(path or "<nil>", _shown(value), f"rule evaluation error: {error}"))
            continue
        if not held:
            errors.append(_broken(rule, value, path, cost))
    if isinstance(value, dict):
        known, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, member in value.items():
            inner = known.get(name) or (others if isinstance(others, dict) else None)
            if inner:
                before = old.get(name) if isinstance(old, dict) else None
                _rules(inner, member, before, _under(path, name), errors, cost)
    elif isinstance(value, list):
        items = schema.get("items") or {}
        for at, item in enumerate(value):
            before = None
            if isinstance(old, list) and schema.get(LIST_TYPE) == "map" and isinstance(item, dict):
                keys = schema.get(LIST_KEYS) or ()
                before = next((one for one in old if all(one.get(key) == item.get(key) for key in keys)), None)
            _rules(items, item, before, f"{path}[{at}]", errors, cost)


def _broken(rule: Mapping[str, Any], value: Json, path: str, cost: cel.Cost) -> FieldError:
    words = rule.get("message") or ""
    if rule.get("messageExpression"):
        try:
            words = str(cel.compiled(rule["messageExpression"]).value({"self": value}, cost))
        except cel.CelError:
            words = words or f"failed rule: {rule['rule']}"
    words = words or f"failed rule: {rule['rule'].strip()}"
    field = path + (rule.get("fieldPath") or "") if path else (rule.get("fieldPath") or "").lstrip(".") or "<nil>"
    reason = rule.get("reason") or "FieldValueInvalid"
    if reason == "FieldValueForbidden":
        return FieldError.forbidden(field, words)
    if reason == "FieldValueRequired":
        return FieldError.required(field, words)
    if reason == "FieldValueDuplicate":
        return FieldError("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)!r}")
    return FieldError.invalid(field, _shown(value), words)


def _shown(value: Json) -> Json:
    """How a broken rule names what it looked at: objects and lists by their type alone."""
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else value
