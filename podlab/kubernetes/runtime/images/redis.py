"""Redis: a server that speaks RESP and keeps real data, saved to dump.rdb as its save points say when it ends; and redis-cli.

Commands: strings, counters, expiry, lists, sets, hashes, sorted sets, keys, INFO, CONFIG GET/SET, SAVE, AUTH. No replication, no
publish/subscribe, no transactions, no blocking pops. Sources: redis.io/docs/latest/commands, the protocol specification (RESP2).
"""

from __future__ import annotations

import json
import re
from typing import Any

from .. import http, sockets
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register, tool
from ..serving import listen_on, serve, stamp
from ..system import Sys
from ..tools.net_client import BadOption, Long, parse
from .base import PATH, base_tree
from .redis_commands import COMMANDS, RedisError, Reply, Status, purge

VERSION = "8.2.1"
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


# ---- the protocol


def encode(value: Reply) -> str:
    """A reply as RESP2."""
    if value is None:
        return "$-1\r\n"
    if isinstance(value, Status):
        return f"+{value}\r\n"
    if isinstance(value, int):
        return f":{value}\r\n"
    if isinstance(value, list):
        return f"*{len(value)}\r\n" + "".join(map(encode, value))
    return f"${http.size(value)}\r\n{value}\r\n"


def decode(text: str) -> tuple[Any, str] | None:
    """(value, rest) of the first whole reply; errors come as RedisError values. None while more must come."""
    line, end, rest = text.partition("\r\n")
    if not end:
        return None
    kind, body = line[:1], line[1:]
    if kind == "+":
        return Status(body), rest
    if kind == "-":
        return RedisError(body), rest
    if kind == ":":
        return int(body), rest
    if kind == "$":
        if body == "-1":
            return None, rest
        raw = rest.encode("utf-8", "surrogateescape")
        if len(raw) < int(body) + 2:
            return None
        return raw[: int(body)].decode("utf-8", "surrogateescape"), raw[int(body) + 2 :].decode("utf-8", "surrogateescape")
    if kind == "*":
        items: list[Any] = []
        for _ in range(max(0, int(body))):
            found = decode(rest)
            if found is None:
                return None
            items.append(found[0])
            rest = found[1]
        return items, rest
    return RedisError(f"Protocol error, got {json.dumps(kind)} as reply type byte"), ""


def request_words(buffer: str) -> tuple[list[str], str] | None:
    """The first whole command of a client's stream, RESP or inline."""
    if buffer.startswith("*"):
        found = decode(buffer)
        return None if found is None else ([str(item) for item in found[0]], found[1])
    line, end, rest = buffer.partition("\n")
    return (line.split(), rest) if end else None


# ---- the server


def configuration(proc: Process, sys: Sys) -> dict[str, str]:
    """Defaults, the file that the command line names, then its own options. Raises Errno."""
    found, words = dict(DEFAULTS), proc["argv"][1:]
    lines: list[str] = []
    if words and not words[0].startswith("--"):
        lines += sys.read_file(words.pop(0)).splitlines()
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
            found[parts[0].lower()] = str(size_of(value)) if parts[0].lower() == "maxmemory" else value
    return found


def size_of(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*(k|kb|m|mb|g|gb|b)?", text.lower())
    return (
        int(match[1]) * {"k": 1000, "kb": 1024, "m": 1_000_000, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}.get(match[2] or "", 1)
        if match
        else 0
    )


def log(sys: Sys, sign: str, text: str, role: str = "M") -> None:
    sys.out(f"{sys.proc['pid']}:{role} {stamp(sys.now, '%d %b %Y %H:%M:%S')}.{sys.now % 1000:03d} {sign} {text}\n")


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "listening" not in data:
        if proc["argv"][1:] in (["--version"], ["-v"]):
            sys.out(f"Redis server v={VERSION} sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=0\n")
            return 0
        try:
            conf = configuration(proc, sys)
        except Errno as error:
            log(sys, "#", f"Fatal error, can't open config file '{proc['argv'][1]}': {error.text}", "C")
            return 1
        log(sys, "*", "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", "C")
        log(sys, "*", f"Redis version={VERSION}, bits=64, commit=00000000, modified=0, pid={proc['pid']}, just started", "C")
        if len(proc["argv"]) > 1:
            log(sys, "*", "Configuration loaded", "C")
        else:
            log(
                sys,
                "#",
                "Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf",
                "C",
            )
        try:
            listen_on(proc, sys, [int(conf["port"])])
        except Errno as error:
            log(sys, "#", f"Warning: Could not create server TCP listening socket *:{conf['port']}: bind: {error.text}")
            log(sys, "#", f"Failed listening on port {conf['port']} (tcp), aborting.")
            return 1
        data.update(conf=conf, db={}, expires={}, began=sys.now, commands=0, changed=0, size=0)
        log(sys, "*", "monotonic clock: POSIX clock_gettime")
        log(sys, "*", f"Running mode=standalone, port={conf['port']}.")
        log(sys, "*", "Server initialized")
        _load(proc, sys)
        log(sys, "*", "Ready to accept connections tcp")
    return serve(proc, sys, _feed)


def _load(proc: Process, sys: Sys) -> None:
    data = proc["data"]
    try:
        text = sys.read_file(_dump_path(data))
    except Errno:
        return
    if text.startswith(DUMP_MARK):
        log(sys, "*", f"Loading RDB produced by version {VERSION}")
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
    while (found := request_words(connection["buffer"])) is not None:
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
        if name in ("SAVE", "BGSAVE"):
            save(proc, sys)
            return encode(Status("OK" if name == "SAVE" else "Background saving started"))
        if name == "SHUTDOWN":
            _shut_down(proc, sys, "NOSAVE" not in map(str.upper, arguments))
        if name == "INFO":
            return encode(_info(proc, sys, arguments))
        command = COMMANDS.get(name)
        if command is None:
            shown = " ".join(f"'{one}'" for one in arguments[:3])
            raise RedisError(f"ERR unknown command '{words[0]}', with args beginning with: {shown + ' ' if shown else ''}")
        if not command.least <= len(arguments) <= command.most:
            raise RedisError(f"ERR wrong number of arguments for '{words[0].lower()}' command")
        purge(data, sys.now)
        if command.writes:
            _make_room(data)
        answer = encode(command.act(data, sys.now, arguments))
    except RedisError as error:
        return f"-{error}\r\n"
    except Errno as error:
        return f"-ERR {error.text}\r\n"
    if command.writes:
        data["changed"] += 1
        data["size"] += sum(map(len, arguments)) + 48
        if data["changed"] % 64 == 0:
            data["size"] = len(json.dumps(data["db"])) * 2
        sys.allocate(data["size"])
    return answer


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
            f"redis_version:{VERSION}",
            "redis_mode:standalone",
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
        "Replication": ["role:master", "connected_slaves:0"],
        "Keyspace": [f"db0:keys={len(data['db'])},expires={len(data['expires'])},avg_ttl=0"] if data["db"] else [],
    }
    wanted = [one.lower() for one in arguments]
    return "\r\n".join(
        "\r\n".join([f"# {name}", *lines, ""])
        for name, lines in sections.items()
        if not wanted or name.lower() in wanted or wanted == ["all"]
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


register(Program("redis-server", lambda proc, sys: run(proc, sys, None), run, on_signal, None, 4 * MEBIBYTE))


# ---- redis-cli

CLI_LONG = {
    "raw": Long("R"),
    "no-raw": Long("N"),
    "no-auth-warning": Long("W"),
    "version": Long("v"),
    "pass": Long("a", True),
    "user": Long("U", True),
}


@tool("redis-cli", memory=2 * MEBIBYTE)
def redis_cli(proc: Process, sys: Sys, event: Event) -> int:
    """redis-cli [-h HOST] [-p PORT] [-a PASSWORD] [-n DB] [--raw | --no-raw] [COMMAND ...]; without one it reads lines."""
    data = proc["data"]
    if "todo" not in data:
        words = proc["argv"][1:]
        at = 0
        while at < len(words) and words[at].startswith("-"):
            at += 2 if words[at] in ("-h", "-p", "-a", "-n", "-u", "--pass", "--user", "-r", "-i") else 1
        try:
            options = dict(parse(words[:at], "h:p:a:n:u:r:i:cve", CLI_LONG)[0])
        except BadOption as error:
            sys.err(f"Unrecognized option or bad number of args for: '{error.option}'\n")
            return 1
        if "v" in options:
            sys.out(f"redis-cli {VERSION}\n")
            return 0
        data.update(options=options, todo=[words[at:]] if words[at:] else [], lines=not words[at:], rest="", asked=False)
        if options.get("a") and "W" not in options:
            sys.err("Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n")
    options = data["options"]
    host, port = options.get("h", "127.0.0.1"), int(options.get("p", 6379))
    if not data.get("open"):
        code = _cli_connect(proc, sys, host, port)
        if code is not None:
            return code
    while True:
        if data["asked"]:
            _answered(proc, sys, options)
        if not data["todo"]:
            if not data["lines"] or not _more(proc, sys, f"{host}:{port}> "):
                return 0
            continue
        words = data["todo"].pop(0)
        if words[0].lower() in ("exit", "quit"):
            return 0
        try:
            sys.write(int(data["socket"]), encode(words))
        except Errno:
            sys.err("Error: Server closed the connection\n")
            return 1
        data.update(asked=True, buffer="")


def _cli_connect(proc: Process, sys: Sys, host: str, port: int) -> int | None:
    data = proc["data"]
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        sys.err(f"Could not connect to Redis at {host}:{port}: Name or service not known\n")
        return 1
    try:
        sockets.connect(sys, "socket", addresses[0], port)
    except Errno as error:
        sys.err(f"Could not connect to Redis at {host}:{port}: {error.text}\n")
        return 1
    data["open"] = True
    if password := data["options"].get("a") or proc["env"].get("REDISCLI_AUTH"):
        data["todo"].insert(0, ["AUTH", password])
        data["quiet"] = True
    return None


def _answered(proc: Process, sys: Sys, options: Data) -> None:
    data = proc["data"]
    fd = int(data["socket"])
    while (found := decode(data["buffer"])) is None:
        piece = sys.read(fd)
        if not piece:
            sys.err("Error: Server closed the connection\n")
            sys.exit(1)
        data["buffer"] += piece
    data["asked"] = False
    if data.pop("quiet", False):
        if isinstance(found[0], RedisError):
            sys.err(f"AUTH failed: {found[0]}\n")
        return
    raw = "R" in options or ("N" not in options and not sys.is_tty(1))
    sys.out((_raw(found[0]) if raw else _shown(found[0])) + "\n")


def _more(proc: Process, sys: Sys, prompt: str) -> bool:
    """The next line of the input becomes the next command; False at its end."""
    data = proc["data"]
    while "\n" not in data["rest"]:
        if sys.is_tty(0) and not data.get("prompted"):
            data["prompted"] = True
            sys.out(prompt)
        piece = sys.read(0)
        if not piece:
            return False
        data["rest"] += piece
    data.pop("prompted", None)
    line, _, data["rest"] = data["rest"].partition("\n")
    words = [double or single or bare for double, single, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|(\S+)', line)]
    if words:
        data["todo"].append(words)
    return True


def _raw(value: Any) -> str:
    return (
        "\n".join(map(_raw, value))
        if isinstance(value, list)
        else ""
        if value is None
        else f"{value}\n"
        if isinstance(value, RedisError)
        else str(value)
    )


def _shown(value: Any, indent: str = "") -> str:
    if value is None:
        return "(nil)"
    if isinstance(value, RedisError):
        return f"(error) {value}"
    if isinstance(value, Status):
        return str(value)
    if isinstance(value, int):
        return f"(integer) {value}"
    if isinstance(value, list):
        if not value:
            return "(empty array)"
        width = len(str(len(value)))
        lines = [f"{number:>{width}}) {_shown(item, indent + ' ' * (width + 2))}" for number, item in enumerate(value, 1)]
        return f"\n{indent}".join(lines)
    return json.dumps(value, ensure_ascii=False)


ENTRY = '#!/bin/sh\nset -e\nif [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi\nexec "$@"\n'
FILES = {
    "usr": {
        "local": {
            "bin": {
                "redis-server": Entry(program="redis-server", size=16_000_000),
                "redis-cli": Entry(program="redis-cli", size=7_000_000),
                "docker-entrypoint.sh": Entry(ENTRY, mode=0o755),
            }
        }
    },
    "data": Entry(children={}, uid=999, gid=999),
}
TAGS = ("5", "5.0", "5.0.4", "6", "6.0", "6.2", "7", "7.0", "7.2", "7.4", "8", "8.0", "8.0.2", "8.2")
for _name in ("docker.io/library/redis", "registry.k8s.io/redis", "docker.io/valkey/valkey"):
    add(
        Image(
            _name,
            ("latest", *TAGS, "bookworm", "e2e"),
            base_tree("debian", FILES, users={"redis": 999}),
            52_700_000,
            ("docker-entrypoint.sh",),
            ("redis-server",),
            {"PATH": PATH, "REDIS_VERSION": VERSION},
            working_dir="/data",
            ports=(6379,),
        )
    )
    add(
        Image(
            _name,
            ("alpine", *(f"{tag}-alpine" for tag in TAGS)),
            base_tree("alpine", FILES, users={"redis": 999}),
            30_110_000,
            ("docker-entrypoint.sh",),
            ("redis-server",),
            {"PATH": PATH, "REDIS_VERSION": VERSION},
            working_dir="/data",
            ports=(6379,),
        )
    )
