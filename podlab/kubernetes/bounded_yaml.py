"""YAML that a person wrote, bounded before anything is built: depth, and what aliases stand for (a YAML bomb is a few lines that grow for ever).

For manifests (kubectl) and for the configuration files of programs in containers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

MAX_BYTES = 1_500_000  # etcd's own request limit (--max-request-bytes) is 1.5 MiB
MAX_DEPTH = 100
ESCAPES_MAX = 100  # each costs another reading of the text
VALUES_MAX = 100_000  # with every alias written out; go-yaml draws its line at 400,000 (yaml.v2 decode.go, alias_ratio_range_low)


class Loader(yaml.CSafeLoader):
    """Safe YAML as sigs.k8s.io/yaml reads it: of a key that is there twice the last holds, timestamps stay text."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        for key_node, _ in node.value:
            if isinstance(key_node.value, list):  # a collection; go-yaml shows it as Go writes it (yaml.v2 decode.go, mapping)
                raise yaml.constructor.ConstructorError(None, None, "invalid map key", key_node.start_mark)
        pairs = super().construct_mapping(node, deep)
        return {key if isinstance(key, str) else _key_text(key): value for key, value in pairs.items()}


class Strict(Loader):
    """The same for those who refuse a key that is there twice: kustomize, and programs of their configuration."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if not isinstance(key, list) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f'key "{key}" already set in map', key_node.start_mark)
            seen.add(str(key))
        return super().construct_mapping(node, deep)


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


def bound(text: str, *, aliases: bool = False) -> bool:
    """Refuse depth, and aliases or (`aliases`) more of them than VALUES_MAX values, before anything is built. True: there are aliases.

    On the events: CSafeLoader composes in C, past any method of ours.
    """
    known: dict[str | None, tuple[int, int]] = {}  # of an anchor: how many values it stands for, how deep
    open_: list[list[Any]] = [["", 0, 0]]  # anchor, values, depth of what is in it
    found = False
    for event in yaml.parse(text, yaml.CSafeLoader):
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            if not aliases:
                raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not accepted here: write the value out", mark)
            found = True
            _add(open_, *_stands_for(event.anchor, known, open_))
        elif isinstance(event, yaml.ScalarEvent):
            _add(open_, 1, 0)
            known[event.anchor] = (1, 0)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append([event.anchor, 1, 0])
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, count, deep = open_.pop()
            known[anchor] = (count, deep + 1)
            _add(open_, count, deep + 1)
        if len(open_) - 1 + open_[-1][2] > MAX_DEPTH:
            raise yaml.constructor.ConstructorError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        if found and open_[-1][1] > VALUES_MAX:
            raise yaml.constructor.ConstructorError(None, None, "document contains excessive aliasing")
    return found


def _add(open_: list[list[Any]], count: int, deep: int) -> None:
    open_[-1][1] += count
    open_[-1][2] = max(open_[-1][2], deep)


def _stands_for(anchor: str | None, known: Mapping[str | None, tuple[int, int]], open_: Sequence[Sequence[Any]]) -> tuple[int, int]:
    if any(one[0] == anchor for one in open_):
        raise yaml.constructor.ConstructorError(None, None, f"anchor '{anchor}' value contains itself")
    if anchor not in known:
        raise yaml.constructor.ConstructorError(None, None, f"unknown anchor '{anchor}' referenced")
    return known[anchor]


def unshared(value: Any) -> Any:
    """The value with what aliases share written out: each place has its own."""
    if isinstance(value, dict):
        return {key: unshared(one) for key, one in value.items()}
    return [unshared(one) for one in value] if isinstance(value, list) else value


def document(text: str, loader: type[Loader], *, aliases: bool = False) -> Any:
    """The value of the first document (None where there is none), within the bounds. Raises YAMLError, or ValueError for a value that cannot be."""
    aliased = bound(text, aliases=aliases)
    value = next(iter(yaml.load_all(text, loader)), None)
    return unshared(value) if aliased else value


def load(text: str) -> Any:
    """The value of the one document of a configuration file (None for an empty one). Raises ValueError: `line 3: what is wrong`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    try:
        return document(text, Strict)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None
