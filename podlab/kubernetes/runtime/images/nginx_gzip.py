"""nginx's gzip filter: what is packed for a client that takes it (ngx_http_gzip_filter_module, ngx_http_gzip_ok of ngx_http_core_module)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import http
from ..tools.compress import packed

MIN_LENGTH = 20  # gzip_min_length
STATUSES = (200, 403, 404)


def gzipped(message: http.Message, request: http.Message, settings: Mapping[str, Sequence[str]]) -> http.Message:
    """The answer as it leaves, given the gzip directives in force: packed and in chunks, or as it is."""
    kind = message.get("Content-Type").partition(";")[0]
    kinds = ("text/html", *settings.get("gzip_types", ()))
    wanted = [word.strip().partition(";") for word in request.get("Accept-Encoding").lower().split(",")]
    taken = any(name in ("gzip", "*") and rest.replace(" ", "") not in ("q=0", "q=0.0") for name, _, rest in wanted)
    length = http.size(message.body)
    least = next(iter(settings.get("gzip_min_length", ())), "")
    if (
        list(settings.get("gzip", ())) != ["on"] or not taken or message.status not in STATUSES or request.version == "HTTP/1.0"
        or message.get("Content-Encoding") or (kind not in kinds and "*" not in kinds) or length < (int(least) if least.isdigit() else MIN_LENGTH)
        or (request.get("Via") and "any" not in settings.get("gzip_proxied", ()))
    ):  # fmt: skip
        return message
    headers = [(name, f"W/{value}" if name == "ETag" and not value.startswith("W/") else value) for name, value in message.headers
               if name not in ("Content-Length", "Accept-Ranges")]  # fmt: skip
    more = [("Content-Encoding", "gzip")]
    if list(settings.get("gzip_vary", ())) == ["on"]:
        more.append(("Vary", "Accept-Encoding"))
    if request.method == "HEAD":
        return http.Message(message.start, [*headers, *more], "")
    data = packed(message.body.encode("utf-8", "surrogateescape"))
    body = f"{len(data):x}\r\n{data.decode('utf-8', 'surrogateescape')}\r\n0\r\n\r\n"
    return http.Message(message.start, [*headers, ("Transfer-Encoding", "chunked"), *more], body)
