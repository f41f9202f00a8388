"""Chance without state: every draw is a hash of the cluster's seed and a key, so nothing has to be checkpointed."""

from __future__ import annotations

from hashlib import blake2b

# S/apimachinery/pkg/util/rand/rand.go, alphanums: no vowels, no easily mistaken characters
ALPHANUMS = "bcdfghjklmnpqrstvwxz2456789"
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit of a UUID whose two high bits say that it is one of RFC 9562."""


class Randomness:
    """Draws for one cluster. A key is any sequence of strings and integers that names the decision."""

    __slots__ = ("_keyed",)

    def __init__(self, seed: int) -> None:
        self._keyed = blake2b(digest_size=16, key=str(seed).encode())  # copied for each draw: half the cost of keying anew

    def bits(self, *key: str | int) -> int:
        """128 bits."""
        return int.from_bytes(self._digest(key), "big")

    def integer(self, *key: str | int, below: int) -> int:
        return self.bits(*key) % below

    def fraction(self, *key: str | int) -> float:
        """A number in [0, 1)."""
        return (self.bits(*key) >> 75) / (1 << 53)

    def name(self, length: int, *key: str | int) -> str:
        """`length` characters for generated names."""
        bits, out = self.bits(*key), ""
        for _ in range(length):
            bits, digit = divmod(bits, len(ALPHANUMS))
            out += ALPHANUMS[digit]
        return out

    def uid(self, *key: str | int) -> str:
        """A version 4 UUID."""
        text = self._digest(key).hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{VARIANT[text[16]]}{text[17:20]}-{text[20:]}"

    def hexadecimal(self, length: int, *key: str | int) -> str:
        """`length` hex digits, for container ids and digests."""
        text, part = "", 0
        while len(text) < length:
            text += self._digest((*key, part)).hex()
            part += 1
        return text[:length]

    def _digest(self, key: tuple[str | int, ...]) -> bytes:
        drawn = self._keyed.copy()
        drawn.update("\x1f".join(map(str, key)).encode("utf-8", "surrogatepass"))
        return drawn.digest()
