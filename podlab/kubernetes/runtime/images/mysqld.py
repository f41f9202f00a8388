"""mysqld and mariadbd behind the image's entry point: initialise the directory, listen, answer statements, follow a source.

A client asks (sql_wire.py) {"user", "password", "db", "sql"}; the answer is {"columns", "rows", "changed", "last_id", "db"} or
{"error": [number, state, text]}. A replica asks its source for what has happened before it answers, so it is never behind while the source can
be reached; a real one is told at once as well.
Sources: docker-library/mysql's docker-entrypoint.sh, dev.mysql.com/doc/refman.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial

from ...times import stamp
from .. import http
from ..asking import Learned, Wish, serve_asking
from ..image import release
from ..process import INT, QUIT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, Waits, listen_on
from ..system import Sys
from . import init_scripts, sql_wire
from .mysql_commands import execute, replay
from .mysql_server import BINLOG, BINLOG_BEGIN, BINLOG_MAX, DB, USER, Server, Session
from .mysql_words import SqlError, statements

MARK = "X-MySQL"
MYSQL, MARIADB = "8.4.6", "11.8.3"
BUILDS = {"5.5": "debian9", "5.6": "debian10", "5.7": ".el7"}  # packages of what is not Oracle Linux 9
INIT_MS, START_MS = {"mysqld": 9_000, "mariadbd": 5_000}, {"mysqld": 1_800, "mariadbd": 900}
ANSWER_MAX = 65_536  # characters of what a source tells at once: no more than a statement and what a turn's others take
DEFAULTS: dict[str, str | int] = {
    "server_id": 1,
    "log_bin": 0,
    "read_only": 0,
    "super_read_only": 0,
    "port": 3306,
    "datadir": "/var/lib/mysql/",
    "max_connections": 151,
    "character_set_server": "utf8mb4",
    "collation_server": "utf8mb4_0900_ai_ci",
    "lower_case_table_names": 0,
    "sql_mode": "",
    "time_zone": "SYSTEM",
    "innodb_buffer_pool_size": 134_217_728,
    "default_storage_engine": "InnoDB",
    "bind_address": "*",
    "socket": "/var/run/mysqld/mysqld.sock",
}


def is_mariadb(sys: Sys) -> bool:
    return "mariadb" in sys.container["image"]


def version(sys: Sys) -> str:
    return release(sys.container["image"], MARIADB) + "-MariaDB-ubu2404" if is_mariadb(sys) else release(sys.container["image"], MYSQL)


def entry(sys: Sys, text: str, level: str = "Note") -> str:
    return f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S')}+00:00 [{level}] [Entrypoint]: {text}\n"


# ---- settings


def _settings(proc: Process, sys: Sys) -> dict[str, str | int]:
    """Options of the configuration files' [mysqld] and of the command line, whatever they are called there (- or _)."""
    found: dict[str, str | int] = {**DEFAULTS, "version": version(sys), "hostname": sys.hostname}
    lines: list[str] = []
    for name in ("/etc/my.cnf", "/etc/mysql/my.cnf", "/etc/mysql/conf.d", "/etc/mysql/mysql.conf.d", "/etc/mysql/mariadb.conf.d"):
        held = sys.find(name)
        files = [] if held is None else [f"{name}/{one}" for one in sys.listdir(name) if one.endswith(".cnf")] if held.is_dir else [name]
        for file in files:
            section = ""
            for line in sys.read_file(file).splitlines():
                line = line.partition("#")[0].strip()
                if line.startswith("["):
                    section = line.strip("[]")
                elif line and section in ("mysqld", "server", "mariadb", "mariadbd"):
                    lines.append(line)
    words = proc["argv"][1:]
    for at, word in enumerate(words):
        if word.startswith("--"):
            bare = "=" not in word and at + 1 < len(words) and not words[at + 1].startswith("-")
            lines.append(f"{word[2:]}={words[at + 1]}" if bare else word[2:])
    for line in lines:
        name, equals, value = line.partition("=")
        name, value = name.strip().replace("-", "_"), value.strip().strip("'\"")
        if name in ("log_bin", "read_only", "super_read_only"):
            found[name] = int(value.upper() not in ("0", "OFF", "FALSE"))
        elif value.isdigit():
            found[name] = int(value)
        elif equals:
            found[name] = value
    if found["super_read_only"]:
        found["read_only"] = 1
    return found


# ---- starting


def _refuses(proc: Process, sys: Sys) -> bool:
    """The entry point's complaint about an empty directory without a password."""
    env = proc["env"]
    kinds = ("ROOT_PASSWORD", "ALLOW_EMPTY_PASSWORD", "RANDOM_ROOT_PASSWORD", "ALLOW_EMPTY_ROOT_PASSWORD", "ROOT_PASSWORD_HASH")
    brands = ("MARIADB_", "MYSQL_") if is_mariadb(sys) else ("MYSQL_",)
    if any(env.get(brand + kind) or env.get(f"{brand}{kind}_FILE") for brand in brands for kind in kinds):
        return False
    options = (
        "MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD"
        if is_mariadb(sys)
        else "the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    "
        "- MYSQL_RANDOM_ROOT_PASSWORD"
    )
    gap = "\n\t" if is_mariadb(sys) else "\n    "
    sys.err(entry(sys, f"Database is uninitialized and password option is not specified{gap}You need to specify one of {options}", "ERROR"))
    return True


def _begin(proc: Process, sys: Sys) -> int | None:
    """The first words, and whether there is work to do; an exit code when it cannot go on."""
    data = proc["data"]
    data["settings"] = _settings(proc, sys)
    data["path"] = str(data["settings"]["datadir"]).rstrip("/")
    number = version(sys)
    if is_mariadb(sys):
        begun = f"Entrypoint script for MariaDB Server 1:{number.partition('-')[0]}+maria~ubu2404 started."
    else:
        begun = f"Entrypoint script for MySQL Server {number}-1{BUILDS.get(number[:3], '.el9')} started."
    sys.out(entry(sys, begun) + entry(sys, "Switching to dedicated user 'mysql'") + entry(sys, begun))
    if sys.find(data["path"]) is None:
        sys.mkdir(data["path"])
    held = [name for name in sys.listdir(data["path"]) if not name.startswith(".")]
    fresh = "mysql" not in held
    if fresh and _refuses(proc, sys):
        return 1
    if fresh:
        sys.out(entry(sys, "Initializing database files"))
        if [name for name in held if name != "ibdata1"]:
            at = stamp(sys.now, "%Y-%m-%dT%H:%M:%S.000000Z")
            sys.err(
                f"{at} 0 [ERROR] [MY-010457] [Server] --initialize specified but the data directory has files in it. Aborting.\n"
                f"{at} 0 [ERROR] [MY-013236] [Server] The designated data directory {data['path']}/ is unusable. You can remove all files that the "
                f"server added to it.\n{at} 0 [ERROR] [MY-010119] [Server] Aborting\n"
            )
            return 1
    name = proc["program"]
    data.update(until=sys.now + (INIT_MS[name] if fresh else 0) + START_MS[name], fresh=fresh)
    return None


def _initialise(proc: Process, sys: Sys) -> None:
    """The system tables, the accounts and databases that the environment names; for this Pod only at first."""
    data = proc["data"]
    path = data["path"]
    for name in ("mysql", "performance_schema", "sys"):
        sys.mkdir(f"{path}/{name}")
    for name, text in (("mysql/user.ibd", USER), ("mysql/db.ibd", DB), ("ibdata1", ""), ("auto.cnf", "[auto]\n")):
        sys.write_file(f"{path}/{name}", text)
    server = Server(sys, path, data["settings"])

    def given(name: str) -> str:
        brands = ("MARIADB_", "MYSQL_") if is_mariadb(sys) else ("MYSQL_",)
        return next((value for brand in brands if (value := sql_wire.from_environment(proc, sys, brand + name))), "")

    password = given("ROOT_PASSWORD")
    if not password and given("RANDOM_ROOT_PASSWORD"):
        password = "".join("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"[sys.random(57)] for _ in range(32))
        sys.out(entry(sys, f"GENERATED ROOT PASSWORD: {password}"))
    for host in dict.fromkeys(("localhost", given("ROOT_HOST") or "%")):
        server.set_user("root", host, password, all_rights=True)
    session = Session("root", "localhost", replication=True)
    database, user = given("DATABASE"), given("USER")
    if database:
        sys.out(entry(sys, f"Creating database {database}"))
        execute(server, session, f"CREATE DATABASE IF NOT EXISTS `{database}`")
    if user and given("PASSWORD"):
        sys.out(entry(sys, f"Creating user {user}"))
        server.set_user(user, "%", given("PASSWORD"))
        if database:
            sys.out(entry(sys, f"Giving user {user} access to schema {database}"))
            server.grant(user, database)
    data["use"] = database
    init_scripts.begin(proc, sys, int(data["settings"]["port"]))


def _scripts(proc: Process, sys: Sys) -> Waits:
    """Does what lies in /docker-entrypoint-initdb.d, then opens the server to all."""
    data = proc["data"]
    if "scripts" not in data:
        return Waits()
    server, session = Server(sys, data["path"], data["settings"]), Session("root", "localhost", data["use"], replication=True)

    def say(path: str, how: str) -> None:
        sys.out(entry(sys, f"/usr/local/bin/docker-entrypoint.sh: {how} {path}"))

    def read(path: str) -> None:
        text = sys.read_file(path)
        if len(text) > sql_wire.SCRIPT_MAX:
            raise SqlError(1153, "08S01", f"podlab reads scripts of up to {sql_wire.SCRIPT_MAX} characters")
        data["todo"] = [[statement, line] for statement, _, line in statements(text)]

    def turn() -> None:
        for _ in range(sql_wire.some([len(statement) for statement, _ in data["todo"]])):
            statement, line = data["todo"].pop(0)
            try:
                chosen = execute(server, session, statement).database
            except SqlError as error:
                error.text = f"ERROR {error.number} ({error.state}) at line {line}: {error.text}"
                raise
            session.database = data["use"] = session.database if chosen is None else chosen

    try:
        waits = init_scripts.go_on(proc, sys, init_scripts.Does(say, read, turn), proc["env"])
        if waits is not None:
            return waits
        brand = "MariaDB" if is_mariadb(sys) else "MySQL"
        sys.out(entry(sys, f"{brand} init process done. Ready for start up."))
        init_scripts.open_to_all(proc, sys, int(data["settings"]["port"]), _address(data["settings"]))
    except SqlError as error:
        sys.err(error.text + "\n")
        sys.exit(1)
    except Errno as error:
        sys.err(f"{stamp(sys.now, '%Y-%m-%dT%H:%M:%S.000000Z')} 0 [ERROR] [MY-010119] [Server] {error.text}\n")
        sys.exit(1)
    sys.out(_ready(proc, sys))
    return Waits()


def _address(settings: dict[str, str | int]) -> str:
    address = str(settings["bind_address"])
    return "0.0.0.0" if address in ("*", "::") else address


def _ready(proc: Process, sys: Sys) -> str:
    number, port = proc["data"]["settings"]["version"], proc["data"]["settings"]["port"]
    if is_mariadb(sys):
        return (
            f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S')} 0 [Note] mariadbd: ready for connections.\nVersion: '{number}'  "
            f"socket: '/run/mysqld/mysqld.sock'  port: {port}  mariadb.org binary distribution\n"
        )
    at = stamp(sys.now, "%Y-%m-%dT%H:%M:%S.") + f"{sys.now % 1000:03d}000Z 0"
    return (
        f"{at} [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld {number}) starting as process {proc['pid']}\n"
        f"{at} [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '{number}'  socket: '/var/run/mysqld/mysqld.sock'  "
        f"port: {port}  MySQL Community Server - GPL.\n"
    )


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    data = proc["data"]
    if "until" not in data:
        code = _begin(proc, sys)
        if code is not None:
            return code
    if "listening" not in data:
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        try:
            if data["fresh"]:
                _initialise(proc, sys)
            else:
                listen_on(proc, sys, [int(data["settings"]["port"])], _address(data["settings"]))
                sys.out(_ready(proc, sys))
        except SqlError as error:
            sys.err(error.text + "\n")
            return 1
        except Errno as error:
            sys.err(f"{stamp(sys.now, '%Y-%m-%dT%H:%M:%S.000000Z')} 0 [ERROR] [MY-010119] [Server] {error.text}\n")
            return 1
    return serve_asking(proc, sys, _wish, _answer, _scripts)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT, QUIT):
        if "listening" in proc["data"] and not is_mariadb(sys):
            at = stamp(sys.now, "%Y-%m-%dT%H:%M:%S.") + f"{sys.now % 1000:03d}000Z 0"
            sys.out(
                f"{at} [System] [MY-013172] [Server] Received SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: "
                f"{proc['data']['settings']['version']}).\n{at} [System] [MY-010910] [Server] /usr/sbin/mysqld: Shutdown complete (mysqld "
                f"{proc['data']['settings']['version']})  MySQL Community Server - GPL.\n"
            )
        sys.exit(0)
    return False


for _name, _memory in (("mysqld", 370), ("mariadbd", 95)):
    register(Program(_name, partial(run, event=None), run, on_signal, _memory * MEBIBYTE))


# ---- answering


def _wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    """A replica asks its source first, and again while there is more than it does in a turn."""
    if not sql_wire.body_of(MARK, request).get("sql"):
        return None
    server = Server(sys, proc["data"]["path"], proc["data"]["settings"])
    try:
        if "source" in learned and not (learned["source"] and _catch_up(server, learned["source"])):
            learned["source"] = {}  # nothing is left to do of it
            return None
        source = server.source()
    except (Errno, ValueError):  # its own files are none any more, or it cannot write them
        return None
    if not source.get("on") or source.get("error"):
        return None
    asked = {"user": source["user"], "password": source["password"], "after": source["position"]}
    return Wish("source", source["host"], source["port"], sql_wire.command(MARK, source["host"], asked))


def _catch_up(server: Server, answer: Data) -> bool:
    """Does what the source has told. Whether there is more."""
    source = server.source()
    try:
        told = json.loads(answer["body"] or "{}") if not answer["error"] and len(answer["body"]) < ANSWER_MAX else {}
    except (ValueError, RecursionError):
        told = {}
    events, after = (told.get("events"), told.get("position")) if isinstance(told, dict) else (None, None)
    if not isinstance(after, int) or not source["position"] <= after <= BINLOG_BEGIN + BINLOG_MAX:
        after, events = 0, None
    fine = isinstance(events, list) and all(isinstance(one, dict) and isinstance(one.get("db"), str) and isinstance(one.get("sql"), str)
                                            for one in events)  # fmt: skip
    if source.get("lost", False) == fine:
        source["lost"] = not fine
        server.follow(source)
    if not fine or not events:
        return False
    replay(server, events, after)
    return bool(told.get("more")) and after > source["position"]


def _answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    body = sql_wire.body_of(MARK, request)
    if not body:
        return sql_wire.hung_up()
    server = Server(sys, proc["data"]["path"], proc["data"]["settings"])
    host = "localhost" if peer.startswith("127.") else peer
    found: Data
    try:
        session = Session(str(body.get("user", "")), host, str(body.get("db", "")))
        server.check(session.user, str(body.get("password", "")), host)
        if "after" in body:
            events, after = server.events(int(body["after"]))
            found = {"events": events, "position": after, "file": BINLOG, "more": after < server.position()}
        elif "sql" not in body:
            found = {"version": server.settings["version"]}
        else:
            done = execute(server, session, str(body["sql"]))
            right = [any(isinstance(row[at], int | float | Decimal) for row in done.rows) for at in range(len(done.columns))]
            found = {
                "columns": done.columns,
                "rows": done.rows,
                "right": right,
                "changed": done.changed,
                "last_id": done.last_id,
                "db": done.database,
            }
    except SqlError as error:
        found = {"error": [error.number, error.state, error.text]}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, ArithmeticError):
        found = {"error": [1105, "HY000", "podlab: a statement that is not understood here"]}
    except Errno as error:
        found = {"error": [1030, "HY000", f"Got error 168 from storage engine ({error.text})"]}
    return sql_wire.answer_of(found)
