"""The pages before any lesson: what PodLab is, start, resume, and the answers to requests that went wrong."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from lessons import library, progress
from podlab.labs import access, miniature, sessions
from podlab.labs.models import Learner
from podlab.projection.fidelity import anchor
from podlab.projection.fidelity import features as fidelity_features

DEGREES = {"exact": "같음", "simplified": "단순함", "absent": "없음"}


def safe_next(request: HttpRequest, url: str) -> str:
    """`url` if it is a page of ours to go on to, else ''."""
    ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if ours else ""


def render_home(request: HttpRequest, status: int = 200, **context: object) -> HttpResponse:
    onward = safe_next(request, request.POST.get("next") or request.GET.get("next") or "")
    learner = access.find_learner(request)
    context = {
        "learner": learner,
        "next": onward,
        "suggested_nickname": sessions.suggest_nickname(),
        "nickname_max": sessions.NICKNAME_MAX,
        "frames": miniature.frames(),
        "lessons": _cards(learner),
        **context,
    }
    return render(request, "home.html", context, status=status)


def _cards(learner: Learner | None) -> list[dict[str, object]]:
    """One card a lesson, with how far the learner has come."""
    done = progress.steps_done(learner) if learner else {}
    found: list[dict[str, object]] = []
    for one in library.lessons():
        count = len(done.get(one.slug, set()) & {step.id for step in one.steps})
        found.append({"number": one.number, "title": one.title, "summary": one.summary, "url": reverse("lesson", args=[one.slug]),
                      "done": count, "total": len(one.steps), "share": bool(count)})
    return found


def home_again(request: HttpRequest) -> HttpResponse:
    """Back to the landing page after a POST, with the page the learner wanted."""
    onward = safe_next(request, request.POST.get("next", ""))
    return redirect(reverse("home") + ("?" + urlencode({"next": onward}) if onward else ""))


@require_GET
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    return render_home(request, resume_code=sessions.take_code(request))


@require_GET
def fidelity(request: HttpRequest) -> HttpResponse:
    """How true the cluster is, feature by feature: docs/fidelity.md as a page, with an anchor for each line."""
    areas: dict[str, list[dict[str, object]]] = {}
    for number, one in enumerate(fidelity_features()):
        proofs = [f"기록 {name}" for name in one.get("recordings", ())] + ["자동 검사"] * bool(one.get("tests"))
        areas.setdefault(one["area"], []).append({**one, "anchor": anchor(number), "degree": DEGREES[one["is"]], "proof": ", ".join(proofs)})
    totals = [(DEGREES[word], sum(one["is"] == word for one in fidelity_features()), word) for word in DEGREES]
    return render(request, "fidelity.html", {"areas": list(areas.items()), "totals": totals, "learner": access.find_learner(request)})


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    if access.find_learner(request):  # a second click, or the back button: keep the session there is
        return home_again(request)
    try:
        sessions.start(request, request.POST.get("nickname", ""))
    except sessions.TooManyAttempts:
        return render_home(request, 429, start_error="지금 시작하는 사람이 너무 많습니다. 1분 뒤에 다시 눌러 주세요.")
    return home_again(request)


@require_POST
@sensitive_post_parameters("code")
def resume(request: HttpRequest) -> HttpResponse:
    try:
        learner = sessions.resume(request, request.POST.get("code", ""))
    except sessions.TooManyAttempts:
        return render_home(request, 429, resume_error="틀린 코드가 너무 많이 들어왔습니다. 1분 뒤에 다시 해 주세요.")
    if learner is None:
        return render_home(request, 422, resume_error="그런 이어하기 코드가 없습니다. 열두 글자를 다시 확인해 주세요.")
    return home_again(request)


@require_POST
def renew_code(request: HttpRequest) -> HttpResponse:
    sessions.renew_code(request, access.get_learner(request))
    return home_again(request)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    sessions.leave(request)
    return redirect("home")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF middleware refused the form: usually a page that was left open for months, or cookies are off."""
    return render(request, "403_csrf.html", {"cookie_name": settings.CSRF_COOKIE_NAME}, status=403)
