"""mongod: keeps documents in files of its data directory, and answers the clients of mongo_client.py.

On the wire a command is an HTTP message with the header X-Mongo and a JSON body, so that every server here can ask one; a web browser gets
the sentence that a real mongod has for it. A replica set has one primary, the member that was asked to initiate it: it tells the others who
they are, and clients follow them to it. No other is ever elected, and secondaries keep no copy.

Files: WiredTiger (there has been a database here), DB.COLLECTION.wt (a document a line), replset.json.
Source: mongodb.com/docs/manual/reference (program mongod, command hello, replSetInitiate, error codes).
"""

from __future__ import annotations

import json
import re
from typing import Any

from .. import http
from ..asking import Learned, Wish, serve_asking
from ..http import text_answer
from ..image import canonical, release
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, listen_on
from ..system import Sys
from .flags import flag
from .log_parsers import iso
from .mongo_store import KEPT, KEPT_TEXT, Refused, aggregate, bearable, matches, updated

EARLY = re.compile(r"(?:2|3\.[0-4])(?:[.-]|$)")
"""Releases that listened on every address by themselves: localhost is the default since 3.6 (release notes, Default Bind to Localhost)."""
MARK = "X-Mongo"
OVER_HTTP = "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n"
STARTS_MS = 1_500
WRITES = ("insert", "update", "delete", "drop", "dropDatabase", "take")


def command(body: Data, host: str) -> http.Message:
    """A command as a client sends it."""
    return http.request("POST", "/", host, [(MARK, "1"), ("Content-Type", "application/json")], json.dumps(body, separators=(",", ":")))


def _log(sys: Sys, component: str, number: int, where: str, message: str, attributes: Data | None = None) -> None:
    entry: Data = {"t": {"$date": iso(sys.now, end="+00:00")}, "s": "I", "c": component, "id": number, "ctx": where, "msg": message}
    sys.out(json.dumps({**entry, **({"attr": attributes} if attributes else {})}, separators=(",", ":")) + "\n")


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    data = proc["data"]
    if "until" not in data:
        path, port = flag(proc, "dbpath", "/data/db"), flag(proc, "port", "27017")
        data.update(until=sys.now + STARTS_MS, path=path.rstrip("/"), port=int(port) if port.isdigit() else 27017, set=flag(proc, "replSet"))
        _log(sys, "CONTROL", 4615611, "initandlisten", "MongoDB starting",
             {"pid": proc["pid"], "port": data["port"], "dbPath": path, "architecture": "64-bit", "host": sys.hostname})  # fmt: skip
        user, password = proc["env"].get("MONGO_INITDB_ROOT_USERNAME"), proc["env"].get("MONGO_INITDB_ROOT_PASSWORD")
        if bool(user) != bool(password):
            sys.err("\nerror: missing 'MONGO_INITDB_ROOT_USERNAME' or 'MONGO_INITDB_ROOT_PASSWORD'\n       both must be specified for a user to be "
                    "created\n\n")  # fmt: skip
            return 1
        try:
            if sys.find(path) is None:
                raise Errno("ENOENT")
            sys.write_file(f"{data['path']}/WiredTiger", "WiredTiger\nWiredTiger 11.2.0\n")
        except Errno as error:
            name = "NonExistentPath: Data directory" if error.name == "ENOENT" else f"IllegalOperation: {error.text}:"
            _log(sys, "CONTROL", 20557, "initandlisten", "DBException in initAndListen, terminating", {"error": f"{name} {path}"})
            return 100
    if "listening" not in data:
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        early = EARLY.match(canonical(sys.container["image"])[1]) is not None
        everywhere = early or "--bind_ip_all" in proc["argv"] or set(flag(proc, "bind_ip").split(",")) & {"0.0.0.0", "*", "::", sys.hostname}
        try:
            listen_on(proc, sys, [data["port"]], "0.0.0.0" if everywhere else "127.0.0.1")
        except Errno as error:
            _log(sys, "CONTROL", 20568, "initandlisten", "Error setting up listener", {"error": f"SocketException: {error.text}"})
            return 48
        _log(sys, "NETWORK", 23016, "listener", "Waiting for connections", {"port": data["port"], "ssl": "off"})
    return serve_asking(proc, sys, _wish, _answer)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        _log(sys, "CONTROL", 23377, "SignalHandler", "Received signal", {"signal": n, "error": "Terminated" if n == TERM else "Interrupt"})
        sys.exit(0)
    return False


register(Program("mongod", lambda proc, sys: run(proc, sys, None), run, on_signal, 180 * MEBIBYTE))


# ---- the replica set


def _members(proc: Process, sys: Sys) -> Data:
    """{"config", "primary", "me"}, or nothing before it is initiated."""
    path = f"{proc['data']['path']}/replset.json"
    return json.loads(sys.read_file(path)) if sys.find(path) is not None else {}


def _hello(proc: Process, sys: Sys) -> Data:
    data = proc["data"]
    if not data["set"]:
        return {"isWritablePrimary": True, "me": "", "primary": "", "hosts": [], "ok": 1}
    found = _members(proc, sys)
    if not found:
        return {"isWritablePrimary": False, "secondary": False, "info": "Does not have a valid replica set config", "hosts": [], "primary": "",
                "ok": 1}  # fmt: skip
    first = found["me"] == found["primary"]
    return {"isWritablePrimary": first, "secondary": not first, "setName": found["config"]["_id"], "me": found["me"], "primary": found["primary"],
            "hosts": [one["host"] for one in found["config"]["members"]], "ok": 1}  # fmt: skip


def _me(sys: Sys, members: list[Data], port: int) -> str:
    """The member of a configuration that this process is."""
    for one in members:
        name, _, number = str(one["host"]).partition(":")
        if (number or "27017") == str(port) and (name.partition(".")[0] in (sys.hostname, "localhost") or name in ("127.0.0.1", sys.sandbox["ip"])):
            return str(one["host"])
    return ""


def _body(request: http.Message) -> Data:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    """Who initiates a set asks every other member first."""
    body = _body(request) if request.get(MARK) else {}
    if body.get("op") == "reconfig" and (held := _members(proc, sys)) and held["me"] == held["primary"]:
        config = _changed(held["config"], body)
        for host in (str(one["host"]) for one in config["members"]):
            if host not in (held["me"], *learned):
                name, _, port = host.partition(":")
                found = {"op": "adopt", "config": config, "primary": held["me"], "me": host}
                return Wish(host, name, int(port or 27017), command(found, host))
    if body.get("op") != "initiate" or not proc["data"]["set"] or _members(proc, sys):
        return None
    members = body["config"].get("members", [])
    me = _me(sys, members, proc["data"]["port"])
    for host in (str(one["host"]) for one in members):
        if me and host != me and host not in learned:
            name, _, port = host.partition(":")
            found = {"op": "adopt", "config": body["config"], "primary": me, "me": host}
            return Wish(host, name, int(port or 27017), command(found, host))
    return None


def _initiate(proc: Process, sys: Sys, config: Data, learned: Learned) -> Data:
    if not proc["data"]["set"]:
        raise Refused(76, "NoReplicationEnabled", "This node was not started with replication enabled.")
    if _members(proc, sys):
        raise Refused(23, "AlreadyInitialized", "already initialized")
    if not config.get("_id"):
        config["_id"] = proc["data"]["set"]
    if not config.get("members"):
        config["members"] = [{"_id": 0, "host": f"{sys.hostname}:{proc['data']['port']}"}]
    if config["_id"] != proc["data"]["set"]:
        raise Refused(93, "InvalidReplicaSetConfig", "Rejecting initiate with a set name that differs from command line set name, initiate set "
                      f"name: {config['_id']}, command line set name: {proc['data']['set']}")  # fmt: skip
    me = _me(sys, config["members"], proc["data"]["port"])
    if not me:
        raise Refused(74, "NodeNotFound", "No host described in new configuration with {version: 1, term: 0} for replica set "
                      f"{config['_id']} maps to this node")  # fmt: skip
    for host, one in learned.items():
        if one["error"] or not json.loads(one["body"] or "{}").get("ok"):
            raise Refused(74, "NodeNotFound", "replSetInitiate quorum check failed because not all proposed set members responded affirmatively: "
                          f"{host} failed with Error connecting to {host} :: caused by :: {one['error'] or 'its set has another name'}")  # fmt: skip
    _keep(proc, sys, {"config": config, "primary": me, "me": me})
    return {"ok": 1}


def _changed(config: Data, body: Data) -> Data:
    """A set's configuration with a member more (add), or less (remove), or another one (config)."""
    if isinstance(body.get("config"), dict):
        return {**body["config"], "_id": config["_id"]}
    members = [one for one in config["members"] if one["host"] != body.get("remove")]
    if body.get("add") and not any(one["host"] == body["add"] for one in members):
        members.append({"_id": max(int(one["_id"]) for one in members) + 1, "host": str(body["add"])})
    return {**config, "members": members, "version": int(config.get("version", 1)) + 1}


def _reconfigure(proc: Process, sys: Sys, body: Data, learned: Learned) -> Data:
    _status(proc, sys)
    held = _members(proc, sys)
    if held["me"] != held["primary"]:
        raise Refused(10107, "NotWritablePrimary", "New config is rejected :: caused by :: replSetReconfig should only be run on a writable PRIMARY. "
                      "Current state SECONDARY;")  # fmt: skip
    config = _changed(held["config"], body)
    for host, one in learned.items():
        if (one["error"] or not json.loads(one["body"] or "{}").get("ok")) and not any(host == old["host"] for old in held["config"]["members"]):
            raise Refused(74, "NodeNotFound", "Quorum check failed because not enough voting nodes responded; required 2 but only the following 1 "
                          f"voting nodes responded: {held['me']}; the following nodes did not respond affirmatively: {host} failed with "
                          f"{one['error'] or 'its set has another name'}")  # fmt: skip
    _keep(proc, sys, {**held, "config": config})
    return {"ok": 1}


def _server_status(proc: Process, sys: Sys) -> Data:
    """A few of serverStatus's many fields."""
    port, current = proc["data"]["port"], len(proc["data"]["connections"])
    version = release(sys.container["image"], "7.0.14")
    return {"host": sys.hostname + ("" if port == 27017 else f":{port}"), "version": version, "process": "mongod", "pid": proc["pid"],
            "uptime": (sys.now - sys.container["started_at"]) // 1000, "localTime": {"$date": sys.now},
            "connections": {"current": current, "available": 838_860 - current, "totalCreated": current, "active": 1}, "ok": 1}  # fmt: skip


def _keep(proc: Process, sys: Sys, found: Data) -> None:
    sys.write_file(f"{proc['data']['path']}/replset.json", json.dumps(found))


def _status(proc: Process, sys: Sys) -> Data:
    if not proc["data"]["set"]:
        raise Refused(76, "NoReplicationEnabled", "not running with --replSet")
    found = _members(proc, sys)
    if not found:
        raise Refused(94, "NotYetInitialized", "no replset config has been received")
    members = [{"_id": one["_id"], "name": one["host"], "health": 1, "state": 1 if one["host"] == found["primary"] else 2,
                "stateStr": "PRIMARY" if one["host"] == found["primary"] else "SECONDARY"} for one in found["config"]["members"]]  # fmt: skip
    state = 1 if found["me"] == found["primary"] else 2
    return {"set": found["config"]["_id"], "date": {"$date": sys.now}, "myState": state, "members": members, "ok": 1}


# ---- commands


def _answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    if not request.get(MARK):
        return text_answer(OVER_HTTP, kind="text/plain")
    try:
        found = _execute(proc, sys, _body(request), learned)
    except Refused as error:
        found = {"ok": 0, "code": error.code, "codeName": error.name, "errmsg": error.message}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, ArithmeticError):
        found = {"ok": 0, "code": 9, "codeName": "FailedToParse", "errmsg": "podlab: a command that is not understood here"}
    except Errno as error:
        found = {"ok": 0, "code": 8, "codeName": "UnknownError", "errmsg": f"{error.text}"}
    return text_answer(json.dumps(found, separators=(",", ":")), kind="application/json")


def _execute(proc: Process, sys: Sys, body: Data, learned: Learned) -> Data:
    op = str(body.get("op"))
    sys.charge(150)
    if op == "ping":
        return {"ok": 1}
    if op == "hello":
        return _hello(proc, sys)
    if op == "initiate":
        return _initiate(proc, sys, body["config"], learned)
    if op == "adopt":
        held = _members(proc, sys)
        if proc["data"]["set"] != body["config"]["_id"] or (held and held["primary"] != body["primary"]):
            return {"ok": 0}
        _keep(proc, sys, {key: body[key] for key in ("config", "primary", "me")})
        return {"ok": 1}
    if op == "reconfig":
        return _reconfigure(proc, sys, body, learned)
    if op == "serverStatus":
        return _server_status(proc, sys)
    if op == "status":
        return _status(proc, sys)
    if op == "conf":
        _status(proc, sys)
        return {"ok": 1, "config": _members(proc, sys)["config"]}
    if not _hello(proc, sys)["isWritablePrimary"]:
        if op in WRITES:
            raise Refused(10107, "NotWritablePrimary", "not primary")
        raise Refused(13435, "NotPrimaryNoSecondaryOk", "not primary and secondaryOk=false")
    if op in ("databases", "collections"):
        return {"ok": 1, "names": _names(proc, sys, str(body.get("db")) if op == "collections" else "")}
    if op == "dropDatabase":
        for name in _names(proc, sys, body["db"]):
            sys.unlink(_path(proc, body["db"], name))
        return {"ok": 1, "dropped": body["db"]}
    return _on_collection(proc, sys, op, body)


def _names(proc: Process, sys: Sys, database: str) -> list[str]:
    files = [name.removesuffix(".wt").partition(".") for name in sys.listdir(proc["data"]["path"]) if name.endswith(".wt")]
    return sorted({one if not database else rest for one, _, rest in files if not database or one == database})


def _path(proc: Process, database: str, name: str) -> str:
    if "/" in database + name or not database or not name:
        raise Refused(73, "InvalidNamespace", f"Invalid namespace specified '{database}.{name}'")
    return f"{proc['data']['path']}/{database}.{name}.wt"


def _on_collection(proc: Process, sys: Sys, op: str, body: Data) -> Data:
    path = _path(proc, str(body.get("db")), str(body.get("coll")))
    here = sys.find(path) is not None
    if op == "insert":
        sys.write_file(path, "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in body["documents"]), "a")
        held = sys.look(path).inode["s"]
        if held.count("\n") > 2 * KEPT or len(held) > KEPT_TEXT:
            newest = held[-KEPT_TEXT // 2 :].partition("\n")[2] if len(held) > KEPT_TEXT else held
            sys.write_file(path, "\n".join(newest.rstrip("\n").split("\n")[-KEPT:]) + "\n" if newest else "")
        return {"ok": 1}
    if op == "drop":
        if here:
            sys.unlink(path)
        return {"ok": 1, "existed": here}
    documents: list[Data] = [json.loads(line) for line in sys.look(path).inode["s"].splitlines()] if here else []
    sys.charge(2 * len(documents))
    query = body.get("query") or {}
    bearable(documents, query)
    if op == "find":
        return {"ok": 1, "documents": [one for one in documents if matches(one, query)]}
    if op == "aggregate":
        return {"ok": 1, "documents": aggregate(documents, body["pipeline"], sys.random)}
    chosen = [at for at, one in enumerate(documents) if matches(one, query)][: 1 if body.get("one") else None]
    before = documents[chosen[0]] if chosen else None
    result: Data = {"ok": 1, "matched": len(chosen), "modified": 0, "upserted": None, "document": before}
    if op == "delete":
        documents = [one for at, one in enumerate(documents) if at not in set(chosen)]
    elif op == "update":
        for at in chosen:
            new = updated(documents[at], body["change"])
            result["modified"] += new != documents[at]
            documents[at] = new
        if not chosen and body.get("upsert"):
            new = updated({"_id": body["id"], **{key: value for key, value in query.items() if not key.startswith("$")}}, body["change"])
            documents.append(new)
            result["upserted"] = new["_id"]
    else:
        raise Refused(59, "CommandNotFound", f"no such command: '{op}'")
    if chosen or result["upserted"] is not None:
        sys.write_file(path, "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in documents))
    return result


def learn(one: Any) -> Data:
    """What a `Wish` for a command has learned: the command's result, or {"ok": 0, "network": errno's name}."""
    if one["error"]:
        return {"ok": 0, "network": one["error"], "address": one["address"]}
    try:
        found = json.loads(one["body"])
    except (ValueError, RecursionError):
        return {"ok": 0, "network": "EOF", "address": one["address"]}
    return found if isinstance(found, dict) else {"ok": 0}
