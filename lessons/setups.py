"""What breaks before an exercise begins: its `setup` and `power`, as entries of the journal. Pure: no Django, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lessons.schema import Exercise
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.disk import HOME
from podlab.kubernetes.kubectl.laptop import Laptop

ADVANCES = 1000  # of the shell; a setup that is not over by then waits for time to pass, which it may not


def run(cluster: Cluster, exercise: Exercise, submit: Callable[[dict[str, Any]], Any]) -> str:
    """Break what the exercise wants broken, in this very moment of virtual time. Returns '', or what went wrong.

    The shell is one that the learner does not see; `submit` applies an entry (without "at"), and journals it.
    """
    laptop = Laptop(cluster, submit, dict(exercise.files), interactive=False)
    laptop.paused = lambda: True  # a command's own work takes no time
    laptop.write_file(".setup.sh", exercise.setup or "true")
    script = laptop.spawn(["bash", "-e", f"{HOME}/.setup.sh"])
    for _ in range(ADVANCES):
        laptop.advance()
        if laptop.ended(script) is not None:
            break
    for fault in exercise.power:
        submit({"do": "fault", **fault})
    if laptop.ended(script) == 0:
        return ""
    return "".join(text for _, text in laptop.take_output()).strip() or "끝나지 않았습니다: 기다리는 명령은 쓸 수 없습니다"
