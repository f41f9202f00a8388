"""find."""

from __future__ import annotations

import re

from .. import filesystem
from ..filesystem import Vnode
from ..numerals import whole
from ..process import Errno, Process
from ..program import Event, tool
from ..shell import patterns
from ..system import Sys
from .common import complain, usage
from .files import remove
from .listing import number_of, why


@tool("find")
def find(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    data = proc["data"]
    if event is None:
        paths: list[str] = []
        while words and not words[0].startswith("-") and words[0] not in ("!", "("):
            paths.append(words.pop(0))
        limits = {"-maxdepth": 1 << 20, "-mindepth": 0}
        tests: list[str] = []
        while words:
            word = words.pop(0)
            if word in limits and words:
                limits[word] = whole(words.pop(0))
            else:
                tests.append(word)
        data.update(todo=[[path, 0] for path in reversed(paths or ["."])], tests=tests, max=limits["-maxdepth"],
            min=limits["-mindepth"], status=0,
                    running=None, after=[], many=[])  # fmt: skip
    while True:
        if data["running"]:
            ended = sys.wait(data["running"])
            data["running"] = None
            if ended is not None and ended[1]:
                data["status"] = 1
        if data["after"]:
            command = data["after"].pop(0)
            try:
                data["running"] = sys.spawn(command)
            except Errno:
                complain(proc, sys, f"{command[0]}: No such file or directory")
                data["status"] = 1
            continue
        if not data["todo"]:
            if data["many"]:
                *command, last = data["many"]
                files = last
                data["many"] = []
                data["after"].append([*command, *files])
                continue
            return int(data["status"])
        path, depth = data["todo"].pop()
        found = sys.find(path, follow=False)
        if found is None:
            complain(proc, sys, f"{path}: {why(sys, path)}")
            data["status"] = 1
            continue
        prune = False
        if depth >= data["min"]:
            prune = _Find(proc, sys, path, found).run()
        if found.is_dir and depth < data["max"] and not prune:
            try:
                names = sys.listdir(path)
            except Errno as error:
                complain(proc, sys, f"{path}: {error.text}")
                data["status"] = 1
                continue
            data["todo"] += [[path.rstrip("/") + "/" + name, depth + 1] for name in reversed(names)]
        sys.breathe()


class _Find:
    """find's expression for one file."""

    def __init__(self, proc: Process, sys: Sys, path: str, vnode: Vnode) -> None:
        self.proc, self.sys, self.path, self.vnode = proc, sys, path, vnode
        self.words: list[str] = proc["data"]["tests"]
        self.at, self.prune = 0, False

    def run(self) -> bool:
        result = self.either(True) if self.words else True
        actions = ("-print", "-print0", "-exec", "-delete", "-ok", "-ls")
        if result and not any(word in actions for word in self.words):
            self.sys.out(self.path + "\n")
        return self.prune

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def either(self, live: bool) -> bool:
        result = self.both(live)
        while self.peek() in ("-o", "-or"):
            self.at += 1
            right = self.both(live and not result)
            result = result or right
        return result

    def both(self, live: bool) -> bool:
        result = self.one(live)
        while self.peek() and self.peek() not in ("-o", "-or", ")"):
            if self.peek() in ("-a", "-and"):
                self.at += 1
            right = self.one(live and result)
            result = result and right
        return result

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def one(self, live: bool) -> bool:
        word = self.take()
        inode = self.vnode.inode
        if word in ("!", "-not"):
            return not self.one(live)
        if word == "(":
            result = self.either(live)
            self.take()
            return result
        if word in ("-name", "-iname"):
            pattern, name = self.take(), self.path.rstrip("/").rsplit("/", 1)[-1] or "/"
            return patterns.matches(pattern.lower(), name.lower()) if word == "-iname" else patterns.matches(pattern, name)
        if word in ("-path", "-wholename"):
            return patterns.matches(self.take(), self.path)
        if word == "-type":
            return bool(inode["t"] in self.take())
        if word == "-empty":
            return not self.sys.names(self.vnode) if self.vnode.is_dir else filesystem.size(inode) == 0
        if word in ("-size", "-mtime", "-mmin"):
            return self.compare(word, self.take())
        if word == "-newer":
            other = self.sys.find(self.take())
            return other is not None and inode["mt"] > other.inode["mt"]
        if word == "-user":
            return bool(inode["u"] == number_of(self.sys, self.take()))
        if word == "-perm":
            text = self.take()
            if not re.fullmatch("[-/]?[0-7]{1,5}", text):
                raise Errno(f"invalid mode '{text}'")
            want = int(text.lstrip("-/"), 8)
            return bool(
                inode["m"] & want == want
                if text[0] == "-"
                else inode["m"] & want
                if text[0] == "/"
                else inode["m"] & 0o7777 == want
            )
        if word in ("-print", "-print0"):
            if live:
                self.sys.out(self.path + ("\n" if word == "-print" else "\0"))
            return True
        if word == "-prune":
            self.prune = self.prune or live
            return True
        if word == "-delete":
            return not live or remove(self.proc, self.sys, self.path, False, False) == 0
        if word == "-exec":
            self.noted_for_later(live)
            return True
        if word in ("-follow", "-xdev", "-depth", "-L", "-true"):
            return True
        usage(self.proc, self.sys, f"unrecognized: {word}")
        return False

    def noted_for_later(self, live: bool) -> None:
        """-exec: the command that will be run for this file, or (+) for all at the end."""
        command: list[str] = []
        while self.peek() not in (";", "+", ""):
            command.append(self.take())
        end = self.take()
        if live and end == "+":
            data = self.proc["data"]
            files = data["many"][-1] if data["many"] else []
            data["many"] = [*[part for part in command if part != "{}"], [*files, self.path]]
        elif live:
            self.proc["data"]["after"].append([part.replace("{}", self.path) for part in command])

    def compare(self, word: str, text: str) -> bool:
        sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
        inode = self.vnode.inode
        if word == "-size":
            unit = {"c": 1, "k": 1024, "M": 1 << 20, "G": 1 << 30, "b": 512}.get(digits[-1], 512)
            value = -(-filesystem.size(inode) // unit)
            digits = digits.rstrip("ckMGb")
        else:
            value = (self.sys.now - inode["mt"]) // (86_400_000 if word == "-mtime" else 60_000)
        wanted = whole(digits)
        return value > wanted if sign == "+" else value < wanted if sign == "-" else value == wanted
