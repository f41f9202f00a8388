"""What a sync has to do, as a table: given what a Pod wants and what is known of its containers."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.kubelet import actions
from podlab.kubernetes.kubelet.state import new_worker
from podlab.kubernetes.objects import freeze

RUNNING = {"state": "running", "exitCode": 0, "reason": ""}
DONE = {"state": "exited", "exitCode": 0, "reason": "Completed", "finished": 9}
OLD = {**DONE, "finished": 4}
FAILED = {"state": "exited", "exitCode": 1, "reason": "Error", "finished": 9}
OOM = {"state": "exited", "exitCode": 137, "reason": "OOMKilled", "finished": 9}
ONE = {"init": [], "main": ["a"]}
TWO = {"init": [], "main": ["a", "b"]}
INITS = {"init": ["i", "j"], "main": ["a"]}
SIDE = {"init": ["s*", "i"], "main": ["a"]}
LAST = {"init": ["i", "s*"], "main": ["a"]}


def plan(
    shape: dict[str, list[str]], known: dict[str, Any], policy: str, *, sandbox: bool | None = True, attempt: int = 1
) -> str:
    """`sandbox` None: there never was one. A container called `s*` is a sidecar. The plan as words."""
    inits = [
        {"name": name.rstrip("*"), "image": "x", **({"restartPolicy": "Always"} if "*" in name else {})} for name in shape["init"]
    ]
    pod = freeze(
        {
            "metadata": {"name": "p", "namespace": "n", "uid": "u"},
            "spec": {
                "initContainers": inits,
                "containers": [{"name": n, "image": "x"} for n in shape["main"]],
                "restartPolicy": policy,
            },
        }
    )
    worker = new_worker(pod, 0)
    worker["attempt"] = 0 if sandbox is None else attempt
    worker["sandbox"] = None if sandbox is None else {"ready": sandbox, "at": 5}
    for name, run in known.items():
        worker["runs"][name] = [{"id": f"id-{name}", "spec": "x", "attempt": 0, **run}]
    todo = actions.compute(worker, pod)
    words = ["kill-pod"] if todo.kill_pod else []
    words += ["sandbox"] if todo.sandbox else []
    return " ".join(words + [f"kill:{name}" for name, _, _ in todo.kill] + todo.start)


@pytest.mark.parametrize(
    ("sentence", "shape", "known", "policy", "wanted"),
    [
        ("nothing ran yet: all main containers start together", TWO, {}, "Always", "a b"),
        ("all run: nothing to do", TWO, {"a": RUNNING, "b": RUNNING}, "Always", ""),
        ("one ended well under Always: it starts again", TWO, {"a": DONE, "b": RUNNING}, "Always", "a"),
        ("one ended well under OnFailure: it stays", TWO, {"a": DONE, "b": RUNNING}, "OnFailure", ""),
        ("one failed under OnFailure: it starts again", TWO, {"a": FAILED, "b": RUNNING}, "OnFailure", "a"),
        ("one failed under Never: it stays", TWO, {"a": FAILED, "b": RUNNING}, "Never", ""),
        ("all ended under Never: the pod is killed", TWO, {"a": FAILED, "b": DONE}, "Never", "kill-pod"),
        ("first init container goes alone", INITS, {}, "Always", "i"),
        ("an init container runs: wait", INITS, {"i": RUNNING}, "Always", ""),
        ("the first is done: the second starts", INITS, {"i": DONE}, "Always", "j"),
        ("all are done: main containers start", INITS, {"i": DONE, "j": DONE}, "Always", "a"),
        ("an init container failed under Never: the pod is killed", INITS, {"i": FAILED}, "Never", "kill-pod"),
        ("an init container failed under OnFailure: it is tried again", INITS, {"i": FAILED}, "OnFailure", "i"),
        ("an init container out of memory is tried again", INITS, {"i": OOM}, "Always", "i"),
        ("a sidecar that runs lets the next init container start", SIDE, {"s": RUNNING}, "Always", "i"),
        ("a sidecar that ended is restarted before anything else", SIDE, {"s": FAILED}, "Never", "s"),
        ("what ended in an older sandbox is run again", INITS, {"i": DONE, "j": OLD}, "Always", "j"),
        ("a sidecar in a crash loop keeps nothing back once the last init container is done", SIDE, {"s": FAILED, "i": DONE}, "Always", "s a"),
        ("main containers that ended wait for a crashed sidecar that comes last", LAST, {"i": DONE, "s": FAILED, "a": FAILED}, "Always", "s"),
        ("a sidecar is restarted beside main containers", SIDE, {"s": FAILED, "i": DONE, "a": RUNNING}, "Never", "s"),
        (
            "main containers are done: sidecars are killed with the pod",
            SIDE,
            {"s": RUNNING, "i": DONE, "a": DONE},
            "Never",
            "kill-pod",
        ),
    ],
)
def test_plan(sentence: str, shape: dict[str, list[str]], known: dict[str, Any], policy: str, wanted: str) -> None:
    assert plan(shape, known, policy) == wanted, sentence


@pytest.mark.parametrize(
    ("sentence", "known", "policy", "sandbox", "wanted"),
    [
        ("a new pod gets a sandbox first", {}, "Always", None, "sandbox i"),
        (
            "a lost sandbox starts the pod over from its first init container",
            {"i": DONE, "j": DONE, "a": FAILED},
            "Always",
            False,
            "sandbox i",
        ),
        ("under Never a pod that ran is not started over", {"i": DONE, "j": DONE, "a": FAILED}, "Never", False, "kill-pod"),
        (
            "under OnFailure a pod whose containers succeeded is done",
            {"i": DONE, "j": DONE, "a": DONE},
            "OnFailure",
            False,
            "kill-pod",
        ),
    ],
)
def test_plan_without_a_sandbox(sentence: str, known: dict[str, Any], policy: str, sandbox: bool | None, wanted: str) -> None:
    assert plan(INITS, known, policy, sandbox=sandbox) == wanted, sentence
