"""A person's hold on a container: exec and attach, as acts that a journal can keep.

    {"act": "open", "pod": uid, "container": name, "command": [...], "stdin": bool, "tty": bool, "attach": bool} -> session id
    {"act": "write", "session": id, "data": text}    {"act": "eof", "session": id}
    {"act": "resize", "session": id, "rows": n, "cols": n}    {"act": "close", "session": id}

`read(kubelet, id, offset)` and `unread(kubelet, id)` are no acts: they change nothing. Output stays until the session is closed.
port-forward: forwards.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver.errors import ApiError
from ..runtime.container_status import ExecError
from . import forwards, report

if TYPE_CHECKING:
    from .agent import Agent


def act(kubelet: Agent, order: dict[str, Any]) -> Any:
    """Do one act. Raises ApiError where a container cannot be held."""
    kind = order["act"]
    if kind == "open":
        return _open(kubelet, order)
    if kind in forwards.ACTS:
        return forwards.act(kubelet, order)
    session = kubelet.state["sessions"].get(order["session"])
    if session is not None and "line" in session:
        return forwards.act(kubelet, order)
    if session is None or kubelet.state["power"] == "off":
        return None
    machine, exec_id = kubelet.machine, session["exec"]
    if kind == "write":
        machine.write_stdin(exec_id, order["data"])
    elif kind == "eof":
        machine.close_stdin(exec_id)
    elif kind == "resize":
        machine.resize(exec_id, int(order["rows"]), int(order["cols"]))
    elif kind == "close":
        kubelet.state["sessions"].pop(order["session"])
        machine.forget_exec(exec_id)
    return None


def _open(kubelet: Agent, order: dict[str, Any]) -> str:
    report.reachable(kubelet)
    worker, name = report.held(kubelet, order["pod"]), order["container"]
    run = report.running(kubelet, worker, name)
    session = f"{kubelet.node}/{kubelet.cluster.clock.now}/{len(kubelet.state['sessions'])}/{kubelet.machine.number()}"
    held: dict[str, Any] = {"exec": "", "chunks": [], "code": None}
    kubelet.state["sessions"][session] = held
    try:
        if order.get("attach"):
            held["exec"] = kubelet.machine.attach(run["id"], payload=session)
        else:
            held["exec"] = kubelet.machine.exec(
                run["id"], list(order["command"]), stdin=bool(order.get("stdin")), tty=bool(order.get("tty")), payload=session
            )
    except ExecError as error:
        del kubelet.state["sessions"][session]
        raise ApiError(500, "InternalError", f"Internal error occurred: error executing command in container: {error}") from error
    _collect(kubelet, held)
    return session


def _of(kubelet: Agent, exec_id: str) -> dict[str, Any] | None:
    return next((held for held in kubelet.state["sessions"].values() if held["exec"] == exec_id), None)


def _collect(kubelet: Agent, held: dict[str, Any]) -> None:
    out, err = kubelet.machine.read_exec(held["exec"])
    held["chunks"] += [[stream, text] for stream, text in (("stdout", out), ("stderr", err)) if text]
    code = kubelet.machine.exec_status(held["exec"])["exit_code"]
    if code is not None:
        held["code"] = code


def output(kubelet: Agent, exec_id: str) -> None:
    held = _of(kubelet, exec_id)
    if held is not None:
        _collect(kubelet, held)


def ended(kubelet: Agent, exec_id: str) -> None:
    output(kubelet, exec_id)


def read(kubelet: Agent, session: str, offset: int = 0) -> tuple[list[list[str]], int | None]:
    """([[stream, text], ...] from `offset` on, exit code or None while it runs). A session that is gone has code 137."""
    held = kubelet.state["sessions"].get(session)
    if held is None:
        return [], 137
    return held["chunks"][offset:], held["code"]


def unread(kubelet: Agent, session: str) -> int:
    """Characters of input that wait for the process of a session to read them."""
    held = kubelet.state["sessions"].get(session)
    return kubelet.machine.unread_stdin(held["exec"]) if held is not None else 0
