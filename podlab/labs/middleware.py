"""What a visitor without a session gets from a page that needs one: the landing page, and from there the way back."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from podlab.labs.access import NoLearner


class NoLearnerMiddleware:
    """Turns NoLearner, raised by labs/access.py in any view, into a redirect that remembers a page worth returning to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NoLearner):
            return None
        home = reverse("home")
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(home)
        if request.method == "GET":
            home += "?" + urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(home)
