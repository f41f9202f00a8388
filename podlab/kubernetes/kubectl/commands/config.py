"""kubectl config: the learner's kubeconfig, which has one cluster, and the users (by token) and contexts that he makes (S/kubectl/pkg/cmd/config)."""

from __future__ import annotations

from typing import Any

from ...objects import Map
from ..disk import HOME
from ..flags import Flag, but
from ..help import help_of
from ..terminal import Config, KubectlError
from ..verbs import PRINTING, Call, verb
from .info import SERVER, USER, aligned, no_arguments

CLUSTER = "podlab"
OMITTED = "DATA+OMITTED"  # what config view shows of certificates and keys
FILE = f"{HOME}/.kube/config"
HEADERS = ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]
FIXED = "error: this laptop's cluster and its administrator are not to be changed: only contexts and users with a token are\n"


def _only(call: Call, count: int) -> None:
    """kubectl prints the help before it complains of the number of arguments here (helpErrorf)."""
    if len(call.arguments) != count:
        call.terminal.err(help_of(call.name.split()))
        raise KubectlError(f"error: Unexpected args: [{' '.join(call.arguments)}]\n")


def _context(call: Call, name: str) -> dict[str, Any]:
    namespace, user = call.terminal.config.contexts[name], call.terminal.config.users_of.get(name, USER)
    return {"context": {"cluster": CLUSTER, "user": user, **({"namespace": namespace} if namespace else {})}, "name": name}


@verb("config view", Flag("output", short="o", default="yaml"), Flag("minify", "bool"), Flag("raw", "bool"), Flag("flatten", "bool"),
      Flag("merge", "bool", default=True), *but(PRINTING, "output"),
      summary="Display merged kubeconfig settings or a specified kubeconfig file", usage="config view [flags]")
def config_view(call: Call) -> None:
    no_arguments(call)
    config = call.terminal.config
    current = call.flags["context"] or config.context
    if call.flags["minify"] and current not in config.contexts:
        raise KubectlError(f"error: cannot locate context {current}\n" if current else "error: current-context must exist in order to minify\n")
    names = [current] if call.flags["minify"] else sorted(config.contexts)
    found = {"apiVersion": "v1", "clusters": [{"cluster": {"certificate-authority-data": OMITTED, "server": SERVER}, "name": CLUSTER}],
             "contexts": [_context(call, name) for name in names] or None, "current-context": current, "kind": "Config",
             "users": [_user(config, name, raw=call.flags["raw"]) for name in sorted((USER, *config.users))
                       if not call.flags["minify"] or name == config.users_of.get(current, USER)]}
    call.terminal.out(call.printer()(Map(found)))


def _user(config: Config, name: str, *, raw: bool) -> dict[str, Any]:
    if name == USER:
        return {"name": USER, "user": {"client-certificate-data": OMITTED, "client-key-data": OMITTED}}
    return {"name": name, "user": {"token": config.users[name] if raw else "REDACTED"} if config.users[name] else {}}


@verb("config current-context", summary="Display the current-context", usage="config current-context [flags]")
def current_context(call: Call) -> None:
    if not call.terminal.config.context:
        raise KubectlError("error: current-context is not set\n")
    call.terminal.out(call.terminal.config.context + "\n")


@verb("config get-contexts", Flag("output", short="o"), Flag("no-headers", "bool"), summary="Describe one or many contexts",
      usage="config get-contexts [(-o|--output=)name)]")
def get_contexts(call: Call) -> None:
    config, form = call.terminal.config, call.flags["output"]
    if form not in (None, "", "name"):
        raise KubectlError(f"error: --output {form} is not available in kubectl config get-contexts; resetting to default output format\n")
    names = list(dict.fromkeys(call.arguments)) or sorted(config.contexts)
    missing = [f"context {name} not found" for name in names if name not in config.contexts]
    rows = [["*" if name == config.context else "", name, CLUSTER, config.users_of.get(name, USER), config.contexts[name]]
            for name in names if name in config.contexts]
    if form == "name":
        call.terminal.out("".join(f"{row[1]}\n" for row in rows))
    else:
        call.terminal.out(aligned(rows, None if call.flags["no-headers"] else HEADERS))
    if missing:
        raise KubectlError("".join(f"{'error: ' if len(missing) == 1 else ''}{text}\n" for text in missing))


@verb("config get-clusters", summary="Display clusters defined in the kubeconfig", usage="config get-clusters [flags]")
def get_clusters(call: Call) -> None:
    call.terminal.out(f"NAME\n{CLUSTER}\n")


@verb("config get-users", summary="Display users defined in the kubeconfig", usage="config get-users [flags]")
def get_users(call: Call) -> None:
    call.terminal.out("".join(f"{name}\n" for name in ("NAME", *sorted((USER, *call.terminal.config.users)))))


@verb("config set-context", Flag("current", "bool"), summary="Set a context entry in kubeconfig",
      usage="config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]")
def set_context(call: Call) -> None:
    config, flags = call.terminal.config, call.flags
    if len(call.arguments) > 1 or (not call.arguments and not flags["current"]):
        call.terminal.err(help_of(call.name.split()))
        raise KubectlError(f"error: Unexpected args: [{' '.join(call.arguments)}]\n")
    if call.arguments and flags["current"]:
        raise KubectlError("error: you cannot specify both a context name and --current\n")
    name = call.arguments[0] if call.arguments else config.context
    if not name:
        raise KubectlError("error: no current context is set\n")
    if flags["cluster"] not in (None, CLUSTER):
        raise KubectlError(FIXED)
    if flags["user"]:
        config.users_of[name] = flags["user"]
    there = name in config.contexts
    if flags.given("namespace") or not there:
        config.contexts[name] = flags["namespace"] or ""
    call.terminal.out(f'Context "{name}" {"modified" if there else "created"}.\n')


@verb("config use-context", summary="Set the current-context in a kubeconfig file", usage="config use-context CONTEXT_NAME", aliases="use")
def use_context(call: Call) -> None:
    _only(call, 1)
    name = call.arguments[0]
    if name not in call.terminal.config.contexts:
        raise KubectlError(f'error: no context exists with the name: "{name}"\n')
    call.terminal.config.context = name
    call.terminal.out(f'Switched to context "{name}".\n')


@verb("config rename-context", summary="Rename a context from the kubeconfig file", usage="config rename-context CONTEXT_NAME NEW_NAME")
def rename_context(call: Call) -> None:
    _only(call, 2)
    (old, new), config = call.arguments, call.terminal.config
    if old not in config.contexts:
        raise KubectlError(f'error: cannot rename the context "{old}", it\'s not in {FILE}\n')
    if new in config.contexts:
        raise KubectlError(f'error: cannot rename the context "{old}", the context "{new}" already exists in {FILE}\n')
    config.contexts[new] = config.contexts.pop(old)
    if old in config.users_of:
        config.users_of[new] = config.users_of.pop(old)
    if config.context == old:
        config.context = new
    call.terminal.out(f'Context "{old}" renamed to "{new}".\n')


@verb("config delete-context", summary="Delete the specified context from the kubeconfig", usage="config delete-context NAME")
def delete_context(call: Call) -> None:
    config = call.terminal.config
    if len(call.arguments) != 1:
        call.terminal.err(help_of(call.name.split()))
        return
    name = call.arguments[0]
    if name not in config.contexts:
        raise KubectlError(f"error: cannot delete context {name}, not in {FILE}\n")
    if name == config.context:
        call.terminal.err("warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n")
    del config.contexts[name]
    config.users_of.pop(name, None)
    call.terminal.out(f"deleted context {name} from {FILE}\n")


@verb("config delete-cluster", summary="Delete the specified cluster from the kubeconfig", usage="config delete-cluster NAME")
def delete_cluster(call: Call) -> None:
    if len(call.arguments) != 1:
        call.terminal.err(help_of(call.name.split()))
        return
    raise KubectlError(FIXED if call.arguments == [CLUSTER] else f"error: cannot delete cluster {call.arguments[0]}, not in {FILE}\n")


@verb("config delete-user", summary="Delete the specified user from the kubeconfig", usage="config delete-user NAME")
def delete_user(call: Call) -> None:
    if len(call.arguments) != 1:
        raise call.usage_error("user to delete is required")
    if call.arguments == [USER]:
        raise KubectlError(FIXED)
    if call.terminal.config.users.pop(call.arguments[0], None) is None:
        raise KubectlError(f"error: cannot delete user {call.arguments[0]}, not in {FILE}\n")
    call.terminal.out(f"deleted user {call.arguments[0]} from {FILE}\n")


@verb("config set-cluster", Flag("embed-certs", "bool"), Flag("certificate-authority"), Flag("tls-server-name"), Flag("proxy-url"),
      summary="Set a cluster entry in kubeconfig", usage="config set-cluster NAME [--server=server]")
def set_cluster(call: Call) -> None:
    _only(call, 1)
    raise KubectlError(FIXED)


@verb("config set-credentials", Flag("client-certificate"), Flag("client-key"), Flag("username"), Flag("password"),
      summary="Set a user entry in kubeconfig", usage="config set-credentials NAME [--token=bearer_token]")
def set_credentials(call: Call) -> None:
    _only(call, 1)
    name, flags = call.arguments[0], call.flags
    if name == USER:
        raise KubectlError(FIXED)
    if flags["token"] and (flags["username"] or flags["password"]):
        raise KubectlError("error: you cannot specify more than one authentication method at the same time: --token or --username/--password\n")
    if any(flags[other] for other in ("username", "password", "client-certificate", "client-key")):
        raise KubectlError("error: users of this laptop's kubeconfig are known by a --token only (kubectl create token)\n")
    call.terminal.config.users[name] = flags["token"] or call.terminal.config.users.get(name, "")
    call.terminal.out(f'User "{name}" set.\n')


@verb("config set", Flag("set-raw-bytes", "bool"), summary="Set an individual value in a kubeconfig file",
      usage="config set PROPERTY_NAME PROPERTY_VALUE")
def set_property(call: Call) -> None:
    _only(call, 2)
    path, value = call.arguments
    _property(call.terminal.config, path, value)
    call.terminal.out(f'Property "{path}" set.\n')


@verb("config unset", summary="Unset an individual value in a kubeconfig file", usage="config unset PROPERTY_NAME")
def unset_property(call: Call) -> None:
    _only(call, 1)
    _property(call.terminal.config, call.arguments[0], None)
    call.terminal.out(f'Property "{call.arguments[0]}" unset.\n')


def _property(config: Config, path: str, value: str | None) -> None:
    """Sets (None: unsets) `current-context`, `contexts.NAME.namespace` and the like. Raises KubectlError for what is not to be changed."""
    words = path.split(".")
    if words[0] not in ("clusters", "contexts", "users", "current-context", "preferences", "kind", "apiVersion", "extensions"):
        raise KubectlError(f"error: unable to parse {path} after [] at api.Config\n")
    if words == ["current-context"]:
        config.context = value or ""
    elif words == ["contexts"] and value is None:
        config.contexts.clear()
    elif words[0] == "contexts" and len(words) == 2 and value is None:
        config.contexts.pop(words[1], None)
    elif words[0] == "contexts" and len(words) == 3 and words[2] == "namespace":
        config.contexts[words[1]] = value or ""
    else:
        raise KubectlError(FIXED)
