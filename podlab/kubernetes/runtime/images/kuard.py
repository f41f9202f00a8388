"""gcr.io/kuar-demo/kuard-amd64, the demonstration server of Kubernetes: Up and Running.

Served, also below /a, /b and /c: the page, /healthy and /ready (their api answers may be made to fail), /env/api, /mem/api with alloc and clear, /fs,
/keygen, /metrics and the queues of /memq/server. Its one kind of work is making RSA keys: --keygen-enable with
--keygen-num-to-gen, --keygen-time-to-run, --keygen-exit-on-complete, --keygen-exit-code, or items drawn from a queue with --keygen-memq-server and
--keygen-memq-queue. Not here: /dns, the page's scripts, TLS. Source: kubernetes-up-and-running/kuard (pkg/app, pkg/keygen, pkg/memq,
pkg/debugprobe).
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import partial
from typing import Any

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import Entry, Image, add, canonical
from ..numerals import is_whole, saturated
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Waits, go_runtime_ends, listen_on, query, serve_http
from ..system import Sys
from .base import PATH, base_tree
from .flags import flag
from .log_parsers import iso
from .log_pipeline import advance, launch, waits_of

KEY_MS = (900, 4_200)
"""An RSA key of 4,096 bits takes one to five seconds of one CPU, as chance has it with its primes (Go's crypto/rsa)."""
RETRY_MS = 1_000  # keygen/memq.go
HISTORY_MAX = 20
WARNING = ("*" * 70, "* WARNING: This server may expose sensitive", "* and secret information. Be careful.", "*" * 70)
OPTIONS = {"enable", "num-to-gen", "time-to-run", "memq-server", "memq-queue", "exit-on-complete", "exit-code"}
OTHERS = {"--address", "--debug", "--debug-sitedata-dir", "--tls-address", "--tls-dir", "--help"}
METRICS = "# HELP request_duration_seconds Time serving HTTP request\n# TYPE request_duration_seconds histogram\n"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>KUAR Demo</title></head>
<body>
<h1>Demo application version {version}</h1>
<p>Serving on {host}</p>
<p>This host: {ip}</p>
</body>
</html>
"""
VERSION = "v0.10.0-{}"  # the build of each colour


def log(sys: Sys, text: str) -> None:
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {text}\n")


def _number(text: str) -> int:
    return saturated(text) if is_whole(text) else 0


def run(proc: Process, sys: Sys, event: Event) -> int:
    if "listening" not in proc["data"]:
        found = _begin(proc, sys)
        if found is not None:
            return found
    return serve_http(proc, sys, answer, keys)


def _begin(proc: Process, sys: Sys) -> int | None:
    for word in proc["argv"][1:]:
        name = word.partition("=")[0]
        if name.startswith("-") and name not in OTHERS and name.removeprefix("--keygen-") not in OPTIONS:
            sys.err(f"unknown flag: {name}\nUsage of {proc['argv'][0]}:\n")
            return 2
    words = proc["argv"]
    asked = {name: flag(proc, "keygen-" + name) for name in sorted(OPTIONS - {"enable", "exit-on-complete"})}
    work = {"enable": "--keygen-enable" in words or flag(proc, "keygen-enable") == "true",
            "server": asked["memq-server"], "queue": asked["memq-queue"],
            "number": _number(asked["num-to-gen"]), "seconds": _number(asked["time-to-run"]), "code": _number(asked["exit-code"]),
            "exits": "--keygen-exit-on-complete" in words or flag(proc, "keygen-exit-on-complete") == "true"}  # fmt: skip
    data = proc["data"]
    data.update(probes={"/healthy": {"fail": 0, "seen": []}, "/ready": {"fail": 0, "seen": []}}, queues={}, work=work, history=[], held=0, key=0)
    log(sys, f"Starting kuard version: {VERSION.format(canonical(sys.container['image'])[1])}")
    for line in WARNING:
        log(sys, line)
    address = flag(proc, "address", ":8080")
    if work["enable"]:
        _restart(proc, sys)
    log(sys, "Could not find certificates to serve TLS")
    log(sys, f"Serving on HTTP on {address}")
    port = address.rpartition(":")[2]
    try:
        listen_on(proc, sys, [int(port) if port.isdigit() and int(port) < 65536 else 8080])
    except Errno as error:
        log(sys, f"listen tcp {address}: bind: {error.text.lower()}")
        return 1
    return None


# ---- keys


def _restart(proc: Process, sys: Sys) -> None:
    data, work = proc["data"], proc["data"]["work"]
    data.update(made=0, due=None, flight=None, until=sys.now + 1000 * work["seconds"] if work["seconds"] else None)
    sys.burn(0)
    if work["enable"]:
        _say(proc, sys, "MemQ Worker starting" if work["server"] and work["queue"] else f"(ID {data['key']}) Workload starting")
        if not (work["server"] and work["queue"]):
            _make(proc, sys)


def _say(proc: Process, sys: Sys, text: str) -> None:
    log(sys, text)
    history = proc["data"]["history"]
    history.append({"id": history[-1]["id"] + 1 if history else 0, "data": text})
    del history[:-HISTORY_MAX]


def _make(proc: Process, sys: Sys) -> None:
    """Begins a key: one CPU is busy until it is done; a limit makes it take longer."""
    least, spread = KEY_MS
    limit = min(1000, sys.container["limits"].get("cpu") or 1000)
    sys.burn(1000)
    proc["data"]["due"] = sys.now + (least + sys.random(spread)) * 1000 // limit


def keys(proc: Process, sys: Sys) -> Waits:
    """Makes keys, or draws items from a queue and makes a key for each."""
    data = proc["data"]
    work = data["work"]
    if not work["enable"]:
        return Waits()
    if work["server"] and work["queue"]:
        return _draw(proc, sys)
    while data["due"] is not None and data["due"] <= sys.now:
        data["made"] += 1
        left = f" {max(0, data['until'] - sys.now) // 1000} seconds left" if data["until"] else ""
        _say(proc, sys, f"(ID {data['key']} {data['made']}/{work['number'] or 'Inf'}{left}) Item done: {_fingerprint(sys)}")
        if (work["number"] and data["made"] >= work["number"]) or (data["until"] and data["until"] <= sys.now):
            data["due"] = None
            sys.burn(0)
            _say(proc, sys, f"(ID {data['key']}) Workload exiting")
            if work["exits"]:
                sys.exit(work["code"])
        else:
            _make(proc, sys)
    return Waits() if data["due"] is None else Waits(ms=data["due"] - sys.now)


def _fingerprint(sys: Sys) -> str:
    digest = hashlib.sha256(f"{sys.hostname} {sys.now} {sys.random(1 << 30)}".encode()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _draw(proc: Process, sys: Sys) -> Waits:
    data, work = proc["data"], proc["data"]["work"]
    while True:
        if data["flight"] is not None:
            found = advance(sys, data["flight"])
            if found is None:
                times: list[int] = []
                fds: list[int] = []
                objs: list[str] = []
                waits_of(proc, data["flight"], times, fds, objs)
                return Waits(tuple(fds), tuple(objs), min(times) - sys.now)
            data["flight"] = None
            status, _, error = found
            if status == 204 and work["exits"]:
                sys.exit(work["code"])
            if status == 200:
                _make(proc, sys)
                data["drawn"] = True
            else:
                text = "Queue is empty" if status == 204 else f"Error talking to server: {error or f'HTTP Error: {status}'}"
                _say(proc, sys, f"{text}. Retrying after 1s.")
                data.update(due=sys.now + RETRY_MS, drawn=False)
        if data["due"] is not None and data["due"] > sys.now:
            return Waits(ms=data["due"] - sys.now)
        if data["due"] is not None and data["drawn"]:
            sys.burn(0)
            _say(proc, sys, f"Item done: {_fingerprint(sys)}")
        data["due"] = None
        _, host, port, path = http.split_url(f"{work['server']}/queues/{work['queue']}/dequeue")
        asked = http.request("POST", path, f"{host}:{port}", [("User-Agent", "Go-http-client/1.1"), ("Connection", "close")], "")
        data["flight"] = launch(sys, {"host": host, "port": port, "text": asked.text()})


# ---- answers


def _json(value: Any) -> http.Message:
    headers = [("Cache-Control", "no-cache, private, max-age=0"), ("Expires", "Thu, 01 Jan 1970 00:00:00 UTC"), ("Pragma", "no-cache")]
    return text_answer(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", kind="application/json", headers=headers)


NO_JSON = "json: cannot unmarshal value into Go struct"


def _go_error(text: str, status: int = 400) -> http.Message:
    return text_answer(text + "\n", status, "text/plain; charset=utf-8")


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    log(sys, f"{peer}:{40000 + sys.random(20000)} {request.method} {request.target}")
    path = request.path
    if path[:3] in ("/a/", "/b/", "/c/"):
        path = path[2:]
    data = proc["data"]
    for name, probe in data["probes"].items():
        if path == name and request.method == "GET":
            return _probe(sys, probe)
        if path == name + "/api":
            return _set_probe(probe, request)
    if path == "/env/api":
        return _json({"commandLine": proc["argv"], "env": proc["env"]})
    if path.startswith("/mem/api"):
        return _memory(proc, sys, path, request)
    if path.startswith("/memq/server/"):
        return _queues(sys, data["queues"], path.removeprefix("/memq/server"), request)
    if path == "/keygen":
        return _keygen(proc, sys, request)
    if path.startswith("/fs/"):
        return _file(sys, path.removeprefix("/fs"))
    if path == "/metrics":
        return text_answer(METRICS, kind="text/plain")
    if path == "/" or path.startswith("/-/"):
        return text_answer(_page(sys), kind="text/html; charset=utf-8")
    return _go_error("404 page not found", 404)


def _page(sys: Sys) -> str:
    return PAGE.format(version=VERSION.format(canonical(sys.container["image"])[1]), host=sys.hostname, ip=sys.sandbox["ip"])


def _probe(sys: Sys, probe: Data) -> http.Message:
    status, text = 200, "ok"
    if probe["fail"] > 0:
        probe["fail"] -= 1
        status, text = 500, f"fail, {probe['fail']} left"
    elif probe["fail"] < 0:
        status, text = 500, "fail, permanent"
    number = probe["seen"][-1]["id"] + 1 if probe["seen"] else 1
    probe["seen"].append({"id": number, "when": iso(sys.now), "code": status})
    del probe["seen"][:-HISTORY_MAX]
    return text_answer(text, status, "text/plain")


def _set_probe(probe: Data, request: http.Message) -> http.Message:
    if request.method == "PUT":
        try:
            probe["fail"] = int(json.loads(request.body).get("failNext", 0))
        except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
            return _go_error(NO_JSON)
    return _json({"probePath": "", "failNext": probe["fail"], "history": probe["seen"][::-1]})


def _memory(proc: Process, sys: Sys, path: str, request: http.Message) -> http.Message:
    data = proc["data"]
    if path == "/mem/api/alloc" and request.method == "POST":
        size = query(request).get("size", "")
        if not is_whole(size):
            return _go_error("bad size param" if size else "size not specified")
        data["held"] += saturated(size)
    elif path == "/mem/api/clear" and request.method == "POST":
        data["held"] = 0
    else:
        return _json({"memStats": {"Alloc": 2_000_000 + data["held"], "Sys": 8 * MEBIBYTE + data["held"]}})
    sys.allocate(data["held"])
    return text_answer("")


def _queues(sys: Sys, queues: Data, path: str, request: http.Message) -> http.Message:
    if path == "/stats":
        counted = ("enqueued", "dequeued", "drained")
        rows = [{"name": name, "depth": len(one["messages"]), **{key: one[key] for key in counted}} for name, one in queues.items()]
        return _json({"kind": "stats", "queues": rows})
    _, kind, name, *rest = [*path.split("/"), "", ""]
    act = f"{request.method} {rest[0]}".strip()
    if kind != "queues":
        return _go_error("404 page not found", 404)
    if act == "PUT" and name in queues:
        return _go_error("already exists")
    if act == "PUT":
        queues[name] = {"messages": [], "enqueued": 0, "dequeued": 0, "drained": 0}
        return text_answer("")
    if name not in queues:
        return _go_error("does not exist")
    queue = queues[name]
    if act == "DELETE":
        del queues[name]
    elif act == "POST drain":
        queue["drained"] += len(queue["messages"])
        queue["messages"] = []
    elif act == "POST enqueue":
        number = f"{sys.random(1 << 62):016x}{sys.random(1 << 62):016x}"
        made = {"kind": "message", "id": number, "body": request.body, "creationTimestamp": iso(sys.now)}
        queue["messages"].append(made)
        queue["enqueued"] += 1
        return _json(made)
    elif act == "POST dequeue":
        if not queue["messages"]:
            return text_answer("", 204)
        queue["dequeued"] += 1
        return _json(queue["messages"].pop(0))
    else:
        return _go_error("404 page not found", 404)
    return text_answer("")


def _keygen(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    """Shows the work's settings and the last lines of its log; PUT sets them and begins anew."""
    data, work = proc["data"], proc["data"]["work"]
    names = {"enable": "enable", "numToGen": "number", "timeToRun": "seconds", "memQServer": "server", "memQQueue": "queue",
             "exitOnComplete": "exits", "exitCode": "code"}  # fmt: skip
    if request.method == "PUT":
        try:
            asked = json.loads(request.body)
            data["work"] = work = {mine: type(work[mine])(asked.get(name, type(work[mine])())) for name, mine in names.items()}
        except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
            return _go_error(NO_JSON)
        data["key"] += 1
        _restart(proc, sys)
    return _json({"config": {name: work[mine] for name, mine in names.items()}, "history": data["history"]})


def _file(sys: Sys, path: str) -> http.Message:
    try:
        if sys.look(path).is_dir:
            rows = "".join(f'<a href="{name}">{name}</a>\n' for name in sys.listdir(path))
            return text_answer(f"<pre>\n{rows}</pre>\n", kind="text/html; charset=utf-8")
        return text_answer(sys.read_file(path), kind="text/plain; charset=utf-8")
    except Errno as error:
        return _go_error("404 page not found" if error.name != "EACCES" else "403 Forbidden", 404 if error.name != "EACCES" else 403)


register(Program("kuard", partial(run, event=None), run, go_runtime_ends, 9 * MEBIBYTE))
TREE = base_tree("alpine", {"kuard": Entry(program="kuard", size=18_000_000)})
ENV = {"PATH": PATH}
# The first build is its entry point, so that a manifest gives arguments alone; the coloured ones are a command, and run as nobody
add(Image("gcr.io/kuar-demo/kuard-amd64", ("1", "2", "latest"), TREE, 11_400_000, entrypoint=("/kuard",), env=ENV, ports=(8080,)))
add(Image("gcr.io/kuar-demo/kuard-amd64", ("blue", "green", "purple"), TREE, 11_400_000, cmd=("/kuard",), env=ENV, user="65534:65534", ports=(8080,)))
