"""Tools on processes: ps, top, kill, env, timeout, watch, xargs, nohup and the like."""

from __future__ import annotations

import re

from ..linear import compiled
from ..process import KILL, SIGNALS, TERM, Errno, Process, signal_number
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .basics import duration
from .common import begin, complain, everything, options, usage
from .listing import users
from .regex import extended


def _state(other: Process, me: Process) -> str:
    if other["state"] == "zombie":
        return "Z"
    if other["state"] == "stopped":
        return "T"
    return "R" if other is me or other["burn"] or (other["wait"] is None and other["state"] == "running") else "S"


def command_line(other: Process) -> str:
    """A process's command as ps shows it."""
    if other["state"] == "zombie":
        return f"[{other['argv'][0].rsplit('/', 1)[-1][:15]}]"
    return " ".join(word.replace("\n", " ") for word in other["argv"])


def _clock(us: int) -> str:
    seconds = us // 1_000_000
    return f"{seconds // 60}:{seconds % 60:02d}"


@tool("ps")
def ps(proc: Process, sys: Sys, event: Event) -> int:
    flags, _ = options(proc, sys, "o:TefAaxuwlp:")
    owners = users(sys)
    everyone = sys.processes()
    if "o" not in flags:
        sys.out("PID   USER     TIME  COMMAND\n")
        for other in everyone:
            owner = owners.get(other["uid"], str(other["uid"]))
            sys.out(f"{other['pid']:5d} {owner:<8.8s} {_clock(other['cpu_us']):>5s} {command_line(other)}\n")
        return 0
    columns = [column.partition("=")[0] for column in re.split(r"[,\s]+", flags["o"])]
    widths = {
        "pid": 5,
        "ppid": 5,
        "pgid": 5,
        "user": 8,
        "group": 8,
        "comm": 16,
        "args": 0,
        "time": 5,
        "rss": 4,
        "vsz": 4,
        "stat": 4,
        "etime": 7,
        "tty": 6,
    }
    titles = {"args": "COMMAND", "comm": "COMMAND"}
    for column in columns:
        if column not in widths:
            complain(
                proc,
                sys,
                f"bad -o argument '{column}', supported arguments: user,group,comm,args,pid,ppid,pgid,tty,vsz,sid,stat,rss",
            )
            return 1

    def cell(other: Process, column: str) -> str:
        age = (sys.now - other["started"]) // 1000
        return {
            "pid": f"{other['pid']:5d}", "ppid": f"{other['ppid']:5d}", "pgid": f"{other['pgid']:5d}",
            "user": owners.get(other["uid"], str(other["uid"])),
            "group": users(sys, "/etc/group").get(other["gid"], str(other["gid"])), "comm": other["argv"][0].rsplit("/",
            1)[-1][:15], "tty": "?",
            "args": command_line(other), "time": _clock(other["cpu_us"]), "rss": f"{other['memory'] // 1024:4d}",
            "vsz": f"{other['memory'] // 512:4d}",
            "stat": _state(other, proc), "etime": f"{age // 60:d}:{age % 60:02d}",
        }[column]  # fmt: skip

    def row(cells: list[str]) -> str:
        return " ".join(text.ljust(widths[column]) for column, text in zip(columns, cells, strict=True)).rstrip() + "\n"

    sys.out(row([titles.get(column, column.upper()) for column in columns]))
    for other in everyone:
        sys.out(row([cell(other, column) for column in columns]))
    return 0


@tool("top")
def top(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        flags, _ = options(proc, sys, "bn:d:HmqS")
        data.update(left=int(flags["n"]) if "n" in flags else -1, pause=duration(flags.get("d", "5")) or 5000)
    state = sys.kernel.state
    if data["left"]:
        total = state["memory"] // 1024
        used = sum(p["memory"] for p in state["processes"].values()) // 1024
        everyone = sys.processes()
        busy = sum(p["burn"] for p in everyone) // 10
        cpus = max(1, state["cpu"] // 1000)
        running = sum(_state(p, proc) == "R" for p in everyone)
        sys.out(
            f"Mem: {used}K used, {total - used}K free, 0K shrd, 0K buff, 0K cached\n"
            f"CPU: {busy // cpus:3d}% usr   0% sys   0% nic {max(0, 100 - busy // cpus):3d}% idle   0% io   0% irq   0% sirq\n"
            f"Load average: {busy / 100:.2f} {busy / 100:.2f} {busy / 100:.2f} {running}/{len(everyone)} {proc['pid']}\n"
            "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n"
        )
        owners = users(sys)
        for other in sorted(everyone, key=lambda p: (-p["burn"], p["pid"])):
            owner = owners.get(other["uid"], str(other["uid"]))
            vsz = other["memory"] // 512
            sys.out(f"{other['pid']:5d} {other['ppid']:5d} {owner:<8.8s} {_state(other, proc):<4s} {vsz:5d}"
                    f" {vsz * 100 // total:3d}%   0"
                    f" {other['burn'] // 10 // cpus:3d}% {command_line(other)}\n")  # fmt: skip
        data["left"] -= 1
    if data["left"]:
        sys.sleep(data["pause"])
    return 0


@tool("kill")
def kill(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    if not words:
        complain(proc, sys, "you need to specify whom to kill")
        return 1
    if words[0] == "-l":
        sys.out("".join(f"{number:2}) {name}\n" for name, number in SIGNALS.items()))
        return 0
    n: int | None = TERM
    if words[0] == "-s" and len(words) > 1:
        n, words = signal_number(words[1]), words[2:]
    elif words[0].startswith("-") and words[0] != "--":
        n, words = signal_number(words[0][1:]), words[1:]
    if n is None:
        complain(proc, sys, f"bad signal name '{proc['argv'][1].lstrip('-')}'")
        return 1
    status = 0
    for word in words:
        if word == "--":
            continue
        if not re.fullmatch(r"-?\d+", word):
            complain(proc, sys, f"invalid number '{word}'")
            status = 1
            continue
        try:
            sys.kill(int(word), n)
        except Errno as error:
            complain(proc, sys, f"can't kill pid {word}: {error.text}")
            status = 1
    return status


@tool("killall", "pkill", "pidof", "pgrep")
def killall(proc: Process, sys: Sys, event: Event) -> int:
    tool_name = proc["argv"][0].rsplit("/", 1)[-1]
    words = list(proc["argv"][1:])
    n, full, quiet, only = TERM, False, False, ""
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-f", "-x", "-o", "-n", "-l", "-s", "-q", "-9", "-15") or signal_number(option[1:]) is not None:
            number = signal_number(option[1:])
            full, quiet = full or option == "-f", quiet or option == "-q"
            only = option if option in ("-o", "-n") else only
            n = number if number is not None else n
    matched: list[int] = []
    status = 0
    for word in words:
        pids = []
        for other in sys.processes():
            name = other["argv"][0].rsplit("/", 1)[-1] if other["argv"] else ""
            text = command_line(other) if full else name
            hit = compiled(extended(word)).search(text) is not None if tool_name in ("pkill", "pgrep") else name == word.rsplit("/", 1)[-1]
            if hit and other["pid"] != proc["pid"] and other["state"] != "zombie":
                pids.append(other["pid"])
        if only and tool_name in ("pkill", "pgrep"):  # the oldest or the newest alone
            pids = pids[:1] if only == "-o" else pids[-1:]
        matched += pids
        if not pids and tool_name == "killall" and not quiet:
            complain(proc, sys, f"{word}: no process killed")
            status = 1
        if tool_name in ("killall", "pkill"):
            for pid in pids:
                sys.kill(pid, n)
    if tool_name == "pidof" and matched:
        sys.out(" ".join(str(pid) for pid in reversed(matched)) + "\n")
    elif tool_name == "pgrep":
        sys.out("".join(f"{pid}\n" for pid in matched))
    return status if tool_name == "killall" else int(not matched)


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
        data.update(zero="0" in given, skip="r" in given, trace="t" in given, count=int(given.get("n", given.get("L", "0"))),
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
            items = _quoted_words(text)
        if data["mark"]:
            data["batches"] = [[word.replace(data["mark"], item) for word in data["command"]] for item in items]
        else:
            size = data["count"] or max(1, len(items))
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


@tool("stress", "stress-ng", memory=MEBIBYTE)
def stress(proc: Process, sys: Sys, event: Event) -> int:
    """The load generator of many manuals: --cpu N burns N cores, --vm N --vm-bytes B holds N times B bytes, and works on them all
    the time unless --vm-hang lets it sleep."""
    data = proc["data"]
    if event is None:
        words = proc["argv"][1:]
        values = {
            word.lstrip("-"): words[i + 1] if i + 1 < len(words) else "" for i, word in enumerate(words) if word.startswith("-")
        }

        def number(*names: str) -> int:
            text = next((values[name] for name in names if name in values), "0")
            match = re.fullmatch(r"(\d+)([bBkKmMgG]?)", text)
            return int(match[1]) * {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2].lower()] if match else 0

        cpu, vm, size = number("cpu", "c"), number("vm", "m"), number("vm-bytes") or 256 << 20
        span = next((values[name] for name in ("timeout", "t") if name in values), "")
        limit = duration(span) if span and span != "0" else None
        sys.out(f"stress: info: [{proc['pid']}] dispatching hogs: {cpu} cpu, 0 io, {vm} vm, 0 hdd\n")
        data.update(until=None if limit is None else sys.now + limit, began=sys.now)
        sys.burn((cpu if "vm-hang" in values else cpu + vm) * 1000)  # with --vm-hang a worker sleeps on what it holds
        if vm:
            sys.allocate(vm * size)
    if data["until"] is None:
        sys.pause()
    elif sys.now < data["until"]:
        sys.sleep(data["until"] - sys.now)
    sys.burn(0)
    sys.out(f"stress: info: [{proc['pid']}] successful run completed in {(sys.now - data['began']) // 1000}s\n")
    return 0
