"""`manage.py purge_classes`: delete what classes were told to keep no longer. For a daily timer; says what it deleted."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Q
from django.utils import timezone

from podlab.classroom.models import Classroom, Membership
from podlab.labs.models import Learner


class Command(BaseCommand):
    help = "Delete closed classes whose days are over, with the learners who are in no other class"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        due = [room for room in Classroom.objects.exclude(closed=None) if room.closed and room.closed + timedelta(days=room.keep_days) < now]
        for classroom in due:
            learners = set(classroom.memberships.values_list("learner_id", flat=True))
            elsewhere = set(Membership.objects.filter(learner__in=learners).exclude(classroom=classroom).values_list("learner_id", flat=True))
            gone = learners - elsewhere
            self.stdout.write(f"{classroom.title}: 배우는 사람 {len(gone)}명과 그 기록{'(지우지 않음)' if dry_run else ''}")
            if not dry_run:
                Learner.objects.filter(Q(pk__in=gone) | Q(merged_into__in=gone) | Q(team__game__classroom=classroom), desk=None).delete()
                classroom.delete()
        self.stdout.write(f"교실 {len(due)}개를 {'지울 때가 되었습니다' if dry_run else '지웠습니다'}.")
