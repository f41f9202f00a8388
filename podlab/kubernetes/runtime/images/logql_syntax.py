"""The grammar of LogQL: a query -> Log or Metric."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..linear import TooComplex, compiled

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|`[^`]*`)|(?P<op>\|=|!=|\|~|!~|=~|==|>=|<=|=|>|<|[{}()\[\],|+*/-])|"
    r"(?P<duration>(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w|y))+)|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.:]*))"
)
RANGE = ("count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time", "avg_over_time", "max_over_time", "min_over_time")
VECTOR = ("sum", "min", "max", "avg", "count", "topk", "bottomk")
STAGES_MAX = 50


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
        if not any(operator in ("=", "=~") and not accepts(operator, value, "") for _, operator, value in matchers):
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


def accepts(operator: str, wanted: str, value: str) -> bool:
    if operator in ("=", "!=", "=="):
        return (value == wanted) == (operator != "!=")
    try:
        return (compiled(f"(?:{wanted})").fullmatch(value) is not None) == (operator == "=~")
    except TooComplex:
        return False
    except re.error as error:
        raise LogqlError(f"parse error : error parsing regexp: {error}: `{wanted}`") from None


def number(value: float) -> str:
    """A sample as Prometheus writes it."""
    return str(int(value)) if value == int(value) else repr(value)
