"""Flags that few people type: each does what kubectl 1.36 does with it, or is refused in one line; compared with the real one (1.32)."""

from __future__ import annotations

import json
import re

import pytest

from podlab.kubernetes.kubectl.verbs import VERBS
from tests.kubernetes.kubectl.given import Screen, cluster, with_web

LOCAL = ("printf 'kind: Deployment\\napiVersion: apps/v1\\nmetadata: {name: d}\\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}"
         "\\n' > d.yaml")
MAP = "printf 'kind: ConfigMap\\napiVersion: v1\\nmetadata: {name: m}\\n' > m.yaml"


@pytest.mark.parametrize("flag", ["--cache-dir=/tmp/x", "--match-server-version", "--disable-compression", "--tls-server-name=x", "--profile=none",
                                  "--log-flush-frequency=1s", "--vmodule=a=1", "--username=a --password=b", "--as=jane --as-user-extra=a=b"])
def test_a_flag_of_every_command_is_taken(flag: str) -> None:
    said = Screen(with_web()).type(f"kubectl get pods -o name {flag}")
    assert said == ("pod/web\n" if "jane" not in flag else
                    'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace '
                    '"default"\n')


@pytest.mark.parametrize(("line", "said"), [
    ("get pods --profile=x", "error: unknown profile 'x'\n"),
    ("get pods --profile=cpu", "error: profiles of kubectl itself are left out here\n"),
    ("get pods --certificate-authority=none",
     "error: unable to read certificate-authority none for podlab due to open none: no such file or directory\n"),
    ("get pods --client-key=none", "error: --client-key is left out here: this laptop's certificates are those of its kubeconfig\n"),
    ("get pods --vmodule=a", 'error: invalid argument "a" for "--vmodule" flag: syntax error: expect comma-separated list of filename=N\n'
                             "See 'kubectl get --help' for usage.\n"),
    ("get pods -o name --show-labels", "error: --show-labels option cannot be used with name printer\n"),
    ("get pods -o custom-columns-file", "error: custom-columns format specified but no custom columns given\n"),
    ("get pods --all", "error: unknown flag: --all\nSee 'kubectl get --help' for usage.\n"),
    ("events --field-selector=a=b", "error: unknown flag: --field-selector\nSee 'kubectl events --help' for usage.\n"),
    ("run x --image=nginx --pod-running-timeout=0", "error: --pod-running-timeout must be higher than zero\n"
                                                    "See 'kubectl run -h' for help and examples\n"),
    ("run x --image=nginx --cascade=foreground --dry-run=client", "pod/x created (dry run)\n"),
    ("annotate pods --all a=b --resource-version=1", "error: --resource-version may only be used with a single resource\n"),
    ("annotate pod web a=b a-", "error: can not both modify and remove the following annotation(s) in the same command: a\n"),
    ("label pod web x=" + "a" * 64, f'error: invalid label value: "x={"a" * 64}": must be no more than 63 characters\n'),
    ("expose pod web --name=x --port=80 --session-affinity=X", "error: unknown session affinity: X\n"),
    ("expose pod web --name=x --port=80 -l a", "error: unexpected label spec: a\n"),
    ("get pod,pods web -o name", "pod/web\n"),
])
def test_a_line_is_answered_as_kubectl_answers_it(line: str, said: str) -> None:
    assert Screen(with_web()).type(f"kubectl {line}") == said


def test_what_annotate_lists_of_a_dry_run_is_not_kept() -> None:
    screen = Screen(with_web())
    before = screen.type("kubectl annotate pod web --list")
    assert screen.type("kubectl annotate pod web a=b --list") == "a=b\n" + before
    assert screen.type("kubectl annotate pod web --list") == before


@pytest.mark.parametrize(("line", "said"), [
    (f"{MAP}; kubectl label --local -f m.yaml a=b", "configmap/m labeled\n"),
    (f"{MAP}; kubectl annotate --local -f m.yaml a=b -o yaml",
     "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    a: b\n  name: m\n"),
    (f"{LOCAL}; kubectl set image --local -f d.yaml a=c -o yaml",
     "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n"
     "  selector: null\n  strategy: {}\n  template:\n    spec:\n      containers:\n"
     "      - image: c\n        name: a\n        resources: {}\nstatus: {}\n"),
    (f"{LOCAL}; kubectl set env --local -f d.yaml A=1 -o jsonpath='{{..env}}'", '[{"name":"A","value":"1"}]'),
    (f"{LOCAL}; echo B=2 | kubectl set env --local -f d.yaml - -e A=1 -o jsonpath='{{..env[*].name}}'", "A B"),
])
def test_local_files_are_changed_without_asking_the_cluster(line: str, said: str) -> None:
    assert Screen(cluster()).type(line).strip() == said.strip()


def test_a_watch_says_that_it_does_not_sort() -> None:
    assert Screen(with_web()).type("kubectl get pods -w --sort-by=.metadata.name", 1).startswith(
        "warning: --watch requested, --sort-by will be ignored for watch events received\nNAME ")


@pytest.mark.slow
def test_no_flag_of_any_command_makes_it_fall() -> None:
    """Each flag of each command alone, with a value of its kind: what is said is no traceback and no crash."""
    screen = Screen(with_web())
    screen.cluster.strict = True  # a fault is raised here instead of ending the program
    for name, verb in VERBS.items():
        for flag in verb.flags:
            if name == "rollout status" or flag.name in ("watch", "watch-only", "stdin", "follow"):
                continue
            value = {"bool": "", "opt": "", "int": "=1", "duration": "=1s"}.get(flag.kind, "=x")
            said = screen.type(f"kubectl {name} --{flag.name}{value} </dev/null", 0.1)
            screen.laptop.interrupt()
            assert not re.search(r"Traceback|Segmentation", said), (name, flag.name, said)


# ---- preferences

ALIAS = """apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
aliases:
- {name: get, command: describe}
- {name: getp, command: get, prependArgs: [pods], options: [{name: output, default: name}]}
- {name: runx, command: run, options: [{name: image, default: nginx}, {name: dry-run, default: client}], appendArgs: ["--", "sleep", "9"]}
defaults:
- {command: delete, options: [{name: interactive, default: "true"}]}
- {command: config view, options: [{name: output, default: json}]}
"""


def preferring(text: str = ALIAS) -> Screen:
    screen = Screen(with_web())
    screen.laptop.write_file(".kube/kuberc", text)
    return screen


@pytest.mark.parametrize(("line", "said"), [
    ("kubectl getp", 'Setting alias "get" to a built-in command is not supported\npod/web\n'),
    ("kubectl getp --no-headers -o jsonpath='{..name}' 2>/dev/null | cut -c1-3", "web\n"),
    ("kubectl runx a -o jsonpath='{.spec.containers[0].args}' 2>/dev/null", '["sleep","9"]'),
    ("kubectl delete pod web --dry-run=server </dev/null | head -2", "You are about to delete the following 1 resource(s):\npod/web\n"),
    ("kubectl delete pod web --dry-run=server --interactive=false", 'pod "web" deleted from default namespace (server dry run)\n'),
    ("kubectl config view | head -1", "{\n"), ("KUBERC=off kubectl config view | head -1", "apiVersion: v1\n"),
    ("KUBERC=none kubectl get pods", "error occurred while applying preferences kuberc error open none: no such file or directory\n"),
    ("kubectl get pods --kuberc=none", "error occurred while applying preferences kuberc error open none: no such file or directory\n"),
    ("KUBERC=off kubectl getp", 'error: unknown command "getp" for "kubectl"\n\nDid you mean this?\n\tget\n\tset\n\n'),
])
def test_preferences_name_commands_and_give_flags_their_defaults(line: str, said: str) -> None:
    assert preferring().type(line) == said


def test_preferences_are_set_and_shown() -> None:
    screen = Screen(with_web())
    assert screen.type("kubectl kuberc view </dev/null").startswith("kuberc file not found at /root/.kube/kuberc\nWould you like to generate")
    assert screen.type("kubectl kuberc set --section defaults --command get --option output=wide") == "Updated /root/.kube/kuberc\n"
    assert screen.type("kubectl kuberc set --section defaults --command get --option output=name") == (
        'error: defaults for command "get" already exist, use --overwrite to replace\n')
    screen.type("kubectl kuberc set --section defaults --command get --option --output=name --overwrite")
    screen.type("kubectl kuberc set --section aliases --name getn --command get --prependarg nodes")
    assert screen.type("kubectl kuberc view") == (
        "aliases:\n- command: get\n  name: getn\n  prependArgs:\n  - nodes\napiVersion: kubectl.config.k8s.io/v1beta1\ndefaults:\n- command: get\n"
        "  options:\n  - default: name\n    name: output\nkind: Preference\n")
    assert screen.type("kubectl get pods") == "pod/web\n"
    assert screen.type("kubectl getn --no-headers").startswith("node-1 ")


HEAD = "kind: Preference\napiVersion: kubectl.config.k8s.io/v1beta1\n"


@pytest.mark.parametrize("text", ["a: [", "- x", "kind: 5\napiVersion: {}", HEAD + "aliases: [5]",
                                  HEAD + "defaults: [{command: get, options: [{name: output, default: 5}]}]",
                                  HEAD + "defaults: [{command: get, options: [{name: no, default: a}]}]"])
def test_preferences_that_make_no_sense_are_refused_in_words(text: str) -> None:
    assert preferring(text).type("kubectl get pods").startswith("error occurred while applying preferences ")


# ---- what came with 1.34 to 1.36


SLOW = """apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  restartPolicy: Never
  initContainers: [{name: i, image: "busybox:1.36", command: [sleep, "5"]}]
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo hello; sleep 1"]}]
"""


def test_followed_logs_wait_for_a_container_that_is_still_to_start() -> None:
    screen = Screen(cluster(), {"slow.yaml": SLOW})
    screen.type("kubectl apply -f slow.yaml", 2)
    assert screen.type("kubectl logs slow") == (
        'Defaulted container "c" out of: c, i (init)\n'
        'Error from server (BadRequest): container "c" in pod "slow" is waiting to start: PodInitializing\n')
    assert screen.type("kubectl logs -f slow -c c; echo over", 2) == ""
    assert screen.wait(20) == "hello\nover\n"


def test_followed_logs_end_where_the_pod_is_deleted_before_its_container_starts() -> None:
    screen = Screen(cluster(), {"slow.yaml": SLOW})
    screen.type("kubectl apply -f slow.yaml", 2)
    screen.type("kubectl logs -f slow -c c &", 1)
    said = screen.type("kubectl delete pod slow --force >/dev/null 2>&1", 1) + screen.wait(3)
    assert 'Error from server (NotFound): pods "slow" not found\n' in said


SECRET = """apiVersion: v1
kind: Secret
metadata: {name: s}
data: {same: c2FtZQ==, other: b2xk}
"""


def test_diff_hides_what_secrets_hold_unless_told() -> None:
    screen = Screen(cluster(), {"s.yaml": SECRET, "t.yaml": SECRET.replace("b2xk", "bmV3, more: eA==")})
    screen.type("kubectl apply -f s.yaml")
    hidden = [line for line in screen.type("kubectl diff -f t.yaml").splitlines() if "***" in line]
    assert sorted(hidden) == ["   same: '***'", "+  more: '***'", "+  other: '*** (after)'", "-  other: '*** (before)'"]
    assert "+  other: bmV3\n" in screen.type("kubectl diff -f t.yaml --show-secret")
    assert screen.type("kubectl diff -f t.yaml --prune").startswith("error: --prune is left out of diff here")


def test_api_resources_are_told_as_json_and_yaml() -> None:
    screen = Screen(cluster())
    found = json.loads(screen.type("kubectl api-resources --api-group=apps -o json"))
    assert [one["name"] for one in found["resources"]] == ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]
    assert {**found, "resources": []} == {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "", "resources": []}
    assert list(found["resources"][2]) == ["name", "singularName", "namespaced", "group", "version", "kind", "verbs", "shortNames", "categories"]
    assert screen.type("kubectl api-resources --api-group=apps -o yaml").startswith("apiVersion: v1\ngroupVersion: \"\"\nkind: APIResourceList\n")
    assert "allowed formats are: json,kyaml,name,wide,yaml\n" in screen.type("kubectl api-resources -o x")


def test_swap_is_said_to_be_left_out() -> None:
    assert Screen(cluster()).type("kubectl top node --show-swap") == "error: --show-swap is left out here: these nodes have no swap\n"
