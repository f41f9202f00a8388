"""What a lesson may cost the server: its page, and its cluster's start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from lessons import library
from podlab.labs import births

pytestmark = pytest.mark.slow
PAGE_BAR = 0.150  # seconds of CPU a page
START_BAR = 0.050  # seconds of CPU a learner's new cluster


def slugs() -> list[str]:
    return [lesson.slug for lesson in library.lessons()]


@pytest.fixture
def client(db: None) -> Iterator[Client]:
    found = Client()
    found.post("/start/", {"nickname": "초록고래"})
    yield found


def best_of_three(act: Callable[[], object]) -> float:
    """Seconds of CPU; the first time, which fills what is kept, is not counted."""
    act()
    taken = []
    for _ in range(3):
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return min(taken)


def test_no_lesson_s_page_takes_more_than_150_ms(client: Client) -> None:
    taken = {slug: best_of_three(lambda slug=slug: client.get(f"/lessons/{slug}/")) for slug in slugs()}
    assert {slug: seconds for slug, seconds in taken.items() if seconds > PAGE_BAR} == {}


def test_no_lesson_s_cluster_takes_more_than_50_ms_to_start() -> None:
    taken = {slug: best_of_three(lambda slug=slug: births.begin(slug)) for slug in slugs()}
    assert {slug: seconds for slug, seconds in taken.items() if seconds > START_BAR} == {}
