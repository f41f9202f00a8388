"""Namespaces, resource quotas and limit ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import quantity
from ...apiserver.tables.texts import Obj, rfc1123z
from ...objects import Map
from .events import Reader
from .writer import Page

# helpTextForResourceQuotaScope
SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node "
                   "before being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running pods "
                      "whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. "
                  "These pods have a best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. "
                     "These pods have a burstable or guaranteed quality of service.",
}
LIMIT_TITLES = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
LIMIT_PARTS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
LIMIT_RULES = "----\t--------\t---\t---\t---------------\t-------------\t-----------------------"


def describe_namespace(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    metadata, status = obj["metadata"], obj.get("status") or {}
    page.field("Name", metadata["name"])
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.field("Status", status.get("phase", ""))
    if status.get("conditions"):
        page.line(0, "Conditions:")
        page.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage")
        page.line(1, "----\t------\t------------------\t------\t-------")
        for held in status["conditions"]:
            page.line(1, "\t".join((held["type"], held["status"], rfc1123z(held["lastTransitionTime"]), held.get("reason", ""),
                                    held.get("message", ""))))
    page.line(0, "")
    _quotas(page, client.list("resourcequotas", metadata["name"]))
    page.line(0, "")
    ranges = client.list("limitranges", metadata["name"])
    if ranges:
        page.line(0, f"Resource Limits\n {LIMIT_TITLES}")
        page.line(0, f" {LIMIT_RULES}")
        for held in ranges:
            _limits(page, held, " ")
    else:
        page.line(0, "No LimitRange resource.")


def _quotas(page: Page, quotas: list[Map]) -> None:
    if not quotas:
        page.line(0, "No resource quota.")
        return
    page.line(0, "Resource Quotas")
    for quota in sorted(quotas, key=lambda q: q["metadata"]["name"]):
        page.field("Name", quota["metadata"]["name"], 1)
        _scopes(page, quota, 1, "* ")
        page.line(1, "Resource\tUsed\tHard")
        page.line(1, "--------\t---\t---")
        for name, used, hard in _used(quota):
            page.line(1, f"{name}\t{used}\t{hard}")


def _scopes(page: Page, quota: Obj, level: int, mark: str) -> None:
    scopes = sorted((quota.get("spec") or {}).get("scopes") or ())
    if scopes:
        page.field("Scopes", ", ".join(scopes), level)
        for scope in scopes:
            if scope in SCOPES:
                page.line(level, mark + SCOPES[scope])


def _used(quota: Obj) -> list[tuple[str, str, str]]:
    status = quota.get("status") or {}
    used = status.get("used") or {}
    return [(name, str(used.get(name, "0")), str(hard)) for name, hard in sorted((status.get("hard") or {}).items())]


def describe_resourcequota(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.field("Namespace", obj["metadata"]["namespace"])
    _scopes(page, obj, 0, " * ")
    page.line(0, "Resource\tUsed\tHard")
    page.line(0, "--------\t----\t----")
    for name, used, hard in _used(obj):
        if hard.endswith("i") and not used.endswith("i"):  # shown in the notation of the limit
            used = quantity.format_binary(quantity.value(used))
        page.line(0, f"{name}\t{used}\t{hard}")


def describe_limitrange(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.field("Namespace", obj["metadata"]["namespace"])
    page.line(0, LIMIT_TITLES)
    page.line(0, LIMIT_RULES)
    _limits(page, obj, "")


def _limits(page: Page, limit_range: Obj, prefix: str) -> None:
    """Go walks a map here, in no fixed order; ours is by name."""
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        held: list[Mapping[str, Any]] = [item.get(part) or {} for part in LIMIT_PARTS]
        for name in sorted({name for part in held for name in part}):
            page.line(0, prefix + "\t".join((item["type"], name, *(str(part.get(name, "-")) for part in held))))
