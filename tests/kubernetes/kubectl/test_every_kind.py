"""Descriptions and tables of kinds that the recordings do not show, over the objects in kinds.yaml.

The texts in kinds.txt were held against the real kubectl (v1.32.4, reading the same objects) line by line; the only
differences are what v1.35 and v1.36 changed: the names of container ports, appProtocol and traffic distribution of Services,
sorted ConfigMap and Secret keys, ServiceAccounts without secrets, `Optional` of projected volumes, events' field paths.
Run this file as a program to write kinds.txt anew, and read what changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from podlab.kubernetes import times
from podlab.kubernetes.apiserver.tables import table
from podlab.kubernetes.kubectl.describe import describe
from podlab.kubernetes.kubectl.output import print_table
from podlab.kubernetes.resources import BY_PLURAL

from .reader import Store

FOLDER = Path(__file__).parent
NOW = times.parse_rfc3339("2026-11-21T04:00:00Z")
RULER = "=" * 20


class Loader(yaml.SafeLoader):
    """YAML with times left as text, as the API has them."""


Loader.yaml_implicit_resolvers = {sign: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
                                  for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}
STORE = Store(yaml.load_all((FOLDER / "kinds.yaml").read_text(), Loader))
DESCRIBED = [(plural, namespace, name) for plural, held in STORE.objects.items() for namespace, name in held]


def ours() -> dict[str, str]:
    texts = {f"get {plural}": print_table(table(BY_PLURAL[plural], STORE.list(plural), NOW), wide=True,
                                          with_namespace=BY_PLURAL[plural].namespaced) for plural in STORE.objects}
    return texts | {f"describe {plural} {name}": describe(STORE, BY_PLURAL[plural], name, namespace or None, NOW)
                    for plural, namespace, name in DESCRIBED}


def recorded() -> dict[str, str]:
    parts = (FOLDER / "kinds.txt").read_text().split(RULER + " ")[1:]
    return {head: text for head, _, text in (part.partition("\n") for part in parts)}


OURS = ours()


@pytest.mark.parametrize("command", OURS)
def test_a_kind_is_shown_as_kubectl_shows_it(command: str) -> None:
    assert OURS[command] == recorded()[command]


if __name__ == "__main__":
    (FOLDER / "kinds.txt").write_text("".join(f"{RULER} {command}\n{text}" for command, text in ours().items()))
