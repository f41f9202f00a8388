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
from ..controllers_common.job_turn import (
    COMPLETED,
    TRACKING,
    Turn,
    failed,
    indexed,
    is_finished,
    only_replaces_failed,
    per_index,
    tracked,
)
from ..controllers_common.owners import Orphans, claim, controlled, controller_of, selecting, several
from ..controllers_common.pods import counting, facts, is_active, is_deleting, is_ready, is_terminating
from ..controllers_common.templates import BURST, create_pod, delete_pod, namespace_terminating, new_pod, slow_start
from ..etcd import Change
from ..objects import EMPTY, Map
from ..selectors import selects
from ..times import rfc3339

BATCH_MS = 1_000  # SyncJobBatchPeriod: changes of Pods are gathered so long
BUILT_IN = "kubernetes.io/job-controller"  # JobControllerName: the spec.managedBy of Jobs that are this controller's
LOST = "pod "  # prefix of the keys of Pods whose Job has gone

_of_pod = several(owner_key("Job"), selecting(
    "jobs", lambda job, pod: selects(job["spec"].get("selector"), pod["metadata"].get("labels"))))


class JobController(Controller):
    name = "job-controller"
    retry_ms = (1_000, 60_000)  # DefaultJobApiBackOff, MaxJobApiBackOff

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        self.state["backoff"] = {}  # job uid -> [failures after the last success, ms of the last failure]

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "pods")
        self.cluster.etcd.subscribe("jobs", self._on_job)
        self.cluster.etcd.subscribe("pods", self._on_pod, counting("Job"))

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
        for key in _of_pod(self, change):
            self.enqueue(key, BATCH_MS, because=change.cause)
        if change.type != "DELETED" and tracked(change.object):
            owner = controller_of(change.object)
            if owner is None or (owner["kind"] == "Job" and self._job_of(change.object, owner) is None):
                self._ask_lost(change.object, change)

    def _job_of(self, pod: Map, owner: Map) -> Map | None:
        job = self.cluster.etcd.get("jobs", f"{pod['metadata']['namespace']}/{owner['name']}")
        return job if job is not None and job["metadata"]["uid"] == owner["uid"] else None

    def _ask_lost(self, pod: Map, change: Change) -> None:
        if tracked(pod):
            self.enqueue(f"{LOST}{pod['metadata']['namespace']}/{pod['metadata']['name']}", because=change.cause)

    def reconcile(self, key: str) -> int | None:
        if key.startswith(LOST):
            return self._release(key.removeprefix(LOST))
        job = self.cluster.etcd.get("jobs", key)
        if job is None or is_finished(job) or job["spec"].get("managedBy", BUILT_IN) != BUILT_IN:
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
        if pod is not None and tracked(pod):
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
            active, error = self._delete(turn, turn.active, Cause("job-too-many", {"parallelism": 0}), counted=True)
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
            cause = Cause("job-too-many", {"parallelism": turn.job["spec"].get("parallelism", 1)})
            return self._delete(turn, surplus, cause, counted=False)
        if turn.job["spec"].get("suspend"):
            return 0, None
        active = len(turn.active)
        missing = min(turn.wanted() - active - (turn.terminating if only_replaces_failed(turn.job) else 0), BURST)
        if missing <= 0:
            return active, None
        if not per_index(turn.job) and (left := job_policies.backoff_left(turn.backoff[0], turn.backoff[1], self.now)):
            return self._hold(turn, left)
        indexes, left = self._free_indexes(turn, missing) if indexed(turn.job) else ([None] * missing, 0)
        if not indexes:
            return (0 if left else active), None
        facts_ = {"succeeded": turn.succeeded, "want": turn.completions if turn.completions is not None else 1}
        done, error = slow_start(len(indexes), lambda n: create_pod(self.client, turn.job, self._pod(turn, indexes[n]),
                                                                    Cause("job-too-few", facts_)))
        return active + done, None if error is None or namespace_terminating(error) else error

    def _hold(self, turn: Turn, left: int) -> tuple[int, None]:
        metadata = turn.job["metadata"]
        turn.again.append(max(left, BATCH_MS))
        self.note("job-backoff", {"delay_ms": left, "failures": turn.backoff[0]},
                  f"jobs/{metadata['namespace']}/{metadata['name']}")
        return 0, None

    def _free_indexes(self, turn: Turn, number: int) -> tuple[list[int | None], int]:
        """The lowest indexes that may have a Pod now, and ms until the first of the others may."""
        busy = {index for pod in turn.pods if (is_active(pod) or (is_terminating(pod) and only_replaces_failed(turn.job)))
                and (index := job_indexes.index_of(pod)) is not None}
        found = job_indexes.first_pending(number, turn.completions or 0, busy | turn.done | turn.failed_indexes)
        ready: list[int | None] = []
        waits: list[int] = []
        for index in found:
            last = turn.delayed.get(index)
            left = job_policies.backoff_left(job_indexes.absolute_failures_of(last) + 1, job_policies.finished_at(last),
                                             self.now) if last is not None else 0
            if left:
                waits.append(max(left, BATCH_MS))
            else:
                ready.append(index)
        turn.again += waits
        return ready, min(waits, default=0)

    def _pod(self, turn: Turn, index: int | None) -> dict[str, Any]:
        job = turn.job
        template, name = job["spec"]["template"], job["metadata"]["name"]
        if index is None:
            return new_pod(template, job, generate=f"{name}-", finalizers=[TRACKING])
        annotations = {job_indexes.INDEX: str(index)}
        if per_index(job):
            last = turn.delayed.get(index)
            annotations[job_indexes.FAILURES] = str(turn.index_failures(last) if last is not None else 0)
            if last is not None and (ignored := job_indexes.ignored_of(last) + (not turn.counts_as_failure(last))):
                annotations[job_indexes.IGNORED] = str(ignored)
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

    def _delete(self, turn: Turn, pods: Iterable[Map], cause: Cause, *, counted: bool) -> tuple[int, ApiError | None]:
        """deleteActivePods, whose Pods are counted as failed, or deleteJobPods, which takes their finalizer first: nobody counts them."""
        first_error, gone = None, 0
        for pod in list(pods):
            try:
                if not counted and tracked(pod):
                    self._untrack(pod, cause)
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
            if not failed_ and turn.completions is not None and status["succeeded"] > turn.completions:
                self.client.event(job, "Warning", "TooManySucceededPods",
                                  "Too many succeeded pods running after completion count reached")
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
            if not tracked(pod) or not ended or (not is_deleting(turn.job) and turn.verdict is None and uid in kept):
                continue
            released.append(pod)
            if facts(pod).phase == "Succeeded":
                if not indexed(turn.job) and uid not in turn.uncounted("succeeded"):
                    uncounted.setdefault("succeeded", []).append(uid)
            elif (lost or over) and uid in turn.fresh_uids and turn.counts_as_failure(pod):
                uncounted.setdefault("failed", []).append(uid)
        if indexed(turn.job):
            turn.status["succeeded"], turn.status["completedIndexes"] = len(turn.done), job_indexes.format_(turn.done)
            if per_index(turn.job):
                turn.status["failedIndexes"] = job_indexes.format_(turn.failed_indexes)
        return released

    def _count(self, turn: Turn) -> None:
        """cleanUncountedPodsWithoutFinalizers."""
        still = {pod["metadata"]["uid"] for pod in self.cluster.etcd.owned(turn.job["metadata"]["uid"], "pods")
                   if tracked(pod)}
        for kind in ("succeeded", "failed"):
            before = turn.uncounted(kind)
            left = [uid for uid in before if uid in still]
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
        rest = [name for name in metadata.get("finalizers") or () if name != TRACKING]
        try:
            self.client.patch("pods", metadata["name"], {"metadata": {"uid": metadata["uid"], "finalizers": rest or None}},
                              metadata["namespace"], cause=cause)
        except ApiError as error:
            if error.code != 404:
                raise
