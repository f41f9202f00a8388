"""A client of the API inside the test's own process: requests and streams against the ASGI application."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from podlab.api.application import application


@dataclass
class Answer:
    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def items(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.json["items"]]


class Stream:
    """An open watch."""

    def __init__(self, task: asyncio.Task[None], sent: asyncio.Queue[dict[str, Any]], inbox: asyncio.Queue[dict[str, Any]]) -> None:
        self.task, self.sent, self.inbox = task, sent, inbox
        self.rest = b""
        self.over = False

    async def next(self, seconds: float = 60) -> dict[str, Any]:
        """The next event. Raises TimeoutError, or EOFError when the stream has ended."""
        while b"\n" not in self.rest:
            if self.over:
                raise EOFError
            message = await asyncio.wait_for(self.sent.get(), seconds)
            self.rest += message.get("body", b"")
            self.over = message["type"] == "http.response.body" and not message.get("more_body")
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    async def named(self, count: int) -> list[tuple[str, str]]:
        """[(type, name)] of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


class Client:
    def __init__(self, token: str) -> None:
        self.token = token

    def scope(self, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = path.partition("?")
        raw = quote(f"/k8s/{self.token}{path}", safe="/%").encode()
        return {"type": "http", "method": method, "path": f"/k8s/{self.token}{path}", "raw_path": raw, "query_string": query.encode(),
                "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named.setdefault("content-type", "application/json")
        messages = [{"type": "http.request", "body": raw}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await asyncio.sleep(3600)
            return {}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
        await asyncio.wait_for(application(self.scope(method, path, named), receive, send), 60)
        start = sent[0]
        found: dict[str, list[str]] = {}
        for name, value in start["headers"]:
            found.setdefault(name.decode(), []).append(value.decode("utf-8"))
        return Answer(start["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, **headers)

    async def create(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.ask("POST", path, body, **headers)

    @asynccontextmanager
    async def watch(self, path: str, **headers: str) -> AsyncIterator[Stream]:
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        inbox.put_nowait({"type": "http.request", "body": b""})
        scope = self.scope("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})
        task = asyncio.ensure_future(application(scope, inbox.get, sent.put))
        stream = Stream(task, sent, inbox)
        try:
            yield stream
        finally:
            inbox.put_nowait({"type": "http.disconnect"})
            await asyncio.wait_for(task, 60)


class Rooted(Client):
    """The same at the root of the site, where the token is no part of the address."""

    def scope(self, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        found = super().scope(method, path, headers)
        return {**found, "path": path.partition("?")[0], "raw_path": found["raw_path"].removeprefix(f"/k8s/{self.token}".encode())}


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
