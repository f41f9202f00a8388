"""kubectl apply, create -f and replace: manifests into the cluster."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator
from typing import Any

from ...apiserver.errors import ApiError
from ...apiserver.ownership import fields, managers, records
from ...apiserver.patch import apply_patch
from ...objects import Map, dig, thaw
from .. import pruning, raw
from ..builder import FILES, Info, from_files, has_files, only_files
from ..editing import HEAD, session
from ..flags import Flag
from ..output.go_values import to_json
from ..patches import media_type, three_way
from ..pruning import LAST_APPLIED
from ..terminal import APPLYING, APPLYING_BY_PODS, Command, KubectlError, Wait
from ..verbs import CHANGING, RECORD, Call, Failures, fail_with, gathered, report_all, verb, wrapped
from .delete import cascading, delete_lines, gone

VALIDATION = {"true": "Strict", "strict": "Strict", "warn": "Warn", "false": "Ignore", "ignore": "Ignore"}
SENDING = (*FILES, *CHANGING, RECORD, Flag("validate", "opt", default="strict", bare="strict"))


def last_applied(obj: dict[str, Any], namespace: str) -> str:
    """The annotation's text: the manifest as compact, sorted JSON (util.GetModifiedConfiguration)."""
    plain = _with_namespace(obj, namespace)
    annotations = dict(plain["metadata"].get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    plain["metadata"]["annotations"] = annotations
    return to_json(plain) + "\n"


def _with_namespace(obj: dict[str, Any], namespace: str) -> dict[str, Any]:
    plain: dict[str, Any] = thaw(obj)
    metadata = plain.get("metadata")
    plain["metadata"] = metadata = metadata if isinstance(metadata, dict) else {}
    if namespace:
        metadata["namespace"] = metadata.get("namespace") or namespace
    return plain


def annotated(obj: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The manifest with itself in the annotation that apply compares against next time."""
    plain = _with_namespace(obj, namespace)
    held = plain["metadata"].get("annotations")
    if not isinstance(held, dict):  # whatever else is there is none to NestedStringMap, and so is lost
        held = plain["metadata"]["annotations"] = {}
    plain["metadata"]["annotations"] = {**held, LAST_APPLIED: last_applied(plain, namespace)}
    return plain


def sending(call: Call, **more: Any) -> dict[str, Any]:
    """The options of a request that carries a whole manifest."""
    if call.flags["validate"] not in VALIDATION:
        raise KubectlError(f'error: invalid - validate option "{call.flags["validate"]}"; must be one of: strict (or true), '
                           "warn, ignore (or false)\n")
    return {"fieldValidation": VALIDATION[call.flags["validate"]], **more}


def each(call: Call, do: Callable[[Info], None]) -> Generator[Wait, None, int]:
    """Do something with every object of -f; what goes wrong with one does not keep the others."""
    infos, wrong = yield from from_files(call)
    kinds = [info.resource.kind for info in infos]
    for index, info in enumerate(infos):
        if index:
            first = kinds[index] not in kinds[:index]
            yield APPLYING_BY_PODS if first and "Pod" in kinds[index - 1:index + 1] else APPLYING
        with gathered(wrong):
            do(info)
    fail_with(wrong)
    return 0


def show_list(call: Call, shown: list[tuple[Info, Any, str]]) -> None:
    """Several objects in one -o json or yaml go out as a List, as apply prints them."""
    form = call.flags["output"]
    if form and form.partition("=")[0] not in ("name",) and len(shown) > 1:
        objects = [obj for _, obj, _ in shown]
        call.show(shown[0][0].resource, {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": objects}, "")
        return
    for info, obj, done in shown:
        call.show(info.resource, obj, done)


@verb("apply", *SENDING, Flag("server-side", "bool"), Flag("force-conflicts", "bool"), Flag("force", "bool"),
      Flag("prune", "bool"), Flag("prune-allowlist", "array"),
      Flag("overwrite", "bool", default=True), Flag("wait", "bool"), Flag("timeout", "duration"),
      Flag("grace-period", "int", default=-1),
      Flag("cascade", "opt", default="background", bare="background"), Flag("selector", short="l"), Flag("all", "bool"),
      Flag("openapi-patch", "bool", default=True), Flag("subresource"),
      summary="Apply a configuration to a resource by file name or stdin", usage="apply (-f FILENAME | -k DIRECTORY)")
def apply(call: Call) -> Command:
    only_files(call)
    sending(call)
    if call.flags["force"] and call.flags["server-side"]:
        raise KubectlError("error: --force cannot be used with --server-side\n")
    if call.flags["force-conflicts"] and not call.flags["server-side"]:
        raise KubectlError("error: --force-conflicts only works with --server-side\n")
    if call.dry == "server" and call.flags["force"]:
        raise KubectlError("error: --dry-run=server cannot be used with --force\n")
    if call.flags["subresource"] and not call.flags["server-side"]:
        raise KubectlError("error: --subresource can only be specified for --server-side\n")
    policy = cascading(call)
    pruning.check(call)
    if call.dry == "client" and call.flags["server-side"]:
        raise KubectlError("error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)\n")
    do = _apply_server_side if call.flags["server-side"] else _apply
    shown: list[tuple[Info, Any, str]] = []
    try:
        yield from each(call, lambda info: shown.append((info, *do(call, info))))
    except Failures as failures:
        show_list(call, shown)
        call.terminal.err(report_all(failures.errors))
        return 1
    show_list(call, shown)
    if call.flags["prune"]:
        pruning.prune(call, [(info, obj) for info, obj, _ in shown], policy)
    return 0


def _apply(call: Call, info: Info) -> tuple[Any, str]:
    """One object, client-side. Gives (the object, created, configured or unchanged)."""
    if info.object.get("metadata", {}) and dig(info.object, "metadata.generateName") and not info.name:
        raise Failures([f"error: from {dig(info.object, 'metadata.generateName')}: cannot use generate name with apply"])
    if not info.name:
        raise Failures([f"error: error when retrieving current configuration of:\nResource: \"{_gvr(info)}\"\nName: \"\", "
                        f"Namespace: "
                        f'"{info.namespace}"\nfrom server for: "{info.source}": resource name may not be empty'])
    try:
        current = call.request("get", info.resource, info.name, info.namespace)
    except ApiError as error:
        if error.code != 404:
            raise
        made = annotated(info.object, info.namespace)
        if call.dry == "client":
            return made, "created"
        try:
            return call.request("create", info.resource, "", info.namespace, made, **sending(call)), "created"
        except ApiError as refusal:
            raise wrapped(refusal, "creating", info.source) from refusal
    previous = dig(current, "metadata.annotations", {}).get(LAST_APPLIED)
    if previous is None:
        call.terminal.err(f"Warning: resource {info.resource.name}/{info.name} is missing the {LAST_APPLIED} annotation which "
                          f"is required by "
                          "kubectl apply. kubectl apply should only be used on resources created declaratively by either "
                          "kubectl create "
                          "--save-config or kubectl apply. The missing annotation will be patched automatically.\n")
    modified = annotated(info.object, info.namespace)
    try:
        original = json.loads(previous) if previous else {}
    except ValueError:
        original = {}
    patch = three_way(info.resource, original, modified, thaw(current))
    if not patch:
        return current, "unchanged"
    if dig(current, "metadata.deletionTimestamp"):
        call.terminal.err(f"Warning: Detected changes to resource {info.name} which is currently being deleted.\n")
    if call.dry == "client":
        kind = "merge" if info.resource.custom is not None else "strategic"
        return Map(apply_patch(info.resource, current, patch, kind)), "configured"
    try:
        done = call.request("patch", info.resource, info.name, info.namespace, patch,
                            patchType=media_type(info.resource),
                            **sending(call))
    except ApiError as error:
        if call.flags["force"] and error.reason in ("Invalid", "Conflict"):
            call.request("delete", info.resource, info.name, info.namespace, gracePeriodSeconds=0)
            return call.request("create", info.resource, "", info.namespace, modified, **sending(call)), "configured"
        patching = wrapped(error, "patching", info.source)
        raise ApiError(error.code, error.reason, f"error when applying patch:\n{to_json(patch)}\nto:\nResource: "
                       f"\"{_gvr(info)}\"\n"
                       f'Name: "{info.name}", Namespace: "{info.namespace}"\nfor: "{info.source}": {patching.message}',
                       error.details) from error
    return done, "configured"


def _gvr(info: Info) -> str:
    version = info.resource.api_version
    if not info.resource.group:
        version = f"/{version}"
    return f'{version}, Resource={info.resource.name}", GroupVersionKind: "{version}, Kind={info.resource.kind}'


CONFLICTS = """{}
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""
CLIENT_SIDE = "kubectl-client-side-apply"


def _apply_server_side(call: Call, info: Info) -> tuple[Any, str]:
    body = _with_namespace(info.object, info.namespace)
    manager = call.flags["field-manager"] or "kubectl"

    def send() -> Any:
        return call.request("patch", info.resource, info.name, info.namespace, body, call.flags["subresource"] or "",
                            patchType="application/apply-patch+yaml", fieldManager=manager, force=call.flags["force-conflicts"], **sending(call))
    try:
        done = send()
        if call.dry == "none":
            done = _keep_last_applied(call, info, done, manager)
            if _migrate(call, info, done, manager):
                done = send()
    except ApiError as error:
        if error.code == 409:
            raise Failures([f"error: {CONFLICTS.format(error.message)}"]) from error
        raise
    return done, "serverside-applied"


def _keep_last_applied(call: Call, info: Info, done: Any, manager: str) -> Any:
    """The annotation of client-side apply gets an owner of its own, so that it stays (saveLastApplyAnnotationIfNecessary)."""
    text = dig(done, "metadata.annotations", {}).get(LAST_APPLIED)
    if manager != "kubectl" or text is None:
        return done
    path = {"f:metadata": {"f:annotations": {"f:" + LAST_APPLIED: fields.LEAF}}}
    if any(one.operation == "Apply" and fields.intersection(fields.parse(one.owned), path) for one in records.of(done)):
        return done
    metadata = {"name": info.name, **({"namespace": info.namespace} if info.namespace else {}), "annotations": {LAST_APPLIED: text}}
    body = {"apiVersion": info.resource.api_version, "kind": info.resource.kind, "metadata": metadata}
    return call.request("patch", info.resource, info.name, info.namespace, body, patchType="application/apply-patch+yaml",
                        fieldManager="kubectl-last-applied")


def _migrate(call: Call, info: Info, done: Any, manager: str) -> bool:
    """What client-side apply owned becomes the server-side applier's (csaupgrade.UpgradeManagedFieldsPatch). Whether there was anything."""
    if LAST_APPLIED not in dig(done, "metadata.annotations", {}):
        return False
    entries = records.of(done)
    old = [one for one in entries if (one.manager, one.operation, one.subresource) == (CLIENT_SIDE, "Update", "")]
    if not old:
        return False
    mine = next((one for one in entries if (one.manager, one.operation, one.subresource) == (manager, "Apply", "")), None)
    owned = fields.parse(mine.owned) if mine is not None else {}
    for one in old:
        owned = fields.union(owned, fields.parse(one.owned))
    owned = fields.difference(owned, {"f:metadata": {"f:annotations": {"f:" + LAST_APPLIED: fields.LEAF}}})
    last = max(old, key=lambda one: one.time)
    united = (mine or last._replace(manager=manager, operation="Apply"))._replace(owned=fields.write(owned))
    rest = [one for one in entries if one is not mine and one not in old]
    value = managers.shown(managers.ordered([united, *rest]))
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": value},
             {"op": "replace", "path": "/metadata/resourceVersion", "value": done["metadata"]["resourceVersion"]}]
    call.request("patch", info.resource, info.name, info.namespace, patch, patchType="application/json-patch+json", fieldManager=manager)
    return True


@verb("create", *SENDING, Flag("save-config", "bool"), Flag("edit", "bool"), Flag("selector", short="l"), Flag("raw"),
      Flag("windows-line-endings", "bool"),
      summary="Create a resource from a file or from stdin", usage="create -f FILENAME")
def create(call: Call) -> Command:
    only_files(call, "\n" if call.flags["raw"] else "\n\n")
    sending(call)
    if call.flags["raw"]:
        return (yield from raw.send(call, "create"))
    if call.flags["edit"]:
        return (yield from _edit_and_create(call))
    return (yield from each(call, lambda info: _create(call, info)))


def _edit_and_create(call: Call) -> Command:
    """Each object in the editor first; one that is left as it is is not created (EditBeforeCreateMode)."""
    infos, wrong = yield from from_files(call)
    fail_with(wrong)
    for info in infos:
        ours = dataclasses.replace(info, object=_with_namespace(info.object, info.namespace))
        code = yield from session(call, [ours], HEAD, lambda edited, _: _create_all(call, edited))
        if code:
            return code
    return 0


def _create_all(call: Call, infos: list[Info]) -> None:
    for info in infos:
        _create(call, dataclasses.replace(info, source=""))


def _create(call: Call, info: Info) -> None:
    obj = annotated(info.object, info.namespace) if call.flags["save-config"] else _with_namespace(info.object, info.namespace)
    if call.dry != "client":
        try:
            obj = call.request("create", info.resource, "", info.namespace, obj, **sending(call))
        except ApiError as error:
            raise wrapped(error, "creating", info.source) from error
    call.show(info.resource, obj, "created")


@verb("replace", *SENDING, Flag("save-config", "bool"), Flag("force", "bool"), Flag("cascade", "opt", default="background",
    bare="background"),
      Flag("grace-period", "int", default=-1), Flag("timeout", "duration"), Flag("wait", "bool"), Flag("raw"),
      Flag("subresource"),
      summary="Replace a resource by file name or stdin", usage="replace -f FILENAME")
def replace(call: Call) -> Command:
    if not has_files(call):
        raise KubectlError("error: must specify one of -f and -k\n")
    if call.flags["raw"]:
        return (yield from raw.send(call, "update"))
    if call.flags["force"]:
        if call.dry != "none":
            raise KubectlError("error: --dry-run can not be used when --force is set\n")
        return (yield from _force_replace(call))
    if call.flags["grace-period"] >= 0:
        raise KubectlError("error: --grace-period must have --force specified\n")
    return (yield from each(call, lambda info: _replace(call, info)))


def _replace(call: Call, info: Info) -> None:
    obj = annotated(info.object, info.namespace) if call.flags["save-config"] else _with_namespace(info.object, info.namespace)
    if call.dry != "client":
        try:
            obj = call.request("update", info.resource, info.name, info.namespace, obj, call.flags["subresource"] or "", **sending(call))
        except ApiError as error:
            raise wrapped(error, "replacing", info.source) from error
    call.show(info.resource, obj, "replaced")


def _force_replace(call: Call) -> Command:
    """Delete, wait until it is gone, create again."""
    infos, wrong = yield from from_files(call)
    fail_with(wrong)
    waiting = []
    for info in infos:
        try:
            live = call.request("get", info.resource, info.name, info.namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            continue
        grace = call.flags["grace-period"]
        call.request("delete", info.resource, info.name, info.namespace, propagationPolicy="Background",
                     **({"gracePeriodSeconds": grace} if grace >= 0 else {}))
        call.terminal.out(delete_lines(info.resource, info.name, info.namespace, force=grace == 0))
        waiting.append((info.resource, info.namespace, info.name, live["metadata"]["uid"]))
    yield from gone(call, waiting, call.flags["timeout"])
    for info in infos:
        made = call.request("create", info.resource, "", info.namespace, _with_namespace(info.object, info.namespace),
                            **sending(call))
        call.show(info.resource, made, "replaced")
    return 0
