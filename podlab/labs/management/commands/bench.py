"""`manage.py bench`: the figures that PodLab is held to, each with its seed and the bar it should reach.

The engine's figures are CPU time of this process, the best of some runs: what else the machine does only adds. The page's figure is taken
against a real server in a process of its own, with a database of its own, by 300 websocket learners who each act every 20 seconds.
"""

import asyncio
import gc
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import tracemalloc
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from podlab.kubernetes.cluster import Cluster
from podlab.labs import births, pauses

SEED = 1
EPOCH_MS = 1_795_219_200_000
BARS = {10: 0.020, 100: 0.25, 1000: 3.0}  # seconds of CPU from apply to all Ready
RUNS = {10: 20, 100: 6, 1000: 3}
LIVE_BAR = 500_000  # bytes
BIRTH_BAR = 0.05  # seconds of CPU
P99_BAR_MS = 300
LEARNERS, ARRIVAL_SECONDS, EVERY_SECONDS, RUN_SECONDS = 300, 10.0, 20.0, 60.0
LESSON = os.environ.get("PODLAB_BENCH_LESSON", "one-ip")


COOKIES = """
import json, os, sys, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
django.setup()
from django.contrib.sessions.backends.signed_cookies import SessionStore
from podlab.labs import sessions
from podlab.labs.models import Learner
cookies = []
for number in range(int(sys.argv[1])):
    code = sessions.new_code()
    session = SessionStore()
    session[sessions.LEARNER_KEY] = str(Learner.objects.create(nickname=f"n{number}", resume_code_hash=sessions.hash_code(code)).id)
    session.save()
    cookies.append(session.session_key)
print(json.dumps(cookies))
"""


def deployment(replicas: int) -> dict[str, Any]:
    labels = {"app": "nginx"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "nginx"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "containers": [{"name": "nginx", "image": "nginx:1.14.2", "ports": [{"containerPort": 80}]}]}}}}


def roll_out(nodes: int, replicas: int, seed: int = SEED, epoch_ms: int = EPOCH_MS) -> tuple[Cluster, float, float]:
    """(cluster, CPU seconds, virtual seconds) from apply to all Ready."""
    spec = {"nodes": [{"name": f"node-{n + 1}", "cpu": "64", "memory": "256Gi", "pods": "250"} for n in range(nodes)]}
    cluster = Cluster.create(seed, epoch_ms, spec, strict=True)
    gc.collect()
    began, virtual = time.process_time(), cluster.now
    cluster.apply({"at": cluster.now, "do": "request", "verb": "create", "resource": "deployments", "namespace": "default",
                   "body": deployment(replicas)})
    seen = cluster.etcd.revision
    while (cluster.etcd.get("deployments", "default/nginx") or {}).get("status", {}).get("readyReplicas") != replicas:
        while cluster.etcd.revision == seen:
            cluster.step()
        seen = cluster.etcd.revision
    return cluster, time.process_time() - began, (cluster.now - virtual) / 1000


class Command(BaseCommand):
    help = "Measure the engine, its memory and the lab page under 300 learners"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--engine-only", action="store_true")
        parser.add_argument("--learners", type=int, default=LEARNERS)
        parser.add_argument("--seconds", type=float, default=RUN_SECONDS)

    def handle(self, *, engine_only: bool, learners: int, seconds: float, **options: Any) -> None:
        pauses.tune()  # as the server runs
        roll_out(3, 3)  # schemas are compiled and images built once a process
        for replicas, bar in BARS.items():
            runs = [roll_out(max(3, replicas // 100), replicas)[1:] for _ in range(RUNS[replicas])]
            cpu, virtual = min(runs)
            self.say(f"apply to {replicas} Ready", f"{cpu * 1000:,.1f} ms CPU ({virtual:.1f} s virtual)", f"{bar * 1000:,.0f} ms", cpu <= bar)
        size = self.live_bytes()
        self.say("a live cluster of 3 nodes and 10 Pods", f"{size:,} bytes", f"{LIVE_BAR:,}", size <= LIVE_BAR)
        self.births()
        self.say("a sleeping cluster", "0 bytes (only its rows are left)", "0", True)
        if not engine_only:
            self.page(learners, seconds)

    def say(self, what: str, figure: str, bar: str, reached: bool) -> None:
        self.stdout.write(f"{what:<42} {figure:<44} bar {bar:<10} {'reached' if reached else 'NOT reached'}   seed {SEED}")
        self.stdout.flush()

    def births(self) -> None:
        births.template(LESSON)
        gc.collect()
        began = time.process_time()
        for _ in range(50):
            births.begin(LESSON)
        cpu = (time.process_time() - began) / 50
        self.say("a new learner's cluster", f"{cpu * 1000:,.1f} ms CPU", f"{BIRTH_BAR * 1000:,.0f} ms", cpu <= BIRTH_BAR)

    def live_bytes(self) -> int:
        """What one more live cluster costs, after those things are loaded that all clusters share."""
        kept = [roll_out(3, 10, SEED + 1, EPOCH_MS + 86_400_000)[0]]  # another learner's: no name, uid or time in common
        kept[0].run_for(60)
        kept[0].etcd.compact(kept[0].now)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        cluster = roll_out(3, 10)[0]
        cluster.run_for(60)
        cluster.etcd.compact(cluster.now)  # as the reconciler does every few seconds
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        kept.append(cluster)
        return size

    def page(self, learners: int, seconds: float) -> None:
        with serving() as (server, port, environment):
            times, waits = asyncio.run(load(port, made_by(COOKIES, learners, environment), seconds))
            cpu = cpu_seconds(server.pid)
        times.sort()
        waits.sort()
        self.say(f"{learners} arrivals within {ARRIVAL_SECONDS:.0f} s, until the first picture",
                 f"p50 {waits[len(waits) // 2]:.0f} ms, p99 {waits[int(len(waits) * 0.99)]:.0f} ms", "1,000 ms",
                 waits[int(len(waits) * 0.99)] <= 1000)
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        self.say(f"{learners} learners, each acting every {EVERY_SECONDS:.0f} s",
                 f"p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(times)} acts, {cpu:.0f} s CPU", f"p99 {P99_BAR_MS} ms", p99 <= P99_BAR_MS)


@contextmanager
def serving() -> Iterator[tuple["subprocess.Popen[bytes]", int, dict[str, str]]]:
    """A server in a process of its own, with a new database, that answers already: (process, port, its environment)."""
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {**os.environ, "PODLAB_DATA": folder, "PODLAB_LOG_LEVEL": "ERROR"}
        command = [sys.executable, "manage.py", "serve", "--migrate", "--load-lessons", "--port", str(port)]
        server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL)
        try:
            _listening(port)
            yield server, port, environment
        finally:
            server.terminate()
            server.wait(20)


def made_by(script: str, count: int, environment: dict[str, str]) -> Any:
    """What a script with one argument makes in that server's database, as it prints it in JSON. Raises RuntimeError with what it complained of."""
    made = subprocess.run([sys.executable, "-c", script, str(count)], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True,
                          check=False)
    if made.returncode:
        raise RuntimeError(made.stderr)
    return json.loads(made.stdout)


def _listening(port: int) -> None:
    """Returns when the server answers. Raises OSError after a minute."""
    for _ in range(120):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise OSError(f"nobody listens on port {port}")


def cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(port: int, cookies: list[str], seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds from each act to the changed diagram on that learner's socket, and from each arrival to the first diagram. Whoever has
    arrived acts while others still arrive."""
    from websockets.asyncio.client import connect
    from websockets.typing import Origin

    times: list[float] = []
    waits: list[float] = []
    began = asyncio.get_running_loop().time()

    async def learner(number: int, cookie: str) -> None:
        chance = random.Random(SEED * 100_000 + number)  # noqa: S311  (a load, not a secret)
        await asyncio.sleep(chance.random() * ARRIVAL_SECONDS)
        came = time.perf_counter()
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
        async with connect(f"ws://127.0.0.1:{port}/ws/lessons/{LESSON}/", origin=Origin(f"http://127.0.0.1:{port}"),
                           additional_headers=headers, max_size=None) as ws:
            while 'id="board-svg"' not in str(await ws.recv()):
                pass
            waits.append((time.perf_counter() - came) * 1000)
            seen = asyncio.Event()

            async def listen() -> None:
                async for message in ws:
                    if 'id="board-svg"' in str(message):
                        seen.set()

            listening = asyncio.create_task(listen())
            await ws.send(json.dumps({"action": "terminal", "line": "kubectl create deployment web --image=nginx:1.14.2"}))
            await asyncio.sleep(chance.random() * EVERY_SECONDS)
            replicas = 1
            while asyncio.get_running_loop().time() - began < seconds:
                replicas = replicas % 5 + 1
                seen.clear()
                sent = time.perf_counter()
                await ws.send(json.dumps({"action": "terminal", "line": f"kubectl scale deployment web --replicas={replicas}"}))
                await asyncio.wait_for(seen.wait(), 30)
                times.append((time.perf_counter() - sent) * 1000)
                await asyncio.sleep(EVERY_SECONDS * (0.5 + chance.random()))
            listening.cancel()

    await asyncio.gather(*(learner(number, cookie) for number, cookie in enumerate(cookies)))
    return times, waits
