"""Builtins for background jobs: wait, jobs, fg, kill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..numerals import is_whole, saturated
from ..process import SIGNAL_NAMES, SIGNALS, Data, Errno, signal_number
from .builtins import builtin, count, fault, killed_text

if TYPE_CHECKING:
    from .machine import Shell


@builtin("wait")
def _wait(shell: Shell, argv: list[str], state: Data) -> int:
    data = shell.data
    if argv[1:2] == ["-n"] and data["flavor"] == "bash":
        return _wait_for_next(shell)
    if "todo" not in state:
        state["todo"] = [] if len(argv) < 2 else [_job_pid(shell, word) for word in argv[1:]]
        state["all"] = len(argv) < 2
        state["status"] = 0
    while True:
        update_jobs(shell)
        if data["pending"]:
            return 128 + int(data["pending"][0])
        if state["all"]:
            if all(job["status"] is not None for job in data["jobs"]):
                data["jobs"] = []
                return 0
        else:
            while state["todo"]:
                pid = state["todo"][0]
                job = next((job for job in data["jobs"] if job["last"] == pid), None)
                if job is None:
                    state["status"] = 127
                elif job["status"] is None:
                    break
                else:
                    state["status"] = job["status"]
                    data["jobs"].remove(job)
                    if job["killed"] not in (0, 2, 13):
                        shell.sys.err(killed_text(job["killed"]) + "\n")
                state["todo"].pop(0)
            if not state["todo"]:
                return int(state["status"])
        shell.sys.poll(child=True)


def _wait_for_next(shell: Shell) -> int:
    """bash's wait -n: the status of the job that ends next, 127 when there is none."""
    while True:
        update_jobs(shell)
        jobs = shell.data["jobs"]
        ended = next((job for job in jobs if job["status"] is not None), None)
        if ended is not None:
            jobs.remove(ended)
            return int(ended["status"])
        if not jobs:
            return 127
        shell.sys.poll(child=True)


@builtin("disown")
def _disown(shell: Shell, argv: list[str], state: Data) -> int:
    shell.data["jobs"] = []
    return 0


def _job_pid(shell: Shell, word: str) -> int:
    if word.startswith("%"):
        job = find_job(shell, word)
        if job is None:
            raise fault(f"{word}: no such job", 127, "wait")
        return int(job["last"])
    return count(word, "wait")


def find_job(shell: Shell, word: str) -> Any:
    """A job by %n, %%, %+ or the beginning of its command."""
    jobs = shell.data["jobs"]
    if word in ("%", "%%", "%+"):
        return jobs[-1] if jobs else None
    return next(
        (job for job in jobs if str(job["id"]) == word[1:] or (not word[1:].isdigit() and job["text"].startswith(word[1:]))), None
    )


def update_jobs(shell: Shell) -> None:
    """Notes which background children have ended."""
    for job in shell.data["jobs"]:
        for pid in list(job["pids"]):
            try:
                ended = shell.sys.wait(pid, block=False)
            except Errno:
                ended = (pid, 127, 0)
            if ended is None:
                continue
            job["pids"].remove(pid)
            if pid == job["last"]:
                job["status"], job["killed"] = ended[1], ended[2]


@builtin("jobs")
def _jobs(shell: Shell, argv: list[str], state: Data) -> int:
    update_jobs(shell)
    jobs = shell.data["jobs"]
    for index, job in enumerate(jobs):
        if job["status"] is None:
            how = "Running"
        elif job["killed"]:
            how = killed_text(job["killed"])
        else:
            how = f"Done({job['status']})" if job["status"] else "Done"
        if "-p" in argv:
            shell.sys.out(f"{job['last']}\n")
            continue
        mark = "+" if index == len(jobs) - 1 else "-" if index == len(jobs) - 2 else " "
        number = f"{job['last']} " if "-l" in argv else ""
        shell.sys.out(f"[{job['id']}]{mark}  {number}{how:<27}{job['text']}\n")
    shell.data["jobs"] = [job for job in jobs if job["status"] is None]
    return 0


@builtin("fg")
def _fg(shell: Shell, argv: list[str], state: Data) -> int:
    if "pid" not in state:
        job = find_job(shell, argv[1] if len(argv) > 1 else "%%")
        if job is None:
            raise fault("no current job" if len(argv) < 2 else f"{argv[1]}: no such job", 2, "fg")
        state["pid"] = job["last"]
        shell.data["jobs"].remove(job)
        shell.sys.out(job["text"] + "\n")
        shell.terminal_group(shell.sys.kernel.process(shell.proc["ns"], job["last"]))
    try:
        ended = shell.sys.wait(state["pid"])
    except Errno:
        ended = (0, 0, 0)
    shell.terminal_group(shell.proc)
    return ended[1] if ended else 0


@builtin("kill")
def _kill(shell: Shell, argv: list[str], state: Data) -> int:
    words = argv[1:]
    if not words:
        shell.sys.err("sh: you need to specify whom to kill\n")
        return 1
    if words[0] == "-l":
        if len(words) > 1:
            wanted = saturated(words[1]) & 127 if is_whole(words[1]) else signal_number(words[1])
            shell.sys.out(f"{SIGNAL_NAMES.get(wanted or 0, words[1]) if is_whole(words[1]) else wanted}\n")
        else:
            shell.sys.out("".join(f"{number:2}) {name}\n" for name, number in SIGNALS.items()))
        return 0
    n: int | None = 15
    if words[0] == "-s" and len(words) > 1:
        n, words = signal_number(words[1]), words[2:]
    elif words[0].startswith("-") and words[0] != "--":
        n, words = signal_number(words[0][1:]), words[1:]
        if n is None:
            shell.sys.err(f"{shell.data['name']}: bad signal name '{argv[1][1:]}'\n")
            return 1
    if words and words[0] == "--":
        words = words[1:]
    status = 0
    for word in words:
        if word.startswith("%"):
            job = find_job(shell, word)
            pids = [job["last"]] if job else []
            if job is None:
                shell.complain(f"{word}: no such job", "kill")
                status = 1
        elif re.fullmatch(r"-?\d+", word):
            pids = [saturated(word)]
        else:
            shell.sys.err(f"{shell.data['name']}: invalid number '{word}'\n")
            status = 1
            continue
        for pid in pids:
            try:
                shell.sys.kill(pid, n or 0)
            except Errno as error:
                shell.sys.err(f"{shell.data['name']}: can't kill pid {pid}: {error.text}\n")
                status = 1
    return status
