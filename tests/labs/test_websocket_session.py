"""A websocket carries the same session as a page, and only from our own origin."""

from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from channels.sessions import SessionMiddlewareStack
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.urls import path

from podlab.labs import access
from podlab.security import OwnPagesOnly, of_own_page

pytestmark = pytest.mark.django_db(transaction=True)


class WhoAmI(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        learner = await database_sync_to_async(access.find_learner)(self.scope)
        await self.send(learner.nickname if learner else "아무도 아님")


# Composed as in podlab/asgi.py, whose own addresses are the lessons'.
SOCKETS = OwnPagesOnly(SessionMiddlewareStack(URLRouter([path("who/", WhoAmI.as_asgi())])))


def connection(cookie: str = "", origin: str = "http://127.0.0.1:8000") -> Any:
    cookies = f"{settings.SESSION_COOKIE_NAME}={cookie}"
    headers = [(b"cookie", cookies.encode()), (b"origin", origin.encode()), (b"host", b"127.0.0.1:8000")]
    return WebsocketCommunicator(SOCKETS, "/who/", headers=headers)


def started() -> str:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture(autouse=True)
def local_hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


async def test_the_socket_knows_the_learner_of_the_cookie() -> None:
    socket = connection(await database_sync_to_async(started)())
    await socket.connect(timeout=60)
    assert await socket.receive_from(timeout=60) == "초록고래"
    await socket.disconnect()


@pytest.mark.parametrize("cookie", ["", "forged", "eyJsZWFybmVyIjoiMSJ9:1abc:forged"])
async def test_a_forged_cookie_is_nobody(cookie: str) -> None:
    socket = connection(cookie)
    await socket.connect(timeout=60)
    assert await socket.receive_from(timeout=60) == "아무도 아님"
    await socket.disconnect()


async def test_another_origin_is_refused_even_with_the_cookie() -> None:
    accepted, _ = await connection(await database_sync_to_async(started)(), origin="https://evil.example").connect(timeout=60)
    assert not accepted


@pytest.mark.parametrize(("origin", "host", "ours"), [
    ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
    ("http://testserver", "testserver", True),
    ("http://127.0.0.1:3000", "127.0.0.1:8000", False),  # another server of the same machine: cookies know no ports
    ("http://testserver:8000", "127.0.0.1:8000", False),
    ("http://evil.example", "evil.example", False),  # a name that leads to us since a moment ago
    ("https://127.0.0.1.evil.example", "127.0.0.1:8000", False),
    ("http://127.0.0.1:8000@evil.example", "127.0.0.1:8000", False),
    ("null", "127.0.0.1:8000", False), ("", "127.0.0.1:8000", False), ("", "", False), ("http://[", "127.0.0.1:8000", False),
    ("file://127.0.0.1:8000", "127.0.0.1:8000", False),
])
def test_only_a_page_of_this_very_address_opens_a_socket(origin: str, host: str, ours: bool) -> None:
    assert of_own_page(origin, host) is ours


def test_behind_https_a_page_of_plain_http_opens_no_socket(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE, settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = True, ["podlab.example"], ["https://podlab.example"]
    assert of_own_page("https://podlab.example", "inside:8000")  # a proxy that gives us a name of its own
    assert of_own_page("https://podlab.example:8443", "podlab.example:8443")
    assert not of_own_page("http://podlab.example", "podlab.example")
