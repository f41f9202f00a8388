"""What Elasticsearch does with the hits of a search: their order, and aggregations (terms, date_histogram, filter, metrics)."""

from __future__ import annotations

import json
import re
from typing import Any

from ..process import Data
from .elasticsearch_matching import UNITS, Hit, moment, values
from .elasticsearch_search import bad, compile_query
from .elasticsearch_store import EsError, kind_of
from .log_parsers import iso, time_ms

BUCKETS_MAX = 1_000

CALENDAR = {"second": 1_000, "1s": 1_000, "minute": 60_000, "1m": 60_000, "hour": 3_600_000, "1h": 3_600_000, "day": 86_400_000, "1d": 86_400_000}


def sort_keys(body: Any) -> list[tuple[str, bool]]:
    """[(field, descending)] of a `sort`. Raises EsError."""
    out: list[tuple[str, bool]] = []
    for one in body if isinstance(body, list) else [body]:
        if isinstance(one, str):
            name, _, order = one.partition(":")
            out.append((name, order == "desc" or (not order and name == "_score")))
        elif isinstance(one, dict) and len(one) == 1:
            name, given = next(iter(one.items()))
            order = given.get("order", "asc") if isinstance(given, dict) else given
            out.append((name, str(order).lower() == "desc"))
        else:
            raise bad("parsing_exception", "malformed sort format, either start array, start object, or an actual string")
    return out


def sort_value(hit: Hit, name: str, score: float, order: int) -> Any:
    if name == "_score":
        return score
    if name in ("_doc", "_shard_doc"):
        return order
    found = values(hit[2], name)
    if not found:
        return None
    value = found[0]
    at = time_ms(value) if isinstance(value, str) and kind_of(value) == "date" else None
    return at if at is not None else int(value) if isinstance(value, bool) else value


def aggregate(asked: Any, hits: list[Hit], now: int, mapping: dict[str, str], depth: int = 0) -> Data:
    """The answers to `aggs`. Raises EsError."""
    if not isinstance(asked, dict) or depth > 5:
        raise bad("parsing_exception", "Expected [START_OBJECT] under [aggs]")
    out: Data = {}
    for name, body in asked.items():
        kinds = [kind for kind in body if kind not in ("aggs", "aggregations", "meta")] if isinstance(body, dict) else []
        if len(kinds) != 1:
            raise bad("parsing_exception", f"Missing definition for aggregation [{name}]")
        inner = body.get("aggs") or body.get("aggregations") or {}
        out[name] = _aggregation(kinds[0], body[kinds[0]], inner, hits, now, mapping, depth)
    return out


def _aggregation(kind: str, body: Data, inner: Data, hits: list[Hit], now: int, mapping: dict[str, str], depth: int) -> Data:
    def bucket(extra: Data, inside: list[Hit]) -> Data:
        return {**extra, "doc_count": len(inside), **(aggregate(inner, inside, now, mapping, depth + 1) if inner else {})}

    field = str(body.get("field", "")) if isinstance(body, dict) else ""
    if kind == "terms":
        if mapping.get(field) == "text":
            raise bad(
                "illegal_argument_exception",
                f"Fielddata is disabled on [{field}] in [index]. Text fields are not optimised for operations that require per-document field data "
                "like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set "
                f"fielddata=true on [{field}] in order to load field data by uninverting the inverted index.",
            )
        grouped: dict[str, list[Hit]] = {}
        keys: dict[str, Any] = {}
        for hit in hits:
            for value in dict.fromkeys(json.dumps(one) for one in values(hit[2], field)):
                grouped.setdefault(value, []).append(hit)
                keys[value] = json.loads(value)
        order = sorted(grouped, key=lambda key: (-len(grouped[key]), str(keys[key])))
        size = int(body.get("size", 10))
        rest = sum(len(grouped[key]) for key in order[size:])
        found = []
        for key in order[:size]:
            value = keys[key]
            text = {"key_as_string": "true" if value else "false"} if isinstance(value, bool) else {}
            found.append(bucket({"key": int(value) if isinstance(value, bool) else value, **text}, grouped[key]))
        return {"doc_count_error_upper_bound": 0, "sum_other_doc_count": rest, "buckets": found}
    if kind == "date_histogram":
        step = _interval(body)
        at = [(moment(values(hit[2], field)[0], now) if values(hit[2], field) else None, hit) for hit in hits]
        by: dict[int, list[Hit]] = {}
        for when, hit in at:
            if when is not None:
                by.setdefault(when // step * step, []).append(hit)
        if by and (max(by) - min(by)) // step >= BUCKETS_MAX:
            raise EsError(400, "too_many_buckets_exception", f"Trying to create too many buckets. Must be less than or equal to: [{BUCKETS_MAX}]")
        times = range(min(by), max(by) + 1, step) if by and int(body.get("min_doc_count", 0)) == 0 else sorted(by)
        return {"buckets": [bucket({"key_as_string": iso(when), "key": when}, by.get(when, [])) for when in times]}
    if kind == "filter":
        test = compile_query(body, now)
        return bucket({}, [hit for hit in hits if test(hit)])
    numbers = [float(value) for hit in hits for value in values(hit[2], field) if isinstance(value, int | float) and not isinstance(value, bool)]
    if kind == "value_count":
        return {"value": sum(len(values(hit[2], field)) for hit in hits)}
    if kind == "cardinality":
        return {"value": len({json.dumps(value) for hit in hits for value in values(hit[2], field)})}
    if kind in ("avg", "sum", "min", "max"):
        if not numbers:
            return {"value": 0.0 if kind == "sum" else None}
        return {"value": {"avg": sum(numbers) / len(numbers), "sum": sum(numbers), "min": min(numbers), "max": max(numbers)}[kind]}
    raise bad("parsing_exception", f"Unknown aggregation type [{kind}]")


def _interval(body: Data) -> int:
    text = str(body.get("fixed_interval") or body.get("calendar_interval") or "")
    if text in CALENDAR:
        return CALENDAR[text]
    found = re.fullmatch(r"(\d{1,6})(ms|s|m|h|d|w)", text)
    if found is None or not int(found[1]):
        raise bad("illegal_argument_exception", "Required one of fields [interval, calendar_interval, fixed_interval], but none were specified.")
    return int(found[1]) * UNITS[found[2]]
