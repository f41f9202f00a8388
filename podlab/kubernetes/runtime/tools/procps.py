"""ps as Debian's and Ubuntu's procps prints it: the columns of ps aux, ps -ef, ps -elf and ps -e (ps(1); widths of procps-ng 4)."""

from __future__ import annotations

from collections.abc import Callable

from ...times import stamp
from ..process import Process
from ..program import Event, tool
from ..system import Sys
from .listing import users
from .processes import command_line, ps, state_of

Column = tuple[str, int, Callable[[Process], str]]
"""(title, width: to the left where negative, 0 at the end of a line, text of a process)."""
BSD = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME: COMMAND"
SHORT_BSD = "PID TTY STAT TIME: COMMAND"
FULL = "UID PID PPID C STIME TTY TIME CMD"
LONG = "F S UID PID PPID C PRI NI ADDR-SZ WCHAN STIME TTY TIME CMD"
SHORT = "PID TTY TIME COMM"


def _layout(words: list[str]) -> tuple[str, bool]:
    """(names of the columns, whether the processes of other terminals are shown)."""
    bsd = "".join(word for word in words if not word.startswith("-"))
    unix = "".join(word[1:] for word in words if word.startswith("-") and not word.startswith("--"))
    if "aux" in unix:  # the standard's form is a mistake that procps understands
        bsd, unix = unix, ""
    if bsd and not bsd.isdigit():
        return (BSD if "u" in bsd else SHORT_BSD), "x" in bsd or "a" in bsd
    if "f" in unix or "F" in unix:
        return (LONG if "l" in unix else FULL), "e" in unix or "A" in unix
    return SHORT, "e" in unix or "A" in unix


@tool("ps-procps")
def ps_procps(proc: Process, sys: Sys, event: Event) -> int:
    """ps [aux | -e | -ef | -elf] [-p PID] [-o COLUMN,...]."""
    words = proc["argv"][1:]
    if any(word.startswith("-") and "o" in word and not word.startswith("--") for word in words):
        return ps(proc, sys, event) or 0
    wanted = words[words.index("-p") + 1] if "-p" in words[:-1] else ""
    names, everyone = _layout([word for word in words if word not in ("-p", wanted)])
    shown = [one for one in sys.processes() if (str(one["pid"]) in wanted.split(",") if wanted else everyone or one["ppid"] != 0 or one is proc)]
    columns = _columns(proc, sys)
    chosen = [columns[name] for name in names.split()]
    sys.out(_row([(title, width) for title, width, _ in chosen]))
    for one in shown:
        sys.out(_row([(text(one), width) for _, width, text in chosen]))
    return 0


def _row(cells: list[tuple[str, int]]) -> str:
    return " ".join(text.ljust(-width) if width < 0 else text.rjust(width) for text, width in cells).rstrip() + "\n"


def _columns(proc: Process, sys: Sys) -> dict[str, Column]:
    owners = users(sys)
    total = int(next((line.split()[1] for line in sys.read_file("/proc/meminfo").splitlines() if line.startswith("MemTotal")), "1"))

    def owner(one: Process) -> str:
        name = owners.get(one["uid"], str(one["uid"]))
        return name if len(name) <= 8 else name[:7] + "+"

    def busy(one: Process) -> float:
        return one["cpu_us"] / 10 / max(1000, sys.now - one["started"])

    def stat(one: Process) -> str:
        return state_of(one, proc) + ("s" if one["ppid"] == 0 else "")

    def clock(one: Process) -> str:
        seconds = one["cpu_us"] // 1_000_000
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def began(one: Process) -> str:
        return stamp(one["started"], "%H:%M" if sys.now - one["started"] < 86_400_000 else "%b%d")

    return {
        "USER": ("USER", -8, owner), "UID": ("UID", -8, owner), "PID": ("PID", 7, lambda one: str(one["pid"])),
        "PPID": ("PPID", 7, lambda one: str(one["ppid"])), "%CPU": ("%CPU", 4, lambda one: f"{busy(one):.1f}"),
        "%MEM": ("%MEM", 4, lambda one: f"{one['memory'] / 10.24 / total:.1f}"), "VSZ": ("VSZ", 6, lambda one: str(one["memory"] // 512)),
        "RSS": ("RSS", 5, lambda one: str(one["memory"] // 1024)), "TTY": ("TTY", -8, lambda one: "?"), "STAT": ("STAT", -4, stat),
        "START": ("START", -5, began), "STIME": ("STIME", -5, began), "C": ("C", 2, lambda one: str(int(busy(one)))),
        "TIME:": ("TIME", 6, lambda one: f"{one['cpu_us'] // 60_000_000}:{one['cpu_us'] // 1_000_000 % 60:02d}"), "TIME": ("TIME", 8, clock),
        "F": ("F", 1, lambda one: "4" if one["ppid"] == 0 else "0"), "S": ("S", 1, lambda one: state_of(one, proc)),
        "PRI": ("PRI", 3, lambda one: "80"), "NI": ("NI", 3, lambda one: "0"),
        "ADDR-SZ": ("ADDR SZ", 7, lambda one: f"- {one['memory'] // 2048:5d}"), "WCHAN": ("WCHAN", -6, lambda one: "-"),
        "CMD": ("CMD", 0, command_line), "COMMAND": ("COMMAND", 0, command_line),
        "COMM": ("CMD", 0, lambda one: one["argv"][0].rsplit("/", 1)[-1][:15]),
    }  # fmt: skip
