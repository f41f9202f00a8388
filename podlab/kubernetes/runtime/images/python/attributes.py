"""Attributes of values, what is true, special methods, classes as they are made, and modules as they are imported.

What an attribute may be is looked up in tables of ours (natives: "type.method"); nothing is ever asked of this process's own objects.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from .classes import CLASSES, ERRNOS, OBJECT, problem
from .text import Text
from .values import (
    MISSING,
    Bound,
    Class,
    Frame,
    Function,
    Huge,
    Instance,
    Module,
    Native,
    Scope,
    Set,
    Source,
    Super,
    Thing,
    Unknown,
    View,
    Wrapped,
    type_name,
)  # fmt: skip


class Attributes(Text):
    """What the machine knows of values."""

    modules: dict[str, Module]
    sources: Callable[[str], Source | None]
    facts: dict[str, Any]

    @abstractmethod
    def push(self, frame: Frame) -> None: ...

    # ---- truth and special methods

    def truth(self, value: Any) -> bool:
        kind = type(value)
        if kind is bool:
            return bool(value)
        if kind in (int, float, str, bytes, list, tuple, dict, range, Set, View, Huge, type(None)):
            return bool(value)
        if kind is Instance:
            own = value.cls.find("__bool__")
            if own is not MISSING:
                return bool(self.call(own, [value]))
            own = value.cls.find("__len__")
            if own is not MISSING:
                return bool(self.call(own, [value]))
        elif kind is Thing:
            native = self.natives.get(f"{value.kind}.__bool__")
            if native is not None:
                return bool(native(self, value))
        return True

    def special_method(self, value: Any, name: str) -> Any:
        """A special method, bound; MISSING without one. They are looked for in the type only."""
        if type(value) is Instance:
            own = value.cls.find(name)
            return MISSING if own is MISSING or own is None else self.bound(own, value)
        if type(value) is Class:
            return MISSING
        kind = type_name(value)
        return Bound(Native(f"{kind}.{name}"), value) if f"{kind}.{name}" in self.natives else MISSING

    def has(self, value: Any, name: str) -> bool:
        return self.find_attribute(value, name) is not MISSING

    def bound(self, found: Any, of: Any) -> Any:
        """What a class's attribute is, seen from an instance."""
        kind = type(found)
        if kind in (Function, Native):
            return Bound(found, of)
        if kind is Wrapped:
            if found.kind == "staticmethod":
                return found.functions[0]
            if found.kind == "classmethod":
                return Bound(found.functions[0], of.cls if isinstance(of, Instance) else of)
            if found.kind == "property":
                if found.functions[0] is None:
                    raise problem("AttributeError", "unreadable attribute")
                return self.call(found.functions[0], [of])
            if found.kind == "cached_property":
                value = of.vars[found.functions[1]] = self.call(found.functions[0], [of])
                return value
        return found

    # ---- attributes

    def attribute(self, of: Any, name: str) -> Any:
        """of.name. Raises AttributeError."""
        found = self.find_attribute(of, name)
        if found is MISSING:
            raise self._lacking(of, name)
        return found

    def _lacking(self, of: Any, name: str) -> Exception:
        if isinstance(of, Module):
            text = f"module '{of.name}' has no attribute '{name}'"
        elif isinstance(of, Class):
            text = f"type object '{of.name}' has no attribute '{name}'"
        elif isinstance(of, Super):
            text = f"'super' object has no attribute '{name}'"
        else:
            text = f"'{type_name(of)}' object has no attribute '{name}'"
        made = problem("AttributeError", text)
        made.value.vars["name"] = name
        names: list[str] = []
        if isinstance(of, Instance):
            names = [*of.vars, *(one for cls in of.cls.mro for one in cls.vars)]
        elif isinstance(of, Module):
            names = list(of.vars)
            if of.vars.get("__podlab__"):
                return Unknown(f"{of.name}.{name}")
        elif not isinstance(of, Thing):
            kind = type_name(of) + "."
            names = [one[len(kind) :] for one in self.natives if one.startswith(kind)]
        near = get_close_matches(name, [one for one in names if not one.startswith("_")], 1, 0.75)
        if near:
            made.value.vars["__hint__"] = f". Did you mean: '{near[0]}'?"
        return made

    def find_attribute(self, of: Any, name: str) -> Any:
        """An attribute, or MISSING."""
        kind = type(of)
        if kind is Instance:
            return self._of_instance(of, name)
        if kind is Module:
            return of.vars.get(name, MISSING) if name != "__dict__" else of.vars
        if kind is Class:
            return self._of_class(of, name)
        if kind is Super:
            return self._of_super(of, name)
        if name == "__class__":
            return self.class_of(of)
        if kind is Function:
            if name in of.vars:
                return of.vars[name]
            return {"__name__": of.vars.get("__name__", of.name), "__qualname__": of.name, "__doc__": of.code.doc, "__module__": of.module.name,
                    "__defaults__": tuple(of.defaults) or None}.get(name, MISSING)  # fmt: skip
        if kind is Bound and name in ("__name__", "__doc__", "__self__", "__func__"):
            return of.of if name == "__self__" else of.function if name == "__func__" else self.find_attribute(of.function, name)
        if kind is Native and name in ("__name__", "__qualname__"):
            return of.name.rpartition(".")[2]
        if kind is Thing and name in of.vars and not name.startswith("_"):
            return of.vars[name]
        if kind is Wrapped and of.kind == "property" and name in ("setter", "getter", "deleter"):
            return Bound(Native(f"property.{name}"), of)
        if kind is slice and name in ("start", "stop", "step"):
            return {"start": of.start, "stop": of.stop, "step": of.step}[name]
        owner = type_name(of)
        if owner == "bool" and f"bool.{name}" not in self.natives:
            owner = "int"
        native = f"{owner}.{name}"
        if native in self.natives:
            return self.natives[native](self, of) if native in FIELDS else Bound(Native(native), of)
        if f"{owner}.__getattr__" in self.natives:
            return self.natives[f"{owner}.__getattr__"](self, of, name)
        return MISSING

    def _of_instance(self, of: Instance, name: str) -> Any:
        found = of.cls.find(name)
        if type(found) is Wrapped and found.kind == "property":
            return self.bound(found, of)
        if name in of.vars:
            return of.vars[name]
        if found is not MISSING:
            return self.bound(found, of)
        if name == "__class__":
            return of.cls
        if name == "__dict__":
            return of.vars
        if name in ("__doc__", "__module__"):
            return of.cls.vars.get(name)
        if of.cls.native == "exception":
            if name in ("__cause__", "__context__", "__traceback__", "errno", "strerror", "filename", "code", "value", "name", "__notes__"):
                args = of.vars["args"]
                return (args[0] if len(args) == 1 else args or None) if name in ("code", "value") else None
            if f"exception.{name}" in self.natives:
                return Bound(Native(f"exception.{name}"), of)
        if "_data" in of.vars:
            for one in of.cls.mro:
                if one.native in HELD and f"{one.native}.{name}" in self.natives:
                    return Bound(Native(f"{one.native}.{name}"), of)
        own = of.cls.find("__getattr__")
        if own is not MISSING:
            return self.call(own, [of, name])
        return Bound(Native(f"object.{name}"), of) if f"object.{name}" in self.natives else MISSING

    def _of_class(self, of: Class, name: str) -> Any:
        found = of.find(name)
        if found is not MISSING:
            if type(found) is Wrapped:
                if found.kind == "classmethod":
                    return Bound(found.functions[0], of)
                if found.kind == "staticmethod":
                    return found.functions[0]
            return found
        special = {"__name__": of.name, "__qualname__": of.name, "__mro__": tuple(of.mro), "__bases__": tuple(of.bases), "__dict__": of.vars,
                   "__doc__": of.vars.get("__doc__"), "__module__": "builtins", "__class__": CLASSES["type"]}  # fmt: skip
        if name in special:
            return special[name]
        for one in of.mro:
            if one.native and f"{one.native}.{name}" in self.natives:
                return Native(f"{one.native}.{name}")
            if one.native and f"class {one.native}.{name}" in self.natives:
                return Native(f"class {one.native}.{name}")
        own = of.find("__getattr_class__")
        if own is not MISSING:
            return self.call(own, [of, name])
        return MISSING

    def _of_super(self, of: Super, name: str) -> Any:
        cls = of.of if isinstance(of.of, Class) else of.of.cls
        for one in cls.mro[cls.mro.index(of.after) + 1 :]:
            if name in one.vars:
                return self.bound(one.vars[name], of.of)
            if one.native and f"{one.native}.{name}" in self.natives:
                return Bound(Native(f"{one.native}.{name}"), of.of)
        return MISSING

    def set_attribute(self, of: Any, name: str, value: Any) -> None:
        """of.name = value."""
        if isinstance(of, Instance):
            found = of.cls.find(name)
            if type(found) is Wrapped and found.kind == "property":
                if len(found.functions) < 2 or found.functions[1] is None:
                    raise problem("AttributeError", f"property '{name}' of '{of.cls.name}' object has no setter")
                self.call(found.functions[1], [of, value])
                return
            own = of.cls.find("__setattr__")
            if type(own) is Function:
                self.call(own, [of, name, value])
                return
            self.made(64)
            of.vars[name] = value
        elif isinstance(of, (Class, Function, Module)):
            if isinstance(of, Class) and of.native and of.name in CLASSES and CLASSES[of.name] is of:
                raise problem("TypeError", f"cannot set '{name}' attribute of immutable type '{of.name}'")
            of.vars[name] = value
        elif isinstance(of, Thing) and name in of.vars and not name.startswith("_"):
            of.vars[name] = value
        else:
            raise problem("AttributeError", f"'{type_name(of)}' object has no attribute '{name}'")

    # ---- classes

    def class_of(self, value: Any) -> Class:
        """type(value)."""
        if isinstance(value, Instance):
            return value.cls
        name = type_name(value)
        found = CLASSES.get(name)
        if found is None:
            found = CLASSES["object"] if name == "object" else self.kinds.setdefault(name, Class(name, [OBJECT], {}, name))
        return found

    def bases_of(self, bases: list[Any]) -> list[Class]:
        """A new class's bases. Raises TypeError; Unknown for a built-in type that no class can come from here."""
        out: list[Class] = []
        for base in bases:
            if not isinstance(base, Class):
                raise problem("TypeError", f"{type_name(base)}() takes exactly one argument ({len(bases)} given)")
            if base.native in HELD:
                stands = self.builtins.get(f"_{base.name.capitalize()}", base)  # the library's own, while it is made
                out.append(stands)
            elif base.native not in ("object", "exception", ""):
                raise Unknown(f"a class that comes from {base.name}")
            else:
                out.append(base)
        return out or [OBJECT]

    def class_made(self, f: Frame) -> Any:
        """The class whose body has run."""
        bases, keywords = f.owner
        if any(len(base.mro) > CLASSES_DEEP for base in bases):
            raise Unknown("classes that come from each other so deep")
        variables = {name: one for name, one in f.scope.vars.items() if not name.startswith(".")}
        try:
            made = Class(f.code.name, bases, variables, next((base.native for base in bases if base.native == "exception"), "object"))
        except ValueError as error:
            raise problem("TypeError", f"{error} order (MRO) for bases {', '.join(base.name for base in bases)}") from None
        for each in variables.values():
            self._own(each, made)
        if "__eq__" in variables and "__hash__" not in variables:
            variables["__hash__"] = None
        keywords.pop("metaclass", None)
        for base in made.mro[1:]:
            hook = base.vars.get("__init_subclass__")
            if hook is not None:
                self.call(hook.functions[0] if isinstance(hook, Wrapped) else hook, [made], keywords)
                break
        return made

    def _own(self, value: Any, cls: Class) -> None:
        if isinstance(value, Function) and value.owner is None:
            value.owner = cls
        elif isinstance(value, Wrapped):
            for one in value.functions:
                self._own(one, cls)

    def class_item(self, of: Any, at: Any) -> Any:
        """list[int] and the like say nothing at run time; a class may have an item of its own (Enum)."""
        if isinstance(of, Class):
            own = of.find("__class_getitem__")
            if own is not MISSING:
                return self.call(own.functions[0] if isinstance(own, Wrapped) else own, [of, at])
            return of
        return MISSING

    def os_details(self, made: Instance, args: list[Any]) -> None:
        """OSError(2, 'text', 'file') is a FileNotFoundError with errno, strerror and filename."""
        if len(args) >= 2 and made.cls.is_a(CLASSES["OSError"]):
            made.vars.update(errno=args[0], strerror=args[1], filename=args[2] if len(args) > 2 else None, args=tuple(args[:2]))
            if made.cls is CLASSES["OSError"]:
                name = next((cls for number, cls in ERRNOS.values() if number == args[0]), "OSError")
                made.cls = CLASSES[name]

    # ---- modules

    def imported(self, f: Frame, name: str, leaf: bool) -> Any:
        """import NAME. True: the module's own body runs first."""
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            full = ".".join(parts[:depth])
            if full not in self.modules:
                source = self.sources(full)
                if source is None:
                    if depth > 1:
                        raise problem("ModuleNotFoundError", f"No module named '{name}'; '{'.'.join(parts[: depth - 1])}' is not a package")
                    raise problem("ModuleNotFoundError", f"No module named '{full}'")
                module = self.modules[full] = Module(full, {"__name__": full, "__doc__": None, **self.starters(full)})
                if source.key.startswith("lib:"):
                    module.vars["__podlab__"] = True
                else:
                    module.vars["__file__"] = source.file
                if depth > 1:
                    self.modules[".".join(parts[: depth - 1])].vars[parts[depth - 1]] = module
                self.push(Frame(source.bodies[0], Scope(module.vars), module, None, "drop"))
                f.pc -= 1
                return True
        f.stack.append(self.modules[name if leaf else parts[0]])
        return None

    def name_in_module(self, module: Module, name: str, title: str) -> Any:
        found = module.vars.get(name, MISSING)
        if found is MISSING:
            if module.vars.get("__podlab__"):
                raise Unknown(f"{title}.{name}")
            where = module.vars.get("__file__", "unknown location")
            raise problem("ImportError", f"cannot import name '{name}' from '{title}' ({where})")
        return found

    @abstractmethod
    def in_library(self, name: str) -> bool: ...

    @abstractmethod
    def starters(self, name: str) -> dict[str, Any]: ...

    def suggested(self, f: Frame, name: str) -> str:
        """CPython's guess at a name that was mistyped."""
        names = [*f.scope.vars, *f.module.vars, *self.builtins]
        near = get_close_matches(name, [one for one in names if not one.startswith(("_", "."))], 1, 0.75)
        if near:
            return f". Did you mean: '{near[0]}'?"
        known = self.facts["minor"] >= 12 and self.in_library(name)
        return f". Did you forget to import '{name}'?" if known else ""


CLASSES_DEEP = 100
HELD = ("dict", "list", "str", "int")
"""Types that a class may come from: an instance has a `_data` of the type (library/builtins.py.txt), which the type's natives are given."""
FIELDS: set[str] = set()
"""Natives that are no methods: reading the attribute calls them."""

