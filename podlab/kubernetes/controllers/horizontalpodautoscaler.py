"""HorizontalPodAutoscaler: as many replicas as the measured load asks for (pkg/controller/podautoscaler/horizontal.go)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .. import quantity
from ..apiserver.errors import ApiError
from ..apiserver.subresources import scale_of
from ..cause import Cause
from ..component import Controller
from ..controllers_common import conditions, metrics
from ..controllers_common.metrics import MetricError
from ..etcd import Change
from ..objects import EMPTY, Map, thaw
from ..resources import by_api_kind
from ..selectors import matches, parse
from ..times import rfc3339

PERIOD_MS = 15_000  # HorizontalPodAutoscalerSyncPeriod
STABLE_MS = 300_000  # DownscaleStabilizationWindow
SCALE_UP_FACTOR, SCALE_UP_MINIMUM = 2, 4  # scaleUpLimitFactor, scaleUpLimitMinimum


MEMBERS = {"Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object", "External": "external"}
# metric type -> the condition's and event's reason, and how the error goes on from there (computeReplicasForMetric)
FAILURES = {
    "Resource": ("FailedGetResourceMetric", "failed to get {name} resource metric value: "),
    "ContainerResource": ("FailedGetContainerResourceMetric", "failed to get {name} container metric value: "),
    "Pods": ("FailedGetPodsMetric", "failed to get pods metric value: "),
    "Object": ("FailedGetObjectMetric", "failed to get object metric value: "),
    "External": ("FailedGetExternalMetric", "failed to get {name} external metric value: "),
}
NO_CUSTOM = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"


def _not_served(namespace: str, metric: Map) -> str:
    """What a cluster without the custom and external metrics APIs says (replica_calculator.go; the odd order is its own)."""
    source = metric[MEMBERS[metric["type"]]]
    name = source["metric"]["name"]
    if metric["type"] == "Pods":
        return f"unable to get metric {name}: {NO_CUSTOM}"
    if metric["type"] == "Object":
        about = source["describedObject"]
        return f"unable to get metric {name}: {about['kind']} on {namespace} {about['name']}/{NO_CUSTOM}"
    return (f"unable to get external metric {namespace}/{name}/{_go_selector(source['metric'].get('selector'))}: unable to fetch metrics from "
            f"external metrics API: the server could not find the requested resource (get {name}.external.metrics.k8s.io)")


def _go_selector(selector: Map | None) -> str:
    """A *metav1.LabelSelector as Go's %+v prints it."""
    if selector is None:
        return "nil"
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or EMPTY).items()))
    terms = "".join(f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},Values:[{' '.join(one.get('values') or ())}],}},"
                    for one in selector.get("matchExpressions") or ())
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"


_parsed = lru_cache(maxsize=256)(parse)


def _picks(selector: str, pod: Map) -> bool:
    return matches(_parsed(selector), pod["metadata"].get("labels") or EMPTY)


@dataclass
class Looked:
    """What was looked at in a round: what the target's Pods use that were measured, which count how, and their requests by name."""

    samples: dict[str, int]
    groups: metrics.Groups | None  # None: nothing was measured
    requests: dict[str, int]


Known = dict[tuple[str, str | None], Looked]
"""By resource and container (None: all)."""


@dataclass
class Advice:
    """What one metric says."""

    replicas: int
    name: str  # "cpu resource utilization (percentage of request)"
    status: dict[str, Any]
    shown: tuple[str, str]  # current and target, for the reader


def _every_period(controller: Controller, change: Change) -> Iterable[str]:
    """enqueueHPA: whatever is asked for comes a whole period later, and what waits already waits on (NewDefaultHPARateLimiter)."""
    if change.type == "DELETED":
        controller.state.get("selectors", {}).pop(change.key, None)
    else:
        controller.enqueue(change.key, PERIOD_MS)
    return ()


class HorizontalPodAutoscalerController(Controller):
    name = "horizontal-pod-autoscaler"
    watches = {"horizontalpodautoscalers": _every_period}

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        # hpa uid -> [[ms, replicas], ...]; hpa uid -> [[ms, change], ...]; hpa key -> the selector of its target when it was last looked at
        self.state.update(advice={}, events={}, selectors={})

    def reconcile(self, key: str) -> int | None:
        hpa = self.cluster.etcd.get("horizontalpodautoscalers", key)
        if hpa is None:
            return None
        status: dict[str, Any] = thaw(hpa.get("status") or EMPTY)
        try:
            self._autoscale(hpa, status)
        except ApiError as error:
            self.client.event(hpa, "Warning", "FailedGetScale", error.message)
            self._condition(status, "AbleToScale", "False", "FailedGetScale",
                            f"the HPA controller was unable to get the target's current scale: {error.message}")
        except MetricError as error:
            self.client.event(hpa, "Warning", "FailedComputeMetricsReplicas", str(error))
        if not status.get("currentReplicas"):  # omitempty
            status.pop("currentReplicas", None)
        if status != (hpa.get("status") or EMPTY):
            self.client.update("horizontalpodautoscalers", {**hpa, "status": status}, subresource="status",
                               cause=Cause("hpa-status"))
        return PERIOD_MS

    # ---- one round (reconcileAutoscaler)

    def _autoscale(self, hpa: Map, status: dict[str, Any]) -> None:
        spec, namespace = hpa["spec"], hpa["metadata"]["namespace"]
        reference = spec["scaleTargetRef"]
        resource = by_api_kind(reference.get("apiVersion", ""), reference["kind"])
        if resource is None:
            group = reference.get("apiVersion", "").rpartition("/")[0]
            raise ApiError(404, "NotFound", f"no matches for kind \"{reference['kind']}\" in group \"{group}\"")
        if "scale" not in resource.subresources:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        target = self.client.get(resource.plural, reference["name"], namespace)
        self._condition(status, "AbleToScale", "True", "SucceededGetScale",
                        "the HPA controller was able to get the target's current scale")
        current, lowest, highest = target["spec"].get("replicas", 1), spec.get("minReplicas") or 1, spec["maxReplicas"]
        self.state["advice"].setdefault(hpa["metadata"]["uid"], [[self.now, current]])
        advice: Advice | None = None
        if current == 0:
            desired, reason = 0, ""
            self._condition(status, "ScalingActive", "False", "ScalingDisabled",
                            "scaling is disabled since the replica count of the target is zero")
        elif current > highest:
            desired, reason = highest, "Current number of replicas above Spec.MaxReplicas"
        elif current < lowest:
            desired, reason = lowest, "Current number of replicas below Spec.MinReplicas"
        else:
            advice = self._measure(hpa, target, current, status)
            reason = f"{advice.name} above target" if advice.replicas > current else "All metrics below target"
            desired = self._normalize(hpa, current, advice.replicas, status)
        if desired != current:
            facts = {"from": current, "to": desired, "metric": advice.name if advice else "", "current": advice.shown[0]
                     if advice else "",
                     "target": advice.shown[1] if advice else ""}
            self.client.patch(resource.plural, reference["name"], {"spec": {"replicas": desired}}, namespace, subresource="scale",
                              cause=Cause("hpa-scaled", facts))
            self._condition(status, "AbleToScale", "True", "SucceededRescale",
                            f"the HPA controller was able to update the target scale to {desired}")
            self.client.event(hpa, "Normal", "SuccessfulRescale", f"New size: {desired}; reason: {reason}")
            self.state["events"].setdefault(hpa["metadata"]["uid"], []).append([self.now, desired - current])
            status["lastScaleTime"] = rfc3339(self.now)
        if advice is None:  # sized by its bounds alone: nothing was measured
            status["currentMetrics"] = None
        status.update(currentReplicas=current, desiredReplicas=desired)

    # ---- metrics

    def _measure(self, hpa: Map, target: Map, current: int, status: dict[str, Any]) -> Advice:
        """computeReplicasForMetrics: the highest advice; a metric that fails only matters when it would allow scaling down."""
        found: list[Advice] = []
        failures: list[tuple[str, str, str]] = []  # reason, what is wrong, the same for the event
        wanted = hpa["spec"].get("metrics") or ()
        shown: list[dict[str, Any]] = []
        known: Known = {}
        pods = self._chosen(hpa, target, current, status)
        for metric in wanted:
            try:
                found.append(self._measure_one(hpa, pods, current, metric, known))
                shown.append(found[-1].status)
            except MetricError as error:
                shown.append({"type": ""})
                reason, text = FAILURES[metric["type"]]
                named = metric[MEMBERS[metric["type"]]]
                name = named.get("name") or (named.get("metric") or EMPTY).get("name", "")
                failures.append((reason, str(error), text.format(name=name) + str(error)))
                self.client.event(hpa, "Warning", reason, str(error))
        best = max(found, key=lambda advice: advice.replicas) if found else None
        if best is None or (failures and best.replicas < current):
            reason, said, first = failures[0]
            self._condition(status, "ScalingActive", "False", reason, f"the HPA was unable to compute the replica count: {said}")
            self._unsized(status, current, shown)
            raise MetricError(f"invalid metrics ({len(failures)} invalid out of {len(wanted)}), first error is: {first}")
        self._condition(status, "ScalingActive", "True", "ValidMetricFound",
                        f"the HPA was able to successfully calculate a replica count from {best.name}")
        status["currentMetrics"] = shown
        return best

    def _chosen(self, hpa: Map, target: Map, current: int, status: dict[str, Any]) -> list[Map]:
        """The target's Pods. Raises MetricError where one of them is another autoscaler's, too (validateAndParseSelector)."""
        namespace = hpa["metadata"]["namespace"]
        resource = by_api_kind(target["apiVersion"], target["kind"])
        assert resource is not None  # it has been found by it
        selector = scale_of(resource, target)["status"]["selector"]
        aims: dict[str, str] = self.state.setdefault("selectors", {})
        aims[f"{namespace}/{hpa['metadata']['name']}"] = selector
        pods = [pod for pod in self.cluster.etcd.list("pods", namespace) if _picks(selector, pod)]
        rivals = {text for key, text in aims.items() if key.startswith(f"{namespace}/")}
        rivals = {text for text in rivals if any(text == selector or _picks(text, pod) for pod in pods)}
        keys = sorted(key for key, text in aims.items() if text in rivals and key.startswith(f"{namespace}/"))
        if len(keys) > 1:
            said = f"pods by selector {selector} are controlled by multiple HPAs: [{' '.join(keys)}]"
            self.client.event(hpa, "Warning", "AmbiguousSelector", said)
            self._condition(status, "ScalingActive", "False", "AmbiguousSelector", said)
            self._unsized(status, current, None)
            raise MetricError(said)
        return pods

    def _unsized(self, status: dict[str, Any], current: int, shown: list[dict[str, Any]] | None) -> None:
        """setCurrentReplicasAndMetricsInStatus: nothing was decided in this round."""
        status["currentReplicas"], status["currentMetrics"] = current, shown
        status.setdefault("desiredReplicas", 0)

    def _measure_one(self, hpa: Map, pods: list[Map], current: int, metric: Map, known: Known) -> Advice:
        if metric["type"] not in ("Resource", "ContainerResource"):
            raise MetricError(_not_served(hpa["metadata"]["namespace"], metric))
        source = metric[MEMBERS[metric["type"]]]
        resource, percent = source["name"], source["target"].get("averageUtilization")
        try:
            return self._by_resource(pods, current, metric, known)
        except MetricError as error:
            raise MetricError(f"failed to get {resource} {'usage' if percent is None else 'utilization'}: {error}") from None

    def _by_resource(self, pods: list[Map], current: int, metric: Map, known: Known) -> Advice:
        """computeStatusForResourceMetricGeneric."""
        key = MEMBERS[metric["type"]]
        source = metric[key]
        resource, container, goal = source["name"], source.get("container"), source["target"]
        if not self.cluster.spec.get("metricsServer", True):
            raise MetricError(f"unable to get metrics for resource {resource}: unable to fetch metrics from resource metrics API: "
                              "the server could not find the requested resource (get pods.metrics.k8s.io)")
        if (resource, container) not in known:  # what several metrics ask for is looked at once a round
            samples = self._samples(pods, resource, container)
            known[resource, container] = Looked(samples, metrics.group(pods, samples, resource, self.now) if samples else None, {})
        looked = known[resource, container]
        samples, groups = looked.samples, looked.groups
        if groups is None:
            raise MetricError(f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API")
        percent = goal.get("averageUtilization")
        if percent is not None:
            looked.requests = looked.requests or {pod["metadata"]["name"]: metrics.request_of(pod, resource, container) for pod in pods}
            wanted, used = metrics.replicas_for(current, groups, samples, looked.requests, percent)
            name, shown = f"{resource} resource utilization (percentage of request)", (f"{used}%", f"{percent}%")
        else:
            each = quantity.milli(goal["averageValue"])
            wanted, used = metrics.replicas_for(current, groups, samples, {pod["metadata"]["name"]: each for pod in pods}, 100)
            name, shown = f"{resource} resource", (f"{used * each // 100_000}", goal["averageValue"])
        average = sum(samples.values()) // len(samples)
        now: dict[str, Any] = {"averageValue": quantity.format_decimal(quantity.parse(f"{average}m")) if resource == "cpu" else
                               quantity.format_binary(average // 1000)}
        if percent is not None:
            now["averageUtilization"] = used
        named = {"name": resource, **({"container": container} if container else {}), "current": now}
        return Advice(wanted, name, {"type": metric["type"], key: named}, shown)

    def _samples(self, pods: list[Map], resource: str, container: str | None) -> dict[str, int]:
        """The use of those Pods that were measured, in thousandths."""
        samples = {}
        for pod in pods:
            usage = self.cluster.pod_usage(pod) if pod["spec"].get("nodeName") else {}
            values = [one["cpu_nanocores"] // 1_000_000 if resource == "cpu" else one["memory_bytes"] * 1000
                      for name, one in usage.items() if container in (None, name)]
            if values:
                samples[pod["metadata"]["name"]] = sum(values)
        return samples

    # ---- from advice to size

    def _normalize(self, hpa: Map, current: int, wanted: int, status: dict[str, Any]) -> int:
        uid, spec = hpa["metadata"]["uid"], hpa["spec"]
        advice: list[list[int]] = self.state["advice"][uid]
        events: list[list[int]] = self.state["events"].setdefault(uid, [])
        behavior = spec.get("behavior")
        up, down = (metrics.rules(behavior.get("scaleUp"), metrics.DEFAULT_UP),
                    metrics.rules(behavior.get("scaleDown"), metrics.DEFAULT_DOWN)) \
            if behavior else (metrics.Rules(0, "Max", ()), metrics.Rules(STABLE_MS, "Max", ()))
        highest = max([wanted, *(n for at, n in advice if at > self.now - down.window_ms)])
        lowest = min([wanted, *(n for at, n in advice if at > self.now - up.window_ms)])
        stable = min(max(current, lowest), highest) if behavior else highest
        advice.append([self.now, wanted])
        horizon = self.now - max(up.window_ms, down.window_ms, STABLE_MS)
        advice[:] = [entry for entry in advice if entry[0] > horizon]
        events[:] = [entry for entry in events if entry[0] > self.now - 1_800_000]
        if stable != wanted:
            kind = ("ScaleDownStabilized",
                    "recent recommendations were higher than current one, applying the highest recent recommendation") \
                if stable > wanted else ("ScaleUpStabilized",
                                         "recent recommendations were lower than current one, applying the lowest recent "
                                         "recommendation")
            self._condition(status, "AbleToScale", "True", *kind)
        else:
            self._condition(status, "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
        lowest_size, highest_size = spec.get("minReplicas") or 1, spec["maxReplicas"]
        grow = metrics.limit_up(current, up, events, self.now) if behavior else max(SCALE_UP_FACTOR * current, SCALE_UP_MINIMUM)
        shrink = metrics.limit_down(current, down, events, self.now) if behavior else 0
        return self._limit(stable, current, (lowest_size, highest_size), (grow, shrink), status)

    def _limit(self, wanted: int, current: int, bounds: tuple[int, int], pace: tuple[int, int], status: dict[str, Any]) -> int:
        """convertDesiredReplicasWithRules."""
        lowest, highest = max(bounds[0], min(pace[1], current)), min(bounds[1], max(pace[0], current))
        if wanted < lowest:
            few = ("TooFewReplicas",
                   "the desired replica count is less than the minimum replica count") if lowest == bounds[0] else \
                ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
            self._condition(status, "ScalingLimited", "True", *few)
            return lowest
        if wanted > highest:
            many = ("TooManyReplicas",
                    "the desired replica count is more than the maximum replica count") if highest == bounds[1] else \
                ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
            self._condition(status, "ScalingLimited", "True", *many)
            return highest
        self._condition(status, "ScalingLimited", "False", "DesiredWithinRange",
                        "the desired count is within the acceptable range")
        return wanted

    def _condition(self, status: dict[str, Any], kind: str, value: str, reason: str, message: str) -> None:
        """setCondition: kept in its place; its time changes with its status."""
        held: list[Any] = status.setdefault("conditions", [])
        old = conditions.of(held, kind)
        since = old["lastTransitionTime"] if old is not None and old["status"] == value else rfc3339(self.now)
        new = {"type": kind, "status": value, "lastTransitionTime": since, "reason": reason, "message": message}
        if old is None:
            held.append(new)
        else:
            held[held.index(old)] = new
