"""What Vector's sinks send, and the lines that demo_logs makes up (vector.dev/docs/reference/configuration/sinks)."""

from __future__ import annotations

import json
import re
from typing import Any

from ...times import stamp
from .. import http
from ..process import Data
from ..system import Sys
from . import log_pipeline as pipe
from .log_parsers import iso, time_ms
from .vector_config import seconds


def demo(sys: Sys, body: Data) -> str:
    """A line of demo_logs."""
    form = str(body.get("format", "json"))
    lines = body.get("lines")
    if form == "shuffle" and isinstance(lines, list) and lines:
        return str(lines[sys.random(len(lines))])
    host = f"{10 + sys.random(200)}.{sys.random(255)}.{sys.random(255)}.{sys.random(255)}"
    method, path = (
        ("GET", "POST", "PUT", "DELETE")[sys.random(4)],
        ("/user/booperbot124", "/booper/bopper/mooper/mopper", "/apps/deploy")[sys.random(3)],
    )
    status, size = (200, 302, 404, 500, 503)[sys.random(5)], 1000 + sys.random(49_000)
    when = stamp(sys.now, "%d/%b/%Y:%H:%M:%S +0000")
    if form == "json":
        return json.dumps({"host": host, "user-identifier": "meln1ks", "datetime": when, "method": method, "request": path, "protocol": "HTTP/1.1",
                           "status": str(status), "bytes": size, "referer": "https://up.com/"}, separators=(",", ":"))  # fmt: skip
    if form == "syslog":
        head = f"<{sys.random(190)}>1 {iso(sys.now)} some.com shaneIxD {1000 + sys.random(9000)} ID{sys.random(999)}"
        return f"{head} - There's a breach in the warp core, captain"
    return f'{host} - meln1ks [{when}] "{method} {path} HTTP/1.1" {status} {size}'


def template(text: str, event: Data, at: int) -> str:
    """`{{ field }}` and strftime's letters."""
    filled = re.sub(r"\{\{\s*\.?([\w.@-]+)\s*\}\}", lambda found: _text(_field(event, found[1])), text)
    return stamp(at, filled) if re.search(r"%[YmdHMSFTjy]", filled) else filled


def _field(event: Any, path: str) -> Any:
    for part in path.split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return event


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def encoded(body: Data, event: Data) -> str:
    """An event as `encoding` says."""
    options = body.get("encoding") if isinstance(body.get("encoding"), dict) else {}
    assert isinstance(options, dict)
    only, gone = options.get("only_fields"), options.get("except_fields") or ()
    shown = {name: value for name, value in event.items() if (not only or name in only) and name not in gone}
    codec = options.get("codec", "json")
    if codec in ("text", "raw_message"):
        return _text(shown.get("message"))
    if codec == "logfmt":
        return " ".join(
            f"{name}={json.dumps(_text(value), ensure_ascii=False) if ' ' in _text(value) else _text(value)}" for name, value in shown.items()
        )
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def endpoint(body: Data) -> str:
    found = body.get("endpoints") or body.get("endpoint") or body.get("uri") or ""
    return str(found[0] if isinstance(found, list) and found else found)


def wish(body: Data, events: list[pipe.Event]) -> Data:
    """The request that delivers a batch."""
    _, host, port, target = http.split_url(endpoint(body))
    agent = "Vector/0.50.0"
    timeout = {"timeout": seconds((body.get("request") or {}).get("timeout_secs"), 60)}
    if body["type"] == "elasticsearch":
        options = body.get("bulk") or {}
        found = []
        for at, _, event in events:
            document = {("@timestamp" if name == "timestamp" else name): value for name, value in event.items()}
            moment = time_ms(event.get("timestamp"))
            found.append(({"_index": template(str(options.get("index", "vector-%Y.%m.%d")), event, moment if moment is not None else at)}, document))
        text = pipe.bulk(found, str(options.get("action", "index")))
        return {**pipe.post(host, port, target.rstrip("/") + "/_bulk", text, kind="application/x-ndjson", agent=agent), **timeout}
    if body["type"] == "loki":
        labels = [
            {template(str(name), event, at): template(str(value), event, at) for name, value in body["labels"].items()} for at, _, event in events
        ]
        shown = [
            {name: value for name, value in event.items() if not (body.get("remove_timestamp", True) and name == "timestamp")}
            for _, _, event in events
        ]
        tenant = [("X-Scope-OrgID", str(body["tenant_id"]))] if body.get("tenant_id") else []
        text = pipe.streams(events, labels, [encoded(body, event) for event in shown])
        path = str(body.get("path", "/loki/api/v1/push"))
        return {**pipe.post(host, port, path, text, kind="application/json", agent=agent, headers=tenant), **timeout}
    rows = [encoded(body, event) for _, _, event in events]
    framed = str((body.get("framing") or {}).get("method", "")) == "newline_delimited"
    text = "".join(row + "\n" for row in rows) if framed else "[" + ",".join(rows) + "]"
    return {**pipe.post(host, port, target, text, kind="application/x-ndjson" if framed else "application/json", agent=agent), **timeout}
