"""What the kubelet says when something of a Pod cannot be had: words and what follows, from the source named beside each."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.kubelet import images, starting
from tests.kubernetes.kubelet.given import config_map, pod, sh, world

FOREVER = "sleep 3600"


@pytest.mark.parametrize("kind", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_a_probe_whose_command_is_not_there_errs_and_touches_no_threshold(kind: str) -> None:
    it = world()
    it.create(pod(sh(FOREVER, **{kind: {"exec": {"command": ["nosuch"]}, "periodSeconds": 1, "failureThreshold": 1}})))
    it.run(8)
    said = it.events("Unhealthy")
    begin = f"{kind.removesuffix('Probe').capitalize()} probe errored and resulted in unknown state: rpc error: code = Unknown desc = "
    assert said and all(text.startswith(begin) and 'exec: "nosuch": executable file not found in $PATH' in text for text in said)  # prober.go
    assert it.container()["restartCount"] == 0 and it.events("Killing") == []


def test_a_probe_of_a_port_that_no_port_is_named_errs() -> None:
    it = world()
    it.create(pod(sh(FOREVER, livenessProbe={"tcpSocket": {"port": "web"}, "periodSeconds": 1, "failureThreshold": 1})))
    it.run(4)
    text = 'Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing "web": invalid syntax'  # ResolveContainerPort
    assert set(it.events("Unhealthy")) == {text} and it.container()["restartCount"] == 0


def test_a_resource_of_a_container_that_is_not_there_keeps_the_container_or_the_volume_waiting() -> None:
    it = world()
    wanted = {"resourceFieldRef": {"containerName": "other", "resource": "limits.cpu"}}
    it.create(pod(sh("sleep 9", env=[{"name": "A", "valueFrom": wanted}])))
    it.create(pod(name="v", volumes=[{"name": "v", "downwardAPI": {"items": [{"path": "a", **wanted}]}}]))
    it.run(2)
    assert (it.state(), it.container()["state"]["waiting"]["message"]) == ("waiting:CreateContainerConfigError", "container other not found")
    assert it.events("FailedMount") == ['MountVolume.SetUp failed for volume "v" : container other not found']


def test_a_projected_volume_tells_of_every_source_that_lacks() -> None:
    it = world()
    sources = [{"secret": {"name": "a"}}, {"configMap": {"name": "b"}}, {"secret": {"name": "a"}}]
    it.create(pod(sh(FOREVER, volumeMounts=[{"name": "v", "mountPath": "/v"}]), volumes=[{"name": "v", "projected": {"sources": sources}}]))
    it.run(2)
    text = 'MountVolume.SetUp failed for volume "v" : [secret "a" not found, configmap "b" not found]'  # collectData, projected.go
    assert it.events("FailedMount") == [text]


@pytest.mark.parametrize(("image", "remote"), [
    ("Nginx", "library/Nginx"), ("Nginx:1.14", "library/Nginx"), ("UPPER/Case:1", "Case"), ("docker.io/Nginx", "library/Nginx"),
    ("localhost/App", "App"), ("team/App", "team/App"), ("registry.example:5000/Team/app", "Team/app"),
])
def test_an_image_name_with_capitals_is_told_as_the_registry_s_repository(image: str, remote: str) -> None:
    it = world()
    it.create(pod({"name": "c", "image": image}))
    it.run(2)
    assert it.state() == "waiting:InvalidImageName"
    assert it.events("InspectFailed")[0].endswith(f"invalid reference format: repository name ({remote}) must be lowercase")  # normalize.go


@pytest.mark.parametrize(("uid", "user", "words"), [
    (None, "", "container has runAsNonRoot and image will run as root"), (None, "0", "container has runAsNonRoot and image will run as root"),
    (None, "101", ""), (1000, "", ""), (0, "101", "container's runAsUser breaks non-root policy"),
    (None, "nginx", "container has runAsNonRoot and image has non-numeric user (nginx), cannot verify user is non-root"),
])
def test_a_user_that_only_has_a_name_cannot_be_shown_to_be_another_than_root(uid: int | None, user: str, words: str) -> None:
    assert starting._root_words(uid, user) == words  # verifyRunAsNonRoot, security_context.go


def test_an_image_s_user_by_name_keeps_a_container_waiting() -> None:
    it = world()
    assert images.user_of("curlimages/curl:latest") == "curl_user"
    it.create(pod({"name": "c", "image": "curlimages/curl:latest", "command": ["sh"], "securityContext": {"runAsNonRoot": True}}))
    it.run(10)
    assert it.state() == "waiting:CreateContainerConfigError"
    assert "image has non-numeric user (curl_user), cannot verify user is non-root (pod: " in it.container()["state"]["waiting"]["message"]


@pytest.mark.parametrize(("containers", "words"), [
    ([sh("dd if=/dev/zero of=/f bs=1M count=12; sleep 3600", resources={"limits": {"ephemeral-storage": "10Mi"}})],
     "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "),
    ([sh("dd if=/dev/zero of=/f bs=1M count=12; sleep 3600", resources={"limits": {"ephemeral-storage": "10Mi"}}),
      sh("sleep 3600", name="d", resources={"limits": {"ephemeral-storage": "10Mi"}})],
     'Container c exceeded its local ephemeral storage limit "10Mi". '),
])
def test_a_pod_over_its_limit_of_local_storage_is_evicted(containers: list[dict[str, object]], words: str) -> None:
    it = world()
    it.create(pod(*containers))
    it.run(30)
    status = it.pod()["status"]
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Evicted", words)  # localStorageEviction, eviction_manager.go


def test_a_resize_that_restarts_a_container_says_so_in_its_own_words() -> None:
    it = world()
    again = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    both = {"requests": {"memory": "64Mi", "cpu": "100m"}, "limits": {"memory": "64Mi", "cpu": "1"}}
    it.create(pod(sh(FOREVER, resources=both, resizePolicy=again), terminationGracePeriodSeconds=1))
    it.run(3)
    more = {"requests": {"memory": "80Mi"}, "limits": {"memory": "80Mi"}}
    it.patch("p", {"spec": {"containers": [{"name": "c", "resources": more}]}}, subresource="resize")
    it.run(5)
    assert it.events("Killing") == ["Container c resize requires restart"]  # computePodResizeAction: not "will be restarted"
    asked = json.loads(it.events("ResizeStarted")[0].removeprefix("Pod resize started: "))
    assert list(asked["containers"][0]["resources"]) == ["limits", "requests"]  # ResourceRequirements as Go writes it
    assert list(asked["containers"][0]["resources"]["requests"]) == ["cpu", "memory"]


@pytest.mark.parametrize(("hook", "words"), [
    ({"httpGet": {"port": 81, "path": "/x"}}, 'HTTP lifecycle hook (/x) for Container "c" in Pod "p_default({uid})" failed - error: '
     'Get "http://{ip}:81/x": dial tcp {ip}:81: connect: connection refused'),
    ({"httpGet": {"port": "web"}}, 'HTTP lifecycle hook (/) for Container "c" in Pod "p_default({uid})" failed - error: '
     'strconv.Atoi: parsing "web": invalid syntax'),
])
def test_a_failing_request_of_a_hook_is_told_as_go_tells_it(hook: dict[str, object], words: str) -> None:
    it = world()
    it.create(pod({"name": "c", "image": "nginx:1.14.2", "lifecycle": {"postStart": hook}}, terminationGracePeriodSeconds=1))
    it.run(1.5)
    wanted = words.replace("{uid}", it.pod()["metadata"]["uid"]).replace("{ip}", it.pod()["status"]["podIP"])
    assert it.container()["state"]["waiting"] == {"reason": "PostStartHookError", "message": wanted}  # handlers.go, Run


def test_a_hook_that_is_answered_has_succeeded_whatever_the_status() -> None:
    it = world()
    hook = {"httpGet": {"port": 80, "path": "/no-such-page"}}
    it.create(pod({"name": "c", "image": "nginx:1.14.2", "lifecycle": {"postStart": hook}}))
    it.run(3)
    assert it.events("FailedPostStartHook") == [] and it.container()["restartCount"] == 0  # runHTTPHandler discards the response


def test_a_hook_whose_command_is_not_there_tells_what_the_runtime_said() -> None:
    it = world()
    it.create(pod(sh(FOREVER, lifecycle={"postStart": {"exec": {"command": ["nosuch"]}}}), terminationGracePeriodSeconds=1))
    it.run(3.5)
    message = it.container()["state"]["waiting"]["message"]
    assert "failed - error: rpc error: code = Unknown desc = failed to exec in container: failed to start exec " in message
    assert message.endswith('exec: "nosuch": executable file not found in $PATH, message: ""')


HERE = "/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~configmap/v"
ONTO = 'error mounting "{src}" to rootfs at "{dst}": mount src={src}, dst={dst}, dstFd=/proc/thread-self/fd/11, flags=MS_BIND|MS_REC: not a directory'


@pytest.mark.parametrize(("fields", "words"), [
    ({"volumeMounts": [{"name": "v", "mountPath": "/etc/passwd"}]}, ONTO.replace("{src}", HERE).replace("{dst}", "/etc/passwd")),
    ({"volumeMounts": [{"name": "v", "mountPath": "/home", "subPath": "key"}]},
     ONTO.replace("{src}", "/var/lib/kubelet/pods/{uid}/volume-subpaths/v/c/0").replace("{dst}", "/home")),
    ({"volumeMounts": [{"name": "v", "mountPath": "/proc/x"}]},
     f'error mounting "{HERE}" to rootfs at "/proc/x": check proc-safety of /proc/x mount: "/proc/x" cannot be mounted because it is inside /proc'),
    ({"workingDir": "/etc/passwd"}, "mkdir /etc/passwd: not a directory"),
    ({"terminationMessagePath": "/proc/x"}, "cannot be mounted because it is inside /proc"),
], ids=["a directory onto a file", "a file onto a directory", "inside proc", "a working directory", "a termination message"])  # fmt: skip
def test_what_runc_cannot_make_in_a_container_s_root_is_told_when_it_starts(fields: dict[str, object], words: str) -> None:
    it = world()
    it.create(config_map("conf", key="text"))
    uid = it.create(pod(sh("sleep 9", **fields), volumes=[{"name": "v", "configMap": {"name": "conf"}}], restartPolicy="Never"))["metadata"]["uid"]
    it.run(4)
    ended = it.container()["state"]["terminated"]
    start = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
    assert ended["message"].startswith(f"{start}container process: error during container init: ") and it.phase() == "Failed"
    assert ended["message"].endswith(words.replace("{uid}", uid)) and ended["exitCode"] == 128
