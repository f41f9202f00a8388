"""CEL's text -> its tree: tuples (kind, ...). Refuses what is beyond the part of the language that is evaluated here, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .values import CelError, Misread, NoFunction

DEPTH_MAX = 60
CHAIN_MAX = 250  # of the whole tree (cel-go's maxRecursionDepth)
TOKEN = re.compile(r"""\s*(?:(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+|\d+)u?|(?P<text>[rR]?(?:'''.*?'''|\"\"\".*?\"\"\"
    |"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))|(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}]))""",
                   re.DOTALL | re.VERBOSE)
BINDING = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}
MACROS = ("all", "exists", "exists_one", "existsOne", "map", "filter")
FUNCTIONS = ("size", "has", "int", "double", "string", "dyn", "quantity", "isQuantity", "ip", "isIP", "cidr", "isCIDR")
METHODS = ("startsWith", "endsWith", "contains", "matches", "size", "lowerAscii", "upperAscii", "trim", "split", "replace", "indexOf",
           "lastIndexOf", "substring", "charAt", "join", "isSorted", "sum", "min", "max", "format", "orValue", "hasValue", "value", "or",
           "isLessThan", "isGreaterThan", "compareTo", "isInteger", "asInteger", "add", "sub", "sign", "family", "containsIP",
           "containsCIDR", "prefixLength", "path", "group", "resource", "subresource", "namespace", "name", "serviceAccount", "check",
           "allowed", "reason", "errored", "error")
ESCAPED = re.compile(r"__(underscores|dot|dash|slash|[a-z]+)__")  # names that CEL cannot write (cel/model, escaping.go)
ESCAPES = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}
SELF = ("self", "oldSelf")
BEGINNINGS = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"  # of an expression

Node = tuple[Any, ...]


class Parser:
    """One expression, read. `names` as in `compiled`; `used`: the variables that it names."""

    def __init__(self, text: str, names: tuple[str, ...] = SELF) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.places: list[int] = []  # of the tokens in the text
        self.where: dict[int, int] = {}  # of the nodes with a sign of their own, by id(): what checking.py points at
        self.strange: list[tuple[int, str]] = []  # what no token begins with
        at = 0
        ends = len(text)
        text = text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None or found.end() == at:
                at += len(text[at:]) - len(text[at:].lstrip())
                self.strange.append((at, f"Syntax error: token recognition error at: '{text[at:at + 2] if text[at] in '=&|' else text[at]}'"))
                at += 1
                continue
            at = found.end()
            self.tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
            self.places.append(found.start(found.lastgroup or 0))
        self.tokens.append(("end", ""))
        self.places.append(ends)
        self.at = 0
        self.depth = 0
        self.names = [name for name in names if not name[0].isupper()]
        self.types = [name for name in names if name[0].isupper()]
        self.used: dict[str, None] = {}

    def peek(self) -> str:
        kind, text = self.tokens[self.at]
        return text if kind in ("sign", "name") else ""

    def take(self, wanted: str = "") -> tuple[str, str]:
        kind, text = self.tokens[self.at]
        if wanted and (text != wanted or kind not in ("sign", "name")):
            raise self.misread(f"missing '{wanted}' at '{text or '<EOF>'}'")
        self.at += 1
        return kind, text

    def misread(self, words: str, at: int | None = None) -> Misread:
        """A syntax error at a token, after those of the letters."""
        return Misread(*self.strange, (self.places[self.at if at is None else at], f"Syntax error: {words}"))

    def whole(self) -> Node:
        node = self.expression()
        if self.tokens[self.at][0] != "end":
            last = self.at + 2 == len(self.tokens)
            raise self.misread(f"{'extraneous' if last else 'mismatched'} input '{self.tokens[self.at][1]}' expecting <EOF>")
        if self.strange:
            raise Misread(*self.strange)
        if _deep(node):
            raise CelError("expression recursion limit exceeded")
        return node

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise CelError("expression recursion limit exceeded")
        node = self.binary(1)
        if self.peek() == "?":
            self.take()
            yes = self.binary(1)
            self.take(":")
            node = ("if", node, yes, self.expression())
        self.depth -= 1
        return node

    def binary(self, least: int) -> Node:
        left = self.unary()
        while (sign := self.peek()) in BINDING and BINDING[sign] >= least:
            if sign in ("&&", "||"):
                left = self.logic(sign, left)
                continue
            place = self.places[self.at]
            self.take()
            left = ("two", sign, left, self.binary(BINDING[sign] + 1))
            self.where[id(left)] = place
        return left

    def logic(self, sign: str, first: Node) -> Node:
        """Terms with one sign between them, as a tree that is no deeper than it must be (cel-go, parser/helper.go, balancer)."""
        terms, places = [first], []
        while self.peek() == sign:
            places.append(self.places[self.at])
            self.take()
            terms.append(self.binary(BINDING[sign] + 1))

        def balanced(low: int, high: int) -> Node:
            if low == high:
                return terms[low]
            middle = (low + high + 1) // 2
            node = ("two", sign, balanced(low, middle - 1), balanced(middle, high))
            self.where[id(node)] = places[middle - 1]
            return node
        return balanced(0, len(places))

    def unary(self) -> Node:
        if self.peek() in ("!", "-"):
            self.depth += 1
            if self.depth > DEPTH_MAX:
                raise CelError("expression recursion limit exceeded")
            sign = self.take()[1]
            node: Node = ("one", sign, self.unary())
            self.depth -= 1
            return node
        return self.member(self.primary())

    def member(self, node: Node) -> Node:
        while self.peek() in (".", "["):
            place = self.places[self.at]
            if self.take()[1] == "[":
                node = ("index", node, self.expression())
                self.take("]")
                continue
            maybe = self.peek() == "?"
            if maybe:
                self.take()
            kind, name = self.take()
            if kind != "name":
                raise self.misread(f"no viable alternative at input '.{name}'", self.at - 1)
            called = self.peek() == "("
            place = self.places[self.at] if called else place
            node = self.method(node, name) if called else ("optional" if maybe else "member", node, _unescaped(name))
            self.where[id(node)] = place
        return node

    def method(self, node: Node, name: str) -> Node:
        self.take("(")
        if name in MACROS:
            kind, variable = self.take()
            if kind != "name":
                raise CelError("argument must be a simple name")
            self.take(",")
            self.names.append(variable)
            body = self.expression()
            more = None
            if self.peek() == ",":
                self.take()
                more = self.expression()
            self.names.pop()
            self.take(")")
            return ("macro", name, node, variable, body, more)
        if name not in METHODS:
            raise NoFunction(name)
        return ("method", name, node, self.listed(")"))

    def struct(self, name: str) -> Node:
        """A value of a type: `Object.metadata{labels: {"a": "b"}}`. Which fields it may have is for whoever merges it to say."""
        while self.peek() == ".":
            self.take()
            name += "." + self.take()[1]
        self.take("{")
        pairs: list[tuple[Node, Node]] = []
        while self.peek() != "}":
            kind, field = self.take()
            if kind != "name":
                raise self.misread(f"mismatched input '{field}' expecting an identifier", self.at - 1)
            self.take(":")
            pairs.append((("value", _unescaped(field)), self.expression()))
            self._after_pair()
        self.take("}")
        return ("map", pairs)

    def _after_pair(self) -> None:
        if self.peek() == ",":
            self.take()
        elif self.peek() != "}":
            raise self.misread("missing '}'")

    def listed(self, end: str) -> list[Node]:
        """Expressions with commas between them, up to the closing bracket."""
        found = []
        while self.peek() != end:
            found.append(self.expression())
            if self.peek() == ",":
                self.take()
            elif self.peek() != end:
                raise self.misread(f"missing '{end}' at '{self.tokens[self.at][1] or '<EOF>'}'")
        self.take(end)
        return found

    def primary(self) -> Node:
        kind, text = self.take()
        if kind == "number":
            if len(text) > 400:
                raise CelError("Syntax error: invalid int literal")
            return ("value", float(text) if "." in text or ("e" in text.lower() and not text.startswith("0x")) else int(text, 0))
        if kind == "text":
            return ("value", _text(text))
        if kind == "name":
            if text in ("true", "false", "null"):
                return ("value", {"true": True, "false": False, "null": None}[text])
            if self.peek() == "(":
                if text not in FUNCTIONS:
                    raise NoFunction(text)
                self.take()
                return ("call", text, self.listed(")"))
            if text in self.types:
                return self.struct(text)
            if text not in self.names:
                raise Misread(*self.strange, (self.places[self.at - 1], f"undeclared reference to '{text}' (in container '')"))
            self.used[text] = None
            return ("name", text)
        if text == "(":
            node = self.expression()
            self.take(")")
            return node
        if text == "[":
            return ("list", self.listed("]"))
        if text == "{":
            pairs = []
            while self.peek() != "}":
                key = self.expression()
                self.take(":")
                pairs.append((key, self.expression()))
                self._after_pair()
            self.take("}")
            return ("map", pairs)
        raise self.misread(f"extraneous input '{text}' expecting {BEGINNINGS}" if text else f"mismatched input '<EOF>' expecting {BEGINNINGS}",
                           self.at - 1)


def _deep(node: Node) -> bool:
    """Whether something in it lies deeper than CHAIN_MAX: `a.b.c` and `1 + 2 + 3` are trees too."""
    layer = [node]
    for _ in range(CHAIN_MAX):
        if not layer:
            return False
        layer = [inner for one in layer for part in one for inner in _nodes(part)]
    return bool(layer)


def _nodes(part: Any) -> Iterator[Node]:
    if isinstance(part, tuple) and part and isinstance(part[0], str):
        yield part
    elif isinstance(part, list | tuple):
        for one in part:
            yield from _nodes(one)


def _unescaped(name: str) -> str:
    return ESCAPED.sub(lambda found: ESCAPES.get(found.group(1), found.group(1)), name) if "__" in name else name


def _text(token: str) -> str:
    raw = token[0] in "rR"
    token = token[1:] if raw else token
    inner = token[3:-3] if token[:3] in ('"""', "'''") else token[1:-1]
    if raw:
        return inner
    plain = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found.group(1), found.group(1)), inner)
    return plain
