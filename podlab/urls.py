from django.urls import include, path

from lessons import pages as course
from lessons import views as lessons
from podlab import pages
from podlab.api import pages as api
from podlab.labs import browser_views

urlpatterns = [
    path("", pages.home, name="home"),
    path("start/", pages.start, name="start"),
    path("resume/", pages.resume, name="resume"),
    path("resume-code/", pages.renew_code, name="renew-code"),
    path("lessons/<slug:slug>/", lessons.lesson, name="lesson"),
    path("lessons/<slug:slug>/own-terminal/", api.own_terminal, name="own-terminal"),
    path("lessons/<slug:slug>/own-terminal/connect/", api.connect, name="own-terminal-connect"),
    path("lessons/<slug:slug>/own-terminal/disconnect/", api.disconnect, name="own-terminal-disconnect"),
    path("lessons/<slug:slug>/browser/page/<str:key>/", browser_views.page, name="browser-page"),
    path("lessons/<slug:slug>/browser/go/<str:token>/", browser_views.relay, name="browser-relay"),
    path("leave/", pages.leave, name="leave"),
    path("fidelity/", pages.fidelity, name="fidelity"),
    path("search/", course.search, name="search"),
    path("glossary/", course.glossary, name="glossary"),
    path("commands/", course.cheat_sheet, name="cheat-sheet"),
    path("progress/", course.progress_page, name="progress"),
    path("progress.json", course.progress_export, name="progress-export"),
    path("certificate/", course.certificate, name="certificate"),
    path("", include("podlab.classroom.urls")),
]
