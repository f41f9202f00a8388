"""kubectl rollout (S/kubectl/pkg/cmd/rollout, S/kubectl/pkg/polymorphichelpers)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ...apiserver.errors import ApiError
from ...etcd import controller_uid
from ...objects import Map, dig, freeze, thaw
from ...resources import BY_PLURAL
from ...times import rfc3339
from ..builder import FILES, Info, changes, select
from ..describe.pods import describe_template
from ..describe.writer import Page
from ..flags import Flag, but
from ..output import tabwriter
from ..patches import two_way
from ..pod_specs import template_of
from ..pruning import LAST_APPLIED
from ..terminal import Command, KubectlError, Wait
from ..verbs import CHANGE_CAUSE, CHANGING, PRINTING, Call, Failures, fail_with, verb

ROLLING = (*FILES, Flag("selector", short="l"))
REVISION = "deployment.kubernetes.io/revision"
TELLING = tuple(flag for flag in CHANGING if flag.name != "dry-run")  # these three are never tried out
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def _required(call: Call) -> None:
    if not call.arguments and not call.flags["filename"] and not call.flags["kustomize"]:
        raise KubectlError("error: required resource not specified\n")


def _revision_given(call: Call) -> None:
    _required(call)
    if call.flags["revision"] < 0:
        raise KubectlError(f"error: revision must be a positive integer: {call.flags['revision']}\n")


def _each(call: Call, act: Callable[[Call, Info], Command | None]) -> Generator[Wait, None, int]:
    """ContinueOnError: what goes wrong with one is said after the others. How many were found."""
    infos, wrong = yield from select(call, unnamed_all=True)
    failed: list[ApiError | str] = []
    for info in infos:
        try:
            if (running := act(call, info)) is not None:
                yield from running
        except KubectlError as error:
            failed.append(error.text.removeprefix("error: ").removesuffix("\n"))
        except ApiError as error:
            failed.append(error)
    fail_with([*failed, *wrong])
    return len(infos)


# ---- status


@verb("rollout status", *ROLLING, Flag("watch", "bool", "w", default=True), Flag("revision", "int", default=0),
      Flag("timeout", "duration", default=0),
      summary="Show the status of the rollout", usage="rollout status (TYPE NAME | TYPE/NAME) [flags]")
def status(call: Call) -> Command:
    _revision_given(call)
    if not (yield from _each(call, _follow)):
        call.terminal.err(f"No resources found in {call.namespace} namespace.\n")
    return 0


def _follow(call: Call, info: Info) -> Command:
    """The status now, and again at each change of the object, until it is done."""
    if info.resource.plural not in VIEWERS:
        raise KubectlError(f'error: no status viewer has been implemented for {_group_kind(info)}\n')
    etcd = call.terminal.api.cluster.etcd
    deadline = call.now + call.flags["timeout"] if call.flags["timeout"] else None
    obj, seen = info.object, etcd.revision
    while True:
        text, done = VIEWERS[info.resource.plural](obj, call.flags["revision"])
        call.terminal.out(text)
        if done or not call.flags["watch"]:
            return 0
        nxt = None
        while nxt is None:  # several changes may have come since the last look, and no more may follow: all of them before a wait
            for change in changes(call, info.resource, seen):
                seen = change.revision
                metadata = change.object["metadata"]
                if metadata["name"] == info.name and metadata.get("namespace", "") == info.namespace:
                    if change.type == "DELETED":
                        raise KubectlError("error: object has been deleted\n")
                    nxt = change.object
                    break
            else:
                if deadline is not None and call.now >= deadline:
                    raise KubectlError("error: timed out waiting for the condition\n")
                yield Wait(None if deadline is None else deadline - call.now)
        obj = nxt


def _deployment_status(obj: Any, revision: int) -> tuple[str, bool]:
    name, spec, status = obj["metadata"]["name"], obj["spec"], obj.get("status") or {}
    if revision and int(dig(obj, "metadata.annotations", {}).get(REVISION, 0)) != revision:
        raise KubectlError(f"error: desired revision ({revision}) is different from the running revision "
                           f"({dig(obj, 'metadata.annotations', {}).get(REVISION, 0)})\n")
    if obj["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    if any(c["type"] == "Progressing" and c.get("reason") == "ProgressDeadlineExceeded" for c in status.get("conditions") or ()):
        raise KubectlError(f'error: deployment "{name}" exceeded its progress deadline\n')
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    head = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{head}{updated} out of {wanted} new replicas have been updated...\n", False
    if total > updated:
        return f"{head}{total - updated} old replicas are pending termination...\n", False
    if available < updated:
        return f"{head}{available} of {updated} updated replicas are available...\n", False
    return f'deployment "{name}" successfully rolled out\n', True


def _daemonset_status(obj: Any, revision: int) -> tuple[str, bool]:
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    if dig(obj, "spec.updateStrategy.type") != "RollingUpdate":
        raise KubectlError("error: rollout status is only available for RollingUpdate strategy type\n")
    if obj["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...\n", False
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    head = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{head}{updated} out of {wanted} new pods have been updated...\n", False
    if status.get("numberAvailable", 0) < wanted:
        return f"{head}{status.get('numberAvailable', 0)} of {wanted} updated pods are available...\n", False
    return f'daemon set "{name}" successfully rolled out\n', True


def _statefulset_status(obj: Any, revision: int) -> tuple[str, bool]:
    spec, status = obj["spec"], obj.get("status") or {}
    if dig(spec, "updateStrategy.type") != "RollingUpdate":
        raise KubectlError("error: rollout status is only available for RollingUpdate strategy type\n")
    if status.get("observedGeneration", 0) == 0 or obj["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for statefulset spec update to be observed...\n", False
    wanted = spec.get("replicas")
    if wanted is not None and status.get("readyReplicas", 0) < wanted:
        return f"Waiting for {wanted - status.get('readyReplicas', 0)} pods to be ready...\n", False
    partition = dig(spec, "updateStrategy.rollingUpdate.partition")
    if wanted is not None and partition is not None:
        if status.get("updatedReplicas", 0) < wanted - partition:
            return (f"Waiting for partitioned roll out to finish: {status.get('updatedReplicas', 0)} out of "
                    f"{wanted - partition} new pods have been "
                    "updated...\n"), False
        return f"partitioned roll out complete: {status.get('updatedReplicas', 0)} new pods have been updated...\n", True
    if status.get("updateRevision") != status.get("currentRevision"):
        return (f"waiting for statefulset rolling update to complete {status.get('updatedReplicas', 0)} pods at revision "
                f"{status.get('updateRevision')}...\n"), False
    return (f"statefulset rolling update complete {status.get('currentReplicas', 0)} pods at revision "
            f"{status.get('currentRevision')}...\n"), True


VISITED = ("CronJob", "Job", "Pod", "ReplicaSet", "ReplicationController")  # kinds that apps.KindVisitor knows besides
VIEWERS = {"deployments": _deployment_status, "daemonsets": _daemonset_status, "statefulsets": _statefulset_status}


# ---- history


def _histories(call: Call, info: Info) -> dict[int, tuple[Any, Any]]:
    """Revision -> (the ReplicaSet or ControllerRevision that keeps it, its Pod template)."""
    client = call.terminal.api.client
    plural = "replicasets" if info.resource.plural == "deployments" else "controllerrevisions"
    found: dict[int, tuple[Any, Any]] = {}
    for obj in client.list(plural, info.namespace):
        if controller_uid(obj) != info.object["metadata"]["uid"]:
            continue
        if plural == "replicasets":
            number = int(dig(obj, "metadata.annotations", {}).get(REVISION, 0))
            template = obj["spec"]["template"]
        else:
            number, template = int(obj["revision"]), dig(obj, "data.spec.template")
        if number:
            found[number] = (obj, template)
    return found


@verb("rollout history", *ROLLING, *PRINTING, Flag("revision", "int", default=0),
      summary="View rollout history", usage="rollout history (TYPE NAME | TYPE/NAME) [flags]")
def history(call: Call) -> Command:
    _revision_given(call)
    yield from _each(call, _tell)
    return 0


def _tell(call: Call, info: Info) -> None:
    if info.resource.plural not in VIEWERS:
        if info.resource.kind in VISITED:
            raise KubectlError(f'error: no history viewer has been implemented for "{_group_kind(info)}"\n')
        raise KubectlError(f'error: error retrieving history for "{_group_kind(info)}", no visitor method exists for '
                           f"{{{info.resource.group} {info.resource.kind}}}\n")
    held = _histories(call, info)
    revision = call.flags["revision"]
    if revision and revision not in held:
        raise KubectlError("error: unable to find the specified revision\n")
    if call.flags["output"] or call.flags["template"]:
        show = call.printer(typed=True)
        call.terminal.out("".join(show(_as_it_was(info, held[number])) for number in ([revision] if revision else sorted(held))))
        return
    kind = f"{info.resource.one}.{info.resource.group}/{info.name} "
    call.terminal.out((f"{kind}with revision #{revision}\n" + _template_text(held[revision]) if revision else kind + "\n"
                       + _table(held)) + "\n")


def _as_it_was(info: Info, held: tuple[Any, Any]) -> Any:
    """GetHistory: a ReplicaSet as it is; of a ControllerRevision the object that it keeps the template of (applyRevision)."""
    if held[0]["kind"] == "ReplicaSet":
        return held[0]
    template = {member: value for member, value in held[1].items() if member != "$patch"}
    return freeze({**info.object, "spec": {**info.object["spec"], "template": template}})


def _group_kind(info: Info) -> str:
    return info.resource.kind + (f".{info.resource.group}" if info.resource.group else "")


def _table(held: dict[int, tuple[Any, Any]]) -> str:
    lines = ["REVISION\tCHANGE-CAUSE\n"]
    for number in sorted(held):
        cause = dig(held[number][0], "metadata.annotations", {}).get(CHANGE_CAUSE) or "<none>"
        lines.append(f"{number}\t{cause}\n")
    return tabwriter.align("".join(lines), 0, 2)


def _template_text(held: tuple[Any, Any]) -> str:
    page = Page(0)
    cause = dig(held[0], "metadata.annotations", {}).get(CHANGE_CAUSE)
    template = thaw(held[1])
    if cause:
        template.setdefault("metadata", {}).setdefault("annotations", {})[CHANGE_CAUSE] = cause
    describe_template(page, template)
    return page.tabbed()  # no tab writer here


# ---- undo, restart, pause, resume


@verb("rollout undo", *ROLLING, *but(CHANGING, "field-manager"), Flag("to-revision", "int", default=0),
      summary="Undo a previous rollout", usage="rollout undo (TYPE NAME | TYPE/NAME) [flags]")
def undo(call: Call) -> Command:
    _required(call)
    yield from _each(call, _undo)
    return 0


def _undo(call: Call, info: Info) -> None:
    if info.resource.plural not in VIEWERS:
        raise KubectlError(f'error: no rollbacker has been implemented for "{_group_kind(info)}"\n')
    if LAST_APPLIED in dig(info.object, "metadata.annotations", {}):  # said before anything is looked at or fails
        call.terminal.err(f"Warning: resource {info.resource.plural}/{info.name} was previously managed with 'kubectl apply'. "
                          f"Rolling back will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future "
                          "'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n")
    wanted, held, of_deployment = call.flags["to-revision"], _histories(call, info), info.resource.plural == "deployments"
    if wanted and wanted not in held:
        raise KubectlError(f"error: unable to find specified revision {wanted} in history\n")
    numbers = sorted(held)
    if not wanted and len(numbers) < 2:
        raise KubectlError(f'error: no rollout history found for {info.resource.one} "{info.name}"\n' if of_deployment else
                           "error: no last revision to roll back to\n")
    number = wanted or numbers[-2]
    template = thaw(held[number][1])
    template.pop("$patch", None)
    if call.dry == "client":
        page = Page(0)
        describe_template(page, template)
        call.show(info.resource, info.object, ("" if of_deployment else "will roll back to ") + page.tabbed(), typed=True)
        return
    if of_deployment and dig(info.object, "spec.paused"):
        raise KubectlError("error: you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and "
                           "try again\n")
    template.get("metadata", {}).get("labels", {}).pop("pod-template-hash", None)
    if _same(template, info.object["spec"]["template"]):
        call.show(info.resource, info.object, f"skipped rollback (current template already matches revision {number})", typed=True)
        return
    body: Any = {"spec": {"template": {**template, "$patch": "replace"}}}
    kind = "application/strategic-merge-patch+json"
    if of_deployment:
        skip = {LAST_APPLIED, REVISION, "deployment.kubernetes.io/revision-history", "deployment.kubernetes.io/desired-replicas",
                "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to"}
        mine, theirs = dig(info.object, "metadata.annotations", {}), dig(held[number][0], "metadata.annotations", {})
        annotations = {key: value for key, value in mine.items() if key in skip} | {
            key: value for key, value in theirs.items() if key not in skip}
        body = [{"op": "replace", "path": "/spec/template", "value": template},
                {"op": "replace" if "annotations" in info.object["metadata"] else "add", "path": "/metadata/annotations", "value": annotations}]
        kind = "application/json-patch+json"
    call.request("patch", info.resource, info.name, info.namespace, body, patchType=kind)
    call.show(info.resource, info.object, "rolled back", typed=True)  # -o shows what it was before


def _same(template: Any, current: Any) -> bool:
    other = thaw(current)
    other.get("metadata", {}).get("labels", {}).pop("pod-template-hash", None)
    template = thaw(template)
    for one in (template, other):
        one.get("metadata", {}).pop("creationTimestamp", None)
    return bool(template == other)


@verb("rollout restart", *ROLLING, *TELLING, summary="Restart a resource", usage="rollout restart RESOURCE")
def restart(call: Call) -> Command:
    return (yield from _change(call, _restarted, "restarted"))


@verb("rollout pause", *ROLLING, *TELLING, summary="Mark the provided resource as paused", usage="rollout pause RESOURCE")
def pause(call: Call) -> Command:
    return (yield from _change(call, _paused, "paused"))


@verb("rollout resume", *ROLLING, *TELLING, summary="Resume a paused resource", usage="rollout resume RESOURCE")
def resume(call: Call) -> Command:
    return (yield from _change(call, _resumed, "resumed"))


def _restarted(call: Call, info: Info, obj: Any) -> str | None:
    if info.resource.plural not in VIEWERS:
        return f'error: {info.resource.qualified} "{info.name}" restarting is not supported'
    if info.resource.plural == "deployments" and dig(obj, "spec.paused"):
        return f"error: {info.resource.qualified} \"{info.name}\" can't restart paused deployment (run rollout resume first)"
    template = template_of(obj) or {}
    metadata = template.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), RESTARTED: rfc3339(call.now)}
    return None


def _paused(call: Call, info: Info, obj: Any) -> str | None:
    if info.resource.plural != "deployments":
        return f'error: {info.resource.qualified} "{info.name}" pausing is not supported'
    if dig(obj, "spec.paused"):
        return f'error: {info.resource.qualified} "{info.name}" is already paused'
    obj["spec"]["paused"] = True
    return None


def _resumed(call: Call, info: Info, obj: Any) -> str | None:
    if info.resource.plural != "deployments":
        return f'error: {info.resource.qualified} "{info.name}" resuming is not supported'
    if not dig(obj, "spec.paused"):
        return f'error: {info.resource.qualified} "{info.name}" is not paused'
    obj["spec"]["paused"] = False
    return None


def _change(call: Call, change: Any, done: str) -> Command:
    _required(call)
    infos, wrong = yield from select(call, unnamed_all=True)
    if not infos and not wrong and call.flags["selector"]:
        raise KubectlError(f"No resources found in {call.namespace} namespace.\n", 0)
    for info in infos:
        new: Any = thaw(info.object)
        if error := change(call, info, new):
            wrong.append(error)
            continue
        patch = two_way(info.resource, thaw(info.object), new)
        if done == "resumed":
            patch = {"spec": {"paused": None}}
        if not patch:
            wrong.append("error: if restart has already been triggered within the past second, please wait before attempting to "
                         "trigger another")
            continue
        try:
            if call.dry != "client":
                new = call.request("patch", info.resource, info.name, info.namespace, patch,
                                   patchType="application/strategic-merge-patch+json")
        except ApiError as error_:
            wrong.append(f"error: failed to patch: {error_.message}")
            continue
        call.show(info.resource, new, done)
    if wrong:
        raise Failures(wrong)
    return 0


def pods_of(call: Call, info: Info) -> list[Map]:
    """The Pods that a workload or Service selects, in key order."""
    from ...selectors import selects

    selector = dig(info.object, "spec.selector") or {}
    if info.resource.plural in ("services", "replicationcontrollers"):
        selector = {"matchLabels": selector}
    return [pod for pod in call.terminal.api.client.list(BY_PLURAL["pods"].plural, info.namespace)
            if selects(selector, pod["metadata"].get("labels"))]
