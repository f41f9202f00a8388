from django.urls import path

from lessons import views as lessons
from podlab import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("start/", pages.start, name="start"),
    path("resume/", pages.resume, name="resume"),
    path("resume-code/", pages.renew_code, name="renew-code"),
    path("lessons/<slug:slug>/", lessons.lesson, name="lesson"),
    path("leave/", pages.leave, name="leave"),
]
