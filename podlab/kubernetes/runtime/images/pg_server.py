"""What postgres does with one statement: databases on its disk, roles and what they may, the catalogs that tools read.

Files of the data directory: base/DATABASE/SCHEMA/TABLE.rel (sql_store.py), global/pg_control.json with roles, owners and grants.
Source: postgresql.org/docs/17 (catalogs, privileges, appendix A: error codes).
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
from . import pg_words, sql_wire
from .pg_words import PgError
from .sql_store import Functions, Result, Store, TooMuch

CATALOGS = ("pg_catalog", "information_schema")
WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATETABLE")
SHAPES = ("CREATE", "DROP", "ALTER")
CONTROL = "global/pg_control.json"
SUFFIX = ".rel"
LOCALE = "en_US.utf8"


@dataclass
class Session:
    user: str
    database: str
    host: str  # where they come from


@dataclass
class Outcome(Result):
    tag: str = ""  # "INSERT 0 1"


def hashed(password: str) -> str:
    """In place of a SCRAM secret."""
    return "SCRAM-SHA-256$" + hashlib.sha256(password.encode("utf-8", "replace")).hexdigest()


@dataclass
class Server:
    """A data directory and the settings. All methods raise PgError, Errno."""

    sys: Sys
    path: str
    settings: dict[str, str] = field(default_factory=dict)

    # ---- the disk

    def control(self) -> Data:
        """{"roles": {name: {"password", "super", "login"}}, "databases": {name: {"owner", "owners": {"schema.table": role},
        "grants": {"schema.table" or "schema": {role: [SELECT, ...]}}}}}."""
        return dict(json.loads(self.sys.read_file(f"{self.path}/{CONTROL}")))

    def remember(self, control: Data) -> None:
        self.sys.write_file(f"{self.path}/{CONTROL}", json.dumps(control, separators=(",", ":")))

    def create_database(self, name: str, owner: str) -> None:
        control = self.control()
        if name in control["databases"]:
            raise PgError("42P04", f'database "{name}" already exists')
        control["databases"][name] = {"owner": owner, "owners": {}, "grants": {}}
        for directory in ("", "/public"):
            self.sys.mkdir(f"{self.path}/base/{name}{directory}")
        self.remember(control)

    def drop_database(self, name: str) -> None:
        control = self.control()
        del control["databases"][name]
        for schema in self.schemas(name):
            for table in self.sys.listdir(f"{self.path}/base/{name}/{schema}"):
                self.sys.unlink(f"{self.path}/base/{name}/{schema}/{table}")
            self.sys.rmdir(f"{self.path}/base/{name}/{schema}")
        self.sys.rmdir(f"{self.path}/base/{name}")
        self.remember(control)

    def schemas(self, database: str) -> list[str]:
        return sorted(self.sys.listdir(f"{self.path}/base/{database}"))

    def tables(self, database: str, schema: str) -> dict[str, str]:
        return sql_wire.tables(self.sys, f"{self.path}/base/{database}/{schema}", SUFFIX) or {}

    def named(self, session: Session) -> list[tuple[str, str, bool]]:
        """(schema, table, whether it is a view) of all there are in the database."""
        return [(schema, name, '"CREATE VIEW' in text.partition("\n")[0].upper()) for schema in self.schemas(session.database)
                for name, text in sorted(self.tables(session.database, schema).items())]  # fmt: skip

    def store(self, session: Session, schemas: set[str]) -> Store:
        files: dict[str, dict[str, str]] = {name: self.tables(session.database, name) for name in sorted(schemas - set(CATALOGS))}
        for name in sorted(schemas & set(CATALOGS)):
            files[name] = self._catalog(session, name)
        try:
            return Store(files, self._functions(session), exact=True)
        except (ValueError, KeyError, IndexError, TypeError, sqlite3.Error):
            raise PgError("XX001", "invalid page in block 0 of relation") from None
        except TooMuch:
            raise PgError("54000", "podlab joins tables of up to 8 schemas") from None

    def _described(self, session: Session, schema: str, every: list[tuple[str, str, bool]]) -> list[tuple[str, list[dict[str, Any]]]]:
        """(table, its columns) of one schema, read once."""
        with self.store(session, {schema}) as store:
            return [(table, self._columns(store, schema, table)) for where, table, _ in every if where == schema]

    def describe(self, session: Session, schema: str, table: str) -> list[dict[str, Any]]:
        """Columns as Store.columns gives them, types in PostgreSQL's words."""
        with self.store(session, {schema}) as store:
            return self._columns(store, schema, table)

    @staticmethod
    def _columns(store: Store, schema: str, table: str) -> list[dict[str, Any]]:
        return [{**one, "type": pg_words.type_of(one["type"]), "default": _default(one, table)} for one in store.columns(schema, table)]

    # ---- catalogs

    def _catalog(self, session: Session, name: str) -> dict[str, str]:
        control, database = self.control(), session.database
        every = self.named(session)
        owners = control["databases"][database]["owners"]
        if name == "information_schema":
            columns = [[database, schema, table, one["name"], at, one["default"], "YES" if one["null"] else "NO", one["type"].partition("(")[0]]
                       for schema in self.schemas(database) for table, held in self._described(session, schema, every)
                       for at, one in enumerate(held, 1)]  # fmt: skip
            return {
                "tables": sql_wire.table_text("tables", "table_catalog text, table_schema text, table_name text, table_type text", [
                    [database, schema, table, "VIEW" if view else "BASE TABLE"] for schema, table, view in every]),
                "columns": sql_wire.table_text("columns", "table_catalog text, table_schema text, table_name text, column_name text, "
                                               "ordinal_position int, column_default text, is_nullable text, data_type text", columns),
                "schemata": sql_wire.table_text("schemata", "catalog_name text, schema_name text", [
                    [database, one] for one in self.schemas(database)]),
            }  # fmt: skip
        roles = [[role, about["super"], about["login"]] for role, about in sorted(control["roles"].items())]
        databases = [(one, control["databases"].get(one, {}).get("owner", self.owner())) for one in ("template0", "template1", *control["databases"])]
        return {
            "pg_database": sql_wire.table_text("pg_database", "datname text, owner text, datistemplate pg_boolean", [
                [one, owner, one.startswith("template")] for one, owner in sorted(databases)]),
            "pg_tables": sql_wire.table_text("pg_tables", "schemaname text, tablename text, tableowner text", [
                [schema, table, owners.get(f"{schema}.{table}", "")] for schema, table, view in every if not view]),
            "pg_roles": sql_wire.table_text("pg_roles", "rolname text, rolsuper pg_boolean, rolcanlogin pg_boolean", roles),
            "pg_user": sql_wire.table_text("pg_user", "usename text, usesuper pg_boolean", [one[:2] for one in roles]),
            "pg_settings": sql_wire.table_text("pg_settings", "name text, setting text", [
                [one, self.settings[one]] for one in sorted(self.settings)]),
            "pg_stat_activity": sql_wire.table_text("pg_stat_activity", "datname text, pid int, usename text, client_addr text, state text", [
                [database, 71, session.user, session.host, "active"]]),
            "pg_stat_replication": sql_wire.table_text("pg_stat_replication", "pid int, client_addr text, state text", []),
        }  # fmt: skip

    def owner(self) -> str:
        """Who made the cluster."""
        return str(next(iter(self.control()["roles"])))

    def _functions(self, session: Session) -> Functions:
        sys, now = self.sys, stamp(self.sys.now, "%Y-%m-%d %H:%M:%S.") + f"{self.sys.now % 1000:03d}+00"

        def nonzero(value: Any) -> Any:
            if value == 0:
                raise ZeroDivisionError
            return value

        def part(name: str, moment: Any) -> int | None:
            where = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16), "second": (17, 19)}.get(name, (0, 4))
            return None if moment is None else int(str(moment)[slice(*where)] or 0)

        named: dict[tuple[str, int], Callable[..., Any]] = {
            ("now", 0): lambda: now,
            ("clock_timestamp", 0): lambda: now,
            ("today", 0): lambda: now[:10],
            ("to_day", 1): lambda value: value and str(value)[:10],
            ("date_part", 2): part,
            ("version", 0): lambda: f"PostgreSQL {self.settings['server_version']} on x86_64-pc-linux-gnu, compiled by gcc (Debian 14.2.0-19) "
                                    "14.2.0, 64-bit",
            ("current_database", 0): lambda: session.database,
            ("current_schema", 0): lambda: "public",
            ("current_user", 0): lambda: session.user,
            ("inet_server_addr", 0): lambda: None if session.host == "[local]" else sys.sandbox["ip"],
            ("inet_server_port", 0): lambda: int(self.settings["port"]),
            ("inet_client_addr", 0): lambda: None if session.host == "[local]" else session.host,
            ("pg_is_in_recovery", 0): lambda: False,
            ("pg_backend_pid", 0): lambda: 71,
            ("pg_sleep", 1): lambda seconds: "",
            ("gen_random_uuid", 0): lambda: "-".join(f"{sys.random(16**length):0{length}x}" for length in (8, 4, 4, 4, 12)),
            ("random", 0): lambda: sys.random(10**15) / 10**15,
            ("nonzero", 1): nonzero,
            ("concat", -1): lambda *parts: "".join(str(one) for one in parts if one is not None),
            ("md5", 1): lambda text: text and hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest(),
            ("floor", 1): lambda value: value and int(value // 1),
            ("ceil", 1): lambda value: value and -int(-value // 1),
            ("left", 2): lambda text, count: str(text)[:count],
            ("right", 2): lambda text, count: str(text)[-count:] if count > 0 else "",
            ("repeat", 2): lambda text, count: str(text)[:100] * min(max(count, 0), 100),
            ("pg_database_size", 1): lambda name: 7_700_000,
            ("pg_size_pretty", 1): lambda size: f"{size // 1024} kB" if size < 10_485_760 else f"{size // 1_048_576} MB",
        }  # fmt: skip
        return named

    # ---- who may what

    def check(self, session: Session, password: str | None) -> bool:
        """Whether someone is a superuser. Raises PgError: FATAL."""
        control = self.control()
        role = control["roles"].get(session.user)
        trusted = session.host == "[local]" or session.host.startswith("127.") or self.settings.get("podlab.auth") == "trust"
        if not trusted and password is None:
            raise PgError("28P01", "fe_sendauth: no password supplied", severity="")
        if not trusted and (role is None or role["password"] != hashed(password or "")):
            raise PgError("28P01", f'password authentication failed for user "{session.user}"', severity="FATAL")
        if role is None:
            raise PgError("28000", f'role "{session.user}" does not exist', severity="FATAL")
        if not role["login"]:
            raise PgError("28000", f'role "{session.user}" is not permitted to log in', severity="FATAL")
        if session.database not in control["databases"]:
            raise PgError("3D000", f'database "{session.database}" does not exist', severity="FATAL")
        return bool(role["super"])

    def _allow(self, session: Session, found: pg_words.Translated, control: Data) -> None:
        about = control["databases"][session.database]
        if control["roles"][session.user]["super"]:
            return
        present = {f"{schema}.{name}" for schema, name, _ in self.named(session)}
        for at, (schema, name) in enumerate(found.tables):
            full, first = f"{schema}.{name}", at == 0
            if schema in CATALOGS:
                continue
            if full not in present:
                if found.kind == "CREATE" and first and about["owner"] != session.user and not about["grants"].get(schema, {}).get(session.user):
                    raise PgError("42501", f"permission denied for schema {schema}")
                continue
            if session.user in (about["owners"].get(full), about["owner"] if found.kind == "DROP" else None):
                continue
            if found.kind in SHAPES and first:
                raise PgError("42501", f"must be owner of table {name}")
            needed = {"TRUNCATETABLE": "TRUNCATE"}.get(found.kind, found.kind) if found.kind in WRITES and first else "SELECT"
            if needed not in about["grants"].get(full, {}).get(session.user, []):
                raise PgError("42501", f"permission denied for table {name}")

    # ---- a statement of tables

    def schema_of(self, session: Session) -> Callable[[str], str]:
        """Where a table without a schema is: public goes first in what is made, the catalog in what is read."""
        return lambda name: "pg_catalog" if name.startswith("pg_") else "public"

    def query(self, session: Session, statement: str) -> Outcome:
        found = pg_words.translate(statement, self.schema_of(session))
        control = self.control()
        present = {*self.schemas(session.database), *CATALOGS}
        for schema, name in found.tables:
            if schema not in present:
                if found.kind in SHAPES:
                    raise PgError("3F000", f'schema "{schema}" does not exist', schema)
                raise PgError("42P01", f'relation "{schema}.{name}" does not exist', schema)
        if found.kind in WRITES + SHAPES and found.tables and found.tables[0][0] in CATALOGS:
            raise PgError("42501", f"permission denied: \"{found.tables[0][1]}\" is a system catalog")
        self._allow(session, found, control)
        result = Outcome()
        with self.store(session, {schema for schema, _ in found.tables} | {"public"}) as store:
            for sql in found.sql:
                try:
                    done = store.run(sql)
                except TooMuch:
                    raise PgError("57014", "canceling statement due to statement timeout") from None
                except sqlite3.Error as error:
                    raise _said(str(error), found, store) from None
                result.columns, result.rows, result.changed = done.columns, done.rows, result.changed + max(0, done.changed)
            sql_wire.keep(self.sys, f"{self.path}/base/{session.database}", SUFFIX, store.written)
        if found.kind in SHAPES:
            self._owned(session, control)
        self.sys.charge(200)
        count = len(result.rows) if found.kind not in WRITES else result.changed
        counted = {"INSERT": f"INSERT 0 {count}", "UPDATE": f"UPDATE {count}", "DELETE": f"DELETE {count}", "SELECT": f"SELECT {count}"}
        result.tag = counted.get(found.tag, found.tag)
        for row in result.rows:
            for at in found.truths:
                row[at] = bool(row[at]) if isinstance(row[at], int) else row[at]
            for at in found.averages:
                row[at] = Decimal(f"{row[at]:.16f}") if isinstance(row[at], float) else row[at]
        return result

    def _owned(self, session: Session, control: Data) -> None:
        """Whoever made a table owns it."""
        about = control["databases"][session.database]
        present = [f"{schema}.{name}" for schema, name, _ in self.named(session)]
        owners = {name: about["owners"].get(name, session.user) for name in present}
        if owners != about["owners"]:
            about["owners"] = owners
            about["grants"] = {name: given for name, given in about["grants"].items() if "." not in name or name in owners}
            self.remember(control)


def _default(column: dict[str, Any], table: str) -> str | None:
    if column["auto"]:
        return f"nextval('{table}_{column['name']}_seq'::regclass)"
    default = column["default"]
    if default is None or default.upper() == "NULL":
        return None
    text = str(default)
    text = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    kind = pg_words.type_of(column["type"]).partition("(")[0]
    return f"{text}::{kind}" if text.startswith("'") else text.lower() if re.fullmatch(r"TRUE|FALSE|[A-Z_]+\(\)", text) else text


# ---- SQLite's complaints in PostgreSQL's words


def _key(text: str, found: pg_words.Translated, store: Store) -> PgError:
    """A row that a key keeps out: the text names its columns, t.a, t.b."""
    parts = [one.strip() for one in text.split(",")]
    table = parts[0].partition(".")[0]
    names = [one.rpartition(".")[2] for one in parts]
    schema = next((one for one, name in found.tables if name == table), "public")
    every = store.columns(schema, table)
    primary = [one["name"] for one in every if one["key"] == "PRI"]
    kind = f"{table}_pkey" if names == primary else f"{table}_{'_'.join(names)}_key"
    order = list(found.columns) or [one["name"] for one in every]
    given = [tuple(row[order.index(name)] for name in names) for row in found.values
             if all(name in order and order.index(name) < len(row) for name in names)]  # fmt: skip
    twice = next((one for one in given if given.count(one) > 1), given[0] if given else None)
    detail = f"Key ({', '.join(names)})=({', '.join(twice)}) already exists." if twice else f"Key ({', '.join(names)}) already exists."
    return PgError("23505", f'duplicate key value violates unique constraint "{kind}"', detail=detail)


def _unfit(name: str, found: pg_words.Translated, store: Store) -> PgError:
    """A value that its column's type does not take, or a row that a check keeps out; `name` is the constraint's."""
    mark, _, rest = name.partition(" ")
    table = found.tables[0][1] if found.tables else ""
    if mark != "pg_type":
        return PgError("23514", f'new row for relation "{table}" violates check constraint "{name}"')
    kind, _, column = rest.rpartition(" ")
    if "(" in kind:
        return PgError("22001", f"value too long for type {kind}")
    order = list(found.columns) or [one["name"] for one in store.columns(*found.tables[0])]
    at = order.index(column) if column in order else 0
    value = next((row[at] for row in found.values if at < len(row) and not re.fullmatch(r"\s*-?\d+\s*", row[at])), "")
    return PgError("22P02", f'invalid input syntax for type {kind}: "{value}"', f"'{value}'" if value else "")


def _said(text: str, found: pg_words.Translated, store: Store) -> PgError:
    table = found.tables[0][1] if found.tables else ""
    unique = re.search(r"UNIQUE constraint failed: (.+)", text)
    if unique:
        return _key(unique[1], found, store)
    check = re.search(r"CHECK constraint failed: (.+)", text)
    if text == "datatype mismatch":  # SQLite's counted key
        counted = next((one["name"] for one in store.columns(*found.tables[0]) if one["auto"]), "")
        return _unfit(f"pg_type integer {counted}", found, store)
    if check:
        return _unfit(check[1], found, store)
    lacks = re.search(r"NOT NULL constraint failed: (\S+)", text)
    if lacks:
        whole = found.values and not found.columns
        shown = f"Failing row contains ({', '.join(value or 'null' for value in found.values[0])})." if whole else ""
        column = lacks[1].rpartition(".")[2]
        return PgError("23502", f'null value in column "{column}" of relation "{table}" violates not-null constraint', detail=shown)
    for pattern, state, words, hint in COMPLAINTS:
        match = re.search(pattern, text)
        if match:
            full = match[1] if match.groups() else ""
            name = full.rpartition(".")[2]
            if found.kind == "DROP":
                return PgError(state, f'{found.tag.partition(" ")[2].lower()} "{name}" does not exist')
            name = name.lower() if state == "42883" else name
            return PgError(state, words.format(name=name, all=full, table=table), name if state in POINTED else "", hint=hint)
    return PgError("0A000", f"podlab does not understand this statement ({text})")


POINTED = ("42P01", "42703", "42883", "42702")
WRONG_NUMBER = "INSERT has a different number of expressions than target columns"
NO_FUNCTION = "No function matches the given name and argument types. You might need to add explicit type casts."
COMPLAINTS = (
    (r"no such (?:table|view): (?:\w+\.)?(\S+)", "42P01", 'relation "{name}" does not exist', ""),
    (r"(?:table|view) \"?(\w+)\"? already exists", "42P07", 'relation "{name}" already exists', ""),
    (r"index (\S+) already exists", "42P07", 'relation "{name}" already exists', ""),
    (r"has no column named (\S+)", "42703", 'column "{name}" of relation "{table}" does not exist', ""),
    (r"no such column: \"?([^\s\"]+)", "42703", 'column "{all}" does not exist', ""),
    (r"ambiguous column name: (\S+)", "42702", 'column reference "{name}" is ambiguous', ""),
    (r"duplicate column name: (\S+)", "42701", 'column "{name}" specified more than once', ""),
    (r"FOREIGN KEY constraint failed", "23503", 'insert or update on table "{table}" violates foreign key constraint', ""),
    (r"user-defined function raised exception", "22012", "division by zero", ""),
    (r"has \d+ columns but (\d+) values|\d+ values for (\d+) columns", "42601", WRONG_NUMBER, ""),
    (r"no such function: (\S+)", "42883", "function {name} does not exist", NO_FUNCTION),
    (r"not authorized to use function: (\S+)", "42883", "function {name} does not exist", NO_FUNCTION),
    (r"no such index: (\S+)", "42704", 'index "{name}" does not exist', ""),
    (r"wrong number of arguments to function (\w+)", "42883", "function {name} does not exist", NO_FUNCTION),
)
