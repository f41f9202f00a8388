"""Defaults of Pods and Pod templates (pkg/apis/core/v1/defaults.go and zz_generated.defaults.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import quantity
from . import pod_resources

Object = dict[str, Any]

# distribution/reference: [domain/]path[:tag][@digest]; the name is lower case
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?/)?"
IMAGE = re.compile(rf"{_DOMAIN}{_COMPONENT}(?:/{_COMPONENT})*(?::(?P<tag>\w[\w.-]{{0,127}}))?"
                   r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?\Z")
POD_LEVEL = ("cpu", "memory")  # SupportedPodLevelResources, but for huge pages
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def pull_policy(image: str) -> str:
    """Always for the tag latest, named or implied; IfNotPresent otherwise, and for what is no image name at all."""
    match = IMAGE.match(image)
    if not match:
        return "IfNotPresent"
    tag = match["tag"] or ("" if match["digest"] else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def default_pod(spec: Object) -> None:
    """A Pod's spec, in place (SetDefaults_Pod after SetDefaults_PodSpec)."""
    default_pod_spec(spec)
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container["resources"]
        if limits := resources.get("limits"):
            resources["requests"] = {**limits, **(resources.get("requests") or {})}
    if spec.get("resources"):
        _default_pod_level_resources(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            for port in container.get("ports") or ():
                port.setdefault("hostPort", port["containerPort"])
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1  # Convert_v1_Pod_To_core_Pod; templates keep what they say


def default_pod_spec(spec: Object) -> None:
    """A Pod's or a template's spec, in place (SetDefaults_PodSpec and what lies below it)."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for volume in spec.get("volumes") or ():
        default_volume(volume)
    for name in CONTAINER_LISTS:
        for container in spec.get(name) or ():
            default_container(container)
    if overhead := spec.get("overhead"):
        default_resource_list(overhead)
    _drop_disabled(spec)


def _drop_disabled(spec: Object) -> None:
    """What 1.36 has the names of and no use for, while its features are off (pkg/api/pod/util.go, dropDisabledFields).

    GenericWorkload, ClusterTrustBundleProjection, PodCertificateRequest, ContainerStopSignals.
    """
    spec.pop("schedulingGroup", None)
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            source.pop("clusterTrustBundle", None)
            source.pop("podCertificate", None)
    for name in CONTAINER_LISTS:
        for container in spec.get(name) or ():
            if "lifecycle" in container:
                container["lifecycle"].pop("stopSignal", None)


def default_container(container: Object) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    for name in ("limits", "requests"):
        if resources.get(name):
            default_resource_list(resources[name])
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or ():
        if reference := (variable.get("valueFrom") or {}).get("fieldRef"):
            reference.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe := container.get(name):
            default_probe(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and "httpGet" in hook:
            _default_http_get(hook["httpGet"])


def default_probe(probe: Object) -> None:
    if "httpGet" in probe:
        _default_http_get(probe["httpGet"])
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)


def _default_http_get(action: Object) -> None:
    action.setdefault("path", "/")
    action.setdefault("scheme", "HTTP")


def default_resource_list(resources: dict[str, str]) -> None:
    """Amounts finer than a thousandth are rounded up (SetDefaults_ResourceList)."""
    for name, amount in resources.items():
        if amount[-1:] in ("u", "n"):
            resources[name] = quantity.format_decimal(-((-quantity.parse(amount) * 1000) // 1) / quantity.parse("1000"))


def default_volume(volume: Object) -> None:
    """One volume or PersistentVolume source, in place."""
    if len(volume) == 1:  # nothing but its name
        volume["emptyDir"] = {}
        return
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            volume[name].setdefault("defaultMode", 420)  # 0644
    for item in (volume.get("downwardAPI") or {}).get("items") or ():
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        for item in (source.get("downwardAPI") or {}).get("items") or ():
            if "fieldRef" in item:
                item["fieldRef"].setdefault("apiVersion", "v1")
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "iscsi" in volume:
        volume["iscsi"].setdefault("iscsiInterface", "default")
    if "rbd" in volume:
        for name, value in (("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")):
            volume["rbd"].setdefault(name, value)
    if "azureDisk" in volume:
        for name, disk in (("cachingMode", "ReadWrite"), ("kind", "Shared"), ("fsType", "ext4"), ("readOnly", False)):
            volume["azureDisk"].setdefault(name, disk)
    if "scaleIO" in volume:
        volume["scaleIO"].setdefault("storageMode", "ThinProvisioned")
        volume["scaleIO"].setdefault("fsType", "xfs")
    if "image" in volume and not volume["image"].get("pullPolicy"):
        volume["image"]["pullPolicy"] = pull_policy(volume["image"].get("reference") or "")
    if template := (volume.get("ephemeral") or {}).get("volumeClaimTemplate"):
        template["spec"].setdefault("volumeMode", "Filesystem")


def _default_pod_level_resources(spec: Object) -> None:
    """Pod-level requests and limits from the containers' (defaultHugePagePodLimits, defaultPodRequests, defaultPodLimits)."""
    resources = spec["resources"]
    limits, requests = dict(resources.get("limits") or {}), dict(resources.get("requests") or {})
    given, found = bool(limits), aggregated(spec, "limits")
    for name, amount in found.items() if limits or requests else ():
        if name.startswith("hugepages-") and name not in requests:
            limits.setdefault(name, amount)
    if limits:
        for name, amount in aggregated(spec, "requests").items():
            if name in POD_LEVEL:
                requests.setdefault(name, amount)
        for name, amount in limits.items():
            if name in POD_LEVEL or name.startswith("hugepages-"):
                requests.setdefault(name, amount)
    if requests and not given and not limits:
        containers = [*(spec.get("containers") or ()),
                      *(c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")]
        limits = {name: amount for name, amount in found.items()
                  if name in POD_LEVEL and all(name in (c["resources"].get("limits") or {}) for c in containers)}
    for member, amounts in (("limits", limits), ("requests", requests)):
        if amounts:
            resources[member] = amounts


def aggregated(spec: Mapping[str, Any], kind: str) -> dict[str, str]:
    """`pod_resources.aggregated` as quantities: a sum is written as the first of its amounts is."""
    written: dict[str, bool] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        for name, amount in ((container.get("resources") or {}).get(kind) or {}).items():
            written.setdefault(name, amount.endswith("i"))
    return {name: quantity.format_binary(amount) if written[name] else quantity.format_decimal(amount)
            for name, amount in pod_resources.aggregated(spec, kind).items()}
