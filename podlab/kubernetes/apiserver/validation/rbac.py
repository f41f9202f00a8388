"""Roles and bindings (pkg/apis/rbac/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .internal import internal
from .metadata import Errors, complain, validate_label_selector

Object = Mapping[str, Any]
GROUP = "rbac.authorization.k8s.io"


def role(obj: Object, errors: Errors, _: Any = None) -> None:
    _rules(obj, True, errors)


def cluster_role(obj: Object, errors: Errors, _: Any = None) -> None:
    _rules(obj, False, errors)
    aggregation = obj.get("aggregationRule")
    if aggregation is not None:
        if not aggregation.get("clusterRoleSelectors"):
            errors.append(FieldError.required("aggregationRule.clusterRoleSelectors",
                                              "at least one clusterRoleSelector required if "
                                              "aggregationRule is non-nil"))
        for i, selector in enumerate(aggregation.get("clusterRoleSelectors") or ()):
            validate_label_selector(selector, f"aggregationRule.clusterRoleSelectors[{i}]", errors)


def _rules(obj: Object, namespaced: bool, errors: Errors) -> None:
    for i, rule in enumerate(obj.get("rules") or ()):
        path = f"rules[{i}]"
        if not rule.get("verbs"):
            errors.append(FieldError.required(f"{path}.verbs", "verbs must contain at least one value"))
        if urls := rule.get("nonResourceURLs"):
            if namespaced:
                errors.append(FieldError.invalid(f"{path}.nonResourceURLs", urls,
                                                 "namespaced rules cannot apply to non-resource URLs"))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                errors.append(FieldError.invalid(f"{path}.nonResourceURLs", urls,
                                                 "rules cannot apply to both regular resources and non-resource URLs"))
            continue
        if not rule.get("apiGroups"):
            errors.append(FieldError.required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            errors.append(FieldError.required(f"{path}.resources", "resource rules must supply at least one resource"))


def role_binding(obj: Object, errors: Errors, _: Any = None) -> None:
    _binding(obj, ["Role", "ClusterRole"], True, errors)


def cluster_role_binding(obj: Object, errors: Errors, _: Any = None) -> None:
    _binding(obj, ["ClusterRole"], False, errors)


def _binding(obj: Object, kinds: list[str], namespaced: bool, errors: Errors) -> None:
    reference = obj.get("roleRef") or {}
    if reference.get("apiGroup") != GROUP:
        errors.append(FieldError.not_supported("roleRef.apiGroup", reference.get("apiGroup", ""), [GROUP]))
    if reference.get("kind") not in kinds:
        errors.append(FieldError.not_supported("roleRef.kind", reference.get("kind", ""), kinds))
    name = reference.get("name", "")
    if not name:
        errors.append(FieldError.required("roleRef.name"))
    else:
        complain(errors, "roleRef.name", name, words.bad_path_segment(name))
    for i, subject in enumerate(obj.get("subjects") or ()):
        path, kind, group = f"subjects[{i}]", subject.get("kind", ""), subject.get("apiGroup", "")
        if not subject.get("name"):
            errors.append(FieldError.required(f"{path}.name"))
        if kind == "ServiceAccount":
            if subject.get("name"):
                complain(errors, f"{path}.name", subject["name"], words.bad_subdomain(subject["name"]))
            if group:
                errors.append(FieldError.not_supported(f"{path}.apiGroup", group, [""]))
            if not subject.get("namespace") and not namespaced:
                errors.append(FieldError.required(f"{path}.namespace"))
        elif kind in ("User", "Group"):
            if group != GROUP:
                errors.append(FieldError.not_supported(f"{path}.apiGroup", group, [GROUP]))
        else:
            errors.append(FieldError.not_supported(f"{path}.kind", kind, ["ServiceAccount", "User", "Group"]))


def role_binding_update(new: Object, old: Object, errors: Errors) -> None:
    role_binding(new, errors)
    _same_role(new, old, errors)


def cluster_role_binding_update(new: Object, old: Object, errors: Errors) -> None:
    cluster_role_binding(new, errors)
    _same_role(new, old, errors)


def _same_role(new: Object, old: Object, errors: Errors) -> None:
    if new.get("roleRef") != old.get("roleRef"):
        errors.append(FieldError.invalid("roleRef", internal("RoleRef", new["roleRef"]), "cannot change roleRef"))
