"""kubectl set: image, env, resources, selector, serviceaccount, subject."""

from __future__ import annotations

import base64
import re
from typing import Any

from ... import quantity, selectors
from ...apiserver.errors import ApiError
from ...objects import thaw
from ...resources import BY_PLURAL
from ..builder import Info, has_files, select, select_local, targets
from ..flags import Flag, but
from ..pod_specs import containers_named, pod_spec
from ..templates import CONTAINERS, SETTING, local_files, parted, update, without_template
from ..terminal import Command, KubectlError
from ..verbs import Call, fail_with, verb

Json = dict[str, Any]


@verb("set image", *SETTING, summary="Update the image of a pod template",
      usage="set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N")
def set_image(call: Call) -> Command:
    names, pairs = parted(call.arguments, "image")
    images = dict(pair.partition("=")[::2] for pair in pairs)
    if "*" in images and len(images) > 1:
        raise KubectlError("error: all containers are already specified by *, but saw more than one "
                           "container_name=container_image pairs\n")

    def change(obj: Json, info: Info) -> str | None:
        spec = pod_spec(obj)
        if spec is None:
            return without_template(info)
        for container, image in images.items():
            found = containers_named(spec, container)
            if not found:
                strangers.append(f'error: unable to find container named "{container}"')
            for one in found:
                one["image"] = image
        return None
    strangers: list[ApiError | str] = []  # the others' images are set nevertheless
    asked = "" if pairs else "at least one image update is required"
    code = yield from update(call, change, "image updated", "failed to patch image update to pod template", names, asked=asked)
    fail_with(strangers)
    return code


def _environment(words: list[str]) -> tuple[dict[str, str], list[str]]:
    wanted: dict[str, str] = {}
    removed: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            removed.append(word[:-1])
        elif not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name):
            raise KubectlError(f'error: "{name}" is not a valid key name: a valid environment variable name must consist of '
                               f'alphabetic characters, '
                               "digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or "
                               "'MY_ENV.NAME',  or "
                               "'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')\n")
        else:
            wanted[name] = value
    if any(name in wanted for name in removed):
        raise KubectlError("error: can not both modify and remove the same environment variable in the same command\n")
    return wanted, removed


@verb("set env", *SETTING, CONTAINERS, Flag("env", "array", "e"), Flag("from"), Flag("list", "bool"), Flag("resolve", "bool"),
      Flag("overwrite", "bool", default=True),
      Flag("prefix"), Flag("keys", "list"),
      summary="Update environment variables on a pod template", usage="set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N")
def set_env(call: Call) -> Command:
    flags = call.flags

    names, changes = parted(call.arguments, "environment")
    if not names and not has_files(call):
        raise KubectlError("error: one or more resources must be specified as <resource> <name> or <resource>/<name>\n")
    if flags["list"] and flags["output"]:
        raise KubectlError("error: --list and --output may not be specified together\n")
    if flags["keys"] and not flags["from"]:
        raise KubectlError("error: when specifying --keys, a configmap or secret must be provided with --from\n")
    if names[-1:] == ["-"]:
        names = names[:-1]
        changes += [line for line in (yield from call.terminal.read_all()).splitlines() if line.strip() and not line.startswith("#")]
    wanted, removed = _environment(flags["env"] + changes)
    added: list[Json] = [{"name": name, **({"value": value} if value else {})} for name, value in wanted.items()]
    if flags["from"]:
        added += [one for one in _from_source(call, flags["from"]) if one["name"] not in wanted]  # findEnv: the first of a name
    if flags["list"]:
        return (yield from _list_env(call, names))

    def change(obj: Json, info: Info) -> str | None:
        spec = pod_spec(obj)
        if spec is None:
            return without_template(info)
        found = containers_named(spec, flags["containers"])
        if not found:
            call.terminal.err(f"Warning: {info.resource.kind}/{info.name} does not have any containers matching \"{flags['containers']}\"\n")
        for container in found:
            env = container.get("env") or []
            if not flags["overwrite"]:
                clash = [one["name"] for one in env if one["name"] in wanted and one.get("value") != wanted[one["name"]]]
                if clash:
                    held_value = next(one.get("value") for one in env if one["name"] == clash[0])
                    return f"error: {info.resource.plural}/{info.name} '{clash[0]}' already has a value ({held_value}), and --overwrite is false"
            for new in added:
                held = next((one for one in env if one["name"] == new["name"]), None)
                if held is None:
                    env.append(new)
                else:
                    held.clear()
                    held.update(new)
            container["env"] = [one for one in env if one["name"] not in removed]
            if not container["env"]:
                del container["env"]
        return None
    return (yield from update(call, change, "env updated", "failed to patch env update to pod template", names))


def _from_source(call: Call, source: str) -> list[Json]:
    target = targets([source], call.customs)[0]
    if not target.name:
        raise KubectlError("error: resource(s) were provided, but no name was specified\n")
    name, plural = target.name, target.resource.plural
    obj = call.request("get", target.resource, name, call.namespace if target.resource.namespaced else "")
    if plural not in ("configmaps", "secrets"):
        raise KubectlError("error: unsupported resource specified in --from\n")
    keys = [key for key in sorted(obj.get("data") or {}) if not call.flags["keys"] or key in call.flags["keys"]]
    member = "configMapKeyRef" if plural == "configmaps" else "secretKeyRef"
    named = {key: re.sub(r"[^A-Z0-9_]", "_", key.upper()) for key in keys}
    for key, variable in named.items():
        if variable != key:
            call.terminal.err(f"Warning: key {key} transferred to {variable}\n")
    return [{"name": (call.flags["prefix"] or "") + variable, "valueFrom": {member: {"name": name, "key": key}}} for key, variable in named.items()]


def _list_env(call: Call, names: list[str]) -> Command:
    infos, wrong = yield from select(call, names)
    for info in infos:
        spec = pod_spec(thaw(info.object)) or {}
        for container in containers_named(spec, call.flags["containers"]):
            call.terminal.out(f"# {info.resource.kind} {info.name}, container {container['name']}\n")
            unresolved: dict[str, list[str]] = {}  # what went wrong -> the variables
            for one in container.get("env") or ():
                if "valueFrom" not in one:
                    call.terminal.out(f"{one['name']}={one.get('value', '')}\n")
                    continue
                try:
                    if call.flags["resolve"]:
                        call.terminal.out(f"{one['name']}={_resolved(call, one['valueFrom'], info, container)}\n")
                        continue
                except (ApiError, KubectlError) as error:
                    unresolved.setdefault(str(error), []).append(one["name"])
                call.terminal.out(f"# {one['name']} from {_reference(one['valueFrom'])}\n")
            for said in sorted(f"error retrieving reference for {', '.join(sorted(of))}: {why}" for why, of in unresolved.items()):
                call.terminal.err(said + "\n")
    fail_with(wrong)
    return 0


def _reference(source: Json) -> str:
    """GetEnvVarRefString."""
    kind, ref = next(iter(source.items()))
    what = {"configMapKeyRef": "configmap", "secretKeyRef": "secret"}.get(kind)
    if what:
        return f"{what} {ref.get('name')}, key {ref.get('key')}"
    if kind == "fieldRef":
        return f"field path {ref['fieldPath']}"
    within = f"{ref['containerName']}/" if ref.get("containerName") else ""
    return f"resource field {within}{ref.get('resource')}" if kind == "resourceFieldRef" else "invalid valueFrom"


MARKS = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")  # fieldpath.ExtractFieldPathAsString


def _resolved(call: Call, source: Json, info: Info, container: Json) -> str:
    """GetEnvVarRefValue: fields are those of the object that is asked for, not of a Pod. Raises KubectlError or ApiError."""
    kind, ref = next(iter(source.items()))
    if kind in ("secretKeyRef", "configMapKeyRef"):
        plural, what = ("secrets", "secret") if kind == "secretKeyRef" else ("configmaps", "config map")
        data = call.request("get", BY_PLURAL[plural], ref["name"], call.namespace).get("data") or {}
        if ref["key"] not in data:
            raise KubectlError(f"key {ref['key']} not found in {what} {ref['name']}")
        return base64.b64decode(data[ref["key"]]).decode("utf-8", "replace") if plural == "secrets" else str(data[ref["key"]])
    if kind == "resourceFieldRef":
        which, _, name = ref["resource"].partition(".")
        amount = quantity.parse(str(((container.get("resources") or {}).get(which) or {}).get(name, "0")))
        return str(-(-amount // (quantity.parse(str(ref.get("divisor") or "1")) or 1)))
    path: str = ref["fieldPath"]
    if (found := MARKS.fullmatch(path)) is not None:
        return str((info.object["metadata"].get(found[1]) or {}).get(found[2], ""))
    if path not in ("metadata.name", "metadata.namespace", "metadata.uid"):
        raise KubectlError(f"unsupported fieldPath: {path}")
    return str(info.object["metadata"].get(path.removeprefix("metadata."), ""))


@verb("set resources", *SETTING, CONTAINERS, Flag("limits"), Flag("requests"), summary="Update resource requests/limits on objects with pod "
      "templates",
      usage="set resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]")
def set_resources(call: Call) -> Command:
    flags = call.flags
    if not call.arguments and not has_files(call):
        yield from select(call)
    if not flags["limits"] and not flags["requests"]:
        raise KubectlError("error: you must specify an update to requests or limits (in the form of --requests/--limits)\n")
    parts = {member: resource_list(flags[member]) for member in ("limits", "requests") if flags[member]}

    def change(obj: Json, info: Info) -> str | None:
        spec = pod_spec(obj)
        if spec is None:
            return without_template(info)
        found = containers_named(spec, flags["containers"])
        if not found:
            return f"error: unable to find container named {flags['containers']}"
        for container in found:
            resources = container.setdefault("resources", {})
            for member, values in parts.items():
                resources[member] = {**(resources.get(member) or {}), **values}
        return None
    return (yield from update(call, change, "resource requirements updated",
                              "failed to patch resources update to pod template %s"))


def resource_list(text: str) -> dict[str, str]:
    """`cpu=1,memory=1Gi` as the API has it (S/kubectl/pkg/generate/versioned/run.go, populateResourceListV1)."""
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals:
            raise KubectlError(f"error: Invalid argument syntax {part}, expected <resource>=<value>\n")
        try:
            quantity.parse(value)
        except quantity.QuantityError as error:
            raise KubectlError("error: quantities must match the regular expression "
                               "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n") from error
        found[name] = value
    return found


@verb("set serviceaccount", *but(SETTING, "selector"), summary="Update the service account of a resource",
      usage="set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT", aliases="sa")
def set_serviceaccount(call: Call) -> Command:
    if not call.arguments:
        raise KubectlError("error: serviceaccount is required\n")

    def change(obj: Json, info: Info) -> str | None:
        spec = pod_spec(obj)
        if spec is None:
            return without_template(info)
        spec["serviceAccountName"] = call.arguments[-1]
        return None
    return (yield from update(call, change, "serviceaccount updated", "failed to patch ServiceAccountName %s",
                              call.arguments[:-1]))


@verb("set selector", *but(SETTING, "selector", "kustomize"), Flag("resource-version"), summary="Set the selector on a resource",
      usage="set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]")
def set_selector(call: Call) -> Command:
    if not call.arguments:
        raise KubectlError("error: one selector is required\n")
    expression = call.arguments[-1]
    try:
        wanted = selectors.as_object(expression)
    except selectors.SelectorError as error:
        raise KubectlError(f"error: {error}\n") from None

    def change(obj: Json, info: Info) -> str | None:
        if info.resource.plural != "services":
            return "error: setting a selector is only supported for Services"
        if expressions := wanted.get("matchExpressions"):
            shown = " ".join(f"{{{one['key']} {one['operator']} [{' '.join(one.get('values', ()))}]}}" for one in expressions)
            return f"error: match expression [{shown}] not supported on this object"
        obj["spec"]["selector"] = wanted.get("matchLabels", {})
        return None
    return (yield from update(call, change, "selector updated", "failed to patch selector update %s", call.arguments[:-1], always=True))


@verb("set subject", *SETTING, Flag("user", "array"), Flag("group", "array"), Flag("serviceaccount", "array"),
      summary="Update the user, group, or service account in a role binding or cluster role binding",
      usage="set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] "
      "[--serviceaccount=namespace:serviceaccountname]")
def set_subject(call: Call) -> Command:
    from .create_rights import subjects

    if not call.arguments and not has_files(call):
        yield from select(call)
    added = subjects(call)
    if not added:
        raise KubectlError("error: you must specify at least one value of user, group or serviceaccount\n")
    local_files(call)
    infos, wrong = yield from (select_local(call) if call.flags["local"] else select(call))
    for info in infos:
        if info.resource.plural not in ("rolebindings", "clusterrolebindings"):
            wrong.append(f"error: {info.resource.plural}/{info.name} setting subjects is only supported for RoleBinding/ClusterRoleBinding")
            continue
        new = thaw(info.object)
        new["subjects"] = [*(new.get("subjects") or ()), *(one for one in added if one not in (new.get("subjects") or ()))]
        try:
            if call.dry != "client" and not call.flags["local"]:
                new = call.request("update", info.resource, info.name, info.namespace, new)
            call.show(info.resource, new, "subjects updated", typed=True)
        except ApiError as error:
            wrong.append(error)
    fail_with(wrong)
    return 0
