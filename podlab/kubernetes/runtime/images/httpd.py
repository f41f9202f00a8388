"""Apache httpd: the official image, and centos/httpd, which has its files elsewhere. Its configuration: Listen, ServerRoot, DocumentRoot,
DirectoryIndex, ServerName, Include; the rest is accepted."""

from __future__ import annotations

from ...times import clf_time, http_date, stamp
from .. import http
from ..image import Entry, Image, add, release
from ..process import HUP, INT, TERM, USR1, WINCH, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..served_files import find_file, mime_type
from ..serving import Answer, listen_on, serve_http
from ..system import Sys
from .base import PATH, base_tree

ROOT = "/usr/local/apache2"
CONF = """ServerRoot "/usr/local/apache2"
Listen 80
ServerAdmin you@example.com
DocumentRoot "/usr/local/apache2/htdocs"
<Directory "/usr/local/apache2/htdocs">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
<IfModule dir_module>
    DirectoryIndex index.html
</IfModule>
ErrorLog /proc/self/fd/2
LogLevel warn
<IfModule log_config_module>
    LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
    CustomLog /proc/self/fd/1 common
</IfModule>
"""
VERSION = "2.4.65"
CENTOS = "/etc/httpd"
TEST_PAGE = """<!DOCTYPE html>
<html><head>
<title>Apache HTTP Server Test Page powered by CentOS</title>
</head><body>
<h1>Testing 123..</h1>
</body></html>
"""
"""What CentOS's welcome.conf shows, with 403, where a directory has no index."""


class ConfigError(Exception):
    """A line that Apache refuses."""


def configuration(sys: Sys, path: str) -> dict[str, list[str]]:
    """Directive (lower case) -> its values in order. Raises ConfigError."""
    try:
        text = sys.read_file(path)
    except Errno as error:
        raise ConfigError(f"httpd: Could not open configuration file {path}: {error.text}") from None
    found: dict[str, list[str]] = {}
    root = path.rpartition("/conf/")[0]
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].strip().split(None, 1)
        if not words or words[0].startswith("<"):
            continue
        if not words[0].isalnum():
            raise ConfigError(
                f"AH00526: Syntax error on line {number} of {path}:\nInvalid command '{words[0]}', perhaps misspelled or "
                f"defined by a module not "
                "included in the server configuration"
            )
        value = (words[1] if len(words) > 1 else "").strip().strip('"')
        if words[0].lower() in ("include", "includeoptional") and "*" not in value:
            for name, values in configuration(sys, value if value.startswith("/") else f"{root}/{value}").items():
                found.setdefault(name, []).extend(values)
        found.setdefault(words[0].lower(), []).append(value)
    return found


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "listening" not in data:
        root = CENTOS if sys.find(f"{CENTOS}/conf/httpd.conf") is not None else ROOT
        try:
            conf = configuration(sys, f"{root}/conf/httpd.conf")
        except ConfigError as error:
            sys.err(f"{error}\n")
            return 1
        ports = [value.split()[0] for value in conf.get("listen", ())]
        if not ports:
            sys.err("no listening sockets available, shutting down\nAH00015: Unable to open logs\n")
            return 1
        ip = sys.sandbox["ip"]
        if "servername" not in conf:
            sys.err(
                f"AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {ip}. Set the "
                f"'ServerName' directive "
                "globally to suppress this message\n"
            )
        try:
            listen_on(proc, sys, [int(port.rpartition(":")[2]) for port in ports])
        except Errno as error:
            sys.err(
                f"(98){error.text}: AH00072: make_sock: could not bind to address 0.0.0.0:{ports[0].rpartition(':')[2]}\n"
                "no listening sockets available, shutting down\nAH00015: Unable to open logs\n"
            )
            return 1
        data.update(root=conf.get("documentroot", [root + "/htdocs"])[-1], lists=root == ROOT)
        data.update(index=conf.get("directoryindex", ["index.html"])[-1].split())
        _note(sys, "mpm_event:notice", f"AH00489: Apache/{_version(sys)} (Unix) configured -- resuming normal operations")
        _note(sys, "core:notice", "AH00094: Command line: 'httpd -D FOREGROUND'")
    return serve_http(proc, sys, answer)


def _note(sys: Sys, what: str, text: str) -> None:
    sys.err(f"[{stamp(sys.now, '%a %b %d %H:%M:%S.%f %Y')}] [{what}] [pid {sys.proc['pid']}:tid {sys.proc['pid']}] {text}\n")


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    found = _page(proc, sys, request)
    sys.out(f'{peer} - - [{clf_time(sys.now)}] "{request.start}" {found.status} {http.size(found.body) or "-"}\n')
    return found


def _page(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    if request.method not in ("GET", "HEAD", "POST", "OPTIONS"):
        return _error(sys, request, 405, "The requested method is not allowed for this URL.")
    kind, path = find_file(sys, proc["data"]["root"].rstrip("/") + request.path, proc["data"]["index"])
    if kind == "directory" and not request.path.endswith("/"):
        return _error(sys, request, 301, f'The document has moved <a href="http://{request.get("Host")}{request.path}/">here</a>.')
    if kind == "directory" and not proc["data"]["lists"]:
        return _answer(sys, 403, TEST_PAGE, [("Content-Type", "text/html; charset=UTF-8")])
    if kind == "directory":
        rows = "".join(f'<li><a href="{name}"> {name}</a></li>\n' for name in sys.listdir(path))
        return _answer(
            sys,
            200,
            f'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>Index of {request.path}</'
            f"title>\n </head>\n"
            f" <body>\n<h1>Index of {request.path}</h1>\n<ul>{rows}</ul>\n</body></html>\n",
            [("Content-Type", "text/html;charset=ISO-8859-1")],
        )
    if kind == "missing":
        return _error(sys, request, 404, "The requested URL was not found on this server.")
    try:
        body = sys.read_file(path)
    except Errno:
        return _error(sys, request, 403, "You don't have permission to access this resource.")
    changed = sys.look(path).inode["mt"]
    return _answer(
        sys,
        200,
        body,
        [
            ("Last-Modified", http_date(changed)),
            ("ETag", f'"{http.size(body):x}-{changed:x}"'),
            ("Accept-Ranges", "bytes"),
            ("Content-Type", mime_type(path, "text/plain")),
        ],
    )


def _version(sys: Sys) -> str:
    return release(sys.container["image"], VERSION)


def _answer(sys: Sys, status: int, body: str, headers: list[tuple[str, str]]) -> http.Message:
    return http.response(status, body, [("Date", http_date(sys.now)), ("Server", f"Apache/{_version(sys)} (Unix)"), *headers])


def _error(sys: Sys, request: http.Message, status: int, text: str) -> http.Message:
    body = (
        f'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>{status} {http.REASONS[status]}</title>\n</'
        f"head><body>\n"
        f"<h1>{http.REASONS[status]}</h1>\n<p>{text}</p>\n</body></html>\n"
    )
    moved = [("Location", f"http://{request.get('Host')}{request.path}/")] if status == 301 else []
    return _answer(sys, status, body, [*moved, ("Content-Type", "text/html; charset=iso-8859-1")])


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM and INT stop at once, WINCH gracefully (the image's STOPSIGNAL), HUP and USR1 restart (httpd.apache.org/docs/2.4/stopping.html)."""
    if n in (TERM, INT, WINCH):
        _note(
            sys,
            "mpm_event:notice",
            "AH00491: caught SIGTERM, shutting down" if n == TERM else "AH00492: caught SIGWINCH, shutting down gracefully",
        )
        sys.exit(0)
    return n in (HUP, USR1)


register(Program("apache2", lambda proc, sys: run(proc, sys, None), run, on_signal, 6 * MEBIBYTE))
FOREGROUND = '#!/bin/sh\nset -e\nrm -f /usr/local/apache2/logs/httpd.pid\nexec httpd -DFOREGROUND "$@"\n'
FILES = {
    "usr": {
        "local": {
            "bin": {"httpd-foreground": Entry(FOREGROUND, mode=0o755)},
            "apache2": {
                "bin": {"httpd": Entry(program="apache2", size=1_040_000)},
                "conf": {"httpd.conf": CONF, "extra": {}},
                "logs": {},
                "htdocs": {"index.html": "<html><body><h1>It works!</h1></body></html>\n"},
            },
        }
    }
}
PATHS = {
    "PATH": "/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HTTPD_PREFIX": ROOT,
    "HTTPD_VERSION": VERSION,
}
add(
    Image(
        "docker.io/library/httpd",
        ("latest", "2", "2.4", "2.4.65", "2.4.62", "2.4.58", "2.4.54", "2.4.46", "2.4.38", "2.4-bookworm", "bookworm"),
        base_tree("debian", FILES),
        45_350_110,
        cmd=("httpd-foreground",),
        env=PATHS,
        working_dir=ROOT,
        ports=(80,),
        stop_signal="SIGWINCH",
    )
)
add(
    Image(
        "docker.io/library/httpd",
        ("alpine", "2-alpine", "2.4-alpine", "2.4.65-alpine"),
        base_tree("alpine", FILES),
        20_101_222,
        cmd=("httpd-foreground",),
        env=PATHS,
        working_dir=ROOT,
        ports=(80,),
        stop_signal="SIGWINCH",
    )
)

# centos/httpd (CentOS-Dockerfiles, httpd/centos7): Apache 2.4.6 with its pages in /var/www/html
CENTOS_FILES = {
    "etc": {"httpd": {"conf": {"httpd.conf": CONF.replace(f"{ROOT}/htdocs", "/var/www/html").replace(ROOT, CENTOS)}, "conf.d": {}, "logs": {}}},
    "var": {"www": {"html": {}, "cgi-bin": {}}},
    "usr": {"sbin": {"httpd": Entry(program="apache2", size=523_640)}},
    "run-httpd.sh": Entry("#!/bin/sh\nrm -rf /run/httpd/* /tmp/httpd*\nexec /usr/sbin/httpd -DFOREGROUND\n", mode=0o755),
}
add(Image("docker.io/centos/httpd", ("latest",), base_tree("ubuntu", CENTOS_FILES, extra=("curl",)), 100_000_000, cmd=("/run-httpd.sh",),
          env={"PATH": PATH}, ports=(80,)))  # fmt: skip
