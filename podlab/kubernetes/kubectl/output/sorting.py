"""--sort-by (kubectl/pkg/cmd/get/sorter.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import quantity
from ...objects import Map
from ..terminal import KubectlError
from .go_sort import go_sort
from .go_values import basic_kind, type_name
from .jsonpath import JSONPath, JSONPathError, relaxed


class NoField(KubectlError):
    """No object has the field to sort by, or the path to it does not parse."""


def sort_objects(objects: Sequence[Map], expression: str) -> list[Map]:
    """Objects by the field at a JSONPath. Raises NoField; KubectlError where what is there has no order.

    One without the field is less than any.
    """
    try:
        template = relaxed(expression)
        path = JSONPath(template)
        keyed = [(_first(path, obj), obj) for obj in objects]
    except JSONPathError as error:
        raise NoField(f"error: {error}\n") from error
    if objects and all(not held for held, _ in keyed):
        raise no_field(expression)
    return [obj for _, obj in go_sort(keyed, lambda a, b: not a[0] or (bool(b[0]) and _compare(a, b) < 0))]


def no_field(expression: str) -> NoField:
    return NoField(f'error: couldn\'t find any field with path "{relaxed(expression)}" in the list of objects\n')


def _first(path: JSONPath, obj: Map) -> tuple[Any, ...]:
    """The first value found, in a tuple, or ()."""
    results = path.results(obj)
    return tuple(results[0][:1]) if results else ()


def _compare(left: tuple[tuple[Any, ...], Map], right: tuple[tuple[Any, ...], Map]) -> int:
    a, b = left[0][0], right[0][0]
    if a is None or b is None:  # isLess: nil before everything
        return (a is not None) - (b is not None)
    kinds = basic_kind(a), basic_kind(b)
    if "" in kinds or kinds[0] != kinds[1]:
        raise KubectlError(f"error: unsortable type: {type_name(a)}\n")
    if kinds[0] == "string":
        return _compare_text(a, b)
    return -1 if a < b else 1 if a > b else 0


def _compare_text(left: str, right: str) -> int:
    """Quantities by amount, other texts by their bytes: `web-10` before `web-2`, as kubectl 1.32 sorts (before that by natural order)."""
    try:
        a, b = quantity.parse(left), quantity.parse(right)
    except quantity.QuantityError:
        return (left > right) - (left < right)
    return -1 if a < b else 1 if a > b else 0
