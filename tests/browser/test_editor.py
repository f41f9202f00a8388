"""The YAML editor of the lab page, in a real browser: what it tells, what it completes, how it comes back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import allow_error
from tests.browser.lab_page import begin, idle, log, run

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
    expect(editor.locator(".cm-lintRange-error").first).to_be_visible()  # the line is not drawn anew any more
    editor.evaluate("""(content) => {
        addEventListener("selectionchange", (event) => event.stopImmediatePropagation(), true);
        getSelection().setBaseAndExtent(content.querySelector("span").firstChild, 0, content.lastElementChild, 0);
    }""")
    wide.keyboard.insert_text("kind: Service")
    expect(editor).to_have_text("kind: Service")


def test_kubectl_edit_waits_for_the_page_s_editor_which_opens_again_with_what_is_wrong(wide: Page) -> None:
    begin(wide)
    editor, name = wide.locator("#yaml-editor .cm-content"), wide.locator("#yaml-name")
    run(wide, "kubectl create configmap kept --from-literal=colour=red")
    run(wide, "kubectl edit configmap kept")
    expect(editor).to_contain_text("colour: red")
    first = name.inner_text()
    editor.fill("apiVersion: v1\nkind Pod\n")
    wide.get_by_role("button", name="저장하고 닫기").click()
    expect(editor).to_contain_text('# configmaps "kept" was not valid:')
    expect(name).not_to_have_text(first)
    wide.get_by_role("button", name="저장하지 않고 닫기").click()
    expect(wide.locator("#panel-terminal")).to_be_visible()
    expect(log(wide)).to_contain_text("Edit cancelled, no valid changes were saved.")
    idle(wide)
    run(wide, "vi notes.yaml")
    expect(name).to_have_text("notes.yaml")
    editor.fill("written: 1")
    wide.keyboard.press("Control+Enter")
    expect(wide.locator("#panel-terminal")).to_be_visible()
    idle(wide)
    run(wide, "vi notes.yaml")
    expect(editor).to_contain_text("written: 1")
    editor.fill("written: 2")
    wide.get_by_role("tab", name="터미널").click()
    wide.locator("#terminal-input").press("Control+c")
    expect(wide.locator("#yaml-file")).to_have_value("notes.yaml")  # what was typed is not lost with the command
    wide.get_by_role("tab", name="YAML").click()
    expect(editor).to_contain_text("written: 2")
