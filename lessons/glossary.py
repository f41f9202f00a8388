"""용어집: the course's terms, and a link from the first use of each in every lesson. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import yaml

# What may follow a noun: its particle, or the copula. Without this, 서비스 would be found in 서비스어카운트.
PARTICLES = """
    이라고 이라는 이라면 이라도 이라서 이란 이며 이고 이지만 이면 이나 입니다 이었다 이었 일 인 이 가 은 는 을 를 에서 에게 에는 에도 에 의
    와는 과는 와 과 으로는 으로 로는 로 라고 라는 라면 란 도 만 마다 처럼 보다 까지 부터 끼리 조차 나 며 뿐 안 밖 들이 들은 들을 들의 들과
    들에 들 하나 둘 셋
""".split()
AFTER = "(?=" + "|".join(sorted(PARTICLES, key=len, reverse=True)) + r"|[^가-힣A-Za-z]|\Z)"
TAGS = re.compile(r"(<[^>]*>)")
CLOSED = ("a", "code", "pre", "button", "h1", "h2", "h3", "h4", "th")  # inside of these nothing is linked


@dataclass(frozen=True)
class Term:
    ko: str
    en: str
    means: str

    @property
    def id(self) -> str:
        """Its place on the page: pod, init-container ..."""
        return re.sub(r"[^a-z0-9]+", "-", self.en.lower()).strip("-")


def load(path: Path) -> tuple[Term, ...]:
    """The terms of a glossary.yaml, in its order; none where there is no file."""
    if not path.is_file():
        return ()
    return tuple(Term(line["ko"], line["en"], line["means"]) for line in yaml.safe_load(path.read_text(encoding="utf-8")))


class Linker:
    """Links the first use of each term over several pieces of HTML, in their order."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms = {term.ko: term for term in terms}
        self._pattern = self._make()

    def _make(self) -> re.Pattern[str] | None:
        names = sorted(self._terms, key=len, reverse=True)
        return re.compile(r"(?<![가-힣A-Za-z])(" + "|".join(map(re.escape, names)) + ")" + AFTER) if names else None

    def link(self, html: str) -> str:
        inside: list[str] = []
        parts = TAGS.split(html)
        for place, part in enumerate(parts):
            if place % 2:
                _note(inside, part)
            elif not inside and self._pattern is not None:
                parts[place] = self._pattern.sub(self._linked, part)
                self._pattern = self._make() if "<a " in parts[place] else self._pattern
        return "".join(parts)

    def _linked(self, match: re.Match[str]) -> str:
        term = self._terms.pop(match[1], None)
        if term is None:  # the second time within one piece
            return match[0]
        return f'<a class="gloss" href="/glossary/#{term.id}" target="_blank" title="{escape(term.means)}">{match[1]}</a>'


def _note(inside: list[str], tag: str) -> None:
    """Keep track of which closed elements we are in."""
    name = tag.strip("</>").split()[0].lower() if tag.strip("</>") else ""
    if name not in CLOSED:
        return
    if tag.startswith("</"):
        if name in inside:
            inside.remove(name)
    elif not tag.endswith("/>"):
        inside.append(name)
