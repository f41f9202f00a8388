"""One application for all: pages by Django, websockets only from our own origin and with the same session, and the Kubernetes API."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application

from podlab.apart import of_api
from podlab.security import OwnPagesOnly

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
pages = get_asgi_application()

from podlab.api import remote  # noqa: E402  (these need the app registry, which the line above fills)
from podlab.api.application import application as rest  # noqa: E402
from podlab.routing import websocket_urlpatterns  # noqa: E402

site = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": OwnPagesOnly(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The Kubernetes API stands apart: its clients are no browsers, its secret is in the address or a header, and no cookie counts there."""
    apart = of_api(str(scope.get("path", "")))
    await (site if not apart else remote.serve if scope["type"] == "websocket" else remote.switch if "line" in scope else rest)(scope, receive, send)
