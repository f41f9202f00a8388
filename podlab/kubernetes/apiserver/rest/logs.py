"""Logs of a container (pkg/registry/core/pod/strategy.go, LogLocation; pkg/kubelet/kubelet_pods.go)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ...objects import dig
from ...times import parse_rfc3339, rfc3339_micro
from ..errors import ApiError, bad_request, not_found
from .addresses import Target
from .call import Call, Desk

if TYPE_CHECKING:
    from ...ground import Ground

MEMBERS = (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"), ("ephemeralContainers", "ephemeralContainerStatuses"))
STREAMS = {"": "", "All": "", "Stdout": "stdout", "Stderr": "stderr"}


@dataclass
class Options:
    """PodLogOptions. Times in seconds; `tail` and `limit` None: all."""

    container: str
    previous: bool
    timestamps: bool
    tail: int | None
    limit: int | None
    since: int | None
    since_time: str
    stream: str


class Holder(Protocol):
    """Whoever has the cluster; it may come to stand in another history."""

    @property
    def engine(self) -> Ground: ...


def _invalid(field: str, detail: str) -> ApiError:
    return ApiError(422, "Invalid", f'PodLogOptions "" is invalid: {field}: {detail}')


def options_of(call: Call) -> Options:
    """Raises ApiError 400 or 422 (ValidatePodLogOptions)."""
    tail, limit, since, since_time = call.number("tailLines"), call.number("limitBytes"), call.number("sinceSeconds"), call.one("sinceTime")
    if tail is not None and tail < 0:
        raise _invalid("tailLines", f"Invalid value: {tail}: must be greater than or equal to 0")
    if limit is not None and limit < 1:
        raise _invalid("limitBytes", f"Invalid value: {limit}: must be greater than 0")
    if since is not None and since_time:
        raise _invalid("sinceSeconds", "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")
    if since is not None and since < 1:
        raise _invalid("sinceSeconds", f"Invalid value: {since}: must be greater than 0")
    if since_time:
        try:
            parse_rfc3339(since_time)
        except ValueError:
            raise bad_request(f'parsing time "{since_time[:80]}" as "2006-01-02T15:04:05Z07:00": cannot parse') from None
    stream = call.one("stream")
    if stream not in STREAMS:
        raise _invalid("stream", f'Unsupported value: "{stream[:80]}": supported values: "All", "Stderr", "Stdout"')
    return Options(call.one("container"), call.flag("previous"), call.flag("timestamps"), tail, limit, since, since_time, STREAMS[stream])


def container_of(pod: Any, name: str) -> str:
    """The container that is meant. Raises ApiError 400."""
    names = {member: [one["name"] for one in pod["spec"].get(member) or ()] for member, _ in MEMBERS}
    if not name:
        if len(names["containers"]) == 1:
            return str(names["containers"][0])
        text = f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: [{' '.join(names['containers'])}]"
        if names["initContainers"]:
            text += f" or one of the init containers: [{' '.join(names['initContainers'])}]"
        if names["ephemeralContainers"]:
            text += f" or one of the ephemeral containers: [{' '.join(names['ephemeralContainers'])}]"
        raise bad_request(text)
    if not any(name in found for found in names.values()):
        raise bad_request(f"container {name} is not valid for pod {pod['metadata']['name']}")
    return name


class Reader:
    """One client's place in the log of one run of a container. Call its methods inside a turn."""

    def __init__(self, live: Holder, desk: Desk, target: Target, options: Options) -> None:
        self.live, self.desk, self.options = live, desk, options
        self.key = f"{target.namespace}/{target.name}"
        pod = live.engine.etcd.get("pods", self.key)
        if pod is None:
            raise not_found("", "pods", target.name)
        self.container = container_of(pod, options.container)
        self.uid, self.node = pod["metadata"]["uid"], pod["spec"].get("nodeName")
        self.unassigned = not self.node  # an empty location: nothing to stream from
        self.over = False
        self.offset = 0
        self.run = self._run()[0]
        self.engine = live.engine

    def first(self) -> bytes:
        if self.unassigned:
            return b""
        options, now = self.options, self.live.engine.now
        since = now - options.since * 1000 if options.since is not None else 0
        if options.since_time:
            since = parse_rfc3339(options.since_time) - self.desk.clock().now * 1000
        lines = self._read(previous=options.previous, since=since, tail=None if options.stream else options.tail, limit=options.limit)
        if options.stream and options.tail is not None:
            lines = [line for line in lines if line.stream == options.stream]
            lines = lines[len(lines) - options.tail:] if options.tail else []
        if options.limit is not None:
            self.over = True
        last = lines or (self._read(tail=1) if not options.previous else [])
        self.offset = last[-1].offset + 1 if last else 0
        return self._text(lines)

    def more(self) -> bytes:
        """What was written since; after it, `over` tells whether the run has ended."""
        if self.live.engine is not self.engine:
            self.over = True
            return b""
        run, runs = self._run()
        if run != self.run or not runs:
            self.over = True
        if run != self.run:
            return b""
        try:
            lines = self._read(offset=self.offset)
        except ApiError:
            self.over = True
            return b""
        if lines:
            self.offset = lines[-1].offset + 1
        return self._text(lines)

    def _read(self, **options: Any) -> list[Any]:
        found: list[Any] = self.live.engine.kubelet(self.node).logs(self.uid, self.container, **options)
        return found

    def _run(self) -> tuple[str, bool]:
        """(which run of the container this is, whether it goes on)."""
        pod = self.live.engine.etcd.get("pods", self.key)
        if pod is None or pod["metadata"]["uid"] != self.uid:
            return "gone", False
        for _, member in MEMBERS:
            for status in dig(pod, "status." + member, ()):
                if status["name"] == self.container:
                    return str(status.get("restartCount", 0)), "terminated" not in (status.get("state") or {})
        return "0", True

    def _text(self, lines: list[Any]) -> bytes:
        seconds, stream = self.desk.clock().now, self.options.stream
        pieces = []
        for line in lines:
            if stream and line.stream != stream:
                continue
            stamp = rfc3339_micro(line.time + seconds * 1000)[:-1] + "000Z " if self.options.timestamps else ""
            pieces.append(stamp + line.text + ("" if line.partial else "\n"))
        return "".join(pieces).encode("utf-8", "surrogateescape")
