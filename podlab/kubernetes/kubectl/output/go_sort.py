"""Go's sort.Sort: which of equals comes first is part of what kubectl prints, and that sort is not stable.

The pattern-defeating quicksort (Orson Peters) as Go's package `sort` has it since 1.19: up to 12 by insertion; a pivot that is the
median of three, of nine from 50 on; ranges that seem sorted are only looked over; unlucky ones are shuffled by a fixed xorshift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
INSERTION = 12  # up to this length
NINTHER = 50  # from this length on: the pivot is a median of medians, and a range that seems sorted is mended
SWAPS = 12  # the most exchanges that choosing a pivot takes: then the range runs backwards
MENDED = 5  # places out of order, at most, for a range to be mended by insertion
WORD = (1 << 64) - 1


def go_sort(values: Sequence[T], less: Callable[[T, T], bool]) -> list[T]:
    """The values in the order in which sort.Sort leaves them. `less(a, b)`: whether a belongs before b."""
    found = list(values)
    _Sort(found, less).quick(0, len(found), len(found).bit_length())
    return found


class _Sort:
    """A list being sorted in place; places are indices, ranges [a, b)."""

    def __init__(self, held: list[Any], less: Callable[[Any, Any], bool]) -> None:
        self.held, self._less, self.swaps = held, less, 0

    def less(self, i: int, j: int) -> bool:
        return self._less(self.held[i], self.held[j])

    def swap(self, i: int, j: int) -> None:
        self.held[i], self.held[j] = self.held[j], self.held[i]

    def quick(self, a: int, b: int, limit: int) -> None:
        balanced = partitioned = True
        while b - a > INSERTION:
            if limit == 0:
                self.heap(a, b)
                return
            if not balanced:
                self.shuffle(a, b)
                limit -= 1
            pivot, rising = self.pivot(a, b)
            if rising is False:
                self.held[a:b] = self.held[a:b][::-1]
                pivot, rising = (b - 1) - (pivot - a), True
            if balanced and partitioned and rising and self.mend(a, b):
                return
            if a > 0 and not self.less(a - 1, pivot):  # many equals
                a = self.split_equals(a, b, pivot)
                continue
            eighth = (b - a) // 8
            middle, partitioned = self.split(a, b, pivot)
            left, right = middle - a, b - middle
            balanced = min(left, right) >= eighth
            if left < right:
                self.quick(a, middle, limit)
                a = middle + 1
            else:
                self.quick(middle + 1, b, limit)
                b = middle
        self.insert(a, b)

    def insert(self, a: int, b: int) -> None:
        for i in range(a + 1, b):
            while i > a and self.less(i, i - 1):
                self.swap(i, i - 1)
                i -= 1

    def heap(self, a: int, b: int) -> None:
        for root in range((b - a - 1) // 2, -1, -1):
            self.sift(root, b - a, a)
        for last in range(b - a - 1, -1, -1):
            self.swap(a, a + last)
            self.sift(0, last, a)

    def sift(self, root: int, size: int, first: int) -> None:
        while (child := 2 * root + 1) < size:
            if child + 1 < size and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child

    def shuffle(self, a: int, b: int) -> None:
        """Exchanges three places in the middle with some that a generator seeded by the length names."""
        length = b - a
        state, mask = length, (1 << length.bit_length()) - 1
        middle = a + length // 4 * 2 - 1
        for i in range(3):
            state ^= (state << 13) & WORD
            state ^= state >> 7
            state ^= (state << 17) & WORD
            other = state & mask
            self.swap(middle - 1 + i, a + (other - length if other >= length else other))

    def pivot(self, a: int, b: int) -> tuple[int, bool | None]:
        """(a place, whether the range seems to rise; None: neither rises nor falls)."""
        quarter = (b - a) // 4
        i, j, k = a + quarter, a + quarter * 2, a + quarter * 3
        self.swaps = 0
        if b - a >= NINTHER:
            i, j, k = (self.median(at - 1, at, at + 1) for at in (i, j, k))
        j = self.median(i, j, k)
        return j, True if self.swaps == 0 else False if self.swaps == SWAPS else None

    def median(self, a: int, b: int, c: int) -> int:
        a, b = self.ordered(a, b)
        b, c = self.ordered(b, c)
        a, b = self.ordered(a, b)
        return b

    def ordered(self, a: int, b: int) -> tuple[int, int]:
        if self.less(b, a):
            self.swaps += 1
            return b, a
        return a, b

    def mend(self, a: int, b: int) -> bool:
        """Whether the range is in order, or was with a few places mended."""
        i = a + 1
        for _ in range(MENDED):
            while i < b and not self.less(i, i - 1):
                i += 1
            if i == b:
                return True
            if b - a < NINTHER:
                return False
            self.swap(i, i - 1)
            if i - a >= 2:
                j = i - 1
                while j >= 1 and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j -= 1
            if b - i >= 2:
                j = i + 1
                while j < b and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j += 1
        return False

    def split(self, a: int, b: int, pivot: int) -> tuple[int, bool]:
        """(where the pivot stands once less is before it and the rest behind, whether that was so already)."""
        self.swap(a, pivot)
        i, j = self.narrowed(a, a + 1, b - 1)
        already = i > j
        while i <= j:
            self.swap(i, j)
            i, j = self.narrowed(a, i + 1, j - 1)
        self.swap(j, a)
        return j, already

    def narrowed(self, pivot: int, i: int, j: int) -> tuple[int, int]:
        while i <= j and self.less(i, pivot):
            i += 1
        while i <= j and not self.less(j, pivot):
            j -= 1
        return i, j

    def split_equals(self, a: int, b: int, pivot: int) -> int:
        """Where what is greater than the pivot begins, all before being its equals."""
        self.swap(a, pivot)
        i, j = a + 1, b - 1
        while True:
            while i <= j and not self.less(a, i):
                i += 1
            while i <= j and self.less(a, j):
                j -= 1
            if i > j:
                return i
            self.swap(i, j)
            i, j = i + 1, j - 1
