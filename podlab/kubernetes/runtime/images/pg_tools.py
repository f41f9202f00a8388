"""pg_isready, createdb, dropdb and pg_dump. Source: postgresql.org/docs/17 (client applications)."""

from __future__ import annotations

import re
from typing import Any

from .. import sockets
from ..image import release
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .pg_client import RELEASE, Unknown, Unreachable, ask, connection_of, options_of


@tool("pg_isready")
def pg_isready(proc: Process, sys: Sys, event: Event) -> int:
    """Whether the server of this Pod (or -h HOST -p PORT) takes connections: exit code 0, 2 no response, 3 no attempt."""
    data = proc["data"]
    if "to" not in data:
        try:
            data["options"], operands = options_of(proc, "")
        except Unknown as error:
            sys.err(f'pg_isready: {error}\npg_isready: hint: Try "pg_isready --help" for more information.\n')
            return 3
        data["to"] = connection_of(proc, data["options"], operands)
    to, quiet = data["to"], data["options"].get("quiet")
    where = f"{to['host'] or '/var/run/postgresql'}:{to['port']}"
    try:
        addresses = sockets.resolve(sys, to["host"] or "127.0.0.1")[1]
        if not addresses:
            sys.out("" if quiet else f"{where} - no attempt\n")
            return 3
        sockets.connect(sys, "socket", addresses[0], int(to["port"]), 3_000)
    except Errno:
        sys.out("" if quiet else f"{where} - no response\n")
        return 2
    sys.out("" if quiet else f"{where} - accepting connections\n")
    return 0


def _database(proc: Process, sys: Sys, verb: str) -> int:
    data, program = proc["data"], proc["argv"][0].rpartition("/")[2]
    if "to" not in data:
        try:
            options, operands = options_of(proc, "")
        except Unknown as error:
            sys.err(f"{program}: {error}\n")
            return 1
        data["to"] = {**connection_of(proc, options, []), "db": "postgres"}
        data["name"] = operands[0] if operands else data["to"]["user"]
    try:
        found = ask(proc, sys, data["to"], {"sql": f'{verb} DATABASE "{data["name"]}"'})
    except Unreachable as error:
        sys.err(f"{program}: error: {error}\n")
        return 1
    if "error" in found:
        sys.err(f"{program}: error: database {'creation' if verb == 'CREATE' else 'removal'} failed: ERROR:  {found['error']['text']}\n")
        return 1
    return 0


@tool("createdb")
def createdb(proc: Process, sys: Sys, event: Event) -> int:
    return _database(proc, sys, "CREATE")


@tool("dropdb")
def dropdb(proc: Process, sys: Sys, event: Event) -> int:
    return _database(proc, sys, "DROP")


@tool("pg_dump", memory=8 * MEBIBYTE)
def pg_dump(proc: Process, sys: Sys, event: Event) -> int:
    """pg_dump [-h HOST] [-U USER] [-t TABLE] [DATABASE]: plain statements that make the tables of public again."""
    data = proc["data"]
    if "to" not in data:
        try:
            options, operands = options_of(proc, "")
        except Unknown as error:
            sys.err(f"pg_dump: {error}\n")
            return 1
        data.update(to=connection_of(proc, options, operands), tables=options.get("table"), made="", rows=not options.get("schema-only"))
    to = data["to"]
    try:
        if data["tables"] is None:
            named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            found = ask(proc, sys, to, {"sql": named})
            data["tables"] = [row[0] for row in found["rows"]]
        while data["tables"]:
            name = data["tables"][0].removeprefix("public.")
            if "shape" not in data:
                data["shape"] = ask(proc, sys, to, {"meta": "d", "name": name})
                if "said" in data["shape"]:
                    sys.err("pg_dump: error: no matching tables were found\n")
                    return 1
            rows = ask(proc, sys, to, {"sql": f'SELECT * FROM "{name}"'})
            if "error" in rows:
                sys.err(f"pg_dump: error: query failed: ERROR:  {rows['error']['text']}\n")
                return 1
            data["made"] += _dumped(name, data.pop("shape"), rows if data["rows"] else {"rows": []})
            data["tables"].pop(0)
    except Unreachable as error:
        sys.err(f"pg_dump: error: {error}\n")
        return 1
    number = release(sys.container["image"], RELEASE)
    sys.out(f"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version {number}\n-- Dumped by pg_dump version {number}\n\n"
            f"{data['made']}--\n-- PostgreSQL database dump complete\n--\n\n")  # fmt: skip
    return 0


def _dumped(name: str, shape: Data, found: Data) -> str:
    """INSERTs (as of --inserts), which psql reads without a protocol of its own."""
    key = re.search(r"PRIMARY KEY, btree \(([^)]*)\)", shape["footer"])
    lines = [f"    {column} serial" if default.startswith("nextval(") else f"    {column} {kind}{' NOT NULL' if null else ''}"
             f"{f' DEFAULT {default}' if default else ''}" for column, kind, _, null, default in shape["rows"]]  # fmt: skip
    lines += [f"    CONSTRAINT {name}_pkey PRIMARY KEY ({key[1]})"] if key else []
    body = ",\n".join(lines)
    values = "".join(f"INSERT INTO public.{name} VALUES ({', '.join(map(_literal, row))});\n" for row in found["rows"])
    return f"CREATE TABLE public.{name} (\n{body}\n);\n\n\n{values}\n\n"


def _literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
