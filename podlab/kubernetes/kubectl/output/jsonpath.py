"""kubectl's JSONPath templates (client-go/util/jsonpath): text with `{...}` in it, ranges, filters, unions, slices, recursion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import go_values
from .go_values import sprint, to_json

FILTER = re.compile(r"([^!<>=]+)([!<>=]+)(.+)\Z", re.DOTALL)
SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?\Z")
DICT_KEY = re.compile(r"'([^']*)'\Z")
RELAXED = re.compile(r"\{\.?([^{}]+)\}\Z|\.?([^{}]+)\Z")
TEXT_MAX = 20_000  # characters: reading so many takes some 50 ms
ENDS_FIELD = ".,[]$@{} \t\r\n"


class JSONPathError(ValueError):
    """A template that does not parse, or does not fit the object; the text is client-go's."""


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is text, word, field, wildcard, recursive, array, filter, union, number or list; the rest depends on it."""

    kind: str
    value: Any = None
    parts: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Parser:
    text: str
    at: int = 0
    nodes: list[Node] = field(default_factory=list)

    def template(self) -> list[Node]:
        """Text and actions, as they come."""
        if len(self.text) > TEXT_MAX:
            raise JSONPathError("the template is too long")
        while self.at < len(self.text):
            start = self.text.find("{", self.at)
            if start < 0:
                start = len(self.text)
            if start > self.at:
                self.nodes.append(Node("text", self.text[self.at:start]))
            self.at = start + 1
            if start < len(self.text):
                self.nodes.append(Node("list", parts=tuple(self.action())))
        return self.nodes

    def action(self) -> list[Node]:
        nodes: list[Node] = []
        while True:
            rest = self.text[self.at:self.at + 3]
            if rest.startswith("}"):
                self.at += 1
                return nodes
            if not rest or rest[0] in "\r\n":
                raise JSONPathError("unclosed action")
            if rest == "[?(":
                nodes.append(self._filter())
            elif rest.startswith(".."):
                if nodes and nodes[-1].kind == "recursive":
                    raise JSONPathError("invalid multiple recursive descent")
                self.at += 2
                nodes.append(Node("recursive"))
                if self._peek().isalnum() or self._peek() == "_":
                    nodes.append(self._field())
            elif rest[0] in " @$":
                self.at += 1
            elif rest[0] == "[":
                nodes += self._array()
            elif rest[0] in "\"'":
                nodes.append(self._quote(rest[0]))
            elif rest[0] == ".":
                self.at += 1
                nodes.append(self._field())
            elif rest[0] in "+-" or rest[0].isdigit():
                nodes.append(self._number())
            elif rest[0].isalnum() or rest[0] == "_":
                nodes.append(self._word())
            else:
                raise JSONPathError(f"unrecognized character in action: U+{ord(rest[0]):04X} '{rest[0]}'")

    def _peek(self) -> str:
        return self.text[self.at:self.at + 1]

    def _field(self) -> Node:
        start = self.at
        while self._peek() and self._peek() not in ENDS_FIELD:
            self.at += 2 if self._peek() == "\\" else 1
        name = self.text[start:self.at]
        return Node("wildcard") if name == "*" else Node("field", name.replace("\\", ""))

    def _word(self) -> Node:
        start = self.at
        while self._peek() and self._peek() not in ENDS_FIELD:
            self.at += 1
        word = self.text[start:self.at]
        return Node("literal", word == "true") if word in ("true", "false") else Node("word", word)

    def _number(self) -> Node:
        start = self.at
        self.at += 1
        while self._peek().isdigit() or self._peek() == ".":
            self.at += 1
        number = self.text[start:self.at]
        try:
            return Node("literal", float(number) if "." in number else int(number))
        except ValueError:
            raise JSONPathError(f"cannot parse number {number}") from None

    def _quote(self, mark: str) -> Node:
        start = self.at
        self.at += 1
        while True:
            sign = self._peek()
            if not sign or sign == "\n":
                raise JSONPathError("unterminated quoted string")
            self.at += 1
            if sign == mark and self.text[self.at - 2] != "\\":
                break
        return Node("text", unquote(self.text[start + 1:self.at - 1]))

    def _array(self) -> list[Node]:
        end = self.text.find("]", self.at)
        line = self.text.find("\n", self.at)
        if end < 0 or 0 <= line < end:
            raise JSONPathError("unterminated array")
        inner = self.text[self.at + 1:end]
        self.at = end + 1
        if inner == "*":
            inner = ":"
        if "," in inner:
            return [Node("union", parts=tuple(tuple(_action(f"[{part.strip(' ')}]")) for part in inner.split(",")))]
        key = DICT_KEY.match(inner)
        if key:
            return _action("." + key.group(1))
        bounds = SLICE.match(inner)
        if not bounds:
            raise JSONPathError(f"invalid array index {inner}")
        return [Node("array", parts=bounds.groups(""))]

    def _filter(self) -> Node:
        start, mark, closed = self.at + 3, "", False
        self.at = start
        while True:
            sign = self._peek()
            if not sign or sign == "\n":
                raise JSONPathError("unterminated filter")
            self.at += 1
            if sign in "\"'":
                if not mark:
                    mark = sign
                elif sign == mark and self.text[self.at - 2] != "\\":
                    closed = True
            elif sign == ")" and bool(mark) == closed:
                break
        inner = self.text[start:self.at - 1]
        if self._peek() != "]":
            raise JSONPathError("unclosed array expect ]")
        self.at += 1
        found = FILTER.match(inner)
        if not found:
            return Node("filter", "exists", (tuple(_action(inner)), ()))
        return Node("filter", found.group(2), (tuple(_action(found.group(1))), tuple(_action(found.group(3)))))


def _action(text: str) -> list[Node]:
    parser = _Parser("{" + text + "}", 1)
    nodes = parser.action()
    if parser.at < len(parser.text):  # a brace inside: the rest is a template of its own
        nodes += [node for part in parser.template() for node in (part.parts if part.kind == "list" else (part,))]
    return nodes


ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def unquote(text: str) -> str:
    """Go's escapes, in either sort of quotes (UnquoteExtend)."""
    def one(found: re.Match[str]) -> str:
        body = found.group(1)
        if body[0] in "xuU":
            return chr(int(body[1:], 16))
        if body[0].isdigit():
            return chr(int(body, 8))
        if body not in ESCAPES:
            raise JSONPathError(f"unquote string '{text}' error invalid syntax")
        return ESCAPES[body]
    return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", one, text)


def relaxed(expression: str) -> str:
    """`metadata.name`, `.metadata.name` or `{.metadata.name}` as a template, for --sort-by and custom-columns."""
    if not expression:
        return expression
    found = RELAXED.match(expression)
    if not found:
        raise JSONPathError("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
                            "'{.name1.name2}'")
    return f"{{.{found.group(1) or found.group(2)}}}"


class JSONPath:
    """A parsed template. Raises JSONPathError. With `allow_missing` a field that is not there gives nothing, not an error."""

    def __init__(self, template: str, *, allow_missing: bool = True) -> None:
        self.nodes = _Parser(template).template()
        self.allow_missing = allow_missing

    def results(self, data: Any) -> list[list[Any]]:
        """The values of each node, ranges unrolled."""
        out: list[list[Any]] = []
        self._block(0, data, out, live=True, nested=False)
        return out

    def render(self, data: Any) -> str:
        return "".join(" ".join(_text(value) for value in values) for values in self.results(data))

    def _block(self, at: int, data: Any, out: list[list[Any]], *, live: bool, nested: bool) -> int:
        """Evaluate nodes from `at` to the end of this range (or of the template); returns where it stopped."""
        while at < len(self.nodes):
            node = self.nodes[at]
            word = next((part.value for part in node.parts if part.kind == "word"), None) if node.kind == "list" else None
            if word == "end":
                if not nested:
                    raise JSONPathError("not in range, nothing to end")
                return at
            if word == "range":
                at = self._range(at, data, out, live=live)
            elif word is not None:
                raise JSONPathError(f"unrecognized identifier {word}")
            elif live:
                out.append(self._walk([data], node))
            at += 1
        return at

    def _range(self, at: int, data: Any, out: list[list[Any]], *, live: bool) -> int:
        over = self._list([data], [part for part in self.nodes[at].parts if part.kind != "word"]) if live else []
        end = at
        for item in over:
            end = self._block(at + 1, item, out, live=True, nested=True)
        end = end if over else self._block(at + 1, None, out, live=False, nested=True)
        return end if end < len(self.nodes) else at  # without an end, what is in the range stands behind it too

    def _list(self, values: list[Any], nodes: Sequence[Node]) -> list[Any]:
        for node in nodes:
            values = self._walk(values, node)
        return values

    def _walk(self, values: list[Any], node: Node) -> list[Any]:
        if node.kind == "list":
            return self._list(values, node.parts)
        if node.kind in ("text", "literal"):
            return [node.value]
        if node.kind == "field":
            return self._field(values, node.value)
        if node.kind == "wildcard":
            return [item for value in values for item in go_values.items_of(value)]
        if node.kind == "recursive":
            return [found for value in values for found in _descend(value)]
        if node.kind == "union":
            return [found for part in node.parts for found in self._list(values, part)]
        if node.kind == "array":
            return [found for value in values if value is not None for found in _slice(value, node.parts)]
        return [found for value in values for found in self._filter(value, node)]

    def _field(self, values: list[Any], name: str) -> list[Any]:
        if not values:
            return []
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not found and not self.allow_missing:
            raise JSONPathError(f"{name} is not found")
        return found

    def _filter(self, value: Any, node: Node) -> list[Any]:
        if not isinstance(value, list):
            raise JSONPathError(f"{sprint(value)} is not array or slice and cannot be filtered")
        out = []
        left_nodes, right_nodes = node.parts
        for item in value:
            try:
                lefts = self._list([item], left_nodes)
            except JSONPathError:
                if node.value != "exists":
                    raise
                continue
            if node.value == "exists":
                if lefts:
                    out.append(item)
                continue
            rights = self._list([item], right_nodes) if lefts else []
            if len(lefts) > 1 or len(rights) > 1:
                raise JSONPathError("can only compare one element at a time")
            if lefts and rights and compare(node.value, lefts[0], rights[0]):
                out.append(item)
        return out


def compare(operator: str, left: Any, right: Any) -> bool:
    """Go templates' comparison of basic values (client-go/third_party/forked/golang/template)."""
    kinds = go_values.basic_kind(left), go_values.basic_kind(right)
    if operator not in ("==", "!=", "<", ">", "<=", ">="):
        raise JSONPathError(f"unrecognized filter operator {operator}")
    if "" in kinds:
        raise JSONPathError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise JSONPathError("incompatible types for comparison")
    if operator in ("==", "!="):
        return bool(left == right) == (operator == "==")
    if kinds[0] == "bool":
        raise JSONPathError("invalid type for comparison")
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator])


def _descend(value: Any) -> list[Any]:
    """Everything below, this included, that has something in it."""
    items = go_values.items_of(value)
    return [value, *(found for item in items for found in _descend(item))] if items else []


def _slice(value: Any, parts: Sequence[str]) -> list[Any]:
    if not isinstance(value, list):
        raise JSONPathError(f"{go_values.type_name(value)} is not array or slice")
    length, (start_text, end_text, step_text) = len(value), parts
    start = int(start_text) if start_text else 0
    if not end_text:
        end, derived = start + 1, True
    else:
        end, derived = int(end_text[1:]) if end_text[1:] else length, False
    if start < 0:
        start += length
    if end < 0 or (end == 0 and derived):
        end += length
    if start == end:
        return []
    if start >= length or start < 0:
        raise JSONPathError(f"array index out of bounds: index {start}, length {length}")
    if end > length or end < 0:
        raise JSONPathError(f"array index out of bounds: index {end - 1}, length {length}")
    if start > end:
        raise JSONPathError(f"starting index {start} is greater than ending index {end}")
    step = int(step_text[1:]) if step_text[1:] else 1
    if step <= 0:
        raise JSONPathError("step must be > 0")
    return value[start:end:step]


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return to_json(value)
    return "null" if value is None else sprint(value)
