"""What stands without a record: facts that the present state itself shows, as lines that open a cause chain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .board import Board, Node, Service
from .korean import duration, josa, kind, thing
from .owners import Owner
from .pods import Container, Pod

Standing = tuple[str, str, str]  # who, sentence, severity
# What the scheduler's FitError says of a group of nodes (framework.FitError); the number before it is that of the nodes.
FIT: tuple[tuple[str, str], ...] = (
    (r"Insufficient cpu", "CPU 요청을 채울 만큼 남지 않았습니다"),
    (r"Insufficient memory", "메모리 요청을 채울 만큼 남지 않았습니다"),
    (r"Insufficient (\S+)", "{0} 요청을 채울 만큼 남지 않았습니다"),
    (r"Too many pods", "파드를 더 받을 자리가 없습니다"),
    (r"node\(s\) had untolerated taint\(s\)", "파드가 견디지 못하는 테인트가 있습니다"),
    (r"node\(s\) had untolerated taint \{(.+?)\}", "파드가 견디지 못하는 테인트가 있습니다 ({0})"),
    (r"node\(s\) didn't match Pod's node affinity/selector", "nodeSelector나 노드 어피니티에 맞지 않습니다"),
    (r"node\(s\) didn't match pod affinity rules", "파드 어피니티에 맞지 않습니다"),
    (r"node\(s\) didn't match pod anti-affinity rules", "파드 안티어피니티에 걸립니다"),
    (r"node\(s\) didn't match pod topology spread constraints", "토폴로지 분배 조건에 맞지 않습니다"),
    (r"node\(s\) were unschedulable", "새 파드를 받지 않는 상태(cordon)입니다"),
    (r"node\(s\) didn't have free ports for the requested pod ports", "요청한 호스트 포트가 이미 쓰이고 있습니다"),
    (r"node\(s\) had volume node affinity conflict", "볼륨이 다른 노드에 묶여 있습니다"),
)


def of_pod(board: Board, pod: Pod, container: str, told: frozenset[str]) -> list[Standing]:
    """What stands about a Pod, or about one of its containers; `told` are the rules that its records have said already."""
    out: list[Standing] = []
    for c in pod.containers:
        if not container or c.name == container:
            out += _container(pod, c, board.now, told)
    if container:
        return out
    if pod.look == "pending":
        out += unschedulable(pod.message)
    if pod.look == "terminating":
        out += _terminating(pod, board.now)
    elif pod.node_lost:
        out.append(("노드 " + pod.node, "소식이 없습니다. 보이는 것은 마지막으로 알려진 상태입니다", "bad"))
    if pod.look == "failed" and pod.message:
        out.append(("파드", f"{pod.reason}: {pod.message}", "bad"))
    out += [
        ("서비스 " + s.name, "이 파드가 준비되지 않아 요청을 보내지 않습니다", "warn")
        for s in board.services
        if pod.uid in s.waiting
    ]
    return out


def unschedulable(message: str) -> list[Standing]:
    """`0/3 nodes are available: 1 Insufficient cpu, 2 node(s) ...` as one line a group of nodes."""
    match = re.match(r"\d+/(\d+) nodes are available: (.*?)(?:\. no new claims|\. preemption:|\.?\Z)", message, re.S)
    if not match:
        return [("스케줄러", message, "bad")] if message else []
    out: list[Standing] = []
    for count, reason in re.findall(r"(\d+) (.+?)(?=, \d+ |\Z)", match.group(2).strip().rstrip(".")):
        words = reason
        for pattern, korean in FIT:
            found = re.fullmatch(pattern, reason)
            if found:
                words = korean.format(*found.groups())
                break
        out.append((f"노드 {match.group(1)}개 중 {count}개", words, "bad"))
    return out


def _container(pod: Pod, c: Container, now: int, told: frozenset[str]) -> list[Standing]:
    out: list[Standing] = []
    for clash in c.clashes if "network-port-in-use" not in told else ():
        holder = josa(clash.holder, "이/가") if clash.holder else "다른 컨테이너가"
        out.append(
            (c.name, f"{holder} 이미 쓰는 {clash.port}번 포트를 열려고 합니다. 한 파드의 컨테이너는 포트를 나눠 씁니다", "bad")
        )
    if c.look == "backoff" and c.wait and c.wait.until is not None and "kubelet-backoff" not in told:
        out.append(
            (
                "kubelet",
                f"{josa(c.name, '을/를')} {duration(max(c.wait.until - now, 0))} 뒤에 다시 시작합니다. "
                f"잇달아 죽으면 10초부터 두 배씩, "
                "길어야 5분을 기다립니다",
                "warn",
            )
        )
    if (
        c.look in ("pullfail", "blocked")
        and c.message
        and not told & {"kubelet-image-pull-failed", "kubelet-config-error", "kubelet-container-start-failed"}
    ):
        out.append((c.name, f"{c.reason}: {c.message}", "bad"))
    if c.exit_reason == "OOMKilled" and "kubelet-oom" not in told:
        out.append((c.name, "메모리 한도를 넘어 죽었습니다 (종료 코드 137)", "bad"))
    if c.look == "backoff" and c.exit_code == 0 and "kubelet-killing" not in told:
        out.append((c.name, "잘 끝났지만(코드 0) 재시작 정책이 Always라 다시 시작합니다", "info"))
    if c.look == "queued":
        first = next(
            (
                o
                for o in pod.containers
                if o.kind in ("init", "sidecar") and o.look not in ("done",) and not (o.kind == "sidecar" and o.look == "running")
            ),
            None,
        )
        if first is not None and first.name != c.name:
            out.append(
                (
                    c.name,
                    f"{'초기화 컨테이너' if first.kind == 'init' else '사이드카'} {josa(first.name, '을/를')} 기다립니다",
                    "info",
                )
            )
    for probe in c.probes:
        if probe.ok is False and probe.kind == "readiness":
            out.append((c.name, "준비성 프로브가 실패하고 있습니다. 다시 시작하지는 않고, 서비스에서만 빠집니다", "warn"))
        elif probe.ok is False and probe.kind == "liveness":
            out.append((c.name, f"활성 프로브가 실패하고 있습니다. {probe.threshold}번 잇달아 실패하면 다시 시작합니다", "warn"))
        elif probe.ok is False:
            out.append((c.name, "시작 프로브가 아직 성공하지 않아 다른 프로브가 기다립니다", "info"))
    return out


def _terminating(pod: Pod, now: int) -> list[Standing]:
    if pod.node_lost:
        return [(f"노드 {pod.node}", "소식이 없어 컨테이너가 끝났는지 알 수 없습니다. kubelet이 돌아와야 지워집니다", "bad")]
    if pod.deadline is not None and pod.deadline > now:
        return [("kubelet", f"스스로 끝나기를 기다립니다. {duration(pod.deadline - now)} 뒤에는 KILL로 끝냅니다", "info")]
    return []


def of_service(service: Service, board: Board) -> list[Standing]:
    names = {p.uid: p.name for p in board.pods}
    if service.ready:
        listed = ", ".join(names.get(uid, "다른 곳의 파드") for uid in service.ready[:4]) + (
            " ..." if len(service.ready) > 4 else ""
        )
        return [("서비스", f"셀렉터에 맞고 준비된 파드 {len(service.ready)}개에 보냅니다: {listed}", "good")]
    if not service.selects:
        return [("서비스", "셀렉터가 없어 스스로 파드를 고르지 않습니다", "info")]
    if not service.waiting:
        return [("서비스", "셀렉터에 맞는 파드가 하나도 없습니다. 레이블을 견주어 보세요", "bad")]
    listed = ", ".join(names.get(uid, "") for uid in service.waiting[:4])
    return [("서비스", f"고른 파드가 모두 준비되지 않았습니다: {listed}", "bad")]


def of_owner(owner: Owner, pods: Sequence[Pod]) -> list[Standing]:
    out: list[Standing] = []
    if owner.want is not None and owner.ready < owner.want:
        out.append(
            (
                f"{kind(owner.kind)} {owner.name}",
                f"{owner.want}개를 바라지만 {owner.ready}개만 {'끝났습니다' if owner.kind == 'jobs' else '준비되었습니다'}",
                "warn",
            )
        )
    late = [p for p in pods if owner.ref in (p.owner, p.root) and p.look not in ("running", "done", "terminating")]
    return out + [(thing(p.ref), p.status, "bad" if p.troubled else "info") for p in late[:4]]


def of_node(node: Node, now: int) -> list[Standing]:
    out: list[Standing] = []
    if node.doom and node.doom[1] > now:
        what = "NotReady로 적힙니다" if node.doom[0] == "notready" else "파드를 내보내기 시작합니다"
        out.append(("노드 컨트롤러", f"{duration(node.doom[1] - now)} 뒤 {what}", "warn"))
    if node.power != "on" and node.since is not None:
        out.append((f"노드 {node.name}", f"{duration(now - node.since)} 전부터 소식이 없습니다", "bad"))
    if node.cordoned:
        out.append((f"노드 {node.name}", "새 파드를 받지 않습니다(cordon). 이미 있는 파드는 그대로 둡니다", "info"))
    return out
