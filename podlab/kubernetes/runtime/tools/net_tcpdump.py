"""tcpdump: the packets of the Pod that it runs in. What TLS carries is noise to it, as on a real wire.

Packets that only acknowledge are left out, and a message is one packet whatever its length. Filters: port, src, dst, host, tcp, and, or, not.
"""

from __future__ import annotations

import hashlib
import json

from ...times import stamp
from .. import http, sockets, tls
from ..process import INT, TERM, Data, Process
from ..program import Event, tool
from ..system import Sys
from .net_client import BadOption, parse

METHODS = ("GET ", "POST ", "PUT ", "HEAD ", "PATCH ", "DELETE ", "HTTP/1.")


def _stop(proc: Process, sys: Sys, n: int) -> bool:
    if n in (INT, TERM) and "fd" in proc["data"]:
        proc["data"]["over"] = True
        sys.interrupt()
        return True
    return False


@tool("tcpdump", signal=_stop)
def tcpdump(proc: Process, sys: Sys, event: Event) -> int:
    """tcpdump [-i INTERFACE] [-A] [-n] [-l] [-c COUNT] [-q] [-s N] [-v] [EXPRESSION]."""
    data = proc["data"]
    if "fd" not in data:
        code = _begin(proc, sys)
        if code is not None:
            return code
    while "over" not in data and data["left"]:
        text = sys.read(data["fd"])
        data["buffer"] += text
        *lines, data["buffer"] = data["buffer"].split("\n")
        for line in lines:
            packet = json.loads(line)
            if data["left"] and data["interface"] in ("any", packet["if"]) and _wanted(data["filter"], packet):
                sys.out(_told(data, packet))
                data["seen"] += 1
                data["left"] -= 1
    sys.err(f"\n{data['seen']} packets captured\n{data['seen']} packets received by filter\n0 packets dropped by kernel\n")
    return 0


def _begin(proc: Process, sys: Sys) -> int | None:
    try:
        found, words = parse(proc["argv"][1:], "i:c:s:w:r:AXnlqvtUe", {})
    except BadOption as bad:
        sys.err(f"tcpdump: invalid option -- '{bad.option.lstrip('-')}'\n")
        return 1
    options = dict(found)
    interface = options.get("i", "eth0")
    if interface not in ("any", "eth0", "lo"):
        sys.err(f"tcpdump: {interface}: No such device exists\n(No such device exists)\n")
        return 1
    if sys.proc["uid"] != 0:
        sys.err(f"tcpdump: {interface}: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n")
        return 1
    words = " ".join(words).replace("(", " ").replace(")", " ").split()
    expression = [[one.split() for one in part.split(" and ")] for part in " ".join(words).split(" or ")] if words else []
    problem = next((one for part in expression for one in part if not _understood(one)), None)
    if problem is not None:
        sys.err("tcpdump: can't parse filter expression: syntax error\n")
        return 1
    count = options.get("c", "")
    proc["data"].update(
        fd=sockets.capture(sys),
        buffer="",
        interface=interface,
        filter=expression,
        seen=0,
        left=int(count) if count.isdigit() else -1,
        ascii="A" in options,
    )
    kind = "LINUX_SLL2 (Linux cooked v2)" if interface == "any" else "EN10MB (Ethernet)"
    sys.err(
        "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n"
        f"listening on {interface}, link-type {kind}, snapshot length 262144 bytes\n"
    )
    return None


def _understood(words: list[str]) -> bool:
    words = [word for word in words if word not in ("not", "!", "tcp", "src", "dst", "ip")]
    return not words or (words[0] in ("port", "host") and len(words) == 2)


def _wanted(expression: list[list[list[str]]], packet: Data) -> bool:
    return not expression or any(all(_one(words, packet) for words in part) for part in expression)


def _one(words: list[str], packet: Data) -> bool:
    sides = [packet[side] for side in ("src", "dst") if side in words] or [packet["src"], packet["dst"]]
    value = words[-1]
    if "port" in words:
        found = any(side.rpartition(".")[2] == value for side in sides)
    elif "host" in words:
        found = any(side.rpartition(".")[0] == value for side in sides)
    else:
        found = True
    return found != ("not" in words or "!" in words)


def _told(data: Data, packet: Data) -> str:
    text = packet["data"]
    size = _size(text)
    seq = f", seq {packet['seq'] + 1}:{packet['seq'] + 1 + size}" if size else ""
    name = ""
    if text.startswith(METHODS):
        name = f": HTTP: {text.split(chr(13), 1)[0]}"
    ack = "" if packet["flags"] == "S" else f", ack {packet['ack'] + 1}"
    interface = f"{packet['if']:<5} {packet['way']:<3} " if data["interface"] == "any" else ""
    line = (
        f"{stamp(packet['t'], '%H:%M:%S.%f')} {interface}IP {packet['src']} > {packet['dst']}: Flags [{packet['flags']}]{seq}{ack}, "
        f"win 502, length {size}{name}\n"
    )
    return line + (_shown(text) + "\n" if data["ascii"] and text else "")


def _size(text: str) -> int:
    return http.size(text)


def _shown(text: str) -> str:
    """-A: printable characters, dots for the rest. A TLS record shows its type and then bytes that look like chance."""
    if not text.startswith((tls.HELLO, tls.FLIGHT, tls.DATA, tls.ALERT)):
        return "".join(char if char.isprintable() or char in "\n\t" else "" if char == "\r" else "." for char in text).rstrip("\n")
    name = ""
    if text.startswith(tls.HELLO):  # the name of the server is not encrypted in the first message
        name = tls.server_name(text)
    noise = b""
    while len(noise) < min(_size(text), 480):
        noise += hashlib.sha256(noise[-32:] + text.encode("utf-8", "surrogateescape")).digest()
    shown = "".join(chr(byte) if 33 <= byte < 127 and byte % 3 else "." for byte in noise[: min(_size(text), 480)])
    return "....." + shown[:40] + name + shown[40:]
