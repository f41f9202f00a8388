"""postgres behind the image's entry point: initialise the directory, listen, answer statements, write what went wrong to its log.

A client asks (sql_wire.py) {"user", "password", "db", "sql" or "meta"}; the answer is {"columns", "rows", "right", "tag", "super", "version"} or
{"error": {"state", "text", "at", "detail", "hint", "severity"}}. Sources: docker-library/postgres's docker-entrypoint.sh, initdb,
postgresql.org/docs/17.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from ...times import stamp
from .. import http
from ..asking import Learned, Wish, serve_asking
from ..image import Entry, Image, add, release
from ..process import INT, QUIT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, Waits, listen_on
from ..system import Sys
from . import init_scripts, pg_tools, psql, sql_wire  # noqa: F401  (they register their programs)
from .base import PATH, base_tree
from .pg_client import CLIENTS, MARK, RELEASE, pointed
from .pg_commands import execute, meta
from .pg_server import CONTROL, Server, Session, hashed
from .pg_words import PgError, statements

INIT_MS, START_MS = 2_400, 250
SETTINGS = {
    "port": "5432",
    "listen_addresses": "*",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "4MB",
    "wal_level": "replica",
    "max_wal_senders": "10",
    "hot_standby": "on",
    "log_statement": "none",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "TimeZone": "Etc/UTC",
    "search_path": '"$user", public',
    "transaction_isolation": "read committed",
    "fsync": "on",
}
UNSAID = (
    "Error: Database is uninitialized and superuser password is not specified.\n"
    "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
    '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n\n'
    '       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all\n'
    "       connections without a password. This is *not* recommended.\n\n"
    "       See PostgreSQL documentation about \"trust\":\n"
    "       https://www.postgresql.org/docs/current/auth-trust.html\n"
)  # fmt: skip
INITDB = """The files belonging to this database system will be owned by user "postgres".
This user must also own the server process.

The database cluster will be initialized with locale "en_US.utf8".
The default database encoding has accordingly been set to "UTF8".
The default text search configuration will be set to "english".

Data page checksums are disabled.

fixing permissions on existing directory {path} ... ok
creating subdirectories ... ok
selecting dynamic shared memory implementation ... posix
selecting default max_connections ... 100
selecting default shared_buffers ... 128MB
selecting default time zone ... Etc/UTC
creating configuration files ... ok
running bootstrap script ... ok
performing post-bootstrap initialization ... ok
syncing data to disk ... ok


Success. You can now start the database server using:

    pg_ctl -D {path} -l logfile start

"""


def _log(proc: Process, sys: Sys, text: str, level: str = "LOG") -> str:
    return f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S.')}{sys.now % 1000:03d} UTC [{proc['pid']}] {level}:  {text}\n"


def _settings(proc: Process, sys: Sys) -> dict[str, str]:
    """Of the command line: -c NAME=VALUE, --NAME=VALUE, -p PORT, -h ADDRESS, -N CONNECTIONS."""
    number = release(sys.container["image"], RELEASE)
    found = {**SETTINGS, "server_version": f"{number} (Debian {number}-1.pgdg13+1)", "data_directory": proc["data"]["path"]}
    short = {"-p": "port", "-h": "listen_addresses", "-N": "max_connections", "-B": "shared_buffers"}
    words = proc["argv"][1:]
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word = "--" + words.pop(0)
        if word in short and words:
            found[short[word]] = words.pop(0)
        elif word.startswith("--"):
            name, _, value = word[2:].partition("=")
            found[name.replace("-", "_")] = value.strip("'\"")
    return found


# ---- starting


def _begin(proc: Process, sys: Sys) -> int | None:
    """Whether there is work to do; an exit code when it cannot go on."""
    data, env = proc["data"], proc["env"]
    path = data["path"] = str(env.get("PGDATA") or "/var/lib/postgresql/data").rstrip("/")
    data["settings"] = _settings(proc, sys)
    for at in [found for found, letter in enumerate(path) if letter == "/" and found] + [len(path)]:
        if sys.find(path[:at]) is None:
            sys.mkdir(path[:at])
    fresh = sys.find(f"{path}/PG_VERSION") is None
    if fresh:
        if not sql_wire.from_environment(proc, sys, "POSTGRES_PASSWORD") and env.get("POSTGRES_HOST_AUTH_METHOD") != "trust":
            sys.err(UNSAID)
            return 1
        held = sys.listdir(path)
        if held:
            about = "It contains a lost+found directory, perhaps due to it being a mount point.\n" if "lost+found" in held else ""
            if about:
                about = f"initdb: detail: {about}initdb: hint: Using a mount point directly as the data directory is not recommended.\n" \
                    "Create a subdirectory under the mount point.\n"  # fmt: skip
            else:
                about = "initdb: hint: If you want to create a new database system, either remove or empty the " \
                    f'directory "{path}" or run initdb with an argument other than "{path}".\n'  # fmt: skip
            sys.err(f'initdb: error: directory "{path}" exists but is not empty\n{about}')
            return 1
        sys.out(INITDB.format(path=path))
    data.update(until=sys.now + (INIT_MS if fresh else 0) + START_MS, fresh=fresh)
    return None


def _initialise(proc: Process, sys: Sys) -> None:
    """The directory, the role and the database that the environment names, for this Pod only at first."""
    data, env = proc["data"], proc["env"]
    path = data["path"]
    for name in ("base", "global", "pg_wal"):
        sys.mkdir(f"{path}/{name}")
    user = sql_wire.from_environment(proc, sys, "POSTGRES_USER") or "postgres"
    password = sql_wire.from_environment(proc, sys, "POSTGRES_PASSWORD")
    database = sql_wire.from_environment(proc, sys, "POSTGRES_DB") or user
    server = Server(sys, path, data["settings"])
    server.remember({"roles": {user: {"password": hashed(password), "super": True, "login": True}}, "databases": {}})
    server.create_database("postgres", user)
    major = data["settings"]["server_version"].partition(".")[0]
    auth = env.get("POSTGRES_HOST_AUTH_METHOD") or "scram-sha-256"
    trusted = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n"
    for name, text in (("PG_VERSION", f"{major}\n"), ("postgresql.conf", "listen_addresses = '*'\n"),
                       ("pg_hba.conf", f"{trusted}host all all all {auth}\n")):  # fmt: skip
        sys.write_file(f"{path}/{name}", text)
    started = _log(proc, sys, f"starting PostgreSQL {data['settings']['server_version']}")
    sys.out(f"waiting for server to start....{started} done\nserver started\n")
    if database != "postgres":
        server.create_database(database, user)
        sys.out("CREATE DATABASE\n")
    data["session"] = [user, database]
    data["env"] = {**env, "POSTGRES_USER": user, "POSTGRES_DB": database, "PGPASSWORD": password}
    init_scripts.begin(proc, sys, int(data["settings"]["port"]))


def _scripts(proc: Process, sys: Sys) -> Waits:
    """Does what lies in /docker-entrypoint-initdb.d, then opens the server to all."""
    data = proc["data"]
    if "scripts" not in data:
        return Waits()
    server, session = Server(sys, data["path"], data["settings"]), Session(data["session"][0], data["session"][1], "[local]")

    def say(path: str, how: str) -> None:
        sys.out(f"\n/usr/local/bin/docker-entrypoint.sh: {how} {path}\n")

    def read(path: str) -> None:
        text = sys.read_file(path)
        if len(text) > sql_wire.SCRIPT_MAX:
            raise PgError("54000", f"psql:{path}: podlab reads scripts of up to {sql_wire.SCRIPT_MAX} characters")
        data["todo"] = [[statement, f"{path}:{line}"] for statement, _, line in statements(text)]

    def turn() -> None:
        for _ in range(sql_wire.some([len(statement) for statement, _ in data["todo"]])):
            statement, where = data["todo"].pop(0)
            try:
                sys.out(execute(server, session, statement).tag + "\n")
            except PgError as error:
                raise PgError(error.state, f"psql:{where}: ERROR:  {error.text}") from None

    try:
        waits = init_scripts.go_on(proc, sys, init_scripts.Does(say, read, turn), data["env"])
        if waits is not None:
            return waits
        sys.out("\n\nPostgreSQL init process complete; ready for start up.\n\n")
        init_scripts.open_to_all(proc, sys, int(data["settings"]["port"]), "0.0.0.0")
    except PgError as error:
        sys.err(error.text + "\n")
        sys.exit(3)
    except Errno as error:
        sys.err(_log(proc, sys, f"could not start: {error.path}: {error.text}", "FATAL"))
        sys.exit(1)
    sys.out(_ready(proc, sys))
    return Waits()


def _ready(proc: Process, sys: Sys) -> str:
    settings, data = proc["data"]["settings"], proc["data"]
    skipped = "" if data["fresh"] else "\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n"
    lines = (f"starting PostgreSQL {settings['server_version']} on x86_64-pc-linux-gnu, compiled by gcc (Debian 14.2.0-19) 14.2.0, 64-bit",
             f'listening on IPv4 address "0.0.0.0", port {settings["port"]}', f'listening on IPv6 address "::", port {settings["port"]}',
             f'listening on Unix socket "/var/run/postgresql/.s.PGSQL.{settings["port"]}"',
             f"database system was shut down at {stamp(data['until'], '%Y-%m-%d %H:%M:%S')} UTC",
             "database system is ready to accept connections")  # fmt: skip
    return skipped + "".join(_log(proc, sys, line) for line in lines)


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    data = proc["data"]
    try:
        if "until" not in data:
            code = _begin(proc, sys)
            if code is not None:
                return code
        if "listening" not in data:
            if sys.now < data["until"]:
                sys.sleep(data["until"] - sys.now)
            if data["fresh"]:
                _initialise(proc, sys)
            elif sys.find(f"{data['path']}/{CONTROL}") is None:
                sys.err(_log(proc, sys, f'could not open file "{CONTROL}": No such file or directory', "FATAL"))
                return 1
            else:
                listen_on(proc, sys, [int(data["settings"]["port"])])
                sys.out(_ready(proc, sys))
    except PgError as error:
        sys.err(error.text + "\n")
        return 3
    except Errno as error:
        sys.err(_log(proc, sys, f"could not start: {error.path}: {error.text}", "FATAL"))
        return 1
    return serve_asking(proc, sys, _nothing_to_ask, _answer, _scripts)


def _nothing_to_ask(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    return None


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT, QUIT):
        if "listening" in proc["data"]:
            kind = {TERM: "smart", INT: "fast", QUIT: "immediate"}[n]
            lines = [f"received {kind} shutdown request", *(["aborting any active transactions"] if n == INT else []), "shutting down",
                     "checkpoint starting: shutdown immediate", "database system is shut down"]  # fmt: skip
            sys.out("".join(_log(proc, sys, line) for line in lines))
        sys.exit(0)
    return False


register(Program("postgres", partial(run, event=None), run, on_signal, 42 * MEBIBYTE))


# ---- answering


def _answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    body = sql_wire.body_of(MARK, request)
    if not body:
        return sql_wire.hung_up()
    settings = {**proc["data"]["settings"], "podlab.auth": str(proc["env"].get("POSTGRES_HOST_AUTH_METHOD", ""))}
    server = Server(sys, proc["data"]["path"], settings)
    sql = str(body.get("sql", ""))
    password = body.get("password")
    session = Session(str(body.get("user", "")), str(body.get("db", "")), "[local]" if body.get("local") and peer.startswith("127.") else peer)
    found: Data
    try:
        able = server.check(session, password if isinstance(password, str) else None)
        del server.settings["podlab.auth"]
        found = {"super": able, "version": settings["server_version"]}
        if "meta" in body:
            found.update(meta(server, session, str(body["meta"]), str(body.get("name", ""))))
        elif sql:
            done = execute(server, session, sql)
            right = [any(isinstance(row[at], int | float | Decimal) and not isinstance(row[at], bool) for row in done.rows)
                     for at in range(len(done.columns))]  # fmt: skip
            found.update(columns=done.columns, rows=done.rows, right=right, tag=done.tag)
    except PgError as error:
        _complain(proc, sys, error, sql)
        found = {"error": {"state": error.state, "text": error.text, "at": error.at, "detail": error.detail, "hint": error.hint,
                           "severity": error.severity}}  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, ArithmeticError):
        found = {"error": {"state": "0A000", "text": "podlab does not understand this statement", "severity": "ERROR"}}
    except Errno as error:
        found = {"error": {"state": "58030", "text": f'could not write file "{error.path}": {error.text}', "severity": "ERROR"}}
    return sql_wire.answer_of(found)


def _complain(proc: Process, sys: Sys, error: PgError, sql: str) -> None:
    """What the log says of a statement that failed."""
    if not error.severity:
        return
    _, at = pointed(sql, error.at)
    sys.err(_log(proc, sys, error.text + (f" at character {at + 1}" if error.at and at >= 0 else ""), error.severity))
    for word, text in (("DETAIL", error.detail), ("HINT", error.hint), ("STATEMENT", sql[:1_000] if error.severity == "ERROR" else "")):
        if text:
            sys.err(_log(proc, sys, text, word))


# ---- images

ENTRYPOINT = '#!/bin/sh\nset -e\nif [ "${1#-}" != "$1" ]; then set -- postgres "$@"; fi\nexec "$@"\n'
TAGS = ("9.3", "9.4", "9.5", "9.6", "10", "11", "12", "13", "14", "15", "16", "17", "18")


def _image(tags: tuple[str, ...], size: int, uid: int, distribution: str) -> None:
    programs = {"postgres": Entry(program="postgres", size=9_000_000),
                **{name: Entry(program=name, size=700_000) for name in CLIENTS}}  # fmt: skip
    tree = base_tree(
        distribution,
        {
            "usr": {"local": {"bin": {"docker-entrypoint.sh": Entry(ENTRYPOINT, mode=0o755), **programs}}},
            "var": {"lib": {"postgresql": {"data": {}}}, "run": {"postgresql": {}}},
            "docker-entrypoint-initdb.d": {},
        },
        users={"postgres": uid},
    )
    env = {"PATH": PATH, "PGDATA": "/var/lib/postgresql/data", "LANG": "en_US.utf8", "PG_VERSION": RELEASE}
    add(Image("docker.io/library/postgres", tags, tree, size, ("docker-entrypoint.sh",), ("postgres",), env, ports=(5432,), stop_signal="SIGINT"))


_image(("latest", *TAGS, "bookworm", "trixie"), 156_772_000, 999, "debian")
_image(("alpine", *(f"{tag}-alpine" for tag in TAGS)), 110_340_000, 70, "alpine")
