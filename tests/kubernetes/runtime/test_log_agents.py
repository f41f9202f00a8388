"""Fluentd, Fluent Bit and Vector: what becomes of a line, which files are read, what a wrong configuration says."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.runtime.images.fluentd_config import tag_pattern
from podlab.kubernetes.runtime.images.log_tail import matches
from tests.kubernetes.runtime.lab import START, Lab
from tests.kubernetes.runtime.log_agents import BIT, ELASTIC, FLUENT_BIT, FLUENTD, STDOUT, VECTOR, agent, said, tail_conf, vector_conf, write

pytestmark = pytest.mark.slow

PARSERS = (
    "[PARSER]\n  Name json\n  Format json\n  Time_Key time\n  Time_Format %Y-%m-%dT%H:%M:%S\n"
    "[PARSER]\n  Name pair\n  Format regex\n  Regex ^(?<key>\\w+)=(?<value>.*)$\n"
)


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
