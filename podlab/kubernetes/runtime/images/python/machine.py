"""Runs the steps of a program: its threads, their frames, calls, generators and exceptions.

One `Machine` is one interpreter. Its threads take turns of SLICE steps; a native that must wait raises Park and is called again. When all
threads wait, so does the process (`program.py`). A native that calls back (sorted's key, an instance's __str__) runs that call to its end
at once: it may not wait, and what it costs is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...linear import TooComplex
from ...process import Errno, Process
from ...system import Sys
from .arguments import frame_of
from .attributes import HELD
from .classes import CLASSES, os_error, problem
from .frames import IDLE, MAIN, SWITCH, Frames, Thread
from .values import (
    MISSING,
    Bound,
    Call,
    Class,
    Frame,
    Function,
    Generator,
    Instance,
    Module,
    Native,
    Park,
    Raised,
    Running,
    Scope,
    Source,
    Thing,
    Unknown,
    Wrapped,
    type_name,
)  # fmt: skip

SLICE = 500
"""Steps of a thread before another's turn."""
STEP_NS = 1000
"""CPU time that one step is charged for; CPython takes about a tenth, but a step costs the simulator as much."""
FRAMES_MAX = 1000
"""sys.getrecursionlimit()."""
NESTED_MAX = 12
"""Calls back in calls back."""
BACK_MAX = 80_000
"""Steps that the calls back of one call may take together: some 60 ms."""
BACK_BYTES = 64 << 20
"""Bytes that they may take."""
GATHERED = {
    "new.list": 0, "new.tuple": 0, "new.set": 0, "new.frozenset": 0, "builtin.sorted": 0, "builtin.sum": 0, "builtin.max": 0, "builtin.min": 0,
    "builtin.all": 0, "builtin.any": 0, "str.join": 1, "bytes.join": 1, "list.extend": 1, "set.update": 1, "math.fsum": 0,
    "new.dict": 0, "math.prod": 0,
}  # fmt: skip
"""Natives that take an iterable, and as which argument: what comes bit by bit is made a list first, by steps (_gathered in the library)."""
HOST_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, UnicodeError, BufferError)


class Machine(Frames):
    def __init__(self, sources: Callable[[str], Source | None], natives: dict[str, Callable[..., Any]], builtins: dict[str, Any]) -> None:
        self.sources, self.natives, self.builtins = sources, natives, builtins
        self.sys: Sys
        self.proc: Process
        self.modules: dict[str, Module] = {}
        self.texts: dict[str, Source] = {}  # the program's own
        self.threads: list[Thread] = []
        self.current: Thread = Thread(0, "", None)
        self.left = 0  # steps that this turn may still take
        self.nested = 0
        self.large = 0  # large numbers that were keys
        self.changes = 0  # counts what threads may wait for each other for
        self.bytes = self.bytes_seen = 0
        self.number = 0
        self.facts: dict[str, Any] = {}  # what natives keep: signal handlers, the random number's state, open files ...

    # ---- what it costs

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.nested and self.bytes - self.bytes_seen > BACK_BYTES:
            raise self.full()
        if self.nested and self.left < -BACK_MAX:
            raise Unknown("a call back that takes so long (in sorted, print, str, map ...)")

    def made(self, size: int) -> None:
        """So many bytes were taken."""
        self.bytes += size
        if size >= 1 << 22:  # what the kernel has to say to so much must not wait for the slice's end
            self.left -= SLICE

    def full(self) -> Exception:
        """More than this interpreter can hold: the program would go on eating memory."""
        self.bytes += 1 << 40
        return problem("MemoryError")

    # ---- running

    def run(self, thread: Thread, steps: int) -> None:
        """Takes steps of one thread until it ends, waits, or has taken its share."""
        self.current = thread
        Running.call = self.call
        frames = thread.frames
        end = self.left - steps
        while frames and self.left > end:
            frame = frames[-1]
            body = frame.code.steps
            try:
                while self.left > end:
                    step, arg = body[frame.pc]
                    frame.pc += 1
                    self.left -= 1
                    if step(self, frame, arg):
                        break
            except Raised as error:
                self.unwind(thread, error.value)
            except Park:
                frame.pc -= 1
                raise
            except HOST_ERRORS as error:
                name = type(error).__name__
                self.unwind(thread, problem(name if name in CLASSES else "ValueError", *_plain(error.args)).value)
            except Errno as error:
                self.unwind(thread, os_error(error.name, error.text, error.path or None).value)
            except TooComplex as error:
                raise Unknown(f"this regular expression: {error}") from None
            except RecursionError:
                self.unwind(thread, problem("RecursionError", "maximum recursion depth exceeded").value)

    def push(self, frame: Frame) -> None:
        if len(self.current.frames) >= FRAMES_MAX:
            raise problem("RecursionError", "maximum recursion depth exceeded")
        self.made(200)
        self.current.frames.append(frame)

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """A call back, to its end. Raises Raised; Unknown when it would have to wait."""
        thread, holder = self.current, Frame(IDLE, Scope({}), MAIN)
        if self.nested >= NESTED_MAX:
            raise problem("RecursionError", "maximum recursion depth exceeded")
        held, spent = list(thread.frames), self.left
        self.nested += 1
        thread.frames.append(holder)
        try:
            if self.enter(holder, function, args, kwargs or {}, 0):
                while thread.frames[-1] is not holder:
                    self._steps(thread, len(held) + 1)
            return holder.stack.pop()
        except Park:
            raise Unknown("waiting (sleep, recv, input ...) in a call back of sorted, list, sum, print, str ...") from None
        finally:
            thread.frames[:] = held
            self.nested -= 1
            self.left = min(self.left, spent)

    def _steps(self, thread: Thread, base: int) -> None:
        """Steps of a call back, until its frame has changed."""
        frame = thread.frames[-1]
        try:
            while True:
                step, arg = frame.code.steps[frame.pc]
                frame.pc += 1
                self.spend(1)
                if step(self, frame, arg):
                    return
        except Raised as error:
            self.unwind(thread, error.value, base)
        except HOST_ERRORS as error:
            name = type(error).__name__
            self.unwind(thread, problem(name if name in CLASSES else "ValueError", *_plain(error.args)).value, base)
        except Errno as error:
            self.unwind(thread, os_error(error.name, error.text, error.path or None).value, base)

    def enter(self, f: Frame, function: Any, args: list[Any], kwargs: dict[str, Any], height: int) -> Any:
        """Calls a function: its result takes the place of what is on the stack from `height` on, now or when its frame ends (True)."""
        while True:
            kind = type(function)
            if kind is Bound:
                args, function = [function.of, *args], function.function
            elif kind is Function:
                made = frame_of(function, args, kwargs)
                del f.stack[height:]
                f.memo = {}
                if function.code.generator:
                    f.stack.append(Generator(made))
                    return None
                self.push(made)
                return True
            elif kind is Native:
                if (at := GATHERED.get(function.name)) is not None and len(args) > at and self._bit_by_bit(function.name, args[at]):
                    function, args, kwargs = self.builtins["_gathered"], [function, at, args, kwargs], {}
                    continue
                if args and type(args[0]) is Instance and "_data" in args[0].vars and function.name.partition(".")[0] in HELD:
                    args = [one.vars["_data"] if type(one) is Instance and "_data" in one.vars else one for one in args]
                result = self.natives[function.name](self, *args, **kwargs)
                if type(result) is Call:
                    function, args, kwargs = result.function, result.args, result.kwargs
                    continue
                if result is SWITCH:
                    f.memo = {}
                    return True
                del f.stack[height:]
                f.memo = {}
                f.stack.append(result)
                return None
            elif kind is Class:
                if function.native not in ("object", "exception"):
                    function, args = Native(f"new.{function.native}"), list(args)
                    if function.name not in self.natives:
                        raise Unknown(f"making a {function.name[4:]} by its type")
                    continue
                return self._create(f, function, args, kwargs, height)
            elif kind is Wrapped and function.kind in ("staticmethod", "partial"):
                function = function.functions[0]
            else:
                found = self.special_method(function, "__call__")
                if found is MISSING:
                    raise problem("TypeError", f"'{type_name(function)}' object is not callable")
                function = found

    def _bit_by_bit(self, name: str, value: Any) -> bool:
        """Is code of the program's (or a file) asked for each item? Then that code must run as all code does, and may wait."""
        kind = type(value)
        return kind is Generator or (kind is Instance and name != "new.dict") or (kind is Thing and f"{value.kind}.__next__" in self.natives)

    def _create(self, f: Frame, cls: Class, args: list[Any], kwargs: dict[str, Any], height: int) -> Any:
        maker = cls.find("__new__")
        if maker is not MISSING:
            made = self.call(maker, [cls, *args], kwargs)
        else:
            made = Instance(cls)
            if cls.native == "exception":
                made.vars["args"] = tuple(args)
                self.os_details(made, args)
        self.made(120)
        start = cls.find("__init__")
        if start is MISSING or not isinstance(made, Instance):
            if (args or kwargs) and cls.native == "object" and maker is MISSING:
                raise problem("TypeError", f"{cls.name}() takes no arguments")
            del f.stack[height:]
            f.stack.append(made)
            return None
        if isinstance(start, Function) and not start.code.generator:
            frame = frame_of(start, [made, *args], kwargs)
            frame.kind, frame.owner = "init", made
            del f.stack[height:]
            self.push(frame)
            return True
        self.call(start, [made, *args], kwargs)
        del f.stack[height:]
        f.stack.append(made)
        return None

    # ---- exceptions

    def raise_again(self, value: Instance) -> None:
        """The exception that was handled goes on: this frame is in its traceback already."""
        value.vars["__again__"] = True
        raise Raised(value)

    def being_handled(self) -> Instance | None:
        for frame in reversed(self.current.frames):
            if frame.caught:
                found: Instance = frame.caught[-1]
                return found
        return None

    def unwind(self, thread: Thread, value: Instance, base: int = 0) -> None:
        """Finds who handles an exception; without anybody, raises it for the thread (Raised)."""
        trace: list[Any] = value.vars.setdefault("__trace__", [])
        known = value.vars.pop("__again__", False)
        handled = self.being_handled()
        if handled is not None and handled is not value and not known and "__context__" not in value.vars:
            value.vars["__context__"] = handled
        frames = thread.frames
        while len(frames) > base:
            frame = frames[-1]
            if not known and len(trace) < 2000:
                code = frame.code
                trace.append((code.source.file, code.name, code.source.key, code.place(frame.pc, self.facts.get("minor", 13))))
            known = False
            frame.memo = {}
            if frame.blocks:
                target, height, caught = frame.blocks.pop()
                del frame.stack[height:]
                del frame.caught[caught:]
                frame.stack.append(value)
                frame.caught.append(value)
                frame.pc = target
                return
            frames.pop()
            if frame.kind in ("for", "next", "throw", "from"):
                frame.owner.state = "done"
                if frame.kind in ("for", "from") and value.cls.is_a(CLASSES["StopIteration"]):
                    value = problem("RuntimeError", "generator raised StopIteration").value
                    value.vars["__trace__"] = trace
        raise Raised(value)


def _plain(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(one if isinstance(one, (str, int, float, bytes)) else str(one) for one in args)
