"""What the kinds that hold CEL share: an expression that is one, and a value out of a few."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import cel, schema
from ..cel import checking
from ..errors import FieldError
from .metadata import Errors

EXPRESSION_NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer")
TYPED = {"request": ("object", "request"), "namespaceObject": ("object", schema.PREFIX + "core.v1.Namespace")}  # what a policy knows of any kind
TYPE_NAMES = ("bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint", "optional", "duration")
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


def validate_expression(value: Mapping[str, Any], path: str, errors: Errors, member: str = "expression", why: str | None = None,
                        names: tuple[str, ...] = EXPRESSION_NAMES, gives: tuple[str, ...] = (),
                        variables: Mapping[str, checking.Type] | None = None) -> checking.Type:
    """What is no CEL at all is refused; what is not worked out here is said when it is asked. The type of what it gives.

    `why`: said of one that is missing; `gives`: the types that it may give, any where there are none.
    """
    text = str(value.get(member) or "")
    if not text.strip():
        errors.append(FieldError.required(f"{path}.{member}", f"{member} is not specified" if why is None else why))
        return checking.DYN
    try:
        cel.compiled(text, (*names, *TYPE_NAMES))
    except cel.CelError as error:
        if found := not_compiled(text, error):
            errors.append(FieldError.invalid(f"{path}.{member}", text, found))
        return checking.DYN
    known: dict[str, checking.Type] = dict.fromkeys((*names, *TYPE_NAMES), checking.DYN)
    known |= {name: kind for name, kind in TYPED.items() if name in known}
    given, said = checking.check(text, known, variables)
    if said:
        errors.append(FieldError.invalid(f"{path}.{member}", text, "compilation failed: " + "\n".join(said)))
    elif gives and given not in gives and (given != checking.DYN or _untyped(text)):
        called = ["null_type" if one == "null" else one for one in gives]
        wanted = f"must evaluate to {called[0]}" if len(called) == 1 else f"must evaluate to one of [{' '.join(called)}]"
        errors.append(FieldError.invalid(f"{path}.{member}", text, wanted))
    return given


def _untyped(text: str) -> bool:
    try:
        return checking.reads_only(text, ("object", "oldObject", "params"))
    except cel.CelError:
        return False


def not_compiled(text: str, error: cel.CelError) -> str:
    """cel-go's words about an expression that is none; empty where it is only more than is worked out here."""
    if isinstance(error, cel.NoFunction):
        found = re.search(rf"\b{error.name}\s*\(", text)  # it points at the opening bracket of the call
        words = f"undeclared reference to '{error.name}' (in container '')"
        return "" if error.name in ELSEWHERE else "compilation failed: " + cel.pointed(text, found.end() - 1 if found else 0, words)
    return f"compilation failed: {error.pointed(text)}" if isinstance(error, cel.Misread) else ""
