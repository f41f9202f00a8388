"""Loki's HTTP API: push, query, labels, series, readiness."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

from .. import http
from ..http import text_answer
from ..numerals import is_whole, saturated
from ..process import Data, Process
from ..system import Sys
from . import logql, logql_syntax
from .log_parsers import iso, time_ms
from .logql_syntax import LogqlError

READY_MS = 15_000  # ingester.lifecycler.min-ready-duration
KEPT_MAX = 2_000_000
"""Characters that are kept; past them Loki answers as one whose tenant sends too much."""
SERVICE_NAMES = ("service_name", "service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name",
"component",
                 "workload", "job")  # fmt: skip
"""limits_config.discover_service_name: from 3.0 each stream gets service_name from the first of these."""


def version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2]
    return tag if re.fullmatch(r"[23]\.\d+\.\d+", tag) else "3.5.5"


def log(sys: Sys, level: str, caller: str, text: str) -> None:
    sys.err(f"level={level} ts={iso(sys.now, 9)} caller={caller} {text}\n")


def _path(data: Data) -> str:
    return f"{data['conf']['prefix']}/wal/entries"


def streams(sys: Sys, data: Data, tenant: str) -> list[Data]:
    """The tenant's streams: {"tenant", "labels", "entries": [[ms, line]]}, in the order they began."""
    text = sys.read_file(_path(data))
    cache, key = sys.kernel.derived, f"loki/{sys.proc['container']}"
    known: tuple[str, dict[str, Data]] | None = cache.get(key)
    if known is not None and text.startswith(known[0]):
        found, fresh = known[1], text[len(known[0]) :]
    else:
        found, fresh = {}, text
    for row in fresh.split("\n")[:-1]:
        try:
            owner, labels, entries = json.loads(row)
            stream = found.setdefault(f"{owner}/{json.dumps(labels, sort_keys=True)}", {"tenant": owner, "labels": labels, "entries": []})
            stream["entries"] += [[int(at) // 1_000_000, line] for at, line in entries]
        except (ValueError, TypeError):  # somebody has written into the file: such records are passed over, as in a damaged WAL
            continue
    cache[key] = (text, found)
    sys.charge(200 + len(text) // 200)
    return [stream for stream in found.values() if stream["tenant"] == tenant]


def push(data: Data, sys: Sys, tenant: str, body: str) -> http.Message:
    try:
        given = json.loads(body)["streams"]
        rows = [(dict(one["stream"]), [(str(value[0]), str(value[1])) for value in one["values"]]) for one in given]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return text_answer("loghttp.PushRequest.Streams: readObjectStart: expect { or n, but found something else\n", 400)
    problems: list[str] = []
    lines: list[str] = []
    for labels, values in rows:
        if not labels:
            problems.append("error at least one label pair is required per stream")
            continue
        bad = next((name for name in labels if not re.fullmatch(r"[A-Za-z_]\w*", name)), None)
        if bad is not None:
            problems.append(f"error parsing labels {_shown(labels)}: parse error at line 1, col 2: syntax error: unexpected character in label name")
            continue
        kept = []
        for at, line in values:
            if not is_whole(at) or len(at) > 19:
                problems.append(f"parsing time {at}: invalid timestamp")
            elif data["conf"]["oldest"] and int(at) // 1_000_000 < sys.now - data["conf"]["oldest"]:
                edge = iso(sys.now - data["conf"]["oldest"], 0).replace(".Z", "Z")
                problems.append(f"entry for stream '{_shown(labels)}' has timestamp too old: {iso(int(at) // 1_000_000, 0).replace('.Z', 'Z')}, "
                                f"oldest acceptable timestamp is: {edge}")  # fmt: skip
            else:
                kept.append([at, line])
        named = {name: str(value) for name, value in labels.items()}
        if data["conf"]["discover"] and "service_name" not in named:
            named["service_name"] = next((named[name] for name in SERVICE_NAMES if named.get(name)), "unknown_service")
        if kept:
            lines.append(json.dumps([tenant, named, kept], ensure_ascii=False, separators=(",", ":")) + "\n")
    size = sum(len(line) for line in lines)
    held = sys.find(_path(data))
    if held is not None and len(held.inode["s"]) + size > KEPT_MAX:
        return text_answer(f"Ingestion rate limit exceeded for user {tenant} (limit: 4194304 bytes/sec) while attempting to ingest "
                           f"'{len(lines)}' lines totaling "
                           f"'{size}' bytes, reduce log volume or contact your Loki administrator to see if the limit can be "
                           f"increased\n", 429)  # fmt: skip
    sys.write_file(_path(data), "".join(lines), "a")
    if problems:
        log(
            sys,
            "error",
            "manager.go:50",
            f'component=distributor path=write msg="write operation failed" details={json.dumps(problems[0], ensure_ascii=False)} org_id={tenant}',
        )
        return text_answer("\n".join(problems) + "\n", 400)
    return http.response(204)


def _shown(labels: dict[str, Any]) -> str:
    return "{" + ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    data, path = proc["data"], request.path.rstrip("/")
    if path == "/ready":
        if sys.now - data["began"] < READY_MS:
            return text_answer("Ingester not ready: waiting for 15s after being ready\n", 503)
        return text_answer("ready\n")
    if path == "/metrics":
        count = sum(len(stream["entries"]) for tenant in ("fake",) for stream in streams(sys, data, tenant))
        return text_answer(f'# TYPE loki_distributor_lines_received_total counter\nloki_distributor_lines_received_total{{tenant="fake"}} {count}\n')
    if path == "/loki/api/v1/status/buildinfo":
        return _json({"version": version(sys), "revision": "0000000", "branch": "release", "goVersion": "go1.24"})
    if path == "/config":
        return text_answer(f"target: all\nauth_enabled: {str(data['conf']['auth']).lower()}\nserver:\n  http_listen_port: {data['conf']['port']}\n")
    if not path.startswith("/loki/api/v1/"):
        return text_answer("404 page not found\n", 404)
    tenant = request.get("X-Scope-OrgID") if data["conf"]["auth"] else "fake"
    if not tenant:
        return text_answer("no org id\n", 401)
    what = path.removeprefix("/loki/api/v1/")
    if what == "push":
        if request.method != "POST":
            return text_answer("", 405)
        return push(data, sys, tenant, request.body)
    options = parameters(request)
    try:
        return _asked(sys, data, tenant, what, options)
    except LogqlError as error:
        return text_answer(f"{error}\n", 400)


def parameters(request: http.Message) -> dict[str, list[str]]:
    """The query's and, of a form, the body's."""
    text = request.target.partition("?")[2]
    if request.method == "POST" and "urlencoded" in request.get("Content-Type"):
        text += "&" + request.body
    return parse_qs(text, keep_blank_values=True)


def _json(value: Any) -> http.Message:
    return http.response(200, json.dumps(value, ensure_ascii=False, separators=(",", ":")), [("Content-Type", "application/json; charset=UTF-8")])


def _success(kind: str, result: Any) -> http.Message:
    return _json({"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}})


def _time(options: dict[str, list[str]], name: str, default: int) -> int:
    """A moment in ms: nanoseconds, seconds with a fraction, or RFC 3339."""
    text = options.get(name, [""])[0]
    if not text:
        return default
    if re.fullmatch(r"\d{1,19}", text):
        return int(text) // 1_000_000 if len(text) > 13 else int(text) if len(text) > 11 else int(text) * 1000
    found = round(float(text) * 1000) if re.fullmatch(r"\d{1,11}\.\d{1,9}", text) else time_ms(text)
    if found is None:
        raise LogqlError(f'could not parse "{name}" parameter: cannot parse "{text}" to a valid timestamp')
    return found


def _asked(sys: Sys, data: Data, tenant: str, what: str, options: dict[str, list[str]]) -> http.Message:
    """A query. Raises LogqlError."""
    text = options.get("query", [""])[0]
    end = _time(options, "end", sys.now)
    since = logql_syntax.duration(options["since"][0]) if options.get("since") else 3_600_000
    start = _time(options, "start", end - since)
    if what in ("labels", "label"):
        held = streams(sys, data, tenant)
        names = sorted({name for stream in held if _within(stream, start - 18_000_000, end) for name in stream["labels"]})
        return _json({"status": "success", "data": names} if names else {"status": "success"})
    if named := re.fullmatch(r"label/(\w+)/values", what):
        held = streams(sys, data, tenant)
        values = sorted({stream["labels"][named[1]] for stream in held if named[1] in stream["labels"] and _within(stream, start - 18_000_000, end)})
        return _json({"status": "success", "data": values} if values else {"status": "success"})
    if what == "series":
        wanted = [logql_syntax.parse_matchers(one) for one in (options.get("match[]") or options.get("match") or ())]
        held = streams(sys, data, tenant)
        return _json(
            {
                "status": "success",
                "data": [stream["labels"] for stream in held if not wanted or any(logql.selects(one, stream["labels"]) for one in wanted)],
            }
        )
    if what not in ("query", "query_range"):
        return text_answer("404 page not found\n", 404)
    if not text:
        raise LogqlError("parse error : syntax error: unexpected $end")
    query = logql_syntax.parse(text)
    held = streams(sys, data, tenant)
    if what == "query":
        if isinstance(query, logql_syntax.Log):
            raise LogqlError("log queries are not supported as an instant query type, please change your query to a range query type")
        at = _time(options, "time", sys.now)
        found = logql.evaluate(query, held, [at])
        return _success("vector", [{"metric": labels, "value": [at / 1000, logql.sample(values[at])]} for labels, values in found if at in values])
    if end < start:
        raise LogqlError("end timestamp must not be before or equal to start time")
    if isinstance(query, logql_syntax.Log):
        return _success("streams", _lines(query, held, start, end, options))
    step = max(1_000, logql_syntax.duration(options["step"][0]) if options.get("step") else max(1, (end - start) // 250_000) * 1000)
    if (end - start) // step > logql.STEPS_MAX:
        raise LogqlError("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
    times = list(range(start // step * step, end + 1, step)) or [end]
    found = logql.evaluate(query, held, times)
    return _success(
        "matrix", [{"metric": labels, "values": [[at / 1000, logql.sample(value)] for at, value in values.items()]} for labels, values in found]
    )


def _within(stream: Data, start: int, end: int) -> bool:
    return any(start <= at <= end for at, _ in stream["entries"][-1:]) or any(start <= at <= end for at, _ in stream["entries"][:1])


def _lines(query: logql_syntax.Log, held: list[Data], start: int, end: int, options: dict[str, list[str]]) -> list[Data]:
    limit = options.get("limit", ["100"])[0]
    if not is_whole(limit) or saturated(limit) < 1:
        raise LogqlError("limit must be a positive value")
    if saturated(limit) > 5000:
        raise LogqlError(f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > 5000)")
    rows = logql.select(query, held, start, end + 1)
    forward = options.get("direction", ["backward"])[0].lower() == "forward"
    rows = rows[: int(limit)] if forward else rows[::-1][: int(limit)]
    grouped: dict[str, Data] = {}
    for labels, at, line in rows:
        grouped.setdefault(json.dumps(labels, sort_keys=True), {"stream": labels, "values": []})["values"].append([f"{at}000000", line])
    return list(grouped.values())
