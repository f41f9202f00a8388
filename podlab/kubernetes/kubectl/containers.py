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


def all_names(pod: Map) -> str:
    """`a, b, c (ephem), d (init)`, as notes and refusals list them (AllContainerNames)."""
    kinds = (("containers", ""), ("ephemeralContainers", " (ephem)"), ("initContainers", " (init)"))
    return ", ".join(one["name"] + mark for member, mark in kinds for one in pod["spec"].get(member) or ())


def find(pod: Map, name: str) -> Map | None:
    """A container of any type by name."""
    for member in ("containers", "initContainers", "ephemeralContainers"):
        for one in pod["spec"].get(member) or ():
            if one["name"] == name:
                found: Map = one
                return found
    return None


def not_valid(pod: Map, name: str) -> KubectlError:
    """What kubectl 1.36 says of a name that none of the Pod's containers has."""
    return KubectlError(f"error: container {name} is not valid for pod {pod['metadata']['name']} out of: {all_names(pod)}\n")


def choose(call: Call, pod: Map, name: str | None, *, quiet: bool = False) -> str:
    """The named container, the one that the Pod's annotation names, or the first with its note on stderr (FindOrDefaultContainerByName)."""
    wanted = name or dig(pod, "metadata.annotations", {}).get(DEFAULT)
    if wanted:
        if find(pod, wanted) is None:
            raise not_valid(pod, wanted)
        return str(wanted)
    return first_of(call, pod, quiet=quiet)


def first_of(call: Call, pod: Map, *, quiet: bool = False) -> str:
    """The first container, with the note that there are others."""
    first = str(pod["spec"]["containers"][0]["name"])
    if not quiet and any(len(pod["spec"].get(member) or ()) > most for member, most in (
            ("containers", 1), ("initContainers", 0), ("ephemeralContainers", 0))):
        call.terminal.err(f'Defaulted container "{first}" out of: {all_names(pod)}\n')
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


def unselected(resource: Resource, wanted: str, why: str = "") -> KubectlError:
    """`wanted` (attach to) cannot be had of a kind, or an object, that picks no Pods (SelectorsForObject)."""
    kind = f"*{resource.version}.{resource.kind}"
    return KubectlError(f"error: cannot {wanted} {kind}: {why or f'selector for {kind} not implemented'}\n")


def pods_selected(call: Call, resource: Resource, obj: Map, wanted: str = "attach to") -> list[Map]:
    """The Pods that a workload's or Service's selector picks. Raises KubectlError where there is none."""
    from ..selectors import selects

    selector = dig(obj, "spec.selector")
    if resource.plural in ("services", "replicationcontrollers"):
        if not selector and resource.plural == "services":
            raise unselected(resource, wanted, f"invalid service '{obj['metadata']['name']}': Service is defined without a selector")
        selector = {"matchLabels": selector}
    if selector is None:
        raise unselected(resource, wanted)
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


def refuse_completed(pod: Map) -> None:
    """Raises KubectlError where there is nothing left to exec into."""
    if dig(pod, "status.phase") in ("Succeeded", "Failed"):
        raise KubectlError(f"error: cannot exec into a container in a completed pod; current phase is {dig(pod, 'status.phase')}\n")


def open_session(call: Call, pod: Map, container: str, **options: Any) -> tuple[str, Any]:
    """(the node, the session) of a hold on a container. Raises Refused."""
    node = pod["spec"].get("nodeName", "")
    if not node:
        raise refused(bad_request(f"pod {pod['metadata']['name']} does not have a host assigned"))
    try:
        return node, call.terminal.api.session(node=node, act="open", pod=pod["metadata"]["uid"], container=container, **options)
    except ApiError as error:
        raise refused(error) from error


def run_session(call: Call, pod: Map, container: str, *, command: list[str] | None, stdin: bool, tty: bool) -> Command:
    """Hold a container (exec, or attach without a command) until it ends, its streams the terminal's. Gives the exit code."""
    from ..kubelet import sessions

    terminal, api = call.terminal, call.terminal.api
    node, session = open_session(call, pod, container, command=command or [], stdin=stdin, tty=tty, attach=command is None)
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
