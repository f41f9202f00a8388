"""The indices of Elasticsearch: made, opened, told of, deleted, and which of them an expression means."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

from .. import http
from ..process import Data
from ..system import Sys
from . import elasticsearch_store as store
from .elasticsearch_store import EsError, Index
from .log_parsers import iso


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


def everything(data: Data, sys: Sys) -> list[Index]:
    return [index for name in store.names(sys, data) if (index := store.get(sys, data, name)) is not None]


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
