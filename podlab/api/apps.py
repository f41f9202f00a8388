from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "podlab.api"
    label = "api"
    verbose_name = "쿠버네티스 API"
