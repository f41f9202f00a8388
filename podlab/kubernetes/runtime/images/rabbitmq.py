"""RabbitMQ: queues that keep messages until somebody takes and acknowledges them; rabbitmqctl and rabbitmq-diagnostics.

A client sends a line of JSON {"do": declare, publish, get, consume, ack, delete or list, "user", "password", ...} and gets lines back
(amqp_tools.py); AMQP 0-9-1's own frames are not spoken. Every queue is bound to the default exchange, and there is no other. Durable queues with
their persistent messages lie in mnesia/queues.json, so they survive what the volume survives.
Sources: rabbitmq.com/docs (queues, confirms, cli), docker-library/rabbitmq (defaults, guest from anywhere), AMQP 0-9-1's reply codes.
"""

from __future__ import annotations

import json
from functools import partial

from ...times import stamp
from .. import sockets
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, add
from ..process import INT, QUIT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register, tool
from ..serving import feed_http, listen_on, serve
from ..system import Sys
from .base import PATH, base_tree

PORT, MANAGEMENT = 5672, 15672
START_MS = 7_500
HOME = "/var/lib/rabbitmq/mnesia"
KEPT = f"{HOME}/queues.json"
MESSAGES, LINE = 10_000, 65_536  # of a queue; characters of a request
RELEASE = "4.1.4"
PAGE = "<!doctype html><title>RabbitMQ Management</title>\n"


def _log(sys: Sys, text: str) -> str:
    return f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S.')}{sys.now % 1000:03d}000+00:00 [info] <0.{254 + sys.proc['pid']}.0> {text}\n"


# ---- the broker


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    data = proc["data"]
    if "until" not in data:
        data["until"] = sys.now + START_MS
        sys.out(_log(sys, f"Starting RabbitMQ {RELEASE} on Erlang 27.3.4 [jit]"))
    if "listening" not in data:
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        try:
            _load(proc, sys)
            listen_on(proc, sys, [PORT, *([MANAGEMENT] if "management" in sys.container["image"] else [])])
        except (Errno, ValueError) as error:
            sys.err(f"BOOT FAILED\n===========\nError during startup: {error}\n")
            return 1
        told = f"node           : rabbit@{sys.hostname}", f"started TCP listener on [::]:{PORT}", "Server startup complete; 4 plugins started."
        sys.out("".join(_log(sys, text) for text in told))
    return serve(proc, sys, _feed)


def _load(proc: Process, sys: Sys) -> None:
    env = proc["env"]
    user = env.get("RABBITMQ_DEFAULT_USER") or "guest"
    if sys.find(HOME) is None:
        sys.mkdir(HOME)
    if sys.find(KEPT) is not None:
        proc["data"].update(json.loads(sys.read_file(KEPT)))
    else:
        proc["data"].update(queues={}, users={user: {"password": env.get("RABBITMQ_DEFAULT_PASS") or "guest", "tags": ["administrator"]}})
        _save(proc, sys)


def _save(proc: Process, sys: Sys) -> None:
    """What outlives the process. Raises Errno."""
    queues = {name: {"durable": True, "messages": [one for one in queue["messages"] if one["persistent"]]}
              for name, queue in proc["data"]["queues"].items() if queue["durable"]}  # fmt: skip
    sys.write_file(KEPT, json.dumps({"queues": queues, "users": proc["data"]["users"]}, separators=(",", ":")))


def _feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    if connection["port"] == MANAGEMENT:
        return feed_http(proc, sys, fd, connection, lambda *asked: text_answer(PAGE, kind="text/html"))
    while "\n" in connection["buffer"]:
        line, _, connection["buffer"] = connection["buffer"].partition("\n")
        try:
            request = json.loads(line)
            found = _answer(proc, sys, connection, request)
            sys.write(fd, json.dumps(found, separators=(",", ":")) + "\n" if found else "")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False  # somebody speaks another protocol
        except Errno:
            return False
    if closed or len(connection["buffer"]) > LINE:
        _requeue(proc, sys, connection)
        return False
    return True


def _requeue(proc: Process, sys: Sys, connection: Data) -> None:
    """What a consumer had not acknowledged goes back to the head of its queue."""
    held, name = connection.pop("held", None), connection.pop("consumes", "")
    queue = proc["data"]["queues"].get(name)
    if queue is not None and held is not None:
        queue["messages"].insert(0, held)
        _deliver(proc, sys, name)


def _answer(proc: Process, sys: Sys, connection: Data, request: Data) -> Data:
    data, do, name = proc["data"], request["do"], str(request.get("queue", ""))
    known = data["users"].get(request.get("user"))
    if known is None or known["password"] != request.get("password"):
        return {"error": 403, "text": "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."}
    queues = data["queues"]
    if do == "declare":
        name = name or f"amq.gen-{sys.random(16**10):010x}"
        queues.setdefault(name, {"durable": bool(request.get("durable")), "messages": []})
        _save(proc, sys)
        return {"queue": name}
    if do == "list":
        consumers = [one.get("consumes") for one in data["connections"].values()]
        held = [one["consumes"] for one in data["connections"].values() if one.get("held")]
        rows = [[one, len(queue["messages"]) + held.count(one), consumers.count(one)] for one, queue in sorted(queues.items())]
        return {"queues": rows, "users": sorted([one, about["tags"]] for one, about in data["users"].items())}
    if do == "users":
        return _users(proc, sys, request)
    if do == "publish":
        if name in queues and len(queues[name]["messages"]) < MESSAGES:  # the default exchange drops what nobody asked for
            queues[name]["messages"].append({"body": str(request["body"]), "persistent": bool(request.get("persistent"))})
            _deliver(proc, sys, name)
            _save(proc, sys)
        return {"done": True}
    if name not in queues and do != "ack":
        return {"error": 404, "text": f"NOT_FOUND - no queue '{name}' in vhost '/'"}
    if do == "delete":
        return {"messages": len(queues.pop(name)["messages"])}
    if do == "get":
        found = queues[name]["messages"].pop(0) if queues[name]["messages"] else None
        _save(proc, sys)
        return {"body": found["body"]} if found else {"empty": True}
    if do == "consume":
        connection["consumes"] = name
    elif do == "ack":
        connection.pop("held", None)
        name = connection.get("consumes", "")
        _save(proc, sys)
    _deliver(proc, sys, name)
    return {}


def _deliver(proc: Process, sys: Sys, name: str) -> None:
    """A message for each consumer that has none in its hands."""
    queue = proc["data"]["queues"].get(name)
    for fd, connection in proc["data"]["connections"].items():
        if queue and queue["messages"] and connection.get("consumes") == name and not connection.get("held"):
            connection["held"] = queue["messages"].pop(0)
            try:
                sys.write(int(fd), json.dumps({"body": connection["held"]["body"]}) + "\n")
            except Errno:
                queue["messages"].insert(0, connection.pop("held"))


def _users(proc: Process, sys: Sys, request: Data) -> Data:
    users, name = proc["data"]["users"], str(request["name"])
    verb = request["verb"]
    if (name in users) == (verb == "add_user"):
        return {"error": 70, "text": f'User "{name}" already exists' if name in users else f'User "{name}" does not exist'}
    if verb == "delete_user":
        del users[name]
    elif verb == "set_user_tags":
        users[name]["tags"] = list(request["words"])
    else:
        users.setdefault(name, {"tags": []})["password"] = str(request["words"][0])
    _save(proc, sys)
    return {"done": True}


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT, QUIT):
        if "listening" in proc["data"]:
            sys.out(_log(sys, "SIGTERM received - shutting down") + _log(sys, "RabbitMQ is asked to stop..."))
        sys.exit(0)
    return False


register(Program("rabbitmq-server", partial(run, event=None), run, on_signal, 140 * MEBIBYTE))


# ---- rabbitmqctl


QUIET = ("-q", "--quiet", "-s", "--silent")
HEALTH = {
    "ping": "Will ping {node}. This only checks if the OS process is running and registered with epmd. Timeout: 60000 ms.\nPing succeeded\n",
    "check_running": "Checking if RabbitMQ is running on node {node} ...\nRabbitMQ on node {node} is fully booted and running\n",
    "check_local_alarms": "Asking node {node} to report any local resource alarms ...\nNode {node} reported no local alarms\n",
    "check_port_connectivity": "Testing TCP connections to all active listeners on node {node} ...\n"
                               "Successfully connected to ports 5672, 25672 on node {node}.\n",
    "node_health_check": "Timeout: 70 seconds ...\nChecking health of node {node} ...\nHealth check passed\n",
    "await_startup": "",
    "status": "Status of node {node} ...\nRuntime\n\nOS PID: 1\nOS: Linux\nUptime (seconds): {uptime}\nIs under maintenance?: false\n"
              "RabbitMQ version: {release}\nNode name: {node}\n\nPlugins\n\nEnabled plugin file: /etc/rabbitmq/enabled_plugins\n\nListeners\n\n"
              "Interface: [::], port: 25672, protocol: clustering, purpose: inter-node and CLI tool communication\n"
              "Interface: [::], port: 5672, protocol: amqp, purpose: AMQP 0-9-1 and AMQP 1.0\n",
    "cluster_status": "Cluster status of node {node} ...\nBasics\n\nCluster name: {node}\nTotal CPU cores available cluster-wide: 2\n\n"
                      "Disk Nodes\n\n{node}\n\nRunning Nodes\n\n{node}\n\nVersions\n\n{node}: RabbitMQ {release} on Erlang 27.3.4\n\n"
                      "Maintenance status\n\nNode: {node}, status: not under maintenance\n\nAlarms\n\n(none)\n\nNetwork Partitions\n\n(none)\n",
}  # fmt: skip
ADDED = "Done. Don't forget to grant the user permissions to some virtual hosts! See 'rabbitmqctl help set_permissions' to learn more.\n"
PLAIN = {
    "set_permissions": 'Setting permissions for user "{}" in vhost "/" ...\n',
    "add_vhost": 'Adding vhost "{}" ...\n',
    "stop_app": "Stopping rabbit application on node {node} ...\n",
    "start_app": "Starting node {node} ...\n",
    "reset": "Resetting node {node} ...\n",
}
LISTS = {
    "list_queues": "Timeout: 60.0 seconds ...\nListing queues for vhost / ...\n",
    "list_users": "Listing users ...\n",
    "list_vhosts": "Listing vhosts ...\n",
    "list_connections": "Listing connections ...\n",
    "list_exchanges": "Listing exchanges for vhost / ...\n",
    "list_permissions": 'Listing permissions for vhost "/" ...\n',
}
CHANGES = {
    "add_user": ('Adding user "{}" ...\n' + ADDED, 2),
    "delete_user": ('Deleting user "{}" ...\n', 1),
    "change_password": ('Changing password for user "{}" ...\n', 2),
    "set_user_tags": ('Setting tags for user "{}" to [{}] ...\n', 1),
}


@tool("rabbitmqctl", memory=30 * MEBIBYTE)
def rabbitmqctl(proc: Process, sys: Sys, event: Event) -> int:
    """rabbitmqctl and rabbitmq-diagnostics: health, list_queues, list_users, users' names, passwords and tags; of this Pod's own node."""
    data, node = proc["data"], f"rabbit@{sys.hostname}"
    words = [one for one in proc["argv"][1:] if one not in QUIET]
    quiet = len(words) + 1 < len(proc["argv"])
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in ("-n", "--node", "-t", "--timeout", "-p", "--vhost") else 1 :]
    if not words:
        sys.err("\nUsage\n\nrabbitmqctl [--node <node>] [--timeout <timeout>] [--longnames] [--quiet] <command> [<command options>]\n")
        return 64
    verb, rest = words[0], [one for one in words[1:] if not one.startswith("-")]
    if verb not in HEALTH and verb not in CHANGES and verb not in LISTS and verb not in PLAIN:
        sys.err(f"\nCommand '{verb}' not found. \n\nRun rabbitmqctl help to see all commands.\n")
        return 64
    if verb in CHANGES and len(rest) < CHANGES[verb][1]:
        sys.err(f"Error (argument validation): not enough arguments.\nArguments given:\n\t{' '.join(words)}\n")
        return 64
    try:
        sockets.connect(sys, "server", "127.0.0.1", PORT, 3_000)
    except Errno:
        sys.err(f"Error: unable to perform an operation on node '{node}'. Please see diagnostics information and suggestions below.\n")
        return 69
    if verb in HEALTH or verb in PLAIN:
        told = {"{}": rest[0] if rest else "", "{node}": node, "{release}": RELEASE, "{uptime}": str(sys.now // 1000 % 100_000)}
        text = HEALTH.get(verb) or PLAIN.get(verb, "")
        for mark, value in told.items():
            text = text.replace(mark, value)
        sys.out("" if quiet else text)
        return 0
    fd = int(data["server"])
    if "sent" not in data:
        users = json.loads(sys.read_file(KEPT))["users"]  # the tool holds the node's cookie: it needs no password
        name = next(iter(users))
        asked: Data = {"do": "list"} if verb in LISTS else {"do": "users", "verb": verb, "name": rest[0], "words": rest[1:]}
        sys.write(fd, json.dumps({**asked, "user": name, "password": users[name]["password"]}) + "\n")
        data.update(sent=True, come="")
    while "\n" not in data["come"]:
        piece = sys.read(fd)
        if not piece:
            return 69
        data["come"] += piece
    found = json.loads(data["come"])
    if "error" in found:
        sys.err(f"Error:\n{found['text']}\n")
        return int(found["error"])
    if verb in CHANGES:
        sys.out("" if quiet else CHANGES[verb][0].format(rest[0], ", ".join(rest[1:])))
        return 0
    sys.out(_listed(verb, rest, found, quiet))
    return 0


def _listed(verb: str, rest: list[str], found: Data, quiet: bool) -> str:
    if verb == "list_queues":
        columns = rest or ["name", "messages"]
        held = [{"name": name, "messages": messages, "consumers": consumers, "messages_ready": messages}
                for name, messages, consumers in found["queues"]]  # fmt: skip
        rows = [columns, *([str(one.get(column, "")) for column in columns] for one in held)] if held else []
    elif verb == "list_users":
        rows = [["user", "tags"], *([name, f"[{', '.join(tags)}]"] for name, tags in found["users"])]
    elif verb == "list_vhosts":
        rows = [["name"], ["/"]]
    elif verb == "list_permissions":
        rows = [["user", "configure", "write", "read"], *([name, ".*", ".*", ".*"] for name, _ in found["users"])]
    else:
        rows = [["name", "type"], ["", "direct"], ["amq.direct", "direct"], ["amq.fanout", "fanout"]] if verb == "list_exchanges" else []
    return ("" if quiet else LISTS[verb]) + "".join("\t".join(row) + "\n" for row in rows)


# ---- the image

ENTRYPOINT = '#!/bin/sh\nset -e\nif [ "${1#-}" != "$1" ]; then set -- rabbitmq-server "$@"; fi\nexec "$@"\n'
TREE = base_tree("ubuntu", {
    "usr": {"local": {"bin": {"docker-entrypoint.sh": Entry(ENTRYPOINT, mode=0o755)}},
            "sbin": {"rabbitmq-server": Entry(program="rabbitmq-server", size=4_000_000),
                     **{name: Entry(program="rabbitmqctl", size=4_000_000) for name in ("rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins")}}},
    "var": {"lib": {"rabbitmq": {}}}, "etc": {"rabbitmq": {"conf.d": {}}},
}, users={"rabbitmq": 999})  # fmt: skip
NAMED = ("management", "alpine", "management-alpine")
for _tags in ((VERSIONS,), NAMED):
    add(Image("docker.io/library/rabbitmq", _tags, TREE, 113_860_000, ("docker-entrypoint.sh",), ("rabbitmq-server",),
              {"PATH": PATH, "RABBITMQ_VERSION": RELEASE}, ports=(PORT,)))  # fmt: skip
