"""The parts of Fluentd's plugins: parsers, filters, what stdout prints, how a failed flush is told (docs.fluentd.org)."""

from __future__ import annotations

import json
import re
from typing import Any

from ...times import stamp
from .. import http
from ..linear import TooComplex
from ..process import Data
from ..system import Sys
from .fluentd_config import boolean, count, ruby_pattern
from .log_parsers import NGINX, NGINX_TIME, dig, parse_json, parse_named, time_ms


def kind(element: Data) -> str:
    return str(element["params"].get("@type") or element["params"].get("type") or "")


def child(element: Data, name: str) -> Data:
    """Parameters of a section of that name; {} when there is none."""
    return next((one["params"] for one in element["children"] if one["name"] == name), {})


def parse_line(params: Data, line: str) -> Data | None:
    """A line by a <parse> section; None: it does not match."""
    what = params.get("@type", "none")
    if what == "json":
        return parse_json(line)
    if what in ("regexp", "multiline"):
        text = params.get("expression") or "".join(params[f"format{at}"].strip("/") for at in range(1, 21) if f"format{at}" in params)
        return parse_named(*ruby_pattern(text), line)
    if what == "nginx":
        return parse_named(*ruby_pattern(NGINX), line)
    return {params.get("message_key", "message"): line}


def timed(params: Data, record: Data, now: int) -> tuple[int, Data]:
    """An event's time, from the record's time key where there is one, and the record without that key; values of the types asked for."""
    key = params.get("time_key", "time")
    form = params.get("time_format") or (NGINX_TIME if params.get("@type") == "nginx" else "")
    at = time_ms(record[key], form) if key in record and params.get("@type", "none") != "none" else None
    if at is not None and not boolean(params, "keep_time_key", False):
        record = {name: value for name, value in record.items() if name != key}
    for named in (one for one in params.get("types", "").split(",") if ":" in one):
        name, _, wanted = named.partition(":")
        if name in record:
            record[name.strip()] = typed(record[name], wanted.strip())
    return now if at is None else at, record


def typed(value: Any, wanted: str) -> Any:
    """A value made to be of Fluentd's type; what cannot be is 0, as Ruby's to_i has it."""
    text = str(value)
    if wanted == "integer":
        found = re.match(r"\s*[-+]?\d{1,18}", text)
        return int(found[0]) if found else 0
    if wanted == "float":
        found = re.match(r"\s*[-+]?\d{1,18}(\.\d{1,18})?", text)
        return float(found[0]) if found else 0.0
    return text.lower() in ("true", "yes") if wanted == "bool" else text


def grep(element: Data, record: Data) -> bool:
    """<regexp> sections must all match, <exclude> ones must not."""
    for rule in element["children"]:
        if rule["name"] not in ("regexp", "exclude"):
            continue
        pattern, _ = ruby_pattern(rule["params"].get("pattern", "/(?!)/"))
        value = dig(record, path_of(rule["params"].get("key", "")))
        try:
            found = value is not None and pattern.search(value if isinstance(value, str) else json.dumps(value)) is not None
        except TooComplex:
            found = False
        if found != (rule["name"] == "regexp"):
            return False
    return True


def path_of(key: str) -> list[str]:
    """A record accessor: `name`, `$.a.b` or `$['a']['b']`."""
    if not key.startswith("$"):
        return [key]
    return [first or second for first, second in re.findall(r"\.([^.\[\]]+)|\[['\"]([^'\"]+)['\"]\]", key)]


def transform(sys: Sys, element: Data, at: int, tag: str, record: Data) -> Data:
    """record_transformer: <record> members with ${...} filled in."""
    parts = tag.split(".")
    keep = boolean(element["params"], "renew_record", False)
    made = {} if keep else dict(record)

    def fill(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name == "tag":
            return tag
        if name in ("hostname", "Socket.gethostname"):
            return sys.hostname
        if name == "time":
            return stamp(at, "%Y-%m-%d %H:%M:%S +0000")
        if part := re.fullmatch(r"tag_parts\[(-?\d{1,3})\]", name):
            return parts[int(part[1])] if -len(parts) <= int(part[1]) < len(parts) else ""
        if member := re.match(r"record((?:\[['\"][^'\"]+['\"]\])+)((?:\.(?:upcase|downcase|to_s|strip))*)$", name):
            value = dig(record, re.findall(r"\[['\"]([^'\"]+)['\"]\]", member[1]))
            text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for method in member[2].split("."):
                text = text.upper() if method == "upcase" else text.lower() if method == "downcase" else text.strip() if method == "strip" else text
            return text
        return ""

    for name, value in child(element, "record").items():
        made[name] = re.sub(r"\$\{([^}]*)\}", fill, value)
    for name in (one.strip() for one in element["params"].get("remove_keys", "").split(",") if one):
        made.pop(name, None)
    return made


def printed(at: int, tag: str, record: Data) -> str:
    """An event as stdout prints it."""
    return f"{stamp(at, '%Y-%m-%d %H:%M:%S')}.{at % 1000:03d}000000 +0000 {tag}: {json.dumps(record, ensure_ascii=False, separators=(',', ':'))}\n"


def filed(at: int, tag: str, record: Data) -> str:
    """An event as the file output writes it."""
    return f"{stamp(at, '%Y-%m-%dT%H:%M:%S')}+00:00\t{tag}\t{json.dumps(record, ensure_ascii=False, separators=(',', ':'))}\n"


def hash_text(record: Data) -> str:
    """A record as Ruby's inspect shows it."""
    return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}=>{json.dumps(v, ensure_ascii=False)}" for k, v in record.items()) + "}"


def address(params: Data) -> tuple[str, int]:
    first = params.get("hosts", "").split(",")[0]
    if first:
        _, host, port, _ = http.split_url(first)
        return host, port if ":" in first.rpartition("/")[2] else count(params, "port", 9200)
    return params.get("host", "localhost"), count(params, "port", 9200)


def ruby_error(error: str, where: str) -> str:
    """A network failure in Ruby's words."""
    names = {"ECONNREFUSED": "Connection refused", "EHOSTUNREACH": "No route to host", "ETIMEDOUT": "Connection timed out"}
    if error == "ENOTFOUND":
        return "getaddrinfo: Name or service not known (SocketError)"
    if error in names:
        return f"{names[error]} - connect(2) for {where} (Errno::{error})"
    return "read timeout reached" if error == "timeout" else "end of file reached (EOFError)" if error == "ECONNRESET" else error


def failure(element: Data, peer: str, status: int, body: str, error: str) -> str:
    """error_class=... error=... of a failed flush."""
    params, what = element["params"], kind(element)
    if what == "elasticsearch":
        host, port = address(params)
        why = ruby_error(error, f"{peer}:{port}") if error else f"[{status}] {body[:200]}"
        where = f"{{:host=>{json.dumps(host)}, :port=>{port}, :scheme=>{json.dumps(params.get('scheme', 'http'))}}}"
        text = f"could not push logs to Elasticsearch cluster ({where}): {why}"
        return f"error_class=Fluent::Plugin::ElasticsearchOutput::RecoverableRequestFailure error={json.dumps(text, ensure_ascii=False)}"
    if what == "forward":
        return 'error_class=Fluent::Plugin::ForwardOutput::NoNodesAvailable error="no nodes are available"'
    if error:
        return f"error_class=SocketError error={json.dumps(ruby_error(error, params.get('endpoint') or params.get('url', '')))}"
    return f'error_class=Fluent::UnrecoverableError error="{status} {body[:120]}"'
