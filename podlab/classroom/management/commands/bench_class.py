"""`manage.py bench_class`: a class on one process with SQLite, and its teacher's grid in a real Chromium.

Every simulated learner has a websocket of their own and does the exercises of one lesson from its solution file at a person's pace, with
mistyped commands, looks at the cluster and checks in between. What the grid shows is noted by the page itself at the moment it changes.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import time
from argparse import ArgumentParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from lessons import library
from podlab.labs.management.commands.bench import cpu_seconds, made_by, serving

SEED = 1
LEARNERS, SECONDS, ARRIVAL_SECONDS = 200, 90.0, 20.0
PAUSE = (4.0, 14.0)  # seconds that a person takes between two acts
MISTYPED = 0.15  # of the acts
GRID_BAR_MS, PAGE_BAR_MS, FRAMES_BAR = 1000, 300, 30
LESSON = "one-ip"
LOOKS = ("kubectl get pods", "kubectl get pods -o wide", "kubectl describe pod shop", "kubectl get events", "kubectl get all")
ERRORS = ("kubectl gte pods", "kubectl get pod web-9", "kubectl logs nobody", "kubctl get pods")

PEOPLE = """
import json, os, sys, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
django.setup()
from django.contrib.auth.models import User
from django.contrib.sessions.backends.signed_cookies import SessionStore
from podlab.classroom import joining
from podlab.classroom.models import Classroom
from podlab.classroom.views import desk_of
from podlab.labs import sessions
from podlab.labs.models import Learner
def signed(**values):
    session = SessionStore()
    session.update(values)
    session.save()
    return session.session_key
teacher = User.objects.create_user("bench")
room = Classroom.objects.create(teacher=teacher, title="200명", join_code=joining.new_join_code())
learners = []
for number in range(int(sys.argv[1])):
    learner = Learner.objects.create(nickname=f"배움이 {number + 1}", resume_code_hash=sessions.hash_code(sessions.new_code()))
    joining.join(room, learner, learner.nickname)
    learners.append([str(learner.pk), signed(**{sessions.LEARNER_KEY: str(learner.pk)})])
cookie = signed(_auth_user_id=str(teacher.pk), _auth_user_backend="django.contrib.auth.backends.ModelBackend",
                _auth_user_hash=teacher.get_session_auth_hash(), **{sessions.LEARNER_KEY: str(desk_of(teacher).pk)})
print(json.dumps({"classroom": room.pk, "teacher": cookie, "learners": learners}))
"""

WATCH = """() => {
  window.acts = []; window.frames = [];
  const told = new Map();
  const note = () => {
    for (const tile of document.querySelectorAll(".tile")) {
      const text = tile.querySelector(".last code")?.textContent ?? "";
      if (told.get(tile.dataset.learner) === text) continue;
      told.set(tile.dataset.learner, text);
      window.acts.push([tile.dataset.learner, text, performance.timeOrigin + performance.now()]);
    }
  };
  document.addEventListener("htmx:wsAfterMessage", note);
  const frame = (at) => { window.frames.push(at); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


@dataclass
class Figures:
    """Milliseconds; and what each learner did when, by the wall clock."""

    pages: list[float] = field(default_factory=list)
    acts: list[tuple[str, str, float]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # lines without an answer within ten seconds


def shown(line: str) -> str:
    """A line as the tile shows it (seats.py)."""
    return " ".join(line.split())[:120]


def commands(text: str) -> list[str]:
    """A solution's commands; a here-document stays in one piece. What only tidies up prints nothing where nothing is left, and is left out."""
    found, end = [], ""
    for line in text.splitlines():
        if end:
            found[-1] += "\n" + line
            end = "" if line.strip() == end else end
        elif line.strip() and not line.startswith("#") and "--ignore-not-found" not in line:
            found.append(line)
            end = line.split("<<")[1].strip().strip("'\"") if "<<" in line else ""
    return found


async def learner(port: int, person: tuple[str, str], number: int, seconds: float, found: Figures) -> None:
    from websockets.asyncio.client import connect
    from websockets.typing import Origin

    chance = random.Random(SEED * 100_000 + number)  # noqa: S311  (a load, not a secret)
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(chance.random() * ARRIVAL_SECONDS)
    steps = [step for step in library.get(LESSON).steps if step.exercise]
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={person[1]}"}
    async with connect(f"ws://127.0.0.1:{port}/ws/lessons/{LESSON}/", origin=Origin(f"http://127.0.0.1:{port}"),
                       additional_headers=headers, max_size=None) as line:
        answered = asyncio.Event()

        async def listen() -> None:
            async for message in line:
                if 'id="terminal-log"' in str(message) or 'class="t-' in str(message):
                    answered.set()

        listening_task = asyncio.create_task(listen())

        async def act(command: str) -> None:
            first, *rest = command.split("\n")
            text = "\n".join([f"{first} # {len(found.acts)}", *rest])  # unlike any other, so that the grid's answer is known from an older one
            answered.clear()
            sent, wall = time.perf_counter(), time.time() * 1000
            await line.send(json.dumps({"action": "terminal", "line": text}))
            found.acts.append((person[0], shown(text), wall))
            try:
                await asyncio.wait_for(answered.wait(), 10)
                found.pages.append((time.perf_counter() - sent) * 1000)
            except TimeoutError:
                found.lost.append(text)
            await asyncio.sleep(chance.uniform(*PAUSE))

        while asyncio.get_running_loop().time() - began < seconds:
            for step in steps:
                await line.send(json.dumps({"action": "step", "step": step.id}))
                assert step.exercise is not None
                for text in commands(step.exercise.solution):
                    if chance.random() < MISTYPED:
                        await act(chance.choice(ERRORS))
                    await act(text)
                    await act(chance.choice(LOOKS))
                    if asyncio.get_running_loop().time() - began > seconds:
                        break
                await line.send(json.dumps({"action": "check", "exercise": step.exercise.id}))
        listening_task.cancel()


class Command(BaseCommand):
    help = "Measure a class of 200 with its teacher's page in Chromium"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--learners", type=int, default=LEARNERS)
        parser.add_argument("--seconds", type=float, default=SECONDS)
        parser.add_argument("--screenshot", default="", help="a file for a picture of the teacher's page in the middle of it")

    def handle(self, *, learners: int, seconds: float, screenshot: str, **options: Any) -> None:
        browser = subprocess.run([str(settings.BASE_DIR / "tools" / "browser.sh")], capture_output=True, text=True, check=False).stdout.strip()
        if not browser:
            raise SystemExit("There is no Chromium: make test-browser installs one where it may.")
        with serving() as (server, port, environment):
            people = made_by(PEOPLE, learners, environment)
            before, began = cpu_seconds(server.pid), time.monotonic()
            figures, acts, frames = asyncio.run(self.lesson(port, people, seconds, browser, screenshot))
            cpu, memory = cpu_seconds(server.pid) - before, peak_memory(server.pid)
            seconds = time.monotonic() - began  # whoever is in the middle of an act ends it
        self.report(figures, acts, frames, cpu, memory, learners, seconds)

    async def lesson(self, port: int, people: dict[str, Any], seconds: float, browser: str,
                     screenshot: str) -> tuple[Figures, list[tuple[str, str, float]], list[float]]:
        """The class itself: (what learners measured, what the grid showed when, times of the page's frames)."""
        from playwright.async_api import async_playwright

        figures = Figures()
        async with async_playwright() as playwright:
            running = await playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"] if os.geteuid() == 0 else [])
            context = await running.new_context(viewport={"width": 1440, "height": 900}, locale="ko-KR")
            await context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": people["teacher"], "url": f"http://127.0.0.1:{port}"}])
            page = await context.new_page()
            await page.goto(f"http://127.0.0.1:{port}/teacher/classes/{people['classroom']}/")
            await page.wait_for_selector(".tile")
            await page.evaluate(WATCH)
            crowd = asyncio.gather(*(learner(port, person, number, seconds, figures) for number, person in enumerate(people["learners"])))
            if screenshot:
                await asyncio.sleep(seconds / 2)
                await page.screenshot(path=screenshot)
            await crowd
            await asyncio.sleep(2)
            acts, frames = await page.evaluate("[window.acts, window.frames]")
            await running.close()
        return figures, [tuple(one) for one in acts], frames

    def report(self, figures: Figures, acts: list[tuple[str, str, float]], frames: list[float], cpu: float, memory: int,
               learners: int, seconds: float) -> None:
        grid, missing = delays(figures.acts, acts)
        a_second = [sum(start <= at < start + 1000 for at in frames) for start in range(int(frames[0]), int(frames[-1]) - 1000, 1000)]
        self.say(f"an act of {learners} learners until the grid shows it", told(grid) + f" of {len(grid)} ({missing} overtaken)",
                 f"p99 {GRID_BAR_MS:,} ms", percentile(grid, 99) <= GRID_BAR_MS)
        self.say("the learners' own pages", told(figures.pages) + f" of {len(figures.pages)} acts, {len(figures.lost)} lost",
                 f"p99 {PAGE_BAR_MS} ms", percentile(figures.pages, 99) <= PAGE_BAR_MS and not figures.lost)
        for line in figures.lost[:5]:
            self.stdout.write(f"  without an answer: {shown(line)}")
        mean, worst, low = statistics.mean(a_second), min(a_second), sum(one < FRAMES_BAR for one in a_second)
        self.say("the teacher's page", f"{mean:.0f} frames a second, {worst} in the worst second, {low} of {len(a_second)} seconds below",
                 f"{FRAMES_BAR} frames", low == 0)
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        self.stdout.write(f"the server: {cpu:.0f} s of CPU in {seconds:.0f} s, {memory / 1e6:,.0f} MB at the most; "
                          f"load average of the machine {load} on {os.cpu_count()} cores; seed {SEED}")

    def say(self, what: str, figure: str, bar: str, reached: bool) -> None:
        self.stdout.write(f"{what:<48} {figure:<64} bar {bar:<14} {'reached' if reached else 'NOT reached'}")


def delays(done: list[tuple[str, str, float]], seen: list[tuple[str, str, float]]) -> tuple[list[float], int]:
    """Milliseconds from each act to the tile that shows it, and how many acts the next one had overtaken before the grid looked."""
    by_learner: dict[str, list[tuple[str, float]]] = {}
    for who, text, at in seen:
        by_learner.setdefault(who, []).append((text, at))
    found, missing = [], 0
    for who, text, at in done:
        fitting = next((when for told_text, when in by_learner.get(who, []) if told_text == text and when >= at - 5), None)
        if fitting is None:
            missing += 1
        else:
            found.append(max(fitting - at, 0.0))
    return found, missing


def percentile(values: list[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share / 100), len(ordered) - 1)] if ordered else float("inf")


def told(values: list[float]) -> str:
    return f"p50 {percentile(values, 50):.0f} ms, p99 {percentile(values, 99):.0f} ms"


def peak_memory(pid: int) -> int:
    """Bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
