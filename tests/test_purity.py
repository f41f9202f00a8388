"""The engine and the projection are pure: no framework, no event loop, no wall clock, no ambient randomness."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = ["podlab.kubernetes", "podlab.projection"]
# Never loaded, not even by something that they import.
FRAMEWORKS = ["django", "channels", "asgiref", "twisted", "daphne", "asyncio"]
# Never imported by our own source (the standard library loads some of them for itself).
IMPURE = {
    *FRAMEWORKS,
    "threading", "_thread", "multiprocessing", "concurrent", "time", "random", "uuid", "secrets", "socket", "subprocess",
}  # fmt: skip
ALLOWED = {("podlab/kubernetes/randomness.py", "random")}
WALL_CLOCK = {"now", "utcnow", "today"}

IMPORT_EVERYTHING = f"""
import importlib, pkgutil, sys
for name in {PURE!r}:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
print(*sorted(set({FRAMEWORKS!r}) & set(sys.modules)))
"""

pytestmark = pytest.mark.slow

def sources() -> Iterator[Path]:
    for package in PURE:
        yield from sorted((ROOT / package.replace(".", "/")).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_importing_the_engine_and_the_projection_loads_no_framework() -> None:
    result = subprocess.run([sys.executable, "-c", IMPORT_EVERYTHING], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_source_is_pure(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text())
    assert {module for module in imported(tree) if module in IMPURE and (name, module) not in ALLOWED} == set()
    clocks = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in WALL_CLOCK]
    assert [ast.unparse(node) for node in clocks if ast.unparse(node.value) in {"datetime", "date", "datetime.datetime"}] == []
