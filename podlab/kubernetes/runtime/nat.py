"""A Pod's own packet rules: the part of iptables' nat table that a mesh's init container writes, and what it does to a connection.

`Network.state["nat"]` has {namespace: {chain: [rule]}}; a rule is {"text": what was written after -A CHAIN, "target", "to"?, "match"}.
PREROUTING sees connections that come in from other Pods and nodes, OUTPUT those that the Pod's own processes make. Of a rule's
matches these count: -p tcp, --dport and --dports, -d, -s, -i, -o, -m owner --uid-owner and --gid-owner, each with `!`; targets are
REDIRECT, RETURN, ACCEPT and chains. Source: iptables(8), iptables-extensions(8).
"""

from __future__ import annotations

import ipaddress
from typing import Any

Data = dict[str, Any]
BUILT_IN = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
ENDS = ("REDIRECT", "RETURN", "ACCEPT")
TAKES = {
    "-p": "proto", "--protocol": "proto", "--dport": "dports", "--destination-port": "dports", "--dports": "dports", "--sport": "sports",
    "-d": "dst", "--destination": "dst", "-s": "src", "--source": "src", "-i": "in", "--in-interface": "in", "-o": "out", "--out-interface": "out",
    "--uid-owner": "uid", "--gid-owner": "gid", "--comment": "comment",
}  # fmt: skip
MODULES = ("tcp", "owner", "multiport", "comment")


class BadRule(Exception):
    """iptables' words for a rule that it does not take."""


def new_table() -> Data:
    return {chain: [] for chain in BUILT_IN}


def parse(words: list[str], table: Data) -> Data:
    """A rule from the words after `-A CHAIN`. Raises BadRule."""
    match: Data = {}
    target, to, negated = "", 0, False
    todo = list(words)
    while todo:
        word = todo.pop(0)
        if word == "!":
            negated = True
            continue
        value = todo.pop(0) if todo else ""
        if word in ("-m", "--match"):
            if value not in MODULES:
                raise BadRule(f"Couldn't load match `{value}':No such file or directory\n")
        elif word in ("-j", "--jump"):
            target = value
            if value not in ENDS and value not in table:
                raise BadRule(f"Couldn't load target `{value}':No such file or directory\n")
        elif word in ("--to-port", "--to-ports"):
            if not value.isdigit() or not 0 < int(value) < 65536:
                raise BadRule(f'Port "{value}" does not resolve to anything.\n')
            to = int(value)
        elif word in TAKES:
            match[TAKES[word]] = [negated, value]
            _check(TAKES[word], value)
        else:
            raise BadRule(f'unknown option "{word}"')
        negated = False
    if not target:
        raise BadRule("no command specified")
    if target == "REDIRECT" and match.get("proto", [False, ""])[1] not in ("tcp", "6") and to:
        raise BadRule("Need TCP, UDP, SCTP or DCCP with port specification\n")
    match.pop("comment", None)
    return {"text": " ".join(_quoted(words)), "target": target, "match": match, **({"to": to} if to else {})}


def _quoted(words: list[str]) -> list[str]:
    return [f'"{word}"' if " " in word else word for word in words]


def _check(kind: str, value: str) -> None:
    if kind in ("dports", "sports"):
        for part in value.split(","):
            low, _, high = part.partition(":")
            if not low.isdigit() or (high and not high.isdigit()):
                raise BadRule(f"invalid port/service `{part}' specified")
    elif kind in ("dst", "src"):
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise BadRule(f"host/network `{value}' not found") from None
    elif kind in ("uid", "gid") and not value.isdigit():
        raise BadRule(f'owner: Bad value for "--{kind}-owner" option: "{value}"')


def redirected(table: Data, chain: str, packet: Data) -> int | None:
    """The port that a connection goes to instead, or None. `packet`: {"dst", "src", "port", "uid", "gid", "in", "out"}."""
    return _walk(table, chain, packet, 0)[1]


def _walk(table: Data, chain: str, packet: Data, depth: int) -> tuple[bool, int | None]:
    """(a verdict was reached, the new port)."""
    for rule in table.get(chain, ()) if depth < 8 else ():
        if not all(_matches(kind, negated, value, packet) for kind, (negated, value) in rule["match"].items()):
            continue
        if rule["target"] == "REDIRECT":
            return True, rule.get("to", packet["port"])
        if rule["target"] == "ACCEPT":
            return True, None
        if rule["target"] == "RETURN":
            return depth == 0, None
        done, port = _walk(table, rule["target"], packet, depth + 1)
        if done:
            return True, port
    return False, None


def _matches(kind: str, negated: bool, value: str, packet: Data) -> bool:
    if kind == "proto":
        found = value in ("tcp", "6", "all")
    elif kind == "dports":
        found = any(_within(packet["port"], part) for part in value.split(","))
    elif kind in ("dst", "src"):
        found = ipaddress.ip_address(packet[kind]) in ipaddress.ip_network(value, strict=False)
    elif kind in ("in", "out"):
        name = packet.get(kind, "")
        found = name.startswith(value[:-1]) if value.endswith("+") else name == value
    elif kind in ("uid", "gid"):
        found = str(packet.get(kind, "")) == value
    else:
        found = False  # source ports are drawn anew each time: no rule on them holds
    return found != negated


def _within(port: int, part: str) -> bool:
    low, colon, high = part.partition(":")
    return int(low) <= port <= int(high or (low if not colon else 65535))
