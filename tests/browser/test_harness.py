"""The harness itself: it must notice what it is there to notice, and a killed server must come back as it was."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import ERRORS, HANG, Server, allow_error

pytestmark = pytest.mark.browser


def test_a_policy_violation_and_an_uncaught_error_are_noticed(wide: Page) -> None:
    wide.goto("/")
    wide.evaluate("document.head.append(Object.assign(document.createElement('style'), {textContent: 'a {}'}))")
    wide.evaluate("new Promise((done) => { setTimeout(() => { throw new Error('on purpose'); }); setTimeout(done, 20); })")
    deadline = time.monotonic() + HANG
    while len(noticed := ERRORS[wide].unexpected()) < 2 and time.monotonic() < deadline:
        wide.wait_for_timeout(20)
    assert "Content Security Policy" in " ".join(noticed) and "on purpose" in " ".join(noticed)
    allow_error(wide, "Content Security Policy|on purpose")


def test_a_killed_server_comes_back_with_its_learners(own_server: Server, new_page: Callable[..., Page]) -> None:
    page = new_page(server=own_server)
    page.goto("/")
    page.get_by_label("별명").fill("초록고래")
    page.get_by_role("button", name="바로 시작").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("반갑습니다")
    own_server.kill()
    own_server.start()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("초록고래 님, 반갑습니다")
