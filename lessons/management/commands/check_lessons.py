"""`manage.py check_lessons [slug...]`: read every lesson, and try every exercise and every command of the prose out."""

import os
import time
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons import library, loader, trials
from lessons.schema import Lesson, LessonError


class Command(BaseCommand):
    help = "Check the lessons: their files, and on fresh clusters their exercises, wrong ways and prose; no database is needed"
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", help="only these lessons, e.g. why-pods")

    def handle(self, *, slugs: list[str], **options: Any) -> None:
        folders = {path.name[3:]: path for course in library.folders() if course.is_dir() for path in loader.folders(course)}
        if missing := sorted(set(slugs) - set(folders)):
            raise CommandError(f"그런 단원이 없습니다: {', '.join(missing)}")
        chosen = [folders[slug] for slug in slugs or folders]
        self.lessons: list[Lesson] = []
        if len(chosen) == 1:
            wrong = self.tell(*check(chosen[0]))
        else:  # each lesson has clusters of its own: a process each, as many at once as there are cores
            with ProcessPoolExecutor(os.cpu_count()) as pool:
                wrong = sum(self.tell(*told) for told in pool.map(check, chosen))
        self.stdout.write(self.totals())
        if wrong:
            raise CommandError(f"고칠 곳이 {wrong}군데 있습니다")

    def tell(self, lesson: Lesson | None, lines: list[str]) -> int:
        """How much is wrong with one lesson: every line but the heading, which a lesson that cannot be read has not."""
        for line in lines:
            self.stdout.write(line)
        if lesson is None:
            return len(lines)
        self.lessons.append(lesson)
        return len(lines) - 1

    def totals(self) -> str:
        """What the lessons that could be read hold."""
        steps = [step for lesson in self.lessons for step in lesson.steps]
        questions = [question for step in steps for question in step.questions]
        wrong = [choice for question in questions for choice in question.choices if not choice.correct]
        known = sum(bool(choice.misconception) for choice in wrong)
        exercises = sum(step.exercise is not None for step in steps)
        return (f"단원 {len(self.lessons)}, 걸음 {len(steps)}, 과제 {exercises}, 문제 {len(questions)}, "
                f"틀린 답 {len(wrong)} (까닭 {sum(bool(choice.why) for choice in wrong)}, 오해의 번호 {known})")


def check(folder: Path) -> tuple[Lesson | None, list[str]]:
    """(the lesson or None when it cannot be read, what to tell of it)"""
    began = time.monotonic()
    try:
        lesson = loader.load(folder)
    except LessonError as error:
        return None, [f"✕ {error}"]
    found = list(trials.failures(lesson))
    tried = sum(1 + len(step.exercise.also) + len(step.exercise.wrong) for step in lesson.steps if step.exercise)
    heading = f"{'✕' if found else '✓'} {folder.name}: 걸음 {len(lesson.steps)}, 시도 {tried} ({time.monotonic() - began:.1f}초)"
    return lesson, [heading, *(f"    {line}" for line in found)]
