"""What a command is about: `pods`, `pod/web`, `deploy web api`, `po,svc`, `-l app=web`, `-f file` (cli-runtime's resource builder)."""

from __future__ import annotations

from dataclasses import dataclass

from ..apiserver.request import Request
from ..objects import Map
from ..resources import RESOURCES, Resource, by_any_name, by_api_kind
from .flags import Flag, Flags
from .manifests import Manifest, read
from .terminal import KubectlError, Terminal

SELECTING = (Flag("selector", short="l"), Flag("field-selector"), Flag("all-namespaces", "bool", "A"), Flag("all", "bool"))
FILES = (Flag("filename", "array", "f"), Flag("recursive", "bool", "R"), Flag("kustomize", short="k"))


@dataclass(frozen=True, slots=True)
class Target:
    """One kind and, when named, one object of it."""

    resource: Resource
    name: str = ""


def resource_named(word: str) -> Resource:
    """Raises KubectlError for a kind that the server lacks."""
    resource = by_any_name(word)
    if resource is None:
        raise KubectlError(f'error: the server doesn\'t have a resource type "{word}"\n')
    return resource


def targets(arguments: list[str]) -> list[Target]:
    """`pod web api` -> two named Pods; `pods,svc` -> two kinds; `pod/web svc/web` -> two named objects; `all` -> its kinds."""
    if not arguments:
        raise KubectlError("error: You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of "
                           "supported resources.\n")
    if any("/" in word for word in arguments):
        found = []
        for word in arguments:
            kind, slash, name = word.partition("/")
            if not slash:
                raise KubectlError("error: there is no need to specify a resource type as a separate argument when passing arguments in "
                                   "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
                                   "'kubectl get resource resource/<resource_name>'\n")
            if not name or not kind:
                raise KubectlError("error: arguments in resource/name form must have a single resource and name\n")
            found += [Target(resource_named(one), name) for one in kind.split(",")]
        return found
    kinds: list[Resource] = []
    for word in arguments[0].split(","):
        if word == "all":
            kinds += [resource for resource in ALL]
        else:
            kinds.append(resource_named(word))
    if len(arguments) == 1:
        return [Target(kind) for kind in kinds]
    return [Target(kind, name) for kind in kinds for name in arguments[1:]]


# The order in which `kubectl get all` asks (category expansion follows discovery: core first, then groups by name)
ALL = tuple(resource for resource in RESOURCES if "all" in resource.categories)


def namespace_of(terminal: Terminal, flags: Flags, resource: Resource) -> str:
    """The namespace to ask in; "" means all (or none, for cluster-scoped kinds)."""
    if not resource.namespaced:
        return ""
    try:
        if flags["all-namespaces"]:
            return ""
    except KeyError:
        pass
    return flags["namespace"] or terminal.namespace


def fetch(terminal: Terminal, flags: Flags, target: Target) -> list[Map]:
    """The present objects of a target. Raises ApiError 404 for a named one that is not there."""
    namespace = namespace_of(terminal, flags, target.resource)
    if target.name:
        return [terminal.api.perform(Request("get", target.resource.plural, namespace, target.name))]
    options = {}
    if flags["selector"]:
        options["labelSelector"] = flags["selector"]
    if flags["field-selector"]:
        options["fieldSelector"] = flags["field-selector"]
    found: list[Map] = terminal.api.perform(Request("list", target.resource.plural, namespace, options=options))["items"]
    return found


def from_files(terminal: Terminal, flags: Flags) -> list[tuple[Resource, Manifest]]:
    """The objects of -f with their kinds. Raises KubectlError for kinds that the server lacks."""
    found = []
    for manifest in read(terminal, flags["filename"]):
        obj, source = manifest.object, manifest.source
        if not isinstance(obj, dict) or not obj.get("kind") or not obj.get("apiVersion"):
            missing = "Kind" if not isinstance(obj, dict) or not obj.get("kind") else "apiVersion"
            raise KubectlError(f'error: error validating "{source}": error validating data: {missing.lower() if missing == "Kind" else missing}'
                               " not set; if you choose to ignore these errors, turn validation off with --validate=false\n")
        resource = by_api_kind(str(obj["apiVersion"]), str(obj["kind"]))
        if resource is None:
            name, namespace = (obj.get("metadata") or {}).get("name", ""), (obj.get("metadata") or {}).get("namespace", "")
            raise KubectlError(f'error: resource mapping not found for name: "{name}" namespace: "{namespace}" from "{source}": no matches for '
                               f'kind "{obj["kind"]}" in version "{obj["apiVersion"]}"\nensure CRDs are installed first\n')
        found.append((resource, manifest))
    return found


def printed_name(resource: Resource, name: str) -> str:
    """`pod/web`, `deployment.apps/web` (NamePrinter)."""
    return f"{resource.one}.{resource.group}/{name}" if resource.group else f"{resource.one}/{name}"
