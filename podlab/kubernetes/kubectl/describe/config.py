"""ConfigMaps, Secrets, ServiceAccounts, PriorityClasses and RBAC."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ...apiserver.tables.texts import Obj, format_labels
from ...objects import Map
from .events import Reader, describe_events, events_of
from .volumes import go_list
from .writer import Page

TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105 - a type, not a secret
Rule = tuple[str, str, str, str, tuple[str, ...]]  # group, resource, resource name, URL, verbs


def _head(page: Page, obj: Obj, *, namespace: bool = False) -> None:
    page.field("Name", obj["metadata"]["name"])
    if namespace:
        page.field("Namespace", obj["metadata"]["namespace"])
    page.labels("Labels", obj["metadata"].get("labels"))
    page.annotations("Annotations", obj["metadata"].get("annotations"))


def describe_configmap(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj, namespace=True)
    page.line(0, "\nData\n====")
    for key, value in sorted((obj.get("data") or {}).items()):
        page.line(0, f"{key}:\n----")
        page.line(0, value)
        page.line(0, "")
    page.line(0, "\nBinaryData\n====")
    for key, value in sorted((obj.get("binaryData") or {}).items()):
        page.line(0, f"{key}: {len(base64.b64decode(value))} bytes")
    page.line(0, "")
    if show_events:
        describe_events(page, events_of(client, obj, "ConfigMap"))


def describe_secret(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj, namespace=True)
    page.line(0, f"\nType:\t{obj.get('type', 'Opaque')}")
    page.line(0, "\nData\n====")
    for key, value in sorted((obj.get("data") or {}).items()):
        plain = base64.b64decode(value)
        shown = plain.decode("utf-8", "replace") if key == "token" and obj.get("type") == TOKEN_SECRET else f"{len(plain)} bytes"
        page.field(key, shown)


def describe_serviceaccount(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    """Without mountable secrets and tokens, which kubectl stopped showing in v1.35."""
    _head(page, obj, namespace=True)
    title = "Image pull secrets:"
    for i, secret in enumerate(obj.get("imagePullSecrets") or ()):
        page.line(0, f"{title if i == 0 else ' ' * len(title)}\t{secret['name']}")
    if not obj.get("imagePullSecrets"):
        page.line(0, f"{title}\t<none>")
    if show_events:
        describe_events(page, events_of(client, obj, "ServiceAccount"))


def describe_priorityclass(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.field("Value", obj.get("value", 0))
    page.field("GlobalDefault", str(bool(obj.get("globalDefault"))).lower())
    page.field("PreemptionPolicy", obj.get("preemptionPolicy", "PreemptLowerPriority"))
    page.field("Description", obj.get("description", ""))
    page.field("Annotations", format_labels(obj["metadata"].get("annotations")))
    if show_events:
        describe_events(page, events_of(client, obj, "PriorityClass"))


def describe_role(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    """One line for each resource (with its name) and URL, the verbs that several rules give put together."""
    _head(page, obj)
    page.line(0, "PolicyRule:")
    page.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs")
    page.line(1, "---------\t-----------------\t--------------\t-----")
    for resource, name, url, verbs in rights(obj.get("rules") or ()):
        page.line(1, "\t".join((resource, go_list([url] if url else ()), go_list([name] if name else ()), go_list(verbs))))


def rights(rules: Sequence[Obj]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(resource.group/subresource, name, URL, verbs) of rules, one for each thing, in the order in which kubectl tells them."""
    found = []
    for group, resource, name, url, verbs in sorted(_compact(rules), key=_order):
        kind, _, sub = resource.partition("/")
        found.append((kind + (f".{group}" if group else "") + (f"/{sub}" if sub else ""), name, url, verbs))
    return found


def _compact(rules: Sequence[Obj]) -> list[Rule]:
    """Rules broken down to one resource or URL each, those of the same resource joined (rbac.BreakdownRule, rbac.CompactRules)."""
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    urls: list[Rule] = []
    for rule in rules:
        parts = [(group, resource, name, "") for group in rule.get("apiGroups") or () for resource in rule.get("resources") or ()
                 for name in rule.get("resourceNames") or ("",)]
        urls += [("", "", "", url, tuple(rule.get("verbs") or ())) for url in rule.get("nonResourceURLs") or ()]
        for part in parts:
            held = verbs.setdefault(part, [])
            held += [verb for verb in rule.get("verbs") or () if verb not in held]
    return [*((*part, tuple(held)) for part, held in verbs.items()), *urls]


def _order(rule: Rule) -> str:
    """By the rule's text, verbs first, as SortableRuleSlice has it (PolicyRule.String)."""
    group, resource, name, url, verbs = rule
    return f"Verbs:{go_list(verbs)},APIGroups:[{group}],Resources:[{resource}],ResourceNames:[{name}],NonResourceURLs:[{url}],"


def describe_rolebinding(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    page.line(0, "Role:")
    page.field("Kind", obj["roleRef"]["kind"], 1)
    page.field("Name", obj["roleRef"]["name"], 1)
    page.line(0, "Subjects:")
    page.line(1, "Kind\tName\tNamespace")
    page.line(1, "----\t----\t---------")
    for subject in obj.get("subjects") or ():
        page.line(1, f"{subject['kind']}\t{subject['name']}\t{subject.get('namespace', '')}")
