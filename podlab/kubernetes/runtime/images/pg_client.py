"""What PostgreSQL's clients share: options, where the server is, and the words for one that cannot be had.

Source: postgresql.org/docs/17 (client applications, libpq), src/interfaces/libpq for the words.
"""

from __future__ import annotations

import re

from ..process import Data, Errno, Process
from ..system import Sys
from . import sql_wire
from .pg_table import width

MARK = "X-PostgreSQL"
RELEASE = "17.6"
CLIENTS = ("psql", "pg_isready", "createdb", "dropdb", "pg_dump")
CONNECT_MS = 130_000  # Linux gives up after about two minutes; libpq's connect_timeout is none
WITH_VALUE = {"-h": "host", "-p": "port", "-U": "username", "-d": "dbname", "-c": "command", "-f": "file", "-v": "set", "-F": "field-separator",
              "-P": "pset", "-o": "output", "-L": "log-file", "-t": "table", "-T": "exclude-table", "-n": "schema"}  # fmt: skip
FLAGS = {"-A": "no-align", "-t": "tuples-only", "-x": "expanded", "-q": "quiet", "-X": "no-psqlrc", "-w": "no-password", "-W": "password",
         "-l": "list", "-V": "version", "-1": "single-transaction", "-e": "echo-queries", "-a": "echo-all", "-E": "echo-hidden", "-s": "schema-only",
         "-b": "blobs", "-O": "no-owner", "-C": "create", "-n": "no-readline"}  # fmt: skip
MANY = ("command", "file", "set", "pset", "table")


class Unknown(Exception):
    """An option that a program does not have."""


def options_of(proc: Process, flags: str) -> tuple[Data, list[str]]:
    """({long name: value, a list of values, or True}, operands); `flags`: letters that take no value here. Raises Unknown."""
    found: Data = {}
    operands: list[str] = []
    words = list(proc["argv"][1:])

    def put(name: str, value: str | bool) -> None:
        if name in MANY and isinstance(value, str):
            found.setdefault(name, []).append(value)
        else:
            found[name] = value

    while words:
        word = words.pop(0)
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            if name in WITH_VALUE.values() and not (name == "table" and "t" in flags):
                put("set" if name == "variable" else name, value if equals else words.pop(0) if words else "")
            elif name in FLAGS.values():
                put(name, True)
            else:
                raise Unknown(f"unrecognized option '--{name}'")
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            while letters:
                letter, letters = f"-{letters[0]}", letters[1:]
                if letter in WITH_VALUE and letter[1] not in flags:
                    put(WITH_VALUE[letter], letters or (words.pop(0) if words else ""))
                    letters = ""
                elif letter in FLAGS:
                    put(FLAGS[letter], True)
                else:
                    raise Unknown(f"invalid option -- '{letter[1]}'")
        else:
            operands.append(word)
    return found, operands


def connection_of(proc: Process, options: Data, operands: list[str]) -> Data:
    """{"host" ("" the socket), "port", "user", "password", "db"} of options, a URI or "key=value" words, and the PG... variables."""
    env = proc["env"]
    found = {"host": env.get("PGHOST", ""), "port": env.get("PGPORT", "5432"), "user": env.get("PGUSER", ""), "password": env.get("PGPASSWORD"),
             "db": env.get("PGDATABASE", "")}  # fmt: skip
    named = str(options.get("dbname") or (operands[0] if operands else ""))
    uri = re.fullmatch(r"postgres(?:ql)?://(?:([^:@/]*)(?::([^@/]*))?@)?([^:/?]*)(?::(\d+))?(?:/([^?]*))?(?:\?.*)?", named)
    if uri:
        for key, value in zip(("user", "password", "host", "port", "db"), uri.groups(), strict=True):
            found[key] = value or found[key]
    elif "=" in named:
        for key, value in re.findall(r"(\w+)\s*=\s*('[^']*'|\S+)", named):
            key = {"dbname": "db", "hostaddr": "host"}.get(key, key)
            if key in found:
                found[key] = value.strip("'")
    else:
        found["db"] = named or found["db"]
    if len(operands) > 1:
        found["user"] = operands[1]
    for option, key in (("host", "host"), ("port", "port"), ("username", "user")):
        found[key] = options.get(option, found[key])
    found["user"] = found["user"] or ("root" if proc["uid"] == 0 else "postgres")
    found["db"] = found["db"] or found["user"]
    if str(found["host"]).startswith("/"):
        found["host"] = ""
    return found


class Unreachable(Exception):
    """No connection; the words are psql's after "psql: error: "."""


def ask(proc: Process, sys: Sys, to: Data, body: Data) -> Data:
    """The server's answer. Raises Unreachable, and Blocked; is then called again."""
    port = int(to["port"]) if str(to["port"]).isdigit() else 5432
    whole = {"user": to["user"], "password": to["password"], "db": to["db"], "local": not to["host"], **body}
    try:
        answer = sql_wire.ask(proc, sys, MARK, to["host"] or "localhost", port, whole, CONNECT_MS)
    except Errno as error:
        if error.name == "ENOENT":
            raise Unreachable(f'could not translate host name "{to["host"]}" to address: Name or service not known') from None
        if not to["host"]:
            raise Unreachable(
                f"{_where(proc, to)} failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?"
            ) from None
        asks = "\n\tIs the server running on that host and accepting TCP/IP connections?"
        raise Unreachable(f"{_where(proc, to)} failed: {error.text}{asks}") from None
    if not answer:
        raise Unreachable(f"{_where(proc, to)} failed: server closed the connection unexpectedly")
    said = answer.get("error")
    if said and said.get("severity") in ("FATAL", ""):
        raise Unreachable(f"{_where(proc, to)} failed: {said['severity']}{':  ' if said['severity'] else ''}{said['text']}")
    return answer


def _where(proc: Process, to: Data) -> str:
    if not to["host"]:
        return f'connection to server on socket "/var/run/postgresql/.s.PGSQL.{to["port"]}"'
    address = proc["data"].get("tried") or proc["data"].get("wire", {}).get("address", "")
    return f'connection to server at "{to["host"]}" ({address}), port {to["port"]}'


def pointed(sql: str, word: str) -> tuple[str, int]:
    """("LINE n: ..." with a caret under a word, where it stands), ("", -1) when it stands nowhere."""
    found = list(re.finditer(rf"(?<![\w\"']){re.escape(word)}(?!\w)", sql, re.IGNORECASE)) if word else []
    at = found[-1].start() if found else len(sql) if word == "" else -1
    if not found:
        return "", at
    line = sql.count("\n", 0, at) + 1
    begin = sql.rfind("\n", 0, at) + 1
    text = sql[begin:].partition("\n")[0]
    return f"LINE {line}: {text}\n{' ' * (len(f'LINE {line}: ') + width(text[: at - begin]))}^\n", at


def complaint(error: Data, sql: str) -> str:
    words = f"{error['severity']}:  {error['text']}\n"
    if error["text"] == "syntax error at end of input":
        last = sql.rpartition("\n")[2]
        words += f"LINE {sql.count(chr(10)) + 1}: {last}\n{' ' * (len(f'LINE {sql.count(chr(10)) + 1}: ') + width(last))}^\n"
    words += pointed(sql, error["at"])[0] if error.get("at") else ""
    return words + "".join(f"{name}:  {error[key]}\n" for name, key in (("DETAIL", "detail"), ("HINT", "hint")) if error.get(key))
