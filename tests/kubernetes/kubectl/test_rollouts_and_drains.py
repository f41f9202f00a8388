"""kubectl rollout, set and drain: workloads over time."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.kubectl.given import cluster, kubectl


@pytest.mark.parametrize(("command", "out", "err"), [  # each held against kubectl 1.32.4
    ("rollout undo deploy/web", "", 'error: no rollout history found for deployment "web"\n'),
    ("rollout undo deploy/web deploy/api", "", 'no rollout history found for deployment "web"\nno rollout history found for deployment "api"\n'),
    ("rollout status deploy/web deploy/none", 'deployment "web" successfully rolled out\n',
     'Error from server (NotFound): deployments.apps "none" not found\n'),
    ("rollout status deploy -l a=b", "", "No resources found in default namespace.\n"),
    ("set image deploy/web deploy/none nginx=busybox", "", 'Error from server (NotFound): deployments.apps "none" not found\n'),
    ("set image deploy/web nginx=busybox side=busybox --dry-run=client", "deployment.apps/web image updated (dry run)\n",
     'error: unable to find container named "side"\n'),
    ("set env deploy/web MODE=2 --overwrite=false", "", "error: deployments/web 'MODE' already has a value (1), and --overwrite is false\n"),
    ("set env deploy/api A= --dry-run=client -o jsonpath={.spec.template.spec.containers[0].env}", '[{"name":"A"}]', ""),
    ("set resources deploy/api --limits=cpu=0 --dry-run=client -o jsonpath={.spec.template.spec.containers[0].resources}",
     '{"limits":{"cpu":"0"}}', ""),
    ("scale deploy/web deploy/api --replicas=5 --dry-run=client -o jsonpath={.spec.replicas}", "55", ""),
    ("scale deploy/web deploy/none --replicas=5 --dry-run=server -o jsonpath={.spec.replicas}", "5",
     'Error from server (NotFound): deployments.apps "none" not found\n'),
    ("scale deploy/web deploy/api --replicas=1 --resource-version=1", "", "error: cannot use --resource-version with multiple resources\n"),
    ("delete pod --all --field-selector=status.phase=Failed", "", "error: setting 'all' parameter but found a non empty selector. \n"),
])
def test_several_workloads_at_once(command: str, out: str, err: str) -> None:
    where = cluster()
    for name in ("web", "api"):
        kubectl(where, f"create deployment {name} --image=nginx --replicas=0")
    kubectl(where, "set env deploy/web MODE=1")
    where.run_for(1)
    admin = where.client("kubernetes-admin")  # both have one revision alone
    for one in admin.list("replicasets", "default"):
        if one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1" and one["metadata"]["name"].startswith("web-"):
            admin.delete("replicasets", one["metadata"]["name"], "default")
    assert kubectl(where, command)[1:] == (out, err)


def test_a_dry_undo_tells_the_template_and_history_the_object_as_it_was() -> None:
    where = cluster()
    kubectl(where, "create deployment web --image=nginx:1 --replicas=0")
    where.run_for(1)
    kubectl(where, "set image deploy/web nginx=nginx:2")
    where.run_for(1)
    shown = kubectl(where, "rollout undo deploy/web --dry-run=client")[1]
    assert shown.startswith("deployment.apps/web Pod Template:\n  Labels:\tapp=web\n\tpod-template-hash=")
    assert "    Image:\tnginx:1\n" in shown and shown.endswith("\n (dry run)\n")
    where.client("kubernetes-admin").create("statefulsets", {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "serviceName": "db", "replicas": 0, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}, "default")
    where.run_for(1)
    assert kubectl(where, "rollout history sts/db -o jsonpath={.kind}")[1] == "StatefulSet"


def test_set_env_tells_what_references_are_or_what_they_lead_to() -> None:
    where = cluster()
    kubectl(where, "create deployment web --image=nginx --replicas=2")
    kubectl(where, "create configmap cm --from-literal=mode=dev")
    kubectl(where, "set env deploy/web --from=configmap/cm")
    by_name = {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "env": [
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k"}}}]}]}}}}
    kubectl(where, ["patch", "deploy", "web", "-p", json.dumps(by_name)])
    head = "# Deployment web, container nginx\n"
    assert kubectl(where, "set env deploy/web --list")[1] == (
        head + "# ME from field path metadata.name\n# KEY from secret gone, key k\n# MODE from configmap cm, key mode\n")
    assert kubectl(where, "set env deploy/web --list --resolve") == (
        0, head + "ME=web\n# KEY from secret gone, key k\nMODE=dev\n", 'error retrieving reference for KEY: secrets "gone" not found\n')
    assert kubectl(where, "get deploy web --subresource=scale")[1] == "NAME   DESIRED   AVAILABLE   AGE\nweb    2         0           0s\n"


def test_rollout_status_follows_and_undo_goes_back() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    code, out, _ = kubectl(where, "rollout status deployment/dep --timeout=60s")
    assert code == 0 and out.endswith('deployment "dep" successfully rolled out\n')
    kubectl(where, "set image deployment/dep c=nginx:1.16.1")
    kubectl(where, "rollout status deployment/dep")
    assert kubectl(where, "rollout history "
                   "deployment/dep")[1] == "deployment.apps/dep \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    code, out, err = kubectl(where, "rollout undo deployment/dep")
    assert (code, out) == (0, "deployment.apps/dep rolled back\n") and err.startswith("Warning: resource deployments/dep was "
        "previously managed")
    live = where.etcd.get("deployments", "default/dep")
    assert live is not None and live["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.14.2"


def test_drain_evicts_retries_what_a_budget_protects_and_leaves_daemon_sets() -> None:
    where = Cluster.create(1, 1_795_219_200_000, {"nodes": [{"name": f"node-{i}", "cpu": "2", "memory": "4Gi"} for i in (1, 2)]},
                           strict=True)
    for kubelet in where.kubelets():
        kubelet.preload(["nginx:1.14.2"])
    where.run_for(1)
    kubectl(where, "apply -f dep.yaml")
    where.run_for(5)
    code, out, err = kubectl(where, "drain node-1")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "node/node-1 cordoned" and lines[-1] == "node/node-1 drained"
    assert all(pod["spec"]["nodeName"] != "node-1" for pod in where.etcd.list("pods"))


def test_a_drain_whose_time_is_over_tells_of_each_pod_when_its_turn_comes() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    kubectl(where, "create pdb all --selector=app=dep --min-available=100%")
    where.run_for(5)
    began = where.now
    code, out, err = kubectl(where, "drain node-1 --timeout=62s")
    names = [pod["metadata"]["name"] for pod in where.etcd.list("pods")]
    assert code == 1 and where.now - began == 65_000  # RunDrain: a refused eviction is tried again after five seconds
    assert [out.count(f"evicting pod default/{name}\n") for name in names] == [14] * len(names)
    lines = err.splitlines()
    assert lines[-len(names):] == [f'error when evicting pods/"{name}" -n "default": global timeout reached: 1m2s' for name in names]
    at = next(n for n, line in enumerate(lines) if line.startswith('There are pending pods in node "node-1" when an error occurred: [error when '))
    assert lines[at + 1:at + 1 + len(names)] == [f"pod/{name}" for name in names]


def test_a_drain_without_evictions_deletes_and_a_dry_one_waits_for_nothing() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    where.run_for(5)
    began, names = where.now, [pod["metadata"]["name"] for pod in where.etcd.list("pods")]
    assert kubectl(where, "drain node-1 --dry-run=server") == (0, "node/node-1 cordoned (server dry run)\n" + "".join(
        f"evicting pod default/{name} (server dry run)\n" for name in names) + "node/node-1 drained (server dry run)\n", "")
    assert where.now == began
    code, out, _ = kubectl(where, "drain node-1 --disable-eviction")
    assert code == 0 and sorted(out.splitlines()[1:-1]) == [f"pod/{name} deleted" for name in names]


def test_a_recorded_command_is_the_cause_of_a_revision() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    where.run_for(3)
    told = "Flag --record has been deprecated, --record will be removed in the future\n"
    assert kubectl(where, "set image deploy/dep c=nginx:1.16.1 --record") == (0, "deployment.apps/dep image updated\n", told)
    where.run_for(3)
    assert kubectl(where, "rollout history deploy/dep")[1].splitlines()[-2] == (
        "2         kubectl set image deploy/dep c=nginx:1.16.1 --record=true")
