"""kubectl debug: an ephemeral container in a Pod, a changed copy of it, or a Pod on a node (S/kubectl/pkg/cmd/debug)."""

from __future__ import annotations

from typing import Any

from ...apiserver.patch import strategic_merge
from ...objects import Map, dig, thaw
from ...resources import BY_PLURAL
from .. import debug_profiles
from ..attaching import attach_or_logs, show_log, wait_for_start
from ..builder import Target, targets
from ..flags import Flag
from ..image_names import PULL_POLICIES, is_reference
from ..manifests import clean, parse
from ..patches import two_way
from ..terminal import Command, KubectlError
from ..verbs import Call, group_kind, verb

LEGACY_WARNING = ("--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a "
                  "profile, for example "
                  "\"--profile=general\".\n")


@verb("debug", Flag("filename", "array", "f"), Flag("image"), Flag("container", short="c"), Flag("target"), Flag("copy-to"), Flag("attach", "bool"),
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
    for pair in flags["set-image"]:
        if "=" not in pair:
            raise KubectlError(f'error: invalid argument "{pair}" for "--set-image" flag: {pair} must be formatted as key=value\n'
                               "See 'kubectl debug --help' for usage.\n")
    if flags["profile"] not in debug_profiles.PROFILES:
        raise KubectlError(f"error: unknown profile: {flags['profile']}\n")
    _custom(call)
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
        if container and (flags["attach"] or (flags["stdin"] and not flags.given("attach"))):
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


def _filled(call: Call, container: dict[str, Any]) -> None:
    """What the flags say of the debugging container."""
    flags = call.flags
    if call.after:
        container["args" if flags["arguments-only"] else "command"] = call.after
        if not flags["arguments-only"]:
            container.pop("args", None)
    if flags["env"]:
        container["env"] = [{"name": key, "value": value} for key, _, value in (one.partition("=") for one in flags["env"])]
    if flags["image"]:
        container["image"] = flags["image"]
    if flags["image-pull-policy"]:
        container["imagePullPolicy"] = flags["image-pull-policy"]
    for member in ("stdin", "tty"):
        container.pop(member, None)
        if flags[member]:
            container[member] = True


def _custom(call: Call) -> dict[str, Any]:
    """The part of a container that --custom's file holds. Raises KubectlError."""
    path = call.flags["custom"]
    if not path:
        return {}
    if clean(path) not in call.terminal.files:
        raise KubectlError(f"error: must pass a container spec json file for custom profile: open {path}: no such file or directory\n")
    read = [manifest.object for manifest in parse(call.terminal.files[clean(path)], path)]
    if len(read) != 1 or not isinstance(read[0], dict):
        raise KubectlError(f"error: {path} does not contain a valid container spec\n")
    found: dict[str, Any] = read[0]
    if any(found.get(member) for member in ("name", "command", "image", "lifecycle", "volumeDevices")):
        raise KubectlError("error: name, command, image, lifecycle and volume devices are not modifiable via custom profile\n")
    return found


def _profile(call: Call, style: str, pod: Any, container: dict[str, Any]) -> None:
    """The profile, and what --custom puts on it."""
    debug_profiles.apply(call.flags, style, pod, container)
    if custom := _custom(call):
        container.update(strategic_merge("io.k8s.api.core.v1.Container", {**container}, custom))


def _ephemeral(call: Call, pod: Map) -> tuple[Map, str]:
    name = _name(call, pod)
    if not call.flags["container"] and not call.flags["quiet"]:
        call.terminal.out(f"Defaulting debug container name to {name}.\n")
    container: dict[str, Any] = {"name": name, "terminationMessagePolicy": "File"}
    _filled(call, container)
    if call.flags["target"]:
        if not call.flags["quiet"]:
            call.terminal.out(f"Targeting container \"{call.flags['target']}\". If you don't see processes from this container "
                              f"it may be because the "
                              "container runtime doesn't support this feature.\n")
        container["targetContainerName"] = call.flags["target"]
    new = thaw(pod)
    _profile(call, "ephemeral", new, container)
    new["spec"]["ephemeralContainers"] = [*(new["spec"].get("ephemeralContainers") or ()), container]
    _warn(call, new, container)
    patch = two_way(BY_PLURAL["pods"], thaw(pod), new)
    done = call.request("patch", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"], patch, "ephemeralcontainers",
                        patchType="application/strategic-merge-patch+json")
    return done, name


def _copy(call: Call, pod: Map) -> tuple[Map, str]:
    """The copy, and the debugging container in it; "" where only images were set, which leaves all else as it was."""
    flags = call.flags
    made: Any = {"apiVersion": "v1", "kind": "Pod", "spec": thaw(pod["spec"]),
                 "metadata": {"name": flags["copy-to"], "namespace": pod["metadata"]["namespace"],
                              **{member: thaw(pod["metadata"][member]) for member in ("labels", "annotations") if pod["metadata"].get(member)}}}
    spec = made["spec"]
    spec.pop("ephemeralContainers", None)
    if not flags["same-node"]:
        spec.pop("nodeName", None)
    if flags.given("share-processes"):
        spec["shareProcessNamespace"] = flags["share-processes"]
    images = dict(pair.split("=", 1) for pair in flags["set-image"])
    for one in spec["containers"]:
        one["image"] = images.get(one["name"]) or images.get("*") or one["image"]
    container = next((one for one in (*spec["containers"], *(spec.get("initContainers") or ())) if one["name"] == flags["container"]), None)
    if container is None and not flags["image"] and images:
        return _create_copy(call, pod, made), ""
    if container is None:
        if not flags["image"]:
            raise KubectlError("error: you must specify image when creating new container\n")
        container = {"name": _name(call, pod), "terminationMessagePolicy": "File"}
        if not flags["container"] and not flags["quiet"]:
            call.terminal.out(f"Defaulting debug container name to {container['name']}.\n")
        spec["containers"].append(container)
    _filled(call, container)
    _profile(call, "copy", made, container)
    _warn(call, made, container)
    return _create_copy(call, pod, made), container["name"]


def _create_copy(call: Call, pod: Map, made: dict[str, Any]) -> Map:
    created: Map = call.request("create", "pods", "", made["metadata"]["namespace"], made)
    if call.flags["replace"]:
        call.request("delete", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"], gracePeriodSeconds=0)
    return created


def _warn(call: Call, pod: Any, container: dict[str, Any]) -> None:
    """Rights that a profile grants mean little to a Pod of a user without any (displayWarning; its text is a raw one, backslashes and all)."""
    context = container.get("securityContext") or {}
    granted = context.get("privileged") or dig(context, "capabilities.add")
    if dig(pod, "spec.securityContext.runAsUser") and context.get("runAsUser") != 0 and granted:
        call.terminal.err('Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not '
                          r'work. Please consider using \"--custom\" with a custom profile that specifies \"securityContext.runAsUser: 0\".' + "\n")


def _on_node(call: Call, node: Map) -> tuple[Map, str]:
    name = node["metadata"]["name"]
    suffix = call.terminal.api.cluster.random.name(5, "debug-node", name, call.terminal.api.cluster.etcd.revision)
    container: dict[str, Any] = {"name": call.flags["container"] or "debugger", "terminationMessagePolicy": "File"}
    _filled(call, container)
    pod: Any = {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": f"node-debugger-{name}-{suffix}", "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}},
                "spec": {"containers": [container], "nodeName": name, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}}
    if not call.flags["quiet"]:
        call.terminal.out(f"Creating debugging pod {pod['metadata']['name']} with container {container['name']} on node "
                          f"{name}.\n")
    _profile(call, "node", pod, container)
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
