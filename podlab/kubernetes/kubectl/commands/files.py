"""kubectl diff and cp: objects and container files through the learner's own files."""

from __future__ import annotations

import difflib
import json
import zlib
from collections.abc import Generator
from typing import Any

from ...apiserver.errors import ApiError
from ...apiserver.ownership import records
from ...objects import dig, thaw, without
from ...resources import BY_PLURAL
from ...times import rfc3339_micro
from ..builder import FILES, Info, from_files, only_files
from ..containers import choose, open_session, refuse_completed
from ..disk import Disk
from ..flags import Flag
from ..manifests import clean
from ..output import go_yaml
from ..patches import media_type, three_way
from ..pruning import LAST_APPLIED
from ..terminal import Command, KubectlError, Wait
from ..verbs import Call, fail_with, verb


@verb("diff", *FILES, Flag("server-side", "bool"), Flag("force-conflicts", "bool"), Flag("field-manager"),
      Flag("selector", short="l"), Flag("prune", "bool"), Flag("prune-allowlist", "array"), Flag("show-secret", "bool"),
      Flag("show-managed-fields", "bool"), Flag("concurrency", "int", default=1),
      summary="Diff the live version against a would-be applied version", usage="diff -f FILENAME")
def diff(call: Call) -> Command:
    only_files(call)
    if call.flags["prune"] or call.flags["prune-allowlist"]:
        raise KubectlError("error: --prune is left out of diff here: apply --prune --dry-run=server tells what it would delete\n")
    infos, wrong = yield from from_files(call)
    fail_with(wrong)
    changed = False
    for info in infos:
        try:
            live = call.request("get", info.resource, info.name, info.namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            live = None
        merged = _merged(call, info, live)
        if info.resource.kind == "Secret" and not info.resource.group and not call.flags["show-secret"]:
            live, merged = _masked(live, merged)
        old = _lines(call, live) if live is not None else []
        new = _lines(call, merged)
        version, group = info.resource.version, info.resource.group
        name = ".".join(part for part in (group, version, info.resource.kind, info.namespace, info.name) if part)
        # the real one writes both to files in new directories and runs diff on them
        stamp = rfc3339_micro(call.now).replace("T", " ").replace("Z", "000 +0000")
        old_name, new_name = (f"/tmp/{which}-{zlib.crc32(f'{which}{call.now}'.encode())}/{name}" for which in ("LIVE", "MERGED"))
        lines = list(difflib.unified_diff(old, new, old_name, new_name, stamp, stamp))
        if lines:
            changed = True
            call.terminal.out(f"diff -u -N {old_name} {new_name}\n" + "".join(lines))
    return 1 if changed else 0


def _merged(call: Call, info: Info, live: Any) -> Any:
    """The object as a server-side dry run of apply would leave it."""
    if live is None:
        return call.request("create", info.resource, "", info.namespace, info.object, dryRun="All")
    # with annotations, but without that of apply (GetModifiedConfiguration with annotate false)
    annotations = {key: value for key, value in dig(info.object, "metadata.annotations", {}).items() if key != LAST_APPLIED}
    modified = {**info.object, "metadata": {**info.object["metadata"], "annotations": annotations}}
    if call.flags["server-side"]:
        return call.request("patch", info.resource, info.name, info.namespace, modified, patchType="application/apply-patch+yaml",
                            fieldManager=call.flags["field-manager"] or "kubectl", force=call.flags["force-conflicts"], dryRun="All")
    previous = dig(live, "metadata.annotations", {}).get(LAST_APPLIED)
    patch = three_way(info.resource, json.loads(previous) if previous else {}, modified, thaw(live))
    if not patch:
        return live
    return call.request("patch", info.resource, info.name, info.namespace, patch,
                        patchType=media_type(info.resource), dryRun="All")


def _masked(live: Any, merged: Any) -> tuple[Any, Any]:
    """Secrets whose values are not shown, only which of them differ (Masker)."""
    old, new = dig(live or {}, "data", {}), dig(merged, "data", {})
    differ = {key for key in old if key in new and old[key] != new[key]}

    def shown(obj: Any, word: str) -> Any:
        data = {key: f"*** ({word})" if key in differ else "***" for key in dig(obj, "data", {})}
        return {**obj, "data": data} if data else obj

    return shown(live, "before") if live is not None else None, shown(merged, "after")


def _lines(call: Call, obj: Any) -> list[str]:
    shown = records.shown(obj) if call.flags["show-managed-fields"] else without(obj, "metadata.managedFields")
    return go_yaml.dump(shown).splitlines(True)


# ---- cp


@verb("cp", Flag("container", short="c"), Flag("no-preserve", "bool"), Flag("retries", "int", default=0),
      summary="Copy files and directories to and from containers", usage="cp <file-spec-src> <file-spec-dest>")
def cp(call: Call) -> Command:
    if len(call.arguments) != 2:
        raise KubectlError("error: source and destination are required\n")
    source, target = (_spec(word) for word in call.arguments)
    if source[0] and target[0]:
        raise KubectlError("error: one of src or dest must be a local file specification\n")
    if not source[1] or not target[1]:
        raise KubectlError("error: filepath can not be empty\n")
    if not source[0] and not target[0]:
        raise KubectlError("error: one of src or dest must be a remote file specification\n")
    if source[0]:
        return (yield from _from_pod(call, source, target[1]))
    return (yield from _to_pod(call, source[1], target))


def _spec(word: str) -> tuple[str, str, str]:
    """(pod, path, namespace) of `ns/pod:path`, `pod:path` or `path` (extractFileSpec)."""
    where, colon, path = word.partition(":")
    if not colon:
        return "", word, ""
    if not where or where.count("/") > 1:
        raise KubectlError("error: filespec must match the canonical format: [[namespace/]pod:]file/path\n")
    namespace, _, pod = where.rpartition("/")
    return pod, path, namespace


def _run_in(call: Call, pod_name: str, namespace: str, command: list[str], stdin: str = "", *,
            quiet: bool = True) -> Generator[Wait, None, tuple[int, str, str]]:
    """Run a command in the Pod's container with `stdin` as its input; what it wrote. The first of several tells which container (not `quiet`)."""
    from ...kubelet import sessions

    api = call.terminal.api
    pod = call.request("get", BY_PLURAL["pods"], pod_name, namespace or call.namespace)
    refuse_completed(pod)
    container = choose(call, pod, call.flags["container"], quiet=quiet)
    node, session = open_session(call, pod, container, command=command, stdin=bool(stdin), tty=False)
    if stdin:
        api.session(node=node, act="write", session=session, data=stdin)
        api.session(node=node, act="eof", session=session)
    kubelet = api.cluster.kubelet(node)
    try:
        while True:
            chunks, code = sessions.read(kubelet, session, 0)
            if code is not None:
                texts = ["".join(text for stream, text in chunks if stream == which) for which in ("stdout", "stderr")]
                return code, texts[0], texts[1]
            yield Wait(stir=True)
    finally:
        api.session(node=node, act="close", session=session)


def _from_pod(call: Call, source: tuple[str, str, str], target: str) -> Command:
    pod, path, namespace = source
    # one file after another, named relative to the directory; a single file is named ""
    code, listing, err = yield from _run_in(call, pod, namespace, ["sh", "-c", 'cd "$1" 2>/dev/null && find . -type f || { [ -f '
                                                                   '"$1" ] && echo; }', "sh", path], quiet=False)
    if code or not listing:  # what its tar says, which the real one runs
        code, _, err = yield from _run_in(call, pod, namespace, ["tar", "cf", "-", path])
        raise KubectlError(f"{err}command terminated with exit code {code}\n" if code else err, code or 1)
    if call.terminal.save is None:
        raise KubectlError(f"error: open {target}: read-only file system\n")
    for name in listing.split("\n")[:-1]:
        inner = name.removeprefix("./")
        code, text, err = yield from _run_in(call, pod, namespace, ["cat", f"{path.rstrip('/')}/{inner}" if inner else path])
        call.terminal.save(f"{target.rstrip('/')}/{inner}" if inner else target, text)
    return 0


def _to_pod(call: Call, source: str, target: tuple[str, str, str]) -> Command:
    pod, path, namespace = target
    files = call.terminal.files
    whole = clean(source)
    if whole in files:
        wanted = {"": files[whole]}
    elif isinstance(files, Disk):
        wanted = files.inside(whole)
    else:
        wanted = {file[len(whole) + 1:]: files[file] for file in files if file.startswith(whole + "/")}
    if not wanted:
        raise KubectlError(f"error: {source} doesn't exist in local filesystem\n")
    place = path.rstrip("/") or "/"
    if (yield from _run_in(call, pod, namespace, ["test", "-d", place]))[0] == 0:  # asked once, before anything is written (checkDestinationIsDir)
        place = f"{place.rstrip('/')}/{whole.rsplit('/', 1)[-1]}"
    for number, (inner, text) in enumerate(wanted.items()):
        code, _, err = yield from _run_in(call, pod, namespace, ["sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1"', "sh",
                                                                 f"{place}/{inner}" if inner else place], stdin=text, quiet=number > 0)
        if code:
            call.terminal.err(err)
            raise KubectlError(f"command terminated with exit code {code}\n", code)
    return 0
