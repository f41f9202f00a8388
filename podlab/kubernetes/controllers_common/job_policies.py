"""A Job's podFailurePolicy, successPolicy and back-off, as pure functions (pkg/controller/job/pod_failure_policy.go,
success_policy.go, backoff_utils.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..objects import EMPTY, Map
from ..times import parse_rfc3339
from . import job_indexes

BACKOFF_MS, BACKOFF_MAX_MS = 10_000, 600_000  # DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff


def failure_rule(policy: Any, pod: Map) -> tuple[str, str] | None:
    """The first matching rule's (action, message), or None (matchPodFailurePolicy)."""
    where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    for number, rule in enumerate((policy or EMPTY).get("rules") or ()):
        action = rule["action"]
        if rule.get("onExitCodes"):
            hit = _exit_code(rule["onExitCodes"], pod)
            if hit is not None:
                said = f"Container {hit[0]} for pod {where} failed with exit code {hit[1]}"
                return action, f"{said} matching {action} rule at index {number}"
        else:
            kind = _condition(rule.get("onPodConditions") or (), pod)
            if kind is not None:
                return action, f"Pod {where} has condition {kind} matching {action} rule at index {number}"
    return None


def _exit_code(requirement: Any, pod: Map) -> tuple[str, int] | None:
    status = pod.get("status") or EMPTY
    for container in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        ended = (container.get("state") or EMPTY).get("terminated")
        if requirement.get("containerName") not in (None, container["name"]) or not ended or not ended["exitCode"]:
            continue
        if (ended["exitCode"] in requirement["values"]) == (requirement["operator"] == "In"):
            return container["name"], ended["exitCode"]
    return None


def _condition(patterns: Iterable[Any], pod: Map) -> str | None:
    for condition in (pod.get("status") or EMPTY).get("conditions") or ():
        for pattern in patterns:
            if pattern["type"] == condition["type"] and pattern.get("status", "True") == condition["status"]:
                return str(condition["type"])
    return None


def success_message(policy: Any, completions: int, succeeded: set[int]) -> str | None:
    """matchSuccessPolicy: why an Indexed Job counts as successful before all indexes are done."""
    for number, rule in enumerate((policy or EMPTY).get("rules") or ()):
        counted, wanted = succeeded, rule.get("succeededCount")
        if rule.get("succeededIndexes"):
            listed = job_indexes.parse(rule["succeededIndexes"], completions)
            counted = succeeded & listed
            wanted = wanted if wanted is not None else len(listed)
        if wanted is not None and len(counted) >= wanted:
            return f"Matched rules at index {number}"
    return None


def finished_at(pod: Map) -> int:
    """getFinishTimeFromContainers, else the Ready condition's change, else the deletion; ms, 0 when nothing tells."""
    status = pod.get("status") or EMPTY
    ends = [(c.get("state") or EMPTY).get("terminated") for c in status.get("containerStatuses") or ()]
    if ends and all(end and end.get("finishedAt") for end in ends):
        return max(parse_rfc3339(end["finishedAt"]) for end in ends if end)
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "False" and condition.get("lastTransitionTime"):
            return parse_rfc3339(condition["lastTransitionTime"])
    deleted = pod["metadata"].get("deletionTimestamp")
    grace: int = pod["metadata"].get("deletionGracePeriodSeconds") or 0
    return parse_rfc3339(deleted) - grace * 1000 if deleted else 0


def backoff_left(failures: int, last_failure: int, now: int) -> int:
    """Milliseconds until the next Pod may be made: 10 s, doubled for each failure after the last success, at most 10 min."""
    if not failures:
        return 0
    delay = min(BACKOFF_MS << min(failures - 1, 10), BACKOFF_MAX_MS)
    return max(0, last_failure + delay - now)


def next_backoff(record: list[int], succeeded: Iterable[Map], failed: Iterable[Map]) -> list[int]:
    """newBackoffRecord: [failures after the last success, ms of the last failure] with newly ended Pods added."""
    failures, last = record
    times = sorted(map(finished_at, failed))
    successes = [finished_at(pod) for pod in succeeded]
    if successes:
        times = [at for at in times if at > max(successes)]
        failures, last = 0, 0
    return [failures + len(times), times[-1] if times else last]
