"""Grafana Loki, single binary: HTTP on 3100. The query language is logql.py's.

What is pushed is kept in one file, `<path_prefix>/wal/entries` (a JSON list a line: tenant, labels, [[ns, line]]), so it lives as long as
the volume that the path is on. /ready answers 503 for the ingester's first 15 s; pushes are taken before that.
Sources: grafana.com/docs/loki/latest (HTTP API, configuration). No object storage, no retention, no ruler, no tailing, no multi-binary.
"""

from __future__ import annotations

import re
from typing import Any

from ... import bounded_yaml
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import listen_on, serve_http
from ..system import Sys
from . import logql_syntax
from .base import PATH, base_tree
from .logql_syntax import LogqlError
from .loki_api import answer, log, version

START_MS = 900
TOP = {"target", "auth_enabled", "ballast_bytes", "server", "common", "distributor", "querier", "query_scheduler", "query_range", "frontend",
       "frontend_worker", "ruler", "ruler_storage", "ingester_client", "ingester", "index_gateway", "bloom_build", "bloom_gateway", "storage_config",
       "chunk_store_config", "schema_config", "compactor", "limits_config", "runtime_config", "memberlist", "analytics", "tracing", "table_manager",
       "pattern_ingester", "block_builder", "compactor_grpc_client", "ui", "operational_config", "shutdown_delay"}  # fmt: skip
DEFAULT_CONF = """auth_enabled: false

server:
  http_listen_port: 3100

common:
  instance_addr: 127.0.0.1
  path_prefix: /loki
  storage:
    filesystem:
      chunks_directory: /loki/chunks
      rules_directory: /loki/rules
  replication_factor: 1
  ring:
    kvstore:
      store: inmemory

schema_config:
  configs:
    - from: 2020-10-24
      store: tsdb
      object_store: filesystem
      schema: v13
      index:
        prefix: index_
        period: 24h
"""


def configure(proc: Process, sys: Sys) -> Data:
    """The configuration file and the flags. Raises ValueError."""
    flags = {word.lstrip("-").partition("=")[0]: word.partition("=")[2] for word in proc["argv"][1:] if word.startswith("-")}
    path = flags.get("config.file", "/etc/loki/local-config.yaml")
    try:
        text = sys.read_file(path)
    except Errno as error:
        raise ValueError(f"failed parsing config: open {path}: {error.text.lower()}") from None
    if flags.get("config.expand-env") in ("true", ""):
        text = re.sub(r"\$\{(\w+)(?::-?([^}]*))?\}", lambda found: proc["env"].get(found[1]) or found[2] or "", text)
    try:
        found = bounded_yaml.load(text) or {}
    except ValueError as error:
        raise ValueError(f"failed parsing config: {path}: yaml: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"failed parsing config: {path}: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str into loki.ConfigWrapper")
    wrong = [name for name in found if name not in TOP]
    if wrong:
        rows = [at for at, line in enumerate(text.splitlines(), 1) if line.startswith(f"{wrong[0]}:")]
        raise ValueError(f"failed parsing config: {path}: yaml: unmarshal errors:\n  line {rows[0] if rows else 1}: field {wrong[0]} not "
                         f"found in type "
                         "loki.ConfigWrapper")  # fmt: skip
    for section in ("server", "common", "limits_config", "schema_config"):
        if not isinstance(found.get(section) or {}, dict):
            raise ValueError(f"failed parsing config: {path}: yaml: unmarshal errors:\n  line 1: cannot unmarshal into {section}.Config")
    if not (found.get("schema_config") or {}).get("configs"):
        raise ValueError("validating config: invalid schema config: no schema config found: please provide at least one schema config")
    port = (found.get("server") or {}).get("http_listen_port", 80)  # dskit's server listens on 80 unless told otherwise
    limits = found.get("limits_config") or {}
    return {
        "port": int(port) if str(port).isdigit() else 3100,
        "auth": bool(found.get("auth_enabled", True)),
        "prefix": str((found.get("common") or {}).get("path_prefix") or "/loki"),
        "oldest": _milliseconds(limits.get("reject_old_samples_max_age", "7d")) if limits.get("reject_old_samples", True) else 0,
        "discover": limits.get("discover_service_name") != [] and version(sys).startswith("3"),
    }


def _milliseconds(text: Any) -> int:
    try:
        return logql_syntax.duration(str(text))
    except LogqlError as error:
        raise ValueError(f"failed parsing config: {error}") from None


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "conf" not in data:
        if any(word.lstrip("-") == "version" for word in proc["argv"][1:]):
            sys.out(f"loki, version {version(sys)} (branch: release, revision: 0000000)\n")
            return 0
        try:
            data["conf"] = configure(proc, sys)
        except ValueError as error:
            sys.err(f"{error}\n")
            return 1
        if any(word.lstrip("-").startswith("verify-config") for word in proc["argv"][1:]):
            log(sys, "info", "main.go:76", 'msg="config is valid"')
            return 0
        log(sys, "info", "main.go:126", f'msg="Starting Loki" version="(version={version(sys)}, branch=release, revision=0000000)"')
        directory = data["conf"]["prefix"]
        try:
            for path in (directory, f"{directory}/wal"):
                if sys.find(path) is None:
                    sys.mkdir(path)
            sys.write_file(f"{directory}/wal/entries", "", "a")
        except Errno as error:
            text = f"mkdir {directory}/wal: {error.text.lower()}"
            log(sys, "error", "log.go:223", f'msg="error running loki" err="{text}\\nerror initialising module: ingester"')
            return 1
        data["until"] = sys.now + START_MS
    if "listening" not in data:
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        port = data["conf"]["port"]
        try:
            listen_on(proc, sys, [port])
        except Errno as error:
            log(
                sys,
                "error",
                "log.go:223",
                f'msg="error running loki" err="listen tcp :{port}: bind: {error.text.lower()}\\nerror initialising module: server"',
            )
            return 1
        data["began"] = sys.now
        log(sys, "info", "server.go:351", f'msg="server listening on addresses" http=[::]:{port} grpc=[::]:9095')
        log(sys, "info", "loki.go:554", f'msg="Loki started" startup_time={START_MS}ms')
    return serve_http(proc, sys, answer)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        name = "terminated" if n == TERM else "interrupt"
        log(sys, "info", "signals.go:62", f'msg="=== received SIGINT/SIGTERM ===\\n*** exiting" signal={name}')
        log(sys, "info", "module_service.go:120", 'msg="module stopped" module=ingester')
        log(sys, "info", "loki.go:585", 'msg="Loki stopped"')
        sys.exit(0)
    return False


register(Program("loki", lambda proc, sys: run(proc, sys, None), run, on_signal, 48 * MEBIBYTE))
add(
    Image(
        "docker.io/grafana/loki",
        (
            "latest",
            "3.5.5",
            "3.5.3",
            "3.5.0",
            "3.5",
            "3.4.2",
            "3.4.0",
            "3.3.2",
            "3.3.0",
            "3.2.1",
            "3.1.1",
            "3.0.0",
            "2.9.10",
            "2.9.8",
            "2.9.4",
            "2.9.2",
            "2.9.0",
            "2.9.3",
            "2.8.0",
        ),
        base_tree(
            "alpine",
            {
                "usr": {"bin": {"loki": Entry(program="loki", size=111_000_000)}},
                "etc": {"loki": {"local-config.yaml": DEFAULT_CONF}},
                "loki": Entry(uid=10001, gid=10001, children={}),
            },
            users={"loki": 10001},
        ),
        48_220_115,
        entrypoint=("/usr/bin/loki",),
        cmd=("-config.file=/etc/loki/local-config.yaml",),
        env={"PATH": PATH},
        user="10001",
        ports=(3100,),
    )
)
