"""What the terminals of one cluster have shown lately, for who looks over a learner's shoulder. In memory, bounded, gone when it sleeps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

PIECES_KEPT, CHARACTERS_KEPT = 400, 200_000


class Transcript:
    """Fragments for #terminal-log, in their order."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._size = 0
        self.readers: set[Callable[[str], None]] = set()

    def add(self, html: str) -> None:
        self._pieces.append(html)
        self._size += len(html)
        while len(self._pieces) > PIECES_KEPT or self._size > CHARACTERS_KEPT:
            self._size -= len(self._pieces.popleft())
        for reader in list(self.readers):
            reader(html)

    def pieces(self) -> list[str]:
        return list(self._pieces)
