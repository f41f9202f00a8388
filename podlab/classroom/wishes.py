"""What a teacher wishes of all pages at once. A wish is a column of the class: written first, then every open page is brought to it, and a
page that comes back later reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from lessons import library
from podlab.classroom.models import Classroom
from podlab.classroom.room import Room
from podlab.labs import limits
from podlab.labs.live import CLUSTERS, RATES

TIMER_MAX = 180  # minutes
ANNOUNCEMENT_MAX = 300  # characters, as Classroom.announcement


async def change(room: Room, message: dict[str, Any]) -> str:
    """Take one wish from a message and carry it out. Returns what to tell the teacher. Raises ApiError for a wish that makes no sense."""
    fields, told = read(message)
    await CLUSTERS.writer.call(_save, room.classroom.pk, fields)
    await room.renew()
    return told


def read(message: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """(columns of Classroom, what to tell). Exactly one wish a message: rate, frozen, announcement, step, question, reveal, timer."""
    if "rate" in message:
        return _rate(message["rate"])
    if "frozen" in message:
        frozen = message["frozen"] is True
        return {"frozen": frozen}, "모두의 입력을 멈췄습니다." if frozen else "다시 입력할 수 있습니다."
    if "broadcasting" in message:
        return _broadcasting(message["broadcasting"])
    if "announcement" in message:
        text = " ".join(limits.text(message["announcement"], ANNOUNCEMENT_MAX).split())
        return {"announcement": text}, "알렸습니다." if text else "알림을 거두었습니다."
    if "step" in message:
        return _step(message)
    if "question" in message:
        return _question(message)
    if "reveal" in message:
        return {"revealed": message["reveal"] is True}, "답을 보여 주었습니다." if message["reveal"] is True else "답을 가렸습니다."
    if "timer" in message:
        return _timer(message["timer"]), "시간을 재기 시작했습니다." if message["timer"] else "시간 재기를 멈췄습니다."
    raise limits.refuse("알 수 없는 일입니다.")


def _rate(wish: Any) -> tuple[dict[str, Any], str]:
    if wish is None:
        return {"rate": None}, "시계를 저마다에게 돌려주었습니다."
    rate = limits.number(wish)
    if rate not in RATES:
        raise limits.refuse("그런 빠르기는 없습니다.")
    return {"rate": rate}, "모두의 시계를 멈췄습니다." if rate == 0 else f"모두의 시계를 {rate:g}배로 맞췄습니다."


def _timer(wish: Any) -> dict[str, Any]:
    minutes = limits.number(wish)
    if not 0 <= minutes <= TIMER_MAX:
        raise limits.refuse(f"시간은 {TIMER_MAX}분까지 정할 수 있습니다.")
    return {"timer_ends": timezone.now() + timedelta(minutes=minutes) if minutes else None}


def _broadcasting(wish: Any) -> tuple[dict[str, Any], str]:
    lesson = limits.text(wish or "", 80)
    if lesson and not any(one.slug == lesson for one in library.lessons()):
        raise limits.refuse("그런 단원이 없습니다.")
    return {"broadcasting": lesson}, "모두가 선생님의 화면을 봅니다." if lesson else "화면을 저마다에게 돌려주었습니다."


def _step(message: dict[str, Any]) -> tuple[dict[str, Any], str]:
    lesson, step = limits.text(message.get("lesson", ""), 80), limits.text(message.get("step", ""), 80)
    if not lesson:
        return {"lesson": "", "step": "", "timer_ends": None}, "저마다의 걸음으로 돌려보냈습니다."
    try:
        found = library.get(lesson)
    except LookupError:
        raise limits.refuse("그런 단원이 없습니다.") from None
    if step and found.step(step) is None:
        raise limits.refuse("그런 걸음이 없습니다.")
    return {"lesson": lesson, "step": step, **_timer(message.get("minutes") or 0)}, "모두를 이 걸음으로 불렀습니다."


def _question(message: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if not message["question"]:
        return {"question_lesson": "", "question": "", "revealed": False}, "문제를 거두었습니다."
    lesson, question = limits.text(message.get("lesson", ""), 80), limits.text(message["question"], 80)
    try:
        found = library.get(lesson).question(question)
    except LookupError:
        found = None
    if found is None:
        raise limits.refuse("그런 문제가 없습니다.")
    return {"question_lesson": lesson, "question": question, "revealed": False}, "모두에게 문제를 냈습니다."


def _save(pk: int, fields: dict[str, Any]) -> None:
    Classroom.objects.filter(pk=pk).update(**fields, steered=timezone.now())
