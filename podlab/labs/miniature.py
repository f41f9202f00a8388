"""The small cluster on the landing page: real states of a real one, a few moments after each other, made once a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.run import run_to_end
from podlab.labs.births import EPOCH_MS
from podlab.projection import board, svg

WIDTH = 640  # the narrowest layout with the wishes beside the nodes
SLIM_WIDTH = 400  # for a phone, where the wider one would be cut off or too small to read
SPEC = {"nodes": [{"name": "node-1", "cpu": "2", "memory": "4028120Ki"}]}
MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - {name: web, image: "nginx:1.14.2", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{port: 80}]
"""
_once = Lock()


@dataclass(frozen=True)
class Frame:
    svg: str
    slim: str
    told: str  # what is to be seen, one Korean sentence


def frames() -> tuple[Frame, ...]:
    """The moments in their order; the last leads back to the first."""
    with _once:
        return _frames()


@lru_cache(maxsize=1)
def _frames() -> tuple[Frame, ...]:
    cluster = Cluster.create(7, EPOCH_MS, SPEC)
    run_to_end(cluster, ["apply", "-f", "-"], stdin=MANIFESTS)
    cluster.run_for(20)
    found = [_frame(cluster, "디플로이먼트가 바라는 대로 파드 둘이 돌고 있습니다.")]
    victim = cluster.objects("pods", "default")[0]["metadata"]["name"]
    cluster.apply({"at": cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": victim})
    cluster.run_for(0.4)
    found.append(_frame(cluster, "파드 하나를 지우자 곧바로 새 파드를 만듭니다."))
    cluster.run_for(4)
    found.append(_frame(cluster, "지운 파드는 사라지고 새 파드가 자리를 채웠습니다."))
    other = cluster.objects("pods", "default")[0]["metadata"]["name"]
    cluster.apply({"at": cluster.now, "do": "fault", "pod": f"default/{other}", "container": "web", "signal": "KILL"})
    while all(pod.look == "running" for pod in board.build(cluster).pods):
        cluster.step()
    found.append(_frame(cluster, "프로세스를 죽이면 파드는 그대로 두고 컨테이너만 다시 시작합니다."))
    cluster.run_for(12)
    found.append(_frame(cluster, "다시 준비된 파드에 서비스가 요청을 보냅니다. 재시작 횟수가 남았습니다."))
    return tuple(found)


def _frame(cluster: Cluster, told: str) -> Frame:
    built = board.build(cluster)
    return Frame(_still(svg.draw(built, WIDTH)), _still(svg.draw(built, SLIM_WIDTH)), told)


def _still(drawn: str) -> str:
    """A board that cannot be picked from: it takes no part in the tab order."""
    for attribute in (' tabindex="0"', ' role="button"', ' role="group"'):
        drawn = drawn.replace(attribute, "")
    return drawn.replace(' id="board-svg"', ' id="board-svg" role="img"', 1)
