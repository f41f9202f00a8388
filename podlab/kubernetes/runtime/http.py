"""HTTP/1.1 messages as text: what servers and clients in containers, probes and the learner's browser exchange over sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .numerals import is_whole, saturated

REASONS = {
    100: "Continue",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Request Entity Too Large",
    418: "I'm a teapot",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


@dataclass
class Message:
    """A request or a response. Header names keep the case they came in; `get` looks without it. Sizes count UTF-8 bytes."""

    start: str  # "GET / HTTP/1.1" or "HTTP/1.1 200 OK"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str, default: str = "") -> str:
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), default)

    @property
    def method(self) -> str:
        return self.start.split(" ")[0]

    @property
    def target(self) -> str:
        words = self.start.split(" ")
        return words[1] if len(words) > 1 else "/"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def version(self) -> str:
        return self.start.rsplit(" ", 1)[-1] if " " in self.start else "HTTP/0.9"

    @property
    def status(self) -> int:
        words = self.start.split(" ")
        return int(words[1]) if len(words) > 1 and is_whole(words[1]) and len(words[1]) <= 3 else 0

    def text(self) -> str:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"{self.start}\r\n{head}\r\n{self.body}"


def size(text: str) -> int:
    """Bytes of a text on the wire."""
    return len(text.encode("utf-8", "surrogateescape"))


def request(method: str, target: str, host: str, headers: list[tuple[str, str]] | None = None, body: str = "") -> Message:
    lines = [("Host", host), *(headers or [])]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(("Content-Length", str(size(body))))
    return Message(f"{method} {target} HTTP/1.1", lines, body)


def response(status: int, body: str = "", headers: list[tuple[str, str]] | None = None, reason: str = "") -> Message:
    lines = list(headers or [])
    if status not in (204, 304) and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in lines):
        lines.append(("Content-Length", str(size(body))))
    return Message(f"HTTP/1.1 {status} {reason or REASONS.get(status, 'Unknown')}", lines, body)


def take(text: str, *, closed: bool = False, head_only: bool = False) -> tuple[Message | None, str]:
    """The first whole message of a stream and what follows it; (None, text) while more must come.

    A response without a length ends when the connection does (`closed`). `head_only`: the answer to a HEAD request.
    """
    end = text.find("\r\n\r\n")
    gap = 4
    bare = text.find("\n\n")
    if bare >= 0 and (end < 0 or bare < end):
        end, gap = bare, 2
    if end < 0:
        return None, text
    lines = text[:end].replace("\r\n", "\n").split("\n")
    headers = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in lines[1:]) if colon]
    message, rest = Message(lines[0], headers), text[end + gap :]
    if head_only or message.status in (204, 304):
        return message, rest
    if "chunked" in message.get("Transfer-Encoding").lower():
        return _take_chunks(message, rest, text)
    length = message.get("Content-Length")
    if is_whole(length):
        raw, told = rest.encode("utf-8", "surrogateescape"), saturated(length)
        if len(raw) < told:
            return (message, "") if closed and _keep(message, rest) else (None, text)
        message.body = raw[:told].decode("utf-8", "surrogateescape")
        return message, raw[told:].decode("utf-8", "surrogateescape")
    if message.status:  # a response that ends with its connection
        if not closed:
            return None, text
        message.body = rest
        return message, ""
    return message, rest


def begun(text: str) -> tuple[Message, str] | None:
    """Of an answer in chunks that is still coming: what came so far, and the head with what is left to be read; None for anything else."""
    head, gap, rest = text.partition("\r\n\r\n")
    if not gap or "\r\ntransfer-encoding: chunked" not in head.lower():
        return None
    lines = head.split("\r\n")
    message = Message(lines[0], [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])])
    raw, at, body = rest.encode("utf-8", "surrogateescape"), 0, bytearray()
    while True:
        end = raw.find(b"\r\n", at)
        count = _count(raw[at:end] if end >= 0 else raw[at:])
        if count is None:
            return None
        if end < 0 or not count or len(raw) < end + count + 4:
            message.body = body.decode("utf-8", "surrogateescape")
            return message, head + gap + raw[at:].decode("utf-8", "surrogateescape")
        body += raw[end + 2 : end + 2 + count]
        at = end + count + 4


def _count(line: bytes) -> int | None:
    """The size that stands before a chunk; None for what is none."""
    try:
        count = int(line.split(b";")[0].strip() or b"0", 16)
    except ValueError:
        return None
    return count if count >= 0 else None


def _keep(message: Message, body: str) -> bool:
    message.body = body
    return True


def _take_chunks(message: Message, rest: str, whole: str) -> tuple[Message | None, str]:
    raw, at, body = rest.encode("utf-8", "surrogateescape"), 0, bytearray()
    while True:
        end = raw.find(b"\r\n", at)
        count = _count(raw[at:end]) or 0
        if end < 0 or len(raw) < end + count + 4:
            return None, whole
        body += raw[end + 2 : end + 2 + count]
        at = end + count + 4
        if count == 0:
            message.body = body.decode("utf-8", "surrogateescape")
            return message, raw[at:].decode("utf-8", "surrogateescape")


def split_url(url: str) -> tuple[str, str, int, str]:
    """(scheme, host, port, target) of a URL; without a scheme it is http. Raises ValueError for one that is none."""
    parts = urlsplit(url if "://" in url else "http://" + url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def text_answer(body: str, status: int = 200, kind: str = "text/plain; charset=utf-8", headers: list[tuple[str, str]] | None = None) -> Message:
    """A response of a small program."""
    return response(status, body, [*(headers or []), ("Content-Type", kind)])
