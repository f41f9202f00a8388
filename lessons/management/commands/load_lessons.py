"""`manage.py load_lessons`: read every lesson once, so that a mistake stops the start and not a learner.

`check_lessons` tries the lessons out too."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lessons import library
from lessons.schema import LessonError


class Command(BaseCommand):
    help = "Read every lesson; a wrong file is named with its line"
    requires_system_checks = []
    requires_migrations_checks = False

    def handle(self, *, verbosity: int, **options: Any) -> None:
        try:
            lessons = library.lessons()
        except LessonError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self.stdout.write(f"단원 {len(lessons)}개를 읽었습니다")
