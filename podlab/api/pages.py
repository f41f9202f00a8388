"""The lab page's "내 터미널에서 쓰기": a token made, renewed and taken back, and what its owner copies.

A token is seen once, in the answer that made it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from podlab.api import tokens
from podlab.labs import access


@require_GET
@never_cache
def own_terminal(request: HttpRequest, slug: str) -> HttpResponse:
    """The dialog as it stands: connected or not. Raises NoLearner, NoCluster."""
    return _dialog(request, slug, connected=tokens.exists(access.get_cluster(request, slug)))


@require_POST
@never_cache
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """A new token; the former one stops working at once."""
    if _shared(request, slug):
        return _dialog(request, slug)
    cluster = access.get_cluster(request, slug)
    again = tokens.exists(cluster)
    return _dialog(request, slug, connected=True, again=again, server=tokens.server_of(request, tokens.issue(cluster)))


@require_POST
@never_cache
def disconnect(request: HttpRequest, slug: str) -> HttpResponse:
    tokens.revoke(access.get_cluster(request, slug))
    return _dialog(request, slug, connected=False, ended=True)


def _shared(request: HttpRequest, slug: str) -> bool:
    """Whether several people share the cluster: an address would open it for nobody in particular, and each act has its author there."""
    return bool(access.place_of(access.get_learner(request), slug).people)


def _dialog(request: HttpRequest, slug: str, **facts: object) -> HttpResponse:
    return render(request, "api/own_terminal.html", {
        "slug": slug, "server": "", "secure": request.is_secure(), "shared": _shared(request, slug), **facts})
