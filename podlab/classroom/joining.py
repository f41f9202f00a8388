"""How learners come into a class: the code on the blackboard, the roster, and what a teacher mends afterwards."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, UniqueConstraint
from django.utils import timezone

from podlab.classroom.models import NAME_MAX, NUMBER_MAX, Classroom, Membership, RosterEntry
from podlab.labs import sessions
from podlab.labs.models import Cluster, Learner

CODE_LENGTH = 6  # symbols of 32: a thousand million codes, wrong tries limited by address
ROSTER_MAX = 500  # lines
ROSTER_BYTES = 200_000


class JoinRefused(Exception):
    """Why somebody cannot come in, as a Korean sentence."""


NOT_LISTED = "명단에 없는 이름입니다. 명단에 적힌 이름과 번호를 그대로 적어 주세요."


class RosterError(Exception):
    """What is wrong with an uploaded roster, with its line, as a Korean sentence."""


def new_join_code() -> str:
    """A code that no class has."""
    while True:
        code = "".join(secrets.choice(sessions.ALPHABET) for _ in range(CODE_LENGTH))
        if not Classroom.objects.filter(join_code=code).exists():
            return code


def clean_join_code(text: str) -> str:
    """The code as typed by a person: any case, dashes, look-alikes, or the Korean layout left on."""
    return sessions.clean_code(text)[:8]


def find_open(code: str) -> Classroom | None:
    """The class that a code opens just now; None where it is wrong, over or no longer open. The three look alike from outside."""
    found = Classroom.objects.filter(join_code=clean_join_code(code), closed=None).first() if code else None
    if found is None or (found.join_until is not None and found.join_until < timezone.now()):
        return None
    return found


def open_for(classroom: Classroom, hours: float | None) -> None:
    """Let the code work for so long from now; None: as long as the class is open."""
    classroom.join_until = None if hours is None else timezone.now() + timedelta(hours=hours)
    classroom.save(update_fields=["join_until"])


def close(classroom: Classroom, now: datetime) -> None:
    """The class is over: nobody comes in any more, and its wishes let go of the pages."""
    classroom.closed, classroom.frozen, classroom.rate, classroom.announcement, classroom.timer_ends = now, False, None, "", None
    classroom.broadcasting = classroom.lesson = classroom.step = classroom.question_lesson = classroom.question = ""
    classroom.revealed = False
    classroom.save()


def join(classroom: Classroom, learner: Learner, name: str, number: str = "") -> Membership:
    """Seat a learner. With a roster, name (and number, where two share a name) pick the line. Raises JoinRefused."""
    name, number = sessions.clean_nickname(name)[:NAME_MAX] or learner.nickname, sessions.visible(number)[:NUMBER_MAX]
    with transaction.atomic():
        present = Membership.objects.filter(classroom=classroom, learner=learner).first()
        if present is not None:
            if present.removed is not None:
                raise JoinRefused("선생님이 이 교실에서 내보냈습니다. 다시 들어오려면 선생님께 말씀해 주세요.")
            sit(learner.pk, classroom.pk)
            return present
        entry = line_of(classroom, name, number)
        if entry is None and classroom.roster_only:
            raise JoinRefused(NOT_LISTED)
        found = Membership.objects.create(classroom=classroom, learner=learner, name=entry.name if entry else name,
                                          number=entry.number if entry else "")
        if entry is not None:
            entry.membership = found
            entry.save(update_fields=["membership"])
    return found


def sit(learner_id: UUID, classroom_id: int) -> bool:
    """From now on the learner sits in this one of their open classes. Returns whether there is such a class."""
    own = Membership.objects.filter(classroom=classroom_id, classroom__closed=None, learner=learner_id, removed=None)
    return own.update(sat=timezone.now()) > 0


def line_of(classroom: Classroom, name: str, number: str) -> RosterEntry | None:
    """The roster's line of a person. Raises JoinRefused where it is taken or more than one fits."""
    fitting = [entry for entry in classroom.roster.filter(name=name) if not number or entry.number == number]
    if not fitting:
        return None
    free = [entry for entry in fitting if entry.membership_id is None]
    if not free:
        raise JoinRefused("그 이름의 자리에는 이미 다른 사람이 앉아 있습니다. 본인이라면 이어하기 코드로 들어오거나 선생님께 말씀해 주세요.")
    if len(free) > 1:
        raise JoinRefused("같은 이름이 둘 넘게 있습니다. 번호도 함께 적어 주세요.")
    return free[0]


@dataclass(frozen=True)
class RosterLine:
    number: str
    name: str


def read_roster(data: bytes) -> list[RosterLine]:
    """The lines of a CSV as Excel saves it: UTF-8 (with or without BOM) or CP949, comma, semicolon or tab; one or two columns, name last.

    A first line of headings (이름, 번호, name ...) is left out. Raises RosterError.
    """
    if len(data) > ROSTER_BYTES:
        raise RosterError(f"파일이 너무 큽니다. {ROSTER_BYTES // 1000}KB까지 받습니다.")
    text = _decode(data)
    delimiter = max(",;\t", key=text.count)
    found: list[RosterLine] = []
    seen: set[RosterLine] = set()
    for number, row in enumerate(_rows(text, delimiter), 1):
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells) or (number == 1 and cells[-1].lower() in ("이름", "성명", "name")):
            continue
        if len([cell for cell in cells if cell]) > 2:
            raise RosterError(f"{number}번째 줄에 칸이 너무 많습니다. 번호와 이름, 두 칸까지만 적어 주세요.")
        line = RosterLine(sessions.visible(cells[0]) if len(cells) > 1 else "", sessions.clean_nickname(cells[-1] if len(cells) > 1 else cells[0]))
        if not line.name:
            raise RosterError(f"{number}번째 줄에 이름이 없습니다.")
        if len(line.name) > NAME_MAX or len(line.number) > NUMBER_MAX:
            raise RosterError(f"{number}번째 줄이 너무 깁니다. 이름은 {NAME_MAX}자, 번호는 {NUMBER_MAX}자까지입니다.")
        if line in seen:
            raise RosterError(f"{number}번째 줄의 {line.name} 님이 두 번 적혀 있습니다. 이름이 같은 사람은 번호로 갈라 주세요.")
        seen.add(line)
        found.append(line)
    if not found:
        raise RosterError("읽을 줄이 없습니다. 한 줄에 한 사람씩, '번호,이름'이나 '이름'을 적어 주세요.")
    if len(found) > ROSTER_MAX:
        raise RosterError(f"명단이 너무 깁니다. {ROSTER_MAX}명까지 받습니다.")
    return found


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows, whatever ends a line: Excel for the Mac writes the carriage return alone. Raises RosterError."""
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:
        raise RosterError(f"{reader.line_num}번째 줄을 읽지 못했습니다. CSV로 저장한 파일이 맞는지 확인해 주세요.") from None


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RosterError("글자를 읽지 못했습니다. UTF-8이나 엑셀의 CSV로 저장해 주세요.")


def replace_roster(classroom: Classroom, lines: list[RosterLine]) -> None:
    """Take over a new list; who is seated on a line that stays keeps the seat."""
    with transaction.atomic():
        kept = {(entry.number, entry.name): entry for entry in classroom.roster.all()}
        wanted = {(line.number, line.name) for line in lines}
        classroom.roster.filter(pk__in=[entry.pk for key, entry in kept.items() if key not in wanted]).delete()
        RosterEntry.objects.bulk_create([RosterEntry(classroom=classroom, number=line.number, name=line.name) for line in lines
                                         if (line.number, line.name) not in kept])
        _seat_present(classroom)


def _seat_present(classroom: Classroom) -> None:
    """Who came before the list did gets their line, where the name fits one line and one person only."""
    free = list(classroom.roster.filter(membership=None))
    standing = list(classroom.memberships.filter(removed=None, roster_entry=None))
    for entry in free:
        fitting = [member for member in standing if member.name == entry.name]
        if len(fitting) == 1 and sum(other.name == entry.name for other in free) == 1:
            entry.membership = fitting[0]
            entry.save(update_fields=["membership"])
            Membership.objects.filter(pk=fitting[0].pk).update(number=entry.number)


def rename(member: Membership, name: str) -> None:
    member.name = sessions.clean_nickname(name)[:NAME_MAX] or member.name
    member.save(update_fields=["name"])


def remove(member: Membership) -> None:
    """Take somebody out of the class; their own work stays theirs."""
    RosterEntry.objects.filter(membership=member).update(membership=None)
    member.removed = timezone.now()
    member.hand_raised = None
    member.save(update_fields=["removed", "hand_raised"])


def readmit(member: Membership) -> None:
    """Let somebody in again who was taken out: to their seat, and their line of the roster if nobody else has it by now."""
    member.removed = None
    member.save(update_fields=["removed"])
    line = member.classroom.roster.filter(number=member.number, name=member.name, membership=None).first()
    if line is not None:
        line.membership = member
        line.save(update_fields=["membership"])


def merge(old: Membership, new: Membership) -> None:
    """One person came twice (another browser, no code at hand): `new`'s browser goes on as `old`, with the work of both.

    Everything that refers to the second is handed over, whatever table it stands in. Where both have a cluster of the same lesson, the one
    used last stays; where both have worked at the same thing, the counts add up.
    """
    if old.classroom_id != new.classroom_id or old.pk == new.pk:
        raise ValueError("two different seats of one class are merged")
    with transaction.atomic():
        for cluster in Cluster.objects.filter(learner=new.learner):
            other = Cluster.objects.filter(learner=old.learner, lesson=cluster.lesson).first()
            if other is not None and other.updated > cluster.updated:
                continue
            if other is not None:
                other.delete()
            Cluster.objects.filter(pk=cluster.pk).update(learner=old.learner)
        _hand_over(new.learner, old.learner)
        Learner.objects.filter(merged_into=new.learner).update(merged_into=old.learner)
        Learner.objects.filter(pk=new.learner_id).update(merged_into=old.learner)


def _hand_over(source: Model, target: Model) -> None:
    """Every row that refers to `source` refers to `target` from now on; one that `target` has already is combined with that."""
    for relation in source._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        if relation.one_to_one or model is Cluster:  # a desk, a team's owner, a roster's line; clusters are merge's
            continue
        for row in model._default_manager.filter(**{name: source}):
            twin = _twin(row, name, target)
            if twin is None:
                model._default_manager.filter(pk=row.pk).update(**{name: target})
            else:
                _combine(row, twin)


def _twin(row: Model, name: str, target: Model) -> Model | None:
    """What of `target`'s stands where the row would: all but the reference agree in a unique constraint."""
    for constraint in row._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and name in constraint.fields:
            others = {field: getattr(row, field) for field in constraint.fields if field != name}
            found = type(row)._default_manager.filter(**others, **{name: target}).first()
            if found is not None:
                return found
    return None


def _combine(row: Any, twin: Any) -> None:
    """Two rows for one thing become one: checks and seconds add up, the most hints count, the first solution stands."""
    for count in ("checks", "seconds"):
        if hasattr(twin, count):
            setattr(twin, count, getattr(twin, count) + getattr(row, count))
    if hasattr(twin, "hints"):
        twin.hints = max(twin.hints, row.hints)
    if getattr(row, "solved", None) is not None and (twin.solved is None or row.solved < twin.solved):
        twin.solved = row.solved
        if hasattr(twin, "commands"):
            twin.commands = row.commands
    if isinstance(twin, Membership):
        RosterEntry.objects.filter(membership=row).update(membership=None)
        _hand_over(row, twin)
    row.delete()
    twin.save()
