"""kubectl in containers: the account's rights, the in-cluster configuration, commands that wait, and kubectl proxy."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.cluster import Cluster

from .lab import Lab, own
from .test_control_plane import allow


def furnished() -> Lab:
    lab = Lab(2)
    lab.create("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "admin"}})
    sleeping = ["sleep", "1000000"]
    lab.pod("shell", "bitnami/kubectl:latest", node="node-2", command=sleeping, spec={"serviceAccountName": "admin"})
    lab.pod("stranger", "bitnami/kubectl:latest", node="node-2", command=sleeping)
    lab.create("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "looker"}})
    lab.pod("looker", "bitnami/kubectl:latest", node="node-1", command=sleeping, spec={"serviceAccountName": "looker"})
    allow(lab, "looker", "looker", "pods", verbs=("get",))
    lab.pod("bare", "bitnami/kubectl:latest", node="node-2", command=sleeping, spec={"automountServiceAccountToken": False})
    lab.pod("once", "bitnami/kubectl:latest", args=["get", "pods", "shell", "-o", "name"],
            spec={"serviceAccountName": "admin", "restartPolicy": "Never"})  # fmt: skip
    lab.pod("ambassador", spec={"serviceAccountName": "admin"}, containers=[
        {"name": "main", "image": "curlimages/curl:latest", "command": sleeping},
        {"name": "proxy", "image": "luksa/kubectl-proxy:1.6.2"}])  # fmt: skip
    lab.pod("web", "nginx:1.27")
    allow(lab, "admin", "admin", "pods", "pods/log", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "configmaps",
          "events", verbs=("*",))
    lab.settle(30)
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


def test_an_account_without_rights_reads_kubectl_s_own_words(lab: Lab) -> None:
    who = 'User "system:serviceaccount:default:default" cannot'
    _, err, code = lab.run("stranger", "kubectl get pods")
    assert code == 1 and err == (f'Error from server (Forbidden): pods is forbidden: {who} list resource "pods" in API group "" '
                                 'in the namespace "default"\n')
    assert f"{who} delete resource" in lab.run("stranger", "kubectl delete pod web")[1]
    assert f"{who} create resource" in lab.run("stranger", "kubectl create configmap a --from-literal=a=b")[1]
    assert f"{who} get resource" in lab.run("stranger", "kubectl logs web")[1]
    assert lab.run("stranger", "kubectl auth can-i list pods")[::2] == ("no\n", 1)
    assert "system:serviceaccount:default:default" in lab.out("stranger", "kubectl auth whoami")


def test_what_is_allowed_is_done_and_the_namespace_is_the_pod_s(lab: Lab) -> None:
    assert "web " in lab.out("shell", "kubectl get pods")
    assert "at the cluster scope" in lab.run("shell", "kubectl get pods -A")[1]
    assert lab.out("shell", "kubectl create configmap a --from-literal=x=y; kubectl get cm a -o jsonpath='{.data.x}'") == "configmap/a created\ny"
    applied = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: b}\\ndata: {k: v}\\n' | kubectl apply -f -"
    assert lab.out("shell", applied) == "configmap/b created\n"
    assert "Started" in lab.out("shell", "kubectl describe pod web") and "start worker" in lab.out("shell", "kubectl logs web")
    causes = lab.cluster.causes
    record = causes.record(causes.latest("configmaps/default/b")[0])
    assert record is not None and record["component"] == "system:serviceaccount:default:admin"
    assert record["facts"]["command"] == "kubectl apply -f -"


def test_an_image_of_kubectl_runs_the_command_of_its_arguments(lab: Lab) -> None:
    assert lab.logs("once") == "pod/shell\n" and lab.status("once")["phase"] == "Succeeded"


def test_without_an_account_s_token_kubectl_tries_localhost(lab: Lab) -> None:
    _, err, code = lab.run("bare", "kubectl get pods")
    assert code == 1 and err.count("memcache.go:265") == 5
    assert err.endswith("The connection to the server localhost:8080 was refused - did you specify the right host or port?\n")
    assert lab.run("bare", "kubectl version --client")[2] == 0


def test_commands_that_wait_come_to_their_ends(lab: Lab) -> None:
    assert lab.out("shell", "kubectl run x --image=nginx:1.27; kubectl wait --for=condition=Ready pod/x") == "pod/x created\npod/x condition met\n"
    began = lab.cluster.now
    assert "timed out waiting" in lab.run("shell", "kubectl wait --for=delete pod/x --timeout=3s")[1]
    assert 3_000 <= lab.cluster.now - began < 4_000
    assert lab.out("shell", "kubectl delete pod x; kubectl get pod x || true") == 'pod "x" deleted from default namespace\n'
    lab.pod("speaker", command=["sh", "-c", "echo one; sleep 12; echo two; sleep 1"], spec={"restartPolicy": "Never"})
    lab.settle(6)
    assert lab.out("shell", "kubectl logs -f speaker") == "one\ntwo\n"


def test_a_command_is_executed_in_another_pod_with_input_both_outputs_and_its_exit_code(lab: Lab) -> None:
    assert lab.out("shell", "kubectl exec web -- cat /etc/hostname") == "web\n"
    out, err, code = lab.run("shell", "echo hello | kubectl exec -i web -- sh -c 'cat; echo wrong >&2; exit 3'")
    assert (out, err, code) == ("hello\n", "wrong\ncommand terminated with exit code 3\n", 3)
    lab.run("shell", "timeout 2 kubectl exec web -- sleep 100")
    assert [kubelet.state["sessions"] for kubelet in lab.cluster.kubelets()] == [{}, {}]
    assert 'cannot create resource "pods/exec"' in lab.run("looker", "kubectl exec web -- ls")[1]


@pytest.mark.slow
def test_kubectl_watches_and_goes_on_on_a_restored_cluster() -> None:
    lab = Lab(1)
    lab.pod("shell", "bitnami/kubectl:latest", command=["sleep", "1000000"])
    allow(lab, "all", "default", "configmaps", verbs=("*",))
    lab.settle(10)
    reading = lab.begin("shell", "kubectl get configmaps -w -l mine")

    def rows(lab: Lab) -> list[str]:
        lab.settle(1)
        return [line.split()[0] for line in lab._held("shell")[0].read_exec(reading)[0].splitlines()]
    assert rows(lab) == []
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"mine": "1"}}})
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}})
    assert rows(lab) == ["NAME", "a"]
    lab = lab.restored()
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "labels": {"mine": "1"}}})
    assert rows(lab) == ["b"]


def test_files_are_copied_into_another_pod_and_back(lab: Lab) -> None:
    made = "mkdir -p /tmp/d/e; echo 1 > /tmp/d/x; echo 2 > /tmp/d/e/y; kubectl cp /tmp/d web:/tmp/dd; kubectl cp /tmp/d/x web:/tmp/dd"
    assert lab.run("shell", made) == ("", "", 0)
    assert lab.out("shell", "kubectl exec web -- sh -c 'cd /tmp/dd; cat x e/y'") == "1\n2\n"
    assert lab.out("shell", "kubectl cp web:/tmp/dd /tmp/back; cat /tmp/back/e/y; kubectl cp web:/etc/hostname /tmp/h; cat /tmp/h") == "2\nweb\n"
    assert lab.run("shell", "kubectl cp web:/nope /tmp/n")[1:] == ("tar: /nope: No such file or directory\ncommand terminated with exit code 1\n", 1)
    assert 'cannot create resource "pods/exec"' in lab.run("looker", "kubectl cp web:/etc/hostname /tmp/h")[1]


def test_run_stays_with_its_pod_and_takes_its_exit_code_and_debug_with_its_container(lab: Lab) -> None:
    out, err, code = lab.run("shell", "echo 'echo typed; exit 4' | kubectl run u --image=busybox:1.36 --restart=Never -i --rm -q -- sh")
    assert (out, err, code) == ("typed\n", "pod default/u terminated (Error)\n", 4)
    assert lab.cluster.etcd.get("pods", "default/u") is None
    out, _, code = lab.run("shell", "echo 'cat /proc/1/comm' | kubectl debug web -i -q -c look --image=busybox:1.36 --target=web -- sh")
    assert (out, code) == ("nginx: master p\n", 0)


def test_edit_runs_the_editor_that_the_environment_names(lab: Lab) -> None:
    lab.run("shell", "kubectl create configmap edited --from-literal=a=b")
    assert lab.out("shell", "KUBE_EDITOR='sed -i s/b$/c/' kubectl edit configmap edited") == "configmap/edited edited\n"
    assert lab.out("shell", "kubectl get cm edited -o jsonpath='{.data.a}'") == "c"
    assert lab.run("shell", "KUBE_EDITOR=true kubectl edit cm edited")[1] == "Edit cancelled, no changes made.\n"
    for missing in ("nothing", " "):
        assert lab.run("shell", f"KUBE_EDITOR='{missing}' kubectl edit cm edited")[1:] == (f'error: unable to launch the editor "{missing}"\n', 1)
    other = "if grep -q ^datum: $1; then sed -i 's/^datum:/data:/; s/: c/: d/' $1; else sed -i s/^data:/datum:/ $1; fi"
    lab.run("shell", f"echo '#!/bin/sh' > /tmp/other; cat >> /tmp/other <<'X'\n{other}\nX\nchmod +x /tmp/other")
    again = lab.run("shell", "KUBE_EDITOR=/tmp/other kubectl edit cm edited; find /tmp -name 'kubectl-edit*'")
    # the file was opened again with what was wrong
    assert again == ("configmap/edited edited\n", 'error: configmaps "edited" is invalid\n', 0)


def test_a_port_is_forwarded_to_another_pod(lab: Lab) -> None:
    lab.pod("served", "nginx:1.27")
    lab.settle(5)
    start = "kubectl port-forward pod/served 8080:80 8081:81 > /tmp/pf 2>&1 & sleep 1; "
    asked = "curl -s localhost:8080 | grep -c Welcome; curl -s localhost:8081; echo $?; "
    out = lab.out("shell", start + asked + "kubectl delete pod served --now; sleep 2; cat /tmp/pf")
    assert out.startswith("2\n52\n") and out.endswith("error: lost connection to pod\n")
    assert "Forwarding from 127.0.0.1:8080 -> 80\n" in out and "connect: connection refused" in out
    assert 'cannot get resource "pods" ' in lab.run("stranger", "kubectl port-forward pod/web 8080:80")[1]
    assert [kubelet.state["sessions"] for kubelet in lab.cluster.kubelets()] == [{}, {}]


def test_an_ambassador_speaks_to_the_api_for_the_whole_pod(lab: Lab) -> None:
    assert lab.logs("ambassador", "proxy") == "Starting to serve on 127.0.0.1:8001\n"
    assert json.loads(lab.out("ambassador", "curl -s localhost:8001/api"))["versions"] == ["v1"]
    assert json.loads(lab.out("ambassador", "curl -s http://localhost:8001/api/v1/namespaces/default/pods/web"))["metadata"]["name"] == "web"
    assert json.loads(lab.out("ambassador", "curl -s http://localhost:8001/api/v1/nodes"))["code"] == 403
    assert lab.out("ambassador", "curl -s http://localhost:8001/api/v1/namespaces/default/pods/web/exec") == "Forbidden"
    assert lab.out("ambassador", "curl -s -H 'Host: elsewhere' http://localhost:8001/api") == "Forbidden"


@pytest.mark.slow
def test_a_cluster_restored_while_kubectl_waits_goes_on_as_it_would_have() -> None:
    lab = Lab(1)
    loop = "while kubectl wait --for=condition=Ready pod/web --timeout=2s || true; do kubectl logs web; kubectl delete cm a; sleep 1; done"
    lab.pod("asking", "bitnami/kubectl:latest", command=["sh", "-c", loop])
    allow(lab, "all", "default", "pods", "pods/log", "configmaps", verbs=("*",))
    lab.settle(20)
    lab.cluster.run_for(1.2)
    lab.pod("web", "nginx:1.27")
    state = json.dumps(lab.cluster.checkpoint())
    other = Cluster.restore(json.loads(state), strict=True)
    for cluster in (lab.cluster, other):
        cluster.run_for(10)
    assert json.dumps(lab.cluster.checkpoint()) == json.dumps(other.checkpoint())
