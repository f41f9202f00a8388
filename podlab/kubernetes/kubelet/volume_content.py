"""What lies in a Pod's volumes: the files of ConfigMaps, Secrets, fields, tokens and images, and where containers mount them.

Sources: pkg/volume/{configmap,secret,downwardapi,projected}, pkg/kubelet/kubelet_pods.go (makeMounts).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..apiserver import account_tokens
from ..apiserver.errors import ApiError
from ..objects import EMPTY, Map, memo
from ..runtime.image import Entry, Tree
from ..times import parse_rfc3339
from . import env
from .podspec import Part, apps, parts
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent

INODE = 64  # bytes that a file takes beside its text
FILES_MAX = 500_000  # of all sources of a projected volume
NAMED = re.compile(r"\$\(([^)]*)\)")


class MountError(Exception):
    """A volume that cannot be set up: the text after `MountVolume.SetUp failed for volume "v" : `; v, where not the Pod's own name for it."""

    stage = "MountVolume.SetUp"
    lasts = 0  # ms, from an attempt's beginning until it is known to have failed

    def __init__(self, text: str, volume: str = "") -> None:
        super().__init__(text)
        self.volume = volume


class MounterError(MountError):
    """A volume whose plugin will not even make a mounter."""

    stage = "MountVolume.NewMounter initialization"


class DeviceError(MountError):
    """A volume whose driver would first mount it for the whole node."""

    stage = "MountVolume.MountDevice"


class ClaimError(MountError):
    """A claim with nothing behind it (getPVCExtractPV, desired_state_of_world_populator.go)."""


class AttachError(MountError):
    """A volume that the attach-detach controller has not brought to this node: the kubelet waits for it without a word, and the controller
    tells of it when its own time is over."""

    stage = "AttachVolume.Attach"
    lasts = 120_000  # csiTimeout (pkg/volume/csi): so long it waits for a driver's attacher


class UnansweredError(MountError):
    """A server of files that answers nothing: mount.nfs tries again for two minutes (nfs(5), retry), and its last try lasts one more."""

    lasts = 180_000


def of_tree(tree: Tree, at: str = "") -> dict[str, Any]:
    """The files of an image's tree, as a volume's content."""
    found: dict[str, Any] = {}
    for name, item in tree.items():
        path = f"{at}{name}"
        if isinstance(item, str):
            found[path] = {"content": item, "mode": 0o644}
        elif isinstance(item, Entry):
            if item.children is not None:
                found.update(of_tree(item.children, f"{path}/"))
            elif not item.link:
                found[path] = {"content": item.content, "mode": item.mode or (0o755 if item.program else 0o644)}
        else:
            found.update(of_tree(item, f"{path}/"))
    return found


def _account_token(kubelet: Agent, pod: Map, wanted: Map) -> list[Any] | str:
    """The token that the kubelet asks for on a Pod's behalf, bound to it, to be written when somebody looks (`Machine.promised`); "" while
    there is no such account."""
    metadata = pod["metadata"]
    spec = {"expirationSeconds": wanted.get("expirationSeconds"), "audiences": [wanted["audience"]] if wanted.get("audience") else None,
            "boundObjectRef": {"kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}}
    try:
        account, began = pod["spec"].get("serviceAccountName") or "default", parse_rfc3339(metadata["creationTimestamp"])
        return account_tokens.granted(kubelet.cluster, metadata["namespace"], account, spec, began)
    except ApiError:
        return ""


def content_kind(volume: Map) -> str:
    """configMap, secret, downwardAPI or projected; '' for a volume without such content."""
    return next((kind for kind in ("configMap", "secret", "downwardAPI", "projected") if volume.get(kind) is not None), "")


def weight(content: Mapping[str, Any]) -> int:
    """About how many bytes a volume's files take on a node."""
    return memo(content, "weight", _weight) if isinstance(content, Map) else _weight(content)


def _weight(content: Mapping[str, Any]) -> int:
    return sum(INODE + len(path) + len(item["content"]) for path, item in content.items())


def files(kubelet: Agent, worker: Worker, pod: Map, volume: Map) -> Mapping[str, Any]:
    """{path: {"content" (a list: see Host.promised), "mode"}} of a configMap-like volume. Raises MountError."""
    kind = content_kind(volume)
    source = volume[kind]
    mode = source.get("defaultMode", 0o644)
    if kind != "projected":
        return _from(kubelet, worker, pod, kind, source, source.get("secretName" if kind == "secret" else "name"), mode)
    found: dict[str, Any] = {}
    wrong: list[str] = []  # collectData (projected.go) looks at every source before it tells of all that fail
    taken = 0
    for entry in source.get("sources") or ():
        if token := entry.get("serviceAccountToken"):
            found[token["path"]] = {"content": _account_token(kubelet, pod, token), **_token_owner(pod, mode)}
        for member in ("configMap", "secret", "downwardAPI"):
            if entry.get(member) is None:
                continue
            try:
                part = _from(kubelet, worker, pod, member, entry[member], entry[member].get("name"), mode)
                taken += len(part)
                if taken > FILES_MAX:
                    raise MountError("no space left on device")
                found.update(part)
            except MountError as error:
                wrong += [text for text in (str(error),) if text not in wrong]  # an aggregate tells nothing twice
    if wrong:
        raise MountError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")
    return found


def _token_owner(pod: Map, mode: int) -> dict[str, int]:
    """Mode and owner of a token's file: its user's alone, where all containers run as one or the Pod has an fsGroup (projected.go)."""
    user = _user_of_all(pod)
    if user is None and (pod["spec"].get("securityContext") or EMPTY).get("fsGroup") is None:
        return {"mode": mode}
    return {"mode": 0o600, **({"uid": user} if user is not None else {})}


def _user_of_all(pod: Map) -> int | None:
    """FsUserFrom, pkg/volume/util/util.go: the runAsUser that every container has; None where they differ or one has none."""
    whole = (pod["spec"].get("securityContext") or EMPTY).get("runAsUser")
    users = {(one.spec.get("securityContext") or EMPTY).get("runAsUser", whole) for one in parts(pod)}
    return users.pop() if len(users) == 1 else None


def _from(kubelet: Agent, worker: Worker, pod: Map, kind: str, source: Map, name: str | None, mode: int) -> Mapping[str, Any]:
    if kind == "downwardAPI":
        return {
            item["path"]: {"content": _downward(kubelet, worker, pod, item), "mode": item.get("mode", mode)}
            for item in source.get("items") or ()
        }
    plural, word = ("configmaps", "configmap") if kind == "configMap" else ("secrets", "secret")
    data = env.config_source(kubelet, plural, name or "", worker["namespace"])
    if data is None:
        if source.get("optional"):
            return {}
        raise MountError(f'{word} "{name}" not found')
    if not source.get("items"):
        return memo(data, f"files {mode}", lambda data: Map({key: {"content": text, "mode": mode} for key, text in data.items()}))
    found = {}
    for item in source["items"]:
        if item["key"] not in data:
            if source.get("optional"):
                continue
            raise MountError(
                f"{word} references non-existent config key: {item['key']}"
                if kind == "configMap"
                else f"references non-existent secret key: {item['key']}"
            )
        found[item["path"]] = {"content": data[item["key"]], "mode": item.get("mode", mode)}
    return found


def _downward(kubelet: Agent, worker: Worker, pod: Map, item: Map) -> str:
    if field := item.get("fieldRef"):
        return env.field_value(kubelet, pod, field["fieldPath"], (worker["sandbox"] or EMPTY).get("ip", ""))
    try:
        return env.resource_value(kubelet, pod, apps(pod)[0], item["resourceFieldRef"])
    except env.ConfigError as error:
        raise MountError(str(error)) from None


def _sub_path(mount: Map, variables: dict[str, str]) -> str:
    """What is mounted of a volume. Raises ConfigError (ExpandContainerVolumeMounts and makeMounts, pkg/kubelet)."""
    written = mount.get("subPathExpr") or ""
    if not written:
        return str(mount.get("subPath") or "")
    missing = sorted({name for name in NAMED.findall(written.replace("$$", "")) if not variables.get(name)})
    if missing:
        raise env.ConfigError(f"missing value for {', '.join(missing)}")
    path = env.expand(written, variables)
    if path.startswith("/"):
        raise env.ConfigError(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise env.ConfigError(f"unable to provision SubPath `{path}`: must not contain '..'")
    return path


def mounts(one: Part, variables: dict[str, str]) -> list[dict[str, Any]]:
    """A container's mounts in the runtime's form. Raises ConfigError."""
    return [
        {
            "path": mount["mountPath"],
            "volume": mount["name"],
            "read_only": bool(mount.get("readOnly")),
            "sub_path": _sub_path(mount, variables),
        }
        for mount in one.spec.get("volumeMounts") or ()
    ]
