"""The one way from a visitor to a learner and a cluster. Every view and consumer fetches through here and nowhere else.

`carrier` is an HttpRequest or a websocket's ASGI scope: both carry a session. A cluster is only ever looked up among the
learner's own, so there is no id in any address that could name another's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest

from podlab.labs import births, sessions
from podlab.labs.models import Cluster, Learner

Carrier = HttpRequest | dict[str, Any]


class NoLearner(Exception):
    """The visitor has no session (or its learner was removed): send them to the landing page, or close the socket."""


class NoCluster(Http404):
    """The learner has no cluster for this lesson yet."""


@dataclass(frozen=True)
class Place:
    """Whose cluster a learner works on in a lesson: their own, or one that several share. `people`: id -> name of those who share it."""

    owner: Learner
    people: Mapping[str, str] = field(default_factory=dict)


def _own(learner: Learner, lesson: str) -> Place | None:
    return None


_share: Callable[[Learner, str], Place | None] = _own


def share(find: Callable[[Learner, str], Place | None]) -> None:
    """Somebody says who shares a cluster. `find(learner, lesson)` is asked at every door; None: the learner's own."""
    global _share
    _share = find


def place_of(learner: Learner, lesson: str) -> Place:
    return _share(learner, lesson) or Place(learner)


def find_learner(carrier: Carrier) -> Learner | None:
    """The visitor's learner, or None."""
    session = carrier.session if isinstance(carrier, HttpRequest) else carrier["session"]
    return sessions.learner_of(session)


def get_learner(carrier: Carrier) -> Learner:
    """The visitor's learner. Raises NoLearner."""
    learner = find_learner(carrier)
    if learner is None:
        raise NoLearner
    return learner


def get_cluster(carrier: Carrier, lesson: str) -> Cluster:
    """The cluster that the visitor works on in a lesson. Raises NoLearner, NoCluster."""
    owner = place_of(get_learner(carrier), lesson).owner
    cluster = Cluster.objects.select_related("learner").filter(learner=owner, lesson=lesson).first()
    if cluster is None:
        raise NoCluster(lesson)
    return cluster


def open_cluster(carrier: Carrier, lesson: str, *, seed: int, epoch_ms: int, engine_version: str) -> Cluster:
    """The cluster that the visitor works on in a lesson, made with these facts if there is none yet. Raises NoLearner."""
    return open_at(place_of(get_learner(carrier), lesson), lesson, seed=seed, epoch_ms=epoch_ms, engine_version=engine_version)


def open_at(place: Place, lesson: str, *, seed: int, epoch_ms: int, engine_version: str) -> Cluster:
    """The cluster of a visitor's place (`place_of`), for who has asked for the place already."""
    born = {"seed": seed, "epoch_ms": epoch_ms, "now_ms": epoch_ms, "engine_version": engine_version}
    cluster, made = Cluster.objects.get_or_create(learner=place.owner, lesson=lesson, defaults=born)
    cluster.learner = place.owner  # known: a join for it costs as much as the question
    if made:
        births.came(cluster.pk, lesson)
    return cluster


# ---- the browser tab (browser_tab.py)

BROWSER_SALT = "podlab.browser-tab"


def browser_token(channel: str) -> str:
    """What the links of a page in the browser tab carry: a permission to tell this one open tab, named by its channel, where to go."""
    return signing.dumps(channel, salt=BROWSER_SALT)


def browser_channel(token: str) -> str:
    """The channel of a token. Raises Http404 for one that is not ours. A tab that was closed hears nothing."""
    try:
        return str(signing.loads(token, salt=BROWSER_SALT))
    except signing.BadSignature:
        raise Http404("browser tab") from None


def browser_page_key(learner: Learner, key: str) -> str:
    """Where a page waits for its frame: only the learner's own session leads there."""
    return f"browser-page:{learner.pk}:{key}"
