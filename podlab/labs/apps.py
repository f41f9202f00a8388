from django.apps import AppConfig


class LabsConfig(AppConfig):
    name = "podlab.labs"
    label = "labs"
    verbose_name = "실습"
