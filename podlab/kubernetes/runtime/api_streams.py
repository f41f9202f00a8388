"""Watches and followed logs of clients inside the cluster: answers in chunks that go on until the client, their time or the log ends.

A stream is data at the server's end of its connection: {"request": [start, headers], and of a watch "plural", "until" (virtual ms) and
"due" (lines to be told), of a log "offset" and "run"}. A watch takes note of changes as they come, for the store's history is no part of
a checkpoint; so what was deleted between a client's list and its watch is not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver.errors import ApiError
from ..apiserver.request import Request
from ..apiserver.rest import addresses, listing, logs, shapes, watching
from ..apiserver.rest.call import Call, read_headers, read_query, segments
from ..apiserver.rest.users import NOBODY
from . import exchanges, http, tls
from .api_desk import CLOCK, Desk
from .process import Data

if TYPE_CHECKING:
    from ..etcd import Change
    from ..ground import Ground
    from .fabric import Fabric

TELL_MS = 2  # from a change to the watchers' news
LOG_MS = 100  # between two looks whether a log has grown
LAST = "0\r\n\r\n"
ERROR = '{"type":"ERROR"'


def call_of(request: http.Message) -> Call:
    """Raises ApiError for a query that cannot be read."""
    path, _, text = request.target.partition("?")
    call = Call(request.method, segments(path), {}, read_headers(request.headers), slash=path.endswith("/"))
    call.query = read_query(text)
    return call


def begin(network: Fabric, held: Data, request: http.Message, found: http.Message) -> bool:
    """Whether an answer that was made goes on: then its head and first piece are sent and the rest is to come."""
    may = found.status == 200 and request.version == "HTTP/1.1" and request.method == "GET"
    if not may or ("watch" not in request.target and "follow" not in request.target):
        return False
    cluster, call = network.cluster, call_of(request)
    if call.of_server:
        return False
    target = addresses.resolve(call, cluster.server.customs.served())
    stream: Data = {"request": [request.start, [list(one) for one in request.headers]]}
    if target.verb == "watch" and not found.body.startswith(ERROR):
        stream.update(plural=target.resource.plural, until=cluster.now + watching.seconds(call) * 1000, due=[])
        network.state.setdefault("watches", []).append(held["id"])
        listen(network)
    elif target.subresource == "log" and call.flag("follow"):
        reader = _reader(cluster, call, target)
        if reader is None or reader.unassigned or reader.options.previous:
            return False
        reader.first()
        if reader.over:
            return False
        stream.update(offset=reader.offset, run=reader.run)
    else:
        return False
    held["server"].update(stream=stream, busy=True)
    head = [(name, value) for name, value in found.headers if name != "Content-Length"]
    _say(network, held, http.Message(found.start, [*head, ("Transfer-Encoding", "chunked")]).text() + _chunk(found.body))
    network.after(stream["until"] - network.now if "until" in stream else LOG_MS, {"stream": held["id"]})
    return True


def listen(network: Fabric) -> None:
    """Begins to take notes for watches, once there is one: nothing is told to a network that has none."""
    if network.state.get("watches") and not network.listens:
        network.listens = True
        network.cluster.etcd.subscribe("*", lambda change: _note(network, change))


def _note(network: Fabric, change: Change) -> None:
    noted = False
    for connection in list(network.state["watches"]):
        held = network.state["connections"].get(connection)
        if held is None or "stream" not in held["server"]:
            network.state["watches"].remove(connection)
        elif (stream := held["server"]["stream"])["plural"] == change.plural:
            try:
                call, target = _wanted(network.cluster, stream)
                found = watching.event(change, target, listing.picks_of(listing.selection(call, target), target))
                line = _line(network.cluster, call, target, *found) if found is not None else ""
            except ApiError:
                continue  # its kind is being taken away, or nobody converts the object: whoever writes must not hear of it
            if line:
                stream["due"].append(line)
                noted = True
    if noted and not network.state.get("telling"):
        network.state["telling"] = True
        network.after(TELL_MS, {"told": True})


def tell(network: Fabric) -> None:
    """The watches' turn: what was noted is told."""
    network.state["telling"] = False
    for connection in network.state["watches"]:
        held = network.state["connections"].get(connection)
        stream = held["server"].get("stream") if held is not None else None
        if held is not None and stream and stream["due"] and not held["server"].get("shut"):
            due, stream["due"] = stream["due"], []
            _say(network, held, _chunk("".join(due)))


def go_on(network: Fabric, held: Data) -> None:
    """A stream's moment has come: a log may have grown, a watch's time is over."""
    server = held["server"]
    stream = server.get("stream")
    if stream is None or server.get("shut"):
        return
    reader = _reader(network.cluster, *_wanted(network.cluster, stream), stream) if "offset" in stream else None
    if reader is not None:
        text = reader.more()
        stream["offset"] = reader.offset
        if text:
            _say(network, held, _chunk(text.decode("utf-8", "surrogateescape")))
        if not reader.over:
            network.after(LOG_MS, {"stream": held["id"]})
            return
    del server["stream"]
    if held["id"] in network.state.get("watches", ()):
        network.state["watches"].remove(held["id"])
    _say(network, held, LAST)
    server["busy"] = http.take(server["plain"])[0] is not None
    network.attended(held, due=bool(server["busy"]), keep=True)


def first(cluster: Ground, call: Call, target: addresses.Target) -> str:
    """What a watch begins with. Raises ApiError."""
    etcd = cluster.etcd
    everything, marked, wanted = watching.beginning(call)
    picks = listing.picks_of(listing.selection(call, target), target)
    listed = cluster.server.perform(Request("list", target.resource.plural, target.namespace))["items"]
    found = [obj for obj in listed if picks(obj)]
    if everything:
        lines = [_line(cluster, call, target, "ADDED", obj) for obj in found]
        if marked and call.flag("allowWatchBookmarks"):
            shape = shapes.negotiate(call, listing=False)
            lines.append(watching.bookmark(target, shape, etcd.revision, watching.INITIAL_END).decode())
        return "".join(lines)
    if wanted > etcd.revision:
        return watching.expired(wanted, etcd.revision).decode()
    newer = [obj for obj in found if wanted and int(obj["metadata"]["resourceVersion"]) > wanted]
    return "".join(_line(cluster, call, target, "MODIFIED", obj) for obj in newer)


def _wanted(cluster: Ground, stream: Data) -> tuple[Call, addresses.Target]:
    call = call_of(http.Message(stream["request"][0], [(name, value) for name, value in stream["request"][1]]))
    return call, addresses.resolve(call, cluster.server.customs.served())


def _line(cluster: Ground, call: Call, target: addresses.Target, kind: str, obj: Any) -> str:
    return watching.text(kind, shapes.one(target.resource, obj, shapes.negotiate(call, listing=False), cluster.now, CLOCK)).decode()


def _reader(cluster: Ground, call: Call, target: addresses.Target, stream: Data | None = None) -> logs.Reader | None:
    """The log's reader at its beginning, or where a stream stands; None when the Pod is gone."""
    desk = Desk(cluster, NOBODY)
    try:
        reader = logs.Reader(desk, desk, target, logs.options_of(call))
    except ApiError:
        return None
    if stream is not None:
        reader.offset, reader.run = stream["offset"], stream["run"]
    return reader


def _say(network: Fabric, held: Data, text: str) -> None:
    tls.write(exchanges.Wire(network, held, "server"), 0, held["server"]["serves"], text)


def _chunk(body: str) -> str:
    return f"{http.size(body):x}\r\n{body}\r\n" if body else ""
