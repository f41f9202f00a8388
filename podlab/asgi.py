"""One application for both protocols: pages by Django, websockets only from our own origin and with the same session."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
pages = get_asgi_application()

from podlab.routing import websocket_urlpatterns  # noqa: E402  (consumers need the app registry, which the line above fills)

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
