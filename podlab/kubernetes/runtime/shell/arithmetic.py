"""$(( )): C's integer expressions on 64 bits, as busybox's math.c evaluates them."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..numerals import is_whole

TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|\d+#\w+|\d+)|([A-Za-z_]\w*(?:\[[^\[\]]*\])?)|(<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"),
)  # fmt: skip
TOKENS_MAX = 10_000
"""Words of one expression: some 50 ms."""
ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^=")


class ArithmeticFault(Exception):
    """What ash prints: `arithmetic syntax error`, `divide by zero`."""


def wrap(number: int) -> int:
    """A number cut to a signed 64-bit integer."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def number(text: str) -> int:
    """A constant: decimal, 0x, leading 0 for octal, base#digits. Raises ArithmeticFault."""
    try:
        if "#" in text:
            base, digits = text.split("#")
            return wrap(int(digits, int(base)))
        if text[:2] in ("0x", "0X"):
            return wrap(int(text, 16))
        return wrap(int(text, 8) if len(text) > 1 and text[0] == "0" else int(text[-64:]))  # 10**64 is a multiple of 2**64
    except ValueError:
        raise ArithmeticFault("arithmetic syntax error") from None


class _Evaluator:
    def __init__(self, text: str, get: Callable[[str], str], put: Callable[[str, str], None], depth: int) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.at, self.get, self.put, self.depth, self.live = 0, get, put, depth, True
        position, text = 0, text.rstrip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None:
                raise ArithmeticFault("arithmetic syntax error")
            self.tokens.append(("n", match[1]) if match[1] else ("v", match[2]) if match[2] else ("o", match[3]))
            position = match.end()
        if len(self.tokens) > TOKENS_MAX:
            raise ArithmeticFault("expression is too long")

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) and self.tokens[self.at][0] == "o" else ""

    def value(self, name: str) -> int:
        text = self.get(name).strip()
        if not text:
            return 0
        if re.fullmatch(r"[-+]?\w+", text) and text.lstrip("-+")[0].isdigit():
            return wrap(-number(text[1:]) if text[0] == "-" else number(text.lstrip("+")))
        if self.depth > 20:
            raise ArithmeticFault("expression recursion loop detected")
        return evaluate(text, self.get, self.put, self.depth + 1)

    def comma(self) -> int:
        result = self.assignment()
        while self.peek() == ",":
            self.at += 1
            result = self.assignment()
        return result

    def assignment(self) -> int:
        if self.at + 1 < len(self.tokens) and self.tokens[self.at][0] == "v" and self.tokens[self.at + 1][0] == "o":
            name, operator = self.tokens[self.at][1], self.tokens[self.at + 1][1]
            if operator in ASSIGN:
                self.at += 2
                right = self.assignment()
                result = right if operator == "=" else self.apply(operator[:-1], self.value(name), right)
                if self.live:
                    self.put(name, str(result))
                return result
        return self.ternary()

    def ternary(self) -> int:
        condition = self.binary(0)
        if self.peek() != "?":
            return condition
        self.at += 1
        live = self.live
        self.live = live and condition != 0
        yes = self.comma()
        if self.peek() != ":":
            raise ArithmeticFault("malformed ?: operator")
        self.at += 1
        self.live = live and condition == 0
        no = self.assignment()
        self.live = live
        return yes if condition else no

    def binary(self, level: int) -> int:
        if level == len(LEVELS):
            return self.power()
        left = self.binary(level + 1)
        while self.peek() in LEVELS[level]:
            operator = self.peek()
            self.at += 1
            if operator in ("&&", "||"):
                live = self.live
                self.live = live and (left != 0) == (operator == "&&")
                right = self.binary(level + 1)
                self.live = live
                left = int(left != 0 and right != 0) if operator == "&&" else int(left != 0 or right != 0)
            else:
                left = self.apply(operator, left, self.binary(level + 1))
        return left

    def power(self) -> int:
        base = self.unary()
        if self.peek() == "**":
            self.at += 1
            exponent = self.power()
            if exponent < 0:
                raise ArithmeticFault("exponent less than 0")
            return wrap(
                pow(base, exponent, 1 << 64)
                if abs(base) > 1
                else base**exponent
                if exponent < 64 or base >= 0
                else base ** (exponent & 1)
            )
        return base

    def unary(self) -> int:
        operator = self.peek()
        if operator in ("-", "+", "!", "~"):
            self.at += 1
            operand = self.unary()
            return {"-": wrap(-operand), "+": operand, "!": int(operand == 0), "~": wrap(~operand)}[operator]
        if operator in ("++", "--"):
            self.at += 1
            if self.at >= len(self.tokens) or self.tokens[self.at][0] != "v":
                raise ArithmeticFault("arithmetic syntax error")
            name = self.tokens[self.at][1]
            self.at += 1
            result = wrap(self.value(name) + (1 if operator == "++" else -1))
            if self.live:
                self.put(name, str(result))
            return result
        return self.primary()

    def primary(self) -> int:
        if self.at >= len(self.tokens):
            raise ArithmeticFault("arithmetic syntax error")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "n":
            return number(text)
        if kind == "v":
            result = self.value(text)
            if self.peek() in ("++", "--"):
                if self.live:
                    self.put(text, str(wrap(result + (1 if self.peek() == "++" else -1))))
                self.at += 1
            return result
        if text != "(":
            raise ArithmeticFault("arithmetic syntax error")
        result = self.comma()
        if self.peek() != ")":
            raise ArithmeticFault("arithmetic syntax error")
        self.at += 1
        return result

    def apply(self, operator: str, a: int, b: int) -> int:
        if operator in ("/", "%"):
            if b == 0:
                if not self.live:
                    return 0
                raise ArithmeticFault("divide by zero")
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return wrap(quotient if operator == "/" else a - quotient * b)
        if operator in ("<<", ">>"):
            return wrap(a << (b & 63) if operator == "<<" else a >> (b & 63))
        compare = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
        if operator in compare:
            return int(compare[operator])
        return wrap({"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[operator])


def evaluate(text: str, get: Callable[[str], str], put: Callable[[str, str], None], depth: int = 0) -> int:
    """The value of an expression whose parameters have been expanded; `get` and `put` are the shell's variables."""
    plain = text.strip()
    if is_whole(plain) and plain[0] != "0":
        return number(plain)
    if not plain:
        return 0
    evaluator = _Evaluator(text, get, put, depth)
    result = evaluator.comma()
    if evaluator.at != len(evaluator.tokens):
        raise ArithmeticFault("arithmetic syntax error")
    return result
