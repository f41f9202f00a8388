"""The present state of what an exercise is about, in a few short lines beside the wanted state; and its wishes as marks in the diagram."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lessons.checks import Verdict
from lessons.schema import Condition
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.resources import BY_PLURAL
from podlab.projection.board import Board, Goal
from podlab.projection.korean import thing
from podlab.projection.owners import Owner
from podlab.projection.pods import Pod

LINES = 4
NAMED_IN_URL = re.compile(r"\{(pods/[^}]+)\}")


def refs(check: Any) -> Iterator[str]:
    """The objects that a check names, as `plural/namespace/name`, in its order."""
    if isinstance(check, str):
        return
    for form, value in check.items():
        if form in ("all", "any"):
            for one in value:
                yield from refs(one)
        elif form == "not":
            yield from refs(value)
        elif form in ("exists", "absent"):
            yield _whole(value)
        elif form in ("field", "length"):
            yield _whole(value["of"])
        elif form in ("ready", "stable", "listening", "log") and "name" in value:
            yield f"pods/{value.get('namespace', 'default')}/{value['name']}"
        elif form == "answers":
            yield from (_whole(ref) for ref in [*NAMED_IN_URL.findall(value["url"]), *([value["from"]] if "from" in value else [])])


def _whole(ref: str) -> str:
    parts = ref.split("/")
    return ref if len(parts) == 3 or not BY_PLURAL[parts[0]].namespaced else f"{parts[0]}/default/{parts[1]}"


def lines(cluster: Cluster, board: Board, conditions: Sequence[Condition]) -> list[str]:
    """What stands there now of the objects that the conditions name."""
    named = dict.fromkeys(ref for condition in conditions for ref in refs(condition.check))
    drawn: dict[str, Any] = {found.ref: found for found in (*board.pods, *board.owners, *board.services)}
    told = []
    for ref in named:
        plural, _, key = ref.partition("/")
        if ref in drawn:
            told.append(_line(ref, drawn[ref]))
        else:
            told.append(f"{thing(ref)}: {'있음' if cluster.etcd.get(plural, key) is not None else '없음'}")
    return told[:LINES]


def _line(ref: str, found: Any) -> str:
    if isinstance(found, Pod):
        ports = ", ".join(str(port.port) for container in found.containers for port in container.ports)
        return f"{thing(ref)}: {found.ready}/{found.of} {found.status}" + (f" · 포트 {ports}" if ports else "")
    if isinstance(found, Owner):
        return f"{thing(ref)}: " + ("있음" if found.want is None else f"{found.ready} / {found.want}")
    return f"{thing(ref)}: 준비된 파드 {len(found.ready)}개"


def goals(conditions: Sequence[Condition], verdicts: Sequence[Verdict]) -> tuple[Goal, ...]:
    """One mark at each object that a condition names first: met when all of its conditions hold, else the first that does not."""
    found: dict[str, Goal] = {}
    for condition, verdict in zip(conditions, verdicts, strict=True):
        ref = next(refs(condition.check), None)
        if ref is not None and (ref not in found or (found[ref].met and not verdict.ok)):
            found[ref] = Goal(ref, condition.text, verdict.ok)
    return tuple(found.values())
