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


@pytest.mark.slow
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


def test_every_address_of_a_service_is_an_ip_address_that_goes_with_it() -> None:
    lab = Lab(1)
    user = lab.cluster.client("kubernetes-admin")
    before = [obj["metadata"]["name"] for obj in user.list("ipaddresses")]
    service = user.create("services", {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}, "default")
    address = service["spec"]["clusterIP"]
    found = user.get("ipaddresses", address)
    assert found["spec"]["parentRef"] == {"resource": "services", "namespace": "default", "name": "web"}
    assert found["metadata"]["labels"] == {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
    assert [obj["metadata"]["name"] for obj in user.list("ipaddresses")] == sorted([*before, address])
    with pytest.raises(ApiError, match="already exists"):
        user.create("ipaddresses", {"metadata": {"name": address}, "spec": {"parentRef": {"resource": "x", "name": "y"}}})
    user.delete("ipaddresses", address)
    assert user.get("ipaddresses", address) == found
    assert user.patch("ipaddresses", address, {"metadata": {"labels": {"mine": "yes"}}})["metadata"]["uid"] == found["metadata"]["uid"]
    user.delete("services", "web", "default")
    lab.settle(1)
    assert [obj["metadata"]["name"] for obj in user.list("ipaddresses")] == before


def test_an_address_that_somebody_holds_is_given_to_no_service() -> None:
    user = Lab(1).cluster.client("kubernetes-admin")
    user.create("ipaddresses", {"metadata": {"name": "10.96.0.77"}, "spec": {"parentRef": {"resource": "x", "name": "y"}}})
    with pytest.raises(ApiError, match="already allocated"):
        user.create("services", {"metadata": {"name": "web"}, "spec": {"clusterIP": "10.96.0.77", "ports": [{"port": 80}]}}, "default")
