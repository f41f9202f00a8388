"""The diagram brings into view what happens below its fold, and leaves alone who looks at something else in it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab_page import begin, run

pytestmark = pytest.mark.browser
LESSON = "what-is-a-container"
LOW = {"width": 1440, "height": 640}  # the diagram shows half of what stands in it
SEEN = """(name) => {
    const found = document.querySelector(`#board .pod[data-ref="pods/default/${name}"]`);
    const one = found.getBoundingClientRect(), pane = document.getElementById('board').getBoundingClientRect();
    return one.top >= pane.top && one.bottom <= pane.bottom + 1;
}"""


def pod(page: Page, name: str) -> Locator:
    return page.locator(f'#board .pod[data-ref="pods/default/{name}"]')


def shown(page: Page, name: str) -> None:
    """Until a Pod is seen whole."""
    page.wait_for_function(SEEN, arg=name)


def made(page: Page, *names: str) -> None:
    for name in names:
        run(page, f"kubectl run {name} --image=nginx")
        expect(pod(page, name)).to_be_attached()


def scrolled_to_the_top(page: Page) -> None:
    """By the wheel, turned again where the diagram was on its way to a Pod: a glide that has begun takes one turn of the wheel with it."""
    page.locator("#board").hover()
    for _turn in range(50):
        page.mouse.wheel(0, -2000)
        page.wait_for_timeout(200)  # a wheel scrolls in its own time, and tells of no end
        if page.evaluate("document.getElementById('board').scrollTop") == 0:
            return
    pytest.fail("the diagram does not let itself be scrolled")


def test_a_new_pod_comes_into_view_and_so_does_what_is_asked_about(new_page: Callable[..., Page]) -> None:
    page = new_page(LOW)
    begin(page, LESSON)
    names = ("one", "two", "three", "four")
    for name in names:
        made(page, name)
        shown(page, name)
    for name in names:
        expect(pod(page, name)).to_have_class(re.compile("is-running"))
    first = next(name for name in names if not page.evaluate(SEEN, name))
    page.evaluate("""(ref) => {
        const ask = document.createElement('button');
        ask.dataset.why = ref;
        document.getElementById('main').append(ask);
        ask.click();
    }""", f"pods/default/{first}")
    expect(page.locator("#inspector .why h3")).to_contain_text(first)
    shown(page, first)


def test_the_diagram_stays_where_the_learner_has_scrolled_it(new_page: Callable[..., Page]) -> None:
    page = new_page(LOW)
    begin(page, LESSON)
    made(page, "one", "two", "three")
    page.evaluate("setInterval(() => document.getElementById('board').dispatchEvent(new WheelEvent('wheel')), 500)")  # busy there all the time
    scrolled_to_the_top(page)
    made(page, "four")
    page.wait_for_timeout(900)  # the diagram would have scrolled; for what must not happen there is nothing to wait for
    assert page.evaluate("document.getElementById('board').scrollTop") == 0 and not page.evaluate(SEEN, "four")
