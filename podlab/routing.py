"""Websocket addresses. Each consumer fetches through podlab/labs/access.py with its scope."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
