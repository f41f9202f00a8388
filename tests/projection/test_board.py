"""The board of real recorded states and of written ones."""

from __future__ import annotations

from podlab.projection.board import Goal, Options, build

from .given import Given, at, container, ended, endpoints, node, owner, pod, running, service, waiting
from .recorded import Recorded


def one(view: Given | Recorded):
    return build(view).pods[0]


def test_a_port_conflict_shows_who_holds_the_port():
    p = one(Recorded("port-conflict", 15))
    assert (p.ready, p.of, p.look) == (1, 2, "partial")
    web, web2 = p.containers
    assert [port.port for port in web.ports] == [80]
    assert (web2.look, web2.exit_code) == ("backoff", 1)
    assert [(c.port, c.holder) for c in web2.clashes] == [(80, "web")]
    assert web2.wait is not None and web2.wait.until is not None and web2.wait.until > build(Recorded("port-conflict", 15)).now


def test_a_clash_is_known_from_the_network_s_record_when_the_facts_are_silent():
    record = {
        "at": at(5),
        "component": "network",
        "rule": "network-port-in-use",
        "object": "pods/default/web",
        "facts": {"container": "b", "port": 80, "holder": "a"},
    }
    web = pod("web", running("a"), waiting("b", "CrashLoopBackOff", restarts=2, code=1))
    (box,) = build(Given(pods=[web], nodes=[node("node-1")], records=[record])).pods
    assert [(c.port, c.holder) for c in box.containers[1].clashes] == [(80, "a")]


def test_init_containers_wait_for_their_turn():
    p = one(Recorded("init-order", 5))
    assert p.status == "Init:1/2"
    assert [(c.kind, c.look) for c in p.containers] == [("init", "done"), ("init", "running"), ("app", "queued")]
    assert [v.name for v in p.volumes] == ["shared"]  # the token's volume is nobody's business


def test_a_native_sidecar_is_a_kind_of_its_own():
    assert [c.kind for c in one(Recorded("sidecar-native", 5)).containers] == ["sidecar", "app"]


def test_a_rollout_shows_both_revisions_beside_the_wish():
    (web,) = build(Recorded("deploy-rollout", 9)).owners
    assert (web.kind, web.want, web.note) == ("deployments", 3, "굴리는 중 2/3")
    assert [(child.revision, child.image) for child in web.children] == [("2", "nginx:1.16.1"), ("1", "nginx:1.14.2")]
    assert web.dots[-1] == "terminating"


def test_a_revision_is_said_only_while_there_are_two():
    assert build(Recorded("deploy-rollout", 5)).owners[0].children == ()
    assert {p.revision for p in build(Recorded("deploy-rollout", 5)).pods} == {""}
    assert {p.revision for p in build(Recorded("deploy-rollout", 9)).pods} == {"1", "2"}


def test_a_silent_node_s_pods_are_unknown_and_out_of_the_service():
    board = build(Recorded("node-failure", 100))
    assert board.nodes[0].status == "NotReady"
    assert {p.look for p in board.pods} == {"unknown", "terminating"}
    (web,) = board.services
    assert (web.ready, len(web.waiting)) == ((), 2)


def test_a_powered_off_node_is_still_ready_until_its_grace_ends():
    view = Given(30, nodes=[node("node-1")], node_facts={"node-1": {"power": "off", "since": at(10)}})
    (n1,) = build(view).nodes
    assert (n1.ready, n1.doom) == ("True", ("notready", at(60)))


def test_pods_without_a_node_stand_in_the_tray_with_the_scheduler_s_words():
    board = build(Recorded("unschedulable", 5))
    assert [p.name for p in board.tray] == ["p"]
    assert board.tray[0].reason == "Unschedulable" and "Insufficient cpu" in board.tray[0].message
    assert board.nodes[0].cpu_asked == 1000


def test_what_finished_asks_for_nothing():
    big = container("c", resources={"requests": {"cpu": "1"}})
    board = build(
        Given(
            nodes=[node("node-1")],
            pods=[pod("a", ended("c"), containers=[big], phase="Succeeded"), pod("b", running("c"), containers=[big])],
        )
    )
    assert (board.nodes[0].cpu_asked, board.nodes[0].taken) == (1000, 1)


def test_the_cluster_s_own_pods_are_counted_not_shown():
    view = Given(nodes=[node("node-1")], pods=[pod("dns", running("c"), namespace="kube-system"), pod("web", running("c"))])
    assert [p.name for p in build(view).pods] == ["web"]
    assert build(view).nodes[0].hidden == 1
    assert len(build(view, Options(system=True)).pods) == 2


def test_a_service_points_only_at_what_is_ready():
    a, b = (pod(name, running("c"), labels={"app": "x"}) for name in "ab")
    board = build(
        Given(
            nodes=[node("node-1")],
            pods=[a, b],
            services=[service("s", selector={"app": "x"})],
            endpointslices=[endpoints("s", a)],
        )
    )
    assert (board.services[0].ready, board.services[0].waiting) == (("u-a",), ("u-b",))


def test_a_deployment_that_lacks_a_pod_has_a_missing_dot():
    d = owner("Deployment", "web", replicas=3, ready=1)
    rs = owner("ReplicaSet", "web-1", replicas=3, by=d, revision="1")
    (card,) = build(
        Given(nodes=[node("node-1")], deployments=[d], replicasets=[rs], pods=[pod("web-1-a", running("c"), owner=rs)])
    ).owners
    assert card.dots == ("running", "missing", "missing")


def test_an_unmet_goal_about_nothing_is_a_ghost_and_about_something_a_mark():
    goals = (Goal("pods/default/web", "2/2 준비", False), Goal("deployments/default/cache", "파드 2개", False))
    board = build(Given(nodes=[node("node-1")], pods=[pod("web", running("c"))]), Options(goals=goals))
    assert [g.ref for g in board.ghosts] == ["deployments/default/cache"]
    assert board.pods[0].goal == "unmet"


def test_time_alone_makes_no_other_board():
    view = Given(10, nodes=[node("node-1")], pods=[pod("web", running("c"))])
    later = Given(20, nodes=[node("node-1")], pods=[pod("web", running("c"))])
    assert build(view) == build(later) and build(view).now != build(later).now
