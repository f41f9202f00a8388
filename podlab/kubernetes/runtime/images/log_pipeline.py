"""What log agents have in common: files are followed, lines become events, events gather in buffers, buffers are sent, failures tried again.

Fluentd, Fluent Bit and Vector are front ends: they read their own configuration, say what becomes of an event, how a request to a store
looks and what they write to their log (`Agent`). All they remember is plain data in `proc["data"]["pipeline"]`:

    tails   {source: {"paths", "exclude", "from_head", "every" (ms between looks for new files; 0: at once), "began", "scan" (due, or None),
                      "saved" (file with positions, ""), "files": {path: {"fd", "ino", "part"}}, "first", "missing"}}
    ticks   {source: {"every", "next", "left" (times, -1: for ever), "burst" (events at once)}}
    outs    {output: {"every" (ms from the first event to the flush), "staged": [event], "bytes", "due", "queue": [chunk], "flight",
                      "limit" (bytes held at most), "most" (events held at most, 0: any)}}
    stopping  None, or when the agent was asked to end; `grace`: ms that it then goes on trying

An event is [ms, tag, record]. A chunk is {"id", "events", "tries", "at" (not before), "made", "peer" (address it was last sent to)}.
Nothing here runs on a timer of its own: an agent wakes when a file system that it watches changes, when a buffer is due, when an
answer comes. An idle one costs nothing.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from .. import http, sockets
from ..process import Data, Errno, Process
from ..serving import Feed, Waits, serve
from ..system import Sys
from .log_tail import follow, watched

Event = list[Any]
EVENT_BYTES = 80  # what an event's time and tag add to its record in a buffer
TICK_MS, BURST_MAX = 500, 50
TIMEOUT_MS = 5_000


class Agent(Protocol):
    """A front end. All methods may write to the agent's log."""

    serial: bool
    """One chunk after another, a failure holds all (Fluentd, Vector), or each chunk by itself (Fluent Bit)."""

    def lines(self, proc: Process, sys: Sys, source: str, path: str, lines: list[str]) -> None:
        """Whole lines (without their end) of a followed file."""

    def tick(self, proc: Process, sys: Sys, source: str) -> None:
        """A source that makes events by itself is due."""

    def request(self, proc: Process, sys: Sys, out: str, chunk: Data) -> Data | None:
        """What to send (see `launch`), or None: delivered on the spot."""

    def settled(self, proc: Process, sys: Sys, out: str, chunk: Data, status: int, body: str, error: str) -> int | None:
        """How a request ended: None: done, or given up; else try again after so many ms. `error`: an errno's name, ENOTFOUND, "timeout"."""

    def noticed(self, proc: Process, sys: Sys, source: str, what: str, path: str) -> None:
        """`what`: found, rotated, truncated, denied, full, room."""

    def ended(self, proc: Process, sys: Sys) -> int:
        """The last words; gives the exit code."""


def new_pipeline(grace_ms: int) -> Data:
    return {"tails": {}, "ticks": {}, "outs": {}, "stopping": None, "grace": grace_ms, "full": False, "chunks": 0}


def add_tail(
    pipeline: Data, source: str, paths: list[str], now: int, *, exclude: list[str], from_head: bool, late_from_head: bool, every: int, saved: str
) -> None:
    pipeline["tails"][source] = {
        "paths": paths,
        "exclude": exclude,
        "from_head": from_head,
        "late_from_head": late_from_head,
        "every": every,
        "began": now,
        "scan": None,
        "saved": saved,
        "files": {},
        "first": True,
        "denied": [],
    }


def add_tick(pipeline: Data, source: str, every: float, now: int, times: int = -1) -> None:
    """A source of its own events: one every so many ms, `times` in all (-1: for ever). Those of TICK_MS come together, at most BURST_MAX."""
    burst = min(BURST_MAX, max(1, round(TICK_MS / max(every, 1)))) if every < TICK_MS else 1
    every = max(round(every), TICK_MS)
    pipeline["ticks"][source] = {"every": every, "next": now + every, "left": times, "burst": burst}


def add_out(pipeline: Data, out: str, every: int, *, limit: int, most: int = 0) -> None:
    pipeline["outs"][out] = {"every": every, "staged": [], "bytes": 0, "due": None, "queue": [], "flight": None, "limit": limit, "most": most}


def emit(proc: Process, sys: Sys, out: str, event: Event) -> None:
    """Puts an event into an output's buffer."""
    held = proc["data"]["pipeline"]["outs"][out]
    held["staged"].append(event)
    held["bytes"] += size(event)
    if held["due"] is None:
        held["due"] = sys.now + held["every"]


def size(event: Event) -> int:
    return EVENT_BYTES + len(json.dumps(event[2], ensure_ascii=False))


def pending(pipeline: Data) -> int:
    """Chunks and staged buffers that have not been delivered."""
    return sum(len(held["queue"]) + bool(held["staged"]) for held in pipeline["outs"].values())


def run(proc: Process, sys: Sys, agent: Agent, feed: Feed) -> int:
    """Serves what the agent listens on, and runs its pipeline, for ever."""
    data = proc["data"]
    data.setdefault("listening", {})
    data.setdefault("connections", {})
    return serve(proc, sys, feed, lambda proc, sys: turn(proc, sys, agent))


def stop(proc: Process, sys: Sys) -> None:
    """From a signal function: no more is read, what is held is sent, then the agent ends."""
    pipeline = proc["data"].get("pipeline")
    if pipeline is None:
        sys.exit(0)
    elif pipeline["stopping"] is None:
        pipeline["stopping"] = sys.now
        sys.interrupt()


def turn(proc: Process, sys: Sys, agent: Agent) -> Waits:
    """Everything that can be done now, and what to wait for."""
    pipeline = proc["data"]["pipeline"]
    while True:
        times: list[int] = []
        fds: list[int] = []
        objs: list[str] = []
        if pipeline["stopping"] is None:
            _ticks(proc, sys, agent, times)
            if not _full(proc, sys, agent):
                for source in pipeline["tails"]:
                    follow(proc, sys, agent, source, times)
        for out in pipeline["outs"]:
            _deliver(proc, sys, agent, out, times, fds, objs)
        if not pipeline["full"] or not _room(pipeline):
            break
    if pipeline["stopping"] is not None:
        end = pipeline["stopping"] + pipeline["grace"]
        if not pending(pipeline) or sys.now >= end:
            sys.exit(agent.ended(proc, sys))
        times.append(end)
    changes: tuple[str, ...] = ()
    if pipeline["stopping"] is None and not pipeline["full"]:
        changes = tuple(dict.fromkeys(watched(sys, path) for tail in pipeline["tails"].values() for path in tail["paths"]))
    return Waits(tuple(fds), tuple(objs), max(0, min(times) - sys.now) if times else None, changes)


def _ticks(proc: Process, sys: Sys, agent: Agent, times: list[int]) -> None:
    ticks = proc["data"]["pipeline"]["ticks"]
    for source, tick in ticks.items():
        while tick["left"] and tick["next"] <= sys.now:
            tick["next"] += tick["every"]
            for _ in range(tick["burst"] if tick["left"] < 0 else min(tick["burst"], tick["left"])):
                tick["left"] -= tick["left"] > 0
                agent.tick(proc, sys, source)
        if tick["left"]:
            times.append(tick["next"])


def _full(proc: Process, sys: Sys, agent: Agent) -> bool:
    """Whether a buffer has no room: then the files wait, so nothing is lost while they are there."""
    pipeline = proc["data"]["pipeline"]
    full = not _room(pipeline)
    if full != pipeline["full"]:
        pipeline["full"] = full
        for source in pipeline["tails"]:
            agent.noticed(proc, sys, source, "full" if full else "room", "")
    return full


def _room(pipeline: Data) -> bool:
    return all(held["bytes"] < held["limit"] and (not held["most"] or _events(held) < held["most"]) for held in pipeline["outs"].values())


def _events(held: Data) -> int:
    return len(held["staged"]) + sum(len(chunk["events"]) for chunk in held["queue"])


# ---- sending


def _deliver(proc: Process, sys: Sys, agent: Agent, out: str, times: list[int], fds: list[int], objs: list[str]) -> None:
    pipeline = proc["data"]["pipeline"]
    held = pipeline["outs"][out]
    stopping = pipeline["stopping"] is not None
    while True:
        if held["flight"] is not None:
            answer = advance(sys, held["flight"])
            if answer is None:
                waits_of(proc, held["flight"], times, fds, objs)
                return
            chunk = next(chunk for chunk in held["queue"] if chunk["id"] == held["flight"]["chunk"])
            chunk["peer"] = held["flight"]["address"]
            held["flight"] = None
            _settle(proc, sys, agent, out, chunk, answer)
        if held["staged"] and (stopping or held["due"] <= sys.now) and not (agent.serial and held["queue"]):
            pipeline["chunks"] += 1
            held["queue"].append({"id": pipeline["chunks"], "events": held["staged"], "tries": 0, "at": sys.now, "made": sys.now})
            held.update(staged=[], due=None)
        ready = [chunk for chunk in held["queue"] if chunk["at"] <= sys.now]
        if not ready:
            break
        chunk = ready[0]
        wish = agent.request(proc, sys, out, chunk)
        if wish is None:
            _settle(proc, sys, agent, out, chunk, (200, "", ""))
        else:
            held["flight"] = {**launch(sys, wish), "chunk": chunk["id"]}
    times += [chunk["at"] for chunk in held["queue"]]
    if held["staged"] and not (agent.serial and held["queue"]):
        times.append(held["due"])


def _settle(proc: Process, sys: Sys, agent: Agent, out: str, chunk: Data, answer: tuple[int, str, str]) -> None:
    held = proc["data"]["pipeline"]["outs"][out]
    again = agent.settled(proc, sys, out, chunk, *answer)
    if again is None:
        held["queue"].remove(chunk)
        held["bytes"] -= sum(size(event) for event in chunk["events"])
    else:
        chunk["tries"] += 1
        chunk["at"] = sys.now + again


def launch(sys: Sys, wish: Data) -> Data:
    """Begins a request: {"host", "port", "text", "timeout" ms?, "raw": no answer is awaited?}."""
    flight = {"fd": -1, "text": wish["text"], "raw": bool(wish.get("raw")), "sent": False, "buffer": "", "error": ""}
    flight["until"] = sys.now + int(wish.get("timeout", TIMEOUT_MS))
    _, addresses = sockets.resolve(sys, wish["host"])
    flight["address"] = addresses[0] if addresses else ""
    if addresses:
        flight["fd"] = sockets.dial(sys, addresses[0], int(wish["port"]), int(wish.get("timeout", TIMEOUT_MS)))
    else:
        flight["error"] = "ENOTFOUND"
    return flight


def advance(sys: Sys, flight: Data) -> tuple[int, str, str] | None:
    """(status, body, error) once a request has ended; None while it has not."""
    fd = flight["fd"]
    if flight["error"]:
        return 0, "", flight["error"]
    state = sockets.dialed(sys, fd)
    if not flight["sent"] and state != "connecting":
        if state != "open":
            sys.close(fd)
            return 0, "", state
        try:
            sys.write(fd, flight["text"])
        except Errno as error:
            sys.close(fd)
            return 0, "", error.name
        flight["sent"] = True
        if flight["raw"]:
            sys.close(fd)
            return 200, "", ""
    while flight["sent"] and sys.readable(fd):
        piece = sys.read(fd)
        flight["buffer"] += piece
        message, _ = http.take(flight["buffer"], closed=not piece)
        if message is not None or not piece:
            sys.close(fd)
            return (message.status, message.body, "") if message is not None else (0, "", "ECONNRESET")
    if sys.now >= flight["until"]:
        sys.close(fd)
        return 0, "", "timeout"
    return None


def waits_of(proc: Process, flight: Data, times: list[int], fds: list[int], objs: list[str]) -> None:
    """Adds what a request in flight waits for."""
    if flight["sent"]:
        fds.append(flight["fd"])
    else:
        objs.append("sock:" + proc["fds"][str(flight["fd"])])
    times.append(flight["until"])


def post(host: str, port: int, path: str, body: str, *, kind: str, agent: str, headers: list[tuple[str, str]] | None = None) -> Data:
    """A request of an agent to a store, for `launch`."""
    named = host if port == 80 else f"{host}:{port}"
    lines = [("User-Agent", agent), ("Content-Type", kind), *(headers or []), ("Connection", "close")]
    return {"host": host, "port": port, "text": http.request("POST", path, named, lines, body).text()}


def bulk(events: list[tuple[Data, Data]], action: str = "index") -> str:
    """The body of Elasticsearch's _bulk: [(metadata, document)]."""
    return "".join(
        json.dumps({action: meta}, separators=(",", ":")) + "\n" + json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
        for meta, document in events
    )


def refusals(body: str) -> list[Data]:
    """The errors inside an answer of _bulk; empty when all went well."""
    try:
        answer = json.loads(body)
    except ValueError:
        return []
    if not isinstance(answer, dict) or not answer.get("errors"):
        return []
    return [item["error"] for row in answer["items"] for item in row.values() if "error" in item]


def streams(events: list[Event], labels: list[dict[str, str]], lines: list[str]) -> str:
    """The body of Loki's push: events grouped by their labels, in order."""
    grouped: dict[str, Data] = {}
    for event, named, line in zip(events, labels, lines, strict=True):
        stream = grouped.setdefault(json.dumps(named, sort_keys=True), {"stream": named, "values": []})
        stream["values"].append([f"{event[0]}000000", line])
    return json.dumps({"streams": list(grouped.values())}, ensure_ascii=False, separators=(",", ":"))


def forwarded(host: str, port: int, events: list[Event]) -> Data:
    """Events on their way to another agent, for `launch`. On the wire they are JSON here, MessagePack in reality."""
    return {"host": host, "port": port, "text": "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events), "raw": True}


def received(line: str) -> tuple[int, str, Data] | None:
    """An event that another agent has forwarded; None when it is none."""
    try:
        at, tag, record = json.loads(line)
    except (ValueError, TypeError):
        return None
    return (at, tag, record) if isinstance(at, int) and isinstance(tag, str) and isinstance(record, dict) else None
