"""Fluentd as a front end of the log pipeline: from a line to an event, through filters to its match, and out to a store."""

from __future__ import annotations

import json

from ...times import stamp
from .. import http
from ..linear import TooComplex
from ..process import Data, Process
from ..system import Sys
from . import log_pipeline as pipe
from .fluentd_config import boolean, count, ruby_pattern, seconds, tag_pattern
from .fluentd_plugins import address, child, failure, filed, grep, hash_text, kind, parse_line, printed, timed, transform
from .log_parsers import iso, parse_json


def say(sys: Sys, level: str, text: str, worker: bool = True) -> None:
    sys.out(f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S')} +0000 [{level}]: {'#0 ' if worker else ''}{text}\n")


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
        before: str | None = held.get(source)
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
                say(sys, "warn", f'dump an error event: error_class=Fluent::Plugin::Parser::ParserError error="pattern not matched with '
                                 f'data {json.dumps(str(text))[1:-1]}"'
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
            sys.write_file(name, "".join(filed(*event) for event in events), "a")
        elif what == "forward":
            server = child(element, "server")
            return pipe.forwarded(server.get("host", "127.0.0.1"), count(server, "port", 24224), events)
        elif what == "http":
            _, host, port, target = http.split_url(params.get("endpoint", "http://127.0.0.1/"))
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
            say(sys, "warn", f'dump an error event: error_class=Fluent::Plugin::ElasticsearchErrorHandler::ElasticsearchError error="400 '
                             f'- Rejected by Elasticsearch '
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
                f"failed to flush the buffer. retry_times={tries} next_retry_time={stamp(sys.now + wait, '%Y-%m-%d %H:%M:%S')} +0000 "
                f'chunk="{chunk_id}" {reason}',
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
            say(sys, "warn", 'emit transaction failed: error_class=Fluent::Plugin::Buffer::BufferOverflowError error="buffer space has '
                             'too many data" '
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
