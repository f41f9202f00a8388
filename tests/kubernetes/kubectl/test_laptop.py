"""The learner's shell: pipes, loops, here-documents, sessions in containers, Ctrl-C, and scripts in virtual time."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.kubectl.disk import HOME
from podlab.kubernetes.kubectl.laptop import Laptop
from podlab.kubernetes.kubectl.laptop_scripts import run_lines, run_script
from tests.kubernetes.kubectl.given import DEPLOYMENT, WEB, Screen, cluster, with_web


def test_a_pipe_joins_kubectl_and_grep() -> None:
    screen = Screen(with_web())
    assert screen.type("kubectl get pods --no-headers | grep -c web") == "1\n"


def test_jq_reads_what_kubectl_prints() -> None:
    screen = Screen(with_web())
    assert screen.type("kubectl get pods -o json | jq -r '.items[] | \"\\(.metadata.name) \\(.kind)\"'") == "web Pod\n"
    assert screen.type("kubectl get pod web -o json | jq .spec.containers[0].name") == '"c"\n'


def test_a_here_document_is_asked_for_line_by_line_and_applied() -> None:
    screen = Screen(cluster())
    screen.type("cat <<EOF | kubectl apply -f -")
    assert (screen.laptop.prompt, screen.laptop.busy) == ("> ", False)
    for line in ("apiVersion: v1", "kind: ConfigMap", "metadata: {name: cm}"):
        assert screen.type(line) == ""
    assert screen.type("EOF") == "configmap/cm created\n"
    assert screen.laptop.prompt == "$ "


def test_a_loop_sleeps_in_virtual_time() -> None:
    screen = Screen(with_web())
    assert screen.type("for i in 1 2; do kubectl get pods -o name; sleep 2; done", 1.9) == "pod/web\n"
    assert screen.laptop.busy
    assert screen.wait(2.2) == "pod/web\n"
    assert not screen.laptop.busy


def test_a_paused_cluster_is_still_looked_at() -> None:
    screen = Screen(with_web())
    now = screen.cluster.now
    assert "Running" in screen.type("kubectl get pods | sort | head -5")
    assert screen.cluster.now == now


@pytest.mark.slow
def test_work_costs_no_virtual_time_but_an_endless_loop_ends_its_turn() -> None:
    screen = Screen(cluster())
    now = screen.cluster.now
    assert screen.type("seq 2000 | while read n; do echo $((n * 2)); done | tail -1") == "4000\n"
    assert screen.cluster.now == now
    screen.type("while true; do :; done")
    assert screen.laptop.busy
    screen.laptop.interrupt()
    assert screen.type("echo free") == "free\n"


def test_variables_files_and_exit_codes_are_the_shells_own() -> None:
    screen = Screen(with_web())
    assert screen.type("N=$(kubectl get pods -o name); echo $N > f; cat f") == "pod/web\n"
    assert screen.type("kubectl get pod nope") == 'Error from server (NotFound): pods "nope" not found\n'
    assert screen.laptop.exit_code == 1
    assert screen.laptop.files()["f"] == "pod/web\n"
    assert screen.type("nosuchcommand") == "bash: nosuchcommand: command not found\n"
    assert screen.laptop.exit_code == 127


def test_errors_come_on_a_stream_of_their_own() -> None:
    screen = Screen(cluster())
    screen.laptop.enter("kubectl get pods")
    assert screen.laptop.take_output() == [("err", "No resources found in default namespace.\n")]
    screen.laptop.enter("kubectl get pods 2> errors; cat errors")
    assert screen.laptop.take_output() == [("out", "No resources found in default namespace.\n")]


def test_an_interactive_shell_in_a_container_takes_lines_and_ctrl_c() -> None:
    screen = Screen(with_web())
    prompt = screen.type("kubectl exec -it web -- sh", 0.5)
    assert prompt.endswith("# ")
    assert (screen.laptop.busy, screen.laptop.prompt) == (True, "")
    assert screen.type("echo $HOSTNAME", 0.5) == "web\n" + prompt
    assert screen.type("sleep 100", 1) == ""
    screen.laptop.interrupt()
    assert screen.wait(0.5) == "^C\n" + prompt
    assert screen.laptop.busy, "Ctrl-C is for the process inside"
    screen.type("exit 0", 0.5)
    assert (screen.laptop.busy, screen.laptop.exit_code) == (False, 0)


def test_ctrl_c_ends_a_watch() -> None:
    screen = Screen(with_web())
    assert "Running" in screen.type("kubectl get pods -w")
    screen.laptop.interrupt()
    assert (screen.laptop.busy, screen.laptop.exit_code) == (False, 130)


def test_a_watch_prints_a_row_for_each_change() -> None:
    screen = Screen(with_web())
    screen.type("kubectl get pods -w")
    screen.cluster.apply({"at": screen.cluster.now, "do": "request", "verb": "delete", "resource": "pods",
                          "namespace": "default", "name": "web"})
    rows = screen.wait(3).splitlines()
    assert [row.split()[2] for row in rows[:2]] == ["Terminating", "Terminating"]


def test_stdin_reaches_a_command_in_a_container() -> None:
    screen = Screen(with_web())
    assert screen.type("echo hello | kubectl exec -i web -- cat", 0.5) == "hello\n"


def test_a_port_forward_leads_curl_into_the_pod() -> None:
    screen = Screen(with_web())
    assert "Forwarding from 127.0.0.1:8080 -> 80" in screen.type("kubectl port-forward pod/web 8080:80 &")
    printed = screen.type("curl -s -o page -w '%{http_code}\\n' localhost:8080", 1)
    assert printed == "Handling connection for 8080\n200\n"
    assert "Welcome to nginx!" in screen.laptop.files()["page"]
    assert screen.type("curl "
                       "localhost:9090",
                       1) == "curl: (7) Failed to connect to localhost port 9090 after 0 ms: Couldn't connect to server\n"


def test_a_port_forward_in_the_background_tells_its_file_of_connections_and_takes_those_that_the_pod_refuses() -> None:
    screen = Screen(with_web())
    screen.type("kubectl port-forward pod/web 8080:80 8081:99 > log 2>&1 &")
    assert screen.type("curl -s -o page localhost:8080; curl localhost:8081", 1) == "curl: (52) Empty reply from server\n"
    assert screen.laptop.files()["log"].splitlines()[-2:] == ["Handling connection for 8080", "Handling connection for 8081"]


def test_diff_server_side_shows_what_its_manager_would_take_away() -> None:
    screen = Screen(with_web())
    one = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z"}%s}'
    screen.type("echo '" + one % ', "data": {"a": "1"}' + "' | kubectl apply --server-side --field-manager=me -f -")
    assert '-  a: "1"' in screen.type("echo '" + one % '' + "' | kubectl diff --server-side --field-manager=me -f -").splitlines()


def test_leaving_the_shell_gives_a_new_one() -> None:
    screen = Screen(cluster())
    screen.type("X=1; exit")
    assert screen.type("echo [$X]") == "[]\n"


def test_a_script_runs_to_its_end_in_virtual_time() -> None:
    where = cluster()
    before = where.now
    script = ("set -e\nkubectl apply -f dep.yaml\nkubectl rollout status deployment/dep --timeout=60s\n"
              "kubectl get pods --no-headers | wc -l\n")
    code, output = run_script(where, script, files={"dep.yaml": DEPLOYMENT}, limit_seconds=120)
    assert code == 0
    assert output.splitlines()[0] == "deployment.apps/dep created"
    assert output.splitlines()[-2:] == ['deployment "dep" successfully rolled out', "2"]
    assert 300 < where.now - before < 60_000


def test_a_script_that_never_ends_is_stopped_at_its_limit() -> None:
    where = cluster()
    before = where.now
    assert run_script(where, "while true; do sleep 1; done", limit_seconds=30) == (124, "")
    assert where.now - before == 30_000


def test_a_script_fails_with_its_commands_code_and_streams_stay_apart() -> None:
    code, output = run_lines(cluster(), "kubectl get pod nope || exit 7")
    assert (code, output) == (7, [("err", 'Error from server (NotFound): pods "nope" not found\n')])


def test_a_namespace_made_in_a_script_is_ready_for_the_next_line() -> None:
    code, output = run_script(cluster(), "kubectl create ns t && kubectl -n t run x --image=nginx:1.14.2")
    assert (code, output) == (0, "namespace/t created\npod/x created\n")


def test_every_request_carries_what_was_typed() -> None:
    where = cluster()
    entries: list[dict[str, object]] = []
    def submit(entry: dict[str, object]) -> object:
        entries.append(entry)
        return where.apply({"at": where.now, **entry})
    laptop = Laptop(where, submit, {"web.yaml": WEB})
    laptop.enter("kubectl apply -f web.yaml; kubectl get pods; kubectl apply -f web.yaml --dry-run=server")
    assert [entry["options"]["command"] for entry in entries] == ["kubectl apply -f web.yaml"]
    json.dumps(entries)  # what the journal keeps is plain data


@pytest.mark.parametrize(("line", "words"), [
    ("kubectl rollo", ["rollout"]),
    ("kubectl rollout ", ["history", "pause", "restart", "resume", "status", "undo"]),
    ("kubectl get pods w", ["web"]),
    ("kubectl describe pod/w", ["pod/web"]),
    ("kubectl logs w", ["web"]),
    ("kubectl logs web -c ", ["c"]),
    ("kubectl -n kube-p", ["kube-public"]),
    ("kubectl get pods -o y", ["yaml"]),
    ("kubectl apply -f w", ["web.yaml"]),
    ("kubectl scale --repl", ["--replicas="]),
    ("kubectl get pods | kubectl get no", ["no", "node", "nodes"]),
    ("cat d", ["dep.yaml"]),
    ("kube", ["kubectl"]),
])
def test_tab_completes(line: str, words: list[str]) -> None:
    found = Screen(with_web()).laptop.complete(line)
    if line.endswith(" no"):
        assert {"node", "nodes"} <= set(found)
    else:
        assert found == words


LATE_MAP = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: late}\n"
TWO = DEPLOYMENT + LATE_MAP
LATE_POD = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: late}\nspec: {containers: [{name: c, image: nginx:1.14.2}]}\n"


@pytest.mark.parametrize(("late", "order"), [
    pytest.param(LATE_MAP, ["deployments", "replicasets", "configmaps", "pods", "pods"],
                 id="recorded/endpoints.json, pdb-evict.json: before the Deployment's Pods"),
    pytest.param(LATE_POD, ["deployments", "replicasets", "pods", "pods", "pods"],
                 id="recorded/unschedulable.json: a first Pod comes after the Deployment's"),
])
def test_manifests_of_one_file_arrive_one_after_another(late: str, order: list[str]) -> None:
    where = cluster()
    seen: list[str] = []
    where.etcd.subscribe("*", lambda change: seen.append(change.plural) if change.type == "ADDED" else None)
    run_script(where, "kubectl apply -f two.yaml", files={"two.yaml": DEPLOYMENT + late})
    where.run_for(0.1)
    assert [plural for plural in seen if plural != "events"] == order


def test_a_paused_cluster_takes_several_manifests_without_a_wait() -> None:
    screen = Screen(cluster(), {"two.yaml": TWO})
    screen.laptop.paused = lambda: True
    now = screen.cluster.now
    assert screen.type("kubectl apply -f two.yaml") == "deployment.apps/dep created\nconfigmap/late created\n"
    assert (screen.cluster.now, screen.laptop.busy) == (now, False)
    assert screen.type("kubectl delete -f two.yaml").count("deleted") == 2


def test_a_clock_that_is_stopped_in_the_middle_does_not_hold_a_command() -> None:
    screen = Screen(cluster(), {"two.yaml": TWO})
    assert screen.type("kubectl apply -f two.yaml") == "" and screen.laptop.busy
    screen.laptop.paused = lambda: True
    screen.laptop.advance()
    assert screen.wait(0) == "deployment.apps/dep created\nconfigmap/late created\n"


@pytest.mark.slow
def test_a_driver_that_is_tired_gets_the_machine_back_and_the_same_answer_later() -> None:
    where = cluster()
    laptop = Laptop(where, lambda entry: where.apply({"at": where.now, **entry}))
    laptop.tired = lambda: True  # after every slice of work
    laptop.enter("seq 1 30000 | tail -1; kubectl get nodes -o name")
    turns = 0
    while laptop.hungry or laptop.busy:
        assert (turns := turns + 1) < 1000
        laptop.advance()
    assert turns > 1
    assert "".join(text for _, text in laptop.take_output()).split()[:2] == ["30000", "node/node-1"]


def test_a_rollout_that_went_on_and_ended_between_two_looks_is_seen_to_its_end() -> None:
    """At sixteen times the pace several changes come between two looks, and none after them."""
    screen = Screen(cluster())
    screen.laptop.write_file("dep.yaml", DEPLOYMENT)
    screen.type("kubectl apply -f dep.yaml; kubectl rollout status deployment/dep", 0.1)
    assert screen.laptop.busy
    screen.cluster.run_for(60)
    screen.laptop.advance()
    assert not screen.laptop.busy


@pytest.mark.parametrize(("line", "printed"), [
    ("timeout 3 sleep 10; echo $?", "124\n"),
    ("timeout 3 kubectl get pods --watch-only; echo $?", "124\n"),
    ("timeout 3 false; echo $?", "1\n"),
    ("timeout -s KILL 1 sleep 5; echo $?", "137\n"),
    ("timeout 3 nothing; echo $?", "timeout: failed to run command 'nothing': No such file or directory\n127\n"),
])
def test_timeout_tells_whether_the_time_was_over(line: str, printed: str) -> None:
    assert run_script(cluster(), line) == (0, printed)


def test_contexts_are_made_used_renamed_and_deleted() -> None:
    code, printed = run_script(cluster(), "kubectl config set-context dev --namespace=kube-system; kubectl config use-context dev; kubectl get pods\n"
                               "kubectl get pods --context=podlab; kubectl config rename-context dev d; kubectl config delete-context podlab\n"
                               "kubectl config get-contexts -o name; kubectl config unset contexts.d.namespace; kubectl get pods\n"
                               "kubectl get pods --context=x")
    assert printed == f"""Context "dev" created.
Switched to context "dev".
No resources found in kube-system namespace.
No resources found in default namespace.
Context "dev" renamed to "d".
deleted context podlab from {HOME}/.kube/config
d
Property "contexts.d.namespace" unset.
No resources found in default namespace.
Error in configuration: context was not found for specified context: x
"""
    assert code == 1


def test_a_user_of_the_kubeconfig_is_whom_the_token_says_and_may_do_what_that_account_may() -> None:
    """The administrator's context stays what it is; another user's context asks as that ServiceAccount."""
    screen = Screen(cluster())

    def told(line: str) -> str:
        return screen.type(line, 1)
    told("kubectl create role reader --verb=get,list --resource=pods; kubectl create rolebinding r --role=reader --serviceaccount=default:bot")
    told("kubectl create serviceaccount bot")
    assert told("kubectl config set-credentials bot --token=$(kubectl create token bot)") == 'User "bot" set.\n'
    assert told("kubectl config set-context bot --cluster=podlab --user=bot") == 'Context "bot" created.\n'
    assert told("kubectl --context=bot get pods") == "No resources found in default namespace.\n"
    assert told("kubectl config use-context bot; kubectl get nodes") == (
        'Switched to context "bot".\nError from server (Forbidden): nodes is forbidden: User "system:serviceaccount:default:bot" cannot list '
        'resource "nodes" in API group "" at the cluster scope\n')
    assert told("kubectl config view --minify -o jsonpath={.users}") == '[{"name":"bot","user":{"token":"REDACTED"}}]'
    assert told("kubectl --token=wrong get pods") == "error: You must be logged in to the server (Unauthorized)\n"
    assert told("kubectl config delete-user bot") == f"deleted user bot from {told('echo ~').strip()}/.kube/config\n"
    assert told("kubectl get pods") == 'error: auth info "bot" does not exist\n'
    assert told("kubectl --context=podlab get pods") == "No resources found in default namespace.\n"
