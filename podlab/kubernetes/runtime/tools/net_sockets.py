"""Tools that list a Pod's sockets: netstat and ss."""

from __future__ import annotations

from .. import sockets
from ..process import Process
from ..program import Event, tool
from ..system import Sys
from .net_client import parse_busybox


def _owners(sys: Sys) -> dict[str, tuple[int, str]]:
    """Description -> (pid, name) of those processes that this one can see."""
    return {key: (proc["pid"], proc["argv"][0].rpartition("/")[2]) for proc in sys.processes() for key in proc["fds"].values()}


def _rows(sys: Sys, listening: bool, others: bool) -> list[tuple[str, str, str, str, str]]:
    """(protocol, local, remote, state, description) of the Pod's sockets."""
    network, namespace = sockets.network(sys), sockets.namespace(sys)
    found: list[tuple[str, str, str, str, str]] = []
    if listening:
        for held in network.state["listeners"].get(namespace, {}).values():
            found += [
                (
                    one["protocol"],
                    f"{one['address']}:{one['port']}",
                    "0.0.0.0:*",
                    "LISTEN" if one["protocol"] == "tcp" else "",
                    one["desc"],
                )
                for one in held
            ]
        found.sort(key=lambda row: (row[0], int(row[1].rpartition(":")[2])))
    if others:
        found += [("tcp", local, remote, state, desc) for local, remote, state, desc in network.connections_of(namespace)]
    return found


@tool("netstat")
def netstat(proc: Process, sys: Sys, event: Event) -> int:
    """netstat [-l] [-a] [-t] [-n] [-p]; -r is the routing table's."""
    flags = "".join(letter for letter, _ in parse_busybox(proc, sys, "laentuwxrWp")[0])
    if "r" in flags:
        sys.spawn(["route", "-n"]) if "asked" not in proc["data"] else None
        proc["data"]["asked"] = True
        sys.wait()
        return 0
    owners = _owners(sys) if "p" in flags else {}
    kind = "(only servers)" if "l" in flags else "(servers and established)" if "a" in flags else "(w/o servers)"
    sys.out(
        f"Active Internet connections {kind}\nProto Recv-Q Send-Q Local Address           Foreign Address         State       "
        f"{'PID/Program name    ' if 'p' in flags else ''}\n"
    )
    for protocol, local, remote, state, desc in _rows(sys, "l" in flags or "a" in flags, "l" not in flags):
        if ("t" in flags or "u" in flags) and protocol[0] not in flags:
            continue
        owner = owners.get(desc)
        shown = (f"{owner[0]}/{owner[1]}" if owner else "-") if "p" in flags else ""
        sys.out(f"{protocol:<5} {0:>6} {0:>6} {local:<23} {remote:<23} {state:<11} {shown}\n")
    return 0


@tool("ss")
def ss(proc: Process, sys: Sys, event: Event) -> int:
    """ss [-l] [-a] [-t] [-n] [-p], of iproute2."""
    flags = "".join(letter for letter, _ in parse_busybox(proc, sys, "laentupsHiox46")[0])
    owners = _owners(sys) if "p" in flags else {}
    rows = [row for row in _rows(sys, "l" in flags or "a" in flags, "l" not in flags) if not ("t" in flags or "u" in flags) or row[0][0] in flags]
    table = [["State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process"]]
    for _, local, remote, state, desc in rows:
        owner = owners.get(desc)
        table.append(
            [
                {"ESTABLISHED": "ESTAB", "CLOSE_WAIT": "CLOSE-WAIT", "SYN_SENT": "SYN-SENT", "": "UNCONN"}.get(state, state),
                "0",
                "511" if state == "LISTEN" else "0",
                local,
                remote,
                f'users:(("{owner[1]}",pid={owner[0]},fd=3))' if owner else "",
            ]
        )
    if "H" in flags:
        del table[0]
    widths = [max((len(row[column]) for row in table), default=0) for column in range(5)]
    for state, received, sent, local, remote, owned in table:
        ends = [f"{text.rpartition(':')[0]:>{width - 5}}:{text.rpartition(':')[2]:<4}" for text, width in ((local, widths[3]), (remote, widths[4]))]
        sys.out(f"{state:<{widths[0]}} {received:<{widths[1]}} {sent:<{widths[2]}} {ends[0]} {ends[1]} {owned}".rstrip() + "\n")
    return 0
