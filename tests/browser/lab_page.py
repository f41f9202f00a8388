"""The lab page for browser tests: a learner begins, types a line, looks at a Pod or at what the terminal says."""

import itertools

from playwright.sync_api import Locator, Page, expect

LESSON = "one-ip"
QUESTIONS = itertools.count(1)


def begin(page: Page, lesson: str = LESSON) -> str:
    """Start a session and open a lesson; the resume code."""
    page.goto("/")
    page.get_by_label("별명").fill("초록고래")
    page.get_by_role("button", name="바로 시작").click()
    code = page.locator("#resume-code").inner_text()
    page.goto(f"/lessons/{lesson}/")
    expect(page.locator("#board-svg[viewBox]")).to_be_attached()
    keep_notices(page)
    settled(page)
    return code


def keep_notices(page: Page) -> None:
    """From now on what the page says in notices is kept, for `noticed`: they leave after some seconds, on a slow machine before they are seen."""
    page.evaluate("""() => {
        window.notices = [];
        new MutationObserver((records) => window.notices.push(...records.flatMap((one) => [...one.addedNodes]).map((node) => node.textContent)))
            .observe(document.getElementById("notices"), { childList: true });
    }""")


def noticed(page: Page, text: str) -> None:
    """Until the page has said this in a notice since `keep_notices`."""
    page.wait_for_function("(text) => window.notices.some((one) => one.includes(text))", arg=text)


def answered(page: Page) -> None:
    """Until the server has dealt with all that was sent, and the page shows it: a question of ours comes back behind it."""
    line = f"answered-{next(QUESTIONS)}"
    page.evaluate("(line) => htmx.find('#lab')['htmx-internal-data'].webSocket.send(JSON.stringify({action: 'complete', line}))", line)
    expect(page.locator(f'#terminal-completions[data-line="{line}"]')).to_be_attached()


def settled(page: Page) -> None:
    """Until the diagram is drawn for this page's width, and nothing in it glides any more: where things are may be measured."""
    answered(page)  # behind the width, which the page has told
    page.wait_for_function("""() => document.getElementById('board-svg').getAnimations({subtree: true})
        .every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)""")


def pod(page: Page, name: str) -> Locator:
    return page.locator(f'#board [data-ref="pods/default/{name}"]')


def run(page: Page, line: str) -> None:
    page.get_by_role("tab", name="터미널").click()
    box = page.locator("#terminal-input")
    box.fill(line)
    box.press("Enter")


def idle(page: Page) -> None:
    """Until no command runs in the terminal."""
    expect(page.locator("#terminal-prompt")).to_have_attribute("data-busy", "")


def log(page: Page) -> Locator:
    return page.locator("#terminal-log")
