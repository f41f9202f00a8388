"""Pod templates inside workloads: where they are, and how a change of one is sent and told."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ..apiserver.errors import ApiError
from ..objects import thaw
from ..resources import Resource
from .builder import FILES, Info, has_files, select, select_local
from .flags import Flag
from .patches import two_way
from .pod_specs import template_of
from .terminal import KubectlError, Wait
from .verbs import CHANGING, RECORD, Call, Failures, fail_with

SETTING = (*FILES, *CHANGING, RECORD, Flag("selector", short="l"), Flag("all", "bool"), Flag("local", "bool"))
CONTAINERS = Flag("containers", short="c", default="*")

Json = dict[str, Any]
# What encoding/json writes of a struct although nothing is in it (fields without omitempty), by kind
EMPTY: dict[str, tuple[tuple[str, Any], ...]] = {"deployments": (("selector", None), ("strategy", {})), "replicasets": (("selector", None),),
                                                 "statefulsets": (("selector", None), ("updateStrategy", {})),
                                                 "daemonsets": (("selector", None), ("updateStrategy", {}))}
STATUS: dict[str, Json] = {"deployments": {}, "replicasets": {"replicas": 0}, "statefulsets": {"replicas": 0, "availableReplicas": 0}, "pods": {},
                           "daemonsets": {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0},
                           "jobs": {}, "cronjobs": {}, "services": {"loadBalancer": {}}, "replicationcontrollers": {"replicas": 0}}


def parted(words: list[str], kind: str) -> tuple[list[str], list[str]]:
    """(what names resources, what changes them: `key=value` and `key-`) of a command's arguments (cmdutil.GetResourcesAndPairs)."""
    resources: list[str] = []
    pairs: list[str] = []
    for word in words:
        if ("=" in word and not word.startswith("=")) or (word.endswith("-") and word != "-"):
            pairs.append(word)
        elif pairs:
            raise KubectlError(f"error: all resources must be specified before {kind} changes: {word}\n")
        else:
            resources.append(word)
    return resources, pairs


def local_files(call: Call) -> None:
    """Raises KubectlError where --local is to change what stands in no file."""
    if call.flags["local"] and not has_files(call):
        raise KubectlError("error: you must specify resources by --filename when --local is set.\nExample resource specifications include:\n"
                           "   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n")


def without_template(info: Info) -> str:
    """The error for what has no Pod template (UpdatePodSpecForObjectFn)."""
    kind = f"*{info.resource.version}.{info.resource.kind}"
    return f"error: {info.resource.plural}/{info.name} the object is not a pod or does not have a pod template: {kind}"


def as_typed(resource: Resource, obj: Json) -> Json:
    """An object of a file as kubectl's own struct of it is written: members that are never left out stand there empty."""
    out = dict(obj)
    if template := template_of(out):
        for one in [*((template.get("spec") or {}).get("containers") or ()), *((template.get("spec") or {}).get("initContainers") or ())]:
            one.setdefault("resources", {})
    spec = out.get("spec")
    if isinstance(spec, dict):
        for member, empty in EMPTY.get(resource.plural, ()):
            spec.setdefault(member, empty)
        if resource.plural == "pods":
            for one in spec.get("containers") or ():
                one.setdefault("resources", {})
    if resource.plural in STATUS:
        out.setdefault("status", STATUS[resource.plural])
    return out


def update(call: Call, change: Callable[[Json, Info], str | None], done: str, failed: str,
           arguments: list[str] | None = None, *, asked: str = "", always: bool = False) -> Generator[Wait, None, int]:
    """Change objects and send what differs as a strategic patch.

    `change(obj, info)` alters the plain object; the text that it returns is an error about this one. `failed` stands before the
    server's refusal, such as `failed to patch env update to pod template`. `asked`: what is wrong with the wish itself, said once the
    objects were found. `always`: what does not change is told too.
    """
    local_files(call)
    infos, wrong = yield from (select_local(call) if call.flags["local"] else select(call, arguments))
    if asked:
        raise KubectlError(f"error: {asked}\n")
    fail_with(wrong)  # nothing is changed while one of them is missing
    for info in infos:
        new = thaw(info.object)
        try:
            error = change(new, info)
        except Failures as failures:
            wrong += failures.errors
            continue
        if error:
            wrong.append(error)
            continue
        patch = two_way(info.resource, thaw(info.object), new)
        if not patch and not call.flags["output"] and not call.flags["record"] and not always:
            continue
        if call.dry != "client" and patch and not call.flags["local"]:
            if call.flags.get("resource-version"):
                patch = {**patch, "metadata": {**(patch.get("metadata") or {}), "resourceVersion": call.flags["resource-version"]}}
            try:
                new = call.request("patch", info.resource, info.name, info.namespace, patch,
                                   patchType="application/strategic-merge-patch+json")
            except ApiError as refusal:
                wrong.append(f"error: {failed}: {refusal.message}" if "%s" not in failed
                             else f"error: {failed % refusal.message}")
                continue
        call.show(info.resource, as_typed(info.resource, new) if call.flags["local"] else new, done, typed=True)
    fail_with(wrong)
    return 0
