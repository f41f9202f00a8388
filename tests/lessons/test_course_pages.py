"""Search, glossary, command sheet, progress, export and certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from lessons import library, progress
from lessons.glossary import Linker, Term
from lessons.models import StepDone
from lessons.progress import Stopwatch
from lessons.search import Index, Passage, words
from podlab.labs.models import Learner

pytestmark = pytest.mark.slow

POD = Term("파드", "Pod", "가장 작은 단위")
TERMS = (POD, Term("서비스", "Service", "앞에 세우는 주소"), Term("사이드카", "sidecar", "거드는 컨테이너"),
         Term("네이티브 사이드카", "native sidecar", "순서를 지키는 사이드카"))


@pytest.mark.parametrize(("html", "linked"), [
    ("<p>파드를 지웁니다. 파드가</p>", ["파드"]),
    ("<p>네이티브 사이드카와 사이드카</p>", ["네이티브 사이드카", "사이드카"]),
    ("<p>서비스어카운트가 있습니다</p>", []),
    ("<p><code>파드</code></p>", []),
    ('<p><a href="x">파드</a></p>', []),
    ("<h3>파드</h3><p>파드입니다</p>", ["파드"]),
    ("<pre><code>파드</code></pre>", []),
])
def test_the_first_use_of_a_term_is_linked_and_nothing_else(html: str, linked: list[str]) -> None:
    out = Linker(TERMS).link(html)
    assert [part.split("</a>")[0].rsplit(">", 1)[-1] for part in out.split('class="gloss"')[1:]] == linked


def test_a_term_is_linked_once_in_a_lesson() -> None:
    linker = Linker(TERMS)
    assert "class=" in linker.link("<p>파드가</p>")
    assert "class=" not in linker.link("<p>파드가</p>")


def test_every_lesson_links_its_terms() -> None:
    for lesson in library.lessons():
        assert any('class="gloss"' in step.html for step in lesson.steps), lesson.slug
        assert sum(step.html.count('href="/glossary/#pod"') for step in lesson.steps) <= 1


@pytest.mark.parametrize("form", ["파드가", "파드를", "파드에서", "파드마다", "파드"])
def test_particles_do_not_hide_a_word(form: str) -> None:
    assert "파드" in words(form)


INDEX = Index([
    Passage("/a", "1과", "파드 지우기", "파드를 지우면 컨트롤러가 다시 만듭니다."),
    Passage("/b", "2과", "준비성 프로브", "readiness probe가 실패하면 서비스에서 빠집니다. CrashLoopBackOff와 다릅니다."),
    Passage("/c", "3과", "포트", "kubectl port-forward로 잇습니다. 파드도 나옵니다."),
])


@pytest.mark.parametrize(("query", "urls"), [
    ("파드를 지우는", ["/a"]), ("crashloopbackoff", ["/b"]), ("port-forward", ["/c"]), ("readiness", ["/b"]), ("", []), ("ㅁㄴㅇㄹ", []),
])
def test_a_passage_is_found_by_its_words(query: str, urls: list[str]) -> None:
    assert [found.passage.url for found in INDEX.find(query)][: len(urls) or None] == urls


def test_titles_weigh_more_than_text() -> None:
    assert INDEX.find("파드")[0].passage.url == "/a"


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", "%", "'; drop table", "ㄱ" * 5000, "\x00"])
def test_whatever_is_asked_the_page_answers_and_stays_text(query: str) -> None:
    answer = Client().get("/search/", {"q": query})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_glossary_and_command_sheet_are_there_for_everybody() -> None:
    assert 'id="pod"' in Client().get("/glossary/").content.decode()
    assert "kubectl rollout undo" in Client().get("/commands/").content.decode()


def test_time_counts_work_and_no_pauses() -> None:
    watch = Stopwatch()
    for moment in (0, 10, 20, 1000, 1005):
        watch.act(moment)
    assert watch.take() == 25
    assert watch.take() == 0


@pytest.fixture
def browser(db: None) -> Iterator[tuple[Client, Learner]]:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    yield client, Learner.objects.get()


def test_progress_counts_first_answers_solved_exercises_and_time(browser: tuple[Client, Learner]) -> None:
    client, learner = browser
    lesson = library.get("one-ip")
    question = next(q for step in lesson.steps for q in step.questions)
    wrong = next(n for n, choice in enumerate(question.choices) if not choice.correct)
    right = next(n for n, choice in enumerate(question.choices) if choice.correct)
    for choice in (wrong, right):
        progress.answer(learner, lesson.slug, question, choice)
    exercise = next(step.exercise for step in lesson.steps if step.exercise)
    progress.hint(learner, lesson.slug, exercise.id, 2)
    progress.checked(learner, lesson.slug, exercise.id, solved=True, commands=3)
    progress.finish(learner, lesson.slug, lesson.steps[0].id)
    progress.spend(learner, lesson.slug, 125)
    found = progress.report(learner, [lesson])[0]
    assert (found.done, found.answered, found.first_right, found.solved, found.hints, found.seconds) == (1, 1, 0, 1, 2, 125)
    page = client.get("/progress/").content.decode()
    assert "명령 3번" in page and "2분" in page
    told = json.loads(client.get("/progress.json").content)
    mine = next(one for one in told["lessons"] if one["lesson"] == lesson.slug)
    assert [answer["correct"] for answer in mine["answers"]] == [False, True]
    assert mine["steps"][0]["done"] and not mine["steps"][1]["done"]


def test_the_certificate_is_for_who_has_done_every_step(browser: tuple[Client, Learner]) -> None:
    client, learner = browser
    assert client.get("/certificate/").status_code == 302
    StepDone.objects.bulk_create([StepDone(learner=learner, lesson=lesson.slug, step=step.id, done=timezone.now())
                                  for lesson in library.lessons() for step in lesson.steps])
    page = client.get("/certificate/")
    assert page.status_code == 200
    assert "초록고래" in page.content.decode()


@pytest.mark.parametrize("path", ["/progress/", "/progress.json", "/certificate/"])
def test_progress_is_nobody_else_s(db: None, path: str) -> None:
    assert Client().get(path).status_code == 302
