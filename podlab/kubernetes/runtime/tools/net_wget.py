"""busybox wget: what it says goes to standard error, as in 1.36 (before 1.32 without the lines about saving)."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urljoin, urlsplit

from .. import http, sockets
from ..numerals import whole
from ..process import Data, Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, usage
from .net_client import Failed, Long, busybox_version, connect, exchange, hang_up, is_partial, parse_busybox, secure

TIMEOUT_S = 900  # G.timeout_seconds
REDIRECTIONS = 5
LONG = {
    "continue": Long("c"),
    "quiet": Long("q"),
    "server-response": Long("S"),
    "output-document": Long("O", True),
    "directory-prefix": Long("P", True),
    "proxy": Long("Y", True),
    "user-agent": Long("U", True),
    "timeout": Long("T", True),
    "tries": Long("t", True),
    "header": Long("H", True),
    "post-data": Long("D", True),
    "post-file": Long("F", True),
    "spider": Long("x"),
    "no-check-certificate": Long("i"),
    "no-verbose": Long("i"),
    "no-cache": Long("i"),
    "no-clobber": Long("i"),
    "no-parent": Long("i"),
    "passive-ftp": Long("i"),
}
FAILED = {
    "timeout": "download timed out",
    "empty": "error getting response",
    "reset": "error getting response: Connection reset by peer",
    "tls": "got bad TLS record (len:0) while expecting handshake record",
}


def progress(name: str, size: int) -> str:
    """The last line of busybox's progress meter, on a terminal of 80 columns (bb_progress_update)."""
    number = f"{size:6d} " if size < 100_000 else f"{size >> 10:6d}k" if size < 100_000 << 10 else f"{size >> 20:6d}M"
    return f"\r{name[:20]:<20} 100% |{'*' * 32}|{number} 0:00:00 ETA\n"


@tool("wget")
def wget(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "urls" not in data:
        _begin(proc, sys)
    while data["urls"]:
        code = _one(proc, sys, data["o"])
        if code:
            return code
        data["urls"].pop(0)
        for key in ("url", "left", "deadline"):
            data.pop(key, None)
    return 0


def _begin(proc: Process, sys: Sys) -> None:
    found, urls = parse_busybox(proc, sys, "cqSO:P:Y:U:T:t:n:s", LONG)
    if not urls:
        usage(proc, sys, "")
    options: Data = {"headers": []}
    for letter, value in found:
        if letter == "H":
            options["headers"].append(value)
        else:
            options[letter] = value
    if "F" in options:
        options["D"] = sys.read_file(options["F"])
    proc["data"].update(urls=urls, o=options)


def _one(proc: Process, sys: Sys, options: Data) -> int:
    data = proc["data"]
    quiet = "q" in options
    if "url" not in data:
        url = data["urls"][0]
        data.update(url=url if "://" in url else "http://" + url, left=REDIRECTIONS, said=False)
    while True:
        try:
            parts = urlsplit(data["url"])
            _, host, port, target = http.split_url(data["url"])
        except ValueError:  # a bracket that is not closed, a port that is none
            complain(proc, sys, f"bad address '{data['url'].partition('://')[2].partition('/')[0]}'")
            return 1
        if parts.scheme not in ("http", "https"):
            complain(proc, sys, f"not an http or ftp url: {data['url']}")
            return 1
        name = parts.netloc.rpartition("@")[2]
        if "socket" not in data:
            addresses = sockets.resolve(sys, host)[1]
            if not addresses:
                complain(proc, sys, f"bad address '{name}'")
                return 1
            data["address"] = addresses[0]
            data["deadline"] = sys.now + (whole(options["T"]) if options.get("T") else TIMEOUT_S) * 1000
        if not quiet and not data["said"]:
            data["said"] = True
            sys.err(f"Connecting to {name} ({data['address']}:{port})\n")
        try:
            connect(proc, sys, data["address"], port, deadline=data["deadline"])
            if parts.scheme == "https":
                if "noted" not in data:
                    data["noted"] = True
                    sys.err("wget: note: TLS certificate validation not implemented\n")
                secure(proc, sys, host, deadline=data["deadline"])
            message = exchange(proc, sys, _request(parts.username, parts.password, name, target, options), deadline=data["deadline"])
        except Failed as error:
            complain(proc, sys, FAILED.get(error.why) or f"can't connect to remote host ({data['address']}): {Errno(error.errno).text}")
            return 1
        hang_up(proc, sys)
        if "S" in options:
            sys.err("".join(f"  {line}\n" for line in (message.start, *(f"{key}: {value}" for key, value in message.headers))))
        status = message.status
        if 300 <= status <= 303 or status in (307, 308):
            if not message.get("Location"):
                return _save(proc, sys, options, message, quiet)
            data["left"] -= 1
            if data["left"] == 0:
                complain(proc, sys, "too many redirections")
                return 1
            moved = urljoin(data["url"], message.get("Location"))
            data["said"] = urlsplit(moved).netloc == parts.netloc
            data["url"] = moved
            continue
        if not 200 <= status <= 204:
            complain(proc, sys, f"server returned error: {message.start}")
            return 1
        return _save(proc, sys, options, message, quiet)


def _request(user: str | None, password: str | None, host: str, target: str, options: Data) -> str:
    given = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in options["headers"])]
    names = [name.lower() for name, _ in given]
    lines = [(name, value) for name, value in (("Host", host), ("User-Agent", options.get("U", "Wget"))) if name.lower() not in names]
    lines.append(("Connection", "close"))
    if user and "authorization" not in names:
        lines.append(("Authorization", "Basic " + b64encode(f"{user}:{password or ''}".encode()).decode()))
    lines += given
    body = options.get("D", "")
    if "D" in options:
        if "content-type" not in names:
            lines.append(("Content-Type", "application/x-www-form-urlencoded"))
        lines.append(("Content-Length", str(http.size(body))))
    return http.Message(f"{'POST' if 'D' in options else 'GET'} {target} HTTP/1.1", lines, body).text()


def _save(proc: Process, sys: Sys, options: Data, message: http.Message, quiet: bool) -> int:
    talks = not quiet and busybox_version(sys) >= (1, 32)
    if "x" in options or "s" in options:
        if talks:
            sys.err("remote file exists\n")
        return 0
    name = options.get("O") or urlsplit(proc["data"]["url"]).path.rpartition("/")[2] or "index.html"
    if "O" not in options and "P" in options:
        name = options["P"].rstrip("/") + "/" + name
    standard = name == "-"
    if not standard:
        try:
            fd = sys.open(name, "w" if "O" in options or "c" in options else "x")
        except Errno as error:
            complain(proc, sys, f"can't open '{name}': {error.text}")
            return 1
    if talks:
        sys.err("writing to stdout\n" if standard else f"saving to '{name}'\n")
    try:
        sys.write(1 if standard else fd, message.body)
    except Errno as error:
        complain(proc, sys, f"short write: {error.text}" if error.name != "ENOSPC" else f"write error: {error.text}")
        return 1
    if is_partial(message):
        complain(proc, sys, "connection closed prematurely")
        return 1
    if not quiet:
        sys.err(progress(name.rpartition("/")[2], http.size(message.body)))
    if talks:
        sys.err("written to stdout\n" if standard else f"'{name}' saved\n")
    if not standard:
        sys.close(fd)
    return 0
