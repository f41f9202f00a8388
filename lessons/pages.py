"""The course's pages beside the lessons: search, glossary, command sheet, a learner's progress and certificate."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from lessons import library, progress
from lessons.search import QUERY_MAX
from podlab.labs import access


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "").split())[:QUERY_MAX]
    found = library.index().find(query) if query else []
    return render(request, "lessons/search.html", {"query": query, "found": found, "learner": access.find_learner(request)})


@require_GET
def glossary(request: HttpRequest) -> HttpResponse:
    terms = sorted(library.terms(), key=lambda term: term.ko)
    return render(request, "lessons/glossary.html", {"terms": terms, "learner": access.find_learner(request)})


@require_GET
def cheat_sheet(request: HttpRequest) -> HttpResponse:
    return render(request, "lessons/cheat_sheet.html", {"groups": library.cheat_sheet(), "learner": access.find_learner(request)})


@require_GET
@never_cache
def progress_page(request: HttpRequest) -> HttpResponse:
    learner = access.get_learner(request)
    found = progress.report(learner, library.lessons())
    return render(request, "lessons/progress.html", {
        "learner": learner, "reports": found, "seconds": sum(one.seconds for one in found),
        "done": sum(one.done for one in found), "steps": sum(len(one.steps) for one in found),
        "solved": sum(one.solved for one in found), "exercises": sum(len(one.exercises) for one in found),
        "right": sum(one.first_right for one in found), "answered": sum(one.answered for one in found),
        "complete": all(one.share == 100 for one in found),
    })


@require_GET
@never_cache
def progress_export(request: HttpRequest) -> HttpResponse:
    learner = access.get_learner(request)
    answer = JsonResponse(progress.export(learner, library.lessons()), json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="podlab-progress.json"'
    return answer


@require_GET
@never_cache
def certificate(request: HttpRequest) -> HttpResponse:
    """For who has done every step of the course; the others are sent to see what is missing."""
    learner = access.get_learner(request)
    found = progress.report(learner, library.lessons())
    if not all(one.share == 100 for one in found):
        return redirect("progress")
    return render(request, "lessons/certificate.html", {
        "learner": learner, "reports": found, "today": timezone.localdate(), "solved": sum(one.solved for one in found),
        "hours": max(1, round(sum(one.seconds for one in found) / 3600)),
    })
