"""A websocket carries the same session as a page, and only from our own origin."""

from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.urls import path

from podlab.labs import access

pytestmark = pytest.mark.django_db(transaction=True)


class WhoAmI(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        learner = await database_sync_to_async(access.find_learner)(self.scope)
        await self.send(learner.nickname if learner else "아무도 아님")


# Composed as in podlab/asgi.py, whose own addresses are the lessons'.
SOCKETS = AllowedHostsOriginValidator(SessionMiddlewareStack(URLRouter([path("who/", WhoAmI.as_asgi())])))


def connection(cookie: str = "", origin: str = "http://127.0.0.1:8000") -> Any:
    cookies = f"{settings.SESSION_COOKIE_NAME}={cookie}"
    return WebsocketCommunicator(SOCKETS, "/who/", headers=[(b"cookie", cookies.encode()), (b"origin", origin.encode())])


def started() -> str:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture(autouse=True)
def local_hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


async def test_the_socket_knows_the_learner_of_the_cookie() -> None:
    socket = connection(await database_sync_to_async(started)())
    await socket.connect()
    assert await socket.receive_from() == "초록고래"
    await socket.disconnect()


@pytest.mark.parametrize("cookie", ["", "forged", "eyJsZWFybmVyIjoiMSJ9:1abc:forged"])
async def test_a_forged_cookie_is_nobody(cookie: str) -> None:
    socket = connection(cookie)
    await socket.connect()
    assert await socket.receive_from() == "아무도 아님"
    await socket.disconnect()


async def test_another_origin_is_refused_even_with_the_cookie() -> None:
    accepted, _ = await connection(await database_sync_to_async(started)(), origin="https://evil.example").connect()
    assert not accepted
