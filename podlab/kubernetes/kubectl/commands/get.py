"""kubectl get."""

from __future__ import annotations

from collections.abc import Iterable

from ...apiserver.errors import ApiError
from ...apiserver.tables import table
from ...objects import Map
from ...resources import Resource
from .. import output
from ..builder import FILES, SELECTING, Target, fetch, from_files, namespace_of, targets
from ..flags import Flag, Flags, parse
from ..output.table import print_table
from ..terminal import Command, KubectlError, Terminal, Wait

FLAGS = (*SELECTING, *FILES, Flag("output", short="o"), Flag("watch", "bool", "w"), Flag("watch-only", "bool"), Flag("show-labels", "bool"),
         Flag("no-headers", "bool"), Flag("sort-by"), Flag("label-columns", "list", "L"), Flag("ignore-not-found", "bool"),
         Flag("show-kind", "bool"), Flag("chunk-size", "int", default=500), Flag("show-managed-fields", "bool"),
         Flag("output-watch-events", "bool"), Flag("raw"), Flag("template"), Flag("allow-missing-template-keys", "bool", default=True),
         Flag("server-print", "bool", default=True), Flag("subresource"))
ENDPOINTS_WARNING = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"


def get(words: list[str], terminal: Terminal) -> Command:
    arguments, flags, _ = parse("get", words, FLAGS)
    wanted = _wanted(arguments, flags, terminal)
    if any(target.resource.plural == "endpoints" for target in wanted):
        terminal.err(ENDPOINTS_WARNING)
    from ..run import server_error
    groups: list[tuple[Resource, list[Map]]] = []
    code = 0
    for target in wanted:
        try:
            objects = fetch(terminal, flags, target)
        except ApiError as error:
            if not (flags["ignore-not-found"] and error.code == 404):
                terminal.err(server_error(error))
                code = 1
            continue
        if groups and groups[-1][0] is target.resource:
            groups[-1][1].extend(objects)
        else:
            groups.append((target.resource, list(objects)))
    if flags["output"] in (None, "", "wide"):
        _print_tables(groups, wanted, flags, terminal, quiet=code != 0)
    elif any(objects for _, objects in groups) or not all(target.name for target in wanted):
        single = len(wanted) == 1 and bool(wanted[0].name)
        objects = [obj for _, group in groups for obj in group]
        terminal.out(output.render(flags["output"], objects, single=single, sort_by=flags["sort-by"], template=flags["template"],
                                   allow_missing=flags["allow-missing-template-keys"]))
    if flags["watch"] or flags["watch-only"]:
        if len({target.resource.plural for target in wanted}) > 1:
            raise KubectlError("error: you may only specify a single resource type\n")
        yield from _watch(wanted, flags, terminal)
    return code


def _wanted(arguments: list[str], flags: Flags, terminal: Terminal) -> list[Target]:
    if flags["filename"]:
        return [Target(resource, (manifest.object.get("metadata") or {}).get("name", "")) for resource, manifest in from_files(terminal, flags)]
    wanted = targets(arguments)
    if any(target.name for target in wanted) and (flags["selector"] or flags["all-namespaces"]):
        what = "name cannot be provided when a selector is specified" if flags["selector"] else \
            "a resource cannot be retrieved by name across all namespaces"
        raise KubectlError(f"error: {what}\n")
    return wanted


def _print_tables(groups: list[tuple[Resource, list[Map]]], wanted: list[Target], flags: Flags, terminal: Terminal, *, quiet: bool) -> None:
    shown = [(resource, objects) for resource, objects in groups if objects]
    if not shown:
        if not quiet and not flags["ignore-not-found"]:
            namespace = namespace_of(terminal, flags, wanted[0].resource)
            terminal.err(f"No resources found in {namespace} namespace.\n" if namespace else "No resources found\n")
        return
    with_kind = flags["show-kind"] or len({target.resource.plural for target in wanted}) > 1
    texts = []
    for resource, objects in shown:
        if flags["sort-by"]:
            objects = output.sort_objects(objects, flags["sort-by"])
        texts.append(_table_text(resource, objects, flags, terminal.api.now, with_kind=with_kind, headers=not flags["no-headers"]))
    terminal.out("\n".join(texts))


def _table_text(resource: Resource, objects: Iterable[Map], flags: Flags, now: int, *, with_kind: bool, headers: bool) -> str:
    return print_table(table(resource, list(objects), now), wide=flags["output"] == "wide", show_labels=flags["show-labels"],
                       no_headers=not headers, with_namespace=resource.namespaced and flags["all-namespaces"],
                       with_kind_prefix=resource if with_kind else None, label_columns=flags["label-columns"])


def _watch(wanted: list[Target], flags: Flags, terminal: Terminal) -> Command:
    """New rows as objects change, until interrupted."""
    resource, name = wanted[0].resource, wanted[0].name
    etcd = terminal.api.cluster.etcd
    seen = etcd.revision
    while True:
        yield Wait()
        namespace = namespace_of(terminal, flags, resource)
        selected = {obj["metadata"]["uid"] for obj in fetch(terminal, flags, Target(resource))}
        for change in list(etcd.since(seen)):
            metadata = change.object["metadata"]
            if change.plural != resource.plural or (namespace and metadata.get("namespace") != namespace) or (name and metadata["name"] != name):
                continue
            if change.type == "DELETED" or metadata["uid"] in selected:
                if flags["output"] in (None, "", "wide"):
                    terminal.out(_table_text(resource, [change.object], flags, terminal.api.now, with_kind=flags["show-kind"], headers=False))
                else:
                    terminal.out(output.render(flags["output"], [change.object], single=True))
        seen = etcd.revision
