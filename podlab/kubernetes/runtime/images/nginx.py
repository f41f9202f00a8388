"""nginx: the official image's program, the part of its configuration language that Pods use, its pages and its log.

Read: http, server, upstream, listen, server_name, location (=, ^~, ~, prefix), root, alias, index, try_files, return, rewrite to a path,
add_header, default_type, proxy_pass, proxy_set_header Host, error_page, deny all, stub_status, autoindex, include, variables. Other
directives that nginx knows are accepted and do nothing; unknown ones are refused in its words. Source: nginx.org/en/docs.
"""

from __future__ import annotations

from typing import Any

from .. import dns, sockets, x509
from ..image import Entry, Image, add
from ..process import CHLD, HUP, INT, QUIT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import feed_http, secured, serve
from ..system import Sys
from .base import PATH, merge
from .nginx_config import ConfigError, dump, read
from .nginx_files import ALPINE_TAGS, DEFAULT_CONF, SLIM_TAGS, TAGS, tree
from .nginx_requests import LATEST, answer, is_modern, notice, version

MEMORY = 3 * MEBIBYTE
CONFIG = "/etc/nginx/nginx.conf"


# ---- processes


def entrypoint(proc: Process, sys: Sys) -> int | None:
    """/docker-entrypoint.sh of the image."""
    words = proc["argv"][1:]
    if words and words[0] in ("nginx", "nginx-debug") and is_modern(sys):
        me, scripts = "/docker-entrypoint.sh", "/docker-entrypoint.d"
        sys.out(
            f"{me}: {scripts}/ is not empty, will attempt to perform configuration\n{me}: Looking for shell scripts in "
            f"{scripts}/\n"
            f"{me}: Launching {scripts}/10-listen-on-ipv6-by-default.sh\n"
            "10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf\n"
            "10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf\n"
            f"{me}: Sourcing {scripts}/15-local-resolvers.envsh\n{me}: Launching {scripts}/20-envsubst-on-templates.sh\n"
            f"{me}: Launching {scripts}/30-tune-worker-processes.sh\n{me}: Configuration complete; ready for start up\n"
        )
    try:
        sys.exec(words)
    except Errno as error:
        sys.err(f"/docker-entrypoint.sh: line 47: exec: {words[0] if words else ''}: {'not found' if error.name == 'ENOENT' else error.text}\n")
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
    secure = data.get("tls") or {"ports": [], "context": {}}

    def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        return feed_http(proc, sys, fd, connection, answer)

    return serve(proc, sys, secured(feed, dict.fromkeys(secure["ports"], secure["context"])))


def _start(proc: Process, sys: Sys) -> int | None:
    data, arguments = proc["data"], proc["argv"][1:]
    if "-v" in arguments or "-V" in arguments:
        sys.err(f"nginx version: nginx/{version(sys)}\n")
        return 0
    if "-s" in arguments:
        return _signal_master(sys, arguments)
    path = arguments[arguments.index("-c") + 1] if "-c" in arguments[:-1] else CONFIG
    tests = "-t" in arguments or "-T" in arguments
    try:
        found = read(sys, path)
        found = {**found, "tls": _certificates(sys, found)}
        for name, port in found["hosts"]:
            if not dns.is_address(name) and not sockets.resolve(sys, name)[1]:
                raise ConfigError(f'host not found in upstream "{name}{"" if port in (0, 80) else f":{port}"}"')
    except ConfigError as error:
        if not tests and is_modern(sys):
            notice(sys, "emerg", str(error))
        sys.err(f"nginx: [emerg] {error}\n")
        if tests:
            sys.err(f"nginx: configuration file {path} test failed\n")
        return 1
    if tests:
        sys.err(f"nginx: the configuration file {path} syntax is ok\nnginx: configuration file {path} test is successful\n")
        sys.out(dump(sys, path) if "-T" in arguments else "")
        return 0
    data.update(listening={}, connections={}, turn=0, logs={})
    try:
        _configure(proc, sys, found)
    except ConfigError as error:
        sys.err(f"nginx: [emerg] {error}\n")
        return 1
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
        notice(
            sys,
            "notice",
            'using the "epoll" event method',
            f"nginx/{version(sys)}",
            "built by gcc 14.2.0 (Debian 14.2.0-19)",
            "OS: Linux 6.18.44",
            "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
            "start worker processes",
        )
    proc["argv"] = [f"nginx: master process {' '.join(proc['argv'])}"]
    _spawn_worker(proc, sys)
    return None


def _configure(proc: Process, sys: Sys, found: Data) -> None:
    """Takes a configuration over and opens its log files. Raises ConfigError."""
    data = proc["data"]
    wanted = dict.fromkeys([found["errors"], *(server["access"][0] for server in found["servers"])])
    for path in wanted:
        if path not in data["logs"] and path not in ("off", "stderr"):
            try:
                data["logs"][path] = sys.open(path, "a")
            except Errno as error:
                number = {"ENOENT": 2, "EACCES": 13, "EISDIR": 21, "EROFS": 30}.get(error.name, 5)
                raise ConfigError(f'open() "{path}" failed ({number}: {error.text})') from None
    data.update({key: found[key] for key in ("servers", "upstreams", "errors", "formats", "tls")})


def _spawn_worker(proc: Process, sys: Sys) -> None:
    pid = sys.spawn(["nginx: worker process"], program="nginx-worker", fds=dict.fromkeys(proc["data"]["listening"].values()))
    proc["data"]["worker"] = pid
    worker = sys.kernel.process(proc["ns"], pid)
    assert worker is not None
    worker["uid"], worker["gid"], worker["groups"] = 101, 101, [101]
    if is_modern(sys):
        notice(sys, "notice", f"start worker process {pid}")


def _signal_master(sys: Sys, arguments: list[str]) -> int:
    wish = {"stop": TERM, "quit": QUIT, "reload": HUP}.get(arguments[arguments.index("-s") + 1] if "-s" in arguments[:-1] else "")
    if wish is None:
        sys.err('nginx: invalid option: "-s"\n')
        return 1
    for proc in sys.processes():
        if proc["program"] == "nginx" and proc["argv"][0].startswith("nginx: master"):
            notice(sys, "notice", "signal process started")
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
            found = read(sys, CONFIG)
            found = {**found, "tls": _certificates(sys, found)}
        except ConfigError as error:
            notice(sys, "emerg", str(error))
            return True
        _relisten(proc, sys, found)
        sys.interrupt()
        return True
    return n in (HUP, CHLD)


def _certificates(sys: Sys, found: Data) -> Data:
    """{"ports", "context"} of the servers that `listen ... ssl`; all have the first one's certificate. Raises ConfigError."""
    secure: Data = {"ports": [], "context": {}}
    for server in found["servers"]:
        if not server["secure"]:
            continue
        read_in = []
        for name, what in zip(server["certificate"], ("certificate", "certificate key"), strict=True):
            if not name:
                raise ConfigError(f'no "ssl_{what.replace(" ", "_")}" is defined for the "listen ... ssl" directive in {CONFIG}')
            full = name if name.startswith("/") else f"/etc/nginx/{name}"
            try:
                read_in.append(sys.read_file(full))
            except Errno as error:
                raise ConfigError(f'cannot load {what} "{full}": BIO_new_file() failed (SSL: error:80000002:system library::{error.text}:calling '
                                  f"fopen({full}, r) error:10000080:BIO routines::no such file)") from None  # fmt: skip
        chain, key = read_in
        try:
            mine = x509.certificates(chain)
            if not mine or x509.public_key(key) != mine[0].key:
                raise x509.BadCertificate
        except x509.BadCertificate:
            raise ConfigError(f'cannot load certificate "{server["certificate"][0]}": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM '
                              "routines::no start line:Expecting: TRUSTED CERTIFICATE)") from None  # fmt: skip
        secure["ports"] += [port for _, port in server["secure"]]
        secure["context"] = secure["context"] or {"chain": chain}
    return secure


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
    try:
        _configure(proc, sys, found)
    except ConfigError as error:
        notice(sys, "emerg", str(error))


def _worker(proc: Process, sys: Sys, event: Event) -> None:
    sys.pause()


register(Program("docker-entrypoint-nginx", entrypoint))
register(Program("nginx", lambda proc, sys: run(proc, sys, None), run, on_signal, MEMORY))
register(Program("nginx-worker", lambda proc, sys: _worker(proc, sys, None), _worker, memory=MEBIBYTE))


UNPRIVILEGED = {"etc": {"nginx": {"conf.d": {"default.conf": DEFAULT_CONF.replace("listen       80;", "listen       8080;")}}}}
# kubernetes/examples, https-nginx: the script starts nginx, and again when a file under /etc/nginx changes; here it starts it
RELOADING = merge(tree(False), {"home": {"auto-reload-nginx.sh": Entry("#!/bin/sh\nexec nginx -g 'daemon off;'\n", mode=0o755)}})
VARIANTS: tuple[tuple[str, tuple[str, ...], dict[str, Any], int, str, int], ...] = (
    ("docker.io/library/nginx", TAGS, tree(False), 59_806_211, "", 80),
    ("docker.io/library/nginx", ALPINE_TAGS, tree(True), 20_512_345, "", 80),
    ("registry.k8s.io/nginx-slim", SLIM_TAGS, tree(False), 52_000_113, "", 80),
    ("k8s.gcr.io/nginx-slim", SLIM_TAGS, tree(False), 52_000_113, "", 80),
    ("docker.io/bprashanth/nginxhttps", ("1.0",), RELOADING, 51_000_000, "", 80),
    ("docker.io/ymqytw/nginxhttps", ("latest", "1.5"), RELOADING, 51_000_000, "", 80),
    ("docker.io/nginxinc/nginx-unprivileged", (*TAGS, *ALPINE_TAGS), merge(tree(True), UNPRIVILEGED), 20_530_002, "101", 8080),
)
for _name, _tags, _files, _size, _user, _port in VARIANTS:
    add(
        Image(
            _name,
            _tags,
            _files,
            _size,
            ("/docker-entrypoint.sh",),
            ("nginx", "-g", "daemon off;"),
            {"PATH": PATH, "NGINX_VERSION": LATEST},
            user=_user,
            ports=(_port,),
            stop_signal="SIGQUIT",
        )
    )
