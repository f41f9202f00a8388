"""What the laptop is made of: its image, and the programs that the host runs on it (kubectl, curl, vi).

Such a program is a generator outside the simulated machine; its process there only stands for it, so that pipes, redirections and
signals reach it as they reach any other.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ..apiserver.errors import show
from ..runtime.image import Entry, Image
from ..runtime.images.base import base_tree
from ..runtime.node import Node
from ..runtime.process import Errno
from ..runtime.program import PROGRAMS
from . import curl, page_editor
from .disk import Disk
from .editing import editor_of
from .run import run
from .terminal import Command, Input, KubectlError, Terminal, Wait

if TYPE_CHECKING:
    from .laptop import Laptop

# What people have on their own machine beyond a slim Debian; `k` because so many call kubectl that
INSTALLED = ("free", "jq", "killall", "less", "pause", "pgrep", "pidof", "pkill", "ps", "top", "uptime", "watch")
COMMANDS = {**{name: Entry(program=name) for name in INSTALLED if name in PROGRAMS}, "k": Entry(link="kubectl"),
            "kubectl": Entry(program="foreign", size=58_605_752), "curl": Entry(program="foreign", size=276_056),
            "wget": Entry(program="foreign", size=549_320),
            **{name: Entry(program="foreign", size=2_000_000) for name in page_editor.NAMES}}
IMAGE = Image("podlab/laptop", ("latest",), base_tree("debian", {"bin": COMMANDS}), 0, ("pause",))


class Machine(Node):
    def find_image(self, reference: str) -> Image | None:
        return IMAGE


class Keys(Input):
    """What a host program may read: its own descriptor 0, or keys as they come in raw mode."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def read(self) -> str | None:
        running = self._running
        if running.raw:
            keys, running.keys = running.keys, ""
            return keys or None
        return running.laptop.node.foreign_read(running.process)


class Running:
    """One program that the host runs."""

    def __init__(self, laptop: Laptop, process: str, detail: dict[str, Any]) -> None:
        self.laptop, self.process = laptop, process
        self.raw, self.keys, self.cwd = False, "", detail["cwd"]
        self.woken, self.stir, self.busy, self.revision = False, False, False, -1
        self.due: int | None = laptop.started_at()
        argv, env = detail["argv"], detail["env"]
        terminal = Terminal(laptop.api, self.write, laptop.config, Disk(laptop.system(process), detail["cwd"]), Keys(self),
                            tty=detail["tty"],
                            raw=self._set_raw, save=self._save, edit=partial(self._edit, *editor_of(env)),
                            remove=self._remove,
                            forward=lambda port, to: laptop.set_forward(port, to, self.write),
                            line=" ".join(["kubectl", *argv[1:]]), environ=env)
        name = argv[0].rsplit("/", 1)[-1]
        self.command: Command
        if name in ("kubectl", "k"):
            self.command = run(argv[1:], terminal)
        elif name in page_editor.NAMES:
            self.command = page_editor.run(argv, terminal, laptop.page_editor)
        else:
            self.command = curl.run([name, *argv[1:]], terminal, laptop.connect)

    def _set_raw(self, on: bool) -> None:
        self.raw = on

    def _save(self, path: str, text: str) -> None:
        self.laptop.system(self.process).write_file(path, text)

    def _edit(self, words: str, program: str | None, path: str, text: str) -> Generator[Wait, None, str]:
        """Have a new file edited by a command of this machine, as kubectl does (S/kubectl/pkg/cmd/util/editor/editor.go, Launch).

        Raises KubectlError for a command that is not there or fails.
        """
        laptop, machine = self.laptop, self.laptop.system(self.process)
        try:
            if program is not None:
                machine.which(program)
        except Errno:
            raise KubectlError(f"error: unable to launch the editor {show(words)}\n") from None
        machine.write_file(path, text)
        editor = laptop.spawn(["sh", "-c", f'cd "$1" && {words} "$2"', "sh", self.cwd, path])
        try:
            while laptop.ended(editor) is None:
                yield Wait(stir=True)
            out, err = laptop.node.read_exec(editor)
        finally:  # also when kubectl itself was interrupted
            laptop.node.forget_exec(editor)
        self.write(1, out)
        self.write(2, err)
        if laptop.ended(editor):
            raise KubectlError(f"error: there was a problem with the editor {show(words)}\n")
        return machine.read_file(path)

    def _remove(self, path: str) -> None:
        with suppress(Errno):
            self.laptop.system(self.process).unlink(path)

    def write(self, stream: int, text: str) -> None:
        if stream == 2 and self.laptop.at_terminal(self.process, 2):
            self.laptop.printed("err", text)
        else:
            self.laptop.node.foreign_write(self.process, stream, text)

    @property
    def alive(self) -> bool:
        proc = self.laptop.node.state["processes"].get(self.process)
        return proc is not None and proc["state"] != "zombie"
