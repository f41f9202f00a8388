"""agnhost webhook: an HTTPS server that answers AdmissionReviews, as Kubernetes' own tests of admission webhooks deploy it.

Source: test/images/agnhost/webhook in the Kubernetes tree (main.go and a file for each kind). Absent: /crdconvert.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from ...objects import dig
from .. import http
from ..process import Data, Errno, Process
from ..serving import Answer, Late, feed_http, listen_on, secured, serve, text_answer
from ..system import Sys

DELAY_MS = 5_000  # always-allow-delay-5s
FOREVER_MS = 3_600_000  # a Pod with the label wait-forever is never answered; its caller has long given up
KEY, UNWANTED = "webhook-e2e-test", "webhook-disallow"
INIT = {"image": "webhook-added-image", "name": "webhook-added-init-container", "resources": {}}
Review = dict[str, Any]  # an AdmissionResponse without its uid


def _denied(*words: str) -> Review:
    return {"allowed": not words, **({"status": {"metadata": {}, "message": "".join(words)}} if words else {})}


def _patched(*operations: dict[str, Any]) -> Review:
    if not operations:
        return {"allowed": True}
    text = json.dumps(operations, separators=(",", ":"))
    return {"allowed": True, "patch": base64.b64encode(text.encode()).decode(), "patchType": "JSONPatch"}


def _pods(request: Any) -> Review:
    pod, words = request.get("object") or {}, []
    if dig(pod, "metadata.labels", {}).get(KEY) == UNWANTED:
        words.append("the pod contains unwanted label; ")
    if any(UNWANTED in one.get("name", "") for one in dig(pod, "spec.containers", [])):
        words.append("the pod contains unwanted container name; ")
    return _denied(*words)


def _attach(request: Any) -> Review:
    name = request.get("name")
    return _denied("attaching to pod 'to-be-attached-pod' is not allowed") if name == "to-be-attached-pod" else _denied()


def _mutated_pods(request: Any) -> Review:
    named = dig(request, "object.metadata.name", "") == "webhook-to-be-mutated"
    return _patched(*([{"op": "add", "path": "/spec/initContainers", "value": [INIT]}] if named else []))


def _data_denied(words: str) -> Callable[[Any], Review]:
    def judge(request: Any) -> Review:
        held = request.get("oldObject" if request.get("operation") == "DELETE" else "object") or {}
        return _denied(words) if (held.get("data") or {}).get(KEY) == UNWANTED else _denied()
    return judge


def _mutated_data(request: Any) -> Review:
    data = dig(request, "object.data", {})
    return _patched(*({"op": "add", "path": f"/data/{after}", "value": "yes"} for before, after in
                      (("mutation-start", "mutation-stage-1"), ("mutation-stage-1", "mutation-stage-2")) if data.get(before) == "yes"))


def _crds(request: Any) -> Review:
    return _denied("the crd contains unwanted label") if dig(request, "object.metadata.labels", {}).get(KEY) == UNWANTED else _denied()


def _labelled(request: Any) -> Review:
    labels = dig(request, "object.metadata.labels", {})
    if not labels:
        return _patched({"op": "add", "path": "/metadata/labels", "value": {"added-label": "yes"}})
    if labels.get("added-label") == "yes":
        return _patched()
    return _patched({"op": "replace" if "added-label" in labels else "add", "path": "/metadata/labels/added-label", "value": "yes"})


JUDGES: dict[str, Callable[[Any], Review]] = {
    "/always-allow-delay-5s": lambda request: _denied(),
    "/always-deny": lambda request: _denied("this webhook denies all requests"),
    "/add-label": _labelled,
    "/pods": _pods,
    "/pods/attach": _attach,
    "/mutating-pods": _mutated_pods,
    "/configmaps": _data_denied("the configmap contains unwanted key and value"),
    "/mutating-configmaps": _mutated_data,
    "/custom-resource": _data_denied("the custom resource contains unwanted data"),
    "/mutating-custom-resource": _mutated_data,
    "/crd": _crds,
}


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if request.path == "/readyz":
        return text_answer("ok")
    judge = JUDGES.get(request.path)
    if judge is None:
        return text_answer("404 page not found\n", 404)
    try:
        asked = json.loads(request.body)
        found = judge(asked["request"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text_answer("Request could not be decoded\n", 400)
    review = {"kind": "AdmissionReview", "apiVersion": asked.get("apiVersion", "admission.k8s.io/v1"),
              "response": {"uid": asked["request"].get("uid", ""), **found}}
    answer = text_answer(json.dumps(review, separators=(",", ":")), kind="application/json")
    waits = request.path == "/pods" and dig(asked, "request.object.metadata.labels", {}).get(KEY) == "wait-forever"
    delay = FOREVER_MS if waits else DELAY_MS if request.path == "/always-allow-delay-5s" else 0
    return Late(delay, answer) if delay else answer


def run_webhook(proc: Process, sys: Sys, flags: dict[str, str]) -> int:
    """--tls-cert-file, --tls-private-key-file, --port 443. Ends with 2 where it cannot read its certificate."""
    port, data = int(flags.get("port") or 443), proc["data"]
    try:
        if "chain" not in data:
            sys.read_file(flags.get("tls-private-key-file", ""))
            data["chain"] = sys.read_file(flags.get("tls-cert-file", ""))
    except Errno as error:
        sys.err(f"panic: open {flags.get('tls-cert-file', '')}: {error.text.lower()}\n")
        return 2
    listen_on(proc, sys, [port])

    def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        return feed_http(proc, sys, fd, connection, _answer)

    return serve(proc, sys, secured(feed, {port: {"chain": data["chain"]}}))
