"""From the tree to steps: statements that go on to the next one."""

from __future__ import annotations

import ast

from . import steps as do
from . import steps_of_bodies as of_bodies
from .matching import Matching
from .values import Native, Unknown


class Plain(Matching):
    """Assignments, del, assert, raise and import."""

    def do_Expr(self, node: ast.Expr) -> None:
        if self.body.kind == "module" and self.source.key.startswith("typed:"):
            self.emit(do.const, Native("_interactive._show"), node)
            self.value(node.value)
            self.emit(of_bodies.call, (1, ()), node)
            self.emit(do.pop, None, node)
        elif not isinstance(node.value, ast.Constant):
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
            self.emit(of_bodies.annotate, (node.target.id, ast.unparse(node.annotation)), node)

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
        self.emit(of_bodies.call, (0 if node.msg is None else 1, ()), node)
        self.emit(of_bodies.throw, 1, node)
        places = self.body.code.places
        self.body.code.failing[len(places) - 1] = places[-1]
        places[-1] = places[fine]
        self.patch(fine)

    def do_Raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            self.emit(of_bodies.throw, 0, node)
            return
        self.value(node.exc)
        if node.cause is not None:
            self.value(node.cause)
        self.emit(of_bodies.throw, 1 if node.cause is None else 2, node)

    def do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.emit(of_bodies.import_module, (alias.name, bool(alias.asname)), node)
            self.store(alias.asname or alias.name.split(".")[0], node)

    def do_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:
            raise Unknown(f"relative imports (line {node.lineno})")
        if node.module == "__future__":
            return
        self.emit(of_bodies.import_module, (node.module, True), node)
        for alias in node.names:
            if alias.name == "*":
                self.emit(of_bodies.import_all, None, node)
                continue
            self.emit(of_bodies.import_name, (alias.name, node.module), node)
            self.store(alias.asname or alias.name, node)
        self.emit(do.pop, None, node)
