"""Running Go templates over an object: `kubectl get -o go-template=...` (text/template, a subset; see go_template_parse)."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from . import go_values
from .go_template_parse import NAME, Node, Operand, Parser, Pipeline, TemplateError
from .go_values import quote, sprint
from .jsonpath import JSONPathError, compare

VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<verb>.)", re.DOTALL)
ORDER = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class GoTemplate:
    """A parsed template. Raises TemplateError. Without `allow_missing` a missing key is an error, else it shows `<no value>`."""

    def __init__(self, source: str, *, allow_missing: bool = True) -> None:
        self.source, self.allow_missing = source, allow_missing
        self._work = 0
        self.nodes = Parser(source, frozenset(FUNCTIONS) | {"and", "or"}).parse()

    def render(self, data: Any) -> str:
        out: list[str] = []
        self._work = 0
        try:
            self._run(self.nodes, data, [("$", data)], out)
        except TemplateError as error:
            error.printed = "".join(out)
            raise
        return "".join(out)

    def _pay(self, steps: int) -> None:
        """Raises TemplateError when the whole takes too long or becomes too large: a few signs can ask for a million times a million."""
        self._work += steps
        if self._work > WORK_MAX:
            raise TemplateError("the template asks for more than this kubectl does at once")

    def _run(self, nodes: tuple[Node, ...], dot: Any, scope: list[tuple[str, Any]], out: list[str]) -> None:
        for node in nodes:
            self._pay(1 + (len(node.text) >> 4) if node.kind == "text" else 2)
            if node.kind == "text":
                out.append(node.text)
                continue
            held = len(scope)
            value = self._pipeline(node.piped, dot, scope, assign=node.kind != "range")
            if node.kind == "action":
                if not node.piped.variables:
                    out.append("<no value>" if value is None else sprint(value))
                    self._pay(len(out[-1]) >> 4)
                continue
            if node.kind == "range":
                self._range(node, value, dot, scope, out)
            elif truth(value):
                self._run(node.body, value if node.kind == "with" else dot, scope, out)
            else:
                self._run(node.otherwise, dot, scope, out)
            del scope[held:]

    def _range(self, node: Node, value: Any, dot: Any, scope: list[tuple[str, Any]], out: list[str]) -> None:
        if isinstance(value, dict):
            pairs: list[tuple[Any, Any]] = sorted(value.items())
        elif isinstance(value, list):
            pairs = list(enumerate(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(i, i) for i in range(min(value, WORK_MAX))]
        elif value is None:
            pairs = []
        else:
            raise self._error(node.piped.commands[0][0], f"range can't iterate over {sprint(value)}")
        names = node.piped.variables
        for key, item in pairs:
            self._pay(1)
            held = len(scope)
            for name, given in zip(names, (key, item) if len(names) == 2 else (item,), strict=False):
                self._set(scope, name, given, declare=node.piped.declares)
            self._run(node.body, item, scope, out)
            del scope[held:]
        if not pairs:
            self._run(node.otherwise, dot, scope, out)

    @staticmethod
    def _set(scope: list[tuple[str, Any]], name: str, value: Any, *, declare: bool) -> None:
        at = next((i for i in range(len(scope) - 1, -1, -1) if scope[i][0] == name), None)
        if declare or at is None:
            scope.append((name, value))
        else:
            scope[at] = (name, value)

    def _pipeline(self, pipeline: Pipeline, dot: Any, scope: list[tuple[str, Any]], *, assign: bool = True) -> Any:
        piped: list[Any] = []
        for operands in pipeline.commands:
            piped = [self._command(operands, piped, dot, scope)]
        if assign:
            for name in pipeline.variables:
                self._set(scope, name, piped[0], declare=pipeline.declares)
        return piped[0]

    def _command(self, operands: tuple[Operand, ...], piped: list[Any], dot: Any, scope: list[tuple[str, Any]]) -> Any:
        first = operands[0]
        if first.kind == "function":
            return self._fields(first, self._call(operands, piped, dot, scope))
        if first.kind == "nil":
            raise self._error(first, "nil is not a command")
        if len(operands) > 1 or piped:
            raise self._error(first, f"can't give argument to non-function {first.text}")
        return self._value(first, dot, scope)

    def _call(self, operands: tuple[Operand, ...], piped: list[Any], dot: Any, scope: list[tuple[str, Any]]) -> Any:
        name, given = operands[0].value, operands[1:]
        if name in ("and", "or"):
            value: Any = None
            for operand in given:
                value = self._value(operand, dot, scope)
                if truth(value) == (name == "or"):
                    return value
            return piped[0] if piped else value
        function, fewest, most = FUNCTIONS[name]
        arguments = [self._value(operand, dot, scope) for operand in given] + piped
        self._pay(sum(len(value) >> 4 if isinstance(value, str) else 100 for value in arguments if isinstance(value, (str, list, dict))))
        shown = name + "".join(" " + operand.text for operand in given)
        if not fewest <= len(arguments) <= most:
            want = f"want {fewest}" if fewest == most else f"want at least {fewest}"
            raise self._error(operands[0], f"wrong number of args for {name}: {want} got {len(arguments)}", shown)
        try:
            return function(*arguments)
        except (TemplateError, JSONPathError) as error:
            raise self._error(operands[0], f"error calling {name}: {error}", shown) from None

    def _value(self, operand: Operand, dot: Any, scope: list[tuple[str, Any]]) -> Any:
        if operand.kind in ("dot", "field"):
            base = dot
        elif operand.kind == "variable":
            self._pay(1 + (len(scope) >> 3))
            base = next(value for name, value in reversed(scope) if name == operand.value)
        elif operand.kind == "pipeline":
            base = self._pipeline(operand.value, dot, scope)
        elif operand.kind == "function":
            base = self._call((operand,), [], dot, scope)
        else:
            base = operand.value
        return self._fields(operand, base)

    def _fields(self, operand: Operand, value: Any) -> Any:
        for name in operand.fields:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self._error(operand, f"can't evaluate field {name} in type interface {{}}")
            if name not in value and not self.allow_missing:
                raise self._error(operand, f'map has no entry for key "{name}"')
            value = value.get(name)
        return value

    def _error(self, operand: Operand, text: str, shown: str = "") -> TemplateError:
        before = self.source[:operand.at].encode()
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1)
        return TemplateError(f'template: {NAME}:{line}:{column}: executing "{NAME}" at <{shown or operand.text}>: {text}')


def truth(value: Any) -> bool:
    """Go templates' truth: not zero, not empty, not nil."""
    return bool(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None:
            raise TemplateError("index of untyped nil")
        if isinstance(value, dict):
            if not isinstance(key, str):
                raise TemplateError(f"value has type {go_values.type_name(key)}; should be string")
            value = value.get(key)
        elif isinstance(value, (list, str)):
            if isinstance(key, bool) or not isinstance(key, int):
                raise TemplateError(f"cannot index slice/array with type {go_values.type_name(key)}")
            if not 0 <= key < len(value):
                raise TemplateError(f"index out of range: {key}")
            value = ord(value[key]) if isinstance(value, str) else value[key]
        else:
            raise TemplateError(f"can't index item of type {go_values.type_name(value)}")
    return value


def _len(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (dict, list)):
        return len(value)
    raise TemplateError("len of nil pointer" if value is None else f"len of type {go_values.type_name(value)}")


def _slice(value: Any, *bounds: Any) -> Any:
    if not isinstance(value, (list, str)):
        raise TemplateError(f"can't slice item of type {go_values.type_name(value)}")
    start, end = (*bounds, 0)[0] if bounds else 0, bounds[1] if len(bounds) > 1 else len(value)
    if not 0 <= start <= end <= len(value):
        raise TemplateError(f"index out of range: {end if end > len(value) else start}")
    return value[start:end]


def _equal(left: Any, *rights: Any) -> bool:
    return any((left is None and right is None) or (left is not None and right is not None and compare("==", left, right))
               for right in rights)


def _order(operator: str) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(operator, left, right)


def _print(*values: Any) -> str:
    out = ""
    for i, value in enumerate(values):
        if i and not isinstance(value, str) and not isinstance(values[i - 1], str):
            out += " "
        out += sprint(value)
    return out


def _println(*values: Any) -> str:
    return " ".join(sprint(value) for value in values) + "\n"


def _exists(value: Any, *keys: Any) -> bool:
    """kubectl's own: whether `index` would find something (printers/template.go)."""
    try:
        return _index(value, *keys) is not None
    except TemplateError:
        return False


def _base64decode(value: Any) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        wrong = re.search(r"[^A-Za-z0-9+/=]", str(value))
        at = wrong.start() if wrong else len(str(value))
        raise TemplateError(f"base64 decode failed: illegal base64 data at input byte {at}") from None


WIDTH_MAX = 1_000_000
"""tooLarge, which is asked before each further digit (fmt/print.go, parsenum)."""
WORK_MAX = 60_000
"""Steps of one template, about a microsecond each; 16 characters of text are one."""
RESULT_MAX = 1_600_000


def _printf(template: Any, *values: Any) -> str:
    """fmt.Sprintf, the verbs that people use."""
    left = list(values)
    length = 0

    def fitting(text: str) -> str:
        nonlocal length
        length += len(text)
        if length > RESULT_MAX:
            raise TemplateError("the result is too long")
        return text

    def one(found: re.Match[str]) -> str:
        verb, flags = found.group("verb"), found.group("flags")
        if verb == "%":
            return "%"
        if not left:
            return f"%!{verb}(MISSING)"
        text, width = _verb(verb, left.pop(0), flags, found.group("precision")), _size(found.group("width"))
        if "-" in flags:
            return fitting(text.ljust(width))
        return fitting(text.zfill(width) if "0" in flags else text.rjust(width))
    whole, end = str(template), ""
    for found in VERB.finditer(whole):
        if max(_size(found.group("width")), _size(found.group("precision"))) // 10 > WIDTH_MAX:
            whole, end = whole[:found.start()], "%!(NOVERB)"  # what follows is not looked at any more
            break
    out = VERB.sub(one, whole) + end
    if left:
        out += "%!(EXTRA " + ", ".join(f"{go_values.type_name(value)}={sprint(value)}" for value in left) + ")"
    return out


def _size(digits: str | None) -> int:
    """A width or a precision; of more digits than anybody needs the first few."""
    return int((digits or "0")[:10])


def _verb(verb: str, value: Any, flags: str, precision: str | None) -> str:
    kind = go_values.basic_kind(value)
    if verb == "v" or (verb == "t" and kind == "bool"):
        return go_values.go_syntax(value) if "#" in flags and verb == "v" else sprint(value)
    if verb == "s" and kind not in ("int", "float", "bool"):
        text = sprint(value)
        return text if precision is None else text[:int(precision or 0)]
    if verb == "q" and kind == "string":
        return quote(value)
    if verb in "dxXob" and kind == "int":
        return ("+" if "+" in flags and value >= 0 else "") + format(value, verb)
    if verb == "g" and kind == "float" and precision is None:
        return go_values.float_text(value)
    if verb in "fFeEgG" and kind == "float":
        return format(value, f".{6 if precision is None else precision or 0}{verb}")
    if verb in "xX" and kind == "string":
        text = str(value).encode().hex()
        return text if verb == "x" else text.upper()
    if verb == "T":
        return go_values.type_name(value)
    return f"%!{verb}({go_values.type_name(value)}={sprint(value)})"


MANY = 1 << 20
JS = re.compile(r"[\\'\"<>&=\x00-\x1f]")  # template.JSEscape
JS_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "not": (lambda value: not truth(value), 1, 1), "len": (_len, 1, 1), "index": (_index, 1, MANY), "slice": (_slice, 1, 3),
    "eq": (_equal, 2, MANY), **{name: (_order(ORDER[name]), 2, 2) for name in ("ne", "lt", "le", "gt", "ge")},
    "print": (_print, 0, MANY), "println": (_println, 0, MANY), "printf": (_printf, 1, MANY),
    "html": (lambda *values: html.escape(_print(*values)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"), 0, MANY),
    "js": (lambda *values: JS.sub(lambda found: JS_ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}", _print(*values)), 0, MANY),
    "urlquery": (lambda *values: quote_plus(_print(*values)), 0, MANY),
    "exists": (_exists, 1, MANY), "base64decode": (_base64decode, 1, 1),
}
