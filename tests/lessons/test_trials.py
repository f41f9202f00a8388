"""The trials find what is wrong with a lesson: told apart one by one on a lesson made for it."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lessons import library, loader, trials

pytestmark = pytest.mark.slow

LESSON = """---
title: 제목
summary: 요약
minutes: 10
---
## 해 보기: 하십시오 {#do}

```yaml web.yaml
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: nginx}]}
```

```sh
kubectl apply -f web.yaml
```

{{done: 파드 web이 준비되었다 | {ready: {name: web}}}}

## 과제: 푸십시오 {#ex}

{{exercise: first}}

## 퀴즈: 맞히십시오 {#quiz}

{{question: one}}
"""
EXERCISES = """- id: first
  title: 첫 과제
  goal: 파드 two가 준비됩니다.
  conditions:
  - {text: 파드 two가 준비되었다, check: {ready: {name: two}}}
  hints: [하나, 둘, 셋]
  wrong:
  - {name: 이미지의 오타, run: kubectl run two --image=nginy}
  - {name: 다른 이름, run: kubectl run too --image=nginx}
"""
QUIZ = """- id: one
  text: 무엇일까요?
  choices:
  - {text: 이것, correct: true, why: 맞습니다., show: kubectl get pod web}
  - {text: 저것, why: 아닙니다., misconception: 12, show: kubectl get pods -o wide}
"""
Try = Callable[..., list[str]]


@pytest.fixture
def failures(tmp_path: Path) -> Try:
    def _failures(lesson: str = LESSON, exercises: str = EXERCISES, quiz: str = QUIZ, solution: str = "kubectl run two --image=nginx") -> list[str]:
        folder = tmp_path / "01-tried"
        folder.mkdir()
        files = {
            "lesson.md": lesson,
            "exercises.yaml": exercises,
            "quiz.yaml": quiz,
            "solution.sh": f"# first\n{solution}\n",
            "cluster.yaml": "nodes: [{name: node-1}]\nsettle: 1\n",
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return list(trials.failures(loader.load(folder)))

    return _failures


def test_a_sound_lesson_has_no_failures(failures: Try) -> None:
    assert failures() == []


def test_an_exercise_that_is_solved_at_the_start_is_found(failures: Try) -> None:
    found = failures(exercises=EXERCISES.replace("{ready: {name: two}}", "{exists: nodes/node-1}"))
    assert "과제 first: 시작할 때 이미 풀려 있습니다" in found


def test_a_solution_that_does_not_solve_is_found_with_its_condition(failures: Try) -> None:
    found = failures(solution="kubectl run two --image=nginy")
    assert found[0].startswith("과제 first: 풀이대로 했는데 '파드 two가 준비되었다' 조건이 맞지 않습니다: two: ")
    assert found[1].startswith("걸음 ex: 글대로 했는데")


def test_another_right_way_that_does_not_solve_is_found(failures: Try) -> None:
    found = failures(exercises=EXERCISES + "  also:\n  - {name: 곁길, run: kubectl run too --image=nginx}\n")
    assert found == ["과제 first: 옳은 길 '곁길'인데 '파드 two가 준비되었다' 조건이 맞지 않습니다: 파드 two가 아직 없습니다"]


def test_a_wrong_way_that_solves_is_found(failures: Try) -> None:
    found = failures(exercises=EXERCISES.replace("--image=nginy", "--image=nginx"))
    assert found == ["과제 first: 틀린 길 '이미지의 오타'(으)로도 풀립니다"]


def test_a_wrong_way_that_solves_for_a_moment_is_found(failures: Try) -> None:
    found = failures(exercises=EXERCISES.replace("two --image=nginy", "two --image=busybox -- sleep 30"))
    assert found == ["과제 first: 틀린 길 '이미지의 오타'(으)로도 풀립니다"]


def test_a_power_button_of_the_prose_is_pressed(failures: Try) -> None:
    press = "```power node-1 off\n전원 끄기\n```\n\n```sh\nsleep 60\n```\n\n"
    dark = press + "{{done: 끊겼다 | {field: {of: nodes/node-1, path: 'spec.taints[0].effect', not: null}}}}\n"
    lesson = LESSON.replace("{{done: 파드 web이", dark + "{{done: 파드 web이").replace("{ready: {name: web}}", "{exists: pods/web}")
    assert [told for told in failures(lesson=lesson) if not told.startswith("걸음 ex")] == []  # on a dark node the exercise cannot be solved


def test_a_step_that_is_done_before_anything_was_done_is_found(failures: Try) -> None:
    found = failures(lesson=LESSON.replace("{ready: {name: web}}", "{absent: pods/web2}"))
    assert found == ["걸음 do: 아무것도 하지 않았는데 이미 끝나 있습니다"]


def test_a_step_that_its_own_prose_does_not_finish_is_found(failures: Try) -> None:
    found = failures(lesson=LESSON.replace("image: nginx", "image: nginy"))
    assert len(found) == 1
    assert found[0].startswith("걸음 do: 글대로 했는데 '파드 web이 준비되었다'에 표시가 되지 않습니다: web: ")


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("kubectl get pod wep", "종료 코드가 1입니다: Error from server (NotFound)"),
        ("kubectl get pods; kubectl exec web -- false", "종료 코드가 1입니다: command terminated with exit code 1"),
        ("kubectl exec web -- ls /tmp", "아무것도 보여 주지 않습니다"),
        ("kubectl get pods --watch", "120초 안에 끝나지 않습니다"),
    ],
)
def test_a_show_of_an_answer_that_shows_nothing_is_found(failures: Try, show: str, said: str) -> None:
    found = failures(quiz=QUIZ.replace("kubectl get pod web", show))
    assert len(found) == 1
    assert found[0].startswith(f"문제 one: '직접 보기'의 명령 {show!r}: {said}")


LATE = "kubectl run late --image=nginx; kubectl wait --for=condition=Ready pod/late --timeout=60s; kubectl exec late -- curl -s localhost"


def test_time_passes_while_an_answer_is_shown(failures: Try) -> None:
    assert failures(quiz=QUIZ.replace("kubectl get pod web", f"{LATE}; kubectl delete pod late")) == []


def test_what_the_show_of_an_answer_leaves_behind_is_found(failures: Try) -> None:
    left = failures(quiz=QUIZ.replace("kubectl get pod web", LATE))
    assert left == ["문제 one: '직접 보기'가 만든 pods/late이(가) 끝까지 남아 있습니다"]


@pytest.mark.slow
def test_check_lessons_tells_what_it_tried() -> None:
    out = StringIO()
    call_command("check_lessons", "why-pods", stdout=out)
    assert out.getvalue().startswith("✓ 02-why-pods: 걸음 12, 시도 13 (")


def test_check_lessons_refuses_a_lesson_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="그런 단원이 없습니다: nothing"):
        call_command("check_lessons", "nothing")


@pytest.fixture
def bad_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "01-bad").mkdir()
    (tmp_path / "01-bad" / "lesson.md").write_text("제목\n", encoding="utf-8")
    (tmp_path / "02-not-begun").mkdir()
    monkeypatch.setattr(library, "folders", lambda: [tmp_path])
    library._load.cache_clear()
    yield
    library._load.cache_clear()


@pytest.mark.usefixtures("bad_course")
def test_a_wrong_file_stops_the_start_with_its_line() -> None:
    with pytest.raises(CommandError, match=r"01-bad/lesson.md:1: "):
        call_command("load_lessons")


@pytest.mark.usefixtures("bad_course")
def test_check_lessons_names_a_wrong_file_and_goes_on() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="1군데"):
        call_command("check_lessons", stdout=out)
    assert out.getvalue().startswith("✕ 01-bad/lesson.md:1: ")


BROKEN = EXERCISES.replace("  conditions:", "  setup: kubectl run two --image=nginy\n  conditions:")


def test_what_an_exercise_breaks_is_broken_before_its_solution_runs(failures: Try) -> None:
    assert failures(exercises=BROKEN, solution="kubectl set image pod/two two=nginx") == []


def test_a_solution_that_needs_what_nobody_broke_is_found(failures: Try) -> None:
    assert any("풀이대로 했는데" in told for told in failures(solution="kubectl set image pod/two two=nginx"))


@pytest.mark.parametrize(("setup", "said"), [("kubectl run Two --image=nginx", "is invalid"), ("sleep 5", "기다리는 명령은 쓸 수 없습니다")])
def test_a_setup_that_fails_or_waits_is_found(failures: Try, setup: str, said: str) -> None:
    found = failures(exercises=BROKEN.replace("kubectl run two --image=nginy", setup))
    assert found[0].startswith("과제 first: 준비(setup)가 되지 않습니다") and said in found[0]


def test_a_setup_may_turn_a_node_off(failures: Try) -> None:
    found = failures(exercises=EXERCISES.replace("  conditions:", "  power: [node-1 off]\n  conditions:"))
    assert any("풀이대로 했는데" in told for told in found)  # the only node is dark
