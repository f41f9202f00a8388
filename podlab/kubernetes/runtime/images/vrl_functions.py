"""The functions of VRL that are here (vector.dev/docs/reference/vrl/functions)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from ...times import stamp
from ..linear import TooComplex, compiled
from ..process import Data
from .log_parsers import NGINX, NGINX_TIME, iso, parse_json, parse_pairs, time_ms


class Surroundings(Protocol):
    """What a function may know besides its arguments."""

    now: int
    env: dict[str, str]
    hostname: str


class Failed(Exception):
    """A function or operation failed while running."""


def bounded(text: str) -> str:
    if len(text) > 262_144:
        raise Failed("the text is too long")
    return text


def name_of(value: Any) -> str:
    """The type as VRL calls it."""
    if value is None:
        return "null"
    return {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "object"}.get(type(value), "string")


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Failed(f"expected number, got {name_of(value)}")
    return value


def text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise Failed(f"expected string, got {name_of(value)}")
    return value


def _python(pattern: str) -> str:
    return pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")


def search(node: Any, text: str) -> Data | None:
    """The named groups of a regex in a text, None without a match."""
    pattern = _python(node[1])
    names = [named for _, named in re.findall(r"(?<!\\)(\((?!\?))|(?<!\\)\(\?P<(\w+)>", pattern)]
    try:
        found = compiled(re.sub(r"\(\?P<\w+>", "(", pattern)).search(text)
    except TooComplex:
        return None
    return None if found is None else {name: value for name, value in zip(names, found.groups(), strict=False) if name}


def _to_int(run: Surroundings, a: list[Any]) -> Any:
    value = a[0]
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return int(value)
    if re.fullmatch(r"-?\d{1,18}", text_of(value)):
        return int(value)
    raise Failed('Invalid integer "' + value + '": invalid digit found in string')


def _to_float(run: Surroundings, a: list[Any]) -> Any:
    value = a[0]
    if isinstance(value, bool | int | float):
        return float(value)
    if value is None or re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", text_of(value)):
        return float(value or 0)
    raise Failed(f'Invalid floating point number "{value}": invalid float literal')


def _to_string(run: Surroundings, a: list[Any]) -> Any:
    value = a[0]
    if isinstance(value, dict | list):
        raise Failed(f"unable to coerce {name_of(value)} into string")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _to_bool(run: Surroundings, a: list[Any]) -> Any:
    value = a[0]
    if isinstance(value, bool | int | float) or value is None:
        return bool(value)
    low = text_of(value).lower()
    if low in ("true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"):
        return low in ("true", "t", "yes", "y", "1")
    raise Failed(f'Invalid boolean value "{value}"')


def _parse_json(run: Surroundings, a: list[Any]) -> Any:
    try:
        return json.loads(text_of(a[0]))
    except (ValueError, RecursionError) as error:
        at = error.colno if isinstance(error, json.JSONDecodeError) else 1
        raise Failed(f"unable to parse json: expected value at line 1 column {at}") from None


def _parse_regex(run: Surroundings, a: list[Any]) -> Any:
    found = search(a[1], text_of(a[0]))
    if found is None:
        raise Failed("could not find any pattern matches")
    return found


def _parse_key_value(run: Surroundings, a: list[Any]) -> Any:
    found = parse_pairs(text_of(a[0]))
    if not found:
        raise Failed("could not parse the input as key-value pairs")
    return found


def _parse_nginx(run: Surroundings, a: list[Any]) -> Any:
    found = search(["regex", NGINX], text_of(a[0]))
    if found is None:
        raise Failed("failed parsing log line")
    at = time_ms(found.get("time"), NGINX_TIME)
    named = {"remote": "client", "code": "status", "agent": "agent", "time": "timestamp"}
    out: Data = {named.get(key, key): value for key, value in found.items() if value not in (None, "-")}
    out["timestamp"] = iso(at) if at is not None else out.get("timestamp")
    for key in ("status", "size"):
        if str(out.get(key, "")).isdigit():
            out[key] = int(out[key])
    out["request"] = f"{found.get('method')} {found.get('path')}"
    return out


def _parse_syslog(run: Surroundings, a: list[Any]) -> Any:
    found = re.match(r"<(\d+)>(\d)? ?(\S+) (\S+) (\S+) (\S+) (\S+) (?:-|\[.*?\]) ?(.*)$", text_of(a[0]))
    if found is None:
        raise Failed("unable to parse input as valid syslog message")
    severity = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")[int(found[1]) % 8]
    return {"appname": found[5], "hostname": found[4], "message": found[8], "severity": severity, "timestamp": found[3], "procid": found[6]}


def _parse_timestamp(run: Surroundings, a: list[Any]) -> Any:
    at = time_ms(text_of(a[0]), text_of(a[1]).replace("%+", "%iso8601"))
    if at is None:
        raise Failed(f"Invalid timestamp {json.dumps(a[0])}: input contains invalid characters")
    return iso(at)


def _format_timestamp(run: Surroundings, a: list[Any]) -> Any:
    at = time_ms(a[0])
    if at is None:
        raise Failed(f"expected timestamp, got {name_of(a[0])}")
    return stamp(at, text_of(a[1]))


def _unix(run: Surroundings, a: list[Any]) -> Any:
    at = time_ms(a[0])
    if at is None:
        raise Failed(f"expected timestamp, got {name_of(a[0])}")
    return at // 1000


def _replace(run: Surroundings, a: list[Any]) -> Any:
    text, pattern, new = text_of(a[0]), a[1], text_of(a[2])
    if isinstance(pattern, list):
        try:
            return bounded(compiled(re.sub(r"\(\?P<\w+>", "(", _python(pattern[1]))).sub(lambda found: new, text)[0])
        except TooComplex:
            return text
    return bounded(text.replace(text_of(pattern), new))


def _length(run: Surroundings, a: list[Any]) -> Any:
    if not isinstance(a[0], str | list | dict):
        raise Failed(f"expected array, object or string, got {name_of(a[0])}")
    return len(a[0].encode("utf-8", "surrogateescape")) if isinstance(a[0], str) else len(a[0])


def _typed(kind: str) -> Callable[[Surroundings, list[Any]], Any]:
    def check(run: Surroundings, a: list[Any]) -> Any:
        if name_of(a[0]) != kind:
            raise Failed(f"expected {kind}, got {name_of(a[0])}")
        return a[0]

    return check


def _merge(run: Surroundings, a: list[Any]) -> Any:
    if not isinstance(a[0], dict) or not isinstance(a[1], dict):
        raise Failed("expected object")
    return {**a[0], **a[1]}


def _environment(run: Surroundings, a: list[Any]) -> Any:
    if text_of(a[0]) not in run.env:
        raise Failed("environment variable not found")
    return run.env[a[0]]


def _split(run: Surroundings, a: list[Any]) -> Any:
    text = text_of(a[0])
    return compiled(_python(a[1][1])).split(text) if isinstance(a[1], list) else text.split(text_of(a[1])) if a[1] else list(text)


def _join(run: Surroundings, a: list[Any]) -> Any:
    if not isinstance(a[0], list):
        raise Failed(f"expected array, got {name_of(a[0])}")
    return bounded((text_of(a[1]) if len(a) > 1 else "").join(text_of(one) for one in a[0]))


def _match(run: Surroundings, a: list[Any]) -> Any:
    return search(a[1], text_of(a[0])) is not None


def _contains(run: Surroundings, a: list[Any]) -> Any:
    text, part = text_of(a[0]), text_of(a[1])
    return part.lower() in text.lower() if a[2:] == [False] else part in text


def _truncate(run: Surroundings, a: list[Any]) -> Any:
    return text_of(a[0])[: max(0, int(_number(a[1])))]


FUNCTIONS: dict[str, tuple[int, int, bool, Callable[[Surroundings, list[Any]], Any]]] = {
    "parse_json": (1, 3, True, _parse_json), "to_int": (1, 1, True, _to_int), "to_float": (1, 1, True, _to_float),
    "to_string": (1, 1, True, _to_string),
    "to_bool": (1, 1, True, _to_bool), "parse_regex": (2, 3, True, _parse_regex), "parse_key_value": (1, 4, True, _parse_key_value),
    "parse_logfmt": (1, 1, True, _parse_key_value), "parse_nginx_log": (2, 3, True, _parse_nginx), "parse_common_log": (1, 2, True, _parse_nginx),
    "parse_syslog": (1, 1, True, _parse_syslog), "parse_timestamp": (2, 3, True, _parse_timestamp),
    "format_timestamp": (2, 3, True, _format_timestamp),
    "to_unix_timestamp": (1, 2, True, _unix), "string": (1, 1, True, _typed("string")), "int": (1, 1, True, _typed("integer")),
    "float": (1, 1, True, _typed("float")), "bool": (1, 1, True, _typed("boolean")), "object": (1, 1, True, _typed("object")),
    "array": (1, 1, True, _typed("array")), "get_env_var": (1, 1, True, _environment), "get_hostname": (0, 0, True, lambda run, a: run.hostname),
    "upcase": (1, 1, False, lambda run, a: text_of(a[0]).upper()), "downcase": (1, 1, False, lambda run, a: text_of(a[0]).lower()),
    "strip_whitespace": (1, 1, False, lambda run, a: text_of(a[0]).strip()), "replace": (3, 4, False, _replace), "split": (2, 3, False, _split),
    "join": (1, 2, True, _join), "length": (1, 1, False, _length), "truncate": (2, 4, False, _truncate), "match": (2, 2, False, _match),
    "contains": (2, 3, False, _contains),
    "starts_with": (2, 3, False, lambda run, a: text_of(a[0]).startswith(text_of(a[1]))),
    "ends_with": (2, 3, False, lambda run, a: text_of(a[0]).endswith(text_of(a[1]))), "now": (0, 0, False, lambda run, a: iso(run.now)),
    "merge": (2, 3, False, _merge), "encode_json": (1, 2, False, lambda run, a: json.dumps(a[0], ensure_ascii=False, separators=(",", ":"))),
    "is_string": (1, 1, False, lambda run, a: isinstance(a[0], str)), "is_null": (1, 1, False, lambda run, a: a[0] is None),
    "is_object": (1, 1, False, lambda run, a: isinstance(a[0], dict)), "is_integer": (1, 1, False, lambda run, a: name_of(a[0]) == "integer"),
    "includes": (2, 2, False, lambda run, a: isinstance(a[0], list) and a[1] in a[0]),
    "keys": (1, 1, False, lambda run, a: list(a[0]) if isinstance(a[0], dict) else []),
    "round": (1, 2, False, lambda run, a: round(_number(a[0]))), "abs": (1, 1, False, lambda run, a: abs(_number(a[0]))),
    "is_json": (1, 2, False, lambda run, a: parse_json(str(a[0])) is not None),
}  # fmt: skip
"""Name -> (arguments at least, at most, may fail, what it does)."""
