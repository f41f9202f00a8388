"""The table of natives, the functions of ours that a program may call: "type.method", "module.function", "new.type" (making one),
"class type.method" (asked of the type itself). Each takes (machine, value, arguments)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NATIVES: dict[str, Callable[..., Any]] = {}


def native(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts a function into the table."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            NATIVES[name] = function
        return function

    return put
