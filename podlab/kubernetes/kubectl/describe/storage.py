"""PersistentVolumes, claims and StorageClasses."""

from __future__ import annotations

from collections.abc import Sequence

from ...apiserver.tables.texts import Obj, access_modes, format_labels, is_default_class, print_bool, rfc1123z, storage_class
from ...objects import Map
from .events import Reader, describe_events, events_of
from .volumes import PERSISTENT, claim_fields, describe_source, go_list, terminating
from .writer import Page


def describe_persistentvolume(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    page.field("Name", metadata["name"])
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.field("Finalizers", go_list(metadata.get("finalizers")))
    page.field("StorageClass", storage_class(obj))
    page.field("Status", terminating(page, obj) or status.get("phase", ""))
    page.field("Claim", f"{claim['namespace']}/{claim['name']}" if claim else "")
    page.field("Reclaim Policy", spec.get("persistentVolumeReclaimPolicy", ""))
    page.field("Access Modes", access_modes(spec.get("accessModes")))
    if spec.get("volumeMode"):
        page.field("VolumeMode", spec["volumeMode"])
    page.field("Capacity", (spec.get("capacity") or {}).get("storage", "0"))
    _node_affinity(page, spec.get("nodeAffinity"))
    page.field("Message", status.get("message", ""))
    page.line(0, "Source:")
    describe_source(page, spec, PERSISTENT)
    if show_events:
        describe_events(page, events_of(client, obj, "PersistentVolume"))


def _node_affinity(page: Page, affinity: Obj | None) -> None:
    required = (affinity or {}).get("required")
    page.field("Node Affinity", "" if required else "<none>")
    if not required:
        return
    terms = required.get("nodeSelectorTerms") or ()
    page.field("Required Terms", "" if terms else "<none>", 1)
    for i, term in enumerate(terms):
        expressions = term.get("matchExpressions") or ()
        _terms(page, 2, f"Term {i}", [(e["key"], e["operator"].lower(), e.get("values")) for e in expressions])


def _terms(page: Page, level: int, title: str, requirements: Sequence[tuple[str, str, Sequence[str] | None]]) -> None:
    page.listing(title, [f"{key} {operator}" + (f" [{', '.join(values)}]" if values else "")
                         for key, operator, values in requirements], level)


def describe_persistentvolumeclaim(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    claim_fields(page, obj)
    page.listing("Used By", _users(client, obj))
    conditions = (obj.get("status") or {}).get("conditions")
    if conditions:
        page.line(0, "Conditions:")
        page.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage")
        page.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
        for held in conditions:
            probed, changed = rfc1123z(held.get("lastProbeTime")), rfc1123z(held.get("lastTransitionTime"))
            page.line(1, f"{held['type']} \t{held['status']} \t{probed} \t{changed} \t{held.get('reason', '')} "
                         f"\t{held.get('message', '')}")
    if show_events:
        describe_events(page, events_of(client, obj, "PersistentVolumeClaim"))


def _users(client: Reader, claim: Obj) -> list[str]:
    """Pods that mount the claim, or own it."""
    metadata = claim["metadata"]

    def mounts(pod: Obj) -> bool:
        return any((volume.get("persistentVolumeClaim") or {}).get("claimName") == metadata["name"]
                   for volume in pod["spec"].get("volumes") or ())

    owners = {ref["uid"] for ref in metadata.get("ownerReferences") or () if ref["kind"] == "Pod"}
    return sorted(pod["metadata"]["name"] for pod in client.list("pods", metadata["namespace"])
                  if pod["metadata"].get("uid") in owners or mounts(pod))


def describe_csinode(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.labels("Labels", obj["metadata"].get("labels"))
    page.annotations("Annotations", obj["metadata"].get("annotations"))
    page.field("CreationTimestamp", rfc1123z(obj["metadata"]["creationTimestamp"]))
    page.line(0, "Spec:")
    if obj["spec"].get("drivers") is not None:
        page.line(1, "Drivers:")
    for driver in obj["spec"].get("drivers") or ():
        page.line(2, f"{driver['name']}:")
        page.field("Node ID", driver["nodeID"], 3)
        if (count := (driver.get("allocatable") or {}).get("count")) is not None:
            page.line(3, "Allocatables:")
            page.field("Count", count, 4)
        if driver.get("topologyKeys") is not None:
            page.field("Topology Keys", go_list(driver["topologyKeys"]), 3)
    if show_events:
        describe_events(page, events_of(client, obj, "CSINode"))


def describe_volumeattributesclass(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.field("Annotations", format_labels(obj["metadata"].get("annotations")))
    page.field("DriverName", obj.get("driverName", ""))
    page.field("Parameters", format_labels(obj.get("parameters")))
    if show_events:
        describe_events(page, events_of(client, obj, "VolumeAttributesClass"))


def describe_storageclass(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    page.field("Name", obj["metadata"]["name"])
    page.field("IsDefaultClass", "Yes" if is_default_class(obj) else "No")
    page.field("Annotations", format_labels(obj["metadata"].get("annotations")))
    page.field("Provisioner", obj.get("provisioner", ""))
    page.field("Parameters", format_labels(obj.get("parameters")))
    page.field("AllowVolumeExpansion", print_bool(obj.get("allowVolumeExpansion")))
    options = obj.get("mountOptions")
    if options:
        page.line(0, "MountOptions:")
        for option in options:
            page.line(1, option)
    else:
        page.field("MountOptions", "<none>")
    for title, field in (("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")):
        if obj.get(field):
            page.field(title, obj[field])
    topologies = obj.get("allowedTopologies")
    if topologies:
        page.field("AllowedTopologies", "")
        for i, term in enumerate(topologies):
            _terms(page, 1, f"Term {i}", [(e["key"], "in", e.get("values")) for e in term.get("matchLabelExpressions") or ()])
    if show_events:
        describe_events(page, events_of(client, obj, "StorageClass"))
