"""Frames as they end, generators as they go on, and whatever can be gone through."""

from __future__ import annotations

from typing import Any

from .attributes import Attributes
from .classes import CLASSES, problem
from .values import (
    MISSING,
    Class,
    Code,
    Frame,
    Generator,
    Instance,
    Iterator,
    Module,
    Native,
    Raised,
    Set,
    Source,
    Thing,
    View,
    type_name,
)  # fmt: skip


class Thread:
    """One thread of the program: its frames, and what it waits for."""

    __slots__ = ("daemon", "frames", "ident", "name", "of", "park", "seen")

    def __init__(self, ident: int, name: str, frame: Frame | None, of: Any = None) -> None:
        self.ident, self.name, self.of = ident, name, of
        self.frames: list[Frame] = [frame] if frame is not None else []
        self.daemon = False
        self.park: dict[str, Any] | None = None
        self.seen = 0


class Switch:
    """A native has pushed a frame itself."""


SWITCH = Switch()
MAIN = Module("__main__", {})
IDLE = Code(Source("", "", ""), 0, "")


class Frames(Attributes):
    """What the machine does with frames below and above the one that runs."""

    current: Thread
    nested: int

    # ---- ends of frames

    def finished(self, f: Frame, value: Any) -> None:
        """A frame has ended with a value."""
        frames = self.current.frames
        frames.pop()
        below = frames[-1] if frames else None
        kind = f.kind
        if kind == "call":
            if below is not None:
                below.stack.append(value)
        elif kind == "init":
            if value is not None:
                raise problem("TypeError", f"__init__() should return None, not '{type_name(value)}'")
            if below is not None:
                below.stack.append(f.owner)
        elif kind == "class":
            if below is not None:
                below.stack.append(self.class_made(f))
        elif kind == "import":
            if below is not None:
                below.stack.append(f.owner)
        elif kind in ("for", "next", "throw", "from"):
            generator: Generator = f.owner
            generator.state = "done"
            if below is not None and kind == "from":
                below.stack[-1] = value
                below.pc = f.target
                return
            if below is not None and kind == "for":
                below.stack.pop()
                below.pc = f.target
            else:
                raise problem("StopIteration", *([] if value is None else [value]))

    def given(self, f: Frame, value: Any) -> None:
        """A generator yields."""
        frames = self.current.frames
        frames.pop()
        f.owner.state = "waiting"
        frames[-1].stack.append(value)

    def resume(self, generator: Generator, kind: str, target: int = 0, sent: Any = None) -> Any:
        """Goes on with a generator; `kind` says what becomes of its end (for: jump to target; next: StopIteration)."""
        if generator.state == "running":
            raise problem("ValueError", "generator already executing")
        if generator.state == "done":
            if kind == "from":
                self.current.frames[-1].stack[-1] = None
                self.current.frames[-1].pc = target
                return True
            if kind == "for":
                self.current.frames[-1].stack.pop()
                self.current.frames[-1].pc = target
                return True
            raise problem("StopIteration")
        frame = generator.frame
        if generator.state == "waiting":
            frame.stack.append(sent)
        elif sent is not None:
            raise problem("TypeError", "can't send non-None value to a just-started generator")
        generator.state = "running"
        frame.kind, frame.target, frame.owner = kind, target, generator
        self.push(frame)
        return True

    def next_of(self, it: Any) -> Any:
        """The next value of any iterator, at once; MISSING at its end."""
        if type(it) is Iterator:
            if it.at < len(it.items):
                it.at += 1
                return it.items[it.at - 1]
            return MISSING
        try:
            if type(it) is Generator:
                return self.call(Native("generator.__next__"), [it])
            found = self.special_method(it, "__next__")
            if found is MISSING:
                raise problem("TypeError", f"'{type_name(it)}' object is not an iterator")
            return self.call(found, [])
        except Raised as error:
            if error.value.cls.is_a(CLASSES["StopIteration"]):
                return MISSING
            raise

    # ---- what there is to go through

    def items(self, value: Any, refused: str = "'{}' object is not iterable") -> Any:
        """All that an iterable gives, as a list (or the sequence itself, not to be changed)."""
        kind = type(value)
        if kind in (list, tuple, str, bytes):
            return list(value) if kind in (str, bytes) else value
        if kind is range:
            if len(value) > 262_144:
                raise self.full()
            self.spend(len(value) >> 6)
            self.made(36 * len(value))
            return list(value)
        if kind is dict:
            return list(value)
        if kind in (Set, View):
            return value.items()
        if kind is Iterator:
            rest = list(value.items[value.at :])
            value.at = len(value.items)
            return rest
        it = self.iterator(value, refused)
        if type(it) is Iterator:
            return self.items(it)
        out: list[Any] = []
        while (found := self.next_of(it)) is not MISSING:
            if len(out) > 262_144:
                raise self.full()
            self.spend(1)
            self.made(16)
            out.append(found)
        return out

    def iterator(self, value: Any, refused: str = "'{}' object is not iterable") -> Any:
        kind = type(value)
        if kind in (Generator, Iterator):
            return value
        if kind in (list, tuple, str, bytes, range):
            return Iterator(value)
        if kind is dict:
            return Iterator(list(value), value)
        if kind is Set:
            return Iterator(value.items(), value)
        if kind is View:
            return Iterator(value.items(), value.of)
        if kind is Thing and f"{value.kind}.__next__" in self.natives:
            return value
        found = self.special_method(value, "__iter__")
        if found is not MISSING:
            made = self.call(found, [])
            if type(made) is Instance and made.cls.find("__next__") is not MISSING:
                return made if self.nested else self.call(self.builtins["_steps_of"], [made])
            return made
        if type(value) is Instance and value.cls.find("__getitem__") is not MISSING:
            return self.call(self.builtins["_items_of"], [value])
        if type(value) is Class and value.find("__iter_class__") is not MISSING:
            return Iterator(self.items(self.call(value.find("__iter_class__"), [value])))
        raise problem("TypeError", refused.format(type_name(value)))
