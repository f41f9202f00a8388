"""Which checks belong to which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...resources import RESOURCES
from . import words
from .metadata import Errors, NameCheck

Object = Mapping[str, Any]


def nothing(*_: Any) -> None:
    """The check of what cannot be wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The checks of one kind."""

    bad_name: NameCheck = words.bad_subdomain
    create: Callable[[Object, Errors, Any], None] = nothing
    update: Callable[[Object, Object, Errors], None] = nothing
    status: Callable[[Object, Object, Errors], None] = nothing
    ephemeral_containers: Callable[[Object, Object, Errors], None] = nothing
    resize: Callable[[Object, Object, Errors], None] = nothing


KINDS: dict[str, Kind] = {resource.kind: Kind() for resource in RESOURCES}
