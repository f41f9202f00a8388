""""내 터미널에서 쓰기": the address that a learner makes in the page, copies into their own terminal, renews and takes back."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import HANG, assert_fits
from tests.browser.lab_page import begin, pod

pytestmark = pytest.mark.browser


def opened(page: Page) -> None:
    page.get_by_role("button", name="내 터미널에서 쓰기").click()
    expect(page.get_by_role("dialog", name="내 터미널에서 쓰기")).to_be_visible()


def test_the_line_that_is_shown_works_in_a_shell_and_the_page_moves_along(page: Page, tmp_path: Path) -> None:
    begin(page)
    opened(page)
    page.get_by_role("button", name="연결 주소 만들기").click()
    line = page.locator("#own-terminal-line")
    expect(line).to_contain_text("/kubeconfig && export KUBECONFIG=~/.kube/podlab")
    assert_fits(page)
    if shutil.which("kubectl") is None or shutil.which("curl") is None:
        pytest.skip("no kubectl or curl on PATH")
    command = line.inner_text() + " && kubectl create deployment mine --image=nginx"
    environ = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], env=environ, capture_output=True, text=True, timeout=2 * HANG)
    assert done.stdout == "deployment.apps/mine created\n", done.stderr
    page.get_by_role("button", name="닫기").click()
    expect(page.locator('#board [data-ref^="pods/default/mine-"]').first).to_be_attached()
    assert pod(page, "mine").count() == 0


def test_an_address_is_shown_once_renewed_and_taken_back(wide: Page) -> None:
    begin(wide)
    opened(wide)
    wide.get_by_role("button", name="연결 주소 만들기").click()
    first = wide.get_by_role("link", name="kubeconfig 내려받기").get_attribute("href")
    assert wide.request.get(first).text().startswith("apiVersion: v1\nkind: Config")
    wide.keyboard.press("Escape")
    expect(wide.locator("#own-terminal-line")).to_have_count(0)
    opened(wide)
    expect(wide.get_by_text("이미 만든 연결 주소가 있습니다")).to_be_visible()
    wide.get_by_role("button", name="주소 새로 만들기").click()
    expect(wide.get_by_text("전에 쓰던 주소는 이제 통하지 않습니다")).to_be_visible()
    second = wide.get_by_role("link", name="kubeconfig 내려받기").get_attribute("href")
    assert [wide.request.get(url).status for url in (first, second)] == [401, 200]
    wide.get_by_role("button", name="연결 끊기").click()
    expect(wide.get_by_text("연결을 끊었습니다")).to_be_visible()
    assert wide.request.get(second).status == 401


def test_the_dialog_is_worked_by_keyboard_and_copies(wide: Page) -> None:
    begin(wide)
    wide.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = wide.get_by_role("button", name="내 터미널에서 쓰기")
    button.focus()
    wide.keyboard.press("Enter")
    make = wide.get_by_role("button", name="연결 주소 만들기")
    expect(make).to_be_visible()
    make.focus()
    wide.keyboard.press("Enter")
    copy = wide.get_by_role("button", name="복사", exact=True).first
    copy.focus()
    copy.evaluate("""(button) => new MutationObserver(() => (window.said ??= button.textContent)).observe(button, { childList: true })""")
    wide.keyboard.press("Enter")
    wide.wait_for_function("() => window.said === '복사했습니다'")  # for two seconds, then it says "복사" again
    assert wide.evaluate("navigator.clipboard.readText()") == wide.locator("#own-terminal-line").inner_text()
    wide.keyboard.press("Escape")
    expect(wide.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
