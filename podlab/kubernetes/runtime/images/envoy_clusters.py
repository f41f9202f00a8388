"""Envoy's clusters: where their hosts come from, which one gets a request, what its breakers allow, and who is ejected.

`proc["data"]["clusters"]` has {name: {"config", "hosts": {"10.244.0.5:8080": host}, "turn", "resolved" ms, "began" ms}}; a host is
{"address": [address, port], "name", "fails", "gateway", "ejected" ms or None, "until" ms, "times", "since" ms, "healthy", "passed",
"missed", "total", "success", "error"}. Nothing here runs on a timer unless health checks are configured: names are looked up again when a
request comes and dns_refresh_rate has passed, and an ejection's end is worked out when somebody looks.
Source: the pages on load balancing, outlier detection and circuit breaking of Envoy's documentation (intro/arch_overview/upstream).
"""

from __future__ import annotations

import json
from typing import Any

from ...times import stamp
from .. import dns, http, sockets
from ..process import Data, Process
from ..system import Sys
from . import envoy_log
from .envoy_config import address

CONNECT_MS = 5_000  # connect_timeout's default
REFRESH_MS = 5_000  # dns_refresh_rate's default
THRESHOLDS = {"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024, "max_retries": 3}
PANIC_PERCENT = 50.0  # healthy_panic_threshold's default
CONSECUTIVE, INTERVAL_MS, BASE_MS, LONGEST_MS, MOST_PERCENT = 5, 10_000, 30_000, 300_000, 10  # outlier_detection's defaults
NO_TRAFFIC_MS = 60_000  # no_traffic_interval's default


def new_host(found: tuple[str, int], name: str, now: int, weight: int = 1) -> Data:
    return {
        "address": list(found), "name": name, "weight": weight, "fails": 0, "gateway": 0, "ejected": None, "until": 0, "times": 0, "since": now,
        "healthy": True, "passed": 0, "missed": 0, "total": 0, "success": 0, "error": 0,
    }  # fmt: skip


class Clusters:
    """The clusters of one Envoy, in one turn."""

    def __init__(self, proc: Process, sys: Sys) -> None:
        self.sys = sys
        self.data: Data = proc["data"]
        self.all: dict[str, Data] = self.data["clusters"]
        self.stats: dict[str, int] = self.data["stats"]

    def count(self, name: str, stat: str, by: int = 1) -> None:
        key = f"cluster.{name}.{stat}"
        self.stats[key] = self.stats.get(key, 0) + by

    # ---- hosts

    def hosts(self, name: str) -> dict[str, Data]:
        """The hosts of a cluster as of now."""
        cluster = self.all[name]
        config = cluster["config"]
        kind = config.get("type", "STATIC")
        if kind in ("STRICT_DNS", "LOGICAL_DNS") and self.sys.now - cluster["resolved"] >= config.get("dns_refresh_rate", REFRESH_MS):
            self._resolve(name, cluster, kind)
        for host in cluster["hosts"].values():
            self._unejected(name, host)
        found: dict[str, Data] = cluster["hosts"]
        return found

    def _resolve(self, name: str, cluster: Data, kind: str) -> None:
        cluster["resolved"] = self.sys.now
        found: dict[str, Data] = {}
        for target, port, weight in endpoints(cluster["config"]):
            self.count(name, "update_attempt")
            addresses = sockets.resolve(self.sys, target)[1]
            self.count(name, "update_success" if addresses else "update_empty")
            for one in addresses if kind == "STRICT_DNS" else addresses[:1]:
                key = f"{one}:{port}"
                found[key] = cluster["hosts"].get(key) or new_host((one, port), "" if dns.is_address(target) else target, self.sys.now, weight)
        if list(found) != list(cluster["hosts"]):
            self.count(name, "membership_change")
        cluster["hosts"] = found

    def pick(self, name: str, original: list[Any] | None) -> Data | None:
        """The host that gets the next request; None: no healthy one."""
        cluster = self.all[name]
        if cluster["config"].get("type") == "ORIGINAL_DST":
            if original is None:
                return None
            key = f"{original[0]}:{original[1]}"
            found: Data = cluster["hosts"].setdefault(key, new_host((original[0], original[1]), "", self.sys.now))
            while len(cluster["hosts"]) > 64:  # hosts of past requests go, as at cleanup_interval
                del cluster["hosts"][next(iter(cluster["hosts"]))]
            return found
        hosts = list(self.hosts(name).values())
        healthy = [host for host in hosts if is_healthy(host)]
        threshold = cluster["config"].get("common_lb_config", {}).get("healthy_panic_threshold", {}).get("value", PANIC_PERCENT)
        if hosts and len(healthy) * 100 < threshold * len(hosts):
            self.count(name, "lb_healthy_panic")
            healthy = hosts
        if not healthy:
            self.count(name, "upstream_cx_none_healthy")
            return None
        wheel = [host for host in healthy for _ in range(max(1, min(host["weight"], 100)))]
        policy = cluster["config"].get("lb_policy", "ROUND_ROBIN")
        if policy == "RANDOM":
            lot: Data = wheel[self.sys.random(len(wheel))]
            return lot
        if policy == "LEAST_REQUEST" and len(wheel) > 1:
            pair = [wheel[self.sys.random(len(wheel))] for _ in range(2)]
            return min(pair, key=lambda host: self._active_at(host["address"]))
        cluster["turn"] += 1
        turn: Data = wheel[(cluster["turn"] - 1) % len(wheel)]
        return turn

    def _active_at(self, host: list[Any]) -> int:
        return sum(rq["try"] is not None and rq["try"]["host"] == host for rq in self._requests())

    def _requests(self) -> list[Data]:
        return [conn["rq"] for conn in self.data["down"].values() if conn["rq"] is not None]

    # ---- circuit breakers

    def thresholds(self, name: str) -> Data:
        given = self.all[name]["config"].get("circuit_breakers", {}).get("thresholds", [])
        mine: Data = next((one for one in given if one.get("priority", "DEFAULT") == "DEFAULT"), {})
        return {**THRESHOLDS, **mine}

    def load(self, name: str) -> Data:
        """{"connections", "active", "pending", "retries"} of a cluster at this moment."""
        mine = [rq for rq in self._requests() if rq.get("cluster") == name]
        tried = [rq for rq in mine if rq["try"] is not None]
        sent = sum(rq["try"]["state"] == "sent" for rq in tried)
        queued = sum(rq["queued"] for rq in mine)
        raw = sum(conn["up"] is not None and conn.get("cluster") == name for conn in self.data["down"].values())
        retries = sum(rq["retries"] > 0 and (rq["try"] is not None or rq["until"] is not None) for rq in mine)
        return {"connections": len(tried) + raw, "active": sent, "pending": len(tried) - sent + queued, "queued": queued, "retries": retries}

    def admits(self, name: str) -> str:
        """ "go", "wait" (for a connection), or "overflow"."""
        limits, load = self.thresholds(name), self.load(name)
        if load["pending"] >= limits["max_pending_requests"] or load["active"] + load["pending"] >= limits["max_requests"]:
            return "overflow"
        return "go" if load["connections"] < limits["max_connections"] else "wait"

    # ---- outlier detection

    def outcome(self, name: str, host: Data, status: int) -> None:
        """What a host has answered (503 or 504 where it has not) counts for or against it."""
        cluster = self.all[name]
        config = cluster["config"]
        host["total"] += 1
        host["error" if status >= 500 else "success"] += 1
        host["fails"] = host["fails"] + 1 if status >= 500 else 0
        host["gateway"] = host["gateway"] + 1 if status in (502, 503, 504) else 0
        given = config.get("outlier_detection")
        if given is None or host["ejected"] is not None:
            return
        for kind, count, limit, enforced in (
            ("consecutive_5xx", host["fails"], given.get("consecutive_5xx", CONSECUTIVE), given.get("enforcing_consecutive_5xx", 100)),
            ("consecutive_gateway_failure", host["gateway"], given.get("consecutive_gateway_failure", CONSECUTIVE),
             given.get("enforcing_consecutive_gateway_failure", 0)),
        ):  # fmt: skip
            if not limit or count < limit or host["ejected"] is not None:
                continue
            self.count(name, f"outlier_detection.ejections_detected_{kind}")
            if enforced and self.sys.random(100) < enforced:
                self._eject(name, cluster, host, kind)

    def _eject(self, name: str, cluster: Data, host: Data, kind: str) -> None:
        given, now = cluster["config"]["outlier_detection"], self.sys.now
        hosts = cluster["hosts"]
        out = sum(one["ejected"] is not None for one in hosts.values())
        most = max(1, len(hosts) * given.get("max_ejection_percent", MOST_PERCENT) // 100)
        if out >= most:
            self.count(name, "outlier_detection.ejections_overflow")
            return
        interval = given.get("interval", INTERVAL_MS) or INTERVAL_MS
        host["times"] = max(0, host["times"] - (now - host["since"]) // interval) + 1
        base, longest = given.get("base_ejection_time", BASE_MS), given.get("max_ejection_time", LONGEST_MS)
        end = now + min(base * host["times"], max(base, longest))
        ticks = -(-(end - cluster["began"]) // interval)  # hosts come back when the detector next looks
        host.update(ejected=now, until=cluster["began"] + ticks * interval, fails=0, gateway=0)
        for stat in ("ejections_enforced_total", f"ejections_enforced_{kind}", "ejections_total"):
            self.count(name, "outlier_detection." + stat)
        pod = self.sys.sandbox
        facts = {"cluster": name, "host": ":".join(map(str, host["address"])), "seconds": (host["until"] - now) // 1000}
        sockets.network(self.sys).note("proxy-host-ejected", facts, f"pods/{pod['namespace']}/{pod['name']}")
        self._event(name, host, "EJECT", kind.upper(), now)

    def _unejected(self, name: str, host: Data) -> None:
        if host["ejected"] is not None and self.sys.now >= host["until"]:
            self._event(name, host, "UNEJECT", "CONSECUTIVE_5XX", host["until"])
            host.update(ejected=None, since=host["until"], fails=0, gateway=0)

    def _event(self, name: str, host: Data, action: str, kind: str, at: int) -> None:
        """A line of the outlier detection's own log, where the bootstrap asks for one."""
        path = self.data["config"].get("cluster_manager", {}).get("outlier_detection", {}).get("event_log_path")
        if not path:
            return
        told = {
            "type": kind,
            "cluster_name": name,
            "upstream_url": ":".join(map(str, host["address"])),
            "action": action,
            "num_ejections": host["times"],
            "enforced": True,
            "eject_consecutive_event": {},
            "timestamp": stamp(at, "%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        }
        envoy_log.put(self.data, self.sys, path, json.dumps(told, separators=(",", ":")) + "\n")

    # ---- health checks

    def timers(self) -> list[int]:
        """When the next health checks are due."""
        return [at for cluster in self.all.values() for at in cluster.get("checks", {}).values()]

    def due_checks(self) -> list[tuple[str, str, Data, http.Message]]:
        """(cluster, host's key, host, request) of each check whose time has come; their next time is set when they have ended."""
        found = []
        for name, cluster in self.all.items():
            if "checks" not in cluster:
                continue
            given = cluster["config"]["health_checks"][0]
            hosts = self.hosts(name)
            cluster["checks"] = {key: at for key, at in cluster["checks"].items() if key in hosts}
            for key, host in hosts.items():
                if key not in cluster["checks"] and f"{name}|{key}" not in self.data["checks"]:
                    cluster["checks"][key] = self.sys.now
                    host["healthy"] = False
                if cluster["checks"].get(key, self.sys.now + 1) <= self.sys.now:
                    del cluster["checks"][key]
                    test = given.get("http_health_check", {"path": "/"})
                    message = http.request("GET", test["path"], test.get("host") or name, [("user-agent", "Envoy/HC")])
                    found.append((name, key, host, message))
        return found

    def checked(self, name: str, key: str, ok: bool) -> None:
        cluster = self.all[name]
        given, host = cluster["config"]["health_checks"][0], cluster["hosts"].get(key)
        self.count(name, "health_check.attempt")
        self.count(name, "health_check." + ("success" if ok else "failure"))
        if host is None:
            return
        first = host["passed"] + host["missed"] == 0
        host["passed"], host["missed"] = (host["passed"] + 1, 0) if ok else (0, host["missed"] + 1)
        if ok and (first or host["passed"] >= given["healthy_threshold"]):
            host["healthy"] = True
        if not ok and (first or host["missed"] >= given["unhealthy_threshold"]):
            host["healthy"] = False
        busy = self.stats.get(f"cluster.{name}.upstream_rq_total", 0)
        cluster["checks"][key] = self.sys.now + (given["interval"] if busy else given.get("no_traffic_interval", NO_TRAFFIC_MS))


def is_healthy(host: Data) -> bool:
    return host["ejected"] is None and bool(host["healthy"])


def endpoints(config: Data) -> list[tuple[str, int, int]]:
    """(address or name, port, weight) of each endpoint in a cluster's load_assignment."""
    found = []
    for locality in config.get("load_assignment", {}).get("endpoints", []):
        for one in locality.get("lb_endpoints", []):
            target, port = address(one["endpoint"].get("address", {}))
            found.append((target, port, one.get("load_balancing_weight", 1)))
    return found
