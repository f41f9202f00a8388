"""MySQL's statements that are not about a table's rows: databases, accounts, variables, what SHOW and DESCRIBE tell, replication.

Source: dev.mysql.com/doc/refman (statements), /doc/mysql-errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..process import Data
from . import mysql_words, sql_bounds, sql_wire
from .mysql_server import BINLOG, BINLOG_BEGIN, OWN, SWITCHES, Outcome, Server, Session, literal
from .mysql_words import SqlError


def execute(server: Server, session: Session, text: str) -> Outcome:
    """Does one statement, and notes what it changed in the binary log. Raises SqlError, Errno."""
    statement = mysql_words.bounded(mysql_words.bare(text))
    if not statement:
        raise SqlError(1065, "42000", "Query was empty")
    for pattern, does in COMMANDS:
        found = pattern.fullmatch(statement)
        if found:
            outcome = does(server, session, found)
            writes = does in LOGGED
            break
    else:
        outcome, writes = server.query(session, statement)
    if writes and not session.replication:
        server.log(session, statement)
    return outcome


def replay(server: Server, events: list[Data], position: int) -> None:
    """Does what the source has done, no more than a turn's worth; stops at the first statement that fails, as replication does."""
    source = server.source()
    for event in events[: sql_wire.some([len(one["sql"]) for one in events])]:
        try:
            execute(server, Session("root", "localhost", event["db"], replication=True), event["sql"])
        except SqlError as error:
            told = f"Error '{error.text}' on query. Default database: '{event['db']}'. Query: '{event['sql']}'"
            source.update(error=told, number=error.number)
            break
    else:
        source["position"] = position
    server.follow(source)


def _use(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = found["name"].strip("`")
    if name not in server.databases():
        raise SqlError(1049, "42000", f"Unknown database '{name}'")
    server.allow(session, name)
    return Outcome(database=name)


def _create_database(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = found["name"].strip("`")
    server.writable(session)
    server.allow(session, name)
    if name in (*server.databases(), "main", "temp"):
        if found["exists"]:
            return Outcome(changed=1)
        raise SqlError(1007, "HY000", f"Can't create database '{name}'; database exists")
    server.sys.mkdir(f"{server.path}/{name}")
    return Outcome(changed=1)


def _drop_database(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = found["name"].strip("`")
    server.writable(session)
    server.allow(session, name)
    if name not in server.databases():
        if found["exists"]:
            return Outcome()
        raise SqlError(1008, "HY000", f"Can't drop database '{name}'; database doesn't exist")
    if name in OWN:
        raise SqlError(3552, "HY000", f"Access to system schema '{name}' is rejected.")
    tables = server.tables(name)
    server.keep({name: dict.fromkeys(tables)})
    server.sys.rmdir(f"{server.path}/{name}")
    return Outcome(changed=len(tables), database="" if session.database == name else None)


def _show_databases(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    return Outcome(["Database"], [[name] for name in server.databases()])


def _show_tables(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = (found["name"] or "").strip("`") or session.database
    if not name:
        raise SqlError(1046, "3D000", "No database selected")
    server.allow(session, name)
    return Outcome([f"Tables_in_{name}"], [[one] for one in sorted(server.tables(name))])


def _describe(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    database, _, table = found["name"].replace("`", "").rpartition(".")
    database = database or session.database
    if not database:
        raise SqlError(1046, "3D000", "No database selected")
    server.allow(session, database)
    if table not in server.tables(database):
        raise SqlError(1146, "42S02", f"Table '{database}.{table}' doesn't exist")
    whole = "int(11)" if str(server.settings["version"]).startswith("5.") else "int"
    with server.store((database,), session) as store:
        rows = [
            [
                one["name"],
                mysql_words.type_of(one["type"], whole),
                "YES" if one["null"] else "NO",
                one["key"],
                _plain(one["default"]),
                "auto_increment" if one["auto"] else "",
            ]
            for one in store.columns(database, table)
        ]
    return Outcome(["Field", "Type", "Null", "Key", "Default", "Extra"], rows)


def _plain(default: str | None) -> str | None:
    if default is None or default.upper() == "NULL":
        return None
    return "CURRENT_TIMESTAMP" if default.upper().startswith("NOW(") else default.strip("'")


def _show_create(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    columns = _describe(server, session, found).rows
    name = found["name"].replace("`", "").rpartition(".")[2]
    lines = [
        f"  `{field}` {kind}{'' if null == 'YES' else ' NOT NULL'}"
        + (f" {extra.upper()}" if extra else "" if default is None and null == "NO" else f" DEFAULT {_default(default)}")
        for field, kind, null, _, default, extra in columns
    ]
    primary = [f"`{one[0]}`" for one in columns if one[3] == "PRI"]
    lines += [f"  PRIMARY KEY ({','.join(primary)})"] if primary else []
    lines += [f"  UNIQUE KEY `{one[0]}` (`{one[0]}`)" for one in columns if one[3] == "UNI"]
    body = ",\n".join(lines)
    return Outcome(
        ["Table", "Create Table"],
        [[name, f"CREATE TABLE `{name}` (\n{body}\n) ENGINE=InnoDB DEFAULT CHARSET={server.settings['character_set_server']}"]],
    )


def _default(value: str | None) -> str:
    return "NULL" if value is None else value if value == "CURRENT_TIMESTAMP" else f"'{value}'"


def _show_variables(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    pattern, like = found["like"] or "%", sql_bounds.functions(exact=False)["like", 3]
    shown = {name: ("ON" if value else "OFF") if name in SWITCHES else str(value) for name, value in server.settings.items()}
    try:
        rows = [[name, shown[name]] for name in sorted(shown) if like(pattern, name, "\\")]
    except sql_bounds.TooMuch:
        raise SqlError(3024, "HY000", "Query execution was interrupted, maximum statement execution time exceeded") from None
    return Outcome(["Variable_name", "Value"], rows)


def _show_source(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    rows: list[list[Any]] = [[BINLOG, server.position(), "", "", ""]] if server.settings["log_bin"] else []
    return Outcome(["File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"], rows)


def _show_replica(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    source = server.source()
    if not source:
        return Outcome()
    new = found["word"].upper() == "REPLICA"
    first, thread = ("Source", "Replica") if new else ("Master", "Slave")
    io = ("Connecting" if source.get("lost") else "Yes") if source["on"] else "No"
    told = {
        f"{thread}_IO_State": "" if not source["on"] else f"Waiting for {first.lower()} to send event",
        f"{first}_Host": source["host"],
        f"{first}_User": source["user"],
        f"{first}_Port": source["port"],
        "Connect_Retry": 10,
        f"{first}_Log_File": BINLOG,
        f"Read_{first}_Log_Pos": source["position"],
        f"{thread}_IO_Running": io,
        f"{thread}_SQL_Running": "Yes" if source["on"] and not source["error"] else "No",
        "Last_Errno": source.get("number", 0),
        "Last_Error": source["error"],
        f"Exec_{first}_Log_Pos": source["position"],
        f"Seconds_Behind_{first}": 0 if io == "Yes" and not source["error"] else None,
    }
    return Outcome(list(told), [list(told.values())])


def _change_source(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    given = {
        name.upper().removeprefix("MASTER_").removeprefix("SOURCE_"): value.strip("'\"")
        for name, value in re.findall(r"(\w+)\s*=\s*('[^']*'|\"[^\"]*\"|[\w.-]+)", found["rest"])
    }
    old = server.source()
    if old.get("on"):
        raise SqlError(
            3021, "HY000", "This operation cannot be performed with a running slave io thread; run STOP SLAVE IO_THREAD FOR CHANNEL '' first."
        )
    server.follow(
        {
            "host": given.get("HOST", old.get("host", "")),
            "port": int(given.get("PORT") or old.get("port") or 3306),
            "user": given.get("USER", old.get("user", "")),
            "password": given.get("PASSWORD", old.get("password", "")),
            "position": int(given.get("LOG_POS") or old.get("position") or BINLOG_BEGIN),
            "on": False,
            "error": "",
        }
    )
    return Outcome()


def _start_replica(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    source = server.source()
    if not source.get("host"):
        raise SqlError(1200, "HY000", "The server is not configured as slave; fix in config file or with CHANGE MASTER TO")
    server.follow({**source, "on": found["verb"].upper() == "START", "error": "", "number": 0})
    return Outcome()


def _account(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    server.writable(session)
    verb, user, host = found["verb"].upper(), found["user"], found["host"] or "%"
    known = server.ask(f"SELECT 1 FROM mysql.user WHERE User = {literal(user)} AND Host = {literal(host)}").rows
    failed = SqlError(1396, "HY000", f"Operation {verb} USER failed for '{user}'@'{host}'")
    if verb == "DROP":
        if not known and not found["exists"]:
            raise failed
        server.ask(f"DELETE FROM mysql.user WHERE User = {literal(user)} AND Host = {literal(host)}")
        return Outcome()
    if bool(known) == (verb == "CREATE"):
        if found["exists"]:
            return Outcome()
        raise failed
    server.set_user(user, host, found["password"])
    return Outcome()


def _grant(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    server.writable(session)
    if not server.ask(f"SELECT 1 FROM mysql.user WHERE User = {literal(found['user'])}").rows:
        raise SqlError(1410, "42000", "You are not allowed to create a user with GRANT")
    server.grant(found["user"], found["name"].strip("`"))
    return Outcome()


def _nothing(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    return Outcome()


def _set(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = found["name"].lower()
    if name in ("read_only", "super_read_only") and found["scope"]:
        server.settings[name] = int(found["value"].strip("'\"").upper() in ("1", "ON", "TRUE"))
    return Outcome()


_NAME = r"(?P<name>`[^`]+`|[\w$-]+)"
_WHO = r"'?(?P<user>[\w.-]+)'?(?:\s*@\s*'?(?P<host>[\w.%-]+)'?)?"
_EXISTS = r"(?P<exists>if\s+(?:not\s+)?exists\s+)?"
Command = Callable[[Server, Session, "re.Match[str]"], Outcome]
COMMANDS: tuple[tuple[re.Pattern[str], Command], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), does)
    for pattern, does in (
        (rf"use\s+{_NAME}", _use),
        (rf"create\s+(?:database|schema)\s+{_EXISTS}{_NAME}(?:\s+.*)?", _create_database),
        (rf"drop\s+(?:database|schema)\s+{_EXISTS}{_NAME}", _drop_database),
        (r"show\s+(?:databases|schemas)", _show_databases),
        (rf"show\s+(?:full\s+)?tables(?:\s+(?:from|in)\s+{_NAME})?", _show_tables),
        (
            r"(?:describe|desc|explain|show\s+(?:full\s+)?columns\s+(?:from|in)|show\s+fields\s+(?:from|in))\s+(?P<name>[`\w$-]+(?:\.[`\w$-]+)?)",
            _describe,
        ),
        (r"show\s+create\s+table\s+(?P<name>[`\w$-]+(?:\.[`\w$-]+)?)", _show_create),
        (r"show\s+(?:global\s+|session\s+)?variables(?:\s+like\s+'(?P<like>[^']*)')?", _show_variables),
        (r"show\s+(?:master|binary\s+log)\s+status", _show_source),
        (r"show\s+(?P<word>slave|replica)\s+status", _show_replica),
        (r"change\s+(?:master|replication\s+source)\s+to\s+(?P<rest>.*)", _change_source),
        (r"(?P<verb>start|stop)\s+(?:slave|replica)(?:\s+\w+)*", _start_replica),
        (rf"(?P<verb>create|alter|drop)\s+user\s+{_EXISTS}{_WHO}(?:\s+identified\s+(?:with\s+'?\w+'?\s+)?by\s+'(?P<password>[^']*)')?", _account),
        (rf"grant\s++(?:[\w,()]++\s++)+?on\s+(?P<name>`[^`]+`|[\w$*-]+)\.(?:`[^`]+`|[\w$*-]+)\s+to\s+{_WHO}(?:\s+with\s+grant\s+option)?", _grant),
        (r"set\s+(?P<scope>global\s+|persist\s+|@@global\.)(?P<name>\w+)\s*=\s*(?P<value>\S+)", _set),
        (
            r"(?:begin|start\s+transaction|commit|rollback|set\s.*|flush\s.*|lock\s.*|unlock\s.*|reset\s.*|show\s+(?:warnings|errors|grants.*|processlist|status.*)"
            r"|analyze\s.*|optimize\s.*)",
            _nothing,
        ),
    )
)
LOGGED = {_create_database, _drop_database, _account, _grant}
