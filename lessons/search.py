"""Full-text search over the course. Korean is cut into words by MeCab's morphological analysis (python-mecab-ko), so that 파드가, 파드를
and 파드에서 are all found by 파드; English words and commands are found as they are written.

The index is made in memory from the loaded lessons: a few hundred passages, ranked by BM25.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from mecab import MeCab

from lessons.glossary import Term
from lessons.prose import JOINER
from lessons.schema import KIND_NAMES, Lesson

K1, B = 1.2, 0.75  # BM25's usual constants (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009)
TITLE_WEIGHT = 4  # a word of a title counts as so many of the text
QUERY_MAX, RESULTS_MAX = 100, 20  # characters, passages
SNIPPET = 90  # characters on each side of the first word found
TAGS = re.compile(r"<[^>]+>")
LATIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:-]*")
# Tags of the Sejong corpus that carry meaning: nouns, verbs, adjectives, roots. Particles, endings and signs are left out.
MEANING = ("NNG", "NNP", "NNB", "NR", "VV", "VA", "XR", "MAG", "SN")


@dataclass(frozen=True)
class Passage:
    """A place that can be found."""

    url: str
    where: str  # lesson, or 용어집
    title: str
    text: str  # plain


@dataclass(frozen=True)
class Found:
    passage: Passage
    before: str  # the text around the first word found, which stands apart so that a page can mark it
    word: str
    after: str


@lru_cache(maxsize=1)
def _mecab() -> MeCab:
    return MeCab()


def words(text: str) -> list[str]:
    """The words of a text by which it is found, lower case."""
    latin = [word.lower().strip("./:-") for word in LATIN.findall(text)]
    parts = [part for word in latin for part in re.split(r"[./:_-]", word) if part and part != word]
    korean = [morpheme.surface for morpheme in _mecab().parse(LATIN.sub(" ", text)) if morpheme.pos.split("+")[0] in MEANING]
    return [*latin, *parts, *korean]


class Index:
    def __init__(self, passages: Iterable[Passage]) -> None:
        self.passages = list(passages)
        self._places: dict[str, dict[int, int]] = defaultdict(dict)  # word -> passage -> how often
        lengths = []
        for number, passage in enumerate(self.passages):
            counted = Counter(words(passage.text))
            for word in words(passage.title):
                counted[word] += TITLE_WEIGHT
            lengths.append(sum(counted.values()))
            for word, count in counted.items():
                self._places[word][number] = count
        self._lengths, self._mean = lengths, sum(lengths) / max(len(lengths), 1)

    def find(self, query: str) -> list[Found]:
        """The best passages first; all words must be there if any passage has them all, else any."""
        asked = list(dict.fromkeys(words(query[:QUERY_MAX])))
        known = [word for word in asked if word in self._places]
        if not known:
            return []
        scores: dict[int, float] = defaultdict(float)
        for word in known:
            places = self._places[word]
            rare = math.log(1 + (len(self.passages) - len(places) + 0.5) / (len(places) + 0.5))
            for number, count in places.items():
                long = 1 - B + B * self._lengths[number] / self._mean
                scores[number] += rare * count * (K1 + 1) / (count + K1 * long)
        whole = [n for n in scores if all(n in self._places[word] for word in known)]
        best = sorted(whole or scores, key=lambda number: (-scores[number], number))[:RESULTS_MAX]
        return [_shown(self.passages[number], known) for number in best]


def _shown(passage: Passage, known: list[str]) -> Found:
    lower = passage.text.lower()
    places = [(lower.find(word), word) for word in known if word in lower]
    at, word = min(places) if places else (0, "")
    start = max(at - SNIPPET, 0)
    return Found(passage, ("…" if start else "") + passage.text[start:at], passage.text[at:at + len(word)],
                 passage.text[at + len(word):at + len(word) + SNIPPET] + ("…" if len(passage.text) > at + SNIPPET else ""))


def plain(text: str) -> str:
    return " ".join(html.unescape(TAGS.sub(" ", text)).replace(JOINER, "").split())


def passages_of(lessons: Iterable[Lesson], terms: Iterable[Term]) -> list[Passage]:
    """Every step of every lesson, with its exercise and questions, and every term."""
    found = []
    for lesson in lessons:
        found.append(Passage(f"/lessons/{lesson.slug}/", f"{lesson.number}과", lesson.title, lesson.summary))
        for step in lesson.steps:
            more = [step.exercise.goal, step.exercise.title] if step.exercise else []
            more += [question.text for question in step.questions]
            found.append(Passage(f"/lessons/{lesson.slug}/#step-{step.id}", f"{lesson.number}과 {lesson.title} · {KIND_NAMES[step.kind]}",
                                 step.title, plain(" ".join([step.html, *more]))))
    found += [Passage(f"/glossary/#{term.id}", "용어집", f"{term.ko}({term.en})", term.means) for term in terms]
    return found
