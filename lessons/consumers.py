"""The lesson page's websocket: the lab's, and the lesson's own acts: answers, checks, hints."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from lessons import fragments, library, progress
from lessons.checks import Verdict, World, evaluate
from lessons.progress import SOLUTION_SEEN
from lessons.schema import Condition, Step
from podlab.labs import limits, panels
from podlab.labs.consumers import LabConsumer

COMMANDS_KEPT = 200


class LessonConsumer(LabConsumer):
    async def connect(self) -> None:
        self.step_id = ""  # the step that is being read: its conditions are looked at as the cluster moves
        self.commands: list[str] = []
        self.shown: dict[str, Any] = {}  # step id -> verdicts shown last
        await super().connect()
        if self.live is not None:
            self.found = library.get(self.lesson)
            self.done = await database_sync_to_async(progress.of)(self.row.learner, self.lesson)

    # ---- acts

    async def do_terminal(self, message: dict[str, Any]) -> None:
        line = limits.text(message.get("line"), limits.LINE_MAX)
        self.commands = [*self.commands, line][-COMMANDS_KEPT:]
        await super().do_terminal(message)

    async def do_step(self, message: dict[str, Any]) -> None:
        """The learner has come to a step."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is not None and step.id != self.step_id:
            self.step_id, self.commands = step.id, []
            self.shown.pop(step.id, None)
            if step.exercise is not None:
                for name, text in step.exercise.files.items():
                    if name not in self.terminal.files():
                        self.terminal.laptop.write_file(name, text)

    async def do_read(self, message: dict[str, Any]) -> None:
        """A step without a task was read to its end."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is not None and not (step.questions or step.exercise or step.conditions):
            await self._finish(step)

    async def do_answer(self, message: dict[str, Any]) -> None:
        question = self.found.question(limits.text(message.get("question"), 80))
        choice = message.get("choice")
        if question is None or not isinstance(choice, int) or not 0 <= choice < len(question.choices):
            return
        tried = self.done.answers.setdefault(question.id, [])
        if any(question.choices[index].correct for index in tried):
            return
        await database_sync_to_async(progress.answer)(self.row.learner, self.lesson, question, choice)
        tried.append(choice)
        counts = await database_sync_to_async(progress.tally)(self.lesson, question)
        self.outbox.append(fragments.question_html(question, tried, counts))
        step = next(step for step in self.found.steps if question in step.questions)
        if all(any(q.choices[i].correct for i in self.done.answers.get(q.id, [])) for q in step.questions):
            await self._finish(step)

    async def do_check(self, message: dict[str, Any]) -> None:
        """확인하기: every condition, named when it does not hold."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is None or step.exercise is None:
            return
        async with self._turn():
            verdicts = self._verdicts(step.exercise.conditions)
        solved = all(verdict.ok for verdict in verdicts)
        attempt = await database_sync_to_async(progress.checked)(self.row.learner, self.lesson, step.exercise.id, solved=solved,
                                                                 commands=len([c for c in self.commands if c.strip()]))
        self.done.attempts[step.exercise.id] = attempt
        self.outbox.append(fragments.exercise_html(step, step.exercise, self.done, verdicts))
        if solved:
            await self._finish(step)

    async def do_hint(self, message: dict[str, Any]) -> None:
        """The next hint, or after the last one the solution."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is None or step.exercise is None:
            return
        attempt = self.done.attempts.get(step.exercise.id)
        number = min((attempt.hints if attempt else 0) + 1, SOLUTION_SEEN)
        self.done.attempts[step.exercise.id] = await database_sync_to_async(progress.hint)(self.row.learner, self.lesson, step.exercise.id, number)
        self.outbox.append(fragments.exercise_html(step, step.exercise, self.done, None))

    # ---- looking while the cluster moves

    async def _send_changes(self) -> None:
        await self._look()
        await super()._send_changes()

    async def _look(self) -> None:
        """The present step's conditions, ticked as they come true; a step whose conditions all hold is done by itself."""
        step = self.found.step(self.step_id) if hasattr(self, "found") else None
        if step is None or self.live is None or self.live.gone:
            return
        conditions = step.exercise.conditions if step.exercise else step.conditions
        if not conditions:
            return
        async with self.live.lock:
            verdicts = self._verdicts(conditions, cheap=True)
        marks = [verdict.ok for verdict in verdicts]
        if self.shown.get(step.id) != marks:
            self.shown[step.id] = marks
            self.outbox.append(fragments.conditions_html(step, conditions, verdicts, asked=False))
        if step.exercise is None and all(marks):
            await self._finish(step)

    def _verdicts(self, conditions: tuple[Condition, ...], *, cheap: bool = False) -> list[Verdict]:
        """`cheap`: what needs a copy of the cluster is not asked again while the cluster moves."""
        world = World(self.live_.engine, self.commands)
        return [Verdict(False) if cheap and "answers" in str(condition.check) else evaluate(condition.check, world) for condition in conditions]

    async def _finish(self, step: Step) -> None:
        if step.id in self.done.done:
            return
        self.done.done.add(step.id)
        await database_sync_to_async(progress.finish)(self.row.learner, self.lesson, step.id)
        self.outbox.append(fragments.done_html(self.found, self.done.done))
        if len(self.done.done) == len(self.found.steps):
            self.outbox.append(panels.notice("이 단원의 모든 걸음을 마쳤습니다. 잘하셨습니다!", "good"))
