"""Our own course: every lesson does what it says, in the rhythm and the words that the course has agreed on."""

import re
from pathlib import Path

import pytest
import yaml

from lessons import library, loader, misconceptions, trials
from lessons.schema import KIND_NAMES

pytestmark = pytest.mark.slow

COURSE = library.OWN
FOLDERS = loader.folders(COURSE)
GLOSSARY = yaml.safe_load((COURSE / "glossary.yaml").read_text(encoding="utf-8"))
DRILLS = ("incidents",)  # many short exercises after one another, each with a step of its own: more than three do not count as length
MANUAL = re.compile(r'href="https://kubernetes\.io/')
PAGES = ("https://kubernetes.io/docs/", "https://www.envoyproxy.io/docs/", "https://linkerd.io/2/", "https://oauth2-proxy.github.io/",
         "https://docs.fluentd.org/")  # the manual's, and those of the side systems of which it says nothing
every_lesson = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


@pytest.mark.slow
@every_lesson
def test_lesson_is_unsolved_at_the_start_solved_by_its_solution_and_by_no_wrong_way(folder: Path) -> None:
    assert list(trials.failures(loader.load(folder))) == []


@every_lesson
def test_lesson_keeps_the_rhythm(folder: Path) -> None:
    lesson = loader.load(folder)
    kinds = [step.kind for step in lesson.steps]
    assert set(kinds) == set(KIND_NAMES), "a kind of step is missing"
    assert kinds[0] == "watch" and kinds.index("do") < kinds.index("why") < kinds.index("exercise")
    assert 8 <= len(kinds) <= (12 if lesson.slug not in DRILLS else 12 + kinds.count("exercise") - 3)
    assert kinds.count("predict") >= 2 and kinds.count("do") >= 2 and kinds[-2:] == ["debrief", "quiz"]
    assert 4 <= len(lesson.steps[-1].questions) <= 6
    assert all("data-why" in step.html for step in lesson.steps if step.kind == "why")
    assert any(url.startswith("https://kubernetes.io/") for _, url in lesson.manual)  # a side system has a manual of its own beside it
    assert all(url.startswith("https://") for _, url in lesson.manual)


@every_lesson
def test_every_step_that_tells_facts_links_the_manual(folder: Path) -> None:
    steps = loader.load(folder).steps
    assert [step.id for step in steps if step.kind in ("watch", "do", "why", "debrief") and not MANUAL.search(step.html)] == []


@every_lesson
def test_what_an_exercise_tells_afterwards_links_the_page_that_backs_it(folder: Path) -> None:
    told = [step.exercise for step in loader.load(folder).steps if step.exercise and step.exercise.debrief]
    assert [one.id for one in told if not any(f'href="{page}' in one.debrief for page in (*PAGES, "https://kubernetes.io/"))] == []


@every_lesson
def test_a_link_to_the_manual_has_the_form_of_its_addresses(folder: Path) -> None:
    files = [folder / name for name in ("lesson.md", "exercises.yaml", "quiz.yaml")] + [misconceptions.FILE]
    found = [url for file in files for url in re.findall(r"https://kubernetes\.io[^)\"\s]*", file.read_text(encoding="utf-8"))]
    assert [url for url in found if not re.fullmatch(r"https://kubernetes\.io/((ko/)?docs|blog)/([a-z0-9-]+/)+(#[a-z0-9-]+)?", url)] == []


@every_lesson
def test_what_an_answer_is_told_comes_with_the_page_that_backs_it(folder: Path) -> None:
    choices = [choice for step in loader.load(folder).steps for question in step.questions for choice in question.choices]
    assert [choice.why for choice in choices if not choice.manual.startswith(PAGES)] == []


def prose(folder: Path) -> list[str]:
    """Paragraphs of a lesson as a reader meets them: no head, headings, code or directives."""
    text = re.sub(r"\A---\n.*?\n---\n", "", (folder / "lesson.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(##|\{\{).*$", "", text, flags=re.MULTILINE)
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]


@every_lesson
def test_a_term_comes_with_its_english_where_it_is_first_used(folder: Path) -> None:
    for term in GLOSSARY:
        first = next((paragraph for paragraph in prose(folder) if term["ko"] in paragraph), None)
        assert first is None or term["en"] in first, f"{term['ko']}({term['en']})"


@every_lesson
def test_every_file_uses_the_agreed_terms(folder: Path) -> None:
    for file in ("lesson.md", "quiz.yaml", "exercises.yaml"):
        text = (folder / file).read_text(encoding="utf-8")
        assert [word for term in GLOSSARY for word in term.get("not", ()) if word in text] == []


@every_lesson
def test_the_prose_keeps_the_polite_style(folder: Path) -> None:
    """합니다 style throughout: a sentence of the prose does not end in 한다, 이다, 된다."""
    plain = re.compile(r"[가-힣]+(?:한다|이다|된다|있다|없다|않다)\.(?:\s|$)")
    assert [paragraph for paragraph in prose(folder) if plain.search(paragraph)] == []


def test_the_glossary_has_one_line_for_each_term_and_no_term_twice() -> None:
    assert len({term["ko"] for term in GLOSSARY}) == len({term["en"] for term in GLOSSARY}) == len(GLOSSARY)
    assert all(set(term) <= {"ko", "en", "not", "means"} and term["means"] for term in GLOSSARY)
    used = " ".join(paragraph for folder in FOLDERS for paragraph in prose(folder))
    assert [term["ko"] for term in GLOSSARY if term["ko"] not in used] == []


def test_misconceptions_are_numbered_in_order_each_a_sentence_of_its_own() -> None:
    found = misconceptions.known()
    assert list(found) == sorted(found) and set(range(1, 51)) <= set(found), "the first fifty are the plan's and keep their numbers"
    assert len(set(found.values())) == len(found)


def test_every_misconception_is_met_in_some_question() -> None:
    questions = [question for folder in FOLDERS for step in loader.load(folder).steps for question in step.questions]
    met = {choice.misconception for question in questions for choice in question.choices}
    assert [number for number in misconceptions.known() if number not in met] == []
