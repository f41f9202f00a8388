"""The API server inside the simulated network: TLS and HTTP at 172.30.255.254:6443, which the Service `kubernetes` leads to.

It is no process of a node: its end of a connection is {"serves": a TLS session, "plain": text that has come, "busy"}, which the network
keeps with the connection. What its clients write is part of the simulation, no entry of the journal, and they are asked for tokens as
anybody is; the mapping from HTTP is the one that the API outside has (apiserver/rest). Watches and followed logs: api_streams.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..apiserver import certificates, rbac
from ..apiserver.errors import ApiError
from ..apiserver.rest import bodies, documents, logs, requests, users
from ..apiserver.rest.call import BODY_MAX, Answer, Call, check_length, dumps, read_headers, read_query, refusal, segments, warning_values
from ..times import http_date
from . import api_streams, http, tls
from .api_desk import Desk
from .exchanges import Wire
from .process import Data

if TYPE_CHECKING:
    from ..ground import Ground
    from .fabric import Fabric

PORT = 6443
WORK_MS = 2  # of a small request: the server's own share of the recorded steps is a few milliseconds
HEAD_MAX = 1 << 20  # bytes (Go's DefaultMaxHeaderBytes)
CHARACTERS_A_MS = 10_000  # of answers: about what a core encodes
CONTEXT: Data = {"chain": certificates.SERVER}
PLAIN = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"  # Go's net/http


def opened(end: Data) -> None:
    """A connection has come in."""
    end.update(serves=tls.server(), plain="", busy=False)


def received(wire: tls.Wire, end: Data, text: str) -> tuple[bool, bool]:
    """(whether there is a request to answer now, whether the connection goes on)."""
    session = end["serves"]
    end["plain"] += tls.feed(wire, 0, session, text, CONTEXT)
    if session["state"] == "failed":
        if session["error"] == "HTTP_REQUEST":
            wire.write(0, PLAIN)
        return False, False
    if len(end["plain"]) > BODY_MAX + HEAD_MAX:
        return False, False
    due = not end["busy"] and http.take(end["plain"])[0] is not None
    end["busy"] = end["busy"] or due
    return due, True


def serve(network: Fabric, held: Data) -> tuple[bool, bool, int]:
    """Answer one request. Returns as `received`, and the ms that the answer has cost."""
    end, wire = held["server"], Wire(network, held, "server")
    request, end["plain"] = http.take(end["plain"])
    end["busy"] = False
    if request is None:
        return False, True, 0
    found = respond(network.cluster, request)
    if api_streams.begin(network, held, request, found):
        return False, True, work(found)
    keep = request.version == "HTTP/1.1" and request.get("Connection").lower() != "close"
    if not keep:
        found.headers.append(("Connection", "close"))
    if request.method == "HEAD":
        found.body = ""
    tls.write(wire, 0, end["serves"], found.text())
    if keep:
        end["busy"] = http.take(end["plain"])[0] is not None
    return bool(end["busy"]), keep, work(found)


def work(answer: http.Message) -> int:
    """The ms that an answer keeps the server busy: whoever asks for much and often waits, and the simulator is not held up."""
    return len(answer.body) // CHARACTERS_A_MS


def respond(cluster: Ground, request: http.Message) -> http.Message:
    """The API's answer to one HTTP request of somebody inside the cluster."""
    path, _, text = request.target.partition("?")
    call = Call(request.method, segments(path), {}, read_headers(request.headers), slash=path.endswith("/"))
    try:
        call.query = read_query(text)
        found = _answer(cluster, call, request.body.encode("utf-8", "surrogateescape"))
    except ApiError as error:
        found = refusal(call, error)
    own = {"cache-control": "no-cache, private", "content-type": found.kind, **dict(found.headers)}
    headers = [("Audit-Id", cluster.random.uid("audit", request.start, cluster.now, cluster.etcd.revision)),
               *((name.title().replace("Etag", "ETag"), value) for name, value in own.items()),
               *(("Warning", value) for value in warning_values(call.warnings)), ("Date", http_date(cluster.now))]
    return http.response(found.status, found.body.decode("utf-8", "surrogateescape"), headers)


def _answer(cluster: Ground, call: Call, raw: bytes) -> Answer:
    """Raises ApiError."""
    user = users.user_of(cluster, call, users.NOBODY)
    if call.of_server:
        rbac.check(cluster, user, {"verb": call.method.lower(), "path": "/" + "/".join(call.path)})
        return documents.answer(call, cluster.server.customs.served())
    check_length(len(raw))
    target = requests.resolve(cluster, call)
    requests.check_access(cluster, user, target)
    requests.warn(call, target)
    desk = Desk(cluster, user)
    if target.subresource in requests.SESSIONS:
        raise ApiError(400, "BadRequest", "Upgrade request required")
    if target.subresource == "proxy":
        raise ApiError(501, "NotImplemented", "podlab: the proxy subresource is served outside the cluster only")
    if target.subresource == "log":
        return Answer(200, logs.Reader(desk, desk, target, logs.options_of(call)).first(), "text/plain")
    if target.verb == "watch":
        return Answer(200, api_streams.first(cluster, call, target).encode())
    body, twice = bodies.read(raw, call.headers.get("content-type", ""), patching=target.verb == "patch") if requests.has_body(target) else (None, [])
    status, make = requests.perform(cluster, desk, call, user, target, body, twice)
    return Answer(status, dumps(make(), pretty=call.pretty))
