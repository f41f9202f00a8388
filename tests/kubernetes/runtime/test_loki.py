"""Loki: what it takes, finds and refuses. The query language alone, then over HTTP."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from podlab.kubernetes.runtime.images import logql, logql_syntax
from tests.kubernetes.runtime.lab import START, Lab

SHOP = {
    "labels": {"app": "shop", "level": "error"},
    "entries": [[1_000, '{"order":1,"ms":20}'], [2_000, "payment failed ms=31"], [61_000, "payment slow"]],
}
MAIL = {"labels": {"app": "mail", "level": "info"}, "entries": [[1_500, "sent"], [62_000, '{"order":9,"ms":1400,"who":{"name":"kim"}}']]}

LINES = [
    ('{app="shop"}', ['{"order":1,"ms":20}', "payment failed ms=31", "payment slow"]),
    ('{app=~"sh.*|mail", level!="error"}', ["sent", '{"order":9,"ms":1400,"who":{"name":"kim"}}']),
    ('{app="shop"} |= "payment"', ["payment failed ms=31", "payment slow"]),
    ('{app="shop"} |= "payment" != "slow"', ["payment failed ms=31"]),
    ('{app="shop"} |~ "fail|slow" !~ "^payment s"', ["payment failed ms=31"]),
    ("{app=\"shop\"} |= `order`", ['{"order":1,"ms":20}']),
    ('{app=~".+"} | json | ms > 100', ['{"order":9,"ms":1400,"who":{"name":"kim"}}']),
    ('{app=~".+"} | json | who_name="kim" or order=1', ['{"order":1,"ms":20}', '{"order":9,"ms":1400,"who":{"name":"kim"}}']),
    ('{app="shop"} | logfmt | ms=31', ["payment failed ms=31"]),
    ('{app="mail"} | json | line_format "{{.order}} {{.who_name}}" | order="9"', ["9 kim"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "lines"), LINES)
def test_log_query_finds(query: str, lines: list[str]) -> None:
    found = logql_syntax.parse(query)
    assert isinstance(found, logql_syntax.Log)
    assert [line for _, _, line in logql.select(found, [SHOP, MAIL], 0, 100_000)] == lines


METRICS = [
    ('count_over_time({app=~".+"}[1m])', [({"app": "shop", "level": "error"}, 1.0), ({"app": "mail", "level": "info"}, 1.0)], 62_000),
    ('count_over_time({app="shop"}[1m])', [({"app": "shop", "level": "error"}, 2.0)], 60_000),
    ('rate({app="shop"}[1m])', [({"app": "shop", "level": "error"}, 2 / 60)], 60_000),
    ('sum(count_over_time({app=~".+"}[2m]))', [({}, 5.0)], 62_000),
    ('sum by (app) (count_over_time({app=~".+"}[2m]))', [({"app": "shop"}, 3.0), ({"app": "mail"}, 2.0)], 62_000),
    ('max_over_time({app="mail"} | json | unwrap ms [2m])', [({"app": "mail", "level": "info", "order": "9", "who_name": "kim"}, 1400.0)], 62_000),
    ('topk(1, sum by (app) (count_over_time({app=~".+"}[2m])))', [({"app": "shop"}, 3.0)], 62_000),
]  # fmt: skip


@pytest.mark.parametrize(("query", "result", "at"), METRICS)
def test_metric_query_counts(query: str, result: list[Any], at: int) -> None:
    found = logql_syntax.parse(query)
    assert isinstance(found, logql_syntax.Metric)
    values = [(labels, points[at]) for labels, points in logql.evaluate(found, [SHOP, MAIL], [at])]
    if "unwrap" in query:  # a line that is no JSON has no such label
        values = [row for row in values if "__error__" not in row[0]]
    assert values == result


ERRORS = [
    ("{}", "queries require at least one regexp or equality matcher"),
    ('{app=~".*"}', "queries require at least one regexp or equality matcher"),
    ('{app="shop"', "unexpected $end"),
    ("app", "syntax error: unexpected IDENTIFIER"),
    ('{app="shop"} | jason', "syntax error: unexpected $end"),
    ('rate({app="shop"})', "expecting ["),
    ('{app=~"("}', "error parsing regexp"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "words"), ERRORS)
def test_a_wrong_query_is_refused_in_loki_s_words(query: str, words: str) -> None:
    with pytest.raises(logql_syntax.LogqlError) as error:
        found = logql_syntax.parse(query)
        assert isinstance(found, logql_syntax.Log)
        logql.select(found, [SHOP], 0, 10_000)
    assert words in str(error.value)


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    locked = "auth_enabled: true\nserver:\n  http_listen_port: 3100\nschema_config:\n  configs: [{from: 2024-01-01}]\n"
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"},
                              "data": {"locked.yaml": locked, "wrong.yaml": locked.replace("server:", "servers:")}})  # fmt: skip
    mount = {"volumeMounts": [{"name": "conf", "mountPath": "/conf"}], "spec": {"volumes": [{"name": "conf", "configMap": {"name": "conf"}}]}}
    lab.pod("loki", "grafana/loki:3.5.5")
    lab.pod("old", "grafana/loki:2.9.10")
    lab.pod("locked", "grafana/loki:3.5.5", args=["-config.file=/conf/locked.yaml"], **mount)
    lab.pod("wrong", "grafana/loki:3.5.5", args=["-config.file=/conf/wrong.yaml"], **mount)
    lab.client(image="curlimages/curl")
    lab.settle(10)
    return lab


def ask(lab: Lab, path: str, body: Any = None, pod: str = "loki", headers: str = "") -> tuple[str, str]:
    """(body, status) of a request."""
    given = "" if body is None else " -H 'Content-Type: application/json' --data-binary @-"
    text = None if body is None else json.dumps(body)
    out = lab.run("client", f"curl -s -w '\\n%{{http_code}}' {headers} '{lab.ip(pod)}:3100{path}'{given}", stdin=text)[0]
    return out.rpartition("\n")[0], out.rpartition("\n")[2]


def push(lab: Lab, labels: dict[str, str], lines: list[tuple[int, str]], pod: str = "loki", headers: str = "") -> tuple[str, str]:
    values = [[f"{at}000000", line] for at, line in lines]
    return ask(lab, "/loki/api/v1/push", {"streams": [{"stream": labels, "values": values}]}, pod, headers)


def test_ready_comes_fifteen_seconds_after_the_start_and_pushes_are_taken_before(lab: Lab) -> None:
    assert ask(lab, "/ready") == ("Ingester not ready: waiting for 15s after being ready\n", "503")
    assert push(lab, {"app": "shop"}, [(START + 1000, "early")]) == ("", "204")
    lab.settle(15)
    assert ask(lab, "/ready") == ("ready\n", "200")


def test_what_is_pushed_can_be_asked_for(lab: Lab) -> None:
    now = lab.cluster.now
    assert push(lab, {"app": "api", "level": "warn"}, [(now - 2000, "one"), (now - 1000, "two")])[1] == "204"
    query = quote('{app="api"}')
    found = json.loads(ask(lab, f"/loki/api/v1/query_range?query={query}")[0])["data"]
    assert found["resultType"] == "streams"
    assert found["result"] == [{"stream": {"app": "api", "level": "warn", "service_name": "api"},
                                "values": [[f"{now - 1000}000000", "two"], [f"{now - 2000}000000", "one"]]}]  # fmt: skip
    forward = json.loads(ask(lab, f"/loki/api/v1/query_range?query={query}&direction=forward&limit=1")[0])["data"]["result"][0]["values"]
    assert [line for _, line in forward] == ["one"]
    count = json.loads(ask(lab, f"/loki/api/v1/query?query={quote('sum(count_over_time({app=`api`}[5m]))')}")[0])["data"]
    assert (count["resultType"], count["result"][0]["value"][1]) == ("vector", "2")
    matrix = json.loads(ask(lab, f"/loki/api/v1/query_range?step=60&query={quote('count_over_time({app=`api`}[5m])')}")[0])["data"]
    assert matrix["resultType"] == "matrix"


def test_labels_and_their_values(lab: Lab) -> None:
    push(lab, {"app": "labelled", "env": "test"}, [(lab.cluster.now, "x")], "old")
    assert json.loads(ask(lab, "/loki/api/v1/labels", pod="old")[0])["data"] == ["app", "env"]  # 2.9 adds no service_name
    assert json.loads(ask(lab, "/loki/api/v1/label/env/values", pod="old")[0])["data"] == ["test"]
    assert json.loads(ask(lab, f"/loki/api/v1/series?match[]={quote('{env=`test`}')}", pod="old")[0])["data"] == [{"app": "labelled", "env": "test"}]


REFUSED = [
    ("a log query as an instant one", "/loki/api/v1/query?query=" + quote('{app="x"}'), "400", "log queries are not supported as an "
                                                            "instant query type"),
    ("no query", "/loki/api/v1/query_range", "400", "unexpected $end"),
    ("a query with a fault", "/loki/api/v1/query_range?query=" + quote("{app=x}"), "400", "parse error at line 1, col 6"),
    ("a time that is none", "/loki/api/v1/query_range?start=yesterday&query=" + quote('{a="b"}'), "400", 'could not parse "start" parameter'),
    ("a page that is not there", "/api/prom/nothing", "404", "404 page not found"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "path", "status", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_request_is_refused(lab: Lab, sentence: str, path: str, status: str, words: str) -> None:
    body, code = ask(lab, path)
    assert code == status and words in body


def test_streams_need_labels_and_fresh_times(lab: Lab) -> None:
    assert push(lab, {}, [(lab.cluster.now, "x")]) == ("error at least one label pair is required per stream\n", "400")
    body, code = push(lab, {"app": "old"}, [(lab.cluster.now - 8 * 86_400_000, "x")])
    assert code == "400" and "has timestamp too old" in body


def test_with_auth_enabled_each_tenant_sees_its_own(lab: Lab) -> None:
    assert push(lab, {"app": "a"}, [(lab.cluster.now, "x")], "locked") == ("no org id\n", "401")
    assert push(lab, {"app": "a"}, [(lab.cluster.now, "x")], "locked", "-H 'X-Scope-OrgID: one'")[1] == "204"
    assert json.loads(ask(lab, "/loki/api/v1/labels", None, "locked", "-H 'X-Scope-OrgID: one'")[0])["data"] == ["app", "service_name"]
    assert json.loads(ask(lab, "/loki/api/v1/labels", None, "locked", "-H 'X-Scope-OrgID: two'")[0]) == {"status": "success"}


def test_a_wrong_configuration_ends_it(lab: Lab) -> None:
    assert "field servers not found in type loki.ConfigWrapper" in lab.logs("wrong")
    status = lab.status("wrong")["containerStatuses"][0]
    assert (status["state"].get("terminated") or status["lastState"]["terminated"])["exitCode"] == 1
