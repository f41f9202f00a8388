"""The real server in a process of its own, and real Chromium pages that fail on any console error or policy violation.

    def test_something(wide): wide.goto("/") ...          1440 x 900
    def test_on_a_phone(phone): phone.goto("/") ...       390 x 844
    def test_two_devices(new_page): a, b = new_page(), new_page() ...    each with its own cookies

An error that a test provokes on purpose is announced: `allow_error(page, "422")`.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


class Server:
    """`manage.py serve` with a data directory of its own. `start` after `kill` (SIGKILL) comes back on the same port and data."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.log: IO[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        self.data.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PODLAB_", "DATABASE_", "REDIS_", "SECRET_"))}
        environ = {**kept, "PODLAB_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        self.log = (self.data / "server.log").open("a")
        command = [sys.executable, "manage.py", "serve", "--migrate", "--load-lessons", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout is not None
        announced = re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stdout.readline())
        assert announced, f"the server did not start:\n{self.read_log()}"
        self.port = int(announced[1])
        return self

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(timeout=20)
            self.process.stdout.close()  # type: ignore[union-attr]
            self.process = None
        if self.log:
            self.log.close()
            self.log = None

    def read_log(self) -> str:
        return (self.data / "server.log").read_text()


def browser_path() -> str | None:
    found = subprocess.run([str(ROOT / "tools" / "browser.sh")], capture_output=True, text=True)
    return found.stdout.strip() or None


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests share; a learner of one test never sees another's."""
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    running.stop()
    assert "Traceback" not in running.read_log(), running.read_log()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test alone, which may kill it and start it again."""
    running = Server(tmp_path / "server").start()
    yield running
    running.stop()


# One browser a module, not a session: while Playwright's loop lives in this thread, no asyncio test could run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chrome or Chromium on PATH (make test installs Debian's chromium where it may)")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, which is who runs in a container.
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield running
        running.close()


class Errors:
    """What one page's console said that it should not have."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        self.allowed: list[str] = []
        page.on("console", lambda message: self.seen.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.seen.append(f"uncaught: {error}"))
        page.on("requestfailed", lambda request: self.seen.append(f"failed: {request.url} {request.failure}"))

    def unexpected(self) -> list[str]:
        # ERR_ABORTED is the browser's own: a request dropped because the page was left.
        return [text for text in self.seen if "ERR_ABORTED" not in text and not any(re.search(p, text) for p in self.allowed)]


ERRORS: dict[Page, Errors] = {}


def allow_error(page: Page, pattern: str) -> None:
    """This test provokes console errors that match `pattern`."""
    ERRORS[page].allowed.append(pattern)


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`new_page(viewport=WIDE, server=None, **context_options)`: a page in a browser context (cookies) of its own."""
    contexts, pages = [], []

    def open_page(viewport: dict[str, int] = WIDE, server: Server | None = None, **options: object) -> Page:
        base = (server or request.getfixturevalue("server")).url
        touch = {"has_touch": True, "is_mobile": True} if viewport is PHONE else {}
        context = browser.new_context(base_url=base, viewport=viewport, locale="ko-KR", **{**touch, **options})
        page = context.new_page()
        page.set_default_timeout(10_000)
        ERRORS[page] = Errors(page)
        contexts.append(context)
        pages.append(page)
        return page

    yield open_page
    unexpected = [text for page in pages for text in ERRORS.pop(page).unexpected()]
    for context in contexts:
        context.close()
    assert unexpected == []


@pytest.fixture
def wide(new_page: Callable[..., Page]) -> Page:
    return new_page(WIDE)


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(PHONE)


@pytest.fixture(params=[WIDE, PHONE], ids=["1440x900", "390x844"])
def page(request: pytest.FixtureRequest, new_page: Callable[..., Page]) -> Page:
    """The same test at both sizes."""
    return new_page(request.param)


CLIPPED = """() => [...document.querySelectorAll('body *')].filter((e) => {
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (!box.width || style.visibility === 'hidden' || e.closest('.unseen, svg, [data-scrolls]')) return false;
  const hides = ['hidden', 'clip'].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1;
  return hides || box.right > document.documentElement.clientWidth + 1 || box.left < -1;
}).map((e) => `${e.tagName.toLowerCase()}.${e.className}: ${e.textContent.trim().slice(0, 40)}`)"""


def assert_fits(page: Page) -> None:
    """Nothing wider than the window and no text cut off, except inside elements marked data-scrolls."""
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
