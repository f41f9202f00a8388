"""`manage.py lti_platform ISSUER CLIENT_ID ...`: let a learning platform (Moodle, Canvas ...) send its users. Says what to enter there."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from jwcrypto.jwk import JWK

from podlab.classroom.models import Platform


class Command(BaseCommand):
    help = "Register a learning platform for LTI 1.3, or change its registration; its key stays"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issuer", help="the platform's id, such as https://moodle.example.ac.kr")
        parser.add_argument("client_id")
        parser.add_argument("--deployment", action="append", required=True, help="deployment id; may be given more than once")
        parser.add_argument("--renew-key", action="store_true", help="make a new key pair: the platform reads the public one at the next score")
        parser.add_argument("--auth-login-url", required=True)
        parser.add_argument("--auth-token-url", required=True)
        parser.add_argument("--key-set-url", required=True)

    def handle(self, *, issuer: str, client_id: str, deployment: list[str], renew_key: bool = False, **options: Any) -> None:
        found = Platform.objects.filter(issuer=issuer, client_id=client_id).first() or Platform(issuer=issuer, client_id=client_id)
        if renew_key or not found.private_key:
            key = JWK.generate(kty="RSA", size=2048)
            found.private_key = key.export_to_pem(private_key=True, password=None).decode()
            found.public_key = key.export_to_pem().decode()
        found.deployments = json.dumps(deployment)
        for name in ("auth_login_url", "auth_token_url", "key_set_url"):
            setattr(found, name, options[name])
        try:
            found.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        found.save()
        self.stdout.write(f"{found}을(를) 등록했습니다. 그쪽에는 이 사이트 주소 뒤에 다음을 붙여 적어 주세요.")
        for what, name in (("로그인 시작 URL", "lti-login"), ("도구 URL과 리디렉션 URI", "lti-launch"), ("공개 키 집합 URL", "lti-jwks")):
            self.stdout.write(f"  {what}: {reverse(name)}")
        self.stdout.write("링크의 사용자 정의 값: class=참여코드, 점수를 돌려받으려면 assignment=과제번호. 새 창으로 열게 해 주세요.")
