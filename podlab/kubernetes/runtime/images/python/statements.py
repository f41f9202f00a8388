"""From the tree to steps: statements. What lies between a statement and the place that it jumps to (finally, with) runs on the way.

Past 400 lines: one method for each kind of statement."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zlib import crc32

from . import steps as do
from .compiling import Expressions
from .parsing import parsed
from .scopes import Body, bound
from .values import Code, Source, Unknown

Exit = tuple[str, Any]


class Compiler(Expressions):
    """Compiles a module's text."""

    def module(self, tree: ast.Module) -> None:
        code = Code(self.source, 0, "<module>")
        self.source.bodies.append(code)
        names, outside, _, _ = bound(list(tree.body))
        self.body = Body("module", code, None, names, outside)
        self.block(tree.body)
        self.emit(do.const, None, None)
        self.emit(do.finish, None, None)

    @property
    def exits(self) -> list[Exit]:
        return self.body.exits

    def block(self, body: list[ast.stmt]) -> None:
        for node in body:
            method: Callable[[Any], None] | None = getattr(self, "do_" + type(node).__name__, None)
            if method is None:
                name = "async (asyncio)" if type(node).__name__.startswith("Async") else type(node).__name__
                raise Unknown(f"{name} (line {node.lineno})")
            method(node)

    def _refuse(self, message: str, node: ast.stmt) -> SyntaxError:
        return SyntaxError(message, (self.source.file, node.lineno, node.col_offset + 1, self._line(node.lineno), node.end_lineno,
                                     (node.end_col_offset or 0) + 1))  # fmt: skip

    # ---- plain ones

    def do_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.value(node.value)
            self.emit(do.pop, None, node)

    def do_Pass(self, node: ast.Pass) -> None:
        self.emit(do.nothing, None, node)

    def do_Assign(self, node: ast.Assign) -> None:
        self.value(node.value)
        for target in node.targets[:-1]:
            self.emit(do.duplicate, None, node)
            self.assign(target)
        self.assign(node.targets[-1])

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.value(node.value)
            self.assign(node.target)
        if isinstance(node.target, ast.Name) and self.body.kind == "class":
            self.emit(do.annotate, (node.target.id, ast.unparse(node.annotation)), node)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        name = type(node.op).__name__
        target = node.target
        if isinstance(target, ast.Name):
            self.load(target.id, target)
            self.value(node.value)
            self.emit(do.binary_in_place, name, node)
            self.store(target.id, target)
        elif isinstance(target, ast.Attribute):
            self.value(target.value)
            self.emit(do.duplicate, None, node)
            self.emit(do.load_attribute, self.private(target.attr), target)
            self.value(node.value)
            self.emit(do.binary_in_place, name, node)
            self.emit(do.swap, None, node)
            self.emit(do.store_attribute, self.private(target.attr), target)
        else:
            self.value(target.value)
            self.value(target.slice)
            self.emit(do.duplicate_two, None, node)
            self.emit(do.load_item, None, target)
            self.value(node.value)
            self.emit(do.binary_in_place, name, node)
            self.emit(do.rotate_three, None, node)
            self.emit(do.store_item, None, target)

    def do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.remove(target.id, target)
            elif isinstance(target, ast.Attribute):
                self.value(target.value)
                self.emit(do.delete_attribute, self.private(target.attr), target)
            elif isinstance(target, ast.Subscript):
                self.value(target.value)
                self.value(target.slice)
                self.emit(do.delete_item, None, target)
            else:
                raise Unknown(f"del of {type(target).__name__} (line {node.lineno})")

    def do_Global(self, node: ast.Global) -> None:
        """Seen by scopes.py."""

    def do_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Seen by scopes.py."""

    def do_Assert(self, node: ast.Assert) -> None:
        self.value(node.test)
        fine = self.emit(do.jump_if_true, 0, node.test)
        self.load("AssertionError", node)
        if node.msg is not None:
            self.value(node.msg)
        self.emit(do.call, (0 if node.msg is None else 1, ()), node)
        self.emit(do.throw, 1, node)
        self.body.code.places[-1] = self.body.code.places[fine]
        self.patch(fine)

    def do_Raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            self.emit(do.throw, 0, node)
            return
        self.value(node.exc)
        if node.cause is not None:
            self.value(node.cause)
        self.emit(do.throw, 1 if node.cause is None else 2, node)

    def do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.emit(do.import_module, (alias.name, bool(alias.asname)), node)
            self.store(alias.asname or alias.name.split(".")[0], node)

    def do_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:
            raise Unknown(f"relative imports (line {node.lineno})")
        if node.module == "__future__":
            return
        self.emit(do.import_module, (node.module, True), node)
        for alias in node.names:
            if alias.name == "*":
                self.emit(do.import_all, None, node)
                continue
            self.emit(do.import_name, (alias.name, node.module), node)
            self.store(alias.asname or alias.name, node)
        self.emit(do.pop, None, node)

    # ---- definitions

    def do_FunctionDef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        self.function(node.name, node.args, node.body, node)
        for decorator in reversed(node.decorator_list):
            self.emit(do.call, (1, ()), decorator)
        self.store(node.name, node)

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        for base in node.bases:
            self.value(base)
        for keyword in node.keywords:
            self.value(keyword.value)
        code = self.inner("class", node.name, None, node.body, node)
        self.emit(do.make_class, (code.index, len(node.bases), tuple(str(one.arg) for one in node.keywords)), node)
        for decorator in reversed(node.decorator_list):
            self.emit(do.call, (1, ()), decorator)
        self.store(node.name, node)

    # ---- branches and loops

    def do_If(self, node: ast.If) -> None:
        self.value(node.test)
        other = self.emit(do.jump_if_false, 0, node.test)
        self.block(node.body)
        if node.orelse:
            end = self.emit(do.jump, 0, node)
            self.patch(other)
            self.block(node.orelse)
            self.patch(end)
        else:
            self.patch(other)

    def do_While(self, node: ast.While) -> None:
        begin = self.here
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        other = -1
        if not endless:
            self.value(node.test)
            other = self.emit(do.jump_if_false, 0, node.test)
        breaks: list[int] = []
        self.exits.append(("while", (begin, breaks)))
        self.block(node.body)
        self.exits.pop()
        self.emit(do.jump, begin, node.test)
        if other >= 0:
            self.patch(other)
        self.block(node.orelse)
        for at in breaks:
            self.patch(at)

    def do_For(self, node: ast.For) -> None:
        self.value(node.iter)
        self.emit(do.get_iterator, None, node.iter)
        begin = self.here
        end = self.emit(do.for_iterator, 0, node.iter)
        self.assign(node.target)
        breaks: list[int] = []
        self.exits.append(("for", (begin, breaks)))
        self.block(node.body)
        self.exits.pop()
        self.emit(do.jump, begin, node.iter)
        self.patch(end)
        self.block(node.orelse)
        for at in breaks:
            self.patch(at)

    def _leave(self, how: str, node: ast.stmt) -> Any:
        """Steps out of what surrounds the statement, up to its loop (break, continue) or out of the function (return)."""
        kept = list(self.exits)
        loop: Any = None
        while self.exits:
            kind, detail = self.exits[-1]
            if kind in ("for", "while"):
                if how != "return":
                    loop = (kind, detail)
                    break
                self.exits.pop()
                continue
            self.exits.pop()
            if kind == "try":
                self.emit(do.leave_block, None, node)
            elif kind == "handler":
                self.emit(do.handled, None, node)
            elif kind == "finally":
                self.emit(do.leave_block, None, node)
                self.block(detail)
            else:
                self.emit(do.leave_block, None, node)
                self.emit(do.leave_with, how == "return", detail)
                self.emit(do.pop, None, detail)
        self.body.exits = kept
        return loop

    def do_Break(self, node: ast.Break) -> None:
        loop = self._leave("break", node)
        if loop is None:
            raise self._refuse("'break' outside loop", node)
        if loop[0] == "for":
            self.emit(do.pop, None, node)
        loop[1][1].append(self.emit(do.jump, 0, node))

    def do_Continue(self, node: ast.Continue) -> None:
        loop = self._leave("continue", node)
        if loop is None:
            raise self._refuse("'continue' not properly in loop", node)
        self.emit(do.jump, loop[1][0], node)

    def do_Return(self, node: ast.Return) -> None:
        if self.body.kind != "function":
            raise self._refuse("'return' outside function", node)
        if node.value is None:
            self.emit(do.const, None, node)
        else:
            self.value(node.value)
        self._leave("return", node)
        self.emit(do.finish, None, node)

    # ---- try and with

    def do_Try(self, node: ast.Try) -> None:
        if node.finalbody:
            last = self.emit(do.enter_block, 0, node)
            self.exits.append(("finally", node.finalbody))
            self._guarded(node)
            self.exits.pop()
            self.emit(do.leave_block, None, node)
            self.block(node.finalbody)
            end = self.emit(do.jump, 0, node)
            self.patch(last)
            self.exits.append(("handler", None))
            self.block(node.finalbody)
            self.exits.pop()
            self.emit(do.again, None, node)
            self.patch(end)
        else:
            self._guarded(node)

    def _guarded(self, node: ast.Try) -> None:
        if not node.handlers:
            self.block(node.body)
            return
        first = self.emit(do.enter_block, 0, node)
        self.exits.append(("try", None))
        self.block(node.body)
        self.exits.pop()
        self.emit(do.leave_block, None, node)
        self.block(node.orelse)
        ends = [self.emit(do.jump, 0, node)]
        self.patch(first)
        for handler in node.handlers:
            following = -1
            if handler.type is not None:
                self.value(handler.type)
                self.emit(do.matches, None, handler.type)
                following = self.emit(do.jump_if_false, 0, handler.type)
            if handler.name:
                self.store(handler.name, handler)
            else:
                self.emit(do.pop, None, handler)
            self.exits.append(("handler", None))
            self.block(handler.body)
            self.exits.pop()
            self.emit(do.handled, None, handler)
            if handler.name:
                self.emit(do.const, None, handler)
                self.store(handler.name, handler)
                self.remove(handler.name, handler)
            ends.append(self.emit(do.jump, 0, handler))
            if following >= 0:
                self.patch(following)
        self.emit(do.again, None, node)
        for at in ends:
            self.patch(at)

    def do_With(self, node: ast.With) -> None:
        self._with(node, 0)

    def _with(self, node: ast.With, at: int) -> None:
        if at == len(node.items):
            self.block(node.body)
            return
        item = node.items[at]
        self.value(item.context_expr)
        self.emit(do.load_exit, None, item.context_expr)
        self.emit(do.call, (0, ()), item.context_expr)
        handler = self.emit(do.enter_with, 0, item.context_expr)
        if item.optional_vars is not None:
            self.assign(item.optional_vars)
        else:
            self.emit(do.pop, None, item.context_expr)
        self.exits.append(("with", item.context_expr))
        self._with(node, at + 1)
        self.exits.pop()
        self.emit(do.leave_block, None, item.context_expr)
        self.emit(do.leave_with, False, item.context_expr)
        self.emit(do.pop, None, item.context_expr)
        end = self.emit(do.jump, 0, node)
        self.patch(handler)
        self.emit(do.exit_with, None, item.context_expr)
        wanted = self.emit(do.jump_if_true, 0, item.context_expr)
        self.emit(do.again, None, item.context_expr)
        self.patch(wanted)
        self.emit(do.pop, None, item.context_expr)
        self.emit(do.pop, None, item.context_expr)
        self.emit(do.handled, None, item.context_expr)
        self.patch(end)

    # ---- match: values, names, alternatives and sequences

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


@lru_cache(maxsize=64)
def compiled(key: str, file: str, text: str) -> Source:
    """A text's steps. Raises SyntaxError, TooMuch, Unknown."""
    source = Source(key, file, text)
    Compiler(source).module(parsed(text, file))
    listing = "\n".join(f"{step.__name__} {arg if not isinstance(arg, float) else repr(arg)}" for body in source.bodies for step, arg in body.steps)
    source.mark = crc32(listing.encode("utf-8", "surrogatepass"))
    return source
