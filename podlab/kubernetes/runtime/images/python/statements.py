"""From the tree to steps: statements. What lies between a statement and the place that it jumps to (finally, with) runs on the way.

Past 400 lines: one method for each kind of statement."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zlib import crc32

from . import steps as do
from . import steps_of_bodies as of_bodies
from .parsing import parsed
from .plain_statements import Plain
from .scopes import Body, bound, waiting_name
from .values import Code, Native, Source, Unknown

Exit = tuple[str, Any]


class Compiler(Plain):
    """Compiles a module's text."""

    def module(self, tree: ast.Module) -> None:
        code = Code(self.source, 0, "<module>")
        self.source.bodies.append(code)
        names, outside, _, _ = bound(list(tree.body))
        self.body = Body("module", code, None, names, outside)
        self.block(tree.body)
        self.emit(do.const, None, None)
        self.emit(of_bodies.finish, None, None)

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

    # ---- definitions

    def do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        self.function(node.name, node.args, node.body, node, coroutine=isinstance(node, ast.AsyncFunctionDef))
        for decorator in reversed(node.decorator_list):
            self.emit(of_bodies.call, (1, ()), decorator)
        self.store(node.name, node)

    def do_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.do_FunctionDef(node)

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        for base in node.bases:
            self.value(base)
        for keyword in node.keywords:
            self.value(keyword.value)
        code = self.inner("class", node.name, None, node.body, node)
        self.emit(of_bodies.make_class, (code.index, len(node.bases), tuple(str(one.arg) for one in node.keywords)), node)
        for decorator in reversed(node.decorator_list):
            self.emit(of_bodies.call, (1, ()), decorator)
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
                self.emit(of_bodies.leave_block, None, node)
            elif kind == "handler":
                self.emit(of_bodies.handled, None, node)
            elif kind == "finally":
                self.emit(of_bodies.leave_block, None, node)
                self.block(detail)
            else:
                self.emit(of_bodies.leave_block, None, node)
                self.emit(of_bodies.leave_with, how == "return", detail)
                if kind == "async with":
                    self.awaited(detail)
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
        self.emit(of_bodies.finish, None, node)

    # ---- try and with

    def do_Try(self, node: ast.Try) -> None:
        if node.finalbody:
            last = self.emit(of_bodies.enter_block, 0, node)
            self.exits.append(("finally", node.finalbody))
            self._guarded(node)
            self.exits.pop()
            self.emit(of_bodies.leave_block, None, node)
            self.block(node.finalbody)
            end = self.emit(do.jump, 0, node)
            self.patch(last)
            self.exits.append(("handler", None))
            self.block(node.finalbody)
            self.exits.pop()
            self.emit(of_bodies.again, None, node)
            self.patch(end)
        else:
            self._guarded(node)

    def _guarded(self, node: ast.Try) -> None:
        if not node.handlers:
            self.block(node.body)
            return
        first = self.emit(of_bodies.enter_block, 0, node)
        self.exits.append(("try", None))
        self.block(node.body)
        self.exits.pop()
        self.emit(of_bodies.leave_block, None, node)
        self.block(node.orelse)
        ends = [self.emit(do.jump, 0, node)]
        self.patch(first)
        for handler in node.handlers:
            following = -1
            if handler.type is not None:
                self.value(handler.type)
                self.emit(of_bodies.matches, None, handler.type)
                following = self.emit(do.jump_if_false, 0, handler.type)
            if handler.name:
                self.store(handler.name, handler)
            else:
                self.emit(do.pop, None, handler)
            self.exits.append(("handler", None))
            self.block(handler.body)
            self.exits.pop()
            self.emit(of_bodies.handled, None, handler)
            if handler.name:
                self.emit(do.const, None, handler)
                self.store(handler.name, handler)
                self.remove(handler.name, handler)
            ends.append(self.emit(do.jump, 0, handler))
            if following >= 0:
                self.patch(following)
        self.emit(of_bodies.again, None, node)
        for at in ends:
            self.patch(at)

    def do_With(self, node: ast.With) -> None:
        self._with(node, 0)

    def do_AsyncWith(self, node: ast.AsyncWith) -> None:
        self._with(node, 0)

    def do_AsyncFor(self, node: ast.AsyncFor) -> None:
        """for TARGET in ITER: what the iterator's __anext__ gives is awaited until it raises StopAsyncIteration."""
        if node.orelse:
            raise Unknown(f"async for with else (line {node.lineno})")
        name = waiting_name(node)
        self.value(node.iter)
        self.emit(do.load_attribute, "__aiter__", node.iter)
        self.emit(of_bodies.call, (0, ()), node.iter)
        self.store(name, node.iter)
        asked = ast.Await(ast.Call(ast.Attribute(ast.Name(name, ast.Load()), "__anext__", ast.Load()), [], []))
        over = ast.ExceptHandler(ast.Name("StopAsyncIteration", ast.Load()), None, [ast.Break()])
        guard = ast.Try([ast.Assign([node.target], asked)], [over], [], [])
        for one in ast.walk(guard):
            if not hasattr(one, "lineno"):
                ast.copy_location(one, node.iter)
        self.do_While(ast.copy_location(ast.While(ast.copy_location(ast.Constant(True), node.iter), [guard, *node.body], []), node))

    def _with(self, node: ast.With | ast.AsyncWith, at: int) -> None:
        if at == len(node.items):
            self.block(node.body)
            return
        item = node.items[at]
        self.value(item.context_expr)
        later = isinstance(node, ast.AsyncWith)
        self.emit(of_bodies.load_exit, later, item.context_expr)
        self.emit(of_bodies.call, (0, ()), item.context_expr)
        if later:
            self.awaited(item.context_expr)
        handler = self.emit(of_bodies.enter_with, 0, item.context_expr)
        if item.optional_vars is not None:
            self.assign(item.optional_vars)
        else:
            self.emit(do.pop, None, item.context_expr)
        self.exits.append(("async with" if later else "with", item.context_expr))
        self._with(node, at + 1)
        self.exits.pop()
        self.emit(of_bodies.leave_block, None, item.context_expr)
        self.emit(of_bodies.leave_with, False, item.context_expr)
        if later:
            self.awaited(item.context_expr)
        self.emit(do.pop, None, item.context_expr)
        end = self.emit(do.jump, 0, node)
        self.patch(handler)
        self.emit(of_bodies.exit_with, None, item.context_expr)
        if later:
            self.awaited(item.context_expr)
        wanted = self.emit(do.jump_if_true, 0, item.context_expr)
        self.emit(of_bodies.again, None, item.context_expr)
        self.patch(wanted)
        self.emit(do.pop, None, item.context_expr)
        self.emit(do.pop, None, item.context_expr)
        self.emit(of_bodies.handled, None, item.context_expr)
        self.patch(end)


@lru_cache(maxsize=64)
def compiled(key: str, file: str, text: str) -> Source:
    """A text's steps. Raises SyntaxError, TooMuch, Unknown."""
    source = Source(key, file, text)
    Compiler(source).module(parsed(text, file))
    listing = "\n".join(f"{step.__name__} {_told(arg)}" for body in source.bodies for step, arg in body.steps)
    source.mark = crc32(listing.encode("utf-8", "surrogatepass"))
    return source


def _told(arg: Any) -> Any:
    """An argument in words that are the same in every process."""
    return arg.name if isinstance(arg, Native) else repr(arg) if isinstance(arg, float) else arg
