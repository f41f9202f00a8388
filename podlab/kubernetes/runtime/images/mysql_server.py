"""What mysqld does with one statement: the databases on its disk, who may what, what is written to the binary log.

Files of the data directory: DATABASE/TABLE.ibd (sql_store.py), mysql/user.ibd and mysql/db.ibd with the accounts, mysql-bin.000001 with a JSON
{"db", "sql", "at"} a line, master.info with what a replica follows. Source: dev.mysql.com/doc/refman.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...times import stamp
from ..process import Data
from ..system import Sys
from . import mysql_words, sql_wire
from .mysql_words import SqlError
from .sql_store import Functions, Result, Store, TooMuch

OWN = ("information_schema", "mysql", "performance_schema", "sys")
BINLOG, BINLOG_BEGIN = "mysql-bin.000001", 154  # bytes: where the first event of a MySQL 5.7 log stands
BINLOG_MAX = 262_144  # characters kept
USER = (
    '{"name":"user","create":["CREATE TABLE user (Host char(255) COLLATE NOCASE, User char(32), Super_priv char(1), plugin char(64), '
    'authentication_string text, PRIMARY KEY (Host, User))"],"next":0}\n'
)
DB = '{"name":"db","create":["CREATE TABLE db (Host char(255), Db char(64), User char(32), PRIMARY KEY (Host, Db, User))"],"next":0}\n'
SWITCHES = ("log_bin", "read_only", "super_read_only")
WRITING = ("INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "TRUNCATETABLE")


@dataclass
class Session:
    """Who asks: `database` is the one in use, "" none; `host` is where they come from."""

    user: str
    host: str
    database: str = ""
    replication: bool = False  # the server itself, doing what its source has done


@dataclass
class Outcome(Result):
    database: str | None = None  # the one in use from now on


def hashed(password: str) -> str:
    """mysql_native_password: SHA-1 twice."""
    if not password:
        return ""
    once = hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


@dataclass
class Server:
    """A data directory and the settings. All methods raise SqlError, Errno."""

    sys: Sys
    path: str
    settings: dict[str, str | int] = field(default_factory=dict)

    # ---- the disk

    def databases(self) -> list[str]:
        found = [
            name
            for name in self.sys.listdir(self.path)
            if self.sys.look(f"{self.path}/{name}").is_dir and name[0] not in ".#" and name != "lost+found"
        ]
        return sorted({*found, "information_schema"})

    def tables(self, database: str) -> dict[str, str]:
        """{table: its file's text}."""
        found = None if "/" in database else sql_wire.tables(self.sys, f"{self.path}/{database}", ".ibd")
        if found is None:
            raise SqlError(1049, "42000", f"Unknown database '{database}'")
        return found

    def store(self, databases: tuple[str, ...], session: Session) -> Store:
        try:
            return Store({name: self.tables(name) for name in databases}, self._functions(session))
        except (ValueError, KeyError, IndexError, TypeError, sqlite3.Error):
            raise SqlError(1033, "HY000", "Incorrect information in file") from None
        except TooMuch:
            raise SqlError(1116, "HY000", "Too many tables; podlab joins tables of up to 8 databases") from None

    def _functions(self, session: Session) -> Functions:
        sys, now = self.sys, stamp(self.sys.now, "%Y-%m-%d %H:%M:%S")

        def moment(form: str) -> Callable[[], str]:
            return lambda: stamp(sys.now, form)

        def joined(separator: str, *parts: Any) -> str:
            return separator.join(str(part) for part in parts if part is not None)

        def formatted(form: str, value: Any) -> str | None:
            return None if value is None else _strftime(form, str(now if value == "now" else value))

        named: dict[tuple[str, int], Callable[..., Any]] = {
            ("now", -1): lambda *precision: now,
            ("sysdate", -1): lambda *precision: now,
            ("current_timestamp", 0): lambda: now,
            ("curdate", 0): moment("%Y-%m-%d"),
            ("current_date", 0): moment("%Y-%m-%d"),
            ("curtime", 0): moment("%H:%M:%S"),
            ("current_time", 0): moment("%H:%M:%S"),
            ("unix_timestamp", 0): lambda: sys.now // 1000,
            ("uuid", 0): lambda: "-".join(f"{sys.random(16**length):0{length}x}" for length in (8, 4, 4, 4, 12)),
            ("rand", 0): lambda: sys.random(10**9) / 10**9,
            ("version", 0): lambda: self.settings["version"],
            ("database", 0): lambda: session.database or None,
            ("connection_id", 0): lambda: 8,
            ("sleep", 1): lambda seconds: 0,
            ("user", 0): lambda: f"{session.user}@{session.host}",
            ("current_user", 0): lambda: f"{session.user}@%",
            ("session_user", 0): lambda: f"{session.user}@{session.host}",
            ("strftime", 2): formatted,
            ("date", 1): lambda value: value and str(value)[:10],
            ("year", 1): lambda value: value and int(str(value)[:4]),
            ("month", 1): lambda value: value and int(str(value)[5:7]),
            ("concat_ws", -1): joined,
            ("left", 2): lambda text, count: str(text)[: max(0, count)],
            ("right", 2): lambda text, count: str(text)[-count:] if count > 0 else "",
            ("reverse", 1): lambda text: text and str(text)[::-1],
            ("lpad", 3): lambda text, count, fill: str(text).rjust(min(count, 1_000), fill[:1] or " ")[:count],
            ("rpad", 3): lambda text, count, fill: str(text).ljust(min(count, 1_000), fill[:1] or " ")[:count],
            ("repeat", 2): lambda text, count: str(text)[:100] * min(max(count, 0), 100),
            ("floor", 1): lambda value: value and int(value // 1),
            ("ceil", 1): lambda value: value and -int(-value // 1),
            ("ceiling", 1): lambda value: value and -int(-value // 1),
            ("md5", 1): lambda text: text and hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest(),
            ("sha", 1): lambda text: text and hashlib.sha1(str(text).encode(), usedforsecurity=False).hexdigest(),
            ("if", 3): lambda test, yes, no: yes if test else no,
        }
        return named

    def keep(self, written: dict[str, dict[str, str | None]]) -> None:
        sql_wire.keep(self.sys, self.path, ".ibd", written)

    # ---- accounts

    def check(self, user: str, password: str, host: str) -> None:
        """Raises SqlError 1045."""
        rows = self.ask("SELECT Host, authentication_string FROM mysql.user WHERE User = " + literal(user)).rows
        here = [kept for where, kept in rows if where in ("%", host) or (where == "localhost" and host in ("localhost", "127.0.0.1"))]
        if not here or hashed(password) not in here:
            given = "YES" if password else "NO"
            raise SqlError(1045, "28000", f"Access denied for user '{user}'@'{host}' (using password: {given})")

    def allow(self, session: Session, database: str) -> None:
        """Raises SqlError 1044."""
        if session.replication or database == "information_schema":
            return
        rows = self.ask("SELECT Super_priv FROM mysql.user WHERE User = " + literal(session.user)).rows
        if ["Y"] in rows:
            return
        granted = self.ask(f"SELECT Db FROM mysql.db WHERE User = {literal(session.user)}").rows
        if [database] not in granted:
            raise SqlError(1044, "42000", f"Access denied for user '{session.user}'@'%' to database '{database}'")

    def set_user(self, user: str, host: str, password: str | None, *, all_rights: bool = False) -> None:
        """Makes an account, or changes its password."""
        native = (
            f"{literal(host)}, {literal(user)}, {literal('Y' if all_rights else 'N')}, 'mysql_native_password', {literal(hashed(password or ''))}"
        )
        self.ask(f"INSERT OR REPLACE INTO mysql.user VALUES ({native})")

    def grant(self, user: str, database: str) -> None:
        if database == "*":
            self.ask(f"UPDATE mysql.user SET Super_priv = 'Y' WHERE User = {literal(user)}")
        else:
            self.ask(f"INSERT OR REPLACE INTO mysql.db VALUES ('%', {literal(database)}, {literal(user)})")

    def ask(self, statement: str) -> Result:
        """SQLite's words, on the server's own account."""
        with self.store(("mysql",), Session("root", "localhost", replication=True)) as store:
            try:
                result = store.run(statement)
            except (sqlite3.Error, TooMuch):  # somebody has written into the file
                raise SqlError(1033, "HY000", "Incorrect information in file") from None
            self.keep(store.written)
        return result

    # ---- a statement of tables

    def query(self, session: Session, statement: str) -> tuple[Outcome, bool]:
        found = mysql_words.translate(statement, session.database, self.settings)
        for database in {name for name, _ in found.tables}:
            self.allow(session, database)
        writes = found.kind in WRITING
        if writes:
            self.writable(session)
            if found.tables and found.tables[0][0] in OWN:
                raise SqlError(1044, "42000", f"Access denied for user '{session.user}'@'%' to database '{found.tables[0][0]}'")
        present = set(self.databases()) - {"information_schema"}
        with self.store(tuple(name for name in found.databases if name in present), session) as store:
            try:
                result = store.run(found.sql)
            except TooMuch:
                raise SqlError(3024, "HY000", "Query execution was interrupted, maximum statement execution time exceeded") from None
            except sqlite3.Error as error:
                raise _said(str(error), found, session, present, not str(self.settings["version"]).startswith("5.")) from None
            self.keep(store.written)
        self.sys.charge(200)
        for row in result.rows:
            for at in found.fractions:
                row[at] = Decimal(f"{row[at]:.4f}") if isinstance(row[at], float) else row[at]
        return Outcome(result.columns, result.rows, max(0, result.changed), result.last_id), writes

    def writable(self, session: Session) -> None:
        """Raises SqlError 1290."""
        for option, name in (("super_read_only", "--super-read-only"), ("read_only", "--read-only")):
            if self.settings[option] and not session.replication:
                raise SqlError(1290, "HY000", f"The MySQL server is running with the {name} option so it cannot execute this statement")

    def log(self, session: Session, statement: str) -> None:
        """Appends to the binary log, if there is one. Raises SqlError 1026 when it is full."""
        if not self.settings["log_bin"]:
            return
        where = f"{self.path}/{BINLOG}"
        line = json.dumps({"db": session.database, "sql": statement, "at": self.sys.now}, separators=(",", ":")) + "\n"
        if self.sys.find(where) is not None and len(self.sys.read_file(where)) + len(line) > BINLOG_MAX:
            raise SqlError(1026, "HY000", f"Error writing file '{BINLOG}' (errno: 28 - No space left on device)")
        self.sys.write_file(where, line, "a")

    def position(self) -> int:
        """Where the binary log ends."""
        where = f"{self.path}/{BINLOG}"
        return BINLOG_BEGIN + (len(self.sys.read_file(where)) if self.sys.find(where) is not None else 0)

    def events(self, position: int) -> tuple[list[Data], int]:
        """What stands in the binary log after a position, as much as can be done in a turn, and where the next stands."""
        where = f"{self.path}/{BINLOG}"
        position = max(position, BINLOG_BEGIN)
        text = self.sys.read_file(where)[position - BINLOG_BEGIN :] if self.sys.find(where) is not None else ""
        lines = text.splitlines(keepends=True)
        lines = lines[: sql_wire.some([len(line) for line in lines])]
        return [json.loads(line) for line in lines], position + sum(map(len, lines))

    # ---- replication

    def source(self) -> Data:
        """What this server follows, {} for none: {"host", "port", "user", "password", "position", "on", "error"}."""
        where = f"{self.path}/master.info"
        return dict(json.loads(self.sys.read_file(where))) if self.sys.find(where) is not None else {}

    def follow(self, source: Data) -> None:
        self.sys.write_file(f"{self.path}/master.info", json.dumps(source))


def _strftime(form: str, value: str) -> str:
    parts = {"Y": value[:4], "m": value[5:7], "d": value[8:10], "H": value[11:13] or "00", "M": value[14:16] or "00", "S": value[17:19] or "00"}
    return re.sub(r"%([a-zA-Z])", lambda found: parts.get(found[1], found[0]), form)


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# ---- SQLite's complaints in MySQL's words


def _unfit(duplicate: bool, column: str, found: mysql_words.Translated, modern: bool) -> SqlError:
    """A row that a key or NOT NULL keeps out."""
    name = column.rpartition(".")[2]
    at = found.columns.index(name) if name in found.columns else 0
    if not duplicate:
        if found.columns and name not in found.columns:
            return SqlError(1364, "HY000", f"Field '{name}' doesn't have a default value")
        return SqlError(1048, "23000", f"Column '{name}' cannot be null")
    given = [row[at] for row in found.values if at < len(row)]
    twice = next((one for one in given if given.count(one) > 1), given[0] if given else "")
    return SqlError(1062, "23000", f"Duplicate entry '{twice}' for key '{column if modern else name}'")


def _said(text: str, found: mysql_words.Translated, session: Session, present: set[str], modern: bool) -> SqlError:
    missing = next((name for name in found.databases if name not in present and name in {one for one, _ in found.tables}), "")
    if missing:
        return SqlError(1049, "42000", f"Unknown database '{missing}'")
    unfit = re.search(r"(UNIQUE|NOT NULL) constraint failed: ([^,]+)", text)
    if unfit:
        return _unfit(unfit[1] == "UNIQUE", unfit[2], found, modern)
    for pattern, number, state, words in COMPLAINTS:
        match = re.search(pattern, text)
        if match:
            table = match[1].rpartition(".")[2] if match.groups() else ""
            database = next((one for one, name in found.tables if name == table), session.database)
            return SqlError(
                number,
                state,
                words.format(
                    name=match[1].rpartition(".")[2] if match.groups() else "", all=match[1] if match.groups() else "", database=database or "mysql"
                ),
            )
    return mysql_words.syntax(found.sql)


COMPLAINTS = (
    (r"no such table: (\S+)", 1146, "42S02", "Table '{database}.{name}' doesn't exist"),
    (r"table (\S+) already exists", 1050, "42S01", "Table '{name}' already exists"),
    (r"no such column: (\S+)", 1054, "42S22", "Unknown column '{all}' in 'field list'"),
    (r"has no column named (\S+)", 1054, "42S22", "Unknown column '{name}' in 'field list'"),
    (r"ambiguous column name: (\S+)", 1052, "23000", "Column '{name}' in field list is ambiguous"),
    (r"FOREIGN KEY constraint failed", 1452, "23000", "Cannot add or update a child row: a foreign key constraint fails"),
    (r"CHECK constraint failed: (\S+)", 3819, "HY000", "Check constraint '{name}' is violated."),
    (r"has \d+ columns but \d+ values|\d+ values for \d+ columns", 1136, "21S01", "Column count doesn't match value count at row 1"),
    (r"no such function: (\S+)", 1305, "42000", "FUNCTION {database}.{name} does not exist"),
    (r"not authorized to use function: (\S+)", 1305, "42000", "FUNCTION {database}.{name} does not exist"),
    (r"index (\S+) already exists", 1061, "42000", "Duplicate key name '{name}'"),
    (r"duplicate column name: (\S+)", 1060, "42S21", "Duplicate column name '{name}'"),
)
