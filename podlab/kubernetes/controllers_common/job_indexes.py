"""Completion indexes of Indexed Jobs, as the interval text of Job status: `0-2,5` (pkg/controller/job/indexed_job_utils.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..objects import EMPTY, Map

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def index_of(pod: Map) -> int | None:
    """A Pod's completion index, or None."""
    text = (pod["metadata"].get("annotations") or EMPTY).get(INDEX, "")
    return int(text) if text.isdigit() else None


def parse(text: str | None, completions: int) -> set[int]:
    found: set[int] = set()
    for part in filter(None, (text or "").split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return {index for index in found if index < completions}


def format_(indexes: Iterable[int]) -> str:
    """Runs of three and more with a dash, others one by one."""
    parts: list[str] = []
    run: list[int] = []
    for index in [*sorted(indexes), None]:
        if run and (index is None or index != run[-1] + 1):
            parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(one) for one in run]
            run = []
        if index is not None:
            run.append(index)
    return ",".join(parts)


def first_pending(count: int, completions: int, taken: set[int]) -> list[int]:
    """The lowest indexes that nobody works on."""
    found: list[int] = []
    for index in range(completions):
        if len(found) == count:
            break
        if index not in taken:
            found.append(index)
    return found


def failures_of(pod: Map) -> int:
    """How often this Pod's index had failed before it (the annotation)."""
    return _count(pod, FAILURES)


def ignored_of(pod: Map) -> int:
    """How many of its index's failures an Ignore rule had left uncounted before it."""
    return _count(pod, IGNORED)


def absolute_failures_of(pod: Map) -> int:
    """getIndexAbsoluteFailureCount: both together, by which the index's back-off grows."""
    return failures_of(pod) + ignored_of(pod)


def _count(pod: Map, annotation: str) -> int:
    text = (pod["metadata"].get("annotations") or EMPTY).get(annotation, "0")
    return int(text) if text.isdigit() else 0
