"""Syntax tree -> a flat list of instructions, so that where a shell stands is a number.

An instruction is a tuple whose first item names it; targets are indices. `Code` is a pure function of the source text and cached
by it: a checkpoint keeps the text and the index. Command substitutions become blocks of their own, and the word part becomes
("cmd", start, id, quoted); ids number the substitutions and arithmetic expansions of a unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .syntax import Parser
from .words import Node, Word

Instruction = tuple[Any, ...]
DECLARATIONS = tuple((("lit", name, False),) for name in ("export", "readonly", "local", "declare", "typeset"))
"""Commands whose arguments of the form name=value are not split into fields."""


@dataclass(frozen=True)
class Code:
    """One unit: the instructions of a text. `incomplete`: it ends in the middle of a command."""

    instructions: tuple[Instruction, ...]
    incomplete: bool


def compile_text(text: str, line: int = 1, bash: bool = False) -> Code:
    """The code of a script, up to its first syntax error, which becomes an instruction of its own. It is remembered."""
    return _short(text, line, bash) if len(text) < LONG else _long(text, line, bash)


def _compile(text: str, line: int, bash: bool) -> Code:
    parser = Parser(text, line, bash)
    commands, fault = parser.program()
    compiler = _Compiler()
    for command in commands:
        compiler.node(command, False)
    if fault is not None:
        compiler.emit("syntax", fault.text, fault.line)
    compiler.emit("ret")
    compiler.blocks()
    incomplete = (fault is not None and fault.incomplete) or parser.unclosed_here or (text.endswith("\\\n") and fault is None)
    return Code(tuple(compiler.out), incomplete)


LONG = 10_000  # characters; of texts as long as this only a few are remembered
_short = lru_cache(maxsize=2048)(_compile)
_long = lru_cache(maxsize=32)(_compile)


TEST: Word = (("lit", "[[", False),)
END_TEST: Word = (("lit", "]]", False),)
JOINS = (("||", "or"), ("&&", "and"))
COMPARING = frozenset({"=", "==", "!=", "=~", "<", ">"})
METHODS = {"and": "_and_or", "or": "_and_or", "while": "_loop", "until": "_loop", "for": "_for_", "if": "_if_", "not": "_not_"}


class _Compiler:
    def __init__(self) -> None:
        self.out: list[Any] = []
        self.waiting: list[tuple[int, Node]] = []  # blocks to lay down after the main line: (index into refs, tree)
        self.refs: list[list[int]] = []
        self.ids = 0

    def emit(self, *instruction: Any) -> int:
        self.out.append(instruction)
        return len(self.out) - 1

    def block(self, node: Node) -> list[int]:
        """A reference to a block laid down later; a one-element list that will hold its start."""
        ref: list[int] = [0]
        self.waiting.append((len(self.refs), node))
        self.refs.append(ref)
        return ref

    def blocks(self) -> None:
        while self.waiting:
            index, node = self.waiting.pop(0)
            self.refs[index][0] = len(self.out)
            self.node(node, False)
            self.emit("end")

    def id(self) -> str:
        self.ids += 1
        return str(self.ids)

    def field(self, word: Word) -> Word | str:
        """A word that becomes a command's fields; a plain string when nothing in it expands."""
        if all(part[0] == "lit" and (part[2] or not any(char in part[1] for char in "*?[{")) for part in word):
            return "".join(part[1] for part in word)
        return self.word(word)

    def word(self, word: Word) -> Word:
        return tuple(self.part(part) for part in word)

    def part(self, part: tuple[Any, ...]) -> tuple[Any, ...]:
        kind = part[0]
        if kind == "cmd":
            return ("cmd", self.block(part[1]), self.id(), part[2])
        if kind == "psub":
            return ("psub", self.block(part[1]), self.id(), part[2])
        if kind == "arith":
            return ("arith", self.word(part[1]), self.id(), part[2])
        if kind == "var" and part[3] is not None:
            return ("var", part[1], part[2], self.argument(part[2], part[3]), part[4])
        if kind == "elem":
            index = part[2] if isinstance(part[2], str) else self.word(part[2])
            return ("elem", part[1], index, part[3], None if part[4] is None else self.argument(part[3], part[4]), part[5])
        return part

    def argument(self, op: str, argument: Any) -> Any:
        if op[:1] == "/" or op == ":":
            return tuple(None if item is None else self.word(item) for item in argument)
        return self.word(argument)

    def assign(self, name: str, value: Any, kind: Any) -> tuple[Any, ...]:
        if kind in ("array", "array+"):
            return name, tuple((("nosplit", self.word(word)),) if _is_keyed(word) else self.field(word) for word in value), kind
        return name, (self.word(value[0]), self.word(value[1])) if kind == "elem" else self.word(value), kind

    def redirs(self, redirs: list[Any]) -> tuple[Any, ...]:
        return tuple((fd, operator, self.word(word)) for fd, operator, word in redirs)

    def patch(self, index: int, *instruction: Any) -> None:
        self.out[index] = instruction

    def node(self, node: Node, tested: bool) -> None:
        """Lays a node down. `tested`: its failure is looked at, so set -e does not end the shell."""
        getattr(self, METHODS.get(node[0], f"_{node[0]}"))(node, tested)

    def _simple(self, node: Node, tested: bool) -> None:
        _, assigns, words, redirs, line = node
        declares = bool(words) and words[0] in DECLARATIONS
        whole = words[:1] == [TEST] or words[:1] == (TEST,)  # nothing is split inside [[ ]]
        if whole and tested and not assigns and not redirs and (parts := _sides(list(words), line)) is not None:
            self.node(parts, tested)
            return
        fields = tuple((("nosplit", self.word(w)),) if whole or (declares and _is_assignment(w)) else self.field(w) for w in words)
        self.emit("simple", tuple(self.assign(*one) for one in assigns), fields,
                  self.redirs(redirs), line, tested)  # fmt: skip

    def _content(self, node: Node, tested: bool) -> None:
        self.emit("content", self.redirs(node[1]), node[2], tested)

    def _seq(self, node: Node, tested: bool) -> None:
        for item in node[1]:
            self.node(item, tested)
        if not node[1]:
            self.emit("status", 0)

    def _and_or(self, node: Node, tested: bool) -> None:
        self.node(node[1], True)
        jump = self.emit()
        self.node(node[2], tested)
        self.patch(jump, "unless" if node[0] == "and" else "when", len(self.out))

    def _not_(self, node: Node, tested: bool) -> None:
        self.node(node[1], True)
        self.emit("not")

    def _pipe(self, node: Node, tested: bool) -> None:
        self.emit("pipe", tuple(self.block(item) for item in node[1]), tested, node[2], describe(node))

    def _bg(self, node: Node, tested: bool) -> None:
        inner = node[1]
        if inner[0] == "pipe":
            self.emit("bgpipe", tuple(self.block(item) for item in inner[1]), describe(inner))
        else:
            self.emit("bg", self.block(inner[1] if inner[0] == "sub" else inner), describe(inner))

    def _sub(self, node: Node, tested: bool) -> None:
        self.emit("sub", self.block(node[1]), tested, ())

    def _redir(self, node: Node, tested: bool) -> None:
        _, inner, redirs, line = node
        if inner[0] == "sub":
            self.emit("sub", self.block(inner[1]), tested, self.redirs(redirs))
            return
        enter = self.emit()
        self.node(inner, tested)
        self.emit("unredir")
        self.patch(enter, "redir", self.redirs(redirs), len(self.out), line)

    def _if_(self, node: Node, tested: bool) -> None:
        _, condition, body, otherwise = node
        self.node(condition, True)
        unless = self.emit()
        self.node(body, tested)
        jump = self.emit()
        self.patch(unless, "unless", len(self.out))
        if otherwise is not None:
            self.node(otherwise, tested)
        else:
            self.emit("status", 0)
        self.patch(jump, "jump", len(self.out))

    def _loop(self, node: Node, tested: bool) -> None:
        enter = self.emit()
        top = len(self.out)
        self.node(node[1], True)
        leave = self.emit()
        self.node(node[2], tested)
        self.emit("again", top)
        self.patch(leave, "leave", "unless" if node[0] == "while" else "when", len(self.out))
        self.patch(enter, "loop", top, len(self.out))

    def _for_(self, node: Node, tested: bool) -> None:
        _, name, words, body, line = node
        enter = self.emit()
        top = self.emit()
        self.node(body, tested)
        self.emit("jump", top)
        self.patch(enter, "for", None if words is None else tuple(self.field(w) for w in words), top, len(self.out), line)
        self.patch(top, "next", name, len(self.out))

    def _cfor(self, node: Node, tested: bool) -> None:
        _, first, condition, step, body, _ = node
        if first is not None:
            self.node(first, True)
        enter = self.emit()
        top = len(self.out)
        leave = None
        if condition is not None:
            self.node(condition, True)
            leave = self.emit()
        self.node(body, tested)
        following = len(self.out) + 1
        self.emit("again", following)
        if step is not None:
            self.node(step, True)
        self.emit("jump", top)
        if leave is not None:
            self.patch(leave, "leave", "unless", len(self.out))
        self.patch(enter, "loop", following, len(self.out))

    def _case(self, node: Node, tested: bool) -> None:
        _, word, items = node
        start = self.emit()
        table: list[Any] = []
        jumps: list[int] = []
        looks: list[tuple[int, int]] = []  # bodies after which the patterns behind them are looked at
        for patterns, body, end in items:
            table.append((tuple(self.word(p) for p in patterns), len(self.out)))
            self.node(body, tested)
            if end == ";;":
                jumps.append(self.emit())
            elif end == ";;&":
                looks.append((self.emit(), len(table)))
        jumps += [self.emit()] if looks else []
        again = [(self._look(jump), rest) for jump, rest in looks]
        for jump in jumps:
            self.patch(jump, "jump", len(self.out))
        for at, rest in again:
            self.patch(at, "case", self.word(word), tuple(table[rest:]), len(self.out))
        self.patch(start, "case", self.word(word), tuple(table), len(self.out))

    def _look(self, jump: int) -> int:
        """Leads a jump to an instruction that is still to be said; gives its place."""
        self.patch(jump, "jump", len(self.out))
        return self.emit()

    def _func(self, node: Node, tested: bool) -> None:
        define = self.emit()
        start = len(self.out)
        self.node(node[2], False)
        self.emit("ret")
        self.patch(define, "func", node[1], start, len(self.out))


def _is_keyed(word: Word) -> bool:
    """[key]=value among the words of an array."""
    return bool(word) and word[0][0] == "lit" and not word[0][2] and word[0][1][:1] == "[" and any(
        part[0] == "lit" and not part[2] and "]=" in part[1] for part in word)


def _is_assignment(word: Word) -> bool:
    return bool(word) and word[0][0] == "lit" and not word[0][2] and "=" in str(word[0][1])


def _sides(words: list[Word], line: int) -> Node | None:
    """[[ a && b ]] as [[ a ]] && [[ b ]]: the right side is not even expanded where the left decides. None without a join, or with
    parentheses."""
    signs = [_operator(word) for word in words]
    if words[-1:] != [END_TEST] or "(" in signs or ")" in signs:
        return None
    found = _joined(words, signs, 1, len(words) - 1, line, 0)
    return found if found[0] != "simple" else None


def _joined(words: list[Word], signs: list[str], start: int, end: int, line: int, level: int) -> Node:
    """What stands from start to end, the first of JOINS that is left (`level`) between its parts, from the left to the right."""
    if level == len(JOINS):
        return "simple", [], [TEST, *words[start:end], END_TEST], [], line
    sign, kind = JOINS[level]
    cuts, last = [end], end
    for at in range(end - 2, start, -1):
        if signs[at] == sign and at < last - 1 and signs[at - 1] not in COMPARING:
            cuts.append(at)
            last = at
    node = _joined(words, signs, start, cuts[-1], line, level + 1)
    for cut, until in zip(cuts[:0:-1], cuts[-2::-1], strict=True):
        node = kind, node, _joined(words, signs, cut + 1, until, line, level + 1)
    return node


def _operator(word: Word) -> str:
    return str(word[0][1]) if len(word) == 1 and word[0][0] == "lit" else ""


def describe(node: Node) -> str:
    """The text of a command for `jobs` and the messages about killed ones."""
    kind = node[0]
    if kind == "simple":
        assigns = [f"{name}={words_text(value)}" for name, value, append in node[1] if isinstance(append, bool)]
        return " ".join(assigns + [words_text(word) for word in node[2]])
    if kind == "pipe":
        return " | ".join(describe(item) for item in node[1])
    if kind in ("and", "or"):
        return f"{describe(node[1])} {'&&' if kind == 'and' else '||'} {describe(node[2])}"
    if kind == "seq":
        return "; ".join(describe(item) for item in node[1])
    if kind == "sub":
        return f"({describe(node[1])})"
    if kind == "not":
        return "! " + describe(node[1])
    if kind == "redir":
        return describe(node[1])
    if kind in ("while", "until"):
        return f"{kind} {describe(node[1])}; do {describe(node[2])}; done"
    if kind == "if":
        return f"if {describe(node[1])}; then {describe(node[2])}; fi"
    return str(kind)


def words_text(word: Word) -> str:
    """A word roughly as it was written."""
    out = []
    for part in word:
        if part[0] == "lit":
            out.append(f'"{part[1]}"' if part[2] and (" " in part[1] or not part[1]) else part[1])
        elif part[0] == "var":
            out.append("${" + part[1] + (part[2] + "..." if part[2] else "") + "}" if part[2] else "$" + part[1])
        elif part[0] == "tilde":
            out.append("~" + part[1])
        else:
            out.append("$(...)")
    return "".join(out)


def complete(text: str) -> bool:
    """Is an interactive input whole, or must the shell ask for more?"""
    return not compile_text(text).incomplete
