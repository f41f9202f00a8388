"""What the kinds that hold CEL share: an expression that is one, and a value out of a few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import cel
from ..errors import FieldError
from .metadata import Errors

EXPRESSION_NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer")


def one_of(value: Any, path: str, allowed: list[str], errors: Errors) -> None:
    if value is not None and value not in allowed:
        errors.append(FieldError.not_supported(path, value, allowed))


def validate_expression(value: Mapping[str, Any], path: str, errors: Errors, member: str = "expression", why: str | None = None) -> None:
    """What is no CEL at all is refused; what is not worked out here is said when it is asked. `why`: said of one that is missing."""
    if not str(value.get(member) or "").strip():
        errors.append(FieldError.required(f"{path}.{member}", f"{member} is not specified" if why is None else why))
        return
    try:
        cel.compiled(value[member], EXPRESSION_NAMES)
    except cel.CelError as error:
        if str(error).startswith("Syntax error"):
            errors.append(FieldError.invalid(f"{path}.{member}", value[member], f"compilation failed: ERROR: <input>:1:1: {error}"))
