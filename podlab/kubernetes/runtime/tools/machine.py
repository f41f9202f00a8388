"""Tools that tell about the machine: date, hostname, uname, uptime, free, id, mount, sysctl and the like."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from .. import capabilities, sysctls
from ..process import Errno, Process
from ..procfs import KERNEL_VERSION, mounts
from ..program import Event, tool
from ..system import Sys
from .common import complain, human, options
from .listing import number_of, users

ZONES = {"UTC": 0, "GMT": 0, "Asia/Seoul": 9, "KST-9": 9, "KST": 9, "Asia/Tokyo": 9}


RELATIVE = re.compile(r"([+-]?\s*\d+)?\s*\b(sec(?:ond)?|min(?:ute)?|hour|day|week|month|year)s?\b(\s+ago\b)?", re.I)
WORDS = {"now": 0, "today": 0, "yesterday": -1, "tomorrow": 1}  # days
SECONDS = {"sec": 1, "min": 60, "hou": 3600, "day": 86_400, "wee": 7 * 86_400}


def time_given(text: str, now: int, zone: timezone) -> int | None:
    """Unix ms that -d or -s names: @SECONDS, hh:mm[:ss] of today, or a date with or without a time; None for anything else."""
    try:
        if text.startswith("@"):
            return round(float(text[1:]) * 1000)
        if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", text):
            text = f"{datetime.fromtimestamp(now // 1000, zone):%Y-%m-%d} {text:0>5}"
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        return None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).timestamp() * 1000)


def time_told(text: str, now: int, zone: timezone) -> int | None:
    """As `time_given`, with the words that GNU date knows besides: yesterday, 2 days ago, +1 month, UTC (coreutils, Date input formats)."""
    months, seconds, rest = 0, 0, text
    for amount, unit, ago in RELATIVE.findall(text):
        count = int(amount.replace(" ", "") or 1) * (-1 if ago else 1)
        if unit.lower() in ("month", "year"):
            months += count * (12 if unit.lower() == "year" else 1)
        else:
            seconds += count * SECONDS[unit[:3].lower()]
    rest = RELATIVE.sub(" ", text)
    kept = []
    for word in rest.split():
        if word.lower() in WORDS:
            seconds += 86_400 * WORDS[word.lower()]
        elif word in ("UTC", "GMT"):
            zone = timezone(timedelta(0), "UTC")
        else:
            kept.append(word)
    base = time_given(" ".join(kept), now, zone) if kept else now
    if base is None:
        return None
    try:
        if months:
            when = datetime.fromtimestamp(base // 1000, zone)
            year, month = divmod(when.year * 12 + when.month - 1 + months, 12)
            base += round((when.replace(year=year, month=month + 1, day=1) + timedelta(days=when.day - 1) - when).total_seconds() * 1000)
        return base + 1000 * seconds
    except (ValueError, OverflowError, OSError):
        return None


@tool("date")
def date(proc: Process, sys: Sys, event: Event) -> int:
    return _date(proc, sys, time_given)


@tool("date-gnu")
def date_gnu(proc: Process, sys: Sys, event: Event) -> int:
    return _date(proc, sys, time_told)


def _date(proc: Process, sys: Sys, read: Callable[[str, int, timezone], int | None]) -> int:
    argv = proc["argv"]
    proc["argv"] = [word for word in argv if not word.startswith("-I")]  # -I takes its value only when it is attached
    flags, operands = options(proc, sys, "ud:s:r:RI:", {"utc": "u", "date": "d", "iso-8601": "I", "rfc-email": "R"})
    flags.update([("I", word[2:]) for word in argv if word.startswith("-I")])
    name = "UTC" if "u" in flags else proc["env"].get("TZ") or "UTC"
    hours = ZONES.get(name, 0)
    zone = timezone(timedelta(hours=hours), "UTC" if hours == 0 else "KST" if "Seoul" in name or "KST" in name else "JST")
    ms = sys.now
    if "d" in flags:
        given = read(flags["d"], ms, zone)
        if given is None:
            complain(proc, sys, f"invalid date '{flags['d']}'")
            return 1
        ms = given
    elif "r" in flags:
        try:
            ms = sys.look(flags["r"]).inode["mt"]
        except Errno as error:
            complain(proc, sys, f"{flags['r']}: {error.text}")
            return 1
    elif "s" in flags:
        if proc["uid"] or not capabilities.has(sys.container, "SYS_TIME"):
            complain(proc, sys, "can't set date: Operation not permitted")
            return 1
        if (ms_set := read(flags["s"], ms, zone)) is None:
            complain(proc, sys, f"invalid date '{flags['s']}'")
            return 1
        ms = ms_set  # the node's time service sets its clock right again at once
    try:
        when = datetime.fromtimestamp(ms // 1000, zone)
    except (ValueError, OverflowError, OSError):  # past the year 9999, where Python's calendar ends
        complain(proc, sys, f"invalid date '{flags.get('d', '')}'")
        return 1
    form = "%a %b %e %H:%M:%S %Z %Y"
    if operands:
        if not operands[0].startswith("+"):
            complain(proc, sys, f"invalid date '{operands[0]}'")
            return 1
        form = operands[0][1:]
    elif "I" in flags:
        form = {"": "%Y-%m-%d", "date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H%z", "minutes": "%Y-%m-%dT%H:%M%z"}.get(
            flags["I"], "%Y-%m-%dT%H:%M:%S%z"
        )
    elif "R" in flags:
        form = "%a, %d %b %Y %H:%M:%S %z"

    def piece(match: re.Match[str]) -> str:
        letter = match[1]
        if letter == "s":
            return str(ms // 1000)
        if letter == "N":
            return f"{ms % 1000:03d}000000"
        return "\n" if letter == "n" else "\t" if letter == "t" else when.strftime("%" + letter)

    sys.out(re.sub("%([A-Za-z%])", piece, form) + "\n")
    return 0


@tool("hostname", "dnsdomainname")
def hostname(proc: Process, sys: Sys, event: Event) -> int:
    flags, operands = options(proc, sys, "isfdaI")
    if operands:
        complain(proc, sys, "sethostname: Operation not permitted")
        return 1
    if "i" in flags or "I" in flags:
        sys.out(sys.sandbox["ip"] + (" \n" if "I" in flags else "\n"))
    elif "d" in flags or proc["argv"][0].endswith("dnsdomainname"):
        sys.out(_full_name(sys).partition(".")[2] + "\n" if "." in _full_name(sys) else "")
    elif "s" in flags:
        sys.out(sys.hostname.partition(".")[0] + "\n")
    else:
        sys.out((_full_name(sys) if "f" in flags else sys.hostname) + "\n")
    return 0


def _full_name(sys: Sys) -> str:
    """The first name that /etc/hosts has for the host's own (gethostbyname's h_name)."""
    try:
        lines = sys.read_file("/etc/hosts").splitlines()
    except Errno:
        lines = []
    rows = [line.partition("#")[0].split() for line in lines]
    return next((row[1] for row in rows if sys.hostname in row[1:]), sys.hostname)


@tool("uname", "arch")
def uname(proc: Process, sys: Sys, event: Event) -> int:
    if proc["argv"][0].endswith("arch"):
        sys.out("x86_64\n")
        return 0
    flags, _ = options(proc, sys, "asnrvmpio")
    parts = {"s": "Linux", "n": sys.hostname, "r": KERNEL_VERSION, "v": "#1 SMP PREEMPT_DYNAMIC",
        "m": "x86_64",
             "o": "GNU/Linux"}  # fmt: skip
    wanted = list(parts) if "a" in flags else [letter for letter in parts if letter in flags] or ["s"]
    sys.out(" ".join(parts[letter] for letter in wanted) + "\n")
    return 0


@tool("uptime")
def uptime(proc: Process, sys: Sys, event: Event) -> int:
    up = (sys.now - sys.kernel.state["booted"]) // 60_000
    days, hours, minutes = up // 1440, up // 60 % 24, up % 60
    span = (f"{days} day{'s' if days != 1 else ''}, " if days else "") + (
        f"{hours:2d}:{minutes:02d}" if up >= 60 else f"{minutes} min"
    )
    load = sys.read_file("/proc/loadavg").split()[:3]
    clock = datetime.fromtimestamp(sys.now // 1000, UTC).strftime("%H:%M:%S")
    sys.out(f" {clock} up {span},  0 users,  load average: {', '.join(load)}\n")
    return 0


@tool("free")
def free(proc: Process, sys: Sys, event: Event) -> int:
    flags, _ = options(proc, sys, "bkmgh")
    state = sys.kernel.state
    total = state["memory"]
    used = sum(p["memory"] for p in state["processes"].values())
    left = total - used - total // 16
    scale = 1 if "b" in flags else 1 << 20 if "m" in flags else 1 << 30 if "g" in flags else 1024

    def cell(size: int) -> str:
        return f"{human(size) if 'h' in flags else size // scale:>12}"

    sys.out("              total        used        free      shared  buff/cache   available\n")
    sys.out("Mem:   " + "".join(cell(n) for n in (total, used, left, 0, total // 16, left)) + "\n")
    sys.out("Swap:  " + "".join(cell(0) for _ in range(3)) + "\n")
    return 0


@tool("nproc")
def nproc(proc: Process, sys: Sys, event: Event) -> int:
    sys.out(f"{max(1, sys.kernel.state['cpu'] // 1000)}\n")
    return 0


@tool("whoami")
def whoami(proc: Process, sys: Sys, event: Event) -> int:
    name = users(sys).get(proc["uid"])
    if name is None:
        complain(proc, sys, f"unknown uid {proc['uid']}")
        return 1
    sys.out(name + "\n")
    return 0


@tool("id", "groups")
def identity(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "ugGnr")
    owners, groups = users(sys), users(sys, "/etc/group")
    uid, gid, all_groups = proc["uid"], proc["gid"], proc["groups"]
    if names:
        number = number_of(sys, names[0])
        if number is None:
            complain(proc, sys, f"unknown user {names[0]}")
            return 1
        uid = gid = number
        all_groups = [gid]

    def label(number: int, known: dict[int, str]) -> str:
        return f"{number}({known[number]})" if number in known else str(number)

    def only(number: int, known: dict[int, str]) -> str:
        return known.get(number, str(number)) if "n" in flags or proc["argv"][0].endswith("groups") else str(number)

    if "u" in flags:
        sys.out(only(uid, owners) + "\n")
    elif "g" in flags:
        sys.out(only(gid, groups) + "\n")
    elif "G" in flags or proc["argv"][0].endswith("groups"):
        sys.out(" ".join(only(number, groups) for number in all_groups) + "\n")
    else:
        extra = f" groups={','.join(label(n, groups) for n in all_groups)}"
        sys.out(f"uid={label(uid, owners)} gid={label(gid, groups)}{extra}\n")
    return 0


@tool("mount")
def mount(proc: Process, sys: Sys, event: Event) -> int:
    """Without operands it lists; -t TYPE: only what is of that type."""
    given, operands = options(proc, sys, "arwt:o:", {"all": "a", "types": "t", "options": "o"})
    if operands:
        complain(proc, sys, "permission denied (are you root?)")
        return 1
    for line in mounts(sys.kernel, sys.container).splitlines():
        device, path, kind, flags = line.split()[:4]
        if given.get("t", kind) != kind:
            continue
        sys.out(f"{device} on {path} type {kind} ({flags})\n")
    return 0


@tool("umount", "modprobe", "insmod", "reboot", "poweroff", "halt", "losetup")
def refused(proc: Process, sys: Sys, event: Event) -> int:
    complain(proc, sys, "Operation not permitted")
    return 1


@tool("sysctl")
def sysctl(proc: Process, sys: Sys, event: Event) -> int:
    """sysctl [-aneqw] NAME[=VALUE]...: only in a privileged container is /proc/sys not mounted for reading alone."""
    flags, operands = options(proc, sys, "aneqwp")
    status = 0
    for word in sysctls.DEFAULTS if "a" in flags else operands:
        name, equals, wanted = word.partition("=")
        name = name.replace("/", ".")
        found = sysctls.value(sys.kernel.state, sys.sandbox, name)
        if found is None:
            if "e" not in flags:
                complain(proc, sys, f"error: '{name}' is an unknown key")
            status = 1
        elif equals and (proc["uid"] or sys.container["mounts"]["/proc"]["ro"]):
            complain(proc, sys, f"error setting key '{name}': {'Permission denied' if proc['uid'] else 'Read-only file system'}")
            status = 1
        else:
            if equals:
                found = wanted
                sysctls.put(sys.kernel.state, sys.sandbox, name, wanted)
                if "q" in flags:
                    continue
            sys.out(found + "\n" if "n" in flags else f"{name} = {found}\n")
    return status


@tool("dmesg")
def dmesg(proc: Process, sys: Sys, event: Event) -> int:
    complain(proc, sys, "klogctl: Operation not permitted")
    return 1


@tool("sync", "clear", "reset", "logger")
def nothing(proc: Process, sys: Sys, event: Event) -> int:
    if proc["argv"][0].endswith(("clear", "reset")):
        sys.out("\x1b[H\x1b[J")
    return 0


@tool("tty")
def tty(proc: Process, sys: Sys, event: Event) -> int:
    sys.out("/dev/pts/0\n" if sys.is_tty(0) else "not a tty\n")
    return int(not sys.is_tty(0))


@tool("stty")
def stty(proc: Process, sys: Sys, event: Event) -> int:
    """stty size: what the terminal's owner last said of it; -echo and its like."""
    terminal = sys.terminal(0)
    if terminal is None:
        complain(proc, sys, "'standard input': Inappropriate ioctl for device")
        return 1
    words = proc["argv"][1:]
    if "size" in words:
        sys.out(f"{terminal['rows']} {terminal['cols']}\n")
    elif not words or "-a" in words:
        size = f" rows {terminal['rows']}; columns {terminal['cols']};" if words else ""
        sys.out(f"speed 38400 baud;{size} line = 0;\n{'' if terminal['echo'] else '-'}echo\n")
    for word, echo in (("echo", True), ("sane", True), ("-echo", False)):
        if word in words:
            terminal["echo"] = echo
    return 0


@tool("which")
def which(proc: Process, sys: Sys, event: Event) -> int:
    status = 0
    for name in [word for word in proc["argv"][1:] if not word.startswith("-")]:
        try:
            sys.out(sys.which(name) + "\n")
        except Errno:
            status = 1
    return status


@tool("vi", "vim", "nano", "less", "more", "ed")
def editor(proc: Process, sys: Sys, event: Event) -> int:
    name = proc["argv"][0].rsplit("/", 1)[-1]
    if name in ("less", "more") and not sys.is_tty(0):
        return _page(proc, sys)
    sys.err(
        f"{name}: this simulated terminal has no full-screen programs; use cat, sed -i or a here-document (cat > FILE <<EOF)\n"
    )
    return 1


def _page(proc: Process, sys: Sys) -> int:
    proc["program"] = "cat"
    sys.exec(["cat", *proc["argv"][1:]])
    return 0


@tool("yum", "dnf", "pip", "npm")
def package_manager(proc: Process, sys: Sys, event: Event) -> int:
    name = proc["argv"][0].rsplit("/", 1)[-1]
    sys.err(f"{name}: no package repository can be reached from this simulated cluster; use an image that has the program\n")
    return 1
