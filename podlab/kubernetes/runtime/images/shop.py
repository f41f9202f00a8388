"""podlab/shop: a small shop that writes a log and knows nothing of who reads it.

    /order?item=   takes an order (201), a line in the log        /healthz   200

LOG_FILE says where the lines go (/var/log/app/app.log; "-" is standard output), LOG_FORMAT how they look (json, or text), EVERY_MS
how often a customer comes by itself (1000; 0: never), PORT where it listens (8080). Every fifth order is slow (WARN),
every seventh cannot be paid for (ERROR).
A file of half a megabyte is put aside as LOG_FILE.1 and begun anew. TERM ends it with code 0.
"""

from __future__ import annotations

import json

from .. import http
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import INT, TERM, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Waits, listen_on, query, serve_http
from ..system import Sys
from .base import PATH, base_tree
from .log_parsers import iso

ITEMS = ("tea", "coffee", "bread", "apple", "cheese")
ROTATE_AT = 512 * 1024


def run(proc: Process, sys: Sys, event: Event) -> int:
    data, env = proc["data"], proc["env"]
    if "listening" not in data:
        port, every = env.get("PORT") or "8080", env.get("EVERY_MS") or "1000"
        if not port.isdigit() or not 0 < int(port) < 65536 or not every.isdigit():
            sys.err("shop: PORT and EVERY_MS are numbers\n")
            return 1
        data.update(file=env.get("LOG_FILE") or "/var/log/app/app.log", text=env.get("LOG_FORMAT") == "text", every=int(every), orders=0)
        data["next"] = sys.now + data["every"]
        try:
            if data["file"] != "-":
                sys.write_file(data["file"], "", "a")
            listen_on(proc, sys, [int(port)])
        except Errno as error:
            sys.err(f"shop: cannot open {data['file'] if error.name != 'EADDRINUSE' else ':' + port}: {error.text}\n")
            return 1
        sys.out(f"shop on port {port}, log in {'standard output' if data['file'] == '-' else data['file']}\n")
    return serve_http(proc, sys, answer, customers)


def customers(proc: Process, sys: Sys) -> Waits:
    """Those who come by themselves."""
    data = proc["data"]
    if not data["every"]:
        return Waits()
    while data["next"] <= sys.now:
        data["next"] += data["every"]
        order(proc, sys, ITEMS[data["orders"] % len(ITEMS)])
    return Waits(ms=data["next"] - sys.now)


def order(proc: Process, sys: Sys, item: str) -> int:
    """Takes an order and writes a line; gives the order's number."""
    data = proc["data"]
    data["orders"] += 1
    number = int(data["orders"])
    level, message = "INFO", "order accepted"
    took = 20 + sys.random(30)
    if number % 7 == 0:
        level, message = "ERROR", "payment failed"
    elif number % 5 == 0:
        level, message, took = "WARN", "slow payment", 900 + sys.random(600)
    record = {"time": iso(sys.now), "level": level, "message": message, "order": number, "item": item, "ms": took}
    line = (
        json.dumps(record, ensure_ascii=False) if not data["text"] else f"{record['time']} {level:<5} {message} order={number} item={item} ms={took}"
    )
    if data["file"] == "-":
        sys.out(line + "\n")
        return number
    try:
        held = sys.find(data["file"])
        if held is not None and len(held.inode["s"]) > ROTATE_AT:
            sys.rename(data["file"], data["file"] + ".1")
        sys.write_file(data["file"], line + "\n", "a")
    except Errno as error:
        sys.err(f"shop: cannot write {data['file']}: {error.text}\n")
    return number


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    if request.path == "/healthz":
        return text_answer("ok\n")
    if request.path != "/order":
        return text_answer("GET /order?item=tea\n", 200 if request.path == "/" else 404)
    item = query(request).get("item", "tea")[:100]
    return text_answer(json.dumps({"order": order(proc, sys, item), "item": item}, ensure_ascii=False) + "\n", 201, "application/json")


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        sys.exit(0)
    return False


register(Program("podlab-shop", lambda proc, sys: run(proc, sys, None), run, on_signal, 6 * MEBIBYTE))
add(
    Image(
        "docker.io/podlab/shop",
        ("latest", "v1", "1", "1.0"),
        base_tree("alpine", {"bin": {"shop": Entry(program="podlab-shop", size=5_300_000)}, "var": {"log": {"app": {}}}}, extra=("curl",)),
        5_900_000,
        cmd=("shop",),
        env={"PATH": PATH},
        ports=(8080,),
    )
)
