"""nginx: the official image's program, the part of its configuration language that Pods use, its pages and its log.

Read: http, server, upstream, listen, server_name, location (=, ^~, ~, prefix), root, alias, index, try_files, return, rewrite to a path,
add_header, default_type, proxy_pass, proxy_set_header Host, error_page, deny all, stub_status, autoindex, include, variables. Other
directives that nginx knows are accepted and do nothing; unknown ones are refused in its words. Source: nginx.org/en/docs.
"""

from __future__ import annotations

import re
from typing import Any

from .. import dns, http, sockets
from ..image import Entry, Image, add
from ..process import CHLD, HUP, INT, QUIT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, Proxy, clf_time, find_file, http_date, mime_type, serve_http, stamp
from ..system import Sys
from .base import base_tree
from .nginx_config import ConfigError, Directive, check, load

TAGS = (
    "1.7.9",
    "1.14",
    "1.14.1",
    "1.14.2",
    "1.15",
    "1.15.4",
    "1.15.12",
    "1.16",
    "1.16.0",
    "1.16.1",
    "1.17",
    "1.17.10",
    "1.18",
    "1.18.0",
    "1.19",
    "1.19.10",
    "1.20",
    "1.20.2",
    "1.21",
    "1.21.6",
    "1.22",
    "1.22.1",
    "1.23",
    "1.23.4",
    "1.24",
    "1.24.0",
    "1.25",
    "1.25.3",
    "1.25.5",
    "1.26",
    "1.26.3",
    "1.27",
    "1.27.0",
    "1.27.1",
    "1.27.5",
    "1.28",
    "1.28.0",
    "1.29",
    "1.29.3",
    "1",
    "latest",
    "stable",
    "mainline",
    "perl",
    "bookworm",
    "1-bookworm",
)
ALPINE_TAGS = (
    "alpine",
    "stable-alpine",
    "mainline-alpine",
    "1-alpine",
    "1.29-alpine",
    "1.28-alpine",
    "1.27-alpine",
    "1.26-alpine",
    "1.25-alpine",
    "1.24-alpine",
    "1.23-alpine",
    "1.22-alpine",
    "1.21-alpine",
    "1.20-alpine",
    "1.19-alpine",
    "1.18-alpine",
    "1.17-alpine",
    "1.16-alpine",
    "1.15-alpine",
    "1.14-alpine",
    "1.27.0-alpine",
    "1.27-alpine-slim",
    "alpine-slim",
)
FULL_VERSION = {
    "1.14": "1.14.2",
    "1.15": "1.15.12",
    "1.16": "1.16.1",
    "1.17": "1.17.10",
    "1.18": "1.18.0",
    "1.19": "1.19.10",
    "1.20": "1.20.2",
    "1.21": "1.21.6",
    "1.22": "1.22.1",
    "1.23": "1.23.4",
    "1.24": "1.24.0",
    "1.25": "1.25.5",
    "1.26": "1.26.3",
    "1.27": "1.27.5",
    "1.28": "1.28.0",
    "1.29": "1.29.3",
    "stable": "1.28.0",
}
LATEST = "1.29.3"
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
PAGE_50X = (
    "<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<h1>An error occurred.</h1>\n</body>\n</html>\n"
)
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


def version(sys: Sys) -> str:
    """From the image's tag."""
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].partition("@")[0].split("-")[0]
    return FULL_VERSION.get(tag) or (tag if re.fullmatch(r"\d+\.\d+\.\d+", tag) else LATEST)


def is_modern(sys: Sys) -> bool:
    """From 1.19 on the image has an entry point that talks, and from then on nginx logs notices."""
    return [int(part) for part in version(sys).split(".")][:2] >= [1, 19]


def notice(sys: Sys, level: str, text: str, who: str = "1#1") -> None:
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} [{level}] {who}: {text}\n")


# ---- processes


def entrypoint(proc: Process, sys: Sys) -> int | None:
    """/docker-entrypoint.sh of the image."""
    words = proc["argv"][1:]
    if words and words[0] in ("nginx", "nginx-debug") and is_modern(sys):
        me, scripts = "/docker-entrypoint.sh", "/docker-entrypoint.d"
        sys.out(
            f"{me}: {scripts}/ is not empty, will attempt to perform configuration\n{me}: Looking for shell scripts in {scripts}/\n"
            f"{me}: Launching {scripts}/10-listen-on-ipv6-by-default.sh\n"
            "10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf\n"
            "10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf\n"
            f"{me}: Sourcing {scripts}/15-local-resolvers.envsh\n{me}: Launching {scripts}/20-envsubst-on-templates.sh\n"
            f"{me}: Launching {scripts}/30-tune-worker-processes.sh\n{me}: Configuration complete; ready for start up\n"
        )
    try:
        sys.exec(words)
    except Errno as error:
        sys.err(
            f"/docker-entrypoint.sh: line 47: exec: {words[0] if words else ''}: {'not found' if error.name == 'ENOENT' else error.text}\n"
        )
    return 127


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    """The master process; it does its worker's work too, so that a request takes one turn."""
    data = proc["data"]
    if "servers" not in data:
        code = _start(proc, sys)
        if code is not None:
            return code
    if event is not None and event["on"] == "child":
        while sys.wait(block=False) is not None:
            _spawn_worker(proc, sys)
    return serve_http(proc, sys, answer)


def _start(proc: Process, sys: Sys) -> int | None:
    data, arguments = proc["data"], proc["argv"][1:]
    if "-v" in arguments or "-V" in arguments:
        sys.err(f"nginx version: nginx/{version(sys)}\n")
        return 0
    if "-s" in arguments:
        return _signal_master(sys, arguments)
    path = arguments[arguments.index("-c") + 1] if "-c" in arguments[:-1] else CONFIG
    try:
        found = check(load(sys, path), path)
        for name, port in found["hosts"]:
            if not dns.is_address(name) and not sockets.resolve(sys, name)[1]:
                raise ConfigError(f'host not found in upstream "{name}{"" if port in (0, 80) else f":{port}"}"')
    except ConfigError as error:
        if "-t" not in arguments and is_modern(sys):
            notice(sys, "emerg", str(error))
        sys.err(f"nginx: [emerg] {error}\n")
        if "-t" in arguments:
            sys.err(f"nginx: configuration file {path} test failed\n")
        return 1
    if "-t" in arguments:
        sys.err(f"nginx: the configuration file {path} syntax is ok\nnginx: configuration file {path} test is successful\n")
        return 0
    data.update(servers=found["servers"], upstreams=found["upstreams"], listening={}, connections={}, turn=0)
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
    if is_modern(sys):
        for text in (
            'using the "epoll" event method',
            f"nginx/{version(sys)}",
            "built by gcc 14.2.0 (Debian 14.2.0-19)",
            "OS: Linux 6.18.44",
            "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
            "start worker processes",
        ):
            notice(sys, "notice", text)
    proc["argv"] = [f"nginx: master process {' '.join(proc['argv'])}"]
    _spawn_worker(proc, sys)
    return None


def _spawn_worker(proc: Process, sys: Sys) -> None:
    pid = sys.spawn(["nginx: worker process"], program="nginx-worker", fds=dict.fromkeys(proc["data"]["listening"].values()))
    proc["data"]["worker"] = pid
    worker = sys.kernel.process(proc["ns"], pid)
    assert worker is not None
    worker["uid"], worker["gid"], worker["groups"] = 101, 101, [101]
    if is_modern(sys):
        notice(sys, "notice", f"start worker process {pid}", f"{proc['pid']}#{proc['pid']}")


def _signal_master(sys: Sys, arguments: list[str]) -> int:
    wish = {"stop": TERM, "quit": QUIT, "reload": HUP}.get(arguments[arguments.index("-s") + 1] if "-s" in arguments[:-1] else "")
    if wish is None:
        sys.err('nginx: invalid option: "-s"\n')
        return 1
    for proc in sys.processes():
        if proc["program"] == "nginx" and proc["argv"][0].startswith("nginx: master"):
            notice(sys, "notice", "signal process started", f"{sys.proc['pid']}#{sys.proc['pid']}")
            sys.kill(proc["pid"], wish)
            return 0
    sys.err('nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)\n')
    return 1


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM and INT are the fast, QUIT the graceful shutdown, both with code 0; HUP reads the configuration anew (nginx.org/en/docs/control.html)."""
    if n in (TERM, QUIT, INT):
        if "servers" in proc["data"] and is_modern(sys):
            notice(
                sys,
                "notice",
                f"signal {n} ({'SIGQUIT' if n == QUIT else 'SIGTERM' if n == TERM else 'SIGINT'}) received from 0, "
                f"{'shutting down' if n == QUIT else 'exiting'}",
            )
        sys.exit(0)
    if n == HUP and "servers" in proc["data"]:
        notice(sys, "notice", "signal 1 (SIGHUP) received from 0, reconfiguring")
        try:
            found = check(load(sys, CONFIG), CONFIG)
        except ConfigError as error:
            notice(sys, "emerg", str(error))
            return True
        _relisten(proc, sys, found)
        sys.interrupt()
        return True
    return n in (HUP, CHLD)


def _relisten(proc: Process, sys: Sys, found: Data) -> None:
    data = proc["data"]
    wanted = {port: address for server in found["servers"] for address, port in server["listens"]}
    for port in [port for port in data["listening"] if int(port) not in wanted]:
        sys.close(data["listening"].pop(port))
    for port, address in wanted.items():
        if str(port) not in data["listening"]:
            try:
                data["listening"][str(port)] = sockets.listen(sys, port, address)
            except Errno as error:
                notice(sys, "emerg", f"bind() to {address}:{port} failed (98: {error.text})")
                return
    data.update(servers=found["servers"], upstreams=found["upstreams"])


# ---- requests


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    """One request: the server, the location and its directives, then a line in the access log."""
    if not request.version.startswith("HTTP/"):
        found: Answer = page(sys, 400, [("Connection", "close")])
    else:
        found = _Request(proc, sys, port, request, peer).answer()
    message = found.failed if isinstance(found, Proxy) else found
    assert isinstance(message, http.Message)
    length = 0 if request.method == "HEAD" else http.size(message.body)
    status = 200 if isinstance(found, Proxy) else message.status
    sys.out(
        f'{peer} - - [{clf_time(sys.now)}] "{request.start}" {status} {length} "{request.get("Referer") or "-"}" '
        f'"{request.get("User-Agent") or "-"}" "{request.get("X-Forwarded-For") or "-"}"\n'
    )
    return found


class _Request:
    """The life of one request; lives for one turn."""

    def __init__(self, proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> None:
        self.proc, self.sys, self.port, self.request, self.peer = proc, sys, port, request, peer
        self.host = request.get("Host").split(":")[0]
        fitting = [one for one in proc["data"]["servers"] if any(listen[1] == port for listen in one["listens"])]
        self.server: Data = next((one for one in fitting if self.host in one["names"]), fitting[0])
        self.uri = request.path

    def answer(self) -> Answer:
        for _ in range(10):  # NGX_HTTP_MAX_URI_CHANGES
            location = _location(self.server["block"], self.uri)
            found = self._in(location)
            if found is not None:
                return found
        return page(self.sys, 500, [])

    def text(self, text: str) -> str:
        """Variables in place."""
        if "$" not in text:
            return text
        query = self.request.target.partition("?")[2]
        values = {
            "uri": self.uri,
            "request_uri": self.request.target,
            "host": self.host,
            "http_host": self.request.get("Host"),
            "scheme": "http",
            "remote_addr": self.peer,
            "hostname": self.sys.hostname,
            "server_port": str(self.port),
            "args": query,
            "query_string": query,
            "request_method": self.request.method,
            "server_addr": str(self.sys.sandbox["ip"]),
            "is_args": "?" if query else "",
            "server_name": (self.server["names"] or [""])[0],
            "status": "200",
            "server_protocol": self.request.version,
            "proxy_add_x_forwarded_for": self.peer,
            "nginx_version": version(self.sys),
        }

        def one(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name.startswith("http_"):
                return self.request.get(name[5:].replace("_", "-"))
            return values.get(name, "")

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", one, text)

    def _in(self, location: Directive | None) -> Answer | None:
        """The answer of a location; None: the URI has changed, look again."""
        inner: list[Directive] = location[2] or [] if location else []
        scope = [*inner, *(entry for entry in self.server["block"] if entry[2] is None)]
        one = {entry[0]: entry[1] for entry in reversed(scope)}
        extra = [(entry[1][0], self.text(entry[1][1])) for entry in scope if entry[0] == "add_header" and len(entry[1]) > 1]
        for name, arguments, _ in scope:
            if name == "return" and arguments:
                return self._return(arguments, one, extra)
            if name == "rewrite" and len(arguments) > 1:
                changed = (
                    re.sub(arguments[0], re.sub(r"\$(\d)", r"\\\1", arguments[1]), self.uri, count=1)
                    if re.search(arguments[0], self.uri)
                    else self.uri
                )
                if changed != self.uri:
                    if "redirect" in arguments or "permanent" in arguments:
                        return page(self.sys, 301 if "permanent" in arguments else 302, [("Location", changed), *extra])
                    self.uri = changed
                    if "break" not in arguments:
                        return None
        if one.get("deny") == ["all"]:
            return self._error(403, one, extra)
        if "stub_status" in one:
            count = self.sys.proc["data"]["turn"] = self.sys.proc["data"]["turn"] + 1
            return reply(
                self.sys,
                200,
                f"Active connections: 1 \nserver accepts handled requests\n {count} {count} {count} \nReading: 0 Writing: 1 Waiting: 0 \n",
                [("Content-Type", "text/plain"), *extra],
            )
        if one.get("proxy_pass"):
            return self._proxy(one["proxy_pass"][0], scope, location)
        if self.request.method not in ("GET", "HEAD"):
            return self._error(405, one, extra)
        return self._file(location, one, extra)

    def _return(self, arguments: list[str], one: dict[str, list[str]], extra: list[tuple[str, str]]) -> Answer:
        if not arguments[0].isdigit():
            return page(self.sys, 302, [("Location", self.text(arguments[0])), *extra])
        code = int(arguments[0])
        text = self.text(arguments[1]) if len(arguments) > 1 else ""
        if code in (301, 302, 303, 307, 308) and text:
            return page(self.sys, code, [("Location", text), *extra])
        if not text and code >= 400:
            return self._error(code, one, extra)
        return reply(
            self.sys, code, text, [("Content-Type", (one.get("default_type") or ["application/octet-stream"])[0]), *extra]
        )

    def _proxy(self, url: str, scope: list[Directive], location: Directive | None) -> Proxy:
        url = self.text(url)
        scheme, _, rest = url.partition("://")
        name, slash, path = rest.partition("/")
        members = self.proc["data"]["upstreams"].get(name)
        if members:
            turn = self.proc["data"]["turn"]
            self.proc["data"]["turn"] = turn + 1
            name = members[turn % len(members)]
        target = self.uri
        if slash:  # with a URI, the part that matched the location is replaced by it
            prefix = location[1][-1] if location else "/"
            target = "/" + path + self.uri.removeprefix(prefix)
        query = self.request.target.partition("?")[2]
        host = next(
            (
                self.text(arguments[1])
                for kind, arguments, _ in scope
                if kind == "proxy_set_header" and arguments[0].lower() == "host"
            ),
            name,
        )
        full = f"{scheme}://{name}{target}{'?' + query if query else ''}"
        return Proxy(full, page(self.sys, 502, []), host)

    def _file(self, location: Directive | None, one: dict[str, list[str]], extra: list[tuple[str, str]]) -> Answer | None:
        index = one.get("index") or ["index.html"]
        if one.get("try_files"):
            *names, last = one["try_files"]
            for name in names:
                kind, file = find_file(self.sys, self._path(location, one, self.text(name)), index)
                if kind == "file" and (not name.endswith("/") or file):
                    return self._send(file, extra)
            if last.startswith("="):
                return self._error(int(last[1:]), one, extra)
            self.uri = self.text(last)
            kind, file = find_file(self.sys, self._path(location, one, self.uri), index)
            return self._send(file, extra) if kind == "file" else None
        path = self._path(location, one, self.uri)
        kind, file = find_file(self.sys, path, index)
        if kind == "directory" and not self.uri.endswith("/"):
            return page(self.sys, 301, [("Location", f"http://{self.request.get('Host')}{self.uri}/"), *extra])
        if kind == "file":
            try:
                return self._send(file, extra)
            except Errno:
                kind = "forbidden"
        if kind == "directory":
            if one.get("autoindex") == ["on"]:
                return self._listing(path)
            self._complain(f'directory index of "{path}" is forbidden')
            return self._error(403, one, extra)
        words = {"missing": "2: No such file or directory", "forbidden": "13: Permission denied"}[kind]
        self._complain(f'open() "{path}" failed ({words})')
        return self._error(404 if kind == "missing" else 403, one, extra)

    def _path(self, location: Directive | None, one: dict[str, list[str]], uri: str) -> str:
        if "alias" in one:
            return one["alias"][0] + uri.removeprefix(str(location[1][-1]) if location else "/")
        return (one.get("root") or ["/etc/nginx/html"])[0].rstrip("/") + uri

    def _send(self, file: str, extra: list[tuple[str, str]]) -> http.Message:
        body = self.sys.read_file(file)
        changed = self.sys.look(file).inode["mt"]
        return reply(
            self.sys,
            200,
            body,
            [
                ("Content-Type", mime_type(file)),
                ("Last-Modified", http_date(changed)),
                ("ETag", f'"{changed // 1000:x}-{http.size(body):x}"'),
                ("Accept-Ranges", "bytes"),
                *extra,
            ],
        )

    def _listing(self, path: str) -> http.Message:
        rows = "".join(f'<a href="{name}">{name}</a>\n' for name in self.sys.listdir(path))
        body = (
            f'<html>\r\n<head><title>Index of {self.uri}</title></head>\r\n<body>\r\n<h1>Index of {self.uri}</h1><hr><pre><a href="../">../</a>\n{rows}'
            "</pre><hr></body>\r\n</html>\r\n"
        )
        return reply(self.sys, 200, body, [("Content-Type", "text/html")])

    def _error(self, code: int, one: dict[str, list[str]], extra: list[tuple[str, str]]) -> Answer:
        pages = [entry[1] for entry in self.server["block"] if entry[0] == "error_page"]
        for words in pages:
            if str(code) in words[:-1]:
                kind, file = find_file(self.sys, self._path(_location(self.server["block"], words[-1]), one, words[-1]))
                if kind == "file":
                    message = self._send(file, extra)
                    message.start = f"HTTP/1.1 {_title(code)}"
                    return message
        return page(self.sys, code, extra)

    def _complain(self, text: str) -> None:
        names = self.server["names"]
        notice(
            self.sys,
            "error",
            f'*1 {text}, client: {self.peer}, server: {names[0] if names else ""}, request: "{self.request.start}", '
            f'host: "{self.request.get("Host")}"',
            f"{self.proc['data']['worker']}#{self.proc['data']['worker']}",
        )


def _location(block: list[Directive], path: str) -> Directive | None:
    best: Directive | None = None
    firm = False
    for entry in block:
        name, arguments, inner = entry
        if name != "location" or inner is None or not arguments:
            continue
        sign = arguments[0] if len(arguments) > 1 else ""
        if sign == "=" and path == arguments[1]:
            return entry
        if sign in ("", "^~") and path.startswith(arguments[-1]) and (best is None or len(arguments[-1]) > len(best[1][-1])):
            best, firm = entry, sign == "^~"
    if firm:
        return best
    for entry in block:
        if entry[0] == "location" and len(entry[1]) > 1 and entry[1][0] in ("~", "~*"):
            if re.search(entry[1][1], path, re.IGNORECASE if entry[1][0] == "~*" else 0):
                return entry
    return best


def reply(sys: Sys, status: int, body: str, headers: list[tuple[str, str]]) -> http.Message:
    return http.response(status, body, [("Server", f"nginx/{version(sys)}"), ("Date", http_date(sys.now)), *headers])


def _title(status: int) -> str:
    words = {302: "Moved Temporarily", 405: "Not Allowed", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
    return f"{status} {words.get(status, http.REASONS.get(status, ''))}"


def page(sys: Sys, status: int, headers: list[tuple[str, str]]) -> http.Message:
    """nginx's own page for a status."""
    title = _title(status)
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/{version(sys)}"
        "</center>\r\n</body>\r\n</html>\r\n"
    )
    found = reply(sys, status, body, [("Content-Type", "text/html"), *headers])
    found.start = f"HTTP/1.1 {title}"
    return found


def _worker(proc: Process, sys: Sys, event: Event) -> None:
    sys.pause()


register(Program("docker-entrypoint-nginx", entrypoint))
register(Program("nginx", lambda proc, sys: run(proc, sys, None), run, on_signal, None, MEMORY))
register(Program("nginx-worker", lambda proc, sys: _worker(proc, sys, None), _worker, None, None, MEBIBYTE))


def _tree(alpine: bool) -> dict[str, Any]:
    return base_tree(
        "alpine" if alpine else "debian",
        {
            "usr": {
                "sbin": {"nginx": Entry(program="nginx", size=1_240_136)},
                "share": {"nginx": {"html": {"index.html": INDEX, "50x.html": PAGE_50X}}},
            },
            "etc": {
                "nginx": {
                    "nginx.conf": NGINX_CONF,
                    "conf.d": {"default.conf": DEFAULT_CONF},
                    "mime.types": "types {\n    text/html html htm shtml;\n}\n",
                }
            },
            "docker-entrypoint.sh": Entry(program="docker-entrypoint-nginx", size=1_620),
            "docker-entrypoint.d": {"10-listen-on-ipv6-by-default.sh": Entry("", mode=0o755)},
            "var": {
                "log": {"nginx": {"access.log": Entry(link="/dev/stdout"), "error.log": Entry(link="/dev/stderr")}},
                "cache": {"nginx": {}},
            },
        },
        users={"nginx": 101},
        extra=("curl",),
    )


for _tags, _alpine, _size in ((TAGS, False, 59_806_211), (ALPINE_TAGS, True, 20_512_345)):
    add(
        Image(
            "docker.io/library/nginx",
            _tags,
            _tree(_alpine),
            _size,
            ("/docker-entrypoint.sh",),
            ("nginx", "-g", "daemon off;"),
            {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NGINX_VERSION": LATEST},
            ports=(80,),
            stop_signal="SIGQUIT",
        )
    )
