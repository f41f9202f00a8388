"""Tools on processes: ps, top, kill, killall, and stress, which is one that works."""

from __future__ import annotations

import re

from ..linear import compiled
from ..numerals import saturated, whole
from ..process import SIGNALS, TERM, Errno, Process, signal_number
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .basics import duration
from .common import complain, options
from .listing import users
from .regex import extended


def state_of(other: Process, me: Process) -> str:
    if other["state"] == "zombie":
        return "Z"
    if other["state"] == "stopped":
        return "T"
    at_work = other["wait"] is None or "turn" in other["wait"]
    return "R" if other is me or other["burn"] or (at_work and other["state"] == "running") else "S"


def load_of(other: Process, now: int) -> int:
    """Millicores that a process uses now: what it burns steadily, or its life's average while it is at work."""
    if other["burn"] or other["wait"] is None or "turn" not in other["wait"]:
        return other["burn"]
    return min(1000, other["cpu_us"] // max(1, now - other["started"]))


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
            "stat": state_of(other, proc), "etime": f"{age // 60:d}:{age % 60:02d}",
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
        data.update(left=whole(flags["n"]) if "n" in flags else -1, pause=duration(flags.get("d", "5")) or 5000)
    state = sys.kernel.state
    if data["left"]:
        total = state["memory"] // 1024
        used = sum(p["memory"] for p in state["processes"].values()) // 1024
        everyone = sys.processes()
        loads = {p["pid"]: load_of(p, sys.now) for p in everyone}
        busy = sum(loads.values()) // 10
        cpus = max(1, state["cpu"] // 1000)
        running = sum(state_of(p, proc) == "R" for p in everyone)
        sys.out(
            f"Mem: {used}K used, {total - used}K free, 0K shrd, 0K buff, 0K cached\n"
            f"CPU: {busy // cpus:3d}% usr   0% sys   0% nic {max(0, 100 - busy // cpus):3d}% idle   0% io   0% irq   0% sirq\n"
            f"Load average: {busy / 100:.2f} {busy / 100:.2f} {busy / 100:.2f} {running}/{len(everyone)} {proc['pid']}\n"
            "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n"
        )
        owners = users(sys)
        for other in sorted(everyone, key=lambda p: (-loads[p["pid"]], p["pid"])):
            owner = owners.get(other["uid"], str(other["uid"]))
            vsz = other["memory"] // 512
            sys.out(f"{other['pid']:5d} {other['ppid']:5d} {owner:<8.8s} {state_of(other, proc):<4s} {vsz:5d}"
                    f" {vsz * 100 // total:3d}%   0"
                    f" {loads[other['pid']] // 10 // cpus:3d}% {command_line(other)}\n")  # fmt: skip
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
            sys.kill(saturated(word), n)
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
            return saturated(match[1]) * {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2].lower()] if match else 0

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
