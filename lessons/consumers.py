"""The lesson page's websocket: the lab's, and the lesson's own acts: answers, checks, hints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from lessons import fragments, library, progress, setups
from lessons.checks import Verdict, World, evaluate
from lessons.present import goals, lines
from lessons.progress import SOLUTION_SEEN, Progress, Stopwatch
from lessons.schema import Condition, Exercise, Step
from lessons.tasks import entered
from podlab.labs import audience, births, limits, panels, rewind
from podlab.labs.consumers import LabConsumer
from podlab.labs.database import on_database
from podlab.labs.models import Cluster
from podlab.projection.board import Options

COMMANDS_KEPT = 200


class LessonConsumer(LabConsumer):
    async def connect(self) -> None:
        self.step_id = ""  # the step that is being read: its conditions are looked at as the cluster moves
        self.commands: list[str] = []  # typed at that step
        self.lately: list[str] = []  # typed since a step was last done, whichever was being read
        self.typed: dict[str, list[str]] = {}  # step id -> what was typed there before another step was read
        self.shown: dict[str, Any] = {}  # step id -> what was shown of its conditions last
        self.verdicts: dict[str, list[Verdict]] = {}  # step id -> verdicts when the learner last asked
        self.stopwatch = Stopwatch()
        self.veiled: frozenset[str] = frozenset()
        self.veil_due = False  # it may have changed
        await super().connect()

    def _open(self) -> Cluster:
        row = super()._open()
        self.found = library.get(self.lesson)
        self.done = Progress() if births.is_new(row.pk) else progress.of(row.learner, self.lesson)
        if self.visitor is not None:
            self.veiled = audience.veiled(self.visitor.pk, self.lesson)
        return row

    async def _veil(self) -> None:
        """The exercises of which nothing may be given away just now."""
        self.veiled = await on_database(audience.veiled)(self.learner_id, self.lesson)

    def veil_changed(self) -> None:
        self.veil_due = True
        self.hurry()

    async def _lift_or_drop_veil(self) -> None:
        """An assessment opened or closed while the page is open: its exercises are shown anew, with nothing of what was known before."""
        self.veil_due, before = False, self.veiled
        await self._veil()
        for step in self.found.steps:
            if step.exercise is not None and step.exercise.id in before ^ self.veiled:
                self.verdicts.pop(step.id, None)
                self.shown.pop(step.id, None)
                self.page.options = Options()
                present = self._present(step.exercise.conditions)
                self.outbox.append(fragments.exercise_html(step, step.exercise, self.done, None, present, self.veiled))

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self.live is not None:
            await on_database(progress.spend)(self.row.learner, self.lesson, self.stopwatch.take())

    # ---- acts

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await super().receive(text_data, bytes_data)
        if self.stopwatch.act(asyncio.get_running_loop().time()) and self.live is not None:
            await on_database(progress.spend)(self.row.learner, self.lesson, self.stopwatch.take())

    async def do_terminal(self, message: dict[str, Any]) -> None:
        line = limits.text(message.get("line"), limits.LINE_MAX)
        self.commands = [*self.commands, line][-COMMANDS_KEPT:]
        self.lately = [*self.lately, line][-COMMANDS_KEPT:]
        await super().do_terminal(message)

    async def do_step(self, message: dict[str, Any]) -> None:
        """The learner has come to a step."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is not None and step.id != self.step_id:
            self.typed[self.step_id] = self.commands  # who scrolls on and comes back has typed it all the same
            self.step_id, self.commands = step.id, self.typed.get(step.id, [])
            self.shown.pop(step.id, None)
            self.page.options = Options()
            audience.tell(self, "step", step=step.id)
            async with self._turn():
                pass  # the step begins
            await self._lay_out({**step.files, **(step.exercise.files if step.exercise is not None else {})})

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """As the lab's; the step that is read begins here, if the journal knows of no beginning (any more: who shares a cluster can undo)."""
        async with super()._turn():
            if self.step_id:
                rewind.mark(self.live_, self._beginning)
            yield

    @property
    def _beginning(self) -> str:
        """The moment at which the learner came to the step: of those who share a cluster each has their own."""
        return f"{self.step_id} {self.by}".strip()

    async def do_again(self, message: dict[str, Any]) -> None:
        """이 걸음 다시: the cluster as it stood when the learner came to the step."""
        async with self._turn():
            gone_back = bool(self.step_id) and await rewind.to_mark(self.live_, self._beginning)
        self.outbox.append(panels.notice("이 걸음에 왔을 때로 돌아왔습니다." if gone_back else "이 걸음에 온 뒤로 한 일이 없습니다."))
        if gone_back:
            audience.tell(self, "undo")

    async def _lay_out(self, files: Mapping[str, str]) -> None:
        """The step's manifests come to the learner's machine, unless something of that name is there."""
        missing = {name: text for name, text in files.items() if name not in self.terminal.files()}
        if missing:
            async with self._turn():
                for name, text in missing.items():
                    self.terminal.laptop.write_file(name, text)
            await self._save_files()

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
        await on_database(progress.answer)(self.row.learner, self.lesson, question, choice)
        tried.append(choice)
        chosen = question.choices[choice]
        audience.tell(self, "answer", question=question.id, choice=choice, correct=chosen.correct, misconception=chosen.misconception)
        counts = await on_database(progress.tally)(self.lesson, question)
        self.outbox.append(fragments.question_html(question, tried, counts))
        step = next(step for step in self.found.steps if question in step.questions)
        if all(any(q.choices[i].correct for i in self.done.answers.get(q.id, [])) for q in step.questions):
            await self._finish(step)

    async def do_begin(self, message: dict[str, Any]) -> None:
        """사건 시작: what the exercise breaks is broken. Once more after an undo or a reset, with the clock at zero again.

        By a button and not by coming to the step: who scrolls through a lesson of ten incidents would set off all of them.
        """
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is None or step.exercise is None or not step.exercise.begins or self._solved(step.exercise):
            return
        async with self._turn():
            scene = self.live_.sequence + 1  # what the button does is many entries and one act: undo takes all of it back
            setups.run(self.live_.engine, step.exercise, lambda entry: self.live_.apply({**entry, "scene": scene}))
        self.done.attempts[step.exercise.id] = await on_database(progress.begin)(self.row.learner, self.lesson, step.exercise.id)
        self.commands, self.lately = [], []
        self.verdicts.pop(step.id, None)
        self.shown.pop(step.id, None)
        self.outbox.append(fragments.exercise_html(step, step.exercise, self.done, None, self._present(step.exercise.conditions), self.veiled))

    def _waits(self, exercise: Exercise) -> bool:
        """Whether it has a beginning that has not come yet."""
        return exercise.begins and exercise.id not in self.done.attempts

    async def do_check(self, message: dict[str, Any]) -> None:
        """확인하기: every condition, named when it does not hold."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is None or step.exercise is None or self._waits(step.exercise):
            return
        async with self._turn():
            verdicts = self.verdicts[step.id] = self._verdicts(step.exercise.conditions)
        solved = all(verdict.ok for verdict in verdicts)
        typed = self.commands if step.id == self.step_id else self.typed.get(step.id, [])
        # What was typed before the step was in view counts since the last one was done.
        commands = entered(typed or self.lately, step.commands, step.exercise.solution)
        attempt = await on_database(progress.checked)(self.row.learner, self.lesson, step.exercise.id, solved=solved, commands=commands)
        self.done.attempts[step.exercise.id] = attempt
        audience.tell(self, "check", exercise=step.exercise.id, solved=solved)
        await self._veil()
        self.outbox.append(fragments.exercise_html(step, step.exercise, self.done, verdicts, self._present(step.exercise.conditions), self.veiled))
        if solved:
            self.page.options = Options()
            await self._finish(step)

    async def do_hint(self, message: dict[str, Any]) -> None:
        """The next hint, or after the last one the solution."""
        step = self.found.step(limits.text(message.get("step"), 80))
        if step is None or step.exercise is None or self._waits(step.exercise):
            return
        attempt = self.done.attempts.get(step.exercise.id)
        number = min((attempt.hints if attempt else 0) + 1, SOLUTION_SEEN)
        self.done.attempts[step.exercise.id] = await on_database(progress.hint)(self.row.learner, self.lesson, step.exercise.id, number)
        audience.tell(self, "hint", exercise=step.exercise.id, number=number)
        await self._veil()
        self.outbox.append(fragments.exercise_html(step, step.exercise, self.done, self.verdicts.get(step.id),
                                                   self._present(step.exercise.conditions), self.veiled))

    # ---- looking while the cluster moves

    async def _send_changes(self) -> None:
        if self.veil_due and self.live is not None and not self.live.gone:
            await self._lift_or_drop_veil()
        await self._look()
        await super()._send_changes()

    async def _look(self) -> None:
        """The present step's conditions, ticked as they come true; a step whose conditions all hold is done by itself."""
        step = self.found.step(self.step_id) if hasattr(self, "found") else None
        if step is None or self.live is None or self.live.gone:
            return
        conditions = step.exercise.conditions if step.exercise else step.conditions
        if not conditions or (step.exercise and (self._solved(step.exercise) or self._waits(step.exercise))):
            return
        if step.exercise and step.exercise.id in self.veiled:
            return  # an exam tells only at a check whether a condition holds, and spends an attempt for it
        async with self.live.lock:
            verdicts = self._verdicts(conditions, self.verdicts.get(step.id))
            present = self._present(conditions) if step.exercise else []
        asked = step.id in self.verdicts
        shown = [(verdict.ok, verdict.why if asked else "") for verdict in verdicts], present
        if self.shown.get(step.id) != shown:
            self.shown[step.id] = shown
            self.outbox.append(fragments.conditions_html(step, conditions, verdicts, asked=asked, done=step.id in self.done.done))
            if step.exercise:
                self.outbox.append(fragments.present_html(step, present))
                self.page.options = Options(goals=goals(conditions, verdicts))
        if step.exercise is None and all(verdict.ok for verdict in verdicts):
            await self._finish(step)

    def _solved(self, exercise: Exercise) -> bool:
        attempt = self.done.attempts.get(exercise.id)
        return attempt is not None and attempt.solved is not None

    def _present(self, conditions: tuple[Condition, ...]) -> list[str]:
        return lines(self.live_.engine, panels.rendered(self.live_, self.page.width, self.page.options).board, conditions)

    def _verdicts(self, conditions: tuple[Condition, ...], last: list[Verdict] | Literal[False] | None = False) -> list[Verdict]:
        """`last`: what was found when the learner asked. Then what needs a copy of the cluster is not asked again while the cluster moves."""
        world = World(self.live_.engine, self.commands)
        return [(last[i] if last else Verdict(False)) if last is not False and "answers" in str(condition.check) else evaluate(condition.check, world)
                for i, condition in enumerate(conditions)]

    async def _finish(self, step: Step) -> None:
        if step.id in self.done.done:
            return
        self.done.done.add(step.id)
        self.lately = []
        await on_database(progress.finish)(self.row.learner, self.lesson, step.id)
        audience.tell(self, "done", step=step.id)
        self.outbox.append(fragments.done_html(self.found, self.done.done))
        if len(self.done.done) == len(self.found.steps):
            self.outbox.append(panels.notice("이 단원의 모든 걸음을 마쳤습니다. 잘하셨습니다!", "good"))
