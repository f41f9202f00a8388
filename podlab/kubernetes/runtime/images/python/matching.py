"""From the tree to steps: match, with values, names, alternatives."""

from __future__ import annotations

import ast

from . import steps as do
from .compiling import Expressions
from .values import Unknown


class Matching(Expressions):
    """The match statement."""

    def do_Match(self, node: ast.Match) -> None:
        self.value(node.subject)
        ends = []
        for case in node.cases:
            fails: list[int] = []
            self.emit(do.duplicate, None, case.pattern)
            self._pattern(case.pattern, fails)
            if case.guard is not None:
                self.value(case.guard)
                fails.append(self.emit(do.jump_if_false, 0, case.guard))
            self.emit(do.pop, None, case.pattern)
            self.block(case.body)
            ends.append(self.emit(do.jump, 0, case.pattern))
            for at in fails:
                self.patch(at)
        self.emit(do.pop, None, node)
        for at in ends:
            self.patch(at)

    def _pattern(self, pattern: ast.pattern, fails: list[int]) -> None:
        """Takes the value from the stack; jumps away when it does not match."""
        if isinstance(pattern, (ast.MatchValue, ast.MatchSingleton)):
            if isinstance(pattern, ast.MatchValue):
                self.value(pattern.value)
            else:
                self.emit(do.const, pattern.value, pattern)
            self.emit(do.compare, "Eq" if isinstance(pattern, ast.MatchValue) else "Is", pattern)
            fails.append(self.emit(do.jump_if_false, 0, pattern))
        elif isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
            if pattern.name:
                self.store(pattern.name, pattern)
            else:
                self.emit(do.pop, None, pattern)
        elif isinstance(pattern, ast.MatchOr) and all(isinstance(one, (ast.MatchValue, ast.MatchSingleton)) for one in pattern.patterns):
            for one in pattern.patterns:
                if isinstance(one, ast.MatchValue):
                    self.value(one.value)
                elif isinstance(one, ast.MatchSingleton):
                    self.emit(do.const, one.value, one)
            self.emit(do.build_tuple, len(pattern.patterns), pattern)
            self.emit(do.compare, "In", pattern)
            fails.append(self.emit(do.jump_if_false, 0, pattern))
        else:
            raise Unknown(f"this pattern of match (line {pattern.lineno})")
