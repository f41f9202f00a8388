"""The lab page's "내 터미널에서 쓰기": a token made, renewed and taken back, and what its holder copies.

A token is seen once, in the answer that made it. Who shares a cluster with others has one of their own: what they do bears their name.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from podlab.api import tokens
from podlab.api.models import LEARNER
from podlab.labs import access
from podlab.labs.models import Cluster


@require_GET
@never_cache
def own_terminal(request: HttpRequest, slug: str) -> HttpResponse:
    """The dialog as it stands: connected or not. Raises NoLearner, NoCluster."""
    return _own(request, slug, "")


@require_POST
@never_cache
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """A new token; the former one stops working at once."""
    return _own(request, slug, "connect")


@require_POST
@never_cache
def disconnect(request: HttpRequest, slug: str) -> HttpResponse:
    return _own(request, slug, "disconnect")


def _own(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    cluster, learner = access.get_cluster(request, slug), access.get_learner(request)
    shared = bool(access.place_of(learner, slug).people)
    addresses = {name: reverse(f"own-terminal-{name}", args=[slug]) for name in ("connect", "disconnect")}
    return dialog(request, cluster, tokens.member(learner) if shared else LEARNER, act, addresses, shared=shared)


def dialog(request: HttpRequest, cluster: Cluster, holder: str, act: str, addresses: dict[str, str], *, read_only: bool = False,
           shared: bool = False) -> HttpResponse:
    """The dialog after an act ("connect", "disconnect", or "" for none). `addresses`: where its two buttons lead."""
    connected, server = tokens.exists(cluster, holder), ""
    again = connected
    if act == "connect":
        connected, server = True, tokens.server_of(request, tokens.issue(cluster, holder, read_only=read_only))
    elif act == "disconnect":
        tokens.revoke(cluster, holder)
        connected = False
    return render(request, "api/own_terminal.html", {
        "server": server, "connected": connected, "again": again, "ended": act == "disconnect", "secure": request.is_secure(),
        "shared": shared, "read_only": read_only, "addresses": addresses})
