"""What somebody who is not signed in as a teacher gets from a teacher's page: the sign-in form, and from there the way back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from podlab.classroom.access import NoTeacher


class NoTeacherMiddleware:
    """Turns NoTeacher, raised by classroom/access.py in any view, into a redirect to the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NoTeacher):
            return None
        place = reverse("teacher-sign-in")
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(place)
        if request.method == "GET":
            place += "?" + urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(place)
