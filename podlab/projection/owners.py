"""The wishes: controllers with what they want beside what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podlab.kubernetes.objects import EMPTY, Map, dig

from .pods import Pod, controller
from .view import View

REVISION = "deployment.kubernetes.io/revision"
# Owners that stand on the board, in their order; ReplicaSets and Jobs with an owner stand inside its card.
PLURALS = ("deployments", "statefulsets", "daemonsets", "replicasets", "replicationcontrollers", "cronjobs", "jobs")


@dataclass(frozen=True, slots=True)
class Owner:
    """A controller. `dots` are the looks of its Pods, oldest first, then "missing" up to `want`."""

    ref: str
    kind: str  # plural
    name: str
    want: int | None  # None where it wants no number (CronJob)
    ready: int
    dots: tuple[str, ...]
    note: str  # Korean: what it is at, "" at rest
    image: str
    revision: str
    children: tuple[Owner, ...]
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns what: by uid of the owner, its ref, the ref of the card it stands in, and a ReplicaSet's revision."""

    ref: Mapping[str, str]
    root: Mapping[str, str]
    revision: Mapping[str, str]

    def of(self, pod: Map) -> tuple[str, str, str]:
        """(owner's ref, root's ref, revision) of a Pod; empty for a bare one."""
        owner = controller(pod)
        if owner is None:
            return "", "", ""
        uid = owner["uid"]
        plural = {"ReplicaSet": "replicasets", "Job": "jobs"}.get(owner["kind"], owner["kind"].lower() + "s")
        ref = self.ref.get(uid) or f"{plural}/{pod['metadata'].get('namespace', 'default')}/{owner['name']}"
        return ref, self.root.get(uid) or ref, self.revision.get(uid, "")


def ref_of(plural: str, obj: Mapping[str, Any]) -> str:
    """`deployments/default/web`; `nodes/node-1` for what lives in no namespace."""
    meta = obj["metadata"]
    return "/".join(filter(None, (plural, meta.get("namespace"), meta["name"])))


def ownership(view: View) -> Ownership:
    refs: dict[str, str] = {}
    roots: dict[str, str] = {}
    revisions: dict[str, str] = {}
    for plural in PLURALS:
        for obj in view.objects(plural):
            refs[obj["metadata"].get("uid", "")] = ref_of(plural, obj)
    live: dict[str, list[Map]] = {}
    for plural in ("replicasets", "jobs"):
        for obj in view.objects(plural):
            owner = controller(obj)
            if owner and owner["uid"] in refs:
                roots[obj["metadata"]["uid"]] = refs[owner["uid"]]
                if dig(obj, "status.replicas", 0) or dig(obj, "spec.replicas", 0):
                    live.setdefault(owner["uid"], []).append(obj)
    for sets in live.values():  # a revision is worth saying only while there are two
        if len(sets) > 1:
            revisions.update((s["metadata"]["uid"], dig(s, "metadata.annotations", EMPTY).get(REVISION, "")) for s in sets)
    return Ownership(refs, roots, revisions)


def build_owners(view: View, pods: Sequence[Pod], shown: frozenset[str] | None, goals: Mapping[str, str]) -> tuple[Owner, ...]:
    """The cards, in the order of PLURALS, then of creation.

    `shown` are the namespaces, None for all; `goals` are ref -> met or unmet.
    """
    by_owner: dict[str, list[Pod]] = {}
    for pod in sorted(pods, key=lambda p: (p.created, p.name)):
        by_owner.setdefault(pod.owner, []).append(pod)
    children: dict[str, list[Map]] = {}
    tops: list[tuple[str, Map]] = []
    known = {obj["metadata"].get("uid") for plural in PLURALS for obj in view.objects(plural)}
    for plural in PLURALS:
        for obj in view.objects(plural):
            if shown is not None and obj["metadata"].get("namespace", "default") not in shown:
                continue
            owner = controller(obj)
            if owner and owner["uid"] in known:
                children.setdefault(owner["uid"], []).append(obj)
            else:
                tops.append((plural, obj))
    scalers = {
        (dig(h, "spec.scaleTargetRef.kind"), h["metadata"].get("namespace"), dig(h, "spec.scaleTargetRef.name")): h
        for h in view.objects("horizontalpodautoscalers")
    }
    out = []
    for plural, obj in tops:
        kids = children.get(obj["metadata"].get("uid", ""), [])
        parts = tuple(_child("replicasets" if plural == "deployments" else "jobs", kid, by_owner) for kid in _worth(plural, kids))
        mine = by_owner.get(ref_of(plural, obj), []) + [
            p for kid in kids for p in by_owner.get(ref_of("replicasets" if plural == "deployments" else "jobs", kid), [])
        ]
        scaler = scalers.get((obj.get("kind"), obj["metadata"].get("namespace"), obj["metadata"]["name"]))
        out.append(
            _card(plural, obj, sorted(mine, key=lambda p: (p.created, p.name)), parts, scaler, goals.get(ref_of(plural, obj), ""))
        )
    return tuple(out)


def _worth(plural: str, kids: list[Map]) -> list[Map]:
    """The children that a card names: ReplicaSets with Pods while there are two, the last three Jobs of a CronJob."""
    if plural == "deployments":
        live = [k for k in kids if dig(k, "status.replicas", 0) or dig(k, "spec.replicas", 0)]
        live.sort(key=lambda k: int(dig(k, "metadata.annotations", EMPTY).get(REVISION) or 0), reverse=True)
        return live if len(live) > 1 else []
    return kids[-3:] if plural == "cronjobs" else []


def _child(plural: str, obj: Map, by_owner: Mapping[str, list[Pod]]) -> Owner:
    return _card(plural, obj, by_owner.get(ref_of(plural, obj), []), (), None, "")


def _card(plural: str, obj: Map, pods: Sequence[Pod], children: tuple[Owner, ...], scaler: Map | None, goal: str) -> Owner:
    want, ready, note = _numbers(plural, obj)
    if scaler is not None:
        note = f"HPA {dig(scaler, 'spec.minReplicas', 1)}~{dig(scaler, 'spec.maxReplicas', 1)}개" + (f" · {note}" if note else "")
    dots = [p.look for p in pods if p.look != "terminating"]
    if plural == "jobs":
        dots = [d for d in dots if d != "failed"] + ["failed"] * dots.count("failed")
    if plural != "cronjobs":
        dots += ["missing"] * max((want or 0) - len([d for d in dots if d != "failed"]), 0)
    dots += ["terminating"] * sum(p.look == "terminating" for p in pods)
    template = dig(obj, "spec.jobTemplate.spec.template.spec" if plural == "cronjobs" else "spec.template.spec", EMPTY)
    return Owner(
        ref=ref_of(plural, obj),
        kind=plural,
        name=obj["metadata"]["name"],
        want=want,
        ready=ready,
        dots=tuple(dots) if plural != "cronjobs" else (),
        note=note,
        image=dig(template, "containers.0.image", ""),
        revision=dig(obj, "metadata.annotations", EMPTY).get(REVISION, ""),
        children=children,
        goal=goal,
    )


def _numbers(plural: str, obj: Map) -> tuple[int | None, int, str]:
    """(want, ready, note)."""
    spec, status = obj.get("spec") or EMPTY, obj.get("status") or EMPTY
    ready: int = status.get("readyReplicas") or 0
    if plural == "daemonsets":
        want: int = status.get("desiredNumberScheduled") or 0
        return want, status.get("numberReady") or 0, _rolling(status.get("updatedNumberScheduled"), want)
    if plural == "jobs":
        return _job(spec, status)
    if plural == "cronjobs":
        return None, len(status.get("active") or ()), f"{spec.get('schedule', '')}" + (" · 멈춤" if spec.get("suspend") else "")
    replicas = spec.get("replicas")
    want = 1 if replicas is None else replicas
    if plural == "deployments":
        conditions = {c["type"]: c for c in status.get("conditions") or ()}
        if conditions.get("Progressing", EMPTY).get("reason") == "ProgressDeadlineExceeded":
            return want, ready, "진행 시한을 넘김"
        if spec.get("paused"):
            return want, ready, "굴리기 멈춤"
        updated = status.get("updatedReplicas") or 0
        note = f"굴리는 중 {updated}/{want}" if (status.get("replicas") or 0) > updated else ""
        return want, ready, note
    if plural == "statefulsets" and status.get("updateRevision") != status.get("currentRevision"):
        return want, ready, _rolling(status.get("updatedReplicas") or 0, want)
    return want, ready, ""


def _rolling(updated: int | None, want: int) -> str:
    return f"굴리는 중 {updated}/{want}" if updated is not None and updated < want else ""


def _job(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int, str]:
    done, failed = status.get("succeeded") or 0, status.get("failed") or 0
    want = spec.get("completions") or max(spec.get("parallelism") or 1, done)
    for condition in status.get("conditions") or ():
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed", "Suspended"):
            word = {"Complete": "끝남", "Failed": "실패", "Suspended": "멈춤"}[condition["type"]]
            reason = condition.get("reason") if condition["type"] == "Failed" else ""
            return want, done, word + (f" · {reason}" if reason else "")
    return want, done, f"실패 {failed}번" if failed else ""
