"""Kinds without a description of their own: every field in the order of the alphabet (genericDescriber)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...apiserver.tables.texts import Obj
from ...objects import Map
from .events import Reader, describe_events, events_of
from .volumes import go_list
from .writer import Page

SKIPPED = (".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations")
ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
# camelcase.Split: runs of one case, digits, the rest; the last capital of a run begins the word after it
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[^A-Za-z]+")


def describer(kind: str) -> Callable[[Page, Reader, Map, bool], None]:
    def describe_any(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
        metadata = obj["metadata"]
        page.field("Name", metadata["name"])
        page.field("Namespace", metadata.get("namespace", ""))
        page.labels("Labels", metadata.get("labels"))
        page.annotations("Annotations", metadata.get("annotations"))
        _content(page, 0, obj, "")
        if show_events:
            describe_events(page, events_of(client, obj, kind))
    return describe_any


def _content(page: Page, level: int, content: Obj, prefix: str) -> None:
    for field, value in sorted(content.items()):
        path = f"{prefix}.{field}"
        if path in SKIPPED:
            continue
        if isinstance(value, dict):
            page.line(level, label_for(field) + ":")
            _content(page, level + 1, value, path)
        elif isinstance(value, list):
            page.line(level, label_for(field) + ":")
            for item in value:
                if isinstance(item, dict):
                    _content(page, level + 1, item, path)
                else:
                    page.line(level + 1, go_value(item))
        else:
            page.field(label_for(field), go_value(value), level)


def go_value(value: Any) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return go_list(value) if isinstance(value, list) else str(value)


def label_for(field: str) -> str:
    """`resourceVersion` -> `Resource Version`, `uid` -> `UID`, `podIPs` -> `Pod I Ps` (smartLabelFor); names with other signs stay as they are."""
    if not re.fullmatch(r"[^\W\d_]*(?:-[^\W\d_]*)*", field):
        return field
    words: list[str] = []
    for part in WORDS.findall(field):
        if part.upper() in ACRONYMS:
            part = part.upper()
        elif part == part.lower():
            part = part.title()
        words.append(part)
    return " ".join(words)
