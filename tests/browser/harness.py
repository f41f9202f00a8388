"""What browser tests are made with: the real server as a process, a page's console errors, whether a page fits its window."""

import atexit
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import IO

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent.parent
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
HANG = 120  # seconds that only what hangs takes: these tests say what happens; how fast it is, benches and explicit bars say


def unconfigured(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that settings.py reads."""
    return {name: value for name, value in environ.items() if not name.startswith(("PODLAB_", "DATABASE_", "REDIS_", "SECRET_"))}


class Server:
    """`manage.py serve` with a data directory of its own. `start` after `kill` (SIGKILL) comes back on the same port and data.

    The first of a process brings its database up to date and loads the lessons; the others begin with a copy of what it had then.
    """

    prepared: Path | None = None

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.log: IO[str] | None = None

    @property
    def database(self) -> Path:
        return self.data / "podlab.sqlite3"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        self.data.mkdir(parents=True, exist_ok=True)
        environ = {**unconfigured(os.environ), "PODLAB_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        self.log = (self.data / "server.log").open("a")
        preparing = Server.prepared is None
        if Server.prepared is not None and not self.database.exists():
            shutil.copy(Server.prepared, self.database)
        command = [sys.executable, "manage.py", "serve", *(["--migrate", "--load-lessons"] if preparing else []), "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout is not None
        announced = re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stdout.readline())
        assert announced, f"the server did not start:\n{self.read_log()}"
        self.port = int(announced[1])
        if preparing:
            Server.prepared = Path(tempfile.mkdtemp()) / self.database.name
            atexit.register(shutil.rmtree, Server.prepared.parent, ignore_errors=True)
            with closing(sqlite3.connect(self.database)) as made, closing(sqlite3.connect(Server.prepared)) as kept:
                made.backup(kept)
        return self

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(timeout=HANG)
            self.process.stdout.close()
            self.process = None
        if self.log:
            self.log.close()
            self.log = None

    def cpu(self) -> float:
        """Seconds of processor time that the process has taken so far."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime: proc_pid_stat(5)

    def read_log(self) -> str:
        return (self.data / "server.log").read_text()


def browser_path() -> str | None:
    found = subprocess.run([str(ROOT / "tools" / "browser.sh")], capture_output=True, text=True)
    return found.stdout.strip() or None


class Errors:
    """What one page's console said that it should not have."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        self.allowed: list[str] = []
        page.on("console", lambda message: self.seen.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.seen.append(f"uncaught: {error}"))
        page.on("requestfailed", lambda request: self.seen.append(f"failed: {request.url} {request.failure}"))

    def unexpected(self) -> list[str]:
        # ERR_ABORTED is the browser's own: a request dropped because the page was left.
        return [text for text in self.seen if "ERR_ABORTED" not in text and not any(re.search(p, text) for p in self.allowed)]


ERRORS: dict[Page, Errors] = {}


def allow_error(page: Page, pattern: str) -> None:
    """This test provokes console errors that match `pattern`."""
    ERRORS[page].allowed.append(pattern)


CLIPPED = """() => [...document.querySelectorAll('body *')].filter((e) => {
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (!box.width || style.visibility === 'hidden' || e.closest('.unseen, svg, pre, [data-scrolls]')) return false;
  const hides = ['hidden', 'clip'].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1;
  return hides || box.right > document.documentElement.clientWidth + 1 || box.left < -1;
}).map((e) => `${e.tagName.toLowerCase()}.${e.className}: ${e.textContent.trim().slice(0, 40)}`)"""


def assert_fits(page: Page) -> None:
    """Nothing wider than the window and no text cut off, except inside code blocks and elements marked data-scrolls, which scroll by themselves."""
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
