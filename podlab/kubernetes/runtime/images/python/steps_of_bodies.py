"""The steps of functions, classes and modules, and of exceptions (see steps.py)."""

from __future__ import annotations

from typing import Any

from .classes import BASE_EXCEPTION, problem
from .machine import Machine
from .values import (
    MISSING,
    Class,
    Frame,
    Function,
    Generator,
    Instance,
    Raised,
    Scope,
    Super,
    type_name,
)  # fmt: skip

# ---- functions, classes, modules


def call(m: Machine, f: Frame, arg: Any) -> Any:
    count, names = arg
    stack = f.stack
    base = len(stack) - count - len(names)
    args = stack[base : base + count]
    return m.enter(f, stack[base - 1], args, dict(zip(names, stack[base + count :], strict=True)) if names else {}, base - 1)


def call_spread(m: Machine, f: Frame, arg: Any) -> Any:
    kwargs = f.stack[-1]
    if not all(type(one) is str for one in kwargs):
        raise problem("TypeError", "keywords must be strings")
    return m.enter(f, f.stack[-3], list(f.stack[-2]), dict(kwargs), len(f.stack) - 3)


def make_function(m: Machine, f: Frame, arg: Any) -> None:
    index, count, names = arg
    named: dict[str, Any] = {}
    for name in reversed(names):
        named[name] = f.stack.pop()
    defaults = f.stack[len(f.stack) - count :]
    del f.stack[len(f.stack) - count :]
    code = f.code.source.bodies[index]
    scope = f.scope if f.function is not None and f.kind != "class" else f.scope.parent if f.kind == "class" else None
    m.made(160)
    f.stack.append(Function(code, defaults, named, scope, f.module))


def make_class(m: Machine, f: Frame, arg: Any) -> Any:
    index, count, names = arg
    keywords: dict[str, Any] = {}
    for name in reversed(names):
        keywords[name] = f.stack.pop()
    bases = f.stack[len(f.stack) - count :]
    del f.stack[len(f.stack) - count :]
    code = f.code.source.bodies[index]
    scope = f.scope if f.function is not None and f.kind != "class" else f.scope.parent if f.kind == "class" else None
    variables: dict[str, Any] = {"__module__": f.module.name, "__qualname__": code.name}
    if code.doc is not None:
        variables["__doc__"] = code.doc
    made = Frame(code, Scope(variables, scope), f.module, None, "class", [m.bases_of(bases), keywords])
    m.push(made)
    return True


def annotate(m: Machine, f: Frame, arg: Any) -> None:
    f.scope.vars.setdefault("__annotations__", {})[arg[0]] = arg[1]


def own_super(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    frame: Frame = f
    owner = frame.function.owner if isinstance(frame.function, Function) else None
    if owner is None or not frame.code.parameters:
        raise problem("RuntimeError", "super(): no arguments")
    f.stack.append(Super(owner, f.scope.vars[frame.code.parameters[0]]))


def import_module(m: Machine, f: Frame, arg: Any) -> Any:
    name, leaf = arg
    return m.imported(f, name, leaf)


def import_name(m: Machine, f: Frame, arg: Any) -> None:
    name, module = arg
    found = m.name_in_module(f.stack[-1], name, module)
    f.stack.append(found)


def import_all(m: Machine, f: Frame, arg: Any) -> None:
    f.scope.vars.update({name: one for name, one in f.stack[-1].vars.items() if not name.startswith(("_", "."))})


def finish(m: Machine, f: Frame, arg: Any) -> Any:
    m.finished(f, f.stack.pop())
    return True


def give(m: Machine, f: Frame, arg: Any) -> Any:
    m.given(f, f.stack.pop())
    return True


# ---- exceptions


def enter_block(m: Machine, f: Frame, arg: Any) -> None:
    f.blocks.append([arg, len(f.stack), len(f.caught)])


def enter_with(m: Machine, f: Frame, arg: Any) -> None:
    f.blocks.append([arg, len(f.stack) - 1, len(f.caught)])


def leave_block(m: Machine, f: Frame, arg: Any) -> None:
    f.blocks.pop()


def handled(m: Machine, f: Frame, arg: Any) -> None:
    if f.caught:
        f.caught.pop()


def again(m: Machine, f: Frame, arg: Any) -> None:
    m.raise_again(f.stack.pop())


def matches(m: Machine, f: Frame, arg: Any) -> None:
    wanted = f.stack.pop()
    value = f.stack[-1]
    kinds = wanted if type(wanted) is tuple else (wanted,)
    for one in kinds:
        if not (isinstance(one, Class) and one.is_a(BASE_EXCEPTION)):
            raise problem("TypeError", "catching classes that do not inherit from BaseException is not allowed")
    f.stack.append(any(value.cls.is_a(one) for one in kinds))


def throw(m: Machine, f: Frame, arg: Any) -> None:
    if arg == 0:
        value = m.being_handled()
        if value is None:
            raise problem("RuntimeError", "No active exception to reraise")
        m.raise_again(value)
    cause = f.stack.pop() if arg == 2 else MISSING
    value = f.stack.pop()
    if isinstance(value, Class) and value.is_a(BASE_EXCEPTION):
        value = m.call(value, [])
    if not (isinstance(value, Instance) and value.cls.is_a(BASE_EXCEPTION)):
        raise problem("TypeError", "exceptions must derive from BaseException")
    if cause is not MISSING:
        value.vars["__cause__"] = m.call(cause, []) if isinstance(cause, Class) else cause
        value.vars["__suppress_context__"] = True
    raise Raised(value)


def load_exit(m: Machine, f: Frame, arg: Any) -> None:
    """A context manager gives its __exit__ and its __enter__; with `arg` an asynchronous one its own."""
    manager = f.stack.pop()
    way = "a" if arg else ""
    enter, leave = m.special_method(manager, f"__{way}enter__"), m.special_method(manager, f"__{way}exit__")
    if enter is MISSING or leave is MISSING:
        raise problem("TypeError", f"'{type_name(manager)}' object does not support the {'asynchronous ' * bool(arg)}context manager protocol")
    f.stack += [leave, enter]


def leave_with(m: Machine, f: Frame, arg: Any) -> Any:
    """Calls __exit__ with nothing wrong; with `arg` it lies under a value that stays."""
    leave = f.stack.pop(-2) if arg else f.stack.pop()
    f.stack.append(leave)
    return m.enter(f, leave, [None, None, None], {}, len(f.stack) - 1)


def exit_with(m: Machine, f: Frame, arg: Any) -> Any:
    """Calls __exit__ with the exception; its answer goes on top of both."""
    value = f.stack[-1]
    f.stack.append(f.stack[-2])
    return m.enter(f, f.stack[-1], [value.cls, value, None], {}, len(f.stack) - 1)


# ---- generators of generators, coroutines


def delegate(m: Machine, f: Frame, arg: Any) -> Any:
    """Takes what was sent, goes on with the iterator under it; at its end its value takes its place, and on to `arg`."""
    sent = f.stack.pop()
    it = f.stack[-1]
    if type(it) is Generator:
        return m.resume(it, "from", arg, sent)
    found = m.next_of(it)
    if found is MISSING:
        f.stack[-1] = None
        f.pc = arg
    else:
        f.stack.append(found)
    return None


def awaitable(m: Machine, f: Frame, arg: Any) -> Any:
    """What can be awaited becomes its iterator."""
    of = f.stack[-1]
    if type(of) is Generator and of.frame.code.coroutine:
        if of.state == "done":
            raise problem("RuntimeError", "cannot reuse already awaited coroutine")
        return None
    found = m.special_method(of, "__await__")
    if found is MISSING:
        raise problem("TypeError", f"object {type_name(of)} can't be used in 'await' expression")
    return m.enter(f, found, [], {}, len(f.stack) - 1)
