"""A lesson tried out, on clusters of its own and in virtual time: does it do what its prose says?

- A learner who types every command of the prose and every solution, in order, gets every tick.
- An exercise is unsolved at the start, solved by its solution and by the other right ways, and by no wrong way at any moment.
- A wrong choice's "직접 보기" ends well and prints something, at its question's place on the way and after the shows before it; what it
  makes is gone again at the end, but for the lesson's own files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from lessons import library, setups
from lessons.checks import World, evaluate
from lessons.schema import Condition, Exercise, Lesson
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.laptop_scripts import run_script
from podlab.labs import births

LOOKS = 3  # after a script the conditions are looked at so often,
SECONDS_BETWEEN = 20.0  # with so much virtual time between: a minute is enough for every condition of ours
COMMAND_SECONDS = 120.0  # a command of the prose that watches or follows is interrupted after this,
TIMED_OUT = 124  # and run_script then says so
MADE = ("pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "deployments", "replicasets", "statefulsets", "daemonsets",
        "jobs", "cronjobs", "horizontalpodautoscalers")  # what a show could leave behind
READING_SECONDS = 3.0  # between two commands


def failures(lesson: Lesson) -> Iterator[str]:
    """What does not hold, each in a Korean sentence that begins with the step or exercise."""
    born = _born(lesson)
    for step in lesson.steps:
        if step.exercise is not None:
            yield from _exercise(born, step.exercise)
    yield from walk(lesson, born)


def _exercise(born: str, exercise: Exercise) -> Iterator[str]:
    if said := setups.run(untouched := Cluster.restore(json.loads(born)), exercise, _submit(untouched)):
        yield f"과제 {exercise.id}: 준비(setup)가 되지 않습니다: {said}"
    cluster = _begin(born, exercise)
    if not _unmet(exercise.conditions, cluster):
        yield f"과제 {exercise.id}: 시작할 때 이미 풀려 있습니다"
    unmet = _run(cluster, exercise, exercise.solution)[-1]
    yield from (f"과제 {exercise.id}: 풀이대로 했는데 '{text}' 조건이 맞지 않습니다: {why}" for text, why in unmet)
    for name, script in exercise.also:
        for text, why in _run(_begin(born, exercise), exercise, script)[-1]:
            yield f"과제 {exercise.id}: 옳은 길 '{name}'인데 '{text}' 조건이 맞지 않습니다: {why}"
    for name, script in exercise.wrong:
        if not all(_run(_begin(born, exercise), exercise, script)):
            yield f"과제 {exercise.id}: 틀린 길 '{name}'(으)로도 풀립니다"


def _born(lesson: Lesson) -> str:
    """The lesson's cluster as the learner finds it: made once, restored for each trial."""
    return json.dumps(births.build(library.birth_of(lesson)).checkpoint())


def _begin(born: str, exercise: Exercise) -> Cluster:
    cluster = Cluster.restore(json.loads(born))
    _break(cluster, exercise)
    return cluster


def _break(cluster: Cluster, exercise: Exercise) -> None:
    """Press the button that begins the exercise, and watch for a while."""
    if exercise.begins:
        setups.run(cluster, exercise, _submit(cluster))
        cluster.run_for(SECONDS_BETWEEN)


def _submit(cluster: Cluster) -> Callable[[dict[str, Any]], Any]:
    return lambda entry: cluster.apply({"at": cluster.now, **entry})


def _run(cluster: Cluster, exercise: Exercise, script: str) -> list[list[tuple[str, str]]]:
    """The unmet conditions at each look after the script."""
    run_script(cluster, script, files=dict(exercise.files))
    found = []
    for _ in range(LOOKS):
        cluster.run_for(SECONDS_BETWEEN)
        found.append(_unmet(exercise.conditions, cluster, script.splitlines()))
    return found


def _unmet(conditions: tuple[Condition, ...], cluster: Cluster, commands: list[str] | None = None) -> list[tuple[str, str]]:
    """(condition, why not)"""
    world = World(cluster, commands or [])
    verdicts = [(condition.text, evaluate(condition.check, world)) for condition in conditions]
    return [(text, verdict.why) for text, verdict in verdicts if not verdict.ok]


def walk(lesson: Lesson, born: str) -> Iterator[str]:
    """One learner's way through the whole lesson, on one cluster."""
    cluster = Cluster.restore(json.loads(born))
    files = dict(lesson.files)
    left: dict[str, str] = {}  # what a show has made -> its question
    for step in lesson.steps:
        files |= step.files
        if step.conditions and not _unmet(step.conditions, cluster):
            yield f"걸음 {step.id}: 아무것도 하지 않았는데 이미 끝나 있습니다"
        for command in step.commands:
            if isinstance(command, str):
                _type(cluster, command, files)
            else:
                cluster.apply({"at": cluster.now, "do": "fault", **command})
        if step.exercise is not None:
            files |= step.exercise.files
            _break(cluster, step.exercise)
            _type(cluster, step.exercise.solution, files)
        conditions = step.exercise.conditions if step.exercise else step.conditions
        typed = [line for command in step.commands if isinstance(command, str) for line in command.splitlines()]
        for _ in range(LOOKS):
            if not (unmet := _unmet(conditions, cluster, typed)):
                break
            cluster.run_for(SECONDS_BETWEEN)
        yield from (f"걸음 {step.id}: 글대로 했는데 '{text}'에 표시가 되지 않습니다: {why}" for text, why in unmet)
        for question in step.questions:
            for choice in question.choices:
                there = _roots(cluster)
                if choice.show and (said := _show(cluster, choice.show, files)):
                    yield f"문제 {question.id}: '직접 보기'의 명령 {choice.show!r}: {said}"
                if "apply -f" not in choice.show:
                    left |= dict.fromkeys(sorted(_roots(cluster) - there), question.id)
    standing = _roots(cluster)
    yield from (f"문제 {question}: '직접 보기'가 만든 {ref}이(가) 끝까지 남아 있습니다" for ref, question in left.items() if ref in standing)
    yield from (f"엔진이 넘어졌습니다: {crash.splitlines()[0]}" for crash in cluster.crashes)


def _roots(cluster: Cluster) -> set[str]:
    """What somebody has made with his own hands, and nobody is deleting."""
    return {
        f"{plural}/{found['metadata']['name']}"
        for plural in MADE
        for found in cluster.etcd.list(plural)
        if not found["metadata"].get("ownerReferences") and not found["metadata"].get("deletionTimestamp")
    }


def _type(cluster: Cluster, command: str, files: dict[str, str]) -> tuple[int, str]:
    """Enter a command and read what it says: (exit code, output). The cluster's time passes meanwhile."""
    code, output = run_script(cluster, command, files=files, limit_seconds=COMMAND_SECONDS)
    cluster.run_for(READING_SECONDS)
    return code, output.strip()


def _show(cluster: Cluster, command: str, files: dict[str, str]) -> str:
    """What is wrong with a command that should show something, or ''."""
    code, output = _type(cluster, command, files)
    if code == TIMED_OUT:
        return f"{COMMAND_SECONDS:.0f}초 안에 끝나지 않습니다"
    if code:
        return f"종료 코드가 {code}입니다: {output.splitlines()[-1] if output else ''}"
    return "" if output else "아무것도 보여 주지 않습니다"
