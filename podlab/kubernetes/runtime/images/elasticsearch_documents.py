"""The documents of Elasticsearch: written one by one or in bulk, read, changed, searched, deleted."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

from .. import http
from ..process import Data
from ..system import Sys
from . import elasticsearch_store as store
from .elasticsearch_aggregations import aggregate, sort_keys, sort_value
from .elasticsearch_indices import body_of, missing_index, opened, resolve
from .elasticsearch_search import compile_query, query_string
from .elasticsearch_store import EsError, Index

CLAUSES_MAX = 1_024  # indices.query.bool.max_clause_count as it was
TESTS_MAX = 300_000
"""Clauses times documents of one search: about a second of a server that many learners share."""


def new_id(sys: Sys) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    return "".join(letters[sys.random(64)] for _ in range(20))


def put(data: Data, sys: Sys, name: str, document_id: str, document: Data, only_new: bool, refresh: bool) -> tuple[Data, int]:
    """Stores a document. Raises EsError."""
    index = opened(data, sys, name)
    known = index.docs.get(document_id)
    if only_new and known is not None:
        raise EsError(409, "version_conflict_engine_exception", f"[{document_id}]: version conflict, document already exists (current "
                                                            f"version [{known[1]}])",
                      index=name, index_uuid=index.uuid, shard="0")  # fmt: skip
    mapping: dict[str, str] = {}
    store.checked(index, document_id, document, mapping)
    rows: list[list[Any]] = [["mapping", field, kind] for field, kind in mapping.items()]
    store.write(sys, data, name, [*rows, ["doc", sys.now, document_id, document], *([["refresh", sys.now]] if refresh else [])])
    return written(index, document_id, known[1] + 1 if known else 1, "updated" if known else "created"), 200 if known else 201


def written(index: Index, document_id: str, number: int, result: str) -> Data:
    return {"_index": index.name, "_id": document_id, "_version": number, "result": result, "_shards": {"total": 2, "successful": 1, "failed": 0},
            "_seq_no": index.operations, "_primary_term": 1}  # fmt: skip


def document(data: Data, sys: Sys, method: str, path: list[str], body: str, options: dict[str, str]) -> tuple[Any, int]:
    name = path[0]
    if method in ("PUT", "POST"):
        found = body_of(http.Message("", [("Content-Type", "application/json")], body), True)
        only_new = path[1] == "_create" or options.get("op_type") == "create"
        return put(
            data, sys, name, path[2] if len(path) == 3 else new_id(sys), found, only_new, "refresh" in options and options["refresh"] != "false"
        )
    index = store.get(sys, data, name)
    if index is None:
        raise missing_index(name)
    document_id = path[2] if len(path) == 3 else ""
    known = index.docs.get(document_id)
    if method == "DELETE":
        if known is None:
            return written(index, document_id, 1, "not_found"), 404
        store.write(sys, data, name, [["delete", sys.now, document_id]])
        return written(index, document_id, known[1] + 1, "deleted"), 200
    if known is None:
        return {"_index": name, "_id": document_id, "found": False}, 404
    if path[1] == "_source":
        return known[2], 200
    return {
        "_index": name,
        "_id": document_id,
        "_version": known[1],
        "_seq_no": index.operations,
        "_primary_term": 1,
        "found": True,
        "_source": known[2],
    }, 200


def update(data: Data, sys: Sys, path: list[str], body: str) -> tuple[Any, int]:
    index = store.get(sys, data, path[0])
    known = index.docs.get(path[2]) if index is not None else None
    if known is None:
        raise EsError(404, "document_missing_exception", f"[{path[2]}]: document missing")
    change = body_of(http.Message("", [("Content-Type", "application/json")], body), True).get("doc", {})
    return put(data, sys, path[0], path[2], {**known[2], **change}, False, False)


def bulk(data: Data, sys: Sys, body: str, default: str, options: dict[str, str]) -> Data:
    """One action line, then a document line, and so on; each item has its own result."""
    if not body.endswith("\n"):
        raise EsError(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
    lines = body.split("\n")[:-1]
    items: list[Data] = []
    failed = False
    at = 0
    touched: list[str] = []
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        try:
            action = json.loads(lines[at])
            name, meta = next(iter(action.items()))
        except (ValueError, AttributeError, StopIteration):
            raise EsError(
                400, "illegal_argument_exception", f"Malformed action/metadata line [{at + 1}], expected START_OBJECT but found [VALUE_STRING]"
            ) from None
        if name not in ("index", "create", "update", "delete") or not isinstance(meta, dict):
            raise EsError(
                400,
                "illegal_argument_exception",
                f"Malformed action/metadata line [{at + 1}], expected field [create], [delete], [index] or [update] but found [{name}]",
            )
        if "_type" in meta:  # removed in 8.0; Fluent Bit still sends it unless told to suppress it
            raise EsError(400, "illegal_argument_exception", f"Action/metadata line [{at + 1}] contains an unknown parameter [_type]")
        at += 1
        index_name, document_id = str(meta.get("_index") or default), str(meta.get("_id") or new_id(sys))
        try:
            if name == "delete":
                found, status = document(data, sys, "DELETE", [index_name, "_doc", document_id], "", {})
            else:
                text, at = (lines[at] if at < len(lines) else ""), at + 1
                source = body_of(http.Message("", [("Content-Type", "application/json")], text), True)
                if name == "update":
                    found, status = update(data, sys, [index_name, "_update", document_id], text)
                else:
                    found, status = put(data, sys, index_name, document_id, source, name == "create", False)
            touched.append(index_name)
            items.append({name: {**found, "status": status}})
        except EsError as error:
            failed = True
            items.append(
                {
                    name: {
                        "_index": index_name,
                        "_id": document_id,
                        "status": error.status,
                        "error": {"type": error.kind, "reason": error.reason, **error.more},
                    }
                }
            )
    if options.get("refresh", "false") != "false":
        for index_name in dict.fromkeys(touched):
            store.write(sys, data, index_name, [["refresh", sys.now]])
    sys.charge(50 * len(items))
    return {"errors": failed, "took": 2 + len(items) // 20, "items": items}


def search(data: Data, sys: Sys, expression: str, request: http.Message, options: dict[str, str], counting: bool) -> Data:
    """_search and _count. Raises EsError."""
    body = body_of(request)
    for name in body:
        if name not in ("query", "size", "from", "sort", "aggs", "aggregations", "_source", "track_total_hits", "fields", "timeout", "min_score"):
            raise EsError(400, "parsing_exception", f"unknown key [{name}] in search source", line=1, col=1)
    indices = resolve(data, sys, expression)
    if "q" in options:
        test = query_string(options["q"], sys.now, options.get("default_operator", "or").lower() == "and", options.get("df", "*"))
    else:
        test = compile_query(body.get("query", {"match_all": {}}), sys.now)
    held = [(index.name, name, document) for index in indices for name, document in index.found(sys.now)]
    clauses = len(options["q"].split()) if "q" in options else json.dumps(body.get("query", "")).count("{")
    if clauses > CLAUSES_MAX or clauses * len(held) > TESTS_MAX:
        raise EsError(
            429, "circuit_breaking_exception", f"[parent] Data too large, {clauses} clauses over {len(held)} documents", bytes_wanted=0, bytes_limit=0
        )
    sys.charge(200 + 3 * len(held) * max(1, clauses))
    scored = [(score, order, hit) for order, hit in enumerate(held) if (score := test(hit))]
    shards = {"total": len(indices), "successful": len(indices), "skipped": 0, "failed": 0}
    if counting:
        return {"count": len(scored), "_shards": shards}
    size, start = number(body, options, "size", 10), number(body, options, "from", 0)
    if size + start > 10_000:
        raise EsError(
            400,
            "illegal_argument_exception",
            f"Result window is too large, from + size must be less than or equal to: [10000] but was [{size + start}].",
        )
    mapping = {name: kind for index in indices for name, kind in index.mapping.items()}
    keys = sort_keys(body["sort"] if "sort" in body else options["sort"].split(",")) if "sort" in body or "sort" in options else []
    for name, _ in keys:
        if mapping.get(name) == "text":
            raise EsError(400, "illegal_argument_exception", f"Fielddata is disabled on [{name}] in [{indices[0].name}]. Text fields are "
                                                            f"not optimised for operations that "
                          "require per-document field data like aggregations and sorting, so these operations are disabled by default. "
                          "Please use a keyword field instead.")  # fmt: skip
        if name not in mapping and name.removesuffix(".keyword") not in mapping and not name.startswith("_") and indices:
            raise EsError(400, "query_shard_exception", f"No mapping found for [{name}] in order to sort on")
    if keys:
        for name, down in reversed(keys):
            found = [(sort_value(hit, name, score, order), score, order, hit) for score, order, hit in scored]
            here = sorted((row for row in found if row[0] is not None), key=lambda row: (isinstance(row[0], str), row[0]), reverse=down)
            scored = [row[1:] for row in [*here, *(row for row in found if row[0] is None)]]
    else:
        scored.sort(key=lambda row: -row[0])
    shown = scored[start : start + size]
    wanted = body.get("_source", options.get("_source"))
    hits = [
        {"_index": hit[0], "_id": hit[1], "_score": None if keys else round(score, 7), **source(hit[2], wanted),
         **({"sort": [sort_value(hit, name, score, order) for name, _ in keys]} if keys else {})}
        for score, order, hit in shown
    ]  # fmt: skip
    best = round(max((score for score, _, _ in scored), default=0.0), 7) if scored and not keys and size else None
    answer: Data = {"took": 1 + len(held) // 500, "timed_out": False, "_shards": shards,
                    "hits": {"total": {"value": len(scored), "relation": "eq"}, "max_score": best, "hits": hits}}  # fmt: skip
    asked = body.get("aggs") or body.get("aggregations")
    if asked:
        answer["aggregations"] = aggregate(asked, [hit for _, _, hit in scored], sys.now, mapping)
    return answer


def number(body: Data, options: dict[str, str], name: str, default: int) -> int:
    given = body.get(name, options.get(name, default))
    if isinstance(given, bool) or not re.fullmatch(r"\d{1,9}", str(given)):
        raise EsError(400, "illegal_argument_exception", f"[{name}] parameter cannot be negative, found [{given}]" if str(given).startswith("-") else
                      f"Failed to parse int parameter [{name}] with value [{given}]")  # fmt: skip
    return int(given)


def source(document: Data, wanted: Any) -> Data:
    """`_source`: all, none, or the fields named."""
    if wanted is False or wanted == "false":
        return {}
    if wanted in (None, True, "true"):
        return {"_source": document}
    names = wanted.split(",") if isinstance(wanted, str) else [str(one) for one in wanted] if isinstance(wanted, list) else []
    return {"_source": {key: value for key, value in document.items() if any(fnmatch.fnmatchcase(key, name) for name in names)}}


def delete_by_query(data: Data, sys: Sys, expression: str, request: http.Message) -> Data:
    body = body_of(request, True)
    test = compile_query(body.get("query"), sys.now)
    gone = 0
    for index in resolve(data, sys, expression):
        names = [name for name, document in index.found(sys.now) if test((index.name, name, document))]
        store.write(sys, data, index.name, [*(["delete", sys.now, name] for name in names), ["refresh", sys.now]])
        gone += len(names)
    return {
        "took": 3,
        "timed_out": False,
        "total": gone,
        "deleted": gone,
        "batches": 1 if gone else 0,
        "version_conflicts": 0,
        "noops": 0,
        "failures": [],
    }
