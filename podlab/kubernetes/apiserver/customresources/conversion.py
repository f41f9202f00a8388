"""Custom objects in another version of their kind: with the strategy None only the apiVersion differs, with Webhook a server converts.

Source: apiextensions-apiserver/pkg/apiserver/conversion (converter.go, webhook_converter.go). The webhook is asked within the request, and
nothing in the cluster changes by it, so that reads may convert too (runtime/at_once.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...objects import Map, dig, stored, thaw
from ...resources import Resource
from .. import webhook_client
from ..errors import ApiError
from ..ownership import records
from . import structural

if TYPE_CHECKING:
    from ...ground import Ground

Object = Mapping[str, Any]
SECONDS = 30  # how long the converter's client waits (util/webhook/client.go)
GROUP = "apiextensions.k8s.io"
KEPT = ("labels", "annotations")  # all else of the metadata stays what it was (restoreObjectMeta)
SAME = ("name", "namespace", "uid")  # what no conversion may change (validateConvertedObject)


def in_version(resource: Resource, obj: Object) -> Object:
    """A custom object in the version of `resource`; one that is in it already stays as it is. A frozen one keeps its managers.

    Raises ApiError 500 in the server's words where the webhook fails.
    """
    if obj.get("apiVersion") == resource.api_version:
        return obj
    convert = resource.custom.convert
    new = {**obj, "apiVersion": resource.api_version} if convert is None else convert(resource, obj)
    return stored(new, records.of(obj)) if isinstance(obj, Map) else new


def by_webhook(cluster: Ground, resource: Resource, obj: Object) -> Object:
    """What the webhook makes of an object, pruned and filled by the schema of its new version. Raises ApiError 500."""
    config, kind = resource.custom.webhook, f"{obj['apiVersion']}, Kind={resource.kind}"
    version = next((one for one in config.get("conversionReviewVersions") or () if one in ("v1", "v1beta1")), "")
    if not version:
        raise ApiError(500, "", "no supported conversion review versions")
    uid = cluster.random.uid("conversion-review", resource.plural, obj["metadata"].get("name") or "", cluster.etcd.revision)
    review = {"kind": "ConversionReview", "apiVersion": f"{GROUP}/{version}",
              "request": {"uid": uid, "desiredAPIVersion": resource.api_version, "objects": [thaw(obj)]}}
    try:
        found = _objects(webhook_client.ask(cluster, config.get("clientConfig") or {}, review, SECONDS), review)
    except webhook_client.CallError as error:
        raise ApiError(500, "", f"conversion webhook for {kind} failed: {error}") from None
    if len(found) != 1:
        raise ApiError(500, "", f"conversion webhook for {kind} returned {len(found)} objects, expected 1")
    if why := _wrong(obj, found[0], resource):
        raise ApiError(500, "", f"conversion webhook for {kind} returned invalid {why}")
    given = found[0]["metadata"]
    metadata = {name: value for name, value in obj["metadata"].items() if name not in KEPT}
    whole = {**found[0], "metadata": {**metadata, **{name: given[name] for name in KEPT if given.get(name)}}}
    schema = dict(resource.custom.schema)
    structural.prune(schema, whole)
    structural.fill(schema, whole)
    return whole


def _objects(answer: Any, review: Object) -> list[Any]:
    """Raises CallError (getConvertedObjectsFromResponse)."""
    if not isinstance(answer, dict):
        raise webhook_client.CallError("couldn't get version/kind; json parse error")
    version, kind = str(answer.get("apiVersion") or ""), str(answer.get("kind") or "")
    if (version, kind) != (review["apiVersion"], review["kind"]):
        raise webhook_client.CallError(f"expected webhook response of {_gvk(review['apiVersion'], review['kind'])}, got {_gvk(version, kind)}")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise webhook_client.CallError("no response provided")
    if version.endswith("/v1") and response.get("uid") != review["request"]["uid"]:
        raise webhook_client.CallError(f'expected response.uid="{review["request"]["uid"]}", got "{response.get("uid") or ""}"')
    status = str(dig(response, "result.status", ""))
    if status != "Success":
        raise webhook_client.CallError(str(dig(response, "result.message", "")) or f"response.result.status was '{status}', not 'Success'")
    objects = response.get("convertedObjects") or []
    return objects if isinstance(objects, list) else []


def _gvk(version: str, kind: str) -> str:
    return f"{version}, Kind={kind}"


def _wrong(before: Object, after: Any, resource: Resource) -> str:
    if not isinstance(after, dict) or not isinstance(after.get("metadata"), dict):
        return "object: it is no object"
    if after.get("apiVersion") != resource.api_version:
        return f"object at index 0: invalid groupVersion (expected {resource.api_version}, received {after.get('apiVersion') or ''})"
    if after.get("kind") != resource.kind:
        return f"object at index 0: invalid kind (expected {resource.kind}, received {after.get('kind') or ''})"
    for name in SAME:
        one, other = before["metadata"].get(name) or "", after["metadata"].get(name) or ""
        if one != other:
            return f"object: must have the same {name.replace('uid', 'UID')}: {one} != {other}"
    return ""
