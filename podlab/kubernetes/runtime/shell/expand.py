"""Word expansion: tilde, parameters, arithmetic, results of command substitutions, then field splitting and pathnames (POSIX
XCU 2.6).

Expansion itself never waits. A command substitution whose result is not known yet raises `NeedOutput`; the machine runs it, keeps
its output in the frame under the part's id, and expands the words again from the start. Arithmetic results are kept there too, so
that nothing is assigned twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..linear import compiled
from ..process import Errno
from ..program import TEXT_MAX
from . import patterns
from .arithmetic import ArithmeticFault, evaluate
from .words import Word

if TYPE_CHECKING:
    from .machine import Shell

Piece = tuple[str, bool]  # text, quoted


class NeedOutput(Exception):
    """A command substitution must run first: its block's start and its id."""

    def __init__(self, start: int, key: str) -> None:
        super().__init__(key)
        self.start, self.key = start, key


class ExpansionFault(Exception):
    """An expansion that ends the command, and a shell that is not interactive: the text after `sh: `."""


BREAK = ("", "break")
WORDS_MAX = 100_000
"""Words of one command: a real shell is bounded by its memory, a program's arguments by ARG_MAX."""
BRACES_MAX = 20_000
"""Words that braces may make: some 80 ms."""


RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?|([A-Za-z])\.\.([A-Za-z])")


def braces(word: Word) -> list[Word]:
    """bash's {a,b} and {1..3} in the unquoted literal parts of a word; each brace's alternatives within one part."""
    for index, part in enumerate(word):
        if part[0] != "lit" or part[2]:
            continue
        match = re.search(r"\{([^{}]*)\}", part[1])
        if match is None:
            continue
        inside = match[1]
        span = RANGE.fullmatch(inside)
        if span is not None and span[1] is not None:
            low, high, step = int(span[1]), int(span[2]), abs(int(span[3] or 1)) or 1
            width = max(len(span[1]), len(span[2])) if re.match(r"-?0\d", span[1]) or re.match(r"-?0\d", span[2]) else 0
            numbers = range(low, high + (1 if high >= low else -1), step if high >= low else -step)
            if len(range(0, abs(high - low) + 1, step)) > BRACES_MAX:
                raise ExpansionFault(f"brace expansion: failed to allocate memory for {len(numbers)} elements")
            choices = [f"{n:0{width}d}" for n in numbers]
        elif span is not None:
            low, high = ord(span[4]), ord(span[5])
            choices = [chr(n) for n in range(low, high + (1 if high >= low else -1), 1 if high >= low else -1)]
        elif "," in inside:
            choices = inside.split(",")
        else:
            continue
        before, after = part[1][: match.start()], part[1][match.end() :]
        more = "{" in before + after or any("{" in str(part[1]) for part in word[index + 1 :])
        found: list[Word] = []
        for choice in choices:
            made = (*word[:index], ("lit", before + choice + after, False), *word[index + 1 :])
            found += braces(made) if more else [made]
            if len(found) > BRACES_MAX:
                raise ExpansionFault(f"brace expansion: failed to allocate memory for {len(found)} elements")
        return found
    return [word]


class Expander:
    """Expands words for one shell. `results`: the frame's outputs and numbers by id."""

    def __init__(self, shell: Shell, results: dict[str, Any]) -> None:
        self.shell, self.results = shell, results

    # Whole words.
    def fields(self, words: tuple[Word | str, ...]) -> list[str]:
        """All fields of a command's words."""
        out: list[str] = []
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
        self.shell.sys.charge(2 * len(out))
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
            number = int(self.calculate(self.text(index)))
            value = next((text for at, text in held if at == (number if number >= 0 else number + len(held))), "")
            if op in ("-", ":-"):
                out.extend([(value, mark)] if value else self._argument(argument, quoted, split))
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
            return str(evaluate(text, self._variable, self.shell.put))
        except ArithmeticFault as fault:
            raise ExpansionFault(str(fault)) from None

    def _variable(self, name: str) -> str:
        value = self.shell.get(name)
        if value is None and "u" in self.shell.data["opts"]:
            raise ExpansionFault(f"{name}: parameter not set")
        return value or ""

    def _parameter(self, part: tuple[Any, ...], split: bool, out: list[Any]) -> None:
        _, name, op, argument, quoted = part
        mark = True if quoted else None if split else False
        shell = self.shell
        if name in ("@", "*") and op in ("", ":", "/", "//", "#", "##", "%", "%%"):
            self._positionals(name, op, argument, quoted, split, out)
            return
        value = shell.special(name)
        if op == "len":
            out.append((str(len(shell.data["args"]) if name in ("@", "*") else len(self._needed(name, value))), mark))
            return
        if op in ("", "#", "##", "%", "%%", "/", "//", ":"):
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
                raise ExpansionFault(
                    f"{name}: {self.text(argument) or ('parameter not set' if op == '?' else 'parameter not set or null')}"
                )
            out.append((value, mark))

    def _argument(self, word: Word, quoted: bool, split: bool) -> list[Any]:
        pieces = self._pieces(word, split)
        if quoted:
            return [(text, mark if isinstance(mark, str) else True) for text, mark in pieces] or [("", True)]
        return [(text, None) if split and mark is False else (text, mark) for text, mark in pieces]

    def _needed(self, name: str, value: str | None) -> str:
        if value is None:
            if "u" in self.shell.data["opts"] and name not in ("@", "*"):
                raise ExpansionFault(f"{name}: parameter not set")
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
        if op in ("/", "//"):
            pattern, replacement = argument
            source = self.pattern(pattern)
            if not source:
                return value
            new = self.text(replacement)
            if len(value) * len(new) > TEXT_MAX and value.count(source) * len(new) > TEXT_MAX:
                raise ExpansionFault("out of memory")
            return compiled(patterns.to_regex(source)).sub(lambda _: new, value, 0 if op == "//" else 1)[0]
        offset_word, count_word = argument
        offset = int(self.calculate(self.text(offset_word)))
        if offset < 0:
            offset = max(0, len(value) + offset)
        if count_word is None:
            return value[offset:]
        count = int(self.calculate(self.text(count_word)))
        return value[offset : offset + count] if count >= 0 else value[offset : len(value) + count]

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
                field = _split_text(text, ifs, field, fields)
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
            for base in found:
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
                for name in names:
                    if (name[0] != "." or part.startswith(".")) and patterns.matches(part, name):
                        step.append(base + name)
            found = step if last else [path + "/" for path in step if (vnode := sys.find(path)) is not None and vnode.is_dir]
        if pattern.endswith("/"):
            found = [path + "/" for path in found if (vnode := sys.find(path)) is not None and vnode.is_dir]
        return sorted(found)


def _split_text(text: str, ifs: str, field: list[Piece] | None, fields: list[list[Piece]]) -> list[Piece] | None:
    """Splits an expansion's result, going on with `field`; gives the field that is still open."""
    if not ifs:
        return [*(field or []), (text, False)] if text or field is not None else None
    blanks = "".join(char for char in ifs if char in " \t\n")
    i, size = 0, len(text)
    if blanks == ifs and not any(char in text for char in ifs):
        return [*(field or []), (text, False)] if text else field
    while i < size:
        if text[i] in blanks:
            while i < size and text[i] in blanks:
                i += 1
            if field is not None:
                if i < size and text[i] in ifs:
                    i += 1
                    while i < size and text[i] in blanks:
                        i += 1
                fields.append(field)
                field = None
        elif text[i] in ifs:
            fields.append(field or [])
            field = None
            i += 1
            while i < size and text[i] in blanks:
                i += 1
        else:
            end = i
            while end < size and text[end] not in ifs:
                end += 1
            field = [*(field or []), (text[i:end], False)]
            i = end
    return field
