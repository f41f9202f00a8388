"""ssl: TLS as runtime/tls.py has it, around a socket. The handshake is done where CPython does it: in accept(), connect() or wrap_socket().

Whom a client trusts by itself: the authority of the small Internet, as curl here does.
"""

from __future__ import annotations

from typing import Any

from ... import internet_hosts, tls, x509
from ...process import Data
from .machine import Machine
from .natives import native
from .values import Class, Instance, Raised, Thing

SOURCE_LINES = {11: 1006, 12: 1010, 13: 1028}
"""Where CPython's _ssl.c says that an error came from, by release."""


def failure(m: Machine, name: str, reason: str, text: str) -> Raised:
    """An ssl.SSLError or one that comes from it."""
    cls = m.modules["ssl"].vars[name]
    said = f"[SSL: {reason}] {text} (_ssl.c:{SOURCE_LINES.get(m.facts['minor'], 1000)})"
    assert isinstance(cls, Class)
    return Raised(Instance(cls, {"args": (1, said), "errno": 1, "strerror": said, "filename": None, "reason": reason, "library": "SSL",
                                 "verify_message": text.partition(": ")[2], "verify_code": 20}))  # fmt: skip


@native("ssl._wrap")
def _wrap(m: Machine, s: Thing, server: bool, context: dict[str, Any], name: Any) -> Thing:
    """A socket that speaks TLS from now on; `context`: chain, trust, require, verify, check_hostname."""
    made = Thing("socket", {**s.vars, "_tls": {**context, "server": bool(server), "name": name or ""}})
    s.vars.update(_fd=-1, _state="closed")
    return made


@native("ssl._certificates")
def _certificates(m: Machine, text: str) -> int:
    """How many certificates a PEM text holds. Raises SSLError for none."""
    try:
        count = len(x509.certificates(text))
    except x509.BadCertificate:
        count = 0
    if not count:
        raise failure(m, "SSLError", "NO_START_LINE" if "BEGIN" not in text else "BAD_BASE64_DECODE", "PEM lib")
    return count


def begin(m: Machine, s: Thing) -> None:
    """A connection that was just made has its session."""
    context = s.vars["_tls"]
    if context["server"]:
        session = tls.server()
    else:
        name = "" if context["name"].replace(".", "").isdigit() else context["name"]
        session = tls.client(m.sys, s.vars["_fd"], {"sni": name})
    s.vars.update(_session=session, _plain="")


def shaken(m: Machine, s: Thing) -> bool:
    """Goes on with the handshake; False while the other side has more to say. Raises SSLError, and the connection is over."""
    try:
        return _shake(m, s)
    except Raised:
        m.sys.close(s.vars["_fd"])
        s.vars.update(_fd=-1, _state="closed")
        raise


def _shake(m: Machine, s: Thing) -> bool:
    session = s.vars["_session"]
    while session["state"] in ("hello", "finish"):
        if not m.sys.readable(s.vars["_fd"]):
            return False
        if not take(m, s):
            raise failure(m, "SSLEOFError", "UNEXPECTED_EOF_WHILE_READING", "EOF occurred in violation of protocol")
    if not s.vars["_tls"]["server"]:
        _judge(m, s.vars["_tls"], session)
    return True


def take(m: Machine, s: Thing) -> bool:
    """Reads what has come in into what is kept in plain; False at the end of the stream. Raises SSLError."""
    session, context = s.vars["_session"], s.vars["_tls"]
    text = m.sys.read(s.vars["_fd"], 65_536)
    own: Data = {"chain": context["chain"]} if context["chain"] else {}
    if context["server"] and context["require"]:
        own.update(trust=context["trust"], require=True)
    s.vars["_plain"] += tls.feed(m.sys, s.vars["_fd"], session, text, own)
    if session["state"] == "failed":
        reason = str(session["error"])
        raise failure(m, "SSLError", reason, reason.lower().replace("_", " ").removeprefix("sslv3 ") if "ALERT" in reason else
                      reason.lower().replace("_", " "))  # fmt: skip
    return bool(text)


def _judge(m: Machine, context: dict[str, Any], session: Data) -> None:
    """What a client thinks of the server's certificate. Raises SSLCertVerificationError."""
    if not context["verify"]:
        return
    chain = str((session["peer"] or {}).get("chain", ""))
    why = x509.verify(chain, context["trust"] or internet_hosts.ROOT, m.sys.now).replace("self signed", "self-signed")
    host = context["name"]
    if not why and context["check_hostname"]:
        names = [value for kind, value in x509.certificates(chain)[0].sans if kind in ("DNS", "IP_ADDRESS")]
        if not any(one in (host, f"*.{host.partition('.')[2]}") for one in names):
            kind = "IP address" if host.replace(".", "").isdigit() else "Hostname"
            why = f"{kind} mismatch, certificate is not valid for '{host}'."
    if why:
        raise failure(m, "SSLCertVerificationError", "CERTIFICATE_VERIFY_FAILED", f"certificate verify failed: {why}")


def send(m: Machine, s: Thing, text: str) -> None:
    tls.write(m.sys, s.vars["_fd"], s.vars["_session"], text)


@native("socket.getpeercert")
def _peer(m: Machine, s: Thing, binary_form: bool = False) -> Any:
    chain = str((s.vars["_session"]["peer"] or {}).get("chain", "")) if "_session" in s.vars else ""
    if not chain:
        return None
    found = x509.certificates(chain)[0]
    return {"subject": ((("commonName", found.subject.removeprefix("CN=")),),),
            "subjectAltName": tuple(("IP Address" if kind == "IP_ADDRESS" else kind, value) for kind, value in found.sans)}  # fmt: skip


@native("socket.version")
def _version(m: Machine, s: Thing) -> Any:
    return "TLSv1.3" if "_session" in s.vars else None


@native("socket.cipher")
def _cipher(m: Machine, s: Thing) -> Any:
    return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256) if "_session" in s.vars else None
