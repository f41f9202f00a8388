"""kubectl delete (S/kubectl/pkg/cmd/delete/delete.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...apiserver.errors import ApiError
from ...resources import Resource
from .. import raw
from ..builder import FILES, SELECTING, Info, from_files, has_files, select, targets
from ..flags import Flag
from ..terminal import DELETING, Command, KubectlError, Wait
from ..verbs import Call, fail_with, printed_name, verb

FORCE_WARNING = ("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The "
                 "resource may "
                 "continue to run on the cluster indefinitely.\n")
CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
PARSED_BOOL = {**dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), "background"),
               **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), "orphan")}  # strconv.ParseBool: the flag's old values
FOREVER_MS = 168 * 3_600_000  # effectiveTimeout: without --timeout a delete waits a week


@verb("delete", *SELECTING, *FILES, Flag("grace-period", "int", default=-1), Flag("force", "bool"), Flag("now", "bool"),
      Flag("wait", "bool", default=True),
      Flag("cascade", "opt", default="background", bare="background"), Flag("ignore-not-found", "bool"),
      Flag("timeout", "duration"),
      Flag("dry-run", "opt", default="none", bare="unchanged"), Flag("output", short="o"), Flag("raw"),
      Flag("interactive", "bool", "i"),
      summary="Delete resources by file names, stdin, resources and names, or by resources and label selector",
      usage="delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])")
def delete(call: Call) -> Command:
    flags = call.flags
    if flags["raw"]:
        return (yield from raw.ask(call, "delete"))
    grace = flags["grace-period"]
    policy = cascading(call)
    if flags["output"] not in (None, "", "name"):
        raise KubectlError("error: unexpected -o output mode: " + flags["output"] + ". We only support '-o name'\n")
    if flags["selector"] and flags["field-selector"] and flags["all"]:
        raise KubectlError("error: cannot set --all and --field-selector at the same time\n")
    if (flags["selector"] or flags["field-selector"]) and flags["all"]:
        raise KubectlError("error: setting 'all' parameter but found a non empty selector. \n")
    if flags["now"]:
        if grace != -1:
            raise KubectlError("error: --now and --grace-period cannot be specified together\n")
        grace = 1
    if grace > 0 and flags["force"]:
        raise KubectlError("error: --force and --grace-period greater than 0 cannot be specified together\n")
    if grace == 0 and not flags["force"]:
        grace = 1  # an object is only deleted at once when --force says so
    force = flags["force"] and grace <= 0
    if flags["force"] and grace < 0:
        grace = 0
    if force and grace == 0:
        call.terminal.err(FORCE_WARNING)
    infos, wrong = yield from _doomed(call)
    if flags["ignore-not-found"]:
        wrong = [error for error in wrong if not (isinstance(error, ApiError) and error.code == 404)]
    if not infos and not wrong and not flags["ignore-not-found"]:
        call.terminal.out("No resources found\n")
        return 0
    if infos and flags["interactive"] and not (yield from _confirmed(call, infos)):
        call.terminal.out("deletion is cancelled\n")
        return 0
    yield from _delete_all(call, infos, wrong, grace, policy)
    return 0


def _confirmed(call: Call, infos: list[Info]) -> Generator[Wait, None, bool]:
    """Ask whether these are to be deleted; the first word of the answer counts (DeleteOptions.confirmation)."""
    listed = "".join(f"{printed_name(info.resource, info.name)}\n" for info in infos)
    call.terminal.out(f"You are about to delete the following {len(infos)} resource(s):\n{listed}Do you want to continue? (y/n): ")
    answer = ""
    while call.terminal.stdin is not None and "\n" not in answer.lstrip() and (piece := call.terminal.stdin.read()) != "":
        if piece is None:
            yield Wait()
        else:
            answer += piece
    return answer.split()[:1] in (["y"], ["Y"])


def cascading(call: Call) -> str:
    """parseCascadingFlag (S/kubectl/pkg/cmd/delete/delete_flags.go): --cascade as a propagation policy. Raises KubectlError."""
    given = call.flags["cascade"]
    if (meant := PARSED_BOOL.get(given)) is not None:
        call.terminal.err(f"warning: --cascade={given} is deprecated (boolean value) and can be replaced with --cascade={meant}.\n")
        given = meant
    if given not in CASCADES:
        raise KubectlError(f'error: invalid cascade value ({given}). Must be "background", "foreground", or "orphan"\n')
    return CASCADES[given]


def _delete_all(call: Call, infos: list[Info], wrong: list[Any], grace: int, policy: str) -> Command:
    flags = call.flags
    chosen_by_rule = flags["all"] or flags["selector"] or flags["field-selector"]  # then what has gone meanwhile is no error (Complete)
    waiting: list[tuple[Resource, str, str, str]] = []
    for index, info in enumerate(infos):
        if index:
            yield DELETING
        options: dict[str, Any] = {"propagationPolicy": policy}
        if grace >= 0:
            options["gracePeriodSeconds"] = grace
        try:
            if call.dry != "client":
                call.request("delete", info.resource, info.name, info.namespace, **options)
        except ApiError as error:
            if not (error.code == 404 and (flags["ignore-not-found"] or chosen_by_rule)):
                wrong.append(error)
            continue
        if flags["output"] == "name":
            call.terminal.out(f"{info.resource.one}{'.' + info.resource.group if info.resource.group else ''}/{info.name}\n")
        else:
            call.terminal.out(delete_lines(info.resource, info.name, info.namespace, force=grace == 0, dry=call.dry))
        waiting.append((info.resource, info.namespace, info.name, info.object["metadata"]["uid"]))
    if flags["wait"] and call.dry == "none":
        yield from gone(call, waiting, flags["timeout"], wrong)
    fail_with(wrong)
    return 0


def delete_lines(resource: Resource, name: str, namespace: str, *, force: bool = False, dry: str = "none") -> str:
    """`pod "x" deleted from NS namespace`."""
    kind = f"{resource.one}.{resource.group}" if resource.group else resource.one
    where = f" from {namespace} namespace" if resource.namespaced else ""
    suffix = {"client": " (dry run)", "server": " (server dry run)"}.get(dry, "")
    return f'{kind} "{name}" {"force deleted" if force else "deleted"}{where}{suffix}\n'


def _doomed(call: Call) -> Any:
    """The objects to delete, live."""
    flags = call.flags
    if not has_files(call) and call.arguments and not any("/" in word for word in call.arguments):
        targets(call.arguments[:1], call.customs)  # an unknown kind is the first thing to complain about
        if len(call.arguments) == 1 and not (flags["all"] or flags["selector"] or flags["field-selector"]):
            raise KubectlError("error: resource(s) were provided, but no name was specified\n")
    if has_files(call):
        infos, wrong = yield from from_files(call)
        live: list[Info] = []
        for info in infos:
            try:
                obj = call.request("get", info.resource, info.name, info.namespace)
                live.append(Info(info.resource, info.namespace, info.name, obj, info.source))
            except ApiError as error:
                # the file's own name is in the server's words: `Error from server (NotFound): error when deleting "x.yaml": ...`
                wrong.append(ApiError(error.code, error.reason, f'error when deleting "{info.source}": {error.message}',
                                      error.details))
        return live, wrong
    return (yield from select(call))


def gone(call: Call, waiting: list[tuple[Resource, str, str, str]], timeout_ms: int | None,
         wrong: list[Any] | None = None) -> Command:
    """Wait until the objects of those uids are no more."""
    deadline = call.now + (timeout_ms or FOREVER_MS)
    late: list[Any] = [] if wrong is None else wrong
    for resource, namespace, name, uid in waiting:
        plural = resource.plural
        while True:
            held = call.terminal.api.client.find(plural, name, namespace or None)
            if held is None or held["metadata"]["uid"] != uid:
                break
            if call.now >= deadline:
                late.append(f"error: timed out waiting for the condition on {resource.plural}/{name}")
                break
            yield Wait(deadline - call.now)
    if wrong is None:
        fail_with(late)
    return 0
