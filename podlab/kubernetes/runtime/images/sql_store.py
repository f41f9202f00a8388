"""What a relational server keeps: tables as text files, read into SQLite for one statement and written back.

A database is a directory, a table a file in it: a line of JSON {"create": [statements], "next": the last AUTO_INCREMENT value}, then one row
a line. So data lives where a volume is mounted, survives what the volume survives, and can be copied file by file.

SQLite does the work because SQL is not what we teach; nothing of it is left between two statements. It may neither look at a clock nor draw
a random number, open a file, or work for long: what a function gives is said by whoever makes the store. A table's file may have been written
by anybody who can write into the volume; what stands in it is allowed even less than a statement.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import sql_bounds
from .sql_bounds import TooMuch

__all__ = ["Functions", "Result", "Store", "TooMuch", "quoted"]

Functions = Mapping[tuple[str, int], Callable[..., Any]]
"""(name, number of arguments, -1 any) -> what it gives."""
SIZES = ((256, 200_000), (1_024, 100_000), (8_192, 15_000), (65_536, 3_000))
"""(bytes of the longest value, instructions of SQLite's virtual machine): one instruction may copy a whole value, so that a statement that
makes long ones may do less. Any of them is about 50 ms and 30 MB at the most, a join of some thousand rows."""
STEPS_A_LOOK, STEPS_A_CALL = 1_000, 50  # a function of Python's takes as long as so many
STEPS_A_ROW, STEPS_A_FILE = 500, 20_000  # for reading the tables: a row of many columns with some keys
ROWS, TABLE = 2_000, 262_144  # rows and characters of a result; characters of all the tables that one statement needs,
HELD_ROWS, ROWS_A_SHAPE = 6_000, 20  # and their rows: reading and writing one takes 10 us, making a table or a key as long as so many
NAME = re.compile(r"[^/\0]{1,200}")  # of a table: its file's
REFERENCES = 200  # tables that a statement reads, those of each view and common table expression counted wherever it is named
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: SIZES[-1][0],
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: TABLE,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 5,
}
OWN_FUNCTIONS = frozenset(
    "abs avg char coalesce count format group_concat hex ifnull iif instr length like lower ltrim max min nullif printf quote replace round "
    "rtrim substr substring sum total trim typeof unicode upper row_number rank dense_rank lag lead first_value last_value".split()
)
CHEAP = frozenset("abs coalesce ifnull iif length lower max min nullif round substr substring typeof upper".split())  # what keys may be made of
CLOCKS = ("date", "time", "datetime", "julianday", "strftime", "unixepoch", "current_date", "current_time", "current_timestamp")
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


class _Longer(Exception):
    """A value does not fit; with longer ones allowed it may."""


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
        """Raises TooMuch, ValueError for files that are none of ours."""
        self.written: dict[str, dict[str, str | None]] = {}
        self._given = files
        if len(files) > HELD_OPEN or sum(len(text) for tables in files.values() for text in tables.values()) > TABLE:
            raise TooMuch
        self._sql = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, detect_types=sqlite3.PARSE_DECLTYPES)
        for limit, value in LIMITS.items():
            self._sql.setlimit(limit, value)
        self._touched: set[str] = set()
        self._views: dict[str, str] = {}
        self._steps, self._most, self._longest, self._long = 0, STEPS_A_FILE, SIZES[-1][0], False
        self._reading, self._keying = True, False
        for database in files:
            self._sql.execute(f"ATTACH ':memory:' AS {quoted(database)}")
        self._sql.execute("PRAGMA foreign_keys = ON")
        self._sql.execute("PRAGMA ignore_check_constraints = ON")  # what is in a file was checked when it was written
        self._define(functions, exact)
        self._sql.set_authorizer(self._may)
        self._sql.set_progress_handler(self._step, STEPS_A_LOOK)
        try:
            rows = 0
            for database, tables in files.items():
                for text in tables.values():
                    rows += self._load(database, text, HELD_ROWS - rows)
            if any(sql_bounds.references(name, self._views) > REFERENCES for name in self._views):
                raise TooMuch
        except (LookupError, TypeError, AttributeError, OverflowError, RecursionError, sqlite3.Error, sqlite3.Warning) as error:
            raise ValueError("not a table's file") from error
        self._sql.set_authorizer(None)
        self._sql.execute("PRAGMA ignore_check_constraints = OFF")
        self._sql.set_authorizer(self._may)
        self._reading = False

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self._sql.close()

    def run(self, statement: str) -> Result:
        """Raises sqlite3.Error with SQLite's words, TooMuch."""
        if sql_bounds.references(statement, self._views) > REFERENCES:
            raise TooMuch
        for self._longest, self._most in SIZES:
            try:
                return self._run(statement)
            except _Longer:
                continue
        raise TooMuch

    def _run(self, statement: str) -> Result:
        self._sql.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._longest)
        self._touched.clear()
        self._steps, self._long, self._keying = 0, False, False
        before = self._sql.total_changes
        try:
            cursor = self._sql.execute(statement)
            rows = self._read(cursor, ROWS, TABLE)
        except sqlite3.OperationalError:
            if self._steps > self._most:
                raise TooMuch from None
            if self._long:
                raise _Longer from None
            raise
        except sqlite3.DataError:
            raise _Longer from None
        except (sqlite3.InterfaceError, sqlite3.Warning, OverflowError, MemoryError) as error:
            raise TooMuch from error
        columns = [one[0] for one in cursor.description or ()]
        changed = self._sql.total_changes - before
        for database in sorted(self._touched & set(self._given)):
            self._save(database)
        return Result(columns, [list(row) for row in rows], changed, cursor.lastrowid or 0)

    @staticmethod
    def _read(cursor: Iterable[tuple[Any, ...]], most: int, longest: int) -> list[tuple[Any, ...]]:
        """Raises TooMuch beyond so many rows, so many characters."""
        rows: list[tuple[Any, ...]] = []
        size = 0
        for row in cursor:
            size += sum(len(str(value)) for value in row)
            if len(rows) >= most or size > longest:
                raise TooMuch
            rows.append(row)
        return rows

    def columns(self, database: str, table: str) -> list[dict[str, Any]]:
        """[{"name", "type", "null", "default", "key": PRI, UNI, MUL or "", "auto"}] in their order."""
        self._sql.set_authorizer(None)
        self._sql.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, SIZES[-1][0])
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

    def _load(self, database: str, text: str, most: int) -> int:
        """Returns how many rows it has, `most` at the most. Raises what a file that is none of ours can raise."""
        head, *rows = text.splitlines()
        about = json.loads(head)
        places = len(rows) + ROWS_A_SHAPE * len(about["create"])
        if places > most:
            raise TooMuch
        self._most += STEPS_A_ROW * places
        for statement in about["create"]:
            kind, rest = _placed(statement)
            self._keying = False
            self._sql.execute(f"{kind}{quoted(database)}.{rest}")
            if kind.upper().startswith("CREATE VIEW"):
                self._views[about["name"].lower()] = statement
        table = f"{quoted(database)}.{quoted(about['name'])}"
        if about["name"].lower() not in self._views and self._computes(database, about["name"]):
            raise ValueError("a column that is computed")
        values = [json.loads(row) for row in rows]
        if values:
            self._sql.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
        if about["next"]:
            sequence = f"{quoted(database)}.sqlite_sequence"
            self._sql.execute(f"DELETE FROM {sequence} WHERE name = ?", (about["name"],))
            self._sql.execute(f"INSERT INTO {sequence} VALUES (?, ?)", (about["name"], about["next"]))
        return places

    def _save(self, database: str) -> None:
        """Notes the tables of a database whose text is another now. Raises TooMuch."""
        self._sql.set_authorizer(None)
        self._sql.set_progress_handler(None, 0)
        self._sql.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, SIZES[-1][0])
        room, places = TABLE - sum(len(text) for other, tables in self._given.items() if other != database for text in tables.values()), HELD_ROWS
        schema = quoted(database)
        made = self._sql.execute(
            f"SELECT name, tbl_name, sql FROM {schema}.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"
        ).fetchall()
        counted = any(table == "sqlite_sequence" for (table,) in self._sql.execute(f"SELECT name FROM {schema}.sqlite_master").fetchall())
        now: dict[str, str] = {}
        for name, table, sql in made:
            if name != table:
                continue
            view = sql.upper().startswith("CREATE VIEW")
            if not NAME.fullmatch(name) or (not view and self._computes(database, name)):
                raise sqlite3.OperationalError(f"podlab keeps no such table: {name}")
            head = {"name": name, "create": [sql, *(other for one, of, other in made if of == name and one != name)], "next": 0}
            if counted:
                row = self._sql.execute(f"SELECT seq FROM {schema}.sqlite_sequence WHERE name = ?", (name,)).fetchone()
                head["next"] = row[0] if row else 0
            rows = [] if view else self._read(self._sql.execute(f"SELECT * FROM {schema}.{quoted(name)}"), places, room)
            now[name] = "".join(_written(one) for one in [head, *rows])
            room, places = room - len(now[name]), places - len(rows) - ROWS_A_SHAPE * len(head["create"])
            if room < 0 or places < 0:
                raise TooMuch
        before = self._given[database]
        changed: dict[str, str | None] = {name: text for name, text in now.items() if before.get(name) != text}
        changed.update({name: None for name in before if name not in now})
        self.written[database] = changed
        self._sql.set_authorizer(self._may)
        self._sql.set_progress_handler(self._step, STEPS_A_LOOK)

    def _computes(self, database: str, table: str) -> bool:
        """A column of it is made of others (GENERATED), which would cost whenever its file is read."""
        self._sql.set_authorizer(None)
        found = self._sql.execute(f"PRAGMA {quoted(database)}.table_xinfo({quoted(table)})").fetchall()
        self._sql.set_authorizer(self._may if self._reading else None)
        return any(hidden > 1 for *_, hidden in found)

    # ---- what a statement may do

    def _define(self, functions: Functions, exact: bool) -> None:
        for name in CLOCKS:  # those with other numbers of arguments are SQLite's own, which look at a clock
            self._sql.create_function(name, -1, _refuse)
        for (name, count), function in sql_bounds.functions(exact).items():
            self._sql.create_function(name, count, self._counted(function), deterministic=True)
        for (name, count), function in functions.items():
            self._sql.create_function(name, count, self._counted(function))
        self._allowed = OWN_FUNCTIONS | {name for name, _ in functions}

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """It costs what its arguments are long; a pair of long ones costs their product, in the worst case that is what looking costs."""

        def call(*given: Any) -> Any:
            sizes = [len(one) for one in given if isinstance(one, str | bytes)]
            self._steps += STEPS_A_CALL + sum(sizes) // 64 + (sizes[0] * sizes[1] // 256 if len(sizes) > 1 else 0)
            if self._steps > self._most:
                raise TooMuch
            found = function(*given)
            if isinstance(found, sql_bounds.Long):
                self._long = True
                raise _Longer
            return found

        return call

    def _may(self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            if self._keying and name not in CHEAP:
                return sqlite3.SQLITE_DENY
            return sqlite3.SQLITE_OK if name in self._allowed or name.startswith(ALTERING) else sqlite3.SQLITE_DENY
        if self._reading and action == sqlite3.SQLITE_SELECT:  # CREATE TABLE ... AS in a file
            return sqlite3.SQLITE_DENY
        self._keying = self._keying or action == sqlite3.SQLITE_CREATE_INDEX
        if action in WRITES | SHAPES:
            self._touched.add((first if action == sqlite3.SQLITE_ALTER_TABLE else database) or "")
        return sqlite3.SQLITE_OK if action in ALLOWED | SHAPES else sqlite3.SQLITE_DENY

    def _step(self) -> int:
        self._steps += STEPS_A_LOOK
        return int(self._steps > self._most)


def _refuse(*given: Any) -> None:
    raise TooMuch


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
