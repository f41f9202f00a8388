"""One turn of a Job: what its Pods say, and what follows (syncJobCtx and syncJob in pkg/controller/job/job_controller.go)."""

from __future__ import annotations

from typing import Any

from ..objects import EMPTY, Map, thaw
from ..times import parse_rfc3339
from . import conditions, job_indexes, job_policies
from .pods import facts, is_active, is_deleting, is_ready, is_terminating, pods_to_delete
from .templates import BURST

TRACKING = "batch.kubernetes.io/job-tracking"
COMPLETED = ("CompletionsReached", "Reached expected number of succeeded pods")
TOO_MANY_FAILURES = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LATE = ("DeadlineExceeded", "Job was active longer than specified deadline")
TOO_MANY_INDEXES = ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
FAILED_INDEXES = ("FailedIndexes", "Job has failed indexes")


def tracked(pod: Map) -> bool:
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def indexed(job: Map) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def per_index(job: Map) -> bool:
    return job["spec"].get("backoffLimitPerIndex") is not None


def only_replaces_failed(job: Map) -> bool:
    """podReplacementPolicy: with Failed, a terminating Pod is replaced only when it has ended."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or bool(job["spec"].get("podFailurePolicy"))


def is_finished(job: Map) -> bool:
    return conditions.is_true(job, "Complete") or conditions.is_true(job, "Failed")


def failed(job: Map, pod: Map) -> bool:
    """isPodFailed."""
    phase = facts(pod).phase
    return phase == "Failed" or (is_deleting(pod) and phase != "Succeeded" and not only_replaces_failed(job))


class Turn:
    """One sync of one Job (syncJobCtx): what was read, and the status as it grows."""

    def __init__(self, job: Map, pods: list[Map], record: list[int], now: int) -> None:
        self.job, self.pods, self.now = job, pods, now
        self.status: dict[str, Any] = thaw(job.get("status") or EMPTY)
        self.status.setdefault("uncountedTerminatedPods", {})
        self.active = [pod for pod in pods if is_active(pod)]
        self.ready = sum(map(is_ready, self.active))
        self.terminating = sum(map(is_terminating, pods))
        self.completions: int | None = job["spec"].get("completions")
        self.verdict: tuple[str, str, str] | None = None  # condition type, reason, message
        self.again: list[int] = []  # ms after which to look again
        uncounted = self.uncounted("succeeded") + self.uncounted("failed")
        self.fresh = [pod for pod in pods if tracked(pod) and pod["metadata"]["uid"] not in uncounted and self._valid(pod)]
        self.fresh_uids = {pod["metadata"]["uid"] for pod in self.fresh}
        won, lost = [p for p in self.fresh if facts(p).phase == "Succeeded"], [p for p in self.fresh if failed(job, p)]
        self.backoff = job_policies.next_backoff(record, won, lost)
        counted = [pod for pod in lost if self.counts_as_failure(pod)]
        self.failed = self.status.get("failed", 0) + len(counted) + len(self.uncounted("failed"))
        self.succeeded = self.status.get("succeeded", 0) + len(won) + len(self.uncounted("succeeded"))
        self.done: set[int] = set()
        self.failed_indexes: set[int] = set()
        self.delayed: dict[int, Map] = {}  # index -> its last failed Pod, kept until it is replaced
        if indexed(job):
            self._read_indexes()

    def uncounted(self, kind: str) -> list[str]:
        found: list[str] = self.status["uncountedTerminatedPods"].get(kind, [])
        return found

    def _valid(self, pod: Map) -> bool:
        index = job_indexes.index_of(pod)
        return not indexed(self.job) or (index is not None and index < (self.completions or 0))

    def counts_as_failure(self, pod: Map) -> bool:
        rule = job_policies.failure_rule(self.job["spec"].get("podFailurePolicy"), pod)
        return rule is None or rule[0] != "Ignore"

    def _read_indexes(self) -> None:
        completions = self.completions or 0
        self.done = job_indexes.parse(self.status.get("completedIndexes"), completions)
        self.done |= {index for pod in self.pods if tracked(pod) and facts(pod).phase == "Succeeded" and self._valid(pod)
                      and (index := job_indexes.index_of(pod)) is not None}
        self.succeeded = len(self.done)
        if not per_index(self.job):
            return
        self.failed_indexes = job_indexes.parse(self.status.get("failedIndexes"), completions)
        lost = [(index, pod) for pod in self.fresh if failed(self.job, pod) and (index := job_indexes.index_of(pod)) is not None]
        self.failed_indexes |= {index for index, pod in lost if self._index_failed(pod)}
        taken = self.done | self.failed_indexes | {index for pod in self.active
                                                   if (index := job_indexes.index_of(pod)) is not None}
        for index, pod in lost:
            last = self.delayed.get(index)
            if index not in taken and (last is None or (
                    job_indexes.absolute_failures_of(pod) >= job_indexes.absolute_failures_of(last)
                    and job_policies.finished_at(pod) >= job_policies.finished_at(last))):
                self.delayed[index] = pod

    def _index_failed(self, pod: Map) -> bool:
        rule = job_policies.failure_rule(self.job["spec"].get("podFailurePolicy"), pod)
        if rule is not None and rule[0] == "FailIndex":
            return True
        return self.index_failures(pod) > int(self.job["spec"]["backoffLimitPerIndex"])

    def index_failures(self, pod: Map) -> int:
        return job_indexes.failures_of(pod) + self.counts_as_failure(pod)

    # ---- verdicts, in the order of syncJob

    def judge(self) -> None:
        held = conditions.find(self.job, "SuccessCriteriaMet")
        target = conditions.find(self.job, "FailureTarget")
        spec = self.job["spec"]
        if held is not None:
            self.verdict = ("SuccessCriteriaMet", held["reason"], held["message"])
        elif target is not None:
            self.verdict = ("Failed", target["reason"], target["message"])
        elif (message := self._fatal_pod()) is not None:
            self.verdict = ("FailureTarget", "PodFailurePolicy", message)
        elif self.failed > spec.get("backoffLimit", 6) or self._restarts_past_limit():
            self.verdict = ("FailureTarget", *TOO_MANY_FAILURES)
        elif spec.get("activeDeadlineSeconds") is not None and not spec.get("suspend"):
            left = self._started() + spec["activeDeadlineSeconds"] * 1000 - self.now
            if left <= 0:
                self.verdict = ("FailureTarget", *TOO_LATE)
            else:
                self.again.append(left)
        if self.verdict is None and indexed(self.job):
            self._judge_indexes()

    def _judge_indexes(self) -> None:
        spec, lost = self.job["spec"], len(self.failed_indexes)
        if per_index(self.job) and spec.get("maxFailedIndexes") is not None and lost > spec["maxFailedIndexes"]:
            self.verdict = ("FailureTarget", *TOO_MANY_INDEXES)
        elif per_index(self.job) and lost and lost + len(self.done) >= (self.completions or 0):
            self.verdict = ("FailureTarget", *FAILED_INDEXES)
        elif (message := job_policies.success_message(spec.get("successPolicy"), self.completions or 0, self.done)) is not None:
            self.verdict = ("SuccessCriteriaMet", "SuccessPolicy", message)

    def _started(self) -> int:
        return parse_rfc3339(self.status["startTime"]) if self.status.get("startTime") else self.now

    def _fatal_pod(self) -> str | None:
        policy = self.job["spec"].get("podFailurePolicy")
        for pod in self.pods if policy else ():
            if failed(self.job, pod) and (rule := job_policies.failure_rule(policy, pod)) is not None and rule[0] == "FailJob":
                return rule[1]
        return None

    def _restarts_past_limit(self) -> bool:
        """pastBackoffLimitOnFailure."""
        spec = self.job["spec"]
        if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
            return False
        restarts = sum(facts(pod).restarts for pod in self.pods if facts(pod).phase in ("Running", "Pending"))
        return restarts >= max(1, int(spec.get("backoffLimit", 6)))

    # ---- how many Pods there should be

    def wanted(self) -> int:
        parallelism: int = self.job["spec"].get("parallelism", 1)
        if self.completions is None:
            return len(self.active) if self.succeeded else parallelism
        missing = self.completions - int(self.succeeded)
        return max(0, min(parallelism, missing))

    def surplus(self) -> list[Map]:
        """activePodsForRemoval: duplicates of an index first."""
        number = len(self.active) if self.job["spec"].get("suspend") else max(0, len(self.active) - self.wanted())
        gone: list[Map] = []
        if indexed(self.job):
            by_index: dict[int, list[Map]] = {}
            for pod in self.active:
                index = job_indexes.index_of(pod)
                if index is None or index >= (self.completions or 0):
                    gone.append(pod)
                else:
                    by_index.setdefault(index, []).append(pod)
            for pods in by_index.values():
                gone += pods_to_delete(pods, [], len(pods) - 1, self.now)
        going = {pod["metadata"]["uid"] for pod in gone}
        rest = [pod for pod in self.active if pod["metadata"]["uid"] not in going]
        return [*gone, *pods_to_delete(rest, [], max(0, number - len(gone)), self.now)][:BURST]

    def complete(self, active: int) -> bool:
        if self.completions is None:
            return bool(self.succeeded) and not active
        return self.succeeded >= self.completions and not active
