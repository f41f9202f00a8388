"""The proxy subresource of Pods and Services: one HTTP request into the cluster and its answer (pkg/registry/core/*/rest/proxy)."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit

from podlab.api import forwarding, wire
from podlab.api.hub import Hub
from podlab.api.wire import Send
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.apiserver.rest.proxied import address_of
from podlab.labs.live import LiveCluster

# What a Pod says must not act as our own site: only harmless headers pass, and a browser runs nothing of the body
PASSED = ("accept-ranges", "content-language", "content-type", "date", "etag", "last-modified", "server")
ALONE = (b"content-security-policy", b"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:")
DROPPED = ("connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade", "cookie", "authorization")


PLAIN = "/~!$&'()*+,;=:@"  # what Go's url.EscapedPath leaves as it is
LINK = re.compile(r"""(?P<before><[a-z][^<>]*?\s(?:href|src|action|background|cite|longdesc|poster)=["']?)(?P<path>/[^"'\s>]*)""", re.IGNORECASE)


async def serve(live: LiveCluster, hub: Hub, call: Call, target: Target, body: bytes, send: Send) -> None:
    """Raises ApiError: 404 without the object, 503 where nothing answers."""
    if not target.rest and not call.slash and call.method in ("GET", "HEAD"):  # relative links need the slash (UpgradeAwareHandler)
        query = urlencode([(name, value) for name, values in call.query.items() for value in values])
        location = f"{call.base}/{'/'.join(quote(part) for part in call.path)}/" + (f"?{query}" if query else "")
        await wire.answer(send, call, 301, b"", "text/plain", [(b"location", location.encode())])
        return
    scheme, address, port = await hub.act(lambda: address_of(live.engine, target.resource, target.namespace, target.name))
    path = "/" + "/".join(quote(part, safe=PLAIN) for part in target.rest) + ("/" if target.rest and call.slash else "")
    query = urlencode([(name, value) for name, values in call.query.items() for value in values])
    headers = [[name, value] for name, value in call.headers.items() if name not in DROPPED]
    node = live.engine.etcd.list("nodes")[0]["metadata"]["name"]  # the request enters the cluster where the API server stands
    entry = {"do": "visit", "url": f"{scheme}://{address}:{port}{path}" + (f"?{query}" if query else ""), "method": call.method, "headers": headers,
             "body": body.decode("utf-8", "surrogateescape"), "pod": f"host/{node}"}
    async with hub.awake():  # the cluster's time passes meanwhile
        result = await forwarding.visit(live, hub, entry)
    if not result["ok"]:
        words = forwarding.WORDS.get(result["error"], result["error"])
        raise ApiError(503, "ServiceUnavailable", f"error trying to reach service: dial tcp {address}:{port}: connect: {words}")
    own = ("/" + "/".join(quote(part, safe=PLAIN) for part in call.path)).removesuffix(path.rstrip("/"))
    extra = [(name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in result["headers"]
             if name.lower() in PASSED]
    for name, value in result["headers"]:
        if name.lower() == "location" and (place := redirected(value, f"{address}:{port}", call.base + own)):
            extra.append((b"location", place.encode("latin-1", "replace")))
    kind = next((value for name, value in result["headers"] if name.lower() == "content-type"), "text/plain")
    text = str(result["body"])
    if kind.startswith("text/html"):
        text = relinked(text, own)
    await wire.answer(send, call, result["status"], text.encode("utf-8", "surrogateescape"), kind, [*extra, ALONE])


def redirected(location: str, server: str, prefix: str) -> str:
    """Where a redirect leads, through the proxy if it is the same server's (rewriteURL, ibid.). "" for anywhere else: a link that begins with
    our own address must not end at somebody else's.
    """
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    if (parts.scheme and not parts.netloc) or parts.netloc not in ("", server, server.removesuffix(":80")):
        return ""
    path = quote(parts.path or "/", safe=PLAIN + "%")
    return (prefix + path if path.startswith("/") else path) + (f"?{quote(parts.query, safe=PLAIN + '%?')}" if parts.query else "")


def relinked(text: str, prefix: str) -> str:
    """A page whose links to its own server's paths lead through the proxy (rewriteHTML, apimachinery/pkg/util/proxy/transport.go)."""
    def link(found: re.Match[str]) -> str:
        path = found["path"]
        return found[0] if path.startswith(("//", prefix)) else f"{found['before']}{prefix}{path}"

    return LINK.sub(link, text)
