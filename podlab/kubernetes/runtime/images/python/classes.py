"""The built-in classes: object, the types, and Python's exceptions with their family tree (docs.python.org, "Exception hierarchy")."""

from __future__ import annotations

from typing import Any

from .values import Class, Instance, Raised

OBJECT = Class("object", [], {}, "object")
CLASSES: dict[str, Class] = {"object": OBJECT}

TYPES = ("type", "int", "float", "str", "bytes", "bytearray", "list", "tuple", "dict", "set", "frozenset", "range", "slice", "NoneType", "function",
         "method", "module", "generator", "property", "staticmethod", "classmethod", "builtin_function_or_method")  # fmt: skip
TREE = """
BaseException
 BaseExceptionGroup
 GeneratorExit
 KeyboardInterrupt
 SystemExit
 Exception
  ArithmeticError
   FloatingPointError
   OverflowError
   ZeroDivisionError
  AssertionError
  AttributeError
  BufferError
  EOFError
  ImportError
   ModuleNotFoundError
  LookupError
   IndexError
   KeyError
  MemoryError
  NameError
   UnboundLocalError
  OSError
   BlockingIOError
   ChildProcessError
   ConnectionError
    BrokenPipeError
    ConnectionAbortedError
    ConnectionRefusedError
    ConnectionResetError
   FileExistsError
   FileNotFoundError
   InterruptedError
   IsADirectoryError
   NotADirectoryError
   PermissionError
   ProcessLookupError
   TimeoutError
  ReferenceError
  RuntimeError
   NotImplementedError
   RecursionError
  StopAsyncIteration
  StopIteration
  SyntaxError
   IndentationError
  SystemError
  TypeError
  ValueError
   UnicodeError
    UnicodeDecodeError
    UnicodeEncodeError
  Warning
   DeprecationWarning
   RuntimeWarning
   UserWarning
"""


def _build() -> None:
    for name in TYPES:
        CLASSES[name] = Class(name, [OBJECT], {}, name)
    CLASSES["bool"] = Class("bool", [CLASSES["int"]], {}, "bool")
    above: list[Class] = [OBJECT]
    for line in TREE.strip("\n").split("\n"):
        depth = len(line) - len(line.lstrip())
        del above[depth + 1 :]
        name = line.strip()
        CLASSES[name] = Class(name, [above[-1]], {}, "exception")
        above.append(CLASSES[name])


_build()
BASE_EXCEPTION = CLASSES["BaseException"]


def problem(name: str, *args: Any) -> Raised:
    """A built-in exception, to be raised."""
    return Raised(Instance(CLASSES[name], {"args": tuple(args)}))


ERRNOS = {
    "EPERM": (1, "PermissionError"), "ENOENT": (2, "FileNotFoundError"), "ESRCH": (3, "ProcessLookupError"), "EINTR": (4, "InterruptedError"),
    "EIO": (5, "OSError"), "ENXIO": (6, "OSError"), "ENOEXEC": (8, "OSError"), "EBADF": (9, "OSError"), "ECHILD": (10, "ChildProcessError"),
    "EAGAIN": (11, "BlockingIOError"), "ENOMEM": (12, "OSError"), "EACCES": (13, "PermissionError"), "EBUSY": (16, "OSError"),
    "EEXIST": (17, "FileExistsError"), "EXDEV": (18, "OSError"), "ENOTDIR": (20, "NotADirectoryError"), "EISDIR": (21, "IsADirectoryError"),
    "EINVAL": (22, "OSError"), "ENOTTY": (25, "OSError"), "ENOSPC": (28, "OSError"), "EROFS": (30, "OSError"), "EPIPE": (32, "BrokenPipeError"),
    "ENAMETOOLONG": (36, "OSError"), "ENOTEMPTY": (39, "OSError"), "ELOOP": (40, "OSError"), "EADDRINUSE": (98, "OSError"),
    "EADDRNOTAVAIL": (99, "OSError"), "ENETUNREACH": (101, "OSError"), "ECONNRESET": (104, "ConnectionResetError"),
    "ETIMEDOUT": (110, "TimeoutError"), "ECONNREFUSED": (111, "ConnectionRefusedError"), "EHOSTUNREACH": (113, "OSError"),
}  # fmt: skip
"""Linux's numbers (errno(3)) and the class that Python gives each (PEP 3151)."""


def os_error(name: str, text: str, path: Any = None) -> Raised:
    """The OSError of an errno."""
    number, cls = ERRNOS.get(name, (5, "OSError"))
    made = problem(cls, number, text)
    made.value.vars.update(errno=number, strerror=text, filename=path)
    return made
