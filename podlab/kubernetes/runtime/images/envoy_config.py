"""Envoy's bootstrap file: YAML checked field by field against the API (envoy_schema.py), as Envoy does before it starts.

A field that the API does not have is refused in Envoy's words (the column is approximate); one that is taken without an effect here is
collected, so that the program can say so in its log.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ...bounded_yaml import load
from ..linear import TooComplex, compiled
from ..process import Data
from ..tls import fits
from .envoy_schema import ANY, NEEDED, POSITIVE, PREFIX, REGEX, REQUIRED, ROUTER, SCHEMA, V2

DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")


class ConfigError(Exception):
    """What Envoy says of a configuration that it does not take."""


class Reader:
    """Reads one bootstrap; `unused` collects the fields that are taken and have no effect here. `old`: an Envoy that still takes the v2 API's
    types and finds a filter by its name alone (before 1.18)."""

    def __init__(self, old: bool = False) -> None:
        self.old = old
        self.unused: list[str] = []
        self.whole = ""

    def read(self, text: str) -> Data:
        """The bootstrap as plain data: durations in ms, field names as in the API's files. Raises ConfigError."""
        try:
            found = load(text)
        except ValueError as error:
            raise ConfigError(f"Unable to convert YAML as JSON: yaml-cpp: error at {error}") from None
        if not isinstance(found, dict):
            raise ConfigError("Unable to convert YAML as JSON: " + json.dumps(found))
        self.whole = json.dumps(found, separators=(",", ":"), default=str)
        return self._message("envoy.config.bootstrap.v3.Bootstrap", found, "")

    def _message(self, kind: str, found: Any, path: str) -> Data:
        if not isinstance(found, dict):
            raise self._bad(path, kind, f"expected {{, got {_json(found)}", found)
        fields, out = SCHEMA[kind], {}
        for key, value in found.items():
            name = re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), str(key))
            if name not in fields:
                raise self._unknown(kind, str(key), path)
            where = f"{path}.{name}".lstrip(".")
            if value is not None:
                out[name] = self._value(fields[name], value, where, kind, name)
        short = kind.rpartition(".")[2]
        if self.old and short == "HttpFilter" and out.get("name") in ("envoy.filters.http.router", "envoy.router"):
            out.setdefault("typed_config", {"@type": ROUTER})
        for name in REQUIRED.get(kind, ()):
            if not out.get(name):
                raise ConfigError(invalid(short, name, "value length must be at least 1 characters"))
        for name in POSITIVE.get(kind, ()):
            if out.get(name, 1) <= 0:
                raise ConfigError(invalid(short, name, "value must be greater than 0s"))
        if kind == REGEX:
            try:
                compiled(out.get("regex", ""))
            except (re.error, TooComplex) as error:
                raise ConfigError(f"Invalid regex '{out.get('regex', '')}': {error}") from None
        for name in NEEDED.get(kind, ()):
            if name not in out:
                raise ConfigError(invalid(short, name, "value is required"))
        return out

    def _value(self, kind: str, value: Any, path: str, message: str, field: str) -> Any:
        if kind == ANY:
            self.unused.append(path)
            return None
        if kind == "raw":
            return value
        if kind == "unsupported":
            raise ConfigError(f"podlab: {path} is not part of this simulation of Envoy")
        if kind.startswith("["):
            if not isinstance(value, list):
                raise self._bad(path, message, f"expected [, got {_json(value)}", value)
            return [self._value(kind[1:-1], item, f"{path}[{number}]", message, field) for number, item in enumerate(value)]
        if kind == "typed":
            return self._typed(value, path)
        if "." in kind:
            return self._message(kind, value, path)
        return self._scalar(kind, value, path, message, field)

    def _scalar(self, kind: str, value: Any, path: str, message: str, field: str) -> Any:
        if kind == "duration":
            if not isinstance(value, str) or not DURATION.fullmatch(value):
                raise self._bad(path, "google.protobuf.Duration", f"invalid duration {_json(value)}: duration must end with a single 's'", value)
            return round(float(value[:-1]) * 1000)
        if kind in ("uint32", "port"):
            if isinstance(value, str) and value.isdigit():
                value = int(value)
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
                raise self._bad(path, message, f"invalid number: {_json(value)}", value)
            if kind == "port" and value > 65535:
                raise ConfigError(invalid(message.rpartition(".")[2], field, "value must be less than or equal to 65535"))
            return value
        if kind == "double":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise self._bad(path, message, f"invalid number: {_json(value)}", value)
            return float(value)
        if kind == "bool":
            if not isinstance(value, bool):
                raise self._bad(path, message, f"expected bool, got {_json(value)}", value)
            return value
        if kind == "string":
            if not isinstance(value, str):
                raise self._bad(path, message, f"expected string, got {_json(value)}", value)
            return value
        if value not in kind.split("|"):
            raise self._bad(path, message, f"unknown enum value: '{value}'", value)
        return value

    def _typed(self, value: Any, path: str) -> Data:
        if not isinstance(value, dict) or not isinstance(value.get("@type"), str):
            raise self._bad(path, "google.protobuf.Any", "missing @type in Any", value)
        kind = value["@type"].removeprefix(PREFIX)
        kind = V2.get(kind, kind) if self.old else kind
        if kind not in SCHEMA or "@type" in SCHEMA[kind]:
            if kind.startswith("envoy."):
                raise ConfigError(f"podlab: {path}: {kind} is not part of this simulation of Envoy, or Envoy has no such type")
            raise self._bad(path, "google.protobuf.Any", f"could not resolve type URL: {value['@type']}", value)
        found = self._message(kind, {key: item for key, item in value.items() if key != "@type"}, path)
        return {"@type": kind, **found}

    def _unknown(self, kind: str, key: str, path: str) -> ConfigError:
        return ConfigError(
            f"Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: invalid JSON in "
            f"envoy.config.bootstrap.v3.Bootstrap{f' @ {path}' if path else ''}: message {kind}, {self._near(json.dumps(key))}: "
            f"no such field: '{key}') "
            "has unknown fields"
        )

    def _bad(self, path: str, kind: str, problem: str, value: Any) -> ConfigError:
        where = f" @ {path}" if path else ""
        return ConfigError(
            f"Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap{where}: {kind}, "
            f"{self._near(_json(value))}: {problem}): {self.whole}"
        )

    def _near(self, text: str) -> str:
        offset = max(0, self.whole.find(text))
        return f"near 1:{offset + 1} (offset {offset})"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)


def invalid(message: str, field: str, problem: str) -> str:
    """protoc-gen-validate's words for a value that breaks the API's constraints."""
    name = "".join(part.capitalize() for part in field.split("_"))
    return f"Proto constraint validation failed ({message}ValidationError.{name}: {problem})"


# ---- small readers of what has been read


def string_matches(matcher: Data, value: str) -> bool:
    """A StringMatcher's verdict; a regular expression must match the whole."""
    if "safe_regex" in matcher:
        return regex_matches(matcher["safe_regex"], value)
    how = next((one for one in ("exact", "prefix", "suffix", "contains") if one in matcher), "exact")
    text = str(matcher.get(how, ""))
    return fits(value.lower(), how, text.lower()) if matcher.get("ignore_case") else fits(value, how, text)


def regex_matches(matcher: Data, value: str) -> bool:
    """A RegexMatcher's verdict: the whole text must fit. One that would take too long fits nothing."""
    try:
        return compiled(matcher.get("regex", "")).fullmatch(value) is not None
    except TooComplex:
        return False


def address(found: Data) -> tuple[str, int]:
    """(address, port) of an Address."""
    socket = found.get("socket_address", {})
    return str(socket.get("address", "")), int(socket.get("port_value", 0))
