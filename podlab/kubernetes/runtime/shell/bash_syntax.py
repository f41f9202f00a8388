"""What the grammar of bash has beyond POSIX: arrays, (( )) and the word after =~."""

from __future__ import annotations

import re
from typing import Any

from .tokens import Tokens
from .words import Node, Word

ARRAY = re.compile(r"([A-Za-z_]\w*)(\+?)=")
ELEMENT = re.compile(r"([A-Za-z_]\w*)\[")
DECLARING = ("declare", "typeset", "local", "readonly", "export")
"""Commands that take arrays among their words."""


class BashSyntax(Tokens):
    """Pieces that the parser asks for; each looks first whether it is bash that reads."""

    def _double(self) -> str | None:
        """What stands in bash's (( )), taken, when the next token is its first parenthesis; None for a subshell in a subshell."""
        if not self.bash or self.text[self.pos : self.pos + 1] != "(":
            return None
        depth, end = 0, self.pos + 1
        while end < len(self.text) and (depth or self.text[end] != ")"):
            depth += {"(": 1, ")": -1}.get(self.text[end], 0)
            end += 1
        if not self.text.startswith("))", end):
            return None
        inside = self.text[self.pos + 1 : end]
        self.line += inside.count("\n")
        self.pos, self.token = end + 2, None
        return inside

    def _let(self, text: str, line: int) -> Node:
        """The command (( text ))."""
        return ("simple", [], [(("lit", "((", True),), tuple(type(self)(text, line, True).quoted(""))], [], line)

    def _array(self, word: Word, whole_only: bool = False) -> Any:
        """`name=( ... )`, `name+=( ... )` or `name[index]=value`, of which `word` is the beginning; else None."""
        head = word[0][1] if word and word[0][0] == "lit" and not word[0][2] else ""
        whole = ARRAY.fullmatch(head) if len(word) == 1 and self.text[self.pos : self.pos + 1] == "(" else None
        if whole is not None:
            self.pos += 1
            words: list[Word] = []
            self.newlines()
            while not self.is_op(")"):
                if self.peek()[0] != "word":
                    raise self.unexpected(")")
                words.append(self.take()[1])
                self.newlines()
            self.take()
            return whole[1], tuple(words), "array+" if whole[2] else "array"
        element = ELEMENT.match(head)
        if element is None or whole_only:
            return None
        parts: list[tuple[Any, ...]] = [("lit", head[element.end() :], False), *word[1:]]
        for at, part in enumerate(parts):
            if part[0] == "lit" and not part[2] and "]=" in part[1]:
                before, _, after = part[1].partition("]=")
                index = (*parts[:at], *([("lit", before, False)] if before else []))
                return element[1], (index, (*([("lit", after, False)] if after else []), *parts[at + 1 :])), "elem"
        return None

    def _regex(self) -> Word:
        """The word after =~ inside [[ ]]: parentheses and bars are ordinary in it; what is quoted stands for itself."""
        while self.text[self.pos : self.pos + 1] in (" ", "\t"):
            self.pos += 1
        return tuple(("lit", re.escape(part[1]) if part[2] and part[1] != "$" else part[1], True) if part[0] == "lit" else part
                     for part in self.word(" \t\r\n"))  # fmt: skip
