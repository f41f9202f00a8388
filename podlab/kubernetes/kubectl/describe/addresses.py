"""The addresses that Services take: IPAddresses and the ranges they come from."""

from __future__ import annotations

from ...apiserver.tables.texts import Obj, rfc1123z
from ...objects import Map
from .events import Reader, describe_events, events_of
from .writer import Page


def _head(page: Page, obj: Obj) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.labels("Labels", obj["metadata"].get("labels"))
    page.annotations("Annotations", obj["metadata"].get("annotations"))


def describe_servicecidr(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    page.field("CIDRs", ", ".join(obj["spec"].get("cidrs") or ()))
    conditions = (obj.get("status") or {}).get("conditions")
    if conditions:
        page.line(0, "Status:\nConditions:")
        page.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage")
        page.line(1, "----\t------\t------------------\t------\t-------")
        for held in conditions:
            changed = rfc1123z(held.get("lastTransitionTime"))
            page.line(1, "\t".join((held["type"], held["status"], changed, held.get("reason", ""), held.get("message", ""))))
    if show_events:
        describe_events(page, events_of(client, obj, "ServiceCIDR"))


def describe_ipaddress(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    parent = obj["spec"].get("parentRef")
    if parent is not None:
        page.line(0, "Parent Reference:")
        for title in ("Group", "Resource", "Namespace", "Name"):
            page.field(title, parent.get(title.lower(), ""), 1)
    if show_events:
        describe_events(page, events_of(client, obj, "IPAddress"))
