"""Volumes and claims: what is bound, made, refused, kept and removed."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.cause import UNSAID
from podlab.kubernetes.cluster import Cluster

from .support import admin, create, events, pod, status


def claim(name: str = "data", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}}


def volume(name: str, size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}, **spec}}


def test_the_default_class_makes_a_volume(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim())
    cluster.run_for(2)
    held = admin(cluster).get("persistentvolumeclaims", "data", "default")
    assert held["status"]["phase"] == "Bound" and held["status"]["capacity"] == {"storage": "1Gi"}
    made = admin(cluster).get("persistentvolumes", held["spec"]["volumeName"])
    assert made["status"]["phase"] == "Bound" and made["spec"]["claimRef"]["name"] == "data"
    name = f"pvc-{held['metadata']['uid']}"
    assert events(cluster, "ProvisioningSucceeded") == [f"Successfully provisioned volume {name} using kubernetes.io/host-path"]
    assert made["metadata"]["name"] == name and made["spec"]["hostPath"]["path"].split("/")[-2] == "hostpath_pv"
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pv-controller", "kubernetes.io/pv-protection"]
    assert made["metadata"]["annotations"] == {"kubernetes.io/createdby": "hostpath-dynamic-provisioner",
                                               "pv.kubernetes.io/bound-by-controller": "yes",
                                               "pv.kubernetes.io/provisioned-by": "kubernetes.io/host-path"}
    assert held["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] == "kubernetes.io/host-path"
    revision = cluster.etcd.revision
    cluster.controller("persistentvolume-controller").reconcile("default/data")
    assert cluster.etcd.revision == revision


def test_the_smallest_volume_that_fits_is_taken(cluster: Cluster) -> None:
    for name, size in (("big", "9Gi"), ("fits", "2Gi"), ("small", "500Mi")):
        create(cluster, "persistentvolumes", volume(name, size), "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName=""))
    cluster.run_for(2)
    assert admin(cluster).get("persistentvolumeclaims", "data", "default")["spec"]["volumeName"] == "fits"
    assert admin(cluster).get("persistentvolumes", "big")["status"]["phase"] == "Available"


@pytest.mark.parametrize(("asked", "reason", "words"), [
    ({"resources": {"requests": {"storage": "9Gi"}}}, "VolumeMismatch", "requested PV is too small"),
    ({"storageClassName": "other"}, "VolumeMismatch", "storageClassName does not match"),
    ({"volumeMode": "Block"}, "VolumeMismatch", "incompatible volumeMode"),
    ({"accessModes": ["ReadWriteMany"]}, "VolumeMismatch", "incompatible accessMode"),
    ({}, "FailedBinding", 'volume "mine" already bound to a different claim.'),
])
def test_a_claim_that_asks_for_a_volume_by_name_is_told_why_it_is_not_for_it(
        cluster: Cluster, asked: dict[str, Any], reason: str, words: str) -> None:
    create(cluster, "persistentvolumes", volume("mine"), "")
    if not asked:
        create(cluster, "persistentvolumeclaims", {**claim(storageClassName="", volumeName="mine"), "metadata": {"name": "first"}})
        cluster.run_for(1)
    create(cluster, "persistentvolumeclaims", claim(**{"storageClassName": "", "volumeName": "mine", **asked}))
    cluster.run_for(20)
    told = [event for event in cluster.etcd.list("events", "default") if event["reason"] == reason]
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Pending"
    assert [(event["message"], event["count"]) for event in told] == [
        (words if reason == "FailedBinding" else f'Cannot bind to requested volume "mine": {words}', 2)]


def test_a_volume_that_somebody_made_is_deleted_where_its_plugin_can_and_fails_where_it_cannot(cluster: Cluster) -> None:
    def source(path: str) -> dict[str, Any]:
        return {"hostPath": {"path": path}, "persistentVolumeReclaimPolicy": "Delete", "storageClassName": path[1:4]}

    for name, path in (("gone", "/data/tmp/a"), ("kept", "/mnt/a")):
        create(cluster, "persistentvolumes", volume(name, **source(path)), "")
        create(cluster, "persistentvolumeclaims", {**claim(storageClassName=path[1:4]), "metadata": {"name": name}})
    cluster.run_for(1)
    for name in ("gone", "kept"):
        admin(cluster).delete("persistentvolumeclaims", name, "default", cause=UNSAID)
    cluster.run_for(20)
    words = "host_path deleter only supports /tmp/.+ but received provided /mnt/a"
    assert admin(cluster).find("persistentvolumes", "gone") is None
    kept = admin(cluster).get("persistentvolumes", "kept")["status"]
    assert (kept["phase"], kept["message"]) == ("Failed", words)
    told = [event for event in cluster.etcd.list("events", "default") if event["reason"] == "VolumeFailedDelete"]
    assert [(event["message"], event["count"]) for event in told] == [(words, 1)]


def test_a_waiting_claim_is_looked_at_and_told_of_every_15_seconds(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim(storageClassName="nowhere"))
    create(cluster, "persistentvolumeclaims", {**claim(storageClassName=""), "metadata": {"name": "none"}})
    cluster.run_for(2)
    create(cluster, "persistentvolumes", volume("mine", "2Gi"), "")
    cluster.run_for(5)
    assert status(cluster, "persistentvolumeclaims", "none")["phase"] == "Pending"  # no watch tells the claim of a new volume
    cluster.run_for(10)
    assert status(cluster, "persistentvolumeclaims", "none")["phase"] == "Bound"  # PVClaimBinderSyncPeriod
    cluster.run_for(30)
    told = [event for event in cluster.etcd.list("events", "default") if event["reason"] == "ProvisioningFailed"]
    assert [(event["message"], event["count"]) for event in told] == [('storageclass.storage.k8s.io "nowhere" not found', 4)]


@pytest.mark.parametrize(("provisioner", "asked", "words"), [
    ("kubernetes.io/host-path", {"volumeMode": "Block"},
     'Failed to provision volume with StorageClass "some": kubernetes.io/host-path does not support block volume provisioning'),
    ("kubernetes.io/host-path", {"dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}},
     'plugin "kubernetes.io/host-path" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource'),
    ("kubernetes.io/host-path", {}, 'Mount options are not supported by the provisioner but StorageClass "some" has mount options [ro noatime]'),
    ("kubernetes.io/no-provisioner", {}, "no volume plugin matched name: kubernetes.io/no-provisioner"),
    ("kubernetes.io/local-volume", {}, "no provisionable volume plugin matched"),
])
def test_a_volume_that_no_plugin_makes_is_told_of(cluster: Cluster, provisioner: str, asked: dict[str, Any], words: str) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "some"},
                                       "provisioner": provisioner, **({} if asked else {"mountOptions": ["ro", "noatime"]})}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="some", **asked))
    cluster.run_for(100)
    told = [(event["message"], event["count"]) for event in cluster.etcd.list("events", "default") if event["reason"] == "ProvisioningFailed"]
    assert told == [(words, 7 if words.startswith("no ") else 6)]  # the operation's waits grow past the resync of 15 s
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Pending" and not admin(cluster).list("persistentvolumes")


def test_the_plugin_of_a_cloud_is_a_csi_driver_outside(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gce"},
                                       "provisioner": "kubernetes.io/gce-pd"}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="gce"))
    cluster.run_for(1)
    assert "external provisioner 'pd.csi.storage.gke.io' or manually" in events(cluster, "ExternalProvisioning")[0]


@pytest.mark.parametrize(("source", "said", "resizer"), [
    ({"hostPath": {"path": "/data"}}, ("Warning", "waiting for an external controller to expand this PVC"), None),
    ({"csi": {"driver": "d.example.com", "volumeHandle": "v"}}, ("Warning", "waiting for an external controller to expand this PVC"), None),
    ({"fc": {"targetWWNs": ["500a0982991b8dc5"], "lun": 2}}, ("Normal", "waiting for an external controller to expand this PVC"), None),
    ({"gcePersistentDisk": {"pdName": "d"}}, ("Normal", "CSI migration enabled for kubernetes.io/gce-pd; waiting for external resizer to expand "
                                                        "the pvc"), "pd.csi.storage.gke.io"),
])
def test_a_claim_that_grows_waits_for_somebody_outside_as_no_plugin_makes_volumes_larger(
        cluster: Cluster, source: dict[str, Any], said: tuple[str, str], resizer: str | None) -> None:
    """ExternalExpanding, once for each time that more is asked (expand_controller.go)."""
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "may-grow"},
                                       "provisioner": "kubernetes.io/no-provisioner", "allowVolumeExpansion": True}, "")
    made = volume("v", storageClassName="may-grow")
    made["spec"] = {**{key: value for key, value in made["spec"].items() if key != "hostPath"}, **source}
    create(cluster, "persistentvolumes", made, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="may-grow"))
    cluster.run_for(2)

    def told() -> list[tuple[str, str, int, str]]:
        return [(e["type"], e["message"], e["count"], e["source"]["component"]) for e in cluster.etcd.list("events", "default")
                if e["reason"] == "ExternalExpanding"]

    admin(cluster).patch("persistentvolumeclaims", "data", {"metadata": {"labels": {"a": "b"}}}, "default")
    cluster.run_for(1)
    assert told() == []
    for count, size in enumerate(("2Gi", "3Gi"), 1):
        admin(cluster).patch("persistentvolumeclaims", "data", {"spec": {"resources": {"requests": {"storage": size}}}}, "default")
        cluster.run_for(60)
        assert told() == [(*said, count, "volume_expand")]
    held = admin(cluster).get("persistentvolumeclaims", "data", "default")
    assert held["status"]["capacity"] == {"storage": "1Gi"} and "conditions" not in held["status"]
    assert held["metadata"]["annotations"].get("volume.kubernetes.io/storage-resizer") == resizer


def test_volumes_of_a_cluster_that_knows_the_plugin_by_its_earlier_name_come_and_go(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "old"},
                                       "provisioner": "podlab.io/host-path"}, "")
    made = volume("made", storageClassName="old", hostPath={"path": "/var/lib/x"}, persistentVolumeReclaimPolicy="Delete")
    made["metadata"]["annotations"] = {"pv.kubernetes.io/provisioned-by": "podlab.io/host-path"}
    create(cluster, "persistentvolumes", made, "")
    cluster.run_for(1)
    for name in ("first", "second"):
        create(cluster, "persistentvolumeclaims", {**claim(storageClassName="old"), "metadata": {"name": name}})
        cluster.run_for(1)
        assert status(cluster, "persistentvolumeclaims", name)["phase"] == "Bound"
    assert admin(cluster).get("persistentvolumeclaims", "first", "default")["spec"]["volumeName"] == "made"
    for name in ("first", "second"):
        admin(cluster).delete("persistentvolumeclaims", name, "default", cause=UNSAID)
    cluster.run_for(1)
    assert not admin(cluster).list("persistentvolumes")


def test_a_volume_keeps_the_plugin_s_finalizer_as_long_as_it_is_to_be_deleted(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim())
    cluster.run_for(1)
    name = admin(cluster).get("persistentvolumeclaims", "data", "default")["spec"]["volumeName"]
    for policy, held in (("Retain", ["kubernetes.io/pv-protection"]), ("Delete", ["kubernetes.io/pv-protection", "kubernetes.io/pv-controller"])):
        admin(cluster).patch("persistentvolumes", name, {"spec": {"persistentVolumeReclaimPolicy": policy}}, "", cause=UNSAID)
        cluster.run_for(1)
        assert admin(cluster).get("persistentvolumes", name)["metadata"]["finalizers"] == held


def test_a_claim_that_is_older_than_the_default_class_gets_it(cluster: Cluster) -> None:
    mark = "storageclass.kubernetes.io/is-default-class"
    admin(cluster).patch("storageclasses", "standard", {"metadata": {"annotations": {mark: "false"}}}, "", cause=UNSAID)
    create(cluster, "persistentvolumeclaims", claim())
    cluster.run_for(2)
    assert events(cluster, "FailedBinding")
    admin(cluster).patch("storageclasses", "standard", {"metadata": {"annotations": {mark: "true"}}}, "", cause=UNSAID)
    cluster.run_for(15)
    assert admin(cluster).get("persistentvolumeclaims", "data", "default")["spec"]["storageClassName"] == "standard"
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Bound"


def test_a_node_whose_volume_cannot_be_made_is_given_back_to_the_scheduler(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                                       "provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="late", volumeMode="Block"))
    selected = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-2"}}}
    admin(cluster).patch("persistentvolumeclaims", "data", selected, "default")
    cluster.run_for(1)
    assert "volume.kubernetes.io/selected-node" not in admin(cluster).get("persistentvolumeclaims", "data", "default")["metadata"]["annotations"]
    assert len(events(cluster, "ProvisioningFailed")) == 1 and events(cluster, "WaitForFirstConsumer")


def test_waiting_for_the_first_consumer_is_said(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                                       "provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="late"))
    cluster.run_for(2)
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Pending"
    assert events(cluster, "WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
    selected = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-2"}}}
    admin(cluster).patch("persistentvolumeclaims", "data", selected, "default")
    cluster.run_for(2)
    held = admin(cluster).get("persistentvolumeclaims", "data", "default")
    made = admin(cluster).get("persistentvolumes", held["spec"]["volumeName"])
    assert held["status"]["phase"] == "Bound" and "nodeAffinity" not in made["spec"]  # the plugin minds no node


def test_a_claim_in_use_stays_until_its_pod_has_gone_and_its_volume_goes_with_it(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim())
    create(cluster, "pods", pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    cluster.run_for(3)
    admin(cluster).delete("persistentvolumeclaims", "data", "default")
    cluster.run_for(2)
    assert admin(cluster).find("persistentvolumeclaims", "data", "default") is not None
    ended = admin(cluster).get("pods", "p", "default")
    cluster.server.store("pods", {**ended, "status": {**ended["status"], "phase": "Succeeded"}}, UNSAID)
    cluster.run_for(1)
    assert admin(cluster).find("persistentvolumeclaims", "data", "default") is not None  # a Pod that has ended holds it too
    admin(cluster).delete("pods", "p", "default")
    cluster.run_for(40)
    assert admin(cluster).find("persistentvolumeclaims", "data", "default") is None
    assert not admin(cluster).list("persistentvolumes")


def test_a_retained_volume_is_released_not_removed(cluster: Cluster) -> None:
    create(cluster, "persistentvolumes", volume("kept", persistentVolumeReclaimPolicy="Retain"), "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName=""))
    cluster.run_for(2)
    admin(cluster).delete("persistentvolumeclaims", "data", "default")
    cluster.run_for(2)
    now = admin(cluster).get("persistentvolumes", "kept")
    assert now["status"]["phase"] == "Released" and now["status"]["lastPhaseTransitionTime"] > now["metadata"]["creationTimestamp"]
