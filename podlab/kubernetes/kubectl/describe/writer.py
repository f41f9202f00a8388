"""The page a description is written on: levels of two spaces, tabs between cells, and the lists kubectl aligns under a title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...apiserver.tables.texts import Obj
from ..output import tabwriter

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MAX_ANNOTATION = 140  # maxAnnotationLen, kubectl/pkg/describe/describe.go
PADDING = 2  # tabbedString: tabwriter.Init(buf, 0, 8, 2, ' ', 0)


class Page:
    """Collects text; `text()` gives it with its columns aligned."""

    def __init__(self, now: int) -> None:
        self.now = now  # virtual milliseconds since the Unix epoch
        self._done: list[str] = []
        self._open: list[str] = []

    def put(self, text: str) -> None:
        """Text as it is, without a line end."""
        self._open.append(tabwriter.escape(text))

    def line(self, level: int, text: str) -> None:
        """A line, indented by `level` times two spaces."""
        self.put("  " * level + text + "\n")

    def field(self, name: str, value: Any, level: int = 0) -> None:
        """A line `Name:<tab>value`."""
        self.line(level, f"{name}:\t{value}")

    def flush(self) -> None:
        """End all columns here."""
        self._done.append(tabwriter.align("".join(self._open), 0, PADDING))
        self._open = []

    def text(self) -> str:
        self.flush()
        return "".join(self._done)

    def tabbed(self) -> str:
        """The text with its tabs as they are."""
        return "".join(self._open)

    # ---- lists under a title

    def listing(self, title: str, items: Sequence[str], level: int = 0, *, nested: bool = False) -> None:
        """Items one a line, all in the title's second column; `<none>` for none.

        `nested`: as kubectl's NestedPrefixWriter does it, which indents every piece of a line anew.
        """
        pad = "  " * level
        inner = pad if nested else ""
        self.put(f"{pad}{title}:\t")
        self.put("".join(f"{pad}{inner}\t{inner}{item}\n" if i else f"{inner}{item}\n" for i, item in enumerate(items))
                 or f"{inner}<none>\n")

    def labels(self, title: str, labels: Mapping[str, Any] | None, level: int = 0, *, nested: bool = False) -> None:
        self.listing(title, [f"{key}={value}" for key, value in sorted((labels or {}).items())], level, nested=nested)

    def annotations(self, title: str, annotations: Mapping[str, Any] | None, level: int = 0) -> None:
        """Annotations but kubectl's own; long or many-lined ones below their key, each line cut at 138 characters.

        Above level 0 every piece is indented anew, as in `listing` with `nested`.
        """
        pad = "  " * level
        self.put(f"{pad}{title}:\t")
        held = sorted((key, value) for key, value in (annotations or {}).items() if key != LAST_APPLIED)
        if not held:
            self.put(f"{pad}<none>\n")
        for i, (key, value) in enumerate(held):
            if i:
                self.put(f"{pad}\t")
            value = value.removesuffix("\n")
            if len(value) + len(key) + 2 <= MAX_ANNOTATION and "\n" not in value:
                self.put(f"{pad}{key}: {value}\n")
                continue
            self.put(f"{pad}{key}:\n")
            for part in value.split("\n"):
                self.put(f"{pad}\t  {shorten(part, MAX_ANNOTATION - 2)}\n")

    def tolerations(self, title: str, tolerations: Sequence[Obj] | None, level: int = 0) -> None:
        self.listing(title, [_toleration(t) for t in sorted(tolerations or (), key=lambda t: t.get("key", ""))], level)

    def taints(self, title: str, taints: Sequence[Obj] | None) -> None:
        self.listing(title, [_taint(t) for t in sorted(taints or (), key=lambda t: f"{t['effect']},{t['key']}")])


def shorten(text: str, length: int) -> str:
    return text[:length] + "..." if len(text) > length else text


def _taint(taint: Obj) -> str:
    value = taint.get("value") or ""
    return f"{taint['key']}{'=' + value if value else ''}:{taint['effect']}"


def _toleration(toleration: Obj) -> str:
    key, value, effect = (toleration.get(name) or "" for name in ("key", "value", "effect"))
    text = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if toleration.get("operator") == "Exists" and not value:
        text += " op=Exists" if text else "op=Exists"
    if toleration.get("tolerationSeconds") is not None:
        text += f" for {toleration['tolerationSeconds']}s"
    return text


def first(*values: Any) -> Any:
    """The first value that is not None."""
    return next((value for value in values if value is not None), None)
