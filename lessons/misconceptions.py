"""The wrong beliefs that the course knows, by number: what a wrong choice comes from, and what the class's map is drawn from."""

from functools import lru_cache
from pathlib import Path

import yaml

FILE = Path(__file__).resolve().parent / "course" / "misconceptions.yaml"


@lru_cache(maxsize=1)
def _entries() -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def known() -> dict[int, str]:
    """{number: sentence} of the course's list, in the list's order."""
    return {number: entry["wrong"] for number, entry in _entries().items()}


def manual(number: int) -> str:
    """The address of the manual's page that puts this belief right. KeyError for a number that is not in the list."""
    return _entries()[number]["manual"]
