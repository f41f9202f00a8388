"""`kubectl get`'s tables (cli-runtime/pkg/printers/tableprinter.go and kubectl/pkg/cmd/get)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...apiserver.tables.texts import format_labels
from ...resources import Resource
from . import tabwriter

Table = Mapping[str, Any]

# cli-runtime/pkg/printers/tabwriter.go: tabwriterMinWidth, tabwriterPadding
MIN_WIDTH = 6
PADDING = 3


def print_table(table: Table, *, wide: bool = False, show_labels: bool = False, no_headers: bool = False,
                with_namespace: bool = False, with_kind_prefix: Resource | None = None, label_columns: Sequence[str] = (),
                remembered: list[int] | None = None) -> str:
    """A table (as `tables.table` makes it) as kubectl prints it; "" where there are no rows.

    With `with_kind_prefix` every name gets its kind (`deployment.apps/web`), as where several kinds are shown. `label_columns`
    are the keys of -L. `remembered` carries column widths from one print to the next of a watch: pass the same list each time.
    """
    prefix = _kind(with_kind_prefix) if with_kind_prefix else ""
    columns, rows = _decorate(table, show_labels, with_namespace, prefix, label_columns)
    shown = [i for i, column in enumerate(columns) if wide or not column.get("priority")]
    lines = []
    if rows and not no_headers:
        lines.append("\t".join(columns[i]["name"].upper() for i in shown))
    for cells in rows:
        lines.append("\t".join(_cell(cells[i]) for i in shown if i < len(cells)))
    return tabwriter.align("".join(line + "\n" for line in lines), MIN_WIDTH, PADDING, remembered)


def join_kinds(texts: list[str]) -> str:
    """The tables of several kinds, a blank line between those that are not empty."""
    return "\n".join(text for text in texts if text)


def _decorate(table: Table, show_labels: bool, with_namespace: bool, prefix: str,
              label_columns: Sequence[str]) -> tuple[list[Mapping[str, Any]], list[list[Any]]]:
    columns = list(table["columnDefinitions"])
    name_at = next((i for i, c in enumerate(columns) if c.get("format") == "name" and c["type"] == "string"), -1)
    if with_namespace:
        columns.insert(0, {"name": "Namespace", "type": "string"})
    columns += [{"name": _label_header(key), "type": "string"} for key in label_columns]
    if show_labels:
        columns.append({"name": "Labels", "type": "string"})
    rows = []
    for row in table["rows"]:
        cells, metadata = list(row["cells"]), (row.get("object") or {}).get("metadata") or {}
        labels = metadata.get("labels") or {}
        if prefix and name_at >= 0:
            cells[name_at] = f"{prefix}/{cells[name_at]}"
        if with_namespace:
            cells.insert(0, metadata.get("namespace", ""))
        cells += [labels.get(key, "") for key in label_columns]
        if show_labels:
            cells.append(format_labels(labels))
        rows.append(cells)
    return columns, rows


def _kind(resource: Resource) -> str:
    return resource.kind.lower() + (f".{resource.group}" if resource.group else "")


def _label_header(key: str) -> str:
    return key.rpartition("/")[2].upper()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    shown = re.split("[\f\n\r]", value, maxsplit=1)  # a line break would break the table
    return tabwriter.escape(shown[0]) + ("..." if len(shown) > 1 else "")
