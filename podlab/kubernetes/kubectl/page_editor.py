"""vi, vim and nano on the learner's machine. It has no full screen: the page's own editor opens the file, where a page is there."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from ..runtime.process import Errno
from .terminal import Command, Terminal, Wait

NAMES = ("nano", "vi", "vim")
NO_PAGE = "{}: this simulated terminal has no full-screen programs; use cat, sed -i or a here-document (cat > FILE <<EOF)\n"


@dataclass(frozen=True, slots=True)
class Opened:
    """A text that a program wants to have edited. Numbers begin with 1 and are never used again in the same terminal."""

    number: int
    name: str  # of the file, as the program was told it
    text: str


class PageEditor:
    """What programs of one terminal's machine have opened. The page shows `opened` and closes it; others wait until it is their turn."""

    def __init__(self, most: int) -> None:
        """`most`: UTF-8 bytes of a text that the page gives back."""
        self._most = most
        self._waiting: dict[int, Opened] = {}
        self._closed: dict[int, str | None] = {}
        self._last = 0

    @property
    def opened(self) -> Opened | None:
        return next(iter(self._waiting.values()), None)

    def fault(self, text: str) -> str:
        """Why a page could not give this text back as it is; "" where it can."""
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            return "not text"
        return "not text" if "\0" in text else f"too large for this editor: {size} bytes of {self._most}" if size > self._most else ""

    def close(self, number: int, text: str | None) -> None:
        """The learner is done with it: the text as saved last, or None where nothing was saved. A number that is not open means nothing."""
        if self._waiting.pop(number, None) is not None:
            self._closed[number] = text

    def forget(self) -> None:
        """The machine is no more: nothing is open."""
        self._waiting.clear()

    def edit(self, name: str, text: str) -> Generator[Wait, None, str | None]:
        """Opens a text and waits; what was saved, None for nothing."""
        self._last += 1
        number = self._last
        self._waiting[number] = Opened(number, name, text)
        try:
            while number not in self._closed:
                yield Wait()
            return self._closed[number]
        finally:
            self._waiting.pop(number, None)
            self._closed.pop(number, None)


def run(argv: list[str], terminal: Terminal, page: PageEditor | None) -> Command:
    """The program: one file after another. `page` None: there is none."""
    program = argv[0].rsplit("/", 1)[-1]
    paths = [word for word in argv[1:] if not word.startswith(("-", "+"))]
    if page is None or not paths or terminal.save is None:
        terminal.err(NO_PAGE.format(program) if page is None else f"{program}: name the file to edit: {program} FILE\n")
        return 1
    for path in paths:
        before = terminal.files.get(path, "")
        if fault := page.fault(before):
            terminal.err(f"{program}: {path}: {fault}\n")
            return 1
        after = yield from page.edit(path, before)
        if after is None or after == before:
            continue
        try:
            terminal.save(path, after)
        except Errno as error:
            terminal.err(f'"{path}" E212: Can\'t open file for writing: {error.text}\n')
            return 1
    return 0
