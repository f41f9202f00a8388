"""The lessons of this installation, loaded once (again after a change in development)."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from lessons import glossary, loader, search
from lessons.glossary import Term
from lessons.schema import Lesson, LessonError
from podlab.labs.births import Birth

logger = logging.getLogger(__name__)

OWN = Path(__file__).resolve().parent / "course"


def folders() -> list[Path]:
    """Our course, and a teacher's own beside it (LESSONS_DIR)."""
    return [OWN, *(Path(folder) for folder in getattr(settings, "LESSON_DIRS", ()))]


def _stamp() -> float:
    if not settings.DEBUG:
        return 0.0
    return max((file.stat().st_mtime for folder in folders() if folder.is_dir() for file in folder.rglob("*") if file.is_file()), default=0.0)


@lru_cache(maxsize=2)
def _load(stamp: float) -> dict[str, Lesson]:
    found: dict[str, Lesson] = {}
    linked_terms = terms()
    for folder in folders():
        if folder.is_dir():
            for lesson in loader.load_all(folder):
                if lesson.slug in found:
                    raise LessonError(str(folder), 1, f"{lesson.slug}(이)라는 단원이 둘입니다")
                found[lesson.slug] = _linked(lesson, linked_terms)
    return dict(sorted(found.items(), key=lambda item: item[1].number))


def _linked(lesson: Lesson, linked_terms: tuple[Term, ...]) -> Lesson:
    """The lesson with the first use of each term linked to the glossary."""
    linker = glossary.Linker(linked_terms)
    return replace(lesson, steps=tuple(replace(step, html=linker.link(step.html)) for step in lesson.steps))


def terms() -> tuple[Term, ...]:
    """The glossary's."""
    return glossary.load(OWN / "glossary.yaml")


@lru_cache(maxsize=1)
def _index(stamp: float) -> search.Index:
    return search.Index(search.passages_of(lessons(), terms()))


def index() -> search.Index:
    """The course, ready to be searched; made at the first question."""
    return _index(_stamp())


def cheat_sheet() -> list[dict[str, Any]]:
    """[{"title", "lines": [{"run", "does", "lesson"}]}], as lessons/course/cheatsheet.yaml has it."""
    found: list[dict[str, Any]] = yaml.safe_load((OWN / "cheatsheet.yaml").read_text(encoding="utf-8"))
    return found


def lessons() -> list[Lesson]:
    """By number. Raises LessonError when a file is wrong."""
    return list(_load(_stamp()).values())


def get(slug: str) -> Lesson:
    """Raises LookupError."""
    return _load(_stamp())[slug]


def birth(slug: str) -> Birth:
    """How a lesson's cluster begins, for labs. Raises LookupError."""
    return birth_of(get(slug))


def birth_of(lesson: Lesson) -> Birth:
    spec = {"nodes": [dict(node) for node in lesson.spec["nodes"]]} if lesson.spec else None
    return Birth(
        seed=lesson.number, spec=spec, manifests=lesson.manifests, settle_seconds=lesson.settle_seconds, files=dict(lesson.files)
    )
