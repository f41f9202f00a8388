"""Language images, as far as manifests use them without code of their own: python -m http.server, perl's digits of pi, versions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .. import http
from ..image import Entry, Image, add
from ..process import INT, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, find_file, http_date, listen_on, mime_type, serve_http, stamp
from ..system import Sys
from . import python_statements
from .base import PATH, base_tree

ENV = {"PATH": PATH}


def _release(sys: Sys, releases: Mapping[str, str]) -> str:
    """The release that an image's tag means: its newest of those that begin with the tag's number, else the newest of all."""
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].partition("-")[0]
    return releases.get(tag, next(iter(releases.values())))


# ---- python

PYTHONS = {"3.13": "3.13.7", "3.12": "3.12.11", "3.11": "3.11.13", "3.10": "3.10.18", "3.9": "3.9.23", "3.8": "3.8.20", "3.7": "3.7.17",
           "2.7": "2.7.18", "2": "2.7.18"}  # fmt: skip
"""Releases by tag, newest first (python.org/downloads, September 2025)."""


def _python(proc: Process, sys: Sys, event: Event) -> int:
    words, data = proc["argv"][1:], proc["data"]
    if "listening" in data:
        return serve_http(proc, sys, _python_answer)
    while words and words[0] in ("-u", "-B", "-E", "-s", "-O"):
        words.pop(0)
    if not words:
        sys.err(f"Python {_release(sys, PYTHONS)} (podlab: no interpreter; python -m http.server and simple scripts run here)\n")
        return 0
    if words[:1] in (["--version"], ["-V"]):
        sys.out(f"Python {_release(sys, PYTHONS)}\n")
        return 0
    if words[:2] == ["-m", "http.server"]:
        return _python_server(proc, sys, words[2:])
    if words[:1] == ["-c"] and len(words) > 1:
        return python_statements.run(proc, sys, words[1])
    if words[:1] == ["-m"]:
        sys.err(f"{proc['argv'][0]}: No module named {words[1] if len(words) > 1 else ''}\n")
        return 1
    if sys.find(words[0]) is None:
        sys.err(
            f"{proc['argv'][0]}: can't open file "
            f"'{words[0] if words[0].startswith('/') else proc['cwd'].rstrip('/') + '/' + words[0]}': [Errno 2] No such file "
            f"or directory\n"
        )
        return 2
    return python_statements.run(proc, sys, sys.read_file(words[0]))


def _python_server(proc: Process, sys: Sys, words: list[str]) -> int:
    port, directory, bind = 8000, proc["cwd"], "0.0.0.0"
    while words:
        word = words.pop(0)
        if word in ("--directory", "-d") and words:
            directory = words.pop(0)
        elif word in ("--bind", "-b") and words:
            bind = words.pop(0)
        elif word.isdigit():
            port = int(word)
    try:
        sys.chdir(directory)
        listen_on(proc, sys, [port], bind)
    except Errno as error:
        sys.err(f"Traceback (most recent call last):\nOSError: [Errno {98 if error.name == 'EADDRINUSE' else 2}] {error.text}\n")
        return 1
    sys.out(f"Serving HTTP on {bind} port {port} (http://{bind}:{port}/) ...\n")
    return serve_http(proc, sys, _python_answer)


def _python_answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    def log(text: str) -> None:
        sys.err(f"{peer} - - [{stamp(sys.now, '%d/%b/%Y %H:%M:%S')}] {text}\n")

    head = [("Server", f"SimpleHTTP/0.6 Python/{_release(sys, PYTHONS)}"), ("Date", http_date(sys.now)), ("Connection", "close")]
    kind, path = find_file(sys, proc["cwd"].rstrip("/") + request.path, ["index.html", "index.htm"])
    if request.method not in ("GET", "HEAD"):
        status, body = 501, f"<p>Error code: 501</p>\n<p>Message: Unsupported method ('{request.method}').</p>\n"
    elif kind == "file":
        status, body = 200, sys.read_file(path)
        head.append(("Last-Modified", http_date(sys.look(path).inode["mt"])))
    elif kind == "directory":
        status, body = (
            200,
            f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Directory listing for {request.path}</'
            f"title>\n</head>\n<body>\n"
            f"<h1>Directory listing for {request.path}</h1>\n<hr>\n<ul>\n"
            + "".join(f'<li><a href="{name}">{name}</a></li>\n' for name in sys.listdir(path))
            + "</ul>\n<hr>\n</body>\n</html>\n",
        )
    else:
        status, body = (
            404,
            '<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n        <title>Error response</'
            "title>\n    </head>\n    <body>\n        "
            "<h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n        "
            "<p>Error code explanation: 404 - Nothing matches the given URI.</p>\n    </body>\n</html>\n",
        )
        log("code 404, message File not found")
    log(f'"{request.start}" {status} -')
    kind_of = mime_type(path) if kind == "file" else "text/html; charset=utf-8"
    return http.response(status, body, [*head, ("Content-type", kind_of)], {404: "File not found"}.get(status, ""))


def _python_signal(proc: Process, sys: Sys, n: int) -> bool:
    """INT raises KeyboardInterrupt, which http.server takes as its end; TERM has Python's default, so process 1 does not notice it."""
    if n == INT:
        if "listening" in proc["data"]:
            sys.out("\nKeyboard interrupt received, exiting.\n")
        sys.exit(0 if "listening" in proc["data"] else 130)
    return False


register(Program("python", lambda proc, sys: _python(proc, sys, None), _python, _python_signal, 9 * MEBIBYTE))
PYTHON = {"usr": {"local": {"bin": {name: Entry(program="python", size=14_416) for name in ("python", "python3", "python3.13")}}}}
PYTHON_TAGS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3", "latest", "2.7", "2")
add(
    Image(
        "docker.io/library/python",
        (*PYTHON_TAGS, "bookworm", "trixie"),
        base_tree("debian", PYTHON, extra=("curl",)),
        383_203_110,
        cmd=("python3",),
        env=ENV,
        stop_signal="SIGINT",
    )
)
add(
    Image(
        "docker.io/library/python",
        ("slim", *(f"{tag}-slim" for tag in PYTHON_TAGS if tag != "latest"), "3.12-slim-bookworm"),
        base_tree("debian", PYTHON),
        43_110_200,
        cmd=("python3",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/python",
        ("alpine", *(f"{tag}-alpine" for tag in PYTHON_TAGS if tag != "latest")),
        base_tree("alpine", PYTHON),
        17_320_880,
        cmd=("python3",),
        env=ENV,
    )
)


# ---- node: only honest

NODES = {"22": "v22.19.0", "24": "v24.8.0", "20": "v20.19.5", "18": "v18.20.8", "16": "v16.20.2", "14": "v14.21.3",
         "12": "v12.22.12", "10": "v10.24.1", "latest": "v24.8.0"}
"""Releases by tag (nodejs.org/en/about/previous-releases, September 2025); the first is the one of `lts`."""


def _node(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    if words[:1] in (["--version"], ["-v"]):
        sys.out(f"{_release(sys, NODES)}\n")
        return 0
    if not words:
        sys.err("podlab: there is no JavaScript engine here\n")
        return 1
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
NODE_TAGS = ("10", "12", "14", "16", "18", "20", "22", "24", "lts", "latest")
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
