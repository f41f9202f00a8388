"""A subset of VRL, the language of Vector's remap, filter and route (vector.dev/docs/reference/vrl).

Assignments to paths and variables, `x, err = f()`, `??`, `|=`, if/else, arithmetic, comparisons, `&&`, `||`, `!`, literals, `del`, `exists`, `abort`,
and the functions below. As in VRL, a call that can fail must be handled: with `!`, with `??` or with `, err`; else the program is refused (E103).
VRL's type checker is not here: an argument of a wrong type fails when it runs. Timestamps are ISO texts.

A program is parsed to nested lists once; nothing of it is kept in a process but its source text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..linear import TooComplex, compiled
from ..process import Data
from .log_parsers import NGINX, NGINX_TIME, iso, parse_json, time_ms

TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|#[^\n]*)|(?P<newline>[\n;]+)|(?P<string>\"(?:[^\"\\]|\\.)*\"|s'(?:[^'\\]|\\.)*')|(?P<regex>r'(?:[^'\\]|\\.)*')|(?P<time>t'[^']*')|"
    r"(?P<number>\d+(?:\.\d+)?)|(?P<path>[.%](?:[A-Za-z_@][\w@]*|\"[^\"]*\")?(?:\.(?:[A-Za-z_@][\w@]*|\"[^\"]*\")|\[-?\d+\])*)|"
    r"(?P<word>[A-Za-z_]\w*)|(?P<op>\?\?|\|\||&&|==|!=|<=|>=|\|=|[-+*/<>=!(){}\[\],:|])"
)
DEPTH_MAX = 40
Node = list[Any]


class VrlError(Exception):
    """A program that is refused: error code, message, and the line and column of the fault."""

    def __init__(self, code: int, message: str, at: int, source: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.at, self.source, self.hint = code, message, at, source, hint

    def text(self) -> str:
        """As Vector prints it."""
        row = self.source.count("\n", 0, self.at)
        start = self.source.rfind("\n", 0, self.at) + 1
        line = self.source[start:].partition("\n")[0]
        column = self.at - start
        pad = " " * len(str(row + 1))
        hint = f"\n{pad} │ {' ' * column}{self.hint}" if self.hint else ""
        return (
            f"\nerror[E{self.code}]: {self.message}\n{pad} ┌─ :{row + 1}:{column + 1}\n{pad} │\n{row + 1} │ {line}\n{pad} │ {' ' * column}^{hint}\n{pad} │\n"
            f"{pad} = learn more about error code {self.code} at https://errors.vrl.dev/{self.code}\n{pad} = see language documentation at https://vrl.dev\n"
        )


class Failed(Exception):
    """A function or operation failed while running."""


class Abort(Exception):
    """`abort`, or a failure that was not handled."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


# ---- parsing


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(source):
            found = TOKEN.match(source, at)
            if found is None:
                raise VrlError(202, f"syntax error: unexpected character {source[at]!r}", at, source)
            if found.lastgroup != "space":
                self.tokens.append((str(found.lastgroup), found[0], at))
            at = found.end()
        self.at = 0
        self.variables: list[str] = []

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def where(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.source)

    def fail(self, wanted: str = "") -> VrlError:
        text = "unexpected end of program" if self.at >= len(self.tokens) else f"unexpected syntax token: {json.dumps(self.peek())}"
        return VrlError(203, f"syntax error: {text}{', expected ' + wanted if wanted else ''}", self.where(), self.source)

    def take(self, text: str) -> None:
        if self.peek() != text:
            raise self.fail(json.dumps(text))
        self.at += 1

    def lines(self) -> None:
        while self.kind() == "newline":
            self.at += 1

    def block(self, depth: int, end: str = "") -> list[Node]:
        found: list[Node] = []
        self.lines()
        while self.at < len(self.tokens) and self.peek() != end:
            found.append(self.statement(depth))
            if self.at < len(self.tokens) and self.peek() != end and self.kind() != "newline":
                raise self.fail()
            self.lines()
        return found

    def statement(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise VrlError(203, "syntax error: nested too deeply", self.where(), self.source)
        start = self.at
        if self.kind() in ("path", "word"):
            target = self._target()
            if target is not None and self.peek() == ",":
                self.at += 1
                second = self._target()
                if second is not None and self.peek() == "=":
                    self.at += 1
                    self.lines()
                    value = self.expression(depth + 1)
                    for one in (target, second):
                        self._declare(one)
                    return ["try", target, second, value]
            elif target is not None and self.peek() in ("=", "|="):
                operator, at = self.peek(), self.tokens[start][2]
                self.at += 1
                self.lines()
                place = self.where()
                value = self.expression(depth + 1)
                if fallible(value):
                    text = self.source[place : self.where()].partition("\n")[0].rstrip()
                    raise VrlError(103, "unhandled fallible assignment", place, self.source,
                                   f"this expression is fallible: add a `!` to the function, e.g. `{text.replace('(', '!(', 1)}`, or handle it: "
                                   f"`{self.source[at:place].split('=')[0].strip().rstrip('|').strip()}, err = {text}`")  # fmt: skip
                self._declare(target)
                return ["set" if operator == "=" else "merge", target, value]
            self.at = start
        place = self.where()
        value = self.expression(depth)
        if fallible(value):
            raise VrlError(
                100, "unhandled error", place, self.source, "expression can result in runtime error: handle the error case to ensure runtime success"
            )
        return value

    def _target(self) -> Node | None:
        kind, text = self.kind(), self.peek()
        if kind == "path":
            self.at += 1
            return ["path", path_parts(text)]
        if kind == "word" and text not in ("if", "else", "true", "false", "null", "abort"):
            self.at += 1
            return ["variable", text]
        return None

    def _declare(self, target: Node) -> None:
        if target[0] == "variable" and target[1] not in self.variables:
            self.variables.append(target[1])

    LEVELS = (("??",), ("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"), ("|",))

    def expression(self, depth: int, level: int = 0) -> Node:
        if depth > DEPTH_MAX:
            raise VrlError(203, "syntax error: nested too deeply", self.where(), self.source)
        if level == len(self.LEVELS):
            return self.unary(depth + 1)
        found = self.expression(depth, level + 1)
        while self.peek() in self.LEVELS[level] and self.kind() == "op":
            operator = self.peek()
            self.at += 1
            self.lines()
            found = ["binary", operator, found, self.expression(depth, level + 1)]
        return found

    def unary(self, depth: int) -> Node:
        if self.peek() in ("!", "-") and self.kind() == "op":
            operator = self.peek()
            self.at += 1
            return [operator, self.unary(depth + 1)]
        return self.primary(depth)

    def primary(self, depth: int) -> Node:
        kind, text, at = self.kind(), self.peek(), self.where()
        self.at += 1
        if kind == "string":
            return ["value", unquote(text)]
        if kind == "regex":
            try:
                compiled(_python(text[2:-1]))
            except re.error as error:
                raise VrlError(202, f"invalid regular expression: {error}", at, self.source) from None
            return ["regex", text[2:-1]]
        if kind == "time":
            return ["value", text[2:-1]]
        if kind == "number":
            return ["value", float(text) if "." in text else int(text[:18])]
        if kind == "path":
            return ["path", path_parts(text)]
        if text == "(":
            self.lines()
            found = self.expression(depth + 1)
            self.lines()
            self.take(")")
            return found
        if text == "{":
            return self._object(depth)
        if text == "[":
            return ["array", self._list("]", depth)]
        if text == "if":
            return self._if(depth)
        if kind == "word":
            return self._word(text, at, depth)
        self.at -= 1
        raise self.fail()

    def _list(self, end: str, depth: int) -> list[Node]:
        found: list[Node] = []
        self.lines()
        while self.peek() != end:
            found.append(self.expression(depth + 1))
            self.lines()
            if self.peek() != end:
                self.take(",")
                self.lines()
        self.take(end)
        return found

    def _object(self, depth: int) -> Node:
        """`{` has been read: an object, or a block."""
        self.lines()
        if not (self.peek() == "}" or (self.kind() == "string" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][1] == ":")):
            found = self.block(depth + 1, "}")
            self.take("}")
            return ["block", found]
        rows: list[Any] = []
        while self.peek() != "}":
            if self.kind() != "string":
                raise self.fail("string literal")
            name = unquote(self.peek())
            self.at += 1
            self.take(":")
            self.lines()
            rows.append([name, self.expression(depth + 1)])
            self.lines()
            if self.peek() != "}":
                self.take(",")
                self.lines()
        self.take("}")
        return ["object", rows]

    def _if(self, depth: int) -> Node:
        place = self.where()
        test = self.expression(depth + 1)
        if fallible(test):
            raise VrlError(102, "non-boolean predicate", place, self.source, "handle the error of this predicate")
        self.lines()
        self.take("{")
        then = self.block(depth + 1, "}")
        self.take("}")
        back = self.at
        self.lines()
        other: list[Node] = []
        if self.peek() == "else":
            self.at += 1
            self.lines()
            if self.peek() == "if":
                self.at += 1
                other = [self._if(depth + 1)]
            else:
                self.take("{")
                other = self.block(depth + 1, "}")
                self.take("}")
        else:
            self.at = back
        return ["if", test, then, other]

    def _word(self, text: str, at: int, depth: int) -> Node:
        if text in ("true", "false", "null"):
            return ["value", {"true": True, "false": False, "null": None}[text]]
        if text == "abort":
            return ["abort"]
        bang = self.peek() == "!" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][1] == "("
        if bang:
            self.at += 1
        if self.peek() != "(":
            if text not in self.variables:
                raise VrlError(701, "call to undefined variable", at, self.source, "undefined variable")
            return ["variable", text]
        if text not in FUNCTIONS and text not in ("del", "exists"):
            raise VrlError(105, "call to undefined function", at, self.source, "undefined function")
        self.take("(")
        arguments: list[Node] = []
        self.lines()
        while self.peek() != ")":
            name = ""
            if self.kind() == "word" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][1] == ":":
                name = self.peek()
                self.at += 2
            arguments.append(["named", name, self.expression(depth + 1)] if name else self.expression(depth + 1))
            self.lines()
            if self.peek() != ")":
                self.take(",")
                self.lines()
        self.take(")")
        if text in ("del", "exists"):
            if len(arguments) != 1 or arguments[0][0] != "path":
                raise VrlError(107, "missing required argument" if not arguments else "invalid argument", at, self.source)
            return [text, arguments[0][1]]
        least, most, can_fail, _ = FUNCTIONS[text]
        if len(arguments) < least:
            raise VrlError(107, "missing required argument", at, self.source)
        if len(arguments) > most:
            raise VrlError(106, "wrong number of function arguments", at, self.source)
        if bang and not can_fail:
            raise VrlError(620, "can't abort infallible function", at, self.source, "remove this abort-instruction")
        return ["call", text, arguments, bool(bang), at]


def unquote(text: str) -> str:
    inside = text[2:-1] if text[0] == "s" else text[1:-1]
    if text[0] == "s":
        return inside
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(found[1], found[1]), inside)


def path_parts(text: str) -> list[Any]:
    """`.a."b c"[0]` -> ["a", "b c", 0]."""
    return [
        int(number[1:-1]) if number else quoted[1:-1] if quoted else plain
        for plain, quoted, number in re.findall(r"([A-Za-z_@][\w@]*)|(\"[^\"]*\")|(\[-?\d+\])", text)
    ]


def fallible(node: Node) -> bool:
    """Whether an expression may fail, and nothing in it handles that."""
    kind = node[0]
    if kind == "call":
        return (FUNCTIONS[node[1]][2] and not node[3]) or any(fallible(one) for one in node[2])
    if kind == "binary":
        return fallible(node[3]) if node[1] == "??" else fallible(node[2]) or fallible(node[3])
    if kind in ("!", "-"):
        return fallible(node[1])
    if kind == "named":
        return fallible(node[2])
    if kind == "array":
        return any(fallible(one) for one in node[1])
    return kind == "object" and any(fallible(one) for _, one in node[1])


@lru_cache(maxsize=256)
def parse(source: str) -> tuple[Node, ...]:
    """A program's statements. Raises VrlError."""
    parser = _Parser(source)
    found = parser.block(0)
    if parser.at < len(parser.tokens):
        raise parser.fail()
    return tuple(found)


# ---- running


class Run:
    """One program on one event. `now` in ms; `env` and `hostname` are the agent's."""

    def __init__(self, source: str, event: Data, now: int, env: dict[str, str], hostname: str) -> None:
        self.event: Any = event
        self.source, self.now, self.env, self.hostname = source, now, env, hostname
        self.variables: dict[str, Any] = {}

    def run(self) -> Any:
        """The value of the last statement; `event` is what has become of it. Raises Abort."""
        try:
            return self.statements(parse(self.source))
        except Failed as error:
            raise Abort(str(error)) from None

    def statements(self, nodes: tuple[Node, ...] | list[Node]) -> Any:
        value: Any = None
        for node in nodes:
            value = self.value(node)
        return value

    def get(self, parts: list[Any]) -> Any:
        held = self.event
        for part in parts:
            if isinstance(part, int):
                held = held[part] if isinstance(held, list) and -len(held) <= part < len(held) else None
            else:
                held = held.get(part) if isinstance(held, dict) else None
        return held

    def set(self, target: Node, value: Any) -> None:
        if target[0] == "variable":
            if target[1] != "_":
                self.variables[target[1]] = value
            return
        parts = target[1]
        if not parts:
            self.event = value
            return
        if not isinstance(self.event, dict):
            self.event = {}
        where = self.event
        for part in parts[:-1]:
            if not isinstance(part, str):
                return
            if not isinstance(where.get(part), dict):
                where[part] = {}
            where = where[part]
        if isinstance(parts[-1], str):
            where[parts[-1]] = value

    def value(self, node: Node) -> Any:
        kind = node[0]
        if kind == "value":
            return node[1]
        if kind == "path":
            return self.get(node[1])
        if kind == "variable":
            return self.variables.get(node[1])
        if kind == "regex":
            return node
        if kind == "call":
            return self._call(node)
        if kind == "binary":
            return self._binary(node[1], node[2], node[3])
        if kind == "set":
            value = self.value(node[2])
            self.set(node[1], _copy(value))
            return value
        if kind == "merge":
            before = self.value(node[1])
            value = self.value(node[2])
            if not isinstance(before, dict) or not isinstance(value, dict):
                raise Failed("can't merge non-object types")
            self.set(node[1], {**before, **value})
            return value
        if kind == "try":
            try:
                value, error = self.value(node[3]), None
            except Failed as failed:
                value, error = None, str(failed)
            self.set(node[1], value)
            self.set(node[2], error)
            return value
        if kind == "if":
            return self.statements(node[2] if _truth(self.value(node[1])) else node[3])
        if kind == "block":
            return self.statements(node[1])
        if kind == "array":
            return [self.value(one) for one in node[1]]
        if kind == "object":
            return {name: self.value(one) for name, one in node[1]}
        if kind == "!":
            return not _truth(self.value(node[1]))
        if kind == "-":
            return -_number(self.value(node[1]))
        if kind == "exists":
            return self._exists(node[1])
        if kind == "del":
            return self._delete(node[1])
        raise Abort("aborted")

    def _exists(self, parts: list[Any]) -> bool:
        held = self.get(parts[:-1])
        return isinstance(held, dict) and parts[-1] in held if parts and isinstance(parts[-1], str) else self.get(parts) is not None

    def _delete(self, parts: list[Any]) -> Any:
        held = self.get(parts[:-1]) if parts else None
        if not parts:
            value, self.event = self.event, {}
            return value
        return held.pop(parts[-1], None) if isinstance(held, dict) else None

    def _binary(self, operator: str, left: Node, right: Node) -> Any:
        if operator == "??":
            try:
                return self.value(left)
            except Failed:
                return self.value(right)
        if operator == "||":
            value = self.value(left)
            return value if value not in (None, False) else self.value(right)
        if operator == "&&":
            value = self.value(left)
            return self.value(right) if value not in (None, False) else value
        first, second = self.value(left), self.value(right)
        if operator in ("==", "!="):
            same = first == second and isinstance(first, bool) == isinstance(second, bool)
            return same == (operator == "==")
        if operator == "|":
            if not isinstance(first, dict) or not isinstance(second, dict):
                raise Failed(f"can't merge type {name_of(second)} into {name_of(first)}")
            return {**first, **second}
        if operator == "+" and isinstance(first, str) and isinstance(second, str | None.__class__):
            return bounded(first + (second or ""))
        if operator in ("<", "<=", ">", ">=") and isinstance(first, str) and isinstance(second, str):
            return {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[operator]
        try:
            one, other = _number(first), _number(second)
        except Failed:
            verb = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}.get(operator, "compare")
            raise Failed(
                f"can't {verb} type {name_of(second)} to {name_of(first)}"
                if verb == "add"
                else f"can't {verb} {name_of(first)} and {name_of(second)}"
            ) from None
        if operator == "/":
            if other == 0:
                raise Failed("can't divide by zero")
            return one / other
        if operator in "+-*":
            found = one + other if operator == "+" else one - other if operator == "-" else one * other
            return ((found + (1 << 63)) % (1 << 64)) - (1 << 63) if isinstance(found, int) else found
        return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]

    def _call(self, node: Node) -> Any:
        _, name, arguments, bang, at = node
        found: list[Any] = []
        named: dict[str, Any] = {}
        for one in arguments:
            if one[0] == "named":
                named[one[1]] = self.value(one[2])
            else:
                found.append(self.value(one))
        if "value" in named:
            found.insert(0, named.pop("value"))
        try:
            return FUNCTIONS[name][3](self, [*found, *named.values()])
        except Failed as error:
            text = f'function call error for "{name}" at ({at}:{at + len(name) + 2}): {error}'
            if bang:
                raise Abort(text) from None
            raise Failed(text) from None


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


def _truth(value: Any) -> bool:
    return value is True


def bounded(text: str) -> str:
    if len(text) > 262_144:
        raise Failed("the text is too long")
    return text


def name_of(value: Any) -> str:
    """The type as VRL calls it."""
    if value is None:
        return "null"
    return {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "object"}.get(type(value), "string")


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Failed(f"expected number, got {name_of(value)}")
    return value


def text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise Failed(f"expected string, got {name_of(value)}")
    return value


def _python(pattern: str) -> str:
    return pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")


def search(node: Any, text: str) -> Data | None:
    """The named groups of a regex in a text, None without a match."""
    pattern = _python(node[1])
    names = [named for _, named in re.findall(r"(?<!\\)(\((?!\?))|(?<!\\)\(\?P<(\w+)>", pattern)]
    try:
        found = compiled(re.sub(r"\(\?P<\w+>", "(", pattern)).search(text)
    except TooComplex:
        return None
    return None if found is None else {name: value for name, value in zip(names, found.groups(), strict=False) if name}


def _to_int(run: Run, a: list[Any]) -> Any:
    value = a[0]
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return int(value)
    if re.fullmatch(r"-?\d{1,18}", text_of(value)):
        return int(value)
    raise Failed('Invalid integer "' + value + '": invalid digit found in string')


def _to_float(run: Run, a: list[Any]) -> Any:
    value = a[0]
    if isinstance(value, bool | int | float):
        return float(value)
    if value is None or re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", text_of(value)):
        return float(value or 0)
    raise Failed(f'Invalid floating point number "{value}": invalid float literal')


def _to_string(run: Run, a: list[Any]) -> Any:
    value = a[0]
    if isinstance(value, dict | list):
        raise Failed(f"unable to coerce {name_of(value)} into string")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _to_bool(run: Run, a: list[Any]) -> Any:
    value = a[0]
    if isinstance(value, bool | int | float) or value is None:
        return bool(value)
    low = text_of(value).lower()
    if low in ("true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"):
        return low in ("true", "t", "yes", "y", "1")
    raise Failed(f'Invalid boolean value "{value}"')


def _parse_json(run: Run, a: list[Any]) -> Any:
    try:
        return json.loads(text_of(a[0]))
    except (ValueError, RecursionError) as error:
        at = getattr(error, "colno", 1)
        raise Failed(f"unable to parse json: expected value at line 1 column {at}") from None


def _parse_regex(run: Run, a: list[Any]) -> Any:
    found = search(a[1], text_of(a[0]))
    if found is None:
        raise Failed("could not find any pattern matches")
    return found


def _parse_key_value(run: Run, a: list[Any]) -> Any:
    found = {name: quoted or plain for name, quoted, plain in re.findall(r"([\w.-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|(\S*))", text_of(a[0]))}
    if not found:
        raise Failed("could not parse the input as key-value pairs")
    return found


def _parse_nginx(run: Run, a: list[Any]) -> Any:
    found = search(["regex", NGINX], text_of(a[0]))
    if found is None:
        raise Failed("failed parsing log line")
    at = time_ms(found.get("time"), NGINX_TIME)
    named = {"remote": "client", "code": "status", "agent": "agent", "time": "timestamp"}
    out: Data = {named.get(key, key): value for key, value in found.items() if value not in (None, "-")}
    out["timestamp"] = iso(at) if at is not None else out.get("timestamp")
    for key in ("status", "size"):
        if str(out.get(key, "")).isdigit():
            out[key] = int(out[key])
    out["request"] = f"{found.get('method')} {found.get('path')}"
    return out


def _parse_syslog(run: Run, a: list[Any]) -> Any:
    found = re.match(r"<(\d+)>(\d)? ?(\S+) (\S+) (\S+) (\S+) (\S+) (?:-|\[.*?\]) ?(.*)$", text_of(a[0]))
    if found is None:
        raise Failed("unable to parse input as valid syslog message")
    severity = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")[int(found[1]) % 8]
    return {"appname": found[5], "hostname": found[4], "message": found[8], "severity": severity, "timestamp": found[3], "procid": found[6]}


def _parse_timestamp(run: Run, a: list[Any]) -> Any:
    at = time_ms(text_of(a[0]), text_of(a[1]).replace("%+", "%iso8601"))
    if at is None:
        raise Failed(f"Invalid timestamp {json.dumps(a[0])}: input contains invalid characters")
    return iso(at)


def _format_timestamp(run: Run, a: list[Any]) -> Any:
    from ..serving import stamp

    at = time_ms(a[0])
    if at is None:
        raise Failed(f"expected timestamp, got {name_of(a[0])}")
    return stamp(at, text_of(a[1]))


def _unix(run: Run, a: list[Any]) -> Any:
    at = time_ms(a[0])
    if at is None:
        raise Failed(f"expected timestamp, got {name_of(a[0])}")
    return at // 1000


def _replace(run: Run, a: list[Any]) -> Any:
    text, pattern, new = text_of(a[0]), a[1], text_of(a[2])
    if isinstance(pattern, list):
        try:
            return bounded(compiled(re.sub(r"\(\?P<\w+>", "(", _python(pattern[1]))).sub(lambda found: new, text)[0])
        except TooComplex:
            return text
    return bounded(text.replace(text_of(pattern), new))


def _length(run: Run, a: list[Any]) -> Any:
    if not isinstance(a[0], str | list | dict):
        raise Failed(f"expected array, object or string, got {name_of(a[0])}")
    return len(a[0].encode("utf-8", "surrogateescape")) if isinstance(a[0], str) else len(a[0])


def _typed(kind: str) -> Callable[[Run, list[Any]], Any]:
    def check(run: Run, a: list[Any]) -> Any:
        if name_of(a[0]) != kind:
            raise Failed(f"expected {kind}, got {name_of(a[0])}")
        return a[0]

    return check


def _merge(run: Run, a: list[Any]) -> Any:
    if not isinstance(a[0], dict) or not isinstance(a[1], dict):
        raise Failed("expected object")
    return {**a[0], **a[1]}


def _environment(run: Run, a: list[Any]) -> Any:
    if text_of(a[0]) not in run.env:
        raise Failed("environment variable not found")
    return run.env[a[0]]


def _split(run: Run, a: list[Any]) -> Any:
    text = text_of(a[0])
    return compiled(_python(a[1][1])).split(text) if isinstance(a[1], list) else text.split(text_of(a[1])) if a[1] else list(text)


def _join(run: Run, a: list[Any]) -> Any:
    if not isinstance(a[0], list):
        raise Failed(f"expected array, got {name_of(a[0])}")
    return bounded((text_of(a[1]) if len(a) > 1 else "").join(text_of(one) for one in a[0]))


def _match(run: Run, a: list[Any]) -> Any:
    return search(a[1], text_of(a[0])) is not None


def _truncate(run: Run, a: list[Any]) -> Any:
    return text_of(a[0])[: max(0, int(_number(a[1])))]


FUNCTIONS: dict[str, tuple[int, int, bool, Callable[[Run, list[Any]], Any]]] = {
    "parse_json": (1, 3, True, _parse_json), "to_int": (1, 1, True, _to_int), "to_float": (1, 1, True, _to_float), "to_string": (1, 1, True, _to_string),
    "to_bool": (1, 1, True, _to_bool), "parse_regex": (2, 3, True, _parse_regex), "parse_key_value": (1, 4, True, _parse_key_value),
    "parse_logfmt": (1, 1, True, _parse_key_value), "parse_nginx_log": (2, 3, True, _parse_nginx), "parse_common_log": (1, 2, True, _parse_nginx),
    "parse_syslog": (1, 1, True, _parse_syslog), "parse_timestamp": (2, 3, True, _parse_timestamp), "format_timestamp": (2, 3, True, _format_timestamp),
    "to_unix_timestamp": (1, 2, True, _unix), "string": (1, 1, True, _typed("string")), "int": (1, 1, True, _typed("integer")),
    "float": (1, 1, True, _typed("float")), "bool": (1, 1, True, _typed("boolean")), "object": (1, 1, True, _typed("object")),
    "array": (1, 1, True, _typed("array")), "get_env_var": (1, 1, True, _environment), "get_hostname": (0, 0, True, lambda run, a: run.hostname),
    "upcase": (1, 1, False, lambda run, a: text_of(a[0]).upper()), "downcase": (1, 1, False, lambda run, a: text_of(a[0]).lower()),
    "strip_whitespace": (1, 1, False, lambda run, a: text_of(a[0]).strip()), "replace": (3, 4, False, _replace), "split": (2, 3, False, _split),
    "join": (1, 2, True, _join), "length": (1, 1, False, _length), "truncate": (2, 4, False, _truncate), "match": (2, 2, False, _match),
    "contains": (2, 3, False, lambda run, a: (text_of(a[1]).lower() in text_of(a[0]).lower()) if a[2:] == [False] else text_of(a[1]) in text_of(a[0])),
    "starts_with": (2, 3, False, lambda run, a: text_of(a[0]).startswith(text_of(a[1]))),
    "ends_with": (2, 3, False, lambda run, a: text_of(a[0]).endswith(text_of(a[1]))), "now": (0, 0, False, lambda run, a: iso(run.now)),
    "merge": (2, 3, False, _merge), "encode_json": (1, 2, False, lambda run, a: json.dumps(a[0], ensure_ascii=False, separators=(",", ":"))),
    "is_string": (1, 1, False, lambda run, a: isinstance(a[0], str)), "is_null": (1, 1, False, lambda run, a: a[0] is None),
    "is_object": (1, 1, False, lambda run, a: isinstance(a[0], dict)), "is_integer": (1, 1, False, lambda run, a: name_of(a[0]) == "integer"),
    "includes": (2, 2, False, lambda run, a: isinstance(a[0], list) and a[1] in a[0]), "keys": (1, 1, False, lambda run, a: list(a[0]) if isinstance(a[0], dict) else []),
    "round": (1, 2, False, lambda run, a: round(_number(a[0]))), "abs": (1, 1, False, lambda run, a: abs(_number(a[0]))),
    "is_json": (1, 2, False, lambda run, a: parse_json(str(a[0])) is not None),
}  # fmt: skip
"""Name -> (arguments at least, at most, may fail, what it does)."""
