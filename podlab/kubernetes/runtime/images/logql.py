"""LogQL over streams: selectors, line filters, `json` and `logfmt` parsers, label filters, `line_format`, and over ranges
count_over_time, rate, bytes_over_time, bytes_rate, with sum, min, max, avg and count by labels (grafana.com/docs/loki/latest/query).

    stream = {"labels": {name: value}, "entries": [[ms, line]]}
"""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import accumulate
from typing import Any

from ..linear import TooComplex, compiled
from ..process import Data
from .log_parsers import parse_json, parse_pairs
from .logql_syntax import Log, LogqlError, Metric, accepts, duration, number

STEPS_MAX = 11_000
SERIES_MAX = 500  # limits_config.max_query_series
POINTS_MAX = 500_000


def selects(log: Log, labels: dict[str, str]) -> bool:
    """Whether a stream's labels satisfy the matchers."""
    return all(accepts(operator, value, labels.get(name, "")) for name, operator, value in log.matchers)


# ---- lines through stages


def _shown(labels: dict[str, str], found: re.Match[str]) -> str:
    return labels.get(found[1], "")


def through(log: Log, labels: dict[str, str], line: str) -> tuple[dict[str, str], str] | None:
    """(labels, line) after all stages; None: filtered out."""
    for stage in log.stages:
        kind = stage[0]
        if kind == "line":
            if not _line(stage[1], stage[2], line):
                return None
        elif kind == "json":
            found = parse_json(line)
            labels = {**labels, **(_flat(found) if found is not None else {"__error__": "JSONParserErr"})}
        elif kind == "logfmt":
            labels = {**labels, **{re.sub(r"[.-]", "_", name): value for name, value in parse_pairs(line).items()}}
        elif kind == "regexp":
            labels = {**labels, **_named(stage[1], line)}
        elif kind == "line_format":
            line = re.sub(r"\{\{\s*\.(\w+)\s*\}\}", partial(_shown, labels), stage[1])
        elif kind == "drop":
            labels = {name: value for name, value in labels.items() if name not in stage[1:]}
        elif kind == "keep":
            labels = {name: value for name, value in labels.items() if name in stage[1:]}
        elif kind == "where" and not _where(stage[1:], labels):
            return None
    return labels, line


def _line(operator: str, wanted: str, line: str) -> bool:
    if operator in ("|=", "!="):
        return (wanted in line) == (operator == "|=")
    try:
        return (compiled(wanted).search(line) is not None) == (operator == "|~")
    except TooComplex:
        return False
    except re.error as error:
        raise LogqlError(f"parse error : error parsing regexp: {error}: `{wanted}`") from None


def _named(pattern: str, line: str) -> dict[str, str]:
    names = re.findall(r"\(\?P<(\w+)>", pattern)
    try:
        found = compiled(re.sub(r"\(\?P<\w+>", "(", pattern)).search(line)
    except re.error:
        return {}
    return {} if found is None else {name: value for name, value in zip(names, found.groups(), strict=False) if value is not None}


def _flat(record: Data, prefix: str = "", depth: int = 0) -> dict[str, str]:
    out: dict[str, str] = {}
    for name, value in record.items():
        key = re.sub(r"\W", "_", prefix + name)
        if isinstance(value, dict):
            out |= _flat(value, f"{key}_", depth + 1) if depth < 10 else {}
        elif not isinstance(value, list):
            out[key] = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return out


def _where(rows: tuple[str, ...], labels: dict[str, str]) -> bool:
    result = _compare(rows[0], rows[1], rows[2], labels)
    for at in range(3, len(rows), 4):
        one = _compare(rows[at + 1], rows[at + 2], rows[at + 3], labels)
        result = (result or one) if rows[at] == "or" else (result and one)
    return result


def _compare(name: str, operator: str, wanted: str, labels: dict[str, str]) -> bool:
    value = labels.get(name, "")
    if operator in ("=", "!=", "=~", "!~") and not (re.fullmatch(r"\d+(\.\d+)?", wanted) and operator in ("=", "!=")):
        return accepts(operator, wanted, value)
    try:
        left, right = float(value), float(wanted) if re.fullmatch(r"\d+(\.\d+)?", wanted) else duration(wanted) / 1000
    except (ValueError, LogqlError):
        return operator == "!="
    return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right, "!=": left != right}.get(operator, left == right)


def select(log: Log, streams: list[Data], start: int, end: int) -> list[tuple[dict[str, str], int, str]]:
    """(labels, ms, line) of all entries with start <= time < end that come through, in time order."""
    out: list[tuple[dict[str, str], int, str]] = []
    for stream in streams:
        if not selects(log, stream["labels"]):
            continue
        for at, line in stream["entries"]:
            if start <= at < end:
                found = through(log, stream["labels"], line)
                if found is not None:
                    out.append((found[0], at, found[1]))
    out.sort(key=lambda row: row[1])
    return out


# ---- metrics


def evaluate(metric: Metric, streams: list[Data], times: list[int]) -> list[tuple[dict[str, str], dict[int, float]]]:
    """[(labels, {time ms: value})], by labels. Raises LogqlError."""
    if metric.inner is None:
        assert metric.log is not None
        return _ranges(metric, metric.log, streams, times)
    groups: dict[str, tuple[dict[str, str], dict[int, list[float]]]] = {}
    inner = evaluate(metric.inner, streams, times)
    if metric.function in ("topk", "bottomk"):
        last = times[-1]
        order = sorted(inner, key=lambda one: one[1].get(last, 0.0), reverse=metric.function == "topk")
        return order[: metric.count]
    for labels, values in inner:
        if metric.without:
            kept = {name: value for name, value in labels.items() if name not in (metric.by or ())}
        else:
            kept = {name: labels[name] for name in metric.by or () if name in labels}
        _, held = groups.setdefault(json.dumps(kept, sort_keys=True), (kept, {}))
        for at, value in values.items():
            held.setdefault(at, []).append(value)
    return [(kept, {at: _combined(metric.function, values) for at, values in held.items()}) for kept, held in groups.values()]


def _combined(function: str, values: list[float]) -> float:
    if function == "count":
        return float(len(values))
    return {"sum": sum(values), "min": min(values), "max": max(values), "avg": sum(values) / len(values)}[function]


def _ranges(metric: Metric, log: Log, streams: list[Data], times: list[int]) -> list[tuple[dict[str, str], dict[int, float]]]:
    rows = select(log, streams, times[0] - metric.range_ms + 1, times[-1] + 1)
    series: dict[str, tuple[dict[str, str], list[tuple[int, float]]]] = {}
    for labels, at, line in rows:
        size = float(len(line.encode("utf-8", "surrogateescape"))) if metric.function.startswith("bytes") else 1.0
        if metric.unwrap:
            try:
                size = float(labels.get(metric.unwrap, ""))
            except ValueError:
                continue
            labels = {name: value for name, value in labels.items() if name != metric.unwrap}
        series.setdefault(json.dumps(labels, sort_keys=True), (labels, []))[1].append((at, size))
    if len(series) > SERIES_MAX:
        raise LogqlError(f"maximum of series ({SERIES_MAX}) reached for a single query")
    if len(series) * len(times) + (len(rows) * len(times) if metric.unwrap else 0) > POINTS_MAX:
        raise LogqlError("the query would return too many points: ask for fewer steps or fewer series")
    out: list[tuple[dict[str, str], dict[int, float]]] = []
    for labels, points in series.values():
        sums = list(accumulate((size for _, size in points), initial=0.0))
        values: dict[int, float] = {}
        low = high = 0
        for time in times:
            while high < len(points) and points[high][0] <= time:
                high += 1
            while low < high and points[low][0] <= time - metric.range_ms:
                low += 1
            if high > low:
                values[time] = _over(metric, sums[high] - sums[low], points[low:high] if metric.unwrap else [])
        if values:
            out.append((labels, values))
    return out


def _over(metric: Metric, total: float, points: list[tuple[int, float]]) -> float:
    if metric.function in ("rate", "bytes_rate"):
        return total / (metric.range_ms / 1000)
    name = metric.function.partition("_")[0]
    return _combined(name, [size for _, size in points]) if name in ("avg", "min", "max") else total


def sample(value: Any) -> str:
    return number(float(value))
