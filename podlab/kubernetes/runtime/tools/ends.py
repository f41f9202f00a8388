"""The ends of files: head and tail, and following a file that grows."""

from __future__ import annotations

import re

from ..process import Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .basics import duration
from .common import begin, complain, everything, lines, options, pieces, usage
from .text import RAW, count_of, raw


def _old_style(proc: Process) -> None:
    """`head -5` is `head -n 5`."""
    argv = proc["argv"]
    if len(argv) > 1 and re.fullmatch(r"-\d+", argv[1]):
        argv[1:2] = ["-n", argv[1][1:]]


@tool("head")
def head(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        _old_style(proc)
        given, names = options(proc, sys, "n:c:qv", {"lines": "n", "bytes": "c"})
        try:
            data.update(unit="c" if "c" in given else "n", count=count_of(given.get("c", given.get("n", "10"))))
        except ValueError:
            usage(proc, sys, f"invalid number '{given.get('c', given.get('n', ''))}'")
        data.update(left=data["count"], many=(len(names) > 1 or "v" in given) and "q" not in given, shown="", first=True, held=[])
        begin(proc, names)

    def title(name: str) -> None:
        if data["many"] and data["shown"] != name:
            sys.out(("" if data["first"] else "\n") + f"==> {'standard input' if name == '-' else name} <==\n")
            data.update(shown=name, first=False)

    state = data["in"]
    if data["count"] < 0 or data["many"]:
        status = 0
        for name, text in everything(proc, sys, "{}: {}"):
            title(name)
            if data["unit"] == "n":
                sys.out("".join(text.splitlines(True)[: data["count"]]))
            else:
                sys.out(raw(text)[: data["count"]].decode("utf-8", RAW))
        return status or int(state["status"])
    if data["unit"] == "c":

        def byte(text: str, name: str, end: bool) -> bool:
            part = raw(text)[: data["left"]]
            sys.out(part.decode("utf-8", RAW))
            data["left"] -= len(part)
            return bool(data["left"] <= 0)

        if data["count"] == 0:
            return 0
        return pieces(proc, sys, byte)

    def line(text: str, name: str) -> bool:
        if data["left"] > 0:
            sys.out(text)
            data["left"] -= 1
        return bool(data["left"] <= 0)

    return 0 if data["count"] == 0 else lines(proc, sys, line)


@tool("tail", memory=MEBIBYTE)
def tail(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        _old_style(proc)
        given, names = options(proc, sys, "n:c:fFs:qv", {"lines": "n", "bytes": "c", "follow": "f", "retry": "F"})
        text = given.get("c", given.get("n", "10"))
        try:
            count = count_of(text)
        except ValueError:
            usage(proc, sys, f"invalid number '{text}'")
        data.update(unit="c" if "c" in given else "n", count=abs(count), start=text.startswith("+"),
            follow="f" in given or "F" in given,
                    retry="F" in given, many=(len(names) > 1 or "v" in given) and "q" not in given, names=names or ["-"],
                    phase="read",
                    pause=duration(given.get("s", "1")) or 1000, held=0, seen="")  # fmt: skip
        data["many"] = data["many"] and "q" not in given
        if any(_endless(sys, name) for name in data["names"]):
            data["phase"] = "devour"
        begin(proc, list(names))
    if data["phase"] == "devour":
        # tail keeps the last line; /dev/zero never ends one, so its buffer grows until memory does not suffice.
        data["held"] = max(MEBIBYTE, data["held"] * 2)
        sys.allocate(data["held"])
        sys.sleep(max(1, data["held"] // (512 * 1024)))
    if data["phase"] == "read":
        status = 0
        files = everything(proc, sys, "can't open '{}': {}")
        for index, (name, text) in enumerate(files):
            if data["many"]:
                sys.out(("\n" if index else "") + f"==> {'standard input' if name == '-' else name} <==\n")
            sys.out(_last_part(text, data["unit"], data["count"], data["start"]))
            data["seen"] = name
        status = int(data["in"]["status"])
        if not files:
            complain(proc, sys, "no files")
        if not data["follow"]:
            return status
        data["files"] = []
        for name in data["names"]:
            data["files"].append({"name": name, "fd": None, "ino": ""})
            if name != "-":
                _follow_open(sys, data["files"][-1], False)
        if not data["retry"] and all(item["fd"] is None for item in data["files"]):
            return status
        data["phase"] = "follow"
        data["began"] = sys.now
    if event is not None and event["on"] == "change":
        # busybox looks once a second, not at once.
        sys.sleep(data["pause"] - (sys.now - data["began"]) % data["pause"])
    for item in data["files"]:
        _follow_read(proc, sys, item, data)
    watched = tuple(
        item["name"] if item["fd"] is not None or item["name"].startswith("/") else "."
        for item in data["files"]
        if item["name"] != "-"
    )
    places = tuple(_existing(sys, path) for path in watched)
    sys.poll(changes=places)
    return 0


def _endless(sys: Sys, name: str) -> bool:
    found = sys.find(name) if name != "-" else None
    return found is not None and found.inode["t"] == "c" and found.inode["dev"] in ("zero", "urandom", "random", "full")


def _existing(sys: Sys, path: str) -> str:
    """The nearest directory of a path that exists, to be watched."""
    while path not in ("", "/", "."):
        if sys.find(path) is not None:
            return path
        path = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    return path or "."


def _last_part(text: str, unit: str, count: int, start: bool) -> str:
    if unit == "c":
        data = raw(text)
        return (data[max(0, count - 1) :] if start else data[len(data) - min(count, len(data)) :]).decode("utf-8", RAW)
    rows = text.splitlines(True) if "\r" not in text and "\x0b" not in text else re.findall(r"[^\n]*\n|[^\n]+", text)
    return "".join(rows[max(0, count - 1) :] if start else rows[len(rows) - min(count, len(rows)) :])


def _follow_open(sys: Sys, item: dict[str, object], fresh: bool) -> None:
    name = str(item["name"])
    found = sys.find(name)
    if found is None:
        return
    try:
        fd = sys.open(name)
    except Errno:
        return
    item["fd"] = fd
    item["ino"] = f"{found.fsid}/{found.ino or found.path}"
    if not fresh:
        while sys.read(fd):
            pass


def _follow_read(proc: Process, sys: Sys, item: dict[str, object], data: dict[str, object]) -> None:
    name = str(item["name"])
    if name == "-":
        return
    if data["retry"]:
        found = sys.find(name)
        identity = "" if found is None else f"{found.fsid}/{found.ino or found.path}"
        if identity and identity != item["ino"]:
            if item["fd"] is not None:
                _follow_copy(sys, item, data)
                sys.close(int(str(item["fd"])))
                complain(proc, sys, f"{name} has been replaced; following end of new file")
            else:
                complain(proc, sys, f"{name} has appeared; following end of new file")
            item["fd"] = None
            _follow_open(sys, item, True)
    if item["fd"] is not None:
        _follow_copy(sys, item, data)


def _follow_copy(sys: Sys, item: dict[str, object], data: dict[str, object]) -> None:
    fd = int(str(item["fd"]))
    while text := sys.read(fd):
        if data["many"] and data["seen"] != item["name"]:
            sys.out(f"\n==> {item['name']} <==\n")
            data["seen"] = item["name"]
        sys.out(text)
