"""Who may do what, by the cluster's own Roles and bindings (plugin/pkg/auth/authorizer/rbac/rbac.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ApiError, forbidden
from .request import ADMIN

if TYPE_CHECKING:
    from ..ground import Ground

MASTERS, AUTHENTICATED, ACCOUNTS = "system:masters", "system:authenticated", "system:serviceaccounts"
ACCOUNT = "system:serviceaccount:"
SESSIONS = ("attach", "exec", "portforward")  # a GET of these needs the right to create too (AuthorizePodWebsocketUpgradeCreatePermission)
READING = ("get", "list", "watch")
ALL = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
VIEW = [{"verbs": list(READING), "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["get"], "nonResourceURLs": ["*"]},
        {"verbs": ["create"], "apiGroups": ["authentication.k8s.io", "authorization.k8s.io"],
         "resources": ["selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"]}]  # the last as system:basic-user


@dataclass(frozen=True, slots=True)
class User:
    """authentication.k8s.io UserInfo. `extra`: ((key, (values ...)), ...)."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            found["uid"] = self.uid
        if self.extra:
            found["extra"] = {key: list(values) for key, values in self.extra}
        return found


OWNER = User(ADMIN, ("kubeadm:cluster-admins", AUTHENTICATED))  # as kubeadm makes the administrator's certificate
VIEWER = User("podlab-viewer", ("podlab:viewers", AUTHENTICATED))  # the bearer of a read-only token: a teacher


def account_groups(name: str) -> tuple[str, ...]:
    """The groups that come with the user name of a ServiceAccount, `system:serviceaccount:namespace:name`; none for another's."""
    parts = name.removeprefix(ACCOUNT).split(":") if name.startswith(ACCOUNT) else []
    return (ACCOUNTS, f"{ACCOUNTS}:{parts[0]}") if len(parts) == 2 else ()


def check(engine: Ground, user: User, wanted: dict[str, Any]) -> None:
    """Raises ApiError 403 for what a user may not do. `wanted` as in `verdict`."""
    if user is OWNER:
        return
    if user is VIEWER and wanted.get("subresource") == "proxy":  # what an application does on a GET is not known
        wanted = {**wanted, "verb": "create"}
    if verdict(engine, user, wanted)["allowed"]:
        if wanted.get("subresource") not in SESSIONS or wanted["verb"] != "get":
            return
        wanted = {**wanted, "verb": "create"}
        if verdict(engine, user, wanted)["allowed"]:
            return
    if "path" in wanted:
        raise ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {wanted["verb"]} path "{wanted["path"]}"', {})
    group, plural, name = wanted.get("group", ""), wanted["resource"], wanted.get("name", "")
    raise forbidden(group, plural, name, words(user, wanted))


def verdict(engine: Ground, user: User, wanted: dict[str, Any]) -> dict[str, Any]:
    """The status of an access review. `wanted` has verb, group, resource, subresource, namespace, name; or path and verb."""
    if MASTERS in user.groups:
        return {"allowed": True}
    for rule, reason in _rules(engine, user, str(wanted.get("namespace") or "")):
        if covers(rule, wanted):
            return {"allowed": True, "reason": reason}
    return {"allowed": user is OWNER}


def rules_of(engine: Ground, user: User, namespace: str) -> list[dict[str, Any]]:
    if MASTERS in user.groups or user is OWNER:
        return ALL
    return [{key: list(value) for key, value in rule.items()} for rule, _ in _rules(engine, user, namespace)]


def _rules(engine: Ground, user: User, namespace: str) -> Iterator[tuple[Any, str]]:
    """(rule, why it holds) for a user in a namespace ("" outside all)."""
    if VIEWER.name == user.name:  # what the people of a cluster bind to everybody makes a viewer no writer
        yield from ((rule, "") for rule in VIEW)
        return
    for binding in engine.etcd.list("clusterrolebindings"):
        if subject := _subject(binding, user, ""):
            yield from ((rule, _reason("ClusterRoleBinding", binding, subject)) for rule in rules_of_role(engine, binding, ""))
    for binding in engine.etcd.list("rolebindings", namespace) if namespace else ():
        if subject := _subject(binding, user, namespace):
            yield from ((rule, _reason("RoleBinding", binding, subject)) for rule in rules_of_role(engine, binding, namespace))


def _subject(binding: Any, user: User, namespace: str) -> str:
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        home = subject.get("namespace") or namespace
        if kind == "ServiceAccount" and user.name == f"{ACCOUNT}{home}:{name}":  # the name alone counts, whoever bears it
            return f'ServiceAccount "{name}/{home}"'
    return ""


def _reason(kind: str, binding: Any, subject: str) -> str:
    metadata, role = binding["metadata"], binding["roleRef"]
    name = f"{metadata['name']}/{metadata['namespace']}" if metadata.get("namespace") else metadata["name"]
    return f'RBAC: allowed by {kind} "{name}" of {role["kind"]} "{role["name"]}" to {subject}'


def rules_of_role(engine: Ground, binding: Any, namespace: str) -> Any:
    """The rules of the role that a binding names; none where there is no such role."""
    reference = binding["roleRef"]
    role: Any
    if reference["kind"] == "ClusterRole":
        role = engine.etcd.get("clusterroles", reference["name"])
    else:
        role = engine.etcd.get("roles", f"{namespace}/{reference['name']}")
    return (role or {}).get("rules") or ()


def covers(rule: Any, wanted: dict[str, Any]) -> bool:
    """Whether a rule allows what is `wanted`, as in `verdict`."""
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


def words(user: User, wanted: dict[str, Any]) -> str:
    """The words of a refusal, after `<resource> is forbidden: ` (apiserver/pkg/endpoints/handlers/responsewriters/errors.go)."""
    resource = wanted["resource"] + (f"/{wanted['subresource']}" if wanted.get("subresource") else "")
    where = f' in the namespace "{wanted["namespace"]}"' if wanted.get("namespace") else " at the cluster scope"
    return f'User "{user.name}" cannot {wanted["verb"]} resource "{resource}" in API group "{wanted.get("group", "")}"{where}'
