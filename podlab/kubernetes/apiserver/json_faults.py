"""What Go's encoding/json says of a text that is no JSON, from where Python's decoder stops."""

from __future__ import annotations

import json

WHERE = (  # how Python's message begins -> what Go says behind `invalid character 'x' `
    ("Expecting property name", "looking for beginning of object key string"),
    ("Expecting ':'", "after object key"),
    ("Illegal trailing comma", "looking for beginning of object key string"),
    ("Extra data", "after top-level value"),
    ("Invalid control character", "in string literal"),
    ("Invalid \\", "in string escape code"),
)


def json_fault(text: str) -> str:
    """Go's error for a text that `json.loads` refuses."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        at, said = error.pos, error.msg
    except (ValueError, RecursionError):
        return "exceeded max depth"
    else:
        return ""
    while at < len(text) and text[at] in " \t\r\n" and not said.startswith("Invalid control"):
        at += 1
    if at >= len(text) or said.startswith("Unterminated"):
        return "unexpected end of JSON input"
    where = next((words for begins, words in WHERE if said.startswith(begins)), "looking for beginning of value")
    if said.startswith("Expecting ','"):
        where = "after object key:value pair" if _innermost(text[:at]) == "{" else "after array element"
    return f"invalid character {_quoted(text[at])} {where}"


def _innermost(text: str) -> str:
    """The bracket that is still open at the end of the beginning of a JSON text."""
    opened: list[str] = []
    inside = escaped = False
    for char in text:
        if inside:
            inside, escaped = escaped or char != '"', not escaped and char == "\\"
        elif char == '"':
            inside = True
        elif char in "{[":
            opened.append(char)
        elif char in "}]" and opened:
            opened.pop()
    return opened[-1] if opened else ""


def _quoted(char: str) -> str:
    return {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\t": "'\\t'", "\r": "'\\r'"}.get(char, f"'{char}'")
