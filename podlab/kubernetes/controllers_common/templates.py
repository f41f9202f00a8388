"""Pod templates: their hashes, the Pods made of them, and making or deleting many Pods at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ..apiserver import webhook_client
from ..apiserver.errors import ApiError
from ..cause import Cause
from ..client import Client
from ..objects import EMPTY, Map, memo
from .owners import reference

TEMPLATE_HASH = "pod-template-hash"
# SafeEncodeString maps each decimal digit of the hash through rand's alphabet
DIGITS = str.maketrans("0123456789", "456789bcdf")
BURST = 500  # replicaset.BurstReplicas, job.MaxPodCreateDeletePerSync
SLOW_START = 1  # SlowStartInitialBatchSize


def template_hash(template: Any, collisions: int | None = None) -> str:
    """Up to 10 characters that name a template (ComputeHash): 32-bit FNV-1a of its canonical JSON.

    Kubernetes hashes a Go dump of the struct, which nobody can rebuild outside Go; alphabet and length are the same.
    """
    text = memo(template, "canonical", _canonical) if isinstance(template, Map) else _canonical(template)
    if collisions is not None:
        text += str(collisions)
    return fnv1a(text)


def fnv1a(text: str) -> str:
    """32-bit FNV-1a in the safe alphabet."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return str(value).translate(DIGITS)


def _canonical(template: Any) -> str:
    return json.dumps(template, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def new_pod(template: Any, owner: Map, *, name: str = "", generate: str = "", labels: dict[str, str] | None = None,
            annotations: dict[str, str] | None = None, finalizers: Iterable[str] = (),
            spec: dict[str, Any] | None = None) -> dict[str, Any]:
    """A Pod to be created from a template (GetPodFromTemplate). `generate` is a generateName; `spec` replaces the template's."""
    held = template.get("metadata") or EMPTY
    metadata: dict[str, Any] = {"namespace": owner["metadata"]["namespace"], "ownerReferences": [reference(owner)]}
    if name:
        metadata["name"] = name
    if generate:
        metadata["generateName"] = generate
    if all_labels := {**(held.get("labels") or EMPTY), **(labels or {})}:
        metadata["labels"] = all_labels
    if all_annotations := {**(held.get("annotations") or EMPTY), **(annotations or {})}:
        metadata["annotations"] = all_annotations
    if all_finalizers := [*(held.get("finalizers") or ()), *finalizers]:
        metadata["finalizers"] = all_finalizers
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec if spec is not None else template["spec"]}


def create_pod(client: Client, owner: Map, pod: dict[str, Any], cause: Cause) -> Map:
    """Create a Pod and say so (RealPodControl.createPods). Raises ApiError after the FailedCreate event."""
    try:
        created = client.create("pods", pod, owner["metadata"]["namespace"], cause=cause)
    except ApiError as error:
        if not namespace_terminating(error):
            client.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
        raise
    client.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
    return created


def delete_pod(client: Client, owner: Map, pod: Map, cause: Cause) -> bool:
    """Delete a Pod and say so (DeletePod). False when it had gone. Raises ApiError after the FailedDelete event."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    try:
        client.delete("pods", name, namespace, uid=pod["metadata"]["uid"], cause=cause)
    except ApiError as error:
        if error.code == 404:
            return False
        client.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
        raise
    client.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
    return True


def namespace_terminating(error: ApiError) -> bool:
    causes = (error.details or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def slow_start(number: int, make: Callable[[int], Any]) -> tuple[int, ApiError | None]:
    """Call make(0), make(1) ... in batches of 1, 2, 4 ...; stop after the first batch with an error (slowStartBatch).
    Where each asks many webhooks, the last ones are left to the caller's next turn, which the first ones bring about.

    Returns how many succeeded, and the first error.
    """
    done, at, batch = 0, 0, SLOW_START
    while at < number:
        first_error = None
        end = min(at + batch, number)
        for index in range(at, end):
            try:
                make(index)
                done += 1
            except ApiError as error:
                first_error = first_error or error
            if done and webhook_client.many():
                return done, first_error
        if first_error:
            return done, first_error
        at, batch = end, batch * 2
    return done, None
