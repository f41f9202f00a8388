"""Runs the steps of a mongosh script: values, methods of strings, lists and dates, the shell's own `db`, `rs`, cursors and collections.

Its whole state is in proc["data"] (see mongo_script.py). Source: mongodb.com/docs/mongodb-shell/reference/methods, ECMA-262.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..process import Data, Process
from ..system import Sys
from . import mongo_client
from .mongo_methods import ARITHMETIC, GLOBALS, RUNNING, TABLES, in_range, on_list, on_string
from .mongo_script import Script
from .mongo_store import LETTERS, Full, Refused, parse_date, weight
from .mongo_tokens import Node
from .mongo_values import LONG, Thrown, as_number, inspect, is_true, problem, said

WHOLE = ("join", "includes", "indexOf", "sort", "concat", "toString", "hasOwnProperty")  # what looks into every item of a list
ADDING = ("push", "unshift")


DEEP = 40  # calls in calls
WORK = 200_000  # what one statement may cost: expressions, letters and items by the dozen; some 100 ms
SLICE = 20_000  # the same, of statements between two breaths


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
            return pc + 1 if is_true(self.value(step[1])) else int(step[2])
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
                a is not None and b is not None and as_number(a) == as_number(b))  # fmt: skip
            return same == (sign[0] == "=")
        if sign in ("<", ">", "<=", ">="):
            x, y = (a, b) if isinstance(a, str) and isinstance(b, str) else (as_number(a), as_number(b))
            return x < y if sign == "<" else x > y if sign == ">" else x <= y if sign == "<=" else x >= y
        if sign == "in":
            return said(a) in b if isinstance(b, dict) else 0 <= as_number(a) < len(b or ())
        if sign == "instanceof":
            return False
        x, y = as_number(a), as_number(b)
        try:
            return in_range(ARITHMETIC[sign](x, y))
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan if not x or sign == "%" else math.inf

    def logic(self, sign: str, left: Node, right: Node) -> Any:
        found = self.value(left)
        if (sign == "&&" and not is_true(found)) or (sign == "||" and is_true(found)) or (sign == "??" and found is not None):
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
        return not is_true(found) if sign == "!" else None if sign == "void" else -as_number(found) if sign == "-" else as_number(found)

    def choose(self, test: Node, one: Node, other: Node) -> Any:
        return self.value(one if is_true(self.value(test)) else other)

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
            return [None] * min(LONG, int(as_number(given[0]))) if len(given) == 1 else given
        if name == "ObjectId":
            return GLOBALS["ObjectId"](self, given)
        if name == "Object":
            return {}
        raise problem("ReferenceError", f"{name} is not defined")

    def _moment(self, given: list[Any]) -> int:
        if not given:
            return int(self.ask_once(lambda: self.sys.now))
        if len(given) > 1:
            parts = [int(as_number(one)) for one in (*given, 1)[:3]]
            return round(datetime(parts[0], parts[1] + 1, parts[2], tzinfo=UTC).timestamp() * 1000)
        if isinstance(given[0], str):
            try:
                return parse_date(given[0])
            except Refused:
                raise problem("RangeError", "Invalid time value") from None
        return int(as_number(given[0]))

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
            return on_list(self, held, name, given)
        if isinstance(held, str):
            return on_string(held, name, given)
        if name == "toString":
            return said(held)
        if name == "toFixed" and isinstance(held, (int, float)):
            return f"{held:.{min(20, int(as_number(given[0] if given else 0)))}f}"
        if name == "hasOwnProperty":
            return said(given[0]) in held
        raise problem("TypeError", f"{name} is not a function")


EXPRESSIONS: dict[str, Callable[..., Any]] = {
    "constant": lambda machine, value: value, "name": Machine.name, "member": Machine.member, "index": Machine.index, "call": Machine.invoke,
    "new": Machine.created, "assign": Machine.assign, "declare": Machine.declare, "binary": Machine.binary, "logic": Machine.logic,
    "unary": Machine.unary, "choose": Machine.choose, "after": Machine.after, "comma": Machine.comma,
    "list": lambda machine, items: [machine.value(one) for one in items],
    "object": lambda machine, pairs: {key: machine.value(one) for key, one in pairs},
    "function": lambda machine, number: {"$function": number},
}  # fmt: skip
