"""What a command is about: `pods`, `pod/web`, `deploy web api`, `po,svc`, `-l app=web`, `-f file` (cli-runtime's builder)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import selectors
from ..apiserver import create, fields, versions
from ..apiserver.discovery import VIRTUAL
from ..apiserver.errors import ApiError, bad_request
from ..etcd import Change, key_of_object
from ..objects import Map, dig, thaw
from ..resources import BY_PLURAL, RESOURCES, Resource, by_any_name, by_api_kind
from . import kustomize
from .flags import Flag
from .manifests import Manifest, read
from .terminal import KubectlError, Wait
from .verbs import Call, Failures, gathered

SELECTING = (Flag("selector", short="l"), Flag("field-selector"), Flag("all-namespaces", "bool", "A"), Flag("all", "bool"))
FILES = (Flag("filename", "array", "f"), Flag("recursive", "bool", "R"), Flag("kustomize", short="k"))
LABELLED = ("apply", "create", "diff", "get")  # whose -l picks among the objects of -f
NOTHING_NAMED = ("error: You must provide one or more resources by argument or filename.\nExample resource specifications "
                 "include:\n"
                 "   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'\n")


@dataclass(frozen=True, slots=True)
class Target:
    """One kind and, when named, one object of it."""

    resource: Resource
    name: str = ""


@dataclass(frozen=True, slots=True)
class Info:
    """One object that a command is about: as the cluster has it, or as a file says (`source`)."""

    resource: Resource
    namespace: str
    name: str
    object: dict[str, Any]
    source: str = ""


def resource_named(word: str, customs: Iterable[Resource] = (), prefix: str = "error: ") -> Resource:
    """Raises KubectlError for a kind that the server lacks. `customs`: the kinds that people defined (Call.customs).
    `prefix`: explain and create role pass the discovery's own error on, which kubectl prints as it is."""
    resource = by_any_name(word, (*customs, *MEASURED))
    if resource is None:
        raise KubectlError(f'{prefix}the server doesn\'t have a resource type "{word.partition(".")[0]}"\n')
    return resource


TARGETS_MAX = 20_000  # of one command: kinds times names
METRICS = "metrics.k8s.io"
MEASURED = tuple(one for one in VIRTUAL if one.group == METRICS)

# What the category `all` stands for, in the order in which `kubectl get all` asks (core first, then groups by name)
ALL = tuple(resource for resource in RESOURCES if "all" in resource.categories)


def targets(arguments: list[str], customs: Sequence[Resource] = ()) -> list[Target]:
    """`pod web api` -> two named Pods; `pods,svc` -> two kinds; `pod/web svc/web` -> two named objects; `all` -> its kinds."""
    if any("/" in word for word in arguments):
        found = []
        for word in arguments:
            kind, slash, name = word.partition("/")
            if not slash:
                raise KubectlError("error: there is no need to specify a resource type as a separate argument when passing "
                                   "arguments in "
                                   "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get "
                                   "resource "
                                   "resource/<resource_name>'\n")
            if "/" in name:
                raise KubectlError("error: arguments in resource/name form may not have more than one slash\n")
            if not name or not kind:
                raise KubectlError("error: arguments in resource/name form must have a single resource and name\n")
            found += [Target(resource_named(one, customs), name) for one in kind.split(",")]
        return found
    kinds: list[Resource] = []
    for word in arguments[0].split(","):
        kinds += _category(word, customs) or [resource_named(word, customs)]
    kinds = list(dict.fromkeys(kinds))  # named twice, asked for once (mappingFor's canonical set)
    if len(arguments) == 1:
        return [Target(kind) for kind in kinds]
    if _category(arguments[0], customs):
        raise KubectlError("error: you must specify only one resource\n")
    if len(kinds) * len(arguments) > TARGETS_MAX:
        raise KubectlError(f"error: more than {TARGETS_MAX} objects are asked for\n")
    return [Target(kind, name) for kind in kinds for name in arguments[1:]]


def _category(word: str, customs: Sequence[Resource]) -> list[Resource]:
    """The kinds of a category (`all`), one version of each; none where the word names no category."""
    mine = {one.plural: one for one in reversed(customs) if word in one.categories}
    return [*(ALL if word == "all" else ()), *(mine[plural] for plural in sorted(mine))]


def namespace_of(call: Call, resource: Resource) -> str:
    """The namespace to ask in; "" means all (or none, for cluster-scoped kinds)."""
    if not resource.namespaced or call.flags.get("all-namespaces"):
        return ""
    return call.namespace


def named_once(call: Call, wanted: list[Target]) -> None:
    """Raises KubectlError where an object is named and all namespaces are meant."""
    if call.flags.get("all-namespaces") and any(target.name and target.resource.namespaced for target in wanted):
        raise KubectlError("error: a resource cannot be retrieved by name across all namespaces\n")


def fetch(call: Call, target: Target, subresource: str = "") -> list[Map]:
    """The present objects of a target. Raises ApiError 404 for a named one that is not there."""
    namespace = namespace_of(call, target.resource)
    if target.resource.group == METRICS:
        return call.terminal.api.metrics(target.resource, namespace, target.name, call.flags.get("selector") or "")
    if subresource and subresource not in target.resource.subresources:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    if target.name:
        if target.name in (".", "..") or "%" in target.name:  # IsValidPathSegmentName
            wrong = f"be '{target.name}'" if target.name in (".", "..") else "contain '%'"
            raise KubectlError(f'error: invalid resource name "{target.name}": [may not {wrong}]\n')
        return [call.request("get", target.resource, target.name, namespace, subresource=subresource)]
    options = {}
    if call.flags.get("selector"):
        options["labelSelector"] = call.flags["selector"]
    if call.flags.get("field-selector"):
        options["fieldSelector"] = call.flags["field-selector"]
    try:
        if options.get("fieldSelector"):
            options |= fields.chosen(target.resource, options["fieldSelector"])
        found: list[Map] = call.request("list", target.resource, "", namespace, **options)["items"]
    except ApiError as error:
        if error.code != 400 or not options:
            raise
        version = f"{target.resource.group}/{target.resource.version}, Resource={target.resource.name}"
        raise bad_request(f'Unable to find "{version}" that match label selector "{call.flags.get("selector") or ""}", field selector '
                          f'"{call.flags.get("field-selector") or ""}": {error.message}') from None
    return found


def from_files(call: Call) -> Generator[Wait, None, tuple[list[Info], list[ApiError | str]]]:
    """(the objects of -f and -k with their kinds, what was wrong with others). Raises KubectlError for an unreadable file."""
    if call.flags.get("kustomize"):
        if call.flags["filename"]:
            raise KubectlError("error: only one of -f or -k can be specified\n")
        manifests = kustomize.build(call.terminal, call.flags["kustomize"])
        unread: list[str] = []
    else:
        stdin = (yield from call.terminal.read_all()) if "-" in call.flags["filename"] else None
        manifests, unread = read(call.terminal.files, call.flags["filename"], stdin, recursive=bool(call.flags.get("recursive")))
    try:
        wanted = selectors.parse(call.flags.get("selector") or "" if call.name in LABELLED else "")
    except selectors.SelectorError as error:
        raise KubectlError(f"error: {error}\n") from None
    infos, wrong = infos_of(call, manifests)
    found = [info for info in infos if selectors.matches(wanted, dig(info.object, "metadata.labels", {}))]
    wrong += unread
    if not found and not wrong and wanted and call.name in ("diff", "get"):
        return [], []
    if not found and not wrong and ("-" in call.flags["filename"] or manifests == [] or wanted):
        raise KubectlError(f"error: no objects passed to {call.name}\n")
    return found, wrong


def infos_of(call: Call, manifests: list[Manifest]) -> tuple[list[Info], list[ApiError | str]]:
    """(the objects of manifests with their kinds, what is wrong with others)."""
    found: list[Info] = []
    wrong: list[ApiError | str] = []
    for manifest in manifests:
        with gathered(wrong):
            found.append(_info(call, manifest))
    return found, wrong


def _info(call: Call, manifest: Manifest) -> Info:
    obj, source = manifest.object, manifest.source
    kind, version = (obj.get("kind"), obj.get("apiVersion")) if isinstance(obj, dict) else (None, None)
    if not kind or not version:
        missing = " and ".join(name for name, value in (("apiVersion", version), ("kind", kind)) if not value)
        missing = f"[{missing.replace(' and ', ' not set, ')} not set]" if " and " in missing else f"{missing} not set"
        raise Failures([f'error: error validating "{source}": error validating data: {missing}; if you choose to ignore these '
                        f'errors, turn '
                        "validation off with --validate=false"])
    metadata = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    name, namespace = str((metadata or {}).get("name") or ""), str((metadata or {}).get("namespace") or "")
    resource = by_api_kind(str(version), str(kind), call.customs)
    if resource is None and (asked := create.resource_of(obj)) is not None:  # an older version that is served beside the stored one
        resource, obj = BY_PLURAL[asked.plural], versions.as_stored(BY_PLURAL[asked.plural], obj)
    if resource is None:
        raise Failures([f'resource mapping not found for name: "{name}" namespace: "{namespace}" from "{source}": no matches '
                        f'for kind '
                        f'"{kind}" in version "{version}"\nensure CRDs are installed first'])
    if not resource.namespaced:
        return Info(resource, "", name, obj, source)
    if namespace and call.flags["namespace"] and namespace != call.flags["namespace"]:
        raise Failures([f'the namespace from the provided object "{namespace}" does not match the namespace '
                        f'"{call.flags["namespace"]}". You '
                        f"must pass '--namespace={namespace}' to perform this operation."])
    return Info(resource, namespace or call.namespace, name, obj, source)


def changes(call: Call, resource: Resource, seen: int) -> list[Change]:
    """What happened to a kind since a revision. Where that is no longer known (a long sleep), each object that is newer, once."""
    etcd = call.terminal.api.cluster.etcd
    if seen >= etcd.compacted:
        return [_in_version(resource, change) for change in etcd.since(seen) if change.plural == resource.plural]
    newer = [obj for obj in etcd.list(resource.plural) if int(obj["metadata"]["resourceVersion"]) > seen]
    return [Change(int(obj["metadata"]["resourceVersion"]), call.now, "MODIFIED", resource.plural, key_of_object(obj), obj, obj, 0)
            for obj in sorted(newer, key=lambda obj: int(obj["metadata"]["resourceVersion"]))]


def _in_version(resource: Resource, change: Change) -> Change:
    """What happened as a watcher of one version is told. Raises ApiError where a webhook cannot convert an object."""
    if resource.custom is None or resource.custom.convert is None:
        return change
    old = change.old if change.old is None else versions.in_its_version(resource, change.old)
    return replace(change, object=versions.in_its_version(resource, change.object), old=old)


def has_files(call: Call) -> bool:
    return bool(call.flags.get("filename") or call.flags.get("kustomize"))


def only_files(call: Call, end: str = "\n") -> None:
    """Raises unless files, and nothing but files, name the objects."""
    if call.arguments:
        raise call.usage_error(f"Unexpected args: [{' '.join(call.arguments)}]")
    if not has_files(call):
        raise KubectlError(f"error: must specify one of -f and -k{end}")


def select_local(call: Call) -> Generator[Wait, None, tuple[list[Info], list[ApiError | str]]]:
    """What the files of --local say, which nobody asks the cluster about (Builder.Local)."""
    infos, wrong = yield from from_files(call)
    return [replace(info, object=thaw(info.object)) for info in infos], wrong


def select(call: Call, arguments: list[str] | None = None, *, unnamed: str = "",
           selecting: bool = True, unnamed_all: bool = False) -> Generator[Wait, None, tuple[list[Info], list[ApiError | str]]]:
    """(the live objects that the arguments, -l, --all or -f name, what could not be had).

    Raises KubectlError when a kind is given and nothing says which of it; `unnamed` is the text then. Without `selecting` the
    flag --selector means something else to this command (expose). `unnamed_all`: a kind alone means all of it (rollout).
    """
    arguments = call.arguments if arguments is None else arguments
    wrong: list[ApiError | str] = []
    found: list[Info] = []
    if has_files(call):
        infos, wrong = yield from from_files(call)
        for info in infos:
            try:
                live = call.request("get", info.resource, info.name, info.namespace)
                found.append(Info(info.resource, info.namespace, info.name, live, info.source))
            except ApiError as error:
                wrong.append(error)
        return found, wrong
    flags = call.flags
    if not arguments:
        if selecting and any(flags.get(name) for name in ("selector", "field-selector", "all")):
            raise KubectlError("error: at least one resource must be specified to use a selector\n")
        raise KubectlError(NOTHING_NAMED)
    wanted = targets(arguments, call.customs)
    named_once(call, wanted)
    many = unnamed_all or (selecting and any(flags.get(name) for name in ("selector", "field-selector", "all")))
    if selecting and any(target.name for target in wanted) and flags.get("selector"):
        raise KubectlError("error: name cannot be provided when a selector is specified\n")
    if flags.get("all") and any(target.name for target in wanted):
        raise KubectlError("error: setting 'all' parameter but found a non empty selector. \n" if flags["selector"] else
                           "error: name cannot be provided when a selector is specified\n")
    if not all(target.name for target in wanted) and not many:
        raise KubectlError(f"error: {unnamed or 'resource(s) were provided, but no name was specified'}\n")
    for target in wanted:
        try:
            for obj in fetch(call, target):
                metadata = obj["metadata"]
                found.append(Info(target.resource, metadata.get("namespace", ""), metadata["name"], obj))
        except ApiError as error:
            wrong.append(error)
    return found, wrong
