"""`kill -9` while requests are running: what was acknowledged is there, and every page comes back by itself and shows the present."""

import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import HANG, Server, allow_error
from tests.browser.learner import ConnectionClosed, Socket, start

pytestmark = pytest.mark.browser
LESSON = "one-ip"
ROUNDS, LEARNERS, SOCKETS = 3, 3, 2


def journaled(server: Server) -> set[str]:
    """The names of all ConfigMaps that the journal holds a request for."""
    with closing(sqlite3.connect(server.database, timeout=HANG)) as database:
        rows = [json.loads(request) for (request,) in database.execute("SELECT request FROM labs_journalentry")]
    return {row["body"]["metadata"]["name"] for row in rows if row.get("resource") == "configmaps" and row["verb"] == "create"}


class Worker(threading.Thread):
    """Creates one ConfigMap after another and notes which were acknowledged, until the server is gone."""

    def __init__(self, server: Server, cookie: str, prefix: str) -> None:
        super().__init__(daemon=True)
        self.server, self.cookie, self.prefix = server, cookie, prefix
        self.acknowledged: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with Socket(self.server, self.cookie, LESSON) as socket:
                for number in range(1000):
                    name = f"{self.prefix}-{number}"
                    socket.run(f"kubectl create configmap {name}", f"configmap/{name} created")
                    self.acknowledged.append(name)
                    time.sleep(0.1)  # the page's own limit is ten acts a second
        except (ConnectionClosed, OSError):
            pass  # the server was killed
        except BaseException as error:
            self.error = error


def test_nothing_acknowledged_is_lost_and_pages_come_back(own_server: Server, new_page: Callable[..., Page]) -> None:
    chance = random.Random(20261121)
    cookies = [start(own_server, f"고래{number}") for number in range(LEARNERS)]
    page = new_page(server=own_server)
    allow_error(page, r"WebSocket|ERR_CONNECTION|Failed to load|\[object Event\]")
    page.context.add_cookies([dict(zip(("name", "value"), pair.split("=", 1), strict=True), url=own_server.url) for pair in cookies[0].split("; ")])
    page.goto(f"/lessons/{LESSON}/")
    page.evaluate("window.sameDocument = true")
    acknowledged: dict[str, set[str]] = {cookie: set() for cookie in cookies}

    for round_number in range(ROUNDS):
        workers = [Worker(own_server, cookie, f"r{round_number}-l{i}-s{s}") for i, cookie in enumerate(cookies) for s in range(SOCKETS)]
        for worker in workers:
            worker.start()
        deadline = time.monotonic() + HANG
        while not all(worker.acknowledged or worker.error for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.1, 1.2))
        own_server.kill()
        for worker in workers:
            worker.join(timeout=HANG)
            assert worker.error is None and not worker.is_alive(), worker.error
            acknowledged[worker.cookie] |= set(worker.acknowledged)
            assert worker.acknowledged
        expect(page.locator("#offline")).to_be_visible()
        own_server.start()

        assert set().union(*acknowledged.values()) <= journaled(own_server)
        for cookie in cookies:
            with Socket(own_server, cookie, LESSON) as socket:
                shown = socket.run("kubectl get configmaps -o name && echo the-e''nd", "the-end")
                assert acknowledged[cookie] <= {line.removeprefix("configmap/") for line in shown.splitlines()}
        expect(page.locator("#offline")).to_be_hidden()
        with Socket(own_server, cookies[0], LESSON) as socket:
            socket.run(f"kubectl run round-{round_number} --image=nginx", f"pod/round-{round_number} created")
        expect(page.locator(f'#board [data-ref="pods/default/round-{round_number}"]')).to_be_visible()

    assert page.evaluate("window.sameDocument")  # it never loaded anew
    assert sum(map(len, acknowledged.values())) >= ROUNDS * LEARNERS * SOCKETS
