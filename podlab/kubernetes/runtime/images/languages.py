"""Language images, as far as manifests use them without code of their own: perl's digits of pi, node's version. Python runs (python/)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..image import Entry, Image, add
from ..process import Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Waits
from ..system import Sys
from .base import PATH, base_tree

ENV = {"PATH": PATH}


def typed_lines(proc: Process, sys: Sys) -> tuple[list[str], Waits]:
    """node's readline on standard input: (the lines that came, what to wait for; nothing once it has ended). data["typed"] keeps the rest."""
    data, found = proc["data"], list[str]()
    if "deaf" in data or "0" not in proc["fds"]:
        return found, Waits()
    while sys.readable(0):
        text = sys.read(0)
        if not text:
            data["deaf"] = True
            return found, Waits()
        *lines, data["typed"] = (data["typed"] + text).split("\n")
        found += lines
    return found, Waits(fds=(0,))


def _release(sys: Sys, releases: Mapping[str, str]) -> str:
    """The release that an image's tag means: its newest of those that begin with the tag's number, else the newest of all."""
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].partition("-")[0]
    return releases.get(tag, next(iter(releases.values())))


# ---- node: only honest

NODES = {"22": "v22.19.0", "24": "v24.8.0", "20": "v20.19.5", "18": "v18.20.8", "16": "v16.20.2", "14": "v14.21.3",
         "12": "v12.22.12", "10": "v10.24.1", "latest": "v24.8.0"}
"""Releases by tag (nodejs.org/en/about/previous-releases, September 2025); the first is the one of `lts`."""


def _typed(proc: Process, sys: Sys) -> int:
    """What node does without a script: it runs its standard input, whose end is its own end; a terminal is asked line by line."""
    data = proc["data"]
    if "0" not in proc["fds"]:
        return 0
    tty = sys.is_tty(0)
    if tty and "greeted" not in data:
        data["greeted"] = True
        sys.out(f'Welcome to Node.js {_release(sys, NODES)}.\nType ".help" for more information.\n> ')
    while text := sys.read(0):
        if tty and text.strip() == ".exit":
            return 0
        if text.strip():
            sys.err("podlab: there is no JavaScript engine here\n")
            if not tty:
                return 1
        sys.out("> " if tty else "")
    return 0


def _node(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    if words[:1] in (["--version"], ["-v"]):
        sys.out(f"{_release(sys, NODES)}\n")
        return 0
    if not words:
        return _typed(proc, sys)
    if words[0] in ("-e", "-p", "--eval") or sys.find(words[0]) is not None:
        sys.err(f"podlab: there is no JavaScript engine here, cannot run {words[0]}\n")
        return 1
    path = words[0] if words[0].startswith("/") else f"{proc['cwd'].rstrip('/')}/{words[0]}"
    sys.err(
        f"node:internal/modules/cjs/loader:1386\n  throw err;\n  ^\n\nError: Cannot find module '{path}'\n  code: "
        f"'MODULE_NOT_FOUND',\n  requireStack: []\n}}\n\nNode.js {_release(sys, NODES)}\n"
    )
    return 1


register(Program("node", lambda proc, sys: _node(proc, sys, None), _node, memory=35 * MEBIBYTE))
NODE = {"usr": {"local": {"bin": {"node": Entry(program="node", size=120_000_000)}}}}
NODE_TAGS = ("0.10", "4", "6", "8", "9", "10", "12", "14", "16", "18", "20", "22", "24", "lts", "latest")
add(
    Image(
        "docker.io/library/node",
        NODE_TAGS,
        base_tree("debian", NODE, users={"node": 1000}, extra=("curl",)),
        402_118_000,
        cmd=("node",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/node",
        ("alpine", "slim", *(f"{tag}-{kind}" for tag in NODE_TAGS if tag != "latest" for kind in ("alpine", "slim"))),
        base_tree("alpine", NODE, users={"node": 1000}),
        55_340_000,
        cmd=("node",),
        env=ENV,
    )
)


# ---- perl


def pi_digits(count: int) -> str:
    """pi to `count` significant digits, rounded as Math::BigFloat rounds (Machin's formula)."""
    if count < 2:
        return "3"
    unity: int = 10 ** (count + 10)

    def arctan(inverse: int) -> int:
        term: int = unity // inverse
        total = term
        square, divisor, sign = inverse * inverse, 3, -1
        while term:
            term //= square
            total += sign * (term // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    value = 4 * (4 * arctan(5) - arctan(239))
    digits = str((value + 5 * 10**10) // 10**11)
    return f"{digits[0]}.{digits[1:count]}"


def _perl(proc: Process, sys: Sys, event: Event) -> int:
    line = " ".join(proc["argv"][1:])
    if proc["argv"][1:] in (["-v"], ["--version"]):
        sys.out("\nThis is perl 5, version 40, subversion 3 (v5.40.3) built for x86_64-linux-gnu\n")
        return 0
    match = re.search(r"bignum=bpi.*\bprint\s+bpi\(\s*(\d+)\s*\)", line)
    if match is not None:
        digits = min(int(match[1]), 10_000)
        data = proc["data"]
        if "until" not in data:
            data["until"] = sys.now + 500 + digits * digits // 800  # about 5.5 s for 2,000 digits
            sys.burn(1000)
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        sys.burn(0)
        sys.out(pi_digits(digits) + ("\n" if re.search(r"-\w*[lE]\w*\b", line) or "-wle" in line else ""))
        return 0
    text = re.search(r"-\w*e\s+print\s*\(?\s*[\"'](.*?)[\"']\s*\)?;?$", line)
    if text is not None:
        sys.out(text[1].replace("\\n", "\n") + ("\n" if "l" in line.partition("e")[0] else ""))
        return 0
    seconds = re.search(r"\bsleep\s*\(?\s*(\d+)", line)
    if seconds is not None:
        if event is None:
            sys.sleep(int(seconds[1]) * 1000)
        return 0
    sys.err("podlab: no perl interpreter here; perl -Mbignum=bpi -wle 'print bpi(2000)' runs\n")
    return 1


register(Program("perl", lambda proc, sys: _perl(proc, sys, None), _perl, memory=12 * MEBIBYTE))
add(
    Image(
        "docker.io/library/perl",
        ("latest", "5", "5.34", "5.34.0", "5.34.1", "5.36", "5.38", "5.40", "5.42", "5-slim", "slim", "5.34-slim"),
        base_tree("debian", {"usr": {"local": {"bin": {"perl": Entry(program="perl", size=4_000_000)}}}}, extra=("curl",)),
        336_050_000,
        cmd=("perl", "-de0"),
        env=ENV,
    )
)
