"""The shell's grammar: text -> syntax tree (nested tuples). Follows POSIX XCU 2 and busybox ash, whose error texts it gives.

Nodes: ("simple", assigns, words, redirs, line), ("pipe", [node], line), ("not", node), ("and"|"or", a, b), ("seq", [node]),
("bg", node), ("if", cond, then, else or None), ("while"|"until", cond, body), ("for", name, words or None, body, line),
("cfor", first, condition, step, body, line), ("case", word, [(patterns, body, its end)]),
("sub", body), ("func", name, body), ("redir", node, redirs, line).

A word is a tuple of parts: ("lit", text, quoted), ("var", name, op, argument, quoted), ("cmd", node, quoted), ("arith", word,
quoted), ("tilde", user), and in bash ("elem", array, index word or "@" or "*", op, argument, quoted) and ("psub", node, "<" or ">"). A redirection is
(fd, operator, word); a here-document's operator is "<<" and its word the content. bash's assigns are besides (name, word, append?)
also (name, words, "array" or "array+") and (name, (index word, word), "elem").
"""

from __future__ import annotations

from typing import Any

from .bash_syntax import DECLARING, BashSyntax
from .tokens import CASE_ENDS, END
from .words import Node, SyntaxFault, Word, plain_text


class Parser(BashSyntax):
    """A recursive descent over the characters, since what a character means depends on where the grammar stands."""

    def list_in_parentheses(self) -> Node:
        """A list up to the closing parenthesis of $( ), taken."""
        saved, self.token = self.token, None
        outer, self.pending = self.pending, []
        body = self.list_until(")")
        if not self.is_op(")"):
            raise self.unexpected(")")
        self.token = saved
        self.pending = outer
        return self._content(body)

    def program_of(self, text: str) -> Node:
        """The list that the whole of a text is (` `)."""
        inner = Parser(text, self.line, self.bash)
        body = inner.list_until()
        if inner.peek()[0] != END:
            raise inner.unexpected()
        return self._content(body)

    def _content(self, body: Node) -> Node:
        """bash's $(< FILE): a substitution that is nothing but an input from a file is what stands in it."""
        inner = body[1][0] if body[0] == "seq" and len(body[1]) == 1 else body
        if self.bash and inner[0] == "simple" and not inner[1] and not inner[2] and [tuple(one[:2]) for one in inner[3]] == [(0, "<")]:
            return ("content", inner[3], inner[4])
        return body

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
            if kind in (END, "newline") or (kind == "op" and (value == ")" or value in CASE_ENDS)) or self._closes():
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
            if kind == END or (kind == "op" and (value == ")" or value in CASE_ENDS) and (value in ends or nodes)) or self._closes():
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
        while self.is_op("|", "|&"):
            if self.take()[1] == "|&":
                nodes[-1] = ("redir", nodes[-1], [[2, ">&", (("lit", "1", False),)]], line)
            self.newlines()
            nodes.append(self.command())
        node = nodes[0] if len(nodes) == 1 else ("pipe", nodes, line)
        return ("not", node) if negate else node

    def command(self) -> Node:
        kind, value = self.peek()
        line = self.line
        if kind == "op" and value == "(":
            if (inside := self._double()) is not None:
                return self._redirected(self._let(inside, line), line)
            self.take()
            body = self.list_until(")")
            if not self.is_op(")"):
                raise self.unexpected(")")
            if body == ("seq", []):
                raise self.unexpected()
            self.take()
            return self._redirected(("sub", body), line)
        if kind == "word":
            plain = plain_text(value)
            if plain in ("if", "while", "until", "for", "case", "{"):
                self.take()
                return self._redirected(getattr(self, "_" + {"{": "group", "until": "while"}.get(plain, plain))(plain), line)
            if plain == "function":
                self.take()
                name = plain_text(self.take()[1])
                if self.is_op("("):
                    self.take()
                    self.expect(")")
                self.newlines()
                return ("func", name, self.command())
            if plain in ("then", "else", "elif", "fi", "do", "done", "esac", "}"):
                raise self.unexpected()
        elif kind not in ("io",) and not (kind == "op" and (value[0] in "<>" or value.startswith("&>"))):
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
        elif kind == "op" and (value[0] in "<>" or value.startswith("&>")):
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
        if operator == "<<<":
            item[1:] = ["<<", (*word, ("lit", "\n", True))]
        if operator.startswith("&>"):
            item[1] = operator[1:]
            redirs.append([2, ">&", (("lit", "1", False),)])
        return True

    def _simple(self, line: int) -> Node:
        assigns: list[Any] = []
        words: list[Word] = []
        redirs: list[Any] = []
        declared: list[Any] = []
        while True:
            inside = bool(words) and plain_text(words[0]) == "[[" and plain_text(words[-1]) != "]]"
            kind, value = self.peek()
            if inside and kind == "op" and value in (("&&", "||", "(", ")", "<", ">") if self.bash else ("&&", "||", "(", ")")):
                self.take()
                words.append((("lit", value, True),))
                continue
            if self._redirection(redirs):
                continue
            kind, value = self.peek()
            if kind == "word":
                self.take()
                declares = bool(words) and plain_text(words[0]) in DECLARING
                array = self._array(value, declares) if self.bash and (declares or not words) else None
                if array is not None:
                    (declared if declares else assigns).append(array)
                    if declares:
                        words.append((("lit", array[0], False),))
                    continue
                if words and plain_text(words[0]) == "[[" and plain_text(value) == "=~":
                    words += (value, self._regex())
                    continue
                assign = None if words else _assignment(value)
                if assign is not None:
                    assigns.append(assign)
                else:
                    words.append(value)
                continue
            if kind == "op" and value == "(" and len(words) == 1 and not assigns and not redirs:
                name = plain_text(words[0])
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
            if not declared:
                return ("simple", assigns, words, redirs, line)
            parts = [("simple", assigns, words, redirs, line), ("simple", declared, [], [], line)]
            constant = plain_text(words[0]) == "readonly" or (("lit", "-r", False),) in words
            return ("seq", parts[::-1] if constant else parts)

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
        if kind == "op" and value == "(" and (inside := self._double()) is not None:
            return self._counted(inside, line)
        name = plain_text(value) if kind == "word" else None
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

    def _counted(self, inside: str, line: int) -> Node:
        """The rest of bash's for (( first; condition; step ))."""
        parts = inside.split(";")
        if len(parts) != 3:
            raise self.fail("arithmetic expression required")
        if self.is_op(";"):
            self.take()
        self.newlines()
        close = "}" if self.is_word("{") else "done"
        self.expect("{" if close == "}" else "do")
        body = self.list_until(close)
        self.expect(close)
        return ("cfor", *(self._let(part, line) if part.strip() else None for part in parts), body, line)

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
            end = ";;"
            if self.is_op(*CASE_ENDS):
                end = self.take()[1]
            elif not self.is_word("esac"):
                raise self.unexpected(";;")
            items.append((patterns, body, end))
        self.expect("esac")
        return ("case", word, items)

    def _case_body(self) -> Node:
        nodes: list[Node] = []
        while True:
            self.newlines()
            if self.is_op(*CASE_ENDS) or self.is_word("esac") or self.peek()[0] == END:
                break
            nodes.append(self._and_or_list())
        return ("seq", nodes)

    def _group(self, _: str) -> Node:
        body = self.list_until("}")
        self.expect("}")
        return body if body[0] == "seq" else ("seq", [body])


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
