"""Lesson folders -> Lesson values. Every mistake is a LessonError with file and line. Pure: no Django, no engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lessons.checks import problems
from lessons.prose import render
from lessons.schema import KINDS, HINTS, Choice, Condition, Exercise, Lesson, LessonError, Question, Step

FOLDER = re.compile(r"(\d\d)-([a-z0-9-]+)\Z")
HEADING = re.compile(r"^## +(보기|예측|해 보기|왜\?|과제|되짚기|퀴즈): *(.+?) *(?:\{#([a-z0-9-]+)\})? *$")
LINE = "__line__"


class _Loader(yaml.SafeLoader):
    """YAML whose maps remember the line they began on."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        found = super().construct_mapping(node, deep=True)
        found[LINE] = node.start_mark.line + 1
        return found


class Source:
    """One YAML file, read strictly: `take` names every key that may be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, line: int, text: str) -> LessonError:
        return LessonError(f"{self.path.parent.name}/{self.path.name}", line, text)

    def read(self) -> Any:
        if not self.path.exists():
            return None
        try:
            return yaml.load(self.path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  (a SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self.fail(line, f"YAML이 아닙니다: {error.problem}") from error

    def take(self, entry: Any, required: Mapping[str, type], optional: Mapping[str, type]) -> dict[str, Any]:
        """The members of a map, each of its type; anything else is refused."""
        if not isinstance(entry, dict):
            raise self.fail(1, f"맵이 와야 할 곳에 {type(entry).__name__}이(가) 있습니다")
        line = entry.get(LINE, 1)
        known = {**required, **optional}
        for key, value in entry.items():
            if key == LINE:
                continue
            if key not in known:
                raise self.fail(line, f"모르는 키 {key!r}입니다. 쓸 수 있는 키: {', '.join(sorted(known))}")
            if not isinstance(value, known[key]) or (known[key] is int and isinstance(value, bool)):
                raise self.fail(line, f"{key}에는 {known[key].__name__}이(가) 와야 합니다")
        for key in required:
            if key not in entry:
                raise self.fail(line, f"{key}이(가) 빠졌습니다")
        return {key: value for key, value in entry.items() if key != LINE}


def load_all(folder: Path) -> list[Lesson]:
    """The lessons of a course folder, by number. Raises LessonError."""
    lessons = [load(path) for path in sorted(folder.iterdir()) if path.is_dir() and FOLDER.match(path.name)]
    return sorted(lessons, key=lambda lesson: lesson.number)


def load(folder: Path) -> Lesson:
    """One lesson's folder `NN-slug/`. Raises LessonError."""
    name = FOLDER.match(folder.name)
    if name is None:
        raise LessonError(folder.name, 1, "폴더 이름은 02-why-pods처럼 두 자리 수와 영어 소문자여야 합니다")
    text = (folder / "lesson.md").read_text(encoding="utf-8")
    front, body, first_line = _front(folder, text)
    exercises = _exercises(folder)
    questions = _questions(folder)
    cluster = _cluster(folder)
    steps = _steps(folder, body, first_line, exercises, questions)
    manual = tuple((entry["title"], entry["url"]) for entry in front.get("manual", []))
    return Lesson(slug=name.group(2), number=int(name.group(1)), title=front["title"], summary=front["summary"], minutes=front["minutes"],
                  steps=tuple(steps), spec=cluster.get("spec"), manifests=cluster.get("manifests", ""),
                  settle_seconds=float(cluster.get("settle", 30)), files=cluster.get("files", {}), manual=manual,
                  seeds=tuple(str(seed) for seed in front.get("seeds", [])))


def _front(folder: Path, text: str) -> tuple[dict[str, Any], str, int]:
    source = Source(folder / "lesson.md")
    match = re.match(r"---\n(.*?\n)---\n", text, re.DOTALL)
    if match is None:
        raise source.fail(1, "맨 위에 --- 로 둘러싼 머리말(title, summary, minutes)이 있어야 합니다")
    front = source.take(yaml.load(match.group(1), _Loader), {"title": str, "summary": str, "minutes": int},  # noqa: S506
                        {"manual": list, "seeds": list})
    for entry in front.get("manual", []):
        source.take(entry, {"title": str, "url": str}, {})
    return front, text[match.end():], text[: match.end()].count("\n") + 1


def _steps(folder: Path, body: str, first_line: int, exercises: dict[str, Exercise], questions: dict[str, Question]) -> list[Step]:
    source = Source(folder / "lesson.md")
    found: list[tuple[int, str, str, str, list[str]]] = []
    for number, line in enumerate(body.split("\n"), first_line):
        if line.startswith("## "):
            match = HEADING.match(line)
            if match is None:
                raise source.fail(number, f"걸음의 제목은 '## 보기: 제목 {{#id}}' 꼴입니다. 앞에 올 말: {', '.join(KINDS)}")
            found.append((number, KINDS[match.group(1)], match.group(2), match.group(3) or f"step-{len(found) + 1}", []))
        elif found:
            found[-1][4].append(line)
        elif line.strip():
            raise source.fail(number, "첫 걸음(## 보기: ...)보다 앞에 글이 있습니다")
    steps = []
    for number, kind, title, step_id, lines in found:
        text, conditions, used_questions, exercise = _directives(source, number, "\n".join(lines), exercises, questions)
        if kind in ("predict", "quiz") and not used_questions:
            raise source.fail(number, "예측과 퀴즈에는 {{question: id}}가 있어야 합니다")
        if kind == "exercise" and exercise is None:
            raise source.fail(number, "과제에는 {{exercise: id}}가 있어야 합니다")
        steps.append(Step(step_id, kind, title, render(text), tuple(conditions), tuple(used_questions), exercise))
    ids = [step.id for step in steps]
    if len(set(ids)) != len(ids):
        raise source.fail(first_line, f"걸음의 id가 겹칩니다: {sorted({i for i in ids if ids.count(i) > 1})}")
    unused = (set(exercises) - {s.exercise.id for s in steps if s.exercise}) | (set(questions) - {q.id for s in steps for q in s.questions})
    if unused:
        raise source.fail(first_line, f"어느 걸음에서도 쓰지 않은 과제나 문제가 있습니다: {', '.join(sorted(unused))}")
    return steps


DIRECTIVE = re.compile(r"^\{\{(question|exercise|done): *(.+?)\}\}$", re.MULTILINE)


def _directives(source: Source, line: int, text: str, exercises: dict[str, Exercise],
                questions: dict[str, Question]) -> tuple[str, list[Condition], list[Question], Exercise | None]:
    """`{{question: id}}`, `{{exercise: id}}`, `{{done: 글 | check as flow YAML}}` out of a step's text."""
    conditions: list[Condition] = []
    used: list[Question] = []
    exercise: Exercise | None = None
    for match in DIRECTIVE.finditer(text):
        what, value = match.groups()
        at = line + text[: match.start()].count("\n") + 1
        if what == "question":
            if value not in questions:
                raise source.fail(at, f"quiz.yaml에 {value}(이)라는 문제가 없습니다")
            used.append(questions[value])
        elif what == "exercise":
            if value not in exercises:
                raise source.fail(at, f"exercises.yaml에 {value}(이)라는 과제가 없습니다")
            exercise = exercises[value]
        else:
            words, bar, form = value.partition("|")
            if not bar:
                raise source.fail(at, "{{done: 글 | {check: ...}}} 꼴이어야 합니다")
            conditions.append(_condition(source, at, words.strip(), yaml.safe_load(form)))
    return DIRECTIVE.sub("", text), conditions, used, exercise


def _condition(source: Source, line: int, text: str, check: Any) -> Condition:
    if isinstance(check, dict):
        check = {key: value for key, value in check.items() if key != LINE}
    if found := problems(check):
        raise source.fail(line, found)
    return Condition(text, check)


def _exercises(folder: Path) -> dict[str, Exercise]:
    source = Source(folder / "exercises.yaml")
    solutions = _solutions(folder)
    out: dict[str, Exercise] = {}
    for raw in source.read() or []:
        line = raw.get(LINE, 1) if isinstance(raw, dict) else 1
        entry = source.take(raw, {"id": str, "title": str, "goal": str, "conditions": list, "hints": list, "wrong": list},
                            {"debrief": str, "files": dict, "setup": str})
        if len(entry["hints"]) != HINTS:
            raise source.fail(line, f"힌트는 {HINTS}개여야 합니다")
        if entry["id"] not in solutions:
            raise source.fail(line, f"solution.sh에 '# {entry['id']}' 부분이 없습니다")
        conditions = []
        for one in entry["conditions"]:
            told = source.take(one, {"text": str, "check": dict}, {})
            conditions.append(_condition(source, one.get(LINE, line), told["text"], told["check"]))
        wrong = [source.take(one, {"name": str, "run": str}, {}) for one in entry["wrong"]]
        solution = solutions[entry["id"]]
        out[entry["id"]] = Exercise(
            entry["id"], entry["title"], render(entry["goal"]), tuple(conditions), tuple(render(hint) for hint in entry["hints"]), solution,
            tuple((one["name"], one["run"]) for one in wrong), _count_commands(solution), render(entry.get("debrief", "")),
            {key: value for key, value in entry.get("files", {}).items() if key != LINE}, entry.get("setup", ""))
    return out


def _solutions(folder: Path) -> dict[str, str]:
    """solution.sh in parts: a line `# id` begins the solution of that exercise."""
    path = folder / "solution.sh"
    out: dict[str, str] = {}
    current = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if match := re.match(r"# ([a-z0-9-]+)$", line):
            current = match.group(1)
            out[current] = ""
        elif current:
            out[current] += line + "\n"
    return out


def _count_commands(solution: str) -> int:
    """kubectl calls in a solution: what is shown beside the learner's own number."""
    return max(1, len(re.findall(r"(?:^|\| *)kubectl ", solution, re.MULTILINE)))


def _questions(folder: Path) -> dict[str, Question]:
    source = Source(folder / "quiz.yaml")
    out: dict[str, Question] = {}
    for raw in source.read() or []:
        line = raw.get(LINE, 1) if isinstance(raw, dict) else 1
        entry = source.take(raw, {"id": str, "text": str, "choices": list}, {})
        choices = []
        for one in entry["choices"]:
            told = source.take(one, {"text": str, "why": str}, {"correct": bool, "misconception": int, "show": str})
            if not told.get("correct") and not 0 <= told.get("misconception", 0) <= 50:
                raise source.fail(one.get(LINE, line), "misconception은 1에서 50까지입니다 (목록에 없으면 적지 않습니다)")
            choices.append(Choice(told["text"], told.get("correct", False), told["why"], told.get("misconception", 0), told.get("show", "")))
        if sum(choice.correct for choice in choices) != 1:
            raise source.fail(line, f"{entry['id']}: 맞는 답이 하나여야 합니다")
        out[entry["id"]] = Question(entry["id"], render(entry["text"]), tuple(choices))
    return out


def _cluster(folder: Path) -> dict[str, Any]:
    source = Source(folder / "cluster.yaml")
    raw = source.read()
    if raw is None:
        return {}
    entry = source.take(raw, {}, {"nodes": list, "manifests": str, "settle": int, "files": dict})
    nodes = [source.take(node, {"name": str}, {"cpu": str, "memory": str, "pods": str, "labels": dict, "taints": list})
             for node in entry.get("nodes", [])]
    for node in nodes:
        if "labels" in node:
            node["labels"] = {key: value for key, value in node["labels"].items() if key != LINE}
        node["taints"] = [{key: value for key, value in taint.items() if key != LINE} for taint in node.get("taints", [])]
    out = {key: value for key, value in entry.items() if key != "nodes"}
    out["files"] = {key: value for key, value in entry.get("files", {}).items() if key != LINE}
    return {**out, "spec": {"nodes": nodes} if nodes else None}
