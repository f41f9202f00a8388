"""왜?: the chain of causes of an object's present state, newest first, each line naming who acted and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .board import Board, Node, Options, Service, build
from .korean import clock, josa, kind
from .owners import Owner, ref_of
from .pods import Container, Pod
from .reasons import actor, quiet, severity, tell
from .standing import Standing, of_node, of_owner, of_pod, of_service
from .view import View

LINES = 9  # a chain longer than this keeps its newest lines and its origin


@dataclass(frozen=True, slots=True)
class Line:
    t: str  # "1:30" since the cluster began; "" for what stands now
    at: int | None  # ms
    who: str
    text: str
    severity: str  # info, good, warn or bad
    ref: str  # the object it touched, "" for none
    rule: str  # "" for what stands


@dataclass(frozen=True, slots=True)
class WhyChain:
    headline: str
    ref: str
    container: str
    lines: tuple[Line, ...]


def why(view: View, ref: str, container: str = "", board: Board | None = None) -> WhyChain:
    """The chain of `pods/default/web` (or of one of its containers). A board already built saves building it again."""
    board = board or build(view, Options(system=True))
    thing = _find(board, ref)
    spoken_for = _spoken_for(thing, container) if isinstance(thing, Pod) else None
    recorded = records(view, ref, spoken_for.name if spoken_for is not None else container)
    told = frozenset(record["rule"] for record in recorded)
    lines = [Line("", None, who, text, mood, ref, "") for who, text, mood in _standing(board, thing, container, told)]
    lines += [_line(record, view.start) for record in recorded]
    return WhyChain(headline(thing, ref, container), ref, container, tuple(lines))


def records(view: View, ref: str, container: str = "") -> list[Mapping[str, Any]]:
    """The records that explain an object, newest first: its own last acts, and what each answered, back to a person's request."""
    causes = view.causes
    own = [r for r in (causes.record(i) for i in causes.latest(ref)) if r is not None]
    own += [
        r
        for other, component in related(view, ref)
        for r in map(causes.record, causes.latest(other))
        if r is not None and r.get("component") == component
    ]
    own.sort(key=lambda r: (r["at"], r["id"]), reverse=True)
    loud = [r for r in own if not quiet(r) and _concerns(r, ref, container)] or own
    ends = [r for r in reversed(loud) if r.get("rule") == "kubelet-container-exited"]
    ended = {_container_of(r): (r["at"], r["id"]) for r in ends}  # each container's latest end
    chosen: dict[Any, Mapping[str, Any]] = {}
    told: set[tuple[Any, ...]] = set()
    for record in loud:
        if len(chosen) >= LINES * 2:
            break
        step: Mapping[str, Any] | None = record
        while step is not None and step["id"] not in chosen:
            kind_of_act = (step.get("rule"), step.get("object"), _container_of(step))
            start = step.get("rule") == "kubelet-container-started"
            idle = start and (step["at"], step["id"]) < ended.get(_container_of(step), (0, 0))  # its end says more
            if (
                not quiet(step) and not idle and _concerns(step, ref, container) and kind_of_act not in told
            ):  # the tenth restart is told once, with the newest times
                told.add(kind_of_act)
                chosen[step["id"]] = step
            because = step.get("because")
            step = causes.record(because) if because is not None else None
    found = sorted(chosen.values(), key=lambda r: (r["at"], r["id"]), reverse=True) or loud[:1]
    return found if len(found) <= LINES else found[: LINES - 1] + found[-1:]


def _container_of(record: Mapping[str, Any]) -> str | None:
    return (record.get("facts") or {}).get("container")


def _concerns(record: Mapping[str, Any], ref: str, container: str) -> bool:
    """Whether a link of the chain is about what was asked: not another Pod's business, nor another container's."""
    about = record.get("object") or ref
    if about == ref:
        return not container or _container_of(record) in (None, container)
    if not about.startswith("pods/"):
        return True
    return not ref.startswith("pods/") and str(record.get("component")).endswith("-controller")


# What a controller does for an object shows at another one: (plural of that other, the controller)
WORKS_AT = {
    "deployments": ("replicasets", "deployment-controller"),
    "replicasets": ("pods", "replicaset-controller"),
    "statefulsets": ("pods", "statefulset-controller"),
    "daemonsets": ("pods", "daemonset-controller"),
    "jobs": ("pods", "job-controller"),
    "cronjobs": ("jobs", "cronjob-controller"),
    "replicationcontrollers": ("pods", "replication-controller"),
    "services": ("endpointslices", "endpoint-slice-controller"),
}


def related(view: View, ref: str) -> list[tuple[str, str]]:
    """(ref, controller) of the objects at which an object's controller works: a Deployment's ReplicaSets, a Service's slices."""
    plural, _, rest = ref.partition("/")
    namespace, _, name = rest.partition("/")
    if plural not in WORKS_AT:
        return []
    uid = next((o["metadata"].get("uid") for o in view.objects(plural, namespace) if o["metadata"]["name"] == name), None)
    other, component = WORKS_AT[plural]
    return [
        (ref_of(other, o), component)
        for o in view.objects(other, namespace)
        if uid is not None and any(owner["uid"] == uid for owner in o["metadata"].get("ownerReferences") or ())
    ]


def _line(record: Mapping[str, Any], start: int) -> Line:
    return Line(
        clock(record["at"] - start),
        record["at"],
        actor(record),
        tell(record),
        severity(record),
        record.get("object") or "",
        record.get("rule") or "",
    )


def _find(board: Board, ref: str) -> Pod | Node | Service | Owner | None:
    things: Sequence[Pod | Node | Service | Owner] = (
        *board.pods,
        *board.nodes,
        *board.services,
        *board.owners,
        *(child for owner in board.owners for child in owner.children),
    )
    return next((thing for thing in things if thing.ref == ref), None)


def _standing(board: Board, thing: Pod | Node | Service | Owner | None, container: str, told: frozenset[str]) -> list[Standing]:
    if isinstance(thing, Pod):
        return of_pod(board, thing, container, told)
    if isinstance(thing, Service):
        return of_service(thing, board)
    if isinstance(thing, Owner):
        return of_owner(thing, board.pods)
    return of_node(thing, board.now) if isinstance(thing, Node) else []


POD_QUESTIONS = {
    "pending": "왜 아직 노드에 놓이지 못했나요?",
    "creating": "왜 아직 시작하지 않았나요?",
    "pulling": "왜 아직 시작하지 않았나요?",
    "running": "왜 실행 중인가요?",
    "partial": "왜 일부만 준비되었나요?",
    "unready": "왜 준비되지 않았나요?",
    "backoff": "왜 자꾸 다시 시작하나요?",
    "pullfail": "왜 이미지를 받지 못하나요?",
    "blocked": "왜 시작하지 못하나요?",
    "done": "왜 끝났나요?",
    "failed": "왜 실패했나요?",
    "terminating": "왜 끝나고 있나요?",
    "unknown": "왜 상태를 알 수 없나요?",
}
CONTAINER_QUESTIONS = {
    **POD_QUESTIONS,
    "backoff": "왜 다시 시작을 기다리나요?",
    "queued": "왜 기다리고 있나요?",
    "starting": "왜 아직 시작하는 중인가요?",
    "failed": "왜 오류로 끝났나요?",
    "pending": "왜 아직 시작하지 않았나요?",
}


def headline(thing: Pod | Node | Service | Owner | None, ref: str, container: str = "") -> str:
    """The question that the object's present state raises: `web-b는 왜 다시 시작을 기다리나요?`"""
    if isinstance(thing, Pod):
        chosen = _spoken_for(thing, container)
        if chosen is not None:
            return f"{josa(chosen.name, '은/는')} {CONTAINER_QUESTIONS[chosen.look]}"
        return f"{josa(thing.name, '은/는')} {POD_QUESTIONS.get(thing.look, '왜 이런 상태인가요?')}"
    if isinstance(thing, Service):
        name = josa(f"서비스 {thing.name}", "은/는")
        return (
            f"{name} 왜 보낼 파드가 없나요?" if not thing.ready and thing.selects else f"{name} 왜 이 파드들에 요청을 보내나요?"
        )
    if isinstance(thing, Owner):
        name = josa(f"{kind(thing.kind)} {thing.name}", "은/는")
        short = thing.want is not None and thing.ready < thing.want
        return f"{name} 왜 {thing.ready}/{thing.want}인가요?" if short else f"{name} 무엇을 했나요?"
    if isinstance(thing, Node):
        silent = thing.power != "on" and thing.ready == "True"
        return f"노드 {josa(thing.name, '은/는')} 왜 {'소식이 없나요?' if silent else thing.status + '인가요?'}"
    plural, *_, name = ref.split("/")
    return f"{josa(f'{kind(plural)} {name}', '은/는')} 왜 이렇게 되었나요?"


def _spoken_for(pod: Pod, container: str) -> Container | None:
    """The container that was asked about, or the one that is the trouble of a Pod with several."""
    if container:
        return next((c for c in pod.containers if c.name == container), None)
    if pod.look == "partial" and len(pod.containers) > 1:
        return next((c for c in pod.containers if c.look in ("backoff", "pullfail", "blocked", "failed")), None)
    return None
