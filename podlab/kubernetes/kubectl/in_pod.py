"""kubectl in a container: the commands of this package, with the in-cluster configuration of client-go (rest/config.go).

A process is data, so a command that waits is not kept: it is begun again when something may have changed, and says only what is new.
What changes the cluster is done once: `delete` waits for what it deleted by itself. Nothing to wait for, `get --watch`, is refused.
`proc["data"]`: {"phase": ask | run | say | gone | again, "out": [[descriptor, text]] yet to be written, "code", "printed", "began" ...}.
"""

from __future__ import annotations

import zlib
from typing import Any

from ..apiserver import account_tokens, rbac
from ..apiserver.rest import users
from ..runtime import api_client
from ..runtime.process import Data, Process
from ..runtime.serving import stamp
from ..runtime.sockets import network
from ..runtime.system import Sys
from ..runtime.tools.net_client import Failed, connect
from .account import ABSENT, AccountApi
from .disk import Disk
from .run import run, split
from .terminal import Config, Terminal, Text

ALONE = ("completion", "config", "help", "kustomize", "options")  # need no server
SESSIONS = ("attach", "cp", "debug", "edit", "exec", "port-forward", "run")  # `run` only where it stays at the terminal
AGAIN = {"logs": 500, "rollout": 250, "wait": 250}  # commands that may be begun again, and after how many virtual ms
LOOK_MS = 200  # how often a delete looks whether the objects are gone
WORK_US = 45_000  # CPU time of a kubectl's start and its discovery, order of magnitude


def turn(proc: Process, sys: Sys) -> int:
    """One turn of the process (runtime/program.py)."""
    data = proc["data"]
    if not data:
        sys.charge(WORK_US)
        data.update(phase="ask", out=[], code=0, argv=proc["argv"][1:])
        words = split(data["argv"])[1]
        if not words or words[0] in ALONE or "--help" in words or "-h" in words or (words[0] == "version" and "--client" in words):
            data["phase"] = "run"
    while True:
        if data["phase"] == "ask":
            problem = _problem(proc, sys)
            api_client.done(proc, sys)
            if problem:
                data["out"], data["code"], data["phase"] = [[2, problem]], 1, "say"
            else:
                data["phase"] = "run"
        elif data["phase"] == "run":
            if "-" in data["argv"] and "stdin" not in data:
                data["piece"] = data.get("piece", "")
                while piece := sys.read(0):
                    data["piece"] += piece
                data["stdin"] = data.pop("piece")
            _run(proc, sys, data)
        elif data["phase"] == "say":
            while data["out"]:
                fd, text = data["out"][0]
                sys.write(fd, text)
                del data["out"][0]
            if data.get("busy"):
                data["until"], data["busy"] = sys.now + data["busy"], 0
            if sys.now < data.get("until", 0):
                sys.sleep(data["until"] - sys.now)
            data["phase"] = data.get("next", "end")
        elif data["phase"] == "gone":
            engine = network(sys).cluster
            held = [one for one in data["deleted"] if (obj := engine.etcd.get(one[0], f"{one[1]}/{one[2]}" if one[1] else one[2])) is not None
                    and obj["metadata"]["uid"] == one[3]]
            if not held:
                return int(data["code"])
            sys.sleep(LOOK_MS)
        elif data["phase"] == "again":
            data.setdefault("due", sys.now + AGAIN[data["command"]])
            if sys.now < data["due"]:
                sys.sleep(data["due"] - sys.now)
            del data["due"]
            _run(proc, sys, data)
        else:
            return int(data["code"])


# ---- the server


def _problem(proc: Process, sys: Sys) -> str:
    """Asks the server for its kinds as every kubectl does first, and gives the words for why it cannot be had. Raises Blocked."""
    found = api_client.configured(sys)
    host, port = found or ("localhost", 8080)
    try:
        if found is None:
            connect(proc, sys, "127.0.0.1", port)
            return ABSENT.format("a server without TLS")
        message = api_client.ask(proc, sys, host, port, "/api?timeout=32s", "kubectl/v1.36.2 (linux/amd64)")
    except Failed as failed:
        text = api_client.words(failed, host if found else "127.0.0.1", port)
        if failed.errno != "ECONNREFUSED":
            return f"Unable to connect to the server: {text}\n"
        url = f"{'https' if found else 'http'}://{host}:{port}/api?timeout=32s"
        line = (f'E{stamp(sys.now, "%m%d %H:%M:%S.000000")} {proc["pid"]:>7} memcache.go:265] "Unhandled Error" err="couldn\'t get current '
                f'server API group list: Get \\"{url}\\": {text}"\n')
        return line * 5 + f"The connection to the server {host}:{port} was refused - did you specify the right host or port?\n"
    return "error: You must be logged in to the server (Unauthorized)\n" if message.status == 401 else ""


def user_of(sys: Sys) -> rbac.User:
    """Whom the account's token names, which the server has just taken."""
    try:
        return users.of_info(account_tokens.user_info(account_tokens.check(network(sys).cluster, api_client.kept(sys, "token"))))
    except account_tokens.BadToken:
        return users.NOBODY


# ---- the command


def _run(proc: Process, sys: Sys, data: Data) -> None:
    """Lets the command do all that it can now; sets what is to be said and what comes next."""
    engine, said = network(sys).cluster, []
    api = AccountApi(engine, user_of(sys))
    word = data["command"] = next(iter(split(data["argv"])[1]), "")
    api.deleting = word == "delete"
    again = data["phase"] == "again"
    if again:
        api.still = data["began"]
    argv = [*data["argv"], "--wait=false"] if word == "delete" and "-h" not in data["argv"] else data["argv"]
    if word in SESSIONS and (word != "run" or {"-i", "-it", "-ti", "--rm", "--attach", "--stdin"} & set(argv)):
        data.update(out=[[2, ABSENT.format(f"kubectl {word}")]], code=1, phase="say", next="end")
        return
    terminal = Terminal(api, lambda stream, text: said.append([stream, text]), Config(api_client.kept(sys, "namespace") or "default"),
                        Disk(sys, proc["cwd"]), Text(data["stdin"]) if "stdin" in data else None, save=sys.write_file,
                        line=" ".join(["kubectl", *data["argv"]]))
    running, busy, waits = run(argv, terminal), 0, 0
    following = "end"
    try:
        while True:
            wait = next(running)
            if wait.busy:
                busy += wait.ms or 0
                continue
            waits, api.still = waits + 1, None
            if waits == 1 and again:
                continue  # it was given the time when it began; now it learns the present one, and whether it is too late
            if word not in AGAIN:
                said.append([2, ABSENT.format("a command that watches")])
                data["code"] = 1
            else:
                following = "again"
            running.close()
            break
    except StopIteration as stop:
        data["code"] = stop.value or 0
    data.setdefault("began", engine.now)
    if word in AGAIN:
        said = _new(data, said)
    if word == "delete" and api.deleted and not {"--wait=false", "--now"} & set(data["argv"]):
        following, data["deleted"] = "gone", api.deleted
    data.update(out=said, busy=busy, phase="say", next=following)


def _new(data: Data, said: list[list[Any]]) -> list[list[Any]]:
    """What of a command's output was not said by the runs before: the rest, or all of it where it does not begin as before."""
    text = "".join(text for stream, text in said if stream == 1)
    length, sum_before = data.get("printed", [0, 0])
    new = text[length:] if zlib.crc32(text[:length].encode("utf-8", "replace")) == sum_before else text
    data["printed"] = [len(text), zlib.crc32(text.encode("utf-8", "replace"))]
    return [[1, new]] * bool(new) + [one for one in said if one[0] != 1]
