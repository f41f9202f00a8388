"""kubectl debug: an ephemeral container in a Pod, a changed copy of it, or a Pod on a node (S/kubectl/pkg/cmd/debug)."""

from __future__ import annotations

from typing import Any

from ...objects import Map, dig, thaw
from ...resources import BY_PLURAL
from ..attaching import attach_or_logs, show_log, wait_for_start
from ..builder import FILES, Target, targets
from ..flags import Flag
from ..image_names import PULL_POLICIES, is_reference
from ..patches import two_way
from ..terminal import Command, KubectlError
from ..verbs import Call, group_kind, verb

PROFILES = ("legacy", "general", "baseline", "netadmin", "restricted", "sysadmin")
CAPABILITIES: dict[str, dict[str, Any] | None] = {
    "legacy": None, "baseline": None, "general": {"capabilities": {"add": ["SYS_PTRACE"]}},
    "restricted": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
                   "seccompProfile": {"type": "RuntimeDefault"}},
    "netadmin": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}, "sysadmin": {"privileged": True}}
LEGACY_WARNING = ("--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a "
                  "profile, for example "
                  "\"--profile=general\".\n")


@verb("debug", *FILES, Flag("image"), Flag("container", short="c"), Flag("target"), Flag("copy-to"), Flag("attach", "bool"),
      Flag("stdin", "bool", "i"),
      Flag("tty", "bool", "t"), Flag("quiet", "bool", "q"), Flag("env", "array"), Flag("image-pull-policy"),
      Flag("replace", "bool"),
      Flag("same-node", "bool"), Flag("set-image", "list"), Flag("share-processes", "bool", default=True),
      Flag("profile", default="general"),
      Flag("arguments-only", "bool"), Flag("custom"), Flag("keep-labels", "bool"), Flag("keep-annotations", "bool"),
      Flag("keep-liveness", "bool"),
      Flag("keep-readiness", "bool"), Flag("keep-startup", "bool"), Flag("keep-init-containers", "bool", default=True),
      summary="Create debugging sessions for troubleshooting workloads and nodes",
      usage="debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]")
def debug(call: Call) -> Command:
    flags = call.flags
    if flags["profile"] not in PROFILES:
        raise KubectlError(f"error: unknown profile: {flags['profile']}\n")
    if problem := _problem(call):
        raise KubectlError(f"error: {problem}\n")
    if flags["profile"] == "legacy":
        call.terminal.err(LEGACY_WARNING)
    wanted = targets(call.arguments) if "/" in call.arguments[0] else [Target(BY_PLURAL["pods"], call.arguments[0])]
    for target in wanted:
        found = call.request("get", target.resource, target.name, call.namespace if target.resource.namespaced else "")
        if target.resource.plural == "nodes":
            pod, container = _on_node(call, found)
        elif target.resource.plural != "pods":
            raise KubectlError(f'error: "{group_kind(target.resource)}" not supported by debug\n')
        elif flags["copy-to"]:
            pod, container = _copy(call, found)
        else:
            pod, container = _ephemeral(call, found)
        if flags["attach"] or (flags["stdin"] and not flags.given("attach")):
            yield from _attach(call, pod, container)
    return 0


def _problem(call: Call) -> str:
    """What is wrong with the command line, in the order in which kubectl looks (DebugOptions.Validate); "" for nothing."""
    flags = call.flags
    if flags["attach"] and not flags["image"] and not flags["container"]:
        return "you must specify --container or create a new container using --image in order to attach."
    if flags["copy-to"]:
        if not flags["image"] and not flags["set-image"] and not call.after:
            return "you must specify --image, --set-image or command arguments."
        if call.after and not flags["container"] and not flags["image"]:
            return "you must specify an existing container or a new image when specifying args."
    else:
        for name in ("replace", "same-node", "set-image"):
            if flags[name]:
                return f"--{name} may only be used with --copy-to."
        if not flags["image"]:
            return "you must specify --image when not using --copy-to."
    if flags["image"] and not is_reference(flags["image"]):
        return f'invalid image name "{flags["image"]}": invalid reference format'
    if not call.arguments and not flags["filename"]:
        return "NAME or filename is required for debug"
    if flags["image-pull-policy"] not in (None, "", *PULL_POLICIES):
        return f"invalid image pull policy: {flags['image-pull-policy']}"
    for name, _, image in (pair.partition("=") for pair in flags["set-image"]):
        if not is_reference(image):
            return f'invalid image name "{image}" for container "{name}": invalid reference format'
    if flags["target"] and flags["copy-to"]:
        return "--target is incompatible with --copy-to. Use --share-processes instead."
    return "-i/--stdin is required for containers with -t/--tty=true" if flags["tty"] and not flags["stdin"] else ""


def _name(call: Call, pod: Any) -> str:
    """`debugger-abcde`, as the real one makes up."""
    if call.flags["container"]:
        return str(call.flags["container"])
    cluster = call.terminal.api.cluster
    metadata = pod["metadata"]
    return "debugger-" + cluster.random.name(5, "debug", metadata.get("uid", ""), metadata.get("resourceVersion", ""))


def _container(call: Call, name: str) -> dict[str, Any]:
    flags = call.flags
    container: dict[str, Any] = {"name": name, "image": flags["image"], "terminationMessagePolicy": "File"}
    if flags["env"]:
        container["env"] = [{"name": key, "value": value} for key, _, value in (one.partition("=") for one in flags["env"])]
    if flags["image-pull-policy"]:
        container["imagePullPolicy"] = flags["image-pull-policy"]
    if call.after:
        container["args" if flags["arguments-only"] else "command"] = call.after
    if flags["stdin"]:
        container["stdin"] = True
    if flags["tty"]:
        container["tty"] = True
    context = CAPABILITIES[flags["profile"]]
    if context:
        container["securityContext"] = context
    return container


def _ephemeral(call: Call, pod: Map) -> tuple[Map, str]:
    name = _name(call, pod)
    if not call.flags["container"] and not call.flags["quiet"]:
        call.terminal.out(f"Defaulting debug container name to {name}.\n")
    container = _container(call, name)
    if call.flags["target"]:
        if not call.flags["quiet"]:
            call.terminal.out(f"Targeting container \"{call.flags['target']}\". If you don't see processes from this container "
                              f"it may be because the "
                              "container runtime doesn't support this feature.\n")
        container["targetContainerName"] = call.flags["target"]
    new = thaw(pod)
    new["spec"]["ephemeralContainers"] = [*(new["spec"].get("ephemeralContainers") or ()), container]
    patch = two_way(BY_PLURAL["pods"], thaw(pod), new)
    done = call.request("patch", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"], patch, "ephemeralcontainers",
                        patchType="application/strategic-merge-patch+json")
    return done, name


def _copy(call: Call, pod: Map) -> tuple[Map, str]:
    flags = call.flags
    spec = thaw(pod["spec"])
    for member in ("nodeName", "ephemeralContainers"):
        if member == "ephemeralContainers" or not flags["same-node"]:
            spec.pop(member, None)
    if not flags["keep-init-containers"]:
        spec.pop("initContainers", None)
    for one in spec["containers"]:
        for probe, keep in (("livenessProbe", "keep-liveness"), ("readinessProbe", "keep-readiness"),
                            ("startupProbe", "keep-startup")):
            if not flags[keep]:
                one.pop(probe, None)
    metadata: dict[str, Any] = {"name": flags["copy-to"], "namespace": pod["metadata"]["namespace"]}
    for member, keep in (("labels", "keep-labels"), ("annotations", "keep-annotations")):
        if flags[keep] and pod["metadata"].get(member):
            metadata[member] = thaw(pod["metadata"][member])
    for pair in flags["set-image"]:
        name, _, image = pair.partition("=")
        for one in spec["containers"]:
            if name in ("*", one["name"]):
                one["image"] = image
    if flags["share-processes"] and (flags.given("share-processes") or flags["image"]):
        spec["shareProcessNamespace"] = True
    held = next((one for one in spec["containers"] if one["name"] == flags["container"]), None)
    if held is not None:
        name = held["name"]
        if flags["image"]:
            held["image"] = flags["image"]
        if call.after:
            held["args" if flags["arguments-only"] else "command"] = call.after
            if not flags["arguments-only"]:
                held.pop("args", None)
        held.update({member: True for member in ("stdin", "tty") if flags[member]})
    elif flags["image"]:
        name = _name(call, pod)
        if not flags["container"] and not flags["quiet"]:
            call.terminal.out(f"Defaulting debug container name to {name}.\n")
        spec["containers"].append(_container(call, name))
    else:
        name = spec["containers"][0]["name"]
    if flags["replace"]:
        call.request("delete", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"], gracePeriodSeconds=0)
    made = call.request("create", "pods", "", pod["metadata"]["namespace"], {"apiVersion": "v1", "kind": "Pod",
        "metadata": metadata, "spec": spec})
    return made, name


def _on_node(call: Call, node: Map) -> tuple[Map, str]:
    name = node["metadata"]["name"]
    suffix = call.terminal.api.cluster.random.name(5, "debug-node", name, call.terminal.api.cluster.etcd.revision)
    container = _container(call, call.flags["container"] or "debugger")
    container["volumeMounts"] = [{"mountPath": "/host", "name": "host-root"}]
    pod: Any = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"node-debugger-{name}-{suffix}",
                                                           "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}},
           "spec": {"containers": [container], "nodeName": name, "restartPolicy": "Never", "hostNetwork": True, "hostPID": True,
                    "hostIPC": True,
                    "tolerations": [{"operator": "Exists"}], "volumes": [{"name": "host-root", "hostPath": {"path": "/"}}]}}
    if not call.flags["quiet"]:
        call.terminal.out(f"Creating debugging pod {pod['metadata']['name']} with container {container['name']} on node "
                          f"{name}.\n")
    return call.request("create", "pods", "", call.namespace, pod), container["name"]


def _attach(call: Call, pod: Map, container: str) -> Command:
    yield from wait_for_start(call, pod, container)
    live = call.request("get", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
    for member in ("containerStatuses", "ephemeralContainerStatuses"):
        for status in dig(live, "status." + member, ()):
            if status["name"] == container and "terminated" in (status.get("state") or {}):
                show_log(call, live, container)
                return 0
    return (yield from attach_or_logs(call, live, container))
