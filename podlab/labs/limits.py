"""What one learner may ask: sizes, rates, shapes of messages. Every number comes from a setting (settings.py, LEARNER_*)."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from podlab.kubernetes.apiserver.errors import ApiError

LINE_MAX = 100_000  # characters of a terminal line: a pasted here-document fits
FILE_NAME = re.compile(r"[A-Za-z0-9가-힣._/-]{1,100}\Z")
POWERS = ("on", "off", "silent")
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")  # no UTF-8, as a file of arbitrary bytes has it; and what PostgreSQL's text lacks


class Bucket:
    """A token bucket in real time."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, time.monotonic()

    def take(self, amount: float = 1) -> bool:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True


def acts() -> Bucket:
    """What one page may send."""
    return Bucket(settings.LEARNER_ACTS_PER_SECOND, settings.LEARNER_ACTS_BURST)


def of_cluster() -> dict[str, int]:
    """What a new cluster may hold: it is part of what determines a cluster, so an old one keeps what it was born with."""
    return {"objects": settings.LEARNER_OBJECTS, "pods": settings.LEARNER_PODS}


class Writes:
    """What one terminal, or all clients of one cluster's API, may write to the journal: a loop in the shell must not fill the disk.

    Raises ApiError 429 in the API server's own words (request too soon), 413 (request too large, or `full`: no more room).
    """

    def __init__(self, submit: Callable[[dict[str, Any]], Any], whose: str = "LEARNER", full: Callable[[], bool] = lambda: False) -> None:
        self._submit, self._full, self._whose = submit, full, whose
        self._longest: int = getattr(settings, f"{whose}_BODY_BYTES")
        self._count = Bucket(getattr(settings, f"{whose}_WRITES_PER_SECOND"), getattr(settings, f"{whose}_WRITES_BURST"))
        self._bytes = Bucket(getattr(settings, f"{whose}_BYTES_PER_SECOND"), getattr(settings, f"{whose}_BYTES_BURST"))

    def __call__(self, entry: dict[str, Any]) -> Any:
        size = len(json.dumps(entry.get("body"))) if entry.get("body") else 100
        if size > self._longest:
            raise too_large(settings.LEARNER_FILE_BYTES if self._whose == "LEARNER" else self._longest)
        if entry.get("do") == "request" and not str(entry.get("verb")).startswith("delete") and self._full():
            # rpctypes/error.go: ErrGRPCNoSpace, which a real API server passes on as a 500; here it is no fault of the server's
            raise ApiError(413, "RequestEntityTooLarge", "etcdserver: mvcc: database space exceeded")
        if not self._count.take() or not self._bytes.take(size):
            # apiserver/pkg/server/filters/maxinflight.go: tooManyRequests
            raise ApiError(429, "TooManyRequests", "Too many requests, please try again later.", {"retryAfterSeconds": 1})
        return self._submit(entry)


class Refusal(ApiError):
    """A word of the page's own, in Korean: no API server has said it."""


def refuse(text: str) -> Refusal:
    return Refusal(400, "BadRequest", text)


def too_large(limit: int) -> ApiError:
    # apimachinery/pkg/api/errors/errors.go: NewRequestEntityTooLargeError; apiserver/pkg/endpoints/handlers/rest.go: limitedReadBody
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e9 < value < 1e9:
        raise refuse("숫자가 필요합니다.")
    return float(value)


def text(value: Any, longest: int) -> str:
    """A string of a message, or a refusal. JSON can name half a letter (\\ud800), which nobody can send or store: it would end others' pages."""
    if not isinstance(value, str):
        raise refuse("문자열이 필요합니다.")
    if len(value) > longest:
        raise refuse(f"너무 깁니다: {len(value):,}자입니다. {longest:,}자까지 받습니다.")
    return writable(value)


def writable(text: str) -> str:
    """The text as it can be sent and stored: bytes that were no UTF-8 become the replacement character."""
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()  # mostly there is none, which this tells in a hundredth of the time
        if "\x00" not in text:
            return text
    return UNWRITABLE.sub("\ufffd", text)


def manifest(value: Any) -> str:
    """The text of a manifest from the editor. Raises ApiError 413 where it is too large."""
    if isinstance(value, str) and len(value) * 3 > settings.LEARNER_FILE_BYTES \
            and len(value.encode("utf-8", "surrogatepass")) > settings.LEARNER_FILE_BYTES:
        raise too_large(settings.LEARNER_FILE_BYTES)
    return text(value, settings.LEARNER_FILE_BYTES)


def file(message: dict[str, Any], present: Mapping[str, str]) -> tuple[str, str]:
    """(name, text) of a file from the editor, beside the files that are there."""
    name = text(message.get("name"), 100)
    if not FILE_NAME.match(name) or ".." in name or name.startswith("/"):
        raise refuse("파일 이름에는 글자, 숫자, 점, 밑줄, 붙임표만 쓸 수 있습니다.")
    found = manifest(message.get("text"))
    if name not in present and len(present) >= settings.LEARNER_FILES:
        raise refuse(f"파일은 {settings.LEARNER_FILES}개까지 둘 수 있습니다. 쓰지 않는 것을 rm으로 지워 주세요.")
    return name, found


def fault(message: dict[str, Any]) -> dict[str, Any]:
    """A fault that a page may cause: power of a node, a signal to a container."""
    if message.get("power") in POWERS and isinstance(message.get("node"), str):
        return {"node": writable(message["node"][:253]), "power": message["power"]}
    if isinstance(message.get("pod"), str) and isinstance(message.get("container"), str):
        return {"pod": writable(message["pod"][:400]), "container": writable(message["container"][:63]), "signal": "KILL"}
    raise refuse("알 수 없는 고장입니다.")
