"""Who may do what, by the cluster's own Roles and bindings (plugin/pkg/auth/authorizer/rbac/rbac.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from podlab.api.wire import Call
from podlab.kubernetes.apiserver.request import ADMIN
from podlab.kubernetes.cluster import Cluster as Engine

MASTERS, AUTHENTICATED, ACCOUNTS = "system:masters", "system:authenticated", "system:serviceaccounts"
ACCOUNT = "system:serviceaccount:"
ALL = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}]


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...]


OWNER = User(ADMIN, (MASTERS, AUTHENTICATED))


def user_of(call: Call) -> User:
    """The owner of the cluster, or whom the owner poses as (kubectl --as)."""
    name = call.headers.get("impersonate-user", "")
    if not name:
        return OWNER
    groups = tuple(filter(None, call.headers.get("impersonate-group", "").split(",")))
    if name.startswith(ACCOUNT) and not groups:
        groups = (ACCOUNTS, f"{ACCOUNTS}:{name.removeprefix(ACCOUNT).split(':')[0]}")
    return User(name, (*groups, AUTHENTICATED) if AUTHENTICATED not in groups else groups)


def verdict(engine: Engine, user: User, wanted: dict[str, Any]) -> dict[str, Any]:
    """The status of an access review. `wanted` has verb, group, resource, subresource, namespace, name; or path and verb."""
    if MASTERS in user.groups:
        return {"allowed": True}
    for rule, reason in _rules(engine, user, str(wanted.get("namespace") or "")):
        if _covers(rule, wanted):
            return {"allowed": True, "reason": reason}
    return {"allowed": False}


def rules_of(engine: Engine, user: User, namespace: str) -> list[dict[str, Any]]:
    if MASTERS in user.groups:
        return ALL
    return [{key: list(value) for key, value in rule.items()} for rule, _ in _rules(engine, user, namespace)]


def _rules(engine: Engine, user: User, namespace: str) -> Iterator[tuple[Any, str]]:
    """(rule, why it holds) for a user in a namespace ("" outside all)."""
    for binding in engine.etcd.list("clusterrolebindings"):
        if subject := _subject(binding, user, ""):
            yield from ((rule, _reason("ClusterRoleBinding", binding, subject)) for rule in _role(engine, binding, ""))
    for binding in engine.etcd.list("rolebindings", namespace) if namespace else ():
        if subject := _subject(binding, user, namespace):
            yield from ((rule, _reason("RoleBinding", binding, subject)) for rule in _role(engine, binding, namespace))


def _subject(binding: Any, user: User, namespace: str) -> str:
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        home = subject.get("namespace") or namespace
        if kind == "ServiceAccount" and user.name == f"{ACCOUNT}{home}:{name}":
            return f'ServiceAccount "{name}/{home}"'
    return ""


def _reason(kind: str, binding: Any, subject: str) -> str:
    metadata, role = binding["metadata"], binding["roleRef"]
    name = f"{metadata['name']}/{metadata['namespace']}" if metadata.get("namespace") else metadata["name"]
    return f'RBAC: allowed by {kind} "{name}" of {role["kind"]} "{role["name"]}" to {subject}'


def _role(engine: Engine, binding: Any, namespace: str) -> Any:
    reference = binding["roleRef"]
    if reference["kind"] == "ClusterRole":
        role = engine.etcd.get("clusterroles", reference["name"])
    else:
        role = engine.etcd.get("roles", f"{namespace}/{reference['name']}")
    return (role or {}).get("rules") or ()


def _covers(rule: Any, wanted: dict[str, Any]) -> bool:
    def has(member: str, value: str) -> bool:
        held = rule.get(member) or ()
        return "*" in held or value in held
    if not has("verbs", str(wanted.get("verb") or "")):
        return False
    if "path" in wanted:
        return any(url == wanted["path"] or (url.endswith("*") and wanted["path"].startswith(url[:-1]))
                   for url in rule.get("nonResourceURLs") or ())
    resource, part = str(wanted.get("resource") or ""), str(wanted.get("subresource") or "")
    full = f"{resource}/{part}" if part else resource
    resources = rule.get("resources") or ()
    if not has("apiGroups", str(wanted.get("group") or "")):
        return False
    if "*" not in resources and full not in resources and not (part and f"*/{part}" in resources):
        return False
    names = rule.get("resourceNames") or ()
    return not names or wanted.get("name") in names


def forbidden(user: User, wanted: dict[str, Any]) -> str:
    """The words of a refusal, after `<resource> is forbidden: `."""
    resource = wanted["resource"] + (f"/{wanted['subresource']}" if wanted.get("subresource") else "")
    where = f' in the namespace "{wanted["namespace"]}"' if wanted.get("namespace") else " at the cluster scope"
    return f'User "{user.name}" cannot {wanted["verb"]} resource "{resource}" in API group "{wanted.get("group", "")}"{where}'
