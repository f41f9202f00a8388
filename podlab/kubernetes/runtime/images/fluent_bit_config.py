"""Fluent Bit's configuration, classic or YAML, as plain data (docs.fluentbit.io/manual/administration/configuring-fluent-bit).

    {"service": {key: value}, "inputs": [[plugin, [[key, value]]]], "filters": ..., "outputs": ..., "parsers": {name: {key: value}}}

Keys are in lower case, values are text. A key may come twice (Record, Regex, Add).
"""

from __future__ import annotations

import re

from ... import bounded_yaml
from ..process import Data, Errno
from ..system import Sys

SECTION = re.compile(r"^\[([A-Za-z_]+)\]\s*$")
COMMON = {"name", "alias", "log_level", "tag", "match", "match_regex", "mem_buf_limit", "retry_limit", "storage.type", "workers", "processors",
          "storage.total_limit_size", "threaded", "net.keepalive", "net.connect_timeout", "net.keepalive_idle_timeout", "tls", "tls.verify",
          "ipv6"}  # fmt: skip
PLUGINS: dict[str, dict[str, set[str]]] = {
    "input": {
        "tail": {"path", "exclude_path", "key", "path_key", "parser", "read_from_head", "refresh_interval", "db", "db.sync", "db.locking",
                 "skip_long_lines",
                 "skip_empty_lines", "buffer_chunk_size", "buffer_max_size", "rotate_wait", "multiline", "multiline.parser", "offset_key",
                 "ignore_older",
                 "docker_mode", "inotify_watcher", "read_newly_discovered_files_from_head", "exit_on_eof", "static_batch_size"},
        "dummy": {"dummy", "rate", "samples", "metadata", "start_time_sec", "copies", "interval_sec", "fixed_timestamp"},
        "forward": {"listen", "port", "buffer_max_size", "buffer_chunk_size", "tag_prefix", "unix_path"},
        "http": {"listen", "port", "tag_key", "buffer_max_size", "successful_response_code"},
        "cpu": {"interval_sec", "interval_nsec", "pid"},
    },
    "filter": {
        "modify": {"add", "set", "remove", "remove_wildcard", "remove_regex", "rename", "hard_rename", "copy", "hard_copy", "condition"},
        "grep": {"regex", "exclude", "logical_op"},
        "record_modifier": {"record", "remove_key", "allowlist_key", "whitelist_key", "uuid_key"},
        "parser": {"key_name", "parser", "reserve_data", "preserve_key", "unescape_key"},
        "stdout": set(),
    },
    "output": {
        "stdout": {"format", "json_date_key", "json_date_format"},
        "null": set(),
        "es": {"host", "port", "index", "type", "logstash_format", "logstash_prefix", "logstash_dateformat", "logstash_prefix_key",
               "suppress_type_name", "time_key",
               "time_key_format", "time_key_nanos", "include_tag_key", "tag_key", "generate_id", "write_operation", "replace_dots",
               "trace_error", "trace_output",
               "http_user", "http_passwd", "current_time_index", "path", "buffer_size", "id_key", "logstash_prefix_separator", "compress"},
        "loki": {"host", "port", "uri", "labels", "label_keys", "label_map_path", "line_format", "remove_keys", "drop_single_key", "tenant_id",
                 "auto_kubernetes_labels",
                 "http_user", "http_passwd", "structured_metadata"},
        "http": {"host", "port", "uri", "format", "header", "json_date_key", "json_date_format", "http_user", "http_passwd", "compress"},
        "forward": {"host", "port", "time_as_integer", "require_ack_response", "shared_key", "self_hostname", "upstream", "send_options"},
        "file": {"path", "file", "format", "mkdir", "template", "delimiter"},
    },
}  # fmt: skip
"""The plugins that are here, and the properties each takes."""


class ConfigError(Exception):
    """Why Fluent Bit does not start; its log lines, without the time."""

    def __init__(self, *lines: str) -> None:
        super().__init__(lines[0])
        self.lines = lines


def empty() -> Data:
    return {"service": {}, "inputs": [], "filters": [], "outputs": [], "parsers": {}}


def load(sys: Sys, path: str, into: Data, depth: int = 0) -> None:
    """Reads a configuration or parsers file. Raises ConfigError."""
    try:
        text = sys.read_file(path)
    except Errno:
        raise ConfigError(
            f"[error] [config] could not open configuration file {path}", "[error] configuration file contains errors, aborting."
        ) from None
    if depth > 4:
        raise ConfigError(f"[error] [config] too many levels of include: {path}")
    if path.endswith((".yaml", ".yml")):
        _yaml(sys, path, text, into, depth)
    else:
        _classic(sys, path, text, into, depth)
    files = [value for key, value in into["service"].items() if key in ("parsers_file", "plugins_file")] if depth == 0 else []
    for name in files:
        load(sys, name if name.startswith("/") else f"{path.rpartition('/')[0]}/{name}", into, depth + 1)


def _expand(sys: Sys, text: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: variables.get(found[1], sys.proc["env"].get(found[1], "")), text)


def _classic(sys: Sys, path: str, text: str, into: Data, depth: int) -> None:
    variables: dict[str, str] = {}
    section = ""
    rows: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.upper().startswith("@SET "):
            name, _, value = stripped[5:].partition("=")
            variables[name.strip()] = value.strip()
        elif stripped.upper().startswith("@INCLUDE "):
            name = stripped.split(None, 1)[1]
            load(sys, name if name.startswith("/") else f"{path.rpartition('/')[0]}/{name}", into, depth + 1)
        elif found := SECTION.match(stripped):
            _keep(section, rows, into)
            section, rows = found[1].upper(), []
        elif not section:
            raise ConfigError(
                f"[error] [config] error in {path}:{number}: undefined section", "[error] configuration file contains errors, aborting."
            )
        else:
            parts = stripped.split(None, 1)
            if len(parts) < 2:
                raise ConfigError(f"[error] [config] error in {path}:{number}: invalid entry or missing value",
                                  "[error] configuration file contains errors, aborting.")  # fmt: skip
            rows.append([parts[0].lower(), _expand(sys, parts[1].strip(), variables)])
    _keep(section, rows, into)


def _pairs(rows: list[list[str]]) -> list[tuple[str, str]]:
    return [(key, value) for key, value in rows]


def _keep(section: str, rows: list[list[str]], into: Data) -> None:
    if section == "SERVICE":
        into["service"].update(dict(_pairs(rows)))
    elif section == "PARSER":
        found = dict(_pairs(rows))
        into["parsers"][found.get("name", "")] = found
    elif section in ("INPUT", "FILTER", "OUTPUT"):
        name = next((value for key, value in rows if key == "name"), "")
        if not name:
            raise ConfigError(
                f"[error] [config] section '{section}' is missing the 'name' property", "[error] configuration file contains errors, aborting."
            )
        into[section.lower() + "s"].append([name.lower(), [row for row in rows if row[0] != "name"]])


def _yaml(sys: Sys, path: str, text: str, into: Data, depth: int) -> None:
    try:
        found = bounded_yaml.load(text) or {}
    except ValueError as error:
        raise ConfigError(
            f"[error] [config] error parsing YAML file {path}: {error}", "[error] configuration file contains errors, aborting."
        ) from None
    known = {"service", "pipeline", "parsers", "env", "includes", "multiline_parsers", "plugins", "upstream_servers", "customs"}
    if not isinstance(found, dict) or any(name not in known for name in found):
        wrong = next((name for name in found if name not in known), "") if isinstance(found, dict) else str(found)[:40]
        raise ConfigError(f"[error] [config] {path}: unexpected key '{wrong}'", "[error] configuration file contains errors, aborting.")
    variables = {name: _text(value) for name, value in (found.get("env") or {}).items()}
    for name in found.get("includes") or ():
        load(sys, name if str(name).startswith("/") else f"{path.rpartition('/')[0]}/{name}", into, depth + 1)
    into["service"].update({name.lower(): _expand(sys, _text(value), variables) for name, value in (found.get("service") or {}).items()})
    for parser in found.get("parsers") or ():
        into["parsers"][str(parser.get("name", ""))] = {name.lower(): _text(value) for name, value in parser.items()}
    for section in ("inputs", "filters", "outputs"):
        for one in (found.get("pipeline") or {}).get(section) or ():
            if not isinstance(one, dict) or not one.get("name"):
                raise ConfigError(
                    f"[error] [config] section '{section}' is missing the 'name' property", "[error] configuration file contains errors, aborting."
                )
            rows = [[name.lower(), _expand(sys, _text(item), variables)] for name, value in one.items() if name != "name"
                    for item in (value if isinstance(value, list) else [value]) if not isinstance(item, dict)]  # fmt: skip
            into[section].append([str(one["name"]).lower(), rows])


def _text(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def value(rows: list[list[str]], name: str, default: str = "") -> str:
    """The last value of a key."""
    return next((found for key, found in reversed(rows) if key == name), default)


def values(rows: list[list[str]], name: str) -> list[str]:
    return [found for key, found in rows if key == name]


def boolean(text: str) -> bool:
    return text.lower() in ("on", "true", "yes", "1")


def octets(text: str, default: int) -> int:
    found = re.fullmatch(r"(\d+)\s*([kmg]?)b?", text.lower())
    return int(found[1]) * {"": 1, "k": 1000, "m": 1_000_000, "g": 10**9}[found[2]] if found else default


def seconds(text: str, default: float) -> int:
    """`5`, `0.5`, `1m` in ms."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.lower())
    return round(float(found[1]) * 1000 * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]) if found else round(default * 1000)


def check(conf: Data) -> None:
    """Plugins and properties that do not exist. Raises ConfigError."""
    for section in ("input", "filter", "output"):
        known = PLUGINS[section]
        for name, rows in conf[section + "s"]:
            if name not in known:
                raise ConfigError(f"[error] [config] section '{name}' tried to instance a plugin name that doesn't exist",
                                  "[error] configuration file contains errors, aborting.")  # fmt: skip
            for key, _ in rows:
                if key not in known[name] | COMMON:
                    allowed = ", ".join(sorted(known[name])) or "none"
                    letter = {"input": "i", "filter": "F", "output": "o"}[section]
                    raise ConfigError(f"[error] [config] {name}: unknown configuration property '{key}'. The following properties are "
                                      f"allowed: {allowed}.",
                                      f"[ help] try the command: fluent-bit -{letter} {name} -h",
                                      f"[error] [engine] {section} initialization failed")  # fmt: skip
            if name == "tail" and not value(rows, "path"):
                raise ConfigError("[error] [input:tail:tail.0] no input 'path' was given", "[error] failed initialize input tail.0",
                                  "[error] [engine] input initialization failed")  # fmt: skip
            wanted = value(rows, "parser")
            if section == "filter" and name == "parser" and wanted not in conf["parsers"]:
                raise ConfigError(f"[error] [filter:parser:parser.0] requested parser '{wanted}' not found",
                "[error] [filter:parser:parser.0] Invalid 'parser'",
                                  "[error] failed initialize filter parser.0", "[error] [engine] filter initialization failed")  # fmt: skip
