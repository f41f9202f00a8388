"""Tools on a machine's network interfaces and routes: ip, ifconfig, route."""

from __future__ import annotations

import re

from ..process import Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, usage


@tool("ip")
def ip(proc: Process, sys: Sys, event: Event) -> int:
    words = [word for word in proc["argv"][1:] if not word.startswith("-")]
    what = words[0] if words else ""
    address = str(sys.sandbox["ip"])
    gateway = address.rpartition(".")[0] + ".1"
    mac = _mac(address)
    if words[1:2] and words[1] in ("add", "del", "delete", "set", "change", "replace", "flush"):
        caps = sys.container.get("caps", ()) if sys.proc["container"] else ("ALL",)
        if sys.proc["uid"] != 0 or not any(name in ("ALL", "NET_ADMIN", "CAP_NET_ADMIN") for name in caps):
            sys.err("ip: RTNETLINK answers: Operation not permitted\n")
            return 2
        if what in ("l", "link") and (status := _dummy(proc, sys, words)) is not None:
            return status
        complain(proc, sys, "RTNETLINK answers: Operation not supported")  # no other devices, and no addresses or routes, are made here
        return 2
    if what in ("a", "addr", "address", "link", "l"):
        addresses = what not in ("link", "l")
        device = (
            words[words.index("dev") + 1]
            if "dev" in words
            else words[2]
            if len(words) > 2 and words[1] in ("show", "list")
            else ""
        )
        if device in ("", "lo"):
            sys.out(
                "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n"
                "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
            )
            if addresses:
                sys.out("    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n"
                        "    inet6 ::1/128 scope host \n       valid_lft forever preferred_lft forever\n")  # fmt: skip
        if device in ("", "eth0"):
            sys.out(
                f"2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue \n"
                f"    link/ether {mac} brd ff:ff:ff:ff:ff:ff\n"
            )
            if addresses:
                sys.out(
                    f"    inet {address}/24 brd {address.rpartition('.')[0]}.255 scope global eth0\n"
                    f"       valid_lft forever preferred_lft forever\n"
                )
        for number, name in enumerate(sys.sandbox.get("dummies", ()), 3):
            if device in ("", name):
                sys.out(f"{number}: {name}: <BROADCAST,NOARP> mtu 1500 qdisc noop qlen 1000\n    link/ether {_mac(address)} brd ff:ff:ff:ff:ff:ff\n")
        if device not in ("", "lo", "eth0", *sys.sandbox.get("dummies", ())):
            complain(proc, sys, f"can't find device '{device}'")
            return 1
        return 0
    if what in ("r", "route", "ro"):
        sys.out(f"default via {gateway} dev eth0 \n{address.rpartition('.')[0]}.0/24 dev eth0 scope link  src {address} \n")
        return 0
    if what in ("n", "neigh"):
        sys.out(f"{gateway} dev eth0 lladdr {_mac(gateway)} used 0/0/0 probes 0 REACHABLE\n")
        return 0
    usage(proc, sys, "")
    return 1


def _dummy(proc: Process, sys: Sys, words: list[str]) -> int | None:
    """`ip link add NAME type dummy`, `ip link del NAME`: a device that carries nothing, until the sandbox is gone. None: something else."""
    held = list(sys.sandbox.get("dummies", ()))
    named = [word for word in words[2:] if word not in ("dev", "name", "type", "dummy")]
    if len(named) != 1:
        return None
    if words[1] == "add" and words[-2:] == ["type", "dummy"]:
        if named[0] in (*held, "lo", "eth0"):
            complain(proc, sys, "RTNETLINK answers: File exists")
            return 2
        sys.sandbox["dummies"] = [*held, named[0]]
        return 0
    if words[1] in ("del", "delete") and named[0] not in ("lo", "eth0"):
        if named[0] not in held:
            complain(proc, sys, f"can't find device '{named[0]}'")
            return 1
        sys.sandbox["dummies"] = [name for name in held if name != named[0]]
        return 0
    return None


def _mac(address: str) -> str:
    return (
        "0a:58:" + ":".join(f"{int(part):02x}" for part in address.split("."))
        if re.fullmatch(r"[\d.]+", address)
        else "0a:58:00:00:00:00"
    )


@tool("ifconfig")
def ifconfig(proc: Process, sys: Sys, event: Event) -> int:
    address = str(sys.sandbox["ip"])
    counters = ("          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n"
                "          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n"
                "          collisions:0 txqueuelen:{} \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n")  # fmt: skip
    names = proc["argv"][1:]
    if not names or "eth0" in names:
        sys.out(f"eth0      Link encap:Ethernet  HWaddr {_mac(address).upper()}  \n"
                f"          inet addr:{address}  Bcast:{address.rpartition('.')[0]}.255"
                "  Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
                "" + counters.format(0))  # fmt: skip
    if not names or "lo" in names:
        sys.out("lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n"
                "          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n"
                + counters.format(1000))  # fmt: skip
    return 0


@tool("route")
def route(proc: Process, sys: Sys, event: Event) -> int:
    network = str(sys.sandbox["ip"]).rpartition(".")[0]
    sys.out("Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
            f"{'0.0.0.0' if '-n' in proc['argv'] else 'default':<16}{network + '.1':<16}{'0.0.0.0':<16}UG    0      0 "
            f"       0 eth0\n"
            f"{network + '.0':<16}{'0.0.0.0' if '-n' in proc['argv'] else '*':<16}{'255.255.255.0':<16}U     0      0 "
            f"       0 eth0\n")  # fmt: skip
    return 0
