"""Vector's configuration, YAML, TOML or JSON: read, filled in from the environment, and checked (vector.dev/docs/reference/configuration)."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from ... import bounded_yaml
from ..linear import wildcard
from ..process import Data, Errno
from ..system import Sys
from . import vrl_syntax
from .fluentd_config import LINE_MAX, PLUGINS_MAX

SOURCES: dict[str, set[str]] = {
    "file": {"include", "exclude", "read_from", "ignore_checkpoints", "data_dir", "file_key", "host_key", "glob_minimum_cooldown_ms",
             "fingerprint", "encoding",
             "line_delimiter", "max_line_bytes", "multiline", "offset_key", "oldest_first", "remove_after_secs", "ignore_older_secs",
             "max_read_bytes",
             "acknowledgements", "ignore_not_found", "rotate_wait_secs"},
    "stdin": {"max_length", "host_key", "decoding", "framing"},
    "demo_logs": {"format", "interval", "count", "lines", "sequence", "decoding", "framing", "host_key"},
    "fluent": {"address", "mode", "connection_limit", "keepalive", "receive_buffer_bytes", "tls"},
    "http_server": {"address", "path", "encoding", "decoding", "framing", "headers", "method", "path_key", "strict_path", "response_code",
                    "query_parameters"},
}  # fmt: skip
TRANSFORMS: dict[str, set[str]] = {
    "remap": {"source", "file", "drop_on_abort", "drop_on_error", "reroute_dropped", "timezone", "metric_tag_values"},
    "filter": {"condition"},
    "route": {"route", "reroute_unmatched"},
}
BATCH = {"batch", "buffer", "request", "encoding", "compression", "healthcheck", "tls", "acknowledgements", "auth", "proxy", "endpoint", "framing"}
SINKS: dict[str, set[str]] = {
    "console": {"encoding", "target", "framing", "buffer", "acknowledgements", "healthcheck"},
    "blackhole": {"print_interval_secs", "rate", "buffer", "acknowledgements"},
    "file": {"path", "encoding", "framing", "compression", "idle_timeout_secs", "buffer", "acknowledgements", "timezone", "healthcheck",
             "internal_metrics"},
    "elasticsearch": BATCH | {"endpoints", "mode", "bulk", "data_stream", "api_version", "suppress_type_name", "doc_type", "pipeline", "id_key",
                              "query",
                              "request_retry_partial", "distribution", "aws", "opensearch_service_type", "metrics"},
    "loki": BATCH | {"labels", "path", "tenant_id", "remove_label_fields", "remove_timestamp", "out_of_order_action", "structured_metadata",
                     "remove_structured_metadata_fields"},
    "http": BATCH | {"uri", "method", "headers", "payload_prefix", "payload_suffix"},
}  # fmt: skip
TOP = ("api", "sources", "transforms", "sinks", "data_dir", "log_schema", "timezone", "acknowledgements", "enrichment_tables", "healthchecks",
"proxy",
       "schema", "secret", "tests", "expire_metrics_secs", "wildcard_matching", "telemetry", "buffer_utilization_ewma_alpha")  # fmt: skip
REQUIRED = {"file": ("include",), "demo_logs": ("format",), "fluent": ("address",), "http_server": ("address",), "filter": ("condition",),
            "route": (),
            "loki": ("endpoint", "encoding", "labels"), "http": ("uri", "encoding"), "console": ("encoding",)}  # fmt: skip


class ConfigError(Exception):
    """Why Vector does not start: one text an error."""

    def __init__(self, *errors: str) -> None:
        super().__init__(errors[0])
        self.errors = errors


def read(sys: Sys, paths: list[str]) -> Data:
    """The configuration of several files laid over one another. Raises ConfigError."""
    whole: Data = {}
    for path in paths:
        try:
            text = sys.read_file(path)
        except Errno as error:
            raise ConfigError(
                f"Config file not found in path. path={json.dumps(path)}" if error.name == "ENOENT" else f"{error.text}: {path}"
            ) from None
        found = decode(path, interpolated(sys, text))
        for name, value in found.items():
            if name in ("sources", "transforms", "sinks") and isinstance(value, dict) and isinstance(whole.get(name), dict):
                whole[name] = {**whole[name], **value}
            else:
                whole[name] = value
    return whole


def interpolated(sys: Sys, text: str) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?error}`; `$$` is a dollar. Comments are left alone. Raises ConfigError."""
    errors: list[str] = []
    if any(len(line) > LINE_MAX for line in text.splitlines()):
        raise ConfigError(f"a line is longer than {LINE_MAX} characters")

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name, rest = found[1] or found[2], found[3] or ""
        value = sys.proc["env"].get(name)
        if rest.startswith((":-", "-")):
            return value if value else rest.lstrip(":")[1:]
        if value is None:
            errors.append(rest.lstrip(":")[1:] if "?" in rest[:2] else f"Missing environment variable in config. name = {json.dumps(name)}")
        return value or ""

    out = "".join(
        line if line.lstrip().startswith("#") else re.sub(r"\$\$|\$([A-Za-z_]\w*)|\$\{([A-Za-z_][\w.]*)(:?[-?][^}]*)?\}", fill, line)
        for line in text.splitlines(True)
    )
    if errors:
        raise ConfigError(*errors)
    return out


def decode(path: str, text: str) -> Data:
    """A file by its ending. Raises ConfigError."""
    try:
        if path.endswith(".toml"):
            found: Any = tomllib.loads(text)
        elif path.endswith(".json"):
            found = json.loads(text)
        else:
            found = bounded_yaml.load(text) or {}
    except (ValueError, RecursionError) as error:
        raise ConfigError(str(error)) from None
    if not isinstance(found, dict):
        raise ConfigError("invalid type: string, expected a map")
    return found


def check(conf: Data) -> list[str]:
    """Raises ConfigError with all that is wrong; gives warnings."""
    errors = [f"unknown field `{name}`, expected one of {', '.join(f'`{one}`' for one in TOP)}" for name in conf if name not in TOP]
    kinds = (("sources", SOURCES, "Source"), ("transforms", TRANSFORMS, "Transform"), ("sinks", SINKS, "Sink"))
    for section, known, _ in kinds:
        held = conf.get(section) or {}
        if not isinstance(held, dict):
            raise ConfigError(f"invalid type: sequence, expected a map in `{section}`")
        for name, body in held.items():
            errors += _component(section, name, body, known)
    if sum(len(conf.get(section) or ()) for section, _, _ in kinds) > PLUGINS_MAX:
        errors.append(f"more than {PLUGINS_MAX} components")
    if errors:
        raise ConfigError(*errors)
    if not conf.get("sources"):
        errors.append("No sources defined in the config.")
    if not conf.get("sinks"):
        errors.append("No sinks defined in the config.")
    outputs = [*conf.get("sources", {})]
    for name, body in (conf.get("transforms") or {}).items():
        if body["type"] == "route":
            outputs += [f"{name}.{one}" for one in body.get("route") or {}] + ([f"{name}._unmatched"] if body.get("reroute_unmatched", True) else [])
        else:
            outputs += [name, f"{name}.dropped"] if body.get("reroute_dropped") else [name]
    used: list[str] = []
    for section, _, title in kinds[1:]:
        for name, body in (conf.get(section) or {}).items():
            for wanted in inputs(body):
                matched = [one for one in outputs if one == wanted or ("*" in wanted and wildcard(wanted).fullmatch(one))]
                used += matched
                if not matched:
                    errors.append(f'Input "{wanted}" for {title.lower()} "{name}" doesn\'t match any components.')
    if _cycle(conf):
        errors.append(f"Cyclic dependency detected in the chain [ {' -> '.join(_cycle(conf))} ]")
    if not errors:
        errors += _programs(conf)
    if errors:
        raise ConfigError(*errors)
    return [
        f'{"Source" if one in conf["sources"] else "Transform"} "{one}" has no consumers'
        for one in outputs
        if one not in used and not one.endswith("._unmatched")
    ]


def _component(section: str, name: str, body: Any, known: dict[str, set[str]]) -> list[str]:
    where = f"in `{section}.{name}`"
    if not isinstance(body, dict):
        return [f"invalid type: expected a map {where}"]
    kind = body.get("type")
    if kind is None:
        return [f"missing field `type` {where}"]
    if kind not in known:
        return [f"unknown variant `{kind}`, expected one of {', '.join(f'`{one}`' for one in sorted(known))} {where}"]
    common = {"type"} if section == "sources" else {"type", "inputs"}
    errors = [f"unknown field `{one}`, expected one of {', '.join(f'`{each}`' for each in sorted(known[kind]))} {where}" for one in body
              if one not in known[kind] | common]  # fmt: skip
    wanted = (*(("inputs",) if section != "sources" else ()), *REQUIRED.get(kind, ()))
    errors += [f"missing field `{one}` {where}" for one in wanted if one not in body]
    if kind == "elasticsearch" and not body.get("endpoints") and not body.get("endpoint"):
        errors.append(f"`endpoints` option must be specified {where}")
    if section == "sinks" and isinstance(body.get("encoding"), dict) and kind != "elasticsearch" and "codec" not in body["encoding"]:
        errors.append(f"missing field `codec` {where}")
    return errors


def inputs(body: Data) -> list[str]:
    found = body.get("inputs") or []
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def _cycle(conf: Data) -> list[str]:
    """A chain of transforms that leads back to itself; [] when there is none."""
    before = {name: [one.partition(".")[0] for one in inputs(body)] for name, body in (conf.get("transforms") or {}).items()}
    for start in before:
        chain = [start]
        while len(chain) <= len(before):
            following = next((one for one in before.get(chain[-1], ()) if one in before), None)
            if following is None:
                break
            chain.append(following)
            if following == start:
                return chain[::-1]
    return []


def condition(value: Any) -> str:
    """The program of a condition: text, or {type: vrl, source}."""
    return str(value.get("source", "")) if isinstance(value, dict) else str(value)


def _programs(conf: Data) -> list[str]:
    errors: list[str] = []
    for name, body in (conf.get("transforms") or {}).items():
        if body["type"] == "remap":
            if "source" not in body:
                errors.append(f'Transform "{name}": must provide exactly one of `source` or `file` configuration')
                continue
            texts = [str(body["source"])]
        else:
            texts = [condition(body.get("condition"))] if body["type"] == "filter" else [condition(one) for one in (body.get("route") or {}).values()]
        for text in texts:
            try:
                vrl_syntax.parse(text)
            except vrl_syntax.VrlError as error:
                errors.append(f'Transform "{name}": {error.text()}')
    return errors


def seconds(value: Any, default: float) -> int:
    """A number of seconds in ms."""
    return round(float(value) * 1000) if isinstance(value, int | float) and not isinstance(value, bool) else round(default * 1000)
