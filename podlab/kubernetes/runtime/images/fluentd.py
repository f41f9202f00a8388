"""Fluentd v1: the plain image, and the one for Kubernetes with the Elasticsearch plugin. Configuration: fluentd_config.py.

Sources: tail, forward, http, sample (dummy). Filters: record_transformer, grep, parser, stdout. Outputs: stdout, file, null, copy, forward, relabel,
http, elasticsearch (only in the image that has the plugin), loki (in Grafana's image). Its words are those of Fluentd 1.18 and
fluent-plugin-elasticsearch 5.4 (docs.fluentd.org; the plugins' READMEs).
"""

from __future__ import annotations

import json
import re
from typing import Any

from .. import http, sockets
from ..image import Entry, Image, add
from ..linear import TooComplex
from ..process import HUP, INT, TERM, USR1, Data, Errno, Process
from ..program import MEBIBYTE, Program, register
from ..serving import feed_http, stamp, text_answer
from ..system import Sys
from . import log_pipeline as pipe
from .base import PATH, base_tree
from .fluentd_config import ConfigError, ConfigParseError, boolean, count, octets, parse, ruby_pattern, seconds, tag_pattern
from .log_parsers import NGINX, NGINX_TIME, dig, iso, parse_json, parse_named, time_ms

VERSION = "1.18.0"
BUFFER_MAX = 1 << 20
"""Bytes that a buffer holds at most here: total_limit_size is 512 MB by default, which no learner's machine should have to keep."""
START_MS = 1_200  # the supervisor reads the file, then starts a worker: about a second of Ruby each
GRACE_MS = 1_500  # flush_at_shutdown: one try and what a retry after a second may still do
SOURCES = ("tail", "forward", "http", "sample", "dummy")
FILTERS = ("record_transformer", "grep", "parser", "stdout")
OUTPUTS = ("stdout", "file", "null", "copy", "forward", "relabel", "http", "elasticsearch", "loki")
PARSERS = ("none", "json", "regexp", "nginx", "multiline")
NEEDED = {"tail": ("path", "tag"), "sample": ("tag",), "dummy": ("tag",), "relabel": ("@label",), "file": ("path",), "http": ()}
USED = {
    "tail": {"path", "exclude_path", "pos_file", "tag", "read_from_head", "refresh_interval", "format", "follow_inodes", "path_key", "rotate_wait",
             "enable_watch_timer", "enable_stat_watcher", "limit_recently_modified", "skip_refresh_on_startup", "multiline_flush_interval", "emit_unmatched_lines"},
    "forward": {"port", "bind", "heartbeat_type", "send_timeout", "flush_interval", "require_ack_response"},
    "elasticsearch": {"host", "port", "hosts", "scheme", "user", "password", "index_name", "logstash_format", "logstash_prefix", "logstash_dateformat",
                      "include_tag_key", "tag_key", "include_timestamp", "time_key", "flush_interval", "request_timeout", "reconnect_on_error",
                      "reload_on_failure", "reload_connections", "verify_es_version_at_startup", "max_retry_get_es_version", "default_elasticsearch_version",
                      "suppress_type_name", "type_name", "id_key", "remove_keys", "log_es_400_reason", "logstash_prefix_separator", "ssl_verify",
                      "max_retry_putting_template", "slow_flush_log_threshold", "path", "target_index_key", "ssl_version", "sniffer_class_name",
                      "write_operation", "utc_index", "bulk_message_request_threshold"},
}  # fmt: skip
"""Parameters that are known; any other is named in a warning, as Fluentd does. Plugins that are not here take all."""
COMMON = {"@type", "@id", "@log_level", "@label", "type", "log_level"}


def say(sys: Sys, level: str, text: str, worker: bool = True) -> None:
    sys.out(f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S')} +0000 [{level}]: {'#0 ' if worker else ''}{text}\n")


def kind(element: Data) -> str:
    return str(element["params"].get("@type") or element["params"].get("type") or "")


def child(element: Data, name: str) -> Data:
    """Parameters of a section of that name; {} when there is none."""
    return next((one["params"] for one in element["children"] if one["name"] == name), {})


class Fluentd:
    """The front end. All state is in proc["data"]: conf {label: [filters and matches]}, sources {id: element}, outs {id: element}."""

    serial = True

    # ---- events in

    def lines(self, proc: Process, sys: Sys, source: str, path: str, lines: list[str]) -> None:
        element = proc["data"]["sources"][source]
        tag = element["params"]["tag"].replace("*", path.strip("/").replace("/", "."))
        for line in lines:
            parsed = self._parse(proc, sys, element, source, line)
            if parsed is None:
                continue
            at, record = parsed
            if element["params"].get("path_key"):
                record[element["params"]["path_key"]] = path
            self.route(proc, sys, element["params"].get("@label", ""), at, tag, record)

    def _parse(self, proc: Process, sys: Sys, element: Data, source: str, line: str) -> tuple[int, Data] | None:
        params = child(element, "parse") or {"@type": element["params"].get("format", "none")}
        if params.get("@type", "none") == "multiline":
            whole = self._gather(proc, params, source, line)
            if whole is None:
                return None
            line = whole
        elif not line:
            return None
        found = parse_line(params, line)
        if found is None:
            say(sys, "warn", f"pattern not matched: {json.dumps(line, ensure_ascii=False)}")
            return None
        return timed(params, found, sys.now)

    def _gather(self, proc: Process, params: Data, source: str, line: str) -> str | None:
        """A multiline record ends where the next one begins."""
        held = proc["data"].setdefault("gathered", {})
        first, _ = ruby_pattern(params.get("format_firstline") or "/./")
        try:
            begins = first.search(line) is not None
        except TooComplex:
            begins = True
        if not begins:
            if source in held and len(held[source]) < 100_000:
                held[source] += "\n" + line
            return None
        before = held.get(source)
        held[source] = line
        return before

    def tick(self, proc: Process, sys: Sys, source: str) -> None:
        params = proc["data"]["sources"][source]["params"]
        sample = parse_json(params.get("sample") or params.get("dummy") or "") or {"message": "sample"}
        self.route(proc, sys, params.get("@label", ""), sys.now, params["tag"], sample)

    def route(self, proc: Process, sys: Sys, label: str, at: int, tag: str, record: Data, depth: int = 0) -> None:
        """Through the filters of a label to its first match."""
        matched: Data | None = record
        for element in proc["data"]["conf"].get(label, ()):
            if not tag_pattern(element["arg"] or "**").fullmatch(tag):
                continue
            if element["name"] == "filter":
                matched = self._filter(sys, element, at, tag, matched or {})
                if matched is None:
                    return
            else:
                self._emit(proc, sys, element, at, tag, matched or {}, depth)
                return
        say(sys, "warn", f'no patterns matched tag="{tag}"')

    def _emit(self, proc: Process, sys: Sys, element: Data, at: int, tag: str, record: Data, depth: int) -> None:
        what = kind(element)
        if what == "copy":
            for store in (one for one in element["children"] if one["name"] == "store"):
                self._emit(proc, sys, store, at, tag, dict(record), depth)
        elif what == "relabel":
            if depth < 10:
                self.route(proc, sys, element["params"]["@label"], at, tag, record, depth + 1)
        elif what != "null":
            pipe.emit(proc, sys, element["out"], [at, tag, record])

    def _filter(self, sys: Sys, element: Data, at: int, tag: str, record: Data) -> Data | None:
        params, what = element["params"], kind(element)
        if what == "stdout":
            sys.out(printed(at, tag, record))
        elif what == "grep":
            return record if grep(element, record) else None
        elif what == "record_transformer":
            return transform(sys, element, at, tag, record)
        elif what == "parser":
            options = child(element, "parse")
            text = record.get(params.get("key_name", "message"))
            found = parse_line(options, str(text)) if text is not None else None
            if found is None:
                say(sys, "warn", f'dump an error event: error_class=Fluent::Plugin::Parser::ParserError error="pattern not matched with data {json.dumps(str(text))[1:-1]}"'
                    f' location=nil tag="{tag}" time={at // 1000} record={hash_text(record)}')  # fmt: skip
                return record if boolean(params, "emit_invalid_record_to_error", True) is False else None
            rest = {
                name: value
                for name, value in record.items()
                if name != params.get("key_name", "message") or not boolean(params, "remove_key_name_field", False)
            }
            return {**(rest if boolean(params, "reserve_data", False) else {}), **timed(options, found, at)[1]}
        return record

    # ---- events out

    def request(self, proc: Process, sys: Sys, out: str, chunk: Data) -> Data | None:
        element = proc["data"]["outs"][out]
        params, what, events = element["params"], kind(element), chunk["events"]
        if what == "stdout":
            sys.out("".join(printed(*event) for event in events))
        elif what == "file":
            name = f"{params['path']}.{stamp(sys.now, '%Y%m%d')}{'' if boolean(params, 'append', False) else '_0'}.log"
            directory = name.rpartition("/")[0]
            if directory and sys.find(directory) is None:
                sys.mkdir(directory, 0o755)
            sys.write_file(name, "".join(f"{iso(at, 0, '+00:00').replace('.+', '+')}\t{tag}\t{json.dumps(record, ensure_ascii=False, separators=(',', ':'))}\n"
                                         for at, tag, record in events), "a")  # fmt: skip
        elif what == "forward":
            server = child(element, "server")
            lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
            return {"host": server.get("host", "127.0.0.1"), "port": count(server, "port", 24224), "text": lines, "raw": True}
        elif what == "http":
            scheme, host, port, target = http.split_url(params.get("endpoint", "http://127.0.0.1/"))
            body = "".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for _, _, record in events)
            return pipe.post(host, port, target, body, kind="application/x-ndjson", agent="Ruby")
        elif what == "loki":
            _, host, port, _ = http.split_url(params.get("url", "http://127.0.0.1:3100"))
            labels = {**child(element, "label"), **(parse_json(params.get("extra_labels", "{}")) or {})} or {"job": "fluentd"}
            texts = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for _, _, record in events]
            body = pipe.streams(events, [labels for _ in events], texts)
            return pipe.post(host, port, "/loki/api/v1/push", body, kind="application/json", agent="Ruby")
        else:
            return self._bulk(element, events)
        return None

    def _bulk(self, element: Data, events: list[pipe.Event]) -> Data:
        params = element["params"]
        found: list[tuple[Data, Data]] = []
        for at, tag, record in events:
            document = dict(record)
            if boolean(params, "logstash_format", False):
                document.setdefault("@timestamp", iso(at, 9, "+00:00"))
                day = stamp(at, params.get("logstash_dateformat", "%Y.%m.%d"))
                index = f"{params.get('logstash_prefix', 'logstash')}{params.get('logstash_prefix_separator', '-')}{day}"
            else:
                index = params.get("index_name", "fluentd").replace("${tag}", tag)
                if boolean(params, "include_timestamp", False):
                    document.setdefault("@timestamp", iso(at, 9, "+00:00"))
            if boolean(params, "include_tag_key", False):
                document[params.get("tag_key", "tag")] = tag
            found.append(({"_index": index}, document))
        host, port = address(params)
        wish = pipe.post(host, port, "/_bulk", pipe.bulk(found), kind="application/x-ndjson", agent="elasticsearch-ruby/8.19.0")
        return {**wish, "timeout": seconds(params, "request_timeout", 5)}

    def settled(self, proc: Process, sys: Sys, out: str, chunk: Data, status: int, body: str, error: str) -> int | None:
        element = proc["data"]["outs"][out]
        what, buffer = kind(element), {**element["params"], **child(element, "buffer")}
        refused = pipe.refusals(body) if what == "elasticsearch" and 200 <= status < 300 else []
        for one in refused:
            say(sys, "warn", f'dump an error event: error_class=Fluent::Plugin::ElasticsearchErrorHandler::ElasticsearchError error="400 - Rejected by Elasticsearch '
                f"[error type]: {one['type']} [reason]: '{one['reason']}'\" location=nil tag=\"{chunk['events'][0][1]}\"")  # fmt: skip
        chunk_id = f"6{chunk['made']:012x}{chunk['id'] * 2_654_435_761 % (1 << 32):08x}{chunk['made'] * 40_503 % (1 << 44):011x}"
        if not error and (200 <= status < 300):
            if chunk["tries"]:
                say(sys, "warn", f'retry succeeded. chunk_id="{chunk_id}"')
            return None
        reason = failure(element, str(chunk.get("peer", "")), status, body, error)
        limit = count(buffer, "retry_max_times", -1)
        tries = int(chunk["tries"])
        since = sys.now - chunk["made"]
        gone = 0 <= limit <= tries or since > seconds(buffer, "retry_timeout", 72 * 3600)
        if gone and not boolean(buffer, "retry_forever", False):
            say(sys, "error", f"failed to flush the buffer, and hit limit for retries. dropping all chunks in the buffer queue. retry_times={tries} "
                f"records={len(chunk['events'])} {reason}")  # fmt: skip
            return None
        wait = seconds(buffer, "retry_wait", 1)
        if buffer.get("retry_type") != "periodic":
            wait = round(wait * float(count(buffer, "retry_exponential_backoff_base", 2)) ** min(tries, 30))
        wait = min(wait, seconds(buffer, "retry_max_interval", 1 << 30))
        if boolean(buffer, "retry_randomize", True):
            wait = round(wait * (0.875 + sys.random(1000) / 4000))
        if proc["data"]["pipeline"]["stopping"] is None:
            say(
                sys,
                "warn",
                f'failed to flush the buffer. retry_times={tries} next_retry_time={stamp(sys.now + wait, "%Y-%m-%d %H:%M:%S")} +0000 chunk="{chunk_id}" {reason}',
            )
            if tries:
                say(sys, "warn", "suppressed same stacktrace")
        return wait

    # ---- notices

    def noticed(self, proc: Process, sys: Sys, source: str, what: str, path: str) -> None:
        if what == "found":
            say(sys, "info", f"following tail of {path}")
        elif what == "rotated":
            say(sys, "info", f"detected rotation of {path}")
            say(sys, "info", f"following tail of {path}")
        elif what == "denied":
            say(sys, "warn", f"{path} unreadable. It is excluded and would be examined next time.")
        elif what == "full":
            tag = proc["data"]["sources"][source]["params"].get("tag", "")
            say(sys, "warn", 'emit transaction failed: error_class=Fluent::Plugin::Buffer::BufferOverflowError error="buffer space has too many data" '
                f'location=nil tag="{tag}"')  # fmt: skip

    def ended(self, proc: Process, sys: Sys) -> int:
        data = proc["data"]
        for source, element in data["sources"].items():
            say(sys, "info", f'shutting down input plugin type=:{kind(element)} plugin_id="{element["params"].get("@id", "object:" + source)}"')
        for out, element in data["outs"].items():
            say(sys, "info", f'shutting down output plugin type=:{kind(element)} plugin_id="{element["params"].get("@id", "object:" + out)}"')
        say(sys, "info", "Worker 0 finished with status 0", worker=False)
        return 0


FLUENTD = Fluentd()


# ---- parts of a plugin


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
        text = f"could not push logs to Elasticsearch cluster ({{:host=>{json.dumps(host)}, :port=>{port}, :scheme=>{json.dumps(params.get('scheme', 'http'))}}}): {why}"
        return f"error_class=Fluent::Plugin::ElasticsearchOutput::RecoverableRequestFailure error={json.dumps(text, ensure_ascii=False)}"
    if what == "forward":
        return 'error_class=Fluent::Plugin::ForwardOutput::NoNodesAvailable error="no nodes are available"'
    if error:
        return f"error_class=SocketError error={json.dumps(ruby_error(error, params.get('endpoint') or params.get('url', '')))}"
    return f'error_class=Fluent::UnrecoverableError error="{status} {body[:120]}"'


# ---- start


def configure(proc: Process, sys: Sys, children: list[Data], plugins: tuple[str, ...]) -> None:
    """Makes the pipeline of a configuration. Raises ConfigError."""
    data = proc["data"]
    data.update(conf={"": []}, sources={}, outs={}, pipeline=pipe.new_pipeline(GRACE_MS), ports={}, verify=[])
    for element in children:
        if element["name"] == "label":
            data["conf"][element["arg"]] = element["children"]
        elif element["name"] in ("match", "filter"):
            data["conf"][""].append(element)
        elif element["name"] not in ("source", "system", "worker"):
            raise ConfigError(f"Unknown directive: <{element['name']}>")
    for label in data["conf"]:
        for element in data["conf"][label]:
            if element["name"] == "filter":
                check(element, "filter", FILTERS)
            elif element["name"] == "match":
                _output(proc, element, plugins)
    wanted = [element["params"].get("@label") for element in children if element["name"] == "source"]
    for label in (label for label in wanted if label and label not in data["conf"]):
        raise ConfigError(f"{label} label not found")
    for element in (element for element in children if element["name"] == "source"):
        _source(proc, sys, element)


def check(element: Data, role: str, known: tuple[str, ...]) -> str:
    """A plugin's type and its required parameters. Raises ConfigError."""
    what = kind(element)
    if not what:
        raise ConfigError(f"Missing '@type' parameter on <{element['name']}> directive")
    if what not in known:
        raise ConfigError(f"Unknown {role} plugin '{what}'. Run 'gem search -rd fluent-plugin' to find plugins")
    if role != "filter":
        for name in (name for name in NEEDED.get(what, ()) if name not in element["params"]):
            raise ConfigError(f"'{name}' parameter is required")
    for section in (one for one in element["children"] if one["name"] == "parse"):
        if section["params"].get("@type", "none") not in PARSERS:
            raise ConfigError(f"Unknown parser plugin '{section['params'].get('@type')}'. Run 'gem search -rd fluent-plugin' to find plugins")
        parse_line(section["params"], "")
    for rule in (one for one in element["children"] if one["name"] in ("regexp", "exclude")):
        ruby_pattern(rule["params"].get("pattern", "/./"))
    return what


def _output(proc: Process, element: Data, plugins: tuple[str, ...]) -> None:
    data = proc["data"]
    what = check(element, "output", plugins)
    if what == "copy":
        for store in (one for one in element["children"] if one["name"] == "store"):
            _output(proc, store, plugins)
        return
    if what == "relabel":
        if element["params"]["@label"] not in data["conf"]:
            raise ConfigError(f"{element['params']['@label']} label not found")
        return
    if what == "null":
        return
    if what == "forward" and not child(element, "server"):
        raise ConfigError("forward output plugin requires at least one node is required. Add <server> or <service_discovery>")
    element["out"] = out = f"{len(data['outs']):x}c0"
    data["outs"][out] = element
    buffer = {**element["params"], **child(element, "buffer")}
    every = 0 if what == "stdout" or buffer.get("flush_mode") == "immediate" else seconds(buffer, "flush_interval", 60)
    pipe.add_out(data["pipeline"], out, every, limit=min(octets(buffer, "total_limit_size", 512 << 20), BUFFER_MAX))
    if what == "elasticsearch" and boolean(element["params"], "verify_es_version_at_startup", True):
        data["verify"].append(out)


def _source(proc: Process, sys: Sys, element: Data) -> None:
    data, params = proc["data"], element["params"]
    what = check(element, "input", SOURCES)
    source = f"{len(data['sources']):x}a0"
    data["sources"][source] = element
    if what == "tail":
        pipe.add_tail(data["pipeline"], source, [one.strip() for one in params["path"].split(",")], sys.now,
                      exclude=[one.strip(' "') for one in params.get("exclude_path", "").strip("[]").split(",") if one.strip()],
                      from_head=boolean(params, "read_from_head", False), late_from_head=boolean(params, "read_from_head", False) or not pipe.is_pattern(params["path"]),
                      every=seconds(params, "refresh_interval", 60) if pipe.is_pattern(params["path"]) else 0, saved=params.get("pos_file", ""))  # fmt: skip
    elif what in ("sample", "dummy"):
        rate = max(1, count(params, "rate", 1))
        pipe.add_tick(data["pipeline"], source, max(10, 1000 // rate), sys.now + max(10, 1000 // rate))
    else:
        data["ports"][str(count(params, "port", 24224 if what == "forward" else 9880))] = source


def run(proc: Process, sys: Sys, plugins: tuple[str, ...]) -> int:
    data = proc["data"]
    if "phase" not in data:
        path = config_path(proc)
        for flag in ("--dry-run", "--version"):
            if flag in proc["argv"] and flag == "--version":
                sys.out(f"fluentd {VERSION}\n")
                return 0
        say(sys, "info", "init supervisor logger path=nil rotate_age=nil rotate_size=nil", worker=False)
        try:
            children = parse(sys, path)
            say(sys, "info", f'parsing config file is succeeded path="{path}"', worker=False)
            configure(proc, sys, children, plugins)
        except Errno as error:
            say(sys, "error", f"{error.text} @ rb_sysopen - {path} (Errno::{error.name})", worker=False)
            return 1
        except (ConfigParseError, ConfigError) as error:
            name = (
                "ConfigParseError" if isinstance(error, ConfigParseError) else "NotFoundPluginError" if "gem search" in str(error) else "ConfigError"
            )
            say(
                sys,
                "error",
                f'config error file="{path}" error_class=Fluent::{name} error={json.dumps(str(error), ensure_ascii=False)}',
                worker=False,
            )
            return 1
        _announce(proc, sys, path, children)
        if "--dry-run" in proc["argv"]:
            say(sys, "info", "finished dry run mode", worker=False)
            return 0
        data.update(phase="worker", until=sys.now + START_MS)
    if data["phase"] == "worker":
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        for label, elements in data["conf"].items():
            for element in elements:
                at = f" in {label}" if label else ""
                say(sys, "info", f'adding {element["name"]}{at} pattern="{element["arg"] or "**"}" type="{kind(element)}"', worker=False)
        data["phase"] = "verify"
    if data["phase"] == "verify":
        _verify(proc, sys)
        for element in data["sources"].values():
            say(sys, "info", f'adding source type="{kind(element)}"', worker=False)
        for element in [*data["sources"].values(), *data["outs"].values()]:
            for name in element["params"]:
                if name not in USED.get(kind(element), {name}) | COMMON:
                    say(
                        sys,
                        "warn",
                        f"parameter '{name}' in <{element['name']}{' ' + element['arg'] if element['arg'] else ''}> is not used.",
                        worker=False,
                    )
        say(sys, "info", f"starting fluentd worker pid={proc['pid'] + 9} ppid={proc['pid']} worker=0")
        try:
            for port in data["ports"]:
                data.setdefault("connections", {})
                data.setdefault("listening", {})[port] = sockets.listen(sys, int(port))
                say(sys, "info", f'listening port port={port} bind="0.0.0.0"')
        except Errno:
            say(sys, "error", 'unexpected error error_class=Errno::EADDRINUSE error="Address already in use - bind(2)"')
            return 1
        for tail in data["pipeline"]["tails"].values():
            _directory_of(sys, tail["saved"])
            tail["began"] = sys.now
            if not tail["saved"]:
                say(sys, "warn", "'pos_file PATH' parameter is not set to a 'tail' source.")
                say(sys, "warn", "this parameter is highly recommended to save the position to resume tailing.")
        data["phase"] = "run"
        say(sys, "info", "fluentd worker is now running worker=0")
    return pipe.run(proc, sys, FLUENTD, feed)


def config_path(proc: Process) -> str:
    words = proc["argv"]
    for option in ("-c", "--config"):
        if option in words[:-1]:
            return words[words.index(option) + 1]
    return f"/fluentd/etc/{proc['env'].get('FLUENTD_CONF') or 'fluent.conf'}"


def _announce(proc: Process, sys: Sys, path: str, children: list[Data]) -> None:
    say(sys, "info", f"gem 'fluentd' version '{VERSION}'", worker=False)
    if "elasticsearch" in proc["argv"][0]:
        say(sys, "info", "gem 'fluent-plugin-elasticsearch' version '5.4.3'", worker=False)
    say(sys, "info", f"using configuration file: <ROOT>\n{''.join(_shown(element, 1) for element in children)}</ROOT>", worker=False)
    say(sys, "info", f'starting fluentd-{VERSION} pid={proc["pid"]} ruby="3.2.6"', worker=False)
    say(sys, "info", f'spawn command to main:  cmdline=["/usr/local/bin/ruby", "-Eascii-8bit:ascii-8bit", "/usr/local/bundle/bin/fluentd", "--config", "{path}", '
        '"--plugin", "/fluentd/plugins", "--under-supervisor"]', worker=False)  # fmt: skip


def _shown(element: Data, depth: int) -> str:
    pad = "  " * depth
    head = f"{pad}<{element['name']}{' ' + element['arg'] if element['arg'] else ''}>\n"
    rows = "".join(f"{pad}  {name} {_masked(name, value)}\n" for name, value in element["params"].items())
    return head + rows + "".join(_shown(one, depth + 1) for one in element["children"]) + f"{pad}</{element['name']}>\n"


def _masked(name: str, value: str) -> str:
    return (
        "xxxxxx" if name == "password" else json.dumps(value, ensure_ascii=False) if re.search(r"[\s#]", value) and value[:1] not in "[{/" else value
    )


def _directory_of(sys: Sys, path: str) -> None:
    """The directory of a pos_file, made when missing, as Fluentd does. Raises Errno."""
    made = ""
    for part in path.split("/")[1:-1]:
        made += "/" + part
        if sys.find(made) is None:
            sys.mkdir(made, 0o755)


def _verify(proc: Process, sys: Sys) -> None:
    """Asks each Elasticsearch for its version before the sources begin; waits 2, 4, 8 ... s between tries (verify_es_version_at_startup)."""
    data = proc["data"]
    while data["verify"]:
        element = data["outs"][data["verify"][0]]
        host, port = address(element["params"])
        held = data.setdefault("asking", {"tries": 0, "at": 0, "flight": None, "why": ""})
        if sys.now < held["at"]:
            sys.sleep(held["at"] - sys.now)
        if held["at"]:
            left = count(element["params"], "max_retry_get_es_version", 15) - held["tries"]
            say(sys, "warn", f"Could not communicate to Elasticsearch, resetting connection and trying again. {held['why']}")
            say(sys, "warn", f"Remaining retry: {left}. Retry to communicate after {2 ** held['tries']} second(s).")
            held["at"] = 0
        if held["flight"] is None:
            held["flight"] = pipe.launch(
                sys, {"host": host, "port": port, "text": http.request("GET", "/", f"{host}:{port}", [("Connection", "close")]).text()}
            )
        answer = pipe.advance(sys, held["flight"])
        if answer is None:
            times: list[int] = []
            fds: list[int] = []
            objs: list[str] = []
            pipe.waits_of(proc, held["flight"], times, fds, objs)
            sys.poll(tuple(fds), min(times) - sys.now, objs=tuple(objs))
            continue
        where = f"{held['flight']['address']}:{port}"
        held["flight"] = None
        if answer[2] or answer[0] >= 500:
            held["tries"] += 1
            if held["tries"] > count(element["params"], "max_retry_get_es_version", 15):
                text = f"Could not communicate to Elasticsearch after {held['tries'] - 1} retries. {ruby_error(answer[2], where)}"
                say(
                    sys,
                    "error",
                    f"unexpected error error_class=Fluent::Plugin::ElasticsearchError::RetryableOperationExhaustedFailure error={json.dumps(text)}",
                )
                sys.exit(1)
            held.update(at=sys.now + 1000 * 2 ** held["tries"], why=ruby_error(answer[2] or f"[{answer[0]}]", where))
            continue
        del data["asking"]
        data["verify"].pop(0)


def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    """What comes in on a port of a forward or http source."""
    source = proc["data"]["ports"][str(connection["port"])]
    element = proc["data"]["sources"][source]
    label = element["params"].get("@label", "")
    if kind(element) == "forward":
        lines = connection["buffer"].split("\n")
        connection["buffer"] = lines.pop()
        for line in lines:
            event = received(line)
            if event is not None:
                FLUENTD.route(proc, sys, label, *event)
        return True

    def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
        body = request.body.removeprefix("json=")
        record = parse_json(body)
        if record is None:
            return text_answer('400 Bad Request\n"json" or "msgpack" parameter is required\n', 400)
        FLUENTD.route(proc, sys, label, sys.now, request.path.strip("/").replace("/", ".") or "http", record)
        return text_answer("")

    return feed_http(proc, sys, fd, connection, answer)


def received(line: str) -> tuple[int, str, Data] | None:
    """An event that another agent has forwarded. On the wire it is JSON here, MessagePack in reality."""
    try:
        at, tag, record = json.loads(line)
    except (ValueError, TypeError):
        return None
    return (at, tag, record) if isinstance(at, int) and isinstance(tag, str) and isinstance(record, dict) else None


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM and INT flush and end with 0; USR1 flushes now; HUP is taken without a restart of the worker (docs.fluentd.org/deployment/signals)."""
    data = proc["data"]
    if n in (TERM, INT):
        if data.get("phase") != "run":
            sys.exit(0)
        if data["pipeline"]["stopping"] is None:
            say(sys, "info", "Received graceful stop", worker=False)
            say(sys, "info", "fluentd worker is now stopping worker=0")
            say(sys, "info", "shutting down fluentd worker worker=0")
        pipe.stop(proc, sys)
        return True
    if n in (USR1, HUP) and data.get("phase") == "run":
        say(sys, "info", "force flushing buffered events" if n == USR1 else "restarting")
        for held in data["pipeline"]["outs"].values():
            if held["staged"]:
                held["due"] = sys.now
        sys.interrupt()
    return n in (USR1, HUP)


PLAIN = tuple(name for name in OUTPUTS if name not in ("elasticsearch", "loki"))
for _program, _plugins in (("fluentd", PLAIN), ("fluentd-elasticsearch", OUTPUTS[:-1]), ("fluentd-loki", (*PLAIN, "loki"))):
    register(
        Program(
            _program,
            lambda proc, sys, plugins=_plugins: run(proc, sys, plugins),  # type: ignore[misc]
            lambda proc, sys, event, plugins=_plugins: run(proc, sys, plugins),  # type: ignore[misc]
            on_signal,
            60 * MEBIBYTE,
        )
    )
DEFAULT_CONF = (
    "<source>\n  @type  forward\n  @id    input1\n  @label @mainstream\n  port  24224\n</source>\n\n<filter **>\n  @type stdout\n</filter>\n\n"
    "<label @mainstream>\n  <match **>\n    @type file\n    @id   output1\n    path         /fluentd/log/data\n    append       true\n  </match>\n</label>\n"
)
KUBERNETES_CONF = "<source>\n  @type forward\n  port 24224\n</source>\n\n<match **>\n  @type elasticsearch\n  host \"#{ENV['FLUENT_ELASTICSEARCH_HOST']}\"\n" \
    "  port \"#{ENV['FLUENT_ELASTICSEARCH_PORT']}\"\n  logstash_format true\n</match>\n"  # fmt: skip
FLUENT = (
    "latest",
    "v1.19-1",
    "v1.19",
    "v1.18-1",
    "v1.18",
    "v1.17-1",
    "v1.17",
    "v1.16-1",
    "v1.16",
    "v1.18-debian-1",
    "v1.18-debian",
    "edge",
    "edge-debian",
)
SHIPPERS: tuple[tuple[str, tuple[str, ...], str, str, str, int], ...] = (
    ("docker.io/fluent/fluentd", FLUENT, "fluentd", DEFAULT_CONF, "fluent", 43_212_990),
    ("docker.io/fluent/fluentd-kubernetes-daemonset",
     ("v1-debian-elasticsearch", "v1.18-debian-elasticsearch8-1", "v1.17-debian-elasticsearch8-1", "v1.16-debian-elasticsearch8-1",
      "v1.16-debian-elasticsearch7-1", "v1.16.2-debian-elasticsearch8-1.1"), "fluentd-elasticsearch", KUBERNETES_CONF, "", 118_440_311),
    ("docker.io/grafana/fluent-plugin-loki", ("latest", "main"), "fluentd-loki", DEFAULT_CONF, "fluent", 120_330_014),
)  # fmt: skip
for _name, _tags, _program, _conf, _user, _size in SHIPPERS:
    _mine = 999 if _user else 0
    add(
        Image(
            _name,
            _tags,
            base_tree(
                "debian",
                {
                    "usr": {"local": {"bundle": {"bin": {"fluentd": Entry(program=_program, size=566)}}}},
                    "bin": {_program: Entry(program=_program, size=566), "fluentd": Entry(program=_program, size=566)},
                    "fluentd": Entry(uid=_mine, gid=_mine, children={
                        "etc": {"fluent.conf": _conf}, "plugins": {}, "log": Entry(uid=_mine, gid=_mine, children={}),
                    }),
                },
                users={"fluent": 999},
                extra=("curl",),
            ),
            _size,
            cmd=(_program,) if _program != "fluentd" else ("fluentd",),
            env={"PATH": PATH, "FLUENTD_CONF": "fluent.conf"},
            user=_user,
            ports=(24224, 5140),
        )
    )  # fmt: skip
