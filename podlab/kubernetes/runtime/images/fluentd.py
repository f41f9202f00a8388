"""Fluentd v1: the plain image, and the one for Kubernetes with the Elasticsearch plugin. Configuration: fluentd_config.py.

Sources: tail, forward, http, sample (dummy). Filters: record_transformer, grep, parser, stdout. Outputs: stdout, file, null, copy, forward, relabel,
http, elasticsearch (only in the image that has the plugin), loki (in Grafana's image). Its words are those of Fluentd 1.18 and
fluent-plugin-elasticsearch 5.4 (docs.fluentd.org; the plugins' READMEs).
"""

from __future__ import annotations

import json
import re
from functools import partial

from .. import http, sockets
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import HUP, INT, TERM, USR1, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import feed_http
from ..system import Sys
from . import log_pipeline as pipe
from .base import PATH, base_tree
from .fluentd_agent import FLUENTD, say
from .fluentd_config import ConfigError, ConfigParseError, count, parse
from .fluentd_configure import OUTPUTS, configure
from .fluentd_plugins import address, kind, ruby_error
from .log_parsers import parse_json

VERSION = "1.18.0"
START_MS = 1_200  # the supervisor reads the file, then starts a worker: about a second of Ruby each
USED = {
    "tail": {"path", "exclude_path", "pos_file", "tag", "read_from_head", "refresh_interval", "format", "follow_inodes", "path_key", "rotate_wait",
             "enable_watch_timer", "enable_stat_watcher", "limit_recently_modified", "skip_refresh_on_startup", "multiline_flush_interval",
             "emit_unmatched_lines"},
    "forward": {"port", "bind", "heartbeat_type", "send_timeout", "flush_interval", "require_ack_response"},
    "elasticsearch": {"host", "port", "hosts", "scheme", "user", "password", "index_name", "logstash_format", "logstash_prefix",
                      "logstash_dateformat",
                      "include_tag_key", "tag_key", "include_timestamp", "time_key", "flush_interval", "request_timeout", "reconnect_on_error",
                      "reload_on_failure", "reload_connections", "verify_es_version_at_startup", "max_retry_get_es_version",
                      "default_elasticsearch_version",
                      "suppress_type_name", "type_name", "id_key", "remove_keys", "log_es_400_reason", "logstash_prefix_separator", "ssl_verify",
                      "max_retry_putting_template", "slow_flush_log_threshold", "path", "target_index_key", "ssl_version", "sniffer_class_name",
                      "write_operation", "utc_index", "bulk_message_request_threshold"},
}  # fmt: skip
"""Parameters that are known; any other is named in a warning, as Fluentd does. Plugins that are not here take all."""
COMMON = {"@type", "@id", "@log_level", "@label", "type", "log_level"}


# ---- start


def run(proc: Process, sys: Sys, plugins: tuple[str, ...]) -> int:
    data = proc["data"]
    if "phase" not in data:
        code = _supervise(proc, sys, plugins)
        if code is not None:
            return code
        data.update(phase="worker", until=sys.now + START_MS)
    if data["phase"] == "worker":
        if sys.now < data["until"]:
            sys.sleep(data["until"] - sys.now)
        for label, elements in data["conf"].items():
            for element in elements:
                at = f" in {label}" if label else ""
                say(sys, "info", f'adding {element["name"]}{at} pattern="{element["arg"] or "**"}" type="{kind(element)}"', worker=False)
        data["phase"] = "verify"
    if data["phase"] == "verify":
        _verify(proc, sys)
        _say_plugins(sys, data)
        say(sys, "info", f"starting fluentd worker pid={proc['pid'] + 9} ppid={proc['pid']} worker=0")
        try:
            for port in data["ports"]:
                data.setdefault("connections", {})
                data.setdefault("listening", {})[port] = sockets.listen(sys, int(port))
                say(sys, "info", f'listening port port={port} bind="0.0.0.0"')
        except Errno:
            say(sys, "error", 'unexpected error error_class=Errno::EADDRINUSE error="Address already in use - bind(2)"')
            return 1
        for tail in data["pipeline"]["tails"].values():
            _directory_of(sys, tail["saved"])
            tail["began"] = sys.now
            if not tail["saved"]:
                say(sys, "warn", "'pos_file PATH' parameter is not set to a 'tail' source.")
                say(sys, "warn", "this parameter is highly recommended to save the position to resume tailing.")
        data["phase"] = "run"
        say(sys, "info", "fluentd worker is now running worker=0")
    return pipe.run(proc, sys, FLUENTD, feed)


def _supervise(proc: Process, sys: Sys, plugins: tuple[str, ...]) -> int | None:
    """Reads the configuration before a worker starts; gives the exit code where none is to start."""
    path = config_path(proc)
    if "--version" in proc["argv"]:
        sys.out(f"fluentd {VERSION}\n")
        return 0
    say(sys, "info", "init supervisor logger path=nil rotate_age=nil rotate_size=nil", worker=False)
    try:
        children = parse(sys, path)
        say(sys, "info", f'parsing config file is succeeded path="{path}"', worker=False)
        configure(proc, sys, children, plugins)
    except Errno as error:
        say(sys, "error", f"{error.text} @ rb_sysopen - {path} (Errno::{error.name})", worker=False)
        return 1
    except (ConfigParseError, ConfigError) as error:
        name = "ConfigParseError" if isinstance(error, ConfigParseError) else "NotFoundPluginError" if "gem search" in str(error) else "ConfigError"
        why = json.dumps(str(error), ensure_ascii=False)
        say(sys, "error", f'config error file="{path}" error_class=Fluent::{name} error={why}', worker=False)
        return 1
    _announce(proc, sys, path, children)
    if "--dry-run" in proc["argv"]:
        say(sys, "info", "finished dry run mode", worker=False)
        return 0
    return None


def _say_plugins(sys: Sys, data: Data) -> None:
    """The sources by name, and the parameters that no plugin knows."""
    for element in data["sources"].values():
        say(sys, "info", f'adding source type="{kind(element)}"', worker=False)
    for element in [*data["sources"].values(), *data["outs"].values()]:
        for name in element["params"]:
            if name not in USED.get(kind(element), {name}) | COMMON:
                where = f"<{element['name']}{' ' + element['arg'] if element['arg'] else ''}>"
                say(sys, "warn", f"parameter '{name}' in {where} is not used.", worker=False)


def config_path(proc: Process) -> str:
    words = proc["argv"]
    for option in ("-c", "--config"):
        if option in words[:-1]:
            return words[words.index(option) + 1]
    return f"/fluentd/etc/{proc['env'].get('FLUENTD_CONF') or 'fluent.conf'}"


def _announce(proc: Process, sys: Sys, path: str, children: list[Data]) -> None:
    say(sys, "info", f"gem 'fluentd' version '{VERSION}'", worker=False)
    if "elasticsearch" in proc["argv"][0]:
        say(sys, "info", "gem 'fluent-plugin-elasticsearch' version '5.4.3'", worker=False)
    say(sys, "info", f"using configuration file: <ROOT>\n{''.join(_shown(element, 1) for element in children)}</ROOT>", worker=False)
    say(sys, "info", f'starting fluentd-{VERSION} pid={proc["pid"]} ruby="3.2.6"', worker=False)
    say(sys, "info", 'spawn command to main:  cmdline=["/usr/local/bin/ruby", "-Eascii-8bit:ascii-8bit", "/usr/local/bundle/bin/fluentd", '
        f'"--config", "{path}", '
        '"--plugin", "/fluentd/plugins", "--under-supervisor"]', worker=False)  # fmt: skip


def _shown(element: Data, depth: int) -> str:
    pad = "  " * depth
    head = f"{pad}<{element['name']}{' ' + element['arg'] if element['arg'] else ''}>\n"
    rows = "".join(f"{pad}  {name} {_masked(name, value)}\n" for name, value in element["params"].items())
    return head + rows + "".join(_shown(one, depth + 1) for one in element["children"]) + f"{pad}</{element['name']}>\n"


def _masked(name: str, value: str) -> str:
    return (
        "xxxxxx" if name == "password" else json.dumps(value, ensure_ascii=False) if re.search(r"[\s#]", value) and value[:1] not in "[{/" else value
    )


def _directory_of(sys: Sys, path: str) -> None:
    """The directory of a pos_file, made when missing, as Fluentd does. Raises Errno."""
    made = ""
    for part in path.split("/")[1:-1]:
        made += "/" + part
        if sys.find(made) is None:
            sys.mkdir(made, 0o755)


def _verify(proc: Process, sys: Sys) -> None:
    """Asks each Elasticsearch for its version before the sources begin; waits 2, 4, 8 ... s between tries (verify_es_version_at_startup)."""
    data = proc["data"]
    while data["verify"]:
        element = data["outs"][data["verify"][0]]
        host, port = address(element["params"])
        held = data.setdefault("asking", {"tries": 0, "at": 0, "flight": None, "why": ""})
        if sys.now < held["at"]:
            sys.sleep(held["at"] - sys.now)
        if held["at"]:
            left = count(element["params"], "max_retry_get_es_version", 15) - held["tries"]
            say(sys, "warn", f"Could not communicate to Elasticsearch, resetting connection and trying again. {held['why']}")
            say(sys, "warn", f"Remaining retry: {left}. Retry to communicate after {2 ** held['tries']} second(s).")
            held["at"] = 0
        if held["flight"] is None:
            held["flight"] = pipe.launch(
                sys, {"host": host, "port": port, "text": http.request("GET", "/", f"{host}:{port}", [("Connection", "close")]).text()}
            )
        answer = pipe.advance(sys, held["flight"])
        if answer is None:
            times: list[int] = []
            fds: list[int] = []
            objs: list[str] = []
            pipe.waits_of(proc, held["flight"], times, fds, objs)
            sys.poll(tuple(fds), min(times) - sys.now, objs=tuple(objs))
            continue
        where = f"{held['flight']['address']}:{port}"
        held["flight"] = None
        if answer[2] or answer[0] >= 500:
            held["tries"] += 1
            if held["tries"] > count(element["params"], "max_retry_get_es_version", 15):
                text = f"Could not communicate to Elasticsearch after {held['tries'] - 1} retries. {ruby_error(answer[2], where)}"
                say(
                    sys,
                    "error",
                    f"unexpected error error_class=Fluent::Plugin::ElasticsearchError::RetryableOperationExhaustedFailure error={json.dumps(text)}",
                )
                sys.exit(1)
            held.update(at=sys.now + 1000 * 2 ** held["tries"], why=ruby_error(answer[2] or f"[{answer[0]}]", where))
            continue
        del data["asking"]
        data["verify"].pop(0)


def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    """What comes in on a port of a forward or http source."""
    source = proc["data"]["ports"][str(connection["port"])]
    element = proc["data"]["sources"][source]
    label = element["params"].get("@label", "")
    if kind(element) == "forward":
        lines = connection["buffer"].split("\n")
        connection["buffer"] = lines.pop()
        for line in lines:
            event = pipe.received(line)
            if event is not None:
                FLUENTD.route(proc, sys, label, *event)
        return True

    def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
        body = request.body.removeprefix("json=")
        record = parse_json(body)
        if record is None:
            return text_answer('400 Bad Request\n"json" or "msgpack" parameter is required\n', 400)
        FLUENTD.route(proc, sys, label, sys.now, request.path.strip("/").replace("/", ".") or "http", record)
        return text_answer("")

    return feed_http(proc, sys, fd, connection, answer)


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM and INT flush and end with 0; USR1 flushes now; HUP is taken without a restart of the worker (docs.fluentd.org/deployment/signals)."""
    data = proc["data"]
    if n in (TERM, INT):
        if data.get("phase") != "run":
            sys.exit(0)
        if data["pipeline"]["stopping"] is None:
            say(sys, "info", "Received graceful stop", worker=False)
            say(sys, "info", "fluentd worker is now stopping worker=0")
            say(sys, "info", "shutting down fluentd worker worker=0")
        pipe.stop(proc, sys)
        return True
    if n in (USR1, HUP) and data.get("phase") == "run":
        say(sys, "info", "force flushing buffered events" if n == USR1 else "restarting")
        for held in data["pipeline"]["outs"].values():
            if held["staged"]:
                held["due"] = sys.now
        sys.interrupt()
    return n in (USR1, HUP)


def _resumed(plugins: tuple[str, ...], proc: Process, sys: Sys, event: Event) -> int:
    return run(proc, sys, plugins)


PLAIN = tuple(name for name in OUTPUTS if name not in ("elasticsearch", "loki"))
for _program, _plugins in (("fluentd", PLAIN), ("fluentd-elasticsearch", OUTPUTS[:-1]), ("fluentd-loki", (*PLAIN, "loki"))):
    register(Program(_program, partial(run, plugins=_plugins), partial(_resumed, _plugins), on_signal, 60 * MEBIBYTE))
DEFAULT_CONF = (
    "<source>\n  @type  forward\n  @id    input1\n  @label @mainstream\n  port  24224\n</source>\n\n<filter **>\n  @type stdout\n</filter>\n\n"
    "<label @mainstream>\n  <match **>\n    @type file\n    @id   output1\n    path         /fluentd/log/data\n"
    "    append       true\n  </match>\n</label>\n"
)
KUBERNETES_CONF = "<source>\n  @type forward\n  port 24224\n</source>\n\n<match **>\n  @type elasticsearch\n" \
    "  host \"#{ENV['FLUENT_ELASTICSEARCH_HOST']}\"\n" \
    "  port \"#{ENV['FLUENT_ELASTICSEARCH_PORT']}\"\n  logstash_format true\n</match>\n"  # fmt: skip
FLUENT = (
    "latest",
    "v1.19-1",
    "v1.19",
    "v1.18-1",
    "v1.18",
    "v1.17-1",
    "v1.17",
    "v1.16-1",
    "v1.16",
    "v1.18-debian-1",
    "v1.18-debian",
    "edge",
    "edge-debian",
    *(f"v1.{minor}" for minor in range(1, 16)),
    "v0.14.10",
    "v0.14",
    "v0.12",
)
SHIPPERS: tuple[tuple[str, tuple[str, ...], str, str, str, int], ...] = (
    ("docker.io/fluent/fluentd", FLUENT, "fluentd", DEFAULT_CONF, "fluent", 43_212_990),
    ("docker.io/fluent/fluentd-kubernetes-daemonset",
     ("v1-debian-elasticsearch", "v1.18-debian-elasticsearch8-1", "v1.17-debian-elasticsearch8-1", "v1.16-debian-elasticsearch8-1",
      "v1.16-debian-elasticsearch7-1", "v1.16.2-debian-elasticsearch8-1.1"), "fluentd-elasticsearch", KUBERNETES_CONF, "", 118_440_311),
    ("docker.io/grafana/fluent-plugin-loki", ("latest", "main"), "fluentd-loki", DEFAULT_CONF, "fluent", 120_330_014),
)  # fmt: skip
for _name, _tags, _program, _conf, _user, _size in SHIPPERS:
    _mine = 999 if _user else 0
    add(
        Image(
            _name,
            _tags,
            base_tree(
                "debian",
                {
                    "usr": {"local": {"bundle": {"bin": {"fluentd": Entry(program=_program, size=566)}}}},
                    "bin": {_program: Entry(program=_program, size=566), "fluentd": Entry(program=_program, size=566)},
                    "fluentd": Entry(uid=_mine, gid=_mine, children={
                        "etc": {"fluent.conf": _conf}, "plugins": {}, "log": Entry(uid=_mine, gid=_mine, children={}),
                    }),
                },
                users={"fluent": 999},
                extra=("curl",),
            ),
            _size,
            cmd=(_program,) if _program != "fluentd" else ("fluentd",),
            env={"PATH": PATH, "FLUENTD_CONF": "fluent.conf"},
            user=_user,
            ports=(24224, 5140),
        )
    )  # fmt: skip
