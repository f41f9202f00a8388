"""The tokens of a mongosh script, and what its steps and functions are made of."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

Node = tuple[Any, ...]
Step = tuple[Any, ...]
TOKEN = re.compile(r"""
    (?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+) | (?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+) | (?P<name>[A-Za-z_$][\w$]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*') | (?P<template>`(?:[^`\\]|\\.)*`)
    | (?P<sign>===|!==|\*\*|=>|\+\+|--|&&|\|\||\?\?|\?\.|[<>=!+\-*/%]=|[-+*/%<>=!?:;,.(){}\[\]])
""", re.VERBOSE | re.DOTALL)  # fmt: skip
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "\n": ""}
DEEP = 60  # nested parentheses, blocks and functions


class Tokens:
    """The tokens of a script taken from the first on; `steps`, `functions` and `names` are what has come of them."""

    def __init__(self, text: str) -> None:
        self.tokens, self.at, self.deep, self.slots = _tokens(text), 0, 0, 0
        self.functions: list[Function] = []
        self.names: dict[str, int] = {}
        self.steps: list[Step] = []
        self.loops: list[tuple[list[int], list[int]]] = []  # jumps to mend: (break, continue)

    def peek(self, *texts: str) -> bool:
        kind, text, _ = self.tokens[self.at]
        return kind in ("name", "sign") and text in texts

    def take(self, *texts: str) -> str:
        if self.peek(*texts):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def need(self, *texts: str) -> str:
        found = self.take(*texts)
        if not found:
            self.fail()
        return found

    def fail(self) -> None:
        kind, text, _ = self.tokens[self.at]
        raise Unfinished("Unexpected end of input") if kind == "end" else Wrong(f"Unexpected token '{text}'")

    def name(self) -> str:
        kind, text, _ = self.tokens[self.at]
        if kind != "name":
            self.fail()
        self.at += 1
        return text

    def end_of_statement(self) -> None:
        if not self.take(";") and not self.peek("}") and not self.tokens[self.at][2]:
            self.fail()


class Wrong(Exception):
    """A script that cannot be parsed: SyntaxError's text."""


class Unfinished(Wrong):
    """It may go on with the next line."""


class Function(NamedTuple):
    parameters: tuple[str, ...]
    steps: list[Step]


def text_of(quoted: str) -> str:
    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", lambda found: chr(int(found[1][1:], 16)) if len(found[1]) > 1
                  else ESCAPES.get(found[1], found[1]), quoted, flags=re.DOTALL)  # fmt: skip


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """(kind, text, whether a new line came before it)."""
    found: list[tuple[str, str, bool]] = []
    at, fresh = 0, True
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            if text[at] in "`'\"" or text.startswith("/*", at):
                raise Unfinished("Unterminated string constant")
            raise Wrong(f"Unexpected character '{text[at]}'")
        at = match.end()
        if match.lastgroup == "space":
            fresh = fresh or "\n" in match[0]
            continue
        found.append((str(match.lastgroup), match[0], fresh))
        fresh = False
    return [*found, ("end", "", True)]
