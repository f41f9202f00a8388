"""The one document about the server that is ours alone: the kubeconfig file. The others are the API's own (apiserver/rest/documents.py)."""

from __future__ import annotations

import io

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest

from podlab.api import tokens, wire
from podlab.api.wire import Scope, Send
from podlab.kubernetes.apiserver.errors import bad_request, method_not_supported
from podlab.kubernetes.apiserver.rest.call import Call


async def kubeconfig(send: Send, scope: Scope, call: Call, token: str) -> None:
    """A file that leads here: what the page's one-line command fetches. Raises ApiError 400 or 405."""
    if call.method not in ("GET", "HEAD"):
        raise method_not_supported("kubeconfig", call.method.lower())
    try:
        text = tokens.kubeconfig(ASGIRequest(scope, io.BytesIO()), token)
    except DisallowedHost:
        raise bad_request("this host is not served here") from None
    extra = [(b"content-disposition", b'attachment; filename="podlab.yaml"'), (b"cache-control", b"no-store")]
    await wire.answer(send, call, 200, text.encode(), "application/yaml", extra)
