"""From text to the tree: how long and how deep a program may be, and SyntaxError in CPython's words."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache

SOURCE_MAX = 200_000
"""Characters of one program; reading these takes some 200 ms."""
DEPTH_MAX = 60
"""Brackets in brackets, and indented blocks in blocks."""


class TooMuch(Exception):
    """The program is longer or nested deeper than it may be here."""


def tree_of(text: str, file: str) -> ast.Module:
    """The parsed program. Raises SyntaxError, TooMuch."""
    if len(text) > SOURCE_MAX:
        raise TooMuch(f"the program is longer than {SOURCE_MAX} characters")
    _shallow(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, "<podlab>")  # never a path: the parser would read that file of this machine for its message
    except SyntaxError as error:
        lines = text.split("\n")
        if error.lineno and 0 < error.lineno <= len(lines):
            error.text = lines[error.lineno - 1]
        error.filename = file
        raise
    except (RecursionError, MemoryError, OverflowError):
        raise TooMuch("the program is nested too deeply") from None
    except ValueError as error:  # a null byte, a number of too many digits
        raise SyntaxError(str(error).replace("source code string", "source code"), (file, 1, 1, "")) from None
    _measure(tree)
    return tree


def _shallow(text: str) -> None:
    """Brackets deep in brackets and long chains of signs would cost the parser's own stack."""
    depth = 0
    for char in text:
        if char in "([{":
            depth += 1
            if depth > 5 * DEPTH_MAX:
                raise TooMuch("the program is nested too deeply")
        elif char in ")]}":
            depth = max(0, depth - 1)


def _measure(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    deep = 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        deep += 1
        if deep > 5 * DEPTH_MAX:
            raise TooMuch("the program is nested too deeply")


@lru_cache(maxsize=64)
def parsed(text: str, file: str) -> ast.Module:
    """As `tree_of`, remembered."""
    return tree_of(text, file)


def told(error: SyntaxError) -> str:
    """A SyntaxError as the interpreter prints it."""
    out = [f'  File "{error.filename}", line {error.lineno}\n']
    text = (error.text or "").rstrip("\n")
    if text.strip():
        bare = text.lstrip()
        out.append(f"    {bare}\n")
        begin = (error.offset or 1) - 1 - (len(text) - len(bare))
        end = (error.end_offset or 0) - 1 - (len(text) - len(bare))
        if begin >= 0:
            if end <= begin or error.end_lineno != error.lineno:
                end = begin + 1
            out.append("    " + " " * begin + "^" * min(200, end - begin) + "\n")
    return "".join(out) + f"{type(error).__name__}: {error.msg}\n"
