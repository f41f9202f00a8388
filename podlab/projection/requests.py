"""The recent requests, each with its hops: who asked whom, through which proxy, at which try, in plain text or over TLS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podlab.kubernetes.addresses import CONTROL_PLANE_NAMESPACE
from podlab.kubernetes.runtime.internet_hosts import NAMESPACE as INTERNET

from .korean import josa
from .view import View

KEPT = 40  # requests that are listed


@dataclass(frozen=True, slots=True)
class Hop:
    """One stretch of a request, from one process to the next."""

    t: int  # ms
    ms: int
    source: str  # "shop/app": Pod and container; "kubelet", "바깥"
    target: str  # "order-1/envoy", or the address where nobody took it
    port: int
    status: int  # 0: no answer
    said: str  # the answer in words: "200", "답 없음: 연결 거부"
    attempt: int  # of a proxy, from 1; 0: not a proxy's
    wanted: str  # "10.96.0.12:80" where the Pod's rules redirected it, else ""
    secure: bool
    client: str  # identities in the certificates, "" where there was none
    server: str
    depth: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One request with its hops, in the order of time. What it is as a whole is its first hop's."""

    id: str
    t: int
    ms: int
    source: str
    what: str  # "GET order-service/"
    said: str
    mood: str  # good or bad
    tries: int  # how often a proxy sent it, at most
    secure: bool
    hops: tuple[Hop, ...]


ERRORS = {
    "ECONNREFUSED": "연결 거부",
    "ETIMEDOUT": "시간 초과",
    "timeout": "시간 초과",
    "EHOSTUNREACH": "길이 없음",
    "ENETUNREACH": "네트워크 없음",
    "ECONNRESET": "연결이 끊김",
    "closed": "연결이 끊김",
    "abandoned": "기다리다 그만둠",
    "tls": "TLS를 맺지 못함",
}


def requests(view: View, since: int = 0) -> list[Trace]:
    """Requests that have ended, newest first; the kubelet's probes are left out."""
    names = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in view.objects("pods")}
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for told in view.traffic(since):
        if told["from"] != "kubelet" and "trace" in told:
            grouped.setdefault(told["trace"], []).append(told)
    traces = [_trace(id, told, names) for id, told in grouped.items()]
    return sorted(traces, key=lambda trace: (trace.t, trace.id), reverse=True)[:KEPT]


def _trace(id: str, told: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Trace:
    ordered = sorted(told, key=lambda one: (one["t"], one["hop"], one.get("try", 0)))
    hops = tuple(_hop(one, names) for one in ordered)
    first, lead = hops[0], ordered[0]
    what = f"{lead['method']} {lead.get('host', '')}{lead['path']}" if lead["method"] else f"포트 {first.port}에 연결"
    return Trace(
        id,
        first.t,
        max(hop.t + hop.ms for hop in hops) - first.t,
        first.source,
        what,
        first.said,
        "good" if 0 < first.status < 400 else "bad",
        max(hop.attempt for hop in hops),
        any(hop.secure for hop in hops),
        hops,
    )


def _hop(told: Mapping[str, Any], names: Mapping[str, str]) -> Hop:
    status, error = told["status"], told.get("error", "")
    said = str(status) if status else "답 없음" + (f": {ERRORS.get(error, error)}" if error else "")
    client, server = told.get("tls", ("", ""))
    return Hop(
        told["t"],
        told["ms"],
        _end(told["from"], told.get("by", ""), names),
        _end(told["to"], told.get("at", ""), names) if told["to"] else "아무도 없는 주소",
        told.get("port", 0),
        status,
        said,
        told.get("try", 0),
        ":".join(str(part) for part in told.get("wanted", ())),
        "tls" in told,
        client,
        server,
        told["hop"],
    )


def _end(who: str, container: str, names: Mapping[str, str]) -> str:
    if who == "outside":
        return "바깥"
    if who == "kubelet" or who.startswith("host/"):
        return who.removeprefix("host/")
    if who == CONTROL_PLANE_NAMESPACE:
        return "API 서버"
    if who == INTERNET:
        return "인터넷"
    name = names.get(who, "사라진 파드")
    return f"{name}/{container}" if container else name


def sentence(hop: Hop) -> str:
    """A hop in words."""
    out = f"{josa(hop.source, '이/가')} {hop.target}의 {hop.port}번 포트로"
    if hop.attempt > 1:
        out += f" {hop.attempt}번째로 다시"
    out += " 보냈습니다."
    if hop.wanted:
        out += f" 원래 가려던 곳은 {hop.wanted}이고, 파드의 규칙이 이리로 돌렸습니다."
    if hop.secure and hop.client and hop.server:
        out += f" mTLS: 보낸 쪽은 {hop.client}, 받은 쪽은 {hop.server}임을 인증서로 밝혔습니다."
    elif hop.secure and hop.server:
        out += f" 받은 쪽만 {hop.server}임을 인증서로 밝혔습니다."
    elif hop.secure:
        out += " 서로를 믿지 못해 TLS를 맺지 못했습니다."
    return out


def wire(hop: Hop) -> str:
    """How a hop went over the wire, in a word."""
    if not hop.secure:
        return "평문"
    return "mTLS" if hop.client and hop.server else "TLS"
