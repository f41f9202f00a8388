"""`manage.py create_teacher NAME`: an account that may open classes. The password is asked for, or read from PODLAB_TEACHER_PASSWORD."""

import os
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Make an account for a teacher, or give one a new password"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the teacher signs in with")
        parser.add_argument("--renew", action="store_true", help="give an account that exists a new password")

    def handle(self, *, name: str, renew: bool, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is not None and not renew:
            raise CommandError(f"{name} 계정이 이미 있습니다. 비밀번호를 새로 정하려면 --renew를 붙여 주세요.")
        if user is None and renew:
            raise CommandError(f"{name} 계정이 없습니다.")
        user = user or User(username=name)
        password = os.environ.get("PODLAB_TEACHER_PASSWORD") or self.ask()
        try:
            user.full_clean(exclude=["password"])
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        user.set_password(password)
        user.save()
        self.stdout.write(f"{name} 선생님의 계정을 {'고쳤습니다' if renew else '만들었습니다'}. /teacher/ 에서 들어갈 수 있습니다.")

    def ask(self) -> str:
        first = getpass("비밀번호 (열 글자부터): ")
        if first != getpass("한 번 더: "):
            raise CommandError("두 번 적은 비밀번호가 다릅니다.")
        return first
