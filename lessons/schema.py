"""What a lesson is made of, as plain frozen values. Pure: no Django, no engine. The files are read by loader.py.

A lesson is prose (`lesson.md`, one `##` heading a step) and data: `cluster.yaml` (how the cluster begins), `exercises.yaml`,
`quiz.yaml` and `solution.sh`. Unknown keys, missing texts and references to nothing fail at load, with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "보기": "watch",
    "예측": "predict",
    "해 보기": "do",
    "왜?": "why",
    "과제": "exercise",
    "되짚기": "debrief",
    "퀴즈": "quiz",
}
KIND_NAMES = {value: key for key, value in KINDS.items()}
HINTS = 3  # an exercise's
WRONG_WAYS = 2  # tempting ways that an exercise must list, at least


class LessonError(Exception):
    """A lesson file that says something it may not. `str()` names file, line and what to do."""

    def __init__(self, file: str, line: int, text: str) -> None:
        super().__init__(f"{file}:{line}: {text}")
        self.file, self.line, self.text = file, line, text


@dataclass(frozen=True)
class Choice:
    """One answer. A wrong one names the misconception it comes from, the sentence that corrects it and a command that shows it."""

    text: str  # HTML, one line
    correct: bool
    why: str  # HTML, one line
    misconception: int = 0  # a number of misconceptions.py; 0 of a right answer
    show: str = ""  # a command that makes the correction visible in the learner's own cluster; a right answer may have one too
    manual: str = ""  # the address of the page that backs `why`; a wrong one without its own has its misconception's


@dataclass(frozen=True)
class Question:
    id: str
    text: str  # HTML, one line
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Condition:
    """One checked wish of an exercise or step: `text` is what the learner reads, `check` the vocabulary's form (forms.py)."""

    text: str
    check: Mapping[str, Any]


@dataclass(frozen=True)
class Exercise:
    id: str
    title: str
    goal: str  # HTML: the wanted state in a few words
    conditions: tuple[Condition, ...]
    hints: tuple[str, ...]  # HTML
    solution: str  # shell text, as the learner would type it
    wrong: tuple[tuple[str, str], ...]  # (name, shell text): tempting ways that must not pass
    also: tuple[tuple[str, str], ...]  # (name, shell text): other ways that must pass too
    commands: int  # in the shortest known solution
    debrief: str = ""  # HTML
    files: Mapping[str, str] = field(default_factory=dict)  # manifests put into the editor when the exercise starts
    setup: str = ""  # shell text run when the learner presses the button that begins it
    power: tuple[Mapping[str, str], ...] = ()  # {"node", "power"}: faults after the setup

    @property
    def begins(self) -> bool:
        """Whether the learner begins it by a button: until then nothing is broken."""
        return bool(self.setup or self.power)


@dataclass(frozen=True)
class Step:
    id: str
    kind: str  # a value of KINDS
    title: str
    html: str
    conditions: tuple[Condition, ...] = ()  # of a "do" step: done when they hold
    questions: tuple[Question, ...] = ()
    exercise: Exercise | None = None
    commands: tuple[str | Mapping[str, str], ...] = ()  # what the prose tells the learner to type; {"node", "power"}: to press
    files: Mapping[str, str] = field(default_factory=dict)  # the manifests that the prose offers


@dataclass(frozen=True)
class Lesson:
    slug: str
    number: int
    title: str
    summary: str
    minutes: int
    steps: tuple[Step, ...]
    spec: Mapping[str, Any] | None
    manifests: str
    settle_seconds: float
    files: Mapping[str, str]  # the learner's files at the start
    manual: tuple[tuple[str, str], ...] = ()  # (title, URL) of the Kubernetes manual
    seeds: tuple[str, ...] = ()

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == step_id), None)

    def exercise(self, exercise_id: str) -> Exercise | None:
        return next((step.exercise for step in self.steps if step.exercise and step.exercise.id == exercise_id), None)

    def question(self, question_id: str) -> Question | None:
        return next((question for step in self.steps for question in step.questions if question.id == question_id), None)
