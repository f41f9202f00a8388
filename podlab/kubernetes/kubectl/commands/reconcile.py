"""kubectl auth reconcile: roles and bindings as files want them, what is there kept (S/component-helpers/auth/rbac/reconciliation)."""

from __future__ import annotations

from itertools import product
from typing import Any

from ...apiserver.errors import ApiError, not_found
from ...objects import dig, thaw
from ..builder import FILES, Info, from_files, has_files
from ..flags import Flag, but
from ..terminal import Command, KubectlError
from ..verbs import CHANGING, Call, Failures, fail_with, gathered, verb

Json = dict[str, Any]
ROLES, BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")
PROTECTED = "rbac.authorization.kubernetes.io/autoupdate"  # "false": nobody but its owner changes this
RULE = (("verbs", "Verbs"), ("apiGroups", "APIGroups"), ("resources", "Resources"), ("resourceNames", "ResourceNames"),
        ("nonResourceURLs", "NonResourceURLs"))
SUBJECT = (("kind", "Kind"), ("apiGroup", "APIGroup"), ("name", "Name"), ("namespace", "Namespace"))


@verb("auth reconcile", *FILES, *but(CHANGING, "field-manager"), Flag("remove-extra-permissions", "bool"), Flag("remove-extra-subjects", "bool"),
      summary="Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects", usage="auth reconcile -f FILENAME")
def reconcile(call: Call) -> Command:
    if not has_files(call):
        raise KubectlError("error: must specify one of -f and -k\n")
    if call.arguments:
        raise KubectlError("error: no arguments are allowed\n")
    if call.dry == "server":
        raise KubectlError("error: --dry-run=server for command reconcile is not supported yet\n")
    infos, wrong = yield from from_files(call)
    for info in infos:
        if info.resource.plural in ROLES + BINDINGS:
            with gathered(wrong):
                _one(call, info)
    fail_with(wrong)
    return 0


def _one(call: Call, info: Info) -> None:
    """One object. Raises ApiError. Read without the cluster, so a file that names no namespace means none (resource.Builder.Local)."""
    resource, wanted = info.resource, thaw(info.object)
    namespace = dig(wanted, "metadata.namespace", "")
    removing = call.flags["remove-extra-permissions" if resource.plural in ROLES else "remove-extra-subjects"]
    try:
        if resource.namespaced and not namespace:
            raise not_found(resource.group, resource.plural, info.name)
        held: Any = thaw(call.request("get", resource, info.name, namespace))
    except ApiError as error:
        if error.code != 404:
            raise
        held = None
    made, operation, missing, extra = wanted, "create", wanted.get(_member(info)) or [], list[Json]()
    if held is not None:
        made, operation, missing, extra = _merged(info, held, wanted, removing)
    protected = held is not None and dig(held, "metadata.annotations", {}).get(PROTECTED) == "false"
    if operation and call.dry == "none" and not protected:
        made = _write(call, info, namespace, made, operation)
    call.show(resource, made, "reconciled")
    if not operation:
        return
    caveat = f", but object opted out ({PROTECTED}: false)" if protected else ""
    call.terminal.err(f"\treconciliation required {operation}{caveat}\n")
    rules = resource.plural in ROLES
    shape, added, removed = (RULE, "rules", "rules") if rules else (SUBJECT, "subjects", "subjects")
    if missing:
        call.terminal.err(f"\tmissing {added} added:\n" + "".join(f"\t\t{_printed(one, shape)}\n" for one in missing))
    if extra and removing:
        call.terminal.err(f"\textra {removed} removed:\n" + "".join(f"\t\t{_printed(one, shape)}\n" for one in extra))


def _member(info: Info) -> str:
    return "rules" if info.resource.plural in ROLES else "subjects"


def _write(call: Call, info: Info, namespace: str, made: Json, operation: str) -> Any:
    resource = info.resource
    if operation == "update":
        return call.request("update", resource, info.name, namespace, made)
    if operation == "recreate":
        call.request("delete", resource, info.name, namespace)
    elif resource.namespaced:
        _ensure_namespace(call, namespace)
    return call.request("create", resource, "", namespace, made)


def _ensure_namespace(call: Call, name: str) -> None:
    if not name:
        raise Failures(["resource name may not be empty"])
    try:
        call.request("get", "namespaces", name)
    except ApiError as error:
        if error.code != 404:
            raise
        call.request("create", "namespaces", "", "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def _merged(info: Info, held: Json, wanted: Json, removing: bool) -> tuple[Json, str, list[Json], list[Json]]:
    """(the object to write, update, recreate or "" for nothing, what it lacked, what it had beyond)."""
    member = _member(info)
    if member == "subjects" and held.get("roleRef") != wanted.get("roleRef"):
        return wanted, "recreate", [], []
    made, operation = {**held, "metadata": dict(held["metadata"])}, ""
    for marks in ("annotations", "labels"):
        there = held["metadata"].get(marks) or {}
        merged = {**dig(wanted, f"metadata.{marks}", {}), **there}
        if merged != there:
            made["metadata"][marks], operation = merged, "update"
    if member == "rules" and wanted.get("aggregationRule") is not None:
        return made, operation, [], []
    mine, yours = held.get(member) or [], wanted.get(member) or []
    lacking = _uncovered if member == "rules" else _unlisted
    missing, extra = lacking(mine, yours), lacking(yours, mine)
    if missing or (removing and extra):
        made[member], operation = (yours if removing else [*mine, *missing]), "update"
    return made, operation, missing, extra


def _unlisted(held: list[Json], wanted: list[Json]) -> list[Json]:
    return [one for one in wanted if one not in held]


def _uncovered(held: list[Json], wanted: list[Json]) -> list[Json]:
    """The single permissions of `wanted` that no rule of `held` gives (validation.Covers, BreakdownRule)."""
    return [one for rule in wanted for one in _single(rule) if not any(_gives(other, one) for other in held)]


def _single(rule: Json) -> list[Json]:
    found: list[Json] = []
    for group, resource, verb_ in product(rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("verbs") or ()):
        one: Json = {"apiGroups": [group], "resources": [resource], "verbs": [verb_]}
        found += [{**one, "resourceNames": [name]} for name in rule["resourceNames"]] if rule.get("resourceNames") else [one]
    return found + [{"nonResourceURLs": [url], "verbs": [verb_]} for url in rule.get("nonResourceURLs") or () for verb_ in rule.get("verbs") or ()]


def _gives(rule: Json, single: Json) -> bool:
    """Whether a rule covers a single permission (ruleCovers)."""
    def has(member: str) -> bool:
        held = rule.get(member) or ()
        return "*" in held or all(one in held for one in single[member])
    if not has("verbs"):
        return False
    if "nonResourceURLs" in single:
        url = single["nonResourceURLs"][0]
        return any(one in ("*", url) or (one.endswith("*") and url.startswith(one[:-1])) for one in rule.get("nonResourceURLs") or ())
    resource = single["resources"][0]
    held = rule.get("resources") or ()
    part = resource.partition("/")[2]
    names = rule.get("resourceNames") or ()
    return (has("apiGroups") and ("*" in held or resource in held or bool(part and f"*/{part}" in held))
            and (not names or (bool(single.get("resourceNames")) and single["resourceNames"][0] in names)))


def _printed(one: Json, shape: tuple[tuple[str, str], ...]) -> str:
    """A Go struct as %+v has it."""
    def text(value: Any) -> str:
        return f"[{' '.join(value)}]" if isinstance(value, list) else str(value)
    return "{" + " ".join(f"{name}:{text(one.get(member) or ([] if shape is RULE else ''))}" for member, name in shape) + "}"
