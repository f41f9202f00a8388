"""Field splitting: an expansion's result by IFS (POSIX XCU 2.6.5)."""

from __future__ import annotations

Piece = tuple[str, bool]
"""Text, quoted."""


def split_text(text: str, ifs: str, field: list[Piece] | None, fields: list[list[Piece]]) -> list[Piece] | None:
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
