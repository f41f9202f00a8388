"""A whole class: one teacher and three learners, each with a browser of their own; and a fault for many while the server dies."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import HANG, PHONE, ROOT, WIDE, Server, allow_error, assert_fits, unconfigured
from tests.browser.lab_page import idle, keep_notices, noticed
from tests.browser.learner import Socket

pytestmark = pytest.mark.browser
LESSON = "one-ip"
PASSWORD = "correct-horse-9"
NAMES = ("하늘", "바다", "구름")


def create_teacher(server: Server, name: str) -> None:
    environ = {**unconfigured(os.environ), "PODLAB_DATA": str(server.data), "PODLAB_TEACHER_PASSWORD": PASSWORD}
    subprocess.run([sys.executable, "manage.py", "create_teacher", name], cwd=ROOT, env=environ, check=True, capture_output=True)


def open_class(page: Page, name: str, title: str) -> str:
    """Sign in, open a class; returns the link by which learners join."""
    page.goto("/teacher/")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="들어가기").click()
    page.fill("#id_title", title)
    page.get_by_role("button", name="교실 열기").click()
    expect(page.locator("#wishes .wish").first).to_be_visible()
    keep_notices(page)
    return str(page.locator(".join-link code").text_content())


def join(page: Page, link: str, name: str) -> None:
    page.goto(link)
    page.fill("#id_name", name)
    page.get_by_role("button", name="들어가기").click()
    page.wait_for_url("**/?joined=1")  # who goes on before the form is answered drops the answer, with the session
    page.goto(f"/lessons/{LESSON}/")
    expect(page.locator("#class-bar")).to_contain_text("손 들기")
    expect(page.locator("#loading")).to_be_hidden()
    keep_notices(page)


def run(page: Page, line: str) -> None:
    page.fill("#terminal-input", line)
    page.press("#terminal-input", "Enter")


def test_a_whole_class(new_page: Callable[..., Page], server: Server) -> None:
    create_teacher(server, "kim")
    teacher = new_page(WIDE)
    link = open_class(teacher, "kim", "1반")
    teacher.on("dialog", lambda dialog: dialog.accept())
    expect(teacher.locator("#nobody")).to_be_visible()
    learners = [new_page(WIDE) for _ in NAMES]
    for page, name in zip(learners, NAMES, strict=True):
        join(page, link, name)
    first, second, third = learners
    tile = {name: teacher.locator(f'.tile[data-name="{name}"]') for name in NAMES}
    expect(teacher.locator(".tile")).to_have_count(3)

    run(first, "kubectl get pods -o wide")
    expect(tile["하늘"]).to_contain_text("kubectl get pods -o wide")
    second.get_by_role("button", name="손 들기").hover()
    second.evaluate("() => { window.soon = setTimeout; window.setTimeout = (act, ms) => window.soon(act, 100 * ms); }")
    second.mouse.down()  # however long the others take, for this page the press is a short one (socket.js, PRESS_MS)
    second.evaluate("() => { window.setTimeout = window.soon; }")
    teacher.fill("#announcement", "손을 들어 주세요")
    teacher.get_by_role("button", name="알리기").click()
    expect(third.locator("#class-bar")).to_contain_text("손을 들어 주세요")
    second.mouse.up()  # the bar has changed meanwhile, and the press counts all the same
    expect(tile["바다"]).to_contain_text("손 듦")
    teacher.get_by_role("button", name="바다 님이 손을 들었습니다").click()
    expect(second.get_by_role("button", name="손 들기")).to_be_visible()

    full = tile["하늘"].bounding_box()
    tile["하늘"].evaluate("(tile) => { tile.dataset.mine = '1'; }")
    teacher.locator("#view").select_option(label="작은 타일")
    expect(tile["하늘"].locator(".pic")).to_be_visible()
    expect(tile["하늘"].locator(".last")).to_be_hidden()
    small = tile["하늘"].bounding_box()
    assert full is not None
    assert small is not None
    assert small["width"] * small["height"] < full["width"] * full["height"] / 4
    assert tile["하늘"].evaluate("(tile) => tile.dataset.mine") == "1", "the same tile, not one that the server had to send once more"
    teacher.locator("#view").select_option(label="타일")
    expect(tile["하늘"].locator(".last")).to_be_visible()

    teacher.fill("#announcement", "칠판을 <b>봐</b> 주세요")
    teacher.get_by_role("button", name="알리기").click()
    expect(third.locator("#class-bar")).to_contain_text("칠판을 <b>봐</b> 주세요")

    teacher.get_by_role("button", name="모두를 한 걸음으로").click()
    teacher.locator("#call-step").select_option(index=3)
    teacher.locator("#call-minutes").select_option("5")
    teacher.get_by_role("button", name="부르기").click()
    expect(first.locator("#class-bar .call a")).to_be_visible()
    expect(first.locator("#class-bar .ticking")).to_be_visible()
    teacher.locator("#wishes").get_by_role("button", name="놓아주기").click()
    expect(first.locator("#class-bar .call")).to_have_count(0)

    teacher.locator("#poll summary").click()
    teacher.get_by_role("button", name="모두에게 내기").click()
    for page in learners:
        page.locator("#class-question li button").first.click()
    expect(teacher.locator("#poll")).to_contain_text("3명 가운데 3명이 답했습니다")
    expect(first.locator("#class-question .right")).to_have_count(0)
    teacher.get_by_role("button", name="답 보여 주기").click()
    expect(first.locator("#class-question .right")).to_have_count(1)
    teacher.locator("#poll").get_by_role("button", name="거두기").click()
    expect(first.locator("#class-question")).to_be_hidden()

    teacher.get_by_role("button", name="입력 멈추기").click()
    expect(first.locator("#class-bar")).to_contain_text("입력 멈춤")
    run(first, "kubectl delete pod shop")
    noticed(first, "지금은 모두 선생님의 화면을 보는 시간입니다")
    teacher.get_by_role("button", name="입력 다시 열기").click()
    expect(first.locator("#class-bar")).not_to_contain_text("입력 멈춤")

    own = teacher.context.new_page()
    own.goto(f"/lessons/{LESSON}/")
    expect(own.locator("#loading")).to_be_hidden()
    teacher.locator("#follow-lesson").select_option(LESSON)
    teacher.get_by_role("button", name="내 화면 보이기").click()
    expect(third.locator("#follow")).to_be_visible()
    run(own, "kubectl run shown --image=nginx")
    expect(third.locator("#follow")).to_contain_text("pod/shown created")
    teacher.locator("#follow-me").get_by_role("button", name="놓아주기").click()
    expect(third.locator("#follow")).to_be_hidden()
    own.close()

    tile["구름"].locator(".pick").click()
    expect(teacher.locator("#picked")).to_contain_text("1명을 골랐습니다")
    teacher.locator("#picked").get_by_role("button", name="고장 내기").click()
    teacher.locator("#fault-node").select_option("node-1")
    teacher.locator("#faults").get_by_role("button", name="끄기").click()
    noticed(teacher, "1명에게 했습니다")
    noticed(third, "전원을 바꾸었습니다")
    expect(first.locator("#notices")).not_to_contain_text("전원을 바꾸었습니다")

    first.get_by_role("button", name="쪽지", exact=True).click()
    first.fill("#chat-text", "이게 <i>왜</i> 이러죠?")
    first.press("#chat-text", "Enter")
    expect(tile["하늘"]).to_contain_text("쪽지 1")
    looking = teacher.context.new_page()
    looking.goto(str(tile["하늘"].locator("a.name").get_attribute("href")))
    expect(looking.locator("#terminal-log")).to_contain_text("kubectl get pods -o wide")
    expect(looking.locator("#chat-log")).to_contain_text("이게 <i>왜</i> 이러죠?")
    looking.fill("#chat-text", "describe를 보세요")
    looking.press("#chat-text", "Enter")
    expect(first.locator("#chat-log")).to_contain_text("describe를 보세요")
    looking.get_by_role("button", name="쪽지 닫기").click()
    first.get_by_role("button", name="쪽지 닫기").click()
    expect(looking.locator("#terminal-form")).to_be_hidden()
    looking.get_by_role("button", name="함께 조작해도 되는지 묻기").click()
    first.get_by_role("button", name="좋아요").click()
    run(looking, "kubectl run together --image=nginx")
    expect(first.locator("#terminal-log")).to_contain_text("pod/together created")
    looking.get_by_role("button", name="그만하기").click()

    looking.get_by_role("link", name="처음부터 다시 보기").click()
    expect(looking.locator("#replay-acts")).to_contain_text("kubectl run together")
    expect(looking.locator('#board [data-ref="pods/default/together"]')).to_have_count(0)
    looking.get_by_role("button", name="다음 한 일").click()
    expect(looking.locator('#board [data-ref="pods/default/together"]')).to_be_visible()
    looking.go_back()

    looking.on("dialog", lambda dialog: dialog.accept())
    looking.get_by_role("button", name="내 자리로 가져와 고치기").click()
    looking.wait_for_url(f"**/lessons/{LESSON}/")
    expect(looking.locator('#board [data-ref="pods/default/together"]')).to_be_visible()
    run(looking, "kubectl delete pod together --now")
    expect(looking.locator("#terminal-log")).to_contain_text("deleted")
    idle(looking)  # the Pod is gone, and not only going
    looking.get_by_role("button", name="고친 상태 보내기").click()
    first.locator(".suggestion").get_by_role("button", name="받기").click()
    expect(first.locator('#board [data-ref="pods/default/together"]')).to_have_count(0)
    looking.close()

    teacher.get_by_role("link", name="결과", exact=True).click()
    for name in NAMES:
        expect(teacher.locator("main")).to_contain_text(name)


def test_what_the_teacher_has_set_stays_while_the_page_is_kept_up_to_date(new_page: Callable[..., Page], server: Server) -> None:
    create_teacher(server, "park")
    teacher = new_page(WIDE)
    link = open_class(teacher, "park", "2반")
    expect(teacher.locator("#nobody")).to_be_visible()
    first, second = new_page(WIDE), new_page(PHONE)
    for page, name in ((first, "하늘"), (second, "가나다라마바사아자차카타파하거너더러머버")):
        join(page, link, name)
    sky = teacher.locator('.tile[data-name="하늘"]')
    expect(teacher.locator(".tile")).to_have_count(2)
    long = teacher.locator('.tile:not([data-name="하늘"])')
    sky.locator(".pick").click()
    teacher.locator('[data-filter="hand"]').click()
    expect(teacher.locator("#nobody-fits")).to_be_visible()
    teacher.evaluate("""() => {
      window.seen = [];
      new MutationObserver(() => window.seen.push([...document.querySelectorAll('.tile')].some((tile) => tile.style.display === '')))
        .observe(document.getElementById('tiles'), { attributes: true, childList: true, subtree: true });
    }""")
    teacher.fill("#announcement", "아직 다 쓰지 않은 말")
    teacher.locator("#follow-lesson").select_option(LESSON)
    run(first, "echo one")
    expect(sky.locator(".last code")).to_have_text("echo one")
    assert not any(teacher.evaluate("window.seen")), "a filtered tile does not come out when it is new"
    expect(sky.locator(".pick")).to_have_attribute("aria-pressed", "true")
    teacher.locator('[data-filter="all"]').click()
    expect(sky).to_be_visible()
    orders = teacher.evaluate("() => [...document.querySelectorAll('.tile')].map((tile) => tile.style.order)")
    assert sorted(orders) == ["0", "1"]

    teacher.get_by_role("button", name="입력 멈추기").click()
    expect(teacher.get_by_role("button", name="입력 다시 열기")).to_be_visible()
    expect(teacher.locator("#announcement")).to_have_value("아직 다 쓰지 않은 말")
    expect(teacher.locator("#follow-lesson")).to_have_value(LESSON)
    run(first, "kubectl get pods")
    noticed(first, "지금은 모두 선생님의 화면을 보는 시간입니다")
    assert "요청을 이해하지 못했습니다" not in "".join(first.evaluate("window.notices"))
    teacher.get_by_role("button", name="알리기").click()
    expect(second.locator("#class-bar")).to_contain_text("아직 다 쓰지 않은 말")
    teacher.locator("#announce").get_by_role("button", name="거두기").click()
    expect(teacher.locator("#announcement")).to_have_value("")
    teacher.get_by_role("button", name="입력 다시 열기").click()

    own = teacher.context.new_page()
    own.goto(f"/lessons/{LESSON}/")
    expect(own.locator("#loading")).to_be_hidden()
    teacher.get_by_role("button", name="내 화면 보이기").click()
    expect(second.locator("#follow")).to_be_visible()
    run(own, "echo first && echo second")
    expect(second.locator("#follow-terminal")).to_contain_text(re.compile(r"\$ echo first && echo second\s*first\s*second"))
    for page in (first, second):
        expect(page.locator("#follow-terminal")).to_contain_text("second")
        bar, follow = page.locator("#class-bar").bounding_box(), page.locator("#follow").bounding_box()
        assert bar is not None
        assert follow is not None
        expect(page.get_by_role("button", name="손 들기")).to_be_visible()
        assert page.evaluate("() => document.elementFromPoint(innerWidth / 2, innerHeight / 3).closest('#follow') !== null")
        assert_fits(page)
    own.close()
    teacher.locator("#follow-me").get_by_role("button", name="놓아주기").click()
    expect(second.locator("#follow")).to_be_hidden()

    looking = teacher.context.new_page()
    looking.goto(str(long.locator("a.name").get_attribute("href")))
    expect(looking.locator("#board-svg .node, #board [data-ref]").first).to_be_visible()
    teacher.on("dialog", lambda dialog: dialog.accept())
    teacher.get_by_role("link", name="사람과 명단").click()
    row = teacher.locator("tr", has=teacher.locator("td:nth-child(2)", has_text="가나다라"))
    row.get_by_role("link", name="고치기").click()
    teacher.get_by_role("button", name="내보내기").click()
    expect(looking.locator("#offline")).to_contain_text("이 사람은 이제 이 자리에 없습니다")
    expect(second.locator("#class-bar")).to_be_hidden()
    expect(second.locator("#offline")).to_be_hidden()
    looking.close()


def directed(server: Server) -> tuple[list[list[str]], dict[str, int]]:
    """(targets of the directives, the latest first; {learner: faults in the journal})."""
    with closing(sqlite3.connect(server.database, timeout=HANG)) as database:
        rows = database.execute("SELECT targets FROM classroom_directive ORDER BY rowid DESC").fetchall()
        journal = database.execute("SELECT c.learner_id, j.request FROM labs_journalentry j JOIN labs_cluster c ON c.id = j.cluster_id").fetchall()
    counts: dict[str, int] = {}
    for learner, request in journal:
        if json.loads(request)["do"] == "fault":
            counts[learner] = counts.get(learner, 0) + 1
    return [[one.replace("-", "") for one in json.loads(targets)] for (targets,) in rows], counts


def test_a_fault_for_many_reaches_each_once_though_the_server_dies_half_way(new_page: Callable[..., Page], own_server: Server) -> None:
    number = 24
    create_teacher(own_server, "kim")
    teacher = new_page(WIDE, server=own_server)
    allow_error(teacher, r"WebSocket|ERR_CONNECTION|Failed to load|\[object Event\]")
    open_class(teacher, "kim", "1반")
    environ = {**unconfigured(os.environ), "PODLAB_DATA": str(own_server.data)}
    seated = subprocess.run([sys.executable, "-c", SEATED, str(number)], cwd=ROOT, env=environ, check=True, capture_output=True, text=True)
    for cookie in json.loads(seated.stdout):
        with Socket(own_server, cookie, LESSON) as socket:
            socket.until("board-svg")
    teacher.reload()
    expect(teacher.locator(".tile")).to_have_count(number)
    teacher.on("dialog", lambda dialog: dialog.accept())
    for faults, (order, wait) in enumerate((("끄기", 0.0), ("켜기", 0.03), ("끄기", 0.08)), 1):  # seconds from the order to the death
        teacher.locator("#wishes").get_by_role("button", name="고장 내기").click()
        teacher.locator("#fault-lesson").select_option(LESSON)
        teacher.locator("#fault-node").select_option("node-1")
        teacher.locator("#faults").get_by_role("button", name=order).click()
        deadline = time.monotonic() + HANG
        while len(directed(own_server)[0]) < faults and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(wait)
        own_server.kill()
        (targets, *_), before = directed(own_server)
        assert len(set(targets)) == number
        assert all(count in (faults - 1, faults) for count in before.values())
        expect(teacher.locator("#offline")).to_be_visible()
        own_server.start()
        deadline = time.monotonic() + HANG
        while directed(own_server)[1] != dict.fromkeys(targets, faults) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1)  # whoever would come twice has had the time
        assert directed(own_server)[1] == dict.fromkeys(targets, faults)
        print(f"killed after {sum(before.values()) - number * (faults - 1)} of {number}")
        expect(teacher.locator("#offline")).to_be_hidden()


SEATED = """
import json, os, sys, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
django.setup()
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from podlab.classroom import joining
from podlab.classroom.models import Classroom
from podlab.labs import sessions
from podlab.labs.models import Learner
cookies = []
for number in range(int(sys.argv[1])):
    learner = Learner.objects.create(nickname=f"n{number}", resume_code_hash=sessions.hash_code(sessions.new_code()))
    joining.join(Classroom.objects.get(), learner, learner.nickname)
    session = SessionStore()
    session[sessions.LEARNER_KEY] = str(learner.pk)
    session.save()
    cookies.append(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
print(json.dumps(cookies))
"""
