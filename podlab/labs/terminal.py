"""One page's terminal: lines in, text out, a command at a time. The command runs outside the cluster; what it asks goes through the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from podlab.kubernetes.kubectl.laptop import Laptop
from podlab.kubernetes.kubectl.page_editor import Opened, PageEditor
from podlab.labs import limits
from podlab.labs.live import LiveCluster

LONGEST_TURN = 0.02  # seconds of work on a command before others get their turn
OUTPUT_MAX = 200_000  # characters of one command's output that a page is sent


class TerminalSession:
    """The learner's shell beside one live cluster. Call `feed`, `interrupt`, `close_editor` and `advance` inside a turn of the cluster."""

    def __init__(self, live: LiveCluster, files: dict[str, str], send: Callable[[str, str], None]) -> None:
        self._send = send  # (stream: "out" or "err", text)
        self._sent = 0
        self._editor = PageEditor(settings.LEARNER_FILE_BYTES)
        self._told = 0  # number of the last file that was opened
        self.attach(live, files)

    def attach(self, live: LiveCluster, files: dict[str, str]) -> None:
        """(Re)connect to a live cluster, as after a restart or a rewind; a running command is gone."""
        self.live, self.engine = live, live.engine
        self._editor.forget()
        self.laptop = Laptop(live.engine, limits.Writes(live.apply, full=live.full), files, page_editor=self._editor)
        self.laptop.paused = lambda: not live.rate  # a command's own work takes no time while the clock stands still
        self._until = float("inf")
        self.laptop.tired = lambda: time.monotonic() > self._until

    @property
    def busy(self) -> bool:
        return self.laptop.busy

    @property
    def hungry(self) -> bool:
        """Whether a command was stopped for the others' sake: `advance` again as soon as they have had their turn."""
        return self.laptop.hungry

    @property
    def prompt(self) -> str:
        return self.laptop.prompt

    @property
    def opened(self) -> Opened | None:
        """The file that a command wants to have edited in the page's editor."""
        return self._editor.opened

    def _follow(self) -> None:
        """The cluster stands at another moment (undone, reset, by whomever): a command that ran belongs to what is no more."""
        if self.engine is not self.live.engine:
            self.attach(self.live, self.files())

    def feed(self, line: str) -> None:
        """A line that the learner entered: a command, or input for the one that runs."""
        self._follow()
        self._sent = 0
        self._until = time.monotonic() + LONGEST_TURN
        self.laptop.enter(line)
        self.collect()

    def interrupt(self) -> None:
        self._until = time.monotonic() + LONGEST_TURN
        self.laptop.interrupt()
        self.collect()

    def close_editor(self, number: int, text: str | None) -> None:
        """The page's editor was closed: the text as saved last, or None where nothing was saved."""
        self._follow()
        self._until = time.monotonic() + LONGEST_TURN
        self.laptop.close_editor(number, text)
        self.collect()

    def advance(self) -> None:
        """The cluster has moved: let a waiting command look."""
        self._follow()
        self._until = time.monotonic() + LONGEST_TURN
        self.laptop.advance()
        self.collect()

    def next_at(self) -> int | None:
        """When what runs wants to go on by itself, virtual ms; None: when the cluster moves."""
        return self.laptop.next_at()

    def collect(self) -> None:
        for stream, text in self.laptop.take_output():
            room = OUTPUT_MAX - self._sent
            if room <= 0:
                continue
            self._sent += len(text)
            self._send(stream, text[:room])
            if len(text) >= room:
                self._send("note", "\n(출력이 너무 길어 여기에서 줄였습니다)\n")
        opened = self._editor.opened
        if opened is not None and opened.number > self._told:
            self._told = opened.number
            self._send("note", f"↳ YAML 칸에서 {opened.name} 파일을 열었습니다. 닫으면 명령이 이어집니다.\n")

    def complete(self, line: str) -> list[str]:
        return self.laptop.complete(line)

    def files(self) -> dict[str, Any]:
        return self.laptop.files()
