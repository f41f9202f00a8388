"""The real server in a process of its own, and real Chromium pages that fail on any console error or policy violation.

    def test_something(wide): wide.goto("/") ...          1440 x 900
    def test_on_a_phone(phone): phone.goto("/") ...       390 x 844
    def test_two_devices(new_page): a, b = new_page(), new_page() ...    each with its own cookies

An error that a test provokes on purpose is announced: `allow_error(page, "422")` (harness.py).
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.harness import ERRORS, HANG, PHONE, WIDE, Errors, Server, browser_path

expect.set_options(timeout=HANG * 1000)


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


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`new_page(viewport=WIDE, server=None, **context_options)`: a page in a browser context (cookies) of its own."""
    contexts, pages = [], []

    def open_page(viewport: dict[str, int] = WIDE, server: Server | None = None, **options: object) -> Page:
        base = (server or request.getfixturevalue("server")).url
        touch = {"has_touch": True, "is_mobile": True} if viewport is PHONE else {}
        context = browser.new_context(base_url=base, viewport=viewport, locale="ko-KR", **{**touch, **options})
        context.set_default_timeout(HANG * 1000)
        page = context.new_page()
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
