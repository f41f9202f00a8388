from django.apps import AppConfig


class LessonsConfig(AppConfig):
    name = "lessons"
    verbose_name = "수업"

    def ready(self) -> None:
        from lessons import library
        from podlab.labs import births

        births.register(library.birth)
