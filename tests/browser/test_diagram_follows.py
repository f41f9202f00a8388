"""The diagram brings into view what happens below its fold, and leaves alone who looks at something else in it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
LOW = {"width": 1440, "height": 640}  # the diagram shows half of what stands in it
SEEN = """(e) => {
    const one = e.getBoundingClientRect(), pane = document.getElementById('board').getBoundingClientRect();
    return one.top >= pane.top && one.bottom <= pane.bottom + 1;
}"""


def begin(page: Page) -> None:
    page.goto("/")
    page.get_by_label("별명").fill("초록고래")
    page.get_by_role("button", name="바로 시작").click()
    page.goto("/lessons/what-is-a-container/")
    expect(page.locator("#board-svg[viewBox]")).to_be_attached()


def run(page: Page, line: str) -> None:
    box = page.locator("#terminal-input")
    box.fill(line)
    box.press("Enter")
    expect(page.locator("#terminal-log")).to_contain_text(line)


def pod(page: Page, name: str) -> Locator:
    return page.locator(f'#board .pod[data-ref="pods/default/{name}"]')


def seen(page: Page, name: str) -> bool:
    return bool(pod(page, name).evaluate(SEEN))


def made(page: Page, *names: str) -> None:
    for name in names:
        run(page, f"kubectl run {name} --image=nginx")
        expect(pod(page, name)).to_be_attached()
        page.wait_for_timeout(900)  # until the diagram has scrolled


def test_a_new_pod_comes_into_view_and_so_does_what_is_asked_about(new_page: Callable[..., Page]) -> None:
    page = new_page(LOW)
    begin(page)
    made(page, "one", "two", "three", "four")
    assert seen(page, "four")
    first = next(name for name in ("one", "two", "three") if not seen(page, name))
    page.evaluate("""(ref) => {
        const ask = document.createElement('button');
        ask.dataset.why = ref;
        document.getElementById('main').append(ask);
        ask.click();
    }""", f"pods/default/{first}")
    expect(page.locator("#inspector .why h3")).to_contain_text(first)
    assert seen(page, first)


def test_the_diagram_stays_where_the_learner_has_scrolled_it(new_page: Callable[..., Page]) -> None:
    page = new_page(LOW)
    begin(page)
    made(page, "one", "two", "three")
    page.locator("#board").hover()
    page.mouse.wheel(0, -2000)
    page.wait_for_function("document.getElementById('board').scrollTop === 0")
    made(page, "four")
    assert page.evaluate("document.getElementById('board').scrollTop") == 0 and not seen(page, "four")
