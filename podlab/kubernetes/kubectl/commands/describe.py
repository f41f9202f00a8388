"""kubectl describe."""

from __future__ import annotations

from ...apiserver.errors import ApiError
from ...objects import Map
from ...resources import Resource
from ..builder import FILES, SELECTING, Target, fetch, from_files, has_files, named_once, targets
from ..describe import describe_held
from ..flags import Flag, but
from ..terminal import Command, KubectlError
from ..verbs import Call, report, verb
from .get import NO_KIND, check_affordable


@verb("describe", *but(SELECTING, "all", "field-selector"), *FILES, Flag("show-events", "bool", default=True), Flag("chunk-size", "int", default=500),
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
    found: list[tuple[Resource, Map]] = []
    missing: list[ApiError] = []
    for target in wanted:
        try:
            found += [(target.resource, obj) for obj in fetch(call, target)]
        except ApiError as error:
            missing.append(error)
    if len(call.arguments) == 2 and len(missing) == 1 and missing[0].code == 404:
        _by_prefix(call, wanted, missing[0])
        return 0
    check_affordable(obj for _, obj in found)
    one = len(found) <= 1 and not missing and not errors
    texts = [_text(call, resource, obj, one=one) for resource, obj in found]
    errors += "".join(report(error) for error in missing)
    call.terminal.out("\n\n".join(texts))
    call.terminal.err(errors)
    if not texts and not errors:
        everywhere = flags["all-namespaces"]  # a kind without namespaces does not matter here
        call.terminal.err("No resources found\n" if everywhere else f"No resources found in {call.namespace} namespace.\n")
    return 1 if errors else 0


def _text(call: Call, resource: Resource, obj: Map, *, one: bool) -> str:
    """Unasked, 1.36 shows events of a single object only."""
    show_events = call.flags["show-events"] if call.flags.given("show-events") else one
    return describe_held(call.terminal.api.client, resource, obj, call.now, show_events=show_events)


def _by_prefix(call: Call, wanted: list[Target], missing: ApiError) -> None:
    """Of two words the second may begin names, where it is none itself (DescribeMatchingResources). Raises the first error otherwise."""
    if len(wanted) > 1 and "/" not in call.arguments[0]:
        raise KubectlError("error: you may only specify a single resource type\n")
    resource, prefix = wanted[0].resource, call.arguments[1]
    found = [obj for obj in fetch(call, Target(resource)) if obj["metadata"]["name"].startswith(prefix)]
    if not found:
        raise missing
    for obj in found:
        call.terminal.out(_text(call, resource, obj, one=False) + "\n")
