"""How vector reads its configuration and judges it: --config paths, validate, health checks of its sinks."""

from __future__ import annotations

import json

from .. import http
from ..linear import wildcard
from ..process import Data, Process
from ..system import Sys
from . import log_pipeline as pipe
from .log_parsers import iso
from .vector_config import ConfigError, check, inputs, read, seconds
from .vector_sinks import endpoint

EX_CONFIG = 78
BUFFER_MAX = 1 << 20  # bytes, whatever buffer.max_events says: a learner's machine keeps them
GRACE_MS = 60_000  # --graceful-shutdown-limit-secs
WIDTH = 36


def say(sys: Sys, level: str, text: str) -> None:
    sys.err(f"{iso(sys.now, 6)} {level:>5} {text}\n")


def _why(error: str, status: int) -> str:
    words = {"ECONNREFUSED": "client error (Connect): tcp connect error: Connection refused (os error 111)",
             "ENOTFOUND": "client error (Connect): dns error: failed to lookup address information: Name or service not known",
             "EHOSTUNREACH": "client error (Connect): tcp connect error: No route to host (os error 113)",
             "ETIMEDOUT": "client error (Connect): tcp connect error: Connection timed out (os error 110)"}  # fmt: skip
    if error == "timeout":
        return "Request timed out. If this happens often while the events are actually reaching their destination, try decreasing `batch.max_bytes`"
    return f'"Failed to make HTTP(S) request: {words[error]}"' if error in words else f'"{error or f"status code: {status}"}"'


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


DATA_DIR = "/var/lib/vector"


def healthcheck(body: Data) -> str:
    """The path that a sink's health check asks for; "" when it needs none."""
    if (body.get("healthcheck") or {}) in (False,) or not (body.get("healthcheck") or {"enabled": True}).get("enabled", True):
        return ""
    return {"elasticsearch": "/_cluster/health", "loki": "/ready"}.get(body["type"], "")


def healthchecks(proc: Process, sys: Sys) -> None:
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
                    if one == wanted or ("*" in wanted and wildcard(wanted).fullmatch(one)):
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
