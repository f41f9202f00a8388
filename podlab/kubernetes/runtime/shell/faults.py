"""How a shell ends before its time."""

from __future__ import annotations


class ShellExit(Exception):
    """The shell ends with this code (after its EXIT trap)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Fault(Exception):
    """What ends a shell that is not interactive: `text` follows `sh: `, or `sh: command: `; `code` is its exit code."""

    def __init__(self, text: str, code: int = 2, command: str = "") -> None:
        super().__init__(text)
        self.text, self.code, self.command = text, code, command


class ShellFault(Fault):
    """An error of the shell's grammar or of one of its own commands."""


class ExpansionFault(Fault):
    """An expansion that cannot be made: it ends the command too."""


class UnsetFault(ExpansionFault):
    """A parameter that had to be set is not: bash -c ends with 127 for it."""
