"""Who owns which fields: what an update and an apply do to the list of managers, and how conflicts are told.

Sources: apimachinery/pkg/util/managedfields/internal (fieldmanager.go, structuredmerge.go, stripmeta.go, managedfieldsupdater.go,
capmanagers.go, skipnonapplied.go, lastappliedmanager.go, conflict.go) and structured-merge-diff/merge (update.go, conflict.go).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import ApiError, FieldError, bad_request
from . import fields, typed
from .fields import LEAF, Fields
from .types import Type

APPLY, UPDATE = "Apply", "Update"
MAX_UPDATE_MANAGERS = 10  # DefaultMaxUpdateManagers
ANCIENT = "ancient-changes"  # capmanagers.go, ancientMarker: where the oldest of more go
BEFORE_FIRST_APPLY = "before-first-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
STRIPPED = frozenset({"apiVersion", "kind"})  # stripmeta.go: nobody owns these
STRIPPED_METADATA = frozenset({"name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
                               "resourceVersion"})
_STRIP: Fields = {"f:apiVersion": LEAF, "f:kind": LEAF, "f:metadata": {fields.SELF: LEAF, **{"f:" + name: LEAF for name in STRIPPED_METADATA}}}
RESET: dict[str, Fields] = {  # what a write to an endpoint does not reach (each strategy's GetResetFields)
    "": {"f:status": LEAF}, "status": {"f:spec": LEAF}}


class Entry(NamedTuple):
    """One of metadata.managedFields. `owned` is the text of its set (fields.write); `time` RFC 3339."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    owned: str

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Two entries with the same one are one; those who apply are known by name alone, whatever version they use."""
        return self.manager, self.operation, "" if self.operation == APPLY else self.api_version, self.subresource


Entries = tuple[Entry, ...]


class Writer(NamedTuple):
    """Who writes now."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.manager, self.operation, "" if self.operation == APPLY else self.api_version, self.subresource


def ordered(entries: Sequence[Entry]) -> Entries:
    """Those who apply first, then by time (sortEncodedManagedFields)."""
    return tuple(sorted(entries, key=lambda one: (one.operation, one.time, one.manager, one.api_version, one.subresource)))


def differences(old: Mapping[str, Any], new: Mapping[str, Any], kind: Type, skip: tuple[str, ...] = ()) -> tuple[Fields, Fields]:
    """(added or changed, removed) between two whole objects, without what nobody owns and without the top-level members in `skip`."""
    changed: Fields = {}
    removed: Fields = {}
    for name in (*new, *(name for name in old if name not in new)):
        if name in STRIPPED or name in skip or old.get(name, typed._MISSING) is new.get(name, typed._MISSING):
            continue
        before, after = old.get(name, typed._MISSING), new.get(name, typed._MISSING)
        if name == "metadata":
            before, after = _metadata(before), _metadata(after)
        more, less = typed.compare(before, after, kind.field(name))
        if more is not None:
            changed["f:" + name] = more
        if less is not None:
            removed["f:" + name] = less
    if fields.SELF in changed.get("f:metadata", ()):
        changed["f:metadata"] = {name: node for name, node in changed["f:metadata"].items() if name != fields.SELF}
    return changed, removed


def _metadata(value: Any) -> Any:
    return {name: member for name, member in value.items() if name not in STRIPPED_METADATA} if isinstance(value, dict) else value


def update(entries: Entries, changed: Fields, removed: Fields, who: Writer) -> Entries:
    """The managers after an update: the writer takes what it changed, and nobody keeps what is gone."""
    if not changed and not removed:
        return entries
    own: Fields = {}
    out: list[Entry] = []
    for entry in entries:
        held = fields.parse(entry.owned)
        if entry.identity == who.identity:
            own = fields.difference(held, removed)
            if not changed and own:
                out.append(entry if own == held else entry._replace(owned=fields.write(own)))
            continue
        left = fields.difference(fields.difference(held, fields.intersection(held, changed)), removed)
        if left:
            out.append(entry if left == held else entry._replace(owned=fields.write(left)))
    if changed:
        out.append(Entry(*who, owned=fields.write(fields.union(own, changed))))
    return _capped(ordered(out))


def _capped(entries: Entries) -> Entries:
    """At most ten who update: the oldest become one (capManagersManager)."""
    updating = [entry for entry in entries if entry.operation == UPDATE]
    surplus = len(updating) - MAX_UPDATE_MANAGERS
    if surplus <= 0:
        return entries
    buckets: dict[str, Entry] = {entry.api_version: entry for entry in updating if entry.manager == ANCIENT}
    gone = []
    for entry in updating:
        if surplus <= 0:
            break
        if entry.manager == ANCIENT:
            continue
        bucket = buckets.get(entry.api_version)
        if bucket is None:
            bucket = Entry(ANCIENT, UPDATE, entry.api_version, "", entry.time, "{}")
        else:
            surplus -= 1
        gone.append(entry)
        owned = fields.union(fields.parse(bucket.owned), fields.parse(entry.owned))
        buckets[entry.api_version] = bucket._replace(time=max(bucket.time, entry.time), owned=fields.write(owned))
    kept = [entry for entry in entries if entry not in gone and entry.manager != ANCIENT]
    return ordered([*kept, *buckets.values()])


# ---- applying


class Conflict(NamedTuple):
    entry: Entry
    owned: Fields


def apply(entries: Entries, live: Mapping[str, Any], config: Mapping[str, Any], kind: Type, who: Writer, *, force: bool,
          lives: bool) -> tuple[Any, Entries]:
    """(the object after an applied configuration, or None where it is the live one; the managers). Raises ApiError 409.

    `lives` is whether the live object is stored, or the empty one of a kind. `config` must have no faults.
    """
    if lives and not entries:  # somebody wrote it whom nobody followed
        changed, _ = differences({}, live, kind)
        entries = update((), changed, {}, Writer(BEFORE_FIRST_APPLY, UPDATE, who.api_version, "", who.time))
    try:
        return _apply(entries, live, config, kind, who, force=force)
    except _Conflicts as found:
        allowed = _of_last_applied(live, kind) if who.manager == "kubectl" else {}
        left = [Conflict(one.entry, rest) for one in found.conflicts if (rest := fields.difference(one.owned, allowed))]
        if left:
            raise conflict_error(left) from None
        return _apply(entries, live, config, kind, who, force=True)


class _Conflicts(Exception):
    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts


def _apply(entries: Entries, live: Mapping[str, Any], config: Mapping[str, Any], kind: Type, who: Writer, *,
           force: bool) -> tuple[Any, Entries]:
    merged = typed.merge(live, config, kind)
    wanted = fields.without_subtrees(typed.fields_of(config, kind), RESET.get(who.subresource, {}))
    own = next((entry for entry in entries if entry.identity == who.identity), None)
    before = fields.parse(own.owned) if own is not None else {}
    others = [entry for entry in entries if entry is not own]
    if before:
        merged = _prune(merged, before, [wanted, *(fields.parse(entry.owned) for entry in others)], kind)
    changed, removed = differences(live, merged, kind)
    conflicts = []
    kept: list[Entry] = []
    for entry in others:
        held = fields.parse(entry.owned)
        taken = fields.intersection(held, changed)
        if taken:
            conflicts.append(Conflict(entry, taken))
        left = fields.difference(fields.difference(held, taken), removed)
        if left:
            kept.append(entry if left == held else entry._replace(owned=fields.write(left)))
    if conflicts and not force:
        raise _Conflicts(conflicts)
    owned = fields.write(fields.difference(wanted, _STRIP))
    same = not changed and not removed
    if owned != "{}":
        unchanged = own is not None and own.owned == owned and same and own.api_version == who.api_version and len(kept) == len(others)
        kept.append(own if unchanged and own is not None else Entry(*who, owned=owned))
    return (None if same else merged), ordered(kept)


def _prune(merged: Any, before: Fields, owned: list[Fields], kind: Type) -> Any:
    """Without what the applier set the last time, does not set now, and nobody else owns (Updater.prune)."""
    named = fields.with_structs
    last = named(before, kind)
    pruned = typed.remove(merged, last, kind)
    everybody: Fields = {}
    for one in owned:
        everybody = fields.union(everybody, one)
    whole = named(typed.fields_of(merged, kind), kind)

    def present(value: Any) -> Fields:
        return named(typed.fields_of(value, kind), kind) if value else {}
    keep = fields.union(present(pruned), named(everybody, kind))
    pruned = typed.remove(merged, fields.difference(whole, keep), kind)
    return typed.remove(merged, fields.intersection(fields.difference(whole, present(pruned)), last), kind)


def _of_last_applied(live: Mapping[str, Any], kind: Type) -> Fields:
    """What kubectl's client-side apply set and still stands: those conflicts are with itself (allowedConflictsFromLastApplied)."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        applied = json.loads(text) if text else None
    except ValueError:
        applied = None
    if not isinstance(applied, dict) or typed.faults(applied, kind):
        return {}
    changed, removed = differences(applied, live, kind)
    return fields.difference(fields.difference(typed.fields_of(applied, kind), changed), removed)


def synced_last_applied(merged: dict[str, Any], config: Mapping[str, Any], manager: str) -> dict[str, Any]:
    """kubectl's own server-side apply keeps the annotation of its client-side apply true (lastAppliedUpdater)."""
    annotations = (merged.get("metadata") or {}).get("annotations") or {}
    if manager != "kubectl" or LAST_APPLIED not in annotations:
        return merged
    plain = dict(config)
    metadata = dict(plain.get("metadata") or {})
    metadata["annotations"] = {name: value for name, value in (metadata.get("annotations") or {}).items() if name != LAST_APPLIED}
    text = json.dumps({**plain, "metadata": metadata}, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    return {**merged, "metadata": {**merged["metadata"], "annotations": {**annotations, LAST_APPLIED: text}}}


def conflict_error(conflicts: list[Conflict]) -> ApiError:
    """409 with a cause for every field (NewConflictError)."""
    ordered_ones = sorted(conflicts, key=lambda one: one.entry)
    named = [(_printed(one.entry), path) for one in ordered_ones for path in fields.paths(one.owned)]
    causes = [{"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path} for manager, path in named]
    if len(named) == 1:
        text = f"Apply failed with 1 conflict: conflict with {named[0][0]}: {named[0][1]}"
    else:
        lines = []
        for manager in dict.fromkeys(manager for manager, _ in named):
            lines += [f"conflicts with {manager}:", *(f"- {path}" for other, path in named if other == manager)]
        text = f"Apply failed with {len(named)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", text, {"causes": causes})


def _printed(entry: Entry) -> str:
    text = json.dumps(entry.manager, ensure_ascii=False)
    if entry.subresource:
        text += f" with subresource {json.dumps(entry.subresource)}"
    return f"{text} using {entry.api_version}" if entry.operation == UPDATE else text


# ---- as the API shows them


SHOWN_LENGTH = 50_000  # characters of sets whose reading is remembered: a megabyte of them takes ten times its room when it is read


def shown(entries: Entries) -> list[dict[str, Any]]:
    """metadata.managedFields. Not to be changed: it may be remembered."""
    return _remembered(entries) if sum(len(one.owned) for one in entries) < SHOWN_LENGTH else _shown(entries)


def _shown(entries: Entries) -> list[dict[str, Any]]:
    return [{"manager": one.manager, "operation": one.operation, "apiVersion": one.api_version, **({"time": one.time} if one.time else {}),
             "fieldsType": "FieldsV1", "fieldsV1": fields.parse(one.owned), **({"subresource": one.subresource} if one.subresource else {})}
            for one in entries]


_remembered = lru_cache(maxsize=64)(_shown)


def is_reset(value: Any) -> bool:
    """Whether a request asks to forget all managers: an empty list, or one empty entry."""
    return isinstance(value, list) and (not value or (len(value) == 1 and not value[0]))


def given(value: Any) -> Entries:
    """The managers that a request states; none where a set of theirs cannot be read. Raises ApiError 400 for what is no list of entries."""
    out = []
    for one in value if isinstance(value, list) else ():
        if not isinstance(one, dict):
            raise bad_request("metadata.managedFields: it is no list of entries")
        owned = one.get("fieldsV1") or {}
        if not fields.is_sound(owned):
            return ()
        out.append(
            Entry(
                str(one.get("manager") or ""),
                str(one.get("operation") or ""),
                str(one.get("apiVersion") or ""),
                str(one.get("subresource") or ""),
                str(one.get("time") or ""),
                fields.write(owned),
            )
        )
    return ordered(out)


def faults_of(value: Any) -> list[FieldError]:
    """What is wrong with stated managers (metav1validation.ValidateManagedFields)."""
    errors: list[FieldError] = []
    if is_reset(value):
        return errors
    for at, one in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(one, dict):
            continue  # `given` refuses it
        path = f"metadata.managedFields[{at}]"
        operation, form, manager = one.get("operation", ""), one.get("fieldsType", ""), one.get("manager", "")
        if operation not in (APPLY, UPDATE):
            errors.append(FieldError.invalid(f"{path}.operation", operation, "must be `Apply` or `Update`"))
        if form not in ("", "FieldsV1"):
            errors.append(FieldError.invalid(f"{path}.fieldsType", form, "must be `FieldsV1`"))
        if len(manager) > 128:
            errors.append(FieldError.too_long(f"{path}.manager", 128))
    return errors
