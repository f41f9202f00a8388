"""kubectl in a container: the commands of this package, with the in-cluster configuration of client-go (rest/config.go).

A process is data, so a command that waits is not kept: it is begun again when something may have changed, and says only what is new.
What changes the cluster is done once: `delete` waits for what it deleted by itself. `get --watch` prints what there is and then reads
a watch of the API server; `exec` and `attach` leave a session that the process keeps. What `run -it`, `debug`, `edit` and `port-forward` do after
their first step is in in_pod_steps.py.
`proc["data"]`: {"phase": ask | run | say | gone | again | hold | watch | start | editor | forward, "out": [[descriptor, text]] yet to be
written, "code", "printed", "began" ...}.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import Any

from ..etcd import Change
from ..kubelet import sessions
from ..objects import freeze
from ..resources import BY_PLURAL
from ..runtime import api_client, http
from ..runtime.process import Data, Errno, Process
from ..runtime.sockets import network
from ..runtime.system import Sys
from ..runtime.tools.net_client import Failed, connect
from ..times import stamp
from . import in_pod_steps
from .account import ABSENT
from .disk import Disk
from .in_pod_api import Held, Holder, Made, user_of
from .run import run, split
from .terminal import Config, KubectlError, Terminal, Text

ALONE = ("completion", "config", "help", "kuberc", "kustomize", "options")  # need no server
SHORT = re.compile(r"-[itq]+$")
AGENT = "kubectl/v1.36.2 (linux/amd64)"
HOLDING = ("attach", "exec")
AGAIN = {"logs": 500, "rollout": 250, "wait": 250, "cp": 50, "edit": 0, "port-forward": 250}  # what may be begun again, and after how many virtual ms
LOOK_MS = 200  # how often a delete looks whether the objects are gone
HELD_MS = 50, 800  # how often a session is looked at for output: at first, and when none has come for long
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
            _say(sys, data)
        elif data["phase"] == "gone":
            if any(_is_there(sys, one) for one in data["deleted"]):
                sys.sleep(LOOK_MS)
            data["phase"] = "end"
        elif data["phase"] == "again":
            data.setdefault("due", sys.now + AGAIN[data["command"]])
            if sys.now < data["due"]:
                sys.sleep(data["due"] - sys.now)
            del data["due"]
            _run(proc, sys, data)
        elif data["phase"] == "hold":
            _hold(sys, data)
        elif data["phase"] == "watch":
            data["out"], data["code"], data["phase"] = _watch(proc, sys, data), 0, "say"
        elif data["phase"] == "start":
            in_pod_steps.start(sys, data)
        elif data["phase"] == "editor":
            in_pod_steps.editor(sys, data)
        elif data["phase"] == "forward":
            in_pod_steps.forward(proc, sys, data)
        elif "made" in data:
            in_pod_steps.after(sys, data)
        else:
            return int(data["code"])


def _say(sys: Sys, data: Data) -> None:
    """Writes what the command has said, takes the time for which it was busy, and goes on to what comes next."""
    while data["out"]:
        fd, text = data["out"][0]
        sys.write(fd, text)
        del data["out"][0]
    if data.get("busy"):
        data["until"], data["busy"] = sys.now + data["busy"], 0
    if sys.now < data.get("until", 0):
        sys.sleep(data["until"] - sys.now)
    data["phase"] = data.get("next", "end")


def _is_there(sys: Sys, deleted: list[Any]) -> bool:
    """Is an object still there, and no other of its name? `deleted`: plural, namespace, name, uid."""
    plural, namespace, name, uid = deleted
    obj = network(sys).cluster.etcd.get(plural, f"{namespace}/{name}" if namespace else name)
    return obj is not None and obj["metadata"]["uid"] == uid


# ---- a session in a container, a watch


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def stopped(proc: Process, sys: Sys) -> None:
    """The process is about to end by a signal: it lets go of what it holds."""
    in_pod_steps.stop(sys, proc["data"])


def _hold(sys: Sys, data: Data) -> None:
    """What is typed goes in, what is written comes out. Raises Blocked until the session has ended."""
    held, engine = data["held"], network(sys).cluster
    while True:
        chunks, code = sessions.read(engine.kubelet(held["node"]), held["id"], held["seen"])
        for stream, text in chunks:
            same = _common(text, held["echo"]) if stream == "stdout" else 0  # the own terminal has shown what was typed
            sys.write(1 if stream == "stdout" else 2, text[same:])
            held.update(seen=held["seen"] + 1, echo=held["echo"][same:] if same == len(text) else "")
        if code is not None:
            engine.session(node=held["node"], act="close", session=held["id"])
            ended = 0 if held["attach"] else code
            data.update(out=[[2, f"command terminated with exit code {code}\n"]] if ended else [], code=ended, phase="say", next="end")
            return
        while held["stdin"] and sys.readable(0):
            typed = sys.read(0)
            held["stdin"], held["echo"] = bool(typed), typed if held["tty"] else ""
            word = {"act": "write", "data": typed} if typed else {"act": "eof"}
            engine.session(node=held["node"], session=held["id"], **word)
            held["pause"] = 0
        if not chunks:
            held["pause"] = min(max(held.get("pause", 0) * 2, HELD_MS[0]), HELD_MS[1])
            sys.poll((0,) if held["stdin"] else (), held["pause"])
        held["pause"] = 0


def _watch(proc: Process, sys: Sys, data: Data) -> list[list[Any]]:
    """Prints a row for each event until the server ends the watch; what is to be said then. Raises Blocked meanwhile."""
    watch, engine = data["watch"], network(sys).cluster
    plural, namespace, name = watch["looked"]
    resource = BY_PLURAL.get(plural) or engine.server.customs.find(plural)
    if resource is None:
        return []
    place = f"/namespaces/{namespace}" if namespace and resource.namespaced else ""
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    only = f"&fieldSelector=metadata.name%3D{name}" if name else ""
    path = f"{base}{place}/{resource.name}?watch=true&resourceVersion={watch['revision']}{only}"

    def tell(coming: http.Message) -> bool:
        *lines, rest = (watch["rest"] + coming.body).split("\n")
        events = [json.loads(line) for line in lines]
        news = [Change(int(event["object"]["metadata"]["resourceVersion"]), sys.now, event["type"], plural, "", obj,
                       None if event["type"] == "ADDED" else obj, 0)
                for event in events if event["type"] in ("ADDED", "MODIFIED", "DELETED") and (obj := freeze(event["object"])) is not None]
        said: list[list[Any]] = []
        terminal = Terminal(Holder(engine, user_of(sys), news), lambda stream, text: said.append([stream, text]),
                            Config(api_client.kept(sys, "namespace") or "default"))
        running = run([*data["argv"], "--watch-only", *(["--no-headers"] if watch["headed"] else [])], terminal)
        for _ in range(2):  # what it prints of the news stands between its first wait and its second
            next(running, None)
        running.close()
        text = "".join(text for stream, text in said if stream == 1)
        sys.write(1, text)
        watch.update(rest=rest, headed=watch["headed"] or bool(text))
        return True
    host, port = api_client.configured(sys) or ("", 0)
    try:
        message = api_client.ask(proc, sys, host, port, path, AGENT, tell)
    except Failed as failed:
        return [[2, f"Unable to connect to the server: {api_client.words(failed, host, port)}\n"]]
    finally_said: list[list[Any]] = []
    if message.status >= 400:
        status = json.loads(message.body)
        finally_said.append([2, f"Error from server ({status.get('reason', 'Unknown')}): {status.get('message', '')}\n"])
    api_client.done(proc, sys)
    return finally_said


# ---- the server


def _problem(proc: Process, sys: Sys) -> str:
    """Asks the server for its kinds as every kubectl does first, and gives the words for why it cannot be had. Raises Blocked."""
    found = api_client.configured(sys)
    host, port = found or ("localhost", 8080)
    try:
        if found is None:
            connect(proc, sys, "127.0.0.1", port)
            return ABSENT.format("a server without TLS")
        message = api_client.ask(proc, sys, host, port, "/api?timeout=32s", AGENT)
    except Failed as failed:
        text = api_client.words(failed, host if found else "127.0.0.1", port)
        if failed.errno != "ECONNREFUSED":
            return f"Unable to connect to the server: {text}\n"
        url = f"{'https' if found else 'http'}://{host}:{port}/api?timeout=32s"
        line = (f'E{stamp(sys.now, "%m%d %H:%M:%S.000000")} {proc["pid"]:>7} memcache.go:265] "Unhandled Error" err="couldn\'t get current '
                f'server API group list: Get \\"{url}\\": {text}"\n')
        return line * 5 + f"The connection to the server {host}:{port} was refused - did you specify the right host or port?\n"
    return "error: You must be logged in to the server (Unauthorized)\n" if message.status == 401 else ""


# ---- the command


def _run(proc: Process, sys: Sys, data: Data) -> None:
    """Lets the command do all that it can now; sets what is to be said and what comes next."""
    engine, said = network(sys).cluster, []
    api = Holder(engine, user_of(sys))
    word = data["command"] = _command(split(data["argv"])[1])
    api.deleting = word == "delete"
    again = data["phase"] == "again"
    if again:
        api.still = data["began"]
    argv = [*data["argv"], "--wait=false"] if word == "delete" and "-h" not in data["argv"] else data["argv"]
    if word == "cp":
        api.keep(data.setdefault("steps", {"done": [], "open": None}))
    elif word == "edit":
        api.keep(data.setdefault("steps", {"reads": []}))
        data.setdefault("edited", [])
    elif word in ("run", "debug"):
        api.attaches = _stays(data, word)
    data["forwards"] = {}
    editing = in_pod_steps.Editing(sys, data)
    terminal = Terminal(api, lambda stream, text: said.append([stream, text]), Config(api_client.kept(sys, "namespace") or "default"),
                        Disk(sys, proc["cwd"]), Text(data["stdin"]) if "stdin" in data else None, save=_saver(sys, proc["cwd"]),
                        tty=word in HOLDING and sys.is_tty(0), edit=editing.edit, remove=editing.remove,
                        forward=lambda local, to: in_pod_steps.lead(engine, data, local, to), line=" ".join(["kubectl", *data["argv"]]))
    running, busy, waits = run(argv, terminal), 0, 0
    following = "end"
    try:
        while True:
            wait = next(running)
            if wait.busy:
                busy += wait.ms or 0
                continue
            waits, api.still = waits + 1, None
            if waits == 1 and again and "editor" not in data:
                continue  # it was given the time when it began; now it learns the present one, and whether it is too late
            following = _awaited(data, word)
            if following == "watch":
                data["watch"] = {"looked": list(api.looked), "revision": engine.etcd.revision, "rest": "",
                                 "headed": "--no-headers" in argv or any(stream == 1 for stream, _ in said)}
            elif following == "end":
                said.append([2, ABSENT.format("a command that watches")])
                data["code"] = 1
            running.close()
            break
    except StopIteration as stop:
        data["code"] = stop.value or 0
    except Held as held:
        following, data["held"] = "hold", held.session
    except Made as made:
        following = "start"
        in_pod_steps.made(data, made, engine.now)
    data.setdefault("began", engine.now)
    if word in AGAIN:
        said = _new(data, said)
    if data.pop("mute", False):
        said = [one for one in said if one[0] != 1]
    if word == "delete" and api.deleted and not {"--wait=false", "--now"} & set(data["argv"]):
        following, data["deleted"] = "gone", api.deleted
    data.update(out=said, busy=busy, phase="say", next=following)
    if following == "forward":
        in_pod_steps.listen(sys, data)


def _command(words: list[str]) -> str:
    """What a command line counts as: its first word, `edit` for whatever opens an editor."""
    if words[:2] == ["apply", "edit-last-applied"] or (words[:1] == ["create"] and "--edit" in words):
        return "edit"
    return next(iter(words), "")


def _awaited(data: Data, word: str) -> str:
    """The phase of a command that waits; "end" for one that cannot here."""
    if word == "get":
        return "watch"
    if "editor" in data:
        return "editor"
    if data["forwards"]:
        return "forward"
    return "again" if word in AGAIN else "end"


def _new(data: Data, said: list[list[Any]]) -> list[list[Any]]:
    """What of a command's output was not said by the runs before: of each stream the rest, or all of it where it does not begin as before."""
    printed, skip = data.setdefault("printed", {}), {}
    for stream in (1, 2):
        text = "".join(text for one, text in said if one == stream)
        length, sum_before = printed.get(str(stream), [0, 0])
        skip[stream] = length if zlib.crc32(text[:length].encode("utf-8", "replace")) == sum_before else 0
        printed[str(stream)] = [len(text), zlib.crc32(text.encode("utf-8", "replace"))]
    new = []
    for stream, text in said:
        new.append([stream, text[skip[stream]:]])
        skip[stream] = max(0, skip[stream] - len(text))
    return [one for one in new if one[1]]


def _saver(sys: Sys, cwd: str) -> Callable[[str, str], None]:
    disk = Disk(sys, cwd)

    def save(path: str, text: str) -> None:
        try:
            disk.write(path, text)
        except Errno as error:
            raise KubectlError(f"error: open {path}: {error.text.lower()}\n") from None
    return save


def _stays(data: Data, word: str) -> bool:
    """Whether `run` or `debug` stays with what it makes; how it is attached to then, and what follows."""
    words = data["argv"][: data["argv"].index("--")] if "--" in data["argv"] else data["argv"]
    short = {letter for one in words if SHORT.match(one) for letter in one[1:]}
    on = {name for name in ("stdin", "tty", "quiet", "rm", "attach", "expose") if f"--{name}" in words or f"--{name}=true" in words}
    ways = [f"-{letter}" for letter, name in (("i", "stdin"), ("t", "tty"), ("q", "quiet")) if letter in short or name in on]
    data.update(ways=ways, runs=word == "run", removes="rm" in on)
    return ("-i" in ways or "attach" in on) and "--attach=false" not in words and "expose" not in on
