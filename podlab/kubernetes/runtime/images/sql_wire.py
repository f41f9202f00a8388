"""What relational servers and their clients share: a statement's way over the network, and the directory of a server's databases.

On the wire a statement is an HTTP message with a header of the server's kind (X-MySQL, X-PostgreSQL) and a JSON body, so that every server here
can ask one; the answer is JSON too. A server of another kind gets a message that it does not understand, and hangs up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from .. import http, sockets
from ..http import text_answer
from ..process import Data, Errno, Process
from ..serving import Answer
from ..system import Sys


def command(mark: str, host: str, body: Data) -> http.Message:
    """A statement as a client sends it; `mark` is the header of the kind of server."""
    return http.request("POST", "/", host, [(mark, "1"), ("Content-Type", "application/json")], json.dumps(body, separators=(",", ":")))


def body_of(mark: str, request: http.Message) -> Data:
    """What a client asks; {} when it does not speak so."""
    try:
        found = json.loads(request.body) if request.get(mark) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def answer_of(found: Data) -> Answer:
    return text_answer(json.dumps(found, separators=(",", ":"), default=str), kind="application/json")


def hung_up() -> Answer:
    """What whoever speaks another protocol gets."""
    return http.Message("", [], "")


def ask(proc: Process, sys: Sys, mark: str, host: str, port: int, body: Data, patience: int) -> Data:
    """The server's answer, {} when the line breaks; `patience` ms for the connection. "localhost" is this Pod's own. Raises Errno (ENOENT: no
    such host) when there is no server, and Blocked; is then called again."""
    data = proc["data"]
    wire = data.setdefault("wire", {"address": "", "sent": False, "reply": ""})
    try:
        if not wire["address"]:
            found = ["127.0.0.1"] if host == "localhost" else sockets.resolve(sys, host)[1]
            if not found:
                raise Errno("ENOENT")
            wire["address"] = found[0]
        sockets.connect(sys, "server", wire["address"], port, patience)
    except Errno:
        data["tried"] = data.pop("wire")["address"]
        raise
    fd = int(data["server"])
    try:
        if not wire["sent"]:
            sys.write(fd, command(mark, host, body).text())
            wire["sent"] = True
        while True:
            piece = sys.read(fd)
            wire["reply"] += piece
            message, _ = http.take(wire["reply"], closed=not piece)
            if message is not None or not piece:
                break
        answer = json.loads(message.body) if message is not None else {}
    except (Errno, ValueError):
        answer = {}
    if not isinstance(answer, dict) or not answer:
        sys.close(int(data.pop("server")))
        data.pop("wire")
        return {}
    wire.update(sent=False, reply="")
    return answer


def from_environment(proc: Process, sys: Sys, name: str) -> str:
    """A variable of the images' entry points: NAME, or the content of the file that NAME_FILE names (docker-entrypoint.sh, file_env).
    Raises Errno."""
    env = proc["env"]
    if env.get(name) or not env.get(f"{name}_FILE"):
        return str(env.get(name, ""))
    return sys.read_file(env[f"{name}_FILE"]).rstrip("\n")


# ---- many statements

A_TURN, A_STATEMENT = 1_000, 200  # characters of the statements of one turn, 50 us each, and how many more a statement costs: its tables are read
SCRIPT_MAX = 262_144  # characters of a script of /docker-entrypoint-initdb.d


def some(sizes: Sequence[int]) -> int:
    """How many of these statements may be done in one turn: at least one, if there is one."""
    told = 0
    for count, size in enumerate(sizes):
        told += size + A_STATEMENT
        if count and told > A_TURN:
            return count
    return len(sizes)


# ---- a directory of databases, or of schemas


def tables(sys: Sys, path: str, suffix: str) -> dict[str, str] | None:
    """{table: its file's text} of one directory, None when there is no such directory. Raises Errno."""
    if sys.find(path) is None:
        return None
    return {name.removesuffix(suffix): sys.read_file(f"{path}/{name}") for name in sys.listdir(path) if name.endswith(suffix)}


def keep(sys: Sys, path: str, suffix: str, written: Mapping[str, Mapping[str, str | None]]) -> None:
    """Writes what has changed in a Store. Raises Errno."""
    for directory, changed in written.items():
        for name, text in changed.items():
            where = f"{path}/{directory}/{name}{suffix}"
            if text is None:
                sys.unlink(where)
            else:
                sys.write_file(where, text)


def table_text(name: str, columns: str, rows: list[list[object]]) -> str:
    """A table as sql_store.py reads it, for catalogs that are on no disk. `columns`: "a text, b int"."""
    head = {"name": name, "create": [f"CREATE TABLE {name} ({columns})"], "next": 0}
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in (head, *rows))


