"""kubectl create KIND: roles, bindings and tokens (S/kubectl/pkg/cmd/create)."""

from __future__ import annotations

from ...apiserver.errors import ApiError
from ...resources import by_any_name
from ..flags import Flag
from ..terminal import KubectlError
from ..verbs import PRINTING, Call, verb
from .create import MAKING, Json, make, named, required, skeleton

RBAC = "rbac.authorization.k8s.io"
RESOURCE_VERBS = ("get", "delete", "list", "create", "update", "patch", "watch", "proxy", "deletecollection", "use", "bind", "escalate",
                  "impersonate", "*")

URL_VERBS = ("*", "get", "post", "put", "delete", "patch", "head", "options")
SPECIAL = {  # verbs that only some kinds know (specialVerbs)
    "use": (("podsecuritypolicies", "policy"), ("podsecuritypolicies", "extensions")),
    "bind": (("roles", RBAC), ("clusterroles", RBAC)), "escalate": (("roles", RBAC), ("clusterroles", RBAC)),
    "impersonate": (("users", ""), ("serviceaccounts", ""), ("groups", ""), ("userextras", "authentication.k8s.io"))}

BINDABLE = ("Node", "Pod", "Secret")  # what a token may be bound to (create_token.go)

# ---- rights


def _rules(call: Call) -> list[Json]:
    flags = call.flags
    urls = flags.get("non-resource-url", [])
    if not flags["verb"]:
        raise KubectlError("error: at least one verb must be specified\n")
    verbs = ["*"] if "*" in flags["verb"] else list(dict.fromkeys(flags["verb"]))
    for unusual in verbs if flags["resource"] else ():
        if unusual not in RESOURCE_VERBS:
            call.terminal.err(f"Warning: '{unusual}' is not a standard resource verb\n")
    groups: dict[str, list[str]] = {}
    for text in flags["resource"]:
        whole, _, sub = text.partition("/")
        one, _, group = whole.partition(".")
        if not one:
            raise KubectlError("error: resource must be specified if apiGroup/subresource specified\n")
        found = by_any_name(whole, call.customs)
        if found is not None and group not in ("", found.group):
            found = None
        plural, group = (found.name, found.group) if found else (one, group)
        for special in verbs:
            if special in SPECIAL and one != "*" and (plural, group) not in SPECIAL[special]:
                raise KubectlError(f"error: can not perform '{special}' on '{plural}' in group '{group}'\n")
        if found is None and one != "*" and not any(special in SPECIAL for special in verbs):
            raise KubectlError(f'the server doesn\'t have a resource type "{one}"' + (f' in group "{group}"' if group else "") + "\n")
        named_so = groups.setdefault(group, [])
        if (word := f"{plural}/{sub}" if sub else plural) not in named_so:
            named_so.append(word)
    if not groups and not urls:
        raise KubectlError("error: one of resource or nonResourceURL must be specified\n" if "non-resource-url" in flags else
                           "error: at least one resource must be specified\n")
    for unusual in verbs if urls else ():
        if unusual not in URL_VERBS:
            raise KubectlError(f"error: invalid verb: '{unusual}' for nonResourceURL\n")
    if any("*" in url[:-1] for url in urls if url.startswith("/")):
        raise KubectlError("error: nonResourceURL only supports wildcard matches when '*' is at the end\n")
    if any(url != "*" and not url.startswith("/") for url in urls):
        raise KubectlError("error: nonResourceURL should start with /\n")
    names = {"resourceNames": flags["resource-name"]} if flags["resource-name"] else {}
    rules: list[Json] = [{"apiGroups": [group], "resources": groups[group], **names, "verbs": verbs} for group in sorted(groups)]
    if urls:
        rules.append({"nonResourceURLs": urls, "verbs": verbs})
    return rules


RULES = (Flag("verb", "list"), Flag("resource", "list"), Flag("resource-name", "array"))


@verb("create role", *MAKING, *RULES, summary="Create a role with single rule",
      usage="create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] "
      "[--dry-run=server|client|none]")
def role(call: Call) -> None:
    make(call, "roles", skeleton("roles", named(call), rules=_rules(call)))


@verb("create clusterrole", *MAKING, *RULES, Flag("non-resource-url", "list"), Flag("aggregation-rule", "list"), summary="Create a cluster role",
      usage="create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] "
      "[--dry-run=server|client|none]")
def clusterrole(call: Call) -> None:
    name, flags = named(call), call.flags
    if not flags["aggregation-rule"]:
        make(call, "clusterroles", skeleton("clusterroles", name, rules=_rules(call)))
        return
    if any(flags[other] for other in ("verb", "resource", "resource-name", "non-resource-url")):
        raise KubectlError("error: aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames\n")
    labels = dict(pair.partition("=")[::2] for pair in flags["aggregation-rule"])
    made = skeleton("clusterroles", name, aggregationRule={"clusterRoleSelectors": [{"matchLabels": labels}]}, rules=None)
    make(call, "clusterroles", made)


def subjects(call: Call) -> list[Json]:
    """The subjects that --user, --group and --serviceaccount name."""
    found: list[Json] = [{"apiGroup": RBAC, "kind": "User", "name": name} for name in call.flags["user"]]
    found += [{"apiGroup": RBAC, "kind": "Group", "name": name} for name in call.flags["group"]]
    for account in call.flags["serviceaccount"]:
        space, _, name = account.partition(":")
        if account.count(":") != 1 or not name or not space:
            raise KubectlError("error: serviceaccount must be <namespace>:<name>\n")
        found.append({"kind": "ServiceAccount", "name": name, "namespace": space})
    return found


SUBJECTS = (Flag("user", "array"), Flag("group", "array"), Flag("serviceaccount", "array"))


def _binding(call: Call, plural: str) -> None:
    name, flags = named(call), call.flags
    role_name, cluster_role = flags.get("role"), flags["clusterrole"]
    if bool(role_name) == bool(cluster_role):
        raise KubectlError("error: exactly one of clusterrole or role must be specified\n")
    reference = {"apiGroup": RBAC, "kind": "Role" if role_name else "ClusterRole", "name": role_name or cluster_role}
    found = subjects(call)
    make(call, plural, skeleton(plural, name, roleRef=reference, **({"subjects": found} if found else {})))


@verb("create rolebinding", *MAKING, *SUBJECTS, Flag("role"), Flag("clusterrole"),
      summary="Create a role binding for a particular role or cluster role",
      usage="create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] "
      "[--serviceaccount=namespace:serviceaccountname]")
def rolebinding(call: Call) -> None:
    _binding(call, "rolebindings")


@verb("create clusterrolebinding", *MAKING, *SUBJECTS, Flag("clusterrole"),
      summary="Create a cluster role binding for a particular cluster role",
      usage="create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] "
      "[--serviceaccount=namespace:serviceaccountname]")
def clusterrolebinding(call: Call) -> None:
    required(call, "clusterrole")
    _binding(call, "clusterrolebindings")


@verb("create token", Flag("audience", "array"), Flag("duration", "duration", default=0), *PRINTING,
      Flag("bound-object-kind"), Flag("bound-object-name"), Flag("bound-object-uid"),
      summary="Request a service account token", usage="create token SERVICE_ACCOUNT_NAME")
def token(call: Call) -> None:
    flags, account = call.flags, named(call)
    kind, name, uid = flags["bound-object-kind"], flags["bound-object-name"], flags["bound-object-uid"]
    if flags["duration"] < 0:
        raise KubectlError("error: --duration must be greater than or equal to 0\n")
    if not kind:
        if name or uid:
            raise KubectlError(f"error: --bound-object-{'name' if name else 'uid'} can only be set if --bound-object-kind is provided\n")
    elif kind not in BINDABLE:
        raise KubectlError(f"error: supported --bound-object-kind values are {', '.join(BINDABLE)}\n")
    elif not name:
        raise KubectlError("error: --bound-object-name is required if --bound-object-kind is provided\n")
    spec: Json = {"expirationSeconds": flags["duration"] // 1000} if flags["duration"] else {}
    if flags["audience"]:
        spec["audiences"] = flags["audience"]
    if kind:
        spec["boundObjectRef"] = {"apiVersion": "v1", "kind": kind, "name": name, **({"uid": uid} if uid else {})}
    try:
        made = call.request("create", "serviceaccounts", account, call.namespace, {"spec": spec}, "token")
    except ApiError as error:
        raise KubectlError(f"error: failed to create token: {error.message}\n") from error
    if flags["output"]:
        call.terminal.out(call.printer()({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", **made}))
        return
    call.terminal.out(made["status"]["token"] + "\n")
