"""Flow schemas and priority levels (pkg/apis/flowcontrol/validation/validation.go)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .expressions import one_of
from .metadata import Errors, complain

Object = Mapping[str, Any]

LEAST_FIRST = 10_000  # FlowSchemaMaxMatchingPrecedence
MOST_QUEUES = 10_000_000  # priorityLevelConfigurationQueuingMaxQueues
HASH_BITS = 60  # shufflesharding.MaxHashBits
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"]
SUBJECTS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}


def flow_schema(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    first, name = spec.get("matchingPrecedence", 0), (spec.get("priorityLevelConfiguration") or {}).get("name")
    if first <= 0:
        errors.append(FieldError.invalid("spec.matchingPrecedence", first, "must be a positive value"))
    if first > LEAST_FIRST:
        errors.append(FieldError.invalid("spec.matchingPrecedence", first, f"must not be greater than {LEAST_FIRST}"))
    if first == 1 and obj["metadata"].get("name") != "exempt":
        errors.append(FieldError.invalid("spec.matchingPrecedence", first, "only the schema named 'exempt' may have matchingPrecedence 1"))
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        errors.append(FieldError.not_supported("spec.distinguisherMethod.type", {"Type": method.get("type", "")}, ["ByNamespace", "ByUser"]))
    if name:
        complain(errors, "spec.priorityLevelConfiguration.name", name, words.bad_subdomain(name))
    else:
        errors.append(FieldError.required("spec.priorityLevelConfiguration.name", "must reference a priority level"))
    for i, rule in enumerate(spec.get("rules") or ()):
        _rules_with_subjects(rule, f"spec.rules[{i}]", errors)


def _rules_with_subjects(rule: Object, path: str, errors: Errors) -> None:
    for i, subject in enumerate(rule.get("subjects") or ()):
        _subject(subject, f"{path}.subjects[{i}]", errors)
    if not rule.get("subjects"):
        errors.append(FieldError.required(f"{path}.subjects", "subjects must contain at least one value"))
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        errors.append(FieldError.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    for i, one in enumerate(rule.get("resourceRules") or ()):
        _resource_rule(one, f"{path}.resourceRules[{i}]", errors)
    for i, one in enumerate(rule.get("nonResourceRules") or ()):
        _path_rule(one, f"{path}.nonResourceRules[{i}]", errors)


def _subject(subject: Object, path: str, errors: Errors) -> None:
    kind = subject.get("kind", "")
    if kind not in SUBJECTS:
        errors.append(FieldError.not_supported(f"{path}.kind", kind, sorted(SUBJECTS)))
        return
    member = SUBJECTS[kind]
    who, here = subject.get(member), f"{path}.{member}"
    if who is None:
        errors.append(FieldError.required(here, f"{member} is required when subject kind is '{kind}'"))
    else:
        name = who.get("name", "")
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        if kind == "ServiceAccount":
            if name not in ("", "*"):
                complain(errors, f"{here}.name", name, words.bad_subdomain(name))
            if who.get("namespace"):
                complain(errors, f"{here}.namespace", who["namespace"], words.bad_label(who["namespace"]))
            else:
                errors.append(FieldError.required(f"{here}.namespace", "must specify namespace for service account"))
    for other in ("ServiceAccount", "User", "Group"):
        if other != kind and subject.get(SUBJECTS[other]) is not None:
            errors.append(FieldError.forbidden(f"{path}.{SUBJECTS[other]}", f"{SUBJECTS[other]} is forbidden when subject kind is not '{other}'"))


def _verbs(rule: Object, path: str, errors: Errors) -> None:
    verbs = rule.get("verbs") or []
    if not verbs:
        errors.append(FieldError.required(f"{path}.verbs", "verbs must contain at least one value"))
    elif "*" in verbs:
        if len(verbs) > 1:
            errors.append(FieldError.invalid(f"{path}.verbs", verbs, "if '*' is present, must not specify other verbs"))
    elif any(verb not in VERBS for verb in verbs):
        errors.append(FieldError.not_supported(f"{path}.verbs", verbs, VERBS))


def _resource_rule(rule: Object, path: str, errors: Errors) -> None:
    _verbs(rule, path, errors)
    for member, one, others in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        values = rule.get(member) or []
        if not values:
            errors.append(FieldError.required(f"{path}.{member}", f"resource rules must supply at least one {one}"))
        elif len(values) > 1 and "*" in values:
            errors.append(FieldError.invalid(f"{path}.{member}", values, f"if '*' is present, must not specify other {others}"))
    namespaces = rule.get("namespaces") or []
    if not namespaces and not rule.get("clusterScope"):
        errors.append(FieldError.required(f"{path}.namespaces", "resource rules that are not cluster scoped must supply at least one namespace"))
    elif "*" in namespaces:
        if len(namespaces) > 1:
            errors.append(FieldError.invalid(f"{path}.namespaces", namespaces, "if '*' is present, must not specify other namespaces"))
    else:
        for i, name in enumerate(namespaces):
            complain(errors, f"{path}.namespaces[{i}]", name, [
                "each member of this list must be '*' or a DNS-1123 label; " + complaint for complaint in words.bad_label(name)])


def _path_rule(rule: Object, path: str, errors: Errors) -> None:
    _verbs(rule, path, errors)
    urls = rule.get("nonResourceURLs") or []
    if not urls:
        errors.append(FieldError.required(f"{path}.nonResourceURLs", "nonResourceURLs must contain at least one value"))
    elif "*" in urls:
        if len(urls) > 1:
            errors.append(FieldError.invalid(f"{path}.nonResourceURLs", urls, "if '*' is present, must not specify other non-resource URLs"))
    else:
        for i, url in enumerate(urls):
            if wrong := _bad_url(url):
                errors.append(FieldError.invalid(f"{path}.nonResourceURLs[{i}]", url, wrong))


def _bad_url(url: str) -> str:
    """ValidateNonResourceURLPath."""
    if not url:
        return "must not be empty"
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    return "wildcard can only do suffix matching" if stars > 1 or (stars == 1 and not url.endswith("/*")) else ""


def priority_level(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    kind, limited, exempt = spec.get("type", ""), spec.get("limited"), spec.get("exempt")
    if (obj["metadata"].get("name") == "exempt") != (kind == "Exempt"):
        errors.append(FieldError.invalid("spec.type", kind, "type must be 'Exempt' if and only if name is 'exempt'"))
    if kind == "Exempt":
        if limited is not None:
            errors.append(FieldError.forbidden("spec.limited", "must be nil if the type is not Limited"))
        if exempt is not None:
            _shares(exempt, "spec.exempt", errors)
            _lendable(exempt, "spec.exempt", errors)
    elif kind == "Limited":
        if exempt is not None:
            errors.append(FieldError.forbidden("spec.exempt", "must be nil if the type is Limited"))
        if limited is None:
            errors.append(FieldError.required("spec.limited", "must not be empty when type is Limited"))
        else:
            _limited(limited, "spec.limited", errors)
    else:
        errors.append(FieldError.not_supported("spec.type", kind, ["Exempt", "Limited"]))


def _shares(value: Object, path: str, errors: Errors) -> None:
    if (shares := value.get("nominalConcurrencyShares", 0)) < 0:
        errors.append(FieldError.invalid(f"{path}.nominalConcurrencyShares", shares, "must be a non-negative integer"))


def _lendable(value: Object, path: str, errors: Errors) -> None:
    if not 0 <= (share := value.get("lendablePercent", 0)) <= 100:
        errors.append(FieldError.invalid(f"{path}.lendablePercent", share, "must be between 0 and 100, inclusive"))


def _limited(limited: Object, path: str, errors: Errors) -> None:
    """ValidateLimitedPriorityLevelConfiguration."""
    _shares(limited, path, errors)
    response = limited.get("limitResponse") or {}
    kind, queuing, here = response.get("type", ""), response.get("queuing"), f"{path}.limitResponse"
    if kind == "Reject":
        if queuing is not None:
            errors.append(FieldError.forbidden(f"{here}.queuing", "must be nil if limited.limitResponse.type is not Limited"))
    elif kind == "Queue":
        if queuing is None:
            errors.append(FieldError.required(f"{here}.queuing", "must not be empty if limited.limitResponse.type is Limited"))
        else:
            _queuing(queuing, f"{here}.queuing", errors)
    else:
        one_of(kind, f"{here}.type", ["Queue", "Reject"], errors)
    _lendable(limited, path, errors)
    if (borrowed := limited.get("borrowingLimitPercent")) is not None and borrowed < 0:
        errors.append(FieldError.invalid(f"{path}.borrowingLimitPercent", borrowed, "if specified, must be a non-negative integer"))


def _queuing(queuing: Object, path: str, errors: Errors) -> None:
    """ValidatePriorityLevelQueuingConfiguration: hands are dealt of the queues by a hash of 60 bits."""
    length, queues, hand = (queuing.get(member, 0) for member in ("queueLengthLimit", "queues", "handSize"))
    if length <= 0:
        errors.append(FieldError.invalid(f"{path}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        errors.append(FieldError.invalid(f"{path}.queues", queues, "must be positive"))
    elif queues > MOST_QUEUES:
        errors.append(FieldError.invalid(f"{path}.queues", queues, f"must not be greater than {MOST_QUEUES}"))
    if hand <= 0:
        errors.append(FieldError.invalid(f"{path}.handSize", hand, "must be positive"))
    elif hand > queues:
        errors.append(FieldError.invalid(f"{path}.handSize", hand, f"should not be greater than queues ({queues})"))
    elif hand > HASH_BITS or math.ceil(math.log2(math.perm(queues, hand))) > HASH_BITS:  # RequiredEntropyBits
        errors.append(FieldError.invalid(f"{path}.handSize", hand, f"required entropy bits of deckSize {queues} and handSize {hand} should not be "
                                                                   f"greater than {HASH_BITS}"))
