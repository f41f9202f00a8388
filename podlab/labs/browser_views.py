"""The two addresses of the browser tab: the page in the frame, and the relay that its links and forms lead to.

The reasons for each header are in docs/decisions/browser-tab.md.
"""

from __future__ import annotations

from channels.layers import get_channel_layer
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from podlab.labs import access
from podlab.labs.browsing import BODY_MAX
from podlab.labs.webpage import URL_MAX

GONE = ('<!doctype html><meta charset="utf-8"><title>사라진 페이지</title><p style="font-family:sans-serif">'
        "이 페이지는 더 보관되어 있지 않습니다. 새로 고침을 눌러 주세요.</p>")
POLICY = ("sandbox allow-forms; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action {relay}; base-uri 'none'; "
          "frame-ancestors 'self'")


@require_GET
@never_cache
def page(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """A page of a simulated application. It may run nothing, load nothing, and send its forms nowhere but to the relay of its tab."""
    learner = access.get_learner(request)
    html, to = caches["pages"].get(access.browser_page_key(learner, key)) or ("", "")
    response = HttpResponse(html or GONE, status=200 if html else 404)
    response["Content-Security-Policy"] = POLICY.format(relay=request.build_absolute_uri(to) if to else "'none'")
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@csrf_exempt  # the frame has no origin and so no cookies: the address itself is the permission, and it is written into no other page
@require_http_methods(["GET", "POST"])
@never_cache
async def relay(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """A link or form of the page was used. The tab is told and goes there; the frame itself stays where it is (204)."""
    channel = access.browser_channel(token)
    body = request.body[: BODY_MAX + 1].decode("utf-8", "replace") if request.method == "POST" else ""
    event = {"type": "browser.go", "u": request.GET.get("u", "")[: URL_MAX + 1], "m": request.GET.get("m", "link"), "body": body}
    layer = get_channel_layer()
    if layer is not None:
        await layer.send(channel, event)
    return HttpResponse(status=204, headers={"Referrer-Policy": "no-referrer"})
