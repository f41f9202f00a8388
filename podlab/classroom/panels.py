"""The class page's fragments as HTML, each carrying hx-swap-oob."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html

from lessons import library
from lessons.schema import Lesson
from podlab.classroom.room import Room
from podlab.labs.panels import RATE_NAMES, notice

__all__ = ["counts", "gone", "notice", "placed", "view", "wishes"]


def placed(html: str, *, new: bool, matrix: bool) -> str:
    """A tile or row where it belongs: a new one at the end, a known one morphed into its place."""
    if new:
        return f'<div id="{"matrix-rows" if matrix else "tiles"}" hx-swap-oob="beforeend">{html.strip()}</div>'
    tag, rest = html.strip().split(" ", 1)
    return f'{tag} hx-swap-oob="morph" {rest}'


def gone(learner_id: UUID, *, matrix: bool) -> str:
    return format_html('<div id="{}-{}" hx-swap-oob="delete"></div>', "row" if matrix else "tile", learner_id)


def counts(room: Room) -> str:
    """The numbers above the grid."""
    now, rule = timezone.now(), room.rule
    seats = list(room.seats.values())
    numbers: list[tuple[str, str, int]] = [
        ("all", "모두", len(seats)), ("online", "접속", sum(seat.online for seat in seats)),
        ("raised", "손 든 사람", sum(seat.member.hand_raised is not None for seat in seats)),
        ("stuck", "막힌 사람", sum(bool(seat.stuck(rule, now)) for seat in seats)),
        ("bad", "클러스터에 문제", sum(seat.worst.mood == "bad" for seat in seats)),
    ]
    return render_to_string("classroom/_counts.html", {"numbers": numbers})


def view(lesson: Lesson | None) -> str:
    """The empty frame of the tiles or of a lesson's matrix."""
    return render_to_string("classroom/_view.html", {"lesson": lesson})


def wishes(room: Room) -> str:
    """The bar with what the class is told to do just now."""
    classroom = room.classroom
    rates: list[dict[str, Any]] = [{"rate": rate, "name": name, "told": told, "on": classroom.rate == rate}
                                   for rate, (name, told) in RATE_NAMES.items()]
    present, step = room.called()
    return render_to_string("classroom/_wishes.html", {"classroom": classroom, "rates": rates, "present": present, "present_step": step,
                                                       "lessons": library.lessons()})
