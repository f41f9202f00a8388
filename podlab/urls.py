from django.urls import path

from podlab import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("start/", pages.start, name="start"),
    path("resume/", pages.resume, name="resume"),
    path("resume-code/", pages.renew_code, name="renew-code"),
    path("leave/", pages.leave, name="leave"),
]
