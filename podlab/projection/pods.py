"""One Pod as the board shows it: its containers, volumes, ports and the words of `kubectl get pods`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from podlab.kubernetes.apiserver.tables.pods import pod_summary
from podlab.kubernetes.objects import EMPTY, Map, dig, freeze, memo
from podlab.kubernetes.times import parse_rfc3339

from .words import BAD, LOOKS, REASONS, WAITING


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that is waited for: pull, backoff or create. Times in ms, `until` None where it is not known."""

    what: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Probe:
    kind: str  # liveness, readiness or startup
    ok: bool | None  # None: not yet run
    failures: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Port:
    port: int
    protocol: str
    address: str

    @property
    def local(self) -> bool:
        """Whether only this Pod's own containers can reach it."""
        return self.address.startswith("127.") or self.address in ("localhost", "::1")


@dataclass(frozen=True, slots=True)
class Clash:
    """A port that a container wanted and another already had. `holder` is that container, or "" where nobody knows."""

    port: int
    protocol: str
    holder: str


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    kind: str  # init, sidecar, app or ephemeral
    image: str
    look: str
    reason: str  # the API's waiting or terminated reason, "" while it runs well
    message: str
    restarts: int
    ready: bool
    exit_code: int | None  # of the present end, or of the last one while it waits
    exit_reason: str
    wait: Wait | None
    probes: tuple[Probe, ...]
    ports: tuple[Port, ...]
    clashes: tuple[Clash, ...]
    mounts: tuple[str, ...]  # names of the volumes it sees

    @property
    def word(self) -> str:
        """The state in Korean."""
        if self.look in ("blocked", "pullfail") and self.wait is None and self.reason in REASONS:
            return REASONS[self.reason]
        if self.look == "failed":
            return REASONS.get(self.reason, LOOKS["failed"])
        return LOOKS[self.look]


@dataclass(frozen=True, slots=True)
class Volume:
    name: str
    type: str  # emptyDir, configMap, secret, persistentVolumeClaim, ...
    source: str  # the name of what it comes from, "" for emptyDir
    files: int | None
    bytes: int | None
    mounted_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pod:
    uid: str
    name: str
    namespace: str
    phase: str
    status: str  # kubectl's STATUS column
    ready: int
    of: int
    look: str
    ip: str
    node: str
    created: int
    restarts: int
    owner: str  # ref of the controlling owner, "" for a bare Pod
    root: str  # ref of the owner's owner where there is one, else owner
    revision: str  # of its ReplicaSet, "" where that is of no interest
    reason: str  # why it is not placed, or failed: the API's reason
    message: str
    deadline: int | None  # ms of the forced kill while terminating
    deleting_since: int | None
    node_lost: bool  # its node does not report: what is shown is the last that was known
    host_network: bool
    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...]
    goal: str = field(default="")  # "", "met" or "unmet"

    @property
    def ref(self) -> str:
        return f"pods/{self.namespace}/{self.name}"

    @property
    def troubled(self) -> bool:
        return self.look in BAD or any(c.look in BAD for c in self.containers)


def column(pod: Map) -> tuple[int, int, str, int]:
    """(ready, containers, STATUS, restarts) as `kubectl get pods` prints them, remembered on the object."""
    ready, of, status, restarts, _ = memo(pod, "projection-column", pod_summary)
    return ready, of, status, restarts


def controller(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The owner reference that manages the object."""
    owners: tuple[Mapping[str, Any], ...] = dig(obj, "metadata.ownerReferences", ())
    return next((owner for owner in owners if owner.get("controller")), None)


ANY = "0.0.0.0"  # noqa: S104  an address inside the simulated network


def build_pod(
    pod: Map,
    facts: Mapping[str, Any],
    *,
    root: str = "",
    owner: str = "",
    revision: str = "",
    node_lost: bool = False,
    goal: str = "",
) -> Pod:
    """The Pod as shown. `facts` are View.facts; owners come from the board, which knows them all.

    The last answer is kept on the object: most Pods of a cluster have not changed since the last render.
    """
    kept: dict[str, tuple[Any, Pod]] = memo(pod, "projection-pod", _nothing_yet)
    question = (facts, root, owner, revision, node_lost, goal)
    if "last" in kept and kept["last"][0] == question:
        return kept["last"][1]
    answer = _pod(pod, facts, root=root, owner=owner, revision=revision, node_lost=node_lost, goal=goal)
    kept["last"] = ((freeze(facts), *question[1:]), answer)
    return answer


def _nothing_yet(_: Map) -> dict[str, tuple[Any, Pod]]:
    return {}


def _pod(pod: Map, facts: Mapping[str, Any], *, root: str, owner: str, revision: str, node_lost: bool, goal: str) -> Pod:
    meta, spec, status = pod["metadata"], pod.get("spec") or EMPTY, pod.get("status") or EMPTY
    ready, of, text, restarts = column(pod)
    containers = tuple(_containers(pod, facts))
    deleted = dig(meta, "deletionTimestamp")
    deadline = (facts.get("deadline") or parse_rfc3339(deleted)) if deleted else None
    grace = meta.get("deletionGracePeriodSeconds") or 0
    reason, message = _trouble(status)
    return Pod(
        uid=meta.get("uid", ""),
        name=meta["name"],
        namespace=meta.get("namespace", "default"),
        phase=status.get("phase") or "Pending",
        status=text,
        ready=ready,
        of=of,
        look=_pod_look(pod, containers, ready, of, node_lost),
        ip=status.get("podIP") or "",
        node=spec.get("nodeName") or "",
        created=_ms(meta.get("creationTimestamp")),
        restarts=restarts,
        owner=owner,
        root=root or owner,
        revision=revision,
        reason=reason,
        message=message,
        deadline=deadline,
        deleting_since=parse_rfc3339(deleted) - grace * 1000 if deleted else None,
        node_lost=node_lost,
        host_network=bool(spec.get("hostNetwork")),
        containers=containers,
        volumes=tuple(_volumes(spec, facts, containers)),
        goal=goal,
    )


def _ms(text: str | None) -> int:
    return parse_rfc3339(text) if text else 0


def _trouble(status: Mapping[str, Any]) -> tuple[str, str]:
    if status.get("reason"):
        return status["reason"], status.get("message") or ""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return condition.get("reason") or "", condition.get("message") or ""
    return "", ""


def _pod_look(pod: Map, containers: tuple[Container, ...], ready: int, of: int, node_lost: bool) -> str:
    phase = dig(pod, "status.phase", "Pending")
    if dig(pod, "metadata.deletionTimestamp"):
        return "terminating"
    if phase == "Failed":
        return "failed"
    if phase == "Succeeded":
        return "done"
    if node_lost or phase == "Unknown":
        return "unknown"
    if not dig(pod, "spec.nodeName"):
        return "pending"
    looks = [c.look for c in containers if c.kind != "ephemeral"]
    for bad in ("blocked", "pullfail", "backoff", "failed"):
        if bad in looks:
            return bad if ready == 0 or phase == "Pending" else "partial"
    if phase == "Pending":
        return "pulling" if "pulling" in looks else "creating"
    if all(c.look == "done" for c in containers if c.kind == "app"):
        return "done"
    if ready == of:
        gated = any(c["type"] == "Ready" and c["status"] != "True" for c in dig(pod, "status.conditions", ()))
        return "unready" if gated else "running"
    return "partial" if ready else "unready"


def _containers(pod: Map, facts: Mapping[str, Any]) -> list[Container]:
    spec, status = pod.get("spec") or EMPTY, pod.get("status") or EMPTY
    groups = (
        ("init", "initContainers", "initContainerStatuses"),
        ("app", "containers", "containerStatuses"),
        ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
    )
    out = []
    for kind, specs, statuses in groups:
        told = {s["name"]: s for s in status.get(statuses) or ()}
        for one in spec.get(specs) or ():
            sidecar = kind == "init" and one.get("restartPolicy") == "Always"
            out.append(
                _container(one, told.get(one["name"]) or EMPTY, "sidecar" if sidecar else kind, facts, bool(spec.get("nodeName")))
            )
    return out


def _container(spec: Mapping[str, Any], told: Mapping[str, Any], kind: str, facts: Mapping[str, Any], placed: bool) -> Container:
    name = spec["name"]
    state, last = told.get("state") or EMPTY, dig(told, "lastState.terminated") or EMPTY
    waiting, running, ended = state.get("waiting"), state.get("running"), state.get("terminated")
    wait = _wait(dig(facts, "waits", EMPTY).get(name))
    ready = bool(told.get("ready"))
    reason = (waiting or ended or EMPTY).get("reason") or ""
    if running is not None:
        look = "running" if ready or kind in ("init", "ephemeral") else "unready"
        if kind != "init" and told.get("started") is False and "startupProbe" in spec:
            look = "starting"
        wait = None
    elif ended:
        look = "failed" if ended.get("exitCode") else "done"
        if wait and wait.what == "backoff":
            look = "backoff"
    elif waiting:
        look = WAITING.get(reason, "creating")
        if look == "creating" and wait and wait.what == "pull":
            look = "pulling"
        elif look == "queued" and wait:
            look = {"pull": "pulling", "create": "creating"}.get(wait.what, look)
    else:
        look = "queued" if placed else "pending"
    end = ended or (last if not running else EMPTY)
    return Container(
        name=name,
        kind=kind,
        image=spec.get("image") or "",
        look=look,
        reason=reason,
        message=(waiting or ended or EMPTY).get("message") or "",
        restarts=told.get("restartCount", 0),
        ready=ready,
        exit_code=end.get("exitCode") if end else None,
        exit_reason=end.get("reason") or "" if end else "",
        wait=wait,
        probes=_probes(spec, dig(facts, "probes", EMPTY).get(name) or EMPTY, running is not None),
        ports=tuple(
            Port(p["port"], p.get("protocol") or "TCP", p.get("address") or ANY)
            for p in dig(facts, "ports", EMPTY).get(name) or ()
        )
        if running is not None
        else (),
        clashes=tuple(
            Clash(c["port"], c.get("protocol") or "TCP", c.get("holder") or "")
            for c in dig(facts, "clashes", EMPTY).get(name) or ()
        ),
        mounts=tuple(dict.fromkeys(m["name"] for m in spec.get("volumeMounts") or ())),
    )


def _wait(told: Mapping[str, Any] | None) -> Wait | None:
    return Wait(told["what"], told["since"], told.get("until")) if told else None


# Probe.failureThreshold (SetDefaults_Probe, pkg/apis/core/v1/defaults.go)
FAILURE_THRESHOLD = 3


def _probes(spec: Mapping[str, Any], told: Mapping[str, Any], running: bool) -> tuple[Probe, ...]:
    out = []
    for kind in ("startup", "liveness", "readiness"):
        probe = spec.get(kind + "Probe")
        if probe is not None:
            seen = (told.get(kind) if running else None) or EMPTY
            out.append(Probe(kind, seen.get("ok"), seen.get("failures") or 0, probe.get("failureThreshold") or FAILURE_THRESHOLD))
    return tuple(out)


SOURCE_NAMES = {
    "configMap": "name",
    "secret": "secretName",
    "persistentVolumeClaim": "claimName",
    "hostPath": "path",
    "nfs": "server",
}


def _volumes(spec: Mapping[str, Any], facts: Mapping[str, Any], containers: tuple[Container, ...]) -> list[Volume]:
    """The volumes that a manifest names; the token that every Pod gets is left out."""
    out = []
    for volume in spec.get("volumes") or ():
        name = volume["name"]
        if name.startswith("kube-api-access-"):
            continue
        type_ = next((key for key in volume if key != "name"), "emptyDir")
        source = (volume.get(type_) or EMPTY).get(SOURCE_NAMES.get(type_, "")) or ""
        seen = dig(facts, "volumes", EMPTY).get(name) or EMPTY
        files = seen.get("files")
        out.append(
            Volume(
                name,
                type_,
                str(source),
                len(files) if isinstance(files, (list, tuple)) else files,
                seen.get("bytes"),
                tuple(c.name for c in containers if name in c.mounts),
            )
        )
    return out
