"""Fluentd's configuration file: directives as plain data (docs.fluentd.org/configuration/config-file).

    {"name": "match", "arg": "app.**", "params": {"@type": "stdout"}, "children": [directive], "line": 7}

Quoted values take "#{ENV['NAME']}", "#{ENV['NAME'] || 'default'}" and "#{Socket.gethostname}"; other Ruby is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..linear import Regex, compiled, wildcard
from ..process import Data, Errno
from ..system import Sys

ELEMENT = re.compile(r"<([A-Za-z0-9_@.-]+)(?=[\s>])([^>]*)>\s*(?:#.*)?$")
END = re.compile(r"</([A-Za-z0-9_@.-]+)\s*>\s*(?:#.*)?$")
PARAMETER = re.compile(r"(@?[A-Za-z0-9_$.-]+)(?:\s+(.*))?$")
RUBY = re.compile(r"#\{([^}]*)\}")
ENV = re.compile(r"\s*ENV(?:\[(['\"])(\w+)\1\]|\.fetch\((['\"])(\w+)\3(?:,\s*(['\"])(.*?)\5)?\))\s*(?:\|\|\s*(['\"])(.*?)\7\s*)?$")
DEPTH_MAX = 20
LINE_MAX = 10_000
PLUGINS_MAX = 100  # a learner's agent runs no more than these


class ConfigParseError(Exception):
    """The file is not written as Fluentd reads it."""


class ConfigError(Exception):
    """The file can be read, but what it says cannot be done."""


def parse(sys: Sys, path: str, depth: int = 0) -> list[Data]:
    """The directives of a file, its @include lines followed. Raises ConfigParseError, Errno."""
    name = path.rpartition("/")[2]
    root: Data = {"name": "ROOT", "arg": "", "params": {}, "children": [], "line": 0}
    open_ones = [root]
    lines = sys.read_file(path).split("\n")
    at = 0
    while at < len(lines):
        line, at = lines[at].strip(), at + 1
        if not line or line.startswith("#"):
            continue
        if len(line) > LINE_MAX:
            raise ConfigParseError(f"line {at} of {name} is longer than {LINE_MAX} characters")
        where = f"{name} line {at},{len(lines[at - 1])}\n{_sample(lines, at)}"
        if end := END.match(line):
            if len(open_ones) == 1 or open_ones[-1]["name"] != end[1]:
                raise ConfigParseError(f"unmatched end tag at {where}")
            open_ones.pop()
        elif element := ELEMENT.match(line):
            made: Data = {"name": element[1], "arg": element[2].strip(), "params": {}, "children": [], "line": at}
            open_ones[-1]["children"].append(made)
            open_ones.append(made)
            if len(open_ones) > DEPTH_MAX:
                raise ConfigParseError(f"nested too deeply at {where}")
        elif line.startswith("@include"):
            open_ones[-1]["children"] += _include(sys, path, line.partition(" ")[2].strip(), depth)
        elif parameter := PARAMETER.match(line):
            text = parameter[2] or ""
            while text[:1] in ("[", "{") and not _balanced(text) and at < len(lines):
                text, at = text + " " + lines[at].strip(), at + 1
            open_ones[-1]["params"][parameter[1]] = _value(sys, text, where)
        else:
            raise ConfigParseError(f"got unexpected character {line[:1]!r} at {where}")
    if len(open_ones) > 1:
        where = f"{name} line {len(lines)},0\n{_sample(lines, len(lines))}"
        raise ConfigParseError(f"expected end tag '</{open_ones[-1]['name']}>' but got end of file at {where}")
    children: list[Data] = root["children"]
    return children


def _sample(lines: list[str], at: int) -> str:
    shown = [f"{number:>3}: {text}" for number, text in enumerate(lines[max(0, at - 3) : at], max(1, at - 2))]
    return "\n".join(shown) + "\n"


def _include(sys: Sys, path: str, name: str, depth: int) -> list[Data]:
    if depth > 3:
        raise ConfigParseError(f"too many levels of @include in {path}")
    whole = name if name.startswith("/") else f"{path.rpartition('/')[0]}/{name}"
    directory, _, last = whole.rpartition("/")
    try:
        names = [last] if "*" not in last else [one for one in sys.listdir(directory) if wildcard(last).fullmatch(one)]
        return [found for one in names for found in parse(sys, f"{directory}/{one}", depth + 1)]
    except Errno as error:
        raise ConfigParseError(f"include error {name} at {path}: {error.text}") from None


def _balanced(text: str) -> bool:
    return text.count("[") + text.count("{") <= text.count("]") + text.count("}")


def _value(sys: Sys, text: str, where: str) -> str:
    text = text.strip()
    if text[:1] in ("[", "{", "/"):
        return text
    if text[:1] == "'":
        end = text.find("'", 1)
        if end < 0:
            raise ConfigParseError(f"expected end of single quoted string at {where}")
        return text[1:end]
    if text[:1] == '"':
        inside = re.match(r'"((?:[^"\\]|\\.)*)"', text)
        if inside is None:
            raise ConfigParseError(f"expected end of double quoted string at {where}")
        return RUBY.sub(lambda found: _ruby(sys, found[1], where), re.sub(r"\\(.)", _escape, inside[1]))
    return re.sub(r"(?<!\s)\s+#.*$", "", text)


def _escape(found: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t", "r": "\r"}.get(found[1], found[1])


def _ruby(sys: Sys, code: str, where: str) -> str:
    if code.strip() in ("Socket.gethostname", "hostname"):
        return sys.hostname
    if code.strip() == "worker_id":
        return "0"
    found = ENV.match(code)
    if found is None:
        raise ConfigParseError(f"undefined local variable or method in #{{{code}}} at {where}")
    return sys.proc["env"].get(found[2] or found[4]) or found[6] or found[8] or ""


# ---- values


def boolean(params: Data, name: str, default: bool) -> bool:
    """A parameter that is true or false (yes, no)."""
    text = params.get(name)
    return default if text is None else text in ("true", "yes", "")


def seconds(params: Data, name: str, default: float) -> int:
    """A parameter of time type ("5s", "1m", "0.5") in ms."""
    text = params.get(name)
    if text is None:
        return round(default * 1000)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if found is None:
        raise ConfigError(f"'{name}' parameter is not a time: {text}")
    return round(float(found[1]) * 1000 * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]])


def count(params: Data, name: str, default: int) -> int:
    """A parameter of integer type."""
    text = params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?\d+", text):
        raise ConfigError(f"'{name}' parameter is not an integer: {text}")
    return int(text)


def octets(params: Data, name: str, default: int) -> int:
    """A parameter of size type ("8m", "512MB") in bytes."""
    text = params.get(name)
    if text is None:
        return default
    found = re.fullmatch(r"(\d+)\s*([kmgt]?)b?", text.lower())
    if found is None:
        raise ConfigError(f"'{name}' parameter is not a size: {text}")
    return int(found[1]) << {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}[found[2]]


@lru_cache(maxsize=512)
def tag_pattern(patterns: str) -> Regex:
    """`app.** {a,b}.*` as one pattern: `*` is one part of a tag, `**` any number of them, with the dot before them."""
    found = []
    for pattern in patterns.split():
        text = re.escape(pattern).replace(r"\{", "(?:").replace(r"\}", ")").replace(",", "|")
        text = text.replace(r"\.\*\*", r"(?:\..*)?").replace(r"\*\*\.", r"(?:.*\.)?").replace(r"\*\*", ".*").replace(r"\*", r"[^.]*")
        found.append(text)
    return compiled("|".join(f"(?:{text})" for text in found) or "(?!)")


def ruby_pattern(text: str) -> tuple[Regex, list[str]]:
    """A /pattern/ and the names of its groups, in order; unnamed ones are "". Raises ConfigError."""
    inside = text[1 : text.rindex("/")] if text.startswith("/") and text.rfind("/") > 0 else text
    names: list[str] = []

    def plain(found: re.Match[str]) -> str:
        if found[0] == "(":
            names.append("")
            return "("
        if found[1]:
            names.append(found[1])
            return "("
        return found[0]

    out = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<([A-Za-z_]\w*)>|\(\?.|\(", plain, inside)
    try:
        return compiled(out.replace(r"\h", "[0-9a-fA-F]").replace(r"\z", r"\Z")), names
    except re.error as error:
        raise ConfigError(f"Invalid regexp in expression: {inside}: {error}") from None
