"""What launches from a learning platform (lti.py) and scores to it (grades.py) share: how we are registered there, and patience."""

from __future__ import annotations

from typing import Any

import requests
from pylti1p3.registration import Registration

from podlab.classroom.models import Platform

SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
TIMEOUT = 5.0  # seconds for each request


class Patient(requests.Session):
    """Nothing we ask of a platform may hang."""

    def request(self, *arguments: Any, **options: Any) -> Any:
        return super().request(*arguments, **{"timeout": TIMEOUT, **options})


def registration_of(platform: Platform) -> Registration:
    return (Registration().set_issuer(platform.issuer).set_client_id(platform.client_id).set_key_set_url(platform.key_set_url)
            .set_auth_login_url(platform.auth_login_url).set_auth_token_url(platform.auth_token_url)
            .set_tool_private_key(platform.private_key).set_tool_public_key(platform.public_key))
