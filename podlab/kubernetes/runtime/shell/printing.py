"""echo and printf: the texts they make, for the shell's builtins and for /bin/echo and /bin/printf."""

from __future__ import annotations

import re

from ..numerals import saturated
from ..program import TEXT_MAX
from .escapes import backslashes

SPEC = re.compile(r"%([-+ #0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]+)?)?(?:hh|h|ll|l|L|j|z|t)?(.)", re.S)


def echo_text(words: list[str], always: bool = False) -> str:
    """What echo prints. -n no newline, -e escapes, -E none; `always`: escapes without -e (dash)."""
    newline, escapes = True, always
    index = 0
    while index < len(words) and re.fullmatch("-n+" if always else "-[neE]+", words[index]):
        for letter in words[index][1:]:
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
        index += 1
    text = " ".join(words[index:])
    if escapes:
        text, stop = backslashes(text, zero_octal=True)
        if stop:
            return text
    return text + "\n" if newline else text


def _integer(text: str, errors: list[str]) -> int:
    if not text:
        return 0
    if text[0] in "'\"":
        return ord(text[1]) if len(text) > 1 else 0
    match = re.match(r"\s*[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+)", text)
    if match is None or match.end() != len(text):
        errors.append(f"invalid number '{text}'")
    if match is None:
        return 0
    digits = match[0].strip()
    sign = -1 if digits[0] == "-" else 1
    digits = digits.lstrip("+-")
    if digits[:2] in ("0x", "0X"):
        return sign * int(digits, 16)
    if len(digits) > 1 and digits[0] == "0":
        return sign * int("".join(d for d in digits if d in "01234567") or "0", 8)
    return saturated(match[0].strip())


def printf_text(form: str, args: list[str]) -> tuple[str, list[str]]:
    """What printf prints, and its complaints. The format is used again while arguments are left."""
    out: list[str] = []
    errors: list[str] = []
    queue = list(args)
    while True:
        before = len(queue)
        position = 0
        while position < len(form):
            char = form[position]
            if char == "\\":
                end = position + 1
                while end < len(form) and form[end] != "%":
                    end += 1
                text, stop = backslashes(form[position:end])
                position = end
            elif char != "%":
                text, stop = char, False
                position += 1
            elif form.startswith("%%", position):
                text, stop = "%", False
                position += 2
            else:
                match = SPEC.match(form, position)
                if match is None:
                    errors.append(f"{form[position:]}: invalid format")
                    return "".join(out), errors
                text, stop = _converted(match, queue, errors)
                position = match.end()
            out.append(text)
            if stop:
                return "".join(out), errors
        if not queue or len(queue) == before:
            return "".join(out), errors


def _converted(match: re.Match[str], queue: list[str], errors: list[str]) -> tuple[str, bool]:
    """(what a conversion makes of the arguments that it takes from the queue, does printf end here?)"""
    flags, width, precision, kind = match.groups()
    if width == "*":
        width = str(_integer(queue.pop(0) if queue else "", errors))
    if precision == "*":
        precision = str(_integer(queue.pop(0) if queue else "", errors))
    arg = queue.pop(0) if queue else ""
    if max(abs(saturated(width or "0")), abs(saturated(precision or "0"))) > TEXT_MAX:
        errors.append("out of memory")
        return "", True
    spec = "%" + flags + (width or "") + (f".{precision or 0}" if "." in match[0] else "")
    if kind in "di":
        return (spec + "d") % _integer(arg, errors), False
    if kind in "ouxX":
        number = _integer(arg, errors)
        text = (spec + kind.replace("u", "d")) % (number if number >= 0 else number + (1 << 64))
        return text.replace("0o", "0") if kind == "o" else text, False
    if kind in "feEgGaF":
        try:
            value = float(arg or "0")
        except ValueError:
            errors.append(f"invalid number '{arg}'")
            value = 0.0
        return (spec + kind) % value, False
    if kind == "c":
        return (spec.split(".")[0] + "s") % arg[:1], False
    if kind == "s":
        # widths count bytes, as in C
        raw = (spec + "s") % arg.encode("utf-8", "surrogateescape").decode("latin-1")
        return raw.encode("latin-1").decode("utf-8", "surrogateescape"), False
    if kind == "q":
        return (spec + "s") % (re.sub(r"([^\w@%+=:,./-])", r"\\\1", arg) or "''"), False
    if kind == "b":
        text, stop = backslashes(arg, zero_octal=False)
        return (spec + "s") % text, stop
    errors.append(f"{match[0]}: invalid format")
    return "", True
