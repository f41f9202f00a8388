"""Vector: file, demo_logs, fluent and http_server sources; remap, filter and route; console, file, elasticsearch, loki, http and blackhole
sinks.
Configuration: vector_config.py; the remap language: vrl.py. `vector validate` checks a configuration.

What a learner meets here as there: a configuration that is wrong anywhere does not start (code 78); a sink's buffer holds 500 events, then the source
waits and the file keeps what is new; failed requests are tried again for ever, 1, 1, 2, 3, 5 ... up to 30 s apart, with jitter.
Words and defaults are those of Vector 0.50 (vector.dev/docs).
"""

from __future__ import annotations

import json
import re
from typing import Any

from .. import http, sockets
from ..image import Entry, Image, add
from ..process import HUP, INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import feed_http, text_answer
from ..system import Sys
from . import log_pipeline as pipe
from . import vrl
from .base import PATH, base_tree
from .log_parsers import iso, parse_json
from .vector_config import ConfigError, check, condition, inputs, read, seconds
from .vector_sinks import demo, encoded, endpoint, template, wish

EX_CONFIG = 78
BUFFER_MAX = 1 << 20  # bytes, whatever buffer.max_events says: a learner's machine keeps them
FLOOD_MS = 10_000  # internal_log_rate_limit
GRACE_MS = 60_000  # --graceful-shutdown-limit-secs
WIDTH = 36


def version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2]
    found = re.match(r"0\.\d+\.\d+", tag)
    return found[0] if found else "0.50.0"


def say(sys: Sys, level: str, text: str) -> None:
    sys.err(f"{iso(sys.now, 6)} {level:>5} {text}\n")


def span(name: str, body: Data, role: str = "sink") -> str:
    return f'{role}{{component_kind="{role}" component_id={name} component_type={body["type"]}}}'


class Vector:
    """The front end. State in proc["data"]: conf, next {component: those that read from it}, floods {text: until}."""

    serial = True

    # ---- in

    def lines(self, proc: Process, sys: Sys, source: str, path: str, lines: list[str]) -> None:
        body = proc["data"]["conf"]["sources"][source]
        for line in lines:
            event = {body.get("file_key", "file"): path, body.get("host_key", "host"): sys.hostname, "message": line, "source_type": "file"}
            self.send(proc, sys, source, {**event, "timestamp": iso(sys.now)})

    def tick(self, proc: Process, sys: Sys, source: str) -> None:
        body = proc["data"]["conf"]["sources"][source]
        event = {"host": sys.hostname, "message": demo(sys, body), "service": "vector", "source_type": "demo_logs", "timestamp": iso(sys.now)}
        self.send(proc, sys, source, event)

    def send(self, proc: Process, sys: Sys, name: str, event: Any, depth: int = 0) -> None:
        """Gives what a component put out to all that read from it."""
        readers = proc["data"]["next"].get(name, ())
        for reader in readers:
            body = proc["data"]["conf"].get("transforms", {}).get(reader)
            if body is None:
                pipe.emit(proc, sys, reader, [sys.now, "", event])
            elif depth < 20:
                self._transform(proc, sys, reader, body, dict(event) if len(readers) > 1 and isinstance(event, dict) else event, depth + 1)

    def _transform(self, proc: Process, sys: Sys, name: str, body: Data, event: Data, depth: int) -> None:
        if body["type"] == "route":
            hit = False
            for route, test in (body.get("route") or {}).items():
                if passes(proc, sys, condition(test), event):
                    hit = True
                    self.send(proc, sys, f"{name}.{route}", dict(event), depth)
            if not hit:
                self.send(proc, sys, f"{name}._unmatched", event, depth)
        elif body["type"] == "filter":
            if passes(proc, sys, condition(body["condition"]), event):
                self.send(proc, sys, name, event, depth)
        else:
            self._remap(proc, sys, name, body, event, depth)

    def _remap(self, proc: Process, sys: Sys, name: str, body: Data, event: Data, depth: int) -> None:
        before = json.loads(json.dumps(event))
        program = vrl.Run(str(body["source"]), event, sys.now, proc["env"], sys.hostname)
        try:
            program.run()
        except vrl.Abort as abort:
            if abort.why:
                self.flood(proc, sys, "ERROR", f"{span(name, body, 'transform')}: vector::internal_events::remap: Mapping failed with event. "
                           f"error={json.dumps(abort.why, ensure_ascii=False)} error_type=\"conversion_failed\" "
                           f"stage=\"processing\"", "Mapping failed with event.")  # fmt: skip
            if body.get("drop_on_error" if abort.why else "drop_on_abort", not abort.why):
                if body.get("reroute_dropped"):
                    self.send(proc, sys, f"{name}.dropped", before, depth)
                return
            self.send(proc, sys, name, before, depth)
            return
        found = program.event
        for one in found if isinstance(found, list) else [found]:
            self.send(proc, sys, name, one if isinstance(one, dict) else {"message": one}, depth)

    def flood(self, proc: Process, sys: Sys, level: str, text: str, short: str) -> None:
        """A line that is written once in ten seconds; the second time it is said that more are held back."""
        held = proc["data"]["floods"].setdefault(short, {"until": 0, "count": 0})
        if sys.now >= held["until"]:
            if held["count"] > 1:
                say(sys, level, f"{text.partition(': ')[0]}: Internal log [{short}] has been suppressed {held['count'] - 1} times.")
            held.update(until=sys.now + FLOOD_MS, count=0)
            say(sys, level, f"{text} internal_log_rate_limit=true")
        else:
            held["count"] += 1
            if held["count"] == 1:
                say(sys, level, f"{text.partition(': ')[0]}: Internal log [{short}] is being suppressed to avoid flooding.")

    # ---- out

    def request(self, proc: Process, sys: Sys, out: str, chunk: Data) -> Data | None:
        body, events = proc["data"]["conf"]["sinks"][out], chunk["events"]
        kind = body["type"]
        if kind == "console":
            text = "".join(encoded(body, event) + "\n" for _, _, event in events)
            if body.get("target") == "stderr":
                sys.err(text)
            else:
                sys.out(text)
        elif kind == "file":
            for at, _, event in events:
                path = template(str(body["path"]), event, at)
                directory = path.rpartition("/")[0]
                if directory and sys.find(directory) is None:
                    sys.mkdir(directory)
                sys.write_file(path, encoded(body, event) + "\n", "a")
        elif kind != "blackhole":
            return wish(body, events)
        return None

    def settled(self, proc: Process, sys: Sys, out: str, chunk: Data, status: int, body: str, error: str) -> int | None:
        sink = proc["data"]["conf"]["sinks"][out]
        where = f"{span(out, sink)}:request{{request_id={chunk['id']}}}"
        refused = pipe.refusals(body) if sink["type"] == "elasticsearch" else []
        if not error and 200 <= status < 300:
            if refused:
                say(sys, "ERROR", f"{where}: vector::sinks::elasticsearch::service: Response contained errors. error_code=http_response_200 "
                    f"response={json.dumps(json.dumps(refused[0], ensure_ascii=False), ensure_ascii=False)}")  # fmt: skip
            return None
        if not error and status not in (408, 429) and status < 500:
            why = f'"{status}: {body[:160].strip()}"'
            say(
                sys, "ERROR", f"{where}: vector::sinks::util::retries: Not retriable; dropping the request. reason={why} internal_log_rate_limit=true"
            )
            say(sys, "ERROR", f"{span(out, sink)}: vector_common::internal_event::component_events_dropped: Events dropped intentional=false "
                f"count={len(chunk['events'])} reason=\"Service call failed. No retries or retries exhausted.\"")  # fmt: skip
            return None
        options = sink.get("request") or {}
        most = options.get("retry_attempts")
        if isinstance(most, int) and chunk["tries"] >= most:
            say(sys, "ERROR", f"{where}: vector::sinks::util::retries: Retries exhausted; dropping the request. error={_why(error, status)}")
            return None
        self.flood(
            proc, sys, "WARN", f"{where}: vector::sinks::util::retries: Retrying after error. error={_why(error, status)}", "Retrying after error."
        )
        first = seconds(options.get("retry_initial_backoff_secs"), 1)
        one, two = first, first
        for _ in range(min(chunk["tries"], 20)):
            one, two = two, one + two
        wait = min(one, seconds(options.get("retry_max_duration_secs"), 30))
        return 1 + sys.random(wait) if options.get("retry_jitter_mode", "Full") == "Full" else wait

    # ---- notices

    def noticed(self, proc: Process, sys: Sys, source: str, what: str, path: str) -> None:
        here = f"{span(source, proc['data']['conf']['sources'][source], 'source')}:file_server"
        if what in ("found", "rotated"):
            say(sys, "INFO", f"{here}: vector::internal_events::file::source: Found new file to watch. file={path}")
        elif what == "denied":
            say(sys, "ERROR", f"{here}: vector::internal_events::file::source: Failed reading file for fingerprinting. file={path} "
                "error=Permission denied (os error 13) error_code=\"reading_fingerprint\" error_type=\"reader_failed\" "
                "stage=\"receiving\"")  # fmt: skip

    def ended(self, proc: Process, sys: Sys) -> int:
        left = pipe.pending(proc["data"]["pipeline"])
        if left:
            names = ", ".join(name for name, held in proc["data"]["pipeline"]["outs"].items() if held["queue"] or held["staged"])
            say(sys, "ERROR", f'vector::topology::running: Failed to gracefully shut down in time. Killing components. components="{names}"')
        say(sys, "INFO", "vector: Vector has stopped.")
        return 0


VECTOR = Vector()


def _why(error: str, status: int) -> str:
    words = {"ECONNREFUSED": "client error (Connect): tcp connect error: Connection refused (os error 111)",
             "ENOTFOUND": "client error (Connect): dns error: failed to lookup address information: Name or service not known",
             "EHOSTUNREACH": "client error (Connect): tcp connect error: No route to host (os error 113)",
             "ETIMEDOUT": "client error (Connect): tcp connect error: Connection timed out (os error 110)"}  # fmt: skip
    if error == "timeout":
        return "Request timed out. If this happens often while the events are actually reaching their destination, try decreasing `batch.max_bytes`"
    return f'"Failed to make HTTP(S) request: {words[error]}"' if error in words else f'"{error or f"status code: {status}"}"'


def passes(proc: Process, sys: Sys, source: str, event: Data) -> bool:
    """A condition on an event; one that fails is false."""
    try:
        return vrl.Run(source, json.loads(json.dumps(event)), sys.now, proc["env"], sys.hostname).run() is True
    except vrl.Abort:
        return False


# ---- start


def paths(proc: Process, words: list[str]) -> list[str]:
    """The files that -c, --config, --config-yaml, --config-toml or plain words name."""
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        if name in ("-c", "--config", "--config-yaml", "--config-toml", "--config-json"):
            if not equals:
                at += 1
                value = words[at] if at < len(words) else ""
            found.append(value)
        elif not word.startswith("-"):
            found.append(word)
        at += 1
    return found or [one for one in proc["env"].get("VECTOR_CONFIG", "").split(",") if one] or ["/etc/vector/vector.yaml"]


def run(proc: Process, sys: Sys, event: Event) -> int:
    data, words = proc["data"], proc["argv"][1:]
    if "phase" not in data:
        if words[:1] == ["validate"]:
            return validate(proc, sys, words[1:])
        if words[:1] in (["--version"], ["-V"]):
            sys.out(f"vector {version(sys)} (x86_64-unknown-linux-musl 9053198 2025-09-23 14:18:50.944442940)\n")
            return 0
        found = paths(proc, words)
        say(sys, "INFO", 'vector::app: Log level is enabled. level="info"')
        say(sys, "INFO", f"vector::app: Loading configs. paths={json.dumps(found)}")
        try:
            conf = read(sys, found)
            warnings = check(conf)
        except ConfigError as error:
            for one in error.errors:
                say(sys, "ERROR", f"vector::cli: Configuration error. error={one}")
            return EX_CONFIG
        for one in warnings:
            say(sys, "WARN", f"vector::config::loading: {one}")
        try:
            configure(proc, sys, conf)
        except Errno:
            say(
                sys,
                "ERROR",
                f'vector::topology::builder: Configuration error. error=data_dir "{conf.get("data_dir", DATA_DIR)}" does not exist or is '
                f"not writable",
            )
            return EX_CONFIG
        say(sys, "INFO", "vector::topology::running: Running healthchecks.")
        for name, body in conf["sinks"].items():
            if not healthcheck(body):
                say(sys, "INFO", "vector::topology::builder: Healthcheck passed.")
            else:
                data["checks"].append(name)
        say(
            sys,
            "INFO",
            f'vector: Vector has started. debug="false" version="{version(sys)}" arch="x86_64" revision="9053198 2025-09-23 14:18:50.944442940"',
        )
        say(sys, "INFO", "vector::app: API is disabled, enable by setting `api.enabled` to `true` and use commands like `vector top`.")
        for name, body in conf["sources"].items():
            if body["type"] == "file":
                here = span(name, body, "source")
                include = body["include"] if isinstance(body["include"], list) else [body["include"]]
                say(
                    sys,
                    "INFO",
                    f"{here}: vector::sources::file: Starting file server. include={json.dumps(include)} "
                    f"exclude={json.dumps(body.get('exclude') or [])}",
                )
                say(sys, "INFO", f"{here}:file_server: file_source::checkpointer: Attempting to read legacy checkpoint files.")
        try:
            for port in data["ports"]:
                data.setdefault("connections", {})
                data.setdefault("listening", {})[port] = sockets.listen(sys, int(port))
        except (Errno, ValueError):
            say(
                sys,
                "ERROR",
                f"vector::topology: An error occurred that Vector couldn't handle: TCP bind failed: Address already in use (os error "
                f"98). address=0.0.0.0:{port}",
            )
            return 1
        data["phase"] = "run"
    _healthchecks(proc, sys)
    return pipe.run(proc, sys, VECTOR, feed)


DATA_DIR = "/var/lib/vector"


def healthcheck(body: Data) -> str:
    """The path that a sink's health check asks for; "" when it needs none."""
    if (body.get("healthcheck") or {}) in (False,) or not (body.get("healthcheck") or {"enabled": True}).get("enabled", True):
        return ""
    return {"elasticsearch": "/_cluster/health", "loki": "/ready"}.get(body["type"], "")


def _healthchecks(proc: Process, sys: Sys) -> None:
    """Asks each store once how it is; says so, and goes on whatever the answer."""
    data = proc["data"]
    while data["checks"]:
        name = data["checks"][0]
        body = data["conf"]["sinks"][name]
        _, host, port, _ = http.split_url(endpoint(body))
        if data.get("check") is None:
            text = http.request("GET", healthcheck(body), f"{host}:{port}", [("Connection", "close")]).text()
            data["check"] = pipe.launch(sys, {"host": host, "port": port, "text": text})
        answer = pipe.advance(sys, data["check"])
        if answer is None:
            times: list[int] = []
            fds: list[int] = []
            objs: list[str] = []
            pipe.waits_of(proc, data["check"], times, fds, objs)
            sys.poll(tuple(fds), max(0, min(times) - sys.now), objs=tuple(objs))
            continue
        data["checks"].pop(0)
        data["check"] = None
        if not answer[2] and answer[0] == 200:
            say(sys, "INFO", "vector::topology::builder: Healthcheck passed.")
        else:
            why = _why(answer[2], answer[0]) if answer[2] else f"Unexpected status: {answer[0]}"
            say(
                sys,
                "ERROR",
                f'vector::topology::builder: msg="Healthcheck failed." error={why} component_kind="sink" component_type="{body["type"]}" '
                f"component_id={name}",
            )


def configure(proc: Process, sys: Sys, conf: Data) -> None:
    """Makes the pipeline of a checked configuration. Raises Errno when the data directory cannot be written."""
    data = proc["data"]
    data.update(conf=conf, next={}, floods={}, checks=[], ports={}, pipeline=pipe.new_pipeline(GRACE_MS))
    outputs = [*conf["sources"]]
    for name, body in (conf.get("transforms") or {}).items():
        outputs += [name, f"{name}.dropped", f"{name}._unmatched", *(f"{name}.{one}" for one in body.get("route") or {})]
    for section in ("transforms", "sinks"):
        for name, body in (conf.get(section) or {}).items():
            for wanted in inputs(body):
                for one in outputs:
                    if one == wanted or ("*" in wanted and re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), one)):
                        data["next"].setdefault(one, []).append(name)
    conf.setdefault("transforms", {})
    for name, body in conf["sources"].items():
        _source(proc, sys, name, body)
    for name, body in conf["sinks"].items():
        every = 0 if body["type"] in ("console", "file", "blackhole") else seconds((body.get("batch") or {}).get("timeout_secs"), 1)
        buffer = body.get("buffer") or {}
        most = buffer.get("max_events", 500) if isinstance(buffer, dict) else 500
        pipe.add_out(data["pipeline"], name, every, limit=BUFFER_MAX, most=most if isinstance(most, int) else 500)


def _source(proc: Process, sys: Sys, name: str, body: Data) -> None:
    data = proc["data"]
    if body["type"] == "file":
        directory = f"{str(body.get('data_dir') or data['conf'].get('data_dir') or DATA_DIR).rstrip('/')}/{name}"
        if sys.find(directory) is None:
            sys.mkdir(directory)
        include, exclude = (one if isinstance(one, list) else [one] for one in (body["include"], body.get("exclude") or []))
        head = body.get("read_from", "beginning") == "beginning"
        pipe.add_tail(data["pipeline"], name, [str(one) for one in include], sys.now,
                      exclude=[str(one) for one in exclude], from_head=head, late_from_head=True,
                      every=int(body.get("glob_minimum_cooldown_ms", 1000)), saved=f"{directory}/checkpoints.json")  # fmt: skip
    elif body["type"] == "demo_logs":
        count = body.get("count")
        pipe.add_tick(data["pipeline"], name, seconds(body.get("interval"), 1), sys.now, count if isinstance(count, int) else -1)
    elif body["type"] in ("fluent", "http_server"):
        data["ports"][str(body["address"]).rpartition(":")[2]] = name


def validate(proc: Process, sys: Sys, words: list[str]) -> int:
    """`vector validate [--no-environment] [file ...]`."""
    found = paths(proc, words)
    try:
        conf = read(sys, found)
    except ConfigError as error:
        title = f"Failed to load {json.dumps(found)}"
        sys.out(f"{title}\n{'-' * len(title)}\n" + "".join(f"x {one}\n" for one in error.errors))
        return EX_CONFIG
    try:
        warnings = check(conf)
    except ConfigError as error:
        title = f"Failed to load {json.dumps(found)}"
        sys.out(f"{title}\n{'-' * len(title)}\n" + "".join(f"x {one}\n" for one in error.errors) + "\n")
        return EX_CONFIG
    sys.out(f"√ Loaded {json.dumps(found)}\n")
    sys.out("".join(f"~ {one}\n" for one in warnings))
    sys.out("√ Component configuration\n")
    sys.out("-" * WIDTH + f"\n{'Validated':>{WIDTH}}\n")
    return 0


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        if "phase" not in proc["data"]:
            sys.exit(0)
        if proc["data"]["pipeline"]["stopping"] is None:
            say(sys, "INFO", f'vector::signal: Signal received. signal="{"SIGTERM" if n == TERM else "SIGINT"}"')
            names = ", ".join([*proc["data"]["conf"]["sources"], *proc["data"]["conf"]["transforms"], *proc["data"]["conf"]["sinks"]])
            say(
                sys,
                "INFO",
                f'vector::topology::running: Shutting down... Waiting on running components. remaining_components="{names}" '
                f'time_remaining="59 seconds left"',
            )
        pipe.stop(proc, sys)
    return n in (TERM, INT, HUP)


def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    """What comes in on a port of a source."""
    name = proc["data"]["ports"][str(connection["port"])]
    body = proc["data"]["conf"]["sources"][name]
    if body["type"] == "fluent":
        lines = connection["buffer"].split("\n")
        connection["buffer"] = lines.pop()
        for event in (pipe.received(line) for line in lines):
            if event is not None:
                at, tag, record = event
                VECTOR.send(proc, sys, name, {**record, "tag": tag, "host": connection["peer"], "source_type": "fluent", "timestamp": iso(at)})
        return True

    def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
        rows = [request.body] if request.body.lstrip().startswith("{") else request.body.splitlines()
        for row in rows:
            record = parse_json(row)
            event = record if record is not None else {"message": row}
            VECTOR.send(proc, sys, name, {**event, "path": request.path, "source_type": "http_server", "timestamp": iso(sys.now)})
        return text_answer("")

    return feed_http(proc, sys, fd, connection, answer)


register(Program("vector", lambda proc, sys: run(proc, sys, None), run, on_signal, 28 * MEBIBYTE))
DEFAULT_CONF = """sources:
  dummy_logs:
    type: "demo_logs"
    format: "syslog"
    interval: 1

transforms:
  parse_logs:
    type: "remap"
    inputs: ["dummy_logs"]
    source: |
      . = parse_syslog!(string!(.message))

sinks:
  print:
    type: "console"
    inputs: ["parse_logs"]
    encoding:
      codec: "json"
"""
VERSIONS = ("0.50.0", "0.49.0", "0.48.0", "0.47.0", "0.46.1", "0.45.0", "0.44.0", "0.43.1", "0.42.0", "0.41.1", "0.40.0", "0.39.0", "0.38.0")
for _tail, _distribution, _size in (
    ("alpine", "alpine", 50_112_443),
    ("debian", "debian", 68_210_332),
    ("distroless-libc", "", 56_003_113),
    ("distroless-static", "", 49_991_320),
):
    _files: dict[str, Any] = {
        "usr": {"bin": {"vector": Entry(program="vector", size=140_000_000)}},
        "etc": {"vector": {"vector.yaml": DEFAULT_CONF}},
        "var": {"lib": {"vector": {}}},
    }
    _short = tuple(f"{version.rpartition('.')[0]}.X-{_tail}" for version in VERSIONS)
    add(
        Image(
            "docker.io/timberio/vector",
            (*(f"{version}-{_tail}" for version in VERSIONS), *_short, f"latest-{_tail}", f"nightly-{_tail}"),
            base_tree(_distribution, _files) if _distribution else _files,
            _size,
            entrypoint=("/usr/bin/vector",),
            env={"PATH": PATH},
        )
    )
