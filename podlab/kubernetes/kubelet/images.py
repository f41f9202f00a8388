"""Images on a node: policies, one pull at a time, errors and back-off in the kubelet's words.

Sources: pkg/kubelet/images/image_manager.go (EnsureImageExists, pullImage), pkg/kubelet/images/puller.go (serialImagePuller),
containerd's resolver for the texts of what a registry refuses.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from ..objects import Map
from ..runtime import image as catalogue
from ..runtime.dns import is_address
from ..times import go_duration
from . import backoff, node_status, steps
from .podspec import Part, part
from .state import WAIT, Worker, fail

if TYPE_CHECKING:
    from .agent import Agent

RESOLVE_MS = 60  # asking the registry what a name stands for; recorded
REGISTRIES = ("docker.io", "quay.io", "ghcr.io", "gcr.io", "registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "public.ecr.aws", "nvcr.io",
              "docker.elastic.co", "registry.access.redhat.com", "registry.redhat.io", "registry.gitlab.com", "lscr.io", "cgr.dev", "icr.io",
              "cr.fluentbit.io", "docker.l5d.io", "registry.cn-hangzhou.aliyuncs.com", "registry.aliyuncs.com")  # fmt: skip
"""Hosts of the world that are known; every other name is no host at all."""
MIN_AGE_MS = 120_000  # ImageMinimumGCAge
BYTES_PER_MS = 20_000  # 20 MB/s over the network and onto the disk
PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(rf"(?:[A-Za-z0-9.-]+(?::\d+)?/)?{PART}(?:/{PART})*(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?")


@lru_cache(maxsize=1024)
def names(reference: str) -> tuple[str, str]:
    """(image, imageID) as a container status shows them."""
    name, tag, digest = catalogue.canonical(reference)
    if not digest:
        digest = "sha256:" + sha256(f"{name}:{tag}".encode()).hexdigest()
    return (f"{name}:{tag}" if tag else f"{name}@{digest}"), f"{name}@{digest}"


def user_of(reference: str) -> str:
    """The user an image runs as, by name or number; "" is root."""
    found = catalogue.find(reference)
    return found.user.partition(":")[0] if found else ""


def preload(kubelet: Agent, references: list[str]) -> None:
    for reference in references:
        _have(kubelet, reference)


def _have(kubelet: Agent, reference: str) -> None:
    found = catalogue.find(reference)
    kubelet.state["images"][names(reference)[0]] = {
        "size": found.size if found else 0,
        "at": kubelet.now,
        "id": names(reference)[1],
    }


def delete_unused(kubelet: Agent) -> None:
    """DeleteUnusedImages (image_gc_manager.go): every image that no container is made of, dead ones too, and that has lain here for two minutes."""
    held = kubelet.state["images"]
    used = {run["image"] for worker in kubelet.state["pods"].values() for runs in worker["runs"].values() for run in runs if run["id"]}
    unused = [name for name, image in held.items() if name not in used and kubelet.now - image["at"] >= MIN_AGE_MS]
    for name in unused:
        del held[name]
    if unused:
        node_status.changed(kubelet)


def tell_missing_secrets(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """getPullSecretsForPod, pkg/kubelet/kubelet_pods.go: every SyncPod tells which of the Pod's imagePullSecrets are not there."""
    wanted = pod["spec"].get("imagePullSecrets")
    if not wanted:
        return
    found = kubelet.cluster.etcd
    missing = [name for one in wanted if (name := one.get("name")) and found.get("secrets", f"{worker['namespace']}/{name}") is None]
    if missing:
        kubelet.record(
            worker,
            "Warning",
            "FailedToRetrieveImagePullSecret",
            f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to pull the image may not succeed.",
        )


class Wanted(NamedTuple):
    """An image that a sync needs: `one` is the container that is made of it, None where it is a volume's. `path`: what events point at."""

    name: str
    image: str
    policy: str
    one: Part | None
    path: str | None


def _wanted(pod: Map, step: str, name: str) -> Wanted:
    if step == "pull":
        one = part(pod, name)
        return Wanted(name, one.spec["image"], one.spec.get("imagePullPolicy") or "IfNotPresent", one, one.path)
    source = next(volume["image"] for volume in pod["spec"]["volumes"] if volume["name"] == name)
    return Wanted(name, source.get("reference") or "", source.get("pullPolicy") or "IfNotPresent", None, None)


def step_pull(kubelet: Agent, worker: Worker, name: str) -> int | None:
    return _ensure(kubelet, worker, _wanted(kubelet.pod(worker), "pull", name))


def step_pull_volume(kubelet: Agent, worker: Worker, name: str) -> int | None:
    """getImageVolumes (kuberuntime_manager.go): what cannot be had fails the containers that mount it, not the Pod's other volumes."""
    return _ensure(kubelet, worker, _wanted(kubelet.pod(worker), "pull-volume", name))


def lacks_a_volume(worker: Worker, one: Part) -> bool:
    """toKubeContainerImageVolumes: whether a container mounts an image that could not be pulled, of which it says the last."""
    lacking = [worker["unpulled"][mount["name"]] for mount in one.spec.get("volumeMounts") or () if mount["name"] in worker["unpulled"]]
    if lacking:
        fail(worker, one, *lacking[-1])
    return bool(lacking)


def _ensure(kubelet: Agent, worker: Worker, wanted: Wanted) -> int | None:
    """EnsureImageExists: done when the image is there; otherwise the container fails, or the worker waits for the pull."""
    name, image, policy, one, path = wanted.name, wanted.image, wanted.policy, wanted.one, wanted.path
    if not REFERENCE.fullmatch(image):
        _invalid(kubelet, worker, wanted)
        return None
    present = names(image)[0] in kubelet.state["images"]
    if present and policy != "Always":
        kubelet.record(
            worker,
            "Normal",
            "Pulled",
            f'Container image "{image}" already present on machine and can be accessed by the pod',
            path,
        )
        return None
    if policy == "Never":
        message = f'Container image "{image}" is not present with pull policy of Never'
        kubelet.tell(worker, "kubelet-image-never", container=name, image=image)
        kubelet.record(worker, "Warning", "ErrImageNeverPull", message, path)
        _refused(kubelet, worker, wanted, "ErrImageNeverPull", message)
        return None
    entry = worker["pulling"].get(image)
    if entry is not None and (left := backoff.left(worker["pulling"], image, entry["at"], kubelet.now)):
        kubelet.tell(worker, "kubelet-backoff", container=name, seconds=entry["ms"] // 1000, image=image)
        kubelet.record(worker, "Normal", "BackOff", f'Back-off pulling image "{image}"', path)
        _refused(kubelet, worker, wanted, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {entry["error"]}')
        if one is not None:
            worker["waits"][name] = {"what": "backoff", "since": entry["at"], "until": kubelet.now + left}
        return None
    kubelet.tell(worker, "kubelet-image-pull", container=name, image=image)
    kubelet.record(worker, "Normal", "Pulling", f'Pulling image "{image}"', path)
    if one is not None:
        worker["waits"][name] = {"what": "pull", "since": kubelet.now, "until": None}
    kubelet.state["pulls"].append(
        {"uid": worker["uid"], "name": name, "image": image, "asked": kubelet.now, "began": None, "timer": None}
    )
    _next(kubelet)
    return WAIT


def _refused(kubelet: Agent, worker: Worker, wanted: Wanted, reason: str, message: str) -> None:
    if wanted.one is None:
        worker["unpulled"][wanted.name] = [reason, message]
        return
    kubelet.record(worker, "Warning", "Failed", f"Error: {reason}", wanted.path)
    fail(worker, wanted.one, reason, message)


def _invalid(kubelet: Agent, worker: Worker, wanted: Wanted) -> None:
    image = wanted.image
    remote = _remote_name(image)
    why = f": repository name ({remote}) must be lowercase" if remote != remote.lower() else ""
    message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format{why}'
    kubelet.record(worker, "Warning", "InspectFailed", message, wanted.path)
    _refused(kubelet, worker, wanted, "InvalidImageName", message)


def _remote_name(image: str) -> str:
    """The repository on its registry (splitDockerDomain and ParseNormalizedNamed, distribution/reference: normalize.go)."""
    domain, slash, rest = image.partition("/")
    named = bool(slash) and ("." in domain or ":" in domain or domain == "localhost" or domain != domain.lower())
    remote = rest if named else image
    if "/" not in remote and (not named or domain in ("docker.io", "index.docker.io")):
        remote = f"library/{remote}"
    return remote.partition(":")[0]


# ---- the puller


def _next(kubelet: Agent) -> None:
    """Let the first of the queue go ahead, if none is under way."""
    pulls = kubelet.state["pulls"]
    if not pulls or pulls[0]["began"] is not None:
        return
    pull = pulls[0]
    pull["began"] = kubelet.now
    due = kubelet.now + _duration(kubelet, pull["image"])
    pull["timer"] = kubelet.after(due - kubelet.now, ["pull", ""])
    worker = kubelet.state["pods"].get(pull["uid"])
    if worker is not None and steps.waits_for(worker, "pull"):
        worker["waits"][pull["name"]] = {"what": "pull", "since": pull["asked"], "until": due}


def _registry(kubelet: Agent, image: str) -> dict[str, Any]:
    """The fault of the registry an image comes from: {"slow": factor, "broken": error text}."""
    registries = kubelet.state["registries"]
    host = catalogue.canonical(image)[0].split("/")[0]
    found: dict[str, Any] = registries.get(host) or registries.get("*") or {}
    return found


def _duration(kubelet: Agent, image: str) -> int:
    """Ms of a pull: what is on the node already only has to be resolved."""
    fault = _registry(kubelet, image)
    found = catalogue.find(image)
    size = 0 if found is None or names(image)[0] in kubelet.state["images"] or fault.get("broken") else found.size
    return int((RESOLVE_MS + size // BYTES_PER_MS) * float(fault.get("slow") or 1))


def pull_timer(kubelet: Agent) -> None:
    """The pull under way is over."""
    pull = kubelet.state["pulls"].pop(0)
    worker = kubelet.state["pods"].get(pull["uid"])
    error = _error(kubelet, pull["image"])
    if error is None:
        _have(kubelet, pull["image"])
        node_status.changed(kubelet)
    if worker is not None and worker["steps"] and worker["steps"][0] in (["pull", pull["name"]], ["pull-volume", pull["name"]]):
        _pulled(kubelet, worker, pull, error)
    _next(kubelet)


def _pulled(kubelet: Agent, worker: Worker, pull: dict[str, Any], error: str | None) -> None:
    wanted = _wanted(kubelet.pod(worker), *worker["steps"][0])
    image = pull["image"]
    if wanted.one is not None:
        worker["waits"].pop(pull["name"], None)
    if error is None:
        size = kubelet.state["images"][names(image)[0]]["size"]
        took, waited = go_duration(kubelet.now - pull["began"]), go_duration(kubelet.now - pull["asked"])
        worker["pulling"].pop(image, None)
        kubelet.tell(worker, "kubelet-image-pulled", container=pull["name"], image=image)
        kubelet.record(
            worker,
            "Normal",
            "Pulled",
            f'Successfully pulled image "{image}" in {took} ({waited} including waiting). Image size: {size} bytes.',
            wanted.path,
        )
    else:
        kubelet.tell(worker, "kubelet-image-pull-failed", container=pull["name"], image=image, message=error)
        kubelet.record(worker, "Warning", "Failed", f'Failed to pull image "{image}": {error}', wanted.path)
        backoff.raise_(worker["pulling"], image, kubelet.now, kubelet.now)
        worker["pulling"][image]["error"] = error
        _refused(kubelet, worker, wanted, "ErrImagePull", error)
    steps.advance(kubelet, worker)


def _error(kubelet: Agent, image: str) -> str | None:
    """What containerd says when the registry refuses, or None."""
    name, tag, digest = catalogue.canonical(image)
    full = f"{name}:{tag}" if tag else f"{name}@{digest}"
    failed = f'failed to pull and unpack image "{full}": failed to resolve image: '
    host, _, path = name.partition("/")
    scheme = "http" if _loopback(host) and host.partition(":")[2] not in ("", "443") else "https"
    asked = f'{failed}failed to do request: Head "{scheme}://{host}/v2/{path}/manifests/{tag or digest}": '
    if broken := _registry(kubelet, image).get("broken"):
        text = broken if isinstance(broken, str) else "dial tcp: connect: connection refused"
        return f"{asked}{text}"
    if not catalogue.variants(name):
        if host not in REGISTRIES and not host.endswith((".gcr.io", ".pkg.dev")):
            return asked + _unreached(host)
        return (
            f"{failed}pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed"
        )
    if catalogue.find(image) is None:
        return f"rpc error: code = NotFound desc = {failed}{full}: not found"
    return None


def _loopback(host: str) -> bool:
    """The node itself, which containerd asks over http but at the port of https (docker.IsLocalhost in remotes/docker/config/hosts.go)."""
    return host.partition(":")[0] == "localhost" or host.startswith("127.")


def _unreached(host: str) -> str:
    """How a connection to a registry that is nowhere fails: nobody listens on the node itself, and an address that nobody has keeps silent."""
    name, _, port = host.partition(":")
    if _loopback(host):
        return f"dial tcp {'127.0.0.1' if name == 'localhost' else name}:{port or 443}: connect: connection refused"
    return f"dial tcp {name}:{port or 443}: i/o timeout" if is_address(name) else f"dial tcp: lookup {name}: no such host"


def cancel(kubelet: Agent, worker: Worker) -> None:
    """A Pod does not want its image any more."""
    pulls = kubelet.state["pulls"]
    for pull in [pull for pull in pulls if pull["uid"] == worker["uid"]]:
        kubelet.cancel(pull["timer"])
        pulls.remove(pull)
        worker["waits"].pop(pull["name"], None)
    _next(kubelet)
