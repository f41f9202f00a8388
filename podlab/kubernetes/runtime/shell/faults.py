"""How a shell ends before its time."""

from __future__ import annotations


class ShellExit(Exception):
    """The shell ends with this code (after its EXIT trap)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ShellFault(Exception):
    """An error that ends a shell which is not interactive. `text` is what follows `sh: `; `code` its exit code."""

    def __init__(self, text: str, code: int = 2, command: str = "") -> None:
        super().__init__(text)
        self.text, self.code, self.command = text, code, command
