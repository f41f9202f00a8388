"""busybox httpd: serves a directory. -f foreground, -p [ADDR:]PORT, -h HOME, -v and -vv verbose."""

from __future__ import annotations

from ...times import http_date
from .. import http, sockets
from ..process import Errno, Process
from ..program import Event, tool
from ..served_files import find_file, mime_type
from ..serving import Answer, serve_http
from ..system import Sys
from .common import complain
from .net_client import parse_busybox


@tool("httpd")
def httpd(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "listening" not in data:
        found, _ = parse_busybox(proc, sys, "fvip:h:c:r:u:d:e:m:")
        options = dict(found)
        address, _, port = options.get("p", "80").rpartition(":")
        home = options.get("h", ".")
        try:
            sys.chdir(home)
        except Errno as error:
            complain(proc, sys, f"can't change directory to '{home}': {error.text}")
            return 1
        if not port.isdigit():
            complain(proc, sys, f"invalid number '{port}'")
            return 1
        try:
            listening = {port: sockets.listen(sys, int(port), address or "0.0.0.0")}
        except Errno as error:
            complain(proc, sys, f"bind: {error.text}")
            return 1
        memory = {"listening": listening, "connections": {}, "verbose": sum(letter == "v" for letter, _ in found)}
        if "f" not in options:
            sys.spawn(proc["argv"], program=proc["program"], data=memory, group=0)
            return 0
        data.update(memory)
    return serve_http(proc, sys, answer)


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    found = _page(proc, sys, request)
    if proc["data"]["verbose"]:
        sys.err(
            f"[::ffff:{peer}]: response:{found.status}\n"
            if proc["data"]["verbose"] == 1
            else f"[::ffff:{peer}]: url:{request.target}\n[::ffff:{peer}]: response:{found.status}\n"
        )
    return found


def _page(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    if request.method not in ("GET", "HEAD"):
        return _error(sys, 501)
    kind, path = find_file(sys, proc["cwd"].rstrip("/") + request.path, ["index.html"])
    if kind == "directory" and not request.path.endswith("/"):
        return _answer(302, "", [("Location", request.path + "/")])
    if kind != "file":
        return _error(sys, 403 if kind == "forbidden" else 404)
    try:
        body = sys.read_file(path)
    except Errno:
        return _error(sys, 403)
    changed = sys.look(path).inode["mt"]
    return _answer(
        200,
        body,
        [
            ("Content-type", mime_type(path)),
            ("Date", http_date(sys.now)),
            ("Accept-Ranges", "bytes"),
            ("Last-Modified", http_date(changed)),
            ("ETag", f'"{changed // 1000:x}-{http.size(body):x}"'),
        ],
    )


def _answer(status: int, body: str, headers: list[tuple[str, str]]) -> http.Message:
    return http.response(status, body, [*headers, ("Connection", "close")])


def _error(sys: Sys, status: int) -> http.Message:
    reason = http.REASONS[status]
    text = {404: "The requested URL was not found", 403: "", 501: "The requested method is not recognized"}[status]
    body = f"<HTML><HEAD><TITLE>{status} {reason}</TITLE></HEAD>\n<BODY><H1>{status} {reason}</H1>\n{text}\n</BODY></HTML>\n"
    return _answer(status, body, [("Content-type", "text/html"), ("Date", http_date(sys.now))])
