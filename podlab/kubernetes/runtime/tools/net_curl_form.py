"""curl -F: a form with files, multipart/form-data (curl.se/docs/manpage.html#-F, RFC 7578)."""

from __future__ import annotations

import string
from typing import NamedTuple

from ..system import Sys

TYPES = {".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml", ".txt": "text/plain",
         ".htm": "text/html", ".html": "text/html", ".pdf": "application/pdf", ".xml": "application/xml"}  # fmt: skip
"""By the file name's end, as curl has them (lib/mime.c, Curl_mime_contenttype); others are application/octet-stream."""
LETTERS = string.digits + string.ascii_letters


class Form(NamedTuple):
    body: str
    content_type: str


def form(sys: Sys, fields: list[str]) -> Form:
    """The body of `name=text`, `name=@file` (sent as a file), `name=<file` (its text), each with `;type=` and `;filename=`.

    Raises ValueError for a field without `=`, Errno for a file that cannot be read.
    """
    boundary = "-" * 24 + "".join(LETTERS[sys.random(len(LETTERS))] for _ in range(22))
    parts = "".join(f"--{boundary}\r\n{_part(sys, field)}\r\n" for field in fields)
    return Form(f"{parts}--{boundary}--\r\n", f"multipart/form-data; boundary={boundary}")


def _part(sys: Sys, field: str) -> str:
    name, equals, rest = field.partition("=")
    if not equals or not name:
        raise ValueError(field)
    content, *options = rest.split(";")
    told = dict(option.partition("=")[::2] for option in options if option.partition("=")[0] in ("type", "filename"))
    if not told:
        content = rest  # a semicolon of the text itself
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    kind = told.get("type", "")
    if content[:1] in ("@", "<"):
        path, as_file = content[1:], content[0] == "@"
        content = sys.read(0) if path == "-" else sys.read_file(path)
        base = told.get("filename") or path.rpartition("/")[2]
        if as_file:
            head += f'; filename="{_quoted(base)}"'
            kind = kind or next((one for end, one in TYPES.items() if base.lower().endswith(end)), "application/octet-stream")
    elif "filename" in told:
        head += f'; filename="{_quoted(told["filename"])}"'
    return head + (f"\r\nContent-Type: {kind}" if kind else "") + f"\r\n\r\n{content}"


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
