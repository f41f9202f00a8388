"""Lesson folders -> Lesson values. Every mistake is a LessonError with file and line. Pure: no Django, no engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lessons import misconceptions
from lessons.forms import problems
from lessons.prose import fences, power, render, render_line, stray_marks
from lessons.schema import (
    HINTS,
    KINDS,
    WRONG_WAYS,
    Choice,
    Condition,
    Exercise,
    Lesson,
    LessonError,
    Question,
    Step,
)

FOLDER = re.compile(r"(\d\d)-([a-z0-9-]+)\Z")
HEADING = re.compile(r"## +(" + "|".join(map(re.escape, KINDS)) + r"): *(.+?) *(?:\{#([a-z0-9-]+)\})? *\Z")
DIRECTIVE = re.compile(r"\{\{(question|exercise|done): *(.+?) *\}\}\Z")
NAME = re.compile(r"[a-z0-9-]+\Z")
ASKS = ("predict", "quiz")  # the kinds of step that ask questions
Member = type | tuple[type, ...]
NODE: dict[str, Member] = {"cpu": (str, int), "memory": str, "pods": (str, int), "labels": dict, "taints": list}


class Located(dict[Any, Any]):
    """A YAML map that remembers the line it began on, and the line of each key."""

    line = 1
    at: dict[Any, int]


class _Loader(yaml.CSafeLoader):  # libyaml: a tenth of the time
    first_line = 1  # of the text within its file

    def located(self, node: yaml.MappingNode) -> Located:
        found = Located()
        found.line, found.at = node.start_mark.line + self.first_line, {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in found:
                raise yaml.MarkedYAMLError(problem=f"키 {key!r}이(가) 두 번 나옵니다", problem_mark=key_node.start_mark)
            found[key] = self.construct_object(value_node, deep=True)
            found.at[key] = key_node.start_mark.line + self.first_line
        return found


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.located)


def _better_told(text: str, error: yaml.MarkedYAMLError) -> yaml.MarkedYAMLError:
    """PyYAML's own parser is slow, but tells the line of a mistake where libyaml tells the one after it."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as told:
        return told
    return error


class Source:
    """One file of a lesson, read strictly: `take` names every key that may be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, line: int, text: str) -> LessonError:
        return LessonError(f"{self.path.parent.name}/{self.path.name}", line, text)

    def text(self) -> str:
        """Raises LessonError for a file that is missing or no UTF-8."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise self.fail(1, "파일이 없습니다") from error
        except UnicodeDecodeError as error:
            raise self.fail(1, "UTF-8이 아닙니다") from error

    def yaml(self, text: str, first_line: int = 1) -> Any:
        loader = _Loader(text)
        loader.first_line = first_line
        try:
            return loader.get_single_data()
        except yaml.MarkedYAMLError as found:
            error = _better_told(text, found)
            line = error.problem_mark.line if error.problem_mark else 0
            raise self.fail(line + first_line, f"YAML이 아닙니다: {error.problem}") from error
        finally:
            loader.dispose()

    def entries(self) -> list[Any]:
        """The file's list of maps; a lesson may go without the file."""
        found = self.yaml(self.text()) if self.path.exists() else None
        if found is not None and not isinstance(found, list):
            raise self.fail(1, "목록(- 로 시작하는 줄들)이 와야 합니다")
        return found or []

    def take(self, entry: Any, required: Mapping[str, Member], optional: Mapping[str, Member], line: int = 1) -> Located:
        """A map whose members are of the types named; anything else is refused, at its line."""
        if not isinstance(entry, Located):
            raise self.fail(line, f"키와 값이 와야 할 곳에 {entry!r}이(가) 있습니다")
        known = {**required, **optional}
        for key, value in entry.items():
            if key not in known:
                raise self.fail(entry.at[key], f"모르는 키 {key!r}입니다. 쓸 수 있는 키: {', '.join(sorted(known))}")
            kinds = known[key] if isinstance(known[key], tuple) else (known[key],)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise self.fail(entry.at[key], f"{key}에는 {'/'.join(kind.__name__ for kind in kinds)} 값이 와야 합니다")
            if value == "":
                raise self.fail(entry.at[key], f"{key}이(가) 비어 있습니다")
        for key in required:
            if key not in entry:
                raise self.fail(entry.line, f"{key} 키가 빠졌습니다")
        return entry


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
    steps = _steps(source, body, first_line, _exercises(folder), _questions(Source(folder / "quiz.yaml")))
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
        _html(source, draft.line, text),
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


def _html(source: Source, line: int, text: str, *, block: bool = True) -> str:
    """Markdown as HTML. Raises LessonError for an emphasis that did not take."""
    html = render(text) if block else render_line(text)
    if stray := stray_marks(html):
        raise source.fail(line, f"강조(**)가 닫히지 않았습니다: '{stray}'. 닫는 ** 앞에 문장 부호를 두지 않습니다")
    return html


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
        condition = _condition(source, line, words.strip(), source.yaml(form, line))
        if "answers" in str(condition.check):  # it takes a copy of the cluster, so it waits for 확인하기, which a step has not
            raise source.fail(line, "answers는 과제의 조건에만 씁니다. 걸음에서는 log나 typed로 봅니다")
        draft.conditions.append(condition)


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


def _condition(source: Source, line: int, text: str, check: Any) -> Condition:
    if found := problems(check):
        raise source.fail(check.line if isinstance(check, Located) else line, found)
    return Condition(text, check)


def _exercises(folder: Path) -> dict[str, Exercise]:
    source = Source(folder / "exercises.yaml")
    solutions = _solutions(folder / "solution.sh")
    out: dict[str, Exercise] = {}
    for raw in source.entries():
        entry = source.take(
            raw,
            {"id": str, "title": str, "goal": str, "conditions": list, "hints": list, "wrong": list},
            {"also": list, "debrief": str, "files": dict, "setup": str, "power": list},
        )
        _new_id(source, entry, out)
        if len(entry["hints"]) != HINTS or not all(isinstance(hint, str) for hint in entry["hints"]):
            raise source.fail(entry.at["hints"], f"힌트는 글 {HINTS}개여야 합니다")
        if not entry["conditions"]:
            raise source.fail(entry.at["conditions"], "조건이 하나는 있어야 합니다")
        conditions = []
        for one in entry["conditions"]:
            told = source.take(one, {"text": str, "check": dict}, {}, entry.at["conditions"])
            conditions.append(_condition(source, told.at["check"], told["text"], told["check"]))
        wrong, also = _ways(source, entry, "wrong"), _ways(source, entry, "also")
        if len(wrong) < WRONG_WAYS:
            raise source.fail(entry.at["wrong"], f"틀린 길을 {WRONG_WAYS}개는 적어야 합니다")
        if not solutions.get(entry["id"], "").strip():
            raise source.fail(entry.line, f"solution.sh에 '# {entry['id']}' 부분이 없습니다")
        out[entry["id"]] = Exercise(
            entry["id"],
            entry["title"],
            _html(source, entry.at["goal"], entry["goal"]),
            tuple(conditions),
            tuple(_html(source, entry.at["hints"], hint) for hint in entry["hints"]),
            solutions[entry["id"]],
            wrong,
            also,
            _count_commands(solutions[entry["id"]]),
            _html(source, entry.line, entry.get("debrief", "")),
            _files(source, entry),
            entry.get("setup", ""),
            _power(source, entry),
        )
    if unknown := sorted(set(solutions) - set(out)):
        raise LessonError(f"{folder.name}/solution.sh", 1, f"exercises.yaml에 없는 과제의 풀이가 있습니다: {', '.join(unknown)}")
    return out


def _power(source: Source, entry: Located) -> tuple[Mapping[str, str], ...]:
    """The faults of `power: [node-2 off]`."""
    faults = [power(str(one)) for one in entry.get("power", ())]
    if not all(faults):
        raise source.fail(entry.at["power"], "power는 [node-2 off] 꼴의 목록입니다. 끝의 말은 off, on, silent 가운데 하나입니다")
    return tuple(faults)


def _ways(source: Source, entry: Located, key: str) -> tuple[tuple[str, str], ...]:
    """(name, shell text) of the ways listed under a key."""
    ways = [source.take(one, {"name": str, "run": str}, {}, entry.at[key]) for one in entry.get(key, ())]
    return tuple((way["name"], way["run"]) for way in ways)


def _new_id(source: Source, entry: Located, known: Mapping[str, Any]) -> None:
    if not NAME.match(entry["id"]):
        raise source.fail(entry.at["id"], "id는 영어 소문자, 숫자, - 로 적습니다")
    if entry["id"] in known:
        raise source.fail(entry.at["id"], f"id {entry['id']}이(가) 겹칩니다")


def _files(source: Source, entry: Located) -> dict[str, str]:
    files = entry.get("files", {})
    for name, text in files.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise source.fail(entry.at["files"], "files는 파일 이름과 그 내용입니다")
    return dict(files)


def _solutions(path: Path) -> dict[str, str]:
    """solution.sh in parts: a line `# id` begins the solution of that exercise."""
    out: dict[str, str] = {}
    current = ""
    for line in Source(path).text().splitlines() if path.exists() else ():
        if match := re.match(r"# ([a-z0-9-]+)\Z", line):
            current = match.group(1)
            out[current] = ""
        elif current:
            out[current] += line + "\n"
    return {name: text.strip("\n") + "\n" for name, text in out.items()}


def _count_commands(solution: str) -> int:
    """kubectl calls in a solution: what is shown beside the learner's own number."""
    return max(1, len(re.findall(r"(?:^|\| *|&& *)kubectl ", solution, re.MULTILINE)))


def _questions(source: Source) -> dict[str, Question]:
    out: dict[str, Question] = {}
    for raw in source.entries():
        entry = source.take(raw, {"id": str, "text": str, "choices": list}, {})
        _new_id(source, entry, out)
        choices = []
        for one in entry["choices"]:
            told = source.take(one, {"text": str, "why": str}, {"correct": bool, "misconception": int, "show": str}, entry.at["choices"])
            correct, misconception = told.get("correct", False), told.get("misconception", 0)
            if "misconception" in told and (correct or misconception not in misconceptions.known()):
                raise source.fail(told.at["misconception"], "misconception은 틀린 답에만 적는, 오해 목록(misconceptions.yaml)에 있는 번호입니다")
            if missing := [key for key in ("misconception", "show") if not correct and key not in told]:
                raise source.fail(told.line, f"틀린 답에는 {', '.join(missing)}도 적습니다: 어떤 오해에서 왔고, 무엇으로 직접 볼지")
            text, why = (_html(source, told.at[key], told[key], block=False) for key in ("text", "why"))
            choices.append(Choice(text, correct, why, misconception, told.get("show", "")))
        if sum(choice.correct for choice in choices) != 1 or len(choices) < 2:
            raise source.fail(entry.line, f"{entry['id']}: 답이 둘은 되어야 하고, 맞는 답은 하나여야 합니다")
        out[entry["id"]] = Question(entry["id"], _html(source, entry.at["text"], entry["text"], block=False), tuple(choices))
    return out


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
        "files": _files(source, entry),
    }
