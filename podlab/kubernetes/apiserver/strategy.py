"""What each kind does to an object on its way into the store (pkg/registry/*/strategy.go).

`prepare_for_create` and `prepare_for_update` run after admission's mutations and before validation: they reset what
clients may not set (status, generation), allocate what the server gives out, and keep what an update must not lose.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from ..objects import dig, thaw
from ..resources import Resource
from ..times import rfc3339
from .decode import empty_status
from .pipeline import Context
from .qos import qos_class
from .services import prepare_service_for_create, prepare_service_for_update

Object = dict[str, Any]


# Kinds that count their wishes in metadata.generation (each strategy's PrepareForCreate sets 1)
GENERATIONS = frozenset({
    "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController", "PodTemplate",
    "PodDisruptionBudget", "Ingress", "NetworkPolicy", "PriorityClass", "EndpointSlice", "CustomResourceDefinition",
    "IngressClass", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "FlowSchema",
    "PriorityLevelConfiguration", "DeviceClass", "ResourceSlice"})

# Members whose change is a new generation; most kinds have only a spec
WISHES: dict[str, tuple[str, ...]] = {
    "PodTemplate": ("template",), "PriorityClass": ("value", "globalDefault", "description", "preemptionPolicy"),
    "EndpointSlice": ("endpoints", "ports", "addressType"), "ValidatingWebhookConfiguration": ("webhooks",),
    "MutatingWebhookConfiguration": ("webhooks",)}

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
APPARMOR_OF = "container.apparmor.security.beta.kubernetes.io/"


def prepare_for_create(resource: Resource, obj: Object, ctx: Context) -> None:
    """Make a decoded, defaulted and admitted object ready to be validated and stored, in place.

    Raises ApiError 422 where a requested address or port cannot be had.
    """
    metadata = obj["metadata"]
    for member in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "uid", "creationTimestamp"):
        metadata.pop(member, None)  # a generation stays, of whatever kind counts none
    if resource.kind in GENERATIONS:
        metadata["generation"] = 1
    if "status" in resource.subresources and resource.kind != "Node":
        obj["status"] = empty_status(resource)
    if prepare := CREATES.get(resource.kind):
        prepare(obj, ctx)


def prepare_for_update(resource: Resource, new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    """Make the new form of an object ready to be validated, in place: what the update may not touch comes from the old."""
    metadata = new["metadata"]
    metadata.pop("managedFields", None)
    if subresource in ("status", "approval"):
        for member in [*new]:
            if member not in ("metadata", "status", "apiVersion", "kind"):
                del new[member]
        new.update({member: old[member] for member in old if member not in ("metadata", "status")})
        for member in ("labels", "ownerReferences") if resource.group in ("apps", "batch") or resource.kind == "Pod" else ():
            if resource.kind == "Pod" and member == "labels":
                continue
            if member in old["metadata"]:
                metadata[member] = old["metadata"][member]
            else:
                metadata.pop(member, None)
    elif "status" in resource.subresources:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    if subresource in ("ephemeralcontainers", "resize"):
        _keep_all_but(new, old, subresource)
    if prepare := UPDATES.get(resource.kind):
        prepare(new, old, subresource, ctx)
    if resource.kind in GENERATIONS:
        _bump_generation(resource, new, old)


def _bump_generation(resource: Resource, new: Object, old: Mapping[str, Any]) -> None:
    generation = old["metadata"].get("generation", 0)
    changed = any(new.get(member) is not old.get(member) and new.get(member) != old.get(member)
                  for member in WISHES.get(resource.kind, ("spec",)))
    if resource.kind == "Deployment":  # deployment strategy: annotations count too
        changed = changed or (new["metadata"].get("annotations") or {}) != (old["metadata"].get("annotations") or {})
    if resource.kind == "EndpointSlice":  # its labels count too
        changed = changed or (new["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {})
    new["metadata"]["generation"] = generation + 1 if changed else generation
    if not new["metadata"]["generation"]:
        del new["metadata"]["generation"]


def _keep_all_but(new: Object, old: Mapping[str, Any], subresource: str) -> None:
    """The Pod's own subresources change one thing each; the rest is the old Pod's."""
    wanted = new["spec"]
    if subresource == "ephemeralcontainers":
        spec = dict(old["spec"])
        if wanted.get("ephemeralContainers"):
            spec["ephemeralContainers"] = wanted["ephemeralContainers"]
        else:
            spec.pop("ephemeralContainers", None)
    else:
        spec = dict(old["spec"])
        for name in ("containers", "initContainers"):
            if name in spec and len(wanted.get(name) or ()) == len(spec[name]):
                spec[name] = [{**kept, **{member: asked[member] for member in ("name", "resources", "resizePolicy") if member in asked}}
                              for kept, asked in zip(spec[name], wanted[name], strict=True)]
            elif wanted.get(name):
                spec[name] = wanted[name]  # one more or one less, which validation refuses
        if "resources" in wanted:
            spec["resources"] = wanted["resources"]
        else:
            spec.pop("resources", None)
    new["spec"] = spec
    new["metadata"] = {**old["metadata"]}


# --- Pods ----------------------------------------------------------------------------------------------------------


def _create_pod(obj: Object, ctx: Context) -> None:
    if any(key.startswith(APPARMOR_OF) for key in obj["metadata"].get("annotations") or ()):
        _apparmor_fields(obj, ctx)
    spec = obj["spec"]
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}
    if spec.get("schedulingGates"):
        obj["status"]["conditions"] = [{
            "type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": rfc3339(ctx.now),
            "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"}]
    if dig(spec, "affinity.podAffinity") or dig(spec, "affinity.podAntiAffinity") or spec.get("topologySpreadConstraints"):
        _merge_label_keys(obj)


def _apparmor_fields(obj: Object, ctx: Context) -> None:
    """What an AppArmor annotation asks for is written into the container's field (strategy.go, applyAppArmorVersionSkew)."""
    spec = obj["spec"] = thaw(obj["spec"])
    whole = dig(spec, "securityContext.appArmorProfile")
    for one in (*(spec.get("initContainers") or ()), *spec["containers"]):
        key = APPARMOR_OF + one["name"]
        text = obj["metadata"]["annotations"].get(key)
        if text is None or dig(one, "securityContext.appArmorProfile"):
            continue
        field = {"unconfined": {"type": "Unconfined"}, "runtime/default": {"type": "RuntimeDefault"}}.get(text)
        if text.startswith("localhost/") and (profile := text.removeprefix("localhost/")):
            field = {"type": "Localhost", "localhostProfile": profile}
        if field != whole:
            ctx.warn(f'metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead')
            if field:
                one.setdefault("securityContext", {})["appArmorProfile"] = field


def _merge_label_keys(obj: Object) -> None:
    """matchLabelKeys become terms of the label selector (strategy.go, mutatePodAffinity and mutateTopologySpreadConstraints)."""
    spec = obj["spec"] = thaw(obj["spec"])
    labels = obj["metadata"].get("labels") or {}
    terms: list[Object] = []
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = dig(spec, f"affinity.{kind}", {})
        terms += affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += (weighted.get("podAffinityTerm") or {} for weighted in preferred)
    terms += spec.get("topologySpreadConstraints") or ()
    for term in terms:
        if term.get("labelSelector") is None:
            continue
        for member, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
            for key in term.get(member) or ():
                if key in labels:
                    term["labelSelector"].setdefault("matchExpressions", []).append(
                        {"key": key, "operator": operator, "values": [labels[key]]})


# --- workloads -----------------------------------------------------------------------------------------------------


def _create_daemonset(obj: Object, ctx: Context) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), TEMPLATE_GENERATION: "1"}


def _update_daemonset(new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    if subresource:
        return
    generation = int(dig(old, "metadata.annotations", {}).get(TEMPLATE_GENERATION) or 0)
    if new["spec"].get("template") != old["spec"].get("template"):
        generation += 1
    new["metadata"]["annotations"] = {**(new["metadata"].get("annotations") or {}), TEMPLATE_GENERATION: str(generation)}


JOB_LABELS = ("controller-uid", "job-name")


def _create_job(obj: Object, ctx: Context) -> None:
    """Label and select by the Job's own uid (pkg/registry/batch/job/strategy.go, generateSelector)."""
    metadata = obj["metadata"]
    uid = metadata["uid"] = ctx.uid("job", metadata.get("namespace") or "", metadata.get("name") or "")
    if obj["spec"].get("manualSelector"):
        return
    spec = obj["spec"] = thaw(obj["spec"])
    template = spec["template"].setdefault("metadata", {})
    values = {"controller-uid": uid, "job-name": metadata.get("name") or ""}
    labels = template["labels"] = dict(template.get("labels") or {})
    for name in JOB_LABELS:
        for key in (f"batch.kubernetes.io/{name}", name):
            labels.setdefault(key, values[name])
    selector = spec["selector"] = dict(spec.get("selector") or {})
    matched = selector["matchLabels"] = dict(selector.get("matchLabels") or {})
    if "controller-uid" not in matched:
        matched.setdefault("batch.kubernetes.io/controller-uid", uid)
    if not metadata.get("labels"):  # stored objects are defaulted again when read: an unlabelled Job shows its template's labels
        metadata["labels"] = dict(labels)


# --- the rest ------------------------------------------------------------------------------------------------------


def _create_namespace(obj: Object, ctx: Context) -> None:
    obj["status"] = {"phase": "Active"}
    spec = obj["spec"] = dict(obj.get("spec") or {})
    finalizers = list(spec.get("finalizers") or ())
    spec["finalizers"] = finalizers if "kubernetes" in finalizers else [*finalizers, "kubernetes"]


def _update_namespace(new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    if not subresource:
        new["spec"] = {**new.get("spec", {}),
                       **({"finalizers": old["spec"]["finalizers"]} if dig(old, "spec.finalizers") else {})}


def _create_volume(obj: Object, ctx: Context) -> None:
    obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": rfc3339(ctx.now)}


def _update_volume(new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    """The time of the last change of phase, unless whoever changes it says another (pkg/registry/core/persistentvolume/strategy.go)."""
    status, before = new.get("status") or {}, old.get("status") or {}
    since, told = before.get("lastPhaseTransitionTime"), status.get("lastPhaseTransitionTime")
    if subresource != "status":
        return
    if status.get("phase") != before.get("phase") and told in (None, since):
        new["status"] = {**status, "lastPhaseTransitionTime": rfc3339(ctx.now)}
    elif told is None and since is not None:
        new["status"] = {**status, "lastPhaseTransitionTime": since}


def _create_claim(obj: Object, ctx: Context) -> None:
    obj["status"] = {"phase": "Pending"}
    if "dataSource" in obj["spec"] or "dataSourceRef" in obj["spec"]:
        obj["spec"] = _with_sources(dict(obj["spec"]))


def _with_sources(spec: Object) -> Object:
    """The two names of what a claim is filled from (pkg/api/persistentvolumeclaim/util.go).

    DropDisabledFields (CrossNamespaceVolumeDataSource is off), EnforceDataSourceBackwardsCompatibility, NormalizeDataSources.
    """
    if (spec.get("dataSourceRef") or {}).get("namespace"):
        del spec["dataSourceRef"]
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None:
        if (source.get("apiGroup") or "", source.get("kind")) in FILLED_FROM:
            spec["dataSourceRef"] = dict(source)
        else:
            del spec["dataSource"]
    elif reference is not None and source is None:
        spec["dataSource"] = {member: value for member, value in reference.items() if member != "namespace"}
    return spec


FILLED_FROM = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def _create_definition(obj: Object, ctx: Context) -> None:
    stored = [version.get("name", "") for version in obj["spec"].get("versions") or () if version.get("storage")]
    obj["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored[:1]}


def _create_signing_request(obj: Object, ctx: Context) -> None:
    """Who asks is known, whatever the manifest says (pkg/registry/certificates/certificates/strategy.go)."""
    spec = {key: value for key, value in obj["spec"].items() if key not in ("username", "groups", "uid", "extra")}
    obj["spec"] = {**spec, "username": ctx.user, "groups": ["system:masters", "system:authenticated"]}


def _update_signing_request(new: Object, old: Mapping[str, Any], *_: Any) -> None:
    """A request does not change; nothing is said of it."""
    new["spec"] = old["spec"]


def _update_definition(new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    """Every version that was ever the stored one is remembered until somebody says otherwise."""
    if subresource:
        return
    held = dig(old, "status.storedVersions", ())
    more = [version["name"] for version in new["spec"].get("versions") or () if version.get("storage") and version["name"] not in held]
    if more:
        new["status"] = {**(old.get("status") or {}), "storedVersions": [*held, *more]}


def _merge_string_data(obj: Object, *_: Any) -> None:
    """stringData is written, never read: it goes into data (Convert_v1_Secret_To_core_Secret)."""
    if plain := obj.pop("stringData", None):
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def _drop_lease_election(obj: Object, *_: Any) -> None:
    """CoordinatedLeaderElection is off by default (pkg/registry/coordination/lease/strategy.go)."""
    if any(member in (obj.get("spec") or {}) for member in ("strategy", "preferredHolder")):
        obj["spec"] = {member: value for member, value in obj["spec"].items() if member not in ("strategy", "preferredHolder")}


def _create_statefulset(obj: Object, ctx: Context) -> None:
    """dropStatefulSetDisabledFields: MaxUnavailableStatefulSet is off by default again since v1.35.4."""
    spec = obj["spec"]
    strategy = spec.get("updateStrategy") or {}
    if "maxUnavailable" in (rolling := strategy.get("rollingUpdate") or {}):
        rolling = {member: value for member, value in rolling.items() if member != "maxUnavailable"}
        obj["spec"] = {**spec, "updateStrategy": {**strategy, "rollingUpdate": rolling}}


def _update_statefulset(new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    if not subresource:
        _create_statefulset(new, ctx)


CREATES: dict[str, Callable[[Object, Context], None]] = {
    "Pod": _create_pod, "StatefulSet": _create_statefulset, "DaemonSet": _create_daemonset, "Job": _create_job, "Service": prepare_service_for_create,
    "Namespace": _create_namespace, "PersistentVolume": _create_volume, "PersistentVolumeClaim": _create_claim,
    "Secret": _merge_string_data, "CustomResourceDefinition": _create_definition, "Lease": _drop_lease_election,
    "CertificateSigningRequest": _create_signing_request,
}

UPDATES: dict[str, Callable[[Object, Mapping[str, Any], str, Context], None]] = {
    "StatefulSet": _update_statefulset, "DaemonSet": _update_daemonset, "Service": prepare_service_for_update,
    "Namespace": _update_namespace, "PersistentVolume": _update_volume,
    "Secret": _merge_string_data, "CustomResourceDefinition": _update_definition, "CertificateSigningRequest": _update_signing_request,
}
