"""What one lab page shows and has been sent. It renders nothing twice: a fragment goes out when its text differs from the last one."""

from __future__ import annotations

from typing import Any, Protocol

from podlab.kubernetes.kubectl.page_editor import Opened
from podlab.labs import panels
from podlab.labs.live import LiveCluster
from podlab.projection import regions
from podlab.projection.board import Options
from podlab.projection.regions import Rendered

WIDTHS = (360, 440, 520, *range(640, 2001, 80))  # the diagram is laid out for one of these, so that viewers share renders
TABS = ("terminal", "yaml", "browser", "timeline", "requests", "inspector")
EVERY_CLOCK_MS = 15_000  # the page ticks its clock itself; this often it is told the truth anyway


class Prompt(Protocol):
    """What a page shows of a terminal beside what it printed."""

    @property
    def prompt(self) -> str: ...

    @property
    def busy(self) -> bool: ...

    @property
    def opened(self) -> Opened | None: ...


class Page:
    """One viewer's state: which tab is open, what is selected, what was sent last."""

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.width = 960
        self.tab = "terminal"
        self.ref, self.view = "", "describe"
        self.options = Options()
        self.saved_files: dict[str, str] = {}
        self._opened = 0  # number of the file that the page's editor shows for a command: its machine may go, the page does not
        self.forget()

    def forget(self) -> None:
        """Send everything again at the next occasion."""
        self._sent: dict[str, str] = {}
        self._board: Rendered | None = None
        self._clock_at = 0

    def select(self, ref: str, view: str) -> None:
        self.ref = ref
        if view in panels.VIEW_NAMES:
            self.view = view
        self._sent.pop("inspector", None)

    def open_tab(self, tab: str) -> None:
        if tab in TABS:
            self.tab = tab

    def set_width(self, width: int) -> None:
        """The widest layout that fits `width` CSS pixels."""
        fitting = next((fit for fit in reversed(WIDTHS) if fit <= width), WIDTHS[0])
        if fitting != self.width:
            self.width, self._board = fitting, None

    def fragments(self, live: LiveCluster, terminal: Prompt) -> list[str]:
        """The HTML of what has changed, each with hx-swap-oob."""
        board = panels.rendered(live, self.width, self.options)
        found = [panels.out_of_band(html) for html in regions.changed(self._board, board).values()]
        news = regions.news(self._board, board) if self._board is not None and self._board is not board else []
        self._board = board
        if news:
            found.append(panels.news(news))
        clock: dict[str, Any] = panels.clock_facts(live)
        if abs(live.engine.now - self._clock_at) > EVERY_CLOCK_MS or live.rate == 0:
            clock["now"] = self._clock_at = live.engine.now
        self._put(found, "clock", None, key=str((clock["rate"], self._clock_at)), make=lambda: panels.clock(live))
        self._put(found, "prompt", panels.prompt(terminal.prompt, terminal.busy))
        number = terminal.opened.number if terminal.opened is not None else 0
        if number != self._opened:
            self._opened = number
            found.append(panels.opened(terminal.opened))
        key = str((live.era, live.engine.etcd.revision, live.engine.causes.last))
        self._put(found, "track", None, key=key, make=lambda: panels.track(live))
        if self.tab == "timeline":
            self._put(found, "timeline", None, key=key, make=lambda: panels.timeline(live))
        if self.tab == "requests":
            self._put(found, "requests", panels.requests(live))
        if self.tab == "inspector" and self.ref:
            self._put(found, "inspector", panels.inspector(live, self.ref, self.view, board.board))
        return found

    def _put(self, found: list[str], name: str, html: str | None, key: str | None = None, make: Any = None) -> None:
        """Add a fragment unless the page has it; `key` stands for its content where making it just to compare would cost."""
        mark = key if key is not None else html or ""
        if self._sent.get(name) != mark:
            self._sent[name] = mark
            found.append(html if html is not None else make())
