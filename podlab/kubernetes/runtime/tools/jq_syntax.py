"""The language of jq: a program's text to a tree of tuples (jqlang.org/manual, "Basic filters" to "Advanced features").

    ("id",) ("rec",) ("lit", value) ("field", term, name) ("index", term, key) ("slice", term, from, to) ("iter", term) ("try", body, handler)
    ("str", format, parts) ("array", body) ("object", pairs) ("neg", body) ("pipe", a, b) ("comma", a, b) ("bin", op, a, b) ("and", a, b)
    ("or", a, b) ("alt", a, b) ("set", op, path, value) ("if", condition, then, otherwise) ("reduce", source, pattern, start, update)
    ("foreach", source, pattern, start, update, extract) ("def", name, params, body, rest) ("call", name, arguments) ("var", name)
    ("as", source, patterns, body) ("label", name, body) ("break", name) ("format", name)
"""

from __future__ import annotations

from functools import lru_cache

from .jq_tokens import DEPTH_MAX, JqSyntax, Node, Tokens

SETTING = ("=", "|=", "+=", "-=", "*=", "/=", "%=", "//=")
BINARY = ({"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"})
KEYWORDS = frozenset("def if then elif else end as reduce foreach try catch label import include and or __loc__".split())


class _Parser(Tokens):
    def whole(self) -> Node:
        if self.peek()[0] == "end":
            return ("id",)
        found = self.pipe()
        if self.peek()[0] != "end":
            self.fail()
        return found

    def pipe(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise JqSyntax("too deep")
        try:
            before: list[Node] = []  # definitions and what is piped on, the last of which is the innermost
            while True:
                if self.has("def"):
                    before.append(self.definition())
                    if self.peek()[0] == "end":
                        found: Node = ("id",)
                        break
                elif self.has("label"):
                    name = str(self.take()[1])
                    self.need("|")
                    found = ("label", name, self.pipe())
                    break
                else:
                    found = self.comma()
                    if not self.has("|"):
                        break
                    before.append(("pipe", found))
            for one in reversed(before):
                found = (*one, found)
            return found
        finally:
            self.depth -= 1

    def definition(self) -> Node:
        name, params = str(self.take()[1]), list[str]()
        if self.has("("):
            while True:
                params.append(str(self.take()[1]))
                if not self.has(";"):
                    break
            self.need(")")
        self.need(":")
        body = self.pipe()
        self.need(";")
        return ("def", name, tuple(params), body)

    def pattern(self) -> Node:
        if self.has("["):
            items = [self.pattern()]
            while self.has(","):
                items.append(self.pattern())
            self.need("]")
            return ("array", tuple(items))
        if self.has("{"):
            pairs = []
            while True:
                kind, value = self.take()
                key: Node
                if kind == "word" and value.startswith("$"):
                    key, inner = ("lit", value[1:]), ("var", value)
                    pairs.append((key, inner))
                    if self.has(":"):
                        pairs.append((key, self.pattern()))
                else:
                    self.at -= 1
                    key = self.key()
                    self.need(":")
                    pairs.append((key, self.pattern()))
                if not self.has(","):
                    break
            self.need("}")
            return ("object", tuple(pairs))
        kind, value = self.take()
        if kind != "word" or not value.startswith("$"):
            self.at -= 1
            self.fail()
        return ("var", value)

    def comma(self) -> Node:
        left = self.alternative()
        while self.has(","):
            left = ("comma", left, self.alternative())
        return left

    def setting(self) -> Node:
        left = self.either()
        for sign in SETTING:
            if self.has(sign):
                return ("set", sign, left, self.either())
        return left

    def alternative(self) -> Node:
        left = self.setting()
        return ("alt", left, self.alternative()) if self.has("//") else left

    def either(self) -> Node:
        left = self.both()
        while self.has("or"):
            left = ("or", left, self.both())
        return left

    def both(self) -> Node:
        left = self.binary(0)
        while self.has("and"):
            left = ("and", left, self.binary(0))
        return left

    def binary(self, level: int) -> Node:
        if level == len(BINARY):
            return self.post()
        left = self.binary(level + 1)
        while self.peek()[0] == "op" and self.peek()[1] in BINARY[level]:
            left = ("bin", self.take()[1], left, self.binary(level + 1))
        return left

    def post(self) -> Node:
        found = self.simple()
        if not self.has("as"):
            return found
        patterns = [self.pattern()]
        while self.has("?//"):
            patterns.append(self.pattern())
        self.need("|")
        return ("as", found, tuple(patterns), self.pipe())

    def simple(self) -> Node:
        if self.has("-"):
            return ("neg", self.post())
        if self.has("try"):
            body = self.post_term()
            return ("try", body, self.post_term() if self.has("catch") else None)
        if self.has("reduce") or self.has("foreach"):
            kind = self.tokens[self.at - 1][1]
            source = self.post_term()
            self.need("as")
            pattern = self.pattern()
            self.need("(")
            parts = [self.pipe()]
            while self.has(";"):
                parts.append(self.pipe())
            self.need(")")
            if len(parts) != 2 and (kind == "reduce" or len(parts) != 3):
                self.fail()
            return self.suffixes((kind, source, pattern, *parts, *([None] if kind == "foreach" and len(parts) == 2 else [])))
        if self.has("if"):
            return self.suffixes(self.condition())
        return self.post_term()

    def condition(self) -> Node:
        asked = self.pipe()
        self.need("then")
        then = self.pipe()
        if self.has("elif"):
            return ("if", asked, then, self.condition())
        otherwise: Node = ("id",)
        if self.has("else"):
            otherwise = self.pipe()
        self.need("end")
        return ("if", asked, then, otherwise)

    def post_term(self) -> Node:
        return self.suffixes(self.term())

    def suffixes(self, found: Node) -> Node:
        while True:
            kind, value = self.peek()
            if kind == "field":
                self.at += 1
                found = ("field", found, ("lit", value[1:]))
            elif kind == "op" and value == "." and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1][0] == "str":
                self.at += 2
                found = ("field", found, ("str", "", tuple(self.tokens[self.at - 1][1])))
            elif kind == "op" and value == "." and self.tokens[self.at + 1 : self.at + 2] == [("op", "[")]:
                self.at += 1
            elif self.has("["):
                found = self.bracket(found)
            elif self.has("?"):
                found = ("try", found, None)
            else:
                return found

    def bracket(self, found: Node) -> Node:
        if self.has("]"):
            return ("iter", found)
        if self.has(":"):
            to = self.pipe()
            self.need("]")
            return ("slice", found, None, to)
        key = self.pipe()
        if self.has(":"):
            to_ = None if self.peek() == ("op", "]") else self.pipe()
            self.need("]")
            return ("slice", found, key, to_)
        self.need("]")
        return ("index", found, key)

    def term(self) -> Node:
        kind, value = self.take()
        if kind == "num":
            number = float(value)
            return ("lit", int(number) if number.is_integer() and abs(number) < 1e17 else number)
        if kind == "str":
            return ("str", "", tuple(value))
        if kind == "format":
            if self.peek()[0] == "str":
                return ("str", value, tuple(self.take()[1]))
            return ("format", value)
        if kind == "field":
            return ("field", ("id",), ("lit", value[1:]))
        if kind == "word":
            return self.word(value)
        if value == "..":
            return ("rec",)
        if value == ".":
            if self.peek()[0] == "str":
                return ("field", ("id",), ("str", "", tuple(self.take()[1])))
            return ("id",)
        if value == "(":
            found = self.pipe()
            self.need(")")
            return found
        if value == "[":
            if self.has("]"):
                return ("lit", [])
            found = self.pipe()
            self.need("]")
            return ("array", found)
        if value == "{":
            return self.object()
        self.at -= 1
        return self.fail()

    def word(self, value: str) -> Node:
        if value.startswith("$"):
            return ("var", value)
        if value == "break":
            return ("break", str(self.take()[1]))
        if value in ("reduce", "foreach", "if", "try", "def"):
            self.at -= 1
            return self.pipe() if value == "def" else self.post()
        if value in KEYWORDS:
            self.at -= 1
            return self.fail()
        if value in ("true", "false", "null"):
            return ("lit", {"true": True, "false": False, "null": None}[value])
        arguments = []
        if self.has("("):
            arguments.append(self.pipe())
            while self.has(";"):
                arguments.append(self.pipe())
            self.need(")")
        return ("call", value, tuple(arguments))

    def key(self) -> Node:
        kind, value = self.take()
        if kind == "word" and not value.startswith("$"):
            return ("lit", value)
        if kind == "num":
            return ("lit", value)
        if kind == "str":
            return ("str", "", tuple(value))
        if kind == "format" and self.peek()[0] == "str":
            return ("str", value, tuple(self.take()[1]))
        if (kind, value) == ("op", "("):
            found = self.pipe()
            self.need(")")
            return found
        self.at -= 1
        return self.fail()

    def object(self) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not self.has("}"):
            kind, value = self.peek()
            if kind == "word" and value.startswith("$"):
                self.at += 1
                pairs.append((("lit", value[1:]), ("var", value)))
            else:
                key = self.key()
                if self.has(":"):
                    held = self.alternative_in_object()
                    pairs.append((key, held))
                else:
                    pairs.append((key, ("field", ("id",), key)))
            if not self.has(","):
                self.need("}")
                break
        return ("object", tuple(pairs))

    def alternative_in_object(self) -> Node:
        """A value without commas: `|` may join several."""
        found = self.alternative()
        return ("pipe", found, self.alternative_in_object()) if self.has("|") else found


@lru_cache(maxsize=256)
def parse(text: str) -> Node:
    """The tree of a program. Raises JqSyntax."""
    return _Parser(text).whole()
