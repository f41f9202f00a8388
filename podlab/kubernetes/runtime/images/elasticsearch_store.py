"""The indices of an Elasticsearch node: files of operations under its data path, and what they come to.

An index is the directory `indices/<name>` with one file, `translog`, a JSON list a line:
    ["index", uuid, settings, at]     first line                ["mapping", field, type]
    ["doc", at, id, document]         created or replaced       ["delete", at, id]
    ["refresh", at]                   everything before it can be found
So an index lives as long as the volume that the data path is on, and is kept once. What is read from the files is cached beside the
store, never in it. A document can be found once a whole second has begun after it came (index.refresh_interval, 1 s).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ..process import Data, Errno
from ..system import Sys
from .log_parsers import time_ms

TRANSLOG_MAX = 2_000_000
"""Characters of one index, past which it answers as a node does whose disk has reached the flood stage."""
REFRESH_MS = 1_000
FORBIDDEN = "must not contain the following characters ['\\\\','/','*','?','\"','<','>','|',' ',',']"
NAME = re.compile(r"^[^A-Z\\/*?\"<>| ,#:]+$")
FIELDS_MAX = 1_000  # index.mapping.total_fields.limit


class EsError(Exception):
    """An answer that is an error: HTTP status, type and reason as Elasticsearch names them."""

    def __init__(self, status: int, kind: str, reason: str, **more: Any) -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason, self.more = status, kind, reason, more


@dataclass
class Index:
    """What an index's operations come to. `order` counts operations, so that documents keep the order they came in."""

    name: str
    uuid: str
    settings: Data
    made: int
    mapping: dict[str, str] = field(default_factory=dict)
    docs: dict[str, tuple[int, int, Data]] = field(default_factory=dict)  # id -> (ms when it came, version, document)
    deleted: int = 0
    refreshed: int = 0
    operations: int = 0
    size: int = 0

    def found(self, now: int) -> list[tuple[str, Data]]:
        """The documents that a search sees."""
        edge = max(self.refreshed, now // REFRESH_MS * REFRESH_MS)
        return [(name, document) for name, (at, _, document) in self.docs.items() if at < edge or at <= self.refreshed]


CACHED_MAX = 32  # indices of a machine whose reading is kept


def root(data: Data) -> str:
    return f"{data['conf']['path.data']}/indices"


def names(sys: Sys, data: Data) -> list[str]:
    """The indices that exist, sorted."""
    try:
        return sys.listdir(root(data))
    except Errno:
        return []


def get(sys: Sys, data: Data, name: str) -> Index | None:
    """An index as it is now; None: there is none. Raises EsError when its file is not what it should be."""
    try:
        text = sys.read_file(f"{root(data)}/{name}/translog")
    except Errno:
        return None
    uuid = text[10:40].partition('"')[0]
    cache, key = sys.kernel.derived, f"elasticsearch/{uuid}"
    known: tuple[str, Index] | None = cache.get(key)
    if known is not None and text.startswith(known[0]):
        if len(text) == len(known[0]):
            return known[1]
        index, fresh = known[1], text[len(known[0]) :]
    else:
        index, fresh = None, text
    cache.pop(key, None)
    try:
        for line in fresh.split("\n")[:-1]:
            index = _apply(name, index, json.loads(line))
    except (ValueError, LookupError, TypeError):  # somebody has written into the file
        raise EsError(503, "no_shard_available_action_exception", f"[{name}][0] translog is corrupted") from None
    if index is None:
        return None
    index.size = len(text)
    if len(cache) >= CACHED_MAX:
        del cache[next(iter(cache))]
    cache[key] = (text, index)
    return index


def _apply(name: str, index: Index | None, row: list[Any]) -> Index:
    if index is None:
        return Index(name, row[1], row[2], row[3])
    index.operations += 1
    what = row[0]
    if what == "mapping":
        index.mapping[row[1]] = row[2]
    elif what == "doc":
        before = index.docs.get(row[2])
        if before is not None:
            index.deleted += 1
        index.docs[row[2]] = (row[1], before[1] + 1 if before else 1, row[3])
    elif what == "delete":
        index.docs.pop(row[2], None)
        index.deleted += 1
    elif what == "refresh":
        index.refreshed = row[1]
    return index


def create(sys: Sys, data: Data, name: str, settings: Data | None = None) -> Index:
    """A new index. Raises EsError."""
    if name in (".", "..") or name.startswith(("-", "_", "+")) or not NAME.match(name) or len(name) > 255:
        why = "must be lowercase" if name != name.lower() else FORBIDDEN
        if name.startswith(("-", "_", "+")):
            why = "must not start with '_', '-', or '+'"
        raise EsError(400, "invalid_index_name_exception", f"Invalid index name [{name}], {why}", index=name, index_uuid="_na_")
    if name in names(sys, data):
        raise EsError(400, "resource_already_exists_exception", f"index [{name}] already exists", index=name)
    for directory in (root(data), f"{root(data)}/{name}"):
        if sys.find(directory) is None:
            sys.mkdir(directory)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    uuid = "".join(letters[sys.random(64)] for _ in range(22))
    write(sys, data, name, [["index", uuid, {"number_of_shards": "1", "number_of_replicas": "1", **(settings or {})}, sys.now]])
    found = get(sys, data, name)
    assert found is not None
    return found


def write(sys: Sys, data: Data, name: str, rows: list[list[Any]]) -> None:
    """Adds operations to an index."""
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    sys.write_file(f"{root(data)}/{name}/translog", text, "a")


def remove(sys: Sys, data: Data, name: str) -> None:
    directory = f"{root(data)}/{name}"
    sys.unlink(f"{directory}/translog")
    sys.rmdir(directory)


# ---- mappings


def kind_of(value: Any) -> str:
    """The type that dynamic mapping gives a value (elastic.co: Dynamic field mapping)."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        return kind_of(next((one for one in value if one is not None), None)) if value else ""
    if isinstance(value, str):
        return "date" if re.match(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)", value) and time_ms(value) is not None else "text"
    return ""


def leaves(document: Data, prefix: str = "", depth: int = 0) -> list[tuple[str, Any]]:
    """(dotted name, value) of every field."""
    out: list[tuple[str, Any]] = []
    for name, value in document.items():
        if isinstance(value, dict) and depth < 20:
            out += leaves(value, f"{prefix}{name}.", depth + 1)
        else:
            out.append((prefix + name, value))
    return out


def checked(index: Index, document_id: str, document: Data, mapping: dict[str, str]) -> None:
    """Adds to `mapping` what a document brings. Raises EsError for a value that a field cannot hold."""
    for name, value in leaves(document):
        known = mapping.get(name) or index.mapping.get(name)
        kind = kind_of(value)
        if not known and kind:
            if len(index.mapping) + len(mapping) >= FIELDS_MAX:
                raise EsError(400, "document_parsing_exception", f"[1:1] failed to parse: Limit of total fields [{FIELDS_MAX}] has been exceeded")
            mapping[name] = kind
        elif known and kind and not fits(known, value):
            shown = json.dumps(value, ensure_ascii=False).strip('"')
            why = {
                "type": "illegal_argument_exception",
                "reason": f'For input string: "{shown}"'
                if known != "date"
                else f"failed to parse date field [{shown}] with format [strict_date_optional_time||epoch_millis]",
            }
            raise EsError(
                400,
                "document_parsing_exception",
                f"[1:1] failed to parse field [{name}] of type [{known}] in document with id '{document_id}'. Preview of field's value: '{shown}'",
                caused_by=why,
            )


def fits(known: str, value: Any) -> bool:
    if isinstance(value, list):
        return all(fits(known, one) for one in value)
    if value is None or known in ("text", "keyword"):
        return not isinstance(value, dict)
    if known in ("long", "integer", "float", "double", "short"):
        return not isinstance(value, bool) and (isinstance(value, int | float) or bool(re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", str(value))))
    if known == "boolean":
        return isinstance(value, bool) or value in ("true", "false", "")
    return known != "date" or isinstance(value, int) or time_ms(value) is not None


def properties(mapping: dict[str, str]) -> Data:
    """A mapping as `_mapping` shows it."""
    out: Data = {}
    for name in sorted(mapping):
        where = out
        *above, last = name.split(".")
        for part in above:
            where = where.setdefault(part, {"properties": {}}).setdefault("properties", {})
        kind = mapping[name]
        where[last] = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}} if kind == "text" else {"type": kind}
    return out
