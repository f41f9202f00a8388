"""One request of the API as HTTP brings it, and JSON as its answers carry it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote

from ..errors import ApiError, PageNotFound, bad_request
from ..warnings import within_bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .clocks import Clock

BODY_MAX = 3 * 1024 * 1024  # bytes (MaxRequestBodyBytes)
QUERY_MAX, FIELDS_MAX = 100_000, 2_500  # characters, parameters: each word of a command for exec is one
METADATA = ("name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
            "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields")  # meta/v1/types.go
READING = ("get", "list", "watch")
PRETTY = ("curl", "Wget", "Mozilla/5.0")  # user agents of people (isPrettyPrint, endpoints/handlers/negotiation/negotiate.go)


@dataclass
class Call:
    """One request as it came: `path` is what follows the server's base, in decoded segments; `query` keeps every value of a name."""

    method: str
    path: list[str]
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    base: str = ""  # what stands before `path`: /k8s/<token>, nothing inside the cluster
    slash: bool = False  # whether the path ends with one
    warnings: list[str] = field(default_factory=list)

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def flag(self, name: str) -> bool:
        """A boolean of the query: whatever does not say no says yes (apimachinery, Convert_Slice_string_To_bool)."""
        return name in self.query and self.one(name).lower() not in ("false", "0")

    def number(self, name: str) -> int | None:
        """An integer of the query. Raises ApiError 400."""
        text = self.one(name)
        if not text:
            return None
        try:
            value = int(text)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
        if not -(2**63) <= value < 2**63:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
        return value

    @property
    def pretty(self) -> bool:
        """Whether a person reads the answer. An empty word says nothing, and one that is no boolean (strconv.ParseBool) no."""
        asked = self.one("pretty")
        return asked in ("1", "t", "T", "true", "TRUE", "True") if asked else self.headers.get("user-agent", "").startswith(PRETTY)

    @property
    def of_server(self) -> bool:
        """Whether this is about the server and not about a cluster's objects."""
        return self.path[:1] not in (["api"], ["apis"]) or len(self.path) < (3 if self.path[0] == "api" else 4)


@dataclass
class Answer:
    """One whole answer. `headers` besides the content's type, in lower case; they take the place of the usual ones."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)


def refusal(call: Call, error: ApiError) -> Answer:
    """What a client reads of an error."""
    if isinstance(error, PageNotFound):
        return Answer(404, f"{PageNotFound.TEXT}\n".encode(), "text/plain; charset=utf-8")
    return Answer(error.code, dumps(error.status(), pretty=call.pretty))


class Desk(Protocol):
    """What a server of the API brings along: the clock of its clients, lists that are read in pieces, and its way to write."""

    def clock(self) -> Clock:
        """The clients' clock, looked at just now."""

    def submit(self, entry: dict[str, Any]) -> Any:
        """Do {"do": "request", ...members of a Request}. Raises ApiError."""

    def keep(self, key: Any, objects: list[Any]) -> None:
        """A list that a client reads in pieces."""

    def kept(self, key: Any) -> list[Any] | None: ...


def check_length(size: int) -> None:
    """Raises ApiError 413 for a body of so many bytes that nothing of it is read."""
    if size > BODY_MAX:
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {BODY_MAX}")


def segments(path: str) -> list[str]:
    return [unquote(part) for part in path.split("/") if part]


def read_query(text: str) -> dict[str, list[str]]:
    """Raises ApiError for one that cannot be read."""
    if len(text) > QUERY_MAX:
        raise ApiError(414, "RequestURITooLong", "the request's address is too long")
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise bad_request("the query has too many parameters") from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def read_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By lower-case name; what comes several times is one, with commas between."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def warning_values(warnings: list[str]) -> list[str]:
    """RFC 7234 warnings, as the API server writes them: code 299, no agent, the text quoted."""
    texts = within_bounds(warnings)
    shown = ("".join(c if c.isprintable() else " " for c in text) for text in texts)
    return ['299 - "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in shown]


def _as_go(value: Any) -> Any:
    """An object with its fields in the order of the Go types, as far as people look at it; a list with each of its items so."""
    if not isinstance(value, Mapping):
        return value
    found = {name: value[name] for name in ("kind", "apiVersion", "metadata") if name in value} | dict(value)
    if isinstance(found.get("metadata"), Mapping):
        metadata = dict(found["metadata"])
        found["metadata"] = {name: metadata[name] for name in METADATA if name in metadata} | metadata
    if isinstance(found.get("items"), (list, tuple)):
        found["items"] = [_as_go(one) for one in found["items"]]
    return found


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """JSON as the API server's serializer writes it: compact with a newline at the end, indented without one for people."""
    layout: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    text = json.dumps(_as_go(value) if pretty else value, ensure_ascii=False, allow_nan=False, **layout)
    return (text if pretty else text + "\n").encode("utf-8", "replace")


def pieces(head: dict[str, Any], name: str, members: Iterable[Any], *, pretty: bool = False) -> Iterator[bytes]:
    """The same text of `head` with one member more, the list `name`: a piece for each of its members, of which there is one at least."""
    last = dumps({**head, name: ["@"]}, pretty=pretty)
    first, _, rest = last.rpartition(b'"@"')
    between = b",\n    " if pretty else b","
    for number, member in enumerate(members):
        text = dumps(member, pretty=pretty)
        yield (between if number else first) + (text.replace(b"\n", b"\n    ") if pretty else text[:-1])
    yield rest
