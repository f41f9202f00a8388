"""Lesson folders -> Lesson values. Every mistake is a LessonError with file and line. Pure: no Django, no engine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons.prose import fences, power
from lessons.schema import KINDS, Condition, Exercise, Lesson, LessonError, Question, Step
from lessons.source import Located, Member, Source
from lessons.tasks import condition, exercises, questions

FOLDER = re.compile(r"(\d\d)-([a-z0-9-]+)\Z")
HEADING = re.compile(r"## +(" + "|".join(map(re.escape, KINDS)) + r"): *(.+?) *(?:\{#([a-z0-9-]+)\})? *\Z")
DIRECTIVE = re.compile(r"\{\{(question|exercise|done): *(.+?) *\}\}\Z")
ASKS = ("predict", "quiz")  # the kinds of step that ask questions
NODE: dict[str, Member] = {"cpu": (str, int), "memory": str, "pods": (str, int), "labels": dict, "taints": list}


def load_all(folder: Path) -> list[Lesson]:
    """The lessons of a course folder, by number. Raises LessonError."""
    return sorted(map(load, folders(folder)), key=lambda lesson: lesson.number)


def folders(course: Path) -> list[Path]:
    """The lesson folders of a course folder; one without a lesson.md is no lesson yet."""
    return [path for path in sorted(course.iterdir()) if FOLDER.match(path.name) and (path / "lesson.md").exists()]


def load(folder: Path) -> Lesson:
    """One lesson's folder `NN-slug/`. Raises LessonError."""
    name = FOLDER.match(folder.name)
    if name is None:
        raise LessonError(folder.name, 1, "폴더 이름은 02-why-pods처럼 두 자리 수와 영어 소문자여야 합니다")
    source = Source(folder / "lesson.md")
    front, body, first_line = _front(source)
    cluster = _cluster(Source(folder / "cluster.yaml"))
    steps = _steps(source, body, first_line, exercises(folder), questions(Source(folder / "quiz.yaml")))
    return Lesson(
        slug=name.group(2),
        number=int(name.group(1)),
        title=front["title"],
        summary=front["summary"],
        minutes=front["minutes"],
        steps=steps,
        manual=tuple((entry["title"], entry["url"]) for entry in front.get("manual", ())),
        seeds=tuple(front.get("seeds", ())),
        **cluster,
    )


def _front(source: Source) -> tuple[Located, str, int]:
    """(the head's members, the body, the body's first line)"""
    text = source.text()
    match = re.match(r"---\n(.*?\n)---\n", text, re.DOTALL)
    if match is None:
        raise source.fail(1, "맨 위에 --- 로 둘러싼 머리말(title, summary, minutes)이 있어야 합니다")
    front = source.take(source.yaml(match.group(1), 2), {"title": str, "summary": str, "minutes": int}, {"manual": list, "seeds": list})
    for entry in front.get("manual", ()):
        source.take(entry, {"title": str, "url": str}, {}, front.at["manual"])
        if not entry["url"].startswith("https://"):
            raise source.fail(entry.at["url"], "설명서의 주소는 https://로 시작합니다")
    if not all(isinstance(seed, str) for seed in front.get("seeds", ())):
        raise source.fail(front.at["seeds"], '글감은 "000"처럼 따옴표로 둘러쌉니다')
    return front, text[match.end() :], text[: match.end()].count("\n") + 1


@dataclass
class _Draft:
    """A step while its lines are read."""

    line: int
    kind: str
    title: str
    id: str
    text: list[str] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    exercises: list[Exercise] = field(default_factory=list)


def _steps(source: Source, body: str, first_line: int, exercises: dict[str, Exercise], questions: dict[str, Question]) -> tuple[Step, ...]:
    drafts: list[_Draft] = []
    fence = ""
    for number, line in enumerate(body.split("\n"), first_line):
        if (mark := line.lstrip()[:3]) in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
        if not fence and line.startswith("## "):
            match = HEADING.match(line)
            if match is None:
                raise source.fail(number, f"걸음의 제목은 '## 보기: 제목 {{#id}}' 꼴입니다. 앞에 올 말: {', '.join(KINDS)}")
            drafts.append(_Draft(number, KINDS[match.group(1)], match.group(2), match.group(3) or f"step-{len(drafts) + 1}"))
        elif not drafts:
            if line.strip():
                raise source.fail(number, "첫 걸음(## 보기: ...)보다 앞에 글이 있습니다")
        elif not fence and line.startswith("{{"):
            _direct(source, number, line.rstrip(), drafts[-1], exercises, questions)
        else:
            drafts[-1].text.append(line)
    if fence:
        raise source.fail(first_line + body.count("\n"), f"{fence} 로 연 글상자를 닫지 않았습니다")
    _sound(source, first_line, drafts, exercises, questions)
    return tuple(_step(source, one) for one in drafts)


def _step(source: Source, draft: _Draft) -> Step:
    text = "\n".join(draft.text)
    blocks = fences(text)
    if any(language == "yaml" and not name for language, name, _ in blocks):
        raise source.fail(draft.line, "```yaml 뒤에 파일 이름을 적습니다: ```yaml web.yaml")
    return Step(
        draft.id,
        draft.kind,
        draft.title,
        source.html(draft.line, text),
        tuple(draft.conditions),
        tuple(draft.questions),
        draft.exercises[0] if draft.exercises else None,
        tuple(_act(source, draft.line, *block) for block in blocks if block[0] in ("sh", "power")),
        {name: content for language, name, content in blocks if language == "yaml"},
    )


def _act(source: Source, line: int, language: str, name: str, content: str) -> str | dict[str, str]:
    """What a learner does at a fence: types a command, or presses a power button."""
    if language == "sh":
        return content
    if fault := power(name):
        return fault
    raise source.fail(line, "```power node-2 off 꼴입니다. 끝의 말은 off, on, silent 가운데 하나입니다")


def _direct(source: Source, line: int, text: str, draft: _Draft, exercises: dict[str, Exercise], questions: dict[str, Question]) -> None:
    """`{{question: id}}`, `{{exercise: id}}` or `{{done: 글 | a check in flow YAML}}`, into the step."""
    match = DIRECTIVE.match(text)
    if match is None:
        raise source.fail(line, "{{question: id}}, {{exercise: id}}, {{done: 글 | {check}}} 가운데 하나여야 합니다")
    what, value = match.groups()
    if what == "question":
        if value not in questions:
            raise source.fail(line, f"quiz.yaml에 {value}(이)라는 문제가 없습니다")
        draft.questions.append(questions[value])
    elif what == "exercise":
        if value not in exercises:
            raise source.fail(line, f"exercises.yaml에 {value}(이)라는 과제가 없습니다")
        draft.exercises.append(exercises[value])
    else:
        words, bar, form = value.partition("|")
        if not bar or not words.strip():
            raise source.fail(line, "{{done: 글 | {check}}} 꼴이어야 합니다")
        found = condition(source, line, words.strip(), source.yaml(form, line))
        if "answers" in str(found.check):  # it takes a copy of the cluster, so it waits for 확인하기, which a step has not
            raise source.fail(line, "answers는 과제의 조건에만 씁니다. 걸음에서는 log나 typed로 봅니다")
        draft.conditions.append(found)


def _sound(source: Source, first_line: int, drafts: list[_Draft], exercises: dict[str, Exercise], questions: dict[str, Question]) -> None:
    """Raises LessonError unless every step has what its kind needs, and everything is used once."""
    seen: set[str] = set()
    for one in drafts:
        if one.id in seen:
            raise source.fail(one.line, f"걸음의 id {one.id}이(가) 겹칩니다")
        seen.add(one.id)
        if (one.kind in ASKS) != bool(one.questions):
            raise source.fail(one.line, "예측과 퀴즈에만, 그리고 반드시 {{question: id}}가 있어야 합니다")
        if (one.kind == "exercise") != bool(one.exercises) or len(one.exercises) > 1:
            raise source.fail(one.line, "과제에만, 그리고 반드시 하나의 {{exercise: id}}가 있어야 합니다")
        if one.kind == "do" and not one.conditions:
            raise source.fail(one.line, "해 보기에는 {{done: 글 | {check}}}가 있어야 합니다")
        if one.conditions and (one.questions or one.exercises):
            raise source.fail(one.line, "{{done: ...}}은 문제나 과제와 같은 걸음에 둘 수 없습니다")
    used = [q.id for one in drafts for q in one.questions] + [e.id for one in drafts for e in one.exercises]
    if twice := sorted({i for i in used if used.count(i) > 1}):
        raise source.fail(first_line, f"두 번 쓴 문제나 과제가 있습니다: {', '.join(twice)}")
    if unused := sorted((set(exercises) | set(questions)) - set(used)):
        raise source.fail(first_line, f"어느 걸음에서도 쓰지 않은 문제나 과제가 있습니다: {', '.join(unused)}")


def _plain(value: Any) -> Any:
    """The value as the engine takes it: its store knows plain maps and lists only."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _cluster(source: Source) -> dict[str, Any]:
    """The members of `Lesson` that cluster.yaml gives."""
    raw = source.yaml(source.text()) if source.path.exists() else None
    entry = source.take(raw or Located(), {}, {"nodes": list, "manifests": str, "settle": (int, float), "files": dict})
    nodes = [_plain(source.take(node, {"name": str}, NODE, entry.at["nodes"])) for node in entry.get("nodes", ())]
    return {
        "spec": {"nodes": nodes} if nodes else None,
        "manifests": entry.get("manifests", ""),
        "settle_seconds": float(entry.get("settle", 30)),
        "files": source.files(entry),
    }
