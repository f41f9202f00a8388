"""How nginx answers a request: its locations, its pages, its log lines."""

from __future__ import annotations

import re

from ...times import clf_time, http_date, stamp
from .. import http
from ..image import canonical, release
from ..linear import compiled
from ..process import Data, Errno, Process
from ..regex_match import Match
from ..served_files import find_file, mime_type
from ..serving import Answer, Proxy
from ..system import Sys
from .nginx_config import Directive
from .nginx_gzip import gzipped

LATEST = "1.29.3"


def version(sys: Sys) -> str:
    """From the image's tag."""
    name, tag, _ = canonical(str(sys.container["image"]))
    return release(f"docker.io/library/nginx:{tag}") if name.endswith(("/nginx", "/nginx-unprivileged")) else LATEST


def is_modern(sys: Sys) -> bool:
    """From 1.19 on the image has an entry point that talks, and from then on nginx logs notices."""
    return [int(part) for part in version(sys).split(".")][:2] >= [1, 19]


def notice(sys: Sys, level: str, *lines: str, pid: int = 0) -> None:
    """Lines of the error log; `pid`: the process (and thread) that writes them, this one when it is not said."""
    data, pid = sys.proc["data"], pid or sys.proc["pid"]
    begin = f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} [{level}] {pid}#{pid}: "
    sys.write(data.get("logs", {}).get(data.get("errors"), 2), "".join([f"{begin}{line}\n" for line in lines]))


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    """One request: the server, the location and its directives, then a line in the access log."""
    mine = _Request(proc, sys, port, request, peer)
    found = mine.packed(mine.answer()) if request.version.startswith("HTTP/") else page(sys, 400, [("Connection", "close")])
    message = found.failed if isinstance(found, Proxy) else found
    assert isinstance(message, http.Message)
    file, form = mine.server["access"]
    if file in proc["data"]["logs"]:
        mine.status = 200 if isinstance(found, Proxy) else message.status
        mine.length = 0 if request.method == "HEAD" or isinstance(found, Proxy) else http.size(message.body)
        sys.write(proc["data"]["logs"][file], mine.text(proc["data"]["formats"][form], logged=True) + "\n")
    return found


class _Request:
    """The life of one request; lives for one turn."""

    def __init__(self, proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> None:
        self.proc, self.sys, self.port, self.request, self.peer = proc, sys, port, request, peer
        self.host = request.get("Host").split(":")[0]
        fitting = [one for one in proc["data"]["servers"] if any(listen[1] == port for listen in one["listens"])]
        self.server: Data = next((one for one in fitting if self.host in one["names"]), fitting[0])
        self.uri = request.path
        self.status, self.length = 200, 0  # of the answer, for the log

    def answer(self) -> Answer:
        for _ in range(10):  # NGX_HTTP_MAX_URI_CHANGES
            location = _location(self.server["block"], self.uri)
            found = self._in(location)
            if found is not None:
                return found
        return page(self.sys, 500, [])

    def packed(self, found: Answer) -> Answer:
        """By gzip where its directives say so: those of the location, of its server, of what is around."""
        if not isinstance(found, http.Message):
            return found
        inner = (location[2] or []) if (location := _location(self.server["block"], self.uri)) else []
        settings = {**self.server.get("gzip", {}), **{entry[0]: entry[1] for entry in (*self.server["block"], *inner) if entry[0].startswith("gzip")}}
        return gzipped(found, self.request, settings) if settings else found

    def text(self, text: str, logged: bool = False) -> str:
        """Variables in place; in a log an empty one is a dash."""
        if "$" not in text:
            return text
        query = self.request.target.partition("?")[2]
        values: dict[str, str] = {
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
            "status": str(self.status),
            "body_bytes_sent": str(self.length),
            "bytes_sent": str(self.length + 240),
            "request": self.request.start,
            "time_local": clf_time(self.sys.now),
            "time_iso8601": stamp(self.sys.now, "%Y-%m-%dT%H:%M:%S+00:00"),
            "msec": f"{self.sys.now / 1000:.3f}",
            "request_time": "0.000",
            "request_length": str(len(self.request.text())),
            "remote_user": "",
            "server_protocol": self.request.version,
            "proxy_add_x_forwarded_for": self.peer,
            "nginx_version": version(self.sys),
        }

        def one(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name.startswith("http_") and name != "http_host":
                value = self.request.get(name[5:].replace("_", "-"))
            else:
                value = values.get(name, "")
            return value or ("-" if logged else "")

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
                found = compiled(arguments[0]).search(self.uri)
                changed = self.uri if found is None else _filled(arguments[1], found)
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
        return reply(self.sys, code, text, [("Content-Type", (one.get("default_type") or ["application/octet-stream"])[0]), *extra])

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
            (self.text(arguments[1]) for kind, arguments, _ in scope if kind == "proxy_set_header" and arguments[0].lower() == "host"),
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
            f"<html>\r\n<head><title>Index of {self.uri}</title></head>\r\n<body>\r\n<h1>Index of {self.uri}</h1><hr><pre><a "
            f'href="../">../</a>\n{rows}'
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
            pid=self.proc["data"]["worker"],
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
            if compiled(entry[1][1], re.IGNORECASE if entry[1][0] == "~*" else 0).search(path):
                return entry
    return best


def _filled(replacement: str, found: Match) -> str:
    """What `rewrite` puts in the URI's place: $1 to $9 are the groups of its pattern."""
    groups = found.groups()
    return re.sub(r"\$(\d)", lambda at: groups[int(at[1]) - 1] or "" if 0 < int(at[1]) <= len(groups) else "", replacement)


def reply(sys: Sys, status: int, body: str, headers: list[tuple[str, str]]) -> http.Message:
    return http.response(status, body, [("Server", f"nginx/{version(sys)}"), ("Date", http_date(sys.now)), *headers])


def _title(status: int) -> str:
    words = {302: "Moved Temporarily", 405: "Not Allowed", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
    return f"{status} {words.get(status, http.REASONS.get(status, ''))}"


def page(sys: Sys, status: int, headers: list[tuple[str, str]]) -> http.Message:
    """nginx's own page for a status."""
    title = _title(status)
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/"
        f"{version(sys)}"
        "</center>\r\n</body>\r\n</html>\r\n"
    )
    found = reply(sys, status, body, [("Content-Type", "text/html"), *headers])
    found.start = f"HTTP/1.1 {title}"
    return found
