"""What is asked and not stored: reviews of access and of tokens, and the metrics that `kubectl top` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import quantity, selectors
from ...resources import Resource
from ...times import rfc3339
from .. import account_tokens, decode, issuer, rbac
from ..errors import ApiError, bad_request, invalid, not_found
from ..validation import reviews
from . import bodies, listing, shapes
from .addresses import Target
from .call import Call, Desk

if TYPE_CHECKING:
    from ...ground import Ground

KIBI = 1024
WINDOW = "15s"  # what the kubelet's summary averages over (metrics-server's default resolution)


def perform(engine: Ground, desk: Desk, call: Call, target: Target, body: Any, user: rbac.User) -> tuple[int, Any]:
    """(HTTP status, JSON value). Call inside a turn. Raises ApiError."""
    if target.resource.group == "metrics.k8s.io":
        labels = listing.selection(call, target).get("labelSelector") or "" if not target.name else ""
        found = metrics(engine, target.resource, target.namespace, target.name, labels, desk.clock().now)
        shape = shapes.negotiate(call, listing=not target.name)
        return 200, metrics_table(found.get("items", [found]), shape.version) if shape.kind == shapes.TABLE else found
    if shapes.negotiate(call, listing=False).kind:
        raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")
    return 201, reviewed(engine, target, body, user)


def reviewed(engine: Ground, target: Target, body: Any, user: rbac.User) -> dict[str, Any]:
    """A review with its answer. Raises ApiError."""
    review = bodies.typed(target.resource, body)
    if isinstance(body, dict):
        decode.check_type(target.resource, body)
    answer = REVIEWS[target.resource.plural](engine, review, target, user)
    return {"kind": target.resource.kind, "apiVersion": target.resource.api_version,
                 "metadata": {}, **({"spec": review["spec"]} if "spec" in review else {}), "status": answer}


# ---- reviews


def _self_subject(engine: Ground, review: dict[str, Any], target: Target, user: rbac.User) -> dict[str, Any]:
    return {"userInfo": user.info()}


def _token(engine: Ground, review: dict[str, Any], target: Target, user: rbac.User) -> dict[str, Any]:
    """Of the tokens that this cluster's ServiceAccounts bear (pkg/registry/authentication/tokenreview/storage.go)."""
    spec = review.get("spec") or {}
    if not spec.get("token"):
        raise bad_request("token is required for TokenReview in authentication")
    audiences = tuple(spec.get("audiences") or (issuer.ISSUER,))
    try:
        claims = account_tokens.check(engine, spec["token"], audiences)
    except account_tokens.BadToken as error:
        return {"user": {}, "error": f"[{error}]"}
    return {"authenticated": True, "user": account_tokens.user_info(claims), "audiences": [one for one in audiences if one in claims["aud"]]}


def _attributes(review: dict[str, Any], target: Target) -> dict[str, Any]:
    if errors := reviews.access_review(target.resource.kind, review, target.namespace):
        raise invalid(target.resource.group, target.resource.kind, "", errors)
    resource, other = review["spec"].get("resourceAttributes"), review["spec"].get("nonResourceAttributes") or {}
    return {**resource} if resource is not None else {"path": other.get("path", ""), "verb": other.get("verb", "")}


def _self_access(engine: Ground, review: dict[str, Any], target: Target, user: rbac.User) -> dict[str, Any]:
    return rbac.verdict(engine, user, _attributes(review, target))


def _subject_access(engine: Ground, review: dict[str, Any], target: Target, user: rbac.User) -> dict[str, Any]:
    wanted, spec = _attributes(review, target), review["spec"]
    return rbac.verdict(engine, rbac.User(spec.get("user", ""), tuple(spec.get("groups") or ())), wanted)


def _rules(engine: Ground, review: dict[str, Any], target: Target, user: rbac.User) -> dict[str, Any]:
    namespace = review.get("spec", {}).get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request")
    rules = rbac.rules_of(engine, user, namespace)
    return {"resourceRules": [rule for rule in rules if "resources" in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule], "incomplete": False}


REVIEWS = {
    "selfsubjectreviews": _self_subject,
    "tokenreviews": _token,
    "selfsubjectaccessreviews": _self_access,
    "subjectaccessreviews": _subject_access,
    "localsubjectaccessreviews": _subject_access,
    "selfsubjectrulesreviews": _rules,
}


# ---- metrics


def metrics(engine: Ground, resource: Resource, namespace: str, name: str, labels: str, seconds: int = 0) -> dict[str, Any]:
    """PodMetrics or NodeMetrics: of one object, or the list of those that `labels` picks. `seconds`: how far the client's clock is ahead.
    Raises ApiError."""
    plural, stamp = resource.plural, rfc3339(engine.now + seconds * 1000)
    measure = _pod if plural == "pods" else _node
    if name:
        obj = engine.etcd.get(plural, f"{namespace}/{name}" if plural == "pods" else name)
        found = measure(engine, obj, stamp) if obj is not None else None
        if found is None:
            called = f"{namespace}/{name}" if plural == "pods" else name
            raise not_found("metrics.k8s.io", "podmetrics" if plural == "pods" else "nodemetrics", called)
        return {"kind": resource.kind, "apiVersion": resource.api_version, **found}
    objects = engine.etcd.list(plural, namespace or None)
    try:
        if labels:
            wanted = selectors.parse(labels)
            objects = [obj for obj in objects if selectors.matches(wanted, obj["metadata"].get("labels") or {})]
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None
    items = [found for obj in objects if (found := measure(engine, obj, stamp)) is not None]
    return {"kind": resource.kind + "List", "apiVersion": resource.api_version, "metadata": {}, "items": items}


def metrics_table(items: list[dict[str, Any]], version: str) -> dict[str, Any]:
    """What metrics-server answers to kubectl get: names and amounts (its pkg/api/table.go). `version`: of meta.k8s.io."""
    rows, api_version = [], f"meta.k8s.io/{version}"
    for one in items:
        parts = [container["usage"] for container in one["containers"]] if "containers" in one else [one["usage"]]
        cpu = sum(quantity.parse(part["cpu"]) for part in parts)
        memory = sum(quantity.value(part["memory"]) for part in parts)
        cells = [one["metadata"]["name"], f"{int(cpu * 10**9)}n" if cpu else "0", f"{memory // KIBI}Ki" if memory >= KIBI else "0", one["window"]]
        rows.append({"cells": cells, "object": {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": one["metadata"]}})
    columns = [{"name": name, "type": "string", "format": form, "description": "", "priority": 0}
               for name, form in (("Name", "name"), ("cpu", "quantity"), ("memory", "quantity"), ("Window", "duration"))]
    return {"kind": "Table", "apiVersion": api_version, "metadata": {}, "columnDefinitions": columns, "rows": rows}


def _about(obj: Any, stamp: str) -> dict[str, Any]:
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace", "labels") if obj["metadata"].get(key)}
    return {"metadata": {**metadata, "creationTimestamp": stamp}, "timestamp": stamp, "window": WINDOW}


def _amounts(nanocores: int, size: int) -> dict[str, str]:
    return {"cpu": f"{nanocores}n" if nanocores else "0", "memory": f"{size // KIBI}Ki"}


def _pod(engine: Ground, pod: Any, stamp: str) -> dict[str, Any] | None:
    used = engine.pod_usage(pod)
    if not used:
        return None
    containers = [{"name": name, "usage": _amounts(int(one.get("cpu_nanocores", 0)), int(one.get("memory_bytes", 0)))}
                  for name, one in sorted(used.items())]
    return {**_about(pod, stamp), "containers": containers}


def _node(engine: Ground, node: Any, stamp: str) -> dict[str, Any] | None:
    facts = engine.node_facts(node["metadata"]["name"])
    if facts.get("power") != "on":
        return None
    return {**_about(node, stamp), "usage": _amounts(facts["usage"]["cpu"] * 1_000_000, facts["usage"]["memory"])}
