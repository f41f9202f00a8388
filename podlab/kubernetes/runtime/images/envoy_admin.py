"""Envoy's administration interface: statistics, clusters, listeners, readiness.

Source: the page on the administration interface of Envoy's documentation (operations/admin).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ...times import stamp
from .. import http
from ..http import text_answer
from ..linear import TooComplex, compiled
from ..process import Data
from ..serving import query
from .envoy_clusters import is_healthy
from .envoy_schema import HCM

if TYPE_CHECKING:
    from .envoy_requests import Envoy

PATHS = {
    "/": "Admin home page", "/certs": "print certs on machine", "/clusters": "upstream cluster status", "/config_dump": "dump current Envoy configs",
    "/healthcheck/fail (POST)": "cause the server to fail health checks", "/healthcheck/ok (POST)": "cause the server to pass health checks",
    "/help": "print out list of admin commands", "/listeners": "print listener info", "/quitquitquit (POST)": "exit the server",
    "/ready": "print server state, return 200 if LIVE, otherwise return 503", "/reset_counters (POST)": "reset all counters to zero",
    "/server_info": "print server version/status information", "/stats": "print server stats",
    "/stats/prometheus": "print server stats in prometheus format",
}  # fmt: skip
MUTATING = ("/healthcheck/fail", "/healthcheck/ok", "/quitquitquit", "/reset_counters", "/drain_listeners", "/logging")
CLUSTER_STATS = (
    "upstream_cx_total", "upstream_cx_connect_fail", "upstream_cx_connect_timeout", "upstream_cx_overflow", "upstream_cx_none_healthy",
    "upstream_rq_total",
    "upstream_rq_completed", "upstream_rq_pending_total", "upstream_rq_pending_overflow", "upstream_rq_retry", "upstream_rq_retry_success",
    "upstream_rq_retry_limit_exceeded", "upstream_rq_retry_overflow", "upstream_rq_timeout", "upstream_rq_per_try_timeout", "lb_healthy_panic",
    "membership_change", "ssl.connection_error",
)  # fmt: skip
OUTLIER_STATS = ("ejections_detected_consecutive_5xx", "ejections_enforced_consecutive_5xx", "ejections_enforced_total", "ejections_overflow")
HTTP_STATS = (
    "downstream_rq_total",
    "downstream_rq_2xx",
    "downstream_rq_4xx",
    "downstream_rq_5xx",
    "downstream_cx_total",
    "no_route",
    "rq_direct_response",
)


def answer_admin(envoy: Envoy, request: http.Message) -> http.Message:
    """The answer to one request at the admin address."""
    path, data = request.path, envoy.data
    if path in MUTATING and request.method != "POST":
        return _text("Method Not Allowed", 405)
    if path in ("/stats", "/stats/prometheus"):
        return _stats(envoy, request)
    if path == "/clusters":
        return _text(_clusters(envoy))
    if path == "/listeners":
        return _text("".join(f"{one.get('name') or key}::{key}\n" for key, one in data["listeners"].items()))
    if path == "/ready":
        return _text("DRAINING\n", 503) if data["failing"] else _text("LIVE\n")
    if path == "/server_info":
        return _json({"version": f"{data['hash']}/{data['version']}/Clean/RELEASE/BoringSSL", "state": "DRAINING" if data["failing"] else "LIVE",
                      "hot_restart_version": "disabled", "command_line_options": {"config_path": data["path"], "concurrency": 2, "base_id": "0"},
                      "uptime_current_epoch": f"{_uptime(envoy)}s", "uptime_all_epochs": f"{_uptime(envoy)}s"})  # fmt: skip
    if path == "/config_dump":
        bootstrap = {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": data["config"]}
        return _json({"configs": [{**bootstrap, "last_updated": stamp(data["began"], "%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}]})
    if path == "/certs":
        return _json({"certificates": [{"name": name} for name in data["tls"]]})
    if path in ("/healthcheck/fail", "/healthcheck/ok"):
        data["failing"] = path == "/healthcheck/fail"
        return _text("OK\n")
    if path == "/reset_counters":
        data["stats"].clear()
        return _text("OK\n")
    if path == "/quitquitquit":
        data["quit"] = True
        return _text("OK\n")
    if path in ("/", "/help"):
        return _text("admin commands are:\n" + "".join(f"  {name}: {words}\n" for name, words in PATHS.items()))
    return _text(f"invalid path. admin commands are:\n{''.join(f'  {name}: {words}{chr(10)}' for name, words in PATHS.items())}", 404)


def _text(body: str, status: int = 200) -> http.Message:
    headers = [("cache-control", "no-cache, max-age=0"), ("x-content-type-options", "nosniff"), ("server", "envoy")]
    return text_answer(body, status, "text/plain; charset=UTF-8", headers)


def _json(body: Any) -> http.Message:
    return text_answer(json.dumps(body, indent=1) + "\n", 200, "application/json", [("server", "envoy")])


def _uptime(envoy: Envoy) -> int:
    return (envoy.sys.now - int(envoy.data["began"])) // 1000


def gauges(envoy: Envoy) -> dict[str, int]:
    """What is measured when asked: sizes, loads, breakers (1: open, nothing more is let through)."""
    found: dict[str, int] = {"server.live": int(not envoy.data["failing"]), "server.uptime": _uptime(envoy)}
    for name in envoy.clusters.all:
        hosts = list(envoy.clusters.hosts(name).values())
        load, limits = envoy.clusters.load(name), envoy.clusters.thresholds(name)
        values = {
            "membership_total": len(hosts), "membership_healthy": sum(is_healthy(host) for host in hosts), "upstream_rq_active": load["active"],
            "upstream_cx_active": load["connections"], "upstream_rq_pending_active": load["pending"],
            "circuit_breakers.default.cx_open": int(load["connections"] >= limits["max_connections"]),
            "circuit_breakers.default.rq_open": int(load["active"] >= limits["max_requests"]),
            "circuit_breakers.default.rq_pending_open": int(load["pending"] >= limits["max_pending_requests"]),
            "circuit_breakers.default.rq_retry_open": int(load["retries"] >= limits["max_retries"]),
        }  # fmt: skip
        if "outlier_detection" in envoy.clusters.all[name]["config"]:
            values["outlier_detection.ejections_active"] = sum(host["ejected"] is not None for host in hosts)
        found.update({f"cluster.{name}.{stat}": value for stat, value in values.items()})
    return found


def all_stats(envoy: Envoy) -> dict[str, tuple[str, int]]:
    """{name: (counter or gauge, value)}, by name; counters that have not moved are there too."""
    zeros = [f"cluster.{name}.{stat}" for name in envoy.clusters.all for stat in CLUSTER_STATS]
    for name, cluster in envoy.clusters.all.items():
        if "outlier_detection" in cluster["config"]:
            zeros += [f"cluster.{name}.outlier_detection.{stat}" for stat in OUTLIER_STATS]
    for listener in envoy.data["listeners"].values():
        for chain in listener["filter_chains"]:
            manager = chain["filters"][-1]["typed_config"]
            if manager["@type"] == HCM:
                zeros += [f"http.{manager['stat_prefix']}.{stat}" for stat in HTTP_STATS]
    counters = {**dict.fromkeys(zeros, 0), **envoy.data["stats"]}
    found = {name: ("counter", value) for name, value in counters.items()}
    found.update({name: ("gauge", value) for name, value in gauges(envoy).items()})
    return dict(sorted(found.items()))


def _stats(envoy: Envoy, request: http.Message) -> http.Message:
    wanted = query(request)
    found = all_stats(envoy)
    if wanted.get("filter"):
        try:
            pattern = compiled(wanted["filter"])
            found = {name: one for name, one in found.items() if pattern.search(name)}
        except (re.error, TooComplex):
            return _text("Invalid re2 regex", 400)
    if "usedonly" in wanted:
        found = {name: one for name, one in found.items() if one[1]}
    if request.path == "/stats/prometheus" or wanted.get("format") == "prometheus":
        return _text(prometheus(found))
    if wanted.get("format") == "json":
        return _json({"stats": [{"name": name, "value": value} for name, (_, value) in found.items()]})
    return _text("".join(f"{name}: {value}\n" for name, (_, value) in found.items()))


def prometheus(found: dict[str, tuple[str, int]]) -> str:
    """Envoy's names with their tags drawn out: clusters, connection managers, listeners, response codes."""
    families: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for name, (kind, value) in found.items():
        labels: list[str] = []
        first, _, rest = name.partition(".")
        if first in ("cluster", "http", "tcp", "listener"):
            tag, _, stat = rest.rpartition(".")
            for group in ("circuit_breakers.default", "outlier_detection", "ssl", "health_check"):
                if tag.endswith("." + group):
                    tag, stat = tag.removesuffix("." + group), f"{group}.{stat}"
            label = {"cluster": "envoy_cluster_name", "http": "envoy_http_conn_manager_prefix", "tcp": "envoy_tcp_prefix",
                     "listener": "envoy_listener_address"}[first]  # fmt: skip
            labels.append(f'{label}="{tag}"')
            code = re.fullmatch(r"(upstream_rq|downstream_rq)_(\d\d\d|\dxx)", stat)
            if code is not None:
                stat = code[1] + ("_xx" if code[2].endswith("xx") else "")
                labels.insert(0, f'envoy_response_code_class="{code[2][0]}"' if code[2].endswith("xx") else f'envoy_response_code="{code[2]}"')
            rest = stat
        family = f"envoy_{first}_{rest}".replace(".", "_")
        kinds[family] = kind
        families.setdefault(family, []).append(f"{family}{{{','.join(labels)}}} {value}\n")
    return "".join(f"# TYPE {family} {kinds[family]}\n{''.join(lines)}\n" for family, lines in sorted(families.items()))


def _clusters(envoy: Envoy) -> str:
    out = []
    for name, cluster in envoy.clusters.all.items():
        limits, config = envoy.clusters.thresholds(name), cluster["config"]
        out.append(f"{name}::observability_name::{name}\n")
        if "outlier_detection" in config:
            out.append(f"{name}::outlier::success_rate_average::-1\n{name}::outlier::success_rate_ejection_threshold::-1\n")
        for priority in ("default_priority", "high_priority"):
            mine = (
                limits
                if priority == "default_priority"
                else {"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024, "max_retries": 3}
            )
            for key in ("max_connections", "max_pending_requests", "max_requests", "max_retries"):
                out.append(f"{name}::{priority}::{key}::{mine[key]}\n")
        out.append(f"{name}::added_via_api::false\n")
        for key, host in envoy.clusters.hosts(name).items():
            out += [f"{name}::{key}::{stat}::{value}\n" for stat, value in _host(envoy, host).items()]
    return "".join(out)


def _host(envoy: Envoy, host: Data) -> Data:
    flags = ("/failed_outlier_check" if host["ejected"] is not None else "") + ("" if host["healthy"] else "/failed_active_hc")
    return {
        "cx_active": envoy.clusters._active_at(host["address"]), "cx_connect_fail": 0, "cx_total": host["total"],
        "rq_active": envoy.clusters._active_at(host["address"]), "rq_error": host["error"], "rq_success": host["success"], "rq_timeout": 0,
        "rq_total": host["total"], "hostname": host["name"], "health_flags": flags or "healthy", "weight": host["weight"], "region": "", "zone": "",
        "sub_zone": "", "canary": "false", "priority": 0, "success_rate": -1, "local_origin_success_rate": -1,
    }  # fmt: skip
