"""Arguments meet parameters, in CPython's words when they do not fit."""

from __future__ import annotations

from typing import Any

from .classes import problem
from .values import Frame, Function, Scope


def frame_of(function: Function, args: list[Any], kwargs: dict[str, Any]) -> Frame:
    """The frame of a call, its parameters bound. Raises TypeError in CPython's words."""
    code = function.code
    names, count = code.parameters, len(args)
    variables: dict[str, Any] = dict(zip(names, args, strict=False))
    if count > len(names):
        if not code.vararg:
            _too_many(function, count)
        variables[code.vararg] = tuple(args[len(names) :])
    elif code.vararg:
        variables[code.vararg] = ()
    rest: dict[str, Any] = {}
    title = function.name if function.owner is None else f"{function.owner.name}.{function.name}"
    for name, value in kwargs.items():
        if name in variables and name in names:
            raise problem("TypeError", f"{title}() got multiple values for argument '{name}'")
        if name in names or name in code.keywords:
            variables[name] = value
        elif code.kwarg:
            rest[name] = value
        else:
            raise problem("TypeError", f"{title}() got an unexpected keyword argument '{name}'")
    if code.kwarg:
        variables[code.kwarg] = rest
    if count < len(names):
        defaults = function.defaults
        first = len(names) - len(defaults)
        missing = []
        for index in range(count, len(names)):
            if names[index] not in variables:
                if index >= first:
                    variables[names[index]] = defaults[index - first]
                else:
                    missing.append(f"'{names[index]}'")
        if missing:
            _missing(title, "positional", missing)
    if code.keywords:
        missing = []
        for name in code.keywords:
            if name not in variables:
                if name in function.kwdefaults:
                    variables[name] = function.kwdefaults[name]
                else:
                    missing.append(f"'{name}'")
        if missing:
            _missing(title, "keyword-only", missing)
    return Frame(code, Scope(variables, function.scope), function.module, function)


def _missing(title: str, kind: str, missing: list[str]) -> None:
    listed = missing[0] if len(missing) == 1 else " and ".join(missing) if len(missing) == 2 else ", ".join(missing[:-1]) + f", and {missing[-1]}"
    raise problem("TypeError", f"{title}() missing {len(missing)} required {kind} argument{'s' * (len(missing) > 1)}: {listed}")


def _too_many(function: Function, count: int) -> None:
    names, defaults = function.code.parameters, len(function.defaults)
    takes = f"from {len(names) - defaults} to {len(names)}" if defaults else str(len(names))
    title = function.name if function.owner is None else f"{function.owner.name}.{function.name}"
    plural = "s" * (len(names) != 1 or defaults > 0)
    raise problem("TypeError", f"{title}() takes {takes} positional argument{plural} but {count} {'was' if count == 1 else 'were'} given")
