"""iptables and iptables-save, of the nat table of the Pod's own network: what redirects a Pod's traffic into a proxy beside it (nat.py)."""

from __future__ import annotations

from .. import nat, sockets
from ..numerals import is_whole, saturated
from ..process import Data, Process
from ..program import Event, tool
from ..system import Sys

VERSION = "v1.8.11 (nf_tables)"
ADMIN = ("NET_ADMIN", "CAP_NET_ADMIN", "ALL")
COMMANDS = {
    "--append": "-A", "--insert": "-I", "--delete": "-D", "--new-chain": "-N", "--new": "-N", "--flush": "-F", "--delete-chain": "-X",
    "--list": "-L", "--list-rules": "-S", "--check": "-C", "--policy": "-P", "--version": "-V",
}  # fmt: skip


class Refused(Exception):
    """iptables' last words and its exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.text, self.code = text, code


def may(sys: Sys) -> bool:
    """Whether the process may change its Pod's network: root with the capability NET_ADMIN."""
    return sys.proc["uid"] == 0 and any(name in ADMIN for name in sys.container.get("caps", ()))


def change(sys: Sys, words: list[str]) -> str:
    """One iptables command without the table; gives what it prints. Raises Refused."""
    if not may(sys):
        raise Refused(f"iptables {VERSION}: Could not fetch rule set generation id: Permission denied (you must be root)\n", 4)
    tables = sockets.network(sys).state["nat"]
    namespace = sockets.namespace(sys)
    table: Data = tables.get(namespace) or nat.new_table()
    command = COMMANDS.get(words[0], words[0]) if words else ""
    chain = words[1] if len(words) > 1 and not words[1].startswith("-") else ""
    rest = [word for word in words[2:] if word not in ("-n", "-v", "--line-numbers", "-w")]
    if command in ("-S", "-L"):
        return _rules(table, chain) if command == "-S" else _list(table, chain)
    if command == "-N":
        if chain in table:
            raise Refused("iptables: Chain already exists.\n", 1)
        table[chain] = []
    elif command == "-F":
        for name in [chain] if chain else list(table):
            _known(table, name).clear()
    elif command == "-X":
        if chain in nat.BUILT_IN or any(rule["target"] == chain for rules in table.values() for rule in rules):
            raise Refused("iptables: Device or resource busy.\n", 1)
        _known(table, chain)
        del table[chain]
    elif command == "-P":
        _known(table, chain)
    elif command in ("-A", "-I", "-D", "-C"):
        _rule(table, command, chain, rest)
    else:
        raise Refused(f"iptables {VERSION}: no command specified\nTry `iptables -h' or 'iptables --help' for more information.\n", 2)
    tables[namespace] = table
    return ""


def _known(table: Data, chain: str) -> list[Data]:
    if chain not in table:
        raise Refused("iptables: No chain/target/match by that name.\n", 1)
    found: list[Data] = table[chain]
    return found


def _rule(table: Data, command: str, chain: str, rest: list[str]) -> None:
    rules = _known(table, chain)
    if command == "-D" and rest and is_whole(rest[0]):
        if saturated(rest[0]) > len(rules) or rest[0] == "0":
            raise Refused("iptables: Index of deletion too big.\n", 1)
        del rules[saturated(rest[0]) - 1]
        return
    at = 0
    if command == "-I" and rest and is_whole(rest[0]):
        at = max(0, saturated(rest.pop(0)) - 1)
    try:
        rule = nat.parse(rest, table)
    except nat.BadRule as error:
        raise Refused(f"iptables {VERSION}: {str(error).rstrip()}\nTry `iptables -h' or 'iptables --help' for more information.\n", 2) from None
    same = next((one for one in rules if one["target"] == rule["target"] and one["match"] == rule["match"]), None)
    if command in ("-D", "-C"):
        if same is None:
            raise Refused("iptables: Bad rule (does a matching rule exist in that chain?).\n", 1)
        if command == "-D":
            rules.remove(same)
    elif command == "-I":
        rules.insert(at, rule)
    else:
        rules.append(rule)


def _rules(table: Data, chain: str) -> str:
    chains = {chain: _known(table, chain)} if chain else table
    head = "".join(f"-P {name} ACCEPT\n" if name in nat.BUILT_IN else f"-N {name}\n" for name in chains)
    return head + "".join(f"-A {name} {rule['text']}\n" for name, rules in chains.items() for rule in rules)


def _list(table: Data, chain: str) -> str:
    out = []
    for name, rules in ({chain: _known(table, chain)} if chain else table).items():
        references = sum(rule["target"] == name for others in table.values() for rule in others)
        of = "policy ACCEPT" if name in nat.BUILT_IN else f"{references} references"
        lines = [f"Chain {name} ({of})", "target     prot opt source               destination         "]
        for rule in rules:
            match = rule["match"]
            proto = match.get("proto", [False, "all"])[1]
            source, to = (("!" if match[key][0] else "") + match[key][1] if key in match else "0.0.0.0/0" for key in ("src", "dst"))
            extra = " ".join(
                f"{'!' if match[key][0] else ''}{words} {match[key][1]}".replace(": ", ":")
                for key, words in (("dports", "tcp dpt:"), ("uid", "owner UID match"), ("gid", "owner GID match"))
                if key in match
            )
            port = f" redir ports {rule['to']}" if "to" in rule else ""
            lines.append(f"{rule['target']:<10} {proto:<4} --  {source:<20} {to:<20} {extra}{port}".rstrip())
        out.append("\n".join(lines) + "\n")
    return "\n".join(out)


@tool("iptables", "iptables-legacy", "iptables-nft")
def iptables(proc: Process, sys: Sys, event: Event) -> int:
    """iptables -t nat with -A -I -D -C -N -F -X -P -L -S."""
    words = [word for word in proc["argv"][1:] if word not in ("-w", "--wait")]
    if words[:1] in (["-V"], ["--version"]):
        sys.out(f"iptables {VERSION}\n")
        return 0
    table = "filter"
    for name in ("-t", "--table"):
        if name in words[:-1]:
            at = words.index(name)
            table, words = words[at + 1], words[:at] + words[at + 2 :]
    while words and words[0] in ("-n", "-v", "--line-numbers", "-vn", "-nv"):
        words.append(words.pop(0))
    words = ["-L", *words[1:]] if words and words[0] in ("-nL", "-vnL", "-nvL", "-Ln") else words
    try:
        if table != "nat":
            if words[:1] in (["-L"], ["-S"], ["--list"]) and may(sys):
                return 0
            if may(sys):
                raise Refused(f"iptables {VERSION}: table `{table}' is not part of this Pod network (nat is)\n", 3)
        sys.out(change(sys, words))
    except Refused as refused:
        sys.err(refused.text)
        return refused.code
    return 0


@tool("iptables-save")
def iptables_save(proc: Process, sys: Sys, event: Event) -> int:
    """iptables-save [-t nat]."""
    if not may(sys):
        sys.err(f"iptables-save {VERSION}: Could not fetch rule set generation id: Permission denied (you must be root)\n")
        return 4
    table: Data = sockets.network(sys).state["nat"].get(sockets.namespace(sys)) or nat.new_table()
    chains = "".join(f":{name} {'ACCEPT' if name in nat.BUILT_IN else '-'} [0:0]\n" for name in table)
    rules = "".join(f"-A {name} {rule['text']}\n" for name, found in table.items() for rule in found)
    sys.out(f"*nat\n{chains}{rules}COMMIT\n")
    return 0
