"""Elasticsearch: what it keeps, finds, refuses, and how it starts and ends. A table of requests and a part of their answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.runtime.images.elasticsearch_search import query_string
from podlab.kubernetes.runtime.images.elasticsearch_store import EsError
from tests.kubernetes.runtime.lab import START, Lab

IMAGE = "docker.elastic.co/elasticsearch/elasticsearch:8.19.5"
SINGLE = [{"name": "discovery.type", "value": "single-node"}, {"name": "xpack.security.enabled", "value": "false"},
          {"name": "ES_JAVA_OPTS", "value": "-Xms256m -Xmx256m"}]  # fmt: skip
ROWS = [
    {"@timestamp": "2026-11-21T00:00:01Z", "level": "INFO", "message": "order accepted", "ms": 20, "item": {"name": "tea"}},
    {"@timestamp": "2026-11-21T00:00:02Z", "level": "ERROR", "message": "payment failed", "ms": 31, "item": {"name": "bread"}},
    {"@timestamp": "2026-11-21T00:01:03Z", "level": "WARN", "message": "slow payment", "ms": 1400, "item": {"name": "tea"}},
    {"@timestamp": "2026-11-21T00:01:04Z", "level": "ERROR", "message": "payment refused by the bank", "ms": 44, "paid": False},
]


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    lab.pod("es", IMAGE, env=SINGLE)
    lab.pod("plain", "elasticsearch:8.19.5", env=SINGLE[1:])  # no discovery.type
    lab.pod("secure", IMAGE, env=[SINGLE[2]])
    lab.pod("small", IMAGE, env=[*SINGLE[:2], {"name": "ES_JAVA_OPTS", "value": "-Xmx512m"}], resources={"limits": {"memory": "600Mi"}})
    lab.pod("typo", IMAGE, env=[*SINGLE, {"name": "discoveri.type", "value": "single-node"}])
    lab.pod("kept", IMAGE, env=SINGLE, volumeMounts=[{"name": "data", "mountPath": "/usr/share/elasticsearch/data"}],
            spec={"volumes": [{"name": "data", "emptyDir": {}}]})  # fmt: skip
    lab.client(image="curlimages/curl", node="node-1")
    lab.settle(100)
    lines = "".join(json.dumps({"index": {"_index": "logs", "_id": str(at)}}) + "\n" + json.dumps(row) + "\n" for at, row in enumerate(ROWS))
    assert not ask(lab, "_bulk?refresh", "POST", lines)["errors"]
    return lab


def ask(lab: Lab, path: str, method: str = "GET", body: Any = None, pod: str = "es") -> Any:
    """The JSON (or text) that a request gets."""
    text = body if isinstance(body, str) else json.dumps(body)
    given = "" if body is None else " -H 'Content-Type: application/json' --data-binary @-"
    out = lab.run("client", f"curl -s -X {method} '{lab.ip(pod)}:9200/{path}'{given}", stdin=None if body is None else text)[0]
    return json.loads(out) if out.startswith("{") else out


QUERIES: list[tuple[str, Any, list[str]]] = [
    ("everything, in the order it came", {"match_all": {}}, ["0", "1", "2", "3"]),
    ("match: any of the words", {"match": {"message": "slow failed"}}, ["1", "2"]),
    ("match with operator and", {"match": {"message": {"query": "payment failed", "operator": "and"}}}, ["1"]),
    ("match_phrase", {"match_phrase": {"message": "refused by"}}, ["3"]),
    ("a term of a text field is not analysed", {"term": {"level": "ERROR"}}, []),
    ("the keyword is what was written", {"term": {"level.keyword": "ERROR"}}, ["1", "3"]),
    ("a word in lower case is a term of the text", {"term": {"level": {"value": "error"}}}, ["1", "3"]),
    ("terms", {"terms": {"level.keyword": ["INFO", "WARN"]}}, ["0", "2"]),
    ("a range of numbers", {"range": {"ms": {"gte": 31, "lt": 1400}}}, ["1", "3"]),
    ("a range of dates", {"range": {"@timestamp": {"gte": "2026-11-21T00:01:00Z"}}}, ["2", "3"]),
    ("date maths", {"range": {"@timestamp": {"gte": "now-1h", "lt": "now"}}}, ["0", "1", "2", "3"]),
    ("exists", {"exists": {"field": "paid"}}, ["3"]),
    ("a field inside an object", {"match": {"item.name": "tea"}}, ["0", "2"]),
    ("prefix", {"prefix": {"level.keyword": "ER"}}, ["1", "3"]),
    ("wildcard", {"wildcard": {"message": {"value": "acc*"}}}, ["0"]),
    ("bool", {"bool": {"must": {"match": {"message": "payment"}}, "filter": [{"range": {"ms": {"lt": 100}}}],
                       "must_not": {"match": {"message": "bank"}}}}, ["1"]),
    ("should alone needs one of them", {"bool": {"should": [{"term": {"ms": 20}}, {"term": {"ms": 44}}]}}, ["0", "3"]),
    ("ids", {"ids": {"values": ["2", "9"]}}, ["2"]),
    ("query_string", {"query_string": {"query": "level:ERROR AND NOT message:bank"}}, ["1"]),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "query", "found"), QUERIES, ids=[row[0] for row in QUERIES])
def test_query_finds(lab: Lab, sentence: str, query: Any, found: list[str]) -> None:
    hits = ask(lab, "logs/_search", "POST", {"query": query})["hits"]
    assert sorted(hit["_id"] for hit in hits["hits"]) == found
    assert hits["total"]["value"] == len(found)


STRINGS = [
    ("ERROR", [1, 3]), ("level:error", [1, 3]), ('message:"payment failed"', [1]), ("payment -failed", [2, 3]), ("ms:>40", [2, 3]),
    ("ms:[20 TO 31]", [0, 1]), ("level:ERROR OR level:WARN", [1, 2, 3]), ("level:(INFO OR WARN)", [0, 2]), ("mess*:x", []), ("item.name:t*", [0, 2]),
    ("+payment +bank", [3]), ("_exists_:paid", [3]), ("*:*", [0, 1, 2, 3]), ("paid:false", [3]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), STRINGS)
def test_query_string_finds(text: str, found: list[int]) -> None:
    test = query_string(text, START)
    assert [at for at, row in enumerate(ROWS) if test(("logs", str(at), row))] == found


def test_an_endless_query_string_is_refused() -> None:
    with pytest.raises(EsError):
        query_string("(" * 300, START)


REFUSED = [
    ("an index that is not there", "nope/_search", "GET", None, 404, "index_not_found_exception", "no such index [nope]"),
    ("a query that does not exist", "logs/_search", "POST", {"query": {"matches": {"a": 1}}}, 400, "parsing_exception", "unknown query [matches]"),
    ("two queries at once", "logs/_search", "POST", {"query": {"match": {"a": 1}, "term": {"b": 2}}}, 400, "parsing_exception",
     "[match] malformed query, expected [END_OBJECT] but found [FIELD_NAME] [term]"),
    ("a key beside the query", "logs/_search", "POST", {"querry": {}}, 400, "parsing_exception", "unknown key [querry]"),
    ("sorting by text", "logs/_search?sort=message", "GET", None, 400, "illegal_argument_exception", "Fielddata is disabled on [message]"),
    ("sorting by what nobody has", "logs/_search?sort=price", "GET", None, 400, "query_shard_exception", "No mapping found for [price]"),
    ("a name in capitals", "Logs", "PUT", None, 400, "invalid_index_name_exception", "Invalid index name [Logs], must be lowercase"),
    ("an index made twice", "logs", "PUT", None, 400, "resource_already_exists_exception", "index [logs] already exists"),
    ("text in a number's field", "logs/_doc/9", "PUT", {"ms": "quick"}, 400, "document_parsing_exception",
     "failed to parse field [ms] of type [long]"),
    ("a bulk without its last newline", "_bulk", "POST", '{"index":{"_index":"logs"}}\n{}', 400, "illegal_argument_exception", "must be terminated"),
    ("the type that 8 no longer knows", "_bulk", "POST", '{"index":{"_index":"logs","_type":"_doc"}}\n{}\n', 400, "illegal_argument_exception",
     "contains an unknown parameter [_type]"),
    ("no JSON", "logs/_doc", "POST", "level=ERROR", 400, "x_content_parse_exception", "Unexpected character"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "path", "method", "body", "status", "kind", "reason"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refusal_has_elasticsearch_s_form(lab: Lab, sentence: str, path: str, method: str, body: Any, status: int, kind: str, reason: str) -> None:
    answer = ask(lab, path, method, body)
    assert (answer["status"], answer["error"]["type"]) == (status, kind)
    assert reason in answer["error"]["reason"]
    assert answer["error"]["root_cause"][0]["type"] == kind


def test_sort_size_from_and_source(lab: Lab) -> None:
    hits = ask(lab, "logs/_search", "POST", {"sort": [{"ms": "desc"}], "size": 2, "from": 1, "_source": ["ms"]})["hits"]["hits"]
    assert [hit["_source"] for hit in hits] == [{"ms": 44}, {"ms": 31}]
    assert [hit["sort"] for hit in hits] == [[44], [31]]


def test_filter_path_keeps_what_it_names(lab: Lab) -> None:
    found = ask(lab, "logs/_search?q=ms:20&filter_path=hits.total.value,hits.hits._source.ms")
    assert found == {"hits": {"total": {"value": 1}, "hits": [{"_source": {"ms": 20}}]}}


def test_aggregations(lab: Lab) -> None:
    asked = {"levels": {"terms": {"field": "level.keyword"}, "aggs": {"ms": {"avg": {"field": "ms"}}}},
             "minutes": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m"}}}  # fmt: skip
    found = ask(lab, "logs/_search", "POST", {"size": 0, "aggs": asked})["aggregations"]
    assert [(one["key"], one["doc_count"], one["ms"]["value"]) for one in found["levels"]["buckets"]] == [
        ("ERROR", 2, 37.5),
        ("INFO", 1, 20.0),
        ("WARN", 1, 1400.0),
    ]
    assert [(one["key_as_string"], one["doc_count"]) for one in found["minutes"]["buckets"]] == [
        ("2026-11-21T00:00:00.000Z", 2),
        ("2026-11-21T00:01:00.000Z", 2),
    ]


def test_a_document_is_found_a_second_later_and_by_its_id_at_once(lab: Lab) -> None:
    assert ask(lab, "late/_doc/1", "PUT", {"a": 1})["result"] == "created"
    assert ask(lab, "late/_doc/1")["found"]
    assert ask(lab, "late/_count")["count"] == 0
    lab.settle(1.1)
    assert ask(lab, "late/_count")["count"] == 1
    assert ask(lab, "late/_doc/1", "PUT", {"a": 2})["_version"] == 2
    assert ask(lab, "late", "DELETE") == {"acknowledged": True}
    assert ask(lab, "late/_count")["status"] == 404


def test_a_single_node_has_no_place_for_the_replica(lab: Lab) -> None:
    assert ask(lab, "_cluster/health")["status"] == "yellow"
    header, row = ask(lab, "_cat/indices/logs?v").splitlines()
    assert header.split()[:3] == ["health", "status", "index"]
    assert row.split()[:3] == ["yellow", "open", "logs"] and row.split()[6] == "4"


def test_the_mapping_is_learnt_from_documents(lab: Lab) -> None:
    found = ask(lab, "logs/_mapping")["logs"]["mappings"]["properties"]
    assert {name: one.get("type") for name, one in found.items()} == {
        "@timestamp": "date",
        "item": None,
        "level": "text",
        "message": "text",
        "ms": "long",
        "paid": "boolean",
    }


def test_start_takes_tens_of_seconds_and_says_so(lab: Lab) -> None:
    began = next(line for line in lab.logs("es").splitlines() if "version[8.19.5]" in line)
    ended = next(line for line in lab.logs("es").splitlines() if "started {es}" in line)
    seconds = [int(json.loads(line)["@timestamp"][14:16]) * 60 + float(json.loads(line)["@timestamp"][17:23]) for line in (began, ended)]
    assert 10 < seconds[1] - seconds[0] < 40


@pytest.mark.parametrize(("pod", "code", "reason", "words"), [
    ("plain", 78, "Error", "the default discovery settings are unsuitable for production use"),
    ("small", 137, "OOMKilled", ""),
    ("typo", 1, "Error", "unknown setting [discoveri.type]"),
])  # fmt: skip
def test_a_node_that_is_set_up_wrongly_ends(lab: Lab, pod: str, code: int, reason: str, words: str) -> None:
    status = lab.status(pod)["containerStatuses"][0]
    ended = status["state"].get("terminated") or status["lastState"].get("terminated")
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    machine, _ = lab._held(pod)
    assert words in "".join(line.text for one in machine.state["containers"].values() if one["name"] == pod for line in machine.logs(one["id"]))


def test_with_security_on_plain_http_gets_no_answer(lab: Lab) -> None:
    assert lab.run("client", f"curl -sS {lab.ip('secure')}:9200/")[1:] == ("curl: (52) Empty reply from server\n", 52)
    assert "received plaintext http traffic on an https channel" in lab.logs("secure")


@pytest.mark.slow
def test_documents_live_as_long_as_the_volume_of_the_data_path(lab: Lab) -> None:
    for pod in ("kept",):
        ask(lab, "a/_doc/1?refresh=true", "PUT", {"n": 1}, pod)
    lab.run("kept", "kill 1")
    lab.settle(60)
    assert lab.status("kept")["containerStatuses"][0]["restartCount"] == 1
    assert ask(lab, "a/_count", pod="kept")["count"] == 1
    restored = lab.restored()
    assert ask(restored, "a/_count", pod="kept") == ask(lab, "a/_count", pod="kept")


def test_a_line_separator_in_a_document_is_kept_and_a_damaged_file_is_told(lab: Lab) -> None:
    ask(lab, "odd/_doc/1?refresh=true", "PUT", {"text": "a\u2028b\x85c"})
    assert ask(lab, "odd/_doc/1")["_source"] == {"text": "a\u2028b\x85c"}
    lab.run("es", "echo broken >> data/indices/odd/translog")
    assert ask(lab, "odd/_search")["error"]["type"] == "no_shard_available_action_exception"
    assert ask(lab, "logs/_count")["count"] == 4
    lab.run("es", "rm -r data/indices/odd")
