"""mongosh, mongo and mongoimport: scripts against mongod, one command after the other (mongo_script.py tells what a script may be).

A statement in which a command has to wait is begun anew when the answer is there: what was answered so far in it is kept and handed out
again (proc["data"]["replies"]), and what it has printed is not printed twice. So a function that asks the server must not count on its own
side effects, which nobody's does who only asks and prints.
Source: mongodb.com/docs/mongodb-shell, /docs/database-tools/mongoimport.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from ..image import release
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import interrupted
from ..system import Sys
from . import mongo_client
from .log_parsers import iso
from .mongo_machine import Machine
from .mongo_methods import Quit
from .mongo_script import parse
from .mongo_store import Full
from .mongo_tokens import Unfinished, Wrong
from .mongo_values import Thrown, inspect, said

VERSION = "2.5.8"
OPTIONS = ("--eval", "--file", "-f", "--host", "--port", "-u", "--username", "-p", "--password", "--authenticationDatabase")
STEPS = 500  # of a script between two looks at the clock
STEP_US = 100  # CPU time of a statement in mongosh, which awaits each, order of magnitude


def _greeting(proc: Process, sys: Sys, uri: str) -> str:
    """mongosh's, or that of the shell before it (mongo/shell/dbshell.cpp: up to MongoDB 5.0). The server is taken for one of the same release."""
    server = release(sys.container["image"], "7.0.14")
    if proc["argv"][0].rpartition("/")[2] == "mongo":
        asked = uri.partition("?")[0].removesuffix("/test").rstrip("/")
        return f"MongoDB shell version v{server}\nconnecting to: {asked}\nMongoDB server version: {server}\n"
    number = f"{sys.random(1 << 32):08x}"
    return f"Current Mongosh Log ID:\t{number}\nConnecting to:\t\t{uri}\nUsing MongoDB:\t\t{server}\nUsing Mongosh:\t\t{VERSION}\n\n"


def mongosh(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "where" not in data:
        problem = _begin(proc)
        if problem:
            sys.err(problem)
            return 1
    try:
        mongo_client.connect(proc, sys, data["where"])
    except mongo_client.Unreachable as error:
        sys.err(f"{error.name}: {error.message}\n")
        return 1
    if not data["greeted"]:
        data["greeted"] = True
        if not data["quiet"]:
            sys.out(_greeting(proc, sys, data["where"]["uri"]))
    try:
        while data["scripts"]:
            kind, name = data["scripts"][0]
            if "text" not in data:
                data["text"] = _command(name) if kind == "eval" else _read(proc, sys, name)
                _fresh(data)
            _go(proc, sys)
            if kind == "eval" and data["shown"] is not None:
                sys.out(inspect(data["shown"]) + "\n")
            del data["text"]
            data["scripts"].pop(0)
        return _stdin(proc, sys) if data["stdin"] else 0
    except Quit as end:
        return end.code
    except Full:
        data.update(vars={}, text="", lines="")
        _fresh(data)
        sys.err("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n")
        return 134
    except Thrown as error:
        sys.err(f"{said(error.value, True)}\n")
        return 1
    except Wrong as error:
        sys.err(f"SyntaxError: {error}\n")
        return 1
    except Errno as error:
        sys.err(f"Error: {error.name}: {error.text.lower()}\n")
        return 1


def _begin(proc: Process) -> str:
    words, scripts, place, host, port = proc["argv"][1:], [], "", "", ""
    quiet = False
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in OPTIONS:
            value = value if equals else words.pop(0) if words else ""
            if name in ("--eval", "--file", "-f"):
                scripts.append(["eval" if name == "--eval" else "file", value])
            host, port = value if name == "--host" else host, value if name == "--port" else port
        elif word in ("--quiet", "--norc", "--nodb", "--shell"):
            quiet = quiet or word == "--quiet"
        elif word.startswith("-"):
            return f"Error parsing command line: unrecognized option: {word}\n"
        elif word.endswith(".js"):
            scripts.append(["file", word])
        elif not place:
            place = word
    if host or port:
        place = f"{(host or '127.0.0.1').partition(':')[0]}:{port or host.partition(':')[2] or '27017'}/{place}"
    where = mongo_client.target(place or "test")
    proc["data"].update(where=where, scripts=scripts, quiet=quiet, greeted=False, stdin=not scripts, typed="", db=where["db"], names={}, vars={})
    return ""


def _fresh(data: Data) -> None:
    data.update(pc=0, tries=[], replies=[], printed=0, shown=None)


def _read(proc: Process, sys: Sys, name: str) -> str:
    """A whole file, or all that a pipe gives until its end."""
    data = proc["data"]
    if name not in ("/dev/stdin", "-"):
        return sys.read_file(name)
    while piece := sys.read(0):
        data["typed"] += piece
    text, data["typed"] = data["typed"], ""
    return str(text)


def _go(proc: Process, sys: Sys) -> None:
    """Runs data["text"] to its end. Raises Quit, Thrown, Wrong, Blocked."""
    machine = Machine(proc, sys, parse(proc["data"]["text"]))
    while machine.run(STEPS):
        sys.charge(max(STEPS * STEP_US, machine.spent))
        machine.spent = 0
        sys.breathe()


def _stdin(proc: Process, sys: Sys) -> int:
    """Lines from standard input, each run as soon as it is a whole statement; the value is shown."""
    data = proc["data"]
    tty = sys.is_tty(0)
    data.setdefault("lines", "")
    while True:
        if "text" not in data:
            while "\n" not in data["typed"]:
                if "asked" not in data:
                    data["asked"] = True
                    sys.out(f"{data['db']}> " if not data["lines"] else "... ")
                piece = sys.read(0)
                if not piece:
                    sys.out("\n" if tty else "")
                    return 0
                data["typed"] += piece
            line, _, data["typed"] = data["typed"].partition("\n")
            data.pop("asked", None)
            data["text"] = (data["lines"] + line if data["lines"] else _command(line)) + "\n"
            _fresh(data)
        try:
            _go(proc, sys)
            if data["shown"] is not None:
                sys.out(inspect(data["shown"]) + "\n")
            data["lines"] = ""
        except Unfinished:
            data["lines"] = data["text"]
        except Wrong as error:
            data["lines"] = ""
            sys.out(f"Uncaught:\nSyntaxError: {error}\n")
        except Thrown as error:
            data["lines"] = ""
            sys.out(f"Uncaught {said(error.value, True)}\n" if isinstance(error.value, dict) else f"Uncaught {said(error.value)}\n")
        del data["text"]


def _command(line: str) -> str:
    """The shell's own words (`use kiada`, `show dbs`, `exit`) as calls; a line of JavaScript stays what it is."""
    words = line.rstrip(";").split()
    if len(words) == 2 and words[0] in ("use", "show"):
        return f"{words[0]}({json.dumps(words[1])})"
    return "quit(0)" if words in (["exit"], ["quit"], ["it"]) else line


# ---- mongoimport


def mongoimport(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]

    def log(text: str) -> None:
        sys.err(f"{iso(sys.now, end='+0000')}\t{text}\n")

    if "where" not in data:
        words, given = proc["argv"][1:], {}
        while words:
            name, equals, value = words.pop(0).lstrip("-").partition("=")
            if name in ("drop", "jsonArray", "upsert", "quiet"):
                given[name] = "1"
            elif name.startswith("mongodb"):
                given["uri"] = f"{name}{equals}{value}"
            else:
                given[{"c": "collection", "d": "db", "h": "host"}.get(name, name)] = value if equals else words.pop(0) if words else ""
        place = given.get("uri") or f"{given.get('host') or '127.0.0.1'}:{given.get('port') or '27017'}/{given.get('db', '')}"
        data.update(where=mongo_client.target(place), given=given, did=[])
    given, did = data["given"], data["did"]
    database = given.get("db") or data["where"]["db"]
    collection = given.get("collection") or given.get("file", "").rpartition("/")[2].rpartition(".")[0]
    try:
        mongo_client.connect(proc, sys, {**data["where"], "direct": False} if len(data["where"]["hosts"]) != 1 else data["where"])
        if "connected" not in did:
            did.append("connected")
            log(f"connected to: {data['where']['uri']}")
        if given.get("drop") and "drop" not in did:
            if "dropping" not in did:
                did.append("dropping")
                log(f"dropping: {database}.{collection}")
            mongo_client.ask(proc, sys, {"op": "drop", "db": database, "coll": collection})
            did.append("drop")
        if "documents" not in data:
            text = sys.read_file(given["file"]) if given.get("file") else sys.read(0)
            data["documents"] = [{"_id": {"$oid": f"{sys.now // 1000:08x}{sys.random(1 << 32):08x}{at:08x}"}, **one}
                                 for at, one in enumerate(_documents(text))]  # fmt: skip
        found = mongo_client.ask(proc, sys, {"op": "insert", "db": database, "coll": collection, "documents": data["documents"]})
    except mongo_client.Unreachable as error:
        log(f"error connecting to host: could not connect to server: {error.message}")
        return 1
    except Errno as error:
        log(f"Failed: open {given.get('file', '')}: {error.text.lower()}")
        return 1
    except ValueError as error:
        log(f"Failed: error processing document #1: {error}")
        return 1
    good = len(data["documents"]) if found.get("ok") else 0
    if not good and data["documents"]:
        log(f"Failed: ({found.get('codeName', 'NetworkError')}) {found.get('errmsg', 'connection closed')}")
    log(f"{good} document(s) imported successfully. {len(data['documents']) - good} document(s) failed to import.")
    return 0 if found.get("ok") else 1


def _documents(text: str) -> list[Any]:
    """JSON objects one after the other, or one array of them. Raises ValueError."""
    decoder, found = json.JSONDecoder(), []
    text = text.strip()
    while text:
        one, end = decoder.raw_decode(text)
        found += one if isinstance(one, list) else [one]
        text = text[end:].strip()
    if not all(isinstance(one, dict) for one in found):
        raise ValueError("cannot decode a value that is no document")
    return found


for _name, _turn in (("mongosh", mongosh), ("mongoimport", mongoimport)):
    register(Program(_name, partial(_turn, event=None), _turn, interrupted, 60 * MEBIBYTE))
