"""The access function, from the wrong side: nobody reaches what is not theirs, with a request or with a websocket."""

from typing import Any

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import Client, RequestFactory

from podlab.labs import access
from podlab.labs.models import Cluster, Learner

pytestmark = pytest.mark.django_db
BORN: dict[str, Any] = {"seed": 7, "epoch_ms": 1_700_000_000_000, "engine_version": "1"}


def learner(name: str) -> Learner:
    return Learner.objects.create(nickname=name, resume_code_hash=name)


def carrier(kind: str, who: Learner | None) -> access.Carrier:
    session = SessionStore()
    if who:
        session["learner"] = str(who.pk)
    if kind == "websocket":
        return {"type": "websocket", "session": session}
    request = RequestFactory().get("/")
    request.session = session
    return request


@pytest.fixture(params=["request", "websocket"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_learner_reaches_their_own_cluster(kind: str) -> None:
    mine = carrier(kind, learner("나"))
    opened = access.open_cluster(mine, "why-pods", **BORN)
    assert access.get_cluster(mine, "why-pods") == opened
    assert opened.now_ms == BORN["epoch_ms"]


def test_opening_twice_gives_the_same_cluster_and_its_first_seed(kind: str) -> None:
    mine = carrier(kind, learner("나"))
    first = access.open_cluster(mine, "why-pods", **BORN)
    again = access.open_cluster(mine, "why-pods", **{**BORN, "seed": 8})
    assert (again.pk, again.seed) == (first.pk, 7)


def test_another_learner_does_not_reach_it(kind: str) -> None:
    access.open_cluster(carrier(kind, learner("나")), "why-pods", **BORN)
    with pytest.raises(access.NoCluster):
        access.get_cluster(carrier(kind, learner("남")), "why-pods")


def test_a_visitor_without_a_session_reaches_nothing(kind: str) -> None:
    access.open_cluster(carrier(kind, learner("나")), "why-pods", **BORN)
    stranger = carrier(kind, None)
    with pytest.raises(access.NoLearner):
        access.get_cluster(stranger, "why-pods")
    with pytest.raises(access.NoLearner):
        access.open_cluster(stranger, "why-pods", **BORN)
    assert Cluster.objects.count() == 1


def test_a_removed_learner_reaches_nothing(kind: str) -> None:
    gone = learner("나")
    theirs = carrier(kind, gone)
    access.open_cluster(theirs, "why-pods", **BORN)
    gone.delete()
    with pytest.raises(access.NoLearner):
        access.get_cluster(theirs, "why-pods")


@pytest.mark.parametrize("value", ["1", "", "나", "' OR 1=1 --", "b64466d4-72d0-41a1-b599-caea04b88ffc", None, 5, ["x"], {"a": 1}])
def test_a_session_that_names_no_learner_reaches_nothing(kind: str, value: object) -> None:
    learner("나")
    odd = carrier(kind, None)
    (odd["session"] if isinstance(odd, dict) else odd.session)["learner"] = value
    with pytest.raises(access.NoLearner):
        access.get_learner(odd)


def test_the_lesson_must_be_named_exactly(kind: str) -> None:
    mine = carrier(kind, learner("나"))
    access.open_cluster(mine, "why-pods", **BORN)
    for slug in ["", "why", "why-pods/", "WHY-PODS", "%", "why_pods"]:
        with pytest.raises(access.NoCluster):
            access.get_cluster(mine, slug)


def test_renewing_a_code_without_a_session_leads_to_the_landing_page(client: Client) -> None:
    answer = client.post("/resume-code/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.post("/resume-code/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/"
