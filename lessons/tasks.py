"""A lesson's exercises (exercises.yaml with solution.sh) and questions (quiz.yaml) -> values. Every mistake is a LessonError."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lessons import misconceptions
from lessons.forms import problems
from lessons.prose import power
from lessons.schema import HINTS, WRONG_WAYS, Choice, Condition, Exercise, LessonError, Question
from lessons.source import Located, Source

CHOICE = {"correct": bool, "misconception": int, "show": str, "manual": str}  # what an answer may have beside its text and why


def condition(source: Source, line: int, text: str, check: Any) -> Condition:
    if found := problems(check):
        raise source.fail(check.line if isinstance(check, Located) else line, found)
    return Condition(text, check)


def exercises(folder: Path) -> dict[str, Exercise]:
    source = Source(folder / "exercises.yaml")
    solutions = _solutions(folder / "solution.sh")
    out: dict[str, Exercise] = {}
    for raw in source.entries():
        entry = source.take(
            raw,
            {"id": str, "title": str, "goal": str, "conditions": list, "hints": list, "wrong": list},
            {"also": list, "debrief": str, "files": dict, "setup": str, "power": list},
        )
        source.new_id(entry, out)
        if len(entry["hints"]) != HINTS or not all(isinstance(hint, str) for hint in entry["hints"]):
            raise source.fail(entry.at["hints"], f"힌트는 글 {HINTS}개여야 합니다")
        if not entry["conditions"]:
            raise source.fail(entry.at["conditions"], "조건이 하나는 있어야 합니다")
        conditions = []
        for one in entry["conditions"]:
            told = source.take(one, {"text": str, "check": dict}, {}, entry.at["conditions"])
            conditions.append(condition(source, told.at["check"], told["text"], told["check"]))
        wrong, also = _ways(source, entry, "wrong"), _ways(source, entry, "also")
        if len(wrong) < WRONG_WAYS:
            raise source.fail(entry.at["wrong"], f"틀린 길을 {WRONG_WAYS}개는 적어야 합니다")
        if not solutions.get(entry["id"], "").strip():
            raise source.fail(entry.line, f"solution.sh에 '# {entry['id']}' 부분이 없습니다")
        out[entry["id"]] = Exercise(
            entry["id"],
            entry["title"],
            source.html(entry.at["goal"], entry["goal"]),
            tuple(conditions),
            tuple(source.html(entry.at["hints"], hint) for hint in entry["hints"]),
            solutions[entry["id"]],
            wrong,
            also,
            max(1, count_commands(solutions[entry["id"]])),
            source.html(entry.line, entry.get("debrief", "")),
            source.files(entry),
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


def count_commands(text: str) -> int:
    """kubectl calls in a solution or in what a learner entered: the two numbers that a finish shows beside each other."""
    return len(re.findall(r"(?:^|[|;&] *)kubectl ", text, re.MULTILINE))


def entered(lines: Iterable[str], prose: Iterable[object], solution: str) -> int:
    """kubectl calls of these lines, less those that the exercise's prose offers: who looks where it says to look has not taken a detour."""
    offered = {line.strip() for text in prose if isinstance(text, str) for line in text.splitlines() if line not in solution}
    return sum(count_commands(line) for line in lines if line.strip() not in offered)


def questions(source: Source) -> dict[str, Question]:
    out: dict[str, Question] = {}
    for raw in source.entries():
        entry = source.take(raw, {"id": str, "text": str, "choices": list}, {})
        source.new_id(entry, out)
        choices = []
        for one in entry["choices"]:
            told = source.take(one, {"text": str, "why": str}, CHOICE, entry.at["choices"])
            correct, misconception = told.get("correct", False), told.get("misconception", 0)
            if "misconception" in told and (correct or misconception not in misconceptions.known()):
                raise source.fail(told.at["misconception"], "misconception은 틀린 답에만 적는, 오해 목록(misconceptions.yaml)에 있는 번호입니다")
            if missing := [key for key in ("misconception", "show") if not correct and key not in told]:
                raise source.fail(told.line, f"틀린 답에는 {', '.join(missing)}도 적습니다: 어떤 오해에서 왔고, 무엇으로 직접 볼지")
            text, why = (source.html(told.at[key], told[key], block=False) for key in ("text", "why"))
            page = told.get("manual") or (misconceptions.manual(misconception) if misconception else "")
            if page and not page.startswith("https://"):
                raise source.fail(told.at["manual"], "설명서의 주소는 https://로 시작합니다")
            choices.append(Choice(text, correct, why, misconception, told.get("show", ""), page))
        if sum(choice.correct for choice in choices) != 1 or len(choices) < 2:
            raise source.fail(entry.line, f"{entry['id']}: 답이 둘은 되어야 하고, 맞는 답은 하나여야 합니다")
        out[entry["id"]] = Question(entry["id"], source.html(entry.at["text"], entry["text"], block=False), tuple(choices))
    return out
