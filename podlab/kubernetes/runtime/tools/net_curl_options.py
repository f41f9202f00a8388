"""curl's command line: the options it has, what they must look like, and what curl says of others (curl.se/docs/manpage.html)."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..process import Data, Errno, Process
from ..system import Sys
from .net_client import BadOption, Long, parse
from .net_curl_form import form

VERSION = "8.14.1"
SHORT = "sSvViIkLfgGNqZo:OX:d:H:A:u:m:b:c:e:w:x:T:F:K:r:46#0hjnR"
LONG = {
    "silent": Long("s"), "show-error": Long("S"), "verbose": Long("v"), "include": Long("i"), "show-headers": Long("i"), "head": Long("I"),
    "insecure": Long("k"), "location": Long("L"), "fail": Long("f"), "fail-with-body": Long("W"), "get": Long("G"), "output": Long("o", True),
    "remote-name": Long("O"), "request": Long("X", True), "data": Long("d", True), "data-ascii": Long("d", True), "data-raw": Long("D", True),
    "data-binary": Long("B", True), "form": Long("F", True), "data-urlencode": Long("E", True), "json": Long("J", True), "header": Long("H", True),
    "user-agent": Long("A", True), "user": Long("u", True), "max-time": Long("m", True), "connect-timeout": Long("t", True),
    "write-out": Long("w", True), "resolve": Long("R", True), "retry": Long("y", True), "retry-delay": Long("Y", True),
    "retry-connrefused": Long("Q"), "retry-all-errors": Long("Q"), "retry-max-time": Long("n", True), "cookie": Long("b", True),
    "referer": Long("e", True),
    "max-redirs": Long("M", True), "url": Long("U", True), "version": Long("V"), "oauth2-bearer": Long("a", True), "help": Long("h"),
    "cacert": Long("C", True), "compressed": Long("z"),
    **{name: Long("n") for name in ("http1.1", "http1.0", "http2", "no-buffer", "ipv4", "ipv6", "no-progress-meter", "globoff",
                                    "tcp-nodelay", "no-keepalive",
                                    "location-trusted", "path-as-is", "tlsv1.2", "progress-bar", "create-dirs", "raw", "parallel")},
    **{name: Long("n", True) for name in ("cookie-jar", "cert", "key", "noproxy", "interface", "limit-rate", "keepalive-time", "proxy")},
}  # fmt: skip
SECONDS = r"[0-9]{1,9}\.?[0-9]*|\.[0-9]+"
NUMBERS = {"m": ("max-time", SECONDS), "t": ("connect-timeout", SECONDS), "y": ("retry", "[0-9]{1,9}"), "Y": ("retry-delay", "[0-9]{1,9}"),
           "M": ("max-redirs", "-?[0-9]{1,9}")}  # options that take a number, by their letter here: (name, what it must look like)
MORE = "curl: try 'curl --help' or 'curl --manual' for more information\n"
HELP = (
    "Usage: curl [options...] <url>\n"
    " -d, --data <data>           HTTP POST data\n"
    " -f, --fail                  Fail fast with no output on HTTP errors\n"
    " -h, --help <subject>        Get help for commands\n"
    " -i, --show-headers          Show response headers in output\n"
    " -o, --output <file>         Write to file instead of stdout\n"
    " -O, --remote-name           Write output to file named as remote file\n"
    " -s, --silent                Silent mode\n"
    " -u, --user <user:password>  Server user and password\n"
    " -A, --user-agent <name>     Send User-Agent <name> to server\n"
    " -v, --verbose               Make the operation more talkative\n"
    " -V, --version               Show version number and quit\n"
)


def begin(proc: Process, sys: Sys) -> int | None:
    """Reads the command line into `o` (the options by their letters), `urls` and `code`; gives curl's exit code where that is all it does."""
    try:
        found, urls = parse(proc["argv"][1:], SHORT, LONG)
    except BadOption as error:
        what = f"option {error.option}: requires parameter" if error.missing else f"option {error.option}: is unknown"
        sys.err(f"curl: {what}\n{MORE}")
        return 2
    options: Data = {"H": [], "body": None, "R": [], "F": []}
    for letter, value in found:
        if letter == "U":
            urls.append(value)
        elif (code := _taken(sys, options, letter, value, proc["argv"])) is not None:
            return code
    if "V" in options:
        sys.out(f"curl {VERSION} (x86_64-pc-linux-gnu) libcurl/{VERSION}\nRelease-Date: 2025-06-04\nProtocols: http https\nFeatures: IPv6 SSL\n")
        return 0
    if "h" in options:
        sys.out(HELP)
        return 0
    if not urls:
        sys.err(f"curl: (2) no URL specified\n{MORE}")
        return 2
    if options["F"] and (code := _form(sys, options)) is not None:
        return code
    proc["data"].update(o=options, urls=urls, code=0)
    return None


def _taken(sys: Sys, options: Data, letter: str, value: str, argv: list[str]) -> int | None:
    """Notes one option; gives the exit code of one that says nothing good."""
    if letter in ("d", "D", "B", "E", "J"):
        try:
            piece = _body(sys, letter, value)
        except Errno:
            sys.err(f"curl: Failed to open {value[1:]}\ncurl: option -d: error encountered when reading a file\n{MORE}")
            return 26
        options["body"] = piece if options["body"] is None else options["body"] + ("" if letter == "J" else "&") + piece
        if letter == "J":
            options["J"] = ""
    elif letter in ("H", "R", "F"):
        options[letter].append(value)
    elif letter in NUMBERS and not re.fullmatch(NUMBERS[letter][1], value):
        spelled = f"--{NUMBERS[letter][0]}" if letter != "m" or "--max-time" in argv else "-m"
        sys.err(f"curl: option {spelled}: expected a proper numerical parameter\n{MORE}")
        return 2
    else:
        options[letter] = value
    return None


def _form(sys: Sys, options: Data) -> int | None:
    """Makes the body of -F; gives the exit code where there is none to be made."""
    if options["body"] is not None:
        sys.err("Warning: You can only select one HTTP request method! You asked for both POST \nWarning: (-d, --data) and multipart formpost "
                "(-F, --form).\n")
        return 2
    try:
        options["body"], options["form"] = form(sys, options["F"])
    except ValueError:
        sys.err(f"Warning: Illegally formatted input field\ncurl: option -F: is badly used here\n{MORE}")
        return 2
    except Errno:
        sys.err("curl: (26) Failed to open/read local data from file/application\n")
        return 26
    return None


def _body(sys: Sys, letter: str, value: str) -> str:
    if letter == "E":
        name, equals, text = value.partition("=")
        return f"{name}={quote(text)}" if equals and name else quote(text if equals else value)
    if letter == "D" or not value.startswith("@"):
        return value
    text = sys.read_file(value[1:]) if value != "@-" else sys.read(0)
    return text.replace("\r", "").replace("\n", "") if letter == "d" else text
