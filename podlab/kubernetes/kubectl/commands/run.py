"""kubectl run and kubectl expose: a Pod, and a Service in front of something."""

from __future__ import annotations

import json
import re
from typing import Any

from ...apiserver.errors import ApiError
from ...apiserver.patch import apply_patch
from ...objects import Map, dig, thaw
from ...resources import BY_PLURAL, Resource
from ..attaching import attach_or_logs, show_log, wait_for_start
from ..builder import FILES, Info, select
from ..flags import Flag
from ..image_names import PULL_POLICIES, is_reference
from ..pod_specs import ENV_NAME, template_of
from ..terminal import Command, KubectlError, Wait
from ..verbs import CHANGING, RECORD, Call, fail_with, verb
from .apply import annotated
from .delete import delete_lines, gone

PODS = BY_PLURAL["pods"]


@verb("run", *CHANGING, RECORD, Flag("image"), Flag("env", "array"), Flag("labels", short="l"), Flag("port"),
      Flag("restart", default="Always"),
      Flag("command", "bool"), Flag("stdin", "bool", "i"), Flag("tty", "bool", "t"), Flag("rm", "bool"), Flag("attach", "bool"),
      Flag("detach-keys"), Flag("expose", "bool"),
      Flag("image-pull-policy"), Flag("annotations", "array"), Flag("overrides"), Flag("override-type", default="merge"),
      Flag("quiet", "bool", "q"),
      Flag("privileged", "bool"), Flag("leave-stdin-open", "bool"), Flag("pod-running-timeout", "duration", default=60_000),
      Flag("save-config", "bool"),
      Flag("grace-period", "int", default=-1), Flag("wait", "bool"), Flag("timeout", "duration"), Flag("force", "bool"), *FILES,
      Flag("cascade", "opt", default="background", bare="background"),
      summary="Run a particular image on the cluster",
      usage="run NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] "
      "[--command] -- [COMMAND] [args...]")
def run(call: Call) -> Command:
    flags = call.flags
    if not flags.given("image"):
        raise KubectlError("error: required flag(s) \"image\" not set\n")
    if not call.arguments:
        raise call.usage_error("NAME is required for run")
    if not flags["image"]:
        raise KubectlError("error: --image is required\n")
    if not is_reference(flags["image"]):
        raise KubectlError(f'error: Invalid image name "{flags["image"]}": invalid reference format\n')
    name = call.arguments[0]
    words = call.arguments[1:] + call.after
    interactive = flags["attach"] or (flags["stdin"] and not flags.given("attach"))
    if flags["tty"] and not flags["stdin"]:
        raise call.usage_error("-i/--stdin is required for containers with -t/--tty=true")
    if flags["restart"] not in ("Always", "OnFailure", "Never"):
        raise call.usage_error(f"invalid restart policy: {flags['restart']}")
    if flags["rm"] and not interactive:
        raise call.usage_error("--rm should only be used for attached containers")
    if flags["expose"] and not flags["port"]:
        raise call.usage_error("--port must be set when exposing a service")
    if flags["pod-running-timeout"] <= 0:
        raise call.usage_error("--pod-running-timeout must be higher than zero")
    if interactive and call.dry != "none":
        raise call.usage_error("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or "
                               "--tty)")
    if flags["image-pull-policy"] not in (None, "", *PULL_POLICIES):
        raise call.usage_error(f"invalid image pull policy: {flags['image-pull-policy']}")
    pod = _pod(call, name, words)
    if call.dry != "client":
        sent = annotated(pod, call.namespace) if flags["save-config"] else pod
        made: Any = call.request("create", PODS, "", call.namespace, sent)
    else:
        made = pod
    if flags["expose"]:
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                   "spec": {"ports": [{"port": int(flags["port"]), "protocol": "TCP", "targetPort": int(flags["port"])}],
                            "selector": pod["metadata"]["labels"]},
                   "status": {"loadBalancer": {}}}
        wrong: list[ApiError | str] = []
        try:
            done = call.request("create", "services", "", call.namespace, service) if call.dry != "client" else service
            call.show(BY_PLURAL["services"], done, "created", typed=True)
            if flags["output"] == "yaml":  # and the printer puts its own between two objects
                call.terminal.out("---\n")
        except ApiError as error:
            wrong.append(error)
        call.show(PODS, made, "created", typed=True)
        fail_with(wrong)
        return 0
    if not interactive:
        call.show(PODS, made, "created", typed=True)
        return 0
    return (yield from _interactive(call, made))


def _pod(call: Call, name: str, words: list[str]) -> dict[str, Any]:
    flags = call.flags
    container: dict[str, Any] = {"image": flags["image"], "name": name, "resources": {}}
    if words:
        container["command" if flags["command"] else "args"] = words
    if flags["env"]:
        for one in flags["env"]:
            if "=" not in one or not re.fullmatch(ENV_NAME, one.partition("=")[0]):
                raise KubectlError(f"error: invalid env: {one}\n")
        container["env"] = [{"name": name, **({"value": value} if value else {})}
                            for name, _, value in (one.partition("=") for one in flags["env"])]
    if flags["port"]:
        if not str(flags["port"]).removeprefix("-").isdigit():
            raise KubectlError(f'error: strconv.Atoi: parsing "{flags["port"]}": invalid syntax\n')
        container["ports"] = [{"containerPort": int(flags["port"])}]
    if flags["image-pull-policy"]:
        container["imagePullPolicy"] = flags["image-pull-policy"]
    for member in ("stdin", "tty"):
        if flags[member]:
            container[member] = True
    if flags["stdin"]:
        container["stdinOnce"] = not flags["leave-stdin-open"]
    if flags["privileged"]:
        container["securityContext"] = {"privileged": True}
    labels = read_labels(flags["labels"]) if flags["labels"] else {"run": name}
    metadata: dict[str, Any] = {"labels": labels, "name": name}
    if flags["annotations"]:
        for pair in flags["annotations"]:
            if pair.count("=") != 1 or pair.startswith("="):
                raise KubectlError(f"error: invalid annotations format: {pair}\n")
        metadata["annotations"] = dict(pair.partition("=")[::2] for pair in flags["annotations"])
    if flags["namespace"] and call.dry == "client":
        metadata["namespace"] = call.namespace
    pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
                           "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": flags["restart"]},
                           "status": {}}
    return overridden(call, PODS, pod)


def read_labels(text: str) -> dict[str, str]:
    """Labels of `a=b,c=d` (generate.ParseLabels)."""
    for pair in text.split(","):
        if pair.count("=") != 1:
            raise KubectlError(f"error: unexpected label spec: {pair}\n")
    return dict(pair.partition("=")[::2] for pair in text.split(","))


def overridden(call: Call, resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """An object with what --overrides says: a merge patch, a strategic one or a JSON patch (OverrideOptions.NewOverrider)."""
    kind = call.flags["override-type"]
    if not call.flags["overrides"]:
        return obj
    if kind not in ("json", "merge", "strategic"):
        raise KubectlError(f"error: invalid override type: {kind}\n")
    try:
        patch = json.loads(call.flags["overrides"])
    except ValueError:
        raise KubectlError("error: Invalid JSON Patch\n" if kind != "strategic" else "error: invalid JSON document\n") from None
    if isinstance(patch, list) != (kind == "json"):
        raise KubectlError("error: json: cannot unmarshal object into Go value of type jsonpatch.Patch\n" if kind == "json" else
                           "error: Invalid JSON Patch\n")
    found: dict[str, Any] = thaw(apply_patch(resource, obj, patch, kind))
    for container in (found.get("spec") or {}).get("containers") or ():
        container.setdefault("resources", {})  # as the Go type that it passes through has it
    return found


def _interactive(call: Call, pod: Map) -> Command:
    """Attach to the new Pod; with restart Never or OnFailure its end is the command's, and --rm takes it away."""
    flags, name = call.flags, pod["metadata"]["name"]
    container = pod["spec"]["containers"][0]["name"]
    yield from wait_for_start(call, pod, container)
    live = call.request("get", PODS, name, call.namespace)
    if dig(live, "status.phase") in ("Succeeded", "Failed"):
        show_log(call, live, container)
    else:
        yield from attach_or_logs(call, live, container)
    failure: tuple[str, int] | None = None
    if flags["restart"] != "Always" and not flags["leave-stdin-open"]:
        failure = yield from _outcome(call, pod)
    if flags["rm"]:
        call.request("delete", PODS, name, call.namespace, propagationPolicy="Background")
        if not flags["quiet"]:
            call.terminal.out(delete_lines(PODS, name, call.namespace))
        yield from gone(call, [(PODS, call.namespace, name, pod["metadata"]["uid"])], None)
    if failure is not None:
        raise KubectlError(*failure)
    return 0


def _outcome(call: Call, pod: Map) -> Any:
    """Wait for the Pod's end: (what to say, exit code) when it failed, else None."""
    name = pod["metadata"]["name"]
    wanted = ("Succeeded",) if call.flags["restart"] == "OnFailure" else ("Succeeded", "Failed")
    while True:
        live = call.terminal.api.client.find("pods", name, call.namespace)
        if live is None or dig(live, "status.phase") == "Succeeded":
            return None
        if dig(live, "status.phase") in wanted:
            ended = dig(live, "status.containerStatuses.0.state.terminated", {})
            if not ended.get("exitCode"):
                return f"error: pod {call.namespace}/{name} failed with unknown exit code\n", 1
            words = f"pod {call.namespace}/{name} terminated ({ended.get('reason', '')})\n{ended.get('message', '')}"
            return words, int(ended["exitCode"])
        yield Wait()


@verb("expose", *FILES, *CHANGING, RECORD, Flag("port"), Flag("target-port"), Flag("protocol"), Flag("type"), Flag("name"),
      Flag("selector"), Flag("labels", short="l"),
      Flag("cluster-ip"), Flag("external-ip"), Flag("session-affinity"), Flag("load-balancer-ip"), Flag("overrides"),
      Flag("override-type", default="merge"), Flag("save-config", "bool"),
      summary="Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
      usage="expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] "
      "[--name=name] [--type=type]")
def expose(call: Call) -> Command:
    infos, wrong = yield from select(call, selecting=False)  # --selector is the new Service's here
    for info in infos:
        service: Any = overridden(call, BY_PLURAL["services"], _service(call, info, call.flags["selector"]))
        if call.dry != "client":
            sent = annotated(service, info.namespace) if call.flags["save-config"] else service
            service = call.request("create", "services", "", info.namespace, sent)
        call.show(BY_PLURAL["services"], service, "exposed", typed=True)
    fail_with(wrong)
    return 0


def _selector(info: Info) -> dict[str, str]:
    plural, obj = info.resource.plural, info.object
    if plural == "pods":
        labels = dig(obj, "metadata.labels")
        if not labels:
            raise KubectlError("error: couldn't retrieve selectors via --selector flag or introspection: the pod has no labels "
                               "and cannot be exposed\n")
        return dict(thaw(labels))
    if plural in ("services", "replicationcontrollers"):
        return dict(thaw(dig(obj, "spec.selector", {})))
    if plural in ("deployments", "replicasets"):
        if dig(obj, "spec.selector.matchExpressions"):
            raise KubectlError("error: couldn't retrieve selectors via --selector flag or introspection: couldn't convert "
                               "expressions - \""
                               f"{dig(obj, 'spec.selector.matchExpressions')}\" to map-based selector format\n")
        return dict(thaw(dig(obj, "spec.selector.matchLabels", {})))
    raise KubectlError(f"error: cannot expose a {info.resource.kind}.{info.resource.group}\n" if info.resource.group else
                       f"error: cannot expose a {info.resource.kind}\n")


def _labels(text: str) -> dict[str, str]:
    """ParseLabels of kubectl/pkg/generate."""
    labels: dict[str, str] = {}
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not equals or "=" in value:
            raise KubectlError(f"error: unexpected label spec: {pair}\n")
        labels[key] = value
    return labels


def _service(call: Call, info: Info, chosen: str | None) -> dict[str, Any]:
    flags = call.flags
    selector = _labels(chosen) if chosen else _selector(info)
    spec: dict[str, Any] = {"selector": selector}
    template = info.object if info.resource.plural == "pods" else template_of(thaw(info.object)) or {}
    if info.resource.plural == "services":
        declared = [(port["port"], port.get("protocol", "TCP")) for port in dig(info.object, "spec.ports", ())]
    else:
        declared = [(port["containerPort"], port.get("protocol", "TCP")) for one in dig(template, "spec.containers", ())
                    for port in one.get("ports") or ()]
    bad = next((port for port in str(flags["port"] or "1").split(",") if not port.isdigit()), None)
    if bad is not None:
        raise KubectlError(f'error: strconv.Atoi: parsing "{bad}": invalid syntax\n')
    ports = [int(port) for port in str(flags["port"]).split(",")] if flags["port"] else [port for port, _ in declared]
    if not ports and flags["cluster-ip"] != "None":
        raise KubectlError("error: couldn't find port via --port flag or introspection\n")
    entries: list[dict[str, Any]] = []
    for i, port in enumerate(ports):
        protocol = flags["protocol"] or dict(declared).get(port, "TCP")
        target: Any = flags["target-port"] or port
        entry: dict[str, Any] = {"port": port, "protocol": protocol, "targetPort": int(target) if str(target).isdigit()
                                 else target}
        if len(ports) > 1:
            entry["name"] = f"port-{i + 1}"
        entries.append(entry)
    if entries:
        spec["ports"] = entries
    if flags["type"]:
        spec["type"] = flags["type"]
    if flags["cluster-ip"]:
        spec["clusterIP"] = flags["cluster-ip"]
    if flags["load-balancer-ip"] and flags["type"] == "LoadBalancer":
        spec["loadBalancerIP"] = flags["load-balancer-ip"]
    if flags["session-affinity"] not in (None, "", "None", "ClientIP"):
        raise KubectlError(f"error: unknown session affinity: {flags['session-affinity']}\n")
    if flags["session-affinity"]:
        spec["sessionAffinity"] = flags["session-affinity"]
    if flags["external-ip"]:
        spec["externalIPs"] = [flags["external-ip"]]
    metadata: dict[str, Any] = {"name": flags["name"] or info.name}
    labels = _labels(flags["labels"]) if flags["labels"] else thaw(dig(info.object, "metadata.labels"))
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}
