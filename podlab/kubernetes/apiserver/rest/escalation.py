"""Nobody gives more than they have: who writes a role must hold its rules, who binds one too (pkg/registry/rbac/*/policybased/storage.go)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from .. import rbac
from ..errors import forbidden
from ..request import Request

if TYPE_CHECKING:
    from ...ground import Ground

ROLES, BINDINGS, GROUP = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings"), "rbac.authorization.k8s.io"


def check(engine: Ground, user: rbac.User, request: Request) -> None:
    """Raises ApiError 403 for a role or binding that would grant what its writer does not hold; `escalate` and `bind` allow it."""
    if request.resource not in (*ROLES, *BINDINGS) or user is rbac.OWNER or rbac.MASTERS in user.groups:
        return
    namespace = request.namespace or ""
    made = engine.server.perform(replace(request, options={**request.options, "dryRun": "All"}))
    name = made["metadata"]["name"]
    if request.resource in ROLES:
        verb, wanted, rules = "escalate", {"resource": request.resource, "name": name}, made.get("rules") or ()
    else:
        reference = made["roleRef"]
        plural = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
        verb, wanted, rules = "bind", {"resource": plural, "name": reference["name"]}, rbac.rules_of_role(engine, made, namespace)
    if rbac.verdict(engine, user, {"verb": verb, "group": GROUP, "namespace": namespace, **wanted})["allowed"]:
        return
    held = rbac.rules_of(engine, user, namespace)
    missing: dict[tuple[Any, ...], list[str]] = {}
    for rule in rules:
        for what, verb in _atoms(rule):
            if not any(rbac.covers(one, {**dict(what), "verb": verb}) for one in held):
                missing.setdefault(what, []).append(verb)
    if missing:
        lines = sorted(_shown(dict(what), verbs) for what, verbs in missing.items())
        raise forbidden(GROUP, request.resource, name, f'user "{user.name}" (groups={_quoted(user.groups)}) is attempting to grant RBAC permissions '
                                                     "not currently held:\n" + "\n".join(lines))


def _atoms(rule: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    """((what as items, verb) of each single right that a rule gives (BreakdownRule, pkg/apis/rbac/validation)."""
    for group, full, name, verb in product(rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("resourceNames") or ("",),
                                           rule.get("verbs") or ()):
        resource, _, part = full.partition("/")
        yield (("group", group), ("resource", resource), ("subresource", part), ("name", name)), verb
    for path, verb in product(rule.get("nonResourceURLs") or (), rule.get("verbs") or ()):
        yield (("path", path),), verb


def _shown(what: dict[str, str], verbs: list[str]) -> str:
    """PolicyRule's CompactString."""
    if "path" in what:
        return f"{{NonResourceURLs:{_quoted([what['path']])}, Verbs:{_quoted(verbs)}}}"
    full = what["resource"] + (f"/{what['subresource']}" if what["subresource"] else "")
    named = f", ResourceNames:{_quoted([what['name']])}" if what["name"] else ""
    return f"{{APIGroups:{_quoted([what['group']])}, Resources:{_quoted([full])}{named}, Verbs:{_quoted(verbs)}}}"


def _quoted(words: list[str] | tuple[str, ...]) -> str:
    """Go's %q of a slice."""
    return "[" + " ".join(json.dumps(word) for word in words) + "]"
