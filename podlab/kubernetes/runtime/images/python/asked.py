"""What operators, text and natives ask of the machine that runs them (machine.py): calls, costs, truth and attributes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from .values import Class


class Asked(ABC):
    natives: dict[str, Callable[..., Any]]
    builtins: dict[str, Any]
    kinds: dict[str, Class]
    large: int

    @abstractmethod
    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any: ...

    @abstractmethod
    def made(self, size: int) -> None: ...

    @abstractmethod
    def full(self) -> Exception: ...

    @abstractmethod
    def spend(self, steps: int) -> None: ...

    @abstractmethod
    def number_of(self, value: Any) -> int: ...

    @abstractmethod
    def percent(self, form: Any, values: Any) -> Any: ...

    @abstractmethod
    def items(self, value: Any, refused: str = "") -> Any: ...

    @abstractmethod
    def truth(self, value: Any) -> bool: ...

    @abstractmethod
    def has(self, value: Any, name: str) -> bool: ...

    @abstractmethod
    def attribute(self, of: Any, name: str) -> Any: ...

    @abstractmethod
    def class_item(self, of: Any, at: Any) -> Any: ...
