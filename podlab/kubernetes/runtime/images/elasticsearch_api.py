"""Elasticsearch's HTTP: which request is what, and its answer (elastic.co/docs/api/doc/elasticsearch)."""

from __future__ import annotations

import fnmatch
import json
from typing import Any
from urllib.parse import unquote

from .. import http
from ..process import Data, Errno, Process
from ..serving import query
from ..system import Sys
from . import elasticsearch_store as store
from .elasticsearch_documents import bulk, delete_by_query, document, search, update
from .elasticsearch_indices import everything, resolve, version, whole
from .elasticsearch_store import EsError, Index
from .log_parsers import iso

PRETTY: dict[str, Any] = {"indent": 2, "separators": (",", " : ")}

PRODUCT = ("X-elastic-product", "Elasticsearch")


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
    text = json.dumps(found, ensure_ascii=False, **PRETTY) + "\n" if pretty else json.dumps(found, ensure_ascii=False, separators=(",", ":"))
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
