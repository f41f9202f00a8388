"""Which container a command means, and which Pod of a workload (S/kubectl/pkg/cmd/util/podcmd, polymorphichelpers)."""

from __future__ import annotations

from typing import Any

from ..apiserver.errors import ApiError, bad_request
from ..objects import Map, dig
from ..resources import BY_PLURAL, Resource
from .builder import Target, targets
from .terminal import Command, KubectlError, Wait
from .verbs import Call, report

DEFAULT = "kubectl.kubernetes.io/default-container"


def all_names(pod: Map) -> list[str]:
    """`a, b, c (init), d (ephem)`, as the note about the default lists them."""
    spec = pod["spec"]
    return [*(one["name"] for one in spec.get("containers") or ()), *(f"{one['name']} (init)"
                                                                      for one in spec.get("initContainers") or ()),
            *(f"{one['name']} (ephem)" for one in spec.get("ephemeralContainers") or ())]


def find(pod: Map, name: str) -> Map | None:
    """A container of any type by name."""
    for member in ("containers", "initContainers", "ephemeralContainers"):
        for one in pod["spec"].get(member) or ():
            if one["name"] == name:
                found: Map = one
                return found
    return None


def choose(call: Call, pod: Map, name: str | None, *, quiet: bool = False) -> str:
    """The named container, or the default one with its note on stderr (FindOrDefaultContainerByName)."""
    if name:
        if find(pod, name) is None:
            raise bad_request(f"container {name} is not valid for pod {pod['metadata']['name']}")  # LogLocation, streamLocation
        return name
    containers: Any = pod["spec"].get("containers") or ()
    wanted = dig(pod, "metadata.annotations", {}).get(DEFAULT)
    if wanted:
        if find(pod, wanted) is not None:
            return str(wanted)
        call.terminal.err(f'Default container name "{wanted}" not found in pod {pod["metadata"]["name"]}\n')
    first = str(containers[0]["name"])
    names = all_names(pod)
    if len(names) > 1 and not quiet:
        call.terminal.err(f'Defaulted container "{first}" out of: {", ".join(names)}\n')
    return first


def single(call: Call, words: list[str]) -> Target:
    """The one target of `logs NAME`, `exec deploy/web`: a bare name is a Pod's."""
    if len(words) == 1 and "/" not in words[0]:
        return Target(BY_PLURAL["pods"], words[0])
    return targets(words)[0]


def activity_order(pods: list[Map]) -> list[Map]:
    """Most useful first: on a node, Running, Ready, longest so, fewest restarts, oldest (controller.ActivePods reversed)."""
    def key(pod: Map) -> Any:
        status = pod.get("status") or {}
        ready: Any = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), {})
        restarts = max((c.get("restartCount", 0) for c in status.get("containerStatuses") or ()), default=0)
        phase = {"Running": 0, "Unknown": 1, "Pending": 2}.get(status.get("phase", ""), 0)
        return (not pod["spec"].get("nodeName"), phase, ready.get("status") != "True", ready.get("lastTransitionTime", ""),
                restarts,
                pod["metadata"]["creationTimestamp"])
    return sorted(pods, key=key)


def pod_of(call: Call, target: Target, wait_ms: int = 0) -> Any:
    """The Pod that a target means: itself, or the most active one of a workload or Service. Waits for one to appear."""
    obj = call.request("get", target.resource, target.name, call.namespace)
    if target.resource.plural == "pods":
        return obj
    deadline = call.now + wait_ms
    while True:
        pods = pods_selected(call, target.resource, obj)
        if pods:
            return activity_order(pods)[0]
        if call.now >= deadline:
            raise KubectlError("error: timed out waiting for the condition\n")
        yield Wait(deadline - call.now)


def pods_selected(call: Call, resource: Resource, obj: Map) -> list[Map]:
    """The Pods that a workload's or Service's selector picks. Raises KubectlError for kinds without one."""
    from ..selectors import selects

    selector = dig(obj, "spec.selector")
    if resource.plural in ("services", "replicationcontrollers"):
        if not selector:
            raise KubectlError(f"error: invalid service '{obj['metadata']['name']}': Service is defined without a selector\n")
        selector = {"matchLabels": selector}
    if selector is None:
        raise KubectlError(f'error: cannot attach to *{resource.version}.{resource.kind}: selector for '
                           f'*{resource.version}.{resource.kind} not '
                           "implemented\n")
    return [pod for pod in call.terminal.api.client.list("pods", obj["metadata"]["namespace"]) if selects(selector,
        pod["metadata"].get("labels"))]


class Refused(KubectlError):
    """A container that cannot be held. `why`: the server's words."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


def refused(error: ApiError) -> Refused:
    """In the words of an upgraded connection that was refused, or of a kubelet that cannot be reached."""
    if error.message.startswith("Get "):  # the API server could not dial the kubelet
        why = "error dialing backend: " + error.message.partition(": ")[2]
        return Refused(why, f"Error from server: {why}\n")
    if error.reason == "InternalError":
        return Refused(error.message, f"error: {error.message}\n")
    return Refused(error.message, report(error))


def run_session(call: Call, pod: Map, container: str, *, command: list[str] | None, stdin: bool, tty: bool) -> Command:
    """Hold a container (exec, or attach without a command) until it ends, its streams the terminal's. Gives the exit code."""
    from ..kubelet import sessions

    terminal, node = call.terminal, pod["spec"].get("nodeName", "")
    api = terminal.api
    if not node:
        raise refused(bad_request(f"pod {pod['metadata']['name']} does not have a host assigned"))
    try:
        session = api.session(node=node, act="open", pod=pod["metadata"]["uid"], container=container, command=command or [],
                              stdin=stdin, tty=tty, attach=command is None)
    except ApiError as error:
        raise refused(error) from error
    kubelet = api.cluster.kubelet(node)
    seen = 0
    ended = not stdin or terminal.stdin is None
    if tty and stdin:
        terminal.raw(True)
    try:
        echo = ""
        while True:
            chunks, code = sessions.read(kubelet, session, seen)
            seen += len(chunks)
            for stream, text in chunks:
                # the page shows what is typed itself; the far terminal's echo would be a second one
                if echo and stream == "stdout":
                    same = next((i for i, (a, b) in enumerate(zip(text, echo, strict=False)) if a != b),
                                min(len(text), len(echo)))
                    text, echo = text[same:], echo[same:] if same == len(text) else ""
                if text:
                    terminal.write(1 if stream == "stdout" else 2, text)
            if code is not None:
                return code
            if not ended and terminal.stdin is not None and (typed := terminal.stdin.read()) is not None:
                if typed == "":
                    ended = True
                    api.session(node=node, act="eof", session=session)
                else:
                    api.session(node=node, act="write", session=session, data=typed)
                    echo = typed if tty else ""
                continue
            yield Wait(stir=True)
    finally:
        if tty and stdin:
            terminal.raw(False)
        api.session(node=node, act="close", session=session)
