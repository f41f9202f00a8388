"""Where a Pod may go: affinity, tolerations, spreading (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain, validate_label_name, validate_label_selector, validate_selector_values

Object = Mapping[str, Any]

EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"


def validate_affinity(affinity: Object | None, path: str, errors: Errors) -> None:
    if affinity is None:
        return
    node = affinity.get("nodeAffinity") or {}
    if node.get(REQUIRED) is not None:
        validate_node_selector(node[REQUIRED], f"{path}.nodeAffinity.{REQUIRED}", errors)
    for i, term in enumerate(node.get(PREFERRED) or ()):
        here = f"{path}.nodeAffinity.{PREFERRED}[{i}]"
        _weight(term, here, errors)
        _node_term(term.get("preference") or {}, f"{here}.preference", errors, values_too=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        for i, term in enumerate(terms.get(REQUIRED) or ()):
            _pod_term(term, f"{path}.{kind}.{REQUIRED}[{i}]", errors)
        for i, weighted in enumerate(terms.get(PREFERRED) or ()):
            here = f"{path}.{kind}.{PREFERRED}[{i}]"
            _weight(weighted, here, errors)
            _pod_term(weighted.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm", errors)


def _weight(term: Object, path: str, errors: Errors) -> None:
    if not 1 <= term.get("weight", 0) <= 100:
        errors.append(FieldError.invalid(f"{path}.weight", term.get("weight", 0), "must be in the range 1-100"))


def validate_node_selector(selector: Object, path: str, errors: Errors) -> None:
    """ValidateNodeSelector."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        errors.append(FieldError.required(f"{path}.nodeSelectorTerms", "must have at least one node selector term"))
    for i, term in enumerate(terms):
        _node_term(term, f"{path}.nodeSelectorTerms[{i}]", errors)


def _node_term(term: Object, path: str, errors: Errors, values_too: bool = True) -> None:
    for i, rule in enumerate(term.get("matchExpressions") or ()):
        here, operator, values = f"{path}.matchExpressions[{i}]", rule.get("operator", ""), rule.get("values") or ()
        if operator not in ("Gt", "Lt"):
            validate_selector_values(operator, values, here, errors)
        elif len(values) != 1:
            errors.append(FieldError.required(f"{here}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
        validate_label_name(rule.get("key", ""), f"{here}.key", errors)
        for j, value in enumerate(values if values_too else ()):
            complain(errors, f"{here}.values[{j}]", value, words.bad_label_value(value))
    for i, rule in enumerate(term.get("matchFields") or ()):
        here, values = f"{path}.matchFields[{i}]", rule.get("values") or ()
        if rule.get("operator") not in ("In", "NotIn"):
            errors.append(FieldError.invalid(f"{here}.operator", rule.get("operator", ""), "not a valid selector operator"))
        elif len(values) != 1:
            errors.append(FieldError.required(f"{here}.values",
                                              "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                                              "selector"))
        if rule.get("key") != "metadata.name":
            errors.append(FieldError.invalid(f"{here}.key", rule.get("key", ""), "not a valid field selector key"))
        else:
            for j, value in enumerate(values):
                complain(errors, f"{here}.values[{j}]", value, words.bad_subdomain(value))


def _pod_term(term: Object, path: str, errors: Errors) -> None:
    validate_label_selector(term.get("labelSelector"), f"{path}.labelSelector", errors)
    validate_label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector", errors)
    for name in term.get("namespaces") or ():
        complain(errors, f"{path}.namespace", name, words.bad_label(name))
    match, mismatch = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    for member, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and term.get("labelSelector") is None:
            errors.append(FieldError.forbidden(f"{path}.{member}", "must not be specified when labelSelector is not set"))
        else:
            for i, key in enumerate(keys):
                validate_label_name(key, f"{path}.{member}[{i}]", errors)
    for i, key in _asked_twice(match, term.get("labelSelector")):
        errors.append(FieldError.invalid(f"{path}[{i}]", key, "exists in both matchLabelKeys and labelSelector"))  # so is the path
    for i, key in enumerate(match):
        if key in mismatch:
            errors.append(FieldError.invalid(f"{path}.matchLabelKeys[{i}]", key,
                                             "exists in both matchLabelKeys and mismatchLabelKeys"))
    if not term.get("topologyKey"):
        errors.append(FieldError.required(f"{path}.topologyKey", "can not be empty"))
    validate_label_name(term.get("topologyKey", ""), f"{path}.topologyKey", errors)


def _asked_twice(keys: Sequence[str], selector: Object | None) -> Iterator[tuple[int, str]]:
    """The matchLabelKeys, with their places, that a selector asks for again after it has asked for them once."""
    if not keys or selector is None:
        return
    seen = {*(selector.get("matchLabels") or ())}
    for term in selector.get("matchExpressions") or ():
        key = term.get("key", "")
        if key in keys and key in seen:
            yield len(keys) - 1 - keys[::-1].index(key), key
        seen.add(key)


def validate_tolerations(tolerations: list[Object], path: str, errors: Errors) -> None:
    """ValidateTolerations."""
    for i, one in enumerate(tolerations):
        here, key, operator = f"{path}[{i}]", one.get("key", ""), one.get("operator", "")
        value, effect = one.get("value", ""), one.get("effect", "")
        if key:
            validate_label_name(key, f"{here}.key", errors)
        elif operator != "Exists":
            errors.append(FieldError.invalid(f"{here}.operator", operator,
                                             'operator must be Exists when `key` is empty, which means "match '
                                             'all values and all keys"'))
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            errors.append(FieldError.invalid(f"{here}.effect", effect,
                                             "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        if operator in ("", "Equal"):
            complaints = words.bad_label_value(value)
            if complaints:
                errors.append(FieldError.invalid(f"{here}.operator", value, ";".join(complaints)))
        elif operator == "Exists":
            if value:
                errors.append(FieldError.invalid(f"{here}.operator", value, "value must be empty when `operator` is 'Exists'"))
        else:
            comparing = ["Lt", "Gt"] if operator in ("Lt", "Gt") else []  # TaintTolerationComparisonOperators is off, and named
            errors.append(FieldError.not_supported(f"{here}.operator", operator, ["Equal", "Exists", *comparing]))
        if effect and effect not in EFFECTS:
            errors.append(FieldError.not_supported(f"{here}.effect", effect, EFFECTS))


def validate_taints(taints: list[Object], path: str, errors: Errors) -> None:
    """validateNodeTaints."""
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(taints):
        here, effect = f"{path}[{i}]", taint.get("effect", "")
        validate_label_name(taint.get("key", ""), f"{here}.key", errors)
        complaints = words.bad_label_value(taint.get("value", ""))
        if complaints:
            errors.append(FieldError.invalid(f"{here}.value", taint["value"], ";".join(complaints)))
        if not effect:
            errors.append(FieldError.required(f"{here}.effect"))
        elif effect not in EFFECTS:
            errors.append(FieldError.not_supported(f"{here}.effect", effect, EFFECTS))
        if (taint.get("key", ""), effect) in seen:
            shown = {"Key": taint.get("key", ""), "Value": taint.get("value", ""), "Effect": effect,
                     "TimeAdded": taint.get("timeAdded")}
            found = FieldError.duplicate(here, shown)
            errors.append(FieldError(found.kind, here, found.message + ": taints must be unique by key and effect pair"))
        seen.add((taint.get("key", ""), effect))


def validate_spread(constraints: list[Object], path: str, errors: Errors) -> None:
    """validateTopologySpreadConstraints."""
    last = {(one.get("topologyKey", ""), one.get("whenUnsatisfiable", "")): i for i, one in enumerate(constraints)}
    for i, one in enumerate(constraints):
        here, action, key = f"{path}[{i}]", one.get("whenUnsatisfiable", ""), one.get("topologyKey", "")
        if one.get("maxSkew", 0) <= 0:
            errors.append(FieldError.invalid(f"{here}.maxSkew", one.get("maxSkew", 0), words.NOT_POSITIVE))
        if not key:
            errors.append(FieldError.required(f"{here}.topologyKey", "can not be empty"))
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            errors.append(FieldError.not_supported(f"{here}.whenUnsatisfiable", action, ["DoNotSchedule", "ScheduleAnyway"]))
        if last[key, action] > i:
            errors.append(FieldError.duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}"))
        least = one.get("minDomains")
        if least is not None:
            if least <= 0:
                errors.append(FieldError.invalid(f"{here}.minDomains", least, words.NOT_POSITIVE))
            if action != "DoNotSchedule":
                errors.append(FieldError.invalid(f"{here}.minDomains", least,
                                                 f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"))
        for member in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if one.get(member) not in (None, "Honor", "Ignore"):
                errors.append(FieldError.not_supported(f"{here}.{member}", one[member], ["Honor", "Ignore"]))
        keys = one.get("matchLabelKeys") or ()
        if keys and one.get("labelSelector") is None:
            errors.append(FieldError.forbidden(f"{here}.matchLabelKeys", "must not be specified when labelSelector is not set"))
        for j, label in enumerate(keys):
            validate_label_name(label, f"{here}.matchLabelKeys[{j}]", errors)
        for j, label in _asked_twice(keys, one.get("labelSelector")):
            errors.append(FieldError.invalid(f"{here}.matchLabelKeys[{j}]", label, "exists in both matchLabelKeys and labelSelector"))
        validate_label_selector(one.get("labelSelector"), f"{here}.labelSelector", errors)
