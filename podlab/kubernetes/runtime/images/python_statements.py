"""The Python that manifests carry in `python -c`: assignments, if, while, for, print, sleep, the environment, exit codes.

No interpreter: the text is parsed by `ast` and its statements are walked by a state machine whose state is plain data, so that a
script that sleeps survives a checkpoint. What lies beyond (functions, classes, files, modules) is refused in one honest line.

proc["data"]: "names" {name: value}, "stack" [[path to a block, next statement, the loop's items or None, next item]], "until" ms.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from ..process import Data, Process
from ..system import Sys

STEPS = 20_000  # of one turn: then the machine has its say
MODULES = ("os", "sys", "time", "random", "socket", "datetime", "math")
LONG = 100_000  # characters or items of a value

BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}  # fmt: skip
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b, ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip
PLAIN: dict[str, Callable[..., Any]] = {"int": int, "str": str, "float": float, "len": len, "bool": bool, "abs": abs, "min": min, "max": max,
                                        "sum": sum, "round": round, "sorted": sorted, "list": list}  # fmt: skip
METHODS = ("upper", "lower", "strip", "split", "join", "startswith", "endswith", "replace", "format", "get", "append", "isdigit", "rpartition",
           "partition", "rsplit", "items", "keys", "values")  # fmt: skip


class Beyond(Exception):
    """Something that is not walked here."""


class Exit(Exception):
    """sys.exit(code)."""

    def __init__(self, code: int, text: str = "") -> None:
        self.code, self.text = code, text


def run(proc: Process, sys: Sys, code: str) -> int:
    """Goes on with a script until it ends (its exit code) or sleeps (raises Blocked)."""
    data = proc["data"]
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        sys.err(f'  File "<string>", line {error.lineno}\nSyntaxError: {error.msg}\n')
        return 1
    if "stack" not in data:
        data.update(stack=[[[], 0, None, 0]], names={})
    if data.pop("until", 0) > sys.now:
        raise AssertionError("woken too early")
    walker = _Walker(proc, sys, tree)
    try:
        while data["stack"]:
            for _ in range(STEPS):
                if not data["stack"]:
                    return 0
                walker.step()
            sys.charge(STEPS * 5)
            _pause(sys, data, 1)
    except Exit as end:
        if end.text:
            sys.err(end.text + "\n")
        return end.code
    except Beyond as error:
        sys.err(f"podlab: no Python interpreter here, this line cannot run: {error}\n")
        return 1
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        sys.err(f'Traceback (most recent call last):\n  File "<string>", line {walker.line}, in <module>\n{type(error).__name__}: {error}\n')
        return 1
    return 0


def _pause(sys: Sys, data: Data, ms: int) -> None:
    data["until"] = sys.now + ms
    sys.sleep(ms)


class _Walker:
    def __init__(self, proc: Process, sys: Sys, tree: ast.Module) -> None:
        self.proc, self.sys, self.data, self.tree, self.line = proc, sys, proc["data"], tree, 1

    # Statements.
    def node(self, path: list[Any]) -> Any:
        found: Any = self.tree
        for step in path:
            found = found[step] if isinstance(step, int) else getattr(found, step)
        return found

    def step(self) -> None:
        """One statement, or the end of a block."""
        frame = self.data["stack"][-1]
        path, at, items, nth = frame
        block: list[ast.stmt] = self.node(path) if path else self.tree.body
        if at < len(block):
            frame[1] += 1
            self.line = block[at].lineno
            self.statement(block[at], [*(path or ["body"]), at])
            return
        owner: Any = self.node(path[:-1]) if len(path) > 1 else None
        if items is not None and nth < len(items):
            frame[1], frame[3] = 0, nth + 1
            self.assign(owner.target, items[nth])
        elif isinstance(owner, ast.While) and self.value(owner.test):
            frame[1] = 0
        else:
            self.data["stack"].pop()

    def statement(self, node: ast.stmt, path: list[Any]) -> None:
        stack = self.data["stack"]
        if isinstance(node, ast.Expr):
            self.call(node.value) if isinstance(node.value, ast.Call) else self.value(node.value)
        elif isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.assign(target, value)
        elif isinstance(node, ast.AugAssign):
            self.assign(node.target, self.binary(node.op, self.value(ast.Name(node.target.id)), self.value(node.value))
                        if isinstance(node.target, ast.Name) else self.beyond(node))  # fmt: skip
        elif isinstance(node, ast.If):
            member = "body" if self.value(node.test) else "orelse"
            if getattr(node, member):
                stack.append([[*path, member], 0, None, 0])
        elif isinstance(node, ast.While) and not node.orelse:
            if self.value(node.test):
                stack.append([[*path, "body"], 0, None, 0])
        elif isinstance(node, ast.For) and not node.orelse:
            items = list(self.value(node.iter))
            if items:
                self.assign(node.target, items[0])
                stack.append([[*path, "body"], 0, items, 1])
        elif isinstance(node, (ast.Break, ast.Continue)):
            while not isinstance(self.node(stack[-1][0][:-1]), (ast.While, ast.For)):
                stack.pop()
            if isinstance(node, ast.Break):
                stack.pop()
            else:
                stack[-1][1] = len(self.node(stack[-1][0]))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            for name in names:
                if name.partition(".")[0] not in MODULES:
                    raise Beyond(ast.unparse(node))
        elif isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc).startswith(("SystemExit", "Exception", "ValueError")):
            self.raised(node.exc)
        elif not isinstance(node, ast.Pass):
            self.beyond(node)

    def raised(self, error: ast.expr) -> None:
        values = [self.value(one) for one in error.args] if isinstance(error, ast.Call) else []
        name = ast.unparse(error.func) if isinstance(error, ast.Call) else ast.unparse(error)
        if name == "SystemExit":
            raise Exit(values[0] if values and isinstance(values[0], int) else 0)
        said = f": {values[0]}" if values else ""
        raise Exit(1, f'Traceback (most recent call last):\n  File "<string>", line {self.line}, in <module>\n{name}{said}')

    def beyond(self, node: ast.AST) -> Any:
        raise Beyond(ast.unparse(node)[:120])

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.data["names"][target.id] = value
        elif isinstance(target, ast.Tuple):
            for one, item in zip(target.elts, value, strict=True):
                self.assign(one, item)
        elif isinstance(target, ast.Subscript):
            self.value(target.value)[self.value(target.slice)] = value
        else:
            self.beyond(target)

    # Expressions.
    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            if node.id not in self.data["names"]:
                raise Exit(1, f'Traceback (most recent call last):\n  File "<string>", line {self.line}, in <module>\n'
                              f"NameError: name '{node.id}' is not defined")  # fmt: skip
            return self.data["names"][node.id]
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.value(one) for one in node.elts]
        if isinstance(node, ast.Dict):
            return {self.value(key): self.value(value) for key, value in zip(node.keys, node.values, strict=True) if key is not None}
        if isinstance(node, ast.BinOp):
            return self.binary(node.op, self.value(node.left), self.value(node.right))
        if isinstance(node, ast.UnaryOp):
            value = self.value(node.operand)
            return not value if isinstance(node.op, ast.Not) else -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BoolOp):
            result: Any = None
            for one in node.values:
                result = self.value(one)
                if bool(result) != isinstance(node.op, ast.And):
                    break
            return result
        if isinstance(node, ast.Compare):
            left = self.value(node.left)
            for sign, other in zip(node.ops, node.comparators, strict=True):
                right = self.value(other)
                if not COMPARE[type(sign)](left, right):
                    return False
                left = right
            return True
        if isinstance(node, ast.IfExp):
            return self.value(node.body if self.value(node.test) else node.orelse)
        if isinstance(node, ast.JoinedStr):
            return "".join(str(self.value(one.value if isinstance(one, ast.FormattedValue) else one)) for one in node.values)
        if isinstance(node, ast.Subscript):
            return self.subscript(node)
        return self.call(node) if isinstance(node, ast.Call) else self.beyond(node)

    def subscript(self, node: ast.Subscript) -> Any:
        name = ast.unparse(node.value)
        if name == "os.environ":
            return self.proc["env"][self.value(node.slice)]
        if name == "sys.argv":
            return ["-c", *self.proc["argv"][3:]][self.value(node.slice)]
        return self.value(node.value)[self.value(node.slice)]

    def binary(self, sign: ast.operator, left: Any, right: Any) -> Any:
        if type(sign) not in BINARY:
            raise Beyond(ast.dump(sign))
        if isinstance(sign, ast.Mult) and isinstance(left if isinstance(right, int) else right, (str, list)):
            sizes = [one if isinstance(one, int) else len(one) for one in (left, right)]
            if sizes[0] * sizes[1] > LONG:
                raise Exit(1, "MemoryError")
        result = BINARY[type(sign)](left, right)
        if (isinstance(result, (str, list)) and len(result) > LONG) or (isinstance(result, int) and result.bit_length() > LONG):
            raise Exit(1, "MemoryError")
        return result

    def call(self, node: ast.Call) -> Any:
        name, sys = ast.unparse(node.func), self.sys
        if any(isinstance(one, ast.Starred) for one in node.args):
            self.beyond(node)
        values = [self.value(one) for one in node.args]
        options = {one.arg: self.value(one.value) for one in node.keywords if one.arg and ast.unparse(one.value) not in ("sys.stderr", "sys.stdout")}
        if name == "print":
            text = str(options.get("sep", " ")).join(map(str, values)) + str(options.get("end", "\n"))
            errors = any(one.arg == "file" and ast.unparse(one.value) == "sys.stderr" for one in node.keywords)
            return sys.err(text) if errors else sys.out(text)
        if name in ("sys.exit", "exit", "quit", "os._exit"):
            value = values[0] if values else 0
            raise Exit(1, value) if isinstance(value, str) else Exit(int(value or 0))
        if name in ("time.sleep", "sleep"):
            return _pause(sys, self.data, round(float(values[0]) * 1000))
        if name in ("os.environ.get", "os.getenv"):
            return self.proc["env"].get(values[0], values[1] if len(values) > 1 else None)
        if name in ("sys.stdout.write", "sys.stderr.write"):
            return (sys.out if "stdout" in name else sys.err)(str(values[0]))
        if name == "sys.stdout.flush":
            return None
        if name in ("random.random", "random"):
            return sys.random(1 << 20) / (1 << 20)
        if name in ("random.randint", "randint"):
            return values[0] + sys.random(values[1] - values[0] + 1)
        if name == "random.choice":
            return values[0][sys.random(len(values[0]))]
        if name in ("time.time", "time"):
            return sys.now / 1000
        if name == "socket.gethostname":
            return sys.hostname
        if name == "range":
            numbers = range(*values)
            return list(numbers[:LONG])
        if name in PLAIN:
            return PLAIN[name](*values)
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            result = getattr(self.value(node.func.value), node.func.attr)(*values, **options)
            return list(result) if node.func.attr in ("items", "keys", "values", "partition", "rpartition") else result
        return self.beyond(node)
