"""Images: policies, the queue of pulls, errors and back-off."""

from __future__ import annotations

import pytest

from tests.kubernetes.kubelet.given import pod, sh, world

NOT_FOUND = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:no-such-tag": failed to resolve '
    "image: docker.io/library/nginx:no-such-tag: not found"
)


def test_a_present_image_is_not_pulled_and_an_absent_one_is() -> None:
    it = world(images=[])
    it.create(pod(name="a"))
    it.run(3)
    it.create(pod(name="b"))
    it.run(3)
    assert it.events("Pulling") == ['Pulling image "busybox:1.36"']
    pulled = it.events("Pulled")
    assert pulled[0].startswith('Successfully pulled image "busybox:1.36" in ') and " bytes." in pulled[0]
    assert pulled[1] == 'Container image "busybox:1.36" already present on machine and can be accessed by the pod'


def test_always_asks_the_registry_each_time() -> None:
    it = world()
    it.create(pod({**sh("sleep 60"), "imagePullPolicy": "Always"}))
    it.run(2)
    assert it.events("Pulled") == [
        'Successfully pulled image "busybox:1.36" in 60ms (60ms including waiting). Image size: '
        + it.events("Pulled")[0].split("size: ")[1]
    ]


def test_bigger_images_take_longer_and_pulls_wait_for_one_another() -> None:
    it = world(images=[])
    it.create(pod({"name": "c", "image": "nginx:1.14.2"}, name="big"))
    it.run(0.01)
    it.create(pod(name="small"))
    it.run(15)
    small = next(text for text in it.events("Pulled") if "busybox" in text)
    took, waited = small.split(" in ")[1].split(" (")[0], small.split("(")[1].split(" including")[0]
    assert took != waited


def test_a_tag_that_does_not_exist() -> None:
    it = world()
    it.create(pod({"name": "c", "image": "nginx:no-such-tag"}, imagePullSecrets=[{"name": "hub"}, {"name": "quay"}]))
    it.run(0.9)
    told = "Unable to retrieve some image pull secrets (hub, quay); attempting to pull the image may not succeed."
    assert set(it.events("FailedToRetrieveImagePullSecret")) == {told}
    assert it.events("Failed") == [f'Failed to pull image "nginx:no-such-tag": {NOT_FOUND}', "Error: ErrImagePull"]
    it.run(2)
    assert it.container()["state"]["waiting"] == {"reason": "ErrImagePull", "message": NOT_FOUND}
    it.run(20)
    assert "waiting:ImagePullBackOff" in it.states()
    assert 'Back-off pulling image "nginx:no-such-tag"' in it.events("BackOff")


@pytest.mark.parametrize(
    ("image", "reason", "words"),
    [
        ("Nginx", "InvalidImageName", "invalid reference format"),
        ("no/such-image-anywhere:1", "ErrImagePull", "pull access denied, repository does not exist"),
        ("k8s.gcr.io/redis:none", "ErrImagePull", "k8s.gcr.io/redis:none: not found"),
        ("registry.example.com/x:1", "ErrImagePull", "lookup registry.example.com: no such host"),
        ("registry:5000/x:1", "ErrImagePull", 'Head "https://registry:5000/v2/x/manifests/1": dial tcp: lookup registry: no such host'),
        ("localhost:5000/x:1", "ErrImagePull", 'Head "http://localhost:5000/v2/x/manifests/1": dial tcp 127.0.0.1:5000: connect: connection refused'),
        ("localhost/x:1", "ErrImagePull", 'Head "https://localhost/v2/x/manifests/1": dial tcp 127.0.0.1:443: connect: connection refused'),
        ("192.168.1.10:5000/x:1", "ErrImagePull", "dial tcp 192.168.1.10:5000: i/o timeout"),
    ],
)
def test_other_refusals(image: str, reason: str, words: str) -> None:
    it = world()
    it.create(pod({"name": "c", "image": image}))
    it.run(3)
    assert it.state() == f"waiting:{reason}"
    assert words in it.container()["state"]["waiting"]["message"] + " ".join(it.events())


@pytest.mark.parametrize(
    ("source", "state", "first"),
    [
        ({"reference": "nginx:no-such-tag"}, "waiting:ErrImagePull", f'Failed to pull image "nginx:no-such-tag": {NOT_FOUND}'),
        (
            {"reference": "redis:7", "pullPolicy": "Never"},
            "waiting:ErrImageNeverPull",
            'Container image "redis:7" is not present with pull policy of Never',
        ),
        ({"reference": "busybox:1.36"}, "running#0", 'Container image "busybox:1.36" already present on machine and can be accessed by the pod'),
    ],
)
def test_an_image_that_is_a_volume_is_pulled_before_the_containers_that_mount_it(source: dict[str, str], state: str, first: str) -> None:
    it = world()
    it.create(pod({**sh("sleep 600"), "volumeMounts": [{"name": "v", "mountPath": "/v"}]}, volumes=[{"name": "v", "image": source}]))
    it.run(3)
    assert it.state() == state
    told = [text for text in it.events() if "image" in text and not text.startswith("Pulling")]
    assert told[0] == first and "Error: ErrImagePull" not in told
    it.run(12)
    assert ("waiting:ImagePullBackOff" in it.states()) == (state == "waiting:ErrImagePull")


def test_never_does_not_pull() -> None:
    it = world(images=[])
    it.create(pod({**sh("sleep 60"), "imagePullPolicy": "Never"}))
    it.run(3)
    assert it.state() == "waiting:ErrImageNeverPull"
    assert (
        it.container()["state"]["waiting"]["message"] == 'Container image "busybox:1.36" is not present with pull policy of Never'
    )


def test_a_broken_registry_fails_and_a_mended_one_serves() -> None:
    it = world(images=[])
    it.fault(node="node-1", registry="docker.io", broken=True)
    it.create(pod())
    it.run(3)
    assert it.state() == "waiting:ErrImagePull" and "connection refused" in it.container()["state"]["waiting"]["message"]
    it.fault(node="node-1", registry="docker.io")
    it.run(40)
    assert it.state() == "running#0"


def test_a_slow_registry_takes_its_time() -> None:
    it = world(images=[])
    it.fault(node="node-1", registry="*", slow=50)
    it.create(pod())
    it.run(4)
    assert it.state() == "waiting:ContainerCreating"
    facts = it.cluster.facts(it.pod()["metadata"]["uid"])["waits"]["c"]
    assert facts["what"] == "pull" and facts["until"] > it.cluster.now
    it.run(20)
    assert it.state() == "running#0"
