"""What one learner may ask: sizes, rates, shapes of messages. Every number is a setting with a sane default."""

from __future__ import annotations

import re
import time
from typing import Any

from django.conf import settings

from podlab.kubernetes.apiserver.errors import ApiError

ACTS_PER_SECOND = getattr(settings, "LEARNER_ACTS_PER_SECOND", 10)
ACTS_BURST = getattr(settings, "LEARNER_ACTS_BURST", 40)
LINE_MAX = 100_000  # characters of a terminal line: a pasted here-document fits
FILE_MAX = 2_000_000  # characters of a manifest: above what the API server itself refuses
FILES_MAX = 50
FILE_NAME = re.compile(r"[A-Za-z0-9가-힣._/-]{1,100}\Z")
POWERS = ("on", "off", "silent")


class Bucket:
    """A token bucket in real time."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def refuse(text: str) -> ApiError:
    return ApiError(400, "BadRequest", text)


def text(value: Any, longest: int) -> str:
    """A string of a message, or a refusal."""
    if not isinstance(value, str):
        raise refuse("문자열이 필요합니다.")
    if len(value) > longest:
        raise refuse(f"너무 깁니다: {len(value):,}자입니다. {longest:,}자까지 받습니다.")
    return value


def file(message: dict[str, Any]) -> tuple[str, str]:
    """(name, text) of a file from the editor."""
    name = text(message.get("name"), 100)
    if not FILE_NAME.match(name) or ".." in name:
        raise refuse("파일 이름에는 글자, 숫자, 점, 밑줄, 붙임표만 쓸 수 있습니다.")
    return name, text(message.get("text"), FILE_MAX)


def fault(message: dict[str, Any]) -> dict[str, Any]:
    """A fault that a page may cause: power of a node, a signal to a container."""
    if message.get("power") in POWERS and isinstance(message.get("node"), str):
        return {"node": message["node"][:253], "power": message["power"]}
    if isinstance(message.get("pod"), str) and isinstance(message.get("container"), str):
        return {"pod": message["pod"][:400], "container": message["container"][:63], "signal": "KILL"}
    raise refuse("알 수 없는 고장입니다.")
