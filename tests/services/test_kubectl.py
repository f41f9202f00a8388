"""Everyday kubectl 1.32 against a learner's live cluster: every command that a course uses, as its user sees it."""

import json
import re
import urllib.error
import urllib.request

import pytest

from tests.browser.harness import HANG
from tests.services.conftest import Kubectl

pytestmark = pytest.mark.services

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.27", ports: [{containerPort: 80}]}
"""
TICKER = """
apiVersion: v1
kind: Pod
metadata: {name: ticker, labels: {app: ticker}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: busybox, command: [sh, -c, 'i=0; while true; do echo tick $i; i=$((i+1)); sleep 1; done']}
  - {name: second, image: busybox, command: [sh, -c, 'echo only; sleep 3600']}
"""


def web(kubectl: Kubectl, name: str) -> str:
    """A Deployment that has rolled out; its file."""
    file = kubectl.file(f"{name}.yaml", WEB.replace("NAME", name))
    kubectl("apply", "-f", file)
    assert "successfully rolled out" in kubectl("rollout", "status", f"deploy/{name}", "--timeout=100s")
    return file


@pytest.fixture(scope="module")
def ticker(kubectl: Kubectl) -> str:
    """A running Pod of two containers."""
    kubectl("apply", "-f", kubectl.file("ticker.yaml", TICKER))
    kubectl("wait", "--for=condition=Ready", "pod/ticker", "--timeout=100s")
    return "ticker"


# ---- what is there


def test_version_resources_and_explanations(kubectl: Kubectl) -> None:
    assert "Server Version: v1.36" in kubectl("version")
    resources = kubectl("api-resources", "--no-headers")
    assert "deployments" in resources and "horizontalpodautoscalers" in resources
    assert "apps/v1" in kubectl("api-versions")
    assert "restartPolicy" in kubectl("explain", "pod.spec")
    assert "<integer>" in kubectl("explain", "deployment.spec.replicas")


def test_get_prints_every_format(kubectl: Kubectl, ticker: str) -> None:
    assert kubectl("get", "pods", "ticker", "--no-headers").split()[:4] == ["ticker", "2/2", "Running", "0"]
    assert "NOMINATED NODE" in kubectl("get", "pods", "-o", "wide")
    assert json.loads(kubectl("get", "pods", "-o", "json"))["kind"] == "List"
    assert "kind: Pod" in kubectl("get", "pod", "ticker", "-o", "yaml")
    assert kubectl("get", "pod", "ticker", "-o", "name") == "pod/ticker\n"
    assert kubectl("get", "pod", "ticker", "-o", "jsonpath={.spec.containers[1].name}") == "second"
    assert kubectl("get", "pod", "ticker", "-o", "custom-columns=P:.status.phase") == "P\nRunning\n"
    assert kubectl("get", "pod", "ticker", "-o", "go-template={{.metadata.name}}") == "ticker"
    assert kubectl("get", "pods", "-l", "app=ticker", "--show-labels", "--no-headers").split()[-1] == "app=ticker"
    assert kubectl("get", "pods", "--field-selector=status.phase=Running", "-o", "name") == "pod/ticker\n"
    assert "ticker" in kubectl("get", "all") and "kube-system" in kubectl("get", "ns", "-o", "name")


def test_a_list_in_pieces_is_whole(kubectl: Kubectl) -> None:
    everything = kubectl("get", "configmaps", "-A", "-o", "name", "--chunk-size=0")
    assert kubectl("get", "configmaps", "-A", "-o", "name", "--chunk-size=2") == everything
    assert len(everything.splitlines()) > 3


@pytest.mark.parametrize("kind", ["nodes", "namespaces", "pods", "services", "configmaps", "serviceaccounts", "events", "storageclasses",
                                  "clusterroles", "deployments", "priorityclasses", "endpointslices", "leases"])
def test_every_kind_is_described(kubectl: Kubectl, ticker: str, kind: str) -> None:
    code, _, errors = kubectl.run("describe", kind, "-A" if kind not in ("nodes", "namespaces") else "--show-events")
    assert (code, [line for line in errors.splitlines() if "No resources found" not in line]) == (0, [])


def test_describe_tells_the_events_and_sensible_ages(kubectl: Kubectl, ticker: str) -> None:
    text = kubectl("describe", "pod", "ticker")
    assert "Successfully assigned suite/ticker" in text
    assert "<invalid>" not in text and "4h" not in text.split("Events:")[1]


def test_top_reads_metrics(kubectl: Kubectl, ticker: str) -> None:
    assert kubectl("top", "pod", "ticker", "--no-headers").split()[0] == "ticker"
    assert "main" in kubectl("top", "pod", "ticker", "--containers")
    assert "Mi" in kubectl("top", "nodes")


def test_auth_tells_who_may_do_what(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    code, out, _ = kubectl.run("auth", "can-i", "create", "pods", "--as=system:serviceaccount:suite:default")
    assert (code, out) == (1, "no\n")
    assert "kubernetes-admin" in kubectl("auth", "whoami")
    assert "*.*" in kubectl("auth", "can-i", "--list")


# ---- changing it


@pytest.mark.parametrize("words", [
    "configmap cm --from-literal=a=b", "secret generic s --from-literal=a=b", "secret docker-registry dr --docker-username=a --docker-password=b",
    "deployment d --image=nginx --replicas=0", "job j --image=busybox -- echo hi", "cronjob cj --image=busybox --schedule=0_0_1_1_* -- true",
    "service clusterip cs --tcp=80:80", "service nodeport ns --tcp=80", "ingress i --rule=a.b/*=web:80", "quota q --hard=count/leases=9",
    "role r --verb=get --resource=pods", "rolebinding rb --role=r --user=bob", "clusterrole cr --verb=get --resource=nodes",
    "clusterrolebinding crb --clusterrole=cr --user=bob", "serviceaccount sa", "priorityclass pc --value=10", "namespace another",
    "poddisruptionbudget pdb --selector=app=none --min-available=1",
])
def test_every_generator_creates(kubectl: Kubectl, words: str) -> None:
    parts = [word.replace("_", " ") for word in words.split()]
    assert kubectl("create", *parts).endswith(" created\n")
    code, _, errors = kubectl.run("create", *parts)
    assert code == 1 and "already exists" in errors


def test_apply_creates_configures_and_leaves_alone(kubectl: Kubectl) -> None:
    file = web(kubectl, "applied")
    assert kubectl("apply", "-f", file) == "deployment.apps/applied unchanged\n"
    kubectl.file(file, WEB.replace("NAME", "applied").replace("replicas: 2", "replicas: 1"))
    code, out, _ = kubectl.run("diff", "-f", file)
    assert code == 1 and "-  replicas: 2\n+  replicas: 1\n" in out
    assert kubectl("apply", "-f", file, "--dry-run=server") == "deployment.apps/applied configured (server dry run)\n"
    assert kubectl("apply", "-f", file) == "deployment.apps/applied configured\n"
    assert kubectl("apply", "--server-side", "--force-conflicts", "-f", file) == "deployment.apps/applied serverside-applied\n"
    assert kubectl("delete", "-f", file) == 'deployment.apps "applied" deleted\n'


def test_an_unknown_field_is_refused_or_warned_of(kubectl: Kubectl) -> None:
    file = kubectl.file("odd.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndato: {a: b}\n")
    code, _, errors = kubectl.run("apply", "-f", file)
    assert code == 1 and 'strict decoding error: unknown field "dato"' in errors
    code, _, errors = kubectl.run("apply", "-f", file, "--validate=warn")
    assert code == 0 and 'Warning: unknown field "dato"' in errors


def test_a_rollout_goes_on_back_and_is_told(kubectl: Kubectl) -> None:
    web(kubectl, "rolled")
    kubectl("set", "image", "deploy/rolled", "nginx=nginx:1.28")
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/rolled", "--timeout=100s")
    assert [line.split()[0] for line in kubectl("rollout", "history", "deploy/rolled").splitlines()[2:] if line] == ["1", "2"]
    assert kubectl("rollout", "undo", "deploy/rolled") == "deployment.apps/rolled rolled back\n"
    assert kubectl("get", "deploy", "rolled", "-o", "jsonpath={..image}") == "nginx:1.27"
    for word, done in (("restart", "restarted"), ("pause", "paused"), ("resume", "resumed")):
        assert kubectl("rollout", word, "deploy/rolled") == f"deployment.apps/rolled {done}\n"


def test_patch_label_annotate_scale_expose_autoscale_edit_and_replace(kubectl: Kubectl) -> None:
    web(kubectl, "changed")
    for kind, patch in (("strategic", '{"spec":{"replicas":1}}'), ("merge", '{"spec":{"replicas":2}}'),
                        ("json", '[{"op":"replace","path":"/spec/replicas","value":1}]')):
        assert kubectl("patch", "deploy", "changed", f"--type={kind}", "-p", patch) == "deployment.apps/changed patched\n"
    assert kubectl("label", "deploy", "changed", "a=b") == "deployment.apps/changed labeled\n"
    assert kubectl("annotate", "deploy", "changed", "a=b") == "deployment.apps/changed annotated\n"
    assert kubectl("scale", "deploy", "changed", "--replicas=3") == "deployment.apps/changed scaled\n"
    assert kubectl("expose", "deploy", "changed", "--port=80") == "service/changed exposed\n"
    assert kubectl("autoscale", "deploy", "changed", "--min=1", "--max=3", "--cpu-percent=50").endswith(" autoscaled\n")
    assert kubectl("taint", "nodes", "--all", "a=b:PreferNoSchedule").count("tainted") >= 1
    held = kubectl("get", "service", "changed", "-o", "yaml")
    assert kubectl("replace", "-f", "-", stdin=held.replace("port: 80", "port: 81", 1)) == "service/changed replaced\n"
    assert kubectl("get", "service", "changed", "-o", "jsonpath={.spec.ports[0].port}") == "81"
    assert kubectl("wait", "--for=jsonpath={.spec.replicas}=3", "deploy/changed", "--timeout=100s").endswith(" condition met\n")


def test_deleting_waits_orphans_and_cascades(kubectl: Kubectl) -> None:
    web(kubectl, "gone")
    assert kubectl("delete", "deploy", "gone", "--cascade=orphan") == 'deployment.apps "gone" deleted\n'
    assert kubectl("get", "rs", "-l", "app=gone", "-o", "name") != ""
    kubectl("delete", "rs", "-l", "app=gone")
    kubectl("wait", "--for=delete", "pod", "-l", "app=gone", "--timeout=100s")
    assert kubectl("get", "pods", "-l", "app=gone", "-o", "name") == ""
    kubectl("create", "namespace", "short")
    assert kubectl("delete", "namespace", "short") == 'namespace "short" deleted\n'


def test_a_node_is_drained_and_comes_back(kubectl: Kubectl) -> None:
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    kubectl("cordon", node)
    assert "SchedulingDisabled" in kubectl("get", "node", node)
    assert "drained" in kubectl("drain", node, "--ignore-daemonsets", "--force", "--delete-emptydir-data", "--dry-run=server")
    kubectl("uncordon", node)
    assert "SchedulingDisabled" not in kubectl("get", "node", node)


# ---- reaching into containers


def test_logs_are_read_from_the_end_and_by_container(kubectl: Kubectl, ticker: str) -> None:
    assert kubectl("logs", "ticker", "-c", "second") == "only\n"
    # kubectl asks container by container in no order (a Go map)
    assert "[pod/ticker/second] only" in kubectl("logs", "ticker", "--all-containers", "--tail=1", "--prefix").splitlines()
    first = kubectl("logs", "ticker", "-c", "main", "--timestamps").splitlines()[0]
    assert first.endswith(" tick 0") and first[10] == "T"
    assert 1 <= len(kubectl("logs", "ticker", "-c", "main", "--since=3s").splitlines()) <= 5
    code, _, errors = kubectl.run("logs", "ticker", "-c", "main", "--previous")
    assert code == 1 and 'previous terminated container "main" in pod "ticker" not found' in errors


def test_logs_follow_until_they_are_left(kubectl: Kubectl, ticker: str) -> None:
    process = kubectl.start("logs", "-f", "ticker", "-c", "main", "--tail=1")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    process.kill()
    process.communicate()
    numbers = [int(line.split()[1]) for line in lines]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_exec_carries_both_streams_input_and_exit_codes(kubectl: Kubectl, ticker: str) -> None:
    code, out, errors = kubectl.run("exec", "ticker", "-c", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (code, out, errors) == (7, "out\n", "err\ncommand terminated with exit code 7\n")
    assert kubectl("exec", "-i", "ticker", "-c", "main", "--", "cat", stdin="안녕 pods\n") == "안녕 pods\n"
    assert kubectl("exec", "-i", "ticker", "-c", "main", "--", "sh", stdin="cd /tmp\necho $((6*7)) > x\ncat x\n") == "42\n"
    code, _, errors = kubectl.run("exec", "ticker", "-c", "main", "--", "nosuch")
    assert code == 1 and "executable file not found in $PATH" in errors
    code, _, errors = kubectl.run("exec", "nobody", "--", "ls")
    assert (code, errors) == (1, 'Error from server (NotFound): pods "nobody" not found\n')


def test_exec_moves_a_large_input_and_output(kubectl: Kubectl, ticker: str) -> None:
    text = "0123456789abcdef\n" * 4000
    assert kubectl("exec", "-i", "ticker", "-c", "main", "--", "cat", stdin=text) == text
    assert kubectl("exec", "ticker", "-c", "main", "--", "sh", "-c", "echo ${#1}", "x", "y" * 40_000) == "40000\n"


def test_files_are_copied_in_and_out(kubectl: Kubectl, ticker: str) -> None:
    kubectl("cp", kubectl.file("note.txt", "쪽지\n"), "ticker:/home/note.txt", "-c", "main")
    assert kubectl("exec", "ticker", "-c", "main", "--", "cat", "/home/note.txt") == "쪽지\n"
    kubectl("cp", "ticker:/home/note.txt", "back.txt", "-c", "main")
    assert (kubectl.home / "back.txt").read_text() == "쪽지\n"


def test_run_attaches_and_cleans_up(kubectl: Kubectl) -> None:
    out = kubectl("run", "once", "--image=busybox", "--restart=Never", "-i", "--rm", "--", "sh", "-c", "sleep 4; cat; exit 0", stdin="typed\n")
    assert "typed" in out and 'pod "once" deleted' in out
    code, _, errors = kubectl.run("run", "fails", "--image=busybox", "--restart=Never", "-i", "--rm", "--", "sh", "-c", "sleep 4; exit 3")
    assert code == 3, errors


def test_debug_adds_an_ephemeral_container(kubectl: Kubectl, ticker: str) -> None:
    kubectl("debug", "ticker", "--image=busybox", "--target=main", "-c", "dbg", "--profile=general", "--", "sleep", "100")
    assert kubectl("get", "pod", "ticker", "-o", "jsonpath={.spec.ephemeralContainers[*].name}") == "dbg"


def test_a_port_is_forwarded_and_a_closed_one_refused(kubectl: Kubectl) -> None:
    kubectl("run", "served", "--image=nginx")
    kubectl("wait", "--for=condition=Ready", "pod/served", "--timeout=100s")
    process = kubectl.start("port-forward", "pod/served", ":80", ":81")
    assert process.stdout is not None and process.stderr is not None
    ports = [re.search(r"127.0.0.1:(\d+)", process.stdout.readline() + process.stdout.readline())[1] for _ in range(2)]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/", timeout=HANG) as answer:
            assert b"Welcome to nginx!" in answer.read()
        with pytest.raises(OSError), urllib.request.urlopen(f"http://127.0.0.1:{ports[1]}/", timeout=HANG):
            pass
        assert "connection refused" in process.stderr.readline()
    finally:
        process.kill()
        process.communicate()


def test_the_proxy_leads_to_pods_and_services_and_lets_nothing_of_theirs_run(kubectl: Kubectl) -> None:
    kubectl("run", "proxied", "--image=nginx", "--port=80", "--expose")
    kubectl("wait", "--for=condition=Ready", "pod/proxied", "--timeout=100s")
    for what in ("pods/proxied", "services/proxied:80"):
        with urllib.request.urlopen(f"{kubectl.server}/api/v1/namespaces/suite/{what}/proxy/", timeout=HANG) as answer:
            assert b"Welcome to nginx!" in answer.read()
            assert answer.headers["content-security-policy"].startswith("sandbox;")
    kubectl("run", "asked", "--image=traefik/whoami")
    kubectl("wait", "--for=condition=Ready", "pod/asked", "--timeout=100s")
    named = urllib.request.Request(f"{kubectl.server}/api/v1/namespaces/suite/pods/asked/proxy/", headers={"Host": "shop.example"})
    with urllib.request.urlopen(named, timeout=HANG) as answer:
        assert b"\nHost: shop.example\n" in answer.read()  # UseLocationHost is off: the client's own
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{kubectl.server}/api/v1/namespaces/suite/pods/proxied:81/proxy/", timeout=HANG)
    assert (refused.value.code, json.load(refused.value)["reason"]) == (503, "ServiceUnavailable")


# ---- time


def test_a_watch_sees_a_pod_come_up(kubectl: Kubectl) -> None:
    kubectl("run", "listed", "--image=nginx", "--labels=watched=1")
    process = kubectl.start("get", "pods", "-w", "--no-headers", "-l", "watched=1")
    assert process.stdout is not None
    assert process.stdout.readline().split()[0] == "listed"  # kubectl lists first: from now on it watches
    kubectl("run", "seen", "--image=nginx", "--labels=watched=1")
    statuses: list[str] = []
    while "Running" not in statuses:
        name, _, status, *_ = process.stdout.readline().split()
        statuses += [status] if name == "seen" else []
    process.terminate()
    process.communicate()
    assert statuses[0] == "Pending"
    assert "ContainerCreating" in statuses
