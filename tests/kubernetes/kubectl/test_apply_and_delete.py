"""kubectl apply, delete and what they are made of: patches between objects, what is remembered, pruned, waited for."""

from __future__ import annotations

import json
from typing import Any

from podlab.kubernetes.apiserver.patch import apply_patch
from podlab.kubernetes.kubectl.patches import three_way, two_way
from podlab.kubernetes.resources import BY_PLURAL
from tests.kubernetes.kubectl.given import DEPLOYMENT, FILES, WEB, cluster, kubectl, with_web


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


def test_replace_and_server_side_apply_write_the_subresource_that_is_named_and_nothing_else() -> None:
    where = with_web()
    node = json.loads(kubectl(where, "get node node-1 -o json")[1])
    node["status"]["volumesInUse"], node["spec"]["unschedulable"] = ["here"], True
    assert kubectl(where, "replace -f n.json --subresource=status", files={"n.json": json.dumps(node)}) == (0, "node/node-1 replaced\n", "")
    assert kubectl(where, "get node node-1 -o jsonpath={.status.volumesInUse}:{.spec.unschedulable}")[1] == '["here"]:'
    asked = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {"unschedulable": True}, "status": {"phase": "Running"}}
    assert kubectl(where, "apply -f n.json --server-side --subresource=status", files={"n.json": json.dumps(asked)}) == (
        0, "node/node-1 serverside-applied\n", "")
    assert kubectl(where, "get node node-1 -o jsonpath={.status.phase}:{.spec.unschedulable}")[1] == "Running:"


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


def test_diff_leaves_what_apply_remembers_alone_and_masks_the_values_of_secrets() -> None:
    it = cluster()
    made = "{apiVersion: v1, kind: %s, metadata: {name: n%s}, data: {a: YQ==, b: %s}}"
    files = {"map.yaml": made % ("ConfigMap", "", "Yg=="), "map2.yaml": made % ("ConfigMap", ", labels: {x: z}", "Yg=="),
             "secret.yaml": made % ("Secret", "", "Yg=="), "secret2.yaml": made % ("Secret", "", "Yw==, c: Yw==")}  # fmt: skip
    kubectl(it, "apply -f map.yaml -f secret.yaml", files=files)
    code, out, _ = kubectl(it, "diff -f map2.yaml", files=files)
    assert (code, [line for line in out.splitlines() if line.startswith(("+ ", "- "))]) == (1, ["+  labels:", "+    x: z"])
    assert "     kubectl.kubernetes.io/last-applied-configuration: |" in out.splitlines()
    code, out, _ = kubectl(it, "diff -f secret2.yaml", files=files)
    assert [line for line in out.splitlines() if line[:2] in ("+ ", "- ", "  ")][:4] == [
        "   a: '***'", "-  b: '*** (before)'", "+  b: '*** (after)'", "+  c: '***'"]
