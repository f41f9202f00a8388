"""--raw of get, create, replace and delete: a request to an API path, and the server's own answer (S/kubectl/pkg/rawhttp/raw.go)."""

from __future__ import annotations

import json
from typing import Any

from ..apiserver.discovery import VIRTUAL, subresources_of
from ..apiserver.errors import ApiError
from ..apiserver.json_faults import json_fault
from ..apiserver.rest import call as http_call
from ..apiserver.rest import documents
from ..apiserver.rest.proxied import address_of
from ..resources import RESOURCES, Resource
from .builder import METRICS
from .curl import DEFAULT_TIMEOUT_MS, visited
from .manifests import clean
from .output.go_values import to_json
from .terminal import Command, KubectlError
from .verbs import Call

WORDS = {"ECONNREFUSED": "connect: connection refused", "timeout": "i/o timeout", "EHOSTUNREACH": "connect: no route to host"}
GENERIC = {404: ("NotFound", "the server could not find the requested resource"), 403: ("Forbidden", "unknown"),
           401: ("Unauthorized", "the server has asked for the client to provide credentials"),
           503: ("ServiceUnavailable", "the server is currently unable to handle the request")}  # errors.NewGenericServerResponse
EVICTED = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}'  # EvictionREST.Create answers with a Status


def ask(call: Call, verb: str, body: Any = None) -> Command:
    """Send the one request, print the answer. Raises ApiError, also where the path leads nowhere."""
    where, _, query = call.flags["raw"].partition("?")
    asked = http_call.Call("GET", http_call.segments(where), http_call.read_query(query), {})
    if verb == "get" and asked.of_server:
        return _about_server(call, asked)
    path = where.strip("/").split("/")
    group, rest = ("", path[2:]) if path[0] == "api" else (path[1] if len(path) > 1 else "", path[3:])
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    resource = next((r for r in (*RESOURCES, *VIRTUAL, *call.customs) if rest and r.name == rest[0] and r.group == group), None)
    if resource is None:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    name, subresource = (*rest[1:3], "", "")[:2]
    if subresource == "proxy" and "proxy" not in {one for one, _, _ in subresources_of(resource)}:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    if subresource == "proxy" and verb == "get":
        return (yield from _through(call, resource, namespace, name, "/" + "/".join(rest[3:]) + ("?" + query if query else "")))
    if resource.group == METRICS:
        items = call.terminal.api.metrics(resource, namespace, name, "")
        whole = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": {}, "items": items}
        found: Any = items[0] if name else whole
    elif verb == "get" and not name:
        found = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": {},
                      "items": call.request("list", resource, "", namespace)["items"]}
    else:
        found = call.request(verb, resource, name, namespace, body, subresource)
    call.terminal.out((EVICTED if subresource == "eviction" else to_json(found)) + "\n")
    return 0


def _through(call: Call, resource: Resource, namespace: str, name: str, target: str) -> Command:
    """A GET to a Pod's or Service's own server, by way of the API server. Raises ApiError, also for its answers from 400 on."""
    api = call.terminal.api
    scheme, address, port = address_of(api.engine, resource, namespace, name)
    node = api.engine.etcd.list("nodes")[0]["metadata"]["name"]  # where the API server stands
    visit = {"url": f"{scheme}://{address}:{port}{target}", "headers": [["Accept", "application/json, */*"]], "pod": f"host/{node}"}
    found = yield from visited(call.terminal, visit, DEFAULT_TIMEOUT_MS)
    if not found["ok"]:
        words = WORDS.get(found["error"], found["error"])
        raise ApiError(503, "ServiceUnavailable", f"error trying to reach service: dial tcp {address}:{port}: {words}")
    if (code := found["status"]) >= 400:
        raise ApiError(code, *GENERIC.get(code, (
            "InternalError" if code >= 500 else "Unknown",
            f"an error on the server ({json.dumps(found['body'].strip())}) has prevented the request from succeeding" if code >= 500
            else f"the server responded with the status code {code} but did not return more information")))  # fmt: skip
    call.terminal.out(found["body"])
    return 0


def _about_server(call: Call, asked: http_call.Call) -> int:
    """Discovery, health, version and the like."""
    api, path = call.terminal.api, "/" + "/".join(asked.path)
    if not api.verdict(api.identity, {"verb": "get", "path": path})["allowed"]:
        raise ApiError(403, "Forbidden", f'forbidden: User "{api.identity.name}" cannot get path "{path}"', {})
    call.terminal.out(documents.answer(asked, call.customs).body.decode())
    return 0


def send(call: Call, verb: str) -> Command:
    """create --raw and replace --raw: the one file is the body, as it is."""
    names = call.flags["filename"] or []
    if len(names) != 1:
        raise call.usage_error("--raw can only use a single local file or stdin")
    if names[0].startswith(("http://", "https://")):
        raise call.usage_error("--raw cannot read from a url")
    if names[0] == "-":
        text = yield from call.terminal.read_all()
    elif (path := clean(names[0])) in call.terminal.files:
        text = call.terminal.files[path]
    else:
        raise KubectlError(f"error: open {names[0]}: no such file or directory\n")
    if fault := json_fault(text):
        raise ApiError(400, "BadRequest", f"couldn't get version/kind; json parse error: {fault}")
    return (yield from ask(call, verb, json.loads(text)))
