"""The steps that a program is compiled to, each a function (machine, frame, argument): the stack, names, operators, making and loops.
True: another frame goes on now. Those of calls and exceptions are in steps_of_bodies.py."""

from __future__ import annotations

from typing import Any

from . import operators
from .classes import problem
from .machine import Machine
from .values import (
    MISSING,
    Class,
    Frame,
    Function,
    Generator,
    Instance,
    Iterator,
    Scope,
    Set,
    Thing,
    Wrapped,
    type_name,
)  # fmt: skip

# ---- the stack


def nothing(m: Machine, f: Frame, arg: Any) -> None:
    pass


def const(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(arg)


def pop(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()


def duplicate(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(f.stack[-1])


def duplicate_two(m: Machine, f: Frame, arg: Any) -> None:
    f.stack += f.stack[-2:]


def swap(m: Machine, f: Frame, arg: Any) -> None:
    f.stack[-1], f.stack[-2] = f.stack[-2], f.stack[-1]


def rotate_three(m: Machine, f: Frame, arg: Any) -> None:
    """The top goes below the two under it."""
    f.stack.insert(-2, f.stack.pop())


def keep_under(m: Machine, f: Frame, arg: Any) -> None:
    """a b -> b a b"""
    f.stack.insert(-2, f.stack[-1])


def drop_under(m: Machine, f: Frame, arg: Any) -> None:
    """a b -> b"""
    del f.stack[-2]


def close_under(m: Machine, f: Frame, arg: Any) -> None:
    """a b -> b; a file that nobody holds is closed."""
    of = f.stack.pop(-2)
    if type(of) is Thing and of.kind == "file":
        m.natives["file.close"](m, of)


# ---- names


def load_local(m: Machine, f: Frame, arg: Any) -> None:
    try:
        f.stack.append(f.scope.vars[arg])
    except KeyError:
        if f.code.index == 0:
            return load_global(m, f, arg)
        raise problem("UnboundLocalError", f"cannot access local variable '{arg}' where it is not associated with a value") from None
    return None


def load_global(m: Machine, f: Frame, arg: Any) -> None:
    found = f.module.vars.get(arg, MISSING)
    if found is MISSING:
        found = m.builtins.get(arg, MISSING)
        if found is MISSING:
            raise problem("NameError", f"name '{arg}' is not defined{m.suggested(f, arg)}")
    f.stack.append(found)


def load_class(m: Machine, f: Frame, arg: Any) -> None:
    if arg in f.scope.vars:
        f.stack.append(f.scope.vars[arg])
        return
    scope = f.scope.parent
    while scope is not None:
        if arg in scope.vars:
            f.stack.append(scope.vars[arg])
            return
        scope = scope.parent
    load_global(m, f, arg)


def _outer(f: Frame, depth: int) -> dict[str, Any]:
    scope: Scope | None = f.scope
    for _ in range(depth):
        scope = scope.parent if scope is not None else None
    return scope.vars if scope is not None else {}


def load_free(m: Machine, f: Frame, arg: Any) -> None:
    found = _outer(f, arg[0]).get(arg[1], MISSING)
    if found is MISSING:
        raise problem("NameError", f"cannot access free variable '{arg[1]}' where it is not associated with a value in enclosing scope")
    f.stack.append(found)


def store_local(m: Machine, f: Frame, arg: Any) -> None:
    f.scope.vars[arg] = f.stack.pop()


def store_free(m: Machine, f: Frame, arg: Any) -> None:
    _outer(f, arg[0])[arg[1]] = f.stack.pop()


def store_global(m: Machine, f: Frame, arg: Any) -> None:
    f.module.vars[arg] = f.stack.pop()


def delete_local(m: Machine, f: Frame, arg: Any) -> None:
    if f.scope.vars.pop(arg, MISSING) is MISSING:
        raise problem("UnboundLocalError", f"cannot access local variable '{arg}' where it is not associated with a value")


def delete_global(m: Machine, f: Frame, arg: Any) -> None:
    if f.module.vars.pop(arg, MISSING) is MISSING:
        raise problem("NameError", f"name '{arg}' is not defined")


# ---- operators


def binary(m: Machine, f: Frame, arg: Any) -> None:
    b = f.stack.pop()
    f.stack[-1] = operators.binary(m, arg, f.stack[-1], b)


def binary_in_place(m: Machine, f: Frame, arg: Any) -> None:
    b = f.stack.pop()
    f.stack[-1] = operators.binary_in_place(m, arg, f.stack[-1], b)


def unary(m: Machine, f: Frame, arg: Any) -> None:
    f.stack[-1] = operators.unary(m, arg, f.stack[-1])


def compare(m: Machine, f: Frame, arg: Any) -> None:
    b = f.stack.pop()
    f.stack[-1] = operators.compare(m, arg, f.stack[-1], b)


def load_item(m: Machine, f: Frame, arg: Any) -> None:
    at = f.stack.pop()
    f.stack[-1] = operators.item(m, f.stack[-1], at)


def store_item(m: Machine, f: Frame, arg: Any) -> None:
    at, of, value = f.stack.pop(), f.stack.pop(), f.stack.pop()
    operators.set_item(m, of, at, value)


def delete_item(m: Machine, f: Frame, arg: Any) -> None:
    at, of = f.stack.pop(), f.stack.pop()
    operators.delete_item(m, of, at)


def load_attribute(m: Machine, f: Frame, arg: Any) -> Any:
    of = f.stack[-1]
    if type(of) is Instance and type(found := of.cls.find(arg)) is Wrapped and found.kind == "property" and type(found.functions[0]) is Function:
        return m.enter(f, found.functions[0], [of], {}, len(f.stack) - 1)
    f.stack[-1] = m.attribute(of, arg)
    return None


def store_attribute(m: Machine, f: Frame, arg: Any) -> None:
    of, value = f.stack.pop(), f.stack.pop()
    m.set_attribute(of, arg, value)


def delete_attribute(m: Machine, f: Frame, arg: Any) -> None:
    of = f.stack.pop()
    variables = of.vars if isinstance(of, (Instance, Class, Function)) else {}
    if variables.pop(arg, MISSING) is MISSING:
        raise problem("AttributeError", f"'{type_name(of)}' object has no attribute '{arg}'")


# ---- making


def build_list(m: Machine, f: Frame, arg: Any) -> None:
    items = f.stack[len(f.stack) - arg :]
    del f.stack[len(f.stack) - arg :]
    m.made(56 + 8 * arg)
    f.stack.append(items)


def build_tuple(m: Machine, f: Frame, arg: Any) -> None:
    build_list(m, f, arg)
    f.stack[-1] = tuple(f.stack[-1])


def build_set(m: Machine, f: Frame, arg: Any) -> None:
    build_list(m, f, arg)
    f.stack[-1] = Set([operators.key(m, one) for one in f.stack[-1]])


def build_dict(m: Machine, f: Frame, arg: Any) -> None:
    m.made(64)
    f.stack.append({})


def build_slice(m: Machine, f: Frame, arg: Any) -> None:
    step, stop = f.stack.pop(), f.stack.pop()
    f.stack[-1] = slice(f.stack[-1], stop, step)


def list_as(m: Machine, f: Frame, arg: Any) -> None:
    if arg == "tuple":
        f.stack[-1] = tuple(f.stack[-1])
    elif arg == "set":
        f.stack[-1] = Set([operators.key(m, one) for one in f.stack[-1]])


def append_to(m: Machine, f: Frame, arg: Any) -> None:
    """The value goes into the list that lies `arg` iterators below."""
    value = f.stack.pop()
    into = f.stack[-1 - arg]
    if len(into) >= operators.LONG:
        raise m.full()
    m.made(40)
    into.append(value)


def extend_list(m: Machine, f: Frame, arg: Any) -> None:
    items = m.items(f.stack.pop())
    if len(f.stack[-1]) + len(items) > operators.LONG:
        raise m.full()
    f.stack[-1].extend(items)


def add_to(m: Machine, f: Frame, arg: Any) -> None:
    value = f.stack.pop()
    into = f.stack[-1 - arg]
    if len(into) >= operators.LONG:
        raise m.full()
    m.made(64)
    into.members[operators.key(m, value)] = None


def put_in_dict(m: Machine, f: Frame, arg: Any) -> None:
    value, name = f.stack.pop(), f.stack.pop()
    operators.set_item(m, f.stack[-1 - arg], name, value)


def update_dict(m: Machine, f: Frame, arg: Any) -> None:
    more = f.stack.pop()
    if type(more) is not dict:
        if type(more) is Instance and m.has(more, "keys"):
            more = {one: operators.item(m, more, one) for one in m.items(m.call(m.attribute(more, "keys"), []))}
        else:
            raise problem("TypeError", f"'{type_name(more)}' object is not a mapping")
    f.stack[-1].update(more)


def join_text(m: Machine, f: Frame, arg: Any) -> None:
    parts = f.stack[len(f.stack) - arg :]
    del f.stack[len(f.stack) - arg :]
    if sum(len(one) for one in parts) > operators.LONG:
        raise m.full()
    text = "".join(parts)
    m.made(len(text))
    f.stack.append(text)


def format_value(m: Machine, f: Frame, arg: Any) -> None:
    spec = f.stack.pop() if arg[1] else ""
    value = f.stack[-1]
    if arg[0] == 114:
        value = m.repr(value)
    elif arg[0] == 115:
        value = m.str(value)
    elif arg[0] == 97:
        value = m.repr(value).encode("ascii", "backslashreplace").decode()
    f.stack[-1] = m.format(value, spec)


def unpack(m: Machine, f: Frame, arg: Any) -> None:
    count, star = arg
    value = f.stack.pop()
    items = m.items(value, "cannot unpack non-iterable {} object")
    if star < 0:
        if len(items) < count:
            raise problem("ValueError", f"not enough values to unpack (expected {count}, got {len(items)})")
        if len(items) > count:
            raise problem("ValueError", f"too many values to unpack (expected {count})")
        f.stack += reversed(items)
        return
    if len(items) < count - 1:
        raise problem("ValueError", f"not enough values to unpack (expected at least {count - 1}, got {len(items)})")
    after = count - 1 - star
    f.stack += [*items[:star], list(items[star : len(items) - after]), *items[len(items) - after :]][::-1]


# ---- jumps and loops


def jump(m: Machine, f: Frame, arg: Any) -> None:
    f.pc = arg


def jump_if_false(m: Machine, f: Frame, arg: Any) -> None:
    value = f.stack.pop()
    if value is False or (value is not True and not m.truth(value)):
        f.pc = arg


def jump_if_true(m: Machine, f: Frame, arg: Any) -> None:
    value = f.stack.pop()
    if value is True or (value is not False and m.truth(value)):
        f.pc = arg


def jump_if_false_or_pop(m: Machine, f: Frame, arg: Any) -> None:
    if m.truth(f.stack[-1]):
        f.stack.pop()
    else:
        f.pc = arg


def jump_if_true_or_pop(m: Machine, f: Frame, arg: Any) -> None:
    if m.truth(f.stack[-1]):
        f.pc = arg
    else:
        f.stack.pop()


def get_iterator(m: Machine, f: Frame, arg: Any) -> None:
    f.stack[-1] = m.iterator(f.stack[-1])


def for_iterator(m: Machine, f: Frame, arg: Any) -> Any:
    """The next value, or on to `arg` without the iterator."""
    it = f.stack[-1]
    if type(it) is Iterator:
        if it.size >= 0 and len(it.of) != it.size:
            raise problem("RuntimeError", f"{'Set' if type(it.of) is Set else 'dictionary'} changed size during iteration")
        if it.at < len(it.items):
            f.stack.append(it.items[it.at])
            it.at += 1
        else:
            f.stack.pop()
            f.pc = arg
        return None
    if type(it) is Generator:
        return m.resume(it, "for", arg)
    found = m.next_of(it)
    if found is MISSING:
        f.stack.pop()
        f.pc = arg
    else:
        f.stack.append(found)
    return None
