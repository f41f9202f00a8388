"""What kubectl prints: a cluster, a command, its output, its errors and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podlab.kubernetes.apiserver.patch import apply_patch
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.flags import milliseconds
from podlab.kubernetes.kubectl.patches import three_way, two_way
from podlab.kubernetes.kubectl.verbs import VERBS
from podlab.kubernetes.resources import BY_PLURAL
from tests.kubernetes.kubectl.given import DEPLOYMENT, FILES, WEB, cluster, kubectl, with_web

CREATED = json.loads((Path(__file__).parent / "created_by_kubectl.json").read_text())


@pytest.mark.parametrize("case", CREATED, ids=lambda case: case["command"])
def test_objects_made_from_flags_are_those_of_the_real_kubectl(case: dict[str, Any]) -> None:
    """Recorded from kubectl 1.32.4 with `creationTimestamp: null` taken out, which 1.36 no longer writes."""
    assert kubectl(cluster(), case["command"]) == (case["code"], case["stdout"], case["stderr"])


@pytest.mark.parametrize(("command", "code", "out", "err"), [
    ("get pods", 0, "", "No resources found in default namespace.\n"),
    ("get pods -A", 0, "", "No resources found\n"),
    ("get nope", 1, "", 'error: the server doesn\'t have a resource type "nope"\n'),
    ("get pod web", 1, "", 'Error from server (NotFound): pods "web" not found\n'),
    ("get pod web --ignore-not-found", 0, "", ""),
    ("get pods web -l a=b", 1, "", "error: name cannot be provided when a selector is specified\n"),
    ("delete pod", 1, "", "error: resource(s) were provided, but no name was specified\n"),
    ("delete pod web", 1, "", 'Error from server (NotFound): pods "web" not found\n'),
    ("delete pod web --cascade=false --ignore-not-found", 0, "", "warning: --cascade=false is deprecated (boolean value) and can be "
     "replaced with --cascade=orphan.\n"),
    ("delete pod web --cascade=wrong", 1, "", 'error: invalid cascade value (wrong). Must be "background", "foreground", or "orphan"\n'),
    ("scale deployment web", 1, "", 'error: required flag(s) "replicas" not set\n'),
    ("scale deployment web --replicas=x", 1, "", 'error: invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing '
     '"x": invalid '
     "syntax\nSee 'kubectl scale --help' for usage.\n"),
    ("apply -f nope.yaml", 1, "", 'error: the path "nope.yaml" does not exist\n'),
    ("wait --for=create pod/web --timeout=1s", 1, "", "error: timed out waiting for the condition\n"),
    ("apply", 1, "", "error: must specify one of -f and -k\n"),
    ("apply -f bad.yaml", 1, "", 'error: error parsing bad.yaml: error converting YAML to JSON: yaml: line 2: mapping values '
     'are not allowed '
     "in this context\n"),
    ("apply -f kind.yaml", 1, "", 'error: resource mapping not found for name: "x" namespace: "" from "kind.yaml": no matches '
     'for kind "Pood" in '
     'version "v1"\nensure CRDs are installed first\n'),
    ("apply -f mixed.yaml", 0, "namespace/a created\nnamespace/b created\n", ""),
    ("rollout pause pod/web", 1, "", 'Error from server (NotFound): pods "web" not found\n'),
    ("exec web", 1, "", "error: you must specify at least one command for the container\n"),
    ("exec web ls", 1, "", "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee "
     "'kubectl exec -h' for "
     "help and examples\n"),
    ("logs web", 1, "", 'error: error from server (NotFound): pods "web" not found in namespace "default"\n'),
    ("wait pod/web --for=condition=Ready", 1, "", 'Error from server (NotFound): pods "web" not found\n'),
    ("frobnicate", 1, "", 'error: unknown command "frobnicate" for "kubectl"\n'),
    ("config set-context --current --namespace=x", 0, 'Context "podlab" modified.\n', ""),
    ("auth can-i create pods", 0, "yes\n", ""),
    ("auth can-i create pods --as=eve", 1, "no\n", ""),
    ("explain pod.spec.nope", 1, "KIND:       Pod\nVERSION:    v1\n\n", 'error: field "nope" does not exist\n'),
    ("get pods --field-selector=foo=bar", 1, "", 'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector '
     '"", field selector "foo=bar": field label not supported: foo\n'),
    ("get deploy -l 'a in'", 1, "", 'Error from server (BadRequest): Unable to find "apps/v1, Resource=deployments" that match label '
     'selector "a in", '
     "field selector \"\": unable to parse requirement: found '', expected: '('\n"),
    ("create service clusterip kubernetes --tcp=80", 1, "", 'error: failed to create ClusterIP service: services "kubernetes" already exists\n'),
    ("create cronjob c --image=a --schedule=x", 1, "", 'error: failed to create cronjob: CronJob.batch "c" is invalid: spec.schedule: Invalid '
     'value: "x": expected exactly 5 fields, found 1: [x]\n'),
    ("explain nope", 1, "", 'the server doesn\'t have a resource type "nope"\n'),
    ("create role r --verb=get --resource=nope", 1, "", 'the server doesn\'t have a resource type "nope"\n'),
    ("create token nope", 1, "", 'error: failed to create token: serviceaccounts "nope" not found\n'),
    ("scale deploy nope --replicas=1", 1, "", 'error: no objects passed to scale deployments.apps "nope" not found\n'),
    ("delete deploy --all -l a=b", 1, "", "error: setting 'all' parameter but found a non empty selector. \n"),
    ("wait pod/x", 1, "", 'error: unrecognized condition: ""\n'),
    ("top pod x", 1, "", 'Error from server (NotFound): podmetrics.metrics.k8s.io "default/x" not found\n'),
    ("events --types=Odd", 1, "", "error: valid --types are Normal or Warning\n"),
    ("kustomize /nowhere", 1, "", "error: must build at directory: not a valid directory: evalsymlink failure on '/nowhere' : lstat /nowhere: no "
     "such file or directory\n"),
    ("plugin list", 1, "", "error: unable to find any kubectl plugins in your PATH\n"),
    ("certificate approve x", 1, "", 'Error from server (NotFound): certificatesigningrequests.certificates.k8s.io "x" not found\n'),
    ("taint nodes node-1 k=v:Odd", 1, "", "error: invalid taint effect: Odd, unsupported taint effect\n"
     "See 'kubectl taint -h' for help and examples\n"),
    ("cordon node-1", 0, "node/node-1 cordoned\n", ""),
    ("uncordon node-1", 0, "node/node-1 already uncordoned\n", ""),
    ("taint nodes node-1 a=b:NoSchedule", 0, "node/node-1 tainted\n", ""),
    ("taint nodes node-1 a-", 1, "", 'error: taint "a" not found\n'),
    ("create ns t", 0, "namespace/t created\n", ""),
    ("create ns default", 1, "", 'Error from server (AlreadyExists): namespaces "default" already exists\n'),
    ("get pods nobody nowhere -o name", 1, "", 'Error from server (NotFound): pods "nobody" not found\nError from server (NotFound): pods "nowhere" '
     "not found\n"),
    ("get pods ..", 1, "", "error: invalid resource name \"..\": [may not be '..']\n"),
    ("get endpoints --warnings-as-errors -o name", 1, "endpoints/kubernetes\n", "Warning: v1 Endpoints is deprecated in v1.33+; use "
     "discovery.k8s.io/v1 EndpointSlice\nerror: 1 warning received\n"),
    ("describe csinodes", 0, "", "No resources found in default namespace.\n"),
    ("create configmap x --from-literal=a='\"q\"' --dry-run=client -o jsonpath={.data.a}", 0, '"q"', ""),
    ("create role x --verb=use --resource=pods", 1, "", "error: can not perform 'use' on 'pods' in group ''\n"),
    ("run x --image=i --dry-run=client -o json", 0, """{
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {
        "name": "x",
        "labels": {
            "run": "x"
        }
    },
    "spec": {
        "containers": [
            {
                "name": "x",
                "image": "i",
                "resources": {}
            }
        ],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst"
    },
    "status": {}
}
""", ""),
    ("apply --prune -f mixed.yaml", 1, "", "error: all resources selected for prune without explicitly passing --all. To prune all resources, pass "
     "the --all flag. If you did not mean to prune all resources, specify a label selector\n"),
    ("cluster-info dump -n none -o jsonpath={.kind}/", 0, "NodeList/" + "EventList/ReplicationControllerList/ServiceList/DaemonSetList/"
     "DeploymentList/ReplicaSetList/PodList/" * 2, ""),
])
def test_in_an_empty_cluster(command: str, code: int, out: str, err: str) -> None:
    mixed = ('{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n'
             "...\nto be read: [by, nobody\n")
    files = {"mixed.yaml": mixed, "bad.yaml": "a: 1\nb: c: d\n", "kind.yaml": "apiVersion: v1\nkind: Pood\nmetadata: {name: x}\n"}
    assert kubectl(cluster(), command, files=files) == (code, out, err)


@pytest.mark.parametrize(("command", "code", "out", "err"), [
    ("get pod web -o name", 0, "pod/web\n", ""),
    ("get pods -o jsonpath={.items[*].metadata.name}", 0, "web", ""),
    ("get pod web --no-headers", 0, "web   1/1   Running   0     3s\n", ""),
    ("get pod web -L app --show-labels", 0, "NAME   READY   STATUS    RESTARTS   AGE   APP   LABELS\nweb    1/1     Running   0 "
     "         3s    web   "
     "app=web\n", ""),
    ("apply -f web.yaml", 0, "pod/web unchanged\n", ""),
    ("create -f web.yaml", 1, "", 'Error from server (AlreadyExists): error when creating "web.yaml": pods "web" already '
     'exists\n'),
    ("label pod web tier=front", 0, "pod/web labeled\n", ""),
    ("label pod web app=api", 1, "", "error: 'app' already has a value (web), and --overwrite is false\n"),
    ("label pod web app-", 0, "pod/web unlabeled\n", ""),
    ("label pod web app=web", 0, "pod/web not labeled\n", ""),
    ("annotate pod web note=x", 0, "pod/web annotated\n", ""),
    ("set image pod/web c=nginx:1.16.1", 0, "pod/web image updated\n", ""),
    ("set image pod/web d=nginx", 1, "", 'error: unable to find container named "d"\n'),
    ("patch pod web -p {}", 0, "pod/web patched (no change)\n", ""),
    ("patch pod web -p '{\"metadata\":{\"labels\":{\"a\":\"b\"}}}' --dry-run=server", 0, "pod/web patched\n", ""),
    ("patch pod web -p '{\"spec\":{\"bogus\":1}}'", 0, "pod/web patched (no change)\n", 'Warning: unknown field "spec.bogus"\n'),
    ("delete pod web --wait=false", 0, 'pod "web" deleted from default namespace\n', ""),
    ("delete pod web --now", 0, 'pod "web" deleted from default namespace\n', ""),
    ("delete -f web.yaml --dry-run=client", 0, 'pod "web" deleted from default namespace (dry run)\n', ""),
    ("exec web -- sh -c 'echo out; echo err >&2; exit 3'", 3, "out\n", "err\ncommand terminated with exit code 3\n"),
    ("expose pod web", 0, "service/web exposed\n", ""),
    ("wait pod/web --for=condition=Ready", 0, "pod/web condition met\n", ""),
    ("wait pod/web --for=jsonpath={.status.phase}=Running", 0, "pod/web condition met\n", ""),
    ("wait pod/web --for=condition=Nope --timeout=2s", 1, "", "error: timed out waiting for the condition on pods/web\n"),
    ("logs web -c d", 1, "", "error: container d is not valid for pod web\n"),
    ("autoscale deployment web --max=3", 1, "", 'Error from server (NotFound): deployments.apps "web" not found\n'),
    ("drain node-1", 1, "node/node-1 cordoned\n", 'error: unable to drain node "node-1" due to error: cannot delete Pods that '
     'declare no controller '
     "(use --force to override): default/web, continuing command...\nThere are pending nodes to be drained:\n node-1\ncannot "
     "delete Pods that declare "
     "no controller (use --force to override): default/web\n"),
])
def test_with_a_running_pod(command: str, code: int, out: str, err: str) -> None:
    assert kubectl(with_web(), command) == (code, out, err)


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


def test_delete_waits_for_the_finalizer() -> None:
    where = with_web()
    kubectl(where, ["patch", "pod", "web", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}'])
    before = where.now
    code, out, err = kubectl(where, "delete pod web --timeout=5s")
    assert (code, out) == (1, 'pod "web" deleted from default namespace\n')
    assert err == "error: timed out waiting for the condition on pods/web\n"
    assert where.now - before == 5_000


def test_a_grace_period_of_zero_without_force_still_lets_the_container_end() -> None:
    where = with_web()
    kubectl(where, "delete pod web --grace-period=0 --wait=false")
    live = where.etcd.get("pods", "default/web")
    assert live is not None and live["metadata"]["deletionGracePeriodSeconds"] == 1
    code, out, err = kubectl(where, "delete pod web --grace-period=0 --force")
    assert (code, out) == (0, 'pod "web" force deleted from default namespace\n')
    assert err.startswith("Warning: Immediate deletion does not wait")


def test_what_went_with_its_owner_is_no_error_to_a_delete_of_all() -> None:
    where = cluster()
    kubectl(where, "create deployment web --image=nginx:1.14.2 --replicas=0")
    where.run_for(5)
    assert kubectl(where, "delete deployments,replicasets --all") == (0, 'deployment.apps "web" deleted from default namespace\n', "")


def test_delete_returns_when_the_pod_is_gone() -> None:
    where = with_web()
    before = where.now
    kubectl(where, "delete pod web")
    assert where.etcd.get("pods", "default/web") is None
    assert 0 < where.now - before < 31_000


def test_apply_sends_a_patch_that_leaves_what_others_set() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    kubectl(where, "scale deployment dep --replicas=4")
    changed = DEPLOYMENT.replace("nginx:1.14.2", "nginx:1.16.1").replace("  replicas: 2\n", "")
    assert kubectl(where, "apply -f dep.yaml", files={"dep.yaml": changed}) == (0, "deployment.apps/dep configured\n", "")
    live = where.etcd.get("deployments", "default/dep")
    assert live is not None
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.16.1"
    assert live["spec"]["replicas"] == 1, "what the last manifest set and this one leaves out goes back to the default"


def test_apply_tells_of_an_object_that_it_did_not_make() -> None:
    where = cluster()
    kubectl(where, "create -f web.yaml")
    code, out, err = kubectl(where, "apply -f web.yaml")
    assert (code, out) == (0, "pod/web configured\n")
    assert err.startswith("Warning: resource pods/web is missing the kubectl.kubernetes.io/last-applied-configuration annotation")


def test_one_bad_object_does_not_keep_the_others() -> None:
    both = WEB + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {}\n"
    code, out, err = kubectl(cluster(), "apply -f both.yaml", files={"both.yaml": both})
    assert (code, out) == (1, "pod/web created\n")
    assert err == 'The Pod "bad" is invalid: spec.containers: Required value\n'


def test_a_three_way_patch_adds_changes_and_deletes_by_merge_key() -> None:
    def pod(*containers: dict[str, Any], **labels: str) -> dict[str, Any]:
        return {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    pods = BY_PLURAL["pods"]
    original = pod({"name": "a", "image": "1"}, {"name": "b", "image": "1"}, x="1", y="1")
    current = pod({"name": "a", "image": "1", "tty": True}, {"name": "b", "image": "1"}, {"name": "injected", "image": "p"},
                  x="1", y="1", z="1")
    modified = pod({"name": "a", "image": "2"}, {"name": "c", "image": "1"}, x="2")
    patch = three_way(pods, original, modified, current)
    assert patch == {
        "metadata": {"labels": {"x": "2", "y": None}},
        "spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "c"}],
                 "containers": [{"name": "a", "image": "2"}, {"name": "c", "image": "1"}, {"name": "b", "$patch": "delete"}]}}
    merged = apply_patch(pods, {"metadata": {"name": "p"}, **current}, patch, "strategic")
    assert {one["name"]: one for one in merged["spec"]["containers"]} == {
        "a": {"name": "a", "image": "2", "tty": True}, "c": {"name": "c", "image": "1"}, "injected": {"name": "injected",
            "image": "p"}}
    assert merged["metadata"]["labels"] == {"x": "2", "z": "1"}


def test_a_patch_between_equal_objects_is_empty_and_a_changed_union_says_what_stays() -> None:
    deployments = BY_PLURAL["deployments"]
    rolling = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    assert two_way(deployments, rolling, rolling) == {}
    assert three_way(deployments, rolling, {"spec": {"strategy": {"type": "Recreate"}}}, rolling) == {
        "spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": None}}}


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


@pytest.mark.parametrize(("timeout", "ms"), [("2s", 2_000), ("3", 3_000), ("1m", 60_000)])
def test_a_watch_ends_when_its_request_has_lasted_long_enough(timeout: str, ms: int) -> None:
    where = with_web()
    began = where.now
    code, out, _ = kubectl(where, f"get pods --watch --request-timeout={timeout}")
    assert (code, where.now - began) == (0, ms) and out.startswith("NAME ")
    assert kubectl(where, "get pods --watch --request-timeout=soon")[2].startswith("error: Invalid timeout value. ")


def test_a_cluster_without_a_metrics_server_serves_no_metrics() -> None:
    where = Cluster.create(1, 1_795_219_200_000, {"metricsServer": False, "nodes": [{"name": "node-1"}]}, strict=True)
    assert "metrics.k8s.io" not in kubectl(where, "api-resources")[1] + kubectl(where, "api-versions")[1]
    assert "metrics.k8s.io/v1beta1" in kubectl(cluster(), "api-versions")[1]


def test_get_raw_leads_through_the_proxy_of_pods_and_services() -> None:
    where = with_web()
    kubectl(where, "expose pod web --port=80")
    where.run_for(2)
    page, proxy = kubectl(where, "exec web -- curl -s localhost")[1], "/api/v1/namespaces/default/{}/proxy/"
    assert page.startswith("<!DOCTYPE html>") and kubectl(where, "get --raw " + proxy.format("pods/web")) == (0, page, "")
    assert kubectl(where, "get --raw " + proxy.format("services/http:web:80")) == (0, page, "")
    for path, told in ((proxy.format("pods/web") + "none", "(NotFound): the server could not find the requested resource"),
                       (proxy.format("pods/web:81"), "(ServiceUnavailable): error trying to reach service: dial tcp 10.244.0."),
                       (proxy.format("pods/other"), '(NotFound): pods "other" not found')):  # fmt: skip
        assert kubectl(where, f"get --raw {path}")[2].startswith(f"Error from server {told}")


def test_a_raw_eviction_is_answered_as_the_api_answers_it() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    where.run_for(5)
    first, *_ = sorted(pod["metadata"]["name"] for pod in where.etcd.list("pods") if pod["metadata"]["name"].startswith("dep-"))
    path = f"/api/v1/namespaces/default/pods/{first}/eviction"
    body = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": first}})
    assert kubectl(where, f"create --raw {path} -f -", stdin=body.replace(first, "other")) == (
        1, "", "Error from server (BadRequest): name in URL does not match name in Eviction object\n")  # EvictionREST.Create
    kubectl(where, "create pdb all --selector=app=dep --min-available=100%")
    where.run_for(1)
    assert kubectl(where, f"create --raw {path} -f -", stdin=body) == (
        1, "", "Error from server (TooManyRequests): Cannot evict pod as it would violate the pod's disruption budget.\n")
    kubectl(where, "delete pdb all")
    assert kubectl(where, f"create --raw {path} -f -", stdin=body) == (
        0, '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}\n', "")
    assert kubectl(where, "create --raw /api/v1/namespaces/default/pods")[2] == "error: must specify one of -f and -k\n"
    assert kubectl(where, "delete --raw /api/v1/namespaces/default/pods/none")[2] == 'Error from server (NotFound): pods "none" not found\n'


def test_logs_of_all_containers_and_workloads() -> None:
    where = cluster()
    kubectl(where, "create deployment talk --image=busybox:1.36 --replicas=2 -- sh -c 'echo one; echo two; sleep 1000'")
    where.run_for(3)
    code, out, err = kubectl(where, "logs deploy/talk --tail=1")
    assert (code, out) == (0, "two\n") and err.startswith("Found 2 pods, using pod/talk-")
    out = kubectl(where, "logs -l app=talk --prefix")[1]
    assert len(out.splitlines()) == 4 and all(line.startswith("[pod/talk-") for line in out.splitlines())


def test_run_with_rm_gives_the_output_and_the_exit_code() -> None:
    where = cluster()
    code, out, err = kubectl(where, "run once --rm -i --restart=Never --image=busybox:1.36 -- sh -c 'sleep 1; echo hello; exit "
                             "4'", stdin="")
    assert code == 4
    assert out == 'hello\npod "once" deleted from default namespace\n'
    assert err.endswith("pod default/once terminated (Error)\n")


@pytest.mark.parametrize(("text", "ms"), [("1m30s", 90_000), ("0", 0), ("500ms", 500), ("-1s", -1000), ("1h", 3_600_000)])
def test_durations_are_gos(text: str, ms: int) -> None:
    assert milliseconds(text) == ms


def test_a_duration_without_a_unit_is_refused() -> None:
    assert kubectl(with_web(), "wait pod/web --for=condition=Ready --timeout=5") == (
        1, "", 'error: invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"\nSee \'kubectl wait '
        '--help\' for usage.\n')


def test_every_command_has_a_short_help() -> None:
    where = cluster()
    for name in VERBS:
        code, out, err = kubectl(where, f"{name} --help")
        assert (code, err) == (0, "") and f"kubectl {VERBS[name].usage}" in out, name
    assert FILES


def test_whom_a_command_poses_as_is_judged_by_rbac() -> None:
    where = with_web()
    assert kubectl(where, "get pods --as=jane")[2] == (
        'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"\n')
    assert 'pods "web" is forbidden: User "jane" cannot delete resource "pods"' in kubectl(where, "delete pod web --as=jane")[2]
    kubectl(where, "create rolebinding edits --clusterrole=edit --group=dev")
    assert kubectl(where, "auth can-i delete pods --as=jane --as-group=dev") == (0, "yes\n", "")
    assert kubectl(where, "exec web --as=jane --as-group=dev -- echo hi") == (0, "hi\n", "")
    assert kubectl(where, "delete pod web --wait=false --as=jane --as-group=dev")[0] == 0
    assert "Groups      [dev system:authenticated]" in kubectl(where, "auth whoami --as=jane --as-group=dev")[1]


def test_a_recorded_command_is_the_cause_of_a_revision() -> None:
    where = cluster()
    kubectl(where, "apply -f dep.yaml")
    where.run_for(3)
    told = "Flag --record has been deprecated, --record will be removed in the future\n"
    assert kubectl(where, "set image deploy/dep c=nginx:1.16.1 --record") == (0, "deployment.apps/dep image updated\n", told)
    where.run_for(3)
    assert kubectl(where, "rollout history deploy/dep")[1].splitlines()[-2] == (
        "2         kubectl set image deploy/dep c=nginx:1.16.1 --record=true")


def test_what_apply_remembers_is_shown_and_set() -> None:
    where = with_web()
    assert "image: nginx:1.14.2" in kubectl(where, "apply view-last-applied pod/web")[1]
    files = {"web.yaml": FILES["web.yaml"].replace("app: web", "app: other")}
    assert kubectl(where, "apply set-last-applied -f web.yaml", files=files) == (0, "pod/web configured\n", "")
    assert "app: other" in kubectl(where, "apply view-last-applied pod/web")[1]
    assert kubectl(where, "apply set-last-applied -f web.yaml", files=files) == (0, "set-last-applied web: no changes required.\n", "")


def test_apply_prunes_what_it_made_before_and_no_file_has_now() -> None:
    where = cluster()
    one, two, made = (f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{app: web}}}}\n" for name in ("one", "two", "made"))
    kubectl(where, "apply -f -", stdin=f"{one}---\n{two}")
    kubectl(where, "create -f -", stdin=made)
    prune = "apply -l app=web --prune --prune-allowlist=core/v1/ConfigMap -f -"
    assert kubectl(where, prune + " --dry-run=client", stdin=one) == (0, "configmap/one unchanged (dry run)\nconfigmap/two pruned (dry run)\n", "")
    assert kubectl(where, prune, stdin=one) == (0, "configmap/one unchanged\nconfigmap/two pruned\n", "")
    assert kubectl(where, "get configmaps -l app=web -o name")[1] == "configmap/made\nconfigmap/one\n"


def test_auth_reconcile_adds_what_a_role_lacks_and_keeps_the_rest() -> None:
    where = cluster()
    kubectl(where, "create role reader --verb=list --resource=pods")
    role = ("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: default}\n"
            "rules: [{apiGroups: ['', apps], resources: [pods], verbs: [list]}]\n")
    told = ("\treconciliation required update\n\tmissing rules added:\n"
            "\t\t{Verbs:[list] APIGroups:[apps] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}\n")
    assert kubectl(where, "auth reconcile -f -", stdin=role) == (0, "role.rbac.authorization.k8s.io/reader reconciled\n", told)
    assert kubectl(where, "auth reconcile -f -", stdin=role) == (0, "role.rbac.authorization.k8s.io/reader reconciled\n", "")
    assert kubectl(where, "get role reader -o jsonpath={.rules[*].apiGroups}")[1] == '[""] ["apps"]'


def test_kustomize_hashes_contents_alone_and_stands_in_kubectls_order() -> None:
    files = {"base/kustomization.yaml": "resources: [dep.yaml]\nnamePrefix: pre-\nconfigMapGenerator: [{name: gen, literals: [a=1]}]\n",
             "base/dep.yaml": DEPLOYMENT, "kustomization.yaml": "bases: [base]\nreplicas: [{name: dep, count: 7}]\n"}
    code, out, err = kubectl(cluster(), "apply -k . --dry-run=client -o jsonpath='{.items[*].metadata.name} {.items[1].spec.replicas}'", files=files)
    assert (code, out) == (0, "pre-gen-h29d89cmmt pre-dep 7")
    assert err == ("# Warning: 'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your Kustomization "
                   "automatically.\n")
