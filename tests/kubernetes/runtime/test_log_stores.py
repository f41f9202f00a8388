"""Fluentd, Fluent Bit and Vector that send to Elasticsearch, Loki and one another: what arrives, what happens when the store is not there."""

from __future__ import annotations

import json

import pytest

from tests.kubernetes.runtime.lab import Lab
from tests.kubernetes.runtime.log_agents import BIT, ELASTIC, ES, FLUENT_BIT, FLUENTD, STDOUT, VECTOR, agent, said, tail_conf, vector_conf, write

pytestmark = pytest.mark.slow


ES_MATCH = ("<match **>\n  @type elasticsearch\n  host es\n  port 9200\n  logstash_format true\n"
            "  <buffer>\n    flush_interval 1s\n    retry_max_interval 4s\n  </buffer>\n</match>\n")  # fmt: skip


@pytest.fixture(scope="module")
def stores() -> Lab:
    lab = Lab()
    lab.pod("es", "elasticsearch:8.19.5", env=ES)
    lab.pod("loki", "grafana/loki:3.5.5")
    lab.service("es", "es", 9200, 9200)
    lab.service("loki", "loki", 3100, 3100)
    lab.client(image="curlimages/curl")
    agent(lab, "fd", ELASTIC, tail_conf(ES_MATCH))
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
    agent(lab, "fd", ELASTIC, tail_conf(ES_MATCH.replace("flush_interval 1s", "flush_interval 1h")))
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
    agent(lab, "fd", ELASTIC, tail_conf(ES_MATCH))
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
