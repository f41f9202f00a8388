"""The sample API server (staging/src/k8s.io/sample-apiserver): it tells of group wardle.example.com, whose objects the cluster's API server keeps.

Behind TLS it answers health checks anybody, and discovery and OpenAPI whoever the aggregator says it asks for.
"""

from __future__ import annotations

import json
from typing import Any

from .. import http
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, feed_http, listen_on, secured, serve
from ..system import Sys
from .base import PATH, base_tree

GROUP = "wardle.example.com"
HEALTH = ("/healthz", "/livez", "/readyz")
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
KINDS = {"v1alpha1": (("fischers", "Fischer", False), ("flunders", "Flunder", True)), "v1beta1": (("flunders", "Flunder", True),)}
_TEXT = {"type": "string"}
SPECS: dict[tuple[str, str], dict[str, Any]] = {
    ("v1alpha1", "Flunder"): {"spec": {"type": "object", "properties": {"reference": _TEXT, "referenceType": _TEXT}}, "status": {"type": "object"}},
    ("v1beta1", "Flunder"): {"spec": {"type": "object", "properties": {"flunderReference": _TEXT, "fischerReference": _TEXT, "referenceType": _TEXT}},
                             "status": {"type": "object"}},
    ("v1alpha1", "Fischer"): {"disallowedFlunders": {"type": "array", "items": _TEXT}},
}  # fmt: skip
"""pkg/apis/wardle/<version>/types.go: what stands beside metadata."""


def _resources(version: str) -> dict[str, Any]:
    listed = [{"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": VERBS}
              for name, kind, namespaced in KINDS[version]]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{version}", "resources": listed}


def _group() -> dict[str, Any]:
    versions = [{"groupVersion": f"{GROUP}/{version}", "version": version} for version in ("v1beta1", "v1alpha1")]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": versions, "preferredVersion": versions[0]}


def _openapi(version: str) -> dict[str, Any]:
    own: dict[str, Any] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}}
    schemas: dict[str, Any] = {f"com.example.wardle.{version}.{kind}": {
        "type": "object", "properties": {**own, **SPECS[version, kind]},
        "x-kubernetes-group-version-kind": [{"group": GROUP, "kind": kind, "version": version}]} for _, kind, _ in KINDS[version]}
    return {"openapi": "3.0.0", "info": {"title": "Wardle", "version": "0.1"}, "paths": {}, "components": {"schemas": schemas}}


def _document(path: str) -> dict[str, Any] | None:
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group()]}
    if path == f"/apis/{GROUP}":
        return _group()
    for version in KINDS:
        if path == f"/apis/{GROUP}/{version}":
            return _resources(version)
        if path == f"/openapi/v3/apis/{GROUP}/{version}":
            return _openapi(version)
    return None


def _status(code: int, reason: str, message: str) -> http.Message:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code}
    return text_answer(json.dumps(body), code, kind="application/json")


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if request.path in HEALTH:
        return text_answer("ok")
    if not request.get("X-Remote-User"):
        return _status(403, "Forbidden", f'forbidden: User "system:anonymous" cannot {request.method.lower()} path "{request.path}"')
    found = _document(request.path)
    if found is None:
        return _status(404, "NotFound", "the server could not find the requested resource")
    return text_answer(json.dumps(found, separators=(",", ":")), kind="application/json")


def _run(proc: Process, sys: Sys, event: Event) -> int:
    """--tls-cert-file, --tls-private-key-file, --secure-port 443. Ends with 1 where it cannot read its certificate."""
    flags = dict(word.removeprefix("--").partition("=")[::2] for word in proc["argv"][1:] if word.startswith("--"))
    port, data = int(flags.get("secure-port") or 443), proc["data"]
    if "chain" not in data:
        try:
            sys.read_file(flags.get("tls-private-key-file", ""))
            data["chain"] = sys.read_file(flags.get("tls-cert-file", ""))
        except Errno as error:
            sys.err(f"Error: open {flags.get('tls-cert-file', '')}: {error.text.lower()}\n")
            return 1
    listen_on(proc, sys, [port])

    def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        return feed_http(proc, sys, fd, connection, _answer)

    return serve(proc, sys, secured(feed, {port: {"chain": data["chain"]}}))


register(Program("kube-sample-apiserver", lambda proc, sys: _run(proc, sys, None), _run, memory=40 * MEBIBYTE))
add(
    Image(
        "registry.k8s.io/e2e-test-images/sample-apiserver",
        ("1.17.4", "1.17.5", "1.17.7", "1.29.2", "1.32.0", "1.33.0", "1.34.0", "1.35.0", "1.36.0"),
        base_tree("busybox", {"kube-sample-apiserver": Entry(program="kube-sample-apiserver", size=50_000_000)}),
        25_000_000,
        entrypoint=("/kube-sample-apiserver",),
        env={"PATH": PATH},
        ports=(443,),
    )
)
