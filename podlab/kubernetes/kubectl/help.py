"""kubectl help: which commands there are, how each is written, which flags it takes."""

from __future__ import annotations

from .flags import Flag
from .terminal import KubectlError
from .verbs import ALIASES, VERBS, Verb

# The groups of `kubectl help` (S/kubectl/pkg/cmd/cmd.go)
GROUPS = (
    ("Basic Commands (Beginner)", ("create", "expose", "run", "set")),
    ("Basic Commands (Intermediate)", ("explain", "get", "edit", "delete")),
    ("Deploy Commands", ("rollout", "scale", "autoscale")),
    ("Cluster Management Commands", ("certificate", "cluster-info", "top", "cordon", "uncordon", "drain", "taint")),
    ("Troubleshooting and Debugging Commands", ("describe", "logs", "attach", "exec", "port-forward", "cp", "auth", "debug",
                                                "events")),
    ("Advanced Commands", ("diff", "apply", "patch", "replace", "wait", "kustomize")),
    ("Settings Commands", ("label", "annotate", "completion")),
    ("Other Commands", ("api-resources", "api-versions", "config", "kuberc", "plugin", "version")),
)
SUMMARIES = {"set": "Set specific features on objects", "rollout": "Manage the rollout of a resource",
             "kuberc": "Manage kuberc configuration files", "top": "Display resource (CPU/memory) usage",
             "certificate": "Modify certificate resources", "plugin": "Provides utilities for interacting with plugins",
             "auth": "Inspect authorization", "config": "Modify kubeconfig files",
             "create service": "Create a service using a specified subcommand",
             "create secret": "Create a secret using a specified subcommand"}
USAGES = {"auth": "[flags]", "create secret": "(docker-registry | generic | tls)", "create service": "[flags]", "plugin": "[flags]", "top": "[flags]"}
KINDS = {"str": "", "int": "0", "duration": "0s", "bool": "false", "list": "[]", "array": "[]", "opt": ""}


def _summary(name: str) -> str:
    return VERBS[name].summary if name in VERBS else SUMMARIES.get(name, "")


def general_help() -> str:
    """`kubectl` alone."""
    lines = ["kubectl controls the Kubernetes cluster manager.\n", " Find more information at: "
             "https://kubernetes.io/docs/reference/kubectl/\n"]
    for title, names in GROUPS:
        there = [name for name in names if name in VERBS or any(verb.startswith(name + " ") for verb in VERBS)]
        if there:
            width = max(len(name) for name in there)
            lines.append(f"{title}:\n" + "".join(f"  {name:<{width}}   {_summary(name)}\n" for name in there))
    lines.append("Usage:\n  kubectl [flags] [options]\n")
    lines.append('Use "kubectl <command> --help" for more information about a given command.')
    return "\n".join(lines) + "\n"


def help_of(words: list[str]) -> str:
    """`kubectl help rollout status`. Raises KubectlError for a command that is not there."""
    name = ""
    for count in (3, 2, 1):
        whole = " ".join(words[:count])
        whole = ALIASES.get(whole, whole)
        if whole in VERBS or any(verb.startswith(whole + " ") for verb in VERBS):
            name = whole
            break
    if not words:
        return general_help()
    inner = sorted(verb for verb in VERBS if verb.startswith(name + " "))
    if not name:
        raise KubectlError(f'error: unknown command "{" ".join(words)}"\n')
    text = f"{_summary(name)}.\n"
    if inner:
        below = {verb[len(name) + 1:].split()[0]: verb for verb in reversed(inner)}
        width = max(map(len, below))
        text += "\nAvailable Commands:\n" + "".join(f"  {word:<{width}}   {_summary(f'{name} {word}')}\n"
                                                    for word in sorted(below))
    if name in VERBS:
        text += _options(VERBS[name])
        text += f"\nUsage:\n  kubectl {VERBS[name].usage}{'' if '[options]' in VERBS[name].usage else ' [options]'}\n"
    else:
        text += f"\nUsage:\n  kubectl {name} {USAGES.get(name, 'SUBCOMMAND')} [options]\n"
    if inner:
        text += f'\nUse "kubectl {name} <command> --help" for more information about a given command.'
    return text + '\nUse "kubectl options" for a list of global command-line options (applies to all commands).\n'


def _options(found: Verb) -> str:
    def default(flag: Flag) -> str:
        value = flag.default if flag.default is not None else KINDS[flag.kind]
        return f"'{value}'" if flag.kind in ("str", "opt") else str(value).lower() if isinstance(value, bool) else str(value)
    lines = [f"    {f'-{flag.short}, ' if flag.short else '    '}--{flag.name}={default(flag)}" for flag in sorted(found.flags,
        key=lambda f: f.name) if not flag.hidden]
    return "\nOptions:\n" + "\n".join(dict.fromkeys(lines)) + "\n" if lines else ""
