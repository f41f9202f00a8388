"""kubectl wait (S/kubectl/pkg/cmd/wait)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...apiserver.errors import ApiError, not_found
from ...objects import dig
from ..builder import FILES, SELECTING, Info, select
from ..flags import Flag, but
from ..output.go_values import sprint
from ..output.jsonpath import JSONPath, JSONPathError, relaxed
from ..terminal import Command, KubectlError, Wait
from ..verbs import Call, fail_with, verb

DEFAULT_MS = 30_000
EXAMPLE = "--for=jsonpath='{.status.readyReplicas}'=3"
WEEK_MS = 168 * 3_600_000  # --timeout=-1s waits a week


@verb("wait", *SELECTING, *but(FILES, "kustomize"), Flag("for", "array"), Flag("timeout", "duration", default=DEFAULT_MS), Flag("local", "bool"),
      Flag("output", short="o"), Flag("template"), Flag("allow-missing-template-keys", "bool", default=True), Flag("show-managed-fields", "bool"),
      summary="Wait for a specific condition on one or many resources",
      usage="wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
      "[--for=create|--for=delete|--for condition=available"
            "|--for=jsonpath='{}'[=value]]")
def wait(call: Call) -> Command:
    if not call.flags["for"]:
        raise KubectlError('error: unrecognized condition: ""\n')
    timeout = call.flags["timeout"]
    deadline = call.now + (WEEK_MS if timeout < 0 else timeout)
    tests = [_test(want) for want in call.flags["for"] if want.lower() != "create"]  # each after the one before it, create before all (1.36)
    if len(tests) < len(call.flags["for"]):
        created = yield from _created(call, deadline)
        if not tests:
            for info in created:
                call.show(info.resource, info.object, "condition met")
            return 0
    infos, wrong = yield from select(call)
    if None in tests:  # what is not there any more has been waited for
        wrong = [error for error in wrong if not (isinstance(error, ApiError) and error.code == 404)]
    fail_with(wrong)
    if not infos:
        if None in tests:
            return 0
        raise KubectlError("error: no matching resources found\n")
    late: list[Any] = []
    for info in infos:
        met = None
        for test in tests:
            met = yield from _until(call, info, test, deadline, late)
            if met is None:
                break
        else:
            call.show(info.resource, met, "condition met")
    fail_with(late)
    return 0


def _test(want: str) -> Any:
    """What --for says, as a test of an object: None when deleted is the wish. Raises KubectlError."""
    kind, equals, rest = want.partition("=")
    if kind.lower() == "delete":
        return None
    if kind == "condition" and equals:
        name, _, state = rest.partition("=")
        state = state or "true"

        def condition(obj: Any) -> bool:
            for one in dig(obj, "status.conditions", ()):
                if one.get("type", "").lower() == name.lower():
                    seen = dig(obj, "status.observedGeneration")
                    if one.get("observedGeneration", obj["metadata"].get("generation", 0)) < obj["metadata"].get("generation",
                        0) or (
                            seen is not None and seen < obj["metadata"].get("generation", 0)):
                        return False
                    return bool(str(one.get("status", "")).lower() == state.lower())
            return False
        return condition
    if kind == "jsonpath" and equals:
        expression, *values = _parted(rest)
        if len(values) > 1:
            raise KubectlError(f"error: jsonpath wait format must be {EXAMPLE} or --for=jsonpath='{{.status.readyReplicas}}'\n")
        if not expression:
            raise KubectlError("error: jsonpath expression cannot be empty\n")
        value = values[0].strip("'\"") if values else None
        try:
            path = JSONPath(relaxed(expression))
        except JSONPathError as error:
            raise KubectlError(f"error: {error}\n") from error
        if value == "":
            raise KubectlError(f"error: jsonpath wait has to have a value after equal sign, like {EXAMPLE}\n")

        def jsonpath(obj: Any) -> bool:
            try:
                results = [one for group in path.results(obj) for one in group]
            except JSONPathError:
                return False
            if value is None:
                return bool(results)
            if len(results) > 1:
                raise KubectlError("error: given jsonpath expression matches more than one value\n")
            if results and isinstance(results[0], (dict, list)):
                raise KubectlError("error: jsonpath leads to a nested object or list which is not supported\n")
            return bool(results) and sprint(results[0]) == value
        return jsonpath
    raise KubectlError(f'error: unrecognized condition: "{want}"\n')


def _parted(text: str) -> list[str]:
    """A text at its single equal signs; two in a row belong to an expression (splitJSONPathInput)."""
    return [one.replace("\0", "==") for one in text.replace("==", "\0").split("=")]


def _until(call: Call, info: Info, test: Any, deadline: int, late: list[Any]) -> Generator[Wait, None, Any]:
    """The object for which `test` holds; None where time ran out or it is gone, told in `late`."""
    client = call.terminal.api.client
    while True:
        live = client.find(info.resource.plural, info.name, info.namespace or None)
        if test is None:
            if live is None or live["metadata"]["uid"] != info.object["metadata"]["uid"]:
                return info.object
        elif live is None:
            late.append(not_found(info.resource.group, info.resource.plural, info.name))
            return None
        elif test(live):
            return live
        if call.now >= deadline:
            late.append(f"timed out waiting for the condition on {info.resource.plural}/{info.name}" if call.flags["timeout"]
                        else f"condition not met for {info.resource.plural}/{info.name}")
            return None
        yield Wait(deadline - call.now)


def _created(call: Call, deadline: int) -> Generator[Wait, None, list[Info]]:
    while True:
        infos, wrong = yield from select(call)
        missing = [error for error in wrong if isinstance(error, ApiError) and error.code == 404]
        if len(missing) != len(wrong):
            fail_with(wrong)
        if infos and not missing:
            return infos
        if call.now >= deadline:
            fail_with(["error: timed out waiting for the condition"])
        yield Wait(deadline - call.now)
