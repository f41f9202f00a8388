"""kubectl in a container: the commands of this package, with the in-cluster configuration of client-go (rest/config.go).

A process is data, so a command that waits is not kept: it is begun again when something may have changed, and says only what is new.
What changes the cluster is done once: `delete` waits for what it deleted by itself. `get --watch` prints what there is and then reads
a watch of the API server; `exec` and `attach` leave a session that the process keeps.
`proc["data"]`: {"phase": ask | run | say | gone | again | hold | watch, "out": [[descriptor, text]] yet to be written, "code", "printed",
"began" ...}.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..apiserver import account_tokens, rbac
from ..apiserver.request import Request
from ..apiserver.rest import users
from ..apiserver.rest.call import READING
from ..etcd import Change
from ..kubelet import sessions
from ..objects import freeze
from ..resources import BY_PLURAL
from ..runtime import api_client, http
from ..runtime.process import Data, Process
from ..runtime.sockets import network
from ..runtime.system import Sys
from ..runtime.tools.net_client import Failed, connect
from ..times import stamp
from .account import ABSENT, AccountApi, Store, View
from .disk import Disk
from .run import run, split
from .terminal import Config, Terminal, Text

if TYPE_CHECKING:
    from ..ground import Ground

ALONE = ("completion", "config", "help", "kustomize", "options")  # need no server
SESSIONS = ("cp", "debug", "edit", "port-forward", "run")  # `run` only where it stays at the terminal
AGENT = "kubectl/v1.36.2 (linux/amd64)"
HOLDING = ("attach", "exec")
AGAIN = {"logs": 500, "rollout": 250, "wait": 250}  # commands that may be begun again, and after how many virtual ms
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
        elif data["phase"] == "hold":
            _hold(proc, sys, data)
        elif data["phase"] == "watch":
            data["out"], data["code"], data["phase"] = _watch(proc, sys, data), 0, "say"
        else:
            return int(data["code"])


# ---- a session in a container, a watch


class Held(Exception):
    """A command has opened a session, which its process now keeps."""

    def __init__(self, session: dict[str, Any]) -> None:
        super().__init__(session["id"])
        self.session = session


class Holder(AccountApi):
    """The API of a command that may hold a container or watch. `looked`: the kind, namespace and name that were last read. `news`: what a
    watch has told, which is then the whole of the past and the present."""

    def __init__(self, engine: Ground, user: rbac.User, news: list[Change] | None = None) -> None:
        super().__init__(engine, user)
        self.looked, self.news = ("", "", ""), news
        if news is not None:
            view = View(self)
            view.etcd = News(self)
            self.cluster = view

    def perform(self, request: Request) -> Any:
        if request.verb in READING and self.news is not None:
            return freeze({"items": []})
        self.looked = request.resource, request.namespace or "", request.name or ""
        return super().perform(request)

    def session(self, **act: Any) -> Any:
        """Raises Held for a session that is open now; ApiError."""
        if act["act"] != "open":
            return self.engine.session(**act)
        pod = next(pod for pod in self.engine.etcd.pods_on(act["node"]) if pod["metadata"]["uid"] == act["pod"])
        self.judge("create", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], "attach" if act["attach"] else "exec")
        kept = {"node": act["node"], "stdin": act["stdin"], "tty": act["tty"], "attach": act["attach"], "seen": 0, "echo": ""}
        raise Held({"id": self.engine.session(**act), **kept})


class News(Store):
    """What a watch has told."""

    def __init__(self, api: Holder) -> None:
        super().__init__(api)
        self.news = api.news or []

    def since(self, revision: int) -> Iterator[Change]:
        return iter(self.news)


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def stopped(proc: Process, sys: Sys) -> None:
    """The process is about to end by a signal: it lets go of what it holds."""
    if held := proc["data"].get("held"):
        network(sys).cluster.session(node=held["node"], act="close", session=held["id"])


def _hold(proc: Process, sys: Sys, data: Data) -> None:
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
    api = Holder(engine, user_of(sys))
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
                        tty=word in HOLDING and sys.is_tty(0), line=" ".join(["kubectl", *data["argv"]]))
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
            if word == "get":
                following = "watch"
                data["watch"] = {"looked": list(api.looked), "revision": engine.etcd.revision, "rest": "",
                                 "headed": "--no-headers" in argv or any(stream == 1 for stream, _ in said)}
            elif word not in AGAIN:
                said.append([2, ABSENT.format("a command that watches")])
                data["code"] = 1
            else:
                following = "again"
            running.close()
            break
    except StopIteration as stop:
        data["code"] = stop.value or 0
    except Held as held:
        following, data["held"] = "hold", held.session
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
