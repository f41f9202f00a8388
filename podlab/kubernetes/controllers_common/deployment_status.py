"""A Deployment's status and conditions, as a sync reckons them (pkg/controller/deployment sync.go, progress.go, util/deployment_util.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..objects import EMPTY, Map
from ..times import parse_rfc3339, rfc3339
from . import conditions, rollout


def has_deadline(deployment: Map) -> bool:
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != 2**31 - 1


def set_condition(held: Iterable[Any], kind: str, status: str, reason: str, message: str, now: int) -> list[Any]:
    """SetDeploymentCondition: same status and reason change nothing; the same status keeps its time; the new one goes last."""
    current = conditions.of(held, kind)
    if current is not None and current["status"] == status and current["reason"] == reason:
        return list(held)
    since = current["lastTransitionTime"] if current is not None and current["status"] == status else rfc3339(now)
    new = {"type": kind, "status": status, "lastUpdateTime": rfc3339(now), "lastTransitionTime": since, "reason": reason,
           "message": message}
    return [*(c for c in held if c["type"] != kind), new]


def counted(deployment: Map, sets: list[Map], new: Map | None, now: int) -> dict[str, Any]:
    """calculateStatus."""
    old = deployment.get("status") or EMPTY

    def total(member: str, among: Iterable[Map] = sets) -> int:
        return sum((rs.get("status") or EMPTY).get(member) or 0 for rs in among)

    wanted, available = deployment["spec"].get("replicas", 1), total("availableReplicas")
    asked = sum(rs["spec"].get("replicas", 1) for rs in sets)
    enough = available >= wanted - rollout.max_unavailable(deployment)
    verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.") if enough else \
              ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    status = {"observedGeneration": deployment["metadata"].get("generation", 0), "replicas": total("replicas"),
              "updatedReplicas": total("replicas", () if new is None else (new,)), "readyReplicas": total("readyReplicas"),
              "availableReplicas": available,
              "unavailableReplicas": max(0, asked - available), "terminatingReplicas": total("terminatingReplicas"),
              "conditions": set_condition(old.get("conditions") or (), "Available", *verdict, now)}
    if old.get("collisionCount") is not None:
        status["collisionCount"] = old["collisionCount"]
    return status


def complete(deployment: Map, status: Any) -> bool:
    """DeploymentComplete."""
    wanted = deployment["spec"].get("replicas", 1)
    return (all((status.get(member) or 0) == wanted for member in ("updatedReplicas", "replicas", "availableReplicas"))
            and (status.get("observedGeneration") or 0) >= deployment["metadata"].get("generation", 0))


def _progressing(old: Any, new: Any) -> bool:
    """DeploymentProgressing: more updated, ready or available Pods, or fewer old ones."""
    def number(status: Any, member: str) -> int:
        return status.get(member) or 0
    older = [number(status, "replicas") - number(status, "updatedReplicas") for status in (old, new)]
    return older[1] < older[0] or any(number(new, member) > number(old, member)
                                      for member in ("updatedReplicas", "readyReplicas", "availableReplicas"))


def progress(deployment: Map, status: Any, new: Map | None, now: int) -> list[Any]:
    """The conditions with Progressing as syncRolloutStatus sets it."""
    held: list[Any] = status["conditions"]
    if not has_deadline(deployment):
        return [c for c in held if c["type"] != "Progressing"]
    current = conditions.find(deployment, "Progressing")
    done = current is not None and current["reason"] == "NewReplicaSetAvailable"
    if done and status["replicas"] == status["updatedReplicas"]:
        return held
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new is not None else f'Deployment "{deployment["metadata"]["name"]}"'
    if complete(deployment, status):
        return set_condition(held, "Progressing", "True", "NewReplicaSetAvailable", subject + " has successfully progressed.",
                             now)
    if _progressing(deployment.get("status") or EMPTY, status):
        since = current["lastTransitionTime"] if current is not None and current["status"] == "True" else rfc3339(now)
        held = [c for c in held if c["type"] != "Progressing"]
        return [*held, {"type": "Progressing", "status": "True", "lastUpdateTime": rfc3339(now), "lastTransitionTime": since,
                        "reason": "ReplicaSetUpdated", "message": subject + " is progressing."}]
    if _timed_out(deployment, held, now):
        return set_condition(held, "Progressing", "False", "ProgressDeadlineExceeded", subject + " has timed out progressing.",
                             now)
    return held


def _timed_out(deployment: Map, held: Iterable[Any], now: int) -> bool:
    """DeploymentTimedOut."""
    progressing = conditions.of(held, "Progressing")
    if progressing is None or progressing["reason"] == "NewReplicaSetAvailable":
        return False
    if progressing["reason"] == "ProgressDeadlineExceeded":
        return True
    deadline: int = deployment["spec"]["progressDeadlineSeconds"]
    return parse_rfc3339(progressing["lastUpdateTime"]) + deadline * 1000 < now


def failures(held: list[Any], sets: list[Map], new: Map | None) -> list[Any]:
    """getReplicaFailures: a ReplicaSet's failure is the Deployment's, the new set's first."""
    rest = [c for c in held if c["type"] != "ReplicaFailure"]
    for rs in [*(() if new is None else (new,)), *sets]:
        failure = conditions.find(rs, "ReplicaFailure")
        if failure is not None:
            since = failure["lastTransitionTime"]
            shown = {"type": "ReplicaFailure", "status": failure["status"], "lastUpdateTime": since, "lastTransitionTime": since,
                     "reason": failure["reason"], "message": failure["message"]}
            current = conditions.of(held, "ReplicaFailure")
            same = current is not None and (current["status"], current["reason"]) == (shown["status"], shown["reason"])
            return held if same else [*rest, shown]
    return rest


def recheck(deployment: Map, status: Any, now: int) -> int | None:
    """requeueStuckDeployment: ms until the deadline has surely passed, or None when there is nothing to wait for."""
    progressing = conditions.of(status.get("conditions") or (), "Progressing")
    if not has_deadline(deployment) or progressing is None or deployment["spec"].get("paused"):
        return None
    if complete(deployment, status) or progressing["reason"] in ("ProgressDeadlineExceeded", "NewReplicaSetAvailable"):
        return None
    deadline: int = deployment["spec"]["progressDeadlineSeconds"]
    left = parse_rfc3339(progressing["lastUpdateTime"]) + deadline * 1000 - now
    return max(0, left) + 1000
