"""docs/coverage.md against the lessons: every paragraph of the seeds has its line, every step it names is there."""

import re

import pytest

from lessons import library
from tools import coverage

TEXT = coverage.MAP.read_text(encoding="utf-8")
ROWS = coverage.rows(TEXT)
NOTHING = {("001", 1), ("004", 24), ("004", 25)}  # a date, a farewell, references: nothing to teach


@pytest.mark.slow
def test_every_step_that_the_map_names_is_in_a_lesson() -> None:
    steps = {f"{lesson.slug}#{step.id}" for lesson in library.lessons() for step in lesson.steps}
    named = {step for rows in ROWS.values() for row in rows for step in row[3]}
    assert sorted(named - steps) == []


def test_no_paragraph_of_a_seed_is_left_out() -> None:
    counted = {seed: int(number) for seed, number in re.findall(r"^## (\d{3}) .*: (\d+)문단$", TEXT, re.MULTILINE)}
    assert sorted(counted) == ["000", "001", "002", "003", "004"]
    assert {seed: [row[0] for row in rows] for seed, rows in ROWS.items()} == {seed: list(range(1, n + 1)) for seed, n in counted.items()}


def test_every_paragraph_that_says_something_is_taught() -> None:
    assert {(seed, row[0]) for seed, rows in ROWS.items() for row in rows if not row[3]} == NOTHING


@pytest.mark.slow
def test_every_lesson_teaches_something_of_the_seeds() -> None:
    named = {step.split("#")[0] for rows in ROWS.values() for row in rows for step in row[3]}
    assert [lesson.slug for lesson in library.lessons() if lesson.slug not in named] == []


def test_a_seed_is_cut_into_paragraphs() -> None:
    long = "가" * coverage.LONG
    text = f"---\ntitle: 글\n---\n# 제목\n\n첫\n문단\n\n* {long}\n* {long}\n\n- 짧은\n- 목록\n\n```yaml\na: 1\n\nb: 2\n```\n\n| 표 |\n|---|\n| 칸 |\n"
    assert coverage.paragraphs(text) == ["첫 문단", f"* {long}", f"* {long}", "- 짧은 - 목록", "```yaml a: 1 b: 2 ```", "| 표 | |---| | 칸 |"]
