"""What a Pod's spec says of users, groups, names, kernel parameters and filters, as its containers see it."""

from __future__ import annotations

from tests.kubernetes.kubelet.given import config_map, pod, sh, world

# ---- owners and modes


def listed(files: str, context: dict[str, object], volume: dict[str, object]) -> list[str]:
    """`mode uid:gid` of each of the files in a volume at /v, for a Pod with that security context."""
    it = world()
    it.create(config_map("conf", key="text"))
    it.run(1)
    made = pod(sh(f"cd /v; stat -L -c '%a %u:%g' {files}; sleep 60", volumeMounts=[{"name": "v", "mountPath": "/v"}]))
    made["spec"]["securityContext"] = context
    made["spec"]["volumes"] = [{"name": "v", **volume}]
    it.create(made)
    it.run(3)
    return it.logs()


def test_a_volume_and_what_is_in_it_belong_to_the_group_of_the_pod() -> None:
    config: dict[str, object] = {"configMap": {"name": "conf", "defaultMode": 0o400}}
    assert listed("key", {"runAsUser": 1000}, config) == ["400 0:0"]
    assert listed("key ..data", {"runAsUser": 1000, "fsGroup": 1001}, config) == ["440 0:1001", "2755 0:1001"]
    made = listed(". $(touch made; mkdir dir; echo made dir)", {"runAsUser": 1000, "fsGroup": 123}, {"emptyDir": {}})
    assert made == ["2777 0:123", "644 1000:123", "2755 1000:123"]


def test_a_token_is_its_users_alone() -> None:
    token: dict[str, object] = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    assert listed("token", {}, token) == ["644 0:0"]
    assert listed("token", {"runAsUser": 1000}, token) == ["600 1000:0"]
    assert listed("token", {"runAsUser": 1000, "fsGroup": 10000}, token) == ["640 1000:10000"]


# ---- names, parameters, filters


def test_a_pod_is_called_as_its_spec_says() -> None:
    for members, said in (({"hostname": "a", "subdomain": "s"}, ["a", "a.s.default.svc.cluster.local"]),
                          ({"subdomain": "s"}, ["p", "p.s.default.svc.cluster.local"]),
                          ({"hostname": "a", "subdomain": "s", "setHostnameAsFQDN": True}, ["a.s.default.svc.cluster.local"] * 2),
                          ({"hostnameOverride": "one.example"}, ["one.example"] * 2)):
        it = world()
        made = pod(sh("hostname; hostname -f; sleep 60"))
        made["spec"].update(members)
        it.create(made)
        it.run(3)
        assert it.logs() == said


def test_kernel_parameters_and_filters_are_those_of_the_spec() -> None:
    it = world()
    script = "sysctl kernel.shm_rmid_forced; cat /proc/sys/net/ipv4/tcp_fin_timeout; sysctl -w kernel.msgmax=1; grep -E 'NoNew|Secc' /proc/1/status"
    made = pod(sh(script,
                  securityContext={"allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"}}))
    made["spec"]["securityContext"] = {"sysctls": [{"name": "kernel/shm_rmid_forced", "value": "1"}]}
    it.create(made)
    it.run(3)
    assert it.logs() == ["kernel.shm_rmid_forced = 1", "60", "sysctl: error setting key 'kernel.msgmax': Read-only file system",
                         "NoNewPrivs:\t1", "Seccomp:\t2"]


def test_a_privileged_container_sets_kernel_parameters_for_its_pod_or_its_node() -> None:
    it = world()
    script = "sysctl -w vm.max_map_count=262144; sysctl -w net.core.somaxconn=1024; sleep 60"
    it.create(pod(sh(script, securityContext={"privileged": True}), name="a"))
    it.run(3)
    it.create(pod(sh("cat /proc/sys/vm/max_map_count /proc/sys/net/core/somaxconn; sleep 60"), name="b"))
    it.run(3)
    assert it.logs(pod="a") == ["vm.max_map_count = 262144", "net.core.somaxconn = 1024"] and it.logs(pod="b") == ["262144", "4096"]


def test_a_set_user_id_program_gains_nothing_where_the_spec_says_so() -> None:
    for allowed, uid in ((None, 0), (True, 0), (False, 1000)):
        it = world()
        context = {"runAsUser": 1000, **({} if allowed is None else {"allowPrivilegeEscalation": allowed})}
        it.create(pod({"name": "c", "image": "registry.k8s.io/e2e-test-images/nonewprivs:1.3", "securityContext": context}))
        it.run(3)
        assert it.logs()[0] == f"Effective uid: {uid}"
