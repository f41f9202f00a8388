"""Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers (pkg/apis/apps/validation/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ... import selectors
from ..errors import FieldError
from . import words
from .claims import validate_claim_spec
from .internal import internal
from .metadata import Errors, complain, in_order, non_negative, validate_label_selector
from .pods import validate_template

Object = Mapping[str, Any]

MISMATCH = "`selector` does not match template `labels`"


def is_zero(amount: int | str | None) -> bool:
    """0, 0% or nothing (getIntOrPercentValue)."""
    return amount is None or str(amount).rstrip("%") in ("0", "")


def int_or_percent(amount: int | str | None, path: str, errors: Errors) -> None:
    """ValidatePositiveIntOrPercent."""
    if isinstance(amount, str):
        complain(errors, path, amount, words.bad_percent(amount))
    else:
        non_negative(errors, path, amount)


def at_most_all(amount: int | str | None, path: str, errors: Errors) -> None:
    """IsNotMoreThan100Percent."""
    if isinstance(amount, str) and re.match(r"[0-9]+%\Z", amount) and int(amount[:-1]) > 100:
        errors.append(FieldError.invalid(path, amount, "must not be greater than 100%"))


def _selector_and_template(spec: Object, kind: str, errors: Errors, required: bool = True) -> bool:
    """The selector, that the template's labels match it, and the template; whether the template was looked at."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    before = len(errors)
    if selector is None and required:
        errors.append(FieldError.required("spec.selector"))
        before += 1
    elif selector is not None:
        validate_label_selector(selector, "spec.selector", errors)
    broken = len(errors) > before  # LabelSelectorAsSelector does not take it either
    empty = selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")
    if empty and kind != "daemonset":
        errors.append(FieldError.invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    if broken and kind != "daemonset":  # whose template is then not looked at
        detail = "" if kind == "statefulset" else "invalid label selector"
        shown = FieldError.invalid("spec.selector", selector, detail)
        errors.append(FieldError(shown.kind, shown.field, shown.message.removesuffix(": ")))
        return False
    if not empty and not broken and not _selects(selector, labels):
        errors.append(FieldError.invalid("spec.template.metadata.labels", in_order(labels), MISMATCH))
    if empty and kind == "daemonset":
        errors.append(FieldError.invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    validate_template(template, "spec.template", errors)
    return True


def _selects(selector: Object | None, labels: Mapping[str, str] | None) -> bool:
    if selector is None:
        return False
    return selectors.selects(dict(selector), labels or {})


def _runs_for_ever(spec: Object, kind: str, errors: Errors) -> None:
    pod = (spec.get("template") or {}).get("spec") or {}
    if pod.get("restartPolicy") != "Always":
        errors.append(FieldError.not_supported("spec.template.spec.restartPolicy", pod.get("restartPolicy", ""), ["Always"]))
    if pod.get("activeDeadlineSeconds") is not None:
        errors.append(FieldError.forbidden("spec.template.spec.activeDeadlineSeconds",
                                           f"activeDeadlineSeconds in {kind} is not Supported"))


# --- Deployment and ReplicaSet -------------------------------------------------------------------------------------


def deployment(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj["spec"]
    non_negative(errors, "spec.replicas", spec.get("replicas"))
    if _selector_and_template(spec, "deployment", errors):
        _runs_for_ever(spec, "ReplicaSet", errors)
    _deployment_strategy(spec.get("strategy") or {}, errors)
    non_negative(errors, "spec.minReadySeconds", spec.get("minReadySeconds"))
    non_negative(errors, "spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        non_negative(errors, "spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.get("minReadySeconds", 0):
            errors.append(FieldError.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))


def _deployment_strategy(strategy: Object, errors: Errors) -> None:
    path, kind, rolling = "spec.strategy", strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            errors.append(FieldError.forbidden(f"{path}.rollingUpdate",
                                               "may not be specified when strategy `type` is 'Recreate'"))
    elif kind == "RollingUpdate":
        if rolling is None:
            errors.append(FieldError.required(f"{path}.rollingUpdate", "this should be defaulted and never be nil"))
            return
        unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        int_or_percent(unavailable, f"{path}.rollingUpdate.maxUnavailable", errors)
        int_or_percent(surge, f"{path}.rollingUpdate.maxSurge", errors)
        if is_zero(unavailable) and is_zero(surge):
            errors.append(FieldError.invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable,
                                             "may not be 0 when `maxSurge` is 0"))
        at_most_all(unavailable, f"{path}.rollingUpdate.maxUnavailable", errors)
    else:
        errors.append(FieldError.not_supported(path, internal("DeploymentStrategy", strategy), ["Recreate", "RollingUpdate"]))


def deployment_update(new: Object, old: Object, errors: Errors) -> None:
    deployment(new, errors)
    same_selector(new, old, errors)


def same_selector(new: Object, old: Object, errors: Errors) -> None:
    if new["spec"].get("selector") != old["spec"].get("selector"):
        errors.append(FieldError.invalid("spec.selector", new["spec"].get("selector"), words.IMMUTABLE))


def replicaset(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj["spec"]
    non_negative(errors, "spec.replicas", spec.get("replicas"))
    non_negative(errors, "spec.minReadySeconds", spec.get("minReadySeconds"))
    if _selector_and_template(spec, "deployment", errors):  # the server, too, says "deployment"
        _runs_for_ever(spec, "ReplicaSet", errors)


def replicaset_update(new: Object, old: Object, errors: Errors) -> None:
    replicaset(new, errors)
    same_selector(new, old, errors)


def replication_controller(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj["spec"]
    selector, template = spec.get("selector"), spec.get("template")
    non_negative(errors, "spec.minReadySeconds", spec.get("minReadySeconds"))
    if not selector:
        errors.append(FieldError.required("spec.selector"))
    non_negative(errors, "spec.replicas", spec.get("replicas"))
    if template is None:
        errors.append(FieldError.required("spec.template"))
        return
    labels = (template.get("metadata") or {}).get("labels")
    if selector and not selectors.selects_plain(selector, labels):
        errors.append(FieldError.invalid("spec.template.metadata.labels", in_order(labels), MISMATCH))
    validate_template(template, "spec.template", errors)
    _runs_for_ever(spec, "ReplicationController", errors)


def replication_controller_status(new: Object, old: Object, errors: Errors) -> None:
    """ValidateReplicationControllerStatus."""
    _counted(new.get("status") or {}, ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas", errors)


def _counted(status: Object, parts: tuple[str, ...], ready: str, errors: Errors) -> None:
    """A status of replicas: nothing is negative, no part is more than the whole, and no more are available than ready. `ready`: what a
    refusal calls the number of the ready ones."""
    for member in ("replicas", *parts, "observedGeneration"):
        non_negative(errors, f"status.{member}", status.get(member))
    bounds = [*((member, "replicas", "status.replicas") for member in parts), ("availableReplicas", "readyReplicas", ready)]
    for member, most, called in bounds:
        if status.get(member, 0) > status.get(most, 0):
            errors.append(FieldError.invalid(f"status.{member}", status.get(member, 0), f"cannot be greater than {called}"))


# --- StatefulSet ---------------------------------------------------------------------------------------------------


def statefulset(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateStatefulSetSpec."""
    _statefulset_spec(obj["spec"], errors)


def statefulset_status(new: Object, old: Object, errors: Errors) -> None:
    """ValidateStatefulSetStatusUpdate."""
    _counted(new.get("status") or {}, ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"), "status.readyReplicas",
             errors)


def _statefulset_spec(spec: Object, errors: Errors, *, claims_too: bool = True) -> None:
    """`claims_too`: an update says nothing of the templates of claims, nor of the Service's name (StatefulSetValidationOptions)."""
    policy = spec.get("podManagementPolicy", "")
    if not policy:
        errors.append(FieldError.required("spec.podManagementPolicy"))
    elif policy not in ("OrderedReady", "Parallel"):
        errors.append(FieldError.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    _statefulset_strategy(spec.get("updateStrategy") or {}, errors)
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for member in ("whenDeleted", "whenScaled"):
        if retention.get(member) not in (None, "Retain", "Delete"):
            errors.append(FieldError.not_supported(f"spec.persistentVolumeClaimRetentionPolicy.{member}", retention[member],
                                                   ["Retain", "Delete"]))
    for i, template in enumerate((spec.get("volumeClaimTemplates") or ()) if claims_too else ()):
        validate_claim_spec(template.get("spec") or {}, f"spec.volumeClaimTemplates[{i}].spec", errors)
    non_negative(errors, "spec.replicas", spec.get("replicas"))
    non_negative(errors, "spec.minReadySeconds", spec.get("minReadySeconds"))
    non_negative(errors, "spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    if claims_too and (name := spec.get("serviceName")):
        complain(errors, "spec.serviceName", name, words.bad_label(name))
    _selector_and_template(_with_claimed_volumes(spec), "statefulset", errors)
    _runs_for_ever(spec, "StatefulSet", errors)


def _with_claimed_volumes(spec: Object) -> Object:
    """The spec with the volumes that the controller will add to its Pods, one for each template of a claim (volumesToAddForTemplates)."""
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    volumes = [*(pod.get("volumes") or ())]
    for claim in spec.get("volumeClaimTemplates") or ():
        name = (claim.get("metadata") or {}).get("name", "")
        if all(volume.get("name") != name for volume in volumes):
            volumes.append({"name": name, "persistentVolumeClaim": {"claimName": name}})
    if len(volumes) == len(pod.get("volumes") or ()):
        return spec
    return {**spec, "template": {**template, "spec": {**pod, "volumes": volumes}}}


def _statefulset_strategy(strategy: Object, errors: Errors) -> None:
    path, kind, rolling = "spec.updateStrategy", strategy.get("type", ""), strategy.get("rollingUpdate")
    if not kind:
        errors.append(FieldError.required(path))
    elif kind == "OnDelete":
        if rolling is not None:
            errors.append(FieldError.invalid(f"{path}.rollingUpdate", internal("RollingUpdateStatefulSetStrategy", rolling),
                                             "only allowed for updateStrategy 'RollingUpdate'"))
    elif kind == "RollingUpdate":
        if rolling is not None:
            non_negative(errors, f"{path}.rollingUpdate.partition", rolling.get("partition"))
    else:
        errors.append(FieldError.invalid(path, internal("StatefulSetUpdateStrategy", strategy),
                                         "must be 'RollingUpdate' or 'OnDelete'"))


STATEFULSET_MUTABLE = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                       "persistentVolumeClaimRetentionPolicy", "minReadySeconds")


def statefulset_update(new: Object, old: Object, errors: Errors) -> None:
    _statefulset_spec(new["spec"], errors, claims_too=False)
    fixed = [{key: value for key, value in spec.items() if key not in STATEFULSET_MUTABLE} for spec in (new["spec"], old["spec"])]
    if fixed[0] != fixed[1]:
        errors.append(FieldError.forbidden(
            "spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"))


# --- DaemonSet -----------------------------------------------------------------------------------------------------


def daemonset(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj["spec"]
    _selector_and_template(spec, "daemonset", errors, required=False)
    _runs_for_ever(spec, "DaemonSet", errors)
    non_negative(errors, "spec.minReadySeconds", spec.get("minReadySeconds"))
    strategy = spec.get("updateStrategy") or {}
    path, kind, rolling = "spec.updateStrategy", strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        if rolling is None:
            errors.append(FieldError.required(f"{path}.rollingUpdate"))
        else:
            _daemonset_rolling(rolling, f"{path}.rollingUpdate", errors)
    elif kind != "OnDelete":
        shown = {"Type": kind, "RollingUpdate": rolling and internal("RollingUpdateDeployment", rolling)}
        errors.append(FieldError.not_supported(path, shown, ["RollingUpdate", "OnDelete"]))
    non_negative(errors, "spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _daemonset_rolling(rolling: Object, path: str, errors: Errors) -> None:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    for member, amount in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        int_or_percent(amount, f"{path}.{member}", errors)
        at_most_all(amount, f"{path}.{member}", errors)
    if not is_zero(unavailable) and not is_zero(surge):
        errors.append(FieldError.invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    elif is_zero(unavailable) and is_zero(surge):
        errors.append(FieldError.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))


def daemonset_update(new: Object, old: Object, errors: Errors) -> None:
    daemonset(new, errors)
    same_selector(new, old, errors)


def pod_template(obj: Object, errors: Errors, _: Any = None) -> None:
    validate_template(obj.get("template") or {}, "template", errors)


def controller_revision(obj: Object, errors: Errors, _: Any = None) -> None:
    if obj.get("data") is None:
        errors.append(FieldError.required("data", "data is mandatory"))
    non_negative(errors, "revision", obj.get("revision"))


def controller_revision_update(new: Object, old: Object, errors: Errors) -> None:
    controller_revision(new, errors)
    if new.get("data") != old.get("data"):
        errors.append(FieldError.invalid("data", new.get("data"), words.IMMUTABLE))
