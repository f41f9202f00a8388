"""kubectl get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ... import selectors
from ...apiserver.errors import ApiError, bad_request
from ...apiserver.rest import virtual
from ...apiserver.tables import table
from ...etcd import Change
from ...objects import Map
from ...resources import Resource
from .. import output, raw
from ..builder import FILES, METRICS, SELECTING, Target, changes, fetch, from_files, has_files, named_once, namespace_of, targets
from ..flags import Flag, but, request_timeout
from ..manifests import clean
from ..output.table import print_table
from ..terminal import Command, KubectlError, Wait
from ..verbs import Call, report, verb

VALUES_MAX, TEXT_MAX = 120_000, 3_000_000  # of all objects in one go, in YAML 2 us a value and 0.1 us a character: 300 Pods have 85,000
OBJECTS_MAX = 20_000  # shown by one command, each 15 us at least: more than a cluster holds, but a kind may be named many times
PLAIN = Resource("", "v1", "objects", "Object")  # of which nothing is known but names and ages
SCALE = Resource("autoscaling", "v1", "scales", "Scale")
NO_KIND = ('You must specify the type of resource to {}. Use "kubectl api-resources" for a complete list of supported '
           'resources.\n\n')


@verb("get", *but(SELECTING, "all"), *FILES, Flag("output", short="o"), Flag("watch", "bool", "w"), Flag("watch-only", "bool"),
      Flag("show-labels", "bool"),
      Flag("no-headers", "bool"), Flag("sort-by"), Flag("label-columns", "list", "L"), Flag("ignore-not-found", "bool"),
      Flag("show-kind", "bool"), Flag("chunk-size", "int", default=500), Flag("show-managed-fields", "bool"),
      Flag("output-watch-events", "bool"), Flag("raw"), Flag("template"), Flag("allow-missing-template-keys", "bool",
          default=True),
      Flag("server-print", "bool", default=True), Flag("subresource"),
      summary="Display one or many resources", usage="get (TYPE[.VERSION][.GROUP] [NAME | -l label] | "
      "TYPE[.VERSION][.GROUP]/NAME ...) [flags]")
def get(call: Call) -> Command:
    flags = call.flags
    if flags["raw"]:
        _only_raw(call)
        return (yield from raw.ask(call, "get"))
    if flags["output-watch-events"] and not (flags["watch"] or flags["watch-only"]):
        raise KubectlError("error: --output-watch-events option can only be used with --watch or --watch-only\n")
    if flags["show-labels"] and flags["output"] not in (None, "", "wide"):
        raise KubectlError(f"error: --show-labels option cannot be used with {flags['output']} printer\n")
    wanted = yield from _wanted(call)
    if flags["chunk-size"] < 0:
        version = f"{wanted[0].resource.group}/{wanted[0].resource.version}, Resource={wanted[0].resource.name}"
        raise bad_request(f'Unable to list "{version}": limit: must be a non-negative integer')
    watching = flags["watch"] or flags["watch-only"]
    if watching and len({target.resource.plural for target in wanted}) > 1:
        raise KubectlError("error: you may only specify a single resource type\n")
    if watching and len(wanted) > 1:
        _print(call, wanted, [(wanted[0].resource, [obj for target in wanted for obj in fetch(call, target)])], failed=False)
        raise KubectlError("error: you may only watch a single resource or type of resource at a time\n")
    if watching:
        return (yield from _watch(call, wanted[0].resource, [target.name for target in wanted if target.name]))
    groups: list[tuple[Resource, list[Map]]] = []
    errors, counted = "", 0
    for target in wanted:
        try:
            objects = fetch(call, target, flags["subresource"] or "")
        except ApiError as error:
            if not (flags["ignore-not-found"] and error.code == 404):
                errors += report(error)
            continue
        counted += len(objects)
        if counted > OBJECTS_MAX:
            raise KubectlError(f"error: more than {OBJECTS_MAX} objects are asked for\n")
        if groups and groups[-1][0] is target.resource:
            groups[-1][1].extend(objects)
        else:
            groups.append((target.resource, list(objects)))
    _print(call, wanted, groups, failed=bool(errors))
    call.terminal.err(errors)
    return 1 if errors else 0


def _only_raw(call: Call) -> None:
    """--raw asks for a path and nothing else (GetOptions.Validate)."""
    flags = call.flags
    if call.arguments:
        raise KubectlError("error: arguments may not be passed when --raw is specified\n")
    if flags["filename"] or any(flags[name] for name in ("watch", "watch-only", "selector", "label-columns", "sort-by", "show-labels")):
        raise KubectlError("error: --raw may not be specified with other flags that filter the server request or alter the output\n")
    if flags["output"]:
        raise KubectlError("error: --raw and --output are mutually exclusive\n")
    if "/" not in flags["raw"][:1] and "://" not in flags["raw"]:
        raise KubectlError(f'error: --raw must be a valid URL path: parse "{flags["raw"]}": invalid URI for request\n')


def _wanted(call: Call) -> Any:
    flags = call.flags
    if has_files(call):
        if call.arguments:
            raise KubectlError("error: when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well\n")
        infos, wrong = yield from from_files(call)
        for error in wrong:
            call.terminal.err(report(error))
        if not infos and not wrong:
            raise KubectlError(f"No resources found in {call.namespace} namespace.\n", 0)
        if not infos:
            raise KubectlError("")
        return [Target(info.resource, info.name) for info in infos]
    if not call.arguments:
        call.terminal.err(NO_KIND.format("get"))
        raise call.usage_error('Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description '
                               'of that resource '
                               "(e.g. kubectl explain pods).")
    wanted = targets(call.arguments, call.customs)
    if any(target.name for target in wanted):
        if flags["selector"] or flags["field-selector"]:
            raise KubectlError("error: name cannot be provided when a selector is specified\n")
    named_once(call, wanted)
    if flags["subresource"] and not all(target.name for target in wanted):
        raise KubectlError("error: subresource cannot be used when bulk resources are specified\n")
    return wanted


def _print(call: Call, wanted: list[Target], groups: list[tuple[Resource, list[Map]]], *, failed: bool) -> None:
    flags = call.flags
    form = flags["output"]
    if (form in (None, "", "wide")) and not flags["template"]:
        _print_tables(call, wanted, groups, quiet=failed)
        return
    single = len(wanted) == 1 and bool(wanted[0].name)
    objects = [obj for _, group in groups for obj in group]
    if form != "name":
        check_affordable(objects)
    if not objects and (flags["ignore-not-found"] or (failed and (single or has_files(call)))):
        return

    def read_file(path: str) -> str:
        if clean(path) not in call.terminal.files:
            raise OSError(f"open {path}: no such file or directory")
        return call.terminal.files[clean(path)]
    call.terminal.out(output.render(form or "", objects, single=single, sort_by=flags["sort-by"], template=flags["template"],
                                    allow_missing=flags["allow-missing-template-keys"], no_headers=flags["no-headers"],
                                    show_managed_fields=flags["show-managed-fields"], read_file=read_file))


def check_affordable(objects: Iterable[Map]) -> None:
    """Raises KubectlError for objects that take longer to be printed than others can wait: names and values cost, and so does long text."""
    values = size = 0
    for obj in objects:
        todo: list[Any] = [obj]
        while todo:
            one = todo.pop()
            if isinstance(one, str):
                size += len(one)
            elif isinstance(one, dict):
                values += 2 * len(one)
                todo.extend(one.values())
            elif isinstance(one, list):
                values += len(one)
                todo.extend(one)
        if values > VALUES_MAX or size > TEXT_MAX:
            raise KubectlError(f"error: more than {VALUES_MAX} values or {TEXT_MAX} bytes are asked for\n")


def _print_tables(call: Call, wanted: list[Target], groups: list[tuple[Resource, list[Map]]], *, quiet: bool) -> None:
    flags = call.flags
    shown = [(resource, objects) for resource, objects in groups if objects]
    if flags["sort-by"] and len(groups) > 1:
        raise output.no_field(flags["sort-by"])  # kubectl looks for the field in the tables themselves then
    try:
        shown = [(resource, output.sort_objects(objects, flags["sort-by"]) if flags["sort-by"] and len(objects) > 1 else objects)
                 for resource, objects in shown]
    except output.NoField:  # which kubectl says to nobody where a table is sorted
        shown = []
    if not shown:
        if not quiet and not flags["ignore-not-found"]:
            namespace = namespace_of(call, wanted[0].resource)
            call.terminal.err(f"No resources found in {namespace} namespace.\n" if namespace else "No resources found\n")
        return
    with_kind = flags["show-kind"] or len({*(resource.plural for resource, _ in groups)}) > 1  # names that were not found do not count
    texts = []
    for resource, objects in shown:
        texts.append(_table_text(call, resource, objects, with_kind=with_kind, headers=not flags["no-headers"]))
    call.terminal.out(("" if flags["no-headers"] else "\n").join(texts))


def _rows(call: Call, resource: Resource, objects: list[Map]) -> Any:
    """The server's table; the client's own of names and ages with --server-print=false."""
    if not call.flags["server-print"]:
        resource = replace(PLAIN, namespaced=resource.namespaced)
    elif call.flags["subresource"] == "scale":
        resource = SCALE
    return table(resource, objects, call.now)


def _table_text(call: Call, resource: Resource, objects: Iterable[Map], *, with_kind: bool, headers: bool,
                remembered: list[int] | None = None, event: str = "") -> str:
    flags = call.flags
    rows: Any = virtual.metrics_table(list(objects), "v1") if resource.group == METRICS else _rows(call, resource, list(objects))
    if event:
        rows = {**rows, "columnDefinitions": [{"name": "Event", "type": "string"}, *rows["columnDefinitions"]],
                "rows": [{**row, "cells": [event, *row["cells"]]} for row in rows["rows"]]}
    return print_table(rows, wide=flags["output"] == "wide", show_labels=flags["show-labels"], no_headers=not headers,
                       with_namespace=resource.namespaced and flags["all-namespaces"],
                       with_kind_prefix=resource if with_kind else None,
                       label_columns=flags["label-columns"], remembered=remembered)


def _watch(call: Call, resource: Resource, names: list[str]) -> Command:
    """What there is, then a row for each change, until interrupted."""
    name = names[0] if names else ""
    etcd = call.terminal.api.cluster.etcd
    if call.flags["sort-by"]:
        call.terminal.err("warning: --watch requested, --sort-by will be ignored for watch events received\n" if call.flags["watch"] else
                          "warning: --watch-only requested, --sort-by will be ignored\n")
    found, seen = fetch(call, Target(resource, name)), etcd.revision
    remembered: list[int] = []
    headers = not call.flags["no-headers"]
    if not call.flags["watch-only"]:
        for obj in found if call.flags["output-watch-events"] or _format(call) else ():
            headers = _show_change(call, resource, obj, "ADDED", headers, remembered)
        if found and not call.flags["output-watch-events"] and not _format(call):
            call.terminal.out(_table_text(call, resource, found, with_kind=call.flags["show-kind"], headers=headers,
                                          remembered=remembered))
            headers = False
    limit = request_timeout(call.flags)
    began = call.now
    while not limit or call.now < began + limit:
        yield Wait(began + limit - call.now if limit else None)
        for change in changes(call, resource, seen):
            kind = _concerns(call, resource, name, change)
            if kind:
                headers = _show_change(call, resource, change.object, kind, headers, remembered)
        seen = etcd.revision
    return 0  # the client has closed the connection; UntilWithoutRetry's error is not looked at


def _format(call: Call) -> str:
    form = call.flags["output"]
    return "" if form in (None, "wide") and not call.flags["template"] else form or "go-template"


def _concerns(call: Call, resource: Resource, name: str, change: Change) -> str:
    """The watch event that a change is to this watcher: ADDED, MODIFIED, DELETED, or "" for none."""
    metadata = change.object["metadata"]
    namespace = namespace_of(call, resource)
    if change.plural != resource.plural or (namespace and metadata.get("namespace") != namespace) or (name
        and metadata["name"] != name):
        return ""
    matches = list(_matching(call, (change.object, change.old)))
    if change.type == "DELETED":
        return "DELETED" if matches[0] else ""
    if matches[0]:
        return "MODIFIED" if change.old is not None and matches[1] else "ADDED"
    return "DELETED" if change.old is not None and matches[1] else ""


def _matching(call: Call, objects: Iterable[Map | None]) -> Iterator[bool]:
    wanted = selectors.parse(call.flags["selector"] or "")
    fields = call.flags["field-selector"]
    picked = selectors.field_matcher(fields, call.terminal.api.cluster.server.field) if fields else lambda obj: True
    for obj in objects:
        yield obj is not None and selectors.matches(wanted, obj["metadata"].get("labels") or {}) and picked(obj)


def _show_change(call: Call, resource: Resource, obj: Map, kind: str, headers: bool, remembered: list[int]) -> bool:
    """Prints one object of a watch; gives whether headers are still to come."""
    event = kind if call.flags["output-watch-events"] else ""
    if _format(call):
        if event:
            obj = Map({"type": event, "object": obj})
        call.terminal.out(output.render(call.flags["output"], [obj], single=True, template=call.flags["template"],
                                        show_managed_fields=bool(event)))
        return headers
    call.terminal.out(_table_text(call, resource, [obj], with_kind=call.flags["show-kind"], headers=headers,
                                  remembered=remembered, event=event))
    return False
