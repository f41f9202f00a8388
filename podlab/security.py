"""The Content-Security-Policy of every answer (Django 5.2 has no middleware of its own for it); websockets from our own pages only."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.http.request import split_domain_port, validate_host


class ContentSecurityPolicyMiddleware:
    """Sets the one policy of settings.CONTENT_SECURITY_POLICY; a view may set a stricter one of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        return response


class OwnPagesOnly:
    """Websockets that a page of this very address opened, by the rule of Django's CSRF check. Channels' own validator compares names of hosts
    alone: a page of another server on the same machine would come in with our cookie, which knows no ports.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        ours = of_own_page(headers.get(b"origin", b"").decode("latin-1"), headers.get(b"host", b"").decode("latin-1"))
        await (self.application if ours else WebsocketDenier())(scope, receive, send)


def of_own_page(origin: str, host: str) -> bool:
    """Whether a page of the origin may open a websocket at the host."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    named = bool(host) and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return named and parts.netloc == host and parts.scheme in (("https",) if settings.SESSION_COOKIE_SECURE else ("http", "https"))
