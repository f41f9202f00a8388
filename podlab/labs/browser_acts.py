"""What a lab page does with its browser tab: a part of its consumer (consumers.py). The tab itself is browser_tab.py."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.labs import audience, limits, panels
from podlab.labs.browser_tab import BrowserTab
from podlab.labs.limits import Bucket
from podlab.labs.live import LiveCluster
from podlab.labs.page import Page


class BrowserActs(ABC):
    """The acts of LabConsumer that begin with `do_browse`, and what the relay tells it."""

    learner_id: UUID
    live: LiveCluster | None
    page: Page
    browser: BrowserTab
    rate_limit: Bucket

    @abstractmethod
    def show(self, html: str) -> None:
        """Send fragments with the next change."""

    async def do_browse(self, message: dict[str, Any]) -> None:
        """An address for the browser tab."""
        self.page.open_tab("browser")
        self.browser.open(message.get("url"))

    async def do_browse_step(self, message: dict[str, Any]) -> None:
        """Back (-1), forward (1) or once more (0)."""
        self.browser.step(max(-1, min(1, int(limits.number(message.get("by"))))))

    async def do_browse_stop(self, message: dict[str, Any]) -> None:
        self.browser.stop()

    async def do_browse_forget(self, message: dict[str, Any]) -> None:
        """The tab's cookies go."""
        self.browser.forget_cookies()

    async def browser_go(self, event: dict[str, Any]) -> None:
        """From the relay (browser_views.py): a link or form of the page in the frame."""
        if self.live is not None and self.rate_limit.take():
            try:
                audience.permit(self.learner_id, "browse")
            except ApiError as refusal:
                self.show(panels.refusal(refusal))
                return
            self.browser.follow(event)
