"""Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, ReplicationControllers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import selectors, times
from ...apiserver.tables.texts import (
    Obj,
    controller_of,
    format_labels,
    format_selector,
    moment,
    print_bool,
    rfc1123z,
    selector_string,
    storage_class,
)
from ...objects import Map, thaw
from .events import Reader, describe_events, events_of
from .pods import controlled_by, describe_template
from .writer import Page

HASH_LABEL = "pod-template-hash"


def _head(page: Page, obj: Obj, *, created: bool = False) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.field("Namespace", obj["metadata"]["namespace"])
    if created:
        page.field("CreationTimestamp", rfc1123z(obj["metadata"]["creationTimestamp"]))


def _labels(page: Page, obj: Obj) -> None:
    page.labels("Labels", obj["metadata"].get("labels"))
    page.annotations("Annotations", obj["metadata"].get("annotations"))


def _tail(page: Page, client: Reader, obj: Map, kind: str, show_events: bool) -> None:
    if show_events:
        describe_events(page, events_of(client, obj, kind))


def _count(obj: Obj, field: str) -> int:
    return int((obj.get("status") or {}).get(field) or 0)


def _owns(owner: Obj, obj: Obj) -> bool:
    held = controller_of(obj)
    return held is not None and held["uid"] == owner["metadata"]["uid"]


def _pods_status(client: Reader, obj: Obj) -> str:
    """Pods this object controls, by phase (getPodStatusForController)."""
    selector = obj["spec"].get("selector") or {}
    plain = "matchLabels" not in selector and "matchExpressions" not in selector
    phases = {"Running": 0, "Pending": 0, "Succeeded": 0, "Failed": 0}
    for pod in client.list("pods", obj["metadata"]["namespace"]):
        labels = pod["metadata"].get("labels")
        chosen = selectors.selects_plain(selector, labels) if plain else selectors.selects(selector, labels)
        if chosen and _owns(obj, pod):
            phase = (pod.get("status") or {}).get("phase")
            if phase in phases:
                phases[phase] += 1
    return (f"{phases['Running']} Running / {phases['Pending']} Waiting / {phases['Succeeded']} Succeeded / "
            f"{phases['Failed']} Failed")


def _conditions(page: Page, obj: Obj) -> None:
    conditions = (obj.get("status") or {}).get("conditions")
    if conditions:
        page.line(0, "Conditions:\n  Type\tStatus\tReason")
        page.line(1, "----\t------\t------")
        for held in conditions:
            page.line(1, f"{held['type']} \t{held['status']}\t{held.get('reason', '')}")


def describe_deployment(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec, strategy = obj["spec"], obj["spec"].get("strategy") or {}
    _head(page, obj, created=True)
    _labels(page, obj)
    page.field("Selector", selector_string(spec["selector"]))
    page.field("Replicas", f"{spec.get('replicas', 1)} desired | {_count(obj, 'updatedReplicas')} updated | "
               f"{_count(obj, 'replicas')} total | {_count(obj, 'availableReplicas')} available | "
               f"{_count(obj, 'unavailableReplicas')} unavailable")
    page.field("StrategyType", strategy.get("type", ""))
    page.field("MinReadySeconds", spec.get("minReadySeconds", 0))
    rolling = strategy.get("rollingUpdate")
    if rolling:
        page.field("RollingUpdateStrategy",
                   f"{rolling.get('maxUnavailable', 0)} max unavailable, {rolling.get('maxSurge', 0)} max surge")
    describe_template(page, spec["template"])
    _conditions(page, obj)
    old, new = replica_sets(client, obj)
    if old or new:
        page.field("OldReplicaSets", _replica_sets(old))
        page.field("NewReplicaSet", _replica_sets(new))
    _tail(page, client, obj, "Deployment", show_events)


def replica_sets(client: Reader, deployment: Obj) -> tuple[list[Map], list[Map]]:
    """A Deployment's old ReplicaSets, oldest first, and its new one, if any: the oldest with the Deployment's template."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    owned = [rs for rs in client.list("replicasets", metadata["namespace"])
             if selectors.selects(spec["selector"], rs["metadata"].get("labels")) and _owns(deployment, rs)]
    owned.sort(key=lambda rs: (moment(rs["metadata"]["creationTimestamp"]), rs["metadata"]["name"]))
    wanted = _without_hash(spec["template"])
    new = next((rs for rs in owned if _without_hash(rs["spec"]["template"]) == wanted), None)
    return [rs for rs in owned if rs is not new], [new] if new is not None else []


def _without_hash(template: Obj) -> Any:
    plain = thaw(template)
    ((plain.get("metadata") or {}).get("labels") or {}).pop(HASH_LABEL, None)
    return plain


def _replica_sets(found: list[Map]) -> str:
    return ", ".join(f"{rs['metadata']['name']} ({_count(rs, 'replicas')}/{rs['spec'].get('replicas', 1)} replicas created)"
                     for rs in found) or "<none>"


def describe_replicaset(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    page.field("Selector", format_selector(obj["spec"]["selector"]))
    _labels(page, obj)
    controlled_by(page, obj)
    _replicas(page, client, obj)
    _tail(page, client, obj, "ReplicaSet", show_events)


def describe_replicationcontroller(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    page.field("Selector", format_labels(obj["spec"].get("selector")))
    _labels(page, obj)
    _replicas(page, client, obj)
    _tail(page, client, obj, "ReplicationController", show_events)


def _replicas(page: Page, client: Reader, obj: Obj) -> None:
    page.field("Replicas", f"{_count(obj, 'replicas')} current / {obj['spec'].get('replicas', 1)} desired")
    page.field("Pods Status", _pods_status(client, obj))
    describe_template(page, obj["spec"].get("template"))
    _conditions(page, obj)


def describe_statefulset(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec, strategy = obj["spec"], obj["spec"].get("updateStrategy") or {}
    _head(page, obj, created=True)
    page.field("Selector", selector_string(spec["selector"]))
    _labels(page, obj)
    page.field("Replicas", f"{spec.get('replicas', 1)} desired | {_count(obj, 'replicas')} total")
    page.field("Update Strategy", strategy.get("type", ""))
    rolling = strategy.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        page.field("Partition", rolling["partition"], 1)
        if rolling.get("maxUnavailable") is not None:
            page.field("MaxUnavailable", rolling["maxUnavailable"], 1)
    page.field("Pods Status", _pods_status(client, obj))
    describe_template(page, spec["template"])
    _claim_templates(page, spec.get("volumeClaimTemplates"))
    _tail(page, client, obj, "StatefulSet", show_events)


def _claim_templates(page: Page, templates: Any) -> None:
    if not templates:
        page.field("Volume Claims", "<none>")
        return
    page.line(0, "Volume Claims:")
    for claim in templates:
        page.field("Name", claim["metadata"]["name"], 1)
        page.field("StorageClass", storage_class(claim), 1)
        page.labels("Labels", claim["metadata"].get("labels"), 1)
        page.labels("Annotations", claim["metadata"].get("annotations"), 1)
        page.field("Capacity", ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "<default>"), 1)
        page.field("Access Modes", "[" + " ".join(claim["spec"].get("accessModes") or ()) + "]", 1)


def describe_daemonset(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec = obj["spec"]
    _head(page, obj)
    page.field("Selector", selector_string(spec["selector"]))
    page.field("Node-Selector", format_labels(spec["template"]["spec"].get("nodeSelector")))
    _labels(page, obj)
    for title, field in (("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
                         ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
                         ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
                         ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
                         ("Number of Nodes Misscheduled", "numberMisscheduled")):
        page.line(0, f"{title}: {_count(obj, field)}")
    page.field("Pods Status", _pods_status(client, obj))
    describe_template(page, spec["template"])
    _tail(page, client, obj, "DaemonSet", show_events)


def describe_job(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    _head(page, obj)
    page.field("Selector", selector_string(spec.get("selector")))
    _labels(page, obj)
    controlled_by(page, obj)
    if spec.get("parallelism") is not None:
        page.field("Parallelism", spec["parallelism"])
    page.field("Completions", _unset(spec.get("completions")))
    for title, field in (("Completion Mode", "completionMode"), ("Suspend", "suspend"), ("Backoff Limit", "backoffLimit"),
                         ("TTL Seconds After Finished", "ttlSecondsAfterFinished")):
        if spec.get(field) is not None:
            page.field(title, str(spec[field]).lower() if field == "suspend" else spec[field])
    _job_times(page, status)
    if spec.get("activeDeadlineSeconds") is not None:
        page.field("Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if status.get("ready") is not None else ""
    page.field("Pods Statuses", f"{_count(obj, 'active')} Active{ready} / {_count(obj, 'succeeded')} Succeeded / "
                                f"{_count(obj, 'failed')} Failed")
    if spec.get("completionMode") == "Indexed":
        page.field("Completed Indexes", _indexes(status.get("completedIndexes") or ""))
    describe_template(page, spec["template"])
    _tail(page, client, obj, "Job", show_events)


def _job_times(page: Page, status: Mapping[str, Any]) -> None:
    started, ended = status.get("startTime"), status.get("completionTime")
    if started:
        page.field("Start Time", rfc1123z(started))
    if ended:
        page.field("Completed At", rfc1123z(ended))
    if started and ended:
        page.field("Duration", times.human_duration(moment(ended) - moment(started)))


def _indexes(text: str, limit: int = 50) -> str:
    """Cut at the first comma from the 50th character on (capIndexesListOrNone)."""
    comma = text.find(",", limit)
    return "<none>" if not text else text if comma < 0 else text[:comma + 1] + "..."


def _unset(value: Any, suffix: str = "") -> str:
    return "<unset>" if value is None else f"{value}{suffix}"


def describe_cronjob(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    _head(page, obj)
    _labels(page, obj)
    page.field("Schedule", spec["schedule"])
    page.field("Concurrency Policy", spec.get("concurrencyPolicy", ""))
    page.field("Suspend", print_bool(spec.get("suspend")))
    page.field("Time Zone", _unset(spec.get("timeZone")))
    page.field("Successful Job History Limit", _unset(spec.get("successfulJobsHistoryLimit")))
    page.field("Failed Job History Limit", _unset(spec.get("failedJobsHistoryLimit")))
    page.field("Starting Deadline Seconds", _unset(spec.get("startingDeadlineSeconds"), "s"))
    job = spec["jobTemplate"].get("spec") or {}
    page.field("Selector", selector_string(job["selector"]) if job.get("selector") is not None else "<unset>")
    page.field("Parallelism", _unset(job.get("parallelism")))
    page.field("Completions", _unset(job.get("completions")))
    if job.get("activeDeadlineSeconds") is not None:
        page.field("Active Deadline Seconds", f"{job['activeDeadlineSeconds']}s")
    describe_template(page, job.get("template"))
    last = status.get("lastScheduleTime")
    page.field("Last Schedule Time", rfc1123z(last) if last else "<unset>")
    page.field("Active Jobs", ", ".join(active["name"] for active in status.get("active") or ()) or "<none>")
    _tail(page, client, obj, "CronJob", show_events)
