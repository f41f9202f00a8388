"""What a regular expression has found: the same to look at, whether `re` or linear.py's walk found it."""

from __future__ import annotations

from typing import Any, Protocol


class Match(Protocol):
    """What `re.Match` and `Found` have in common."""

    def __getitem__(self, group: int, /) -> Any: ...
    def start(self, group: int = 0, /) -> int: ...
    def end(self, group: int = 0, /) -> int: ...
    def groups(self) -> tuple[Any, ...]: ...


class Found:
    """A match, as `re.Match`."""

    __slots__ = ("_spans", "_text")

    def __init__(self, text: str, spans: list[int]) -> None:
        self._text, self._spans = text, spans

    def start(self, group: int = 0, /) -> int:
        return self._spans[2 * group]

    def end(self, group: int = 0, /) -> int:
        return self._spans[2 * group + 1]

    def __getitem__(self, number: int, /) -> Any:
        if not 0 <= 2 * number < len(self._spans):
            raise IndexError("no such group")
        return None if self._spans[2 * number + 1] < 0 else self._text[self._spans[2 * number] : self._spans[2 * number + 1]]

    def groups(self) -> tuple[Any, ...]:
        return tuple(self[number] for number in range(1, len(self._spans) // 2))
