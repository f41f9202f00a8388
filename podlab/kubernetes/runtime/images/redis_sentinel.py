"""Redis Sentinel: a server that is told which masters to watch and tells clients where they are. It never elects another one.

`data["watches"]` {master's name: {"ip", "port", "quorum"}}. Source: redis.io/docs/latest/operate/oss_and_stack/management/sentinel, src/sentinel.c.
"""

from __future__ import annotations

from .. import sockets
from ..process import Data, Errno, Process
from ..system import Sys
from .redis_commands import OK, RedisError, Reply
from .redis_replication import log

PORT = "26379"
KNOWN = frozenset({"PING", "SENTINEL", "INFO", "AUTH", "QUIT", "HELLO", "ROLE", "SHUTDOWN", "CLIENT", "COMMAND"})
"""Commands of a sentinel; every other is unknown to it."""


def is_sentinel(proc: Process) -> bool:
    return proc["argv"][0].endswith("redis-sentinel") or "--sentinel" in proc["argv"][1:]


def watch(proc: Process, sys: Sys, lines: list[str]) -> str:
    """Notes whom the configuration's `sentinel` lines watch; what is wrong with them, or ""."""
    watches: Data = {}
    for line in lines:
        words = line.split()
        if words[:1] != ["monitor"]:
            if words and words[0] in ("down-after-milliseconds", "parallel-syncs", "failover-timeout", "auth-pass") and words[1:2]:
                if words[1] not in watches:
                    return "No such master with specified name."
            continue
        if len(words) != 5 or not words[3].isdigit() or not words[4].isdigit():
            return "Unrecognized sentinel configuration statement"
        addresses = sockets.resolve(sys, words[2])[1]
        if not addresses:
            return "Can't resolve instance hostname."
        watches[words[1]] = {"ip": addresses[0], "port": words[3], "quorum": words[4]}
    proc["data"]["watches"] = watches
    return ""


def writable(sys: Sys, path: str) -> bool:
    """Sentinels keep their state in their configuration file; says what a sentinel says that cannot."""
    try:
        sys.close(sys.open(path, "a"))
    except Errno as error:
        log(sys, "#", f"Sentinel config file {path} is not writable: {error.text}. Exiting...", "X")
        return False
    return True


def started(proc: Process, sys: Sys) -> None:
    log(sys, "#", f"Sentinel ID is {sys.random(1 << 60):015x}{sys.random(1 << 60):015x}{sys.random(1 << 40):010x}", "X")
    for name, one in proc["data"]["watches"].items():
        log(sys, "#", f"+monitor master {name} {one['ip']} {one['port']} quorum {one['quorum']}", "X")


def information(data: Data) -> list[str]:
    rows = [f"master{at}:name={name},status=ok,address={one['ip']}:{one['port']},slaves=0,sentinels=1" for at, (name, one) in
            enumerate(data["watches"].items())]  # fmt: skip
    return [f"sentinel_masters:{len(rows)}", "sentinel_tilt:0", "sentinel_running_scripts:0", *rows]


def answer(proc: Process, sys: Sys, words: list[str]) -> Reply:
    """SENTINEL get-master-addr-by-name | master | masters | ckquorum."""
    data = proc["data"]
    watches = data.get("watches")
    if watches is None:
        raise RedisError("ERR unknown command 'SENTINEL', with args beginning with: " + "".join(f"'{one}' " for one in words[:3]))
    act, name = (words[0].lower() if words else ""), words[1] if len(words) > 1 else ""
    found = watches.get(name)
    if act == "get-master-addr-by-name":
        return [found["ip"], found["port"]] if found else None
    if act == "masters":
        return [_row(one, watches[one]) for one in watches]
    if act not in ("master", "ckquorum", "replicas", "slaves", "sentinels"):
        raise RedisError(f"ERR Unknown sentinel subcommand '{words[0] if words else ''}'")
    if found is None:
        raise RedisError("ERR No such master with that name")
    if act == "ckquorum":
        if int(found["quorum"]) > 1:
            raise RedisError("NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master")
        return OK
    return _row(name, found) if act == "master" else []


def _row(name: str, one: Data) -> list[Reply]:
    return ["name", name, "ip", one["ip"], "port", one["port"], "flags", "master", "quorum", one["quorum"]]
