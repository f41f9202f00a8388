"""Fluent Bit's own HTTP server, [SERVICE] http_server: uptime, metrics, health (docs.fluentbit.io/manual/administration/monitoring)."""

from __future__ import annotations

import json
import re
from typing import Any

from .. import http
from ..http import text_answer
from ..process import Process
from ..system import Sys


def version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2]
    found = re.match(r"[1-4]\.\d+\.\d+", tag)
    return found[0] if found else "4.1.0"


INPUT = ("records", "bytes")
OUTPUT = ("proc_records", "proc_bytes", "errors", "retries", "retries_failed", "dropped_records", "retried_records")


def monitor(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    """The HTTP server of [SERVICE] (docs.fluentbit.io/manual/administration/monitoring)."""
    data = proc["data"]
    found: Any
    outs = data["pipeline"]["outs"]
    counts = {name: {key: data["counts"].get(name, {}).get(key, 0) for key in (OUTPUT if name in outs else INPUT)} for name in data["instances"]}
    if request.path == "/":
        found = {"fluent-bit": {"version": version(sys), "edition": "Community", "flags": ["FLB_HAVE_IN_STORAGE_BACKLOG"]}}
    elif request.path == "/api/v1/uptime":
        up = (sys.now - data["began"]) // 1000
        spoken = f"{up // 86400} days, {up // 3600 % 24} hours, {up // 60 % 60} minutes and {up % 60} seconds"
        found = {"uptime_sec": up, "uptime_hr": f"Fluent Bit has been running:  {spoken}"}
    elif request.path == "/api/v1/metrics":
        filters = {
            f"{name}.{at}": data["counts"].get(f"{name}.{at}", {}).get("drop_records", 0) for at, (name, _) in enumerate(data["conf"]["filters"])
        }
        found = {
            "input": {name: held for name, held in counts.items() if name not in outs},
            "filter": {name: {"drop_records": dropped, "add_records": 0} for name, dropped in filters.items()},
            "output": {name: held for name, held in counts.items() if name in outs},
        }
    elif request.path == "/api/v1/metrics/prometheus":
        rows = [
            f'fluentbit_{"output" if name in outs else "input"}_{key}_total{{name="{name}"}} {number} {sys.now}\n'
            for name, held in counts.items()
            for key, number in held.items()
        ]
        return text_answer("".join(rows), kind="text/plain; version=0.0.4; charset=utf-8")
    elif request.path == "/api/v1/health":
        return text_answer("ok\n")
    else:
        return text_answer("", 404)
    return text_answer(json.dumps(found, separators=(",", ":")), kind="application/json")
