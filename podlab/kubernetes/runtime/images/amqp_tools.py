"""amqp-declare-queue, amqp-publish, amqp-get, amqp-consume and amqp-delete-queue of rabbitmq-c, to the broker of rabbitmq.py.

Source: github.com/alanxz/rabbitmq-c, tools (options, exit codes, words of errors).
"""

from __future__ import annotations

import json
import re

from .. import sockets
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys

VALUES = {"-u": "url", "-s": "server", "-q": "queue", "-r": "routing-key", "-e": "exchange", "-b": "body", "-c": "count", "-C": "content-type"}
FLAGS = {"-d": "durable", "-p": "persistent", "-A": "no-ack", "-l": "line-buffered", "-x": "exclusive", "-E": "content-encoding"}
LONG = ("port", "vhost", "username", "password", "heartbeat", "prefetch-count", *VALUES.values())
URL = re.compile(r"amqps?://(?:([^:@/]*)(?::([^@/]*))?@)?([^:/]*)(?::(\d+))?(?:/.*)?")
BODY_MAX = 60_000  # characters


def _options(proc: Process, sys: Sys) -> tuple[Data, list[str]]:
    """({long name: value or True}, the command for each message); the rest of the line begins at the first word that is no option."""
    found: Data = {}
    words = list(proc["argv"][1:])
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        name, equals, value = word[2:].partition("=")
        if word.startswith("--"):
            found[name] = value if equals else (words.pop(0) if words else "") if name in LONG else True
        elif word[:2] == "-p" and proc["argv"][0].endswith("amqp-consume"):
            found["prefetch-count"] = word[2:] or (words.pop(0) if words else "")
        elif word[:2] in VALUES:
            found[VALUES[word[:2]]] = word[2:] or (words.pop(0) if words else "")
        elif word in FLAGS:
            found[FLAGS[word]] = True
        else:
            sys.err(f"{word}: unknown option\n")
            sys.exit(1)
    return found, words


def _send(proc: Process, sys: Sys, body: Data) -> None:
    """Connects, then asks. Exits with 1 where there is no broker; raises Blocked."""
    data, options = proc["data"], proc["data"]["options"]
    url = URL.fullmatch(str(options.get("url", ""))) if options.get("url") else None
    if options.get("url") and url is None:
        sys.err(f"Parsing URL '{options['url']}': bad AMQP URL\n")
        sys.exit(1)
    user, password, host, port = url.groups() if url else (None, None, None, None)
    host = host or str(options.get("server", "localhost")).partition(":")[0]
    port = port or str(options.get("port", "5672"))
    try:
        found = sockets.resolve(sys, "127.0.0.1" if host == "localhost" else host)[1]
        if not found:
            sys.err(f"opening socket to {host}:{port}: hostname lookup failed\n")
            sys.exit(1)
        fd = sockets.connect(sys, "server", found[0], int(port), 30_000)
    except Errno as error:
        sys.err(f"opening socket to {host}:{port}: {'socket error' if error.name != 'ETIMEDOUT' else 'request timed out'}\n")
        sys.exit(1)
    if "sent" not in data:
        own = {"user": user or options.get("username", "guest"), "password": password or options.get("password", "guest")}
        data.update(sent=True, come="", own=own)
        sys.write(fd, json.dumps({**body, **own}) + "\n")


def _hear(proc: Process, sys: Sys, what: str) -> Data:
    """The next line of the broker. Exits with 1 for an error; raises Blocked."""
    data = proc["data"]
    fd = int(data["server"])
    while "\n" not in data["come"]:
        piece = sys.read(fd)
        if not piece:
            sys.err(f"{what}: connection closed unexpectedly\n")
            sys.exit(1)
        data["come"] += piece
    line, _, data["come"] = data["come"].partition("\n")
    found: Data = json.loads(line)
    if "error" in found:
        where, why = ("logging in to AMQP server", "connection") if found["error"] == 403 else (what, "channel")
        sys.err(f"{where}: server {why} error {found['error']}h, message: {found['text']}\n")
        sys.exit(1)
    return found


def _ready(proc: Process, sys: Sys, needs: str) -> Data:
    data = proc["data"]
    if "options" not in data:
        data["options"], data["command"] = _options(proc, sys)
    if needs and not data["options"].get(needs):
        sys.err(f"{needs.replace('-', ' ')} not specified\n")
        sys.exit(1)
    return dict(data["options"])


@tool("amqp-declare-queue")
def declare(proc: Process, sys: Sys, event: Event) -> int:
    """amqp-declare-queue [--url=URL] [-q QUEUE] [-d]: prints the queue's name."""
    options = _ready(proc, sys, "")
    _send(proc, sys, {"do": "declare", "queue": options.get("queue", ""), "durable": options.get("durable", False)})
    sys.out(f"{_hear(proc, sys, 'queue.declare')['queue']}\n")
    return 0


@tool("amqp-delete-queue")
def delete(proc: Process, sys: Sys, event: Event) -> int:
    """amqp-delete-queue [--url=URL] -q QUEUE: prints how many messages it had."""
    options = _ready(proc, sys, "queue")
    _send(proc, sys, {"do": "delete", "queue": options["queue"]})
    sys.out(f"{_hear(proc, sys, 'queue.delete')['messages']}\n")
    return 0


@tool("amqp-publish")
def publish(proc: Process, sys: Sys, event: Event) -> int:
    """amqp-publish [--url=URL] -r QUEUE [-p] [-b BODY]; without -b, what comes from standard input."""
    options, data = _ready(proc, sys, ""), proc["data"]
    if not options.get("routing-key") and not options.get("exchange"):
        sys.err("neither exchange nor routing key specified\n")
        return 1
    body = options.get("body")
    if not isinstance(body, str):
        data.setdefault("typed", "")
        while len(data["typed"]) < BODY_MAX and (piece := sys.read(0)):
            data["typed"] += piece
        body = data["typed"]
    asked = {"do": "publish", "queue": options.get("routing-key", ""), "body": body[:BODY_MAX], "persistent": bool(options.get("persistent"))}
    _send(proc, sys, asked)
    _hear(proc, sys, "basic.publish")
    return 0


@tool("amqp-get")
def get(proc: Process, sys: Sys, event: Event) -> int:
    """amqp-get [--url=URL] -q QUEUE: one message on standard output; 2 when there is none."""
    options = _ready(proc, sys, "queue")
    _send(proc, sys, {"do": "get", "queue": options["queue"]})
    found = _hear(proc, sys, "basic.get")
    sys.out(found.get("body", ""))
    return 2 if "empty" in found else 0


@tool("amqp-consume", memory=MEBIBYTE)
def consume(proc: Process, sys: Sys, event: Event) -> int:
    """amqp-consume [--url=URL] -q QUEUE [-c COUNT] [-A] COMMAND...: each message is a run of the command's standard input, acknowledged when
    it ends with 0."""
    options, data = _ready(proc, sys, "queue"), proc["data"]
    if not data["command"]:
        sys.err("consuming command not specified\n")
        return 1
    _send(proc, sys, {"do": "consume", "queue": options["queue"]})
    limit = int(options["count"]) if str(options.get("count", "")).isdigit() else 0
    while not limit or data.get("taken", 0) < limit:
        if "pid" not in data:
            body = _hear(proc, sys, "basic.consume")["body"]
            reading, writing = sys.pipe()
            fd = sockets.lowest_free(sys)
            sys.assign(fd, writing)
            try:
                data["pid"] = sys.spawn(data["command"], fds={0: reading, fd: None, int(data["server"]): None})
            except Errno as error:
                sys.err(f"{data['command'][0]}: {error.text}\n")
                return 1
            sys.write(fd, body)
            sys.close(fd)
        ended = sys.wait(data["pid"])
        del data["pid"]
        data["taken"] = data.get("taken", 0) + 1
        if ended is not None and ended[1] == 0 and not ended[2]:
            sys.write(int(data["server"]), json.dumps({"do": "ack", **data["own"]}) + "\n")
    return 0
