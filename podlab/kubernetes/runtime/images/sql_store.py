"""What a relational server keeps: tables as text files, read into SQLite for one statement and written back.

A database is a directory, a table a file in it: a line of JSON {"create": [statements], "next": the last AUTO_INCREMENT value}, then one row
a line. So data lives where a volume is mounted, survives what the volume survives, and can be copied file by file.

SQLite does the work because SQL is not what we teach; nothing of it is left between two statements. It may neither look at a clock nor draw
a random number, open a file, or work for long (STEPS): what a function gives is said by whoever makes the store.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Functions = Mapping[tuple[str, int], Callable[..., Any]]
"""(name, number of arguments, -1 any) -> what it gives."""
STEPS, STEPS_A_LOOK = 200_000, 1_000  # instructions of SQLite's virtual machine, about 20 ms: a join of some thousand rows
TEXT, ROWS, TABLE = 65_536, 2_000, 262_144  # characters of a value, rows of a result, characters of a table's file
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: TEXT,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: TABLE,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 5,
}
OWN_FUNCTIONS = frozenset(
    "abs avg char coalesce count format glob group_concat hex ifnull iif instr length like lower ltrim max min nullif printf quote replace round "
    "rtrim substr substring sum total trim typeof unicode upper row_number rank dense_rank lag lead first_value last_value".split()
)
ALTERING = ("sqlite_rename", "sqlite_drop_column", "sqlite_fail")  # what ALTER TABLE calls inside
WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
ALLOWED = WRITES | {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_ANALYZE}
SHAPES = {
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_DROP_TABLE,
    sqlite3.SQLITE_DROP_INDEX,
    sqlite3.SQLITE_DROP_VIEW,
    sqlite3.SQLITE_ALTER_TABLE,
}
HELD_OPEN = 8  # databases at once; SQLite attaches ten


def _scaled(digits: int) -> Callable[[bytes], Decimal | str]:
    def convert(value: bytes) -> Decimal | str:
        try:
            return round(Decimal(value.decode()), digits)
        except ArithmeticError:
            return value.decode("utf-8", "replace")

    return convert


for _digits in range(11):  # a column of type my_decimal_2(8,2), pg_numeric_2(8,2) shows two digits after the point
    sqlite3.register_converter(f"my_decimal_{_digits}", _scaled(_digits))
    sqlite3.register_converter(f"pg_numeric_{_digits}", _scaled(_digits))
sqlite3.register_converter("pg_boolean", lambda value: value not in (b"0", b"f", b"false", b"no", b"off"))
sqlite3.register_converter("pg_timestamp_without_time_zone", lambda value: value.decode("utf-8", "replace").removesuffix("+00"))


class TooMuch(Exception):
    """A statement that works for too long or makes too much."""


@dataclass
class Result:
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    changed: int = 0  # rows
    last_id: int = 0


class Store:
    """The databases that one statement needs. `files` {database: {table: text}}; `written` is the same of what has changed, None for a table
    that is gone. `exact`: LIKE tells capitals from small letters."""

    def __init__(self, files: Mapping[str, Mapping[str, str]], functions: Functions, *, exact: bool = False) -> None:
        self.written: dict[str, dict[str, str | None]] = {}
        self._given = files
        self._sql = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, detect_types=sqlite3.PARSE_DECLTYPES)
        for limit, value in LIMITS.items():
            self._sql.setlimit(limit, value)
        self._touched: set[str] = set()
        self._steps = 0
        if len(files) > HELD_OPEN:
            raise TooMuch
        for database, tables in files.items():
            self._sql.execute(f"ATTACH ':memory:' AS {quoted(database)}")
            for text in tables.values():
                self._load(database, text)
        self._sql.execute("PRAGMA foreign_keys = ON")
        if exact:
            self._sql.execute("PRAGMA case_sensitive_like = ON")
        for (name, count), function in functions.items():
            self._sql.create_function(name, count, function)
        self._allowed = OWN_FUNCTIONS | {name for name, _ in functions}
        self._sql.set_authorizer(self._may)
        self._sql.set_progress_handler(self._step, STEPS_A_LOOK)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self._sql.close()

    def run(self, statement: str) -> Result:
        """Raises sqlite3.Error with SQLite's words, TooMuch."""
        self._touched.clear()
        before = self._sql.total_changes
        try:
            cursor = self._sql.execute(statement)
            rows = cursor.fetchmany(ROWS + 1)
        except sqlite3.OperationalError as error:
            if str(error) == "interrupted":
                raise TooMuch from None
            raise
        except (sqlite3.DataError, sqlite3.InterfaceError, OverflowError, MemoryError) as error:
            raise TooMuch from error
        if len(rows) > ROWS or sum(len(str(value)) for row in rows for value in row) > TABLE:
            raise TooMuch
        columns = [one[0] for one in cursor.description or ()]
        for database in sorted(self._touched & set(self._given)):
            self._save(database)
        return Result(columns, [list(row) for row in rows], self._sql.total_changes - before, cursor.lastrowid or 0)

    def columns(self, database: str, table: str) -> list[dict[str, Any]]:
        """[{"name", "type", "null", "default", "key": PRI, UNI, MUL or "", "auto"}] in their order."""
        self._sql.set_authorizer(None)
        schema, name = quoted(database), quoted(table)
        found = self._sql.execute(f"PRAGMA {schema}.table_info({name})").fetchall()
        created = self._sql.execute(f"SELECT sql FROM {schema}.sqlite_master WHERE name = ?", (table,)).fetchone()
        keys: dict[str, str] = {}
        for index in self._sql.execute(f"PRAGMA {schema}.index_list({name})").fetchall():
            parts = self._sql.execute(f"PRAGMA {schema}.index_info({quoted(index[1])})").fetchall()
            if parts and index[3] != "pk":
                keys.setdefault(parts[0][2], "UNI" if index[2] and len(parts) == 1 else "MUL")
        self._sql.set_authorizer(self._may)
        auto = created is not None and "AUTOINCREMENT" in (created[0] or "").upper()
        return [
            {
                "name": one[1],
                "type": one[2],
                "null": not one[3] and not one[5],
                "default": one[4],
                "key": "PRI" if one[5] else keys.get(one[1], ""),
                "auto": bool(auto and one[5]),
            }
            for one in found
        ]

    # ---- between files and SQLite

    def _load(self, database: str, text: str) -> None:
        """Raises ValueError, sqlite3.Error for a file that is none of ours."""
        head, *rows = text.splitlines()
        about = json.loads(head)
        for statement in about["create"]:
            kind, rest = _placed(statement)
            self._sql.execute(f"{kind}{quoted(database)}.{rest}")
        table = f"{quoted(database)}.{quoted(about['name'])}"
        values = [json.loads(row) for row in rows]
        if values:
            self._sql.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
        if about["next"]:
            sequence = f"{quoted(database)}.sqlite_sequence"
            self._sql.execute(f"DELETE FROM {sequence} WHERE name = ?", (about["name"],))
            self._sql.execute(f"INSERT INTO {sequence} VALUES (?, ?)", (about["name"], about["next"]))

    def _save(self, database: str) -> None:
        """Notes the tables of a database whose text is another now. Raises TooMuch."""
        self._sql.set_authorizer(None)
        self._steps = 0
        schema = quoted(database)
        made = self._sql.execute(
            f"SELECT name, tbl_name, sql FROM {schema}.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"
        ).fetchall()
        counted = any(table == "sqlite_sequence" for (table,) in self._sql.execute(f"SELECT name FROM {schema}.sqlite_master").fetchall())
        now: dict[str, str] = {}
        for name, table, sql in made:
            if name != table:
                continue
            head = {"name": name, "create": [sql, *(other for one, of, other in made if of == name and one != name)], "next": 0}
            if counted:
                row = self._sql.execute(f"SELECT seq FROM {schema}.sqlite_sequence WHERE name = ?", (name,)).fetchone()
                head["next"] = row[0] if row else 0
            view = sql.upper().startswith("CREATE VIEW")
            rows = [] if view else self._sql.execute(f"SELECT * FROM {schema}.{quoted(name)}").fetchall()
            now[name] = "".join(_written(one) for one in [head, *rows])
            if len(now[name]) > TABLE:
                raise TooMuch
        before = self._given[database]
        changed: dict[str, str | None] = {name: text for name, text in now.items() if before.get(name) != text}
        changed.update({name: None for name in before if name not in now})
        self.written[database] = changed
        self._sql.set_authorizer(self._may)

    # ---- what a statement may do

    def _may(self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            return sqlite3.SQLITE_OK if name in self._allowed or name.startswith(ALTERING) else sqlite3.SQLITE_DENY
        if action in WRITES | SHAPES:
            self._touched.add((first if action == sqlite3.SQLITE_ALTER_TABLE else database) or "")
        return sqlite3.SQLITE_OK if action in ALLOWED | SHAPES else sqlite3.SQLITE_DENY

    def _step(self) -> int:
        self._steps += STEPS_A_LOOK
        return int(self._steps > STEPS)


def _written(line: object) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=_plain) + "\n"


def _plain(value: bytes | Decimal) -> str | float:
    """What JSON has no words for."""
    return float(value) if isinstance(value, Decimal) else value.decode("utf-8", "replace")


def quoted(name: str) -> str:
    """A name as SQLite takes it."""
    return '"' + name.replace('"', '""') + '"'


def _placed(statement: str) -> tuple[str, str]:
    """A CREATE statement as sqlite_master keeps it, parted where the database's name has to stand."""
    words = statement.split(None, 3)
    kind = " ".join(words[:3] if words[1].upper() == "UNIQUE" else words[:2]) + " "
    return kind, statement[len(kind) :].lstrip()
