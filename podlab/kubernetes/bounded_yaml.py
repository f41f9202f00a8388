"""YAML that a person wrote, bounded before anything is built: depth, and aliases (a YAML bomb is a few lines that grow for ever).

For manifests (kubectl) and for the configuration files of programs in containers.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import yaml

MAX_BYTES = 1_500_000  # etcd's own request limit (--max-request-bytes) is 1.5 MiB
MAX_DEPTH = 100
ESCAPES_MAX = 100  # each costs another reading of the text


class Loader(yaml.CSafeLoader):
    """Safe YAML as Kubernetes reads it: no duplicate keys; timestamps stay text, as sigs.k8s.io/yaml has them."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f'key "{key}" already set in map', key_node.start_mark)
            seen.add(key)
        pairs = super().construct_mapping(node, deep)
        return {key if isinstance(key, str) else _key_text(key): value for key, value in pairs.items()}


def _key_text(key: Any) -> str:
    return "true" if key is True else "false" if key is False else "null" if key is None else str(key)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def as_libyaml(text: str) -> str:
    """The text with `\\'` in double quotes read as go-yaml reads it, a quote (yaml.v2 scannerc.go); libyaml knows no such escape.

    Only where libyaml stops is a backslash taken out: in single quotes and in blocks the two signs are two signs to both.
    """
    for _ in range(ESCAPES_MAX if "\\'" in text else 0):
        try:
            deque(yaml.parse(text, yaml.CSafeLoader), maxlen=0)
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark.index if error.problem_mark else 0
            if error.problem != "found unknown escape character" or not text.startswith("\\'", at):
                break
            text = text[:at] + text[at + 1 :]
        else:
            break
    return text


def bound(text: str) -> None:
    """Refuse aliases and depth before anything is built. On the events: CSafeLoader composes in C, past any method of ours."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not accepted here: write the value out", mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise yaml.constructor.ConstructorError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def load(text: str) -> Any:
    """The value of the one document of a configuration file (None for an empty one). Raises ValueError: `line 3: what is wrong`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    try:
        bound(text)
        return yaml.load(text, Loader)  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None
