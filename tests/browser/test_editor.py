"""The YAML editor of the lab page, in a real browser: what it tells, what it completes, how it comes back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import allow_error
from tests.browser.lab_page import begin

pytestmark = pytest.mark.browser


def test_the_editor_tells_what_is_wrong_with_its_line_and_completes_from_the_schema(wide: Page) -> None:
    begin(wide)
    wide.get_by_role("tab", name="YAML").click()
    editor = wide.locator("#yaml-editor .cm-content")
    editor.fill("apiVersion: v1\nkind: Pod\nmetadata: {name: Web}\nspec:\n  containerz: []\n")
    problems = wide.locator("#yaml-problems")
    expect(problems).to_contain_text("5번째 줄")
    expect(problems).to_contain_text('unknown field "spec.containerz"')
    expect(problems).to_contain_text("필드는 없습니다")
    editor.fill("apiVersion: v1\nkind: Pod\nspec:\n  ")
    editor.press("Control+End")
    wide.keyboard.type("restartP")
    option = wide.locator("#yaml-editor .cm-tooltip-autocomplete li", has_text="restartPolicy")
    expect(option).to_be_visible()
    wide.wait_for_timeout(150)  # CodeMirror ignores keys for 75 ms after its list appears, so that no typed key is taken
    wide.keyboard.press("Enter")
    expect(editor).to_contain_text("restartPolicy: ")


def test_a_page_that_is_older_than_the_server_says_how_its_editor_comes_back(wide: Page) -> None:
    allow_error(wide, "ERR_FAILED|Failed to load")
    begin(wide)
    wide.route("**/codemirror-*", lambda route: route.abort())
    wide.get_by_role("tab", name="YAML").click()
    expect(wide.locator("#yaml-editor")).to_contain_text("새로 고치면 열립니다")
    wide.unroute("**/codemirror-*")
    wide.get_by_role("button", name="페이지 새로 고치기").click()
    expect(wide.locator("#loading")).to_be_hidden()
    wide.get_by_role("tab", name="YAML").click()
    expect(wide.locator(".yaml-gone")).to_have_count(0)


def test_typing_over_coloured_text_leaves_no_inline_style_even_before_the_editor_knows_what_is_selected(wide: Page) -> None:
    begin(wide)
    wide.get_by_role("tab", name="YAML").click()
    editor = wide.locator("#yaml-editor .cm-content")
    editor.fill('kind: Pod  # a comment\nname: "web"\n')
    expect(editor.locator("span").first).to_be_visible()
    editor.evaluate("""(content) => {
        addEventListener("selectionchange", (event) => event.stopImmediatePropagation(), true);
        getSelection().setBaseAndExtent(content.querySelector("span").firstChild, 0, content.lastElementChild, 0);
    }""")
    wide.keyboard.insert_text("kind: Service")
    expect(editor).to_have_text("kind: Service")
