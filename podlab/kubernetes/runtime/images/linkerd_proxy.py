"""What a linkerd proxy does with a connection: out of its Pod over the endpoints of a Service, into its Pod to the port that was meant.

The process's data has {"identity", "root", "policy", "metrics": {line without value: count}, "breakers": {endpoint: {"fails", "until",
"penalty", "probing"}}}. HTTP is told from other bytes by its first line; other bytes pass through, over mTLS too. Balancing is by lot of
two and load (the proxy's EWMA is of latency); a balancer without an endpoint answers at once (the proxy waits 3 s before it fails fast).
"""

from __future__ import annotations

import re
from typing import Any

from ...objects import EMPTY, Map, dig
from ...times import clf_time, http_date
from .. import http, sockets, tls
from ..forwarding import Gateway
from ..http import text_answer
from ..process import ERRORS, Data

CONNECT_MS = 1_000  # LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT
MAX_FAILURES, MIN_PENALTY_MS, MAX_PENALTY_MS = 7, 1_000, 60_000  # balancer.linkerd.io/failure-accrual-consecutive-* by default
OPAQUE = ("25", "587", "3306", "4444", "5432", "6379", "9300", "11211")  # proxy.opaquePorts of the chart
CONTROL = "linkerd.io/control-plane-ns"
UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
REQUEST = re.compile(r"[A-Z]+ \S+ HTTP/1\.[01]\r?\n")
NAMES = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 403: "Forbidden"}


def identity_of(pod: Map | None) -> str:
    """The name in the certificate of a Pod's proxy."""
    if pod is None:
        return ""
    account = pod["spec"].get("serviceAccountName") or "default"
    control = dig(pod, "metadata.labels", EMPTY).get(CONTROL, "linkerd")
    return f"{account}.{pod['metadata']['namespace']}.serviceaccount.identity.{control}.cluster.local"


def duration(text: str) -> int | None:
    """`300ms`, `5s` in ms; None for what is none."""
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", text)
    return int(match[1]) * UNITS[match[2]] if match else None


class Linkerd(Gateway):
    """One turn of a linkerd proxy."""

    # ---- connections

    def accepted(self, fd: int, conn: Data) -> None:
        if conn["key"] == "admin":
            conn["mode"] = "http"
            return
        if conn["original"] is None:  # nothing redirected it: it was sent to the proxy's own port
            conn["original"] = list(conn["local"])
            self.close(fd, conn)
            return
        self.count("tcp_open_total", conn["key"])
        if conn["key"] == "outbound" and str(conn["original"][1]) in OPAQUE:
            self._outbound_bytes(fd, conn)

    def detect(self, fd: int, conn: Data) -> None:
        if conn["key"] == "inbound" and conn["tls"] is None and tls.is_hello(conn["buffer"]):
            if self.data["identity"] and tls.server_name(conn["buffer"]) == self.data["identity"]:
                session = conn["tls"] = tls.server()
                text, conn["buffer"] = conn["buffer"], ""
                conn["buffer"] = tls.feed(self.sys, fd, session, text, self.context(conn))
                return
        if REQUEST.match(conn["buffer"]):
            conn["mode"] = "http"
        elif "\n" in conn["buffer"] or len(conn["buffer"]) > 64 or not conn["buffer"][0].isupper():
            self._inbound_bytes(fd, conn) if conn["key"] == "inbound" else self._outbound_bytes(fd, conn)

    def context(self, conn: Data) -> Data:
        return {"name": self.data["identity"], "root": self.data["root"], "require": True}

    def upstream_context(self, owner: Data) -> Data | None:
        to = owner.get("identity")
        if not to:
            return None
        return {"name": self.data["identity"], "root": self.data["root"], "sni": to, "sans": [{"type": "DNS", "how": "exact", "text": to}]}

    def _client(self, conn: Data) -> str:
        return tls.identity(conn["tls"]["peer"]) if conn["tls"] and conn["tls"]["peer"] else ""

    def _allowed(self, conn: Data) -> bool:
        """The default policy; a node may always ask its own Pods (probes)."""
        if not self.data["policy"].endswith("-authenticated") and self.data["policy"] != "deny":
            return True
        network = sockets.network(self.sys)
        node = network.routes.node_at(conn["peer"][0])
        return node == network.node_of(self.sys.kernel) or (self.data["policy"] != "deny" and bool(self._client(conn)))

    def _inbound_bytes(self, fd: int, conn: Data) -> None:
        if not self._allowed(conn):
            self.close(fd, conn)
            return
        self.pipe(conn, conn["original"], CONNECT_MS, fd)

    def _outbound_bytes(self, fd: int, conn: Data) -> None:
        found = self._endpoints(conn["original"])
        if not found:
            self.close(fd, conn)
            return
        host = found[self.sys.random(len(found))]
        conn["identity"] = self._identity_at(host)
        self.pipe(conn, list(host), CONNECT_MS, fd)

    # ---- what the destination controller would tell

    def _service(self, original: list[Any]) -> tuple[Map | None, Map | None]:
        """(Service, its port) of an address and port."""
        service = sockets.network(self.sys).routes.service_at(original[0])
        if service is None:
            return None, None
        return service, next((one for one in service["spec"].get("ports") or () if one["port"] == original[1]), None)

    def _endpoints(self, original: list[Any]) -> list[tuple[str, int]]:
        service, port = self._service(original)
        if service is None:
            return [(original[0], original[1])]
        if port is None:
            return []
        return [(address, number) for address, number, _ in sockets.network(self.sys).routes.backends(service, port)]

    def _identity_at(self, host: tuple[str, int]) -> str:
        """The identity to expect at an endpoint; "": it is not meshed, or the port is left out of the mesh."""
        network = sockets.network(self.sys)
        held = network.state["hosts"].get(host[0])
        pod = network.routes.pod(held[0]) if held else None
        if pod is None or not self.data["identity"] or CONTROL not in dig(pod, "metadata.labels", EMPTY):
            return ""
        skipped = dig(pod, "metadata.annotations", EMPTY).get("config.linkerd.io/skip-inbound-ports", "")
        return "" if str(host[1]) in skipped.replace(" ", "").split(",") else identity_of(pod)

    # ---- requests

    def begin(self, fd: int, conn: Data, message: http.Message) -> None:
        headers = [(name, value) for name, value in message.headers if not name.lower().startswith("l5d-")]
        rq = self.new_request(conn, http.Message(message.start, headers, message.body), identity="", retries=0, host="", policy={}, service="")
        if conn["key"] == "admin":
            self.answer(fd, conn, self._admin(message))
            return
        if conn["key"] == "inbound":
            if not self._allowed(conn):
                self._fail(fd, conn, rq, 403, "unauthorized request on route")
                return
            extra = [("l5d-client-id", self._client(conn))] if self._client(conn) else []
            self.attempt(fd, rq, conn["original"], self._onward(rq, extra), CONNECT_MS, None)
            return
        service, _ = self._service(conn["original"])
        if service is not None:
            rq["service"] = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local:{conn['original'][1]}"
            rq["policy"] = _policy(dig(service, "metadata.annotations", EMPTY))
        limit = rq["policy"].get("request")
        rq["due"] = self.sys.now + limit if limit else None
        self._balance(fd, conn, rq)

    def _balance(self, fd: int, conn: Data, rq: Data) -> None:
        hosts = [host for host in self._endpoints(conn["original"]) if self._closed(rq, host)]
        if not hosts:
            self._fail(fd, conn, rq, 503, f"logical service {rq['service'] or ':'.join(map(str, conn['original']))}: service in fail-fast")
            return
        pair = [hosts[self.sys.random(len(hosts))] for _ in range(2)]
        host = min(pair, key=self._active)
        rq["host"] = f"{host[0]}:{host[1]}"
        rq["identity"] = self._identity_at(host)
        breaker = self.data["breakers"].get(rq["host"])
        if breaker is not None and breaker["until"]:
            breaker["probing"] = True
        self.count("request_total", "outbound", rq)
        self.attempt(fd, rq, list(host), self._onward(rq, []), CONNECT_MS, rq["policy"].get("try"))

    def _active(self, host: tuple[str, int]) -> int:
        requests = [conn["rq"] for conn in self.data["down"].values() if conn["rq"] is not None]
        return sum(rq["try"] is not None and rq["try"]["host"] == list(host) for rq in requests)

    def _onward(self, rq: Data, extra: list[tuple[str, str]]) -> http.Message:
        headers = [(name, value) for name, value in rq["head"][1] if name.lower() not in ("connection", "keep-alive")]
        return http.Message(rq["head"][0], [*headers, *extra], rq["head"][2])

    def due(self, fd: int, conn: Data, rq: Data) -> None:
        self._balance(fd, conn, rq)

    def ended(self, fd: int, conn: Data, rq: Data, kind: str, message: http.Message | None, detail: str) -> None:
        inbound = conn["key"] == "inbound"
        status = message.status if message is not None else 504 if "timeout" in kind else 502 if inbound else 503
        if not inbound:
            self._judge(rq, status)
            if kind != "timeout" and rq["retries"] < rq["policy"].get("limit", 0) and _retried(rq["policy"], status):
                rq["retries"] += 1
                self.count("response_total", "outbound", rq, status)
                rq["until"] = self.sys.now
                return
        if message is None:
            words = {"connect": f"{ERRORS.get(detail, detail)} (os error 111)", "timeout": "request timed out", "try-timeout": "response timed out"}
            self._fail(fd, conn, rq, status, words.get(kind, f"{kind}: {detail}" if detail else kind))
            return
        headers = [(name, value) for name, value in message.headers if name.lower() not in ("connection", "keep-alive", "transfer-encoding")]
        if message.status not in (204, 304) and not message.get("Content-Length"):
            headers.append(("content-length", str(http.size(message.body))))
        self._respond(fd, conn, rq, http.Message(message.start, headers, message.body))

    def _fail(self, fd: int, conn: Data, rq: Data, status: int, why: str) -> None:
        headers = [("l5d-proxy-error", why), ("content-length", "0"), ("date", http_date(self.sys.now))]
        self._respond(fd, conn, rq, http.Message(f"HTTP/1.1 {status} {NAMES[status]}", headers))

    def _respond(self, fd: int, conn: Data, rq: Data, message: http.Message) -> None:
        if conn["key"] == "inbound":
            rq["identity"] = self._client(conn)
            self.count("request_total", "inbound", rq)
        self.count("response_total", conn["key"], rq, message.status)
        if conn["key"] == "inbound" and self.data["log"] == "apache":
            who = f"{conn['peer'][0]}:{conn['peer'][1]} {self._client(conn) or '-'}"
            self.sys.err(f'{who} - [{clf_time(self.sys.now)}] "{rq["head"][0]}" {message.status} {http.size(message.body)}\n')
        self.answer(fd, conn, message)

    # ---- circuit breaking: balancer.linkerd.io/failure-accrual: consecutive

    def _closed(self, rq: Data, host: tuple[str, int]) -> bool:
        """Whether an endpoint may be tried: its breaker is closed, or its penalty is over and nobody else is trying."""
        breaker = self.data["breakers"].get(f"{host[0]}:{host[1]}")
        if "failures" not in rq["policy"] or breaker is None or not breaker["until"]:
            return True
        return self.sys.now >= breaker["until"] and not breaker["probing"]

    def _judge(self, rq: Data, status: int) -> None:
        if "failures" not in rq["policy"] or not rq["host"]:
            return
        breakers = self.data["breakers"]
        if status < 500:
            breakers.pop(rq["host"], None)
            return
        breaker = breakers.setdefault(rq["host"], {"fails": 0, "until": 0, "penalty": rq["policy"]["min"], "probing": False})
        breaker["fails"] += 1
        if breaker["fails"] >= rq["policy"]["failures"]:
            breaker.update(until=self.sys.now + breaker["penalty"], penalty=min(breaker["penalty"] * 2, rq["policy"]["max"]), probing=False)

    def dropped(self, fd: int, conn: Data, rq: Data) -> None:
        if rq["host"] in self.data["breakers"]:
            self.data["breakers"][rq["host"]]["probing"] = False

    # ---- metrics and the admin port

    def count(self, metric: str, direction: str, rq: Data | None = None, status: int = 0) -> None:
        labels = [f'direction="{direction}"']
        if rq is not None:
            labels += [f'authority="{rq["service"]}"'] if rq["service"] else []
            labels.append(f'tls="{"true" if rq["identity"] else "no_identity"}"')
            who = "client_id" if direction == "inbound" else "server_id"
            labels += [f'{who}="{rq["identity"]}"'] if rq["identity"] else []
        if status:
            labels += [f'status_code="{status}"', f'classification="{"failure" if status >= 500 else "success"}"']
        line = f"{metric}{{{','.join(labels)}}}"
        metrics: dict[str, int] = self.data["metrics"]
        if line in metrics or len(metrics) < 500:
            metrics[line] = metrics.get(line, 0) + 1

    def _admin(self, request: http.Message) -> http.Message:
        if request.path == "/ready":
            return text_answer("ready\n") if self.data["identity"] else text_answer("not ready\n", 503)
        if request.path == "/live":
            return text_answer("live\n")
        if request.path == "/shutdown":
            if request.method != "POST":
                return text_answer("", 405)
            self.data["quit"] = True
            return text_answer("shutdown\n")
        if request.path != "/metrics":
            return text_answer("", 404)
        lines = [*sorted(self.data["metrics"].items()), ("process_start_time_seconds", self.data["began"] // 1000)]
        families = dict.fromkeys(line.partition("{")[0] for line, _ in lines)
        kinds = {family: "gauge" if family.startswith("process") else "counter" for family in families}
        return text_answer("".join(f"# TYPE {family} {kinds[family]}\n" + "".join(f"{line} {value}\n" for line, value in lines
                                   if line.partition("{")[0] == family) for family in families), kind="text/plain")  # fmt: skip


def _policy(annotations: Map) -> Data:
    """What a Service's annotations ask for: {"limit", "on", "try", "request", "failures", "min", "max"}; times in ms."""
    found: Data = {}
    if annotations.get("retry.linkerd.io/http"):
        limit = annotations.get("retry.linkerd.io/limit", "1")
        found.update(on=annotations["retry.linkerd.io/http"], limit=int(limit) if limit.isdigit() else 1)
    for name, key in (("retry.linkerd.io/timeout", "try"), ("timeout.linkerd.io/request", "request"), ("timeout.linkerd.io/response", "try")):
        given = duration(annotations.get(name, ""))
        if given:
            found[key] = given
    if annotations.get("balancer.linkerd.io/failure-accrual") == "consecutive":
        prefix = "balancer.linkerd.io/failure-accrual-consecutive-"
        failures = annotations.get(prefix + "max-failures", "")
        found["failures"] = int(failures) if failures.isdigit() else MAX_FAILURES
        found["min"] = duration(annotations.get(prefix + "min-penalty", "")) or MIN_PENALTY_MS
        found["max"] = duration(annotations.get(prefix + "max-penalty", "")) or MAX_PENALTY_MS
    return found


def _retried(policy: Data, status: int) -> bool:
    """retry.linkerd.io/http: 5xx, gateway-error, or codes and ranges with commas between."""
    for part in policy.get("on", "").replace(" ", "").split(","):
        if part == "5xx" and status >= 500:
            return True
        if part == "gateway-error" and 502 <= status <= 504:
            return True
        low, _, high = part.partition("-")
        if low.isdigit() and int(low) <= status <= int(high if high.isdigit() else low):
            return True
    return False
