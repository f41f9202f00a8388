"""Objects in an editor, which opens again with what is wrong until that is mended or left alone: for kubectl edit, apply edit-last-applied
and create --edit (S/kubectl/pkg/cmd/util/editor/editoptions.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from ..apiserver.errors import ApiError, show
from ..bounded_yaml import Loader, as_libyaml, document
from ..objects import dig, without
from .builder import Info, infos_of
from .manifests import line_of, parse
from .output import go_yaml
from .output.go_values import go_syntax, to_json
from .terminal import KubectlError, Wait
from .verbs import Call, Failures, report_all

HEAD = ("# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs "
        "while saving this file will be\n# reopened with the relevant failures.\n#\n")
NOT_VALID = 'Invalid value: "The edited file failed validation": '
COMMENT = re.compile(r"\s*#(?!!)")


@dataclass
class Round:
    """What became of one time in the editor (editResults)."""

    path: str = ""  # of the file that was edited
    notes: str = ""  # comments that tell what is to be mended; "" where nothing is
    retryable: int = 0
    missing: int = 0

    def must_mend(self, title: str, causes: list[str]) -> None:
        lines = [title + ":" * bool(causes), *(f"* {cause}" for cause in causes)]
        self.notes += "".join("# " + re.sub(r"\n(?=[^#])", "\n# ", line) + "\n" for line in lines) + "#\n"

    def refused(self, error: ApiError, info: Info) -> str:
        """Notes the server's refusal; what is said of it (addError)."""
        kind = f"{info.resource.name}.{info.resource.group}" if info.resource.group else info.resource.name
        what = f"{kind} {show(info.name)}"
        if error.reason == "Invalid":
            causes = (error.details or {}).get("causes") or ()
            self.must_mend(f"{what} was not valid", [f"{cause.get('field', '')}: {cause['message']}" for cause in causes])
            return f"error: {what} is invalid\n"
        if error.code == 404:
            self.missing += 1
            return f"error: {what} could not be found on the server\n"
        self.retryable += 1
        return f"error: {what} could not be patched: {error.message}\n"


def session(call: Call, originals: list[Info], head: str, save: Callable[[list[Info], Round], None]) -> Generator[Wait, None, int]:
    """Until the objects are saved as they were edited, or are left alone; the exit code.

    `save` takes the edited objects and what it finds wrong with them; it may raise. Raises KubectlError.
    """
    edit, remove = call.terminal.edit, call.terminal.remove
    if edit is None or remove is None:
        raise KubectlError('error: unable to launch the editor "vi"\n')
    form = "json" if call.flags.get("output") == "json" else "yaml"
    original = text = _text(originals, form)
    done, number, began = Round(), 0, call.now
    while True:
        last, number = done, number + 1
        done = Round(_path(call, originals[0], f"{began} {number}", form))
        with _kept(call, last.path):
            edited = yield from edit(done.path, (head + last.notes if form == "yaml" else "") + text)
        with _kept(call, done.path):
            if last.notes and _meaning(edited) == _meaning(text):
                raise KubectlError("error: Edit cancelled, no valid changes were saved.\n")
            if last.path:
                remove(last.path)
            text = _uncommented(edited)
            if fault := _fault(text):
                answer = ApiError(422, "Invalid", "", {"causes": [{"field": "<nil>", "message": NOT_VALID + fault}]})
                call.terminal.err(done.refused(answer, originals[0]))
                continue
            if _meaning(edited) == _meaning(original):
                remove(done.path)
                call.terminal.err("Edit cancelled, no changes made.\n")
                return 0
            try:
                infos = _infos(call, edited)
            except KubectlError as error:
                done.must_mend(f"The edited file had a syntax error: {error.text.removeprefix('error: ').rstrip()}", [])
                continue
            _in_namespace(call, infos)
            save(infos, done)
        if done.retryable:
            call.terminal.err(f"You can run `kubectl replace -f {done.path}` to try this update again.\n")
            return 1
        if done.missing:
            call.terminal.err(f"The edits you made on deleted resources have been saved to {show(done.path)}\n")
            return 1
        if not done.notes:
            remove(done.path)
            return 0


def editor_of(env: Mapping[str, str]) -> tuple[str, str | None]:
    """The command that edits (defaultEnvEditor), and the program that is looked for first; None where a shell reads what is quoted."""
    words = env.get("KUBE_EDITOR") or env.get("EDITOR") or "vi"
    return words, None if " " in words and {*"\"'\\"} & {*words} else words.partition(" ")[0]


def original_of(originals: list[Info], info: Info) -> Info:
    """The object as it was before it was edited: the one with the same uid. Raises KubectlError for none."""
    for one in originals:
        if dig(one.object, "metadata.uid", "") == dig(info.object, "metadata.uid", ""):
            return one
    raise KubectlError(f"error: no original object found for &unstructured.Unstructured{{Object:{go_syntax(info.object)}}}\n")


@contextmanager
def _kept(call: Call, path: str) -> Iterator[None]:
    """Says where the learner's changes are when something goes wrong with them (preservedFile)."""
    try:
        yield
    except (KubectlError, ApiError, Failures):
        if path and path in call.terminal.files:
            call.terminal.err(f"A copy of your changes has been stored to {show(path)}\n")
        raise


def _path(call: Call, info: Info, which: str, form: str) -> str:
    """os.CreateTemp: ten digits or so, which are the same when a kubectl in a container is begun again."""
    key = dig(info.object, "metadata.uid", info.name), dig(info.object, "metadata.resourceVersion", "")
    return f"/tmp/kubectl-edit-{call.terminal.api.cluster.random.integer('edit', *key, which, below=2**32)}.{form}"


def _text(infos: list[Info], form: str) -> str:
    objects = [without(info.object, "metadata.managedFields") for info in infos]
    whole = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {}}
    return to_json(whole, indent=4) + "\n" if form == "json" else go_yaml.dump(whole)


def _uncommented(text: str) -> str:
    """ManualStrip."""
    return "".join(line for line in text.splitlines(True) if not COMMENT.match(line))


@lru_cache(maxsize=2)  # what was edited is looked at several times, and reading 100 kB takes 0.1 s
def _read(text: str) -> tuple[Any, Exception | None]:
    """The first document, not to be changed, or why there is none."""
    try:
        return document(as_libyaml(text), Loader, aliases=True), None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        return None, error.with_traceback(None)


def _meaning(text: str) -> str:
    """What two texts are compared by: what they say, as JSON, or where that cannot be read all but the comments (StripComments)."""
    found, wrong = _read(text)
    try:
        return _uncommented(text) if wrong is not None else to_json(found)
    except (ValueError, TypeError, RecursionError):  # TypeError: keys of several types, in no order
        return _uncommented(text)


def _fault(text: str) -> str:
    """Why a text is no object, "" for one that is (paramVerifyingSchema.ValidateBytes)."""
    found, wrong = _read(text)
    if isinstance(wrong, yaml.MarkedYAMLError):
        return f"yaml: {line_of(wrong)}{wrong.problem}"
    if wrong is not None:
        return f"yaml: {wrong}"
    if not isinstance(found, dict):
        return "invalid object to validate"
    missing = [f"{member} not set" for member in ("apiVersion", "kind") if not found.get(member)]
    return missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]" if missing else ""


def _infos(call: Call, edited: str) -> list[Info]:
    """The edited objects. Raises KubectlError for a text that names none."""
    infos, wrong = infos_of(call, parse(edited, "edited-file"))
    if wrong:
        raise KubectlError(report_all(wrong))
    return infos


def _in_namespace(call: Call, infos: list[Info]) -> None:
    """Raises KubectlError for an object that was moved to another namespace (RequireNamespace)."""
    for info in infos:
        if info.resource.namespaced and info.namespace != call.namespace:
            raise KubectlError(f'error: the namespace from the provided object "{info.namespace}" does not match the namespace "{call.namespace}". '
                               f"You must pass '--namespace={info.namespace}' to perform this operation.\n")
