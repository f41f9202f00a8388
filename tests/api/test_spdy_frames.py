"""The frames of SPDY/3.1."""

import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.api import spdy

NUMBERS = st.integers(1, 2**31 - 1)
FRAMES = st.lists(st.one_of(
    st.tuples(st.just("open"), NUMBERS, st.dictionaries(st.text("abcdefghij-", min_size=1, max_size=40), st.text(max_size=40), max_size=5)),
    st.tuples(st.just("data"), NUMBERS, st.binary(max_size=300)),
    st.tuples(st.sampled_from(["reset", "ping", "leave", "reply"]), NUMBERS, st.none())), max_size=12)


def written(writer: spdy.Writer, kind: str, number: int, value: Any) -> bytes:
    return {"open": lambda: writer.open(number, value), "data": lambda: writer.data(number, value, end=len(value) % 2 == 1),
            "reset": lambda: writer.reset(number, spdy.REFUSED), "ping": lambda: writer.ping(number), "leave": lambda: writer.leave(number),
            "reply": lambda: writer.reply(number)}[kind]()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(FRAMES, st.data())
def test_frames_are_read_as_written_however_they_are_cut(frames: list[Any], data: st.DataObject) -> None:
    writer, reader = spdy.Writer(), spdy.Reader()
    raw = b"".join(written(writer, *frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    found = [frame for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True) for frame in reader.feed(raw[begin:end])]
    assert [(frame.kind, frame.stream) for frame in found] == [("other" if kind == "reply" else kind, number) for kind, number, _ in frames]
    assert [frame.headers for frame in found if frame.kind == "open"] == [value for kind, _, value in frames if kind == "open"]
    assert [(frame.data, frame.end) for frame in found if frame.kind == "data"] == [
        (value, len(value) % 2 == 1) for kind, _, value in frames if kind == "data"]


@pytest.mark.slow
@settings(deadline=None)
@given(st.binary(max_size=200))
def test_whatever_comes_is_frames_or_refused(raw: bytes) -> None:
    for begun in (b"", struct.pack(">HHI", 0x8003, 1, len(raw)), struct.pack(">HHI", 0x8003, 8, len(raw))):
        with contextlib.suppress(spdy.SpdyError):
            spdy.Reader().feed(begun + raw)


@pytest.mark.parametrize("raw", [
    struct.pack(">HHI", 0x8002, 6, 4) + bytes(4), struct.pack(">HHI", 0x8003, 6, 3) + bytes(3), struct.pack(">II", 1, spdy.PAYLOAD_MAX + 1),
    spdy.Writer().open(1, {"a": "x" * spdy.HEADERS_MAX}), struct.pack(">HHI", 0x8003, 1, 20) + b"x" * 20,
], ids=["another version", "a short frame", "a long frame", "a long header", "no compression"])
def test_hostile_frames_are_refused(raw: bytes) -> None:
    with pytest.raises(spdy.SpdyError):
        spdy.Reader().feed(raw)


def test_numbers_of_streams_are_odd_and_rise() -> None:
    numbers = spdy.Numbers()
    assert [numbers.take(number) for number in (1, 2, 3, 3, 1, 9, 2**31 + 1)] == [True, False, True, False, False, True, False]
