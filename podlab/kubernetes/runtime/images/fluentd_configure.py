"""What a configuration of fluentd asks for, and how fluentd refuses it before it starts."""

from __future__ import annotations

from ..process import Data, Process
from ..system import Sys
from . import log_pipeline as pipe
from .fluentd_config import PLUGINS_MAX, ConfigError, boolean, count, octets, ruby_pattern, seconds
from .fluentd_plugins import child, kind, parse_line
from .log_tail import is_pattern

BUFFER_MAX = 1 << 20
"""Bytes that a buffer holds at most here: total_limit_size is 512 MB by default, which no learner's machine should have to keep."""
GRACE_MS = 1_500  # flush_at_shutdown: one try and what a retry after a second may still do
SOURCES = ("tail", "forward", "http", "sample", "dummy")
FILTERS = ("record_transformer", "grep", "parser", "stdout")
OUTPUTS = ("stdout", "file", "null", "copy", "forward", "relabel", "http", "elasticsearch", "loki")
PARSERS = ("none", "json", "regexp", "nginx", "multiline")
NEEDED = {"tail": ("path", "tag"), "sample": ("tag",), "dummy": ("tag",), "relabel": ("@label",), "file": ("path",), "http": ()}


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
    if sum(len(elements) for elements in data["conf"].values()) + len(data["outs"]) + len(children) > PLUGINS_MAX:
        raise ConfigError(f"more than {PLUGINS_MAX} plugins")
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
                      from_head=boolean(params, "read_from_head", False), late_from_head=boolean(params, "read_from_head",
                      False) or not is_pattern(params["path"]),
                      every=seconds(params, "refresh_interval", 60) if is_pattern(params["path"]) else 0, saved=params.get("pos_file",
                      ""))  # fmt: skip
    elif what in ("sample", "dummy"):
        pipe.add_tick(data["pipeline"], source, 1000 / max(1, count(params, "rate", 1)), sys.now)
    else:
        data["ports"][str(count(params, "port", 24224 if what == "forward" else 9880))] = source
