"""PostgreSQL's statements that are not about a table's rows: databases, schemas, roles and grants, settings; and what psql's \\l and \\d ask.

Source: postgresql.org/docs/17 (SQL commands), src/backend/commands' messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..process import Data
from . import pg_words
from .pg_server import CATALOGS, LOCALE, Outcome, Server, Session, hashed
from .pg_words import PgError

EVERY = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]


def execute(server: Server, session: Session, text: str) -> Outcome:
    """Does one statement. Raises PgError, Errno."""
    statement = pg_words.bounded(pg_words.bare(text))
    if not statement:
        return Outcome()
    for pattern, does in COMMANDS:
        found = pattern.fullmatch(statement)
        if found:
            return does(server, session, found)
    return server.query(session, statement)


def meta(server: Server, session: Session, word: str, name: str) -> Data:
    r"""What psql shows for \l, \dt, \du, \dn and \d NAME: {"title", "columns", "rows", "footer"}, or {"said": text}."""
    if word == "l":
        about = server.control()["databases"]
        owner = server.owner()
        rows = [[one, about.get(one, {}).get("owner", owner), "UTF8", "libc", LOCALE, LOCALE, None, None,
                 f"=c/{owner}\n{owner}=CTc/{owner}" if one.startswith("template") else None]
                for one in sorted([*about, "template0", "template1"])]  # fmt: skip
        named = ["Name", "Owner", "Encoding", "Locale Provider", "Collate", "Ctype", "Locale", "ICU Rules", "Access privileges"]
        return {"title": "List of databases", "columns": named, "rows": rows, "footer": f"({len(rows)} rows)"}
    if word == "du":
        able = ", ".join(("Superuser", "Create role", "Create DB", "Replication", "Bypass RLS"))
        roles = [[one, able if about["super"] else "" if about["login"] else "Cannot login"]
                 for one, about in sorted(server.control()["roles"].items())]  # fmt: skip
        return {"title": "List of roles", "columns": ["Role name", "Attributes"], "rows": roles, "footer": ""}
    if word == "dn":
        schemas = [[one, "pg_database_owner" if one == "public" else server.owner()] for one in server.schemas(session.database)]
        return {"title": "List of schemas", "columns": ["Name", "Owner"], "rows": schemas, "footer": f"({len(schemas)} row{_s(schemas)})"}
    schema, _, table = name.strip('"').rpartition(".")
    if word == "d" and table:
        return _described(server, session, schema or "public", table)
    owners = server.control()["databases"][session.database]["owners"]
    relations = [[one, named, "view" if view else "table", owners.get(f"{one}.{named}")] for one, named, view in server.named(session)
                 if one == (schema or "public") and table in ("", "*", named) and view <= (word != "dt")]  # fmt: skip
    if not relations:
        return {"said": f'Did not find any relation named "{table}".\n' if table else "Did not find any relations.\n"}
    return {"title": "List of relations", "columns": ["Schema", "Name", "Type", "Owner"], "rows": relations,
            "footer": f"({len(relations)} row{_s(relations)})"}  # fmt: skip


def _s(rows: list[Any]) -> str:
    return "" if len(rows) == 1 else "s"


def _described(server: Server, session: Session, schema: str, table: str) -> Data:
    view = next((view for one, named, view in server.named(session) if (one, named) == (schema, table)), None)
    if view is None:
        return {"said": f'Did not find any relation named "{table}".\n'}
    every = server.describe(session, schema, table)
    rows = [[one["name"], one["type"], "", "" if one["null"] else "not null", one["default"] or ""] for one in every]
    primary = [one["name"] for one in every if one["key"] == "PRI"]
    lines = [f'    "{table}_pkey" PRIMARY KEY, btree ({", ".join(primary)})'] if primary else []
    lines += [f'    "{table}_{one["name"]}_key" UNIQUE CONSTRAINT, btree ({one["name"]})' for one in every if one["key"] == "UNI"]
    lines += [f'    "{table}_{one["name"]}_idx" btree ({one["name"]})' for one in every if one["key"] == "MUL"]
    return {"title": f'{"View" if view else "Table"} "{schema}.{table}"', "columns": ["Column", "Type", "Collation", "Nullable", "Default"],
            "rows": rows, "footer": "Indexes:\n" + "\n".join(lines) if lines else ""}  # fmt: skip


def _create_database(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    _super(server, session, "permission denied to create database")
    if "/" in found["name"]:
        raise PgError("42602", f'invalid database name "{_name(found["name"])}"')
    owner = re.search(r"(?i)owner\s*=?\s*(\w+)", found["rest"] or "")
    server.create_database(_name(found["name"]), owner[1] if owner else session.user)
    return Outcome(tag="CREATE DATABASE")


def _drop_database(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = _name(found["name"])
    if name not in server.control()["databases"]:
        if found["exists"]:
            return Outcome(tag="DROP DATABASE")
        raise PgError("3D000", f'database "{name}" does not exist')
    _super(server, session, f"must be owner of database {name}")
    if name == session.database:
        raise PgError("55006", "cannot drop the currently open database")
    server.drop_database(name)
    return Outcome(tag="DROP DATABASE")


def _schema(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name, verb = _name(found["name"]), found["verb"].upper()
    _super(server, session, f"permission denied for database {session.database}")
    known = name in server.schemas(session.database)
    if known == (verb == "CREATE") and not found["exists"]:
        raise PgError("42P06", f'schema "{name}" already exists') if known else PgError("3F000", f'schema "{name}" does not exist')
    if verb == "CREATE" and not known:
        if name in CATALOGS or name in ("main", "temp") or name.startswith("pg_") or "/" in name:
            raise PgError("42939", f'unacceptable schema name "{name}"', detail='The prefix "pg_" is reserved for system schemas.')
        server.sys.mkdir(f"{server.path}/base/{session.database}/{name}")
    if verb == "DROP" and known:
        where = f"{server.path}/base/{session.database}/{name}"
        tables = server.sys.listdir(where)
        if tables and not found["cascade"]:
            raise PgError("2BP01", f"cannot drop schema {name} because other objects depend on it",
                          hint="Use DROP ... CASCADE to drop the dependent objects too.")  # fmt: skip
        for one in tables:
            server.sys.unlink(f"{where}/{one}")
        server.sys.rmdir(where)
    return Outcome(tag=f"{verb} SCHEMA")


def _role(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    verb, name, rest = found["verb"].upper(), _name(found["name"]), found["rest"] or ""
    control = server.control()
    roles, tag = control["roles"], f"{verb} ROLE"
    if not (verb == "ALTER" and name == session.user):
        _super(server, session, f"permission denied to {verb.lower()} role")
    if verb == "DROP":
        if name not in roles and not found["exists"]:
            raise PgError("42704", f'role "{name}" does not exist')
        if name == session.user:
            raise PgError("55006", "current user cannot be dropped")
        roles.pop(name, None)
    else:
        if (name in roles) == (verb == "CREATE"):
            raise PgError("42710", f'role "{name}" already exists') if name in roles else PgError("42704", f'role "{name}" does not exist')
        about = roles.setdefault(name, {"password": "", "super": False, "login": found["word"].upper() == "USER"})
        password = re.search(r"(?i)\bpassword\s+'((?:[^']|'')*)'", rest)
        words = re.sub(r"'(?:[^']|'')*'", "", rest).upper().split()
        about["password"] = hashed(password[1].replace("''", "'")) if password else about["password"]
        about["super"] = "SUPERUSER" in words or (about["super"] and "NOSUPERUSER" not in words)
        about["login"] = "LOGIN" in words or (about["login"] and "NOLOGIN" not in words)
    server.remember(control)
    return Outcome(tag=tag)


def _grant(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    control = server.control()
    verb, to = found["verb"].upper(), [_name(one.strip()) for one in found["to"].split(",")]
    unknown = next((one for one in to if one not in control["roles"] and one != "public"), None)
    if unknown is not None:
        raise PgError("42704", f'role "{unknown}" does not exist')
    if found["on"] is None:
        return Outcome(tag=f"{verb} ROLE")
    on = re.fullmatch(r"(?is)(all\s+(?:tables|sequences)\s+in\s+schema|database|schema|sequence|table)?\s*(.*)", found["on"].strip())
    kind = re.sub(r"\s+", " ", (on[1] or "table").lower()) if on else "table"
    names = [_name(one.strip()) for one in (on[2] if on else "").split(",")]
    about = control["databases"][session.database]
    targets = names if kind == "schema" else [] if kind in ("database", "sequence", "all sequences in schema") else [
        f"{schema}.{table}" for schema, table, _ in server.named(session) if schema in names] if kind.startswith("all tables") else [
        one if "." in one else f"public.{one}" for one in names]  # fmt: skip
    kinds = [one.strip().upper() for one in found["what"].split(",")]
    kinds = EVERY if kinds[0].startswith("ALL") else kinds
    present = {f"{schema}.{table}" for schema, table, _ in server.named(session)}
    for target in targets:
        if kind == "table" and target not in present:
            raise PgError("42P01", f'relation "{target.removeprefix("public.")}" does not exist')
        if not control["roles"][session.user]["super"] and session.user not in (about["owner"], about["owners"].get(target)):
            raise PgError("42501", f"permission denied for {'schema' if kind == 'schema' else 'table'} {target.rpartition('.')[2]}")
        for role in to:
            held = about["grants"].setdefault(target, {}).setdefault(role, [])
            about["grants"][target][role] = sorted({*held, *kinds}) if verb == "GRANT" else [one for one in held if one not in kinds]
    if kind == "database" and kinds == EVERY and verb == "GRANT":  # CREATE on a database is the right to make schemas, which are few
        about["grants"].setdefault("database", {})[to[0]] = ["CREATE"]
    server.remember(control)
    return Outcome(tag=verb)


def _owner(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    control, kind, name, to = server.control(), found["kind"].upper(), _name(found["name"]), _name(found["to"])
    _super(server, session, f"must be owner of {kind.lower()} {name}")
    if to not in control["roles"]:
        raise PgError("42704", f'role "{to}" does not exist')
    if kind == "DATABASE":
        if name not in control["databases"]:
            raise PgError("3D000", f'database "{name}" does not exist')
        control["databases"][name]["owner"] = to
    elif kind == "TABLE":
        control["databases"][session.database]["owners"][name if "." in name else f"public.{name}"] = to
    server.remember(control)
    return Outcome(tag=f"ALTER {kind}")


def _show(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    name = found["name"].lower()
    if name == "all":
        return Outcome(["name", "setting"], [[one, server.settings[one]] for one in sorted(server.settings)], tag="SHOW")
    shown = next((one for one in server.settings if one.lower() == name), None)
    if shown is None:
        raise PgError("42704", f'unrecognized configuration parameter "{name}"')
    return Outcome([shown], [[server.settings[shown]]], tag="SHOW")


def _said(server: Server, session: Session, found: re.Match[str]) -> Outcome:
    """Statements that change nothing that lasts here; a transaction's beginning and end among them."""
    words = found[0].upper().split()
    named = {"START": "START TRANSACTION", "END": "COMMIT", "ABORT": "ROLLBACK", "ALTER": "ALTER DEFAULT PRIVILEGES"}
    return Outcome(tag=named.get(words[0], " ".join(words[:2]) if words[0] in ("CREATE", "DROP") else words[0]))


def _name(text: str) -> str:
    return text[1:-1] if text.startswith('"') else text.lower()


def _super(server: Server, session: Session, otherwise: str) -> None:
    if not server.control()["roles"][session.user]["super"]:
        raise PgError("42501", otherwise)


_NAME = r'(?P<name>"[^"]+"|[\w$.]+)'
_EXISTS = r"(?P<exists>if\s+(?:not\s+)?exists\s+)?"
_WORDS = r"[\w,]++(?:\s++[\w,]++)*?"  # in whole words, so that nothing is tried in the midst of one
_PLACES = r"[^;\s]++(?:\s++[^;\s]++)*?"
_TO = r'(?P<to>(?:"[^"]+"|\w+)(?:\s*,\s*(?:"[^"]+"|\w+))*)'
Command = Callable[[Server, Session, "re.Match[str]"], Outcome]
COMMANDS: tuple[tuple[re.Pattern[str], Command], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), does)
    for pattern, does in (
        (rf"create\s+database\s+{_NAME}(?P<rest>\s+.*)?", _create_database),
        (rf"drop\s+database\s+{_EXISTS}{_NAME}(?:\s+.*)?", _drop_database),
        (rf"(?P<verb>create)\s+schema\s+{_EXISTS}{_NAME}(?P<cascade>)(?:\s+authorization\s+\w+)?", _schema),
        (rf"(?P<verb>drop)\s+schema\s+{_EXISTS}{_NAME}(?P<cascade>\s+cascade)?(?:\s+restrict)?", _schema),
        (rf"(?P<verb>create|alter|drop)\s+(?P<word>user|role)\s+{_EXISTS}{_NAME}(?P<rest>\s+.*)?", _role),
        (rf"(?P<verb>grant|revoke)\s++(?P<what>{_WORDS})(?:\s++on\s++(?P<on>{_PLACES}))?\s++(?:to|from)\s+{_TO}(?:\s+with\s+.*|\s+cascade)?", _grant),
        (rf"alter\s+(?P<kind>database|schema|table|sequence|view)\s+(?:only\s+)?{_NAME}\s+owner\s+to\s+(?P<to>\"[^\"]+\"|\w+)", _owner),
        (r"show\s+(?P<name>[\w.]+)", _show),
        (r"(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|set|reset|vacuum|analyze|checkpoint|discard|lock|notify|listen|"
         r"(?:create|drop)\s+extension|comment\s+on|alter\s+default\s+privileges)\b.*", _said),
    )
)  # fmt: skip
