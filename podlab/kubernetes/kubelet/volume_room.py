"""What the files of ConfigMaps and the like may take of a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..objects import EMPTY, Map
from . import volume_content
from .state import Worker
from .volume_content import MountError

if TYPE_CHECKING:
    from .agent import Agent

ROOM, LIGHT = 32_000_000, 4_000  # bytes on one node, whoever has them mounted (kind's is the host's disk); a volume of fewer is not counted


class Room:
    """What is left on a node for the files of ConfigMaps and the like, whoever has them mounted. They are small (1 MiB each), but a Pod may
    mount one thousands of times, and all of it is kept with the cluster."""

    def __init__(self, kubelet: Agent) -> None:
        self.kubelet, self.left, self.full = kubelet, -1, ""

    def files(self, worker: Worker, pod: Map, volume: Map) -> Mapping[str, Any]:
        """The content of a volume. Raises MountError where it cannot be had or does not fit; then nothing more is looked at."""
        if self.full:
            raise MountError(self.full)
        content = volume_content.files(self.kubelet, worker, pod, volume)
        size = volume_content.weight(content)
        if size < LIGHT or content == (old := worker["config"].get(volume["name"])):
            return content
        if self.left < 0:
            held = (files for one in self.kubelet.state["pods"].values() for files in one["config"].values())
            self.left = ROOM - sum(map(volume_content.weight, held))
        self.left -= size - volume_content.weight(old or EMPTY)
        if self.left < 0:
            kind = volume_content.content_kind(volume).lower()
            path = f"/var/lib/kubelet/pods/{worker['uid']}/volumes/kubernetes.io~{kind}/{volume['name']}/..data_tmp/{next(iter(content))}"
            self.full = f"write {path}: no space left on device"
            raise MountError(self.full)
        return content
