"""The tokens of awk: numbers, strings, names, operators, and regular expressions where one may stand."""

from __future__ import annotations

import re
from typing import Any


class Tokens:
    """The tokens of a program, taken from the first on."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text):
            rest = text[position:].lstrip(" \t\r")
            if rest.startswith("/") and self._regex_here():
                position += text[position:].index("/") + 1
                end, inside = position, False
                while end < len(text) and (text[end] != "/" or inside):
                    if text[end] == "\\":
                        end += 1
                    elif text[end] == "[":
                        inside = True
                    elif text[end] == "]":
                        inside = False
                    end += 1
                self.tokens.append(("re", text[position:end].replace("\\/", "/")))
                position = end + 1
                continue
            if not rest:
                break
            match = TOKEN.match(text, position)
            if match is None:
                raise AwkFault("cmd. line:1: Unexpected token")
            position = match.end()
            kind = match.lastgroup
            if kind is None:
                continue
            self.tokens.append((kind, match[kind] if kind != "nl" else "\n"))
        self.at = 0
        self.functions: dict[str, tuple[list[str], Any]] = {}

    def _regex_here(self) -> bool:
        if not self.tokens:
            return True
        kind, text = self.tokens[-1]
        return not (
            kind in ("num", "str", "re") or (kind == "name" and text not in KEYWORDS) or text in (")", "]", "$", "++", "--")
        )

    def peek(self) -> str:
        if self.at >= len(self.tokens):
            return ""
        kind, text = self.tokens[self.at]
        return text if kind in ("op", "nl") or (kind == "name" and text in KEYWORDS) else "\0" + kind

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, text: str) -> bool:
        if self.peek() == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise AwkFault("cmd. line:1: Unexpected " + ("end of string" if self.at >= len(self.tokens) else "token"))

    def newlines(self, more: str = "") -> None:
        while self.peek() == "\n" or (more and self.peek() == more):
            self.at += 1


TOKEN = re.compile(
    r"[ \t\r]*(?:(?P<nl>\n|\#[^\n]*)|(?P<num>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)"
    r'|(?P<str>"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<op>\+\+|--|\+=|-=|\*=|/=|%=|\^=|\*\*|==|!=|<=|>=|&&|\|\||!~|>>|[-+*/%^!<>=?:,;(){}\[\]$~|])|\\\n)"
)
KEYWORDS = ("BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "exit",
    "return", "delete", "in", "print",
            "printf", "getline", "nextfile")  # fmt: skip
FUNCTIONS = ("length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2", "exp", "log",
    "sqrt", "int", "rand", "srand",
             "tolower", "toupper", "systime", "strftime", "gensub", "and", "or", "xor", "system", "close", "fflush")  # fmt: skip


class AwkFault(Exception):
    """A syntax error or something that this awk lacks."""
