"""Which body a name belongs to: what a function, class or module binds, and where a name that it only reads is bound."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .values import Code

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)


def _within(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of a body, without those of the bodies inside it (but with their decorators, defaults and bases)."""
    todo = list(reversed(nodes))
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, BODIES):
            inner: list[ast.AST] = []
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = [*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)]
            elif isinstance(node, ast.Lambda):
                inner = [*node.args.defaults, *(one for one in node.args.kw_defaults if one)]
            elif isinstance(node, ast.ClassDef):
                inner = [*node.decorator_list, *node.bases, *(one.value for one in node.keywords)]
            elif isinstance(node, ast.GeneratorExp):
                inner = [node.generators[0].iter]
            todo.extend(reversed(inner))
        else:
            todo.extend(reversed(list(ast.iter_child_nodes(node))))


def _comprehended(nodes: list[ast.AST]) -> set[int]:
    """The ids of the Name nodes that a comprehension binds for itself."""
    own: set[int] = set()
    for node in _within(nodes):
        if isinstance(node, COMPREHENSIONS):
            for generator in node.generators:
                own |= {id(one) for one in ast.walk(generator.target) if isinstance(one, ast.Name)}
    return own


def bound(nodes: list[ast.AST]) -> tuple[set[str], set[str], set[str], bool]:
    """(names that are bound, those declared global, those declared nonlocal, whether there is a yield) in a body."""
    names: set[str] = set()
    outside: set[str] = set()
    nonlocals: set[str] = set()
    yields = False
    own = _comprehended(nodes)
    for node in _within(nodes):
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load) and id(node) not in own:
                names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            names |= {node.name} if node.name else set()
        elif isinstance(node, ast.MatchMapping):
            names |= {node.rest} if node.rest else set()
        elif isinstance(node, ast.Global):
            outside |= set(node.names)
        elif isinstance(node, ast.Nonlocal):
            nonlocals |= set(node.names)
        elif isinstance(node, (ast.Yield, ast.YieldFrom)):
            yields = True
        elif isinstance(node, ast.AsyncFor):
            names.add(waiting_name(node))
    return names - outside - nonlocals, outside, nonlocals, yields


def waiting_name(node: ast.AsyncFor) -> str:
    """Where an `async for` keeps its iterator."""
    return f".async.{node.lineno}.{node.col_offset}"


class Body:
    """A body while it is compiled: a module, function or class, and the body around it."""

    def __init__(self, kind: str, code: Code, around: Body | None, names: set[str], outside: set[str]) -> None:
        self.kind, self.code, self.around, self.names, self.outside = kind, code, around, names, outside
        self.renamed: list[dict[str, str]] = []  # what comprehensions bind, by the name that it has here
        self.exits: list[tuple[str, object]] = []  # what surrounds a statement: loops, try, with
        self.line = 1

    def own(self, name: str) -> str:
        """The name under which a comprehension of this body keeps a variable, or ""."""
        return next((names[name] for names in reversed(self.renamed) if name in names), "")

    def where(self, name: str) -> tuple[str, int, str]:
        """(local, class, free or global; how many functions up; the name it is kept under)."""
        found = self.own(name)
        if found:
            return "local", 0, found
        if self.kind == "module" or name in self.outside:
            return "global", 0, name
        if name in self.names:
            return ("class" if self.kind == "class" else "local"), 0, name
        depth, body = 1, self.around
        while body is not None:
            found = body.own(name)
            if body.kind == "module":
                return ("global", 0, found) if found else ("global" if self.kind == "function" else "class", 0, name)
            if body.kind == "function" or found:
                if found or name in body.names:
                    return "free", depth, found or name
                if name in body.outside:
                    return "global", 0, name
                depth += 1
            body = body.around
        return "global", 0, name
