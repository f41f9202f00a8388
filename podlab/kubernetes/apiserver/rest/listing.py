"""Lists: selectors, resourceVersion semantics, and lists read in pieces (apiserver/pkg/storage/continue.go)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ... import selectors
from ...etcd import key_of_object
from .. import fields, made_up
from ..customresources.conversion import in_version
from ..errors import ApiError, bad_request
from ..request import Request
from ..server import ApiServer
from . import options
from .addresses import Target
from .call import Call, Desk

if TYPE_CHECKING:
    from ...ground import Ground

# handleCompactedErrorForPaging, apiserver/pkg/storage/etcd3/errors.go
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided "
    "token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was "
    "returned and now may show up in the list."
)
Picks = Callable[[Any], bool]
ANY = -1  # the revision of a token that takes any


class Expired(ApiError):
    """A list that cannot be continued as it was begun; the answer carries a token to go on all the same."""

    def __init__(self, token: str) -> None:
        super().__init__(410, "Expired", TOO_OLD)
        self.token = token

    def status(self) -> dict[str, Any]:
        return {**super().status(), "metadata": {"continue": self.token}}


def selection(call: Call, target: Target) -> dict[str, str]:
    """The selectors of a list, watch or deletecollection, as options of a Request. Raises ApiError 400."""
    chosen = {name: call.one(name) for name in ("labelSelector", "fieldSelector") if call.one(name)}
    if "fieldSelector" in chosen:
        chosen |= fields.chosen(target.resource, chosen["fieldSelector"])
    return chosen


def version(text: str) -> int:
    """A resourceVersion of the query: 0 for none and for "0". Raises ApiError 400."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise bad_request(f'resourceVersion: Invalid value: "{text[:80]}": strconv.ParseUint: parsing "{text[:80]}": invalid syntax')
    return int(text)


def check_version(call: Call, current: int) -> int:
    """The version that a read asks for, which must not lie ahead; 0 for any. Raises ApiError 400 or 504."""
    wanted = version(call.one("resourceVersion"))
    if wanted > current:
        raise ApiError(504, "Timeout", f"Too large resource version: {wanted}, current: {current}",
                       {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1})
    return wanted


def picks_of(chosen: dict[str, str], target: Target) -> Picks:
    """Whether an object is among those that are watched. Raises ApiError 400."""
    tests: list[Picks] = []
    try:
        if text := chosen.get("labelSelector"):
            wanted = selectors.parse(text)
            tests.append(lambda obj: selectors.matches(wanted, obj["metadata"].get("labels") or {}))
        if text := chosen.get("fieldSelector"):
            picked = selectors.field_matcher(text, ApiServer.field)
            tests.append(lambda obj: picked(in_version(target.resource, obj) if target.resource.custom is not None else obj))
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None
    if target.name:
        tests.append(lambda obj: obj["metadata"]["name"] == target.name)
    return lambda obj: all(test(obj) for test in tests)


def read(engine: Ground, desk: Desk, call: Call, target: Target) -> tuple[list[Any], dict[str, Any]]:
    """(objects, list metadata). Call inside a turn. Raises ApiError."""
    options.check_list(call)
    chosen = selection(call, target)
    limit, token = call.number("limit") or 0, call.one("continue")
    call.number("timeoutSeconds")
    if limit < 0:
        raise bad_request("limit: must be a non-negative integer")
    what = (target.resource.plural, target.namespace, chosen.get("labelSelector"), chosen.get("fieldSelector"), chosen.get("apiVersion"))
    revision = engine.etcd.revision
    if token:
        if version(call.one("resourceVersion")):
            raise bad_request("specifying resource version is not allowed when using continue")
        revision, start = _open(token)
        found = desk.kept((revision, *what))
        if found is None:
            if revision not in (ANY, engine.etcd.revision):  # a client that can live with it goes on from its place in the present
                raise Expired(_seal(ANY, start))
            found, revision = _everything(engine, target, chosen), engine.etcd.revision
        found = [obj for obj in found if key_of_object(obj) > start]
    else:
        wanted = check_version(call, revision)
        if call.one("resourceVersionMatch") == options.EXACT and wanted != revision:
            found, revision = _past(engine, target, chosen, wanted), wanted
        else:
            found = _everything(engine, target, chosen)
        if limit and len(found) > limit:
            desk.keep((revision, *what), found)
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if limit and len(found) > limit:
        metadata["continue"] = _seal(revision, key_of_object(found[limit - 1]))
        if not chosen:
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return found, metadata


def _past(engine: Ground, target: Target, chosen: dict[str, str], wanted: int) -> list[Any]:
    """What there was at a revision: the present, with all that was written since taken back. Raises ApiError 410 where that is forgotten."""
    etcd, plural = engine.etcd, target.resource.plural
    if wanted < etcd.compacted or plural in made_up.KINDS or plural in made_up.READ:
        raise ApiError(410, "Expired", f"The resourceVersion for the provided list is too old: {wanted} ({etcd.revision})")
    held = {key_of_object(obj): obj for obj in etcd.list(plural, target.namespace or None)}
    for change in reversed([one for one in etcd.since(wanted) if one.plural == plural]):
        if change.old is not None:
            held[change.key] = change.old
        else:
            held.pop(change.key, None)
    inside, picks = f"{target.namespace}/" if target.namespace else "", picks_of(chosen, target)
    return [held[key] for key in sorted(held) if key.startswith(inside) and picks(held[key])]


def _everything(engine: Ground, target: Target, options: dict[str, str]) -> list[Any]:
    found: list[Any] = engine.server.perform(Request("list", target.resource.plural, target.namespace, options=dict(options)))["items"]
    return found


def _seal(revision: int, key: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": key}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _open(token: str) -> tuple[int, str]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, start = found["rv"], found["start"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise bad_request("continue key is not valid") from None
    if not isinstance(revision, int) or not isinstance(start, str):
        raise bad_request("continue key is not valid")
    return revision, start
