"""kubectl top (S/kubectl/pkg/metricsutil/metrics_printer.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import quantity
from ...apiserver.errors import ApiError, not_found
from ...objects import Map, dig
from ...times import go_duration, parse_rfc3339
from ..flags import Flag
from ..output import tabwriter
from ..terminal import KubectlError
from ..verbs import Call, verb

TOP = (Flag("selector", short="l"), Flag("show-swap", "bool"),
       Flag("no-headers", "bool"), Flag("sort-by"), Flag("use-protocol-buffers", "bool", default=True))
MEBI = 1 << 20
CREATION_DELAY_MS = 120_000  # metricsCreationDelay


def _usage(call: Call, pod: Any) -> dict[str, tuple[int, int]]:
    """{container: (millicores, bytes)}."""
    found = call.terminal.api.cluster.pod_usage(pod)
    return {name: (-(-int(one.get("cpu_nanocores", 0)) // 1_000_000), int(one.get("memory_bytes", 0))) for name,
            one in found.items()}


def _available(call: Call) -> None:
    """SupportedMetricsAPIVersionAvailable."""
    if call.flags["show-swap"]:
        raise KubectlError("error: --show-swap is left out here: these nodes have no swap\n")
    if not call.terminal.api.cluster.spec.get("metricsServer", True):
        raise KubectlError("error: Metrics API not available\n")


def _sortable(call: Call) -> None:
    if call.flags["sort-by"] not in (None, "", "cpu", "memory"):
        raise KubectlError("error: --sort-by accepts only cpu or memory\n")


def _write(call: Call, rows: list[list[str]], headers: list[str]) -> None:
    lines = ([] if call.flags["no-headers"] else [headers]) + rows
    call.terminal.out(tabwriter.align("".join("\t".join(row) + "\t\n" for row in lines), 6, 3))


def _unmeasured(call: Call, pods: Sequence[Map]) -> None:
    """verifyEmptyMetrics (S/kubectl/pkg/cmd/top/top_pod.go): where there are Pods but no measure of any, the first old one is named."""
    for pod in pods:
        age = call.now - parse_rfc3339(pod["metadata"]["creationTimestamp"])
        if age > CREATION_DELAY_MS:
            named = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            raise KubectlError(f"error: Metrics not available for pod {named}, age: {go_duration(age)}\n")
    if pods:
        raise KubectlError("error: metrics not available yet\n")


@verb("top pod", *TOP, Flag("field-selector"), Flag("all-namespaces", "bool", "A"),
      Flag("containers", "bool"), Flag("sum", "bool"), summary="Display resource (CPU/memory) usage of pods",
      usage="top pod [NAME | -l label]", aliases="pods po")
def top_pod(call: Call) -> None:
    flags = call.flags
    _available(call)
    _sortable(call)
    everywhere = flags["all-namespaces"]
    if len(call.arguments) > 1:
        raise call.usage_error("pod [NAME | -l label]")
    if call.arguments and (flags["selector"] or flags["field-selector"]):
        raise KubectlError("error: only one of NAME or selector can be provided\n")
    if call.arguments:
        if everywhere:  # it asks for a Pod without a namespace
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        try:
            pods = [call.request("get", "pods", call.arguments[0], call.namespace)]
        except ApiError as error:
            if error.code != 404:
                raise
            raise not_found("metrics.k8s.io", "podmetrics", f"{call.namespace}/{call.arguments[0]}") from None
    else:
        wanted = (("labelSelector", flags["selector"]), ("fieldSelector", flags["field-selector"]))
        options = {key: value for key, value in wanted if value}
        pods = call.request("list", "pods", "", "" if everywhere else call.namespace, **options)["items"]
    measured = [(pod, _usage(call, pod)) for pod in pods]
    measured = [(pod, usage) for pod, usage in measured if usage]
    if not measured:
        if call.arguments:
            raise not_found("metrics.k8s.io", "podmetrics", f"{call.namespace}/{call.arguments[0]}")
        _unmeasured(call, pods)
        call.terminal.err("No resources found\n" if everywhere else f"No resources found in {call.namespace} namespace.\n")
        return

    def total(entry: Any) -> tuple[int, int]:
        return sum(one[0] for one in entry[1].values()), sum(one[1] for one in entry[1].values())
    if flags["sort-by"]:
        measured.sort(key=lambda entry: -total(entry)[0 if flags["sort-by"] == "cpu" else 1])
    rows, sums = [], [0, 0]
    for pod, usage in measured:
        head = ([pod["metadata"]["namespace"]] if everywhere else [])
        if flags["containers"]:
            rows += [[*head, pod["metadata"]["name"], name, f"{cpu}m", f"{memory // MEBI}Mi"] for name,
                     (cpu, memory) in sorted(usage.items())]
        else:
            cpu, memory = total((pod, usage))
            rows.append([*head, pod["metadata"]["name"], f"{cpu}m", f"{memory // MEBI}Mi"])
        sums = [sums[0] + total((pod, usage))[0], sums[1] + total((pod, usage))[1]]
    if flags["sum"]:
        blank = [""] * (everywhere + flags["containers"])
        rows += [[*blank, "", "________", "________"], [*blank, "", f"{sums[0]}m", f"{sums[1] // MEBI}Mi"]]
    _write(call, rows, [*(["NAMESPACE"] if everywhere else []), *(["POD", "NAME"] if flags["containers"] else ["NAME"]),
                        "CPU(cores)", "MEMORY(bytes)"])


@verb("top node", *TOP, Flag("show-capacity", "bool"),
      summary="Display resource (CPU/memory) usage of nodes",
      usage="top node [NAME | -l label]", aliases="nodes no")
def top_node(call: Call) -> None:
    flags = call.flags
    _available(call)
    _sortable(call)
    if len(call.arguments) > 1:
        raise call.usage_error("node [NAME | -l label]")
    if call.arguments and flags["selector"]:
        raise KubectlError("error: only one of NAME or --selector can be provided\n")
    if call.arguments and call.terminal.api.client.find("nodes", call.arguments[0]) is None:
        raise not_found("metrics.k8s.io", "nodemetrics", call.arguments[0])
    nodes = [call.request("get", "nodes", call.arguments[0])] if call.arguments else \
        call.request("list", "nodes", **({"labelSelector": flags["selector"]} if flags["selector"] else {}))["items"]
    if not nodes:
        raise KubectlError("error: metrics not available yet\n")
    rows: list[tuple[int, int, list[str]]] = []
    for node in nodes:
        name = node["metadata"]["name"]
        facts = call.terminal.api.cluster.node_facts(name)
        if facts.get("power") != "on":
            rows.append((0, 0, [name, "<unknown>", "<unknown>", "<unknown>", "<unknown>"]))
            continue
        cpu, memory = facts["usage"]["cpu"], facts["usage"]["memory"]
        size = dig(node, "status.capacity" if flags["show-capacity"] else "status.allocatable", {})
        rows.append((cpu, memory, [name, f"{cpu}m", f"{cpu * 100 // max(1, quantity.milli(size.get('cpu', '1')))}%",
                                   f"{memory // MEBI}Mi",
                                   f"{memory * 100 // max(1, quantity.value(size.get('memory', '1')))}%"]))
    if flags["sort-by"]:
        rows.sort(key=lambda row: -(row[0] if flags["sort-by"] == "cpu" else row[1]))
    _write(call, [row[2] for row in rows], ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"])
