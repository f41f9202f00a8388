"""RabbitMQ: the documentation's coarse work queue end to end, messages that come back, and rabbitmqctl."""

from __future__ import annotations

import pytest

from .lab import Lab, own


def furnished() -> Lab:
    lab = Lab(1)
    lab.pod("rabbitmq", containers=[{"name": "r", "image": "rabbitmq:latest", "volumeMounts": [{"name": "data", "mountPath": "/var/lib/rabbitmq"}]}],
            spec={"volumes": [{"name": "data", "emptyDir": {}}]})  # fmt: skip
    lab.service("rabbitmq-service", "rabbitmq", 5672, 5672)
    lab.pod("temp", "ubuntu:22.04", command=["sleep", "infinity"],
            env=[{"name": "U", "value": "--url=amqp://guest:guest@rabbitmq-service:5672"}])  # fmt: skip
    lab.settle(40)
    lab.run("temp", "apt-get update && apt-get install -y curl ca-certificates amqp-tools python3 dnsutils")
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


@pytest.mark.slow
def test_a_work_queue_is_filled_and_worked_off(lab: Lab) -> None:
    assert lab.run("temp", "/usr/bin/amqp-declare-queue $U -q foo -d && amqp-publish $U -r foo -p -b Hello && amqp-consume $U -q foo -c 1 cat") == (
        "foo\nHello", "", 0)  # fmt: skip
    fill = "amqp-declare-queue $U -q job1 -d; for f in apple banana cherry; do amqp-publish $U -r job1 -p -b $f; done"
    assert lab.out("temp", fill) == "job1\n"
    worker = "import sys; print('Processing ' + sys.stdin.readlines()[0])"
    assert lab.out("temp", f'amqp-consume $U -q job1 -c 1 python3 -c "{worker}"') == "Processing apple\n"
    assert lab.out("rabbitmq", "rabbitmqctl list_queues name messages consumers") == (
        "Timeout: 60.0 seconds ...\nListing queues for vhost / ...\nname\tmessages\tconsumers\nfoo\t0\t0\njob1\t2\t0\n"
    )
    assert lab.run("temp", "amqp-consume $U -q job1 -c 1 false; amqp-get $U -q job1; echo; amqp-get $U -q job1; amqp-get $U -q job1")[::2] == (
        "banana\ncherry", 2)  # fmt: skip


@pytest.mark.slow
def test_a_consumer_waits_and_a_durable_queue_outlives_its_broker(lab: Lab) -> None:
    lab.out("temp", "amqp-declare-queue $U -q later -d")
    waiting = lab.begin("temp", "amqp-consume $U -q later -c 1 cat")
    lab.settle(5)
    lab.out("temp", "printf typed | amqp-publish $U -r later -p")
    assert lab.end("temp", waiting)[::2] == ("typed", 0)
    lab.out("temp", "amqp-publish $U -r later -p -b kept; amqp-publish $U -r later -b lost")
    lab.run("rabbitmq", "kill 1")
    lab.settle(40)
    assert lab.restored().run("temp", "amqp-get $U -q later; amqp-get $U -q later")[::2] == ("kept", 2)


@pytest.mark.slow
def test_what_goes_wrong_is_told(lab: Lab) -> None:
    assert lab.run("temp", "amqp-get $U -q nope") == (
        "", "basic.get: server channel error 404h, message: NOT_FOUND - no queue 'nope' in vhost '/'\n", 1)  # fmt: skip
    assert "server connection error 403h, message: ACCESS_REFUSED" in lab.run("temp", "amqp-get --url=amqp://a:b@rabbitmq-service -q x")[1]
    assert lab.run("temp", "amqp-get --url=amqp://nowhere -q x")[1] == "opening socket to nowhere:5672: hostname lookup failed\n"
    added = lab.out("rabbitmq", "rabbitmqctl add_user kim pw && rabbitmqctl -q set_user_tags kim administrator && rabbitmqctl -q list_users")
    assert added.endswith("user\ttags\nguest\t[administrator]\nkim\t[administrator]\n")
    assert lab.run("rabbitmq", "rabbitmq-diagnostics -q ping; rabbitmqctl status | head -1; rabbitmqctl dance")[::2] == (
        "Status of node rabbit@rabbitmq ...\n", 64)  # fmt: skip
