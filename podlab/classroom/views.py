"""A teacher's pages: signing in, the list of classes, one class. What moves on the class page goes through the websocket (consumers.py)."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from uuid import UUID

import segno
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth import login, logout
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lessons import library, progress
from podlab.api import pages as api_pages
from podlab.classroom import access, joining, looking, results, rooms, suggesting, teams
from podlab.classroom.forms import ClassroomForm, SettingsForm, SignInForm
from podlab.classroom.models import Classroom, Desk
from podlab.kubernetes.bootstrap import DEFAULT_SPEC
from podlab.labs import panels as lab_panels
from podlab.labs import sessions
from podlab.labs.models import Learner

FAULTS: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    ("노드의 전원", [("끄기", {"kind": "power", "power": "off"}), ("켜기", {"kind": "power", "power": "on"}),
                 ("kubelet만 멈추기", {"kind": "power", "power": "silent"})]),
    ("컨테이너", [("돌고 있는 것 하나 죽이기", {"kind": "kill"}), ("없는 이미지로 바꾸기", {"kind": "image"})]),
    ("이미지 저장소", [("느리게", {"kind": "registry", "registry": "slow"}), ("고장 내기", {"kind": "registry", "registry": "broken"}),
                 ("고치기", {"kind": "registry", "registry": "well"})]),
    ("디스크", [("가득 채우기", {"kind": "fill", "fill": "disk", "percent": 97}), ("비우기", {"kind": "fill", "fill": "disk", "percent": 0})]),
    ("메모리", [("가득 채우기", {"kind": "fill", "fill": "memory", "percent": 98}), ("비우기", {"kind": "fill", "fill": "memory", "percent": 0})]),
    ("클러스터", [("처음으로 돌려놓기", {"kind": "reset"})]),
]  # what the fault dialog offers: (group, [(label, message of steering.read)])
HOURS = {"2": 2.0, "24": 24.0, "168": 168.0, "": None}  # how long a join code may be told to work


class SignIn(LoginView):
    """A teacher signs in; wrong passwords are counted by address and written down."""

    template_name = "classroom/sign_in.html"
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        try:
            sessions.check_attempts(request, "teacher", site.TEACHER_SIGN_IN_FAILURES_PER_MINUTE)
        except sessions.TooManyAttempts:
            form = self.get_form_class()(request)
            return render(request, self.template_name, {"form": form, "too_many": True}, status=429)
        return super().post(request, *arguments, **options)

    def form_valid(self, form: SignInForm) -> HttpResponse:
        user = form.get_user()
        login(self.request, user)
        self.request.session[sessions.LEARNER_KEY] = str(desk_of(user).pk)
        access.audit(None, "sign-in", user=user)
        return redirect(self.get_success_url())

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        access.audit(None, "sign-in-failed", detail=str(form.data.get("username", ""))[:40])
        with contextlib.suppress(sessions.TooManyAttempts):
            sessions.count_attempt(self.request, "teacher", site.TEACHER_SIGN_IN_FAILURES_PER_MINUTE)
        response = super().form_invalid(form)
        response.status_code = 422
        return response


def desk_of(user: Any) -> Learner:
    """The teacher's own place as a learner, made at the first sign-in."""
    found = Desk.objects.select_related("learner").filter(teacher=user).first()
    if found is None:
        learner = Learner.objects.create(nickname=sessions.clean_nickname(user.get_username()) or "선생님",
                                         resume_code_hash=sessions.hash_code(sessions.new_code()))
        found = Desk.objects.create(teacher=user, learner=learner)
    return found.learner


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("teacher-sign-in")


@require_http_methods(["GET", "POST"])
@never_cache
def teacher(request: HttpRequest) -> HttpResponse:
    """The teacher's classes, and a form for a new one."""
    user = access.get_teacher(request)
    form = ClassroomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = Classroom.objects.create(teacher=user, title=form.cleaned_data["title"], join_code=joining.new_join_code())
        return redirect("classroom", made.pk)
    found = list(Classroom.objects.filter(teacher=user).prefetch_related("memberships"))
    rows = [{"classroom": one, "members": sum(m.removed is None for m in one.memberships.all())} for one in found]
    return render(request, "classroom/teacher.html", {"rows": rows, "form": form, "teacher": user},
                  status=422 if form.errors else 200)


@require_GET
@never_cache
def classroom(request: HttpRequest, pk: int) -> HttpResponse:
    """The live grid."""
    found = access.get_classroom(request, pk)
    link = request.build_absolute_uri(reverse("join-code", args=[found.join_code]))
    qr = segno.make(link, error="m").svg_inline(scale=6, border=2, dark="#20242c", light="#ffffff", svgclass="qr", lineclass=None, omitsize=True)
    return render(request, "classroom/classroom.html", {
        "classroom": found, "teacher": request.user, "link": link, "qr": qr,
        "only_here": request.get_host().split(":")[0] in ("127.0.0.1", "localhost"), "lessons": library.lessons(),
        "open": joining.find_open(found.join_code) is not None, "hours": HOURS,
        "lessons_with_nodes": [(one, [node["name"] for node in (one.spec or DEFAULT_SPEC)["nodes"]]) for one in library.lessons()],
        "games": [(game, teams.standings(game)) for game in found.games.filter(ended=None)],
        "fault_groups": [(name, [(label, json.dumps(message)) for label, message in faults]) for name, faults in FAULTS],
    })


@require_http_methods(["GET", "POST"])
@never_cache
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.get_classroom(request, pk)
    form = SettingsForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        rooms.tell(found)
        return redirect("classroom", pk)
    return render(request, "classroom/settings.html", {"classroom": found, "form": form, "teacher": request.user},
                  status=422 if form.errors else 200)


@require_POST
def code(request: HttpRequest, pk: int) -> HttpResponse:
    """A new join code, or how long it works."""
    found = access.get_classroom(request, pk)
    if "renew" in request.POST:
        found.join_code = joining.new_join_code()
        found.save(update_fields=["join_code"])
        access.audit(found, "code-renewed", user=request.user)
    elif request.POST.get("hours") in HOURS:
        joining.open_for(found, HOURS[request.POST["hours"]])
    elif "stop" in request.POST:
        joining.open_for(found, 0)
    return redirect("classroom", pk)


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """The teacher ends the class."""
    found = access.get_classroom(request, pk)
    joining.close(found, timezone.now())
    access.audit(found, "closed", user=request.user)
    rooms.tell(found)
    return redirect("teacher")


@require_GET
@never_cache
def look(request: HttpRequest, pk: int, learner: UUID, slug: str) -> HttpResponse:
    """One learner's cluster as it moves."""
    found = access.get_classroom(request, pk)
    cluster = access.get_member_cluster(found, learner, slug)
    member = access.get_member(found, learner)
    lesson = library.get(slug)
    done = progress.of(cluster.learner, slug)
    return render(
        request,
        "classroom/look.html",
        {
            "classroom": found,
            "member": member,
            "lesson": lesson,
            "teacher": request.user,
            "rates": lab_panels.rates(cluster.rate),
            "socket": f"/ws/classes/{pk}/look/{learner}/{slug}/",
            "file_texts": lab_panels.load_files(cluster.id),
            "steps": [
                {
                    "step": step,
                    "number": number,
                    "done": step.id in done.done,
                    "attempt": done.attempts.get(step.exercise.id) if step.exercise else None,
                }
                for number, step in enumerate(lesson.steps, 1)
            ],
        },
    )


@require_http_methods(["GET", "POST"])
@never_cache
def look_terminal(request: HttpRequest, pk: int, learner: UUID, slug: str) -> HttpResponse:
    """A read-only address for the teacher's own kubectl (api/pages.py). A look-up asks `looking.may_look` whether it still opens."""
    found = access.get_classroom(request, pk)
    cluster = access.get_member_cluster(found, learner, slug)
    addresses = {name: f"{request.path}?act={name}" for name in ("connect", "disconnect")}
    act = request.GET.get("act", "") if request.method == "POST" else ""
    if act in addresses:
        access.audit(found, f"terminal-{act}", user=request.user, learner=access.get_member(found, learner).learner, detail=slug)
    return api_pages.dialog(request, cluster, looking.holder(found, learner), act, addresses, read_only=True)


@require_GET
@never_cache
def replay(request: HttpRequest, pk: int, learner: UUID, slug: str) -> HttpResponse:
    """What one learner did from the start (replaying.py)."""
    found = access.get_classroom(request, pk)
    access.get_member_cluster(found, learner, slug)
    return render(request, "classroom/replay.html", {
        "classroom": found, "member": access.get_member(found, learner), "lesson": library.get(slug), "teacher": request.user,
        "rates": lab_panels.rates(0.0), "socket": f"/ws/classes/{pk}/replay/{learner}/{slug}/", "file_texts": {}})


@require_POST
def fork(request: HttpRequest, pk: int, learner: UUID, slug: str) -> HttpResponse:
    """Take a learner's cluster to the teacher's own place, and go there."""
    found = access.get_classroom(request, pk)
    access.get_member_cluster(found, learner, slug)
    request.session[sessions.LEARNER_KEY] = str(desk_of(request.user).pk)
    async_to_sync(suggesting.fork)(found, learner, slug)
    return redirect("lesson", slug)


@require_GET
@never_cache
def results_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What the class has done, to be read or printed."""
    found = access.get_classroom(request, pk)
    return render(request, "classroom/results.html", {"classroom": found, "results": results.of(found), "teacher": request.user,
                                                      "now": timezone.localtime()})


@require_GET
@never_cache
def results_file(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The same as a file: one of the tables as CSV, or all of them as JSON."""
    found = results.of(access.get_classroom(request, pk))
    if name == "json":
        answer: HttpResponse = JsonResponse(results.to_json(found), json_dumps_params={"ensure_ascii": False, "indent": 2})
        name, ending = "results", "json"
    else:
        table = results.tables(found).get(name)
        if table is None:
            raise Http404(name)
        answer, ending = HttpResponse(results.to_csv(*table), content_type="text/csv; charset=utf-8"), "csv"
    answer["Content-Disposition"] = f'attachment; filename="podlab-{pk}-{name}.{ending}"'
    return answer


@require_GET
@never_cache
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """Who did what: the audit log of one class."""
    found = access.get_classroom(request, pk)
    titles = {lesson.slug: f"{lesson.number}과 {lesson.title}" for lesson in library.lessons()}
    entries = list(found.audit.select_related("user", "learner")[:500])
    for entry in entries:
        slug, colon, rest = entry.detail.partition(":")
        entry.detail = titles.get(slug, slug) + colon + rest
    return render(request, "classroom/record.html", {"classroom": found, "entries": entries, "teacher": request.user})
