"""ServiceCIDRs: ready, used by Services that ask for their addresses, kept while these have them."""

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from tests.kubernetes.runtime.lab import Lab

RANGE = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"}, "spec": {"cidrs": ["203.0.113.0/24"]}}


def ready(lab: Lab, name: str) -> Any:
    found = lab.cluster.etcd.get("servicecidrs", name)
    return found and [(one["status"], one["reason"]) for one in found["status"]["conditions"]]


def delete(lab: Lab, plural: str, name: str, namespace: str | None) -> None:
    entry = {"at": lab.cluster.now, "do": "request", "verb": "delete", "resource": plural, "namespace": namespace, "name": name}
    lab.cluster.apply(entry)


def test_a_range_is_ready_and_goes_ten_seconds_after_nothing_needs_it() -> None:
    lab = Lab(1)
    assert ready(lab, "kubernetes") == [("True", "")]
    with pytest.raises(ApiError, match="not in the valid range"):
        lab.service("early", "web", clusterIP="203.0.113.10")
    lab.create("servicecidrs", RANGE, None)
    lab.settle(1)
    assert ready(lab, "more") == [("True", "")]
    lab.service("web", "web", clusterIP="203.0.113.10")
    delete(lab, "servicecidrs", "more", None)
    lab.settle(30)
    assert ready(lab, "more") == [("False", "Terminating")]
    delete(lab, "services", "web", "default")
    lab.settle(1)
    assert ready(lab, "more") is None


def test_a_range_inside_another_is_let_go_after_ten_seconds() -> None:
    lab = Lab(1)
    lab.create("servicecidrs", {**RANGE, "spec": {"cidrs": ["10.96.0.0/24"]}}, None)
    lab.settle(1)
    delete(lab, "servicecidrs", "more", None)
    lab.settle(9)
    assert ready(lab, "more") == [("True", "")]
    lab.settle(2)
    assert ready(lab, "more") is None
