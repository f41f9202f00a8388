"""A container's log, in lines with their time and stream, as containerd writes it to /var/log/pods for the kubelet to read."""

from __future__ import annotations

from dataclasses import dataclass

from .process import Data

MAX_CHARS = 262_144
"""What is kept of one container's log. The kubelet rotates at 10 MiB (containerLogMaxSize) and kubectl shows the newest file;
ours is smaller so that a talkative container does not fill the checkpoints."""
MAX_LINE = 16_384
"""Longer lines are cut into partial ones (containerd, max_container_log_line_size)."""


@dataclass(frozen=True)
class LogLine:
    """One log entry as the CRI writes it: `partial` lines have no newline of their own. `offset` + 1 is where to read on."""

    offset: int
    time: int  # ms when it was written
    stream: str  # stdout or stderr
    text: str
    partial: bool = False


def new_log() -> Data:
    """`first`: offset of the oldest line kept; `lines`: [ms, stream, text, partial]; `open`: text after the last newline, by
    stream."""
    return {"first": 0, "lines": [], "open": {}, "chars": 0}


def append(log: Data, stream: str, text: str, now: int) -> bool:
    """Adds output; True when at least one whole line came of it."""
    pending = log["open"].pop(stream, None)
    if pending:
        text = pending + text
    *lines, rest = text.split("\n")
    for line in lines:
        _add(log, now, stream, line, False)
    while len(rest) >= MAX_LINE:
        _add(log, now, stream, rest[:MAX_LINE], True)
        rest = rest[MAX_LINE:]
    if rest:
        log["open"][stream] = rest
    return bool(lines)


def _add(log: Data, now: int, stream: str, line: str, partial: bool) -> None:
    log["lines"].append([now, stream, line, partial])
    log["chars"] += len(line) + 1
    if log["chars"] > MAX_CHARS:
        dropped = 0
        while log["chars"] > MAX_CHARS // 2:
            log["chars"] -= len(log["lines"][dropped][2]) + 1
            dropped += 1
        del log["lines"][:dropped]
        log["first"] += dropped


def finish(log: Data, now: int) -> None:
    """The streams have ended: what has no newline yet becomes a partial line."""
    for stream in ("stdout", "stderr"):
        rest = log["open"].pop(stream, "")
        if rest:
            _add(log, now, stream, rest, True)


def read(log: Data, offset: int = 0, since: int = 0, tail: int | None = None, limit: int | None = None) -> list[LogLine]:
    """Lines from `offset`, written at `since` ms or later; of these the last `tail`; of these whole lines within `limit` bytes
    and the cut rest of the next (kubectl's --limit-bytes)."""
    first = log["first"]
    lines = [
        LogLine(first + index, time, stream, text, partial)
        for index, (time, stream, text, partial) in enumerate(log["lines"])
        if first + index >= offset and time >= since
    ]
    if tail is not None:
        lines = lines[len(lines) - min(tail, len(lines)) :]
    if limit is None:
        return lines
    kept = []
    for line in lines:
        room = limit - len(line.text.encode("utf-8", "surrogateescape")) - (not line.partial)
        if room < 0:
            cut = line.text.encode("utf-8", "surrogateescape")[:limit].decode("utf-8", "ignore")
            if cut:
                kept.append(LogLine(line.offset, line.time, line.stream, cut, True))
            break
        kept.append(line)
        limit = room
    return kept
