"""python at a terminal: >>> and what is typed after it, a statement at a time, its value shown.

The loop itself is Python (library/_interactive.py.txt). What is typed is kept as a text of the program's, so that it survives a checkpoint.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

from . import tracebacks
from .frames import SWITCH
from .machine import Machine
from .natives import native
from .parsing import TooMuch, told
from .statements import compiled
from .values import Frame, Instance, Module, Scope, Unknown

KEPT = 400
"""Statements that one session may type."""


@native("_interactive._begin")
def _begin(m: Machine) -> None:
    version = ".".join(str(one) for one in m.facts["version"])
    m.modules["typed"] = Module("__main__", {"__name__": "__main__", "__doc__": None, "__package__": None, "__spec__": None, "__annotations__": {}})
    m.sys.out(f"Python {version} (main, Aug 12 2025, 22:40:15) [GCC 12.2.0] on linux\n"
              'Type "help", "copyright", "credits" or "license" for more information.\n')  # fmt: skip


@native("_interactive._prompt")
def _prompt(m: Machine) -> str:
    return ">>> "


def _whole(text: str) -> bool:
    """Is a statement typed to its end? A block ends with an empty line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text[:20_000])
        except SyntaxError as error:
            said = str(error.msg)
            open_still = said.startswith(("unexpected EOF", "expected an indented block", "unterminated triple-quoted"))
            return not open_still and "was never closed" not in said
        except (ValueError, RecursionError, MemoryError):
            return True
    block = any(hasattr(one, "body") for one in tree.body)
    return not block or text.endswith("\n")


@native("_interactive._take")
def _take(m: Machine, text: str) -> bool:
    """Keeps what is to be run; False when more must be typed."""
    m.spend(100 + len(text) // 8)
    if not _whole(text):
        return False
    m.facts["typed"] = text
    return True


@native("_interactive._run")
def _run(m: Machine) -> Any:
    """Runs what was typed."""
    count = m.facts["count"] = int(m.facts.get("count", 0)) + 1
    if count > KEPT:
        raise Unknown("so long a session")
    file = f"<python-input-{count - 1}>" if m.facts["minor"] >= 13 else "<stdin>"
    key = f"typed:{count}"
    try:
        source = compiled(key, file, m.facts["typed"])
    except SyntaxError as error:
        m.sys.err(told(error))
        return None
    except (TooMuch, Unknown) as error:
        m.sys.err(f"podlab: this simulated python does not know {error}\n")
        return None
    m.texts[key] = source
    module = m.modules["typed"]
    frame = m.current.frames[-1]
    frame.stack.pop()
    m.push(Frame(source.bodies[0], Scope(module.vars), module, None, "call"))
    return SWITCH


@native("_interactive._show")
def _show(m: Machine, value: Any) -> None:
    """A statement's value (sys.displayhook)."""
    if value is not None:
        m.modules["typed"].vars["_"] = value
        m.sys.out(m.repr(value) + "\n")


@native("_interactive._report")
def _report(m: Machine, error: Instance) -> None:
    error.vars["__trace__"] = [one for one in error.vars.get("__trace__", []) if not one[2].startswith("lib:_interactive")]
    m.sys.err(tracebacks.told(m, error))
