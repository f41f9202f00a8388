"""Manifests with the features that public collections use: whatever is valid in 1.36 is accepted, shown and behaves."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.run import run_to_end

pytestmark = pytest.mark.slow  # the lives of 29 Pods
FOLDER = Path(__file__).parent / "manifests"
EPOCH_MS = 1_795_219_200_000
NODE = {"nodes": [{"name": "node-1", "cpu": "4", "memory": "16Gi"}]}


def kubectl(cluster: Cluster, line: str, stdin: str = "") -> str:
    code, out, err = run_to_end(cluster, shlex.split(line), namespace="default", stdin=stdin)
    assert code == 0, err
    return out


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    fresh = Cluster.create(1, EPOCH_MS, NODE, strict=True)
    fresh.kubelet("node-1").preload(["busybox:1.36", "nginx:1.14.2"])
    fresh.run_for(5)
    kubectl(fresh, "apply -f -", (FOLDER / "cluster_kinds.yaml").read_text())
    kubectl(fresh, "apply -f -", (FOLDER / "pods.yaml").read_text())
    fresh.run_for(120)
    return fresh


PODS = [(one["metadata"]["name"], one["metadata"]["annotations"]["expect"]) for one in yaml.safe_load_all((FOLDER / "pods.yaml").read_text())]


@pytest.mark.parametrize(("name", "shown"), PODS, ids=[name for name, _ in PODS])
def test_a_pod_behaves_as_its_manifest_says(cluster: Cluster, name: str, shown: str) -> None:
    assert " ".join(kubectl(cluster, f"get pod {name} --no-headers").split()[1:3]) == shown, kubectl(cluster, f"describe pod {name}")


KINDS = [(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all((FOLDER / "cluster_kinds.yaml").read_text())]


@pytest.mark.parametrize(("kind", "name"), KINDS, ids=[kind for kind, _ in KINDS])
def test_a_kind_of_the_cluster_itself_is_stored_shown_and_described(cluster: Cluster, kind: str, name: str) -> None:
    assert name in kubectl(cluster, f"get {kind.lower()} {name}")
    assert kubectl(cluster, f"describe {kind.lower()} {name}").startswith("Name:")
    again = kubectl(cluster, f"get {kind.lower()} {name} -o yaml")
    assert kubectl(cluster, "apply --dry-run=server -f -", again)


def test_an_older_version_that_is_still_served_is_applied_as_the_stored_one(cluster: Cluster) -> None:
    kubectl(cluster, "create deployment web --image nginx:1.14.2")
    kubectl(cluster, "apply -f -", "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  maxReplicas: 3\n"
            "  targetCPUUtilizationPercentage: 50\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n")  # fmt: skip
    assert kubectl(cluster, "get hpa web -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}") == "50"


@pytest.mark.parametrize(("version", "kind"), [
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"), ("apps/v1beta1", "Deployment"), ("extensions/v1beta1", "PodSecurityPolicy"),
    ("cloud.google.com/v1", "BackendConfig"), ("kind.x-k8s.io/v1alpha4", "Cluster"), ("servicecatalog.k8s.io/v1alpha1", "ServiceBroker"),
    ("extensions/v1beta1", "Ingress"), ("policy/v1beta1", "PodDisruptionBudget"), ("batch/v1beta1", "CronJob"), ("apps/v1beta2", "StatefulSet"),
    ("rbac.authorization.k8s.io/v1beta1", "Role"), ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"), ("storage.k8s.io/v1beta1", "StorageClass"),
    ("snapshot.storage.k8s.io/v1", "VolumeSnapshot"), ("gateway.networking.k8s.io/v1", "Gateway"),
    ("kubelet.config.k8s.io/v1beta1", "KubeletConfiguration"),
    ("resource.k8s.io/v1alpha3", "ResourceClaim"), ("certificates.k8s.io/v1beta1", "ClusterTrustBundle"),
])  # fmt: skip
def test_a_retired_or_foreign_version_is_no_kind_of_this_server(cluster: Cluster, version: str, kind: str) -> None:
    manifest = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n"
    code, _, err = run_to_end(cluster, ["apply", "-f", "-"], namespace="default", stdin=manifest)
    assert (code, err) == (1, f'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "{kind}" in version '
                              f'"{version}"\nensure CRDs are installed first\n')  # fmt: skip


def test_a_quote_may_be_escaped_in_double_quotes_as_go_yaml_has_it(cluster: Cluster) -> None:
    kubectl(cluster, "apply -f -", """apiVersion: v1\nkind: ConfigMap\nmetadata: {name: quoted}\n"""
            r"""data: {double: "it\'s \"\'x\'\"", single: 'a\ b', block: "1"}""" + "\n")  # fmt: skip
    assert kubectl(cluster, "get configmap quoted -o jsonpath={.data.double}|{.data.single}") == "it's \"'x'\"|a\\ b"


ENSEMBLE = """apiVersion: v1
kind: Service
metadata: {name: zk-hs}
spec: {clusterIP: None, selector: {app: zk}, ports: [{port: 2888, name: server}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: zk}
spec:
  serviceName: zk-hs
  replicas: 3
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: zk}}
  template:
    metadata: {labels: {app: zk}}
    spec:
      securityContext: {runAsUser: 1000, fsGroup: 1000}
      containers:
      - name: zk
        image: registry.k8s.io/kubernetes-zookeeper:1.0-3.4.10
        command: [sh, -c, start-zookeeper --servers=3]
        livenessProbe: {exec: {command: [sh, -c, zookeeper-ready 2181]}, failureThreshold: 1}
        volumeMounts: [{name: data, mountPath: /var/lib/zookeeper}]
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
"""


def test_an_ensemble_keeps_what_one_server_was_told_while_its_pods_come_and_go() -> None:
    cluster = Cluster.create(1, EPOCH_MS, NODE, strict=True)
    cluster.run_for(5)
    kubectl(cluster, "apply -f -", ENSEMBLE)
    cluster.run_for(60)
    assert kubectl(cluster, "exec zk-0 -- zkCli.sh create /hello world").endswith("\nCreated /hello\n")
    assert "\nworld\ncZxid = 0x100000002\n" in kubectl(cluster, "exec zk-1 -- zkCli.sh get /hello")
    kubectl(cluster, "delete pod -l app=zk --wait=false")
    cluster.run_for(120)
    assert "\nworld\n" in kubectl(cluster, "exec zk-2 -- zkCli.sh get /hello")
    kubectl(cluster, "exec zk-0 -- rm /opt/zookeeper/bin/zookeeper-ready")
    cluster.run_for(60)
    assert kubectl(cluster, "get pod zk-0 -o jsonpath={.status.containerStatuses[0].restartCount}") == "1"


@pytest.mark.parametrize(("expression", "place", "dots"), [
    ("object.metadata.name.startWith('x')", "1:31", 30), ("object.spec.replicas < 3 && sise(object.spec) > 1", "1:33", 32)])
def test_a_policy_that_calls_no_function_of_cel_is_refused_at_the_call(cluster: Cluster, expression: str, place: str, dots: int) -> None:
    rules = "[{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]"
    policy = (f"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: p.example.com}}\n"
              f"spec: {{matchConstraints: {{resourceRules: {rules}}}, validations: [{{expression: \"{expression}\"}}]}}\n")  # fmt: skip
    code, _, err = run_to_end(cluster, ["apply", "-f", "-"], namespace="default", stdin=policy)
    name = "sise" if "sise" in expression else "startWith"
    assert code == 1
    assert f"compilation failed: ERROR: <input>:{place}: undeclared reference to '{name}' (in container '')\n | {expression}\n | {'.' * dots}^" in err
