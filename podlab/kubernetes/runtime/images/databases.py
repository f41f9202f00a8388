"""Databases and queues as plausible servers: they want what the real images want, take their time, listen and stay.

They speak no protocol of theirs: a connection is accepted and stays silent. Data directories are real files, so a server that finds
its directory filled starts without initialising, as the real ones do. Sources: the images' docker-entrypoint.sh and documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...times import stamp
from .. import sockets
from ..process import Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .database_server import add_image, add_server, nothing

# ---- postgres


def _postgres_wants(proc: Process, sys: Sys) -> str:
    env = proc["env"]
    if env.get("POSTGRES_PASSWORD") or env.get("POSTGRES_HOST_AUTH_METHOD") == "trust":
        return ""
    return (
        "Error: Database is uninitialized and superuser password is not specified.\n"
        "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
        '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n\n'
        '       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all\n'
        "       connections without a password. This is *not* recommended.\n\n"
        '       See PostgreSQL documentation about "trust":\n'
        "       https://www.postgresql.org/docs/current/auth-trust.html\n"
    )


def _postgres_ready(proc: Process, sys: Sys) -> str:
    at = stamp(sys.now, "%Y-%m-%d %H:%M:%S.") + f"{sys.now % 1000:03d} UTC [{proc['pid']}] LOG:  "
    start = (
        "\nPostgreSQL init process complete; ready for start up.\n\n"
        if proc["data"]["fresh"]
        else "\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n"
    )
    return (
        start + f"{at}starting PostgreSQL 17.6 (Debian 17.6-1.pgdg13+1) on x86_64-pc-linux-gnu, compiled by gcc (Debian "
        f"14.2.0-19) 14.2.0, 64-bit\n"
        f'{at}listening on IPv4 address "0.0.0.0", port 5432\n{at}listening on IPv6 address "::", port 5432\n'
        f'{at}listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"\n{at}database system is ready to accept connections\n'
    )


def _postgres_init(proc: Process, sys: Sys) -> str:
    return (
        'The files belonging to this database system will be owned by user "postgres".\nThis user must also own the server '
        "process.\n\n"
        'The database cluster will be initialized with locale "en_US.utf8".\nThe default database encoding has accordingly '
        'been set to "UTF8".\n'
        'The default text search configuration will be set to "english".\n\nData page checksums are disabled.\n\n'
        "fixing permissions on existing directory /var/lib/postgresql/data ... ok\ncreating subdirectories ... ok\nselecting "
        "dynamic shared memory implementation ... posix\n"
        "selecting default max_connections ... 100\nselecting default shared_buffers ... 128MB\nselecting default time zone "
        "... Etc/UTC\ncreating configuration files ... ok\n"
        "running bootstrap script ... ok\nperforming post-bootstrap initialization ... ok\nsyncing data to disk ... ok\n\n\n"
        "Success. You can now start the database server using:\n\n"
        "    pg_ctl -D /var/lib/postgresql/data -l logfile start\n\n"
    )


add_server(
    "postgres",
    5432,
    _postgres_wants,
    "/var/lib/postgresql/data/PG_VERSION",
    _postgres_init,
    _postgres_ready,
    "",
    init_ms=2_400,
    start_ms=250,
    memory=42 * MEBIBYTE,
)


@tool("pg_isready")
def pg_isready(proc: Process, sys: Sys, event: Event) -> int:
    """Whether the server of this Pod (or -h HOST -p PORT) takes connections."""
    words, data = proc["argv"], proc["data"]
    host = words[words.index("-h") + 1] if "-h" in words[:-1] else ""
    port = int(words[words.index("-p") + 1]) if "-p" in words[:-1] else 5432
    where = f"{host or '/var/run/postgresql'}:{port}"
    try:
        addresses = sockets.resolve(sys, host or "127.0.0.1")[1]
        if not addresses:
            sys.out(f"{where} - no attempt\n")
            return 3
        sockets.connect(sys, "socket", addresses[0], port, 3_000)
    except Errno:
        if "-q" not in words:
            sys.out(f"{where} - no response\n")
        return 2
    if "-q" not in words and "said" not in data:
        sys.out(f"{where} - accepting connections\n")
    return 0


# ---- memcached, rabbitmq


def _rabbit_ready(proc: Process, sys: Sys) -> str:
    at = stamp(sys.now, "%Y-%m-%d %H:%M:%S.") + f"{sys.now % 1000:03d}000+00:00"
    return (
        f"{at} [info] <0.254.0> node           : rabbit@{sys.hostname}\n{at} [info] <0.692.0> started TCP listener on [::]:5672\n"
        f"{at} [info] <0.581.0> Server startup complete; 4 plugins started.\n"
    )


add_server("memcached", 11211, nothing, "", nothing, nothing, "", init_ms=0, start_ms=5, memory=3 * MEBIBYTE)
add_server(
    "rabbitmq-server",
    5672,
    nothing,
    "/var/lib/rabbitmq/mnesia/started",
    nothing,
    _rabbit_ready,
    "",
    init_ms=2_000,
    start_ms=5_500,
    memory=140 * MEBIBYTE,
)


# ---- images


PG: Mapping[str, object] = {"var": {"lib": {"postgresql": {"data": {}}}, "run": {"postgresql": {}}}}
PG_TAGS = ("9.6", "10", "11", "12", "13", "14", "15", "16", "17", "18")
add_image(
    "postgres",
    ("latest", *PG_TAGS, "17.6", "16.10", "bookworm", "trixie"),
    "postgres",
    156_772_000,
    5432,
    PG,
    tools=("pg_isready",),
    user=("postgres", 999),
    stop="SIGINT",
    env={"PGDATA": "/var/lib/postgresql/data"},
)
add_image(
    "postgres",
    ("alpine", *(f"{tag}-alpine" for tag in PG_TAGS)),
    "postgres",
    110_340_000,
    5432,
    PG,
    tools=("pg_isready",),
    user=("postgres", 70),
    stop="SIGINT",
    env={"PGDATA": "/var/lib/postgresql/data"},
    alpine=True,
)
add_image("memcached", ("latest", "1", "1.6", "1.6.39"), "memcached", 34_040_000, 11211, {}, user=("memcache", 11211))
add_image("memcached", ("alpine", "1-alpine", "1.6-alpine"), "memcached", 4_260_000, 11211, {}, user=("memcache", 11211), alpine=True)
add_image(
    "rabbitmq",
    ("latest", "3", "3.11", "3.12", "3.13", "4", "4.1", "management", "3-management", "3.11-management", "3.12-management", "4-management"),
    "rabbitmq-server",
    113_860_000,
    5672,
    {"var": {"lib": {"rabbitmq": {}}}},
    user=("rabbitmq", 999),
)
