"""Lesson files: what a good one becomes, and that every mistake is named with its file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lessons import loader, tasks
from lessons.schema import Lesson, LessonError

LESSON = """---
title: 제목
summary: 요약
minutes: 10
manual:
- {title: 파드, url: "https://kubernetes.io/ko/docs/concepts/workloads/pods/"}
---

## 보기: 보십시오 {#look}

글입니다.

```sh
kubectl get pods
## 이것은 제목이 아닙니다
{{.이것은 지시가 아닙니다}}
```

```yaml web.yaml
kind: Pod
```

## 예측: 맞혀 보십시오

{{question: guess}}

## 해 보기: 하십시오 {#do}

{{done: 파드가 있다 | {exists: pods/web}}}
{{done: 둘 다 | {all: [{exists: pods/web}, {not: {exists: pods/old}}]}}}

## 과제: 푸십시오

{{exercise: first}}
"""
EXERCISES = """- id: first
  title: 첫 과제
  goal: "`web`이 있습니다."
  conditions:
  - text: 파드 web이 있다
    check: {exists: pods/web}
  hints: [하나, 둘, 셋]
  wrong:
  - {name: 그냥 두기, run: "true"}
  - {name: 다른 이름, run: kubectl run wep --image=nginx}
"""
QUIZ = """- id: guess
  text: 무엇일까요?
  choices:
  - {text: 이것, correct: true, why: 맞습니다.}
  - {text: 저것, why: 아닙니다., misconception: 12, show: kubectl get pods}
"""
SOLUTION = "# first\nkubectl run web --image=nginx\nkubectl get pods | grep web\n"
CLUSTER = "nodes:\n- {name: node-1, cpu: 2, labels: {disk: ssd}, taints: [{key: a, effect: NoSchedule}]}\nsettle: 5\nfiles: {a.yaml: 'kind: Pod'}\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(name: str = "02-first-try", **files: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        whole = {
            "lesson_md": LESSON,
            "exercises_yaml": EXERCISES,
            "quiz_yaml": QUIZ,
            "solution_sh": SOLUTION,
            "cluster_yaml": CLUSTER,
        }
        for file, text in (whole | files).items():
            (folder / file.replace("_", ".")).write_text(text, encoding="utf-8")
        return folder

    return _write


def refused(folder: Path) -> str:
    with pytest.raises(LessonError) as error:
        loader.load(folder)
    return str(error.value)


def test_a_good_lesson_is_read_whole(write: Write) -> None:
    lesson: Lesson = loader.load(write())
    assert (lesson.slug, lesson.number, lesson.title, lesson.minutes) == ("first-try", 2, "제목", 10)
    assert [(step.kind, step.id) for step in lesson.steps] == [
        ("watch", "look"),
        ("predict", "step-2"),
        ("do", "do"),
        ("exercise", "step-4"),
    ]
    assert lesson.steps[0].commands == ("kubectl get pods\n## 이것은 제목이 아닙니다\n{{.이것은 지시가 아닙니다}}\n",)
    assert lesson.steps[0].files == {"web.yaml": "kind: Pod\n"}
    assert [condition.text for condition in lesson.steps[2].conditions] == ["파드가 있다", "둘 다"]
    assert lesson.question("guess") is lesson.steps[1].questions[0]
    assert [choice.misconception for choice in lesson.steps[1].questions[0].choices] == [0, 12]
    exercise = lesson.exercise("first")
    assert exercise is not None and exercise.commands == 2 and exercise.goal == "<p><code>web</code>이 있습니다.</p>"
    assert exercise.wrong[0] == ("그냥 두기", "true")
    assert lesson.spec == {"nodes": [{"name": "node-1", "cpu": 2, "labels": {"disk": "ssd"}, "taints": [{"key": "a", "effect": "NoSchedule"}]}]}
    assert type(lesson.spec["nodes"][0]["taints"][0]) is dict  # what the engine stores
    assert (lesson.settle_seconds, lesson.files) == (5.0, {"a.yaml": "kind: Pod"})


def test_a_lesson_without_tasks_needs_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "01-plain"
    folder.mkdir()
    (folder / "lesson.md").write_text("---\ntitle: 제목\nsummary: 요약\nminutes: 1\n---\n## 보기: 글\n\n글\n", encoding="utf-8")
    lesson = loader.load(folder)
    assert (lesson.spec, lesson.manifests, lesson.settle_seconds, lesson.files) == (None, "", 30.0, {})


def test_lessons_come_in_the_order_of_their_numbers(write: Write, tmp_path: Path) -> None:
    write("10-later")
    write("02-sooner")
    (tmp_path / "notes").mkdir()
    assert [lesson.slug for lesson in loader.load_all(tmp_path)] == ["sooner", "later"]


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "says"),
    [
        ("exercises.yaml", "  goal:", "  gaol: 오타\n  goal:", "exercises.yaml:3", "모르는 키 'gaol'"),
        ("exercises.yaml", "title: 첫 과제", "title: 3", "exercises.yaml:2", "title에는 str"),
        ("exercises.yaml", "  hints: [하나, 둘, 셋]\n", "", "exercises.yaml:1", "hints 키가 빠졌습니다"),
        ("exercises.yaml", "[하나, 둘, 셋]", "[하나, 둘]", "exercises.yaml:7", "힌트는 글 3개"),
        ("exercises.yaml", '  - {name: 그냥 두기, run: "true"}\n', "", "exercises.yaml:8", "틀린 길을 2개"),
        ("exercises.yaml", "{exists: pods/web}", "{exits: pods/web}", "exercises.yaml:6", "모르는 조건 'exits'"),
        ("exercises.yaml", "{exists: pods/web}", "{exists: pod/web}", "exercises.yaml:6", "복수형"),
        ("exercises.yaml", "  title:", "  id: again\n  title:", "exercises.yaml:2", "'id'이(가) 두 번"),
        ("exercises.yaml", "- id: first", "- id: First", "exercises.yaml:1", "영어 소문자"),
        ("exercises.yaml", "- id: first\n", "id: first\n", "exercises.yaml:2", "YAML이 아닙니다"),
        ("quiz.yaml", "misconception: 12", "misconception: 999", "quiz.yaml:5", "오해 목록"),
        ("quiz.yaml", ", misconception: 12", "", "quiz.yaml:5", "틀린 답에는 misconception도"),
        ("quiz.yaml", ", show: kubectl get pods", "", "quiz.yaml:5", "틀린 답에는 show도"),
        ("quiz.yaml", "correct: true, ", "misconception: 12, show: ls, ", "quiz.yaml:1", "맞는 답은 하나"),
        ("quiz.yaml", "why: 맞습니다.", "why: ''", "quiz.yaml:4", "비어 있습니다"),
        ("quiz.yaml", "why: 맞습니다.", "why: 맞습니다., manual: 'http://x'", "quiz.yaml:4", "https://로 시작"),
        ("quiz.yaml", "text: 이것", "text: '**이것(this)**은'", "quiz.yaml:4", "강조"),
        ("solution.sh", "# first", "# second", "exercises.yaml:1", "solution.sh에 '# first'"),
        ("solution.sh", "# first", "# other\n:\n# first", "solution.sh:1", "other"),
        ("cluster.yaml", "cpu: 2", "cpus: 2", "cluster.yaml:2", "모르는 키 'cpus'"),
        ("cluster.yaml", "settle: 5", "settle: soon", "cluster.yaml:3", "settle에는 int/float"),
        ("lesson.md", "minutes: 10", "minutes: ten", "lesson.md:4", "minutes에는 int"),
        ("lesson.md", "https:", "http:", "lesson.md:6", "https://"),
        ("lesson.md", "title: 제목", "title: 제목\nauthor: 나", "lesson.md:3", "모르는 키 'author'"),
        ("lesson.md", "## 예측:", "## 짐작:", "lesson.md:23", "걸음의 제목"),
        ("lesson.md", "{{question: guess}}", "{{question: gess}}", "lesson.md:25", "gess"),
        ("lesson.md", "{{question: guess}}", "{{quiz: guess}}", "lesson.md:25", "가운데 하나"),
        ("lesson.md", "{{question: guess}}", "", "lesson.md:23", "예측과 퀴즈"),
        ("lesson.md", "{{exercise: first}}", "", "lesson.md:32", "과제에만"),
        ("lesson.md", "{#do}", "{#look}", "lesson.md:27", "look이(가) 겹칩니다"),
        ("lesson.md", "| {exists: pods/web}}}", "| {exists: pods/web}}", "lesson.md:29", "YAML이 아닙니다"),
        ("lesson.md", "| {exists: pods/web}}}", "}}", "lesson.md:29", "{{done: 글 | {check}}}"),
        ("lesson.md", "| {exists: pods/web}}}", '| {answers: {url: "http://node-1/", status: 200}}}}', "lesson.md:29", "answers는 과제의 조건에만"),
        ("lesson.md", "```yaml web.yaml", "```yaml", "lesson.md:9", "파일 이름"),
        ("lesson.md", "kind: Pod\n```", "kind: Pod", "lesson.md", "닫지 않았습니다"),
        ("lesson.md", "글입니다.", "```power node-1 of\n끄기\n```", "lesson.md:9", "power node-2 off"),
        ("lesson.md", "글입니다.", "**글(text)**입니다.", "lesson.md:9", "강조"),
        ("lesson.md", "---\ntitle", "title", "lesson.md:1", "머리말"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(write: Write, file: str, old: str, new: str, where: str, says: str) -> None:
    whole = {
        "lesson.md": LESSON,
        "exercises.yaml": EXERCISES,
        "quiz.yaml": QUIZ,
        "solution.sh": SOLUTION,
        "cluster.yaml": CLUSTER,
    }
    assert old in whole[file]
    told = refused(write(**{file.replace(".", "_"): whole[file].replace(old, new, 1)}))
    assert told.startswith(f"02-first-try/{where}") and says in told, told


def test_a_missing_lesson_and_one_in_another_encoding_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "03-empty"
    folder.mkdir()
    assert refused(folder) == "03-empty/lesson.md:1: 파일이 없습니다"
    (folder / "lesson.md").write_bytes("---\ntitle: 제목".encode("euc-kr"))
    assert refused(folder) == "03-empty/lesson.md:1: UTF-8이 아닙니다"


def test_a_question_or_exercise_that_no_step_uses_is_named(write: Write) -> None:
    assert "쓰지 않은 문제나 과제가 있습니다: guess2" in refused(write(quiz_yaml=QUIZ + QUIZ.replace("guess", "guess2")))


def test_a_question_used_twice_is_named(write: Write) -> None:
    text = LESSON.replace("{{question: guess}}", "{{question: guess}}\n{{question: guess}}")
    assert "두 번 쓴 문제나 과제가 있습니다: guess" in refused(write(lesson_md=text))


def test_a_folder_is_named_by_number_and_slug(write: Write) -> None:
    assert "두 자리 수" in refused(write("first"))


def test_a_look_that_the_prose_of_an_exercise_offers_is_no_command_of_the_learner() -> None:
    prose = ("kubectl logs shop\nkubectl apply -f shop.yaml\n", {"node": "node-1", "power": "off"})
    typed = ["kubectl logs shop ", "kubectl apply -f shop.yaml", "kubectl get pods; kubectl logs shop"]
    assert tasks.entered(typed, prose, "kubectl apply -f shop.yaml\n") == 3  # what the solution does too is counted on both sides
