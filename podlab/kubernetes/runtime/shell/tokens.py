"""The shell's tokens: operators, numbers before a redirection, newlines and words; a here-document is read when its line has ended."""

from __future__ import annotations

from typing import Any

from ..numerals import is_whole, saturated
from .words import SyntaxFault, Words, plain_text


class Tokens(Words):
    """Gives the tokens of a text one at a time, the next one to look at first (`peek`) and then to take."""

    def unexpected(self, expecting: str = "") -> SyntaxFault:
        kind, value = self.peek()
        if kind == END:
            name, incomplete = "end of file", True
        elif kind == "newline":
            name, incomplete = "newline", False
        elif kind == "op":
            name, incomplete = ("redirection" if value[0] in "<>" or value.startswith("&>") else f'"{value}"'), False
        elif kind == "io":
            name, incomplete = "redirection", False
        else:
            plain = plain_text(value)
            name, incomplete = (f'"{plain}"' if plain in RESERVED else "word"), False
        return self.fail(f"unexpected {name}" + (f' (expecting "{expecting}")' if expecting else ""), incomplete)

    def peek(self) -> tuple[str, Any]:
        if self.token is None:
            self.token = self._next()
        return self.token

    def take(self) -> tuple[str, Any]:
        token = self.peek()
        self.token = None
        if token[0] == "newline":
            self._here_documents()
        return token

    def _next(self) -> tuple[str, Any]:
        text, size = self.text, len(self.text)
        while self.pos < size:
            char = text[self.pos]
            if char in " \t\r":
                self.pos += 1
            elif char == "\\" and text[self.pos + 1 : self.pos + 2] == "\n":
                self.pos += 2
                self.line += 1
            elif char == "#":
                end = text.find("\n", self.pos)
                self.pos = size if end < 0 else end
            else:
                break
        if self.pos >= size:
            return END, None
        char = text[self.pos]
        if char == "\n":
            self.pos += 1
            self.line += 1
            return "newline", None
        if is_whole(char):
            end = self.pos
            while end < size and is_whole(text[end]):
                end += 1
            if end < size and text[end] in "<>":
                number = saturated(text[self.pos : end])
                self.pos = end
                return "io", (number, self._operator())
        if char in "&|;<>()" and not self.substitutes():
            return "op", self._operator()
        return "word", self.word()

    def _operator(self) -> str:
        for operator in BASH_OPERATORS if self.bash else OPERATORS:
            if self.text.startswith(operator, self.pos):
                self.pos += len(operator)
                return operator
        raise self.fail("unexpected character")

    def is_word(self, *names: str) -> bool:
        """Is the next token one of these reserved words?"""
        kind, value = self.peek()
        return kind == "word" and plain_text(value) in names

    def is_op(self, *operators: str) -> bool:
        kind, value = self.peek()
        return kind == "op" and value in operators

    def expect(self, name: str) -> None:
        if not (self.is_word(name) or self.is_op(name)):
            raise self.unexpected(name)
        self.take()

    def newlines(self) -> None:
        while self.peek()[0] == "newline":
            self.take()

    # Here-documents.
    def _here_documents(self) -> None:
        for redirection in self.pending:
            _, operator, word = redirection
            delimiter = "".join(part[1] for part in word if part[0] == "lit")
            literal = any(part[0] == "lit" and part[2] for part in word)
            lines: list[str] = []
            while True:
                if self.pos >= len(self.text):
                    self.unclosed_here = True
                    break
                end = self.text.find("\n", self.pos)
                line = self.text[self.pos :] if end < 0 else self.text[self.pos : end]
                self.pos = len(self.text) if end < 0 else end + 1
                self.line += 1
                if operator == "<<-":
                    line = line.lstrip("\t")
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            redirection[1] = "<<"
            redirection[2] = (("lit", body, True),) if literal else tuple(type(self)(body, self.line, self.bash).quoted(""))
        self.pending = []


BASH_OPERATORS: tuple[str, ...] = ("&&", "||", ";;&", ";;", ";&", "<<<", "<<-", "<<", ">>", "<&", ">&", "<>", ">|", "&>>", "&>", "|&", *";&|()<>")
CASE_ENDS = (";;", ";&", ";;&")
"""What ends a clause of `case`; in bash the next body may follow (;&), or the next patterns be looked at (;;&)."""
OPERATORS: tuple[str, ...] = ("&&", "||", ";;", "<<-", "<<", ">>", "<&", ">&", "<>", ">|", "&>", ";", "&", "|", "(", ")", "<", ">")
RESERVED = tuple("if then else elif fi do done case esac while until for { } ! in function".split())
END = "\0end"
