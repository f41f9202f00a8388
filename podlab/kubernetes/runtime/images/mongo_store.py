"""What MongoDB does with documents: queries, updates, aggregation. Documents are JSON objects in MongoDB's extended form: a date is
{"$date": ms}, an object id {"$oid": hex}.

Source: mongodb.com/docs/manual/reference/operator. What is not here is refused by name. A collection keeps its newest `KEPT` documents
within `KEPT_TEXT`, so that a talkative script does not fill the checkpoints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..linear import TooComplex, compiled
from ..process import Data

KEPT = 2_000
KEPT_TEXT = 2_000_000  # characters of a collection: each command reads them all, some 30 ms
WORK = 1_000_000  # values of a query or a stage times documents: some 300 ms
HEAP = 200_000  # values and dozens of letters that a script may hold, one that is held twice counted twice, as in JSON
NESTED = 100  # values in values (BSON's own limit, nested documents)
LETTERS = 16  # that cost as much as a value
COMPARE: dict[str, Callable[[Any, Any], bool]] = {"$gt": lambda a, b: a > b, "$gte": lambda a, b: a >= b, "$lt": lambda a, b: a < b,
                                                  "$lte": lambda a, b: a <= b}  # fmt: skip
UNITS = ("second", "minute", "hour", "day", "month", "year")


class Refused(Exception):
    """A command that fails: the server's code, its name, its message."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code, self.name, self.message = code, name, message


class Full(Exception):
    """The script holds more than there is room for."""


def weight(*values: Any, most: int = HEAP) -> int:
    """How much values hold, each as often as it is written. Raises Full beyond `most`, or where values are too deep in values (or in themselves)."""
    found, todo = 0, [(value, 0) for value in values]
    while todo:
        value, depth = todo.pop()
        found += 1
        if isinstance(value, str):
            found += len(value) // LETTERS
        elif isinstance(value, (list, dict)) and value:
            if depth > NESTED:
                raise Full
            found += len(value)
            if found <= most:
                todo += [(one, depth + 1) for one in (value if isinstance(value, list) else value.values())]
        if found > most:
            raise Full
    return found


def bearable(documents: list[Data], asked: Any) -> None:
    """Raises Refused where asking so much of so many documents, or holding them, would stop the server for the others."""
    try:
        size = weight(asked)
        weight(documents)
    except Full:
        size = WORK + 1
    if size * max(1, len(documents)) > WORK:
        raise Refused(292, "QueryExceededMemoryLimitNoDiskUseAllowed", "PlanExecutor error during aggregation :: caused by :: Exceeded memory limit")


def plain(value: Any) -> Any:
    """A value as it is compared: a date by its time, an id by its digits."""
    if isinstance(value, dict) and len(value) == 1:
        return value.get("$date", value.get("$oid", value))
    return value


def dig(document: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(document, list) and part.isdigit():
            document = document[int(part)] if int(part) < len(document) else None
        else:
            document = document.get(part) if isinstance(document, dict) else None
    return document


def matches(document: Data, query: Data) -> bool:
    """Whether a document fits a query. Raises Refused."""
    for path, wanted in query.items():
        if path in ("$and", "$or", "$nor"):
            found = [matches(document, one) for one in wanted]
            if not (all(found) if path == "$and" else any(found) if path == "$or" else not any(found)):
                return False
        elif path.startswith("$"):
            raise Refused(2, "BadValue", f"unknown top level operator: {path}")
        elif not _fits(dig(document, path), wanted):
            return False
    return True


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and any(key.startswith("$") for key in wanted) and plain(wanted) is wanted:
        return all(_operator(value, name, operand, wanted) for name, operand in wanted.items())
    return plain(value) == plain(wanted) or (isinstance(value, list) and any(plain(one) == plain(wanted) for one in value))


def _operator(value: Any, name: str, operand: Any, whole: Data) -> bool:
    if name in COMPARE:
        a, b = plain(value), plain(operand)
        return (isinstance(a, str) == isinstance(b, str)) and a is not None and b is not None and COMPARE[name](a, b)
    if name in ("$eq", "$ne"):
        return _fits(value, operand) == (name == "$eq")
    if name in ("$in", "$nin"):
        return any(_fits(value, one) for one in operand) == (name == "$in")
    if name == "$exists":
        return (value is not None) == bool(operand)
    if name == "$regex":
        try:
            return compiled(str(operand), re.IGNORECASE if "i" in str(whole.get("$options", "")) else 0).search(str(value)) is not None
        except (re.error, TooComplex):
            raise Refused(51091, "Location51091", "Regular expression is invalid") from None
    if name == "$options":
        return True
    if name == "$not":
        return not _fits(value, operand)
    raise Refused(2, "BadValue", f"unknown operator: {name}")


def updated(document: Data, change: Data) -> Data:
    """The document after an update, or the one that replaces it. Raises Refused."""
    if not any(key.startswith("$") for key in change):
        return {"_id": document["_id"], **change} if "_id" in document else dict(change)
    out: Data = json.loads(json.dumps(document))
    for name, fields in change.items():
        for path, value in fields.items():
            *way, last = path.split(".")
            if len(way) > NESTED:
                raise Refused(15, "Overflow", "Exceeded depth limit of 100 when converting js object to BSON. Do you have a cycle?")
            at = out
            for part in way:
                at = at.setdefault(part, {})
            if name == "$set" or (name == "$setOnInsert" and last not in at):
                at[last] = value
            elif name == "$unset":
                at.pop(last, None)
            elif name == "$inc":
                at[last] = at.get(last, 0) + value
            elif name == "$push":
                at.setdefault(last, []).append(value)
            elif name != "$setOnInsert":
                raise Refused(9, "FailedToParse", f"Unknown modifier: {name}. Expected a valid update modifier or pipeline-style update")
    return out


# ---- aggregation


def aggregate(documents: list[Data], pipeline: list[Data], random: Callable[[int], int]) -> list[Data]:
    """The documents that come out of a pipeline. Raises Refused."""
    for stage in pipeline:
        bearable(documents, stage)
        if len(stage) != 1:
            raise Refused(40323, "Location40323", "A pipeline stage specification object must contain exactly one field.")
        ((name, what),) = stage.items()
        if name == "$match":
            documents = [one for one in documents if matches(one, what)]
        elif name == "$group":
            documents = _group(documents, what)
        elif name == "$sort":
            documents = ordered(documents, what)
        elif name in ("$limit", "$skip"):
            documents = documents[: int(what)] if name == "$limit" else documents[int(what) :]
        elif name == "$sample":
            rest, documents = list(documents), []
            while rest and len(documents) < int(what["size"]):
                documents.append(rest.pop(random(len(rest))))
        elif name == "$count":
            documents = [{what: len(documents)}] if documents else []
        elif name in ("$project", "$addFields", "$set"):
            documents = [_project(one, what, name == "$project") for one in documents]
        elif name == "$unwind":
            path = (what if isinstance(what, str) else what["path"]).lstrip("$")
            if sum(len(found) for one in documents if isinstance(found := dig(one, path), (list, str, dict))) > HEAP:
                bearable(documents, [None] * HEAP)
            documents = [{**one, path: item} for one in documents for item in dig(one, path) or ()]
        else:
            raise Refused(40324, "Location40324", f"Unrecognized pipeline stage name: '{name}'")
    bearable(documents, None)
    return documents


def ordered(documents: list[Data], by: Data) -> list[Data]:
    for path, way in reversed(list(by.items())):
        documents = sorted(documents, key=lambda one: (dig(one, path) is not None, str(type(plain(dig(one, path)))), plain(dig(one, path)) or 0),
                           reverse=way < 0)  # fmt: skip
    return documents


def _project(document: Data, what: Data, only: bool) -> Data:
    if only and all(value in (0, False) for value in what.values()):
        return {name: value for name, value in document.items() if name not in what}
    out: Data = ({"_id": document.get("_id")} if what.get("_id", 1) else {}) if only else dict(document)
    for name, value in what.items():
        if name != "_id":
            out[name] = dig(document, name) if value in (1, True) and only else expression(value, document)
    return out


def _group(documents: list[Data], what: Data) -> list[Data]:
    groups: dict[str, tuple[Any, list[Data]]] = {}
    for one in documents:
        key = expression(what.get("_id"), one)
        groups.setdefault(json.dumps(key, sort_keys=True), (key, []))[1].append(one)
    return [{"_id": key, **{name: _gather(rule, members) for name, rule in what.items() if name != "_id"}} for key, members in groups.values()]


def _gather(rule: Data, members: list[Data]) -> Any:
    ((name, what),) = rule.items()
    values = [expression(what, one) for one in members]
    numbers = [value for value in values if isinstance(value, (int, float))]
    if name == "$sum":
        return sum(numbers)
    if name == "$avg":
        return sum(numbers) / len(numbers) if numbers else None
    if name in ("$min", "$max"):
        return (min if name == "$min" else max)(values, key=plain)
    if name in ("$first", "$last"):
        return values[0 if name == "$first" else -1]
    if name in ("$push", "$addToSet"):
        return values if name == "$push" else [one for at, one in enumerate(values) if one not in values[:at]]
    if name == "$count":
        return len(members)
    raise Refused(15952, "Location15952", f"unknown group operator '{name}'")


def expression(what: Any, document: Data) -> Any:
    """An aggregation expression's value. Raises Refused."""
    if isinstance(what, str) and what.startswith("$"):
        return dig(document, what[1:])
    if isinstance(what, list):
        return [expression(one, document) for one in what]
    if not isinstance(what, dict) or plain(what) is not what:
        return what
    name = next(iter(what), "")
    if not name.startswith("$"):
        return {key: expression(value, document) for key, value in what.items()}
    value = what[name]
    if name == "$literal":
        return value
    if name == "$cond":
        parts = [value["if"], value["then"], value["else"]] if isinstance(value, dict) else value
        return expression(parts[1 if expression(parts[0], document) else 2], document)
    found = expression(value, document)
    if name == "$dateTrunc":
        return {"$date": _truncated(plain(found["date"]), found["unit"])}
    if name == "$dateToString":
        return _moment(plain(found["date"])).strftime(re.sub(r"%L", "000", found.get("format", "%Y-%m-%dT%H:%M:%S.%LZ")))
    if name == "$dateFromString":
        return {"$date": parse_date(found["dateString"])}
    if name in ("$year", "$month", "$dayOfMonth", "$hour"):
        return getattr(_moment(plain(found)), {"$dayOfMonth": "day"}.get(name, name[1:]))
    if name in ("$eq", "$ne", *COMPARE):
        a, b = plain(found[0]), plain(found[1])
        return (a == b) == (name == "$eq") if name in ("$eq", "$ne") else COMPARE[name](a, b)
    if name in ("$and", "$or", "$not"):
        return all(found) if name == "$and" else any(found) if name == "$or" else not (found[0] if isinstance(found, list) else found)
    if name in ("$add", "$multiply"):
        total: Any = 0 if name == "$add" else 1
        for one in found:
            total = total + plain(one) if name == "$add" else total * one
            if isinstance(total, str) or (isinstance(total, int) and not -(2**63) <= total < 2**63):
                total = float(total)  # longer than a long: a double, as the server makes of it
        return total
    if name == "$subtract":
        return plain(found[0]) - plain(found[1])
    if name == "$divide" and found[1]:
        return found[0] / found[1]
    if name == "$size":
        return len(found[0] if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list) else found)
    if name == "$concat":
        if sum(map(len, found)) > HEAP:
            raise Refused(16493, "Location16493", "$concat: the result is too long")
        return "".join(found)
    raise Refused(168, "InvalidPipelineOperator", f"Unrecognized expression '{name}'")


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _truncated(ms: int, unit: str) -> int:
    at = UNITS.index(unit) if unit in UNITS else 3
    cut: dict[str, Any] = {"microsecond": 0, **{name: value for place, (name, value) in enumerate(
        {"second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1}.items()) if place < at}}  # fmt: skip
    return round(_moment(ms).replace(**cut).timestamp() * 1000)


DATE = re.compile(r"\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?)?\s*(Z|[+-]00:?00)?\s*")


def parse_date(text: str) -> int:
    """Milliseconds of a date in ISO's form (a day or month of one digit too, as JavaScript takes it); UTC. Raises Refused."""
    found = DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(found[at] or default) for at, default in enumerate((0, 1, 1, 0, 0, 0), start=1))
        return round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000) + int((found[7] or "0").ljust(3, "0"))
    except ValueError:
        raise Refused(241, "ConversionFailure", f"Error parsing date string '{text}'") from None
