"""mysql (mariadb), mysqladmin and mysqldump: statements to mysqld.py, results as tables, tab-separated or one column a line.

Source: dev.mysql.com/doc/refman (mysql, mysqladmin and mysqldump: options, batch mode, errors of the client from 2000 on).
"""

from __future__ import annotations

import unicodedata
from typing import Any

from ..image import release
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..serving import interrupted
from ..system import Sys
from . import sql_wire
from .mysql_words import LONGEST, statements
from .mysqld import MARK, is_mariadb
from .sql_bounds import WORDS

MYSQL = "8.4.6"
VALUES = {"-h": "host", "-P": "port", "-u": "user", "-D": "database", "-e": "execute", "-S": "socket"}
FLAGS = {"-N": "skip-column-names", "-s": "silent", "-B": "batch", "-t": "table", "-E": "vertical", "-f": "force", "-v": "verbose", "-r": "raw"}
WARNING = "Using a password on the command line interface can be insecure."
TYPED_MAX = 262_144  # characters that wait for their semicolon
CONNECT_MS = 10_000  # connect_timeout of the server; the client waits as long for an answer to its greeting


def options_of(proc: Process, sys: Sys, own: tuple[str, ...] = ()) -> tuple[Data, list[str]]:
    """({long name: value or True}, operands). Options of [client] files are not read. Exits with 2 for an unknown one (as the real ones do)."""
    found: Data = {}
    operands: list[str] = []
    words = proc["argv"][1:]
    program = proc["argv"][0].rpartition("/")[2]
    while words:
        word = words.pop(0)
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            if name in VALUES.values() or name in ("protocol", "default-character-set", "connect-timeout", *own):
                found[name] = value if equals else words.pop(0) if words else ""
            else:
                found[name] = value if equals else True
        elif word.startswith("-p") or word == "--password":
            found["password"] = word[2:] if len(word) > 2 else True
        elif word[:2] in VALUES:
            found[VALUES[word[:2]]] = word[2:] or (words.pop(0) if words else "")
        elif word.startswith("-") and len(word) > 1:
            for letter in word[1:]:
                if f"-{letter}" not in FLAGS and letter not in "AbCiLnqwXHV":
                    sys.err(f"{program}: [ERROR] unknown option '-{letter}'.\n")
                    sys.exit(7 if program == "mysql" else 2)
                found[FLAGS.get(f"-{letter}", letter)] = True
        else:
            operands.append(word)
    if found.get("password") not in (None, True, ""):
        sys.err(f"{program}: [Warning] {WARNING}\n" if not is_mariadb(sys) else "")
    if found.get("password") is None:
        found["password"] = proc["env"].get("MYSQL_PWD", "")
    found.setdefault("user", "root" if proc["uid"] == 0 else "mysql")
    return found, operands


def ask(proc: Process, sys: Sys, options: Data, body: Data) -> Data:
    """The server's answer; {"error": [number, state, text]} of the client when it cannot be had. Raises Blocked, and is then called again."""
    host, port = str(options.get("host") or "localhost"), int(options.get("port") or 3306)
    password = options["password"] if isinstance(options["password"], str) else ""
    try:
        answer = sql_wire.ask(proc, sys, MARK, host, port, {"user": options["user"], "password": password, **body}, CONNECT_MS)
    except Errno as error:
        if error.name == "ENOENT":
            return {"error": [2005, "HY000", f"Unknown MySQL server host '{host}' (-2)"]}
        number = {"ECONNREFUSED": 111, "ETIMEDOUT": 110, "EHOSTUNREACH": 113}.get(error.name, 110)
        if host == "localhost":
            return {"error": [2002, "HY000", "Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)"]}
        older = release(sys.container["image"], MYSQL).startswith("5.")
        return {"error": [2003, "HY000", f"Can't connect to MySQL server on '{host}{'' if older else f':{port}'}' ({number})"]}
    return answer or {"error": [2013, "HY000", "Lost connection to MySQL server during query"]}


# ---- mysql


@tool("mysql", signal=interrupted, memory=8 * MEBIBYTE)
def mysql(proc: Process, sys: Sys, event: Event) -> int:
    """mysql [-h HOST] [-P PORT] [-u USER] [-p[PASSWORD]] [-e STATEMENTS] [DATABASE]; without -e, statements from standard input."""
    data = proc["data"]
    if "options" not in data:
        options, operands = options_of(proc, sys)
        if options.get("V") or options.get("version"):
            sys.out(f"{proc['argv'][0]}  Ver {release(sys.container['image'], MYSQL)} for Linux on x86_64 (MySQL Community Server - GPL)\n")
            return 0
        given = options.get("execute")
        data.update(
            options=options,
            db="",
            wanted=operands[0] if operands else options.get("database", ""),
            typed="",
            line=0,
            todo=[],
            greeted=False,
            ended=given is not None,
            tty=given is None and sys.is_tty(0) and not options.get("batch"),
        )
        if given is not None:
            data["todo"] = [list(one) for one in statements(str(given))]
    options = data["options"]
    if options["password"] is True and not _password(proc, sys):
        return 1
    if not data["greeted"]:
        code = _greet(proc, sys)
        if code is not None:
            return code
    while True:
        if not data["todo"] and not _more(proc, sys):
            return 0
        text, end, line = data["todo"][0]
        if text.rstrip(";").strip().lower() in ("exit", "quit", "\\q"):
            sys.out("Bye\n" if data["tty"] else "")
            return 0
        found = ask(proc, sys, options, {"db": data["db"], "sql": text})
        data["todo"].pop(0)
        if "error" in found:
            number, state, words = found["error"]
            sys.err(f"ERROR {number} ({state}){'' if data['tty'] else f' at line {line}'}: {words}\n")
            if not data["tty"] and not options.get("force"):
                return 1
            continue
        changed = found["db"] is not None and found["db"] != data["db"]
        data["db"] = data["db"] if found["db"] is None else found["db"]
        sys.out("Database changed\n" if changed and data["tty"] else "" if changed else _shown(data, found, end, sys.is_tty(1)))


def _password(proc: Process, sys: Sys) -> bool:
    """Asks for it on the terminal. Raises Blocked."""
    data = proc["data"]
    if "asked" not in data:
        data["asked"] = True
        sys.out("Enter password: ")
    typed = sys.read(0)
    data["options"]["password"] = typed.rstrip("\n")
    del data["asked"]
    sys.out("\n")
    return bool(typed)


def _greet(proc: Process, sys: Sys) -> int | None:
    """The first contact: whether the server lets us in, and to the database that was named."""
    data = proc["data"]
    body = {"sql": f"USE `{data['wanted']}`"} if data["wanted"] else {}
    found = ask(proc, sys, data["options"], body)
    if "error" in found:
        number, state, words = found["error"]
        sys.err(f"ERROR {number} ({state}): {words}\n")
        return 1
    data.update(greeted=True, db=data["wanted"])
    if data["tty"] and not data["options"].get("silent"):
        number = found.get("version") or release(sys.container["image"], MYSQL)
        sys.out(
            f"Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is 8\nServer version: {number} MySQL "
            "Community Server - GPL\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n"
        )
    return None


def _more(proc: Process, sys: Sys) -> bool:
    """Reads until there is a whole statement; False at the end of the input. Raises Blocked."""
    data = proc["data"]
    while not data["ended"]:
        if data["tty"] and "prompted" not in data:
            brand = f"MariaDB [{data['db'] or '(none)'}]> " if is_mariadb(sys) else "mysql> "
            sys.out("    -> " if data["typed"].strip() else brand)
            data["prompted"] = True
        piece = sys.read(0)
        data.pop("prompted", None)
        data["typed"] += piece
        data["ended"] = not piece or len(data["typed"]) > TYPED_MAX
        if data["ended"] and data["tty"]:
            sys.out("Bye\n")
            return False
        before = data["line"]
        data["line"] += data["typed"].count("\n")
        found = [[text, end, before + line] for text, end, line in statements(data["typed"])]
        last = found[-1][0].strip().lower() if found else ""
        if found and not found[-1][1] and not data["ended"] and last not in ("exit", "quit", "\\q"):
            rest = found.pop()
            data["line"] = rest[2] - 1
            data["typed"] = rest[0] + "\n"
            if last.startswith("\\c") or last.endswith("\\c"):
                data["typed"] = ""
        else:
            data["typed"] = ""
        if found:
            data["todo"] = found
            return True
    return False


# ---- results


def _shown(data: Data, found: Data, end: str, terminal: bool) -> str:
    options, columns, rows = data["options"], found["columns"], found["rows"]
    told = data["tty"] and not options.get("silent")
    if not columns:
        count = found["changed"]
        return f"Query OK, {count} row{'' if count == 1 else 's'} affected (0.01 sec)\n\n" if told else ""
    if not rows:
        return "Empty set (0.00 sec)\n\n" if told else ""
    if end == "\\G" or options.get("vertical"):
        text = vertical(columns, rows)
    elif options.get("table") or (terminal and not options.get("batch") and not options.get("silent")):
        text = table(columns, rows, found["right"], heading=not options.get("skip-column-names"))
    else:
        lines = [] if options.get("skip-column-names") or (options.get("silent") and options.get("batch")) else [columns]
        text = "".join("\t".join(_escaped(_text(one)) for one in line) + "\n" for line in [*lines, *rows])
    return text + (f"{len(rows)} row{'' if len(rows) == 1 else 's'} in set (0.00 sec)\n\n" if told else "")


def _text(value: Any) -> str:
    return "NULL" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def table(columns: list[str], rows: list[list[Any]], right: list[bool], *, heading: bool = True) -> str:
    """The frame that a terminal shows; `right`: which columns are numbers, which stand at the right."""
    cells = [[_text(one) for one in row] for row in rows]
    widths = [max(_width(line[at]) for line in ([columns] if heading else []) + cells) for at in range(len(columns))]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"

    def line(texts: list[str], sides: list[bool]) -> str:
        padded = (" " * (width - _width(one)) for one, width in zip(texts, widths, strict=True))
        return "|" + "|".join(f" {pad}{one} " if end else f" {one}{pad} " for one, pad, end in zip(texts, padded, sides, strict=True)) + "|\n"

    head = rule + line(columns, [False] * len(columns)) if heading else ""
    return head + rule + "".join(line(row, right) for row in cells) + rule


def vertical(columns: list[str], rows: list[list[Any]]) -> str:
    wide = max(_width(one) for one in columns)
    return "".join(
        f"{'*' * 27} {number}. row {'*' * 27}\n"
        + "".join(f"{' ' * (wide - _width(name))}{name}: {_text(value)}\n" for name, value in zip(columns, row, strict=True))
        for number, row in enumerate(rows, 1)
    )


# ---- mysqladmin, mysqldump


@tool("mysqladmin", memory=4 * MEBIBYTE)
def mysqladmin(proc: Process, sys: Sys, event: Event) -> int:
    """mysqladmin [options] ping | status | version | create DB | drop DB. `ping` is content with a server that refuses the account."""
    data = proc["data"]
    if "options" not in data:
        data["options"], data["words"] = options_of(proc, sys)
    options, words = data["options"], data["words"]
    host = options.get("host") or "localhost"
    if not words:
        sys.err("mysqladmin: no command was given; ping, status, version, create DB and drop DB run here\n")
        return 1
    sql = {"ping": "", "status": "", "version": "", "create": "CREATE DATABASE", "drop": "DROP DATABASE"}
    if words[0] not in sql:
        sys.err(f"mysqladmin: Unknown command: '{words[0]}'\n")
        return 1
    body = {"sql": f"{sql[words[0]]} `{words[1] if len(words) > 1 else ''}`"} if sql[words[0]] else {}
    found = ask(proc, sys, options, body)
    if "error" in found:
        number, _, text = found["error"]
        if words[0] == "ping" and number == 1045:
            sys.out("mysqld is alive\n")
            return 0
        sys.err(f"mysqladmin: connect to server at '{host}' failed\nerror: '{text}'\n")
        if number >= 2000:
            where = (
                "the socket: '/var/run/mysqld/mysqld.sock' exists!"
                if host == "localhost"
                else f"{host} and that the port is {options.get('port') or 3306}."
            )
            sys.err(f"Check that mysqld is running {'and that ' if host == 'localhost' else 'on '}{where}\n")
        return 1
    if words[0] == "ping":
        sys.out("mysqld is alive\n")
    elif words[0] in ("status", "version"):
        sys.out(f"Server version\t\t{found['version']}\nThreads: 2  Questions: 8  Slow queries: 0  Opens: 105  Open tables: 98\n")
    elif words[0] == "drop":
        sys.out(f'Database "{words[1] if len(words) > 1 else ""}" dropped\n')
    return 0


@tool("mysqldump", memory=8 * MEBIBYTE)
def mysqldump(proc: Process, sys: Sys, event: Event) -> int:
    """mysqldump [options] DB [TABLE ...] | --databases DB ...: statements that make the tables again."""
    data = proc["data"]
    if "options" not in data:
        options, words = options_of(proc, sys)
        if not words or options.get("all-databases"):
            sys.err(
                "Usage: mysqldump [OPTIONS] database [tables]\nOR     mysqldump [OPTIONS] --databases [OPTIONS] DB1 [DB2 DB3...]\n"
                "For more options, use mysqldump --help\n"
            )
            return 1
        databases = words if options.get("databases") or options.get("B") else words[:1]
        data.update(
            options=options,
            made="",
            tables=[],
            all=bool(options.get("databases")),
            todo=[[name, words[1:] if len(databases) == 1 and not options.get("databases") else []] for name in databases],
        )
    while data["todo"]:
        database, tables = data["todo"][0]
        if not tables:
            found = ask(proc, sys, data["options"], {"sql": f"SHOW TABLES FROM `{database}`"})
            if "error" in found:
                sys.err(f"mysqldump: Got error: {found['error'][0]}: {found['error'][2]} when selecting the database\n")
                return 2
            tables[:] = [row[0] for row in found["rows"]] or [""]
        if not data["made"]:
            data["made"] = f"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `{database}`;\n\nUSE `{database}`;\n\n" if data["all"] else "-- MySQL dump\n"
        while tables and tables[0]:
            name = f"`{database}`.`{tables[0]}`"
            if "shape" not in data:
                data["shape"] = ask(proc, sys, data["options"], {"sql": f"SHOW CREATE TABLE {name}"})
            rows = ask(proc, sys, data["options"], {"sql": f"SELECT * FROM {name}"})
            shape = data.pop("shape")
            if "error" in shape or "error" in rows:
                sys.err(f'mysqldump: Couldn\'t find table: "{tables[0]}"\n')
                return 6
            values = [f"({','.join(_literal(one) for one in row)})" for row in rows["rows"]]
            data["made"] += f"DROP TABLE IF EXISTS `{tables[0]}`;\n{shape['rows'][0][1]};\n\n"
            at_once = max(1, min(WORDS // (2 * len(rows["columns"]) + 4), LONGEST // (max(map(len, values), default=1) + 1)))
            for at in range(0, len(values), at_once):
                data["made"] += f"INSERT INTO `{tables[0]}` VALUES {','.join(values[at : at + at_once])};\n"
            data["made"] += "\n" if values else ""
            tables.pop(0)
        sys.out(data["made"])
        data["made"] = ""
        data["todo"].pop(0)
    return 0


def _literal(value: Any) -> str:
    return (
        "NULL"
        if value is None
        else str(value)
        if isinstance(value, int | float)
        else "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
    )
