"""A machine for tests: a Node with a clock of its own, and containers of a small busybox image."""

from __future__ import annotations

import hashlib
import heapq
import json
from typing import Any

from podlab.kubernetes.runtime import image, shell, tools  # noqa: F401
from podlab.kubernetes.runtime.image import Entry, Image
from podlab.kubernetes.runtime.node import Node
from podlab.kubernetes.runtime.program import PROGRAMS

START = 1_795_228_620_000  # 2026-11-21T02:37:00Z


class Random:
    def integer(self, *key: Any, below: int) -> int:
        return int(hashlib.sha256(repr(key).encode()).hexdigest()[:15], 16) % below

    def fraction(self, *key: Any) -> float:
        return self.integer(*key, below=1 << 32) / (1 << 32)


class Machine:
    """The host of one Node: a heap of timers, and what it was told."""

    def __init__(self, now: int = START) -> None:
        self.now = now
        self.random = Random()
        self.timers: list[list[Any]] = []
        self.sequence = 0
        self.exits: list[str] = []
        self.ended: list[str] = []
        self.foreign: list[Any] = []
        self.node = Node(self)

    def after(self, ms: int, payload: dict[str, Any]) -> int:
        self.sequence += 1
        heapq.heappush(self.timers, [self.now + ms, self.sequence, payload])
        return self.sequence

    def cancel(self, timer: Any) -> None:
        self.timers = [entry for entry in self.timers if entry[1] != timer]
        heapq.heapify(self.timers)

    def on_exit(self, pod_uid: str, container_id: str) -> None:
        self.exits.append(container_id)

    def on_output(self, pod_uid: str, container_id: str) -> None: ...

    def on_memory(self) -> None: ...

    def promised(self, promise: list[Any]) -> str:
        return f"kept: {promise}"

    def on_exec_output(self, exec_id: str) -> None: ...

    def on_exec_exit(self, exec_id: str, payload: Any) -> None:
        self.ended.append(exec_id)

    def on_foreign(self, process: str, event: str, detail: Any) -> None:
        self.foreign.append((process, event, detail))

    def run(self, ms: int, steps: int = 1_000_000) -> None:
        """Lets `ms` of virtual time pass."""
        end = self.now + ms
        while self.timers and self.timers[0][0] <= end and steps:
            when, _, payload = heapq.heappop(self.timers)
            self.now = max(self.now, when)
            self.node.on_timer(payload)
            steps -= 1
        self.now = end

    def checkpoint(self) -> str:
        self.node.settle()
        return json.dumps([self.now, self.timers, self.sequence, self.node.state], sort_keys=False)

    def restored(self) -> Machine:
        """Another machine that goes on from this one's checkpoint."""
        other = Machine(self.now)
        other.now, other.timers, other.sequence, state = json.loads(self.checkpoint())
        other.node.restore(state)
        return other

    # Containers.
    def pod(self, uid: str = "pod-1", **options: Any) -> str:
        self.node.run_sandbox(uid, **{"name": "web", "namespace": "default", "hostname": "web", "ip": "10.244.0.5", **options})
        return uid

    def container(self, *command: str, pod: str = "pod-1", start: bool = True, **options: Any) -> str:
        """A started container that runs a command; a single word with blanks is a shell line."""
        if pod not in self.node.state["sandboxes"]:
            self.pod(pod)
        argv = ["sh", "-c", command[0]] if len(command) == 1 and (" " in command[0] or "\n" in command[0]) else list(command)
        container_id = self.node.create_container(pod, options.pop("name", "c"), image="test/busybox", command=argv, **options)
        if start:
            self.node.start_container(container_id)
        return container_id

    def logs(self, container_id: str) -> str:
        return "".join(line.text + ("" if line.partial else "\n") for line in self.node.logs(container_id))

    def execute(
        self, container_id: str, *argv: str, ms: int = 60_000, stdin: str | None = None, tty: bool = False
    ) -> tuple[str, str, int | None]:
        """Runs a command in a container to its end: (stdout, stderr, exit code)."""
        words = ["sh", "-c", argv[0]] if len(argv) == 1 and (" " in argv[0] or "\n" in argv[0]) else list(argv)
        exec_id = self.node.exec(container_id, words, stdin=stdin is not None, tty=tty)
        if stdin is not None:
            self.node.write_stdin(exec_id, stdin)
            self.node.close_stdin(exec_id)
        self.run(ms)
        out, err = self.node.read_exec(exec_id)
        return out, err, self.node.exec_status(exec_id)["exit_code"]


def sh(script: str, ms: int = 600_000, **options: Any) -> tuple[str, int]:
    """Output (both streams) and exit code of a shell line in a container of its own."""
    machine = Machine()
    container_id = machine.container("sh", "-c", script, **options)
    machine.run(ms)
    assert machine.node.crashes == [], machine.node.crashes
    status = machine.node.status(container_id)
    assert status.state == "exited", "still running"
    return machine.logs(container_id), status.exit_code


image.add(Image("docker.io/test/busybox", ("latest",), {
    "bin": {name: Entry(program=name) for name in PROGRAMS}, "home": {}, "root": {},
    "usr": {"bin": {"env": Entry(link="/bin/env")}},
    "etc": {"passwd": "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/false\n"
                      "nobody:x:65534:65534:nobody:/home:/bin/false\n",
            "group": "root:x:0:\nwww:x:33:\n"},
}, 2_000_000, cmd=("sh",)))  # fmt: skip
