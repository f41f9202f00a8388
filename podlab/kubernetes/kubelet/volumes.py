"""Volumes of a Pod: what has to be there before it starts, their content, and its refresh.

Sources: pkg/kubelet/volumemanager (WaitForAttachAndMount: polls each 300 ms for 2 min 3 s; the reconciler tries again after
500 ms, doubling to 2 min 2 s: pkg/util/goroutinemap/exponentialbackoff), pkg/volume/{configmap,secret,downwardapi,projected}.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import quantity
from ..etcd import Change
from ..objects import EMPTY, Map, dig, memo
from . import steps, volume_content
from .state import WAIT, Worker
from .volume_content import AttachError, ClaimError, DeviceError, MounterError, MountError, UnansweredError
from .volume_room import Room

if TYPE_CHECKING:
    from .agent import Agent

FIRST_MS = 200  # populator and reconciler, 100 ms each
POLL_MS = 300  # podAttachAndMountRetryInterval
TIMEOUT_MS = 123_000  # podAttachAndMountTimeout
RETRY_MS, RETRY_MAX_MS = 500, 122_000  # initialDurationBeforeRetry, maxDurationBeforeRetry
RESYNC_MS, JITTER = 60_000, 0.5  # SyncFrequency, workerResyncIntervalJitterFactor
API_ACCESS = "kube-api-access-"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"  # AnnDynamicallyProvisioned
MIGRATED = {
    "awsElasticBlockStore": "ebs.csi.aws.com", "azureDisk": "disk.csi.azure.com", "azureFile": "file.csi.azure.com",
    "cinder": "cinder.csi.openstack.org", "gcePersistentDisk": "pd.csi.storage.gke.io", "portworxVolume": "pxd.portworx.com",
    "vsphereVolume": "csi.vsphere.vmware.com",
}  # fmt: skip
"""Sources that CSI drivers serve in their plugins' place (S/csi-translation-lib/plugins); where no driver runs, nobody attaches them."""
HANDLES = {
    "awsElasticBlockStore": "volumeID", "azureDisk": "diskURI", "azureFile": "shareName", "cinder": "volumeID", "gcePersistentDisk": "pdName",
    "portworxVolume": "volumeID", "vsphereVolume": "volumePath",
}  # fmt: skip
"""The member of each that names the volume to its driver."""
ATTACHER = "attachdetach-controller"
HOST_PATH_TYPES = {
    "Directory": ("d", "directory"), "File": ("f", "file"), "Socket": ("s", "socket file"), "CharDevice": ("c", "character device"),
    "BlockDevice": ("b", "block device"),
}  # fmt: skip
"""The kind of inode that each wants, and its words (checkTypeInternal, pkg/volume/hostpath/host_path.go)."""
REMOTE = ("cephfs", "fc", "flexVolume", "flocker", "glusterfs", "iscsi", "nfs", "photonPersistentDisk", "quobyte", "rbd", "scaleIO", "storageos")


# ---- waiting for them


def step_mount(kubelet: Agent, worker: Worker) -> int | None:
    """WaitForAttachAndMount."""
    if worker["mounted"]:
        return None
    if not kubelet.pod(worker)["spec"].get("volumes"):
        worker["mounted"] = True
        return None
    if worker["mount"] is None:
        timer = kubelet.after(FIRST_MS, ["mount", worker["uid"]])
        worker["mount"] = {"timer": timer, "delay": RETRY_MS, "since": kubelet.now}
    worker["mount"]["since"] = kubelet.now
    worker["steps"].insert(1, ["mounted"])
    steps.wait_ms(kubelet, worker, TIMEOUT_MS)
    return WAIT


def step_mounted(kubelet: Agent, worker: Worker) -> int | None:
    """The wait is over, well or badly. That its time was over is told to nobody: SyncPod is silent of what interrupts a wait."""
    if worker["mounted"]:
        return None
    if wrong := worker["mount"].get("wrong"):
        names = " ".join(wrong)
        kubelet.record(
            worker,
            "Warning",
            "FailedMount",
            f"Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[], "
            f"failed to process volumes=[{names}]: {'; '.join(wrong.values())}",
        )
        worker["mount"] = None
    worker["errors"].append(None)
    worker["steps"][1:] = [["end"]]
    return None


def mount_timer(kubelet: Agent, worker: Worker) -> None:
    """The reconciler tries to set up what is missing, and tries again later where it fails. What cannot even be said to be wanted ends the
    sync's wait (PopPodErrors, pkg/kubelet/volumemanager)."""
    mount = worker["mount"]
    pod = kubelet.pod(worker)
    mount["timer"] = None
    if worker["mode"] != "run":
        return
    bad, wrong = False, {}
    room = Room(kubelet)
    for volume in pod["spec"].get("volumes") or ():
        try:
            check(kubelet, worker, pod, volume, room)
        except MountError as error:
            bad = True
            kubelet.tell(worker, "kubelet-volume-missing", volume=volume["name"], message=str(error))
            if isinstance(error, ClaimError):
                wrong[volume["name"]] = f"error processing PVC {worker['namespace']}/{claim_name(worker, volume)}: {error}"
            else:
                _complain(kubelet, worker, volume["name"], error)
    if wrong and steps.waits_for(worker, "mount"):
        mount["wrong"] = wrong
    elif bad:
        told = mount.get("attached", 0) - kubelet.now  # not ahead where nothing waits to be attached any more
        mount["timer"] = kubelet.after(min(mount["delay"], told) if told > 0 else mount["delay"], ["mount", worker["uid"]])
        mount["delay"] = min(mount["delay"] * 2, RETRY_MAX_MS)
        return
    else:
        worker["mounted"] = True
    if steps.waits_for(worker, "mount"):
        steps.wait_ms(kubelet, worker, (mount["since"] - kubelet.now) % POLL_MS)


def _complain(kubelet: Agent, worker: Worker, name: str, error: MountError) -> None:
    text = f'{error.stage} failed for volume "{error.volume or name}" : {error}'
    if error.lasts:
        mount = worker["mount"]
        if mount is None or kubelet.now < mount.setdefault("attached", kubelet.now + error.lasts):
            return
        mount["attached"] = kubelet.now + error.lasts + RETRY_MS
    if isinstance(error, AttachError):
        kubelet.cluster.events.record(ATTACHER, kubelet.pod(worker), "Warning", "FailedAttachVolume", text, None, None)
    else:
        kubelet.record(worker, "Warning", "FailedMount", text)


def ready(kubelet: Agent, worker: Worker, pod: Map) -> bool:
    """Whether every volume can be set up now."""
    room = Room(kubelet)
    try:
        for volume in pod["spec"].get("volumes") or ():
            check(kubelet, worker, pod, volume, room)
    except MountError:
        return False
    return True


def check(kubelet: Agent, worker: Worker, pod: Map, volume: Map, room: Room) -> None:
    """Raises MountError where a volume's source is missing or not to be had."""
    if claim := claim_name(worker, volume):
        share_of(kubelet, worker, claim)
    elif source := volume.get("hostPath"):
        _check_host_path(kubelet, source)
    elif volume_content.content_kind(volume):
        room.files(worker, pod, volume)
    elif driver := (volume.get("csi") or EMPTY).get("driver"):
        _takes_inline(kubelet, driver)
        raise MountError(
            f"kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name {driver} not found in the list of "
            "registered CSI drivers"
        )
    elif volume.get("image") is not None:
        worker.setdefault("unpulled", {})  # images.step_pull_volume has the rest of it (pkg/volume/image/image.go sets nothing up)
    elif len(volume) > 1 and "emptyDir" not in volume:
        _reach(kubelet, worker, volume, "")


def _takes_inline(kubelet: Agent, driver: str) -> None:
    """supportsVolumeLifecycleMode (pkg/volume/csi/csi_plugin.go): a volume written in a Pod needs a driver that says so. Raises MounterError."""
    found = kubelet.client.find("csidrivers", driver)
    modes = (found["spec"].get("volumeLifecycleModes") or ("Persistent",)) if found else ()
    if "Ephemeral" not in modes:
        has = f"only supports [{' '.join(json.dumps(mode) for mode in modes)}]" if found else "no CSIDriver object"
        raise MounterError(f'volume mode "Ephemeral" not supported by driver {driver} ({has})')


def _reach(kubelet: Agent, worker: Worker, source: Map, name: str) -> None:
    """Raises MountError or one of its kinds for a volume (a Pod's own, or the spec of the PersistentVolume `name`) outside this cluster."""
    member = next((member for member in MIGRATED if member in source), "")
    if member or "csi" in source:
        driver = MIGRATED.get(member) or source["csi"]["driver"]
        found = kubelet.client.find("csidrivers", driver)
        if found is not None and found["spec"].get("attachRequired") is False:
            raise DeviceError(
                f"kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name {driver} not found in the list of "
                "registered CSI drivers", name
            )  # fmt: skip
        handle = str(source[member].get(HANDLES[member], "") if member else source["csi"].get("volumeHandle", ""))
        if member == "gcePersistentDisk":
            handle = f"projects/UNSPECIFIED/zones/UNSPECIFIED/disks/{handle}"
        named = name or f"{driver}-{handle.rpartition('/')[2]}"
        raise AttachError(f"timed out waiting for external-attacher of {driver} CSI driver to attach volume {handle}", named)
    if not name or any(member in source for member in REMOTE):
        raise _out_of_reach(worker, source, name)


def _out_of_reach(worker: Worker, volume: Map, name: str) -> MountError:
    """Why a volume that lies outside this cluster cannot be mounted, in the words of its plugin (pkg/volume/*)."""
    if "gitRepo" in volume:  # GitRepoVolumeDriver is off since 1.33
        return MountError("git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the feature-gate "
                          "`GitRepoVolumeDriver`", name)  # fmt: skip
    if source := volume.get("nfs"):
        server, where = source["server"], f"{source['server']}:{source['path']}"
        options = sorted({*volume.get("mountOptions", ()), *(("ro",) if source.get("readOnly") else ())})  # JoinMountOptions
        target = f"/var/lib/kubelet/pods/{worker['uid']}/volumes/kubernetes.io~nfs/{name or volume['name']}"
        named = any(letter.isalpha() for letter in server)
        why = f"Failed to resolve server {server}: Name or service not known" if named else f"Connection timed out for {where} on {target}"
        arguments = " ".join(["-t nfs", *(["-o", ",".join(options)] if options else ()), where, target])
        text = f"mount failed: exit status 32\nMounting command: mount\nMounting arguments: {arguments}\nOutput: mount.nfs: {why}\n"
        return (MountError if named else UnansweredError)(text, name)
    return MountError("no volume plugin matched", name)


def claim_name(worker: Worker, volume: Map) -> str:
    """The claim behind a volume: named, or made for this Pod alone (ephemeral); '' for other volumes."""
    if volume.get("ephemeral") is not None:
        return f"{worker['name']}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or EMPTY).get("claimName", ""))


def _check_host_path(kubelet: Agent, source: Map) -> None:
    kind = source.get("type") or ""
    fs = kubelet.machine.host_files({"etc/machine-id": f"{dig(kubelet.client.find('nodes', kubelet.node), 'status.nodeInfo.machineID', '')}\n"})
    if not kind:
        return
    at: Map | None = fs["inodes"]["1"]
    for name in [name for name in source["path"].split("/") if name]:
        number = (at or EMPTY).get("e", EMPTY).get(name)
        at = fs["inodes"][number] if number else None
    wanted = kind.removesuffix("OrCreate")
    letter, word = HOST_PATH_TYPES[wanted]
    if (at is None and wanted == kind) or (at is not None and at["t"] != letter):
        raise MountError(f"hostPath type check failed: {source['path']} is not a {word}")


def share_of(kubelet: Agent, worker: Worker, name_of_claim: str) -> tuple[str, Map]:
    """The file system of a claim's volume: its id ("": a path of this node), and the PersistentVolume. Brings it to this node. Raises MountError."""
    claim = kubelet.client.find("persistentvolumeclaims", name_of_claim, worker["namespace"])
    if claim is None:
        raise ClaimError(f'failed to fetch PVC from API server: persistentvolumeclaims "{name_of_claim}" not found')
    if claim["metadata"].get("deletionTimestamp") and not worker["mounted"]:
        raise ClaimError("PVC is being deleted")
    name = claim["spec"].get("volumeName")
    volume = kubelet.client.find("persistentvolumes", name) if name else None
    if volume is None or (claim.get("status") or EMPTY).get("phase") != "Bound":
        raise ClaimError("PVC is not bound")
    _reach(kubelet, worker, volume["spec"], str(name))
    if source := _own_path(volume):
        _check_host_path(kubelet, source)
        return "", volume
    share = f"pv/{name}"
    if share not in kubelet.machine.state["filesystems"]:
        _fetch(kubelet, share, str(name))
    return share, volume


def _own_path(volume: Map) -> Map | None:
    """The hostPath of a PersistentVolume that a person made: a path of whatever node its Pod is on. One that the provisioner made goes along."""
    if PROVISIONED_BY in (volume["metadata"].get("annotations") or EMPTY):
        return None
    source: Map | None = volume["spec"].get("hostPath")
    return source


def _fetch(kubelet: Agent, share: str, name: str) -> None:
    """Move a volume here from the node that used it last; it stays where a container still has it mounted."""
    for other in kubelet.cluster.kubelets():
        machine = other.machine
        if other is kubelet or share not in machine.state["filesystems"]:
            continue
        held = [
            sandbox
            for sandbox in machine.state["sandboxes"].values()
            if sandbox["state"] == "ready" and any(volume["fs"] == share for volume in sandbox["volumes"].values())
        ]
        if held:
            raise MountError(
                f'Multi-Attach error for volume "{name}" Volume is already exclusively attached to one node and can\'t be '
                "attached to another"
            )
        kubelet.machine.attach_filesystem(share, machine.detach(share))


def create(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """Make a sandbox's volumes in the runtime. One whose source went away this very moment is tried again by the next sync."""
    group = (pod["spec"].get("securityContext") or EMPTY).get("fsGroup") or 0
    made = kubelet.machine.state["sandboxes"][worker["uid"]]["volumes"]
    room = Room(kubelet)
    for volume in pod["spec"].get("volumes") or ():
        if volume["name"] in made:
            continue
        worker["config"].pop(volume["name"], None)
        try:
            _create(kubelet, worker, pod, volume, group, room)
        except MountError as error:
            _complain(kubelet, worker, volume["name"], error)


def _create(kubelet: Agent, worker: Worker, pod: Map, volume: Map, group: int, room: Room) -> None:
    name, kind, uid = volume["name"], volume_content.content_kind(volume), worker["uid"]
    if kind:
        content = room.files(worker, pod, volume)
        kubelet.machine.create_volume(uid, name, kind, files=content, gid=group)
        if not name.startswith(API_ACCESS):
            worker["config"][name] = content
    elif claim := claim_name(worker, volume):
        share, held = share_of(kubelet, worker, claim)
        read_only = bool((volume.get("persistentVolumeClaim") or EMPTY).get("readOnly"))
        if source := _own_path(held):
            medium = "File" if source.get("type") == "FileOrCreate" else ""
            kubelet.machine.create_volume(uid, name, "hostPath", path=source["path"], medium=medium, read_only=read_only)
            return
        size = quantity.value((held["spec"].get("capacity") or EMPTY).get("storage"))
        kubelet.machine.create_volume(uid, name, "persistentVolumeClaim", share=share, size_limit=size, gid=group, read_only=read_only)
    elif source := volume.get("hostPath"):
        medium = "File" if source.get("type") == "FileOrCreate" else ""
        kubelet.machine.create_volume(uid, name, "hostPath", path=source["path"], medium=medium)
    elif source := volume.get("image"):
        found = kubelet.machine.find_image(source["reference"])
        kubelet.machine.create_volume(uid, name, "image", files=volume_content.of_tree(found.tree) if found else {}, read_only=True)
    else:
        empty = volume.get("emptyDir") or EMPTY
        size = quantity.value(empty.get("sizeLimit"))
        kubelet.machine.create_volume(uid, name, "emptyDir", medium=empty.get("medium", ""), gid=group, size_limit=size)


# ---- refresh


def sources(spec: Map) -> tuple[tuple[str, str], ...]:
    """(plural, name) of the ConfigMaps and Secrets that a Pod mounts, without its API access."""
    return memo(spec, "kubelet-volume-sources", _sources)


def _sources(spec: Map) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for volume in spec.get("volumes") or ():
        if volume["name"].startswith(API_ACCESS):
            continue
        for entry in (volume, *((volume.get("projected") or EMPTY).get("sources") or ())):
            if config := entry.get("configMap"):
                found.append(("configmaps", config.get("name", "")))
            if secret := entry.get("secret"):
                found.append(("secrets", secret.get("secretName") or secret.get("name", "")))
    return tuple(found)


def source_changed(kubelet: Agent, change: Change) -> None:
    """A ConfigMap or Secret changed: the files follow at the Pod's next resync, 60 to 90 s after its last."""
    wanted = (change.plural, change.object["metadata"]["name"])
    for worker in kubelet.state["pods"].values():
        if worker["namespace"] != change.object["metadata"]["namespace"] or worker["refresh"] is not None or not worker["config"]:
            continue
        if wanted in sources(kubelet.pod(worker)["spec"]):
            period = RESYNC_MS + int(
                RESYNC_MS * JITTER * kubelet.cluster.random.fraction("kubelet-resync", worker["uid"], worker["syncs"])
            )
            at = kubelet.now + period - (kubelet.now - worker["synced"]) % period
            timer = kubelet.cluster.clock.set(kubelet.next_tick(at), kubelet.name, ["refresh", worker["uid"]], change.cause)
            worker["refresh"] = timer


def refresh(kubelet: Agent, worker: Worker) -> None:
    """The resync has come: bring changed files up to date."""
    worker["refresh"] = None
    worker["synced"] = kubelet.now
    update(kubelet, worker, kubelet.pod(worker))


def refresh_if_due(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """Any sync of a Pod brings its files up to date."""
    if not worker["sandbox"] or not worker["sandbox"]["ready"]:
        return
    create(kubelet, worker, pod)
    if worker["config"]:
        kubelet.cancel(worker["refresh"])
        worker["refresh"] = None
        update(kubelet, worker, pod)


def update(kubelet: Agent, worker: Worker, pod: Map) -> None:
    if not worker["sandbox"] or not worker["sandbox"]["ready"]:
        return
    room = Room(kubelet)
    for volume in pod["spec"].get("volumes") or ():
        name = volume["name"]
        if name not in worker["config"]:
            continue
        try:
            content = room.files(worker, pod, volume)
        except MountError as error:  # the old files stay
            _complain(kubelet, worker, name, error)
            continue
        if content != worker["config"][name]:
            worker["config"][name] = content
            kubelet.tell(worker, "kubelet-volume-refreshed", volume=name)
            kubelet.machine.update_volume(worker["uid"], name, content)


def forget(kubelet: Agent, worker: Worker) -> None:
    if worker["mount"] is not None:
        kubelet.cancel(worker["mount"]["timer"])
