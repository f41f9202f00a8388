"""Elasticsearch's HTTP: which request is what, and its answer (elastic.co/docs/api/doc/elasticsearch)."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any
from urllib.parse import unquote

from .. import http
from ..process import Data, Errno, Process
from ..serving import query
from ..system import Sys
from . import elasticsearch_store as store
from .elasticsearch_aggregations import aggregate, sort_keys, sort_value
from .elasticsearch_search import compile_query, query_string
from .elasticsearch_store import EsError, Index
from .log_parsers import iso

PRETTY = {"indent": 2, "separators": (",", " : ")}

CLAUSES_MAX = 1_024  # indices.query.bool.max_clause_count as it was
TESTS_MAX = 300_000
"""Clauses times documents of one search: about a second of a server that many learners share."""
PRODUCT = ("X-elastic-product", "Elasticsearch")


def version(sys: Sys) -> str:
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2]
    return tag if re.fullmatch(r"8\.\d+\.\d+", tag) else "8.19.5"


def log(sys: Sys, level: str, logger: str, message: str) -> None:
    conf = sys.proc["data"].get("conf", {})
    sys.out(
        json.dumps(
            {
                "@timestamp": iso(sys.now),
                "log.level": level,
                "message": message,
                "ecs.version": "1.2.0",
                "service.name": "ES_ECS",
                "event.dataset": "elasticsearch.server",
                "process.thread.name": "main",
                "log.logger": f"org.elasticsearch.{logger}",
                "elasticsearch.node.name": conf.get("node.name", sys.hostname),
                "elasticsearch.cluster.name": conf.get("cluster.name", "docker-cluster"),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        + "\n"
    )


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    options = query(request)
    pretty = options.get("pretty", "false") in ("", "true")
    path = [unquote(part) for part in request.path.split("/") if part]
    sys.charge(400)
    try:
        found, status = respond(proc, sys, request, path, options)
    except EsError as error:
        cause = {"type": error.kind, "reason": error.reason, **error.more}
        shown = {key: value for key, value in cause.items() if key != "caused_by"}
        found, status = {"error": {"root_cause": [shown], **cause}, "status": error.status}, error.status
    except Errno as error:
        reason = f"java.io.IOException: {error.text}"
        found, status = (
            {"error": {"root_cause": [{"type": "exception", "reason": reason}], "type": "exception", "reason": reason}, "status": 500},
            500,
        )
    if options.get("filter_path") and isinstance(found, dict):
        found = kept(found, [part.split(".") for part in options["filter_path"].split(",")])
    if isinstance(found, str):
        return http.response(status, found, [PRODUCT, ("content-type", "text/plain; charset=UTF-8")])
    text = json.dumps(found, ensure_ascii=False, **PRETTY) + "\n" if pretty else json.dumps(found, ensure_ascii=False, separators=(",", ":"))  # type: ignore[arg-type]
    return http.response(status, text, [PRODUCT, ("content-type", "application/json")])


def kept(found: Any, paths: list[list[str]]) -> Any:
    """`filter_path`: only what the paths name; a path that ends keeps all below it."""
    if isinstance(found, list):
        return [one for one in (kept(item, paths) for item in found) if one not in ({}, [])]
    if not isinstance(found, dict):
        return found
    out: Data = {}
    for name, value in found.items():
        rest = [path[1:] for path in paths if fnmatch.fnmatchcase(name, path[0])]
        if any(not path for path in rest):
            out[name] = value
        elif rest and isinstance(value, dict | list) and (inner := kept(value, rest)):
            out[name] = inner
    return out


def respond(proc: Process, sys: Sys, request: http.Message, path: list[str], options: dict[str, str]) -> tuple[Any, int]:
    """The answer to a request and its status. Raises EsError."""
    data, method = proc["data"], request.method
    if not path:
        return about(data, sys), 200
    if path[0] == "_cluster" and path[1:2] == ["health"]:
        return health(data, sys), 200
    if path[0] == "_cat":
        return cat(data, sys, path[1:], options), 200
    if path[0] == "_nodes" or path[0] == "_cluster":
        return {"cluster_name": data["conf"]["cluster.name"], "cluster_uuid": "_na_"}, 200
    last = path[-1]
    if path == ["_bulk"] or (len(path) == 2 and last == "_bulk"):
        return bulk(data, sys, request.body, path[0] if len(path) == 2 else "", options), 200
    if last in ("_search", "_count") and len(path) <= 2:
        return search(data, sys, path[0] if len(path) == 2 else "*", request, options, last == "_count"), 200
    if last == "_delete_by_query" and len(path) == 2:
        return delete_by_query(data, sys, path[0], request), 200
    if last == "_refresh" and len(path) <= 2:
        for index in resolve(data, sys, path[0] if len(path) == 2 else "*"):
            store.write(sys, data, index.name, [["refresh", sys.now]])
        return {"_shards": {"total": 2, "successful": 1, "failed": 0}}, 200
    if last in ("_mapping", "_mappings") and len(path) == 2 and method == "GET":
        return {index.name: {"mappings": {"properties": store.properties(index.mapping)}} for index in resolve(data, sys, path[0])}, 200
    if len(path) == 1 and not path[0].startswith("_"):
        return whole(data, sys, path[0], request)
    if len(path) in (2, 3) and path[1] in ("_doc", "_create", "_source"):
        return document(data, sys, method, path, request.body, options)
    if len(path) == 3 and path[1] == "_update" and method == "POST":
        return update(data, sys, path, request.body)
    if any(part in ("_doc", "_search", "_count", "_bulk", "_mapping") for part in path):
        raise EsError(405, "method_not_allowed", f"Incorrect HTTP method for uri [{request.target}] and method [{method}]")
    raise EsError(400, "illegal_argument_exception", f"request [{request.path}] does not match any known endpoint: no handler found for uri "
                  f"[{request.target}] and method [{method}]")  # fmt: skip


def about(data: Data, sys: Sys) -> Data:
    return {
        "name": data["conf"]["node.name"], "cluster_name": data["conf"]["cluster.name"], "cluster_uuid": "_na_",
        "version": {"number": version(sys), "build_flavor": "default", "build_type": "docker", "lucene_version": "9.12.2",
                    "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0"},
        "tagline": "You Know, for Search",
    }  # fmt: skip


def colour(index: Index) -> str:
    """A replica has no second node to live on."""
    return "yellow" if index.settings.get("number_of_replicas", "1") != "0" else "green"


def everything(data: Data, sys: Sys) -> list[Index]:
    return [index for name in store.names(sys, data) if (index := store.get(sys, data, name)) is not None]


def health(data: Data, sys: Sys) -> Data:
    indices = everything(data, sys)
    missing = sum(int(index.settings.get("number_of_replicas", "1")) for index in indices)
    shards = len(indices)
    return {
        "cluster_name": data["conf"]["cluster.name"], "status": "yellow" if missing else "green", "timed_out": False, "number_of_nodes": 1,
        "number_of_data_nodes": 1, "active_primary_shards": shards, "active_shards": shards, "relocating_shards": 0, "initializing_shards": 0,
        "unassigned_shards": missing, "unassigned_primary_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": round(100 * shards / (shards + missing), 1) if shards + missing else 100.0,
    }  # fmt: skip


def cat(data: Data, sys: Sys, path: list[str], options: dict[str, str]) -> str:
    what = path[0] if path else ""
    if what == "indices":
        names = ["health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted", "store.size", "pri.store.size", "dataset.size"]
        indices = resolve(data, sys, path[1]) if len(path) > 1 else everything(data, sys)
        rows = []
        for index in indices:
            size = _size(index.size + 225)
            rows.append([colour(index), "open", index.name, index.uuid, "1", str(index.settings.get("number_of_replicas", "1")),
                         str(len(index.found(sys.now))), str(index.deleted), size, size, size])  # fmt: skip
    elif what == "health":
        names = ["epoch", "timestamp", "cluster", "status", "node.total", "node.data", "shards", "pri", "relo", "init", "unassign"]
        found = health(data, sys)
        rows = [[str(sys.now // 1000), iso(sys.now)[11:19], data["conf"]["cluster.name"], found["status"], "1", "1", str(found["active_shards"]),
                 str(found["active_primary_shards"]), "0", "0", str(found["unassigned_shards"])]]  # fmt: skip
    elif what == "count":
        names = ["epoch", "timestamp", "count"]
        indices = resolve(data, sys, path[1]) if len(path) > 1 else everything(data, sys)
        rows = [[str(sys.now // 1000), iso(sys.now)[11:19], str(sum(len(index.found(sys.now)) for index in indices))]]
    else:
        return "=^.^=\n/_cat/count\n/_cat/count/{index}\n/_cat/health\n/_cat/indices\n/_cat/indices/{index}\n"
    wanted = [name for name in options.get("h", "").split(",") if name in names] or names
    rows = [[row[names.index(name)] for name in wanted] for row in rows]
    if "v" in options:
        rows.insert(0, wanted)
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(len(wanted))]
    right = ("pri", "rep", "docs.count", "docs.deleted", "store.size", "pri.store.size", "dataset.size", "node.total", "node.data", "shards", "count")
    return "".join(
        " ".join(cell.rjust(width) if name in right else cell.ljust(width) for cell, width, name in zip(row, widths, wanted, strict=True)) + "\n"
        for row in rows
    )


def _size(size: int) -> str:
    return f"{size}b" if size < 1024 else f"{size / 1024:.1f}kb" if size < 1 << 20 else f"{size / (1 << 20):.1f}mb"


def missing_index(name: str) -> EsError:
    return EsError(404, "index_not_found_exception", f"no such index [{name}]", **{"resource.type": "index_or_alias", "resource.id": name,
                   "index_uuid": "_na_", "index": name})  # fmt: skip


def resolve(data: Data, sys: Sys, expression: str) -> list[Index]:
    """The indices that `a,b-*,_all` names. Raises EsError for a name without wildcard that is not there."""
    names: list[str] = []
    held = store.names(sys, data)
    for one in expression.split(","):
        if one in ("_all", "*", ""):
            names += held
        elif "*" in one:
            names += [name for name in held if fnmatch.fnmatchcase(name, one)]
        elif one in held:
            names.append(one)
        else:
            raise missing_index(one)
    return [index for name in dict.fromkeys(names) if (index := store.get(sys, data, name)) is not None]


def body_of(request: http.Message, required: bool = False) -> Data:
    if not request.body.strip():
        if required:
            raise EsError(400, "parse_exception", "request body is required")
        return {}
    if request.get("Content-Type").partition(";")[0].strip() not in (
        "application/json",
        "application/x-ndjson",
        "application/vnd.elasticsearch+json",
    ):
        raise EsError(406, "media_type_header_exception", f"Content-Type header [{request.get('Content-Type')}] is not supported")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        raise EsError(
            400, "x_content_parse_exception", "[1:1] Unexpected character: expected a valid value (JSON String, Number, Array, Object or token)"
        ) from None
    if not isinstance(found, dict):
        raise EsError(400, "parsing_exception", "request body is not an object")
    return found


def whole(data: Data, sys: Sys, name: str, request: http.Message) -> tuple[Any, int]:
    """An index itself: made, looked at, deleted."""
    if request.method == "PUT":
        body = body_of(request)
        given = body.get("settings", {})
        settings = {
            key.removeprefix("index."): str(value) for key, value in {**given, **given.get("index", {})}.items() if not isinstance(value, dict)
        }
        store.create(sys, data, name, settings)
        fields = body.get("mappings", {}).get("properties", {})
        rows = [["mapping", field, one.get("type", "object")] for field, one in fields.items() if isinstance(one, dict)]
        if rows:
            store.write(sys, data, name, rows)
        log(sys, "INFO", "cluster.metadata.MetadataCreateIndexService", f"[{name}] creating index, cause [api], templates [], shards [1]/[1]")
        return {"acknowledged": True, "shards_acknowledged": True, "index": name}, 200
    if request.method == "DELETE":
        if "*" in name or name == "_all":
            raise EsError(400, "illegal_argument_exception", "Wildcard expressions or all indices are not allowed")
        for index in resolve(data, sys, name):
            store.remove(sys, data, index.name)
            log(sys, "INFO", "cluster.metadata.MetadataDeleteIndexService", f"[{index.name}/{index.uuid}] deleting index")
        return {"acknowledged": True}, 200
    if request.method in ("GET", "HEAD"):
        return {
            index.name: {"aliases": {}, "mappings": {"properties": store.properties(index.mapping)},
                         "settings": {"index": {**index.settings, "uuid": index.uuid, "provided_name": index.name, "creation_date": str(index.made)}}}
            for index in resolve(data, sys, name)
        }, 200  # fmt: skip
    raise EsError(
        405, "method_not_allowed", f"Incorrect HTTP method for uri [/{name}] and method [{request.method}], allowed: [HEAD, GET, PUT, DELETE]"
    )


def opened(data: Data, sys: Sys, name: str) -> Index:
    """The index to write to, made when missing (action.auto_create_index)."""
    index = store.get(sys, data, name)
    if index is None:
        index = store.create(sys, data, name)
        log(
            sys,
            "INFO",
            "cluster.metadata.MetadataCreateIndexService",
            f"[{name}] creating index, cause [auto(bulk api)], templates [], shards [1]/[1]",
        )
    if index.size > store.TRANSLOG_MAX:
        raise EsError(429, "cluster_block_exception", f"index [{name}] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage "
                                                      f"watermark, index has "
                      "read-only-allow-delete block];")  # fmt: skip
    return index


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
