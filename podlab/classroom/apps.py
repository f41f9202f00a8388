from django.apps import AppConfig


class ClassroomConfig(AppConfig):
    name = "podlab.classroom"
    label = "classroom"
    verbose_name = "교실"

    def ready(self) -> None:
        from podlab.api import tokens
        from podlab.classroom import assignments, games, looking, posting, rooms, steering, suggesting, xapi
        from podlab.labs import audience, reconciler

        rooms.install()
        suggesting.install()
        assignments.install()
        games.install()
        xapi.install()
        audience.handle("help", looking.answer_help)
        tokens.judge(looking.HOLDER, looking.may_look)
        reconciler.accompany(steering.resume)
        reconciler.accompany(posting.keep_sending)
