"""Envoy's own log and its access log: command operators put in place of what a request was.

Source: the page on access logging of Envoy's documentation (configuration/observability/access_log/usage).
"""

from __future__ import annotations

import json
import re
from typing import Any

from ...times import stamp
from ..process import Data, Process
from ..system import Sys

DEFAULT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% '
    '%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" '
    '"%UPSTREAM_HOST%"\n'
)
OPERATOR = re.compile(r"%([A-Z_0-9]+)(?:\(([^)]*)\))?(?::(\d+))?%")
FLAGS = ("DC", "DI", "FI", "LH", "NC", "NR", "UAEX", "UC", "UF", "UH", "UO", "UR", "URX", "UT")


def say(sys: Sys, level: str, name: str, text: str, source: str) -> None:
    """A line of Envoy's application log, on standard error."""
    sys.err(f"[{stamp(sys.now, '%Y-%m-%d %H:%M:%S.%f')[:-3]}][{sys.proc['pid']}][{level}][{name}] [{source}] {text}\n")


def line(form: Any, facts: Data) -> str:
    """One line of the access log: `form` is a text or (json_format) an object. `facts`: operators' values, "request" and "response"
    headers by lower-case name."""
    if isinstance(form, dict):
        return json.dumps({key: _typed(value, facts) for key, value in form.items()}, separators=(",", ":"), ensure_ascii=False) + "\n"
    return OPERATOR.sub(lambda match: _value(match, facts), form)


def _typed(value: Any, facts: Data) -> Any:
    if isinstance(value, dict):
        return {key: _typed(item, facts) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    whole = OPERATOR.fullmatch(value)
    if whole is None:
        return line(value, facts)
    found = _value(whole, facts)
    numeric = whole[1] in ("RESPONSE_CODE", "BYTES_RECEIVED", "BYTES_SENT", "DURATION", "UPSTREAM_REQUEST_ATTEMPT_COUNT")
    return None if found == "-" else int(found) if numeric and found.isdigit() else found


def _value(match: re.Match[str], facts: Data) -> str:
    name, argument, length = match[1], match[2], match[3]
    if name == "START_TIME":
        found = stamp(facts["START_TIME"], argument.replace("%3f", f"{facts['START_TIME'] % 1000:03d}") if argument else "%Y-%m-%dT%H:%M:%S.%f")
        found = found if argument else found[:-3] + "Z"
    elif name in ("REQ", "REQUEST_HEADER", "RESP", "RESPONSE_HEADER"):
        headers = facts["request" if name.startswith("REQ") else "response"]
        found = next((headers[one.lower()] for one in (argument or "").split("?") if headers.get(one.lower())), "")
    else:
        found = str(facts.get(name, ""))
    found = found or "-"
    return found[: int(length)] if length else found


def write(proc: Process, sys: Sys, logs: list[Data], facts: Data) -> None:
    """The line in each of a connection manager's access logs."""
    for log in logs:
        config = log["typed_config"]
        text = line(_form(config), facts)
        path = config.get("path", "/dev/stderr" if config["@type"].endswith("StderrAccessLog") else "/dev/stdout")
        put(proc["data"], sys, path, text)


def put(data: Data, sys: Sys, path: str, text: str) -> None:
    """Appends to a log file, which stays open."""
    if path in ("/dev/stdout", "/dev/fd/1"):
        sys.out(text)
    elif path in ("/dev/stderr", "/dev/fd/2"):
        sys.err(text)
    elif path != "/dev/null":
        if path not in data["files"]:
            data["files"][path] = sys.open(path, "a")
        sys.write(data["files"][path], text)


def _form(config: Data) -> Any:
    given = config.get("log_format", {})
    return (
        given.get("json_format")
        or given.get("text_format_source", {}).get("inline_string")
        or given.get("text_format")
        or config.get("format")
        or DEFAULT
    )
