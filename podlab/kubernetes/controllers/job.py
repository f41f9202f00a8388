"""Job: Pods that run to their end, counted exactly once (pkg/controller/job/job_controller.go).

What the real controller spreads over informers, expectations and retries happens in one turn here: finished Pods are noted as
uncounted, lose their finalizer, and are counted. A checkpoint or a refusal in between loses nothing, as with the real one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, owner_key
from ..controllers_common import conditions, job_indexes, job_policies
from ..controllers_common.owners import Orphans, claim, controlled, controller_of, selecting, several
from ..controllers_common.pods import facts, is_active, is_deleting, is_ready, is_terminating, pods_to_delete, unchanged
from ..controllers_common.templates import BURST, create_pod, delete_pod, namespace_terminating, new_pod, slow_start
from ..etcd import Change
from ..objects import EMPTY, Map, thaw
from ..selectors import selects
from ..times import parse_rfc3339, rfc3339

BATCH_MS = 1_000  # SyncJobBatchPeriod: changes of Pods are gathered so long
TRACKING = "batch.kubernetes.io/job-tracking"
LOST = "pod "  # prefix of the keys of Pods whose Job has gone
COMPLETED = ("CompletionsReached", "Reached expected number of succeeded pods")
TOO_MANY_FAILURES = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LATE = ("DeadlineExceeded", "Job was active longer than specified deadline")
TOO_MANY_INDEXES = ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
FAILED_INDEXES = ("FailedIndexes", "Job has failed indexes")

_of_pod = several(owner_key("Job"), selecting("jobs", lambda job,
                                              pod: selects(job["spec"].get("selector"), pod["metadata"].get("labels"))))


def _tracked(pod: Map) -> bool:
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def _indexed(job: Map) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def _per_index(job: Map) -> bool:
    return job["spec"].get("backoffLimitPerIndex") is not None


def _only_replaces_failed(job: Map) -> bool:
    """podReplacementPolicy: with Failed, a terminating Pod is replaced only when it has ended."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or bool(job["spec"].get("podFailurePolicy"))


def is_finished(job: Map) -> bool:
    return conditions.is_true(job, "Complete") or conditions.is_true(job, "Failed")


def failed(job: Map, pod: Map) -> bool:
    """isPodFailed."""
    phase = facts(pod).phase
    return phase == "Failed" or (is_deleting(pod) and phase != "Succeeded" and not _only_replaces_failed(job))


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
        self.fresh = [pod for pod in pods if _tracked(pod) and pod["metadata"]["uid"] not in uncounted and self._valid(pod)]
        self.fresh_uids = {pod["metadata"]["uid"] for pod in self.fresh}
        won, lost = [p for p in self.fresh if facts(p).phase == "Succeeded"], [p for p in self.fresh if failed(job, p)]
        self.backoff = job_policies.next_backoff(record, won, lost)
        counted = [pod for pod in lost if self.counts_as_failure(pod)]
        self.failed = self.status.get("failed", 0) + len(counted) + len(self.uncounted("failed"))
        self.succeeded = self.status.get("succeeded", 0) + len(won) + len(self.uncounted("succeeded"))
        self.done: set[int] = set()
        self.failed_indexes: set[int] = set()
        self.delayed: dict[int, Map] = {}  # index -> its last failed Pod, kept until it is replaced
        if _indexed(job):
            self._read_indexes()

    def uncounted(self, kind: str) -> list[str]:
        found: list[str] = self.status["uncountedTerminatedPods"].get(kind, [])
        return found

    def _valid(self, pod: Map) -> bool:
        index = job_indexes.index_of(pod)
        return not _indexed(self.job) or (index is not None and index < (self.completions or 0))

    def counts_as_failure(self, pod: Map) -> bool:
        rule = job_policies.failure_rule(self.job["spec"].get("podFailurePolicy"), pod)
        return rule is None or rule[0] != "Ignore"

    def _read_indexes(self) -> None:
        completions = self.completions or 0
        self.done = job_indexes.parse(self.status.get("completedIndexes"), completions)
        self.done |= {index for pod in self.pods if _tracked(pod) and facts(pod).phase == "Succeeded" and self._valid(pod)
                      and (index := job_indexes.index_of(pod)) is not None}
        self.succeeded = len(self.done)
        if not _per_index(self.job):
            return
        self.failed_indexes = job_indexes.parse(self.status.get("failedIndexes"), completions)
        lost = [(index, pod) for pod in self.fresh if failed(self.job, pod) and (index := job_indexes.index_of(pod)) is not None]
        self.failed_indexes |= {index for index, pod in lost if self._index_failed(pod)}
        taken = self.done | self.failed_indexes | {index for pod in self.active
                                                   if (index := job_indexes.index_of(pod)) is not None}
        for index, pod in lost:
            last = self.delayed.get(index)
            if index not in taken and (last is None or job_policies.finished_at(pod) >= job_policies.finished_at(last)):
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
        if self.verdict is None and _indexed(self.job):
            self._judge_indexes()

    def _judge_indexes(self) -> None:
        spec, lost = self.job["spec"], len(self.failed_indexes)
        if _per_index(self.job) and spec.get("maxFailedIndexes") is not None and lost > spec["maxFailedIndexes"]:
            self.verdict = ("FailureTarget", *TOO_MANY_INDEXES)
        elif _per_index(self.job) and lost and lost + len(self.done) >= (self.completions or 0):
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
        restarts: int = sum(c.get("restartCount", 0) for pod in self.pods if facts(pod).phase in ("Running", "Pending")
                       for kind in ("initContainerStatuses", "containerStatuses") for c in pod["status"].get(kind) or ())
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
        if _indexed(self.job):
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


class JobController(Controller):
    name = "job-controller"

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        self.state["backoff"] = {}  # job uid -> [failures after the last success, ms of the last failure]

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "pods")
        self.cluster.etcd.subscribe("jobs", self._on_job)
        self.cluster.etcd.subscribe("pods", self._on_pod)

    def _on_job(self, change: Change) -> None:
        if change.type == "DELETED":
            self.state["backoff"].pop(change.object["metadata"]["uid"], None)
            for pod in self.cluster.etcd.owned(change.object["metadata"]["uid"], "pods"):
                self._ask_lost(pod, change)
            return
        old, new = change.old, change.object
        same = (old is not None and old["metadata"].get("generation") == new["metadata"].get("generation")
                and is_deleting(old) == is_deleting(new))
        self.enqueue(change.key, BATCH_MS if same else None, because=change.cause)

    def _on_pod(self, change: Change) -> None:
        if unchanged(change):
            return
        for key in _of_pod(self, change):
            self.enqueue(key, BATCH_MS, because=change.cause)
        if change.type != "DELETED" and _tracked(change.object):
            owner = controller_of(change.object)
            if owner is None or (owner["kind"] == "Job" and self._job_of(change.object, owner) is None):
                self._ask_lost(change.object, change)

    def _job_of(self, pod: Map, owner: Map) -> Map | None:
        job = self.cluster.etcd.get("jobs", f"{pod['metadata']['namespace']}/{owner['name']}")
        return job if job is not None and job["metadata"]["uid"] == owner["uid"] else None

    def _ask_lost(self, pod: Map, change: Change) -> None:
        if _tracked(pod):
            self.enqueue(f"{LOST}{pod['metadata']['namespace']}/{pod['metadata']['name']}", because=change.cause)

    def reconcile(self, key: str) -> int | None:
        if key.startswith(LOST):
            return self._release(key.removeprefix(LOST))
        job = self.cluster.etcd.get("jobs", key)
        if job is None or is_finished(job):
            return None
        selector, uid = job["spec"].get("selector"), job["metadata"]["uid"]
        pods = claim(self.client, job, "pods", controlled(uid, self.cluster.etcd.owned(uid, "pods")),
                     self.orphans.of(job["metadata"]["namespace"]),
                     lambda pod: selects(selector, pod["metadata"].get("labels")))
        turn = Turn(job, pods, self.state["backoff"].get(uid, [0, 0]), self.now)
        if not turn.status.get("startTime") and not job["spec"].get("suspend"):
            turn.status["startTime"] = rfc3339(self.now)
        turn.judge()
        error = self._manage(turn)
        self._track(turn)
        if error is not None:
            raise error
        return min(turn.again, default=None)

    def _release(self, key: str) -> int | None:
        """syncOrphanPod: a tracked Pod without Job loses the finalizer, or it could never go."""
        pod = self.cluster.etcd.get("pods", key)
        if pod is not None and _tracked(pod):
            owner = controller_of(pod)
            if owner is None or self._job_of(pod, owner) is None:
                self._untrack(pod, Cause("job-pod-released"))
        return None

    # ---- Pods

    def _manage(self, turn: Turn) -> ApiError | None:
        """Delete what is too much, or create what lacks; then `status` knows how many are active."""
        job, status = turn.job, turn.status
        error: ApiError | None = None
        active = len(turn.active)
        if turn.verdict is not None:
            active, error = self._delete(turn, turn.active, Cause("job-too-many", {"parallelism": 0}))
            if active:
                turn.verdict = None
        elif not is_deleting(job):
            active, error = self._balance(turn)
            if turn.complete(active):
                turn.verdict = ("SuccessCriteriaMet", *COMPLETED)
            else:
                self._note_suspension(turn)
        elif turn.complete(active):
            turn.verdict = ("SuccessCriteriaMet", *COMPLETED)
        status.update(active=active, ready=turn.ready, terminating=turn.terminating)
        return error

    def _balance(self, turn: Turn) -> tuple[int, ApiError | None]:
        """manageJob: (active Pods afterwards, what failed). Deletions go first; a back-off counts as no active Pods."""
        surplus = turn.surplus()
        if surplus:
            return self._delete(turn, surplus, Cause("job-too-many", {"parallelism": turn.job["spec"].get("parallelism", 1)}))
        if turn.job["spec"].get("suspend"):
            return 0, None
        active = len(turn.active)
        missing = min(turn.wanted() - active - (turn.terminating if _only_replaces_failed(turn.job) else 0), BURST)
        if missing <= 0:
            return active, None
        if not _per_index(turn.job) and (left := job_policies.backoff_left(turn.backoff[0], turn.backoff[1], self.now)):
            return self._hold(turn, left)
        indexes = self._free_indexes(turn, missing) if _indexed(turn.job) else [None] * missing
        if not indexes:
            return (0 if turn.again else active), None
        facts_ = {"succeeded": turn.succeeded, "want": turn.completions if turn.completions is not None else 1}
        done, error = slow_start(len(indexes), lambda n: create_pod(self.client, turn.job, self._pod(turn, indexes[n]),
                                                                    Cause("job-too-few", facts_)))
        return active + done, None if error is None or namespace_terminating(error) else error

    def _hold(self, turn: Turn, left: int) -> tuple[int, None]:
        metadata = turn.job["metadata"]
        turn.again.append(left)
        self.note("job-backoff", {"delay_ms": left, "failures": turn.backoff[0]},
                  f"jobs/{metadata['namespace']}/{metadata['name']}")
        return 0, None

    def _free_indexes(self, turn: Turn, number: int) -> list[int | None]:
        busy = {index for pod in turn.pods if (is_active(pod) or (is_terminating(pod) and _only_replaces_failed(turn.job)))
                and (index := job_indexes.index_of(pod)) is not None}
        found = job_indexes.first_pending(number, turn.completions or 0, busy | turn.done | turn.failed_indexes)
        ready: list[int | None] = []
        for index in found:
            last = turn.delayed.get(index)
            left = job_policies.backoff_left(turn.index_failures(last), job_policies.finished_at(last),
                                             self.now) if last is not None else 0
            if left:
                turn.again.append(left)
            else:
                ready.append(index)
        return ready

    def _pod(self, turn: Turn, index: int | None) -> dict[str, Any]:
        job = turn.job
        template, name = job["spec"]["template"], job["metadata"]["name"]
        if index is None:
            return new_pod(template, job, generate=f"{name}-", finalizers=[TRACKING])
        annotations = {job_indexes.INDEX: str(index)}
        if _per_index(job):
            last = turn.delayed.get(index)
            annotations[job_indexes.FAILURES] = str(turn.index_failures(last) if last is not None else 0)
        variable = {"name": "JOB_COMPLETION_INDEX",
                    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{job_indexes.INDEX}']"}}}

        def with_index(container: Any) -> Any:
            held = container.get("env") or ()
            return container if any(one["name"] == variable["name"] for one in held) else {**container, "env": [*held, variable]}
        spec = {**template["spec"], "hostname": f"{name}-{index}",
                "containers": [with_index(c) for c in template["spec"]["containers"]]}
        if template["spec"].get("initContainers"):
            spec["initContainers"] = [with_index(c) for c in template["spec"]["initContainers"]]
        return new_pod(template, job, generate=f"{name}-{index}-", labels={job_indexes.INDEX: str(index)},
                       annotations=annotations,
                       finalizers=[TRACKING], spec=spec)

    def _delete(self, turn: Turn, pods: Iterable[Map], cause: Cause) -> tuple[int, ApiError | None]:
        first_error, gone = None, 0
        for pod in list(pods):
            try:
                delete_pod(self.client, turn.job, pod, cause)
                gone += 1
                turn.ready -= is_ready(pod)
                turn.terminating += 1
            except ApiError as error:
                first_error = first_error or error
        return len(turn.active) - gone, first_error

    # ---- suspension

    def _note_suspension(self, turn: Turn) -> None:
        suspended, held = bool(turn.job["spec"].get("suspend")), conditions.find(turn.job, "Suspended")
        if suspended == (held is not None and held["status"] == "True"):
            return
        reason, message = ("JobSuspended", "Job suspended") if suspended else ("JobResumed", "Job resumed")
        if held is None and not suspended:
            return
        self._set_condition(turn, "Suspended", "True" if suspended else "False", reason, message)
        self.client.event(turn.job, "Normal", "Suspended" if suspended else "Resumed", message)
        if suspended:
            turn.status.pop("startTime", None)
        else:
            turn.status["startTime"] = rfc3339(self.now)

    def _set_condition(self, turn: Turn, kind: str, status: str, reason: str, message: str) -> None:
        """ensureJobConditionStatus: an existing condition is changed in its place."""
        held: list[Any] = turn.status.setdefault("conditions", [])
        new = {"type": kind, "status": status, "lastProbeTime": rfc3339(self.now), "lastTransitionTime": rfc3339(self.now),
               "reason": reason,
               "message": message}
        at = next((i for i, c in enumerate(held) if c["type"] == kind), None)
        if at is None:
            held.append(new)
        elif held[at]["status"] != status:
            held[at] = new

    # ---- counting (trackJobStatusAndRemoveFinalizers)

    def _track(self, turn: Turn) -> None:
        job, status = turn.job, turn.status
        released = self._note_ended(turn)
        if turn.verdict is not None and turn.verdict[0] in ("FailureTarget", "SuccessCriteriaMet"):
            if conditions.find(job, turn.verdict[0]) is None:
                self._set_condition(turn, turn.verdict[0], "True", *turn.verdict[1:])
            turn.verdict = ("Failed" if turn.verdict[0] == "FailureTarget" else "Complete", *turn.verdict[1:])
        self.state["backoff"][job["metadata"]["uid"]] = turn.backoff
        self._flush(turn)
        for pod in released:
            now = self.cluster.etcd.get("pods", f"{pod['metadata']['namespace']}/{pod['metadata']['name']}")
            if now is not None and now["metadata"]["uid"] == pod["metadata"]["uid"]:
                self._untrack(now, Cause("job-pod-counted"))
        self._count(turn)
        finished = turn.verdict is not None and not turn.terminating and not any(status["uncountedTerminatedPods"].values())
        if finished and turn.verdict is not None:
            self._set_condition(turn, turn.verdict[0], "True", *turn.verdict[1:])
            if turn.verdict[0] == "Complete":
                status["completionTime"] = rfc3339(self.now)
        self._flush(turn)
        if finished and turn.verdict is not None:
            failed_ = turn.verdict[0] == "Failed"
            self.client.event(job, "Warning" if failed_ else "Normal",
                              *(turn.verdict[1:] if failed_ else ("Completed", "Job completed")))

    def _note_ended(self, turn: Turn) -> list[Map]:
        """Write ended Pods into the lists of the uncounted. Returns those whose finalizer may go."""
        released, uncounted = [], turn.status["uncountedTerminatedPods"]
        kept = {pod["metadata"]["uid"] for pod in turn.delayed.values()}
        over = turn.verdict is not None and turn.verdict[0] != "SuccessCriteriaMet"
        for pod in turn.pods:
            lost, uid = failed(turn.job, pod), pod["metadata"]["uid"]
            ended = facts(pod).phase == "Succeeded" or lost or turn.verdict is not None or is_deleting(turn.job)
            if not _tracked(pod) or not ended or (not is_deleting(turn.job) and turn.verdict is None and uid in kept):
                continue
            released.append(pod)
            if facts(pod).phase == "Succeeded":
                if not _indexed(turn.job) and uid not in turn.uncounted("succeeded"):
                    uncounted.setdefault("succeeded", []).append(uid)
            elif (lost or over) and uid in turn.fresh_uids and turn.counts_as_failure(pod):
                uncounted.setdefault("failed", []).append(uid)
        if _indexed(turn.job):
            turn.status["succeeded"], turn.status["completedIndexes"] = len(turn.done), job_indexes.format_(turn.done)
            if _per_index(turn.job):
                turn.status["failedIndexes"] = job_indexes.format_(turn.failed_indexes)
        return released

    def _count(self, turn: Turn) -> None:
        """cleanUncountedPodsWithoutFinalizers."""
        tracked = {pod["metadata"]["uid"] for pod in self.cluster.etcd.owned(turn.job["metadata"]["uid"], "pods")
                   if _tracked(pod)}
        for kind in ("succeeded", "failed"):
            before = turn.uncounted(kind)
            left = [uid for uid in before if uid in tracked]
            if len(left) != len(before):
                turn.status[kind] = turn.status.get(kind, 0) + len(before) - len(left)
                turn.status["uncountedTerminatedPods"].pop(kind, None)
                if left:
                    turn.status["uncountedTerminatedPods"][kind] = left

    def _flush(self, turn: Turn) -> None:
        status = conditions.drop_zeros(turn.status, "ready", "terminating", "uncountedTerminatedPods", "failedIndexes")
        if status == (turn.job.get("status") or EMPTY):
            return
        kind, facts_ = "job-status", {"active": status.get("active", 0), "succeeded": status.get("succeeded", 0),
                                      "failed": status.get("failed", 0)}
        ended = next((c for c in status.get("conditions") or () if c["type"] in ("Complete", "Failed")
                      and c["status"] == "True"), None)
        if ended is not None:
            kind, facts_ = ("job-complete", facts_) if ended["type"] == "Complete" else ("job-failed",
                                                                                         {**facts_, "reason": ended["reason"]})
        turn.job = self.client.update("jobs", {**turn.job, "status": status}, subresource="status", cause=Cause(kind, facts_))

    def _untrack(self, pod: Map, cause: Cause) -> None:
        metadata = pod["metadata"]
        rest = [name for name in metadata["finalizers"] if name != TRACKING]
        try:
            self.client.patch("pods", metadata["name"], {"metadata": {"uid": metadata["uid"], "finalizers": rest or None}},
                              metadata["namespace"], cause=cause)
        except ApiError as error:
            if error.code != 404:
                raise
