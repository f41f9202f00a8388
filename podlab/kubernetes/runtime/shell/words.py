"""The words of the shell's language: quotes, $name, ${name op word}, $( ), ` `, $(( )) and ~, read from the characters into parts.

A word is a tuple of parts; syntax.py tells their shapes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ..numerals import is_whole
from .escapes import backslashes

Node = tuple[Any, ...]
Word = tuple[tuple[Any, ...], ...]
SPECIAL = "@*#?-$!"
CASES = ("^^", ",,", "^", ",", "/#", "/%")
"""bash's ${name^^pattern} and its kin, the case of letters; and what is replaced at the beginning or the end alone."""


class SyntaxFault(Exception):
    """What ash prints after `syntax error: `. `incomplete`: more input could mend it (an interactive shell asks for more)."""

    def __init__(self, text: str, line: int, incomplete: bool = False) -> None:
        super().__init__(text)
        self.text, self.line, self.incomplete = text, line, incomplete


def plain_text(word: Any) -> str | None:
    """The text of a word that is one unquoted literal, else None."""
    if isinstance(word, tuple) and len(word) == 1 and word[0][0] == "lit" and not word[0][2]:
        return str(word[0][1])
    return None


class Words(ABC):
    """Reads words from `text` at `pos`. What stands inside a command substitution is the grammar's, which gives the two calls for it."""

    def __init__(self, text: str, line: int = 1, bash: bool = False) -> None:
        self.text, self.pos, self.line = text, 0, line
        self.bash = bash  # arrays too
        self.pending: list[list[Any]] = []  # here-documents whose bodies come after this line
        self.unclosed_here = False  # the text ended inside a here-document
        self.token: tuple[str, Any] | None = None

    def fail(self, text: str, incomplete: bool = False) -> SyntaxFault:
        return SyntaxFault(text, self.line, incomplete)

    @abstractmethod
    def list_in_parentheses(self) -> Node:
        """A list up to the closing parenthesis of $( ), taken."""

    @abstractmethod
    def program_of(self, text: str) -> Node:
        """The list that the whole of a text is (` `)."""

    def substitutes(self) -> bool:
        """Is this bash's <( ) or >( )?"""
        return self.bash and self.text[self.pos : self.pos + 2] in ("<(", ">(")

    def word(self, stop: str = " \t\r\n;&|<>()") -> Word:
        """A word up to an unquoted character of `stop`."""
        parts: list[tuple[Any, ...]] = []
        plain: list[str] = []
        text, size = self.text, len(self.text)

        def flush() -> None:
            if plain:
                parts.append(("lit", "".join(plain), False))
                plain.clear()

        start = self.pos
        while self.pos < size:
            char = text[self.pos]
            if char in stop:
                if not ("<" in stop and self.substitutes()):
                    break
                flush()
                self.pos += 2
                parts.append(("psub", self.list_in_parentheses(), char))
            elif char == "\\":
                follow = text[self.pos + 1 : self.pos + 2]
                self.pos += 2
                if follow == "\n":
                    self.line += 1
                    continue
                flush()
                parts.append(("lit", follow or "\\", True))
            elif char == "'":
                flush()
                end = text.find("'", self.pos + 1)
                if end < 0:
                    raise self.fail("unterminated quoted string", True)
                self.line += text.count("\n", self.pos, end)
                parts.append(("lit", text[self.pos + 1 : end], True))
                self.pos = end + 1
            elif char == '"':
                flush()
                self.pos += 1
                parts.extend(self.quoted('"'))
                self.pos += 1
            elif char == "$":
                if text.startswith("$'", self.pos):
                    flush()
                    parts.append(("lit", self._dollar_quote(), True))
                    continue
                flush()
                parts.append(self.dollar(False))
            elif char == "`":
                flush()
                parts.append(self.backquote(False))
            elif char == "~" and self.pos == start:
                end = self.pos + 1
                while end < size and (text[end].isalnum() or text[end] in "_-."):
                    end += 1
                if end >= size or text[end] in "/" + stop:
                    parts.append(("tilde", text[self.pos + 1 : end]))
                    self.pos = end
                else:
                    plain.append(char)
                    self.pos += 1
            else:
                if char == "\n":
                    self.line += 1
                plain.append(char)
                self.pos += 1
        flush()
        return tuple(parts)

    def _dollar_quote(self) -> str:

        end = self.pos + 2
        while end < len(self.text) and self.text[end] != "'":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise self.fail("unterminated quoted string", True)
        raw = self.text[self.pos + 2 : end]
        self.pos = end + 1
        return backslashes(raw)[0]

    def quoted(self, stop: str) -> list[tuple[Any, ...]]:
        """What is inside double quotes, up to `stop` (not taken). `stop` "" is the end of the text (here-documents)."""
        parts: list[tuple[Any, ...]] = []
        plain: list[str] = []
        text, size = self.text, len(self.text)
        while True:
            if self.pos >= size:
                if stop:
                    raise self.fail("unterminated quoted string", True)
                break
            char = text[self.pos]
            if stop and char == stop:
                break
            if char == "\\":
                follow = text[self.pos + 1 : self.pos + 2]
                if follow == "\n":
                    self.line += 1
                elif follow and follow in "$`\\" + (stop if stop in '"}' else ""):
                    plain.append(follow)
                else:
                    plain.append("\\" + follow)
                self.pos += 2
            elif char in "$`":
                if plain:
                    parts.append(("lit", "".join(plain), True))
                    plain.clear()
                parts.append(self.dollar(True) if char == "$" else self.backquote(True))
            else:
                if char == "\n":
                    self.line += 1
                plain.append(char)
                self.pos += 1
        if plain or not parts:
            parts.append(("lit", "".join(plain), True))
        return parts

    def dollar(self, quoted: bool) -> tuple[Any, ...]:
        """An expansion; `pos` is at its $."""
        text = self.text
        self.pos += 1
        char = text[self.pos : self.pos + 1]
        if text.startswith("((", self.pos):
            saved = self.pos, self.line
            try:
                return self._arithmetic(quoted)
            except SyntaxFault as fault:
                if fault.incomplete or "missing '))'" in fault.text:
                    raise
                self.pos, self.line = saved
        if char == "(":
            self.pos += 1
            body = self.list_in_parentheses()
            return "cmd", body, quoted
        if char == "{":
            self.pos += 1
            return self._brace(quoted)
        if char and (char in SPECIAL or is_whole(char)):
            self.pos += 1
            return "var", char, "", None, quoted
        end = self.pos
        while end < len(text) and (text[end].isalnum() or text[end] == "_") and text[end].isascii():
            end += 1
        if end == self.pos:
            return "lit", "$", quoted
        name = text[self.pos : end]
        self.pos = end
        return "var", name, "", None, quoted

    def backquote(self, quoted: bool) -> tuple[Any, ...]:
        text = self.text
        end = self.pos + 1
        out: list[str] = []
        while end < len(text) and text[end] != "`":
            if text[end] == "\\" and text[end + 1 : end + 2] in ("`", "$", "\\") + (('"',) if quoted else ()):
                out.append(text[end + 1])
                end += 2
            else:
                out.append(text[end])
                end += 1
        if end >= len(text):
            raise self.fail("EOF in backquote substitution", True)
        body = self.program_of("".join(out))
        self.line += text.count("\n", self.pos, end)
        self.pos = end + 1
        return "cmd", body, quoted

    def _arithmetic(self, quoted: bool) -> tuple[Any, ...]:
        """$(( ... )); the parentheses must balance."""
        text = self.text
        start = self.pos + 2
        depth, end = 0, start
        while end < len(text):
            char = text[end]
            if char == "(":
                depth += 1
            elif char == ")":
                if depth == 0:
                    break
                depth -= 1
            end += 1
        if end >= len(text):
            raise self.fail("missing '))'", True)
        if text[end + 1 : end + 2] != ")":
            raise self.fail("not arithmetic")
        word = tuple(type(self)(text[start:end], self.line, self.bash).quoted(""))
        self.line += text.count("\n", self.pos, end)
        self.pos = end + 2
        return "arith", word, quoted

    def _brace(self, quoted: bool) -> tuple[Any, ...]:
        """${...}; `pos` is after the brace."""
        text = self.text
        length = False
        keys = self.bash and text.startswith("!", self.pos) and text[self.pos + 1 : self.pos + 2].replace("_", "a").isalnum()
        self.pos += keys
        if text.startswith("#", self.pos) and text[self.pos + 1 : self.pos + 2] not in ("}", "", "#", "%", ":", "-", "=", "?", "+"):
            length = True
            self.pos += 1
        char = text[self.pos : self.pos + 1]
        end = self.pos
        if char and char in SPECIAL:
            end += 1
        else:
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
        name = text[self.pos : end]
        self.pos = end
        if not name:
            raise self.fail("bad substitution")
        index: Any = None
        if self.bash and text[self.pos : self.pos + 1] == "[":
            index = self._index(quoted)
        elif keys and text[self.pos : self.pos + 2] in ("*}", "@}"):
            self.pos += 2
            return "var", name, "names", None, quoted
        elif keys:
            name = "!" + name
        part = self._operation(name, length, quoted)
        if index is None:
            return part
        _, _, op, argument, _ = part
        return "elem", name, index, "keys" if keys else op, argument, quoted

    def _index(self, quoted: bool) -> Any:
        """[word], [@] or [*] after an array's name; `pos` is at the bracket."""
        self.pos += 1
        for sign in "@*":
            if self.text.startswith(sign + "]", self.pos):
                self.pos += 2
                return sign
        word = self._argument(quoted, "]")
        if self.text[self.pos : self.pos + 1] != "]":
            raise self.fail("bad substitution")
        self.pos += 1
        return word

    def _operation(self, name: str, length: bool, quoted: bool) -> tuple[Any, ...]:
        """The rest of ${name...} after the name."""
        text = self.text
        if length:
            if text[self.pos : self.pos + 1] != "}":
                raise self.fail("bad substitution")
            self.pos += 1
            return "var", name, "len", None, quoted
        rest = text[self.pos : self.pos + 2]
        if rest[:1] == "}":
            self.pos += 1
            return "var", name, "", None, quoted
        if rest == "":
            raise self.fail('unexpected end of file (expecting "}")', True)
        op = ""
        if self.bash and rest[0] == "@" and rest[1:] in "QUuLPEA" and text[self.pos + 2 : self.pos + 3] == "}":
            self.pos += 3
            return "var", name, rest, None, quoted
        for candidate in (":-", ":=", ":?", ":+", "##", "%%", "//", *(CASES if self.bash else ()), "-", "=", "?", "+", "#", "%", "/", ":"):
            if text.startswith(candidate, self.pos):
                op = candidate
                break
        if not op:
            raise self.fail("bad substitution")
        self.pos += len(op)
        if op[0] == "/":
            pattern = self._argument(quoted, "/}")
            replacement: Word = ()
            if text[self.pos : self.pos + 1] == "/":
                self.pos += 1
                replacement = self._argument(quoted, "}")
            argument: Any = (pattern, replacement)
        elif op == ":":
            offset = self._argument(quoted, ":}")
            count = None
            if text[self.pos : self.pos + 1] == ":":
                self.pos += 1
                count = self._argument(quoted, "}")
            argument = (offset, count)
        else:
            argument = self._argument(quoted and op[-1] not in "#%^,", "}")
        if text[self.pos : self.pos + 1] != "}":
            raise self.fail('unexpected end of file (expecting "}")', True)
        self.pos += 1
        return "var", name, op, argument, quoted

    def _argument(self, quoted: bool, stop: str) -> Word:
        """A word inside ${ }, where blanks are ordinary and, in double quotes, single quotes are too."""
        if not quoted:
            return self.word(stop)
        parts: list[tuple[Any, ...]] = []
        while self.pos < len(self.text) and self.text[self.pos] not in stop:
            if self.text[self.pos] == '"':
                self.pos += 1
                parts.extend(self.quoted('"'))
                self.pos += 1
                continue
            start = self.pos
            char = self.text[start]
            if char == "$":
                parts.append(self.dollar(True))
            elif char == "`":
                parts.append(self.backquote(True))
            elif char == "\\":
                follow = self.text[start + 1 : start + 2]
                parts.append(("lit", follow if follow in '$`"\\}' else "\\" + follow, True))
                self.pos += 2
            else:
                while self.pos < len(self.text) and self.text[self.pos] not in stop + '$`"\\':
                    self.pos += 1
                parts.append(("lit", self.text[start : self.pos], True))
        return tuple(parts)
