"""The grammar of sed: a script -> commands with their addresses, as lists."""

from __future__ import annotations

import re
from typing import Any

from ..numerals import is_whole, saturated
from .regex import basic, extended


class SedFault(Exception):
    """What sed says about a script it does not understand."""


class Parser:
    def __init__(self, text: str, wide: bool) -> None:
        self.text, self.at, self.wide = text, 0, wide

    def regex(self, text: str) -> str:
        return extended(text) if self.wide else basic(text)

    def until(self, stop: str) -> str:
        """Text up to an unescaped delimiter, which is taken; \\delimiter stands for the delimiter."""
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\" and self.at + 1 < len(self.text):
                follow = self.text[self.at + 1]
                out.append(
                    follow
                    if follow == stop and stop not in "()|{}+?"
                    else "\n"
                    if follow == "n" and stop != "n"
                    else char + follow
                )
                self.at += 2
            elif char == stop:
                self.at += 1
                return "".join(out)
            else:
                if char == "[" and stop != "[":
                    close = self.text.find("]", self.at + 2)
                    if close > 0 and "\n" not in self.text[self.at : close]:
                        out.append(self.text[self.at : close])
                        self.at = close
                        continue
                out.append(char)
                self.at += 1
        raise SedFault("unterminated address regex")

    def blanks(self, more: str = "") -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t" + more:
            self.at += 1

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def address(self) -> list[Any] | None:
        char = self.peek()
        if is_whole(char):
            match = re.match(r"\d+", self.text[self.at :])
            if match is None:
                raise LookupError
            self.at += match.end()
            if self.peek() == "~":
                self.at += 1
                step = re.match(r"\d+", self.text[self.at :])
                self.at += step.end() if step else 0
                return ["step", saturated(match[0]), saturated(step[0]) if step else 0]
            return ["line", saturated(match[0])]
        if char == "$":
            self.at += 1
            return ["last"]
        if char in ("/", "\\") and char:
            if char == "\\":
                self.at += 1
            stop = self.peek()
            self.at += 1
            pattern = self.regex(self.until(stop))
            flags = ""
            if self.peek() == "I":
                self.at += 1
                flags = "i"
            return ["re", pattern, flags]
        if char == "+":
            match = re.match(r"\+(\d+)", self.text[self.at :])
            if match:
                self.at += match.end()
                return ["more", saturated(match[1])]
        return None

    def commands(self) -> list[list[Any]]:
        """[[first address, second, negate, name, argument], ...]; braces become jumps."""
        out: list[list[Any]] = []
        opened: list[int] = []
        while True:
            self.blanks("\n;")
            if not self.peek():
                break
            if self.peek() == "#":
                while self.peek() and self.peek() != "\n":
                    self.at += 1
                continue
            first, second, negate = self.selection()
            name = self.peek()
            self.at += 1
            if name == "{":
                opened.append(len(out))
            elif name == "}":
                if not opened:
                    raise SedFault("unmatched '}'")
                out[opened.pop()][4] = len(out)
            out.append([first, second, negate, name, self.argument(name)])
            self.blanks()
            if self.peek() not in ("", "\n", ";", "}", "#") and name not in "{}":
                raise SedFault("bad option in substitution expression" if name == "s" else f"unsupported command {self.peek()}")
        if opened:
            raise SedFault("unmatched '{'")
        return out

    def selection(self) -> tuple[list[Any] | None, list[Any] | None, bool]:
        """(first address, second, negated?): what stands before a command's name."""
        first = self.address()
        second = None
        self.blanks()
        if first is not None and self.peek() == ",":
            self.at += 1
            self.blanks()
            second = self.address()
        self.blanks()
        negate = False
        while self.peek() == "!":
            negate = True
            self.at += 1
            self.blanks()
        return first, second, negate

    def argument(self, name: str) -> Any:
        """What stands behind a command's name: a list, a text or a number, None for most."""
        if not name:
            raise SedFault("missing command")
        if name == "s":
            return self.substitution()
        if name == "y":
            stop = self.peek()
            self.at += 1
            return [self.until(stop), self.until(stop)]
        if name in "aic":
            return self.lines_of_text()
        if name in ":btTrw":
            self.blanks()
            return self.matched(r"[^\n]*" if name in "rw" else r"[^\n;}]*").strip()
        if name in "qQ":
            return saturated(self.matched(r"\s*\d*").strip())
        if name not in "{}pdDPnNgGhHx=l":
            raise SedFault(f"unsupported command {name}")
        return None

    def matched(self, pattern: str) -> str:
        """What a pattern that may match nothing takes from here."""
        match = re.match(pattern, self.text[self.at :])
        if match is None:
            raise LookupError
        self.at += match.end()
        return match[0]

    def lines_of_text(self) -> str:
        """The text of a, i and c: behind blanks, or on the next line behind a backslash."""
        self.blanks()
        if self.text.startswith("\\\n", self.at):
            self.at += 2
        elif self.peek() == "\\":
            self.at += 1
            self.blanks()
        parts: list[str] = []
        while self.peek() and self.peek() != "\n":
            if self.peek() == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                if self.peek() in "nt":
                    parts.append({"n": "\n", "t": "\t"}[self.peek()])
                    self.at += 1
                    continue
            parts.append(self.peek())
            self.at += 1
        return "".join(parts)

    def substitution(self) -> list[Any]:
        stop = self.peek()
        self.at += 1
        pattern = self.until(stop)
        replacement: list[str] = []
        while self.at < len(self.text) and self.text[self.at] != stop:
            if self.text[self.at] == "\\" and self.at + 1 < len(self.text):
                follow = self.text[self.at + 1]
                replacement.append(follow if follow == stop and follow not in "&" else "\\" + follow)
                self.at += 2
            else:
                replacement.append(self.text[self.at])
                self.at += 1
        if self.at >= len(self.text):
            raise SedFault(f"unmatched '{stop}'")
        self.at += 1
        flags = ""
        while self.peek() and self.peek() in "gpiI0123456789wem":
            if self.peek() == "w":
                break
            flags += self.peek()
            self.at += 1
        return [self.regex(pattern), "".join(replacement), flags]
