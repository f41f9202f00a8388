"""What other servers in the cluster serve of the API (kube-aggregator): asked for, as kinds that are kept like those that people define.

An APIService names a Service; the server behind it says in its discovery document which kinds it has, and in its OpenAPI document what
they are made of. docs/decisions/aggregated-apis.md says why the objects then lie in the cluster's own store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..runtime import http
from .webhook_client import CallError, exchange

if TYPE_CHECKING:
    from ..ground import Ground

Object = dict[str, Any]
SECONDS = 5  # of one look (available_controller.go: discoveryClient.Timeout)
USER = (("X-Remote-User", "system:kube-aggregator"), ("X-Remote-Group", "system:masters"))
ANYTHING: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
WRITABLE = frozenset({"create", "delete", "get", "list", "update"})
DEPTH, PARTS_MAX = 16, 10_000  # how deep a schema's references lead, and of how many parts all kinds of one server are made: a Pod's has 1,500
PLAIN = {"type": str, "format": str, "description": str, "enum": list}


def service_of(api_service: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The Service that answers for a group's version; None: this server itself."""
    found: Mapping[str, Any] | None = api_service["spec"].get("service")
    return found


def unanswered(cluster: Ground, path: Sequence[str]) -> bool:
    """Whether a path is of a group and version whose own server does not answer just now."""
    if len(path) < 3 or path[0] != "apis":
        return False
    named = cluster.etcd.get("apiservices", f"{path[2]}.{path[1]}")
    return named is not None and service_of(named) is not None and not cluster.server.customs.lent(named["metadata"]["name"])


def kinds_of(cluster: Ground, api_service: Mapping[str, Any]) -> list[Object]:
    """The kinds of an APIService, as CustomResourceDefinitions of one version would define them. Raises CallError."""
    spec = api_service["spec"]
    where = f"/apis/{spec['group']}/{spec['version']}"
    answer = _get(cluster, spec, where)
    if not 200 <= answer.status <= 299:
        raise CallError(f"bad status from {_address(cluster, spec)}{where}: {answer.status}")
    try:
        listed = json.loads(answer.body)["resources"]
        schemas = _Schemas(cluster, spec, where)
        return [_defined(spec, one, schemas) for one in listed if "/" not in one["name"] and set(one["verbs"]) >= WRITABLE]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CallError(f"failing or missing response from {_address(cluster, spec)}{where}: the answer is no APIResourceList") from None


def _address(cluster: Ground, spec: Mapping[str, Any]) -> str:
    service = cluster.etcd.get("services", f"{spec['service']['namespace']}/{spec['service']['name']}")
    ip = service["spec"].get("clusterIP", "") if service is not None else ""
    return f"https://{ip}:{spec['service'].get('port') or 443}"


def _get(cluster: Ground, spec: Mapping[str, Any], path: str) -> http.Message:
    service = spec["service"]
    host, port = f"{service['name']}.{service['namespace']}.svc", service.get("port") or 443
    message = http.request("GET", path, f"{host}:{port}", [("Accept", "application/json"), *USER])
    try:
        return exchange(cluster, spec, host, port, message, SECONDS, verify=not spec.get("insecureSkipTLSVerify"))
    except CallError as error:
        whole = _address(cluster, spec) + path
        raise CallError(f'failing or missing response from {whole}: Get "{whole}": {error}') from None


class _Schemas:
    """The schemas of its OpenAPI document; none where it has no such document. Anybody's program may have written it: what is no schema is
    left out, and of one that leads back to itself, or fans out, so much is read as PARTS_MAX allows."""

    def __init__(self, cluster: Ground, spec: Mapping[str, Any], where: str) -> None:
        self.left = PARTS_MAX
        try:
            answer = _get(cluster, spec, "/openapi/v3" + where)
            found = json.loads(answer.body)["components"]["schemas"] if answer.status == 200 else {}
        except (CallError, ValueError, KeyError, TypeError, RecursionError):
            found = {}
        self.named: Object = {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}

    def of(self, group: str, version: str, kind: str) -> Any:
        meant = {"group": group, "version": version, "kind": kind}
        found = (one for one in self.named.values() if meant in (one.get("x-kubernetes-group-version-kind") or ()))
        return next((self._whole(one, 0) for one in found), ANYTHING)

    def _whole(self, schema: Any, depth: int) -> Object:
        """A schema with what it refers to in it; metadata is this server's own matter."""
        self.left -= 1
        if not isinstance(schema, dict) or depth > DEPTH or self.left < 0:
            return dict(ANYTHING)
        ref = schema.get("$ref")
        if ref is None and len(schema.get("allOf") or ()) == 1:
            ref = schema["allOf"][0].get("$ref")
        if ref is not None:
            return self._whole(self.named.get(str(ref).rpartition("/")[2]), depth + 1)
        found: Object = {key: schema[key] for key, kind in PLAIN.items() if isinstance(schema.get(key), kind)}
        if _texts(schema.get("required")):
            found["required"] = schema["required"]
        if isinstance(schema.get("properties"), dict):
            found["properties"] = {name: {"type": "object"} if name == "metadata" and depth == 0 else self._whole(one, depth + 1)
                                   for name, one in schema["properties"].items()}
        for member in ("items", "additionalProperties"):
            if isinstance(schema.get(member), dict):
                found[member] = self._whole(schema[member], depth + 1)
        return found


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _defined(spec: Mapping[str, Any], listed: Mapping[str, Any], schemas: _Schemas) -> Object:
    kind, group, version = listed["kind"], spec["group"], spec["version"]
    names = {"plural": listed["name"], "singular": listed.get("singularName") or kind.lower(), "kind": kind, "listKind": kind + "List",
             "shortNames": listed.get("shortNames") or [], "categories": listed.get("categories") or []}
    if not (_texts([names["plural"], names["singular"], kind]) and _texts(names["shortNames"]) and _texts(names["categories"])):
        raise TypeError("names are texts")
    schema = schemas.of(group, version, kind)
    created = {"name": "Created At", "type": "string", "jsonPath": ".metadata.creationTimestamp"}  # rest.NewDefaultTableConvertor
    return {"metadata": {"name": f"{listed['name']}.{group}"},
            "spec": {"group": group, "names": names, "scope": "Namespaced" if listed["namespaced"] else "Cluster",
                     "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema},
                                   "additionalPrinterColumns": [created]}]}}


def together(kinds: Sequence[Object]) -> list[Object]:
    """Definitions of the same kind in several versions as one, which stores the first."""
    found: dict[str, Object] = {}
    for one in kinds:
        held = found.get(one["metadata"]["name"])
        if held is None:
            found[one["metadata"]["name"]] = one
        else:
            later = [{**version, "storage": False} for version in one["spec"]["versions"]]
            found[one["metadata"]["name"]] = {**held, "spec": {**held["spec"], "versions": [*held["spec"]["versions"], *later]}}
    return list(found.values())
