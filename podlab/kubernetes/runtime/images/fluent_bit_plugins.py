"""The parts of Fluent Bit's plugins: parsers, filters, what stdout prints, the requests to stores (docs.fluentbit.io/manual/pipeline)."""

from __future__ import annotations

import json
import re
from typing import Any

from ...times import stamp
from ..linear import TooComplex, wildcard
from ..process import Data
from ..system import Sys
from . import log_pipeline as pipe
from .fluent_bit_config import boolean, value, values
from .fluentd_config import ConfigError as PatternError
from .fluentd_config import ruby_pattern
from .log_parsers import NGINX, dig, iso, parse_json, parse_named, parse_pairs, time_ms


def matches(rows: list[list[str]], tag: str) -> bool:
    """Match and Match_Regex."""
    pattern, regex = value(rows, "match"), value(rows, "match_regex")
    if regex:
        try:
            return ruby_pattern(regex)[0].search(tag) is not None
        except (PatternError, TooComplex):
            return False
    return bool(pattern) and wildcard(pattern).fullmatch(tag) is not None


def parsed(parser: dict[str, str], line: str, now: int) -> tuple[int, Data] | None:
    """A line by a [PARSER]; None: it does not match."""
    form = parser.get("format", "regex").lower()
    try:
        if form == "json":
            record = parse_json(line)
        elif form == "logfmt":
            record = parse_pairs(line) or None
        else:
            record = parse_named(*ruby_pattern(parser.get("regex", NGINX)), line)
    except PatternError:
        return None
    if record is None:
        return None
    for kind in parser.get("types", "").split():
        name, _, wanted = kind.partition(":")
        if name in record and re.fullmatch(r"\s*-?\d{1,18}(\.\d{1,18})?\s*", str(record[name])) and wanted in ("integer", "float"):
            record[name] = int(float(record[name])) if wanted == "integer" else float(record[name])
    key = parser.get("time_key", "")
    at = time_ms(record[key], parser.get("time_format", "")) if key and key in record else None
    if at is not None and not boolean(parser.get("time_keep", "off")):
        record = {name: held for name, held in record.items() if name != key}
    return (now if at is None else at), record


def filtered(conf: Data, name: str, rows: list[list[str]], record: Data, sys: Sys, at: int, tag: str) -> Data | None:
    """A record through one filter; None: dropped."""
    if name == "grep":
        tests = [(found.split(None, 1), wanted) for key, wanted in (("regex", True), ("exclude", False)) for found in values(rows, key)]
        return record if all(_found(words, record) == wanted for words, wanted in tests if len(words) == 2) else None
    if name == "record_modifier":
        allowed = values(rows, "allowlist_key") + values(rows, "whitelist_key")
        out = {key: held for key, held in record.items() if (not allowed or key in allowed) and key not in values(rows, "remove_key")}
        return {**out, **{key: text for key, _, text in (one.partition(" ") for one in values(rows, "record"))}}
    if name == "modify":
        return modified(rows, record)
    if name == "parser":
        key, held = value(rows, "key_name"), record.get(value(rows, "key_name"))
        found = parsed(conf["parsers"][value(rows, "parser")], str(held), at) if held is not None else None
        if found is None:
            return record
        rest = {one: text for one, text in record.items() if one != key} if boolean(value(rows, "reserve_data")) else {}
        return {**rest, **({key: held} if boolean(value(rows, "preserve_key")) else {}), **found[1]}
    sys.out(printed(rows, [[at, tag, record]]))
    return record


def _found(words: list[str], record: Data) -> bool:
    path = re.findall(r"[\w.-]+", words[0]) if words[0].startswith("$") else [words[0]]
    held = dig(record, path)
    try:
        return held is not None and ruby_pattern(words[1])[0].search(held if isinstance(held, str) else json.dumps(held)) is not None
    except (PatternError, TooComplex):
        return False


def modified(rows: list[list[str]], record: Data) -> Data:
    out = dict(record)
    for text in values(rows, "condition"):
        words = text.split()
        kind, key, wanted = words[0].lower(), words[1] if len(words) > 1 else "", " ".join(words[2:])
        held = out.get(key)
        checks = {"key_exists": key in out, "key_does_not_exist": key not in out, "key_value_equals": str(held) == wanted,
                  "key_value_does_not_equal": key in out and str(held) != wanted,
                  "key_value_matches": _found([key, wanted or "(?!)"], out)}  # fmt: skip
        if not checks.get(kind, True):
            return record
    for action, text in rows:
        name, _, rest = text.partition(" ")
        rest = rest.strip()
        if action == "set" or (action == "add" and name not in out):
            out[name] = rest
        elif action == "remove":
            out.pop(name, None)
        elif action == "remove_wildcard":
            out = {key: held for key, held in out.items() if not key.startswith(name.rstrip("*"))}
        elif action in ("rename", "hard_rename") and name in out and (rest not in out or action == "hard_rename"):
            out[rest] = out.pop(name)
        elif action in ("copy", "hard_copy") and name in out and (rest not in out or action == "hard_copy"):
            out[rest] = out[name]
    return out


def printed(rows: list[list[str]], events: list[pipe.Event]) -> str:
    """Events as the stdout output prints them."""
    form = value(rows, "format", "msgpack").lower()
    if form.startswith("json"):
        shown = [json.dumps({"date": round(at / 1000, 6), **record}, ensure_ascii=False, separators=(",", ":")) for at, _, record in events]
        return "[" + ",".join(shown) + "]\n" if form == "json" else "".join(one + "\n" for one in shown)
    return "".join(
        f"[{number}] {tag}: [[{at // 1000}.{at % 1000:03d}000000, {{}}], {_msgpack(record)}]\n" for number, (at, tag, record) in enumerate(events)
    )


def _msgpack(held: Any) -> str:
    if isinstance(held, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}=>{_msgpack(one)}" for key, one in held.items()) + "}"
    return "[" + ", ".join(_msgpack(one) for one in held) + "]" if isinstance(held, list) else json.dumps(held, ensure_ascii=False)


def where(rows: list[list[str]], name: str) -> tuple[str, int]:
    port = value(rows, "port", {"es": "9200", "loki": "3100", "forward": "24224"}.get(name, "80"))
    return value(rows, "host", "127.0.0.1"), int(port) if port.isdigit() else 0


def wish(rows: list[list[str]], name: str, events: list[pipe.Event]) -> Data:
    """The request that delivers a chunk."""
    host, port = where(rows, name)
    if name == "forward":
        return pipe.forwarded(host, port, events)
    if name == "es":
        stash = boolean(value(rows, "logstash_format"))
        found: list[tuple[Data, Data]] = []
        for at, tag, record in events:
            day = stamp(at, value(rows, "logstash_dateformat", "%Y.%m.%d"))
            meta: Data = {"_index": f"{value(rows, 'logstash_prefix', 'logstash')}-{day}" if stash else value(rows, "index", "fluent-bit")}
            if not boolean(value(rows, "suppress_type_name")):
                meta["_type"] = value(rows, "type", "_doc")
            document = {value(rows, "time_key", "@timestamp"): iso(at), **record}
            if boolean(value(rows, "include_tag_key")):
                document[value(rows, "tag_key", "flb-key")] = tag
            found.append((meta, document))
        body = pipe.bulk(found, value(rows, "write_operation", "create"))
        return pipe.post(host, port, "/_bulk", body, kind="application/x-ndjson", agent="Fluent-Bit")
    if name == "loki":
        labels = [_labels(rows, record) for _, _, record in events]
        gone = [one.strip().lstrip("$") for one in (value(rows, "remove_keys") + "," + value(rows, "label_keys")).split(",") if one.strip()]
        texts = []
        for _, _, record in events:
            kept = {key: held for key, held in record.items() if key not in gone}
            if boolean(value(rows, "drop_single_key")) and len(kept) == 1:
                texts.append(str(next(iter(kept.values()))))
            elif value(rows, "line_format", "json") == "key_value":
                texts.append(" ".join(f"{key}={json.dumps(held, ensure_ascii=False)}" for key, held in kept.items()))
            else:
                texts.append(json.dumps(kept, ensure_ascii=False, separators=(",", ":")))
        tenant = [("X-Scope-OrgID", value(rows, "tenant_id"))] if value(rows, "tenant_id") else []
        body = pipe.streams(events, labels, texts)
        return pipe.post(host, port, value(rows, "uri", "/loki/api/v1/push"), body, kind="application/json", agent="Fluent-Bit", headers=tenant)
    records = [{"date": round(at / 1000, 6), **record} for at, _, record in events]
    form = value(rows, "format", "json")
    body = json.dumps(records, ensure_ascii=False) if form == "json" else "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    return pipe.post(host, port, value(rows, "uri", "/"), body, kind="application/json", agent="Fluent-Bit")


def _labels(rows: list[list[str]], record: Data) -> dict[str, str]:
    out: dict[str, str] = {}
    for one in (part.strip() for part in value(rows, "labels", "job=fluentbit").split(",") if part.strip()):
        name, equals, text = one.partition("=")
        path = re.findall(r"[\w.-]+", text if equals else name)
        held = dig(record, path) if "$" in (text if equals else name) else text
        if held is not None:
            out[re.sub(r"\W", "_", name.strip().lstrip("$"))] = str(held)
    for key in (part.strip().lstrip("$") for part in value(rows, "label_keys").split(",") if part.strip()):
        if record.get(key) is not None:
            out[key] = str(record[key])
    return out
