"""View -> Board: the cluster at one moment as plain frozen values, ready to be drawn, told or compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podlab.kubernetes import quantity
from podlab.kubernetes.objects import EMPTY, Map, dig
from podlab.kubernetes.scheduler.node_info import pod_requests
from podlab.kubernetes.selectors import selects_plain
from podlab.kubernetes.times import parse_rfc3339

from .owners import Owner, build_owners, ownership, ref_of
from .pods import Pod, build_pod
from .view import View

# node-monitor-grace-period (NodeMonitorGracePeriod, pkg/controller/nodelifecycle/config/v1alpha1/defaults.go)
NODE_GRACE_MS = 50_000
TRAFFIC_WINDOW_MS = 4_000  # how long a request stays on the picture


@dataclass(frozen=True, slots=True)
class Goal:
    """One wish of an exercise about one object: drawn at the object, or as a ghost where it is missing."""

    ref: str
    text: str
    met: bool


@dataclass(frozen=True, slots=True)
class Options:
    namespaces: tuple[str, ...] | None = None  # None: all but kube-*
    system: bool = False  # show kube-* too
    goals: tuple[Goal, ...] = ()


EVERYTHING = Options()  # of the learner's


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    ready: str  # True, False or Unknown: the Ready condition
    status: str  # kubectl's STATUS column
    cordoned: bool
    taints: tuple[str, ...]
    power: str  # on, off, silent, ...
    since: int | None  # of the power state, ms
    doom: tuple[str, int] | None  # (what comes next: "notready" or "evict", when in ms)
    cpu: int  # milli CPUs: allocatable, requested
    cpu_asked: int
    memory: int  # bytes
    memory_asked: int
    slots: int
    taken: int  # Pods on it, of all namespaces
    pods: tuple[Pod, ...]
    hidden: int  # Pods on it that are not shown

    @property
    def ref(self) -> str:
        return f"nodes/{self.name}"


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    namespace: str
    type: str
    ip: str  # "None" where headless
    ports: tuple[str, ...]  # "80", "80→8080", "80:30080"
    ready: tuple[str, ...]  # uids of the Pods that get its traffic
    waiting: tuple[str, ...]  # uids of the Pods that it selects and passes over
    selects: bool
    goal: str = ""

    @property
    def ref(self) -> str:
        return f"services/{self.namespace}/{self.name}"

    @property
    def headless(self) -> bool:
        return self.ip == "None"


@dataclass(frozen=True, slots=True)
class Request:
    t: int
    source: str  # pod uid, "outside" or "kubelet"
    target: str  # pod uid
    via: str  # ref of the Service, "" for none
    method: str
    path: str
    status: int
    ms: int
    trace: str  # the same for all hops of one request
    hop: int
    attempt: int  # of a proxy, from 1; 0: not a proxy's
    by: str  # containers at its two ends, "" where it is none
    at: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Board:
    """`now` and `traffic` take no part in equality: a picture does not change because time passes (the page ticks by itself)."""

    now: int = field(compare=False)
    start: int = field(compare=False)
    nodes: tuple[Node, ...]
    tray: tuple[Pod, ...]  # Pods on no node
    owners: tuple[Owner, ...]
    services: tuple[Service, ...]
    ghosts: tuple[Goal, ...]  # wished objects that do not exist
    goals: tuple[Goal, ...]
    traffic: tuple[Request, ...] = field(compare=False)

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(pod for node in self.nodes for pod in node.pods) + self.tray


def build(view: View, options: Options = EVERYTHING) -> Board:
    """The board of a cluster. Pods stand in the order of their creation, so that nobody's place changes without a reason."""
    namespaces = _namespaces(view, options)
    owned = ownership(view)
    goals = _goal_marks(options.goals)
    nodes = {n["metadata"]["name"]: n for n in view.objects("nodes")}
    silent = {name for name, node in nodes.items() if _ready(node) == "Unknown"}
    shown: dict[str, list[Pod]] = {}
    asked: dict[str, list[int]] = {}
    everyone = []
    for pod in view.objects("pods"):
        node = dig(pod, "spec.nodeName", "")
        if node and dig(pod, "status.phase") not in ("Succeeded", "Failed"):
            wanted = pod_requests(pod)
            sums = asked.setdefault(node, [0, 0, 0])
            sums[0], sums[1], sums[2] = sums[0] + wanted.cpu, sums[1] + wanted.memory, sums[2] + 1
        if namespaces is not None and pod["metadata"].get("namespace", "default") not in namespaces:
            continue
        owner, root, revision = owned.of(pod)
        box = build_pod(
            pod,
            _facts(view, pod),
            owner=owner,
            root=root,
            revision=revision,
            node_lost=node in silent,
            goal=goals.get(f"pods/{pod['metadata'].get('namespace')}/{pod['metadata']['name']}", ""),
        )
        shown.setdefault(node, []).append(box)
        everyone.append((pod, box))
    for boxes in shown.values():
        boxes.sort(key=lambda p: (p.created, p.name))
    homeless = [p for name in sorted(shown) if name not in nodes for p in shown[name]]  # no node yet, or one that is gone
    pods = [box for _, box in everyone]
    owners = build_owners(view, pods, namespaces, goals)
    services = tuple(_services(view, everyone, namespaces, goals))
    here = {p.ref for p in pods} | {o.ref for o in owners} | {s.ref for s in services} | {f"nodes/{name}" for name in nodes}
    return Board(
        now=view.now,
        start=view.start,
        owners=owners,
        services=services,
        goals=options.goals,
        nodes=tuple(
            _node(view, node, tuple(shown.get(name, ())), asked.get(name, [0, 0, 0])) for name, node in sorted(nodes.items())
        ),
        tray=tuple(homeless),
        ghosts=tuple(g for g in options.goals if g.ref not in here and not g.met and _is_ref(g.ref)),
        traffic=tuple(_request(t) for t in view.traffic(view.now - TRAFFIC_WINDOW_MS)),
    )


def _facts(view: View, pod: Map) -> Mapping[str, Any]:
    """The Pod's facts, with the port clashes that the network has recorded where the facts do not say them."""
    facts = view.facts(pod["metadata"].get("uid", ""))
    if "clashes" in facts or len(dig(pod, "spec.containers", ())) < 2:
        return facts
    down = {s["name"] for s in dig(pod, "status.containerStatuses", ()) if "running" not in (s.get("state") or EMPTY)}
    if not down:
        return facts
    clashes: dict[str, list[dict[str, Any]]] = {}
    for record_id in view.causes.latest(ref_of("pods", pod)):
        record = view.causes.record(record_id)
        if record is not None and record["rule"] == "network-port-in-use" and record["facts"].get("container") in down:
            clashes.setdefault(record["facts"]["container"], [record["facts"]])
    return {**facts, "clashes": clashes}


def _namespaces(view: View, options: Options) -> frozenset[str] | None:
    if options.namespaces is not None:
        return frozenset(options.namespaces)
    if options.system:
        return None
    names = {
        obj["metadata"].get("namespace", "default")
        for plural in ("pods", "services", "deployments")
        for obj in view.objects(plural)
    }
    names |= {
        obj["metadata"].get("namespace", "default")
        for plural in ("replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs", "replicationcontrollers")
        for obj in view.objects(plural)
    }
    return frozenset(name for name in names if not name.startswith("kube-"))


def _goal_marks(goals: Sequence[Goal]) -> dict[str, str]:
    marks: dict[str, str] = {}
    for goal in goals:
        if marks.get(goal.ref) != "unmet":
            marks[goal.ref] = "met" if goal.met else "unmet"
    return marks


def _is_ref(ref: str) -> bool:
    return ref.split("/")[0] in (
        "pods",
        "services",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
    )


def _ready(node: Map) -> str:
    for condition in dig(node, "status.conditions", ()):
        if condition["type"] == "Ready":
            return str(condition["status"])
    return "Unknown"


def _node(view: View, node: Map, pods: tuple[Pod, ...], asked: Sequence[int]) -> Node:
    name = node["metadata"]["name"]
    facts = view.node_facts(name)
    ready = _ready(node)
    cordoned = bool(dig(node, "spec.unschedulable"))
    room = dig(node, "status.allocatable") or dig(node, "status.capacity") or EMPTY
    power, since = facts.get("power") or "on", facts.get("since")
    taints = dig(node, "spec.taints", ())
    running = sum(p.phase not in ("Succeeded", "Failed") for p in pods)
    return Node(
        name=name,
        ready=ready,
        status=("Ready" if ready == "True" else "NotReady") + (",SchedulingDisabled" if cordoned else ""),
        cordoned=cordoned,
        taints=tuple(_taint(t) for t in taints),
        power=power,
        since=since,
        doom=_doom(ready, power, since, taints),
        cpu=quantity.milli(room.get("cpu")),
        cpu_asked=asked[0],
        memory=quantity.value(room.get("memory")),
        memory_asked=asked[1],
        slots=quantity.value(room.get("pods")),
        taken=asked[2],
        pods=pods,
        hidden=max(asked[2] - running, 0),
    )


def _taint(taint: Mapping[str, Any]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


# DefaultTolerationSeconds admission gives every Pod 300 s for not-ready and unreachable
# (defaultTolerationSeconds, plugin/pkg/admission/defaulttolerationseconds/admission.go)
EVICT_MS = 300_000


def _doom(ready: str, power: str, since: int | None, taints: Sequence[Mapping[str, Any]]) -> tuple[str, int] | None:
    """What will happen next to a node that has fallen silent."""
    if ready == "True":
        return ("notready", since + NODE_GRACE_MS) if power in ("off", "silent") and since is not None else None
    for taint in taints:
        if taint["effect"] == "NoExecute" and taint["key"].startswith("node.kubernetes.io/") and taint.get("timeAdded"):
            return "evict", parse_rfc3339(taint["timeAdded"]) + EVICT_MS
    return None


def _services(
    view: View, pods: Sequence[tuple[Map, Pod]], shown: frozenset[str] | None, goals: Mapping[str, str]
) -> list[Service]:
    ready: dict[tuple[str, str], set[str]] = {}
    for piece in view.objects("endpointslices"):
        meta = piece["metadata"]
        key = (meta.get("namespace", "default"), (meta.get("labels") or EMPTY).get("kubernetes.io/service-name", ""))
        for endpoint in piece.get("endpoints") or ():
            if dig(endpoint, "conditions.ready", True) and dig(endpoint, "targetRef.uid"):
                ready.setdefault(key, set()).add(endpoint["targetRef"]["uid"])
    out = []
    for service in view.objects("services"):
        meta, spec = service["metadata"], service.get("spec") or EMPTY
        namespace = meta.get("namespace", "default")
        if (shown is not None and namespace not in shown) or (namespace, meta["name"]) == ("default", "kubernetes"):
            continue
        served = ready.get((namespace, meta["name"]), set())
        chosen = [
            box for pod, box in pods if box.namespace == namespace and selects_plain(spec.get("selector"), meta_labels(pod))
        ]
        out.append(
            Service(
                name=meta["name"],
                namespace=namespace,
                type=spec.get("type") or "ClusterIP",
                ip=spec.get("clusterIP") or "",
                ports=tuple(_port(p) for p in spec.get("ports") or ()),
                ready=tuple(box.uid for _, box in pods if box.uid in served),
                waiting=tuple(p.uid for p in chosen if p.uid not in served),
                selects=bool(spec.get("selector")),
                goal=goals.get(f"services/{namespace}/{meta['name']}", ""),
            )
        )
    return out


def meta_labels(obj: Map) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or EMPTY


def _port(port: Mapping[str, Any]) -> str:
    target = port.get("targetPort")
    text = str(port.get("port", ""))
    if port.get("nodePort"):
        text += f":{port['nodePort']}"
    return text if target in (None, port.get("port")) else f"{text}→{target}"


def _request(told: Mapping[str, Any]) -> Request:
    return Request(
        told["t"],
        told["from"],
        told["to"],
        f"services/{told['via']}" if told.get("via") else "",
        told.get("method") or "",
        told.get("path") or "",
        told.get("status") or 0,
        told.get("ms") or 0,
        told.get("trace", ""),
        told.get("hop", 0),
        told.get("try", 0),
        told.get("by", ""),
        told.get("at", ""),
        "tls" in told,
    )
