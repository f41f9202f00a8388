"""Backslash escapes as echo -e, printf and $'' understand them."""

from __future__ import annotations

SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "e": "\x1b",
}


def from_bytes(raw: bytes) -> str:
    """Content text of bytes; what is no UTF-8 becomes surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def backslashes(text: str, zero_octal: bool = False) -> tuple[str, bool]:
    """Text with its escapes replaced, and whether \\c ended it. `zero_octal`: octal numbers need a leading 0 (echo -e)."""
    if "\\" not in text:
        return text, False
    out = bytearray()
    i, size = 0, len(text)
    while i < size:
        char = text[i]
        if char != "\\" or i + 1 >= size:
            out += char.encode("utf-8", "surrogateescape")
            i += 1
            continue
        follow = text[i + 1]
        i += 2
        if follow == "c":
            return from_bytes(bytes(out)), True
        if follow in SIMPLE and not (zero_octal and follow in "'\""):
            out += SIMPLE[follow].encode()
        elif follow in "01234567" and (not zero_octal or follow == "0"):
            end = i if zero_octal else i - 1
            start = end
            while end < size and end - start < 3 and text[end] in "01234567":
                end += 1
            out.append(int(text[start:end] or "0", 8) & 255)
            i = end
        elif follow == "x":
            end = i
            while end < size and end - i < 2 and text[end] in "0123456789abcdefABCDEF":
                end += 1
            if end > i:
                out.append(int(text[i:end], 16))
            else:
                out += b"\\x"
            i = end
        else:
            out += ("\\" + follow).encode("utf-8", "surrogateescape")
    return from_bytes(bytes(out)), False
