"""What of a Pod may change: spec, status, ephemeral containers, resources (validation.go, ValidatePodUpdate and its sisters)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import FieldError
from ..qos import qos_class
from . import words
from .containers import validate_image_spaces
from .internal import internal, spec_diff
from .metadata import Errors, complain
from .pods import APPARMOR_OF, MIRROR, validate_pod_annotations, validate_pod_spec
from .scheduling import REQUIRED

Object = Mapping[str, Any]

COMPUTE = ("cpu", "memory")
NO_NEGATIVE = "must be a non-negative integer"
MAY_CHANGE = ("pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
              "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
              "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")


def update(new: Object, old: Object, errors: Errors) -> None:
    """ValidatePodUpdate: of a Pod's spec little may change."""
    validate_pod_annotations(new, "metadata.annotations", errors)
    _fixed_annotations(new["metadata"].get("annotations") or {}, old["metadata"].get("annotations") or {}, errors)
    if new["spec"] == old["spec"]:
        return
    spec, before = new["spec"], old["spec"]
    validate_pod_spec(spec, "spec", errors, is_pod=True, pod_name=new["metadata"].get("name") or "")
    for member in ("containers", "initContainers"):
        if len(spec.get(member) or ()) != len(before.get(member) or ()):
            errors.append(FieldError.forbidden(f"spec.{member}", "pod updates may not add or remove containers"))
            return
        for i, container in enumerate(spec.get(member) or ()):
            validate_image_spaces(container, f"spec.{member}[{i}]", errors)
    if not _validate_deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"), errors):
        return
    _validate_added_tolerations(spec, before, errors)
    old_gates = [gate.get("name") for gate in before.get("schedulingGates") or ()]
    for i, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name") not in old_gates:
            errors.append(FieldError.forbidden(f"spec.schedulingGates[{i}].name",
                                               f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"))
    munged = _munged(spec, before, bool(old_gates), errors)
    if munged != before:
        errors.append(FieldError.forbidden("spec", f"{MAY_CHANGE}\n{spec_diff(before, munged)}"))


def _fixed_annotations(new: Mapping[str, str], old: Mapping[str, str], errors: Errors) -> None:
    """ValidatePodSpecificAnnotationUpdates."""
    for kept, other, done in ((old, new, "remove or update"), (new, old, "add")):
        for key in sorted(kept):
            if (key in other) if done == "add" else (other.get(key) == kept[key]):
                continue
            what = "AppArmor annotations" if key.startswith(APPARMOR_OF) else "mirror pod annotation" if key == MIRROR else ""
            if what:
                errors.append(FieldError.forbidden(f"metadata.annotations[{key}]", f"may not {done} {what}"))


def _validate_node_affinity(fresh: Object, held: Object, path: str, errors: Errors) -> None:
    """validateNodeAffinityMutation: what a gated Pod requires of its node may only be narrowed."""
    terms, were = ([*((one.get(REQUIRED) or {}).get("nodeSelectorTerms") or ())] for one in (fresh, held))
    if were and len(terms) != len(were):
        shown = [internal("NodeSelectorTerm", term) for term in terms] or None
        errors.append(FieldError.invalid(f"{path}.{REQUIRED}.nodeSelectorTerms", shown,
                                         "no additions/deletions to non-empty NodeSelectorTerms list are allowed"))
        return
    for i, (term, was) in enumerate(zip(terms, were, strict=False)):
        parts = [([*(term.get(member) or ())], [*(was.get(member) or ())]) for member in ("matchExpressions", "matchFields")]
        narrowed = all(now[:len(then)] == then for now, then in parts)
        if not narrowed or (all(not then for _, then in parts) and any(now for now, _ in parts)):
            errors.append(FieldError.invalid(f"{path}.{REQUIRED}.nodeSelectorTerms[{i}]", internal("NodeSelectorTerm", term),
                                             "only additions are allowed (no mutations or deletions)"))


def _validate_deadline(deadline: int | None, before: int | None, errors: Errors) -> bool:
    path = "spec.activeDeadlineSeconds"
    if deadline is not None:
        if not 0 <= deadline <= 2**31 - 1:
            errors.append(FieldError.invalid(path, deadline, words.out_of_range(0, 2**31 - 1)))
            return False
        if before is not None and before < deadline:
            errors.append(FieldError.invalid(path, deadline, "must be less than or equal to previous value"))
            return False
    elif before is not None:
        errors.append(FieldError.invalid(path, None, "must not update from a positive integer to nil value"))
    return True


def _validate_added_tolerations(spec: Object, before: Object, errors: Errors) -> None:
    def bare(one: Object) -> dict[str, Any]:
        return {key: value for key, value in one.items() if key != "tolerationSeconds"}
    present = [bare(one) for one in spec.get("tolerations") or ()]
    if any(bare(one) not in present for one in before.get("tolerations") or ()):
        errors.append(FieldError.forbidden("spec.tolerations",
                                           "existing toleration can not be modified except its tolerationSeconds"))


def _munged(spec: Object, before: Object, gated: bool, errors: Errors) -> dict[str, Any]:
    """The new spec with everything that may change put back, so that what is left is what may not."""
    munged = dict(spec)
    for member in ("containers", "initContainers"):
        if member in munged:
            munged[member] = [{**container, "image": old.get("image", "")}
                              for container, old in zip(munged[member], before.get(member) or (), strict=True)]
    kept = ["activeDeadlineSeconds", "schedulingGates", "tolerations"]
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and munged.get("terminationGracePeriodSeconds") == 1:
        kept.append("terminationGracePeriodSeconds")
    if gated:
        selector, held = munged.get("nodeSelector") or {}, before.get("nodeSelector") or {}
        if selector != held:
            if any(selector.get(key) != value for key, value in held.items()):
                errors.append(FieldError.invalid("spec.nodeSelector", selector,
                                                 "only additions to spec.nodeSelector are allowed (no mutations "
                                                 "or deletions)"))
            kept.append("nodeSelector")
        affinity = dict(munged.get("affinity") or {})
        node = (before.get("affinity") or {}).get("nodeAffinity")
        if affinity.get("nodeAffinity") != node:
            if node is not None:
                _validate_node_affinity(affinity.get("nodeAffinity") or {}, node, "spec.affinity.nodeAffinity", errors)
            affinity.pop("nodeAffinity", None)
            if node is not None:
                affinity["nodeAffinity"] = node
            if affinity or "affinity" in before:
                munged["affinity"] = affinity
            else:
                munged.pop("affinity", None)
    for member in kept:
        if member in before:
            munged[member] = before[member]
        else:
            munged.pop(member, None)
    return munged


def status(new: Object, old: Object, errors: Errors) -> None:
    """ValidatePodStatusUpdate: what was decided stays decided."""
    fresh, before = new.get("status") or {}, old.get("status") or {}
    for i, condition in enumerate(fresh.get("conditions") or ()):
        if condition.get("observedGeneration", 0) < 0:
            errors.append(FieldError.invalid(f"status.conditions[{i}].observedGeneration", condition["observedGeneration"], NO_NEGATIVE))
        if condition.get("type") not in ("PodScheduled", "Ready", "Initialized"):
            complain(errors, f"status.conditions[{i}].Type", condition.get("type", ""), words.bad_qualified_name(condition.get("type", "")))
    if new["spec"].get("nodeName") != old["spec"].get("nodeName"):
        errors.append(FieldError.forbidden("status.nodeName", "may not be changed directly"))
    nominated = fresh.get("nominatedNodeName", "")
    if nominated and nominated != before.get("nominatedNodeName"):
        complain(errors, "status.nominatedNodeName", nominated, words.bad_subdomain(nominated))
        if old["spec"].get("nodeName"):
            errors.append(FieldError.forbidden("status.nominatedNodeName", "may not be set on pods that are already bound to a node"))
    if fresh.get("observedGeneration", 0) < 0:
        errors.append(FieldError.invalid("status.observedGeneration", fresh["observedGeneration"], NO_NEGATIVE))
    if fresh.get("qosClass", "") != before.get("qosClass", ""):
        errors.append(FieldError.invalid("status.qosClass", fresh.get("qosClass", ""), words.IMMUTABLE))
    for member, containers in (("containerStatuses", "containers"), ("initContainerStatuses", "initContainers"),
                               ("ephemeralContainerStatuses", "")):
        _validate_ends(fresh.get(member) or (), before.get(member) or (), f"status.{member}", old["spec"], containers, errors)


def _validate_ends(fresh: Iterable[Object], before: Iterable[Object], path: str, spec: Object, member: str, errors: Errors) -> None:
    """Validate{,Init,Ephemeral}ContainerStateTransition: what has ended for good stays so."""
    everyone = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    if member and any(rule.get("action") == "RestartAllContainers" for one in everyone for rule in one.get("restartPolicyRules") or ()):
        return
    states = {one["name"]: one.get("state") or {} for one in fresh}
    for i, one in enumerate(before):
        ended = (one.get("state") or {}).get("terminated")
        if ended is None or "terminated" in states.get(one["name"], {"terminated": None}):
            continue
        container = next((known for known in spec.get(member) or () if known["name"] == one["name"]), None) if member else None
        if container is None or not _may_restart(container, spec.get("restartPolicy", ""), ended.get("exitCode", 0)):
            errors.append(FieldError.forbidden(f"{path}[{i}].state", "may not be transitioned to non-terminated state"))


def _may_restart(container: Object, policy: str, code: int) -> bool:
    """ContainerShouldRestart: a container's own rules, then its own policy, then its Pod's."""
    if container.get("restartPolicy"):
        for rule in container.get("restartPolicyRules") or ():
            codes = rule.get("exitCodes") or {}
            if (code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
                return True
        policy = container["restartPolicy"]
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def ephemeral_containers(new: Object, old: Object, errors: Errors) -> None:
    """ValidatePodEphemeralContainersUpdate: they are only ever added."""
    validate_pod_spec(new["spec"], "spec", errors, is_pod=True, pod_name=new["metadata"].get("name") or "")
    if MIRROR in (old["metadata"].get("annotations") or {}):
        errors[:] = [FieldError.forbidden("[]", "static pods do not support ephemeral containers")]  # field.NewPath("")
        return
    found = {one.get("name"): one for one in new["spec"].get("ephemeralContainers") or ()}
    for one in old["spec"].get("ephemeralContainers") or ():
        name = one.get("name")
        if name not in found:
            errors.append(FieldError.forbidden("spec.ephemeralContainers",
                                               f'existing ephemeral containers "{name}" may not be removed\n'))
        elif found[name] != one:
            errors.append(FieldError.forbidden("spec.ephemeralContainers",
                                               f'existing ephemeral containers "{name}" may not be changed\n'
                                               f"{spec_diff(one, found[name], 'EphemeralContainer')}"))


def resize(new: Object, old: Object, errors: Errors) -> None:
    """ValidatePodResize: requests and limits of cpu and memory may change, the quality of service may not."""
    spec, before = new["spec"], old["spec"]
    validate_pod_spec(spec, "spec", errors, is_pod=True, pod_name=new["metadata"].get("name") or "")
    for is_so, what in ((MIRROR in (old["metadata"].get("annotations") or {}), "static pods"),
                        ((before.get("os") or {}).get("name") == "windows", "windows pods")):
        if is_so:
            errors[:] = [FieldError.forbidden("[]", f"{what} cannot be resized")]
            return
    held = (old.get("status") or {}).get("qosClass") or qos_class(before)
    if qos_class(spec) != held:
        errors.append(FieldError.invalid("spec", held, "Pod QOS Class may not change as a result of resizing"))
    _resize_of_the_pod(spec.get("resources"), before.get("resources"), errors)
    moved = [*_other_containers(spec, before, "containers"), *_other_containers(spec, before, "initContainers")]
    errors += moved
    if moved:
        return
    for member in ("initContainers", "containers"):
        for i, (one, was) in enumerate(zip(spec.get(member) or (), before.get(member) or (), strict=True)):
            for kind in _removed(one.get("resources"), was.get("resources")):
                errors.append(FieldError.forbidden(f"spec.{member}[{i}].resources.{kind}", f"resource {kind} cannot be removed"))
    for one, was in zip(spec["containers"], before["containers"], strict=True):
        if not _compute_alone(one, was):
            errors.append(FieldError.forbidden("spec", "only cpu and memory resources are mutable"))
    for i, (one, was) in enumerate(zip(spec.get("initContainers") or (), before.get("initContainers") or (), strict=True)):
        if not _compute_alone(one, was):
            errors.append(FieldError.forbidden(f"spec.initContainers[{i}]",
                                               "only cpu and memory resources for init or sidecar containers are mutable"))
        if one != was and one.get("restartPolicy") != "Always":
            errors += [FieldError.forbidden(f"spec.initContainers[{i}]", "non-sidecar init containers with a resize policy of "
                                                                         "RestartContainer cannot be resized")
                       for rule in one.get("resizePolicy") or () if rule.get("restartPolicy") == "RestartContainer"]


def _resize_of_the_pod(fresh: Object | None, held: Object | None, errors: Errors) -> None:
    """validatePodLevelResourcesResize."""
    if not any((whose or {}).get(kind) for whose in (fresh, held) for kind in ("requests", "limits")):
        return
    if held is not None and fresh is None:
        errors.append(FieldError.forbidden("spec.resources", "pod-level resources cannot be removed"))
        return
    for kind in _removed(fresh, held):
        errors.append(FieldError.forbidden(f"spec.resources.{kind}", f"pod-level resource {kind} cannot be removed"))
    if _masked(fresh, held) != _masked(held, held):
        errors.append(FieldError.forbidden("spec", "only cpu and memory resources are mutable at pod-level"))


def _removed(fresh: Object | None, held: Object | None) -> list[str]:
    return [kind for kind in ("requests", "limits")
            if any(name not in ((fresh or {}).get(kind) or {}) for name in (held or {}).get(kind) or {})]


def _compute_alone(one: Object, was: Object) -> bool:
    """Whether two containers differ in their cpu and memory at most. Claims do not get through (dropCPUMemoryResourcesFromContainer)."""
    fresh, held = one.get("resources") or {}, was.get("resources") or {}
    rest, kept = ({key: value for key, value in whose.items() if key != "resources"} for whose in (one, was))
    return rest == kept and not held.get("claims") and _masked(fresh, held) == _masked(held, held)


def _masked(fresh: Object | None, held: Object | None) -> dict[str, Any]:
    """Resources with the old cpu and memory put back, without empty lists."""
    masked: dict[str, Any] = {}
    for kind in ("requests", "limits"):
        now, then = (fresh or {}).get(kind) or {}, (held or {}).get(kind) or {}
        masked[kind] = ({name: amount for name, amount in now.items() if name not in COMPUTE}
                        | {name: amount for name, amount in then.items() if name in COMPUTE})
    return masked


def _other_containers(spec: Object, before: Object, member: str) -> Errors:
    """What is wrong where a resize is not of the containers that there are, in their order."""
    ours, theirs = before.get(member) or (), spec.get(member) or ()
    if len(ours) != len(theirs):
        return [FieldError.forbidden(f"spec.{member}", f"{member} may not be added or removed on resize")]
    return [FieldError.forbidden(f"spec.{member}[{i}].name", f"{member} may not be renamed or reordered on resize")
            for i, (one, was) in enumerate(zip(theirs, ours, strict=True)) if one.get("name") != was["name"]]
