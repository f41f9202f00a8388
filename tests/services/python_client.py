"""What the tests with the official Python client share."""

import time
from collections.abc import Callable
from typing import Any

from kubernetes import client

from tests.browser.harness import HANG


def until(check: Callable[[], Any], seconds: float = HANG) -> Any:
    """What `check` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return found


def started(core: client.CoreV1Api, name: str, image: str = "busybox", command: str = "sleep 3600", **spec: Any) -> str:
    """A running Pod."""
    container = {"name": "main", "image": image, **({"args": ["/bin/sh", "-c", command]} if image == "busybox" else {}), **spec}
    core.create_namespaced_pod("default", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}})
    until(lambda: core.read_namespaced_pod(name, "default").status.phase == "Running")
    return name


def deployment(name: str, replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "nginx", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}
