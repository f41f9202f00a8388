"""A learner's cluster taken to the teacher's own place, mended there, and sent back as a suggestion: the commands, or the whole state.

The learner's cluster is touched only when the learner accepts, and what they accepted can be undone like anything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from podlab.classroom import access, presence, rooms
from podlab.classroom.models import Classroom, Desk, Fork, Suggestion
from podlab.classroom.room import NO_BAR
from podlab.labs import audience, limits, panels, rewind, storage
from podlab.labs.consumers import LabConsumer
from podlab.labs.database import on_database
from podlab.labs.live import CLUSTERS, restored
from podlab.labs.models import Cluster

COMMANDS_MAX, COMMAND_MAX, NOTE_MAX = 30, 2_000, 200  # lines of a suggestion, characters of one, characters of its note

_lines: dict[tuple[UUID, str], list[str]] = {}  # (teacher's learner, lesson) -> what was typed since the fork


def install() -> None:
    """Hear of the lab pages. Called once, when Django starts."""
    audience.listen(_hear)
    audience.handle("send_back", _send_back)
    audience.handle("suggestion", _answer)


# ---- taking

async def fork(classroom: Classroom, learner_id: UUID, lesson: str) -> None:
    """Copy a member's cluster as it stands to the teacher's own place. Raises NotYours."""
    cluster = await on_database(access.get_member_cluster)(classroom, learner_id, lesson)
    source = await CLUSTERS.get(cluster.id)
    async with source.turn(quiet=True) as engine:
        text = await source.written(engine)  # what a checkpoint holds, its cluster goes on changing
    row = await CLUSTERS.writer.call(_store_fork, classroom, learner_id, lesson)
    live = await CLUSTERS.get(row.id)
    async with live.turn():
        await rewind.stand_at(live, await restored(text if isinstance(text, str) else "".join(text)))
    _lines[row.learner_id, lesson] = []


def _store_fork(classroom: Classroom, learner_id: UUID, lesson: str) -> Cluster:
    member = access.get_member(classroom, learner_id)
    desk = Desk.objects.select_related("learner").get(teacher=classroom.teacher)
    Fork.objects.update_or_create(desk=desk, lesson=lesson, defaults={"membership": member})
    access.audit(classroom, "forked", user=classroom.teacher, learner=member.learner, detail=lesson)
    return access.desk_cluster(desk, lesson)


# ---- the teacher's own page

def _hear(act: audience.Act) -> None:
    key = (act.page.learner_id, act.page.lesson)
    if act.kind == "line" and key in _lines and len(_lines[key]) < COMMANDS_MAX:
        _lines[key].append(str(act.facts["text"]))
    elif act.kind == "opened":
        rooms.later(_show(act.page))


async def _show(page: audience.LabPage) -> None:
    """What waits on a page that was opened: a fork to be sent back, or suggestions to be answered."""
    found, suggestions = await CLUSTERS.writer.call(_waiting_for, page.learner_id, page.lesson)
    if found is not None:
        _lines.setdefault((page.learner_id, page.lesson), [])
        page.show(_fork_bar(found))
    for suggestion in suggestions:
        page.show(_card(suggestion))


async def _send_back(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    """The teacher sends what was mended: the commands typed since the fork, or the state."""
    found = await CLUSTERS.writer.call(_fork_of, page.learner_id, page.lesson)
    if not isinstance(page, LabConsumer):
        return
    if found is None:
        page.show(NO_BAR)
        raise limits.refuse("그 사람은 이제 교실에 없어 보낼 수 없습니다. 이 사본은 선생님의 것으로 남습니다.")
    note = limits.text(message.get("note") or "", NOTE_MAX)
    suggestion = Suggestion(membership=found.membership, lesson=found.lesson, note=note)
    if message.get("what") == "commands":
        lines = [line for line in _lines.get((page.learner_id, page.lesson), []) if line.strip()]
        if not lines:
            raise limits.refuse("가져온 뒤로 친 명령이 없습니다.")
        if any(len(line) > COMMAND_MAX for line in lines):
            raise limits.refuse("너무 긴 명령이 있어 보낼 수 없습니다. 고친 상태를 보내 주세요.")
        suggestion.commands = "\n".join(lines)
    else:
        async with page.live_.turn(quiet=True) as engine:
            suggestion.state = storage.pack(engine.checkpoint())
    await CLUSTERS.writer.call(suggestion.save)
    for learners in audience.pages(found.membership.learner_id):
        if learners.lesson == found.lesson:
            learners.show(_card(suggestion))
    page.show(panels.notice(f"{found.membership.name} 님에게 보냈습니다."))


# ---- the learner's page

async def _answer(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    """The learner takes a suggestion, or leaves it."""
    found = await CLUSTERS.writer.call(_take, page.learner_id, page.lesson, message.get("id"), message.get("take") is True)
    if found is None or not isinstance(page, LabConsumer):
        return
    page.show(f'<div id="suggestion-{found.pk}" hx-swap-oob="delete"></div>')
    if not found.accepted:
        return
    if found.commands:
        for line in found.commands.splitlines():
            await page.type_for(line)
        return
    engine = await restored(await asyncio.to_thread(storage.text_of, bytes(found.state)))
    async with page.live_.turn():
        await rewind.stand_at(page.live_, engine)
    page.show(panels.notice("선생님이 고친 클러스터를 받았습니다. ‘되돌리기’는 이 상태까지만 거슬러 갑니다."))


# ---- rows and fragments

def _fork_of(learner_id: UUID, lesson: str) -> Fork | None:
    return Fork.objects.select_related("membership").filter(desk__learner_id=learner_id, lesson=lesson, membership__removed=None).first()


def _waiting_for(learner_id: UUID, lesson: str) -> tuple[Fork | None, list[Suggestion]]:
    fork = _fork_of(learner_id, lesson) if presence.exists(Fork, lesson=lesson) else None
    return fork, _open_for(learner_id, lesson) if presence.exists(Suggestion, lesson=lesson, answered=None) else []


def _open_for(learner_id: UUID, lesson: str) -> list[Suggestion]:
    return list(Suggestion.objects.filter(membership__learner_id=learner_id, membership__removed=None, lesson=lesson, answered=None)[:5])


def _take(learner_id: UUID, lesson: str, pk: Any, take: bool) -> Suggestion | None:
    """Answer one of the learner's own open suggestions, once."""
    if not isinstance(pk, int):
        return None
    found = Suggestion.objects.filter(pk=pk, membership__learner_id=learner_id, lesson=lesson, answered=None)
    if not found.update(answered=timezone.now(), accepted=take):
        return None
    return Suggestion.objects.get(pk=pk)


def _fork_bar(fork: Fork) -> str:
    return render_to_string("classroom/_fork.html", {"fork": fork, "name": fork.membership.name})


def _card(suggestion: Suggestion) -> str:
    return render_to_string("classroom/_suggestion.html", {"suggestion": suggestion, "commands": suggestion.commands.splitlines()})

