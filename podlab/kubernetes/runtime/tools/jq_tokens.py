"""The words and signs of jq's language."""

from __future__ import annotations

import re
from typing import Any

Node = tuple[Any, ...]
TOKEN = re.compile(r'\s+|#[^\n]*|(?P<num>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<str>")|(?P<field>\.[A-Za-z_]\w*)|(?P<format>@[A-Za-z0-9_]+)'
                   r"|(?P<word>\$?[A-Za-z_](?:\w|::(?=\w))*)"
                   r"|(?P<op>\?//=|\?//|//=|\|=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|//|\.\.|[][{}().,:;|=<>+*/%?$-])")  # fmt: skip
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
DEPTH_MAX, TEXT_MAX = 60, 20_000
"""Brackets within one another, characters of a program: real jq takes more, and no person writes them."""


class JqSyntax(Exception):
    """The text is no program. Its words are those after `jq: error: `."""


class Tokens:
    """A program's text as words and signs, taken one after the other. A string is one: its texts, and the trees of what stands in \\( )."""

    def __init__(self, text: str, depth: int = 0) -> None:
        if len(text) > TEXT_MAX:
            raise JqSyntax("program too large")
        self.text, self.depth = text, depth
        self.tokens: list[tuple[str, Any]] = []
        self._scan(0, "")
        self.at = 0

    def _scan(self, at: int, until: str) -> int:
        """Reads tokens from a place; of a string's part to the parenthesis that ends it. Gives the place after."""
        text, open_ = self.text, 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise JqSyntax("syntax error, unexpected INVALID_CHARACTER")
            kind = found.lastgroup
            if kind == "str":
                at = self._string(found.end())
                continue
            at = found.end()
            if kind is None:
                continue
            word = found[0]
            if until and kind == "op" and word == ")" and not open_:
                return at
            open_ += (word == "(") - (word == ")") if kind == "op" else 0
            self.tokens.append((kind, word))
        if until:
            raise JqSyntax("syntax error, unexpected end of file")
        return at

    def _string(self, at: int) -> int:
        """The parts of a string: texts, and the trees of what stands in \\( )."""
        parts: list[Any] = []
        held, text = "", self.text
        while True:
            if at >= len(text):
                raise JqSyntax("syntax error, unexpected end of file, expecting QQSTRING_END")
            letter = text[at]
            at += 1
            if letter == '"':
                break
            if letter != "\\":
                held += letter
                continue
            letter = text[at : at + 1]
            at += 1
            if letter == "u":
                code = text[at : at + 4]
                if not re.fullmatch(r"[0-9a-fA-F]{4}", code):
                    raise JqSyntax("Invalid escape")
                held += chr(int(code, 16))
                at += 4
            elif letter == "(":
                if self.depth > DEPTH_MAX // 10:
                    raise JqSyntax("too deep")
                inner = type(self)("", self.depth + 1)
                inner.text = text
                at = inner._scan(at, ")")
                parts += [held, inner.whole()]
                held = ""
            elif letter in ESCAPES:
                held += ESCAPES[letter]
            else:
                raise JqSyntax(f"Invalid escape at line 1, column {at}")
        self.tokens.append(("str", [*parts, held]))
        return at

    # ---- the tokens

    def peek(self) -> tuple[str, Any]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, Any]:
        found = self.peek()
        self.at += 1
        return found

    def has(self, word: str) -> bool:
        """Takes a word or a sign if it is next."""
        kind, value = self.peek()
        if kind in ("op", "word") and value == word:
            self.at += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.has(word):
            self.fail()

    def fail(self) -> Node:
        kind, value = self.peek()
        shown = {"end": "end of file", "field": "FIELD", "num": "LITERAL", "str": "QQSTRING_START", "format": "FORMAT", "word": "IDENT"}.get(kind)
        raise JqSyntax(f"syntax error, unexpected {shown or repr(value)[1:-1].join(chr(39) * 2)}")

    def whole(self) -> Node:
        """The tree of all of it."""
        raise NotImplementedError
