"""LogQL over streams: selectors, line filters, `json` and `logfmt` parsers, label filters, `line_format`, and over ranges
count_over_time, rate, bytes_over_time, bytes_rate, with sum, min, max, avg and count by labels (grafana.com/docs/loki/latest/query).

    stream = {"labels": {name: value}, "entries": [[ms, line]]}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from ..linear import TooComplex, compiled
from ..process import Data
from .log_parsers import parse_json, parse_pairs

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|`[^`]*`)|(?P<op>\|=|!=|\|~|!~|=~|==|>=|<=|=|>|<|[{}()\[\],|+*/-])|"
    r"(?P<duration>(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w|y))+)|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.:]*))"
)
RANGE = ("count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time", "avg_over_time", "max_over_time", "min_over_time")
VECTOR = ("sum", "min", "max", "avg", "count", "topk", "bottomk")
STEPS_MAX = 11_000
STAGES_MAX = 50
SERIES_MAX = 500  # limits_config.max_query_series
POINTS_MAX = 500_000


class LogqlError(Exception):
    """What Loki answers with 400 for."""


@dataclass
class Log:
    """A log query: matchers [(label, operator, value)] and stages [(kind, ...)]."""

    matchers: list[tuple[str, str, str]]
    stages: list[tuple[str, ...]] = field(default_factory=list)


@dataclass
class Metric:
    """A metric query: a function over ranges of a log query, or an aggregation of another metric query."""

    function: str
    log: Log | None = None
    range_ms: int = 0
    unwrap: str = ""
    inner: Metric | None = None
    by: list[str] | None = None
    without: bool = False
    count: int = 0


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.at = text, self._tokens(text), 0

    def _tokens(self, text: str) -> list[tuple[str, str, int]]:
        out: list[tuple[str, str, int]] = []
        at = 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None or not found.lastgroup:
                at += len(text[at:]) - len(text[at:].lstrip())
                raise LogqlError(f"parse error at line 1, col {at + 1}: syntax error: unexpected character {text[at]!r}")
            out.append((found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            at = found.end()
        return out

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def fail(self, wanted: str = "") -> LogqlError:
        more = f", expecting {wanted}" if wanted else ""
        if self.at >= len(self.tokens):
            return LogqlError(f"parse error : syntax error: unexpected $end{more}")
        kind, text, at = self.tokens[self.at]
        name = {"word": "IDENTIFIER", "string": "STRING", "number": "NUMBER", "duration": "DURATION"}.get(kind, text)
        return LogqlError(f"parse error at line 1, col {at + 1}: syntax error: unexpected {name}{more}")

    def take(self, text: str) -> None:
        if self.peek() != text:
            raise self.fail(text)
        self.at += 1

    def word(self) -> str:
        if self.kind() != "word":
            raise self.fail("IDENTIFIER")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def string(self) -> str:
        if self.kind() != "string":
            raise self.fail("STRING")
        self.at += 1
        raw = self.tokens[self.at - 1][1]
        return raw[1:-1] if raw[0] == "`" else re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), raw[1:-1])

    # ---- grammar

    def query(self) -> Log | Metric:
        found = self.log() if self.peek() == "{" else self.metric(0)
        if self.at < len(self.tokens):
            raise self.fail()
        return found

    def log(self) -> Log:
        self.take("{")
        matchers: list[tuple[str, str, str]] = []
        while self.peek() != "}":
            name, operator = self.word(), self.peek()
            if operator not in ("=", "!=", "=~", "!~"):
                raise self.fail("= or != or =~ or !~")
            self.at += 1
            matchers.append((name, operator, self.string()))
            if self.peek() != "}":
                self.take(",")
        self.take("}")
        if not any(operator in ("=", "=~") and not _accepts(operator, value, "") for _, operator, value in matchers):
            raise LogqlError(
                "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, "
                'app=~".*" does not meet this requirement, but app=~".+" will'
            )
        found = Log(matchers)
        while self.peek() in ("|=", "!=", "|~", "!~", "|"):
            self._stage(found)
        return found

    def _stage(self, found: Log) -> None:
        if len(found.stages) >= STAGES_MAX:
            raise LogqlError(f"parse error : more than {STAGES_MAX} pipeline stages")
        operator = self.peek()
        self.at += 1
        if operator != "|":
            found.stages.append(("line", operator, self.string()))
            return
        name = self.word()
        if name in ("json", "logfmt"):
            found.stages.append((name,))
        elif name in ("line_format", "regexp", "pattern"):
            found.stages.append((name, self.string()))
        elif name == "unwrap":
            found.stages.append((name, self.word()))
        elif name in ("drop", "keep"):
            names = [self.word()]
            while self.peek() == ",":
                self.at += 1
                names.append(self.word())
            found.stages.append((name, *names))
        else:
            self._label_filter(found, name)

    def _label_filter(self, found: Log, name: str) -> None:
        rows: list[str] = []
        while True:
            operator = self.peek()
            if operator not in ("=", "==", "!=", "=~", "!~", ">", ">=", "<", "<="):
                raise self.fail()
            self.at += 1
            if self.kind() in ("number", "duration"):
                value = self.tokens[self.at][1]
                self.at += 1
            else:
                value = self.string()
            rows += [name, operator, value]
            if self.peek() not in ("and", "or", ","):
                break
            rows.append("or" if self.peek() == "or" else "and")
            self.at += 1
            name = self.word()
        found.stages.append(("where", *rows))

    def metric(self, depth: int) -> Metric:
        if depth > 10:
            raise LogqlError("parse error : query is nested too deeply")
        name = self.word() if self.kind() == "word" else ""
        if name in RANGE:
            self.take("(")
            log = self.log()
            self.take("[")
            if self.kind() != "duration":
                raise self.fail("DURATION")
            span = duration(self.peek())
            self.at += 1
            self.take("]")
            while self.peek() in ("|=", "!=", "|~", "!~", "|"):
                self._stage(log)
            self.take(")")
            unwrap = next((stage[1] for stage in log.stages if stage[0] == "unwrap"), "")
            if name not in RANGE[:4] and not unwrap:
                raise LogqlError(f"parse error : invalid aggregation {name} without unwrap")
            return Metric(name, log, span, unwrap)
        if name not in VECTOR:
            self.at -= bool(name)
            raise self.fail()
        by, without = self._grouping()
        self.take("(")
        count = 0
        if name in ("topk", "bottomk"):
            if self.kind() != "number":
                raise self.fail("NUMBER")
            count = int(float(self.peek()))
            self.at += 1
            self.take(",")
        inner = self.metric(depth + 1)
        self.take(")")
        if by is None:
            by, without = self._grouping()
        return Metric(name, inner=inner, by=by, without=without, count=count)

    def _grouping(self) -> tuple[list[str] | None, bool]:
        if self.peek() not in ("by", "without"):
            return None, False
        without = self.word() == "without"
        self.take("(")
        names: list[str] = []
        while self.peek() != ")":
            names.append(self.word())
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return names, without


def parse(text: str) -> Log | Metric:
    """A query. Raises LogqlError."""
    return _Reader(text).query()


def parse_matchers(text: str) -> Log:
    """A selector alone, for /series."""
    return _Reader(text).log()


def duration(text: str) -> int:
    """`5m`, `1h30m` in ms; a number without a unit is seconds. Raises LogqlError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return round(float(text) * 1000)
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)", text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise LogqlError(f"cannot parse {text!r} to a valid duration")
    return round(sum(float(number) * UNITS[unit] for number, unit in found))


def _accepts(operator: str, wanted: str, value: str) -> bool:
    if operator in ("=", "!=", "=="):
        return (value == wanted) == (operator != "!=")
    try:
        return (compiled(f"(?:{wanted})").fullmatch(value) is not None) == (operator == "=~")
    except TooComplex:
        return False
    except re.error as error:
        raise LogqlError(f"parse error : error parsing regexp: {error}: `{wanted}`") from None


def selects(log: Log, labels: dict[str, str]) -> bool:
    """Whether a stream's labels satisfy the matchers."""
    return all(_accepts(operator, value, labels.get(name, "")) for name, operator, value in log.matchers)


# ---- lines through stages


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
            shown = labels
            line = re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda found, shown=shown: shown.get(found[1], ""), stage[1])  # type: ignore[misc]
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
        return _accepts(operator, wanted, value)
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


def number(value: float) -> str:
    """A sample as Prometheus writes it."""
    return str(int(value)) if value == int(value) else repr(value)


def sample(value: Any) -> str:
    return number(float(value))
