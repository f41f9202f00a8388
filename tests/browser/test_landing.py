import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import WIDE, allow_error, assert_fits

pytestmark = pytest.mark.browser


def start(page: Page, nickname: str) -> str:
    """Start a session; the resume code that the page shows."""
    page.goto("/")
    page.get_by_label("별명").fill(nickname)
    page.get_by_role("button", name="바로 시작").click()
    return page.locator("#resume-code").inner_text()


def test_a_visitor_starts_with_one_click_and_a_nickname(page: Page) -> None:
    page.goto("/")
    assert_fits(page)
    assert len(page.get_by_label("별명").input_value()) >= 4  # a friendly one is suggested
    page.get_by_role("button", name="바로 시작").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("반갑습니다")
    assert re.fullmatch(r"([0-9A-Z]{4}-){2}[0-9A-Z]{4}", page.locator("#resume-code").inner_text())
    assert_fits(page)


def test_the_resume_code_is_shown_once_and_can_be_made_anew(wide: Page) -> None:
    first = start(wide, "초록고래")
    wide.reload()
    expect(wide.locator("#resume-code")).to_have_count(0)
    wide.get_by_role("button", name="이어하기 코드 새로 받기").click()
    assert wide.locator("#resume-code").inner_text() != first


def test_a_session_is_resumed_on_another_device(new_page: Callable[..., Page]) -> None:
    code = start(new_page(), "초록고래")
    other = new_page(WIDE)
    other.goto("/")
    other.get_by_label("이어하기 코드").fill(code.lower().replace("-", " "))
    other.get_by_role("button", name="이어서 하기").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("초록고래 님, 반갑습니다")


def test_leaving_asks_first_because_only_the_code_leads_back(wide: Page) -> None:
    start(wide, "초록고래")
    wide.once("dialog", lambda dialog: dialog.dismiss())
    wide.get_by_role("button", name="이 기기에서 나가기").click()
    expect(wide.get_by_role("heading", level=1)).to_contain_text("반갑습니다")
    wide.once("dialog", lambda dialog: dialog.accept())
    wide.get_by_role("button", name="이 기기에서 나가기").click()
    expect(wide.get_by_role("button", name="바로 시작")).to_be_visible()


def test_a_wrong_resume_code_is_explained_where_it_was_typed(page: Page) -> None:
    allow_error(page, "422")
    page.goto("/")
    page.get_by_label("이어하기 코드").fill("AAAA-BBBB-CCCC")
    page.get_by_role("button", name="이어서 하기").click()
    expect(page.get_by_role("alert")).to_contain_text("그런 이어하기 코드가 없습니다")
    expect(page.get_by_label("이어하기 코드")).to_be_focused()
    assert_fits(page)


def test_a_nickname_with_html_stays_text(wide: Page) -> None:
    start(wide, "<img src=x><b>")
    expect(wide.get_by_role("heading", level=1)).to_contain_text("<img src=x><b>")


def test_the_page_works_by_keyboard_alone(wide: Page) -> None:
    wide.goto("/")
    wide.keyboard.press("Tab")
    expect(wide.get_by_role("link", name="본문으로 건너뛰기")).to_be_focused()
    wide.get_by_label("별명").focus()
    wide.keyboard.press("Enter")
    expect(wide.get_by_role("heading", level=1)).to_contain_text("반갑습니다")


def test_an_unknown_page_says_so_in_korean(wide: Page) -> None:
    allow_error(wide, "404")
    wide.goto("/lessons/does-not-exist/")
    expect(wide.get_by_role("heading", level=1)).to_have_text("그런 페이지가 없습니다")


def test_nothing_moves_where_reduced_motion_is_asked_for(new_page: Callable[..., Page]) -> None:
    still = new_page(reduced_motion="reduce")
    still.goto("/")
    assert still.evaluate("document.getAnimations().length") == 0


def test_scripts_stay_light(wide: Page) -> None:
    wide.goto("/", wait_until="load")
    sizes = wide.evaluate(
        "performance.getEntriesByType('resource').filter((r) => r.name.includes('.js')).map((r) => r.encodedBodySize)"
    )
    assert len(sizes) >= 3
    assert sum(sizes) < 250_000  # bytes, compressed
