"""What others may hear of open lab pages and do to them, without labs knowing who they are. The classroom is the one who registers here.

Everything runs on the server's event loop and returns at once; whoever has work to do makes a task of it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

logger = logging.getLogger(__name__)


class LabPage(Protocol):
    """One open lab page, as far as others may touch it."""

    learner_id: UUID
    lesson: str

    def show(self, html: str) -> None:
        """Send fragments with the next change."""

    def veil_changed(self) -> None:
        """Ask `veiled` anew with the next change. Must return at once."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a learner did, or that happened on their page.

    kinds and their facts: opened, closed, moved (the cluster has something new), line (text: a terminal line), error (text: what the
    terminal printed in red), step (step), done (step), answer (question, choice, correct, misconception), check (exercise, solved),
    hint (exercise, number), fault, undo, reset.
    """

    page: LabPage
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Act], None]
Guard = Callable[[UUID, str], None]
Gate = Callable[[LabPage, str, Mapping[str, Any]], Awaitable[None]]
Veil = Callable[[UUID, str], frozenset[str]]
Handler = Callable[[LabPage, Mapping[str, Any]], Awaitable[None]]

_open: dict[UUID, list[LabPage]] = {}
_listeners: list[Listener] = []
_guards: list[Guard] = []
_gates: dict[str, Gate] = {}
_veils: list[Veil] = []
_handlers: dict[str, Handler] = {}


def listen(listener: Listener) -> None:
    """Hear of every act from now on."""
    _listeners.append(listener)


def guard(check: Guard) -> None:
    """`check(learner_id, action)` is asked before whatever a learner does, and may raise ApiError to refuse it."""
    _guards.append(check)


def gate(action: str, check: Gate) -> None:
    """As `guard`, for one action of a page and what only the database knows: `await check(page, action, message)` may raise ApiError."""
    _gates[action] = check


def veil(find: Veil) -> None:
    """`find(learner_id, lesson)` names the exercises of which nothing may be given away just now. It may ask the database."""
    _veils.append(find)


def handle(action: str, handler: Handler) -> None:
    """A message of this action from a page goes to `handler`. Labs' own actions come first."""
    _handlers[action] = handler


def pages(learner_id: UUID) -> list[LabPage]:
    """The pages that a learner has open, the one opened last at the end."""
    return list(_open.get(learner_id, ()))


def show(learner_id: UUID, html: str) -> None:
    """Send fragments to every page that a learner has open."""
    for page in pages(learner_id):
        page.show(html)


# ---- called by the pages

def enter(page: LabPage) -> None:
    _open.setdefault(page.learner_id, []).append(page)
    tell(page, "opened")


def leave(page: LabPage) -> None:
    """The page is closed. Harmless for one that never entered."""
    own = _open.get(page.learner_id, [])
    if page in own:
        own.remove(page)
        if not own:
            del _open[page.learner_id]
        tell(page, "closed")


def tell(page: LabPage, kind: str, **facts: Any) -> None:
    if not _listeners:
        return
    act = Act(page, kind, facts)
    for listener in _listeners:
        try:
            listener(act)
        except Exception:  # who listens must not harm who acts
            logger.exception("A listener failed at %r", kind)


async def check(page: LabPage, action: str, message: Mapping[str, Any]) -> None:
    """Raises ApiError when somebody forbids the act just now."""
    permit(page.learner_id, action)
    if action in _gates:
        await _gates[action](page, action, message)


def permit(learner_id: UUID, action: str) -> None:
    """The same for a learner who acts from elsewhere than a page. Raises ApiError."""
    for asked in _guards:
        asked(learner_id, action)


def veiled(learner_id: UUID, lesson: str) -> frozenset[str]:
    """The exercises of a lesson whose hints, solution and reasons a learner may not see just now. Synchronous, with a query."""
    return frozenset().union(*(find(learner_id, lesson) for find in _veils))


def veil_changed(learner_id: UUID) -> None:
    """What is veiled for a learner may be different from now on: their open pages look again."""
    for page in pages(learner_id):
        page.veil_changed()


def handler(action: str) -> Handler | None:
    return _handlers.get(action)
