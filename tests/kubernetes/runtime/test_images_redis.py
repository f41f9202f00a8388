"""Redis: a server with a memory, over its real protocol."""

from __future__ import annotations

import pytest

from podlab.kubernetes.runtime.images.redis_commands import RedisError, Status
from podlab.kubernetes.runtime.images.redis_protocol import decode, encode, request_words
from tests.kubernetes.runtime.lab import Lab


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    lab.pod("redis", "redis:7")
    lab.pod("locked", "redis:8.0.2", command=["redis-server", "--requirepass", "s3cret", "--maxmemory", "2mb"])
    lab.service("redis", "redis", 6379, 6379)
    lab.client()
    lab.settle(20)
    return lab


def cli(lab: Lab, *commands: str) -> list[str]:
    return [lab.out("redis", f"redis-cli --no-raw {command}").rstrip("\n") for command in commands]


def test_values_are_kept(lab: Lab) -> None:
    assert cli(lab, "ping", "set a 1", "get a", "incr a", "incrby a 5", "get none", "append a x", "incr a", "del a none", "exists a") == [
        "PONG",
        "OK",
        '"1"',
        "(integer) 2",
        "(integer) 7",
        "(nil)",
        "(integer) 2",
        "(error) ERR value is not an integer or out of range",
        "(integer) 1",
        "(integer) 0",
    ]


def test_lists_sets_hashes_and_scores(lab: Lab) -> None:
    assert cli(
        lab,
        "rpush l a b",
        "lpush l z",
        "lrange l 0 -1",
        "lpop l",
        "llen l",
        "sadd s x x y",
        "scard s",
        "hset h f 1 g 2",
        "hgetall h",
        "zadd z 2 b 1 a",
        "zrange z 0 -1",
        "get l",
        "type h",
    ) == [
        "(integer) 2",
        "(integer) 3",
        '1) "z"\n2) "a"\n3) "b"',
        '"z"',
        "(integer) 2",
        "(integer) 2",
        "(integer) 2",
        "(integer) 2",
        '1) "f"\n2) "1"\n3) "g"\n4) "2"',
        "(integer) 2",
        '1) "a"\n2) "b"',
        "(error) WRONGTYPE Operation against a key holding the wrong kind of value",
        "hash",
    ]


def test_keys_expire(lab: Lab) -> None:
    assert cli(lab, "set t 1 ex 5", "ttl t") == ["OK", "(integer) 5"]
    lab.settle(6)
    assert cli(lab, "get t", "ttl t") == ["(nil)", "(integer) -2"]


def test_output_is_raw_when_nobody_looks(lab: Lab) -> None:
    assert lab.out("redis", "redis-cli rpush raw a b; redis-cli lrange raw 0 -1; echo ping | redis-cli") == "2\na\nb\nPONG\n"


def test_the_protocol_is_spoken_on_the_wire(lab: Lab) -> None:
    assert lab.out("client", "printf 'PING\\r\\n' | nc -w 1 redis 6379") == "+PONG\r\n"
    assert (
        lab.out(
            "client", "printf '*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nw\\r\\n$2\\r\\nok\\r\\n*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nw\\r\\n' | nc -w 1 redis 6379"
        )
        == "+OK\r\n$2\r\nok\r\n"
    )


def test_a_password_is_wanted(lab: Lab) -> None:
    assert lab.out("locked", "redis-cli get a") == "NOAUTH Authentication required.\n\n"
    assert lab.out("locked", "redis-cli -a s3cret --no-auth-warning config get maxmemory") == "maxmemory\n2097152\n"
    assert "WRONGPASS" in lab.run("locked", "redis-cli -a nope --no-auth-warning ping")[1]


def test_nobody_at_home(lab: Lab) -> None:
    assert lab.run("redis", "redis-cli -p 1 ping") == ("", "Could not connect to Redis at 127.0.0.1:1: Connection refused\n", 1)


def test_data_on_a_volume_outlives_the_container() -> None:
    lab = Lab(1)
    volume = {"volumes": [{"name": "data", "emptyDir": {}}]}
    lab.pod("kept", containers=[{"name": "redis", "image": "redis", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}], spec=volume)
    lab.pod("lost", "redis")
    lab.settle(20)
    for pod in ("kept", "lost"):
        assert lab.out(pod, "redis-cli set a 1") == "OK\n"
        container = "redis" if pod == "kept" else "lost"
        lab.cluster.apply({"at": lab.cluster.now, "do": "fault", "pod": f"default/{pod}", "container": container, "signal": "TERM"})
    lab.settle(20)
    assert lab.out("kept", "redis-cli get a") == "1\n"
    assert lab.out("lost", "redis-cli get a") == "\n"
    assert "DB loaded from disk" in lab.logs("kept")


def test_replies_survive_the_wire() -> None:
    reply = ["a", 1, None, Status("OK"), ["ü", []]]
    assert decode(encode(reply)) == (reply, "")
    assert decode("$5\r\nab") is None
    found = decode("-ERR no\r\n")
    assert found is not None and isinstance(found[0], RedisError)
    assert request_words("SET a b\r\nGET") == (["SET", "a", "b"], "GET")


@pytest.mark.slow
def test_a_replica_has_what_its_master_has_and_refuses_to_write() -> None:
    lab = Lab(1)
    lab.pod("leader", "redis:6.0.5", labels={"app": "leader"})
    lab.pod("follower", "us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower:v2")
    lab.settle(10)
    assert "master_link_status:down" in lab.out("follower", "redis-cli info replication")
    lab.service("redis-leader", "leader", 6379, 6379)
    lab.out("leader", "redis-cli set early 1; redis-cli rpush list a b")
    lab.settle(10)
    assert "role:slave\r\nmaster_host:redis-leader\r\nmaster_port:6379\r\nmaster_link_status:up" in lab.out("follower", "redis-cli info replication")
    lab.out("leader", "redis-cli set late 2; redis-cli incr early")
    assert lab.out("follower", "redis-cli get early; redis-cli get late; redis-cli lrange list 0 -1") == "2\n2\na\nb\n"
    assert "READONLY You can't write against a read only replica." in lab.out("follower", "redis-cli set x 1")
    assert f"connected_slaves:1\r\nslave0:ip={lab.ip('follower')},port=6379,state=online" in lab.out("leader", "redis-cli info replication")
    again = lab.restored()
    again.out("leader", "redis-cli set later 3")
    alone = "redis-cli get later; redis-cli replicaof no one; redis-cli set x 1; redis-cli role | head -1"
    assert again.out("follower", alone) == "3\nOK\nOK\nmaster\n"


@pytest.mark.slow
def test_a_sentinel_tells_where_the_master_is_and_wants_to_write_its_configuration() -> None:
    lab = Lab(1)
    lab.pod("redis-0", "redis:6.2-alpine")
    lab.service("redis", "redis-0", 6379, 6379)
    lab.settle(10)
    conf = "echo 'sentinel monitor mine redis 6379 2' > /tmp/s.conf; sed -i '$a sentinel down-after-milliseconds mine 1000' /tmp/s.conf"
    lab.pod("watch", "redis:6.2-alpine", command=["sh", "-c", f"{conf}; exec redis-sentinel /tmp/s.conf"])
    lab.pod("read-only", "redis:6.2-alpine", command=["sh", "-c", f"{conf}; chmod 400 /tmp/s.conf; exec redis-server /tmp/s.conf --sentinel"],
            securityContext={"runAsUser": 999})  # fmt: skip
    lab.settle(10)
    service = lab.cluster.etcd.get("services", "default/redis")
    assert service is not None
    address = service["spec"]["clusterIP"]
    assert lab.out("watch", "redis-cli -p 26379 sentinel get-master-addr-by-name mine") == f"{address}\n6379\n"
    assert "unknown command" in lab.out("watch", "redis-cli -p 26379 set a 1")
    assert f"address={address}:6379" in lab.out("watch", "redis-cli -p 26379 info sentinel")
    assert "Sentinel config file /tmp/s.conf is not writable: Permission denied. Exiting..." in lab.logs("read-only")
