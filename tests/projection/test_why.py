"""Chains of causes, their Korean, and the track of time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from podlab.projection.board import build
from podlab.projection.reasons import actor, plain, tell
from podlab.projection.regions import news, render
from podlab.projection.rules import RULES
from podlab.projection.standing import unschedulable
from podlab.projection.timeline import timeline
from podlab.projection.twin import changes, text
from podlab.projection.why import why

from .given import Given, at, endpoints, node, owner, pod, running, service, waiting
from .recorded import Recorded
from .scenes import ending, still


def test_a_back_off_is_walked_back_to_the_person_s_command():
    chain = why(still(), "pods/default/web")
    assert chain.headline == "web-b는 왜 다시 시작을 기다리나요?"
    assert [(line.t, line.who, line.text) for line in chain.lines] == [
        ("1:30", "kubelet (node-1)", "40초 기다린 뒤 web-b를 다시 시작합니다 (10 → 20 → 40초)"),
        ("1:30", "kubelet (node-1)", "컨테이너 web-b가 코드 1로 끝났습니다"),
        (
            "1:29",
            "네트워크",
            "web-b가 80번 포트를 열지 못했습니다. web-a가 이미 쓰고 있었습니다 (한 파드의 컨테이너는 포트를 나눠 씁니다)",
        ),
        ("0:00", "나", "kubectl apply -f web.yaml"),
    ]


def test_without_records_the_state_itself_answers():
    texts = [line.text for line in why(Recorded("port-conflict", 15), "pods/port-conflict/p").lines]
    assert "web이 이미 쓰는 80번 포트를 열려고 합니다. 한 파드의 컨테이너는 포트를 나눠 씁니다" in texts


def test_a_pending_pod_is_explained_node_by_node():
    assert unschedulable(
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {dedicated: gpu}. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    ) == [
        ("노드 3개 중 1개", "CPU 요청을 채울 만큼 남지 않았습니다", "bad"),
        ("노드 3개 중 2개", "파드가 견디지 못하는 테인트가 있습니다 (dedicated: gpu)", "bad"),
    ]
    chain = why(Recorded("unschedulable", 5), "pods/unschedulable/p")
    assert chain.headline == "p는 왜 아직 노드에 놓이지 못했나요?"
    assert chain.lines[0].text == "CPU 요청을 채울 만큼 남지 않았습니다"


def test_an_unready_pod_says_which_service_passes_it_over():
    web = pod("web", running("c", ready=False), labels={"app": "x"})
    view = Given(
        nodes=[node("node-1")],
        pods=[web],
        services=[service("s", selector={"app": "x"})],
        endpointslices=[endpoints("s", web, ready=False)],
    )
    assert ("서비스 s", "이 파드가 준비되지 않아 요청을 보내지 않습니다") in [
        (line.who, line.text) for line in why(view, "pods/default/web").lines
    ]
    assert "준비되지 않았습니다: web" in why(view, "services/default/s").lines[0].text


def test_a_service_that_chooses_nobody_says_so():
    chain = why(ending(), "services/default/front")
    assert chain.headline == "서비스 front는 왜 보낼 파드가 없나요?"
    assert "셀렉터에 맞는 파드가 하나도 없습니다" in chain.lines[0].text


def test_a_deployment_answers_with_what_its_controller_did_to_its_replicasets():
    web = owner("Deployment", "web", replicas=3, ready=3)
    rs = owner("ReplicaSet", "web-1", replicas=3, ready=3, by=web, revision="1")
    rs["spec"]["replicas"] = 3
    records = [
        {
            "at": at(0),
            "component": "user",
            "rule": "request",
            "facts": {"command": "kubectl scale"},
            "object": "deployments/default/web",
        },
        {
            "at": at(1),
            "component": "deployment-controller",
            "rule": "deployment-scaled",
            "because": 1,
            "object": "replicasets/default/web-1",
            "facts": {"replicaset": "web-1", "from": 2, "to": 3},
        },
    ]
    chain = why(Given(nodes=[node("node-1")], deployments=[web], replicasets=[rs], records=records), "deployments/default/web")
    assert [line.text for line in chain.lines if line.rule] == [
        "바라는 수에 맞춰 web-1을 2개에서 3개로 바꿨습니다",
        "kubectl scale",
    ]


def test_a_container_s_chain_leaves_out_the_others():
    records = [
        {
            "at": at(i),
            "component": "kubelet/node-1",
            "rule": "kubelet-container-started",
            "facts": {"container": name},
            "object": "pods/default/web",
            "because": i,
        }
        for i, name in enumerate("ab")
    ]
    view = Given(nodes=[node("node-1")], pods=[pod("web", running("a"), running("b"))], records=records)
    assert [line.text for line in why(view, "pods/default/web", "b").lines] == ["컨테이너 b를 시작했습니다"]


def test_a_restart_loop_is_told_once_with_its_newest_time():
    records = [
        {
            "at": at(0),
            "component": "user",
            "rule": "request",
            "facts": {"command": "kubectl apply -f a.yaml"},
            "object": "pods/default/web",
        }
    ]
    for i in range(10):
        records.append(
            {
                "at": at(10 + i),
                "component": "kubelet/node-1",
                "rule": "kubelet-container-exited",
                "because": 1,
                "facts": {"container": "c", "exitCode": 1},
                "object": "pods/default/web",
            }
        )
    view = Given(nodes=[node("node-1")], pods=[pod("web", waiting("c", "CrashLoopBackOff", code=1))], records=records)
    lines = [line for line in why(view, "pods/default/web").lines if line.rule]
    assert [(line.t, line.rule) for line in lines] == [("0:19", "kubelet-container-exited"), ("0:00", "request")]


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_is_told_even_without_its_facts(code: str):
    told = tell({"id": 1, "at": 0, "component": "kubelet/node-1", "rule": code, "facts": {}, "object": "pods/default/web"})
    assert told and "{" not in told


def test_an_unknown_rule_hides_nothing():
    record = {
        "component": "weather-controller/node-1",
        "rule": "weather-rained",
        "facts": {"mm": 3},
        "object": "pods/default/web",
    }
    assert tell(record) == plain(record) == "파드 web을 다루었습니다 (weather-rained: mm 3)"
    assert actor(record) == "weather-controller/node-1"


def test_a_fact_of_a_wrong_kind_falls_back_to_a_plainer_sentence():
    assert tell({"rule": "kubelet-backoff", "facts": {"seconds": "soon", "container": "c"}}) == "기다린 뒤 다시 시작합니다"


def test_what_changed_is_said_in_sentences():
    old, new = (Given(nodes=[node("node-1")], pods=[pod("web-abc", running("c", ready=ready))]) for ready in (False, True))
    assert changes(build(old), build(new)) == ["파드 web-abc가 준비되었습니다"]
    assert len(news(render(Recorded("deploy-rollout", 0.05)), render(Recorded("deploy-rollout", 30)))) <= 8


def test_the_twin_tells_the_same_story_as_the_picture():
    told = text(build(still()))
    for words in (
        "디플로이먼트 api, 3개를 바라고 2개가 준비됨",
        "요청을 받는 파드: api-6f9c-x2k4p, api-6f9c-8wq7n",
        "앱 컨테이너 web-b 다시 시작 대기 12초, 종료 코드 1, 포트 80을 web-a가 이미 씀",
        "볼륨 shared(emptyDir)",
        "노드 node-3, Ready, 38초 전부터 소식이 없음",
    ):
        assert words in told


def test_the_track_of_time_merges_what_is_dense_and_keeps_the_gravest():
    dots = timeline(Recorded("deploy-rollout", 40), slots=20)
    assert 0 < len(dots) <= 20
    assert sum(d.count for d in dots) > len(dots)
    assert [d.t for d in dots] == sorted(d.t for d in dots)
    still_dots = timeline(still())
    assert still_dots[0].kind == "person" and still_dots[0].label == "나: kubectl apply -f web.yaml"
    assert {d.severity for d in still_dots} >= {"bad"}


@pytest.mark.slow
def test_every_rule_that_the_engine_says_has_its_sentence():
    source = Path(__file__).resolve().parents[2] / "podlab" / "kubernetes"
    said = set()
    for file in source.rglob("*.py"):
        code = file.read_text(encoding="utf-8")
        said |= set(re.findall(r'(?:Cause|\.note|\.tell)\((?:[a-z_]+, )?"([a-z]+(?:-[a-z]+)*)"', code))
    assert said - set(RULES) - {"user"} == set()  # "user" is a component, not a rule
