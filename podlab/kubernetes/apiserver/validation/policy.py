"""Quotas, limit ranges, disruption budgets, autoscalers and priority classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .internal import internal
from .metadata import Errors, complain, validate_label_selector
from .resources import (
    QUOTA,
    may_overcommit,
    validate_container_resource_name,
    validate_quantity,
    validate_quota_resource_name,
    validate_resource_name,
)
from .workloads import at_most_all, int_or_percent

Object = Mapping[str, Any]

SCOPES = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity",
          "VolumeAttributesClass")
EXISTING = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity")  # may only be asked for by Exists
CONFLICTING = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
POD_RESOURCES = ("pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
HIGHEST_USER_PRIORITY = 1_000_000_000  # HighestUserDefinablePriority
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


# --- ResourceQuota and LimitRange (pkg/apis/core/validation) -------------------------------------------------------


def resource_quota(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    for name in sorted(hard):
        validate_quota_resource_name(name, f"spec.hard[{name}]", errors)
        validate_quantity(name, hard[name], f"spec.hard[{name}]", errors)
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in SCOPES:
            errors.append(FieldError.invalid("spec.scopes", scopes, "unsupported scope"))
        for name in sorted(hard):
            if name in QUOTA and not _in_scope(scope, name):
                errors.append(FieldError.invalid("spec.scopes", scopes, "unsupported scope applied to resource"))
    for pair in CONFLICTING:
        if all(scope in scopes for scope in pair):
            errors.append(FieldError.invalid("spec.scopes", scopes, "conflicting scopes"))
    for term in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        path, operator, values = "spec.scopeSelector.matchExpressions", term.get("operator", ""), term.get("values") or []
        if term.get("scopeName") not in SCOPES:
            errors.append(FieldError.invalid(f"{path}.scopeName", term.get("scopeName", ""), "unsupported scope"))
        for name in sorted(hard):
            if name in QUOTA and not _in_scope(term.get("scopeName", ""), name):
                shown = [{"ScopeName": one.get("scopeName", ""), "Operator": one.get("operator", ""), "Values": one.get("values")}
                         for one in spec["scopeSelector"]["matchExpressions"]]
                errors.append(FieldError.invalid(path, {"MatchExpressions": shown}, "unsupported scope applied to resource"))
        if term.get("scopeName") in EXISTING and operator != "Exists":
            errors.append(FieldError.invalid(f"{path}.operator", operator,
                                             "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                                             "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                                             "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"))
        if operator in ("In", "NotIn"):
            if not values:
                errors.append(FieldError.required(f"{path}.values",
                                                  "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                                                  "selector"))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                errors.append(FieldError.invalid(f"{path}.values", values,
                                                 "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
                                                 "selector"))
        else:
            errors.append(FieldError.invalid(f"{path}.operator", operator, "not a valid selector operator"))
    asked = [term.get("scopeName") for term in (spec.get("scopeSelector") or {}).get("matchExpressions") or ()]
    for pair in CONFLICTING:
        if all(scope in asked for scope in pair):
            errors.append(FieldError.invalid("spec.scopeSelector.matchExpressions", spec.get("scopes"), "conflicting scopes"))


def _in_scope(scope: str, name: str) -> bool:
    """IsResourceQuotaScopeValidForResource."""
    if scope == "BestEffort":
        return name == "pods"
    if scope in ("Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"):
        return name in POD_RESOURCES or "ephemeral-storage" in name
    return True


def resource_quota_update(new: Object, old: Object, errors: Errors) -> None:
    resource_quota(new, errors)
    if sorted(new["spec"].get("scopes") or ()) != sorted(old["spec"].get("scopes") or ()):
        errors.append(FieldError.invalid("spec.scopes", new["spec"].get("scopes"), words.IMMUTABLE))


def resource_quota_status(new: Object, old: Object, errors: Errors) -> None:
    for member in ("hard", "used"):
        for name, amount in sorted(((new.get("status") or {}).get(member) or {}).items()):
            validate_quota_resource_name(name, f"status.{member}[{name}]", errors)
            validate_quantity(name, amount, f"status.{member}[{name}]", errors)


def limit_range(obj: Object, errors: Errors, _: Any = None) -> None:
    seen: set[str] = set()
    for i, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{i}]", item.get("type", "")
        complaints = words.bad_qualified_name(kind)
        complain(errors, f"{path}.type", kind, complaints)
        if not complaints and kind not in ("Pod", "Container", "PersistentVolumeClaim") and "/" not in kind:
            errors.append(FieldError.invalid(f"{path}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            errors.append(FieldError.duplicate(f"{path}.type", kind))
        seen.add(kind)
        _limit_range_item(item, kind, path, errors)


def _limit_range_item(item: Object, kind: str, path: str, errors: Errors) -> None:
    parts = {name: item.get(name) or {} for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")}
    names = sorted({name for amounts in parts.values() for name in amounts})
    for member in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
        if member == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim" and "storage" not in parts["min"] and "storage" not in parts["max"]:
            errors.append(FieldError.required(f"{path}.limits",
                                              "either minimum or maximum storage value is required, but neither was provided"))
        if kind == "Pod" and member in ("default", "defaultRequest"):
            if parts[member]:
                errors.append(FieldError.forbidden(f"{path}.{member}", "may not be specified when `type` is 'Pod'"))
            parts[member] = {}
        for name in sorted(parts[member]):
            if kind in ("Container", "Pod"):
                validate_container_resource_name(name, f"{path}.{member}[{name}]", errors)
            else:
                validate_resource_name(name, f"{path}.{member}[{name}]", errors)
    ordered = (  # lower, higher, the member under which it is said, whose value is shown, what is said: as the server has them
        ("min", "max", "min", "min", "min value {0} is greater than max value {1}"),
        ("min", "defaultRequest", "defaultRequest", "defaultRequest", "min value {0} is greater than default request value {1}"),
        ("defaultRequest", "max", "defaultRequest", "defaultRequest", "default request value {0} is greater than max value {1}"),
        ("defaultRequest", "default", "defaultRequest", "defaultRequest",
         "default request value {0} is greater than default limit value {1}"),
        ("min", "default", "default", "min", "min value {0} is greater than default value {1}"),
        ("default", "max", "default", "max", "default value {0} is greater than max value {1}"))
    for name in names:
        for low, high, under, whose, text in ordered:
            least, most = parts[low].get(name), parts[high].get(name)
            if least is not None and most is not None and quantity.parse(least) > quantity.parse(most):
                errors.append(FieldError.invalid(f"{path}.{under}[{name}]", parts[whose][name], text.format(least, most)))
        ratio = parts["maxLimitRequestRatio"].get(name)
        if ratio is not None:
            if quantity.parse(ratio) < 1:
                errors.append(FieldError.invalid(f"{path}.maxLimitRequestRatio[{name}]", ratio, f"ratio {ratio} is less than 1"))
            if name in parts["min"] and name in parts["max"] and quantity.parse(parts["min"][name]):
                bound = quantity.parse(parts["max"][name]) / quantity.parse(parts["min"][name])
                if quantity.parse(ratio) > bound:
                    errors.append(FieldError.invalid(f"{path}.maxLimitRequestRatio[{name}]", ratio,
                                                     f"ratio {ratio} is greater than max/min = {float(bound):f}"))
        both = parts["default"].get(name), parts["defaultRequest"].get(name)
        if not may_overcommit(name) and None not in both and quantity.parse(str(both[0])) != quantity.parse(str(both[1])):
            errors.append(FieldError.invalid(f"{path}.defaultRequest[{name}]", both[1],
                                             f"default value {both[0]} must equal to defaultRequest value {both[1]} in {name}"))


# --- PodDisruptionBudget (pkg/apis/policy/validation) --------------------------------------------------------------


def disruption_budget(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        errors.append(FieldError.invalid("spec", internal("PodDisruptionBudgetSpec", spec),
                                         "minAvailable and maxUnavailable cannot be both set"))
    for member, amount in (("minAvailable", least), ("maxUnavailable", most)):
        if amount is not None:
            int_or_percent(amount, f"spec.{member}", errors)
            at_most_all(amount, f"spec.{member}", errors)
    validate_label_selector(spec.get("selector"), "spec.selector", errors)
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in ("AlwaysAllow", "IfHealthyBudget"):
        errors.append(FieldError.not_supported("spec.unhealthyPodEvictionPolicy", policy, ["AlwaysAllow", "IfHealthyBudget"]))


# --- HorizontalPodAutoscaler (pkg/apis/autoscaling/validation) -----------------------------------------------------


def autoscaler(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        errors.append(FieldError.invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        errors.append(FieldError.invalid("spec.maxReplicas", most, "must be greater than 0"))
    if least is not None and most < least:
        errors.append(FieldError.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    _target_reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef", errors)
    metrics = spec.get("metrics") or []
    if spec.get("targetCPUUtilizationPercentage") is not None:  # autoscaling/v1, inside
        share = {"type": "Utilization", "averageUtilization": spec["targetCPUUtilizationPercentage"]}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": share}}]
    for i, metric in enumerate(metrics):
        _metric(metric, f"spec.metrics[{i}]", errors)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        errors.append(FieldError.forbidden("spec.metrics", "must specify at least one Object or External metric to support scaling to "
                                                           "zero replicas"))
    behavior = spec.get("behavior") or {}
    for member in ("scaleUp", "scaleDown"):
        if behavior.get(member) is not None:
            _scaling_rules(behavior[member], f"spec.behavior.{member}", errors)


def _target_reference(target: Object, path: str, errors: Errors, grouped: bool = True) -> None:
    """ValidateCrossVersionObjectReference. What a metric describes may be of the core group (a Service, a Pod): not `grouped`."""
    for member in ("kind", "name"):
        if not target.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
        else:
            complain(errors, f"{path}.{member}", target[member], words.bad_path_segment(target[member]))
    version = target.get("apiVersion", "")
    if grouped and "/" not in version and not (version == "v1" and target.get("kind") == "ReplicationController"):
        errors.append(FieldError.invalid(f"{path}.apiVersion", version, "apiVersion must specify API group"))


METRIC_MEMBERS = {"Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
                  "ContainerResource": "containerResource"}  # in the order in which the server looks


def _metric(metric: Object, path: str, errors: Errors) -> None:
    kind = metric.get("type", "")
    if not kind:
        errors.append(FieldError.required(f"{path}.type", "must specify a metric source type"))
    unknown = FieldError.not_supported(f"{path}.type", kind, sorted(METRIC_MEMBERS))
    errors += [unknown] if kind not in METRIC_MEMBERS else []
    given = [one for one, member in METRIC_MEMBERS.items() if metric.get(member) is not None]
    if given:  # only the first is looked at
        _metric_source(metric[METRIC_MEMBERS[given[0]]], given[0], f"{path}.{METRIC_MEMBERS[given[0]]}", errors)
    if kind not in METRIC_MEMBERS:
        errors.append(unknown)
    elif kind not in given:
        errors.append(FieldError.required(f"{path}.{METRIC_MEMBERS[kind]}", "must populate information for the given metric source"))
    for other in given if len(given) > 1 else ():
        if other != kind:
            errors.append(FieldError.forbidden(f"{path}.{METRIC_MEMBERS[other]}", "must populate the given metric source only"))


def _metric_source(source: Object, kind: str, here: str, errors: Errors) -> None:
    if kind == "Object":
        _target_reference(source.get("describedObject") or {}, f"{here}.describedObject", errors, grouped=False)
    if kind in ("Resource", "ContainerResource"):
        if not source.get("name"):
            errors.append(FieldError.required(f"{here}.name", "must specify a resource name"))
        elif kind == "ContainerResource":
            validate_container_resource_name(source["name"], f"{here}.name", errors)
        if kind == "ContainerResource":
            if not source.get("container"):
                errors.append(FieldError.required(f"{here}.container", "must specify a container"))
            else:
                complain(errors, f"{here}.container", source["container"], words.bad_label(source["container"]))
    elif not (name := (source.get("metric") or {}).get("name")):
        errors.append(FieldError.required(f"{here}.metric.name", "must specify a metric name"))
    else:
        complain(errors, f"{here}.metric.name", name, words.bad_path_segment(name))
    _metric_target(source.get("target") or {}, kind, f"{here}.target", errors)


def _metric_target(target: Object, kind: str, path: str, errors: Errors) -> None:
    how = target.get("type", "")
    if not how:
        errors.append(FieldError.required(f"{path}.type", "must specify a metric target type"))
    if how not in ("Utilization", "Value", "AverageValue"):
        errors.append(FieldError.invalid(f"{path}.type", how, "must be either Utilization, Value, or AverageValue"))
    for member in ("value", "averageValue"):
        if target.get(member) is not None and quantity.parse(target[member]) <= 0:
            errors.append(FieldError.invalid(f"{path}.{member}", target[member], "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        errors.append(FieldError.invalid(f"{path}.averageUtilization", share, "must be greater than 0"))
    if kind in ("Resource", "ContainerResource"):
        if share is None and target.get("averageValue") is None:
            errors.append(FieldError.required(f"{path}.averageUtilization",
                                              "must set either a target raw value or a target utilization"))
        if share is not None and target.get("averageValue") is not None:
            errors.append(FieldError.forbidden(f"{path}.averageValue",
                                               "may not set both a target raw value and a target utilization"))
    elif kind == "Pods" and target.get("averageValue") is None:
        errors.append(FieldError.required(f"{path}.averageValue", "must specify a positive target averageValue"))
    elif kind in ("Object", "External") and target.get("value") is None and target.get("averageValue") is None:
        errors.append(FieldError.required(f"{path}.averageValue",
                                          "must set either a target value or averageValue" if kind == "Object" else
                                          "must set either a target value for metric or a per-pod target"))
    elif kind == "External" and target.get("value") is not None and target.get("averageValue") is not None:
        errors.append(FieldError.forbidden(f"{path}.value", "may not set both a target value for metric and a per-pod target"))


def _scaling_rules(rules: Object, path: str, errors: Errors) -> None:
    seconds = rules.get("stabilizationWindowSeconds")
    if seconds is not None and seconds < 0:
        errors.append(FieldError.invalid(f"{path}.stabilizationWindowSeconds", seconds, "must be greater than or equal to zero"))
    if seconds is not None and seconds > 3600:
        errors.append(FieldError.invalid(f"{path}.stabilizationWindowSeconds", seconds, "must be less than or equal to 3600"))
    if rules.get("selectPolicy") not in (None, "Max", "Min", "Disabled"):
        errors.append(FieldError.not_supported(f"{path}.selectPolicy", rules["selectPolicy"], ["Disabled", "Max", "Min"]))
    if not rules.get("policies"):
        errors.append(FieldError.required(f"{path}.policies", "must specify at least one Policy"))
    if (tolerance := rules.get("tolerance")) is not None and quantity.parse(tolerance) < 0:
        errors.append(FieldError.invalid(f"{path}.tolerance", tolerance, words.NEGATIVE))
    for i, policy in enumerate(rules.get("policies") or ()):
        here = f"{path}.policies[{i}]"
        if policy.get("type") not in ("Pods", "Percent"):
            errors.append(FieldError.not_supported(f"{here}.type", policy.get("type", ""), ["Percent", "Pods"]))
        if policy.get("value", 0) <= 0:
            errors.append(FieldError.invalid(f"{here}.value", policy.get("value", 0), "must be greater than zero"))
        if policy.get("periodSeconds", 0) <= 0:
            errors.append(FieldError.invalid(f"{here}.periodSeconds", policy.get("periodSeconds", 0),
                                             "must be greater than zero"))
        if policy.get("periodSeconds", 0) > 1800:
            errors.append(FieldError.invalid(f"{here}.periodSeconds", policy["periodSeconds"],
                                             "must be less than or equal to 1800"))


# --- PriorityClass (pkg/apis/scheduling/validation) ----------------------------------------------------------------


def priority_class(obj: Object, errors: Errors, _: Any = None) -> None:
    name, value = obj["metadata"].get("name") or "", obj.get("value", 0)
    if name.startswith("system-"):
        known = SYSTEM_CLASSES.get(name)
        wrong = (f"{name} is not a known system priority class" if known is None else
                 f"value of {name} PriorityClass must be {known}" if known != value else
                 f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else "")
        if wrong:
            errors.append(FieldError.forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. "
                                                                f"error: {wrong}"))
    elif value > HIGHEST_USER_PRIORITY:
        errors.append(FieldError.forbidden("value",
                                           f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"))
    _preemption_policy(obj, errors)


def _preemption_policy(obj: Object, errors: Errors) -> None:
    policy = obj.get("preemptionPolicy")
    if policy not in (None, "PreemptLowerPriority", "Never"):
        errors.append(FieldError.not_supported("preemptionPolicy", policy, ["PreemptLowerPriority", "Never"]))


def priority_class_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("value") != old.get("value"):
        errors.append(FieldError.forbidden("value", "may not be changed in an update."))
    _preemption_policy(new, errors)
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        errors.append(FieldError.invalid("preemptionPolicy", new.get("preemptionPolicy"), words.IMMUTABLE))
