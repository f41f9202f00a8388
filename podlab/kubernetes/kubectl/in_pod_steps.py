"""What follows the first step of a kubectl in a container: `run -it` and `debug` attach to what they have made, `edit` waits for its
editor, `port-forward` serves its ports. All that lasts is in `proc["data"]`.

    data["made"]      {"name", "namespace", "uid", "container", "began"}: what run or debug has made and stays with
    data["editor"]    {"pid", "path", "words", "program"}: the editor that runs
    data["forwards"]  {local port: {"node", "uid", "namespace", "pod", "port"}}, and data["lines"] {descriptor: {"node", "session", "seen", ...}}
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..apiserver.errors import ApiError
from ..kubelet import forwards
from ..objects import dig
from ..runtime import sockets
from ..runtime.process import Data, Errno, Process
from ..runtime.sockets import network
from ..runtime.system import Sys
from ..times import stamp
from .editing import editor_of
from .in_pod_api import Holder, Made, user_of
from .terminal import Wait
from .verbs import report

if TYPE_CHECKING:
    from ..ground import Ground

LOOK_MS = 100  # how often it is looked whether something has come about
PATIENCE_MS = 60_000  # --pod-running-timeout
LINE_MS = 10, 400  # how often a forwarded connection is looked at for an answer: at first, and when none has come for long
NEVER = "error: unable to listen on any of the requested ports: [{{{} {}}}]\n"


def say(data: Data, text: str, code: int) -> None:
    """The command ends with these words."""
    data.update(out=[[2, text]] if text else [], code=code, phase="say", next="end")
    data.pop("made", None)


def become(data: Data, *argv: str) -> None:
    """Goes on as another command."""
    for name in ("printed", "began"):
        data.pop(name, None)
    data.update(argv=list(argv), phase="run")


# ---- run -it, debug


def made(data: Data, found: Made, now: int) -> None:
    metadata = found.obj["metadata"]
    data["made"] = {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"], "container": found.container, "began": now}


def start(sys: Sys, data: Data) -> None:
    """Waits until the container runs or is over; then it is attached to, or its log is shown. Raises Blocked."""
    held, api = data["made"], Holder(network(sys).cluster, user_of(sys))
    while True:
        try:
            pod = api.client.find("pods", held["name"], held["namespace"])
        except ApiError as error:
            return say(data, report(error), 1)
        if pod is None:
            return say(data, f'Error from server (NotFound): pods "{held["name"]}" not found\n', 1)
        states = [status.get("state") or {} for member in ("containerStatuses", "ephemeralContainerStatuses")
                  for status in dig(pod, "status." + member, ()) if status["name"] == held["container"]]
        where = [held["name"], "-n", held["namespace"], "-c", held["container"]]
        if any("terminated" in state for state in states) or dig(pod, "status.phase") in ("Succeeded", "Failed"):
            return become(data, "logs", *where)
        if any("running" in state for state in states):
            return become(data, "attach", *where, *data["ways"])
        if sys.now - held["began"] >= PATIENCE_MS:
            return say(data, "error: timed out waiting for the condition\n", 1)
        sys.sleep(LOOK_MS)


def after(sys: Sys, data: Data) -> None:
    """The session is over. A `run` whose Pod is not started again waits for the Pod's end; --rm takes it away. Raises Blocked."""
    held = data["made"]
    if not data["runs"] or data["code"]:
        return say(data, "", int(data["code"]))
    pod: Any = network(sys).cluster.etcd.get("pods", f"{held['namespace']}/{held['name']}")
    failed = ""
    if pod is not None and pod["metadata"]["uid"] == held["uid"] and pod["spec"].get("restartPolicy") != "Always":
        phase = dig(pod, "status.phase")
        if phase not in ("Succeeded", "Failed"):
            sys.sleep(LOOK_MS)
        ended = dig(pod, "status.containerStatuses.0.state.terminated", {})
        if phase == "Failed" and ended.get("exitCode"):
            failed = f"pod {held['namespace']}/{held['name']} terminated ({ended.get('reason', 'Error')})\n"
            held["code"] = ended["exitCode"]
    if data["removes"]:
        data["removes"] = False
        data.update(failed=failed, mute="-q" in data["ways"])
        return become(data, "delete", "pod", held["name"], "-n", held["namespace"])
    return say(data, failed or data.pop("failed", ""), int(held.get("code", 0)))


# ---- edit


class Editing:
    """The editor of an `edit` that is begun again: texts that were edited are given, the next one is left to a program."""

    def __init__(self, sys: Sys, data: Data) -> None:
        self.sys, self.data, self.given = sys, data, 0

    def edit(self, path: str, text: str) -> Generator[Wait, None, str]:
        """As Terminal.edit: a generator that gives the edited text, and waits once where an editor has to be started."""
        self.given += 1
        if self.given <= len(self.data["edited"]):
            return str(self.data["edited"][self.given - 1])
        words, program = editor_of(self.sys.proc["env"])
        self.data["editor"] = {"path": path, "words": words, "program": program, "text": text}
        yield Wait()
        return ""

    def remove(self, path: str) -> None:
        """As Terminal.remove; what an earlier beginning has removed is gone."""
        with suppress(Errno):
            self.sys.unlink(path)


def editor(sys: Sys, data: Data) -> None:
    """Starts the editor, waits for its end and takes the text that it leaves. Raises Blocked."""
    held = data["editor"]
    if "pid" not in held:
        try:
            if held["program"] is not None:
                sys.which(held["program"])
            sys.write_file(held["path"], held.pop("text"))
            held["pid"] = sys.spawn(["sh", "-c", f'{held["words"]} "$1"', "sh", held["path"]])
        except Errno:
            return say(data, f'error: unable to launch the editor "{held["words"]}"\n', 1)
    ended = sys.wait(held["pid"])
    if ended is not None and ended[1]:
        return say(data, f'error: there was a problem with the editor "{held["words"]}"\n', 1)
    data["edited"].append(sys.read_file(held["path"]))
    del data["editor"]
    data["phase"] = "again"
    return None


# ---- port-forward


def lead(engine: Ground, data: Data, local: int, to: dict[str, Any] | None) -> None:
    """As Terminal.forward; that the command no longer looks after its ports itself means nothing."""
    if to is not None:
        pod: Any = engine.etcd.get("pods", f"{to['namespace']}/{to['pod']}")
        data["forwards"][str(local)] = {**to, "node": pod["spec"]["nodeName"]}


def listen(sys: Sys, data: Data) -> None:
    """Takes the local ports; where one of them is taken the command ends."""
    data["taken"] = {}
    for local, to in data["forwards"].items():
        try:
            data["taken"][local] = sockets.listen(sys, int(local), "127.0.0.1")
        except Errno as error:
            why = f"listen tcp4 127.0.0.1:{local}: bind: {error.text.lower()}"
            return say(data, f"Unable to listen on port {local}: Listeners failed to create with the following errors: [unable to create "
                             f"listener: Error {why}]\n" + NEVER.format(local, to["port"]), 1)
    return None


def forward(proc: Process, sys: Sys, data: Data) -> None:
    """Serves the ports until the Pod is gone. Raises Blocked."""
    engine, lines = network(sys).cluster, data.setdefault("lines", {})
    while True:
        sys.breathe()
        for local, fd in data["taken"].items():
            while sys.readable(fd):
                _accept(proc, sys, data, local, sockets.accept(sys, fd))
        to = next(iter(data["forwards"].values()))
        pod = engine.etcd.get("pods", f"{to['namespace']}/{to['pod']}")
        if pod is None or pod["metadata"]["uid"] != to["uid"]:
            stop(sys, data)
            return say(data, "error: lost connection to pod\n", 1)
        moved = False
        for key, line in list(lines.items()):
            moved = _carry(proc, sys, int(key), line) or moved
            if line.get("over"):
                engine.session(node=line["node"], act="close", session=line["session"])
                sys.close(int(key))
                del lines[key]
        if moved:
            data["pause"] = 0
            continue
        data["pause"] = min(max(data.get("pause", 0) * 2, LINE_MS[0]), LINE_MS[1])
        reading = [int(key) for key, line in lines.items() if line.get("open") and not line.get("ended")]
        sys.poll((*data["taken"].values(), *reading), data["pause"] if lines else 1000)
        data["pause"] = 0


def _accept(proc: Process, sys: Sys, data: Data, local: str, fd: int) -> None:
    to, engine = data["forwards"][local], network(sys).cluster
    sys.out(f"Handling connection for {local}\n")
    try:
        Holder(engine, user_of(sys)).judge("create", "pods", to["namespace"], to["pod"], "portforward")
        session = engine.session(node=to["node"], act="dial", pod=to["uid"], port=to["port"])
    except ApiError as error:
        _complain(proc, sys, local, to["port"], f"error upgrading connection: {error.message}")
        sys.close(fd)
        return
    data["lines"][str(fd)] = {"node": to["node"], "session": session, "seen": 0, "local": local, "port": to["port"]}


def _carry(proc: Process, sys: Sys, fd: int, line: Data) -> bool:
    """Whether anything went either way on one connection."""
    engine, moved = network(sys).cluster, False
    text, state = forwards.read(engine.kubelet(line["node"]), line["session"], line["seen"])
    if state == "connecting":
        return False
    line["open"] = True
    while not line.get("ended") and sys.readable(fd):
        typed = sys.read(fd)
        word = {"act": "send", "data": typed, "seen": line["seen"]} if typed else {"act": "end"}
        line["ended"], moved = not typed, True
        engine.session(node=line["node"], session=line["session"], **word)
    text, state = forwards.read(engine.kubelet(line["node"]), line["session"], line["seen"])
    if text:
        try:
            sys.write(fd, text)
        except Errno:
            line["over"] = True
        line["seen"] += len(text)
        return True
    if state == "ECONNREFUSED":
        _complain(proc, sys, line["local"], line["port"], f"error forwarding port {line['port']}: failed to connect to localhost:{line['port']} "
                  f"inside namespace, IPv4: dial tcp4 127.0.0.1:{line['port']}: connect: connection refused")
    line["over"] = line.get("over", False) or state != "open"
    return moved


def _complain(proc: Process, sys: Sys, local: str, port: int, why: str) -> None:
    sys.err(f'E{stamp(sys.now, "%m%d %H:%M:%S.000000")} {proc["pid"]:>7} portforward.go:424] "Unhandled Error" err="an error occurred forwarding '
            f'{local} -> {port}: {why}"\n')


def stop(sys: Sys, data: Data) -> None:
    """Lets go of what the process holds in other places: it is about to end."""
    engine = network(sys).cluster
    held = [(data["held"]["node"], data["held"]["id"])] if "held" in data else []
    held += [(line["node"], line["session"]) for line in data.get("lines", {}).values()]
    if (one := (data.get("steps") or {}).get("open")) is not None:
        held.append((one["node"], one["id"]))
    for node, session in held:
        engine.session(node=node, act="close", session=session)
