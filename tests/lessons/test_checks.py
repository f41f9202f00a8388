"""Each form of condition, on one cluster: where it holds, where it does not, and what it says in Korean."""

from collections.abc import Iterator

import pytest

from lessons.checks import EVALUATE, World, evaluate, pick
from lessons.forms import NAMES, problems
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.laptop_scripts import run_script
from podlab.kubernetes.objects import freeze

EPOCH_MS = 1_795_219_200_000
MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, app.kubernetes.io/name: web}}
spec:
  containers:
  - {name: web, image: nginx}
  - {name: talk, image: busybox, command: [sh, -c, 'echo 안녕; sleep 100000']}
---
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  containers:
  - {name: one, image: busybox, command: [sh, -c, 'echo 마지막 말; exit 3']}
---
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  nodeSelector: {disk: gold}
  containers: [{name: app, image: nginx}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: far}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf, namespace: far}
data: {color: "red"}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    found = Cluster.create(7, EPOCH_MS, strict=True)
    code, said = run_script(found, f"kubectl apply -f - <<'EOF'\n{MANIFESTS}\nEOF\n")
    assert code == 0, said
    found.run_for(60)
    yield found


HOLDS = [
    {"exists": "pods/web"},
    {"exists": "configmaps/far/conf"},
    {"exists": "nodes/node-1"},
    {"absent": "pods/nobody"},
    {"count": {"kind": "pods", "labels": "app=shop", "is": 2}},
    {"count": {"kind": "nodes", "at_least": 3}},
    {"count": {"kind": "configmaps", "namespace": "far", "at_least": 1, "at_most": 2}},
    {"field": {"of": "deployments/shop", "path": "spec.replicas", "is": 2}},
    {"field": {"of": "pods/web", "path": "spec.containers[talk].image", "contains": "busy"}},
    {"field": {"of": "pods/web", "path": "spec.containers[0].image", "not": "busybox"}},
    {"field": {"of": "pods/web", "path": "metadata.labels[app.kubernetes.io/name]", "is": "web"}},
    {"field": {"of": "pods/web", "path": "metadata.annotations.nothing", "is": None}},
    {"field": {"of": "pods/crash", "path": "status.containerStatuses[one].restartCount", "at_least": 2}},
    {"length": {"of": "pods/web", "path": "spec.containers", "is": 2}},
    {"length": {"of": "pods/web", "path": "spec.initContainers", "is": 0}},
    {"ready": {"name": "web"}},
    {"ready": {"labels": "app=shop"}},
    {"ready": {"labels": "app in (shop, web)", "count": 3}},
    {"stable": {"name": "web", "seconds": 30}},
    {"listening": {"name": "web", "port": 80}},
    {"listening": {"name": "web", "port": 80, "container": "web"}},
    {"log": {"name": "web", "container": "talk", "contains": "안녕"}},
    {"log": {"name": "crash", "contains": "마지막 말"}},
    {"log": {"labels": "app=web", "contains": "안녕"}},
    {"answers": {"from": "pods/web", "url": "http://localhost/", "status": 200, "body": "Welcome"}},
    {"answers": {"from": "pods/web", "url": "http://shop/", "status": 200}},
    {"answers": {"from": "pods/web", "url": "http://{pods/web}/", "status": 200}},
    {"answers": {"from": "pods/web", "url": "http://{pods/web}:81/", "fails": True}},
    {"answers": {"from": "pods/web", "url": "http://nobody/", "fails": True}},
    {"answers": {"url": "http://{pods/web}/missing", "status": 404}},
    {"typed": r"get\s+pods"},
    {"all": [{"exists": "pods/web"}, {"absent": "pods/nobody"}]},
    {"any": [{"exists": "pods/nobody"}, {"exists": "pods/web"}]},
    {"not": {"exists": "pods/nobody"}},
]
FAILS = [
    ({"exists": "pods/nobody"}, "파드 nobody가 아직 없습니다"),
    ({"absent": "pods/web"}, "파드 web이 아직 있습니다"),
    ({"count": {"kind": "pods", "labels": "app=shop", "is": 3}}, "레이블이 app=shop인 파드 수가 지금 2입니다. 3이어야 합니다"),
    ({"count": {"kind": "nodes", "at_least": 4}}, "노드 수가 지금 3입니다. 적어도 4여야 합니다"),
    ({"count": {"kind": "pods", "at_most": 1}}, "파드 수가 지금 5입니다. 많아야 1이어야 합니다"),
    (
        {"field": {"of": "deployments/shop", "path": "spec.replicas", "is": 3}},
        "디플로이먼트 shop의 spec.replicas가 지금 2입니다. 3이어야 합니다",
    ),
    ({"field": {"of": "pods/nobody", "path": "spec", "is": 3}}, "파드 nobody가 아직 없습니다"),
    (
        {"field": {"of": "pods/web", "path": "spec.nothing.here", "is": "x"}},
        "파드 web의 spec.nothing.here가 정해지지 않았습니다. x여야 합니다",
    ),
    (
        {"field": {"of": "pods/web", "path": "spec.containers[9].name", "contains": "x"}},
        "파드 web의 spec.containers[9].name에 'x'가 없습니다",
    ),
    (
        {"field": {"of": "pods/web", "path": "spec.restartPolicy", "not": "Always"}},
        "파드 web의 spec.restartPolicy가 아직 Always입니다",
    ),
    (
        {"length": {"of": "pods/web", "path": "spec.containers", "is": 1}},
        "파드 web의 spec.containers 수가 지금 2입니다. 1이어야 합니다",
    ),
    ({"length": {"of": "pods/nobody", "path": "spec", "is": 1}}, "파드 nobody가 아직 없습니다"),
    ({"ready": {"name": "nobody"}}, "파드 nobody가 아직 없습니다"),
    ({"ready": {"labels": "app=none"}}, "레이블이 app=none인 파드가 아직 없습니다"),
    ({"ready": {"name": "crash"}}, "crash: 컨테이너 one이 CrashLoopBackOff 상태입니다 (종료 코드 3)"),
    ({"ready": {"name": "stuck"}}, "stuck: 아직 노드에 배치되지 않았습니다"),
    ({"ready": {"labels": "app=shop", "count": 3}}, "준비된 파드가 2개입니다. 3개여야 합니다"),
    ({"stable": {"name": "web", "seconds": 90}}, "90초가 지나야 합니다"),
    ({"stable": {"name": "crash", "seconds": 1}}, "컨테이너 one이 CrashLoopBackOff 상태입니다 (종료 코드 3)"),
    ({"stable": {"name": "stuck", "seconds": 1}}, "stuck: 아직 노드에 배치되지 않았습니다"),
    ({"listening": {"name": "web", "port": 81}}, "81번 포트를 열지 않았습니다. 지금 열린 포트: web 80"),
    (
        {"listening": {"name": "web", "port": 80, "container": "talk"}},
        "컨테이너 talk가 80번 포트를 열지 않았습니다. 지금 열린 포트: web 80",
    ),
    ({"listening": {"name": "crash", "port": 80}}, "지금 열린 포트: 없음"),
    ({"log": {"name": "web", "contains": "없는 말"}}, "web의 로그에 '없는 말'이 없습니다"),
    ({"log": {"name": "stuck", "contains": "말"}}, "stuck의 로그에 '말'이 없습니다"),
    ({"answers": {"from": "pods/nobody", "url": "http://web/", "status": 200}}, "파드 nobody가 아직 실행 중이 아닙니다"),
    ({"answers": {"from": "pods/web", "url": "http://{pods/stuck}/", "status": 200}}, "파드 stuck은 아직 IP를 받지 못했습니다"),
    (
        {"answers": {"from": "pods/web", "url": "http://localhost:81/", "status": 200}},
        "http://localhost:81/: 연결을 거절합니다 (connection refused)",
    ),
    ({"answers": {"from": "pods/web", "url": "http://nobody/", "status": 200}}, "그런 이름이 없습니다"),
    ({"answers": {"from": "pods/web", "url": "http://localhost/none", "status": 200}}, "404로 답합니다. 200이어야 합니다"),
    (
        {"answers": {"from": "pods/web", "url": "http://localhost/", "body": "잘 가"}},
        "http://localhost/의 답에 '잘 가'가 없습니다",
    ),
    ({"answers": {"from": "pods/web", "url": "http://localhost/", "fails": True}}, "아직 200으로 답합니다"),
    ({"typed": "get svc"}, "아직 그 명령을 쓰지 않았습니다"),
    ({"all": [{"exists": "pods/web"}, {"exists": "pods/nobody"}]}, "파드 nobody가 아직 없습니다"),
    ({"any": [{"exists": "pods/nobody"}, {"absent": "pods/web"}]}, "파드 nobody가 아직 없습니다"),
    ({"not": {"exists": "pods/web"}}, "아직 그대로입니다"),
]


@pytest.mark.parametrize("check", HOLDS, ids=str)
def test_condition_holds(cluster: Cluster, check: dict[str, object]) -> None:
    assert problems(check) == ""
    verdict = evaluate(check, World(cluster, ["kubectl get pods -o wide"]))
    assert verdict.ok, verdict.why


@pytest.mark.parametrize(("check", "why"), FAILS, ids=str)
def test_condition_that_does_not_hold_says_why(cluster: Cluster, check: dict[str, object], why: str) -> None:
    assert problems(check) == ""
    verdict = evaluate(check, World(cluster, ["kubectl get pods -o wide"]))
    assert not verdict.ok and why in verdict.why, verdict.why


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("pods/web", "키가 하나"),
        ({"exists": "pods/web", "absent": "pods/x"}, "키가 하나"),
        ({"exist": "pods/web"}, "모르는 조건 'exist'"),
        ({"exists": "web"}, "pods/web 이나"),
        ({"exists": "pods/"}, "pods/web 이나"),
        ({"exists": "pod/web"}, "복수형"),
        ({"count": {"kind": "pod", "is": 1}}, "복수형"),
        ({"count": {"kind": "pods"}}, "가운데 하나"),
        ({"count": {"kind": "pods", "is": "3"}}, "is에는 int"),
        ({"count": {"kind": "pods", "is": True}}, "is에는 int"),
        ({"ready": {"count": 3}}, "name, labels 가운데 하나"),
        ({"ready": {"labels": "app in (", "count": 3}}, "셀렉터가 아닙니다"),
        ({"stable": {"name": "web"}}, "seconds 키가 빠졌습니다"),
        ({"field": {"of": "pods/web", "path": "spec", "equals": 1}}, "모르는 키 'equals'"),
        ({"field": []}, "키와 값"),
        ({"answers": {"url": "web:80", "status": 200}}, "http://"),
        ({"answers": {"url": "http://{web}/", "status": 200}}, "pods/web 이나"),
        ({"answers": {"from": "services/web", "url": "http://web/", "status": 200}}, "from에는 파드"),
        ({"typed": "get ("}, "정규식이 맞지 않습니다"),
        ({"typed": 3}, "정규식"),
        ({"all": []}, "목록"),
        ({"all": [{"exists": "pods/web"}, {"nothing": 1}]}, "모르는 조건"),
        ({"not": {"typed": 1}}, "정규식"),
    ],
    ids=str,
)
def test_a_condition_that_cannot_be_is_refused(check: object, says: str) -> None:
    assert says in problems(check)


def test_every_form_is_known_to_both_sides() -> None:
    assert sorted(EVALUATE) == NAMES


@pytest.mark.slow
def test_looking_changes_nothing(cluster: Cluster) -> None:
    before = (cluster.now, cluster.etcd.revision, len(cluster.traffic(0)))
    for check in HOLDS:
        evaluate(check, World(cluster))
    assert (cluster.now, cluster.etcd.revision, len(cluster.traffic(0))) == before


def test_a_pod_on_its_way_out_neither_exists_nor_is_ready() -> None:
    cluster = Cluster.create(7, EPOCH_MS, strict=True)
    run_script(cluster, "kubectl run web --image=busybox -- sleep 1000; sleep 5; kubectl delete pod web --wait=false")
    cluster.run_for(2)
    world = World(cluster)
    assert evaluate({"exists": "pods/web"}, world).why == "파드 web은 지워지는 중입니다"
    assert evaluate({"ready": {"name": "web"}}, world).why == "web: 지워지는 중입니다"
    assert evaluate({"count": {"kind": "pods", "is": 0}}, world).ok
    assert not evaluate({"absent": "pods/web"}, world).ok
    cluster.run_for(60)
    assert evaluate({"absent": "pods/web"}, world).ok


def test_pick_walks_names_places_and_keys_with_dots() -> None:
    obj = freeze({"a": [{"name": "x", "v": 1}, {"name": "y", "v": [5, 6]}], "labels": {"k8s.io/z": "deep"}})
    assert pick(obj, "a[y].v[1]") == 6
    assert pick(obj, "a[0].v") == 1
    assert pick(obj, "labels[k8s.io/z]") == "deep"
    assert pick(obj, "a[z].v") is pick(obj, "b.c") is pick(obj, "a[y].v.w") is None
