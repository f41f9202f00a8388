"""podlab/web: a small web application to break and mend.

    /            the Pod's name, address and the version, as HTML       /env      its environment
    /healthz     200 while it lives                                     /ready    200, or 503 after /toggle
    /toggle      turns readiness off and on                             /slow?ms= answers after so long
    /crash       ends the process with code 1                           /exit?code=

The tags that end in -distroless hold the program and nothing else: no shell, no tools.
PORT says where it listens (8080). Each request is one line of its log. TERM ends it with code 0.
"""

from __future__ import annotations

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import INT, TERM, Process
from ..program import MEBIBYTE
from ..serving import Answer, Late, query, web_program
from ..system import Sys
from .base import PATH, base_tree

COLOURS = {"1": "#2f6fdb", "2": "#1f9254", "3": "#b4561d"}


def _start(proc: Process, sys: Sys) -> int | str:
    port = proc["env"].get("PORT") or "8080"
    if not port.isdigit() or not 0 < int(port) < 65536:
        return f"web: PORT is not a port: {port}\n"
    proc["data"]["ready"] = True
    sys.out(f"web {_version(sys)} on port {port}\n")
    return int(port)


def _version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].lstrip("v")
    return tag.partition("-")[0] if tag[:1].isdigit() else "3"


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    found = _page(proc, sys, request)
    message = found.message if isinstance(found, Late) else found
    assert isinstance(message, http.Message)
    sys.out(f"{stamp(sys.now, '%Y-%m-%dT%H:%M:%SZ')} {peer} {request.method} {request.target} {message.status}\n")
    return found


def _page(proc: Process, sys: Sys, request: http.Message) -> Answer:
    path, data = request.path, proc["data"]
    if path == "/healthz":
        return text_answer("ok\n")
    if path == "/ready":
        return text_answer("ready\n") if data["ready"] else text_answer("not ready\n", 503)
    if path == "/toggle":
        data["ready"] = not data["ready"]
        return text_answer("ready\n" if data["ready"] else "not ready\n")
    if path == "/env":
        return text_answer("".join(f"{name}={value}\n" for name, value in sorted(proc["env"].items())))
    if path == "/slow":
        ms = query(request).get("ms", "1000")
        return Late(min(int(ms), 600_000) if ms.isdigit() else 1000, text_answer("slow\n"))
    if path in ("/crash", "/exit"):
        code = query(request).get("code", "1" if path == "/crash" else "0")
        sys.err("crash: as you asked\n" if path == "/crash" else f"exit {code}\n")
        sys.exit(int(code) if code.isdigit() else 1)
    if path != "/":
        return text_answer("not found\n", 404)
    version = _version(sys)
    return text_answer(
        f'<!doctype html><meta charset="utf-8"><title>{sys.hostname}</title>\n<body style="font-family:sans-serif;'
        f"text-align:center;color:#fff;"
        f'background:{COLOURS.get(version[:1], "#555")}">\n<h1>{sys.hostname}</h1>\n<p>{sys.sandbox["ip"]}</p>\n<p>version '
        f"{version}</p>\n</body>\n",
        kind="text/html; charset=utf-8",
    )


def _signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        sys.out("TERM: bye\n" if n == TERM else "INT: bye\n")
        sys.exit(0)
    return False


web_program("podlab-web", _start, _answer, memory=6 * MEBIBYTE, signal=_signal)
add(
    Image(
        "docker.io/podlab/web",
        ("latest", "v1", "v2", "v3", "1", "2", "3", "1.0", "2.0", "3.0"),
        base_tree("alpine", {"bin": {"web": Entry(program="podlab-web", size=5_100_000)}}, extra=("curl",)),
        5_800_000,
        cmd=("web",),
        env={"PATH": PATH},
        ports=(8080,),
    )
)
add(
    Image(
        "docker.io/podlab/web",
        ("1-distroless", "2-distroless", "3-distroless"),
        {"web": Entry(program="podlab-web", size=5_100_000), "etc": {"passwd": "root:x:0:0:root:/root:/sbin/nologin\n", "group": "root:x:0:\n"}},
        2_350_000,
        entrypoint=("/web",),
        env={"PATH": PATH},
        ports=(8080,),
    )
)
