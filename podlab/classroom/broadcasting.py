"""따라 보기: the teacher's own cluster and terminal on every page of the class. Drawn once, however many look on."""

from __future__ import annotations

import re

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from lessons import library
from podlab.classroom import access
from podlab.classroom.models import Classroom, Desk
from podlab.labs import panels
from podlab.labs.live import CLUSTERS, LiveCluster
from podlab.projection.board import Options

WIDTH = 960  # of the picture, as a laptop's page shows it
PIECES_SHOWN = 30  # of the terminal, the last ones
NOTHING = '<section id="follow" hx-ext="morph" hidden hx-swap-oob="morph"></section>'
# Another board stands on the page already: its ids and what refers to them are kept apart, and nothing of ours can be picked.
IDS = re.compile(r'(\s(?:id|for|aria-labelledby|aria-describedby|aria-controls)=")|(url\(#)|(\shref="#)')
PICKED = re.compile(r'\s(?:data-ref|data-menu|tabindex|role="button")(?:="[^"]*")?')


class Broadcast:
    """A class that follows its teacher. It is a viewer of the teacher's cluster."""

    def __init__(self, lesson: str, live: LiveCluster) -> None:
        self.live = live
        self.lesson = library.get(lesson)
        self.due = True
        live.viewers.add(self)
        live.transcript.readers.add(self._printed)

    def hint(self) -> None:
        self.due = True

    def _printed(self, html: str) -> None:
        self.due = True

    def end(self) -> None:
        self.live.leave(self)
        self.live.transcript.readers.discard(self._printed)

    def fragment(self) -> str:
        """What every member's page shows."""
        self.due = False
        board = panels.rendered(self.live, WIDTH, Options()).fragments["diagram"]
        shown = IDS.sub(lambda match: match[0] + "f-", PICKED.sub("", board))
        printed = "".join(_inner(piece) for piece in self.live.transcript.pieces()[-PIECES_SHOWN:])
        return render_to_string("classroom/_follow.html", {"board": mark_safe(shown), "printed": mark_safe(printed), "lesson": self.lesson})  # noqa: S308

    async def news(self) -> str:
        """The fragment, if anything of it is new, else nothing. Asked a few times a second."""
        if self.live.gone:
            self.end()
            self.live = await CLUSTERS.get(self.live.id)
            self.live.viewers.add(self)
            self.live.transcript.readers.add(self._printed)
            self.due = True
        if not self.due:
            return ""
        async with self.live.lock:
            return self.fragment()


def _inner(piece: str) -> str:
    """The spans of a piece for #terminal-log."""
    return piece.split(">", 1)[1].rsplit("</div>", 1)[0]


async def settle(classroom: Classroom, before: Broadcast | None) -> Broadcast | None:
    """The broadcast that the class wishes for: started, kept, or let go."""
    wanted = classroom.broadcasting
    cluster_id = await CLUSTERS.writer.call(_desk_cluster, classroom) if wanted else None
    if before is not None and before.live.id == cluster_id:
        before.due = True
        return before
    if before is not None:
        before.end()
    if cluster_id is None:
        return None
    return Broadcast(wanted, await CLUSTERS.get(cluster_id))


def _desk_cluster(classroom: Classroom) -> int | None:
    desk = Desk.objects.select_related("learner").filter(teacher=classroom.teacher_id).first()
    return access.desk_cluster(desk, classroom.broadcasting).pk if desk is not None else None
