"""A teacher with a class, learners in it, and signed-in clients of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from podlab.classroom import joining, rooms
from podlab.classroom.models import Classroom, Membership
from podlab.labs import births, sessions
from podlab.labs.births import Birth
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Learner
from tests.classroom.pages import Page

PASSWORD = "correct-horse-9"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No room and no awake cluster of another test."""
    yield
    rooms.ROOMS.clear()
    rooms._seated.clear()
    CLUSTERS._awake.clear()


@pytest.fixture
def plain_lessons() -> Iterator[None]:
    found = births._find
    births.register(lambda lesson: Birth(seed=1, settle_seconds=1))
    yield
    births.register(found)


@pytest.fixture
def teacher() -> User:
    return User.objects.create_user("kim", password=PASSWORD)


@pytest.fixture
def classroom(teacher: User) -> Classroom:
    return Classroom.objects.create(teacher=teacher, title="1반", join_code=joining.new_join_code())


def learner(name: str) -> Learner:
    return Learner.objects.create(nickname=name, resume_code_hash=sessions.hash_code(sessions.new_code()))


def seat(classroom: Classroom, name: str) -> Membership:
    return joining.join(classroom, learner(name), name)


def signed_in(user: User) -> Client:
    client = Client()
    assert client.post("/teacher/sign-in/", {"username": user.username, "password": PASSWORD}).status_code == 302
    return client


def cookie(client: Client) -> str:
    from django.conf import settings

    return client.cookies[settings.SESSION_COOKIE_NAME].value


def cookie_of(found: Learner) -> str:
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    session = SessionStore()
    session[sessions.LEARNER_KEY] = str(found.pk)
    session.save()
    key: Any = session.session_key
    return str(key)


@pytest.fixture
async def client(teacher: User) -> Client:
    found: Client = await database_sync_to_async(lambda: signed_in(teacher))()
    return found


Open = Callable[[str], Awaitable[Page]]


@pytest.fixture
async def pages(client: Client) -> AsyncIterator[Open]:
    """Open a page of the teacher's by the end of its address."""
    found: list[Page] = []

    async def open_page(path: str) -> Page:
        found.append(await Page(path, cookie(client)).open())
        return found[-1]

    yield open_page
    for page in found:
        await page.line.disconnect()
