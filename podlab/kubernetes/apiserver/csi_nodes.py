"""CSINodes: each kubelet makes one for its Node when it starts, without drivers where none has registered. They follow from the Nodes, so
none is stored: they are made up when they are read. One that somebody changes is stored from then on.

Source: pkg/volume/csi/csi_plugin.go (initializeCSINode, migratedPlugins: those whose gates are on or locked in 1.36),
pkg/volume/csi/nodeinfomanager/nodeinfomanager.go (CreateCSINode, setMigrationAnnotation).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..objects import Map, freeze

if TYPE_CHECKING:
    from ..randomness import Randomness

MIGRATED = "storage.alpha.kubernetes.io/migrated-plugins", ",".join(f"kubernetes.io/{name}" for name in (
    "aws-ebs", "azure-disk", "azure-file", "cinder", "gce-pd", "portworx-volume", "vsphere-volume"))


def of_node(node: Map, random: Randomness) -> Map:
    metadata = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": metadata["name"], "uid": metadata["uid"]}
    made: Map = freeze({"apiVersion": "storage.k8s.io/v1", "kind": "CSINode",
                        "metadata": {"name": metadata["name"], "annotations": {MIGRATED[0]: MIGRATED[1]}, "ownerReferences": [owner],
                                     "uid": random.uid("csi-node", metadata["uid"]), "creationTimestamp": metadata["creationTimestamp"],
                                     "resourceVersion": metadata["resourceVersion"]},
                        "spec": {"drivers": None}})
    return made


def together(stored: Sequence[Map], nodes: Iterable[Map], random: Randomness) -> list[Map]:
    """All of them, by name."""
    found = {node["metadata"]["name"]: of_node(node, random) for node in nodes}
    found.update({obj["metadata"]["name"]: obj for obj in stored})
    return [found[name] for name in sorted(found)]
