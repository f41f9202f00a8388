"""Label and field selectors, as text (`app=web,tier in (a,b),!x`) and as objects (matchLabels, matchExpressions)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .objects import Map, memo

Labels = Mapping[str, str]
Requirement = tuple[str, str, tuple[str, ...]]  # key, operator, values

TOKEN = re.compile(r"\s*(!=|==|=|!|,|\(|\)|>|<|[A-Za-z0-9_./-]+)")


class SelectorError(ValueError):
    """A selector that does not parse; the text is the API server's."""


def matches(requirements: tuple[Requirement, ...], labels: Labels) -> bool:
    for key, operator, values in requirements:
        held = labels.get(key)
        if operator == "In":
            if held is None or held not in values:
                return False
        elif operator == "NotIn":
            if held is not None and held in values:
                return False
        elif operator == "Exists":
            if held is None:
                return False
        elif operator == "DoesNotExist":
            if held is not None:
                return False
        else:  # Gt, Lt compare integers; anything else never matches (labels.Requirement.Matches)
            try:
                left, right = int(held or ""), int(values[0])
            except ValueError:
                return False
            if not (left > right if operator == "Gt" else left < right):
                return False
    return True


def as_object(text: str) -> dict[str, Any]:
    """A selector as typed, as objects hold it (metav1.ParseToLabelSelector). Raises SelectorError."""
    found: dict[str, Any] = {}
    plain = text.replace(" ", "").replace("==", "=").split(",")
    for key, operator, values in parse(text):
        if operator == "In" and f"{key}={values[0] if values else ''}" in plain:
            found.setdefault("matchLabels", {})[key] = values[0]
        else:
            found.setdefault("matchExpressions", []).append({"key": key, "operator": operator, **({"values": list(values)} if values else {})})
    return found


def from_object(selector: Mapping[str, Any] | None) -> tuple[Requirement, ...] | None:
    """Requirements of a metav1.LabelSelector. None (selects nothing) for a missing one, () (everything) for an empty one."""
    if selector is None:
        return None
    if isinstance(selector, Map):
        return memo(selector, "requirements", _from_object)
    return _from_object(selector)


def _from_object(selector: Mapping[str, Any]) -> tuple[Requirement, ...]:
    equal = [(key, "In", (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    rest = [(e["key"], e["operator"], tuple(e.get("values") or ())) for e in selector.get("matchExpressions") or ()]
    return (*equal, *rest)


def selects(selector: Mapping[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a metav1.LabelSelector picks these labels; a missing selector picks nothing."""
    requirements = from_object(selector)
    return requirements is not None and matches(requirements, labels or {})


def selects_plain(selector: Labels | None, labels: Labels | None) -> bool:
    """Whether a plain map selector (Service, ReplicationController) picks these labels; an empty one picks nothing."""
    if not selector:
        return False
    held = labels or {}
    return all(held.get(key) == value for key, value in selector.items())


def parse(text: str) -> tuple[Requirement, ...]:
    """Requirements of a label selector as typed after `-l`. Raises SelectorError in the server's words."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if not match:
            raise SelectorError(f"unable to parse requirement: found '{text[at:].strip()[:1]}', expected: identifier")
        tokens.append(match.group(1))
        at = match.end()
    out: list[Requirement] = []
    i = 0

    def peek() -> str:
        return tokens[i] if i < len(tokens) else ""

    def values() -> tuple[str, ...]:
        nonlocal i
        if peek() != "(":
            raise SelectorError(f"unable to parse requirement: found '{peek()}', expected: '('")
        found = []
        i += 1
        while peek() != ")":
            if i >= len(tokens):
                raise SelectorError("unable to parse requirement: found '', expected: ',' or ')'")
            if peek() != ",":
                found.append(peek())
            i += 1
        i += 1
        return tuple(found)

    while i < len(tokens):
        if peek() == ",":
            i += 1
            continue
        if peek() == "!":
            out.append((tokens[i + 1] if i + 1 < len(tokens) else "", "DoesNotExist", ()))
            i += 2
            continue
        key = peek()
        if not re.match(r"[A-Za-z0-9]", key):
            raise SelectorError(f"unable to parse requirement: found '{key}', expected: !, identifier, or 'end of string'")
        i += 1
        operator = peek()
        if operator in ("", ","):
            out.append((key, "Exists", ()))
            continue
        i += 1
        if operator in ("=", "==", "!=", ">", "<"):
            value = peek() if peek() not in ("", ",") else ""
            i += bool(value)
            name = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt"}[operator]
            out.append((key, name, (value,)))
        elif operator in ("in", "notin"):
            out.append((key, "In" if operator == "in" else "NotIn", values()))
        else:
            raise SelectorError(f"unable to parse requirement: found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
    return tuple(out)


def parse_fields(text: str) -> list[tuple[str, str, str]]:
    """`status.phase=Running,metadata.name!=x` -> [(path, "=" or "!=", value)]. Raises SelectorError."""
    out = []
    for part in filter(None, text.split(",")):
        for operator in ("!=", "==", "="):
            if operator in part:
                path, value = part.split(operator, 1)
                out.append((path.strip(), "!=" if operator == "!=" else "=", value.strip()))
                break
        else:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
    return out


def field_matcher(text: str, read: Callable[[Mapping[str, Any], str], str]) -> Callable[[Mapping[str, Any]], bool]:
    """A predicate for a field selector; `read` gives an object's field as text ('' where unset)."""
    wanted: dict[str, tuple[set[str], set[str]]] = {}  # path -> the values it must have, and those it must not
    for path, operator, value in parse_fields(text):
        wanted.setdefault(path, (set(), set()))[operator != "="].add(value)

    def fits(obj: Mapping[str, Any]) -> bool:
        for path, (equal, unequal) in wanted.items():
            found = read(obj, path)
            if found in unequal or (equal and equal != {found}):
                return False
        return True
    return fits
