"""What happens exactly once to each of many clusters: faults and resets that a teacher sends.

A directive is stored with its targets before anything happens. Each delivery is one turn of one cluster: its journal entries and a
Delivered row are written in one transaction, so that a server that is killed half-way goes on with those who have none, and nobody gets
it twice. Who has no cluster of the lesson, or nothing there that could break, is noted with the reason.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from podlab.classroom import teams
from podlab.classroom.models import Classroom, Delivered, Directive
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import ADMIN
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.objects import dig
from podlab.labs import audience, limits, panels, rewind
from podlab.labs.live import CLUSTERS, LiveCluster
from podlab.labs.models import Cluster, Learner
from podlab.labs.storage import Fenced

logger = logging.getLogger(__name__)

TRIES = 3  # deliveries to a cluster that another process holds or that fails, before it waits for the next start
FACTOR = 20  # how much slower a slow registry is


class Nothing(Exception):
    """There is nothing in this cluster that the directive could change; the text says what is missing."""


Entries = list[dict[str, Any]]


def _nodes(engine: Engine, payload: dict[str, Any]) -> list[str]:
    """The nodes meant: one by name, or all."""
    names = [node["metadata"]["name"] for node in engine.etcd.list("nodes")]
    wanted = [name for name in names if payload.get("node") in (None, "", name)]
    if not wanted:
        raise Nothing(f"노드 {payload.get('node')}이(가) 없습니다.")
    return wanted


def _power(engine: Engine, payload: dict[str, Any]) -> Entries:
    return [{"do": "fault", "node": node, "power": payload["power"]} for node in _nodes(engine, payload)]


def _fill(engine: Engine, payload: dict[str, Any]) -> Entries:
    return [{"do": "fault", "node": node, "fill": payload["fill"], "percent": payload["percent"]} for node in _nodes(engine, payload)]


def _registry(engine: Engine, payload: dict[str, Any]) -> Entries:
    how = {"slow": FACTOR} if payload["registry"] == "slow" else {"broken": True} if payload["registry"] == "broken" else {}
    return [{"do": "fault", "node": node, "registry": "*", **how} for node in _nodes(engine, payload)]


def _kill(engine: Engine, payload: dict[str, Any]) -> Entries:
    """The first process of the first app container of the first running Pod, by name: the same for all who stand at the same place."""
    for pod in sorted(engine.etcd.list("pods", "default"), key=lambda pod: str(pod["metadata"]["name"])):
        for status in dig(pod, "status.containerStatuses", ()):
            if "running" in (status.get("state") or {}):
                return [{"do": "fault", "pod": f"default/{pod['metadata']['name']}", "container": status["name"], "signal": "KILL"}]
    raise Nothing("돌고 있는 컨테이너가 없습니다.")


def _image(engine: Engine, payload: dict[str, Any]) -> Entries:
    """The first Deployment, by name, gets an image that no registry has."""
    for found in sorted(engine.etcd.list("deployments", "default"), key=lambda one: str(one["metadata"]["name"])):
        container = found["spec"]["template"]["spec"]["containers"][0]
        broken = container["image"].split("@")[0].rsplit(":", 1)[0] + ":no-such-tag"
        body = {"spec": {"template": {"spec": {"containers": [{"name": container["name"], "image": broken}]}}}}
        return [{"do": "request", "verb": "patch", "resource": "deployments", "namespace": "default", "name": found["metadata"]["name"],
                 "body": body, "options": {"type": "strategic"}, "user": ADMIN}]
    raise Nothing("디플로이먼트가 없습니다.")


KINDS: dict[str, tuple[Callable[[Engine, dict[str, Any]], Entries] | None, str]] = {
    "power": (_power, "선생님이 노드의 전원을 바꾸었습니다."),
    "fill": (_fill, "선생님이 노드의 디스크나 메모리를 채웠습니다."),
    "registry": (_registry, "선생님이 이미지 저장소를 바꾸었습니다."),
    "kill": (_kill, "선생님이 컨테이너의 프로세스를 죽였습니다."),
    "image": (_image, "선생님이 이미지를 바꾸었습니다."),
    "reset": (None, "선생님이 이 단원의 처음으로 돌려놓았습니다."),
}


def read(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(kind, payload) of a teacher's message, checked. Raises ApiError."""
    kind = limits.text(message.get("kind"), 20)
    if kind not in KINDS:
        raise limits.refuse("알 수 없는 고장입니다.")
    payload: dict[str, Any] = {}
    if message.get("node"):
        payload["node"] = limits.text(message["node"], 253)
    if kind == "power":
        payload["power"] = message.get("power")
        if payload["power"] not in limits.POWERS:
            raise limits.refuse("전원은 on, off, silent 가운데 하나입니다.")
    elif kind == "fill":
        payload |= {"fill": message.get("fill"), "percent": int(limits.number(message.get("percent", 95)))}
        if payload["fill"] not in ("disk", "memory") or not 0 <= payload["percent"] <= 100:
            raise limits.refuse("무엇을 얼마나 채울지 알 수 없습니다.")
    elif kind == "registry":
        payload["registry"] = message.get("registry")
        if payload["registry"] not in ("slow", "broken", "well"):
            raise limits.refuse("저장소는 slow, broken, well 가운데 하나입니다.")
    return kind, payload


def store(classroom: Classroom, lesson: str, kind: str, payload: dict[str, Any], targets: list[UUID]) -> Directive:
    """Write the directive down. From now on it will happen, whatever happens to this process. A team has one cluster: it gets it once."""
    owners = teams.owners(classroom, lesson)
    targets = list(dict.fromkeys(owners.get(target, target) for target in targets))
    return Directive.objects.create(classroom=classroom, lesson=lesson, kind=kind, payload=json.dumps(payload, ensure_ascii=False),
                                    targets=json.dumps([str(target) for target in targets]))


def waiting(directive: Directive) -> list[UUID]:
    """Targets to whom it has not happened yet."""
    done = set(directive.delivered.values_list("learner_id", flat=True))
    alive = set(Learner.objects.filter(pk__in=json.loads(directive.targets)).values_list("pk", flat=True))
    return [target for target in map(UUID, json.loads(directive.targets)) if target in alive and target not in done]


def missed(directive: Directive) -> int:
    """To how many nothing happened, because there was nothing in their cluster (or no cluster) that could."""
    return directive.delivered.exclude(outcome="").count()


async def carry_out(directive: Directive) -> int:
    """Deliver to everybody who waits. Returns to how many it could not be brought (the next start tries them again)."""
    failed = 0
    for learner_id in await CLUSTERS.writer.call(waiting, directive):
        for attempt in range(1, TRIES + 1):
            try:
                await _deliver(directive, learner_id)
                break
            except Fenced:
                await asyncio.sleep(0.05 * attempt)
            except Exception:
                logger.exception("Directive %s could not be brought to learner %s", directive.pk, learner_id)
                await asyncio.sleep(0.05 * attempt)
        else:
            failed += 1
        await asyncio.sleep(0)
    return failed


async def _deliver(directive: Directive, learner_id: UUID) -> None:
    row = Delivered(directive=directive, learner_id=learner_id)
    cluster_id = await CLUSTERS.writer.call(_cluster_of, learner_id, directive.lesson)
    if cluster_id is None:
        row.outcome = "이 단원의 클러스터가 아직 없습니다."
        await CLUSTERS.writer.call(_note, row)
        return
    live = await CLUSTERS.get(cluster_id)
    make, told = KINDS[directive.kind]
    try:
        async with live.turn():
            if await CLUSTERS.writer.call(_has, directive.pk, learner_id):
                return
            if make is None:
                await rewind.reset(live, directive.lesson, row)
            else:
                _apply(live, make(live.engine, json.loads(directive.payload)), row)
    except Nothing as nothing:
        row.outcome = str(nothing)
        await CLUSTERS.writer.call(_note, row)
        return
    for person in (learner_id, *map(UUID, live.people)):
        for page in audience.pages(person):
            if page.lesson == directive.lesson:
                page.show(panels.notice(told, "warn"))


def _apply(live: LiveCluster, entries: Entries, row: Delivered) -> None:
    """All of a turn's rows go into one transaction; the Delivered row goes with the first."""
    also: Delivered | None = row
    for entry in entries:
        try:
            live.apply(entry, also)
        except ApiError as refusal:  # refusals stand in the journal too
            row.outcome = refusal.message[:200]
        also = None


async def resume() -> None:
    """What a server that was stopped had not finished. Beside the reconciler, once."""
    for directive in await CLUSTERS.writer.call(_unfinished):
        await carry_out(directive)


def _unfinished() -> list[Directive]:
    recent = Directive.objects.filter(classroom__closed=None).select_related("classroom").order_by("-id")[:200]
    return [directive for directive in reversed(recent) if waiting(directive)]


def _cluster_of(learner_id: UUID, lesson: str) -> int | None:
    return Cluster.objects.filter(learner_id=learner_id, lesson=lesson).values_list("id", flat=True).first()


def _has(directive_id: int, learner_id: UUID) -> bool:
    return Delivered.objects.filter(directive_id=directive_id, learner_id=learner_id).exists()


def _note(row: Delivered) -> None:
    Delivered.objects.get_or_create(directive_id=row.directive_id, learner_id=row.learner_id, defaults={"outcome": row.outcome})
