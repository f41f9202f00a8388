"""A small Internet beyond the cluster: a closed list of well-known hosts at documentation addresses, with short pages of our own.

It stands where a cluster's uplink leads, so that what manuals fetch by name (`curl https://example.com`) has an answer, an ExternalName
Service an end, and an egress rule something to keep from. Nothing leaves the simulator. Addresses: TEST-NET-3 (RFC 5737), but for the two
public resolvers that people ping by address. Names that are not listed do not exist (NXDOMAIN).

A host's end of a connection is {"site": a TLS session, or None over plain HTTP; "text": what has come}, which the network keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..times import http_date, stamp
from . import http, tls
from .exchanges import Wire
from .http import text_answer
from .internet_hosts import CHAIN, MIRROR, NAMES
from .process import Data

if TYPE_CHECKING:
    from .fabric import Fabric

TEXT_MAX = 1 << 20  # bytes of one request
HTML = "text/html; charset=utf-8"

TITLES = {
    "info.cern.ch": "http://info.cern.ch - a page of the first website's host",
    "example.com": "Example Domain",
    "example.org": "Example Domain",
    "example.net": "Example Domain",
    "google.com": "Google",
    "kubernetes.io": "Kubernetes",
    "github.com": "GitHub",
    "wikipedia.org": "Wikipedia",
    "naver.com": "NAVER",
    "httpbin.org": "httpbin.org",
    MIRROR: "Package mirror",
}
ONLY_HTTPS = ("kubernetes.io", "github.com", "wikipedia.org", "naver.com")  # over plain HTTP they send everybody to TLS


def opened(end: Data) -> None:
    """A connection has come in."""
    end.update(site=tls.server() if end["port"] == 443 else None, text="")


def received(network: Fabric, held: Data, text: str) -> bool:
    """Takes what has come and answers every request that is whole; gives whether the connection goes on."""
    end, wire = held["server"], Wire(network, held, "server")
    session = end["site"]
    end["text"] += text if session is None else tls.feed(wire, 0, session, text, {"chain": CHAIN})
    if session is not None and session["state"] == "failed":
        if session["error"] == "HTTP_REQUEST":
            tls.write(wire, 0, None, http.response(400, "", [("Connection", "close")]).text())
        return False
    while True:
        request, rest = http.take(end["text"])
        if request is None:
            return len(end["text"]) <= TEXT_MAX
        end["text"] = rest
        found = page(NAMES[end["ip"]], request, network.now, network.routes.address_of(held["client"]["namespace"]), secure=session is not None)
        keep = request.version == "HTTP/1.1" and request.get("Connection").lower() != "close"
        found.headers += [("Date", http_date(network.now)), ("Connection", "keep-alive" if keep else "close")]
        if request.method == "HEAD":
            found.body = ""
        tls.write(wire, 0, session, found.text())
        if not keep:
            return False


def page(host: str, request: http.Message, now: int, peer: str, *, secure: bool) -> http.Message:
    """What a host answers. `now`: virtual ms; `peer`: the address that it sees."""
    if not secure and host in ONLY_HTTPS:
        return text_answer("", 301, HTML, [("Location", f"https://{host}{request.target}")])
    if request.method not in ("GET", "HEAD"):
        return text_answer("Method Not Allowed\n", 405, headers=[("Allow", "GET, HEAD")])
    if host == "ifconfig.me":
        return text_answer(peer)
    if host == "worldtimeapi.org":
        return _time(request.path, now)
    if host == "httpbin.org" and request.path == "/ip":
        return text_answer(f'{{\n  "origin": "{peer}"\n}}\n', kind="application/json")
    if request.path not in ("/", "/index.html"):
        return text_answer("<html><body><h1>404 Not Found</h1></body></html>\n", 404, HTML)
    title = TITLES[host]
    return text_answer(f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>"
                       f"<p>{host}: a page of PodLab's simulated Internet.</p></body></html>\n", kind=HTML)  # fmt: skip


def _time(path: str, now: int) -> http.Message:
    """The hour as a service of JSON tells it; every zone is UTC here."""
    zone = path.removeprefix("/api/timezone/").removesuffix(".txt")
    if not path.startswith("/api/timezone/") or not zone:
        return text_answer('{"error":"unknown location"}\n', 404, "application/json")
    at, seconds = stamp(now, "%Y-%m-%dT%H:%M:%S+00:00"), now // 1000
    if path.endswith(".txt"):
        return text_answer(f"datetime: {at}\ntimezone: {zone}\nunixtime: {seconds}\nutc_offset: +00:00\n")
    return text_answer(f'{{"datetime":"{at}","timezone":"{zone}","unixtime":{seconds},"utc_offset":"+00:00"}}\n', kind="application/json")
