"""Which components run a cluster. The images that its nodes can pull are filled in here too."""

from __future__ import annotations

from .component import Component
from .controllers import CONTROLLERS
from .engine import Engine
from .kubelet.kubelet import Kubelet
from .runtime import images
from .scheduler.scheduler import Scheduler

__all__ = ["components", "images"]


def components(engine: Engine) -> list[Component]:
    """Every component of the cluster, in start order."""
    kubelets = [Kubelet(engine, engine.network, index, node) for index, node in enumerate(engine.spec["nodes"])]
    return [engine.events, engine.network, Scheduler(engine), *(controller(engine) for controller in CONTROLLERS), *kubelets]
