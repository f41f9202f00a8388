"""Elasticsearch 8: one node, HTTP on 9200. Indices are elasticsearch_store.py's, the query language elasticsearch_search.py's.

Configuration as the image documents it: environment variables with a dot in their names (`discovery.type`,
`xpack.security.enabled` ...), ES_JAVA_OPTS and config/elasticsearch.yml. What a learner meets here as there:
the bootstrap check for discovery.type, the heap that takes half of the memory and
with a smaller limit ends as OOMKilled, half a minute of start-up, HTTPS and passwords unless security is turned off, an index that is yellow
because a single node has no place for its replica, documents that can be found a second later.
Sources: elastic.co/docs (docker, bootstrap checks, REST APIs). No clustering, no security realm, no ingest pipelines, no scripts.
"""

from __future__ import annotations

import re

from ... import bounded_yaml
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import feed_http, listen_on, serve
from ..system import Sys
from . import elasticsearch_store as store
from .base import PATH, base_tree
from .elasticsearch_api import answer
from .elasticsearch_indices import log, version

START_MS = (17_000, 9_000)  # 17 s and up to 9 s more: a JVM with one or two cores and a small heap
STEPS_MS = (2_500, 6_000, 11_000)  # the JVM is up; the node has its data path; the modules are loaded
NATIVE = 340 * MEBIBYTE  # what the JVM keeps beside its heap


# ---- start


def configuration(proc: Process, sys: Sys) -> dict[str, str]:
    """The settings of elasticsearch.yml and, over them, of the environment. Raises ValueError."""
    found = {"cluster.name": "docker-cluster", "node.name": sys.hostname, "path.data": "/usr/share/elasticsearch/data", "http.port": "9200"}
    try:
        given = bounded_yaml.load(sys.read_file("/usr/share/elasticsearch/config/elasticsearch.yml")) or {}
    except Errno:
        given = {}
    todo = [("", given)]
    while todo:
        prefix, where = todo.pop()
        for name, value in where.items() if isinstance(where, dict) else ():
            if isinstance(value, dict):
                todo.append((f"{prefix}{name}.", value))
            else:
                found[prefix + name] = str(value).lower() if isinstance(value, bool) else str(value)
    for name, value in proc["env"].items():
        if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name):
            found[name] = value
        elif name.startswith("ES_SETTING_"):
            found[re.sub(r"(?<!_)_(?!_)", ".", name[11:].lower()).replace("__", "_")] = value
    for word in (word[2:] for word in proc["argv"] if word.startswith("-E") and "=" in word):
        name, _, value = word.partition("=")
        found[name] = value
    return found


KNOWN = ("cluster.", "node.", "path.", "network.", "http.", "transport.", "discovery.", "xpack.", "bootstrap.", "ingest.", "action.", "indices.",
         "logger.", "gateway.", "index.", "thread_pool.", "script.", "search.", "reindex.", "cloud.", "processors", "repositories.")  # fmt: skip


def heap(proc: Process, sys: Sys) -> int:
    """Bytes of -Xmx, or what the JVM ergonomics of Elasticsearch choose: 40 % of less than 1 GiB, else half."""
    given = re.findall(r"-Xm[sx](\d+)([kmgKMG]?)", proc["env"].get("ES_JAVA_OPTS", ""))
    if given:
        number, unit = given[-1]
        return int(number) << {"": 0, "k": 10, "m": 20, "g": 30}[unit.lower()]
    whole = int(sys.container["limits"].get("memory") or sys.kernel.state["memory"])
    return whole * 2 // 5 if whole < 1 << 30 else min(whole // 2, 31 << 30)


def run(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "until" not in data:
        try:
            data["conf"] = conf = configuration(proc, sys)
        except ValueError as error:
            sys.err(
                f'Exception in thread "main" SettingsException[Failed to load settings from [elasticsearch.yml]]; nested: '
                f"ParsingException[{error}];\n"
            )
            return 1
        wrong = [name for name in conf if not name.startswith(KNOWN)]
        data["wrong"] = sorted(wrong)
        data["began"] = sys.now
        data["until"] = sys.now + START_MS[0] + sys.random(START_MS[1])
        sys.allocate(heap(proc, sys) // 8)
        data["step"] = 0
    while data["step"] < len(STEPS_MS):
        if sys.now < data["began"] + STEPS_MS[data["step"]]:
            sys.sleep(data["began"] + STEPS_MS[data["step"]] - sys.now)
        code = _step(proc, sys, data["step"])
        if code is not None:
            return code
        data["step"] += 1
    if "listening" not in data:
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        try:
            listen_on(proc, sys, [int(data["conf"]["http.port"])])
        except (Errno, ValueError):
            log(
                sys,
                "ERROR",
                "bootstrap.Elasticsearch",
                f"fatal exception while booting Elasticsearch: BindHttpException[Failed to bind to 0.0.0.0:{data['conf']['http.port']}]",
            )
            return 1
        port = data["conf"]["http.port"]
        log(sys, "INFO", "http.AbstractHttpServerTransport", f"publish_address {{{sys.sandbox['ip']}:{port}}}, bound_addresses {{0.0.0.0:{port}}}")
        log(sys, "INFO", "node.Node", f"started {{{data['conf']['node.name']}}}")
        count = len(store.names(sys, data))
        log(sys, "INFO", "gateway.GatewayService", f"recovered [{count}] indices into cluster_state")
        if count:
            log(sys, "INFO", "cluster.routing.allocation.AllocationService", "current.health=\"YELLOW\" message=\"Cluster health status "
                                                            "changed from [RED] to "
                "[YELLOW] (reason: [shards started]).\" previous.health=\"RED\" reason=\"shards started\"")  # fmt: skip
    return serve(proc, sys, feed)


def _step(proc: Process, sys: Sys, step: int) -> int | None:
    data = proc["data"]
    conf = data["conf"]
    if step == 0:
        if data["wrong"]:
            log(sys, "ERROR", "bootstrap.Elasticsearch", f"fatal exception while booting Elasticsearch: unknown setting "
                                                         f"[{data['wrong'][0]}] please check that any required "
                "plugins are installed, or check the breaking changes documentation for removed settings")  # fmt: skip
            return 1
        log(sys, "INFO", "node.Node", f"version[{version(sys)}], pid[{proc['pid']}], build[docker/0000000/2025-10-06T15:25:38.000Z], "
                                      f"OS[Linux/6.1.0/amd64], "
            "JVM[Oracle Corporation/OpenJDK 64-Bit Server VM/25/25+36]")  # fmt: skip
        size = heap(proc, sys)
        log(sys, "INFO", "node.Node", f"JVM arguments [-Xms{size >> 20}m, -Xmx{size >> 20}m, -XX:+AlwaysPreTouch]")
        sys.allocate(size + NATIVE)  # -XX:+AlwaysPreTouch: the whole heap is resident at once
    elif step == 1:
        log(sys, "INFO", "env.NodeEnvironment", f"heap size [{heap(proc, sys) >> 20}mb], compressed ordinary object pointers [true]")
        try:
            for directory in (conf["path.data"], store.root(data)):
                if sys.find(directory) is None:
                    sys.mkdir(directory)
            sys.write_file(conf["path.data"] + "/node.lock", "")
        except Errno:
            log(sys, "ERROR", "bootstrap.Elasticsearch", "fatal exception while booting Elasticsearch: java.lang.IllegalStateException: "
                                                         "failed to obtain node locks, tried "
                f"[{conf['path.data']}]; maybe these locations are not writable")  # fmt: skip
            return 1
    elif conf.get("discovery.type") != "single-node" and conf.get("xpack.security.enabled") == "false":
        if not any(name in conf for name in ("discovery.seed_hosts", "discovery.seed_providers", "cluster.initial_master_nodes")):
            sys.err("bootstrap check failure [1] of [1]: the default discovery settings are unsuitable for production use; at least one of "
                "[discovery.seed_hosts, discovery.seed_providers, cluster.initial_master_nodes] must be configured; for more information see "
                f"[https://www.elastic.co/guide/en/elasticsearch/reference/{version(sys).rpartition('.')[0]}/bootstrap-checks.html]\n"
                "ERROR: Elasticsearch did not exit normally - check the logs at /usr/share/elasticsearch/logs/docker-cluster.log\n")  # fmt: skip
            return 78
    else:
        secure = conf.get("xpack.security.enabled") != "false"
        log(sys, "INFO", "xpack.security.Security", f"Security is {'enabled' if secure else 'disabled'}")
        log(sys, "INFO", "node.Node", "initialized")
        log(sys, "INFO", "node.Node", "starting ...")
    return None


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM ends the JVM with 143 as any; what was written is on the disk already."""
    if n in (TERM, INT):
        if "listening" in proc["data"]:
            log(sys, "INFO", "node.Node", "stopping ...")
            log(sys, "INFO", "node.Node", "stopped")
            log(sys, "INFO", "node.Node", "closed")
        sys.exit(128 + n)
    return False


# ---- requests


def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    if proc["data"]["conf"].get("xpack.security.enabled") == "false":
        return feed_http(proc, sys, fd, connection, answer)
    if connection["buffer"]:  # TLS is expected: plain HTTP gets no answer at all
        log(sys, "WARN", "http.netty4.Netty4HttpServerTransport", "received plaintext http traffic on an https channel, closing connection "
            f"Netty4HttpChannel{{localAddress=/{sys.sandbox['ip']}:9200, remoteAddress=/{connection['peer']}}}")  # fmt: skip
    return not connection["buffer"]


register(Program("elasticsearch", lambda proc, sys: run(proc, sys, None), run, on_signal, 60 * MEBIBYTE))
TAGS = (
    "8.19.5",
    "8.19.4",
    "8.19.0",
    "8.18.0",
    "8.17.0",
    "8.16.0",
    "8.15.3",
    "8.15.0",
    "8.14.3",
    "8.13.4",
    "8.12.2",
    "8.11.4",
    "8.10.4",
    "8.9.2",
    "8.8.2",
)
for _name in ("docker.elastic.co/elasticsearch/elasticsearch", "docker.io/library/elasticsearch", "docker.io/elastic/elasticsearch"):
    add(
        Image(
            _name,
            TAGS,
            base_tree(
                "ubuntu",
                {
                    "usr": {
                        "share": {
                            "elasticsearch": Entry(uid=1000, children={
                                "bin": {"elasticsearch": Entry(program="elasticsearch", size=2_600)},
                                "config": {"elasticsearch.yml": "cluster.name: \"docker-cluster\"\nnetwork.host: 0.0.0.0\n"},
                                "data": Entry(uid=1000, mode=0o775, children={}),
                                "logs": Entry(uid=1000, mode=0o775, children={}),
                            }),
                        },
                        "local": {"bin": {"docker-entrypoint.sh": Entry(program="elasticsearch", size=3_400)}},
                    },
                },
                users={"elasticsearch": 1000},
                extra=("curl",),
            ),
            588_112_440,
            entrypoint=("/usr/local/bin/docker-entrypoint.sh",),
            cmd=("eswrapper",),
            env={"PATH": "/usr/share/elasticsearch/bin:" + PATH, "ELASTIC_CONTAINER": "true"},
            working_dir="/usr/share/elasticsearch",
            user="1000:0",
            ports=(9200, 9300),
        )
    )  # fmt: skip
