"""The shell's grammar: text -> syntax tree (nested tuples). Follows POSIX XCU 2 and busybox ash, whose error texts it gives.

Nodes: ("simple", assigns, words, redirs, line), ("pipe", [node], line), ("not", node), ("and"|"or", a, b), ("seq", [node]),
("bg", node), ("if", cond, then, else or None), ("while"|"until", cond, body), ("for", name, words or None, body, line), ("case",
word, [(patterns, body)]), ("sub", body), ("func", name, body), ("redir", node, redirs, line).

A word is a tuple of parts: ("lit", text, quoted), ("var", name, op, argument, quoted), ("cmd", node, quoted), ("arith", word,
quoted), ("tilde", user), and in bash ("elem", array, index word or "@" or "*", op, argument, quoted). A redirection is
(fd, operator, word); a here-document's operator is "<<" and its word the content. bash's assigns are besides (name, word, append?)
also (name, words, "array" or "array+") and (name, (index word, word), "elem").
"""

from __future__ import annotations

import re
from typing import Any

Node = tuple[Any, ...]
Word = tuple[tuple[Any, ...], ...]

OPERATORS = ("&&", "||", ";;", "<<-", "<<", ">>", "<&", ">&", "<>", ">|", "&>", ";", "&", "|", "(", ")", "<", ">")
RESERVED = (
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "do",
    "done",
    "case",
    "esac",
    "while",
    "until",
    "for",
    "{",
    "}",
    "!",
    "in",
    "function",
)
SPECIAL = "@*#?-$!"
ARRAY = re.compile(r"([A-Za-z_]\w*)(\+?)=")
ELEMENT = re.compile(r"([A-Za-z_]\w*)\[")
END = "\0end"


class SyntaxFault(Exception):
    """What ash prints after `syntax error: `. `incomplete`: more input could mend it (an interactive shell asks for more)."""

    def __init__(self, text: str, line: int, incomplete: bool = False) -> None:
        super().__init__(text)
        self.text, self.line, self.incomplete = text, line, incomplete


class Parser:
    """A recursive descent over the characters, since what a character means depends on where the grammar stands."""

    def __init__(self, text: str, line: int = 1, bash: bool = False) -> None:
        self.text, self.pos, self.line = text, 0, line
        self.bash = bash  # arrays too
        self.pending: list[list[Any]] = []  # here-documents whose bodies come after this line
        self.unclosed_here = False  # the text ended inside a here-document
        self.token: tuple[str, Any] | None = None

    # Characters and tokens.
    def fail(self, text: str, incomplete: bool = False) -> SyntaxFault:
        return SyntaxFault(text, self.line, incomplete)

    def unexpected(self, expecting: str = "") -> SyntaxFault:
        kind, value = self.peek()
        if kind == END:
            name, incomplete = "end of file", True
        elif kind == "newline":
            name, incomplete = "newline", False
        elif kind == "op":
            name, incomplete = ("redirection" if value[0] in "<>" or value == "&>" else f'"{value}"'), False
        elif kind == "io":
            name, incomplete = "redirection", False
        else:
            plain = _plain(value)
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
        if char.isdigit():
            end = self.pos
            while end < size and text[end].isdigit():
                end += 1
            if end < size and text[end] in "<>":
                number = int(text[self.pos : end])
                self.pos = end
                return "io", (number, self._operator())
        if char in "&|;<>()":
            return "op", self._operator()
        return "word", self.word()

    def _operator(self) -> str:
        for operator in OPERATORS:
            if self.text.startswith(operator, self.pos):
                self.pos += len(operator)
                return operator
        raise self.fail("unexpected character")

    def is_word(self, *names: str) -> bool:
        """Is the next token one of these reserved words?"""
        kind, value = self.peek()
        return kind == "word" and _plain(value) in names

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

    # Words.
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
                break
            if char == "\\":
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
        from .escapes import backslashes

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
            body = self._inner()
            return "cmd", body, quoted
        if char == "{":
            self.pos += 1
            return self._brace(quoted)
        if char and (char in SPECIAL or char.isdigit()):
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

    def _inner(self) -> Node:
        """A list up to the closing parenthesis of $( ), taken."""
        saved, self.token = self.token, None
        outer, self.pending = self.pending, []
        body = self.list_until(")")
        if not self.is_op(")"):
            raise self.unexpected(")")
        self.token = saved
        self.pending = outer
        return body

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
        inner = Parser("".join(out), self.line, self.bash)
        body = inner.list_until()
        if inner.peek()[0] != END:
            raise inner.unexpected()
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
        inner = Parser(text[start:end], self.line, self.bash)
        word = tuple(inner.quoted(""))
        self.line += text.count("\n", self.pos, end)
        self.pos = end + 2
        return "arith", word, quoted

    def _brace(self, quoted: bool) -> tuple[Any, ...]:
        """${...}; `pos` is after the brace."""
        text = self.text
        length = False
        keys = self.bash and text.startswith("!", self.pos) and text[self.pos + 1 : self.pos + 2].isalpha()
        self.pos += keys
        if text.startswith("#", self.pos) and text[self.pos + 1 : self.pos + 2] not in (
            "}",
            "",
            "#",
            "%",
            ":",
            "-",
            "=",
            "?",
            "+",
        ):
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
        elif keys:
            raise self.fail("bad substitution")
        part = self._operation(name, length, quoted, index is None)
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

    def _operation(self, name: str, length: bool, quoted: bool, plain: bool) -> tuple[Any, ...]:
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
        for candidate in (":-", ":=", ":?", ":+", "##", "%%", "//", "-", "=", "?", "+", "#", "%", "/", ":"):
            if text.startswith(candidate, self.pos):
                op = candidate
                break
        if not op:
            raise self.fail("bad substitution")
        self.pos += len(op)
        if op in ("/", "//"):
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
            argument = self._argument(quoted and op[-1] not in "#%", "}")
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
            redirection[2] = (("lit", body, True),) if literal else tuple(Parser(body, self.line, self.bash).quoted(""))
        self.pending = []

    # Commands.
    def program(self) -> tuple[list[Node], SyntaxFault | None]:
        """All complete commands of the text, and the fault that ended them if any: what stands before a fault still runs."""
        commands: list[Node] = []
        try:
            while True:
                self.newlines()
                if self.peek()[0] == END:
                    return commands, None
                commands.append(self.complete())
        except SyntaxFault as fault:
            return commands, fault

    def complete(self) -> Node:
        """One complete command: a list up to a newline."""
        node = self._and_or_list()
        kind, _ = self.peek()
        if kind == "newline":
            self.take()
        elif kind != END:
            raise self.unexpected()
        elif self.pending:
            self._here_documents()
        return node

    def _and_or_list(self) -> Node:
        nodes: list[Node] = []
        while True:
            node = self.and_or()
            if self.is_op("&"):
                self.take()
                nodes.append(("bg", node))
            elif self.is_op(";"):
                self.take()
                nodes.append(node)
            else:
                nodes.append(node)
                break
            kind, value = self.peek()
            if kind in (END, "newline") or (kind == "op" and value in (")", ";;")) or self._closes():
                break
        return nodes[0] if len(nodes) == 1 else ("seq", nodes)

    def _closes(self) -> bool:
        return self.is_word("then", "else", "elif", "fi", "do", "done", "esac", "}")

    def list_until(self, *ends: str) -> Node:
        """A compound list up to one of the closing words or operators (not taken) or the end of the text."""
        nodes: list[Node] = []
        while True:
            self.newlines()
            kind, value = self.peek()
            if kind == END or (kind == "op" and value in (")", ";;") and (value in ends or nodes)) or self._closes():
                break
            nodes.append(self._and_or_list())
            kind, _ = self.peek()
            if kind != "newline":
                break
        if not nodes and ends and ")" not in ends:
            raise self.unexpected(ends[0] if self.peek()[0] == END else "")
        return nodes[0] if len(nodes) == 1 else ("seq", nodes)

    def and_or(self) -> Node:
        node = self.pipeline()
        while self.is_op("&&", "||"):
            operator = self.take()[1]
            self.newlines()
            node = ("and" if operator == "&&" else "or", node, self.pipeline())
        return node

    def pipeline(self) -> Node:
        negate = False
        while self.is_word("!"):
            self.take()
            negate = not negate
        line = self.line
        nodes = [self.command()]
        while self.is_op("|"):
            self.take()
            self.newlines()
            nodes.append(self.command())
        node = nodes[0] if len(nodes) == 1 else ("pipe", nodes, line)
        return ("not", node) if negate else node

    def command(self) -> Node:
        kind, value = self.peek()
        line = self.line
        if kind == "op" and value == "(":
            self.take()
            body = self.list_until(")")
            if not self.is_op(")"):
                raise self.unexpected(")")
            if body == ("seq", []):
                raise self.unexpected()
            self.take()
            return self._redirected(("sub", body), line)
        if kind == "word":
            plain = _plain(value)
            if plain in ("if", "while", "until", "for", "case", "{"):
                self.take()
                return self._redirected(getattr(self, "_" + {"{": "group", "until": "while"}.get(plain, plain))(plain), line)
            if plain == "function":
                self.take()
                name = _plain(self.take()[1])
                if self.is_op("("):
                    self.take()
                    self.expect(")")
                self.newlines()
                return ("func", name, self.command())
            if plain in ("then", "else", "elif", "fi", "do", "done", "esac", "}"):
                raise self.unexpected()
        elif kind not in ("io",) and not (kind == "op" and (value[0] in "<>" or value == "&>")):
            raise self.unexpected()
        return self._simple(line)

    def _redirected(self, node: Node, line: int) -> Node:
        redirs: list[Any] = []
        while self._redirection(redirs):
            pass
        return ("redir", node, redirs, line) if redirs else node

    def _redirection(self, redirs: list[Any]) -> bool:
        kind, value = self.peek()
        if kind == "io":
            fd, operator = value
        elif kind == "op" and (value[0] in "<>" or value == "&>"):
            operator = value
            fd = 0 if value[0] == "<" else 1
        else:
            return False
        self.take()
        kind, word = self.peek()
        if kind != "word":
            raise self.unexpected()
        item = [fd, operator, word]
        redirs.append(item)
        if operator in ("<<", "<<-"):
            self.pending.append(item)
        self.take()
        if operator == "&>":
            item[1] = ">"
            redirs.append([2, ">&", (("lit", "1", False),)])
        return True

    def _simple(self, line: int) -> Node:
        assigns: list[Any] = []
        words: list[Word] = []
        redirs: list[Any] = []
        while True:
            if self._redirection(redirs):
                continue
            kind, value = self.peek()
            if (
                words
                and _plain(words[0]) == "[["
                and _plain(words[-1]) != "]]"
                and kind == "op"
                and value in ("&&", "||", "(", ")")
            ):
                self.take()
                words.append((("lit", value, True),))
                continue
            if kind == "word":
                self.take()
                array = self._array(value) if self.bash and not words else None
                if array is not None:
                    assigns.append(array)
                    continue
                if words and _plain(words[0]) == "[[" and _plain(value) == "=~":
                    words += (value, self._regex())
                    continue
                assign = None if words else _assignment(value)
                if assign is not None:
                    assigns.append(assign)
                else:
                    words.append(value)
                continue
            if kind == "op" and value == "(" and len(words) == 1 and not assigns and not redirs:
                name = _plain(words[0])
                self.take()
                if not self.is_op(")"):
                    raise self.unexpected(")")
                if name is None or not _is_name(name):
                    raise self.fail("bad function name")
                self.take()
                self.newlines()
                return ("func", name, self.command())
            if not words and not assigns and not redirs:
                raise self.unexpected()
            if kind == "op" and value == "(":
                raise self.unexpected()
            return ("simple", assigns, words, redirs, line)

    def _array(self, word: Word) -> Any:
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
        if element is None:
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

    def _if(self, _: str) -> Node:
        condition = self.list_until("then")
        self.expect("then")
        body = self.list_until("fi", "else", "elif")
        if self.is_word("elif"):
            self.take()
            return ("if", condition, body, self._if(""))
        otherwise = None
        if self.is_word("else"):
            self.take()
            otherwise = self.list_until("fi")
        self.expect("fi")
        return ("if", condition, body, otherwise)

    def _while(self, kind: str) -> Node:
        condition = self.list_until("do")
        self.expect("do")
        body = self.list_until("done")
        self.expect("done")
        return (kind, condition, body)

    def _for(self, _: str) -> Node:
        line = self.line
        kind, value = self.peek()
        name = _plain(value) if kind == "word" else None
        if name is None or not _is_name(name):
            raise self.fail("bad for loop variable")
        self.take()
        self.newlines()
        words: list[Word] | None = None
        if self.is_word("in"):
            self.take()
            words = []
            while self.peek()[0] == "word":
                words.append(self.take()[1])
            if not self.is_op(";") and self.peek()[0] != "newline":
                raise self.unexpected()
            self.take()
        elif self.is_op(";"):
            self.take()
        self.newlines()
        self.expect("do")
        body = self.list_until("done")
        self.expect("done")
        return ("for", name, words, body, line)

    def _case(self, _: str) -> Node:
        kind, word = self.peek()
        if kind != "word":
            raise self.unexpected()
        self.take()
        self.newlines()
        self.expect("in")
        items: list[Any] = []
        while True:
            self.newlines()
            if self.is_word("esac"):
                break
            if self.is_op("("):
                self.take()
            patterns: list[Word] = []
            while True:
                kind, pattern = self.peek()
                if kind != "word":
                    raise self.unexpected(")" if kind == END else "")
                patterns.append(pattern)
                self.take()
                if not self.is_op("|"):
                    break
                self.take()
            self.expect(")")
            body = self._case_body()
            items.append((patterns, body))
            if self.is_op(";;"):
                self.take()
            elif not self.is_word("esac"):
                raise self.unexpected(";;")
        self.expect("esac")
        return ("case", word, items)

    def _case_body(self) -> Node:
        nodes: list[Node] = []
        while True:
            self.newlines()
            if self.is_op(";;") or self.is_word("esac") or self.peek()[0] == END:
                break
            nodes.append(self._and_or_list())
        return ("seq", nodes)

    def _group(self, _: str) -> Node:
        body = self.list_until("}")
        self.expect("}")
        return body if body[0] == "seq" else ("seq", [body])


def _plain(word: Any) -> str | None:
    """The text of a word that is one unquoted literal, else None."""
    if isinstance(word, tuple) and len(word) == 1 and word[0][0] == "lit" and not word[0][2]:
        return str(word[0][1])
    return None


def _is_name(text: str) -> bool:
    return bool(text) and (text[0].isalpha() or text[0] == "_") and all(char.isalnum() or char in "_-." for char in text)


def _assignment(word: Word) -> tuple[str, Word, bool] | None:
    """(name, value, append?) for `name=value`, else None. A ~ at the value's beginning is a home directory."""
    if not word or word[0][0] != "lit" or word[0][2]:
        return None
    name, equals, rest = word[0][1].partition("=")
    append = name.endswith("+")
    name = name.rstrip("+") if append else name
    if not equals or not name or not (name[0].isalpha() or name[0] == "_") or not all(c.isalnum() or c == "_" for c in name):
        return None
    head: list[tuple[Any, ...]] = []
    if rest == "~" or rest.startswith("~/"):
        head.append(("tilde", ""))
        rest = rest[1:]
    if rest:
        head.append(("lit", rest, False))
    return name, (*head, *word[1:]), append
