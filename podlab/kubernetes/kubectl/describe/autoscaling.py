"""HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

from ...apiserver.tables.texts import Obj, format_selector, rfc1123z
from ...objects import Map
from .events import Reader, describe_events, events_of
from .writer import Page

FIELDS = {"External": "external", "Pods": "pods", "Object": "object", "Resource": "resource",
          "ContainerResource": "containerResource"}


def describe_horizontalpodautoscaler(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    page.field("Name", metadata["name"])
    page.field("Namespace", metadata["namespace"])
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.field("CreationTimestamp", rfc1123z(metadata["creationTimestamp"]))
    page.field("Reference", f"{target['kind']}/{target['name']}")
    page.field("Metrics", "( current / target )")
    current = status.get("currentMetrics") or ()
    for i, metric in enumerate(spec.get("metrics") or ()):
        page.put(_metric(metric, current[i] if i < len(current) else {}))
    page.field("Min replicas", spec.get("minReplicas", "<unset>"))
    page.field("Max replicas", spec["maxReplicas"])
    behavior = spec.get("behavior")
    if behavior is not None:
        page.line(0, "Behavior:")
        for title, field in (("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")):
            _direction(page, title, behavior.get(field))
    page.field(f"{target['kind']} pods",
               f"{status.get('currentReplicas') or 0} current / {status.get('desiredReplicas') or 0} desired")
    if status.get("conditions"):
        page.line(0, "Conditions:")
        page.line(1, "Type\tStatus\tReason\tMessage")
        page.line(1, "----\t------\t------\t-------")
        for held in status["conditions"]:
            page.line(1, "\t".join((held["type"], held["status"], held.get("reason", ""), held.get("message", ""))))
    if show_events:
        describe_events(page, events_of(client, obj, "HorizontalPodAutoscaler"))


def _metric(metric: Obj, status: Obj) -> str:
    kind = metric["type"]
    field = FIELDS.get(kind)
    if field is None or field not in metric:
        return f'  <unknown metric type "{kind}">\n'
    source, now = metric[field], (status.get(field) or {}).get("current") or {}
    target = source.get("target") or {}
    average, value = now.get("averageValue") or "<unknown>", now.get("value") or "<unknown>"
    if kind in ("Resource", "ContainerResource"):
        of = f' of container "{source.get("container", "")}"' if kind == "ContainerResource" else ""
        head = f"  resource {source['name']}{of} on pods"
        if target.get("averageValue") is not None:
            return f"{head}:\t{average} / {target['averageValue']}\n"
        share, wanted = now.get("averageUtilization"), target.get("averageUtilization")
        used = "<unknown>" if share is None else f"{share}% ({now.get('averageValue', '0')})"
        return f"{head}  (as a percentage of request):\t{used} / {'<auto>' if wanted is None else f'{wanted}%'}\n"
    name = f"\"{source['metric']['name']}\""
    if kind == "Pods":
        return f"  {name} on pods:\t{average} / {target.get('averageValue', '0')}\n"
    about = source.get("describedObject") or {}
    head = f"  {name} " + (f"on {about.get('kind')}/{about.get('name')} " if kind == "Object" else "")
    if target.get("averageValue") is not None:
        return f"{head}(target average value):\t{average} / {target['averageValue']}\n"
    return f"{head}(target value):\t{value} / {target.get('value', '0')}\n"


def _direction(page: Page, title: str, rules: Obj | None) -> None:
    if rules is None:
        return
    page.line(1, title + ":")
    if rules.get("stabilizationWindowSeconds") is not None:
        page.line(2, f"Stabilization Window: {rules['stabilizationWindowSeconds']} seconds")
    if rules.get("policies"):
        page.line(2, f"Select Policy: {rules.get('selectPolicy', 'Max')}")
        page.line(2, "Policies:")
        for policy in rules["policies"]:
            page.line(3, f"- Type: {policy['type']}\tValue: {policy['value']}\tPeriod: {policy['periodSeconds']} seconds")


def describe_poddisruptionbudget(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    page.field("Name", metadata["name"])
    page.field("Namespace", metadata["namespace"])
    if spec.get("minAvailable") is not None:
        page.field("Min available", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        page.field("Max unavailable", spec["maxUnavailable"])
    page.field("Selector", format_selector(spec["selector"]) if spec.get("selector") is not None else "<unset>")
    page.line(0, "Status:")
    for title, field in (("Allowed disruptions", "disruptionsAllowed"), ("Current", "currentHealthy"),
                         ("Desired", "desiredHealthy"), ("Total", "expectedPods")):
        page.field(title, status.get(field) or 0, 2)
    if show_events:
        describe_events(page, events_of(client, obj, "PodDisruptionBudget"))
