"""Whether what a lesson wishes (forms.py) is true of a cluster, and in Korean why not. Pure: no Django.

What asks a question of the network is tried on a copy of the cluster, so that looking changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons.forms import POD_IP, Check
from podlab.kubernetes import selectors
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.resources import BY_PLURAL
from podlab.kubernetes.runtime import dns, http
from podlab.kubernetes.times import parse_rfc3339
from podlab.projection.korean import josa, kind, thing

ANSWER_WITHIN_MS = 5_000  # how long a checked request may take on the copy


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds; when not, `why` says in Korean what the cluster shows instead."""

    ok: bool
    why: str = ""


HOLDS = Verdict(True)


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


# ---- finding


def evaluate(check: Check, world: World) -> Verdict:
    """Look at a check that has no problems."""
    ((form, value),) = check.items()
    return EVALUATE[form](value, world)


def _find(world: World, ref: str) -> Map | None:
    parts = ref.split("/")
    namespace = parts[1] if len(parts) == 3 else "default"
    return world.cluster.etcd.get(parts[0], f"{namespace}/{parts[-1]}" if BY_PLURAL[parts[0]].namespaced else parts[-1])


def _missing(ref: str) -> Verdict:
    return Verdict(False, f"{josa(thing(ref), '이/가')} 아직 없습니다")


def _quoted(text: str, particles: str) -> str:
    return josa(f"'{text}'", particles)


def _pods(world: World, value: Check) -> list[Map]:
    """The Pods that a check means; those on their way out count only when they are meant by name."""
    namespace = value.get("namespace", "default")
    if "name" in value:
        pod = world.cluster.etcd.get("pods", f"{namespace}/{value['name']}")
        return [pod] if pod is not None else []
    return [pod for pod in _labelled(world, "pods", namespace, value) if "deletionTimestamp" not in pod["metadata"]]


def _labelled(world: World, plural: str, namespace: str, value: Check) -> list[Map]:
    found = world.cluster.etcd.list(plural, namespace if BY_PLURAL[plural].namespaced else None)
    if "labels" not in value:
        return found
    wanted = selectors.parse(value["labels"])
    return [obj for obj in found if selectors.matches(wanted, obj["metadata"].get("labels") or {})]


def _no_pod(value: Check) -> Verdict:
    return Verdict(
        False,
        f"파드 {josa(value['name'], '이/가')} 아직 없습니다"
        if "name" in value
        else f"레이블이 {value['labels']}인 파드가 아직 없습니다",
    )


def pick(obj: Any, path: str) -> Any:
    """The member at a dotted path (see above), None where there is none."""
    for step in re.findall(r"\[[^\]]+\]|[^.\[]+", path):
        key = step.strip("[]")
        if isinstance(obj, list):
            obj = (
                obj[int(key)]
                if key.isdigit() and int(key) < len(obj)
                else next((item for item in obj if isinstance(item, dict) and item.get("name") == key), None)
            )
        else:
            obj = obj.get(key) if isinstance(obj, dict) else None
        if obj is None:
            return None
    return obj


def _compare(found: Any, value: Check, what: str) -> Verdict:
    now = f"{josa(what, '이/가')} " + ("정해지지 않았습니다. " if found is None else f"지금 {_text(found)}입니다. ")
    if "is" in value and found != value["is"]:
        return Verdict(False, f"{now}{josa(_text(value['is']), '이어야/여야')} 합니다")
    if "not" in value and found == value["not"]:
        return Verdict(False, f"{josa(what, '이/가')} 아직 {_text(found)}입니다")
    if "contains" in value and str(value["contains"]) not in _text(found):
        return Verdict(False, f"{what}에 {_quoted(str(value['contains']), '이/가')} 없습니다")
    if "at_least" in value and not (isinstance(found, int) and found >= value["at_least"]):
        return Verdict(False, f"{now}적어도 {josa(str(value['at_least']), '이어야/여야')} 합니다")
    if "at_most" in value and not (isinstance(found, int) and found <= value["at_most"]):
        return Verdict(False, f"{now}많아야 {josa(str(value['at_most']), '이어야/여야')} 합니다")
    return HOLDS


def _text(value: Any) -> str:
    return "없음" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ---- the forms


def _exists(value: str, world: World) -> Verdict:
    found = _find(world, value)
    if found is None:
        return _missing(value)
    return (
        Verdict(False, f"{josa(thing(value), '은/는')} 지워지는 중입니다") if "deletionTimestamp" in found["metadata"] else HOLDS
    )


def _absent(value: str, world: World) -> Verdict:
    return HOLDS if _find(world, value) is None else Verdict(False, f"{josa(thing(value), '이/가')} 아직 있습니다")


def _count(value: Check, world: World) -> Verdict:
    namespace = value.get("namespace", "default")
    found = _pods(world, value) if value["kind"] == "pods" else _labelled(world, value["kind"], namespace, value)
    which = f"레이블이 {value['labels']}인 " if "labels" in value else ""
    return _compare(len(found), value, f"{which}{kind(value['kind'])} 수")


def _field(value: Check, world: World) -> Verdict:
    obj = _find(world, value["of"])
    return (
        _missing(value["of"])
        if obj is None
        else _compare(pick(obj, value["path"]), value, f"{thing(value['of'])}의 {value['path']}")
    )


def _length(value: Check, world: World) -> Verdict:
    obj = _find(world, value["of"])
    return (
        _missing(value["of"])
        if obj is None
        else _compare(len(pick(obj, value["path"]) or ()), value, f"{thing(value['of'])}의 {value['path']} 수")
    )


def _ready(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return _no_pod(value)
    waiting = [(pod, reason) for pod in pods if (reason := _unready(pod))]
    ready, wanted = len(pods) - len(waiting), value.get("count", len(pods))
    if ready >= wanted:
        return HOLDS
    if not waiting:
        return Verdict(False, f"준비된 파드가 {ready}개입니다. {wanted}개여야 합니다")
    pod, reason = waiting[0]
    return Verdict(False, f"{pod['metadata']['name']}: {reason}")


def _unready(pod: Map) -> str:
    """Why a Pod is not ready, '' when it is."""
    if "deletionTimestamp" in pod["metadata"]:
        return "지워지는 중입니다"
    if any(c["type"] == "Ready" and c["status"] == "True" for c in dig(pod, "status.conditions", ())):
        return ""
    for status in (*dig(pod, "status.initContainerStatuses", ()), *dig(pod, "status.containerStatuses", ())):
        state = status.get("state") or {}
        if status.get("ready") or (dig(state, "terminated.reason") == "Completed" and status["name"] in _init_names(pod)):
            continue
        return _state(status)
    return "아직 시작하지 않았습니다" if pod["spec"].get("nodeName") else "아직 노드에 배치되지 않았습니다"


def _state(status: Map) -> str:
    """What a container that is not ready does instead."""
    who = f"컨테이너 {josa(status['name'], '이/가')}"
    state = status.get("state") or {}
    reason = dig(state, "waiting.reason") or dig(state, "terminated.reason")
    if not reason:
        return f"{who} 아직 준비되지 않았습니다"
    code = dig(state, "terminated.exitCode", dig(status, "lastState.terminated.exitCode"))
    return f"{who} {reason} 상태입니다" + (f" (종료 코드 {code})" if code is not None else "")


def _init_names(pod: Map) -> list[str]:
    return [container["name"] for container in pod["spec"].get("initContainers") or ()]


def _stable(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return _no_pod(value)
    for pod in pods:
        statuses = dig(pod, "status.containerStatuses", ())
        if not statuses:
            return Verdict(False, f"{pod['metadata']['name']}: {_unready(pod)}")
        for status in statuses:
            started = dig(status, "state.running.startedAt")
            if started is None:
                return Verdict(False, _state(status))
            seconds = (world.cluster.now - parse_rfc3339(started)) // 1000
            if seconds < value["seconds"]:
                return Verdict(
                    False,
                    f"컨테이너 {josa(status['name'], '이/가')} 시작한 지 {seconds}초입니다. {value['seconds']}초가 지나야 합니다",
                )
    return HOLDS


def _listening(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return _no_pod(value)
    ports = world.cluster.network.ports(pods[0]["metadata"]["uid"])
    if any(one["port"] == value["port"] and value.get("container", one["container"]) == one["container"] for one in ports):
        return HOLDS
    who = f"컨테이너 {josa(value['container'], '이/가')} " if "container" in value else ""
    held = ", ".join(f"{one['container']} {one['port']}" for one in ports) or "없음"
    return Verdict(False, f"{who}{value['port']}번 포트를 열지 않았습니다. 지금 열린 포트: {held}")


def _log(value: Check, world: World) -> Verdict:
    pods = _pods(world, value)
    if not pods:
        return _no_pod(value)
    for pod in pods:
        names = [value["container"]] if "container" in value else [c["name"] for c in pod["spec"]["containers"]]
        if any(value["contains"] in _log_text(world.cluster, pod, name) for name in names):
            return HOLDS
    return Verdict(False, f"{pods[0]['metadata']['name']}의 로그에 {_quoted(value['contains'], '이/가')} 없습니다")


def _log_text(cluster: Cluster, pod: Map, container: str) -> str:
    """Both lives' output, '' where there is none to be had."""
    text = ""
    for previous in (True, False):
        try:
            kubelet = cluster.kubelet(pod["spec"].get("nodeName", ""))
            text += "\n".join(line.text for line in kubelet.logs(pod["metadata"]["uid"], container, previous=previous)) + "\n"
        except ApiError:
            continue
    return text


def _answers(value: Check, world: World) -> Verdict:
    source, namespace = "outside", "default"
    if "from" in value:
        pod = _find(world, value["from"])
        if pod is None or not dig(pod, "status.podIP"):
            return Verdict(False, f"{josa(thing(value['from']), '이/가')} 아직 실행 중이 아닙니다")
        source, namespace = pod["metadata"]["uid"], pod["metadata"]["namespace"]
    url = value["url"]
    for ref in POD_IP.findall(url):
        address = dig(_find(world, ref), "status.podIP")
        if not address:
            return Verdict(False, f"{josa(thing(ref), '은/는')} 아직 IP를 받지 못했습니다")
        url = url.replace("{" + ref + "}", address)
    result = ask(world.copy(), source, namespace, url)
    error = {
        "ECONNREFUSED": "연결을 거절합니다 (connection refused)",
        "EHOSTUNREACH": "갈 길이 없습니다 (no route to host)",
        "no such host": "그런 이름이 없습니다 (no such host)",
        "": "",
    }.get(result["error"], "응답이 없습니다")
    if value.get("fails"):
        return HOLDS if error else Verdict(False, f"{josa(url, '이/가')} 아직 {josa(str(result['status']), '으로/로')} 답합니다")
    if error:
        return Verdict(False, f"{url}: {error}")
    if "status" in value and result["status"] != value["status"]:
        return Verdict(
            False,
            f"{josa(url, '이/가')} {josa(str(result['status']), '으로/로')} 답합니다. "
            f"{josa(str(value['status']), '이어야/여야')} 합니다",
        )
    if "body" in value and value["body"] not in result["body"]:
        return Verdict(False, f"{url}의 답에 {_quoted(value['body'], '이/가')} 없습니다")
    return HOLDS


def ask(cluster: Cluster, source: str, namespace: str, url: str) -> dict[str, Any]:
    """GET `url` as a process of Pod `source` would, on a cluster that may be moved; waits in virtual time."""
    _, host, port, target = http.split_url(url)
    domains = (f"{namespace}.svc.{dns.DOMAIN}", f"svc.{dns.DOMAIN}", dns.DOMAIN)
    _, addresses = dns.resolve(cluster, host, "127.0.0.1 localhost", dns.Resolver((dns.SERVER,), domains, 5))
    if not addresses:
        return {"error": "no such host", "status": 0, "body": ""}
    message = http.request("GET", target, host if port == 80 else f"{host}:{port}", [("Connection", "close")])
    answers: dict[str, Any] = cluster.network.state["visits"]
    answers["check"] = None
    cluster.network.request(source, addresses[0], port, message.text(), ANSWER_WITHIN_MS, (cluster.network.name, "check"))
    while answers["check"] is None and cluster.clock.next_at() is not None:  # the request's own time limit ends it
        cluster.step()
    found: dict[str, Any] = answers.pop("check")
    return found


def _typed(value: str, world: World) -> Verdict:
    return HOLDS if any(re.search(value, line) for line in world.commands) else Verdict(False, "아직 그 명령을 쓰지 않았습니다")


def _all(value: list[Check], world: World) -> Verdict:
    return next((verdict for one in value if not (verdict := evaluate(one, world)).ok), HOLDS)


def _any(value: list[Check], world: World) -> Verdict:
    verdicts = [evaluate(one, world) for one in value]
    return next((verdict for verdict in verdicts if verdict.ok), verdicts[0])


def _not(value: Check, world: World) -> Verdict:
    return Verdict(False, "아직 그대로입니다") if evaluate(value, world).ok else HOLDS


EVALUATE: dict[str, Callable[[Any, World], Verdict]] = {
    "exists": _exists,
    "absent": _absent,
    "count": _count,
    "field": _field,
    "length": _length,
    "ready": _ready,
    "stable": _stable,
    "listening": _listening,
    "log": _log,
    "answers": _answers,
    "typed": _typed,
    "all": _all,
    "any": _any,
    "not": _not,
}
