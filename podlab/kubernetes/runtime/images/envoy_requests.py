"""Envoy at work: listeners' filter chains, HTTP connection managers, the router with its tries, and TCP proxies.

Source: the pages on the router filter (its answers and headers), on response flags and on circuit breaking of Envoy's documentation.
The file is long because it is the life of one request, from the connection accepted to its line in the access log: each step calls the next.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ...times import http_date
from .. import http, tls, x509
from ..forwarding import Gateway
from ..process import ERRORS, Data, Process
from ..system import Sys
from . import envoy_log, envoy_routes
from .envoy_admin import answer_admin
from .envoy_clusters import CONNECT_MS, Clusters
from .envoy_schema import FAULT, HCM

ROUTE_MS = 15_000  # a route's timeout by default
BACK_OFF_MS = 25  # retry_back_off.base_interval by default; the longest is ten times as much
TLS_CODES = {  # BoringSSL packs its library (16) and a reason into one number
    "CERTIFICATE_VERIFY_FAILED": 125, "HTTP_REQUEST": 156, "PEER_DID_NOT_RETURN_A_CERTIFICATE": 192, "WRONG_VERSION_NUMBER": 247,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": 1040, "SSLV3_ALERT_BAD_CERTIFICATE": 1042, "SSLV3_ALERT_CERTIFICATE_EXPIRED": 1045,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": 1046, "TLSV1_ALERT_UNKNOWN_CA": 1048, "TLSV1_ALERT_CERTIFICATE_REQUIRED": 1116,
}  # fmt: skip
UPSTREAM_ERROR = "upstream connect error or disconnect/reset before headers. "


def tls_error(name: str) -> str:
    return f"TLS_error:|{(16 << 24) + TLS_CODES.get(name, 0)}:SSL routines:OPENSSL_internal:{name}:TLS_error_end"


class Envoy(Gateway):
    """One turn of Envoy."""

    def __init__(self, proc: Process, sys: Sys) -> None:
        super().__init__(proc, sys)
        self.clusters = Clusters(proc, sys)

    def count(self, stat: str, by: int = 1) -> None:
        stats: dict[str, int] = self.data["stats"]
        stats[stat] = stats.get(stat, 0) + by

    # ---- listeners

    def listener(self, conn: Data) -> Data:
        found: Data = self.data["listeners"][conn["key"]]
        return found

    def chain(self, conn: Data) -> Data:
        found: Data = self.listener(conn)["filter_chains"][conn["chain"]]
        return found

    def manager(self, conn: Data) -> Data:
        """The last filter of the connection's chain: its connection manager or TCP proxy."""
        found: Data = self.chain(conn)["filters"][-1]["typed_config"]
        return found

    def accepted(self, fd: int, conn: Data) -> None:
        if conn["key"] == "admin":
            conn["mode"] = "http"
            return
        listener = self.listener(conn)
        filters = [one.get("name", "") for one in listener.get("listener_filters", [])]
        if not listener.get("use_original_dst") and not any("original_dst" in name for name in filters):
            conn["original"] = None
        if listener.get("use_original_dst") and conn["original"] is not None:
            conn["key"] = self._bound_to(conn["original"]) or conn["key"]
            listener = self.listener(conn)
        self.count(f"listener.{conn['key'].replace(':', '_')}.downstream_cx_total")
        if len(listener["filter_chains"]) == 1 and not listener["filter_chains"][0].get("filter_chain_match"):
            self._apply(fd, conn, 0)

    def _bound_to(self, original: list[Any]) -> str:
        wanted = (f"{original[0]}:{original[1]}", f"0.0.0.0:{original[1]}")
        return next((key for key in self.data["listeners"] if key in wanted), "")

    def detect(self, fd: int, conn: Data) -> None:
        hello = tls.is_hello(conn["buffer"])
        sni = tls.server_name(conn["buffer"])
        listener = self.listener(conn)
        inspects = any("tls_inspector" in one.get("name", "") for one in listener.get("listener_filters", []))
        best = -1
        for number, chain in enumerate(listener["filter_chains"]):
            match = chain.get("filter_chain_match", {})
            if match.get("server_names") and not (inspects and any(_server_name(one, sni) for one in match["server_names"])):
                continue
            if match.get("transport_protocol") and match["transport_protocol"] != ("tls" if hello and inspects else "raw_buffer"):
                continue
            if match.get("destination_port") and (conn["original"] or conn["local"])[1] != match["destination_port"]:
                continue
            if best < 0 or len(match) > len(listener["filter_chains"][best].get("filter_chain_match", {})):
                best = number
        if best < 0:
            self.count(f"listener.{conn['key'].replace(':', '_')}.no_filter_chain_match")
            self.close(fd, conn)
            return
        self._apply(fd, conn, best)
        if conn["tls"] is not None:
            text, conn["buffer"] = conn["buffer"], ""
            conn["buffer"] += tls.feed(self.sys, fd, conn["tls"], text, self.context(conn))

    def _apply(self, fd: int, conn: Data, number: int) -> None:
        conn["chain"] = number
        if f"{conn['key']}#{number}" in self.data["tls"]:
            conn["tls"] = tls.server()
        manager = self.manager(conn)
        if manager["@type"] == HCM:
            conn["mode"] = "http"
            self.count(f"http.{manager['stat_prefix']}.downstream_cx_total")
            return
        conn["mode"], conn["cluster"] = "tcp", manager.get("cluster", "")
        self.count(f"tcp.{manager['stat_prefix']}.downstream_cx_total")
        host = self.clusters.pick(conn["cluster"], conn["original"])
        if host is None:
            conn["flags"] = ["UH"]
            self.close(fd, conn)
            return
        self._connecting(conn["cluster"])
        self.pipe(conn, host["address"], self._connect_ms(conn["cluster"]), fd)

    def context(self, conn: Data) -> Data:
        found: Data = self.data["tls"].get(f"{conn['key']}#{conn['chain']}", {})
        return found

    def refused(self, fd: int, conn: Data, error: str) -> None:
        name = f"listener.{conn['key'].replace(':', '_')}.ssl."
        self.count(name + ("fail_verify_no_cert" if error.startswith("PEER") else "fail_verify_error" if "VERIFY" in error else "connection_error"))
        conn["error"] = tls_error(error)

    def failed(self, fd: int, conn: Data, kind: str, detail: str) -> None:
        conn["flags"] = ["UF"]

    def closed(self, fd: int, conn: Data) -> None:
        if conn["mode"] == "tcp":
            manager = self.manager(conn)
            flags = ",".join(conn.get("flags", [])) or "-"
            facts = {**self._connection_facts(conn), "RESPONSE_FLAGS": flags, "BYTES_RECEIVED": conn.get("sent", 0),
                     "BYTES_SENT": conn.get("received", 0), "DURATION": self.sys.now - conn["began"], "START_TIME": conn["began"], "RESPONSE_CODE": 0,
                     "UPSTREAM_CLUSTER": conn.get("cluster", ""), "request": {}, "response": {},
                     "UPSTREAM_HOST": ":".join(map(str, conn["up"]["host"])) if conn["up"] else ""}  # fmt: skip
            envoy_log.write(self.proc, self.sys, manager.get("access_log", []), facts)
        elif conn["rq"] is not None:
            self._next(conn["rq"].get("cluster", ""))

    def _connection_facts(self, conn: Data) -> Data:
        peer = conn["tls"]["peer"] if conn["tls"] else None
        return {
            "DOWNSTREAM_REMOTE_ADDRESS": f"{conn['peer'][0]}:{conn['peer'][1]}", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": conn["peer"][0],
            "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": f"{conn['peer'][0]}:{conn['peer'][1]}",
            "DOWNSTREAM_LOCAL_ADDRESS": ":".join(map(str, conn["original"] or conn["local"])), "HOSTNAME": self.sys.hostname,
            "REQUESTED_SERVER_NAME": conn["tls"]["sni"] if conn["tls"] else "", "DOWNSTREAM_TLS_VERSION": "TLSv1.3" if conn["tls"] else "",
            "DOWNSTREAM_PEER_URI_SAN": ",".join(value for kind, value in _sans(peer) if kind == "URI"),
            "DOWNSTREAM_PEER_DNS_SAN": ",".join(value for kind, value in _sans(peer) if kind == "DNS"),
            "DOWNSTREAM_PEER_SUBJECT": _certificate(peer).subject if peer else "",
        }  # fmt: skip

    # ---- requests

    def begin(self, fd: int, conn: Data, message: http.Message) -> None:
        if conn["key"] == "admin":
            self.new_request(conn, message)
            self.answer(fd, conn, answer_admin(self, message))
            return
        manager = self.manager(conn)
        prefix = f"http.{manager['stat_prefix']}."
        self.count(prefix + "downstream_rq_total")
        headers = [(name.lower(), value) for name, value in message.headers]
        request = http.Message(message.start, headers, message.body)
        rq = self.new_request(conn, request, cluster="", flags=[], retries=0, host=None, reason="", upstream_ms=None, route={}, details="", sent_at=0)
        if not message.version.startswith("HTTP/1"):
            self._local(fd, conn, 400, "", "DPE", "http1.codec_error")
            return
        self._mark(conn, manager, request)
        rq["head"][1] = [list(header) for header in request.headers]
        if not self._faulted(fd, conn, rq, request):
            self._route(fd, conn, rq)

    def _mark(self, conn: Data, manager: Data, request: http.Message) -> None:
        """What a connection manager adds to a request before it is routed."""
        scheme = "https" if conn["tls"] else "http"
        if manager.get("strip_any_host_port") or manager.get("strip_matching_host_port"):
            request.headers = [(name, value.partition(":")[0] if name == "host" else value) for name, value in request.headers]
        if manager.get("use_remote_address") and not manager.get("skip_xff_append"):
            past = request.get("x-forwarded-for")
            _put(request, "x-forwarded-for", f"{past},{conn['peer'][0]}" if past else conn["peer"][0])
            _put(request, "x-forwarded-proto", scheme)
        if not request.get("x-forwarded-proto"):
            _put(request, "x-forwarded-proto", scheme)
        if not request.get("x-request-id") or (manager.get("use_remote_address") and not manager.get("preserve_external_request_id")):
            if manager.get("generate_request_id", True):
                raw = f"{self.sys.random(1 << 62):016x}{self.sys.random(1 << 62):016x}"
                _put(request, "x-request-id", f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-9{raw[17:20]}-{raw[20:]}")
        self._certificate_header(conn, manager, request)

    def _certificate_header(self, conn: Data, manager: Data, request: http.Message) -> None:
        how = manager.get("forward_client_cert_details", "SANITIZE")
        peer = conn["tls"]["peer"] if conn["tls"] else None
        past = request.get("x-forwarded-client-cert")
        if how == "SANITIZE" or (how == "FORWARD_ONLY" and not peer) or how == "SANITIZE_SET":
            request.headers = [(name, value) for name, value in request.headers if name != "x-forwarded-client-cert"]
            past = ""
        if peer is None or how not in ("SANITIZE_SET", "APPEND_FORWARD"):
            return
        given = manager.get("set_current_client_cert_details", {})
        own = _sans({"chain": self.context(conn).get("chain", "")})
        parts = [f"By={value}" for kind, value in own if kind == "URI"]
        parts.append("Hash=" + hashlib.sha256(next(iter(x509.blocks(peer.get("chain", ""))), ("", b""))[1]).hexdigest())
        if given.get("subject"):
            parts.append(f'Subject="{_certificate(peer).subject}"')
        parts += [f"URI={value}" for kind, value in _sans(peer) if kind == "URI" and given.get("uri")]
        parts += [f"DNS={value}" for kind, value in _sans(peer) if kind == "DNS" and given.get("dns")]
        _put(request, "x-forwarded-client-cert", ",".join(filter(None, [past, ";".join(parts)])))

    def _faulted(self, fd: int, conn: Data, rq: Data, request: http.Message) -> bool:
        """The fault filter: whether it holds the request up or has answered it."""
        for one in self.manager(conn).get("http_filters", []):
            config = one.get("typed_config", {})
            if config.get("@type") != FAULT or not all(envoy_routes.header_matches(header, request) for header in config.get("headers", [])):
                continue
            abort, delay = config.get("abort"), config.get("delay")
            if abort is not None and self._lot(abort):
                rq["abort"] = abort.get("http_status", 503)
            if delay is not None and self._lot(delay):
                rq["flags"].append("DI")
                rq["until"] = self.sys.now + delay.get("fixed_delay", 0)
                return True
        if "abort" in rq:
            self._local(fd, conn, rq["abort"], "fault filter abort", "FI", "fault_filter_abort")
            return True
        return False

    def _lot(self, one: Data) -> bool:
        share: Data = one.get("percentage", {})
        of = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}[share.get("denominator", "HUNDRED")]
        return self.sys.random(of) < int(share.get("numerator", 0))

    def _request(self, rq: Data) -> http.Message:
        return http.Message(rq["head"][0], [(name, value) for name, value in rq["head"][1]], rq["head"][2])

    def _route(self, fd: int, conn: Data, rq: Data) -> None:
        manager, request = self.manager(conn), self._request(rq)
        table = manager.get("route_config", {})
        host = envoy_routes.virtual_host(table, request.get("host"))
        found = envoy_routes.route(host, request) if host is not None else None
        if host is None or found is None:
            self.count(f"http.{manager['stat_prefix']}.no_route")
            self._local(fd, conn, 404, "", "NR", "route_not_found")
            return
        rq["route"] = {"host": host["name"], "number": host["routes"].index(found), "name": found.get("name", "")}
        if "direct_response" in found:
            body = found["direct_response"].get("body", {})
            text = body.get("inline_string", "")
            self._local(fd, conn, found["direct_response"].get("status", 200), text, "", "direct_response")
        elif "redirect" in found:
            scheme = "https" if conn["tls"] else "http"
            prefix = {"prefix": found["match"].get("prefix", "")}
            status, location = envoy_routes.redirect(request, request.get("host"), {**prefix, **found["redirect"]}, scheme)
            self._local(fd, conn, status, "", "", "direct_response", [("location", location)])
        else:
            action = found.get("route", {})
            rq["cluster"] = envoy_routes.target_cluster(action, self.sys)
            timeout = action.get("timeout", ROUTE_MS)
            rq["due"] = self.sys.now + timeout if timeout else None
            self._try(fd, conn, rq)

    def _where(self, conn: Data, rq: Data) -> tuple[Data, Data, Data]:
        """(route table, virtual host, route) of a request that has been routed."""
        table = self.manager(conn).get("route_config", {})
        host = next(one for one in table["virtual_hosts"] if one["name"] == rq["route"]["host"])
        return table, host, host["routes"][rq["route"]["number"]]

    def policy(self, conn: Data, rq: Data) -> Data:
        """The retry policy of a request: its route's, or its virtual host's."""
        _, host, found = self._where(conn, rq)
        given: Data = found.get("route", {}).get("retry_policy") or host.get("retry_policy") or {}
        return given

    def _try(self, fd: int, conn: Data, rq: Data) -> None:
        name = rq["cluster"]
        verdict = self.clusters.admits(name)
        if verdict == "overflow":
            self.clusters.count(name, "upstream_rq_pending_overflow")
            self._local(fd, conn, 503, UPSTREAM_ERROR + "reset reason: overflow", "UO", "upstream_reset_before_response_started{overflow}",
                        [("x-envoy-overloaded", "true")])  # fmt: skip
            return
        if verdict == "wait":
            if not rq["queued"]:
                self.clusters.count(name, "upstream_cx_overflow")
                self.clusters.count(name, "upstream_rq_pending_total")
            rq["queued"] = True
            return
        host = self.clusters.pick(name, conn["original"])
        if host is None:
            self._local(fd, conn, 503, "no healthy upstream", "UH", "no_healthy_upstream")
            return
        rq["host"] = f"{host['address'][0]}:{host['address'][1]}"
        if not rq["queued"]:
            self.clusters.count(name, "upstream_rq_pending_total")
        self._connecting(name)
        self.clusters.count(name, "upstream_rq_total")
        message = self._onward(conn, rq, host)
        rq["sent_at"] = self.sys.now
        self.attempt(fd, rq, host["address"], message, self._connect_ms(name), self.policy(conn, rq).get("per_try_timeout"))

    def _connecting(self, name: str) -> None:
        self.clusters.count(name, "upstream_cx_total")

    def _connect_ms(self, name: str) -> int:
        return int(self.clusters.all[name]["config"].get("connect_timeout", CONNECT_MS))

    def _onward(self, conn: Data, rq: Data, host: Data) -> http.Message:
        """The request as the upstream gets it."""
        table, virtual, found = self._where(conn, rq)
        action, request = found.get("route", {}), self._request(rq)
        headers = [(name, value) for name, value in request.headers if name not in envoy_routes.HOP_BY_HOP and name != "content-length"]
        authority = action.get("host_rewrite_literal") or (host["name"] if action.get("auto_host_rewrite") and host["name"] else "")
        headers = [(name, authority or value if name == "host" else value) for name, value in headers]
        target = envoy_routes.rewritten(request.target, found["match"], action)
        if target != request.target:
            headers.append(("x-envoy-original-path", request.target))
        timeout = self.policy(conn, rq).get("per_try_timeout") or action.get("timeout", ROUTE_MS)
        if timeout:
            headers.append(("x-envoy-expected-rq-timeout-ms", str(timeout)))
        if virtual.get("include_request_attempt_count"):
            headers.append(("x-envoy-attempt-count", str(rq["attempts"] + 1)))
        headers = envoy_routes.change_headers(headers, [found, virtual, table], "request")
        if request.body:
            headers.append(("content-length", str(http.size(request.body))))
        return http.Message(f"{request.method} {target} HTTP/1.1", headers, request.body)

    def upstream_context(self, owner: Data) -> Data | None:
        found: Data | None = self.data["tls"].get(f"cluster {owner.get('cluster', '')}")
        return found

    def due(self, fd: int, conn: Data, rq: Data) -> None:
        if rq["retries"]:
            self._try(fd, conn, rq)
        elif "abort" in rq:
            self._local(fd, conn, rq["abort"], "fault filter abort", "FI", "fault_filter_abort")
        else:
            self._route(fd, conn, rq)

    def ended(self, fd: int, conn: Data, rq: Data, kind: str, message: http.Message | None, detail: str) -> None:
        name = rq["cluster"]
        status = message.status if message is not None else 504 if "timeout" in kind and kind != "connect-timeout" else 503
        host = self.clusters.all[name]["hosts"].get(rq["host"] or "")
        if host is not None:
            self.clusters.outcome(name, host, status)
        self._counted(name, kind, status)
        flag, reason, words = _said(kind, detail)
        rq["reason"] = reason
        if message is not None:
            rq["upstream_ms"] = self.sys.now - rq["sent_at"]
        if kind != "timeout" and self._again(conn, rq, kind, status):
            return
        if message is not None:
            self._forward(fd, conn, rq, message)
        elif "timeout" in kind and kind != "connect-timeout":
            self._local(fd, conn, 504, "upstream request timeout", flag, "upstream_response_timeout")
        else:
            lead = "retried and the latest reset reason: " if rq["retries"] else "reset reason: "
            self._local(fd, conn, 503, UPSTREAM_ERROR + lead + words, flag, f"upstream_reset_before_response_started{{{words.replace(' ', '_')}}}")

    def _counted(self, name: str, kind: str, status: int) -> None:
        count = self.clusters.count
        if kind in ("connect", "tls", "connect-timeout"):
            count(name, "upstream_cx_connect_fail")
            count(name, "upstream_rq_pending_failure_eject")
        if kind == "connect-timeout":
            count(name, "upstream_cx_connect_timeout")
        if kind in ("tls", "tls-late"):
            count(name, "ssl.connection_error")
        if kind == "timeout":
            count(name, "upstream_rq_timeout")
        if kind == "try-timeout":
            count(name, "upstream_rq_per_try_timeout")
        if kind in ("reset", "tls-late"):
            count(name, "upstream_cx_destroy_remote_with_active_rq")
        for stat in ("upstream_rq_completed", f"upstream_rq_{status}", f"upstream_rq_{status // 100}xx"):
            count(name, stat)

    def _again(self, conn: Data, rq: Data, kind: str, status: int) -> bool:
        """Whether the request is tried once more, after a back-off."""
        policy, name = self.policy(conn, rq), rq["cluster"]
        count = self.clusters.count
        if not envoy_routes.retry_fits(policy, kind, status):
            if rq["retries"] and kind == "response" and status < 500:
                count(name, "upstream_rq_retry_success")
            return False
        if rq["retries"] >= policy.get("num_retries", 1):
            count(name, "upstream_rq_retry_limit_exceeded")
            rq["flags"].append("URX")
            return False
        if self.clusters.load(name)["retries"] >= self.clusters.thresholds(name)["max_retries"]:
            count(name, "upstream_rq_retry_overflow")
            return False
        rq["retries"] += 1
        count(name, "upstream_rq_retry")
        count(name, "upstream_rq_retry_backoff_exponential")
        given = policy.get("retry_back_off", {})
        base = given.get("base_interval", BACK_OFF_MS)
        longest = min(base * (2 ** rq["retries"] - 1), given.get("max_interval", base * 10))
        rq["until"] = self.sys.now + self.sys.random(max(1, longest))
        return True

    def dropped(self, fd: int, conn: Data, rq: Data) -> None:
        if conn["key"] != "admin":
            rq["flags"].append("DC")
            self._log(conn, rq, http.Message("HTTP/1.1 0 -"), "downstream_remote_disconnect")

    # ---- answers

    def _forward(self, fd: int, conn: Data, rq: Data, message: http.Message) -> None:
        headers = [(name.lower(), value) for name, value in message.headers]
        headers = [(name, value) for name, value in headers if name not in envoy_routes.HOP_BY_HOP and name not in ("content-length", "server")]
        if message.status not in (204, 304):
            headers.append(("content-length", str(http.size(message.body)) if message.body else message.get("content-length", "0")))
        if not any(name == "date" for name, _ in headers):
            headers.append(("date", http_date(self.sys.now)))
        how, own = self.manager(conn).get("server_header_transformation", "OVERWRITE"), message.get("server")
        headers.append(("server", own if own and how != "OVERWRITE" else self.manager(conn).get("server_name", "envoy")))
        headers.append(("x-envoy-upstream-service-time", str(rq["upstream_ms"])))
        self._respond(fd, conn, rq, http.Message(message.start, headers, message.body), "via_upstream")

    def _local(self, fd: int, conn: Data, status: int, body: str, flag: str, details: str, headers: list[tuple[str, str]] | None = None) -> None:
        """An answer of Envoy's own."""
        rq = conn["rq"]
        if flag:
            rq["flags"].append(flag)
        if details == "direct_response":
            self.count(f"http.{self.manager(conn)['stat_prefix']}.rq_direct_response")
        found = [("content-length", str(http.size(body))), ("content-type", "text/plain")] if body else [("content-length", "0")]
        own = [("date", http_date(self.sys.now)), ("server", self.manager(conn).get("server_name", "envoy"))]
        reason = http.REASONS.get(status, "Unknown").replace("Gateway Time-out", "Gateway Timeout")
        self._respond(fd, conn, rq, http.Message(f"HTTP/1.1 {status} {reason}", [*found, *(headers or []), *own], body), details)

    def _respond(self, fd: int, conn: Data, rq: Data, message: http.Message, details: str) -> None:
        if rq["route"]:
            table, host, found = self._where(conn, rq)
            message.headers = envoy_routes.change_headers(message.headers, [found, host, table], "response")
            if host.get("include_attempt_count_in_response") and rq["attempts"]:
                message.headers.append(("x-envoy-attempt-count", str(rq["attempts"])))
        if self.manager(conn).get("always_set_request_id_in_response"):
            message.headers.append(("x-request-id", self._request(rq).get("x-request-id")))
        prefix = f"http.{self.manager(conn)['stat_prefix']}."
        self.count(f"{prefix}downstream_rq_{message.status // 100}xx")
        self.count(prefix + "downstream_rq_completed")
        self._log(conn, rq, message, details)
        self.answer(fd, conn, message)
        self._next(rq["cluster"])

    def _next(self, name: str) -> None:
        """A connection is free: the first request that waits for one gets it."""
        if not name:
            return
        waiting = [
            (fd, conn) for fd, conn in self.data["down"].items() if conn["rq"] is not None and conn["rq"]["queued"] and conn["rq"]["cluster"] == name
        ]
        for fd, conn in sorted(waiting, key=lambda one: one[1]["rq"]["began"]):
            load, limits = self.clusters.load(name), self.clusters.thresholds(name)
            if load["connections"] >= limits["max_connections"]:
                return
            conn["rq"]["queued"] = False  # or it would stand in its own way
            self._try(int(fd), conn, conn["rq"])

    def _log(self, conn: Data, rq: Data, message: http.Message, details: str) -> None:
        request = self._request(rq)
        facts = {
            **self._connection_facts(conn), "START_TIME": rq["began"], "PROTOCOL": request.version, "RESPONSE_CODE": message.status,
            "RESPONSE_FLAGS": ",".join(rq["flags"]) or "-", "RESPONSE_CODE_DETAILS": details, "BYTES_RECEIVED": http.size(request.body),
            "BYTES_SENT": 0 if request.method == "HEAD" else http.size(message.body), "DURATION": self.sys.now - rq["began"],
            "UPSTREAM_HOST": rq["host"] or "", "UPSTREAM_CLUSTER": rq["cluster"], "ROUTE_NAME": rq["route"].get("name", ""),
            "UPSTREAM_TRANSPORT_FAILURE_REASON": rq["reason"], "UPSTREAM_REQUEST_ATTEMPT_COUNT": rq["attempts"],
            "request": {**dict(request.headers), ":method": request.method, ":path": request.target, ":authority": request.get("host")},
            "response": dict(message.headers),
        }  # fmt: skip
        envoy_log.write(self.proc, self.sys, self.manager(conn).get("access_log", []), facts)

    # ---- health checks

    def timers(self) -> list[int]:
        return self.clusters.timers()

    def tick(self) -> None:
        for name, key, host, message in self.clusters.due_checks():
            given = self.clusters.all[name]["config"]["health_checks"][0]
            self.check(f"{name}|{key}", host["address"], message, given["timeout"], {"cluster": name})

    def checked(self, name: str, check: Data, message: http.Message | None) -> None:
        cluster, _, key = name.partition("|")
        self.clusters.checked(cluster, key, message is not None and message.status == 200)


def _said(kind: str, detail: str) -> tuple[str, str, str]:
    """(response flag, transport failure reason, the words after "reset reason: ") of a try that has brought no answer."""
    if kind == "connect":
        reason = f"delayed connect error: {ERRORS.get(detail, detail)}"
        return "UF", reason, f"remote connection failure, transport failure reason: {reason}"
    if kind == "tls":
        reason = tls_error(detail) if detail != "closed" else ""
        return "UF", reason, "remote connection failure" + (f", transport failure reason: {reason}" if reason else "")
    if kind == "tls-late":
        return "UC", tls_error(detail), f"connection termination, transport failure reason: {tls_error(detail)}"
    if kind == "connect-timeout":
        return "UF", "", "connection timeout"
    return ("UC", "", "connection termination") if kind == "reset" else ("UT", "", "")


def _put(request: http.Message, name: str, value: str) -> None:
    request.headers = [(key, text) for key, text in request.headers if key != name] + [(name, value)]


def _server_name(pattern: str, sni: str) -> bool:
    return sni == pattern or (pattern.startswith("*.") and sni.endswith(pattern[1:]))


def _certificate(peer: Data) -> x509.Certificate:
    return x509.certificates(peer.get("chain", ""))[0]


def _sans(peer: Data | None) -> tuple[tuple[str, str], ...]:
    return _certificate(peer).sans if peer and peer.get("chain") else ()
