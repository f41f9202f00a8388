"""CronJob: a Job at each time of a schedule (pkg/controller/cronjob/cronjob_controllerv2.go, utils.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, owner_key
from ..controllers_common import conditions
from ..controllers_common.owners import controlled, reference
from ..controllers_common.pods import is_deleting
from ..controllers_common.templates import namespace_terminating
from ..cron import Schedule, ScheduleError, parse
from ..etcd import Change
from ..objects import EMPTY, Map, thaw
from ..times import parse_rfc3339, rfc3339

NEXT_DELTA_MS = 100  # nextScheduleDelta: a little after the slot, so that it has surely come
MANY_MISSED = 100
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"

_schedule = lru_cache(maxsize=256)(parse)


def most_recent(schedule: Schedule, earliest: int, now: int) -> tuple[int | None, int]:
    """mostRecentScheduleTime: (the last slot in (earliest, now] or None, about how many slots were missed)."""
    first = schedule.next(earliest)
    if first is None or now < first:
        return None, 0
    second = schedule.next(first)
    if second is None or now < second:
        return first, 1
    between = max(1000, second - first)
    missed = (now - first) // between + 1
    slot, at = None, schedule.next(first + (missed - 2) * between)
    while at is not None and at <= now:
        slot, at = at, schedule.next(at)
    return slot, missed


def finished(job: Map) -> str | None:
    """Complete or Failed, or None while it runs (FinishedCondition)."""
    return next((kind for kind in ("Complete", "Failed") if conditions.is_true(job, kind)), None)


def to_remove(jobs: list[Map], kind: str, limit: int | None) -> list[Map]:
    """removeOldestJobs: the oldest finished Jobs of a kind beyond the limit."""
    ended = [job for job in jobs if finished(job) == kind]
    if limit is None or len(ended) <= limit:
        return []
    ended.sort(key=lambda job: ((job.get("status") or EMPTY).get("startTime") or "~", job["metadata"]["name"]))  # byJobStartTime: none comes last
    return ended[:len(ended) - limit]


def wait_ms(schedule: Schedule, last: int, now: int) -> int | None:
    """nextScheduleTimeDuration: ms until the slot after the last that has come since `last`; None when there is none any more."""
    slot, missed = most_recent(schedule, last, now)
    following = schedule.next(slot if slot is not None else now if missed else last)
    return max(0, following + NEXT_DELTA_MS - now) if following is not None else None


def last_of(cronjob: Map, status: Mapping[str, Any]) -> int:
    return parse_rfc3339(status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])


def _of_cronjob(controller: Controller, change: Change) -> Iterable[str]:
    """updateCronJob: another schedule or time zone is looked at when its next slot has come, whatever else changed at once."""
    old, spec = change.old, change.object["spec"]
    if change.type != "MODIFIED" or old is None or all(old["spec"].get(name) == spec.get(name) for name in ("schedule", "timeZone")):
        return (change.key,)
    try:
        after = wait_ms(_schedule(spec["schedule"], spec.get("timeZone") or "UTC"), last_of(change.object, change.object.get("status") or EMPTY),
                        controller.now)
    except (ZoneInfoNotFoundError, ValueError):
        return (change.key,)
    if after is not None:
        controller.enqueue(change.key, after, because=change.cause)
    return ()


class CronJobController(Controller):
    name = "cronjob-controller"
    watches = {"cronjobs": _of_cronjob, "jobs": owner_key("CronJob")}

    def reconcile(self, key: str) -> int | None:
        cronjob = self.cluster.etcd.get("cronjobs", key)
        if cronjob is None:
            return None
        uid = cronjob["metadata"]["uid"]
        jobs = controlled(uid, self.cluster.etcd.owned(uid, "jobs"))
        status: dict[str, Any] = thaw(cronjob.get("status") or EMPTY)
        self._watch_jobs(cronjob, jobs, status)
        again = None
        try:
            if not is_deleting(cronjob) and not cronjob["spec"].get("suspend"):
                again = self._start_due(cronjob, status)
        finally:
            self._clean_up(cronjob, jobs, status)
            status = conditions.drop_zeros(status)
            if status != (cronjob.get("status") or EMPTY):
                facts = {"active": len(status.get("active", ()))}
                self.client.update("cronjobs", {**cronjob, "status": status}, subresource="status",
                                   cause=Cause("cronjob-status", facts))
        return again

    # ---- Jobs that were started

    def _watch_jobs(self, cronjob: Map, jobs: list[Map], status: dict[str, Any]) -> None:
        active = {entry.get("uid", ""): entry for entry in status.get("active") or ()}  # anybody may write a status
        for job in jobs:
            metadata, ended = job["metadata"], finished(job)
            if metadata["uid"] not in active and ended is None:
                self._event(cronjob, "Warning", "UnexpectedJob",
                            f"Saw a job that the controller did not create or forgot: {metadata['name']}")
            elif metadata["uid"] in active and ended is not None:
                del active[metadata["uid"]]
                self._event(cronjob, "Normal", "SawCompletedJob", f"Saw completed job: {metadata['name']}, condition: {ended}")
            done = (job.get("status") or EMPTY).get("completionTime")
            if ended == "Complete" and done and done > (status.get("lastSuccessfulTime") or ""):
                status["lastSuccessfulTime"] = done
        known = {job["metadata"]["uid"] for job in jobs}
        for uid, entry in list(active.items()):
            if uid not in known:
                del active[uid]
                self._event(cronjob, "Normal", "MissingJob", f"Active job went missing: {entry.get('name', '')}")
        status["active"] = list(active.values())

    def _clean_up(self, cronjob: Map, jobs: list[Map], status: dict[str, Any]) -> None:
        spec = cronjob["spec"]
        for kind, limit in (("Complete", spec.get("successfulJobsHistoryLimit")), ("Failed", spec.get("failedJobsHistoryLimit"))):
            for job in to_remove(jobs, kind, limit):
                self._delete(cronjob, job["metadata"]["name"], job["metadata"]["uid"], status,
                             Cause("cronjob-history", {"limit": limit}))

    def _delete(self, cronjob: Map, name: str, uid: str, status: dict[str, Any], cause: Cause) -> None:
        try:
            self.client.delete("jobs", name, cronjob["metadata"]["namespace"], propagation="Background", cause=cause)
        except ApiError as error:
            if error.code != 404:
                self._event(cronjob, "Warning", "FailedDelete", f"Deleted job: {error.message}")
                raise
        status["active"] = [entry for entry in status.get("active") or () if entry.get("uid", "") != uid]
        self._event(cronjob, "Normal", "SuccessfulDelete", f"Deleted job {name}")

    # ---- the Job that is due

    def _start_due(self, cronjob: Map, status: dict[str, Any]) -> int | None:
        """Returns ms until the next slot."""
        spec = cronjob["spec"]
        try:
            if spec.get("timeZone"):
                ZoneInfo(spec["timeZone"])
            schedule = _schedule(spec["schedule"], spec.get("timeZone") or "UTC")
        except (ZoneInfoNotFoundError, ValueError) as error:
            reason = "UnparseableSchedule" if isinstance(error, ScheduleError) else "UnknownTimeZone"
            text = f'unparseable schedule: "{spec["schedule"]}" : {error}' if reason == "UnparseableSchedule" else \
                f'invalid timeZone: "{spec["timeZone"]}": unknown time zone {spec["timeZone"]}'
            self._event(cronjob, "Warning", reason, text)
            return None
        last = last_of(cronjob, status)
        deadline = spec.get("startingDeadlineSeconds")
        earliest = max(last, self.now - deadline * 1000) if deadline is not None else last
        slot, missed = most_recent(schedule, earliest, self.now)
        if missed > MANY_MISSED:
            self._event(cronjob, "Warning", "TooManyMissedTimes", "too many missed start times. Set or decrease "
                        ".spec.startingDeadlineSeconds or check clock skew")
        if slot is not None:
            self._start(cronjob, slot, status)
        return wait_ms(schedule, last_of(cronjob, status), self.now)  # the deadline has no say in this

    def _start(self, cronjob: Map, slot: int, status: dict[str, Any]) -> None:
        spec, metadata = cronjob["spec"], cronjob["metadata"]
        deadline, active = spec.get("startingDeadlineSeconds"), status.get("active") or []
        if deadline is not None and slot + deadline * 1000 < self.now:
            when = format_datetime(datetime.fromtimestamp(slot // 1000, UTC))
            self._event(cronjob, "Warning", "MissSchedule", f"Missed scheduled time to start a job: {when}")
            return
        name = f"{metadata['name']}-{slot // 60_000}"
        if any(entry.get("name") == name for entry in active) or status.get("lastScheduleTime") == rfc3339(slot):
            return
        if spec.get("concurrencyPolicy") == "Forbid" and active:
            self._event(cronjob, "Normal", "JobAlreadyActive",
                        "Not starting job because prior execution is running and concurrency policy is Forbid")
            self.note("cronjob-skipped", {"policy": "Forbid"}, f"cronjobs/{metadata['namespace']}/{metadata['name']}")
            return
        if spec.get("concurrencyPolicy") == "Replace":
            for entry in active:
                self._delete(cronjob, entry["name"], entry["uid"], status, Cause("cronjob-replaced", {"policy": "Replace"}))
        try:
            job = self.client.create("jobs", self._job(cronjob, name, slot), metadata["namespace"],
                                     cause=Cause("cronjob-due", {"schedule": spec["schedule"], "slot": rfc3339(slot)}))
        except ApiError as error:
            if error.reason == "AlreadyExists":
                status["lastScheduleTime"] = rfc3339(slot)
            elif not namespace_terminating(error):
                self._event(cronjob, "Warning", "FailedCreate", f"Error creating job: {error.message}")
                raise
            return
        self._event(cronjob, "Normal", "SuccessfulCreate", f"Created job {name}")
        made = job["metadata"]
        status["active"] = [*(status.get("active") or []),
                            {"kind": "Job", "namespace": made["namespace"], "name": name, "uid": made["uid"],
                                                           "apiVersion": "batch/v1", "resourceVersion": made["resourceVersion"]}]
        status["lastScheduleTime"] = rfc3339(slot)

    @staticmethod
    def _job(cronjob: Map, name: str, slot: int) -> dict[str, Any]:
        template, zone = cronjob["spec"]["jobTemplate"], cronjob["spec"].get("timeZone")
        held = template.get("metadata") or EMPTY
        at = rfc3339(slot)
        if zone:
            at = datetime.fromtimestamp(slot // 1000, ZoneInfo(zone)).isoformat()
        metadata = {"name": name, "namespace": cronjob["metadata"]["namespace"], "labels": dict(held.get("labels") or EMPTY),
                    "annotations": {**(held.get("annotations") or EMPTY), SCHEDULED_AT: at},
                    "ownerReferences": [reference(cronjob)]}
        if not metadata["labels"]:
            del metadata["labels"]
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}

    def _event(self, cronjob: Map, kind: str, reason: str, message: str) -> None:
        self.client.event(cronjob, kind, reason, message)
