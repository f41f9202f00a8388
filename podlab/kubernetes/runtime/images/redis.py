"""Redis: a server that speaks RESP and keeps real data, saved to dump.rdb as its save points say when it ends; and redis-cli.

Commands: strings, counters, expiry, lists, sets, hashes, sorted sets, keys, INFO, CONFIG GET/SET, SAVE, AUTH; replication is in
redis_replication.py. No publish/subscribe, no transactions, no blocking pops.
Sources: redis.io/docs/latest/commands, the protocol specification (RESP2).
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from ..image import release
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import listen_on, serve
from ..system import Sys
from . import redis_sentinel
from .redis_cli import VERSION
from .redis_commands import COMMANDS, RedisError, Status, purge
from .redis_protocol import encode, request_words
from .redis_replication import OWN, READONLY, chores, follow, information, log, snapshot, tell

DUMP_MARK = "REDIS0012"
DEFAULTS = {
    "port": "6379",
    "bind": "* -::*",
    "requirepass": "",
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "appendonly": "no",
    "save": "3600 1 300 100 60 10000",
    "dir": "/data",
    "dbfilename": "dump.rdb",
    "timeout": "0",
    "databases": "16",
    "loglevel": "notice",
}


# ---- the server


class BadDirective(Exception):
    """A line of the configuration file that no directive looks like (config.c, loadServerConfigFromString)."""


def configuration(proc: Process, sys: Sys) -> dict[str, str]:
    """Defaults, the file that the command line names, then its own options. Raises Errno, BadDirective."""
    found, words = dict(DEFAULTS), [word for word in proc["argv"][1:] if word != "--sentinel"]
    if redis_sentinel.is_sentinel(proc):
        found.update(port=redis_sentinel.PORT, save="")
    lines: list[str] = []
    if words and not words[0].startswith("--"):
        lines += sys.read_file(words.pop(0)).splitlines()
        for number, line in enumerate(lines, start=1):
            if len(line.partition("#")[0].split()) == 1:  # every directive takes a value
                raise BadDirective(f"Reading the configuration file, at line {number}\n>>> '{line.strip()}'\n"
                                   "Bad directive or wrong number of arguments")  # fmt: skip
    option: list[str] = []
    for word in words:
        if word.startswith("--"):
            option = [word[2:]]
            lines.append("")
        else:
            option.append(word)
        lines[-1] = " ".join(option)
    for line in lines:
        parts = line.split("#")[0].split(None, 1)
        if parts:
            value = parts[1].strip().strip('"') if len(parts) > 1 else ""
            if parts[0].lower() == "sentinel":
                value = f"{found.get('sentinel', '')}\n{value}".lstrip()
            found[parts[0].lower()] = str(size_of(value)) if parts[0].lower() == "maxmemory" else value
    return found


def size_of(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*(k|kb|m|mb|g|gb|b)?", text.lower())
    return int(match[1]) * {"k": 1000, "kb": 1024, "m": 1_000_000, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}.get(match[2] or "", 1) if match else 0


def _version(sys: Sys) -> str:
    return release(sys.container["image"], VERSION)


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "listening" not in data:
        if proc["argv"][1:] in (["--version"], ["-v"]):
            sys.out(f"Redis server v={_version(sys)} sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=0\n")
            return 0
        try:
            conf = configuration(proc, sys)
        except Errno as error:
            log(sys, "#", f"Fatal error, can't open config file '{proc['argv'][1]}': {error.text}", "C")
            return 1
        except BadDirective as error:
            sys.err(f"\n*** FATAL CONFIG FILE ERROR (Redis {_version(sys)}) ***\n{error}\n")
            return 1
        log(sys, "*", "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", "C")
        log(sys, "*", f"Redis version={_version(sys)}, bits=64, commit=00000000, modified=0, pid={proc['pid']}, just started", "C")
        if len(proc["argv"]) > 1:
            log(sys, "*", "Configuration loaded", "C")
        else:
            log(
                sys,
                "#",
                "Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf",
                "C",
            )
        watches = redis_sentinel.is_sentinel(proc)
        if watches and not _may_watch(proc, sys, conf):
            return 1
        try:
            listen_on(proc, sys, [int(conf["port"])])
        except Errno as error:
            log(sys, "#", f"Warning: Could not create server TCP listening socket *:{conf['port']}: bind: {error.text}")
            log(sys, "#", f"Failed listening on port {conf['port']} (tcp), aborting.")
            return 1
        data.update(conf=conf, db={}, expires={}, began=sys.now, commands=0, changed=0, size=0)
        log(sys, "*", "monotonic clock: POSIX clock_gettime")
        log(sys, "*", f"Running mode={'sentinel' if watches else 'standalone'}, port={conf['port']}.")
        if watches:
            redis_sentinel.started(proc, sys)
            return serve(proc, sys, _feed, chores)
        log(sys, "*", "Server initialized")
        _load(proc, sys)
        master = (conf.get("replicaof") or conf.get("slaveof") or "").split()
        if len(master) == 2 and master[1].isdigit():
            follow(proc, sys, master)
        log(sys, "*", "Ready to accept connections tcp")
    return serve(proc, sys, _feed, chores)


def _may_watch(proc: Process, sys: Sys, conf: dict[str, str]) -> bool:
    """Whether a sentinel's configuration is there, right, and a file that it can write."""
    path = next((word for word in proc["argv"][1:2] if not word.startswith("--")), "")
    if not path:
        log(sys, "#", "Sentinel needs config file on disk. Exiting...", "X")
        return False
    wrong = redis_sentinel.watch(proc, sys, conf.get("sentinel", "").splitlines())
    if wrong:
        sys.err(f"\n*** FATAL CONFIG FILE ERROR (Redis {_version(sys)}) ***\nReading the configuration file\n{wrong}\n")
    return not wrong and redis_sentinel.writable(sys, path)


def _load(proc: Process, sys: Sys) -> None:
    data = proc["data"]
    try:
        text = sys.read_file(_dump_path(data))
    except Errno:
        return
    if text.startswith(DUMP_MARK):
        log(sys, "*", f"Loading RDB produced by version {_version(sys)}")
        data["db"], data["expires"] = json.loads(text[len(DUMP_MARK) :])
        log(sys, "*", f"Done loading RDB, keys loaded: {len(data['db'])}, keys expired: 0.")
        log(sys, "*", "DB loaded from disk: 0.001 seconds")


def _dump_path(data: Data) -> str:
    return f"{data['conf']['dir']}/{data['conf']['dbfilename']}"


def save(proc: Process, sys: Sys) -> None:
    """SAVE. Raises Errno."""
    data = proc["data"]
    sys.write_file(_dump_path(data), DUMP_MARK + json.dumps([data["db"], data["expires"]]))
    data["changed"] = 0
    log(sys, "*", "DB saved on disk")


def _feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    first = True
    while True:
        try:
            found = request_words(connection["buffer"])
        except RedisError as error:
            with suppress(Errno):
                sys.write(fd, f"-ERR {error}\r\n")
            return False
        if found is None:
            return not _is_too_large(sys, fd, connection["buffer"])
        if not first and sys.is_tired():  # many came at once: this one in a later turn
            connection["more"] = True
            return True
        first = False
        words, connection["buffer"] = found
        if words:
            sys.charge(40)
            answer = _execute(proc, sys, connection, words)
            try:
                sys.write(fd, answer)
            except Errno:
                return False
            if words[0].upper() == "QUIT":
                return False


INLINE_MAX, QUERY_MAX = 65_536, 8 << 20  # of a line (PROTO_INLINE_MAX_SIZE), and of a command that is waited for


def _is_too_large(sys: Sys, fd: int, held: str) -> bool:
    """Whether more has come than one command may have: that is answered. What waits for the rest is looked through again each time: it costs."""
    sys.charge(len(held) >> 9)
    if len(held) <= INLINE_MAX or (held.startswith("*") and len(held) <= QUERY_MAX):
        return False
    with suppress(Errno):
        sys.write(fd, f"-ERR Protocol error: too big {'mbulk count string' if held.startswith('*') else 'inline request'}\r\n")
    return True


def _execute(proc: Process, sys: Sys, connection: Data, words: list[str]) -> str:
    data, name, arguments = proc["data"], words[0].upper(), words[1:]
    data["commands"] += 1
    password = data["conf"]["requirepass"]
    try:
        if name == "AUTH":
            if not password:
                raise RedisError(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
                )
            if arguments[-1:] != [password]:
                raise RedisError("WRONGPASS invalid username-password pair or user is disabled.")
            connection["auth"] = True
            return encode(Status("OK"))
        if password and not connection.get("auth") and name not in ("QUIT", "HELLO"):
            raise RedisError("NOAUTH Authentication required.")
        if "watches" in data and name not in redis_sentinel.KNOWN:
            raise _unknown(words)
        if name == "SENTINEL":
            return encode(redis_sentinel.answer(proc, sys, arguments))
        if name in ("SAVE", "BGSAVE"):
            save(proc, sys)
            return encode(Status("OK" if name == "SAVE" else "Background saving started"))
        if name == "SHUTDOWN":
            _shut_down(proc, sys, "NOSAVE" not in map(str.upper, arguments))
        if name == "INFO":
            return encode(_info(proc, sys, arguments))
        if name in OWN:
            return encode(OWN[name](proc, sys, arguments))
        if name in ("PSYNC", "SYNC"):
            return snapshot(proc, sys, connection)
        if name == "REPLCONF":
            connection["listens"] = arguments[1] if arguments[:1] == ["listening-port"] and len(arguments) > 1 else "6379"
            return encode(Status("OK"))
        command = COMMANDS.get(name)
        if command is None:
            raise _unknown(words)
        if not command.least <= len(arguments) <= command.most:
            raise RedisError(f"ERR wrong number of arguments for '{words[0].lower()}' command")
        purge(data, sys.now)
        if command.writes:
            if "replicaof" in data and data["conf"].get("replica-read-only", data["conf"].get("slave-read-only", "yes")) == "yes":
                raise RedisError(READONLY)
            _make_room(data)
        answer = encode(command.act(data, sys.now, arguments))
    except RedisError as error:
        return f"-{error}\r\n"
    except Errno as error:
        return f"-ERR {error.text}\r\n"
    if command.writes:
        tell(proc, sys, words)
        data["changed"] += 1
        data["size"] += sum(map(len, arguments)) + 48
        if data["changed"] % 64 == 0:
            data["size"] = len(json.dumps(data["db"])) * 2
        sys.allocate(data["size"])
    return answer


def _unknown(words: list[str]) -> RedisError:
    shown = "".join(f"'{one}' " for one in words[1:4])
    return RedisError(f"ERR unknown command '{words[0]}', with args beginning with: {shown}")


def _make_room(data: Data) -> None:
    limit = int(data["conf"]["maxmemory"] or 0)
    if limit and data["size"] + MEBIBYTE > limit:
        if data["conf"]["maxmemory-policy"] == "noeviction" or not data["db"]:
            raise RedisError("OOM command not allowed when used memory > 'maxmemory'.")
        oldest = next(iter(data["db"]))
        data["size"] -= len(json.dumps(data["db"].pop(oldest)))
        data["expires"].pop(oldest, None)


def _info(proc: Process, sys: Sys, arguments: list[str]) -> str:
    data = proc["data"]
    used = MEBIBYTE + data["size"]
    sections = {
        "Server": [
            f"redis_version:{_version(sys)}",
            f"redis_mode:{'sentinel' if 'watches' in data else 'standalone'}",
            "os:Linux 6.18.44 x86_64",
            f"process_id:{proc['pid']}",
            f"tcp_port:{data['conf']['port']}",
            f"uptime_in_seconds:{(sys.now - data['began']) // 1000}",
            f"uptime_in_days:{(sys.now - data['began']) // 86_400_000}",
        ],
        "Clients": [f"connected_clients:{len(data['connections'])}"],
        "Memory": [
            f"used_memory:{used}",
            f"used_memory_human:{used / MEBIBYTE:.2f}M",
            f"maxmemory:{data['conf']['maxmemory']}",
            f"maxmemory_policy:{data['conf']['maxmemory-policy']}",
        ],
        "Persistence": [
            "loading:0",
            f"rdb_changes_since_last_save:{data['changed']}",
            f"aof_enabled:{int(data['conf']['appendonly'] == 'yes')}",
        ],
        "Stats": [f"total_commands_processed:{data['commands']}"],
        "Replication": information(data, sys.now),
        "Keyspace": [f"db0:keys={len(data['db'])},expires={len(data['expires'])},avg_ttl=0"] if data["db"] else [],
    }
    wanted = [one.lower() for one in arguments]
    if "watches" in data:
        sections["Sentinel"] = redis_sentinel.information(data)
    return "\r\n".join(
        "\r\n".join([f"# {name}", *lines, ""]) for name, lines in sections.items() if not wanted or name.lower() in wanted or wanted == ["all"]
    )


def _shut_down(proc: Process, sys: Sys, keep: bool) -> None:
    data = proc["data"]
    log(sys, "*", "User requested shutdown...")
    if keep and data["conf"]["save"]:
        log(sys, "*", "Saving the final RDB snapshot before exiting.")
        try:
            save(proc, sys)
        except Errno as error:
            log(sys, "#", f"Error trying to save the DB: {error.text}")
    log(sys, "#", "Redis is now ready to exit, bye bye...")
    sys.exit(0)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        if "db" in proc["data"]:
            proc_log = "Received SIGTERM scheduling shutdown..." if n == TERM else "Received SIGINT scheduling shutdown..."
            sys.out(f"{proc['pid']}:signal-handler ({sys.now // 1000}) {proc_log}\n")
            _shut_down(proc, sys, True)
        sys.exit(0)
    return False


register(Program("redis-server", lambda proc, sys: run(proc, sys, None), run, on_signal, 4 * MEBIBYTE))
