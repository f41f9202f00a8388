"""What every part of the compiler does: a step with its place in the text, jumps that lead on, and names."""

from __future__ import annotations

import ast
from typing import Any

from . import steps as do
from .scopes import Body
from .values import Source

Place = tuple[int, int, int, int]


def place_of(node: ast.AST) -> Place:
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0), getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0)


class Emitter:
    """Writes steps into the body `self.body`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.body: Body
        self.counted = 0

    # ---- steps

    def emit(self, step: Any, arg: Any, node: ast.AST | None) -> int:
        code = self.body.code
        place = place_of(node) if node is not None else (code.places[-1] if code.places else (1, 0, 1, 0))
        code.steps.append((step, arg))
        code.places.append(place)
        return len(code.steps) - 1

    @property
    def here(self) -> int:
        return len(self.body.code.steps)

    def patch(self, at: int, extra: Any = None) -> None:
        """The jump at a step leads here."""
        step, _ = self.body.code.steps[at]
        self.body.code.steps[at] = (step, self.here if extra is None else (self.here, extra))

    # ---- names

    def load(self, name: str, node: ast.AST | None) -> None:
        kind, depth, kept = self.body.where(name)
        if kind == "local":
            self.emit(do.load_local, kept, node)
        elif kind == "class":
            self.emit(do.load_class, kept, node)
        elif kind == "free":
            self.emit(do.load_free, (depth, kept), node)
        else:
            self.emit(do.load_global, kept, node)

    def store(self, name: str, node: ast.AST | None) -> None:
        kind, depth, kept = self.body.where(name)
        if kind in ("local", "class"):
            self.emit(do.store_local, kept, node)
        elif kind == "free":
            self.emit(do.store_free, (depth, kept), node)
        else:
            self.emit(do.store_global, kept, node)

    def remove(self, name: str, node: ast.AST | None) -> None:
        kind, _, kept = self.body.where(name)
        self.emit(do.delete_local if kind in ("local", "class") else do.delete_global, kept, node)

    def private(self, name: str) -> str:
        """A class's own __name is kept as _Class__name."""
        if name.startswith("__") and not name.endswith("__"):
            body: Body | None = self.body
            while body is not None:
                if body.kind == "class":
                    return f"_{body.code.name.lstrip('_')}{name}"
                body = body.around
        return name

    def _line(self, number: int) -> str:
        return self.source.lines[number - 1] if 0 < number <= len(self.source.lines) else ""
