"""Elasticsearch's query language over a list of documents: bool, match, match_phrase, multi_match, term(s), range, exists, prefix, wildcard,
ids, match_all, query_string (and `q=`); sort; terms, date_histogram, filter, and the metric aggregations.

Scores are 1.0 for what is only filtered and BM25-like otherwise: the order is sensible, the numbers are not Lucene's.
Sources: elastic.co/docs/reference/query-languages/querydsl, .../aggregations.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..process import Data
from .elasticsearch_matching import Hit, Test, anywhere, comparable, flat, matching, phrase, term, values, wild, within
from .elasticsearch_store import EsError, kind_of

DEPTH_MAX = 20


def bad(kind: str, reason: str) -> EsError:
    return EsError(400, kind, reason)


def compile_query(query: Any, now: int, depth: int = 0) -> Test:
    """A query as a function. Raises EsError (parsing_exception)."""
    if depth > DEPTH_MAX:
        raise bad("x_content_parse_exception", "The nested depth of the query exceeds the maximum nested depth for queries set in [20]")
    if not isinstance(query, dict):
        raise bad("parsing_exception", "[_na] query malformed, must start with start_object")
    if len(query) != 1:
        if not query:
            raise bad("illegal_argument_exception", "query malformed, empty clause found")
        second = list(query)[1]
        raise bad("parsing_exception", f"[{next(iter(query))}] malformed query, expected [END_OBJECT] but found [FIELD_NAME] [{second}]")
    name, body = next(iter(query.items()))
    maker = QUERIES.get(name)
    if maker is None:
        raise bad("parsing_exception", f"unknown query [{name}]")
    if not isinstance(body, dict):
        raise bad("parsing_exception", f"[{name}] query malformed, no start_object after query name")
    return maker(body, now, depth)


def _single(name: str, body: Data, member: str) -> tuple[str, Any, Data]:
    if len(body) != 1:
        raise bad("parsing_exception", f"[{name}] query doesn't support multiple fields, found [{', '.join(list(body)[:2])}]")
    field, given = next(iter(body.items()))
    options = given if isinstance(given, dict) else {}
    if isinstance(given, dict) and member not in given:
        raise bad("parsing_exception", f"[{name}] query does not support [{next(iter(given), '')}]" if given else "No text specified for text query")
    return field, given[member] if isinstance(given, dict) else given, options


def _match(body: Data, now: int, depth: int) -> Test:
    field, text, options = _single("match", body, "query")
    return matching(field, text, str(options.get("operator", "or")).lower() == "and")


def _phrase(body: Data, now: int, depth: int) -> Test:
    field, text, _ = _single("match_phrase", body, "query")
    return phrase(field, text)


def _multi(body: Data, now: int, depth: int) -> Test:
    names = body.get("fields") or ["*"]
    tests = [anywhere(body.get("query", ""), False) if name == "*" else matching(name, body.get("query", "")) for name in names]
    return lambda hit: max(test(hit) for test in tests)


def _term(body: Data, now: int, depth: int) -> Test:
    field, wanted, _ = _single("term", body, "value")
    return term(field, [wanted])


def _terms(body: Data, now: int, depth: int) -> Test:
    field, wanted = next(((name, value) for name, value in body.items() if name != "boost"), ("", []))
    if not isinstance(wanted, list):
        raise bad("parsing_exception", "[terms] query does not support [" + str(field) + "]")
    return term(field, wanted)


def _range(body: Data, now: int, depth: int) -> Test:
    if len(body) != 1 or not isinstance(next(iter(body.values())), dict):
        raise bad("parsing_exception", "[range] query malformed, no start_object after field name")
    field, limits = next(iter(body.items()))
    known = {"gt", "gte", "lt", "lte", "format", "time_zone", "boost", "relation"}
    for name in (name for name in limits if name not in known):
        raise bad("parsing_exception", f"[range] query does not support [{name}]")
    edges = {name: comparable(limits[name], now) for name in ("gt", "gte", "lt", "lte") if limits.get(name) is not None}

    def test(hit: Hit) -> float:
        for value in values(hit[2], field):
            held = comparable(value, now)
            if all(within(held, name, edge) for name, edge in edges.items()):
                return 1.0
        return 0.0

    return test


def _bool(body: Data, now: int, depth: int) -> Test:
    for name in (name for name in body if name not in ("must", "filter", "should", "must_not", "minimum_should_match", "boost")):
        raise bad("x_content_parse_exception", f"[1:1] [bool] unknown field [{name}]")
    parts = {
        name: [compile_query(one, now, depth + 1) for one in (body[name] if isinstance(body[name], list) else [body[name]])]
        for name in ("must", "filter", "should", "must_not") if name in body
    }  # fmt: skip
    need = body.get("minimum_should_match", 0 if "must" in parts or "filter" in parts else 1)
    need = int(need) if str(need).lstrip("-").isdigit() else 1

    def test(hit: Hit) -> float:
        scores = [one(hit) for one in parts.get("must", ())]
        if not all(scores) or not all(one(hit) for one in parts.get("filter", ())) or any(one(hit) for one in parts.get("must_not", ())):
            return 0.0
        wished = [score for one in parts.get("should", ()) if (score := one(hit))]
        if parts.get("should") and len(wished) < need:
            return 0.0
        return sum(scores) + sum(wished) or 1e-9

    return test


def _exists(body: Data, now: int, depth: int) -> Test:
    field = str(body.get("field", ""))
    return lambda hit: 1.0 if values(hit[2], field) else 0.0


def _prefix(body: Data, now: int, depth: int) -> Test:
    field, text, _ = _single("prefix", body, "value")
    return wild(field, str(text).replace("*", "[*]").replace("?", "[?]") + "*")


def _wildcard(body: Data, now: int, depth: int) -> Test:
    field, text, _ = _single("wildcard", body, "value" if "value" in next(iter(body.values()), {}) else "wildcard")
    return wild(field, str(text))


def _ids(body: Data, now: int, depth: int) -> Test:
    wanted = [str(one) for one in body.get("values", [])]
    return lambda hit: 1.0 if hit[1] in wanted else 0.0


def _all(body: Data, now: int, depth: int) -> Test:
    return lambda hit: 1.0


def _constant(body: Data, now: int, depth: int) -> Test:
    inner = compile_query(body.get("filter"), now, depth + 1)
    return lambda hit: 1.0 if inner(hit) else 0.0


def _string(body: Data, now: int, depth: int) -> Test:
    return query_string(
        str(body.get("query", "")), now, str(body.get("default_operator", "or")).lower() == "and", str(body.get("default_field", "*"))
    )


QUERIES: dict[str, Callable[[Data, int, int], Test]] = {
    "match": _match, "match_phrase": _phrase, "multi_match": _multi, "term": _term, "terms": _terms, "range": _range, "bool": _bool,
    "exists": _exists, "prefix": _prefix, "wildcard": _wildcard, "ids": _ids, "match_all": _all, "constant_score": _constant,
    "query_string": _string, "simple_query_string": _string, "match_none": lambda body, now, depth: lambda hit: 0.0,
}  # fmt: skip


# ---- query strings: status:500 AND (level:ERROR OR message:"time out") NOT path:/health*

TOKEN = re.compile(r"\s*(\(|\)|&&|\|\||[+!-](?=\S)|(?:[\w.@*-]+:)?(?:\"(?:[^\"\\]|\\.)*\"|\[[^\]]*\]|\{[^}]*\}|[<>]=?\S+|[^\s()\"]+))")


def query_string(text: str, now: int, every: bool = False, field: str = "*") -> Test:
    """Lucene's syntax. Raises EsError."""
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None:
            raise bad("query_shard_exception", f"Failed to parse query [{text}]")
        tokens.append(found[1])
        at = found.end()
    if len(tokens) > 200:
        raise bad("query_shard_exception", "too many clauses")
    if not tokens:
        return lambda hit: 0.0
    test, rest = _either(tokens, now, every, field, 0, text)
    if rest:
        raise bad("query_shard_exception", f"Failed to parse query [{text}]")
    return test


def _either(tokens: list[str], now: int, every: bool, field: str, depth: int, whole: str) -> tuple[Test, list[str]]:
    """Clauses up to a closing bracket: joined by AND, OR, or the default operator; NOT and - exclude, + requires."""
    groups: list[list[Test]] = [[]]
    nots: list[Test] = []
    musts: list[Test] = []
    join = ""
    while tokens and tokens[0] != ")":
        piece, tokens = tokens[0], tokens[1:]
        if piece in ("AND", "&&", "OR", "||"):
            join = "and" if piece in ("AND", "&&") else "or"
            continue
        negative = piece in ("NOT", "!", "-")
        required = piece == "+"
        if negative or required:
            if not tokens:
                raise bad("query_shard_exception", f"Failed to parse query [{whole}]")
            piece, tokens = tokens[0], tokens[1:]
        if piece == "(":
            if depth > DEPTH_MAX:
                raise bad("query_shard_exception", f"Failed to parse query [{whole}]")
            test, tokens = _either(tokens, now, every, field, depth + 1, whole)
            if not tokens:
                raise bad("query_shard_exception", f"Failed to parse query [{whole}]")
            tokens = tokens[1:]
        else:
            test = _clause(piece, now, field)
        if negative:
            nots.append(test)
        elif required:
            musts.append(test)
        elif (join or ("and" if every else "or")) == "and" and groups[-1]:
            groups[-1].append(test)
        elif groups[-1]:
            groups.append([test])
        else:
            groups[-1].append(test)
        join = ""

    def test_all(hit: Hit) -> float:
        if any(one(hit) for one in nots) or not all(one(hit) for one in musts):
            return 0.0
        if not groups[0]:
            return 1.0
        return max(sum(scores) if all(scores := [one(hit) for one in group]) else 0.0 for group in groups) or (1.0 if musts else 0.0)

    return test_all, tokens


def _clause(piece: str, now: int, field: str) -> Test:
    named = re.match(r"([\w.@*-]+):(.+)$", piece, re.DOTALL)
    name, value = (named[1], named[2]) if named else (field, piece)
    if piece == "*:*" or value == "*":
        return (lambda hit: 1.0) if name in ("*", "_all") else _exists({"field": name}, now, 0)
    if name == "_exists_":
        return _exists({"field": value}, now, 0)
    if edge := re.match(r"([<>]=?)(.+)$", value):
        return _range({name: {{">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}[edge[1]]: edge[2]}}, now, 0)
    if between := re.match(r"([\[{])(.+?) TO (.+?)([\]}])$", value):
        limits = {"gte" if between[1] == "[" else "gt": between[2], "lte" if between[4] == "]" else "lt": between[3]}
        return _range({name: {key: one for key, one in limits.items() if one != "*"}}, now, 0)
    if value[:1] == '"':
        text = re.sub(r"\\(.)", r"\1", value[1:-1])
        return anywhere(text, True) if name == "*" else exactly(name, text)
    if "*" in value or "?" in value:
        if name == "*":
            return lambda hit: max((wild(one, value.lower())(hit) for one in flat(hit[2])), default=0.0)
        return lambda hit: wild(name, value)(hit) or wild(name, value.lower())(hit)
    return anywhere(value, False) if name == "*" else matching(name, value)


def exactly(name: str, text: str) -> Test:
    """A quoted value: a phrase of a text field, the whole of another."""
    return lambda hit: phrase(name, text)(hit) if any(kind_of(one) == "text" for one in values(hit[2], name)) else matching(name, text)(hit)
