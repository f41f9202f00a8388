"""One simulated machine's container runtime: the CRI's stand-in. The kubelet calls it; programs run in it.

Everything that lasts is in `Node.state`, plain JSON data; `restore(state)` goes on from such data exactly as if nothing had
happened. Times are virtual milliseconds; sizes are bytes; CPU is millicores.

What the kubelet uses, in the order of a Pod's life:

    run_sandbox(uid, name=, namespace=, hostname=, ip=, share_pid=, host_network=, hosts=, resolv_conf=)
    create_volume(uid, name, kind, files=, medium=, size_limit=)  update_volume(uid, name, files)  volume_usage(uid, name)
    create_container(uid, name, image=, command=, args=, env=, working_dir=, mounts=, limits=, user=, tty=, stdin=, attempt=) -> id
    start_container(id)                      raises StartError (containerd's words, exit code 128)
    status(id) -> ContainerStatus            state, exit_code, reason, message, started_at, finished_at
    signal(id, "TERM")                       to process 1; the grace period is the kubelet's own timer, after which signal(id, "KILL")
    exec(id, argv, ...) -> exec id           raises ExecError; read_exec, write_stdin, close_stdin, resize, exec_status, forget_exec
    attach(id) -> exec id                    the same calls, on process 1's own streams
    logs(id, offset=, since=, tail=, limit=) -> list[LogLine]
    usage(id) -> {"cpu_nanocores", "memory_bytes", "fs_bytes", "fs_inodes"}
    remove_container(id)  stop_sandbox(uid)  remove_sandbox(uid)

Mounts: {"path": "/data", "volume": "name", "sub_path": "", "read_only": False}. Volume files: {"relative/path": content or {"content", "mode"}}.
A container's process 1 that ends is reported by `host.on_exit`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerStatus:
    """`state` is created, running or exited. `reason` (exited): Completed, Error, OOMKilled, StartError. Times in ms, 0: not yet."""

    id: str
    name: str
    attempt: int
    image: str
    state: str
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""  # /dev/termination-log's content (the kubelet cuts it), or the StartError's message
    started_at: int = 0
    finished_at: int = 0


@dataclass(frozen=True)
class LogLine:
    """One log entry as the CRI writes it: `partial` lines have no newline of their own. `offset` + 1 is where to read on."""

    offset: int
    time: int  # ms when it was written
    stream: str  # stdout or stderr
    text: str
    partial: bool = False


class StartError(Exception):
    """The container could not be started. `message` is containerd's, `exit_code` and `reason` what its status shows from now on."""

    def __init__(self, message: str, exit_code: int = 128, reason: str = "StartError") -> None:
        super().__init__(message)
        self.message, self.exit_code, self.reason = message, exit_code, reason


class ExecError(Exception):
    """An exec could not be started: the text after kubectl's `error: Internal error occurred: error executing command in container: `."""
