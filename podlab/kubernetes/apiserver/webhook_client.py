"""How the API server asks a webhook: HTTPS through a Service to a ready Pod, a review as JSON, and Go's words for what goes wrong.

Sources: S/apiserver/pkg/util/webhook (client.go), S/apiserver/pkg/util/proxy (ResolveCluster), S/client-go/rest (request.go),
S/apimachinery/pkg/api/errors (NewGenericServerResponse), Go's crypto/x509 (verify.go). S is staging/src/k8s.io.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..addresses import CONTROL_PLANE_NAMESPACE
from ..etcd import key_of
from ..objects import Map
from ..runtime import at_once, dns, http, x509
from ..runtime.process import Errno
from ..times import rfc3339

if TYPE_CHECKING:
    from ..ground import Ground

Object = Mapping[str, Any]
DIAL_MS = 30_000  # the transport's dialer gives up (net.Dialer.Timeout of client-go)
CALLS_A_TURN = 100  # after so many a controller leaves the rest of its Pods to its next turn: a call takes up to some milliseconds
NOBODY = "network", ""  # whom the answer of a request that only happens is for
UNTRUSTED = "tls: failed to verify certificate: x509: "
STATUSES = {
    400: "the server rejected our request for an unknown reason", 401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource", 405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict", 429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request", 504: "the server was unable to return a response in the time allotted, "
    "but may still be processing the request",
}  # fmt: skip


_calls = [0]  # since `begin_turn`; nothing but the limit depends on it


def begin_turn() -> None:
    """Whoever begins a piece of work says so."""
    _calls[0] = 0


def many() -> bool:
    """Whether this turn's work has asked webhooks often enough."""
    return _calls[0] >= CALLS_A_TURN


class CallError(Exception):
    """A webhook that could not be asked, or whose answer is none. Its text is Go's."""


def ask(cluster: Ground, config: Object, review: Object, seconds: int, *, happens: bool = False) -> Any:
    """The JSON that a webhook answers; `config` is its clientConfig. Raises CallError.

    Nothing in the cluster changes; but where the call `happens`, because it is part of a write, the request then goes its way over the
    network, so that the server's log tells of it. Its answer is the one that is known already."""
    _calls[0] += 1
    service = config.get("service")
    if service is not None:
        port = service.get("port") or 443
        host = f"{service['name']}.{service['namespace']}.svc"
        base, path = f"https://{host}:{port}", "/" + str(service.get("path") or "").lstrip("/")
    else:
        base, host, port, path = _place(config.get("url") or "")
    where = f"{path}?timeout={seconds}s"
    message = http.request("POST", where, f"{host}:{port}", [("Content-Type", "application/json"), ("Accept", "application/json, */*")],
                           json.dumps(review, separators=(",", ":"), ensure_ascii=False))
    try:
        found = exchange(cluster, config, host, port, message, seconds, happens=happens)
    except CallError as error:
        raise CallError(f'Post "{base}{where}": {error}') from None
    return _read(found)


def _place(url: str) -> tuple[str, str, int, str]:
    """(what stands before the path, host, port, path) of a URL that validation took: a host may have letters that Python's urlsplit refuses."""
    authority, _, path = url.partition("://")[2].partition("/")
    host, bracket, rest = authority.removeprefix("[").partition("]") if authority.startswith("[") else ("", "", "")
    if not bracket:
        host, _, rest = authority.partition(":")
    return f"https://{authority}", host, int(rest.removeprefix(":") or 443), f"/{path}"


def exchange(cluster: Ground, config: Object, host: str, port: int, message: http.Message, seconds: int, *, happens: bool = False,
             verify: bool = True) -> http.Message:
    """What the server that a clientConfig means would answer, under its name `host`; as `ask`. Raises CallError."""
    address, port = _resolved(cluster, config.get("service"), host, port)
    found = cluster.trials.ask(CONTROL_PLANE_NAMESPACE, address, port, message, f"{host}/{cluster.etcd.revision}", seconds * 1000)
    if found.chain is not None:
        if verify and (why := _distrust(found.chain, config.get("caBundle"), host, cluster.now)):
            raise CallError(why)
        if happens:
            cluster.network.request(CONTROL_PLANE_NAMESPACE, address, port, message.text(), seconds * 1000, NOBODY, secure=True)
    if isinstance(found, at_once.Failed):
        raise CallError(_failed(found, f"{address}:{port}", seconds))
    if found.ms >= seconds * 1000:
        raise CallError("context deadline exceeded")
    return found.message


def _resolved(cluster: Ground, service: Object | None, host: str, port: int) -> tuple[str, int]:
    """The address that is dialled. Raises CallError."""
    if service is None:
        if dns.is_address(host):
            return host, port
        raise CallError(f"dial tcp: lookup {host}: no such host")  # no name of the world outside resolves here
    found: Map | None = cluster.etcd.get("services", key_of(service["namespace"], service["name"]))
    if found is None:
        raise CallError(f'service "{service["name"]}" not found')
    spec = found["spec"]
    if spec.get("type") == "ExternalName":
        raise CallError(f"dial tcp: lookup {spec['externalName']}: no such host")
    if spec.get("clusterIP") in (None, "", "None"):
        raise CallError('cannot route to service with ClusterIP "None"')
    if not any(one["port"] == port for one in spec.get("ports") or ()):
        raise CallError(f'no service port {port} found for service "{service["name"]}"')
    return str(spec["clusterIP"]), port


def _failed(found: at_once.Failed, address: str, seconds: int) -> str:
    if found.ms >= seconds * 1000:
        return "context deadline exceeded"
    if found.said:
        return found.said
    if found.ms >= DIAL_MS:
        return f"dial tcp {address}: i/o timeout"
    return f"dial tcp {address}: connect: {Errno(found.errno).text.lower()}"


def _distrust(chain: str, bundle: str | None, host: str, now: int) -> str:
    """Why the server's certificates are not believed: times first, then names, then who signed; "" where they are (see `x509.verify`)."""
    unknown = UNTRUSTED + "certificate signed by unknown authority"
    try:
        mine = x509.certificates(chain)
        roots = base64.b64decode(bundle or "").decode("utf-8", "replace")
    except (x509.BadCertificate, binascii.Error):
        return unknown
    if not mine:
        return "remote error: tls: internal error"  # a server without a certificate
    if now > mine[0].end:
        return f"{UNTRUSTED}certificate has expired or is not yet valid: current time {rfc3339(now)} is after {rfc3339(mine[0].end)}"
    kind = "IP_ADDRESS" if dns.is_address(host) else "DNS"
    names = [name for sort, name in mine[0].sans if sort == kind]
    if not any(_covers(name, host) for name in names):
        return UNTRUSTED + _misnamed(mine[0], names, host)
    return unknown if x509.verify(chain, roots, now) else ""


def _covers(name: str, host: str) -> bool:
    first, _, rest = host.lower().partition(".")
    return name.lower() == host.lower() or (name.startswith("*.") and bool(first) and name[2:].lower() == rest)


def _misnamed(certificate: x509.Certificate, names: list[str], host: str) -> str:
    if names:
        return f"certificate is valid for {', '.join(names)}, not {host}"
    if not certificate.sans and "CN=" in certificate.subject:
        return "certificate relies on legacy Common Name field, use SANs instead"
    return f"certificate is not valid for any names, but wanted to match {host}"


def _read(answer: http.Message) -> Any:
    """Raises CallError."""
    if answer.status != 200:
        if answer.status >= 500 and answer.status not in STATUSES:
            raise CallError(f"an error on the server ({json.dumps(answer.body.strip())}) has prevented the request from succeeding")
        raise CallError(STATUSES.get(answer.status, f"the server responded with the status code {answer.status} but did not return more information"))
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise CallError(f"couldn't get version/kind; json parse error: {error}") from None
