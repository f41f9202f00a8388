"""Webhooks and admission policies (pkg/apis/admissionregistration/validation/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..cel import checking
from ..errors import FieldError, too_large_for_etcd
from . import words
from .client_config import validate_client_config
from .expressions import EXPRESSION_NAMES, one_of, validate_expression
from .metadata import Errors, complain, repeated, validate_label_name, validate_label_selector

Object = Mapping[str, Any]

FAILURE_POLICIES = ["Fail", "Ignore"]
MATCH_POLICIES = ["Equivalent", "Exact"]
OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
SCOPES = ["*", "Cluster", "Namespaced"]
SIDE_EFFECTS = ["None", "NoneOnDryRun"]
ACTIONS = ["Audit", "Deny", "Warn"]
REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"]
REVIEW_VERSIONS = ["v1", "v1beta1"]
MAX_CONDITIONS, MAX_AUDIT = 64, 20
IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*\Z")
RESERVED = frozenset("""true false null in as break const continue else for function if import let loop package namespace return var void
    while""".split())  # celReserved
MAX_EXPRESSIONS = 1_500  # of one object, each about 100 us
LONGEST_AUDIT = 5 * 1024  # maxAuditAnnotationValueExpressionLength


# --- what they look at -----------------------------------------------------------------------------------------------


def _rules(rules: Any, path: str, errors: Errors) -> None:
    for i, rule in enumerate(rules or ()):
        here = f"{path}[{i}]"
        names = rule.get("resourceNames") or []
        for j, (name, twice) in enumerate(zip(names, repeated(names), strict=True)):
            complain(errors, f"{here}.resourceNames[{j}]", name, words.bad_path_segment(name))
            if twice:
                errors.append(FieldError.duplicate(f"{here}.resourceNames[{j}]", name))
        operations = rule.get("operations") or []
        if not operations:
            errors.append(FieldError.required(f"{here}.operations"))
        _alone(operations, f"{here}.operations", "operations", errors)
        for j, operation in enumerate(operations):
            one_of(operation, f"{here}.operations[{j}]", OPERATIONS, errors)
        for member, others in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
            if not rule.get(member):
                errors.append(FieldError.required(f"{here}.{member}"))
            _alone(rule.get(member) or [], f"{here}.{member}", others, errors)
        for j, version in enumerate(rule.get("apiVersions") or ()):
            if not version:
                errors.append(FieldError.required(f"{here}.apiVersions[{j}]"))
        _resources(rule.get("resources") or [], f"{here}.resources", errors)
        one_of(rule.get("scope"), f"{here}.scope", SCOPES, errors)


def _alone(values: list[str], path: str, others: str, errors: Errors) -> None:
    if len(values) > 1 and "*" in values:
        errors.append(FieldError.invalid(path, values, f"if '*' is present, must not specify other {others}"))


def _resources(resources: list[str], path: str, errors: Errors) -> None:
    """validateResources: what one pattern already means may not be named by another."""
    if not resources:
        errors.append(FieldError.required(path))
    seen: set[str] = set()
    for i, whole in enumerate(resources):
        name, slash, sub = whole.partition("/")
        if not whole:
            errors.append(FieldError.required(f"{path}[{i}]"))
        if slash and f"{name}/*" in seen:
            errors.append(FieldError.invalid(f"{path}[{i}]", whole, f"if '{name}/*' is present, must not specify {whole}"))
        if slash and f"*/{sub}" in seen:
            errors.append(FieldError.invalid(f"{path}[{i}]", whole, f"if '*/{sub}' is present, must not specify {whole}"))
        seen.add(whole)
    if len(resources) > 1 and "*/*" in resources:
        errors.append(FieldError.invalid(path, resources, "if '*/*' is present, must not specify other resources"))
    if "*" in resources and "/" not in resources[-1] and resources[-1] != "*":  # so the server looks: at the last one without a subresource
        errors.append(FieldError.invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))


def _match_resources(value: Object | None, path: str, errors: Errors) -> None:
    if value is None:
        return
    one_of(value.get("matchPolicy"), f"{path}.matchPolicy", MATCH_POLICIES, errors)
    validate_label_selector(value.get("namespaceSelector"), f"{path}.namespaceSelector", errors)
    validate_label_selector(value.get("objectSelector"), f"{path}.objectSelector", errors)
    for member in ("resourceRules", "excludeResourceRules"):
        _rules(value.get(member), f"{path}.{member}", errors)


def _match_conditions(conditions: Any, path: str, errors: Errors, names_in_it: tuple[str, ...]) -> None:
    names = [one.get("name") or "" for one in conditions or ()]
    if len(names) > MAX_CONDITIONS:
        errors.append(FieldError.too_many(path, len(names), MAX_CONDITIONS))
    twice = repeated(names)
    for i, one in enumerate(conditions or ()):
        here = f"{path}[{i}]"
        validate_expression(one, here, errors, why="", names=names_in_it, gives=("bool",))
        if not names[i]:
            errors.append(FieldError.required(f"{here}.name"))
            continue
        validate_label_name(names[i], f"{here}.name", errors)
        if twice[i]:
            errors.append(FieldError.duplicate(f"{here}.name", names[i]))


# --- webhooks --------------------------------------------------------------------------------------------------------


def webhook_configuration(obj: Object, errors: Errors, _: Any = None) -> None:
    _affordable(*(hook.get("matchConditions") for hook in obj.get("webhooks") or ()))
    seen: set[str] = set()
    for i, hook in enumerate(obj.get("webhooks") or ()):
        path, name = f"webhooks[{i}]", hook.get("name", "")
        _fully_qualified(name, f"{path}.name", errors)
        _webhook(hook, path, errors)
        _review_versions(hook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions", errors)
        if name and name in seen:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        seen.add(name)


def _fully_qualified(name: str, path: str, errors: Errors) -> None:
    """IsFullyQualifiedName."""
    complaints = words.bad_subdomain(name)
    if not name:
        errors.append(FieldError.required(path))
    elif complaints:
        errors.append(FieldError.invalid(path, name, ",".join(complaints)))
    elif name.count(".") < 2:
        errors.append(FieldError.invalid(path, name, "should be a domain with at least three segments separated by dots"))


def _review_versions(versions: list[str], path: str, errors: Errors) -> None:
    if not versions:
        errors.append(FieldError.required(path, f"must specify one of {', '.join(REVIEW_VERSIONS)}"))
        return
    for i, (version, twice) in enumerate(zip(versions, repeated(versions), strict=True)):
        if twice:
            errors.append(FieldError.invalid(f"{path}[{i}]", version, "duplicate version"))
        else:
            complain(errors, f"{path}[{i}]", version, words.bad_dns1035_label(version))
    if not any(version in REVIEW_VERSIONS for version in versions):
        errors.append(FieldError.invalid(path, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))


def _webhook(hook: Object, path: str, errors: Errors) -> None:
    _rules(hook.get("rules"), f"{path}.rules", errors)
    one_of(hook.get("failurePolicy"), f"{path}.failurePolicy", FAILURE_POLICIES, errors)
    one_of(hook.get("matchPolicy"), f"{path}.matchPolicy", MATCH_POLICIES, errors)
    if hook.get("sideEffects") is None:
        errors.append(FieldError.required(f"{path}.sideEffects", f"must specify one of {', '.join(SIDE_EFFECTS)}"))
    one_of(hook.get("sideEffects"), f"{path}.sideEffects", SIDE_EFFECTS, errors)
    if not 1 <= hook.get("timeoutSeconds", 10) <= 30:
        errors.append(FieldError.invalid(f"{path}.timeoutSeconds", hook["timeoutSeconds"], "the timeout value must be between 1 and 30 seconds"))
    for member in ("namespaceSelector", "objectSelector"):
        validate_label_selector(hook.get(member), f"{path}.{member}", errors)
    one_of(hook.get("reinvocationPolicy"), f"{path}.reinvocationPolicy", ["IfNeeded", "Never"], errors)
    validate_client_config(hook.get("clientConfig") or {}, f"{path}.clientConfig", errors)
    _match_conditions(hook.get("matchConditions"), f"{path}.matchConditions", errors, _without("params", "variables"))


# --- policies --------------------------------------------------------------------------------------------------------


def _affordable(*lists: Any) -> None:
    """Raises ApiError for more expressions than anybody could check in a fifth of a second, or would want to have checked at each write."""
    if sum(len(one or ()) for one in lists) > MAX_EXPRESSIONS:
        raise too_large_for_etcd()


def _policy(spec: Object, errors: Errors) -> dict[str, checking.Type]:
    """What both kinds of policies have; the types of its variables."""
    _affordable(*(spec.get(member) for member in ("validations", "auditAnnotations", "variables", "matchConditions", "mutations")))
    one_of(spec.get("failurePolicy"), "spec.failurePolicy", FAILURE_POLICIES, errors)
    if (kind := spec.get("paramKind")) is not None:
        _param_kind(kind.get("apiVersion", ""), kind.get("kind", ""), "spec.paramKind", errors)
    if spec.get("matchConstraints") is None:
        errors.append(FieldError.required("spec.matchConstraints"))
    else:
        _match_resources(spec["matchConstraints"], "spec.matchConstraints", errors)
        if not spec["matchConstraints"].get("resourceRules"):
            errors.append(FieldError.required("spec.matchConstraints.resourceRules"))
    unknown = ("params",) if spec.get("paramKind") is None else ()
    _match_conditions(spec.get("matchConditions"), "spec.matchConditions", errors, _without("variables", *unknown))
    types: dict[str, checking.Type] = {}
    for i, one in enumerate(spec.get("variables") or ()):
        here, name = f"spec.variables[{i}]", one.get("name") or ""
        if not name.strip():
            errors.append(FieldError.required(f"{here}.name", "name is not specified"))
        elif not IDENTIFIER.match(name) or name in RESERVED:
            errors.append(FieldError.invalid(f"{here}.name", name, "name is not a valid CEL identifier"))
        types[name] = validate_expression(one, here, errors, names=_without(*unknown), variables=types)
    return types


def _without(*names: str) -> tuple[str, ...]:
    """What an expression may name."""
    return tuple(name for name in EXPRESSION_NAMES if name not in names)


def _names(spec: Object) -> tuple[str, ...]:
    """What the expressions of a policy may name: there are parameters where there is a kind of them, and variables where there are any."""
    return _without(*(() if spec.get("paramKind") else ("params",)), *(() if spec.get("variables") else ("variables",)))


def _param_kind(version: str, kind: str, path: str, errors: Errors) -> None:
    """validateParamKind."""
    group, slash, short = version.partition("/")
    if not slash:
        group, short = "", version
    if not version:
        errors.append(FieldError.required(f"{path}.apiVersion"))
    elif "/" in short and version != "/":
        errors.append(FieldError.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    else:
        if group and (complaints := words.bad_subdomain(group)):
            errors.append(FieldError.invalid(f"{path}.apiVersion", group, ",".join(complaints)))
        if not short:
            errors.append(FieldError.invalid(f"{path}.apiVersion", version, "version must be specified"))
        elif complaints := words.bad_dns1035_label(short):
            errors.append(FieldError.invalid(f"{path}.apiVersion", short, ",".join(complaints)))
    if not kind:
        errors.append(FieldError.required(f"{path}.kind"))
    elif complaints := words.bad_dns1035_label(kind.lower()):
        errors.append(FieldError.invalid(f"{path}.kind", kind, "may have mixed case, but should otherwise match: " + ",".join(complaints)))


def _validation(one: Object, path: str, errors: Errors, names: tuple[str, ...], variables: Mapping[str, checking.Type]) -> None:
    """validateValidation."""
    validate_expression(one, path, errors, names=names, gives=("bool",), variables=variables)
    said, message = one.get("messageExpression"), one.get("message")
    if said and not said.strip():
        errors.append(FieldError.invalid(f"{path}.messageExpression", said, "must be non-empty if specified"))
    elif said:
        names = tuple(name for name in names if name != "authorizer")
        validate_expression(one, path, errors, "messageExpression", names=names, gives=("string",), variables=variables)
    if message and not message.strip():
        errors.append(FieldError.invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif message and re.search(r"[\n\r]", message.strip()):
        errors.append(FieldError.invalid(f"{path}.message", message, "message must not contain line breaks"))
    one_of(one.get("reason"), f"{path}.reason", REASONS, errors)


def validating_admission_policy(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    variables, names = _policy(spec, errors), _names(spec)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        for member in ("validations", "auditAnnotations"):
            errors.append(FieldError.required(f"spec.{member}", "validations or auditAnnotations must contain at least one item"))
    for i, one in enumerate(spec.get("validations") or ()):
        _validation(one, f"spec.validations[{i}]", errors, names, variables)
    audits = spec.get("auditAnnotations") or []
    if len(audits) > MAX_AUDIT:
        shown = [{"Key": one.get("key", ""), "ValueExpression": one.get("valueExpression", "")} for one in audits]
        errors.append(FieldError.invalid("spec.auditAnnotations", shown, f"must not have more than {MAX_AUDIT} auditAnnotations"))
    twice = repeated(one.get("key") for one in audits)
    for i, one in enumerate(audits):
        here, key = f"spec.auditAnnotations[{i}]", f"{obj['metadata'].get('name') or ''}/{one.get('key', '')}"
        if key.startswith("/"):
            errors.append(FieldError.invalid(f"{here}.key", key[1:], "requires metadata.name be non-empty"))
        else:
            validate_label_name(key, f"{here}.key", errors)
        if len(one.get("valueExpression", "").strip()) > LONGEST_AUDIT:
            errors.append(FieldError.required(f"{here}.valueExpression", f"must not exceed {LONGEST_AUDIT} bytes in length"))
        else:
            validate_expression(one, here, errors, "valueExpression", names=names, gives=("string", "null"), variables=variables)
        if twice[i]:
            errors.append(FieldError.duplicate(f"spec.auditAnnotations[{i}].key", one.get("key", "")))


PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}


def _mutation(one: Object, path: str, errors: Errors) -> None:
    """validateMutation."""
    kind = one.get("patchType", "")
    if not kind:
        errors.append(FieldError.required(f"{path}.patchType"))
    elif kind not in PATCHES:
        errors.append(FieldError.not_supported(f"{path}.patchType", kind, sorted(PATCHES)))
    else:
        for other, member in PATCHES.items():
            if other != kind and one.get(member) is not None:
                errors.append(FieldError.forbidden(f"{path}.{member}", f"must be omitted for patchType: {kind}"))
                return
        patch = one.get(PATCHES[kind])
        if patch is None:
            errors.append(FieldError.required(f"{path}.{PATCHES[kind]}", f"must be specified for patchType: {kind}"))
        elif not patch.get("expression", "").strip():
            errors.append(FieldError.required(f"{path}.{PATCHES[kind]}.expression", "expression is not specified"))


def mutating_admission_policy(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    _policy(spec, errors)
    if not spec.get("mutations"):
        errors.append(FieldError.required("spec.mutations", "mutations must contain at least one item"))
    for i, one in enumerate(spec.get("mutations") or ()):
        _mutation(one, f"spec.mutations[{i}]", errors)
    if not spec.get("reinvocationPolicy"):
        errors.append(FieldError.required("spec.reinvocationPolicy"))
    else:
        one_of(spec["reinvocationPolicy"], "spec.reinvocationPolicy", ["IfNeeded", "Never"], errors)


def _binding(spec: Object, errors: Errors) -> None:
    if not spec.get("policyName"):
        errors.append(FieldError.required("spec.policyName"))
    else:
        complain(errors, "spec.policyName", spec["policyName"], words.bad_subdomain(spec["policyName"]))
    if (reference := spec.get("paramRef")) is not None:
        _parameters(reference, "spec.paramRef", errors)
    _match_resources(spec.get("matchResources"), "spec.matchResources", errors)


def _parameters(reference: Object, path: str, errors: Errors) -> None:
    """validateParamRef."""
    name, selector, action = reference.get("name"), reference.get("selector"), reference.get("parameterNotFoundAction")
    both = "name and selector are mutually exclusive"
    if name:
        complain(errors, f"{path}.name", name, words.bad_path_segment(name))
        if selector is not None:
            errors.append(FieldError.forbidden(f"{path}.name", both))
    if selector is not None:
        validate_label_selector(selector, f"{path}.selector", errors)
        if name:
            errors.append(FieldError.forbidden(f"{path}.selector", both))
    if not name and selector is None:
        errors.append(FieldError.required(path, "one of name or selector must be specified"))
    if not action:
        errors.append(FieldError.required(f"{path}.parameterNotFoundAction"))
    else:
        one_of(action, f"{path}.parameterNotFoundAction", ["Deny", "Allow"], errors)


def mutating_admission_policy_binding(obj: Object, errors: Errors, _: Any = None) -> None:
    _binding(obj.get("spec") or {}, errors)


def validating_admission_policy_binding(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    _binding(spec, errors)
    actions = spec.get("validationActions") or []
    for i, (action, twice) in enumerate(zip(actions, repeated(actions), strict=True)):
        one_of(action, f"spec.validationActions[{i}]", ACTIONS, errors)
        if twice:
            errors.append(FieldError.duplicate(f"spec.validationActions[{i}]", action))
    if "Deny" in actions and "Warn" in actions:
        errors.append(FieldError.invalid("spec.validationActions", actions, "must not contain both Deny and Warn (repeating the same validation "
                                         "failure information in the API response and headers serves no purpose)"))
    if not actions:
        errors.append(FieldError.required("spec.validationActions", "at least one validation action is required"))
