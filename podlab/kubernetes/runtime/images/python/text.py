"""Values as text: repr, str, format and %, all of bounded length."""

from __future__ import annotations

import re
from typing import Any

from .asked import Asked
from .classes import CLASSES, problem
from .operators import LONG
from .values import (
    MISSING,
    Bound,
    Class,
    Function,
    Generator,
    Huge,
    Instance,
    Iterator,
    Module,
    Native,
    Set,
    Super,
    Thing,
    Unknown,
    View,
    Wrapped,
    type_name,
)

WIDE = 10_000
"""Width and precision of one formatted value."""
DIRECTIVE = re.compile(r"%(?:\((.*?)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?(.)", re.DOTALL)

Text_ = str  # in the class below, str is a method's name


class Text(Asked):
    """How the machine tells values."""

    # ---- repr

    def repr(self, value: Any) -> str:
        """repr(value). Raises MemoryError when that is too long."""
        room = [LONG]
        text = self._repr(value, room, [])
        self.made(len(text))
        self.spend(len(text) >> 6)
        return text

    def _repr(self, value: Any, room: list[int], around: list[Any]) -> str:
        kind = type(value)
        if kind in (int, float, bool, str, bytes, type(None), range):
            text = repr(value)
        elif kind in (list, tuple, dict, Set):
            if any(one is value for one in around):
                return {list: "[...]", tuple: "(...)", dict: "{...}", Set: "set(...)"}[kind]
            if len(around) > 60:
                raise problem("RecursionError", "maximum recursion depth exceeded while getting the repr of an object")
            return self._container(value, room, [*around, value])
        elif kind is Instance:
            text = self._instance(value)
        else:
            text = self._other(value, room, around)
        room[0] -= len(text) + 2
        if room[0] < 0:
            raise self.full()
        return text

    def _container(self, value: Any, room: list[int], around: list[Any]) -> str:
        room[0] -= 2 + len(value)
        if room[0] < 0:
            raise self.full()
        if type(value) is dict:
            return "{" + ", ".join([f"{self._repr(name, room, around)}: {self._repr(one, room, around)}" for name, one in value.items()]) + "}"
        parts = [self._repr(one, room, around) for one in (value.items() if type(value) is Set else value)]
        if type(value) is list:
            return f"[{', '.join(parts)}]"
        if type(value) is tuple:
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        inner = f"{{{', '.join(parts)}}}"
        if not parts:
            return "frozenset()" if value.frozen else "set()"
        return f"frozenset({inner})" if value.frozen else inner

    def address(self, value: Any) -> str:
        """A made-up address, the same in every run."""
        found: int = self.number_of(value)
        return f"0x{0x7F3A5C0D0000 + 48 * found:x}"

    def _instance(self, value: Instance) -> str:
        own = value.cls.find("__repr__")
        if own is not MISSING:
            text = self.call(own, [value])
            if type(text) is not str:
                raise problem("TypeError", f"__repr__ returned non-string (type {type_name(text)})")
            return text
        if value.cls.native == "exception":
            args = value.vars["args"]
            return f"{value.cls.name}({', '.join(self.repr(one) for one in args)})"
        return f"<{value.cls.vars.get('__module__', '__main__')}.{value.cls.name} object at {self.address(value)}>"

    def _other(self, value: Any, room: list[int], around: list[Any]) -> str:
        kind = type(value)
        if kind is Class:
            module = value.vars.get("__module__", "builtins")
            return f"<class '{value.name}'>" if module == "builtins" else f"<class '{module}.{value.name}'>"
        if kind is Function:
            return f"<function {value.name} at {self.address(value)}>"
        if kind is Native:
            return f"<built-in function {value.name.rpartition('.')[2]}>"
        if kind is Bound:
            if isinstance(value.function, Native):
                return f"<built-in method {value.function.name.rpartition('.')[2]} of {type_name(value.of)} object at {self.address(value.of)}>"
            return f"<bound method {type_name(value.of)}.{value.function.name} of {self.repr(value.of)}>"
        if kind is Module:
            return f"<module '{value.name}'>"
        if kind is Generator:
            return f"<{type_name(value)} object {value.frame.code.name} at {self.address(value)}>"
        if kind is Huge:
            raise self.full()
        if kind is View:
            return f"{value.kind}({self._repr(value.items(), room, around)})"
        if kind is slice:
            return f"slice({self.repr(value.start)}, {self.repr(value.stop)}, {self.repr(value.step)})"
        if value is Ellipsis:
            return "Ellipsis"
        if value is NotImplemented:
            return "NotImplemented"
        if kind is Thing:
            native = self.natives.get(f"{value.kind}.__repr__")
            if native is not None:
                return str(native(self, value))
        name = type_name(value)
        return f"<{name} object at {self.address(value)}>" if kind in (Thing, Wrapped, Iterator, Super) else f"<{name}>"

    # ---- str and format

    def str(self, value: Any) -> Text_:
        """str(value)."""
        kind = type(value)
        if kind is str:
            return Text_(value)
        if kind in (int, float, bool):
            return str(value)
        if kind is Instance:
            own = value.cls.find("__str__")
            if own is not MISSING:
                text = self.call(own, [value])
                if type(text) is not str:
                    raise problem("TypeError", f"__str__ returned non-string (type {type_name(text)})")
                return text
            if value.cls.native == "exception":
                return self.exception_text(value)
        if kind is Thing:
            native = self.natives.get(f"{value.kind}.__str__")
            if native is not None:
                return str(native(self, value))
        return self.repr(value)

    def exception_text(self, value: Instance) -> Text_:
        args = value.vars["args"]
        if value.cls.is_a(CLASSES["OSError"]) and "errno" in value.vars:
            path = value.vars.get("filename")
            tail = f": {self.repr(path)}" if path is not None else ""
            return f"[Errno {value.vars['errno']}] {value.vars['strerror']}{tail}"
        if not args:
            return ""
        if len(args) > 1:
            return self.repr(args)
        if value.cls.is_a(CLASSES["KeyError"]):
            return self.repr(args[0])
        return self.str(args[0])

    def format(self, value: Any, spec: Any) -> Text_:
        """format(value, spec)."""
        if not spec:
            return self.str(value)
        if type(spec) is not str or any(int(one) > WIDE for one in re.findall(r"\d{1,30}", spec)) or len(spec) > 100:
            if type(value) in (int, float, str, bool):
                raise self.full()
        if type(value) in (int, float, str, bool):
            return format(value, spec)
        native = self.natives.get(f"{value.kind}.__format__") if type(value) is Thing else None
        if native is not None:
            return str(native(self, value, spec))
        if type(value) is Instance:
            own = value.cls.find("__format__")
            if own is not MISSING:
                return str(self.call(own, [value, spec]))
        raise problem("TypeError", f"unsupported format string passed to {type_name(value)}.__format__")

    def percent(self, text: Any, values: Any) -> Any:
        """text % values."""
        if type(text) is bytes:
            raise Unknown("% with bytes")
        given: list[Any] = list(values) if type(values) is tuple else [values]
        used, out, last = 0, [], 0
        named = False

        def take() -> Any:
            nonlocal used
            used += 1
            if used > len(given):
                raise problem("TypeError", "not enough arguments for format string")
            return given[used - 1]

        for found in DIRECTIVE.finditer(text):
            out.append(text[last : found.start()])
            last = found.end()
            name, flags, width, precision, letter = found.groups()
            if letter == "%":
                out.append("%")
                continue
            width = str(take()) if width == "*" else width or ""
            precision = str(take()) if precision == "*" else precision
            if len(width) > 5 or int(width or 0) > WIDE or len(precision or "") > 5:
                raise self.full()
            if name is not None:
                if type(values) is not dict:
                    raise problem("TypeError", "format requires a mapping")
                if name not in values:
                    raise problem("KeyError", name)
                value, named = values[name], True
            else:
                value = take()
            out.append(self._directive(value, flags, width, precision, letter))
        if not named and used < len(given) and type(values) is not dict:
            raise problem("TypeError", "not all arguments converted during string formatting")
        made = "".join(out) + text[last:]
        self.made(len(made))
        if len(made) > LONG:
            raise self.full()
        return made

    def _directive(self, value: Any, flags: Text_, width: Text_, precision: Text_ | None, letter: Text_) -> Text_:
        form = f"%{flags}{width}{'.' + precision if precision is not None else ''}"
        if letter in "sra":
            text = self.str(value) if letter == "s" else self.repr(value)
            return Text_((form + "s") % text)
        if letter in "diouxXeEfFgG":
            if type(value) not in (int, float, bool):
                wanted = "an integer" if letter in "xXo" else "a real number"
                lead = f"%{letter} format: {wanted} is required" if letter in "diuxXo" else "must be real number"
                raise problem("TypeError", f"{lead}, not {type_name(value)}")
            return Text_((form + letter) % value)
        if letter == "c":
            return Text_((form + "c") % value)
        raise problem("ValueError", f"unsupported format character '{letter}' (0x{ord(letter):x})")
