"""What a request about objects does, whoever brings it: who may, and the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import aggregation, discovery, rbac, schema
from ..errors import ApiError
from ..request import Request
from ..warnings import DEPRECATED
from . import addresses, bodies, clocks, listing, shapes, virtual, writing
from .addresses import Target
from .call import READING, Call, Desk

if TYPE_CHECKING:
    from ...ground import Ground

SESSIONS = ("exec", "attach", "portforward")


def resolve(engine: Ground, call: Call) -> Target:
    """What a request about objects asks for. Raises ApiError: 503 where another server serves it, which does not answer."""
    try:
        return addresses.resolve(call, engine.server.customs.served())
    except ApiError as error:
        if error.code == 404 and aggregation.unanswered(engine, call.path):
            raise ApiError(503, "ServiceUnavailable", "the server is currently unable to handle the request") from None
        raise


def check_access(engine: Ground, user: rbac.User, target: Target) -> None:
    """Raises ApiError 403 for what a viewer, a ServiceAccount or the person that is posed as may not do."""
    resource = target.resource
    rbac.check(engine, user, {"verb": target.verb, "group": resource.group, "resource": resource.name, "subresource": target.subresource,
                              "namespace": target.namespace, "name": target.name})


def warn(call: Call, target: Target) -> None:
    """The warnings that every answer about a kind carries."""
    if target.resource.custom is not None and target.resource.custom.warning:
        call.warnings.append(target.resource.custom.warning)
    if target.resource.plural in DEPRECATED:
        call.warnings.append(DEPRECATED[target.resource.plural])


def has_body(target: Target) -> bool:
    """Whether `bodies.read` reads what comes with it."""
    return target.verb not in READING and target.subresource not in (*SESSIONS, "proxy")


def perform(engine: Ground, desk: Desk, call: Call, user: rbac.User, target: Target, body: Any,
            twice: list[str]) -> tuple[int, Callable[[], Any]]:
    """(HTTP status, what makes the JSON value: the work that others need not wait for). Sessions, logs, proxies and watches are others'.

    Raises ApiError.
    """
    if target.resource in discovery.VIRTUAL:
        status, value = virtual.perform(engine, desk, call, target, body, user)
    elif target.verb == "list":
        shape, now, clock = shapes.negotiate(call, listing=True), engine.now, desk.clock()
        objects, metadata = listing.read(engine, desk, call, target)
        return 200, shapes.Many(target.resource, objects, shape, now, clock, metadata)
    elif target.verb == "get":
        status, value = 200, _get(engine, desk, call, target)
    else:
        status, value = writing.perform(engine, desk, call, target, body, twice, user)
    return status, lambda: value


def _get(engine: Ground, desk: Desk, call: Call, target: Target) -> Any:
    listing.check_version(call, engine.etcd.revision)
    obj = engine.server.perform(Request("get", target.resource.plural, target.namespace, target.name, target.subresource))
    shape = shapes.negotiate(call, listing=False)
    if target.subresource == "scale" and shape.kind != shapes.TABLE:
        return clocks.moved(schema.type_of(bodies.SCALE), obj, desk.clock().of(obj["metadata"]["resourceVersion"]))
    return shapes.one(bodies.SCALE if target.subresource == "scale" else target.resource, obj, shape, engine.now, desk.clock())
