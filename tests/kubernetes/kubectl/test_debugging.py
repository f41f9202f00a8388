"""kubectl debug: what each profile grants, and what a copy does without (S/kubectl/pkg/cmd/debug/profiles.go)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import thawed
from tests.kubernetes.kubectl.given import cluster, kubectl

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}, annotations: {note: x}}
spec:
  initContainers: [{name: first, image: "busybox:1.36", command: ["true"]}]
  containers:
  - name: c
    image: "nginx:1.14.2"
    args: [a]
    livenessProbe: {tcpSocket: {port: 80}}
    readinessProbe: {tcpSocket: {port: 80}}
    securityContext: {capabilities: {add: [SYS_TIME]}}
"""
TRACING, NETWORK = {"capabilities": {"add": ["SYS_PTRACE"]}}, {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
              "seccompProfile": {"type": "RuntimeDefault"}}
OWN = ["SYS_TIME"]


def given() -> Cluster:
    return thawed("kubectl debug's", _begin)


def _begin() -> Cluster:
    made = cluster()
    assert kubectl(made, "apply -f pod.yaml", files={"pod.yaml": POD})[0] == 0
    made.run_for(4)
    return made


def pod(where: Cluster, name: str) -> Any:
    return json.loads(kubectl(where, f"get pod {name} -o json")[1])


def context(container: Any) -> Any:
    return container.get("securityContext")


@pytest.mark.parametrize(("profile", "wanted"), [("legacy", None), ("general", TRACING), ("baseline", None), ("restricted", RESTRICTED),
                                                 ("netadmin", NETWORK), ("sysadmin", {"privileged": True})])
def test_a_profile_grants_an_ephemeral_container_its_rights(profile: str, wanted: Any) -> None:
    where = given()
    kubectl(where, f"debug web --image=busybox:1.36 -c e --profile={profile} -- sleep 1")
    (container,) = pod(where, "web")["spec"]["ephemeralContainers"]
    assert (container["command"], context(container)) == (["sleep", "1"], wanted)


@pytest.mark.parametrize(("profile", "wanted", "own", "shared"), [
    ("legacy", None, {"capabilities": {"add": OWN}}, None),
    ("general", TRACING, {"capabilities": {"add": [*OWN, "SYS_PTRACE"]}}, True),
    ("baseline", None, None, True),
    ("restricted", RESTRICTED, RESTRICTED, True),
    ("netadmin", NETWORK, {"capabilities": {"add": [*OWN, "NET_ADMIN", "NET_RAW"]}}, True),
    ("sysadmin", {"privileged": True}, {"capabilities": {"add": OWN}, "privileged": True}, True),
])
def test_a_profile_grants_a_copys_container_its_rights(profile: str, wanted: Any, own: Any, shared: Any) -> None:
    """A new container and one that the Pod has, whose own rights count too."""
    where = given()
    kubectl(where, f"debug web --copy-to=a --image=busybox:1.36 -c e --profile={profile}")
    kubectl(where, f"debug web --copy-to=b --image=busybox:1.36 -c c --profile={profile}")
    new, held = pod(where, "a")["spec"], pod(where, "b")["spec"]
    assert (context(new["containers"][1]), new.get("shareProcessNamespace")) == (wanted, shared)
    assert (context(held["containers"][0]), held["containers"][0]["image"]) == (own, "busybox:1.36")


@pytest.mark.parametrize(("profile", "wanted", "host", "root"), [
    ("legacy", None, True, True), ("general", None, True, True), ("baseline", None, None, False), ("restricted", RESTRICTED, None, False),
    ("netadmin", NETWORK, True, False), ("sysadmin", {"privileged": True}, True, True)])
def test_a_profile_opens_a_node(profile: str, wanted: Any, host: Any, root: bool) -> None:
    where = given()
    name = kubectl(where, f"debug node/node-1 --image=busybox:1.36 --profile={profile}")[1].split()[3]
    spec = pod(where, name)["spec"]
    assert (context(spec["containers"][0]), spec.get("hostPID"), "host-root" in json.dumps(spec["volumes"])) == (wanted, host, root)


@pytest.mark.parametrize(("image", "fails", "lacks", "code"), [
    ("busybox:1.36", "can't change root directory to '/none': No such file or directory", "can't execute 'crictl'", 1),
    ("ubuntu", "cannot change root directory to '/none': No such file or directory", "failed to run command 'crictl'", 125)])
def test_a_nodes_root_can_be_entered_and_has_no_programs(image: str, fails: str, lacks: str, code: int) -> None:
    """CAP_SYS_CHROOT is among what containerd grants by default, so that chroot /host itself is no matter of rights."""
    where = given()
    name = kubectl(where, f"debug node/node-1 --image={image} -- sleep 1000")[1].split()[3]
    where.run_for(10)
    assert kubectl(where, f"exec {name} -- chroot / echo here")[:2] == (0, "here\n")
    for words, told, status in (("/none", fails, code), ("/host crictl ps", f"{lacks}: No such file or directory", 127)):
        assert kubectl(where, f"exec {name} -- chroot {words}") == (status, "", f"chroot: {told}\ncommand terminated with exit code {status}\n")


def test_a_copy_goes_without_labels_annotations_and_probes_unless_they_are_kept() -> None:
    where = given()
    kubectl(where, "debug web --copy-to=bare --image=busybox:1.36 -c e --keep-init-containers=false")
    kubectl(where, "debug web --copy-to=full --image=busybox:1.36 -c e --keep-labels --keep-annotations --keep-liveness --keep-readiness")
    bare, full = pod(where, "bare"), pod(where, "full")
    assert not {"labels", "annotations"} & set(bare["metadata"]) and not {"initContainers"} & set(bare["spec"])
    assert not {"livenessProbe", "readinessProbe"} & set(bare["spec"]["containers"][0])
    assert full["metadata"]["labels"] == {"app": "web"} and full["metadata"]["annotations"]["note"] == "x"
    assert {"livenessProbe", "readinessProbe"} < set(full["spec"]["containers"][0])


def test_a_copy_with_nothing_but_other_images_stays_what_it_was() -> None:
    where = given()
    kubectl(where, "debug web --copy-to=a --set-image=*=nginx:1.16.1,other=x")
    copied = pod(where, "a")
    assert copied["metadata"]["labels"] == {"app": "web"} and "livenessProbe" in copied["spec"]["containers"][0]
    assert (copied["spec"]["containers"][0]["image"], copied["spec"].get("shareProcessNamespace")) == ("nginx:1.16.1", None)


def test_a_command_replaces_that_of_a_containers_copy() -> None:
    where = given()
    kubectl(where, "debug web --copy-to=a -c c --image=busybox:1.36 --env=A=b -- sleep 5")
    (container,) = pod(where, "a")["spec"]["containers"]
    assert (container["command"], container.get("args"), container["env"]) == (["sleep", "5"], None, [{"name": "A", "value": "b"}])


def test_a_replaced_pod_goes_when_its_copy_is_there() -> None:
    where = given()
    assert kubectl(where, "debug web --copy-to=web --image=busybox:1.36 -c e --replace")[2] == (
        'Error from server (AlreadyExists): pods "web" already exists\n')
    assert kubectl(where, "get pod web -o name")[1] == "pod/web\n"
    kubectl(where, "debug web --copy-to=a --image=busybox:1.36 -c e --replace")
    where.run_for(2)
    assert kubectl(where, "get pods -o name")[1] == "pod/a\n"


def test_a_custom_profile_is_put_on_the_container() -> None:
    where, files = given(), {"mine.json": '{"env": [{"name": "A", "value": "b"}], "securityContext": {"runAsUser": 0}}', "bad.json": '{"image": "x"}'}
    kubectl(where, "debug web --image=busybox:1.36 -c e --custom=mine.json", files=files)
    (container,) = pod(where, "web")["spec"]["ephemeralContainers"]
    assert (container["env"], context(container)) == ([{"name": "A", "value": "b"}], {**TRACING, "runAsUser": 0})
    assert kubectl(where, "debug web --image=x --custom=bad.json", files=files)[2] == (
        "error: name, command, image, lifecycle and volume devices are not modifiable via custom profile\n")


@pytest.mark.parametrize(("flags", "err"), [
    ("--copy-to=a --set-image=x", 'error: invalid argument "x" for "--set-image" flag: x must be formatted as key=value\n'
     "See 'kubectl debug --help' for usage.\n"),
    ("--copy-to=a -c nope -- ls", "error: you must specify image when creating new container\n"),
    ("--image=x --custom=none", "error: must pass a container spec json file for custom profile: open none: no such file or directory\n"),
])
def test_debug_says_what_is_wrong_with_its_flags(flags: str, err: str) -> None:
    assert kubectl(given(), f"debug web {flags}") == (1, "", err)
