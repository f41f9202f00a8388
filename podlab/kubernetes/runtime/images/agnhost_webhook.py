"""agnhost webhook: an HTTPS server that answers AdmissionReviews, as Kubernetes' own tests of admission webhooks deploy it; and
agnhost crd-conversion-webhook, which answers ConversionReviews of group stable.example.com (hostPort in v1; host and port in v2).

Sources: test/images/agnhost/webhook (main.go and a file for each kind) and crd-conversion-webhook/converter in the Kubernetes tree.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from ...objects import dig
from .. import http
from ..http import text_answer
from ..process import Data, Errno, Process
from ..serving import Answer, Late, feed_http, listen_on, secured, serve
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
        words.append("the pod contains unwanted label;")
    words += ["the pod contains unwanted container name;" for one in dig(pod, "spec.containers", []) if UNWANTED in one.get("name", "")]
    return _denied(" ".join(words)) if words else _denied()


def _attach(request: Any) -> Review:
    options = request.get("object") or {}
    meant = request.get("name") == "to-be-attached-pod" and options.get("stdin") and options.get("container") == "container1"
    return _denied("attaching to pod 'to-be-attached-pod' is not allowed") if meant else _denied()


def _mutated_pods(request: Any) -> Review:
    named = dig(request, "object.metadata.name", "") == "webhook-to-be-mutated"
    added = any(one.get("name") == INIT["name"] for one in dig(request, "object.spec.initContainers", []))
    return _patched(*([{"op": "add", "path": "/spec/initContainers", "value": [INIT]}] if named and not added else []))


def _with_sidecar(request: Any, image: str) -> Review:
    if not image:
        message = "No image specified by the sidecar-image parameter"
        return {"allowed": False, "status": {"metadata": {}, "status": "Failure", "message": message, "code": 500}}
    name = "webhook-added-sidecar"
    if any(one.get("name") == name for one in dig(request, "object.spec.containers", [])):
        return _patched()
    return _patched({"op": "add", "path": "/spec/containers/-", "value": {"image": image, "name": name, "resources": {}}})


def _data_denied(kind: str, unwanted: str) -> Callable[[Any], Review]:
    def judge(request: Any) -> Review:
        if request.get("operation") == "DELETE":
            kept = dig(request, "oldObject.data", {}).get(KEY) == "webhook-nondeletable"
            return _denied(f"the {kind} cannot be deleted because it contains unwanted key and value") if kept else _denied()
        return _denied(f"the {kind} contains unwanted {unwanted}") if dig(request, "object.data", {}).get(KEY) == UNWANTED else _denied()
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


SIDECAR = "/mutating-pods-sidecar"
JUDGES: dict[str, Callable[[Any], Review]] = {
    "/always-allow-delay-5s": lambda request: _denied(),
    "/always-deny": lambda request: _denied("this webhook denies all requests"),
    "/add-label": _labelled,
    "/pods": _pods,
    "/pods/attach": _attach,
    "/mutating-pods": _mutated_pods,
    "/configmaps": _data_denied("configmap", "key and value"),
    "/mutating-configmaps": _mutated_data,
    "/custom-resource": _data_denied("custom resource", "data"),
    "/mutating-custom-resource": _mutated_data,
    "/crd": _crds,
}


def _admit(asked: Any, path: str, flags: dict[str, str]) -> Review:
    request = asked["request"]
    found = _with_sidecar(request, flags.get("sidecar-image", "")) if path == SIDECAR else JUDGES[path](request)
    return {"kind": "AdmissionReview", "apiVersion": asked.get("apiVersion", "admission.k8s.io/v1"),
            "response": {"uid": request.get("uid", ""), **found}}


# ---- crd-conversion-webhook

GROUP = "stable.example.com"


class _Unconvertible(Exception):
    """Why an object cannot be converted."""


def _convert(obj: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Raises _Unconvertible."""
    version = obj.get("apiVersion", "")
    if version == wanted:
        raise _Unconvertible(f"conversion from a version to itself should not call the webhook: {wanted}")
    if version not in (f"{GROUP}/v1", f"{GROUP}/v2"):
        raise _Unconvertible(f'unexpected conversion version "{version}"')
    if wanted not in (f"{GROUP}/v1", f"{GROUP}/v2"):
        raise _Unconvertible(f'unexpected conversion version "{wanted}"')
    found = {**obj, "apiVersion": wanted}
    if wanted.endswith("/v2"):
        if "hostPort" in found:
            parts = str(held := found.pop("hostPort")).split(":")
            if len(parts) != 2:
                raise _Unconvertible(f"invalid hostPort value `{held}`")
            found["host"], found["port"] = parts
    elif "host" in found or "port" in found:
        found["hostPort"] = f"{found.pop('host', '')}:{found.pop('port', '')}"
    return found


def _converted(asked: Any) -> Review:
    request = asked["request"]
    response: Review = {"uid": request.get("uid", "")}
    try:
        objects = [_convert(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
        response |= {"convertedObjects": objects, "result": {"metadata": {}, "status": "Success"}}
    except _Unconvertible as error:
        response |= {"convertedObjects": [], "result": {"metadata": {}, "status": "Failure", "message": str(error)}}
    return {"kind": "ConversionReview", "apiVersion": asked.get("apiVersion", "apiextensions.k8s.io/v1"), "response": response}


# ---- the server


def _answer(proc: Process, request: http.Message) -> http.Message | Late:
    data = proc["data"]
    if request.path == "/readyz":
        return text_answer("ok")
    converts = data["mode"] == "crd-conversion-webhook"
    if request.path != "/crdconvert" if converts else request.path not in (*JUDGES, SIDECAR):
        return text_answer("404 page not found\n", 404)
    try:
        asked = json.loads(request.body)
        review = _converted(asked) if converts else _admit(asked, request.path, data.get("flags", {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        return text_answer("Request could not be decoded\n", 400)
    answer = text_answer(json.dumps(review, separators=(",", ":")), kind="application/json")
    waits = request.path == "/pods" and dig(asked, "request.object.metadata.labels", {}).get(KEY) == "wait-forever"
    delay = FOREVER_MS if waits else DELAY_MS if request.path == "/always-allow-delay-5s" else 0
    return Late(delay, answer) if delay else answer


def _over_http(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    return _answer(proc, request)


def run_webhook(proc: Process, sys: Sys, flags: dict[str, str]) -> int:
    """--tls-cert-file, --tls-private-key-file, --port 443, --sidecar-image. Ends with 2 where it cannot read its certificate."""
    port, data = int(flags.get("port") or 443), proc["data"]
    try:
        if "chain" not in data:
            sys.read_file(flags.get("tls-private-key-file", ""))
            data["flags"] = flags
            data["chain"] = sys.read_file(flags.get("tls-cert-file", ""))
    except Errno as error:
        sys.err(f"panic: open {flags.get('tls-cert-file', '')}: {error.text.lower()}\n")
        return 2
    listen_on(proc, sys, [port])

    def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        return feed_http(proc, sys, fd, connection, _over_http)

    return serve(proc, sys, secured(feed, {port: {"chain": data["chain"]}}))
