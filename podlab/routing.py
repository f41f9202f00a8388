"""Websocket addresses. Each consumer fetches through podlab/labs/access.py with its scope."""

from django.urls import path

from lessons.consumers import LessonConsumer
from podlab.classroom.consumers import ClassroomConsumer
from podlab.classroom.looking import LookConsumer
from podlab.classroom.replaying import ReplayConsumer

websocket_urlpatterns = [
    path("ws/lessons/<slug:slug>/", LessonConsumer.as_asgi()),
    path("ws/classes/<int:pk>/", ClassroomConsumer.as_asgi()),
    path("ws/classes/<int:pk>/replay/<uuid:learner>/<slug:slug>/", ReplayConsumer.as_asgi()),
    path("ws/classes/<int:pk>/look/<uuid:learner>/<slug:slug>/", LookConsumer.as_asgi()),
]
