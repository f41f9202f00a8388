"""kubectl taint, cordon, uncordon and drain (S/kubectl/pkg/cmd/taint, pkg/cmd/drain, pkg/drain)."""

from __future__ import annotations

import re
from typing import Any

from ... import selectors
from ...apiserver.errors import ApiError
from ...etcd import controller_uid
from ...objects import Map, dig, thaw
from ...resources import BY_PLURAL, by_any_name
from ...times import go_duration
from ..builder import SELECTING, Info, resource_named, select
from ..flags import Flag, but
from ..terminal import Command, KubectlError, Wait
from ..verbs import CHANGING, Call, Failures, fail_with, gathered, printed_name, verb

NODES = BY_PLURAL["nodes"]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
EVICT_RETRY_MS = 5_000  # EvictErrorRetryDelay
NAME = r"([A-Za-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
MIRROR = "kubernetes.io/config.mirror"
DRY = {"none": "", "client": " (dry run)", "server": " (server dry run)"}


def _nodes(call: Call, names: list[str]) -> Any:
    return select(call, ["nodes", *names])


# ---- taint


@verb("taint", *but(SELECTING, "all-namespaces", "field-selector"), *CHANGING, Flag("overwrite", "bool"),
      Flag("recursive", "bool"),
      Flag("validate", "opt", default="strict", bare="strict"),
      summary="Update the taints on one or more nodes", usage="taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... "
      "KEY_N=VAL_N:TAINT_EFFECT_N")
def taint(call: Call) -> Command:
    names: list[str] = []
    specs: list[str] = []
    for word in call.arguments[1:]:
        (specs if "=" in word or ":" in word or word.endswith("-") else names).append(word)
    if not call.arguments:
        raise KubectlError("error: one or more resources must be specified as <resource> <name>\n")
    if "/" in call.arguments[0] or not by_any_name(call.arguments[0]):
        raise KubectlError(f'the server doesn\'t have a resource type "{call.arguments[0]}"\n')
    if call.arguments[0] not in ("node", "nodes", "no", "Node"):
        raise KubectlError("error: invalid resource type " + call.arguments[0] + ", only node types are supported\n")
    if not specs:
        raise KubectlError("error: at least one taint update is required\n")
    if not names and not (call.flags["all"] or call.flags["selector"]):
        raise KubectlError("error: one or more resources must be specified as <resource> <name> or <resource>/<name>\n")
    add, remove = _taints(specs)
    both = [f"{one['key']}={effect or one['effect']}" for one in add for key, effect in remove
            if key == one["key"] and effect in ("", one["effect"])]
    if both:
        raise KubectlError(f"error: can not both modify and remove the following taint(s) in the same command: {', '.join(both)}\n")
    infos, wrong = yield from _nodes(call, names)
    for info in infos:
        with gathered(wrong):
            _taint(call, info, add, remove)
    fail_with(wrong)
    return 0


def _taints(specs: list[str]) -> tuple[list[dict[str, str]], list[tuple[str, str]]]:
    """(taints to add, (key, effect or "" for all) to remove)."""
    add: list[dict[str, str]] = []
    remove: list[tuple[str, str]] = []
    for spec in specs:
        body, gone = (spec[:-1], True) if spec.endswith("-") else (spec, False)
        pair, colon, effect = body.partition(":")
        key, _, value = pair.partition("=")
        seen = "\nSee 'kubectl taint -h' for help and examples\n"
        if colon and not gone and not effect:
            raise KubectlError(f"error: invalid taint effect: , unsupported taint effect{seen}")
        if pair.count("=") > 1:
            raise KubectlError(f"error: invalid taint spec: {spec}{seen}")
        if effect and effect not in EFFECTS:
            raise KubectlError(f"error: invalid taint effect: {effect}, unsupported taint effect{seen}")
        if not gone and not colon:
            key = pair  # a key alone, whatever is in it
            if re.fullmatch(NAME, key):
                raise KubectlError(f"error: invalid taint spec: {spec}\n")
        if not re.fullmatch(NAME, key):
            empty = "" if key else "name part must be non-empty; "
            raise KubectlError(f"error: invalid taint spec: {spec}, {empty}name part must consist of alphanumeric characters, '-', '_' "
                               f"or '.', and must start and end "
                               "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
                               "validation is "
                               "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" + seen)
        if gone:
            remove.append((key, effect))
        else:
            if any(one["key"] == key and one["effect"] == effect for one in add):
                raise KubectlError(f"error: duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}{seen}")
            add.append({"effect": effect, "key": key, **({"value": value} if value else {})})
    return add, remove


def _taint(call: Call, info: Info, add: list[dict[str, str]], remove: list[tuple[str, str]]) -> None:
    held: list[Any] = thaw(dig(info.object, "spec.taints", []))
    for new in add:
        if any(one["key"] == new["key"] and one["effect"] == new["effect"] for one in held) and not call.flags["overwrite"]:
            raise KubectlError(f"error: node {info.name} already has {new['key']} taint(s) with same effect(s) and --overwrite "
                               f"is false\n")
    for key, effect in remove:
        if not any(one["key"] == key and effect in ("", one["effect"]) for one in held):
            raise Failures([f'taint "{key}{":" + effect if effect else ""}" not found'])
    kept = [one for one in held if not any(one["key"] == key and effect in ("", one["effect"]) for key, effect in remove)
            and not any(one["key"] == new["key"] and one["effect"] == new["effect"] for new in add)]
    taints = [*add, *kept]
    done = "untainted" if remove and not add else "modified" if remove or call.flags["overwrite"] else "tainted"
    new_node: Any = {**info.object, "spec": {**info.object["spec"], "taints": taints}}
    if call.dry != "client":
        new_node = call.request("patch", NODES, info.name, "", {"spec": {"taints": taints or None}},
                                patchType="application/merge-patch+json")
    if call.flags.get("output"):
        call.show(NODES, new_node, done)
    else:  # taint.go names the operation anew for each node, and the dry run is forgotten
        call.terminal.out(f"{printed_name(NODES, info.name)} {done}\n")


# ---- cordon and drain


CORDON = (Flag("selector", short="l"), Flag("dry-run", "opt", default="none", bare="unchanged"))


@verb("cordon", *CORDON, summary="Mark node as unschedulable", usage="cordon NODE")
def cordon(call: Call) -> None:
    _cordon_all(call, True)


@verb("uncordon", *CORDON, summary="Mark node as schedulable", usage="uncordon NODE")
def uncordon(call: Call) -> None:
    _cordon_all(call, False)


def _named_nodes(call: Call) -> Any:
    if not call.arguments and not call.flags["selector"]:
        raise KubectlError(f"error: USAGE: {call.name} NODE [flags]\nSee 'kubectl {call.name} -h' for help and examples\n")
    if call.arguments and call.flags["selector"]:
        raise call.usage_error("cannot specify both a node name and a --selector option")
    infos: list[Info] = []
    wrong: list[Any] = []
    options = {"labelSelector": call.flags["selector"]} if call.flags["selector"] else {}
    if options:
        found = call.request("list", NODES, **options)["items"]
        return [Info(NODES, "", node["metadata"]["name"], node) for node in found], wrong
    for name in call.arguments:
        kind, slash, _ = name.partition("/")
        if slash and (other := resource_named(kind, call.customs)) is not NODES:
            version = f"{other.group}/{other.version}, Resource={other.name}"
            raise KubectlError(f'error: expected resource of type node, got "{version}"\n')
        try:
            infos.append(Info(NODES, "", name.removeprefix("node/").removeprefix("nodes/"),
                              call.request("get", NODES, name.rpartition("/")[2])))
        except ApiError as error:
            wrong.append(error)
    return infos, wrong


def _cordon_all(call: Call, wish: bool) -> None:
    infos, wrong = _named_nodes(call)
    fail_with(wrong)  # before anything is done to the others (DrainCmdOptions.Complete)
    for info in infos:
        _cordon(call, info, wish)


def _cordon(call: Call, info: Info, wish: bool) -> None:
    word = "cordoned" if wish else "uncordoned"
    suffix = DRY[call.dry]
    if bool(dig(info.object, "spec.unschedulable")) == wish:
        call.terminal.out(f"node/{info.name} already {word}{suffix}\n")
        return
    if call.dry != "client":
        call.request("patch", NODES, info.name, "", {"spec": {"unschedulable": wish or None}},
                     patchType="application/strategic-merge-patch+json")
    call.terminal.out(f"node/{info.name} {word}{suffix}\n")


@verb("drain", *CORDON, Flag("force", "bool"), Flag("grace-period", "int", default=-1), Flag("ignore-daemonsets", "bool"),
      Flag("timeout", "duration", default=0),
      Flag("delete-emptydir-data", "bool"), Flag("pod-selector"),
      Flag("disable-eviction", "bool"),
      Flag("skip-wait-for-delete-timeout", "int", default=0), Flag("chunk-size", "int", default=500),
      summary="Drain node in preparation for maintenance", usage="drain NODE")
def drain(call: Call) -> Command:
    if call.flags["pod-selector"]:
        try:
            selectors.parse(call.flags["pod-selector"])
        except selectors.SelectorError:
            raise KubectlError("error: --pod-selector=<pod_selector> must be a valid label selector\n") from None
    infos, wrong = _named_nodes(call)
    fail_with(wrong)
    for info in infos:
        _cordon(call, info, True)
    failed: list[tuple[str, str]] = []
    for info in infos:
        try:
            yield from _drain(call, info.name)
            call.terminal.out(f"node/{info.name} drained{DRY[call.dry]}\n")
        except Undrained as error:
            call.terminal.err(f'error: unable to drain node "{info.name}" due to error: {error}, continuing command...\n')
            failed.append((info.name, error.lines))
    if failed:
        call.terminal.err("There are pending nodes to be drained:\n" + "".join(f" {name}\n" for name,
            _ in failed) + "".join(lines for _, lines in failed))
    return 1 if failed else 0


class Undrained(Exception):
    """Why a node was not drained; `lines`: each error on a line of its own."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
        self.lines = "".join(text + "\n" for text in texts)


def _drain(call: Call, node: str) -> Command:
    doomed = _doomed(call, node, said=True)
    if call.dry == "client":
        for pod in doomed:
            call.terminal.out(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']} (dry run)\n")
        return 0
    try:
        yield from (_delete_all if call.flags["disable-eviction"] else _evict_all)(call, doomed)
    except Undrained as error:
        if left := _doomed(call, node, said=False):
            call.terminal.err(f'There are pending pods in node "{node}" when an error occurred: {error}\n'
                              + "".join(f"pod/{pod['metadata']['name']}\n" for pod in left))
        raise
    return 0


def _doomed(call: Call, node: str, *, said: bool) -> list[Map]:
    """The Pods that are to go (GetPodsForDeletion), with what there is to warn of where it is to be said."""
    flags = call.flags
    options = {"fieldSelector": f"spec.nodeName={node}", **({"labelSelector": flags["pod-selector"]} if flags["pod-selector"]
                                                            else {})}
    doomed: list[Map] = []
    errors: dict[str, list[str]] = {}
    warnings: dict[str, list[str]] = {}
    for pod in call.request("list", "pods", **options)["items"]:
        verdict, text = _filter(call, pod)
        key = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if verdict == "error":
            errors.setdefault(text, []).append(key)
        elif text:
            warnings.setdefault(text, []).append(key)
        if verdict == "delete":
            doomed.append(pod)
    if errors:
        raise Undrained([f"cannot delete {text}: {', '.join(keys)}" for text, keys in errors.items()])
    if warnings and said:
        call.terminal.err("Warning: " + "; ".join(f"{text}: {', '.join(keys)}" for text, keys in warnings.items()) + "\n")
    return doomed


def _filter(call: Call, pod: Map) -> tuple[str, str]:
    """delete, skip or error, and what is to be said about it (pkg/drain/filters.go)."""
    flags = call.flags
    metadata = pod["metadata"]
    finished = dig(pod, "status.phase") in ("Succeeded", "Failed")
    if MIRROR in (metadata.get("annotations") or {}):
        return "skip", ""
    owner = next((ref for ref in metadata.get("ownerReferences") or () if ref.get("controller")), None)
    if owner is not None and owner["kind"] == "DaemonSet" and not finished:
        if call.terminal.api.client.find("daemonsets", owner["name"], metadata["namespace"]) is None:
            return ("delete", "") if flags["force"] else ("error", "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
        return ("skip", "ignoring DaemonSet-managed Pods") if flags["ignore-daemonsets"] else \
            ("error", "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
    local = any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())
    if local and not finished and not flags["delete-emptydir-data"]:
        return "error", "Pods with local storage (use --delete-emptydir-data to override)"
    if controller_uid(pod) is None and not finished:
        return ("delete", "deleting Pods that declare no controller") if flags["force"] else \
            ("error", "Pods that declare no controller (use --force to override)")
    return "delete", ""


def _gone(call: Call, pod: Map) -> bool:
    held = call.terminal.api.client.find("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
    return held is None or held["metadata"]["uid"] != pod["metadata"]["uid"]


def _grace(call: Call) -> dict[str, Any]:
    return {} if call.flags["grace-period"] < 0 else {"gracePeriodSeconds": call.flags["grace-period"]}


def _delete_all(call: Call, doomed: list[Map]) -> Command:
    """Without evictions, so that no budget is asked (deletePods)."""
    deadline = call.now + call.flags["timeout"] if call.flags["timeout"] else None
    for pod in doomed:
        try:
            call.request("delete", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"], **_grace(call))
        except ApiError as error:
            if error.code != 404:
                raise Undrained([error.message]) from error
    waiting = doomed
    while True:
        for pod in waiting:
            if _gone(call, pod):
                call.terminal.out(f"pod/{pod['metadata']['name']} deleted\n")
        waiting = [pod for pod in waiting if not _gone(call, pod)]
        if not waiting:
            return 0
        if deadline is not None and call.now >= deadline:
            raise Undrained(["timed out waiting for the condition"])
        yield Wait(max(1, deadline - call.now) if deadline is not None else None)


def _evict_all(call: Call, doomed: list[Map]) -> Command:
    """Evict each; those that a disruption budget protects are tried again every five seconds; then wait until all are gone."""
    flags = call.flags
    deadline = call.now + flags["timeout"] if flags["timeout"] else None
    late = f"global timeout reached: {go_duration(flags['timeout'])}"
    pending = [(0, pod) for pod in doomed]
    waiting: list[Map] = []
    errors: list[str] = []
    while True:
        later: list[tuple[int, Map]] = []
        for at, pod in pending:
            if at > call.now:
                later.append((at, pod))
                continue
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            call.terminal.out(f"evicting pod {namespace}/{name}{DRY[call.dry]}\n")
            if deadline is not None and call.now >= deadline:  # each sleeps its five seconds out before it sees that time is over
                errors.append(f'error when evicting pods/"{name}" -n "{namespace}": {late}')
                continue
            try:
                call.request("create", "pods", name, namespace, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {
                    "name": name, "namespace": namespace}, "deleteOptions": _grace(call)}, "eviction")
                if call.dry != "server":
                    waiting.append(pod)
            except ApiError as error:
                if error.code == 404:
                    continue
                if error.code != 429:
                    errors.append(f'error when evicting pods/"{name}" -n "{namespace}": {error.message}')
                    continue
                call.terminal.err(f'error when evicting pods/"{name}" -n "{namespace}" (will retry after 5s): {error.message}\n')
                later.append((call.now + EVICT_RETRY_MS, pod))
        pending = later
        for pod in list(waiting):
            if _gone(call, pod):
                call.terminal.out(f"pod/{pod['metadata']['name']} evicted\n")
                waiting.remove(pod)
        if deadline is not None and call.now >= deadline:
            errors += [f'error when waiting for pod "{pod["metadata"]["name"]}" in namespace "{pod["metadata"]["namespace"]}" to terminate: {late}'
                       for pod in waiting]
            waiting = []
        if not pending and not waiting:
            break
        times = [at - call.now for at, _ in pending] + ([deadline - call.now] if deadline is not None and waiting else [])
        yield Wait(max(1, min(times)) if times else None)
    if errors:
        raise Undrained(errors)
    return 0
