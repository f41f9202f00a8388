"""The methods of numbers, generators, properties, exceptions and objects."""

from __future__ import annotations

from typing import Any

from .classes import problem
from .frames import SWITCH
from .machine import Machine
from .natives import native
from .operators import LONG
from .values import MISSING, Class, Frame, Generator, Huge, Instance, Iterator, Wrapped

# ---- numbers


@native("int.bit_length")
def _bit_length(m: Machine, value: int) -> int:
    return value.bit_length()


@native("int.to_bytes")
def _to_bytes(m: Machine, value: int, length: int = 1, byteorder: str = "big", *, signed: bool = False) -> bytes:
    if length > LONG:
        raise m.full()
    return value.to_bytes(length, "little" if byteorder == "little" else "big", signed=signed)


@native("class int.from_bytes")
def _from_bytes(m: Machine, data: bytes, byteorder: str = "big", *, signed: bool = False) -> int:
    return int.from_bytes(data[:20_000], "little" if byteorder == "little" else "big", signed=signed)


@native("float.is_integer", "int.is_integer")
def _is_integer(m: Machine, value: float) -> bool:
    return float(value).is_integer()


# ---- generators, properties, exceptions, objects


@native("generator.__next__", "coroutine.__next__")
def _generator_next(m: Machine, value: Generator) -> Any:
    frame = m.current.frames[-1]
    _drop_call(frame)
    m.resume(value, "next")
    return SWITCH


def _drop_call(frame: Any) -> None:
    """The call that is going on leaves the stack: a generator's value takes its place."""
    if not frame.code.steps:
        frame.stack.clear()
        return
    step, arg = frame.code.steps[frame.pc - 1]
    if step.__name__ == "call":
        del frame.stack[len(frame.stack) - arg[0] - len(arg[1]) - 1 :]
    else:
        del frame.stack[-3:]


@native("generator.send", "coroutine.send")
def _send(m: Machine, value: Generator, one: Any) -> Any:
    frame = m.current.frames[-1]
    _drop_call(frame)
    m.resume(value, "next", sent=one)
    return SWITCH


@native("generator.throw", "coroutine.throw")
def _throw(m: Machine, value: Generator, error: Any, second: Any = None, third: Any = None) -> Any:
    error = second if second is not None else error
    made = m.call(error, []) if isinstance(error, Class) else error
    frame = m.current.frames[-1]
    _drop_call(frame)
    if value.state in ("new", "done"):
        value.state = "done"
        m.raise_again(made)
    m.resume(value, "next")
    value.frame.stack.pop()
    while (inner := _delegate(value.frame)) is not None:  # what it waits for gets the exception first
        frame = value.frame
        end = frame.code.steps[frame.code.steps[frame.pc][1]][1]
        frame.pc = frame.code.steps[frame.pc][1] + 1
        m.resume(inner, "from", end)
        inner.frame.stack.pop()
        value = inner
    m.unwind(m.current, made)
    return SWITCH


def _delegate(frame: Frame) -> Generator | None:
    """The generator that a frame goes through with `yield from` or `await`, when it waits there."""
    step, arg = frame.code.steps[frame.pc]
    if step.__name__ != "jump" or frame.code.steps[arg][0].__name__ != "delegate":
        return None
    inner = frame.stack[-1]
    return inner if type(inner) is Generator and inner.state == "waiting" else None


@native("generator.close", "coroutine.close")
def _close(m: Machine, value: Generator) -> None:
    if value.state == "waiting" and value.frame.blocks:
        try:
            m.call(m.builtins["_throw_exit"], [value])
        finally:
            value.state = "done"
    value.state = "done"


@native("generator.__iter__", "iterator.__iter__")
def _self(m: Machine, value: Any) -> Any:
    return value


@native("iterator.__next__")
def _iterator_next(m: Machine, value: Iterator) -> Any:
    found = m.next_of(value)
    if found is MISSING:
        raise problem("StopIteration")
    return found


@native("property.setter")
def _setter(m: Machine, value: Wrapped, function: Any) -> Wrapped:
    return Wrapped("property", [value.functions[0], function])


@native("exception.with_traceback", "exception.add_note")
def _noted(m: Machine, value: Instance, other: Any = None) -> Instance:
    return value


@native("exception.__init__")
def _exception_init(m: Machine, value: Instance, *args: Any, **kwargs: Any) -> None:
    value.vars["args"] = tuple(args)
    m.os_details(value, list(args))


@native("exception.__str__")
def _exception_str(m: Machine, value: Instance) -> str:
    return m.exception_text(value)


@native("object.__init__", "object.__init_subclass__")
def _object_init(m: Machine, value: Any, *args: Any, **kwargs: Any) -> None:
    """object's does nothing."""


@native("object.__setattr__")
def _object_setattr(m: Machine, value: Any, name: str, one: Any) -> None:
    value.vars[name] = one


@native("class object.__new__")
def _object_new(m: Machine, cls: Class, *args: Any, **kwargs: Any) -> Instance:
    return Instance(cls, {"args": tuple(args)} if cls.native == "exception" else None)


@native("object.__repr__", "object.__str__")
def _object_repr(m: Machine, value: Any) -> str:
    return f"<{value.cls.vars.get('__module__', '__main__')}.{value.cls.name} object at {m.address(value)}>"


@native("object.__eq__")
def _object_eq(m: Machine, value: Any, other: Any) -> Any:
    return value is other or NotImplemented


@native("object.__hash__")
def _object_hash(m: Machine, value: Any) -> int:
    return m.number_of(value)


@native("list.__len__", "dict.__len__", "str.__len__", "tuple.__len__")
def _length(m: Machine, value: Any) -> int:
    return len(value)


def size_of(m: Machine, value: Any) -> int:
    """sys.getsizeof, as far as sizes matter."""
    return len(value) + 49 if type(value) in (str, Huge) else 56 + 8 * len(value) if hasattr(value, "__len__") else 28
