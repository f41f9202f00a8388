"""re: regular expressions through the bounded engine of linear.py, so that no pattern holds the simulator."""

from __future__ import annotations

import re
from typing import Any

from ...linear import Regex, compiled
from ...regex_match import Match
from .classes import problem
from .machine import Machine
from .natives import native
from .operators import LONG
from .values import Huge, Instance, Raised, Thing, Unknown, type_name

FLAGS = {2: re.I, 8: re.M, 16: re.S, 64: re.X, 256: re.A, 32: re.U}


def _regex(m: Machine, pattern: Any, flags: int = 0) -> Regex:
    if type(pattern) is Thing and pattern.kind == "re.Pattern":
        return _regex(m, pattern.vars["pattern"], pattern.vars["flags"])
    if type(pattern) is not str:
        raise Unknown(f"a pattern of {type_name(pattern)}")
    wanted = 0
    for number, flag in FLAGS.items():
        if flags & number:
            wanted |= flag
    try:
        return compiled(pattern, int(wanted))
    except re.error as error:
        raise Raised(Instance(m.modules["re"].vars["error"], {"args": (str(error),)})) from None


def _names(pattern: str) -> dict[str, int]:
    """The groups' names and numbers."""
    found, number = {}, 0
    for one in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?P<(\w+)>", pattern, re.DOTALL):
        if one[0].startswith("("):
            number += 1
            if one[1]:
                found[one[1]] = number
    return found


def _match(m: Machine, regex: Regex, text: str, found: Match | None) -> Any:
    m.spend(len(text) >> 6)
    if found is None:
        return None
    spans = [[found.start(n), found.end(n)] for n in range(regex.groups + 1)]
    return Thing("re.Match", {"string": text, "_spans": spans, "_pattern": regex.pattern})


def _text(text: Any) -> str:
    if type(text) is Huge:
        raise problem("MemoryError")
    if type(text) is not str:
        raise problem("TypeError", f"expected string or bytes-like object, got '{type_name(text)}'")
    return text


@native("re.compile")
def _compile(m: Machine, pattern: Any, flags: int = 0) -> Thing:
    if type(pattern) is Thing:
        return pattern
    _regex(m, pattern, flags)
    return Thing("re.Pattern", {"pattern": pattern, "flags": flags})


@native("re.match")
def _re_match(m: Machine, pattern: Any, text: Any, flags: int = 0) -> Any:
    regex = _regex(m, pattern, flags)
    return _match(m, regex, _text(text), regex.match(_text(text)))


@native("re.search")
def _re_search(m: Machine, pattern: Any, text: Any, flags: int = 0) -> Any:
    regex = _regex(m, pattern, flags)
    return _match(m, regex, _text(text), regex.search(_text(text)))


@native("re.fullmatch")
def _re_fullmatch(m: Machine, pattern: Any, text: Any, flags: int = 0) -> Any:
    regex = _regex(m, pattern, flags)
    return _match(m, regex, _text(text), regex.fullmatch(_text(text)))


@native("re.finditer")
def _finditer(m: Machine, pattern: Any, text: Any, flags: int = 0) -> Any:
    regex = _regex(m, pattern, flags)
    found = []
    for one in regex.finditer(_text(text)):
        m.spend(2)
        m.made(200)
        found.append(_match(m, regex, text, one))
    return m.iterator(found)


@native("re.findall")
def _findall(m: Machine, pattern: Any, text: Any, flags: int = 0) -> list[Any]:
    regex = _regex(m, pattern, flags)
    found: list[Any] = []
    for one in regex.finditer(_text(text)):
        m.spend(2)
        m.made(100)
        groups = tuple("" if group is None else group for group in one.groups())
        found.append(one[0] if not groups else groups[0] if len(groups) == 1 else groups)
    return found


@native("re.split")
def _split(m: Machine, pattern: Any, text: Any, maxsplit: int = 0, flags: int = 0) -> list[Any]:
    regex = _regex(m, pattern, flags)
    out: list[Any] = []
    at = 0
    for count, one in enumerate(regex.finditer(_text(text))):
        if maxsplit and count >= maxsplit:
            break
        out += [text[at : one.start()], *one.groups()]
        at = one.end()
    m.made(60 * len(out))
    return [*out, text[at:]]


@native("re.sub")
def _sub(m: Machine, pattern: Any, to: Any, text: Any, count: int = 0, flags: int = 0) -> str:
    return str(_subn(m, pattern, to, text, count, flags)[0])


@native("re.subn")
def _subn(m: Machine, pattern: Any, to: Any, text: Any, count: int = 0, flags: int = 0) -> Any:
    regex = _regex(m, pattern, flags)
    names = _names(regex.pattern)
    size = [0]

    def replace(found: Match) -> str:
        m.spend(2)
        if type(to) is str:
            made = re.sub(r"\\(?:g<(\w+)>|(\d{1,2})|([nt\\]))", lambda one: {"n": "\n", "t": "\t", "\\": "\\"}[one[3]] if one[3] else
                          (found[names[one[1]] if one[1] in names else int(one[1] or one[2])] or ""), to)  # fmt: skip
        else:
            made = m.str(m.call(to, [_match(m, regex, text, found)]))
        size[0] += len(made)
        if size[0] > LONG:
            raise m.full()
        return str(made)

    made, times = regex.sub(replace, _text(text), count)
    m.made(len(made))
    return (made, times)


@native("re.escape")
def _escape(m: Machine, text: str) -> str:
    return re.escape(text)


for _name in ("match", "search", "fullmatch", "findall", "finditer", "split", "sub", "subn"):
    native(f"re.Pattern.{_name}")({"match": _re_match, "search": _re_search, "fullmatch": _re_fullmatch, "findall": _findall, "finditer": _finditer,
                                   "split": _split, "sub": _sub, "subn": _subn}[_name])  # fmt: skip


# ---- matches


def _span(match: Thing, group: Any) -> list[int]:
    if type(group) is str:
        names = _names(match.vars["_pattern"])
        if group not in names:
            raise problem("IndexError", "no such group")
        group = names[group]
    if not 0 <= group < len(match.vars["_spans"]):
        raise problem("IndexError", "no such group")
    found: list[int] = match.vars["_spans"][group]
    return found


def _group(match: Thing, group: Any) -> Any:
    begin, end = _span(match, group)
    return None if begin < 0 else match.vars["string"][begin:end]


@native("re.Match.group")
def _groups_of(m: Machine, match: Thing, *groups: Any) -> Any:
    found = tuple(_group(match, one) for one in groups or (0,))
    return found[0] if len(found) == 1 else found


@native("re.Match.__getitem__")
def _item(m: Machine, match: Thing, group: Any) -> Any:
    return _group(match, group)


@native("re.Match.groups")
def _groups(m: Machine, match: Thing, default: Any = None) -> Any:
    found = [_group(match, n) for n in range(1, len(match.vars["_spans"]))]
    return tuple(default if one is None else one for one in found)


@native("re.Match.groupdict")
def _groupdict(m: Machine, match: Thing) -> Any:
    return {name: _group(match, number) for name, number in _names(match.vars["_pattern"]).items()}


@native("re.Match.start")
def _start(m: Machine, match: Thing, group: Any = 0) -> int:
    return _span(match, group)[0]


@native("re.Match.end")
def _end(m: Machine, match: Thing, group: Any = 0) -> int:
    return _span(match, group)[1]


@native("re.Match.span")
def _both(m: Machine, match: Thing, group: Any = 0) -> Any:
    return tuple(_span(match, group))


@native("re.Match.__repr__")
def _repr(m: Machine, match: Thing) -> str:
    begin, end = match.vars["_spans"][0]
    return f"<re.Match object; span=({begin}, {end}), match={m.repr(_group(match, 0))}>"
