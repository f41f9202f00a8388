"""What a kustomization's `replacements` do: a value of one object put into fields of others (kustomize/api/filters/replacement)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .terminal import KubectlError

Json = dict[str, Any]
PART = re.compile(r"(?:\\.|\[[^]]*\]|[^.\\])+")  # of a field path: dots divide it, but not in brackets nor behind a backslash
FITS_MAX = 2_000  # fields that one path may lead to

Picks = Callable[[Json, Json], bool]


def replace(objects: list[Json], entry: Json, picks: Picks) -> None:
    """One replacement. `picks(obj, select)`: whether an object is meant. Raises KubectlError."""
    source = entry.get("source") or {}
    found = [obj for obj in objects if picks(obj, source)]
    if len(found) != 1:
        raise KubectlError(f"error: {'multiple matches for selector' if found else 'nothing selected by'} {_named(source)}\n")
    path = source.get("fieldPath") or "metadata.name"
    held = [holder[key] for holder, key in _places(found[0], path, create=False)]
    if not held:
        raise KubectlError(f"error: fieldPath `{path}` is missing for replacement source {_named(source)}\n")
    value = _piece(held[0], source.get("options") or {})
    for target in entry.get("targets") or ():
        if not target.get("select"):
            raise KubectlError("error: target must specify resources to select\n")
        rejected = target.get("reject") or ()
        for obj in objects:
            if picks(obj, target["select"]) and not any(picks(obj, one) for one in rejected):
                _put(obj, target, value)


def _named(selector: Json) -> str:
    """A ResId as kustomize writes it."""
    version, group = selector.get("version") or "[noVer]", selector.get("group") or "[noGrp]"
    return f"{selector.get('kind') or '[noKind]'}.{version}.{group}/{selector.get('name') or '[noName]'}.{selector.get('namespace') or '[noNs]'}"


def _piece(value: Any, options: Json) -> Any:
    if not options.get("delimiter"):
        return value
    pieces = str(value).split(str(options["delimiter"]))
    index = int(options.get("index") or 0)
    if not 0 <= index < len(pieces):
        raise KubectlError(f"error: options.index {index} is out of bounds for value {value}\n")
    return pieces[index]


def _put(obj: Json, target: Json, value: Any) -> None:
    options = target.get("options") or {}
    for path in target.get("fieldPaths") or ("metadata.name",):
        places = list(_places(obj, str(path), create=bool(options.get("create"))))
        if not places:
            raise KubectlError(f'error: unable to find field "{path}" in replacement target\n')
        for holder, key in places:
            holder[key] = _within(holder.get(key) if isinstance(holder, dict) else holder[key], value, options)


def _within(held: Any, value: Any, options: Json) -> Any:
    """A field with the value in it: the whole of it, or the piece that `delimiter` and `index` mean."""
    if not options.get("delimiter"):
        return str(value) if isinstance(held, str) and not isinstance(value, (dict, list)) else value
    delimiter, index = str(options["delimiter"]), int(options.get("index") or 0)
    pieces = str(held if held is not None else "").split(delimiter)
    if index < 0:
        pieces = [str(value), *pieces]
    elif index >= len(pieces):
        pieces.append(str(value))
    else:
        pieces[index] = str(value)
    return delimiter.join(pieces)


def _places(obj: Any, path: str, *, create: bool) -> Iterator[tuple[Any, Any]]:
    """(what holds it, key or index) of each field that a path leads to."""
    steps = [re.sub(r"\\(.)", r"\1", part) for part in PART.findall(path)]
    if not steps:
        return
    here = [obj]
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        found = [(holder, key) for holder in here for key in _keys(holder, step, create=create)][:FITS_MAX]
        if last:
            yield from found
            return
        here = []
        for holder, key in found:
            if isinstance(holder, dict) and holder.get(key) is None:
                holder[key] = {}
            here.append(holder[key])


def _keys(holder: Any, step: str, *, create: bool) -> list[Any]:
    if isinstance(holder, list):
        if step == "*":
            return list(range(len(holder)))
        if step.isdigit():
            return [int(step)] if int(step) < len(holder) else []
        name, equals, value = step.strip("[]").partition("=")
        if not equals:
            return [i for i, one in enumerate(holder) if one == name]
        return [i for i, one in enumerate(holder) if isinstance(one, dict) and str(one.get(name)) == value]
    if not isinstance(holder, dict):
        return []
    step = step.strip("[]") if step.startswith("[") and "=" not in step else step
    if step == "*":
        return list(holder)
    return [step] if step in holder or create else []
