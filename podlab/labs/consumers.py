"""The lab page's websocket: authorise, join, show the present; then acts in, changed fragments out.

It keeps only what it sent last. A hint says "there is something new"; hints coalesce, and a lost one costs latency, not truth.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from django.db import DatabaseError

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import ADMIN
from podlab.labs import access, audience, births, limits, lint, panels, rewind, storage, suggest
from podlab.labs.births import EPOCH_MS
from podlab.labs.browser_acts import BrowserActs
from podlab.labs.browser_tab import BrowserTab
from podlab.labs.database import on_database
from podlab.labs.live import CLUSTERS, RATES, LiveCluster
from podlab.labs.models import Cluster, Learner
from podlab.labs.page import Page
from podlab.labs.painting import PAINTER
from podlab.labs.sockets import PageConsumer
from podlab.labs.storage import ENGINE_VERSION, Fenced
from podlab.labs.terminal import TerminalSession
from podlab.projection import explanations

logger = logging.getLogger(__name__)

NO_SESSION, NO_LESSON = 4403, 4404  # the page does not come back by itself after these (scripts/socket.js)
GAP = 0.2  # seconds between two pictures of a cluster that moves by itself; what a learner does is answered at once
MENDED = "저장된 것의 일부를 읽을 수 없어서 읽을 수 있는 데까지 되살렸습니다. 없어진 것이 있으면 다시 만들거나 ‘처음으로’를 눌러 주세요."
NOT_STORED = "서버가 저장하지 못해서 방금 한 일은 없던 일이 되었습니다. 그 앞까지 한 일은 저장되어 있습니다. 잠시 뒤에 다시 해 주세요."
WORTH_TELLING_MS = 60_000  # of a cluster's life: one that was only just born need not say that it slept

FAULTS = {"on": "{node}의 전원을 켰습니다.", "off": "{node}의 전원을 껐습니다. 쿠버네티스는 50초쯤 뒤에야 알아챕니다.",
          "silent": "{node}의 kubelet을 멈췄습니다. 컨테이너는 그대로 돌지만 소식이 끊깁니다."}


class LabConsumer(BrowserActs, PageConsumer):
    """One open lab page."""

    unknown = NO_SESSION  # the close code for a visitor who may not open the page
    live: LiveCluster | None = None
    row: Cluster
    visitor: Learner | None = None  # whose page it is; the cluster's owner where several share it is nobody
    by = ""  # the visitor as a shared cluster's acts name them
    people: Mapping[str, str] = {}  # who shares the cluster
    stored: dict[str, str] | None = None  # the learner's files as `_open` found them, until the page has joined

    # ---- coming and going

    async def connect(self) -> None:
        self.lesson: str = self.scope["url_route"]["kwargs"]["slug"]
        await self.accept()
        try:
            self.row = await on_database(self._open)()
        except access.NoLearner:
            await self.close(self.unknown)
            return
        except LookupError:
            await self.close(NO_LESSON)
            return
        self.learner_id = self.visitor.pk if self.visitor is not None else self.row.learner_id
        self.page = Page(self.lesson)
        self.alarm: asyncio.TimerHandle | None = None
        self.later: asyncio.TimerHandle | None = None  # the next picture, while it waits for its time, then for its turn
        self.sent_at = 0.0  # of the loop's clock
        self.begin(self._send_for_ever)
        if CLUSTERS.find(self.row.id) is None and self.row.now_ms - self.row.epoch_ms > WORTH_TELLING_MS:
            self.outbox.append(panels.notice("잠들어 있던 클러스터를 깨웠습니다. 자는 동안 시계는 멈춰 있었습니다."))
        await self._join()
        self._enter()

    def _open(self) -> Cluster:
        """All that a page asks the database before it shows something, in one visit: when a class arrives, visits stand in a queue."""
        birth = births.birth(self.lesson)
        self.visitor = access.get_learner(self.scope)
        place = access.place_of(self.visitor, self.lesson)
        self.people = place.people
        self.by = str(self.visitor.pk) if self.people else ""
        row = access.open_at(place, self.lesson, seed=birth.seed, epoch_ms=EPOCH_MS, engine_version=ENGINE_VERSION)
        self.stored = {} if births.is_new(row.id) else panels.load_files(row.id)
        return row

    async def _join(self) -> None:
        """Join the live cluster (again, after it was discarded) and show everything."""
        if self.live is not None:
            self.live.leave(self)
        self.live = await CLUSTERS.get(self.row.id)
        self.live.viewers.add(self)
        if self.live.mended:
            self.outbox.append(panels.notice(MENDED, "warn"))
        self.live.people.update(self.people)
        stored, self.stored = self.stored, None
        if stored is None:
            stored = await on_database(panels.load_files)(self.row.id)
        files = births.birth(self.lesson).files | stored
        if hasattr(self, "terminal"):
            self.terminal.attach(self.live, files)
        else:
            self.terminal = TerminalSession(self.live, files, self._print)
            self.browser = BrowserTab(self.lesson, self.visitor or self.row.learner, self.channel_name, lambda: self.terminal, self.hint)
            self.browser.by = self.by
        self.page.saved_files = self.terminal.files()
        self.page.forget()
        self.browser.forget()
        self.hurry()

    def _enter(self) -> None:
        """The page is one of its learner's from now on."""
        audience.enter(self)

    async def type_for(self, line: str) -> None:
        """Enter a line as if the learner had typed it: a suggestion that was accepted, or somebody who helps."""
        self.outbox.append(panels.typed(self.terminal.prompt, line))
        await self.do_terminal({"line": line})
        self.hurry()

    async def disconnect(self, code: int) -> None:
        if self.live is not None:
            audience.leave(self)
            self.live.leave(self)
        self.end()
        if hasattr(self, "browser"):
            self.browser.close()
            self._set_alarm(None)
            self._unhint()

    # ---- out

    def _print(self, stream: str, text: str) -> None:
        """What a command printed; a refusal gets a line that explains it."""
        self._put_terminal(panels.terminal_text(stream, text))
        if stream == "err":
            audience.tell(self, "error", text=text)
        if stream == "err" and (told := explanations.of_output(text)):
            self._put_terminal(panels.terminal_text("note", f"↳ {told}\n"))

    def _put_terminal(self, html: str) -> None:
        """To this page's terminal, and to who looks on."""
        self.outbox.append(html)
        self.live_.transcript.add(html)

    def hint(self) -> None:
        """Something moved: show it, together with what else moves within the gap."""
        if self.later is None and not self.wake.is_set():
            loop = asyncio.get_running_loop()
            self.later = loop.call_at(max(self.sent_at + GAP, loop.time()), PAINTER.add, self)

    def _unhint(self) -> None:
        if self.later is not None:
            self.later.cancel()
            self.later = None
            PAINTER.discard(self)

    def hurry(self) -> None:
        """Show the present now."""
        self._unhint()
        self.wake.set()
        audience.tell(self, "moved")

    def show(self, html: str) -> None:
        """Fragments from elsewhere (audience.py), sent with the next change."""
        self.outbox.append(html)
        self.wake.set()

    def veil_changed(self) -> None:
        """A plain lab page has nothing that is veiled."""

    async def _send_for_ever(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._send_changes()
            self.sent_at = asyncio.get_running_loop().time()
            await asyncio.sleep(0)  # a command that goes on at once lets others in

    async def _send_changes(self) -> None:
        """The latest of everything that this page shows and has not seen. Nothing is shown before it is on disk: hence the lock."""
        live = self.live
        if live is None or live.gone:
            await self._join()
            live = self.live
        assert live is not None
        if self.terminal.busy or self.terminal.hungry:
            try:
                async with live.turn(quiet=True, by=self.by):
                    self.terminal.advance()
                if self.terminal.hungry:
                    self.hurry()
                elif not self.terminal.busy:
                    await self._save_files()
                    self.hint()  # what the command has done is looked at once more: a request alone moves nothing in the store
            except Fenced:
                await self._join()
                return
        async with live.lock:
            fragments = self.page.fragments(live, self.terminal) + (self.browser.fragments() if self.page.tab == "browser" else [])
            self._set_alarm(self.terminal.next_at() if self.terminal.busy and live.rate else None)
        await self.send_outbox(*fragments)

    def _set_alarm(self, at: int | None) -> None:
        """Look again when the running command wants to: `sleep 5` ends although nothing happens in the cluster. Virtual ms."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None
        if at is not None and self.live is not None:
            seconds = (at - self.live.due()) / 1000 / self.live.rate
            self.alarm = asyncio.get_running_loop().call_later(max(seconds, GAP), self.hint)

    # ---- in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        read = self.message(text_data)
        if read is None or self.live is None:
            return
        name, message = read
        own, others = getattr(self, f"do_{name}", None), audience.handler(name)
        if own is None and others is None:
            return
        if not self.rate_limit.take():
            self.outbox.append(panels.notice("너무 빠릅니다. 잠시 뒤에 다시 해 주세요.", "warn"))
            self.hurry()
            return
        try:
            await audience.check(self, name, message)
            if own is not None:
                await own(message)
            elif others is not None:
                await others(self, message)
        except ApiError as error:
            self.outbox.append(panels.refusal(error))
        except Fenced:
            text = "다른 곳에서 이 클러스터를 바꾸었습니다. 지금 모습을 다시 불러왔습니다. 방금 한 일은 적용되지 않았습니다."
            self.outbox.append(panels.notice(text, "warn"))
            CLUSTERS.discard(self.live)
            await self._join()
        except DatabaseError:  # the writer has logged why; the page joins anew, at what is stored
            self.outbox.append(panels.terminal_text("err", NOT_STORED + "\n"))
            self.outbox.append(panels.notice(NOT_STORED, "bad"))
        except Exception:
            logger.exception("The act %r failed", name)
            self.outbox.append(panels.notice("서버에서 문제가 생겨 하지 못했습니다. 하던 일은 저장되어 있습니다.", "warn"))
        self.hurry()

    async def do_terminal(self, message: dict[str, Any]) -> None:
        """A line typed in the terminal."""
        line = limits.text(message.get("line"), limits.LINE_MAX)
        audience.tell(self, "line", text=line)
        self.live_.transcript.add(panels.typed(self.terminal.prompt, line))  # the page itself has shown it
        async with self._turn():
            self.terminal.feed(line)
        await self._save_files()

    async def do_interrupt(self, message: dict[str, Any]) -> None:
        async with self._turn():
            self.terminal.interrupt()

    async def do_complete(self, message: dict[str, Any]) -> None:
        """Tab in the terminal."""
        line = limits.text(message.get("line"), limits.LINE_MAX)
        self.outbox.append(panels.completions(line, self.terminal.complete(line)))

    async def do_rate(self, message: dict[str, Any]) -> None:
        rate = limits.number(message.get("rate"))
        if rate in RATES:
            async with self._turn():
                self.live_.set_rate(rate)
            await CLUSTERS.writer.call(storage.save_rate, self.row.id, rate)

    async def do_next(self, message: dict[str, Any]) -> None:
        """To the next event."""
        async with self._turn():
            if self.live_.next_event() is None:
                self.outbox.append(panels.notice("기다리는 사건이 없습니다. 무언가 해 보세요."))

    async def do_fault(self, message: dict[str, Any]) -> None:
        """Something breaks: a node's power, a container's process."""
        fault = limits.fault(message)
        async with self._turn():
            self.live_.apply({"do": "fault", **fault})
        audience.tell(self, "fault", **fault)
        self.outbox.append(panels.notice(FAULTS.get(fault.get("power", ""), "{container}의 프로세스를 죽였습니다.").format(**fault)))

    async def do_apply(self, message: dict[str, Any]) -> None:
        """The YAML editor's text: kept as a file, then applied from the terminal, where the answer shows."""
        name, text = limits.file(message, self.page.saved_files)
        if self.terminal.busy:
            raise limits.refuse("터미널에서 다른 명령이 실행되고 있습니다. Ctrl-C로 멈추거나 exit로 나온 뒤에 다시 적용해 주세요.")
        async with self._turn():
            self.terminal.laptop.write_file(name, text)
            self.page.saved_files[name] = text
            self._put_terminal(panels.typed(self.terminal.prompt, f"kubectl apply -f {name}"))
            audience.tell(self, "line", text=f"kubectl apply -f {name}")
            self.terminal.feed(f"kubectl apply -f {name}")
        await self._save_files()

    async def do_save(self, message: dict[str, Any]) -> None:
        name, text = limits.file(message, self.page.saved_files)
        async with self._turn():
            self.terminal.laptop.write_file(name, text)
        self.page.saved_files[name] = text
        await on_database(panels.save_files)(self.row.id, self.terminal.files())

    async def do_edited(self, message: dict[str, Any]) -> None:
        """The file that a command of the terminal has opened was closed: with its text as it was saved, or null for nothing saved."""
        number, text = int(limits.number(message.get("number"))), message.get("text")
        saved = None if text is None else limits.manifest(text)
        async with self._turn():
            self.terminal.close_editor(number, saved)
        await self._save_files()

    async def do_lint(self, message: dict[str, Any]) -> None:
        """What the API server would say to the editor's text, with lines."""
        text = limits.manifest(message.get("text"))
        async with self.live_.lock:
            problems = await asyncio.get_running_loop().run_in_executor(None, lint.problems, self.live_.engine, text)
        self.outbox.append(panels.problems(str(message.get("id"))[:20], problems))

    async def do_suggest(self, message: dict[str, Any]) -> None:
        """What could stand where the editor's cursor is."""
        text = limits.manifest(message.get("text"))
        self.outbox.append(panels.words(str(message.get("id"))[:20], suggest.words(text)))

    async def do_delete(self, message: dict[str, Any]) -> None:
        """The menu's "지우기" while the terminal is busy with another command."""
        parts = limits.text(message.get("ref"), 300).split("/")
        if len(parts) != 3:
            raise limits.refuse("지울 수 없는 것입니다.")
        plural, namespace, name = parts
        async with self._turn():
            self.live_.apply({"do": "request", "verb": "delete", "resource": plural, "namespace": namespace, "name": name,
                              "options": {"command": f"kubectl delete {plural.removesuffix('s')} {name}"}, "user": ADMIN})

    async def do_select(self, message: dict[str, Any]) -> None:
        """An object of the diagram was picked: the inspector shows it."""
        self.page.select(limits.text(message.get("ref"), 300), limits.text(message.get("view", "describe"), 20))

    async def do_tab(self, message: dict[str, Any]) -> None:
        self.page.open_tab(limits.text(message.get("tab"), 20))

    async def do_width(self, message: dict[str, Any]) -> None:
        """How much room the diagram has, CSS pixels."""
        self.page.set_width(int(limits.number(message.get("width"))))

    async def do_undo(self, message: dict[str, Any]) -> None:
        async with self._turn():
            undone = await rewind.undo(self.live_)
        audience.tell(self, "undo")
        self.outbox.append(panels.notice("되돌릴 일이 없습니다." if undone is None else f"되돌렸습니다: {undone}"))

    async def do_reset(self, message: dict[str, Any]) -> None:
        async with self._turn():
            await rewind.reset(self.live_, self.lesson)
        audience.tell(self, "reset")
        self.outbox.append(panels.notice("이 단원의 처음으로 돌아왔습니다."))

    # ---- helpers

    @property
    def live_(self) -> LiveCluster:
        assert self.live is not None
        return self.live

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """An act of this page. What it printed is taken back when it cannot be stored: it has not happened. Raises Fenced, DatabaseError."""
        box, before, after = self.outbox, 0, 0
        try:
            async with self.live_.turn(by=self.by):  # nobody sends meanwhile
                box = self.outbox
                before = after = len(box)
                try:
                    yield
                finally:
                    after = len(box)
        except (DatabaseError, Fenced):
            del box[before:after]
            raise

    async def _save_files(self) -> None:
        """Keep what the shell has made of the learner's files, and show it in the editor."""
        files = self.terminal.files()
        if files != self.page.saved_files:
            self.outbox.append(panels.files_changed(self.page.saved_files, files))
            self.page.saved_files = dict(files)
            await on_database(panels.save_files)(self.row.id, files)
