"""What the kubelet is told of a container: how it is, and in containerd's and runc's words why it or a command in it could not start."""

from __future__ import annotations

from dataclasses import dataclass

from .process import Errno


@dataclass(frozen=True)
class ContainerStatus:
    """`state` is created, running or exited. `reason` (exited): Completed, Error, OOMKilled, StartError. Times in ms, 0: not
    yet."""

    id: str
    name: str
    attempt: int
    image: str
    state: str
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""  # what it wrote to its termination message path, or the StartError's message
    started_at: int = 0
    finished_at: int = 0


class StartError(Exception):
    """The container could not be started. `message` is containerd's, `exit_code` and `reason` what its status shows from now
    on."""

    def __init__(self, message: str, exit_code: int = 128, reason: str = "StartError") -> None:
        super().__init__(message)
        self.message, self.exit_code, self.reason = message, exit_code, reason


class ExecError(Exception):
    """An exec could not be started: the text after kubectl's `error: Internal error occurred: error executing command in
    container: `."""


def exec_words(name: str, error: Errno) -> str:
    """runc's words for an executable that cannot be run."""
    if error.name == "ENOENT" and "/" not in name:
        return f'exec: "{name}": executable file not found in $PATH'
    if error.name == "ENOENT":
        return f'exec: "{name}": stat {name}: no such file or directory'
    if error.name == "ENOEXEC":
        return f"exec {name}: exec format error"
    return f'exec: "{name}": permission denied'
