"""nginx's configuration language: words, directives, includes, and what a configuration comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ...objects import freeze
from .. import http
from ..linear import wildcard
from ..process import Data, Errno
from ..system import Sys

FOLDER = "/etc/nginx"
Directive = list[Any]
"""[name, arguments, block (a list of directives) or None]."""
WORD = re.compile(r"(\s+)|#[^\n]*|(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|(?:\\.|\$\{\w+\}|[^\s{};])+)")
KNOWN = frozenset(
    """
absolute_redirect accept_mutex access_log add_header add_before_body add_after_body aio alias allow ancient_browser auth_basic auth_basic_user_file
auth_request autoindex autoindex_exact_size autoindex_format autoindex_localtime break charset charset_map charset_types chunked_transfer_encoding
client_body_buffer_size client_body_timeout client_header_buffer_size client_header_timeout client_max_body_size daemon debug_connection default_type
deny directio env error_log error_page etag events expires fastcgi_cache fastcgi_index fastcgi_param fastcgi_pass fastcgi_read_timeout geo gzip
gzip_comp_level gzip_disable gzip_http_version gzip_min_length gzip_proxied gzip_static gzip_types gzip_vary http http2 if ignore_invalid_headers
include index internal ip_hash keepalive keepalive_requests keepalive_timeout large_client_header_buffers least_conn limit_conn limit_conn_zone
limit_except limit_rate limit_req limit_req_zone limit_zone lingering_close lingering_time listen load_module location log_format log_not_found
log_subrequest map map_hash_bucket_size map_hash_max_size master_process max_ranges merge_slashes multi_accept open_file_cache open_log_file_cache
output_buffers pid port_in_redirect proxy_buffer_size proxy_buffering proxy_buffers proxy_busy_buffers_size proxy_cache proxy_cache_path
proxy_cache_valid proxy_connect_timeout proxy_cookie_path proxy_headers_hash_bucket_size proxy_hide_header proxy_http_version
proxy_intercept_errors proxy_next_upstream proxy_pass proxy_pass_header proxy_pass_request_headers proxy_read_timeout proxy_redirect
proxy_request_buffering proxy_send_timeout proxy_set_body proxy_set_header proxy_ssl_verify random real_ip_header recursive_error_pages
reset_timedout_connection resolver resolver_timeout return rewrite rewrite_log root satisfy sendfile sendfile_max_chunk server server_name
server_name_in_redirect server_names_hash_bucket_size server_names_hash_max_size server_tokens set set_real_ip_from split_clients
ssl_certificate ssl_certificate_key ssl_ciphers ssl_prefer_server_ciphers ssl_protocols ssl_session_cache ssl_session_timeout stream stub_status
sub_filter sub_filter_once tcp_nodelay tcp_nopush thread_pool timer_resolution try_files types types_hash_bucket_size types_hash_max_size
underscores_in_headers upstream use user uwsgi_pass valid_referers variables_hash_max_size worker_connections worker_cpu_affinity
worker_priority worker_processes worker_rlimit_core worker_rlimit_nofile worker_shutdown_timeout working_directory zone
""".split()
)
ACCESS_LOG, ERROR_LOG = "/var/log/nginx/access.log", "/var/log/nginx/error.log"
COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
RAW_BLOCKS = ("types", "map", "geo", "split_clients", "charset_map")  # what stands in these is no directive
TAKES_BLOCK = (
    "http",
    "events",
    "server",
    "location",
    "upstream",
    "types",
    "map",
    "if",
    "limit_except",
    "geo",
    "split_clients",
    "stream",
    "charset_map",
)


class ConfigError(Exception):
    """What nginx -t complains about, without `nginx: [emerg] `."""


@lru_cache(maxsize=64)
def words(text: str) -> tuple[tuple[str, int], ...]:
    """The words of a file with their line numbers; a quoted word comes without its quotes and can be no sign."""
    found: list[tuple[str, int]] = []
    at, line = 0, 1
    while at < len(text):
        match = WORD.match(text, at)
        if match is None:
            raise ConfigError(f'unexpected "{text[at]}"')
        if match[2]:
            word = match[2][1:-1] if match[2][0] in "\"'" and len(match[2]) > 1 else match[2]
            if "\\" in word:
                word = re.sub(r"\\([trn\"'\\])", lambda found: {"t": "\t", "r": "\r", "n": "\n"}.get(found[1], found[1]), word)
            found.append((word, line))
        line += text.count("\n", at, match.end())
        at = match.end()
    return tuple(found)


@lru_cache(maxsize=64)
def parse(text: str, path: str) -> list[Directive]:
    """The directives of a text, not to be changed: they are shared. Raises ConfigError."""
    top: list[Directive] = []
    stack: list[tuple[str, list[Directive]]] = [("", top)]
    current: list[str] = []
    line = 1
    for word, line in words(text):
        raw = stack[-1][0] in RAW_BLOCKS
        if word in ("{", "}", ";"):
            if word == "}":
                if len(stack) == 1 or current:
                    raise ConfigError(f'unexpected "}}" in {path}:{line}')
                stack.pop()
                continue
            if not current:
                raise ConfigError(f'unexpected "{word}" in {path}:{line}')
            name, *arguments = current
            current = []
            if not raw and name not in KNOWN:
                raise ConfigError(f'unknown directive "{name}" in {path}:{line}')
            if word == ";":
                if not raw and name in TAKES_BLOCK and name not in ("server",):
                    raise ConfigError(f'directive "{name}" has no opening "{{" in {path}:{line}')
                stack[-1][1].append([name, arguments, None])
            else:
                if not raw and name not in TAKES_BLOCK:
                    raise ConfigError(f'directive "{name}" is not terminated by ";" in {path}:{line}')
                block: list[Directive] = []
                stack[-1][1].append([name, arguments, block])
                stack.append((name, block))
        else:
            current.append(word)
    if current or len(stack) > 1:
        expected = '";" or "}"' if len(stack) == 1 or current else '"}"'
        raise ConfigError(f"unexpected end of file, expecting {expected} in {path}:{line}")
    return top


def read(sys: Sys, path: str) -> Data:
    """What a configuration file and those that it includes come to (see `check`), not to be changed: processes share it. Raises
    ConfigError."""
    known, as_came = sys.view.read, not sys.proc["uid"] and sys.view.as_came(FOLDER)
    if as_came and path in known:
        found: Data
        found, work = known[path]
        sys.charge(work)
        return found
    before = sys.used
    files = _gather(sys, path)
    found = _read(files)
    if as_came and all(one.startswith(FOLDER + "/") for one in _paths(files)):
        known[path] = found, sys.used - before
    return found


def _paths(file: File) -> Iterator[str]:
    yield file[0]
    for included in file[2:]:
        for one in included:
            yield from _paths(one)


File = tuple[Any, ...]
"""(path, text, the files of its first include, those of its second, ...)."""


def dump(sys: Sys, path: str) -> str:
    """What `nginx -T` prints: each file of a configuration, once, under its name (src/core/nginx.c)."""
    texts: dict[str, str] = {}

    def take(file: File) -> None:
        texts.setdefault(file[0], file[1])
        for included in file[2:]:
            for one in included:
                take(one)

    take(_gather(sys, path))
    return "".join(f"# configuration file {name}:\n{text}\n" for name, text in texts.items())


def _gather(sys: Sys, path: str) -> File:
    try:
        text = sys.read_file(path)
    except Errno as error:
        number = {"ENOENT": 2, "EACCES": 13, "EISDIR": 21}.get(error.name, 5)
        raise ConfigError(f'open() "{path}" failed ({number}: {error.text})') from None
    return (path, text, *(tuple(_gather(sys, one) for one in _matching(sys, pattern)) for pattern in _includes(text, path)))


def _matching(sys: Sys, pattern: str) -> list[str]:
    if not pattern.startswith("/"):
        pattern = "/etc/nginx/" + pattern
    if "*" not in pattern:
        return [pattern]
    folder, _, glob = pattern.rpartition("/")
    wanted = wildcard(glob)
    try:
        return [f"{folder}/{name}" for name in sys.listdir(folder) if wanted.fullmatch(name) and not (glob.startswith("*") and name.startswith("."))]
    except Errno:
        return []


@lru_cache(maxsize=64)
def _includes(text: str, path: str) -> tuple[str, ...]:
    return tuple(_patterns(parse(text, path)))


def _patterns(directives: list[Directive]) -> Iterator[str]:
    for name, arguments, block in directives:
        if name == "include" and arguments:
            yield arguments[0]
        elif block:
            yield from _patterns(block)


@lru_cache(maxsize=64)
def _read(file: File) -> Data:
    found: Data = freeze(check(_joined(file), file[0]))
    return found


def _joined(file: File) -> list[Directive]:
    path, text, *included = file
    return _expand(parse(text, path), iter(included))


def _expand(directives: list[Directive], included: Iterator[tuple[File, ...]]) -> list[Directive]:
    out: list[Directive] = []
    for name, arguments, block in directives:
        if name == "include" and arguments:
            for file in next(included):
                out += _joined(file)
        else:
            out.append([name, arguments, _expand(block, included) if block else block])
    return out


def check(directives: list[Directive], path: str) -> Data:
    """{"servers": [{"listens": [[address, port]], "names", "block", "access": [log file or "off", format], "gzip": its directives around it,
    where there are any}], "upstreams": {name: [host:port]}, "hosts": [(name, port) that must be resolvable], "errors": log file, "formats":
    {name: text}}. Raises ConfigError."""
    if not any(name == "events" for name, _, _ in directives):
        raise ConfigError('no "events" section in configuration')
    errors = next((arguments[0] for name, arguments, _ in directives if name == "error_log" and arguments), ERROR_LOG)
    found: Data = {"servers": [], "upstreams": {}, "hosts": [], "errors": errors, "formats": {"combined": COMBINED}}
    for name, _, block in directives:
        if name == "http" and block:
            access = _access(block, [ACCESS_LOG, "combined"])
            for inner, arguments, body in block:
                if inner == "log_format" and len(arguments) > 1:
                    found["formats"][arguments[0]] = "".join(word for word in arguments[1:] if not word.startswith("escape="))
                if inner == "upstream" and body is not None:
                    members = [entry[1][0] for entry in body if entry[0] == "server" and entry[1]]
                    if not members:
                        raise ConfigError(f"no servers are inside upstream in {path}")
                    found["upstreams"][arguments[0]] = members
                    found["hosts"] += [_host(member) for member in members]
            over = {inner: arguments for inner, arguments, _ in block if inner.startswith("gzip")}
            around = {"gzip": over} if over else {}
            found["servers"] = [_server(body, access) | around for inner, _, body in block if inner == "server" and body is not None]
    for server in found["servers"]:
        _hosts(server["block"], found)
        if server["access"][1] not in found["formats"]:
            raise ConfigError(f'unknown log format "{server["access"][1]}" in {path}')
    return found


def _access(block: list[Directive], otherwise: list[str]) -> list[str]:
    words = next((arguments for name, arguments, _ in block if name == "access_log" and arguments), None)
    return otherwise if words is None else [words[0], words[1] if len(words) > 1 and "=" not in words[1] else "combined"]


def _server(block: list[Directive], access: list[str]) -> Data:
    return {
        "access": _access(block, access),
        "listens": listens(block),
        "secure": listens([one for one in block if one[0] == "listen" and "ssl" in one[1][1:]] or [["listen", ["unix:"], None]]),
        "certificate": [next((arguments[0] for inner, arguments, _ in block if inner == name and arguments), "")
                        for name in ("ssl_certificate", "ssl_certificate_key")],
        "block": block,
        "names": [word for inner, arguments, _ in block if inner == "server_name" for word in arguments],
    }


def listens(block: list[Directive]) -> list[list[Any]]:
    """[[address, port]] of a server; IPv6 ones are left out, the cluster is IPv4 only."""
    texts = [arguments[0] for name, arguments, _ in block if name == "listen" and arguments] or ["80"]
    found = []
    for text in texts:
        if not text.startswith("[") and not text.startswith("unix:"):
            address, _, port = text.rpartition(":")
            if not port.isdigit():
                address, port = port, "80"
            found.append([address.replace("localhost", "127.0.0.1").replace("*", "0.0.0.0") or "0.0.0.0", int(port)])
    return found


def _host(text: str) -> tuple[str, int]:
    name, _, port = text.partition(":")
    return name, int(port) if port.isdigit() else 0


def _hosts(block: list[Directive], found: Data) -> None:
    for name, arguments, inner in block:
        if name == "proxy_pass" and arguments and "$" not in arguments[0]:
            _, host, port, _ = http.split_url(arguments[0])
            if host not in found["upstreams"]:
                found["hosts"].append((host, port))
        if inner:
            _hosts(inner, found)
