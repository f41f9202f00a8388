"""Who is who in a container: the users and groups that /etc/passwd and /etc/group name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from .image import Entry, Image


@lru_cache(maxsize=256)
def users(text: str) -> tuple[tuple[str, ...], ...]:
    """The users of an /etc/passwd (passwd(5)): name, password, uid, gid, comment, home, shell."""
    return tuple(tuple(line.split(":")) for line in text.split("\n") if line.count(":") >= 6)


@lru_cache(maxsize=256)
def _members(text: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Number and members of the groups of an /etc/group (group(5)) that have members."""
    rows = [line.split(":") for line in text.split("\n") if line.count(":") == 3]
    return tuple((int(row[2]), tuple(row[3].split(","))) for row in rows if row[3] and row[2].isdigit())


def groups(image: Image) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The groups that an image's /etc/group names members of (containerd's WithAdditionalGIDs reads it there)."""
    return _members(_etc(image, "group"))


def users_of(image: Image) -> tuple[tuple[str, ...], ...]:
    """The users of an image's /etc/passwd, where containerd looks for whom a container runs as (WithUser)."""
    return users(_etc(image, "passwd"))


def _etc(image: Image, file: str) -> str:
    """The text of a file in /etc; "" where there is none."""
    etc = image.tree.get("etc")
    held = etc.get(file) if isinstance(etc, Mapping) else None
    return held if isinstance(held, str) else held.content if isinstance(held, Entry) and held.children is None else ""
