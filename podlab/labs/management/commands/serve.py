"""`manage.py serve`: the web server and the reconciler in one process, on one event loop (Daphne knows no lifespan events)."""

from podlab.server import Server  # first: it installs Twisted's asyncio reactor  # isort: skip

import asyncio
import logging
import resource
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from podlab.labs import miniature, pauses, reconciler
from podlab.labs.live import CLUSTERS

FILES_MAX = 65_536
MESSAGE_MAX = 2 * 1024 * 1024 + 65536  # bytes: a manifest larger than any that is accepted still gets an answer in words

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve PodLab: pages, websockets and the reconciler"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
        parser.add_argument("--load-lessons", action="store_true", help="check and load the lessons first")

    def handle(self, *, host: str, port: int, migrate: bool, load_lessons: bool, **options: Any) -> None:
        if migrate:
            call_command("migrate", verbosity=0)
        if load_lessons and "load_lessons" in get_commands():
            call_command("load_lessons", verbosity=0)
        self.teachers = not migrate or User.objects.exists()  # whoever does not migrate knows the way about
        allow_connections()
        endpoint = f"tcp:port={port}:interface={host.replace(':', chr(92) + ':')}"
        server = Server(
            import_string("podlab.asgi.application"),
            endpoints=[endpoint],
            server_name="podlab",
            http_timeout=60,
            websocket_max_message_size=MESSAGE_MAX,
            websocket_max_frame_size=MESSAGE_MAX,
            verbosity=1,
        )
        reactor.callInThread(miniature.frames)  # before the first visitor waits for it
        reactor.callWhenRunning(start_reconciling)
        reactor.callWhenRunning(lambda: self.announce(server, host))
        server.run()
        if not server.listening_addresses:
            raise SystemExit(1)

    def announce(self, server: Server, host: str) -> None:
        if server.listening_addresses:
            port = server.listening_addresses[0][1]  # the one chosen, if 0 was asked for
            self.stdout.write(f"PodLab is at http://{host}:{port}/   (Ctrl-C stops it)")
            if not self.teachers:
                self.stdout.write("A class needs a teacher: .venv/bin/python manage.py create_teacher NAME, then /teacher/ (docs/teaching.md)")
            self.stdout.flush()


def allow_connections() -> None:
    """As many open connections as the machine lets us have: a shell's usual limit of 1,024 is a few classes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if most == resource.RLIM_INFINITY else min(most, FILES_MAX)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def start_reconciling() -> None:
    """Start the reconciler; when the server is told to stop (SIGTERM, Ctrl-C), cancel it and wait for its `finally`."""
    loop = asyncio.get_event_loop()
    task, pausing = loop.create_task(keep_reconciling()), loop.create_task(pauses.keep_short(CLUSTERS))

    def stop() -> Deferred[None]:
        pausing.cancel()
        task.cancel()
        return Deferred.fromFuture(task).addErrback(lambda failure: failure.trap(asyncio.CancelledError))

    reactor.addSystemEventTrigger("before", "shutdown", stop)


async def keep_reconciling() -> None:
    """Run the reconciler as long as the server lives. Should it fail, say so and start it again: the journal has everything."""
    while True:
        try:
            await reconciler.run()
            return
        except Exception:
            logger.exception("The reconciler failed; starting it again in a second")
            await asyncio.sleep(1)
