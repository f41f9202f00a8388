"""The kinds that configure the cluster itself, in what manifests get wrong: what must be there, names and enumerations.

Sources: pkg/apis/{admissionregistration,certificates,flowcontrol,networking,resource}/validation and kube-aggregator's.
CEL expressions are refused where they are none; those beyond what is worked out here (apiserver/cel) are stored.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any

from .. import cel
from ..errors import FieldError
from . import words
from .metadata import Errors, complain, validate_label_selector

Object = Mapping[str, Any]

FAILURE_POLICIES = ["Fail", "Ignore"]
MATCH_POLICIES = ["Equivalent", "Exact"]
OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
SCOPES = ["*", "Cluster", "Namespaced"]
SIDE_EFFECTS = ["None", "NoneOnDryRun"]
ACTIONS = ["Audit", "Deny", "Warn"]
REVIEW_VERSIONS = ["v1", "v1beta1"]
EXPRESSION_NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer")


def _one_of(value: Any, path: str, allowed: list[str], errors: Errors) -> None:
    if value is not None and value not in allowed:
        errors.append(FieldError.not_supported(path, value, allowed))


def _expression(value: Object, path: str, errors: Errors, member: str = "expression") -> None:
    if not str(value.get(member) or "").strip():
        errors.append(FieldError.required(f"{path}.{member}", f"{member} is not specified"))
        return
    try:
        cel.compiled(value[member], EXPRESSION_NAMES)
    except cel.CelError as error:
        if str(error).startswith("Syntax error"):  # what is no CEL at all; what is not worked out here is said when it is asked
            errors.append(FieldError.invalid(f"{path}.{member}", value[member], f"compilation failed: ERROR: <input>:1:1: {error}"))


# --- admissionregistration -----------------------------------------------------------------------------------------


def _rules(rules: Any, path: str, errors: Errors) -> None:
    for i, rule in enumerate(rules or ()):
        here = f"{path}[{i}]"
        for member in ("apiGroups", "apiVersions", "operations", "resources"):
            if not rule.get(member):
                errors.append(FieldError.required(f"{here}.{member}"))
        for j, operation in enumerate(rule.get("operations") or ()):
            _one_of(operation, f"{here}.operations[{j}]", OPERATIONS, errors)
        _one_of(rule.get("scope"), f"{here}.scope", SCOPES, errors)


def _match_resources(value: Object | None, path: str, errors: Errors) -> None:
    if value is None:
        return
    _one_of(value.get("matchPolicy"), f"{path}.matchPolicy", MATCH_POLICIES, errors)
    validate_label_selector(value.get("namespaceSelector"), f"{path}.namespaceSelector", errors)
    validate_label_selector(value.get("objectSelector"), f"{path}.objectSelector", errors)
    for member in ("resourceRules", "excludeResourceRules"):
        _rules(value.get(member), f"{path}.{member}", errors)


def _policy(spec: Object, errors: Errors) -> None:
    _one_of(spec.get("failurePolicy"), "spec.failurePolicy", FAILURE_POLICIES, errors)
    if (kind := spec.get("paramKind")) is not None:
        for member in ("apiVersion", "kind"):
            if not kind.get(member):
                errors.append(FieldError.required(f"spec.paramKind.{member}"))
    if spec.get("matchConstraints") is None:
        errors.append(FieldError.required("spec.matchConstraints"))
    else:
        _match_resources(spec["matchConstraints"], "spec.matchConstraints", errors)
        if not spec["matchConstraints"].get("resourceRules"):
            errors.append(FieldError.required("spec.matchConstraints.resourceRules"))
    for member in ("matchConditions", "variables"):
        for i, one in enumerate(spec.get(member) or ()):
            _expression(one, f"spec.{member}[{i}]", errors)


def validating_admission_policy(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    _policy(spec, errors)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        for member in ("validations", "auditAnnotations"):
            errors.append(FieldError.required(f"spec.{member}", "validations or auditAnnotations must contain at least one item"))
    for i, one in enumerate(spec.get("validations") or ()):
        _expression(one, f"spec.validations[{i}]", errors)
        _one_of(one.get("reason"), f"spec.validations[{i}].reason", ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"], errors)
    for i, one in enumerate(spec.get("auditAnnotations") or ()):
        _expression(one, f"spec.auditAnnotations[{i}]", errors, "valueExpression")


def mutating_admission_policy(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    _policy(spec, errors)
    if not spec.get("mutations"):
        errors.append(FieldError.required("spec.mutations", "mutations must contain at least one item"))
    for i, one in enumerate(spec.get("mutations") or ()):
        _one_of(one.get("patchType"), f"spec.mutations[{i}].patchType", ["ApplyConfiguration", "JSONPatch"], errors)
    if not spec.get("reinvocationPolicy"):
        errors.append(FieldError.required("spec.reinvocationPolicy"))
    else:
        _one_of(spec["reinvocationPolicy"], "spec.reinvocationPolicy", ["IfNeeded", "Never"], errors)


def _binding(spec: Object, errors: Errors) -> None:
    if not spec.get("policyName"):
        errors.append(FieldError.required("spec.policyName"))
    if (reference := spec.get("paramRef")) is not None:
        if not reference.get("name") and reference.get("selector") is None:
            errors.append(FieldError.required("spec.paramRef", "one of name or selector must be specified"))
        if not reference.get("parameterNotFoundAction"):
            errors.append(FieldError.required("spec.paramRef.parameterNotFoundAction"))
        else:
            _one_of(reference["parameterNotFoundAction"], "spec.paramRef.parameterNotFoundAction", ["Deny", "Allow"], errors)
    _match_resources(spec.get("matchResources"), "spec.matchResources", errors)


def mutating_admission_policy_binding(obj: Object, errors: Errors, _: Any = None) -> None:
    _binding(obj.get("spec") or {}, errors)


def validating_admission_policy_binding(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    _binding(spec, errors)
    actions = spec.get("validationActions") or []
    if not actions:
        errors.append(FieldError.required("spec.validationActions"))
    for i, action in enumerate(actions):
        _one_of(action, f"spec.validationActions[{i}]", ACTIONS, errors)
        if action in actions[:i]:
            errors.append(FieldError.duplicate(f"spec.validationActions[{i}]", action))
    if "Deny" in actions and "Warn" in actions:
        errors.append(FieldError.invalid("spec.validationActions", actions, "must not contain both Deny and Warn (repeating the same validation "
                                         "failure information in the API response and headers serves no purpose)"))


def webhook_configuration(obj: Object, errors: Errors, _: Any = None) -> None:
    seen: list[str] = []
    for i, hook in enumerate(obj.get("webhooks") or ()):
        path, name = f"webhooks[{i}]", hook.get("name", "")
        if not name:
            errors.append(FieldError.required(f"{path}.name"))
        elif name.count(".") < 2:
            errors.append(FieldError.invalid(f"{path}.name", name, "should be a domain with at least three segments separated by dots"))
        else:
            complain(errors, f"{path}.name", name, words.bad_subdomain(name))
        if name in seen:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        seen.append(name)
        _webhook(hook, path, errors)


def _webhook(hook: Object, path: str, errors: Errors) -> None:
    versions = hook.get("admissionReviewVersions") or []
    if not versions:
        errors.append(FieldError.required(f"{path}.admissionReviewVersions", f"must specify one of {', '.join(REVIEW_VERSIONS)}"))
    elif not any(version in REVIEW_VERSIONS for version in versions):
        errors.append(FieldError.invalid(f"{path}.admissionReviewVersions", versions,
                                         f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))
    _rules(hook.get("rules"), f"{path}.rules", errors)
    _one_of(hook.get("failurePolicy"), f"{path}.failurePolicy", FAILURE_POLICIES, errors)
    _one_of(hook.get("matchPolicy"), f"{path}.matchPolicy", MATCH_POLICIES, errors)
    if not hook.get("sideEffects"):
        errors.append(FieldError.required(f"{path}.sideEffects", f"must specify one of {', '.join(SIDE_EFFECTS)}"))
    else:
        _one_of(hook["sideEffects"], f"{path}.sideEffects", SIDE_EFFECTS, errors)
    if not 1 <= hook.get("timeoutSeconds", 10) <= 30:
        errors.append(FieldError.invalid(f"{path}.timeoutSeconds", hook["timeoutSeconds"], "the timeout value must be between 1 and 30 seconds"))
    for member in ("namespaceSelector", "objectSelector"):
        validate_label_selector(hook.get(member), f"{path}.{member}", errors)
    for i, one in enumerate(hook.get("matchConditions") or ()):
        _expression(one, f"{path}.matchConditions[{i}]", errors)
    config = hook.get("clientConfig") or {}
    if (config.get("url") is None) == (config.get("service") is None):
        errors.append(FieldError.required(f"{path}.clientConfig", "exactly one of url or service is required"))


# --- certificates --------------------------------------------------------------------------------------------------


def certificate_signing_request(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    request = base64.b64decode(spec.get("request") or "")
    if not spec.get("usages"):
        errors.append(FieldError.required("spec.usages"))
    if b"BEGIN CERTIFICATE REQUEST" not in request:
        shown = "[]byte{" + ", ".join(f"0x{byte:x}" for byte in request) + "}"
        errors.append(FieldError("FieldValueInvalid", "spec.request",
                                 f"Invalid value: {shown}: PEM block type must be CERTIFICATE REQUEST"))
    name = spec.get("signerName", "")
    if not name:
        errors.append(FieldError.required("spec.signerName"))
    elif name.count("/") != 1 or "." not in name.partition("/")[0]:
        errors.append(FieldError.invalid("spec.signerName", name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        errors.append(FieldError.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))


def certificate_signing_request_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("spec") != old.get("spec"):
        errors.append(FieldError.forbidden("spec", "updates to spec are forbidden."))


# --- flowcontrol ---------------------------------------------------------------------------------------------------


def flow_schema(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    if not 1 <= spec.get("matchingPrecedence", 1000) <= 10000:
        errors.append(FieldError.invalid("spec.matchingPrecedence", spec["matchingPrecedence"],
                                         "must be a value between 1 and 10000, inclusive"))
    if (method := spec.get("distinguisherMethod")) is not None:
        _one_of(method.get("type"), "spec.distinguisherMethod.type", ["ByNamespace", "ByUser"], errors)
    if not (spec.get("priorityLevelConfiguration") or {}).get("name"):
        errors.append(FieldError.required("spec.priorityLevelConfiguration.name", "must reference a priority level"))
    for i, rule in enumerate(spec.get("rules") or ()):
        path = f"spec.rules[{i}]"
        if not rule.get("subjects"):
            errors.append(FieldError.required(f"{path}.subjects", "subjects must contain at least one value"))
        if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
            errors.append(FieldError.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))


def priority_level(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    kind = spec.get("type", "")
    if kind == "Limited":
        if spec.get("limited") is None:
            errors.append(FieldError.required("spec.limited", "must not be empty when type is Limited"))
        else:
            _one_of((spec["limited"].get("limitResponse") or {}).get("type", ""), "spec.limited.limitResponse.type", ["Queue", "Reject"], errors)
    elif kind == "Exempt":
        if spec.get("limited") is not None:
            errors.append(FieldError.forbidden("spec.limited", "must be nil if the type is not Limited"))
    else:
        errors.append(FieldError.not_supported("spec.type", kind, ["Exempt", "Limited"]))


# --- networking ----------------------------------------------------------------------------------------------------


def ip_address(obj: Object, errors: Errors, _: Any = None) -> None:
    name = obj["metadata"].get("name") or ""
    if not words.address(name):
        errors.append(FieldError.invalid("metadata.name", name, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    for member in ("resource", "name"):
        if not parent.get(member):
            errors.append(FieldError.required(f"spec.parentRef.{member}"))


def service_cidr(obj: Object, errors: Errors, _: Any = None) -> None:
    cidrs = (obj.get("spec") or {}).get("cidrs") or []
    if not cidrs:
        errors.append(FieldError.required("spec.cidrs", "at least one CIDR required"))
    for i, text in enumerate(cidrs):
        try:
            ipaddress.ip_network(text)
        except ValueError:
            errors.append(FieldError.invalid(f"spec.cidrs[{i}]", text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))


# --- resource.k8s.io -----------------------------------------------------------------------------------------------


def device_class(obj: Object, errors: Errors, _: Any = None) -> None:
    _selectors((obj.get("spec") or {}).get("selectors"), "spec.selectors", errors)


def _selectors(selectors: Any, path: str, errors: Errors) -> None:
    for i, one in enumerate(selectors or ()):
        if one.get("cel") is None:
            errors.append(FieldError.required(f"{path}[{i}].cel"))
        else:
            _expression(one["cel"], f"{path}[{i}].cel", errors)


def _claim_spec(spec: Object, path: str, errors: Errors) -> None:
    for i, request in enumerate((spec.get("devices") or {}).get("requests") or ()):
        here = f"{path}.devices.requests[{i}]"
        complain(errors, f"{here}.name", request.get("name", ""), words.bad_label(request.get("name", "")))
        exactly, first = request.get("exactly"), request.get("firstAvailable")
        if exactly is None and not first:
            errors.append(FieldError.required(here, "exactly one of `exactly` or `firstAvailable` is required"))
        elif exactly is not None and first:
            errors.append(FieldError.invalid(here, None, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"))
        for at, one in ((f"{here}.exactly", exactly), *((f"{here}.firstAvailable[{j}]", one) for j, one in enumerate(first or ()))):
            if one is not None:
                _request(one, at, errors)


def _request(one: Object, path: str, errors: Errors) -> None:
    if not one.get("deviceClassName"):
        errors.append(FieldError.required(f"{path}.deviceClassName"))
    else:
        complain(errors, f"{path}.deviceClassName", one["deviceClassName"], words.bad_subdomain(one["deviceClassName"]))
    _one_of(one.get("allocationMode"), f"{path}.allocationMode", ["All", "ExactCount"], errors)
    _selectors(one.get("selectors"), f"{path}.selectors", errors)


def resource_claim(obj: Object, errors: Errors, _: Any = None) -> None:
    _claim_spec(obj.get("spec") or {}, "spec", errors)


def resource_claim_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("spec") != old.get("spec"):
        errors.append(FieldError.invalid("spec", new.get("spec"), words.IMMUTABLE))


def resource_claim_template(obj: Object, errors: Errors, _: Any = None) -> None:
    _claim_spec((obj.get("spec") or {}).get("spec") or {}, "spec.spec", errors)


def resource_slice(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    for member in ("driver", "pool"):
        if not spec.get(member):
            errors.append(FieldError.required(f"spec.{member}"))


# --- the aggregator ------------------------------------------------------------------------------------------------


def api_service(obj: Object, errors: Errors, _: Any = None) -> None:
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if name != wanted and not (name == f"{spec.get('version', '')}." and not spec.get("group")):
        errors.append(FieldError.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"'))
    if not spec.get("version"):
        errors.append(FieldError.required("spec.version"))
    for member, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if not 0 < spec.get(member, 0) <= most:
            errors.append(FieldError.invalid(f"spec.{member}", spec.get(member, 0), f"must be positive and less than {most}"))
