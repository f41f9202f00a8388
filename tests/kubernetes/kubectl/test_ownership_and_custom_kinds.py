"""kubectl apply --server-side, --show-managed-fields, and kinds that people defined."""

from __future__ import annotations

import json

from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.kubectl.given import cluster, kubectl

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {level: %s}\n"
CONFLICT = """error: Apply failed with 1 conflict: conflict with "ops": .data.level
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    schema:
      openAPIV3Schema:
        type: object
        description: CronTab runs an image now and then.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, description: When to run.}
              image: {type: string}
              replicas: {type: integer, default: 1, maximum: 10}
          status: {type: object, properties: {replicas: {type: integer}}}
"""
TAB = """
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: my-tab}
spec: {cronSpec: "* * * * */5", image: awesome}
"""


def said(where: Cluster, line: str, files: dict[str, str] | None = None, *, code: int = 0) -> str:
    found, out, err = kubectl(where, line, files=files or {})
    assert found == code, out + err
    return out + err


def test_applying_server_side_says_so_and_a_conflict_is_told_with_the_ways_out() -> None:
    where = cluster()
    files = {"low.yaml": MAP % "low", "high.yaml": MAP % "high"}
    assert said(where, "apply --server-side --field-manager=ops -f low.yaml", files) == "configmap/settings serverside-applied\n"
    assert said(where, "apply --server-side -f high.yaml", files, code=1) == CONFLICT
    assert said(where, "apply --server-side --force-conflicts -f high.yaml", files) == "configmap/settings serverside-applied\n"
    assert said(where, "get cm settings -o jsonpath={.data.level}") == "high"


def test_managed_fields_are_shown_on_request_only() -> None:
    where = cluster()
    said(where, "create configmap settings --from-literal=level=low")
    assert "managedFields" not in said(where, "get cm settings -o yaml")
    shown = said(where, "get cm settings -o yaml --show-managed-fields")
    assert "  managedFields:\n  - apiVersion: v1\n    fieldsType: FieldsV1\n    fieldsV1:\n" in shown
    assert "      f:data:\n        .: {}\n        f:level: {}\n" in shown
    assert "    manager: kubectl-create\n    operation: Update\n" in shown
    assert said(where, "get cm settings -o jsonpath={.metadata.managedFields[*].manager}") == "kubectl-create"


def test_each_command_is_known_by_its_own_name() -> None:
    where = cluster()
    said(where, "create configmap settings --from-literal=level=low")
    said(where, "label cm settings a=b")
    said(where, "annotate cm settings c=d")
    said(where, 'patch cm settings -p \'{"data":{"more":"x"}}\'')
    assert said(where, "get cm settings -o jsonpath={.metadata.managedFields[*].manager}") == \
        "kubectl-annotate kubectl-create kubectl-label kubectl-patch"


def test_going_over_from_client_side_to_server_side_moves_the_ownership() -> None:
    where = cluster()
    files = {"low.yaml": MAP % "low", "less.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"}
    said(where, "apply -f low.yaml", files)
    said(where, "apply --server-side -f low.yaml", files)
    managed = json.loads(said(where, "get cm settings -o json --show-managed-fields"))["metadata"]["managedFields"]
    assert [(one["manager"], one["operation"]) for one in managed] == [("kubectl", "Apply"), ("kubectl-last-applied", "Apply")]
    said(where, "apply --server-side -f less.yaml", files)
    assert said(where, "get cm settings -o jsonpath={.data}") == ""


def with_kind() -> Cluster:
    where = cluster()
    made = said(where, "apply -f crd.yaml", {"crd.yaml": CRD})
    assert made == "customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created\n"
    where.run_for(1)
    return where


def test_a_kind_that_people_defined_is_like_any_other() -> None:
    where = with_kind()
    files = {"tab.yaml": TAB}
    assert said(where, "apply -f tab.yaml", files) == "crontab.stable.example.com/my-tab created\n"
    assert said(where, "apply -f tab.yaml", files) == "crontab.stable.example.com/my-tab unchanged\n"
    where.run_for(5)
    for word in ("ct", "crontab", "crontabs", "CronTab", "crontabs.stable.example.com", "crontabs.v1.stable.example.com"):
        assert said(where, f"get {word}") == "NAME     SPEC          REPLICAS   AGE\nmy-tab   * * * * */5   1          5s\n"
    assert "crontab.stable.example.com/my-tab" in said(where, "get all")
    assert said(where, "get ct my-tab -o name") == "crontab.stable.example.com/my-tab\n"
    assert said(where, "apply -f tab.yaml", {"tab.yaml": TAB.replace("awesome", "better")}) == "crontab.stable.example.com/my-tab configured\n"
    assert said(where, "get ct my-tab -o jsonpath={.spec.image}") == "better"
    assert said(where, "scale ct my-tab --replicas=3") == "crontab.stable.example.com/my-tab scaled\n"
    assert "Replicas:" in said(where, "describe ct my-tab")
    assert said(where, 'patch ct my-tab --type=merge -p \'{"spec":{"replicas":11}}\'', code=1) == (
        'The CronTab "my-tab" is invalid: spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10\n')
    assert said(where, "delete ct my-tab") == 'crontab.stable.example.com "my-tab" deleted from default namespace\n'
    assert said(where, "get ct my-tab", code=1) == 'Error from server (NotFound): crontabs.stable.example.com "my-tab" not found\n'


def test_kinds_that_people_defined_are_listed_and_explained() -> None:
    where = with_kind()
    listed = said(where, "api-resources --api-group=stable.example.com")
    assert listed.splitlines()[1].split() == ["crontabs", "ct", "stable.example.com/v1", "true", "CronTab"]
    assert "stable.example.com/v1\n" in said(where, "api-versions")
    explained = said(where, "explain ct.spec")
    assert "KIND:       CronTab" in explained and "cronSpec\t<string> -required-\n    When to run." in explained


def test_without_the_definition_there_is_no_such_kind() -> None:
    where = cluster()
    assert said(where, "get ct", code=1) == 'error: the server doesn\'t have a resource type "ct"\n'
    assert said(where, "apply -f tab.yaml", {"tab.yaml": TAB}, code=1) == (
        'error: resource mapping not found for name: "my-tab" namespace: "" from "tab.yaml": no matches for kind "CronTab" in version '
        '"stable.example.com/v1"\nensure CRDs are installed first\n')


def test_a_kind_that_people_defined_takes_no_strategic_merge_and_may_have_events() -> None:
    where = with_kind()
    said(where, "apply -f tab.yaml", {"tab.yaml": TAB})
    assert said(where, "patch ct my-tab -p {}", code=1) == (
        "error: application/strategic-merge-patch+json is not supported by stable.example.com/v1, Kind=CronTab: the body of the request was in an "
        "unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, "
        "application/apply-patch+cbor\n")
    assert said(where, "events --for=ct/my-tab") == "No events found in default namespace.\n"


def test_variables_are_listed_container_by_container_and_labels_resolved() -> None:
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: web, b: "1"}}
spec:
  initContainers: [{name: first, image: x, env: [{name: A, value: "1"}]}]
  containers:
  - name: main
    image: x
    env:
    - {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: C, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['none']"}}}
"""
    where = cluster()
    said(where, "apply -f p.yaml", {"p.yaml": pod})
    assert said(where, "set env pod/p --list --resolve") == (
        '# Pod p, container main\nB=web\nC=\n# Pod p, container first\nA=1\n')
