"""nginx: the official image's program, configuration language (the part that Pods use) and pages.

Configuration: http/server blocks with listen, server_name, root, index, location (exact, prefix), return, add_header, proxy_pass,
default_type, error_page is read and ignored. Source: nginx.org/en/docs. Exits with code 1 and nginx's own words when a port is taken.
"""

from __future__ import annotations

import re
from typing import Any

from .. import http, sockets
from ..image import Entry, Image, add
from ..process import QUIT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..system import Sys
from .base import base_tree
from .server import ACCEPT, Answer, clf_time, serve

VERSIONS = ("1.7.9", "1.14", "1.14.2", "1.15.4", "1.16", "1.16.1", "1.17", "1.18", "1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25",
            "1.25.3", "1.26", "1.27", "1.27.0", "1.28", "1.29", "latest", "stable", "mainline", "alpine", "stable-alpine", "1.27-alpine",
            "1.25-alpine", "1.28-alpine", "1.29-alpine", "perl", "1", "1-alpine")
MEMORY = 3 * MEBIBYTE
CONFIG = "/etc/nginx/nginx.conf"
NGINX_CONF = """
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /var/run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    access_log  /var/log/nginx/access.log  main;
    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
"""
DEFAULT_CONF = """server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
INDEX = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
    body {
        width: 35em;
        margin: 0 auto;
        font-family: Tahoma, Verdana, Arial, sans-serif;
    }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
TYPES = {"html": "text/html", "htm": "text/html", "css": "text/css", "js": "application/javascript", "json": "application/json",
         "txt": "text/plain", "xml": "text/xml", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "ico": "image/x-icon"}
TOKEN = re.compile(r"\s*(?:#[^\n]*|(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};\"'#]+))")


class ConfigError(Exception):
    """nginx -t's complaint."""


def tokens(text: str) -> list[str]:
    found, at = [], 0
    while match := TOKEN.match(text, at):
        if match.end() == at:
            break
        at = match.end()
        word = match.group(1)
        if word:
            found.append(word[1:-1] if word[0] in "\"'" else word)
    return found


def parse(words: list[str], path: str) -> list[list[Any]]:
    """Directives as [name, arguments, block or None]. Raises ConfigError."""
    stack: list[list[list[Any]]] = [[]]
    current: list[str] = []
    for word in words:
        if word == "{":
            block: list[list[Any]] = []
            stack[-1].append([current[0] if current else "", current[1:], block])
            stack.append(block)
            current = []
        elif word == "}":
            if len(stack) == 1:
                raise ConfigError(f'unexpected "}}" in {path}')
            if current:
                raise ConfigError(f'unexpected "}}" in {path}')
            stack.pop()
        elif word == ";":
            if current:
                stack[-1].append([current[0], current[1:], None])
            current = []
        else:
            current.append(word)
    if len(stack) > 1:
        raise ConfigError(f'unexpected end of file, expecting "}}" in {path}')
    if current:
        raise ConfigError(f'unexpected end of file, expecting ";" or "}}" in {path}')
    return stack[0]


def load(sys: Sys, path: str) -> list[list[Any]]:
    """The directives of a file with its includes in place."""
    try:
        text = sys.read_file(path)
    except Errno as error:
        raise ConfigError(f'open() "{path}" failed (2: {error.text})') from None
    return expand(sys, parse(tokens(text), path))


def expand(sys: Sys, directives: list[list[Any]]) -> list[list[Any]]:
    out: list[list[Any]] = []
    for name, arguments, block in directives:
        if name == "include" and arguments:
            pattern = arguments[0] if arguments[0].startswith("/") else "/etc/nginx/" + arguments[0]
            if "*" in pattern:
                folder, _, glob = pattern.rpartition("/")
                wanted = re.compile(re.escape(glob).replace(r"\*", ".*") + r"\Z")
                try:
                    names = sorted(name for name in sys.listdir(folder) if wanted.match(name))
                except Errno:
                    names = []
                for one in names:
                    out += load(sys, f"{folder}/{one}")
            elif "mime.types" not in pattern:
                out += load(sys, pattern)
        else:
            out.append([name, arguments, expand(sys, block) if block is not None else None])
    return out


def servers(directives: list[list[Any]]) -> list[Data]:
    """[{"ports", "names", "block"}] of all server blocks."""
    found: list[Data] = []
    for name, _, block in directives:
        if name == "http" and block:
            found += servers(block)
        elif name == "server" and block is not None:
            listens = [arguments[0] for inner, arguments, _ in block if inner == "listen" and arguments] or ["80"]
            found.append({"listens": [_listen(text) for text in listens if not text.startswith("[")], "block": block,
                          "names": [word for inner, arguments, _ in block if inner == "server_name" for word in arguments]})
    return found


def _listen(text: str) -> list[Any]:
    address, _, port = text.rpartition(":")
    return [address.replace("localhost", "127.0.0.1").replace("*", "0.0.0.0") or "0.0.0.0", int(port) if port.isdigit() else 80]


def start(proc: Process, sys: Sys) -> int | None:
    return run(proc, sys, None)


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    data = proc["data"]
    if "stop" in data:
        return 0
    if "servers" not in data:
        arguments = proc["argv"][1:]
        if "-v" in arguments or "-V" in arguments:
            sys.err(f"nginx version: nginx/{version(sys)}\n")
            return 0
        path = arguments[arguments.index("-c") + 1] if "-c" in arguments[:-1] else CONFIG
        try:
            data["servers"] = servers(load(sys, path))
        except ConfigError as error:
            sys.err(f"nginx: [emerg] {error}\n")
            if "-t" in arguments:
                sys.err(f"nginx: configuration file {path} test failed\n")
            return 1
        if "-t" in arguments:
            sys.err(f"nginx: the configuration file {path} syntax is ok\nnginx: configuration file {path} test is successful\n")
            return 0
        data["listening"] = {}
        for server in data["servers"]:
            for address, port in server["listens"]:
                if str(port) in data["listening"]:
                    continue
                try:
                    data["listening"][str(port)] = sockets.listen(sys, port, address)
                except Errno as error:
                    number = {"EADDRINUSE": 98, "EACCES": 13}.get(error.name, 99)
                    sys.err(f"nginx: [emerg] bind() to {address}:{port} failed ({number}: {error.text})\n")
                    return 1
        data[ACCEPT] = {}
    return serve(proc, sys, answer)


def version(sys: Sys) -> str:
    tag = str(sys.container.get("image", "")).rpartition(":")[2].split("-")[0]
    return tag if re.fullmatch(r"\d+\.\d+(\.\d+)?", tag) else "1.29.3"


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    """One request: location rules, then the access log line."""
    server = _server(proc["data"]["servers"], port, request.get("Host").split(":")[0])
    found = _answer(sys, server["block"], request)
    agent, referer = request.get("User-Agent") or "-", request.get("Referer") or "-"
    length = 0 if request.method == "HEAD" or isinstance(found, str) else http.size(found.body)
    status = 200 if isinstance(found, str) else found.status
    sys.out(f'{peer} - - [{clf_time(sys.now)}] "{request.start}" {status} {length} "{referer}" "{agent}" "-"\n')
    return found


def _server(blocks: list[Data], port: int, host: str) -> Data:
    fitting = [block for block in blocks if any(listen[1] == port for listen in block["listens"])]
    return next((block for block in fitting if host in block["names"]), fitting[0])


def _answer(sys: Sys, block: list[list[Any]], request: http.Message) -> Answer:
    path = request.path
    location = _location(block, path)
    scope = [*(location[2] if location else []), *[entry for entry in block if entry[2] is None]]
    extra = [(arguments[0], arguments[1]) for name, arguments, _ in scope if name == "add_header" and len(arguments) > 1]
    for name, arguments, _ in scope:
        if name == "return" and arguments:
            if arguments[0].isdigit():
                code = int(arguments[0])
                text = arguments[1] if len(arguments) > 1 else ""
                if code in (301, 302, 303, 307, 308) and text:
                    return page(sys, code, [("Location", text), *extra])
                return reply(sys, code, text.replace("\\n", "\n"), [("Content-Type", _default_type(scope)), *extra]) if text else page(sys, code, extra)
            return page(sys, 302, [("Location", arguments[0]), *extra])
        if name == "proxy_pass" and arguments:
            return arguments[0]
    alias = next((arguments[0] for name, arguments, _ in scope if name == "alias" and arguments), None)
    root = next((arguments[0] for name, arguments, _ in scope if name == "root" and arguments), "/usr/share/nginx/html")
    index = next((arguments for name, arguments, _ in scope if name == "index"), ["index.html"])
    if request.method not in ("GET", "HEAD"):
        return page(sys, 405, extra)
    prefix = location[1][-1] if location else "/"
    file = alias + path.removeprefix(prefix) if alias is not None else root.rstrip("/") + path
    return static(sys, file, index, path, extra)


def _default_type(scope: list[list[Any]]) -> str:
    return next((arguments[0] for name, arguments, _ in scope if name == "default_type" and arguments), "application/octet-stream")


def _location(block: list[list[Any]], path: str) -> list[Any] | None:
    best: list[Any] | None = None
    for entry in block:
        name, arguments, inner = entry
        if name != "location" or inner is None or not arguments:
            continue
        if arguments[0] == "=" and len(arguments) > 1:
            if path == arguments[1]:
                return entry
        elif arguments[0] in ("~", "~*") and len(arguments) > 1:
            try:
                if re.search(arguments[1], path, re.IGNORECASE if arguments[0] == "~*" else 0):
                    return entry
            except re.error:
                continue
        elif path.startswith(arguments[-1]) and (best is None or len(arguments[-1]) > len(best[1][-1])):
            best = entry
    return best


def static(sys: Sys, file: str, index: list[str], path: str, extra: list[tuple[str, str]]) -> http.Message:
    try:
        if sys.is_dir(file):
            if not path.endswith("/"):
                return page(sys, 301, [("Location", path + "/"), *extra])
            found = next((f"{file.rstrip('/')}/{name}" for name in index if sys.exists(f"{file.rstrip('/')}/{name}")), None)
            if found is None:
                sys.err(f'{_error_time(sys)} [error] 29#29: *1 directory index of "{file}" is forbidden\n')
                return page(sys, 403, extra)
            file = found
        body = sys.read_file(file)
    except Errno as error:
        code = 403 if error.name == "EACCES" else 404
        sys.err(f'{_error_time(sys)} [error] 29#29: *1 open() "{file}" failed (2: No such file or directory)\n')
        return page(sys, code, extra)
    return reply(sys, 200, body, [("Content-Type", TYPES.get(file.rpartition(".")[2], "application/octet-stream")), *extra])


def _error_time(sys: Sys) -> str:
    from ...times import rfc3339
    return rfc3339(sys.now).replace("-", "/").replace("T", " ").rstrip("Z")


def reply(sys: Sys, status: int, body: str, headers: list[tuple[str, str]]) -> http.Message:
    from .server import http_date
    return http.response(status, body, [("Server", f"nginx/{version(sys)}"), ("Date", http_date(sys.now)), *headers])


def page(sys: Sys, status: int, headers: list[tuple[str, str]]) -> http.Message:
    """nginx's own page for a status."""
    words = {302: "Moved Temporarily", 405: "Not Allowed", 503: "Service Temporarily Unavailable"}
    title = f"{status} {words.get(status, http.REASONS.get(status, ''))}"
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/{version(sys)}" \
           "</center>\r\n</body>\r\n</html>\r\n"
    answer = reply(sys, status, body, [("Content-Type", "text/html"), *headers])
    answer.start = f"HTTP/1.1 {title}"
    return answer


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM is a fast and QUIT a graceful shutdown; both end with code 0 (nginx.org/en/docs/control.html)."""
    if n in (TERM, QUIT, 2):
        proc["data"]["stop"] = True
        sys.exit(0)
    return n == 1  # HUP: reload


register(Program("nginx", start, run, on_signal, None, MEMORY))
add(Image(
    "docker.io/library/nginx", VERSIONS,
    base_tree({
        "usr": {"sbin": {"nginx": Entry(program="nginx", size=1_240_136)}, "share": {"nginx": {"html": {
            "index.html": INDEX, "50x.html": "<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<h1>An error occurred.</h1>\n"
            "</body>\n</html>\n"}}}},
        "etc": {"nginx": {"nginx.conf": NGINX_CONF, "conf.d": {"default.conf": DEFAULT_CONF}, "mime.types": "types {\n}\n"}},
        "docker-entrypoint.sh": Entry("#!/bin/sh\nexec \"$@\"\n", mode=0o755),
        "docker-entrypoint.d": {},
        "var": {"log": {"nginx": {"access.log": Entry(link="/dev/stdout"), "error.log": Entry(link="/dev/stderr")}}, "cache": {"nginx": {}}},
    }, bash=True, curl=True),
    size=67_000_000, entrypoint=("/docker-entrypoint.sh",), cmd=("nginx", "-g", "daemon off;"),
    env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NGINX_VERSION": "1.29.3"}, ports=(80,),
    stop_signal="SIGQUIT"))
