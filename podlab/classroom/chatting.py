"""A line between the teacher and one learner: on the look page there, beside the class bar here. Bounded in length and number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count
from django.utils.html import format_html, format_html_join

from podlab.classroom.models import ChatLine
from podlab.classroom.seats import Seat
from podlab.labs import audience, limits
from podlab.labs.live import CLUSTERS

LINE_MAX, LINES_KEPT, LINES_SHOWN = 300, 200, 50  # characters, as ChatLine.text; lines of a member


def line(found: ChatLine, *, teacher: bool) -> str:
    """One line as the teacher's or the learner's page shows it."""
    mine = found.from_teacher == teacher
    return format_html('<p class="{}" data-unseen="{}"><span class="unseen">{}: </span>{}</p>', "mine" if mine else "theirs",
                       "" if mine or found.seen else "1", "나" if mine else "배우는 사람" if teacher else "선생님", found.text)


def history(membership_id: int, teacher: bool) -> str:
    """The last lines, for a page that opens."""
    found = list(ChatLine.objects.filter(membership_id=membership_id).order_by("-id")[:LINES_SHOWN])[::-1]
    lines = format_html_join("", "{}", ((line(one, teacher=teacher),) for one in found))
    return format_html('<div id="chat-log" hx-swap-oob="innerHTML">{}</div>', lines)


def store(membership_id: int, text: str, from_teacher: bool) -> ChatLine:
    made = ChatLine.objects.create(membership_id=membership_id, text=text, from_teacher=from_teacher)
    old = ChatLine.objects.filter(membership_id=membership_id).order_by("-id").values_list("pk", flat=True)[LINES_KEPT:]
    ChatLine.objects.filter(pk__in=list(old)).delete()
    return made


def mark_seen(membership_id: int, from_teacher: bool) -> None:
    ChatLine.objects.filter(membership_id=membership_id, from_teacher=from_teacher, seen=False).update(seen=True)


def unread(classroom_id: int) -> dict[int, int]:
    """{membership: lines to the teacher that nobody has read}"""
    return dict(ChatLine.objects.filter(membership__classroom_id=classroom_id, from_teacher=False, seen=False)
                .order_by().values_list("membership").annotate(number=Count("pk")))


async def say(seat: Seat, message: Mapping[str, Any], *, from_teacher: bool) -> bool:
    """Write a line down and bring it to both sides. True: it waits unread, which the tile shows. Raises ApiError for one that is too long."""
    text = " ".join(limits.text(message.get("text"), LINE_MAX).split())
    if not text:
        return False
    made = await CLUSTERS.writer.call(store, seat.member.pk, text, from_teacher)
    if not seat.elsewhere:  # else it waits for them here
        audience.show(seat.learner_id, _added(made, teacher=False))
    for looker in list(seat.lookers):
        looker.show(_added(made, teacher=True))
    if from_teacher:
        return False
    if seat.lookers:
        await CLUSTERS.writer.call(mark_seen, seat.member.pk, False)
        return False
    seat.unread += 1
    return True


def _added(made: ChatLine, *, teacher: bool) -> str:
    return format_html('<div id="chat-log" hx-swap-oob="beforeend">{}</div>', line(made, teacher=teacher))
