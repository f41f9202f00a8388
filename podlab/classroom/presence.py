"""Whether there is any row of a kind at all: asked at every door of every learner, and mostly there is none.

When a class arrives each arrival would ask five such questions, half of what the database does for it. So an answer is remembered until a
row of the model is saved or deleted in this process, and for KEPT_SECONDS at most.
"""

from __future__ import annotations

import time
from collections import defaultdict
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models.signals import post_delete, post_save

KEPT_SECONDS = 1.0  # what another process has saved, or a statement for many rows, is noticed after this

Facts = tuple[tuple[str, Any], ...]

_answers: dict[type[models.Model], dict[Facts, tuple[bool, float]]] = {}
_changes: defaultdict[type[models.Model], int] = defaultdict(int)


def exists(model: type[models.Model], **facts: Any) -> bool:
    """Whether a row of `model` fits `facts` (as `filter` takes them; hashable)."""
    if model not in _answers:
        _answers[model] = {}
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=model)
    key = tuple(facts.items())
    found, at = _answers[model].get(key, (False, float("-inf")))
    if time.monotonic() - at > KEPT_SECONDS:
        before = _changes[model]
        found = model._default_manager.filter(**facts).exists()
        if _changes[model] == before:  # else a row was saved while this was asked
            _answers[model][key] = found, time.monotonic()
    return found


def _changed(sender: type[models.Model], **_: Any) -> None:
    _forget(sender)
    transaction.on_commit(partial(_forget, sender))  # who asks before the commit is told of what was before


def _forget(model: type[models.Model]) -> None:
    _changes[model] += 1
    _answers[model].clear()
