"""What mongosh brings: methods of strings, dates, cursors, databases and collections, Math, JSON, and the commands of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..process import Data
from .mongo_store import ordered
from .mongo_values import LONG, as_number, inspect, is_true, iso_date, jsonable, problem, said

if TYPE_CHECKING:
    from .mongo_machine import Machine


RUNNING = ("forEach", "map", "filter", "find", "some", "every", "reduce")


class Quit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


def on_string(held: str, name: str, given: list[Any]) -> Any:
    one = said(given[0]) if given else ""
    plain: dict[str, Callable[[str], str]] = {"toUpperCase": str.upper, "toLowerCase": str.lower, "trim": str.strip, "toString": str}
    if name in plain:
        return plain[name](held)
    if name in ("startsWith", "endsWith", "includes", "indexOf"):
        return {"startsWith": held.startswith(one), "endsWith": held.endswith(one), "includes": one in held, "indexOf": held.find(one)}[name]
    if name == "split":
        return held.split(one) if one else list(held)
    if name in ("replace", "replaceAll") and len(given) > 1:
        new = said(given[1])
        if len(held) + len(new) * (1 if name == "replace" else held.count(one)) > LONG:
            raise problem("RangeError", "Invalid string length")
        return held.replace(one, new, 1 if name == "replace" else -1)
    if name in ("padStart", "padEnd"):
        width, fill = min(1000, int(as_number(given[0]))), said(given[1]) if len(given) > 1 else " "
        return held.rjust(width, fill[:1]) if name == "padStart" else held.ljust(width, fill[:1])
    if name == "repeat":
        return held * max(0, min(LONG // max(1, len(held)), int(as_number(given[0]))))
    if name in ("slice", "substring", "substr", "charAt"):
        a, b = int(as_number(given[0] if given else 0)), int(as_number(given[1])) if len(given) > 1 else None
        return held[a : a + 1] if name == "charAt" else held[a : a + b if b is not None else None] if name == "substr" else held[a:b]
    raise problem("TypeError", f"{name} is not a function")


def on_list(machine: Machine, held: list[Any], name: str, given: list[Any]) -> Any:
    if name in RUNNING:
        function, found = given[0] if given else None, []
        if name == "reduce":
            total, rest = (given[1], held) if len(given) > 1 else (held[0], held[1:])
            for one in rest:
                total = machine.call(function, [total, one])
            return total
        for at, one in enumerate(list(held)):
            found.append(machine.call(function, [one, at]))
            if name in ("find", "some") and is_true(found[-1]):
                return one if name == "find" else True
        return {"forEach": None, "map": found, "filter": [one for one, keep in zip(held, found, strict=True) if is_true(keep)], "find": None,
                "some": False, "every": all(is_true(one) for one in found)}[name]  # fmt: skip
    if name in ("push", "unshift"):
        if len(held) + len(given) > LONG:
            raise problem("RangeError", "Invalid array length")
        held[len(held) if name == "push" else 0 : len(held) if name == "push" else 0] = given
        return len(held)
    if name in ("pop", "shift"):
        return held.pop(-1 if name == "pop" else 0) if held else None
    if name == "join":
        texts, by = [said(one) for one in held], said(given[0]) if given else ","
        if sum(map(len, texts)) + len(by) * len(texts) > LONG:
            raise problem("RangeError", "Invalid string length")
        return by.join(texts)
    if name in ("slice", "concat", "reverse", "toArray"):
        if len(held) + sum(len(one) for one in given if isinstance(one, list)) > LONG:
            raise problem("RangeError", "Invalid array length")
        machine.kept(held)
        part = held[slice(*(int(as_number(one)) for one in given))] if name == "slice" and given else list(held)
        return part[::-1] if name == "reverse" else [*part, *(one for item in given for one in (item if isinstance(item, list) else [item]))] \
            if name == "concat" else part  # fmt: skip
    if name in ("includes", "indexOf"):
        at = next((at for at, one in enumerate(held) if one == given[0]), -1)
        return at >= 0 if name == "includes" else at
    if name == "sort":
        held.sort(key=lambda one: (isinstance(one, str), one if isinstance(one, (int, float, str)) else said(one)))
        return held
    raise problem("TypeError", f"{name} is not a function")


PARTS = {"FullYear": "year", "Month": "month", "Date": "day", "Hours": "hour", "Minutes": "minute", "Seconds": "second"}


def _on_date(machine: Machine, held: Data, name: str, given: list[Any]) -> Any:
    ms = int(held["$date"])
    when = datetime.fromtimestamp(ms // 1000, UTC)
    if name in ("getTime", "valueOf"):
        return ms
    if name in ("toISOString", "toJSON"):
        return iso_date(ms)
    if name == "toString":
        return said(held)
    if name == "setTime":
        held["$date"] = int(as_number(given[0]))
        return held["$date"]
    part = PARTS.get(name[3:].removeprefix("UTC"))
    if name == "getDay":
        return (when.weekday() + 1) % 7
    if name == "getMilliseconds":
        return ms % 1000
    if part and name.startswith("get"):
        return getattr(when, part) - (part == "month")
    if part and name.startswith("set") and given:
        value = int(as_number(given[0]))
        if part in ("year", "month"):
            months = (value * 12 + when.month - 1) if part == "year" else when.year * 12 + value
            moved = when.replace(year=months // 12, month=months % 12 + 1, day=1) + timedelta(days=when.day - 1)
        else:
            moved = when + timedelta(**{f"{part}s": value - getattr(when, part)})
            if part == "hour":
                minute, second = (int(as_number(given[at])) if len(given) > at else was for at, was in ((1, moved.minute), (2, moved.second)))
                moved = moved.replace(minute=minute, second=second)
                ms = int(as_number(given[3])) if len(given) > 3 else ms
        held["$date"] = round(moved.timestamp() * 1000) + ms % 1000
        return held["$date"]
    if name in ("toLocaleString", "toDateString"):
        return f"{when:%m/%d/%Y, %H:%M:%S}" if name == "toLocaleString" else said(held)[:15]
    raise problem("TypeError", f"{name} is not a function")


def _on_cursor(machine: Machine, held: Data, name: str, given: list[Any]) -> Any:
    rest = held["$cursor"][held["at"] :]
    if name == "hasNext":
        return bool(rest)
    if name in ("next", "tryNext"):
        held["at"] += 1
        if not rest and name == "next":
            raise problem("MongoCursorExhaustedError", "Cursor is exhausted")
        return rest[0] if rest else None
    if name in ("forEach", "map"):
        return on_list(machine, rest, name, given)
    if name in ("sort", "limit", "skip"):
        documents = ordered(rest, given[0]) if name == "sort" else rest[: int(given[0])] if name == "limit" else rest[int(given[0]) :]
        return {"$cursor": documents, "at": 0}
    if name == "toArray":
        held["at"] = len(held["$cursor"])
        return rest
    if name in ("count", "itcount", "size"):
        return len(rest)
    if name in ("close", "pretty", "batchSize", "allowDiskUse"):
        return None if name == "close" else held
    raise problem("TypeError", f"{name} is not a function")


def _on_database(machine: Machine, held: Data, name: str, given: list[Any]) -> Any:
    database = held["$db"]
    if name in ("getSiblingDB", "getCollection"):
        return {"$db": given[0]} if name == "getSiblingDB" else {"$db": database, "$collection": given[0]}
    if name == "getName":
        return database
    if name in ("getCollectionNames", "dropDatabase"):
        found = machine.server({"op": "collections" if name == "getCollectionNames" else "dropDatabase", "db": database})
        return found["names"] if name == "getCollectionNames" else found
    if name in ("runCommand", "adminCommand", "hello", "isMaster", "serverStatus"):
        command = next(iter(given[0]), "") if given and isinstance(given[0], dict) else said(given[0]) if given else name
        op = {"ping": "ping", "hello": "hello", "isMaster": "hello", "ismaster": "hello", "replSetGetStatus": "status",
              "serverStatus": "serverStatus"}.get(command, "")
        if not op:
            raise problem("MongoServerError", f"no such command: '{command}'", code=59, codeName="CommandNotFound")
        return machine.server({"op": op})
    if name == "createCollection":
        return {"ok": 1}
    if name == "version":
        return "7.0.14"
    raise problem("TypeError", f"db.{name} is not a function")


def _on_collection(machine: Machine, held: Data, name: str, given: list[Any]) -> Any:
    if "$collection" not in held:
        return _on_database(machine, held, name, given)
    place = {"db": held["$db"], "coll": held["$collection"]}
    query: Any = given[0] if given and given[0] is not None else {}
    if name in ("insertOne", "insertMany", "insert"):
        documents = [one if "_id" in one else {"_id": machine.fresh_id(), **one} for one in (query if isinstance(query, list) else [query])]
        machine.server({"op": "insert", **place, "documents": documents})
        if name == "insertOne":
            return {"acknowledged": True, "insertedId": documents[0]["_id"]}
        return {"acknowledged": True, "insertedIds": {str(at): one["_id"] for at, one in enumerate(documents)}}
    if name in ("find", "aggregate"):
        body = {"op": "find", "query": query} if name == "find" else {"op": "aggregate", "pipeline": query if isinstance(query, list) else given}
        return {"$cursor": machine.server({**body, **place})["documents"], "at": 0}
    if name in ("findOne", "countDocuments", "count", "estimatedDocumentCount", "distinct"):
        found = machine.server({"op": "find", **place, "query": (given[1] if len(given) > 1 else {}) if name == "distinct" else query})["documents"]
        if name == "distinct":
            values = [one.get(query) for one in found]
            return [one for at, one in enumerate(values) if one is not None and one not in values[:at]]
        return (found[0] if found else None) if name == "findOne" else len(found)
    if name in ("updateOne", "updateMany", "replaceOne", "findOneAndUpdate", "findOneAndReplace", "update"):
        options = given[2] if len(given) > 2 and isinstance(given[2], dict) else {}
        body = {"op": "update", **place, "query": query, "change": given[1], "one": name != "updateMany", "upsert": bool(options.get("upsert"))}
        result = machine.server({**body, "id": machine.fresh_id()})
        if name.startswith("findOne"):
            return result["document"]
        new = result["upserted"]
        return {"acknowledged": True, "insertedId": new, "matchedCount": result["matched"], "modifiedCount": result["modified"],
                "upsertedCount": int(new is not None)}  # fmt: skip
    if name in ("deleteOne", "deleteMany", "remove", "findOneAndDelete"):
        result = machine.server({"op": "delete", **place, "query": query, "one": name in ("deleteOne", "findOneAndDelete")})
        return result["document"] if name == "findOneAndDelete" else {"acknowledged": True, "deletedCount": result["matched"]}
    if name == "drop":
        machine.server({"op": "drop", **place})
        return True
    if name in ("createIndex", "ensureIndex"):
        return "_".join(f"{key}_{way}" for key, way in query.items())
    raise problem("TypeError", f"db.{held['$collection']}.{name} is not a function")


def _on_global(machine: Machine, held: Data, name: str, given: list[Any]) -> Any:
    kind, one = held["$global"], given[0] if given else None
    if kind == "Math":
        if name == "random":
            return machine.ask_once(lambda: machine.sys.random(1 << 30)) / (1 << 30)
        numbers = [as_number(each) for each in given]
        return MATH[name](*numbers) if name in MATH else None
    if kind == "JSON":
        if name == "parse":
            try:
                return json.loads(said(one))
            except (ValueError, RecursionError):
                raise problem("SyntaxError", "Unexpected token in JSON") from None
        spaces = int(given[2]) if len(given) > 2 and isinstance(given[2], int) else None
        return json.dumps(jsonable(one), indent=spaces, separators=None if spaces else (",", ":"), ensure_ascii=False)
    if kind == "Object":
        return {"keys": list(one or ()), "values": list((one or {}).values()), "entries": [[key, each] for key, each in (one or {}).items()],
                "assign": one}.get(name)  # fmt: skip
    if kind == "console":
        return GLOBALS["print"](machine, given)
    if kind == "Date" and name == "now":
        return machine.ask_once(lambda: machine.sys.now)
    if kind == "Array" and name == "isArray":
        return isinstance(one, list)
    if kind == "Number" and name == "isInteger":
        return isinstance(one, int)
    if kind == "rs":
        if name in ("initiate", "status", "conf", "config"):
            op = name if name in ("initiate", "status") else "conf"
            found = machine.server({"op": op, "config": one or {}})
            return found["config"] if op == "conf" else found
        if name in ("add", "remove") and given:
            host = str(one.get("host", "") if isinstance(one, dict) else one)
            return machine.server({"op": "reconfig", name: host if ":" in host else f"{host}:27017"})
        if name == "reconfig":
            return machine.server({"op": "reconfig", "config": one})
        if name in ("isMaster", "hello"):
            return machine.server({"op": "hello"})
        if name in ("secondaryOk", "slaveOk"):
            return None
    raise problem("TypeError", f"{kind}.{name} is not a function")


def _print(machine: Machine, given: list[Any]) -> None:
    machine.weigh(*given)
    machine.out(" ".join(inspect(one) if isinstance(one, (dict, list)) and not (isinstance(one, dict) and "$error" in one) else said(one)
                         for one in given) + "\n")  # fmt: skip


def _quit(machine: Machine, given: list[Any]) -> None:
    raise Quit(int(as_number(given[0])) if given else 0)


def _use(machine: Machine, given: list[Any]) -> str:
    machine.data["db"] = said(given[0]) or "test"
    return f"switched to db {machine.data['db']}"


def _show(machine: Machine, given: list[Any]) -> str:
    databases = given[0] in ("dbs", "databases")
    names = machine.server({"op": "databases" if databases else "collections", "db": machine.data["db"]})["names"]
    return "\n".join(f"{name}  40.00 KiB" if databases else name for name in names)


MATH: dict[str, Callable[..., Any]] = {
    "floor": math.floor, "ceil": math.ceil, "round": lambda x: math.floor(x + 0.5), "abs": abs, "min": min, "max": max, "trunc": math.trunc,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan, "pow": lambda x, y: in_range(ARITHMETIC["**"](x, y)),
}  # fmt: skip


def in_range(number: Any) -> Any:
    """A number of JavaScript's: beyond 2**53 it is no longer exact, and never longer than others."""
    return float(number) if isinstance(number, int) and abs(number) > 1 << 53 else number


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y, "/": lambda x, y: x / y if x % y else x // y,
    "%": lambda x, y: math.fmod(x, y) if isinstance(x, float) or isinstance(y, float) else int(math.fmod(x, y)),
    "**": lambda x, y: float(x) ** y if abs(y) > 32 or abs(x) > 1 << 31 else x**y,
}  # fmt: skip
GLOBALS: dict[str, Callable[[Machine, list[Any]], Any]] = {
    "print": _print, "printjson": _print, "quit": _quit, "exit": _quit, "use": _use, "show": _show,
    "sleep": lambda machine, given: machine.pause(max(0, int(as_number(given[0])))),
    "parseInt": lambda machine, given: _leading(said(given[0])),
    "parseFloat": lambda machine, given: as_number(given[0]), "Number": lambda machine, given: as_number(given[0] if given else 0),
    "NumberInt": lambda machine, given: as_number(given[0]), "NumberLong": lambda machine, given: as_number(given[0]),
    "String": lambda machine, given: said(given[0]) if given else "", "Boolean": lambda machine, given: bool(given) and is_true(given[0]),
    "isNaN": lambda machine, given: isinstance(as_number(given[0]), float) and math.isnan(as_number(given[0])),
    "ISODate": lambda machine, given: {"$date": machine._moment(given)}, "Date": lambda machine, given: said({"$date": machine._moment([])}),
    "ObjectId": lambda machine, given: {"$oid": said(given[0])} if given else machine.fresh_id(),
}  # fmt: skip


def _leading(text: str) -> Any:
    digits = ""
    for letter in text.strip():
        if not (letter.isdecimal() or (letter in "+-" and not digits)):
            break
        digits += letter
    return int(digits) if digits.strip("+-") else math.nan


TABLES = (("$date", _on_date), ("$cursor", _on_cursor), ("$db", _on_collection), ("$global", _on_global))
