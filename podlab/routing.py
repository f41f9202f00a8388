"""Websocket addresses. Each consumer fetches through podlab/labs/access.py with its scope."""

from django.urls import path

from lessons.consumers import LessonConsumer

websocket_urlpatterns = [path("ws/lessons/<slug:slug>/", LessonConsumer.as_asgi())]
