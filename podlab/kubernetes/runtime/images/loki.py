"""Grafana Loki, single binary: HTTP on 3100. The query language is logql.py's.

What is pushed is kept in one file, `<path_prefix>/wal/entries` (a JSON list a line: tenant, labels, [[ns, line]]), so it lives as long as
the volume that the path is on. /ready answers 503 for the ingester's first 15 s; pushes are taken before that.
Sources: grafana.com/docs/loki/latest (HTTP API, configuration). No object storage, no retention, no ruler, no tailing, no multi-binary.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

from ... import bounded_yaml
from .. import http
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import listen_on, serve_http, text_answer
from ..system import Sys
from . import logql
from .base import PATH, base_tree
from .log_parsers import iso, time_ms
from .logql import LogqlError

READY_MS = 15_000  # ingester.lifecycler.min-ready-duration
START_MS = 900
KEPT_MAX = 2_000_000
"""Characters that are kept; past them Loki answers as one whose tenant sends too much."""
TOP = {"target", "auth_enabled", "ballast_bytes", "server", "common", "distributor", "querier", "query_scheduler", "query_range", "frontend",
       "frontend_worker", "ruler", "ruler_storage", "ingester_client", "ingester", "index_gateway", "bloom_build", "bloom_gateway", "storage_config",
       "chunk_store_config", "schema_config", "compactor", "limits_config", "runtime_config", "memberlist", "analytics", "tracing", "table_manager",
       "pattern_ingester", "block_builder", "compactor_grpc_client", "ui", "operational_config", "shutdown_delay"}  # fmt: skip
SERVICE_NAMES = ("service_name", "service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name",
"component",
                 "workload", "job")  # fmt: skip
"""limits_config.discover_service_name: from 3.0 each stream gets service_name from the first of these."""
DEFAULT_CONF = """auth_enabled: false

server:
  http_listen_port: 3100

common:
  instance_addr: 127.0.0.1
  path_prefix: /loki
  storage:
    filesystem:
      chunks_directory: /loki/chunks
      rules_directory: /loki/rules
  replication_factor: 1
  ring:
    kvstore:
      store: inmemory

schema_config:
  configs:
    - from: 2020-10-24
      store: tsdb
      object_store: filesystem
      schema: v13
      index:
        prefix: index_
        period: 24h
"""


def version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2]
    return tag if re.fullmatch(r"[23]\.\d+\.\d+", tag) else "3.5.5"


def log(sys: Sys, level: str, caller: str, text: str) -> None:
    sys.err(f"level={level} ts={iso(sys.now, 9)} caller={caller} {text}\n")


def configure(proc: Process, sys: Sys) -> Data:
    """The configuration file and the flags. Raises ValueError."""
    flags = {word.lstrip("-").partition("=")[0]: word.partition("=")[2] for word in proc["argv"][1:] if word.startswith("-")}
    path = flags.get("config.file", "/etc/loki/local-config.yaml")
    try:
        text = sys.read_file(path)
    except Errno as error:
        raise ValueError(f"failed parsing config: open {path}: {error.text.lower()}") from None
    if flags.get("config.expand-env") in ("true", ""):
        text = re.sub(r"\$\{(\w+)(?::-?([^}]*))?\}", lambda found: proc["env"].get(found[1]) or found[2] or "", text)
    try:
        found = bounded_yaml.load(text) or {}
    except ValueError as error:
        raise ValueError(f"failed parsing config: {path}: yaml: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"failed parsing config: {path}: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str into loki.ConfigWrapper")
    wrong = [name for name in found if name not in TOP]
    if wrong:
        rows = [at for at, line in enumerate(text.splitlines(), 1) if line.startswith(f"{wrong[0]}:")]
        raise ValueError(f"failed parsing config: {path}: yaml: unmarshal errors:\n  line {rows[0] if rows else 1}: field {wrong[0]} not "
                         f"found in type "
                         "loki.ConfigWrapper")  # fmt: skip
    for section in ("server", "common", "limits_config", "schema_config"):
        if not isinstance(found.get(section) or {}, dict):
            raise ValueError(f"failed parsing config: {path}: yaml: unmarshal errors:\n  line 1: cannot unmarshal into {section}.Config")
    if not (found.get("schema_config") or {}).get("configs"):
        raise ValueError("validating config: invalid schema config: no schema config found: please provide at least one schema config")
    port = (found.get("server") or {}).get("http_listen_port", 80)  # dskit's server listens on 80 unless told otherwise
    limits = found.get("limits_config") or {}
    return {
        "port": int(port) if str(port).isdigit() else 3100,
        "auth": bool(found.get("auth_enabled", True)),
        "prefix": str((found.get("common") or {}).get("path_prefix") or "/loki"),
        "oldest": _milliseconds(limits.get("reject_old_samples_max_age", "7d")) if limits.get("reject_old_samples", True) else 0,
        "discover": limits.get("discover_service_name") != [] and version(sys).startswith("3"),
    }


def _milliseconds(text: Any) -> int:
    try:
        return logql.duration(str(text))
    except LogqlError as error:
        raise ValueError(f"failed parsing config: {error}") from None


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "conf" not in data:
        if any(word.lstrip("-") == "version" for word in proc["argv"][1:]):
            sys.out(f"loki, version {version(sys)} (branch: release, revision: 0000000)\n")
            return 0
        try:
            data["conf"] = configure(proc, sys)
        except ValueError as error:
            sys.err(f"{error}\n")
            return 1
        if any(word.lstrip("-").startswith("verify-config") for word in proc["argv"][1:]):
            log(sys, "info", "main.go:76", 'msg="config is valid"')
            return 0
        log(sys, "info", "main.go:126", f'msg="Starting Loki" version="(version={version(sys)}, branch=release, revision=0000000)"')
        directory = data["conf"]["prefix"]
        try:
            for path in (directory, f"{directory}/wal"):
                if sys.find(path) is None:
                    sys.mkdir(path)
            sys.write_file(f"{directory}/wal/entries", "", "a")
        except Errno as error:
            text = f"mkdir {directory}/wal: {error.text.lower()}"
            log(sys, "error", "log.go:223", f'msg="error running loki" err="{text}\\nerror initialising module: ingester"')
            return 1
        data["until"] = sys.now + START_MS
    if "listening" not in data:
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        port = data["conf"]["port"]
        try:
            listen_on(proc, sys, [port])
        except Errno as error:
            log(
                sys,
                "error",
                "log.go:223",
                f'msg="error running loki" err="listen tcp :{port}: bind: {error.text.lower()}\\nerror initialising module: server"',
            )
            return 1
        data["began"] = sys.now
        log(sys, "info", "server.go:351", f'msg="server listening on addresses" http=[::]:{port} grpc=[::]:9095')
        log(sys, "info", "loki.go:554", f'msg="Loki started" startup_time={START_MS}ms')
    return serve_http(proc, sys, answer)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        name = "terminated" if n == TERM else "interrupt"
        log(sys, "info", "signals.go:62", f'msg="=== received SIGINT/SIGTERM ===\\n*** exiting" signal={name}')
        log(sys, "info", "module_service.go:120", 'msg="module stopped" module=ingester')
        log(sys, "info", "loki.go:585", 'msg="Loki stopped"')
        sys.exit(0)
    return False


# ---- what is kept


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
            if not at.isdigit() or len(at) > 19:
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


# ---- requests


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
    since = logql.duration(options["since"][0]) if options.get("since") else 3_600_000
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
        wanted = [logql.parse_matchers(one) for one in (options.get("match[]") or options.get("match") or ())]
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
    query = logql.parse(text)
    held = streams(sys, data, tenant)
    if what == "query":
        if isinstance(query, logql.Log):
            raise LogqlError("log queries are not supported as an instant query type, please change your query to a range query type")
        at = _time(options, "time", sys.now)
        found = logql.evaluate(query, held, [at])
        return _success("vector", [{"metric": labels, "value": [at / 1000, logql.sample(values[at])]} for labels, values in found if at in values])
    if end < start:
        raise LogqlError("end timestamp must not be before or equal to start time")
    if isinstance(query, logql.Log):
        return _success("streams", _lines(query, held, start, end, options))
    step = max(1_000, logql.duration(options["step"][0]) if options.get("step") else max(1, (end - start) // 250_000) * 1000)
    if (end - start) // step > logql.STEPS_MAX:
        raise LogqlError("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
    times = list(range(start // step * step, end + 1, step)) or [end]
    found = logql.evaluate(query, held, times)
    return _success(
        "matrix", [{"metric": labels, "values": [[at / 1000, logql.sample(value)] for at, value in values.items()]} for labels, values in found]
    )


def _within(stream: Data, start: int, end: int) -> bool:
    return any(start <= at <= end for at, _ in stream["entries"][-1:]) or any(start <= at <= end for at, _ in stream["entries"][:1])


def _lines(query: logql.Log, held: list[Data], start: int, end: int, options: dict[str, list[str]]) -> list[Data]:
    limit = options.get("limit", ["100"])[0]
    if not limit.isdigit() or int(limit) < 1:
        raise LogqlError("limit must be a positive value")
    if int(limit) > 5000:
        raise LogqlError(f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > 5000)")
    rows = logql.select(query, held, start, end + 1)
    forward = options.get("direction", ["backward"])[0].lower() == "forward"
    rows = rows[: int(limit)] if forward else rows[::-1][: int(limit)]
    grouped: dict[str, Data] = {}
    for labels, at, line in rows:
        grouped.setdefault(json.dumps(labels, sort_keys=True), {"stream": labels, "values": []})["values"].append([f"{at}000000", line])
    return list(grouped.values())


register(Program("loki", lambda proc, sys: run(proc, sys, None), run, on_signal, 48 * MEBIBYTE))
add(
    Image(
        "docker.io/grafana/loki",
        (
            "latest",
            "3.5.5",
            "3.5.0",
            "3.5",
            "3.4.2",
            "3.4.0",
            "3.3.2",
            "3.3.0",
            "3.2.1",
            "3.1.1",
            "3.0.0",
            "2.9.10",
            "2.9.8",
            "2.9.4",
            "2.9.2",
            "2.9.0",
            "2.9.3",
            "2.8.0",
        ),
        base_tree(
            "alpine",
            {
                "usr": {"bin": {"loki": Entry(program="loki", size=111_000_000)}},
                "etc": {"loki": {"local-config.yaml": DEFAULT_CONF}},
                "loki": Entry(uid=10001, gid=10001, children={}),
            },
            users={"loki": 10001},
        ),
        48_220_115,
        entrypoint=("/usr/bin/loki",),
        cmd=("-config.file=/etc/loki/local-config.yaml",),
        env={"PATH": PATH},
        user="10001",
        ports=(3100,),
    )
)
