"""What a simulated machine needs from whoever runs it. The kubelet's adapter is one host, the learner's laptop another."""

from __future__ import annotations

from typing import Any, Protocol


class Random(Protocol):
    """Keyed, stateless randomness: the same key gives the same number in every process (`randomness.py`)."""

    def integer(self, *key: Any, below: int) -> int: ...

    def fraction(self, *key: Any) -> float: ...


class Host(Protocol):
    """The world outside a machine. A Node keeps no clock of its own; every moment it acts in is one the host gave it.

    Callbacks arrive while the Node is inside one of its own methods (`start_container`, `on_timer`, `write_stdin` ...).
    A host may read from the Node in a callback, but should do its own work later (queue a key, as the kubelet does).
    """

    @property
    def now(self) -> int:
        """Virtual milliseconds since the Unix epoch."""

    @property
    def random(self) -> Random: ...

    def after(self, ms: int, payload: dict[str, Any]) -> Any:
        """Calls `node.on_timer(payload)` in `ms` virtual milliseconds. Gives a plain-data timer id (int or str)."""

    def cancel(self, timer: Any) -> None:
        """Forgets a timer; one that has fired already is no error."""

    def on_exit(self, pod_uid: str, container_id: str) -> None:
        """A container's process 1 has ended; `node.status(container_id)` tells how."""

    def on_output(self, pod_uid: str, container_id: str) -> None:
        """A container has written to its log (`node.logs(..., offset=)` to follow)."""

    def promised(self, promise: list[Any]) -> str:
        """The content of a volume's file that was given as a list (plain data): the same text whenever it is asked for."""

    def on_memory(self) -> None:
        """A program has set how much memory it keeps, and its container lives on."""

    def on_exec_output(self, exec_id: str) -> None:
        """An exec or attach session has output to collect (`node.read_exec`)."""

    def on_exec_exit(self, exec_id: str, payload: Any) -> None:
        """An exec session has ended or timed out (`node.exec_status`)."""

    def on_foreign(self, process: str, event: str, detail: Any) -> None:
        """A program that the host itself runs (`program.foreign`, e.g. kubectl on the laptop).

        `event` is "start" (detail: argv, cwd, env, tty), "input" (there is something to read, or the input ended)
        or "signal" (detail: number; 9 and unhandled ones have ended the process already). The host answers with
        `node.foreign_write(process, fd, text)`, `node.foreign_read(process)` and `node.foreign_exit(process, code)`.
        """
