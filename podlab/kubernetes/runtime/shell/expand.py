"""Word expansion: tilde, parameters, arithmetic, results of command substitutions, then field splitting and pathnames (POSIX
XCU 2.6).

Expansion itself never waits. A command substitution whose result is not known yet raises `NeedOutput`; the machine runs it, keeps
its output in the frame under the part's id, and expands the words again from the start. Arithmetic results are kept there too, so
that nothing is assigned twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..linear import compiled
from ..process import Errno
from ..program import TEXT_MAX
from . import patterns
from .arithmetic import ArithmeticFault, evaluate
from .braces import braces
from .faults import ExpansionFault, UnsetFault
from .splitting import Piece, split_text
from .words import Word

if TYPE_CHECKING:
    from .machine import Shell



class NeedOutput(Exception):
    """A command substitution must run first: its block's start and its id."""

    def __init__(self, start: int, key: str) -> None:
        super().__init__(key)
        self.start, self.key = start, key


class NeedProcess(NeedOutput):
    """A process substitution's child must begin first: `sign` is "<" when its output is read."""

    def __init__(self, start: int, key: str, sign: str) -> None:
        super().__init__(start, key)
        self.sign = sign


BREAK = ("", "break")
CHANGES = frozenset({"#", "##", "%", "%%", "/", "//", "/#", "/%", "^^", ",,", "^", ",", "@Q", "@U", "@u", "@L", "@P", "@E", "@A"})
"""Operators of ${ } that make another text of a value."""
WORDS_MAX = 100_000
"""Words of one command: a real shell is bounded by its memory, a program's arguments by ARG_MAX."""
LOOKS_MAX = 20_000
"""Files that the patterns of one command may look at, each some 20 us."""


class Expander:
    """Expands words for one shell. `results`: the frame's outputs and numbers by id."""

    def __init__(self, shell: Shell, results: dict[str, Any]) -> None:
        self.shell, self.results = shell, results
        self.looks = 0

    # Whole words.
    def fields(self, words: tuple[Word | str, ...]) -> list[str]:
        """All fields of a command's words."""
        out: list[str] = []
        self.looks = 0
        for word in words:
            if isinstance(word, str):
                out.append(word)
            elif word and word[0][0] == "nosplit":
                out.append(self.text(word[0][1]))
            else:
                for one in braces(word) if self.shell.data["flavor"] == "bash" else [word]:
                    for field in self._split(one):
                        self._pathnames(field, out)
            if len(out) > WORDS_MAX:
                raise ExpansionFault("out of memory")
        self.shell.sys.charge(2 * len(out) + 20 * self.looks)
        return out

    def text(self, word: Word | str) -> str:
        """One string, without splitting or pathnames (assignments, redirections, case words, here-documents)."""
        if isinstance(word, str):
            return word
        text = "".join(text for text, _ in self._pieces(word, False))
        if len(text) > TEXT_MAX:
            raise ExpansionFault("out of memory")
        return text

    def pattern(self, word: Word | str) -> str:
        """A pattern in which what was quoted is preceded by backslashes."""
        if isinstance(word, str):
            return word
        return "".join(patterns.quote(text) if quoted else text for text, quoted in self._pieces(word, False))

    # Pieces.
    def _pieces(self, word: Word, split: bool) -> list[Any]:
        """(text, quoted) of a word; with `split`, also (text, None) for text to be split into fields and BREAK between "$@"'s."""
        out: list[Any] = []
        for part in word:
            kind = part[0]
            if kind == "lit":
                out.append((part[1], part[2]))
            elif kind == "tilde":
                home = self.shell.get("HOME") if not part[1] else {"root": "/root"}.get(part[1])
                out.append((home if home is not None else "~" + part[1], True))
            elif kind == "cmd":
                _, ref, key, quoted = part
                if key not in self.results:
                    raise NeedOutput(ref[0], key)
                out.append((self.results[key], True if quoted else None if split else False))
            elif kind == "psub":
                if part[2] not in self.results:
                    raise NeedProcess(part[1][0], part[2], part[3])
                out.append((self.results[part[2]], True))
            elif kind == "arith":
                out.append((self._arithmetic(part), True if part[3] else None if split else False))
            elif kind == "elem":
                self._element(part, split, out)
            else:
                self._parameter(part, split, out)
        return out

    def _element(self, part: tuple[Any, ...], split: bool, out: list[Any]) -> None:
        """${array[index]}, ${array[@]}, ${#array[@]}, ${!array[@]} and their operations."""
        _, name, index, op, argument, quoted = part
        mark = True if quoted else None if split else False
        held = self.shell.elements(name)
        if not isinstance(index, str):
            value = self.shell.element(name, self.key(name, index))
            if op in ("-", ":-"):
                out.extend([(value, mark)] if value else self._argument(argument, quoted, split))
            elif op in ("+", ":+"):
                out.extend(self._argument(argument, quoted, split) if value else [])
            else:
                out.append((str(len(value)) if op == "len" else self._transform(value, op, argument), mark))
        elif op == "len":
            out.append((str(len(held)), mark))
        else:
            values = [str(at) for at, _ in held] if op == "keys" else [text for _, text in held]
            self._list(index, values, "" if op == "keys" else op, argument, quoted, split, out)

    def _arithmetic(self, part: tuple[Any, ...]) -> str:
        _, word, key, _ = part
        if key not in self.results:
            self.results[key] = self.calculate(self.text(word))
        return str(self.results[key])

    def calculate(self, text: str) -> str:
        """An arithmetic expression's value as text."""
        try:
            return str(evaluate(text, self._variable, self.store))
        except ArithmeticFault as fault:
            if str(fault) == "divide by zero" and self.shell.data["flavor"] == "bash":
                token = text.replace("%", "/").rpartition("/")[2].strip()
                raise ExpansionFault(f'{text.strip()}: division by 0 (error token is "{token}")') from None
            raise ExpansionFault(str(fault)) from None

    def key(self, name: str, index: Word | str) -> str:
        """The key that an index means: itself in an associative array, else the number that it comes to."""
        text = self.text(index)
        return text if name in self.shell.data.get("assoc", ()) else self.calculate(text)

    def store(self, name: str, value: str) -> None:
        """Sets a variable or name[index]."""
        array, bracket, index = name.partition("[")
        if bracket:
            self.shell.put_element(array, self.key(array, index[:-1]), value)
        else:
            self.shell.put(name, value)

    def _variable(self, name: str) -> str:
        array, bracket, index = name.partition("[")
        if bracket and self.shell.data["flavor"] != "bash":
            raise ArithmeticFault("arithmetic syntax error")
        value = self.shell.element(array, self.key(array, index[:-1])) if bracket else self.shell.get(name)
        if value is None and "u" in self.shell.data["opts"]:
            raise self._unset(name)
        return value or ""

    def _parameter(self, part: tuple[Any, ...], split: bool, out: list[Any]) -> None:
        _, name, op, argument, quoted = part
        mark = True if quoted else None if split else False
        shell = self.shell
        if name in ("@", "*") and (op in ("", ":") or op in CHANGES):
            self._positionals(name, op, argument, quoted, split, out)
            return
        if op == "names":
            self._list("*", sorted(one for one in shell.data["vars"] if one.startswith(name) and "[" not in one), "", None, quoted, split, out)
            return
        value = shell.special(name)
        if op == "len":
            out.append((str(len(shell.data["args"]) if name in ("@", "*") else len(self._needed(name, value))), mark))
            return
        if op in ("", ":") or op in CHANGES:
            value = self._needed(name, value)
            out.append((self._transform(value, op, argument), mark))
            return
        unset = value is None or (op[0] == ":" and value == "")
        if op in ("-", ":-"):
            if unset:
                out.extend(self._argument(argument, quoted, split))
            else:
                self._positionals(name, "", None, quoted, split, out) if name in ("@", "*") else out.append((value, mark))
        elif op in ("+", ":+"):
            if not unset:
                out.extend(self._argument(argument, quoted, split))
        elif op in ("=", ":="):
            if unset:
                value = self.text(argument)
                if not (name[0].isalpha() or name[0] == "_"):
                    raise ExpansionFault(f"{name}: bad variable name")
                shell.put(name, value)
            out.append((value, mark))
        elif op in ("?", ":?"):
            if unset:
                raise UnsetFault(
                    f"{name}: {self.text(argument) or ('parameter not set' if op == '?' else 'parameter not set or null')}"
                )
            out.append((value, mark))

    def _argument(self, word: Word, quoted: bool, split: bool) -> list[Any]:
        pieces = self._pieces(word, split)
        if quoted:
            return [(text, mark if isinstance(mark, str) else True) for text, mark in pieces] or [("", True)]
        return [(text, None) if split and mark is False else (text, mark) for text, mark in pieces]

    def _unset(self, name: str) -> UnsetFault:
        return UnsetFault(f"{name}: {'unbound variable' if self.shell.data['flavor'] == 'bash' else 'parameter not set'}")

    def _needed(self, name: str, value: str | None) -> str:
        if value is None:
            if "u" in self.shell.data["opts"] and name not in ("@", "*"):
                raise self._unset(name)
            return ""
        return value

    def _transform(self, value: str, op: str, argument: Any) -> str:
        if op == "":
            return value
        if op in ("#", "##"):
            match = compiled(patterns.to_regex(self.pattern(argument), op == "#")).match(value)
            return value[match.end() :] if match else value
        if op in ("%", "%%"):
            before = "(?s:(.*))" if op == "%" else "(?s:(.*?))"  # the shortest end leaves the most before it
            match = compiled(rf"{before}(?:{patterns.to_regex(self.pattern(argument))})\Z").match(value)
            return value[: match.end(1)] if match else value
        if op[0] in "^,":
            return self._cased(value, op, self.pattern(argument))
        if op[0] == "@":
            if op[1] == "Q":
                return "'" + value.replace("'", "'\\''") + "'"
            return value.upper() if op[1] == "U" else value.lower() if op[1] == "L" else value[:1].upper() + value[1:] if op[1] == "u" else value
        if op[0] == "/":
            pattern, replacement = argument
            source = self.pattern(pattern)
            if not source and op in ("/", "//"):
                return value
            new = self.text(replacement)
            if len(value) * len(new) > TEXT_MAX and value.count(source) * len(new) > TEXT_MAX:
                raise ExpansionFault("out of memory")
            if op in ("/#", "/%"):  # only at the beginning, or at the end
                ends = rf"(?:{patterns.to_regex(source)})\Z" if op == "/%" else rf"\A(?:{patterns.to_regex(source)})"
                return compiled(ends).sub(lambda _: new, value, 1)[0]
            return compiled(patterns.to_regex(source)).sub(lambda _: new, value, 0 if op == "//" else 1)[0]
        offset_word, count_word = argument
        offset = int(self.calculate(self.text(offset_word)))
        if offset < 0:
            offset = max(0, len(value) + offset)
        if count_word is None:
            return value[offset:]
        count = int(self.calculate(self.text(count_word)))
        return value[offset : offset + count] if count >= 0 else value[offset : len(value) + count]

    def _cased(self, value: str, op: str, pattern: str) -> str:
        """${name^^pattern}: capitals, or with a comma small letters, of the first letter or of all."""
        change = str.upper if op[0] == "^" else str.lower
        letters = value if len(op) == 2 else value[:1]
        return "".join(change(one) if not pattern or patterns.matches(pattern, one) else one for one in letters) + value[len(letters) :]

    def _positionals(self, name: str, op: str, argument: Any, quoted: bool, split: bool, out: list[Any]) -> None:
        args = list(self.shell.data["args"])
        if op == ":":
            offset = int(self.calculate(self.text(argument[0])))
            count = None if argument[1] is None else int(self.calculate(self.text(argument[1])))
            everything = [self.shell.data["name"], *args]
            args = everything[offset:] if count is None else everything[offset : offset + count]
            op = ""
        self._list(name, args, op, argument, quoted, split, out)

    def _list(self, name: str, args: list[str], op: str, argument: Any, quoted: bool, split: bool, out: list[Any]) -> None:
        """The words of $@, $* or an array's; `name` is the sign."""
        if op == ":":
            offset = int(self.calculate(self.text(argument[0])))
            count = None if argument[1] is None else int(self.calculate(self.text(argument[1])))
            args = args[offset:] if count is None else args[offset : offset + count]
        elif op:
            args = [self._transform(arg, op, argument) for arg in args]
        if (name == "*" and quoted) or not split:
            ifs = self.shell.get("IFS")
            joint = " " if ifs is None or name == "@" else ifs[:1]
            out.append((joint.join(args), quoted))
            return
        if not args:
            out.append(("", "none"))
        for index, arg in enumerate(args):
            if index:
                out.append(BREAK if quoted else ("", "split"))
            out.append((arg, True if quoted else None))

    # Fields.
    def _split(self, word: Word) -> list[list[Piece]]:
        pieces = self._pieces(word, True)
        ifs = self.shell.get("IFS")
        if ifs is None:
            ifs = " \t\n"
        fields: list[list[Piece]] = []
        field: list[Piece] | None = None
        only_empty_at = False
        for text, quoted in pieces:
            if quoted == "none":
                only_empty_at = True
            elif quoted == "split":
                if field is not None:
                    fields.append(field)
                field = None
            elif quoted == "break":
                fields.append(field or [])
                field = []
            elif quoted is None:
                field = split_text(text, ifs, field, fields)
            elif quoted or text:
                field = [*(field or []), (text, bool(quoted))]
        if field is not None and not (only_empty_at and all(not text for text, _ in field)):
            fields.append(field)
        return fields

    def _pathnames(self, field: list[Piece], out: list[str]) -> None:
        plain = "".join(text for text, _ in field)
        if "f" not in self.shell.data["opts"] and any(
            not quoted and ("*" in text or "?" in text or "[" in text) for text, quoted in field
        ):
            found = self._glob("".join(patterns.quote(text) if quoted else text for text, quoted in field))
            if found:
                out.extend(found)
                return
        out.append(plain)

    def _glob(self, pattern: str) -> list[str]:
        absolute = pattern.startswith("/")
        parts = [part for part in pattern.split("/") if part]
        found = ["/" if absolute else ""]
        sys = self.shell.sys
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            step: list[str] = []
            self.looks += len(found)
            for base in found:
                if self.looks > LOOKS_MAX:
                    raise ExpansionFault("out of memory")
                if not patterns.has_magic(part):
                    path = base + patterns.unquote(part)
                    if sys.find(path, follow=not last) is not None:
                        step.append(path)
                    continue
                try:
                    names = sys.listdir(base or ".")
                except Errno:
                    continue
                if part.startswith("."):
                    names = [".", "..", *names]
                self.looks += len(names)
                for name in names:
                    if (name[0] != "." or part.startswith(".")) and patterns.matches(part, name):
                        step.append(base + name)
            found = step if last else [path + "/" for path in step if (vnode := sys.find(path)) is not None and vnode.is_dir]
        if pattern.endswith("/"):
            found = [path + "/" for path in found if (vnode := sys.find(path)) is not None and vnode.is_dir]
        return sorted(found)
