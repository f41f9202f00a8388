"""Two hundred watches and fifty shells in containers while a hundred writes a second go through: nobody misses or repeats an event."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from tests.browser.harness import HANG, Server
from tests.services.conftest import token_of

pytestmark = [pytest.mark.services, pytest.mark.slow]
WATCHES, SHELLS, WRITES_PER_SECOND, SECONDS = 200, 50, 100, 5
POD = {"metadata": {"name": "sh"}, "spec": {"containers": [{"name": "m", "image": "busybox", "command": ["sleep", "100000"]}]}}
Seen = list[tuple[str, int]]


class Crowd:
    """Clients of one cluster, in namespace default."""

    def __init__(self, session: aiohttp.ClientSession, root: str) -> None:
        self.session, self.root = session, root
        self.seconds: list[float] = []
        self.echoes = 0

    async def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, self.root + path, data=data, headers={"Content-Type": kind}) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def watch(self, version: str, seen: Seen) -> None:
        async with self.session.get(f"{self.root}/configmaps?watch=1&resourceVersion={version}") as answer:
            async for line in answer.content:
                event = json.loads(line)
                seen.append((event["type"], int(event["object"]["metadata"]["resourceVersion"])))

    async def shell(self) -> None:
        async with self.session.ws_connect(f"{self.root}/pods/sh/exec?command=cat&stdin=1&stdout=1", protocols=("v5.channel.k8s.io",)) as line:
            while True:
                await line.send_bytes(b"\0line\n")
                while len(await line.receive_bytes()) == 1:
                    pass
                self.echoes += 1
                await asyncio.sleep(1)

    async def spoken(self, times: int) -> None:
        """Until the shells have answered so often, all together."""
        async with asyncio.timeout(HANG):
            while self.echoes < times:
                await asyncio.sleep(0.1)

    async def write(self, number: int) -> int:
        began = time.perf_counter()
        if number < 40:
            made = await self.ask("POST", "/configmaps", {"metadata": {"name": f"c{number}"}, "data": {"n": str(number)}})
        else:
            made = await self.ask("PATCH", f"/configmaps/c{number % 40}", {"data": {"n": str(number)}}, "application/merge-patch+json")
        self.seconds.append(time.perf_counter() - began)
        return int(made["metadata"]["resourceVersion"])


async def test_no_watch_misses_or_repeats_an_event_while_many_write(server: Server) -> None:
    root = f"{server.url}/k8s/{token_of(server)}/api/v1/namespaces/default"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)) as session:
        crowd = Crowd(session, root)
        await crowd.ask("POST", "/pods", POD)
        while (await crowd.ask("GET", "/pods/sh"))["status"]["phase"] != "Running":
            await asyncio.sleep(0.2)
        version = (await crowd.ask("GET", "/configmaps"))["metadata"]["resourceVersion"]
        seen: list[Seen] = [[] for _ in range(WATCHES)]
        tasks = [asyncio.ensure_future(crowd.watch(version, one)) for one in seen] + [asyncio.ensure_future(crowd.shell()) for _ in range(SHELLS)]
        await crowd.spoken(SHELLS)
        before, began, writes = server.cpu(), time.perf_counter(), []
        for number in range(WRITES_PER_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, began + number / WRITES_PER_SECOND - time.perf_counter()))
            writes.append(asyncio.ensure_future(crowd.write(number)))
        wanted = sorted(await asyncio.gather(*writes))
        async with asyncio.timeout(HANG):
            while not all(one and one[-1][1] >= wanted[-1] for one in seen):
                await asyncio.sleep(0.1)
        cost = (server.cpu() - before) / len(wanted)
        await crowd.spoken(2 * SHELLS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert all([revision for _, revision in one] == wanted for one in seen)
    crowd.seconds.sort()
    p99 = crowd.seconds[int(len(crowd.seconds) * 0.99)]
    print(f"p50 {crowd.seconds[len(crowd.seconds) // 2] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, {cost * 1000:.1f} ms of processor time a write")
    assert cost < 0.02, "with what 200 watches are told of it; in the time that passes, what runs beside this test would be counted too"
