"""Exercises in class: the server's word on every check and hint, and the teacher's pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lessons import library
from podlab.classroom import access, duties, rooms
from podlab.classroom.models import Assignment, Classroom
from podlab.labs import audience, limits
from podlab.labs.live import CLUSTERS

EXERCISES_MAX = 60  # of one assignment

_claimed: WeakKeyDictionary[audience.LabPage, list[int]] = WeakKeyDictionary()  # page -> works that its present check counts for


def install() -> None:
    """Ask and hear the lab pages. Called once, when Django starts."""
    audience.gate("check", _gate)
    audience.gate("hint", _gate)
    audience.veil(duties.veiled)
    audience.listen(_hear)


async def _gate(page: audience.LabPage, action: str, message: Mapping[str, Any]) -> None:
    """Whether a check or a hint is allowed by everything that is assigned just now. It is counted here, before it happens."""
    try:
        step = library.get(page.lesson).step(limits.text(message.get("step"), 80))
    except LookupError:
        return
    if step is None or step.exercise is None:
        return
    try:
        _claimed[page] = await CLUSTERS.writer.call(duties.claim, page.learner_id, page.lesson, step.exercise.id, action)
    except duties.Refused as refused:
        raise limits.refuse(str(refused)) from None
    if _claimed[page]:
        rooms.later(_show(page.learner_id))


def _hear(act: audience.Act) -> None:
    if act.kind == "check" and (works := _claimed.pop(act.page, None)) and act.facts["solved"]:
        rooms.later(_solved(act.page.learner_id, works))


async def _solved(learner_id: UUID, works: list[int]) -> None:
    await CLUSTERS.writer.call(duties.solved, works)
    await _show(learner_id)


async def _show(learner_id: UUID) -> None:
    """The learner's bar with what is left now."""
    room = rooms.of(learner_id)
    if room is not None:
        room.seats[learner_id].assigned = await CLUSTERS.writer.call(duties.mine, learner_id, room.classroom.pk)
        room.show_bar(learner_id)


# ---- the teacher's pages

class AssignmentForm(forms.ModelForm):
    """A new set. `chosen`: lesson/exercise, as the page's boxes send them."""

    chosen = forms.MultipleChoiceField(error_messages={"required": "과제를 하나라도 골라 주세요.", "invalid_choice": "없는 과제가 있습니다."})

    class Meta:
        model = Assignment
        fields = ("title", "mode", "opens", "closes", "attempts", "hints", "hints_after")
        widgets = {name: forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M") for name in ("opens", "closes")}
        labels = {"title": "이름", "mode": "방식", "opens": "여는 때", "closes": "마감", "attempts": "확인하기(과제마다, 0이면 몇 번이든)",
                  "hints": "힌트", "hints_after": "힌트가 열리는 실패(번)"}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        chosen = self.fields["chosen"]
        assert isinstance(chosen, forms.MultipleChoiceField)
        chosen.choices = [(f"{lesson.slug}/{step.exercise.id}", step.exercise.title)
                          for lesson in library.lessons() for step in lesson.steps if step.exercise]
        self.fields["opens"].required = self.fields["closes"].required = False
        self.fields["title"].error_messages["required"] = "이름을 적어 주세요."

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        found["opens"] = found.get("opens") or timezone.now()
        closes = found.get("closes")
        if closes is not None and closes <= found["opens"]:
            self.add_error("closes", "마감은 여는 때보다 뒤여야 합니다.")
        if found.get("mode") == Assignment.Mode.ASSESSMENT and closes is None:
            self.add_error("closes", "평가에는 마감이 있어야 합니다. 그때까지 답을 가립니다.")
        if len(found.get("chosen") or ()) > EXERCISES_MAX:
            self.add_error("chosen", f"과제는 {EXERCISES_MAX}개까지 고를 수 있습니다.")
        return found


@require_http_methods(["GET", "POST"])
@never_cache
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """All assignments of a class, and a form for a new one."""
    found = access.get_classroom(request, pk)
    form = AssignmentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = form.save(commit=False)
        made.classroom, made.exercises = found, json.dumps([one.split("/", 1) for one in form.cleaned_data["chosen"]])
        made.save()
        rooms.tell(found)
        return redirect("classroom-assignment", pk, made.pk)
    chosen = set(request.POST.getlist("chosen"))
    groups = [{"lesson": lesson, "exercises": [{"value": value, "title": step.exercise.title, "on": value in chosen}
                                               for step in lesson.steps if step.exercise and (value := f"{lesson.slug}/{step.exercise.id}")]}
              for lesson in library.lessons() if any(step.exercise for step in lesson.steps)]
    return render(request, "classroom/assignments.html", {
        "classroom": found, "assignments": [_summary(one) for one in found.assignments.all()], "form": form, "groups": groups,
        "teacher": request.user},
        status=422 if form.errors else 200)


def _summary(assignment: Assignment) -> dict[str, Any]:
    rows = duties.table(assignment)
    return {"assignment": assignment, "members": len(rows), "done": sum(duty.solved == len(duty.items) > 0 for _, duty in rows),
            "exercises": len(assignment.items)}


def get_assignment(classroom: Classroom, pk: int) -> Assignment:
    """One of the class's own. Raises Http404."""
    return get_object_or_404(classroom.assignments.select_related("classroom"), pk=pk)


@require_GET
@never_cache
def one(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Who has done what of an assignment."""
    found = access.get_classroom(request, pk)
    assignment = get_assignment(found, number)
    return render(request, "classroom/assignment.html", {
        "classroom": found, "assignment": assignment, "rows": duties.table(assignment), "teacher": request.user,
        "items": duties.duties(assignment, [UUID(int=0)])[UUID(int=0)].items})


@require_POST
def change(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Close an assignment now, or take it away with what was counted for it."""
    found = access.get_classroom(request, pk)
    assignment = get_assignment(found, number)
    if "close" in request.POST and not assignment.over:
        assignment.closes = timezone.now()
        assignment.save(update_fields=["closes"])
        access.audit(found, "assignment-closed", user=request.user, detail=assignment.title)
    elif "delete" in request.POST:
        assignment.delete()
        access.audit(found, "assignment-deleted", user=request.user, detail=assignment.title)
    rooms.tell(found)
    return redirect("classroom-assignments", pk)
