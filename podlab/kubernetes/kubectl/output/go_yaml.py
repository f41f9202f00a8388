"""YAML as kubectl writes it: sigs.k8s.io/yaml, that is Go's yaml.v2 with its quoting, block scalars, folding and key order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cmp_to_key
from typing import Any

from .go_values import float_text

BEST_WIDTH = 80  # yaml_emitter: a line that has gone beyond is folded at its next space
INDENT = 2
# yaml.v2 resolve.go: words that would not be read back as text
WORDS = {"", "~", ".nan", ".NaN", ".NAN", *(sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")),
         *(form for word in ("y", "yes", "true", "on", "n", "no", "false", "off", "null")
           for form in (word, word.capitalize(), word.upper()))}
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)\Z")
BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
TIMESTAMP = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})?)?\Z")
BARE = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*\Z")  # most texts: no sign in them means anything, unless the whole is one of WORDS
# is_printable: neither a tab nor anything beyond 16 bits
UNPRINTABLE = re.compile("[^\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
BREAKS = "\n\r\x85\u2028\u2029"
ESCAPES = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e", '"': '"',
           "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P"}


def dump(value: Any) -> str:
    """A document, ending in a line end, without a `---`."""
    if isinstance(value, Mapping) and value:
        return _mapping(value, 0)
    if isinstance(value, list) and value:
        return _sequence(value, 0)
    return _leaf(value, 0, 0).lstrip(" ") + "\n"


def _mapping(value: Mapping[str, Any], indent: int) -> str:
    out, pad = [], " " * indent
    letters = all(map(str.isalpha, value))  # whose order is the usual one
    for key in sorted(value) if letters else sorted(value, key=cmp_to_key(compare_keys)):
        head = pad + _scalar(key, indent, indent, key=True) + ":"
        item = value[key]
        if isinstance(item, Mapping) and item:
            out.append(head + "\n" + _mapping(item, indent + INDENT))
        elif isinstance(item, list) and item:
            out.append(head + "\n" + _sequence(item, indent))  # a list is not indented below its key
        else:
            out.append(head + " " + _leaf(item, indent + INDENT, len(head) + 1) + "\n")
    return "".join(out)


def _sequence(value: list[Any], indent: int) -> str:
    out, pad = [], " " * indent
    for item in value:
        if isinstance(item, Mapping) and item:
            out.append(pad + "- " + _mapping(item, indent + INDENT)[indent + INDENT:])
        elif isinstance(item, list) and item:
            out.append(pad + "- " + _sequence(item, indent + INDENT)[indent + INDENT:])
        else:
            out.append(pad + "- " + _leaf(item, indent + INDENT, indent + 2) + "\n")
    return "".join(out)


def _leaf(value: Any, indent: int, column: int) -> str:
    if isinstance(value, str):
        return _scalar(value, indent, column, key=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return float_text(value)
    return "{}" if isinstance(value, Mapping) else "[]" if isinstance(value, list) else str(value)


def _is_text(text: str) -> bool:
    """Whether the bare word is read back as text (resolve.go)."""
    if text in WORDS or BASE_60.match(text):
        return False
    if text[0] in "+-.0123456789":
        plain = text.replace("_", "")
        return not (INTEGER.match(plain) or FLOAT.match(plain) or _is_timestamp(text))
    return True


def _is_timestamp(text: str) -> bool:
    found = TIMESTAMP.match(text)
    if not found:
        return False
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        datetime(year, month, day, hour, minute, second)
    except ValueError:
        return False
    return True


def _scalar(text: str, indent: int, column: int, *, key: bool) -> str:
    """A string in the style that the emitter picks; `column` is where it starts, `indent` where its further lines stand."""
    if BARE.match(text) and text not in WORDS:
        return text
    multiline = any(sign in text for sign in BREAKS)
    special = bool(UNPRINTABLE.search(text)) or bool(re.search(f" [{BREAKS}]", text))
    if "\n" in text:
        if special or text.endswith(" ") or key:
            return _double_quoted(text, indent, column, fold=not key)
        return _literal(text, indent)
    if text == "" or not _is_text(text):
        return _double_quoted(text, indent, column, fold=not key)
    if multiline or special:
        return _double_quoted(text, indent, column, fold=not key)
    if _plain_allowed(text):
        return _folded(text, indent, column) if not key else text
    quoted = text.replace("'", "''")
    return "'" + (_folded(quoted, indent, column + 1, quoted=True) if not key else quoted) + "'"


def _plain_allowed(text: str) -> bool:
    """No sign in it that means something in YAML (yaml_emitter_analyze_scalar, block context)."""
    if text.startswith(("---", "...")) or text[0] in "#,[]{}&*!|>'\"%@`" or text[0] == " " or text[-1] == " ":
        return False
    if text[0] in "?:-" and (len(text) == 1 or text[1] == " "):
        return False
    return not re.search(r":(?: |\Z)| #", text)


def _folded(text: str, indent: int, column: int, *, quoted: bool = False) -> str:
    """Broken at the first lone space beyond the best width, again and again."""
    out, spaces = [], False
    for i, sign in enumerate(text):
        if sign != " ":
            out.append(sign)
            column += 1
            spaces = False
            continue
        inside = not quoted or 0 < i < len(text) - 1
        if not spaces and column > BEST_WIDTH and inside and text[i + 1:i + 2] != " ":
            out.append("\n" + " " * indent)
            column = indent
        else:
            out.append(sign)
            column += 1
        spaces = True
    return "".join(out)


class _Escapes(dict[str, str]):
    """A sign in double quotes, itself where it needs no escape; each of 16 bits is thought about once."""

    def __missing__(self, sign: str) -> str:
        shown = sign
        if UNPRINTABLE.match(sign) or sign in BREAKS or sign in '"\\':
            code = ord(sign)
            number = f"x{code:02X}" if code <= 0xFF else f"u{code:04X}" if code <= 0xFFFF else f"U{code:08X}"
            shown = "\\" + ESCAPES.get(sign, number)
        if sign <= "\uffff":
            self[sign] = shown
        return shown


_escapes = _Escapes()


def _double_quoted(text: str, indent: int, column: int, *, fold: bool) -> str:
    if not fold or " " not in text:
        return '"' + "".join(map(_escapes.__getitem__, text)) + '"'
    out, spaces = ['"'], False
    column += 1
    for i, sign in enumerate(text):
        if sign == " " and not spaces and column > BEST_WIDTH and 0 < i < len(text) - 1:
            out.append("\n" + " " * indent + ("\\" if text[i + 1] == " " else ""))
            column = indent + (text[i + 1] == " ")
            spaces = True
            continue
        shown = _escapes[sign]
        out.append(shown)
        column += len(shown)
        spaces = sign == " "
    return "".join(out) + '"'


def _literal(text: str, indent: int) -> str:
    hint = str(INDENT) if text[0] in " " + BREAKS else ""
    chomp = "-" if text[-1] not in BREAKS else "+" if len(text) == 1 or text[-2] in BREAKS else ""
    lines = text.removesuffix("\n").split("\n")
    return f"|{hint}{chomp}\n" + "\n".join(" " * indent + line if line else "" for line in lines)


def compare_keys(left: str, right: str) -> int:
    """yaml.v2's order of keys: signs before digits... letters last, and runs of digits by their number (keyList.Less)."""
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            continue
        if a.isalpha() and b.isalpha():
            return -1 if a < b else 1
        if a.isalpha() or b.isalpha():
            return -1 if b.isalpha() else 1
        x, y = (re.split(r"\D", text[i:], maxsplit=1)[0] for text in (left, right))  # the digits from here on
        lead = "1" if "0" in (a, b) and re.search(r"[1-9]\d*\Z", left[:i]) else "0"
        keys = [(int(lead + digits), len(digits), sign) for digits, sign in ((x, a), (y, b))]
        return -1 if keys[0] < keys[1] else 1
    return len(left) - len(right)
