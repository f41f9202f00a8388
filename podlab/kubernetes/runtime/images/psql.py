r"""psql: statements to postgres.py, and its own commands (\l, \d, \c ...). Source: postgresql.org/docs/17 (psql), src/bin/psql for the words."""

from __future__ import annotations

import re

from ..image import release
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..serving import interrupted
from ..system import Sys
from .pg_client import RELEASE, Unknown, Unreachable, ask, complaint, connection_of, options_of
from .pg_table import framed, shown
from .pg_words import statements

TYPED_MAX = 262_144  # characters that wait for their semicolon


@tool("psql", signal=interrupted, memory=10 * MEBIBYTE)
def psql(proc: Process, sys: Sys, event: Event) -> int:
    r"""psql [-h HOST] [-p PORT] [-U USER] [-d DATABASE] [-c STATEMENTS] [-f FILE] [-AtxqX] [-v NAME=VALUE] [DATABASE [USER]]."""
    data = proc["data"]
    if "to" not in data:
        code = _begin(proc, sys)
        if code is not None:
            return code
    return _session(proc, sys)


def _session(proc: Process, sys: Sys) -> int:
    """Statement by statement to the end of the input: the exit code. Raises Blocked."""
    data = proc["data"]
    options, to = data["options"], data["to"]
    try:
        if not data["greeted"]:
            if options.get("password") and not _password(proc, sys):
                return 2
            _greet(proc, sys)
        while True:
            if not data["todo"] and not _more(proc, sys):
                return 0
            text, end, line = data["todo"][0]
            if text.lower() in ("exit", "quit") or (end == "\\" and text.startswith("\\q")):
                return 0
            if end == "\\":
                said = _command(proc, sys, text)
            else:
                found = ask(proc, sys, to, {"sql": text})
                if "error" in found:
                    data["todo"].pop(0)
                    where = f"psql:{data['name']}:{line + text.count(chr(10))}: " if data["name"] else ""
                    sys.err(where + complaint(found["error"], text))
                    stop = data["stop"] or data["once"]
                    if stop:
                        return 1 if data["once"] else 3
                    continue
                said = shown(data, found, expanded=end == "\\gx" or data["expanded"])
            data["todo"].pop(0)
            sys.out(said)
    except Unreachable as error:
        if str(error).endswith("no password supplied") and sys.is_tty(0) and not data.get("prompted") and not options.get("no-password"):
            data["prompted"] = True
            options["password"] = True
            return _session(proc, sys)
        sys.err(f"psql: error: {error}\n")
        return 2


def _begin(proc: Process, sys: Sys) -> int | None:
    try:
        options, operands = options_of(proc, "tnsTobL1" if "--table" not in proc["argv"] else "")
    except Unknown as error:
        sys.err(f'psql: {error}\npsql: hint: Try "psql --help" for more information.\n')
        return 1
    if options.get("version"):
        sys.out(f"psql (PostgreSQL) {release(sys.container['image'], RELEASE)}\n")
        return 0
    sets = dict(one.partition("=")[::2] for one in options.get("set", []))
    data = proc["data"]
    data.update(options=options, to=connection_of(proc, options, operands), todo=[], typed="", line=0, greeted=False, name="", once=False,
                stop=sets.get("ON_ERROR_STOP", "0").lower() not in ("0", "off", ""), sets=sets, ended=False,
                expanded=bool(options.get("expanded")), tuples=bool(options.get("tuples-only")), bare=bool(options.get("no-align")))  # fmt: skip
    if options.get("list"):
        options["command"] = ["\\l"]
        data["to"]["db"] = operands[0] if operands else options.get("dbname", "postgres")
    if options.get("command"):
        for one in options["command"]:
            data["todo"] += [list(part) for part in statements(one)]
        data.update(ended=True, once=True)
    elif options.get("file") and options["file"] != ["-"]:
        data["name"] = options["file"][-1]
        for one in options["file"]:
            try:
                data["todo"] += [list(part) for part in statements(_filled(data, sys.read_file(one)))]
            except Errno as error:
                sys.err(f"psql: error: {one}: {error.text}\n")
                return 1
        data["ended"] = True
    data["tty"] = not data["ended"] and sys.is_tty(0)
    return None


def _filled(data: Data, text: str) -> str:
    """:name, :'name' and :"name" of -v."""
    sets = data["sets"]
    return re.sub(r"(?<![:\w]):(['\"]?)(\w+)\1", lambda one: f"{one[1]}{sets[one[2]]}{one[1]}" if one[2] in sets else one[0], text) if sets else text


def _password(proc: Process, sys: Sys) -> bool:
    """Asks for it on the terminal. Raises Blocked."""
    data = proc["data"]
    if "asked" not in data:
        data["asked"] = True
        sys.out(f"Password for user {data['to']['user']}: ")
    typed = sys.read(0)
    data["to"]["password"] = typed.rstrip("\n")
    data["options"]["password"] = False
    del data["asked"]
    sys.out("\n")
    return bool(typed)


def _greet(proc: Process, sys: Sys) -> None:
    data = proc["data"]
    found = ask(proc, sys, data["to"], {"hello": True})
    data.update(greeted=True, mark="#" if found["super"] else ">")
    if data["tty"] and not data["options"].get("quiet"):
        own = release(sys.container["image"], RELEASE)
        sys.out(f"psql ({own} (Debian {own}-1.pgdg13+1))\nType \"help\" for help.\n\n")


def _more(proc: Process, sys: Sys) -> bool:
    """Reads until there is a whole statement; False at the end of the input. Raises Blocked."""
    data = proc["data"]
    while not data["ended"]:
        if data["tty"] and "waiting" not in data:
            sys.out(f"{data['to']['db']}{'-' if data['typed'].strip() else '='}{data['mark']} ")
            data["waiting"] = True
        piece = sys.read(0)
        data.pop("waiting", None)
        data["typed"] += piece
        data["ended"] = not piece or len(data["typed"]) > TYPED_MAX
        if data["ended"] and data["tty"]:
            sys.out("\\q\n")
            return False
        if not data["tty"] and not data["ended"]:
            continue
        found = list(statements(_filled(data, data["typed"])))
        if found and not found[-1][1] and not data["ended"] and found[-1][0].lower() not in ("exit", "quit", "help"):
            data["typed"] = found.pop()[0] + "\n"
        else:
            data["typed"] = ""
        if found:
            data["todo"] = [list(one) for one in found]
            return True
    return False


HELP = (
    "You are using psql, the command-line interface to PostgreSQL.\nType:  \\copyright for distribution terms\n"
    "       \\h for help with SQL commands\n"
    "       \\? for help with psql commands\n       \\g or terminate with semicolon to execute query\n       \\q to quit\n"
)


SWITCHES = {"x": ("expanded", "Expanded display is {}."), "t": ("tuples", "Tuples only is {}."), "a": ("bare", "Output format is {}.")}


def _command(proc: Process, sys: Sys, text: str) -> str:
    """A command of psql's own. Raises Unreachable, Blocked."""
    data, to = proc["data"], proc["data"]["to"]
    words = text[1:].split() or [""]
    word, name = words[0].rstrip("+;"), words[1].rstrip(";") if len(words) > 1 else ""
    if word in ("l", "list", "dt", "d", "du", "dg", "dn", "dv"):
        found = ask(proc, sys, to, {"meta": {"list": "l", "dg": "du", "dv": "d"}.get(word, word), "name": name})
        if "said" in found:
            sys.err(found["said"])
            return ""
        return framed(data, found["columns"], found["rows"], [False] * len(found["columns"]), found["footer"], title=found["title"])
    if word in ("c", "connect"):
        moved = {**to, "db": name or to["db"], "user": words[2] if len(words) > 2 else to["user"]}
        try:
            found = ask(proc, sys, moved, {"hello": True})
        except Unreachable as error:
            sys.err(f"\\connect: {error}\n" if data["once"] or not data["tty"] else f"{error}\nPrevious connection kept\n")
            return ""
        data.update(to=moved, mark="#" if found["super"] else ">")
        return f'You are now connected to database "{moved["db"]}" as user "{moved["user"]}".\n'
    if word == "conninfo":
        where = f'via socket in "/var/run/postgresql" at port "{to["port"]}"'
        if to["host"]:
            where = f'on host "{to["host"]}" (address "{data["wire"]["address"]}") at port "{to["port"]}"'
        return f'You are connected to database "{to["db"]}" as user "{to["user"]}" {where}.\n'
    if word in SWITCHES:
        key, told = SWITCHES[word]
        data[key] = not data[key] if name not in ("on", "off") else name == "on"
        return told.format(("unaligned" if data[key] else "aligned") if word == "a" else "on" if data[key] else "off") + "\n"
    if word == "echo":
        return " ".join(words[1:]).replace("'", "") + "\n"
    if word in ("?", "h", "help", "copyright"):
        return HELP
    if word == "set" and len(words) > 2:
        data["sets"][name] = words[2].strip("'")
        data["stop"] = data["stop"] or (name == "ON_ERROR_STOP" and words[2] not in ("0", "off"))
        return ""
    if word in ("set", "pset", "timing", "encoding", "unset", "i"):
        return ""
    sys.err(f'invalid command \\{words[0]}\nTry \\? for help.\n')
    return ""
