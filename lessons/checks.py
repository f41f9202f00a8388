"""The vocabulary in which lessons say what must be true of a cluster, and its evaluation. Pure: no Django.

    {exists: pods/web}  {absent: pods/web}
    {count: {kind: pods, labels: app=web, is: 3}}                        also at_least, at_most
    {field: {of: deployments/web, path: spec.replicas, is: 3}}           also not, contains, at_least; [name] picks from a list by name
    {length: {of: pods/web, path: spec.containers, is: 2}}
    {ready: {name: web}}  {ready: {labels: app=web, count: 3}}           every container of the Pods is ready
    {stable: {name: web, seconds: 20}}                                   all containers run, none restarted within that time
    {listening: {name: web, port: 8080, container: b}}                   some process of the Pod holds the port
    {log: {name: web, container: c, contains: text}}                     in the present or the previous life
    {answers: {from: pods/client, url: "http://web/", status: 200, body: text}}   also fails: true; from outside when `from` is left out
    {typed: "kubectl get .*-o wide"}                                     the learner has entered such a command since the step began
    {all: [...]}  {any: [...]}  {not: {...}}

Objects are `plural/name` in namespace default, or `plural/namespace/name`. What asks a question of the network is tried on a copy of the
cluster, so that looking changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podlab.kubernetes import selectors
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.resources import BY_PLURAL
from podlab.kubernetes.runtime import dns, http
from podlab.kubernetes.times import parse_rfc3339
from podlab.projection.korean import josa

Check = Mapping[str, Any]
ANSWER_WITHIN_MS = 5_000  # how long a checked request may take on the copy
MEMBERS: dict[str, tuple[set[str], set[str]]] = {  # form -> (required members, allowed members)
    "count": ({"kind"}, {"kind", "labels", "namespace", "is", "at_least", "at_most"}),
    "field": ({"of", "path"}, {"of", "path", "is", "not", "contains", "at_least"}),
    "length": ({"of", "path"}, {"of", "path", "is", "at_least"}),
    "ready": (set(), {"name", "labels", "namespace", "count"}),
    "stable": ({"seconds"}, {"name", "labels", "namespace", "seconds"}),
    "listening": ({"name", "port"}, {"name", "namespace", "port", "container"}),
    "log": ({"name", "contains"}, {"name", "namespace", "container", "contains"}),
    "answers": ({"url"}, {"from", "url", "status", "body", "fails"}),
}


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds; when not, `why` says in Korean what the cluster shows instead."""

    ok: bool
    why: str = ""


@dataclass
class World:
    """What a check may look at. `commands`: what the learner has entered since the step began."""

    cluster: Cluster
    commands: Sequence[str] = ()
    _copy: Cluster | None = field(default=None, repr=False)

    def copy(self) -> Cluster:
        """A cluster like this one that may be moved, shared by the checks of one look."""
        if self._copy is None:
            self._copy = Cluster.restore(json.loads(json.dumps(self.cluster.checkpoint())))
        return self._copy


def problems(check: Any) -> str:
    """What is wrong with a check's form, '' when nothing is. For the loader."""
    if not isinstance(check, Mapping) or len(check) != 1:
        return "check는 {exists: pods/web} 처럼 키가 하나인 맵입니다"
    (form, value), = check.items()
    if form in ("exists", "absent"):
        return _ref_problem(value)
    if form == "typed":
        return "" if isinstance(value, str) else "typed에는 정규식 문자열이 옵니다"
    if form in ("all", "any"):
        return next((found for one in value if (found := problems(one))), "") if isinstance(value, list) and value else f"{form}에는 목록이 옵니다"
    if form == "not":
        return problems(value)
    if form not in MEMBERS:
        return f"모르는 check {form!r}입니다. 쓸 수 있는 것: {', '.join(sorted(EVALUATE))}"
    required, allowed = MEMBERS[form]
    members = set(value) - {"__line__"} if isinstance(value, Mapping) else set()
    if not isinstance(value, Mapping) or not required <= members or not members <= allowed:
        return f"{form}의 키가 맞지 않습니다. 꼭 있어야 할 것: {', '.join(sorted(required)) or '없음'}; 쓸 수 있는 것: {', '.join(sorted(allowed))}"
    return _ref_problem(value["of"]) if "of" in value else ""


def _ref_problem(ref: Any) -> str:
    if not isinstance(ref, str) or ref.count("/") not in (1, 2):
        return "오브젝트는 pods/web 이나 pods/네임스페이스/web 꼴로 적습니다"
    return "" if ref.split("/")[0] in BY_PLURAL else f"{ref.split('/')[0]}(이)라는 종류가 없습니다 (복수형으로 적습니다)"


def evaluate(check: Check, world: World) -> Verdict:
    (form, value), = ((k, v) for k, v in check.items() if k != "__line__")
    return EVALUATE[form](value, world)


# ---- finding

def _find(world: World, ref: str) -> Map | None:
    parts = ref.split("/")
    resource = BY_PLURAL[parts[0]]
    namespace = parts[1] if len(parts) == 3 else "default"
    return world.cluster.etcd.get(parts[0], f"{namespace}/{parts[-1]}" if resource.namespaced else parts[-1])


def _pods(world: World, value: Check) -> list[Map]:
    namespace = value.get("namespace", "default")
    if "name" in value:
        pod = world.cluster.etcd.get("pods", f"{namespace}/{value['name']}")
        return [pod] if pod is not None else []
    pods = [pod for pod in world.cluster.etcd.list("pods", namespace) if "deletionTimestamp" not in pod["metadata"]]
    if "labels" in value:
        wanted = selectors.parse(value["labels"])
        pods = [pod for pod in pods if selectors.matches(wanted, pod["metadata"].get("labels") or {})]
    return pods


def _who(value: Check) -> str:
    return f"파드 {value['name']}" if "name" in value else f"레이블 {value['labels']}의 파드" if "labels" in value else "파드"


def _compare(found: Any, value: Check, what: str) -> Verdict:
    if "is" in value and found != value["is"]:
        return Verdict(False, f"{josa(what, '이/가')} 지금 {_text(found)}입니다. {_text(value['is'])}이어야 합니다")
    if "not" in value and found == value["not"]:
        return Verdict(False, f"{josa(what, '이/가')} 아직 {_text(found)}입니다")
    if "contains" in value and str(value["contains"]) not in (found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)):
        return Verdict(False, f"{what}에 {value['contains']}이(가) 없습니다")
    if "at_least" in value and not (isinstance(found, int) and found >= value["at_least"]):
        return Verdict(False, f"{josa(what, '이/가')} 지금 {_text(found)}입니다. 적어도 {value['at_least']}이어야 합니다")
    if "at_most" in value and not (isinstance(found, int) and found <= value["at_most"]):
        return Verdict(False, f"{josa(what, '이/가')} 지금 {_text(found)}입니다. 많아야 {value['at_most']}이어야 합니다")
    return Verdict(True)


def _text(value: Any) -> str:
    return "없음" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pick(obj: Any, path: str) -> Any:
    """The member at a dotted path; `containers[app]` picks from a list by name, `containers[0]` by number."""
    for step in re.findall(r"\[[^\]]+\]|[^.\[]+(?:/[^.\[]+)*", path):
        if step.startswith("["):
            key = step[1:-1]
            if not isinstance(obj, list):
                return None
            obj = obj[int(key)] if key.isdigit() and int(key) < len(obj) else next(
                (item for item in obj if isinstance(item, dict) and item.get("name") == key), None)
        else:
            obj = obj.get(step) if isinstance(obj, dict) else None
        if obj is None:
            return None
    return obj


# ---- the forms

def _exists(value: str, world: World) -> Verdict:
    found = _find(world, value)
    if found is None:
        return Verdict(False, f"{value}이(가) 아직 없습니다")
    return Verdict(False, f"{value}이(가) 지워지는 중입니다") if "deletionTimestamp" in found["metadata"] else Verdict(True)


def _absent(value: str, world: World) -> Verdict:
    return Verdict(True) if _find(world, value) is None else Verdict(False, f"{value}이(가) 아직 있습니다")


def _count(value: Check, world: World) -> Verdict:
    objects = _pods(world, value) if value["kind"] == "pods" else world.cluster.etcd.list(value["kind"], value.get("namespace", "default"))
    if value["kind"] != "pods" and "labels" in value:
        wanted = selectors.parse(value["labels"])
        objects = [obj for obj in objects if selectors.matches(wanted, obj["metadata"].get("labels") or {})]
    return _compare(len(objects), value, f"{BY_PLURAL[value['kind']].kind} 수")


def _field(value: Check, world: World) -> Verdict:
    obj = _find(world, value["of"])
    if obj is None:
        return Verdict(False, f"{value['of']}이(가) 아직 없습니다")
    return _compare(pick(obj, value["path"]), value, f"{value['of']}의 {value['path']}")


def _length(value: Check, world: World) -> Verdict:
    obj = _find(world, value["of"])
    if obj is None:
        return Verdict(False, f"{value['of']}이(가) 아직 없습니다")
    return _compare(len(pick(obj, value["path"]) or []), value, f"{value['of']}의 {value['path']} 수")


def _ready(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return Verdict(False, f"{_who(value)}가 아직 없습니다")
    waiting = [(pod, reason) for pod in pods if (reason := _unready(pod))]
    wanted = value.get("count", len(pods))
    ready = len(pods) - len(waiting)
    if ready >= wanted and ("count" in value or not waiting):
        return Verdict(True)
    if not waiting:
        return Verdict(False, f"준비된 파드가 {ready}개입니다. {wanted}개여야 합니다")
    pod, reason = waiting[0]
    return Verdict(False, f"{pod['metadata']['name']}: {reason}")


def _unready(pod: Map) -> str:
    """Why a Pod is not ready, '' when it is."""
    if any(c["type"] == "Ready" and c["status"] == "True" for c in dig(pod, "status.conditions", ())):
        return ""
    for status in (*dig(pod, "status.initContainerStatuses", ()), *dig(pod, "status.containerStatuses", ())):
        state = status.get("state") or {}
        reason = dig(state, "waiting.reason") or dig(state, "terminated.reason")
        if reason:
            code = dig(state, "terminated.exitCode", dig(status, "lastState.terminated.exitCode"))
            return f"컨테이너 {status['name']}이(가) {reason}" + (f" (종료 코드 {code})" if code is not None else "")
        if not status.get("ready"):
            return f"컨테이너 {status['name']}이(가) 아직 준비되지 않았습니다"
    return "아직 노드에 배치되지 않았습니다" if not pod["spec"].get("nodeName") else "아직 시작하지 않았습니다"


def _stable(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return Verdict(False, f"{_who(value)}가 아직 없습니다")
    for pod in pods:
        for status in dig(pod, "status.containerStatuses", ()):
            started = dig(status, "state.running.startedAt")
            if started is None:
                return Verdict(False, f"컨테이너 {status['name']}이(가) 실행 중이 아닙니다")
            seconds = (world.cluster.now - parse_rfc3339(started)) // 1000
            if seconds < value["seconds"]:
                return Verdict(False, f"컨테이너 {status['name']}이(가) 시작한 지 {seconds}초입니다. {value['seconds']}초가 지나야 합니다")
    return Verdict(True)


def _listening(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return Verdict(False, f"{_who(value)}가 아직 없습니다")
    ports = world.cluster.network.ports(pods[0]["metadata"]["uid"])
    for one in ports:
        if one["port"] == value["port"] and value.get("container", one["container"]) == one["container"]:
            return Verdict(True)
    held = ", ".join(f"{one['container']} {one['port']}" for one in ports) or "없음"
    return Verdict(False, f"{value['port']}번 포트를 여는 컨테이너가 없습니다. 지금 열린 포트: {held}")


def _log(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return Verdict(False, f"{_who(value)}가 아직 없습니다")
    pod = pods[0]
    if not pod["spec"].get("nodeName"):
        return Verdict(False, "아직 노드에 배치되지 않았습니다")
    kubelet = world.cluster.kubelet(pod["spec"]["nodeName"])
    names = [value["container"]] if "container" in value else [c["name"] for c in pod["spec"]["containers"]]
    for name in names:
        for previous in (False, True):
            try:
                lines = kubelet.logs(pod["metadata"]["uid"], name, previous=previous)
            except ApiError:
                continue  # it has no such life
            if any(value["contains"] in line.text for line in lines):
                return Verdict(True)
    return Verdict(False, f"로그에 {value['contains']!r}이(가) 없습니다")


def _answers(value: Check, world: World) -> Verdict:
    cluster = world.copy()
    source, namespace = "outside", "default"
    if "from" in value:
        pod = _find(world, value["from"])
        if pod is None or not dig(pod, "status.podIP"):
            return Verdict(False, f"{value['from']}이(가) 아직 실행 중이 아닙니다")
        source, namespace = pod["metadata"]["uid"], pod["metadata"]["namespace"]
    scheme, host, port, target = http.split_url(value["url"])
    _, addresses = dns.resolve(cluster, namespace, host)
    if not addresses:
        return Verdict(True) if value.get("fails") else Verdict(False, f"이름 {host}을(를) 찾을 수 없습니다")
    message = http.request("GET", target, host if port == 80 else f"{host}:{port}", [("Connection", "close")])
    result = ask(cluster, source, addresses[0], port, message.text())
    if value.get("fails"):
        return Verdict(True) if result.get("error") else Verdict(False, f"{value['url']}이(가) 아직 {result['status']}로 답합니다")
    if result.get("error"):
        words = {"ECONNREFUSED": "연결을 거절합니다 (connection refused)", "EHOSTUNREACH": "갈 길이 없습니다 (no route to host)"}
        return Verdict(False, f"{value['url']}: {words.get(result['error'], '응답이 없습니다')}")
    if "status" in value and result["status"] != value["status"]:
        return Verdict(False, f"{value['url']}이(가) {result['status']}로 답합니다. {value['status']}이어야 합니다")
    if "body" in value and value["body"] not in result["body"]:
        return Verdict(False, f"{value['url']}의 답에 {value['body']!r}이(가) 없습니다")
    return Verdict(True)


def ask(cluster: Cluster, source: str, address: str, port: int, message: str) -> dict[str, Any]:
    """One request on a cluster that may be moved; waits in virtual time."""
    answers: dict[str, Any] = cluster.network.state.setdefault("visits", {})
    answers["check"] = None
    cluster.network.request(source, address, port, message, ANSWER_WITHIN_MS, (cluster.network.name, "check"))
    end = cluster.now + ANSWER_WITHIN_MS + 1
    while answers["check"] is None and (due := cluster.clock.next_at()) is not None and due <= end:
        cluster.step()
    found: dict[str, Any] = answers.pop("check") or {"error": "timeout", "status": 0, "body": ""}
    return found


def _typed(value: str, world: World) -> Verdict:
    pattern = re.compile(value)
    return Verdict(True) if any(pattern.search(line) for line in world.commands) else Verdict(False, "아직 그 명령을 쓰지 않았습니다")


def _all(value: list[Check], world: World) -> Verdict:
    return next((verdict for one in value if not (verdict := evaluate(one, world)).ok), Verdict(True))


def _any(value: list[Check], world: World) -> Verdict:
    verdicts = [evaluate(one, world) for one in value]
    return next((verdict for verdict in verdicts if verdict.ok), verdicts[0])


def _not(value: Check, world: World) -> Verdict:
    return Verdict(False, "아직 그대로입니다") if evaluate(value, world).ok else Verdict(True)


EVALUATE: dict[str, Callable[[Any, World], Verdict]] = {
    "exists": _exists, "absent": _absent, "count": _count, "field": _field, "length": _length, "ready": _ready, "stable": _stable,
    "listening": _listening, "log": _log, "answers": _answers, "typed": _typed, "all": _all, "any": _any, "not": _not,
}
