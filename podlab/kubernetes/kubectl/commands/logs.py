"""kubectl logs (S/kubectl/pkg/cmd/logs, polymorphichelpers/logsforobject.go)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any
from urllib.parse import urlencode

from ...apiserver.errors import ApiError
from ...objects import Map, dig
from ...times import parse_rfc3339, rfc3339_micro
from ..builder import resource_named
from ..containers import DEFAULT, activity_order, choose, find, first_of, pods_selected, single, unselected
from ..flags import Flag, Flags
from ..terminal import Command, KubectlError, Wait
from ..verbs import Call, report, verb

SELECTOR_TAIL = 10  # with -l, unless --tail says otherwise
MAX_FOLLOWED = 5
STARTING = re.compile(r"is waiting to start: (?:ContainerCreating|PodInitializing)$")  # what logs -f sits out since 1.36 (PR 136411)
STARTING_MS = 1_000  # it asks again; how often is not told


@verb("logs", Flag("follow", "bool", "f"), Flag("container", short="c"), Flag("previous", "bool", "p"),
      Flag("tail", "int", default=-1),
      Flag("since", "duration", default=0), Flag("since-time"), Flag("timestamps", "bool"), Flag("prefix", "bool"),
      Flag("selector", short="l"),
      Flag("all-containers", "bool"), Flag("all-pods", "bool"), Flag("limit-bytes", "int", default=0),
      Flag("ignore-errors", "bool"),
      Flag("max-log-requests", "int", default=MAX_FOLLOWED), Flag("pod-running-timeout", "duration", default=20_000),
      Flag("insecure-skip-tls-verify-backend", "bool"),
      summary="Print the logs for a container in a pod", usage="logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]")
def logs(call: Call) -> Command:
    flags, words = call.flags, call.arguments
    container = flags["container"]
    if not words and not flags["selector"]:
        raise call.usage_error("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required "
                               "argument for the logs command")
    if len(words) > 2 or (words and flags["selector"]):
        raise call.usage_error("only a selector (-l) or a POD name is allowed" if flags["selector"] else
                               "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required "
                               "argument for the logs command")
    if len(words) == 2:
        if container:
            raise KubectlError("error: only one of -c or an inline [CONTAINER] arg is allowed\n")
        container, words = words[1], words[:1]
    if flags["all-containers"] and container:
        raise KubectlError("error: --all-containers=true should not be specified with container name " + container + "\n")
    if flags["tail"] < -1:
        raise KubectlError("error: --tail must be greater than or equal to -1\n")
    if flags.given("limit-bytes") and flags["limit-bytes"] < 1:
        raise KubectlError("error: --limit-bytes must be greater than 0\n")
    if flags["since"] < 0:
        raise KubectlError("error: --since must be greater than 0\n")
    if flags["pod-running-timeout"] <= 0:
        raise KubectlError("error: --pod-running-timeout must be higher than zero\n")
    if flags["since-time"]:
        _moment(flags["since-time"])
    if flags["since"] and flags["since-time"]:
        raise KubectlError("error: at most one of `sinceTime` or `sinceSeconds` may be specified\n")
    sources = yield from _sources(call, words, container)
    if flags["follow"] and len(sources) > flags["max-log-requests"] and (flags["selector"] or flags["all-pods"]):
        raise KubectlError(f"error: you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is "
                           f"{flags['max-log-requests']}, use --max-log-requests to increase the limit\n")
    return (yield from _stream(call, sources))


LAYOUT = (("2006", r"\d{4}"), ("-", "-"), ("01", r"(?:0[1-9]|1[0-2])"), ("-", "-"), ("02", r"(?:0[1-9]|[12]\d|3[01])"), ("T", "T"),
          ("15", r"(?:[01]\d|2[0-3])"), (":", ":"), ("04", r"[0-5]\d"), (":", ":"), ("05", r"[0-5]\d(?:\.\d+)?"),
          ("Z07:00", r"(?:Z|[+-]\d\d:\d\d)"))


def _moment(text: str) -> int:
    """Virtual ms of an RFC 3339 time. Raises KubectlError in the words of Go's time.Parse: the part of the layout that does not fit."""
    rest = text
    for part, pattern in LAYOUT:
        found = re.match(pattern, rest)
        if found is None:
            raise KubectlError(f'error: parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{rest}" as "{part}"\n')
        rest = rest[found.end():]
    if rest:
        raise KubectlError(f'error: parsing time "{text}": extra text: "{rest}"\n')
    return parse_rfc3339(text)


def _sources(call: Call, words: list[str], container: str | None) -> Generator[Wait, None, list[tuple[Map, str]]]:
    """(Pod, container) of every stream to print, in order. Waits for a workload's first Pod (GetFirstPod)."""
    flags = call.flags
    if flags["selector"]:
        pods = call.request("list", resource_named("pods"), "", call.namespace, labelSelector=flags["selector"])["items"]
        if not pods:
            raise KubectlError(f"No resources found in {call.namespace} namespace.\n", 0)
        return [source for pod in pods for source in _of_pod(call, pod, container)]
    target = single(call, words)
    try:
        obj = call.request("get", target.resource, target.name, call.namespace)
    except ApiError as error:
        if error.code != 404:
            raise
        raise KubectlError(f'error: error from server (NotFound): {error.message} in namespace "{call.namespace}"\n') from error
    if target.resource.plural == "pods":
        return _of_pod(call, obj, container)
    if target.resource.plural == "cronjobs":
        raise unselected(target.resource, "get the logs from")
    deadline = call.now + flags["pod-running-timeout"]
    while not (pods := activity_order(pods_selected(call, target.resource, obj, "get the logs from"))):
        if call.now >= deadline:
            raise KubectlError("error: timed out waiting for the condition\n")
        yield Wait(deadline - call.now)
    if flags["all-pods"]:
        return [source for pod in pods for source in _of_pod(call, pod, container)]
    if len(pods) > 1:
        call.terminal.err(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}\n")
    return _of_pod(call, pods[0], container)


def _of_pod(call: Call, pod: Map, container: str | None) -> list[tuple[Map, str]]:
    if call.flags["all-containers"]:
        members = ("initContainers", "containers", "ephemeralContainers")
        return [(pod, one["name"]) for member in members for one in pod["spec"].get(member) or ()]
    wanted = dig(pod, "metadata.annotations", {}).get(DEFAULT) if not container else None
    if wanted and find(pod, wanted) is None:  # unlike exec and attach
        call.terminal.err(f'Default container name "{wanted}" not found in pod {pod["metadata"]["name"]}\n')
        return [(pod, first_of(call, pod))]
    return [(pod, choose(call, pod, container))]


def _stream(call: Call, sources: list[tuple[Map, str]]) -> Command:
    flags = call.flags
    tail = _tail(flags)
    since = call.now - flags["since"] if flags["since"] else 0
    if flags["since-time"]:
        since = _moment(flags["since-time"])
    code = 0
    offsets: list[Any] = [None] * len(sources)
    waiting: list[int] = []  # those whose container is still to start

    def begin(i: int) -> None:
        pod, container = sources[i]
        lines = _read(call, pod, container, since=since, tail=tail, limit=flags["limit-bytes"] or None)
        _print(call, pod, container, lines)
        offsets[i] = [lines[-1].offset + 1 if lines else _end(call, pod, container), _run(call, pod, container)]
    for i in range(len(sources)):
        try:
            begin(i)
        except ApiError as error:
            if flags["follow"] and not flags["previous"] and STARTING.search(error.message):
                waiting.append(i)
                continue
            if not flags["ignore-errors"] and not (flags["follow"] and len(sources) > 1):
                raise
            call.terminal.err(report(error))
    open_ = [i for i in range(len(sources)) if offsets[i] is not None] if flags["follow"] and not flags["previous"] else []
    while open_ or waiting:
        for i in list(waiting):
            pod = sources[i][0]
            call.request("get", "pods", pod["metadata"]["name"], pod["metadata"]["namespace"])  # which is refused where it is gone
            try:
                begin(i)
            except ApiError as error:
                if STARTING.search(error.message):
                    continue
                raise
            waiting.remove(i)
            open_.append(i)
        for i in list(open_):
            pod, container = sources[i]
            ended = _run(call, pod, container) != offsets[i][1] or not _runs(call, pod, container)
            try:
                lines = _read(call, pod, container, offset=offsets[i][0]) if _run(call, pod, container) == offsets[i][1] else []
            except ApiError:
                lines, ended = [], True
            _print(call, pod, container, lines)
            if lines:
                offsets[i][0] = lines[-1].offset + 1
            if ended:
                open_.remove(i)
        if open_ or waiting:
            yield Wait(stir=True) if open_ else Wait(STARTING_MS)
    return code


def _kubelet(call: Call, pod: Map) -> Any:
    return call.terminal.api.cluster.kubelet(pod["spec"]["nodeName"])


def _tail(flags: Flags) -> int | None:
    return SELECTOR_TAIL if flags["selector"] and not flags.given("tail") else flags["tail"] if flags["tail"] >= 0 else None


def _query(flags: Flags) -> str:
    """What the API server asks the kubelet for (LogLocation), as url.Values.Encode writes it."""
    asked = {name: "true" for name in ("follow", "previous", "timestamps") if flags[name]}
    if flags["since"]:
        asked["sinceSeconds"] = str((flags["since"] + 500) // 1000)
    if flags["since-time"]:
        asked["sinceTime"] = flags["since-time"]
    if _tail(flags) is not None:
        asked["tailLines"] = str(_tail(flags))
    if flags["limit-bytes"]:
        asked["limitBytes"] = str(flags["limit-bytes"])
    return f"?{urlencode(sorted(asked.items()))}" if asked else ""


def _read(call: Call, pod: Map, container: str, **options: Any) -> list[Any]:
    name = pod["metadata"]["name"]
    if not pod["spec"].get("nodeName"):
        return []  # there is nowhere to ask yet, which is no error (LogLocation)
    try:
        lines: list[Any] = _kubelet(call, pod).logs(pod["metadata"]["uid"], container, previous=call.flags["previous"], **options)
    except ApiError as error:
        if not error.message.startswith("Get "):
            raise
        where = f":10250/containerLogs/{pod['metadata']['namespace']}/{name}/{container}{_query(call.flags)}"
        raise ApiError(500, "", error.message.replace(":10250/", where, 1)) from error
    return lines


def _run(call: Call, pod: Map, container: str) -> str:
    """Which run of the container the log is of: a restart ends a followed log."""
    held = call.terminal.api.client.find("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
    for status in _statuses(held, container):
        return str(status.get("restartCount", 0))
    return "gone"


def _runs(call: Call, pod: Map, container: str) -> bool:
    held = call.terminal.api.client.find("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
    return any("terminated" not in (status.get("state") or {}) for status in _statuses(held, container))


def _statuses(pod: Map | None, container: str) -> list[Any]:
    members = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return [status for member in members for status in dig(pod, "status." + member,
                                                           ()) if status["name"] == container] if pod else []


def _end(call: Call, pod: Map, container: str) -> int:
    lines = _read(call, pod, container, tail=1)
    return lines[-1].offset + 1 if lines else 0


def _print(call: Call, pod: Map, container: str, lines: list[Any]) -> None:
    prefix = f"[pod/{pod['metadata']['name']}/{container}] " if call.flags["prefix"] else ""
    texts: list[str] = []
    for line in lines:
        stamp = rfc3339_micro(line.time)[:-1] + "000Z " if call.flags["timestamps"] else ""
        texts.append(f"{prefix}{stamp}{line.text}" + ("" if line.partial else "\n"))
    if texts:
        call.terminal.out("".join(texts))
