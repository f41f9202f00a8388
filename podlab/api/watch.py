"""Watches: what is, then what changes, as lines of JSON, for as long as the client stays (endpoints/handlers/watch.go)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from podlab.api import tokens, wire
from podlab.api.hub import Hub
from podlab.api.tokens import Access
from podlab.api.wire import Receive, Send
from podlab.kubernetes.apiserver import ip_addresses
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest import listing, shapes, watching
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.etcd import Change
from podlab.labs.database import on_database
from podlab.labs.live import LiveCluster

BOOKMARK_EVERY = 60.0  # seconds (bookmarkFrequency)
PIECE = 256 * 1024  # bytes sent at once
READ_BYTES = 1 << 20  # after so many the rest is made into text when others had their turn
LOOK_EVERY = 10.0  # seconds between two looks whether the token still opens


async def serve(live: LiveCluster, hub: Hub, call: Call, access: Access, target: Target, receive: Receive, send: Send) -> None:
    """Raises ApiError before the stream has begun; later faults are events of type ERROR."""
    watch = Watch(live, hub, call, target)
    async with hub.stream() as news:
        async with live.turn(quiet=True):
            hub.follow_engine()
            hub.published = live.engine.etcd.revision
            first = watch.begin()
        await wire.start_stream(send, call, "application/json")
        await _tell(send, first)
        if not watch.over:
            await wire.while_there(receive, _go_on(watch, access, news, send))
        await wire.end_stream(send)


async def _tell(send: Send, lines: Iterable[bytes]) -> None:
    """Lines in pieces: what a client that does not read is sent at once is what it costs."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > PIECE and piece:
            await wire.chunk(send, b"".join(piece))
            await asyncio.sleep(0)  # a client that reads soon takes all of it: others have their turn too
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        await wire.chunk(send, b"".join(piece))


async def _go_on(watch: Watch, access: Access, news: asyncio.Event, send: Send) -> None:
    end = time.monotonic() + watch.seconds
    bookmark = time.monotonic() + BOOKMARK_EVERY
    look = time.monotonic() + LOOK_EVERY
    while not watch.over:
        now = time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(end, bookmark, look) - now)):
                await news.wait()
        news.clear()
        lines = watch.read()
        now = time.monotonic()
        if now >= bookmark and not watch.over:
            bookmark = now + BOOKMARK_EVERY
            lines += watch.bookmark()
        await _tell(send, lines)
        if watch.behind:
            news.set()
            await asyncio.sleep(0)
        if now >= end:
            return
        if now >= look:
            look = now + LOOK_EVERY
            if await on_database(tokens.of_hash)(access.key) is None:
                return


class Watch:
    """One client's place in the history of one kind."""

    def __init__(self, live: LiveCluster, hub: Hub, call: Call, target: Target) -> None:
        self.live, self.hub, self.call, self.target = live, hub, call, target
        self.shape = shapes.negotiate(call, listing=False)
        self.bookmarks = call.flag("allowWatchBookmarks")
        self.seconds = watching.seconds(call)
        options = listing.selection(call, target)
        self.picks = listing.picks_of(options, target)
        # watches that agree in this are told the same
        self.kind = target.resource, target.namespace, target.name, options.get("labelSelector"), options.get("fieldSelector"), self.shape
        self.over = self.behind = False  # behind: there is more to be told
        self.place = self.generation = 0
        self._columns = True

    def begin(self) -> Iterable[bytes]:
        """The first lines. Call inside a turn; what is beyond READ_BYTES of them is made when it is asked for. Raises ApiError."""
        etcd, server = self.live.engine.etcd, self.live.engine.server
        self.generation, self.place = self.hub.generation, etcd.revision
        everything, marked, wanted = watching.beginning(self.call)
        if everything:
            found = [obj for obj in server.everything(self.target.resource.plural, self.target.namespace or None) if self.picks(obj)]
            lines = self._all(iter(found))
            return chain(lines, self.bookmark(watching.INITIAL_END)) if marked else lines
        if wanted and (wanted > etcd.revision or wanted < self.hub.oldest):
            return self._expired(wanted)
        if wanted:
            self.place = wanted
        return self.read()

    def _all(self, objects: Iterator[Any]) -> Iterable[bytes]:
        """What there is. A webhook that cannot convert the first of it refuses the watch, later ones end it."""
        lines, size = [], 0
        for obj in objects:
            lines.append(self._line("ADDED", obj))
            size += len(lines[-1])
            if size > READ_BYTES:
                return chain(lines, self._rest(objects))
        return lines

    def _rest(self, objects: Iterator[Any]) -> Iterator[bytes]:
        try:
            for obj in objects:
                yield self._line("ADDED", obj)
        except ApiError as error:
            self.over = True
            yield watching.text("ERROR", error.status())

    def read(self) -> list[bytes]:
        """What has happened since the last look."""
        if self.live.gone:
            self.over = True
            return []
        if self.generation != self.hub.generation or self.place < self.hub.oldest:
            return self._expired(self.place)
        hub, key = self.hub, (*self.kind, self.place, self.hub.published)
        found = hub.told.get(key) if self.shape.kind != shapes.TABLE else None  # a Table's first event has the columns
        if found is None:
            try:
                found = self._told()
            except ApiError as error:  # a webhook cannot convert an object to the version that is watched
                self.over = True
                return [watching.text("ERROR", error.status())]
            hub.told.keep(key, found, sum(map(len, found[0])))
        lines, self.place = found
        self.behind = self.place < hub.published
        return list(lines)

    def _told(self) -> tuple[list[bytes], int]:
        """The lines of what has happened, and up to which revision these are all."""
        lines, size = [], 0
        for change in self.hub.since(self.place):
            line = self._event(change)
            if line is not None:
                lines.append(line)
                size += len(line)
            if size > READ_BYTES:
                return lines, change.revision
        return lines, max(self.place, self.hub.published)

    def bookmark(self, annotations: dict[str, str] | None = None) -> list[bytes]:
        return [watching.bookmark(self.target, self.shape, self.place, annotations)] if self.bookmarks else []

    def _event(self, change: Change) -> bytes | None:
        if self.target.resource.plural == "ipaddresses" and change.plural == "services":
            told = ip_addresses.told(change, self.live.engine.random)
            return self._line(*told, change.revision) if told is not None and self.picks(told[1]) else None
        found = watching.event(change, self.target, self.picks)
        return None if found is None else self._line(*found, change.revision)

    def _line(self, kind: str, obj: Any, revision: int = 0) -> bytes:
        clock = self.hub.clock()
        now = max(self.live.engine.now, self.live.due())
        if self.shape.kind == shapes.TABLE:
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            shown = shapes.table(self.target.resource, [obj], self.shape, now, clock, metadata, columns=self._columns)
            self._columns = False
            return watching.text(kind, shown)
        key = (revision, kind, self.target.resource, self.shape)
        held = self.hub.encoded.get(key) if revision else None
        if held is None:
            held = watching.text(kind, shapes.one(self.target.resource, obj, self.shape, now, clock))
            if revision:
                self.hub.encoded.keep(key, held, len(held))
        return held

    def _expired(self, wanted: int) -> list[bytes]:
        self.over = True
        return [watching.expired(wanted, self.live.engine.etcd.revision)]
