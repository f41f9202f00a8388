"""kubectl's commands by name. Each is `(words, terminal) -> Command`."""

from __future__ import annotations

from collections.abc import Callable

from ..terminal import Command, Terminal
from .apply import apply, create
from .describe import describe
from .get import get

COMMANDS: dict[str, Callable[[list[str], Terminal], Command]] = {
    "apply": apply, "create": create, "describe": describe, "get": get,
}
