"""Who waits for what on a machine, and whose turn comes next.

A process that waits has `proc["wait"] = {"objs": [...], "timer": id or None, "seq": n}`: it goes on when any of the objects is
woken or the timer fires. Objects are strings: "pipe:3" (data or end of file), "room:3" (pipe drained), "tty:1", "sock:5", "fs:v7"
(a file system changed), "child:KEY" (a child of KEY ended). `state["waiters"]` is the index from object to process keys.
"""

from __future__ import annotations

from .host import Host
from .host_pids import HOST, elsewhere
from .process import Blocked, Data, Process
from .program import Event


class Waiting:
    """The processes of a machine, what they wait for, and the queue of those that are ready."""

    state: Data
    host: Host

    def number(self) -> int:
        """A number not given before on this machine."""
        self.state["next"] += 1
        return int(self.state["next"])

    def process(self, ns: str, pid: int) -> Process | None:
        found: Process | None = self.state["processes"].get(f"{ns}:{pid}")
        if found is None and ns == HOST:
            found = next((proc for proc in elsewhere(self.state) if proc["pid"] == pid), None)
        return found

    def in_namespace_pids(self, ns: str) -> list[int]:
        space = self.state["namespaces"].get(ns)
        return space["pids"] if space else []

    def in_namespace(self, ns: str) -> list[Process]:
        """All processes that can be seen in a pid namespace, by pid."""
        living = self._living_in(ns)
        return sorted([*living, *elsewhere(self.state)], key=lambda proc: proc["pid"]) if ns == HOST else living

    def _living_in(self, ns: str) -> list[Process]:
        space = self.state["namespaces"].get(ns)
        return [self.state["processes"][f"{ns}:{pid}"] for pid in space["pids"]] if space else []

    def of_container(self, container_id: str) -> list[Process]:
        """A container's processes (zombies too), by pid."""
        container = self.state["containers"][container_id]
        return [proc for proc in self._living_in(container["ns"]) if proc["container"] == container_id]

    def ready(self, proc: Process, event: Event) -> None:
        """Gives a process a turn, soon. An earlier event that it has not seen yet is dropped: turns may be spurious anyway."""
        wait = proc["wait"]
        if wait is not None:
            self._unwait(proc, wait)
        if proc["state"] == "running" and not proc["queued"]:
            proc["queued"] = True
            self.state["ready"].append([proc["key"], event])

    def _unwait(self, proc: Process, wait: Data) -> None:
        proc["wait"] = None
        if wait["timer"] is not None:
            self.host.cancel(wait["timer"])
        for obj in wait["objs"]:
            waiting = self.state["waiters"].get(obj)
            if waiting is not None:
                if proc["key"] in waiting:
                    waiting.remove(proc["key"])
                if not waiting:
                    del self.state["waiters"][obj]

    def block(self, proc: Process, objs: list[str], ms: int | None = None, event: str = "timer") -> None:
        """Makes a process wait for any of the objects, or for `ms`; gives control back to the kernel. Always raises Blocked."""
        seq = self.number()
        timer = None if ms is None else self.host.after(max(0, ms), {"wake": proc["key"], "seq": seq, "on": event})
        proc["wait"] = {"objs": objs, "timer": timer, "seq": seq, **({"turn": True} if event == "turn" else {})}  # turn: it is at work
        for obj in objs:
            self.state["waiters"].setdefault(obj, []).append(proc["key"])
        raise Blocked

    def wake(self, obj: str, event: Event) -> None:
        """Wakes everyone who waits for an object."""
        waiting = self.state["waiters"].get(obj)
        if waiting:
            for key in list(waiting):
                self.ready(self.state["processes"][key], event)
