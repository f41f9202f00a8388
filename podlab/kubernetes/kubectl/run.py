"""Run one kubectl command line: find the command, let it work, and put errors in kubectl's words."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..apiserver.errors import ApiError
from ..apiserver.rest import call as http_call
from ..apiserver.rest import users
from . import (
    commands,  # noqa: F401  (registers the commands)
    kuberc,
)
from .account import JudgedApi
from .commands.config import CLUSTER, FILE
from .commands.info import USER
from .flags import GLOBAL, Flags, parse, request_timeout
from .help import general_help, help_of
from .manifests import clean
from .terminal import Api, Command, Config, KubectlError, Terminal, Text
from .verbs import ALIASES, VERBS, Call, Failures, report, report_all

if TYPE_CHECKING:
    from ..engine import Engine

LONGEST_MS = 3_600_000  # run_to_end gives up on a command that waits for ever (get -w, logs -f) after an hour of virtual time
PROFILES = ("cpu", "heap", "goroutine", "threadcreate", "block", "mutex", "trace")  # kubectl/pkg/cmd/profiling.go
LOGGED = 6  # from which -v on a kubectl logs its requests
GROUP_ALIASES = {"create svc": "create service"}
WITH_VALUE = {spelled for flag in GLOBAL if flag.kind != "bool" for spelled in (f"--{flag.name}", f"-{flag.short}")}


def run(argv: list[str], terminal: Terminal) -> Command:
    """The command of `argv` (without "kubectl"), running: see `Wait`. Never raises; returns the exit code."""
    failure = 2 if split(argv)[1][:1] == ["diff"] else 1  # CheckDiffErr: 1 says that something differs
    try:
        return (yield from _run(argv, terminal))
    except KubectlError as error:
        terminal.out(error.printed)
        terminal.err(error.text)
        return failure if error.code == 1 else error.code
    except ApiError as error:
        terminal.err(report(error))
    except Failures as failures:
        terminal.err(report_all(failures.errors))
    except RecursionError:  # a body, a jsonpath or a template with thousands of brackets
        terminal.err("error: the input is nested too deeply\n")
    return failure


def _run(argv: list[str], terminal: Terminal) -> Command:
    leading, words = split(argv)
    if not words:
        terminal.out(general_help())
        return 0
    if words[0] == "help":
        terminal.out(help_of(words[1:]))
        return 0
    if words[0] != "kuberc":  # what shows and mends the preferences does not fall over them
        words = kuberc.applied(terminal, leading, words)
    name, words = find(words)
    if not name:  # DefaultSubCommandRun, which certificate has not
        (terminal.out if words[0] in ("rollout", "certificate") else terminal.err)(help_of(words))
        return 0 if words[0] == "certificate" else 1
    found = VERBS[name]
    if any(word in ("-h", "--help") for word in (words[:words.index("--")] if "--" in words else words)):
        terminal.out(help_of(name.split()))
        return 0
    arguments, flags, after = parse(name, leading + words, found.flags)
    terminal.err("".join(flags.warnings))
    if not name.startswith("config "):
        _configured(terminal, flags, {flag.name for flag in found.flags})
    warned: list[str] = []
    posing = _posing(terminal, name, flags)
    if flags["warnings-as-errors"]:
        def write(stream: int, text: str) -> None:
            if text.startswith("Warning: "):
                warned.append(text)
            terminal.write(stream, text)
        posing = replace(posing, write=write)
    done = found.run(Call(name, posing, arguments, flags, after))
    code = (yield from done) if isinstance(done, Generator) else done
    if warned and not code:
        raise KubectlError(f"error: {len(warned)} warning{'s' if len(warned) > 1 else ''} received\n")
    return code or 0


def _configured(terminal: Terminal, flags: Flags, own: set[str]) -> None:
    """Raises KubectlError for a context, cluster or user that the kubeconfig does not have (clientcmd's ConfirmUsable), and for what this
    laptop's kubectl has not: certificates of one's own, profiles of itself. `own`: the command's flags, behind which a global one hides."""
    request_timeout(flags)
    if "profile" not in own and flags["profile"] != "none":
        raise KubectlError(f"error: unknown profile '{flags['profile']}'\n" if flags["profile"] not in PROFILES else
                           "error: profiles of kubectl itself are left out here\n")
    if flags["certificate-authority"] and clean(flags["certificate-authority"]) not in terminal.files:
        path = flags["certificate-authority"]
        raise KubectlError(f"error: unable to read certificate-authority {path} for {CLUSTER} due to open {path}: no such file or directory\n")
    for name in ("certificate-authority", "client-certificate", "client-key"):
        if flags[name] and name not in own:
            raise KubectlError(f"error: --{name} is left out here: this laptop's certificates are those of its kubeconfig\n")
    if flags["v"] >= LOGGED and not flags["help"]:
        terminal.err(f"kubectl -v={flags['v']}: the log of requests is left out here\n")
    if (path := flags["kubeconfig"]) and clean(path) not in terminal.files and path not in (FILE, "~/.kube/config"):
        raise KubectlError(f"error: stat {path}: no such file or directory\n")
    if flags["context"] and flags["context"] not in terminal.config.contexts:
        raise KubectlError(f"Error in configuration: context was not found for specified context: {flags['context']}\n")
    if flags["cluster"] not in (None, "", CLUSTER):
        raise KubectlError(f'error: no server found for cluster "{flags["cluster"]}"\n')
    user = _user(terminal, flags)
    if user != USER and user not in terminal.config.users:
        raise KubectlError(f'error: auth info "{user}" does not exist\n')


def _user(terminal: Terminal, flags: Flags) -> str:
    """Whom of the kubeconfig's users a command goes as."""
    config = terminal.config
    named = flags["user"] if isinstance(flags["user"], str) else ""  # create rolebinding --user names others
    return named or config.users_of.get(flags["context"] or config.context, USER)


def _posing(terminal: Terminal, name: str, flags: Flags) -> Terminal:
    """The terminal of whom --as, a token or the context's user names; his own where none does. Raises KubectlError, and ApiError where that is not
    allowed."""
    asked = {"impersonate-user": flags["as"] or "", "impersonate-group": ",".join(flags["as-group"]), "impersonate-uid": flags["as-uid"] or ""}
    for pair in flags["as-user-extra"]:
        key, equals, value = pair.partition("=")
        if not equals:
            raise KubectlError(f"error: {pair} is not a valid user extra: it must be of the form key=value\n")
        held = asked.get(f"impersonate-extra-{key.lower()}")
        asked[f"impersonate-extra-{key.lower()}"] = f"{held},{value}" if held else value
    api = terminal.api
    token = "" if name.startswith("config ") else flags["token"] or terminal.config.users.get(_user(terminal, flags), "")
    if not any(asked.values()) and not token:
        return terminal
    if any(asked.values()) and not flags["as"]:
        raise KubectlError(f"error: requesting uid, groups or user-extra for {api.identity.name} without impersonating a user\n")
    bearer = {"authorization": f"Bearer {token}"} if token else {}
    try:
        user = users.user_of(api.engine, http_call.Call("GET", [], {}, {**asked, **bearer}), api.identity)
    except ApiError as error:
        if error.code != 401:
            raise
        raise KubectlError("error: You must be logged in to the server (Unauthorized)\n") from error
    judged = JudgedApi(api.engine, user, api.submit)
    judged.deleting = name == "delete"
    return replace(terminal, api=judged)


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """The global flags before the command (`kubectl -n web get pods`), and the rest."""
    words, leading = list(argv), []
    while words and words[0].startswith("-") and words[0] not in ("-h", "--help"):
        leading.append(words.pop(0))
        if leading[-1] in WITH_VALUE and words:
            leading.append(words.pop(0))
    if words and words[0] in ("-h", "--help"):
        words[0] = "help"
    return leading, words


def find(words: list[str]) -> tuple[str, list[str]]:
    """(the command's whole name, what follows it); ("", group) for a group alone. Raises KubectlError for an unknown one."""
    first = ALIASES.get(words[0], words[0])
    name, rest = first, list(words[1:])
    while any(verb.startswith(name + " ") for verb in VERBS):
        at = next((i for i, word in enumerate(rest) if not word.startswith("-")), None)
        if at is None:
            break
        whole = GROUP_ALIASES.get(f"{name} {rest[at]}", f"{name} {rest[at]}")
        whole = ALIASES.get(whole, whole)
        if whole not in VERBS and not any(verb.startswith(whole + " ") for verb in VERBS):
            if name == "certificate":
                return "", [name]
            if name not in VERBS:
                given = " ".join(word for word in rest if not word.startswith("-"))
                raise KubectlError(f'error: unknown command "{given}"\nSee \'kubectl {name} -h\' for help and examples\n')
            break
        name = whole
        del rest[at]
    if name in VERBS:
        return name, rest
    if any(verb.startswith(name + " ") for verb in VERBS):
        return "", name.split()
    if first not in VERBS:
        near = sorted(name for name in {name.split()[0] for name in VERBS} if name.startswith(first) or _distance(first,
            name) <= 2)
        hint = "\nDid you mean this?\n" + "".join(f"\t{name}\n" for name in near) + "\n" if near else ""
        raise KubectlError(f'error: unknown command "{first}" for "kubectl"\n{hint}')
    return first, words[1:]


def _distance(a: str, b: str) -> int:
    """Levenshtein's, as cobra's suggestions count it."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


def run_to_end(cluster: Engine, argv: list[str], *, namespace: str = "default", stdin: str | None = None,
               files: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run a command while virtual time passes as it waits. Returns (exit code, stdout, stderr)."""
    streams: dict[int, list[str]] = {1: [], 2: []}
    api = Api(cluster, lambda entry: cluster.apply({"at": cluster.now, **entry}))
    terminal = Terminal(api, lambda stream, text: streams[stream].append(text), Config(namespace), files or {},
                        None if stdin is None else Text(stdin), line="kubectl " + " ".join(argv))
    running = run(argv, terminal)
    deadline = cluster.now + LONGEST_MS
    code = 0
    try:
        while cluster.now < deadline:
            wait = next(running)
            until = deadline if wait.ms is None else min(cluster.now + wait.ms, deadline)
            if wait.busy:
                cluster.run_until(until)
                continue
            revision = cluster.etcd.revision
            while cluster.etcd.revision == revision:
                due = cluster.clock.next_at()
                if due is None or due > until:
                    cluster.run_until(until)
                    break
                cluster.step()
                if wait.stir:
                    break
        running.close()
    except StopIteration as stop:
        code = stop.value or 0
    return code, "".join(streams[1]), "".join(streams[2])
