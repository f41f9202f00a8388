"""kubectl describe."""

from __future__ import annotations

from ...apiserver.errors import ApiError
from ..builder import FILES, SELECTING, Target, fetch, from_files, has_files, named_once, targets
from ..describe import describe as describe_object
from ..flags import Flag
from ..terminal import Command, KubectlError
from ..verbs import Call, report, verb
from .get import NO_KIND


@verb("describe", *SELECTING, *FILES, Flag("show-events", "bool", default=True), Flag("chunk-size", "int", default=500),
      summary="Show details of a specific resource or group of resources",
      usage="describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)")
def describe(call: Call) -> Command:
    flags = call.flags
    errors = ""
    if has_files(call):
        infos, wrong = yield from from_files(call)
        errors = "".join(report(error) for error in wrong)
        wanted = [Target(info.resource, info.name) for info in infos]
    elif call.arguments:
        wanted = targets(call.arguments, call.customs)
    else:
        raise KubectlError(f"error: {NO_KIND.format('describe')}\n".replace("\n\n\n", "\n"))
    named_once(call, wanted)
    if any(target.name for target in wanted) and flags["selector"]:
        raise KubectlError("error: name cannot be provided when a selector is specified\n")
    texts: list[str] = []
    for target in wanted:
        try:
            objects = fetch(call, target)
        except ApiError as error:
            # like kubectl, take the word as a prefix of names when there is no such object
            objects = [] if error.code != 404 else [
                obj for obj in fetch(call, Target(target.resource)) if obj["metadata"]["name"].startswith(target.name)]
            if not objects:
                errors += report(error)
        for obj in objects:
            metadata = obj["metadata"]
            texts.append(describe_object(call.terminal.api.client, target.resource, metadata["name"], metadata.get("namespace"),
                                         call.now,
                                         show_events=flags["show-events"]))
    call.terminal.out("\n\n".join(texts))
    call.terminal.err(errors)
    if not texts and not errors:
        everywhere = flags["all-namespaces"]  # a kind without namespaces does not matter here
        call.terminal.err("No resources found\n" if everywhere else f"No resources found in {call.namespace} namespace.\n")
    return 1 if errors else 0
