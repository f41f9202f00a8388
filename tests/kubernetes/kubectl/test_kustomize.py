"""What a kustomization makes of its resources, as the machine's kubectl (kustomize 5.5) made of the same files."""

from __future__ import annotations

import pytest

from tests.kubernetes.kubectl.given import Screen, cluster

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: "nginx:1.27", envFrom: [{configMapRef: {name: cm}}]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: sa, namespace: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: []
"""


def built(kustomization: str, what: str = "", **files: str) -> str:
    screen = Screen(cluster(), {"k/kustomization.yaml": kustomization, "k/d.yaml": WEB, **files})
    return screen.type(f"kubectl kustomize k {what}")


def test_patches_change_add_and_delete_what_their_targets_name() -> None:
    text = built("""resources: [d.yaml]
patches:
- patch: "[{op: replace, path: /spec/replicas, value: 9}]"
  target: {kind: Deployment}
- patch: |-
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: cm}
    $patch: delete
- target: {kind: Service, name: "w.*"}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {z: "1"}}
    - {op: copy, from: /metadata/name, path: /metadata/annotations/nn}
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: side, image: busybox}]}}}
""")
    assert "replicas: 9\n" in text and "kind: ConfigMap\n" not in text
    assert '  annotations:\n    nn: web\n    z: "1"\n  name: web\n' in text
    assert text.index("image: busybox") < text.index("image: nginx:1.27")


def test_replacements_put_a_value_into_fields_and_pieces_of_fields() -> None:
    text = built("""resources: [d.yaml]
replacements:
- source: {kind: ConfigMap, name: cm, fieldPath: data.a}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=c].image"]
    options: {delimiter: ":", index: 1}
  - select: {kind: Service}
    fieldPaths: [metadata.annotations.from]
    options: {create: true}
""")
    assert "image: nginx:b\n" in text and "    from: b\n" in text


def test_a_component_adds_to_what_stands_above_it() -> None:
    text = built("resources: [d.yaml]\ncomponents: [../c]\nnamePrefix: p-\n", **{
        "c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                                "patches: [{target: {kind: ConfigMap}, patch: '[{op: add, path: /data/z, value: m}]'}]\n"})
    assert "data:\n  a: b\n  z: m\nkind: ConfigMap\nmetadata:\n  name: p-cm\n" in text


def test_names_namespaces_and_labels_reach_everything_that_refers_to_them() -> None:
    text = built("resources: [d.yaml]\nnamePrefix: p-\nnamespace: ns\nlabels: [{pairs: {t: u}, includeSelectors: true}]\n")
    assert "  name: p-r\nsubjects:\n- kind: ServiceAccount\n  name: p-sa\n  namespace: ns\n" in text
    assert "  selector:\n    app: web\n    t: u\n" in text and "configMapRef:\n            name: p-cm\n" in text


def test_generators_merge_replace_and_hash() -> None:
    base = "configMapGenerator: [{name: g, literals: [a=1, c=\"q\"], files: [k=f.txt]}]\nsecretGenerator: [{name: s, literals: [p=w]}]\n"
    text = built("resources: [../b]\nconfigMapGenerator: [{name: g, behavior: merge, literals: [a=2]}]\n"
                 "secretGenerator: [{name: s, behavior: replace, literals: [q=r]}]\n",
                 **{"b/kustomization.yaml": base, "b/f.txt": "line\n"})
    assert 'data:\n  a: "2"\n  c: q\n  k: |\n    line\nkind: ConfigMap\n' in text and "data:\n  q: cg==\nkind: Secret\n" in text
    assert built("configMapGenerator: [{name: made, literals: [a=1], options: {disableNameSuffixHash: true, immutable: true}}]\n") == (
        'apiVersion: v1\ndata:\n  a: "1"\nimmutable: true\nkind: ConfigMap\nmetadata:\n  name: made\n')


def test_the_order_is_what_sort_options_say() -> None:
    def kinds(options: str) -> list[str]:
        return [line[6:] for line in built(f"resources: [d.yaml]\nsortOptions: {options}\n").splitlines() if line.startswith("kind: ")]
    assert kinds("{order: fifo}") == ["Deployment", "ConfigMap", "Service", "ServiceAccount", "RoleBinding", "Role"]
    assert kinds("{order: legacy, legacySortOptions: {orderFirst: [Service], orderLast: [ConfigMap]}}")[::5] == ["Service", "ConfigMap"]


@pytest.mark.parametrize(("kustomization", "said"), [
    ("resource: [d.yaml]\n", 'error: invalid Kustomization: json: unknown field "resource"\n'),
    ("resources: [d.yaml]\ncommonAnnotations: {x: true}\n",
     "error: invalid Kustomization: json: cannot unmarshal bool into Go struct field Kustomization.commonAnnotations of type string\n"),
    ("resources: [d.yaml, d.yaml]\n",
     "error: accumulating resources: accumulation err='merging resources from 'd.yaml': may not add resource with an "
     "already registered id: Deployment.v1.apps/web.[noNs]': must build at directory: '/root/k/d.yaml': file is not directory\n"),
    ("configMapGenerator: [{name: g, literals: [a]}]\n",
     "error: loading KV pairs: literal sources [a]: invalid literal source a, expected key=value\n"),
    ("resources: [d.yaml]\nreplicas: [{name: nobody, count: 1}]\n",
     "error: resource with name nobody does not match a config with the following GVK "
     "[Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]\n"),
    ("resources: [d.yaml]\npatches: [{target: {kind: Deployment}, patch: '[{op: replace, path: /spec/none/x, value: 1}]'}]\n",
     "error: replace operation does not apply: doc is missing path: /spec/none/x: missing value\n"),
    ("resources: [d.yaml]\nreplacements: [{source: {kind: Service, name: web}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.q]}]}]\n",
     'error: unable to find field "data.q" in replacement target\n'),
    ("resources: [d.yaml]\nhelmCharts: [{name: x}]\n",
     'error: k/kustomization.yaml: the field "helmCharts" of a kustomization is not available here\n'),
    ("resources: [d.yaml]\nlabels: [5]\n",
     "error: invalid Kustomization: json: cannot unmarshal a value into the Go struct field that it is written for\n"),
    ("resources: [d.yaml]\npatches: [{patch: 'x: &a [*a]'}]\n", "error: "),
])
def test_what_makes_no_sense_is_refused_in_kustomizes_words(kustomization: str, said: str) -> None:
    text = built(kustomization)
    assert text.startswith(said) if said == "error: " else text == said


def test_the_flags_of_kustomize_are_taken() -> None:
    plain = "configMapGenerator: [{name: n, literals: [a=1]}]\n"
    assert built(plain, "--enable-helm --network --env=A=1 --load-restrictor=LoadRestrictionsNone").startswith("apiVersion: v1\n")
    assert built(plain, "--load-restrictor=x") == (
        "error: illegal flag value --load-restrictor x; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]\n")
    assert built(plain, "-o out.yaml; head -1 out.yaml") == "apiVersion: v1\n"
