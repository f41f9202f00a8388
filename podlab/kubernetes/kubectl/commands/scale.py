"""kubectl scale and kubectl autoscale."""

from __future__ import annotations

from typing import Any

from ...apiserver.errors import ApiError
from ...objects import dig, thaw
from ..builder import FILES, SELECTING, Info, select
from ..flags import Flag, but
from ..terminal import Command, KubectlError, Wait
from ..verbs import CHANGING, RECORD, Call, fail_with, verb


@verb("scale", *but(SELECTING, "all-namespaces", "field-selector"), *FILES, *but(CHANGING, "field-manager"),
      RECORD, Flag("replicas", "int"), Flag("current-replicas", "int", default=-1),
      Flag("resource-version"),
      Flag("timeout", "duration", default=0), summary="Set a new size for a deployment, replica set, or replication controller",
      usage="scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)")
def scale(call: Call) -> Command:
    flags = call.flags
    if not flags.given("replicas"):
        raise KubectlError('error: required flag(s) "replicas" not set\n')
    if flags["replicas"] < 0:
        raise KubectlError("error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n")
    infos, wrong = yield from select(call)
    if flags["resource-version"] and len(infos) > 1:
        raise KubectlError("error: cannot use --resource-version with multiple resources\n")
    if not infos:
        fail_with(wrong)
        raise KubectlError("error: no objects passed to scale\n")
    for info in infos:
        try:
            _scale(call, info)
        except ApiError as error:
            wrong.append(error)
    fail_with(wrong)
    if flags["timeout"]:
        yield from _reached(call, infos)
    return 0


def _scale(call: Call, info: Info) -> None:
    flags = call.flags
    if "scale" not in info.resource.subresources:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    held = dig(info.object, "spec.replicas", 1)
    if flags["current-replicas"] >= 0 and held != flags["current-replicas"]:
        raise KubectlError(f"error: Expected replicas to be {flags['current-replicas']}, was {held}\n")
    if flags["resource-version"] and info.object["metadata"]["resourceVersion"] != flags["resource-version"]:
        raise KubectlError(f"error: Expected resource version to be {flags['resource-version']}, was "
                           f"{info.object['metadata']['resourceVersion']}\n")
    if call.dry != "client":
        if info.resource.custom is not None:  # whose scale there may be none of yet
            call.request("get", info.resource, info.name, info.namespace, subresource="scale")
        call.request("patch", info.resource, info.name, info.namespace, {"spec": {"replicas": flags["replicas"]}}, "scale",
                     patchType="application/merge-patch+json")
    shown = thaw(info.object)  # as it was, but for what was asked: where a custom kind keeps its count, kubectl does not know (1.36)
    if info.resource.custom is None:
        shown["spec"]["replicas"] = flags["replicas"]
    call.show(info.resource, shown, "scaled")


def _reached(call: Call, infos: list[Info]) -> Command:
    deadline = call.now + call.flags["timeout"]
    for info in infos:
        while True:
            live = call.terminal.api.client.find(info.resource.plural, info.name, info.namespace)
            if live is None or (dig(live, "status.observedGeneration", 0) >= live["metadata"].get("generation", 0)
                                and dig(live, "status.replicas", 0) == dig(live, "spec.replicas", 1)):
                break
            if call.now >= deadline:
                raise KubectlError(f"error: timed out waiting for \"{info.name}\" to be synced\n")
            yield Wait(deadline - call.now)
    return 0


@verb("autoscale", *FILES, *CHANGING, RECORD, Flag("min", "int", default=-1), Flag("max", "int", default=-1),
      Flag("cpu-percent", "int", default=-1),
      Flag("cpu"), Flag("memory"), Flag("name"), Flag("save-config", "bool"),
      summary="Auto-scale a deployment, replica set, stateful set, or replication controller",
      usage="autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]")
def autoscale(call: Call) -> Command:
    from ...resources import BY_PLURAL

    flags = call.flags
    if not flags.given("max"):
        raise KubectlError('error: required flag(s) "max" not set\n')
    if flags["max"] < 1:
        raise KubectlError(f"error: --max=MAXPODS is required and must be at least 1, max: {flags['max']}\n")
    if flags["max"] < flags["min"]:
        raise KubectlError(f"error: --max=MAXPODS must be larger or equal to --min=MINPODS, max: {flags['max']}, min: "
                           f"{flags['min']}\n")
    if flags["cpu"] is not None and flags["cpu-percent"] > 0:
        raise KubectlError("error: --cpu-percent cannot be used together with --cpu\n")
    if flags.given("cpu-percent"):
        call.terminal.err("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., "
                          "'70%' for "
                          "utilization or '500m' for milliCPU).\n")
    infos, wrong = yield from select(call)
    fail_with(wrong)
    for info in infos:
        if "scale" not in info.resource.subresources:
            where = f"{info.resource.group}/{info.resource.version}, Resource={info.resource.plural}"
            raise KubectlError(f"error: cannot autoscale a {info.resource.kind}: could not find scale subresource for {where} in discovery "
                               "information\n")
        spec: dict[str, Any] = {"scaleTargetRef": {"kind": info.resource.kind, "name": info.name,
                                                   "apiVersion": info.resource.api_version},
                                "maxReplicas": flags["max"]}
        if flags["min"] > 0:
            spec["minReplicas"] = flags["min"]
        metrics = [_metric("cpu", flags["cpu"] or (f"{flags['cpu-percent']}%" if flags["cpu-percent"] > 0 else None)),
                   _metric("memory", flags["memory"])]
        if any(metrics):
            spec["metrics"] = [metric for metric in metrics if metric]
        hpa: Any = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                    "metadata": {"name": flags["name"] or info.name}, "spec": spec}
        resource = BY_PLURAL["horizontalpodautoscalers"]
        if call.dry != "client":
            hpa = call.request("create", resource, "", info.namespace, thaw(hpa))
        call.show(resource, hpa, "autoscaled")
    return 0


def _metric(name: str, target: str | None) -> dict[str, Any] | None:
    if not target:
        return None
    wanted: dict[str, Any] = {"type": "Utilization",
                              "averageUtilization": int(target[:-1])} if target.endswith("%") and target[:-1].isdigit() else \
        {"type": "AverageValue", "averageValue": target}
    return {"type": "Resource", "resource": {"name": name, "target": wanted}}
