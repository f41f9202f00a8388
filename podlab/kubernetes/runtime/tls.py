"""TLS between processes: records on a connection, a handshake of three flights, certificates verified on both sides (RFC 8446).

Nothing is encrypted: a record is its type, its length and its text, so that whoever looks at the wire can tell TLS from plain text, and
tcpdump shows the bytes of a record as noise. What is as in TLS 1.3: the order of the flights, who verifies whom and when (a client may
send before the server has refused its certificate), alerts, and what happens when one side does not speak TLS.

A session is plain data, {"side", "state": hello | finish | open | failed, "buffer", "sni", "peer": {"chain" | "name"} or None, "error"};
a context says what a side has and wants: {"chain": PEM, "name", "root", "trust": PEM, "require", "sni"}; all optional. `name` and `root`
are an identity without files, as a mesh's identity service hands them out. Errors are BoringSSL's names.
"""

from __future__ import annotations

import json
from typing import Protocol

from . import x509
from .process import Data, Errno

HELLO, FLIGHT, DATA, ALERT = "\x16\x03\x01", "\x16\x03\x03", "\x17\x03\x03", "\x15\x03\x03"
HANDSHAKE_US = 900  # CPU of one side's handshake with P-256 keys, order of magnitude
ALERTS = {
    "unknown_ca": "TLSV1_ALERT_UNKNOWN_CA",
    "certificate_expired": "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "bad_certificate": "SSLV3_ALERT_BAD_CERTIFICATE",
    "certificate_required": "TLSV1_ALERT_CERTIFICATE_REQUIRED",
    "certificate_unknown": "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
}


class Wire(Protocol):
    """Where a session's flights are written: a process (`Sys`), or whoever else holds a connection's end."""

    @property
    def now(self) -> int: ...

    def write(self, fd: int, text: str) -> None: ...

    def charge(self, us: int) -> None: ...


def record(kind: str, text: str) -> str:
    return f"{kind}{len(text)}:{text}"


def is_hello(text: str) -> bool:
    """Whether a stream begins with a client's TLS handshake, as a proxy's TLS inspector asks."""
    return text.startswith("\x16\x03")


class BadRecord(Exception):
    """Bytes that are no TLS record, whatever they begin with."""


def take(text: str) -> tuple[str, str, str] | None:
    """(kind, body, what follows) of the first record; None while it is not whole. Raises BadRecord."""
    if not any(text.startswith(kind) or kind.startswith(text) for kind in (HELLO, FLIGHT, DATA, ALERT)):
        raise BadRecord
    length, colon, rest = text[3:].partition(":")
    if length and not (length.isdecimal() and len(length) < 8):
        raise BadRecord
    if not colon or len(rest) < int(length or 0):
        return None
    return text[:3], rest[: int(length)], rest[int(length) :]


def _object(body: str) -> Data:
    """The content of a handshake message. Raises BadRecord."""
    try:
        found = json.loads(body)
    except ValueError:
        raise BadRecord from None
    if not isinstance(found, dict):
        raise BadRecord
    return found


def server_name(text: str) -> str:
    """The name that a client's first message asks for, "" where there is none."""
    try:
        record = take(text)
        return str(_object(record[1]).get("sni", "")) if record is not None and record[0] == HELLO else ""
    except BadRecord:
        return ""


def opened(text: str) -> str:
    """What the records of a written text carry, for the trace of requests; plain text is itself."""
    found, rest = "", text
    try:
        while rest.startswith(DATA) and (record := take(rest)) is not None:
            found, rest = found + record[1], record[2]
    except BadRecord:
        return text
    return found or text


def identity(certificate: Data | None) -> str:
    """Who a certificate says that its holder is: its first URI or DNS name, else its subject; "" without a certificate."""
    if certificate is None:
        return ""
    if "name" in certificate:
        return str(certificate["name"])
    try:
        found = x509.certificates(certificate["chain"])[0]
    except (x509.BadCertificate, IndexError):
        return ""
    return next((value for _, value in sorted(found.sans, key=lambda one: one[0] != "URI")), found.subject)


def handshake(text: str) -> tuple[str, str] | None:
    """("client" or "server", identity) of a handshake flight with a certificate that passes by, for the trace; None for anything else."""
    try:
        record = take(text) if text.startswith(FLIGHT) else None
        if record is None:
            return None
        body = _object(record[1])
        return ("server" if "ask" in body else "client"), identity(_certificate(body))
    except BadRecord:
        return None


def _certificate(body: Data) -> Data | None:
    """The certificate in a flight: {"chain": PEM} or {"name", "root"}. Raises BadRecord."""
    found = body.get("certificate")
    if found is None:
        return None
    if isinstance(found, dict) and ("chain" in found or "name" in found) and all(isinstance(value, str) for value in found.values()):
        return found
    raise BadRecord


def client(sys: Wire, fd: int, context: Data) -> Data:
    """Begins a handshake on a connection just made; gives its session."""
    session: Data = {"side": "client", "state": "hello", "buffer": "", "sni": context.get("sni", ""), "peer": None, "error": ""}
    # the blank line ends what a server of plain HTTP takes for a request, so that it answers 400 as real ones do
    hello = json.dumps({"sni": session["sni"]}, separators=(",", ":"))
    sys.write(fd, record(HELLO, hello + "\r\n\r\n"))
    return session


def server() -> Data:
    """The session of a connection on which a handshake is awaited."""
    return {"side": "server", "state": "hello", "buffer": "", "sni": "", "peer": None, "error": ""}


def write(sys: Wire, fd: int, session: Data | None, text: str) -> None:
    """Sends text over a connection, in a record where there is a session. Raises EPIPE."""
    sys.write(fd, text if session is None else record(DATA, text))


def feed(sys: Wire, fd: int, session: Data, text: str, context: Data) -> str:
    """Takes what has come in, answers handshakes, gives the application's text. Look at session["state"] afterwards."""
    session["buffer"] += text
    found = ""
    try:
        while session["state"] != "failed" and session["buffer"] and (record := take(session["buffer"])) is not None:
            kind, body, session["buffer"] = record
            if kind == DATA:
                found += body
            elif kind == ALERT:
                _fail(session, ALERTS.get(body, "SSLV3_ALERT_HANDSHAKE_FAILURE"))
            else:
                sys.charge(HANDSHAKE_US)
                _handshake(sys, fd, session, _object(body), context)
    except BadRecord:  # an HTTP answer or request where a record should be, or nonsense
        _fail(session, "HTTP_REQUEST" if session["side"] == "server" and _is_http(session["buffer"]) else "WRONG_VERSION_NUMBER")
    return found


def _is_http(text: str) -> bool:
    return text.split(" ", 1)[0] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT")


def _handshake(sys: Wire, fd: int, session: Data, body: Data, context: Data) -> None:
    wants = bool(context.get("trust") or context.get("require") or context.get("root"))
    if session["side"] == "server" and session["state"] == "hello":
        session.update(state="finish", sni=str(body.get("sni", "")))
        _send(sys, fd, {"certificate": _own(context), "ask": wants})
        return
    session["peer"] = _certificate(body)
    problem, alert = _judge(session["peer"], context, sys.now)
    if problem:
        _fail(session, problem)
        try:
            sys.write(fd, record(ALERT, alert))
        except Errno:
            return
        return
    if session["side"] == "client":
        _send(sys, fd, {"certificate": _own(context) if body.get("ask") else None})
    session["state"] = "open"


def _own(context: Data) -> Data | None:
    if context.get("chain"):
        return {"chain": context["chain"]}
    return {"name": context["name"], "root": context.get("root", "")} if context.get("name") else None


def _send(sys: Wire, fd: int, body: Data) -> None:
    sys.write(fd, record(FLIGHT, json.dumps(body, separators=(",", ":"))))


def _judge(peer: Data | None, context: Data, now: int) -> tuple[str, str]:
    """(error, alert) of a peer's certificate; empty when it will do."""
    if peer is None:
        return ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "certificate_required") if context.get("require") else ("", "")
    if context.get("root"):
        return ("", "") if peer.get("root") == context["root"] else ("CERTIFICATE_VERIFY_FAILED", "unknown_ca")
    if context.get("trust"):
        why = x509.verify(peer["chain"], context["trust"], now) if "chain" in peer else "unable to get local issuer certificate"
        if why:
            return "CERTIFICATE_VERIFY_FAILED", "certificate_expired" if "expired" in why else "unknown_ca"
    if context.get("sans") and not _named(peer, context["sans"]):
        return "CERTIFICATE_VERIFY_FAILED", "certificate_unknown"
    return "", ""


def _named(peer: Data, wanted: list[Data]) -> bool:
    """Whether one of the certificate's alternative names is one of the wanted: [{"type", "how": exact | prefix | suffix | contains, "text"}]."""
    names = x509.certificates(peer["chain"])[0].sans if "chain" in peer else (("DNS", str(peer["name"])),)
    return any(kind == one["type"] and fits(value, one["how"], one["text"]) for kind, value in names for one in wanted)


def fits(value: str, how: str, text: str) -> bool:
    """A string matcher's verdict."""
    if how == "exact":
        return value == text
    return value.startswith(text) if how == "prefix" else value.endswith(text) if how == "suffix" else text in value


def _fail(session: Data, error: str) -> None:
    session.update(state="failed", error=error)
