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
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import HUP, INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import feed_http
from ..system import Sys
from . import log_pipeline as pipe
from . import vrl
from .base import PATH, base_tree
from .log_parsers import iso, parse_json
from .vector_config import ConfigError, check, condition, read, seconds
from .vector_sinks import demo, encoded, template, wish
from .vector_start import DATA_DIR, EX_CONFIG, _why, configure, healthcheck, healthchecks, paths, say, validate

BUILT = "9053198 2025-09-23 14:18:50.944442940"  # the revision and its time
FLOOD_MS = 10_000  # internal_log_rate_limit


def version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2]
    found = re.match(r"0\.\d+\.\d+", tag)
    return found[0] if found else "0.50.0"


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


def passes(proc: Process, sys: Sys, source: str, event: Data) -> bool:
    """A condition on an event; one that fails is false."""
    try:
        return vrl.Run(source, json.loads(json.dumps(event)), sys.now, proc["env"], sys.hostname).run() is True
    except vrl.Abort:
        return False


# ---- start


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "phase" not in data:
        code = _start(proc, sys, proc["argv"][1:])
        if code is not None:
            return code
        data["phase"] = "run"
    healthchecks(proc, sys)
    return pipe.run(proc, sys, VECTOR, feed)


def _start(proc: Process, sys: Sys, words: list[str]) -> int | None:
    """Configures the topology and opens its ports; gives the exit code where Vector does not run."""
    data = proc["data"]
    if words[:1] == ["validate"]:
        return validate(proc, sys, words[1:])
    if words[:1] in (["--version"], ["-V"]):
        sys.out(f"vector {version(sys)} (x86_64-unknown-linux-musl {BUILT})\n")
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
        where = conf.get("data_dir", DATA_DIR)
        say(sys, "ERROR", f'vector::topology::builder: Configuration error. error=data_dir "{where}" does not exist or is not writable')
        return EX_CONFIG
    _say_started(sys, data, conf)
    try:
        for port in data["ports"]:
            data.setdefault("connections", {})
            data.setdefault("listening", {})[port] = sockets.listen(sys, int(port))
    except (Errno, ValueError):
        say(sys, "ERROR", "vector::topology: An error occurred that Vector couldn't handle: TCP bind failed: Address already in use "
            f"(os error 98). address=0.0.0.0:{port}")  # fmt: skip
        return 1
    return None


def _say_started(sys: Sys, data: Data, conf: Data) -> None:
    """Which sinks are healthy (those that must be asked are noted in `checks`), that Vector runs, which files it will look for."""
    say(sys, "INFO", "vector::topology::running: Running healthchecks.")
    for name, body in conf["sinks"].items():
        if not healthcheck(body):
            say(sys, "INFO", "vector::topology::builder: Healthcheck passed.")
        else:
            data["checks"].append(name)
    say(sys, "INFO", f'vector: Vector has started. debug="false" version="{version(sys)}" arch="x86_64" revision="{BUILT}"')
    say(sys, "INFO", "vector::app: API is disabled, enable by setting `api.enabled` to `true` and use commands like `vector top`.")
    for name, body in conf["sources"].items():
        if body["type"] == "file":
            here = span(name, body, "source")
            include = body["include"] if isinstance(body["include"], list) else [body["include"]]
            say(sys, "INFO", f"{here}: vector::sources::file: Starting file server. include={json.dumps(include)} "
                f"exclude={json.dumps(body.get('exclude') or [])}")  # fmt: skip
            say(sys, "INFO", f"{here}:file_server: file_source::checkpointer: Attempting to read legacy checkpoint files.")


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
