"""Runs the steps of a mongosh script: values, methods of strings, lists and dates, the shell's own `db`, `rs`, cursors and collections.

Its whole state is in proc["data"] (see mongo_script.py). Source: mongodb.com/docs/mongodb-shell/reference/methods, ECMA-262.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ..process import Data, Process
from ..system import Sys
from . import mongo_client
from .mongo_script import Node, Script
from .mongo_store import LETTERS, Full, Refused, ordered, parse_date, weight

WIDE = 72  # characters of an object on one line (util.inspect's breakLength)
LONG = 200_000  # characters or items of one value
DEEP = 40  # calls in calls
WORK = 200_000  # what one statement may cost: expressions, letters and items by the dozen; some 100 ms
SLICE = 20_000  # the same, of statements between two breaths
DAYS, MONTHS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()
RUNNING = ("forEach", "map", "filter", "find", "some", "every", "reduce")


class Thrown(Exception):
    """A JavaScript exception."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Quit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


def problem(name: str, message: str, **more: Any) -> Thrown:
    return Thrown({"$error": name, "message": message, **more})


def _date(value: Any) -> int | None:
    return int(value["$date"]) if isinstance(value, dict) and "$date" in value else None


def said(value: Any, raw: bool = False) -> str:
    """String(value)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list):
        return ",".join("" if one is None else said(one) for one in value)
    if isinstance(value, dict):
        if (ms := _date(value)) is not None:
            if not LEAST_MS <= ms <= MOST_MS:
                return "Invalid Date"
            when = datetime.fromtimestamp(ms / 1000, UTC)
            return f"{DAYS[when.weekday()]} {MONTHS[when.month - 1]} {when:%d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)"
        if "$error" in value:
            code = f"[{value['codeName']}]" if raw and value.get("codeName") else ""
            return f"{value['$error']}{code}: {value['message']}"
        return str(value["$oid"]) if "$oid" in value else "[object Object]"
    return str(value)


def iso_date(ms: int) -> str:
    if not LEAST_MS <= ms <= MOST_MS:
        raise problem("RangeError", "Invalid time value")
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def inspect(value: Any, indent: int = 0) -> str:
    """A value as the shell shows it."""
    if isinstance(value, str) and not indent:
        return value
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(value, dict) and "$cursor" in value:
        return inspect(value["$cursor"][value["at"] : value["at"] + 20], indent)
    if isinstance(value, dict):
        if (ms := _date(value)) is not None:
            return f'ISODate("{iso_date(ms)}")' if LEAST_MS <= ms <= MOST_MS else "Invalid Date"
        if "$oid" in value:
            return f"ObjectId('{value['$oid']}')"
        if "$error" in value or "$function" in value:
            return said(value, True) if "$error" in value else "[Function]"
        if "$collection" in value or "$db" in value:
            return f"{value['$db']}.{value['$collection']}" if "$collection" in value else str(value["$db"])
        inner = [f"{key if key.isidentifier() else repr(key)}: {inspect(one, indent + 2)}" for key, one in value.items()]
        return _fold("{", inner, "}", indent)
    if isinstance(value, list):
        return _fold("[", [inspect(one, indent + 2) for one in value], "]", indent)
    return said(value)


def _fold(left: str, inner: list[str], right: str, indent: int) -> str:
    line = f"{left} {', '.join(inner)} {right}" if inner else left + right
    if len(line) <= WIDE and "\n" not in line:
        return line
    pad = " " * (indent + 2)
    return f"{left}\n{pad}" + f",\n{pad}".join(inner) + f"\n{' ' * indent}{right}"


def jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        ms = _date(value)
        return iso_date(ms) if ms is not None else value["$oid"] if "$oid" in value else {key: jsonable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [jsonable(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else int(value) if isinstance(value, float) and value.is_integer() else value


def _true(value: Any) -> bool:
    return value is not None and value is not False and value != "" and value != 0 and not (isinstance(value, float) and math.isnan(value))


def _number(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, (int, float)):
        return value
    if (ms := _date(value)) is not None:
        return ms
    try:
        number = float(str(value).strip() or 0)
        return int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        return math.nan


class Machine:
    """One script's run; data["shown"] is the value of the last statement that is an expression."""

    def __init__(self, proc: Process, sys: Sys, script: Script) -> None:
        self.proc, self.sys, self.data, self.script = proc, sys, proc["data"], script
        self.scopes: list[Data] = [self.data["vars"]]
        self.asked = self.printing = self.depth = self.spent = 0
        for name, number in script.names.items():
            self.data["vars"][name] = {"$function": number}

    # ---- steps

    def run(self, steps: int) -> bool:
        """Does so many steps, or what takes as long; False once the script is over. Raises Blocked, Quit, Thrown, Full."""
        done = 0
        try:
            done = self._run(steps)
        finally:  # whatever comes now may be the moment of a checkpoint
            self.spent = max(done, self.spent, weight(self.data["vars"], self.data["shown"], self.data["replies"]))
        return done >= 0

    def _run(self, steps: int) -> int:
        """What was spent; -1 once the script is over."""
        data, done = self.data, 0
        for _ in range(steps):
            if data["pc"] >= len(self.script.steps):
                return -1
            done += self.spent
            if done > SLICE:
                break
            self.spent = 0
            self.asked = self.printing = 0
            try:
                data["pc"] = self.step(self.script.steps[data["pc"]], data["pc"], data["tries"])
            except (Thrown, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, OSError) as error:
                thrown = error if isinstance(error, Thrown) else problem("TypeError", f"podlab: this statement cannot be run here: {error}")
                if not data["tries"]:
                    raise thrown from None
                data["pc"], name = data["tries"].pop()
                if name:
                    self.scopes[-1][name] = thrown.value
            data["replies"], data["printed"] = [], 0
        return done

    def spend(self, work: int) -> None:
        self.spent += work
        if self.spent > WORK:
            raise problem("RangeError", "podlab: one statement does too much at once")

    def weigh(self, *values: Any) -> None:
        """Pay for all that is in the values before they are written out or compared."""
        try:
            self.spend(weight(*values, most=WORK))
        except Full:
            raise problem("RangeError", "podlab: one statement does too much at once") from None

    def kept(self, value: Any) -> Any:
        """Pay for a value that is made."""
        if isinstance(value, (str, list)):
            self.spend(len(value) // LETTERS)
        return value

    def step(self, step: tuple[Any, ...], pc: int, tries: list[Any]) -> int:
        kind = step[0]
        if kind == "value":
            value = self.value(step[1])
            if step[2] and len(self.scopes) == 1:
                self.data["shown"] = value
        elif kind == "jump":
            return int(step[1])
        elif kind == "unless":
            return pc + 1 if _true(self.value(step[1])) else int(step[2])
        elif kind == "each":
            items = self.value(step[2])
            rest = items["$cursor"][items["at"] :] if isinstance(items, dict) and "$cursor" in items else list(items or ())
            self.kept(rest)
            self.scopes[-1][step[1]] = [rest, 0]
        elif kind == "next":
            held = self.scopes[-1][step[1]]
            if held[1] >= len(held[0]):
                return int(step[3])
            self.scopes[-1][step[2]] = held[0][held[1]]
            held[1] += 1
        elif kind == "try":
            tries.append([step[1], step[2]])
        elif kind == "tried":
            tries.pop()
        elif kind == "throw":
            raise Thrown(self.value(step[1]))
        return pc + 1

    def call(self, function: Any, arguments: list[Any]) -> Any:
        """A function of the script's own, run at one go."""
        if not isinstance(function, dict) or "$function" not in function:
            raise problem("TypeError", f"{inspect(function, 1)} is not a function")
        found = self.script.functions[function["$function"]] if function["$function"] < len(self.script.functions) else None
        if found is None or self.depth > DEEP:
            raise problem("RangeError", "Maximum call stack size exceeded" if found else "podlab: a function of an earlier line is gone")
        self.scopes.append(dict(zip(found.parameters, [*arguments, *([None] * len(found.parameters))], strict=False)))
        self.depth += 1
        tries: list[Any] = []
        pc = 0
        try:
            while pc < len(found.steps):
                self.spend(1)
                if found.steps[pc][0] == "return":
                    return self.value(found.steps[pc][1])
                try:
                    pc = self.step(found.steps[pc], pc, tries)
                except Thrown as error:
                    if not tries:
                        raise
                    pc, name = tries.pop()
                    if name:
                        self.scopes[-1][name] = error.value
        finally:
            self.depth -= 1
            self.scopes.pop()
        return None

    # ---- expressions

    def value(self, node: Node) -> Any:
        self.spend(1)
        return EXPRESSIONS[node[0]](self, *node[1:])

    def name(self, name: str) -> Any:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name == "db":
            return {"$db": self.data["db"]}
        if name == "process":
            return {"env": dict(self.proc["env"]), "argv": list(self.proc["argv"])}
        if name in ("NaN", "Infinity"):
            return math.nan if name == "NaN" else math.inf
        if name in GLOBALS or name in ("rs", "console", "Math", "JSON", "Object", "Array", "Date", "String", "Number", "Boolean", "ObjectId", "sh"):
            return {"$global": name}
        raise problem("ReferenceError", f"{name} is not defined")

    def member(self, target: Node, name: str) -> Any:
        return self.get(self.value(target), name)

    def index(self, target: Node, at: Node) -> Any:
        held, key = self.value(target), self.value(at)
        if isinstance(held, (list, str)) and isinstance(key, (int, float)):
            return held[int(key)] if 0 <= key < len(held) else None
        return self.get(held, said(key))

    def get(self, held: Any, name: str) -> Any:
        if held is None:
            raise problem("TypeError", f"Cannot read properties of null (reading '{name}')")
        if isinstance(held, (list, str)):
            return len(held) if name == "length" else None
        if not isinstance(held, dict):
            return None
        if "$collection" in held:
            return {**held, "$collection": f"{held['$collection']}.{name}"}
        if "$db" in held:
            return {"$db": held["$db"], "$collection": name}
        if held.get("$global") == "Math" and name in ("PI", "E"):
            return getattr(math, name.lower())
        return held.get(name)

    def assign(self, target: Node, value: Node) -> Any:
        found = self.value(value)
        if target[0] == "name":
            scope = next((one for one in reversed(self.scopes) if target[1] in one), self.scopes[0])
            scope[target[1]] = found
            return found
        held = self.value(target[1])
        key = target[2] if target[0] == "member" else self.value(target[2])
        if isinstance(held, list) and isinstance(key, (int, float)):
            if not 0 <= key < LONG:
                raise problem("RangeError", "Invalid array length")
            self.spend(max(0, int(key) - len(held)) // LETTERS)
            held += [None] * (int(key) + 1 - len(held))
            held[int(key)] = found
        elif isinstance(held, dict):
            held[said(key)] = found
        else:
            raise problem("TypeError", f"Cannot set properties of {said(held)} (setting '{said(key)}')")
        return found

    def declare(self, name: str, value: Node) -> None:
        self.scopes[-1][name] = self.value(value)

    def binary(self, sign: str, left: Node, right: Node) -> Any:
        a, b = self.value(left), self.value(right)
        if isinstance(a, (str, list, dict)) or isinstance(b, (str, list, dict)):
            self.weigh(a, b)
        if sign == "+" and (isinstance(a, (str, list, dict)) or isinstance(b, (str, list, dict))):
            text = said(a) + said(b)
            if len(text) > LONG:
                raise problem("RangeError", "Invalid string length")
            return text
        if sign in ("===", "==", "!==", "!="):
            same = a == b if isinstance(a, type(b)) or isinstance(b, type(a)) or len(sign) == 3 else (
                a is not None and b is not None and _number(a) == _number(b))  # fmt: skip
            return same == (sign[0] == "=")
        if sign in ("<", ">", "<=", ">="):
            x, y = (a, b) if isinstance(a, str) and isinstance(b, str) else (_number(a), _number(b))
            return x < y if sign == "<" else x > y if sign == ">" else x <= y if sign == "<=" else x >= y
        if sign == "in":
            return said(a) in b if isinstance(b, dict) else 0 <= _number(a) < len(b or ())
        if sign == "instanceof":
            return False
        x, y = _number(a), _number(b)
        try:
            return _in_range(ARITHMETIC[sign](x, y))
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan if not x or sign == "%" else math.inf

    def logic(self, sign: str, left: Node, right: Node) -> Any:
        found = self.value(left)
        if (sign == "&&" and not _true(found)) or (sign == "||" and _true(found)) or (sign == "??" and found is not None):
            return found
        return self.value(right)

    def unary(self, sign: str, node: Node) -> Any:
        if sign == "typeof":
            try:
                found = self.value(node)
            except Thrown:
                return "undefined"
            return {bool: "boolean", int: "number", float: "number", str: "string"}.get(type(found), "object" if found is not None else "undefined")
        found = self.value(node)
        return not _true(found) if sign == "!" else None if sign == "void" else -_number(found) if sign == "-" else _number(found)

    def choose(self, test: Node, one: Node, other: Node) -> Any:
        return self.value(one if _true(self.value(test)) else other)

    def after(self, target: Node, change: Node) -> Any:
        found = self.value(target)
        self.value(change)
        return found

    def comma(self, left: Node, right: Node) -> Any:
        self.value(left)
        return self.value(right)

    def created(self, name: str, arguments: list[Node]) -> Any:
        given = [self.value(one) for one in arguments]
        if name in ("Date", "ISODate"):
            return {"$date": self._moment(given)}
        if name in ("Error", "TypeError", "RangeError"):
            return {"$error": name, "message": said(given[0]) if given else ""}
        if name == "Array":
            return [None] * min(LONG, int(_number(given[0]))) if len(given) == 1 else given
        if name == "ObjectId":
            return GLOBALS["ObjectId"](self, given)
        if name == "Object":
            return {}
        raise problem("ReferenceError", f"{name} is not defined")

    def _moment(self, given: list[Any]) -> int:
        if not given:
            return int(self.ask_once(lambda: self.sys.now))
        if len(given) > 1:
            parts = [int(_number(one)) for one in (*given, 1)[:3]]
            return round(datetime(parts[0], parts[1] + 1, parts[2], tzinfo=UTC).timestamp() * 1000)
        if isinstance(given[0], str):
            try:
                return parse_date(given[0])
            except Refused:
                raise problem("RangeError", "Invalid time value") from None
        return int(_number(given[0]))

    def invoke(self, target: Node, arguments: list[Node]) -> Any:
        if target[0] == "member":
            held = self.value(target[1])
            return self.method(held, target[2], [self.value(one) for one in arguments])
        if target[0] == "name" and target[1] in GLOBALS and not any(target[1] in scope for scope in self.scopes):
            given = [self.value(one) for one in arguments]
            self.weigh(*given)
            return GLOBALS[target[1]](self, given)
        return self.call(self.value(target), [self.value(one) for one in arguments])

    # ---- what a statement does once, though it may be begun again

    def ask_once(self, found: Callable[[], Any]) -> Any:
        """The outcome of something that is asked but once in a statement."""
        self.asked += 1
        replies = self.data["replies"]
        if len(replies) < self.asked:
            replies.append(found())
        reply = replies[self.asked - 1]
        return json.loads(json.dumps(reply)) if isinstance(reply, (dict, list)) else reply

    def out(self, text: str) -> None:
        self.printing += 1
        if self.printing > self.data["printed"]:
            self.data["printed"] = self.printing
            self.sys.out(text)

    def server(self, body: Data) -> Data:
        """A command's result. Raises Blocked, Thrown."""
        found = self.ask_once(lambda: mongo_client.ask(self.proc, self.sys, body))
        self.weigh(found)
        if not found.get("ok"):
            if "network" in found:
                raise problem("MongoNetworkError", f"connect {found['network']} {self.data['wire']['host']}")
            raise problem("MongoServerError", found["errmsg"], code=found["code"], codeName=found["codeName"])
        return dict(found)

    def pause(self, ms: int) -> None:
        until = self.ask_once(lambda: self.sys.now + ms)
        if self.sys.now < until:
            self.sys.sleep(until - self.sys.now)

    def fresh_id(self) -> Data:
        return {"$oid": self.ask_once(lambda: f"{self.sys.now // 1000:08x}{self.sys.random(1 << 32):08x}{self.sys.random(1 << 32):08x}")}

    # ---- methods

    def method(self, held: Any, name: str, given: list[Any]) -> Any:
        self.weigh(held if isinstance(held, str) or name in WHOLE else None, *(given if name not in RUNNING and name not in ADDING else ()))
        return self.kept(self._method(held, name, given))

    def _method(self, held: Any, name: str, given: list[Any]) -> Any:
        if held is None:
            raise problem("TypeError", f"Cannot read properties of null (reading '{name}')")
        if isinstance(held, dict):
            own = held.get(name)
            if isinstance(own, dict) and "$function" in own:
                return self.call(own, given)
            for mark, table in TABLES:
                if mark in held:
                    return table(self, held, name, given)
        if isinstance(held, list):
            return self._list(held, name, given)
        if isinstance(held, str):
            return _string(held, name, given)
        if name == "toString":
            return said(held)
        if name == "toFixed" and isinstance(held, (int, float)):
            return f"{held:.{min(20, int(_number(given[0] if given else 0)))}f}"
        if name == "hasOwnProperty":
            return said(given[0]) in held
        raise problem("TypeError", f"{name} is not a function")

    def _list(self, held: list[Any], name: str, given: list[Any]) -> Any:
        if name in RUNNING:
            function, found = given[0] if given else None, []
            if name == "reduce":
                total, rest = (given[1], held) if len(given) > 1 else (held[0], held[1:])
                for one in rest:
                    total = self.call(function, [total, one])
                return total
            for at, one in enumerate(list(held)):
                found.append(self.call(function, [one, at]))
                if name in ("find", "some") and _true(found[-1]):
                    return one if name == "find" else True
            return {"forEach": None, "map": found, "filter": [one for one, keep in zip(held, found, strict=True) if _true(keep)], "find": None,
                    "some": False, "every": all(_true(one) for one in found)}[name]  # fmt: skip
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
            self.kept(held)
            part = held[slice(*(int(_number(one)) for one in given))] if name == "slice" and given else list(held)
            return part[::-1] if name == "reverse" else [*part, *(one for item in given for one in (item if isinstance(item, list) else [item]))] \
                if name == "concat" else part  # fmt: skip
        if name in ("includes", "indexOf"):
            at = next((at for at, one in enumerate(held) if one == given[0]), -1)
            return at >= 0 if name == "includes" else at
        if name == "sort":
            held.sort(key=lambda one: (isinstance(one, str), one if isinstance(one, (int, float, str)) else said(one)))
            return held
        raise problem("TypeError", f"{name} is not a function")


def _string(held: str, name: str, given: list[Any]) -> Any:
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
        width, fill = min(1000, int(_number(given[0]))), said(given[1]) if len(given) > 1 else " "
        return held.rjust(width, fill[:1]) if name == "padStart" else held.ljust(width, fill[:1])
    if name == "repeat":
        return held * max(0, min(LONG // max(1, len(held)), int(_number(given[0]))))
    if name in ("slice", "substring", "substr", "charAt"):
        a, b = int(_number(given[0] if given else 0)), int(_number(given[1])) if len(given) > 1 else None
        return held[a : a + 1] if name == "charAt" else held[a : a + b if b is not None else None] if name == "substr" else held[a:b]
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
        held["$date"] = int(_number(given[0]))
        return held["$date"]
    part = PARTS.get(name[3:].removeprefix("UTC"))
    if name == "getDay":
        return (when.weekday() + 1) % 7
    if name == "getMilliseconds":
        return ms % 1000
    if part and name.startswith("get"):
        return getattr(when, part) - (part == "month")
    if part and name.startswith("set") and given:
        value = int(_number(given[0]))
        if part in ("year", "month"):
            months = (value * 12 + when.month - 1) if part == "year" else when.year * 12 + value
            moved = when.replace(year=months // 12, month=months % 12 + 1, day=1) + timedelta(days=when.day - 1)
        else:
            moved = when + timedelta(**{f"{part}s": value - getattr(when, part)})
            if part == "hour":
                minute, second = (int(_number(given[at])) if len(given) > at else was for at, was in ((1, moved.minute), (2, moved.second)))
                moved = moved.replace(minute=minute, second=second)
                ms = int(_number(given[3])) if len(given) > 3 else ms
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
        return machine._list(rest, name, given)
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
    if name in ("runCommand", "adminCommand", "hello", "isMaster"):
        command = next(iter(given[0]), "") if given and isinstance(given[0], dict) else said(given[0]) if given else name
        op = {"ping": "ping", "hello": "hello", "isMaster": "hello", "ismaster": "hello", "replSetGetStatus": "status"}.get(command, "")
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
        numbers = [_number(each) for each in given]
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
    raise Quit(int(_number(given[0])) if given else 0)


def _use(machine: Machine, given: list[Any]) -> str:
    machine.data["db"] = said(given[0]) or "test"
    return f"switched to db {machine.data['db']}"


def _show(machine: Machine, given: list[Any]) -> str:
    databases = given[0] in ("dbs", "databases")
    names = machine.server({"op": "databases" if databases else "collections", "db": machine.data["db"]})["names"]
    return "\n".join(f"{name}  40.00 KiB" if databases else name for name in names)


MATH: dict[str, Callable[..., Any]] = {
    "floor": math.floor, "ceil": math.ceil, "round": lambda x: math.floor(x + 0.5), "abs": abs, "min": min, "max": max, "trunc": math.trunc,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan, "pow": lambda x, y: _in_range(ARITHMETIC["**"](x, y)),
}  # fmt: skip
LEAST_MS, MOST_MS = -62_135_596_800_000, 253_402_300_799_999  # of the years that a date has here, 1 to 9999
WHOLE = ("join", "includes", "indexOf", "sort", "concat", "toString", "hasOwnProperty")  # what looks into every item of a list
ADDING = ("push", "unshift")


def _in_range(number: Any) -> Any:
    """A number of JavaScript's: beyond 2**53 it is no longer exact, and never longer than others."""
    return float(number) if isinstance(number, int) and abs(number) > 1 << 53 else number


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y, "/": lambda x, y: x / y if x % y else x // y,
    "%": lambda x, y: math.fmod(x, y) if isinstance(x, float) or isinstance(y, float) else int(math.fmod(x, y)),
    "**": lambda x, y: float(x) ** y if abs(y) > 32 or abs(x) > 1 << 31 else x**y,
}  # fmt: skip
GLOBALS: dict[str, Callable[[Machine, list[Any]], Any]] = {
    "print": _print, "printjson": _print, "quit": _quit, "exit": _quit, "use": _use, "show": _show,
    "sleep": lambda machine, given: machine.pause(max(0, int(_number(given[0])))),
    "parseInt": lambda machine, given: _leading(said(given[0])),
    "parseFloat": lambda machine, given: _number(given[0]), "Number": lambda machine, given: _number(given[0] if given else 0),
    "NumberInt": lambda machine, given: _number(given[0]), "NumberLong": lambda machine, given: _number(given[0]),
    "String": lambda machine, given: said(given[0]) if given else "", "Boolean": lambda machine, given: bool(given) and _true(given[0]),
    "isNaN": lambda machine, given: isinstance(_number(given[0]), float) and math.isnan(_number(given[0])),
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
EXPRESSIONS: dict[str, Callable[..., Any]] = {
    "constant": lambda machine, value: value, "name": Machine.name, "member": Machine.member, "index": Machine.index, "call": Machine.invoke,
    "new": Machine.created, "assign": Machine.assign, "declare": Machine.declare, "binary": Machine.binary, "logic": Machine.logic,
    "unary": Machine.unary, "choose": Machine.choose, "after": Machine.after, "comma": Machine.comma,
    "list": lambda machine, items: [machine.value(one) for one in items],
    "object": lambda machine, pairs: {key: machine.value(one) for key, one in pairs},
    "function": lambda machine, number: {"$function": number},
}  # fmt: skip
