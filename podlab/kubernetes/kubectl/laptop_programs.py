"""What the laptop is made of: its image, and the programs that the host runs on it (kubectl, curl).

Such a program is a generator outside the simulated machine; its process there only stands for it, so that pipes, redirections and
signals reach it as they reach any other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from ..runtime.image import Entry, Image
from ..runtime.images.base import base_tree
from ..runtime.node import Node
from ..runtime.program import PROGRAMS
from . import curl
from .disk import Disk
from .run import run
from .terminal import Command, Input, Terminal, Wait

if TYPE_CHECKING:
    from .laptop import Laptop

# What people have on their own machine beyond a slim Debian; `k` because so many call kubectl that
INSTALLED = ("free", "jq", "killall", "less", "nano", "pause", "pgrep", "pidof", "pkill", "ps", "top", "uptime", "vi", "vim", "watch")
COMMANDS = {**{name: Entry(program=name) for name in INSTALLED if name in PROGRAMS}, "k": Entry(link="kubectl"),
            "kubectl": Entry(program="foreign", size=58_605_752), "curl": Entry(program="foreign", size=276_056),
            "wget": Entry(program="foreign", size=549_320)}
IMAGE = Image("podlab/laptop", ("latest",), base_tree("debian", {"bin": COMMANDS}), 0, ("pause",))
Editor = Callable[[str, str], Generator[Wait, None, "str | None"]]


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
        self.raw, self.keys = False, ""
        self.woken, self.stir, self.busy, self.revision = False, False, False, -1
        self.due: int | None = laptop.started_at()
        argv = detail["argv"]
        terminal = Terminal(laptop.api, self.write, laptop.config, Disk(laptop.system(process), detail["cwd"]), Keys(self),
                            tty=detail["tty"],
                            raw=self._set_raw, save=self._save, edit=self._editor(detail["env"]),
                            forward=lambda port, to: laptop.set_forward(port, to, self.write),
                            line=" ".join(["kubectl", *argv[1:]]))
        name = argv[0].rsplit("/", 1)[-1]
        self.command: Command
        if name in ("kubectl", "k"):
            self.command = run(argv[1:], terminal)
        else:
            self.command = curl.run([name, *argv[1:]], terminal, laptop.connect)

    def _set_raw(self, on: bool) -> None:
        self.raw = on

    def _editor(self, env: dict[str, str]) -> Editor | None:
        """How `kubectl edit` edits: by the command in KUBE_EDITOR or EDITOR, else in the page; None where there is no editor."""
        command = env.get("KUBE_EDITOR") or env.get("EDITOR") or "vi"
        if command.split()[0] not in ("vi", "vim", "nano"):
            return lambda name, text: self.laptop.edit_by(command, name, text)
        return self.laptop.edit_in_page if self.laptop.can_edit else None

    def _save(self, path: str, text: str) -> None:
        self.laptop.system(self.process).write_file(path, text)

    def write(self, stream: int, text: str) -> None:
        if stream == 2 and self.laptop.at_terminal(self.process, 2):
            self.laptop.printed("err", text)
        else:
            self.laptop.node.foreign_write(self.process, stream, text)

    @property
    def alive(self) -> bool:
        proc = self.laptop.node.state["processes"].get(self.process)
        return proc is not None and proc["state"] != "zombie"
