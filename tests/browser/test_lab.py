"""The lab page as a learner uses it, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import PHONE, WIDE, Server, allow_error, assert_fits
from tests.browser.lab_page import LESSON, answered, begin, idle, log, noticed, pod, run

pytestmark = pytest.mark.browser
GREETING = """apiVersion: v1
kind: Pod
metadata:
  name: greeting
spec:
  containers:
  - name: hello
    image: busybox
    command: ["sh", "-c", "echo 안녕; sleep 3600"]
"""


def test_the_greeting_pod_from_the_editor_to_the_diagram_and_away_by_the_menu(wide: Page) -> None:
    begin(wide)
    wide.get_by_role("tab", name="YAML").click()
    editor = wide.locator("#yaml-editor .cm-content")
    expect(editor).to_be_focused()
    wide.once("dialog", lambda dialog: dialog.accept("greeting.yaml"))
    wide.get_by_role("button", name="새 파일").click()
    editor.fill(GREETING)
    wide.get_by_role("button", name="적용하기").click()
    expect(log(wide)).to_contain_text("kubectl apply -f greeting.yaml")
    expect(log(wide)).to_contain_text("pod/greeting created")
    expect(pod(wide, "greeting")).to_have_class(re.compile("is-running"))
    idle(wide)
    pod(wide, "greeting").click(position={"x": 12, "y": 12})
    menu = wide.get_by_role("menu")
    menu.get_by_role("menuitem", name="로그 보기").click()
    expect(log(wide)).to_contain_text("안녕")
    idle(wide)  # while a command runs the Pod would be deleted without one
    pod(wide, "greeting").click(position={"x": 12, "y": 12})
    menu.get_by_role("menuitem", name="파드 지우기").click()
    expect(log(wide)).to_contain_text("kubectl delete pod greeting")
    wide.get_by_role("button", name="16배로").click()
    expect(pod(wide, "greeting")).to_have_count(0)


def test_trouble_below_the_fold_is_told_and_reached_by_keyboard(new_page: Callable[..., Page]) -> None:
    page = new_page({"width": 1024, "height": 768})
    begin(page)
    expect(page.locator("#below")).to_be_hidden()
    page.evaluate("setInterval(() => document.getElementById('board').dispatchEvent(new WheelEvent('wheel')), 500)")  # busy there: it follows nothing
    run(page, "kubectl create deployment broken --image=nginx:nope --replicas=12")
    expect(page.locator("#board .pod.is-pullfail")).to_have_count(12)
    page.locator("#board").evaluate("board => board.scrollTo(0, 0)")
    expect(page.locator("#below")).to_contain_text("아래에 문제 있는 파드")
    page.locator("#below").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#board [data-ref]:focus")).to_have_attribute("aria-label", re.compile("^파드 broken-"))


def test_watch_and_control_c(wide: Page) -> None:
    begin(wide)
    run(wide, "kubectl get pods -w")
    expect(log(wide)).to_contain_text("visitor")
    expect(wide.locator("#terminal-prompt")).to_have_text("")
    wide.locator("#terminal-input").press("Control+c")
    expect(wide.locator("#terminal-prompt")).to_have_text("$ ")
    run(wide, "echo $((6*7)) and on")
    expect(log(wide)).to_contain_text("42 and on")


def test_a_sleeping_command_ends_although_nothing_happens_in_the_cluster(wide: Page) -> None:
    begin(wide)
    run(wide, "sleep 1; echo awake")
    expect(log(wide).locator(".t-out")).to_have_text(re.compile("awake"))


def test_history_completion_and_several_pasted_lines(wide: Page) -> None:
    begin(wide)
    box = wide.locator("#terminal-input")
    run(wide, "echo first")
    expect(log(wide)).to_contain_text("first")
    box.fill("echo one\necho two")
    box.press("Enter")
    expect(log(wide).locator(".t-out", has_text="two")).to_be_visible()
    box.fill("draft")
    box.press("ArrowUp")
    expect(box).to_have_value("echo one\necho two")
    box.fill("kubectl describe po")
    box.press("Tab")
    expect(box).to_have_value(re.compile("kubectl describe pod"))


def test_enter_that_ends_hangul_composition_is_no_submit(wide: Page) -> None:
    begin(wide)
    box = wide.locator("#terminal-input")
    box.focus()
    client = wide.context.new_cdp_session(wide)
    client.send("Input.imeSetComposition", {"text": "한", "selectionStart": 1, "selectionEnd": 1})
    wide.evaluate("""() => document.getElementById('terminal-input').dispatchEvent(
        new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))""")
    assert log(wide).inner_text() == ""
    client.send("Input.insertText", {"text": "한글"})
    wide.keyboard.press("Home")
    wide.keyboard.type("echo ")
    wide.keyboard.press("Enter")
    expect(log(wide).locator(".t-out")).to_have_text(re.compile("한글"))


def test_a_hundred_kilobytes_of_output_and_hostile_text_stay_text(wide: Page) -> None:
    begin(wide)
    run(wide, "seq 1 20000")
    expect(log(wide)).to_contain_text("20000")
    left = "(scroll) => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight"
    wide.wait_for_function(f"() => ({left})(document.getElementById('terminal-scroll')) < 60")  # it follows the end
    run(wide, "echo '<img src=x onerror=alert(1)><b id=gotcha>'")
    expect(log(wide)).to_contain_text("<img src=x onerror=alert(1)>")
    run(wide, "kubectl run hostile --image=busybox --annotations='x=<script>alert(1)</script>' -- echo '<b id=gotcha>&amp;'")
    expect(pod(wide, "hostile")).to_be_attached()
    pod(wide, "hostile").first.click(position={"x": 12, "y": 12})
    wide.get_by_role("menuitem", name="자세히 보기").click()
    expect(wide.locator("#inspector pre")).to_contain_text("<script>alert(1)</script>")
    run(wide, "kubectl logs hostile")
    expect(log(wide)).to_contain_text("<b id=gotcha>&amp;")
    assert wide.locator("#gotcha, #lab img").count() == 0


def test_everything_by_keyboard_alone(wide: Page) -> None:
    begin(wide)
    wide.evaluate("document.activeElement.blur()")
    wide.keyboard.press("Tab")
    expect(wide.get_by_role("link", name="본문으로 건너뛰기")).to_be_focused()
    wide.keyboard.press("Tab")
    expect(wide.get_by_role("link", name="클러스터 그림으로 건너뛰기")).to_be_focused()
    wide.keyboard.press("Enter")
    wide.keyboard.press("Tab")
    assert wide.evaluate("Boolean(document.activeElement.closest('#board [data-ref]'))")
    wide.keyboard.press("Home")
    for _ in range(12):  # arrows lead to the Pod
        if wide.evaluate("document.activeElement.dataset.ref") == "pods/default/shop":
            break
        wide.keyboard.press("ArrowDown")
    expect(pod(wide, "shop")).to_be_focused()
    wide.keyboard.press("ArrowDown")
    assert wide.evaluate("document.activeElement.dataset.ref").startswith("pods/default/shop#")
    wide.keyboard.press("ArrowUp")
    wide.keyboard.press("Enter")
    expect(wide.get_by_role("menuitem", name="왜?")).to_be_focused()
    wide.keyboard.press("Escape")
    expect(pod(wide, "shop")).to_be_focused()
    wide.keyboard.press("Enter")
    wide.keyboard.press("Enter")
    expect(wide.locator("#inspector .why h3")).to_contain_text("왜")
    wide.locator("#tab-inspector").focus()
    wide.keyboard.press("Home")
    expect(wide.get_by_role("tab", name="터미널")).to_be_focused()
    splitter = wide.get_by_role("separator", name="그림과 아래 칸의 높이")
    before = wide.locator(".panel").bounding_box()
    splitter.press("ArrowUp")
    after = wide.locator(".panel").bounding_box()
    assert before and after and after["height"] > before["height"]


def test_selection_and_focus_survive_a_render(wide: Page) -> None:
    begin(wide)
    pod(wide, "shop").focus()
    wide.keyboard.press(" ")
    expect(pod(wide, "shop")).to_have_class(re.compile("selected"))
    pod(wide, "shop").focus()
    wide.evaluate("document.querySelector('[data-ref=\"pods/default/shop\"]').dataset.mine = '1'")
    run_in_background(wide, "kubectl run other --image=nginx")
    expect(pod(wide, "other")).to_have_class(re.compile("is-running"))
    expect(pod(wide, "shop")).to_have_class(re.compile("selected"))
    expect(pod(wide, "shop")).to_be_focused()


def run_in_background(page: Page, line: str) -> None:
    """Enter a line without moving the focus."""
    page.evaluate("""(line) => {
        const box = document.getElementById('terminal-input');
        box.value = line;
        box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
    }""", line)


def test_pods_glide_and_the_dead_fade(new_page: Callable[..., Page]) -> None:
    page = new_page(WIDE)
    begin(page)
    page.evaluate("""() => {
        window.moves = [];
        const animate = Element.prototype.animate;
        Element.prototype.animate = function (frames, options) {
            window.moves.push([this.getAttribute('class'), JSON.stringify(frames)]);
            return animate.call(this, frames, options);
        };
    }""")
    page.get_by_role("button", name="시간 멈춤").click()
    run(page, "kubectl run glider --image=nginx")
    expect(pod(page, "glider")).to_be_attached()  # where it waits for a node, and from where it will glide there
    page.get_by_role("button", name="4배로").click()
    run(page, "kubectl create deployment many --image=nginx --replicas=6")
    expect(page.locator('#board .pod.is-running[data-root*="many"]')).to_have_count(6)
    run(page, "kubectl scale deployment many --replicas=1")
    expect(page.locator('#board .pod[data-root*="many"]')).to_have_count(1)
    moves = page.evaluate("window.moves")
    assert any("leaving" in kind and "opacity" in frames for kind, frames in moves)
    assert any("leaving" not in kind and "transform" in frames and "opacity" not in frames for kind, frames in moves)


def test_nothing_moves_where_reduced_motion_is_asked_for(new_page: Callable[..., Page]) -> None:
    page = new_page(WIDE, reduced_motion="reduce")
    begin(page)
    run(page, "kubectl create deployment many --image=nginx --replicas=3")
    expect(page.locator('#board .pod.is-running[data-root*="many"]')).to_have_count(3)
    assert page.evaluate("document.getAnimations().filter((a) => a.effect.getTiming().duration > 1).length") == 0


def test_power_off_and_on_and_a_killed_process_from_the_menu(wide: Page) -> None:
    begin(wide)
    node = wide.locator('#board [data-ref="nodes/node-1"]')
    node.click(position={"x": 20, "y": 12})
    wide.get_by_role("menuitem", name="전원 끄기").click()
    expect(node).to_have_class(re.compile("down"))
    noticed(wide, "node-1의 전원을 껐습니다")
    node.click(position={"x": 20, "y": 12})
    wide.get_by_role("menuitem", name="전원 켜기").click()
    expect(node).not_to_have_class(re.compile("down"))
    container = wide.locator('#board [data-ref="pods/default/visitor#visitor"]')
    container.click()
    wide.get_by_role("menuitem", name="프로세스 죽이기").click()
    expect(container).to_contain_text("재시작 1번")


def test_undo_and_reset(wide: Page) -> None:
    begin(wide)
    run(wide, "kubectl run extra --image=nginx")
    expect(pod(wide, "extra")).to_be_attached()
    wide.get_by_role("button", name="되돌리기").click()
    noticed(wide, "되돌렸습니다: kubectl run extra")
    expect(pod(wide, "extra")).to_have_count(0)
    run(wide, "kubectl delete pod shop --now")
    expect(pod(wide, "shop")).to_have_count(0)
    wide.once("dialog", lambda dialog: dialog.accept())
    wide.get_by_role("button", name="처음으로").click()
    expect(pod(wide, "shop")).to_have_class(re.compile("is-running"))


def test_the_time_bar_stops_the_clock_and_leaps_to_the_next_event(wide: Page) -> None:
    begin(wide)
    wide.get_by_role("button", name="시간 멈춤").click()
    expect(wide.get_by_role("button", name="시간 멈춤")).to_have_attribute("aria-pressed", "true")
    answered(wide)
    clock = wide.locator("#clock")
    stopped = clock.get_attribute("data-now"), clock.locator("#clock-text").inner_text()
    wide.wait_for_timeout(1200)
    answered(wide)
    assert (clock.get_attribute("data-now"), clock.locator("#clock-text").inner_text()) == stopped
    run(wide, "kubectl run late --image=nginx")
    expect(pod(wide, "late")).to_be_attached()
    for _ in range(40):
        if "is-running" in (pod(wide, "late").get_attribute("class") or ""):
            break
        wide.get_by_role("button", name="다음 사건까지").click()
        answered(wide)
        wide.wait_for_timeout(130)  # the page's own limit is ten acts a second
    expect(pod(wide, "late")).to_have_class(re.compile("is-running"))
    dot = wide.locator("#track button.person").last
    assert dot.evaluate("(e) => parseFloat(e.style.left)") > 50
    dot.click()
    expect(wide.locator("#inspector .why")).to_contain_text("kubectl run late")


def test_a_question_answered_wrong_then_right(wide: Page) -> None:
    begin(wide)
    question = wide.locator("fieldset.question").first
    count = question.locator(".choice").count()
    for number in range(count):
        question.locator(".choice > button").nth(number).click()
        expect(question.locator(".choice").nth(number)).to_have_class(re.compile("right|wrong"))
        if "right" in (question.locator(".choice").nth(number).get_attribute("class") or ""):
            break
    expect(question).to_have_class(re.compile("solved"))
    wide.reload()
    expect(wide.locator("fieldset.question").first).to_have_class(re.compile("solved"))


def test_an_exercise_names_the_condition_that_fails_and_is_solved_by_typing(wide: Page) -> None:
    begin(wide)
    exercise = wide.locator(".exercise").first
    exercise.get_by_role("button", name="확인하기").scroll_into_view_if_needed()
    exercise.get_by_role("button", name="확인하기").click()
    expect(exercise.locator(".checks .no em").first).to_contain_text("없습니다")
    expect(exercise.locator(".have")).to_contain_text("없음")
    exercise.get_by_role("button", name="힌트 1/3").click()
    expect(exercise.locator(".hints li")).to_have_count(1)


def test_a_resume_code_shows_the_same_cluster_on_another_device(new_page: Callable[..., Page]) -> None:
    first, second = new_page(WIDE), new_page(PHONE)
    code = begin(first)
    run(first, "kubectl run mine --image=nginx")
    expect(pod(first, "mine")).to_be_attached()
    second.goto("/")
    second.get_by_label("이어하기 코드").fill(code)
    second.get_by_role("button", name="이어서 하기").click()
    expect(second.get_by_role("heading", level=1)).to_contain_text("초록고래 님")
    second.goto(f"/lessons/{LESSON}/")
    expect(pod(second, "mine")).to_be_attached()
    run(first, "kubectl delete pod mine --now")
    expect(pod(second, "mine")).to_have_count(0)


def test_a_phone_has_prose_then_diagram_then_tools_and_nothing_overflows(phone: Page) -> None:
    begin(phone)
    assert_fits(phone)
    tops = [phone.locator(selector).bounding_box() for selector in ("#main", "#board", ".panel")]
    assert [box["y"] for box in tops if box] == sorted(box["y"] for box in tops if box)
    board = phone.locator("#board")
    shop = pod(phone, "shop").bounding_box()
    assert shop and shop["x"] >= 0 and shop["x"] + shop["width"] <= PHONE["width"]  # a Pod is seen whole, without scrolling sideways
    assert board.evaluate("(e) => getComputedStyle(e).overflowX") == "auto"  # what is wider scrolls by itself
    phone.get_by_role("button", name="클러스터 보기").click()
    expect(phone.locator("#clock-text")).to_be_in_viewport()
    phone.locator("#terminal-input").fill("kubectl get pods -o wide")
    phone.get_by_role("button", name="실행", exact=True).click()
    expect(log(phone)).to_contain_text("visitor")
    assert_fits(phone)
    phone.get_by_role("button", name="글로 돌아가기").click()
    expect(phone.get_by_role("heading", level=1)).to_be_in_viewport()


def test_the_page_comes_back_after_the_server_restarts_politely(own_server: Server, new_page: Callable[..., Page]) -> None:

    page = new_page(server=own_server)
    allow_error(page, r"WebSocket|ERR_CONNECTION|\[object Event\]")
    begin(page)
    run(page, "kubectl run kept --image=nginx")
    expect(pod(page, "kept")).to_be_attached()
    own_server.stop()
    expect(page.locator("#offline")).to_contain_text("다시 잇는 중입니다")
    own_server.start()
    expect(page.locator("#offline")).to_be_hidden()
    run(page, "kubectl get pods")
    expect(log(page)).to_contain_text("kept")


def test_a_page_whose_session_is_gone_leads_to_the_landing_page(wide: Page) -> None:
    begin(wide)
    wide.context.clear_cookies()
    wide.evaluate("htmx.find('#lab')['htmx-internal-data'].webSocket.close()")
    expect(wide.locator("#offline")).to_contain_text("세션이 끝났습니다")
    wide.get_by_role("link", name="첫 화면으로").click()
    expect(wide.get_by_role("button", name="바로 시작")).to_be_visible()


def test_a_screen_reader_has_a_twin_and_hears_what_changes(wide: Page) -> None:
    begin(wide)
    wide.get_by_role("button", name="그림을 글로 읽기").click()
    twin = wide.locator("#board-twin")
    expect(twin).to_contain_text("파드 shop")
    run(wide, "kubectl run spoken --image=nginx")
    expect(wide.locator("#news")).to_contain_text("spoken")
    expect(twin).to_contain_text("파드 spoken")
    assert wide.locator("#terminal-log").get_attribute("role") == "log"
    nameless = wide.evaluate("""() => [...document.querySelectorAll('button, input, select, textarea, [role=tab], [role=group][tabindex]')]
        .filter((e) => !e.closest('[hidden], [aria-hidden=true]') && !(e.ariaLabel || e.textContent.trim() || e.labels?.length))
        .map((e) => e.outerHTML.slice(0, 90))""")
    assert nameless == []


# what is in the page may be painted only after it was loaded
FIRST_PAINT = """new Promise((done) => new PerformanceObserver((list) => {
    const [first] = list.getEntriesByName('first-contentful-paint');
    if (first) done(first.startTime);
}).observe({type: 'paint', buffered: true}))"""


def test_paint_and_script_budgets(wide: Page) -> None:
    begin(wide)
    for _ in range(20):  # one of them, when the machine does nothing else
        wide.reload(wait_until="load")
        expect(wide.locator("#board-svg[viewBox]")).to_be_attached()
        paint = wide.evaluate(FIRST_PAINT)
        if paint < 1000:
            break
    scripts = "performance.getEntriesByType('resource').filter((r) => r.name.includes('.js')).map((r) => [r.name, r.encodedBodySize])"
    before = wide.evaluate(scripts)
    assert paint < 1000, paint  # ms
    assert sum(size for _, size in before) < 250_000  # bytes, compressed
    assert not any("codemirror" in name for name, _ in before)
    wide.get_by_role("tab", name="YAML").click()
    expect(wide.locator("#yaml-editor .cm-content")).to_be_visible()
    assert any("codemirror" in name for name, _ in wide.evaluate(scripts))
