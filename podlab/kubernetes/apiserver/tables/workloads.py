"""Columns of what makes Pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, and their kin."""

from __future__ import annotations

from typing import Any

from ... import times
from .texts import Obj, age, controller_of, format_labels, format_selector, is_true, moment, print_bool, selector_string, since

# printJob: the first condition that is True names the state
JOB_STATES = (("Complete", "Complete"), ("Failed", "Failed"), ("", "Terminating"), ("Suspended", "Suspended"),
              ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet"))


def layout(template: Obj | None) -> list[Any]:
    """The names and the images of a Pod template's containers."""
    containers = ((template or {}).get("spec") or {}).get("containers") or ()
    return [",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)]


def count(obj: Obj, field: str) -> int:
    return int((obj.get("status") or {}).get(field) or 0)


def deployment_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    return [obj["metadata"]["name"], f"{count(obj, 'readyReplicas')}/{spec.get('replicas', 1)}", count(obj, "updatedReplicas"),
            count(obj, "availableReplicas"), age(obj, now), *layout(spec["template"]), selector_string(spec["selector"])]


def replicaset_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    return [obj["metadata"]["name"], spec.get("replicas", 1), count(obj, "replicas"), count(obj, "readyReplicas"), age(obj, now),
            *layout(spec.get("template")), format_selector(spec["selector"])]


def replicationcontroller_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    return [obj["metadata"]["name"], spec.get("replicas", 1), count(obj, "replicas"), count(obj, "readyReplicas"), age(obj, now),
            *layout(spec.get("template")), format_labels(spec.get("selector"))]


def scale_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj["spec"].get("replicas", 0), count(obj, "replicas"), age(obj, now)]


def statefulset_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    return [obj["metadata"]["name"], f"{count(obj, 'readyReplicas')}/{spec.get('replicas', 1)}", age(obj, now),
            *layout(spec["template"])]


def daemonset_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    return [obj["metadata"]["name"], count(obj, "desiredNumberScheduled"), count(obj, "currentNumberScheduled"),
            count(obj, "numberReady"), count(obj, "updatedNumberScheduled"), count(obj, "numberAvailable"),
            format_labels(spec["template"]["spec"].get("nodeSelector")), age(obj, now), *layout(spec["template"]),
            format_selector(spec["selector"])]


def job_cells(obj: Obj, now: int) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    done, parallelism = count(obj, "succeeded"), spec.get("parallelism") or 0
    if spec.get("completions") is not None:
        completions = f"{done}/{spec['completions']}"
    else:
        completions = f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"
    started, ended = status.get("startTime"), status.get("completionTime")
    duration = times.human_duration((moment(ended) if ended else now) - moment(started)) if started else ""
    return [obj["metadata"]["name"], job_state(obj), completions, duration, age(obj, now), *layout(spec["template"]),
            format_selector(spec.get("selector"))]


def job_state(obj: Obj) -> str:
    """The STATUS of a Job."""
    for type_, name in JOB_STATES:
        if is_true(obj, type_) if type_ else obj["metadata"].get("deletionTimestamp"):
            return name
    return "Running"


def cronjob_cells(obj: Obj, now: int) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    last, job = status.get("lastScheduleTime"), spec["jobTemplate"]["spec"]
    return [obj["metadata"]["name"], spec["schedule"], spec.get("timeZone") or "<none>", print_bool(spec.get("suspend")),
            len(status.get("active") or ()), since(last, now) if last else "<none>", age(obj, now), *layout(job.get("template")),
            format_selector(job.get("selector"))]


def podtemplate_cells(obj: Obj, now: int) -> list[Any]:
    template = obj.get("template") or {}
    return [obj["metadata"]["name"], *layout(template), format_labels((template.get("metadata") or {}).get("labels"))]


def controllerrevision_cells(obj: Obj, now: int) -> list[Any]:
    owner, name = controller_of(obj), "<none>"
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        name = f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"
    return [obj["metadata"]["name"], name, obj.get("revision", 0), age(obj, now)]


def horizontalpodautoscaler_cells(obj: Obj, now: int) -> list[Any]:
    spec, target = obj["spec"], obj["spec"]["scaleTargetRef"]
    minimum = spec.get("minReplicas")
    return [obj["metadata"]["name"], f"{target['kind']}/{target['name']}", _metrics(obj),
            "<unset>" if minimum is None else str(minimum), spec["maxReplicas"], count(obj, "currentReplicas"), age(obj, now)]


def _metrics(hpa: Obj) -> str:
    """formatHPAMetrics: `cpu: 12%/50%`, the first two."""
    specs, statuses = hpa["spec"].get("metrics") or (), (hpa.get("status") or {}).get("currentMetrics") or ()
    if not specs:
        return "<none>"
    texts = [_metric(spec, statuses[i] if i < len(statuses) else {}) for i, spec in enumerate(specs)]
    return ", ".join(texts[:2]) + (f" + {len(texts) - 2} more..." if len(texts) > 2 else "")


def _metric(spec: Obj, status: Obj) -> str:
    key = {"External": "external", "Pods": "pods", "Object": "object", "Resource": "resource",
           "ContainerResource": "containerResource"}.get(spec["type"])
    if key is None or key not in spec:
        return "<unknown type>"
    target, current = spec[key].get("target") or {}, (status.get(key) or {}).get("current") or {}
    average = current.get("averageValue") or "<unknown>"
    if key == "pods":
        return f"{average}/{target.get('averageValue', '0')}"
    if key in ("external", "object"):
        if target.get("averageValue") is not None:
            return f"{average}/{target['averageValue']} (avg)"
        return f"{current.get('value') or '<unknown>'}/{target.get('value', '0')}"
    name = spec[key]["name"]
    if target.get("averageValue") is not None:
        return f"{name}: {average}/{target['averageValue']}"
    now, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    return f"{name}: {'<unknown>' if now is None else f'{now}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"


def poddisruptionbudget_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    return [obj["metadata"]["name"], str(spec.get("minAvailable", "N/A")), str(spec.get("maxUnavailable", "N/A")),
            count(obj, "disruptionsAllowed"), age(obj, now)]
