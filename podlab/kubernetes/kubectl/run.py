"""Run one kubectl command line: find the command, let it work, and put errors in kubectl's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..apiserver.errors import ApiError
from .commands import COMMANDS
from .terminal import Api, Command, KubectlError, Terminal

if TYPE_CHECKING:
    from ..cluster import Cluster

LONGEST_MS = 3_600_000  # run_to_end gives up on a command that waits for ever (get -w, logs -f) after an hour of virtual time


def run(argv: list[str], terminal: Terminal) -> Command:
    """The command of `argv` (without "kubectl"), running: see `Wait`. Never raises; returns the exit code."""
    try:
        words = list(argv)
        leading: list[str] = []
        while words and words[0].startswith("-"):  # kubectl -n web get pods
            leading.append(words.pop(0))
            if leading[-1] in ("-n", "--namespace", "--context", "--kubeconfig", "-v", "-s") and words:
                leading.append(words.pop(0))
        name = words.pop(0) if words else "help"
        command = COMMANDS.get(name)
        if command is None:
            raise KubectlError(f'error: unknown command "{name}" for "kubectl"\n')
        return (yield from command(words + leading if "--" not in words else leading + words, terminal))
    except KubectlError as error:
        terminal.err(error.text)
        return error.code
    except ApiError as error:
        terminal.err(server_error(error))
        return 1


def server_error(error: ApiError, when: str = "") -> str:
    """A refusal as kubectl prints it (S/kubectl/pkg/cmd/util/helpers.go, checkErr). `when`: `error when creating "x.yaml"`."""
    if error.reason == "Invalid" and error.details:
        head = f'The {error.details.get("kind", "")} "{error.details.get("name", "")}" is invalid'
        causes = list(dict.fromkeys(f"{c['field']}: {c['message']}" if c.get("field") else c["message"]
                                    for c in error.details.get("causes") or ()))
        if not causes:
            return head + "\n"
        if len(causes) == 1:
            return f"{head}: {causes[0]}\n"
        return f"{head}: \n" + "".join(f"* {cause}\n" for cause in causes)
    message = f"{when}: {error.message}" if when else error.message
    return f"Error from server ({error.reason}): {message}\n" if error.reason else f"Error from server: {message}\n"


def run_to_end(cluster: Cluster, argv: list[str], *, namespace: str = "default", stdin: str | None = None,
               files: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run a command while virtual time passes as it waits. Returns (exit code, stdout, stderr)."""
    streams: dict[int, list[str]] = {1: [], 2: []}
    api = Api(cluster, lambda entry: cluster.apply({"at": cluster.now, **entry}))
    terminal = Terminal(api, lambda stream, text: streams[stream].append(text), namespace, files or {}, stdin)
    running = run(argv, terminal)
    deadline = cluster.now + LONGEST_MS
    code = 0
    try:
        while cluster.now < deadline:
            wait = next(running)
            until = deadline if wait.ms is None else min(cluster.now + wait.ms, deadline)
            revision = cluster.etcd.revision
            while cluster.etcd.revision == revision:
                due = cluster.clock.next_at()
                if due is None or due > until:
                    cluster.run_until(until)
                    break
                cluster.step()
        running.close()
    except StopIteration as stop:
        code = stop.value or 0
    return code, "".join(streams[1]), "".join(streams[2])
