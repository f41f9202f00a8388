from django.apps import AppConfig


class ClassroomConfig(AppConfig):
    name = "podlab.classroom"
    label = "classroom"
    verbose_name = "교실"

    def ready(self) -> None:
        from podlab.classroom import rooms, steering
        from podlab.labs import reconciler

        rooms.install()
        reconciler.accompany(steering.resume)
