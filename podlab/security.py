"""The Content-Security-Policy of every answer (Django 5.2 has no middleware of its own for it), and logs without secrets."""

import logging
import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class ContentSecurityPolicyMiddleware:
    """Sets the one policy of settings.CONTENT_SECURITY_POLICY; a view may set a stricter one of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        return response


class WithoutTokens(logging.Filter):
    """Takes API tokens out of log lines: they stand in addresses, and the server names addresses when it complains of a connection."""

    SECRET = re.compile(r"(/k8s/|Bearer |base64url\.bearer\.authorization\.k8s\.io\.)[^/\s'\",?]+")

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if self.SECRET.search(text):
            record.msg, record.args = self.SECRET.sub(r"\1...", text), ()
        return True
