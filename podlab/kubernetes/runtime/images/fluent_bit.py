"""Fluent Bit: tail, dummy, forward, http and cpu in; modify, grep, record_modifier, parser, stdout between; stdout, es, loki, http, forward, file,
null out. Its own HTTP server on 2020. Configuration: fluent_bit_config.py.

What a learner meets here as there: a chunk that fails is tried again once (Retry_Limit 1) and then given up; Elasticsearch 8 refuses `_type`, so
the es output needs Suppress_Type_Name; an image without a shell. Words and defaults are those of Fluent Bit 4 (docs.fluentbit.io/manual).
"""

from __future__ import annotations

import json

from ...times import stamp
from .. import http, sockets
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import feed_http
from ..system import Sys
from . import log_pipeline as pipe
from .base import PATH
from .fluent_bit_config import ConfigError, boolean, check, empty, load, octets, seconds, value
from .fluent_bit_monitor import monitor, version
from .fluent_bit_plugins import filtered, matches, parsed, printed, where, wish
from .fluentd_config import PLUGINS_MAX
from .log_parsers import NGINX, NGINX_TIME, parse_json

BUFFER_MAX = 1 << 20
"""Bytes that a chunk buffer holds at most here, whatever Mem_Buf_Limit says: a learner's machine keeps it."""
BANNER = """Fluent Bit v{version}
* Copyright (C) 2015-2025 The Fluent Bit Authors
* Fluent Bit is a CNCF graduated project under the Fluent organization
* https://fluentbit.io

"""


def say(sys: Sys, text: str) -> None:
    """`[2026/11/21 02:37:00.123] [ info] ...` on standard error; `text` begins with its level."""
    sys.err(f"[{stamp(sys.now, '%Y/%m/%d %H:%M:%S')}.{sys.now % 1000:03d}000000] {text}\n")


class FluentBit:
    """The front end. State in proc["data"]: conf, instances {"tail.0": rows}, counts {instance: {counter: n}}."""

    serial = False

    # ---- in

    def lines(self, proc: Process, sys: Sys, source: str, path: str, lines: list[str]) -> None:
        conf, rows = proc["data"]["conf"], proc["data"]["instances"][source]
        tag = value(rows, "tag", source)
        if "*" in tag:
            tag = tag.replace("*", path.strip("/").replace("/", "."))
        parser = conf["parsers"].get(value(rows, "parser"))
        for line in lines:
            if not line and boolean(value(rows, "skip_empty_lines")):
                continue
            at, record = sys.now, {value(rows, "key", "log"): line}
            found = parsed(parser, line, sys.now) if parser else None
            if found is not None:
                at, record = found
            if value(rows, "path_key"):
                record = {value(rows, "path_key"): path, **record}
            self.route(proc, sys, source, at, tag, record)

    def tick(self, proc: Process, sys: Sys, source: str) -> None:
        rows = proc["data"]["instances"][source]
        if source.startswith("cpu"):
            used = round(sys.random(300) / 100, 2)
            record: Data = {"cpu_p": used, "user_p": round(used * 0.7, 2), "system_p": round(used * 0.3, 2)}
        else:
            record = parse_json(value(rows, "dummy", '{"message":"dummy"}')) or {}
        self.route(proc, sys, source, sys.now, value(rows, "tag", source), record)

    def route(self, proc: Process, sys: Sys, source: str, at: int, tag: str, record: Data) -> None:
        data = proc["data"]
        count(data, source, "records", 1)
        count(data, source, "bytes", len(json.dumps(record)) + 14)
        for number, (name, rows) in enumerate(data["conf"]["filters"]):
            if matches(rows, tag):
                changed = filtered(data["conf"], name, rows, record, sys, at, tag)
                if changed is None:
                    count(data, f"{name}.{number}", "drop_records", 1)
                    return
                record = changed
        for out in data["pipeline"]["outs"]:
            if matches(data["instances"][out], tag):
                pipe.emit(proc, sys, out, [at, tag, record])

    # ---- out

    def request(self, proc: Process, sys: Sys, out: str, chunk: Data) -> Data | None:
        rows, name, events = proc["data"]["instances"][out], out.partition(".")[0], chunk["events"]
        if name == "stdout":
            sys.out(printed(rows, events))
        elif name == "file":
            for at, tag, record in events:
                path = f"{value(rows, 'path', '.').rstrip('/')}/{value(rows, 'file', tag)}"
                sys.write_file(path, f"{tag}: [{at / 1000:.9f}, {json.dumps(record, ensure_ascii=False, separators=(',', ':'))}]\n", "a")
        elif name != "null":
            return wish(rows, name, events)
        return None

    def settled(self, proc: Process, sys: Sys, out: str, chunk: Data, status: int, body: str, error: str) -> int | None:
        data = proc["data"]
        rows, name, records = data["instances"][out], out.partition(".")[0], len(chunk["events"])
        refused = pipe.refusals(body) if name == "es" else []
        if not error and 200 <= status < 300 and not any(one.get("type") != "document_parsing_exception" for one in refused):
            if refused:
                say(sys, f"[ warn] [output:{name}:{out}] Elasticsearch error\n{body}")
            count(data, out, "proc_records", records)
            count(data, out, "proc_bytes", sum(pipe.size(event) for event in chunk["events"]))
            if chunk["tries"]:
                say(sys, f"[ info] [engine] flush chunk '{chunk_name(chunk)}' succeeded at retry {chunk['tries']}: task_id={chunk['id'] % 2048}, "
                    f"input={source_of(data)} > output={out} (out_id={number_of(data, out)})")  # fmt: skip
            return None
        self._complain(sys, rows, name, out, status, body, error)
        count(data, out, "errors", 1)
        limit = value(rows, "retry_limit", data["conf"]["service"].get("scheduler.retry_limit", "1")).lower()
        most = 1 << 30 if limit in ("no_limits", "false", "off") else 0 if limit == "no_retries" else int(limit) if limit.isdigit() else 1
        task = f"task_id={chunk['id'] % 2048}, input={source_of(data)} > output={out}"
        if chunk["tries"] >= most:
            count(data, out, "retries_failed", 1)
            count(data, out, "dropped_records", records)
            say(sys, f"[error] [engine] chunk '{chunk_name(chunk)}' cannot be retried: {task}")
            return None
        base = seconds(data["conf"]["service"].get("scheduler.base", ""), 5)
        cap = seconds(data["conf"]["service"].get("scheduler.cap", ""), 2000)
        top = min(cap, base << min(chunk["tries"] + 1, 20))
        wait = base + (sys.random(max(1, top - base)) if top > base else 0)
        wait = -(-wait // 1000) * 1000
        count(data, out, "retries", 1)
        count(data, out, "retried_records", records)
        say(
            sys,
            f"[ warn] [engine] failed to flush chunk '{chunk_name(chunk)}', retry in {wait // 1000} seconds: {task} (out_id={number_of(data, out)})",
        )
        return wait

    def _complain(self, sys: Sys, rows: list[list[str]], name: str, out: str, status: int, body: str, error: str) -> None:
        host, port = where(rows, name)
        if error == "ENOTFOUND":
            say(sys, f"[ warn] [net] getaddrinfo(host='{host}', err=4): Domain name not found")
        elif error == "ECONNREFUSED":
            say(sys, f"[error] [net] TCP connection failed: {host}:{port} (Connection refused)")
        elif error in ("timeout", "ETIMEDOUT"):
            say(sys, f"[error] [upstream] connection #-1 to tcp://{host}:{port} timed out after 10 seconds (connection timeout)")
        if error:
            say(sys, f"[error] [output:{name}:{out}] no upstream connections available to {host}:{port}")
        elif name == "loki":
            say(sys, f"[error] [output:{name}:{out}] {host}:{port}, HTTP status={status}\n{body}")
        else:
            say(
                sys,
                f"[error] [output:{name}:{out}] HTTP status={status} URI={'/_bulk' if name == 'es' else value(rows, 'uri', '/')}, "
                f"response:\n{body}\n",
            )

    # ---- notices

    def noticed(self, proc: Process, sys: Sys, source: str, what: str, path: str) -> None:
        here = f"[input:tail:{source}]"
        if what in ("found", "rotated"):
            found = sys.find(path)
            if what == "rotated":
                say(sys, f"[ info] {here} inode={found.ino if found else 0} file rotated: {path}")
            say(sys, f"[ info] {here} inotify_fs_add(): inode={found.ino if found else 0} watch_fd=1 name={path}")
        elif what == "denied":
            say(sys, f"[error] {here} read error, check permissions: {path}")
        elif what == "truncated":
            say(sys, f"[ info] {here} file {path} has been truncated")
        elif what == "full":
            say(sys, f"[ warn] [input] {source} paused (mem buf overlimit)")
        elif what == "room":
            say(sys, f"[ info] [input] {source} resume (mem buf overlimit)")

    def ended(self, proc: Process, sys: Sys) -> int:
        left = pipe.pending(proc["data"]["pipeline"])
        say(sys, f"[ info] [engine] service has stopped ({left} pending tasks)")
        return 0


FLUENT_BIT = FluentBit()


def count(data: Data, instance: str, counter: str, add: int) -> None:
    held = data["counts"].setdefault(instance, {})
    held[counter] = held.get(counter, 0) + add


def source_of(data: Data) -> str:
    return next((name for name in data["instances"] if name not in data["pipeline"]["outs"]), "")


def number_of(data: Data, out: str) -> int:
    return list(data["pipeline"]["outs"]).index(out)


def chunk_name(chunk: Data) -> str:
    return f"1-{chunk['made'] // 1000}.{chunk['made'] % 1000:03d}{chunk['id'] % 1000000:06d}.flb"


# ---- start


def command_line(proc: Process, sys: Sys) -> Data:
    """The configuration that -c and the other options make. Raises ConfigError."""
    conf, words = empty(), proc["argv"][1:]
    last: list[list[str]] | None = None
    sections = {"-i": "inputs", "--input": "inputs", "-F": "filters", "--filter": "filters", "-o": "outputs", "--output": "outputs"}
    at = 0
    while at < len(words):
        word, given = words[at], words[at + 1] if at + 1 < len(words) else ""
        at += 2
        if word in ("-c", "--config"):
            load(sys, given, conf)
        elif word in ("-R", "--parser"):
            load(sys, given, conf, 1)
        elif word in sections:
            rows: list[list[str]] = [] if word in ("-i", "--input") else [["match", "*"]]
            conf[sections[word]].append([given.lower(), rows])
            last = rows
        elif word in ("-p", "--prop") and last is not None:
            key, _, text = given.partition("=")
            last.append([key.lower(), text])
        elif word in ("-m", "--match", "-t", "--tag") and last is not None:
            last.append(["match" if word in ("-m", "--match") else "tag", given])
        elif word in ("-f", "--flush"):
            conf["service"]["flush"] = given
        elif word in ("-H", "--http"):
            conf["service"]["http_server"], at = "on", at - 1
        elif word in ("-D", "--dry-run", "-q", "--quiet", "-v"):
            at -= 1
    return conf


def configure(proc: Process, sys: Sys) -> None:
    """Makes the pipeline. Raises ConfigError."""
    data = proc["data"]
    conf = data["conf"] = command_line(proc, sys)
    check(conf)
    data.update(instances={}, counts={}, pipeline=pipe.new_pipeline(seconds(conf["service"].get("grace", ""), 5)), ports={})
    if sum(len(conf[section]) for section in ("inputs", "filters", "outputs")) > PLUGINS_MAX:
        raise ConfigError(f"[error] [config] more than {PLUGINS_MAX} plugins", "[error] configuration file contains errors, aborting.")
    flush = max(100, seconds(conf["service"].get("flush", ""), 1))
    limit = BUFFER_MAX
    for name, rows in conf["inputs"]:
        source = _instance(data, name, rows)
        limit = min(limit, octets(value(rows, "mem_buf_limit"), limit))
        if name == "tail":
            pipe.add_tail(data["pipeline"], source, [one.strip() for one in value(rows, "path").split(",")], sys.now,
                          exclude=[one.strip() for one in value(rows, "exclude_path").split(",") if one.strip()],
                          from_head=boolean(value(rows, "read_from_head")), late_from_head=True,
                          every=max(1000, seconds(value(rows, "refresh_interval"), 60)), saved=value(rows, "db"))  # fmt: skip
        elif name in ("dummy", "cpu"):
            rate = int(value(rows, "rate", "1")) if value(rows, "rate", "1").isdigit() else 1
            samples = value(rows, "samples", "-1")
            pipe.add_tick(data["pipeline"], source, 1000 / max(1, rate), sys.now, int(samples) if samples.isdigit() and int(samples) else -1)
        else:
            data["ports"][value(rows, "port", "24224" if name == "forward" else "9880")] = source
    for name, rows in conf["outputs"]:
        out = _instance(data, name, rows)
        if not value(rows, "match") and not value(rows, "match_regex"):
            say(sys, f"[ warn] [router] NO match for {out} output instance")
        pipe.add_out(data["pipeline"], out, flush, limit=limit)
    if boolean(conf["service"].get("http_server", "off")):
        data["ports"][conf["service"].get("http_port", "2020")] = ""


def _instance(data: Data, name: str, rows: list[list[str]]) -> str:
    number = sum(1 for one in data["instances"] if one.partition(".")[0] == name)
    data["instances"][f"{name}.{number}"] = rows
    return f"{name}.{number}"


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "phase" not in data:
        if proc["argv"][1:] in (["--version"], ["-V"]):
            sys.out(f"Fluent Bit v{version(sys)}\nGit commit: 0000000\n")
            return 0
        sys.err(BANNER.format(version=version(sys)))
        try:
            configure(proc, sys)
        except ConfigError as error:
            for line in error.lines:
                say(sys, line)
            return 1
        if "--dry-run" in proc["argv"] or "-D" in proc["argv"]:
            sys.out("configuration test is successful\n")
            return 0
        say(sys, f"[ info] [fluent bit] version={version(sys)}, commit=0000000000, pid={proc['pid']}")
        say(sys, "[ info] [storage] ver=1.5.3, type=memory, sync=normal, checksum=off, max_chunks_up=128")
        say(sys, "[ info] [simd    ] SSE2")
        say(sys, "[ info] [cmetrics] version=1.0.5")
        say(sys, "[ info] [ctraces ] version=0.6.6")
        for name in data["instances"]:
            if name not in data["pipeline"]["outs"]:
                plugin = name.partition(".")[0]
                say(sys, f"[ info] [input:{plugin}:{name}] initializing")
                say(sys, f"[ info] [input:{plugin}:{name}] storage_strategy='memory' (memory only)")
        try:
            for port, source in data["ports"].items():
                data.setdefault("connections", {})
                data.setdefault("listening", {})[port] = sockets.listen(sys, int(port))
                if not source:
                    say(sys, f"[ info] [http_server] listen iface={data['conf']['service'].get('http_listen', '0.0.0.0')} tcp_port={port}")
        except (Errno, ValueError):
            say(sys, f"[error] [input] could not bind address 0.0.0.0:{port}. Aborting")
            return 1
        say(sys, "[ info] [sp] stream processor started")
        for out in data["pipeline"]["outs"]:
            say(sys, f"[ info] [output:{out.partition('.')[0]}:{out}] worker #0 started")
        data.update(phase="run", began=sys.now)
    return pipe.run(proc, sys, FLUENT_BIT, feed)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        if "phase" not in proc["data"]:
            sys.exit(0)
        if proc["data"]["pipeline"]["stopping"] is None:
            say(sys, f"[engine] caught signal ({'SIGTERM' if n == TERM else 'SIGINT'})")
            say(sys, f"[ warn] [engine] service will shutdown in max {proc['data']['pipeline']['grace'] // 1000} seconds")
        pipe.stop(proc, sys)
    return n in (TERM, INT)


# ---- ports


def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    source = proc["data"]["ports"][str(connection["port"])]
    if source.startswith("forward"):
        lines = connection["buffer"].split("\n")
        connection["buffer"] = lines.pop()
        for event in (pipe.received(line) for line in lines):
            if event is not None:
                FLUENT_BIT.route(proc, sys, source, *event)
        return True
    return feed_http(proc, sys, fd, connection, take_in if source else monitor)


def take_in(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    """The http input: a record, or a list of them."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return text_answer("error: invalid payload\n", 400)
    tag = request.path.strip("/").replace("/", ".") or "http.0"
    for record in found if isinstance(found, list) else [found]:
        if isinstance(record, dict):
            FLUENT_BIT.route(proc, sys, proc["data"]["ports"][str(port)], sys.now, tag, record)
    return http.response(201)


register(Program("fluent-bit", lambda proc, sys: run(proc, sys, None), run, on_signal, 12 * MEBIBYTE))
DEFAULT_CONF = (
    "[SERVICE]\n    flush        1\n    daemon       Off\n    log_level    info\n    parsers_file parsers.conf\n    http_server  Off\n  "
    "  http_listen  0.0.0.0\n"
    "    http_port    2020\n\n[INPUT]\n    name cpu\n    tag  cpu.local\n    interval_sec 1\n\n[OUTPUT]\n    name  stdout\n    match *\n"
)
PARSERS = (
    f"[PARSER]\n    Name   nginx\n    Format regex\n    Regex  {NGINX}\n    Time_Key time\n    Time_Format {NGINX_TIME}\n\n"
    "[PARSER]\n    Name   json\n    Format json\n    Time_Key time\n    Time_Format %Y-%m-%dT%H:%M:%S.%L%z\n\n"
    "[PARSER]\n    Name   docker\n    Format json\n    Time_Key time\n    Time_Format %Y-%m-%dT%H:%M:%S.%L\n    Time_Keep On\n\n"
    "[PARSER]\n    Name   logfmt\n    Format logfmt\n"
)
TAGS = tuple("latest 1.3.11 1.5 1.6 1.7 1.8 1.8.15 1.9 2.0 "
             "4.2.0 4.2 4.1.0 4.1 4.0.8 4.0.0 4.0 3.2.10 3.2 3.1.9 3.1 3.0.7 3.0 2.2.3 2.2 2.1.10 1.9.10".split())  # fmt: skip
for _name in ("docker.io/fluent/fluent-bit", "cr.fluentbit.io/fluent/fluent-bit"):
    add(
        Image(
            _name,
            TAGS,
            {
                "fluent-bit": {
                    "bin": {"fluent-bit": Entry(program="fluent-bit", size=15_400_000)},
                    "etc": {"fluent-bit.conf": DEFAULT_CONF, "parsers.conf": PARSERS},
                },
                "etc": {"os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'},
            },
            33_910_221,
            entrypoint=("/fluent-bit/bin/fluent-bit",),
            cmd=("-c", "/fluent-bit/etc/fluent-bit.conf"),
            env={"PATH": PATH},
            ports=(2020,),
        )
    )
