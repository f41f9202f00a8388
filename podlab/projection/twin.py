"""The board in words: the text twin of the picture, and what changed between two boards."""

from __future__ import annotations

from collections.abc import Mapping

from .board import Board, Node, Service
from .korean import CONTAINER_KINDS, PROBES, duration, josa, kind
from .owners import Owner
from .pods import Container, Pod
from .words import LOOKS

Section = tuple[str, tuple[str, ...]]  # heading, items
TOLD = 60  # Pods told one by one; the rest are counted
SAID = 8  # sentences that a live region says at once


def outline(board: Board) -> tuple[Section, ...]:
    """Headings with their items, in the order of the picture: goals, wishes, Services, waiting Pods, nodes with their Pods."""
    out: list[Section] = []
    if board.goals:
        out.append(("과제", tuple(f"{'이룸' if g.met else '아직'}: {g.text}" for g in board.goals)))
    if board.owners:
        out.append(("바라는 것", tuple(_owner(o) for o in board.owners)))
    if board.services:
        names = {pod.uid: pod.name for pod in board.pods}
        out.append(("서비스", tuple(_service(s, names) for s in board.services)))
    if board.tray:
        out.append((f"자리를 기다리는 파드 {len(board.tray)}개", _few([_waiting(p) for p in board.tray])))
    for node in board.nodes:
        out.append((_node(node, board.now), _few([_pod(p, board.now) for p in node.pods]) or ("파드 없음",)))
    return tuple(out)


def text(board: Board) -> str:
    """The outline as plain text: headings, then `- ` items."""
    return "\n".join(line for heading, items in outline(board) for line in (heading, *("- " + item for item in items)))


def _few(items: list[str]) -> tuple[str, ...]:
    return tuple(items) if len(items) <= TOLD else (*items[:TOLD], f"그 밖에 {len(items) - TOLD}개")


def _owner(owner: Owner) -> str:
    parts = [f"{kind(owner.kind)} {owner.name}"]
    if owner.want is not None:
        done = "끝남" if owner.kind == "jobs" else "준비됨"
        parts.append(f"{owner.want}개를 바라고 {owner.ready}개가 {done}")
    if owner.note:
        parts.append(owner.note)
    parts += [f"{c.revision}판 {c.image} {c.ready}/{c.want}" for c in owner.children if c.kind == "replicasets"]
    return ", ".join(parts)


def _service(service: Service, names: Mapping[str, str]) -> str:
    where = "헤드리스" if service.headless else f"{service.ip}:{', '.join(service.ports)}"
    ready = ", ".join(names.get(uid, "다른 곳의 파드") for uid in service.ready[:10]) or "없음"
    out = f"{service.name}, {where}, 요청을 받는 파드: {ready}"
    return out + (
        f", 아직 받지 않는 파드: {', '.join(names.get(u, '') for u in service.waiting[:10])}" if service.waiting else ""
    )


def _waiting(pod: Pod) -> str:
    return f"{pod.name}, {pod.status}" + (f", {pod.message}" if pod.message else "")


def _node(node: Node, now: int) -> str:
    parts = [f"노드 {node.name}", node.status]
    if node.power != "on" and node.since is not None:
        parts.append(f"{duration(now - node.since)} 전부터 소식이 없음")
    parts.append(f"CPU {node.cpu_asked / 1000:g}/{node.cpu / 1000:g} 요청됨")
    parts += [f"테인트 {taint}" for taint in node.taints]
    return ", ".join(parts)


def _pod(pod: Pod, now: int) -> str:
    parts = [f"파드 {pod.name}", f"{pod.of}개 중 {pod.ready}개 준비", pod.status]
    if pod.ip:
        parts.append(f"IP {pod.ip}")
    if pod.look == "terminating" and pod.deadline is not None:
        parts.append(f"{duration(max(pod.deadline - now, 0))} 안에 끝냄")
    if pod.restarts:
        parts.append(f"재시작 {pod.restarts}번")
    parts += [_container(c, now) for c in pod.containers]
    parts += [f"볼륨 {v.name}({v.type})" + (f", {', '.join(v.mounted_by)}에 붙음" if v.mounted_by else "") for v in pod.volumes]
    return "; ".join(parts)


def _container(c: Container, now: int) -> str:
    out = f"{CONTAINER_KINDS[c.kind]} 컨테이너 {c.name} {c.word}"
    if c.wait and c.wait.until is not None and c.wait.until > now:
        out += f" {duration(c.wait.until - now)}"
    if c.exit_code is not None and c.look in ("backoff", "failed"):
        out += f", 종료 코드 {c.exit_code}"
    if c.ports:
        out += f", 포트 {', '.join(str(p.port) for p in c.ports)} 열림"
    for clash in c.clashes:
        holder = josa(clash.holder, "이/가") if clash.holder else "다른 컨테이너가"
        out += f", 포트 {josa(str(clash.port), '을/를')} {holder} 이미 씀"
    for probe in c.probes:
        if probe.ok is False:
            out += f", {PROBES[probe.kind]} 프로브 실패"
    return out


def changes(old: Board, new: Board) -> list[str]:
    """What a live region says: Korean sentences, the weightier first; a summary where too much happened at once."""
    said = _nodes(old, new) + _pods(old, new) + _owners(old, new) + _services(old, new)
    if len(said) <= SAID:
        return said
    return [*said[: SAID - 1], f"그 밖에 {len(said) - SAID + 1}가지가 바뀌었습니다"]


def _nodes(old: Board, new: Board) -> list[str]:
    before = {n.name: n for n in old.nodes}
    out = []
    for node in new.nodes:
        was = before.get(node.name)
        if was is None:
            out.append(f"노드 {josa(node.name, '이/가')} 생겼습니다")
        elif was.ready != node.ready:
            out.append(
                f"노드 {josa(node.name, '이/가')} {'다시 준비되었습니다' if node.ready == 'True' else 'NotReady가 되었습니다'}"
            )
        elif was.cordoned != node.cordoned:
            out.append(f"노드 {josa(node.name, '은/는')} 이제 새 파드를 {'받지 않습니다' if node.cordoned else '받습니다'}")
        elif was.power != node.power and node.power != "on":
            out.append(f"노드 {node.name}의 소식이 끊겼습니다")
    gone = {n.name for n in new.nodes}
    return out + [f"노드 {josa(n.name, '이/가')} 사라졌습니다" for n in old.nodes if n.name not in gone]


def _pods(old: Board, new: Board) -> list[str]:
    before = {p.uid: p for p in old.pods}
    urgent, calm = [], []
    for pod in new.pods:
        was = before.pop(pod.uid, None)
        name = f"파드 {pod.name}"
        if was is None:
            calm.append(f"{josa(name, '이/가')} 만들어졌습니다")
            continue
        urgent += _containers(was, pod)
        if was.look == pod.look and was.node == pod.node:
            continue
        if pod.look == "running":
            calm.append(f"{josa(name, '이/가')} 준비되었습니다")
        elif pod.look == "terminating" and was.look != "terminating":
            calm.append(f"{josa(name, '을/를')} 끝내기 시작했습니다")
        elif pod.look == "done" and was.look != "done":
            calm.append(f"{josa(name, '이/가')} 일을 마쳤습니다")
        elif pod.look == "failed":
            urgent.append(f"{josa(name, '이/가')} 실패했습니다" + (f": {pod.reason}" if pod.reason else ""))
        elif not was.node and pod.node:
            calm.append(f"{josa(name, '이/가')} 노드 {pod.node}에 놓였습니다")
        elif pod.look in ("unready", "partial") and was.look == "running":
            urgent.append(f"{josa(name, '이/가')} 준비 상태를 잃었습니다: {pod.of}개 중 {pod.ready}개 준비")
        elif pod.look == "unknown":
            urgent.append(f"{name}의 상태를 알 수 없습니다")
    return urgent + calm + [f"{josa('파드 ' + p.name, '이/가')} 사라졌습니다" for p in before.values()]


def _containers(was: Pod, pod: Pod) -> list[str]:
    before = {c.name: c for c in was.containers}
    out = []
    for c in pod.containers:
        last = before.get(c.name)
        if last is None:
            out.append(f"파드 {pod.name}에 {CONTAINER_KINDS[c.kind]} 컨테이너 {josa(c.name, '이/가')} 더해졌습니다")
        elif c.look != last.look and c.look in ("backoff", "pullfail", "blocked", "failed"):
            code = f" (종료 코드 {c.exit_code})" if c.exit_code is not None else ""
            out.append(f"{pod.name}의 컨테이너 {c.name}: {LOOKS[c.look]}{code}")
        elif c.restarts > last.restarts:
            out.append(f"{pod.name}의 컨테이너 {josa(c.name, '이/가')} {c.restarts}번째로 다시 시작했습니다")
        elif c.kind == "init" and c.look == "done" and last.look != "done":
            out.append(f"{pod.name}의 초기화 컨테이너 {josa(c.name, '이/가')} 끝났습니다")
    return out


def _owners(old: Board, new: Board) -> list[str]:
    before = {o.ref: o for o in old.owners}
    out = []
    for owner in new.owners:
        was = before.pop(owner.ref, None)
        name = f"{kind(owner.kind)} {owner.name}"
        if was is None:
            out.append(f"{josa(name, '이/가')} 만들어졌습니다")
        elif was.want != owner.want:
            out.append(f"{josa(name, '이/가')} 이제 파드 {owner.want}개를 바랍니다")
        elif owner.want is not None and owner.ready >= owner.want > 0 and was.ready < owner.want:
            out.append(f"{josa(name, '이/가')} 바라는 수를 채웠습니다: {owner.ready}개")
    return out + [f"{josa(f'{kind(o.kind)} {o.name}', '이/가')} 사라졌습니다" for o in before.values()]


def _services(old: Board, new: Board) -> list[str]:
    before = {s.ref: s for s in old.services}
    out = []
    for service in new.services:
        was = before.get(service.ref)
        if was is None:
            out.append(f"서비스 {josa(service.name, '이/가')} 만들어졌습니다")
        elif was.ready and not service.ready:
            out.append(f"서비스 {service.name} 뒤에 준비된 파드가 하나도 없습니다")
    return out
