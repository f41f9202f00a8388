"""kubectl exec and kubectl attach."""

from __future__ import annotations

from ...objects import dig
from ..attaching import attach as attach_to
from ..builder import select
from ..containers import choose, pod_of, refuse_completed, run_session, single
from ..flags import Flag
from ..terminal import Command, KubectlError
from ..verbs import Call, fail_with, verb

STREAMS = (Flag("stdin", "bool", "i"), Flag("tty", "bool", "t"), Flag("container", short="c"), Flag("quiet", "bool", "q"),
           Flag("pod-running-timeout", "duration", default=60_000))


def _patience(call: Call) -> None:
    if call.flags["pod-running-timeout"] <= 0:
        raise call.usage_error("--pod-running-timeout must be higher than zero")


@verb("exec", *STREAMS, Flag("filename", "array", "f"), summary="Execute a command in a container",
      usage="exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]")
def exec_(call: Call) -> Command:
    words, command = call.arguments, call.after
    _patience(call)
    if not words and call.flags["filename"]:
        infos, wrong = yield from select(call)
        fail_with(wrong)
        words = [f"{infos[0].resource.qualified}/{infos[0].name}"]
    if not words:
        raise KubectlError("error: pod, type/name or --filename must be specified\n")
    if not command:
        if len(words) > 1:
            raise KubectlError("error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee "
                               "'kubectl exec -h' "
                               "for help and examples\n")
        raise KubectlError("error: you must specify at least one command for the container\n")
    pod = yield from pod_of(call, single(call, words), call.flags["pod-running-timeout"])
    refuse_completed(pod)
    container = choose(call, pod, call.flags["container"], quiet=call.flags["quiet"])
    stdin = call.flags["stdin"]
    tty = call.flags["tty"]
    if tty and stdin and not call.terminal.tty:
        call.terminal.err("Unable to use a TTY - input is not a terminal or the right kind of file\n")
        tty = False
    code = yield from run_session(call, pod, container, command=command, stdin=stdin, tty=tty)
    if code:
        raise KubectlError(f"command terminated with exit code {code}\n", code)
    return 0


@verb("attach", *STREAMS, Flag("detach-keys"), summary="Attach to a running container",
      usage="attach (POD | TYPE/NAME) -c CONTAINER [flags]")
def attach(call: Call) -> Command:
    _patience(call)
    if not call.arguments:
        raise KubectlError("error: at least 1 argument is required for attach\n")
    pod = yield from pod_of(call, single(call, call.arguments), call.flags["pod-running-timeout"])
    if dig(pod, "status.phase") in ("Succeeded", "Failed"):
        raise KubectlError(f"error: cannot attach a container in a completed pod; current phase is {dig(pod, 'status.phase')}\n")
    try:
        container = choose(call, pod, call.flags["container"])
    except KubectlError as refusal:
        raise KubectlError(f"error: cannot attach to the container: {refusal.text.removeprefix('error: ')}") from None
    return (yield from attach_to(call, pod, container))
