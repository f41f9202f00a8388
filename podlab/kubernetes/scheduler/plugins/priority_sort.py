"""PrioritySort: higher priority first, then who has waited longer since they last came into the queue."""

from __future__ import annotations

from ...objects import Map
from ..framework import priority

Rank = tuple[int, int, int]


def rank(pod: Map, entered: int, sequence: int) -> Rank:
    """Sorts as the queue does. `entered` is the virtual time in ms; `sequence` tells those of one millisecond apart."""
    return (-priority(pod), entered, sequence)
