"""The official Python client as programs in Pods use it: leader election by a Lease, and the in-cluster configuration."""

import base64
import datetime
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.rest import ApiException
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.stream import stream

from tests.browser.harness import HANG, Server
from tests.services.conftest import token_of
from tests.services.python_client import started, until

pytestmark = pytest.mark.services
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """Of a new learner's cluster."""
    return token_of(server)


@pytest.fixture(scope="module")
def api(server: Server, token: str) -> client.ApiClient:
    return client.ApiClient(client.Configuration(host=f"{server.url}/k8s/{token}"))


class LeaseLock:
    """A lock as kubernetes.leaderelection wants it, kept in a Lease; `lost`: its holder no longer reaches the server."""

    def __init__(self, api: client.ApiClient, name: str, identity: str) -> None:
        self.leases, self.name, self.namespace, self.identity, self.lost = client.CoordinationV1Api(api), name, "default", identity, False
        self.held: Any = None

    def get(self, name: str, namespace: str) -> tuple[bool, Any]:
        try:
            self.held = self.leases.read_namespaced_lease(name, namespace)
        except ApiException as error:
            return False, error
        spec = self.held.spec
        moments = [str(moment.replace(tzinfo=None)) for moment in (spec.acquire_time, spec.renew_time)]
        return True, LeaderElectionRecord(spec.holder_identity, str(spec.lease_duration_seconds), *moments)

    def create(self, name: str, namespace: str, election_record: Any) -> bool:
        body = {"metadata": {"name": name}, "spec": self._spec(election_record)}
        return self._written(lambda: self.leases.create_namespaced_lease(namespace, body))

    def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        self.held.spec = self._spec(updated_record)
        return not self.lost and self._written(lambda: self.leases.replace_namespaced_lease(name, namespace, self.held))

    @staticmethod
    def _spec(record: Any) -> client.V1LeaseSpec:
        acquired, renewed = (datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC) for text in (record.acquire_time, record.renew_time))
        seconds = int(float(record.lease_duration))
        return client.V1LeaseSpec(holder_identity=record.holder_identity, lease_duration_seconds=seconds, acquire_time=acquired, renew_time=renewed)

    @staticmethod
    def _written(write: Any) -> bool:
        try:
            write()
        except ApiException:
            return False
        return True


def test_a_second_candidate_takes_a_lease_over_once_its_holder_is_lost(api: client.ApiClient) -> None:
    """The cluster of this server runs at a rate of its own: an untouched Lease must not look renewed."""
    led: list[str] = []

    def candidate(identity: str) -> tuple[LeaseLock, threading.Thread]:
        lock = LeaseLock(api, "leader", identity)
        config = electionconfig.Config(lock, lease_duration=5, renew_deadline=4, retry_period=1, onstopped_leading=lambda: None,
                                       onstarted_leading=lambda: led.append(identity))
        thread = threading.Thread(target=leaderelection.LeaderElection(config).run, daemon=True)
        thread.start()
        return lock, thread
    first, thread = candidate("one")
    until(lambda: led == ["one"])
    second, other = candidate("two")
    time.sleep(6)
    assert led == ["one"] or not thread.is_alive()  # who could not renew it in four seconds, on a machine that stood still, has rightly lost it
    first.lost = True
    until(lambda: led == ["one", "two"])
    assert client.CoordinationV1Api(api).read_namespaced_lease("leader", "default").spec.holder_identity == "two"
    second.lost = True
    thread.join(HANG)
    other.join(HANG)


def test_a_lease_that_somebody_has_renewed_meanwhile_is_not_taken(api: client.ApiClient) -> None:
    now = str(datetime.datetime.now())
    mine, theirs = LeaseLock(api, "contended", "mine"), LeaseLock(api, "contended", "theirs")
    assert mine.create("contended", "default", LeaderElectionRecord("mine", "3", now, now))
    assert not theirs.create("contended", "default", LeaderElectionRecord("theirs", "3", now, now))
    assert (mine.get("contended", "default")[1].acquire_time, theirs.get("contended", "default")[0]) == (now, True)
    assert mine.update("contended", "default", LeaderElectionRecord("mine", "5", now, now))
    assert not theirs.update("contended", "default", LeaderElectionRecord("theirs", "3", now, now))


def test_the_in_cluster_configuration_names_the_service_and_its_token_is_the_accounts(
        api: client.ApiClient, server: Server, token: str, tmp_path: Path) -> None:
    """What a Pod holds is read by the client's own loader; only the Service's address, which leads nowhere from here, is replaced."""
    core = client.CoreV1Api(api)
    pod = started(core, "inside")

    def said(*command: str) -> str:
        return str(stream(core.connect_get_namespaced_pod_exec, pod, "default", command=list(command), stdout=True, stderr=True))
    for name in ("token", "ca.crt"):  # in base64, which no reader of JSON or of Python takes for something else
        (tmp_path / name).write_bytes(base64.b64decode(said("base64", "-w0", f"{ACCOUNT}/{name}")))
    assert said("cat", f"{ACCOUNT}/namespace") == "default"
    environ = dict(line.split("=", 1) for line in said("env").splitlines())
    loaded = client.Configuration()
    InClusterConfigLoader(str(tmp_path / "token"), str(tmp_path / "ca.crt"), environ=environ).load_and_set(loaded)
    assert loaded.host == f"https://{core.read_namespaced_service('kubernetes', 'default').spec.cluster_ip}:443"
    assert len(ssl.create_default_context(cafile=loaded.ssl_ca_cert).get_ca_certs()) == 1
    loaded.host, loaded.refresh_api_key_hook = f"{server.url}/k8s/{token}", None  # the hook would set the address again
    inside = client.ApiClient(loaded)
    who = client.AuthenticationV1Api(inside).create_self_subject_review({}).status.user_info
    assert (who.username, "system:serviceaccounts:default" in who.groups) == ("system:serviceaccount:default:default", True)
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(inside).list_namespaced_pod("default")
    assert refused.value.status == 403
