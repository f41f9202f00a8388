"""`manage.py check_lessons [slug...]`: read every lesson, and try every exercise and every command of the prose out."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons import library, trials
from lessons.schema import LessonError


class Command(BaseCommand):
    help = "Check the lessons: their files, and on fresh clusters their exercises, wrong ways and prose; no database is needed"
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", help="only these lessons, e.g. why-pods")

    def handle(self, *, slugs: list[str], **options: Any) -> None:
        try:
            lessons = [lesson for lesson in library.lessons() if not slugs or lesson.slug in slugs]
        except LessonError as error:
            raise CommandError(str(error)) from error
        if missing := set(slugs) - {lesson.slug for lesson in lessons}:
            raise CommandError(f"그런 단원이 없습니다: {', '.join(sorted(missing))}")
        wrong = 0
        for lesson in lessons:
            began = time.monotonic()
            found = list(trials.failures(lesson))
            wrong += len(found)
            tried = sum(1 + len(step.exercise.wrong) for step in lesson.steps if step.exercise)
            self.stdout.write(
                f"{'✕' if found else '✓'} {lesson.number:02d} {lesson.slug}: 걸음 {len(lesson.steps)}, 시도 {tried} "
                f"({time.monotonic() - began:.1f}초)"
            )
            for line in found:
                self.stdout.write(f"    {line}")
        if wrong:
            raise CommandError(f"고칠 곳이 {wrong}군데 있습니다")
