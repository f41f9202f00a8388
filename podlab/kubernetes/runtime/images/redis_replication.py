"""Redis's replication: a replica asks its master for everything (PSYNC), then does what the master does.

`data["replicaof"]` {"host", "port", "link"?: {"fd", "state": connecting, sync or connected, "buffer"}, "due", "since"} of a replica; a master's
connections to its replicas have "replica": True. The snapshot is JSON where Redis sends an RDB. No partial resynchronisation.
Source: redis.io/docs/latest/operate/oss_and_stack/management/replication, commands/info, src/replication.c (log lines).
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ...times import stamp
from .. import sockets
from ..numerals import is_whole, saturated
from ..process import Data, Errno, Process
from ..serving import Waits
from ..system import Sys
from .redis_commands import COMMANDS, OK, RedisError, Reply, purge
from .redis_protocol import decode, encode, request_words

AGAIN_MS = 1_000  # replicationCron runs once a second
REPLID = "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb"  # forty hexadecimal digits; nobody compares them here
READONLY = "READONLY You can't write against a read only replica."


def log(sys: Sys, sign: str, text: str, role: str = "M") -> None:
    sys.out(f"{sys.proc['pid']}:{role} {stamp(sys.now, '%d %b %Y %H:%M:%S')}.{sys.now % 1000:03d} {sign} {text}\n")


def follow(proc: Process, sys: Sys, words: list[str]) -> Reply:
    """REPLICAOF HOST PORT | NO ONE."""
    data = proc["data"]
    if len(words) != 2:
        raise RedisError("ERR wrong number of arguments for 'replicaof' command")
    _hang_up(sys, data)
    if [one.upper() for one in words] == ["NO", "ONE"]:
        if data.pop("replicaof", None):
            log(sys, "*", "MASTER MODE enabled (user request from client)")
        return OK
    if not is_whole(words[1]) or not 0 < saturated(words[1]) < 65_536:
        raise RedisError("ERR Invalid master port")
    data["replicaof"] = {"host": words[0], "port": saturated(words[1]), "due": sys.now, "since": sys.now}
    return OK


def _hang_up(sys: Sys, data: Data) -> None:
    link = data.get("replicaof", {}).pop("link", None)
    if link:
        sys.close(link["fd"])


# ---- the replica's side


def chores(proc: Process, sys: Sys) -> Waits:
    """Keeps the line to the master, and does what comes over it."""
    master = proc["data"].get("replicaof")
    if master is None:
        return Waits()
    if "link" not in master:
        if sys.now < master["due"]:
            return Waits(ms=master["due"] - sys.now)
        log(sys, "*", f"Connecting to MASTER {master['host']}:{master['port']}", "S")
        found = sockets.resolve(sys, master["host"])[1]
        if not found:
            return _later(sys, master, f"Unable to connect to MASTER: {master['host']}: Name or service not known")
        master["link"] = {"fd": sockets.dial(sys, found[0], master["port"]), "state": "connecting", "buffer": ""}
    link = master["link"]
    if link["state"] == "connecting":
        state = sockets.dialed(sys, link["fd"])
        if state == "connecting":
            return Waits(objs=("sock:" + proc["fds"][str(link["fd"])],))
        if state != "open":
            return _later(sys, master, f"Error condition on socket for SYNC: {Errno(state).text}")
        log(sys, "*", "MASTER <-> REPLICA sync started", "S")
        secret = proc["data"]["conf"].get("masterauth")
        first = encode(["AUTH", secret]) if secret else ""
        port = proc["data"]["conf"]["port"]
        sys.write(link["fd"], f"{first}{encode(['REPLCONF', 'listening-port', port])}{encode(['PSYNC', '?', '-1'])}")
        link["state"] = "sync"
    while sys.readable(link["fd"]):
        text = sys.read(link["fd"])
        link["buffer"] += text
        told = _hear(proc, sys, link) if text else "Connection with master lost."
        if told:
            return _later(sys, master, told)
    return Waits(fds=(link["fd"],))


def _later(sys: Sys, master: Data, text: str) -> Waits:
    log(sys, "#" if "link" not in master or master["link"]["state"] != "connected" else "*", text, "S")
    _hang_up(sys, {"replicaof": master})
    master.update(due=sys.now + AGAIN_MS, since=sys.now)
    return Waits(ms=AGAIN_MS)


def _hear(proc: Process, sys: Sys, link: Data) -> str:
    """Takes what has come; the complaint for which the line is given up, or ""."""
    data = proc["data"]
    while link["state"] == "sync" and (found := decode(link["buffer"])) is not None:
        reply, link["buffer"] = found
        if isinstance(reply, RedisError):
            return f"MASTER aborted replication with an error: {reply}"
        if isinstance(reply, str) and reply.startswith("{"):
            snapshot = json.loads(reply)
            data["db"], data["expires"], data["size"] = snapshot["db"], snapshot["expires"], len(reply)
            sys.allocate(data["size"])
            link["state"] = "connected"
            log(sys, "*", f"MASTER <-> REPLICA sync: receiving {len(reply)} bytes from master to disk", "S")
            log(sys, "*", "MASTER <-> REPLICA sync: Finished with success", "S")
    while link["state"] == "connected":
        try:
            command = request_words(link["buffer"])
        except RedisError as error:
            return str(error)
        if command is None:
            break
        words, link["buffer"] = command
        known = COMMANDS.get(words[0].upper()) if words else None
        if known is not None:
            purge(data, sys.now)
            known.act(data, sys.now, words[1:])
            data["changed"] += 1
            tell(proc, sys, words)
    return ""


# ---- the master's side


def snapshot(proc: Process, sys: Sys, connection: Data) -> str:
    """The answer to PSYNC: everything there is; what changes from now on is told to this connection."""
    data = proc["data"]
    connection["replica"] = True
    address = f"{connection['peer']}:{connection.get('listens', '6379')}"
    log(sys, "*", f"Replica {address} asks for synchronization")
    log(sys, "*", f"Full resync requested by replica {address}")
    log(sys, "*", f"Synchronization with replica {address} succeeded")
    return f"+FULLRESYNC {REPLID} 0\r\n" + encode(json.dumps({"db": data["db"], "expires": data["expires"]}))


def tell(proc: Process, sys: Sys, words: list[str]) -> None:
    """Tells every replica of a command that has changed something."""
    for fd, connection in proc["data"]["connections"].items():
        if connection.get("replica"):
            try:
                sys.write(int(fd), encode(words))
            except Errno:
                connection["replica"] = False  # its end is noticed when it is read from


def _replicas(data: Data) -> list[Data]:
    return [one for one in data["connections"].values() if one.get("replica")]


def role(data: Data) -> Reply:
    """ROLE."""
    master = data.get("replicaof")
    if master:
        state = {"connecting": "connect", "": "connect"}.get(_state(master), _state(master))
        return ["slave", master["host"], master["port"], state, data["commands"]]
    return ["master", data["commands"], [[one["peer"], one.get("listens", "6379"), str(data["commands"])] for one in _replicas(data)]]


def _state(master: Data) -> str:
    return str(master["link"]["state"]) if "link" in master else ""


def information(data: Data, now: int) -> list[str]:
    """The section Replication of INFO."""
    master, held = data.get("replicaof"), _replicas(data)
    lines = ["role:slave" if master else "role:master"]
    if master:
        up = _state(master) == "connected"
        lines += [
            f"master_host:{master['host']}",
            f"master_port:{master['port']}",
            f"master_link_status:{'up' if up else 'down'}",
            f"master_last_io_seconds_ago:{0 if up else -1}",
            f"master_sync_in_progress:{int(_state(master) == 'sync')}",
            *([] if up else [f"master_link_down_since_seconds:{(now - master['since']) // 1000}"]),
            "slave_priority:100",
            f"slave_read_only:{int(data['conf'].get('replica-read-only', 'yes') == 'yes')}",
        ]
    lines.append(f"connected_slaves:{len(held)}")
    lines += [f"slave{at}:ip={one['peer']},port={one.get('listens', '6379')},state=online,offset={data['commands']},lag=0"
              for at, one in enumerate(held)]  # fmt: skip
    return [*lines, "master_failover_state:no-failover", f"master_replid:{REPLID}", f"master_repl_offset:{data['commands']}"]


OWN: dict[str, Callable[[Process, Sys, list[str]], Reply]] = {
    "REPLICAOF": follow,
    "SLAVEOF": follow,
    "ROLE": lambda proc, sys, words: role(proc["data"]),
}
