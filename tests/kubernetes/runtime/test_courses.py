"""The images of courses and books start as their manifests start them, and what is asked of them in class answers."""

from __future__ import annotations

from typing import Any

import pytest

from .lab import Lab

ONCE: dict[str, Any] = {"restartPolicy": "Never"}


@pytest.mark.slow
def test_the_images_of_korean_courses_tell_who_answers_and_note_who_asked() -> None:
    lab = Lab(1)
    for name in ("chk-hn", "chk-log", "net-tools-ifn", "tardy-nginx"):
        lab.pod(name, f"sysnet4admin/{name}")
    lab.pod("flask", "alicek106/rr-test:echo-hostname")
    lab.pod("redis", "redis:6")
    lab.service("redis", "redis", 6379, 6379)
    lab.service("nginx", "chk-hn")
    lab.pod("counter", "ghcr.io/subicura/counter:latest", env=[{"name": "REDIS_HOST", "value": "redis"}, {"name": "REDIS_PORT", "value": "6379"}])
    user = {"name": "MYSQL_USER_ID", "value": "db-user"}
    lab.pod("auth", "sysnet4admin/mysql-auth", env=[user, {"name": "MYSQL_USER_PASSWORD", "value": "hoon"}])
    lab.pod("stranger", "sysnet4admin/mysql-auth", env=[user], spec=ONCE)
    lab.settle(45)
    for name in ("nginx", "hoon"):
        lab.pod(f"curl-{name}", "sysnet4admin/net-tools", command=["curlchk", name], spec=ONCE)
    lab.settle(10)
    tools = "net-tools-ifn"
    assert lab.out(tools, f"curl -s {lab.ip('chk-hn')}") == "chk-hn\n"
    assert lab.out(tools, f"curl -s {lab.ip('flask')}").splitlines()[1] == "<p>Hello,  flask</p>"
    assert [lab.out(tools, f"curl -s {lab.ip('counter')}:3000") for _ in range(2)] == ["1", "2"]
    assert lab.out(tools, f"curl -s {lab.ip('chk-log')}") == f"pod_n: chk-log | ip_dest: {lab.ip('chk-log')}\n"
    assert lab.out("chk-log", "cat /audit/audit_chk-log.log").split()[2:] == [lab.ip(tools), "GET"]
    assert "Okay [nginx] is working properly" in lab.logs("curl-nginx") and "NOOO [hoon] is not working on" in lab.logs("curl-hoon")
    assert lab.status("auth")["containerStatuses"][0]["ready"] and lab.logs("stranger") == "PASSWORD unmatched\n"
    lab.settle(30)
    assert lab.out("tardy-nginx", "ls /tmp") == "healthy-on\n"


@pytest.mark.slow
def test_the_images_of_kiamol_fall_ill_reckon_pi_and_miss_a_program_that_a_volume_hides() -> None:
    lab = Lab(1)
    lab.pod("api", "kiamol/ch03-numbers-api", env=[{"name": "FailAfterCallCount", "value": "1"}],
            readinessProbe={"httpGet": {"path": "/healthz", "port": 80}, "periodSeconds": 1})  # fmt: skip
    lab.pod("sleep", "kiamol/ch03-sleep")
    lab.pod("web", "kiamol/ch05-pi", command=["dotnet", "Pi.Web.dll", "-m", "web"])
    lab.pod("pi", "kiamol/ch05-pi", command=["sh", "-c", "dotnet Pi.Web.dll -m console -dp $(echo 20)"], spec=ONCE)
    lab.pod("time", "kiamol/ch07-timecheck", env=[{"name": "Application__Environment", "value": "TEST"}])
    lab.pod("hidden", "kiamol/ch04-todo-list", volumeMounts=[{"name": "config", "mountPath": "/app"}],
            spec={**ONCE, "volumes": [{"name": "config", "emptyDir": {}}]})  # fmt: skip
    lab.settle(40)
    asked = f"curl -s -o /dev/null -w '%{{http_code}}' {lab.ip('api')}/rng"
    assert lab.status("api")["containerStatuses"][0]["ready"] and [lab.out("sleep", asked) for _ in range(2)] == ["200", "500"]
    assert lab.logs("pi") == "3.14159265358979323846\n" and "<h1>ch05-pi</h1>" in lab.out("sleep", f"curl -s {lab.ip('web')}")
    assert lab.out("time", "tail -1 /logs/timecheck.log").partition("[INF] ")[2].startswith("Environment: TEST; version: 1.0; time check: 00:00.")
    assert lab.status("hidden")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 145
    lab.settle(5)
    assert not lab.status("api")["containerStatuses"][0]["ready"]


@pytest.mark.slow
def test_the_simple_service_of_kubernetes_by_example_is_killed_when_its_health_comes_late() -> None:
    lab = Lab(1)
    image = "quay.io/openshiftlabs/simpleservice:0.5.0"
    probe = {"initialDelaySeconds": 2, "periodSeconds": 5, "httpGet": {"path": "/health", "port": 9876}}
    late = [{"name": "HEALTH_MIN", "value": "1000"}, {"name": "HEALTH_MAX", "value": "4000"}]
    lab.pod("sise", image, livenessProbe=probe)
    lab.pod("bad", image, livenessProbe=probe, env=late)
    lab.settle(75)
    restarts = {name: lab.status(name)["containerStatuses"][0]["restartCount"] for name in ("sise", "bad")}
    assert restarts == {"sise": 0, "bad": 1} and lab.status("bad")["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137
    assert lab.out("sise", "curl -s localhost:9876/endpoint0") == '{"version": "0.5.0", "host": "localhost:9876", "result": "all is well"}'
