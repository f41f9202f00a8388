"""podlab/order-service: a small service of a shop, which can be made slow, flaky or dead, and says who has asked it.

    /  /orders      a JSON answer: the order's number, who served it, who asked (a mesh's headers, where there are any)
    /healthz        200 while it is not down
    /chaos          how it is broken at present; with ?fail_every=3&status=503&latency=200&down=false it is broken like that from now on
    /chaos/reset    it is whole again

FAIL_EVERY (every nth order is answered with FAIL_STATUS, 503), LATENCY_MS (before each answer), DOWN (true: connections are hung up on
without an answer) and PORT (8080) say the same at its start. Only orders are broken, not /chaos. Each order is one line of its log.
"""

from __future__ import annotations

import json

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import Data, Process
from ..program import MEBIBYTE
from ..serving import Answer, Late, ends_at_once, query, web_program
from ..system import Sys
from .base import PATH, base_tree

LONGEST_MS = 600_000
CALLERS = ("x-forwarded-client-cert", "l5d-client-id")


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isdigit() else 0


def _chaos(given: dict[str, str], before: Data) -> Data:
    """The way it is broken, from parameters or the environment."""
    found = dict(before)
    if "fail_every" in given:
        found["fail_every"] = _number(given["fail_every"], 1_000_000)
    if "latency" in given:
        found["latency"] = _number(given["latency"].removesuffix("ms"), LONGEST_MS)
    if "status" in given and given["status"].isdigit() and 400 <= int(given["status"]) < 600:
        found["status"] = int(given["status"])
    if "down" in given:
        found["down"] = given["down"].lower() in ("true", "1", "yes")
    return found


WHOLE: Data = {"fail_every": 0, "latency": 0, "status": 503, "down": False}


def _start(proc: Process, sys: Sys) -> int | str:
    env = proc["env"]
    names = {"fail_every": "FAIL_EVERY", "latency": "LATENCY_MS", "status": "FAIL_STATUS", "down": "DOWN"}
    proc["data"].update(chaos=_chaos({key: env[name] for key, name in names.items() if env.get(name)}, WHOLE), count=0)
    port = env.get("PORT") or "8080"
    if not port.isdigit() or not 0 < int(port) < 65536:
        return f"order-service: PORT is not a port: {port}\n"
    sys.out(f"order-service {_version(sys)} on port {port}\n")
    return int(port)


def _version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].lstrip("v")
    return tag if tag[:1].isdigit() else "2.0"


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    data = proc["data"]
    chaos = data["chaos"]
    if request.path == "/chaos":
        data["chaos"] = chaos = _chaos(query(request), chaos)
        return _json(chaos)
    if request.path == "/chaos/reset":
        data["chaos"] = dict(WHOLE)
        return _json(data["chaos"])
    if request.path == "/healthz":
        return text_answer("down\n", 503) if chaos["down"] else text_answer("ok\n")
    if request.path not in ("/", "/orders"):
        return _json({"error": "not found"}, 404)
    data["count"] += 1
    caller = next((request.get(name) for name in CALLERS if request.get(name)), "")
    broken = bool(chaos["fail_every"]) and data["count"] % chaos["fail_every"] == 0
    status = 0 if chaos["down"] else chaos["status"] if broken else 200
    try_number = f" try={request.get('x-envoy-attempt-count')}" if request.get("x-envoy-attempt-count") else ""
    sys.out(
        f"{stamp(sys.now, '%H:%M:%S')} order {data['count']} {request.method} {request.target} from {peer} -> {status or 'hung up'}{try_number}\n"
    )
    if chaos["down"]:
        return http.Message("")
    if broken:
        found = _json({"error": "the order book is locked", "served_by": sys.hostname}, chaos["status"])
    else:
        found = _json({"order": data["count"], "version": _version(sys), "served_by": sys.hostname, **({"caller": caller} if caller else {})})
    return Late(chaos["latency"], found) if chaos["latency"] else found


def _json(body: Data, status: int = 200) -> http.Message:
    return text_answer(json.dumps(body, ensure_ascii=False) + "\n", status, "application/json")


web_program("podlab-orders", _start, _answer, memory=8 * MEBIBYTE, signal=ends_at_once)
add(
    Image(
        "docker.io/podlab/order-service",
        ("latest", "v1", "v2", "1", "2", "1.0", "2.0"),
        base_tree("alpine", {"bin": {"order-service": Entry(program="podlab-orders", size=6_100_000)}}, extra=("curl",)),
        6_900_000,
        cmd=("order-service",),
        env={"PATH": PATH},
        ports=(8080,),
    )
)
