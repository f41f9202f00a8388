"""The grammar of awk: program text -> rules and functions, as nested tuples."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..shell.escapes import backslashes
from .awk_tokens import FUNCTIONS, AwkFault, Tokens

Node = tuple[Any, ...]


class Parser(Tokens):

    def program(self) -> list[tuple[str, Any, Any]]:
        """[(kind, pattern, action)]: kind is BEGIN, END, each or range."""
        rules: list[tuple[str, Any, Any]] = []
        self.newlines(";")
        while self.at < len(self.tokens):
            if self.peek() in ("function", "func"):
                self.take()
                name = self.take()
                self.expect("(")
                names: list[str] = []
                while not self.accept(")"):
                    names.append(self.take())
                    self.accept(",")
                self.newlines()
                self.functions[name] = (names, self.block())
            elif self.peek() in ("BEGIN", "END"):
                kind = self.take()
                self.newlines()
                rules.append((kind, None, self.block()))
            elif self.peek() == "{":
                rules.append(("each", None, self.block()))
            else:
                pattern: Any = self.expression()
                kind = "each"
                if self.accept(","):
                    self.newlines()
                    pattern, kind = (pattern, self.expression()), "range"
                rules.append((kind, pattern, self.block() if self.peek() == "{" else None))
            self.newlines(";")
        return rules

    def block(self) -> Node:
        self.expect("{")
        body: list[Node] = []
        self.newlines(";")
        while not self.accept("}"):
            body.append(self.statement())
            self.newlines(";")
        return ("block", body)

    def simple_end(self) -> None:
        if self.peek() in (";", "\n"):
            self.at += 1
        elif self.peek() not in ("}", ""):
            raise AwkFault("cmd. line:1: Unexpected token")

    def condition(self) -> Node:
        """An expression in parentheses."""
        self.expect("(")
        condition = self.expression()
        self.expect(")")
        return condition

    def statement(self) -> Node:
        word = self.peek()
        if word == "{":
            return self.block()
        if word == ";":
            self.take()
            return ("block", [])
        if word == "if":
            return self.if_statement()
        if word == "while":
            self.take()
            condition = self.condition()
            self.newlines()
            return ("while", condition, self.statement())
        if word == "do":
            self.take()
            self.newlines()
            body = self.statement()
            self.newlines(";")
            self.expect("while")
            return ("do", body, self.condition())
        if word == "for":
            return self.for_statement()
        if word in ("break", "continue", "next", "nextfile"):
            self.take()
            self.simple_end()
            return (word,)
        if word in ("exit", "return"):
            self.take()
            value = None if self.peek() in (";", "\n", "}", "") else self.expression()
            self.simple_end()
            return (word, value)
        if word == "delete":
            self.take()
            name = self.take()
            index = None
            if self.accept("["):
                index = self.list_until("]")
            self.simple_end()
            return ("delete", name, index)
        if word in ("print", "printf"):
            return self.print_statement()
        value = self.expression()
        self.simple_end()
        return ("do_expression", value)

    def if_statement(self) -> Node:
        self.expect("if")
        condition = self.condition()
        self.newlines()
        body = self.statement()
        mark = self.at
        self.newlines(";")
        if self.accept("else"):
            self.newlines()
            return ("if", condition, body, self.statement())
        self.at = mark
        return ("if", condition, body, None)

    def for_statement(self) -> Node:
        """for (name in array), or for (start; check; step), each of which may be missing."""
        self.expect("for")
        self.expect("(")
        if self.peek() == "\0name" and self.tokens[self.at + 1][1] == "in" and self.tokens[self.at + 3][1] == ")":
            name = self.take()
            self.take()
            array = self.take()
            self.expect(")")
            self.newlines()
            return ("forin", name, array, self.statement())
        start = None if self.peek() == ";" else self.expression()
        self.expect(";")
        check = None if self.peek() == ";" else self.expression()
        self.expect(";")
        step = None if self.peek() == ")" else self.expression()
        self.expect(")")
        self.newlines()
        return ("for", start, check, step, self.statement())

    def print_statement(self) -> Node:
        """print or printf: (word, arguments, (> or >>, file) or None)."""
        word = self.take()
        args: list[Node] = []
        if self.peek() not in (";", "\n", "}", ">", ">>", "|", ""):
            args = self.print_args()
        target = None
        if self.peek() in (">", ">>"):
            how = self.take()
            target = (how, self.concat())
        elif self.peek() == "|":
            raise AwkFault("pipes are not supported by this awk")
        self.simple_end()
        return (word, args, target)

    def print_args(self) -> list[Node]:
        if self.peek() == "(":
            depth, index = 0, self.at
            while index < len(self.tokens):
                text = self.tokens[index][1] if self.tokens[index][0] == "op" else ""
                depth += (text == "(") - (text == ")")
                if depth == 0:
                    break
                index += 1
            follow = self.tokens[index + 1][1] if index + 1 < len(self.tokens) else ""
            if follow in (";", "\n", "}", "", ">", ">>", "|"):
                self.take()
                args = self.list_until(")")
                return args
        args = [self.ternary(True)]
        while self.accept(","):
            self.newlines()
            args.append(self.ternary(True))
        return args

    def list_until(self, end: str) -> list[Node]:
        args: list[Node] = []
        while not self.accept(end):
            args.append(self.expression())
            self.accept(",")
            self.newlines()
        return args

    def expression(self) -> Node:
        return self.ternary(False)

    def ternary(self, printing: bool) -> Node:
        left = self.either(printing)
        operator = self.peek()
        if operator in ("=", "+=", "-=", "*=", "/=", "%=", "^=") and left[0] in ("var", "field", "index"):
            self.take()
            return ("assign", left, operator[:-1], self.ternary(printing))
        if operator == "?":
            self.take()
            self.newlines()
            yes = self.ternary(printing)
            self.newlines()
            self.expect(":")
            self.newlines()
            return ("?", left, yes, self.ternary(printing))
        return left

    def either(self, printing: bool) -> Node:
        left = self.both(printing)
        while self.accept("||"):
            self.newlines()
            left = ("||", left, self.both(printing))
        return left

    def both(self, printing: bool) -> Node:
        left = self.membership(printing)
        while self.accept("&&"):
            self.newlines()
            left = ("&&", left, self.membership(printing))
        return left

    def membership(self, printing: bool) -> Node:
        left = self.matching(printing)
        while self.peek() == "in":
            self.take()
            left = ("in", left, self.take())
        return left

    def matching(self, printing: bool) -> Node:
        left = self.comparison(printing)
        while self.peek() in ("~", "!~"):
            operator = self.take()
            left = (operator, left, self.comparison(printing))
        return left

    def comparison(self, printing: bool) -> Node:
        left = self.concat()
        if self.peek() in ("==", "!=", "<=", ">=", "<") or (self.peek() == ">" and not printing):
            operator = self.take()
            return ("compare", operator, left, self.concat())
        return left

    def concat(self) -> Node:
        left = self.additive()
        while self.peek() in ("\0num", "\0str", "\0name", "\0re", "$", "!", "(", "-", "+", "++", "--") and self.peek() not in (
            "in",
        ):
            if self.peek() in ("-", "+"):
                break
            left = ("concat", left, self.additive())
        return left

    def additive(self) -> Node:
        left = self.multiplicative()
        while self.peek() in ("+", "-"):
            left = ("math", self.take(), left, self.multiplicative())
        return left

    def multiplicative(self) -> Node:
        left = self.unary()
        while self.peek() in ("*", "/", "%"):
            left = ("math", self.take(), left, self.unary())
        return left

    def unary(self) -> Node:
        if self.peek() in ("!", "-", "+"):
            return ("unary", self.take(), self.unary())
        return self.power()

    def power(self) -> Node:
        base = self.postfix()
        if self.peek() in ("^", "**"):
            self.take()
            return ("math", "^", base, self.unary() if self.peek() == "-" else self.power())
        return base

    def postfix(self) -> Node:
        if self.peek() in ("++", "--"):
            operator = self.take()
            return ("pre", operator, self.postfix())
        value = self.primary()
        if self.peek() in ("++", "--") and value[0] in ("var", "field", "index"):
            return ("post", self.take(), value)
        return value

    def primary(self) -> Node:
        kind = self.peek()
        if kind == "\0num":
            return ("num", float(self.take()))
        if kind == "\0str":
            return ("str", backslashes(self.take()[1:-1])[0])
        if kind == "\0re":
            return ("re", self.take())
        if kind == "$":
            self.take()
            return ("field", ("pre", self.take(), self.primary()) if self.peek() in ("++", "--") else self.primary())
        if kind == "(":
            self.take()
            value = self.expression()
            if self.peek() == ",":
                items = [value]
                while self.accept(","):
                    items.append(self.expression())
                self.expect(")")
                return ("group", items)
            self.expect(")")
            return ("paren", value)
        if kind == "-":
            self.take()
            return ("unary", "-", self.primary())
        if kind == "getline":
            raise AwkFault("getline is not supported by this awk")
        if kind == "\0name":
            name = self.take()
            if self.peek() == "(" and (name in FUNCTIONS or name in self.functions or self.tokens[self.at][1] == "("):
                self.take()
                return ("call", name, self.list_until(")"))
            if name == "length":
                return ("call", "length", [])
            if self.accept("["):
                return ("index", name, self.list_until("]"))
            return ("var", name)
        raise AwkFault("cmd. line:1: Unexpected " + ("end of string" if not kind else "token"))


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Any, Any]:
    """(rules, functions) of a program."""
    parser = Parser(text)
    rules = parser.program()
    return rules, parser.functions
