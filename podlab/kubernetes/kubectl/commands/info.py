"""What there is and who one is: api-resources, api-versions, cluster-info, version, config, auth, events."""

from __future__ import annotations

import json
from typing import Any

from ...apiserver.discovery import verbs_of, with_customs
from ...objects import Map, dig
from ...resources import BY_PLURAL, Resource, by_any_name
from ...times import human_duration, parse_rfc3339
from ..builder import changes
from ..describe.config import rights
from ..flags import Flag
from ..output import go_sort, go_yaml, kyaml, tabwriter
from ..output.go_values import to_json
from ..terminal import Command, KubectlError, Wait
from ..verbs import PRINTING, Call, verb

KUSTOMIZE_VERSION = "v5.8.1"  # that kubectl 1.36 is built with (its go.mod)
SERVER = "https://kubernetes.podlab:6443"
USER = "kubernetes-admin"
# what `auth can-i` knows (kubectl/pkg/cmd/auth/cani.go)
RESOURCE_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "*", "approve",
                  "sign", "escalate", "attest")
RESTRICTORS = ("LoadRestrictionsRootOnly", "LoadRestrictionsNone")
RESOURCE_FORMATS = ("json", "kyaml", "name", "wide", "yaml")
NON_RESOURCE_VERBS = ("get", "put", "post", "head", "options", "delete", "patch", "*")


def aligned(rows: list[list[str]], headers: list[str] | None) -> str:
    """Rows as kubectl's tab writer sets them."""
    lines = ([headers] if headers else []) + rows
    return tabwriter.align("".join("\t".join(row) + "\n" for row in lines), 6, 3)


def no_arguments(call: Call) -> None:
    if call.arguments:
        raise call.usage_error(f"unexpected arguments: [{' '.join(call.arguments)}]")


def _served(call: Call) -> dict[tuple[str, str], tuple[Resource, ...]]:
    """What this cluster's discovery tells of: metrics.k8s.io is there with a metrics server only."""
    metrics = call.terminal.api.cluster.spec.get("metricsServer", True)
    return {key: found for key, found in with_customs(call.customs).items() if metrics or key[0] != "metrics.k8s.io"}


def _told(resource: Resource) -> dict[str, Any]:
    """metav1.APIResource, of aggregated discovery: without hashes."""
    lists = {"shortNames": list(resource.short_names), "categories": list(resource.categories)}
    return {"name": resource.name, "singularName": resource.one, "namespaced": resource.namespaced,
            **({"group": resource.group} if resource.group else {}), "version": resource.version, "kind": resource.kind,
            "verbs": list(verbs_of(resource)), **{member: value for member, value in lists.items() if value}}


@verb("api-resources", Flag("show-managed-fields", "bool"), Flag("api-group"), Flag("namespaced", "bool", default=True), Flag("no-headers", "bool"),
      Flag("output", short="o"), Flag("verbs", "list"),
      Flag("sort-by"), Flag("cached", "bool"), Flag("categories", "list"),
      summary="Print the supported API resources on the server",
      usage="api-resources [flags]")
def api_resources(call: Call) -> None:
    flags = call.flags
    no_arguments(call)
    form = (flags["output"] or "").lower()
    if form not in ("", *RESOURCE_FORMATS):
        raise KubectlError(f'error: unable to match a printer suitable for the output format "{flags["output"]}", allowed formats are: '
                           f"{','.join(RESOURCE_FORMATS)}\n")
    if flags["sort-by"] not in (None, "", "name", "kind"):
        raise KubectlError("error: --sort-by accepts only name or kind\n")
    preferred: dict[str, str] = {}
    for group, version in _served(call):
        preferred.setdefault(group, version)
    found = [r for (group, version), resources in _served(call).items() if preferred[group] == version for r in resources
             if (not flags.given("namespaced") or r.namespaced == flags["namespaced"])
             and (not flags.given("api-group") or r.group == flags["api-group"])
             and all(word in verbs_of(r) for word in flags["verbs"])
             and (not flags["categories"] or all(c in r.categories for c in flags["categories"]))]
    order = {"name": lambda r: r.name, "kind": lambda r: (r.kind, r.name)}.get(flags["sort-by"] or "", lambda r: (r.group, r.name))
    found.sort(key=lambda r: (r.group, r.name))
    found.sort(key=order)
    if form == "name":
        call.terminal.out("".join(r.qualified + "\n" for r in found))
        return
    if form in ("json", "kyaml", "yaml"):
        whole = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "", "resources": [_told(r) for r in found]}
        text = json.dumps(whole, indent=4, ensure_ascii=False) + "\n"  # a struct's own order
        call.terminal.out({"json": text, "kyaml": kyaml.from_json(text)}.get(form) or go_yaml.dump(whole))
        return
    headers = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    rows = [[r.name, ",".join(r.short_names), r.api_version, str(r.namespaced).lower(), r.kind] for r in found]
    if form == "wide":
        headers += ["VERBS", "CATEGORIES"]
        rows = [[*row, ",".join(verbs_of(r)), ",".join(r.categories)] for row, r in zip(rows, found, strict=True)]
    call.terminal.out(aligned(rows, None if flags["no-headers"] else headers))


@verb("api-versions", summary="Print the supported API versions on the server, in the form of \"group/version\"",
      usage="api-versions")
def api_versions(call: Call) -> None:
    no_arguments(call)
    versions = {f"{group}/{version}" if group else version for group, version in _served(call)}
    call.terminal.out("".join(version + "\n" for version in sorted(versions)))


@verb("cluster-info", summary="Display cluster information", usage="cluster-info")
def cluster_info(call: Call) -> None:
    call.terminal.out(f"Kubernetes control plane is running at {SERVER}\n\nTo further debug and diagnose cluster problems, use "
                      "'kubectl cluster-info dump'.\n")


@verb("version", Flag("client", "bool"), Flag("output", short="o"), summary="Print the client and server version information",
      usage="version [flags]")
def version(call: Call) -> None:
    if call.arguments:
        raise KubectlError(f"error: extra arguments: [{' '.join(call.arguments)}]\n")
    from ...version import KUBERNETES_VERSION

    form = call.flags["output"]
    major, minor = KUBERNETES_VERSION[1:].split(".")[:2]
    known = {"gitVersion": KUBERNETES_VERSION, "major": major, "minor": minor, "platform": "linux/amd64"}
    if form in ("json", "yaml"):
        whole: dict[str, Any] = {"clientVersion": known, "kustomizeVersion": KUSTOMIZE_VERSION}
        if not call.flags["client"]:
            whole["serverVersion"] = known
        call.terminal.out(to_json(whole, indent=2) + "\n" if form == "json" else go_yaml.dump(whole))
        return
    if form:
        raise KubectlError("error: --output must be 'yaml' or 'json'\n")
    call.terminal.out(f"Client Version: {KUBERNETES_VERSION}\nKustomize Version: {KUSTOMIZE_VERSION}\n"
                      + ("" if call.flags["client"] else f"Server Version: {KUBERNETES_VERSION}\n"))


# ---- auth


@verb("auth whoami", *PRINTING, summary="Experimental: Check self subject attributes", usage="auth whoami")
def whoami(call: Call) -> None:
    user = call.terminal.api.identity
    if call.flags["output"]:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {"creationTimestamp": None},
                  "status": {"userInfo": user.info()}}
        call.terminal.out(call.printer(typed=True)(Map(review)))
        return
    call.terminal.out(aligned([["Username", user.name], *([["UID", user.uid]] if user.uid else []), ["Groups", f"[{' '.join(user.groups)}]"],
                               *([f"Extra: {key}", f"[{' '.join(values)}]"] for key, values in user.extra)], ["ATTRIBUTE", "VALUE"]))


@verb("auth can-i", Flag("all-namespaces", "bool", "A"), Flag("list", "bool"), Flag("quiet", "bool", "q"), Flag("subresource"),
      Flag("no-headers", "bool"),
      summary="Check whether an action is allowed", usage="auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]")
def can_i(call: Call) -> int:
    api = call.terminal.api
    user = api.identity
    if call.flags["list"]:
        if call.arguments:
            raise KubectlError("error: list option must be specified with no arguments\n")
        call.terminal.out(aligned(_rights(api.rules(user, call.namespace)), None if call.flags["no-headers"] else [
            "Resources", "Non-Resource URLs", "Resource Names", "Verbs"]))
        return 0
    if call.flags["no-headers"]:
        raise KubectlError("error: --no-headers cannot be set without --list specified\n")
    if len(call.arguments) != 2:
        raise KubectlError("error: you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl "
                           "auth can-i -h' for help and examples.\n")
    action, what = call.arguments[0], call.arguments[1]
    if what.startswith("/") and call.flags["subresource"]:
        raise KubectlError("error: --subresource can not be used with NonResourceURL\n")
    kind, _, name = what.partition("/")
    if action not in (NON_RESOURCE_VERBS if what.startswith("/") else RESOURCE_VERBS):
        call.terminal.err(f"Warning: verb '{action}' is not a known verb\n\n")
    resource = by_any_name(kind, call.customs) if not what.startswith("/") else None
    if resource is None and kind not in ("*", "", "users", "groups") and not what.startswith("/"):
        call.terminal.err(f"Warning: the server doesn't have a resource type '{kind}'\n\n")
    if resource is not None and not resource.namespaced and not call.flags["all-namespaces"]:
        call.terminal.err(f"Warning: resource '{resource.plural}' is not namespace scoped"
                          + (f" in group '{resource.group}'" if resource.group else "") + "\n\n")
    wanted = {"path": what, "verb": action} if what.startswith("/") else {
        "verb": action, "group": resource.group if resource else "", "resource": resource.plural if resource else kind, "name": name,
        "subresource": call.flags["subresource"] or "", "namespace": "" if call.flags["all-namespaces"] else call.namespace}
    allowed = api.verdict(user, wanted)["allowed"]
    if not call.flags["quiet"]:
        call.terminal.out("yes\n" if allowed else "no\n")
    return 0 if allowed else 1


def _rights(rules: list[dict[str, Any]]) -> list[list[str]]:
    """The rows of what a user may do, as a role's description has them."""
    return [[resource, f"[{url}]" if url else "[]", f"[{name}]" if name else "[]", f"[{' '.join(verbs)}]"]
            for resource, name, url, verbs in rights(rules)]


# ---- events


@verb("events", Flag("all-namespaces", "bool", "A"), Flag("for"), Flag("watch", "bool", "w"), Flag("types", "list"), Flag("no-headers", "bool"),
      *PRINTING,
      Flag("chunk-size", "int", default=500), summary="List events",
      usage="events [(-o|--output=)json|yaml|name|...] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]")
def events(call: Call) -> Command:
    flags = call.flags
    if any(kind.lower() not in ("normal", "warning") for kind in flags["types"]):
        raise KubectlError("error: valid --types are Normal or Warning\n")
    everywhere = flags["all-namespaces"]
    picked = _picker(call)
    etcd = call.terminal.api.cluster.etcd
    found = [event for event in call.request("list", "events", "", "" if everywhere else call.namespace)["items"]
             if picked(event)]
    found = go_sort(found, lambda a, b: _event_time(a) < _event_time(b))
    if flags["output"] and found:
        call.terminal.out(call.printer()(Map({"apiVersion": "v1", "items": found, "kind": "List", "metadata": {"resourceVersion": ""}})))
        return 0
    if not found and not flags["watch"]:
        call.terminal.err("No events found.\n" if everywhere else f"No events found in {call.namespace} namespace.\n")
        return 0
    headers = [*(["NAMESPACE"] if everywhere else []), "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    call.terminal.out(aligned([_event_row(call, event) for event in found], None if flags["no-headers"] else headers))
    seen = etcd.revision
    while flags["watch"]:
        yield Wait()
        for change in changes(call, BY_PLURAL["events"], seen):
            namespace = change.object["metadata"].get("namespace")
            if change.type != "DELETED" and (everywhere
                or namespace == call.namespace) and picked(change.object):
                call.terminal.out(aligned([_event_row(call, change.object)], None))
        seen = etcd.revision
    return 0


def _picker(call: Call) -> Any:
    flags = call.flags
    kinds = [kind.lower() for kind in flags["types"]]
    wanted = flags["for"]
    resource, name = None, ""
    if wanted:
        kind, slash, name = wanted.partition("/")
        if "/" in name:
            raise KubectlError("error: arguments in resource/name form may not have more than one slash\n")
        resource = by_any_name(kind, call.customs)
        if not slash or not name:
            raise KubectlError("error: --for must be in resource/name form\n")
        if resource is None:
            one, _, group = kind.partition(".")
            raise KubectlError(f'the server doesn\'t have a resource type "{one}"' + (f' in group "{group}"' if group else "") + "\n")

    def picked(event: Map) -> bool:
        about = event["involvedObject"]
        if kinds and event.get("type", "").lower() not in kinds:
            return False
        return resource is None or (about.get("kind") == resource.kind and about.get("name") == name)
    return picked


def _event_time(event: Map) -> int:
    text = dig(event, "series.lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return parse_rfc3339(text) if text else 0


def _event_row(call: Call, event: Map) -> list[str]:
    def age(text: str | None) -> str:
        return human_duration(call.now - parse_rfc3339(text)) if text else "<unknown>"
    count = dig(event, "series.count", 0) or event.get("count", 0)
    last = age(dig(event, "series.lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime"))
    if count > 1:
        last = f"{last} (x{count} over {age(event.get('firstTimestamp') or event.get('eventTime'))})"
    about = event["involvedObject"]
    row = [last, event.get("type", ""), event.get("reason", ""), f"{about.get('kind', '')}/{about.get('name', '')}",
           event.get("message", "").strip()]
    return [event["metadata"]["namespace"], *row] if call.flags["all-namespaces"] else row


@verb("kustomize", Flag("output", short="o"), Flag("load-restrictor", default="LoadRestrictionsRootOnly"),
      *(Flag(name, "bool") for name in ("as-current-user", "enable-alpha-plugins", "enable-helm", "helm-debug", "network")),
      *(Flag(name) for name in ("helm-command", "helm-kube-version", "network-name")), Flag("env", "array", "e"), Flag("mount", "array"),
      Flag("helm-api-versions", "array"), summary="Build a kustomization target from a directory or URL",
      usage="kustomize DIR")
def kustomize_(call: Call) -> None:
    from ..kustomize import build

    if len(call.arguments) > 1:
        raise KubectlError("error: specify one path to kustomization.yaml\n")
    restrictor = call.flags["load-restrictor"]
    if restrictor not in RESTRICTORS:
        raise KubectlError(f"error: illegal flag value --load-restrictor {restrictor}; legal values: [{' '.join(RESTRICTORS)}]\n")
    texts = [go_yaml.dump(manifest.object) for manifest in build(call.terminal, call.arguments[0] if call.arguments else ".")]
    if call.flags["output"]:
        if call.terminal.save is None:
            raise KubectlError(f"error: open {call.flags['output']}: permission denied\n")
        call.terminal.save(call.flags["output"], "---\n".join(texts))
        return
    call.terminal.out("---\n".join(texts))
