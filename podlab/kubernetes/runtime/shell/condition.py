"""test, [ and [[: conditions on strings, numbers and files (POSIX test, busybox's extensions)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import filesystem
from ..linear import compiled
from ..numerals import LONG_MAX, is_whole, saturated
from . import patterns

if TYPE_CHECKING:
    from ..system import Sys

UNARY = (
    "-b",
    "-c",
    "-d",
    "-e",
    "-f",
    "-g",
    "-h",
    "-k",
    "-L",
    "-n",
    "-p",
    "-r",
    "-s",
    "-S",
    "-t",
    "-u",
    "-w",
    "-x",
    "-z",
    "-O",
    "-G",
)
BINARY = ("=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "=~")


# Inside a bracket expression: [[:space:]]
POSIX_CLASSES = re.compile(r"\[:(alnum|alpha|digit|lower|punct|space|upper|xdigit):\]")
CLASSES = {"alnum": "A-Za-z0-9", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "punct": "!-/:-@\\[-`{-~", "space": r"\s",
           "upper": "A-Z", "xdigit": "A-Fa-f0-9"}  # fmt: skip


class ConditionFault(Exception):
    """What test prints when it does not understand; its exit code is 2."""


def _number(text: str) -> int:
    if not re.fullmatch(r"\s*[-+]?[0-9]+\s*", text):
        raise ConditionFault(f"{text}: bad number")
    value = saturated(text.strip())
    if abs(value) >= LONG_MAX:
        raise ConditionFault(f"{text}: out of range")
    return value


def _unary(sys: Sys, operator: str, word: str) -> bool:
    if operator == "-n":
        return word != ""
    if operator == "-z":
        return word == ""
    if operator == "-t":
        return is_whole(word) and sys.is_tty(saturated(word))
    found = sys.find(word, follow=operator not in ("-h", "-L"))
    if found is None:
        return False
    kind, mode = found.inode["t"], found.inode["m"]
    if operator == "-s":
        return filesystem.size(found.inode) > 0
    if operator in ("-r", "-w", "-x"):
        return sys.access(word, {"-r": 4, "-w": 2, "-x": 1}[operator])
    if operator in ("-u", "-g", "-k"):
        return bool(mode & {"-u": 0o4000, "-g": 0o2000, "-k": 0o1000}[operator])
    if operator == "-O":
        return bool(found.inode["u"] == sys.proc["uid"])
    if operator == "-G":
        return bool(found.inode["g"] == sys.proc["gid"])
    return (
        operator == "-e"
        or kind == {"-d": "d", "-f": "f", "-h": "l", "-L": "l", "-p": "p", "-c": "c", "-b": "b", "-S": "s"}[operator]
    )


def _binary(sys: Sys, left: str, operator: str, right: str, double: bool, groups: list[str]) -> bool:
    if operator in ("=", "=="):
        return patterns.matches(right, left) if double else left == right
    if operator == "!=":
        return not patterns.matches(right, left) if double else left != right
    if operator == "<":
        return left < right
    if operator == ">":
        return left > right
    if operator == "=~":
        try:
            found = compiled(POSIX_CLASSES.sub(lambda name: CLASSES[name[1]], right)).search(left)
            if found is not None:
                groups[:] = [found[0], *(group or "" for group in found.groups())]
            return found is not None
        except re.error:
            raise ConditionFault("invalid regex") from None
    if operator in ("-nt", "-ot", "-ef"):
        a, b = sys.find(left), sys.find(right)
        if operator == "-ef":
            return a is not None and b is not None and (a.fsid, a.ino or a.path) == (b.fsid, b.ino or b.path)
        if operator == "-nt":
            return a is not None and (b is None or a.inode["mt"] > b.inode["mt"])
        return b is not None and (a is None or a.inode["mt"] < b.inode["mt"])
    x, y = _number(left), _number(right)
    return {"-eq": x == y, "-ne": x != y, "-lt": x < y, "-le": x <= y, "-gt": x > y, "-ge": x >= y}[operator]


class _Parser:
    def __init__(self, sys: Sys, words: list[str], double: bool, groups: list[str]) -> None:
        self.sys, self.words, self.at, self.double, self.groups = sys, words, 0, double, groups

    def peek(self, ahead: int = 0) -> str | None:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else None

    def either(self) -> bool:
        result = self.both()
        while self.peek() == ("||" if self.double else "-o"):
            self.at += 1
            right = self.both()
            result = result or right
        return result

    def both(self) -> bool:
        result = self.negation()
        while self.peek() == ("&&" if self.double else "-a"):
            self.at += 1
            right = self.negation()
            result = result and right
        return result

    def negation(self) -> bool:
        if self.peek() == "!" and self.peek(1) is not None and self.peek(1) not in BINARY:
            self.at += 1
            return not self.negation()
        return self.primary()

    def primary(self) -> bool:
        word = self.peek()
        if word is None:
            raise ConditionFault("argument expected")
        operator = self.peek(1)
        if operator in BINARY and self.peek(2) is not None:
            self.at += 3
            return _binary(self.sys, word, operator, self.words[self.at - 1], self.double, self.groups)
        if word == "(" and self.peek(1) is not None:
            self.at += 1
            result = self.either()
            if self.peek() != ")":
                raise ConditionFault("closing paren expected")
            self.at += 1
            return result
        if word in UNARY and operator is not None:
            self.at += 2
            return _unary(self.sys, word, operator)
        self.at += 1
        return word != ""


def evaluate(sys: Sys, words: list[str], double: bool = False, groups: list[str] | None = None) -> bool:
    """The truth of a condition; `groups` takes what =~ matched, the whole and its groups. Raises ConditionFault."""
    if not words:
        return False
    if len(words) == 1:
        return words[0] != ""
    if len(words) == 2:
        if words[0] == "!":
            return words[1] == ""
        if words[0] in UNARY:
            return _unary(sys, *words)
        raise ConditionFault(f"{words[1]}: {'argument expected' if words[1] in BINARY else 'unknown operand'}")
    parser = _Parser(sys, words, double, [] if groups is None else groups)
    result = parser.either()
    if parser.at < len(words):
        raise ConditionFault(f"{words[parser.at]}: unknown operand")
    return result


def evaluate_double(sys: Sys, words: list[str], groups: list[str] | None = None) -> bool:
    """[[ ]]: && and || inside, = and != match patterns."""
    return evaluate(sys, words, True, groups)
