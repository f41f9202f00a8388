"""Lesson pages. What moves on them goes through the websocket (consumers.py)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from lessons import fragments, library, progress
from podlab.labs import access, audience, panels
from podlab.labs.births import EPOCH_MS
from podlab.labs.storage import ENGINE_VERSION


@require_GET
@never_cache
def lesson(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        found = library.get(slug)
    except LookupError:
        raise Http404(slug) from None
    learner = access.get_learner(request)
    birth = library.birth(slug)
    cluster = access.open_cluster(request, slug, seed=birth.seed, epoch_ms=EPOCH_MS, engine_version=ENGINE_VERSION)
    done = progress.of(cluster.learner, slug)
    others = library.lessons()
    at = next(i for i, one in enumerate(others) if one.slug == slug)
    files = birth.files | panels.load_files(cluster.id)
    return render(request, "lessons/lesson.html", {
        "learner": learner, "lesson": found, "socket": f"/ws/lessons/{slug}/",
        "steps": fragments.steps(found, done, audience.veiled(learner.pk, slug)),
        "done_count": len(done.done & {step.id for step in found.steps}), "rates": panels.rates(cluster.rate), "file_texts": files,
        "previous": others[at - 1] if at else None,
        "following": others[at + 1] if at + 1 < len(others) else None,
    })
