"""agnhost's servers that ask others: netexec with /dial, guestbook; and porter, which serves what its environment says.

Source: test/images/agnhost/{netexec,guestbook,porter} in the Kubernetes tree.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from ...times import parse_go_duration, stamp
from .. import http, sockets
from ..asking import Command, Datagram, Learned, Wanted, Wish
from ..http import text_answer
from ..numerals import is_whole, saturated
from ..process import Data, Errno, Process
from ..serving import Answer, Late, Waits, query
from ..system import Sys

MARKUP = re.compile(r"\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]", re.IGNORECASE)
"""What Go's http.DetectContentType takes for HTML."""
TRIES_MAX = 50  # of one /dial: so many tests ask at once
PLAIN, JSON = "text/plain; charset=utf-8", "application/json"


# ---- netexec


def _form(request: http.Message) -> dict[str, str]:
    """r.FormValue: the query's parameters and those of a form that was sent."""
    sent = dict(parse_qsl(request.body)) if request.get("Content-Type").startswith("application/x-www-form-urlencoded") else {}
    return {**query(request), **sent}


def netexec_wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wanted | None:
    """/dial asks another server `tries` times, /shell runs a command."""
    values = _form(request)
    if request.path == "/shell" and not learned:
        return Command("0", ("/bin/sh", "-c", values.get("shellCommand") or values.get("cmd") or ""))
    tries, protocol = values.get("tries") or "1", values.get("protocol", "http").lower() or "http"
    if request.path != "/dial" or protocol not in ("http", "udp") or not is_whole(tries):
        return None
    if len(learned) >= min(saturated(tries), TRIES_MAX) or not values.get("request") or not is_whole(values.get("port", "")):
        return None
    host, port = values.get("host", ""), saturated(values["port"])
    if protocol == "udp":
        return Datagram(f"{len(learned)}", host, port, values["request"])
    return Wish(f"{len(learned)}", host, port, http.request("GET", "/" + values["request"], f"{host}:{port}", [("Connection", "close")]))


LOGGED = {"/echo": (("msg", "msg"), ("code", "code")), "/exit": (("code", "code"), ("timeout", "timeout"), ("wait", "wait")),
          "/dial": tuple((name, name) for name in ("host", "protocol", "port", "request", "tries")), "/shell": (("cmd", "shellCommand"),),
          "/redirect": (("msg", "location"), ("code", "code"))}
"""Parameters that netexec's log tells, as it calls them."""


def netexec_answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    values, data, path = query(request), proc["data"], request.path
    told = "&".join(f"{name}={values.get(key, '')}" for name, key in LOGGED.get(path, ()))
    method = request.method if path == "/redirect" else "GET"
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {method} {path}{'?' + told if told else ''}\n")
    if path == "/":
        return text_answer(f"NOW: {stamp(sys.now, '%Y-%m-%d %H:%M:%S')}.{sys.now % 1000:03d} +0000 UTC m=+{(sys.now - data['began']) / 1000:.9f}")
    if path in ("/hostname", "/hostName"):
        return text_answer(sys.hostname)
    if path == "/clientip":
        return text_answer(f"{peer}:{40000 + sys.random(20000)}")
    if path == "/serverport":
        return text_answer(next(iter(data["listening"])))
    if path == "/echo":
        code = values.get("code", "200")
        return text_answer(values.get("msg", ""), saturated(code) if is_whole(code) else 200)
    if path == "/header":
        return text_answer(request.get(values.get("key", "")))
    if path == "/healthz":
        return text_answer("", 412 if data.get("shutting") else 200)
    if path == "/redirect":
        code = values.get("code") or "302"
        return http.response(saturated(code) if is_whole(code) else 302, "", [("Location", values.get("location", "/"))])
    if path == "/dial":
        return _dialled(values, learned)
    if path == "/shell":
        return _said(learned["0"])
    if path == "/upload":
        return _uploaded(sys, request)
    if path == "/shutdown":
        sys.exit(0)
    if path == "/exit":
        return _exit(proc, sys, values)
    return text_answer("404 page not found\n", 404)


def _said(found: Data) -> http.Message:
    """What a command printed and how it ended, as exec.Cmd tells it."""
    said = {"output": found["body"]} if found["body"] else {}
    if found["error"] or found["status"]:
        said["error"] = found["error"] or f"exit status {found['status']}"
    return text_answer(json.dumps(said, separators=(",", ":"), sort_keys=True))


def _uploaded(sys: Sys, request: http.Message) -> http.Message:
    """A form's `file` is put into /uploads and made executable."""
    boundary = request.get("Content-Type").partition("boundary=")[2].strip('"')
    pieces = request.body.split(f"--{boundary}") if boundary else []
    content = next((piece.partition("\r\n\r\n")[2].removesuffix("\r\n") for piece in pieces if 'name="file"' in piece.partition("\r\n\r\n")[0]), None)
    if content is None:
        return text_answer(json.dumps({"error": "Unable to upload file."}, separators=(",", ":")))
    path = f"/uploads/upload{sys.random(10**9):09d}"
    try:
        if sys.find("/uploads") is None:
            sys.mkdir("/uploads")
        sys.write_file(path, content)
        sys.change(path, m=0o700)
    except Errno as error:
        return text_answer(json.dumps({"error": f"Unable to write file: {error.text.lower()}."}, separators=(",", ":")))
    return text_answer(json.dumps({"output": path}, separators=(",", ":")), 201)


def netexec_datagrams(proc: Process, sys: Sys) -> Waits:
    """netexec's UDP side: `echo WORDS`, `clientip`, `hostname`; other words are answered by nothing."""
    fd = proc["data"].get("udp")
    if fd is None:
        return Waits()
    while sys.readable(fd):
        text, sender = sockets.receive(sys, fd)
        word, _, rest = text.strip().lower().partition(" ")  # all of it in small letters, as it is
        answer = {"hostname": sys.hostname, "clientip": f"{sender[0]}:{sender[1]}", "echo": rest}.get(word, "")
        if answer:
            sockets.send(sys, fd, answer, sender)
    return Waits(fds=(fd,))


def _dialled(values: dict[str, str], learned: Learned) -> http.Message:
    if values.get("protocol", "http").lower() not in ("", "http", "udp", "sctp"):
        return text_answer(f"unsupported protocol. {values['protocol']}\n", 400)
    if not values.get("request"):
        return text_answer("request parameter not specified. <nil>\n", 400)
    answers = [learned[str(number)] for number in range(len(learned))]
    found: dict[str, Any] = {}
    if values.get("protocol", "").lower() == "udp":
        wrong = [f"reading from udp connection failed. err:'read udp {one['address']}: i/o timeout'" for one in answers if one["error"]]
    else:
        wrong = [f'Get "http://{one["address"]}/{values["request"]}": {_told(one["error"])}' for one in answers if one["error"]]
    if wrong:
        found["errors"] = wrong
    if right := [one["body"] for one in answers if not one["error"]]:
        found["responses"] = right
    if not answers:
        found["errors"] = ["host and/or port param are invalid, or the protocol is not spoken here"]
    return text_answer(json.dumps(found, separators=(",", ":"), sort_keys=True))


def _told(error: str) -> str:
    return {"ECONNREFUSED": "connect: connection refused", "ETIMEDOUT": "i/o timeout"}.get(error, error)


def _exit(proc: Process, sys: Sys, values: dict[str, str]) -> Answer:
    """/exit?code=&timeout=&wait=: the process ends after `wait`; with a timeout it first lets connections end, and there are none."""
    given = {}
    for name in ("timeout", "wait"):
        try:
            given[name] = parse_go_duration(values.get(name) or "0")
        except ValueError:
            return text_answer(f"argument '{name}' must be a valid golang duration or empty, got {json.dumps(values[name])}\n")
    code = values.get("code") or "0"
    if not is_whole(code):
        return text_answer(f"argument 'code' must be an integer [0-127] or empty, got {json.dumps(code)}\n")
    if given["wait"] > 0:
        proc["data"]["shutting"] = True
        return Late(given["wait"], text_answer(""))
    sys.exit(saturated(code) & 255)
    return text_answer("")


# ---- porter


def porter_ports(sys: Sys, *prefixes: str) -> dict[str, str]:
    """Port -> what it says, of SERVE_PORT_n and SERVE_TCP_PORT_n, or of what is asked for."""
    found = {}
    for name, value in sys.proc["env"].items():
        for prefix in prefixes or ("SERVE_PORT_", "SERVE_TCP_PORT_"):
            if name.startswith(prefix) and is_whole(name.removeprefix(prefix)):
                found[name.removeprefix(prefix)] = value
    return found


def porter_answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    value = porter_ports(sys, "SERVE_PORT_", "SERVE_TCP_PORT_", "SERVE_TLS_PORT_").get(str(port), "")
    if "--json-response" in proc["argv"]:
        return text_answer(json.dumps({"Method": request.method, "Body": value}, separators=(",", ":")), kind=JSON)
    return text_answer(value, kind="text/html; charset=utf-8" if MARKUP.match(value) else PLAIN)


# ---- nettest: what others report to it; it looks for no peers itself, which the API server would have to name


def nettest_answer(proc: Process, sys: Sys, request: http.Message) -> Answer:
    data = proc["data"]
    received: dict[str, int] = data.setdefault("received", {})
    errors: list[str] = data.setdefault("errors", [])
    if request.path == "/read":
        state = {"Hostname": sys.hostname, "Sent": None, "Received": received or None, "Errors": errors or None, "Log": None,
                 "StillContactingPeers": True}
        return text_answer(json.dumps(state, indent="\t"))
    if request.path == "/write":
        try:
            source = str(json.loads(request.body).get("Source") or "")
        except (ValueError, AttributeError):
            source = ""
        if source:
            received[source] = received.get(source, 0) + 1
        else:
            errors.append(f"{sys.hostname}: Got request with no source")
        return text_answer(json.dumps({"Hostname": sys.hostname}, separators=(",", ":")) + "\n")
    if request.path == "/status":
        return text_answer("running")
    if request.path == "/quit":
        sys.exit(0)
    return text_answer("404 page not found\n", 404)


# ---- guestbook


def guestbook_wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    """/guestbook goes to the primary or a replica; /set on a primary is passed on to the replicas that registered."""
    values, data = query(request), proc["data"]
    command = values.get("cmd", "").lower()
    if request.path == "/guestbook" and not learned and (command == "get" or (command == "set" and values.get("key"))):
        host = "agnhost-primary" if command == "set" else "agnhost-replica"
        target = f"/{command}?{request.target.partition('?')[2]}"
        return Wish("0", host, int(data["backend"]), http.request("GET", target, host, [("Connection", "close")]))
    replicas = data.setdefault("replicas", [])
    if request.path == "/set" and values.get("key") and len(learned) < len(replicas):
        host = replicas[len(learned)]
        target = f"/set?{request.target.partition('?')[2]}"
        return Wish(str(len(learned)), host, int(data["backend"]), http.request("GET", target, host, [("Connection", "close")]))
    return None


def guestbook_answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    values, data = query(request), proc["data"]
    store: Data = data.setdefault("store", {})
    key, command = values.get("key", ""), values.get("cmd", "").lower()
    if request.path == "/register":
        data.setdefault("replicas", []).append(values.get("host", ""))
        return _compact({"data": store})
    if request.path == "/get":
        return _compact({"data": store.get(key, "") if key else store})
    if not key and (request.path == "/set" or (request.path == "/guestbook" and command == "set")):
        return text_answer("cannot set with empty key.\n", 400)
    if request.path == "/set":
        store[key] = values.get("value", "")
        lost = next((one["error"] for one in learned.values() if one["error"]), "")
        return text_answer(f"encountered error while propagating to replica: {lost}\n", 417) if lost else _compact({"message": "Updated"})
    if request.path == "/guestbook":
        if command not in ("get", "set"):
            return text_answer(f"unsupported cmd: '{command}'\n", 400)
        asked = learned.get("0")
        if asked is None or asked["error"]:
            return text_answer(f"encountered error: {asked['error'] if asked else 'no answer'}\n", 417)
        return text_answer(asked["body"])
    return text_answer("404 page not found\n", 404)


def _compact(value: Any) -> http.Message:
    """JSON that says nothing of its type: Go takes it for text."""
    return text_answer(json.dumps(value, separators=(",", ":")))


def guestbook_register(proc: Process, sys: Sys, primary: str) -> None:
    """A replica tells the primary of itself, once, and takes what is there: --replicaof HOST. Blocks; raises Errno until it is heard."""
    data = proc["data"]
    host, _, port = primary.partition(":")
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        data["again"] = sys.now + 1000
        return
    fd = sockets.connect(sys, "register", addresses[0], int(port or data["backend"]), 5000)
    if not data.get("sent"):
        sys.write(fd, http.request("GET", f"/register?host={sockets.local(sys, fd)[0]}", host, [("Connection", "close")]).text())
        data["sent"] = True
    while (text := sys.read(fd)):
        data["heard"] = data.get("heard", "") + text
    sys.close(fd)
    data.pop("register")
    message, _ = http.take(data.pop("heard", ""), closed=True)
    data["store"] = json.loads(message.body)["data"] if message is not None and message.status == 200 else {}
    data["registered"] = True
