"""Subresources that change objects: binding, eviction, scale, ephemeralcontainers, resize, finalize, token.

exec, attach, log and port-forward reach into containers and are served by `Cluster`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..cause import Cause
from ..objects import EMPTY, Map, dig, freeze, thaw
from ..resources import Resource
from ..times import rfc3339
from . import account_tokens, admission, applying, decode, deletion, patch
from .admission import topology_labels
from .context import Context
from .customresources import door
from .errors import ApiError, FieldError, bad_request, conflict, method_not_supported
from .request import Request
from .tables.texts import selector_string
from .validation import core

if TYPE_CHECKING:
    from .server import ApiServer


def read(server: ApiServer, resource: Resource, request: Request) -> Map:
    obj = server.existing(resource, request)
    if request.subresource == "scale":
        return door.scale_of(resource, obj) if resource.custom is not None else scale_of(resource, obj)
    if request.subresource in ("status", "ephemeralcontainers", "resize", "approval"):
        return obj
    raise method_not_supported(f"{resource.plural}/{request.subresource}", "get")


def write(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    handler = {"binding": bind, "eviction": evict, "scale": write_scale, "ephemeralcontainers": replace_part, "resize": replace_part,
               "approval": replace_part, "finalize": finalize, "token": token}.get(request.subresource)
    if handler is None:
        raise method_not_supported(f"{resource.plural}/{request.subresource}", request.verb)
    return handler(server, resource, request, cause)


def bind(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """Put a Pod on a node (pkg/registry/core/pod/storage, BindingREST)."""
    body = request.body or {}
    request.name = request.name or dig(body, "metadata.name", "")
    if (named := dig(body, "metadata.name", "")) and named != request.name:
        raise bad_request("name in URL does not match name in Binding object")
    node = target_of(body)
    pod = server.existing(resource, request)
    said = body.get("metadata") or EMPTY
    if said.get("uid") or said.get("resourceVersion"):
        server.check_same(resource, {"metadata": said}, pod)
    if pod["metadata"].get("deletionTimestamp"):
        raise conflict("", "pods/binding", request.name, f"pod {request.name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        raise conflict("", "pods/binding", request.name, f"pod {request.name} is already assigned to node \"{pod['spec']['nodeName']}\"")
    if dig(pod, "spec.schedulingGates"):
        raise conflict("", "pods/binding", request.name, f"pod {request.name} has non-empty .spec.schedulingGates")
    status = pod.get("status") or EMPTY
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": rfc3339(server.cluster.clock.now)}
    others = [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"]
    status = {key: value for key, value in status.items() if key != "nominatedNodeName"}
    bound = {**pod, "spec": {**pod["spec"], "nodeName": node}, "status": {**status, "conditions": [*others, condition]}}
    place = topology_labels.of_node(server.cluster.etcd.get("nodes", node))
    if place or said.get("labels") or said.get("annotations"):  # what the Binding is told of, the Pod is told of
        told = {"labels": {**(said.get("labels") or EMPTY), **place}, "annotations": said.get("annotations") or EMPTY}
        bound["metadata"] = {**pod["metadata"], **{member: {**(pod["metadata"].get(member) or EMPTY), **added}
                                                   for member, added in told.items() if added}}
    return server.dry(bound, None) if request.options.get("dryRun") else server.store("pods", bound, cause, request)


def target_of(binding: Mapping[str, Any]) -> str:
    """The node a Binding names (ValidatePodBinding). Raises ApiError without a reason: a bare list of errors is no
    status of the API's. The real one makes 500 of it; here no body does, so 400, as what does not fit a schema (applying.not_typed)."""
    errors = list[FieldError]()
    core.binding(binding, errors)
    if errors:
        said = ", ".join(str(error) for error in errors)
        raise ApiError(400, "", f"[{said}]" if len(errors) > 1 else said)
    return str(binding["target"]["name"])


def evict(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """Delete a Pod if its disruption budgets allow (pkg/registry/core/pod/storage/eviction.go)."""
    if request.body and dig(request.body, "metadata.name", "") != request.name:
        raise bad_request("name in URL does not match name in Eviction object")
    pod = server.existing(resource, request)
    options = dict(dig(request.body or {}, "deleteOptions", {}))
    if request.options.get("dryRun"):
        options["dryRun"] = request.options["dryRun"]
    asked = {"apiVersion": "policy/v1", "kind": "Eviction", **(request.body or {})}
    admission.admit_part(resource, "CREATE", asked, "eviction", pod["metadata"], Context(server.cluster, request.user, bool(options.get("dryRun"))))
    phase = dig(pod, "status.phase")
    exempt = phase in ("Succeeded", "Failed", "Pending") or pod["metadata"].get("deletionTimestamp")
    if not exempt:
        budgets = [budget for budget in server.cluster.etcd.list("poddisruptionbudgets", request.namespace)
                   if _covers(budget, pod)]
        if len(budgets) > 1:
            raise ApiError(500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        if budgets:
            _take_disruption(server, budgets[0], pod, cause, request, dry=bool(options.get("dryRun")))
    if not options.get("dryRun"):
        pod = server.existing(resource, request)
        condition = {"type": "DisruptionTarget", "status": "True", "lastProbeTime": None,
                     "lastTransitionTime": rfc3339(server.cluster.clock.now), "reason": "EvictionByEvictionAPI",
                     "message": "Eviction API: evicting"}
        others = [c for c in dig(pod, "status.conditions", ()) if c["type"] != "DisruptionTarget"]
        pod = server.store("pods", {**pod, "status": {**pod["status"], "conditions": [*others, condition]}}, cause, request)
    return deletion.delete_object(server, resource, pod, Request("delete", "pods", request.namespace, request.name, options=options,
                                                                 user=request.user), cause)


def _covers(budget: Map, pod: Map) -> bool:
    from ..selectors import selects
    return selects(budget["spec"].get("selector"), pod["metadata"].get("labels"))


def _take_disruption(server: ApiServer, budget: Map, pod: Map, cause: Cause, request: Request, *, dry: bool) -> None:
    """Raises ApiError 429 where the budget has none left: of a dry run too, which takes none (eviction.go, checkAndDecrement)."""
    status = budget.get("status") or EMPTY
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in dig(pod, "status.conditions", ()))
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if not ready and (dig(budget, "spec.unhealthyPodEvictionPolicy") == "AlwaysAllow" or healthy >= desired > 0):
        return
    refusal = "Cannot evict pod as it would violate the pod's disruption budget."
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise ApiError(429, "TooManyRequests", refusal, {"retryAfterSeconds": 10, "causes": [{
            "reason": "DisruptionBudget", "message": f"The disruption budget {name} is still being processed by the server."}]})
    if status.get("disruptionsAllowed", 0) <= 0:
        raise ApiError(429, "TooManyRequests", refusal, {"causes": [{
            "reason": "DisruptionBudget", "message": f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"}]})
    if dry:
        return
    disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: rfc3339(server.cluster.clock.now)}
    server.store("poddisruptionbudgets", {**budget, "status": {**status, "disruptionsAllowed": status["disruptionsAllowed"] - 1,
                                                               "disruptedPods": disrupted}}, cause, request)


def scale_of(resource: Resource, obj: Map) -> Map:
    """The autoscaling/v1 Scale of a workload."""
    selector = obj["spec"].get("selector")
    if resource.plural == "replicationcontrollers":
        selector = Map(matchLabels=selector)
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    scale: Map = freeze({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
                         "spec": {"replicas": obj["spec"].get("replicas", 1)},
                         "status": {"replicas": dig(obj, "status.replicas", 0),
                                    "selector": selector_string(selector)}})
    return scale


def write_scale(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    obj = server.existing(resource, request)
    if request.verb == "patch" and request.options.get("patchType") == applying.MEDIA_TYPE:
        config = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": request.name},
                  "spec": {"replicas": dig(request.body, "spec.replicas", 0)}}
        asked = Request("patch", resource.plural, request.namespace, request.name, "scale", config, request.options, request.user)
        return scale_of(resource, applying.apply(server, resource, asked, cause))
    scale = thaw(scale_of(resource, obj))
    if request.verb == "patch":
        scale = patch.apply_patch(resource, scale, request.body, request.options.get("patchType", "application/merge-patch+json"))
    else:
        scale = request.body
    server.check_same(resource, {"metadata": {k: v for k, v in (scale.get("metadata") or {}).items() if k in ("uid", "resourceVersion")}}, obj)
    replicas = dig(scale, "spec.replicas", 0)
    if not isinstance(replicas, int):
        raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal {type(replicas).__name__} '
                          "into Go struct field ScaleSpec.spec.replicas of type int32")
    changed = thaw(obj)
    changed["spec"]["replicas"] = replicas
    parent = Request("update", resource.plural, request.namespace, request.name, "scale", changed, request.options, request.user)
    return scale_of(resource, server.replace(resource, changed, obj, parent, cause))


def replace_part(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """ephemeralcontainers and resize: an update of the Pod of which only that part may differ."""
    old = server.existing(resource, request)
    if request.verb == "patch" and request.options.get("patchType") == applying.MEDIA_TYPE:
        return applying.apply(server, resource, request, cause)
    if request.verb == "patch":
        body: Any = patch.apply_patch(resource, old, request.body, request.options.get("patchType", "application/strategic-merge-patch+json"))
    else:
        body = request.body
    server.check_same(resource, body, old)
    return server.replace(resource, decode.decode(resource, body, strict=True), old, request, cause)


def finalize(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    old = server.existing(resource, request)
    finalizers = dig(request.body, "spec.finalizers", [])
    left = {**old, "spec": {**old["spec"], "finalizers": finalizers}}
    if request.options.get("dryRun"):
        return server.dry(left, None)
    return deletion.write(server, resource, left, old, cause, request)


def token(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """A TokenRequest's answer (pkg/registry/core/serviceaccount/storage/token.go)."""
    spec = dig(request.body or {}, "spec", EMPTY)
    text, claims = account_tokens.issue(server.cluster, request.namespace, request.name, spec)
    answer: Map = freeze({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                          "metadata": {"name": request.name, "namespace": request.namespace,
                                       "creationTimestamp": rfc3339(server.cluster.clock.now)},
                          "spec": {"audiences": claims["aud"], "expirationSeconds": claims["exp"] - claims["iat"],
                                   "boundObjectRef": spec.get("boundObjectRef")},
                          "status": {"token": text, "expirationTimestamp": rfc3339(claims["exp"] * 1000)}})
    return answer
