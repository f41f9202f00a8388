"""`python -m http.server`: files of a directory, with its own words in the log."""

from __future__ import annotations

from ....times import http_date, stamp
from ... import http
from ...process import Errno, Process
from ...served_files import find_file, mime_type
from ...serving import Answer, listen_on, serve_http
from ...system import Sys


def is_server(proc: Process) -> bool:
    return "listening" in proc["data"]


def serve(proc: Process, sys: Sys) -> int:
    return serve_http(proc, sys, _answer)


def http_server(proc: Process, sys: Sys, words: list[str]) -> int:
    """Reads the options, listens and serves."""
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
    return serve(proc, sys)


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    def log(text: str) -> None:
        sys.err(f"{peer} - - [{stamp(sys.now, '%d/%b/%Y %H:%M:%S')}] {text}\n")

    version = proc["data"].get("version", "3.13.7")
    head = [("Server", f"SimpleHTTP/0.6 Python/{version}"), ("Date", http_date(sys.now)), ("Connection", "close")]
    kind, path = find_file(sys, proc["cwd"].rstrip("/") + request.path, ["index.html", "index.htm"])
    if request.method not in ("GET", "HEAD"):
        status, body = 501, f"<p>Error code: 501</p>\n<p>Message: Unsupported method ('{request.method}').</p>\n"
    elif kind == "file":
        status, body = 200, sys.read_file(path)
        head.append(("Last-Modified", http_date(sys.look(path).inode["mt"])))
    elif kind == "directory":
        status, body = 200, listing(request.path, sys.listdir(path))
    else:
        status, body = 404, NOT_FOUND
        log("code 404, message File not found")
    log(f'"{request.start}" {status} -')
    kind_of = mime_type(path) if kind == "file" else "text/html; charset=utf-8"
    return http.response(status, body, [*head, ("Content-type", kind_of)], {404: "File not found"}.get(status, ""))


def listing(path: str, names: list[str]) -> str:
    """A directory's page."""
    rows = "".join(f'<li><a href="{name}">{name}</a></li>\n' for name in names)
    return (
        f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Directory listing for {path}</title>\n</head>\n<body>\n'
        f"<h1>Directory listing for {path}</h1>\n<hr>\n<ul>\n{rows}</ul>\n<hr>\n</body>\n</html>\n"
    )


NOT_FOUND = (
    '<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n        <title>Error response</title>\n    </head>\n'
    "    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n"
    "        <p>Error code explanation: 404 - Nothing matches the given URI.</p>\n    </body>\n</html>\n"
)
