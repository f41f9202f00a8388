"""Regular expressions that a person may write without making the server hang.

Python's `re` tries one way after another, and a short pattern such as `^(a+)+$` has more ways than there is time. `compiled(text)`
answers as `re.compile(text)` does, but where the ways could be many (`Ways`) it walks all of them at once instead, as Thompson and
Pike do: time grows with pattern times text. Both prefer the same match, so nobody sees which one answered. A pattern that only
`re` understands (backreferences, looking around) and that has too many ways for a text is refused: TooComplex.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from .regex_match import Found, Match

WAYS_MAX = 1_000_000
"""Steps that `re` may take for one search: some 20 ms."""
PROGRAM_MAX = 4_000
"""Instructions of one pattern, its counted repetitions written out: a{1000} is 1,000."""
PATTERN_MAX = 10_000
"""Characters of one pattern: reading these takes some 30 ms."""
WALK_MAX = 120_000
"""Places of a program that one walk may stand at, over all of its text: some 100 ms."""
TURN_MAX = 200_000
"""The same, of all walks and of what was spent otherwise between two calls of `taken`."""
RESULT_MAX = 1 << 20
"""Characters that replacing may make of a text."""
DEPTH_MAX = 50
ENDLESS = 1 << 30


_work = [0]  # since `taken` was last asked; nothing but the limit depends on it


def taken() -> int:
    """Places that walks stood at since this was last asked, each about a microsecond. Whoever begins a piece of work asks."""
    work, _work[0] = _work[0], 0
    return work


def spend(steps: int) -> None:
    """Other work of about a microsecond a step, in a loop that a person can make long. Raises TooComplex beyond TURN_MAX of them."""
    _work[0] += steps
    if _work[0] > TURN_MAX:
        raise TooComplex("too much work")


class TooComplex(re.error):
    """The pattern would take too long, or too much room."""


# ---- the pattern as a tree: ("one", atom), ("at", assertion), ("seq", nodes), ("or", nodes), ("group", number or None, node),
# ("repeat", least, most, greedy, node)

Node = tuple[Any, ...]
ATOM = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\x[0-9a-fA-F]{2}|\\[^0-9bBAZ]|[^\\()|*+?\[]", re.DOTALL)
ASSERTION = re.compile(r"\(\?(?:=|!|<=|<!)(?:\\w|\.)\)|\^|\$|\\[bBAZ]")
COUNT = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
OPEN = re.compile(r"\((?:\?(?:P<\w+>|(s)?(:)))?")


class _Parser:
    """Reads what a Python pattern is made of. Raises TooComplex for what only `re` can do."""

    def __init__(self, text: str, flags: int) -> None:
        self.text, self.flags, self.at, self.groups = text, flags, 0, 0

    def alternatives(self, depth: int = 0) -> Node:
        if depth > DEPTH_MAX:
            raise TooComplex("nested too deeply")
        found = [self.sequence(depth)]
        while self.text.startswith("|", self.at):
            self.at += 1
            found.append(self.sequence(depth))
        return found[0] if len(found) == 1 else ("or", found)

    def sequence(self, depth: int) -> Node:
        nodes: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            nodes.append(self.repeated(self.item(depth)))
        return nodes[0] if len(nodes) == 1 else ("seq", nodes)

    def item(self, depth: int) -> Node:
        assertion = ASSERTION.match(self.text, self.at)
        if assertion:
            self.at = assertion.end()
            return "at", re.compile(assertion[0], self.flags)
        atom = ATOM.match(self.text, self.at)
        if atom:
            self.at = atom.end()
            return "one", _accepts(atom[0], self.flags)
        opened = OPEN.match(self.text, self.at)
        if opened is None or (self.text.startswith("(?", self.at) and opened.end() == self.at + 1):
            raise TooComplex("more than can be tried at once")
        self.at = opened.end()
        number = None
        if not opened[2]:
            self.groups += 1
            number = self.groups
        before, self.flags = self.flags, self.flags | (re.DOTALL if opened[1] else 0)
        inside = self.alternatives(depth + 1)
        self.flags = before
        self.at += 1  # the ) that re.compile has seen
        return "group", number, inside

    def repeated(self, node: Node) -> Node:
        while self.at < len(self.text):
            char = self.text[self.at]
            count = COUNT.match(self.text, self.at) if char == "{" else None
            if char in "*+?":
                least, most = (1 if char == "+" else 0), (1 if char == "?" else ENDLESS)
                self.at += 1
            elif count and (count[1] or count[2]):
                least = int(count[1] or 0)
                most = least if not count[2] else int(count[3]) if count[3] else ENDLESS
                self.at = count.end()
            else:
                break
            lazy = self.text.startswith("?", self.at)
            if self.text.startswith("+", self.at):
                raise TooComplex("possessive")
            self.at += lazy
            node = ("repeat", least, most, not lazy, node)
        return node


@lru_cache(maxsize=1024)
def _accepts(atom: str, flags: int) -> Callable[[str], bool]:
    """Whether a character is one of an atom's; remembered by character."""
    pattern = re.compile(atom, flags)

    @lru_cache(maxsize=256)
    def accepts(char: str) -> bool:
        return pattern.fullmatch(char) is not None

    return accepts


Ways = tuple[float, int]
"""How many ways `re` may have to try: factor times (length of the text) to the power of the second; a power of 99 means any number."""
ANY: Ways = (1.0, 99)


def _ways(node: Node) -> Ways:
    kind = node[0]
    if kind in ("one", "at"):
        return 1.0, 0
    if kind == "group":
        return _ways(node[2])
    if kind == "repeat":
        least, most, inner = node[1], node[2], _ways(node[4])
        if inner == (1.0, 0):
            return (1.0, 1) if most == ENDLESS else (float(most - least + 1), 0)
        if most == ENDLESS or inner[1] * most > 20 or most * len(f"{inner[0]:.0f}") > 20:
            return ANY
        return (max(1.0, inner[0]) ** most * (most - least + 1), inner[1] * most)
    parts = [_ways(part) for part in node[1]]
    power = max((part[1] for part in parts), default=0)
    if kind == "or":
        return sum(part[0] for part in parts), power
    factor = 1.0
    for part in parts:
        factor = min(1e100, factor * part[0])
    return factor, sum(part[1] for part in parts)


# ---- the tree as a program: [op, argument, argument]

CHAR, SPLIT, SAVE, LOOK, JUMP, DONE = range(6)


def _program(node: Node) -> list[list[Any]]:
    code: list[list[Any]] = []

    def emit(op: int, a: Any = 0, b: Any = 0) -> list[Any]:
        if len(code) >= PROGRAM_MAX:
            raise TooComplex("too big")
        code.append([op, a, b])
        return code[-1]

    def split(greedy: bool) -> tuple[list[Any], int]:
        """A fork whose way on comes first when greedy; gives it and the place where the other way's target belongs."""
        made = emit(SPLIT, len(code) + 1, len(code) + 1)
        return made, 2 if greedy else 1

    def write(node: Node) -> None:
        kind = node[0]
        if kind == "one":
            emit(CHAR, node[1])
        elif kind == "at":
            emit(LOOK, node[1])
        elif kind == "seq":
            for part in node[1]:
                write(part)
        elif kind == "group":
            if node[1] is not None:
                emit(SAVE, 2 * node[1])
            write(node[2])
            if node[1] is not None:
                emit(SAVE, 2 * node[1] + 1)
        elif kind == "or":
            ends = []
            for part in node[1][:-1]:
                fork, other = split(True)
                write(part)
                ends.append(emit(JUMP))
                fork[other] = len(code)
            write(node[1][-1])
            for end in ends:
                end[1] = len(code)
        else:
            _, least, most, greedy, inner = node
            for _ in range(least):
                write(inner)
            if most == ENDLESS:
                start = len(code)
                fork, other = split(greedy)
                write(inner)
                emit(JUMP, start)
                fork[other] = len(code)
            else:
                forks = []
                for _ in range(most - least):
                    forks.append(split(greedy))
                    write(inner)
                for fork, other in forks:
                    fork[other] = len(code)

    write(node)
    emit(DONE)
    return code


class Regex:
    """As `re.Pattern`, with the methods that the tools need."""

    def __init__(self, text: str, flags: int) -> None:
        if len(text) > PATTERN_MAX:
            raise TooComplex("too big")
        self._re = re.compile(text, flags)
        self._code: list[list[Any]] | None = None
        self.pattern, self.groups = text, self._re.groups
        parser = _Parser(text, flags)
        try:
            self._tree: Node | None = parser.alternatives()
        except TooComplex:
            loops = ANY[1] if re.search(r"\)[*+{]", text) else sum(text.count(char) for char in "*+{")
            self._tree, self._factor, self._power = None, 1.0, loops
        else:
            self._factor, self._power = _ways(self._tree)
        self._power += not text.startswith("^")

    def _simple(self, length: int) -> bool:
        """May `re` look through a text of this length?"""
        if self._power <= 1 and self._factor == 1.0:
            return True
        ways = self._factor * float(max(2, length)) ** self._power if self._power < ANY[1] else 2.0 ** min(length, 99)
        if ways <= WAYS_MAX:
            return True
        if self._tree is None:
            raise TooComplex("too many ways to try")
        if self._code is None:
            self._code = _program(self._tree)
        return False

    def search(self, text: str, at: int = 0) -> Match | None:
        return self._re.search(text, at) if self._simple(len(text) - at) else self._run(text, at)

    def match(self, text: str, at: int = 0) -> Match | None:
        return self._re.match(text, at) if self._simple(len(text) - at) else self._run(text, at, fixed=True)

    def fullmatch(self, text: str, at: int = 0) -> Match | None:
        return self._re.fullmatch(text, at) if self._simple(len(text) - at) else self._run(text, at, fixed=True, whole=True)

    def finditer(self, text: str) -> Iterator[Match]:
        """Matches from left to right that do not overlap. After one comes none that is empty and begins where it ended (POSIX)."""
        if self._simple(len(text)):  # `re` gives an empty match after one too, which is left out here
            end = -1
            for match in self._re.finditer(text):
                spend(1)
                if match.end() > match.start() or match.start() != end:
                    yield match
                end = match.end()
            spend(len(text) >> 8)
            return
        at, end = 0, -1
        while at <= len(text):
            found = self.search(text, at)
            if found is None:
                return
            if found.end() > found.start():
                yield found
                at = end = found.end()
            else:
                if found.start() != end:
                    yield found
                at = found.start() + 1

    def sub(self, replace: Callable[[Match], str], text: str, limit: int = 0) -> tuple[str, int]:
        """The text with the first `limit` matches (0: all) replaced, and how many were."""
        out: list[str] = []
        position = count = length = 0
        for match in self.finditer(text):
            count += 1
            piece = text[position : match.start()] + replace(match)
            out.append(piece)
            length += len(piece)
            if length > RESULT_MAX:
                raise TooComplex("too long a result")
            position = match.end()
            if count == limit:
                break
        return "".join(out) + text[position:], count

    def split(self, text: str) -> list[str]:
        """What stands between the matches that are not empty."""
        out: list[str] = []
        position = 0
        for match in self.finditer(text):
            if match.end() > match.start():
                out.append(text[position : match.start()])
                position = match.end()
        return [*out, text[position:]]

    def _run(self, text: str, at: int, *, fixed: bool = False, whole: bool = False) -> Found | None:
        """Pike's walk: all ways side by side, the preferred first; a way that another has gone already is dropped."""
        code = self._code or []
        best: list[int] | None = None
        current: list[tuple[int, list[int]]] = []
        fresh = [-1] * (2 * self.groups + 2)
        walked = 0

        def follow(pc: int, spans: list[int], position: int, into: list[tuple[int, list[int]]], seen: set[int]) -> None:
            todo = [(pc, spans)]
            while todo:
                pc, spans = todo.pop()
                if pc in seen:
                    continue
                seen.add(pc)
                op, a, b = code[pc]
                if op == JUMP:
                    todo.append((a, spans))
                elif op == SPLIT:
                    todo += [(b, spans), (a, spans)]
                elif op == SAVE:
                    kept = spans.copy()
                    kept[a] = position
                    todo.append((pc + 1, kept))
                elif op == LOOK:
                    if a.match(text, position):
                        todo.append((pc + 1, spans))
                else:
                    into.append((pc, spans))

        for position in range(at, len(text) + 1):
            seen: set[int] = {pc for pc, _ in current}
            if best is None and (not fixed or position == at):
                follow(0, [position, *fresh[1:]], position, current, seen)
            walked += 1 + len(seen)
            _work[0] += 1 + len(seen)
            if walked > WALK_MAX or _work[0] > TURN_MAX:
                raise TooComplex("too many ways to try")
            coming: list[tuple[int, list[int]]] = []
            seen = set()
            char = text[position : position + 1]
            for pc, spans in current:
                op, accepts, _ = code[pc]
                if op == DONE:
                    if whole and position < len(text):
                        continue
                    best = [spans[0], position, *spans[2:]]
                    break
                if char and accepts(char):
                    follow(pc + 1, spans, position + 1, coming, seen)
            current = coming
            if not current and (best is not None or fixed):
                break
        return None if best is None else Found(text, best)


@lru_cache(maxsize=256)
def wildcard(text: str) -> Regex:
    """A pattern in which * is any text and everything else itself."""
    return compiled(re.sub(r"(?:\\\*)+", ".*", re.escape(text)), re.DOTALL)


@lru_cache(maxsize=2048)
def compiled(text: str, flags: int = 0) -> Regex:
    """A pattern in Python's notation. Raises re.error for one that is wrong; its methods raise TooComplex."""
    try:
        return Regex(text, flags)
    except (OverflowError, ValueError):  # what `re` says of a count in braces that is too large for it
        raise re.error("invalid repetition count") from None
