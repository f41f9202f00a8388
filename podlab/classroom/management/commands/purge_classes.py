"""`manage.py purge_classes`: delete what classes were told to keep no longer. For a daily timer; says what it deleted."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Max, Q
from django.utils import timezone

from podlab.classroom.joining import close
from podlab.classroom.models import AuditEntry, Classroom, Membership
from podlab.labs.models import Learner

IDLE_DAYS = 90  # that an open class may stand unused at least, however short its records are kept: a term's break is no end
RECORD_DAYS = 180  # of sign-ins and refused launches, which belong to no class


def _used(classroom: Classroom) -> datetime:
    """When somebody did something in a class last."""
    told = classroom.memberships.aggregate(joined=Max("joined"), acted=Max("last_action_at"))
    return max(at for at in (classroom.created, classroom.steered, told["joined"], told["acted"]) if at is not None)


class Command(BaseCommand):
    help = "Delete closed classes whose days are over, with the learners who are in no other class, and what the record of no class holds"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        for classroom in Classroom.objects.filter(closed=None):
            idle = max(classroom.keep_days, IDLE_DAYS)
            if _used(classroom) + timedelta(days=idle) < now:  # nobody closed it: its days begin now
                self.stdout.write(f"{classroom.title}: {idle}일 동안 쓰지 않아 {'마칠 때가 되었습니다' if dry_run else '마쳤습니다'}")
                if not dry_run:
                    close(classroom, now)
        due = [room for room in Classroom.objects.exclude(closed=None) if room.closed and room.closed + timedelta(days=room.keep_days) < now]
        for classroom in due:
            learners = set(classroom.memberships.values_list("learner_id", flat=True))
            elsewhere = set(Membership.objects.filter(learner__in=learners).exclude(classroom=classroom).values_list("learner_id", flat=True))
            gone = learners - elsewhere
            self.stdout.write(f"{classroom.title}: 배우는 사람 {len(gone)}명과 그 기록{'(지우지 않음)' if dry_run else ''}")
            if not dry_run:
                Learner.objects.filter(Q(pk__in=gone) | Q(merged_into__in=gone) | Q(team__game__classroom=classroom), desk=None).delete()
                classroom.delete()
        if not dry_run:
            AuditEntry.objects.filter(classroom=None, at__lt=now - timedelta(days=RECORD_DAYS)).delete()
        self.stdout.write(f"교실 {len(due)}개를 {'지울 때가 되었습니다' if dry_run else '지웠습니다'}.")
