"""From the tree to steps: expressions, and what a body needs to be compiled. Statements are in statements.py.

The steps are a stack machine's (machine.py), so that a program that waits is plain data: where it stands, and what is on its stack.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from . import steps as do
from . import steps_of_bodies as of_bodies
from .emitting import Emitter
from .scopes import Body, bound
from .values import Code, Unknown


class Expressions(Emitter):
    """Compiles expressions into the body `self.body`."""


    def value(self, node: ast.expr) -> None:
        method = getattr(self, "on_" + type(node).__name__, None)
        if method is None:
            raise Unknown(f"{type(node).__name__} (line {getattr(node, 'lineno', 0)})")
        method(node)

    def on_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, complex):
            raise Unknown(f"complex numbers (line {node.lineno})")
        self.emit(do.const, node.value, node)

    def on_Name(self, node: ast.Name) -> None:
        self.load(node.id, node)

    def on_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.value(node.value)
        self.emit(do.duplicate, None, node)
        self.assign(node.target)

    def on_BinOp(self, node: ast.BinOp) -> None:
        self.value(node.left)
        self.value(node.right)
        self.emit(do.binary, type(node.op).__name__, node)

    def on_UnaryOp(self, node: ast.UnaryOp) -> None:
        self.value(node.operand)
        self.emit(do.unary, type(node.op).__name__, node)

    def on_BoolOp(self, node: ast.BoolOp) -> None:
        jumps = []
        step = do.jump_if_false_or_pop if isinstance(node.op, ast.And) else do.jump_if_true_or_pop
        for one in node.values[:-1]:
            self.value(one)
            jumps.append(self.emit(step, 0, node))
        self.value(node.values[-1])
        for at in jumps:
            self.patch(at)

    def on_Compare(self, node: ast.Compare) -> None:
        self.value(node.left)
        jumps = []
        for index, (sign, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            self.value(right)
            last = index == len(node.ops) - 1
            if not last:
                self.emit(do.keep_under, None, node)
            self.emit(do.compare, type(sign).__name__, node)
            if not last:
                jumps.append(self.emit(do.jump_if_false_or_pop, 0, node))
        if jumps:
            end = self.emit(do.jump, 0, node)
            for at in jumps:
                self.patch(at)
            self.emit(do.drop_under, None, node)
            self.patch(end)

    def on_IfExp(self, node: ast.IfExp) -> None:
        self.value(node.test)
        other = self.emit(do.jump_if_false, 0, node)
        self.value(node.body)
        end = self.emit(do.jump, 0, node)
        self.patch(other)
        self.value(node.orelse)
        self.patch(end)

    def on_Attribute(self, node: ast.Attribute) -> None:
        self.value(node.value)
        self.emit(do.load_attribute, self.private(node.attr), node)

    def on_Subscript(self, node: ast.Subscript) -> None:
        self.value(node.value)
        self.value(node.slice)
        self.emit(do.load_item, None, node)

    def on_Slice(self, node: ast.Slice) -> None:
        for one in (node.lower, node.upper, node.step):
            if one is None:
                self.emit(do.const, None, node)
            else:
                self.value(one)
        self.emit(do.build_slice, None, node)

    def on_Starred(self, node: ast.Starred) -> None:
        raise SyntaxError("can't use starred expression here", (self.source.file, node.lineno, node.col_offset + 1, self._line(node.lineno)))

    def _spread(self, values: list[ast.expr], node: ast.AST) -> None:
        """A list of values some of which are starred."""
        self.emit(do.build_list, 0, node)
        for one in values:
            if isinstance(one, ast.Starred):
                self.value(one.value)
                self.emit(do.extend_list, None, node)
            else:
                self.value(one)
                self.emit(do.append_to, 0, node)

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, kind: str) -> None:
        if any(isinstance(one, ast.Starred) for one in node.elts):
            self._spread(node.elts, node)
            self.emit(do.list_as, kind, node)
            return
        for one in node.elts:
            self.value(one)
        self.emit({"list": do.build_list, "tuple": do.build_tuple, "set": do.build_set}[kind], len(node.elts), node)

    def on_List(self, node: ast.List) -> None:
        self._sequence(node, "list")

    def on_Tuple(self, node: ast.Tuple) -> None:
        self._sequence(node, "tuple")

    def on_Set(self, node: ast.Set) -> None:
        self._sequence(node, "set")

    def on_Dict(self, node: ast.Dict) -> None:
        self.emit(do.build_dict, None, node)
        for key, one in zip(node.keys, node.values, strict=True):
            if key is None:
                self.value(one)
                self.emit(do.update_dict, None, node)
            else:
                self.value(key)
                self.value(one)
                self.emit(do.put_in_dict, 0, node)

    def on_JoinedStr(self, node: ast.JoinedStr) -> None:
        for one in node.values:
            self.value(one)
        self.emit(do.join_text, len(node.values), node)

    def on_FormattedValue(self, node: ast.FormattedValue) -> None:
        self.value(node.value)
        if node.format_spec is not None:
            self.value(node.format_spec)
        self.emit(do.format_value, (node.conversion, node.format_spec is not None), node)

    # ---- calls

    def on_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            self.load("super", node)
            self.emit(of_bodies.own_super, None, node)
            return
        if isinstance(node.func, ast.Attribute) and isinstance(opened := node.func.value, ast.Call) and isinstance(opened.func, ast.Name):
            if opened.func.id == "open":  # open(...).write(...): nobody holds the file afterwards, so that it is closed
                self.value(opened)
                self.emit(do.duplicate, None, node)
                self.emit(do.load_attribute, node.func.attr, node.func)
                self.arguments(node.args, node.keywords, node)
                self.emit(do.close_under, None, node)
                return
        self.value(node.func)
        self.arguments(node.args, node.keywords, node)

    def arguments(self, args: list[ast.expr], keywords: list[ast.keyword], node: ast.AST) -> None:
        if not any(isinstance(one, ast.Starred) for one in args) and all(one.arg for one in keywords):
            for one in args:
                self.value(one)
            for keyword in keywords:
                self.value(keyword.value)
            self.emit(of_bodies.call, (len(args), tuple(str(one.arg) for one in keywords)), node)
            return
        self._spread(args, node)
        self.emit(do.build_dict, None, node)
        for keyword in keywords:
            if keyword.arg is None:
                self.value(keyword.value)
                self.emit(do.update_dict, "call", node)
            else:
                self.emit(do.const, keyword.arg, node)
                self.value(keyword.value)
                self.emit(do.put_in_dict, 0, node)
        self.emit(of_bodies.call_spread, None, node)

    # ---- bodies in bodies

    def on_Lambda(self, node: ast.Lambda) -> None:
        self.function("<lambda>", node.args, [ast.copy_location(ast.Return(node.body), node.body)], node)

    def function(self, name: str, args: ast.arguments, body: list[ast.stmt], node: ast.AST, *, coroutine: bool = False) -> None:
        for default in args.defaults:
            self.value(default)
        named = [(arg.arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is not None]
        for _, default in named:
            self.value(default)
        code = self.inner("function", name, args, body, node)
        if coroutine:
            if code.generator:
                raise Unknown(f"a yield in an async function (line {getattr(node, 'lineno', 0)})")
            code.generator = code.coroutine = True
        self.emit(of_bodies.make_function, (code.index, len(args.defaults), tuple(name for name, _ in named)), node)

    def inner(self, kind: str, name: str, args: ast.arguments | None, body: list[ast.stmt], node: ast.AST) -> Code:
        code = Code(self.source, len(self.source.bodies), name)
        self.source.bodies.append(code)
        names, outside, _, code.generator = bound(list(body))
        if kind == "class":
            code.generator = False
        if args is not None:
            code.parameters = [arg.arg for arg in (*args.posonlyargs, *args.args)]
            code.keywords = [arg.arg for arg in args.kwonlyargs]
            code.vararg = args.vararg.arg if args.vararg else ""
            code.kwarg = args.kwarg.arg if args.kwarg else ""
            names |= {*code.parameters, *code.keywords, *([code.vararg] if code.vararg else []), *([code.kwarg] if code.kwarg else [])}
        first = body[0] if body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            code.doc = first.value.value
        before, self.body = self.body, Body(kind, code, self.body, names, outside)
        self.block(body)
        self.emit(do.const, None, None)
        self.emit(of_bodies.finish, None, None)
        self.body = before
        return code

    def block(self, body: list[ast.stmt]) -> None:
        raise AssertionError("statements.py has it")

    def on_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self.value(node.generators[0].iter)
        self.emit(do.get_iterator, None, node)
        code = Code(self.source, len(self.source.bodies), "<genexpr>")
        self.source.bodies.append(code)
        code.parameters, code.generator = [".0"], True
        names = {one.id for generator in node.generators for one in ast.walk(generator.target) if isinstance(one, ast.Name)}
        before, self.body = self.body, Body("function", code, self.body, names | {".0"}, set())
        self.emit(do.load_local, ".0", node)
        self._loops(node.generators, 0, self._steps([node.elt], [(of_bodies.give, None), (do.pop, None)], node), first=True)
        self.emit(do.const, None, node)
        self.emit(of_bodies.finish, None, node)
        self.body = before
        self.emit(of_bodies.make_function, (code.index, 0, ()), node)
        self.emit(do.swap, None, node)
        self.emit(of_bodies.call, (1, ()), node)

    def _steps(self, values: list[ast.expr], steps: list[tuple[Any, Any]], node: ast.expr) -> Callable[[], None]:
        """What the innermost loop does."""

        def innermost() -> None:
            for one in values:
                self.value(one)
            for step, arg in steps:
                self.emit(step, arg, node)

        return innermost

    def _loops(self, generators: list[ast.comprehension], at: int, innermost: Callable[[], None], *, first: bool = False) -> None:
        if at == len(generators):
            innermost()
            return
        one = generators[at]
        if one.is_async:
            raise Unknown("async (asyncio)")
        if not first:
            self.value(one.iter)
            self.emit(do.get_iterator, None, one.iter)
        begin = self.here
        end = self.emit(do.for_iterator, 0, one.iter)
        self.assign(one.target)
        for test in one.ifs:
            self.value(test)
            self.emit(do.jump_if_false, begin, test)
        self._loops(generators, at + 1, innermost)
        self.emit(do.jump, begin, one.iter)
        self.patch(end)

    def _comprehension(self, node: Any, build: Any, innermost: Any) -> None:
        self.value(node.generators[0].iter)
        self.emit(do.get_iterator, None, node)
        self.emit(build[0], build[1], node)
        self.emit(do.swap, None, node)
        names: dict[str, str] = {}
        for generator in node.generators:
            for one in ast.walk(generator.target):
                if isinstance(one, ast.Name) and one.id not in names:
                    self.counted += 1
                    names[one.id] = f".{self.counted}.{one.id}"
        self.body.renamed.append(names)
        self._loops(node.generators, 0, innermost, first=True)
        self.body.renamed.pop()

    def on_ListComp(self, node: ast.ListComp) -> None:
        depth = len(node.generators)
        self._comprehension(node, (do.build_list, 0), self._steps([node.elt], [(do.append_to, depth)], node))

    def on_SetComp(self, node: ast.SetComp) -> None:
        depth = len(node.generators)
        self._comprehension(node, (do.build_set, 0), self._steps([node.elt], [(do.add_to, depth)], node))

    def on_DictComp(self, node: ast.DictComp) -> None:
        depth = len(node.generators)
        self._comprehension(node, (do.build_dict, None), self._steps([node.key, node.value], [(do.put_in_dict, depth)], node))

    def on_Yield(self, node: ast.Yield) -> None:
        if node.value is None:
            self.emit(do.const, None, node)
        else:
            self.value(node.value)
        self.emit(of_bodies.give, None, node)

    def on_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.value(node.value)
        self.emit(do.get_iterator, None, node)
        self.delegated(node)

    def on_Await(self, node: ast.Await) -> None:
        self.value(node.value)
        self.awaited(node)

    def awaited(self, node: ast.AST) -> None:
        """What is on the stack is awaited: its result takes its place."""
        self.emit(of_bodies.awaitable, None, node)
        self.delegated(node)

    def delegated(self, node: ast.AST) -> None:
        """Goes through what is on the stack, giving on all that it gives; its end's value takes its place."""
        self.emit(do.const, None, node)
        begin = self.here
        end = self.emit(of_bodies.delegate, 0, node)
        self.emit(of_bodies.give, None, node)
        self.emit(do.jump, begin, node)
        self.patch(end)

    # ---- targets

    def assign(self, target: ast.expr) -> None:
        """The value on the stack goes to the target."""
        if isinstance(target, ast.Name):
            self.store(target.id, target)
        elif isinstance(target, ast.Attribute):
            self.value(target.value)
            self.emit(do.store_attribute, self.private(target.attr), target)
        elif isinstance(target, ast.Subscript):
            self.value(target.value)
            self.value(target.slice)
            self.emit(do.store_item, None, target)
        elif isinstance(target, (ast.Tuple, ast.List)):
            star = next((index for index, one in enumerate(target.elts) if isinstance(one, ast.Starred)), -1)
            self.emit(do.unpack, (len(target.elts), star), target)
            for one in target.elts:
                self.assign(one.value if isinstance(one, ast.Starred) else one)
        else:
            raise Unknown(f"an assignment to {type(target).__name__}")



