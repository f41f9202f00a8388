"""Tab: what the last word of a command line could be."""

from __future__ import annotations

import re

from ..objects import dig
from ..resources import RESOURCES, Resource, by_any_name
from .flags import GLOBAL
from .terminal import Terminal
from .verbs import ALIASES, VERBS

CONTROL = re.compile(r"\s*(?:\|\||&&|[|;&(]|\bdo\b|\bthen\b)\s*")
BY_NAME = ("get", "describe", "delete", "edit", "label", "annotate", "patch", "scale", "expose", "autoscale", "wait",
           "set image", "set env",
           "set resources", "set selector", "set serviceaccount", "rollout status", "rollout history", "rollout undo",
           "rollout restart", "rollout pause",
           "rollout resume", "apply view-last-applied")
PODS = ("logs", "exec", "attach", "port-forward", "debug", "top pod", "cp")
NODES = ("cordon", "uncordon", "drain", "top node", "taint")
OUTPUTS = ("custom-columns=", "go-template=", "json", "jsonpath=", "kyaml", "name", "wide", "yaml")


def complete_line(line: str, terminal: Terminal, commands: list[str]) -> list[str]:
    """Candidates for the last word of a whole shell line."""
    part = CONTROL.split(line)[-1].lstrip()
    words = part.split()
    if line[-1:].isspace() or not words:
        words.append("")
    if len(words) == 1:
        return [name for name in commands if name.startswith(words[0])] if words[0] else []
    if words[0] in ("kubectl", "k"):
        return complete(words[1:], terminal)
    return _files(words[-1], terminal)


def complete(words: list[str], terminal: Terminal) -> list[str]:
    """Candidates for the last of kubectl's words (those after "kubectl"), sorted; it may be empty."""
    *before, last = words
    name, rest = _command(before)
    found = VERBS.get(name)
    flags = {flag.name: flag for flag in (*GLOBAL, *(found.flags if found else ()))}
    shorts = {flag.short: flag for flag in flags.values() if flag.short}
    if "--" in before:
        return []
    previous = before[-1] if before else ""
    asked = flags.get(previous[2:]) if previous.startswith("--") and "=" not in previous else shorts.get(previous[-1:]) if \
        re.fullmatch(r"-[a-zA-Z]+", previous) else None
    if asked is not None and asked.kind not in ("bool", "opt"):
        return _pick(_values(asked.name, rest, terminal, name), last)
    if last.startswith("--") and "=" in last:
        flag = last.partition("=")[0]
        return _pick([f"{flag}={one}" for one in _values(flag[2:], rest, terminal, name)], last)
    if last.startswith("-"):
        return _pick([f"--{flag.name}" + ("" if flag.kind in ("bool", "opt") else "=") for flag in flags.values()]
                     + [f"-{short}" for short in shorts], last) \
            if name in VERBS else _pick([f"--{flag.name}" for flag in GLOBAL], last)
    below = sorted({verb[len(name) + 1 if name else 0:].split()[0] for verb in VERBS
                    if verb.startswith(name + " " if name else "")})
    if not name or (below and not rest):
        return _pick(below, last)
    return _pick(_arguments(name, rest, last, before, terminal), last)


def _command(before: list[str]) -> tuple[str, list[str]]:
    """(the command's name so far, its arguments) without flags and their values."""
    name = ""
    rest: list[str] = []
    skip = False
    for word in before:
        if skip:
            skip = False
            continue
        if word.startswith("-"):
            found = VERBS.get(name)
            flags = [*GLOBAL, *(found.flags if found else ())]
            flag = next((f for f in flags if word in (f"--{f.name}", f"-{f.short}" if f.short else "")), None)
            skip = flag is not None and flag.kind not in ("bool", "opt")
            continue
        whole = f"{name} {word}".strip()
        whole = ALIASES.get(whole, whole)
        if not rest and (whole in VERBS or any(verb.startswith(whole + " ") for verb in VERBS)):
            name = whole
        else:
            rest.append(word)
    return name, rest


def _namespace(before: list[str], terminal: Terminal) -> str:
    for i, word in enumerate(before):
        if word in ("-n", "--namespace") and i + 1 < len(before):
            return before[i + 1]
        if word.startswith("--namespace="):
            return word.partition("=")[2]
    return terminal.config.namespace


def _customs(terminal: Terminal) -> tuple[Resource, ...]:
    return terminal.api.cluster.server.customs.served()


def _names(plural: str, namespace: str, terminal: Terminal) -> list[str]:
    resource = next(r for r in (*RESOURCES, *_customs(terminal)) if r.plural == plural)
    return [obj["metadata"]["name"] for obj in terminal.api.client.list(plural, namespace if resource.namespaced else None)]


def _arguments(name: str, rest: list[str], last: str, before: list[str], terminal: Terminal) -> list[str]:
    namespace = _namespace(before, terminal)
    if name in PODS and not rest:
        if "/" in last:
            return _slashed(last, namespace, terminal)
        return _names("pods", namespace, terminal) + (["deployment/", "service/"] if name in ("logs", "port-forward") else [])
    if name == "logs" and rest:
        return _containers(rest[0], namespace, terminal)
    if name in NODES:
        return _names("nodes", "", terminal) if name != "taint" or rest else ["nodes"]
    if name in BY_NAME or name == "explain":
        if "/" in last:
            return _slashed(last, namespace, terminal)
        if not rest:
            return [word for r in (*RESOURCES, *_customs(terminal)) for word in (r.name, r.one)] + (["all"] if name == "get" else [])
        kind = by_any_name(rest[0].split(",")[0], _customs(terminal))
        if kind is None or name == "explain":
            return []
        if name.startswith("set ") and len(rest) >= 2:
            return []
        return [one for one in _names(kind.plural, namespace, terminal) if one not in rest[1:]]
    if name == "cp":
        return _files(last, terminal) + [pod + ":" for pod in _names("pods", namespace, terminal)]
    if name in ("config use-context", "config get-contexts"):
        return sorted(terminal.config.contexts)
    return []


def _slashed(last: str, namespace: str, terminal: Terminal) -> list[str]:
    kind, _, _ = last.partition("/")
    resource = by_any_name(kind, _customs(terminal))
    return [f"{kind}/{name}" for name in _names(resource.plural, namespace, terminal)] if resource else []


def _containers(pod: str, namespace: str, terminal: Terminal) -> list[str]:
    found = terminal.api.client.find("pods", pod.removeprefix("pod/"), namespace)
    members = ("containers", "initContainers", "ephemeralContainers")
    return [one["name"] for member in members for one in dig(found, "spec." + member, ())] if found else []


def _values(flag: str, rest: list[str], terminal: Terminal, name: str) -> list[str]:
    if flag == "namespace":
        return _names("namespaces", "", terminal)
    if flag == "output":
        return [form for form in OUTPUTS if name in ("get", "events", "api-resources") or form not in ("wide", "custom-columns=")]
    if flag in ("container", "target") and rest:
        return _containers(rest[0], terminal.config.namespace, terminal)
    if flag in ("filename", "kustomize", "from-file", "from-env-file", "patch-file"):
        return _files("", terminal)
    return {"dry-run": ["client", "none", "server"], "cascade": ["background", "foreground", "orphan"],
            "type": ["json", "merge", "strategic"]
            if name == "patch" else ["ClusterIP", "NodePort", "LoadBalancer"], "restart": ["Always", "Never",
                "OnFailure"]}.get(flag, [])


def _files(last: str, terminal: Terminal) -> list[str]:
    """Files and directories, a step at a time."""
    base = last.rpartition("/")[0]
    prefix = base + "/" if base else ""
    found = set()
    for path in terminal.files:
        if path.startswith(prefix) and (path.startswith("/") == last.startswith("/")):
            step, slash, _ = path[len(prefix):].partition("/")
            found.add(prefix + step + slash)
    return sorted(one for one in found if one.startswith(last))


def _pick(candidates: list[str], last: str) -> list[str]:
    return sorted({one for one in candidates if one.startswith(last)})
