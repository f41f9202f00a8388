"""What is kept of a learner, handed to them, and deleted when they wish it.

Both go along the rows that refer to a learner, whatever they are called, so that a table added later is neither forgotten nor left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Replace
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from lessons import library, progress
from podlab.classroom import rooms
from podlab.classroom.models import AuditEntry, Desk, Directive, Membership, RosterEntry
from podlab.labs import access, audience, sessions
from podlab.labs.consumers import NO_SESSION, LabConsumer
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Checkpoint, Cluster, JournalEntry, Learner, Node, Pod

DERIVED: tuple[type[models.Model], ...] = (Checkpoint, Node, Pod)  # made from the journal at any time
NOBODY = UUID(int=0)
SECRET = ("hash", "token", "key", "secret", "password")  # in a column's name: a copy of it would open a door
OWNERS: tuple[type[models.Model], ...] = (Learner, Membership, Cluster)  # whose rows' own rows are theirs too


def export(learner: Learner) -> dict[str, Any]:
    """Everything that is kept of a learner, as plain JSON values. Times are ISO 8601."""
    return {"course": progress.export(learner, library.lessons()), "rows": list(_described(learner, set()))}


def _described(owner: models.Model, seen: set[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """The row, and the rows that refer to it."""
    if (owner._meta.label, owner.pk) in seen:
        return
    seen.add((owner._meta.label, owner.pk))
    yield {"table": owner._meta.label, **_columns(owner)}
    if not isinstance(owner, (*OWNERS,)):
        return
    for relation in owner._meta.related_objects:
        model = relation.related_model
        if issubclass(model, (*DERIVED, Desk)):
            continue
        for row in model._default_manager.filter(**{relation.field.name: owner}):
            yield from _described(row, seen)


def _columns(row: models.Model) -> dict[str, Any]:
    found = {}
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if any(word in column.name for word in SECRET) or isinstance(value, (bytes, memoryview)):
            continue
        found[column.attname] = value if isinstance(value, (str, int, float, bool)) or value is None else _text(value)
    return found


def _text(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def forget(learner: Learner) -> list[int]:
    """Delete a learner with everything that names them. Returns the classes that they sat in."""
    with transaction.atomic():
        people = [learner.pk, *Learner.objects.filter(merged_into=learner).values_list("pk", flat=True)]
        seats = Membership.objects.filter(learner__in=people)
        classes = list(seats.values_list("classroom_id", flat=True))
        RosterEntry.objects.filter(membership__in=seats).delete()
        told = Q(learner__in=people)
        for person in people:
            told |= Q(detail__contains=str(person))
        for classroom, name in seats.values_list("classroom_id", "name"):
            told |= Q(classroom_id=classroom, detail__contains=name)
        AuditEntry.objects.filter(told).update(detail="", learner=None)
        for person in people:  # what was sent to them, and their acts on a team's cluster, which stays the others'
            Directive.objects.filter(classroom__in=classes).update(targets=Replace("targets", Value(str(person)), Value(str(NOBODY))))
            (JournalEntry.objects.filter(cluster__learner__team__game__classroom__in=classes, request__contains=str(person))
             .update(request=Replace("request", Value(str(person)), Value(""))))
        Learner.objects.filter(pk__in=people).delete()
        for classroom in set(classes):
            AuditEntry.objects.create(classroom_id=classroom, what="left-for-good")
    return sorted(set(classes))


async def let_go(people: UUID, clusters: list[int], classes: list[int]) -> None:
    """Nothing of them stays in memory: their pages are closed, their clusters forgotten, their seats empty."""
    for page in audience.pages(people):
        if isinstance(page, LabConsumer):
            await page.close(NO_SESSION)
    for cluster in clusters:
        if (live := CLUSTERS.find(cluster)) is not None:
            CLUSTERS.discard(live)
    for classroom in classes:
        await rooms.renew(classroom)


# ---- pages

@require_GET
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """What is kept, to be taken along or deleted."""
    learner = access.get_learner(request)
    return _page(request, learner)


def _page(request: HttpRequest, learner: Learner, *, error: str = "", status: int = 200) -> HttpResponse:
    return render(request, "classroom/my_data.html", {
        "learner": learner, "error": error, "clusters": learner.clusters.count(), "desk": Desk.objects.filter(learner=learner).exists(),
        "memberships": Membership.objects.filter(learner=learner).select_related("classroom")}, status=status)


@require_GET
@never_cache
def download(request: HttpRequest) -> HttpResponse:
    answer = JsonResponse(export(access.get_learner(request)), json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="podlab-my-data.json"'
    return answer


@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Delete everything, when the nickname was typed as a confirmation."""
    learner = access.get_learner(request)
    if Desk.objects.filter(learner=learner).exists():
        return _page(request, learner, error="선생님의 자리는 여기에서 지울 수 없습니다.", status=422)
    if sessions.clean_nickname(request.POST.get("nickname", "")) != learner.nickname:
        return _page(request, learner, error="별명을 그대로 적어야 지웁니다.", status=422)
    clusters = list(learner.clusters.values_list("pk", flat=True))
    person = learner.pk
    classes = forget(learner)
    async_to_sync(let_go)(person, clusters, classes)
    sessions.leave(request)
    return redirect("home")
