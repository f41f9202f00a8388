"""Tracebacks as CPython prints them: frames, the line, and marks under what failed (PEP 657; none before 3.11).

Source: Lib/traceback.py's rules. 3.13 shows the lines of `-c` too, and marks a call by its parentheses.
"""

from __future__ import annotations

import ast
from typing import Any

from .machine import Machine
from .values import Instance

HIDDEN = tuple(f"lib:{name}" for name in ("builtins", "dataclasses", "collections", "functools", "itertools", "enum", "heapq", "signal", "socket"))
"""Modules that CPython has in C, or whose functions it makes without a file."""
Entry = tuple[str, str, str, tuple[int, int, int, int]]


def told(m: Machine, value: Instance, depth: int = 0) -> str:
    """An exception with its traceback, causes first."""
    out = ""
    cause, context = value.vars.get("__cause__"), value.vars.get("__context__")
    if depth < 8:
        if isinstance(cause, Instance):
            out += told(m, cause, depth + 1) + "\nThe above exception was the direct cause of the following exception:\n\n"
        elif isinstance(context, Instance) and not value.vars.get("__suppress_context__"):
            out += told(m, context, depth + 1) + "\nDuring handling of the above exception, another exception occurred:\n\n"
    trace = [one for one in reversed(value.vars.get("__trace__", [])) if one[2] not in HIDDEN]
    m.sys.charge(2000 + 200 * min(len(trace), 20))
    if trace:
        out += "Traceback (most recent call last):\n" + "".join(entries(m, trace))
    return out + last_line(m, value)


def last_line(m: Machine, value: Instance) -> str:
    name = value.cls.name
    module = value.cls.vars.get("__module__", "builtins")
    if module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    text = m.str(value) + str(value.vars.get("__hint__", ""))
    return f"{name}: {text}\n" if text else f"{name}\n"


def entries(m: Machine, trace: list[Any]) -> list[str]:
    """The lines of the frames; one that comes again and again is counted."""
    out: list[str] = []
    before: Any = None
    times = 0
    for entry in trace:
        same = (entry[0], entry[1], entry[3][0])
        times = times + 1 if same == before else 1
        before = same
        if times <= 3:
            out.append(_entry(m, entry))
        elif times == 4:
            out.append("")
        if times > 3:
            out[-1] = f"  [Previous line repeated {times - 3} more time{'s' * (times > 4)}]\n"
    return out


def _entry(m: Machine, entry: Entry) -> str:
    file, name, key, (line, begin, last, end) = entry
    out = f'  File "{file}", line {line}, in {name}\n'
    source = m.sources(key)
    version = m.facts.get("minor", 13)
    if source is None or (file == "<string>" and version < 13) or not 0 < line <= len(source.lines):
        return out
    text = source.lines[line - 1]
    bare = text.strip()
    if not bare:
        return out
    out += f"    {bare}\n"
    if version < 11:
        return out
    lead = len(text) - len(text.lstrip())
    raw = text.encode()
    start = len(raw[:begin].decode("utf-8", "replace")) - lead
    stop = (len(raw[:end].decode("utf-8", "replace")) if last == line else len(text.rstrip())) - lead
    marks = _marks(bare[start:stop], version) if last == line else "^" * (stop - start)
    whole = start <= 0 and stop >= len(bare)
    if stop > start and (not whole or (version >= 13 and "~" in marks) or (version < 13 and whole and "~" in marks)):
        out += "    " + " " * start + marks + "\n"
    return out


def _marks(text: str, version: int) -> str:
    """~~^~~ under an operator or a subscript, ^^^ elsewhere."""
    try:
        tree = ast.parse(f"({text}\n)").body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "^" * len(text)
    if not isinstance(tree, ast.Expr):
        return "^" * len(text)
    node = tree.value
    if isinstance(node, ast.BinOp):
        at = _after(text, (node.left.end_col_offset or 1) - 1)
        while at < len(text) and (text[at].isspace() or text[at] in ")\\"):
            at += 1
        wide = 2 if text[at : at + 2] in ("**", "//", "<<", ">>") else 1
        return "~" * at + "^" * wide + "~" * (len(text) - at - wide)
    if isinstance(node, ast.Subscript):
        at = text.find("[", _after(text, (node.value.end_col_offset or 1) - 1))
        return "~" * at + "^" * (len(text) - at)
    if isinstance(node, ast.Call) and version >= 13:
        at = text.find("(", _after(text, (node.func.end_col_offset or 1) - 1))
        return "~" * at + "^" * (len(text) - at)
    return "^" * len(text)


def _after(text: str, size: int) -> int:
    return len(text.encode()[:size].decode("utf-8", "replace"))
