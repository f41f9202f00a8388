"""httpbin (kennethreitz/httpbin, and the same in Go: mccutchen/go-httpbin): tells a client what it asked, or does what it asks for.

    /get /post /put /patch /delete /anything   the request          /headers /ip /user-agent /uuid   parts of it
    /status/CODE   that status            /delay/SECONDS   late, at most 10 s          /json /html /base64/TEXT /redirect-to?url=
Not here: cookies, caching, compression, authentication, streams. Source: httpbin's core.py; mccutchen/go-httpbin, httpbin/handlers.go.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from ...times import stamp
from .. import http
from ..http import REASONS, text_answer
from ..image import VERSIONS, Entry, Image, add
from ..numerals import is_whole, saturated
from ..process import Process
from ..program import MEBIBYTE
from ..serving import Answer, Late, query, web_program
from ..system import Sys
from .base import PATH, base_tree
from .flags import go_flag

METHODS = {"/get": "GET", "/post": "POST", "/put": "PUT", "/patch": "PATCH", "/delete": "DELETE"}
DELAY_MAX = 10  # seconds, of both
TEAPOT = "\n    -=[ teapot ]=-\n\n"
PAGE = "<!DOCTYPE html>\n<html>\n  <head></head>\n  <body>\n    <h1>Herman Melville - Moby-Dick</h1>\n  </body>\n</html>\n"
SLIDES = {"slideshow": {"author": "Yours Truly", "date": "date of publication", "slides": [], "title": "Sample Slide Show"}}


def _is_go(sys: Sys) -> bool:
    return "go-httpbin" in sys.container["image"]


def _start(proc: Process, sys: Sys) -> int | str:
    port = go_flag(proc, "port", proc["env"].get("PORT", "8080")) if _is_go(sys) else "80"
    if _is_go(sys):
        sys.err(f'time="{stamp(sys.now, "%Y-%m-%dT%H:%M:%S.000Z")}" level=INFO msg="go-httpbin listening on http://0.0.0.0:{port}"\n')
    else:
        time = stamp(sys.now, "%Y-%m-%d %H:%M:%S +0000")
        sys.err(f"[{time}] [1] [INFO] Starting gunicorn 19.9.0\n[{time}] [1] [INFO] Listening at: http://0.0.0.0:80 (1)\n")
    return int(port) if port.isdigit() and int(port) < 65536 else f"Error: invalid port: {port}\n"


def _json(sys: Sys, value: Any, status: int = 200) -> http.Message:
    headers = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")]
    return text_answer(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=not _is_go(sys)) + "\n", status, "application/json", headers)


def _headers(sys: Sys, request: http.Message) -> dict[str, Any]:
    shown = {name: value for name, value in request.headers if name.lower() != "connection"}
    return {name: [value] if _is_go(sys) else value for name, value in shown.items()}


def _whole(sys: Sys, request: http.Message, peer: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {name: [value] if _is_go(sys) else value for name, value in query(request).items()}
    told: dict[str, Any] = {"args": arguments, "headers": _headers(sys, request), "origin": peer, "url": f"http://{request.get('Host')}{request.target}"}
    if request.path != "/get":
        try:
            parsed = json.loads(request.body) if request.body else None
        except (ValueError, RecursionError):
            parsed = None
        is_form = request.get("Content-Type").startswith("application/x-www-form-urlencoded")
        form = query(http.request("GET", "/?" + request.body, "")) if is_form else {}
        told.update(data="" if is_form else request.body, files={}, form=form, json=parsed)
    if request.path not in METHODS or _is_go(sys):
        told["method"] = request.method
    return told


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    path, _, rest = request.path[1:].partition("/")
    if request.path in METHODS and request.method not in (METHODS[request.path], "HEAD"):
        return text_answer("Method Not Allowed\n", 405)
    if request.path in METHODS or path == "anything":
        return _json(sys, _whole(sys, request, peer))
    simple = {"headers": {"headers": _headers(sys, request)}, "ip": {"origin": peer}, "user-agent": {"user-agent": request.get("User-Agent")},
              "json": SLIDES}  # fmt: skip
    if path in simple and not rest:
        return _json(sys, simple[path])
    if path == "uuid":
        digits = f"{sys.random(1 << 62):016x}{sys.random(1 << 62):016x}"
        return _json(sys, {"uuid": f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"})
    if path == "status":
        code = saturated(rest) if is_whole(rest) else 0
        return text_answer(TEAPOT if code == 418 else "", code) if code in REASONS else text_answer("Invalid status code\n", 400)
    if path == "delay":
        seconds = min(float(rest), DELAY_MAX) if is_whole(rest.replace(".", "", 1)) else 0
        return Late(round(seconds * 1000), _json(sys, _whole(sys, request, peer)))
    if path == "base64" and rest:
        try:
            return text_answer(base64.b64decode(rest).decode(errors="replace"), kind="text/html; charset=utf-8")
        except ValueError:
            return text_answer("Incorrect Base64 data try: SFRUUEJJTiBpcyBhd2Vzb21l", kind="text/html; charset=utf-8")
    if path == "redirect-to":
        found = text_answer("", 302)
        found.headers.append(("Location", query(request).get("url", "/")))
        return found
    if path in ("", "html"):
        return text_answer(PAGE if path else "<!DOCTYPE html>\n<title>httpbin.org</title>\n", kind="text/html; charset=utf-8")
    return text_answer("404 page not found\n" if _is_go(sys) else "<title>404 Not Found</title>\n<h1>Not Found</h1>\n", 404)


web_program("httpbin", _start, _answer, memory=30 * MEBIBYTE)
web_program("go-httpbin", _start, _answer, memory=5 * MEBIBYTE)
for _name in ("docker.io/kennethreitz/httpbin", "docker.io/kong/httpbin", "docker.io/simonkowallik/httpbin"):
    add(Image(_name, (VERSIONS,), base_tree("ubuntu", {"usr": {"local": {"bin": {"gunicorn": Entry(program="httpbin")}}}}), 180_000_000,
              cmd=("gunicorn", "-b", "0.0.0.0:80", "httpbin:app", "-k", "gevent"), env={"PATH": PATH}, ports=(80,)))  # fmt: skip
for _name in ("docker.io/mccutchen/go-httpbin", "ghcr.io/mccutchen/go-httpbin"):
    add(Image(_name, (VERSIONS,), {"bin": {"go-httpbin": Entry(program="go-httpbin", size=9_000_000)}}, 5_200_000, cmd=("/bin/go-httpbin",),
              env={"PATH": PATH}, user="65532", ports=(8080,)))  # fmt: skip
