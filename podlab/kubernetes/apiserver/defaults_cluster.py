"""Defaults of the kinds that configure the cluster itself: admission, fair queues, devices, storage drivers.

Sources: pkg/apis/{admissionregistration,flowcontrol,resource,storage}/v1/defaults.go and kube-aggregator's apiregistration/v1.
"""

from __future__ import annotations

from typing import Any

from ..objects import thaw

Object = dict[str, Any]


# --- admissionregistration -----------------------------------------------------------------------------------------


def _match_resources(value: Object) -> None:
    value.setdefault("matchPolicy", "Equivalent")
    value.setdefault("namespaceSelector", {})
    value.setdefault("objectSelector", {})
    for member in ("resourceRules", "excludeResourceRules"):
        _scopes(value.get(member))


def _scopes(rules: list[Object] | None) -> None:
    for rule in rules or ():
        rule.setdefault("scope", "*")


def admission_policy(spec: Object) -> None:
    """Validating and mutating ones alike."""
    spec.setdefault("failurePolicy", "Fail")
    if "matchConstraints" in spec:
        _match_resources(spec["matchConstraints"])


def admission_policy_binding(spec: Object) -> None:
    if "matchResources" in spec:
        _match_resources(spec["matchResources"])


def webhooks(obj: Object) -> None:
    for hook in obj.get("webhooks") or ():
        hook.setdefault("failurePolicy", "Fail")
        hook.setdefault("matchPolicy", "Equivalent")
        hook.setdefault("namespaceSelector", {})
        hook.setdefault("objectSelector", {})
        hook.setdefault("timeoutSeconds", 10)
        _scopes(hook.get("rules"))
        service = (hook.get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)


def mutating_webhooks(obj: Object) -> None:
    webhooks(obj)
    for hook in obj.get("webhooks") or ():
        hook.setdefault("reinvocationPolicy", "Never")


# --- flowcontrol ---------------------------------------------------------------------------------------------------


def flow_schema(spec: Object) -> None:
    if not spec.get("matchingPrecedence"):
        spec["matchingPrecedence"] = 1000  # FlowSchemaDefaultMatchingPrecedence


def priority_level(spec: Object) -> None:
    if "exempt" in spec:
        spec["exempt"].setdefault("nominalConcurrencyShares", 0)
        spec["exempt"].setdefault("lendablePercent", 0)
    limited = spec.get("limited")
    if limited is None:
        return
    limited.setdefault("nominalConcurrencyShares", 30)  # PriorityLevelConfigurationDefaultNominalConcurrencyShares
    limited.setdefault("lendablePercent", 0)
    queuing = (limited.get("limitResponse") or {}).get("queuing")
    if queuing is not None:
        for name, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):  # PriorityLevelConfigurationDefault*
            queuing[name] = queuing.get(name) or value


# --- resource.k8s.io -----------------------------------------------------------------------------------------------


def resource_claim(spec: Object) -> None:
    for request in (spec.get("devices") or {}).get("requests") or ():
        for one in (*([request["exactly"]] if "exactly" in request else ()), *(request.get("firstAvailable") or ())):
            one["allocationMode"] = one.get("allocationMode") or "ExactCount"
            if one["allocationMode"] == "ExactCount":
                one["count"] = one.get("count") or 1
            for toleration in one.get("tolerations") or ():
                toleration["operator"] = toleration.get("operator") or "Equal"


def resource_claim_template(spec: Object) -> None:
    resource_claim(spec.get("spec") or {})


# --- storage and the aggregator ------------------------------------------------------------------------------------


def csi_driver(spec: Object) -> None:
    for name, value in (("attachRequired", True), ("podInfoOnMount", False), ("storageCapacity", False), ("requiresRepublish", False),
                        ("seLinuxMount", False), ("fsGroupPolicy", "ReadWriteOnceWithFSType")):
        spec.setdefault(name, value)
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def api_service(obj: Object) -> None:
    spec = obj["spec"] = thaw(obj.get("spec") or {})
    if spec.get("service") is not None:
        spec["service"].setdefault("port", 443)
