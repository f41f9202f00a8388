"""What a kubectl command is: its name, flags, help and function; and the parsed command line that the function gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..apiserver.errors import ApiError
from ..apiserver.request import Request
from ..apiserver.versions import in_its_version
from ..apiserver.warnings import DEPRECATED, within_bounds
from ..objects import Map
from ..resources import Resource
from . import output
from .flags import Flag, Flags
from .terminal import Command, KubectlError, Terminal

PRINTING = (Flag("output", short="o"), Flag("template"), Flag("show-managed-fields", "bool"),
            Flag("allow-missing-template-keys", "bool", default=True))
CHANGING = (Flag("dry-run", "opt", default="none", bare="unchanged"), Flag("field-manager"), *PRINTING)
RECORD = Flag("record", "bool", hidden=True, deprecated="--record will be removed in the future")

# Commands that name their field manager after themselves (fieldManager defaults of kubectl/pkg/cmd); others are known as the program
NAMED_MANAGERS = ("annotate", "autoscale", "create", "edit", "expose", "label", "patch", "replace", "rollout", "run", "set", "taint")
MANAGERS = {"apply": "kubectl-client-side-apply"}


@dataclass
class Call:
    """One command line, parsed."""

    name: str  # "rollout status"
    terminal: Terminal
    arguments: list[str]
    flags: Flags
    after: list[str]  # what stands behind `--`
    warned: list[str] = field(default_factory=list)  # what the server's answers warned of: each is said once a command

    @property
    def namespace(self) -> str:
        config = self.terminal.config
        context = self.flags["context"]
        named: str = self.flags["namespace"] or (config.contexts.get(context) or "default" if context else config.namespace)
        return named

    @property
    def now(self) -> int:
        return self.terminal.api.now

    def request(self, verb: str, resource: Resource | str, name: str = "", namespace: str = "", body: Any = None,
                subresource: str = "",
                **options: Any) -> Any:
        """One API request. Raises ApiError."""
        plural = resource if isinstance(resource, str) else resource.plural
        if verb not in ("get", "list"):
            if self.dry == "server":
                options["dryRun"] = "All"
            if self.terminal.line:
                options["command"] = self.terminal.line
            if verb != "delete":
                options.setdefault("fieldManager", self.manager)
            if verb == "patch" and isinstance(resource, Resource) and resource.custom is not None and not resource.custom.storage:
                options["apiVersion"] = resource.api_version
            if self.flags.get("record") and isinstance(body, dict) and verb in ("create", "update", "patch"):
                body = self._recorded(body, resource, name, namespace, subresource)
        api = self.terminal.api
        custom = resource.custom if isinstance(resource, Resource) else None
        old = DEPRECATED.get(plural) or (custom.warning if custom is not None else None)
        try:
            found = api.perform(Request(verb, plural, namespace, name, subresource, body, options))
        except ApiError as error:
            if error.code != 403:  # who may not is turned away before
                self._warn(old)
            raise
        self._warn(old, *within_bounds(api.cluster.server.warnings))
        return found if isinstance(resource, str) or subresource == "scale" else in_its_version(resource, found)

    def _warn(self, *texts: str | None) -> None:
        for text in texts:
            if text and text not in self.warned:
                self.warned.append(text)
                self.terminal.err(f"Warning: {text}\n")

    def _recorded(self, body: dict[str, Any], resource: Resource | str, name: str, namespace: str, subresource: str) -> dict[str, Any]:
        """A body with the command as the change's cause (genericclioptions.RecordFlags); where it is a subresource's, the object is told."""
        mark = {"metadata": {"annotations": {CHANGE_CAUSE: self.cause}}}
        if subresource:
            if subresource == "scale":
                self.request("patch", resource, name, namespace, mark, patchType="application/merge-patch+json")
            return body
        metadata = body.get("metadata") or {}
        return {**body, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), CHANGE_CAUSE: self.cause}}}

    @property
    def cause(self) -> str:
        """The command line as --record notes it: the arguments, then the flags with their values (parseCommandArguments)."""
        return " ".join(["kubectl", *self.name.split(), *self.arguments, *(f"--{name}={text}" for name, text in self.flags.typed)])

    @property
    def customs(self) -> tuple[Resource, ...]:
        """The kinds that people defined in this cluster."""
        return self.terminal.api.cluster.server.customs.served()

    @property
    def manager(self) -> str:
        """Whom the cluster shall note as the owner of what is written: --field-manager, or the command's own name for itself."""
        word = self.name.split()[0]
        return str(self.flags.get("field-manager") or MANAGERS.get(word, f"kubectl-{word}" if word in NAMED_MANAGERS else "kubectl"))

    @property
    def dry(self) -> str:
        """none, client or server. Raises KubectlError for anything else."""
        if "dry-run" not in self.flags:
            return "none"
        value: str = self.flags["dry-run"]
        if value == "unchanged":
            raise KubectlError('error: --dry-run flag without a value was specified. A value must be set: "none", "server", or '
                               '"client".\n')
        if value not in ("none", "client", "server"):
            raise KubectlError(f'error: Invalid dry-run value ({value}). Must be "none", "server", or "client".\n')
        return value

    def show(self, resource: Resource, obj: Any, done: str, *, typed: bool = False, tell_dry: bool = True) -> None:
        """Say what was done to an object: `pod/web created`, or print it in the format of -o. `typed`: kubectl holds it as a struct.
        `tell_dry`: whether a dry run is called one."""
        form = self.flags.get("output")
        if typed and form and form.lower() in ("json", "kyaml"):
            shown = output.as_asked(obj, form, show_managed_fields=self.flags.get("show-managed-fields"))
            self.terminal.out(output.struct_text(shown, form.lower()))
            return
        if form or self.flags.get("template"):
            self.terminal.out(self._printer(output.as_asked(obj, form or "", show_managed_fields=self.flags.get("show-managed-fields"))))
            return
        suffix = {"client": " (dry run)", "server": " (server dry run)"}.get(self.dry, "") if tell_dry else ""
        self.terminal.out(f"{printed_name(resource, obj['metadata']['name'])} {done}{suffix}\n")

    def printer(self, *, typed: bool = False) -> Callable[[Any], str]:
        """What prints an object, or a List of them, in the format of -o and --template. `typed`: kubectl holds it as a struct."""
        form = (self.flags["output"] or "").lower()
        managed = bool(self.flags["show-managed-fields"])

        def show(obj: Any) -> str:
            if obj.get("kind") == "List":
                shown = Map({**obj, "items": [output.as_asked(one, form, show_managed_fields=managed) for one in obj["items"]]})
            else:
                shown = output.as_asked(obj, form, show_managed_fields=managed)
            return output.struct_text(shown, form) if typed and form in ("json", "kyaml") else self._printer(shown)
        return show

    @cached_property  # one for the whole command: what stands between objects, and a heading, it writes once
    def _printer(self) -> Callable[[Any], str]:
        return output.printer(self.flags.get("output") or "", template=self.flags.get("template"),
                              allow_missing=self.flags.get("allow-missing-template-keys", True))

    def usage_error(self, text: str) -> KubectlError:
        return KubectlError(f"error: {text}\nSee 'kubectl {self.name} -h' for help and examples\n")


Run = Callable[[Call], "Command | int | None"]


@dataclass(frozen=True)
class Verb:
    """One command. `run` is a generator function where the command waits, else a plain function (exit code, None is 0)."""

    name: str
    run: Run
    flags: tuple[Flag, ...]
    summary: str
    usage: str


CHANGE_CAUSE = "kubernetes.io/change-cause"
VERBS: dict[str, Verb] = {}
ALIASES: dict[str, str] = {}


def verb(name: str, *flags: Flag, summary: str, usage: str, aliases: str = "") -> Callable[[Run], Run]:
    """Registers a command under its whole name (`rollout status`); `aliases` are other last words for it, separated by blanks."""

    def decorate(run: Run) -> Run:
        VERBS[name] = Verb(name, run, flags, summary, usage)
        group = name.rpartition(" ")[0]
        ALIASES.update({f"{group} {alias}".strip(): name for alias in aliases.split()})
        return run
    return decorate


def printed_name(resource: Resource, name: str) -> str:
    """`pod/web`, `deployment.apps/web` (NamePrinter)."""
    return f"{resource.one}.{resource.group}/{name}" if resource.group else f"{resource.one}/{name}"


def group_kind(resource: Resource) -> str:
    """`apps/v1, Kind=Deployment`, `/v1, Kind=Pod` (GroupVersionKind.String)."""
    return f"{resource.group}/{resource.version}, Kind={resource.kind}"


# ---- errors, as kubectl prints them (S/kubectl/pkg/cmd/util/helpers.go)


class Failures(Exception):
    """Several errors at the end of a command that went on after the first (utilerrors.Aggregate)."""

    def __init__(self, errors: list[ApiError | str]) -> None:
        super().__init__(errors)
        self.errors = errors


def report(error: ApiError | str) -> str:
    """One error as checkErr prints it."""
    if isinstance(error, str):
        text = error if error.startswith("error: ") else f"error: {error}"
        return text if text.endswith("\n") else text + "\n"
    if error.reason == "Invalid":
        details = error.details
        if details is None:
            return "The request is invalid" + (f": {error.message}\n" if error.message else "\n")
        named = details.get("kind") or details.get("name")
        head = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid' if named else "The request is invalid"
        causes = list(dict.fromkeys(f"{c.get('field', '')}: {c['message']}" for c in details.get("causes") or ()))
        if not causes:
            return head + (f": {error.message}\n" if not named and error.message else "\n")
        if len(causes) == 1:
            return f"{head}: {causes[0]}\n"
        return f"{head}: \n" + "".join(f"* {cause}\n" for cause in causes)
    return standard(error).removesuffix("\n") + "\n"


def standard(error: ApiError) -> str:
    """An API error as StandardErrorMessage has it."""
    return f"Error from server ({error.reason}): {error.message}" if error.reason else f"Error from server: {error.message}"


def report_all(errors: list[ApiError | str]) -> str:
    """What checkErr prints for an aggregate: one error in its own form, several a line each."""
    if len(errors) == 1:
        return report(errors[0])
    return "".join((error if isinstance(error, str) else standard(error)) + "\n" for error in errors)


def wrapped(error: ApiError, when: str, source: str) -> ApiError:
    """`error when creating "web.yaml": ...` (AddSourceToErr)."""
    return ApiError(error.code, error.reason, f'error when {when} "{source}": {error.message}',
                    error.details) if source else error


@contextmanager
def gathered(wrong: list[ApiError | str]) -> Iterator[None]:
    """What goes wrong with one object is kept for `fail_with`, and the others still have their turn."""
    try:
        yield
    except ApiError as error:
        wrong.append(error)
    except Failures as failures:
        wrong += failures.errors


def fail_with(errors: list[ApiError | str]) -> None:
    """Raises Failures if there are errors."""
    if errors:
        raise Failures(errors)
