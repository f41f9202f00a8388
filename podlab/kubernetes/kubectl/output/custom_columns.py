"""-o custom-columns and custom-columns-file (kubectl/pkg/cmd/get/customcolumn.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...objects import Map
from . import tabwriter
from .go_values import sprint
from .jsonpath import JSONPath, relaxed
from .table import MIN_WIDTH, PADDING

CELLS_MAX = 50_000  # each about 10 us


class CustomColumns:
    """Columns of `NAME:.metadata.name,...`. Raises ValueError with kubectl's text for a spec that does not parse."""

    def __init__(self, columns: Sequence[tuple[str, str]], *, headers: bool = True) -> None:
        self.headers = headers
        self.columns = [(header, JSONPath(relaxed(path))) for header, path in columns]

    @classmethod
    def from_spec(cls, spec: str, *, headers: bool = True) -> CustomColumns:
        if not spec:
            raise ValueError("custom-columns format specified but no custom columns given")
        columns = []
        for part in spec.split(","):
            header, colon, path = part.partition(":")
            if not colon:
                raise ValueError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
            columns.append((header, path))
        return cls(columns, headers=headers)

    @classmethod
    def from_template(cls, text: str, *, headers: bool = True) -> CustomColumns:
        """A file: a line of headers, a line of paths, spaces between."""
        lines = text.split("\n")
        if not lines[0].strip() or len(lines) < 2:
            raise ValueError("invalid template, missing header line. Expected format is one line of space separated headers, "
                             "one line of space separated column specs.")
        if not lines[1].strip():
            raise ValueError("invalid template, missing spec line. Expected format is one line of space separated headers, one line of space "
                             "separated column specs.")
        names, paths = lines[0].split(), lines[1].split()
        if len(names) != len(paths):
            raise ValueError(f"number of headers ({len(names)}) and field specifications ({len(paths)}) don't match")
        return cls(list(zip(names, paths, strict=True)), headers=headers)

    def render(self, objects: Sequence[Map]) -> str:
        """Raises ValueError for a table that would take seconds."""
        if len(self.columns) * len(objects) > CELLS_MAX:
            raise ValueError(f"a table of more than {CELLS_MAX} cells")
        lines = ["\t".join(header for header, _ in self.columns)] if self.headers else []
        lines += ["\t".join(_cell(path, obj) for _, path in self.columns) for obj in objects]
        return tabwriter.align("".join(line + "\n" for line in lines), MIN_WIDTH, PADDING)


def _cell(path: JSONPath, obj: Any) -> str:
    results = path.results(obj)
    if not results or not results[0]:
        return "<none>"
    return ",".join(tabwriter.escape(sprint(value)) for values in results for value in values)


