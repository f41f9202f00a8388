"""Pods with thousands of what others have a few of: they are admitted and started soon, and what they have is right."""

from __future__ import annotations

import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.runtime import view
from tests.kubernetes.frozen import created

EPOCH_MS = 1_795_219_200_000
MOUNTS = [{"name": "v", "mountPath": f"/m/{number}"} for number in range(1_500)]
LARGE = {
    "mounts": {"volumes": [{"name": "v", "emptyDir": {}}], "containers": [{"name": "c", "image": "busybox", "volumeMounts": MOUNTS}]},
    "options of the resolver": {"dnsPolicy": "None", "dnsConfig": {
        "nameservers": ["1.1.1.1"], "options": [{"name": f"o{number}"} for number in range(12_000)]}},
    "files of a volume": {"volumes": [{"name": "v", "projected": {"sources": [{"configMap": {
        "name": "c", "optional": True, "items": [{"key": "k", "path": f"p/{number}"} for number in range(12_000)]}}]}}]},
}


@pytest.mark.slow
@pytest.mark.parametrize("spec", LARGE.values(), ids=LARGE)
def test_a_pod_with_thousands_starts_soon(spec: dict[str, Any]) -> None:
    cluster = created(1, EPOCH_MS, {"nodes": [{"name": "node-1"}]})
    spec = {"containers": [{"name": "c", "image": "busybox"}], **spec}
    spec["containers"] = [{**spec["containers"][0], "command": ["sleep", "1000"]}]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    began = time.process_time()
    cluster.server.perform(Request("create", "pods", "default", body=body))
    cluster.run_for(30)
    pod = cluster.etcd.get("pods", "default/p")
    assert pod is not None and pod["status"]["phase"] == "Running"
    assert time.process_time() - began < 3


def test_one_mount_more_is_as_all_mounts_anew() -> None:
    paths = ("/a", "/a/b/c", "/d/e", "/d", "/a/b/c/f")
    above, tree = view._above(())
    for number, path in enumerate(paths, 1):
        kept = repr(tree)
        more = view._with(above, tree, path)
        assert more == view._above(paths[:number]) and repr(tree) == kept
        above, tree = more


def test_an_option_of_the_resolver_that_is_named_again_stands_last() -> None:
    cluster = created(1, EPOCH_MS, {"nodes": [{"name": "node-1"}]})
    options = [{"name": "timeout", "value": "1"}, {"name": "ndots", "value": "2"}, {"name": "timeout", "value": "3"}]
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", "cat /etc/resolv.conf; sleep 99"]}
    cluster.server.perform(Request("create", "pods", "default", body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "dnsConfig": {"options": options}, "containers": [container]}}))
    cluster.run_for(10)
    pod = cluster.etcd.get("pods", "default/p")
    assert pod is not None
    assert "options ndots:2 timeout:3" in str(cluster.kubelet("node-1").logs(pod["metadata"]["uid"], "c"))
