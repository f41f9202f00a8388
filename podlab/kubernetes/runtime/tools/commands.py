"""Tools that run another command: env, nohup, timeout, time, watch, xargs and the like."""

from __future__ import annotations

import re

from .. import capabilities
from ..numerals import whole
from ..process import KILL, Errno, Process, signal_number
from ..program import MEBIBYTE, TEXT_MAX, Event, tool
from ..system import ARGUMENTS_MAX, Sys
from .basics import duration
from .common import begin, complain, everything, options, usage


@tool("env", "printenv")
def env(proc: Process, sys: Sys, event: Event) -> int:
    words = list(proc["argv"][1:])
    if proc["argv"][0].endswith("printenv"):
        if not words:
            sys.out("".join(f"{name}={value}\n" for name, value in proc["env"].items()))
            return 0
        for name in words:
            if name in proc["env"]:
                sys.out(proc["env"][name] + "\n")
        return int(any(name not in proc["env"] for name in words))
    variables = dict(proc["env"])
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-i", "-", "--ignore-environment"):
            variables = {}
        elif option == "-u" and words:
            variables.pop(words.pop(0), None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    if not words:
        sys.out("".join(f"{name}={value}\n" for name, value in variables.items()))
        return 0
    return become(proc, sys, words, variables)


def become(proc: Process, sys: Sys, words: list[str], variables: dict[str, str] | None = None) -> int:
    """Execs a command, or complains as env, nohup, timeout do: 127 not found, 126 not executable."""
    try:
        path = sys.which(words[0], (proc["env"] if variables is None else variables).get("PATH", "/bin:/usr/bin"))
        sys.exec(words, path=path, env=variables)
    except Errno as error:
        complain(proc, sys, f"can't execute '{words[0]}': {error.text}")
        return 127 if error.name == "ENOENT" else 126
    return 0


@tool("chroot", "chroot-gnu")
def chroot(proc: Process, sys: Sys, event: Event) -> int:
    """chroot DIRECTORY [COMMAND ARGUMENTS...], of busybox and of coreutils. The root of a node, which is where people go with it, has no
    programs; those of other roots are not run."""
    gnu, words = proc["program"] == "chroot-gnu", list(proc["argv"][1:])
    cannot, failed = ("cannot", "failed to run command") if gnu else ("can't", "can't execute")
    if not words:
        sys.err("chroot: missing operand\nTry 'chroot --help' for more information.\n" if gnu else "Usage: chroot NEWROOT [PROG ARGS]\n")
        return 125 if gnu else 1
    directory, command = words[0], words[1:] or [proc["env"].get("SHELL", "/bin/sh"), "-i"]
    try:
        if proc["uid"] or not capabilities.has(sys.container, "SYS_CHROOT"):
            raise Errno("EPERM")
        found = sys.look(directory)
        if not found.is_dir:
            raise Errno("ENOTDIR")
    except Errno as error:
        sys.err(f"chroot: {cannot} change root directory to '{directory}': {error.text}\n")
        return 125 if gnu else 1
    if found.path == "/":
        return become(proc, sys, command)
    folders = [""] if "/" in command[0] else proc["env"].get("PATH", "/bin:/usr/bin").split(":")
    if any(sys.find(f"{directory}/{folder}/{command[0]}") is not None for folder in folders):
        sys.err("podlab: programs of another root are not simulated\n")
        return 126
    sys.err(f"chroot: {failed} '{command[0]}': {Errno('ENOENT').text}\n")
    return 127


@tool("nohup")
def nohup(proc: Process, sys: Sys, event: Event) -> int:
    sys.ignore(1)
    if sys.is_tty(1):
        sys.err("nohup: appending output to nohup.out\n")
        fd = sys.open("nohup.out", "a")
        sys.dup2(fd, 1)
        sys.dup2(fd, 2)
        sys.close(fd)
    return become(proc, sys, proc["argv"][1:])


@tool("nice", "setsid", "stdbuf", "ionice", "chrt", "tini", "dumb-init")
def wrapper(proc: Process, sys: Sys, event: Event) -> int:
    words = list(proc["argv"][1:])
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-n", "-c") and words:
            words.pop(0)
        elif option == "--":
            break
    return become(proc, sys, words) if words else 0


@tool("timeout")
def timeout(proc: Process, sys: Sys, event: Event) -> int:
    """The command takes this process's place; a child that nobody waits for sends the signal (as in busybox)."""
    data = proc["data"]
    if "victim" in data:
        victim = sys.kernel.state["processes"].get(data["victim"])
        if victim is None or victim["state"] == "zombie":
            return 0
        if sys.now >= data["deadline"]:
            sys.kernel.send(victim, data["signal"])
            if data["second"] is None or data["signal"] == KILL:
                return 0
            data.update(signal=KILL, deadline=sys.now + data["second"])
        sys.poll(ms=data["deadline"] - sys.now, objs=("gone:" + data["victim"],))
    given, words = options(proc, sys, "+s:k:tp", {"signal": "s", "kill-after": "k", "preserve-status": "p", "foreground": "t"})
    if len(words) < 2:
        usage(proc, sys, "")
    limit = duration(words[0])
    n = signal_number(given.get("s", "TERM"))
    if limit is None or n is None:
        complain(proc, sys, f"invalid number '{words[0]}'" if limit is None else f"bad signal name '{given['s']}'")
        return 1
    second = duration(given["k"]) if "k" in given else None
    pid = sys.spawn(
        proc["argv"], program="timeout", data={"victim": proc["key"], "deadline": sys.now + limit, "signal": n, "second": second}
    )
    child = sys.kernel.process(proc["ns"], pid)
    if child is None:
        raise LookupError
    child.update({"orphan": True, "ppid": 1})
    proc["children"].remove(child["key"])
    return become(proc, sys, words[1:])


@tool("timeout-gnu")
def timeout_gnu(proc: Process, sys: Sys, event: Event) -> int:
    """The one of coreutils: the command is its child, and 124 tells that the time was over (137 where it had to be killed)."""
    data = proc["data"]
    if event is None:
        given, words = options(proc, sys, "+s:k:pfv", {"signal": "s", "kill-after": "k", "preserve-status": "p", "foreground": "f", "verbose": "v"})
        if len(words) < 2:
            sys.err("timeout: missing operand\nTry 'timeout --help' for more information.\n")
            return 125
        limit, n = duration(words[0]), signal_number(given.get("s", "TERM"))
        second = duration(given["k"]) if "k" in given else None
        if limit is None or n is None:
            sys.err(f"timeout: invalid time interval '{words[0]}'\n" if limit is None else f"timeout: {given['s']}: invalid signal\n")
            return 125
        try:
            child = sys.spawn(words[1:])
        except Errno as error:
            sys.err(f"timeout: failed to run command '{words[1]}': {error.text}\n")
            return 127 if error.name == "ENOENT" else 126
        data.update(child=child, deadline=sys.now + limit if limit else None, signal=n, second=second, late=0, keep="p" in given)
    while True:
        ended = sys.wait(data["child"], block=False)
        if ended is not None:
            return ended[1] if not data["late"] or data["keep"] else 128 + KILL if data["late"] == KILL else 124
        if data["deadline"] is not None and sys.now >= data["deadline"]:
            sys.kill(data["child"], data["signal"])
            data.update(late=data["signal"], signal=KILL, deadline=None if data["second"] is None else sys.now + data["second"], second=None)
            continue
        sys.poll(ms=None if data["deadline"] is None else data["deadline"] - sys.now, child=True)


@tool("time")
def time(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        data.update(began=sys.now, child=sys.spawn([word for word in proc["argv"][1:] if word != "-p"]))
    ended = sys.wait(data["child"])
    if ended is None:
        raise LookupError
    seconds = (sys.now - data["began"]) / 1000
    for name, value in (("real", seconds), ("user", 0.0), ("sys", 0.0)):
        sys.err(f"{name}\t{int(value // 60)}m {value % 60:.2f}s\n")
    return ended[1]


@tool("watch")
def watch(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, words = options(proc, sys, "+n:t")
        if not words:
            usage(proc, sys, "")
        data.update(
            pause=duration(given.get("n", "2")) or 2000,
            seconds=given.get("n", "2"),
            command=" ".join(words),
            child=None,
            quiet="t" in given,
        )
    while True:
        if data["child"] is None:
            sys.out("\x1b[H\x1b[J")
            if not data["quiet"]:
                sys.out(f"Every {data['seconds']}.0s: {data['command']}\n\n")
            data["child"] = sys.spawn(["sh", "-c", data["command"]])
        if data["child"]:
            sys.wait(data["child"])
            data["child"] = 0
            sys.sleep(data["pause"])
        data["child"] = None


@tool("xargs", memory=MEBIBYTE)
def xargs(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, words = options(proc, sys, "+0rtn:I:L:P:s:ed:")
        data.update(zero="0" in given, skip="r" in given, trace="t" in given, count=whole(given.get("n", given.get("L", "0"))),
            mark=given.get("I", ""),
                    command=words or ["echo"], batches=None, child=0, status=0, delimiter=given.get("d", ""))  # fmt: skip
        begin(proc, [])
    if data["batches"] is None:
        text = "".join(text for _, text in everything(proc, sys))
        if data["zero"]:
            items = [item for item in text.split("\0") if item]
        elif data["mark"]:
            items = [line.strip() for line in text.split("\n") if line.strip()]
        elif data["delimiter"]:
            items = text.removesuffix("\n").split(data["delimiter"].replace("\\n", "\n"))
        else:
            if len(text) > TEXT_MAX:
                complain(proc, sys, "argument list too long")
                return 1
            items = _quoted_words(text)
        if data["mark"]:
            data["batches"] = [[word.replace(data["mark"], item) for word in data["command"]] for item in items]
        else:
            size = data["count"] or max(1, min(len(items), ARGUMENTS_MAX - len(data["command"])))
            data["batches"] = [[*data["command"], *items[i : i + size]] for i in range(0, len(items), size)]
            if not items and not data["skip"]:
                data["batches"] = [data["command"]]
    while True:
        if data["child"]:
            ended = sys.wait(data["child"])
            data["child"] = 0
            if ended is not None and ended[1]:
                data["status"] = 124 if ended[1] == 255 else 123
                if ended[1] == 255:
                    return 124
        if not data["batches"]:
            return int(data["status"])
        argv = data["batches"].pop(0)
        if data["trace"]:
            sys.err(" ".join(argv) + "\n")
        try:
            data["child"] = sys.spawn(argv)
        except Errno as error:
            complain(proc, sys, f"{argv[0]}: {error.text}")
            return 127 if error.name == "ENOENT" else 126


def _quoted_words(text: str) -> list[str]:
    found = re.findall(r"""((?:'[^'\n]*'|"[^"\n]*"|\\.|[^\s'"\\])+)""", text)
    return [
        re.sub(r"""'([^']*)'|"([^"]*)"|\\(.)""", lambda m: next(g for g in m.groups() if g is not None), word) for word in found
    ]
