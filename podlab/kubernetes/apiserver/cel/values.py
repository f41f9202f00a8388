"""What expressions come to beside JSON values, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

STEPS_MAX = 100_000  # a step takes about a microsecond; the real one counts cost units: 1,000,000 a call, 10,000,000 an object
TOO_MUCH = "operation cancelled: actual cost limit exceeded"  # cel-go's words where one call goes past PerCallLimit

Json = Any


class CelError(Exception):
    """An expression that cannot be read, or fails on a value; the text says why."""


class NoFunction(CelError):
    """A function is called that is not worked out here; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"undeclared reference to '{name}' (in this cluster)")
        self.name = name


class Misread(CelError):
    """The text of an expression is wrong at places that can be pointed at: (index in the text, words) each."""

    def __init__(self, *found: tuple[int, str]) -> None:
        super().__init__(found[0][1])
        self.found = found

    def pointed(self, text: str) -> str:
        return "\n".join(pointed(text, place, words) for place, words in self.found)


def pointed(text: str, place: int, words: str) -> str:
    """An error as cel-go prints it (common/error.go, ToDisplayString): the line, and under it an arrow."""
    begins = text.rfind("\n", 0, place) + 1
    line = text[begins:].split("\n", 1)[0]
    return f"ERROR: <input>:{text.count(chr(10), 0, place) + 1}:{place - begins + 1}: {words}\n | {line}\n | {'.' * (place - begins)}^"


class Spent(CelError):
    """All that the rules of a request may cost has been spent."""


@dataclass(frozen=True, slots=True)
class Maybe:
    """An optional value (cel-spec's optional syntax, a.?b): what is there, or nothing."""

    there: bool
    held: Json = None


@dataclass(frozen=True, slots=True)
class Authorizer:
    """`authorizer`, and what its methods narrow it to (apiserver/pkg/cel/library/authz.go). `ask`: (user, what is wanted) -> the verdict's status."""

    ask: Callable[[str, dict[str, str]], Mapping[str, Any]]
    user: str
    own: tuple[tuple[str, str], ...]  # what the request itself is about: requestResource
    wanted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a check of an Authorizer comes to."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A resource.Quantity."""

    of: Fraction
