"""Environment and volumes: what containers see, and what happens when it is missing."""

from __future__ import annotations

import pytest

from tests.kubernetes.kubelet.given import config_map, pod, sh, world


def test_every_form_of_environment_variable() -> None:
    it = world()
    it.create(config_map("conf", mode="teach", level="3"))
    it.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"token": "c2VzYW1l"}})
    it.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "my-db"}, "spec": {"ports": [{"name": "sql", "port": 5432}]}}
    )
    it.run(1)
    env = [
        {"name": "PLAIN", "value": "x"},
        {"name": "JOINED", "value": "$(PLAIN)-$(MODE)-$(NONE)-$$(PLAIN)"},
        {"name": "MODE2", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "mode"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "GONE", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "TIER", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['tier']"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    made = pod(
        sh(
            "env; sleep 60",
            env=env,
            envFrom=[{"configMapRef": {"name": "conf"}, "prefix": "C_"}],
            resources={"limits": {"cpu": "250m", "memory": "64Mi"}},
        )
    )
    made["metadata"]["labels"] = {"tier": "web"}
    it.create(made)
    it.run(2)
    seen = dict(line.split("=", 1) for line in it.logs())
    wanted = {
        "PLAIN": "x",
        "JOINED": "x-$(MODE)-$(NONE)-$(PLAIN)",
        "MODE2": "teach",
        "TOKEN": "sesame",
        "ME": "p",
        "TIER": "web",
        "NODE": "node-1",
        "IP": it.pod()["status"]["podIP"],
        "CPU": "250",
        "MEM": "64",
        "C_mode": "teach",
        "C_level": "3",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "MY_DB_SERVICE_PORT_SQL": "5432",
    }
    assert {name: seen.get(name) for name in wanted} == wanted
    assert "GONE" not in seen and seen["MY_DB_PORT_5432_TCP_ADDR"] == seen["MY_DB_SERVICE_HOST"]


def test_a_limit_that_only_the_pod_has_is_what_its_containers_are_told() -> None:
    it = world()
    env = [{"name": name, "valueFrom": {"resourceFieldRef": {"resource": f"limits.{name}"}}} for name in ("cpu", "memory")]
    it.create(pod(sh("echo $cpu $memory; sleep 60", env=env), resources={"limits": {"memory": "64Mi"}}))
    it.run(2)
    assert it.logs() == ["2 67108864"]


def test_service_variables_can_be_turned_off() -> None:
    it = world()
    it.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    it.run(1)
    it.create(pod(sh("env; sleep 60"), enableServiceLinks=False))
    it.run(2)
    names = [line.split("=")[0] for line in it.logs()]
    assert "KUBERNETES_SERVICE_HOST" in names and "WEB_SERVICE_HOST" not in names


def test_commands_expand_variables_and_keep_the_unknown() -> None:
    it = world()
    it.create(
        pod(
            {
                "name": "c",
                "image": "busybox:1.36",
                "command": ["echo"],
                "args": ["$(A) $(B) $$(A)"],
                "env": [{"name": "A", "value": "1"}],
            },
            restartPolicy="Never",
        )
    )
    it.run(2)
    assert it.logs() == ["1 $(B) $(A)"]


def test_variables_that_double_one_another_are_too_long_and_cost_nothing() -> None:
    """Sixty variables of 20 letters would be 2**60 letters; a real container would fail with E2BIG, after its kubelet."""
    it = world()
    doubling = [{"name": f"A{n}", "value": f"$(A{n - 1})$(A{n - 1})" if n else "xy"} for n in range(60)]
    long = {"name": "X", "value": "y" * 50_000}
    it.create(pod(sh("env", env=doubling), name="a"))
    it.create(pod({**sh("env", env=[long]), "args": ["$(X)" * 5000]}, name="b"))
    it.create(pod({**sh("env", env=[long]), "args": ["$(X)"] * 5000}, name="c"))
    it.run(3)
    for name in "abc":
        waiting = it.container("c", name)["state"]["waiting"]
        assert (waiting["reason"], waiting["message"]) == ("CreateContainerConfigError", "argument list too long")


def test_a_missing_config_map_and_a_missing_key() -> None:
    it = world()
    it.create(config_map("conf", mode="x"))
    ref = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "mode"}}}
    key = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "nope"}}}
    it.create(pod(sh("env", env=[ref]), name="a"))
    it.create(pod(sh("env", env=[key]), name="b"))
    it.run(3)
    assert it.container("c", "a")["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "none" not found',
    }
    assert it.container("c", "b")["state"]["waiting"]["message"] == "couldn't find key nope in ConfigMap default/conf"
    assert 'Error: configmap "none" not found' in it.events("Failed")


def test_a_volume_s_missing_config_map_is_tried_again_at_growing_intervals() -> None:
    it = world()
    it.create(
        pod(
            sh("echo $(cat /conf/mode); sleep 60", volumeMounts=[{"name": "v", "mountPath": "/conf"}]),
            volumes=[{"name": "v", "configMap": {"name": "conf"}}],
        )
    )
    it.run(10)
    assert it.state() == "waiting:ContainerCreating"
    assert it.count("FailedMount") == 5  # 0.2, 0.7, 1.7, 3.7, 7.7 s
    assert it.events("FailedMount") == ['MountVolume.SetUp failed for volume "v" : configmap "conf" not found']
    it.create(config_map("conf", mode="teach"))
    it.run(8)
    assert it.logs() == ["teach"]


def test_a_mount_that_takes_over_two_minutes_fails_the_sync_without_a_word() -> None:
    it = world()
    it.create(pod(sh("sleep 60"), volumes=[{"name": "v", "secret": {"secretName": "none"}}]))
    it.run(150)
    assert it.events("FailedMount") == ['MountVolume.SetUp failed for volume "v" : secret "none" not found']
    it.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "none"}})
    it.run(140)
    assert it.state() == "running#0"


def test_a_claim_with_nothing_behind_it_fails_the_sync_at_once_and_again_ten_seconds_later() -> None:
    it = world()
    it.create(pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}], nodeName="node-1"))
    it.run(17)
    said = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC "
    assert it.events("FailedMount") == [
        f'{said}default/data: failed to fetch PVC from API server: persistentvolumeclaims "data" not found'
    ]
    assert it.count("FailedMount") == 2
    it.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
               "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}})  # fmt: skip
    it.run(16)
    assert it.events("FailedMount")[-1] == f"{said}default/data: PVC is not bound"


def test_files_of_a_config_map_follow_it_within_sixty_to_ninety_seconds_and_variables_never() -> None:
    it = world()
    it.create(config_map("conf", mode="one"))
    it.create(
        pod(
            sh(
                "sleep 3600",
                volumeMounts=[{"name": "v", "mountPath": "/conf"}],
                env=[{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "mode"}}}],
            ),
            volumes=[{"name": "v", "configMap": {"name": "conf"}}],
        )
    )
    it.run(5)
    synced = it.cluster.kubelet("node-1").state["pods"][it.pod()["metadata"]["uid"]]["synced"]
    it.patch("conf", {"data": {"mode": "two"}}, plural="configmaps")
    held = it.cluster.kubelet("node-1").state["pods"][it.pod()["metadata"]["uid"]]
    it.cluster.run_until(synced + 59_900)
    assert held["config"]["v"]["mode"]["content"] == "one"
    it.cluster.run_until(synced + 91_100)
    assert held["config"]["v"]["mode"]["content"] == "two"


def test_an_empty_dir_outlives_the_container_and_its_own_layer_does_not() -> None:
    it = world()
    it.create(
        pod(
            sh(
                "echo x >> /v/a; echo x >> /tmp/b; cat /v/a /tmp/b | wc -l; sleep 1; exit 1",
                volumeMounts=[{"name": "v", "mountPath": "/v"}],
            ),
            volumes=[{"name": "v", "emptyDir": {}}],
        )
    )
    it.run(4)
    assert [text.strip() for text in it.logs()] == ["3"]


def test_downward_api_files_and_projected_volumes() -> None:
    volume = {
        "name": "v",
        "projected": {
            "sources": [
                {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                {"configMap": {"name": "conf", "items": [{"key": "mode", "path": "deep/mode"}]}},
            ]
        },
    }
    it = world()
    it.create(config_map("conf", mode="teach"))
    made = pod(
        sh(
            "cat /v/labels; echo; cat /v/deep/mode; echo; ls /var/run/secrets/kubernetes.io/serviceaccount; sleep 60",
            volumeMounts=[{"name": "v", "mountPath": "/v"}],
        ),
        volumes=[volume],
    )
    made["metadata"]["labels"] = {"a": "1", "b": "2"}
    it.create(made)
    it.run(2)
    assert it.logs() == ['a="1"', 'b="2"', "teach", "ca.crt", "namespace", "token"]


def test_a_memory_volume_and_a_host_path() -> None:
    it = world()
    it.create(
        pod(
            sh(
                "echo hi > /host/x; echo m > /mem/x; cat /mem/x; sleep 60",
                volumeMounts=[{"name": "h", "mountPath": "/host"}, {"name": "m", "mountPath": "/mem"}],
            ),
            name="a",
            volumes=[{"name": "h", "hostPath": {"path": "/data"}}, {"name": "m", "emptyDir": {"medium": "Memory"}}],
        )
    )
    it.run(2)
    it.create(
        pod(
            sh("cat /host/x; sleep 60", volumeMounts=[{"name": "h", "mountPath": "/host"}]),
            name="b",
            volumes=[{"name": "h", "hostPath": {"path": "/data"}}],
        )
    )
    it.run(2)
    assert it.logs(pod="a") == ["m"] and it.logs(pod="b") == ["hi"]


def test_a_claim_s_volume_outlives_the_pod_and_follows_it_to_another_node() -> None:
    it = world(nodes=2)
    it.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    )
    it.run(5)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    keeper = sh("echo x >> /data/file; cat /data/file | wc -l; sleep 60", volumeMounts=[{"name": "v", "mountPath": "/data"}])
    for round_, node in enumerate(("node-1", "node-2", "node-2")):
        it.create(pod(keeper, volumes=volumes, nodeName=node, terminationGracePeriodSeconds=1))
        it.run(5)
        assert [text.strip() for text in it.logs()] == [str(round_ + 1)]
        it.delete()
        it.run(10)


def test_a_host_path_finds_what_every_node_has() -> None:
    it = world()
    paths = {"/var/log": "Directory", "/lib/modules": "Directory", "/etc/localtime": "File", "/": "Directory"}
    volumes = [{"name": f"v{number}", "hostPath": {"path": path, "type": kind}} for number, (path, kind) in enumerate(paths.items())]
    it.create(pod(sh("ls /root-of-node; sleep 60", volumeMounts=[{"name": "v3", "mountPath": "/root-of-node"}]), volumes=volumes))
    it.run(3)
    assert " ".join(it.logs()) == "bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var"


def test_a_volume_that_no_plugin_serves() -> None:
    it = world()
    modes = {"named.example.com": ["Ephemeral"], "other.example.com": ["Persistent"]}
    for name, told in modes.items():
        it.create({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}, "spec": {"volumeLifecycleModes": told}})
    for name in ("nowhere", "named", "other"):
        it.create(pod(name=name, volumes=[{"name": "v", "csi": {"driver": f"{name}.example.com"}}]))
    it.run(3)
    inline = 'MountVolume.NewMounter initialization failed for volume "v" : volume mode "Ephemeral" not supported by driver {} ({})'
    assert sorted(set(it.events("FailedMount"))) == [
        inline.format("nowhere.example.com", "no CSIDriver object"),
        inline.format("other.example.com", 'only supports ["Persistent"]'),
        'MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name named.example.com '
        "not found in the list of registered CSI drivers",
    ]


@pytest.mark.parametrize(("path", "kind", "word"), [
    ("/nowhere", "Directory", "directory"), ("/etc/hosts", "Directory", "directory"), ("/etc/hosts", "DirectoryOrCreate", "directory"),
    ("/home", "File", "file"), ("/home", "FileOrCreate", "file"), ("/etc/hosts", "Socket", "socket file"),
    ("/dev/none", "CharDevice", "character device"), ("/dev/sda", "BlockDevice", "block device"),
])  # fmt: skip
def test_a_path_of_the_host_has_to_be_what_its_type_says(path: str, kind: str, word: str) -> None:
    it = world()
    it.create(pod(volumes=[{"name": "v", "hostPath": {"path": path, "type": kind}}]))
    it.run(1)
    assert set(it.events("FailedMount")) == {f'MountVolume.SetUp failed for volume "v" : hostPath type check failed: {path} is not a {word}'}


@pytest.mark.parametrize(("source", "told"), [
    ({"nfs": {"server": "nfs.example.com", "path": "/a"}}, ['MountVolume.SetUp failed for volume "disk" : mount failed: exit status 32']),
    ({"gcePersistentDisk": {"pdName": "a"}}, [
        'AttachVolume.Attach failed for volume "disk" : timed out waiting for external-attacher of pd.csi.storage.gke.io CSI driver to attach volume '
        "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/a"]),
    ({"csi": {"driver": "d.example.com", "volumeHandle": "a"}}, [
        'AttachVolume.Attach failed for volume "disk" : timed out waiting for external-attacher of d.example.com CSI driver to attach volume a']),
    ({"csi": {"driver": "unattached.example.com", "volumeHandle": "a"}}, [
        'MountVolume.MountDevice failed for volume "disk" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: '
        "driver name unattached.example.com not found in the list of registered CSI drivers"]),
])  # fmt: skip
def test_a_volume_of_a_machine_outside_the_cluster_is_bound_but_never_mounted(source: dict[str, object], told: list[str]) -> None:
    it = world()
    size = {"storage": "1Gi"}
    it.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"},
               "spec": {"capacity": size, "accessModes": ["ReadWriteOnce"], **source}})  # fmt: skip
    it.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
               "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": size}}})  # fmt: skip
    it.create({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "unattached.example.com"},
               "spec": {"attachRequired": False}})  # fmt: skip
    it.create(pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    it.run(115)
    assert it.events("FailedAttachVolume") == []
    it.run(10)
    assert sorted({text.partition("\n")[0] for text in (*it.events("FailedMount"), *it.events("FailedAttachVolume"))}) == sorted(told)


def test_a_server_of_files_that_answers_nothing_is_told_of_every_three_minutes_in_the_words_of_mount() -> None:
    it = world()
    it.create(pod(volumes=[{"name": "v", "nfs": {"server": "10.0.0.9", "path": "/a", "readOnly": True}}]))
    it.run(179)
    assert it.events("FailedMount") == []
    it.run(3)
    target = f"/var/lib/kubelet/pods/{it.pod()['metadata']['uid']}/volumes/kubernetes.io~nfs/v"
    assert it.events("FailedMount") == [
        'MountVolume.SetUp failed for volume "v" : mount failed: exit status 32\nMounting command: mount\n'
        f"Mounting arguments: -t nfs -o ro 10.0.0.9:/a {target}\nOutput: mount.nfs: Connection timed out for 10.0.0.9:/a on {target}\n"
    ]


def test_time_goes_on_after_a_volume_no_longer_waits_to_be_attached() -> None:
    it = world()
    it.create(pod(volumes=[{"name": "v", "awsElasticBlockStore": {"volumeID": "a"}}]))
    it.run(30)
    it.create({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "ebs.csi.aws.com"}, "spec": {"attachRequired": False}})
    assert it.cluster.run_until(it.cluster.now + 200_000, max_steps=2_000)
    assert len(it.events("FailedMount")) == 1 and it.events("FailedAttachVolume") == []


def test_a_path_of_the_node_that_a_person_made_a_volume_of_is_that_path_on_each_node() -> None:
    it = world(nodes=2)
    size = {"storage": "1Gi"}
    it.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"},
               "spec": {"capacity": size, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/mnt/data"}}})  # fmt: skip
    it.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
               "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": size}}})  # fmt: skip
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    it.run(1)
    path, claim = {"hostPath": {"path": "/mnt/data"}}, {"persistentVolumeClaim": {"claimName": "data"}}
    for name, node, volume in (("a", "node-1", path), ("b", "node-1", claim), ("c", "node-2", claim)):
        made = pod(sh(f"echo {name} >> /v/names; cat /v/names; sleep 600", **mount), name=name, volumes=[{"name": "v", **volume}])
        it.create({**made, "spec": {**made["spec"], "nodeName": node}})
        it.run(5)
    assert [it.logs("c", name) for name in "abc"] == [["a"], ["a", "b"], ["c"]]
    assert it.events("FailedMount") == []
