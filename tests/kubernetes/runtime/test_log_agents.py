"""Fluentd, Fluent Bit and Vector: what becomes of a line, what a wrong configuration says, what happens when the store is not there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from podlab.kubernetes.runtime.images import logql, logql_syntax, vrl, vrl_syntax
from podlab.kubernetes.runtime.images.fluentd_config import tag_pattern
from podlab.kubernetes.runtime.images.log_parsers import parse_pairs
from podlab.kubernetes.runtime.images.log_tail import matches
from podlab.kubernetes.runtime.linear import TooComplex
from tests.kubernetes.runtime.lab import START, Lab

pytestmark = pytest.mark.slow

ES = [{"name": "discovery.type", "value": "single-node"}, {"name": "xpack.security.enabled", "value": "false"},
      {"name": "ES_JAVA_OPTS", "value": "-Xms256m -Xmx256m"}]  # fmt: skip
WRITER = ["sh", "-c", "while true; do sleep 1000; done"]
FLUENTD, ELASTIC = "fluent/fluentd:v1.18-1", "fluent/fluentd-kubernetes-daemonset:v1-debian-elasticsearch"
FLUENT_BIT, VECTOR = "fluent/fluent-bit:4.1.0", "timberio/vector:0.50.0-alpine"
WHERE = {FLUENTD: ("/fluentd/etc", "fluent.conf"), ELASTIC: ("/fluentd/etc", "fluent.conf"), FLUENT_BIT: ("/fluent-bit/etc", "fluent-bit.conf"),
         VECTOR: ("/etc/vector", "vector.yaml")}  # fmt: skip


def agent(lab: Lab, name: str, image: str, conf: str, files: dict[str, str] | None = None, **more: Any) -> None:
    """A Pod with a writer `app` and an agent that share /logs."""
    directory, file = WHERE[image]
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {file: conf, **(files or {})}})
    logs = {"name": "logs", "mountPath": "/logs"}
    lab.pod(name, containers=[
        {"name": "app", "image": "busybox:1.36", "command": WRITER, "volumeMounts": [logs]},
        {"name": "agent", "image": image, "volumeMounts": [logs, {"name": "conf", "mountPath": directory}], **more},
    ], spec={"terminationGracePeriodSeconds": 30,
             "volumes": [{"name": "logs", "emptyDir": {}}, {"name": "conf", "configMap": {"name": name}}]})  # fmt: skip


def write(lab: Lab, pod: str, *lines: str, file: str = "/logs/app.log") -> None:
    lab.run(pod, f"cat >> {file}", "app", stdin="".join(line + "\n" for line in lines))


def said(lab: Lab, pod: str) -> str:
    return lab.logs(pod, "agent")


def tail_conf(rest: str, **options: str) -> str:
    found = {"path": "/logs/app.log", "tag": "app", "pos_file": "/logs/app.pos", "read_from_head": "true", **options}
    parse = found.pop("parse", "@type none")
    rows = "".join(f"  {key} {value}\n" for key, value in found.items())
    return f"<source>\n  @type tail\n{rows}  <parse>\n    {parse}\n  </parse>\n</source>\n{rest}"


STDOUT = "<match **>\n  @type stdout\n</match>\n"
BIT = (
    "[SERVICE]\n  flush 1\n[INPUT]\n  name tail\n  path /logs/*.log\n  tag app\n  read_from_head on\n  refresh_interval 1\n"
    "{}[OUTPUT]\n  name stdout\n  match *\n"
)
PARSERS = (
    "[PARSER]\n  Name json\n  Format json\n  Time_Key time\n  Time_Format %Y-%m-%dT%H:%M:%S\n"
    "[PARSER]\n  Name pair\n  Format regex\n  Regex ^(?<key>\\w+)=(?<value>.*)$\n"
)


def vector_conf(remap: str, sink: str = "    type: console\n    inputs: [step]\n    encoding: {codec: json}\n") -> str:
    program = "".join(f"      {line}\n" for line in remap.splitlines())
    return ("sources:\n  app:\n    type: file\n    include: [/logs/*.log]\ntransforms:\n  step:\n    type: remap\n    inputs: [app]\n   "
            " source: |\n" + program
            + "sinks:\n  out:\n" + sink)  # fmt: skip


# ---- what becomes of a line

BECOMES: list[tuple[str, str, str, list[str], list[str]]] = [
    ("fluentd-none", FLUENTD, tail_conf(STDOUT), ["hello", "", "world"], ['app: {"message":"hello"}', 'app: {"message":"world"}']),
    ("fluentd-json", FLUENTD, tail_conf(STDOUT, parse="@type json"), ['{"a":1,"time":"2026-11-21T00:00:05Z"}', "no json"],
     ['00:00:05.000000000 +0000 app: {"a":1}', 'pattern not matched: "no json"']),
    ("fluentd-regexp", FLUENTD, tail_conf(STDOUT, parse="@type regexp\n    expression /^(?<level>[A-Z]+) (?<n>\\d+)$/\n    types "
                                                        "n:integer"), ["WARN 12"],
     ['app: {"level":"WARN","n":12}']),
    ("fluentd-nginx", FLUENTD, tail_conf(STDOUT, parse="@type nginx"), ['10.0.0.1 - - [21/Nov/2026:00:00:03 +0000] "GET /a HTTP/1.1" '
                                                            '200 612 "-" "curl/8"'],
     ['00:00:03.000000000 +0000 app: {"remote":"10.0.0.1","host":"-","user":"-","method":"GET","path":"/a","code":"200"']),
    ("fluentd-multiline", FLUENTD, tail_conf(STDOUT, parse="@type multiline\n    format_firstline /^\\d/\n    format1 /^(?<n>\\d) (?<text>.*)/"),
     ["1 one", "  more", "2 two"], ['app: {"n":"1","text":"one']),
    ("fluentd-record", FLUENTD, tail_conf('<filter app>\n  @type record_transformer\n  <record>\n    where "#{Socket.gethostname}"\n    '
                                          'twice ${record["message"]}-${tag}\n'
     "  </record>\n  remove_keys message\n</filter>\n" + STDOUT), ["x"], ['app: {"where":"fluentd-record","twice":"x-app"}']),
    ("fluentd-grep", FLUENTD, tail_conf("<filter **>\n  @type grep\n  <regexp>\n    key message\n    pattern /ERR/\n  </regexp>\n  "
                                        "<exclude>\n    key message\n    pattern /test/\n"
     "  </exclude>\n</filter>\n" + STDOUT), ["ERR one", "INFO two", "ERR test"], ['{"message":"ERR one"}', "!INFO two", "!ERR test"]),
    ("fluentd-label", FLUENTD, tail_conf("<label @FAR>\n  <match **>\n    @type stdout\n  </match>\n</label>\n<match app>\n  @type "
                                         "copy\n  <store>\n    @type relabel\n    @label @FAR\n"
     "  </store>\n  <store>\n    @type file\n    path /logs/out\n    append true\n    <buffer>\n      flush_interval 1s\n    "
     "</buffer>\n  </store>\n</match>\n"), ["x"],
     ['app: {"message":"x"}']),
    ("fluentd-nomatch", FLUENTD, tail_conf("<match other>\n  @type null\n</match>\n"), ["x"], ['no patterns matched tag="app"']),
    ("bit-plain", FLUENT_BIT, BIT.format(""), ["hello"], ['[0] app: [[', '{"log"=>"hello"}]']),
    ("bit-json", FLUENT_BIT, BIT.format("  parser json\n").replace("[SERVICE]", "[SERVICE]\n  parsers_file parsers.conf"),
     ['{"a":1,"time":"2026-11-21T00:00:05"}', "text"],
     [f'[[{START // 1000 + 5}.000000000, {{}}], {{"a"=>1}}]', '{"log"=>"text"}']),
    ("bit-filters", FLUENT_BIT, BIT.format("[FILTER]\n  name grep\n  match *\n  regex log ERR\n[FILTER]\n  name modify\n  match *\n  "
                                           "rename log text\n  add team shop\n[FILTER]\n"
     "  name record_modifier\n  match app\n  record host ${HOSTNAME}\n"), ["ERR a", "ok b"], ['{"text"=>"ERR a", "team"=>"shop", '
                                                            '"host"=>"bit-filters"}', "!ok b"]),
    ("vector-plain", VECTOR, vector_conf('.message = upcase(.message)'), ["hello"],
     ['"file":"/logs/app.log","host":"vector-plain","message":"HELLO","source_type":"file"']),
    ("vector-json", VECTOR, vector_conf(". = parse_json!(.message)\nif .level == \"ERROR\" { .alarm = true } else if exists(.ms) { .ms "
                                        "= to_int!(.ms) * 2 }\ndel(.time)"),
     ['{"level":"ERROR","time":1}', '{"level":"INFO","ms":"21"}', "text"],
     ['{"alarm":true,"level":"ERROR"}', '{"level":"INFO","ms":42}', "Mapping failed with event.",
     '"message":"text"']),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Lab:
    lab = Lab()
    for name, image, conf, _, _ in BECOMES:
        agent(lab, name, image, conf, {"parsers.conf": PARSERS} if image == FLUENT_BIT else None)
    lab.settle(40)
    for name, _, _, lines, _ in BECOMES:
        write(lab, name, *lines)
    lab.settle(3)
    return lab


@pytest.mark.parametrize(("name", "wanted"), [(row[0], row[4]) for row in BECOMES])
def test_line_becomes(shared: Lab, name: str, wanted: list[str]) -> None:
    log = said(shared, name)
    for text in wanted:
        assert (text[1:] not in log) if text.startswith("!") else (text in log), log


def test_the_file_output_writes_what_it_is_given(shared: Lab) -> None:
    assert '\tapp\t{"message":"x"}\n' in shared.out("fluentd-label", "cat /logs/out.*.log", "app")


def test_an_idle_agent_takes_no_turns(shared: Lab) -> None:
    events = shared.cluster.clock.next_at()
    before = {kubelet.name: json.dumps(kubelet.machine.state["ready"]) for kubelet in shared.cluster.kubelets()}
    turns = [
        proc["cpu_us"]
        for kubelet in shared.cluster.kubelets()
        for proc in kubelet.machine.state["processes"].values()
        if proc["program"] in ("fluentd", "fluent-bit", "vector")
    ]
    shared.settle(3600)
    after = [
        proc["cpu_us"]
        for kubelet in shared.cluster.kubelets()
        for proc in kubelet.machine.state["processes"].values()
        if proc["program"] in ("fluentd", "fluent-bit", "vector")
    ]
    assert after == turns and len(turns) >= len(BECOMES) and (events is None or before)


# ---- files


def test_a_rotated_and_a_truncated_file_are_read_on(shared: Lab) -> None:
    shared.run(
        "fluentd-none",
        "mv /logs/app.log /logs/app.log.1; echo new > /logs/app.log; sleep 1; echo longer text >> /logs/app.log; sleep 1; echo cut > /logs/app.log",
        "app",
    )
    shared.settle(3)
    log = said(shared, "fluentd-none")
    assert "detected rotation of /logs/app.log" in log
    assert [text in log for text in ('"new"', '"longer text"', '"cut"')] == [True] * 3


def test_a_line_without_its_end_is_waited_for(shared: Lab) -> None:
    shared.run("fluentd-none", "printf half >> /logs/app.log; sleep 2; echo ' and half' >> /logs/app.log", "app")
    shared.settle(2)
    assert '{"message":"half and half"}' in said(shared, "fluentd-none")


@pytest.mark.parametrize(("path", "pattern", "hit"), [
    ("/logs/a.log", "/logs/*.log", True), ("/logs/x/a.log", "/logs/*.log", False), ("/logs/x/a.log", "/logs/**/*.log", True),
    ("/logs/a.log", "/logs/?.log", True), ("/logs/b.log", "/logs/[a].log", False), ("/logs/a.txt", "/logs/*.log", False),
])  # fmt: skip
def test_path_pattern(path: str, pattern: str, hit: bool) -> None:
    assert matches(path, pattern) is hit


@pytest.mark.parametrize(("pattern", "tag", "hit"), [
    ("app", "app", True), ("app.*", "app.a", True), ("app.*", "app.a.b", False), ("app.**", "app", True), ("app.**", "app.a.b", True),
    ("**", "anything.at.all", True), ("{a,b}.c", "b.c", True), ("a b", "b", True), ("**.err", "x.y.err", True), ("app*", "app2", True),
])  # fmt: skip
def test_tag_pattern(pattern: str, tag: str, hit: bool) -> None:
    assert (tag_pattern(pattern).fullmatch(tag) is not None) is hit


def test_where_an_agent_reads_on_after_a_restart() -> None:
    """A position that is kept on a volume is gone on from; without one, read_from_head reads everything again."""
    lab = Lab()
    agent(lab, "kept", FLUENTD, tail_conf(STDOUT))
    agent(lab, "lost", ELASTIC, tail_conf(STDOUT, pos_file="/etc/app.pos"))
    agent(lab, "end", FLUENT_BIT, BIT.format("").replace("  read_from_head on\n", ""))
    lab.settle(20)
    for pod in ("kept", "lost", "end"):
        write(lab, pod, "one")
    lab.settle(2)
    for pod in ("kept", "lost"):
        lab.run(pod, "kill 1", "agent")
    machine, container_id = lab._held("end", "agent")
    machine.signal(container_id, "TERM")
    lab.settle(20)
    for pod in ("kept", "lost", "end"):
        write(lab, pod, "two")
    lab.settle(2)
    assert ['"one"' in said(lab, pod) for pod in ("kept", "lost", "end")] == [False, True, False]
    assert ['"two"' in said(lab, pod) for pod in ("kept", "lost", "end")] == [True] * 3


# ---- wrong configurations

WRONG: list[tuple[str, str, str, int, str]] = [
    ("f-type", FLUENTD, "<source>\n  path /x\n</source>\n", 1, "Missing '@type' parameter on <source> directive"),
    ("f-path", FLUENTD, "<source>\n  @type tail\n  tag a\n</source>\n", 1, "error_class=Fluent::ConfigError error=\"'path' parameter is required\""),
    ("f-plugin", FLUENTD, tail_conf("<match **>\n  @type elasticsearch\n</match>\n"), 1,
     "error_class=Fluent::NotFoundPluginError error=\"Unknown output plugin 'elasticsearch'. Run 'gem search -rd fluent-plugin' to find plugins\""),
    ("f-end", FLUENTD, "<match **>\n  @type stdout\n", 1, "error_class=Fluent::ConfigParseError error=\"expected end tag '</match>' but "
                                                          "got end of file"),
    ("f-label", FLUENTD, tail_conf("<match **>\n  @type relabel\n  @label @NO\n</match>\n"), 1, "@NO label not found"),
    ("f-regexp", FLUENTD, tail_conf(STDOUT, parse="@type regexp\n    expression /(/"), 1, "Invalid regexp"),
    ("b-plugin", FLUENT_BIT, "[OUTPUT]\n  name elastic\n", 1, "section 'elastic' tried to instance a plugin name that doesn't exist"),
    ("b-property", FLUENT_BIT, "[INPUT]\n  name tail\n  path /x\n  pathh /y\n", 1, "tail: unknown configuration property 'pathh'. The "
                                                            "following properties are allowed"),
    ("b-path", FLUENT_BIT, "[INPUT]\n  name tail\n", 1, "no input 'path' was given"),
    ("b-value", FLUENT_BIT, "[INPUT]\n  name\n", 1, "/fluent-bit/etc/fluent-bit.conf:2: invalid entry or missing value"),
    ("b-parsers", FLUENT_BIT, "[SERVICE]\n  parsers_file parsers.conf\n", 1, "could not open configuration file /fluent-bit/etc/parsers.conf"),
    ("v-input", VECTOR, "sources:\n  a: {type: demo_logs, format: json}\nsinks:\n  b: {type: console, inputs: [c], encoding: {codec: json}}\n", 78,
     'Configuration error. error=Input "c" for sink "b" doesn\'t match any components.'),
    ("v-field", VECTOR, "sources:\n  a: {type: file, includes: [x]}\nsinks:\n  b: {type: console, inputs: [a], encoding: {codec: "
                        "json}}\n", 78, "unknown field `includes`"),
    ("v-type", VECTOR, "sources:\n  a: {type: tail}\n", 78, "unknown variant `tail`, expected one of `demo_logs`, `file`"),
    ("v-none", VECTOR, "sources:\n  a: {type: demo_logs, format: json}\n", 78, "No sinks defined in the config."),
    ("v-yaml", VECTOR, "sources:\n  a: {type: demo_logs\n", 78, "Configuration error. error=line 3"),
    ("v-vrl", VECTOR, vector_conf(". = parse_json(.message)"), 78, "error[E103]: unhandled fallible assignment"),
    ("v-env", VECTOR, vector_conf(".a = 1").replace("/logs", "${NOWHERE}"), 78, 'Missing environment variable in config. name = "NOWHERE"'),
]  # fmt: skip


@pytest.fixture(scope="module")
def wrong() -> Lab:
    lab = Lab()
    for name, image, conf, _, _ in WRONG:
        agent(lab, name, image, conf)
    lab.settle(25)
    return lab


@pytest.mark.parametrize(("name", "code", "words"), [(row[0], row[3], row[4]) for row in WRONG])
def test_a_wrong_configuration_ends_the_agent_with_its_own_words(wrong: Lab, name: str, code: int, words: str) -> None:
    status = next(one for one in wrong.status(name)["containerStatuses"] if one["name"] == "agent")
    ended = status["state"].get("terminated") or status["lastState"]["terminated"]
    assert ended["exitCode"] == code
    assert words in said(wrong, name)


def test_vector_validate_and_the_dry_runs() -> None:
    lab = Lab()
    agent(lab, "v", VECTOR, vector_conf(".a = 1"))
    agent(lab, "f", FLUENTD, tail_conf(STDOUT))
    lab.settle(20)
    out, _, code = lab.run("v", "vector validate /etc/vector/vector.yaml", "agent")
    assert code == 0 and "√ Component configuration" in out and "Validated" in out
    out, _, code = lab.run("v", "sed 's/file/fule/' /etc/vector/vector.yaml > /tmp/x.yaml; vector validate /tmp/x.yaml", "agent")
    assert code == 78 and "x unknown variant `fule`" in out
    assert "finished dry run mode" in lab.run("f", "fluentd --dry-run -c /fluentd/etc/fluent.conf", "agent")[0]


# ---- stores


def es_match(more: str = "") -> str:
    return ("<match **>\n  @type elasticsearch\n  host es\n  port 9200\n  logstash_format true\n" + more
            + "  <buffer>\n    flush_interval 1s\n    retry_max_interval 4s\n  </buffer>\n</match>\n")  # fmt: skip


@pytest.fixture(scope="module")
def stores() -> Lab:
    lab = Lab()
    lab.pod("es", "elasticsearch:8.19.5", env=ES)
    lab.pod("loki", "grafana/loki:3.5.5")
    lab.service("es", "es", 9200, 9200)
    lab.service("loki", "loki", 3100, 3100)
    lab.client(image="curlimages/curl")
    agent(lab, "fd", ELASTIC, tail_conf(es_match()))
    bit = (
        BIT.format("").partition("[OUTPUT]")[0]
        + "[OUTPUT]\n  name es\n  match *\n  host es\n  index bit\n{}[OUTPUT]\n  name loki\n  match *\n  host loki\n  labels job=bit\n"
    )
    agent(lab, "fb", FLUENT_BIT, bit.format("  suppress_type_name on\n"))
    agent(lab, "typed", FLUENT_BIT, bit.format(""))
    sinks = ("    type: elasticsearch\n    inputs: [step]\n    endpoints: ['http://es:9200']\n    bulk: {index: vec}\n  two:\n    type: "
             "loki\n    inputs: [step]\n"
             "    endpoint: http://loki:3100\n    encoding: {codec: text}\n    labels: {app: '{{ host }}'}\n")  # fmt: skip
    agent(lab, "vec", VECTOR, vector_conf(".n = 1", sinks))
    lab.settle(110)
    for pod in ("fd", "fb", "typed", "vec"):
        write(lab, pod, "one", "two")
    lab.settle(5)
    return lab


def count(lab: Lab, index: str) -> int:
    found = json.loads(lab.out("client", f"curl -s 'es:9200/{index}/_count'"))
    return int(found.get("count", -1))


def test_elasticsearch_gets_the_lines_of_all_three(stores: Lab) -> None:
    assert [count(stores, index) for index in ("logstash-2026.11.21", "bit", "vec")] == [2, 2, 2]


def test_loki_gets_lines_under_the_labels_that_were_chosen(stores: Lab) -> None:
    query = "curl -s -G loki:3100/loki/api/v1/query_range --data-urlencode 'query={}'"
    streams = json.loads(stores.out("client", query.format('{app="vec"}')))["data"]["result"]
    assert [sorted(line for _, line in one["values"]) for one in streams] == [["one", "two"]]
    streams = json.loads(stores.out("client", query.format('{job="bit"}')))["data"]["result"]
    assert all(json.loads(line)["log"] in ("one", "two") for one in streams for _, line in one["values"])


def test_fluent_bit_must_suppress_the_type_for_elasticsearch_8(stores: Lab) -> None:
    log = said(stores, "typed")
    assert "HTTP status=400 URI=/_bulk" in log and "contains an unknown parameter [_type]" in log and "failed to flush chunk" in log


def down(lab: Lab) -> None:
    lab.cluster.apply({"at": lab.cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "es",
                       "body": None,
                       "options": {"gracePeriodSeconds": 0}})  # fmt: skip
    lab.settle(3)


def test_when_the_store_is_down_fluentd_and_vector_wait_and_fluent_bit_gives_up_after_one_retry(stores: Lab) -> None:
    lab = stores.restored()
    down(lab)
    for pod in ("fd", "fb", "vec"):
        write(lab, pod, "three")
    lab.settle(40)
    assert "failed to flush the buffer. retry_times=0 next_retry_time=2026-11-21 00:0" in said(lab, "fd")
    assert "Connection refused - connect(2) for" in said(lab, "fd")
    assert 'Retrying after error. error="Failed to make HTTP(S) request: client error (Connect)' in said(lab, "vec")
    assert "retry in" in said(lab, "fb") and "cannot be retried" in said(lab, "fb")
    lab.pod("es", "elasticsearch:8.19.5", env=ES)
    lab.settle(90)
    assert "retry succeeded." in said(lab, "fd")
    assert [count(lab, index) for index in ("logstash-2026.11.21", "bit", "vec")] == [1, -1, 1]


def test_the_future_of_a_checkpoint_is_the_same(stores: Lab) -> None:
    first, second = stores.restored(), stores.restored()
    for lab in (first, second):
        down(lab)
        write(lab, "fd", "x")
        lab.settle(30)
    assert said(first, "fd") == said(second, "fd")


def test_what_is_held_is_sent_before_the_end() -> None:
    lab = Lab()
    lab.pod("es", "elasticsearch:8.19.5", env=ES)
    lab.service("es", "es", 9200, 9200)
    lab.client(image="curlimages/curl")
    agent(lab, "fd", ELASTIC, tail_conf(es_match().replace("flush_interval 1s", "flush_interval 1h")))
    lab.settle(120)
    write(lab, "fd", "one")
    lab.settle(2)
    assert count(lab, "logstash-2026.11.21") == -1
    lab.cluster.apply(
        {"at": lab.cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "fd", "body": None}
    )
    lab.settle(35)
    assert count(lab, "logstash-2026.11.21") == 1


def test_fluentd_asks_elasticsearch_for_its_version_before_it_reads() -> None:
    lab = Lab()
    lab.service("es", "es", 9200, 9200)
    agent(lab, "fd", ELASTIC, tail_conf(es_match()))
    lab.settle(25)
    log = said(lab, "fd")
    assert "Could not communicate to Elasticsearch, resetting connection and trying again." in log
    assert "Remaining retry: 14. Retry to communicate after 2 second(s)." in log
    assert "following tail of" not in log


def test_agents_forward_to_one_another() -> None:
    lab = Lab()
    agent(lab, "hub", FLUENTD, "<source>\n  @type forward\n</source>\n" + STDOUT)
    lab.service("hub", "hub", 24224, 24224)
    agent(
        lab,
        "fd",
        FLUENTD,
        tail_conf("<match **>\n  @type forward\n  <server>\n    host hub\n  </server>\n  <buffer>\n    flush_interval 1s\n  </buffer>\n</match>\n"),
    )
    agent(lab, "fb", FLUENT_BIT, BIT.format("").partition("[OUTPUT]")[0] + "[OUTPUT]\n  name forward\n  match *\n  host hub\n")
    lab.settle(30)
    write(lab, "fd", "from fluentd")
    write(lab, "fb", "from bit")
    lab.settle(3)
    assert 'app: {"message":"from fluentd"}' in said(lab, "hub") and 'app: {"log":"from bit"}' in said(lab, "hub")


def test_fluent_bit_tells_its_counts() -> None:
    lab = Lab()
    conf = '[SERVICE]\n  http_server on\n[INPUT]\n  name dummy\n  dummy {"a":1}\n  samples 3\n[OUTPUT]\n  name null\n  match *\n'
    agent(lab, "fb", FLUENT_BIT, conf)
    lab.client(image="curlimages/curl")
    lab.settle(30)
    found = json.loads(lab.out("client", f"curl -s {lab.ip('fb')}:2020/api/v1/metrics"))
    assert found["input"]["dummy.0"]["records"] == 3 and found["output"]["null.0"]["proc_records"] == 3


# ---- VRL

PROGRAMS: list[tuple[str, Any, Any]] = [
    (".a = 1 + 2 * 3", {}, {"a": 7}),
    ('.a = upcase(string!(.b)) + "-x"', {"b": "q"}, {"b": "q", "a": "Q-x"}),
    (". = parse_json!(string!(.m))", {"m": '{"k":[1,2]}'}, {"k": [1, 2]}),
    ('.n = to_int(.n) ?? 0', {"n": "x"}, {"n": 0}),
    ('.n, .err = to_int(.n)', {"n": "7"}, {"n": 7, "err": None}),
    ('v, err = parse_json(.m)\nif err == null { . |= object!(v) } else { .bad = true }', {"m": "no"}, {"m": "no", "bad": True}),
    ('if .level == "ERROR" && exists(.ms) { .slow = .ms > 100 }', {"level": "ERROR", "ms": 200}, {"level": "ERROR", "ms": 200, "slow": True}),
    ('.x = del(.a.b)', {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}, "x": 1}),
    ('.list = [1, "b", {"c": true}]\n.first = .list[0]', {}, {"list": [1, "b", {"c": True}], "first": 1}),
    (".m = replace(string!(.m), r'\\d+', \"N\")", {"m": "a1b22"}, {"m": "aNbN"}),
    (". |= parse_regex!(.m, r'^(?P<k>\\w+)=(?P<v>.*)$')", {"m": "a=b"}, {"m": "a=b", "k": "a", "v": "b"}),
    (".t = format_timestamp!(.time, \"%H:%M\")", {"time": "2026-11-21T01:02:03Z"}, {"time": "2026-11-21T01:02:03Z", "t": "01:02"}),
    ('."a b" = contains("xyz", "y") # why not', {}, {"a b": True}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "event", "result"), PROGRAMS)
def test_vrl_program(source: str, event: Any, result: Any) -> None:
    run = vrl.Run(source, event, START, {}, "host")
    run.run()
    assert run.event == result


REFUSED = [
    (". = parse_json(.m)", 103), ("parse_json(.m)", 100), (".a = ", 203), (".a = nope(.b)", 105), (".a = b", 701), (".a = upcase!(.b)", 620),
    (".a = replace(.b)", 107), ("if .a { ", 203), (".a = $", 202), ("(" * 200, 203),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code"), REFUSED)
def test_vrl_program_is_refused(source: str, code: int) -> None:
    with pytest.raises(vrl_syntax.VrlError) as error:
        vrl_syntax.parse(source)
    assert error.value.code == code and f"error[E{code}]" in error.value.text()


@pytest.mark.parametrize("fault", [lambda: vrl.Run("abort", {}, START, {}, ""), lambda: vrl.Run(".a = to_int!(.b)", {"b": "x"}, START, {}, "")])
def test_vrl_program_gives_up(fault: Callable[[], vrl.Run]) -> None:
    with pytest.raises(vrl.Abort):
        fault().run()


# ---- what somebody writes to make the server hang

HOSTILE: list[tuple[str, Callable[[], Any]]] = [
    ("a word that never becomes a pair", lambda: parse_pairs("a" * 200_000)),
    ("quotes that never end", lambda: parse_pairs('k="' * 60_000)),
    ("an exclamation for ever", lambda: vrl_syntax.parse(".a = " + "!" * 5_000 + "true")),
    ("a sum for ever", lambda: vrl_syntax.parse(".a = " + "1 + " * 5_000 + "1")),
    ("else if for ever", lambda: vrl_syntax.parse("if true { 1 }" + " else if true { 1 }" * 500)),
    ("brackets for ever", lambda: vrl_syntax.parse(".a = " + "[" * 5_000)),
    ("sums of sums for ever", lambda: logql_syntax.parse("sum(" * 500 + 'rate({a="b"}[1m])' + ")" * 500)),
    ("filters for ever", lambda: logql_syntax.parse('{a="b"}' + ' |= "x"' * 500)),
    ("a pattern with many ways", lambda: logql.through(logql_syntax.Log([], [("line", "|~", "^(a+)+$")]), {}, "a" * 5_000 + "b")),
    ("a tag pattern with many ways", lambda: tag_pattern("**." * 30 + "x").fullmatch("a." * 2_000)),
    ("a path pattern with many ways", lambda: matches("/" + "a" * 5_000, "/" + "*a" * 50 + "b")),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "attempt"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_it_is_refused_or_answered_soon(sentence: str, attempt: Callable[[], Any]) -> None:
    began = time.process_time()
    with suppress(vrl_syntax.VrlError, logql_syntax.LogqlError, TooComplex):
        attempt()
    assert time.process_time() - began < 1


LONG = ["<a" + " " * 9_000, "<a" + " " * 4_000 + "x>" + " " * 4_000 + "y", "k a" + " " * 9_000 + "b", 'k "' + "#{" * 4_000 + '"', "k " + "x" * 20_000]


@pytest.mark.parametrize("line", LONG, ids=range(len(LONG)))
def test_a_long_line_of_fluentd_is_read_or_refused_soon(line: str) -> None:
    lab = Lab(nodes=1)
    began = time.process_time()
    agent(lab, "f", FLUENTD, line + "\n")
    lab.settle(20)
    assert time.process_time() - began < 1
    assert all(kubelet.machine.crashes == [] for kubelet in lab.cluster.kubelets())


# ---- the shop


def test_the_shop_writes_to_its_file_and_turns_it_over() -> None:
    lab = Lab(nodes=1)
    lab.pod("shop", "podlab/shop")
    quiet = {"LOG_FILE": "-", "LOG_FORMAT": "text", "EVERY_MS": "0"}
    lab.pod("text", "podlab/shop", env=[{"name": name, "value": value} for name, value in quiet.items()])
    lab.pod("nowhere", "podlab/shop", env=[{"name": "LOG_FILE", "value": "/no/where.log"}])
    lab.settle(20)
    rows = [json.loads(line) for line in lab.out("shop", "head -n 7 /var/log/app/app.log").splitlines()]
    assert [row["level"] for row in rows] == ["INFO"] * 4 + ["WARN", "INFO", "ERROR"]
    assert json.loads(lab.out("text", "curl -s 'localhost:8080/order?item=cake'")) == {"order": 1, "item": "cake"}
    assert "INFO  order accepted order=1 item=cake" in lab.logs("text")
    assert "shop: cannot open /no/where.log: No such file or directory" in lab.logs("nowhere")
    lab.run("shop", "yes | head -c 600000 >> /var/log/app/app.log")
    lab.settle(2)
    assert lab.out("shop", "ls /var/log/app") == "app.log\napp.log.1\n"
