"""redis-cli: raw replies where nobody looks, quoted ones on a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

from .. import sockets
from ..image import release
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from ..tools.net_client import BadOption, Long, parse
from .redis_commands import RedisError, Status
from .redis_protocol import decode, encode

VERSION = "8.2.1"
CLI_LONG = {
    "raw": Long("R"),
    "no-raw": Long("N"),
    "no-auth-warning": Long("W"),
    "version": Long("v"),
    "pass": Long("a", True),
    "user": Long("U", True),
}


@tool("redis-cli", memory=2 * MEBIBYTE)
def redis_cli(proc: Process, sys: Sys, event: Event) -> int:
    """redis-cli [-h HOST] [-p PORT] [-a PASSWORD] [-n DB] [--raw | --no-raw] [COMMAND ...]; without one it reads lines."""
    data = proc["data"]
    if "todo" not in data:
        words = proc["argv"][1:]
        at = 0
        while at < len(words) and words[at].startswith("-"):
            at += 2 if words[at] in ("-h", "-p", "-a", "-n", "-u", "--pass", "--user", "-r", "-i") else 1
        try:
            options = dict(parse(words[:at], "h:p:a:n:u:r:i:cve", CLI_LONG)[0])
        except BadOption as error:
            sys.err(f"Unrecognized option or bad number of args for: '{error.option}'\n")
            return 1
        if "v" in options:
            sys.out(f"redis-cli {release(sys.container['image'], VERSION)}\n")
            return 0
        data.update(options=options, todo=[words[at:]] if words[at:] else [], lines=not words[at:], rest="", asked=False)
        if options.get("a") and "W" not in options:
            sys.err("Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n")
    options = data["options"]
    host, port = options.get("h", "127.0.0.1"), int(options.get("p", 6379))
    if not data.get("open"):
        code = _cli_connect(proc, sys, host, port)
        if code is not None:
            return code
    while True:
        if data["asked"]:
            _answered(proc, sys, options)
        if not data["todo"]:
            if not data["lines"] or not _more(proc, sys, f"{host}:{port}> "):
                return 0
            continue
        words = data["todo"].pop(0)
        if words[0].lower() in ("exit", "quit"):
            return 0
        try:
            sys.write(int(data["socket"]), encode(words))
        except Errno:
            sys.err("Error: Server closed the connection\n")
            return 1
        data.update(asked=True, buffer="")


def _cli_connect(proc: Process, sys: Sys, host: str, port: int) -> int | None:
    data = proc["data"]
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        sys.err(f"Could not connect to Redis at {host}:{port}: Name or service not known\n")
        return 1
    try:
        sockets.connect(sys, "socket", addresses[0], port)
    except Errno as error:
        sys.err(f"Could not connect to Redis at {host}:{port}: {error.text}\n")
        return 1
    data["open"] = True
    if password := data["options"].get("a") or proc["env"].get("REDISCLI_AUTH"):
        data["todo"].insert(0, ["AUTH", password])
        data["quiet"] = True
    return None


def _answered(proc: Process, sys: Sys, options: Data) -> None:
    data = proc["data"]
    fd = int(data["socket"])
    while (found := decode(data["buffer"])) is None:
        piece = sys.read(fd)
        if not piece:
            sys.err("Error: Server closed the connection\n")
            sys.exit(1)
        data["buffer"] += piece
    data["asked"] = False
    if data.pop("quiet", False):
        if isinstance(found[0], RedisError):
            sys.err(f"AUTH failed: {found[0]}\n")
        return
    raw = "R" in options or ("N" not in options and not sys.is_tty(1))
    sys.out((_raw(found[0]) if raw else _shown(found[0])) + "\n")


def _more(proc: Process, sys: Sys, prompt: str) -> bool:
    """The next line of the input becomes the next command; False at its end."""
    data = proc["data"]
    while "\n" not in data["rest"]:
        if sys.is_tty(0) and not data.get("prompted"):
            data["prompted"] = True
            sys.out(prompt)
        piece = sys.read(0)
        if not piece:
            return False
        data["rest"] += piece
    data.pop("prompted", None)
    line, _, data["rest"] = data["rest"].partition("\n")
    words = [double or single or bare for double, single, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|(\S+)', line)]
    if words:
        data["todo"].append(words)
    return True


def _raw(value: Any) -> str:
    return (
        "\n".join(map(_raw, value))
        if isinstance(value, list)
        else ""
        if value is None
        else f"{value}\n"
        if isinstance(value, RedisError)
        else str(value)
    )


def _shown(value: Any, indent: str = "") -> str:
    if value is None:
        return "(nil)"
    if isinstance(value, RedisError):
        return f"(error) {value}"
    if isinstance(value, Status):
        return str(value)
    if isinstance(value, int):
        return f"(integer) {value}"
    if isinstance(value, list):
        if not value:
            return "(empty array)"
        width = len(str(len(value)))
        lines = [f"{number:>{width}}) {_shown(item, indent + ' ' * (width + 2))}" for number, item in enumerate(value, 1)]
        return f"\n{indent}".join(lines)
    return json.dumps(value, ensure_ascii=False)
