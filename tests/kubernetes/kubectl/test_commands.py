"""What kubectl prints: a cluster, a command, its output, its errors and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.verbs import VERBS
from podlab.kubernetes.times import parse_go_duration
from tests.kubernetes.kubectl.given import FILES, Screen, cluster, kubectl, with_web

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
    # of a key that is there twice the last holds (kubernetes#125885), aliases are written out (yaml.v2), what stands before a fault is done
    ("apply -f twice.yaml", 0, "namespace/second created\n", ""),
    ("apply -f aliased.yaml -o jsonpath={.metadata.labels}{.metadata.annotations.app}", 0, '{"app":"x","kubernetes.io/metadata.name":"a"}x', ""),
    ("apply -f half.yaml -f twice.yaml", 1, "namespace/a created\nnamespace/second created\n", "error: error parsing half.yaml: error "
     "converting YAML to JSON: yaml: line 1: did not find expected node content\n"),
    ("apply -f itself.yaml", 1, "", "error: error parsing itself.yaml: error converting YAML to JSON: yaml: anchor 'x' value contains itself\n"),
    ("rollout pause pod/web", 1, "", 'Error from server (NotFound): pods "web" not found\n'),
    ("exec web", 1, "", "error: you must specify at least one command for the container\n"),
    ("exec web ls", 1, "", "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee "
     "'kubectl exec -h' for "
     "help and examples\n"),
    ("logs web", 1, "", 'error: error from server (NotFound): pods "web" not found in namespace "default"\n'),
    ("wait pod/web --for=condition=Ready", 1, "", 'Error from server (NotFound): pods "web" not found\n'),
    ("get nodes -o jsonpath={.items[*].status.declaredFeatures[0]}", 0, "ExtendWebSocketsToKubelet", ""),
    ("version --client", 0, "Client Version: v1.36.2\nKustomize Version: v5.8.1\n", ""),
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
    ("explain -r nope", 1, "", 'the server doesn\'t have a resource type "nope"\n'),
    ("create role r --verb=get --resource=nope", 1, "", 'the server doesn\'t have a resource type "nope"\n'),
    ("create token nope", 1, "", 'error: failed to create token: serviceaccounts "nope" not found\n'),
    ("run x --image=busybox --detach-keys=ctrl-x --dry-run=client", 0, "pod/x created (dry run)\n", ""),
    ("scale deploy nope --replicas=1", 1, "", 'Error from server (NotFound): deployments.apps "nope" not found\n'),
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
    ("create ingress i --rule=a.b/=s:80 --annotation=kubernetes.io/ingress.class=x", 0, "ingress.networking.k8s.io/i created\n",
     "Warning: annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead\n"),
    ("label endpoints kubernetes a=b", 0, "endpoints/kubernetes labeled\n",
     "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"),
    ("get endpoints nobody", 1, "", "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"
     'Error from server (NotFound): endpoints "nobody" not found\n'),
    ("get endpoints --as=jane", 1, "", 'Error from server (Forbidden): endpoints is forbidden: User "jane" cannot list resource "endpoints" in API '
     'group "" in the namespace "default"\n'),
    ("get ing.networking", 0, "", "No resources found in default namespace.\n"),
    ("get nodes.metrics -o name", 0, "nodemetrics.metrics.k8s.io/node-1\n", ""),
    ("describe svc kube --show-events=false", 0, """Name:                     kubernetes
Namespace:                default
Labels:                   component=apiserver
                          provider=kubernetes
Annotations:              <none>
Selector:                 <none>
Type:                     ClusterIP
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       10.96.0.1
IPs:                      10.96.0.1
Port:                     https  443/TCP
TargetPort:               6443/TCP
Endpoints:                172.30.255.254:6443
Session Affinity:         None
Internal Traffic Policy:  Cluster

""", ""),
    ("explain hpa.spec.targetCPUUtilizationPercentage --api-version=autoscaling/v1", 0, """GROUP:      autoscaling
KIND:       HorizontalPodAutoscaler
VERSION:    v1

FIELD: targetCPUUtilizationPercentage <integer>


DESCRIPTION:
    targetCPUUtilizationPercentage is the target average CPU utilization
    (represented as a percentage of requested CPU) over all the pods; if not
    specified the default autoscaling policy will be used.
\x20\x20\x20\x20

""", ""),
    ("explain deploy --api-version=v1", 1, "", "error: GVR (/v1, Resource=deployments) not found in OpenAPI schema\n"),
    ("explain cronjobs.batch.spec.nope", 1, "GROUP:      batch\nKIND:       CronJob\nVERSION:    v1\n\n", 'error: field "nope" does not exist\n'),
    ("cp a/b/c:x y", 1, "", "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n"),
    ("cp :x y", 1, "", "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n"),
    ("cp a b", 1, "", "error: one of src or dest must be a remote file specification\n"),
    ("logs a b -c c", 1, "", "error: only one of -c or an inline [CONTAINER] arg is allowed\n"),
    ("describe svc/kube", 1, "", 'Error from server (NotFound): services "kube" not found\n'),
    ("describe svc kube nothing", 1, "", 'Error from server (NotFound): services "kube" not found\n'
     'Error from server (NotFound): services "nothing" not found\n'),
    ("describe svc,cm kubernetes", 1, "", "error: you may only specify a single resource type\n"),
    ("describe csidrivers", 0, "", "No resources found in default namespace.\n"),
    ("get csinodes -o custom-columns=N:.metadata.name,D:.spec.drivers,O:.metadata.ownerReferences[0].kind --no-headers", 0,
     "node-1   <nil>   Node\n", ""),
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
    head = "apiVersion: v1\nkind: Namespace\nmetadata:"
    files = {"twice.yaml": f"{head}\n  name: first\n  name: second\n", "half.yaml": f"{head} {{name: a}}\n---\nb: [\n", "itself.yaml": "a: &x [*x]\n",
             "aliased.yaml": f"{head}\n  name: a\n  labels: &all {{app: x}}\n  annotations: *all\n",
             "mixed.yaml": mixed, "bad.yaml": "a: 1\nb: c: d\n", "kind.yaml": "apiVersion: v1\nkind: Pood\nmetadata: {name: x}\n"}
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
    ("label pod web app- tier=a", 0, "pod/web modified\n", ""),
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
    ("wait pod/web --for=condition=Ready -o name", 0, "pod/web\n", ""),
    ("wait pod/web --for=condition=Ready -o jsonpath={.status.phase}", 0, "Running", ""),
    ("wait pods -l nobody --for=delete", 0, "", ""),
    ("wait pods --all --for=condition=Nope --timeout=0", 1, "", "error: condition not met for pods/web\n"),
    ("wait pod/web pod/web --for=condition=Nope --timeout=0", 1, "", "condition not met for pods/web\ncondition not met for pods/web\n"),
    ("label pod/web node/node-1 app=other", 1, "node/node-1 labeled\n", "error: 'app' already has a value (web), and --overwrite is false\n"),
    ("wait pod/web --for=jsonpath={.status.phase}=Running", 0, "pod/web condition met\n", ""),
    ("wait pod/web --for=condition=Nope --timeout=2s", 1, "", "error: timed out waiting for the condition on pods/web\n"),
    ("logs web -c d", 1, "", "error: container d is not valid for pod web out of: c\n"),
    ("exec web -c d -- true", 1, "", "error: container d is not valid for pod web out of: c\n"),
    ("attach web -c d", 1, "", "error: cannot attach to the container: container d is not valid for pod web out of: c\n"),
    ("patch pod web --subresource=status --type=merge -p '{\"status\":{\"phase\":\"Running\"}}'", 0, "pod/web patched (no change)\n", ""),
    ("patch pod web --subresource=status --type=merge -p '{\"status\":{\"message\":\"x\"}}'", 0, "pod/web patched\n", ""),
    ("autoscale deployment web --max=3", 1, "", 'Error from server (NotFound): deployments.apps "web" not found\n'),
    ("drain node-1", 1, "node/node-1 cordoned\n", 'error: unable to drain node "node-1" due to error: cannot delete Pods that '
     'declare no controller '
     "(use --force to override): default/web, continuing command...\nThere are pending nodes to be drained:\n node-1\ncannot "
     "delete Pods that declare "
     "no controller (use --force to override): default/web\n"),
])
def test_with_a_running_pod(command: str, code: int, out: str, err: str) -> None:
    assert kubectl(with_web(), command) == (code, out, err)


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
                       (proxy.format("pods/other"), '(NotFound): pods "other" not found'),
                       ("/api/v1/nodes/node-1/proxy/healthz", "(NotFound): the server could not find the requested resource")):  # fmt: skip
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


@pytest.mark.parametrize(("words", "events"), [("pods", 0), ("pod we", 0), ("pod web", 1), ("pods -l app=web", 1), ("pods --show-events", 2)],
                         ids=["of several", "of a prefix", "of one", "of one that a selector picks", "asked for"])
def test_events_are_described_of_a_single_object_unless_asked_for(words: str, events: int) -> None:
    cluster = with_web()
    kubectl(cluster, "run webb --image=nginx:1.14.2")
    assert kubectl(cluster, f"describe {words}")[1].count("Events:") == events


def test_run_with_rm_gives_the_output_and_the_exit_code() -> None:
    where = cluster()
    code, out, err = kubectl(where, "run once --rm -i --restart=Never --image=busybox:1.36 -- sh -c 'sleep 1; echo hello; exit "
                             "4'", stdin="")
    assert code == 4
    assert out == 'hello\npod "once" deleted from default namespace\n'
    assert err.endswith("pod default/once terminated (Error)\n")


@pytest.mark.parametrize(("text", "ms"), [("1m30s", 90_000), ("0", 0), ("500ms", 500), ("-1s", -1000), ("1h", 3_600_000), (".5m", 30_000)])
def test_durations_are_gos(text: str, ms: int) -> None:
    assert parse_go_duration(text) == ms


@pytest.mark.parametrize(("text", "said"), [("5", 'missing unit in duration "5"'), ("1h5", 'missing unit in duration "1h5"'),
                                            ("10x", 'unknown unit "x" in duration "10x"'), ("soon", 'invalid duration "soon"'),
                                            ("3000000h", 'invalid duration "3000000h"')])
def test_what_is_no_duration_is_refused_in_gos_words(text: str, said: str) -> None:
    assert kubectl(with_web(), f"wait pod/web --for=condition=Ready --timeout={text}") == (
        1, "", f'error: invalid argument "{text}" for "--timeout" flag: time: {said}\nSee \'kubectl wait --help\' for usage.\n')


def test_wait_waits_for_all_that_is_asked_and_for_the_creation_before_all() -> None:
    where = cluster()
    screen = Screen(where)
    assert screen.type("kubectl wait --for=condition=Ready --for=create --for=jsonpath={.status.phase}=Running pod/web &", 1).count("met") == 0
    kubectl(where, "apply -f web.yaml")
    assert screen.wait(5).count("pod/web condition met\n") == 1
    wait = "wait pod/web --timeout=1s --for=condition=Ready"
    assert kubectl(where, f"{wait} --for=condition=Ready=false") == (1, "", "error: timed out waiting for the condition on pods/web\n")
    assert kubectl(where, f"{wait} --for=condition=PodScheduled") == (0, "pod/web condition met\n", "")


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
