"""What the kinds that hold CEL share: an expression that is one, and a value out of a few."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import cel
from ..errors import FieldError
from .metadata import Errors

EXPRESSION_NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer")
ELSEWHERE = frozenset("""bool bytes duration timestamp type uint url isURL semver isSemver of none ofNonZeroValue equivalent intersects escapeKey
    named getFullYear getMonth getDayOfYear getDayOfMonth getDate getDayOfWeek getHours getMinutes getSeconds getMilliseconds find findAll
    getScheme getHost getHostname getPort getEscapedPath getQuery group resource subresource serviceAccount path check namespace name
    fieldSelector labelSelector allowed reason errored error validate isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast
    isGlobalUnicast masked isCanonical major minor patch optMap optFlatMap includes distinct flatten reverse slice sort sortBy first last quote
    transformList transformMap transformMapEntry bind""".split())
"""Functions that a real server's CEL has and this one does not work out (apiserver/pkg/cel/library, cel-go/ext); any other is a mistake."""


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
    except cel.NoFunction as error:
        if error.name not in ELSEWHERE:
            errors.append(FieldError.invalid(f"{path}.{member}", value[member], _unknown(value[member], error.name)))
    except cel.CelError as error:
        if str(error).startswith("Syntax error"):
            errors.append(FieldError.invalid(f"{path}.{member}", value[member], f"compilation failed: ERROR: <input>:1:1: {error}"))


def _unknown(text: str, name: str) -> str:
    """cel-go's words, which point at the opening bracket of the call (common/error.go, ToDisplayString)."""
    found = re.search(rf"\b{name}\s*\(", text)
    at = found.end() - 1 if found else 0
    before = text[:at]
    column = at - (before.rfind("\n") + 1)
    line = text.split("\n")[before.count("\n")]
    return (f"compilation failed: ERROR: <input>:{before.count(chr(10)) + 1}:{column + 1}: undeclared reference to '{name}' (in container '')\n"
            f" | {line}\n | {'.' * column}^")  # fmt: skip
