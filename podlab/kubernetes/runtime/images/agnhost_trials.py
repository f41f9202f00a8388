"""agnhost's small trials of the network: serve-hostname over TCP and UDP, connect, port-forward-tester, tcp-reset, no-snat-test and its proxy.
Source: test/images/agnhost/{serve-hostname,connect,port-forward-tester,tcp-reset,no-snat-test,no-snat-test-proxy} in the Kubernetes tree.
"""

from __future__ import annotations

import ipaddress

from ...times import stamp
from .. import http, sockets
from ..asking import Learned, Wish, go_error
from ..http import text_answer
from ..process import Data, Errno, Process
from ..serving import Answer, query
from ..system import Sys

LOG = "%Y/%m/%d %H:%M:%S"  # of Go's log package
LINGER_MS = 500  # rstAvoidanceDelay
WHOAMI_PORT, PROXY_PORT = 8080, 31235


def raw_hostname(proc: Process, sys: Sys, flags: dict[str, str]) -> int:
    """serve-hostname --http=false --tcp --udp: whoever connects or sends a datagram is told the hostname."""
    data, port = proc["data"], int(flags.get("port") or 9376)
    if "serving" not in data:
        data["serving"] = {}
        if "tcp" in flags:
            data["serving"]["tcp"] = sockets.listen(sys, port)
        if "udp" in flags:
            data["serving"]["udp"] = sockets.bind_datagrams(sys, port)
        sys.err(f"{stamp(sys.now, LOG)} Serving on port {port}.\n")
    tcp, udp = data["serving"].get("tcp"), data["serving"].get("udp")
    while True:
        while tcp is not None and sys.readable(tcp):
            made = sockets.accept(sys, tcp)
            sys.err(f"{stamp(sys.now, LOG)} TCP request from {':'.join(map(str, sockets.peer(sys, made)))}\n")
            sys.write(made, sys.hostname)
            sys.close(made)
        while udp is not None and sys.readable(udp):
            _, sender = sockets.receive(sys, udp)
            sys.err(f"{stamp(sys.now, LOG)} UDP request from {sender[0]}:{sender[1]}\n")
            sockets.send(sys, udp, sys.hostname, sender)
        sys.poll(tuple(fd for fd in (tcp, udp) if fd is not None))


def connect(proc: Process, sys: Sys, words: list[str], flags: dict[str, str]) -> int:
    """agnhost connect [--timeout=5s] [--protocol=tcp|udp] HOST:PORT: nothing on success, else UNKNOWN, DNS, REFUSED, TIMEOUT or OTHER.
    SCTP is not spoken here: OTHER, as on a machine whose kernel has no module for it."""
    target = next((word for word in reversed(words) if not word.startswith("-")), "")
    protocol = flags.get("protocol") or "tcp"
    host, colon, port = target.rpartition(":")
    if protocol not in ("tcp", "udp", "sctp"):
        sys.err(f"Unsupported protocol\n{protocol}")
        return 1
    if not colon:
        sys.err(f"{'UNKNOWN' if protocol == 'tcp' else 'DNS'}: address {target}: missing port in address\n")
        return 1
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        sys.err(f"DNS: lookup {host}: no such host\n")
        return 1
    if not port.isdigit():
        sys.err(f"DNS: lookup {protocol}/{port}: unknown port\n")
        return 1
    if protocol == "sctp":
        sys.err("OTHER: protocol not supported\n")
        return 1
    wait = int(float((flags.get("timeout") or "0s").rstrip("s") or 0) * 1000)
    if protocol == "udp":
        return _connect_udp(proc, sys, addresses[0], int(port), flags.get("udp-data") or "hostname", wait)
    try:
        sockets.connect(sys, "socket", addresses[0], int(port), wait or None)
    except Errno as error:
        sys.err({"ECONNREFUSED": "REFUSED", "ETIMEDOUT": "TIMEOUT"}.get(error.name, f"OTHER: {error.text}") + "\n")
        return 1
    return 0


def _connect_udp(proc: Process, sys: Sys, address: str, port: int, text: str, wait_ms: int) -> int:
    """A datagram and its answer; without a timeout it is waited for without end."""
    data = proc["data"]
    if "udp" not in data:
        data.update(udp=sockets.bind_datagrams(sys), until=sys.now + wait_ms if wait_ms else None)
        sockets.send(sys, data["udp"], text + "\n", [address, port])
    while not sys.readable(data["udp"]):
        if data["until"] is not None and sys.now >= data["until"]:
            sys.err(f"TIMEOUT: read udp {address}:{port}: i/o timeout\n")
            return 1
        sys.poll((data["udp"],), None if data["until"] is None else data["until"] - sys.now)
    sockets.receive(sys, data["udp"])
    return 0


def port_forward_tester(proc: Process, sys: Sys) -> int:
    """One client: what it must say, then CHUNKS of CHUNK_SIZE bytes every CHUNK_INTERVAL ms. Codes 2 and 3: it said too little, or else."""
    data, env = proc["data"], proc["env"]
    if "listener" not in data:
        address = env.get("BIND_ADDRESS") or "localhost"
        data["listener"] = sockets.listen(sys, int(env.get("BIND_PORT") or 0), "127.0.0.1" if address == "localhost" else address)
    if "client" not in data:
        data.update(client=sockets.accept(sys, data["listener"]), heard="", sent=0)
        sys.out("Accepted client connection\n")
    client, expected = data["client"], env.get("EXPECTED_CLIENT_DATA") or ""
    if expected and not data.get("checked"):
        data["heard"] = sys.read(client)[:len(expected)]
        if len(data["heard"]) != len(expected):
            sys.out(f"Expected to read {len(expected)} bytes from client, but got {len(data['heard'])} instead. err=<nil>\n")
            return 2
        if data["heard"] != expected:
            sys.out(f'Expect to read "{expected}", but got "{data["heard"]}". err=<nil>\n')
            return 3
        sys.out("Received expected client data\n")
        data["checked"] = True
    for name in ("CHUNKS", "CHUNK_SIZE", "CHUNK_INTERVAL"):
        if not (env.get(name) or "").isdigit():
            sys.out(f'Error parsing {name} "{env.get(name) or ""}": strconv.Atoi: parsing "{env.get(name) or ""}": invalid syntax\n')
            return 1
    while data["sent"] < int(env["CHUNKS"]):
        if sys.now < data.get("due", 0):
            sys.sleep(data["due"] - sys.now)
        sys.write(client, "x" * int(env["CHUNK_SIZE"]))
        data.update(sent=data["sent"] + 1, due=sys.now + int(env["CHUNK_INTERVAL"]))
    if "over" not in data:
        sys.out("Shutting down connection\n")
        sockets.shutdown(sys, client)
        data["over"] = sys.now + LINGER_MS
    if sys.now < data["over"]:
        sys.sleep(data["over"] - sys.now)
    sys.close(client)
    sys.out("Done\n")
    return 0


def tcp_reset(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    """A `Feed`: whoever says something is hung up on, with what else it said unread."""
    return False


def addressed(proc: Process) -> str:
    """What is wrong with the environment of no-snat-test; "" for nothing."""
    for name in ("POD_IP", "NODE_IP"):
        text = proc["env"].get(name)
        if text is None:
            return f"{name} env var was not present in the environment\n"
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return f'{name} env var contained "{text}", which is not an IP address\n'
    return ""


def no_snat_wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    """/checknosnat?ips= asks each of them who it thinks is calling; no-snat-test-proxy asks its `target` to do that."""
    values, proxy = query(request), proc["data"]["mode"] == "no-snat-test-proxy"
    if request.path != "/checknosnat":
        return None
    targets = [values.get("target", "")] if proxy else values.get("ips", "").split(",")
    if len(learned) >= len(targets):
        return None
    target = targets[len(learned)]
    host, _, port = target.rpartition(":") if ":" in target else (target, "", "80")
    path = f"/checknosnat?ips={values.get('ips', '')}" if proxy else "/whoami"
    return Wish(str(len(learned)), host, int(port) if port.isdigit() else 0, http.request("GET", path, target, [("Connection", "close")]))


def no_snat_answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    if request.path == "/whoami" and proc["data"]["mode"] == "no-snat-test":
        return text_answer(f"{peer}:{40000 + sys.random(20000)}")
    if request.path != "/checknosnat":
        return text_answer("404 page not found\n", 404)
    answers = list(learned.values())
    if proc["data"]["mode"] == "no-snat-test-proxy":
        return text_answer(go_error(answers[0]), 500) if answers[0]["error"] else text_answer(answers[0]["body"], answers[0]["status"])
    pod, node = proc["env"]["POD_IP"], proc["env"]["NODE_IP"]
    wrong = [fault for one in answers if (fault := go_error(one) if one["error"] else _masked(one["body"].split(":")[0], pod, node))]
    return text_answer(", ".join(wrong), 500 if wrong else 200)


def _masked(seen: str, pod: str, node: str) -> str:
    if seen == pod:
        return ""
    if seen == node:
        return f'Returned ip "{seen}" != my Pod ip "{pod}", == my Node ip "{node}" - SNAT'
    return (f'Returned ip "{seen}" != my Pod ip "{pod}" or my Node ip "{node}" - SNAT to unexpected ip '
            "(possible SNAT through unexpected interface on the way into another node)")
