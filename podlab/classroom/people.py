"""The people of a class: joining it, its roster, and mending (rename, remove, merge, a new resume code)."""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from podlab.classroom import access, guests, joining, rooms
from podlab.classroom.forms import JoinForm
from podlab.classroom.games import lead
from podlab.classroom.models import Classroom
from podlab.labs import sessions
from podlab.labs.access import find_learner
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster


@require_http_methods(["GET", "POST"])
@never_cache
def join(request: HttpRequest, code: str = "") -> HttpResponse:
    """Come into a class by its code: with the session that is here, or with a new one."""
    learner = find_learner(request)
    form = JoinForm(request.POST if request.method == "POST" else None, initial={"code": code})
    try:
        if request.method != "POST" or not form.is_valid():
            return _join_page(request, form, invited=_look_up(request, code) if code else None, status=422 if form.errors else 200)
        found = _look_up(request, form.cleaned_data["code"])
        if found is None:
            return _join_page(request, form, error="열려 있는 교실의 코드가 아닙니다. 칠판에 적힌 여섯 글자를 다시 확인해 주세요.", status=422)
        if learner is None:
            _check_seat(found, form)
            learner = sessions.start(request, form.cleaned_data["name"])
        elif rooms.held(learner.pk, found.pk):
            raise joining.JoinRefused(rooms.HELD)
        joining.join(found, learner, form.cleaned_data["name"], form.cleaned_data["number"])
    except sessions.TooManyAttempts:
        return _join_page(request, form, error="잠시 너무 많이 시도했습니다. 1분 뒤에 다시 해 주세요.", status=429)
    except joining.JoinRefused as refusal:
        return _join_page(request, form, error=str(refusal), status=422)
    rooms.tell(found)
    return redirect(reverse("home") + "?" + urlencode({"joined": 1}))


def _look_up(request: HttpRequest, code: str) -> Classroom | None:
    """The class that a code opens. Wrong codes count, typed or in an address: its title would tell a right one. Raises TooManyAttempts."""
    sessions.check_attempts(request, "join", settings.JOIN_FAILURES_PER_MINUTE)
    found = joining.find_open(code)
    if found is None:
        sessions.count_attempt(request, "join", settings.JOIN_FAILURES_PER_MINUTE)
    return found


def _check_seat(classroom: Classroom, form: JoinForm) -> None:
    """Before a learner is made: whether there is a seat for this name. Raises JoinRefused."""
    entry = joining.line_of(classroom, sessions.clean_nickname(form.cleaned_data["name"]), form.cleaned_data["number"])
    if entry is None and classroom.roster_only:
        raise joining.JoinRefused(joining.NOT_LISTED)


def _join_page(request: HttpRequest, form: JoinForm, *, invited: Classroom | None = None, error: str = "", status: int = 200) -> HttpResponse:
    return render(request, "classroom/join.html", {
        "form": form, "error": error, "learner": find_learner(request), "suggested_nickname": sessions.suggest_nickname(),
        "classroom": invited}, status=status)


@require_GET
@never_cache
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody of the class, and the roster with who is missing."""
    return _people_page(request, access.get_classroom(request, pk))


def _people_page(request: HttpRequest, classroom: Classroom, *, error: str = "", status: int = 200, **context: object) -> HttpResponse:
    return render(request, "classroom/people.html", {
        "classroom": classroom, "members": classroom.members(), "missing": classroom.missing(), "roster_size": classroom.roster.count(),
        "removed": classroom.memberships.exclude(removed=None).select_related("learner"),
        "mend": int(mend) if (mend := request.GET.get("mend", "")[:18]).isdecimal() else None,  # one row at a time: each offers all the others
        "error": error, "teacher": request.user, **context}, status=status)


@require_POST
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """A roster as CSV, uploaded."""
    found = access.get_classroom(request, pk)
    upload = request.FILES.get("roster")
    if upload is None:
        return _people_page(request, found, error="CSV 파일을 골라 주세요.", status=422)
    try:
        lines = joining.read_roster(upload.read(joining.ROSTER_BYTES + 1))
    except joining.RosterError as error:
        return _people_page(request, found, error=str(error), status=422)
    joining.replace_roster(found, lines)
    rooms.tell(found)
    return redirect("classroom-people", pk)


@require_POST
def person(request: HttpRequest, pk: int, learner: UUID) -> HttpResponse:
    """Rename, remove, let in again, merge into another seat, or a new resume code for somebody."""
    found = access.get_classroom(request, pk)
    act = request.POST.get("act")
    member = access.get_member(found, learner, removed=act == "readmit")
    moved: list[UUID] = []  # whose doors lead elsewhere now
    clusters: set[int] = set()
    if act == "rename":
        joining.rename(member, request.POST.get("name", ""))
    elif act == "remove":
        joining.remove(member)
        access.audit(found, "removed", user=request.user, learner=member.learner, detail=member.name)
        moved = [member.learner_id]
    elif act == "readmit":
        joining.readmit(member)
        access.audit(found, "readmitted", user=request.user, learner=member.learner, detail=member.name)
    elif act == "merge":
        other = access.get_member(found, request.POST.get("into", ""))
        if other.pk == member.pk:
            return _people_page(request, found, error="서로 다른 두 자리를 골라 주세요.", status=422)
        moved = [other.learner_id, member.learner_id]
        clusters = _clusters(moved)
        joining.merge(other, member)
        access.audit(found, "merged", user=request.user, learner=other.learner, detail=f"{member.name} → {other.name}")
    elif act == "code":
        code = sessions.give_code(member.learner)
        access.audit(found, "code-given", user=request.user, learner=member.learner, detail=member.name)
        return _people_page(request, found, new_code=code, new_code_for=member)
    else:
        return _people_page(request, found, error="알 수 없는 일입니다.", status=422)
    rooms.tell(found)
    if moved:
        async_to_sync(_follow)(moved, clusters - _clusters(moved))
    return redirect("classroom-people", pk)


def _clusters(people: list[UUID]) -> set[int]:
    return set(Cluster.objects.filter(learner__in=people).values_list("pk", flat=True))


async def _follow(people: list[UUID], gone: set[int]) -> None:
    """Open pages come in anew: to the seat that is left of two, or out of the class's shared clusters. Clusters that are no more are forgotten."""
    for cluster in gone:
        if (live := CLUSTERS.find(cluster)) is not None:
            CLUSTERS.discard(live)
    await lead(people)
    await guests.come_anew(people)
