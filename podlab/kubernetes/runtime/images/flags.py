"""A program's options as it was started with them."""

from __future__ import annotations

from ..process import Process


def flag(proc: Process, name: str, default: str = "") -> str:
    """--name value, --name=value (pflag)."""
    words = proc["argv"][1:]
    for at, word in enumerate(words):
        key, equals, value = word.partition("=")
        if key == f"--{name}":
            return value if equals else words[at + 1] if at + 1 < len(words) else default
    return default


def go_flag(proc: Process, name: str, default: str = "") -> str:
    """-name value, -name=value, with one dash or two (Go's package flag)."""
    words = proc["argv"][1:]
    for at, word in enumerate(words):
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key == name:
            return value if equals else words[at + 1] if at + 1 < len(words) else default
    return default
